package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "rewrite generated files")

// TestGeneratedDemoProfile holds that the demo's profile is what profile build makes of the fleet's twenty-eight days.
func TestGeneratedDemoProfile(t *testing.T) {
	shipped := "../../fixtures/demo/profile/normal.qmprofile"
	made := filepath.Join(t.TempDir(), "normal.qmprofile")
	var said, complaints bytes.Buffer
	code := run(t.Context(), []string{"profile", "build", "../../fixtures/demo/history", "-o", made}, bytes.NewReader(nil), &said, &complaints)
	if code != 0 {
		t.Fatalf("exit %d: %s", code, complaints.String())
	}
	if !bytes.Contains(said.Bytes(), []byte("on 28 days")) {
		t.Errorf("the profile says %q", said.String())
	}
	got, err := os.ReadFile(made)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.MkdirAll(filepath.Dir(shipped), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(shipped, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(shipped)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		t.Error("the shipped profile is not what profile build makes: make gen")
	}
}

// TestBrokenPipe: a reader that goes away is no error.
func TestBrokenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	if code := run(t.Context(), []string{"checks", "list"}, bytes.NewReader(nil), w, io.Discard); code != 0 {
		t.Errorf("exit %d", code)
	}
}
