package tally

import (
	"bufio"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"
)

// profileMagic begins a profile, inside its gzip member; the number is the version of what follows.
const profileMagic = "quaymaster-profile-1\n"

// maxProfile bounds a decoded profile.
const maxProfile = 4 << 30

// A Profile is what was normal in earlier weeks: pairs and series with no positions, carrying their own names.
type Profile struct {
	pairs   map[Key]*Pair
	series  map[SeriesKey]*Series
	days    map[uint32]bool
	sources map[string]bool
}

// A Summary says what a profile covers.
type Summary struct {
	Pairs, Series, Days int
	Sources             []string
	First, Last         time.Time
}

func newProfile() *Profile {
	return &Profile{pairs: map[Key]*Pair{}, series: map[SeriesKey]*Series{}, days: map[uint32]bool{}, sources: map[string]bool{}}
}

// NewProfile makes a profile of what a run tallied.
func NewProfile(ctx context.Context, r *Result) (*Profile, error) {
	p := newProfile()
	err := r.Pairs(ctx, func(k Key, x *Pair) {
		c := *x
		c.FirstSpan.Pos, c.FirstSpan.Len = 0, 0
		c.Starts.Times = slices.Clone(c.Starts.Times)
		p.pairs[k] = &c
		p.cover(&c.Starts)
		p.sources[c.Vantage] = true
	})
	if err != nil {
		return nil, err
	}
	err = r.Series(ctx, func(k SeriesKey, x *Series) {
		c := *x
		c.Slots.Times = slices.Clone(c.Slots.Times)
		p.series[k] = &c
		p.cover(&c.Slots)
	})
	return p, err
}

// cover marks the days of a set of times.
func (p *Profile) cover(s *Slots) {
	for _, t := range s.Times {
		p.days[uint32(uint64(t)<<s.Width/day)] = true
	}
}

// Days is how many days have any record.
func (p *Profile) Days() int { return len(p.days) }

// Pair is what was seen of a pair; nil when nothing was.
func (p *Profile) Pair(k Key) *Pair { return p.pairs[k] }

// Series is what was seen of a series; nil when nothing was.
func (p *Profile) Series(k SeriesKey) *Series { return p.series[k] }

// History is how many days of records a client or server has: days on which any pair of it was seen.
func (p *Profile) History(addr [16]byte) int {
	var days [8]uint64
	for k, x := range p.pairs {
		if k.Client == addr || k.Server == addr {
			for i := range days {
				days[i] |= x.Days[i]
			}
		}
	}
	n := 0
	for _, d := range days {
		for ; d != 0; d &= d - 1 {
			n++
		}
	}
	return n
}

// Clients is how many distinct clients a server had by any transfer protocol.
func (p *Profile) Clients(server [16]byte) int {
	seen := map[[16]byte]bool{}
	for k := range p.pairs {
		if k.Server == server {
			seen[k.Client] = true
		}
	}
	return len(seen)
}

// Summary says what p covers.
func (p *Profile) Summary() Summary {
	s := Summary{Pairs: len(p.pairs), Series: len(p.series), Days: len(p.days), Sources: slices.Sorted(maps.Keys(p.sources))}
	days := slices.Sorted(maps.Keys(p.days))
	if len(days) > 0 {
		s.First, s.Last = time.Unix(int64(days[0])*day, 0).UTC(), time.Unix(int64(days[len(days)-1])*day, 0).UTC()
	}
	return s
}

// MergeProfiles joins profiles of different times or sites. Figures add up: give no profile twice.
func MergeProfiles(all ...*Profile) (*Profile, error) {
	out := newProfile()
	for _, p := range all {
		maps.Copy(out.days, p.days)
		maps.Copy(out.sources, p.sources)
		for k, x := range p.pairs {
			if have := out.pairs[k]; have != nil {
				have.join(x)
				continue
			}
			c := *x
			c.Starts.Times, c.Witness = slices.Clone(x.Starts.Times), slices.Clone(x.Witness)
			out.pairs[k] = &c
		}
		for k, x := range p.series {
			if have := out.series[k]; have != nil {
				have.merge(x)
				continue
			}
			c := *x
			c.Slots.Times = slices.Clone(x.Slots.Times)
			out.series[k] = &c
		}
	}
	return out, nil
}

