package panos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

// TestGolden reads every fixture: a configuration, and the facts it states. Further configurations are the same one in
// other shapes and must state the same facts, positions apart.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/panos/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			n := len(ar.Files)
			if n < 2 || ar.Files[n-1].Name != "facts" {
				t.Fatal("want configurations and facts")
			}
			src := string(ar.Files[0].Data)
			format, conf := formatOf(src)
			if conf < facts.Likely {
				t.Errorf("detected with %d", conf)
			}
			d, notes := readDevice(t, format, src)
			got := parsetest.Dump(d, []byte(src))
			for _, n := range notes {
				got += "note " + n.Message + "\n"
			}
			seen := map[string]bool{format.Name: true}
			for _, f := range ar.Files[1 : n-1] {
				other, conf := formatOf(string(f.Data))
				if conf < facts.Likely || seen[other.Name] {
					t.Errorf("%s was detected as %s with %d", f.Name, other.Name, conf)
				}
				seen[other.Name] = true
				e, _ := readDevice(t, other, string(f.Data))
				if diff := cmp.Diff(meaning(d), meaning(e)); diff != "" {
					t.Errorf("%s states other facts (-first +this):\n%s", f.Name, diff)
				}
			}
			if *update {
				ar.Files[n-1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(ar.Files[n-1].Data), got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}
