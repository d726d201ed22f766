package tree

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

// A level is an open block of nested lines.
type level struct {
	indent int
	node   int32
	depth  int
}

// Nested reads lines whose indentation says what belongs to what, and that "exit" closes (SR OS, classic command line) into t,
// which it empties first, with the nodes the same words have in braces: the words of a line lie below one another, those of a
// line further right below its last. "exit all" ends every block. Lines that begin with # and those Syntax.Aside knows are
// comments outside the tree.
func (t *Tree) Nested(src []byte, syntax Syntax) []Fault {
	t.Reset(src)
	t.names.reset(len(src))
	s := &sets{t: t, syntax: syntax, edit: None}
	open := make([]level, 0, 32)
	i := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		i = 3
	}
	for i < len(src) && len(t.Nodes) < MaxNodes {
		end := len(src)
		if n := bytes.IndexByte(src[i:], '\n'); n >= 0 {
			end = i + n
		}
		s.line++
		open = s.nested(open, i, end)
		i = end + 1
	}
	if i < len(src) {
		s.fault(TooMany, i)
		t.names.read = uint32(i)
	}
	return s.faults
}

// nested reads one line, Source[i:end], inside the blocks that are open.
func (s *sets) nested(open []level, i, end int) []level {
	src, begin := s.t.Source, i
	for i < end && classes[src[i]] == blank {
		i++
	}
	if i < end && src[i] == '-' {
		i += paged(src[i:end], s.syntax.Pager)
	}
	if cut := end-i > MaxLine; cut {
		if src[i] != '#' {
			s.fault(TooLong, i)
		}
		end = i + MaxLine
	}
	for end > i && classes[src[end-1]] == blank {
		end--
	}
	if i == end {
		return open
	}
	s.off, s.text = i, src[i:end]
	switch {
	case s.text[0] == '#' || s.syntax.Aside != nil && s.syntax.Aside(s.text):
		s.loose(Comment)
		return open
	case string(s.text) == "exit all":
		s.t.Mark(s.loose(0), facts.Understood)
		return open[:0]
	case string(s.text) == "exit":
		s.t.Mark(s.loose(0), facts.Understood)
		return open
	}
	indent := i - begin
	for len(open) > 0 && open[len(open)-1].indent >= indent {
		open = open[:len(open)-1]
	}
	s.edit, s.depth = None, 0
	if n := len(open); n > 0 {
		s.edit, s.depth = open[n-1].node, open[n-1].depth
	}
	for _, w := range s.syntax.Last {
		if rest, ok := bytes.CutSuffix(s.text, []byte(" "+w)); ok {
			s.text = bytes.TrimRight(rest, " \t")
		}
	}
	s.last = nil
	s.set(0)
	s.last = nil
	if s.end == None || s.depth+s.steps > MaxDepth || len(open) >= maxBlocks {
		return open
	}
	return append(open, level{indent, s.end, s.depth + s.steps})
}
