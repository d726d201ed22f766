package tally

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"github.com/quaymaster/quaymaster/facts"
)

// A Result is what a whole run tallied, merged: the judge's view. Its iterations are in one order, whatever the order and
// cut of the input, and may run at the same time. It reads the tallies it was made of: close it before them.
type Result struct {
	// Files are the evidence the run read, for the profile made of it; the engine sets them.
	Files []FileRef

	o      Options
	all    []*Tally
	joined *Tally // sessions made of halves
	extra  *Tally // events under the addresses and devices they belong to, beside those that named the device so
}

// Merge joins the tallies of a run's workers, which have the same Options: halves of records become whole ones, and events
// are put into the trails of the addresses and devices they belong to.
func Merge(ctx context.Context, tallies []*Tally) (*Result, error) {
	var o Options
	for _, t := range tallies {
		if t.err != nil {
			return nil, t.err
		}
		o = t.o
	}
	r := &Result{o: o, all: tallies, joined: New(o), extra: New(o)}
	settle(r.all)
	err := r.join(ctx)
	settle([]*Tally{r.joined})
	if err == nil {
		err = r.assign(ctx)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("merge: %w", err), r.Close())
	}
	settle([]*Tally{r.extra})
	return r, nil
}

// Close removes what the merge spilled.
func (r *Result) Close() error { return errors.Join(r.joined.Close(), r.extra.Close()) }

func (r *Result) tallies() []*Tally { return append(slices.Clone(r.all), r.joined, r.extra) }

func (r *Result) join(ctx context.Context) error {
	srcs, err := sources(r.all, tableHalves)
	if err != nil {
		return err
	}
	j := &joiner{out: r.joined, names: map[string]string{}}
	if err := mergeAll(ctx, srcs, j.add); err != nil {
		return err
	}
	j.flush()
	return r.joined.err
}

// assign puts events under the entities they belong to.
func (r *Result) assign(ctx context.Context) error {
	if r.o.Entity == nil && r.o.Resolve == nil {
		return nil
	}
	srcs, err := sources(append(slices.Clone(r.all), r.joined), tableEvents)
	if err != nil {
		return err
	}
	names := map[string]string{}
	var ends []netip.Addr
	return mergeAll(ctx, srcs, func(key, val []byte) error {
		from, _, ok := entity(key)
		d := decoder{b: val, names: names}
		e := d.event()
		if !ok || d.err != nil || len(e.Spans) == 0 {
			return errShort
		}
		put := func(to Entity) {
			r.extra.keepFor(to, e.Time, e.Spans[0].Pos, func(b []byte) []byte { return append(b, val...) })
		}
		if r.o.Resolve != nil {
			if name := r.o.Resolve(from.Name); name != from.Name {
				put(Entity{KindDevice, name})
			}
		}
		ends = e.ends(ends[:0])
		for i, a := range ends {
			if r.o.Entity != nil && !slices.Contains(ends[:i], a) && r.o.Entity(a) {
				put(Entity{KindAddress, a.String()})
			}
		}
		r.extra.check()
		return r.extra.err
	})
}

// ends are the addresses an event names.
func (e *Event) ends(to []netip.Addr) []netip.Addr {
	add := func(a netip.Addr) {
		if a.IsValid() {
			to = append(to, a.Unmap())
		}
	}
	switch {
	case e.Transfer != nil:
		add(e.Transfer.Client)
		add(e.Transfer.Server)
	case e.Command != nil:
		add(e.Command.Source)
		if e.Command.Copy != nil {
			add(e.Command.Copy.Addr)
		}
	case e.Auth != nil:
		add(e.Auth.Source)
	case e.Change != nil:
		add(e.Change.Source)
	}
	return to
}

// settle puts the events in memory in order once, so that iterating changes nothing.
func settle(all []*Tally) {
	var wg sync.WaitGroup
	for _, t := range all {
		wg.Go(func() {
			t.sortEvents()
			t.sortHalves()
			t.sorted = true
		})
	}
	wg.Wait()
}

// seen is one vantage's cell of a day.
type seen struct {
	vantage string
	c       cell
}

// A pairing gathers the cells of one pair.
type pairing struct {
	each  func(Key, *Pair)
	any   bool
	key   Key
	day   uint32
	cells []seen // of the day; those beyond its length are used again
	p     Pair
	per   map[string]vantageSum
	name  string // the vantage before
}

