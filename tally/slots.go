package tally

import "slices"

// maxSlots is how many members a set of slots has at most.
const maxSlots = 1024

// Slots is a set of start times: Times are sorted numbers of slots since 1970, of 1<<Width seconds, at the finest
// power-of-two width with at most 1,024 members. The set depends on the times alone, not on their order: widening only
// ever joins members, so the width is the smallest that fits.
type Slots struct {
	Width uint8 // log2 of the slot's width in seconds
	Times []uint32
}

// At is when the slot i begins, in unix seconds.
func (s *Slots) At(i int) int64 { return int64(s.Times[i]) << s.Width }

// Add puts a time in unix seconds into the set; times outside 1970 to 2106 are left out.
func (s *Slots) Add(unix int64) {
	if unix < 0 || unix > 1<<32-1 {
		return
	}
	s.put(uint32(unix) >> s.Width)
}

func (s *Slots) put(t uint32) {
	n := len(s.Times)
	switch {
	case n == 0 || s.Times[n-1] < t:
		s.Times = append(s.Times, t)
	case s.Times[n-1] == t:
		return
	default:
		i, found := slices.BinarySearch(s.Times, t)
		if found {
			return
		}
		s.Times = slices.Insert(s.Times, i, t)
	}
	for len(s.Times) > maxSlots {
		s.widen()
	}
}

// widen doubles the width.
func (s *Slots) widen() {
	s.Width++
	out := s.Times[:0]
	for _, t := range s.Times {
		t >>= 1
		if n := len(out); n == 0 || out[n-1] != t {
			out = append(out, t)
		}
	}
	s.Times = out
}

// Merge puts every member of o into s.
func (s *Slots) Merge(o *Slots) {
	if len(o.Times) == 0 {
		return
	}
	for s.Width < o.Width {
		s.widen()
	}
	for _, t := range o.Times {
		s.put(t >> (s.Width - o.Width)) // an earlier member may have widened s
	}
}
