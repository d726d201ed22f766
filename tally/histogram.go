package tally

import (
	"cmp"
	"math"
	"math/bits"
	"slices"
)

// A Histogram counts numbers in fixed bins, eight to a power of two: a bin is at most an eighth wider than its lower
// bound. Only bins with a count are kept. Integers alone decide the bin, so every machine agrees.
type Histogram struct {
	Bins []Bin // by Index
}

// A Bin is a count of numbers in [Lower, Upper].
type Bin struct {
	Index uint16
	Count uint32 // stops at its maximum
}

// binOf is the bin of n; n below zero counts as zero.
func binOf(n int64) uint16 {
	if n < 8 {
		return uint16(max(n, 0))
	}
	k := bits.Len64(uint64(n)) - 1
	return uint16(k*8) + uint16(n>>(k-3)&7)
}

// Lower is the smallest number of the bin.
func (b Bin) Lower() int64 {
	if b.Index < 8 {
		return int64(b.Index)
	}
	return int64(8+b.Index%8) << (b.Index/8 - 3)
}

// Upper is the largest number of the bin.
func (b Bin) Upper() int64 {
	if b.Index < 8 {
		return int64(b.Index)
	}
	return b.Lower() + int64(1)<<(b.Index/8-3) - 1
}

// Add counts n.
func (h *Histogram) Add(n int64) { h.add(binOf(n), 1) }

func (h *Histogram) add(index uint16, count uint32) {
	i, ok := slices.BinarySearchFunc(h.Bins, index, func(b Bin, x uint16) int { return cmp.Compare(b.Index, x) })
	if !ok {
		h.Bins = slices.Insert(h.Bins, i, Bin{Index: index})
	}
	c := &h.Bins[i].Count
	*c = uint32(min(uint64(*c)+uint64(count), math.MaxUint32))
}

// Merge adds the counts of o.
func (h *Histogram) Merge(o *Histogram) {
	for _, b := range o.Bins {
		h.add(b.Index, b.Count)
	}
}

// Total is how many numbers were counted.
func (h *Histogram) Total() int64 {
	var n int64
	for _, b := range h.Bins {
		n += int64(b.Count)
	}
	return n
}
