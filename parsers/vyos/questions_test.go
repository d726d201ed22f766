package vyos

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/tree"
)

func deviceOf(t testing.TB, f facts.Format, text string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, f, "x", []byte(text))
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
	if c.proto == facts.TCP || c.proto == facts.UDP {
		q.DstPorts = []facts.PortRange{{First: c.port, Last: c.port}}
	}
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
	const tcp, udp, icmp, gre = facts.TCP, facts.UDP, uint8(1), uint8(47)
	const permit, deny, partial, unknown = headerspace.Permit, headerspace.Deny, headerspace.Partial, headerspace.Unknown
	old, base := deviceOf(t, Brace(), fixture(t, "brace/old")), deviceOf(t, Set(), fixture(t, "set/base"))
	for _, c := range []question{
		{"rule 5 is asked before rule 20", "eth0", "eth1.20", false, tcp, "198.51.100.9", "10.0.2.21", 21, permit},
		{"a range of addresses, a range of ports", "eth0", "eth1.20", false, tcp, "203.0.113.7", "10.0.2.35", 990, permit},
		{"beside the group of ports", "eth0", "eth1.20", false, tcp, "203.0.113.7", "10.0.2.35", 22, deny},
		{"translated before it is asked about", "eth0", "eth1.20", false, tcp, "203.0.113.7", "192.0.2.2", 21, permit},
		{"not the office", "eth0", "eth1.20", false, tcp, "203.0.113.7", "10.0.2.5", 443, partial},
		{"what is negated", "eth0", "tun0", false, tcp, "203.0.113.7", "10.0.1.5", 443, deny},
		{"disabled", "eth0", "eth1.20", false, udp, "203.0.113.7", "10.0.2.5", 70, deny},
		{"a translation of whatever address", "eth0", "eth1.20", false, udp, "203.0.113.7", "10.0.2.5", 69, unknown},
		{"returned is accepted", "eth0", "eth1.20", false, icmp, "203.0.113.7", "10.0.2.5", 0, permit},
		{"from the fourth packet on", "eth0", "eth1.20", false, gre, "203.0.113.7", "10.0.2.5", 0, unknown},
		{"what is for the device asks local only", "eth0", "", true, udp, "10.0.1.7", "192.0.2.2", 69, permit},
		{"from elsewhere", "eth0", "", true, udp, "203.0.113.7", "192.0.2.2", 69, deny},
		{"a VLAN's own rule set", "eth1.20", "", true, tcp, "10.0.2.7", "10.0.2.1", 22, deny},
		{"the port it is on has none", "eth1", "", true, tcp, "10.0.1.7", "10.0.1.1", 22, permit},
		{"no rule set passes", "eth1.20", "eth0", false, tcp, "10.0.2.7", "203.0.113.7", 445, permit},
		{"a rule set nobody defines", "eth1.20", "eth1", false, tcp, "10.0.2.7", "10.0.1.21", 21, unknown},
		{"IPv6 has its own", "eth0", "tun0", false, tcp, "2001:db8:1::7", "2001:db8:2::1", 22, permit},
		{"and nothing else", "eth0", "tun0", false, tcp, "2001:db8:1::7", "2001:db8:2::1", 21, deny},
	} {
		t.Run("old/"+c.name, func(t *testing.T) { c.ask(t, old) })
	}
	for _, c := range []question{
		{"an interface of the group, accepted in the rule set", "eth2", "eth0", false, tcp, "10.0.2.7", "203.0.113.7", 21, permit},
		{"dropped in it", "eth2", "eth0", false, tcp, "10.0.2.7", "203.0.113.7", 445, deny},
		{"returned, and decided by nobody", "eth2", "eth0", false, udp, "10.0.2.7", "203.0.113.7", 69, deny},
		{"the address group", "eth0", "eth2", false, tcp, "203.0.113.7", "10.0.2.21", 21, permit},
		{"not the network group of that name", "eth0", "eth2", false, tcp, "203.0.113.7", "10.7.0.1", 21, unknown},
		{"a name of DNS", "eth0", "eth2", false, tcp, "203.0.113.7", "10.0.2.22", 8080, unknown},
		{"every protocol but one, not to a group", "eth3", "eth0", false, udp, "10.0.3.7", "203.0.113.7", 69, unknown},
		{"the device, from inside", "eth1", "", true, udp, "10.0.1.7", "10.0.1.1", 69, permit},
		{"the device, from outside", "eth0", "", true, udp, "203.0.113.7", "10.0.2.1", 69, deny},
		{"a zone's way to the device", "eth4", "", true, tcp, "10.0.4.7", "10.0.4.1", 22, permit},
		{"and nothing else of it", "eth4", "", true, tcp, "10.0.4.7", "10.0.4.1", 21, deny},
		{"a zone that the device's zone does not name", "eth3", "", true, tcp, "10.0.3.7", "10.0.3.1", 22, deny},
	} {
		t.Run("base/"+c.name, func(t *testing.T) { c.ask(t, base) })
	}
}

