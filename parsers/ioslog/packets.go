package ioslog

import (
	"bytes"
	"math"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A peer is an address with a port.
type peer struct {
	where []byte
	port  uint16
}

func (p peer) addr() netip.Addr {
	a, _ := field.Addr(p.where)
	return a
}

// parenthesised reads ADDRESS(PORT) and returns what follows.
func parenthesised(b []byte) (p peer, rest []byte, ok bool) {
	open := bytes.IndexByte(b, '(')
	if open < 0 {
		return peer{}, nil, false
	}
	closing := bytes.IndexByte(b[open:], ')')
	if closing < 0 {
		return peer{}, nil, false
	}
	p.where = b[:open]
	p.port, ok = field.Port(b[open+1 : open+closing])
	return p, b[open+closing+1:], ok
}

// coloned reads ADDRESS:PORT; the last colon separates.
func coloned(b []byte) (peer, bool) {
	i := bytes.LastIndexByte(b, ':')
	if i < 0 {
		return peer{}, false
	}
	port, ok := field.Port(b[i+1:])
	return peer{bytes.Trim(b[:i], "[]"), port}, ok
}

// transport reads a protocol's name or number; 0 for those whose ports mean nothing here.
func transport(b []byte) uint8 {
	switch {
	case field.EqualFold(b, "tcp"), string(b) == "6":
		return facts.TCP
	case field.EqualFold(b, "udp"), string(b) == "17":
		return facts.UDP
	}
	return 0
}

// transferPorts reports whether either port is a transfer protocol's.
func transferPorts(transport uint8, a, b peer) bool {
	return facts.ByPort(transport, b.port) != facts.ProtocolUnknown || facts.ByPort(transport, a.port) != facts.ProtocolUnknown
}

// session begins the transfer between a client and a server. A session from port 20 is the data channel of active FTP (RFC
// 959 3.3).
func (p *parser) session(transport uint8, client, server peer) *facts.Transfer {
	t := p.start()
	t.Transport, t.PortProtocol = transport, facts.ByPort(transport, server.port)
	if t.Protocol = t.PortProtocol; t.Protocol == facts.ProtocolUnknown {
		t.Protocol = facts.ByPort(transport, client.port)
	}
	t.Client, t.ClientPort, t.Server, t.ServerPort = client.addr(), client.port, server.addr(), server.port
	return t
}

// packet begins the transfer of a packet: its destination is the server, unless only the source has a transfer port and so
// sends an answer. A packet from port 20 opens a data channel.
func (p *parser) packet(transport uint8, src, dst peer) *facts.Transfer {
	if src.port != 20 && facts.ByPort(transport, dst.port) == facts.ProtocolUnknown && facts.ByPort(transport, src.port) != facts.ProtocolUnknown {
		src, dst = dst, src
	}
	return p.session(transport, src, dst)
}

// give hands the transfer out; false when an end has no address.
func (p *parser) give() bool {
	t := &p.transfer
	if !t.Client.IsValid() || !t.Server.IsValid() {
		return false
	}
	p.s.Transfer(t)
	return true
}

// accessList reads "list 101 denied udp 10.0.0.1(55250) -> 192.0.2.1(69), 1 packet", with the interface and MAC address of
// log-input after the source, and IOS XE's and XR's words before "list" and for the verdict.
func (p *parser) accessList(text []byte) bool {
	if !field.Has(text, "list ") && !field.Has(text, "access-list ") {
		i := field.Index(text, "list ")
		if i < 0 {
			return false
		}
		text = text[i:] // FMANFP: "F0: fman_fp_image: list ..."
	}
	_, b := field.Word(text) // list
	_, b = field.Word(b)     // its name
	w, b := field.Word(b)
	outcome, known := verdict(w)
	if !known { // XR: the number of the entry in parentheses; EOS: the interface
		w, b = field.Word(b)
		if outcome, known = verdict(w); !known {
			return false
		}
	}
	w, b = field.Word(b)
	proto := transport(w)
	if proto == 0 {
		return true
	}
	src, b, ok := parenthesised(field.TrimLeft(b))
	if !ok {
		return false
	}
	_, b, found := field.Cut(b, "-> ")
	if !found {
		return false
	}
	dst, _, ok := parenthesised(field.TrimLeft(b))
	if !ok {
		return false
	}
	if !transferPorts(proto, src, dst) {
		return true
	}
	p.packet(proto, src, dst).Outcome = outcome
	return p.give()
}

// verdict reads what a filter did with a packet.
func verdict(w []byte) (facts.Outcome, bool) {
	switch string(w) {
	case "denied", "deny":
		return facts.Denied, true
	case "permitted", "permit":
		return facts.Allowed, true
	}
	return facts.OutcomeUnknown, false
}

// aclFlow reads NX-OS: "Src IP: 10.0.0.1, Dst IP: 192.0.2.1, Src Port: 1024, Dst Port: 69, ..., Protocol: "UDP"(17), ...".
// The verdict is in newer releases only.
func (p *parser) aclFlow(text []byte) bool {
	var src, dst peer
	src.where, dst.where = after(text, "Src IP: "), after(text, "Dst IP: ")
	sport, okS := field.Port(after(text, "Src Port: "))
	dport, okD := field.Port(after(text, "Dst Port: "))
	if src.where == nil || dst.where == nil || !okS || !okD {
		return src.where == nil && dst.where == nil // a message that has none: the flow table is full
	}
	src.port, dst.port = sport, dport
	proto := after(text, "Protocol: ")
	if len(proto) > 0 && proto[0] == '"' {
		proto, _, _ = bytes.Cut(proto[1:], []byte{'"'})
	}
	tr := transport(proto)
	if tr == 0 || !transferPorts(tr, src, dst) {
		return true
	}
	t := p.packet(tr, src, dst)
	switch action := after(text, "ACL Action: "); {
	case field.HasFold(action, "permit"):
		t.Outcome = facts.Allowed
	case field.HasFold(action, "deny"), field.HasFold(action, "drop"):
		t.Outcome = facts.Denied
	}
	return p.give()
}

// after is the value that key introduces, up to a comma; nil when there is none.
func after(b []byte, key string) []byte {
	_, v, ok := field.Cut(b, key)
	if !ok {
		return nil
	}
	v, _, _ = bytes.Cut(v, []byte{','})
	return field.Trim(v)
}

// auditTrail reads the IOS firewall's "Stop ftp session: initiator (10.0.0.1:1024) sent 22 bytes -- responder
// (192.0.2.1:21) sent 200 bytes", which names the inspected protocol or the transport.
func (p *parser) auditTrail(text []byte) bool {
	_, b, ok := field.Cut(text, "Stop ")
	if !ok {
		return true // SESS_AUDIT_TRAIL_START has a mnemonic of its own; this text has no bytes
	}
	name, b := field.Word(b)
	_, b, ok = field.Cut(b, "initiator (")
	if !ok {
		return false
	}
	from, b, ok := field.Cut(b, ") sent ")
	if !ok {
		return false
	}
	out, n := field.LeadingUint(b)
	_, b, ok = field.Cut(b, "responder (")
	if !ok || n == 0 {
		return false
	}
	to, b, ok := field.Cut(b, ") sent ")
	if !ok {
		return false
	}
	in, n := field.LeadingUint(b)
	client, okC := coloned(from)
	server, okS := coloned(to)
	if n == 0 || !okC || !okS {
		return false
	}
	inspected, known := inspection(name)
	tr := transport(name)
	if tr == 0 {
		tr = facts.TCP
		if inspected == facts.TFTP {
			tr = facts.UDP
		}
	}
	if !known && !transferPorts(tr, client, server) {
		return true
	}
	t := p.session(tr, client, server)
	if known {
		t.Protocol, t.By = inspected, facts.ByDPI
	}
	t.Op, t.Outcome, t.Out, t.In = facts.OpSession, facts.Allowed, field.Count(out), field.Count(in)
	if t.Total = t.Out + t.In; t.Total < 0 {
		t.Total = math.MaxInt64
	}
	return p.give()
}

// inspection is the transfer protocol that an inspection's name says.
func inspection(b []byte) (facts.Protocol, bool) {
	switch string(b) {
	case "ftp":
		return facts.FTP, true
	case "ftps":
		return facts.FTPS, true
	case "tftp":
		return facts.TFTP, true
	case "netbios-ssn", "netbios-ns", "netbios-dgm", "microsoft-ds", "cifs":
		return facts.SMB, true
	}
	return facts.ProtocolUnknown, false
}

// dropped reads the zone firewall's "Dropping tcp session 10.0.0.1:1024 192.0.2.1:21 on zone-pair ..." and "Dropping udp pkt
// 10.0.0.1:1024 => 192.0.2.1:69 ...".
func (p *parser) dropped(text []byte) bool {
	_, b, ok := field.Cut(text, "Dropping ")
	if !ok {
		return false
	}
	w, b := field.Word(b)
	tr := transport(w)
	if known, isKnown := inspection(w); isKnown && tr == 0 {
		if tr = facts.TCP; known == facts.TFTP {
			tr = facts.UDP
		}
	}
	if tr == 0 {
		return true
	}
	_, b = field.Word(b) // session, pkt
	w, b = field.Word(b)
	src, ok := coloned(w)
	if !ok {
		return true
	}
	w, b = field.Word(b)
	if string(w) == "=>" {
		w, _ = field.Word(b)
	}
	dst, ok := coloned(w)
	if !ok || !transferPorts(tr, src, dst) {
		return true
	}
	p.packet(tr, src, dst).Outcome = facts.Denied
	return p.give()
}
