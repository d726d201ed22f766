package headerspace

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A translation is what one NAT rule does to one address of the packets of a route.
type translation struct {
	rule     int32
	src      bool         // else the destination
	from, to netip.Prefix // from invalid: any address may be meant; to invalid: may become any
	follow   bool         // one to one, both ends known
}

// maxTranslations is how many translations a question follows one by one; of more, none is.
const maxTranslations = 64

// translations are the NAT rules that may change packets of q on route r. A rule of facts.NAT is told from a packet on
// its way from In to Out: the source Original leaves as Mapped (source, static), the destination Original becomes Mapped
// (destination); of a static one, what comes in at Out for Mapped goes on to Original.
func (m *Model) translations(r *route, q *Query, fam facts.Family) []translation {
	if !r.nat {
		return nil
	}
	var out []translation
	for i := range m.d.NAT {
		n := &m.d.NAT[i]
		forward := m.at(r.in, r.from, n.In) && m.at(r.out, r.to, n.Out)
		backward := m.at(r.in, r.from, n.Out) && m.at(r.out, r.to, n.In)
		t := translation{rule: int32(i), follow: n.Static && n.Unread == "" && n.Original.IsValid() && n.Mapped.IsValid() && n.Original.Bits() == n.Mapped.Bits()}
		switch {
		case n.Kind == "destination" && forward:
			t.from, t.to = n.Original, n.Mapped
		case n.Kind == "static" && backward && !sameAddrs(n):
			t.from, t.to = n.Mapped, n.Original
		case n.Kind == "source" && forward, n.Kind == "static" && forward && !sameAddrs(n):
			t.src, t.from, t.to = true, n.Original, n.Mapped
		default:
			continue
		}
		if !mayBeOf(n, q) {
			continue
		}
		set := &q.Dst
		if t.src {
			set = &q.Src
			if !slices.ContainsFunc(r.stages, func(s stage) bool { return s.sees == seesBoth }) {
				continue // no stage sees a translated source
			}
		}
		if t.from.IsValid() && (!ofFamily(t.from.Addr(), fam) || !set.meets(t.from)) {
			continue
		}
		out = append(out, t)
	}
	if len(out) > maxTranslations {
		for i := range out {
			out[i].follow = false
		}
	}
	return out
}

// mayBeOf reports whether a NAT rule's protocol and ports may be those asked about.
func mayBeOf(n *facts.NAT, q *Query) bool {
	if n.Transport != 0 && len(q.Protocols) > 0 && !slices.Contains(q.Protocols, n.Transport) {
		return false
	}
	return n.OriginalPorts == (facts.PortRange{}) || len(q.DstPorts) == 0 || q.NotDstPorts ||
		slices.ContainsFunc(q.DstPorts, func(r facts.PortRange) bool {
			return r.First <= n.OriginalPorts.Last && n.OriginalPorts.First <= r.Last
		})
}

func sameAddrs(n *facts.NAT) bool { return n.Original.IsValid() && n.Original == n.Mapped }

// at reports whether a NAT rule's interface or zone may be the one asked about. What nobody stated may be it.
func (m *Model) at(f *facts.Interface, zone, name string) bool {
	switch {
	case name == "":
		return true
	case f != nil:
		return name == f.Name || name == f.Alias || name == f.Zone
	case zone != "":
		return name == zone || !m.hasZone(name)
	}
	return true
}

// translate is stage st with decision d as it decides packets that ts changes before it: of packets that are followed,
// by their new address; of others, everything they may become.
func (m *Model) translate(d ref, st *stage, ts []translation, fam facts.Family) ref {
	g := m.g
	l := m.layout(false)
	for _, src := range [2]bool{false, true} {
		if st.sees == seesWire || src && st.sees != seesBoth {
			continue
		}
		base, done := l.dst, no
		if src {
			base = l.src
		}
		plain := d
		for _, t := range ts {
			if t.src != src {
				continue
			}
			set := yes
			if t.from.IsValid() {
				set = g.prefix(base, fam, t.from, yes)
			}
			set = g.without(set, done) // the first rule that fits translates
			done = g.compose(done, set)
			moved := m.moved(plain, base, t, fam)
			d = g.compose(g.and(set, moved), g.without(d, set))
		}
	}
	return d
}

// moved is d of the address that t makes.
func (m *Model) moved(d ref, base int, t translation, fam facts.Family) ref {
	g := m.g
	first := base
	if t.to.IsValid() && ofFamily(t.to.Addr(), fam) {
		v := t.to.Addr().AsSlice()
		d = g.restrict(d, base, t.to.Bits(), v)
		first = base + t.to.Bits()
	}
	if t.follow {
		return d
	}
	if t.src {
		d = g.spread(spreadSrcPort, atSrcPort, atSrcPort+16, d)
	} else {
		d = g.spread(spreadDstPort, atDstPort, atDstPort+16, d)
	}
	r := g.spread(spreadAddress, first, base+bitsOf(fam), d)
	clear(g.cache) // the next translation's address has other levels
	return r
}

// moveOne is p as st sees it, and the NAT rule that makes it uncertain what that is (-1: none).
func (m *Model) moveOne(p packet, st *stage, ts []translation) (packet, int32) {
	for _, src := range [2]bool{false, true} {
		if st.sees == seesWire || src && st.sees != seesBoth {
			continue
		}
		x := &p.dst
		if src {
			x = &p.src
		}
		for _, t := range ts {
			if t.src != src || t.from.IsValid() && !t.from.Contains(*x) {
				continue
			}
			if !t.follow {
				return p, t.rule
			}
			*x = rebase(*x, t.to)
			break
		}
	}
	return p, -1
}

// rebase is a with the leading bits of to.
func rebase(a netip.Addr, to netip.Prefix) netip.Addr {
	v, w := a.AsSlice(), to.Addr().AsSlice()
	if len(v) != len(w) {
		return a
	}
	for i := range to.Bits() {
		b := byte(1) << (7 - i&7)
		v[i>>3] = v[i>>3]&^b | w[i>>3]&b
	}
	out, _ := netip.AddrFromSlice(v)
	return out
}

func (m *Model) natReason(rule int32) string {
	n := &m.d.NAT[rule]
	why := n.Unread
	if why == "" {
		why = "it is not one to one"
	}
	return fmt.Sprintf("NAT: a %s rule may translate the packet and was not followed (%q)", n.Kind, why)
}
