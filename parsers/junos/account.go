package junos

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// account counts the lines by state and keeps those nobody understood. What is switched off is understood as that.
func (p *parser) account() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Parent >= 0 && p.t.Nodes[n.Parent].Flags&tree.Inactive != 0 { // parents come first
			n.Flags |= tree.Inactive
		}
		if n.Flags&tree.Inactive != 0 && n.State == facts.Unrecognised {
			n.State = facts.Understood
		}
	}
	p.t.Account(p.f, p.d, p.filterOf, func(n int32) string { return p.t.Nearest(p.reasons, n) })
}

// filterOf is the firewall filter or policy n lies in.
func (p *parser) filterOf(n int32) string {
	filter, top := none, n
	for k := n; k >= 0; k = p.t.Nodes[k].Parent {
		if up := p.t.Nodes[k].Parent; up >= 0 && p.is(up, "filter") {
			filter = k
		}
		top = k
	}
	switch {
	case filter != none && p.above(n, "firewall") != none:
		return p.text(filter)
	case p.is(top, "security"):
		if from := p.above(n, "from-zone"); from != none {
			if z := p.above(n, "to-zone"); z != none {
				return pairName(p.childTowards(from, n), p.childTowards(z, n))
			}
		}
		if p.above(n, "policies") != none && p.above(n, "global") != none {
			return globalPolicy
		}
	}
	return ""
}

// childTowards is the word below a on the way to n.
func (p *parser) childTowards(a, n int32) string {
	for k := n; k >= 0; k = p.t.Nodes[k].Parent {
		if p.t.Nodes[k].Parent == a {
			return p.text(k)
		}
	}
	return ""
}
