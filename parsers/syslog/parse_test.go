package syslog

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

var modified = time.Date(2024, 3, 10, 0, 0, 0, 0, time.UTC)

func file(data []byte) *evidence.File {
	return &evidence.File{Path: "a.log", Rank: 1, Size: int64(len(data)), Mod: modified, Seekable: true,
		Open: func(off int64) (io.ReadCloser, error) {
			return io.NopCloser(iotest.HalfReader(bytes.NewReader(data[off:]))), nil
		}}
}

func ends2(data []byte) (head, tail []byte) {
	n := min(len(data), 64<<10)
	return data[:n], data[len(data)-n:]
}

// messages reads data in the pieces that cuts make, and writes every message and the notes down.
func messages(t testing.TB, data []byte, cuts ...int64) (msgs []string, notes map[string]int) {
	t.Helper()
	f := file(data)
	head, tail := ends2(data)
	pro := Format().Prologue(f, head, tail)
	if pro.(*prologue).Whole() {
		cuts = nil
	}
	notes = map[string]int{}
	s := facts.NewSink()
	s.Message = func(m *facts.Message) {
		end := m.BodyPos.Off() + int64(len(m.Body))
		if m.BodyPos.Off() < m.Span.Pos.Off() || end > int64(len(data)) || !bytes.Equal(data[m.BodyPos.Off():end], m.Body) {
			t.Errorf("body %q is not at %d of the file", m.Body, m.BodyPos.Off())
		}
		msgs = append(msgs, fmt.Sprintf("%d+%d %s %d|%s|%s|%s|%s|%s|%d x%d", m.Span.Pos.Off(), m.Span.Len, text(m.Time), m.Time.Quality,
			m.Host, m.Tag, m.Pid, m.ID, m.Data, m.PRI, m.Repeat)+" "+string(m.Body))
	}
	s.Note = func(n facts.Note) { notes[n.Message] += n.Count }
	from := int64(0)
	for _, to := range append(cuts, int64(len(data))) {
		p := evidence.Piece{File: f, From: from, To: to, Prologue: pro}
		if err := Format().Parse(context.Background(), p, s); err != nil {
			t.Fatal(err)
		}
		from = to
	}
	return msgs, notes
}

const mixed = `<34>Oct 11 22:14:15 m1 su: first
<166>Mar 03 2023 08:50:32 fw1 : %ASA-6-302013: Built inbound TCP connection 1 for a:192.0.2.1/1 (192.0.2.1/1) to b:10.0.0.1/21 (10.0.0.1/21)
Feb  8 04:00:48 192.168.100.2 585917: Feb  8 04:00:47.272: %SEC-6-IPACCESSLOGP: list 1 denied udp 10.1.1.1(1) -> 10.1.1.2(69), 1 packet
Jan  1 00:00:01 h1 kernel: once
Jan  1 00:00:31 h1 last message repeated 3 times
Jan  1 00:00:32 h2 last message repeated 4 times

*Oct 17 2018 12:45:34.365 PDT: %HA_EM-6-LOG: sw_stack: 
     ## FreeZTP configuration received via TFTP
	and more
<165>1 2023-10-11T22:14:15.003Z m1 evntslog 111 ID47 [x@1 a="b\]"] An event
plain text, "quoted" and <34>Oct 11 22:14:15 fake su: injected
2023-12-05T17:38:21.798Z In(14) shell[1053659]: [root]: ls
 <13>Jan  2 00:00:00 h3 x: indented header
Jan  2 00:00:01 h3 last message repeated 2 times
`

