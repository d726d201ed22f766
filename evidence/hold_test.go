package evidence

import (
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"testing"
)

func TestHold(t *testing.T) {
	dir := t.TempDir()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("hostname b\n"))
	z.Close()
	for name, text := range map[string]string{"a.cfg": "hostname a\nend\n", "b.cfg.gz": packed.String(), "c.cfg": "short\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if err := os.Truncate(filepath.Join(dir, "c.cfg"), 3); err != nil { // since it was listed
		t.Fatal(err)
	}
	var buf []byte
	for i, want := range []struct {
		name string
		held bool
	}{{"plain", true}, {"compressed", false}, {"became shorter", false}} {
		t.Run(want.name, func(t *testing.T) {
			f := set.Files[i]
			held := set.Hold(f, &buf)
			if got := held != f; got != want.held {
				t.Fatalf("held: %v", got)
			}
			if !want.held {
				return
			}
			if err := os.Remove(filepath.Join(dir, "a.cfg")); err != nil { // neither is read again
				t.Fatal(err)
			}
			for off, rest := range map[int64]string{0: "hostname a\nend\n", 11: "end\n", 99: ""} {
				r, err := held.Open(off)
				if err != nil {
					t.Fatal(err)
				}
				if text, err := io.ReadAll(r); err != nil || string(text) != rest {
					t.Errorf("from byte %d: %q, %v", off, text, err)
				}
			}
			// printf 'hostname a\nend\n' | sha256sum
			if h, err := set.Hash(f); err != nil || h != "f958214039b7300623b414e730165c6a21c8f4d3b9c044ad46c433e44babaa93" {
				t.Errorf("hash %q, %v", h, err)
			}
		})
	}
}
