package tally

import (
	"bufio"
	"bytes"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// A table is one of the three kinds of records; each spill writes a sorted run of each.
type table uint8

const (
	tableCells table = iota
	tableSeries
	tableEvents
	tables
)

var tableNames = [tables]string{"pairs", "series", "events"}

// A source gives records in order of key, then value.
type source interface {
	// next moves to the next record and reports whether there is one. Key and value are valid until the next call.
	next() (bool, error)
	record() (key, val []byte)
	close() error
}

// Keys sort as their bytes do. Text is written so that no text is the beginning of another: NUL becomes 0 255, the end 0 0.
func appendText(b []byte, s string) []byte {
	for i := range len(s) {
		b = append(b, s[i])
		if s[i] == 0 {
			b = append(b, 255)
		}
	}
	return append(b, 0, 0)
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

func readKey(b []byte) (k Key) {
	copy(k.Client[:], b)
	copy(k.Server[:], b[16:])
	k.Protocol = protocol(b[32])
	k.Port = binary.BigEndian.Uint16(b[33:])
	return k
}

func (t *Tally) seriesRecordKey(b []byte, k seriesKey) []byte {
	return append(appendText(b, t.list[k.source]), t.list[k.class]...)
}

func (t *Tally) eventRecordKey(b []byte, e *eventRef) []byte {
	b = appendText(b, t.list[e.device])
	b = binary.BigEndian.AppendUint64(b, uint64(e.time.Unix)^1<<63)
	b = binary.BigEndian.AppendUint32(b, uint32(e.time.Nanos))
	b = appendBool(b, e.late)
	return binary.BigEndian.AppendUint64(b, uint64(e.pos))
}

// A memory gives a tally's own table in order.
type memory struct {
	n        int
	at       int
	key, val []byte
	fill     func(m *memory, i int)
}

func (m *memory) next() (bool, error) {
	if m.at == m.n {
		return false, nil
	}
	m.key, m.val = m.key[:0], m.val[:0]
	m.fill(m, m.at)
	m.at++
	return true, nil
}

func (m *memory) record() (key, val []byte) { return m.key, m.val }
func (m *memory) close() error              { return nil }

// inMemory is the table as it is now.
func (t *Tally) inMemory(which table) source {
	switch which {
	case tableCells:
		keys := t.sortedCells()
		return &memory{n: len(keys), fill: func(m *memory, i int) {
			m.key = t.cellRecordKey(m.key, keys[i])
			m.val = appendCell(m.val, &t.store[t.cells[keys[i]]])
		}}
	case tableSeries:
		keys := t.sortedSeries()
		return &memory{n: len(keys), fill: func(m *memory, i int) {
			m.key = t.seriesRecordKey(m.key, keys[i])
			m.val = appendSeries(m.val, &t.beats[t.series[keys[i]]])
		}}
	case tableEvents, tables:
	}
	events := t.sortedEvents()
	return &memory{n: len(events), fill: func(m *memory, i int) {
		m.key = t.eventRecordKey(m.key, &events[i])
		m.val = append(m.val, t.arena[events[i].off:events[i].off+events[i].len]...)
	}}
}

// A run is a sorted file.
type run struct {
	table table
	path  string
}

// spill writes every table as a sorted run and empties it. Names stay: their numbers are in use by nobody else.
func (t *Tally) spill() error {
	for which := range tables {
		if err := t.write(which); err != nil {
			return fmt.Errorf("spill %s: %w", tableNames[which], err)
		}
	}
	t.reset()
	return nil
}

func (t *Tally) write(which table) error {
	f, err := os.CreateTemp(t.o.Dir, "tally-"+tableNames[which]+"-*.run")
	if err != nil {
		return err
	}
	t.runs = append(t.runs, run{which, f.Name()})
	w := bufio.NewWriterSize(f, 256<<10)
	src := t.inMemory(which)
	var head []byte
	for {
		ok, err := src.next()
		if err != nil || !ok {
			return errors.Join(err, w.Flush(), f.Close())
		}
		key, val := src.record()
		head = appendUint(appendUint(head[:0], uint64(len(key))), uint64(len(val)))
		for _, part := range [][]byte{head, key, val} {
			if _, err := w.Write(part); err != nil {
				return errors.Join(err, f.Close())
			}
		}
	}
}

// A file gives a run's records.
type file struct {
	f        *os.File
	r        *bufio.Reader
	key, val []byte
}

func openRun(path string) (source, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &file{f: f, r: bufio.NewReaderSize(f, 64<<10)}, nil
}

// maxRecord bounds a record of a run: a longer one means the file was damaged.
const maxRecord = 16 << 20

func (s *file) next() (bool, error) {
	k, err := binary.ReadUvarint(s.r)
	if errors.Is(err, io.EOF) {
		return false, nil
	}
	v, err2 := binary.ReadUvarint(s.r)
	if err := errors.Join(err, err2); err != nil {
		return false, err
	}
	if k > maxRecord || v > maxRecord {
		return false, errShort
	}
	s.key, s.val = grow(s.key, int(k)), grow(s.val, int(v))
	if _, err := io.ReadFull(s.r, s.key); err != nil {
		return false, err
	}
	_, err = io.ReadFull(s.r, s.val)
	return err == nil, err
}

func grow(b []byte, n int) []byte {
	if cap(b) < n {
		return make([]byte, n)
	}
	return b[:n]
}

func (s *file) record() (key, val []byte) { return s.key, s.val }
func (s *file) close() error              { return s.f.Close() }

// A queue is sources by their current record.
type queue []source

func (q queue) Len() int      { return len(q) }
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(x any) {
	if s, ok := x.(source); ok {
		*q = append(*q, s)
	}
}

func (q *queue) Pop() any {
	old := *q
	x := old[len(old)-1]
	*q = old[:len(old)-1]
	return x
}

func (q queue) Less(i, j int) bool {
	ki, vi := q[i].record()
	kj, vj := q[j].record()
	if c := bytes.Compare(ki, kj); c != 0 {
		return c < 0
	}
	return bytes.Compare(vi, vj) < 0
}

// mergeTable gives the records of a table of all tallies, runs and memory, in order. each may not keep its arguments.
func mergeTable(all []*Tally, which table, each func(key, val []byte) error) (err error) {
	var q queue
	defer func() {
		for _, s := range q {
			err = errors.Join(err, s.close())
		}
	}()
	add := func(s source) error {
		ok, err := s.next()
		if !ok {
			return errors.Join(err, s.close())
		}
		q = append(q, s)
		return nil
	}
	for _, t := range all {
		for _, r := range t.runs {
			if r.table != which {
				continue
			}
			s, err := openRun(r.path)
			if err != nil {
				return err
			}
			if err := add(s); err != nil {
				return err
			}
		}
		if err := add(t.inMemory(which)); err != nil {
			return err
		}
	}
	heap.Init(&q)
	for len(q) > 0 {
		if err := each(q[0].record()); err != nil {
			return err
		}
		ok, err := q[0].next()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&q, 0)
			continue
		}
		s := q[0]
		heap.Remove(&q, 0)
		if err := s.close(); err != nil {
			return err
		}
	}
	return nil
}
