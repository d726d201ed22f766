package headerspace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// Truth tables over a few bits judge the diagrams: bits lie next to each other and apart, as chains and single nodes do.

var truthLevels = []int{3, 4, 5, 6, 7, 20, 21, 40, 41, 42}

// truth is the outcome of each packet of the truth levels.
type truth []ref

func truthOf(g *table, r ref) truth {
	t := make(truth, 1<<len(truthLevels))
	var h header
	for i := range t {
		for k, l := range truthLevels {
			h[l] = uint8(i >> k & 1)
		}
		t[i] = g.at(r, &h)
	}
	return t
}

// randomDiagram builds a diagram in one of several ways.
func randomDiagram(r *rand.Rand, g *table, outcome func() ref) ref {
	x := outcome()
	for range r.IntN(6) {
		switch r.IntN(4) {
		case 0:
			l := truthLevels[r.IntN(len(truthLevels))]
			set := g.mk(uint16(l), no, yes)
			x = g.compose(g.and(set, outcome()), x)
		case 1:
			set := g.chain(3, uint8(1+r.IntN(5)), r.Uint32(), no, yes)
			x = g.compose(g.and(set, outcome()), x)
		case 2:
			a, b := byte(r.IntN(32))<<3, byte(r.IntN(32))<<3
			set := g.between(3, 5, []byte{min(a, b)}, []byte{max(a, b)}, yes)
			x = g.compose(g.and(set, outcome()), x)
		case 3:
			set := g.chain(40, uint8(1+r.IntN(3)), r.Uint32(), no, g.chain(42, 0, 0, no, yes))
			x = g.compose(g.without(g.and(set, outcome()), g.mk(20, yes, no)), x)
		}
	}
	return x
}

func TestDiagramsAgainstTruthTables(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 300 {
		g := newTable()
		decisions := []ref{mayPermit, mayDeny, undecided}
		sets := []ref{yes, no}
		known := map[string]ref{}
		check := func(what string, got ref, want func(i int) ref) {
			t.Helper()
			tt := truthOf(g, got)
			for i := range tt {
				if tt[i] != want(i) {
					t.Fatalf("round %d: %s: packet %b is %d, want %d", round, what, i, tt[i], want(i))
				}
			}
			key := fmt.Sprint(tt)
			if have, ok := known[key]; ok && have != got {
				t.Fatalf("round %d: %s: one function has two forms: %d and %d", round, what, have, got)
			}
			known[key] = got
		}
		pick := func(from []ref) func() ref { return func() ref { return from[r.IntN(len(from))] } }
		for range 4 {
			a, b := randomDiagram(r, g, pick(decisions)), randomDiagram(r, g, pick(decisions))
			s, u := randomDiagram(r, g, pick(sets)), randomDiagram(r, g, pick(sets))
			l := g.compose(g.and(s, a), no) // a list
			ta, tb, ts, tu, tl := truthOf(g, a), truthOf(g, b), truthOf(g, s), truthOf(g, u), truthOf(g, l)
			check("a", a, func(i int) ref { return ta[i] })
			check("compose", g.compose(l, b), func(i int) ref {
				if tl[i]&mayNext != 0 {
					return tl[i]&^mayNext | tb[i]
				}
				return tl[i]
			})
			check("and", g.and(s, a), func(i int) ref { return pickRef(ts[i] == yes, ta[i], no) })
			check("without", g.without(a, u), func(i int) ref { return pickRef(tu[i] == yes, no, ta[i]) })
			check("not", g.not(s), func(i int) ref { return pickRef(ts[i] == yes, no, yes) })
			check("union", g.compose(s, u), func(i int) ref { return pickRef(ts[i] == yes || tu[i] == yes, yes, no) })
			rank := func(o ref) int { return slices.Index([]ref{mayDeny, undecided, mayPermit}, o) }
			check("meet", g.meet(a, b), func(i int) ref { return pickRef(rank(ta[i]) < rank(tb[i]), ta[i], tb[i]) })
			check("join", g.join(a, b), func(i int) ref { return pickRef(rank(ta[i]) > rank(tb[i]), ta[i], tb[i]) })
			check("blend", g.blend(a, b), func(i int) ref { return ta[i] | tb[i] })
			check("surely", g.surely(a), func(i int) ref { return pickRef(ta[i] == mayPermit, yes, no) })
			check("maybe", g.maybe(a), func(i int) ref { return pickRef(ta[i]&mayPermit != 0, yes, no) })
			check("relax", g.relax(l), func(i int) ref { return tl[i] | mayNext })
			// Bits 4 to 6 are truth bits 1 to 3.
			check("hide", g.hide(hideDstPort, 4, 7, a), func(i int) ref {
				best := mayDeny
				for k := range 8 {
					if o := ta[i&^(7<<1)|k<<1]; rank(o) > rank(best) {
						best = o
					}
				}
				return best
			})
			check("spread", g.spread(spreadDstPort, 4, 7, a), func(i int) ref {
				var all ref
				for k := range 8 {
					all |= ta[i&^(7<<1)|k<<1]
				}
				return all
			})
			check("restrict", g.restrict(a, 4, 3, []byte{0b101 << 5}), func(i int) ref { return ta[i&^(7<<1)|5<<1] })
			findAll(t, g, a, s, ta, ts)
		}
		g.collect(func(visit func(*ref)) {
			for k, v := range known {
				visit(&v)
				known[k] = v
			}
		})
		for k, v := range known {
			if fmt.Sprint(truthOf(g, v)) != k {
				t.Fatalf("round %d: collection changed a function", round)
			}
		}
	}
}

