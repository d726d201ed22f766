package headerspace

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// router is an IOS router with filters on Gi0/1 both ways and a filter nobody defined on Gi0/2.
func router() *facts.Device {
	return &facts.Device{
		Platform: facts.CiscoIOS,
		Interfaces: []facts.Interface{
			{Name: "GigabitEthernet0/0", Addrs: []netip.Prefix{pfx("10.0.0.1/24")}},
			{Name: "GigabitEthernet0/1", Addrs: []netip.Prefix{pfx("192.0.2.1/24")}, Bindings: []facts.Binding{bind(facts.In, "FROM"), bind(facts.Out, "TO")}},
			{Name: "GigabitEthernet0/2", Addrs: []netip.Prefix{pfx("10.2.0.1/24"), pfx("2001:db8::1/64")}, Bindings: []facts.Binding{bind(facts.In, "NONE"), bind(facts.Out, "EMPTY")}},
			{Name: "GigabitEthernet0/3", Addrs: []netip.Prefix{pfx("10.3.0.1/24"), pfx("2001:db8:3::1/64")}, Bindings: []facts.Binding{bind(facts.Out, "FROM")}},
		},
		Filters: []facts.Filter{
			list("FROM", permit(proto(6), established()), deny(proto(17)), permit(proto(6), dport(eq(22)))),
			list("TO", deny(proto(6), dport(eq(445))), permit(proto(6), dport(from(20, 1024))), permit(proto(17), dport(eq(69, 514)))),
			list("EMPTY"),
		},
	}
}

func TestRouterPlaces(t *testing.T) {
	m := New(router())
	for _, c := range []struct {
		name string
		q    Query
		want Verdict
	}{
		{"out filter permits", tcpTo("10.0.0.9", "192.0.2.9", 21).on(through("GigabitEthernet0/0", "GigabitEthernet0/1")), Permit},
		{"abbreviated names", tcpTo("10.0.0.9", "192.0.2.9", 445).on(through("Gi0/0", "gi0/1")), Deny},
		{"tftp request passes", udpTo("10.0.0.9", "192.0.2.9", 69).on(through("Gi0/0", "Gi0/1")), Permit},
		{"tftp answer does not", udpTo("192.0.2.9", "10.0.0.9", 50000).on(through("Gi0/1", "Gi0/0")), Deny},
		{"answers to tcp do", tcpTo("192.0.2.9", "10.0.0.9", 50000).on(through("Gi0/1", "Gi0/0")).on(func(q *Query) { q.Established = true }), Permit},
		{"openings do not", tcpTo("192.0.2.9", "10.0.0.9", 50000).on(through("Gi0/1", "Gi0/0")), Deny},
		{"both filters of one interface", tcpTo("192.0.2.9", "192.0.2.10", 22).on(through("Gi0/1", "Gi0/1")), Permit},
		{"in alone", tcpTo("192.0.2.9", "10.0.0.9", 22).on(in("Gi0/1")), Permit},
		{"out alone", tcpTo("", "", 445).on(out("Gi0/1")), Deny},
		{"some of a range", Query{Protocols: []uint8{6}, DstPorts: []facts.PortRange{{First: 440, Last: 450}}}.on(out("Gi0/1")), Partial},
		{"undefined permits", tcpTo("10.2.0.9", "10.0.0.9", 445).on(through("Gi0/2", "Gi0/0")), Permit},
		{"empty permits", tcpTo("10.0.0.9", "10.2.0.9", 445).on(through("Gi0/0", "Gi0/2")), Permit},
		{"no filter at all", tcpTo("10.0.0.9", "10.3.0.9", 445).on(in("Gi0/0")), Permit},
		{"ipv6 is not filtered", Query{Protocols: []uint8{6}, DstPorts: ports(445)}.on(out("Gi0/3")), Partial},
		{"ipv4 of the same", Query{Protocols: []uint8{6}, DstPorts: ports(445), Family: facts.IPv4}.on(out("Gi0/3")), Deny},
		{"ipv6 addresses ask ipv6", Query{Dst: one("2001:db8::/32"), Protocols: []uint8{6}, DstPorts: ports(445)}.on(out("Gi0/3")), Permit},
		{"own packets pass out filters", Query{Self: true, Protocols: []uint8{6}, DstPorts: ports(445)}.on(out("Gi0/1")), Permit},
		{"packets for the device pass in filters", tcpTo("192.0.2.9", "192.0.2.1", 445).on(in("Gi0/1")).on(func(q *Query) { q.Self = true }), Deny},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, m, c.q, c.want) })
	}
}

