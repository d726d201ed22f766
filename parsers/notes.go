package parsers

import (
	"cmp"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// maxNotes bounds the different notes of one piece: a message may quote device text. More are counted together.
const maxNotes = 1000

// notes gathers alike notes. The zero value is ready.
type notes struct {
	index map[noteKey]int
	list  []facts.Note
	over  facts.Note // those beyond maxNotes
}

type noteKey struct {
	kind                facts.NoteKind
	path, message, hint string
}

func keyOf(n *facts.Note) noteKey { return noteKey{n.Kind, n.Path, n.Message, n.Hint} }

func (s *notes) add(n facts.Note) {
	n.Count = max(n.Count, 1)
	if i, ok := s.index[keyOf(&n)]; ok {
		s.list[i] = joined(s.list[i], n)
		return
	}
	if len(s.list) == maxNotes {
		n.Kind, n.Message, n.Hint = facts.NoteLimit, "more notes than are kept for one piece of a file", ""
		if s.over.Count > 0 {
			n = joined(s.over, n)
		}
		s.over = n
		return
	}
	if s.index == nil {
		s.index = map[noteKey]int{}
	}
	s.index[keyOf(&n)] = len(s.list)
	s.list = append(s.list, n)
}

// joined counts two alike notes as one, at the earlier place.
func joined(a, b facts.Note) facts.Note {
	if a.Span.IsZero() || !b.Span.IsZero() && b.Span.Pos < a.Span.Pos {
		a.Span = b.Span
	}
	a.Count += b.Count
	return a
}

// give hands the notes out in their order of place.
func (s *notes) give(f *evidence.File, sink facts.Sink) {
	if s.over.Count > 0 {
		s.list = append(s.list, s.over)
	}
	for i := range s.list {
		s.list[i].Path = cmp.Or(s.list[i].Path, f.Path)
	}
	for _, n := range MergeNotes(s.list) {
		sink.Note(n)
	}
}

// MergeNotes joins alike notes (of pieces of one file, mostly): their numbers are added, the earliest place is kept. The
// result is sorted by path, place and text, so that it does not depend on the order of the pieces.
func MergeNotes(all []facts.Note) []facts.Note {
	index := make(map[noteKey]int, len(all))
	var out []facts.Note
	for _, n := range all {
		n.Count = max(n.Count, 1)
		if i, ok := index[keyOf(&n)]; ok {
			out[i] = joined(out[i], n)
			continue
		}
		index[keyOf(&n)] = len(out)
		out = append(out, n)
	}
	slices.SortFunc(out, func(a, b facts.Note) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Span.Pos, b.Span.Pos), cmp.Compare(a.Kind, b.Kind),
			cmp.Compare(a.Message, b.Message), cmp.Compare(a.Hint, b.Hint))
	})
	return out
}
