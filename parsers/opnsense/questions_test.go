package opnsense

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

func deviceOf(t testing.TB, f facts.Format, text string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, f, "config.xml", []byte(text))
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0]
}

type question struct {
	name     string
	in, out  string
	self     bool
	proto    uint8
	src, dst string
	port     uint16
	want     headerspace.Verdict
}

func (c question) ask(t *testing.T, d *facts.Device) {
	t.Helper()
	q := headerspace.Query{In: c.in, Out: c.out, Self: c.self, Protocols: []uint8{c.proto}, Family: facts.IPv4}
	src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
	if src.Is6() {
		q.Family = facts.IPv6
	}
	q.Src.Prefixes = []netip.Prefix{netip.PrefixFrom(src, src.BitLen())}
	q.Dst.Prefixes = []netip.Prefix{netip.PrefixFrom(dst, dst.BitLen())}
	q.DstPorts = []facts.PortRange{{First: c.port, Last: c.port}}
	got, err := headerspace.New(d).Test(q)
	if err != nil {
		t.Fatal(err)
	}
	if got.Verdict != c.want {
		t.Errorf("%s by rule %q (%s), want %s", got.Verdict, got.Rule, got.Reason, c.want)
	}
}

// TestQuestions asks the fixtures what passes.
func TestQuestions(t *testing.T) {
	const tcp, udp = facts.TCP, facts.UDP
	const permit, deny, partial, unknown = headerspace.Permit, headerspace.Deny, headerspace.Partial, headerspace.Unknown
	office, branch := deviceOf(t, PfSense(), fixture(t, "pfsense/office")), deviceOf(t, OPNsense(), fixture(t, "opnsense/branch"))
	for _, c := range []question{
		{"a port forward that changes the port", "wan", "opt1", false, tcp, "8.8.8.8", "192.0.2.2", 21, unknown},
		{"what a port forward passes by itself, as rules see it", "wan", "opt1", false, tcp, "8.8.8.8", "10.0.2.21", 2121, permit},
		{"one whose rule passes it", "wan", "opt1", false, udp, "8.8.8.8", "192.0.2.2", 69, permit},
		{"the same from a private network, which WAN refuses", "wan", "opt1", false, udp, "10.5.5.5", "192.0.2.2", 69, deny},
		{"nothing else comes in", "wan", "lan", false, tcp, "8.8.8.8", "10.0.1.9", 22, deny},
		{"LAN at working hours", "lan", "wan", false, tcp, "10.0.1.9", "8.8.8.8", 21, partial},
		{"a floating rule before it", "lan", "wan", false, tcp, "10.0.1.9", "8.8.8.8", 445, deny},
		{"a floating rule at the way out", "opt1", "wan", false, tcp, "10.0.2.21", "8.8.8.8", 445, deny},
		{"the TFTP proxy passes what LAN has no rule for", "lan", "wan", false, udp, "10.0.1.9", "8.8.8.8", 69, permit},
		{"a rule without quick is asked last: the list of addresses refused comes first", "opt1", "wan", false, tcp, "10.0.2.21", "8.8.8.8", 21, unknown},
		{"LAN to the web interface at any hour", "lan", "", true, tcp, "10.0.1.9", "10.0.1.1", 8443, permit},
		{"the DMZ is not locked in", "opt1", "", true, tcp, "10.0.2.77", "10.0.1.1", 8443, deny},
		{"OpenVPN's rules", "openvpn", "lan", false, tcp, "10.99.0.2", "10.0.1.9", 20, permit},
		{"what a fingerprint decides", "openvpn", "opt1", false, tcp, "10.99.0.2", "10.0.2.9", 445, unknown},
		{"IPv6 without a rule", "lan", "wan", false, tcp, "2001:db8::1", "2001:db8:1::1", 21, deny},
	} {
		t.Run("office/"+c.name, func(t *testing.T) { c.ask(t, office) })
	}
	for _, c := range []question{
		{"a rule without quick is overruled by a later quick one", "lan", "wan", false, tcp, "10.1.0.9", "198.51.100.9", 21, deny},
		{"and decides where none is", "lan", "wan", false, tcp, "10.1.0.9", "203.0.113.9", 21, permit},
		{"an exception from the list", "lan", "wan", false, tcp, "10.1.0.9", "198.51.100.7", 21, permit},
		{"an outward rule of the interface", "lan", "wan", true, udp, "10.1.0.1", "203.0.113.9", 69, deny},
		{"a country", "lan", "wan", false, tcp, "10.1.0.5", "203.0.113.9", 990, unknown},
		{"another source", "lan", "wan", false, tcp, "10.1.0.6", "203.0.113.9", 990, deny},
		{"IPv6 of LAN", "lan", "wan", false, tcp, "2001:db8:1::9", "2001:db8:2::9", 445, permit},
		{"no anti-lockout rule", "lan", "", true, tcp, "10.1.0.9", "10.1.0.1", 80, deny},
	} {
		if c.self && c.out != "" {
			c.in = ""
		}
		t.Run("branch/"+c.name, func(t *testing.T) { c.ask(t, branch) })
	}
}

