// Package parsers lists the formats and dialects of evidence and reads files with them.
//
// [Detect] tells a file's format by its content, [Pieces] cuts it for the workers, and [Read] states the facts of one
// piece: it hands the messages of framed logs to the dialect they are written in, and fills in who recorded an event. A
// format or dialect is one folder below and one line in the lists here; nothing registers itself.
//
// Everything read is bounded by the longest record of its format. Facts are valid only until the sink's call returns.
package parsers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"unicode/utf8"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/parsers/aoscx"
	"github.com/quaymaster/quaymaster/parsers/aoss"
	"github.com/quaymaster/quaymaster/parsers/asalog"
	"github.com/quaymaster/quaymaster/parsers/bigip"
	"github.com/quaymaster/quaymaster/parsers/ciscoasa"
	"github.com/quaymaster/quaymaster/parsers/ciscoios"
	"github.com/quaymaster/quaymaster/parsers/cisconxos"
	"github.com/quaymaster/quaymaster/parsers/eos"
	"github.com/quaymaster/quaymaster/parsers/esxi"
	"github.com/quaymaster/quaymaster/parsers/fortios"
	"github.com/quaymaster/quaymaster/parsers/frr"
	"github.com/quaymaster/quaymaster/parsers/gaia"
	"github.com/quaymaster/quaymaster/parsers/hostsvc"
	"github.com/quaymaster/quaymaster/parsers/ioslog"
	"github.com/quaymaster/quaymaster/parsers/iosxr"
	"github.com/quaymaster/quaymaster/parsers/iptables"
	"github.com/quaymaster/quaymaster/parsers/junos"
	"github.com/quaymaster/quaymaster/parsers/nftables"
	"github.com/quaymaster/quaymaster/parsers/opnsense"
	"github.com/quaymaster/quaymaster/parsers/panos"
	"github.com/quaymaster/quaymaster/parsers/routeros"
	"github.com/quaymaster/quaymaster/parsers/showversion"
	"github.com/quaymaster/quaymaster/parsers/snmpwalk"
	"github.com/quaymaster/quaymaster/parsers/sros"
	"github.com/quaymaster/quaymaster/parsers/syslog"
	"github.com/quaymaster/quaymaster/parsers/vyos"
)

// Formats are all formats, in the order that breaks ties: documents that name their format, then configurations, then
// logs.
func Formats() []facts.Format {
	return slices.Concat([]facts.Format{
		esxi.Format(),
		snmpwalk.Format(),
		showversion.Format(),
		ciscoios.Format(),
		ciscoasa.Format(),
		cisconxos.Format(),
		eos.Format(),
		iosxr.Format(),
		aoscx.Format(),
		aoss.Format(),
		frr.Format(),
		junos.Brace(),
		junos.Set(),
		panos.Set(),
		panos.Brace(),
		panos.XML(),
		opnsense.OPNsense(),
		opnsense.PfSense(),
		vyos.Brace(),
		vyos.Set(),
		gaia.Format(),
		bigip.Format(),
		sros.Brace(),
		sros.Flat(),
		sros.Classic(),
		iptables.Format(),
		nftables.Format(),
		fortios.Format(),
		routeros.Format(),
	}, hostFormats(), []facts.Format{syslog.Format()})
}

// hostFormats are those of the files of Unix hosts. They belong to no platform: the file's place and the manifest tell
// whose host it is.
func hostFormats() []facts.Format {
	return hostsvc.Formats()
}

// Dialects are all dialects of framed logs, in the order that breaks ties. Those of messages that begin with "%" are asked
// first for these, see [Read].
func Dialects() []facts.Dialect {
	return []facts.Dialect{
		asalog.Dialect(),
		ioslog.Dialect(),
	}
}

// headSize is how much of a file's start Detect and Prologue are given, and of its end Prologue.
const headSize = 64 << 10

// A Detection is what a file is taken for.
type Detection struct {
	Format     facts.Format
	Confidence facts.Confidence
	// Notes name other formats that fit as well, and a manifest that says otherwise.
	Notes []facts.Note
}

// An UnknownError says that a file is of no known format.
type UnknownError struct {
	Binary bool
	Guess  string // the closest format; empty when nothing is close
	Hint   string
}

// Error is one sentence without the file's path.
func (e *UnknownError) Error() string {
	s := "text of no known format"
	if e.Binary {
		s = "binary data of no known format"
	}
	if e.Guess != "" {
		s += ", closest to " + e.Guess
	}
	if e.Hint != "" {
		s += ": " + e.Hint
	}
	return s
}

// Detect tells the format of f by its content. The error is an [UnknownError] when none fits, else what kept f from being
// read. A file without content is of the format "empty".
func Detect(f *evidence.File) (facts.Format, facts.Confidence, error) {
	d, err := Identify(f)
	return d.Format, d.Confidence, err
}

