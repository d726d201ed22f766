package headerspace

import (
	"fmt"
	"math"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A RuleRef names a rule.
type RuleRef struct {
	Filter, Scope string
	Index         int    // in Filter.Rules
	Rule          string // its name, else "#" and its position
	Span          evidence.Span
}

// AnyAny lists the rules of a filter that permit everything from everywhere to everywhere and that a transfer reaches:
// sources and destinations are at least half of all addresses of one version of IP each (any, or a /1), protocols and
// ports are all of TCP and UDP at least, at all times, and no earlier rule takes every transfer protocol's packets away.
func (m *Model) AnyAny(scope, filter string) ([]RuleRef, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	fams, err := m.familiesOf(&Query{Filter: filter, Scope: scope})
	if err != nil {
		return nil, err
	}
	listeners := facts.TransferPorts()
	m.want(wantTransfers, listeners)
	var out []RuleRef
	for _, fam := range fams {
		st, err := m.filterStage(&Query{Filter: filter, Scope: scope}, fam)
		if err != nil {
			return nil, err
		}
		i, _ := m.ix.filter(filter, st.scope, fam)
		f := &m.d.Filters[i]
		for k := range f.Rules {
			if f.Rules[k].Action != facts.Permit || facts.On(f.Rules[k].Inactive) || f.Rules[k].Return || !m.isAnyAny(f, k, fam) {
				continue
			}
			ref := RuleRef{Filter: f.Name, Scope: f.Scope, Index: k, Rule: nameOfRule(f, k), Span: f.Rules[k].Span}
			if !slices.Contains(out, ref) && m.live(f, k, fam) {
				out = append(out, ref)
			}
		}
	}
	return out, nil
}

func nameOfRule(f *facts.Filter, k int) string {
	if n := f.Rules[k].Name; n != "" {
		return n
	}
	return fmt.Sprintf("#%d", k+1)
}

// isAnyAny reports whether rule k certainly matches as much as [Model.AnyAny] says.
func (m *Model) isAnyAny(f *facts.Filter, k int, fam facts.Family) bool {
	r := &f.Rules[k]
	mt := &r.Match
	if r.Times != nil && !r.Times.Undefined || len(mt.Apps) > 0 || mt.PermittedBy != "" || mt.Not || len(mt.Unread) > 0 {
		return false
	}
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: mode{family: fam}, filter: f, books: m.ix.booksOf(f), action: r.Action}
	for i, a := range [2]*facts.Addrs{&mt.Src, &mt.Dst} {
		if stated(a) && m.g.share(c.addrSet(a, c.at.src, c.books[i]).must) < 0.5 {
			return false
		}
	}
	all := m.g.compose(m.g.value(atProtocol, 8, uint64(facts.TCP), yes, no), m.g.value(atProtocol, 8, uint64(facts.UDP), yes, no))
	all = m.g.and(all, m.g.value(atState, 2, stateOpening, yes, no))
	rest := *mt
	rest.Src, rest.Dst = facts.Addrs{}, facts.Addrs{}
	rest.In, rest.Out = facts.Places{}, facts.Places{} // that it names its ways makes it no narrower on them
	return m.g.without(all, c.match(&rest, exactly(yes)).must) == no
}

// live reports whether an opening packet of a transfer protocol reaches rule k.
func (m *Model) live(f *facts.Filter, k int, fam facts.Family) bool {
	md := mode{family: fam, want: wantTransfers}
	above := *f
	above.Rules = f.Rules[:k]
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: md, want: m.wants[wantTransfers], filter: f, books: m.ix.booksOf(f)}
	if f.Unread != "" {
		return true
	}
	d := m.fold(&above, md)
	set := m.g.and(m.g.value(atState, 2, stateOpening, yes, no), m.g.and(m.g.and(m.anyWay(), c.want.set), m.g.maybe(c.rule(&f.Rules[k]))))
	return m.g.find(d, set, &header{}, func(o ref) bool { return o&mayNext != 0 })
}

// share is the part of all packets that a set holds.
func (g *table) share(set ref) float64 {
	memo := map[ref]float64{yes: 1, no: 0}
	var walk func(ref) float64
	walk = func(r ref) float64 {
		if v, ok := memo[r]; ok {
			return v
		}
		n := g.nodes[r]
		part := math.Ldexp(1, -int(n.size))
		v := walk(n.hit)*part + walk(n.miss)*(1-part)
		memo[r] = v
		return v
	}
	return walk(set)
}

