package headerspace

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// bounds hold what a condition certainly matches and what it may match; the same when all of it was understood.
type bounds struct{ must, may ref }

func exactly(r ref) bounds { return bounds{r, r} }

var anything = bounds{no, yes} // nothing is known of what it matches

func (g *table) bothAnd(a, b bounds) bounds {
	may := g.and(a.may, b.may)
	if a.must == a.may && b.must == b.may {
		return exactly(may)
	}
	return bounds{g.and(a.must, b.must), may}
}

func (g *table) bothOr(a, b bounds) bounds {
	may := g.compose(a.may, b.may)
	if a.must == a.may && b.must == b.may {
		return exactly(may)
	}
	return bounds{g.compose(a.must, b.must), may}
}

// bothWithout is a where b is not.
func (g *table) bothWithout(a, b bounds) bounds {
	may := g.without(a.may, b.must)
	if a.must == a.may && b.must == b.may {
		return exactly(may)
	}
	return bounds{g.without(a.must, b.may), may}
}

func (g *table) bothNot(a bounds) bounds { return g.bothWithout(exactly(yes), a) }

// A layout says at which levels a compiled filter's fields are. Reversed, it is about the answer to the packet that the
// levels describe: its source is the packet's destination.
type layout struct{ src, dst, srcPort, dstPort, in, out int }

func (l layout) reversed() layout {
	return layout{l.dst, l.src, l.dstPort, l.srcPort, l.out, l.in}
}

// A fragMode says which packets a compilation is about.
type fragMode uint8

const (
	wholeOnly fragMode = iota // unfragmented, or the first fragment
	laterOnly                 // fragments with an offset, which carry no ports
	bothKinds                 // the fragment bit tells
)

// A compiler turns rules of one filter into diagrams.
type compiler struct {
	m      *Model
	g      *table
	at     layout
	mode   mode
	want   *services // what is asked; nil is everything
	filter *facts.Filter
	// books are the scopes in which the names of source and destination addresses are looked up before the filter's own.
	books  [2]string
	action facts.Action // of the rule being compiled
	open   []int32      // groups being resolved, outermost first
	cuts   int          // references back into open, which add nothing
}

// rule is what r decides of a packet: its action where it matches, and that it may be passed over where it may not.
func (c *compiler) rule(r *facts.Rule) ref {
	var hit ref
	switch r.Action {
	case facts.Permit:
		hit = mayPermit
	case facts.Deny:
		hit = mayDeny
	case facts.Next:
		return no
	case facts.Return:
		hit = mayBack
	case facts.ActionUnknown, facts.Jump, facts.Goto:
		hit = undecided
	}
	if facts.On(r.Inactive) || !c.overlaps(&r.Match) || !c.onWay(&r.Match) {
		return no
	}
	if r.Action == facts.Jump || r.Action == facts.Goto {
		hit = c.asked(r)
	}
	c.action = r.Action
	then := exactly(hit)
	if r.Return {
		then = exactly(c.g.and(c.g.value(atState, 2, stateOpen, yes, no), hit))
	}
	then = c.times(r.Times, then)
	if r.Inactive.Origin == facts.Masked {
		then.must = no
	}
	b := c.match(&r.Match, then)
	if b.must == b.may {
		return b.must
	}
	return c.g.compose(b.must, c.g.relax(b.may))
}

// asked is what the filter decides that a Jump or Goto asks. One that does not exist, or that is being asked already, may
// do anything: no platform loads such a list.
func (c *compiler) asked(r *facts.Rule) ref {
	i, ok := c.m.findFilter(r.To, c.filter.Scope, c.mode.family)
	if !ok || c.m.busy[i] {
		return undecided
	}
	d := c.m.open(i, c.mode)
	if f := &c.m.d.Filters[i]; f.Default != facts.Next {
		d = c.g.compose(d, outcomeOf(f.Default))
	}
	if r.Action == facts.Goto {
		d = c.g.compose(d, mayBack)
	}
	return d
}

// onWay reports whether m can match on the way the compilation fixes. It looks only at what is plain.
func (c *compiler) onWay(m *facts.Match) bool {
	return m.Not || (c.mode.in == 0 || c.way(&m.In, c.mode.in, c.at.in) == yes) &&
		(c.mode.out == 0 || c.way(&m.Out, c.mode.out, c.at.out) == yes)
}