func TestParse(t *testing.T) {
	got, notes := messages(t, []byte(mixed))
	for i, m := range got {
		_, got[i], _ = strings.Cut(m, " ")
	}
	want := []string{
		"2023-10-11T22:14:15Z 3|m1|su||||34 x0 first",
		"2023-03-03T08:50:32Z 3|fw1|||||166 x0 %ASA-6-302013: Built inbound TCP connection 1 for a:192.0.2.1/1 (192.0.2.1/1) to b:10.0.0.1/21 (10.0.0.1/21)",
		"2023-02-08T04:00:47.272Z 3|192.168.100.2|||||-1 x0 %SEC-6-IPACCESSLOGP: list 1 denied udp 10.1.1.1(1) -> 10.1.1.2(69), 1 packet",
		"2023-01-01T00:00:01Z 3|h1|kernel||||-1 x4 once",
		"2023-01-01T00:00:31Z 3|h1|||||-1 x0 last message repeated 3 times",
		"2023-01-01T00:00:32Z 3|h2|||||-1 x0 last message repeated 4 times",
		"2018-10-17T19:45:34.365Z 2||||||-1 x0 %HA_EM-6-LOG: sw_stack: \n     ## FreeZTP configuration received via TFTP\n\tand more",
		`2023-10-11T22:14:15.003Z 5|m1|evntslog|111|ID47|[x@1 a="b\]"]|165 x0 An event`,
		` 0||||||-1 x0 plain text, "quoted" and <34>Oct 11 22:14:15 fake su: injected`,
		"2023-12-05T17:38:21.798Z 5||shell|1053659|||14 x0 [root]: ls",
		"2023-01-02T00:00:00Z 3|h3|x||||13 x3 indented header",
		"2023-01-02T00:00:01Z 3|h3|||||-1 x0 last message repeated 2 times",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("messages (-want +got):\n%s", diff)
	}
	wantNotes := map[string]int{noteTexts[noteInner].message: 1, noteTexts[noteRepeat].message: 1, noteTexts[noteHeaderless].message: 1}
	if diff := cmp.Diff(wantNotes, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestCuts is law 4: cuts change nothing, wherever they are.
func TestCuts(t *testing.T) {
	for _, data := range [][]byte{
		[]byte(mixed),
		[]byte(strings.ReplaceAll(mixed, "\n", "\r\n")),
		[]byte("\xef\xbb\xbf" + mixed + "no newline at the end"),
		[]byte(" starts with a blank\n\tgoes on\n" + mixed),
		[]byte("\n\n" + mixed + "\n\n"),
		[]byte(frames(mixed)),
		bytes.Repeat([]byte(mixed), 3),
	} {
		want, wantNotes := messages(t, data)
		check := func(cuts ...int64) {
			got, notes := messages(t, data, cuts...)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Fatalf("cut at %v (-whole +cut):\n%s", cuts, diff)
			}
			if diff := cmp.Diff(wantNotes, notes); diff != "" {
				t.Fatalf("notes, cut at %v (-whole +cut):\n%s", cuts, diff)
			}
		}
		for i := range min(len(data), len(mixed)+80) {
			check(int64(i))
		}
		rng := rand.New(rand.NewPCG(1, 2))
		for range 50 {
			a, b, c := rng.Int64N(int64(len(data))), rng.Int64N(int64(len(data))), rng.Int64N(int64(len(data)))
			check(min(a, b, c), a+b+c-min(a, b, c)-max(a, b, c), max(a, b, c))
		}
	}
}

// frames writes every line as counted octets, without line ends; one holds one.
func frames(text string) string {
	var b strings.Builder
	for _, line := range append(strings.Split(text, "\n"), "<13>Jan  1 00:00:00 h1 x: two\nlines", "<13>Jan  1 00:00:00 h1 x: end") {
		if strings.HasPrefix(line, "<") {
			fmt.Fprintf(&b, "%d %s", len(line), line)
		}
	}
	return b.String()
}

func TestOctetCounting(t *testing.T) {
	got, _ := messages(t, []byte(frames("<34>Oct 11 22:14:15 m1 su: first\n<34>Oct 11 22:14:16 m1 su: 99 <13>not a frame")))
	for i, m := range got {
		_, got[i], _ = strings.Cut(m, "|")
	}
	want := []string{"m1|su||||34 x0 first", "m1|su||||34 x0 99 <13>not a frame", "h1|x||||13 x0 two\nlines", "h1|x||||13 x0 end"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestLongLine(t *testing.T) {
	long := "<13>Jan  1 00:00:00 h1 x: " + strings.Repeat("y", 3*MaxRecord) + "\n"
	many := "<13>Jan  1 00:00:00 h1 x: z\n" + strings.Repeat(" continued\n", 2*MaxRecord/11)
	tail := "<13>Jan  1 00:00:01 h1 x: after\n"
	for name, data := range map[string]string{"a line": long + tail, "lines": many + tail, "last": tail + long, "two": long + long + tail} {
		msgs, notes := messages(t, []byte(data))
		if n := notes[noteTexts[noteCut].message]; n != strings.Count(data, "00:00:00") {
			t.Errorf("%s: %d notes of cut messages", name, n)
		}
		found := false
		for _, m := range msgs {
			if len(m) > MaxRecord+100 {
				t.Errorf("%s: a message of %d bytes", name, len(m))
			}
			found = found || strings.HasSuffix(m, " after")
		}
		if !found || len(msgs) != strings.Count(data, "<13>") {
			t.Errorf("%s: %d messages, the short one found: %v", name, len(msgs), found)
		}
		half, _ := messages(t, []byte(data), int64(len(data)/2))
		if diff := cmp.Diff(msgs, half); diff != "" {
			t.Errorf("%s: cut in the middle the messages differ", name)
		}
	}
}

func TestUnlikeLines(t *testing.T) {
	data := strings.Repeat("Jan  1 00:00:01 h1 prog: text\n", 20) + "<34>Oct 11 22:14:15 fake su: forged\nforged without a header\n"
	_, notes := messages(t, []byte(data))
	want := map[string]int{noteTexts[noteUnlike].message: 1, noteTexts[noteHeaderless].message: 1}
	if diff := cmp.Diff(want, notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

// TestStatusReport holds that the report above a log buffer is nothing to warn of, and a line without a header still is.
func TestStatusReport(t *testing.T) {
	report := "Syslog logging: enabled\n    Facility: 20\n\nNo Active Message Discriminator.\n\nLog Buffer (65536 bytes):\n\n"
	lines := strings.Repeat("Jan  1 00:00:01 h1 prog: text\n", 100)
	if _, notes := messages(t, []byte(report+lines)); len(notes) > 0 {
		t.Errorf("notes: %v", notes)
	}
	_, notes := messages(t, []byte(report+lines+"Syslog logging is what it says\n"))
	if want := map[string]int{noteTexts[noteHeaderless].message: 1}; !cmp.Equal(notes, want) {
		t.Errorf("notes: %v, want %v", notes, want)
	}
}

func TestYearReference(t *testing.T) {
	yearless := "Dec 24 00:00:00 h1 a: x\n"
	filler := strings.Repeat("Jun  1 00:00:00 h1 a: filler\n", 6000)
	tests := []struct {
		name string
		mod  time.Time
		data string
		want int
	}{
		{"the file's time", modified, yearless, 2023},
		{"a line with a year", time.Time{}, yearless + "2019-12-31T00:00:00Z h1 a: y\n", 2019},
		{"an older line with a year before much text", time.Time{}, "2019-06-30T00:00:00Z h1 a: y\n" + filler + yearless, 2019},
		{"a later line with a year after much text", time.Time{}, yearless + filler + "2018-12-31T00:00:00Z h1 a: y\n", 2018},
		{"no line can date others into the future", modified, yearless + "2031-12-31T00:00:00Z h1 a: y\n", 2023},
		{"an archive's null time is none", time.Unix(0, 0), yearless + "2019-12-31T00:00:00Z h1 a: y\n", 2019},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := file([]byte(tt.data))
			f.Mod = tt.mod
			head, tail := ends2([]byte(tt.data))
			p := readPrologue(f, head, tail).(*prologue)
			var h header
			h.read([]byte(yearless), new(memo))
			if got := h.stamps[0].resolve(p.limit).Time().Year(); got != tt.want {
				t.Errorf("year %d, want %d", got, tt.want)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	tests := []struct {
		name string
		text string
		want facts.Confidence
	}{
		{"mixed", mixed, facts.Likely},
		{"cisco", "*Mar  1 00:05:00.159: %SYS-5-CONFIG_NV_I: x\n00:18:04: %SYS-5-A: x\n", facts.Strong},
		{"relay", strings.Repeat("Jan  1 00:00:01 h1 prog[1]: text\n", 3), facts.Strong},
		{"raw", strings.Repeat("<13>Jan  1 00:00:01 h1 text\n", 3), facts.Strong},
		{"octets", frames("<13>Jan  1 00:00:01 h1 text\n"), facts.Strong},
		{"show logging", "Syslog logging: enabled (0 messages dropped)\n    Console logging: disabled\n\nLog Buffer (4096 bytes):\n\n" + strings.Repeat("*Mar  1 00:05:00.159: %SYS-5-A: x\n", 9), facts.Likely},
		{"config", "!\nversion 15.2\nhostname r1\n!\ninterface Gi0/1\n ip address 10.0.0.1 255.255.255.0\n!\nlogging host 10.0.0.9\nend\n", facts.No},
		{"config with a date", "! Last configuration change at 12:00:01 UTC Mon Mar 1 2021\nhostname r1\nline vty 0 4\nend\n", facts.No},
		{"junos", "system {\n    host-name r1;\n    services {\n        ftp;\n    }\n}\n", facts.No},
		{"json", "{\"time\":\"2023-01-01T00:00:00Z\",\"a\":1}\n{\"b\":2}\n", facts.No},
		{"csv", "2023-01-01 00:00:00,192.0.2.1,10.0.0.1,6,1000\n2023-01-01 00:00:01,192.0.2.1,10.0.0.1,6,1000\n", facts.No},
		{"vsftpd", "Mon Nov 23 11:05:13 2026 [pid 354] [ftp] OK LOGIN: Client \"192.0.2.1\"\n", facts.No},
		{"xferlog", "Mon Nov 23 11:05:13 2026 1 192.0.2.1 123 /x b _ i a a@b.c ftp 0 * c\n", facts.No},
		{"audit", "type=EXECVE msg=audit(1643025668.518:5009988): argc=1\n", facts.No},
		{"binary", "\x7fELF\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00", facts.No},
		{"empty", "", facts.No},
		{"prose", "This is a text.\nIt says: nothing at 12:00:00.\n", facts.No},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := Format().Detect("x", []byte(tt.text)); got != tt.want {
				t.Errorf("confidence %d, want %d", got, tt.want)
			}
		})
	}
}

func TestReadError(t *testing.T) {
	broken := errors.New("cable pulled")
	f := file(nil)
	f.Open = func(int64) (io.ReadCloser, error) {
		return io.NopCloser(io.MultiReader(strings.NewReader(mixed), iotest.ErrReader(broken))), nil
	}
	if err := parse(context.Background(), evidence.Piece{File: f, To: 1 << 30}, facts.NewSink()); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	f.Open = func(int64) (io.ReadCloser, error) { return nil, broken }
	if err := parse(context.Background(), evidence.Piece{File: f, To: 1 << 30}, facts.NewSink()); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestCancel(t *testing.T) {
	data := []byte(strings.Repeat("<13>Jan  1 00:00:01 h1 x: y\n", 200_000))
	ctx, cancel := context.WithCancel(context.Background())
	n := 0
	s := facts.NewSink()
	s.Message = func(*facts.Message) {
		if n++; n == 10 {
			cancel()
		}
	}
	err := parse(ctx, evidence.Piece{File: file(data), To: int64(len(data))}, s)
	if !errors.Is(err, context.Canceled) || n > 1<<16 {
		t.Errorf("error %v after %d messages", err, n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(mixed), uint16(100))
	f.Add([]byte(frames(mixed)), uint16(30))
	f.Add([]byte("9 <13>x\n9 <13>yyyyy"), uint16(3))
	f.Add([]byte("\x00\x1b\r\n \n\t\n<1>"), uint16(2))
	f.Fuzz(func(t *testing.T, data []byte, cut uint16) {
		Format().Detect("x", data)
		whole, notes := messages(t, data)
		if int(cut) > len(data) {
			return
		}
		parts, cutNotes := messages(t, data, int64(cut))
		if diff := cmp.Diff(whole, parts); diff != "" {
			t.Errorf("cut at %d (-whole +cut):\n%s", cut, diff)
		}
		if diff := cmp.Diff(notes, cutNotes); diff != "" {
			t.Errorf("notes, cut at %d (-whole +cut):\n%s", cut, diff)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	lines := []string{
		"<166>Mar 03 2023 08:50:32 fw1 : %ASA-6-302014: Teardown TCP connection 27215708 for outside:192.0.2.77/49926 to inside:10.20.30.40/21 duration 0:01:07 bytes 38110 TCP FINs\n",
		"Jun 20 02:41:40 192.168.100.2 1663303: Jun 20 02:41:39.326: %SEC-6-IPACCESSLOGP: list 177 denied udp 192.168.100.195(55250) -> 192.168.100.255(15600), 1 packet\n",
		"2024-01-02T03:04:05.123456+00:00 host1 sshd[1234]: Accepted publickey for backup from 192.0.2.1 port 59229 ssh2\n",
		"<165>1 2024-01-02T03:04:05.123Z srx1 RT_FLOW - RT_FLOW_SESSION_CLOSE [junos@2636.1.1.1.2.142 reason=\"TCP FIN\" source-address=\"192.0.2.1\" source-port=\"1024\"] closed\n",
	}
	for name, text := range map[string]string{"mixed": strings.Join(lines, ""), "asa": lines[0], "ios": lines[1], "linux": lines[2], "5424": lines[3]} {
		b.Run(name, func(b *testing.B) {
			data := bytes.Repeat([]byte(text), 4<<20/len(text))
			f := file(data)
			f.Open = func(off int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data[off:])), nil }
			head, tail := ends2(data)
			p := evidence.Piece{File: f, To: int64(len(data)), Prologue: readPrologue(f, head, tail)}
			s := facts.NewSink()
			n := 0
			s.Message = func(m *facts.Message) { n++ }
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if err := parse(context.Background(), p, s); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/msg")
		})
	}
}
