// Package syslog reads the framing of syslog text: what stands before a message and where it begins and ends.
//
// It reads what devices, relays and daemons write in practice, mixed line by line: RFC 3164 and RFC 5424, counted octets,
// Cisco's sequence numbers, origin ids, clock marks and uptime, years before, inside or after the date, a relay's header
// before the device's, and the file formats of rsyslog and syslog-ng. A header that cannot be read never costs the
// message: it is anchored on the text.
//
// A record is a line with the lines that continue it: those that begin with a blank and hold no header. What a record
// states depends on its own bytes, on the prologue and, for "last message repeated N times", on the record after it; never
// on where the file was cut. Times are resolved by these rules: a stated year and zone are believed; a missing year is the
// latest that puts the time no later than a day after the reference (the youngest time with a year at the file's end, else
// the file's own time); a missing zone is UTC. When both a relay's and the device's time are there, the device's counts,
// put on the relay's time line; a clock that the device itself calls unset gives way to the relay's.
//
// Bytes are hostile: a sender can put line ends into a message and so write lines of its own. Such a line cannot be told
// from a real one by itself, so lines that differ from their file in having or lacking a header are counted in a note, and
// text inside a message that looks like another message's header is never split off.
package syslog

import (
	"bytes"
	"context"
	"fmt"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// Format is the syslog framing. It emits Messages and Notes.
func Format() facts.Format {
	return facts.Format{Name: "syslog", Detect: detect, Prologue: readPrologue, Splits: true, Parse: parse}
}

// A prologue is what every piece of a file needs.
type prologue struct {
	limit  calendarLimit
	octets bool
	// What most records of the file have; senders that do not are named in a note.
	mostPRI, mostNoPRI, mostTime bool
}

// Whole reports whether the file must be read in one piece: records of counted octets cannot be found from the middle.
func (p *prologue) Whole() bool { return p.octets }

const (
	day = 86400 // also how much later than the reference a time without year may be: clocks and zones differ
	// earliest is the oldest file time believed, 1990: archives made to be reproducible say 1970 or 1980.
	earliest = 631152000
	window   = 64 << 10 // how much of the file's ends Detect and Prologue are given
)

// readPrologue looks at the file's ends only, so that it is the same for every piece.
func readPrologue(f *evidence.File, head, tail []byte) any {
	p := &prologue{octets: octetFrames(head)}
	var sh shape
	young := sh.scan(wholeLines(head, true))
	switch whole := f.Size >= 0 && int64(len(head)) >= f.Size || f.Size < 0 && len(head) < window; {
	case whole:
	case len(tail) > 0:
		var end shape
		if t := end.scan(wholeLines(tail, false)); t != 0 {
			young = max(young, t)
			break
		}
		fallthrough
	default:
		if young != 0 { // the years at the start are at most so much older where the file ends
			young += 366 * day
		}
	}
	ref := young
	if mod := f.Mod.Unix(); mod > earliest && (ref == 0 || mod < ref) {
		ref = mod // no sender can put the others' lines into the future
	}
	if ref != 0 {
		p.limit = limitAt(ref + day)
	}
	if sh.records >= 5 {
		p.mostPRI = sh.pri*10 >= sh.records*9
		p.mostNoPRI = sh.pri*10 <= sh.records
		p.mostTime = sh.time*10 >= sh.records*9
	}
	return p
}

// wholeLines drops the line that a window of the file cuts: the last of its start, the first of its end.
func wholeLines(b []byte, start bool) []byte {
	if start {
		b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			return b[:i]
		}
		return b
	}
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[i+1:]
	}
	return nil
}

// A shape counts what the records of a text have.
type shape struct {
	records, pri, time int
	// strong records have what nothing but a log has: a PRI, a Cisco message, a time and a tag. weak ones have a time and a
	// host, which might be two columns of something else.
	strong, weak int
}

// scan counts the records of b and returns the youngest time with a year, 0 when there is none.
func (s *shape) scan(b []byte) (young int64) {
	var h header
	var m memo
	for len(b) > 0 {
		line, rest, _ := bytes.Cut(b, []byte("\n"))
		b = rest
		if len(bytes.TrimRight(line, " \t\r\x00")) == 0 || line[0] == ' ' || line[0] == '\t' {
			continue
		}
		h.read(line, &m)
		s.records++
		if h.pri >= 0 {
			s.pri++
		}
		switch {
		case h.pri >= 0, h.anchor, h.times > 0 && !h.tag.empty():
			s.strong++
		case h.times > 0 && !h.host.empty():
			s.weak++
		}
		if h.times == 0 {
			continue
		}
		s.time++
		for _, t := range h.stamps[:h.times] {
			switch {
			case t.kind == calendar && t.year != 0 && !t.marked:
				young = max(young, t.resolve(calendarLimit{}).Unix)
			case t.kind == instant:
				young = max(young, t.epoch)
			}
		}
	}
	return young
}

// octetFrames reports whether head is a stream of counted octets that is not also a file of lines.
func octetFrames(head []byte) bool {
	frames, needed := 0, false
	for len(head) > 0 && frames < 8 {
		n, width, ok := frameLength(head)
		if !ok {
			return false
		}
		frame := head[width+1:]
		if len(frame) < n {
			break
		}
		if bytes.IndexByte(frame[:n-1], '\n') >= 0 || n < len(frame) && frame[n] != '\n' && frame[n-1] != '\n' {
			needed = true
		}
		head = bytes.TrimLeft(frame[n:], "\n")
		frames++
	}
	return frames > 0 && needed
}

