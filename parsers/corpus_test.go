package parsers

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/parsers/syslog"
)

func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public corpora are not read")
	}
	return filepath.Join(dir, "logs")
}

// An elastic event is what one of Elastic's pipelines makes of one line.
type elasticEvent struct {
	At    time.Time `json:"@timestamp"`
	Event struct {
		Code, Original string
		Sequence       uint64
	}
	Log  struct{ Syslog struct{ Hostname string } }
	Host struct{ Hostname string }
}

// TestElasticHeaders compares time, class, sender and number of every Cisco line with Elastic's documents.
//
// Where the oracle differs and why it is not followed: it reads every zone's abbreviation as UTC ("AEST" is +10 hours);
// lines without a year get the year of the day it was run (2023, or the one after); it has no sender for a line whose
// origin is only in the device's own header, and takes the sequence number of no line that lacks a relay's header.
func TestElasticHeaders(t *testing.T) {
	root := corpus(t)
	lines := 0
	for _, dir := range []string{"cisco_ios", "cisco_asa", "cisco_ftd"} {
		files, err := filepath.Glob(filepath.Join(root, "elastic-integrations", dir, "log", "*-expected.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no expectations of %s: %v", dir, err)
		}
		for _, name := range files {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var doc struct{ Expected []elasticEvent }
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			for _, e := range doc.Expected {
				lines += compareHeader(t, &e)
			}
		}
	}
	if lines < 400 {
		t.Errorf("only %d lines were compared", lines)
	}
}

func compareHeader(t *testing.T, e *elasticEvent) int {
	line := []byte(e.Event.Original)
	if len(line) == 0 || e.At.IsZero() {
		return 0
	}
	var m facts.Message
	s := facts.NewSink()
	s.Message = func(x *facts.Message) {
		m = *x
		m.Host, m.Body = strings.Clone(x.Host), bytes.Clone(x.Body)
	}
	f := fileOf(line)
	f.Mod = time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC)
	pro := syslog.Format().Prologue(f, line, nil)
	if err := syslog.Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size, Prologue: pro}, s); err != nil {
		t.Fatal(err)
	}
	if !bytes.ContainsRune(line, '%') {
		return 0 // test-no-type-id.log: the message has no number; Elastic guesses it from the keys
	}
	if code := e.Event.Code; code != "" && !bytes.Contains(m.Body[:min(len(m.Body), 60)], []byte(code)) {
		t.Errorf("%q: the message begins %q, not with %s", line, m.Body[:min(len(m.Body), 30)], code)
	}
	if got := m.Time.Time(); m.Time.Quality > facts.UptimeOnly && !sameTime(got, e.At, m.Time.Quality, line) {
		t.Errorf("%q: time %v, Elastic says %v", line, got, e.At)
	}
	if host := e.Log.Syslog.Hostname; host != "" && host != m.Host {
		t.Errorf("%q: host %q, Elastic says %q", line, m.Host, host)
	}
	if n := e.Event.Sequence; n != 0 && n != m.Seq {
		t.Errorf("%q: number %d, Elastic says %d", line, m.Seq, n)
	}
	return 1
}

// sameTime compares what both can know: not the year of a line without one, nor the hours where a zone's name was read.
func sameTime(a, b time.Time, q facts.StampQuality, line []byte) bool {
	if q == facts.Exact {
		return a.Equal(b)
	}
	if d := a.Sub(b) % time.Hour; d != 0 && d.Abs() != time.Hour/2 {
		return false
	}
	for _, zone := range []string{" AEST", " ACDT", " AWST", " EDT", " AEDT", " MST"} {
		if bytes.Contains(line, []byte(zone)) {
			return true
		}
	}
	return a.YearDay() == b.YearDay() && a.Hour() == b.Hour() || a.Format("01-02T15") == b.Format("01-02T15")
}

