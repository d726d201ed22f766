package judge

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

const zones = `
zones:
  campus: {cidrs: [10.0.0.0/8], trust: internal}
  management: {cidrs: [10.10.0.0/24], trust: internal, kind: management}
  users: {cidrs: [10.20.0.0/16], trust: internal, kind: user}
  guests: {cidrs: [10.99.0.0/16], trust: external}
  drop: {cidrs: [198.51.100.99/32], trust: partner}
`

func pass(t *testing.T, src string) *audit.Pass {
	t.Helper()
	p := policy.Builtin()
	if src != "" {
		var err error
		if p, err = policy.Parse("policy.yaml", []byte(src), nil); err != nil {
			t.Fatal(err)
		}
	}
	w := &audit.World{Now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Policy: p, Space: headerspace.New}
	return audit.NewPass(&audit.Check{ID: "QM0000"}, w, &audit.Outcome{})
}

func prefixes(all ...string) []netip.Prefix {
	var out []netip.Prefix
	for _, s := range all {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func iface(name string, addrs ...string) facts.Interface {
	return facts.Interface{Name: name, Addrs: prefixes(addrs...)}
}

func route(prefix, hop string) facts.Route {
	r := facts.Route{Prefix: netip.MustParsePrefix(prefix)}
	if a, err := netip.ParseAddr(hop); err == nil {
		r.NextHop = a
	} else {
		r.Interface = hop
	}
	return r
}

// sideText writes a side as "name: zones, outside".
func sideText(s *Side) string {
	var words []string
	for _, z := range s.Zones {
		words = append(words, z.Name)
	}
	if s.Outside {
		words = append(words, "outside")
	}
	if len(s.Beyond) > 0 {
		words = append(words, fmt.Sprint(s.Beyond))
	}
	if s.Border {
		words = append(words, "border")
	}
	if s.Route != nil {
		words = append(words, "default")
	}
	if s.HostOnly {
		words = append(words, "host only")
	}
	if !s.Known {
		words = append(words, "unknown")
	}
	return s.Interface.Name + ": " + strings.Join(words, " ")
}

func TestSides(t *testing.T) {
	off := iface("off", "10.20.0.1/16")
	off.Shutdown = facts.Say(true, evidence.Span{})
	dhcp := facts.Interface{Name: "wan", DHCP: true}
	blue := iface("blue", "10.20.9.1/24")
	blue.Scope = "BLUE"
	tests := []struct {
		name   string
		device facts.Device
		want   []string
	}{
		{"connected", facts.Device{Interfaces: []facts.Interface{iface("a", "10.20.0.1/16"), iface("b", "203.0.113.2/24")}},
			[]string{"a: users", "b: outside border"}},
		{"a network that spans zones", facts.Device{Interfaces: []facts.Interface{iface("a", "10.8.0.1/13")}}, []string{"a: campus management"}},
		{"external zone inside an internal one", facts.Device{Interfaces: []facts.Interface{iface("a", "10.99.1.1/24")}}, []string{"a: outside border"}},
		{"the management port of PAN-OS", facts.Device{Platform: facts.PANOSSet, Interfaces: []facts.Interface{iface("management", "10.20.0.1/16")}, Routes: []facts.Route{route("0.0.0.0/0", "10.20.0.2")}},
			[]string{"management: users outside default host only"}},
		{"a guest network beside the default route", facts.Device{Interfaces: []facts.Interface{iface("a", "10.99.1.1/24"), iface("b", "203.0.113.2/30")}, Routes: []facts.Route{route("0.0.0.0/0", "b")}},
			[]string{"a: outside [10.99.1.0/24] border", "b: outside border default"}},
		{"partner is neither", facts.Device{Interfaces: []facts.Interface{iface("a", "198.51.100.99/32")}}, []string{"a: "}},
		{"default route to the inside", facts.Device{Interfaces: []facts.Interface{iface("a", "10.20.0.1/16"), iface("b", "10.30.0.1/30")}, Routes: []facts.Route{route("0.0.0.0/0", "10.30.0.2")}},
			[]string{"a: users", "b: campus outside default"}},
		{"default route by interface", facts.Device{Interfaces: []facts.Interface{iface("a", "10.20.0.1/16"), iface("b", "203.0.113.2/30")}, Routes: []facts.Route{route("0.0.0.0/0", "b")}},
			[]string{"a: users", "b: outside border default"}},
		{"next hop behind another route", facts.Device{Interfaces: []facts.Interface{iface("a", "10.30.0.1/30")}, Routes: []facts.Route{route("0.0.0.0/0", "10.40.0.9"), route("10.40.0.0/24", "10.30.0.2")}},
			[]string{"a: campus outside default"}},
		{"routes that lead to each other", facts.Device{Interfaces: []facts.Interface{iface("a", "10.30.0.1/30")}, Routes: []facts.Route{route("10.1.0.0/16", "10.2.0.1"), route("10.2.0.0/16", "10.1.0.1")}},
			[]string{"a: campus"}},
		{"outside by a static route alone", facts.Device{Interfaces: []facts.Interface{iface("a", "10.30.0.1/30")}, Routes: []facts.Route{route("192.0.2.0/24", "10.30.0.2")}},
			[]string{"a: campus outside [192.0.2.0/24]"}},
		{"route of another VRF", facts.Device{Interfaces: []facts.Interface{iface("a", "10.30.0.1/30"), blue}, Routes: []facts.Route{{Prefix: netip.MustParsePrefix("0.0.0.0/0"), NextHop: netip.MustParseAddr("10.30.0.2"), Scope: "BLUE"}}},
			[]string{"a: campus", "blue: users"}},
		{"address from the network", facts.Device{Interfaces: []facts.Interface{iface("a", "10.20.0.1/16"), dhcp}}, []string{"a: users", "wan: outside border"}},
		{"address from the network beside a default route", facts.Device{Interfaces: []facts.Interface{iface("a", "10.30.0.1/30"), dhcp}, Routes: []facts.Route{route("0.0.0.0/0", "10.30.0.2")}},
			[]string{"a: campus outside default", "wan: unknown"}},
		{"off, loopback, no address", facts.Device{Interfaces: []facts.Interface{off, iface("Loopback0", "203.0.113.1/32"), iface("lo0.0", "10.0.0.1/32"), iface("c")}}, []string{"c: unknown"}},
		{"management port of Junos", facts.Device{Platform: facts.JunosSet, Interfaces: []facts.Interface{iface("fxp0.0", "10.10.0.1/24"), iface("et-0/0/0.0", "10.20.0.1/16")}},
			[]string{"fxp0.0: management host only", "et-0/0/0.0: users"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, s := range Sides(pass(t, zones), &test.device) {
				got = append(got, sideText(&s))
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("sides (-want +got):\n%s", diff)
			}
		})
	}
}

// list makes a standard list of IOS.
func list(name string, rules ...string) facts.Filter {
	f := facts.Filter{Name: name, Kind: "ip access-list standard", Family: facts.IPv4, Default: facts.Deny, WhenEmpty: facts.Permit}
	for _, r := range rules {
		word, what, _ := strings.Cut(r, " ")
		rule := facts.Rule{Action: facts.Permit}
		if word == "deny" {
			rule.Action = facts.Deny
		}
		switch what {
		case "any":
			rule.Match.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{{Any: true}}}
		case "?":
			rule.Match.Unread = []string{"frobnicate"}
		default:
			rule.Match.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: netip.MustParsePrefix(what)}}}
		}
		f.Rules = append(f.Rules, rule)
	}
	return f
}

