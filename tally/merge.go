package tally

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func protocol(b byte) facts.Protocol { return facts.Protocol(b) }

// A Result is what a whole run tallied, merged: the judge's view. Its iterations are in one order, whatever the order and
// cut of the input. It reads the tallies it was made of: close it before them.
type Result struct {
	all    []*Tally
	joined *Tally // whole records made of halves, and the trail
}

// Merge joins the tallies of a run's workers: halves of records become whole ones, in order of device and time.
func Merge(ctx context.Context, tallies []*Tally) (*Result, error) {
	var o Options
	for _, t := range tallies {
		if t.err != nil {
			return nil, t.err
		}
		o = t.o
	}
	j := &joiner{ctx: ctx, out: New(o), open: map[uint64]*half{}}
	r := &Result{all: tallies, joined: j.out}
	err := mergeTable(tallies, tableEvents, j.event)
	if err == nil {
		err = j.flush()
	}
	if err == nil {
		err = j.out.err
	}
	if err != nil {
		r.Close()
		return nil, fmt.Errorf("join records: %w", err)
	}
	return r, nil
}

// Close removes what the merge spilled.
func (r *Result) Close() error { return r.joined.Close() }

// A half is the beginning of a record whose end was not seen yet.
type half struct {
	x     *facts.Transfer
	spans []evidence.Span
	pos   evidence.Pos
}

// A joiner reads events by device and time and makes whole records of halves. It holds the open ones of one device.
type joiner struct {
	ctx    context.Context
	n      int
	out    *Tally
	device []byte
	open   map[uint64]*half
}

func (j *joiner) event(key, val []byte) error {
	if j.n++; j.n%65536 == 0 && j.ctx.Err() != nil {
		return j.ctx.Err()
	}
	if device := deviceOf(key); !bytes.Equal(device, j.device) {
		if err := j.flush(); err != nil {
			return err
		}
		j.device = append(j.device[:0], device...)
	}
	d := decoder{b: val}
	e := d.event()
	if d.err != nil {
		return d.err
	}
	if e.Transfer == nil || e.Transfer.Half == facts.Whole {
		j.out.keep(e.Device, e.Time, e.Spans[0].Pos, false, func(b []byte) []byte { return append(b, val...) })
		j.out.check()
		return nil
	}
	if e.Transfer.Half == facts.Build {
		if old := j.open[e.Transfer.Conn]; old != nil { // the number was used again before an end was seen
			j.whole(old.x, old.spans)
		}
		j.open[e.Transfer.Conn] = &half{x: e.Transfer, spans: e.Spans}
		return nil
	}
	begun := j.open[e.Transfer.Conn]
	if begun == nil || !sameEnds(begun.x, e.Transfer) {
		j.orphan(e.Transfer, e.Spans)
		return nil
	}
	delete(j.open, e.Transfer.Conn)
	x := begun.x
	x.Out, x.In, x.Total, x.Duration = e.Transfer.Out, e.Transfer.In, e.Transfer.Total, e.Transfer.Duration
	x.User = cmp.Or(x.User, e.Transfer.User)
	if e.Transfer.Outcome != facts.OutcomeUnknown {
		x.Outcome = e.Transfer.Outcome
	}
	if e.Transfer.Complete != facts.TriUnknown {
		x.Complete = e.Transfer.Complete
	}
	j.whole(x, append(begun.spans, e.Spans...))
	return nil
}

// deviceOf is the device part of an event's key, as it is written.
func deviceOf(key []byte) []byte {
	if i := bytes.Index(key, []byte{0, 0}); i >= 0 {
		return key[:i]
	}
	return key
}

func sameEnds(a, b *facts.Transfer) bool {
	return a.Client == b.Client && a.Server == b.Server && a.ClientPort == b.ClientPort && a.ServerPort == b.ServerPort ||
		a.Client == b.Server && a.Server == b.Client && a.ClientPort == b.ServerPort && a.ServerPort == b.ClientPort
}

