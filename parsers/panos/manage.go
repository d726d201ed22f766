package panos

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A profile is an interface-management-profile: what an interface takes for the system itself.
type profile struct {
	in      []string // protocols
	at      []int32  // their statements
	clients []netip.Prefix
	acl     facts.V[string]
	span    evidence.Span
}

// A managing protocol, as a profile and "deviceconfig system service disable-" name it, and whether it is off unless
// stated. The schema's defaults: telnet, http and snmp are disabled on the management interface, https and ssh are not.
type managing struct {
	word     string
	protocol facts.Protocol
	role     facts.ServiceRole
	off      bool
}

// The web interface takes and gives configurations, software and captures; the shell starts copies to and from elsewhere.
var managings = [...]managing{
	{"http", facts.HTTP, facts.RoleServer, true},
	{"https", facts.HTTPS, facts.RoleServer, false},
	{"ssh", facts.SSH, facts.RoleShell, false},
	{"telnet", facts.Telnet, facts.RoleShell, true},
}

// managementProfiles reads "network profiles".
func (p *parser) managementProfiles(n int32) {
	p.ok(n)
	if p.profiles == nil || p.box != p.lay.box {
		p.profiles = map[string]profile{}
	}
	for k := p.first(n); k != none; k = p.next(k) {
		if !p.is(k, "interface-management-profile") {
			p.other("network profiles", k)
			continue
		}
		p.ok(k)
		for m := p.first(k); m != none; m = p.next(m) {
			p.profiles[p.text(m)] = p.managementProfile(m)
		}
	}
}

func (p *parser) managementProfile(m int32) profile {
	p.ok(m)
	out := profile{span: p.span(m)}
	for c := p.first(m); c != none; c = p.next(c) {
		switch word := p.text(c); word {
		case "permitted-ip":
			out.clients, out.acl = p.permitted(c, "permitted-ip of "+p.text(m))
		case "http", "https", "ssh", "telnet", "snmp", "ping", "response-pages", "userid-service", "http-ocsp",
			"userid-syslog-listener-ssl", "userid-syslog-listener-udp":
			p.values(c)
			if v := p.value(c); v != none && p.is(v, "yes") {
				out.in = append(out.in, word)
				out.at = append(out.at, v)
			}
		default:
			p.other("network profiles interface-management-profile", c)
		}
	}
	return out
}

// permitted reads "permitted-ip": the addresses that may connect, and a filter that says so.
func (p *parser) permitted(c int32, name string) ([]netip.Prefix, facts.V[string]) {
	p.okAll(c)
	if p.first(c) == none {
		return nil, facts.V[string]{}
	}
	f := facts.Filter{Name: name, Scope: p.box.scope, Kind: "permitted-ip", Default: facts.Deny, Stateful: true, Synthetic: true, Span: p.span(c)}
	var clients []netip.Prefix
	for v := p.first(c); v != none; v = p.next(v) {
		item := facts.AddrItem{Span: p.span(v)}
		pfx, _, ok := p.netmask(p.bytes(v), p.spaceOf())
		if ok {
			clients = append(clients, pfx)
			item.Prefix = pfx
		} else {
			item.Unread = unresolved(p.text(v))
		}
		r := facts.Rule{Action: facts.Permit, Span: p.span(v)}
		r.Match.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{item}}
		f.Rules = append(f.Rules, r)
	}
	p.d.Filters = append(p.d.Filters, f)
	return clients, facts.Say(name, p.span(c))
}

// managed states what an interface with a profile serves.
func (p *parser) managed(i int, name string) {
	m, ok := p.profiles[name]
	if !ok {
		return
	}
	f := &p.d.Interfaces[i]
	title := "interface-management-profile " + name
	p.d.Access = append(p.d.Access, facts.Access{
		Name: title, In: facts.Say(m.in, m.span), ACL: m.acl, Clients: m.clients, Enabled: facts.Say(true, m.span), Where: f.Name,
		Scope: p.box.scope, Span: m.span,
	})
	for k, word := range m.in {
		for _, s := range managings {
			if s.word == word {
				p.d.Services = append(p.d.Services, facts.Service{
					Protocol: s.protocol, Name: title + " " + word, Role: s.role, Enabled: facts.Say(true, p.span(m.at[k])), Bind: f.Name,
					ACL: m.acl, Scope: p.box.scope, Span: p.span(m.at[k]),
				})
			}
		}
	}
}

