package junos

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// account counts the statements by state and keeps those nobody understood. What is switched off is understood as that.
func (p *parser) account() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Parent >= 0 && p.t.Nodes[n.Parent].Flags&tree.Inactive != 0 { // parents come first
			n.Flags |= tree.Inactive
		}
		if n.Flags&tree.Inactive != 0 {
			if n.State == facts.Unrecognised {
				n.State = facts.Understood
			}
			continue
		}
		if n.Flags&(tree.Implied|tree.Inherited|tree.Comment) != 0 {
			continue
		}
		if n.State == facts.Understood || n.State == facts.Irrelevant || len(p.d.Unread) >= facts.MaxUnread {
			continue
		}
		off, length := p.t.Statement(int32(i))
		u := facts.Unread{
			State: n.State, Transfer: transferwords.Find(p.t.Source[off : off+length]), Filter: p.filterOf(int32(i)),
			Reason: p.reason(int32(i)), Span: p.span(int32(i)),
		}
		p.d.Unread = append(p.d.Unread, u)
	}
	p.d.Lines = p.t.Count()
}

// reason is why n, or what it lies in, is unsupported.
func (p *parser) reason(n int32) string {
	for ; n >= 0; n = p.t.Nodes[n].Parent {
		if r := p.reasons[n]; r != "" {
			return r
		}
	}
	return ""
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
