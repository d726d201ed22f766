package headerspace

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// maker makes random devices.
type maker struct {
	*rand.Rand
	ways  bool   // rules name ways in and out, of the interfaces i1 to i3
	jumps string // the filters that rules may ask
}

func (r maker) chance(n int) bool { return r.IntN(n) == 0 }

func (r maker) addr() netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(r.IntN(8))}) }

func (r maker) item(groups bool) facts.AddrItem {
	switch k := r.IntN(10); {
	case k < 4:
		p, _ := r.addr().Prefix(29 + r.IntN(4))
		return facts.AddrItem{Prefix: p}
	case k == 4:
		a, b := r.addr(), r.addr()
		if b.Less(a) {
			a, b = b, a
		}
		return facts.AddrItem{From: a, To: b}
	case k == 5:
		return facts.AddrItem{Wild: &facts.Wildcard{Addr: r.addr().As4(), Care: [4]byte{255, 255, 255, 0xf8 | byte(r.IntN(8))}}}
	case k == 6:
		return facts.AddrItem{Any: true, Family: facts.Family(r.IntN(3))}
	case k == 7 && groups:
		return facts.AddrItem{Unread: "fqdn ftp.example.org"}
	case groups:
		return facts.AddrItem{Group: fmt.Sprintf("A%d", r.IntN(5))} // A4 is not defined
	}
	return facts.AddrItem{Prefix: netip.PrefixFrom(r.addr(), 32)}
}

func (r maker) addrs() (a facts.Addrs) {
	a.Present = true
	if r.chance(4) {
		a.LongestPrefix = true
		for range r.IntN(4) {
			p, _ := r.addr().Prefix(29 + r.IntN(4))
			it := facts.AddrItem{Prefix: p, Except: r.chance(3)}
			if r.chance(3) {
				it = facts.AddrItem{Group: []string{"P0", "P1"}[r.IntN(2)], Except: r.chance(2)}
			}
			a.Items = append(a.Items, it)
		}
	} else {
		for range r.IntN(3) {
			it := r.item(true)
			it.Except = r.chance(6)
			a.Items = append(a.Items, it)
		}
	}
	a.Not = r.chance(6)
	return a
}

func (r maker) portRange() facts.PortRange {
	a, b := uint16(20+r.IntN(8)), uint16(20+r.IntN(8))
	return facts.PortRange{First: min(a, b), Last: max(a, b)}
}

func (r maker) ports() (p facts.Ports) {
	p.Present = true
	for range r.IntN(3) {
		p.Ranges = append(p.Ranges, r.portRange())
	}
	if r.chance(5) {
		p.Groups = []string{fmt.Sprintf("T%d", r.IntN(3))}
	}
	p.Not = r.chance(5)
	return p
}

func (r maker) protocols() []uint8 { return [][]uint8{{6}, {17}, {6, 17}, {1}, {47}}[r.IntN(5)] }

func (r maker) service() (s facts.ServiceItem) {
	if r.chance(3) {
		return facts.ServiceItem{Group: fmt.Sprintf("S%d", r.IntN(4)), Except: r.chance(6)} // S3 is not defined
	}
	if r.chance(2) {
		s.Protocols = r.protocols()
	}
	if r.chance(2) {
		s.Dst = r.ports()
	}
	if r.chance(4) {
		s.Src = r.ports()
	}
	if r.chance(10) {
		s.Unread = "dynamic"
	}
	s.Except = r.chance(8)
	return s
}