// ask tests one question, that its witnesses are witnesses, and that searching agrees.
func ask(t *testing.T, m *Model, q Query, want Verdict) Answer {
	t.Helper()
	a, err := m.Test(q)
	if err != nil {
		t.Fatal(err)
	}
	if a.Verdict != want {
		t.Fatalf("verdict %s, want %s (%s)", a.Verdict, want, a.Reason)
	}
	if (a.Permitted != nil) != (want == Permit || want == Partial) && want != Unknown {
		t.Errorf("permitted witness %v of %s", a.Permitted, want)
	}
	if a.Reason == "" || strings.ContainsAny(a.Reason, "\n\x1b") {
		t.Errorf("reason %q", a.Reason)
	}
	for _, w := range []struct {
		p    *Packet
		want Verdict
	}{{a.Permitted, Permit}, {a.Denied, Deny}} {
		found, err := m.Search(q, w.want)
		if err != nil {
			t.Fatal(err)
		}
		if (found.Verdict == w.want) != (w.p != nil) {
			t.Errorf("search %s gives %s, test a witness %v", w.want, found.Verdict, w.p)
		}
		if w.p == nil {
			continue
		}
		exact := q
		exact.Src, exact.Dst = Set{Prefixes: []netip.Prefix{netip.PrefixFrom(w.p.Src, w.p.Src.BitLen())}}, Set{Prefixes: []netip.Prefix{netip.PrefixFrom(w.p.Dst, w.p.Dst.BitLen())}}
		exact.Protocols = []uint8{w.p.Protocol}
		exact.NotDstPorts = false
		if exact.DstPorts, exact.SrcPorts = nil, nil; hasPorts(w.p.Protocol) {
			exact.DstPorts, exact.SrcPorts = ports(w.p.DstPort), ports(w.p.SrcPort)
		}
		b, err := m.Test(exact)
		if err != nil || b.Verdict != w.want && len(a.Stages) > 0 && b.Verdict != Partial {
			t.Errorf("witness %+v is %s (%s, %v), want %s", w.p, b.Verdict, b.Reason, err, w.want)
		}
	}
	return a
}

