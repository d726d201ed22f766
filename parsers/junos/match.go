package junos

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A matcher gathers the conditions of one "from".
type matcher struct {
	p      *parser
	m      *facts.Match
	family facts.Family

	types, notTypes []facts.PortRange // ICMP types; ranges of numbers
	codes, notCodes []facts.PortRange
	typeNode        int32 // the condition whose names are types, not codes
}

// conditions reads a term's "from": all must hold; several values of one are alternatives ("Guidelines for Configuring
// Firewall Filters", Routing Policies User Guide).
func (p *parser) conditions(n int32, m *facts.Match, family facts.Family) {
	x := matcher{p: p, m: m, family: family, typeNode: none}
	var read func(int32)
	read = func(c int32) {
		p.ok(c)
		if !x.condition(c) && !p.applies(c) {
			m.Unread = append(m.Unread, p.statementText(c))
			p.unsupported(c, "a condition that is not modelled")
		}
		p.chained(c, read)
	}
	for c := p.first(n); c != none; c = p.next(c) {
		read(c)
	}
	x.icmp()
	for _, a := range [...]*facts.Addrs{&m.Src, &m.Dst, &m.Either} {
		p.exceptOnly(a, m)
	}
}

// chained calls each for the conditions that were typed behind the value of another, as the command line takes them:
// "set ... match source-address any application junos-ftp" is two. What show configuration prints never has any.
func (p *parser) chained(c int32, each func(int32)) {
	for v := p.first(c); v != none; v = p.next(v) {
		for k := p.first(v); k != none; k = p.next(k) {
			if !p.is(k, "except") && !p.applies(k) {
				each(k)
			}
		}
	}
}

// statementText is "word value" of a condition, for Match.Unread.
func (p *parser) statementText(c int32) string {
	out := append([]byte(nil), p.bytes(c)...)
	if v := p.first(c); v != none && len(p.bytes(v)) < 40 {
		out = append(append(out, ' '), p.bytes(v)...)
	}
	return clean(out)
}

// applies reports whether n is one of the statements that may stand anywhere: apply-groups and apply-groups-except, which
// were expanded before, apply-flags and apply-macro, which mean nothing to the device by themselves.
func (p *parser) applies(n int32) bool {
	word := p.bytes(n)
	if !bytes.HasPrefix(word, []byte("apply-")) {
		return false
	}
	switch string(word) {
	case "apply-groups", "apply-groups-except":
		p.okAll(n)
	case "apply-flags", "apply-macro":
		p.t.MarkAll(n, facts.Irrelevant)
	default:
		return false
	}
	return true
}

// cannot accounts for value v of condition c that is not understood.
func (x *matcher) cannot(c, v int32) {
	x.m.Unread = append(x.m.Unread, string(x.p.bytes(c))+" "+clean(x.p.bytes(v)))
	x.p.unsupported(v, "a value that is not understood")
}

// condition reads one condition; false when it is not understood.
func (x *matcher) condition(c int32) bool {
	p, m := x.p, x.m
	switch string(p.bytes(c)) {
	case "source-address":
		return x.addresses(c, &m.Src)
	case "destination-address":
		return x.addresses(c, &m.Dst)
	case "address", "ip-address":
		return x.addresses(c, &m.Either)
	case "ip-source-address": // of families that are not IP: ethernet-switching, vpls
		return x.addresses(c, &m.Src)
	case "ip-destination-address":
		return x.addresses(c, &m.Dst)
	case "source-prefix-list":
		return x.prefixList(c, &m.Src)
	case "destination-prefix-list":
		return x.prefixList(c, &m.Dst)
	case "prefix-list":
		return x.prefixList(c, &m.Either)
	case "source-port", "source-port-range-optimize":
		return x.ports(c, &m.SrcPorts, false)
	case "source-port-except":
		return x.ports(c, &m.SrcPorts, true)
	case "destination-port", "destination-port-range-optimize":
		return x.ports(c, &m.DstPorts, false)
	case "destination-port-except":
		return x.ports(c, &m.DstPorts, true)
	case "port":
		return x.ports(c, &m.EitherPorts, false)
	case "port-except":
		return x.ports(c, &m.EitherPorts, true)
	case "protocol", "next-header", "payload-protocol", "ip-protocol":
		return x.protocols(c, false)
	case "protocol-except", "next-header-except", "payload-protocol-except":
		return x.protocols(c, true)
	case "tcp-established":
		return x.flags(facts.Established)
	case "tcp-initial":
		return x.flags(facts.Initial)
	case "tcp-flags":
		return x.tcpFlags(c)
	case "is-fragment":
		return x.fragments(facts.NonInitial)
	case "fragment-offset":
		return x.fragmentOffset(c, false)
	case "fragment-offset-except":
		return x.fragmentOffset(c, true)
	case "icmp-type":
		x.typeNode = c
		return x.numbers(c, &x.types)
	case "icmp-type-except":
		x.typeNode = c
		return x.numbers(c, &x.notTypes)
	case "icmp-code":
		return x.numbers(c, &x.codes)
	case "icmp-code-except":
		return x.numbers(c, &x.notCodes)
	}
	return false
}

