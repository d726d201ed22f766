package tally

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func TestJoin(t *testing.T) {
	inside, outside := netip.MustParseAddr("10.10.0.11"), netip.MustParseAddr("203.0.113.66")
	// half is the build or teardown of connection conn at a second, at an offset in the log; a teardown of offset n says 500+n bytes.
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
	b := func(conn uint64, sec, off int64) *facts.Transfer { return half(facts.Build, conn, sec, off) }
	d := func(conn uint64, sec, off int64) *facts.Transfer { return half(facts.Teardown, conn, sec, off) }
	elsewhere := d(7, 5, 9)
	elsewhere.ClientPort = 70
	for _, c := range []struct {
		name     string
		in       []*facts.Transfer
		sessions int64
		total    int64
		known    int64
		unknown  int64
		spans    []int
	}{
		{"both halves", []*facts.Transfer{b(7, 0, 0), d(7, 5, 1)}, 1, 501, 1, 0, []int{2}},
		{"in one second, the end first in the file", []*facts.Transfer{d(7, 0, 0), b(7, 0, 1)}, 1, 500, 1, 0, []int{2}},
		{"no end", []*facts.Transfer{b(7, 0, 0)}, 1, 0, 0, 0, []int{1}},
		{"no beginning: the transfer port is the server's", []*facts.Transfer{d(7, 0, 3)}, 1, 503, 1, 1, []int{1}},
		{"number used twice", []*facts.Transfer{b(7, 0, 0), b(7, 9, 1), d(7, 10, 2)}, 2, 502, 1, 0, []int{1, 2}},
		{"number used twice, both whole", []*facts.Transfer{b(7, 0, 0), d(7, 5, 1), b(7, 9, 2), d(7, 10, 3)}, 2, 1004, 2, 0, []int{2, 2}},
		{"twice in one second", []*facts.Transfer{b(7, 0, 0), d(7, 0, 1), b(7, 0, 2), d(7, 0, 3)}, 2, 1004, 2, 0, []int{2, 2}},
		{"two ends", []*facts.Transfer{b(7, 0, 0), d(7, 1, 1), d(7, 2, 2)}, 2, 1003, 2, 1, []int{2, 1}},
		{"the end before the beginning", []*facts.Transfer{d(7, 0, 1), b(7, 5, 2)}, 2, 501, 1, 1, []int{1, 1}},
		{"other numbers", []*facts.Transfer{b(7, 0, 0), d(8, 1, 2)}, 2, 502, 1, 1, []int{1, 1}},
	} {
		x := New(Options{Keep: func(*facts.Transfer) bool { return true }})
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
			if p.Sessions != c.sessions || p.Total != c.total || p.TotalKnown != c.known || p.OpenerUnknown != c.unknown {
				t.Errorf("%s: sessions %d total %d of %d, opener of %d unknown", c.name, p.Sessions, p.Total, p.TotalKnown, p.OpenerUnknown)
			}
		})
		if err != nil || n != 1 {
			t.Errorf("%s: %d pairs, %v", c.name, n, err)
		}
		var spans []int
		err = r.Trails(t.Context(), func(_ Entity, events []Event) {
			for _, e := range events {
				spans = append(spans, len(e.Spans))
				if e.Transfer.Half != facts.Whole || e.Transfer.Outcome != facts.Allowed || e.Transfer.Span != e.Spans[0] {
					t.Errorf("%s: %+v", c.name, *e.Transfer)
				}
			}
		})
		if diff := cmp.Diff(c.spans, spans); diff != "" || err != nil {
			t.Errorf("%s: %v, positions by session (-want +got):\n%s", c.name, err, diff)
		}
		r.Close()
	}
}

// TestOrphans: who opened a session of which only the end was seen.
func TestOrphans(t *testing.T) {
	one, two := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("203.0.113.1")
	for _, c := range []struct {
		name             string
		first, second    uint16
		client           netip.Addr
		port             uint16
		opener           facts.Opener
		out, wantOut     int64
		turned           bool
		outcome, wantEnd facts.Outcome
	}{
		{"the second is a server", 50000, 21, one, 21, facts.OpenerByPort, 5, 5, false, facts.OutcomeUnknown, facts.Allowed},
		{"the first is a server", 445, 50000, two, 445, facts.OpenerByPort, 5, facts.Absent, false, facts.OutcomeUnknown, facts.Allowed},
		{"neither", 50001, 50000, one, 50000, facts.OpenerUnknown, 5, 5, false, facts.OutcomeUnknown, facts.Allowed},
		{"neither, named the other way", 50000, 50001, one, 50000, facts.OpenerUnknown, 5, facts.Absent, true, facts.OutcomeUnknown, facts.Allowed},
		{"both, and it failed", 21, 445, one, 445, facts.OpenerUnknown, 5, 5, false, facts.Failed, facts.Failed},
	} {
		x := facts.Transfer{
			Time: at(0), Device: "fw", Half: facts.Teardown, Conn: 1, Transport: facts.TCP, Client: one, ClientPort: c.first, Server: two, ServerPort: c.second,
			Out: c.out, In: facts.Absent, Total: facts.Absent, Duration: -1, Outcome: c.outcome, Span: evidence.Span{Pos: evidence.MakePos(1, 0), Len: 1},
		}
		if c.turned {
			x.Client, x.Server = two, one
		}
		a := New(Options{Keep: func(*facts.Transfer) bool { return true }})
		a.Add(&x)
		r, err := Merge(t.Context(), []*Tally{a})
		if err != nil {
			t.Fatal(err)
		}
		err = r.Trails(t.Context(), func(_ Entity, events []Event) {
			y := events[0].Transfer
			if y.Client != c.client || y.ServerPort != c.port || y.Opener != c.opener || y.Out != c.wantOut || y.Outcome != c.wantEnd {
				t.Errorf("%s: client %v port %d opener %v out %d outcome %v", c.name, y.Client, y.ServerPort, y.Opener, y.Out, y.Outcome)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
}

// TestJoinBounded: a log of beginnings alone, all of one connection and second, is not held in memory.
func TestJoinBounded(t *testing.T) {
	x := New(Options{})
	const n = 3*maxWaiting + 5
	for i := range n {
		x.Add(&facts.Transfer{
			Time: at(0), Device: "fw", Half: facts.Build, Conn: 1, Client: netip.MustParseAddr("10.0.0.1"), Server: netip.MustParseAddr("203.0.113.1"),
			Out: facts.Absent, In: facts.Absent, Total: facts.Absent, Span: evidence.Span{Pos: evidence.MakePos(1, int64(i)), Len: 1},
		})
	}
	r, err := Merge(t.Context(), []*Tally{x})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Pairs(t.Context(), func(_ Key, p *Pair) {
		if p.Sessions != n {
			t.Errorf("%d sessions of %d", p.Sessions, n)
		}
	}); err != nil {
		t.Fatal(err)
	}
}
