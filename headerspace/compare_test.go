package headerspace

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quaymaster/quaymaster/facts"
)

func TestCompare(t *testing.T) {
	before, after := router(), router()
	before.Filters = append(before.Filters, list("X", permit(proto(6), dport(eq(21))), deny(src("10.0.0.0/8")), permit(proto(17), func(m *facts.Match) { m.Src = groups("A") })))
	after.Filters = append(after.Filters, list("Y", deny(src("10.0.0.0/8")), permit(proto(6), dport(from(21, 22))), permit(proto(17), func(m *facts.Match) { m.Src = groups("A") })))
	before.Groups = []facts.Group{{Name: "A", Kind: facts.NetworkGroup, Addrs: nets("192.0.2.1").Items}}
	after.Groups = []facts.Group{{Name: "A", Kind: facts.NetworkGroup, Addrs: nets("192.0.2.1", "192.0.2.2").Items}}
	type row struct {
		Old, New int
		Was, Is  Verdict
		Src      string
		DstPort  uint16
	}
	for _, c := range []struct {
		name string
		a, b string
		want []row
	}{
		{"with itself", "X", "X2", nil},
		{"changed", "X", "Y", []row{
			{1, 1, Permit, Deny, "10.0.2.10", 21}, // the nearest to 192.0.2.10
			{0, 2, Deny, Permit, "192.0.2.10", 22},
			{0, 3, Deny, Permit, "192.0.2.2", 21},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			one, two := *before, *after
			if c.b == "X2" {
				two = *before
				two.Filters = append(slices.Clone(before.Filters), before.Filters[len(before.Filters)-1])
				two.Filters[len(two.Filters)-1].Name = "X2"
			}
			got, more, err := Compare(&one, &two, "", c.a, "", c.b)
			if err != nil || more {
				t.Fatal(err, more)
			}
			var rows []row
			for _, d := range got {
				rows = append(rows, row{d.Old.Index + 1, d.New.Index + 1, d.OldVerdict, d.NewVerdict, d.Packet.Src.String(), d.Packet.DstPort})
			}
			less := func(a, b row) bool { return a.Old*100+a.New < b.Old*100+b.New }
			if diff := cmp.Diff(c.want, rows, cmpopts.SortSlices(less)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if _, _, err := Compare(before, after, "", "X", "", "none"); err == nil {
		t.Error("a filter that does not exist was compared")
	}
}

// by is the first rule that certainly matches the packet; -1 is none.
func (n *naive) by(f *facts.Filter) int {
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action == facts.Next || !n.matches(r) {
			continue
		}
		if to := n.filter(r.To); r.Action == facts.Jump && to != nil && n.open(to, []string{f.Name})[facts.Next] {
			continue // the rule it asks leaves it to the next one
		}
		return i
	}
	return -1
}

// matches reports whether a rule certainly matches, whatever it does.
func (n *naive) matches(r *facts.Rule) bool {
	one := *r
	one.Action = facts.Permit
	f := facts.Filter{Name: "F", Rules: []facts.Rule{one}, Default: facts.Deny}
	out := n.decide(&f)
	return len(out) == 1 && out[facts.Permit]
}

func TestCompareMissesNothing(t *testing.T) {
	rounds := 150
	if testing.Short() {
		rounds = 40
	}
	found := 0
	for i := range rounds {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 19))}
		d := r.device()
		d.Platform = facts.Junos // an unknown action must not look like another on fragments
		d.Filters[0].Unread = ""
		if len(d.Filters[0].Rules) == 0 {
			continue
		}
		e := *d
		e.Filters = slices.Clone(d.Filters)
		e.Filters[0].Rules = slices.Clone(d.Filters[0].Rules)
		for range 1 + r.IntN(2) {
			k := r.IntN(len(e.Filters[0].Rules))
			switch r.IntN(3) {
			case 0:
				e.Filters[0].Rules[k].Action = r.action()
			case 1:
				e.Filters[0].Rules[k].Match.Src = r.addrs()
			case 2:
				e.Filters[0].Rules[0], e.Filters[0].Rules[k] = e.Filters[0].Rules[k], e.Filters[0].Rules[0]
			}
		}
		diffs, more, err := Compare(d, &e, "", "F", "", "F")
		if err != nil || more {
			t.Fatal(err, more)
		}
		x, y := naive{d: d}, naive{d: &e}
		for range 2 {
			q := r.query()
			packets(d, &q, func(w world) bool {
				x.w, y.w = w, w
				if cmp.Equal(x.decide(&d.Filters[0]), y.decide(&e.Filters[0])) {
					return true
				}
				found++
				a, b := x.by(&d.Filters[0]), y.by(&e.Filters[0])
				if !slices.ContainsFunc(diffs, func(o Difference) bool { return o.Old.Index == a && o.New.Index == b }) {
					t.Fatalf("round %d: rules %d and %d treat %+v differently and are not in %+v\n%s\n%s", i, a+1, b+1, w, diffs, dump(d), dump(&e))
				}
				return true
			})
		}
	}
	if found == 0 {
		t.Error("no packet differed")
	}
}
