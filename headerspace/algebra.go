package headerspace

// compose is the list a followed by the list b: b decides what a leaves. Of sets it is the union.
func (g *table) compose(a, b ref) ref { return g.binary(opCompose, posOf(a), posOf(b)) }

// and is b inside the set a, and no outside.
func (g *table) and(a, b ref) ref { return g.binary(opAnd, posOf(a), posOf(b)) }

// without is a outside the set b, and no inside.
func (g *table) without(a, b ref) ref { return g.binary(opWithout, posOf(a), posOf(b)) }

// not is the complement of a set.
func (g *table) not(a ref) ref { return g.without(yes, a) }

// meet is what becomes of a packet that must pass both; each of a and b decides.
func (g *table) meet(a, b ref) ref { return g.binary(opMeet, posOf(a), posOf(b)) }

// join is what becomes of a packet that may pass either way; each of a and b decides.
func (g *table) join(a, b ref) ref { return g.binary(opJoin, posOf(a), posOf(b)) }

// blend is what becomes of a packet that goes either of two ways, nobody knows which; each of a and b decides.
func (g *table) blend(a, b ref) ref { return g.binary(opBlend, posOf(a), posOf(b)) }

const (
	posPermit    = pos(mayPermit) << posShift
	posDeny      = pos(mayDeny) << posShift
	posUndecided = pos(undecided) << posShift
	posYes       = pos(yes) << posShift
	posNo        = pos(no) << posShift
	posNodes     = pos(outcomes) << posShift
)

// short is the result of an operation that needs no look at both operands.
func (g *table) short(o op, a, b pos) (ref, bool) {
	switch o {
	case opCompose:
		switch {
		case a == posNo:
			return g.ref(b), true
		case a < posNodes && ref(a>>posShift)&mayNext == 0:
			return ref(a >> posShift), true
		case b == posNo || a == b:
			return g.ref(a), true
		case a < posNodes && b < posNodes:
			return ref(a>>posShift)&^mayNext | ref(b>>posShift), true
		}
	case opAnd:
		switch {
		case a == posYes || a == b:
			return g.ref(b), true
		case a == posNo || b == posNo:
			return no, true
		case b == posYes:
			return g.ref(a), true
		}
	case opWithout:
		switch {
		case b == posNo || a == posNo:
			return g.ref(a), true
		case b == posYes || a == b:
			return no, true
		}
	case opMeet:
		switch {
		case a == posPermit || a == b:
			return g.ref(b), true
		case b == posPermit:
			return g.ref(a), true
		case a == posDeny || b == posDeny:
			return mayDeny, true
		}
	case opJoin:
		switch {
		case a == posDeny || a == b:
			return g.ref(b), true
		case b == posDeny:
			return g.ref(a), true
		case a == posPermit || b == posPermit:
			return mayPermit, true
		}
	case opBlend:
		switch {
		case a == b:
			return g.ref(a), true
		case a == posUndecided || b == posUndecided:
			return undecided, true
		}
	case opDiffer:
		switch {
		case a == b:
			return no, true
		case a < posNodes && b < posNodes:
			return yes, true
		}
	default: // the others have one operand
	}
	if a < posNodes && b < posNodes { // both undecided, or permit and deny blended
		return undecided, true
	}
	return 0, false
}

func (g *table) binary(o op, a, b pos) ref {
	if r, ok := g.short(o, a, b); ok {
		return r
	}
	if g.full {
		return undecided
	}
	if r, ok := g.look(o, a, b); ok {
		return r
	}
	s := g.step(a, b)
	miss := g.binary(o, s.aMiss, s.bMiss)
	hit := g.binary(o, s.aHit, s.bHit)
	r := g.chain(s.level, s.size, s.value, miss, hit)
	g.keep(o, a, b, r)
	return r
}

// look finds the result of an operation made before.
func (g *table) look(o op, a, b pos) (ref, bool) {
	ka, kb := uint32(o)<<opShift|uint32(a), uint32(o>>3)<<opShift|uint32(b)
	e := &g.cache[hash4(0, 0, ka, kb)&uint32(len(g.cache)-1)]
	return e.res, e.a == ka && e.b == kb && e.res != 0
}

