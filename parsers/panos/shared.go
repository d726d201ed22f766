package panos

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// sharedStatements reads what is shared among virtual systems, of firewalls or of Panorama.
func (p *parser) sharedStatements() {
	for _, r := range p.box.shared {
		p.ok(r)
		p.objectStatements(r, "shared")
	}
}

// groupStatements reads device groups and what Panorama pushed: objects and settings beside rules.
func (p *parser) groupStatements() {
	for _, r := range p.lay.pushed {
		p.objectStatements(r, "shared")
	}
	for _, g := range p.lay.groups {
		p.scope = g.scope
		for _, r := range g.roots {
			p.objectStatements(r, "device-group")
		}
	}
	p.scope = ""
}

// objectStatements reads what may stand in every space beside addresses, services, applications and rules.
func (p *parser) objectStatements(r int32, section string) {
	first := p.t.First
	if r != none {
		first = p.first(r)
	}
	for c := first; c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "external-list":
			p.externalLists(c)
		case "log-settings":
			p.logSettings(c)
		case "server-profile":
			p.serverProfiles(c)
		case "alg-override":
			p.helpers(c)
		case "tag", "display-name", "description":
			p.irrelevant(c, "objects")
		case "rulebase", "pre-rulebase", "post-rulebase": // with the policies
		case "devices", "reference-templates", "parent-dg":
			if section == "device-group" {
				p.okAll(c)
			} else if r != none {
				p.other("objects", c)
			}
		default:
			p.other(section, c)
			p.other("objects", c)
		}
	}
}

// helpers reads "alg-override": for which applications the firewall does not open data channels.
func (p *parser) helpers(n int32) {
	p.okAll(n)
	list := p.kid(n, "application")
	for a := p.first(list); a != none; a = p.next(a) {
		kind, ok := facts.ParseProtocol(p.text(a))
		if v := p.value(p.kid(a, "alg-disabled")); v != none && ok {
			p.helper(kind, facts.Say(!p.is(v, "yes"), p.span(v)))
		}
	}
}

func (p *parser) helper(kind facts.Protocol, on facts.V[bool]) {
	p.d.Services = append(p.d.Services, facts.Service{
		Protocol: kind, Name: "alg-override application " + kind.String(), Role: facts.RoleALG, Enabled: on, Scope: p.scope, Span: on.Span,
	})
}

// externalLists reads the lists of addresses and names a firewall fetches by itself.
func (p *parser) externalLists(n int32) {
	p.ok(n)
	for l := p.first(n); l != none; l = p.next(l) {
		p.okAll(l)
		kind := p.kid(l, "type")
		if kind == none {
			kind = l
		}
		for t := p.first(kind); t != none; t = p.next(t) {
			at := t
			if p.is(t, "url") && p.first(p.kid(t, "url")) == none { // releases before 8.0: the URL right below
				at = kind
			}
			v := p.value(p.kid(at, "url"))
			if v == none || strings.HasPrefix(p.text(v), "panw-") {
				continue
			}
			c := facts.Client{
				Use: "settings", Name: "external-list " + p.text(l), Enabled: facts.Say(true, p.span(v)), Automatic: true,
				Password: facts.Say(p.kid(at, "auth") != none, p.span(v)), Scope: p.scope, Span: p.span(v), Period: p.periodOf(p.kid(at, "recurring")),
			}
			if u, ok := copycmd.ParseURL(p.bytes(v)); ok {
				p.fromURL(&c, u, p.bytes(v))
			} else {
				host, path, _ := strings.Cut(clean(p.bytes(v)), "/") // the vendor's own examples leave out the scheme
				c.Host, c.Path = host, path
				_, c.Addr, _ = prefix([]byte(host))
			}
			if u := p.value(p.under(at, "auth", "username")); u != none {
				c.User = p.text(u)
			}
			p.d.Clients = append(p.d.Clients, c)
			if at == kind {
				break
			}
		}
	}
}

// fromURL fills in what a URL says.
func (p *parser) fromURL(c *facts.Client, u copycmd.URL, text []byte) {
	c.Protocol, c.URL, c.Host, c.Addr, c.Path = u.Protocol, clean([]byte(u.Text)), clean([]byte(u.Host)), u.Addr, clean([]byte(u.Path))
	if s := copycmd.URLSecrets(nil, text); len(s) > 0 {
		c.Password = facts.Say(true, c.Span)
		if i := strings.Index(string(text[:s[0].Start]), "://"); i >= 0 && i+3 < s[0].Start-1 {
			c.User = string(text[i+3 : s[0].Start-1])
		}
	}
}

