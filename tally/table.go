package tally

import (
	"bytes"
	"cmp"
	"errors"
	"net/netip"
	"os"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Options of a Tally. All tallies of one run have the same.
type Options struct {
	// MemoryLimit is about how many bytes the tables may take before they are written to Dir; 0 is 128 MiB.
	MemoryLimit int64
	// Dir holds what is spilled, in files that Close removes; empty is the system's temporary folder.
	Dir string
	// Keep says which transfers the trail keeps besides denied and failed ones and those without an address: those with an external, device or
	// hypervisor end. It is asked when a transfer is added, and by Merge for sessions joined of halves; nil keeps none.
	Keep func(*facts.Transfer) bool
	// Approved says whether a workflow covers a transfer; nil approves none. Policy is the digest of the policy it is of.
	Approved func(*facts.Transfer) bool
	Policy   string
	// Entity says whether an address has a trail of its own, beside the devices'. Merge asks it; nil gives none.
	Entity func(netip.Addr) bool
	// Resolve gives the device a source's name stands for, so that one device has one trail; nil takes names as they are.
	// Merge asks it. Resolving twice must change nothing.
	Resolve func(name string) string
}

const defaultLimit = 128 << 20

// A Tally belongs to one worker: it takes no locks. After Merge nothing may be added to it.
type Tally struct {
	o     Options
	names map[string]uint32
	list  []string
	last  struct { // the vantage of the transfer before
		ok             bool
		device, format string
		number         uint32
	}
	lastBeat struct { // the series of the beat before
		source, class string
		day           uint32
		at            int32
	}

	cells  map[cellKey]int32
	store  chunks[cell]
	series map[seriesKey]int32
	beats  chunks[beat]

	arena  [][]byte // encoded events, in blocks
	events []eventRef
	halves []halfRef

	size   int64
	runs   []run
	sorted bool // events are in order, and nothing is added any more
	err    error
}

// A cellKey is a pair seen by one vantage on one day.
type cellKey struct {
	Key
	day     uint32
	vantage uint32
}

type seriesKey struct{ source, class, day uint32 }

// A dataRef is a record in the arena.
type dataRef struct{ block, off, len uint32 }

// An eventRef is an event with what it is sorted by.
type eventRef struct {
	entity uint32 // name of appendEntity
	nanos  int32
	unix   int64
	pos    evidence.Pos
	data   dataRef
}

// A halfRef is a half with its key, which begins the record.
type halfRef struct {
	data dataRef
	key  uint32 // length
}

// Estimated bytes of a table entry with its map slot.
const (
	cellSize   = 328
	beatSize   = 128
	eventSize  = 56
	arenaBlock = 1 << 20
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
	t.cells, t.store = map[cellKey]int32{}, chunks[cell]{}
	t.series, t.beats = map[seriesKey]int32{}, chunks[beat]{}
	t.arena, t.events, t.halves = nil, nil, nil
	t.lastBeat.source, t.lastBeat.class = "", ""
	t.size = 0
}

// Err is the first error of a spill. After one nothing more is taken, and Merge gives it.
func (t *Tally) Err() error { return t.err }

// Close removes what was spilled.
func (t *Tally) Close() error {
	var errs []error
	for _, r := range t.runs {
		errs = append(errs, os.Remove(r.path))
	}
	t.runs = nil
	return errors.Join(errs...)
}

// chunks is a growing array whose elements never move.
type chunks[T any] struct {
	parts [][]T
	n     int32
}

const chunkLen = 512

func (c *chunks[T]) at(i int32) *T { return &c.parts[i/chunkLen][i%chunkLen] }

func (c *chunks[T]) add() int32 {
	if c.n%chunkLen == 0 {
		c.parts = append(c.parts, make([]T, chunkLen))
	}
	c.n++
	return c.n - 1
}

// name is the number of s. Numbers mean nothing outside of this tally.
func (t *Tally) name(s string) uint32 {
	if n, ok := t.names[s]; ok {
		return n
	}
	s = strings.Clone(s) // events are valid only until the call returns
	n := uint32(len(t.list))
	t.names[s] = n
	t.list = append(t.list, s)
	return n
}

// vantageName joins what a vantage is named by; a NUL in a part becomes a blank. The platform is not part of it: a reader
// that sees a piece of a log may know it or not.
func vantageName(device, format string) string {
	clean := func(s string) string { return strings.ReplaceAll(s, "\x00", " ") }
	return clean(device) + "\x00" + clean(format)
}

// splitVantage is the reverse of vantageName.
func splitVantage(v string) (device, format string) {
	device, format, _ = strings.Cut(v, "\x00")
	return device, format
}

// vantage is the number of the transfer's vantage, found without building its name when it is the same as before.
func (t *Tally) vantage(x *facts.Transfer) uint32 {
	if l := &t.last; l.ok && l.device == x.Device && l.format == x.Format {
		return l.number
	}
	n := t.name(vantageName(x.Device, x.Format))
	t.last.device, t.last.format = splitVantage(t.list[n]) // the event's own strings end with the call
	t.last.ok, t.last.number = true, n
	return n
}

// Add tallies a transfer: whole ones by pair, and into the trail those it keeps. Halves wait for Merge. A transfer without
// a client or server address is in no pair.
func (t *Tally) Add(x *facts.Transfer) {
	if t.err != nil {
		return
	}
	if x.Half != facts.Whole {
		t.half(x)
	} else {
		if t.kept(x) {
			t.keep(x.Device, x.Time, x.Span.Pos, func(b []byte) []byte { return appendTransfer(b, x, x.Span) })
		}
		t.pair(x)
	}
	t.check()
}

// kept reports whether a whole transfer is in the trail. One without an address is: no pair can hold it.
func (t *Tally) kept(x *facts.Transfer) bool {
	return x.Outcome == facts.Denied || x.Outcome == facts.Failed || !x.Client.IsValid() || !x.Server.IsValid() || t.o.Keep != nil && t.o.Keep(x)
}

// pair adds a whole transfer to its cell.
func (t *Tally) pair(x *facts.Transfer) {
	if !x.Client.IsValid() || !x.Server.IsValid() {
		return
	}
	k := cellKey{Key: Key{Client: x.Client.As16(), Server: x.Server.As16(), Protocol: x.Protocol, Port: x.ServerPort}}
	k.vantage = t.vantage(x)
	k.day = dayOf(x.Time)
	i, ok := t.cells[k]
	if !ok {
		i = t.store.add()
		t.cells[k] = i
		t.size += cellSize
	}
	c := t.store.at(i)
	before := cap(c.starts.Times)*4 + cap(c.sizes.Bins)*8
	c.add(x, t.o.Approved != nil && x.Outcome == facts.Allowed && t.o.Approved(x))
	if p := smaller(c.platform, x.Platform); p != c.platform {
		c.platform = t.list[t.name(p)]
	}
	t.size += int64(cap(c.starts.Times)*4 + cap(c.sizes.Bins)*8 - before)
}

// smaller is the smaller of two names, of which an empty one is none.
func smaller(a, b string) string {
	if a == "" || b != "" && b < a {
		return b
	}
	return a
}

// dayOf is the Unix day of a stamp; 0 when it is no instant.
func dayOf(s facts.Stamp) uint32 {
	if !timed(s) {
		return 0
	}
	return uint32(min(s.Unix/day, 1<<32-1))
}

// AddCommand keeps a command in its device's trail.
func (t *Tally) AddCommand(x *facts.Command) {
	t.keep(x.Device, x.Time, x.Span.Pos, func(b []byte) []byte { return appendCommand(b, x) })
	t.check()
}

// AddAuth keeps a login attempt in its device's trail.
func (t *Tally) AddAuth(x *facts.Auth) {
	t.keep(x.Device, x.Time, x.Span.Pos, func(b []byte) []byte { return appendAuth(b, x) })
	t.check()
}

// AddChange keeps a change in its device's trail.
func (t *Tally) AddChange(x *facts.Change) {
	t.keep(x.Device, x.Time, x.Span.Pos, func(b []byte) []byte { return appendChange(b, x) })
	t.check()
}

// keep encodes an event into the device's trail.
func (t *Tally) keep(device string, at facts.Stamp, pos evidence.Pos, encode func([]byte) []byte) {
	if t.err == nil {
		t.keepFor(Entity{KindDevice, device}, at, pos, encode)
	}
}

func (t *Tally) keepFor(e Entity, at facts.Stamp, pos evidence.Pos, encode func([]byte) []byte) {
	var name [64]byte
	n := t.nameBytes(appendEntity(name[:0], e))
	t.events = append(t.events, eventRef{entity: n, unix: at.Unix, nanos: at.Nanos, pos: pos, data: t.store1(encode)})
	t.size += eventSize
}

// nameBytes is name without a string when the name is known.
func (t *Tally) nameBytes(b []byte) uint32 {
	if n, ok := t.names[string(b)]; ok {
		return n
	}
	return t.name(string(b))
}

// store1 puts one record into the arena.
func (t *Tally) store1(encode func([]byte) []byte) dataRef {
	if len(t.arena) == 0 || len(t.arena[len(t.arena)-1]) > arenaBlock-arenaBlock/16 {
		t.arena = append(t.arena, make([]byte, 0, min(arenaBlock, max(t.o.MemoryLimit/8, 4096))))
	}
	last := &t.arena[len(t.arena)-1]
	off := len(*last)
	*last = encode(*last)
	n := len(*last) - off
	t.size += int64(n)
	return dataRef{uint32(len(t.arena) - 1), uint32(off), uint32(n)}
}

func (t *Tally) data(r dataRef) []byte { return t.arena[r.block][r.off : r.off+r.len] }

// half keeps one half of a session, under what joins it to the other.
func (t *Tally) half(x *facts.Transfer) {
	var key int
	r := t.store1(func(b []byte) []byte {
		before := len(b)
		b = appendHalfKey(b, x)
		key = len(b) - before
		return appendTransfer(b, x, x.Span)
	})
	t.halves = append(t.halves, halfRef{r, uint32(key)})
	t.size += eventSize
}

// AddBeat counts a message of a source's class.
func (t *Tally) AddBeat(x *facts.Beat) {
	if t.err != nil {
		return
	}
	d := dayOf(x.Time)
	l := &t.lastBeat
	if l.source != x.Device || l.class != x.Class || l.day != d || len(t.series) == 0 {
		k := seriesKey{t.name(x.Device), t.name(x.Class), d}
		i, ok := t.series[k]
		if !ok {
			i = t.beats.add()
			t.series[k] = i
			t.size += beatSize
		}
		l.source, l.class, l.day, l.at = t.list[k.source], t.list[k.class], d, i
	}
	s := t.beats.at(l.at)
	before := cap(s.slots.Times)
	s.add(x.Time)
	t.size += int64(cap(s.slots.Times)-before) * 4
	t.check()
}

// check spills when the tables are over the limit.
func (t *Tally) check() {
	if t.size > t.o.MemoryLimit && t.err == nil {
		t.err = t.spill()
	}
}

// sortedCells, sortedSeries, sortEvents and sortHalves put the tables in order of value.
func (t *Tally) sortedCells() []cellKey {
	keys := make([]cellKey, 0, len(t.cells))
	for k := range t.cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		if c := compareKeys(a.Key, b.Key); c != 0 {
			return c
		}
		return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(t.list[a.vantage], t.list[b.vantage]))
	})
	return keys
}