// mgtConfig reads "mgt-config": the administrators.
func (p *parser) mgtConfig() {
	for _, n := range p.box.mgt {
		p.ok(n)
		for k := p.first(n); k != none; k = p.next(k) {
			if !p.is(k, "users") {
				p.other("mgt-config", k)
				continue
			}
			p.ok(k)
			for u := p.first(k); u != none; u = p.next(u) {
				p.administrator(u)
			}
		}
	}
}

// administrator reads one. Of the roles that are predefined superuser, deviceadmin and vsysadmin change things,
// the readers do not ("Administrative Role Types", PAN-OS Admin Guide); what a role of the user's own may do is not read.
func (p *parser) administrator(u int32) {
	p.okAll(u)
	a := facts.Account{Name: p.text(u), Scope: p.box.scope, Span: p.span(u)}
	roles := p.under(u, "permissions", "role-based")
	for r := p.first(roles); r != none; r = p.next(r) {
		v := p.value(r)
		a.Role = p.text(r)
		switch a.Role {
		case "superuser", "deviceadmin", "vsysadmin", "panorama-admin":
			if v == none || !p.is(v, "no") {
				a.Admin = facts.Say(true, p.span(r))
			}
		case "superreader", "devicereader", "vsysreader":
			a.Admin = facts.Say(false, p.span(r))
		case "custom":
			if k := p.value(p.kid(r, "profile")); k != none {
				a.Role = "custom " + p.text(k)
			}
		}
	}
	if k := p.value(p.kid(u, "public-key")); k != none {
		a.Keys = 1
		p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "ssh-key", Name: a.Name, Span: p.span(p.kid(u, "public-key"))})
	}
	p.d.Accounts = append(p.d.Accounts, a)
}

// stated is what "disable-" says, by protocol.
type stated map[string]facts.V[bool]

// services states what the management interface serves.
func (p *parser) services(off stated, clients []netip.Prefix, acl facts.V[string]) {
	var in []string
	known := true
	for _, s := range managings {
		on := facts.V[bool]{}
		v, is := off[s.word]
		name := "deviceconfig system service disable-" + s.word
		switch {
		case is:
			on = facts.V[bool]{Val: !v.Val, Origin: v.Origin, Span: v.Span}
		case p.whole && p.box == p.lay.box:
			on = facts.Assume(!s.off)
			name = "deviceconfig system service"
		default:
			known = false
			continue
		}
		if facts.On(on) {
			in = append(in, s.word)
		}
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: s.protocol, Name: name, Role: s.role, Enabled: on, Bind: management, ACL: acl, Scope: p.scoped(management), Span: on.Span,
		})
	}
	a := facts.Access{Name: "deviceconfig system service", ACL: acl, Clients: clients, Where: management, Scope: p.scoped(management)}
	if len(p.box.system) == 0 {
		return
	}
	a.Span = p.span(p.box.system[0])
	switch {
	case len(off) > 0:
		a.In = facts.Say(in, a.Span)
		if !known {
			a.In = facts.V[[]string]{}
		}
	case p.whole && p.box == p.lay.box:
		a.In = facts.Assume(in)
	default:
		return
	}
	a.Enabled = facts.Say(true, a.Span)
	p.d.Access = append(p.d.Access, a)
}

// management is the interface for management, with addresses and a route of its own.
const management = "management"

// scoped is a scope of the box.
func (p *parser) scoped(name string) string {
	if p.box.scope == "" {
		return name
	}
	return p.box.scope + " " + name
}

const day = 24 * time.Hour

// periodOf is how often a schedule recurs ("recurring hourly at 5").
func (p *parser) periodOf(n int32) time.Duration {
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "real-time", "every-min":
			return time.Minute
		case "every-5-mins", "five-minute":
			return 5 * time.Minute
		case "every-15-mins":
			return 15 * time.Minute
		case "every-30-mins":
			return 30 * time.Minute
		case "every-hour", "hourly":
			return time.Hour
		case "daily":
			return day
		case "weekly":
			return 7 * day
		case "monthly":
			return 30 * day
		}
	}
	return 0
}