// A vantageSum is what a pair had from a vantage.
type vantageSum struct {
	sessions int64 // of the days it was the best
	platform string
}

func newPairing(each func(Key, *Pair)) *pairing {
	return &pairing{each: each, per: map[string]vantageSum{}}
}

// Pairs calls each for every pair, in order of client, server, protocol and port. The pair is the callee's to keep.
func (r *Result) Pairs(ctx context.Context, each func(Key, *Pair)) error {
	srcs, err := sources(r.tallies(), tableCells)
	if err != nil {
		return err
	}
	g := newPairing(each)
	if err := mergeEqual(ctx, srcs, g.add); err != nil {
		return err
	}
	g.emit()
	return nil
}

func readKey(b []byte) (k Key) {
	copy(k.Client[:], b)
	copy(k.Server[:], b[16:])
	k.Protocol = facts.Protocol(b[32])
	k.Port = binary.BigEndian.Uint16(b[33:])
	return k
}

func (g *pairing) add(key []byte, c *cell) error {
	if len(key) < cellKeyLen {
		return errShort
	}
	k, day := readKey(key), binary.BigEndian.Uint32(key[keyLen:])
	if g.any && k != g.key {
		g.emit()
	}
	if g.any && day != g.day {
		g.choose()
	}
	g.any, g.key, g.day = true, k, day
	if name := key[cellKeyLen:]; g.name != string(name) {
		g.name = string(name)
	}
	n := len(g.cells)
	g.cells = slices.Grow(g.cells, 1)[:n+1]
	s := &g.cells[n]
	s.vantage = g.name
	s.c, *c = *c, s.c
	return nil
}

// choose adds the best vantage's figures of the day. Refusals are the most any vantage saw: a firewall that refuses knows
// what a sensor behind it cannot.
func (g *pairing) choose() {
	best := &g.cells[0]
	var denied, failed int64
	for i := range g.cells {
		s := &g.cells[i]
		v := g.per[s.vantage]
		g.per[s.vantage] = vantageSum{v.sessions, smaller(v.platform, s.c.platform)}
		denied, failed = max(denied, s.c.denied), max(failed, s.c.failed)
		if a, b := s.c.rank(), best.c.rank(); a > b || a == b && s.c.sessions > best.c.sessions {
			best = s
		}
	}
	best.c.denied, best.c.failed = denied, failed
	v := g.per[best.vantage]
	g.per[best.vantage] = vantageSum{v.sessions + best.c.sessions, v.platform}
	g.p.add(&best.c, g.day)
	g.cells = g.cells[:0]
}

func (p *Pair) add(c *cell, day uint32) {
	p.Sessions, p.Denied, p.Failed = p.Sessions+c.sessions, p.Denied+c.denied, p.Failed+c.failed
	p.Approved, p.OpenerUnknown = p.Approved+c.approved, p.OpenerUnknown+c.unknown
	p.Out, p.In, p.Total = sum(p.Out, c.out), sum(p.In, c.in), sum(p.Total, c.total)
	p.OutKnown, p.InKnown, p.TotalKnown = p.OutKnown+c.outKnown, p.InKnown+c.inKnown, p.TotalKnown+c.totalKnown
	p.MaxOut = max(p.MaxOut, c.maxOut)
	e := cell{first: p.First, firstSpan: p.FirstSpan}
	e.begin(c.first, c.firstSpan)
	p.First, p.FirstSpan = e.first, e.firstSpan
	p.Last = max(p.Last, c.last)
	if day != 0 {
		p.Days[day%512/64] |= 1 << (day % 64)
	}
	for i := range p.Hours {
		p.Hours[i] |= c.hours[i]
	}
	p.Ops, p.By = p.Ops|c.ops, p.By|c.by
	p.Starts.Merge(&c.starts)
	p.Sizes.Merge(&c.sizes)
	p.PerDay = append(p.PerDay, Day{
		Day: day, Sessions: c.sessions, Denied: c.denied, Failed: c.failed, Out: c.out, In: c.in, Total: c.total,
		OutKnown: c.outKnown, InKnown: c.inKnown, TotalKnown: c.totalKnown,
	})
}