// Identify is Detect with what there is to say about the choice.
func Identify(f *evidence.File) (Detection, error) {
	buf, _ := heads.Get().(*[headSize]byte)
	if buf == nil {
		buf = new([headSize]byte)
	}
	defer heads.Put(buf)
	head, err := readInto(buf[:], f, 0)
	if err != nil {
		return Detection{}, err
	}
	formats := Formats()
	for _, g := range glances {
		if len(head) <= g.length {
			break
		}
		if cut := bytes.LastIndexByte(head[:g.length], '\n'); cut > 0 {
			if d, plain := glanced(f, head[:cut+1], formats); plain && d.Confidence >= g.least {
				return d, nil
			}
		}
	}
	return identify(f, head, formats)
}

// heads are spare buffers for the starts of files.
var heads sync.Pool

// glances are how much of a file tells its format when it tells it plainly, and how plainly: a configuration says what it
// is in its first hundred lines, most do in fewer, and every format is asked.
var glances = [...]struct {
	length int
	least  facts.Confidence
}{{2 << 10, facts.Certain - 5}, {8 << 10, facts.Strong}}

// glanced is what the first lines of f say, when one format alone has statements no other has, and no other has several.
func glanced(f *evidence.File, head []byte, formats []facts.Format) (Detection, bool) {
	var d Detection
	second := facts.No
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for _, format := range formats {
		switch c := format.Detect(f.Path, text); {
		case c > d.Confidence:
			second, d.Format, d.Confidence = d.Confidence, format, c
		default:
			second = max(second, c)
		}
	}
	plain := d.Confidence >= facts.Strong && second < facts.Likely && (f.Platform == "" || f.Platform == d.Format.Platform)
	return d, plain
}

func identify(f *evidence.File, head []byte, formats []facts.Format) (Detection, error) {
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(text)) == 0 {
		return Detection{Format: empty(), Confidence: facts.Certain}, nil
	}
	var d Detection
	var rivals []string
	guess, close := "", facts.No
	for _, format := range formats {
		c := format.Detect(f.Path, text)
		switch {
		case c > facts.No && c < facts.Possible && c > close:
			guess, close = format.Name, c
		case c < facts.Possible || c < d.Confidence:
		case c > d.Confidence:
			d.Format, d.Confidence, rivals = format, c, nil
		case format.Platform != "" && format.Platform == f.Platform && d.Format.Platform != f.Platform:
			rivals = append(rivals, d.Format.Name)
			d.Format = format // of two that fit alike the manifest's word decides, then the list's order
		default:
			rivals = append(rivals, format.Name)
		}
	}
	if d.Confidence <= facts.Likely && d.Format.Platform != "" && d.Format.Platform != f.Platform {
		if name, hint := foreign(text); name != "" {
			return Detection{}, &UnknownError{Guess: name, Hint: hint}
		}
	}
	if d.Confidence == facts.No {
		return Detection{}, unknown(text, guess)
	}
	for _, r := range rivals {
		d.Notes = append(d.Notes, facts.Note{Path: f.Path, Message: fmt.Sprintf("read as %s; it fits %s as well", d.Format.Name, r)})
	}
	if f.Platform != "" && d.Format.Platform != "" && d.Format.Platform != f.Platform {
		d.Notes = append(d.Notes, facts.Note{
			Path: f.Path, Message: fmt.Sprintf("the manifest says platform %q, the content is %s", f.Platform, d.Format.Name),
			Hint: "the content counts; mend the manifest or the inventory",
		})
	}
	return d, nil
}

// unknown says what can be said of text that no format took.
func unknown(head []byte, guess string) error {
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return &UnknownError{Hint: "it is UTF-16: save it as UTF-8"}
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return &UnknownError{Binary: true, Hint: "it is a zip archive: unpack it"}
	case binary(head):
		return &UnknownError{Binary: true, Guess: guess}
	}
	hint := "name it in the policy's ignore list when it is no evidence"
	if guess != "" {
		hint = "a cut or commented file may lack what tells its format"
	}
	return &UnknownError{Guess: guess, Hint: hint}
}

// binary reports whether data is no text: NULs, or more than a tenth of bytes that are neither UTF-8 nor printable.
func binary(b []byte) bool {
	b = b[:min(len(b), 8<<10)]
	if bytes.IndexByte(b, 0) >= 0 {
		return true
	}
	odd := 0
	for rest := b; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		if r == utf8.RuneError && n == 1 && len(rest) >= utf8.UTFMax || r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != 0x1b && r != '\f' {
			odd++
		}
		rest = rest[n:]
	}
	return odd*10 > len(b)
}

// readHead reads the start of f.
func readHead(f *evidence.File) ([]byte, error) {
	return readAt(f, 0)
}

// readAt reads headSize bytes of f from off, less at its end.
func readAt(f *evidence.File, off int64) ([]byte, error) {
	return readInto(make([]byte, headSize), f, off)
}

func readInto(b []byte, f *evidence.File, off int64) ([]byte, error) {
	r, err := f.Open(off)
	if err != nil {
		return nil, fmt.Errorf("open %s at byte %d: %w", f.Path, off, err)
	}
	defer r.Close()
	n, err := io.ReadFull(r, b)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, fmt.Errorf("read %s at byte %d: %w", f.Path, off+int64(n), err)
	}
	return b[:n], nil
}
