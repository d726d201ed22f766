package junos

import (
	"bytes"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Configuration groups are expanded the way "show configuration | display inheritance" shows them ("Configuration Groups
// Overview", Junos CLI User Guide): at every apply-groups, innermost first, the statements a group has at the same place
// are added below it, unless they are there already. A word in angle brackets stands for every name it matches that
// exists. apply-groups-except keeps a group away from a statement and what lies below.

// A place is an apply-groups statement and where it stands.
type place struct {
	apply, target int32
	group         int32 // it is inside of; none outside groups
	depth         int
}

// expand copies what groups give into the tree.
func (p *parser) expand() {
	if p.groups == none {
		return
	}
	x := expander{parser: p, budget: 16*len(p.t.Nodes) + 100_000, nested: map[int32][]place{}, state: map[int32]visit{}}
	places := x.places()
	for _, at := range places {
		x.apply(at)
	}
	if x.budget <= 0 {
		p.cut = true
		p.note(facts.NoteLimit, p.groups, "configuration groups give more statements than are read")
	}
	p.ranges()
}

// An expander expands groups within a budget of statements looked at: groups of groups multiply.
type expander struct {
	*parser
	budget int
	nested map[int32][]place // of a group: the apply-groups statements inside it
	state  map[int32]visit
}

// A visit is how far a group's own apply-groups are expanded.
type visit uint8

const (
	unvisited visit = iota
	visiting
	visited
)

// apply adds what the groups of one place give.
func (x *expander) apply(at place) {
	for c := x.first(at.apply); c != none; c = x.next(c) {
		for _, g := range x.groupsNamed(c) {
			x.complete(g)
			x.inherit(at, g)
		}
	}
}

// complete expands the groups that group g itself applies. A group that applies itself in a circle adds nothing more.
func (x *expander) complete(g int32) {
	if x.state[g] != unvisited {
		return
	}
	x.state[g] = visiting
	for _, at := range x.nested[g] {
		x.apply(at)
	}
	x.state[g] = visited
}

// places are the active apply-groups statements outside groups, innermost first; those inside are kept by group.
func (x *expander) places() []place {
	p := x.parser
	var out []place
	off := make([]bool, len(p.t.Nodes))
	group := make([]int32, len(p.t.Nodes)) // the group a node is in, or is
	depth := make([]uint8, len(p.t.Nodes))
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		group[i] = none
		if n.Parent >= 0 {
			off[i], group[i], depth[i] = off[n.Parent], group[n.Parent], depth[n.Parent]+1
			if n.Parent == p.groups {
				group[i] = int32(i)
			}
		}
		off[i] = off[i] || n.Flags&tree.Inactive != 0
		if off[i] || n.Flags&(tree.Comment|tree.Again) != 0 || !p.is(int32(i), "apply-groups") {
			continue
		}
		at := place{int32(i), n.Parent, group[i], int(depth[i])}
		switch {
		case at.group != none:
			x.nested[at.group] = append(x.nested[at.group], at)
		case int32(i) != p.groups:
			out = append(out, at)
		}
	}
	inner := func(a, b place) int { return b.depth - a.depth }
	slices.SortStableFunc(out, inner)
	for _, list := range x.nested {
		slices.SortStableFunc(list, inner)
	}
	return out
}

// groupsNamed are the groups word c names: one, or those of both nodes of a chassis cluster for "${node}" (Junos,
// "apply-groups ${node}": each node takes its own group; a backup holds both).
func (p *parser) groupsNamed(c int32) []int32 {
	if p.is(c, "${node}") || p.is(c, "${re}") {
		var out []int32
		for _, name := range [...]string{"node0", "node1", "re0", "re1"} {
			if g := p.kid(p.groups, name); g != none && (name[0] == 'n') == p.is(c, "${node}") {
				out = append(out, g)
			}
		}
		return out
	}
	g := p.kid(p.groups, string(p.bytes(c)))
	if g == none {
		if p.t.Child(p.groups, string(p.bytes(c))) == none && !p.is(c, "junos-defaults") {
			p.note(facts.NoteUnread, c, "configuration group %q is applied and not in this evidence", p.bytes(c))
		}
		return nil
	}
	return []int32{g}
}

// inherit adds group g's statements for a place.
func (x *expander) inherit(at place, g int32) {
	p := x.parser
	var path []int32
	for n := at.target; n >= 0 && n != at.group; n = p.t.Nodes[n].Parent {
		path = append(path, n)
	}
	from := []int32{g}
	for i := len(path) - 1; i >= 0 && len(from) > 0; i-- {
		if p.excepts(path[i], g) {
			return
		}
		var exact, wild []int32
		for _, f := range from {
			for c := p.first(f); c != none && x.budget > 0; c = p.next(c) {
				x.budget--
				switch {
				case bytes.Equal(p.bytes(c), p.bytes(path[i])):
					exact = append(exact, c)
				case wildcard(p.bytes(c)) && matches(p.bytes(c), p.bytes(path[i])):
					wild = append(wild, c)
				}
			}
		}
		from = append(exact, wild...)
	}
	target := at.target
	if target == none && at.group != none {
		target = at.group
	}
	for _, f := range from {
		if f != target {
			x.add(target, f, g)
		}
	}
}

// add gives target (none is the top) what lies below from.
func (x *expander) add(target, from, g int32) {
	p := x.parser
	for c := p.first(from); c != none && x.budget > 0; c = p.next(c) {
		x.budget--
		word := p.bytes(c)
		if bytes.HasPrefix(word, []byte("apply-groups")) {
			continue
		}
		if !wildcard(word) || p.inside(target) {
			k, made := p.t.Graft(target, c)
			if k != c && (made || !p.off(k) && !p.excepts(k, g)) {
				x.add(k, c, g)
			}
			continue
		}
		last := p.lastChild(target) // those added meanwhile are this group's own
		for k := p.firstAt(target); k != none && x.budget > 0; k = p.next(k) {
			x.budget--
			if matches(word, p.bytes(k)) && k != p.groups && !p.excepts(k, g) {
				x.add(k, c, g)
			}
			if k == last {
				break
			}
		}
	}
}

// inside reports whether n is in a group, where wildcards are passed on as they are.
func (p *parser) inside(n int32) bool {
	for ; n >= 0; n = p.t.Nodes[n].Parent {
		if n == p.groups {
			return true
		}
	}
	return false
}

func (p *parser) lastChild(n int32) int32 {
	last := none
	for c := p.firstAt(n); c != none; c = p.next(c) {
		last = c
	}
	return last
}

// excepts reports whether n keeps group g away.
func (p *parser) excepts(n, g int32) bool {
	if g == none {
		return false
	}
	return p.kid(p.kid(n, "apply-groups-except"), string(p.bytes(g))) != none
}

// wildcard reports whether a group's word stands for several names: "<*>", "<ge-*>".
func wildcard(b []byte) bool { return len(b) > 2 && b[0] == '<' && b[len(b)-1] == '>' }

// matches reports whether name fits pattern, in angle brackets or not: * any characters, ? one, [a-z] and [!a-z] one of a
// set ("Using Wildcards with Configuration Groups", Junos CLI User Guide). apply-groups never matches.
func matches(pattern, name []byte) bool {
	if bytes.HasPrefix(name, []byte("apply-groups")) {
		return false
	}
	if wildcard(pattern) {
		pattern = pattern[1 : len(pattern)-1]
	}
	// Backtracking goes to the last star only, which is enough for globs and keeps the work to len(pattern)*len(name).
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(name) {
		if i < len(pattern) {
			if pattern[i] == '*' {
				star, mark = i, j
				i++
				continue
			}
			if n, ok := oneOf(pattern[i:], name[j]); ok {
				i += n
				j++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		i, j = star+1, mark
	}
	for i < len(pattern) && pattern[i] == '*' {
		i++
	}
	return i == len(pattern)
}

// oneOf matches one character of a pattern and says how long it is there.
func oneOf(pattern []byte, c byte) (width int, ok bool) {
	switch pattern[0] {
	case '?':
		return 1, true
	case '[':
		end := bytes.IndexByte(pattern, ']')
		if end < 2 {
			return 1, c == '['
		}
		set := pattern[1:end]
		not := set[0] == '!' || set[0] == '^'
		if not {
			set = set[1:]
		}
		in := false
		for k := 0; k < len(set); k++ {
			if k+2 < len(set) && set[k+1] == '-' {
				in = in || set[k] <= c && c <= set[k+2]
				k += 2
				continue
			}
			in = in || set[k] == c
		}
		return end + 1, in != not
	}
	return 1, pattern[0] == c
}

// ranges copies what an interface range says to its members ("interface-range", Junos CLI reference): members named, and
// those that exist and fit a pattern. What a member says itself comes first.
func (p *parser) ranges() {
	interfaces := p.at(none, "interfaces")
	list := p.kid(interfaces, "interface-range")
	for r := p.first(list); r != none; r = p.next(r) {
		x := expander{parser: p, budget: 4*len(p.t.Nodes) + 10_000}
		members := p.kid(r, "member")
		for m := p.first(members); m != none && x.budget > 0; m = p.next(m) {
			word := p.bytes(m)
			if !bytes.ContainsAny(word, "*?[") {
				k, _ := p.t.Graft(interfaces, m)
				x.addUnits(k, r)
				continue
			}
			for k, last := p.first(interfaces), p.lastChild(interfaces); k != none; k = p.next(k) {
				if matches(word, p.bytes(k)) && p.kid(k, "unit") != none {
					x.addUnits(k, r)
				}
				if k == last {
					break
				}
			}
		}
	}
}

// addUnits gives interface k the units of range r.
func (x *expander) addUnits(k, r int32) {
	unit := x.kid(r, "unit")
	if unit == none || x.off(k) {
		return
	}
	to, _ := x.t.Graft(k, unit)
	x.add(to, unit, none)
}
