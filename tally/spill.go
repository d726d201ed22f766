package tally

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A table is a kind of records; each spill writes a sorted run of each that holds any.
type table uint8

const (
	tableCells table = iota
	tableSeries
	tableEvents
	tableHalves
	tables
)

var tableNames = [tables]string{"pairs", "series", "events", "halves"}

// A source gives records in order of key, then value.
type source interface {
	// next moves to the next record and reports whether there is one. Key and value are valid until the next call.
	next() (bool, error)
	record() (key, val []byte)
	close() error
}

func (t *Tally) cellRecordKey(b []byte, k cellKey) []byte {
	b = appendKey(b, k.Key)
	b = binary.BigEndian.AppendUint32(b, k.day)
	return append(b, t.list[k.vantage]...)
}

func appendKey(b []byte, k Key) []byte {
	b = append(append(b, k.Client[:]...), k.Server[:]...)
	b = append(b, byte(k.Protocol))
	return binary.BigEndian.AppendUint16(b, k.Port)
}

const (
	keyLen     = 16 + 16 + 1 + 2
	cellKeyLen = keyLen + 4
)

func (t *Tally) seriesRecordKey(b []byte, k seriesKey) []byte {
	b = appendText(appendText(b, t.list[k.source]), t.list[k.class])
	return binary.BigEndian.AppendUint32(b, k.day)
}

// A memory gives a tally's own table in order.
type memory struct {
	n, at    int
	key, val []byte
	fill     func(m *memory, i int)
}

func (m *memory) next() (bool, error) {
	if m.at == m.n {
		return false, nil
	}
	m.fill(m, m.at)
	m.at++
	return true, nil
}

func (m *memory) record() (key, val []byte) { return m.key, m.val }
func (m *memory) close() error              { return nil }

// inMemory is the table as it is now; nil when it is empty.
func (t *Tally) inMemory(which table) source {
	m := &memory{}
	switch which {
	case tableCells:
		keys := t.sortedCells()
		m.n, m.fill = len(keys), func(m *memory, i int) {
			m.key = t.cellRecordKey(m.key[:0], keys[i])
			m.val = t.store.at(t.cells[keys[i]]).encode(m.val[:0])
		}
	case tableSeries:
		keys := t.sortedSeries()
		m.n, m.fill = len(keys), func(m *memory, i int) {
			m.key = t.seriesRecordKey(m.key[:0], keys[i])
			m.val = t.beats.at(t.series[keys[i]]).encode(m.val[:0])
		}
	case tableEvents:
		t.sortEvents()
		m.n, m.fill = len(t.events), func(m *memory, i int) {
			e := &t.events[i]
			m.key = appendTime(append(m.key[:0], t.list[e.entity]...), e.unix, e.nanos, e.pos)
			m.val = t.data(e.data)
		}
	case tableHalves:
		t.sortHalves()
		m.n, m.fill = len(t.halves), func(m *memory, i int) {
			h := t.halves[i]
			b := t.data(h.data)
			m.key, m.val = b[:h.key], b[h.key:]
		}
	case tables:
	}
	if m.n == 0 {
		return nil
	}
	return m
}

// A run is a sorted file. Runs of one level are of about one size.
type run struct {
	table table
	level int
	path  string
}

// maxLevel is how many runs of a level wait before they are merged into one of the next: it bounds the files a merge has
// open at once.
const maxLevel = 8

// spill writes every table as a sorted run and empties it. Names stay: there are as many as devices and message classes.
func (t *Tally) spill() error {
	for which := range tables {
		src := t.inMemory(which)
		if src == nil {
			continue
		}
		r, err := t.write(which, 0, []source{src})
		if err != nil {
			return err
		}
		t.runs = append(t.runs, r)
	}
	t.reset()
	for which := range tables {
		if err := t.compact(which); err != nil {
			return err
		}
	}
	return nil
}

