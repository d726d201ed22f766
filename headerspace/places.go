package headerspace

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// places tell apart the ways in and out that rules name. Two ways that every rule treats alike are of one class, and the
// class is a field of the header: a question that names its way fixes it, any other is about all ways there are. Class 0
// is no class; nowhere is the class of what no name is about, and of what the device itself sends or is sent.
type places struct {
	names   []placeName       // every name of rules, sorted
	classes map[string]uint16 // by which of names hold, a byte each
	holds   []string          // by class: the same
	shown   []string          // by class: a way of it, for answers
	of      []uint16          // by interface
	at      map[placeName]int // where in names
	valid   []uint64          // classes of ways that exist
	merged  bool              // names of all scopes are the same names
}

// A placeName is a name in a filter's scope.
type placeName struct{ scope, name string }

// nowhere is the class of what no rule's name is about.
const nowhere = 1

// newPlaces is nil when no rule names a way. merged takes names of all scopes for the same names.
func newPlaces(d *facts.Device, merged bool) *places {
	p := &places{classes: map[string]uint16{}, holds: []string{""}, shown: []string{""}, at: map[placeName]int{}, merged: merged}
	seen := map[placeName]bool{}
	var walk func(scope string, m *facts.Match)
	walk = func(scope string, m *facts.Match) {
		for _, w := range [2]*facts.Places{&m.In, &m.Out} {
			for _, n := range w.Names {
				seen[p.name(scope, n)] = true
			}
		}
		for i := range m.AnyOf {
			walk(scope, &m.AnyOf[i])
		}
		for i := range m.AllOf {
			walk(scope, &m.AllOf[i])
		}
	}
	stated := false
	for i := range d.Filters {
		f := &d.Filters[i]
		for k := range f.Rules {
			m := &f.Rules[k].Match
			stated = stated || m.In.Present || m.Out.Present
			walk(f.Scope, m)
		}
	}
	if len(seen) == 0 && !stated {
		return nil
	}
	for n := range seen {
		p.names = append(p.names, n)
	}
	slices.SortFunc(p.names, func(a, b placeName) int {
		if c := strings.Compare(a.scope, b.scope); c != 0 {
			return c
		}
		return strings.Compare(a.name, b.name)
	})
	for k, n := range p.names {
		p.at[n] = k
	}
	p.class("", func(placeName) bool { return false })
	scopes := map[string]bool{}
	for i := range d.Interfaces {
		scopes[d.Interfaces[i].Scope] = true
	}
	valid := map[uint16]bool{}
	taken := make([]bool, len(p.names)) // names of ways that are known
	for i := range d.Interfaces {
		f := &d.Interfaces[i]
		c := p.class(f.Name, func(n placeName) bool { return p.isOf(n, f, scopes) })
		p.of = append(p.of, c)
		valid[c] = valid[c] || !facts.On(f.Shutdown)
		for k := range p.names {
			taken[k] = taken[k] || p.holds[c][k] != 0
		}
	}
	// A name that no known interface has is a way of its own: a zone, or an interface the evidence does not list.
	for k, n := range p.names {
		if !taken[k] && !strings.HasSuffix(n.name, "*") {
			valid[p.named(n.scope, n.name)] = true
		}
	}
	if len(d.Interfaces) == 0 || len(valid) == 0 {
		valid[nowhere] = true
	}
	for c, ok := range valid {
		if ok {
			p.valid = append(p.valid, uint64(c))
		}
	}
	slices.Sort(p.valid)
	return p
}

func (p *places) name(scope, name string) placeName {
	if p.merged {
		scope = ""
	}
	return placeName{scope, name}
}

// isOf reports whether name n is about interface f. A scope that is none of an interface's does not restrict it.
func (p *places) isOf(n placeName, f *facts.Interface, scopes map[string]bool) bool {
	if n.scope != "" && f.Scope != "" && n.scope != f.Scope && scopes[n.scope] {
		return false
	}
	return sameName(n.name, f.Name) || f.Alias != "" && sameName(n.name, f.Alias) || f.Zone != "" && sameName(n.name, f.Zone) ||
		slices.ContainsFunc(f.Lists, func(l string) bool { return sameName(n.name, l) })
}

// sameName reports whether a rule's name, which may end in "*", is about name.
func sameName(rule, name string) bool {
	if s, ok := strings.CutSuffix(rule, "*"); ok {
		return strings.HasPrefix(name, s)
	}
	return rule == name
}

