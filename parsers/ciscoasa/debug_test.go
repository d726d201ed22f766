package ciscoasa

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func TestDebug(t *testing.T) {
	files, _ := filepath.Glob(os.Getenv("ASADEBUG"))
	for _, name := range files {
		b, _ := os.ReadFile(name)
		f := &evidence.File{Path: name, Rank: 1, Size: int64(len(b)), Seekable: true, Open: func(off int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b[off:])), nil }}
		s := facts.NewSink()
		s.Device = func(d *facts.Device) {
			fmt.Printf("== %s detect=%d %+v\n", filepath.Base(name), Detect(name, b[:min(len(b), 65536)]), d.Lines)
			for _, u := range d.Unread {
				fmt.Printf("   %s %s: %s\n", u.State, u.Reason, b[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)])
			}
			for _, sec := range d.Secrets {
				fmt.Printf("   secret %s %s %q\n", sec.Name, sec.Storage, b[sec.Span.Pos.Off():sec.Span.Pos.Off()+int64(sec.Span.Len)])
			}
		}
		s.Note = func(n facts.Note) { fmt.Println("   note", n.Message) }
		if err := Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, s); err != nil {
			t.Error(err)
		}
	}
}
