package headerspace

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func TestTransfers(t *testing.T) {
	d := router()
	d.Filters = append(d.Filters,
		list("NOPASV", permit(proto(6), dport(eq(21)))),
		list("ACTIVE", permit(proto(6), established()), permit(proto(6), dport(eq(21)))),
		list("BACK", permit(proto(6), established()), permit(proto(6), sport(eq(20)), dport(from(1024, 65535)))))
	d.Interfaces[3].Bindings = []facts.Binding{bind(facts.Out, "NOPASV")}
	d.Interfaces = append(d.Interfaces, facts.Interface{Name: "GigabitEthernet0/4", Bindings: []facts.Binding{bind(facts.Out, "ACTIVE"), bind(facts.In, "BACK")}})
	ios, fw := New(d), New(asa(false, false))
	type row struct {
		Protocol facts.Protocol
		First    uint16
		Verdict  Verdict
		Session  Verdict
	}
	for _, c := range []struct {
		name string
		m    *Model
		q    Query
		want []row
	}{
		{"stateless: no answers by udp", ios, Query{In: "Gi0/0", Out: "Gi0/1", Family: facts.IPv4}, []row{
			{facts.FTP, 20, Permit, Deny}, {facts.FTPS, 989, Permit, Permit}, {facts.TFTP, 69, Permit, Deny}, {facts.SMB, 139, Permit, Permit},
			{facts.SMB, 445, Deny, ""}, {facts.SMB, 137, Deny, ""}, {facts.SmartInstall, 4786, Deny, ""},
		}},
		{"the server's own channel comes in, answers to it do not go out", ios, Query{In: "Gi0/0", Out: "Gi0/3", Family: facts.IPv4}, []row{
			{facts.FTP, 20, Partial, Deny}, {facts.FTPS, 989, Deny, ""}, {facts.TFTP, 69, Deny, ""}, {facts.SMB, 139, Deny, ""},
			{facts.SMB, 445, Deny, ""}, {facts.SMB, 137, Deny, ""}, {facts.SmartInstall, 4786, Deny, ""},
		}},
		{"active ftp", ios, Query{In: "Gi0/0", Out: "Gi0/4", Family: facts.IPv4}, []row{
			{facts.FTP, 20, Partial, Permit}, {facts.FTPS, 989, Deny, ""}, {facts.TFTP, 69, Deny, ""}, {facts.SMB, 139, Deny, ""},
			{facts.SMB, 445, Deny, ""}, {facts.SMB, 137, Deny, ""}, {facts.SmartInstall, 4786, Deny, ""},
		}},
		{"stateful", fw, Query{In: "inside", Out: "outside"}, []row{
			{facts.FTP, 20, Partial, Permit}, {facts.FTPS, 989, Deny, ""}, {facts.TFTP, 69, Deny, ""}, {facts.SMB, 139, Deny, ""},
			{facts.SMB, 445, Deny, ""}, {facts.SMB, 137, Deny, ""}, {facts.SmartInstall, 4786, Deny, ""},
		}},
		{"a filter alone has no way back", ios, Query{Filter: "NOPASV"}, []row{
			{facts.FTP, 20, Partial, ""}, {facts.FTPS, 989, Deny, ""}, {facts.TFTP, 69, Deny, ""}, {facts.SMB, 139, Deny, ""},
			{facts.SMB, 445, Deny, ""}, {facts.SMB, 137, Deny, ""}, {facts.SmartInstall, 4786, Deny, ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := c.m.Transfers(c.q)
			if err != nil {
				t.Fatal(err)
			}
			var rows []row
			for _, a := range got {
				rows = append(rows, row{a.Protocol, a.Ports.First, a.Verdict, a.Session})
				if a.Session == Deny && a.SessionReason == "" {
					t.Errorf("%s: no reason", a.Protocol)
				}
			}
			if diff := cmp.Diff(c.want, rows); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswerTells(t *testing.T) {
	d := router()
	d.Filters = append(d.Filters,
		list("GROUPS", deny(func(m *facts.Match) { m.Src = groups("HOSTS") }), permit(proto(6), unread("dscp ef")), permit(proto(17))),
		list("SORTED", permit(proto(6), dport(eq(21))), permit(proto(6), dport(eq(22)))))
	d.Filters[len(d.Filters)-1].OrderLost = true
	d.Filters[len(d.Filters)-2].Rules[2].Name = "30"
	d.Groups = []facts.Group{{Name: "HOSTS", Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{{Prefix: pfx("10.0.0.7"), Span: at(41)}, {Prefix: pfx("10.0.0.8"), Span: at(42)}}}}
	d.Interfaces[0].Bindings = []facts.Binding{bind(facts.In, "GROUPS")}
	m := New(d)

	a := ask(t, m, udpTo("10.0.0.8", "192.0.2.9", 69).on(in("Gi0/0")), Deny)
	if want := []evidence.Span{at(1006), at(42), at(77)}; !slices.Equal(a.Culprits, want) {
		t.Errorf("culprits %v, want the rule, the group's member, the binding", a.Culprits)
	}
	if a.Rule != "#1" || a.Span != at(1006) || !slices.Equal(a.Filters, []string{"GROUPS"}) {
		t.Errorf("rule %q span %v filters %v", a.Rule, a.Span, a.Filters)
	}
	a = ask(t, m, tcpTo("10.0.0.9", "192.0.2.9", 21).on(in("Gi0/0")), Unknown)
	if a.Rule != "#2" || !strings.Contains(a.Reason, `"dscp ef"`) || a.Undecided == nil || a.Span != at(2006) {
		t.Errorf("rule %q span %v reason %q", a.Rule, a.Span, a.Reason)
	}
	a = ask(t, m, udpTo("10.0.0.9", "192.0.2.9", 69).on(through("Gi0/0", "Gi0/1")), Permit)
	if a.Rule != "30" || a.Uncertain || len(a.Stages) != 2 {
		t.Errorf("rule %q uncertain %v stages %v", a.Rule, a.Uncertain, a.Stages)
	}
	if want := []string{"GROUPS", "TO"}; !slices.Equal(a.Filters, want) {
		t.Errorf("filters %v", a.Filters)
	}
	a = ask(t, m, tcpTo("", "", 21).on(byFilter("SORTED")), Permit)
	if !a.Uncertain {
		t.Error("the order of the rules is lost, the answer does not say so")
	}
	// A witness is a host with an ephemeral port where the rules let it be one.
	a = ask(t, m, Query{Protocols: []uint8{6}}.on(byFilter("SORTED")), Partial)
	want := &Packet{Src: netip.MustParseAddr("192.0.2.10"), Dst: netip.MustParseAddr("198.51.100.10"), Protocol: 6, SrcPort: 49152, DstPort: 21}
	if diff := cmp.Diff(want, a.Permitted, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("witness (-want +got):\n%s", diff)
	}
	q := tcpTo("10.20.30.0/30", "", 21).on(byFilter("SORTED"))
	if a = ask(t, m, q, Permit); a.Permitted.Src != netip.MustParseAddr("10.20.30.2") {
		t.Errorf("witness %v is no host of the net", a.Permitted.Src)
	}
}

func TestLists(t *testing.T) {
	d := router()
	half := list("WIDE", deny(proto(6), dport(eq(21))), permit(proto(6), dport(eq(22))), permit(src("128.0.0.0/1"), dst("0.0.0.0/1")), permit(src("10.0.0.0/8")), permit())
	d.Filters = append(d.Filters, half, list("DEAD", deny(), permit()),
		list("USES", permit(func(m *facts.Match) { m.Src = groups("NOBODY", "VOID") }), permit(func(m *facts.Match) {
			m.HasServices, m.Services = true, []facts.ServiceItem{{Group: "SVC"}}
		})))
	d.Groups = []facts.Group{{Name: "VOID", Kind: facts.NetworkGroup}}
	d.Interfaces[0].Bindings = []facts.Binding{bind(facts.In, "USES")}
	m := New(d)
	got, err := m.AnyAny("", "WIDE")
	if err != nil {
		t.Fatal(err)
	}
	want := []RuleRef{{Filter: "WIDE", Index: 2, Rule: "#3", Span: at(3004)}, {Filter: "WIDE", Index: 4, Rule: "#5", Span: at(5004)}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AnyAny (-want +got):\n%s", diff)
	}
	if got, err := m.AnyAny("", "DEAD"); err != nil || len(got) > 0 {
		t.Errorf("AnyAny of a dead rule: %v %v", got, err)
	}
	type row struct {
		Kind, Name  string
		Empty       bool
		Acts        facts.Action
		Where, Rule string
	}
	var rows []row
	for _, u := range m.Undefined() {
		rows = append(rows, row{u.Kind, u.Name, u.Empty, u.Acts, u.Where, u.Rule})
	}
	wantRows := []row{
		{"filter", "NONE", false, facts.Permit, "GigabitEthernet0/2", ""},
		{"filter", "EMPTY", true, facts.Permit, "GigabitEthernet0/2", ""},
		{"network group", "NOBODY", false, 0, "", "#1"},
		{"network group", "VOID", true, 0, "", "#1"},
		{"service group", "SVC", false, 0, "", "#2"},
	}
	if diff := cmp.Diff(wantRows, rows); diff != "" {
		t.Errorf("Undefined (-want +got):\n%s", diff)
	}
}

func TestPartialTellsWhatItDependsOn(t *testing.T) {
	d := router()
	timed := permit(proto(6))
	timed.Times = &facts.TimeRange{Name: "office", Periodic: []facts.Window{{Days: 0b0111110, From: 8 * 60, To: 17 * 60}}, Span: at(61)}
	app := permit(proto(6))
	app.Match.Apps = []string{"FTP"}
	d.Filters = append(d.Filters, list("TIMED", timed), list("APP", app))
	d.Interfaces[3].Bindings = []facts.Binding{bind(facts.Out, "FROM")}
	m := New(d)
	monday := time.Date(2024, 3, 4, 9, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		q      Query
		want   Verdict
		reason string
	}{
		{"no time", tcpTo("", "", 21).on(byFilter("TIMED")), Partial, "permitted at times"},
		{"in time", tcpTo("", "", 21).on(byFilter("TIMED")).on(func(q *Query) { q.At = monday }), Permit, "permits"},
		{"out of time", tcpTo("", "", 21).on(byFilter("TIMED")).on(func(q *Query) { q.At = monday.Add(9 * time.Hour) }), Deny, "denies"},
		{"no application", tcpTo("", "", 21).on(byFilter("APP")), Partial, "depends on the application"},
		{"the application", tcpTo("", "", 21).on(byFilter("APP")).on(func(q *Query) { q.App = "ftp" }), Permit, "permits"},
		{"another", tcpTo("", "", 21).on(byFilter("APP")).on(func(q *Query) { q.App = "http" }), Deny, "denies"},
		{"one version of IP", tcpTo("", "", 445).on(out("Gi0/3")), Partial, "IPv6 is permitted and IPv4 is not"},
		{"one port of two", Query{Protocols: []uint8{6}, DstPorts: ports(21, 445)}.on(out("Gi0/1")), Partial, "some is permitted and some is not"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := m.Test(c.q)
			if err != nil || a.Verdict != c.want || !strings.Contains(a.Reason, c.reason) {
				t.Errorf("%s %q %v, want %s %q", a.Verdict, a.Reason, err, c.want, c.reason)
			}
			if c.name == "in time" && !slices.Contains(a.Culprits, at(61)) {
				t.Errorf("culprits %v do not show the time range", a.Culprits)
			}
		})
	}
}
