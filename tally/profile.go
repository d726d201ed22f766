package tally

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/bits"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// profileMagic begins a profile, inside its gzip member; the number is the version of what follows.
const profileMagic = "quaymaster-profile-2\n"

// maxProfile bounds a decoded profile: some 20 million pairs and days.
const maxProfile = 4 << 30

// A Profile is what was normal in earlier weeks: what every vantage saw of every pair and series on every day, so that
// profiles merge as the tallies of two workers do. It holds no positions and carries its own names and list of files. It
// may be read by several goroutines.
type Profile struct {
	// Files are the evidence it was made of, by path.
	Files []FileRef
	// Policy is the digest of the policy whose workflows marked sessions as approved; empty when none did. Merged from
	// profiles of different policies, nothing is marked.
	Policy string

	cells    []byte // records of tableCells and tableSeries, as in a run
	series   []byte
	cellAt   []int // where each pair's, each series' first record begins
	seriesAt []int
	days     []uint32
	sources  []string

	once  sync.Once
	hosts map[[16]byte]*Host
}

// A Summary says what a profile covers.
type Summary struct {
	Pairs, Series, Days int
	Sources             []string // vantages and senders, sorted
	Files               int
	First, Last         time.Time // the first and the last covered day
	Policy              string
}

// A Host is what a profile knows of an address.
type Host struct {
	Days    int // covered days on which any pair of it was seen, up to 512
	Clients int // distinct clients it served
	Servers int // distinct servers it was a client of
	Pairs   int // pairs it was the client in

	bits [8]uint64
}

// NewProfile makes a profile of what a run tallied.
func NewProfile(ctx context.Context, r *Result) (*Profile, error) {
	p := &Profile{Files: slices.Clone(r.Files), Policy: r.o.Policy}
	cells, err := sources(r.tallies(), tableCells)
	if err != nil {
		return nil, err
	}
	series, err := sources(r.tallies(), tableSeries)
	if err != nil {
		return nil, errors.Join(err, closeAll(cells))
	}
	if err := p.fill(ctx, cells, series, p.Policy != ""); err != nil {
		return nil, err
	}
	return p, nil
}

// fill takes the records of both tables.
func (p *Profile) fill(ctx context.Context, cells, series []source, approved bool) error {
	var val []byte
	put := func(to *[]byte, key []byte) {
		*to = appendUint(appendUint(*to, uint64(len(key))), uint64(len(val)))
		*to = append(append(*to, key...), val...)
	}
	err := mergeEqual(ctx, cells, func(key []byte, c *cell) error {
		c.firstSpan = evidence.Span{}
		if !approved {
			c.approved = 0
		}
		val = c.encode(val[:0])
		put(&p.cells, key)
		return nil
	})
	err = errors.Join(err, mergeEqual(ctx, series, func(key []byte, b *beat) error {
		val = b.encode(val[:0])
		put(&p.series, key)
		return nil
	}))
	slices.SortFunc(p.Files, func(a, b FileRef) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.SHA256, b.SHA256)) })
	p.Files = slices.Compact(p.Files)
	if err != nil {
		return err
	}
	return p.index()
}

// index finds where pairs and series begin, and what is covered. It refuses records that are out of order or broken.
func (p *Profile) index() error {
	days, sources := map[uint32]bool{}, map[string]bool{}
	var c cell
	err := eachRecord(p.cells, func(at int, before, key, val []byte) error {
		if len(key) < cellKeyLen {
			return errShort
		}
		if len(before) < keyLen || !bytes.Equal(before[:keyLen], key[:keyLen]) {
			p.cellAt = append(p.cellAt, at)
		}
		days[binary.BigEndian.Uint32(key[keyLen:])] = true
		if v := string(key[cellKeyLen:]); !sources[v] {
			sources[v] = true
		}
		d := decoder{b: val}
		c.decode(&d)
		return d.end()
	})
	if err != nil {
		return err
	}
	var s beat
	err = eachRecord(p.series, func(at int, before, key, val []byte) error {
		source, rest, ok := text(key)
		if _, rest, ok2 := text(rest); !ok || !ok2 || len(rest) != dayLen {
			return errShort
		}
		if n := len(key) - dayLen; len(before) != len(key) || !bytes.Equal(before[:n], key[:n]) {
			p.seriesAt = append(p.seriesAt, at)
		}
		days[binary.BigEndian.Uint32(key[len(key)-dayLen:])] = true
		sources[source] = true
		d := decoder{b: val}
		s.decode(&d)
		return d.end()
	})
	if err != nil {
		return err
	}
	delete(days, 0)
	p.days = slices.Sorted(maps.Keys(days))
	for v := range sources {
		p.sources = append(p.sources, vantageLabel(v))
	}
	slices.Sort(p.sources)
	p.sources = slices.Compact(p.sources)
	return nil
}