// compact merges full levels.
func (t *Tally) compact(which table) error {
	for level := 0; ; level++ {
		var full []run
		for _, r := range t.runs {
			if r.table == which && r.level == level {
				full = append(full, r)
			}
		}
		if len(full) < maxLevel {
			return nil
		}
		srcs, err := openRuns(full)
		if err != nil {
			return err
		}
		merged, err := t.write(which, level+1, srcs)
		if err != nil {
			return err
		}
		t.runs = append(slices.DeleteFunc(t.runs, func(r run) bool { return r.table == which && r.level == level }), merged)
		for _, r := range full {
			if err := os.Remove(r.path); err != nil {
				return fmt.Errorf("spill %s: %w", tableNames[which], err)
			}
		}
	}
}

// write merges sources into a run and closes them. On error no file is left.
func (t *Tally) write(which table, level int, srcs []source) (run, error) {
	f, err := os.CreateTemp(t.o.Dir, "tally-"+tableNames[which]+"-*.run")
	if err != nil {
		return run{}, errors.Join(fmt.Errorf("spill %s: %w", tableNames[which], err), closeAll(srcs))
	}
	w := &runWriter{w: bufio.NewWriterSize(f, 128<<10)}
	err = mergeRecords(context.Background(), which, srcs, w.put)
	if err = errors.Join(err, w.w.Flush(), f.Close()); err != nil {
		os.Remove(f.Name())
		return run{}, fmt.Errorf("spill %s: %w", tableNames[which], err)
	}
	return run{which, level, f.Name()}, nil
}

type runWriter struct {
	w    *bufio.Writer
	head []byte
}

// put writes a record: the lengths of key and value, key, value.
func (w *runWriter) put(key, val []byte) error {
	w.head = appendUint(appendUint(w.head[:0], uint64(len(key))), uint64(len(val)))
	_, err := w.w.Write(w.head)
	if err == nil {
		_, err = w.w.Write(key)
	}
	if err == nil {
		_, err = w.w.Write(val)
	}
	return err
}

// A file gives a run's records.
type file struct {
	f        *os.File
	r        *bufio.Reader
	key, val []byte
}

// openRuns opens all or none.
func openRuns(runs []run) ([]source, error) {
	var srcs []source
	for _, r := range runs {
		f, err := os.Open(r.path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read what was spilled: %w", err), closeAll(srcs))
		}
		srcs = append(srcs, &file{f: f, r: bufio.NewReaderSize(f, 64<<10)})
	}
	return srcs, nil
}

func closeAll(srcs []source) error {
	var errs []error
	for _, s := range srcs {
		errs = append(errs, s.close())
	}
	return errors.Join(errs...)
}

// maxRecord bounds a record of a run: a longer one means the file was damaged.
const maxRecord = 64 << 20

var errDamaged = errors.New("what was spilled is damaged")

func (s *file) next() (bool, error) {
	k, err := binary.ReadUvarint(s.r)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	v, err2 := binary.ReadUvarint(s.r)
	if err != nil || err2 != nil || k > maxRecord || v > maxRecord {
		return false, errors.Join(errDamaged, err, err2)
	}
	s.key, s.val = grow(s.key, int(k)), grow(s.val, int(v))
	if _, err = io.ReadFull(s.r, s.key); err == nil {
		_, err = io.ReadFull(s.r, s.val)
	}
	if err != nil {
		return false, errors.Join(errDamaged, err)
	}
	return true, nil
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n, n+n/2)
	}
	return b[:n]
}

func (s *file) record() (key, val []byte) { return s.key, s.val }
func (s *file) close() error              { return s.f.Close() }

// A blob gives the records of a run that is in memory.
type blob struct{ b, key, val []byte }

func (s *blob) next() (bool, error) {
	if len(s.b) == 0 {
		return false, nil
	}
	d := decoder{b: s.b}
	k, v := d.uint(), d.uint()
	s.key, s.val = d.bytes(k), d.bytes(v)
	s.b = d.b
	return d.err == nil, d.err
}

func (s *blob) record() (key, val []byte) { return s.key, s.val }
func (s *blob) close() error              { return nil }
