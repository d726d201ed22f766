package tally

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A record is any event a tally takes.
type record func(*Tally)

// workload is n random events, some of them halves of records, positions unique as in files.
func workload(r *rand.Rand, n int) []record {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Unix()
	var out []record
	for i := range n {
		span := evidence.Span{Pos: evidence.MakePos(uint32(1+i%3), int64(i)*100), Len: 80}
		at := facts.Stamp{Unix: start + r.Int64N(20*day), Quality: facts.Exact}
		device := fmt.Sprintf("fw-%d", r.IntN(3))
		x := facts.Transfer{
			Time: at, Device: device, Format: "asa-syslog", Platform: facts.CiscoASA, Span: span, Transport: facts.TCP,
			Client: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(6))}), Server: netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(4))}),
			ClientPort: uint16(40000 + r.IntN(9)), ServerPort: 21, Protocol: facts.FTP, PortProtocol: facts.FTP, Outcome: facts.Outcome(1 + r.IntN(3)),
			Out: facts.Absent, In: facts.Absent, Total: int64(r.IntN(5000)), Duration: -1, User: "u", File: "f",
		}
		switch r.IntN(6) {
		case 0: // both halves, the end some time later, in any file
			build, down := x, x
			build.Half, build.Conn, build.Outcome, build.Total = facts.Build, uint64(1000+i), facts.Allowed, facts.Absent
			down.Half, down.Conn, down.Outcome = facts.Teardown, uint64(1000+i), facts.OutcomeUnknown
			down.Client, down.Server, down.ClientPort, down.ServerPort = x.Server, x.Client, x.ServerPort, x.ClientPort
			down.Time.Unix += r.Int64N(3)
			down.Span.Pos += 50
			if r.IntN(5) > 0 {
				out = append(out, func(t *Tally) { y := build; t.Add(&y) })
			}
			if r.IntN(5) > 0 {
				out = append(out, func(t *Tally) { y := down; t.Add(&y) })
			}
		case 1:
			out = append(out, func(t *Tally) {
				t.AddCommand(&facts.Command{Time: at, Device: device, User: "netops", Line: "copy running-config tftp://203.0.113.9/x", Span: span,
					Copy: &facts.CommandCopy{Protocol: facts.TFTP, Host: "203.0.113.9", Addr: netip.MustParseAddr("203.0.113.9"), Out: true, Config: true, What: "running-config"}})
			})
		case 2:
			class := fmt.Sprintf("SYS-5-%d", r.IntN(4))
			out = append(out, func(t *Tally) { t.AddBeat(&facts.Beat{Time: at, Device: device, Class: class, Span: span}) })
		case 3:
			out = append(out, func(t *Tally) { t.AddChange(&facts.Change{Time: at, Device: device, What: "config", Span: span}) })
		default:
			out = append(out, func(t *Tally) { y := x; t.Add(&y) })
		}
	}
	return out
}

func keepSome(x *facts.Transfer) bool { return x.Server.As4()[3] == 1 }

// dump is everything a result says, as text.
func dump(t testing.TB, all []*Tally) string {
	t.Helper()
	r, err := Merge(context.Background(), all)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var b strings.Builder
	if err := r.Pairs(t.Context(), func(k Key, p *Pair) { fmt.Fprintf(&b, "pair %v %+v\n", k, *p) }); err != nil {
		t.Fatal(err)
	}
	if err := r.Series(t.Context(), func(k SeriesKey, s *Series) { fmt.Fprintf(&b, "series %v %+v\n", k, *s) }); err != nil {
		t.Fatal(err)
	}
	if err := r.Trails(t.Context(), func(e Entity, events []Event) {
		for _, x := range events {
			fmt.Fprintf(&b, "trail %v %v %v", e, x.Time, x.Spans)
			switch {
			case x.Transfer != nil:
				fmt.Fprintf(&b, " %+v\n", *x.Transfer)
			case x.Command != nil:
				fmt.Fprintf(&b, " %s %+v\n", x.Command.Line, *x.Command.Copy)
			case x.Change != nil:
				fmt.Fprintf(&b, " %+v\n", *x.Change)
			}
		}
	}); err != nil {
		t.Fatal(err)
	}
	var profile bytes.Buffer
	if err := WriteProfile(t.Context(), &profile, r); err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "profile %x\n", profile.Bytes())
	return b.String()
}