// shapes writes a tree in braces, a word a block, and as set commands.
func shapes(tr *tree.Tree) (braces, sets string, ok bool) {
	var b, s strings.Builder
	ok = true
	quote := func(i int32) string {
		w := string(tr.Text(i))
		if strings.ContainsAny(w, "'\"\n\\\r") || strings.HasPrefix(w, "/*") || len(w) > 1000 {
			ok = false
		}
		return "'" + w + "'"
	}
	var walk func(first int32, path string, depth int)
	walk = func(first int32, path string, depth int) {
		for c := first; c != none; c = tr.Nodes[c].Next {
			word := quote(c)
			if kids := tr.Nodes[c].First; kids != none {
				fmt.Fprintf(&b, "%s%s {\n", strings.Repeat(" ", 4*depth), word)
				walk(kids, path+" "+word, depth+1)
				fmt.Fprintf(&b, "%s}\n", strings.Repeat(" ", 4*depth))
				continue
			}
			fmt.Fprintf(&b, "%s%s\n", strings.Repeat(" ", 4*depth), word)
			fmt.Fprintf(&s, "set%s %s\n", path, word)
		}
	}
	walk(tr.First, "", 0)
	return b.String(), s.String(), ok
}

// TestRoundTrip: a configuration means the same in braces and as set commands.
func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		name string
		f    facts.Format
	}{{"brace/old", Brace()}, {"set/base", Set()}} {
		roundTrip(t, c.f, fixture(t, c.name))
	}
}

func roundTrip(t *testing.T, f facts.Format, text string) {
	t.Helper()
	tr := tree.New()
	syntax := tree.Syntax{Lines: true, Single: true, Aside: aside}
	if f.Name == "vyos-set" {
		tr.Sets([]byte(text), syntax)
	} else {
		tr.Braces([]byte(text), syntax)
	}
	braces, sets, ok := shapes(tr)
	if !ok {
		return
	}
	b, s := parsetest.Meaning(deviceOf(t, Brace(), braces)), parsetest.Meaning(deviceOf(t, Set(), sets))
	if diff := cmp.Diff(b, s); diff != "" {
		t.Errorf("(-braces +set):\n%s", diff)
	}
}

// TestPlanted plants transfers, credentials and filters into every statement that is irrelevant.
func TestPlanted(t *testing.T) {
	var paths []string
	for _, e := range irrelevant().Entries() {
		paths = append(paths, e.Path)
	}
	filter := [][]string{{"planter", "firewall", "in"}}
	parsetest.Plant(t, Set(), parsetest.AsSet("set"), paths, filter)
	parsetest.Plant(t, Brace(), parsetest.InBraces, paths, filter)
}

// TestDetection: no other platform's file is taken.
func TestDetection(t *testing.T) {
	for _, f := range []facts.Format{Brace(), Set()} {
		for _, text := range []string{fixture(t, "brace/old"), fixture(t, "set/base")} {
			own := strings.HasPrefix(text, "set ") == (f.Name == "vyos-set")
			if got := f.Detect("x", []byte(text)); own != (got >= facts.Strong) || !own && got > facts.No {
				t.Errorf("%s: %d", f.Name, got)
			}
		}
	}
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
		for _, f := range []facts.Format{Brace(), Set()} {
			if got := f.Detect(path, src[:min(len(src), 64<<10)]); got > facts.No {
				t.Errorf("%s: %s detects %d", path, f.Name, got)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f, "brace/old")))
	f.Add([]byte(fixture(f, "set/base")))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, format := range []facts.Format{Brace(), Set()} {
			format.Detect("x", src)
			for _, d := range parsetest.Parse(t, format, "x", src).Devices {
				headerspace.New(d)
			}
			roundTrip(t, format, string(src))
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var rules strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&rules, "        rule %d {\n            action accept\n            destination {\n                address 10.%d.%d.0/24\n                port %d\n            }\n            protocol tcp\n        }\n", i+100, i/256, i%256, i%60000+1)
	}
	src := []byte(strings.Replace(fixture(b, "brace/old"), "    name WAN_IN {\n", "    name WAN_IN {\n"+rules.String(), 1))
	file := parsetest.File("config.boot", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Brace().Parse(context.Background(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
