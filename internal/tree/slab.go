package tree

// A Slab hands out short slices cut from longer ones, so that a rule does not cost an allocation per list.
type Slab[T any] struct {
	free []T
	size int
}

// One is a slice holding v alone; appending to it copies.
func (s *Slab[T]) One(v T) []T {
	out := s.Take()
	out[0] = v
	return out
}

// Take is a slice of one zero value; appending to it copies.
func (s *Slab[T]) Take() []T {
	if len(s.free) == 0 {
		s.size = min(max(2*s.size, 16), 512)
		s.free = make([]T, s.size)
	}
	out := s.free[:1:1]
	s.free = s.free[1:]
	return out
}

// Copy is a copy of v; appending to it copies again. It is nil for none.
func (s *Slab[T]) Copy(v []T) []T {
	if len(v) == 0 {
		return nil
	}
	if len(s.free) < len(v) {
		s.size = min(max(2*s.size, 16), 512)
		s.free = make([]T, max(s.size, len(v)))
	}
	out := s.free[:len(v):len(v)]
	s.free = s.free[len(v):]
	copy(out, v)
	return out
}