// addresses reads prefixes below c. The longest one that holds an address decides, "except" excludes it.
func (x *matcher) addresses(c int32, a *facts.Addrs) bool {
	p := x.p
	a.Present, a.LongestPrefix = true, true
	for v := p.first(c); v != none; v = p.next(v) {
		if p.applies(v) {
			continue
		}
		p.ok(v)
		item, read := address(p.bytes(v))
		if !read {
			x.cannot(c, v)
			continue
		}
		item.Span = p.span(v)
		for k := p.first(v); k != none; k = p.next(k) {
			switch {
			case p.is(k, "except"):
				item.Except, item.Span = true, p.span(k)
				p.ok(k)
			case !p.applies(k):
				x.cannot(c, k)
			}
		}
		a.Items = append(a.Items, item)
	}
	return true
}

// address reads a prefix, an address, or an address with a netmask that may have holes (1.2.3.4/255.0.255.0).
func address(b []byte) (facts.AddrItem, bool) {
	if string(b) == "any" {
		return facts.AddrItem{Any: true}, true
	}
	if pfx, _, ok := prefix(b); ok {
		return facts.AddrItem{Prefix: pfx}, true
	}
	i := bytes.IndexByte(b, '/')
	if i < 0 {
		return facts.AddrItem{}, false
	}
	a, ok1 := addr(b[:i])
	mask, ok2 := addr(b[i+1:])
	if !ok1 || !ok2 || !a.Is4() || !mask.Is4() {
		return facts.AddrItem{}, false
	}
	return masked4(a, mask), true
}

// masked4 is the addresses equal to a in the bits mask has.
func masked4(a, mask netip.Addr) facts.AddrItem {
	w := facts.Wildcard{Addr: a.As4(), Care: mask.As4()}
	bits, hole := 0, false
	for i := range 32 {
		if w.Care[i/8]>>(7-i%8)&1 == 0 {
			hole = true
			continue
		}
		if hole {
			for j := range w.Addr {
				w.Addr[j] &= w.Care[j]
			}
			return facts.AddrItem{Wild: &w}
		}
		bits++
	}
	return facts.AddrItem{Prefix: netip.PrefixFrom(a, bits).Masked()}
}

// prefixList reads names of prefix lists. They join the addresses of the same field in one longest-prefix match.
func (x *matcher) prefixList(c int32, a *facts.Addrs) bool {
	p := x.p
	a.Present, a.LongestPrefix = true, true
	for v := p.first(c); v != none; v = p.next(v) {
		p.ok(v)
		item := facts.AddrItem{Group: p.text(v), Span: p.span(v)}
		if k := p.kid(v, "except"); k != none {
			item.Except, item.Span = true, p.span(k)
			p.ok(k)
		}
		list := p.lists[item.Group]
		if list == nil && !p.whole {
			item.Unread, item.Group = "prefix list "+item.Group+" is not in this evidence", ""
		}
		a.Items = append(a.Items, item)
	}
	return true
}

// exceptOnly makes a condition unknown whose entries all say "except" and exclude something. The guide says that a list
// holds an implicit "0/0 except", so that nothing matches; Batfish lets everything else match. (Of empty lists both say
// the same: config.md 3.2, testPrefixListEmpty.)
func (p *parser) exceptOnly(a *facts.Addrs, m *facts.Match) {
	some := false
	for _, i := range a.Items {
		if !i.Except {
			return
		}
		list := p.lists[i.Group]
		some = some || i.Group == "" || list != nil && !list.empty
	}
	if some {
		m.Unread = append(m.Unread, "a list of nothing but exceptions")
	}
}

// ports reads ports, names and ranges.
func (x *matcher) ports(c int32, to *facts.Ports, not bool) bool {
	p := x.p
	if to.Present || p.first(c) == none {
		return false // a field with both port and port-except
	}
	to.Present, to.Not = true, not
	for v := p.first(c); v != none; v = p.next(v) {
		p.ok(v)
		r, read := portRange(p.bytes(v))
		if !read {
			x.cannot(c, v)
			continue
		}
		to.Ranges = append(to.Ranges, r)
	}
	return true
}

