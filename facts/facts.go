// Package facts is the vendor-neutral model: what evidence states, with its positions, and the shapes of the readers that
// state it.
//
// Parsers state, checks judge: nothing here says good or bad. A value is a [V] whenever it can be unknown, masked by a
// backup tool or a platform default. Events (Transfer, Command, Auth, Change, Beat, Sample, Message) are valid only until
// the Sink's call returns: whoever keeps one copies it with its strings. A Device is given away for good.
package facts

import (
	"context"

	"github.com/quaymaster/quaymaster/evidence"
)

// A Confidence in a detection: 0 is no, 100 certain.
type Confidence uint8

// Confidence levels detectors use, so that they compare across formats.
const (
	No       Confidence = 0
	Possible Confidence = 20 // the shape allows it
	Likely   Confidence = 50 // several statements fit
	Strong   Confidence = 80 // statements no other platform has
	Certain  Confidence = 100
)

// A Format reads one framing of evidence.
type Format struct {
	Name string // "cisco-ios-config", "syslog"
	// Platform is the folder name of the platform, when the format belongs to one.
	Platform string
	// Detect looks at the path and up to 64 KiB from the start.
	Detect func(path string, head []byte) Confidence
	// Prologue reads what every piece of the file needs (header, reference year) from its first and last 64 KiB.
	Prologue func(f *evidence.File, head, tail []byte) any
	// Splits says the format may be read in pieces; else a file is one piece.
	Splits bool
	// Parse reads the records that begin in the piece. It returns an error only when the bytes could not be read;
	// what it does not understand is a Note or an Unread line.
	Parse func(context.Context, evidence.Piece, Sink) error
}

// A Dialect reads one kind of message inside a framed log.
type Dialect struct {
	Name     string
	Platform string
	Match    func(*Message) Confidence
	New      func() MessageParser
}

// A MessageParser reads messages of one dialect. It is used by one worker; it keeps no state between messages that
// would make the result depend on how the log was cut.
type MessageParser interface {
	// Message states the facts of m and reports whether it understood it.
	Message(m *Message, s Sink) bool
}

// A Sink takes facts. NewSink fills every field; callers replace those they want.
type Sink struct {
	Device   func(*Device)
	Transfer func(*Transfer)
	Command  func(*Command)
	Auth     func(*Auth)
	Change   func(*Change)
	Beat     func(*Beat)
	Sample   func(*Sample)
	Message  func(*Message)
	Note     func(Note)
	// Tag marks a secret for comparison under the run's key. It keeps nothing of its argument.
	Tag func(secret []byte) Tag
	// Secret reports where a secret lies in evidence that yields no Device (logs), so that outputs can mask it.
	Secret func(Secret)
}

// NewSink is a Sink that drops everything.
func NewSink() Sink {
	return Sink{
		Device:   func(*Device) {},
		Transfer: func(*Transfer) {},
		Command:  func(*Command) {},
		Auth:     func(*Auth) {},
		Change:   func(*Change) {},
		Beat:     func(*Beat) {},
		Sample:   func(*Sample) {},
		Message:  func(*Message) {},
		Note:     func(Note) {},
		Tag:      func([]byte) Tag { return Tag{} },
		Secret:   func(Secret) {},
	}
}
