package bigip

import (
	"net/netip"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// management reads the ways to log in, SNMP, users and who else is asked.
func (p *parser) management() {
	sshd := p.Under(root, "sys", "sshd")
	on := facts.V[bool]{}
	if s, v := p.Leaf(sshd, "login"); v != none {
		on = facts.Say(s != "disabled", p.Span(v))
	} else if sshd != none || p.whole {
		on = facts.Assume(true) // tmsh reference, sys sshd: login enabled
	}
	for _, s := range [...]facts.Service{{Name: "sys sshd", Role: facts.RoleShell}, {Protocol: facts.SCP, Name: "sys sshd"}} {
		s.Enabled, s.Port, s.Span = on, wordtree.Port(p.String(sshd, "port")), p.Span(sshd)
		p.D.Services = append(p.D.Services, s)
	}
	for _, a := range [...]struct{ word, protocol string }{{"sshd", "ssh"}, {"httpd", "https"}} {
		n := p.Under(root, "sys", a.word)
		if n == none && !p.whole {
			continue
		}
		x := facts.Access{Name: "sys " + a.word, In: facts.V[[]string]{Val: []string{a.protocol}, Origin: facts.Default}, Enabled: facts.Assume(true), Clients: p.clients(n, "allow"), Span: p.Span(n)}
		if a.word == "sshd" {
			x.Enabled = on
		}
		p.D.Access = append(p.D.Access, x)
		p.Rest(n)
	}
	p.snmp()
	p.accounts()
}

// clients are the addresses that may connect; none when any may (tmsh reference: allow all).
func (p *parser) clients(n int32, word string) []netip.Prefix {
	var out []netip.Prefix
	all := false
	list := p.Kid(n, word)
	p.OKAll(list)
	p.words(list, func(c int32) {
		s := p.Text(c)
		all = all || strings.EqualFold(s, "all")
		if host, mask, ok := strings.Cut(s, "/"); ok {
			a, ok1 := field.Addr([]byte(host))
			if m, is := field.Addr([]byte(mask)); is && ok1 {
				out = append(out, netip.PrefixFrom(a, ones(m)).Masked())
				return
			}
		}
		if a, bits, _, ok := address(s); ok {
			out = append(out, netip.PrefixFrom(a, bits).Masked())
		}
	})
	if all {
		return nil
	}
	return out
}

func (p *parser) snmp() {
	n := p.Under(root, "sys", "snmp")
	allowed := p.clients(n, "allowed-addresses")
	p.Each(p.Kid(n, "communities"), "", func(c int32) {
		p.OKAll(c)
		x := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Clients: allowed, Span: p.Span(c)}
		if s, v := p.Leaf(c, "access"); v != none {
			x.Write = facts.Say(s == "rw", p.Span(v))
		}
		if pfx, _, ok := wordtree.Prefix([]byte(p.String(c, "source"))); ok {
			x.Clients = []netip.Prefix{pfx}
		}
		p.D.SNMP = append(p.D.SNMP, x)
	})
	p.Each(p.Kid(n, "users"), "", func(c int32) {
		p.OKAll(c)
		name := p.String(c, "username")
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 3, Name: name, Write: facts.Say(p.String(c, "access") == "rw", p.Span(c)), CoversCopy: facts.Assume(false), Clients: allowed, Span: p.Span(c)})
		p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "snmp-user", Name: name, Span: p.Span(c)})
	})
	p.Rest(n)
}

func (p *parser) accounts() {
	p.Each(p.Under(root, "auth", "user"), "", func(n int32) {
		p.OK(n)
		x := facts.Account{Name: p.Text(n), Shell: p.String(n, "shell"), Span: p.Span(n)}
		p.Each(p.Kid(n, "partition-access"), "", func(c int32) { x.Role = p.String(c, "role") })
		if x.Role == "" {
			x.Role = p.String(n, "role")
		}
		if x.Role != "" {
			x.Admin = facts.Say(x.Role == "admin" || x.Role == "resource-admin", p.Span(n))
		} else if x.Name == "admin" || x.Name == "root" {
			x.Admin = facts.Assume(true)
		}
		p.D.Accounts = append(p.D.Accounts, x)
		p.Rest(n)
	})
	for _, w := range [...]string{"radius-server", "tacacs", "ldap"} {
		p.Each(p.Under(root, "auth", w), "", func(n int32) {
			kind := strings.TrimSuffix(w, "-server")
			add := func(host string, v int32) {
				x := facts.Trust{Kind: kind, Name: "auth " + w + " " + base(p.Text(n)), Host: host, Span: p.Span(v)}
				_, x.Addr, _ = wordtree.Prefix([]byte(host))
				p.D.Trusts = append(p.D.Trusts, x)
			}
			if s, v := p.Leaf(n, "server"); v != none {
				add(s, v)
			}
			p.words(p.Kid(n, "servers"), func(v int32) { add(p.Text(v), v) })
			p.OKAll(p.Kid(n, "servers"))
			p.Rest(n)
		})
	}
}

