package gaia

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// access reads the ways to log in: SSH, always; Telnet and the web interface by switch; from the clients that are allowed.
func (p *parser) access() {
	clients := p.allowed()
	ssh := facts.V[bool]{}
	if p.whole {
		ssh = facts.Assume(true)
	}
	p.D.Services = append(p.D.Services, facts.Service{Name: "sshd", Role: facts.RoleShell, Enabled: ssh})
	p.D.Access = append(p.D.Access, facts.Access{Name: "sshd", In: facts.V[[]string]{Val: []string{"ssh"}, Origin: ssh.Origin}, Enabled: ssh, Clients: clients})
	if on, ok := p.on("net-access", "telnet"); ok {
		p.D.Services = append(p.D.Services, facts.Service{Protocol: facts.Telnet, Name: "net-access telnet", Role: facts.RoleShell, Enabled: on, Span: on.Span})
		p.D.Access = append(p.D.Access, facts.Access{Name: "net-access telnet", In: facts.Say([]string{"telnet"}, on.Span), Enabled: on, Clients: clients, Span: on.Span})
	}
	if on, ok := p.on("web", "daemon-enable"); ok {
		p.D.Access = append(p.D.Access, facts.Access{Name: "web daemon-enable", In: facts.Say([]string{"https"}, on.Span), Enabled: on, Clients: clients, Span: on.Span})
	}
	p.Rest(p.Kid(root, "web"))
	p.scp()
}

// allowed are the clients that may reach the device's own services; none when any may.
func (p *parser) allowed() []netip.Prefix {
	at := p.Kid(root, "allowed-client")
	p.OK(at)
	var out []netip.Prefix
	any := false
	p.Each(p.Kid(at, "host"), "", func(c int32) {
		p.OKAll(c)
		any = any || p.Is(c, "any-host")
		for v := p.First(c); v != none; v = p.Next(v) {
			if pfx, _, ok := wordtree.Prefix(p.Bytes(v)); ok {
				out = append(out, pfx)
			}
		}
	})
	p.Each(p.Kid(at, "network"), "", func(c int32) {
		p.OKAll(c)
		for v := p.First(c); v != none; v = p.Next(v) {
			bits, _ := p.arg(v, "mask-length")
			if _, a, ok := wordtree.Prefix(p.Bytes(v)); ok && int(wordtree.Port(bits)) <= a.BitLen() {
				out = append(out, netip.PrefixFrom(a, int(wordtree.Port(bits))).Masked())
			}
		}
	})
	if any {
		return nil
	}
	return out
}

// scp is served to accounts whose shell is bash or scponly; clish takes none.
func (p *parser) scp() {
	x := facts.Service{Protocol: facts.SCP, Name: "sshd scp"}
	for c := p.First(p.Kid(root, "user")); c != none; c = p.Next(c) {
		if s, v := p.arg(c, "shell"); v != none && (strings.Contains(s, "scp") || strings.HasSuffix(s, "/bash") || strings.HasSuffix(s, "/sh")) && !strings.HasSuffix(s, "cli.sh") {
			x.Enabled, x.Span, x.Writable = facts.Say(true, p.Span(v)), p.Span(v), facts.Assume(true)
		}
	}
	p.D.Services = append(p.D.Services, x)
}

// accounts reads users, their shells and roles, and the servers that logins are checked with.
func (p *parser) accounts() {
	at := p.Kid(root, "user")
	p.OK(at)
	rba := p.Under(root, "rba", "user")
	for c := p.First(at); c != none; c = p.Next(c) {
		p.OK(c)
		x := facts.Account{Name: p.Text(c), Span: p.Span(c)}
		x.Shell, _ = p.arg(c, "shell")
		for _, w := range [...]string{"uid", "homedir", "gid", "realname", "force-password-change", "shell", "password-hash", "newpass", "info"} {
			p.OKAll(p.Kid(c, w))
		}
		if role, v := p.arg(p.Kid(rba, x.Name), "roles"); v != none {
			x.Role, x.Admin = role, facts.Say(role == "adminRole", p.Span(v))
		} else if x.Name == "admin" {
			x.Role, x.Admin = "adminRole", facts.Assume(true) // the factory's account
		}
		p.D.Accounts = append(p.D.Accounts, x)
	}
	p.OKAll(rba)
	for _, s := range [...]struct{ word, host, kind string }{{"tacacs-servers", "server", "tacacs"}, {"radius-servers", "host", "radius"}} {
		list := p.Under(root, "aaa", s.word)
		p.OK(list)
		p.Each(p.Kid(list, "priority"), "", func(c int32) {
			p.OKAll(c)
			host, v := p.arg(c, s.host)
			if v == none {
				return
			}
			x := facts.Trust{Kind: s.kind, Name: "aaa " + s.word, Host: host, Span: p.Span(v)}
			_, x.Addr, _ = wordtree.Prefix([]byte(host))
			p.D.Trusts = append(p.D.Trusts, x)
		})
	}
}

