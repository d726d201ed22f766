package opnsense

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
	parsetest.Golden(t, OPNsense(), "../../fixtures/opnsense", *update)
	parsetest.Golden(t, PfSense(), "../../fixtures/pfsense", *update)
}

// fixture is the configuration of a fixture.
func fixture(t testing.TB, name string) string {
	t.Helper()
	ar, err := txtar.ParseFile(filepath.Join("../../fixtures", name+".txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(ar.Files[0].Data)
}

func TestKit(t *testing.T) {
	for _, k := range []struct {
		format  facts.Format
		name    string
		secrets []string
	}{
		{PfSense(), "pfsense/office", []string{
			"$2b$10$fixture0123456789abcdefghijklmnopqrstuvwxyz012345", "fixtureDHCP1", "fixtureCOMM1", "fixtureCRON1", "Zml4dHVyZVBSSVZBVEUx", "fixtureSHARED1",
		}},
		{OPNsense(), "opnsense/branch", []string{
			"$2y$10$fixture0123456789abcdefghijklmnopqrstuvwxyz012345", "fixtureAPIKEY1", "fixtureBACKUP1", "fixtureCLOUD1", "fixturePRIVKEY1", "$6$$fixtureAPISECRET0123456789",
		}},
	} {
		t.Run(k.name, parsetest.Kit{Format: k.format, Samples: []parsetest.Sample{{Path: "config.xml", Text: fixture(t, k.name), Secrets: k.secrets}}}.Run)
	}
}

// understoodShare is the share of lines that must be understood or irrelevant for a reason.
const understoodShare = 0.97

func TestCorpus(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public configurations are not read")
	}
	for _, f := range []facts.Format{OPNsense(), PfSense()} {
		files, _ := filepath.Glob(filepath.Join(dir, "configs", f.Platform, "*"))
		if len(files) == 0 {
			t.Fatalf("no configurations of %s", f.Platform)
		}
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			st := parsetest.Parse(t, f, path, src)
			l := st.Devices[0].Lines
			share := float64(l.Understood+l.Irrelevant) / float64(l.Total())
			t.Logf("%s: %.2f%% %+v", filepath.Base(path), 100*share, l)
			for _, u := range st.Devices[0].Unread {
				t.Logf("%s: %q %s", u.State, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)], u.Reason)
			}
			if share < understoodShare {
				t.Errorf("%.4f, want %.2f", share, understoodShare)
			}
		}
	}
}
