package tally

import (
	"cmp"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Options of a Tally.
type Options struct {
	// MemoryLimit is how many bytes the tables may take before they are written to Dir; 0 is 128 MiB.
	MemoryLimit int64
	// Dir holds what is spilled, in files that Close removes; empty is the system's temporary folder.
	Dir string
	// Keep says which transfers the trail keeps besides denied and failed ones and halves of records; nil keeps none.
	Keep func(*facts.Transfer) bool
	// Approved says whether a workflow covers a transfer; nil approves none.
	Approved func(*facts.Transfer) bool
}

const defaultLimit = 128 << 20

// A Tally belongs to one worker: it takes no locks.
type Tally struct {
	o     Options
	names map[string]uint32
	list  []string

	cells  map[cellKey]int32
	store  []cell
	series map[seriesKey]int32
	beats  []Series

	arena  []byte // encoded events
	events []eventRef

	last lastVantage
	size int64
	runs []run
	err  error
}

// A lastVantage spares building the name of the vantage of every record of a log.
type lastVantage struct {
	device, format, platform string
	number                   uint32
}

// A cellKey is a pair seen by one vantage on one day.
type cellKey struct {
	Key
	day     uint32
	vantage uint32
}

// A cell is what one vantage saw of a pair on one day. Everything in it commutes.
type cell struct {
	sessions, denied, failed, approved int64
	out, in, total                     int64
	outKnown, inKnown, totalKnown      int64
	maxOut                             int64
	first, last                        int64
	hours                              [3]uint64
	ops, by                            uint8
	starts                             Slots
	firstSpan                          evidence.Span
}

type seriesKey struct{ source, class uint32 }

// An eventRef is an event in the arena with what it is sorted by.
type eventRef struct {
	device   uint32
	late     bool // halves that end a record come after those that begin one within a second
	time     facts.Stamp
	pos      evidence.Pos
	off, len int
}

// Estimated bytes of a table entry with its map slot.
const (
	cellSize   = 320
	seriesSize = 96
	eventSize  = 64
)

// New makes an empty tally.
func New(o Options) *Tally {
	if o.MemoryLimit <= 0 {
		o.MemoryLimit = defaultLimit
	}
	t := &Tally{o: o, names: map[string]uint32{}}
	t.reset()
	return t
}

func (t *Tally) reset() {
	t.cells, t.store = map[cellKey]int32{}, nil
	t.series, t.beats = map[seriesKey]int32{}, nil
	t.arena, t.events, t.size = nil, nil, 0
}

// Close removes what was spilled.
func (t *Tally) Close() error {
	var errs []error
	for _, r := range t.runs {
		errs = append(errs, os.Remove(r.path))
	}
	t.runs = nil
	return errors.Join(errs...)
}

// name is the number of s. Numbers mean nothing outside of this tally.
func (t *Tally) name(s string) uint32 {
	if n, ok := t.names[s]; ok {
		return n
	}
	s = string([]byte(s)) // events are valid only until the call returns
	n := uint32(len(t.list))
	t.names[s] = n
	t.list = append(t.list, s)
	t.size += int64(len(s)) + 48
	return n
}

// vantageName joins what a vantage is named by; none of the parts holds a NUL.
func vantageName(device, format, platform string) string {
	return device + "\x00" + format + "\x00" + platform
}

// Add tallies a transfer: whole ones by pair, and into the trail those it keeps.
func (t *Tally) Add(x *facts.Transfer) {
	if x.Half != facts.Whole || x.Outcome == facts.Denied || x.Outcome == facts.Failed || t.o.Keep != nil && t.o.Keep(x) {
		t.keep(x.Device, x.Time, x.Span.Pos, x.Half == facts.Teardown, func(b []byte) []byte { return appendTransfer(b, x, []evidence.Span{x.Span}) })
	}
	if x.Half == facts.Whole {
		t.pair(x)
	}
	t.check()
}

// pair adds a whole transfer to its cell.
func (t *Tally) pair(x *facts.Transfer) {
	if !x.Client.IsValid() || !x.Server.IsValid() {
		return
	}
	k := cellKey{Key: Key{Client: x.Client.As16(), Server: x.Server.As16(), Protocol: x.Protocol, Port: x.ServerPort}}
	k.vantage = t.vantage(x)
	timed := x.Time.Quality > facts.UptimeOnly && x.Time.Unix > 0
	if timed {
		k.day = uint32(x.Time.Unix / day)
	}
	i, ok := t.cells[k]
	if !ok {
		i = int32(len(t.store))
		t.cells[k] = i
		t.store = append(t.store, cell{})
		t.size += cellSize
	}
	c := &t.store[i]
	before := len(c.starts.Times)
	c.add(x, timed, t.o.Approved != nil && x.Outcome == facts.Allowed && t.o.Approved(x))
	t.size += int64(len(c.starts.Times)-before) * 4
}

// vantage is the number of the transfer's vantage, found without building its name when it is the same as before.
func (t *Tally) vantage(x *facts.Transfer) uint32 {
	if l := &t.last; l.device == x.Device && l.format == x.Format && l.platform == x.Platform && l.device != "" {
		return l.number
	}
	full := vantageName(x.Device, x.Format, x.Platform)
	n := t.name(full)
	parts := strings.SplitN(t.list[n], "\x00", 3) // of the kept name: the event's strings end with the call
	t.last = lastVantage{parts[0], parts[1], parts[2], n}
	return n
}

func (c *cell) add(x *facts.Transfer, timed, approved bool) {
	switch x.Outcome {
	case facts.Denied:
		c.denied++
	case facts.Failed:
		c.failed++
	case facts.Allowed, facts.OutcomeUnknown:
		c.sessions++
	}
	if approved {
		c.approved++
	}
	if x.Out >= 0 {
		c.out, c.outKnown, c.maxOut = c.out+x.Out, c.outKnown+1, max(c.maxOut, x.Out)
	}
	if x.In >= 0 {
		c.in, c.inKnown = c.in+x.In, c.inKnown+1
	}
	if x.Total >= 0 {
		c.total, c.totalKnown = c.total+x.Total, c.totalKnown+1
	}
	c.ops |= 1 << x.Op
	c.by |= 1 << x.By
	if !timed {
		if c.firstSpan.IsZero() || x.Span.Pos < c.firstSpan.Pos && c.first == 0 {
			c.firstSpan = x.Span
		}
		return
	}
	at := x.Time.Unix
	if c.first == 0 || at < c.first || at == c.first && x.Span.Pos < c.firstSpan.Pos {
		c.first, c.firstSpan = at, x.Span
	}
	c.last = max(c.last, at)
	h := at / 3600 % 168
	c.hours[h/64] |= 1 << (h % 64)
	c.starts.Add(at)
}

// merge adds o to c.
func (c *cell) merge(o *cell) {
	c.sessions, c.denied, c.failed, c.approved = c.sessions+o.sessions, c.denied+o.denied, c.failed+o.failed, c.approved+o.approved
	c.out, c.in, c.total = c.out+o.out, c.in+o.in, c.total+o.total
	c.outKnown, c.inKnown, c.totalKnown = c.outKnown+o.outKnown, c.inKnown+o.inKnown, c.totalKnown+o.totalKnown
	c.maxOut = max(c.maxOut, o.maxOut)
	switch {
	case c.firstSpan.IsZero():
		c.first, c.firstSpan = o.first, o.firstSpan
	case o.firstSpan.IsZero():
	case c.first == 0 || o.first == 0: // a time beats none
		if c.first == 0 && o.first == 0 {
			if o.firstSpan.Pos < c.firstSpan.Pos {
				c.firstSpan = o.firstSpan
			}
		} else if c.first == 0 {
			c.first, c.firstSpan = o.first, o.firstSpan
		}
	case o.first < c.first || o.first == c.first && o.firstSpan.Pos < c.firstSpan.Pos:
		c.first, c.firstSpan = o.first, o.firstSpan
	}
	c.last = max(c.last, o.last)
	for i := range c.hours {
		c.hours[i] |= o.hours[i]
	}
	c.ops, c.by = c.ops|o.ops, c.by|o.by
	c.starts.Merge(&o.starts)
}

// AddCommand, AddAuth and AddChange keep an event in its device's trail.
func (t *Tally) AddCommand(x *facts.Command) {
	t.keep(x.Device, x.Time, x.Span.Pos, false, func(b []byte) []byte { return appendCommand(b, x) })
	t.check()
}

// AddAuth keeps a login attempt.
func (t *Tally) AddAuth(x *facts.Auth) {
	t.keep(x.Device, x.Time, x.Span.Pos, false, func(b []byte) []byte { return appendAuth(b, x) })
	t.check()
}

// AddChange keeps a change.
func (t *Tally) AddChange(x *facts.Change) {
	t.keep(x.Device, x.Time, x.Span.Pos, false, func(b []byte) []byte { return appendChange(b, x) })
	t.check()
}

func (t *Tally) keep(device string, at facts.Stamp, pos evidence.Pos, late bool, encode func([]byte) []byte) {
	off := len(t.arena)
	t.arena = encode(t.arena)
	t.events = append(t.events, eventRef{device: t.name(device), late: late, time: at, pos: pos, off: off, len: len(t.arena) - off})
	t.size += int64(len(t.arena)-off) + eventSize
}

// AddBeat counts a message of a source's class.
func (t *Tally) AddBeat(x *facts.Beat) {
	k := seriesKey{t.name(x.Device), t.name(x.Class)}
	i, ok := t.series[k]
	if !ok {
		i = int32(len(t.beats))
		t.series[k] = i
		t.beats = append(t.beats, Series{})
		t.size += seriesSize
	}
	s := &t.beats[i]
	before := len(s.Slots.Times)
	s.add(x.Time)
	t.size += int64(len(s.Slots.Times)-before) * 4
	t.check()
}

func (s *Series) add(at facts.Stamp) {
	s.Count++
	if at.Quality <= facts.UptimeOnly || at.Unix <= 0 {
		return
	}
	if s.First == 0 || at.Unix < s.First {
		s.First = at.Unix
	}
	s.Last = max(s.Last, at.Unix)
	s.Slots.Add(at.Unix)
}

func (s *Series) merge(o *Series) {
	s.Count += o.Count
	if o.First != 0 && (s.First == 0 || o.First < s.First) {
		s.First = o.First
	}
	s.Last = max(s.Last, o.Last)
	s.Slots.Merge(&o.Slots)
}

// check spills when the tables are over the limit. An error is kept for Merge.
func (t *Tally) check() {
	if t.size > t.o.MemoryLimit && t.err == nil {
		t.err = t.spill()
	}
}

// sortedCells, sortedSeries and sortedEvents are the tables in order of value.
func (t *Tally) sortedCells() []cellKey {
	keys := make([]cellKey, 0, len(t.cells))
	for k := range t.cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		return cmp.Or(compareKeys(a.Key, b.Key), cmp.Compare(a.day, b.day), cmp.Compare(t.list[a.vantage], t.list[b.vantage]))
	})
	return keys
}

func compareKeys(a, b Key) int {
	return cmp.Or(slices.Compare(a.Client[:], b.Client[:]), slices.Compare(a.Server[:], b.Server[:]), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port))
}

func (t *Tally) sortedSeries() []seriesKey {
	keys := make([]seriesKey, 0, len(t.series))
	for k := range t.series {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(t.list[a.source], t.list[b.source]), cmp.Compare(t.list[a.class], t.list[b.class]))
	})
	return keys
}

func (t *Tally) sortedEvents() []eventRef {
	slices.SortFunc(t.events, func(a, b eventRef) int {
		return cmp.Or(cmp.Compare(t.list[a.device], t.list[b.device]), cmp.Compare(a.time.Unix, b.time.Unix), cmp.Compare(a.time.Nanos, b.time.Nanos),
			compareBool(a.late, b.late), cmp.Compare(a.pos, b.pos),
			slices.Compare(t.arena[a.off:a.off+a.len], t.arena[b.off:b.off+b.len]))
	})
	return t.events
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}
