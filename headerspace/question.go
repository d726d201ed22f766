package headerspace

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// any reports whether s is every address.
func (s *Set) any() bool {
	return len(s.Prefixes) == 0 && len(s.Ranges) == 0 && len(s.Except) == 0 && !s.Not
}

// Subtract is s without the prefixes: approved destinations, say.
func (s Set) Subtract(prefixes ...netip.Prefix) Set {
	s.Except = append(slices.Clip(s.Except), prefixes...)
	return s
}

// families reports which versions of IP s has addresses of. A set that names none has both.
func (s *Set) families() (v4, v6 bool) {
	if s.Not || len(s.Prefixes) == 0 && len(s.Ranges) == 0 {
		return true, true
	}
	for _, p := range s.Prefixes {
		is4 := p.Addr().Is4() || p.Addr().Is4In6()
		v4, v6 = v4 || is4, v6 || !is4
	}
	for _, r := range s.Ranges {
		is4 := r[0].Unmap().Is4()
		v4, v6 = v4 || is4, v6 || !is4
	}
	return v4, v6
}

// meets reports whether an address of p may be in s.
func (s *Set) meets(p netip.Prefix) bool {
	for _, e := range s.Except {
		if e.Bits() <= p.Bits() && e.Contains(p.Addr()) {
			return false
		}
	}
	if s.Not || len(s.Prefixes) == 0 && len(s.Ranges) == 0 {
		return true
	}
	if slices.ContainsFunc(s.Prefixes, p.Overlaps) {
		return true
	}
	last := rebase(allOnes(p.Addr()), p)
	return slices.ContainsFunc(s.Ranges, func(r [2]netip.Addr) bool {
		return r[0].Compare(last) <= 0 && p.Masked().Addr().Compare(r[1]) <= 0
	})
}

func allOnes(a netip.Addr) netip.Addr {
	v := a.AsSlice()
	for i := range v {
		v[i] = 0xff
	}
	out, _ := netip.AddrFromSlice(v)
	return out
}

// An askedSet is a question's set of addresses as a diagram.
type askedSet struct {
	set  Set
	base int
	fam  facts.Family
	ref  ref
}

// maxAsked bounds the sets kept: a device's zones and what is outside are few, and asked about on every way.
const maxAsked = 16

func (s *Set) equal(o *Set) bool {
	return s.Not == o.Not && slices.Equal(s.Prefixes, o.Prefixes) && slices.Equal(s.Ranges, o.Ranges) && slices.Equal(s.Except, o.Except)
}

func (m *Model) addressSet(s *Set, base int, fam facts.Family) ref {
	if s.any() {
		return yes
	}
	for i := range m.asked {
		if a := &m.asked[i]; a.base == base && a.fam == fam && a.set.equal(s) {
			return a.ref
		}
	}
	x := m.makeSet(s, base, fam)
	if m.g.full {
		return x
	}
	if len(m.asked) == maxAsked {
		m.asked = m.asked[:0]
	}
	kept := Set{Prefixes: slices.Clone(s.Prefixes), Ranges: slices.Clone(s.Ranges), Not: s.Not, Except: slices.Clone(s.Except)}
	m.asked = append(m.asked, askedSet{kept, base, fam, x})
	return x
}

func (m *Model) makeSet(s *Set, base int, fam facts.Family) ref {
	g := m.g
	x := yes
	if len(s.Prefixes) > 0 || len(s.Ranges) > 0 {
		f := fold{g: g}
		for _, p := range s.Prefixes {
			f.push(g.prefix(base, fam, p, yes))
		}
		for _, r := range s.Ranges {
			f.push(g.addresses(base, fam, r[0], r[1], yes))
		}
		x = f.result()
	}
	if s.Not {
		x = g.not(x)
	}
	if len(s.Except) > 0 {
		f := fold{g: g}
		for _, p := range s.Except {
			f.push(g.prefix(base, fam, p, yes))
		}
		x = g.without(x, f.result())
	}
	return x
}