func (g *pairing) emit() {
	if !g.any {
		return
	}
	g.choose()
	main, first := "", true
	for n, v := range g.per {
		if top := g.per[main].sessions; first || v.sessions > top || v.sessions == top && n < main {
			main, first = n, false
		}
	}
	g.p.Device, g.p.Format = splitVantage(main)
	g.p.Platform = g.per[main].platform
	g.p.Vantage = vantageLabel(main)
	for n := range g.per {
		if n != main {
			g.p.Witness = append(g.p.Witness, vantageLabel(n))
		}
	}
	slices.Sort(g.p.Witness)
	g.each(g.key, &g.p)
	g.p, g.any = Pair{}, false
	clear(g.per)
}

// vantageLabel is a vantage as reports name it.
func vantageLabel(v string) string {
	device, format := splitVantage(v)
	return strings.TrimSpace(device + " " + format)
}

// Series calls each for every series, in order of source and class. The series is the callee's to keep.
func (r *Result) Series(ctx context.Context, each func(SeriesKey, *Series)) error {
	srcs, err := sources(r.tallies(), tableSeries)
	if err != nil {
		return err
	}
	g := seriesGroup{each: each}
	if err := mergeEqual(ctx, srcs, g.add); err != nil {
		return err
	}
	g.emit()
	return nil
}

// A seriesGroup gathers the days of one series.
type seriesGroup struct {
	each func(SeriesKey, *Series)
	any  bool
	raw  []byte // of the record's key, without the day
	s    Series
}

// dayLen is the length of the day that ends a series' key.
const dayLen = 4

func (g *seriesGroup) add(key []byte, b *beat) error {
	if len(key) < dayLen {
		return errShort
	}
	name, day := key[:len(key)-dayLen], binary.BigEndian.Uint32(key[len(key)-dayLen:])
	if g.any && !bytes.Equal(name, g.raw) {
		g.emit()
	}
	g.any, g.raw = true, append(g.raw[:0], name...)
	s := &g.s
	s.Count += b.count
	if b.first != 0 && (s.First == 0 || b.first < s.First) {
		s.First = b.first
	}
	s.Last = max(s.Last, b.last)
	s.Slots.Merge(&b.slots)
	s.PerDay = append(s.PerDay, DayCount{day, b.count})
	return nil
}

func (g *seriesGroup) emit() {
	if !g.any {
		return
	}
	var k SeriesKey
	k.Source, g.raw, _ = text(g.raw)
	k.Class, _, _ = text(g.raw)
	g.each(k, &g.s)
	g.s, g.any = Series{}, false
}

// How many events of an entity are given at once. A longer trail comes in parts, split after trailSoft events where nothing
// happened for trailQuiet seconds, at the latest after trailHard.
const (
	trailSoft  = 1 << 16
	trailHard  = 1 << 17
	trailQuiet = 30
)

// Trails calls each for every entity's kept events, addresses before devices, both in order of name; events in order of
// time, path and offset. An entity with very many events comes in several parts, in order, so that no more than trailHard
// events are held. The events are the callee's to keep.
func (r *Result) Trails(ctx context.Context, each func(Entity, []Event)) error {
	srcs, err := sources(r.tallies(), tableEvents)
	if err != nil {
		return err
	}
	var raw []byte // the entity's part of the key
	var now Entity
	var events []Event
	elsewhere := false // the entity's events are under the device it resolves to
	names := map[string]string{}
	emit := func() {
		if len(events) > 0 {
			each(now, events)
		}
		events = nil
		clear(names)
	}
	err = mergeAll(ctx, srcs, func(key, val []byte) error {
		e, rest, ok := entity(key)
		if !ok {
			return errShort
		}
		if head := key[:len(key)-len(rest)]; !bytes.Equal(head, raw) {
			emit()
			raw, now = append(raw[:0], head...), e
			elsewhere = e.Kind == KindDevice && r.o.Resolve != nil && r.o.Resolve(e.Name) != e.Name
		}
		if elsewhere {
			return nil
		}
		d := decoder{b: val, names: names}
		x := d.event()
		if d.err != nil {
			return d.err
		}
		if n := len(events); n >= trailHard || n >= trailSoft && x.Time.Unix-events[n-1].Time.Unix > trailQuiet {
			emit()
		}
		events = append(events, x)
		return nil
	})
	if err == nil {
		emit()
	}
	return err
}
