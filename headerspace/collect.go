package headerspace

// collect drops every node that no root reaches and slides the rest together, which keeps children before parents. All
// refs held elsewhere become invalid: roots must call visit with each one that is to survive.
func (g *table) collect(roots func(visit func(*ref))) {
	const gone, kept = 0, 1
	to := g.marks(len(g.nodes))
	roots(func(r *ref) { to[*r] = kept })
	for i := len(g.nodes) - 1; i >= int(outcomes); i-- {
		if to[i] == kept {
			to[g.nodes[i].miss], to[g.nodes[i].hit] = kept, kept
		}
	}
	for i := range outcomes {
		to[i] = i
	}
	n := outcomes
	for i := int(outcomes); i < len(g.nodes); i++ {
		if to[i] == gone {
			continue
		}
		g.nodes[n] = g.nodes[i]
		g.nodes[n].miss, g.nodes[n].hit = to[g.nodes[i].miss], to[g.nodes[i].hit]
		to[i] = n
		n++
	}
	roots(func(r *ref) { *r = to[*r] })
	g.nodes = g.nodes[:n]
	g.live = int(n)
	g.rehash()
	clear(g.cache)
}

// marks is cleared scratch of n refs.
func (g *table) marks(n int) []ref {
	if cap(g.mark) < n {
		g.mark = make([]ref, n+n/2)
	}
	g.mark = g.mark[:n]
	clear(g.mark)
	return g.mark
}

// A fold composes a list of diagrams, in order, as a balanced tree: adjacent parts of like length are composed first,
// so that a part meets only parts of its own size.
type fold struct {
	g     *table
	parts []piece
}

type piece struct {
	r ref
	n int
}

func (f *fold) push(r ref) {
	f.parts = append(f.parts, piece{r, 1})
	for k := len(f.parts); k > 1 && f.parts[k-2].n <= f.parts[k-1].n; k-- {
		f.parts[k-2] = piece{f.g.compose(f.parts[k-2].r, f.parts[k-1].r), f.parts[k-2].n + f.parts[k-1].n}
		f.parts = f.parts[:k-1]
	}
}

// closed reports whether no later part can matter.
func (f *fold) closed() bool {
	return len(f.parts) > 0 && f.parts[0].r < outcomes && f.parts[0].r&mayNext == 0
}

// result composes what there is; no when there is nothing.
func (f *fold) result() ref {
	r := no
	for i := len(f.parts) - 1; i >= 0; i-- {
		r = f.g.compose(f.parts[i].r, r)
	}
	f.parts = f.parts[:0]
	return r
}