// end is the decoder's error, or that something is left.
func (d *decoder) end() error {
	if d.err == nil && len(d.b) > 0 {
		return errShort
	}
	return d.err
}

// eachRecord calls each with the offset, the key before, the key and the value of every record, which must be in order.
func eachRecord(b []byte, each func(at int, before, key, val []byte) error) error {
	s := &blob{b: b}
	var before []byte
	for {
		at := len(b) - len(s.b)
		ok, err := s.next()
		if err != nil || !ok {
			return err
		}
		if at > 0 && bytes.Compare(before, s.key) >= 0 {
			return errors.New("records are out of order")
		}
		if err := each(at, before, s.key, s.val); err != nil {
			return err
		}
		before = s.key
	}
}

// Days is how many days have any record.
func (p *Profile) Days() int { return len(p.days) }

// Covers reports whether a Unix day has any record.
func (p *Profile) Covers(day uint32) bool {
	_, ok := slices.BinarySearch(p.days, day)
	return ok
}

// Pair is what was seen of a pair, by the same rules as of the window; nil when nothing was. It is the caller's to keep.
func (p *Profile) Pair(k Key) *Pair {
	want := appendKey(make([]byte, 0, keyLen), k)
	i, ok := find(p.cells, p.cellAt, want)
	if !ok {
		return nil
	}
	var out *Pair
	g := newPairing(func(_ Key, x *Pair) { y := *x; out = &y })
	var c cell
	for s := (&blob{b: p.cells[p.cellAt[i]:]}); ; {
		ok, err := s.next()
		if err != nil || !ok || !bytes.HasPrefix(s.key, want) {
			break
		}
		d := decoder{b: s.val}
		c.decode(&d)
		if g.add(s.key, &c) != nil {
			break
		}
	}
	g.emit()
	return out
}

// Series is what was seen of a series; nil when nothing was. It is the caller's to keep.
func (p *Profile) Series(k SeriesKey) *Series {
	want := appendText(appendText(nil, k.Source), k.Class)
	i, ok := find(p.series, p.seriesAt, want)
	if !ok {
		return nil
	}
	var out *Series
	g := seriesGroup{each: func(_ SeriesKey, x *Series) { y := *x; out = &y }}
	var b beat
	for s := (&blob{b: p.series[p.seriesAt[i]:]}); ; {
		ok, err := s.next()
		if err != nil || !ok || !bytes.HasPrefix(s.key, want) {
			break
		}
		d := decoder{b: s.val}
		b.decode(&d)
		if g.add(s.key, &b) != nil {
			break
		}
	}
	g.emit()
	return out
}

// find is the first record whose key begins with want.
func find(b []byte, at []int, want []byte) (int, bool) {
	return slices.BinarySearchFunc(at, want, func(off int, want []byte) int {
		s := &blob{b: b[off:]}
		_, _ = s.next() // index read it before
		return bytes.Compare(s.key[:min(len(s.key), len(want))], want)
	})
}

// Host is what is known of an address; the zero Host when nothing is.
func (p *Profile) Host(addr [16]byte) Host {
	p.once.Do(p.indexHosts)
	if h := p.hosts[addr]; h != nil {
		return *h
	}
	return Host{}
}

// History is how many covered days any pair of an address was seen on, up to 512.
func (p *Profile) History(addr [16]byte) int { return p.Host(addr).Days }

// Clients is how many distinct clients a server had by any transfer protocol.
func (p *Profile) Clients(server [16]byte) int { return p.Host(server).Clients }

func (p *Profile) indexHosts() {
	hosts := map[[16]byte]*Host{}
	of := func(a [16]byte) *Host {
		h := hosts[a]
		if h == nil {
			h = new(Host)
			hosts[a] = h
		}
		return h
	}
	_ = eachRecord(p.cells, func(_ int, before, key, _ []byte) error { // index read them before
		k := readKey(key)
		client, server := of(k.Client), of(k.Server)
		const ends = 32 // the addresses
		if len(before) == 0 || !bytes.Equal(before[:ends], key[:ends]) {
			client.Servers++
			server.Clients++
		}
		if len(before) == 0 || !bytes.Equal(before[:keyLen], key[:keyLen]) {
			client.Pairs++
		}
		if day := binary.BigEndian.Uint32(key[keyLen:]); day != 0 {
			client.bits[day%512/64] |= 1 << (day % 64)
			server.bits[day%512/64] |= 1 << (day % 64)
		}
		return nil
	})
	for _, h := range hosts {
		for _, b := range h.bits {
			h.Days += bits.OnesCount64(b)
		}
	}
	p.hosts = hosts
}

