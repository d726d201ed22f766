package asalog

import (
	"bytes"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// built reads 302013 and 302015, "Built inbound TCP connection 9 for outside:192.0.2.1/22 (192.0.2.1/22)(LOCAL\bob) to
// inside:10.1.1.2/53496 (10.1.1.2/53496)", and 302303, "Built TCP state-bypass connection 9 from ... to ...", whose first
// end opened it.
func (p *parser) built(text []byte) bool {
	firstOpened := true
	var rest []byte
	switch {
	case field.Has(text, "Built inbound "):
		rest = text[len("Built inbound "):]
	case field.Has(text, "Built outbound "):
		rest, firstOpened = text[len("Built outbound "):], false
	case field.Has(text, "Built "):
		rest = text[len("Built "):]
	default:
		return false
	}
	w, rest := word(rest)
	proto := transport(w)
	a, b, conn, user, _, ok := ends(rest)
	if !ok || proto == 0 {
		return false
	}
	client, server := a, b
	if !firstOpened {
		client, server = b, a
	}
	if protocolOf(proto, client, server) == facts.ProtocolUnknown {
		return true
	}
	t := p.session(proto, client, server)
	t.Half, t.Conn, t.Op, t.Outcome = facts.Build, conn, facts.OpSession, facts.Allowed
	t.User = field.View(user)
	return p.give()
}

// ends reads "connection 9 for A to B", with what stands in parentheses after each end; rest is what follows. It is on the
// way of most of a firewall's log, so it goes over the text once.
func ends(b []byte) (first, second peer, conn uint64, user, rest []byte, ok bool) {
	if field.Has(b, "state-bypass ") {
		b = b[len("state-bypass "):]
	}
	if !field.Has(b, "connection ") {
		return first, second, 0, nil, nil, false
	}
	b = b[len("connection "):]
	conn, n := field.LeadingUint(b)
	b = b[n:]
	switch {
	case n == 0:
		return first, second, 0, nil, nil, false
	case field.Has(b, " for "):
		b = b[len(" for "):]
	case field.Has(b, " from "):
		b = b[len(" from "):]
	default:
		return first, second, 0, nil, nil, false
	}
	if first, b, ok = endpoint(b); !ok {
		return first, second, 0, nil, nil, false
	}
	user, b = groups(b)
	if !field.Has(b, "to ") { // an older form has the user's name without parentheses
		var name []byte
		if name, b, ok = field.Cut(b, " to "); !ok {
			return first, second, 0, nil, nil, false
		}
		user = name
	} else {
		b = b[len("to "):]
	}
	if second, b, ok = endpoint(b); !ok {
		return first, second, 0, nil, nil, false
	}
	other, b := groups(b)
	if user == nil {
		user = other
	}
	return first, second, conn, user, b, true
}

// teardown reads 302014 and 302016, "Teardown TCP connection 9 for A to B duration 92:24:20 bytes 4671944 TCP FINs".
func (p *parser) teardown(text []byte) bool {
	if !field.Has(text, "Teardown ") {
		return false
	}
	w, rest := word(text[len("Teardown "):])
	proto := transport(w)
	a, b, conn, user, rest, ok := ends(rest)
	if !ok || proto == 0 {
		return false
	}
	client, server := b, a
	if facts.ByPort(proto, a.port) == facts.ProtocolUnknown {
		client, server = a, b
	}
	if protocolOf(proto, client, server) == facts.ProtocolUnknown {
		return true
	}
	t := p.session(proto, client, server)
	t.Half, t.Conn, t.Op, t.Outcome = facts.Teardown, conn, facts.OpSession, facts.Allowed
	t.User = field.View(user)
	_, rest, ok = field.Cut(rest, "duration ")
	if !ok {
		return false
	}
	w, rest = word(rest)
	t.Duration = duration(w)
	w, rest = word(rest)
	if string(w) != "bytes" {
		return false
	}
	w, rest = word(rest)
	n, ok := field.Uint(w)
	if !ok {
		return false
	}
	t.Total = field.Count(n)
	if reason := field.TrimLeft(rest); n == 0 && (field.Has(reason, "SYN Timeout") || field.Has(reason, "TCP Reset")) {
		t.Outcome = facts.Failed // nobody answered, or one end refused
	}
	return p.give()
}

// duration reads hours:minutes:seconds; hours have as many digits as they need. -1 when it is none.
func duration(b []byte) time.Duration {
	h, n := field.LeadingUint(b)
	if n == 0 || len(b) != n+6 || b[n] != ':' || b[n+3] != ':' || h > 1<<20 {
		return -1
	}
	m, ok1 := field.Uint(b[n+1 : n+3])
	s, ok2 := field.Uint(b[n+4:])
	if !ok1 || !ok2 {
		return -1
	}
	return time.Duration(h)*time.Hour + time.Duration(m)*time.Minute + time.Duration(s)*time.Second
}

// ftpFile reads 303002, "FTP connection from inside:10.0.0.1/1024 to outside:192.0.2.1/21, user bob Stored file x". The
// inspection of FTP writes one for each file; the name runs to the end. It says nothing of bytes.
func (p *parser) ftpFile(text []byte) bool {
	text, _, _ = bytes.Cut(text, []byte{'\n'}) // lines that continue the record name no file
	client, server, rest, ok := fromToEnds(text)
	if !ok {
		return false
	}
	t := p.session(facts.TCP, client, server)
	t.Protocol, t.By = facts.FTP, facts.ByDPI
	t.Outcome = facts.Allowed
	_, rest, ok = field.Cut(rest, "user ")
	if !ok {
		return false
	}
	put, stored := field.Index(rest, " Stored file "), " Stored file "
	get, retrieved := field.Index(rest, " Retrieved file "), " Retrieved file "
	switch {
	case put >= 0 && (get < 0 || put < get):
		t.Op, t.User, t.File = facts.OpPut, field.View(rest[:put]), field.View(rest[put+len(stored):])
	case get >= 0:
		t.Op, t.User, t.File = facts.OpGet, field.View(rest[:get]), field.View(rest[get+len(retrieved):])
	default:
		return false
	}
	return p.give()
}

// ftpRefused reads 303003 to 303005: strict FTP inspection ended a connection, "... from A/p to B/p". 303003 may name no
// ends.
func (p *parser) ftpRefused(text []byte) bool {
	client, server, _, ok := fromToEnds(text)
	if !ok {
		return true
	}
	t := p.session(facts.TCP, client, server)
	t.Protocol, t.By = facts.FTP, facts.ByDPI
	t.Op, t.Outcome = facts.OpSession, facts.Denied
	return p.give()
}

// fromToEnds reads "... from [INTERFACE:]A/p to [INTERFACE:]B/p"; rest is what follows B.
func fromToEnds(text []byte) (from, to peer, rest []byte, ok bool) {
	_, b, found := field.Cut(text, " from ")
	if !found {
		return from, to, nil, false
	}
	w, b := endWord(b)
	if from, ok = eitherForm(w); !ok {
		return from, to, nil, false
	}
	_, b = groups(b)
	if !field.Has(b, "to ") {
		return from, to, nil, false
	}
	w, b = endWord(b[len("to "):])
	if n := len(w); n > 0 && (w[n-1] == ',' || w[n-1] == '.') {
		w = w[:n-1]
	}
	to, ok = eitherForm(w)
	return from, to, b, ok
}

// eitherForm reads ADDRESS/PORT with or without an interface before it.
func eitherForm(b []byte) (peer, bool) {
	p, ok := slashed(b)
	if ok && (bytes.IndexByte(p.where, ':') < 0 || p.addr().IsValid()) {
		return p, true
	}
	return onInterface(b)
}