func TestErrors(t *testing.T) {
	d := router()
	for _, vrf := range []string{"red", "blue"} {
		d.Interfaces = append(d.Interfaces, facts.Interface{Name: "Vlan9", Scope: vrf})
	}
	m := New(d)
	if a, err := m.Test(Query{In: "Vlan9", Scope: "blue"}); err != nil || a.Verdict != Permit {
		t.Errorf("interface of a scope: %s %v", a.Verdict, err)
	}
	for _, c := range []struct {
		name string
		q    Query
		want string
	}{
		{"no place", Query{}, "no place"},
		{"no such filter", Query{Filter: "X"}, `no filter is named "X"`},
		{"no such interface", Query{In: "Gi9/9"}, `no interface is named "Gi9/9"`},
		{"ambiguous abbreviation", Query{In: "G"}, "no interface"},
		{"two of a name", Query{In: "Vlan9"}, "is not one but 2"},
		{"no such group", Query{Group: "X"}, `no group is named "X"`},
		{"no such zone", Query{FromZone: "a", ToZone: "b"}, `no device zone is named "a"`},
		{"one zone", Query{FromZone: "a"}, "name both zones"},
		{"another family", Query{Filter: "FROM", Src: one("2001:db8::1")}, "does not filter IPv6"},
		{"two families", Query{Filter: "FROM", Src: one("2001:db8::1"), Dst: one("192.0.2.1")}, "different versions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := m.Test(c.q); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// zoned is an IOS-XE zone firewall: inside to outside inspects TCP that ZBF permits and drops the rest.
func zoned() *facts.Device {
	policy := facts.Filter{Name: "pair in-out", Kind: "policy-map type inspect", Family: facts.AnyFamily, Default: facts.Deny, Stateful: true, Synthetic: true, Rules: []facts.Rule{{
		Name: "web", Action: facts.Permit,
		Match: facts.Match{AllOf: []facts.Match{{PermittedBy: "ZBF"}, {Protocols: []uint8{6}}}},
	}}}
	return &facts.Device{
		Platform: facts.CiscoIOS,
		Interfaces: []facts.Interface{
			{Name: "Ethernet0", Zone: "in"}, {Name: "Ethernet1", Zone: "in"}, {Name: "Ethernet2", Zone: "out"}, {Name: "Ethernet3"},
			{Name: "Ethernet4", Zone: "out", Bindings: []facts.Binding{bind(facts.Out, "HOST")}}, {Name: "Ethernet5"},
		},
		Filters: []facts.Filter{policy, list("ZBF", permit(src("10.1.1.1", "10.1.1.2"), dport(eq(80)))), list("HOST", permit(src("10.1.1.1")))},
		Zoning: facts.Zoning{
			Model: facts.Zones, IntraZone: facts.Permit, InterZone: facts.Deny, Mixed: facts.Deny, SelfOut: facts.Permit, SelfIn: facts.Permit,
			Pairs: []facts.ZonePair{{From: "in", To: "out", Filters: []string{"pair in-out"}, Span: at(9)}, {From: "self", To: "out", Filters: []string{"pair in-out"}}},
		},
	}
}

func TestZoneFirewall(t *testing.T) {
	m := New(zoned())
	web := tcpTo("10.1.1.1", "203.0.113.5", 80)
	for _, c := range []struct {
		name string
		q    Query
		want Verdict
	}{
		{"policy permits", web.on(through("Ethernet0", "Ethernet2")), Permit},
		{"policy and out filter", web.on(through("Ethernet0", "Ethernet4")), Permit},
		{"out filter denies", tcpTo("10.1.1.2", "203.0.113.5", 80).on(through("Ethernet0", "Ethernet4")), Deny},
		{"policy denies another port", tcpTo("10.1.1.1", "203.0.113.5", 81).on(through("Ethernet0", "Ethernet2")), Deny},
		{"policy is for tcp", udpTo("10.1.1.1", "203.0.113.5", 80).on(through("Ethernet0", "Ethernet2")), Deny},
		{"same zone", tcpTo("10.1.1.9", "10.1.2.9", 445).on(through("Ethernet0", "Ethernet1")), Permit},
		{"no pair back", tcpTo("203.0.113.5", "10.1.1.1", 80).on(through("Ethernet2", "Ethernet0")), Deny},
		{"answers come back", web.on(through("Ethernet2", "Ethernet0")).on(func(q *Query) {
			q.Src, q.Dst, q.SrcPorts, q.DstPorts, q.Established = q.Dst, q.Src, ports(80), ports(50000), true
		}), Permit},
		{"not answers to what was not let out", tcpTo("203.0.113.5", "10.1.1.3", 50000).on(through("Ethernet2", "Ethernet0")).on(func(q *Query) { q.SrcPorts, q.Established = ports(80), true }), Deny},
		{"zone to no zone", web.on(through("Ethernet0", "Ethernet3")), Deny},
		{"no zone to no zone", web.on(through("Ethernet5", "Ethernet3")), Permit},
		{"named zones", web.on(zones("in", "out")), Permit},
		{"self to zone with a pair", tcpTo("10.1.1.9", "203.0.113.5", 80).on(out("Ethernet2")).on(func(q *Query) { q.Self = true }), Deny},
		{"self to zone without", tcpTo("10.1.1.9", "10.1.1.5", 80).on(out("Ethernet0")).on(func(q *Query) { q.Self = true }), Permit},
		{"to the device", tcpTo("203.0.113.5", "10.1.1.9", 69).on(in("Ethernet2")).on(func(q *Query) { q.Self = true }), Permit},
		{"in alone depends on the way out", web.on(in("Ethernet0")), Partial},
		{"in alone, denied every way", tcpTo("203.0.113.5", "10.1.1.9", 445).on(in("Ethernet2")), Partial},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, m, c.q, c.want) })
	}
}

