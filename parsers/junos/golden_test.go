package junos

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
)

var update = flag.Bool("update", false, "rewrite the facts in ../../fixtures/junos")

// TestGolden reads every fixture: a configuration, and the facts it states. A second configuration is the same one in the
// other shape and must state the same facts, positions apart.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/junos/*.txtar")
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
			if n < 2 || n > 3 || ar.Files[n-1].Name != "facts" {
				t.Fatal("want one or two configurations and facts")
			}
			src := string(ar.Files[0].Data)
			format, conf := formatOf(src)
			if conf < facts.Likely {
				t.Errorf("detected with %d", conf)
			}
			d, notes := readDevice(t, format, src)
			got := dump(d, []byte(src))
			for _, n := range notes {
				got += "note " + n.Message + "\n"
			}
			if n == 3 {
				other, conf := formatOf(string(ar.Files[1].Data))
				if conf < facts.Likely || other.Name == format.Name {
					t.Errorf("the second configuration was detected as %s with %d", other.Name, conf)
				}
				e, _ := readDevice(t, other, string(ar.Files[1].Data))
				if diff := cmp.Diff(dump(d, nil), dump(e, nil)); diff != "" {
					t.Errorf("the two shapes differ (-first +second):\n%s", diff)
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
