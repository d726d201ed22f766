package headerspace

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// This file decides lists of plain rules with boxes, the other way considered (docs/adr/0010): it is measured beside the
// diagrams and judges them.

// A box is a product of two masked addresses and three ranges: protocol, source port, destination port. IPv4 only.
type box struct {
	addr, care [2]uint32
	lo, hi     [3]uint16
}

var everything = box{hi: [3]uint16{255, 65535, 65535}}

// meet is the part of b in c.
func (b box) meet(c box) (box, bool) {
	for i := range b.addr {
		if (b.addr[i]^c.addr[i])&b.care[i]&c.care[i] != 0 {
			return b, false
		}
		b.addr[i], b.care[i] = b.addr[i]|c.addr[i], b.care[i]|c.care[i]
	}
	for i := range b.lo {
		b.lo[i], b.hi[i] = max(b.lo[i], c.lo[i]), min(b.hi[i], c.hi[i])
		if b.lo[i] > b.hi[i] {
			return b, false
		}
	}
	return b, true
}

// less appends what of b is not in c, which b meets.
func (b box) less(c box, out []box) []box {
	for i := range b.addr {
		for m := c.care[i] &^ b.care[i]; m != 0; {
			bit := uint32(1) << (31 - leadingZeros(m))
			m &^= bit
			rest := b
			rest.addr[i], rest.care[i] = b.addr[i]&^bit|^c.addr[i]&bit, b.care[i]|bit
			out = append(out, rest)
			b.addr[i], b.care[i] = b.addr[i]&^bit|c.addr[i]&bit, b.care[i]|bit
		}
	}
	for i := range b.lo {
		if b.lo[i] < c.lo[i] {
			rest := b
			rest.hi[i] = c.lo[i] - 1
			out = append(out, rest)
			b.lo[i] = c.lo[i]
		}
		if b.hi[i] > c.hi[i] {
			rest := b
			rest.lo[i] = c.hi[i] + 1
			out = append(out, rest)
			b.hi[i] = c.hi[i]
		}
	}
	return out
}

func leadingZeros(m uint32) int {
	n := 0
	for m>>31 == 0 {
		m <<= 1
		n++
	}
	return n
}

// boxesOf are the boxes of a rule without anything uncertain.
func boxesOf(d *facts.Device, m *facts.Match) []box {
	out := []box{everything}
	cross := func(with []box) {
		var next []box
		for _, b := range out {
			for _, w := range with {
				if x, ok := b.meet(w); ok {
					next = append(next, x)
				}
			}
		}
		out = next
	}
	side := func(i int, a *facts.Addrs) {
		if !stated(a) {
			return
		}
		items := a.Items
		if len(items) == 1 && items[0].Group != "" {
			for k := range d.Groups {
				if d.Groups[k].Name == items[0].Group {
					items = d.Groups[k].Addrs
					break
				}
			}
		}
		var with []box
		for _, it := range items {
			b := everything
			var v, c [4]byte
			if it.Wild != nil {
				v, c = it.Wild.Addr, it.Wild.Care
			} else {
				v = it.Prefix.Addr().As4()
				ones := ^uint32(0)
				if n := it.Prefix.Bits(); n < 32 {
					ones <<= 32 - n
				}
				c = [4]byte{byte(ones >> 24), byte(ones >> 16), byte(ones >> 8), byte(ones)}
			}
			for k := range v {
				b.care[i] = b.care[i]<<8 | uint32(c[k])
				b.addr[i] = b.addr[i]<<8 | uint32(v[k]&c[k])
			}
			with = append(with, b)
		}
		cross(with)
	}
	side(0, &m.Src)
	side(1, &m.Dst)
	ranges := func(i int, rs []facts.PortRange) {
		var with []box
		for _, r := range rs {
			b := everything
			b.lo[i], b.hi[i] = r.First, r.Last
			with = append(with, b)
		}
		cross(with)
	}
	if len(m.Protocols) > 0 {
		var rs []facts.PortRange
		for _, p := range m.Protocols {
			rs = append(rs, facts.PortRange{First: uint16(p), Last: uint16(p)})
		}
		ranges(0, rs)
	}
	if portsStated(&m.SrcPorts) {
		ranges(1, m.SrcPorts.Ranges)
	}
	if portsStated(&m.DstPorts) {
		ranges(2, m.DstPorts.Ranges)
	}
	return out
}

