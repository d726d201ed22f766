package junos

import (
	"github.com/quaymaster/quaymaster/facts"
)

// applications reads "applications": groups of services that policies name.
func (p *parser) applications(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "application":
			p.ok(c)
			for a := p.first(c); a != none; a = p.next(a) {
				p.application(a)
			}
		case "application-set":
			p.ok(c)
			for a := p.first(c); a != none; a = p.next(a) {
				p.applicationSet(a)
			}
		default:
			p.other("applications", c)
		}
	}
}

func (p *parser) application(n int32) {
	p.ok(n)
	g := facts.Group{Name: p.text(n), Scope: p.scope, Kind: facts.ServiceGroup, Span: p.span(n)}
	p.apps[g.Name] = true
	terms := p.kid(n, "term")
	if terms != none {
		p.ok(terms)
		for t := p.first(terms); t != none; t = p.next(t) {
			p.ok(t)
			g.Services = append(g.Services, p.appTerm(t, t))
		}
	}
	// Statements beside terms are settings, unless they are the application itself.
	if item := p.appTerm(n, n); terms == none || len(item.Protocols) > 0 {
		g.Services = append(g.Services, item)
	}
	p.d.Groups = append(p.d.Groups, g)
}

// appTerm reads protocol, ports and types below n. A term is printed on one line, where each value is followed by the next
// statement ("term a protocol tcp destination-port 21"), and as separate set commands: both are read.
func (p *parser) appTerm(n, at int32) facts.ServiceItem {
	s := facts.ServiceItem{Span: p.span(at)}
	var types appTypes
	p.appStatements(n, &s, &types)
	if types.kind.Origin == facts.Explicit {
		code := int16(-1)
		if types.code.Origin == facts.Explicit {
			code = int16(types.code.Val)
		}
		s.ICMP = append(s.ICMP, facts.ICMPType{Type: types.kind.Val, Code: code})
	}
	return s
}

// appTypes are the ICMP type and code of a term.
type appTypes struct{ kind, code facts.V[uint8] }

func (p *parser) appStatements(n int32, s *facts.ServiceItem, types *appTypes) {
	for c := p.first(n); c != none; c = p.next(c) {
		if p.is(c, "term") {
			continue
		}
		p.appStatement(c, s, types)
		for v := p.first(c); v != none; v = p.next(v) {
			if p.first(v) != none {
				p.appStatements(v, s, types)
			}
		}
	}
}

func (p *parser) appStatement(c int32, s *facts.ServiceItem, types *appTypes) {
	v := p.value(c)
	switch word := string(p.bytes(c)); word {
	case "protocol":
		p.okAll(c)
		for v := p.first(c); v != none; v = p.next(v) {
			if num, ok := protocolNumber(p.bytes(v)); ok {
				s.Protocols = append(s.Protocols, num)
			} else {
				p.appUnread(c, s)
			}
		}
	case "source-port":
		p.appPorts(c, &s.Src, s)
	case "destination-port":
		p.appPorts(c, &s.Dst, s)
	case "icmp-type", "icmp6-type":
		p.okAll(c)
		if v == none {
			return
		}
		num, ok := icmpType(p.bytes(v), word == "icmp6-type")
		if !ok {
			p.appUnread(c, s)
			return
		}
		types.kind = facts.Say(num, p.span(v))
	case "icmp-code", "icmp6-code":
		p.okAll(c)
		if v == none {
			return
		}
		num, ok := icmpCode(p.bytes(v))
		if n, isNum := small(p.bytes(v)); isNum && n <= 255 {
			num, ok = uint8(n), true
		}
		if !ok {
			p.appUnread(c, s)
			return
		}
		types.code = facts.Say(num, p.span(v))
	case "rpc-program-number", "uuid":
		p.okAll(c)
		// The port is agreed upon when the session begins; the port mapper's own is in the application's other terms.
		s.Unread = word
	case "application-protocol", "alg", "inactivity-timeout", "description", "do-not-translate-A-query-to-AAAA-query",
		"do-not-translate-AAAA-query-to-A-query", "ether-type", "ttl-threshold", "snmp-command", "gate-timeout",
		"child-inactivity-timeout", "learn-sip-register", "sip-call-hold-timeout":
		p.okAll(c)
	default:
		if !p.applies(c) {
			s.Unread = word
		}
	}
}

func (p *parser) appUnread(c int32, s *facts.ServiceItem) {
	s.Unread = p.statementText(c)
	p.unsupported(c, "a value that is not understood")
}

func (p *parser) appPorts(c int32, to *facts.Ports, s *facts.ServiceItem) {
	p.okAll(c)
	to.Present = true
	for v := p.first(c); v != none; v = p.next(v) {
		r, ok := portRange(p.bytes(v))
		if !ok {
			p.appUnread(c, s)
			return
		}
		to.Ranges = append(to.Ranges, r)
	}
}

func (p *parser) applicationSet(n int32) {
	p.okAll(n)
	g := facts.Group{Name: p.text(n), Scope: p.scope, Kind: facts.ServiceGroup, Span: p.span(n)}
	p.apps[g.Name] = true
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "application", "application-set":
			for v := p.first(c); v != none; v = p.next(v) {
				g.Members = append(g.Members, p.text(v))
			}
		case "description":
		default:
			if !p.applies(c) {
				g.Unread = "a statement of the set is not understood: " + p.text(c)
			}
		}
	}
	p.d.Groups = append(p.d.Groups, g)
}

// predefined adds the groups of the applications that policies and sets name and the file does not define.
func (p *parser) predefined() {
	var queue []string
	for i := range p.d.Groups {
		if g := &p.d.Groups[i]; g.Kind == facts.ServiceGroup && g.Scope == p.scope && !g.Builtin {
			queue = append(queue, g.Members...)
		}
	}
	for i := range p.d.Filters {
		if f := &p.d.Filters[i]; f.Scope == p.scope {
			for j := range f.Rules {
				for _, s := range f.Rules[j].Match.Services {
					queue = append(queue, s.Group)
				}
			}
		}
	}
	done := map[string]bool{}
	for len(queue) > 0 {
		name := queue[0]
		queue = queue[1:]
		if done[name] || p.apps[name] || name == "" {
			continue
		}
		done[name] = true
		g := facts.Group{Name: name, Scope: p.scope, Kind: facts.ServiceGroup, Builtin: true}
		switch members, services := builtinApp(name); {
		case services != nil:
			g.Services = services
		case members != nil:
			g.Members = members
			queue = append(queue, members...)
		default:
			g.Unread = "the application is not in this evidence"
			g.Builtin = false
		}
		p.d.Groups = append(p.d.Groups, g)
	}
}
