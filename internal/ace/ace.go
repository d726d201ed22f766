// Package ace reads the entries of access lists of platforms that write them as IOS does: an action, a protocol, a source
// and a destination with ports, and conditions. What differs between platforms is a [Dialect].
//
// An entry is read whole or not at all: Read reports false for a line with a word it does not know, whose rule then decides
// nobody knows what. Conditions that are known and cannot be told from a packet's header become Match.Unread.
package ace

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// A Dialect is how a platform writes entries. The zero Dialect knows numbers and the names all platforms share.
type Dialect struct {
	// Port is a port by a name that only this platform has; asked before [Port].
	Port func(name string) (uint16, bool)
	// Groups are the words before the name of a group of addresses, PortGroups those before one of ports.
	Groups, PortGroups []string
	// Bare: a name alone may stand for a group of addresses (AOS-CX).
	Bare bool
	// Netmask: the second address is a netmask, not a wildcard ("10.0.0.0/255.0.0.0" always is).
	Netmask bool
	// Either: it may be both, and its form tells; one that could be either is not understood.
	Either bool
	// Takes are options that decide nothing about what matches, with how many words follow them.
	Takes map[string]int
	// Conditions are options that no header answers, with how many words follow them.
	Conditions map[string]int
}

// An Entry is what Read found beside the rule.
type Entry struct {
	TimeRange string
	Log       bool
}

// protocols are names of IP protocols that the platforms print (IANA protocol numbers).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipinip": 4, "tcp": 6, "igp": 9, "igrp": 9, "udp": 17, "rdp": 27, "gre": 47, "nvgre": 47, "esp": 50, "ahp": 51, "ah": 51, "icmpv6": 58,
	"icmp6": 58, "eigrp": 88, "ospf": 89, "ospfigp": 89, "nos": 94, "etherip": 97, "pim": 103, "pcp": 108, "vrrp": 112, "carp": 112, "l2tp": 115, "sctp": 132, "mpls": 137, "udplite": 136,
	"idrp": 45, "rsvp": 46,
}

// A reader is one entry being read: i is the word to read next.
type reader struct {
	d   *Dialect
	w   []string
	i   int
	fam facts.Family
	r   *facts.Rule
	out Entry
}

// Read reads words from the action on into r, which must be zero but for its name, remark and span. standard entries hold a
// source alone. Group names and texts are those of words.
func (d *Dialect) Read(words []string, fam facts.Family, standard bool, r *facts.Rule) (Entry, bool) {
	e := &reader{d: d, w: words, fam: fam, r: r}
	switch e.next() {
	case "permit":
		r.Action = facts.Permit
	case "deny":
		r.Action = facts.Deny
	default:
		return e.out, false
	}
	if standard {
		if e.address(&r.Match.Src, true) && e.options() {
			return e.out, true
		}
		return e.out, false
	}
	if !e.protocol() || !e.end(&r.Match.Src, &r.Match.SrcPorts) || !e.end(&r.Match.Dst, &r.Match.DstPorts) || !e.options() {
		return e.out, false
	}
	return e.out, true
}

// Fail makes r the rule of an entry that was not understood.
func Fail(r *facts.Rule) { r.Action, r.Match, r.Times = facts.ActionUnknown, facts.Match{}, nil }

func (e *reader) word() string {
	if e.i < len(e.w) {
		return e.w[e.i]
	}
	return ""
}

func (e *reader) next() string {
	w := e.word()
	e.i++
	return w
}

// protocol reads a name or number; "ip", "ipv4", "ipv6" and "any" are all of the list's version.
func (e *reader) protocol() bool {
	m := &e.r.Match
	switch w := e.next(); w {
	case "ip", "ipv4", "any":
	case "ipv6":
		if e.fam == facts.IPv4 {
			m.Protocols = []uint8{41} // IPv6 in IPv4
		}
	case "icmp":
		if m.Protocols = []uint8{1}; e.fam == facts.IPv6 {
			m.Protocols = []uint8{58}
		}
	default:
		if n, ok := protocols[w]; ok {
			m.Protocols = []uint8{n}
			return true
		}
		n, err := strconv.ParseUint(w, 10, 8)
		if err != nil {
			return false
		}
		if n == 0 && e.fam == facts.IPv4 {
			return true // "ip" by number, as platforms print it
		}
		m.Protocols = []uint8{uint8(n)}
	}
	return true
}

// end reads one end: addresses, and ports of protocols that have some.
func (e *reader) end(a *facts.Addrs, p *facts.Ports) bool {
	if !e.address(a, false) {
		return false
	}
	for _, n := range e.r.Match.Protocols {
		if n != facts.TCP && n != facts.UDP && n != 132 && n != 136 {
			return true
		}
	}
	if len(e.r.Match.Protocols) == 0 {
		return true
	}
	return e.ports(p)
}

