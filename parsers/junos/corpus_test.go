package junos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// understoodShare is the share of statements that must be understood or irrelevant for a reason, over a folder.
const understoodShare = 0.97

func TestCorpus(t *testing.T) {
	root := filepath.Join(corpus(t), "configs")
	for _, folder := range []string{facts.JunosBrace, facts.JunosSet} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no configurations in %s: %v", folder, err)
		}
		var all facts.Lines
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			format, conf := formatOf(string(src))
			if format.Platform != folder || conf < facts.Strong {
				t.Errorf("%s: detected %s with %d", path, format.Name, conf)
			}
			d, notes := readDevice(t, format, string(src))
			for _, n := range notes {
				t.Errorf("%s: note %s", path, n.Message)
			}
			inside(t, d, len(src))
			all.Add(d.Lines)
			if d.Platform != folder {
				t.Errorf("%s: platform %s", path, d.Platform)
			}
		}
		share := float64(all.Understood+all.Irrelevant) / float64(all.Total())
		t.Logf("%s: %+v, %.2f%%", folder, all, 100*share)
		if share < understoodShare {
			t.Errorf("%s: %.2f%% understood", folder, 100*share)
		}
	}
}

// TestForeign holds that no configuration of another platform in the corpus looks like Junos.
func TestForeign(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "configs", "*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	for _, path := range files {
		if strings.Contains(path, facts.Junos) {
			continue
		}
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if format, conf := formatOf(string(src)); conf > facts.No {
			t.Errorf("%s: %s with %d", path, format.Name, conf)
		}
	}
}