// snmp reads the agent. SNMP copies no configuration here.
func (p *parser) snmp() {
	at := p.Kid(root, "snmp")
	p.OK(at)
	off, stated := p.on("snmp", "agent")
	v3only := p.String(at, "agent-version") == "v3-Only"
	if stated && !off.Val {
		p.OKAll(p.Kid(at, "community"))
		return
	}
	p.Each(p.Kid(at, "community"), "", func(c int32) {
		p.OKAll(c)
		if v3only {
			return
		}
		write := p.find(c, "read-write", 0)
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 1, Write: facts.Say(write != none, p.Span(c)), CoversCopy: facts.Assume(false), Span: p.Span(c)})
	})
	p.Each(p.Under(at, "usm", "user"), "", func(c int32) {
		p.OKAll(c)
		write := p.find(c, "usm-read-write", 0)
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 3, Name: p.Text(c), Write: facts.Say(write != none, p.Span(c)), CoversCopy: facts.Assume(false), Span: p.Span(c)})
		p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "snmp-user", Name: p.Text(c), Span: p.Span(c)})
	})
}

// logging reads remote syslog, what of changes is logged, NetFlow and time.
func (p *parser) logging() {
	l := &p.D.Logging
	at := p.Kid(root, "syslog")
	p.OK(at)
	p.Each(p.Kid(at, "log-remote-address"), "", func(c int32) {
		p.OKAll(c)
		x := facts.LogHost{Host: p.Text(c), Span: p.Span(c)}
		_, x.Addr, _ = wordtree.Prefix(p.Bytes(c))
		x.Severity, _ = p.arg(c, "level")
		x.Transport, _ = p.arg(c, "protocol")
		if s, v := p.arg(c, "port"); v != none {
			x.Port = wordtree.Port(s)
		}
		if x.Severity != "" {
			l.Severity = facts.Say(x.Severity, x.Span)
		}
		l.Hosts = append(l.Hosts, x)
	})
	if on, ok := p.on("syslog", "auditlog"); ok {
		l.ConfigChanges = on
	}
	p.flows()
	p.Rest(at)
	ntp := p.Kid(root, "ntp")
	if on, _ := p.on("ntp", "active"); on.Val {
		for c := p.First(p.Kid(ntp, "server")); c != none; c = p.Next(c) {
			if v := p.First(c); v != none {
				l.NTP = append(l.NTP, p.Text(v))
			}
		}
		l.NTPAuth = facts.Assume(false)
	}
	p.OKAll(ntp)
	switch {
	case len(l.Hosts) > 0:
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	case p.whole:
		l.Remote = facts.Assume(false)
	}
}

func (p *parser) flows() {
	l := &p.D.Logging
	p.Each(p.Under(root, "netflow", "collector"), "", func(word int32) {
		// "collector ip A port N srcaddr S export-format F enable yes": one line a collector
		p.Each(word, "", func(c int32) {
			p.OKAll(c)
			off, v := p.arg(c, "enable")
			if !p.Is(word, "ip") || v != none && off == "no" {
				return
			}
			x := facts.FlowHost{Host: p.Text(c), Span: p.Span(c)}
			_, x.Addr, _ = wordtree.Prefix(p.Bytes(c))
			port, _ := p.arg(c, "port")
			x.Port = wordtree.Port(port)
			if !slices.ContainsFunc(l.FlowHosts, func(o facts.FlowHost) bool { return o.Host == x.Host && o.Port == x.Port }) {
				l.FlowHosts = append(l.FlowHosts, x)
			}
		})
		p.OK(word)
	})
	p.OK(p.Kid(root, "netflow"))
	switch {
	case len(l.FlowHosts) > 0:
		l.FlowExport = facts.Say(true, l.FlowHosts[0].Span)
	case p.whole:
		l.FlowExport = facts.Assume(false)
	}
}
