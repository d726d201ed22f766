package bigip

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), "../../fixtures/bigip", *update) }

func fixture(t testing.TB) string {
	t.Helper()
	ar, err := txtar.ParseFile("../../fixtures/bigip/edge.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return string(ar.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Format(), Filler: "#", Samples: []parsetest.Sample{{Path: "bigip.conf", Text: fixture(t), Secrets: []string{
		"$M$fixtureRADIUS1", "$6$fixture012345678$abcdefghijklmnopqrstuvwxyz", "$M$fixtureMON1", "fixtureICALL1", "fixtureCOMM1",
	}}}}.Run(t)
}

func deviceOf(t testing.TB, text string) *facts.Device {
	t.Helper()
	return parsetest.Parse(t, Format(), "x", []byte(text)).Devices[0]
}

// TestQuestions asks the fixture what passes.
func TestQuestions(t *testing.T) {
	const tcp, udp = facts.TCP, facts.UDP
	const permit, deny = headerspace.Permit, headerspace.Deny
	m := headerspace.New(deviceOf(t, fixture(t)))
	for _, c := range []struct {
		name     string
		in, out  string
		self     bool
		proto    uint8
		src, dst string
		port     uint16
		want     headerspace.Verdict
	}{
		{"published", "outside", "inside", false, tcp, "203.0.113.9", "192.0.2.21", 21, permit},
		{"but not to whom its policy drops", "outside", "inside", false, tcp, "203.0.113.7", "192.0.2.21", 21, deny},
		{"nor to whom the first policy drops", "outside", "inside", false, tcp, "198.51.100.7", "192.0.2.21", 21, deny},
		{"nothing listens", "outside", "inside", false, tcp, "203.0.113.9", "192.0.2.21", 22, deny},
		{"disabled", "inside", "outside", false, tcp, "10.0.1.9", "192.0.2.22", 445, deny},
		{"on a VLAN", "inside", "outside", false, tcp, "10.0.1.9", "192.0.2.23", 445, permit},
		{"and not on another", "outside", "inside", false, tcp, "203.0.113.9", "192.0.2.23", 445, deny},
		{"forwarded", "inside", "outside", false, udp, "10.0.1.9", "10.8.1.9", 69, permit},
		{"not for others", "inside", "outside", false, udp, "10.0.9.9", "10.8.1.9", 69, deny},
		{"a SNAT listens too", "inside", "outside", false, tcp, "10.0.3.9", "203.0.113.9", 21, permit},
		{"IPv6", "outside", "inside", false, udp, "2001:db8:9::1", "2001:db8::69", 69, permit},
		{"a self address", "inside", "", true, udp, "10.0.1.9", "10.0.1.1", 69, permit},
		{"by default", "inside", "", true, tcp, "10.0.1.9", "10.0.1.1", 22, permit},
		{"not by default", "inside", "", true, tcp, "10.0.1.9", "10.0.1.1", 445, deny},
		{"none is the default", "outside", "", true, tcp, "203.0.113.9", "192.0.2.2", 22, deny},
		{"everything", "open", "", true, tcp, "10.0.4.9", "10.0.4.1", 445, permit},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := headerspace.Query{In: c.in, Out: c.out, Self: c.self, Protocols: []uint8{c.proto}, Family: facts.IPv4, DstPorts: []facts.PortRange{{First: c.port, Last: c.port}}}
			src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
			if src.Is6() {
				q.Family = facts.IPv6
			}
			q.Src.Prefixes = []netip.Prefix{netip.PrefixFrom(src, src.BitLen())}
			q.Dst.Prefixes = []netip.Prefix{netip.PrefixFrom(dst, dst.BitLen())}
			got, err := m.Test(q)
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
		switch e.Path {
		case "ltm rule", "ltm nat", "auth user": // text of Tcl, and what is read
			continue
		}
		paths = append(paths, e.Path)
	}
	parsetest.Plant(t, Format(), parsetest.InBraces, paths, [][]string{{"planter", "fw-enforced-policy", "x"}})
}

// understoodShare is the share of lines that must be understood or irrelevant for a reason.
const understoodShare = 0.97

func TestCorpus(t *testing.T) {
	parsetest.Public(t, os.Getenv("QUAYMASTER_CORPUS"), facts.F5BIGIP, understoodShare, []facts.Format{Format()})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f)))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		for _, d := range parsetest.Parse(t, Format(), "x", src).Devices {
			headerspace.New(d)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var more strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&more, "ltm virtual /Common/vs%d {\n    destination /Common/10.%d.%d.1:443\n    ip-protocol tcp\n    mask 255.255.255.255\n    pool /Common/p%d\n    profiles {\n        /Common/tcp { }\n    }\n    source 0.0.0.0/0\n}\n", i, i/256, i%256, i)
	}
	src := []byte(more.String() + fixture(b))
	file := parsetest.File("bigip.conf", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Format().Parse(context.Background(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
