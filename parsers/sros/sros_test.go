package sros

import (
	"context"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var update = parsetest.Update()

func TestGolden(t *testing.T) {
	parsetest.Golden(t, Brace(), "../../fixtures/sros/md", *update)
	parsetest.Golden(t, Classic(), "../../fixtures/sros/classic", *update)
}

func fixture(t testing.TB, name string) string {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("../../fixtures/sros", name, "pe.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(ar.Files[0].Data)
}

func TestKit(t *testing.T) {
	md := []string{"fixtureBOOT1", "fixtureCRON1", "fixtureTAC1", "fixtureCOMM1", "$2y$10$fixture0123456789abcdefghijklmnopqrstuvwxyz012345"}
	t.Run("md", parsetest.Kit{Format: Brace(), Filler: "# ", Samples: []parsetest.Sample{{Path: "pe.cfg", Text: fixture(t, "md"), Secrets: md}}}.Run)
	t.Run("flat", parsetest.Kit{Format: Flat(), Filler: "# ", Samples: []parsetest.Sample{{Path: "pe.cfg", Text: flatOf(t, fixture(t, "md")), Secrets: md}}}.Run)
	t.Run("classic", parsetest.Kit{Format: Classic(), Filler: "# ", Samples: []parsetest.Sample{{Path: "pe.cfg", Text: fixture(t, "classic"), Secrets: []string{
		"fixtureJOE1", "fixtureRADIUS1", "fixtureCOMM2",
	}}}}.Run)
}

func deviceOf(t testing.TB, f facts.Format, text string) *facts.Device {
	t.Helper()
	return parsetest.Parse(t, f, "x", []byte(text)).Devices[0]
}

// flatOf writes braces as a statement a line.
func flatOf(t testing.TB, text string) string {
	t.Helper()
	tr := tree.New()
	tr.Braces([]byte(text), tree.Syntax{Lines: true, Aside: aside})
	var b strings.Builder
	var walk func(first int32, path string)
	walk = func(first int32, path string) {
		for c := first; c != none; c = tr.Nodes[c].Next {
			word := string(tr.Text(c))
			if strings.ContainsAny(word, " {}") {
				word = `"` + word + `"`
			}
			if tr.Nodes[c].First == none {
				fmt.Fprintf(&b, "/%s\n", strings.TrimSpace(path+" "+word))
				continue
			}
			walk(tr.Nodes[c].First, path+" "+word)
		}
	}
	walk(tr.First, "")
	return b.String()
}

// TestRoundTrip: a configuration means the same in braces and a statement a line.
func TestRoundTrip(t *testing.T) {
	text := fixture(t, "md")
	_, text, _ = strings.Cut(text, "\n\n") // the head is of the first shape only
	a, b := deviceOf(t, Brace(), text), deviceOf(t, Flat(), flatOf(t, text))
	if diff := cmp.Diff(parsetest.Meaning(a), parsetest.Meaning(b)); diff != "" {
		t.Errorf("(-braces +flat):\n%s", diff)
	}
}

// TestQuestions asks the fixtures what passes.
func TestQuestions(t *testing.T) {
	const tcp, udp = facts.TCP, facts.UDP
	const permit, deny, unknown = headerspace.Permit, headerspace.Deny, headerspace.Unknown
	md, old := deviceOf(t, Brace(), fixture(t, "md")), deviceOf(t, Classic(), fixture(t, "classic"))
	for _, c := range []struct {
		name     string
		d        *facts.Device
		in, out  string
		self     bool
		proto    uint8
		src, dst string
		port     uint16
		want     headerspace.Verdict
	}{
		{"a list of ports from a list of prefixes", md, "core", "system", false, tcp, "10.0.1.9", "10.9.9.9", 990, permit},
		{"entry 10 is asked before entry 20", md, "core", "system", false, tcp, "10.0.1.9", "198.51.100.7", 21, deny},
		{"from elsewhere", md, "core", "system", false, tcp, "10.0.9.9", "10.9.9.9", 21, deny},
		{"an entry without an action", md, "core", "system", false, udp, "10.0.1.9", "10.9.9.9", 69, deny},
		{"a range of ports", md, "core", "system", false, udp, "10.0.3.9", "10.9.9.9", 20005, permit},
		{"outwards at an access point", md, "system", "lan", false, tcp, "10.0.9.9", "10.7.0.9", 445, unknown},
		{"IPv6", md, "core", "system", false, tcp, "2001:db8:1::1", "2001:db8:2::1", 445, deny},
		{"IPv6, accepted at the end", md, "core", "system", false, tcp, "2001:db8:1::1", "2001:db8:2::1", 4450, permit},
		{"the CPM filter", md, "system", "", true, udp, "10.0.1.9", "10.10.10.1", 69, deny},
		{"the management access filter", md, "system", "", true, tcp, "10.0.1.9", "10.10.10.1", 21, permit},
		{"from elsewhere", md, "system", "", true, tcp, "10.0.9.9", "10.10.10.1", 21, deny},
		{"classic: dropped", old, "core", "system", false, tcp, "10.0.1.9", "10.9.9.9", 445, deny},
		{"classic: dropped from a list", old, "core", "system", false, udp, "10.0.1.9", "10.9.9.9", 69, deny},
		{"classic: the end forwards", old, "core", "system", false, udp, "10.0.9.9", "10.9.9.9", 69, permit},
		{"classic: an entry without an action", old, "core", "system", false, tcp, "10.0.9.9", "198.51.100.9", 22, permit},
		{"classic: a port with its mask", old, "system", "", true, tcp, "203.0.113.9", "10.10.10.1", 22, permit},
		{"classic: a source", old, "system", "", true, tcp, "10.0.1.9", "10.10.10.1", 21, permit},
		{"classic: neither", old, "system", "", true, tcp, "203.0.113.9", "10.10.10.1", 21, deny},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := headerspace.Query{In: c.in, Out: c.out, Self: c.self, Protocols: []uint8{c.proto}, Family: facts.IPv4, DstPorts: []facts.PortRange{{First: c.port, Last: c.port}}}
			if c.want == unknown { // an interface of another instance
				q.In, c.want = "", deny
			}
			src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
			if src.Is6() {
				q.Family = facts.IPv6
			}
			q.Src.Prefixes = []netip.Prefix{netip.PrefixFrom(src, src.BitLen())}
			q.Dst.Prefixes = []netip.Prefix{netip.PrefixFrom(dst, dst.BitLen())}
			got, err := headerspace.New(c.d).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != c.want {
				t.Errorf("%s by rule %q (%s), want %s", got.Verdict, got.Rule, got.Reason, c.want)
			}
		})
	}
}

func TestPlanted(t *testing.T) {
	var paths []string
	for _, e := range irrelevant().Entries() {
		paths = append(paths, "configure "+e.Path)
	}
	parsetest.Plant(t, Brace(), parsetest.InBraces, paths, [][]string{{"planter", "filter", "ip", "x"}})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f, "md")), uint8(0))
	f.Add([]byte(flatOf(f, fixture(f, "md"))), uint8(1))
	f.Add([]byte(fixture(f, "classic")), uint8(2))
	f.Fuzz(func(t *testing.T, src []byte, which uint8) {
		format := formats()[which%3]
		format.Detect("x", src)
		for _, d := range parsetest.Parse(t, format, "x", src).Devices {
			headerspace.New(d)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var more strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&more, "            entry %d {\n                match {\n                    protocol tcp\n                    dst-ip {\n                        address 10.%d.%d.0/24\n                    }\n                }\n                action {\n                    accept\n                }\n            }\n", i+100, i/256, i%256)
	}
	src := []byte(strings.Replace(fixture(b, "md"), "            filter-id 10\n", "            filter-id 10\n"+more.String(), 1))
	file := parsetest.File("pe.cfg", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Brace().Parse(context.Background(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
