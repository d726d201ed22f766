package headerspace

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// This file judges every packet of a small universe by the plainest reading of what facts says, without the package's own
// code, and holds the answers against it: eight addresses on either side, eight ports, TCP, UDP and ICMP, three
// applications, every combination of time ranges, and rules over every part of a Match.

// world is one small packet.
type world struct {
	src, dst     netip.Addr
	proto        uint8
	sport, dport uint16
	icmp         uint8
	open         bool // of an open session
	later        bool
	app          string
	at           time.Time
	in, out      string // interfaces; empty when rules name none
}

func contains(s *Set, a netip.Addr) bool {
	in := false
	for _, p := range s.Prefixes {
		in = in || p.Contains(a)
	}
	for _, r := range s.Ranges {
		in = in || !a.Less(r[0]) && !r[1].Less(a)
	}
	for _, p := range s.Except {
		in = in && !p.Contains(a)
	}
	return in
}

// instants are moments of every kind the time ranges tell apart.
var instants = func() (out []time.Time) {
	for h := range 24 * 14 {
		out = append(out, time.Date(2024, 2, 26, h, 45, 0, 0, time.UTC))
	}
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(t time.Time) bool {
		k := fmt.Sprint(inForceNaive(times[0], t), inForceNaive(times[1], t), inForceNaive(times[2], t))
		was := seen[k]
		seen[k] = true
		return was
	})
}()

// packets are all that q asks about, on every way of d that it leaves open.
func packets(d *facts.Device, q *Query, visit func(world) bool) {
	if len(d.Interfaces) == 0 {
		everywhere(q, visit)
		return
	}
	more := true
	for _, in := range d.Interfaces {
		for _, out := range d.Interfaces {
			if q.In != "" && (q.In != in.Name || q.Out != out.Name) {
				continue
			}
			everywhere(q, func(w world) bool {
				w.in, w.out = in.Name, out.Name
				more = visit(w)
				return more
			})
			if !more {
				return
			}
		}
	}
}

func everywhere(q *Query, visit func(world) bool) {
	ats, apps := instants, []string{"", "a"}
	if !q.At.IsZero() {
		ats = []time.Time{q.At}
	}
	if q.App != "" {
		apps = []string{q.App}
	}
	for s := range 8 {
		for d := range 8 {
			w := world{src: netip.AddrFrom4([4]byte{10, 0, 0, byte(s)}), dst: netip.AddrFrom4([4]byte{10, 0, 0, byte(d)}), open: q.Established, later: q.Fragments}
			if !contains(&q.Src, w.src) || !contains(&q.Dst, w.dst) {
				continue
			}
			for _, w.app = range apps {
				for _, w.at = range ats {
					for _, w.proto = range q.Protocols {
						if w.proto == 1 {
							for _, w.icmp = range []uint8{0, 8} {
								if !visit(w) {
									return
								}
							}
							continue
						}
						for w.sport = 20; w.sport <= 23; w.sport++ {
							for w.dport = q.DstPorts[0].First; w.dport <= q.DstPorts[0].Last; w.dport++ {
								if !visit(w) {
									return
								}
							}
						}
					}
				}
			}
		}
	}
}

// bruteForce is the verdict on q by judging every packet.
func bruteForce(d *facts.Device, q *Query) Verdict {
	permit, deny, unknown := false, false, false
	n := naive{d: d}
	packets(d, q, func(w world) bool {
		n.w = w
		out := n.decide(n.filter("F"))
		switch {
		case len(out) > 1:
			unknown = true
		case out[facts.Permit]:
			permit = true
		default:
			deny = true
		}
		return !permit || !deny
	})
	switch {
	case permit && deny:
		return Partial
	case unknown:
		return Unknown
	case permit:
		return Permit
	}
	return Deny
}

func TestBruteForce(t *testing.T) {
	rounds := 1500
	if testing.Short() {
		rounds = 200
	}
	got := map[Verdict]int{}
	for i := range rounds {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 7))}
		d := r.device()
		m := New(d)
		for k := range 3 {
			q := r.query()
			if r.ways && r.chance(2) {
				q.Filter, q.In, q.Out = "", []string{"i1", "i2", "i3"}[r.IntN(3)], []string{"i1", "i2", "i3"}[r.IntN(3)]
			}
			want := bruteForce(d, &q)
			a, err := m.Test(q)
			if err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
			got[a.Verdict]++
			if a.Verdict != want {
				t.Fatalf("round %d question %d: verdict %s, want %s\nquestion %+v\nreason %s\n%s", i, k, a.Verdict, want, q, a.Reason, dump(d))
			}
			checkWitness(t, d, &q, &a, i)
		}
		m.Close()
	}
	for _, v := range []Verdict{Permit, Deny, Partial, Unknown} {
		if got[v] < rounds/50 {
			t.Errorf("only %d answers of %d were %s: the generator is too tame", got[v], rounds, v)
		}
	}
	t.Log(got)
}

// checkWitness judges an answer's packets, and the way its own reading of the rules explains them.
func checkWitness(t *testing.T, d *facts.Device, q *Query, a *Answer, round int) {
	t.Helper()
	for _, c := range []struct {
		p    *Packet
		want facts.Action
	}{{a.Permitted, facts.Permit}, {a.Denied, facts.Deny}} {
		if c.p == nil {
			continue
		}
		if !contains(&q.Src, c.p.Src) || !contains(&q.Dst, c.p.Dst) || !slices.Contains(q.Protocols, c.p.Protocol) {
			t.Fatalf("round %d: witness %+v is not asked about: %+v", round, c.p, q)
		}
		// The packet shows neither application nor time: one of those asked about must do.
		ok := false
		n := naive{d: d}
		packets(d, q, func(w world) bool {
			if c.p.In != "" && !sameWay(d, w.in, c.p.In) || c.p.Out != "" && !sameWay(d, w.out, c.p.Out) {
				return true
			}
			if w.src != c.p.Src || w.dst != c.p.Dst || w.proto != c.p.Protocol || c.p.ICMP == nil && (w.sport != c.p.SrcPort || w.dport != c.p.DstPort) ||
				c.p.ICMP != nil && w.icmp != c.p.ICMP.Type {
				return true
			}
			n.w = w
			out := n.decide(n.filter("F"))
			ok = ok || len(out) == 1 && out[c.want]
			return !ok
		})
		if !ok {
			t.Fatalf("round %d: witness %+v is not %s\n%s", round, c.p, c.want, dump(d))
		}
	}
	if len(a.Stages) != 1 {
		t.Fatalf("round %d: stages %v", round, a.Stages)
	}
	want := a.Verdict
	if want == Partial {
		want = Permit
	}
	if a.Stages[0].Verdict != want {
		t.Fatalf("round %d: diagrams say %s, the rules %s (%s)\n%s", round, want, a.Stages[0].Verdict, a.Reason, dump(d))
	}
}

// sameWay reports whether the way shown is the interface's.
func sameWay(d *facts.Device, iface, shown string) bool { return iface == shown }

func dump(d *facts.Device) string {
	s := d.Platform + "\n"
	for _, f := range d.Filters {
		s += fmt.Sprintf("filter %s default %s whenempty %s unread %q\n", f.Name, f.Default, f.WhenEmpty, f.Unread)
		for i, r := range f.Rules {
			s += fmt.Sprintf("  %d %s "+r.To+" inactive %v return %v times %+v match %+v\n", i+1, r.Action, r.Inactive.Val, r.Return, r.Times, r.Match)
		}
	}
	for _, g := range d.Groups {
		s += fmt.Sprintf("group %+v\n", g)
	}
	return s
}
