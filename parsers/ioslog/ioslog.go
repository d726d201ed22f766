// Package ioslog reads the system messages of Cisco IOS and IOS XE and of their relatives IOS XR, NX-OS and Arista EOS, which
// share the form %FACILITY-severity-MNEMONIC.
//
// Every message gives a beat of its class, "SYS-5-CONFIG_I", with the sender's own number. Transfers come from filters
// that log packets (on transfer ports only; a number of packets is not a volume, and what a rule let through is no
// session: the operation is unknown), from the session records of the IOS firewall, which have bytes for each direction,
// and from configurations read over the network. IOS does not log an exec "copy" by itself: commands come from
// configuration logging, command accounting and event manager applets, and their absence proves nothing.
//
// The address of the device itself is not in its messages: a transfer that it made has a server and no client address.
//
// Sources: Cisco IOS System Message Guide; Cisco NX-OS and IOS XR System Messages References; Arista EOS System Messages.
package ioslog

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// Dialect is the IOS dialect of syslog.
func Dialect() facts.Dialect {
	return facts.Dialect{
		Name: "ios-syslog", Platform: facts.CiscoIOS, Match: match,
		New: func() facts.MessageParser { return &parser{} },
	}
}

// openError is the one text without a facility that matters: a boot or "service config" that asked for a file.
const openError = "%Error opening "

func match(m *facts.Message) facts.Confidence {
	if len(m.Body) == 0 || m.Body[0] != '%' {
		return facts.No
	}
	if c := readClass(m.Body); c.name != nil {
		return facts.Strong // firewalls share the form and are certain
	}
	if field.Has(m.Body, openError) {
		return facts.Strong
	}
	return facts.No
}

// A class is the head of a message: "%SEC-6-IPACCESSLOGP: text".
type class struct {
	name     []byte // SEC-6-IPACCESSLOGP
	facility []byte // SEC
	mnemonic []byte // IPACCESSLOGP
	text     []byte
}

// readClass reads a message's head; its name is nil when there is none.
func readClass(b []byte) class {
	var c class
	for i := 2; i < min(len(b), 80)-3; i++ {
		if b[i] == ' ' || b[i] == ':' {
			return class{}
		}
		if b[i] != '-' || b[i+1]-'0' > 9 || b[i+2] != '-' {
			continue
		}
		end := i + 3
		for end < len(b) && (b[end]-'A' <= 'Z'-'A' || b[end]-'0' <= 9 || b[end] == '_' || b[end] == '-') {
			end++
		}
		c.facility, c.mnemonic, c.name = b[1:i], b[i+3:end], b[1:end]
		c.text = b[end:]
		for len(c.text) > 0 && (c.text[0] == ' ' || c.text[0] == ':') {
			c.text = c.text[1:]
		}
		return c
	}
	return class{}
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
}

// Message states the facts of one message. It reports false when a message that carries facts could not be read.
func (p *parser) Message(m *facts.Message, s facts.Sink) bool {
	p.m, p.s = m, s
	c := readClass(m.Body)
	b := &p.beat // every field is set: cheaper than making it new
	b.Time, b.Device, b.Format, b.Platform, b.Class, b.Sequence, b.Span = m.Time, "", "", "", field.View(c.name), m.Seq, m.Span
	s.Beat(b)
	if c.name == nil {
		return p.openFailed(m.Body)
	}
	switch string(c.mnemonic) {
	case "UPDOWN", "CHANGED", "LINK_UP", "LINK_DOWN": // most of what there is
		return true
	case "IPACCESSLOGP", "ACCESSLOGP", "IPACCESSLOGDP", "ACCESSLOGDP", "IPACCESS":
		return p.accessList(c.text)
	case "ACLLOG_FLOW_INTERVAL", "ACLLOG_NEW_FLOW", "ACLLOG_MAXFLOW_REACHED":
		return p.aclFlow(c.text)
	case "IPACCESSLOGRL", "ACCESSLOGRL":
		s.Note(facts.Note{Kind: facts.NoteInfo, Span: m.Span, Message: "access lists whose logging was rate-limited: packets are missing from the log"})
		return true
	case "SESS_AUDIT_TRAIL":
		return p.auditTrail(c.text)
	case "DROP_PKT":
		return p.dropped(c.text)
	}
	if done, ok := p.configMessage(&c); done {
		return ok
	}
	if done, ok := p.commandMessage(&c); done {
		return ok
	}
	return p.accessMessage(&c)
}

// start resets the transfer for one message.
func (p *parser) start() *facts.Transfer {
	p.transfer = facts.Transfer{
		Time: p.m.Time, Out: facts.Absent, In: facts.Absent, Total: facts.Absent, Duration: -1, Span: p.m.Span,
	}
	return &p.transfer
}

// changed gives a change.
func (p *parser) changed(what string, subject, user []byte, source netip.Addr) {
	p.change = facts.Change{Time: p.m.Time, What: what, Subject: field.View(subject), User: field.View(user), Source: source, Span: p.m.Span}
	p.s.Change(&p.change)
}

// authenticated gives a login attempt.
func (p *parser) authenticated(user []byte, source netip.Addr, ok bool) {
	outcome := facts.Failed
	if ok {
		outcome = facts.Allowed
	}
	p.auth = facts.Auth{Time: p.m.Time, User: field.View(user), Source: source, Outcome: outcome, Span: p.m.Span}
	p.s.Auth(&p.auth)
}

// ran gives a command, its secrets reported and masked. line is part of the message's body.
func (p *parser) ran(user []byte, source netip.Addr, line []byte, outcome facts.Outcome) {
	line, _, _ = bytes.Cut(line, []byte{'\n'})
	line = field.Trim(line)
	line, _ = bytes.CutSuffix(line, []byte(" <cr>"))
	p.secrets = copycmd.Secrets(p.secrets[:0], line)
	for _, x := range p.secrets {
		secret := line[x.Start:x.End]
		p.s.Secret(facts.Secret{Kind: x.Kind, Storage: x.Storage, Name: x.Name, Span: p.spanOf(secret), Tag: p.s.Tag(secret)})
	}
	p.command = facts.Command{
		Time: p.m.Time, User: field.View(user), Source: source, Line: copycmd.Mask(line, p.secrets), Outcome: outcome, Span: p.m.Span,
	}
	var ok bool
	if p.copy, ok = copycmd.Parse(line); ok {
		p.command.Copy = &p.copy
	}
	p.s.Command(&p.command)
}

// spanOf is where b, a part of the message's body, lies in the evidence.
func (p *parser) spanOf(b []byte) evidence.Span {
	return evidence.Span{Pos: p.m.BodyPos + evidence.Pos(cap(p.m.Body)-cap(b)), Len: uint32(len(b))}
}

// fetched gives the transfer by which the device read a configuration. Only an address names the server.
func (p *parser) fetched(u copycmd.URL, outcome facts.Outcome) {
	if !u.Addr.IsValid() {
		return
	}
	t := p.start()
	t.Server, t.Protocol, t.By, t.Op, t.Outcome, t.File = u.Addr, u.Protocol, facts.ByLog, facts.OpGet, outcome, u.Path
	p.s.Transfer(t)
}

// openFailed reads "%Error opening tftp://255.255.255.255/network-confg (Timed out)".
func (p *parser) openFailed(b []byte) bool {
	if !field.Has(b, openError) {
		return false
	}
	w, _ := field.Word(b[len(openError):])
	if u, ok := copycmd.ParseURL(w); ok {
		p.fetched(u, facts.Failed)
	}
	return true
}
