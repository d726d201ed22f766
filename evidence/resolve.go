package evidence

import (
	"bytes"
	"cmp"
	"compress/flate"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

// What a Place shows of its lines.
const (
	maxPlaceLines = 12
	maxPlaceLine  = 400 // bytes of one line; the rest is left out
)

// A Place is a span resolved: lines and columns count from 1, columns are Unicode code points (a byte that is no UTF-8 is
// one), EndColumn is one past the last. Line is 0 when the stream ends before the span.
type Place struct {
	Path                             string
	Line, Column, EndLine, EndColumn int
	// Text is the whole lines of the span without the last line end, as the bytes are, carriage returns included; a line
	// over 400 bytes and a span over 12 lines are cut. It is contiguous in the file.
	Text string
	// TextStart is where Text begins, so that secrets in it can be found.
	TextStart Pos
}

// Resolve turns spans into places, in the order given. Each file is read once, forward, up to its last span, a block at a
// time.
func (s *Set) Resolve(ctx context.Context, spans []Span) ([]Place, error) {
	out := make([]Place, len(spans))
	order := make([]int, 0, len(spans))
	for i, sp := range spans {
		if f := s.File(sp.Pos.Rank()); f != nil {
			out[i].Path = f.Path
			order = append(order, i)
		}
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(spans[a].Pos, spans[b].Pos) })
	buf := make([]byte, 128<<10)
	for len(order) > 0 {
		rank := spans[order[0]].Pos.Rank()
		n := 1
		for n < len(order) && spans[order[n]].Pos.Rank() == rank {
			n++
		}
		f := s.File(rank)
		r, err := f.Open(0)
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", f.Path, err)
		}
		v := resolver{b: blocks{ctx: ctx, r: r, buf: buf}, rank: rank, spans: spans, wanted: order[:n], out: out, line: 1}
		err = v.run()
		r.Close()
		if err != nil && !broken(err) {
			return nil, fmt.Errorf("read %s: %w", f.Path, err)
		}
		order = order[n:]
	}
	return out, ctx.Err()
}

// broken reports whether compression is damaged: whoever parsed the stream told that, and nothing was found beyond.
func broken(err error) bool {
	var c flate.CorruptInputError
	return errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &c)
}

// blocks reads a stream in parts of lines.
type blocks struct {
	ctx  context.Context
	r    io.Reader
	buf  []byte
	i, n int // buf[i:n] is read and not taken
	err  error
}