// TestOrderAndCutting is law 4: any order, any number of workers, any spill limit give the same bytes.
func TestOrderAndCutting(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	records := workload(r, 3000)
	one := New(Options{Keep: keepSome})
	for _, x := range records {
		x(one)
	}
	want := dump(t, []*Tally{one})
	if n := strings.Count(want, "\npair "); n < 20 {
		t.Fatalf("the workload makes %d pairs", n)
	}
	for round := range 12 {
		dir := t.TempDir()
		limit := []int64{0, 1, 20_000, 200_000}[round%4]
		if limit == 1 {
			limit = 8_000 // every few events
		}
		all := make([]*Tally, 1+r.IntN(7))
		for i := range all {
			all[i] = New(Options{Keep: keepSome, MemoryLimit: limit, Dir: dir})
		}
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		for _, x := range records {
			x(all[r.IntN(len(all))])
		}
		got := dump(t, all)
		if got != want {
			a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("round %d, %d workers, limit %d: line %d differs\nwant %s\ngot  %s", round, len(all), limit, i, a[i], b[i])
				}
			}
			t.Fatalf("round %d: %d lines, want %d", round, len(b), len(a))
		}
		for _, x := range all {
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
		if left, _ := os.ReadDir(dir); len(left) > 0 {
			t.Errorf("%d files left behind", len(left))
		}
	}
}

func at(sec int64) facts.Stamp { return facts.Stamp{Unix: 1_790_000_000 + sec, Quality: facts.Exact} }

func TestJoin(t *testing.T) {
	inside, outside := netip.MustParseAddr("10.10.0.11"), netip.MustParseAddr("203.0.113.66")
	half := func(kind facts.Half, conn uint64, sec int64, off int64) *facts.Transfer {
		x := &facts.Transfer{
			Time: at(sec), Device: "fw", Format: "asa-syslog", Half: kind, Conn: conn, Transport: facts.UDP, Protocol: facts.TFTP,
			Client: inside, ClientPort: 50233, Server: outside, ServerPort: 69, Outcome: facts.Allowed,
			Out: facts.Absent, In: facts.Absent, Total: facts.Absent, Duration: -1, Span: evidence.Span{Pos: evidence.MakePos(1, off), Len: 10},
		}
		if kind == facts.Teardown { // the end names the ends the other way and does not say who opened
			x.Client, x.Server, x.ClientPort, x.ServerPort = outside, inside, 69, 50233
			x.Outcome, x.Total, x.Duration = facts.OutcomeUnknown, 500+off, time.Second
		}
		return x
	}
	for _, c := range []struct {
		name     string
		in       []*facts.Transfer
		sessions int64
		total    int64
		known    int64
	}{
		{"both halves", []*facts.Transfer{half(facts.Build, 7, 0, 0), half(facts.Teardown, 7, 5, 1)}, 1, 501, 1},
		{"in one second, the end first in the file", []*facts.Transfer{half(facts.Teardown, 7, 0, 0), half(facts.Build, 7, 0, 1)}, 1, 500, 1},
		{"no end", []*facts.Transfer{half(facts.Build, 7, 0, 0)}, 1, 0, 0},
		{"no beginning: the transfer port is the server's", []*facts.Transfer{half(facts.Teardown, 7, 0, 3)}, 1, 503, 1},
		{"number used twice", []*facts.Transfer{half(facts.Build, 7, 0, 0), half(facts.Build, 7, 9, 1), half(facts.Teardown, 7, 10, 2)}, 2, 502, 1},
		{"other numbers", []*facts.Transfer{half(facts.Build, 7, 0, 0), half(facts.Teardown, 8, 1, 2)}, 2, 502, 1},
	} {
		x := New(Options{})
		for _, h := range c.in {
			x.Add(h)
		}
		r, err := Merge(t.Context(), []*Tally{x})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		err = r.Pairs(t.Context(), func(k Key, p *Pair) {
			n++
			if k.ClientAddr() != inside || k.ServerAddr() != outside || k.Port != 69 {
				t.Errorf("%s: pair %v -> %v:%d", c.name, k.ClientAddr(), k.ServerAddr(), k.Port)
			}
			if p.Sessions != c.sessions || p.Total != c.total || p.TotalKnown != c.known {
				t.Errorf("%s: sessions %d total %d of %d", c.name, p.Sessions, p.Total, p.TotalKnown)
			}
		})
		if err != nil || n != 1 {
			t.Errorf("%s: %d pairs, %v", c.name, n, err)
		}
		r.Close()
	}
}

