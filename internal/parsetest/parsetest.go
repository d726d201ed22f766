// Package parsetest holds every parser to one contract, whatever it reads.
//
// [Kit.Run] feeds a format its own samples bent in all the ways evidence arrives: other line ends, no final newline, a byte
// order mark, traces of a pager, lines of a mebibyte and of 200 MB, cut at any byte, empty, binary, unreadable, cancelled.
// For each it asserts that parsing ends in bounded memory, that every span lies inside the file, that lines are accounted
// for exactly, that the facts are the same where they must be, and that secrets are known and told nowhere else.
//
// [Golden] compares facts with those written beside an input; [Dump] is how facts are written there.
package parsetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A Kit is a format and what it is tested with.
type Kit struct {
	Format facts.Format
	// Samples are whole files of the format, in LF, with a final newline.
	Samples []Sample
	// Filler begins a line that states nothing and means nothing, whatever follows it ("! ").
	Filler string
	// Pager is what a pager leaves before a line; the test is left out without it.
	Pager string
	// Unaccounted formats give no device, or one that does not account for lines.
	Unaccounted bool
	// Fixed formats are not text: line ends, marks and fillers are left out.
	Fixed bool
	// Memory bounds what parsing may allocate in all, in bytes; 0 is 512 MiB.
	Memory uint64
}

// A Sample is one file.
type Sample struct {
	Path string
	Text string
	// Secrets are planted in Text: each must be covered by a secret's span and may appear in no fact.
	Secrets []string
}

// Run tests k's format.
func (k Kit) Run(t *testing.T) {
	if k.Memory == 0 {
		k.Memory = 512 << 20
	}
	for _, s := range k.Samples {
		name := s.Path
		t.Run(name+"/whole", func(t *testing.T) { k.whole(t, s) })
		t.Run(name+"/shapes", func(t *testing.T) { k.shapes(t, s) })
		t.Run(name+"/cut", func(t *testing.T) { k.cut(t, s) })
		t.Run(name+"/pieces", func(t *testing.T) { k.pieces(t, s) })
		t.Run(name+"/cancelled", func(t *testing.T) { k.cancelled(t, s) })
		t.Run(name+"/unreadable", func(t *testing.T) { k.unreadable(t, s) })
	}
	t.Run("garbage", k.garbage)
	t.Run("one line of 200 MB", k.endless)
}

// taken is when samples were taken.
var taken = time.Date(2026, 3, 2, 6, 0, 0, 0, time.UTC)

// File is src as evidence; reads come in odd portions.
func File(path string, src []byte) *evidence.File {
	return &evidence.File{
		Path: path, Rank: 7, Size: int64(len(src)), Mod: taken, Seekable: true,
		Open: func(off int64) (io.ReadCloser, error) {
			return io.NopCloser(&portions{src: src[min(off, int64(len(src))):]}), nil
		},
	}
}

type portions struct {
	src []byte
	n   int
}

func (p *portions) Read(b []byte) (int, error) {
	if len(p.src) == 0 {
		return 0, io.EOF
	}
	p.n = p.n*3%8191 + 97
	n := copy(b, p.src[:min(p.n, len(p.src))])
	p.src = p.src[n:]
	return n, nil
}

// Parse reads src whole with f and gives what it stated; it checks what must always hold.
func Parse(t testing.TB, f facts.Format, path string, src []byte) *Stated {
	t.Helper()
	file := File(path, src)
	st := &Stated{src: src}
	piece := evidence.Piece{File: file, To: file.Size}
	if f.Prologue != nil {
		piece.Prologue = f.Prologue(file, src[:min(len(src), 64<<10)], src[max(0, len(src)-64<<10):])
	}
	if err := f.Parse(context.Background(), piece, st.sink()); err != nil {
		t.Fatalf("parse %s: %v", path, err)
	}
	st.check(t)
	return st
}

// parse is Parse with the kit's own expectations.
func (k Kit) parse(t testing.TB, path string, src []byte) *Stated {
	t.Helper()
	st := Parse(t, k.Format, path, src)
	if !k.Unaccounted {
		for _, d := range st.Devices {
			if got, want := d.Lines.Total(), countLines(src); got != want {
				t.Errorf("%d lines are accounted for of %d", got, want)
			}
			if n := d.Lines.Unrecognised + d.Lines.Unsupported; len(d.Unread) > n || n <= facts.MaxUnread && len(d.Unread) == 0 && n > 0 {
				t.Errorf("%d lines were not understood, %d are listed", n, len(d.Unread))
			}
		}
	}
	return st
}

