package headerspace

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// The bits of a header in the order diagrams test them, most significant first within a field. Addresses come first:
// a list's rules differ most in them, so that parts of a list meet in few nodes (docs/adr/0010). IPv4 uses the first 32
// levels of an address.
const (
	atNear     = 0            // source address, or destination: see Model.layout
	atFar      = atNear + 128 // the other one
	atProtocol = atFar + 128
	atDstPort  = atProtocol + 8
	atSrcPort  = atDstPort + 16
	atState    = atSrcPort + 16 // stateOpening ...
	atFragment = atState + 2    // 1: fragment offset above 0
	atICMP     = atFragment + 1 // type, code
	atApp      = atICMP + 16    // number of an application the device's rules name; 0 another
	atWhen     = atApp + 16     // number of a combination of time ranges in force
	atIn       = atWhen + 16    // class of the way in: see places
	atOut      = atIn + 16      // of the way out
	levels     = atOut + 16
)

// States of the session a packet belongs to.
const (
	stateOpening = iota // TCP SYN without ACK; the first packet of other protocols
	stateOpen           // TCP with ACK or RST; an answer in other protocols
	stateOther          // TCP with none of the three: FIN or no flag alone
)

// Protocols with a meaning of their own here, from the IANA registry.
const (
	protoICMP   = 1
	protoICMPv6 = 58
)

// portProtocols are the protocols whose headers begin with a source and a destination port: TCP, UDP (RFC 768), DCCP
// (RFC 4340), SCTP (RFC 9260), UDP-Lite (RFC 3828). A condition on a port never matches another one.
var portProtocols = [...]uint8{facts.TCP, facts.UDP, 33, 132, 136}

func hasPorts(p uint8) bool { return slices.Contains(portProtocols[:], p) }

// point tests the bits first to last-1 of v (big endian) from level base on; then gives the rest, miss elsewhere.
func (g *table) point(base int, v []byte, first, last int, then, miss ref) ref {
	x := then
	for last > first {
		n := min(maxChain, last-first)
		var value uint32
		for i := last - n; i < last; i++ {
			value = value<<1 | uint32(v[i>>3]>>(7-i&7)&1)
		}
		x = g.chain(uint16(base+last-n), uint8(n), value<<(32-n), miss, x)
		last -= n
	}
	return x
}

// value tests a number of n bits, n at most 32.
func (g *table) value(base, n int, v uint64, then, miss ref) ref {
	return g.chain(uint16(base), uint8(n), uint32(v)<<(32-n), miss, then)
}

// wild tests the bits of v that care has set.
func (g *table) wild(base int, v, care []byte, then, miss ref) ref {
	x := then
	for last := 8 * len(v); last > 0; {
		if !bit(care, last-1) {
			last--
			continue
		}
		first := last - 1
		for first > 0 && bit(care, first-1) {
			first--
		}
		x = g.point(base, v, first, last, x, miss)
		last = first
	}
	return x
}

// between tests lo <= v <= hi, both of n bits, big endian.
func (g *table) between(base, n int, lo, hi []byte, then ref) ref {
	// The thresholds are built together while the bounds' bits agree, apart below.
	ge, le := then, then
	k := 0
	for k < n && bit(lo, k) == bit(hi, k) {
		k++
	}
	if k == n {
		return g.point(base, lo, 0, n, then, no)
	}
	for i := n - 1; i > k; i-- {
		if bit(lo, i) {
			ge = g.mk(uint16(base+i), no, ge)
		} else {
			ge = g.mk(uint16(base+i), ge, then)
		}
		if bit(hi, i) {
			le = g.mk(uint16(base+i), then, le)
		} else {
			le = g.mk(uint16(base+i), le, no)
		}
	}
	return g.point(base, lo, 0, k, g.mk(uint16(base+k), ge, le), no)
}

func bit(v []byte, i int) bool { return v[i>>3]>>(7-i&7)&1 != 0 }

// ports is a set of port ranges.
func (g *table) ports(base int, ranges []facts.PortRange, then ref) ref {
	x := no
	for _, r := range ranges {
		if r.First > r.Last {
			continue
		}
		lo, hi := [2]byte{byte(r.First >> 8), byte(r.First)}, [2]byte{byte(r.Last >> 8), byte(r.Last)}
		x = g.compose(x, g.between(base, 16, lo[:], hi[:], then))
	}
	return x
}

// values is a set of numbers of n bits.
func (g *table) values(base, n int, vs []uint64, then ref) ref {
	x := no
	for _, v := range vs {
		x = g.compose(x, g.value(base, n, v, then, no))
	}
	return x
}

// prefix is the set of a prefix's addresses; no when it is of another family.
func (g *table) prefix(base int, fam facts.Family, p netip.Prefix, then ref) ref {
	a, n := p.Addr(), p.Bits()
	if a.Is4In6() && n >= 96 {
		a, n = a.Unmap(), n-96
	}
	if !p.IsValid() || !ofFamily(a, fam) {
		return no
	}
	if a.Is4() {
		v := a.As4()
		return g.point(base, v[:], 0, n, then, no)
	}
	v := a.As16()
	return g.point(base, v[:], 0, n, then, no)
}

// addresses is the set of an inclusive range's addresses.
func (g *table) addresses(base int, fam facts.Family, from, to netip.Addr, then ref) ref {
	from, to = from.Unmap(), to.Unmap()
	if from.Is4() != to.Is4() || to.Less(from) || !ofFamily(from, fam) {
		return no
	}
	if from.Is4() {
		lo, hi := from.As4(), to.As4()
		return g.between(base, 32, lo[:], hi[:], then)
	}
	lo, hi := from.As16(), to.As16()
	return g.between(base, 128, lo[:], hi[:], then)
}

func ofFamily(a netip.Addr, fam facts.Family) bool {
	return a.IsValid() && a.Unmap().Is4() == (fam == facts.IPv4)
}

// bitsOf is the width of a family's addresses.
func bitsOf(fam facts.Family) int {
	if fam == facts.IPv4 {
		return 32
	}
	return 128
}
