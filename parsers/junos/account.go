package junos

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
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
	at := map[uint32]int{} // line to its place in Unread: a line is listed once
	p.d.Lines = p.t.Lines(func(i int32, s facts.LineState) {
		n := &p.t.Nodes[i]
		k, have := at[n.Line]
		if !have && len(p.d.Unread) >= facts.MaxUnread || have && p.d.Unread[k].Transfer != "" {
			return
		}
		off, length := p.t.Statement(i)
		u := facts.Unread{
			State: s, Transfer: transferwords.Find(p.t.Source[off : off+length]), Filter: p.filterOf(i), Reason: p.reason(i),
			Span: p.span(i),
		}
		switch {
		case !have:
			at[n.Line] = len(p.d.Unread)
			p.d.Unread = append(p.d.Unread, u)
		case u.Transfer != "":
			p.d.Unread[k] = u
		}
	})
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
