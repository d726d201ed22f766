package headerspace

// A ref names a diagram: an outcome below outcomes, else a node. Equal refs of one table mean equal functions, because
// nodes are hash-consed.
type ref uint32

// Outcomes are sets of what may become of a packet, as bits. One bit is certainty; more than one says that lines which
// were not understood decide between them.
const (
	mayPermit ref = 1
	mayDeny   ref = 2
	mayNext   ref = 4 // no rule so far matched
	undecided     = mayPermit | mayDeny
	outcomes  ref = 8 // refs from here are nodes

	// A set is a diagram with the outcomes yes and no: a filter of one rule that permits, so that sets compose as
	// filters do.
	yes = mayPermit
	no  = mayNext
)

// A node tests one header bit. Every child has a smaller index than its parents.
type node struct {
	lo, hi ref
	next   uint32 // in the same hash bucket
	level  uint16 // the bit tested; outcomes have lastLevel
}

const lastLevel = 1<<16 - 1

// An op is an operation on diagrams, for the cache's key.
type op uint32

const (
	opCompose op = iota + 1
	opAnd
	opWithout
	opMeet
	opJoin
	opRelax
	opSurely
	opMaybe
	opHide // the first of many: one for each range of levels hidden
)

// opShift leaves 2^27 nodes beside the operation in a cache key; maxNodes is below.
const opShift = 27

type cached struct {
	key    uint32 // op and first operand; 0 is no entry
	b, res ref
}

// A table holds hash-consed nodes: ordered binary decision diagrams whose leaves are outcomes. It belongs to one
// goroutine at a time. When the limit is reached the table is full: results are then meaningless, and whoever asks must
// look at full before using one.
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

// Sizes a table starts with. A filter of ten rules fits, and clearing them costs a microsecond or two.
const (
	firstHeads = 1 << 9
	firstCache = 1 << 9
	// maxNodes bounds a device's diagrams, 16 bytes each and 4 to 8 for its bucket. A list of 100,000 rules without
	// structure needs 3,100,000 (docs/adr/0010).
	maxNodes = 1 << 24
	maxCache = 1 << 20
	// keepNodes is the largest table worth keeping for the next device: 16 MiB.
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

// mk is the node that tests level, made when it does not exist.
func (g *table) mk(level uint16, lo, hi ref) ref {
	if lo == hi {
		return lo
	}
	h := hash3(uint32(level), uint32(lo), uint32(hi)) & uint32(len(g.heads)-1)
	for i := g.heads[h]; i != 0; i = g.nodes[i].next {
		if n := &g.nodes[i]; n.lo == lo && n.hi == hi && n.level == level {
			return ref(i)
		}
	}
	if len(g.nodes) >= len(g.heads) {
		if len(g.nodes) >= g.limit {
			g.full = true
			return undecided
		}
		g.grow()
		h = hash3(uint32(level), uint32(lo), uint32(hi)) & uint32(len(g.heads)-1)
	}
	i := uint32(len(g.nodes))
	g.nodes = append(g.nodes, node{lo, hi, g.heads[h], level})
	g.heads[h] = i
	return ref(i)
}

func hash3(a, b, c uint32) uint32 {
	h := uint64(a)*0x9e3779b97f4a7c15 ^ (uint64(b)<<32|uint64(c))*0xd6e8feb86659fd93
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
		h := hash3(uint32(n.level), uint32(n.lo), uint32(n.hi)) & mask
		n.next, g.heads[h] = g.heads[h], uint32(i)
	}
}

// look finds the result of an operation made before.
func (g *table) look(o op, a, b ref) (ref, bool) {
	e := &g.cache[hash3(uint32(o), uint32(a), uint32(b))&uint32(len(g.cache)-1)]
	return e.res, e.key == uint32(o)<<opShift|uint32(a) && e.b == b
}

// keep stores a result; an older one in its place is lost.
func (g *table) keep(o op, a, b, res ref) {
	g.cache[hash3(uint32(o), uint32(a), uint32(b))&uint32(len(g.cache)-1)] = cached{uint32(o)<<opShift | uint32(a), b, res}
}

// compose is the list a followed by the list b: b decides what a leaves. Of sets it is the union.
func (g *table) compose(a, b ref) ref {
	if a < outcomes {
		switch {
		case a&mayNext == 0:
			return a
		case a == no:
			return b
		case b < outcomes:
			return a&^mayNext | b
		}
	}
	if b == no || a == b {
		return a
	}
	return g.apply(opCompose, a, b)
}

// and is b inside the set a, and no outside.
func (g *table) and(a, b ref) ref {
	switch {
	case a == yes || a == b:
		return b
	case a == no || b == no:
		return no
	case b == yes:
		return a
	}
	return g.apply(opAnd, a, b)
}