func (c *compiler) times(t *facts.TimeRange, then bounds) bounds {
	switch {
	case t == nil || t.Undefined:
		return then
	case t.Unread != "" || c.m.ix.when.lost:
		then.must = no
		return then
	}
	cal := c.m.ix.when
	return c.g.bothAnd(exactly(c.g.values(atWhen, 16, cal.force[cal.number[t]], yes)), then)
}

// match is then inside what m matches, and no outside.
func (c *compiler) match(m *facts.Match, then bounds) bounds {
	if m.Not {
		return c.g.bothAnd(c.g.bothNot(c.parts(m, exactly(yes))), then)
	}
	return c.parts(m, then)
}

// parts builds from the lowest level up, so that each field is put on top of what is below it.
func (c *compiler) parts(m *facts.Match, then bounds) bounds {
	g := c.g
	if placesStated(&m.Out) {
		then = g.bothAnd(exactly(c.way(&m.Out, c.mode.out, c.at.out)), then)
	}
	if placesStated(&m.In) {
		then = g.bothAnd(exactly(c.way(&m.In, c.mode.in, c.at.in)), then)
	}
	if len(m.Apps) > 0 {
		then = g.bothAnd(exactly(c.apps(m.Apps)), then)
	}
	if m.Conn != 0 {
		then = g.bothAnd(exactly(c.conn(m.Conn)), then)
	}
	then = g.bothAnd(c.trim(c.service(m)), then)
	if then.may == no {
		return then
	}
	for i := range m.AllOf {
		then = c.match(&m.AllOf[i], then)
	}
	if len(m.AnyOf) > 0 || m.HasAnyOf {
		one := exactly(no)
		for i := range m.AnyOf {
			one = g.bothOr(one, c.match(&m.AnyOf[i], exactly(yes)))
		}
		then = g.bothAnd(one, then)
	}
	if m.PermittedBy != "" {
		then = g.bothAnd(c.listed(m.PermittedBy), then)
	}
	if stated(&m.Either) {
		e := g.bothOr(c.addrs(&m.Either, c.at.src, c.books[0], exactly(yes)), c.addrs(&m.Either, c.at.dst, c.books[1], exactly(yes)))
		then = g.bothAnd(e, then)
	}
	then = c.addrs(&m.Dst, c.at.dst, c.books[1], then)
	then = c.addrs(&m.Src, c.at.src, c.books[0], then)
	if len(m.Unread) > 0 {
		then.must = no
	}
	return then
}

func (c *compiler) apps(names []string) ref {
	var ns []uint64
	for _, a := range names {
		ns = append(ns, uint64(c.m.ix.apps[appName(a)]))
	}
	return c.g.values(atApp, 16, ns, yes)
}

func appName(a string) string { return strings.ToLower(a) }

// listed is what another filter permits.
func (c *compiler) listed(name string) bounds {
	i, ok := c.m.findFilter(name, c.filter.Scope, c.mode.family)
	if !ok {
		return anything
	}
	d, ok := c.m.nested(i, c.mode)
	if !ok {
		return anything
	}
	return bounds{c.g.surely(d), c.g.maybe(d)}
}

// trim forgets the part of a set of services that nobody asked about, so that equal answers become equal diagrams.
func (c *compiler) trim(b bounds) bounds {
	if c.want == nil {
		return b
	}
	one := func(r ref) ref {
		switch {
		case r == yes || r == no:
			return r
		case c.g.without(c.want.set, r) == no:
			return yes
		}
		return c.g.and(c.want.set, r)
	}
	may := one(b.may)
	if b.must == b.may {
		return exactly(may)
	}
	return bounds{one(b.must), may}
}

// stated reports whether a restricts anything.
func stated(a *facts.Addrs) bool { return a.Present || len(a.Items) > 0 || a.Not }

// addrs is then inside the addresses a, at the levels from base on.
func (c *compiler) addrs(a *facts.Addrs, base int, book string, then bounds) bounds {
	if !stated(a) {
		return then
	}
	if len(a.Items) == 1 && !a.Not {
		below := int(min(c.g.nodes[then.must].level, c.g.nodes[then.may].level)) >= base+bitsOf(c.mode.family)
		if it := &a.Items[0]; below && !it.Except && it.Prefix.IsValid() {
			must := c.g.prefix(base, c.mode.family, it.Prefix, then.must)
			if then.must == then.may {
				return exactly(must)
			}
			return bounds{must, c.g.prefix(base, c.mode.family, it.Prefix, then.may)}
		}
	}
	return c.g.bothAnd(c.addrSet(a, base, book), then)
}

