package parsers

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/fixtures"
)

// TestDevicesKeepNoText: the buffer a file is held in is used again for the next, so nothing of a device may lie in it.
func TestDevicesKeepNoText(t *testing.T) {
	dir := t.TempDir()
	err := fs.WalkDir(fixtures.Demo, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := fs.ReadFile(fixtures.Demo, name)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, strings.ReplaceAll(name, "/", "_")), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{dir}
	if corpus := os.Getenv("QUAYMASTER_CORPUS"); corpus != "" {
		paths = append(paths, filepath.Join(corpus, "configs"))
	} else {
		t.Log("QUAYMASTER_CORPUS names no corpus: the demo's files alone")
	}
	set, err := evidence.Open(t.Context(), evidence.Options{}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	var buf []byte
	devices := 0
	for _, f := range set.Files {
		format, _, err := Detect(f)
		if err != nil {
			continue
		}
		held := set.Hold(f, &buf)
		if held == f {
			continue
		}
		sink := facts.NewSink()
		var made []*facts.Device
		var notes []facts.Note
		sink.Device = func(d *facts.Device) { made = append(made, d) }
		sink.Note = func(n facts.Note) { notes = append(notes, n) }
		if err := Read(t.Context(), evidence.Piece{File: held, To: math.MaxInt64}, format, sink); err != nil {
			t.Fatal(err)
		}
		text := func() string {
			var b bytes.Buffer
			if err := json.NewEncoder(&b).Encode([]any{made, notes}); err != nil {
				t.Fatal(err)
			}
			return b.String()
		}
		before := text()
		for i := range buf {
			buf[i] = '#'
		}
		if diff := cmp.Diff(before, text()); diff != "" {
			t.Errorf("%s, %s: facts lie in the file's buffer (-before +after):\n%s", f.Path, format.Name, diff)
		}
		devices += len(made)
	}
	if devices < 5 {
		t.Errorf("only %d devices", devices)
	}
}