// TestRules asks small configurations about one thing each, of which a naive reading is wrong.
func TestRules(t *testing.T) {
	rule := func(parts ...string) string {
		return "<rule><interface>lan</interface><source><any/></source><destination><any/></destination>" + strings.Join(parts, "") + "</rule>"
	}
	const pass, block, tcp = "<type>pass</type>", "<type>block</type>", "<protocol>tcp</protocol>"
	for _, c := range []struct {
		name, rules, more string
		want              headerspace.Verdict
	}{
		{"no rule", "", "", headerspace.Deny},
		{"pass", rule(pass), "", headerspace.Permit},
		{"the first counts", rule(block) + rule(pass), "", headerspace.Deny},
		{"disabled", rule(pass, "<disabled/>"), "", headerspace.Deny},
		{"not disabled", rule(pass, "<disabled>0</disabled>"), "", headerspace.Permit},
		{"IPv6 only", rule(pass, "<ipprotocol>inet6</ipprotocol>"), "", headerspace.Deny},
		{"match decides nothing", rule("<type>match</type>", "<floating>yes</floating>") + rule(pass), "", headerspace.Permit},
		{"the last floating rule without quick", rule(block, "<floating>yes</floating>") + rule(pass, "<floating>yes</floating>"), "", headerspace.Permit},
		{"a quick one before it", rule(block, "<floating>yes</floating><quick>yes</quick>") + rule(pass, "<floating>yes</floating>"), "", headerspace.Deny},
		{"the interface's rules before floating ones without quick", rule(pass, "<floating>yes</floating>") + rule(block), "", headerspace.Deny},
		{"only outwards", rule(pass, "<floating>yes</floating><quick>yes</quick><direction>out</direction>"), "", headerspace.Deny},
		{"blocked outwards", rule(pass) + "<rule><floating>yes</floating><quick>yes</quick><direction>out</direction><interface>wan</interface>" + block + "<source><any/></source><destination><any/></destination></rule>", "", headerspace.Deny},
		{"every interface", "<rule><floating>yes</floating><quick>yes</quick>" + pass + "<source><any/></source><destination><any/></destination></rule>", "", headerspace.Permit},
		{"filtering is switched off", "", "<disablefilter>enabled</disablefilter>", headerspace.Permit},
		{"an unknown address", "<rule><interface>lan</interface>" + pass + "<source><address>nobody</address></source><destination><any/></destination></rule>", "", headerspace.Unknown},
		{"an unknown statement", rule(pass, "<strange>1</strange>"), "", headerspace.Unknown},
		{"an unknown action", rule("<type>perhaps</type>"), "", headerspace.Unknown},
		{"ports need their protocol", "<rule><interface>lan</interface>" + pass + tcp + "<source><any/></source><destination><any/><port>22</port></destination></rule>", "", headerspace.Deny},
		{"in a range", "<rule><interface>lan</interface>" + pass + tcp + "<source><any/></source><destination><any/><port>20-21</port></destination></rule>", "", headerspace.Permit},
		{"not its own network", "<rule><interface>lan</interface>" + pass + "<source><network>lan</network><not/></source><destination><any/></destination></rule>", "", headerspace.Deny},
		{"a day of a month", rule(pass, "<sched>s</sched>"), "", headerspace.Unknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "<pfsense><system><hostname>x</hostname><ipv6allow/>" + c.more + "</system><interfaces><wan><enable/><if>em0</if><ipaddr>192.0.2.2</ipaddr><subnet>24</subnet></wan>" +
				"<lan><enable/><if>em1</if><ipaddr>10.0.1.1</ipaddr><subnet>24</subnet></lan></interfaces><filter>" + c.rules + "</filter></pfsense>"
			question{"", "lan", "wan", false, facts.TCP, "10.0.1.9", "203.0.113.9", 21, c.want}.ask(t, deviceOf(t, PfSense(), text))
		})
	}
}

// TestPlanted plants transfers, credentials and rules into every statement that is irrelevant.
func TestPlanted(t *testing.T) {
	var paths []string
	for _, e := range irrelevant().Entries() {
		paths = append(paths, e.Path)
	}
	shape := parsetest.InXML("opnsense")
	parsetest.Plant(t, OPNsense(), func(path []string, s [][]string) string {
		s = append(s, []string{"group", "<rule><type>pass</type><interface>wan</interface></rule>"})
		return shape(path, s)
	}, paths, [][]string{{"planter", "command", "reboot"}})
}

