package tally

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A record is any event a tally takes. whole is false for halves of a session, which no cut between tallies that are
// merged apart may part.
type record struct {
	add   func(*Tally)
	whole bool
}

var outcomes = []facts.Outcome{facts.OutcomeUnknown, facts.Allowed, facts.Allowed, facts.Denied, facts.Failed}

// workload is n random events, some of them halves of records, positions unique as in files.
func workload(r *rand.Rand, n int) []record {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC).Unix()
	var out []record
	for i := range n {
		span := evidence.Span{Pos: evidence.MakePos(uint32(1+i%3), int64(i)*100), Len: 80}
		at := facts.Stamp{Unix: start + r.Int64N(20*day), Nanos: int32(r.IntN(2)) * 5e8, Quality: facts.Exact}
		if r.IntN(20) == 0 {
			at = facts.Stamp{}
		}
		device := fmt.Sprintf("fw-%d", r.IntN(3))
		x := facts.Transfer{
			Time: at, Device: device, Format: "asa-syslog", Span: span, Transport: facts.TCP,
			Client: netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(6))}), Server: netip.AddrFrom4([4]byte{203, 0, 113, byte(r.IntN(4))}),
			ClientPort: uint16(40000 + r.IntN(9)), ServerPort: 21, Protocol: facts.FTP, PortProtocol: facts.FTP, Outcome: outcomes[r.IntN(len(outcomes))],
			Out: facts.Absent, In: facts.Absent, Total: int64(r.IntN(5000)), Duration: -1, User: "u", File: fmt.Sprintf("f%d\x00", r.IntN(9)),
		}
		if r.IntN(2) == 0 {
			x.Platform = facts.CiscoASA // a reader of a piece may know or not
		}
		if r.IntN(30) == 0 {
			x.Client = netip.Addr{}
		}
		switch r.IntN(6) {
		case 0:
			out = append(out, halves(r, x, uint64(1000+i/9))...)
		case 1:
			out = append(out, record{func(t *Tally) {
				t.AddCommand(&facts.Command{Time: at, Device: device, User: "netops", Line: "copy running-config tftp://203.0.113.1/x", Span: span, Source: netip.MustParseAddr("10.9.9.9"),
					Copy: &facts.CommandCopy{Protocol: facts.TFTP, Host: "203.0.113.1", Addr: netip.MustParseAddr("203.0.113.1"), Out: true, Config: true, What: "running-config"}})
			}, true})
		case 2:
			class := fmt.Sprintf("SYS-5-%d", r.IntN(4))
			out = append(out, record{func(t *Tally) { t.AddBeat(&facts.Beat{Time: at, Device: device, Class: class, Span: span}) }, true})
		case 3:
			out = append(out, record{func(t *Tally) {
				t.AddChange(&facts.Change{Time: at, Device: device, What: "config", Span: span})
				t.AddAuth(&facts.Auth{Time: at, Device: device, User: "root", Source: x.Server, Outcome: facts.Failed, Span: span})
			}, true})
		default:
			out = append(out, record{func(t *Tally) { y := x; t.Add(&y) }, true})
		}
	}
	return out
}

// halves are a beginning and an end some time later, in any file; one of them may be missing. Connection numbers repeat.
func halves(r *rand.Rand, x facts.Transfer, conn uint64) []record {
	build, down := x, x
	build.Half, build.Conn, build.Outcome, build.Total = facts.Build, conn, facts.Allowed, facts.Absent
	down.Half, down.Conn, down.Outcome = facts.Teardown, conn, facts.OutcomeUnknown
	down.Client, down.Server, down.ClientPort, down.ServerPort = x.Server, x.Client, x.ServerPort, x.ClientPort
	down.Time.Unix += r.Int64N(3)
	down.Span.Pos += 50
	var out []record
	if r.IntN(5) > 0 {
		out = append(out, record{func(t *Tally) { y := build; t.Add(&y) }, false})
	}
	if r.IntN(5) > 0 {
		out = append(out, record{func(t *Tally) { y := down; t.Add(&y) }, false})
	}
	return out
}

func testOptions() Options {
	return Options{
		Keep:     func(x *facts.Transfer) bool { return x.Server.IsValid() && x.Server.As4()[3] == 1 },
		Approved: func(x *facts.Transfer) bool { return x.ClientPort%2 == 0 },
		Policy:   "digest",
		Entity:   func(a netip.Addr) bool { return a.As4()[0] == 203 },
		Resolve:  func(name string) string { return strings.Replace(name, "fw-1", "fw-2", 1) },
	}
}