// class is the class of a way, made when it is new.
func (p *places) class(shown string, is func(placeName) bool) uint16 {
	b := make([]byte, len(p.names))
	for i, n := range p.names {
		if is(n) {
			b[i] = 1
		}
	}
	if c, ok := p.classes[string(b)]; ok {
		return c
	}
	if len(p.holds) > maxClasses {
		return 0
	}
	c := uint16(len(p.holds))
	p.classes[string(b)] = c
	p.holds = append(p.holds, string(b))
	p.shown = append(p.shown, shown)
	return c
}

// maxClasses is one less than the field of the header can hold; a way beyond is any.
const maxClasses = 1<<16 - 2

// named is the class of a way of which only a name is known: a device zone, or an interface the evidence does not list.
func (p *places) named(scope, name string) uint16 {
	return p.class(name, func(n placeName) bool {
		return sameName(n.name, name) && (n.scope == scope || scope == "" || n.scope == "")
	})
}

// ends are the classes of a route's ways in and out; 0 where it states none.
func (m *Model) ends(r *route) (in, out uint16) {
	if m.ix.places == nil {
		return 0, 0
	}
	in, out = m.end(r.in, r.from, r.scope), m.end(r.out, r.to, r.scope)
	switch {
	case r.self && r.in == nil:
		in = nowhere
	case r.self:
		out = nowhere
	}
	return in, out
}

func (m *Model) end(f *facts.Interface, zone, scope string) uint16 {
	p := m.ix.places
	switch {
	case f != nil:
		for i := range m.d.Interfaces {
			if f == &m.d.Interfaces[i] {
				return p.of[i]
			}
		}
		return p.named(f.Scope, f.Name)
	case zone == self:
		return nowhere
	case zone != "":
		return p.named(scope, zone)
	}
	return 0
}

// has reports whether a rule of some filter names a way so.
func (p *places) has(name string) bool {
	return p != nil && slices.ContainsFunc(p.names, func(n placeName) bool { return n.name == name })
}

// find is where a name of rules stands in names.
func (p *places) find(scope, name string) (int, bool) {
	if p == nil {
		return 0, false
	}
	k, ok := p.at[p.name(scope, name)]
	return k, ok
}

// holdsIn reports whether a condition on a way is about a class.
func (p *places) holdsIn(c *facts.Places, scope string, class uint16) bool {
	one := slices.ContainsFunc(c.Names, func(n string) bool {
		return p.holds[class][p.at[p.name(scope, n)]] != 0
	})
	return one != c.Not
}

func placesStated(p *facts.Places) bool { return p.Present || len(p.Names) > 0 || p.Not }

// anyWay is the set of packets on ways that exist.
func (m *Model) anyWay() ref {
	p := m.ix.places
	if p == nil {
		return yes
	}
	return m.g.and(m.g.values(atIn, 16, p.valid, yes), m.g.values(atOut, 16, p.valid, yes))
}

// way is the set of packets whose way in (out) a condition is about, where the compilation does not fix the way.
func (c *compiler) way(p *facts.Places, class uint16, base int) ref {
	if !placesStated(p) {
		return yes
	}
	x := c.m.ix.places
	if class != 0 {
		if x.holdsIn(p, c.filter.Scope, class) {
			return yes
		}
		return no
	}
	var in []uint64
	for k := 1; k < len(x.holds); k++ {
		if x.holdsIn(p, c.filter.Scope, uint16(k)) != p.Not {
			in = append(in, uint64(k))
		}
	}
	set := c.g.values(base, 16, in, yes)
	if p.Not {
		set = c.g.not(set)
	}
	return set
}

// conn is the set of packets in one of some states of connection tracking. What is related opens nothing by itself.
func (c *compiler) conn(s facts.ConnState) ref {
	set := no
	for _, t := range [...]struct {
		is    facts.ConnState
		state uint64
	}{{facts.ConnNew, stateOpening}, {facts.ConnEstablished, stateOpen}, {facts.ConnInvalid, stateOther}} {
		if s&t.is != 0 {
			set = c.g.compose(set, c.g.value(atState, 2, t.state, yes, no))
		}
	}
	return set
}

// inConn is conn for one packet.
func inConn(s facts.ConnState, state uint8) bool {
	switch state {
	case stateOpening:
		return s&facts.ConnNew != 0
	case stateOpen:
		return s&facts.ConnEstablished != 0
	}
	return s&facts.ConnInvalid != 0
}