// countLines counts the lines that hold more than blanks and control characters a terminal leaves.
func countLines(src []byte) int {
	n := 0
	for line := range bytes.SplitSeq(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\n")) {
		if len(bytes.Trim(line, " \t\r\v\f\b\x00")) > 0 {
			n++
		}
	}
	return n
}

func (k Kit) whole(t *testing.T, s Sample) {
	src := []byte(s.Text)
	if got := k.Format.Detect(s.Path, src[:min(len(src), 64<<10)]); got < facts.Likely {
		t.Errorf("Detect = %d, want %d and more", got, facts.Likely)
	}
	st := k.parse(t, s.Path, src)
	if st.empty() {
		t.Error("the sample states nothing")
	}
	if diff := cmp.Diff(st.Text(), k.parse(t, s.Path, src).Text()); diff != "" {
		t.Errorf("read twice (-first +second):\n%s", diff)
	}
	for _, secret := range s.Secrets {
		st.hides(t, secret)
	}
}

// shapes are the same text as it may arrive.
func (k Kit) shapes(t *testing.T, s Sample) {
	if k.Fixed {
		t.Skip("not text")
	}
	want := k.parse(t, s.Path, []byte(s.Text)).Text()
	lines := strings.SplitAfter(s.Text, "\n")
	paged := s.Text
	if k.Pager != "" {
		var b strings.Builder
		for i, l := range lines {
			if i%7 == 3 && strings.TrimSpace(l) != "" {
				b.WriteString(k.Pager)
			}
			b.WriteString(l)
		}
		paged = b.String()
	}
	for _, c := range []struct{ name, text string }{
		{"CRLF", strings.ReplaceAll(s.Text, "\n", "\r\n")},
		{"no final newline", strings.TrimSuffix(s.Text, "\n")},
		{"byte order mark", "\xef\xbb\xbf" + s.Text},
		{"pager", paged},
		{"blank lines at the end", s.Text + "\n\n"},
	} {
		if diff := cmp.Diff(want, k.parse(t, s.Path, []byte(c.text)).Text()); diff != "" {
			t.Errorf("%s (-plain +%s):\n%s", c.name, c.name, diff)
		}
	}
	if k.Filler == "" {
		return
	}
	for _, size := range []int{1<<20 - len(k.Filler), 1 << 20, 1<<20 + 1, 3 << 20} {
		text := s.Text + k.Filler + strings.Repeat("x", size) + "\n"
		if diff := cmp.Diff(want, k.parse(t, s.Path, []byte(text)).Text()); diff != "" {
			t.Errorf("with a line of %d bytes (-without +with):\n%s", size+len(k.Filler), diff)
		}
	}
}

// cut ends the sample at every byte, or at many when it is long.
func (k Kit) cut(t *testing.T, s Sample) {
	const most = 1500
	step := max(1, len(s.Text)/most|1)
	for n := 0; n < len(s.Text) && !t.Failed(); n += step {
		k.parse(t, s.Path, []byte(s.Text[:n]))
		if t.Failed() {
			t.Logf("cut after %d bytes: %q", n, s.Text[max(0, n-80):n])
		}
	}
}

// pieces reads a format that splits in two and three pieces.
func (k Kit) pieces(t *testing.T, s Sample) {
	if !k.Format.Splits {
		t.Skip("is never split")
	}
	src := []byte(s.Text)
	want := k.parse(t, s.Path, src).Text()
	step := max(1, len(src)/400|1)
	for n := 0; n <= len(src) && !t.Failed(); n += step {
		file := File(s.Path, src)
		var prologue any
		if k.Format.Prologue != nil {
			prologue = k.Format.Prologue(file, src[:min(len(src), 64<<10)], src[max(0, len(src)-64<<10):])
		}
		st := &Stated{src: src}
		half := int64(n) + (file.Size-int64(n))/2
		for _, p := range [][2]int64{{0, int64(n)}, {int64(n), half}, {half, file.Size}} {
			piece := evidence.Piece{File: file, From: p[0], To: p[1], Prologue: prologue}
			if err := k.Format.Parse(context.Background(), piece, st.sink()); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(want, st.Text()); diff != "" {
			t.Errorf("cut at %d and %d (-whole +pieces):\n%s", n, half, diff)
		}
	}
}

// A stream gives a text over and over.
type stream struct {
	text   []byte
	at     int
	given  int64
	after  int64 // bytes after which then is called
	then   func() error
	called bool
}

func (r *stream) Read(b []byte) (int, error) {
	if !r.called && r.given >= r.after {
		r.called = true
		if err := r.then(); err != nil {
			return 0, err
		}
	}
	if r.given > 2<<30 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), 1<<20)], r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.given += int64(n)
	return n, nil
}