// A Missing is a name that is used and that nothing stands behind.
type Missing struct {
	Kind  string // "filter", "network group", "service group"
	Name  string
	Scope string
	Empty bool // it is defined and holds nothing
	// Acts is what the platform does: of filters, what becomes of packets. A group that is not there matches nothing.
	Acts facts.Action
	// Filter and Rule use the group; empty for filters.
	Filter, Rule string
	Where        string        // interface or service a filter is applied to
	Span         evidence.Span // the line that uses it
}

// Undefined lists the filters that are applied and undefined or empty, and the groups that rules of applied filters name
// and that are undefined or empty.
func (m *Model) Undefined() []Missing {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	var out []Missing
	applied := map[int32]bool{}
	use := func(names []string, scope, where string, undefined facts.Action, span evidence.Span) {
		for _, name := range names {
			some := false
			for _, fam := range [2]facts.Family{facts.IPv4, facts.IPv6} {
				if i, ok := m.ix.filter(name, scope, fam); ok {
					some, applied[i] = true, true
				}
			}
			i, ok := m.ix.filter(name, scope, facts.AnyFamily)
			switch {
			case !some:
				out = append(out, Missing{Kind: "filter", Name: name, Scope: scope, Acts: undefined, Where: where, Span: span})
			case ok && len(m.d.Filters[i].Rules) == 0 && m.d.Filters[i].Unread == "" && !m.d.Filters[i].Synthetic:
				f := &m.d.Filters[i]
				acts := f.WhenEmpty
				if acts == facts.ActionUnknown {
					acts = f.Default
				}
				out = append(out, Missing{Kind: "filter", Name: name, Scope: scope, Empty: true, Acts: acts, Where: where, Span: span})
			}
		}
	}
	for i := range m.d.Interfaces {
		f := &m.d.Interfaces[i]
		for _, b := range f.Bindings {
			use(b.Filters, f.Scope, nameOf(f), b.Undefined, b.Span)
		}
	}
	for _, b := range m.d.Bindings {
		use(b.Filters, b.Scope, b.Where, b.Undefined, b.Span)
	}
	for _, p := range m.d.Zoning.Pairs {
		use(p.Filters, zoneScope(p.From, p.To), p.From+" to "+p.To, facts.ActionUnknown, p.Span)
	}
	use(m.d.Zoning.Global, "", "every pair of zones", facts.ActionUnknown, evidence.Span{})
	for i := range m.d.Filters {
		if f := &m.d.Filters[i]; applied[int32(i)] {
			for k := range f.Rules {
				out = m.missingGroups(out, f, k)
			}
		}
	}
	return out
}

// missingGroups adds the groups rule k names that are not there.
func (m *Model) missingGroups(out []Missing, f *facts.Filter, k int) []Missing {
	r := &f.Rules[k]
	look := func(name, kind string, kinds []facts.GroupKind, scopes []string, span evidence.Span) {
		i, ok := m.ix.group(name, kinds, scopes)
		if ok {
			g := &m.d.Groups[i]
			if len(g.Addrs)+len(g.Services)+len(g.Ports)+len(g.Protocols)+len(g.ICMP)+len(g.Members) > 0 || g.Unread != "" || g.Builtin {
				return
			}
		}
		if span.IsZero() {
			span = r.Span
		}
		out = append(out, Missing{Kind: kind, Name: name, Scope: f.Scope, Empty: ok, Filter: f.Name, Rule: nameOfRule(f, k), Span: span})
	}
	books := m.ix.booksOf(f)
	var walk func(mt *facts.Match)
	walk = func(mt *facts.Match) {
		for i, a := range [3]*facts.Addrs{&mt.Src, &mt.Dst, &mt.Either} {
			book := ""
			if i < 2 {
				book = books[i]
			}
			for _, it := range a.Items {
				if it.Group != "" {
					look(it.Group, "network group", addrKinds, lookups(book, f.Scope), it.Span)
				}
			}
		}
		for _, s := range mt.Services {
			if s.Group != "" {
				look(s.Group, "service group", serviceKinds, []string{f.Scope, ""}, s.Span)
			}
		}
		for _, p := range [3]*facts.Ports{&mt.SrcPorts, &mt.DstPorts, &mt.EitherPorts} {
			for _, name := range p.Groups {
				look(name, "service group", serviceKinds, []string{f.Scope, ""}, evidence.Span{})
			}
		}
		for i := range mt.AnyOf {
			walk(&mt.AnyOf[i])
		}
		for i := range mt.AllOf {
			walk(&mt.AllOf[i])
		}
	}
	walk(&r.Match)
	return out
}