// without is a outside the set b, and no inside.
func (g *table) without(a, b ref) ref {
	switch {
	case b == no || a == no:
		return a
	case b == yes || a == b:
		return no
	}
	return g.apply(opWithout, a, b)
}

// not is the complement of a set.
func (g *table) not(a ref) ref { return g.without(yes, a) }

// meet is what becomes of a packet that must pass both; each of a and b decides.
func (g *table) meet(a, b ref) ref {
	switch {
	case a == mayPermit || a == b:
		return b
	case b == mayPermit:
		return a
	case a == mayDeny || b == mayDeny:
		return mayDeny
	}
	return g.apply(opMeet, a, b)
}

// join is what becomes of a packet that may pass either way; each of a and b decides.
func (g *table) join(a, b ref) ref {
	switch {
	case a == mayDeny || a == b:
		return b
	case b == mayDeny:
		return a
	case a == mayPermit || b == mayPermit:
		return mayPermit
	}
	return g.apply(opJoin, a, b)
}

func (g *table) binary(o op, a, b ref) ref {
	switch o {
	case opCompose:
		return g.compose(a, b)
	case opAnd:
		return g.and(a, b)
	case opWithout:
		return g.without(a, b)
	case opMeet:
		return g.meet(a, b)
	}
	return g.join(a, b)
}

// apply is an operation that no short cut of its own decided.
func (g *table) apply(o op, a, b ref) ref {
	if g.full {
		return undecided
	}
	if r, ok := g.look(o, a, b); ok {
		return r
	}
	na, nb := g.nodes[a], g.nodes[b]
	l := min(na.level, nb.level)
	if l == lastLevel { // two outcomes: only a full table's remains come here
		return undecided
	}
	al, ah, bl, bh := a, a, b, b
	if na.level == l {
		al, ah = na.lo, na.hi
	}
	if nb.level == l {
		bl, bh = nb.lo, nb.hi
	}
	lo, hi := g.binary(o, al, bl), g.binary(o, ah, bh)
	var res ref
	switch { // most of a result is one of the operands: no need to search for it
	case na.level == l && lo == al && hi == ah:
		res = a
	case nb.level == l && lo == bl && hi == bh:
		res = b
	default:
		res = g.mk(l, lo, hi)
	}
	g.keep(o, a, b, res)
	return res
}

// relax lets every certain match also be none: what a rule decides that may match less than is known.
func (g *table) relax(a ref) ref { return g.remap(opRelax, a) }

// surely is the set of packets that are certainly permitted, maybe of those that may be.
func (g *table) surely(a ref) ref { return g.remap(opSurely, a) }
func (g *table) maybe(a ref) ref  { return g.remap(opMaybe, a) }

func (g *table) remap(o op, a ref) ref {
	if a < outcomes {
		switch {
		case o == opRelax:
			return a | mayNext
		case o == opSurely && a == mayPermit || o == opMaybe && a&mayPermit != 0:
			return yes
		}
		return no
	}
	if g.full {
		return undecided
	}
	if r, ok := g.look(o, a, 0); ok {
		return r
	}
	n := g.nodes[a]
	lo, hi := g.remap(o, n.lo), g.remap(o, n.hi)
	res := g.mk(n.level, lo, hi)
	g.keep(o, a, 0, res)
	return res
}

// hide is what may become of a packet when the bits of levels first to last-1 are free to choose the better way: permit,
// else undecided, else deny. a decides. Each range of levels needs a number of its own below 8.
func (g *table) hide(number, first, last int, a ref) ref {
	n := g.nodes[a]
	if a < outcomes || int(n.level) >= last {
		return a
	}
	if g.full {
		return undecided
	}
	o := opHide + op(number)
	if r, ok := g.look(o, a, 0); ok {
		return r
	}
	lo, hi := g.hide(number, first, last, n.lo), g.hide(number, first, last, n.hi)
	var res ref
	if int(n.level) >= first {
		res = g.join(lo, hi)
	} else {
		res = g.mk(n.level, lo, hi)
	}
	g.keep(o, a, 0, res)
	return res
}

// restrict fixes the first n bits of v from level base on, so that a does not test them any more.
func (g *table) restrict(a ref, base, n int, v []byte) ref {
	memo := map[ref]ref{}
	var walk func(ref) ref
	walk = func(a ref) ref {
		nd := g.nodes[a]
		switch {
		case int(nd.level) >= base+n:
			return a
		case int(nd.level) >= base:
			if bit(v, int(nd.level)-base) {
				return walk(nd.hi)
			}
			return walk(nd.lo)
		}
		if r, ok := memo[a]; ok {
			return r
		}
		lo, hi := walk(nd.lo), walk(nd.hi)
		r := g.mk(nd.level, lo, hi)
		memo[a] = r
		return r
	}
	return walk(a)
}