// logging reads remote syslog in its two shapes, sFlow and time.
func (p *parser) logging() {
	l := &p.D.Logging
	syslog := p.Under(root, "sys", "syslog")
	p.Each(p.Kid(syslog, "remote-servers"), "", func(c int32) {
		p.OKAll(c)
		host, v := p.Leaf(c, "host")
		if v == none {
			return
		}
		x := facts.LogHost{Host: host, Port: wordtree.Port(p.String(c, "remote-port")), Span: p.Span(v)}
		_, x.Addr, _ = wordtree.Prefix([]byte(host))
		l.Hosts = append(l.Hosts, x)
	})
	p.Rest(syslog)
	dest := p.Under(root, "sys", "log-config", "destination")
	for _, w := range [...]string{"remote-high-speed-log", "remote-syslog", "splunk", "arcsight", "management-port"} {
		p.Each(p.Kid(dest, w), "", func(c int32) {
			if !l.Remote.Known() {
				l.Remote = facts.Say(true, p.Span(c))
			}
			p.Rest(c)
		})
	}
	p.Each(p.Under(root, "sys", "sflow", "receiver"), "", func(c int32) {
		p.OKAll(c)
		host, v := p.Leaf(c, "addr")
		if v == none || p.String(c, "state") == "disabled" {
			return
		}
		x := facts.FlowHost{Host: host, Port: wordtree.Port(p.String(c, "port")), Span: p.Span(v)}
		_, x.Addr, _ = wordtree.Prefix([]byte(host))
		l.FlowHosts = append(l.FlowHosts, x)
	})
	ntp := p.Under(root, "sys", "ntp")
	p.words(p.Kid(ntp, "servers"), func(v int32) { l.NTP = append(l.NTP, p.Text(v)) })
	p.OKAll(p.Kid(ntp, "servers"))
	p.Rest(ntp)
	switch {
	case len(l.Hosts) > 0:
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	case p.whole && !l.Remote.Known() && p.Kid(syslog, "include") == none:
		l.Remote = facts.Assume(false)
	}
	switch {
	case len(l.FlowHosts) > 0:
		l.FlowExport = facts.Say(true, l.FlowHosts[0].Span)
	case p.whole && p.Kid(dest, "ipfix") == none:
		l.FlowExport = facts.Assume(false)
	}
}

// monitors reads the monitors that fetch a file from members of pools: clients with stored credentials.
func (p *parser) monitors() {
	for _, k := range [...]struct {
		word string
		kind facts.Protocol
	}{{"ftp", facts.FTP}, {"smb", facts.SMB}} {
		p.Each(p.Under(root, "ltm", "monitor", k.word), "", func(n int32) {
			p.OK(n)
			defer p.Rest(n)
			x := facts.Client{
				Use: "other", Name: "ltm monitor " + k.word + " " + base(p.Text(n)), Protocol: k.kind, User: p.String(n, "username"), Path: p.String(n, "filename") + p.String(n, "get"),
				Enabled: facts.Say(true, p.Span(n)), Automatic: true, Password: facts.Say(p.Kid(n, "password") != none, p.Span(n)), Span: p.Span(n),
			}
			p.OKAll(p.Kid(n, "password"))
			host, _, _ := strings.Cut(base(p.String(n, "destination")), ":")
			if host != "*" {
				x.Host = host
				_, x.Addr, _ = wordtree.Prefix([]byte(host))
			}
			if s, ok := field.Uint([]byte(p.String(n, "interval"))); ok && s < 1<<20 {
				x.Period = time.Duration(s) * time.Second
			}
			p.D.Clients = append(p.D.Clients, x)
		})
	}
	p.Each(p.Under(root, "ltm", "monitor", "external"), "", func(n int32) {
		p.D.Hooks = append(p.D.Hooks, facts.Hook{
			Kind: facts.HookScheduler, Name: "ltm monitor external " + base(p.Text(n)), Enabled: facts.Say(true, p.Span(n)), Source: wordtree.Clean([]byte(p.String(n, "run"))),
			Unread: "the program is not in the evidence", Span: p.Span(n),
		})
		p.Rest(n)
	})
}

