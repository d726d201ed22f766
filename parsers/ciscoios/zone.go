package ciscoios

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// The zone-based firewall: class maps choose traffic, policy maps act on classes in their order, zone pairs apply a policy
// map between two zones (Security configuration guide, zone-based policy firewalls). A policy map becomes a synthetic
// filter; what no class takes is dropped, as is everything between zones without a pair.

// zoneState collects the statements until all are known.
type zoneState struct {
	classes  map[string]*classMap
	policies []*policyMap
	pairs    []zonePair
	used     bool                           // zones are configured
	made     int                            // conditions of all filters
	portMaps map[string][]facts.ServiceItem // of "ip port-map", by application
}

type classMap struct {
	any     bool // match-any
	matches []classMatch
	span    evidence.Span
}

// A classMatch is one "match" line.
type classMatch struct {
	list, protocol, class string
	not                   bool
	unread                string
}

type policyMap struct {
	name    string
	classes []policyClass
	span    evidence.Span
}

type policyClass struct {
	name   string // empty is class-default
	action string // inspect, pass, drop; empty: none stated
	log    bool
	unread string
	span   evidence.Span
}

type zonePair struct {
	from, to, policy string
	span             evidence.Span
}

// zonePolicyName is the name of the filter made of a policy map.
func zonePolicyName(policy string) string { return "policy-map type inspect " + policy }

// zoneStatement reads "zone security NAME".
func (p *parser) zoneStatement(n int32) {
	if !p.is(1, "security") {
		p.skip(n)
		return
	}
	p.zones.used = p.zones.used || !p.negated
	p.okBlock(n)
}

// classInspect reads "class-map type inspect [match-any|match-all] NAME"; any is set by match-any, all is the default.
func (p *parser) classInspect(n int32) {
	if len(p.w) > 5 || len(p.w) == 5 && !p.is(3, "match-any") && !p.is(3, "match-all") {
		p.skip(n) // type inspect http|smtp|...: looks into what the firewall already lets through
		return
	}
	c := &classMap{any: p.is(3, "match-any"), span: p.span(n)}
	name := p.str(p.word(len(p.w) - 1))
	p.ok(n)
	p.children(n, func(k int32) {
		p.ok(k)
		if !p.is(0, "match") {
			return // description
		}
		i, m := 1, classMatch{}
		if p.is(1, "not") {
			m.not, i = true, 2
		}
		switch string(p.word(i)) {
		case "access-group":
			m.list = p.str(p.word(len(p.w) - 1))
		case "protocol":
			m.protocol = p.str(p.word(i + 1))
			if len(p.w) > i+2 {
				m.unread = "match " + p.str(p.rest(k, i))
			}
		case "class-map":
			m.class = p.str(p.word(i + 1))
		default:
			m.unread = "match " + p.str(p.rest(k, i))
			p.unsupported(k, "condition of a firewall class not modelled")
		}
		c.matches = append(c.matches, m)
	})
	if p.zones.classes == nil {
		p.zones.classes = map[string]*classMap{}
	}
	p.zones.classes[name] = c
}

// policyInspect reads "policy-map type inspect NAME" with its classes and their actions.
func (p *parser) policyInspect(n int32) {
	if len(p.w) != 4 {
		p.skip(n) // type inspect http|smtp|...
		return
	}
	pm := &policyMap{name: p.str(p.word(3)), span: p.span(n)}
	p.ok(n)
	p.children(n, func(k int32) {
		if !p.is(0, "class") {
			p.ok(k)
			return
		}
		c := policyClass{span: p.span(k)}
		switch {
		case p.is(1, "type") && p.is(2, "inspect") && len(p.w) == 4:
			c.name = p.str(p.word(3))
		case p.is(1, "class-default"):
		default:
			c.unread = "class " + p.str(p.rest(k, 1))
		}
		p.ok(k)
		p.children(k, func(a int32) {
			p.ok(a)
			switch w := string(p.word(0)); w {
			case "inspect", "pass", "drop":
				c.action, c.log = w, p.is(1, "log")
			case "police", "service-policy", "exit", "description": // how fast; what is looked into
			default:
				c.unread = w
				p.unsupported(a, "action of a firewall class not modelled")
			}
		})
		pm.classes = append(pm.classes, c)
	})
	p.zones.policies = append(p.zones.policies, pm)
}

