package parsers

import (
	"bytes"
	"context"
	"math"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// PieceSize is the length of the pieces that large files are read in, in bytes.
const PieceSize = 64 << 20

// maxRepeat bounds how often one message is counted when a sender says that it occurred more often ("last message repeated
// N times"): N is text, and text is hostile.
const maxRepeat = 1000

// Pieces cuts f for the workers and reads its prologue. A file is one piece when it cannot be opened in the middle, or when
// its format or its own framing does not allow it.
func Pieces(f *evidence.File, format facts.Format) ([]evidence.Piece, error) {
	return pieces(f, format, PieceSize)
}

func pieces(f *evidence.File, format facts.Format, size int64) ([]evidence.Piece, error) {
	whole := evidence.Piece{File: f, To: math.MaxInt64}
	if f.Size >= 0 {
		whole.To = f.Size
	}
	splits := format.Splits && f.Seekable && f.Size > size
	if format.Prologue != nil {
		head, err := readHead(f)
		if err != nil {
			return nil, err
		}
		var tail []byte
		if f.Seekable && f.Size > headSize {
			if tail, err = readAt(f, f.Size-headSize); err != nil {
				return nil, err
			}
		}
		whole.Prologue = format.Prologue(f, head, tail)
		if p, ok := whole.Prologue.(interface{ Whole() bool }); ok && p.Whole() {
			splits = false
		}
	}
	if !splits {
		return []evidence.Piece{whole}, nil
	}
	var out []evidence.Piece
	for from := int64(0); from < f.Size; from += size {
		p := whole
		p.From, p.To = from, min(from+size, f.Size)
		out = append(out, p)
	}
	return out, nil
}

// Read states the facts of one piece. Events get the device, format, platform and vantage that recorded them when the
// format does not say: the message's sender, else the file's host. Messages go to the dialect that matches them best; those
// that none takes give a beat with their tag as class, and are handed to the sink as messages. Notes alike are given once,
// with their number and the first one's place; [MergeNotes] joins those of several pieces.
func Read(ctx context.Context, piece evidence.Piece, format facts.Format, sink facts.Sink) error {
	p := newPipeline(piece.File, format, sink, Dialects())
	err := format.Parse(ctx, piece, p.outer)
	p.finish()
	return err
}

// A voice is a dialect in use in one piece.
type voice struct {
	facts.Dialect
	parser   facts.MessageParser
	vantages map[string]string // by device
	unread   string            // the note's message
}

// maxVantages bounds the vantage names a piece keeps; more are made anew each time.
const maxVantages = 1 << 16

// A pipeline fills events in and hands messages out, for one piece.
type pipeline struct {
	file  *evidence.File
	sink  facts.Sink // the caller's
	outer facts.Sink // the format's
	inner facts.Sink // the dialects'
	notes notes

	voices []voice
	anchor []*voice // those whose messages begin with "%"
	others []*voice
	plain  voice // the format's own events, and messages that no dialect takes

	speaking *voice // whose event is being filled in
	device   string
	beat     facts.Beat
	urls     []copycmd.Secret
	secrets  []evidence.Span // given for this message
}

func newPipeline(f *evidence.File, format facts.Format, sink facts.Sink, dialects []facts.Dialect) *pipeline {
	p := &pipeline{file: f, sink: sink}
	p.plain = voice{Dialect: facts.Dialect{Name: format.Name, Platform: format.Platform}}
	p.speaking, p.device = &p.plain, f.Host
	p.voices = make([]voice, len(dialects))
	for i, d := range dialects {
		v := &p.voices[i]
		v.Dialect = d
		v.unread = d.Name + " messages that carry facts could not be read"
		if d.Name == "asa-syslog" || d.Name == "ios-syslog" {
			p.anchor = append(p.anchor, v)
		} else {
			p.others = append(p.others, v)
		}
	}
	p.inner = p.filling(sink)
	p.outer = p.inner
	p.outer.Message = p.message
	p.inner.Secret = p.secret
	return p
}

// filling is sink with what an event's own reader left open filled in.
func (p *pipeline) filling(sink facts.Sink) facts.Sink {
	s := sink
	s.Note = p.notes.add
	s.Transfer = func(t *facts.Transfer) {
		p.fill(&t.Device, &t.Format, &t.Platform)
		if t.Vantage == "" {
			t.Vantage = p.vantage(t)
		}
		if t.Path == "" {
			t.Path = p.file.Path
		}
		sink.Transfer(t)
	}
	s.Command = func(c *facts.Command) {
		p.fill(&c.Device, &c.Format, &c.Platform)
		sink.Command(c)
	}
	s.Auth = func(a *facts.Auth) {
		p.fill(&a.Device, &a.Format, &a.Platform)
		sink.Auth(a)
	}
	s.Change = func(c *facts.Change) {
		p.fill(&c.Device, &c.Format, &c.Platform)
		sink.Change(c)
	}
	s.Beat = func(b *facts.Beat) {
		p.fill(&b.Device, &b.Format, &b.Platform)
		sink.Beat(b)
	}
	s.Sample = func(x *facts.Sample) {
		if x.Device == "" {
			x.Device = p.device
		}
		sink.Sample(x)
	}
	return s
}

func (p *pipeline) fill(device, format, platform *string) {
	if *device == "" {
		*device = p.device
	}
	if *format == "" {
		*format = p.speaking.Name
	}
	if *platform == "" {
		*platform = p.speaking.Platform
	}
}

// vantage names who saw a transfer: device and format; the file when nobody says whose it is.
func (p *pipeline) vantage(t *facts.Transfer) string {
	device := t.Device
	if device == "" {
		device = p.file.Path
	}
	if t.Format != p.speaking.Name {
		return device + " " + t.Format
	}
	v := p.speaking
	if name, ok := v.vantages[device]; ok {
		return name
	}
	device = strings.Clone(device)
	name := device + " " + t.Format
	if v.vantages == nil {
		v.vantages = map[string]string{}
	}
	if len(v.vantages) < maxVantages {
		v.vantages[device] = name
	}
	return name
}

// message hands one message to its dialect.
func (p *pipeline) message(m *facts.Message) {
	p.device = m.Host
	if p.device == "" {
		p.device = p.file.Host
	}
	p.secrets = p.secrets[:0]
	if bytes.IndexByte(m.Body, '@') >= 0 {
		p.urlSecrets(m)
	}
	v := p.choose(m)
	times := min(max(m.Repeat, 1), maxRepeat)
	if v == nil {
		p.speaking = &p.plain
		if m.Tag != "" || m.PRI >= 0 || m.Time.Quality != facts.NoTime { // text without any header is no sign of life
			p.beat = facts.Beat{Time: m.Time, Class: m.Tag, Sequence: m.Seq, Span: m.Span}
			for range times {
				p.inner.Beat(&p.beat)
			}
		}
		p.sink.Message(m)
	} else {
		p.speaking = v
		for range times {
			if !v.parser.Message(m, p.inner) {
				p.notes.add(facts.Note{Kind: facts.NoteUnread, Span: m.Span, Message: v.unread})
			}
		}
	}
	if m.Repeat > maxRepeat {
		p.notes.add(facts.Note{Kind: facts.NoteLimit, Span: m.Span, Message: "messages said to be repeated over 1000 times were counted 1000 times"})
	}
}

// urlSecrets reports the passwords of URLs in any message, whoever reads it.
func (p *pipeline) urlSecrets(m *facts.Message) {
	p.urls = copycmd.URLSecrets(p.urls[:0], m.Body)
	for _, x := range p.urls {
		p.secret(facts.Secret{
			Kind: x.Kind, Storage: x.Storage, Name: x.Name, Tag: p.sink.Tag(m.Body[x.Start:x.End]),
			Span: evidence.Span{Pos: m.BodyPos + evidence.Pos(x.Start), Len: uint32(x.End - x.Start)},
		})
	}
}

// secret gives a secret once for a message.
func (p *pipeline) secret(x facts.Secret) {
	if slices.Contains(p.secrets, x.Span) {
		return
	}
	p.secrets = append(p.secrets, x.Span)
	p.sink.Secret(x)
}

// choose is the dialect that matches m best, the first of equals; nil when none does. Messages that begin with "%" are
// offered to the dialects of that form first: most of a network's log is theirs.
func (p *pipeline) choose(m *facts.Message) *voice {
	var best *voice
	most := facts.No
	if len(m.Body) > 0 && m.Body[0] == '%' {
		for _, v := range p.anchor {
			if c := v.Match(m); c > most {
				best, most = v, c
			}
			if most == facts.Certain {
				break
			}
		}
	}
	if most < facts.Strong {
		for _, v := range p.others {
			if c := v.Match(m); c > most {
				best, most = v, c
			}
		}
	}
	if best != nil && best.parser == nil {
		best.parser = best.New()
	}
	return best
}

// finish gives the notes.
func (p *pipeline) finish() { p.notes.give(p.file, p.sink) }

// empty is the format of a file without content: it states nothing.
func empty() facts.Format {
	return facts.Format{
		Name:   "empty",
		Detect: func(string, []byte) facts.Confidence { return facts.No },
		Parse: func(_ context.Context, piece evidence.Piece, s facts.Sink) error {
			s.Note(facts.Note{Path: piece.Path, Message: "the file is empty"})
			return nil
		},
	}
}