// join adds another time's figures of the same pair.
func (p *Pair) join(o *Pair) {
	if o.Sessions > p.Sessions || o.Sessions == p.Sessions && o.Vantage < p.Vantage {
		p.Device, p.Format, p.Platform, p.Vantage, o = o.Device, o.Format, o.Platform, o.Vantage, &Pair{
			Sessions: o.Sessions, Denied: o.Denied, Failed: o.Failed, Approved: o.Approved, Out: o.Out, In: o.In, Total: o.Total,
			OutKnown: o.OutKnown, InKnown: o.InKnown, TotalKnown: o.TotalKnown, MaxOut: o.MaxOut, First: o.First, Last: o.Last,
			Days: o.Days, Hours: o.Hours, Ops: o.Ops, By: o.By, Starts: o.Starts, Vantage: p.Vantage, Witness: o.Witness,
		}
	}
	for _, w := range append([]string{o.Vantage}, o.Witness...) {
		if w != p.Vantage && !slices.Contains(p.Witness, w) {
			p.Witness = append(p.Witness, w)
		}
	}
	slices.Sort(p.Witness)
	p.Witness = slices.DeleteFunc(p.Witness, func(w string) bool { return w == p.Vantage })
	p.Sessions, p.Denied, p.Failed, p.Approved = p.Sessions+o.Sessions, p.Denied+o.Denied, p.Failed+o.Failed, p.Approved+o.Approved
	p.Out, p.In, p.Total = p.Out+o.Out, p.In+o.In, p.Total+o.Total
	p.OutKnown, p.InKnown, p.TotalKnown = p.OutKnown+o.OutKnown, p.InKnown+o.InKnown, p.TotalKnown+o.TotalKnown
	p.MaxOut = max(p.MaxOut, o.MaxOut)
	if o.First != 0 && (p.First == 0 || o.First < p.First) {
		p.First = o.First
	}
	p.Last = max(p.Last, o.Last)
	for i := range p.Days {
		p.Days[i] |= o.Days[i]
	}
	for i := range p.Hours {
		p.Hours[i] |= o.Hours[i]
	}
	p.Ops, p.By = p.Ops|o.Ops, p.By|o.By
	p.Starts.Merge(&o.Starts)
}

// Write writes p: the same figures give the same bytes.
func (p *Profile) Write(w io.Writer) error {
	z := gzip.NewWriter(w) // no name and no time in its header
	b := []byte(profileMagic)
	days := slices.Sorted(maps.Keys(p.days))
	b = appendUint(b, uint64(len(days)))
	for _, d := range days {
		b = appendUint(b, uint64(d))
	}
	sources := slices.Sorted(maps.Keys(p.sources))
	b = appendUint(b, uint64(len(sources)))
	for _, s := range sources {
		b = appendString(b, s)
	}
	keys := slices.SortedFunc(maps.Keys(p.pairs), compareKeys)
	b = appendUint(b, uint64(len(keys)))
	if _, err := z.Write(b); err != nil {
		return err
	}
	for _, k := range keys {
		if _, err := z.Write(appendPair(appendKey(b[:0], k), p.pairs[k])); err != nil {
			return err
		}
	}
	names := slices.SortedFunc(maps.Keys(p.series), func(a, b SeriesKey) int {
		return cmp.Or(strings.Compare(a.Source, b.Source), strings.Compare(a.Class, b.Class))
	})
	if _, err := z.Write(appendUint(b[:0], uint64(len(names)))); err != nil {
		return err
	}
	for _, k := range names {
		if _, err := z.Write(appendSeries(appendString(appendString(b[:0], k.Source), k.Class), p.series[k])); err != nil {
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

func appendPair(b []byte, p *Pair) []byte {
	for _, n := range []int64{p.Sessions, p.Denied, p.Failed, p.Approved, p.Out, p.In, p.Total, p.OutKnown, p.InKnown, p.TotalKnown, p.MaxOut, p.First, p.Last} {
		b = appendInt(b, n)
	}
	for _, d := range p.Days {
		b = appendUint(b, d)
	}
	for _, h := range p.Hours {
		b = appendUint(b, h)
	}
	b = append(b, p.Ops, p.By)
	b = appendSlots(b, &p.Starts)
	b = appendString(appendString(appendString(appendString(b, p.Device), p.Format), p.Platform), p.Vantage)
	b = appendUint(b, uint64(len(p.Witness)))
	for _, w := range p.Witness {
		b = appendString(b, w)
	}
	return b
}

func (d *decoder) pair() *Pair {
	p := &Pair{}
	for _, n := range []*int64{&p.Sessions, &p.Denied, &p.Failed, &p.Approved, &p.Out, &p.In, &p.Total, &p.OutKnown, &p.InKnown, &p.TotalKnown, &p.MaxOut, &p.First, &p.Last} {
		*n = d.int()
	}
	for i := range p.Days {
		p.Days[i] = d.uint()
	}
	for i := range p.Hours {
		p.Hours[i] = d.uint()
	}
	p.Ops, p.By = d.byte(), d.byte()
	p.Starts = d.slots()
	p.Device, p.Format, p.Platform, p.Vantage = d.string(), d.string(), d.string(), d.string()
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		p.Witness = append(p.Witness, d.string())
	}
	return p
}

// ReadProfile reads what Write wrote.
func ReadProfile(r io.Reader) (*Profile, error) {
	z, err := gzip.NewReader(bufio.NewReader(r))
	if err != nil {
		return nil, fmt.Errorf("not a profile: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(z, maxProfile))
	if err != nil {
		return nil, fmt.Errorf("the profile is cut or damaged: %w", err)
	}
	body, ok := strings.CutPrefix(string(data), profileMagic)
	if !ok {
		return nil, errors.New("not a profile of this version")
	}
	d := &decoder{b: []byte(body)}
	p := newProfile()
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		p.days[uint32(d.uint())] = true
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		p.sources[d.string()] = true
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		if key := d.bytes(keyLen); key != nil {
			p.pairs[readKey(key)] = d.pair()
		}
	}
	for n := d.uint(); n > 0 && d.err == nil; n-- {
		k := SeriesKey{Source: d.string(), Class: d.string()}
		s := d.series()
		p.series[k] = &s
	}
	if d.err != nil {
		return nil, fmt.Errorf("the profile is damaged: %w", d.err)
	}
	return p, nil
}