// serverProfiles reads the servers that say who may log in, and those that collect flow records.
func (p *parser) serverProfiles(n int32) {
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		switch kind := p.text(k); kind {
		case "radius", "tacplus", "ldap", "kerberos":
			p.okAll(k)
			if kind == "tacplus" {
				kind = "tacacs"
			}
			for s := p.first(k); s != none; s = p.next(s) {
				p.eachServer(s, func(at int32, host string) {
					t := facts.Trust{Kind: kind, Name: p.text(s), Host: host, Span: p.span(at)}
					_, t.Addr, _ = prefix([]byte(host))
					p.d.Trusts = append(p.d.Trusts, t)
				})
			}
		case "saml-idp":
			p.okAll(k)
			for s := p.first(k); s != none; s = p.next(s) {
				p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "certificate", Name: "saml-idp " + p.text(s), Span: p.span(s)})
			}
		case "netflow":
			p.okAll(k)
			for s := p.first(k); s != none; s = p.next(s) {
				p.eachServer(s, func(at int32, host string) {
					f := facts.FlowHost{Host: host, Scope: p.scope, Span: p.span(at), Port: 2055} // the schema's default
					_, f.Addr, _ = prefix([]byte(host))
					if n := port(p.leaf(p.t.Nodes[p.t.Nodes[at].Parent].Parent, "port")); n != 0 {
						f.Port = n
					}
					p.d.Logging.FlowHosts = append(p.d.Logging.FlowHosts, f)
				})
			}
		default:
			p.other("server-profile", k)
		}
	}
}

// eachServer calls f with the statement of every server's address below profile s.
func (p *parser) eachServer(s int32, f func(at int32, host string)) {
	list := p.kid(s, "server")
	for e := p.first(list); e != none; e = p.next(e) {
		for _, w := range [...]string{"ip-address", "address", "host", "server"} {
			if v := p.value(p.kid(e, w)); v != none {
				f(v, clean(p.bytes(v)))
			}
		}
	}
}

// A logUse is which logs are sent to whom.
type logUse struct {
	sent, config, system facts.V[bool]
}

// logSettings reads "log-settings": servers, and which logs are sent to them. What a rule logs goes where its profile says.
func (p *parser) logSettings(n int32) {
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		word := string(p.t.Text(k))
		switch word {
		case "syslog":
			p.okAll(k)
			for s := p.first(k); s != none; s = p.next(s) {
				p.syslogServers(s)
			}
		case "http":
			p.okAll(k)
			for s := p.first(k); s != none; s = p.next(s) {
				p.httpServers(s)
			}
		case "snmptrap", "email":
			p.okAll(k)
		case "system", "config", "userid", "iptag", "globalprotect", "hipmatch", "correlation", "profiles", "traffic", "threat", "auth",
			"gtp", "sctp", "tunnel", "url", "data", "wildfire", "decryption":
			p.okAll(k)
			at := p.sends(k)
			if at == none || p.box != p.lay.box {
				continue
			}
			said := facts.Say(true, p.span(at))
			p.syslog.sent = said
			switch word {
			case "system":
				p.syslog.system = said
			case "config":
				p.syslog.config = said
			}
		default:
			p.other("log-settings", k)
		}
	}
}

// sends is the statement below n that sends logs away, by syslog or to Panorama.
func (p *parser) sends(n int32) int32 {
	for c := p.first(n); c != none; c = p.next(c) {
		v := p.value(c)
		switch string(p.t.Text(c)) {
		case "send-syslog", "using-syslog-setting", "syslog-profile":
			if v != none {
				return c
			}
		case "send-to-panorama":
			if v != none && p.is(v, "yes") {
				return c
			}
		default:
			if at := p.sends(c); at != none {
				return at
			}
		}
	}
	return none
}

func (p *parser) syslogServers(s int32) {
	list := p.kid(s, "server")
	for e := p.first(list); e != none; e = p.next(e) {
		v := p.value(p.kid(e, "server"))
		if v == none {
			continue
		}
		h := facts.LogHost{Host: clean(p.bytes(v)), Scope: p.scope, Transport: "udp", Span: p.span(v)}
		_, h.Addr, _ = prefix(p.bytes(v))
		switch p.leaf(e, "transport") {
		case "TCP":
			h.Transport = "tcp"
		case "SSL":
			h.Transport = "tls"
		}
		h.Port = port(p.leaf(e, "port"))
		p.d.Logging.Hosts = append(p.d.Logging.Hosts, h)
	}
}