// hooks reads iCall's scripts and handlers, and what extends the command line.
func (p *parser) hooks() {
	icall := p.Under(root, "sys", "icall")
	p.used = map[string]bool{}
	p.Each(p.Kid(icall, "script"), "", func(n int32) { p.scripts[p.Text(n)] = n })
	p.Each(p.Kid(icall, "handler"), "", func(kind int32) {
		p.Each(kind, "", func(n int32) {
			h := facts.Hook{Kind: facts.HookScheduler, Name: "sys icall handler " + p.Text(kind) + " " + base(p.Text(n)), Trigger: p.Text(kind), Enabled: facts.Say(p.Kid(n, "inactive") == none && p.String(n, "status") != "inactive", p.Span(n)), User: "root", Span: p.Span(n)}
			if s, ok := field.Uint([]byte(p.String(n, "interval"))); ok && s < 1<<31 {
				h.Trigger += " " + p.String(n, "interval")
				h.Period = time.Duration(s) * time.Second
			}
			if p.Is(kind, "triggered") {
				h.Kind = facts.HookApplet
			}
			p.OKAll(n)
			name := p.String(n, "script")
			if at, ok := p.scripts[name]; ok {
				p.used[name] = true
				p.lines(&h, "scheduler", at)
			} else {
				h.Unread = "the script is not in the evidence"
			}
			p.D.Hooks = append(p.D.Hooks, h)
		})
	})
	p.Each(p.Kid(icall, "script"), "", func(n int32) {
		p.OKAll(n)
		if p.used[p.Text(n)] {
			return
		}
		h := facts.Hook{Kind: facts.HookScript, Name: "sys icall script " + base(p.Text(n)), Enabled: facts.Say(true, p.Span(n)), Span: p.Span(n)}
		p.lines(&h, "script", n)
		p.D.Hooks = append(p.D.Hooks, h)
	})
	p.Each(p.Under(root, "cli", "script"), "", func(n int32) {
		p.OKAll(n)
		h := facts.Hook{Kind: facts.HookScript, Name: "cli script " + base(p.Text(n)), Enabled: facts.Say(true, p.Span(n)), Span: p.Span(n)}
		p.lines(&h, "script", n)
		p.D.Hooks = append(p.D.Hooks, h)
	})
	p.Each(p.Under(root, "cli", "alias"), "", func(kind int32) {
		p.Each(kind, "", func(n int32) {
			h := facts.Hook{Kind: facts.HookAlias, Name: "cli alias " + base(p.Text(n)), Enabled: facts.Say(true, p.Span(n)), Span: p.Span(n)}
			p.OKAll(p.Kid(n, "command"))
			if v := p.Value(p.Kid(n, "command")); v != none {
				p.Does(&h, "script", v)
			}
			p.Rest(n)
			p.OKAll(n)
			p.D.Hooks = append(p.D.Hooks, h)
		})
	})
}

// maxLines bounds the lines of a script in a hook.
const maxLines = 200

// lines adds the lines of the Tcl in block n to a hook: of iCall's scripts those of the definition.
func (p *parser) lines(h *facts.Hook, use string, n int32) {
	depth, wanted := 0, 0
	if up := p.Up(p.Up(n)); up != none && p.Is(up, "icall") {
		wanted = 1
	}
	for i := n + 1; int(i) < len(p.T.Nodes); i++ {
		x := &p.T.Nodes[i]
		if x.Parent != n {
			break
		}
		p.OK(i)
		text := p.T.Text(i)
		was := depth
		depth += depthOf(text)
		if was < wanted || depth < wanted || len(text) == 1 || text[0] == '#' {
			continue
		}
		if len(h.Commands) >= maxLines {
			h.Unread = "the script is longer than is read"
			return
		}
		p.Does(h, use, i)
	}
}

// keyword reports whether word n is a secret by the word before it.
func (p *parser) keyword(n int32) (facts.SecretKind, bool) {
	up := p.Up(n)
	if up == none || p.First(n) != none {
		return 0, false
	}
	switch string(p.T.Text(up)) {
	case "encrypted-password":
		return facts.SecretUser, !p.Is(n, "!!")
	case "password":
		switch {
		case p.Above(n, "user") != none:
			return facts.SecretUser, true
		case p.Above(n, "ftp") != none || p.Above(n, "smb") != none:
			return facts.SecretFTP, true
		}
		return facts.SecretOther, true
	case "community-name", "community":
		return facts.SecretCommunity, true
	case "auth-password", "privacy-password", "auth-password-encrypted", "privacy-password-encrypted":
		return facts.SecretSNMPv3, true
	case "secret", "bind-pw", "preshared-key", "preshared-key-encrypted", "md5-password", "key-secret", "shared-secret", "credential-password":
		return facts.SecretKey, true
	case "passphrase", "account-password", "unencrypted-password", "cookie-encryption-passphrase", "encrypt-cookie-secret", "proxy-password":
		return facts.SecretOther, true
	case "snmpv3-password":
		return facts.SecretSNMPv3, true
	}
	return 0, false
}

// userOf is the account a secret belongs to.
func (p *parser) userOf(n int32) string {
	if up := p.Up(p.Up(n)); up != none {
		if v := p.Value(p.Kid(up, "username")); v != none {
			return p.Text(v)
		}
	}
	for k := n; k != none; k = p.Up(k) {
		if up := p.Up(k); up != none && p.Is(up, "user") {
			return p.Text(k)
		}
	}
	return ""
}
