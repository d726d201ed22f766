package sros

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// services reads the servers of the system. SFTP and SCP come with SSH.
func (p *parser) services() {
	state := func(word string) (facts.V[bool], bool) {
		if v, ok := p.on(p.security, word); ok {
			return v, true
		}
		if p.whole {
			return facts.Assume(false), true
		}
		return facts.V[bool]{}, false
	}
	for _, s := range [...]struct {
		word     string
		protocol facts.Protocol
		role     facts.ServiceRole
	}{{"ftp-server", facts.FTP, facts.RoleServer}, {"telnet-server", facts.Telnet, facts.RoleShell}, {"telnet6-server", facts.Telnet, facts.RoleShell}} {
		on, _ := state(s.word)
		x := facts.Service{Protocol: s.protocol, Name: "system security " + s.word, Role: s.role, Enabled: on, Span: on.Span}
		if s.protocol == facts.FTP {
			x.Writable, x.Anonymous = facts.Assume(true), facts.Assume(false) // users with access ftp log in
		}
		p.D.Services = append(p.D.Services, x)
		if s.role == facts.RoleShell && on.Val {
			p.D.Access = append(p.D.Access, facts.Access{Name: x.Name, In: facts.Say([]string{"telnet"}, on.Span), Enabled: on, Span: on.Span})
		}
	}
	ssh := p.Kid(p.security, "ssh")
	on := facts.V[bool]{}
	if p.whole {
		on = facts.Assume(true)
	}
	if s, v := p.leaf(ssh, "server-admin-state"); v != none {
		on = facts.Say(s != "disable", p.Span(v))
	} else if k := p.Kid(ssh, "server-shutdown"); k != none {
		p.OKAll(k)
		on = facts.Say(false, p.Span(k))
	}
	for _, s := range [...]facts.Service{
		{Name: "system security ssh", Role: facts.RoleShell}, {Protocol: facts.SCP, Name: "system security ssh"}, {Protocol: facts.SFTP, Name: "system security ssh"},
	} {
		s.Enabled, s.Span = on, on.Span
		p.D.Services = append(p.D.Services, s)
	}
	p.D.Access = append(p.D.Access, facts.Access{Name: "system security ssh", In: facts.V[[]string]{Val: []string{"ssh"}, Origin: on.Origin, Span: on.Span}, Enabled: on, Span: on.Span})
	p.Rest(ssh)
}

// accounts reads users, where they may come in, and the servers that logins are checked with.
func (p *parser) accounts() {
	for _, list := range [...]int32{p.Kid(p.security, "user"), p.path(p.security, "user-params", "local-user", "user")} {
		p.OK(list)
		p.Each(list, "", func(u int32) {
			p.OK(u)
			x := facts.Account{Name: p.Text(u), Span: p.Span(u)}
			var ways []string
			access := p.Kid(u, "access")
			for c := p.First(access); c != none; c = p.Next(c) {
				if v := p.First(c); v == none || !p.Is(v, "false") {
					ways = append(ways, p.Text(c))
				}
				for v := p.First(c); v != none; v = p.First(v) { // classic: "access console ftp snmp"
					if !p.Is(v, "true") && !p.Is(v, "false") {
						ways = append(ways, p.Text(v))
					}
				}
			}
			p.OKAll(access)
			console := p.Kid(u, "console")
			p.Each(p.Kid(console, "member"), "", func(v int32) {
				x.Role = strings.Trim(p.Text(v)+" "+x.Role, " ")
				if p.Is(v, "administrative") {
					x.Admin = facts.Say(true, p.Span(v))
				}
			})
			p.OKAll(console)
			if !x.Admin.Known() && x.Name == "admin" {
				x.Admin = facts.Assume(true) // the factory's account
			}
			if len(ways) > 0 {
				x.Role = strings.TrimSpace(x.Role + " access " + strings.Join(ways, " "))
			}
			keys := p.in(u, "public-keys")
			for i := range p.T.Nodes {
				k := int32(i)
				if p.Is(k, "key-value") && p.Above(k, "public-keys") == keys && keys != none {
					x.Keys++
					p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "ssh-key", Name: x.Name, Span: p.Span(k)})
				}
			}
			p.D.Accounts = append(p.D.Accounts, x)
			p.Rest(u)
		})
	}
	for _, kind := range [...]string{"radius", "tacplus", "ldap"} {
		for _, at := range [...]int32{p.Kid(p.security, kind), p.path(p.security, "aaa", "remote-servers", kind)} {
			p.OK(at)
			p.Each(p.Kid(at, "server"), "", func(s int32) {
				p.OKAll(s)
				host, v := p.first(s, "address")
				if v == none {
					return
				}
				x := facts.Trust{Kind: strings.TrimSuffix(strings.ReplaceAll(kind, "tacplus", "tacacs"), "plus"), Name: "system security " + kind, Host: host, Span: p.Span(v)}
				_, x.Addr, _ = wordtree.Prefix([]byte(host))
				p.D.Trusts = append(p.D.Trusts, x)
			})
			if on, ok := p.on(at, "accounting"); ok && on.Val {
				p.D.Logging.CommandAccounting = on
			}
			p.Rest(at)
		}
	}
}

