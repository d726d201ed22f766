package parsers

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

var update = flag.Bool("update", false, "rewrite the expectations of fixtures; a human reads the difference")

// taken is when the fixtures' files were taken.
var taken = time.Date(2025, 11, 3, 0, 0, 0, 0, time.UTC)

func fileOf(data []byte) *evidence.File {
	return &evidence.File{
		Path: "in.log", Rank: 1, Host: "taken-from", Size: int64(len(data)), Mod: taken, Seekable: true,
		Open: func(off int64) (io.ReadCloser, error) {
			return io.NopCloser(iotest.HalfReader(bytes.NewReader(data[off:]))), nil
		},
	}
}

// A witness writes down what a file states, a line for each fact, by position.
type witness struct {
	data  []byte
	lines []stated
	beats map[string]int
	notes []facts.Note
}

type stated struct {
	pos  evidence.Pos
	text string
}

func (w *witness) add(span evidence.Span, format string, args ...any) {
	w.lines = append(w.lines, stated{span.Pos, fmt.Sprintf("%d: ", w.line(span)) + fmt.Sprintf(format, args...)})
}

// line is the number of the line a span begins in.
func (w *witness) line(s evidence.Span) int {
	return bytes.Count(w.data[:min(int(s.Pos.Off()), len(w.data))], []byte{'\n'}) + 1
}

func (w *witness) sink() facts.Sink {
	w.beats = map[string]int{}
	s := facts.NewSink()
	s.Transfer = func(t *facts.Transfer) { w.add(t.Span, "transfer %s", transferText(t)) }
	s.Command = func(c *facts.Command) {
		w.add(c.Span, "command %s %s/%s user=%q from=%s %q %v", when(c.Time), c.Device, c.Format, c.User, address(c.Source), c.Line, c.Outcome)
		if x := c.Copy; x != nil {
			w.add(c.Span, "  copies %q out=%v config=%v by %v, host %q, %s", x.What, x.Out, x.Config, x.Protocol, x.Host, x.URL)
		}
	}
	s.Auth = func(a *facts.Auth) {
		w.add(a.Span, "auth %s %s/%s %v user=%q from=%s %v", when(a.Time), a.Device, a.Format, a.Protocol, a.User, address(a.Source), a.Outcome)
	}
	s.Change = func(c *facts.Change) {
		w.add(c.Span, "change %s %s/%s %s %q user=%q from=%s", when(c.Time), c.Device, c.Format, c.What, c.Subject, c.User, address(c.Source))
	}
	s.Beat = func(b *facts.Beat) { w.beats[fmt.Sprintf("%s/%s %s", b.Device, b.Format, b.Class)]++ }
	s.Note = func(n facts.Note) { w.notes = append(w.notes, n) }
	s.Secret = func(x facts.Secret) {
		off := x.Span.Pos.Off()
		w.add(x.Span, "secret %q in %s", w.data[off:off+int64(x.Span.Len)], x.Name)
	}
	return s
}

func transferText(t *facts.Transfer) string {
	n := func(v int64) string {
		if v == facts.Absent {
			return "-"
		}
		return fmt.Sprint(v)
	}
	s := fmt.Sprintf("%s %s(%s) %s:%d > %s:%d/%d %v port=%v by %v op=%s %v", when(t.Time), t.Vantage, t.Platform, address(t.Client), t.ClientPort,
		address(t.Server), t.ServerPort, t.Transport, t.Protocol, t.PortProtocol, t.By, t.Op, t.Outcome)
	if t.Half != facts.Whole || t.Conn != 0 {
		s += fmt.Sprintf(" half=%d conn=%d", t.Half, t.Conn)
	}
	if t.Out != facts.Absent || t.In != facts.Absent || t.Total != facts.Absent {
		s += fmt.Sprintf(" bytes %s out %s in %s", n(t.Total), n(t.Out), n(t.In))
	}
	if t.Duration >= 0 {
		s += " for " + t.Duration.String()
	}
	if t.User != "" || t.File != "" {
		s += fmt.Sprintf(" user=%q file=%q", t.User, t.File)
	}
	return s
}

func when(s facts.Stamp) string {
	quality := [...]string{"none", "uptime", "unsynced", "zone?", "year?", "exact"}[s.Quality]
	if s.Quality == facts.NoTime {
		return quality
	}
	return s.Time().Format("2006-01-02T15:04:05.999Z") + "(" + quality + ")"
}