// asa has interfaces of levels 100, 50, 50 and 0; dmz1 has an inbound list.
func asa(inter, intra bool) *facts.Device {
	level := func(name string, n int) facts.Interface {
		return facts.Interface{Name: "Gi0/" + name, Alias: name, Zone: name, Level: facts.Assume(n)}
	}
	d := &facts.Device{
		Platform:   facts.CiscoASA,
		Interfaces: []facts.Interface{level("inside", 100), level("dmz1", 50), level("dmz2", 50), level("outside", 0)},
		Zoning:     facts.Zoning{Model: facts.Levels, SamePermitInter: facts.Assume(inter), SamePermitIntra: facts.Assume(intra)},
		Filters:    []facts.Filter{list("DMZ", permit(proto(6), dport(eq(21)))), list("OUT", permit(proto(6), dport(eq(21, 443))))},
	}
	for i := range d.Filters {
		d.Filters[i].Stateful, d.Filters[i].Family = true, facts.AnyFamily
	}
	d.Interfaces[1].Bindings = []facts.Binding{{Filters: []string{"DMZ"}, Span: at(5)}}
	d.Interfaces[3].Bindings = []facts.Binding{{Filters: []string{"OUT"}, Direction: facts.Out, Span: at(6)}}
	return d
}

func TestSecurityLevels(t *testing.T) {
	off, on := New(asa(false, false)), New(asa(true, true))
	ftp := tcpTo("10.0.0.9", "192.0.2.9", 21)
	smb := tcpTo("10.0.0.9", "192.0.2.9", 445)
	for _, c := range []struct {
		name    string
		q       Query
		off, on Verdict
	}{
		{"down and the out list", ftp.on(through("inside", "outside")), Permit, Permit},
		{"out list denies", smb.on(through("inside", "outside")), Deny, Deny},
		{"down without lists", smb.on(through("inside", "dmz2")), Permit, Permit},
		{"up", ftp.on(through("outside", "inside")), Deny, Deny},
		{"an inbound list replaces the levels", ftp.on(through("dmz1", "inside")), Permit, Permit},
		{"and denies the rest", smb.on(through("dmz1", "outside")), Deny, Deny},
		{"same level", smb.on(through("dmz2", "dmz1")), Deny, Permit},
		{"same level with a list", ftp.on(through("dmz1", "dmz2")), Deny, Permit},
		{"same interface", smb.on(through("inside", "inside")), Deny, Permit},
		{"zones are interface names", ftp.on(zones("inside", "outside")), Permit, Permit},
		{"in alone: some ways down", smb.on(in("dmz2")), Partial, Partial},
		{"in alone: no way up", smb.on(in("outside")), Deny, Deny},
		{"in alone with a list", smb.on(in("dmz1")), Deny, Deny},
		{"own packets", smb.on(out("outside")).on(func(q *Query) { q.Self = true }), Permit, Permit},
		{"answers", tcpTo("192.0.2.9", "10.0.0.9", 50000).on(through("outside", "inside")).on(func(q *Query) { q.Established, q.SrcPorts = true, ports(443) }), Permit, Permit},
		{"answers to nothing", tcpTo("192.0.2.9", "10.0.0.9", 50000).on(through("outside", "inside")).on(func(q *Query) { q.Established, q.SrcPorts = true, ports(445) }), Deny, Deny},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask(t, off, c.q, c.off)
			ask(t, on, c.q, c.on)
		})
	}
}

