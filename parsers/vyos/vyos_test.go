package vyos

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

func TestGolden(t *testing.T) {
	parsetest.Golden(t, Brace(), "../../fixtures/vyos/brace", *update)
	parsetest.Golden(t, Set(), "../../fixtures/vyos/set", *update)
}

// fixture is the configuration of a fixture.
func fixture(t testing.TB, name string) string {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("../../fixtures/vyos", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(ar.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Brace(), Filler: "# ", Samples: []parsetest.Sample{
		{Path: "config.boot", Text: fixture(t, "brace/old"), Secrets: []string{
			"$6$fixture0123456$abcdefghijklmnopqrstuvwxyz", "fixtureARCHIVE1", "fixtureCOMM1", "fixtureIKE1",
		}},
	}}.Run(t)
	parsetest.Kit{Format: Set(), Filler: "# ", Samples: []parsetest.Sample{
		{Path: "router.set", Text: fixture(t, "set/base"), Secrets: []string{
			"$6$fixture0123456$abcdefghijklmnopqrstuvwxyz", "fixtureARCHIVE2", "fixtureCOMM2", "fixtureTASK2", "fixtureV3AUTH2", "fixtureRADIUS2", "fixtureAPI2",
		}},
	}}.Run(t)
}

// TestVendor reads the vendor's own test configurations, when they are at hand.
func TestVendor(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_VYOS_CONFIGS")
	if dir == "" {
		t.Skip("QUAYMASTER_VYOS_CONFIGS is not set: smoketest/configs of vyos-1x are not read")
	}
	var all facts.Lines
	filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		f := Brace()
		if c := Set().Detect(path, src); c > f.Detect(path, src) {
			f = Set()
		}
		if got := f.Detect(path, src); got < facts.Likely {
			t.Errorf("%s: detected with %d", path, got)
		}
		st := parsetest.Parse(t, f, path, src)
		for _, n := range st.Notes {
			t.Errorf("%s: %s", path, n.Message)
		}
		d := st.Devices[0]
		all.Add(d.Lines)
		for _, u := range d.Unread {
			t.Logf("%s: %s: %q %s", filepath.Base(path), u.State, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)], u.Reason)
		}
		return nil
	})
	share := float64(all.Understood+all.Irrelevant) / float64(all.Total())
	t.Logf("%.2f%% %+v", 100*share, all)
	if share < 0.97 {
		t.Errorf("%.4f understood or irrelevant, want 0.97", share)
	}
}
