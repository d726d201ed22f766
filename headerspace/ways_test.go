package headerspace

import (
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func comingIn(names ...string) func(*facts.Match) {
	return func(m *facts.Match) { m.In = facts.Places{Names: names, Present: true} }
}

func leaving(names ...string) func(*facts.Match) {
	return func(m *facts.Match) { m.Out = facts.Places{Names: names, Present: true} }
}

func state(s facts.ConnState) func(*facts.Match) { return func(m *facts.Match) { m.Conn = s } }

func jump(to string, parts ...func(*facts.Match)) facts.Rule {
	r := rule(facts.Jump, parts)
	r.To = to
	return r
}

// host is a Linux router as iptables-save tells of it: no interfaces but those that rules name.
func host() *facts.Device {
	chain := func(name string, end facts.Action, rules ...facts.Rule) facts.Filter {
		f := list(name, rules...)
		f.Default = end
		return f
	}
	d := &facts.Device{
		Platform: facts.LinuxIPTables,
		Filters: []facts.Filter{
			chain("INPUT", facts.Deny,
				permit(state(facts.ConnEstablished|facts.ConnRelated)),
				permit(comingIn("lo")),
				jump("SERVICES", comingIn("eth1"), state(facts.ConnNew))),
			chain("OUTPUT", facts.Permit, deny(leaving("eth0"), proto(17), dport(eq(69)))),
			chain("FORWARD", facts.Deny,
				permit(state(facts.ConnEstablished)),
				jump("OUT", comingIn("eth*"), leaving("wan")),
				permit(proto(6), dport(eq(445)))),
			chain("SERVICES", facts.Next,
				permit(proto(6), dport(eq(21))),
				rule(facts.Return, []func(*facts.Match){proto(6)}),
				permit(proto(17), dport(eq(69)))),
			chain("OUT", facts.Next, deny(proto(6), dport(eq(445))), jump("BLACK"), permit(proto(6), dport(eq(21)))),
			chain("BLACK", facts.Next, deny(func(m *facts.Match) { m.Dst = nets("203.0.113.0/24") })),
		},
		Bindings: []facts.Binding{
			{Filters: []string{"INPUT"}, Where: facts.WhereControlPlane, Direction: facts.In},
			{Filters: []string{"OUTPUT"}, Where: facts.WhereControlPlane, Direction: facts.Out},
			{Filters: []string{"FORWARD"}, Where: facts.WhereTransit},
		},
	}
	at := int64(0)
	for i := range d.Filters {
		for k := range d.Filters[i].Rules {
			at += 10
			d.Filters[i].Rules[k].Span = evidence.Span{Pos: evidence.MakePos(1, at), Len: 1}
		}
	}
	return d
}

func TestHostPlaces(t *testing.T) {
	m := New(host())
	toSelf := func(name string) func(*Query) { return func(q *Query) { q.Self, q.In = true, name } }
	fromSelf := func(name string) func(*Query) { return func(q *Query) { q.Self, q.Out = true, name } }
	open := func(q *Query) { q.Established = true }
	for _, c := range []struct {
		name   string
		q      Query
		want   Verdict
		reason string
	}{
		{"service on the named interface", tcpTo("10.0.0.9", "10.0.0.1", 21).on(toSelf("eth1")), Permit, `of filter "SERVICES" permits it, asked by rule #3 of "INPUT"`},
		{"the same on another", tcpTo("10.0.0.9", "10.0.0.1", 21).on(toSelf("eth0")), Deny, `its end denies it`},
		{"returned before the last rule", tcpTo("10.0.0.9", "10.0.0.1", 69).on(toSelf("eth1")), Deny, `no rule of filter "INPUT"`},
		{"not returned", udpTo("10.0.0.9", "10.0.0.1", 69).on(toSelf("eth1")), Permit, `"SERVICES"`},
		{"loopback", tcpTo("10.0.0.9", "10.0.0.1", 9).on(toSelf("lo")), Permit, `"INPUT"`},
		{"of an open session", tcpTo("10.0.0.9", "10.0.0.1", 9).on(toSelf("eth0")).on(open), Permit, `rule #1 of filter "INPUT"`},
		{"sent by the device", udpTo("10.0.0.1", "192.0.2.1", 69).on(fromSelf("eth0")), Deny, `"OUTPUT"`},
		{"sent by another way", udpTo("10.0.0.1", "192.0.2.1", 69).on(fromSelf("eth1")), Permit, `its end permits it`},
		{"sent, nobody says where", udpTo("10.0.0.1", "192.0.2.1", 69).on(func(q *Query) { q.Self = true }), Partial, `it depends on the way out`},
		{"through, with a chain of chains", tcpTo("10.0.0.9", "203.0.113.9", 21).on(through("eth1", "wan")), Deny, `of filter "BLACK" denies it, asked by rule #2 of "FORWARD", asked by rule #2 of "OUT"`},
		{"through, left by one chain", tcpTo("10.0.0.9", "192.0.2.9", 21).on(through("eth1", "wan")), Permit, `of filter "OUT"`},
		{"through another way", tcpTo("10.0.0.9", "192.0.2.9", 445).on(through("eth1", "dmz")), Permit, `rule #3 of filter "FORWARD"`},
		{"through the first", tcpTo("10.0.0.9", "192.0.2.9", 445).on(through("eth1", "wan")), Deny, `"OUT"`},
		{"in alone", tcpTo("10.0.0.9", "192.0.2.9", 445).on(in("eth1")), Partial, `it depends on the way out`},
		{"out alone", tcpTo("10.0.0.9", "192.0.2.9", 445).on(out("wan")), Partial, `it depends on the way in`},
		{"the filter by its name", tcpTo("10.0.0.9", "192.0.2.9", 445).on(func(q *Query) { q.Filter = "FORWARD" }), Partial, `it depends on the way`},
		{"a chain by its name", tcpTo("10.0.0.9", "192.0.2.9", 21).on(func(q *Query) { q.Filter = "SERVICES" }), Permit, `rule #1`},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := m.Test(c.q)
			if err != nil {
				t.Fatal(err)
			}
			if a.Verdict != c.want || !strings.Contains(a.Reason, c.reason) {
				t.Errorf("%s (%s), want %s (%s)", a.Verdict, a.Reason, c.want, c.reason)
			}
			if a.Verdict == Partial && a.Permitted.In == a.Denied.In && a.Permitted.Out == a.Denied.Out {
				t.Errorf("the witnesses do not show what the verdict depends on: %+v, %+v", a.Permitted, a.Denied)
			}
		})
	}
}

