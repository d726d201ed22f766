package nftables

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// state states the filters, groups and bindings of the tables.
func (p *parser) state() {
	var bases []*chain
	for _, t := range p.tables {
		t.fills()
		for i := 0; i < len(t.chains); i++ { // rules may add chains without a name
			c := t.chains[i]
			p.filter(c)
			if c.hook != "" && !t.dormant {
				bases = append(bases, c)
			}
		}
	}
	slices.SortStableFunc(bases, func(a, b *chain) int { return a.priority - b.priority })
	drops := p.droppers()
	for _, hook := range [...]string{"ingress", "prerouting", "input", "forward", "output", "postrouting", "egress"} {
		for _, c := range bases {
			if c.hook == hook {
				p.bind(c, drops[c.name])
			}
		}
	}
}

// fills finds the sets that rules change.
func (t *table) fills() {
	for _, c := range t.chains {
		for _, words := range c.rules {
			for i := 1; i < len(words); i++ {
				name, isSet := strings.CutPrefix(words[i].text, "@")
				if s := t.find(name); isSet && s != nil && slices.Contains([]string{"add", "update", "delete", "set"}, words[i-1].text) {
					s.filled = true
				}
			}
		}
	}
}

// filter states a chain.
func (p *parser) filter(c *chain) {
	f := facts.Filter{Name: c.name, Kind: "nftables chain", Family: c.t.fam.of(), Default: c.policy}
	if c.to > 0 {
		f.Span = p.span(c.from, c.to)
	}
	if c.end.to > 0 {
		f.End = p.span(c.end.from, c.end.to)
	}
	for _, words := range c.rules {
		p.rule(&f, c, words)
	}
	for _, at := range slices.Concat(c.t.opaque, p.opaque) {
		f.Rules = append(f.Rules, facts.Rule{
			Action: facts.ActionUnknown, Match: facts.Match{Unread: []string{"what the file includes or removes"}}, Span: at,
		})
	}
	p.d.Filters = append(p.d.Filters, f)
}

// droppers are the chains that may decide against a packet, by themselves or by one that they ask.
func (p *parser) droppers() map[string]bool {
	drops, askers := map[string]bool{}, map[string][]string{}
	var work []string
	for i := range p.d.Filters {
		f := &p.d.Filters[i]
		bad := f.Default == facts.Deny || f.Default == facts.ActionUnknown
		for k := range f.Rules {
			r := &f.Rules[k]
			bad = bad || r.Action == facts.Deny || r.Action == facts.ActionUnknown
			if r.To != "" {
				askers[r.To] = append(askers[r.To], f.Name)
			}
		}
		if bad {
			drops[f.Name] = true
			work = append(work, f.Name)
		}
	}
	for len(work) > 0 {
		name := work[len(work)-1]
		work = work[:len(work)-1]
		for _, a := range askers[name] {
			if !drops[a] {
				drops[a] = true
				work = append(work, a)
			}
		}
	}
	return drops
}

// bind applies a base chain where packets meet it (nft(8), ADDRESS FAMILIES).
func (p *parser) bind(c *chain, drops bool) {
	at := p.span(c.from, max(c.from, c.to))
	if c.t.fam == famARP || c.t.fam == famBridge {
		p.refer(c, at)
		return
	}
	always := c.typ == "filter" && (c.hook == "input" || c.hook == "forward" || c.hook == "output")
	if !always && !drops {
		p.refer(c, at)
		return
	}
	add := func(where string, dir facts.Direction) {
		p.d.Bindings = append(p.d.Bindings, facts.Binding{
			Filters: []string{c.name}, Family: c.t.fam.of(), Where: where, Direction: dir, Span: at, Undefined: facts.Permit,
		})
	}
	switch c.hook {
	case "prerouting":
		add(facts.WhereTransit, facts.In)
		add(facts.WhereControlPlane, facts.In)
	case "input":
		add(facts.WhereControlPlane, facts.In)
	case "forward":
		add(facts.WhereTransit, facts.In)
	case "output":
		add(facts.WhereControlPlane, facts.Out)
	case "postrouting":
		add(facts.WhereTransit, facts.In)
		add(facts.WhereControlPlane, facts.Out)
	case "ingress":
		for _, dev := range c.devices {
			add(dev, facts.In)
		}
	case "egress":
		for _, dev := range c.devices {
			add(dev, facts.Out)
		}
	}
}

// refer says that a chain is in use although no routed packet is decided by it.
func (p *parser) refer(c *chain, at evidence.Span) {
	p.d.References = append(p.d.References, facts.Reference{
		Filter: c.name, By: "type " + c.typ + " hook " + c.hook + " of family " + familyName(c.t.fam), Span: at,
	})
}

// group states a named set of addresses or ports once, and gives its name among the groups.
func (p *parser) group(t *table, s *set, kind facts.GroupKind) string {
	name := t.label() + "/@" + s.name
	if s.used {
		return name
	}
	s.used = true
	g := facts.Group{Name: name, Kind: kind, Unread: s.unknown(), Span: p.span(s.from, max(s.from, s.to))}
	for _, e := range s.elements {
		from, to := ends(e.key)
		switch it, ok := addrItem(e.key); {
		case kind == facts.PortGroup:
			r, ok := portRange(e.key)
			if !ok {
				g.Unread = "the element " + text(e.key)
				continue
			}
			g.Ports = append(g.Ports, r)
		case ok:
			it.Span = p.span(from, to)
			g.Addrs = append(g.Addrs, it)
		default:
			g.Addrs = append(g.Addrs, facts.AddrItem{Unread: "the element " + text(e.key), Span: p.span(from, to)})
		}
	}
	p.d.Groups = append(p.d.Groups, g)
	return name
}

// unknown says why the members of a set are not known; empty when they are.
func (s *set) unknown() string {
	switch {
	case s.filled:
		return "a set that packets, timeouts or programs fill"
	case len(s.elements) == 0 && !s.constant:
		return "a set whose elements are not told"
	}
	return ""
}