func (r maker) match(depth int) (m facts.Match) {
	part := func(n int, set func()) {
		if r.chance(n) {
			set()
		}
	}
	part(2, func() { m.Src = r.addrs() })
	part(2, func() { m.Dst = r.addrs() })
	part(9, func() { m.Either = r.addrs() })
	part(3, func() { m.Protocols, m.NotProtocols = r.protocols(), r.chance(5) })
	part(6, func() { m.SrcPorts = r.ports() })
	part(3, func() { m.DstPorts = r.ports() })
	part(12, func() { m.EitherPorts = r.ports() })
	part(6, func() {
		m.HasServices = true
		for range r.IntN(3) {
			m.Services = append(m.Services, r.service())
		}
	})
	part(8, func() { m.Flags = facts.TCPState(r.IntN(3)) })
	part(10, func() { m.Fragments = facts.Fragments(r.IntN(3)) })
	part(10, func() { m.ICMP = []facts.ICMPType{{Type: []uint8{0, 8}[r.IntN(2)], Code: -1}} })
	if r.ways {
		for _, p := range [2]*facts.Places{&m.In, &m.Out} {
			part(3, func() {
				p.Present, p.Not = true, r.chance(4)
				for range r.IntN(3) {
					p.Names = append(p.Names, []string{"i1", "i2", "z2", "l3", "i*", "other"}[r.IntN(6)])
				}
			})
		}
	}
	part(9, func() { m.Conn = facts.ConnState(1 + r.IntN(15)) })
	part(8, func() { m.Apps = []string{"a"} })
	part(10, func() { m.Unread = []string{"dscp ef"} })
	part(10, func() { m.Not = true })
	if depth > 0 {
		part(10, func() {
			m.HasAnyOf = true
			for range r.IntN(3) {
				m.AnyOf = append(m.AnyOf, r.match(depth-1))
			}
		})
		part(10, func() {
			for range r.IntN(2) + 1 {
				m.AllOf = append(m.AllOf, r.match(depth-1))
			}
		})
		part(10, func() { m.PermittedBy = []string{"G", "H", "none", "F"}[r.IntN(4)] })
	}
	return m
}

var times = []*facts.TimeRange{
	{Name: "office", Periodic: []facts.Window{{Days: 0b0111110, From: 8 * 60, To: 17 * 60}}},
	{Name: "night", Periodic: []facts.Window{{Days: 0b1111111, From: 22 * 60, To: 6 * 60}}},
	{Name: "year", From: time.Date(2024, 3, 5, 12, 0, 0, 0, time.UTC), To: time.Date(2024, 3, 7, 9, 30, 0, 0, time.UTC)},
	{Name: "undefined", Undefined: true},
	{Name: "odd", Unread: "periodic sometimes"},
}

func (r maker) action() facts.Action {
	return []facts.Action{facts.Permit, facts.Permit, facts.Permit, facts.Deny, facts.Deny, facts.Deny, facts.Next, facts.ActionUnknown}[r.IntN(8)]
}

func (r maker) filter(name string, rules, depth int) facts.Filter {
	f := facts.Filter{Name: name, Family: facts.IPv4, Default: []facts.Action{facts.Deny, facts.Deny, facts.Permit, facts.Next, facts.ActionUnknown}[r.IntN(5)]}
	if r.chance(4) {
		f.WhenEmpty = facts.Permit
	}
	if r.chance(20) {
		f.Unread = "removed"
	}
	for range r.IntN(rules + 1) {
		rule := facts.Rule{Action: r.action(), Match: r.match(depth), Return: r.chance(12), Span: evidence.Span{Pos: evidence.MakePos(1, int64(r.IntN(1<<20))), Len: 1}}
		if r.chance(6) {
			rule.Times = times[r.IntN(len(times))]
		}
		if r.jumps != "" && r.chance(5) {
			rule.Action = []facts.Action{facts.Jump, facts.Jump, facts.Goto, facts.Return}[r.IntN(4)]
			rule.To = string(r.jumps[r.IntN(len(r.jumps))])
		}
		if r.chance(12) {
			rule.Inactive = facts.Say(true, evidence.Span{})
		}
		f.Rules = append(f.Rules, rule)
	}
	return f
}

