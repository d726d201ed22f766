package ciscoasa

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// address reads an address that is all of w: IPv4, IPv6, the short "0", or an alias of a "name" statement.
func (p *parser) address(w []byte) (netip.Addr, bool) {
	if len(w) == 0 {
		return netip.Addr{}, false
	}
	if len(w) == 1 && w[0] == '0' { // "ssh 0 0 inside": the device prints 0.0.0.0
		return netip.IPv4Unspecified(), true
	}
	if a, ok := field.Addr(w); ok {
		return a, true
	}
	if len(p.names) > 0 {
		if a, ok := p.names[string(w)]; ok {
			return a, true
		}
	}
	return netip.Addr{}, false
}

// prefix6 reads ADDRESS/LENGTH.
func prefix6(w []byte) (netip.Prefix, bool) {
	i := bytes.IndexByte(w, '/')
	if i < 0 {
		return netip.Prefix{}, false
	}
	n, isNum := number(w[i+1:])
	a, ok := field.Addr(w[:i])
	if !isNum || !ok || int64(n) > int64(a.BitLen()) {
		return netip.Prefix{}, false
	}
	return netip.PrefixFrom(a, int(n)), true
}

// maskBits is the length of a contiguous netmask.
func maskBits(mask netip.Addr) (int, bool) {
	if !mask.Is4() {
		return 0, false
	}
	b := mask.As4()
	m := binary.BigEndian.Uint32(b[:])
	n := bits.LeadingZeros32(^m)
	return n, m<<n == 0
}

// masked is addr under mask. ASA masks are netmasks: ones say what must be equal, and they may have holes. Host bits of
// the address are ignored (CiscoAsaAclTest: 1.2.3.4 255.255.255.0 is 1.2.3.0/24).
func masked(addr, mask netip.Addr) (facts.AddrItem, bool) {
	if !addr.Is4() || !mask.Is4() {
		return facts.AddrItem{}, false
	}
	if n, ok := maskBits(mask); ok {
		return facts.AddrItem{Prefix: netip.PrefixFrom(addr, n).Masked()}, true
	}
	wild := facts.Wildcard{Addr: addr.As4(), Care: mask.As4()}
	for i := range wild.Addr {
		wild.Addr[i] &= wild.Care[i]
	}
	return facts.AddrItem{Wild: &wild}, true
}

func hostItem(a netip.Addr) facts.AddrItem {
	return facts.AddrItem{Prefix: netip.PrefixFrom(a, a.BitLen())}
}

// netItem reads "host X", "X MASK" or "X6/LEN" from word i; next is the word after it.
func (p *parser) netItem(i int) (item facts.AddrItem, next int, ok bool) {
	w := p.word(i)
	if string(w) == "host" {
		a, ok := p.address(p.word(i + 1))
		return hostItem(a), i + 2, ok
	}
	if pre, ok := prefix6(w); ok {
		return facts.AddrItem{Prefix: pre.Masked()}, i + 1, true
	}
	a, ok := p.address(w)
	if !ok {
		return facts.AddrItem{}, i, false
	}
	mask, ok := p.address(p.word(i + 1))
	if !ok {
		return facts.AddrItem{}, i, false
	}
	item, ok = masked(a, mask)
	return item, i + 2, ok
}

// addrs reads an address operand of an access-list entry from word i.
func (p *parser) addrs(i int) (out facts.Addrs, next int, ok bool) {
	var item facts.AddrItem
	next = i + 1
	switch string(p.word(i)) {
	case "any":
		// One list holds both families since 9.0 (ASA 9.0 release notes, unified ACL); before, "any" was IPv4.
		item.Any = true
		if p.before(9, 0) {
			item.Family = facts.IPv4
		}
	case "any4":
		item.Any, item.Family = true, facts.IPv4
	case "any6":
		item.Any, item.Family = true, facts.IPv6
	case "object", "object-group":
		if i+1 >= len(p.w) {
			return out, i, false
		}
		item.Group, next = p.str(p.word(i+1)), i+2
	case "object-group-network-service": // domain names and applications, resolved on the device
		item.Unread, next = "network-service group", i+2
	case "interface":
		if i+1 >= len(p.w) {
			return out, i, false
		}
		return p.interfaceAddrs(p.word(i + 1)), i + 2, true
	default:
		item, next, ok = p.netItem(i)
		if !ok {
			return out, i, false
		}
	}
	return facts.Addrs{Items: p.items.one(item), Present: true}, next, true
}

// interfaceAddrs is "interface NAME" as an operand: the addresses of that interface.
func (p *parser) interfaceAddrs(name []byte) facts.Addrs {
	out := facts.Addrs{Present: true}
	if i, ok := p.nameif[string(name)]; ok {
		ifc := &p.d.Interfaces[i]
		for _, a := range ifc.Addrs {
			out.Items = append(out.Items, hostItem(a.Addr()))
		}
	}
	if len(out.Items) == 0 {
		out.Items = p.items.one(facts.AddrItem{Unread: "address of interface " + p.str(name)})
	}
	return out
}