// TestDetection: no other platform's file is taken.
func TestDetection(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public configurations are not read")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "configs", "*", "*"))
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []facts.Format{OPNsense(), PfSense()} {
			got := f.Detect(path, src[:min(len(src), 64<<10)])
			if own := filepath.Base(filepath.Dir(path)) == f.Platform; own && got < facts.Strong || !own && got > facts.No {
				t.Errorf("%s: %s detects %d", path, f.Name, got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f, "pfsense/office")))
	f.Add([]byte(fixture(f, "opnsense/branch")))
	f.Add([]byte("<opnsense><filter><rule><interface>a</interface></rule><rule/></filter></opnsense>"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, format := range []facts.Format{OPNsense(), PfSense()} {
			format.Detect("x", src)
			st := parsetest.Parse(t, format, "x", src)
			for _, d := range st.Devices {
				headerspace.New(d)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var rules strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&rules, "\t\t<rule>\n\t\t\t<tracker>%d</tracker>\n\t\t\t<type>pass</type>\n\t\t\t<interface>lan</interface>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>tcp</protocol>\n"+
			"\t\t\t<source>\n\t\t\t\t<address>10.%d.%d.0/24</address>\n\t\t\t</source>\n\t\t\t<destination>\n\t\t\t\t<any></any>\n\t\t\t\t<port>%d</port>\n\t\t\t</destination>\n\t\t\t<descr><![CDATA[rule %d]]></descr>\n\t\t</rule>\n",
			i, i/256, i%256, i%60000+1, i)
	}
	src := []byte(strings.Replace(fixture(b, "pfsense/office"), "\t<filter>\n", "\t<filter>\n"+rules.String(), 1))
	file := parsetest.File("config.xml", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := PfSense().Parse(context.Background(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}

// TestPresence: an empty element says yes where the system asks whether it is there, and no where a model writes it for false.
func TestPresence(t *testing.T) {
	d := deviceOf(t, OPNsense(), "<opnsense><system><hostname>x</hostname><ssh><enabled/></ssh></system><interfaces><lan><enable/><if>em0</if></lan><opt1><if>em1</if></opt1></interfaces>"+
		"<filter/><OPNsense><tftp><general><enabled/></general></tftp></OPNsense></opnsense>")
	on := map[string]bool{}
	for _, s := range d.Services {
		on[s.Name] = facts.On(s.Enabled)
	}
	if !on["system ssh"] || on["OPNsense tftp"] {
		t.Errorf("services %v", on)
	}
	if facts.On(d.Interfaces[0].Shutdown) || !facts.On(d.Interfaces[1].Shutdown) {
		t.Errorf("interfaces %+v", d.Interfaces)
	}
}

// TestBothWays: rules of the API and others decide alike in any order, or what they decide is unknown.
func TestBothWays(t *testing.T) {
	older := func(action, quick string) string {
		return "<rule><type>" + action + "</type><interface>lan</interface><quick>" + quick + "</quick><source><any/></source><destination><any/><port>21</port></destination><protocol>tcp</protocol></rule>"
	}
	newer := func(action, quick string) string {
		return "<rule><enabled>1</enabled><sequence>1</sequence><action>" + action + "</action><quick>" + quick + "</quick><interface>lan</interface><direction>in</direction><ipprotocol>inet</ipprotocol>" +
			"<protocol>TCP</protocol><source_net>any</source_net><destination_net>any</destination_net></rule>"
	}
	for _, c := range []struct {
		name, older, newer string
		port               uint16
		want               headerspace.Verdict
	}{
		{"they agree", older("pass", "1"), newer("pass", "1"), 21, headerspace.Permit},
		{"they do not", older("block", "1"), newer("pass", "1"), 21, headerspace.Unknown},
		{"only the API's matches", older("block", "1"), newer("pass", "1"), 22, headerspace.Permit},
		{"only the API's are there", "", newer("pass", "1"), 21, headerspace.Permit},
		{"without quick, they do not", older("block", "0"), newer("pass", "0"), 21, headerspace.Unknown},
		{"without quick, only the API's matches", older("block", "0"), newer("pass", "0"), 22, headerspace.Permit},
		{"quick decides before the others", older("block", "1"), newer("pass", "0"), 21, headerspace.Deny},
	} {
		t.Run(c.name, func(t *testing.T) {
			text := "<opnsense><system><hostname>x</hostname></system><interfaces><wan><enable>1</enable><if>em0</if><ipaddr>192.0.2.2</ipaddr><subnet>24</subnet></wan>" +
				"<lan><enable>1</enable><if>em1</if><ipaddr>10.0.1.1</ipaddr><subnet>24</subnet></lan></interfaces><filter>" + c.older + "</filter>" +
				"<OPNsense><Firewall><Filter><rules>" + c.newer + "</rules></Filter></Firewall></OPNsense></opnsense>"
			question{"", "lan", "wan", false, facts.TCP, "10.0.1.9", "203.0.113.9", c.port, c.want}.ask(t, deviceOf(t, OPNsense(), text))
		})
	}
}