// question is the set of packets that q asks about.
func (m *Model) question(q *Query, fam facts.Family) ref {
	g := m.g
	l := m.layout(false)
	x := yes
	if m.ix.when != nil && !m.ix.when.lost && !q.At.IsZero() {
		x = g.value(atWhen, 16, uint64(m.ix.when.combos[m.ix.when.key(q.At)]), x, no)
	}
	if q.App != "" && m.ix.apps != nil {
		x = g.value(atApp, 16, uint64(m.ix.apps[appName(q.App)]), x, no)
	}
	x = g.and(m.anyWay(), x)
	c := compiler{m: m, g: g, mode: mode{family: fam}}
	implied := yes
	if len(q.ICMP) > 0 {
		x = g.and(c.icmpSet(q.ICMP), x)
		implied = g.value(atProtocol, 8, icmpOf(fam), yes, no)
	}
	state := uint64(stateOpening)
	if q.Established {
		state = stateOpen
	}
	x = g.value(atState, 2, state, x, no)
	if len(q.SrcPorts) > 0 || len(q.DstPorts) > 0 {
		implied = g.and(implied, c.protocolSet(portProtocols[:]))
	}
	if len(q.SrcPorts) > 0 {
		x = g.and(g.ports(atSrcPort, q.SrcPorts, yes), x)
	}
	if len(q.DstPorts) > 0 {
		p := g.ports(atDstPort, q.DstPorts, yes)
		if q.NotDstPorts {
			p = g.not(p)
		}
		x = g.and(p, x)
	}
	if len(q.Protocols) > 0 {
		implied = g.and(implied, c.protocolSet(q.Protocols))
	}
	x = g.and(implied, x)
	x = g.and(m.addressSet(&q.Dst, l.dst, fam), x)
	return g.and(m.addressSet(&q.Src, l.src, fam), x)
}

// witness is the packet that answers try to be near to: hosts of documentation networks (RFC 5737, RFC 3849), an
// ephemeral source port (RFC 6335), the first port asked about.
func (m *Model) witness(q *Query, fam facts.Family) header {
	var h header
	l := m.layout(false)
	if fam == facts.IPv6 {
		h.setAddr(l.src, netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 0x0a}))
		h.setAddr(l.dst, netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 5: 0x01, 15: 0x0a}))
	} else {
		h.setAddr(l.src, netip.AddrFrom4([4]byte{192, 0, 2, 10}))
		h.setAddr(l.dst, netip.AddrFrom4([4]byte{198, 51, 100, 10}))
	}
	proto, dport := uint64(facts.TCP), uint64(ftpControl)
	if len(q.Protocols) > 0 {
		proto = uint64(q.Protocols[0])
	}
	if len(q.DstPorts) > 0 && !q.NotDstPorts {
		dport = uint64(q.DstPorts[0].First)
	}
	h.setNumber(atProtocol, 8, proto)
	h.setNumber(atDstPort, 16, dport)
	h.setNumber(atSrcPort, 16, firstEphemeral)
	echo := uint64(8) // echo request: RFC 792; 128 in RFC 4443
	if fam == facts.IPv6 {
		echo = 128
	}
	h.setNumber(atICMP, 8, echo)
	if p := m.ix.places; p != nil {
		h.setNumber(atIn, 16, p.valid[0])
		h.setNumber(atOut, 16, p.valid[len(p.valid)-1])
	}
	return h
}

// Ports: FTP's control channel (IANA), the first dynamic port (RFC 6335).
const (
	ftpControl     = 21
	firstEphemeral = 49152
)

// shown is the witness as answers show it, with the way that the question left open.
func (m *Model) shown(w *way, p *packet) *Packet {
	q := *p
	in, out := m.ends(w.route)
	if in != 0 {
		q.in = 0
	}
	if out != 0 {
		q.out = 0
	}
	return m.onWay(&q)
}

// onWay is the witness with the way it takes, where rules tell ways apart.
func (m *Model) onWay(p *packet) *Packet {
	out := p.public()
	if pl := m.ix.places; pl != nil && int(p.in) < len(pl.shown) && int(p.out) < len(pl.shown) {
		out.In, out.Out = pl.shown[p.in], pl.shown[p.out]
	}
	return out
}

// public is the witness without its way.
func (p *packet) public() *Packet {
	out := &Packet{Src: p.src, Dst: p.dst, Protocol: p.protocol, Established: p.state == stateOpen}
	if hasPorts(p.protocol) {
		out.SrcPort, out.DstPort = p.sport, p.dport
	}
	if uint64(p.protocol) == icmpOf(p.family) {
		out.ICMP = &facts.ICMPType{Type: p.icmp[0], Code: int16(p.icmp[1])}
	}
	return out
}