// TestVantages: two sensors see one session; its bytes are not added.
func TestVantages(t *testing.T) {
	x := New(Options{})
	for _, v := range []struct {
		device         string
		out, in, total int64
		outcome        facts.Outcome
		sec            int64
	}{
		{"fw-a", facts.Absent, facts.Absent, 900, facts.Allowed, 0},
		{"fw-b", 600, 300, facts.Absent, facts.Allowed, 1},
		{"fw-c", facts.Absent, facts.Absent, facts.Absent, facts.Denied, 2},
		{"fw-a", facts.Absent, facts.Absent, 70, facts.Allowed, 3 * day},
	} {
		x.Add(&facts.Transfer{
			Time: at(v.sec), Device: v.device, Format: "f", Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddr("203.0.113.1"), ServerPort: 21,
			Protocol: facts.FTP, Outcome: v.outcome, Out: v.out, In: v.in, Total: v.total, Duration: -1, Span: evidence.Span{Pos: evidence.MakePos(1, v.sec), Len: 1},
		})
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	err = r.Pairs(t.Context(), func(_ Key, p *Pair) {
		if p.Sessions != 2 || p.Out != 600 || p.In != 300 || p.Total != 70 || p.Denied != 1 || p.Device != "fw-a" {
			t.Errorf("pair %+v", *p)
		}
		if diff := cmp.Diff([]string{"fw-b f", "fw-c f"}, p.Witness); diff != "" {
			t.Errorf("witnesses (-want +got):\n%s", diff)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestProfileRoundTrip(t *testing.T) {
	x := New(Options{})
	for _, f := range workload(rand.New(rand.NewPCG(1, 2)), 500) {
		f(x)
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var first, second bytes.Buffer
	if err := WriteProfile(t.Context(), &first, r); err != nil {
		t.Fatal(err)
	}
	p, err := ReadProfile(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Write(&second); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("a profile read and written again is another")
	}
	if s := p.Summary(); s.Pairs == 0 || s.Days < 15 || s.Series == 0 || len(s.Sources) == 0 {
		t.Errorf("summary %+v", s)
	}
	for _, bad := range [][]byte{nil, []byte("no gzip"), first.Bytes()[:first.Len()/2]} {
		if _, err := ReadProfile(bytes.NewReader(bad)); err == nil {
			t.Errorf("a profile of %d broken bytes was read", len(bad))
		}
	}
	a, err := MergeProfiles(p, mustRead(t, first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if a.Days() != p.Days() || len(a.pairs) != len(p.pairs) {
		t.Errorf("merged with itself: %d days %d pairs", a.Days(), len(a.pairs))
	}
}

func mustRead(t *testing.T, b []byte) *Profile {
	t.Helper()
	p, err := ReadProfile(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func FuzzReadProfile(f *testing.F) {
	var b bytes.Buffer
	if err := newProfile().Write(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, src []byte) {
		d := &decoder{b: src}
		d.event()
		d.cell()
		if p, err := ReadProfile(bytes.NewReader(src)); err == nil {
			p.Summary()
		}
	})
}

func TestSlots(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	times := make([]int64, 5000)
	for i := range times {
		times[i] = 1_790_000_000 + r.Int64N(40*day)
	}
	var want Slots
	for _, x := range times {
		want.Add(x)
	}
	if len(want.Times) > maxSlots || want.Width == 0 {
		t.Fatalf("%d members at width %d", len(want.Times), want.Width)
	}
	for range 10 {
		r.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
		var a, b Slots
		for i, x := range times {
			if i%3 == 0 {
				a.Add(x)
			} else {
				b.Add(x)
			}
		}
		a.Merge(&b)
		if diff := cmp.Diff(want, a); diff != "" {
			t.Fatalf("another order, another set (-want +got):\n%s", diff)
		}
	}
}

func BenchmarkAdd(b *testing.B) {
	t := New(Options{})
	x := facts.Transfer{
		Device: "fw", Format: "asa-syslog", Platform: facts.CiscoASA, Protocol: facts.FTP, ServerPort: 21, Outcome: facts.Allowed,
		Out: 10, In: 20, Total: facts.Absent, Duration: -1, Span: evidence.Span{Pos: evidence.MakePos(1, 1), Len: 80},
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x.Time = at(int64(i % day))
		x.Client = netip.AddrFrom4([4]byte{10, 0, 0, byte(i)})
		x.Server = netip.AddrFrom4([4]byte{203, 0, 113, byte(i >> 6)})
		t.Add(&x)
	}
}
