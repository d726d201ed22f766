package asalog

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A peer is one end as a message writes it. The address is read only when the ports make it a transfer's.
type peer struct {
	where  []byte // an address or a name
	behind bool   // an interface and a colon are before it
	port   uint16
	has    bool // a port was there
}

// addr is the peer's address; invalid when the message has a name.
func (p peer) addr() netip.Addr {
	w := p.where
	if p.behind {
		w = w[bytes.IndexByte(w, ':')+1:]
	}
	a, _ := field.Addr(w)
	return a
}

// word splits b at its first blank; rest has no blank before it.
func word(b []byte) (w, rest []byte) {
	for len(b) > 0 && b[0] == ' ' {
		b = b[1:]
	}
	i := bytes.IndexByte(b, ' ')
	if i < 0 {
		return b, nil
	}
	w, rest = b[:i], b[i+1:]
	for len(rest) > 0 && rest[0] == ' ' {
		rest = rest[1:]
	}
	return w, rest
}

// endWord is word, but ends before a parenthesis too: "10.0.0.1/1024(LOCAL\bob)".
func endWord(b []byte) (w, rest []byte) {
	w, rest = word(b)
	if i := bytes.IndexByte(w, '('); i > 0 {
		at := cap(b) - cap(w) + i
		return w[:i], b[at:]
	}
	return w, rest
}

// portNames are the names the firewall writes for transfer ports (ASA: TCP and UDP port literals).
func portNumber(b []byte) (uint16, bool) {
	if p, ok := field.Port(b); ok || len(b) == 0 || b[0]-'0' <= 9 {
		return p, ok
	}
	switch string(b) {
	case "ftp":
		return 21, true
	case "ftp-data":
		return 20, true
	case "tftp":
		return 69, true
	case "netbios-ns":
		return 137, true
	case "netbios-dgm":
		return 138, true
	case "netbios-ssn":
		return 139, true
	case "cifs", "microsoft-ds":
		return 445, true
	}
	return 0, true // another service: not a transfer's
}

// slashed reads ADDRESS/PORT; the address may be IPv6 or a name. ok is false when there is no port.
func slashed(b []byte) (peer, bool) {
	i := bytes.LastIndexByte(b, '/')
	if i < 0 {
		return peer{where: b}, false
	}
	p := peer{where: b[:i]}
	p.port, p.has = portNumber(b[i+1:])
	return p, p.has
}

// identity is the one interface name with blanks: the firewall itself, in older releases.
const identity = "NP Identity Ifc:"

// endpoint reads INTERFACE:ADDRESS/PORT up to a blank or a parenthesis, and returns what follows. Most of a firewall's log
// goes through it only to see that the port is no transfer's, so it reads the port first and the rest when asked.
func endpoint(b []byte) (p peer, rest []byte, ok bool) {
	p.behind = true
	if field.Has(b, identity) {
		b, p.behind = b[len(identity):], false
	}
	end := bytes.IndexByte(b, ' ')
	if end < 0 {
		end = len(b)
	}
	if end > 0 && b[end-1] == ')' { // 10.0.0.1/1024(LOCAL\bob)
		if i := bytes.IndexByte(b[:end], '('); i > 0 {
			end = i
		}
	}
	slash, port, scale := end-1, 0, 1
	for ; slash >= 0 && b[slash]-'0' <= 9 && scale < 1_000_000; slash-- {
		port += int(b[slash]-'0') * scale
		scale *= 10
	}
	if slash < 0 || b[slash] != '/' || scale == 1 { // a port's name
		if slash = bytes.LastIndexByte(b[:end], '/'); slash < 0 {
			return peer{}, nil, false
		}
		p.port, p.has = portNumber(b[slash+1 : end])
	} else {
		p.port, p.has = uint16(port), port <= 65535
	}
	p.where = b[:slash]
	return p, b[end:], p.has
}

// onInterface reads INTERFACE:ADDRESS/PORT. A colon separates the interface and is part of IPv6 too.
func onInterface(b []byte) (peer, bool) {
	p, ok := slashed(b)
	p.behind = true
	return p, ok
}

// parenthesised reads INTERFACE/ADDRESS(PORT), what follows the port left over.
func parenthesised(b []byte) (p peer, rest []byte, ok bool) {
	open := bytes.IndexByte(b, '(')
	if open < 0 {
		return peer{}, nil, false
	}
	p.where = b[:open]
	if i := bytes.LastIndexByte(p.where, '/'); i >= 0 {
		p.where = p.where[i+1:]
	}
	closing := bytes.IndexByte(b[open:], ')')
	if closing < 0 {
		return peer{}, nil, false
	}
	p.port, p.has = portNumber(b[open+1 : open+closing])
	return p, b[open+closing+1:], p.has
}

// groups skips "(...)" groups and returns the user one of them names: a group that is no address with a port.
func groups(b []byte) (user, rest []byte) {
	for {
		for len(b) > 0 && b[0] == ' ' {
			b = b[1:]
		}
		if len(b) == 0 || b[0] != '(' {
			return user, b
		}
		closing := bytes.IndexByte(b, ')')
		if closing < 0 {
			return user, b
		}
		if inner := b[1:closing]; bytes.IndexByte(inner, '/') < 0 || bytes.IndexByte(inner, '\\') >= 0 {
			user = inner
		}
		b = b[closing+1:]
	}
}

// transport reads "tcp" or "TCP", "udp" or "UDP"; 0 for others, whose ports mean nothing here.
func transport(b []byte) uint8 {
	switch {
	case field.EqualFold(b, "tcp"):
		return facts.TCP
	case field.EqualFold(b, "udp"):
		return facts.UDP
	}
	return 0
}

// start resets the transfer for one message.
func (p *parser) start() *facts.Transfer {
	t := &p.transfer
	*t = facts.Transfer{
		Time: p.m.Time, Out: facts.Absent, In: facts.Absent, Total: facts.Absent, Duration: -1, Span: p.m.Span,
	}
	return t
}

// protocolOf is what the ports of a session suggest, by the server's first. A session from port 20 is the data channel of
// active FTP (RFC 959 3.3).
func protocolOf(transport uint8, client, server peer) facts.Protocol {
	if p := facts.ByPort(transport, server.port); p != facts.ProtocolUnknown {
		return p
	}
	return facts.ByPort(transport, client.port)
}

// session begins the transfer of a session whose opener is known.
func (p *parser) session(transport uint8, client, server peer) *facts.Transfer {
	t := p.start()
	t.Transport = transport
	t.PortProtocol, t.Protocol = facts.ByPort(transport, server.port), protocolOf(transport, client, server)
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

// give hands the transfer out when both ends have addresses.
func (p *parser) give() bool {
	t := &p.transfer
	if !t.Client.IsValid() || !t.Server.IsValid() {
		return p.noAddress()
	}
	p.s.Transfer(t)
	return true
}
