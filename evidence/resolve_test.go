package evidence

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestResolve(t *testing.T) {
	long := strings.Repeat("x", 5000)
	text := "one\r\ntwo größe\n" + long + "\nlast"
	dir := tree(t, map[string]string{"a.cfg": text, "b.cfg": ""})
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	f := s.Files[0]
	at := func(sub string) int64 { return int64(strings.Index(text, sub)) }
	for _, c := range []struct {
		name string
		span Span
		want Place
	}{
		{"first line", f.Span(0, 3), Place{Line: 1, Column: 1, EndLine: 1, EndColumn: 4, Text: "one"}},
		{"columns are characters", f.Span(at("ße"), 3), Place{Line: 2, Column: 8, EndLine: 2, EndColumn: 10, Text: "two größe"}},
		{"two lines", f.Span(at("ne\r"), 7), Place{Line: 1, Column: 2, EndLine: 2, EndColumn: 4, Text: "one\r\ntwo größe"}},
		{"long line", f.Span(at("xxx")+4990, 5), Place{Line: 3, Column: 4991, EndLine: 3, EndColumn: 4996, Text: long[:maxPlaceLine]}},
		{"no final newline", f.Span(at("last"), 4), Place{Line: 4, Column: 1, EndLine: 4, EndColumn: 5, Text: "last"}},
		{"beyond the end", f.Span(99999, 4), Place{}},
		{"no position", Span{}, Place{}},
	} {
		got, err := s.Resolve(t.Context(), []Span{c.span})
		if err != nil {
			t.Fatal(err)
		}
		g := got[0]
		g.Path, g.TextStart = "", 0
		if diff := cmp.Diff(c.want, g); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// naive resolves one span with the whole file in memory.
func naive(src []byte, off, n int) Place {
	if off >= len(src) {
		return Place{}
	}
	lines := bytes.SplitAfter(src, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	text := func(l []byte) []byte { return bytes.TrimSuffix(bytes.TrimSuffix(l, []byte("\n")), []byte("\r")) }
	column := func(l []byte, at int) int { return utf8.RuneCount(text(l)[:min(at, len(text(l)))]) + 1 }
	var p Place
	at, shown := 0, 0
	for i, l := range lines {
		next := at + len(l)
		if p.Line == 0 && off < next {
			p.Line, p.Column, p.TextStart = i+1, column(l, off-at), MakePos(1, int64(at))
		}
		if p.Line > 0 {
			if shown >= 0 && shown < maxPlaceLines {
				t := text(l)
				if shown > 0 {
					p.Text += string(lines[i-1][len(text(lines[i-1])):])
				}
				shown++
				if len(t) > maxPlaceLine {
					t, shown = t[:maxPlaceLine], -1
					for k := 1; k < utf8.UTFMax; k++ {
						if tail := t[len(t)-k:]; utf8.RuneStart(tail[0]) && !utf8.FullRune(tail) {
							t = t[:len(t)-k]
							break
						}
					}
				}
				p.Text += string(t)
			}
			p.EndLine = i + 1
			if off+n <= next {
				p.EndColumn = column(l, off+n-at)
				return p
			}
			p.EndColumn = column(l, len(l))
		}
		at = next
	}
	return p
}

// resolveAll resolves spans of src with a buffer of size bytes, read as the reader gives it.
func resolveAll(t testing.TB, r io.Reader, size int, spans []Span) []Place {
	t.Helper()
	order := make([]int, len(spans))
	for i := range order {
		order[i] = i
	}
	out := make([]Place, len(spans))
	v := resolver{b: blocks{ctx: t.Context(), r: r, buf: make([]byte, size)}, rank: 1, spans: spans, wanted: order, out: out, line: 1}
	if err := v.run(); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestResolveAgainstNaive: lines of all lengths, characters across the ends of blocks, many spans at once.
func TestResolveAgainstNaive(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	alphabet := []string{"a", "b", " ", "\n", "\n", "\r\n", "\r", "ß", "漢", "😀", "\xff", "\xc3", "\x80"}
	for round := range 300 {
		var src []byte
		for range r.IntN(300) {
			src = append(src, alphabet[r.IntN(len(alphabet))]...)
			if r.IntN(40) == 0 {
				src = append(src, bytes.Repeat([]byte("äx"), r.IntN(600))...)
			}
		}
		var spans []Span
		at := 0
		for at < len(src) {
			spans = append(spans, Span{MakePos(1, int64(at)), uint32(r.IntN(len(src) - at + 1))})
			at += r.IntN(20)
		}
		var in io.Reader = bytes.NewReader(src)
		if round%2 == 0 {
			in = iotest.OneByteReader(in)
		}
		size := 8 + r.IntN(4096)
		for i, got := range resolveAll(t, in, size, spans) {
			want := naive(src, int(spans[i].Pos.Off()), int(spans[i].Len))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("round %d, span %d+%d of %d bytes, blocks of %d (-want +got):\n%s", round, spans[i].Pos.Off(), spans[i].Len, len(src), size, diff)
			}
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add([]byte("a\r\nb\n\xff\n"), 1, 3)
	f.Add([]byte("no newline"), 3, 40)
	f.Add([]byte("a block!"), 3, 40)
	f.Add([]byte("größe\n\n\n"), 3, 0)
	f.Fuzz(func(t *testing.T, src []byte, off, n int) {
		if off < 0 || n < 0 || off > len(src) || n > 1<<20 {
			return
		}
		got := resolveAll(t, bytes.NewReader(src), 128<<10, []Span{{MakePos(1, int64(off)), uint32(n)}})[0]
		if diff := cmp.Diff(naive(src, off, n), got); diff != "" {
			t.Errorf("%d+%d of %q (-want +got):\n%s", off, n, src, diff)
		}
		small := resolveAll(t, bytes.NewReader(src), 8, []Span{{MakePos(1, int64(off)), uint32(n)}})[0]
		if diff := cmp.Diff(got, small); diff != "" {
			t.Errorf("small blocks of %q (-want +got):\n%s", src, diff)
		}
		if from := got.TextStart.Off(); got.Line > 0 && !bytes.HasPrefix(src[from:], []byte(got.Text)) {
			t.Errorf("text %q does not lie at %d", got.Text, from)
		}
	})
}

// BenchmarkResolve finds 100 places in a log of 32 MiB.
func BenchmarkResolve(b *testing.B) {
	var src bytes.Buffer
	for i := 0; src.Len() < 32<<20; i++ {
		fmt.Fprintf(&src, "Nov 24 06:00:00 fw %%ASA-6-302013: Built outbound TCP connection %d for outside:203.0.113.5/21 to inside:10.0.0.5/50000\n", i)
	}
	file := &File{Path: "x", Rank: 1, Open: func(int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src.Bytes())), nil }}
	s := &Set{Files: []*File{file}}
	var spans []Span
	for i := range 100 {
		spans = append(spans, file.Span(int64(i)*int64(src.Len()/100), 50))
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Resolve(b.Context(), spans); err != nil {
			b.Fatal(err)
		}
	}
}
