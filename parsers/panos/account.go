package panos

// account counts the lines by state and keeps those nobody understood.
func (p *parser) account() {
	p.t.Account(p.f, p.d, p.filterOf, func(n int32) string { return p.t.Nearest(p.reasons, n) })
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