// fill reads more when there is room for it.
func (b *blocks) fill() {
	if b.i > 0 {
		b.n = copy(b.buf, b.buf[b.i:b.n])
		b.i = 0
	}
	for range 100 {
		n, err := b.r.Read(b.buf[b.n:])
		b.n += n
		if b.err = cmp.Or(err, b.ctx.Err()); n > 0 || b.err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}

// part takes a line, or a part of one that is longer than the buffer. end says that the line ends with it. A part ends
// between characters, and before a carriage return. It is empty at the end of the stream, and valid until the next call.
func (b *blocks) part() (p []byte, end bool) {
	seen := 0
	for {
		if j := bytes.IndexByte(b.buf[b.i+seen:b.n], '\n'); j >= 0 {
			p = b.buf[b.i : b.i+seen+j+1]
			b.i += len(p)
			return p, true
		}
		seen = b.n - b.i
		if b.err != nil {
			p = b.buf[b.i:b.n]
			b.i = b.n
			return p, true
		}
		if seen == len(b.buf) {
			p = b.buf[:whole(b.buf)]
			b.i = len(p)
			return p, false
		}
		b.fill()
	}
}

// whole is how much of a full buffer can be taken: not the beginning of a character, nor of a line end.
func whole(b []byte) int {
	if n := len(b); b[n-1] == '\r' {
		return n - 1
	}
	return between(b)
}

// between is the length of b without the beginning of a character at its end.
func between(b []byte) int {
	for k := 1; k < utf8.UTFMax && k <= len(b); k++ {
		if at := len(b) - k; utf8.RuneStart(b[at]) {
			if !utf8.FullRune(b[at:]) {
				return at
			}
			break
		}
	}
	return len(b)
}

// skip takes whole lines that end at most n bytes on, as far as they are in the buffer.
func (b *blocks) skip(n int64) (lines int, taken int64) {
	window := b.buf[b.i:b.n]
	if int64(len(window)) > n {
		window = window[:n]
	}
	j := bytes.LastIndexByte(window, '\n')
	if j < 0 {
		return 0, 0
	}
	b.i += j + 1
	return bytes.Count(window[:j+1], []byte("\n")), int64(j + 1)
}

// A begun place waits for its end, or for the text of the line it ended in.
type begun struct {
	i     int // index of the span
	lines int // of text kept so far
	ended bool
	full  bool // no more text
}

// A resolver is in a line of one file.
type resolver struct {
	b      blocks
	rank   uint32
	spans  []Span
	wanted []int // indexes of spans not begun, by position
	out    []Place
	going  []begun

	line   int
	start  int64 // of the line
	off    int64 // of what comes next
	runes  int   // code points of the line before off
	text   []byte
	cut    bool   // text is not the whole line
	before string // the previous line's end
}

func (v *resolver) run() error {
	for len(v.wanted)+len(v.going) > 0 {
		if len(v.going) == 0 && v.off == v.start {
			lines, n := v.b.skip(v.spans[v.wanted[0]].Pos.Off() - v.off)
			v.line += lines
			v.off += n
			v.start = v.off
		}
		p, end := v.b.part()
		if len(p) == 0 && v.off == v.start {
			break
		}
		v.part(p, end) // empty when a part reached exactly to the end of the stream
		if end || len(v.wanted) == 0 && v.cut && v.done() {
			v.endLine(p)
		}
	}
	if errors.Is(v.b.err, io.EOF) || len(v.wanted)+len(v.going) == 0 {
		return nil
	}
	return v.b.err
}

// done reports that no place waits for its end.
func (v *resolver) done() bool {
	return !slices.ContainsFunc(v.going, func(g begun) bool { return !g.ended })
}

// part begins and ends the places that begin and end in p, a part of the line.
func (v *resolver) part(p []byte, end bool) {
	content := p
	if end {
		content = bytes.TrimSuffix(bytes.TrimSuffix(p, []byte("\n")), []byte("\r"))
	}
	column := func(off int64) int {
		return v.runes + utf8.RuneCount(content[:min(off-v.off, int64(len(content)))]) + 1
	}
	next := v.off + int64(len(p))
	for len(v.wanted) > 0 && v.spans[v.wanted[0]].Pos.Off() < next {
		i := v.wanted[0]
		v.wanted = v.wanted[1:]
		o := &v.out[i]
		o.Line, o.Column, o.TextStart = v.line, column(v.spans[i].Pos.Off()), MakePos(v.rank, v.start)
		v.going = append(v.going, begun{i: i})
	}
	all := 0
	if end {
		all = column(next)
	}
	for k := range v.going {
		g := &v.going[k]
		if g.ended {
			continue
		}
		o := &v.out[g.i]
		o.EndLine = v.line
		if stop := v.spans[g.i].Pos.Off() + int64(v.spans[g.i].Len); stop <= next {
			g.ended = true
			o.EndColumn = column(stop)
		} else if end {
			o.EndColumn = all
		}
	}
	v.keep(content)
	v.runes += utf8.RuneCount(content)
	v.off = next
}

// keep adds to the text of the line.
func (v *resolver) keep(content []byte) {
	if v.cut {
		return
	}
	room := maxPlaceLine - len(v.text)
	if len(content) <= room {
		v.text = append(v.text, content...)
		return
	}
	v.text = append(v.text, content[:room]...)
	v.text, v.cut = v.text[:between(v.text)], true
}

// endLine gives the places the line's text, and forgets those that ended. p is the line's last part.
func (v *resolver) endLine(p []byte) {
	keep := v.going[:0]
	text := ""
	for _, g := range v.going {
		o := &v.out[g.i]
		if !g.full {
			if text == "" {
				text = string(v.text)
			}
			if g.lines > 0 {
				o.Text += v.before + text
			} else {
				o.Text = text
			}
			g.lines++
			g.full = v.cut || g.lines == maxPlaceLines
		}
		if !g.ended {
			keep = append(keep, g)
		}
	}
	v.going = keep
	switch {
	case bytes.HasSuffix(p, []byte("\r\n")):
		v.before = "\r\n"
	case bytes.HasSuffix(p, []byte("\n")):
		v.before = "\n"
	default:
		v.before = ""
	}
	v.line++
	v.start, v.runes, v.text, v.cut = v.off, 0, v.text[:0], false
}
