// Package asalog reads the messages of Cisco ASA and Firepower Threat Defense (and of PIX, FWSM and NGIPS, whose texts
// are the same).
//
// Every message gives a beat of its class, "ASA-302013". A transfer is stated only for the transfer protocols: when a port
// at either end is one of theirs, or when the message itself names the protocol (303002, FTD's ApplicationProtocol). So a
// firewall's everyday connections never reach a trail.
//
// Who opened a connection: 302013 and 302015 say "inbound" (the first end opened it) or "outbound" (the second did; Cisco
// document 116149). 302014 and 302016 do not say; their server is the end with the transfer port, and whoever joins the
// halves, by device, connection id and both ends, takes the build's word. Their bytes are one number for both directions.
// The data channel of FTP is a connection of its own on another port and has no transfer here unless it uses port 20.
// ACL messages (106100) say that a rule let a packet through, not that there was a session: their operation is unknown.
// Addresses are the real ones, before translation. An end that the firewall writes as a name (the names command) has no
// address: such transfers are left out and counted in a note.
//
// Sources: Cisco Secure Firewall ASA Series Syslog Messages; Cisco Secure Firewall Threat Defense Syslog Messages.
package asalog

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// Dialect is the ASA and FTD dialect of syslog.
func Dialect() facts.Dialect {
	return facts.Dialect{
		Name: "asa-syslog", Platform: facts.CiscoASA, Match: match,
		New: func() facts.MessageParser { return &parser{} },
	}
}

func match(m *facts.Message) facts.Confidence {
	if _, n := family(m.Body); n == 0 {
		return facts.No
	}
	return facts.Certain
}

// family reads "%ASA-" and its like and returns the name, without its dash, and the length of both. FDT is how FTD spells
// itself in messages that an administrator's template made; it is in public samples.
func family(b []byte) (name string, n int) {
	if len(b) < 6 || b[0] != '%' {
		return "", 0
	}
	switch string(b[1:5]) {
	case "ASA-":
		return "ASA", 5
	case "FTD-", "FDT-":
		return "FTD", 5
	case "PIX-":
		return "PIX", 5
	case "FWSM":
		if b[5] == '-' {
			return "FWSM", 6
		}
	case "NGIP":
		if field.Has(b[5:], "S-") {
			return "NGIPS", 7
		}
	}
	return "", 0
}

// A parser reads one message at a time; what it holds is only scratch.
type parser struct {
	m        *facts.Message
	s        facts.Sink
	transfer facts.Transfer
	command  facts.Command
	auth     facts.Auth
	change   facts.Change
	beat     facts.Beat
	copy     facts.CommandCopy
	secrets  []copycmd.Secret
	classes  [64]struct { // by message number: the names of the classes seen last
		id     uint32
		family string
		name   [16]byte
		n      int
	}
}

// Message states the facts of one message. It reports false when a message that carries facts could not be read.
func (p *parser) Message(m *facts.Message, s facts.Sink) bool {
	name, n := family(m.Body)
	if n == 0 {
		return false
	}
	p.m, p.s = m, s
	id, text := messageID(m.Body[n:])
	b := &p.beat // every field is set: cheaper than making it new
	b.Time, b.Device, b.Format, b.Platform, b.Class, b.Sequence, b.Span = m.Time, "", "", "", p.className(name, id), m.Seq, m.Span
	s.Beat(b)
	if id == 0 {
		return true
	}
	return p.read(id, text)
}

// messageID reads "6-302013: text" or "session-6-302013: text". The colon is sometimes missing.
func messageID(b []byte) (id uint32, text []byte) {
	if len(b) > 9 && b[1] == '-' && b[8] == ':' && b[9] == ' ' { // as nearly all are written
		if v, n := field.LeadingUint(b[2:8]); n == 6 && b[0]-'0' <= 9 {
			return uint32(v), b[10:]
		}
	}
	for i := 0; i < min(len(b), 24); i++ {
		if b[i] != '-' || i+1 >= len(b) || b[i+1]-'0' > 9 {
			continue
		}
		if i == 0 || b[i-1]-'0' > 9 {
			continue
		}
		v, n := field.LeadingUint(b[i+1:])
		if n == 0 || n > 6 {
			return 0, nil
		}
		text = b[i+1+n:]
		if len(text) > 0 && text[0] == ':' {
			text = text[1:]
		}
		return uint32(v), field.TrimLeft(text)
	}
	return 0, nil
}

// className is "ASA-302013", in scratch that lives until the next message.
func (p *parser) className(family string, id uint32) string {
	c := &p.classes[id%64]
	if c.id != id || c.family != family {
		c.id, c.family = id, family
		b := append(append(c.name[:0], family...), '-')
		for scale := uint32(100_000); scale > 0; scale /= 10 {
			b = append(b, byte('0'+id/scale%10))
		}
		c.n = len(b)
	}
	return field.View(c.name[:c.n])
}

func (p *parser) read(id uint32, text []byte) bool {
	switch id {
	case 302013, 302015, 302303:
		return p.built(text)
	case 302014, 302016, 302304:
		return p.teardown(text)
	case 303002:
		return p.ftpFile(text)
	case 303003, 303004, 303005:
		return p.ftpRefused(text)
	case 106001, 106006, 106007:
		return p.fromTo(text, facts.Denied)
	case 106015:
		// A packet of no connection, most often the rest of one that timed out: nobody tried to open anything.
		return p.fromTo(text, facts.Failed)
	case 106010, 106023:
		return p.srcDst(text)
	case 106100, 106102, 106103:
		return p.acl(text)
	case 710002:
		return p.fromTo(text, facts.Allowed)
	case 710003, 710005:
		return p.fromTo(text, facts.Denied)
	case 430002, 430003:
		return p.connectionEvent(id, text)
	case 430004, 430005:
		return p.fileEvent(text)
	case 111008:
		return p.executedThe(text)
	case 111009:
		return p.executedCmd(text)
	case 111010:
		return p.running(text)
	case 111001, 111002, 111007:
		return p.configuration(text)
	case 111003:
		p.changed("config", []byte("erase"), nil, leadingAddr(text))
		return true
	case 111005:
		p.changed("config", []byte("end"), nil, leadingAddr(text))
		return true
	case 199002:
		p.changed("restart", nil, nil, netip.Addr{})
		return true
	}
	return p.login(id, text)
}

// changed gives a change.
func (p *parser) changed(what string, subject, user []byte, source netip.Addr) {
	p.change = facts.Change{Time: p.m.Time, What: what, Subject: field.View(subject), User: field.View(user), Source: source, Span: p.m.Span}
	p.s.Change(&p.change)
}

// leadingAddr is the address a text begins with; none for "console".
func leadingAddr(text []byte) netip.Addr {
	w, _ := field.Word(text)
	a, _ := field.Addr(w)
	return a
}

// noAddress notes a transfer whose ends have names for addresses.
func (p *parser) noAddress() bool {
	p.s.Note(facts.Note{
		Kind: facts.NoteUnread, Span: p.m.Span, Message: "transfers between ends that the firewall writes as names were left out",
		Hint: "no names on the firewall, or a policy that says whose addresses they are",
	})
	return true
}
