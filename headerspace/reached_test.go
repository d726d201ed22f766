package headerspace

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/facts"
)

func TestTakings(t *testing.T) {
	d := &facts.Device{Filters: []facts.Filter{list("F",
		permit(proto(facts.TCP), dst("10.0.0.9"), dport(eq(445))),
		deny(proto(facts.TCP), dport(eq(445))),
		permit(proto(facts.TCP), dport(from(20, 1024))),
		permit(proto(facts.UDP), dport(from(1, 200)), dst("10.0.0.0/8")),
		permit(proto(facts.TCP), dport(eq(21))),
		permit(established()),
	)}}
	got, err := New(d).Takings("", "F", []int{2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	type taking struct {
		rule     int
		protocol facts.Protocol
		port     uint16
		to       string
	}
	var have []taking
	for _, x := range got {
		if x.Packet.DstPort < x.Ports.First || x.Packet.DstPort > x.Ports.Last || x.Packet.Protocol != x.Transport {
			t.Errorf("packet %+v is none of %v", x.Packet, x.Listener)
		}
		have = append(have, taking{x.Index, x.Protocol, x.Ports.Last, x.Packet.Dst.String()})
	}
	want := []taking{
		{2, facts.FTP, 21, "198.51.100.10"}, {2, facts.FTPS, 990, "198.51.100.10"}, {2, facts.SMB, 139, "198.51.100.10"},
		{3, facts.TFTP, 69, "10.51.100.10"}, {3, facts.SMB, 138, "10.51.100.10"},
	}
	if diff := cmp.Diff(want, have, cmp.AllowUnexported(taking{})); diff != "" {
		t.Error(diff)
	}
}

// Of random filters every rule that decides an FTP packet of the small universe is told, and what is told is so.
func TestTakingsAgree(t *testing.T) {
	rounds := 60
	if testing.Short() {
		rounds = 30
	}
	told := 0
	for i := range rounds {
		r := maker{Rand: rand.New(rand.NewPCG(uint64(i), 23))}
		d := r.device()
		var rules []int
		for k := range d.Filters[0].Rules {
			if a := d.Filters[0].Rules[k].Action; a == facts.Permit || a == facts.Deny {
				rules = append(rules, k)
			}
		}
		got, err := New(d).Takings("", "F", rules)
		if err != nil {
			t.Fatal(err)
		}
		ftp := func(k int) int {
			return slices.IndexFunc(got, func(x Taking) bool { return x.Index == k && x.Protocol == facts.FTP })
		}
		all := Set{Prefixes: []netip.Prefix{pfx("10.0.0.0/29")}}
		q := Query{Src: all, Dst: all, Protocols: []uint8{facts.TCP}, DstPorts: []facts.PortRange{{First: 20, Last: 21}}}
		for _, k := range rules {
			n := ftp(k)
			if n < 0 {
				packets(d, &q, func(w world) bool {
					if decides(d, k, w) {
						t.Fatalf("round %d: rule %d takes %+v\n%s", i, k+1, w, dump(d))
					}
					return true
				})
				continue
			}
			told++
			p := got[n].Packet
			some := false
			one := func(a netip.Addr) Set { return Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}} }
			if !p.Src.Is4() || !all.Prefixes[0].Contains(p.Src) || !all.Prefixes[0].Contains(p.Dst) || p.SrcPort < 20 || p.SrcPort > 23 {
				continue // beyond the universe
			}
			packets(d, &Query{Src: one(p.Src), Dst: one(p.Dst), Protocols: q.Protocols, DstPorts: ports(p.DstPort)}, func(w world) bool {
				some = w.sport == p.SrcPort && decides(d, k, w)
				return !some
			})
			if !some {
				t.Fatalf("round %d: rule %d does not take %+v\n%s", i, k+1, p, dump(d))
			}
		}
	}
	if told < rounds/5 {
		t.Errorf("%d rules were told in %d rounds: the test shows little", told, rounds)
	}
}

// decides reports whether it matters to a packet what rule k does.
func decides(d *facts.Device, k int, w world) bool {
	n := naive{d: d, w: w}
	f := d.Filters[0]
	f.Rules = slices.Clone(f.Rules[:k+1])
	f.Rules[k].Action = facts.Permit
	a := n.decide(&f)
	f.Rules[k].Action = facts.Deny
	return !cmp.Equal(a, n.decide(&f))
}
