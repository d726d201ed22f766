package parsers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/parsers/syslog"
)

func TestLists(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range Formats() {
		if f.Name == "" || f.Detect == nil || f.Parse == nil || seen[f.Name] {
			t.Errorf("format %q is nameless, unusable or listed twice", f.Name)
		}
		seen[f.Name] = true
		if c := f.Detect("x", nil); c != facts.No {
			t.Errorf("%s detects itself in nothing: %d", f.Name, c)
		}
	}
	for _, d := range Dialects() {
		if d.Name == "" || d.Match == nil || d.New == nil || seen[d.Name] {
			t.Errorf("dialect %q is nameless, unusable or listed twice", d.Name)
		}
		seen[d.Name] = true
		if c := d.Match(&facts.Message{}); c != facts.No {
			t.Errorf("%s matches an empty message: %d", d.Name, c)
		}
	}
}

func TestDetect(t *testing.T) {
	asa := firstFile(t, "../fixtures/ciscoasa/transfers.txtar")
	log := firstFile(t, "../fixtures/asalog/ftp_session.txtar")
	tests := []struct {
		name   string
		data   []byte
		format string
		err    string // part of the error; empty when the format is known
	}{
		{"log", log, "syslog", ""},
		{"log with a mark", append([]byte("\xef\xbb\xbf"), log...), "syslog", ""},
		{"configuration", asa, "cisco-asa-config", ""},
		{"empty", nil, "empty", ""},
		{"blank", []byte("\n \r\n\t"), "empty", ""},
		{"utf-16", []byte("\xff\xfeh\x00o\x00s\x00t\x00"), "", "UTF-16"},
		{"zip", []byte("PK\x03\x04\x14\x00\x00\x00"), "", "zip archive"},
		{"binary", []byte("\x7fELF\x02\x01\x01\x00\x00"), "", "binary data of no known format"},
		{"bytes", bytes.Repeat([]byte{0xfe, 0x81, 0x02}, 100), "", "binary data of no known format"},
		{"prose", []byte("Dear all,\nthe meeting is moved.\n"), "", "text of no known format"},
		{"prose in utf-8", []byte("Grüße aus Köln\nund anderswo\n"), "", "text of no known format"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			format, confidence, err := Detect(fileOf(tt.data))
			if tt.err != "" {
				var unknown *UnknownError
				if !errors.As(err, &unknown) || !strings.Contains(err.Error(), tt.err) {
					t.Fatalf("error %v, want one with %q", err, tt.err)
				}
				return
			}
			if err != nil || format.Name != tt.format || confidence < facts.Possible {
				t.Errorf("%q with %d, %v; want %q", format.Name, confidence, err, tt.format)
			}
		})
	}
}

func firstFile(t *testing.T, name string) []byte {
	t.Helper()
	a, err := txtar.ParseFile(name)
	if errors.Is(err, os.ErrNotExist) {
		t.Skipf("no fixture %s", name)
	}
	if err != nil || len(a.Files) == 0 {
		t.Fatal(err)
	}
	return a.Files[0].Data
}