// srx is a firewall with address books of its zones, a policy of a pair and a global one.
func srx() *facts.Device {
	policy := func(name string, rules ...facts.Rule) facts.Filter {
		f := list(name, rules...)
		f.Family, f.Default, f.WhenEmpty, f.Stateful = facts.AnyFamily, facts.Next, facts.ActionUnknown, true
		return f
	}
	book := func(scope, name, addr string) facts.Group {
		return facts.Group{Scope: scope, Name: name, Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{{Prefix: pfx(addr), Span: at(500)}}}
	}
	trust := permit(func(m *facts.Match) { m.Src, m.Dst = groups("host"), groups("server") })
	return &facts.Device{
		Platform: facts.Junos,
		Interfaces: []facts.Interface{
			{Name: "ge-0/0/0.0", Zone: "trust", HostInbound: []string{"ssh", "ftp"}},
			{Name: "ge-0/0/1.0", Zone: "untrust", Bindings: []facts.Binding{{Filters: []string{"stateless"}, Family: facts.IPv4, Direction: facts.Out}}},
			{Name: "lo0.0", Bindings: []facts.Binding{{Filters: []string{"protect-re"}, Family: facts.IPv4}}},
			{Name: "ge-0/0/2.0", Zone: "trust", HostInbound: []string{"sorcery"}},
		},
		Filters: []facts.Filter{
			policy("trust to untrust", trust),
			policy("global", permit(proto(6), dport(eq(21)))),
			list("stateless", deny(proto(6), dport(eq(990))), permit()),
			list("protect-re", permit(proto(6), dport(eq(21))), permit(proto(17))),
		},
		Groups: []facts.Group{book("", "host", "10.9.9.9"), book("zone:trust", "host", "10.0.0.5"), book("", "server", "192.0.2.7"), book("zone:trust", "server", "10.9.9.8")},
		Zoning: facts.Zoning{
			Model: facts.Zones, IntraZone: facts.Deny, InterZone: facts.Deny, Mixed: facts.Deny, SelfIn: facts.Permit, SelfOut: facts.Permit,
			Pairs: []facts.ZonePair{{From: "trust", To: "untrust", Filters: []string{"trust to untrust"}}}, Global: []string{"global"},
		},
	}
}

