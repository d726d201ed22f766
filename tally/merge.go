package tally

import (
	"bytes"
	"context"
	"errors"
)

// A queue is a heap of sources by their current record.
type queue []source

func (q queue) less(i, j int) bool {
	ki, vi := q[i].record()
	kj, vj := q[j].record()
	if c := bytes.Compare(ki, kj); c != 0 {
		return c < 0
	}
	return bytes.Compare(vi, vj) < 0
}

func (q queue) down(i int) {
	for {
		least := i
		for c := 2*i + 1; c <= 2*i+2 && c < len(q); c++ {
			if q.less(c, least) {
				least = c
			}
		}
		if least == i {
			return
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
}

// mergeAll gives the records of all sources in order of key, then value, and closes the sources. each may not keep its
// arguments.
func mergeAll(ctx context.Context, srcs []source, each func(key, val []byte) error) (err error) {
	defer func() { err = errors.Join(err, closeAll(srcs)) }()
	q := make(queue, 0, len(srcs))
	for _, s := range srcs {
		ok, err := s.next()
		if err != nil {
			return err
		}
		if ok {
			q = append(q, s)
		}
	}
	for i := len(q)/2 - 1; i >= 0; i-- {
		q.down(i)
	}
	for n := 1; len(q) > 0; n++ {
		if n%(1<<16) == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if err := each(q[0].record()); err != nil {
			return err
		}
		ok, err := q[0].next()
		if err != nil {
			return err
		}
		if !ok {
			last := len(q) - 1
			q[0] = q[last]
			q = q[:last]
		}
		q.down(0)
	}
	return nil
}

// summary is a value that commutes and merges.
type summary[T any] interface {
	*T
	merge(*T)
	decode(*decoder)
	encode([]byte) []byte
}

// mergeEqual gives each key once, with everything the sources have under it merged. each may take what is in its value and
// leave something else; it may not keep the key.
func mergeEqual[T any, P summary[T]](ctx context.Context, srcs []source, each func(key []byte, v P) error) error {
	var key []byte
	var sum, one P = new(T), new(T)
	any := false
	names := map[string]string{}
	err := mergeAll(ctx, srcs, func(k, val []byte) error {
		d := decoder{b: val, names: names}
		if any && bytes.Equal(k, key) {
			one.decode(&d)
			sum.merge(one)
			return d.err
		}
		if any {
			if err := each(key, sum); err != nil {
				return err
			}
		}
		any, key = true, append(key[:0], k...)
		sum.decode(&d)
		return d.err
	})
	if err == nil && any {
		err = each(key, sum)
	}
	return err
}

// mergeRecords is mergeAll with equal keys merged, where a table's records merge.
func mergeRecords(ctx context.Context, which table, srcs []source, put func(key, val []byte) error) error {
	var buf []byte
	switch which {
	case tableCells:
		return mergeEqual(ctx, srcs, func(key []byte, v *cell) error {
			buf = v.encode(buf[:0])
			return put(key, buf)
		})
	case tableSeries:
		return mergeEqual(ctx, srcs, func(key []byte, v *beat) error {
			buf = v.encode(buf[:0])
			return put(key, buf)
		})
	case tableEvents, tableHalves, tables:
	}
	return mergeAll(ctx, srcs, put)
}

// sources are a table's runs and memory of all tallies.
func sources(all []*Tally, which table) ([]source, error) {
	var srcs []source
	for _, t := range all {
		var runs []run
		for _, r := range t.runs {
			if r.table == which {
				runs = append(runs, r)
			}
		}
		opened, err := openRuns(runs)
		if err != nil {
			return nil, errors.Join(err, closeAll(srcs))
		}
		srcs = append(srcs, opened...)
		if m := t.inMemory(which); m != nil {
			srcs = append(srcs, m)
		}
	}
	return srcs, nil
}