// orphan is an end without a beginning: nobody says who opened it. When only one side's port is a transfer protocol's,
// that side is taken for the server.
func (j *joiner) orphan(x *facts.Transfer, spans []evidence.Span) {
	if facts.ByPort(x.Transport, x.ServerPort) == facts.ProtocolUnknown && facts.ByPort(x.Transport, x.ClientPort) != facts.ProtocolUnknown {
		x.Client, x.Server = x.Server, x.Client
		x.ClientPort, x.ServerPort = x.ServerPort, x.ClientPort
		x.Out, x.In = x.In, x.Out
	}
	if x.Outcome == facts.OutcomeUnknown {
		x.Outcome = facts.Allowed // a connection that ended had been let through
	}
	j.whole(x, spans)
}

func (j *joiner) whole(x *facts.Transfer, spans []evidence.Span) {
	x.Half, x.Conn = facts.Whole, 0
	x.Span = spans[0]
	if j.out.o.Keep != nil && j.out.o.Keep(x) || x.Outcome == facts.Denied || x.Outcome == facts.Failed {
		j.out.keep(x.Device, x.Time, x.Span.Pos, false, func(b []byte) []byte { return appendTransfer(b, x, spans) })
	}
	j.out.pair(x)
	j.out.check()
}

// flush makes the beginnings without an end into sessions of unknown size.
func (j *joiner) flush() error {
	ids := make([]uint64, 0, len(j.open))
	for id := range j.open {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		j.whole(j.open[id].x, j.open[id].spans)
		delete(j.open, id)
	}
	return j.out.err
}

// rank says how much a vantage's figures tell, best first: bytes by direction, bytes, sessions, refusals only.
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

// seen is one vantage's cell of a day.
type seen struct {
	vantage string
	c       cell
}

// A pairing gathers the cells of one pair.
type pairing struct {
	key   Key
	any   bool
	day   uint32
	cells []seen // of the day
	p     Pair
	per   map[string]int64 // sessions by chosen vantage
	all   map[string]bool
}

// Pairs calls each for every pair, in order of client, server, protocol and port.
func (r *Result) Pairs(ctx context.Context, each func(Key, *Pair)) error {
	g := pairing{per: map[string]int64{}, all: map[string]bool{}}
	n := 0
	err := mergeTable(append(slices.Clone(r.all), r.joined), tableCells, func(key, val []byte) error {
		if n++; n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d := decoder{b: val}
		c := d.cell()
		if d.err != nil || len(key) < cellKeyLen {
			return errShort
		}
		k, day, vantage := readKey(key), binary.BigEndian.Uint32(key[keyLen:]), string(key[cellKeyLen:])
		if g.any && k != g.key {
			g.emit(each)
		}
		if g.any && day != g.day {
			g.choose()
		}
		g.any, g.key, g.day = true, k, day
		if n := len(g.cells); n > 0 && g.cells[n-1].vantage == vantage {
			g.cells[n-1].c.merge(&c)
		} else {
			g.cells = append(g.cells, seen{vantage, c})
		}
		return nil
	})
	if err != nil {
		return err
	}
	if g.any {
		g.emit(each)
	}
	return nil
}

// choose adds the best vantage's figures of the day. Refusals are the most any vantage saw.
func (g *pairing) choose() {
	best := 0
	var denied, failed int64
	for i := range g.cells {
		c := &g.cells[i].c
		g.all[g.cells[i].vantage] = true
		denied, failed = max(denied, c.denied), max(failed, c.failed)
		if b := &g.cells[best].c; c.rank() > b.rank() || c.rank() == b.rank() && c.sessions > b.sessions {
			best = i
		}
	}
	c := &g.cells[best].c
	c.denied, c.failed = denied, failed
	g.per[g.cells[best].vantage] += c.sessions
	g.p.add(c, g.day)
	g.cells = g.cells[:0]
}

