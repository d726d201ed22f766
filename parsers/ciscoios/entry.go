package ciscoios

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// An entry is a line of an access list being read into a rule: i is the word to read next.
type entry struct {
	p            *parser
	r            *facts.Rule
	fam          facts.Family
	i            int
	filter, rule int
}

const (
	icmp4 uint8 = 1
	icmp6 uint8 = 58
	sctp  uint8 = 132
)

// action reads "permit" or "deny".
func (e *entry) action() bool {
	switch string(e.p.word(e.i)) {
	case "permit":
		e.r.Action = facts.Permit
	case "deny":
		e.r.Action = facts.Deny
	default:
		return false
	}
	e.i++
	return true
}

// standard reads "permit SOURCE [log]". The source may be an address alone.
func (e *entry) standard() bool {
	if !e.action() || !e.address(&e.r.Match.Src, true) {
		return false
	}
	for e.i < len(e.p.w) {
		switch string(e.p.word(e.i)) {
		case "log", "smartlog":
			e.r.Log = facts.Say(true, e.r.Span)
			e.i++
			if e.i == len(e.p.w)-1 { // a cookie
				e.i++
			}
		case "!":
			return true
		default:
			return false
		}
	}
	return true
}

// extended reads "[dynamic NAME [timeout N]] permit PROTOCOL SOURCE [PORTS] DESTINATION [PORTS] [OPTIONS]" and
// "evaluate NAME".
func (e *entry) extended() bool {
	p, m := e.p, &e.r.Match
	if p.is(e.i, "evaluate") {
		// The list of answers that "reflect" fills: it opens nothing by itself.
		e.r.Action, e.r.Return = facts.Permit, true
		return len(p.w) <= e.i+2
	}
	if p.is(e.i, "dynamic") {
		m.Unread = append(m.Unread, "dynamic: in force once somebody has logged in (lock-and-key)")
		e.i += 2
		if p.is(e.i, "timeout") {
			e.i += 2
		}
	}
	if !e.action() {
		return false
	}
	services, ok := e.protocol()
	if !ok || !e.address(&m.Src, false) {
		return false
	}
	ported := !services && (portable(m.Protocols) || len(m.Protocols) == 0)
	if ported && !e.ports(&m.SrcPorts) || !e.address(&m.Dst, false) || ported && !e.ports(&m.DstPorts) {
		return false
	}
	if len(m.Protocols) == 0 && (m.SrcPorts.Present || m.DstPorts.Present) {
		return false
	}
	return e.options()
}

// portable reports whether all protocols have ports.
func portable(protocols []uint8) bool {
	for _, n := range protocols {
		if n != facts.TCP && n != facts.UDP && n != sctp {
			return false
		}
	}
	return len(protocols) > 0
}

// protocol reads a protocol, or a service object group that stands for it and the ports.
func (e *entry) protocol() (services, ok bool) {
	p, m := e.p, &e.r.Match
	w := p.word(e.i)
	if string(w) == "object-group" {
		if p.word(e.i+1) == nil {
			return false, false
		}
		m.Services, m.HasServices = p.svcs.Take(), true
		m.Services[0] = facts.ServiceItem{Group: p.str(p.word(e.i + 1))}
		e.i += 2
		return true, true
	}
	n, kind := protocolOf(w, e.fam)
	switch kind {
	case protoNone:
		return false, false
	case protoAny:
	case protoOne:
		m.Protocols = p.proto(n)
	case protoTCPUDP:
		m.Protocols = tcpUDP()
	}
	e.i++
	return false, true
}

func tcpUDP() []uint8 { return []uint8{facts.TCP, facts.UDP} }

// address reads "any", "host A", "A W", "object-group X", "A/n" and, in standard lists, an address alone.
func (e *entry) address(a *facts.Addrs, alone bool) bool {
	p := e.p
	w := p.word(e.i)
	switch string(w) {
	case "any", "any4", "any6":
		e.i++
		return true
	case "host":
		addr, ok := field.Addr(p.word(e.i + 1))
		if !ok || addr.Is4() != (e.fam != facts.IPv6) {
			return false
		}
		e.i += 2
		e.put(a).Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return true
	case "object-group", "addrgroup":
		name := p.word(e.i + 1)
		if name == nil {
			return false
		}
		e.i += 2
		e.put(a).Group = p.str(name)
		return true
	}
	addr, ok := field.Addr(w)
	if !ok {
		return e.prefix(a, w)
	}
	if addr.Is6() {
		return false
	}
	mask, ok := field.Addr(p.word(e.i + 1))
	if !ok || mask.Is6() {
		if !alone {
			return false
		}
		e.i++
		e.put(a).Prefix = netip.PrefixFrom(addr, 32)
		return true
	}
	e.i += 2
	it := e.put(a)
	item, any := wildcard(addr, mask)
	if any {
		*a = facts.Addrs{}
		return true
	}
	*it = item
	return true
}