// zonePairStatement reads "zone-pair security NAME source A destination B" and the policy below it. The zone "default" is
// that of the interfaces that are in none.
func (p *parser) zonePairStatement(n int32) {
	zp := zonePair{span: p.span(n)}
	for i := 2; i+1 < len(p.w); i++ {
		switch string(p.word(i)) {
		case "source":
			zp.from = p.str(p.word(i + 1))
		case "destination":
			zp.to = p.str(p.word(i + 1))
		}
	}
	p.ok(n)
	p.children(n, func(k int32) {
		p.ok(k)
		if p.is(0, "service-policy") {
			zp.policy = p.str(p.word(len(p.w) - 1))
		}
	})
	if !p.negated && zp.from != "" && zp.to != "" {
		p.zones.pairs = append(p.zones.pairs, zp)
	}
	p.zones.used = true
}

// portMap reads "ip port-map APPLICATION [port] tcp|udp [from N to M|N]".
func (p *parser) portMap(n int32) {
	it := facts.ServiceItem{Span: p.span(n)}
	e := 3
	if p.is(3, "port") {
		e++
	}
	switch string(p.word(e)) {
	case "tcp":
		it.Protocols = p.proto(facts.TCP)
	case "udp":
		it.Protocols = p.proto(facts.UDP)
	}
	e++
	from := e
	if p.is(e, "from") {
		from = e + 1
	}
	low, ok := number(p.word(from))
	high := low
	if p.is(from+1, "to") {
		high, _ = number(p.word(from + 2))
	}
	if p.has(e, "list") > 0 {
		it.Unread = "port map for the hosts of a list"
	}
	if !ok || len(it.Protocols) == 0 || low > 65535 || high > 65535 || high < low {
		p.unsupported(n, "port map not understood")
		return
	}
	it.Dst = facts.Ports{Present: true, Ranges: []facts.PortRange{{First: uint16(low), Last: uint16(high)}}}
	p.ok(n)
	if p.zones.portMaps == nil {
		p.zones.portMaps = map[string][]facts.ServiceItem{}
	}
	if name := p.str(p.word(2)); len(p.zones.portMaps[name]) < maxPortMaps {
		p.zones.portMaps[name] = append(p.zones.portMaps[name], it)
	}
}

// maxPortMaps bounds the ports mapped to one application.
const maxPortMaps = 64

// finishZones makes filters of policy maps and states who they stand between.
func (p *parser) finishZones() {
	z := &p.zones
	for i := range p.d.Interfaces {
		z.used = z.used || p.d.Interfaces[i].Zone != ""
	}
	if !z.used {
		return
	}
	// "By default, traffic between interfaces in the same zone is allowed, traffic between zones is blocked, traffic
	// between an interface in a zone and one in none is dropped, and to and from the router (self) is permitted"
	// (zone-based policy firewalls, zones; the last as asserted by Batfish's testIosXeZoneDefaultBehavior).
	d := &p.d.Zoning
	*d = facts.Zoning{
		Model: facts.Zones, IntraZone: facts.Permit, InterZone: facts.Deny, Mixed: facts.Deny, SelfIn: facts.Permit, SelfOut: facts.Permit,
	}
	have := map[string]bool{}
	for _, pm := range z.policies {
		have[pm.name] = true
		p.d.Filters = append(p.d.Filters, p.policyFilter(pm))
	}
	for _, zp := range z.pairs {
		pair := facts.ZonePair{From: zoneName(zp.from), To: zoneName(zp.to), Span: zp.span}
		if zp.policy != "" {
			pair.Filters = []string{zonePolicyName(zp.policy)}
			if !have[zp.policy] {
				have[zp.policy] = true
				p.d.Filters = append(p.d.Filters, facts.Filter{
					Name: zonePolicyName(zp.policy), Kind: "policy-map type inspect", Default: facts.Deny, Synthetic: true, Span: zp.span,
					Unread: "the policy map is not in the evidence",
				})
			}
		}
		d.Pairs = append(d.Pairs, pair)
	}
}

