// Package hostfile reads the text files of Unix hosts line by line, accounts for every line, and keeps the place of
// whatever is taken out of them.
//
// A [File] holds the source and its [Line]s; readers of one kind of file mark the lines they understood, state facts on
// [File.Device] and end with [File.Finish]. A line nobody marked is unrecognised. Text is read by [Part]s, which know
// where they lie, so that a secret or a value can be shown where it stands. Facts must copy text: the source's memory is
// used again.
package hostfile

import (
	"bytes"
	"context"
	"path"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A Syntax is how lines become statements.
type Syntax struct {
	// Comments are the bytes that begin a comment as the first of a line's text.
	Comments string
	// Continue: a backslash at the end of a line joins the next one to it. Words of the two are apart.
	Continue bool
}

// A Line is a statement: one line, or several that are joined.
type Line struct {
	Part
	Comment bool
	State   facts.LineState
	Reason  string // why it is not understood; may be empty
	lines   int
}

// A File is one being read.
type File struct {
	Device *facts.Device
	Lines  []Line
	Sink   facts.Sink
	// Cut says that the source is longer than was read.
	Cut bool

	file *evidence.File
	src  []byte
}

// Read reads a whole file into lines. It is nil, without an error, for a piece other than a file's first: the files of a
// host are never split.
func Read(ctx context.Context, piece evidence.Piece, sink facts.Sink, format string, s Syntax) (*File, error) {
	if piece.From > 0 {
		return nil, nil
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return nil, err
	}
	f := &File{
		Sink: sink, Cut: more, file: piece.File, src: src,
		Device: &facts.Device{
			Path: piece.Path, Format: format, Platform: Platform(piece.File), Taken: piece.Mod, Has: facts.HasConfig, Aspect: Place(piece.Path),
		},
	}
	f.split(s)
	return f, ctx.Err()
}

// Source is the whole text. It must not be kept.
func (f *File) Source() Part { return Part{0, f.src} }

// blanks are what a line without content may hold.
const blanks = " \t\r\v\f\b\x00"

func (f *File) split(s Syntax) {
	at := 0
	if bytes.HasPrefix(f.src, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	joined := false
	for at < len(f.src) {
		end, next := len(f.src), len(f.src)
		if i := bytes.IndexByte(f.src[at:], '\n'); i >= 0 {
			end, next = at+i, at+i+1
		}
		text := bytes.TrimRight(f.src[at:end], blanks)
		lead := len(text) - len(bytes.TrimLeft(text, blanks))
		start := at + lead
		text = text[lead:]
		at = next
		if len(text) == 0 {
			joined = false
			continue
		}
		if joined {
			l := &f.Lines[len(f.Lines)-1]
			l.lines++
			l.Text = f.src[l.At : start+len(text)]
		} else {
			f.Lines = append(f.Lines, Line{Part: Part{start, text}, Comment: strings.IndexByte(s.Comments, text[0]) >= 0, lines: 1})
		}
		l := &f.Lines[len(f.Lines)-1]
		joined = s.Continue && !l.Comment && text[len(text)-1] == '\\'
		if len(l.Text) > tree.MaxLine {
			f.long(l)
		}
	}
}

func (f *File) long(l *Line) {
	l.Text = l.Text[:tree.MaxLine]
	if !l.Comment && l.Reason == "" {
		l.Reason = "longer than a line can be"
		f.Sink.Note(facts.Note{Kind: facts.NoteUnread, Path: f.file.Path, Span: f.file.Span(int64(l.At), 1), Message: "a line is longer than 1 MiB; its rest was not read"})
	}
}

// Span is where a part stands.
func (f *File) Span(p Part) evidence.Span { return f.file.Span(int64(p.At), len(p.Text)) }

// Say is the text of a part as a value stated there.
func (f *File) Say(p Part) facts.V[string] { return facts.Say(p.String(), f.Span(p)) }

// OK marks a line as understood.
func (l *Line) OK() { l.State = facts.Understood }

// Skip marks a line as one that cannot bear on transfers.
func (l *Line) Skip() { l.State = facts.Irrelevant }

// Unsupported marks a line that bears on transfers and is not modelled.
func (l *Line) Unsupported(reason string) { l.State, l.Reason = facts.Unsupported, reason }

// hidden are what tools and people put in a secret's place.
func hidden(b []byte) bool {
	return len(bytes.Trim(b, "*")) == 0 || len(bytes.Trim(b, "xX")) == 0 && len(b) >= 4 ||
		b[0] == '<' && b[len(b)-1] == '>'
}

// Secret states where a secret lies. An empty one is none.
func (f *File) Secret(p Part, s facts.Secret) {
	if len(p.Text) == 0 {
		return
	}
	s.Span = f.Span(p)
	if hidden(p.Text) {
		s.Storage = facts.StorageMasked
	} else {
		s.Tag, s.Guessable = f.Sink.Tag(p.Text), facts.Guessable(p.Text)
	}
	f.Device.Secrets = append(f.Device.Secrets, s)
}

// Note tells something about the file as a whole.
func (f *File) Note(kind facts.NoteKind, message, hint string) {
	f.Sink.Note(facts.Note{Kind: kind, Path: f.file.Path, Message: message, Hint: hint})
}

// Finish accounts for the lines and gives the device away.
func (f *File) Finish() {
	d := f.Device
	for i := range f.Lines {
		l := &f.Lines[i]
		s := l.State
		if s == facts.Unrecognised && l.Comment {
			s = facts.Irrelevant
		}
		switch s {
		case facts.Understood:
			d.Lines.Understood += l.lines
		case facts.Irrelevant:
			d.Lines.Irrelevant += l.lines
		case facts.Unsupported:
			d.Lines.Unsupported += l.lines
		case facts.Unrecognised:
			d.Lines.Unrecognised += l.lines
		}
		if (s == facts.Unsupported || s == facts.Unrecognised) && len(d.Unread) < facts.MaxUnread {
			d.Unread = append(d.Unread, facts.Unread{State: s, Transfer: transferwords.Find(l.Text), Reason: l.Reason, Span: f.Span(l.Part)})
		}
	}
	d.Markers = facts.Markers(f.file, f.src, 0)
	f.Sink.Device(d)
}

// Platform is whose host a file is: the manifest's word, else macOS by the folders only it has, else Linux.
func Platform(f *evidence.File) string {
	if f.Platform != "" {
		return f.Platform
	}
	for _, dir := range [...]string{"private/etc/", "private/var/", "Library/LaunchDaemons/", "Library/LaunchAgents/", "System/Library/"} {
		if strings.HasPrefix(f.Path, dir) || strings.Contains(f.Path, "/"+dir) {
			return facts.MacOS
		}
	}
	return facts.Linux
}

// roots are folders that lie at the root of a host's file system; what is before them in a path is the collector's.
var roots = []string{"private/etc/", "etc/", "usr/", "lib/", "private/var/", "var/", "System/", "Library/", "root/", "home/", "Users/", "opt/", "run/"}

// Place is a file's place on its host, without a slash before it; its own name when the path does not tell.
func Place(name string) string {
	if i := strings.LastIndex("/"+name, "/etc/"); i >= 0 {
		return strings.TrimPrefix(name[i:], "/")
	}
	for _, r := range roots {
		if i := strings.Index("/"+name, "/"+r); i >= 0 {
			return name[i:]
		}
	}
	return path.Base(name)
}

// URLSecrets states the passwords of the URLs in a part.
func (f *File) URLSecrets(p Part) {
	for _, s := range copycmd.URLSecrets(nil, p.Text) {
		f.Secret(p.Slice(s.Start, s.End), facts.Secret{Kind: s.Kind, Storage: s.Storage, Name: s.Name})
	}
}
