package asalog

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// executedThe reads 111008, "User 'admin' executed the 'copy ...' command."; a command may hold quotes itself.
func (p *parser) executedThe(text []byte) bool {
	user, rest, ok := quotedUser(text)
	if !ok {
		return false
	}
	_, rest, ok = field.Cut(rest, "executed the '")
	if !ok {
		return false
	}
	line, _, ok := field.CutLast(rest, "' command")
	if !ok {
		return false
	}
	p.ran(user, netip.Addr{}, line)
	return true
}

// executedCmd reads 111009, "User 'admin' executed cmd: show running-config".
func (p *parser) executedCmd(text []byte) bool {
	user, rest, ok := quotedUser(text)
	if !ok {
		return false
	}
	_, line, ok := field.Cut(rest, "executed cmd: ")
	if !ok {
		return false
	}
	p.ran(user, netip.Addr{}, line)
	return true
}

// running reads 111010, "User 'admin', running 'CLI' from IP 10.0.0.87, executed 'clear'". 0.0.0.0 is the console.
func (p *parser) running(text []byte) bool {
	user, rest, ok := quotedUser(text)
	if !ok {
		return false
	}
	_, rest, ok = field.Cut(rest, " from IP ")
	if !ok {
		return false
	}
	from, rest, ok := field.Cut(rest, ", executed '")
	if !ok {
		return false
	}
	line := rest
	if i := bytes.LastIndexByte(rest, '\''); i >= 0 {
		line = rest[:i]
	}
	source, _ := field.Addr(from)
	if source.IsUnspecified() {
		source = netip.Addr{}
	}
	p.ran(user, source, line)
	return true
}

// quotedUser reads "User 'admin'" and returns what follows the quote.
func quotedUser(text []byte) (user, rest []byte, ok bool) {
	text, _, _ = bytes.Cut(text, []byte{'\n'})
	if !field.Has(text, "User '") {
		return nil, nil, false
	}
	text = text[len("User '"):]
	i := bytes.IndexByte(text, '\'')
	if i < 0 {
		return nil, nil, false
	}
	return text[:i], text[i+1:], true
}

// ran gives a command, its secrets reported and masked. line is part of the message's body.
func (p *parser) ran(user []byte, source netip.Addr, line []byte) {
	p.secrets = copycmd.Secrets(p.secrets[:0], line)
	for _, x := range p.secrets {
		p.s.Secret(facts.Secret{
			Kind: x.Kind, Storage: x.Storage, Name: x.Name, Span: p.spanOf(line[x.Start:x.End]), Tag: p.s.Tag(line[x.Start:x.End]),
		})
	}
	p.command = facts.Command{
		Time: p.m.Time, User: field.View(user), Source: source, Line: copycmd.Mask(line, p.secrets), Outcome: facts.Allowed, Span: p.m.Span,
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

// configuration reads 111001, 111002 and 111007: "Begin configuration: 10.0.0.1 reading from tftp://...".
func (p *parser) configuration(text []byte) bool {
	_, rest, ok := field.Cut(text, "configuration: ")
	if !ok {
		return false
	}
	source := leadingAddr(rest)
	_, what, ok := field.Cut(rest, " ")
	if !ok {
		return false
	}
	from, reading := bytes.CutPrefix(what, []byte("reading from "))
	where, _ := field.Word(from)
	where = bytes.TrimRight(where, ".")
	if u, isURL := copycmd.ParseURL(where); reading && isURL {
		p.changed("config-from-network", []byte(u.Text), nil, source)
		p.fetched(u)
		return true
	}
	if reading && (string(where) == "net" || string(where) == "tftp") {
		p.changed("config-from-network", where, nil, source)
		return true
	}
	p.changed("config", what, nil, source)
	return true
}

// fetched gives the transfer by which the firewall read its configuration. Its own address is not in the message.
func (p *parser) fetched(u copycmd.URL) {
	if !u.Addr.IsValid() {
		return
	}
	t := p.start()
	t.Server, t.Protocol, t.By, t.Op, t.Outcome = u.Addr, u.Protocol, facts.ByLog, facts.OpGet, facts.Allowed
	t.File = u.Path
	p.s.Transfer(t)
}

// login reads the messages about who logged in; every other message is only a beat.
func (p *parser) login(id uint32, text []byte) bool {
	switch id {
	case 605004, 605005: // Login denied from 10.0.0.1/1024 to inside:10.0.0.2/ssh for user "bob"
		return p.loginFor(text, id == 605005)
	case 109005, 109006: // Authentication failed for user 'bob' from 10.0.0.1/1024 to 192.0.2.1/21 on interface inside
		return p.cutThrough(text, id == 109005)
	case 611101, 611102: // User authentication failed: IP address: 10.0.0.1, Uname: bob
		_, user, ok := field.Cut(text, "Uname: ")
		if !ok {
			return false
		}
		_, from, _ := field.Cut(text, "IP address: ")
		from, _, _ = field.Cut(from, ",")
		p.authenticated(facts.ProtocolUnknown, user, from, id == 611101)
	case 113004, 113005, 113012, 113015: // AAA user authentication Rejected : reason = x : server = y : user = bob : user IP = z
		if field.Index(text, "authentication") < 0 {
			return true // authorization and accounting
		}
		_, user, ok := field.Cut(text, ": user = ")
		if !ok {
			return false
		}
		user, from, _ := field.CutLast(user, ": user IP = ")
		p.authenticated(facts.ProtocolUnknown, field.Trim(user), field.Trim(from), id == 113004 || id == 113012)
	case 113006: // User bob locked out on exceeding 3 successive failed authentication attempts
		user, _, ok := field.CutLast(text, " locked out")
		if !ok || !field.Has(user, "User ") {
			return false
		}
		p.authenticated(facts.ProtocolUnknown, user[len("User "):], nil, false)
	}
	return true
}

func (p *parser) loginFor(text []byte, permitted bool) bool {
	_, rest, ok := field.Cut(text, " from ")
	if !ok {
		return false
	}
	w, rest := field.Word(rest)
	source, _ := slashed(w)
	_, user, ok := field.Cut(rest, ` for user "`)
	if !ok {
		return false
	}
	user, _, _ = field.CutLast(user, `"`)
	p.authFrom(facts.ProtocolUnknown, user, source.addr(), permitted)
	return true
}

// cutThrough reads 109005 and 109006: the firewall authenticated a session through it, whose server port tells the
// protocol.
func (p *parser) cutThrough(text []byte, permitted bool) bool {
	_, rest, ok := field.Cut(text, " for user '")
	if !ok {
		return false
	}
	user, rest, ok := field.Cut(rest, "' from ")
	if !ok {
		return false
	}
	w, rest := field.Word(rest)
	client, _ := slashed(w)
	_, rest, _ = field.Cut(rest, "to ")
	w, _ = field.Word(rest)
	server, _ := slashed(w)
	p.authFrom(facts.ByPort(facts.TCP, server.port), user, client.addr(), permitted)
	return true
}

func (p *parser) authenticated(proto facts.Protocol, user, from []byte, ok bool) {
	source, _ := field.Addr(from)
	p.authFrom(proto, user, source, ok)
}

func (p *parser) authFrom(proto facts.Protocol, user []byte, source netip.Addr, ok bool) {
	outcome := facts.Failed
	if ok {
		outcome = facts.Allowed
	}
	p.auth = facts.Auth{Time: p.m.Time, Protocol: proto, User: field.View(user), Source: source, Outcome: outcome, Span: p.m.Span}
	p.s.Auth(&p.auth)
}