// prefix reads "A/n".
func (e *entry) prefix(a *facts.Addrs, w []byte) bool {
	x, ok := prefixOf(w)
	if !ok || x.Addr().Is4() != (e.fam != facts.IPv6) {
		return false
	}
	e.i++
	if x.Bits() > 0 {
		e.put(a).Prefix = x.Masked()
	}
	return true
}

// put makes a a set of one item.
func (e *entry) put(a *facts.Addrs) *facts.AddrItem {
	a.Items, a.Present = e.p.items.Take(), true
	return &a.Items[0]
}

// wildcard is the set of addresses that equal addr where mask is 0; any is every address.
func wildcard(addr, mask netip.Addr) (item facts.AddrItem, any bool) {
	a, m := addr.As4(), mask.As4()
	care := uint32(0)
	for i := range 4 {
		care = care<<8 | uint32(^m[i])
	}
	if care == 0 {
		return item, true
	}
	if bits, ok := leading(care); ok {
		item.Prefix = netip.PrefixFrom(addr, bits).Masked()
		return item, false
	}
	w := &facts.Wildcard{}
	for i := range 4 {
		w.Care[i] = ^m[i]
		w.Addr[i] = a[i] & ^m[i]
	}
	item.Wild = w
	return item, false
}

// leading is how many ones m begins with, when they are all it has.
func leading(m uint32) (bits int, ok bool) {
	for m&(1<<31) != 0 {
		bits++
		m <<= 1
	}
	return bits, m == 0
}

// ports reads an operator and its ports when there is one.
func (e *entry) ports(out *facts.Ports) bool {
	p := e.p
	switch op := string(p.word(e.i)); op {
	case "eq", "neq":
		e.i++
		first := true
		for e.i < len(p.w) {
			port, ok := portOf(p.word(e.i), e.r.Match.Protocols)
			if !ok {
				break
			}
			r := facts.PortRange{First: port, Last: port}
			if first {
				out.Ranges = p.ranges.Take()
				out.Ranges[0] = r
			} else {
				out.Ranges = append(out.Ranges, r)
			}
			first = false
			e.i++
		}
		out.Present, out.Not = true, op == "neq"
		return !first
	case "lt", "gt":
		port, ok := portOf(p.word(e.i+1), e.r.Match.Protocols)
		if !ok {
			return false
		}
		e.i += 2
		out.Present = true
		if op == "lt" && port == 0 || op == "gt" && port == 65535 {
			return true // no port at all
		}
		out.Ranges = p.ranges.Take()
		out.Ranges[0] = facts.PortRange{First: 0, Last: port - 1}
		if op == "gt" {
			out.Ranges[0] = facts.PortRange{First: port + 1, Last: 65535}
		}
	case "range":
		from, ok1 := portOf(p.word(e.i+1), e.r.Match.Protocols)
		to, ok2 := portOf(p.word(e.i+2), e.r.Match.Protocols)
		if !ok1 || !ok2 {
			return false
		}
		if from > to { // the device swaps them
			from, to = to, from
		}
		e.i += 3
		out.Present, out.Ranges = true, p.ranges.Take()
		out.Ranges[0] = facts.PortRange{First: from, Last: to}
	case "portgroup":
		if p.word(e.i+1) == nil {
			return false
		}
		out.Present, out.Groups = true, append(out.Groups, p.str(p.word(e.i+1)))
		e.i += 2
	}
	return true
}

