package panos

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// rulesName is the filter of a scope's security rules, defaultsName that of the two rules that end every list.
const (
	rulesName    = "security rules"
	defaultsName = "default security rules"
)

// A chain is the rulebases of a scope, in the order in which their rules are asked: those Panorama puts before, the
// scope's own, those Panorama puts behind ("Device Group Policies", Panorama Admin Guide).
type chain struct {
	v         *vsys
	bases     []int32
	defaults  [2]int32 // intrazone-default and interzone-default, the nearest of those that replace the predefined ones
	overrides []override
	rules     []facts.Rule
	lists     map[string][]facts.Match // what byApp made, by what it was asked
	key       []byte
}

// policies makes the list of security rules of every virtual system, or of every device group.
func (p *parser) policies() {
	list := append(slices.Clone(p.lay.box.vsyses), p.lay.groups...)
	if len(list) == 0 && p.hasRules(p.lay.box.shared, p.lay.pushed) { // Panorama's shared rules, without a group that has them
		v := &vsys{space: p.lay.top, known: map[string]bool{}, group: p.lay.panorama}
		list = append(list, v)
	}
	for _, v := range list {
		p.policy(v)
	}
	for _, b := range p.lay.boxes[1:] { // a template has zones; whose rules are between them its device groups say
		for _, v := range b.vsyses {
			if v.local = true; p.hasRules(v.roots) {
				p.policy(v)
			}
		}
	}
}

func (p *parser) hasRules(lists ...[]int32) bool {
	for _, l := range lists {
		for _, r := range l {
			if p.at(r, "pre-rulebase") != none || p.at(r, "post-rulebase") != none || p.at(r, "rulebase") != none {
				return true
			}
		}
	}
	return false
}

// chainOf finds the rulebases of v.
func (p *parser) chainOf(v *vsys) *chain {
	c := &chain{v: v, defaults: [2]int32{none, none}}
	var above []*vsys // outermost first
	for k := v.parent; k != nil; k = k.parent {
		above = append(above, k)
	}
	slices.Reverse(above)
	var common [][]int32
	if !v.local {
		common = append(common, p.lay.box.shared, p.lay.pushed)
	}
	for _, k := range above {
		common = append(common, k.roots)
	}
	add := func(roots []int32, word string) {
		for _, r := range roots {
			if n := p.at(r, word); n != none {
				p.ok(n)
				c.bases = append(c.bases, n)
			}
		}
	}
	for _, l := range common {
		add(l, "pre-rulebase")
	}
	add(v.roots, "pre-rulebase")
	add(v.roots, "rulebase")
	add(v.roots, "post-rulebase")
	for _, l := range slices.Backward(common) {
		add(l, "post-rulebase")
	}
	for _, base := range c.bases { // of several the nearest: a rulebase of one's own, then the innermost group's
		rules := p.under(base, "default-security-rules", "rules")
		p.okAll(p.kid(base, "default-security-rules"))
		for i, name := range [...]string{"intrazone-default", "interzone-default"} {
			if n := p.kid(rules, name); n != none && c.defaults[i] == none {
				c.defaults[i] = n
			}
		}
	}
	return c
}

// policy states the list of v.
func (p *parser) policy(v *vsys) {
	c := p.chainOf(v)
	if len(c.bases) == 0 && len(v.zones) == 0 {
		return
	}
	if r, ok := outsiders(v); ok {
		c.rules = append(c.rules, r)
	}
	f := facts.Filter{Name: rulesName, Scope: v.scope, Kind: "security policy", Default: facts.Next, Stateful: true, Span: v.span}
	n := 0
	for _, base := range c.bases {
		n += p.count(p.under(base, "security", "rules"))
	}
	c.rules = slices.Grow(c.rules, n)
	for _, base := range c.bases {
		p.rulebase(base, c)
		if f.Span == v.span {
			f.Span = p.span(base)
		}
	}
	f.Rules = c.rules
	if p.moved {
		f.Unread = "commands move rules"
	}
	end := facts.Filter{
		Name: defaultsName, Scope: v.scope, Kind: "default security policy", Default: facts.Deny, Stateful: true, Synthetic: true,
		Rules: p.ends(c), Span: f.Span,
	}
	for _, rules := range [...][]facts.Rule{f.Rules, end.Rules} { // what no line states is told by the list it belongs to
		for i := range rules {
			if rules[i].Span.IsZero() {
				rules[i].Span = f.Span
			}
		}
	}
	p.d.Filters = append(p.d.Filters, f, end)
	p.d.Bindings = append(p.d.Bindings, facts.Binding{
		Filters: []string{f.Name, end.Name}, Where: facts.WhereTransit, Scope: v.scope, Span: f.Span,
	})
}

// count is how many statements are right below n.
func (p *parser) count(n int32) int {
	k := 0
	for c := p.first(n); c != none; c = p.next(c) {
		k++
	}
	return k
}