func TestSRX(t *testing.T) {
	m := New(srx())
	for _, c := range []struct {
		name string
		q    Query
		want Verdict
	}{
		{"zone book before global", tcpTo("10.0.0.5", "192.0.2.7", 445).on(zones("trust", "untrust")), Permit},
		{"the global entry of that name is not meant", tcpTo("10.9.9.9", "192.0.2.7", 445).on(zones("trust", "untrust")), Deny},
		{"the other zone's book is not asked", tcpTo("10.0.0.5", "10.9.9.8", 445).on(zones("trust", "untrust")), Deny},
		{"global policy", tcpTo("10.0.0.8", "192.0.2.7", 21).on(zones("trust", "untrust")), Permit},
		{"global policy without a pair", tcpTo("192.0.2.7", "10.0.0.8", 21).on(zones("untrust", "trust")), Permit},
		{"no policy", tcpTo("192.0.2.7", "10.0.0.8", 22).on(zones("untrust", "trust")), Deny},
		{"policy and interface filter", tcpTo("10.0.0.5", "192.0.2.7", 990).on(through("ge-0/0/0.0", "ge-0/0/1.0")), Deny},
		{"own packets pass the interface filter", tcpTo("10.0.0.1", "192.0.2.7", 990).on(out("ge-0/0/1.0")).on(func(q *Query) { q.Self = true }), Deny},
		{"own packets skip policies", tcpTo("10.0.0.1", "192.0.2.7", 445).on(out("ge-0/0/1.0")).on(func(q *Query) { q.Self = true }), Permit},
		{"host inbound and lo0", tcpTo("10.0.0.5", "10.0.0.1", 21).on(in("ge-0/0/0.0")).on(func(q *Query) { q.Self = true }), Permit},
		{"lo0 denies", tcpTo("10.0.0.5", "10.0.0.1", 22).on(in("ge-0/0/0.0")).on(func(q *Query) { q.Self = true }), Deny},
		{"host inbound denies", udpTo("10.0.0.5", "10.0.0.1", 69).on(in("ge-0/0/0.0")).on(func(q *Query) { q.Self = true }), Deny},
		{"host inbound of another zone", tcpTo("192.0.2.7", "10.0.0.1", 21).on(in("ge-0/0/1.0")).on(func(q *Query) { q.Self = true }), Deny},
		{"host inbound service nobody knows", tcpTo("10.0.0.5", "10.0.0.1", 21).on(in("ge-0/0/2.0")).on(func(q *Query) { q.Self = true }), Unknown},
	} {
		t.Run(c.name, func(t *testing.T) { ask(t, m, c.q, c.want) })
	}
}

