package junos

import (
	"fmt"

	"github.com/quaymaster/quaymaster/facts"
)

// globalPolicy is the filter made of "security policies global".
const globalPolicy = "global policies"

func pairName(from, to string) string { return "from-zone " + from + " to-zone " + to }

// policies reads "security policies": for two zones their own first, then the global ones, then the default ("Security
// Policies Overview").
func (p *parser) policies(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	zoning := p.d.Zoning.Model == facts.Zones
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "from-zone":
			p.ok(c)
			for from := p.first(c); from != none; from = p.next(from) {
				p.ok(from)
				to := p.kid(from, "to-zone")
				p.ok(to)
				for z := p.first(to); z != none; z = p.next(z) {
					p.pair(from, z, zoning)
				}
			}
		case "global":
			p.ok(c)
		case "default-policy":
			p.okAll(c)
			if v := p.value(c); v != none && p.is(v, "permit-all") && zoning && p.scope == "" {
				p.d.Zoning.IntraZone, p.d.Zoning.InterZone = facts.Permit, facts.Permit
			}
		default:
			p.other("security policies", c)
		}
	}
	if g := p.kid(n, "global"); g != none {
		p.globals(g, zoning)
	}
	p.predefined()
}

// side is a zone's name as zone pairs spell it.
func (p *parser) side(n int32) string {
	if p.is(n, "junos-host") {
		return selfZone
	}
	return p.zoneName(p.text(n))
}

// pair reads the policies from one zone to another.
func (p *parser) pair(from, to int32, zoning bool) {
	p.ok(to)
	f := facts.Filter{
		Name: pairName(p.text(from), p.text(to)), Scope: p.scope, Kind: "security policy", Default: facts.Next, Stateful: true,
		Span: p.span(to),
	}
	f.Rules = p.policyRules(to, nil)
	p.ofSystem(&f)
	p.d.Filters = append(p.d.Filters, f)
	if zoning {
		p.d.Zoning.Pairs = append(p.d.Zoning.Pairs, facts.ZonePair{
			From: p.side(from), To: p.side(to), Filters: []string{f.Name}, Span: f.Span,
		})
	}
}

// ofSystem gives a logical system's policies a name among the device's. Its zones decide like the device's own, but the
// books their addresses come from are not modelled.
func (p *parser) ofSystem(f *facts.Filter) {
	if p.scope != "" {
		f.Name, f.Scope = p.scope+" "+f.Name, ""
		f.Unread = "addresses of a logical system's policies are not modelled"
	}
}

// A reach is the zones a global policy names; empty is every one.
type reach struct{ from, to []string }

// globals reads "global": policies for every pair of zones, unless they name some.
func (p *parser) globals(g int32, zoning bool) {
	p.ok(g)
	f := facts.Filter{
		Name: globalPolicy, Scope: p.scope, Kind: "security policy global", Default: facts.Next, Stateful: true, Span: p.span(g),
	}
	var reaches []reach
	f.Rules = p.policyRules(g, &reaches)
	p.ofSystem(&f)
	p.d.Filters = append(p.d.Filters, f)
	if !zoning {
		return
	}
	narrow := p.scope != "" // of a logical system: its zones only
	for _, r := range reaches {
		narrow = narrow || len(r.from) > 0 || len(r.to) > 0
	}
	if !narrow {
		p.d.Zoning.Global = append(p.d.Zoning.Global, f.Name)
		return
	}
	p.globalPairs(&f, reaches)
}

// maxGlobalRules bounds the rules made when global policies that name zones are written out for every pair of them.
const maxGlobalRules = 200_000

// globalPairs writes global policies out for every two zones, because only some of them are about each.
func (p *parser) globalPairs(f *facts.Filter, reaches []reach) {
	var names []string
	for _, z := range p.zoneOrder {
		names = append(names, z.name)
	}
	if n := len(names) * len(names) * len(f.Rules); n == 0 || n > maxGlobalRules {
		p.d.Filters[len(p.d.Filters)-1].Unread = "global policies that name zones, of no zones or too many"
		p.d.Zoning.Global = append(p.d.Zoning.Global, f.Name)
		return
	}
	p.d.Filters = p.d.Filters[:len(p.d.Filters)-1] // those of the pairs take its place
	for _, from := range names {
		for _, to := range names {
			one := *f
			one.Name = fmt.Sprintf("%s %s", f.Name, pairName(from, to))
			one.Synthetic = true
			one.Rules = nil
			for i := range f.Rules {
				if in(reaches[i].from, from) && in(reaches[i].to, to) {
					one.Rules = append(one.Rules, f.Rules[i])
				}
			}
			if len(one.Rules) == 0 {
				continue
			}
			p.d.Filters = append(p.d.Filters, one)
			p.d.Zoning.Pairs = append(p.d.Zoning.Pairs, facts.ZonePair{From: from, To: to, Filters: []string{one.Name}, Span: f.Span})
		}
	}
}

func in(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return len(list) == 0
}

// policyRules reads the policies below n. With reaches, the zones each names are added there.
func (p *parser) policyRules(n int32, reaches *[]reach) []facts.Rule {
	var out []facts.Rule
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		if !p.is(c, "policy") {
			if !p.off(c) && !p.applies(c) {
				p.other("security policies *", c)
			}
			continue
		}
		p.ok(c)
		for k := p.t.Nodes[c].First; k != none; k = p.t.Nodes[k].Next {
			var r reach
			out = append(out, p.policy(k, p.off(c) || p.off(k), &r))
			if reaches != nil {
				*reaches = append(*reaches, r)
			}
		}
	}
	return out
}

