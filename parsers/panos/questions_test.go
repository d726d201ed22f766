package panos

import (
	"net/netip"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// TestQuestions asks fixtures what passes: that facts mean what the configuration means.
func TestQuestions(t *testing.T) {
	const tcp, udp = facts.TCP, facts.UDP
	zones := func(from, to string) headerspace.Query { return headerspace.Query{FromZone: from, ToZone: to} }
	app := func(q headerspace.Query, name string) headerspace.Query {
		q.App = name
		return q
	}
	in := func(scope string, q headerspace.Query) headerspace.Query {
		q.Scope = scope
		return q
	}
	const permit, deny, partial, unknown = headerspace.Permit, headerspace.Deny, headerspace.Partial, headerspace.Unknown
	tests := []struct {
		name, fixture string
		q             headerspace.Query
		proto         uint8
		src, dst      string
		port          uint16
		want          headerspace.Verdict
	}{
		{"service-http is the user's own", "shapes", zones("inside", "outside"), tcp, "10.0.1.9", "10.0.10.9", 8081, permit},
		{"and no longer the predefined one", "shapes", app(zones("inside", "outside"), "web-browsing"), tcp, "10.0.1.9", "10.0.10.9", 80, deny},
		{"service-https is the predefined one", "shapes", zones("inside", "outside"), tcp, "10.0.1.9", "10.0.10.9", 443, permit},
		{"ftp on its own port", "shapes", app(zones("inside", "outside"), "ftp"), tcp, "10.0.1.9", "198.51.100.9", 21, permit},
		{"ftp on another port", "shapes", app(zones("inside", "outside"), "ftp"), tcp, "10.0.1.9", "198.51.100.9", 2121, deny},
		{"whatever is on ftp's port", "shapes", zones("inside", "outside"), tcp, "10.0.1.9", "198.51.100.9", 21, partial},
		{"an application of the user's own", "shapes", app(zones("inside", "outside"), "backup"), tcp, "10.0.1.9", "198.51.100.9", 10005, permit},
		{"where the address is negated", "shapes", app(zones("inside", "outside"), "ftp"), tcp, "10.0.1.9", "10.0.10.105", 21, deny},
		{"a rule that is disabled", "shapes", zones("dmz", "outside"), tcp, "10.0.10.9", "198.51.100.9", 445, deny},
		{"at night only, to an object named like an address", "shapes", zones("inside", "dmz"), tcp, "10.0.1.25", "198.51.100.99", 445, partial},
		{"not the address it is named like", "shapes", zones("inside", "dmz"), tcp, "10.0.1.25", "192.0.2.99", 445, deny},
		{"beside the range", "shapes", zones("inside", "dmz"), tcp, "10.0.1.31", "198.51.100.99", 445, deny},
		{"a name DNS resolves", "shapes", zones("outside", "dmz"), tcp, "203.0.113.9", "10.0.10.9", 445, unknown},
		{"reset where the wildcard holds", "shapes", zones("inside", "inside"), udp, "10.0.77.1", "10.0.1.9", 5000, partial},
		{"within a zone", "shapes", zones("inside", "inside"), tcp, "10.0.1.9", "10.0.1.10", 21, permit},
		{"between zones", "shapes", zones("outside", "inside"), tcp, "203.0.113.9", "10.0.1.10", 21, deny},

		{"an interface in no zone", "rules", headerspace.Query{In: "ethernet1/9", Out: "ethernet1/2"}, tcp, "10.0.9.9", "10.0.2.9", 21, deny},
		{"to an interface in no zone", "rules", headerspace.Query{In: "ethernet1/1", Out: "ethernet1/9"}, tcp, "10.0.1.9", "10.0.9.9", 21, deny},
		{"a region of the user's own, before the tags of a group", "rules", zones("c", "b"), tcp, "198.51.100.129", "10.0.2.9", 21, unknown},
		{"users may be meant", "rules", zones("a", "c"), tcp, "10.0.1.9", "198.51.100.9", 21, unknown},
		{"overridden", "rules", app(zones("a", "b"), "printing"), tcp, "10.0.1.9", "10.0.2.9", 9100, unknown},

		{"the first vsys", "vsys", headerspace.Query{In: "ethernet1/1", Out: "ethernet1/2"}, udp, "10.1.0.9", "198.51.100.2", 69, permit},
		{"the first vsys, the shared service", "vsys", headerspace.Query{In: "ethernet1/1", Out: "ethernet1/2"}, tcp, "10.1.0.9", "198.51.100.2", 21, deny},
		{"the second vsys", "vsys", headerspace.Query{In: "ethernet1/3", Out: "ethernet1/4"}, tcp, "10.2.0.9", "198.51.100.1", 21, permit},
		{"the second vsys, the other's object", "vsys", headerspace.Query{In: "ethernet1/3", Out: "ethernet1/4"}, tcp, "10.2.0.9", "198.51.100.2", 21, deny},
		{"the second vsys by its zones", "vsys", in("vsys2", zones("inside", "outside")), tcp, "10.2.0.9", "198.51.100.1", 21, permit},
		{"from the one that leads to the other", "vsys", headerspace.Query{In: "ethernet1/3", Out: "ethernet1/2"}, tcp, "10.2.0.9", "198.51.100.1", 21, unknown},
		{"from the one that does not", "vsys", headerspace.Query{In: "ethernet1/1", Out: "ethernet1/4"}, tcp, "10.1.0.9", "198.51.100.2", 21, deny},

		{"before", "pushed", zones("a", "b"), tcp, "10.0.1.9", "10.0.2.9", 1001, permit},
		{"its own", "pushed", zones("a", "b"), tcp, "10.0.1.9", "10.0.2.9", 1002, deny},
		{"behind", "pushed", zones("a", "b"), tcp, "10.0.1.9", "10.0.2.9", 445, permit},
		{"the end", "pushed", zones("a", "b"), tcp, "10.0.1.9", "10.0.2.9", 446, deny},
		{"the end within a zone", "pushed", zones("a", "a"), tcp, "10.0.1.9", "10.0.1.10", 446, permit},

		{"a group's own object through its parent", "panorama", in("branch", zones("inside", "outside")), tcp, "10.0.0.9", "10.3.0.9", 445, permit},
		{"the parent itself", "panorama", in("corp", zones("inside", "outside")), tcp, "10.0.0.9", "10.3.0.9", 445, permit},
		{"a rule for some firewalls", "panorama", app(in("branch", zones("inside", "outside")), "ftp"), tcp, "10.0.0.9", "10.3.0.9", 21, unknown},
		{"not of the parent", "panorama", app(in("corp", zones("inside", "outside")), "ftp"), tcp, "10.0.0.9", "10.3.0.9", 21, deny},
		{"shared, before", "panorama", app(in("branch", zones("inside", "outside")), "tftp"), udp, "10.9.0.9", "198.51.100.9", 69, deny},
		{"shared, behind", "panorama", in("branch", zones("inside", "outside")), tcp, "10.0.0.9", "198.51.100.9", 443, permit},
		{"within a template's zone", "panorama", in("branch", zones("inside", "inside")), tcp, "10.0.0.9", "10.0.0.10", 21, permit},

		{"rules that move", "part", zones("a", "a"), tcp, "10.0.0.9", "10.0.0.10", 21, unknown},
	}
	devices := map[string]*facts.Device{}
	for _, s := range samples(t) {
		if devices[s.fixture] == nil {
			format, _ := formatOf(s.text)
			devices[s.fixture], _ = readDevice(t, format, s.text)
		}
	}
	for _, test := range tests {
		t.Run(test.fixture+"/"+test.name, func(t *testing.T) {
			q := test.q
			q.Protocols = []uint8{test.proto}
			q.Src.Prefixes = []netip.Prefix{netip.MustParsePrefix(test.src + "/32")}
			q.Dst.Prefixes = []netip.Prefix{netip.MustParsePrefix(test.dst + "/32")}
			q.DstPorts = []facts.PortRange{{First: test.port, Last: test.port}}
			q.Family = facts.IPv4
			got, err := headerspace.New(devices[test.fixture]).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want {
				t.Errorf("%s by rule %q (%s), want %s", got.Verdict, got.Rule, got.Reason, test.want)
			}
		})
	}
}

// TestRules asks small configurations about one thing each, of which a naive reading is wrong.
func TestRules(t *testing.T) {
	const base = `set deviceconfig system hostname x
set network interface ethernet ethernet1/1 layer3 ip 10.0.1.1/24
set network interface ethernet ethernet1/2 layer3 ip 10.0.2.1/24
set zone a network layer3 ethernet1/1
set zone b network layer3 ethernet1/2
`
	const rule = "set rulebase security rules r from any to any source any destination any application any service any action allow\n"
	tests := []struct {
		name, text, app string
		port            uint16
		want            headerspace.Verdict
	}{
		{"nothing but the end", "", "", 21, headerspace.Deny},
		{"the end, overridden", "set rulebase default-security-rules rules interzone-default action allow\n", "", 21, headerspace.Permit},
		{"everything", rule, "", 21, headerspace.Permit},
		{"order is that of the file", "set rulebase security rules z from any to any source any destination any application any service any action deny\n" + rule, "", 21, headerspace.Deny},
		{"deleted", rule + "delete rulebase security rules r\n", "", 21, headerspace.Deny},
		{"any application on its default port is ftp on 21", "set rulebase security rules r from any to any source any destination any application any service application-default action allow\n", "ftp", 21, headerspace.Permit},
		{"and what others have is not known", "set rulebase security rules r from any to any source any destination any application any service application-default action allow\n", "other", 21, headerspace.Unknown},
		{"an application by itself, any port", "set rulebase security rules r from any to any source any destination any application ftp service any action allow\n", "ftp", 2121, headerspace.Permit},
		{"denied by application, the rest passes", "set rulebase security rules n from any to any source any destination any application ftp service any action deny\n" + rule, "ftp", 21, headerspace.Deny},
		{"denied by application, others pass", "set rulebase security rules n from any to any source any destination any application ftp service any action deny\n" + rule, "ssh", 21, headerspace.Permit},
		{"the container", "set rulebase security rules r from any to any source any destination any application ms-ds-smb service application-default action allow\n", "ms-ds-smbv3", 445, headerspace.Permit},
		{"an override decides what the application is", "set application own category x\nset rulebase application-override rules o from any to any source any destination any protocol tcp port 21 application own\nset rulebase security rules r from any to any source any destination any application own service application-default action allow\n", "", 21, headerspace.Permit},
		{"and is no other one", "set application own category x\nset rulebase application-override rules o from any to any source any destination any protocol tcp port 21 application own\nset rulebase security rules r from any to any source any destination any application ftp service any action allow\n", "", 21, headerspace.Deny},
		{"an intrazone rule says nothing between zones", "set rulebase security rules r from any to any source any destination any application any service any rule-type intrazone action allow\n", "", 21, headerspace.Deny},
		{"an interzone rule does", "set rulebase security rules r from any to any source any destination any application any service any rule-type interzone action allow\n", "", 21, headerspace.Permit},
		{"negated any is none", "set rulebase security rules r from any to any source any negate-source yes destination any application any service any action allow\n", "", 21, headerspace.Deny},
		{"a user may be meant", "set rulebase security rules r from any to any source any source-user known-user destination any application any service any action allow\n", "", 21, headerspace.Unknown},
		{"an external list", "set external-list l type ip url http://192.0.2.1/l\nset rulebase security rules r from any to any source l destination any application any service any action allow\n", "", 21, headerspace.Unknown},
		{"an application filter", "set application-filter f subcategory file-sharing\nset rulebase security rules r from any to any source any destination any application f service any action allow\n", "", 21, headerspace.Unknown},
		{"an address nobody defines", "set rulebase security rules r from any to any source nobody destination any application any service any action allow\n", "", 21, headerspace.Unknown},
		{"a group in itself", "set address-group g static [ g h ]\nset address h ip-netmask 10.0.1.0/24\nset rulebase security rules r from any to any source g destination any application any service any action allow\n", "", 21, headerspace.Permit},
		{"dates that are over or to come", "set schedule s schedule-type non-recurring 2020/01/01@00:00-2020/01/02@00:00\nset rulebase security rules r from any to any source any destination any application any service any schedule s action allow\n", "", 21, headerspace.Partial},
		{"a schedule nobody defines", "set rulebase security rules r from any to any source any destination any application any service any schedule s action allow\n", "", 21, headerspace.Unknown},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			d, _ := readDevice(t, Set(), base+test.text)
			q := headerspace.Query{
				In: "ethernet1/1", Out: "ethernet1/2", Protocols: []uint8{facts.TCP}, Family: facts.IPv4, App: test.app,
				DstPorts: []facts.PortRange{{First: test.port, Last: test.port}},
				Src:      headerspace.Set{Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.1.9/32")}},
				Dst:      headerspace.Set{Prefixes: []netip.Prefix{netip.MustParsePrefix("10.0.2.9/32")}},
			}
			got, err := headerspace.New(d).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want {
				t.Errorf("%s by rule %q (%s), want %s", got.Verdict, got.Rule, got.Reason, test.want)
			}
			for _, u := range d.Unread {
				t.Errorf("a line is not understood: %+v", u)
			}
		})
	}
}
