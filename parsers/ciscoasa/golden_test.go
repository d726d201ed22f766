package ciscoasa

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

var update = flag.Bool("update", false, "rewrite the facts in ../../fixtures/ciscoasa")

// read parses src and gives the device and the notes.
func readAll(t testing.TB, name string, src []byte) (*facts.Device, []facts.Note) {
	t.Helper()
	var d *facts.Device
	var notes []facts.Note
	sink := facts.NewSink()
	sink.Device = func(got *facts.Device) {
		if d != nil {
			t.Error("more than one device")
		}
		d = got
	}
	sink.Note = func(n facts.Note) { notes = append(notes, n) }
	sink.Tag = func(secret []byte) facts.Tag { return facts.Tag{1, byte(len(secret))} }
	f := fileOf(name, src)
	if err := Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, sink); err != nil {
		t.Fatal(err)
	}
	if d == nil {
		t.Fatal("no device")
	}
	return d, notes
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/ciscoasa/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if len(ar.Files) != 2 || ar.Files[1].Name != "facts" {
				t.Fatal("want a configuration and facts")
			}
			src := ar.Files[0].Data
			if got := Detect(ar.Files[0].Name, src); got < facts.Strong {
				t.Errorf("Detect = %d", got)
			}
			d, notes := readAll(t, ar.Files[0].Name, src)
			got := dump(d, src)
			for _, n := range notes {
				got += "note " + n.Message + "\n"
			}
			if *update {
				ar.Files[1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(ar.Files[1].Data), got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}