// address reads "any", "host A", "A/n", "A/mask", "A W" and a group; alone: an address alone is a host.
func (e *reader) address(a *facts.Addrs, alone bool) bool {
	w := e.next()
	switch {
	case w == "any", w == "any4", w == "any6":
		return true
	case w == "host":
		x, err := netip.ParseAddr(e.next())
		return err == nil && e.put(a, facts.AddrItem{Prefix: netip.PrefixFrom(x, x.BitLen())})
	case slices.Contains(e.d.Groups, w):
		name := e.next()
		return name != "" && e.put(a, facts.AddrItem{Group: name})
	}
	if x, err := netip.ParsePrefix(w); err == nil {
		return e.put(a, facts.AddrItem{Prefix: x.Masked()})
	}
	if left, right, ok := strings.Cut(w, "/"); ok {
		x, err1 := netip.ParseAddr(left)
		m, err2 := netip.ParseAddr(right)
		return err1 == nil && err2 == nil && e.masked(a, x, m, true)
	}
	x, err := netip.ParseAddr(w)
	if err != nil {
		return e.d.Bare && name(w) && e.put(a, facts.AddrItem{Group: w})
	}
	if m, err := netip.ParseAddr(e.word()); err == nil {
		e.i++
		netmask := e.d.Netmask
		if e.d.Either {
			var ok bool
			if netmask, ok = form(m); !ok {
				return false
			}
		}
		return e.masked(a, x, m, netmask)
	}
	if !alone && !e.d.Bare {
		return false
	}
	return e.put(a, facts.AddrItem{Prefix: netip.PrefixFrom(x, x.BitLen())})
}

// form tells a netmask, ones before zeros, from a wildcard, zeros before ones. All of one kind is both.
func form(m netip.Addr) (netmask, ok bool) {
	if !m.Is4() {
		return false, false
	}
	v := uint32(0)
	for _, b := range m.As4() {
		v = v<<8 | uint32(b)
	}
	switch {
	case v == 0, ^v == 0:
		return false, false
	case (v+1)&v == 0: // zeros, then ones
		return false, true
	case (^v+1)&^v == 0:
		return true, true
	}
	return false, false
}

// name reports whether a word may be the name of a group: no operator, no option, no number.
func name(w string) bool {
	switch w {
	case "", "eq", "neq", "lt", "gt", "range", "log", "count", "established", "fragment":
		return false
	}
	_, err := strconv.Atoi(w)
	return err != nil
}

// put makes a a set of one item. An address of the other version of IP is a mistake.
func (e *reader) put(a *facts.Addrs, it facts.AddrItem) bool {
	if it.Prefix.IsValid() {
		if it.Prefix.Addr().Is4() != (e.fam != facts.IPv6) {
			return false
		}
		if it.Prefix.Bits() == 0 {
			return true // any
		}
	}
	a.Items, a.Present = []facts.AddrItem{it}, true
	return true
}

// masked reads an address with a wildcard, whose ones do not matter, or a netmask.
func (e *reader) masked(a *facts.Addrs, x, m netip.Addr, netmask bool) bool {
	if !x.Is4() || !m.Is4() {
		return e.wide(a, x, m, netmask)
	}
	addr, mask := x.As4(), m.As4()
	wild := &facts.Wildcard{}
	care := uint32(0)
	for i := range 4 {
		if wild.Care[i] = ^mask[i]; netmask {
			wild.Care[i] = mask[i]
		}
		wild.Addr[i] = addr[i] & wild.Care[i]
		care = care<<8 | uint32(wild.Care[i])
	}
	bits := 0
	for care&(1<<31) != 0 {
		bits++
		care <<= 1
	}
	if care == 0 {
		return e.put(a, facts.AddrItem{Prefix: netip.PrefixFrom(x, bits).Masked()})
	}
	return e.put(a, facts.AddrItem{Wild: wild})
}

// wide reads an IPv6 address with a mask, which must be a prefix's.
func (e *reader) wide(a *facts.Addrs, x, m netip.Addr, netmask bool) bool {
	if !x.Is6() || !m.Is6() {
		return false
	}
	bits, over := 0, false
	for _, b := range m.As16() {
		if !netmask {
			b = ^b
		}
		for k := 7; k >= 0; k-- {
			switch one := b>>k&1 == 1; {
			case one && over:
				return false // not contiguous
			case one:
				bits++
			default:
				over = true
			}
		}
	}
	return e.put(a, facts.AddrItem{Prefix: netip.PrefixFrom(x, bits).Masked()})
}

// ports reads an operator with its ports, when there is one.
func (e *reader) ports(p *facts.Ports) bool {
	op := e.word()
	switch {
	case op == "eq", op == "neq":
		e.i++
		for e.i < len(e.w) {
			n, ok := e.port(e.word())
			if !ok {
				break
			}
			p.Ranges = append(p.Ranges, facts.PortRange{First: n, Last: n})
			e.i++
		}
		p.Present, p.Not = true, op == "neq"
		return len(p.Ranges) > 0
	case op == "lt", op == "gt":
		e.i++
		n, ok := e.port(e.next())
		p.Present = true
		switch {
		case !ok:
			return false
		case op == "lt" && n > 0:
			p.Ranges = []facts.PortRange{{First: 0, Last: n - 1}}
		case op == "gt" && n < 65535:
			p.Ranges = []facts.PortRange{{First: n + 1, Last: 65535}}
		}
	case op == "range":
		e.i++
		from, ok1 := e.port(e.next())
		to, ok2 := e.port(e.next())
		p.Present, p.Ranges = true, []facts.PortRange{{First: min(from, to), Last: max(from, to)}}
		return ok1 && ok2
	case slices.Contains(e.d.PortGroups, op):
		e.i++
		group := e.next()
		p.Present, p.Groups = true, []string{group}
		return group != ""
	}
	return true
}