func TestNAT(t *testing.T) {
	static := facts.NAT{Kind: "static", Static: true, Original: pfx("10.0.0.20"), Mapped: pfx("198.51.100.20"), In: "inside", Out: "outside", Span: at(31)}
	port := facts.NAT{Kind: "static", Original: pfx("10.0.0.21"), Mapped: pfx("198.51.100.21"), In: "inside", Out: "outside", Unread: "service tcp 21 2121", Span: at(32)}
	d := asa(false, false)
	d.Interfaces[3].Bindings = append(d.Interfaces[3].Bindings, facts.Binding{Filters: []string{"IN"}})
	in := list("IN", permit(proto(6), dst("10.0.0.20", "10.0.0.21"), dport(eq(21))))
	in.Stateful, in.Family = true, facts.AnyFamily
	d.Filters = append(d.Filters, in)
	d.NAT = []facts.NAT{static, port}
	m := New(d)

	ios := router()
	ios.NAT = []facts.NAT{
		{Kind: "static", Static: true, Original: pfx("10.0.0.20"), Mapped: pfx("192.0.2.20"), In: "GigabitEthernet0/0", Out: "GigabitEthernet0/1"},
		{Kind: "source", In: "GigabitEthernet0/0", Out: "GigabitEthernet0/1", Original: pfx("10.0.0.0/24")},
	}
	ios.Filters = append(ios.Filters, list("WIRE", permit(proto(6), dst("192.0.2.20"))), list("SRC", permit(src("192.0.2.20")), deny(src("10.0.0.0/24")), permit()))
	ios.Interfaces[1].Bindings = []facts.Binding{bind(facts.In, "WIRE"), bind(facts.Out, "SRC")}
	r := New(ios)

	rule := permit(proto(6), dst("198.51.100.20"), dport(eq(21)))
	rule.Match.Out = facts.Places{Names: []string{"dmz"}, Present: true}
	rules := list("rules", rule)
	rules.Stateful, rules.Family = true, facts.AnyFamily
	f := New(&facts.Device{
		Platform: facts.PANOSSet, Filters: []facts.Filter{rules},
		Interfaces: []facts.Interface{{Name: "e1", Zone: "untrust"}, {Name: "e2", Zone: "dmz"}},
		Bindings:   []facts.Binding{{Filters: []string{"rules"}, Where: facts.WhereTransit}},
		NAT:        []facts.NAT{{Kind: "destination", Static: true, Original: pfx("198.51.100.20"), Mapped: pfx("10.0.0.20"), In: "untrust"}},
	})

	for _, c := range []struct {
		name string
		m    *Model
		q    Query
		want Verdict
	}{
		{"pan-os sees the wire", f, tcpTo("203.0.113.9", "198.51.100.20", 21).on(through("e1", "e2")), Permit},
		{"pan-os does not see the real address", f, tcpTo("203.0.113.9", "10.0.0.20", 21).on(through("e1", "e2")), Deny},
		{"asa sees the real address", m, tcpTo("203.0.113.9", "198.51.100.20", 21).on(through("outside", "inside")), Permit},
		{"and the real port", m, tcpTo("203.0.113.9", "198.51.100.20", 22).on(through("outside", "inside")), Deny},
		{"asked by the real address", m, tcpTo("203.0.113.9", "10.0.0.20", 21).on(through("outside", "inside")), Permit},
		{"not followed: some port may be open", m, tcpTo("203.0.113.9", "198.51.100.21", 445).on(through("outside", "inside")), Unknown},
		{"not concerned", m, tcpTo("203.0.113.9", "198.51.100.99", 21).on(through("outside", "inside")), Deny},
		{"from another interface", m, tcpTo("203.0.113.9", "198.51.100.21", 445).on(through("dmz2", "inside")), Deny},
		{"source translation is not seen", m, tcpTo("10.0.0.20", "203.0.113.9", 21).on(through("inside", "outside")), Permit},
		{"ios inbound lists see the wire", r, tcpTo("203.0.113.9", "192.0.2.20", 21).on(through("Gi0/1", "Gi0/0")), Permit},
		{"ios outbound lists see the translated source", r, tcpTo("10.0.0.20", "203.0.113.9", 21).on(through("Gi0/0", "Gi0/1")), Permit},
		{"a pool may be any source", r, tcpTo("10.0.0.30", "203.0.113.9", 21).on(through("Gi0/0", "Gi0/1")), Unknown},
		{"what is not translated", r, tcpTo("10.5.0.30", "203.0.113.9", 21).on(through("Gi0/0", "Gi0/1")), Permit},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := c.m.Test(c.q)
			if err != nil || a.Verdict != c.want {
				t.Fatalf("%s, %v, want %s (%s)", a.Verdict, err, c.want, a.Reason)
			}
			if c.want == Unknown && !strings.Contains(a.Reason, "NAT") {
				t.Errorf("reason %q does not say NAT", a.Reason)
			}
		})
	}
}

func TestScopedGroups(t *testing.T) {
	rule := permit()
	rule.Match.Dst = facts.Addrs{Present: true, Items: []facts.AddrItem{{Group: "server"}}}
	f := list("rules", rule)
	f.Scope = "vsys1"
	d := &facts.Device{
		Filters: []facts.Filter{f},
		Groups: []facts.Group{
			{Name: "server", Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{{Prefix: pfx("198.51.100.1")}}},
			{Name: "server", Scope: "vsys1", Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{{Prefix: pfx("198.51.100.2")}}},
		},
	}
	for to, want := range map[string]Verdict{"198.51.100.1": Deny, "198.51.100.2": Permit} {
		q := tcpTo("10.0.0.1", to, 21)
		q.Filter, q.Scope = "rules", "vsys1"
		if a, err := New(d).Test(q); err != nil || a.Verdict != want {
			t.Errorf("to %s: %s, %v, want %s: a scope's own group comes before the global one", to, a.Verdict, err, want)
		}
	}
	d.Bindings = []facts.Binding{{Filters: []string{"rules"}, Where: facts.WhereTransit, Scope: "vsys1"}}
	if missing := New(d).Undefined(); len(missing) > 0 {
		t.Errorf("missing: %+v, want nothing: the binding is of the filter's scope", missing)
	}
}