func (r *maker) device() *facts.Device {
	d := &facts.Device{Platform: []string{facts.CiscoIOS, facts.Junos, facts.LinuxIPTables}[r.IntN(3)]}
	if r.ways = r.chance(10); r.ways {
		d.Interfaces = []facts.Interface{{Name: "i1", Zone: "z1"}, {Name: "i2", Zone: "z2"}, {Name: "i3", Zone: "z2", Lists: []string{"l3"}}, {Name: "other"}}
		d.Bindings = []facts.Binding{{Filters: []string{"F"}, Where: facts.WhereTransit}}
	}
	chained := r.chance(2)
	for _, f := range []struct {
		name         string
		rules, depth int
		asks         string
	}{{"F", 6, 2, "GHIX"}, {"G", 3, 0, "HI"}, {"H", 2, 0, "I"}, {"I", 2, 0, ""}} {
		if r.jumps = ""; chained {
			r.jumps = f.asks
		}
		d.Filters = append(d.Filters, r.filter(f.name, f.rules, f.depth))
	}
	r.jumps = ""
	for i := range 4 {
		g := facts.Group{Name: fmt.Sprintf("A%d", i), Kind: facts.NetworkGroup}
		for range r.IntN(3) {
			g.Addrs = append(g.Addrs, r.item(false))
		}
		if r.chance(2) {
			g.Members = append(g.Members, fmt.Sprintf("A%d", r.IntN(5)))
		}
		if r.chance(12) {
			g.Unread = "dynamic"
		}
		d.Groups = append(d.Groups, g)
	}
	for i := range 2 {
		g := facts.Group{Name: fmt.Sprintf("P%d", i), Kind: facts.NetworkGroup}
		for range r.IntN(3) {
			p, _ := r.addr().Prefix(29 + r.IntN(4))
			g.Addrs = append(g.Addrs, facts.AddrItem{Prefix: p})
		}
		if r.chance(3) {
			g.Members = []string{fmt.Sprintf("P%d", r.IntN(2))}
		}
		d.Groups = append(d.Groups, g)
	}
	for i := range 3 {
		g := facts.Group{Name: fmt.Sprintf("S%d", i), Kind: facts.ServiceGroup}
		for range r.IntN(3) {
			s := r.service()
			if s.Group != "" {
				s = facts.ServiceItem{Protocols: []uint8{6}}
			}
			g.Services = append(g.Services, s)
		}
		if r.chance(3) {
			g.Protocols = r.protocols()
		}
		if r.chance(2) {
			g.Members = []string{fmt.Sprintf("S%d", r.IntN(4))}
		}
		d.Groups = append(d.Groups, g)
	}
	for i := range 2 {
		g := facts.Group{Name: fmt.Sprintf("T%d", i), Kind: facts.PortGroup, Ports: []facts.PortRange{r.portRange()}}
		if r.chance(8) {
			g.Unread = "dynamic"
		}
		d.Groups = append(d.Groups, g)
	}
	return d
}

// query asks about a part of the universe.
func (r maker) query() Query {
	q := Query{Filter: "F", Established: r.chance(3), Fragments: r.chance(5)}
	set := func() Set {
		whole := netip.MustParsePrefix("10.0.0.0/29")
		switch r.IntN(4) {
		case 0:
			p, _ := r.addr().Prefix(30 + r.IntN(3))
			return Set{Prefixes: []netip.Prefix{p}}
		case 1:
			p, _ := r.addr().Prefix(30 + r.IntN(3))
			return Set{Prefixes: []netip.Prefix{whole}}.Subtract(p)
		case 2:
			return Set{Ranges: [][2]netip.Addr{{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.6")}}}
		}
		return Set{Prefixes: []netip.Prefix{whole}}
	}
	q.Src, q.Dst = set(), set()
	if r.chance(4) {
		q.Protocols = []uint8{1}
		q.ICMP = []facts.ICMPType{{Type: 0, Code: -1}, {Type: 8, Code: -1}}
	} else {
		q.Protocols = [][]uint8{{6}, {17}, {6, 17}}[r.IntN(3)]
		q.SrcPorts = []facts.PortRange{{First: 20, Last: 23}}
		q.DstPorts = []facts.PortRange{r.portRange()}
	}
	if r.chance(2) {
		q.App = []string{"a", "b"}[r.IntN(2)]
	}
	if r.chance(2) {
		q.At = time.Date(2024, 3, r.IntN(10)+1, r.IntN(24), r.IntN(60), 0, 0, time.UTC)
	}
	return q
}