// rulebase reads one rulebase. Overrides come first: they say what application the packets are that security rules see.
func (p *parser) rulebase(base int32, c *chain) {
	for k := p.first(base); k != none; k = p.next(k) {
		if p.is(k, "application-override") {
			p.overrideRules(k, c)
		}
	}
	for k := p.first(base); k != none; k = p.next(k) {
		switch string(p.t.Text(k)) {
		case "security":
			p.ok(k)
			rules := p.kid(k, "rules")
			p.ok(rules)
			for r := p.first(rules); r != none; r = p.next(r) {
				p.securityRule(r, c)
			}
			p.othersOf("rulebase security", k)
		case "nat":
			p.ok(k)
			rules := p.kid(k, "rules")
			p.ok(rules)
			for r := p.first(rules); r != none; r = p.next(r) {
				p.natRule(r, c.v)
			}
		case "application-override", "default-security-rules":
		default:
			p.other("rulebase", k)
		}
	}
}

// outsiders is the rule about interfaces in no zone, from and to which nothing passes ("Security Zone Overview", PAN-OS
// Networking Admin Guide: an interface must be assigned to a zone before it can process traffic). Where a zone leads to
// another virtual system, what leaves by none of this one's is for that one's rules too.
func outsiders(v *vsys) (facts.Rule, bool) {
	if len(v.zones) == 0 || v.group {
		return facts.Rule{}, false
	}
	none := facts.Places{Names: v.zones, Present: true, Not: true}
	r := facts.Rule{Name: "an interface in no zone", Action: facts.Deny}
	if v.outside {
		r.Action = facts.ActionUnknown
		r.Name = "another virtual system"
	}
	r.Match = facts.Match{HasAnyOf: true, AnyOf: []facts.Match{{In: none}, {Out: none}}}
	return r, true
}

// ends are the two rules every list ends with ("Policy Types", PAN-OS Admin Guide: intrazone-default allows, interzone-
// default denies, neither is logged).
func (p *parser) ends(c *chain) []facts.Rule {
	zones := c.v.zones
	if len(zones) == 0 {
		zones = p.zonesOf(c)
	}
	intra := facts.Rule{Name: "intrazone-default", Action: facts.Permit, Log: facts.Assume(false)}
	intra.Match.HasAnyOf = true
	for _, z := range zones {
		one := facts.Places{Names: []string{z}, Present: true}
		intra.Match.AnyOf = append(intra.Match.AnyOf, facts.Match{In: one, Out: one})
	}
	inter := facts.Rule{Name: "interzone-default", Action: facts.Deny, Log: facts.Assume(false)}
	for i, r := range [...]*facts.Rule{&intra, &inter} {
		n := c.defaults[i]
		if n == none {
			continue
		}
		r.Span = p.span(n)
		for k := p.first(n); k != none; k = p.next(k) {
			v := p.value(k)
			switch string(p.t.Text(k)) {
			case "action":
				if v == none {
					continue
				}
				r.Action = actionOf(p.bytes(v))
				if r.Action == facts.ActionUnknown {
					p.unsupported(v, "an action that is not understood")
				}
				r.Span = p.span(v)
			case "log-end", "log-start":
				if v != none && p.is(v, "yes") {
					r.Log = facts.Say(true, p.span(v))
				} else if v != none && !facts.On(r.Log) {
					r.Log = facts.Say(false, p.span(v))
				}
			}
		}
	}
	return []facts.Rule{intra, inter}
}

// zonesOf are the zones a chain without any of its own may be between: those its rules name and those of templates, sorted.
func (p *parser) zonesOf(c *chain) []string {
	seen := map[string]bool{}
	if c.v.group {
		for _, b := range p.lay.boxes {
			for _, v := range b.vsyses {
				for _, z := range v.zones {
					seen[z] = true
				}
			}
		}
	}
	var walk func(m *facts.Match)
	walk = func(m *facts.Match) {
		for _, n := range m.In.Names {
			seen[n] = true
		}
		for _, n := range m.Out.Names {
			seen[n] = true
		}
		for i := range m.AnyOf {
			walk(&m.AnyOf[i])
		}
		for i := range m.AllOf {
			walk(&m.AllOf[i])
		}
	}
	for i := range c.rules {
		walk(&c.rules[i].Match)
	}
	var out []string
	for z := range seen {
		out = append(out, z)
	}
	slices.Sort(out)
	return out
}

// actionOf is what a rule does. Dropped and reset sessions are denied ("Security Policy Actions", PAN-OS Admin Guide).
func actionOf(b []byte) facts.Action {
	switch string(b) {
	case "allow":
		return facts.Permit
	case "deny", "drop", "reset-client", "reset-server", "reset-both":
		return facts.Deny
	}
	return facts.ActionUnknown
}