func address(a netip.Addr) string {
	if !a.IsValid() {
		return "-"
	}
	return a.String()
}

// text is what was written down, in order of place.
func (w *witness) text() string {
	slices.SortStableFunc(w.lines, func(a, b stated) int { return int(a.pos) - int(b.pos) })
	var b strings.Builder
	for _, l := range w.lines {
		b.WriteString(l.text + "\n")
	}
	var classes []string
	for c, n := range w.beats {
		classes = append(classes, fmt.Sprintf("beats %d of %s\n", n, c))
	}
	slices.Sort(classes)
	b.WriteString(strings.Join(classes, ""))
	for _, n := range MergeNotes(w.notes) {
		fmt.Fprintf(&b, "note %d, first in line %d: %s\n", n.Count, w.line(n.Span), n.Message)
	}
	return b.String()
}

// read reads data in pieces of the given size.
func read(t testing.TB, data []byte, format facts.Format, size int64) string {
	t.Helper()
	w := &witness{data: data}
	ps, err := pieces(fileOf(data), format, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range ps {
		if err := Read(context.Background(), p, format, w.sinkAgain()); err != nil {
			t.Fatal(err)
		}
	}
	return w.text()
}

// sinkAgain is the sink of another piece: beats go on counting.
func (w *witness) sinkAgain() facts.Sink {
	before := w.beats
	s := w.sink()
	if before != nil {
		w.beats = before
	}
	return s
}

// TestFixtures reads the fixtures of the log formats whole and cut everywhere.
func TestFixtures(t *testing.T) {
	var files []string
	for _, dir := range []string{"syslog", "ioslog", "asalog"} {
		found, err := filepath.Glob(filepath.Join("..", "fixtures", dir, "*.txtar"))
		if err != nil || len(found) == 0 {
			t.Fatalf("no fixtures of %s: %v", dir, err)
		}
		files = append(files, found...)
	}
	for _, name := range files {
		t.Run(filepath.Base(filepath.Dir(name))+"/"+filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil || len(a.Files) != 2 {
				t.Fatalf("%d files: %v", len(a.Files), err)
			}
			data := a.Files[0].Data
			format, _, err := Detect(fileOf(data))
			if err != nil || format.Name != "syslog" {
				t.Fatalf("detected %q: %v", format.Name, err)
			}
			got := read(t, data, format, PieceSize)
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			for size := int64(1); size < int64(len(data)); size += 1 + size/3 {
				if cut := read(t, data, format, size); cut != got {
					t.Fatalf("in pieces of %d bytes (-whole +cut):\n%s", size, cmp.Diff(got, cut))
				}
			}
		})
	}
}

// TestLineEnds: CR LF, and no line end at the end, change nothing but positions.
func TestLineEnds(t *testing.T) {
	a, err := txtar.ParseFile("../fixtures/syslog/mixed.txtar")
	if err != nil {
		t.Fatal(err)
	}
	data := a.Files[0].Data
	format, _, err := Detect(fileOf(data))
	if err != nil {
		t.Fatal(err)
	}
	want := read(t, data, format, PieceSize)
	for name, other := range map[string][]byte{
		"cr lf":         bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n")),
		"no end":        bytes.TrimRight(data, "\n"),
		"mark":          append([]byte("\xef\xbb\xbf"), data...),
		"null at end":   bytes.ReplaceAll(data, []byte("\n"), []byte("\x00\n")),
		"blank between": bytes.ReplaceAll(data, []byte("\n"), []byte("  \n")),
	} {
		if got := read(t, other, format, PieceSize); got != want {
			t.Errorf("%s (-want +got):\n%s", name, cmp.Diff(want, got))
		}
	}
}

// TestRandomCuts cuts a generated log of many senders at random.
func TestRandomCuts(t *testing.T) {
	data := generate(rand.New(rand.NewPCG(7, 11)), 200<<10)
	format, confidence, err := Detect(fileOf(data))
	if err != nil || confidence != facts.Strong {
		t.Fatalf("confidence %d: %v", confidence, err)
	}
	want := read(t, data, format, PieceSize)
	if n := strings.Count(want, "transfer"); n < 40 {
		t.Fatalf("only %d transfers", n)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 12 {
		size := 1000 + rng.Int64N(100<<10)
		if got := read(t, data, format, size); got != want {
			t.Fatalf("in pieces of %d bytes (-whole +cut):\n%s", size, cmp.Diff(want, got))
		}
	}
}