func pickRef(c bool, a, b ref) ref {
	if c {
		return a
	}
	return b
}

// findAll holds find against the truth: it finds a packet exactly when there is one, and one that is right.
func findAll(t *testing.T, g *table, a, s ref, ta, ts truth) {
	t.Helper()
	for _, want := range []ref{mayPermit, mayDeny, undecided} {
		some := false
		for i := range ta {
			some = some || ts[i] == yes && ta[i] == want
		}
		var h header
		h[4], h[21], h[41] = 1, 1, 1
		if found := g.find(a, s, &h, func(o ref) bool { return o == want }); found != some {
			t.Fatalf("find %d: %v, want %v", want, found, some)
		}
		if some && (g.at(a, &h) != want || g.at(s, &h) != yes) {
			t.Fatalf("find %d: the packet is %d, asked %d", want, g.at(a, &h), g.at(s, &h))
		}
	}
}

// A chain longer than a node has one form however it is built.
func TestLongChains(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		g := newTable()
		v := make([]byte, 16)
		for i := range v {
			v[i] = byte(r.Uint32())
		}
		n := 1 + r.IntN(128)
		whole := g.point(0, v, 0, n, yes, no)
		bitwise := yes
		for i := n - 1; i >= 0; i-- {
			if bit(v, i) {
				bitwise = g.mk(uint16(i), no, bitwise)
			} else {
				bitwise = g.mk(uint16(i), bitwise, no)
			}
		}
		cut := r.IntN(n + 1)
		parts := g.and(g.point(0, v, 0, cut, yes, no), g.point(0, v, cut, n, yes, no))
		if whole != bitwise || whole != parts {
			t.Fatalf("%d bits cut at %d: %d, bit by bit %d, as an intersection %d", n, cut, whole, bitwise, parts)
		}
		if g.not(g.not(whole)) != whole {
			t.Fatal("twice the complement is another form")
		}
	}
}

func TestFullTable(t *testing.T) {
	d := listOfKind(0, 2000)
	d.Filters = append(d.Filters, list("SMALL", permit()))
	d.Interfaces = []facts.Interface{{Name: "a", Bindings: []facts.Binding{{Filters: []string{"F"}, Family: facts.IPv4}}}, {Name: "b", Bindings: []facts.Binding{{Filters: []string{"SMALL"}, Family: facts.IPv4}}}}
	m := New(d)
	small := func() { m.begin(); m.g.limit = 3000 }

	// Packets judged one by one still tell that some pass and some do not.
	small()
	a, err := m.Test(Query{Filter: "F"})
	if err != nil || a.Verdict != Partial || a.Permitted == nil || a.Denied == nil {
		t.Fatalf("%+v %v, want partial", a, err)
	}
	// Where all that are tried pass, that is no proof.
	for i := range d.Filters[0].Rules {
		d.Filters[0].Rules[i].Action = facts.Permit
	}
	m = New(d)
	small()
	a, err = m.Test(Query{In: "a"})
	if err != nil || a.Verdict != Unknown || a.Permitted == nil || !strings.Contains(a.Reason, "too complex") {
		t.Fatalf("%+v %v, want unknown", a, err)
	}
	if s, err := m.Search(Query{In: "a"}, Permit); err != nil || s.Verdict != Permit {
		t.Errorf("search: %+v %v", s, err)
	}
	// Others are not to blame, and what is hopeless is not tried again.
	if a, err := m.Test(Query{In: "b"}); err != nil || a.Verdict != Permit {
		t.Errorf("a small filter beside it: %+v %v", a, err)
	}
	nodes := len(m.g.nodes)
	if a, err := m.Test(Query{In: "a", Out: "b"}); err != nil || a.Verdict != Unknown || len(m.g.nodes) > nodes+3000 {
		t.Errorf("again: %+v %v, %d nodes", a, err, len(m.g.nodes))
	}
	m.Close()
}
