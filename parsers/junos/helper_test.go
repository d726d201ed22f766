package junos

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
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

// A sample is a configuration of a fixture.
type sample struct{ fixture, name, text string }

// samples are the configurations of all fixtures.
func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob("../../fixtures/junos/*.txtar")
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

// braceSamples are those in braces.
func braceSamples(t testing.TB) []sample {
	var out []sample
	for _, s := range samples(t) {
		if f, _ := formatOf(s.text); f.Name == Brace().Name && !strings.HasPrefix(s.text, "admin@") {
			out = append(out, s)
		}
	}
	return out
}

// meaning is d without positions and without how the file was written: what both shapes of a configuration share.
func meaning(d *facts.Device) string {
	c := *d
	c.Lines, c.Unread = facts.Lines{}, nil
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
