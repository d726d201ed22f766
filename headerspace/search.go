package headerspace

// pairs is a set of pairs of refs, for walks of two diagrams at once.
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
func (p *pairs) add(a, b ref) bool {
	if 2*p.n >= len(p.slots) {
		p.grow()
	}
	key := uint64(a)<<32 | uint64(b)
	mask := uint32(len(p.slots) - 1)
	for i := hash3(0, uint32(a), uint32(b)) & mask; ; i = (i + 1) & mask {
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
			p.add(ref(k>>32), ref(k&(1<<32-1)))
		}
	}
}

// A reached set has bit 1<<outcome for every outcome that some asked packet has.
type reached uint16

const (
	somePermitted reached = 1 << mayPermit
	someDenied    reached = 1 << mayDeny
)

func (r reached) permitted() bool { return r&somePermitted != 0 }
func (r reached) denied() bool    { return r&someDenied != 0 }

// undecided reports whether some packet's fate hangs on what was not understood.
func (r reached) undecided() bool { return r&^(somePermitted|someDenied) != 0 }

// reach is what becomes of the packets of the set q. It stops as soon as the answer cannot change: some are permitted and
// some denied, whatever becomes of the rest.
func (g *table) reach(d, q ref) reached {
	g.pairs.reset()
	var seen reached
	var walk func(d, q ref) bool
	walk = func(d, q ref) bool {
		if q == no {
			return false
		}
		if d < outcomes {
			seen |= 1 << d
			return seen.permitted() && seen.denied()
		}
		if !g.pairs.add(d, q) {
			return false
		}
		_, dl, dh, ql, qh := g.split(d, q)
		return walk(dl, ql) || walk(dh, qh)
	}
	walk(d, q)
	return seen
}

// split is the first level either tests, and both sides of both.
func (g *table) split(d, q ref) (l uint16, dl, dh, ql, qh ref) {
	nd, nq := g.nodes[d], g.nodes[q]
	l, dl, dh, ql, qh = min(nd.level, nq.level), d, d, q, q
	if nd.level == l {
		dl, dh = nd.lo, nd.hi
	}
	if nq.level == l {
		ql, qh = nq.lo, nq.hi
	}
	return l, dl, dh, ql, qh
}

// A header is a packet as the bits that diagrams test, one byte each.
type header [levels]uint8

// find sets in h the bits of a packet of the set q that wanted accepts the outcome of, and leaves the bits that do not
// matter. Where both values of a bit would do, the one already in h is kept, most significant bits first: the packet is
// near to what h was.
func (g *table) find(d, q ref, h *header, wanted func(ref) bool) bool {
	g.pairs.reset()
	var walk func(d, q ref) bool
	walk = func(d, q ref) bool {
		if q == no {
			return false
		}
		if d < outcomes && !wanted(d) {
			return false
		}
		if d < outcomes && q == yes {
			return true
		}
		if !g.pairs.add(d, q) {
			return false
		}
		l, dl, dh, ql, qh := g.split(d, q)
		was := h[l]
		if was != 0 {
			if walk(dh, qh) {
				return true
			}
			h[l] = 0
			if walk(dl, ql) {
				return true
			}
			h[l] = was
			return false
		}
		if walk(dl, ql) {
			return true
		}
		h[l] = 1
		if walk(dh, qh) {
			return true
		}
		h[l] = was
		return false
	}
	return walk(d, q)
}

// at is the outcome of one packet.
func (g *table) at(d ref, h *header) ref {
	for d >= outcomes {
		n := &g.nodes[d]
		if h[n.level] != 0 {
			d = n.hi
		} else {
			d = n.lo
		}
	}
	return d
}