// addrSet is the set of a's addresses. One that is only a negation is of no address.
func (c *compiler) addrSet(a *facts.Addrs, base int, book string) bounds {
	var s bounds
	if a.LongestPrefix {
		s = c.longest(a.Items, base, book)
	} else {
		s = c.items(a.Items, base, book)
	}
	if a.Not {
		s = c.g.bothNot(s)
	}
	return s
}

// items is the union of the items less those excepted.
func (c *compiler) items(items []facts.AddrItem, base int, book string) bounds {
	in, out := fold{g: c.g}, fold{g: c.g} // certain members
	maybe := exactly(no)                  // uncertain ones
	outMaybe := exactly(no)
	for i := range items {
		it := &items[i]
		b := c.item(it, base, book)
		f, m := &in, &maybe
		if it.Except {
			f, m = &out, &outMaybe
		}
		f.push(b.must)
		if b.must != b.may {
			m.may = c.g.compose(m.may, b.may)
		}
	}
	s := exactly(in.result())
	if maybe.may != no {
		s.may = c.g.compose(s.may, maybe.may)
	}
	x := exactly(out.result())
	if outMaybe.may != no {
		x.may = c.g.compose(x.may, outMaybe.may)
	}
	if x.may == no {
		return s
	}
	return c.g.bothWithout(s, x)
}

func (c *compiler) item(it *facts.AddrItem, base int, book string) bounds {
	fam := c.mode.family
	switch {
	case it.Unread != "":
		return anything
	case it.Prefix.IsValid():
		return exactly(c.g.prefix(base, fam, it.Prefix, yes))
	case it.From.IsValid():
		return exactly(c.g.addresses(base, fam, it.From, it.To, yes))
	case it.Wild != nil:
		if fam != facts.IPv4 {
			return exactly(no)
		}
		return exactly(c.g.wild(base, it.Wild.Addr[:], it.Wild.Care[:], yes, no))
	case it.Any:
		if it.Family != facts.AnyFamily && it.Family != fam {
			return exactly(no)
		}
		return exactly(yes)
	case it.Group != "":
		return c.addrGroup(it.Group, lookups(book, c.filter.Scope), base)
	}
	return exactly(no)
}

// longest is the set in which the most specific item that holds an address decides. Of two equally specific ones the
// exception does. Junos: "if prefixes overlap, longest-match rules are used ... each list contains an implicit 0/0
// except" (Policy Framework, Specifying Address Filter Match Conditions); a list of nothing but excepted prefix lists
// matches all others (Batfish testPrefixListEmpty).
func (c *compiler) longest(items []facts.AddrItem, base int, book string) bounds {
	type entry struct {
		bits   int
		except bool
		set    bounds
	}
	var all []entry
	onlyLists := len(items) > 0
	for i := range items {
		it := &items[i]
		onlyLists = onlyLists && it.Except && it.Group != ""
		if it.Group == "" {
			all = append(all, entry{specific(it, c.mode.family), it.Except, c.item(it, base, book)})
			continue
		}
		members, open := c.m.ix.prefixes(it.Group, lookups(book, c.filter.Scope))
		for j := range members {
			all = append(all, entry{specific(&members[j], c.mode.family), it.Except, c.item(&members[j], base, book)})
		}
		if open {
			all = append(all, entry{0, it.Except, anything})
		}
	}
	slices.SortStableFunc(all, func(a, b entry) int {
		switch {
		case a.bits != b.bits:
			return a.bits - b.bits
		case a.except == b.except:
			return 0
		case b.except:
			return -1
		}
		return 1
	})
	s := exactly(no)
	if onlyLists {
		s = exactly(yes)
	}
	for _, e := range all {
		if e.except {
			s = c.g.bothWithout(s, e.set)
		} else {
			s = c.g.bothOr(s, e.set)
		}
	}
	return s
}

// specific is how many bits of an address an item fixes.
func specific(it *facts.AddrItem, fam facts.Family) int {
	switch {
	case it.Prefix.IsValid():
		return it.Prefix.Bits()
	case it.Wild != nil:
		n := 0
		for _, b := range it.Wild.Care {
			for ; b != 0; b &= b - 1 {
				n++
			}
		}
		return n
	case it.From.IsValid() && it.From == it.To:
		return bitsOf(fam)
	}
	return 0
}
