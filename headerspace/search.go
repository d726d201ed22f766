package headerspace

import "net/netip"

// pairs is a set of pairs, for walks of two diagrams at once.
type pairs struct {
	slots []uint64 // 0 is free
	n     int
}

const firstPairs = 1 << 7

func (p *pairs) reset() {
	if cap(p.slots) < firstPairs {
		p.slots = make([]uint64, firstPairs)
	}
	p.slots = p.slots[:firstPairs]
	clear(p.slots)
	p.n = 0
}

// add reports whether the pair is new.
func (p *pairs) add(a, b pos) bool {
	if 2*p.n >= len(p.slots) {
		p.grow()
	}
	key := uint64(a)<<32 | uint64(b)
	mask := uint32(len(p.slots) - 1)
	for i := hash4(0, 0, uint32(a), uint32(b)) & mask; ; i = (i + 1) & mask {
		switch p.slots[i] {
		case key:
			return false
		case 0:
			p.slots[i] = key
			p.n++
			return true
		}
	}
}

func (p *pairs) grow() {
	old := append([]uint64(nil), p.slots...)
	n := 2 * len(p.slots)
	if n <= cap(p.slots) {
		p.slots = p.slots[:n]
		clear(p.slots)
	} else {
		p.slots = make([]uint64, n)
	}
	p.n = 0
	for _, k := range old {
		if k != 0 {
			p.add(pos(k>>32), pos(k&(1<<32-1)))
		}
	}
}

// A header is a packet as the bits that diagrams test, one byte each.
type header [levels]uint8

// sameBits reports whether h has the size bits of value at level.
func (h *header) sameBits(level uint16, size uint8, value uint32) bool {
	for i := range uint16(size) {
		if uint32(h[level+i]) != value<<i>>31 {
			return false
		}
	}
	return true
}

func (h *header) setBits(level uint16, size uint8, value uint32) {
	for i := range uint16(size) {
		h[level+i] = uint8(value << i >> 31)
	}
}

// setNumber writes a number of n bits.
func (h *header) setNumber(base, n int, v uint64) {
	for i := range n {
		h[base+i] = uint8(v >> (n - 1 - i) & 1)
	}
}

func (h *header) setAddr(base int, a netip.Addr) {
	v := a.AsSlice()
	for i := range 8 * len(v) {
		h[base+i] = v[i>>3] >> (7 - i&7) & 1
	}
}

// find sets in h the bits of a packet of the set q that wanted accepts the outcome of, and leaves the bits that do not
// matter. Where several values of a bit would do, the one already in h is kept, most significant bits first: the packet
// is near to what h was.
func (g *table) find(d, q ref, h *header, wanted func(ref) bool) bool {
	g.pairs.reset()
	return g.seek(posOf(d), posOf(q), h, wanted)
}

func (g *table) seek(d, q pos, h *header, wanted func(ref) bool) bool {
	if q == posNo || d < posNodes && !wanted(ref(d>>posShift)) {
		return false
	}
	if d < posNodes && q == posYes {
		return true
	}
	if !g.pairs.add(d, q) {
		return false
	}
	s := g.step(d, q)
	if h.sameBits(s.level, s.size, s.value) {
		if g.seek(s.aHit, s.bHit, h, wanted) {
			return true
		}
		last := s.level + uint16(s.size) - 1
		h[last] ^= 1 // the nearest that is not equal
		if g.seek(s.aMiss, s.bMiss, h, wanted) {
			return true
		}
		h[last] ^= 1
		return false
	}
	if g.seek(s.aMiss, s.bMiss, h, wanted) {
		return true
	}
	var was [maxChain]uint8
	copy(was[:s.size], h[s.level:])
	h.setBits(s.level, s.size, s.value)
	if g.seek(s.aHit, s.bHit, h, wanted) {
		return true
	}
	copy(h[s.level:s.level+uint16(s.size)], was[:])
	return false
}

// leaves are the outcomes a diagram has, a bit each.
func (g *table) leaves(d ref) uint16 {
	g.pairs.reset()
	return g.gather(d)
}

func (g *table) gather(d ref) uint16 {
	if d < outcomes {
		return 1 << d
	}
	if !g.pairs.add(posOf(d), 0) {
		return 0
	}
	n := &g.nodes[d]
	return g.gather(n.miss) | g.gather(n.hit)
}

// at is the outcome of one packet.
func (g *table) at(d ref, h *header) ref {
	for d >= outcomes {
		n := &g.nodes[d]
		if h.sameBits(n.level, n.size, n.value) {
			d = n.hit
		} else {
			d = n.miss
		}
	}
	return d
}