// A firewall with one list of policies between zones, in two virtual systems that use the same names.
func policies() *facts.Device {
	scoped := func(scope string, rules ...facts.Rule) facts.Filter {
		f := list("security", rules...)
		f.Scope, f.Default, f.Stateful = scope, facts.Deny, true
		return f
	}
	bound := func(scope string) facts.Binding {
		return facts.Binding{Filters: []string{"security"}, Where: facts.WhereTransit, Scope: scope}
	}
	return &facts.Device{
		Platform: facts.PANOSSet,
		Interfaces: []facts.Interface{
			{Name: "ethernet1/1", Zone: "trust", Scope: "vsys1"},
			{Name: "ethernet1/2", Zone: "untrust", Scope: "vsys1"},
			{Name: "ethernet1/3", Zone: "dmz", Scope: "vsys1"},
			{Name: "ethernet1/4", Zone: "trust", Scope: "vsys2"},
			{Name: "ethernet1/5", Zone: "untrust", Scope: "vsys2"},
		},
		Filters: []facts.Filter{
			scoped("vsys1", permit(comingIn("trust"), leaving("untrust", "dmz"), proto(6), dport(eq(21))), permit(comingIn("trust"), leaving("trust"))),
			scoped("vsys2", deny(comingIn("trust"), leaving("untrust"), proto(6), dport(eq(21))), permit(comingIn("trust"))),
		},
		Bindings: []facts.Binding{bound("vsys1"), bound("vsys2")},
	}
}

func TestPolicyPlaces(t *testing.T) {
	m := New(policies())
	zones := func(scope, from, to string) func(*Query) {
		return func(q *Query) { q.Scope, q.FromZone, q.ToZone = scope, from, to }
	}
	for _, c := range []struct {
		name string
		q    Query
		want Verdict
	}{
		{"zone to zone", tcpTo("10.0.0.9", "192.0.2.9", 21).on(zones("vsys1", "trust", "untrust")), Permit},
		{"the other way", tcpTo("192.0.2.9", "10.0.0.9", 21).on(zones("vsys1", "untrust", "trust")), Deny},
		{"answers", tcpTo("192.0.2.9", "10.0.0.9", 50000).on(zones("vsys1", "untrust", "trust")).on(func(q *Query) { q.Established, q.SrcPorts = true, ports(21) }), Permit},
		{"the other system", tcpTo("10.0.0.9", "192.0.2.9", 21).on(zones("vsys2", "trust", "untrust")), Deny},
		{"inside a zone", tcpTo("10.0.0.9", "10.0.0.8", 445).on(zones("vsys1", "trust", "trust")), Permit},
		{"by interface", tcpTo("10.0.0.9", "192.0.2.9", 21).on(through("ethernet1/1", "ethernet1/3")), Permit},
		{"by interface, other system", tcpTo("10.0.0.9", "192.0.2.9", 21).on(through("ethernet1/4", "ethernet1/5")), Deny},
		{"zones only one system has", tcpTo("10.0.0.9", "192.0.2.9", 21).on(zones("", "trust", "dmz")), Permit},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := m.Test(c.q)
			if err != nil {
				t.Fatal(err)
			}
			if a.Verdict != c.want {
				t.Errorf("%s (%s), want %s", a.Verdict, a.Reason, c.want)
			}
		})
	}
	if _, err := m.Test(tcpTo("10.0.0.9", "192.0.2.9", 21).on(zones("", "trust", "untrust"))); err == nil || !strings.Contains(err.Error(), "2 scopes") {
		t.Errorf("zones of two systems: error %v", err)
	}
}

// A rule for ways that earlier rules take away one by one is dead; one for another way is not.
func TestUnreachableByWay(t *testing.T) {
	d := policies()
	d.Filters = d.Filters[:1]
	d.Filters[0].Rules = []facts.Rule{
		deny(comingIn("trust")), deny(comingIn("untrust")),
		permit(comingIn("untrust", "trust"), proto(6)),
		permit(comingIn("dmz")), permit(),
	}
	d.Bindings = d.Bindings[:1]
	d.Interfaces = d.Interfaces[:3]
	dead, err := New(d).Unreachable("vsys1", "security")
	if err != nil || len(dead) != 2 || dead[0].Index != 2 || dead[1].Index != 4 {
		t.Fatalf("dead %+v, %v", dead, err)
	}
}

// What a rule asks of another filter counts in a comparison.
func TestCompareAskedFilter(t *testing.T) {
	before, after := host(), host()
	after.Filters[4].Rules = after.Filters[4].Rules[1:]
	diffs, _, err := Compare(before, after, "", "FORWARD", "", "FORWARD")
	if err != nil || len(diffs) != 1 || diffs[0].OldVerdict != Deny || diffs[0].NewVerdict != Permit || diffs[0].Packet.Out != "wan" {
		t.Fatalf("differences %+v, %v", diffs, err)
	}
}
