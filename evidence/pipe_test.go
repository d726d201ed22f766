//go:build unix

package evidence

import (
	"io"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipes: a pipe is written directly and read once.
func TestPipes(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "p")
	say := func(w io.Writer) error { _, err := io.WriteString(w, "three"); return err }
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip("needs pipes: ", err)
	}
	got := make(chan string)
	go func() { b, _ := os.ReadFile(pipe); got <- string(b) }()
	if err := AtomicWrite(pipe, 0o600, say); err != nil || <-got != "three" {
		t.Errorf("into a pipe: %v", err)
	}
	go func() { _ = os.WriteFile(pipe, []byte("four"), 0) }()
	s, err := Open(t.Context(), Options{TempDir: dir}, pipe)
	if err != nil || len(s.Files) != 1 || content(t, s.Files[0], 1) != "our" || s.Close() != nil {
		t.Errorf("from a pipe: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}
