package headerspace

import "math/bits"

// A ref names a diagram: an outcome below outcomes, else a node. Equal refs of one table mean equal functions, because
// nodes are hash-consed and every function has one form.
type ref uint32

// Outcomes are sets of what may become of a packet, as bits. One bit is certainty; more than one says that lines which
// were not understood decide between them.
const (
	mayPermit ref = 1
	mayDeny   ref = 2
	mayNext   ref = 4 // no rule so far matched
	mayBack   ref = 8 // a rule ended the filter without a decision; never outside the filter
	undecided     = mayPermit | mayDeny
	outcomes  ref = 16 // refs from here are nodes

	// A set is a diagram with the outcomes yes and no: a filter of one rule that permits, so that sets compose as
	// filters do.
	yes = mayPermit
	no  = mayNext
)

// A node compares the header bits from level on, size of them, with value: equal leads to hit, anything else to miss.
// It stands for a chain of ordinary decision nodes of which each has miss on one side and the next one on the other, so
// that a prefix costs a node and not thirty. A chain is as long as it can be, at most maxChain; where it would be longer
// its lower part is full. A node of one bit has value 1. Children have smaller indexes than their parents.
type node struct {
	miss, hit ref
	value     uint32 // left-aligned
	next      uint32 // in the same hash bucket
	level     uint16 // outcomes have lastLevel
	size      uint8
}

const (
	lastLevel = 1<<16 - 1
	maxChain  = 32
)

// A pos is a node from one of its bits on: ref<<posShift | bit. It names a function as a ref does, but not uniquely.
type pos uint32

const posShift = 5

func posOf(r ref) pos { return pos(r) << posShift }

// An op is an operation on diagrams, for the cache's key.
type op uint32

const (
	opCompose op = iota + 1
	opAnd
	opWithout
	opMeet
	opJoin
	opBlend
	opDiffer
	opRelax
	opSurely
	opMaybe
	opMatched
	opOpen
	opBack
	opHide // the first of some: one for each range of levels hidden
)

// opShift leaves 29 bits for a pos in each half of a cache key; maxNodes keeps below.
const opShift = 29

// cached is the result of an operation; its low three bits are beside a, the others beside b. Zero is none.
type cached struct {
	a, b uint32
	res  ref
}

// A table holds hash-consed nodes: ordered decision diagrams whose leaves are outcomes. It belongs to one goroutine at a
// time. When the limit is reached the table is full: results are then meaningless, and whoever asks must look at full
// before using one.
type table struct {
	nodes []node
	heads []uint32
	cache []cached
	mark  []ref
	pairs pairs
	limit int
	full  bool
	live  int // nodes after the last collection
}

// Sizes a table starts with. A filter of ten rules fits, and clearing them costs a microsecond.
const (
	firstHeads = 1 << 9
	firstCache = 1 << 9
	// maxNodes bounds a device's diagrams, 20 bytes each and 4 to 8 for its bucket.
	maxNodes = 1 << 24
	maxCache = 1 << 20
	// keepNodes is the largest table worth keeping for the next device: 20 MiB.
	keepNodes = 1 << 20
)

func newTable() *table {
	g := &table{
		nodes: make([]node, outcomes, firstHeads),
		heads: make([]uint32, firstHeads),
		cache: make([]cached, firstCache),
		limit: maxNodes,
	}
	for i := range g.nodes {
		g.nodes[i].level = lastLevel
	}
	return g
}

// reset forgets every node and keeps the memory.
func (g *table) reset() {
	g.nodes = g.nodes[:outcomes]
	g.heads = g.heads[:firstHeads]
	clear(g.heads)
	g.cache = g.cache[:firstCache]
	clear(g.cache)
	g.limit, g.full, g.live = maxNodes, false, 0
}

// unique is the node of these parts, made when it does not exist. The parts must be in the one form.
func (g *table) unique(level uint16, size uint8, value uint32, miss, hit ref) ref {
	key := uint32(level)<<8 | uint32(size)
	h := hash4(key, value, uint32(miss), uint32(hit)) & uint32(len(g.heads)-1)
	for i := g.heads[h]; i != 0; i = g.nodes[i].next {
		if n := &g.nodes[i]; n.hit == hit && n.miss == miss && n.value == value && n.level == level && n.size == size {
			return ref(i)
		}
	}
	if len(g.nodes) >= len(g.heads) {
		if len(g.nodes) >= g.limit {
			g.full = true
			return undecided
		}
		g.grow()
		h = hash4(key, value, uint32(miss), uint32(hit)) & uint32(len(g.heads)-1)
	}
	i := uint32(len(g.nodes))
	g.nodes = append(g.nodes, node{miss, hit, value, g.heads[h], level, size})
	g.heads[h] = i
	return ref(i)
}

func hash4(a, b, c, d uint32) uint32 {
	h := (uint64(a)<<32|uint64(b))*0x9e3779b97f4a7c15 ^ (uint64(c)<<32|uint64(d))*0xd6e8feb86659fd93
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return uint32(h >> 32)
}

// grow doubles the buckets and, up to a bound, the cache.
func (g *table) grow() {
	n := 2 * len(g.heads)
	if n <= cap(g.heads) {
		g.heads = g.heads[:n]
	} else {
		g.heads = make([]uint32, n)
	}
	g.rehash()
	if c := min(n, maxCache); c > len(g.cache) {
		if c <= cap(g.cache) {
			g.cache = g.cache[:c]
			clear(g.cache)
		} else {
			g.cache = make([]cached, c)
		}
	}
}