// detect looks for headers at the starts of lines.
func detect(_ string, head []byte) facts.Confidence {
	if bytes.IndexByte(head[:min(len(head), 512)], 0) >= 0 && bytes.Count(head, []byte{0})*20 > len(head) {
		return facts.No
	}
	if octetFrames(head) {
		return facts.Strong
	}
	var s shape
	text := wholeLines(head, true)
	s.scan(text)
	if s.records == 0 {
		return facts.No
	}
	switch {
	case s.strong*10 >= s.records*9:
		return facts.Strong
	case s.strong*2 >= s.records, s.strong*3 >= s.records && (s.strong+s.weak)*10 >= s.records*9:
		return facts.Likely
	case s.strong*5 >= s.records:
		return facts.Possible
	}
	return facts.No
}

// A parser reads one piece.
type parser struct {
	r       *reader
	p       *prologue
	f       *evidence.File
	sink    facts.Sink
	atStart bool // no record was read yet, and the piece begins the file
	headers [2]header
	memo    memo
	msg     facts.Message
	notes   [noteKinds]struct {
		count int
		span  evidence.Span
	}
}

func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	p, _ := piece.Prologue.(*prologue)
	if p == nil {
		p = readPrologue(piece.File, nil, nil).(*prologue)
	}
	from := piece.From
	if from > 0 {
		from-- // is From the start of a line?
	}
	src, err := piece.Open(from)
	if err != nil {
		return fmt.Errorf("open %s at byte %d: %w", piece.Path, from, err)
	}
	defer src.Close()
	ps := &parser{r: newReader(src, from, piece.To-from, p.octets), p: p, f: piece.File, sink: sink}
	if err := ps.records(ctx, piece.From, piece.To); err != nil {
		return err
	}
	if err := ps.r.err; err != nil {
		return fmt.Errorf("read %s at byte %d: %w", piece.Path, ps.r.base+int64(ps.r.r), err)
	}
	ps.giveNotes()
	return nil
}

// records reads the records that begin in [from, to), and looks at the one after.
func (ps *parser) records(ctx context.Context, from, to int64) error {
	r := ps.r
	ps.begin(from)
	cur, held := &ps.headers[0], &ps.headers[1]
	for lines := 1; r.next(); lines++ {
		if lines&(1<<16-1) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		rec := r.bytes(r.cur)
		beyond := r.cur.off-r.bom >= to
		r.bom = 0
		if beyond && !r.hold {
			break
		}
		cur.read(rec, &ps.memo)
		if cur.body.empty() && cur.times == 0 {
			continue
		}
		if cur.wasRepeated {
			ps.repeated(held, cur)
		}
		ps.atStart = false
		if r.hold {
			ps.emit(held)
			r.hold = false
		}
		if beyond {
			return nil
		}
		r.held, r.hold = r.cur, true
		cur, held = held, cur
	}
	if r.hold {
		ps.emit(held)
		r.hold = false
	}
	return ctx.Err()
}

// begin goes to the first record that begins at or after from: past the rest of a line and the lines that continue it.
func (ps *parser) begin(from int64) {
	r := ps.r
	if ps.atStart = from == 0; ps.atStart {
		if r.have(3) && string(r.buf[:3]) == "\xef\xbb\xbf" {
			r.r, r.bom = 3, 3
		}
		return
	}
	r.skipLine()
	for r.continues() {
		r.skipLine()
	}
}

// repeated adds what "last message repeated N times" says to the message before it, when it is the same sender's.
func (ps *parser) repeated(held, cur *header) {
	r := ps.r
	if !r.hold && !ps.atStart {
		return // a piece's first record: the piece that holds the record before it saw to this
	}
	if !r.hold || held.wasRepeated || string(held.host.of(r.bytes(r.held))) != string(cur.host.of(r.bytes(r.cur))) {
		ps.note(noteRepeat, ps.f.Span(r.cur.off, int(cur.end)))
		return
	}
	held.repeat = max(held.repeat, 1) + min(cur.repeat, 1<<31)
}

// emit hands the held record to the sink.
func (ps *parser) emit(h *header) {
	rec := ps.r.held
	b := ps.r.bytes(rec)
	span := ps.f.Span(rec.off, int(h.end))
	m := &ps.msg // every field is set: cheaper than making it new
	m.Time, m.Relay = facts.Stamp{}, facts.Stamp{}
	m.Host, m.Tag = field.View(h.host.of(b)), field.View(h.tag.of(b))
	m.Pid, m.ID = field.View(h.pid.of(b)), field.View(h.id.of(b))
	m.Body, m.BodyPos = h.body.of(b), evidence.MakePos(ps.f.Rank, rec.off+int64(h.body.from))
	m.Seq, m.PRI, m.Span, m.Repeat, m.File = h.seq, h.pri, span, h.repeat, ps.f
	m.Data = nil
	if h.wasRepeated {
		m.Repeat = 0
	}
	if !h.data.empty() {
		m.Data = h.data.of(b)
	}
	switch h.times {
	case 1:
		m.Time = h.stamps[0].resolve(ps.p.limit)
		if !ps.p.limit.known && h.stamps[0].kind == calendar && h.stamps[0].year == 0 {
			ps.note(noteYear, span)
		}
	case 2:
		m.Time, m.Relay = resolveRelayed(&h.stamps[1], &h.stamps[0], ps.p.limit)
	}
	ps.examine(h, rec, span, m.Body)
	ps.sink.Message(m)
}
