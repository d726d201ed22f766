package asalog

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// fromTo reads messages of the form "<verdict, with the transport> from A/p to [INTERFACE:]B/p": 106001, 106006, 106007,
// 106015, 710002, 710003, 710005.
func (p *parser) fromTo(text []byte, outcome facts.Outcome) bool {
	proto := uint8(0)
	for b := text; proto == 0; {
		var w []byte
		w, b = word(b)
		if len(w) == 0 || string(w) == "from" {
			return true // ICMP, ESP and the like: no ports
		}
		proto = transport(w)
	}
	src, dst, _, ok := fromToEnds(text)
	if !ok {
		return false
	}
	if protocolOf(proto, src, dst) == facts.ProtocolUnknown {
		return true
	}
	t := p.packet(proto, src, dst)
	t.Outcome = outcome
	if outcome == facts.Allowed {
		t.Op = facts.OpSession
	}
	return p.give()
}

// srcDst reads 106023, "Deny tcp src outside:192.0.2.1/80 dst inside:10.0.0.1/8277 by access-group ...", and 106010, "Deny
// inbound tcp src ...". ICMP and numbered protocols have no ports.
func (p *parser) srcDst(text []byte) bool {
	b := text
	if !field.Has(b, "Deny ") {
		return false
	}
	w, b := word(b[len("Deny "):])
	if string(w) == "inbound" {
		w, b = word(b)
	}
	proto := transport(w)
	if proto == 0 {
		return true
	}
	if w, b = word(b); string(w) != "src" {
		return false
	}
	src, b, ok := endpoint(b)
	if !ok {
		return false
	}
	user, b := groups(b)
	if w, b = word(b); string(w) != "dst" {
		return false
	}
	dst, _, ok := endpoint(b)
	if !ok {
		return false
	}
	if protocolOf(proto, src, dst) == facts.ProtocolUnknown {
		return true
	}
	t := p.packet(proto, src, dst)
	t.Outcome, t.User = facts.Denied, field.View(user)
	return p.give()
}

// acl reads 106100, "access-list in denied udp inside/10.0.0.1(1039)(user) -> outside/192.0.2.1(69) hit-cnt 1 ...", and
// 106102 and 106103, "... denied udp for user bob inside/10.0.0.1(1039) -> ...".
func (p *parser) acl(text []byte) bool {
	w, b := word(text)
	if string(w) != "access-list" {
		return false
	}
	_, b = word(b)
	w, b = word(b)
	outcome := facts.Allowed
	switch string(w) {
	case "permitted", "est-allowed":
	case "denied":
		outcome = facts.Denied
	default:
		return false
	}
	w, b = word(b)
	proto := transport(w)
	if proto == 0 {
		return true
	}
	b = field.TrimLeft(b)
	var user []byte
	if field.Has(b, "for user ") {
		user, b = word(b[len("for user "):])
		b = field.TrimLeft(b)
	}
	src, b, ok := parenthesised(b)
	if !ok {
		return false
	}
	named, b := groups(b)
	if user == nil {
		user = named
	}
	if w, b = word(b); string(w) != "->" {
		return false
	}
	dst, _, ok := parenthesised(field.TrimLeft(b))
	if !ok {
		return false
	}
	if protocolOf(proto, src, dst) == facts.ProtocolUnknown {
		return true
	}
	t := p.packet(proto, src, dst)
	t.Outcome, t.User = outcome, field.View(user)
	return p.give()
}
