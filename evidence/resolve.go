package evidence

import (
	"bufio"
	"bytes"
	"cmp"
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

// A Place is a span resolved: lines and columns count from 1, columns are Unicode code points, EndColumn is one past the
// last. Line is 0 when the file is gone or shorter than it was.
type Place struct {
	Path                             string
	Line, Column, EndLine, EndColumn int
	// Text is the whole lines of the span without the last line end, as the bytes are, carriage returns included; a line over
	// 400 bytes and a span over 12 lines are cut.
	Text string
	// TextStart is where Text begins, so that secrets in it can be found.
	TextStart Pos
}

// Resolve turns spans into places, in the order given. Each file is read once, forward, up to its last span.
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
	for len(order) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
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
		err = resolveFile(r, rank, spans, order[:n], out)
		r.Close()
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", f.Path, err)
		}
		order = order[n:]
	}
	return out, nil
}

// An open is a place whose end was not reached.
type open struct {
	i     int // index of the span
	lines int // kept so far
}

// resolveFile reads r line by line; wanted are indexes of spans of this file, by position.
func resolveFile(r io.Reader, rank uint32, spans []Span, wanted []int, out []Place) error {
	br := bufio.NewReaderSize(r, 64<<10)
	var going []open
	var off int64
	ends := "" // the previous line's end: Text is the file's bytes, so that positions of secrets hold in it
	for line := 1; len(wanted) > 0 || len(going) > 0; line++ {
		l, err := nextLine(br)
		if l.size == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		for len(wanted) > 0 && spans[wanted[0]].Pos.Off() < off+l.size {
			i := wanted[0]
			wanted = wanted[1:]
			p := &out[i]
			p.Line, p.TextStart = line, MakePos(rank, off)
			p.Column = l.column(spans[i].Pos.Off() - off)
			going = append(going, open{i: i})
		}
		keep := going[:0]
		for _, g := range going {
			p := &out[g.i]
			if g.lines < maxPlaceLines {
				if g.lines > 0 {
					p.Text += ends
				}
				p.Text += string(l.text)
			}
			g.lines++
			p.EndLine = line
			end := spans[g.i].Pos.Off() + int64(spans[g.i].Len)
			if end <= off+l.size {
				p.EndColumn = max(l.column(end-off), 1)
				if p.EndLine == p.Line {
					p.EndColumn = max(p.EndColumn, p.Column)
				}
				continue
			}
			p.EndColumn = l.column(l.size)
			// Text must stay contiguous with the file for its secrets to be found: a cut line ends it.
			if l.cut {
				g.lines = maxPlaceLines
			}
			keep = append(keep, g)
		}
		going = keep
		off += l.size
		ends = l.end
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// A lineOf is one line: the bytes it took with its end, and what is kept of it.
type lineOf struct {
	size int64
	text []byte // without line end, at most maxPlaceLine bytes, cut between characters
	end  string // the line end
	cut  bool
}

// column is the code point, from 1, of the byte at off in the line; beyond the kept text bytes are counted.
func (l *lineOf) column(off int64) int {
	n := min(off, int64(len(l.text)))
	c := 1 + utf8.RuneCount(l.text[:n])
	if l.cut && off > n {
		c += int(off - n)
	}
	return c
}

func nextLine(br *bufio.Reader) (lineOf, error) {
	var l lineOf
	for {
		part, err := br.ReadSlice('\n')
		l.size += int64(len(part))
		if room := maxPlaceLine + utf8.UTFMax - len(l.text); room > 0 {
			l.text = append(l.text, part[:min(room, len(part))]...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if int64(len(l.text)) == l.size { // the line end is among what was kept
			whole := l.text
			l.text = bytes.TrimSuffix(bytes.TrimSuffix(whole, []byte("\n")), []byte("\r"))
			l.end = string(whole[len(l.text):])
		}
		if len(l.text) > maxPlaceLine {
			n := maxPlaceLine
			for n > 0 && !utf8.RuneStart(l.text[n]) {
				n--
			}
			l.text, l.cut = l.text[:n], true
		}
		return l, err
	}
}
