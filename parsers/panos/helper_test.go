package panos

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// corpus is the folder of public configurations.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public configurations are not read")
	}
	return dir
}

func fileOf(text string) *evidence.File {
	return &evidence.File{
		Path: "fw.conf", Rank: 1, Size: int64(len(text)), Seekable: true,
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
func formatOf(text string) (best facts.Format, conf facts.Confidence) {
	head := []byte(text[:min(len(text), 64<<10)])
	for _, f := range Formats() {
		if c := f.Detect("", head); best.Parse == nil || c > conf {
			best, conf = f, c
		}
	}
	return best, conf
}

// A sample is a configuration of a fixture.
type sample struct{ fixture, name, text string }

// samples are the configurations of all fixtures.
func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("../../fixtures/panos/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	var out []sample
	for _, f := range files {
		ar, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range ar.Files[:len(ar.Files)-1] {
			name := strings.TrimSuffix(filepath.Base(f), ".txtar")
			out = append(out, sample{name, name + "/" + c.Name, string(c.Data)})
		}
	}
	return out
}

// meaning is d without positions and without how the file was written: what all shapes of a configuration share.
func meaning(d *facts.Device) string {
	c := *d
	c.Lines, c.Unread, c.Format, c.Platform, c.Version = facts.Lines{}, nil, "", "", facts.V[string]{}
	v := reflect.New(reflect.TypeFor[facts.Device]()).Elem()
	copyWithout(v, reflect.ValueOf(c))
	return parsetest.Dump(v.Addr().Interface().(*facts.Device), nil)
}

// copyWithout copies src to dst, without positions.
func copyWithout(dst, src reflect.Value) {
	switch src.Kind() {
	case reflect.Pointer:
		if !src.IsNil() {
			dst.Set(reflect.New(src.Type().Elem()))
			copyWithout(dst.Elem(), src.Elem())
		}
	case reflect.Slice:
		if !src.IsNil() {
			dst.Set(reflect.MakeSlice(src.Type(), src.Len(), src.Len()))
			for i := range src.Len() {
				copyWithout(dst.Index(i), src.Index(i))
			}
		}
	case reflect.Struct:
		if src.Type() == reflect.TypeFor[evidence.Span]() {
			return
		}
		if src.Type().PkgPath() != reflect.TypeFor[facts.Device]().PkgPath() {
			dst.Set(src)
			return
		}
		for i := range src.NumField() {
			copyWithout(dst.Field(i), src.Field(i))
		}
	default:
		dst.Set(src)
	}
}

// inside fails when a span of d lies outside the n bytes of its file.
func inside(t testing.TB, d *facts.Device, n int) {
	t.Helper()
	eachSpan(d, func(s evidence.Span) {
		if s.Pos.Rank() != 1 || s.Pos.Off()+int64(s.Len) > int64(n) {
			t.Fatalf("span %d+%d of rank %d lies outside %d bytes", s.Pos.Off(), s.Len, s.Pos.Rank(), n)
		}
	})
}

// eachSpan calls f with every span of d.
func eachSpan(d *facts.Device, f func(evidence.Span)) {
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		if s, ok := v.Interface().(evidence.Span); ok {
			if !s.IsZero() {
				f(s)
			}
			return
		}
		switch v.Kind() {
		case reflect.Pointer:
			if !v.IsNil() {
				walk(v.Elem())
			}
		case reflect.Slice, reflect.Array:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			if v.Type().PkgPath() == reflect.TypeFor[facts.Device]().PkgPath() {
				for i := range v.NumField() {
					walk(v.Field(i))
				}
			}
		}
	}
	walk(reflect.ValueOf(*d))
}