func (e *reader) port(w string) (uint16, bool) {
	if n, err := strconv.ParseUint(w, 10, 16); err == nil {
		return uint16(n), true
	}
	if e.d.Port != nil {
		if n, ok := e.d.Port(w); ok {
			return n, true
		}
	}
	return Port(w)
}

// options reads what may follow.
func (e *reader) options() bool {
	m := &e.r.Match
	for e.i < len(e.w) {
		w := e.word()
		switch {
		case w == "log", w == "log-input":
			e.out.Log, e.r.Log = true, facts.Say(true, e.r.Span)
			e.i++
		case w == "established":
			m.Flags = facts.Established
			e.i++
		case w == "fragments", w == "fragment":
			m.Fragments = facts.NonInitial
			e.i++
		case w == "time-range":
			e.i++
			if e.out.TimeRange = e.next(); e.out.TimeRange == "" {
				return false
			}
		case e.d.Takes[w] > 0 || hasKey(e.d.Takes, w):
			e.i += 1 + e.d.Takes[w]
		case hasKey(e.d.Conditions, w):
			e.unread(1 + e.d.Conditions[w])
		case w == "ttl", w == "packet-length":
			n := 3
			if e.i+1 < len(e.w) && e.w[e.i+1] == "range" {
				n = 4
			}
			e.unread(n)
		case w == "dscp", w == "precedence", w == "tos":
			e.unread(2)
		case flags[w]:
			e.flags()
		default:
			if !e.icmp() {
				return false
			}
		}
	}
	return e.i == len(e.w)
}

func hasKey(m map[string]int, k string) bool {
	_, ok := m[k]
	return ok
}

// unread takes n words as a condition that no header answers.
func (e *reader) unread(n int) {
	last := min(e.i+n, len(e.w))
	e.r.Match.Unread = append(e.r.Match.Unread, strings.Join(e.w[e.i:last], " "))
	e.i = last
}

// flags are TCP flags by the names entries give them.
var flags = map[string]bool{
	"ack": true, "rst": true, "fin": true, "psh": true, "syn": true, "urg": true, "match-all": true, "match-any": true,
	"+ack": true, "+rst": true, "+fin": true, "+psh": true, "+syn": true, "+urg": true,
	"-ack": true, "-rst": true, "-fin": true, "-psh": true, "-syn": true, "-urg": true,
}

// flags reads TCP flags. SYN alone opens sessions, ACK alone is of open ones; all else is told as a condition.
func (e *reader) flags() {
	from := e.i
	seen := map[string]bool{}
	for e.i < len(e.w) && flags[e.word()] {
		seen[strings.TrimPrefix(e.next(), "+")] = true
	}
	delete(seen, "match-all")
	m := &e.r.Match
	switch {
	case seen["syn"] && (len(seen) == 1 || len(seen) == 2 && seen["-ack"]):
		m.Flags = facts.Initial
		return
	case len(seen) == 1 && seen["ack"], len(seen) == 3 && seen["match-any"] && seen["ack"] && seen["rst"]:
		m.Flags = facts.Established
		return
	case (seen["ack"] || seen["rst"]) && !seen["match-any"]:
		m.Flags = facts.Established
	}
	m.Unread = append(m.Unread, "tcp flags "+strings.Join(e.w[from:e.i], " "))
}

// icmp reads an ICMP type by name or number, with its code.
func (e *reader) icmp() bool {
	m := &e.r.Match
	if len(m.Protocols) != 1 || m.Protocols[0] != 1 && m.Protocols[0] != 58 || len(m.ICMP) > 0 {
		if len(m.Protocols) == 1 && m.Protocols[0] == 2 { // message types of IGMP
			e.unread(1)
			return true
		}
		return false
	}
	w := e.word()
	if n, err := strconv.ParseUint(w, 10, 8); err == nil {
		t := facts.ICMPType{Type: uint8(n), Code: -1}
		e.i++
		if code, err := strconv.ParseUint(e.word(), 10, 8); err == nil {
			t.Code = int16(code)
			e.i++
		}
		m.ICMP = []facts.ICMPType{t}
		return true
	}
	t, ok := icmpNames[e.fam == facts.IPv6][w]
	if !ok {
		if !icmpWord(w) {
			return false
		}
		e.unread(1) // a name that is not in the table: which packets is not known
		return true
	}
	e.i++
	m.ICMP = []facts.ICMPType{t}
	return true
}

// icmpWord reports whether a word looks like the name of an ICMP message.
func icmpWord(w string) bool {
	if len(w) < 3 {
		return false
	}
	for _, c := range w {
		if (c < 'a' || c > 'z') && c != '-' {
			return false
		}
	}
	return true
}
