package gaia

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

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), "../../fixtures/gaia", *update) }

func fixture(t testing.TB) string {
	t.Helper()
	ar, err := txtar.ParseFile("../../fixtures/gaia/gateway.txtar")
	if err != nil {
		t.Fatal(err)
	}
	return string(ar.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Format(), Filler: "# ", Samples: []parsetest.Sample{{Path: "gw.txt", Text: fixture(t), Secrets: []string{
		"fixtureFTP1", "fixtureSNAP1", "$1$fixture0$abcdefghijklmnopqrstuv", "fixtureCRON1", "$6$fixture012345678$abcdefghijklmnopqrstuvwxyz", "fixtureTACACS1",
		"fixtureRADIUS1", "fixtureCOMM1", "fixtureV3AUTH1", "fixtureV3PRIV1",
	}}}}.Run(t)
}

func deviceOf(t testing.TB, text string) *facts.Device {
	t.Helper()
	return parsetest.Parse(t, Format(), "x", []byte(text)).Devices[0]
}

// TestUnknown: nothing that is asked about filters is answered with yes or no.
func TestUnknown(t *testing.T) {
	m := headerspace.New(deviceOf(t, fixture(t)))
	for _, q := range []headerspace.Query{{In: "eth0", Out: "eth1"}, {In: "eth0", Self: true}, {Out: "eth0", Self: true}} {
		q.Family, q.Protocols, q.DstPorts = facts.IPv4, []uint8{facts.UDP}, []facts.PortRange{{First: 69, Last: 69}}
		q.Src.Prefixes = []netip.Prefix{netip.MustParsePrefix("203.0.113.9/32")}
		q.Dst.Prefixes = []netip.Prefix{netip.MustParsePrefix("10.0.1.9/32")}
		got, err := m.Test(q)
		if err != nil {
			t.Fatal(err)
		}
		if got.Verdict != headerspace.Unknown || !strings.Contains(got.Reason, "management server") {
			t.Errorf("%s: %s", got.Verdict, got.Reason)
		}
	}
}

// TestPart: a part of a configuration says nothing about what is not in it.
func TestPart(t *testing.T) {
	d := deviceOf(t, "set hostname gw\nset clienv rows 0\nset inactivity-timeout 10\n")
	if d.Logging.Remote.Known() || d.Services[0].Enabled.Known() {
		t.Errorf("logging %+v, services %+v", d.Logging, d.Services)
	}
}

func TestPlanted(t *testing.T) {
	var paths []string
	for _, e := range irrelevant().Entries() {
		paths = append(paths, e.Path)
	}
	parsetest.Plant(t, Format(), parsetest.AsSet("set"), paths, [][]string{{"planter", "access-list", "in"}})
}

// understoodShare is the share of lines that must be understood or irrelevant for a reason.
const understoodShare = 0.97

func TestCorpus(t *testing.T) {
	parsetest.Public(t, os.Getenv("QUAYMASTER_CORPUS"), facts.CheckPointGaia, understoodShare, []facts.Format{Format()})
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f)))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		parsetest.Parse(t, Format(), "x", src)
	})
}

func BenchmarkParse(b *testing.B) {
	var more strings.Builder
	for i := range 4000 {
		fmt.Fprintf(&more, "set static-route 10.%d.%d.0/24 nexthop gateway address 192.0.2.1 on\n", i/256, i%256)
	}
	src := []byte(fixture(b) + more.String())
	file := parsetest.File("gw.txt", src)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Format().Parse(context.Background(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