// decideBoxes is what of the questions is permitted and denied. False: more comparisons of boxes than the limit.
func decideBoxes(d *facts.Device, f *facts.Filter, ask []box, limit int) (permitted, denied []box, ok bool) {
	rest := ask
	for k := range f.Rules {
		r := &f.Rules[k]
		for _, rule := range boxesOf(d, &r.Match) {
			var next []box
			for _, b := range rest {
				hit, some := b.meet(rule)
				if !some {
					next = append(next, b)
					continue
				}
				if r.Action == facts.Permit {
					permitted = append(permitted, hit)
				} else {
					denied = append(denied, hit)
				}
				next = b.less(rule, next)
			}
			if limit -= len(rest); limit < 0 {
				return nil, nil, false
			}
			rest = next
		}
	}
	return permitted, append(denied, rest...), true
}

func transferBoxes() (out []box) {
	for _, l := range facts.TransferPorts() {
		b := everything
		b.lo[0], b.hi[0], b.lo[2], b.hi[2] = uint16(l.Transport), uint16(l.Transport), l.Ports.First, l.Ports.Last
		out = append(out, b)
	}
	return out
}

// TestBoxesAgree holds the diagrams against boxes on lists over all 32 bits.
func TestBoxesAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for k := range kinds {
		if kinds[k].name == "ipv6" || kinds[k].name == "groups" { // a group rule is 250,000 boxes
			continue
		}
		t.Run(kinds[k].name, func(t *testing.T) {
			d := listOfKind(k, 25)
			m := New(d)
			as, err := m.Transfers(Query{Filter: "F"})
			if err != nil {
				t.Fatal(err)
			}
			for i, b := range transferBoxes() {
				permitted, denied, ok := decideBoxes(d, &d.Filters[0], []box{b}, 1<<24)
				if !ok {
					t.Fatal("too many boxes")
				}
				want := Partial
				switch {
				case len(denied) == 0:
					want = Permit
				case len(permitted) == 0:
					want = Deny
				}
				if as[i].Verdict != want {
					t.Errorf("%s: %s, boxes say %s", as[i].Protocol, as[i].Verdict, want)
				}
				// A corner of some boxes of each kind must be decided alike.
				for _, c := range []struct {
					boxes []box
					want  Verdict
				}{{permitted, Permit}, {denied, Deny}} {
					for range min(20, len(c.boxes)) {
						q := corner(r, c.boxes[r.IntN(len(c.boxes))])
						q.Filter = "F"
						if a, err := m.Test(q); err != nil || a.Verdict != c.want {
							t.Fatalf("%+v: %s, boxes say %s (%v)", q, a.Verdict, c.want, err)
						}
					}
				}
			}
		})
	}
}

// corner asks about one packet of a box.
func corner(r *rand.Rand, b box) Query {
	addr := func(i int) Set {
		v := b.addr[i] | r.Uint32()&^b.care[i]
		return one(fmt.Sprintf("%d.%d.%d.%d", byte(v>>24), byte(v>>16), byte(v>>8), byte(v)))
	}
	return Query{Src: addr(0), Dst: addr(1), Protocols: []uint8{uint8(b.lo[0])}, SrcPorts: ports(b.lo[1]), DstPorts: ports(b.hi[2])}
}

// BenchmarkBoxes is BenchmarkTransfers with boxes: what is permitted and denied, no witnesses, no reasons.
func BenchmarkBoxes(b *testing.B) {
	const limit = 1_000_000_000 // comparisons: some ten seconds
	for k := range kinds {
		if kinds[k].name == "ipv6" {
			continue
		}
		for _, n := range []int{10, 100, 1_000, 10_000} {
			b.Run(fmt.Sprintf("%s/%d", kinds[k].name, n), func(b *testing.B) {
				d := listOfKind(k, n)
				f := &d.Filters[0]
				kept := *f
				kept.Rules = nil
				m := New(d)
				m.begin()
				m.want(wantTransfers, facts.TransferPorts())
				c := compiler{m: m, g: m.g, want: m.wants[wantTransfers], filter: f}
				boxes, cpu := 0, cpuTime()
				for b.Loop() {
					kept.Rules = kept.Rules[:0]
					for i := range f.Rules { // the same rules are set aside first
						if c.overlaps(&f.Rules[i].Match) {
							kept.Rules = append(kept.Rules, f.Rules[i])
						}
					}
					p, q, ok := decideBoxes(d, &kept, transferBoxes(), limit)
					if !ok {
						b.Skip("more than a billion comparisons")
					}
					boxes = len(p) + len(q)
				}
				b.ReportMetric(float64(boxes), "nodes")
				b.ReportMetric(float64(cpuTime()-cpu)/float64(b.N), "cpu-ns/op")
			})
		}
	}
}
