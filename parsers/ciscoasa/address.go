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

// masked sets item to addr under mask. ASA masks are netmasks: ones say what must be equal, and they may have holes. Host
// bits of the address are ignored (CiscoAsaAclTest: 1.2.3.4 255.255.255.0 is 1.2.3.0/24).
func masked(item *facts.AddrItem, addr, mask netip.Addr) bool {
	if !addr.Is4() || !mask.Is4() {
		return false
	}
	if n, ok := maskBits(mask); ok {
		item.Prefix = netip.PrefixFrom(addr, n).Masked()
		return true
	}
	wild := facts.Wildcard{Addr: addr.As4(), Care: mask.As4()}
	for i := range wild.Addr {
		wild.Addr[i] &= wild.Care[i]
	}
	item.Wild = &wild
	return true
}

// host is the prefix of a alone.
func host(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

// netItem reads "host X", "X MASK" or "X6/LEN" from word i into item; next is the word after it.
func (p *parser) netItem(item *facts.AddrItem, i int) (next int, ok bool) {
	w := p.word(i)
	if string(w) == "host" {
		a, ok := p.address(p.word(i + 1))
		if ok {
			item.Prefix = host(a)
		}
		return i + 2, ok
	}
	a, ok := p.address(w)
	if !ok {
		pre, ok := prefix6(w)
		if ok {
			item.Prefix = pre.Masked()
		}
		return i + 1, ok
	}
	mask, ok := p.address(p.word(i + 1))
	return i + 2, ok && masked(item, a, mask)
}

// addrs reads an address operand of an access-list entry from word i.
func (p *parser) addrs(out *facts.Addrs, i int) (next int, ok bool) {
	next = i + 1
	switch string(p.word(i)) {
	case "any":
		if out.Items = p.shared.any; p.six {
			out.Items = p.shared.any6
		}
	case "any4":
		out.Items = p.shared.any4
	case "any6":
		out.Items = p.shared.any6
	case "object", "object-group":
		if i+1 >= len(p.w) {
			return i, false
		}
		out.Items, next = p.groupItems(p.word(i+1)), i+2
	case "object-group-network-service": // domain names and applications, resolved on the device
		out.Items, next = p.items.One(facts.AddrItem{Unread: "network-service group"}), i+2
	case "interface":
		if i+1 >= len(p.w) {
			return i, false
		}
		out.Items, next = p.interfaceAddrs(p.word(i+1)), i+2
	default:
		items := p.items.Take()
		if next, ok = p.netItem(&items[0], i); !ok {
			return i, false
		}
		out.Items = items
	}
	out.Present = true
	return next, true
}

// share makes the operands of all entries of a space.
func (p *parser) share() {
	p.shared = sharedItems{
		any:    []facts.AddrItem{{Any: true}},
		any4:   []facts.AddrItem{{Any: true, Family: facts.IPv4}},
		any6:   []facts.AddrItem{{Any: true, Family: facts.IPv6}},
		groups: make([][]facts.AddrItem, len(p.d.Groups)-p.first),
	}
	if p.before(9, 0) { // one list holds both families since 9.0 (ASA 9.0 release notes, unified ACL); "any" was IPv4
		p.shared.any = p.shared.any4
	}
}

// groupItems is the operand that is the object or group of that name.
func (p *parser) groupItems(name []byte) []facts.AddrItem {
	i, ok := p.groups[string(name)]
	if !ok {
		return p.items.One(facts.AddrItem{Group: p.str(name)})
	}
	items := p.shared.groups[i-p.first]
	if items == nil {
		items = p.items.Take()
		items[0].Group = p.d.Groups[i].Name
		p.shared.groups[i-p.first] = items
	}
	return items
}

// interfaceAddrs is "interface NAME" as an operand: the addresses of that interface.
func (p *parser) interfaceAddrs(name []byte) []facts.AddrItem {
	var items []facts.AddrItem
	if i, ok := p.nameif[string(name)]; ok {
		for _, a := range p.d.Interfaces[i].Addrs {
			items = append(items, facts.AddrItem{Prefix: host(a.Addr())})
		}
	}
	if len(items) == 0 {
		items = p.items.One(facts.AddrItem{Unread: "address of interface " + p.str(name)})
	}
	return items
}
