package headerspace

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A Difference is packets that two filters treat differently because one rule decides in the first and another in the
// second.
type Difference struct {
	// Old and New are the deciding rules; Index -1 is the end of the filter.
	Old, New               RuleRef
	OldVerdict, NewVerdict Verdict
	Packet                 *Packet // one of them
}

// maxDifferences bounds the answer of Compare.
const maxDifferences = 1000

// Compare lists the pairs of rules, one of each filter, for which some packet is decided by the one in the first filter
// and by the other in the second, and not alike. Every kind of packet is compared, at every time; a filter before and
// after a change, say. more says that there are further pairs.
func Compare(old, new *facts.Device, oldScope, oldFilter, newScope, newFilter string) (diffs []Difference, more bool, err error) {
	a, b := New(old), New(new)
	a.begin()
	b.begin()
	defer a.Close()
	defer b.Close()
	both := New(&facts.Device{Platform: old.Platform})
	defer both.Close()
	fams, err := a.familiesOf(&Query{Scope: oldScope, Filter: oldFilter})
	if err != nil {
		return nil, false, err
	}
	var sides [2]side
	for _, fam := range fams {
		for n, x := range []struct {
			m           *Model
			scope, name string
		}{{a, oldScope, oldFilter}, {b, newScope, newFilter}} {
			st, err := x.m.filterStage(&Query{Scope: x.scope, Filter: x.name}, fam)
			if err != nil {
				return nil, false, err
			}
			i, _ := x.m.ix.filter(x.name, st.scope, fam)
			sides[n] = side{from: x.m, index: i, scope: [2]string{"old", "new"}[n]}
		}
		both.Close()
		both.lend(&sides)
		if diffs, more = both.differences(diffs, &sides, fam); both.g.full {
			return nil, false, errTooComplex
		}
	}
	return diffs, more, nil
}

// A side is a filter that is compared.
type side struct {
	from  *Model
	index int32 // in from
	scope string
	local int32 // in the model that holds both
	open  map[int]ref
}

// lend makes m hold both filters and what they refer to, each in a scope of its own.
func (m *Model) lend(sides *[2]side) {
	d := &facts.Device{Platform: m.d.Platform}
	books := map[filterKey][2]string{}
	for n := range sides {
		s := &sides[n]
		f := s.from.d.Filters[s.index]
		scoped := func(from string) (string, bool) {
			switch from {
			case f.Scope, "":
				return s.scope, true
			}
			b := s.from.ix.booksOf(&f)
			return s.scope + " " + from, from == b[0] || from == b[1]
		}
		if b := s.from.ix.booksOf(&f); b != [2]string{} {
			books[filterKey{s.scope, f.Name}] = [2]string{s.scope + " " + b[0], s.scope + " " + b[1]}
		}
		// What the filter's own scope defines comes before what is global.
		for _, own := range [2]bool{true, false} {
			for i := range s.from.d.Filters {
				o := s.from.d.Filters[i]
				if to, ok := scoped(o.Scope); ok && (o.Scope == f.Scope) == own {
					if int32(i) == s.index {
						s.local = int32(len(d.Filters))
					}
					o.Scope = to
					d.Filters = append(d.Filters, o)
				}
			}
			for _, g := range s.from.d.Groups {
				if to, ok := scoped(g.Scope); ok && (g.Scope == f.Scope) == own {
					g.Scope = to
					d.Groups = append(d.Groups, g)
				}
			}
		}
	}
	m.d = d
	m.begin()
	m.ix.books = books
	m.ix.places = newPlaces(d, true)
}

// differences adds what differs in one version of IP.
func (m *Model) differences(out []Difference, sides *[2]side, fam facts.Family) ([]Difference, bool) {
	base := len(m.pins)
	defer func() { m.pins = m.pins[:base] }()
	md := mode{family: fam, frags: bothKinds}
	for n := range sides {
		sides[n].open = map[int]ref{}
		m.pin(m.closed(sides[n].local, md))
	}
	differ := m.g.and(m.g.binary(opDiffer, posOf(m.pins[base]), posOf(m.pins[base+1])), m.anyWay())
	m.depth++ // from here on nothing is collected
	defer func() { m.depth-- }()
	for differ != no && !m.g.full {
		if len(out) == maxDifferences {
			return out, true
		}
		h := m.witness(&Query{}, fam)
		if !m.g.find(differ, yes, &h, func(o ref) bool { return o == yes }) {
			break
		}
		p := m.read(&h, fam)
		one := Difference{Packet: m.onWay(&p)}
		decided := yes
		for n, to := range [2]*RuleRef{&one.Old, &one.New} {
			s := &sides[n]
			f := &m.d.Filters[s.local]
			j := judge{m: m, p: &p, busy: []int32{s.local}}
			_, by, _ := j.verdict(s.local)
			verdict := (&fate{outcome: m.g.at(m.pins[base+n], &h)}).verdict()
			*to = RuleRef{Filter: f.Name, Scope: s.from.d.Filters[s.index].Scope, Index: by, Span: f.Span}
			if by >= 0 {
				to.Rule, to.Span = nameOfRule(f, by), f.Rules[by].Span
			}
			if n == 0 {
				one.OldVerdict = verdict
			} else {
				one.NewVerdict = verdict
			}
			decided = m.g.and(m.decidedBy(s, by, md), decided)
		}
		if !slices.ContainsFunc(out, func(o Difference) bool { return sameRules(o, one) }) {
			out = append(out, one)
		}
		differ = m.g.without(differ, decided)
	}
	return out, false
}

func sameRules(a, b Difference) bool {
	return a.Old == b.Old && a.New == b.New && a.OldVerdict == b.OldVerdict && a.NewVerdict == b.NewVerdict
}

// decidedBy is the set of packets whose first certain match is rule k of a side, -1 for those that have none.
func (m *Model) decidedBy(s *side, k int, md mode) ref {
	f := &m.d.Filters[s.local]
	if f.Unread != "" || len(f.Rules) == 0 {
		return yes
	}
	if r, ok := s.open[k]; ok {
		return r
	}
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: md, filter: f, books: m.ix.booksOf(f)}
	above := *f
	if k >= 0 {
		above.Rules = f.Rules[:k]
	}
	m.busy[s.local] = true
	r := m.g.open(m.fold(&above, md))
	if k >= 0 {
		r = m.g.without(r, m.g.open(c.rule(&f.Rules[k])))
	}
	delete(m.busy, s.local)
	s.open[k] = r
	return r
}
