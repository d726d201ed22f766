package tally

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func benchTransfer(i int) facts.Transfer {
	return facts.Transfer{
		Time: at(int64(i)), Device: "fw", Format: "asa-syslog", Platform: facts.CiscoASA, Protocol: facts.FTP, ServerPort: 21, Outcome: facts.Allowed,
		Client: netip.AddrFrom4([4]byte{10, 0, byte(i >> 6), byte(i)}), Server: netip.AddrFrom4([4]byte{203, 0, 113, byte(i >> 3)}),
		Out: 10, In: 20, Total: facts.Absent, Duration: -1, Span: evidence.Span{Pos: evidence.MakePos(1, int64(i)), Len: 80},
	}
}

// BenchmarkAdd: 10,000 pairs in turn, in time order.
func BenchmarkAdd(b *testing.B) {
	t := New(Options{})
	xs := make([]facts.Transfer, 10_000)
	for i := range xs {
		xs[i] = benchTransfer(i)
	}
	for range 2 {
		for i := range xs {
			t.Add(&xs[i])
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x := &xs[i%len(xs)]
		x.Time = at(int64(i % 40_000 / 50))
		t.Add(x)
	}
}

// BenchmarkAddRandom: a million pairs, every one new at first.
func BenchmarkAddRandom(b *testing.B) {
	t := New(Options{MemoryLimit: 1 << 40})
	r := rand.New(rand.NewPCG(1, 2))
	b.ReportAllocs()
	for b.Loop() {
		n := r.Uint32()
		x := benchTransfer(0)
		x.Client = netip.AddrFrom4([4]byte{10, byte(n >> 16 & 15), byte(n >> 8), byte(n)})
		t.Add(&x)
	}
}

func BenchmarkAddDenied(b *testing.B) {
	t := New(Options{Dir: b.TempDir()})
	defer t.Close()
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		x := benchTransfer(i & 4095)
		x.Outcome = facts.Denied
		x.Time = at(int64(i))
		t.Add(&x)
	}
}

func BenchmarkAddBeat(b *testing.B) {
	t := New(Options{})
	classes := []string{"ASA-6-302013", "ASA-6-302014", "ASA-4-106023"}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		t.AddBeat(&facts.Beat{Time: at(int64(i / 1000)), Device: "fw", Class: classes[i%3]})
	}
}

// BenchmarkMerge: eight tallies of 50,000 sessions, half of them as two halves, merged and iterated.
func BenchmarkMerge(b *testing.B) {
	const each = 50_000
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		var all []*Tally
		for w := range 8 {
			t := New(Options{Dir: b.TempDir()})
			for i := range each {
				x := benchTransfer(i*8 + w)
				if i%2 == 0 {
					x.Half, x.Conn = facts.Build, uint64(i)
					t.Add(&x)
					x.Half, x.Span.Pos = facts.Teardown, x.Span.Pos+1
				}
				t.Add(&x)
			}
			all = append(all, t)
		}
		b.StartTimer()
		r, err := Merge(context.Background(), all)
		if err != nil {
			b.Fatal(err)
		}
		if err := r.Pairs(context.Background(), func(Key, *Pair) {}); err != nil {
			b.Fatal(err)
		}
		r.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(8*each), "ns/session")
}