// TestCiscoPublic reads single public lines of IOS that matter most here.
func TestCiscoPublic(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(corpus(t), "cisco-public", "ios_config_tftp.log"))
	if err != nil {
		t.Fatal(err)
	}
	got := read(t, data, syslog.Format(), PieceSize)
	for _, want := range []string{
		`config-from-network "tftp://10.83.21.224//cisco-bootstrap"`,
		`config-from-network "tftp://172.17.251.251/ZTP-23D9F46EC4-confg"`,
		`config-from-network "tftp://192.168.1.3/Switch1-confg.txt"`,
		`config-from-network "tftp://148.15.237.237/pop-7920200-st2rv1-confg"`,
		`config-from-network "tftp://10.0.0.1/router-confg"`,
		`config-from-network "tftp://host.com/addc5505-rsm.nyiix"`,
		`user="catalyst" from=1.1.1.1 "http://cisco.com/ns/yang/Cisco-IOS-XE-xcopy-rpc:xcopy"`,
		`user="console" from=- "ip ssh authentication-retries 2"`,
		`user="console" from=- "!exec: enable"`,
		`user="Admin" from=- "verify /md5 system:memory/text"`,
		"2018-10-17T19:45:34.347Z(unsynced)",
		"one.one.one.one/ios-syslog",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s is not in\n%s", want, got)
		}
	}
	if strings.Contains(got, "could not be read") {
		t.Errorf("a message could not be read:\n%s", got)
	}
}

// TestFramings reads the same 412 events in the framings that a collector wrote them in: raw datagrams, rsyslog's
// traditional and ISO file formats, and RFC 5424. The text, tag and process must be the same; the zone is known in two.
func TestFramings(t *testing.T) {
	dir := filepath.Join(corpus(t), "generated", "syslog")
	messages := func(name string) (out []string, times []time.Time) {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		f := fileOf(data)
		f.Mod = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
		s := facts.NewSink()
		s.Message = func(m *facts.Message) {
			out = append(out, fmt.Sprintf("%s[%s] %s", m.Tag, m.Pid, bytes.TrimSpace(m.Body)))
			times = append(times, m.Time.Time())
		}
		if err := syslog.Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size, Prologue: syslog.Format().Prologue(f, data, nil)}, s); err != nil {
			t.Fatal(err)
		}
		return out, times
	}
	want, wantTimes := messages("rfc5424.log")
	if len(want) < 400 {
		t.Fatalf("%d messages", len(want))
	}
	for _, name := range []string{"raw.log", "traditional.log", "fileformat_iso.log"} {
		got, times := messages(name)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-rfc5424 +%s):\n%s", name, name, diff)
			continue
		}
		for i := range times {
			// The hosts' zone is five hours behind UTC; tftpd in its chroot stamps UTC itself.
			d := wantTimes[i].Truncate(time.Second).Sub(times[i].Truncate(time.Second))
			if hours := d.Round(time.Hour); hours != 0 && hours != 5*time.Hour || (d-hours).Abs() > time.Second {
				t.Errorf("%s, message %d: %v, %v in RFC 5424", name, i, times[i], wantTimes[i])
				break
			}
		}
	}
}

// TestWholeCorpus reads every log there is: none stops the reader, cuts change nothing, and no Cisco message that carries
// facts is left unread.
func TestWholeCorpus(t *testing.T) {
	root := corpus(t)
	files, logs := 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files++
		f := fileOf(data)
		format, _, err := Detect(f)
		if err != nil || format.Name != "syslog" {
			return nil
		}
		logs++
		whole := read(t, data, format, PieceSize)
		if cut := read(t, data, format, int64(1+len(data)/3)); cut != whole {
			t.Errorf("%s: cut in pieces the facts differ", path)
		}
		if strings.Contains(whole, "could not be read") {
			t.Errorf("%s: %s", path, whole[strings.Index(whole, "note"):])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d files are syslog", logs, files)
	if logs < 100 {
		t.Errorf("only %d files were taken for syslog", logs)
	}
}