func zoneName(name string) string {
	if name == "default" {
		return ""
	}
	return name
}

func (p *parser) policyFilter(pm *policyMap) facts.Filter {
	f := facts.Filter{
		Name: zonePolicyName(pm.name), Kind: "policy-map type inspect", Default: facts.Deny, Synthetic: true, Span: pm.span,
	}
	for _, c := range pm.classes {
		r := facts.Rule{Name: c.name, Span: c.span}
		switch c.action {
		case "inspect":
			r.Action, f.Stateful = facts.Permit, true
		case "pass":
			r.Action = facts.Permit
		case "drop", "":
			r.Action = facts.Deny
		}
		if c.log {
			r.Log = facts.Say(true, c.span)
		}
		if c.name == "" && c.unread == "" {
			r.Name = "class-default"
		} else if c.unread == "" {
			r.Match = p.classMatch(c.name, 0)
		}
		if c.unread != "" {
			r.Action = facts.ActionUnknown
		}
		f.Rules = append(f.Rules, r)
	}
	return f
}

// maxNested bounds how deep class maps may lie in class maps, maxMatches how many conditions all policies have.
const (
	maxNested  = 8
	maxMatches = 1 << 16
)

// classMatch is what a class map matches.
func (p *parser) classMatch(name string, depth int) facts.Match {
	c := p.zones.classes[name]
	switch {
	case c == nil:
		return facts.Match{Unread: []string{"class map " + name + " is not in the evidence"}}
	case depth > maxNested, p.zones.made > maxMatches:
		return facts.Match{Unread: []string{"class maps nest too deeply"}}
	}
	p.zones.made += len(c.matches)
	var all []facts.Match
	for _, m := range c.matches {
		all = append(all, p.lineMatch(m, depth))
	}
	if c.any {
		return facts.Match{AnyOf: all, HasAnyOf: true}
	}
	if len(all) == 0 {
		return facts.Match{HasAnyOf: true} // a class without conditions takes nothing
	}
	return facts.Match{AllOf: all}
}

func (p *parser) lineMatch(m classMatch, depth int) facts.Match {
	var out facts.Match
	switch {
	case m.unread != "":
		out.Unread = []string{m.unread}
	case m.list != "":
		out.PermittedBy = m.list
	case m.class != "":
		out = p.classMatch(m.class, depth+1)
		if m.not {
			out = facts.Match{AllOf: []facts.Match{out}}
		}
	default:
		out = p.protocolMatch(m.protocol)
	}
	out.Not = m.not
	return out
}

// protocolMatch is what "match protocol X" matches: a transport, or the ports mapped to an application.
func (p *parser) protocolMatch(name string) facts.Match {
	switch name {
	case "tcp":
		return facts.Match{Protocols: p.proto(facts.TCP)}
	case "udp":
		return facts.Match{Protocols: p.proto(facts.UDP)}
	case "icmp":
		return facts.Match{Protocols: []uint8{icmp4, icmp6}}
	}
	var items []facts.ServiceItem
	for _, l := range pamServices[name] {
		items = append(items, facts.ServiceItem{
			Protocols: p.proto(l.Transport), Dst: facts.Ports{Present: true, Ranges: []facts.PortRange{l.Ports}},
		})
	}
	items = append(items, p.zones.portMaps[name]...)
	if len(items) == 0 {
		return facts.Match{Unread: []string{"match protocol " + name}}
	}
	return facts.Match{Services: items, HasServices: true}
}

// okBlock accounts for a statement and all below it as understood.
func (p *parser) okBlock(n int32) { p.t.MarkAll(n, facts.Understood) }

// unsupportedBlock accounts for a statement and all below it.
func (p *parser) unsupportedBlock(n int32, why string) {
	p.t.MarkAll(n, facts.Unsupported)
	p.reasons[n] = why
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		p.reasons[c] = why
	}
}
