package headerspace

import (
	"errors"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A DeadRule is a rule that no packet reaches.
type DeadRule struct {
	RuleRef
	// CoveredBy are rules that take its packets before it, in their order; at most maxCovers of them. Empty: the rule
	// matches nothing by itself.
	CoveredBy []RuleRef
	// More says that there are others.
	More bool
	// Disagrees says that one of CoveredBy does something else with its packets than the rule would.
	Disagrees bool
}

var errTooComplex = errors.New("the filter is too complex to be decided")

// maxCovers bounds DeadRule.CoveredBy.
const maxCovers = 8

// Unreachable lists the rules of a filter that no packet of any kind reaches: of both versions of IP, of every fragment,
// TCP state, application and time. What earlier rules may let pass because they were not understood counts as reached.
// The error says that there is no such filter, or that it is too complex.
func (m *Model) Unreachable(scope, filter string) ([]DeadRule, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	q := Query{Scope: scope, Filter: filter}
	fams, err := m.familiesOf(&q)
	if err != nil {
		return nil, err
	}
	var st stage
	dead := map[int]*DeadRule{}
	var f *facts.Filter
	for n, fam := range fams {
		if st, err = m.filterStage(&q, fam); err != nil {
			return nil, err
		}
		i, _ := m.ix.filter(filter, st.scope, fam)
		f = &m.d.Filters[i]
		found := m.deadIn(f, i, fam)
		if m.g.full {
			return nil, errTooComplex
		}
		if n == 0 {
			dead = found
			continue
		}
		for k, a := range dead { // alive in one version is alive
			if b, ok := found[k]; !ok {
				delete(dead, k)
			} else if len(a.CoveredBy) == 0 {
				dead[k] = b
			}
		}
	}
	out := make([]DeadRule, 0, len(dead))
	for _, r := range dead {
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b DeadRule) int { return a.Index - b.Index })
	return out, nil
}

// deadIn are the rules of f that no packet of a family reaches, by place.
func (m *Model) deadIn(f *facts.Filter, i int32, fam facts.Family) map[int]*DeadRule {
	md := mode{family: fam, frags: bothKinds}
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: md, filter: f, books: m.ix.booksOf(f)}
	dead := map[int]*DeadRule{}
	if f.Unread != "" {
		return dead
	}
	m.busy[i] = true
	defer delete(m.busy, i)
	m.depth++
	defer func() { m.depth-- }()
	m.pin(m.anyWay())
	defer func() { m.pins = m.pins[:len(m.pins)-1] }()
	above := &fold{g: m.g}
	m.folds = append(m.folds, above)
	defer func() { m.folds = m.folds[:len(m.folds)-1] }()
	for k := range f.Rules {
		r := &f.Rules[k]
		if facts.On(r.Inactive) || r.Action == facts.Next {
			continue
		}
		d := c.rule(r)
		set := m.g.and(m.g.matched(d), m.pins[len(m.pins)-1])
		if !m.passes(above, set, &header{}) {
			dead[k] = m.coveredBy(f, i, k, set, fam)
		}
		if m.g.full {
			return nil
		}
		above.push(d)
		m.tidy()
	}
	return dead
}

// matched is the set of packets that a rule decides or may decide.
func (g *table) matched(d ref) ref { return g.remap(opMatched, d) }

// open is the set of packets that a list leaves, or may leave, undecided.
func (g *table) open(d ref) ref { return g.remap(opOpen, d) }

// passes reports whether a packet of the set may get past all parts of a list, and sets h to one, near to what it was.
func (m *Model) passes(above *fold, set ref, h *header) bool {
	past := func(o ref) bool { return o&mayNext != 0 }
	any := func(ref) bool { return true }
	switch {
	case set == no:
		return false
	case len(above.parts) == 0:
		return m.g.find(yes, set, h, any)
	case !m.g.find(above.parts[0].r, set, h, past):
		return false
	case !slices.ContainsFunc(above.parts[1:], func(p piece) bool { return !past(m.g.at(p.r, h)) }):
		return true // mostly a packet that gets past the largest part gets past the others
	}
	for _, p := range above.parts {
		if set = m.g.and(m.g.open(p.r), set); set == no {
			return false
		}
	}
	return m.g.find(yes, set, h, any)
}

// coveredBy tells who takes the packets of dead rule k.
func (m *Model) coveredBy(f *facts.Filter, i int32, k int, set ref, fam facts.Family) *DeadRule {
	name := func(k int) RuleRef {
		return RuleRef{Filter: f.Name, Scope: f.Scope, Index: k, Rule: nameOfRule(f, k), Span: f.Rules[k].Span}
	}
	out := &DeadRule{RuleRef: name(k)}
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: mode{family: fam, frags: bothKinds}, filter: f, books: m.ix.booksOf(f)}
	for set != no && !m.g.full {
		h := header{}
		m.g.find(set, yes, &h, func(o ref) bool { return o == yes })
		p := m.read(&h, fam)
		j := judge{m: m, p: &p, busy: []int32{i}}
		_, by, _ := j.verdict(i)
		if by < 0 || by >= k {
			break // cannot be: a packet of a dead rule is decided above it
		}
		if len(out.CoveredBy) == maxCovers {
			out.More = true
			break
		}
		out.CoveredBy = append(out.CoveredBy, name(by))
		out.Disagrees = out.Disagrees || f.Rules[by].Action != f.Rules[k].Action
		set = m.g.and(m.g.open(c.rule(&f.Rules[by])), set) // what it takes for certain is explained
	}
	slices.SortFunc(out.CoveredBy, func(a, b RuleRef) int { return a.Index - b.Index })
	return out
}
