package junos

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// fileOf is text as evidence.
func fileOf(text string) *evidence.File {
	return &evidence.File{
		Path: "test.conf", Rank: 1, Size: int64(len(text)), Seekable: true, Mod: time.Unix(1_700_000_000, 0).UTC(),
		Open: func(off int64) (io.ReadCloser, error) {
			if off > int64(len(text)) {
				return nil, errors.New("beyond the end")
			}
			return io.NopCloser(strings.NewReader(text[off:])), nil
		},
	}
}

// readDevice reads text with the format and gives its device and notes.
func readDevice(t testing.TB, format facts.Format, text string) (*facts.Device, []facts.Note) {
	t.Helper()
	var got *facts.Device
	var notes []facts.Note
	sink := facts.NewSink()
	sink.Device = func(d *facts.Device) { got = d }
	sink.Note = func(n facts.Note) { notes = append(notes, n) }
	sink.Tag = func(b []byte) facts.Tag { return facts.Tag{byte(len(b)), 1} }
	f := fileOf(text)
	if err := format.Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, sink); err != nil {
		t.Fatal(err)
	}
	if got == nil {
		t.Fatal("no device")
	}
	return got, notes
}

// formatOf is the format that detects text best.
func formatOf(text string) (facts.Format, facts.Confidence) {
	head := []byte(text[:min(len(text), 64<<10)])
	b, s := detectBrace(head), detectSet(head)
	if s > b {
		return Set(), s
	}
	return Brace(), b
}