// keep stores a result; an older one in its place is lost.
func (g *table) keep(o op, a, b pos, r ref) {
	ka, kb := uint32(o)<<opShift|uint32(a), uint32(o>>3)<<opShift|uint32(b)
	g.cache[hash4(0, 0, ka, kb)&uint32(len(g.cache)-1)] = cached{ka, kb, r}
}

// relax lets every certain match also be none: what a rule decides that may match less than is known.
func (g *table) relax(a ref) ref { return g.remap(opRelax, a) }

// back lets what a filter ended without a decision be what it leaves undecided.
func (g *table) back(a ref) ref { return g.remap(opBack, a) }

// surely is the set of packets that are certainly permitted, maybe of those that may be.
func (g *table) surely(a ref) ref { return g.remap(opSurely, a) }
func (g *table) maybe(a ref) ref  { return g.remap(opMaybe, a) }

// remap changes the outcomes of a diagram.
func (g *table) remap(o op, a ref) ref {
	if a < outcomes {
		switch {
		case o == opRelax:
			return a | mayNext
		case o == opSurely && a == mayPermit, o == opMaybe && a&mayPermit != 0,
			o == opMatched && a != no, o == opOpen && a&mayNext != 0:
			return yes
		case o == opBack:
			if a&mayBack != 0 {
				a = a&^mayBack | mayNext
			}
			return a
		}
		return no
	}
	if g.full {
		return undecided
	}
	if r, ok := g.look(o, posOf(a), 0); ok {
		return r
	}
	n := g.nodes[a]
	r := g.chain(n.level, n.size, n.value, g.remap(o, n.miss), g.remap(o, n.hit))
	g.keep(o, posOf(a), 0, r)
	return r
}

// Ranges of levels that are hidden have a number each, for the cache.
const (
	hideDstPort = iota
	hideSrcPort
	spreadDstPort
	spreadSrcPort
	spreadAddress // only within one call of spread
)

// hide is what may become of a packet when the bits of levels first to last-1 are free to choose the better way: permit,
// else undecided, else deny. a decides.
func (g *table) hide(number, first, last int, a ref) ref {
	return g.free(opHide+op(number), opJoin, first, last, posOf(a))
}

// spread is everything that may become of a packet whose bits of levels first to last-1 are not known. a decides.
func (g *table) spread(number, first, last int, a ref) ref {
	return g.free(opHide+op(number), opBlend, first, last, posOf(a))
}

func (g *table) free(o, with op, first, last int, p pos) ref {
	c := g.part(p)
	if int(c.level) >= last || g.full { // outcomes are below every level
		return g.ref(p)
	}
	if r, ok := g.look(o, p, 0); ok {
		return r
	}
	var r ref
	if int(c.level) < first {
		n := uint8(min(int(c.size), first-int(c.level)))
		miss, hit := g.free(o, with, first, last, c.miss), g.free(o, with, first, last, c.after(p, n))
		r = g.chain(c.level, n, c.value, miss, hit)
	} else {
		n := uint8(min(int(c.size), last-int(c.level)))
		miss, hit := g.free(o, with, first, last, c.miss), g.free(o, with, first, last, c.after(p, n))
		r = g.binary(with, posOf(miss), posOf(hit))
	}
	g.keep(o, p, 0, r)
	return r
}

// restrict fixes the first n bits of v from level base on, so that a does not test them any more.
func (g *table) restrict(a ref, base, n int, v []byte) ref {
	memo := map[pos]ref{}
	var walk func(pos) ref
	walk = func(p pos) ref {
		c := g.part(p)
		l := int(c.level)
		if l >= base+n || g.full {
			return g.ref(p)
		}
		if r, ok := memo[p]; ok {
			return r
		}
		var r ref
		if l < base {
			k := uint8(min(int(c.size), base-l))
			miss, hit := walk(c.miss), walk(c.after(p, k))
			r = g.chain(c.level, k, c.value, miss, hit)
		} else {
			k := uint8(0)
			for int(k) < min(int(c.size), base+n-l) && c.value<<k>>31 != 0 == bit(v, l-base+int(k)) {
				k++
			}
			if int(k) == min(int(c.size), base+n-l) {
				r = walk(c.after(p, k))
			} else {
				r = walk(c.miss)
			}
		}
		memo[p] = r
		return r
	}
	return walk(posOf(a))
}
