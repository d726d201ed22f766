package panos

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// account counts the lines by state and keeps those nobody understood.
func (p *parser) account() {
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

// filterOf is the filter n lies in.
func (p *parser) filterOf(n int32) string {
	security := p.above(n, "security")
	if security == none || p.above(n, "rules") == none {
		return ""
	}
	switch up := p.t.Nodes[security].Parent; {
	case up < 0:
	case p.is(up, "rulebase"), p.is(up, "pre-rulebase"), p.is(up, "post-rulebase"):
		return rulesName
	}
	return ""
}
