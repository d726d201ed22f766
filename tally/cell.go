package tally

import (
	"math"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A cell is what one vantage saw of a pair on one day. Everything in it commutes.
type cell struct {
	sessions, denied, failed, approved, unknown int64
	out, in, total                              int64
	outKnown, inKnown, totalKnown               int64
	maxOut                                      int64
	first, last                                 int64 // 0 when nothing had a time
	firstSpan                                   evidence.Span
	hours                                       [3]uint64
	ops, by                                     uint8
	platform                                    string // the smallest that was told
	starts                                      Slots
	sizes                                       Histogram
}

// sum adds numbers that are not negative, up to the largest there is: what a hostile log counts must not come out below
// zero.
func sum(a, b int64) int64 {
	if s := a + b; s >= 0 {
		return s
	}
	return math.MaxInt64
}

// timed reports whether a stamp is an instant.
func timed(s facts.Stamp) bool { return s.Quality > facts.UptimeOnly && s.Unix > 0 }

func (c *cell) add(x *facts.Transfer, approved bool) {
	switch x.Outcome {
	case facts.Denied:
		c.denied++
	case facts.Failed:
		c.failed++
	case facts.Allowed, facts.OutcomeUnknown:
		c.session(x, approved)
	}
	if x.Out >= 0 {
		c.out, c.outKnown, c.maxOut = sum(c.out, x.Out), c.outKnown+1, max(c.maxOut, x.Out)
	}
	if x.In >= 0 {
		c.in, c.inKnown = sum(c.in, x.In), c.inKnown+1
	}
	if x.Total >= 0 {
		c.total, c.totalKnown = sum(c.total, x.Total), c.totalKnown+1
	}
	c.ops |= 1 << (x.Op & 7)
	c.by |= 1 << (x.By & 7)
	if !timed(x.Time) {
		c.begin(0, x.Span)
		return
	}
	at := x.Time.Unix
	c.begin(at, x.Span)
	c.last = max(c.last, at)
	h := at / 3600 % 168
	c.hours[h/64] |= 1 << (h % 64)
	c.starts.Add(at)
}

func (c *cell) session(x *facts.Transfer, approved bool) {
	c.sessions++
	if approved {
		c.approved++
	}
	if x.Opener != facts.OpenerStated {
		c.unknown++
	}
	switch {
	case x.Out >= 0:
		c.sizes.Add(x.Out)
	case x.Total >= 0:
		c.sizes.Add(x.Total)
	}
}

// begin keeps the earliest time with its position; a time goes before none.
func (c *cell) begin(at int64, span evidence.Span) {
	if c.first == at {
		if c.firstSpan.IsZero() || !span.IsZero() && lessSpan(span, c.firstSpan) {
			c.firstSpan = span
		}
		return
	}
	if at != 0 && (c.first == 0 || at < c.first) {
		c.first, c.firstSpan = at, span
	}
}

func lessSpan(a, b evidence.Span) bool { return a.Pos < b.Pos || a.Pos == b.Pos && a.Len < b.Len }

// merge adds o to c.
func (c *cell) merge(o *cell) {
	c.sessions, c.denied, c.failed = c.sessions+o.sessions, c.denied+o.denied, c.failed+o.failed
	c.approved, c.unknown = c.approved+o.approved, c.unknown+o.unknown
	c.out, c.in, c.total = sum(c.out, o.out), sum(c.in, o.in), sum(c.total, o.total)
	c.outKnown, c.inKnown, c.totalKnown = c.outKnown+o.outKnown, c.inKnown+o.inKnown, c.totalKnown+o.totalKnown
	c.maxOut = max(c.maxOut, o.maxOut)
	c.begin(o.first, o.firstSpan)
	c.last = max(c.last, o.last)
	for i := range c.hours {
		c.hours[i] |= o.hours[i]
	}
	c.ops, c.by = c.ops|o.ops, c.by|o.by
	c.platform = smaller(c.platform, o.platform)
	c.starts.Merge(&o.starts)
	c.sizes.Merge(&o.sizes)
}

// rank says how much a vantage's figures tell, best first: bytes by direction, bytes, sessions, refusals only. This is
// the one table that decides between vantages; among equals the one with more sessions counts, then the smaller name.
func (c *cell) rank() int {
	switch {
	case c.outKnown > 0 && c.inKnown > 0:
		return 3
	case c.totalKnown > 0 || c.outKnown > 0 || c.inKnown > 0:
		return 2
	case c.sessions > 0:
		return 1
	}
	return 0
}

// numbers are the cell's integers, in the order they are written.
func (c *cell) numbers() [14]*int64 {
	return [...]*int64{
		&c.sessions, &c.denied, &c.failed, &c.approved, &c.unknown, &c.out, &c.in, &c.total, &c.outKnown, &c.inKnown, &c.totalKnown,
		&c.maxOut, &c.first, &c.last,
	}
}

func (c *cell) encode(b []byte) []byte {
	for _, n := range c.numbers() {
		b = appendInt(b, *n)
	}
	for _, h := range c.hours {
		b = appendUint(b, h)
	}
	b = append(b, c.ops, c.by)
	b = appendString(b, c.platform)
	b = appendSlots(b, &c.starts)
	b = appendHistogram(b, &c.sizes)
	return appendSpan(b, c.firstSpan)
}

// decode replaces c, and uses its memory again.
func (c *cell) decode(d *decoder) {
	for _, n := range c.numbers() {
		*n = d.int()
	}
	for i := range c.hours {
		c.hours[i] = d.uint()
	}
	c.ops, c.by = d.byte(), d.byte()
	c.platform = d.string()
	d.slots(&c.starts)
	d.histogram(&c.sizes)
	c.firstSpan = d.span()
}

// A beat is a series of one day.
type beat struct {
	count       int64
	first, last int64
	slots       Slots
}

func (s *beat) add(at facts.Stamp) {
	s.count++
	if !timed(at) {
		return
	}
	if s.first == 0 || at.Unix < s.first {
		s.first = at.Unix
	}
	s.last = max(s.last, at.Unix)
	s.slots.Add(at.Unix)
}

func (s *beat) merge(o *beat) {
	s.count += o.count
	if o.first != 0 && (s.first == 0 || o.first < s.first) {
		s.first = o.first
	}
	s.last = max(s.last, o.last)
	s.slots.Merge(&o.slots)
}

func (s *beat) encode(b []byte) []byte {
	return appendSlots(appendInt(appendInt(appendInt(b, s.count), s.first), s.last), &s.slots)
}

func (s *beat) decode(d *decoder) {
	s.count, s.first, s.last = d.int(), d.int(), d.int()
	d.slots(&s.slots)
}