// options reads what may follow the destination.
func (e *entry) options() bool {
	p, r := e.p, e.r
	m := &r.Match
	for e.i < len(p.w) {
		w := p.word(e.i)
		switch string(w) {
		case "log", "log-input":
			r.Log = facts.Say(true, r.Span)
			e.i++
		case "established":
			m.Flags = facts.Established
			e.i++
		case "fragments":
			m.Fragments = facts.NonInitial
			e.i++
		case "time-range":
			name := p.word(e.i + 1)
			if name == nil {
				return false
			}
			p.timed = append(p.timed, timedRule{e.filter, e.rule, p.str(name)})
			e.i += 2
		case "reflect": // its answers come back through "evaluate"
			e.i += 2
			if p.is(e.i, "timeout") {
				e.i += 2
			}
		case "ack", "rst", "fin", "psh", "syn", "urg", "match-all", "match-any":
			e.flags()
		case "dscp", "precedence", "tos", "option", "flow-label", "dest-option-type", "mobility-type", "routing-type":
			e.unread(2)
		case "ttl", "packet-length":
			if p.is(e.i+1, "range") {
				e.unread(4)
			} else {
				e.unread(3)
			}
		case "tracked", "nexthop", "routing", "mobility", "dest-option", "hbh", "auth", "undetermined-transport", "time-range-undefined":
			e.unread(1)
		case "!":
			return true // a comment behind the entry
		default:
			if !e.icmp(w) {
				return false
			}
		}
	}
	return true
}

// unread takes n words as a condition that is not modelled.
func (e *entry) unread(n int) {
	last := min(e.i+n, len(e.p.w)) - 1
	text := e.p.t.Source[e.p.w[e.i].Off : e.p.w[last].Off+e.p.w[last].Len]
	e.r.Match.Unread = append(e.r.Match.Unread, e.p.str(text))
	e.i = last + 1
}

// flags reads TCP flags. "ack" and "rst" are of answers; "syn" without them begins sessions; others restrict further.
func (e *entry) flags() {
	p, m := e.p, &e.r.Match
	any := false
	seen := map[string]bool{}
	from := e.i
	for ; e.i < len(p.w); e.i++ {
		w := string(p.word(e.i))
		switch w {
		case "match-any":
			any = true
			continue
		case "match-all":
			continue
		case "ack", "rst", "fin", "psh", "syn", "urg", "+ack", "+rst", "+fin", "+psh", "+syn", "+urg", "-ack", "-rst", "-fin", "-psh", "-syn", "-urg":
			if w[0] != '+' && w[0] != '-' {
				w = "+" + w
			}
			seen[w] = true
			continue
		}
		break
	}
	last := p.w[e.i-1]
	switch {
	case len(seen) == 2 && seen["+ack"] && seen["+rst"] && any:
		m.Flags = facts.Established
		return
	case seen["+syn"] && seen["-ack"] && !any:
		m.Flags = facts.Initial
	case seen["+syn"] && len(seen) == 1:
		m.Flags = facts.Initial // of answers it matches the first only
		return
	case !any && (seen["+ack"] || seen["+rst"]), any && !seen["+syn"] && !seen["+fin"] && !seen["+psh"] && !seen["+urg"]:
		m.Flags = facts.Established
		if len(seen) == 1 && seen["+ack"] {
			return // every packet of an open session but a reset has it
		}
	}
	if len(seen) == 2 && m.Flags == facts.Initial {
		return
	}
	m.Unread = append(m.Unread, "tcp flags "+string(p.t.Source[p.w[from].Off:last.Off+last.Len]))
}

// icmp reads an ICMP type with its code, or a message by name.
func (e *entry) icmp(w []byte) bool {
	p, m := e.p, &e.r.Match
	if len(m.Protocols) != 1 || len(m.ICMP) > 0 {
		return false
	}
	switch proto := m.Protocols[0]; {
	case proto == 2: // IGMP message types
		e.unread(1)
		return true
	case proto != icmp4 && proto != icmp6:
		return false
	}
	t, ok := icmpOf(w, e.fam)
	if !ok {
		return false
	}
	e.i++
	if _, numeric := number(w); numeric {
		if code, ok := number(p.word(e.i)); ok {
			if code > 255 {
				return false
			}
			t.Code = int16(code)
			e.i++
		}
	}
	m.ICMP = p.icmps.Take()
	m.ICMP[0] = t
	return true
}

// prefixOf reads "A/n".
func prefixOf(w []byte) (netip.Prefix, bool) {
	for i := len(w) - 1; i > 0; i-- {
		if w[i] == '/' {
			a, ok := field.Addr(w[:i])
			bits, ok2 := number(w[i+1:])
			if !ok || !ok2 || bits > a.BitLen() {
				return netip.Prefix{}, false
			}
			return netip.PrefixFrom(a, bits), true
		}
	}
	return netip.Prefix{}, false
}
