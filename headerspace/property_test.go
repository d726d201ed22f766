package headerspace

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/facts"
)

// Rules that nobody reaches may go, and no packet of the small universe is decided by one.
func TestDeadRulesMayGo(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 40
	}
	gone := 0
	for i := range rounds {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 11))}
		d := r.device()
		more := r.filter("F", 8, 1)
		d.Filters[0].Rules = append(d.Filters[0].Rules, more.Rules...)
		dead, err := New(d).Unreachable("", "F")
		if err != nil {
			t.Fatal(err)
		}
		n := naive{d: d}
		for _, k := range dead {
			if len(k.CoveredBy) > 0 {
				gone++
			}
			if slices.ContainsFunc(k.CoveredBy, func(c RuleRef) bool { return c.Index >= k.Index }) {
				t.Fatalf("round %d: rule %d is covered by a later one: %+v", i, k.Index+1, k)
			}
			q := r.query()
			f := d.Filters[0]
			f.Rules = f.Rules[:k.Index+1]
			f.Rules = slices.Clone(f.Rules)
			packets(d, &q, func(w world) bool {
				// With the dead rule's action turned round, everything is as before.
				n.w = w
				f.Rules[k.Index].Action = facts.Permit
				a := n.decide(&f)
				f.Rules[k.Index].Action = facts.Deny
				if b := n.decide(&f); !cmp.Equal(a, b) && d.Platform != facts.CiscoIOS {
					t.Fatalf("round %d: dead rule %d decides %+v\n%s", i, k.Index+1, w, dump(d))
				}
				return true
			})
		}
		less := *d
		less.Filters = slices.Clone(d.Filters)
		var rules []facts.Rule
		for k := range d.Filters[0].Rules {
			if !slices.ContainsFunc(dead, func(x DeadRule) bool { return x.Index == k }) {
				rules = append(rules, d.Filters[0].Rules[k])
			}
		}
		if less.Filters[0].Rules = rules; len(rules) == 0 && len(d.Filters[0].Rules) > 0 {
			continue // an empty filter is another thing
		}
		a, b := New(d), New(&less)
		for range 5 {
			q := r.query()
			x, err1 := a.Test(q)
			y, err2 := b.Test(q)
			if err1 != nil || err2 != nil || x.Verdict != y.Verdict {
				t.Fatalf("round %d: %s with dead rules, %s without\n%s\nquestion %+v\ndead %+v", i, x.Verdict, y.Verdict, dump(d), q, dead)
			}
		}
	}
	if gone < rounds/10 {
		t.Errorf("only %d covered rules in %d rounds", gone, rounds)
	}
}

// same reports whether two rules do the same.
func same(a, b *facts.Rule) bool { return a.Action == b.Action && a.To == b.To }

// Neighbours that match no packet in common, or that do the same, may change places.
func TestNeighboursMayChangePlaces(t *testing.T) {
	rounds := 400
	if testing.Short() {
		rounds = 40
	}
	swapped := 0
	for i := range rounds {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 13))}
		d := r.device()
		f := &d.Filters[0]
		m := New(d)
		m.begin()
		c := compiler{m: m, g: m.g, at: m.layout(false), mode: mode{family: facts.IPv4}, filter: f}
		other := *d
		other.Filters = slices.Clone(d.Filters)
		other.Filters[0].Rules = slices.Clone(f.Rules)
		for k := 1; k < len(f.Rules); k++ {
			a, b := m.g.matched(c.rule(&other.Filters[0].Rules[k-1])), m.g.matched(c.rule(&other.Filters[0].Rules[k]))
			if m.g.and(a, b) == no || same(&other.Filters[0].Rules[k-1], &other.Filters[0].Rules[k]) {
				rs := other.Filters[0].Rules
				rs[k-1], rs[k] = rs[k], rs[k-1]
				swapped++
			}
		}
		y := New(&other)
		for range 5 {
			q := r.query()
			q.Fragments = false
			one, _ := m.Test(q)
			two, _ := y.Test(q)
			if one.Verdict != two.Verdict {
				t.Fatalf("round %d: %s, then %s\n%s\n%s", i, one.Verdict, two.Verdict, dump(d), dump(&other))
			}
		}
	}
	if swapped < rounds {
		t.Errorf("only %d swaps", swapped)
	}
}