func compareKeys(a, b Key) int {
	if c := bytes.Compare(a.Client[:], b.Client[:]); c != 0 {
		return c
	}
	return cmp.Or(bytes.Compare(a.Server[:], b.Server[:]), cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Port, b.Port))
}

func (t *Tally) sortedSeries() []seriesKey {
	keys := make([]seriesKey, 0, len(t.series))
	for k := range t.series {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b seriesKey) int {
		return cmp.Or(cmp.Compare(t.list[a.source], t.list[b.source]), cmp.Compare(t.list[a.class], t.list[b.class]), cmp.Compare(a.day, b.day))
	})
	return keys
}

func (t *Tally) sortEvents() {
	if t.sorted {
		return
	}
	slices.SortFunc(t.events, func(a, b eventRef) int {
		if a.entity != b.entity {
			return cmp.Compare(t.list[a.entity], t.list[b.entity])
		}
		if c := cmp.Or(cmp.Compare(a.unix, b.unix), cmp.Compare(a.nanos, b.nanos), cmp.Compare(a.pos, b.pos)); c != 0 {
			return c
		}
		return bytes.Compare(t.data(a.data), t.data(b.data))
	})
}

// sortHalves orders by key; the rest of a record follows its key, so records compare as key and value do.
func (t *Tally) sortHalves() {
	if t.sorted {
		return
	}
	slices.SortFunc(t.halves, func(a, b halfRef) int { return bytes.Compare(t.data(a.data), t.data(b.data)) })
}
