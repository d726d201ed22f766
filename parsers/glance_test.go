package parsers

import (
	"bytes"
	"os"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
)

// What the first lines of a file say is what all of its start says, for every file of the public corpus.
func TestGlanceAgrees(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	set, err := evidence.Open(t.Context(), evidence.Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	plain := 0
	for _, f := range set.Files {
		head, err := readHead(f)
		if err != nil {
			continue
		}
		for _, g := range glances {
			if len(head) <= g.length {
				break
			}
			cut := bytes.LastIndexByte(head[:g.length], '\n')
			if cut < 1 {
				continue
			}
			d, ok := glanced(f, head[:cut+1], Formats())
			if !ok || d.Confidence < g.least {
				continue
			}
			plain++
			if whole, err := identify(f, head, Formats()); err != nil || whole.Format.Name != d.Format.Name || len(whole.Notes) > 0 {
				t.Errorf("%s: %s at a glance of %d, %s (%v, %v) at length", f.Path, d.Format.Name, g.length, whole.Format.Name, err, whole.Notes)
			}
		}
	}
	if plain < 20 {
		t.Errorf("only %d files are told at a glance", plain)
	}
}