// snmp reads communities and users. SNMP can have the system copy files (TIMETRA-SYSTEM-MIB), which no view tells here.
func (p *parser) snmp() {
	if s, ok := p.shut(p.Kid(p.system, "snmp")); ok && s.Val {
		p.Rest(p.Kid(p.system, "snmp"))
		return
	}
	p.Rest(p.Kid(p.system, "snmp"))
	n := p.Kid(p.security, "snmp")
	p.OK(n)
	p.Each(p.Kid(n, "community"), "", func(c int32) {
		rights, v := p.leaf(c, "access-permissions")
		if v == none {
			for k := p.First(c); k != none; k = p.First(k) { // classic: "community "x" hash2 rwa version both"
				switch w := p.Text(k); w {
				case "r", "rw", "rwa", "mgmt", "vpls-mgmt":
					rights, v = w, k
				}
			}
		}
		x := facts.SNMPAccess{Version: 1, Span: p.Span(c)}
		if v != none {
			x.Write = facts.Say(strings.HasPrefix(rights, "rw"), p.Span(v))
		}
		p.OKAll(c)
		p.D.SNMP = append(p.D.SNMP, x)
	})
	p.Each(p.path(n, "access"), "", func(g int32) {
		if v := p.First(p.below(g, "write", 0)); v != none {
			p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 3, Name: p.Text(g), Write: facts.Say(true, p.Span(v)), WriteView: p.Text(v), Span: p.Span(g)})
		}
	})
	p.Rest(n)
}

// below is the statement of that word anywhere below n: the views of a group lie behind its context, model and level, one behind
// the other in the classic command line, side by side in the model (nokia-conf-system-security.yang, snmp access).
func (p *parser) below(n int32, word string, depth int) int32 {
	if depth > 16 {
		return none
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		if p.Is(c, word) && p.First(c) != none {
			return c
		}
		if k := p.below(c, word, depth+1); k != none {
			return k
		}
	}
	return none
}

// logging reads remote syslog, what is sent there, flow records and time. A syslog destination and a log that is sent to it are
// both needed.
func (p *parser) logging() {
	l := &p.D.Logging
	log := p.Kid(p.conf, "log")
	p.OK(log)
	hosts := map[string]facts.LogHost{}
	p.each(log, "syslog", func(n int32) {
		p.OK(n)
		host, v := p.leaf(n, "address")
		if v == none {
			return
		}
		x := facts.LogHost{Host: host, Span: p.Span(v)}
		_, x.Addr, _ = wordtree.Prefix([]byte(host))
		s, _ := p.leaf(n, "port")
		x.Port = wordtree.Port(s)
		for _, w := range [...]string{"severity", "level"} {
			if s, v := p.leaf(n, w); v != none {
				x.Severity = s
			}
		}
		hosts[p.Text(n)] = x
		p.Rest(n)
	})
	p.each(log, "log-id", func(n int32) {
		p.OK(n)
		to := ""
		for _, at := range [...]int32{p.in(n, "destination"), p.in(n, "to")} {
			if s, v := p.first(at, "syslog"); v != none {
				to = s
			}
		}
		x, ok := hosts[to]
		off, _ := p.shut(n)
		from := map[string]bool{}
		for _, at := range [...]int32{p.in(n, "source"), p.in(n, "from")} {
			p.tell(at, from)
		}
		if ok && !off.Val {
			l.Hosts = append(l.Hosts, x)
			if from["change"] {
				l.ConfigChanges = facts.Say(true, p.Span(n))
			}
			if from["security"] {
				l.Logins = facts.Say(true, p.Span(n))
			}
		}
		p.Rest(n)
	})
	switch {
	case len(l.Hosts) > 0:
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	case p.whole:
		l.Remote = facts.Assume(false)
	}
	p.flows()
	ntp := p.path(p.system, "time", "ntp")
	p.Each(p.Kid(ntp, "server"), "", func(s int32) {
		l.NTP = append(l.NTP, p.Text(s))
		p.OKAll(s)
	})
	if on, ok := p.on(ntp, "authentication-check"); ok {
		l.NTPAuth = on
	}
	p.OK(p.Kid(p.system, "time"))
	p.Rest(ntp)
}

// tell notes the words below n, "X true" and "X Y Z" alike.
func (p *parser) tell(n int32, into map[string]bool) {
	for c := p.First(n); c != none; c = p.Next(c) {
		if v := p.First(c); v == none || !p.Is(v, "false") {
			into[p.Text(c)] = true
		}
		p.tell(c, into)
	}
}

// flows reads cflowd. The rate is one sampled of so many packets.
func (p *parser) flows() {
	l := &p.D.Logging
	n := p.Kid(p.conf, "cflowd")
	p.OK(n)
	off, _ := p.shut(n)
	p.each(n, "collector", func(c int32) {
		p.OKAll(c)
		host := p.Text(c)
		x := facts.FlowHost{Host: host, Span: p.Span(c)}
		if h, port, ok := strings.Cut(host, ":"); ok && strings.Count(host, ":") == 1 { // classic: address:port
			x.Host, x.Port = h, wordtree.Port(port)
		}
		if s, v := p.first(c, "port"); v != none {
			x.Port = wordtree.Port(s)
		}
		_, x.Addr, _ = wordtree.Prefix([]byte(x.Host))
		if shut, _ := p.shut(c); !shut.Val && !off.Val {
			l.FlowHosts = append(l.FlowHosts, x)
		}
	})
	if s, v := p.leaf(n, "rate"); v != none {
		rate, _ := field.Uint([]byte(s))
		l.FlowSampling = facts.Say(int(min(rate, 1<<20)), p.Span(v))
	}
	switch {
	case len(l.FlowHosts) > 0:
		l.FlowExport = facts.Say(true, l.FlowHosts[0].Span)
		if !l.FlowSampling.Known() {
			l.FlowSampling = facts.Assume(1000) // cflowd rate, YANG default
		}
	case p.whole:
		l.FlowExport = facts.Assume(false)
	}
	p.Rest(n)
}