func (x *matcher) protocols(c int32, not bool) bool {
	p, m := x.p, x.m
	if len(m.Protocols) > 0 {
		return false
	}
	m.NotProtocols = not
	for v := p.first(c); v != none; v = p.next(v) {
		p.ok(v)
		if n, read := protocolNumber(p.bytes(v)); read {
			m.Protocols = append(m.Protocols, n)
			continue
		}
		r, read := numberRange(p.bytes(v))
		if !read || r.Last > 255 {
			x.cannot(c, v)
			continue
		}
		for n := r.First; n <= r.Last; n++ {
			m.Protocols = append(m.Protocols, uint8(n))
		}
	}
	return true
}

func (x *matcher) flags(f facts.TCPState) bool {
	if x.m.Flags != facts.AnyTCP && x.m.Flags != f {
		return false
	}
	x.m.Flags = f
	return true
}

// tcpFlags reads the two expressions that tell openings from answers; others are left unknown.
func (x *matcher) tcpFlags(c int32) bool {
	p := x.p
	v := p.value(c)
	if v == none || p.next(p.first(c)) != none {
		return false
	}
	p.ok(v)
	text := slices.DeleteFunc(bytes.ToLower(p.bytes(v)), func(c byte) bool { return c == ' ' || c == '(' || c == ')' })
	switch string(text) {
	case "syn&!ack", "!ack&syn":
		return x.flags(facts.Initial)
	case "ack|rst", "rst|ack":
		return x.flags(facts.Established)
	}
	return false
}

func (x *matcher) fragments(f facts.Fragments) bool {
	if x.m.Fragments != facts.AnyFragment && x.m.Fragments != f {
		return false
	}
	x.m.Fragments = f
	return true
}

// fragmentOffset reads offsets where they mean "every fragment but the first" or "offset 0".
func (x *matcher) fragmentOffset(c int32, not bool) bool {
	var list []facts.PortRange
	if !x.numbers(c, &list) || len(list) != 1 {
		return false
	}
	zero := list[0] == facts.PortRange{}
	rest := list[0].First == 1 && list[0].Last >= 8191 // the field has 13 bits
	switch {
	case zero && !not, rest && not:
		return x.fragments(facts.Unfragmented)
	case zero && not, rest && !not:
		return x.fragments(facts.NonInitial)
	}
	return false
}

// numbers reads numbers, ranges of them and, for ICMP, names.
func (x *matcher) numbers(c int32, to *[]facts.PortRange) bool {
	p := x.p
	for v := p.first(c); v != none; v = p.next(v) {
		p.ok(v)
		r, read := numberRange(p.bytes(v))
		if !read {
			var n uint8
			if c == x.typeNode {
				n, read = icmpType(p.bytes(v), x.family == facts.IPv6)
			} else {
				n, read = icmpCode(p.bytes(v))
			}
			r = facts.PortRange{First: uint16(n), Last: uint16(n)}
		}
		if !read {
			x.cannot(c, v)
			continue
		}
		*to = append(*to, r)
	}
	return true
}

// numberRange reads n or first-last.
func numberRange(b []byte) (facts.PortRange, bool) {
	i := bytes.IndexByte(b, '-')
	if i < 0 {
		n, ok := small(b)
		return facts.PortRange{First: uint16(n), Last: uint16(n)}, ok && n <= 65535
	}
	first, ok1 := small(b[:i])
	last, ok2 := small(b[i+1:])
	return facts.PortRange{First: uint16(first), Last: uint16(last)}, ok1 && ok2 && first <= last && last <= 65535
}

// maxICMP bounds the type and code pairs one term may list.
const maxICMP = 2048

// icmp joins types and codes.
func (x *matcher) icmp() {
	if x.types == nil && x.notTypes == nil && x.codes == nil && x.notCodes == nil {
		return
	}
	types := numberSet(x.types, x.notTypes)
	if x.codes == nil && x.notCodes == nil {
		for _, t := range types {
			x.m.ICMP = append(x.m.ICMP, facts.ICMPType{Type: t, Code: -1})
		}
	} else {
		codes := numberSet(x.codes, x.notCodes)
		if len(types)*len(codes) > maxICMP {
			x.m.Unread = append(x.m.Unread, "icmp-code")
			return
		}
		for _, t := range types {
			for _, c := range codes {
				x.m.ICMP = append(x.m.ICMP, facts.ICMPType{Type: t, Code: int16(c)})
			}
		}
	}
	if len(x.m.ICMP) == 0 {
		x.m.Unread = append(x.m.Unread, "icmp-type that excludes everything")
	}
}

// numberSet is the numbers of 0 to 255 in one of the ranges (all when there are none) and in none of the excluded ones.
func numberSet(in, not []facts.PortRange) []uint8 {
	var out []uint8
	for n := range uint16(256) {
		has := func(list []facts.PortRange) bool {
			return slices.ContainsFunc(list, func(r facts.PortRange) bool { return r.First <= n && n <= r.Last })
		}
		if (len(in) == 0 || has(in)) && !has(not) {
			out = append(out, uint8(n))
		}
	}
	return out
}