// A question is permitted exactly when searching finds permitted packets and no others.
func TestSearchAgrees(t *testing.T) {
	for i := range 300 {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 17))}
		m := New(r.device())
		q := r.query()
		a, err := m.Test(q)
		if err != nil {
			t.Fatal(err)
		}
		p, _ := m.Search(q, Permit)
		d, _ := m.Search(q, Deny)
		want := map[Verdict][2]Verdict{Permit: {Permit, Permit}, Deny: {Deny, Deny}, Partial: {Permit, Deny}}
		if w, ok := want[a.Verdict]; ok && [2]Verdict{p.Verdict, d.Verdict} != w {
			t.Fatalf("round %d: test %s, search permit %s, search deny %s", i, a.Verdict, p.Verdict, d.Verdict)
		}
		if a.Verdict == Unknown && (p.Verdict == Permit) != (a.Permitted != nil) {
			t.Fatalf("round %d: unknown with %v, search permit %s", i, a.Permitted, p.Verdict)
		}
	}
}

func TestConcurrentUse(t *testing.T) {
	m := New(listOfKind(0, 300))
	want, err := m.Transfers(Query{Filter: "F"})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 5 {
				if i%2 == 0 {
					got, err := m.Transfers(Query{Filter: "F"})
					if err != nil || got[0].Verdict != want[0].Verdict {
						t.Errorf("%v %v", got, err)
					}
				} else if _, err := m.Test(tcpTo("10.0.0.1", "", 445).on(byFilter("F"))); err != nil {
					t.Error(err)
				}
				if i == 7 {
					m.Close()
				}
			}
		})
	}
	wg.Wait()
}

func TestUnreachable(t *testing.T) {
	d := router()
	d.Filters = append(d.Filters, list("X",
		permit(proto(6), dport(eq(21))),
		deny(src("10.0.0.0/9")), deny(src("10.128.0.0/9")),
		permit(proto(6), src("10.0.0.0/8"), dport(from(20, 30))), // by 2 and 3, and partly by 1, which agrees
		deny(proto(6), dport(eq(21))),
		permit(proto(17), unread("ttl")),
		permit(proto(17)), // may be reached
		permit(func(m *facts.Match) { m.Src = groups("NOBODY") }),
		deny(),
		permit(),
	))
	got, err := New(d).Unreachable("", "X")
	if err != nil {
		t.Fatal(err)
	}
	type row struct {
		Rule      int
		By        []int
		Disagrees bool
	}
	var rows []row
	for _, r := range got {
		x := row{Rule: r.Index + 1, Disagrees: r.Disagrees}
		for _, c := range r.CoveredBy {
			x.By = append(x.By, c.Index+1)
		}
		rows = append(rows, x)
	}
	want := []row{{4, []int{1, 2, 3}, true}, {5, []int{1}, true}, {8, nil, false}, {10, []int{9}, true}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// bytesSource draws random numbers from a fuzzer's bytes, so that it can steer them.
type bytesSource struct {
	b []byte
	n uint64
}

func (s *bytesSource) Uint64() uint64 {
	s.n++
	v := s.n * 0x9e3779b97f4a7c15
	for i := range min(2, len(s.b)) {
		v = v<<8 ^ v>>56 ^ uint64(s.b[i])<<56
	}
	s.b = s.b[min(2, len(s.b)):]
	return v ^ v<<32
}

// FuzzFilters compares answers about generated filters with judging every packet.
func FuzzFilters(f *testing.F) {
	f.Add([]byte("permit tcp any any eq ftp"))
	f.Add([]byte{0, 255, 17, 3, 9, 81, 200, 4})
	f.Fuzz(func(t *testing.T, b []byte) {
		r := maker{Rand: rand.New(&bytesSource{b: b})}
		d := r.device()
		m := New(d)
		for range 2 {
			q := r.query()
			a, err := m.Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if want := bruteForce(d, &q); a.Verdict != want {
				t.Fatalf("verdict %s, want %s\nquestion %+v\n%s", a.Verdict, want, q, dump(d))
			}
			checkWitness(t, d, &q, &a, 0)
		}
		if _, err := m.Unreachable("", "F"); err != nil {
			t.Fatal(err)
		}
	})
}