// policy reads one policy. Without an action a policy cannot be committed, so one decides nothing known.
func (p *parser) policy(n int32, off bool, zones *reach) facts.Rule {
	p.ok(n)
	r := facts.Rule{Name: p.text(n), Remark: p.remark(n), Span: p.span(n)}
	if off {
		r.Inactive = facts.Say(true, p.offSpan(n))
	}
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "match":
			p.ok(c)
			var read func(int32)
			read = func(k int32) {
				p.ok(k)
				if !p.policyMatch(k, &r.Match, zones) && !p.applies(k) {
					r.Match.Unread = append(r.Match.Unread, p.statementText(k))
					p.unsupported(k, "a condition that is not modelled")
				}
				p.chained(k, read)
			}
			for k := p.first(c); k != none; k = p.next(k) {
				read(k)
			}
		case "then":
			p.policyThen(c, &r)
		case "description":
			p.okAll(c)
			if v := p.value(c); v != none && r.Remark == "" {
				r.Remark = clean(p.bytes(v))
			}
		case "scheduler-name":
			p.okAll(c)
			if v := p.value(c); v != none {
				r.Times = p.schedule(v)
			}
		default:
			if !p.applies(c) {
				r.Match.Unread = append(r.Match.Unread, p.text(c))
			}
		}
	}
	return r
}

// policyMatch reads one condition of a policy.
func (p *parser) policyMatch(k int32, m *facts.Match, zones *reach) bool {
	switch string(p.bytes(k)) {
	case "source-address":
		p.policyAddrs(k, &m.Src)
	case "destination-address":
		p.policyAddrs(k, &m.Dst)
	case "source-address-excluded":
		m.Src.Not = true
	case "destination-address-excluded":
		m.Dst.Not = true
	case "application":
		p.policyApps(k, m)
	case "from-zone":
		for v := p.first(k); v != none; v = p.next(v) {
			p.okAll(v)
			if !p.is(v, "any") {
				zones.from = append(zones.from, p.side(v))
			}
		}
	case "to-zone":
		for v := p.first(k); v != none; v = p.next(v) {
			p.okAll(v)
			if !p.is(v, "any") {
				zones.to = append(zones.to, p.side(v))
			}
		}
	case "dynamic-application":
		for v := p.first(k); v != none; v = p.next(v) {
			p.okAll(v)
			if p.is(v, "any") || p.is(v, "none") {
				m.Apps = nil
				return true
			}
			m.Apps = append(m.Apps, p.text(v))
		}
	case "source-identity", "source-end-user-profile", "url-category", "source-l3vpn-vrf-group", "destination-l3vpn-vrf-group":
		v := p.value(k)
		if v != none && p.is(v, "any") {
			p.okAll(k)
			return true
		}
		return false
	default:
		return false
	}
	return true
}

// policyAddrs reads names of address books; any stands for every address.
func (p *parser) policyAddrs(k int32, a *facts.Addrs) {
	a.Present = true
	for v := p.first(k); v != none; v = p.next(v) {
		p.okAll(v)
		item := facts.AddrItem{Span: p.span(v)}
		switch string(p.bytes(v)) {
		case "any":
			item.Any = true
		case "any-ipv4":
			item.Any, item.Family = true, facts.IPv4
		case "any-ipv6":
			item.Any, item.Family = true, facts.IPv6
		default:
			item.Group = p.text(v)
		}
		a.Items = append(a.Items, item)
	}
}

// policyApps reads names of applications and sets. any among them is every application.
func (p *parser) policyApps(k int32, m *facts.Match) {
	m.HasServices = true
	for v := p.first(k); v != none; v = p.next(v) {
		p.okAll(v)
		if p.is(v, "any") {
			m.HasServices, m.Services = false, nil
			for ; v != none; v = p.next(v) {
				p.okAll(v)
			}
			return
		}
		m.Services = append(m.Services, facts.ServiceItem{Group: p.text(v), Span: p.span(v)})
	}
}

// policyThen reads a policy's action. What a permitted session is put through besides (a tunnel, inspection) may still
// stop it; only authentication of the user changes who gets through.
func (p *parser) policyThen(n int32, r *facts.Rule) {
	p.ok(n)
	var end facts.V[facts.Action]
	say := func(a facts.Action, k int32) {
		if end.Origin == facts.Unknown || !p.inherited(k) {
			end = facts.Say(a, p.span(k))
		}
	}
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "permit":
			say(facts.Permit, c)
			p.okAll(c)
			if a := p.kid(c, "firewall-authentication"); a != none {
				r.Match.Unread = append(r.Match.Unread, "then permit firewall-authentication")
				p.unsupported(a, "only users who authenticated pass")
			}
		case "deny", "reject":
			say(facts.Deny, c)
			p.okAll(c)
		case "log":
			r.Log = facts.Say(true, p.span(c))
			p.okAll(c)
		case "count":
			p.okAll(c)
		default:
			if !p.applies(c) {
				r.Match.Unread = append(r.Match.Unread, "then "+p.text(c))
			}
		}
	}
	r.Action = end.Val
}