func (r *stream) file(path string) *evidence.File {
	return &evidence.File{Path: path, Rank: 7, Size: -1, Open: func(int64) (io.ReadCloser, error) { return io.NopCloser(r), nil }}
}

// cancelled stops a long read: Parse must notice between reads or within 64k lines, and say so.
func (k Kit) cancelled(t *testing.T, s Sample) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	r := &stream{text: []byte(s.Text), after: 1 << 20, then: func() error { cancel(); return nil }}
	piece := evidence.Piece{File: r.file(s.Path), To: math.MaxInt64}
	if k.Format.Prologue != nil {
		piece.Prologue = k.Format.Prologue(piece.File, []byte(s.Text), nil)
	}
	err := k.Format.Parse(ctx, piece, facts.NewSink())
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
	if r.given > 128<<20 {
		t.Errorf("%d MiB were read after the cancellation", r.given>>20)
	}
}

var errBroken = errors.New("input/output error")

// unreadable fails in the middle: Parse must say so, not call the evidence whole.
func (k Kit) unreadable(t *testing.T, s Sample) {
	r := &stream{text: []byte(s.Text), after: int64(len(s.Text) / 2), then: func() error { return errBroken }}
	r.text = r.text[:max(1, len(r.text)/2)]
	piece := evidence.Piece{File: r.file(s.Path), To: math.MaxInt64}
	if k.Format.Prologue != nil {
		piece.Prologue = k.Format.Prologue(piece.File, []byte(s.Text), nil)
	}
	if err := k.Format.Parse(context.Background(), piece, facts.NewSink()); !errors.Is(err, errBroken) {
		t.Errorf("error %v, want %v", err, errBroken)
	}
	f := piece.File
	f.Open = func(int64) (io.ReadCloser, error) { return nil, errBroken }
	if err := k.Format.Parse(context.Background(), piece, facts.NewSink()); !errors.Is(err, errBroken) {
		t.Errorf("cannot be opened: error %v, want %v", err, errBroken)
	}
}

// garbage is what no format claims, and what none may choke on.
func (k Kit) garbage(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 20_000)
	for i := range random {
		random[i] = byte(rnd.Uint32())
	}
	mixed := append([]byte(nil), k.Samples[0].Text...)
	for i := 0; i < len(mixed); i += 1 + rnd.IntN(40) {
		mixed[i] = byte(rnd.Uint32())
	}
	for _, c := range []struct {
		name  string
		src   []byte
		claim bool // a format may take it for its own
	}{
		{"empty", nil, false},
		{"one newline", []byte("\n"), false},
		{"only newlines", bytes.Repeat([]byte("\n"), 10_000), false},
		{"zeros", make([]byte, 10_000), false},
		{"random bytes", random, false},
		{"a damaged sample", mixed, true},
		{"carriage returns", bytes.Repeat([]byte("x\r"), 10_000), false},
		{"deep", deep(2000), false},
	} {
		if got := k.Format.Detect("x", c.src); got > facts.Possible && !c.claim {
			t.Errorf("%s: Detect = %d", c.name, got)
		}
		Parse(t, k.Format, "x", c.src)
	}
}

// deep is text whose every line is indented further.
func deep(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		b.WriteString(strings.Repeat(" ", i%1000))
		fmt.Fprintf(&b, "x%d {\n", i)
	}
	return b.Bytes()
}

// endless reads a single line of 200 MB from a generator.
func (k Kit) endless(t *testing.T) {
	if testing.Short() {
		t.Skip("reads 200 MB")
	}
	const size = 200_000_000
	r := &stream{text: bytes.Repeat([]byte("x"), 1<<20), after: size, then: func() error { return io.EOF }}
	file := r.file("x")
	st := &Stated{}
	sink := st.sink()
	sink.Note = func(facts.Note) {}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	piece := evidence.Piece{File: file, To: math.MaxInt64}
	if k.Format.Prologue != nil {
		piece.Prologue = k.Format.Prologue(file, r.text[:64<<10], nil)
	}
	if err := k.Format.Parse(context.Background(), piece, sink); err != nil {
		t.Error(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > k.Memory {
		t.Errorf("%d MiB were allocated, at most %d MiB may be", n>>20, k.Memory>>20)
	}
}