// Summary says what p covers.
func (p *Profile) Summary() Summary {
	s := Summary{
		Pairs: len(p.cellAt), Series: len(p.seriesAt), Days: len(p.days), Sources: slices.Clone(p.sources), Files: len(p.Files), Policy: p.Policy,
	}
	if n := len(p.days); n > 0 {
		s.First, s.Last = time.Unix(int64(p.days[0])*day, 0).UTC(), time.Unix(int64(p.days[n-1])*day, 0).UTC()
	}
	return s
}

// Forget drops what a policy of another digest approved.
func (p *Profile) Forget(policy string) (*Profile, error) {
	if p.Policy == policy || p.Policy == "" {
		return p, nil
	}
	out := &Profile{Files: p.Files}
	return out, out.fill(context.Background(), []source{&blob{b: p.cells}}, []source{&blob{b: p.series}}, false)
}

// MergeProfiles joins profiles of different times or sites, in any order. Two profiles of the same evidence and day would
// count it twice: that is an error, as far as the lists of files tell.
func MergeProfiles(all ...*Profile) (*Profile, error) {
	if err := disjoint(all); err != nil {
		return nil, err
	}
	out := &Profile{}
	var cells, series []source
	for i, p := range all {
		out.Files = append(out.Files, p.Files...)
		if i == 0 {
			out.Policy = p.Policy
		}
		if p.Policy != out.Policy {
			out.Policy = ""
		}
		cells = append(cells, &blob{b: p.cells})
		series = append(series, &blob{b: p.series})
	}
	if err := out.fill(context.Background(), cells, series, out.Policy != ""); err != nil {
		return nil, fmt.Errorf("merge profiles: %w", err)
	}
	return out, nil
}

// disjoint refuses profiles that hold one file's records of one day twice.
func disjoint(all []*Profile) error {
	by := map[string][]*Profile{}
	for _, p := range all {
		for _, f := range p.Files {
			if f.SHA256 == "" || slices.Contains(by[f.SHA256], p) {
				continue
			}
			for _, q := range by[f.SHA256] {
				if slices.ContainsFunc(p.days, q.Covers) {
					return fmt.Errorf("two profiles were made of the same file and days (%s): keep one of them", f.Path)
				}
			}
			by[f.SHA256] = append(by[f.SHA256], p)
		}
	}
	return nil
}

// Write writes p: the same figures give the same bytes.
func (p *Profile) Write(w io.Writer) error {
	z := gzip.NewWriter(w) // no name and no time in its header
	b := appendString([]byte(profileMagic), p.Policy)
	b = appendUint(b, uint64(len(p.Files)))
	for _, f := range p.Files {
		b = appendString(appendString(b, f.Path), f.SHA256)
	}
	b = appendUint(appendUint(b, uint64(len(p.cells))), uint64(len(p.series)))
	for _, part := range [][]byte{b, p.cells, p.series} {
		if _, err := z.Write(part); err != nil {
			return err
		}
	}
	return z.Close()
}

// WriteProfile writes the profile of what a run tallied.
func WriteProfile(ctx context.Context, w io.Writer, r *Result) error {
	p, err := NewProfile(ctx, r)
	if err != nil {
		return err
	}
	return p.Write(w)
}

// ReadProfile reads what Write wrote.
func ReadProfile(r io.Reader) (*Profile, error) {
	z, err := gzip.NewReader(bufio.NewReaderSize(r, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("not a profile: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxProfile+1))
	if err != nil {
		return nil, fmt.Errorf("the profile is cut or damaged: %w", err)
	}
	if len(data) > maxProfile {
		return nil, fmt.Errorf("the profile is larger than %d bytes", int64(maxProfile))
	}
	body, ok := bytes.CutPrefix(data, []byte(profileMagic))
	if !ok {
		if bytes.HasPrefix(data, []byte("quaymaster-profile-")) {
			return nil, errors.New("the profile is of another version of quaymaster: build it again")
		}
		return nil, errors.New("not a profile")
	}
	d := &decoder{b: body}
	p := &Profile{Policy: d.string()}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		p.Files = append(p.Files, FileRef{strings.Clone(d.string()), strings.Clone(d.string())})
	}
	n, m := d.uint(), d.uint()
	p.cells, p.series = d.bytes(n), d.bytes(m)
	if err := d.end(); err != nil {
		return nil, fmt.Errorf("the profile is damaged: %w", err)
	}
	if err := p.index(); err != nil {
		return nil, fmt.Errorf("the profile is damaged: %w", err)
	}
	return p, nil
}