func TestDetectErrors(t *testing.T) {
	f := fileOf([]byte("x"))
	broken := errors.New("no such disk")
	f.Open = func(int64) (io.ReadCloser, error) { return nil, broken }
	if _, _, err := Detect(f); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

// always is a format that takes everything with one confidence.
func always(name, platform string, c facts.Confidence) facts.Format {
	return facts.Format{Name: name, Platform: platform, Detect: func(string, []byte) facts.Confidence { return c }}
}

func TestTies(t *testing.T) {
	tests := []struct {
		name     string
		platform string // the manifest's
		formats  []facts.Format
		want     string
		notes    int
		guess    string
	}{
		{"the strongest", "", []facts.Format{always("a", "pa", 20), always("b", "pb", 80), always("c", "pc", 50)}, "b", 0, ""},
		{"the first of equals", "", []facts.Format{always("a", "pa", 50), always("b", "pb", 50)}, "a", 1, ""},
		{"the manifest decides between equals", "pb", []facts.Format{always("a", "pa", 50), always("b", "pb", 50)}, "b", 1, ""},
		{"the manifest does not beat the content", "pb", []facts.Format{always("a", "pa", 80), always("b", "pb", 50)}, "a", 1, ""},
		{"a guess is none", "", []facts.Format{always("a", "pa", 10), always("b", "pb", 19)}, "", 0, "b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := fileOf([]byte("x"))
			f.Platform = tt.platform
			d, err := identify(f, []byte("x"), tt.formats)
			if d.Format.Name != tt.want || len(d.Notes) != tt.notes {
				t.Errorf("%q with notes %v", d.Format.Name, d.Notes)
			}
			var unknown *UnknownError
			if errors.As(err, &unknown) != (tt.want == "") || unknown != nil && unknown.Guess != tt.guess {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestPieces(t *testing.T) {
	line := "Jan  1 00:00:01 h1 prog: text\n"
	data := []byte(strings.Repeat(line, 100))
	size := int64(len(data))
	frame := func(s string) string { return fmt.Sprintf("%d %s", len(s), s) }
	octets := []byte(frame("<13>Jan  1 00:00:00 h1 x: two\nlines") + strings.Repeat(frame("<13>Jan  1 00:00:00 h1 x: one"), 50))
	tests := []struct {
		name string
		data []byte
		edit func(*evidence.File, *facts.Format)
		want [][2]int64
	}{
		{"cut", data, nil, [][2]int64{{0, 1000}, {1000, 2000}, {2000, size}}},
		{"not seekable", data, func(f *evidence.File, _ *facts.Format) { f.Seekable = false }, [][2]int64{{0, size}}},
		{"of unknown size", data, func(f *evidence.File, _ *facts.Format) { f.Seekable, f.Size = false, -1 }, [][2]int64{{0, math.MaxInt64}}},
		{"a format that does not split", data, func(_ *evidence.File, x *facts.Format) { x.Splits = false }, [][2]int64{{0, size}}},
		{"counted octets", octets, nil, [][2]int64{{0, int64(len(octets))}}},
		{"small", data[:600], nil, [][2]int64{{0, 600}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f, format := fileOf(tt.data), syslog.Format()
			if tt.edit != nil {
				tt.edit(f, &format)
			}
			ps, err := pieces(f, format, 1000)
			if err != nil {
				t.Fatal(err)
			}
			var got [][2]int64
			for _, p := range ps {
				got = append(got, [2]int64{p.From, p.To})
				if p.Prologue == nil {
					t.Error("a piece without prologue")
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestFilling: who recorded an event is filled in, and only where the reader left it open.
func TestFilling(t *testing.T) {
	f := fileOf(nil)
	f.Path, f.Host = "logs/x", "collector"
	format := facts.Format{Name: "flows", Platform: "p", Parse: func(_ context.Context, _ evidence.Piece, s facts.Sink) error {
		s.Transfer(&facts.Transfer{})
		s.Transfer(&facts.Transfer{Device: "d", Format: "f", Platform: "q", Vantage: "v", Path: "y"})
		s.Sample(&facts.Sample{})
		s.Beat(&facts.Beat{Device: "d"})
		return nil
	}}
	var got []string
	s := facts.NewSink()
	s.Transfer = func(x *facts.Transfer) {
		got = append(got, strings.Join([]string{x.Device, x.Format, x.Platform, x.Vantage, x.Path}, "|"))
	}
	s.Sample = func(x *facts.Sample) { got = append(got, x.Device) }
	s.Beat = func(x *facts.Beat) { got = append(got, x.Device+"|"+x.Format+"|"+x.Platform) }
	if err := Read(context.Background(), evidence.Piece{File: f}, format, s); err != nil {
		t.Fatal(err)
	}
	want := []string{"collector|flows|p|collector flows|logs/x", "d|f|q|v|y", "collector", "d|flows|p"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Nobody says whose the file is: then the file is the vantage, and there is no device.
	got, f.Host = nil, ""
	if err := Read(context.Background(), evidence.Piece{File: f}, format, s); err != nil {
		t.Fatal(err)
	}
	if got[0] != "|flows|p|logs/x flows|logs/x" {
		t.Errorf("without a host: %s", got[0])
	}
}

// TestUnclaimed: a message of no dialect is a sign of life and is handed on.
func TestUnclaimed(t *testing.T) {
	data := []byte("<13>Jan  1 00:00:01 h1 prog[7]: text\n<13>Jan  1 00:00:01 fw1 : %ASA-5-111008: broken\n<13>Jan  1 00:00:02 fw1 : %ASA-5-111008: broken\nfree text\n")
	var messages, beats []string
	var notes []facts.Note
	s := facts.NewSink()
	s.Message = func(m *facts.Message) { messages = append(messages, string(m.Body)) }
	s.Beat = func(b *facts.Beat) { beats = append(beats, b.Device+"|"+b.Format+"|"+b.Class) }
	s.Note = func(n facts.Note) { notes = append(notes, n) }
	f := fileOf(data)
	if err := Read(context.Background(), evidence.Piece{File: f, To: f.Size}, syslog.Format(), s); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"text", "free text"}, messages); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"h1|syslog|prog", "fw1|asa-syslog|ASA-111008", "fw1|asa-syslog|ASA-111008"}, beats); diff != "" {
		t.Errorf("beats (-want +got):\n%s", diff)
	}
	if len(notes) != 1 || notes[0].Count != 2 || notes[0].Kind != facts.NoteUnread || notes[0].Path != "in.log" || notes[0].Span.Pos.Off() != 37 {
		t.Errorf("notes %+v", notes)
	}
}

func TestRepeatLimit(t *testing.T) {
	data := []byte("<13>Jan  1 00:00:01 h1 prog: text\n<13>Jan  1 00:00:02 h1 last message repeated 2000000000 times\n")
	beats := 0
	var notes []facts.Note
	s := facts.NewSink()
	s.Beat = func(b *facts.Beat) { beats++ }
	s.Note = func(n facts.Note) { notes = append(notes, n) }
	f := fileOf(data)
	if err := Read(context.Background(), evidence.Piece{File: f, To: f.Size}, syslog.Format(), s); err != nil {
		t.Fatal(err)
	}
	if beats != maxRepeat+1 || len(notes) != 1 || notes[0].Kind != facts.NoteLimit {
		t.Errorf("%d beats, notes %+v", beats, notes)
	}
}

func TestNotes(t *testing.T) {
	at := func(off int64) evidence.Span { return evidence.Span{Pos: evidence.MakePos(1, off), Len: 1} }
	all := []facts.Note{
		{Path: "b", Message: "x", Span: at(9), Count: 2},
		{Path: "a", Message: "y"},
		{Path: "b", Message: "x", Span: at(5)},
		{Path: "b", Message: "x", Hint: "h", Span: at(7)},
		{Path: "b", Message: "x"},
	}
	want := []facts.Note{
		{Path: "a", Message: "y", Count: 1},
		{Path: "b", Message: "x", Span: at(5), Count: 4},
		{Path: "b", Message: "x", Hint: "h", Span: at(7), Count: 1},
	}
	if diff := cmp.Diff(want, MergeNotes(all)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	var n notes
	for i := range 3 * maxNotes {
		n.add(facts.Note{Message: fmt.Sprint(i)})
	}
	var given []facts.Note
	s := facts.NewSink()
	s.Note = func(n facts.Note) { given = append(given, n) }
	n.give(fileOf(nil), s)
	if len(given) != maxNotes+1 {
		t.Errorf("%d notes", len(given))
	}
}

// TestKit holds the framing with its dialects to the contract of all parsers.
func TestKit(t *testing.T) {
	whole := syslog.Format()
	whole.Parse = func(ctx context.Context, p evidence.Piece, s facts.Sink) error {
		return Read(ctx, p, syslog.Format(), s)
	}
	framing := parsetest.Kit{Format: syslog.Format(), Unaccounted: true}
	dialects := parsetest.Kit{Format: whole, Unaccounted: true}
	for _, name := range []string{"asalog/admin", "asalog/refused", "asalog/ftd", "ioslog/relayed", "syslog/mixed", "syslog/injection"} {
		text := string(firstFile(t, "../fixtures/"+name+".txtar"))
		framing.Samples = append(framing.Samples, parsetest.Sample{Path: name, Text: text})
		dialects.Samples = append(dialects.Samples, parsetest.Sample{Path: name, Text: text})
	}
	dialects.Samples[0].Secrets = []string{"Sommer2025"}
	dialects.Samples[3].Secrets = []string{"Sommer2025"}
	t.Run("framing", framing.Run)
	t.Run("dialects", dialects.Run)
}

// FuzzRead: any bytes give facts or nothing, the same whole and cut, with every secret's place inside the file.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"asalog/admin", "asalog/refused", "ioslog/relayed", "ioslog/buffer", "syslog/mixed", "syslog/injection"} {
		a, err := txtar.ParseFile("../fixtures/" + name + ".txtar")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data, int64(100))
	}
	f.Fuzz(func(t *testing.T, data []byte, size int64) {
		format := syslog.Format()
		whole := read(t, data, format, PieceSize)
		if len(data) > 1<<16 {
			return
		}
		size = max(size, int64(len(data)/8), 16)
		if cut := read(t, data, format, size); cut != whole {
			t.Errorf("in pieces of %d bytes (-whole +cut):\n%s", size, cmp.Diff(whole, cut))
		}
	})
}
