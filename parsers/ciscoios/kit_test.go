package ciscoios

import (
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

func TestGolden(t *testing.T) {
	parsetest.Golden(t, Format(), "../../fixtures/ciscoios", *update)
}

// planted are the secrets of fixtures: words that begin with this.
var planted = regexp.MustCompile(`S3cr3t[A-Za-z0-9]*`)

func TestConformance(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/ciscoios/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	kit := parsetest.Kit{
		Format: Format(), Filler: "! ", Pager: " --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b",
	}
	for _, path := range files {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(parsetest.Unescape(ar.Files[0].Data))
		secrets := planted.FindAllString(text, -1)
		slices.Sort(secrets)
		kit.Samples = append(kit.Samples, parsetest.Sample{Path: filepath.Base(path), Text: text, Secrets: slices.Compact(secrets)})
	}
	kit.Run(t)
}
