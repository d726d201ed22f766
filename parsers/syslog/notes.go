package syslog

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A noteKind is something to say about records, once for a piece with their number and the first one's place.
type noteKind uint8

const (
	noteCut noteKind = iota
	noteHeaderless
	noteUnlike
	noteInner
	noteRepeat
	noteYear
	noteKinds
)

var noteTexts = [noteKinds]struct {
	kind          facts.NoteKind
	message, hint string
}{
	noteCut:        {facts.NoteLimit, "messages longer than 1 MiB were cut", ""},
	noteHeaderless: {facts.NoteUnread, "lines without any syslog header in a file whose lines have one", "text after a line break inside a message, or a forged line: relays should escape control characters"},
	noteUnlike:     {facts.NoteInfo, "lines whose header is unlike those of the rest of the file", "another sender's format, or a forged line: relays should escape control characters"},
	noteInner:      {facts.NoteInfo, "messages that hold what looks like another message's header; they were not split", "records without a line break between them, or a forged header inside a message"},
	noteRepeat:     {facts.NoteInfo, "\"last message repeated\" lines whose message is not the line before; their counts are lost", "switch off repeated message reduction in the relay"},
	noteYear:       {facts.NoteUnread, "times without a year, and nothing to infer it from", "give the file a modification time, or let the relay write RFC 3339 times"},
}

func (ps *parser) note(k noteKind, span evidence.Span) {
	n := &ps.notes[k]
	if n.count++; n.count == 1 {
		n.span = span
	}
}

func (ps *parser) giveNotes() {
	for k, n := range ps.notes {
		if n.count > 0 {
			t := noteTexts[k]
			ps.sink.Note(facts.Note{Kind: t.kind, Path: ps.f.Path, Span: n.span, Message: t.message, Hint: t.hint, Count: n.count})
		}
	}
}

// examine counts what is odd about a record.
func (ps *parser) examine(h *header, rec record, span evidence.Span, body []byte) {
	if rec.cut {
		ps.note(noteCut, span)
	}
	none := h.pri < 0 && h.times == 0 && !h.anchor
	switch {
	case none && statusReport(body):
	case none && (ps.p.mostTime || ps.p.mostPRI):
		ps.note(noteHeaderless, span)
	case ps.p.mostTime && h.times == 0, ps.p.mostPRI && h.pri < 0, ps.p.mostNoPRI && h.pri >= 0:
		ps.note(noteUnlike, span)
	}
	for b := body; ; {
		i := bytes.IndexByte(b, '<')
		if i < 0 {
			return
		}
		b = b[i:]
		if innerHeader(b) {
			ps.note(noteInner, span)
			return
		}
		b = b[1:]
	}
}

// statusReport reports whether a record is of the report that IOS and ASA print above the log buffer ("show logging"); its
// indented lines belong to the line they stand below.
func statusReport(body []byte) bool {
	for _, s := range [...]string{"Syslog logging: ", "Log Buffer (", "No Active Message Discriminator", "No Inactive Message Discriminator", "No active filter modules"} {
		if field.Has(body, s) {
			return true
		}
	}
	return false
}

// innerHeader reports whether b begins with a PRI and a time.
func innerHeader(b []byte) bool {
	h := header{pri: -1}
	n := h.readPRI(b)
	if n == 0 {
		return false
	}
	b = b[n:]
	if bytes.HasPrefix(b, []byte("1 ")) {
		b = b[2:]
	}
	var s stamp
	return s.readTime(b) > 0
}