func TestService(t *testing.T) {
	border := []facts.Interface{iface("a", "10.20.0.1/16"), iface("b", "203.0.113.2/24")}
	inner := []facts.Interface{iface("a", "10.20.0.1/16"), iface("b", "10.30.0.1/24")}
	management := []facts.Interface{iface("a", "10.10.0.5/24")}
	guarded := []facts.Interface{border[0], {Name: "b", Addrs: border[1].Addrs, Bindings: []facts.Binding{{Filters: []string{"NONE"}, Family: facts.IPv4, Where: "b"}}}}
	tests := []struct {
		name    string
		ifaces  []facts.Interface
		acl     string
		bind    string
		filters []facts.Filter
		factor  float64
		who     string
		unknown bool
	}{
		{name: "border, no list", ifaces: border, factor: 1, who: "anyone, from outside too"},
		{name: "inner, no list", ifaces: inner, factor: .80, who: "anyone inside"},
		{name: "management alone, no list: at least any internal zone", ifaces: management, factor: .80, who: "the management network"},
		{name: "no address known", factor: 1, who: "anyone", unknown: true},
		{name: "border, list of one host", ifaces: border, acl: "L", filters: []facts.Filter{list("L", "permit 10.20.0.7/32")}, factor: .25, who: "host 10.20.0.7 only"},
		{name: "border, list of outside", ifaces: border, acl: "L", filters: []facts.Filter{list("L", "permit 192.0.2.0/24")}, factor: 1, who: "some clients, from outside too"},
		{name: "border, list of any", ifaces: border, acl: "L", filters: []facts.Filter{list("L", "permit any")}, factor: 1, who: "anyone, from outside too"},
		{name: "border, undefined list", ifaces: border, acl: "L", factor: 1, who: "anyone, from outside too"},
		{name: "inner, list of management", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit 10.10.0.0/24")}, factor: .40, who: "the management network"},
		{name: "inner, list of users", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit 10.20.4.0/24")}, factor: .60, who: "zone users"},
		{name: "inner, list of two zones", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit 10.20.4.0/24", "permit 10.10.0.0/24")}, factor: .80, who: "clients of zones management and users"},
		{name: "inner, list of outside: nobody comes from there", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit 192.0.2.0/24")}, factor: .10, who: "nobody"},
		{name: "two hosts are no single one", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit 10.20.0.7/32", "permit 10.20.0.8/32")}, factor: .60, who: "zone users"},
		{name: "unread line", ifaces: inner, acl: "L", filters: []facts.Filter{list("L", "permit ?", "deny any")}, factor: 1, who: "clients that cannot be told", unknown: true},
		{name: "filtered border", ifaces: guarded, filters: []facts.Filter{list("NONE", "deny any")}, factor: .80, who: "clients of zones campus, drop, management and users"},
		{name: "bound to the inner interface", ifaces: border, bind: "a", factor: .80, who: "clients of zones campus, drop, management and users"},
		{name: "bound to the outer address", ifaces: border, bind: "203.0.113.2", factor: 1, who: "some clients, from outside too"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d := facts.Device{Platform: facts.CiscoIOS, Interfaces: test.ifaces, Filters: test.filters}
			s := facts.Service{Protocol: facts.TFTP, Bind: test.bind}
			if test.acl != "" {
				s.ACL = facts.Say(test.acl, evidence.Span{})
			}
			got := Service(pass(t, zones), &d, ListenerOf(&s))
			if got.Factor != test.factor || got.Who != test.who || (got.Unknown != "") != test.unknown {
				t.Errorf("got %v %q (%s), want %v %q, unknown %v", got.Factor, got.Who, got.Unknown, test.factor, test.who, test.unknown)
			}
		})
	}
}

func TestTelemetry(t *testing.T) {
	on, off := facts.Say(true, evidence.Span{}), facts.Assume(false)
	tests := []struct {
		name string
		l    facts.Logging
		want float64
	}{
		{"nothing known", facts.Logging{}, audit.TelemetryPartial},
		{"no remote log", facts.Logging{Remote: off}, audit.TelemetryBlind},
		{"no remote log, flows", facts.Logging{Remote: off, FlowExport: on}, audit.TelemetryPartial},
		{"switched off", facts.Logging{Remote: on, Enabled: off}, audit.TelemetryBlind},
		{"remote log", facts.Logging{Remote: on, CommandAccounting: on}, audit.TelemetryPartial},
		{"all", facts.Logging{Remote: on, CommandAccounting: on, FlowExport: on}, audit.TelemetryFull},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := Telemetry(&facts.Device{Logging: test.l}); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestMarks(t *testing.T) {
	at := func(n int64) evidence.Span { return evidence.Span{Pos: evidence.MakePos(1, n), Len: 3} }
	m := Mark(nil, "", at(5), evidence.Span{}, at(5), at(9))
	m = Mark(m, "again", at(9), at(12))
	if diff := cmp.Diff([]audit.Mark{{Span: at(5)}, {Span: at(9)}, {Span: at(12), Role: "again"}}, m); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
	for n := range int64(100) {
		m = Mark(m, "", at(100+n))
	}
	if len(m) != MaxMarks {
		t.Errorf("%d marks, want %d", len(m), MaxMarks)
	}
}