// httpServers reads servers that logs are posted to.
func (p *parser) httpServers(s int32) {
	list := p.kid(s, "server")
	for e := p.first(list); e != none; e = p.next(e) {
		v := p.value(p.kid(e, "address"))
		if v == none {
			continue
		}
		c := facts.Client{
			Use: "log-upload", Name: "log-settings http " + p.text(s), Protocol: facts.HTTPS, Host: clean(p.bytes(v)), Automatic: true,
			Enabled: facts.Say(true, p.span(v)), Password: facts.Say(p.kid(e, "password") != none, p.span(v)), Scope: p.scope, Span: p.span(v),
		}
		if p.leaf(e, "protocol") == "HTTP" {
			c.Protocol = facts.HTTP
		}
		_, c.Addr, _ = prefix(p.bytes(v))
		if u := p.value(p.kid(e, "username")); u != none {
			c.User = p.text(u)
		}
		p.d.Clients = append(p.d.Clients, c)
	}
}

// logs states what leaves the system.
func (p *parser) logs() {
	l := &p.d.Logging
	if facts.On(p.syslog.sent) {
		l.Remote = p.syslog.sent
	}
	if facts.On(p.syslog.config) {
		l.ConfigChanges = p.syslog.config
	}
	if facts.On(p.syslog.system) {
		l.Logins = p.syslog.system
	}
}

// defaults states what a whole configuration means by what it does not say. Every log entry has a time and a number
// ("Syslog Field Descriptions", PAN-OS Admin Guide).
func (p *parser) defaults() {
	if !p.whole {
		return
	}
	l := &p.d.Logging
	for _, v := range [...]*facts.V[bool]{&l.Remote, &l.ConfigChanges, &l.CommandAccounting, &l.FlowExport, &l.Logins} {
		if !v.Known() {
			*v = facts.Assume(false)
		}
	}
	if !slices.ContainsFunc(p.d.Services, func(s facts.Service) bool { return s.Role == facts.RoleALG && s.Protocol == facts.FTP }) {
		p.helper(facts.FTP, facts.Assume(true)) // the schema's default: alg-disabled no
	}
	l.Enabled, l.Timestamps, l.Sequence = facts.Assume(true), facts.Assume(true), facts.Assume(true)
}

// leftOver accounts for what stands at the top and nobody read.
func (p *parser) leftOver() {
	var walk func(n int32, depth int)
	walk = func(n int32, depth int) {
		first := p.t.First
		if n != none {
			first = p.first(n)
		}
		for c := first; c != none; c = p.next(c) {
			switch string(p.t.Text(c)) {
			case "config", "response", "result", "devices":
				if depth < maxWrap {
					walk(c, depth+1)
				}
			default:
				if n != none && p.is(n, "devices") {
					walk(c, depth+1)
					continue
				}
				p.other("top", c)
			}
		}
	}
	walk(none, 0)
}

// surface tells what bears on transfers below n, a statement that is irrelevant otherwise: URLs, and servers below the name
// of a protocol. Rules there would be nobody's.
func (p *parser) surface(n int32, name string) {
	for c := p.first(n); c != none; c = p.next(c) {
		w := p.t.Text(c)
		switch string(w) {
		case "ftp", "tftp", "scp", "sftp":
			p.serverBelow(c, name)
		case "rulebase", "pre-rulebase", "post-rulebase":
			p.unsupported(c, "rules in a place where none are known")
		default:
			if len(w) > 7 && strings.Contains(string(w[:min(len(w), 4096)]), "://") {
				p.urlBelow(c, name)
			}
		}
		p.surface(c, name)
	}
}

func (p *parser) urlBelow(c int32, name string) {
	u, ok := copycmd.ParseURL(p.bytes(c))
	if !ok || !moves(u.Protocol) {
		return
	}
	x := facts.Client{Use: "other", Name: name, Enabled: facts.Say(true, p.span(c)), Password: facts.Say(false, p.span(c)), Scope: p.scope, Span: p.span(c)}
	p.fromURL(&x, u, p.bytes(c))
	p.d.Clients = append(p.d.Clients, x)
	p.ok(c)
}

// moves reports whether a protocol is one of files: a page or a list is not told where nothing says what it is for.
func moves(k facts.Protocol) bool {
	switch k {
	case facts.FTP, facts.FTPS, facts.TFTP, facts.SMB, facts.SCP, facts.SFTP, facts.RCP, facts.NFS:
		return true
	case facts.ProtocolUnknown, facts.SmartInstall, facts.HTTP, facts.HTTPS, facts.Telnet, facts.SSH:
	}
	return false
}

func (p *parser) serverBelow(c int32, name string) {
	for _, w := range [...]string{"hostname", "server", "host", "address", "ip-address"} {
		v := p.value(p.kid(c, w))
		if v == none {
			continue
		}
		kind, _ := facts.ParseProtocol(p.text(c))
		x := facts.Client{Use: "other", Name: name, Protocol: kind, Host: clean(p.bytes(v)), Enabled: facts.Say(true, p.span(v)), Scope: p.scope, Span: p.span(v)}
		_, x.Addr, _ = prefix(p.bytes(v))
		p.d.Clients = append(p.d.Clients, x)
		p.okAll(c)
		return
	}
}
