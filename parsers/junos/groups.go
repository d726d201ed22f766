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

// A place is an apply-groups statement with the words that lead to it.
type place struct {
	apply, target int32
	depth         int
}

// expand copies what groups give into the tree.
func (p *parser) expand() {
	if p.groups == none {
		return
	}
	places := p.places()
	budget := 16*len(p.t.Nodes) + 100_000
	for _, at := range places {
		for c := p.first(at.apply); c != none; c = p.next(c) {
			for _, g := range p.groupsNamed(c) {
				if budget = p.inherit(at, g, budget); budget <= 0 {
					p.cut = true
					p.note(facts.NoteLimit, at.apply, "configuration groups give more statements than are read")
					return
				}
			}
		}
	}
}

// places are the active apply-groups statements outside groups, innermost first.
func (p *parser) places() []place {
	var out []place
	inside := make([]bool, len(p.t.Nodes)) // below groups, or switched off
	depth := make([]uint8, len(p.t.Nodes))
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Parent >= 0 {
			inside[i] = inside[n.Parent]
			depth[i] = depth[n.Parent] + 1
		}
		if int32(i) == p.groups || n.Flags&tree.Inactive != 0 {
			inside[i] = true
		}
		if n.Flags&tree.Comment != 0 || !p.is(int32(i), "apply-groups") {
			continue
		}
		if inside[i] {
			p.t.MarkAll(int32(i), facts.Understood)
			if n.Flags&tree.Inactive == 0 && n.First != none && p.inGroups(int32(i)) {
				p.unsupportedApply(int32(i))
			}
			continue
		}
		out = append(out, place{int32(i), n.Parent, int(depth[i])})
	}
	slices.SortStableFunc(out, func(a, b place) int { return b.depth - a.depth })
	return out
}

func (p *parser) inGroups(n int32) bool {
	for ; n >= 0; n = p.t.Nodes[n].Parent {
		if n == p.groups {
			return true
		}
	}
	return false
}

// unsupportedApply accounts for a group that applies another one, which is not followed.
func (p *parser) unsupportedApply(n int32) {
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		p.t.Nodes[c].State = facts.Unrecognised
	}
	p.t.Nodes[n].State = facts.Unrecognised
	p.unsupported(n, "a group that applies another group is not expanded")
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

// inherit adds group g's statements for the place at, and gives back what is left of the budget.
func (p *parser) inherit(at place, g int32, budget int) int {
	var path []int32
	for n := at.target; n >= 0; n = p.t.Nodes[n].Parent {
		path = append(path, n)
	}
	from := []int32{g}
	for i := len(path) - 1; i >= 0 && len(from) > 0; i-- {
		if p.excepts(path[i], g) {
			return budget
		}
		var exact, wild []int32
		for _, f := range from {
			for c := p.first(f); c != none; c = p.next(c) {
				budget--
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
	for _, f := range from {
		budget = p.add(at.target, f, g, budget)
	}
	return budget
}

// add gives target (none is the top) what lies below from.
func (p *parser) add(target, from, g int32, budget int) int {
	for c := p.first(from); c != none && budget > 0; c = p.next(c) {
		budget--
		word := p.bytes(c)
		if bytes.HasPrefix(word, []byte("apply-groups")) {
			continue
		}
		if !wildcard(word) {
			k, made := p.t.Graft(target, c)
			if made || !p.off(k) && !p.excepts(k, g) {
				budget = p.add(k, c, g, budget)
			}
			continue
		}
		last := p.lastChild(target) // those added meanwhile are this group's own
		for k := p.firstAt(target); k != none; k = p.next(k) {
			budget--
			if matches(word, p.bytes(k)) && k != p.groups && !p.excepts(k, g) {
				budget = p.add(k, c, g, budget)
			}
			if k == last {
				break
			}
		}
	}
	return budget
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