func (p *Pair) add(c *cell, day uint32) {
	p.Sessions, p.Denied, p.Failed, p.Approved = p.Sessions+c.sessions, p.Denied+c.denied, p.Failed+c.failed, p.Approved+c.approved
	p.Out, p.In, p.Total = p.Out+c.out, p.In+c.in, p.Total+c.total
	p.OutKnown, p.InKnown, p.TotalKnown = p.OutKnown+c.outKnown, p.InKnown+c.inKnown, p.TotalKnown+c.totalKnown
	p.MaxOut = max(p.MaxOut, c.maxOut)
	if c.first != 0 && (p.First == 0 || c.first < p.First) || p.FirstSpan.IsZero() {
		p.First, p.FirstSpan = c.first, c.firstSpan
	}
	p.Last = max(p.Last, c.last)
	if day != 0 {
		p.Days[day%512/64] |= 1 << (day % 64)
	}
	for i := range p.Hours {
		p.Hours[i] |= c.hours[i]
	}
	p.Ops, p.By = p.Ops|c.ops, p.By|c.by
	p.Starts.Merge(&c.starts)
}

func (g *pairing) emit(each func(Key, *Pair)) {
	g.choose()
	names := sortedNames(g.all)
	main := names[0]
	for _, n := range names {
		if g.per[n] > g.per[main] || g.per[main] == 0 && g.per[n] > 0 {
			main = n
		}
	}
	g.p.named(main)
	for _, n := range names {
		if n != main {
			g.p.Witness = append(g.p.Witness, vantageLabel(n))
		}
	}
	each(g.key, &g.p)
	g.p, g.any = Pair{}, false
	clear(g.per)
	clear(g.all)
}

func (p *Pair) named(vantage string) {
	parts := append(strings.SplitN(vantage, "\x00", 3), "", "", "")
	p.Device, p.Format, p.Platform, p.Vantage = parts[0], parts[1], parts[2], vantageLabel(vantage)
}

// vantageLabel is a vantage as reports name it.
func vantageLabel(v string) string {
	parts := append(strings.SplitN(v, "\x00", 3), "", "", "")
	return strings.TrimSpace(parts[0] + " " + parts[1])
}

func sortedNames(m map[string]bool) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	slices.Sort(names)
	return names
}

// Series calls each for every series, in order of source and class.
func (r *Result) Series(ctx context.Context, each func(SeriesKey, *Series)) error {
	var last []byte
	var sum Series
	emit := func() error {
		if last == nil {
			return nil
		}
		i := bytes.Index(last, []byte{0, 0})
		if i < 0 {
			return errShort
		}
		each(SeriesKey{Source: unescape(last[:i]), Class: string(last[i+2:])}, &sum)
		return nil
	}
	n := 0
	err := mergeTable(r.all, tableSeries, func(key, val []byte) error {
		if n++; n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		d := decoder{b: val}
		s := d.series()
		if d.err != nil {
			return d.err
		}
		if last != nil && bytes.Equal(last, key) {
			sum.merge(&s)
			return nil
		}
		if err := emit(); err != nil {
			return err
		}
		last, sum = append(last[:0:0], key...), s
		return nil
	})
	if err != nil {
		return err
	}
	return emit()
}

func unescape(b []byte) string { return string(bytes.ReplaceAll(b, []byte{0, 255}, []byte{0})) }

// Trails calls each for every device's kept events, devices in order of name, events in order of time, path and offset.
func (r *Result) Trails(ctx context.Context, each func(Entity, []Event)) error {
	var device []byte
	var events []Event
	n := 0
	err := mergeTable([]*Tally{r.joined}, tableEvents, func(key, val []byte) error {
		if n++; n%65536 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if d := deviceOf(key); !bytes.Equal(d, device) {
			if len(events) > 0 {
				each(Entity{Kind: "device", Name: unescape(device)}, events)
			}
			device, events = append(device[:0:0], d...), nil
		}
		d := decoder{b: val}
		events = append(events, d.event())
		return d.err
	})
	if err == nil && len(events) > 0 {
		each(Entity{Kind: "device", Name: unescape(device)}, events)
	}
	return err
}