func (g *table) rehash() {
	clear(g.heads)
	mask := uint32(len(g.heads) - 1)
	for i := int(outcomes); i < len(g.nodes); i++ {
		n := &g.nodes[i]
		h := hash4(uint32(n.level)<<8|uint32(n.size), n.value, uint32(n.miss), uint32(n.hit)) & mask
		n.next, g.heads[h] = g.heads[h], uint32(i)
	}
}

// mk is the diagram that leads to hi where the bit of level is set, to lo elsewhere.
func (g *table) mk(level uint16, lo, hi ref) ref {
	switch {
	case lo == hi:
		return lo
	case g.continues(lo, level+1, hi):
		return g.prepend(level, 1, 0, hi, lo)
	case g.continues(hi, level+1, lo):
		return g.prepend(level, 1, 1<<31, lo, hi)
	}
	return g.unique(level, 1, 1<<31, lo, hi)
}

// continues reports whether a chain with this miss goes on at u. It cannot do so on both sides of a bit: one of two
// diagrams that begin at the same level is no child of the other.
func (g *table) continues(u ref, level uint16, miss ref) bool {
	n := &g.nodes[u]
	return n.level == level && (n.miss == miss || n.size == 1 && n.hit == miss)
}

// prepend is u where the size bits from level on equal value, miss elsewhere. u tests the bit after them.
func (g *table) prepend(level uint16, size uint8, value uint32, miss, u ref) ref {
	if g.continues(u, level+uint16(size), miss) {
		n := g.nodes[u]
		if n.miss != miss {
			n.miss, n.hit, n.value = n.hit, n.miss, 0
		}
		if size+n.size <= maxChain {
			return g.unique(level, size+n.size, value|n.value>>size, miss, n.hit)
		}
		if down := maxChain - n.size; down > 0 { // so many bits fill the lower chain
			size -= down
			u = g.unique(level+uint16(size), maxChain, value<<size|n.value>>down, miss, n.hit)
			value &= ^uint32(0) << (32 - size)
		}
	}
	if size == 1 && value == 0 {
		return g.unique(level, 1, 1<<31, u, miss)
	}
	return g.unique(level, size, value, miss, u)
}

// chain is hit where the size bits from level on equal value (left-aligned), miss elsewhere. size is at most maxChain.
func (g *table) chain(level uint16, size uint8, value uint32, miss, hit ref) ref {
	switch {
	case miss == hit || size == 0:
		return hit
	case size < 32:
		value &= ^uint32(0) << (32 - size)
	}
	last := level + uint16(size) - 1
	var u ref
	if value>>(32-size)&1 != 0 {
		u = g.mk(last, miss, hit)
	} else {
		u = g.mk(last, hit, miss)
	}
	if size == 1 {
		return u
	}
	size--
	return g.prepend(level, size, value&(^uint32(0)<<(32-size)), miss, u)
}

// ref is the diagram at p.
func (g *table) ref(p pos) ref {
	k := uint8(p & (1<<posShift - 1))
	r := ref(p >> posShift)
	if k == 0 {
		return r
	}
	n := &g.nodes[r]
	size, value := n.size-k, n.value<<k
	if size == 1 && value == 0 {
		return g.unique(n.level+uint16(k), 1, 1<<31, n.hit, n.miss)
	}
	return g.unique(n.level+uint16(k), size, value, n.miss, n.hit)
}

// part is a diagram's first chain, from a pos on.
type part struct {
	level     uint16
	size      uint8
	value     uint32
	miss, hit pos
}

// at takes the chain at p apart after at most size bits.
func (g *table) part(p pos) part {
	n := &g.nodes[p>>posShift]
	k := uint8(p & (1<<posShift - 1))
	return part{n.level + uint16(k), n.size - k, n.value << k, posOf(n.miss), posOf(n.hit)}
}

// after is where the chain of p, taken apart as c, goes on after some of its bits were equal.
func (c *part) after(p pos, bits uint8) pos {
	if bits == c.size {
		return c.hit
	}
	return p + pos(bits)
}

// A step compares some header bits on which two diagrams depend.
type step struct {
	level        uint16
	size         uint8
	value        uint32
	aMiss, bMiss pos
	aHit, bHit   pos
}

// step is as much of a and b as they can be followed together; one of them is no outcome.
func (g *table) step(a, b pos) step {
	ca, cb := g.part(a), g.part(b)
	switch {
	case ca.level < cb.level:
		n := uint8(min(uint16(ca.size), cb.level-ca.level))
		return step{ca.level, n, ca.value, ca.miss, b, ca.after(a, n), b}
	case cb.level < ca.level:
		n := uint8(min(uint16(cb.size), ca.level-cb.level))
		return step{cb.level, n, cb.value, a, cb.miss, a, cb.after(b, n)}
	}
	same := uint8(bits.LeadingZeros32(ca.value ^ cb.value))
	if n := min(same, ca.size, cb.size); n > 0 {
		return step{ca.level, n, ca.value, ca.miss, cb.miss, ca.after(a, n), cb.after(b, n)}
	}
	return step{ca.level, 1, ca.value, ca.miss, cb.after(b, 1), ca.after(a, 1), cb.miss}
}