// dump is everything a result says, as text.
func dump(t testing.TB, all []*Tally) string {
	t.Helper()
	r, err := Merge(context.Background(), all)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}()
	var b strings.Builder
	if err := r.Pairs(t.Context(), func(k Key, p *Pair) { fmt.Fprintf(&b, "pair %v %+v\n", k, *p) }); err != nil {
		t.Fatal(err)
	}
	if err := r.Series(t.Context(), func(k SeriesKey, s *Series) { fmt.Fprintf(&b, "series %v %+v\n", k, *s) }); err != nil {
		t.Fatal(err)
	}
	err = r.Trails(t.Context(), func(e Entity, events []Event) {
		for _, x := range events {
			fmt.Fprintf(&b, "trail %v %v %v", e, x.Time, x.Spans)
			switch {
			case x.Transfer != nil:
				fmt.Fprintf(&b, " %+v\n", *x.Transfer)
			case x.Command != nil:
				fmt.Fprintf(&b, " %s %+v\n", x.Command.Line, *x.Command.Copy)
			case x.Auth != nil:
				fmt.Fprintf(&b, " %+v\n", *x.Auth)
			case x.Change != nil:
				fmt.Fprintf(&b, " %+v\n", *x.Change)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprintf(&b, "profile %x\n", profileOf(t, r))
	return b.String()
}

func profileOf(t testing.TB, r *Result) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := WriteProfile(t.Context(), &b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func same(t *testing.T, what, want, got string) {
	t.Helper()
	if got == want {
		return
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s: line %d differs\nwant %s\ngot  %s", what, i, a[i], b[i])
		}
	}
	t.Fatalf("%s: %d lines, want %d", what, len(b), len(a))
}

// TestOrderAndCutting is law 4: any order, any number of workers, any spill limit give the same bytes.
func TestOrderAndCutting(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	records := workload(r, 3000)
	one := New(testOptions())
	for _, x := range records {
		x.add(one)
	}
	want := dump(t, []*Tally{one})
	for what, least := range map[string]int{"\npair ": 20, "\nseries ": 10, "\ntrail {address ": 100, "\ntrail {device fw-2}": 100, "Opener:port": 10} {
		if n := strings.Count(want, what); n < least {
			t.Fatalf("the workload makes %d of %q", n, what)
		}
	}
	if strings.Contains(want, "trail {device fw-1}") {
		t.Error("a name that stands for another device has a trail of its own")
	}
	for round := range 14 {
		dir := t.TempDir()
		o := testOptions()
		o.Dir, o.MemoryLimit = dir, []int64{0, 3_000, 20_000, 200_000}[round%4]
		all := make([]*Tally, 1+r.IntN(7))
		for i := range all {
			all[i] = New(o)
		}
		r.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
		for _, x := range records {
			x.add(all[r.IntN(len(all))])
		}
		runs := 0
		for _, x := range all {
			runs = max(runs, len(x.runs))
		}
		if o.MemoryLimit == 3_000 && runs < 10 || runs > int(tables)*maxLevel*4 {
			t.Errorf("limit %d: %d runs", o.MemoryLimit, runs)
		}
		same(t, fmt.Sprintf("round %d, %d workers, limit %d", round, len(all), o.MemoryLimit), want, dump(t, all))
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

// TestSpillFails: an error of the disk is not lost, and nothing more is taken.
func TestSpillFails(t *testing.T) {
	x := New(Options{MemoryLimit: 1, Dir: "/dev/null/nowhere"})
	for _, f := range workload(rand.New(rand.NewPCG(1, 1)), 100) {
		f.add(x)
	}
	if x.Err() == nil || x.size > 10_000 {
		t.Errorf("error %v with %d bytes held", x.Err(), x.size)
	}
	if _, err := Merge(t.Context(), []*Tally{x}); err == nil {
		t.Error("merged what was not spilled")
	}
}

// TestMergeCancelled: an iteration ends when it is told to; else it gives a large trail in order.
func TestMergeCancelled(t *testing.T) {
	x := New(Options{})
	for i := range 1 << 17 {
		x.AddCommand(&facts.Command{Device: "r", Time: at(int64(i)), Span: evidence.Span{Pos: evidence.MakePos(1, int64(i)), Len: 1}})
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Trails(ctx, func(Entity, []Event) {}); err == nil {
		t.Error("a cancelled iteration ends without an error")
	}
	parts, n := 0, 0
	last := int64(0)
	err = r.Trails(t.Context(), func(_ Entity, events []Event) {
		parts++
		n += len(events)
		for _, e := range events {
			if e.Time.Unix < last {
				t.Fatal("out of order")
			}
			last = e.Time.Unix
		}
	})
	if err != nil || n != 1<<17 || parts != 1 {
		t.Errorf("%d events in %d parts, %v", n, parts, err)
	}
}

func TestTrailInParts(t *testing.T) {
	x := New(Options{})
	const n = trailHard + trailSoft + 10
	for i := range n {
		sec := int64(i)
		if i >= trailHard+trailSoft {
			sec += 1000 // a quiet time
		}
		x.AddChange(&facts.Change{Device: "r", Time: at(sec), Span: evidence.Span{Pos: evidence.MakePos(1, int64(i)), Len: 1}})
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var got []int
	if err := r.Trails(t.Context(), func(_ Entity, e []Event) { got = append(got, len(e)) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{trailHard, trailSoft, 10}, got); diff != "" {
		t.Errorf("parts (-want +got):\n%s", diff)
	}
}

func at(sec int64) facts.Stamp { return facts.Stamp{Unix: 1_790_000_000 + sec, Quality: facts.Exact} }

// TestVantages: sensors see one session; its bytes are not added.
func TestVantages(t *testing.T) {
	x := New(Options{})
	for _, v := range []struct {
		device, platform string
		out, in, total   int64
		outcome          facts.Outcome
		sec              int64
	}{
		{"fw-a", "", facts.Absent, facts.Absent, 900, facts.Allowed, 0},
		{"fw-b", "b", 600, 300, facts.Absent, facts.Allowed, 1},
		{"fw-c", "", facts.Absent, facts.Absent, facts.Absent, facts.Denied, 2},
		{"fw-a", "a", facts.Absent, facts.Absent, 70, facts.Allowed, 3 * day},
	} {
		x.Add(&facts.Transfer{
			Time: at(v.sec), Device: v.device, Format: "f", Platform: v.platform, Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddr("203.0.113.1"), ServerPort: 21,
			Protocol: facts.FTP, Outcome: v.outcome, Out: v.out, In: v.in, Total: v.total, Duration: -1, Span: evidence.Span{Pos: evidence.MakePos(1, v.sec+1), Len: 1},
		})
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	today := uint32(at(0).Unix / day)
	err = r.Pairs(t.Context(), func(_ Key, p *Pair) {
		want := []Day{
			{Day: today, Sessions: 1, Denied: 1, Out: 600, In: 300, OutKnown: 1, InKnown: 1},
			{Day: today + 3, Sessions: 1, Total: 70, TotalKnown: 1},
		}
		if diff := cmp.Diff(want, p.PerDay); diff != "" {
			t.Errorf("days (-want +got):\n%s", diff)
		}
		if p.Sessions != 2 || p.Out != 600 || p.In != 300 || p.Total != 70 || p.Denied != 1 || p.Vantage != "fw-a f" || p.Device != "fw-a" || p.Platform != "a" {
			t.Errorf("pair %+v", *p)
		}
		if diff := cmp.Diff([]string{"fw-b f", "fw-c f"}, p.Witness); diff != "" {
			t.Errorf("witnesses (-want +got):\n%s", diff)
		}
		if p.FirstSpan.Pos.Off() != 2 || p.Sizes.Total() != 2 || len(p.Starts.Times) != 2 {
			t.Errorf("first %v sizes %v starts %v", p.FirstSpan, p.Sizes, p.Starts)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
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
	finer := map[int64]bool{}
	for _, x := range times {
		finer[x>>(want.Width-1)] = true
	}
	if len(finer) <= maxSlots {
		t.Errorf("width %d is not the finest: %d members would fit", want.Width, len(finer))
	}
	for range 10 {
		r.Shuffle(len(times), func(i, j int) { times[i], times[j] = times[j], times[i] })
		var parts [3]Slots
		for i, x := range times {
			parts[r.IntN(1+i%3)].Add(x)
		}
		parts[1].Merge(&parts[0])
		parts[2].Merge(&parts[1])
		if diff := cmp.Diff(want, parts[2]); diff != "" {
			t.Fatalf("another order, another set (-want +got):\n%s", diff)
		}
	}
}

func TestHistogram(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	var numbers []int64
	for range 2000 {
		numbers = append(numbers, r.Int64()>>r.IntN(63))
	}
	numbers = append(numbers, 0, 1, 7, 8, 9, 15, 16, 1<<63-1)
	var want, a, b Histogram
	for i, n := range numbers {
		want.Add(n)
		if i%2 == 0 {
			a.Add(n)
		} else {
			b.Add(n)
		}
		x := Bin{Index: binOf(n)}
		if n < x.Lower() || n > x.Upper() || x.Upper()-x.Lower() > x.Lower()/8 {
			t.Errorf("%d is in [%d, %d]", n, x.Lower(), x.Upper())
		}
	}
	b.Merge(&a)
	if diff := cmp.Diff(want, b); diff != "" || want.Total() != int64(len(numbers)) || !slices.IsSortedFunc(want.Bins, func(x, y Bin) int { return int(x.Index) - int(y.Index) }) {
		t.Errorf("total %d (-want +got):\n%s", want.Total(), diff)
	}
}
