package tree

import (
	"bytes"
	"encoding/binary"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// maxPath is how many words of the line before are kept to begin the next one from.
const maxPath = 64

// A step is a word of the line before: where it lay, from the line's begin, where it and its quotes ended, and its node.
type step struct {
	at, end int
	node    int32
}

// A Switch is a deactivate line: it switched Node off.
type Switch struct {
	Node     int32
	Off, Len uint32 // the line
}

// sets is a Sets call under way.
type sets struct {
	t      *Tree
	syntax Syntax
	faults []Fault
	line   uint32
	off    int // of the line, without indentation
	text   []byte

	edit  int32 // where "edit" has led; None is the top
	depth int   // of edit

	end   int32  // the last word of the line that was read
	last  []byte // the set line before
	path  [maxPath]step
	steps int

	switched []Switch
	deleted  bool
}

// Sets reads lines of set commands ("set system services ftp") into t, which it empties first, with the nodes the same
// statements have in braces. "deactivate" switches a node off and is reported as a Switch, "activate" on, "delete" takes
// it away with everything below; "edit", "top", "up" and "exit" say where the lines that follow begin. Lines that are no
// command are nodes outside the tree: unrecognised, or comments when they begin with # or Syntax.Aside knows them.
func (t *Tree) Sets(src []byte, syntax Syntax) ([]Switch, []Fault) {
	t.Reset(src)
	t.names.reset(len(src))
	s := &sets{t: t, syntax: syntax, edit: None}
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
		first := end
		if syntax.Runs && bytes.Count(src[i:end], quoteMark)&1 != 0 {
			end = runs(src, i, end)
		}
		s.read(i, end)
		if end > first {
			s.line += uint32(bytes.Count(src[first:end], []byte("\n")))
		}
		i = end + 1
	}
	if i < len(src) {
		s.fault(TooMany, i)
		t.names.read = uint32(i)
	}
	if s.deleted {
		t.relink()
	}
	return s.switched, s.faults
}

var quoteMark = []byte{'"'}

// runs is the end of the line in which the quote closes that src[i:end] leaves open; end when none does, or when another
// command begins before it is closed.
func runs(src []byte, i, end int) int {
	open := false
	for j := i; ; j++ {
		switch {
		case j >= len(src), j-i > MaxLine:
			return end
		case src[j] == '\\' && open:
			j++
		case src[j] == '"' && open:
			open = j+1 < len(src) && classes[src[j+1]] == plain && src[j+1] != ']'
		case src[j] == '"' && (j == i || classes[src[j-1]] != plain):
			open = true
		case src[j] == '\n' && !open:
			return j
		case src[j] == '\n' && bytes.HasPrefix(src[j+1:], []byte("set ")):
			return end
		}
	}
}

func (s *sets) fault(k FaultKind, off int) { s.faults = fault(s.faults, k, uint32(off), s.line) }

// read reads one line, Source[i:end].
func (s *sets) read(i, end int) {
	src := s.t.Source
	for i < end && classes[src[i]] == blank {
		i++
	}
	if i < end && src[i] == '-' {
		i += paged(src[i:end], s.syntax.Pager)
	}
	cut := end-i > MaxLine
	if cut {
		if src[i] != '#' {
			s.fault(TooLong, i)
		}
		end = i + MaxLine
	}
	for end > i && classes[src[end-1]] == blank {
		end--
	}
	if i == end {
		return
	}
	s.off, s.text = i, src[i:end]
	before := len(s.t.Nodes)
	if bytes.HasPrefix(s.text, []byte("set ")) {
		s.set(len("set"))
	} else {
		s.other()
	}
	if cut && len(s.t.Nodes) > before {
		s.t.Nodes[len(s.t.Nodes)-1].Flags |= Cut
	}
}

// other reads a line that does not begin with "set ".
func (s *sets) other() {
	switch verb, rest := s.verb(); verb {
	case "set":
		if len(rest) == 0 {
			s.loose(0)
			return
		}
		s.set(len("set"))
	case "deactivate", "activate", "delete":
		s.change(verb, len(verb))
	case "protect", "unprotect":
		s.state(s.change(verb, len(verb)))
	case "edit", "top", "up", "exit":
		s.move(verb, rest)
	default:
		if verb != "" && len(rest) > 0 {
			s.last = nil
			s.set(len(verb))
			s.last = nil
			return
		}
		flags := Flag(0)
		if s.text[0] == '#' || s.syntax.Aside != nil && s.syntax.Aside(s.text) || bytes.HasPrefix(s.text, []byte("/*")) {
			flags = Comment
		}
		s.loose(flags)
	}
}

// verb is the line's first word and what follows it.
func (s *sets) verb() (verb string, rest []byte) {
	n := 0
	for n < len(s.text) && s.text[n] != ' ' && s.text[n] != '\t' {
		n++
	}
	rest = bytes.TrimLeft(s.text[n:], " \t")
	switch w := s.text[:n]; string(w) {
	case "set":
		return "set", rest
	case "deactivate":
		return "deactivate", rest
	case "activate":
		return "activate", rest
	case "delete":
		return "delete", rest
	case "protect":
		return "protect", rest
	case "unprotect":
		return "unprotect", rest
	case "edit":
		return "edit", rest
	case "top":
		return "top", rest
	case "up":
		return "up", rest
	case "exit", "quit":
		return "exit", nil
	default:
		if slices.Contains(s.syntax.Also, string(w)) {
			return string(w), rest
		}
	}
	return "", nil
}

// loose is a line outside the tree.
func (s *sets) loose(f Flag) int32 {
	s.t.Nodes = append(s.t.Nodes, Node{
		Off: uint32(s.off), Len: uint32(len(s.text)), Begin: uint32(s.off), Line: s.line, Flags: f,
		Parent: None, First: None, Last: None, Next: None,
	})
	return int32(len(s.t.Nodes) - 1)
}

// state marks a line that did what it says.
func (s *sets) state(i int32) {
	if i != None {
		s.t.Mark(i, facts.Understood)
	}
}

// set hangs the line's words from byte from on below one another, beginning with those it shares with the line before.
func (s *sets) set(from int) {
	at, node, n := from, s.edit, 0
	if same := common(s.last, s.text); same > at {
		for n < s.steps && s.path[n].end <= same && (s.path[n].end == len(s.text) || s.text[s.path[n].end] == ' ') {
			at, node = s.path[n].end, s.path[n].node
			n++
		}
	}
	s.last, s.steps = s.text, n
	var last Word
	if n > 0 {
		last = Word{uint32(s.off + s.path[n-1].at), s.t.Nodes[node].Len}
	}
	w := walk{s: s, at: at, parent: node, depth: s.depth + n}
	made := len(s.t.Nodes)
	for w.next() {
		if w.depth > MaxDepth {
			s.fault(TooDeep, s.off)
			if node != None && int(node) >= made {
				k := &s.t.Nodes[node]
				k.Len = uint32(s.off+len(s.text)) - k.Off
				k.Flags |= Cut
				last.Len = uint32(s.off+len(s.text)) - last.Off
			}
			break
		}
		last = w.word
		node = s.t.word(w.parent, w.word, uint32(s.off), s.line)
		if w.inList {
			s.stands(node, w.word)
			continue
		}
		w.parent = node
		if !w.listed && s.steps < maxPath && s.steps == w.depth-s.depth-1 {
			s.path[s.steps] = step{int(w.word.Off) - s.off, w.at, node}
			s.steps++
		}
	}
	s.end = node
	if w.quote {
		s.fault(OpenQuote, s.off)
	}
	if node != None && last != (Word{}) && !(w.listed && w.parent != node) { // the members of a list at the end stand for the line
		s.stands(node, last)
	}
}

// stands makes node i stand for the line.
func (s *sets) stands(i int32, w Word) {
	n := &s.t.Nodes[i]
	if n.Flags&Implied == 0 {
		s.t.repeat(i, w, uint32(s.off), s.line)
		return
	}
	n.Flags &^= Implied
	n.Begin, n.Line = uint32(s.off), s.line
	n.Off, n.Len = w.Off, w.Len
}

// common is how many bytes a and b begin with alike.
func common(a, b []byte) int {
	n, i := min(len(a), len(b)), 0
	for ; i+8 <= n; i += 8 {
		if binary.LittleEndian.Uint64(a[i:]) != binary.LittleEndian.Uint64(b[i:]) {
			break
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// change applies "deactivate", "activate" or "delete" to the node the rest of the line names.
func (s *sets) change(verb string, from int) int32 {
	line := s.loose(0)
	w := walk{s: s, at: from, parent: s.edit}
	node := s.edit
	words := 0
	for w.next() && !w.inList {
		words++
		node = s.t.look(w.parent, s.t.At(w.word))
		if node == None {
			break
		}
		w.parent = node
	}
	if words == 0 || node == None {
		if verb == "protect" || verb == "unprotect" {
			return line
		}
		s.fault(NoTarget, s.off)
		if verb == "delete" {
			s.state(line) // deleting what is not there changes nothing
		}
		return line
	}
	s.state(line)
	switch verb {
	case "deactivate":
		s.t.Nodes[node].Flags |= Inactive
		s.switched = append(s.switched, Switch{node, uint32(s.off), uint32(len(s.text))})
	case "activate":
		s.t.Nodes[node].Flags &^= Inactive
	case "delete":
		s.t.Nodes[node].Parent = detached
		s.deleted, s.last = true, nil
	}
	return line
}

// move follows "edit", "top", "up" and "exit".
func (s *sets) move(verb string, rest []byte) {
	s.last = nil
	s.state(s.loose(0))
	switch verb {
	case "top":
		s.edit, s.depth = None, 0
		if bytes.HasPrefix(rest, []byte("edit ")) || bytes.HasPrefix(rest, []byte("set ")) {
			s.off += len(s.text) - len(rest)
			s.text = rest
			if v, r := s.verb(); v == "edit" {
				s.move(v, r)
			} else {
				s.set(len("set"))
			}
		}
	case "up", "exit":
		if s.edit != None {
			s.edit, s.depth = s.t.Nodes[s.edit].Parent, s.depth-1
		}
	case "edit":
		w := walk{s: s, at: len("edit"), parent: s.edit, depth: s.depth}
		for w.next() && !w.inList && w.depth < MaxDepth {
			s.edit = s.t.word(w.parent, w.word, uint32(s.off), s.line)
			w.parent, s.depth = s.edit, w.depth
		}
	}
}

// A walk yields the words of a line. A list's words share a parent.
type walk struct {
	s      *sets
	at     int // in the line
	parent int32
	depth  int
	word   Word
	inList bool
	listed bool
	quote  bool // a quote was not closed
}

func (w *walk) next() bool {
	text, base := w.s.text, uint32(w.s.off)
	for {
		for w.at < len(text) && classes[text[w.at]] == blank {
			w.at++
		}
		if w.at >= len(text) {
			return false
		}
		switch c := text[w.at]; {
		case c == '[' && !w.inList && w.depth > 0 && (w.at+1 == len(text) || text[w.at+1] == ' '):
			w.inList, w.listed = true, true
			w.at++
			continue
		case c == ']' && w.inList:
			w.inList = false
			w.at++
			continue
		case c == '"' || c == '\'' && w.s.syntax.Single:
			end, ok := quoted(text, w.at, !w.s.syntax.Runs)
			for w.s.syntax.Runs && end+1 < len(text) && classes[text[end+1]] == plain && text[end+1] != ']' {
				end, ok = quoted(text, end, false) // a quote inside, which is not escaped
			}
			w.word = Word{base + uint32(w.at+1), uint32(end - w.at - 1)}
			w.quote = w.quote || !ok
			w.at = min(end+1, len(text))
			w.depth++
			return true
		}
		from := w.at
		if text[from] == '<' {
			w.at = max(from, masked(text, from))
		}
		if w.at == from {
			for w.at < len(text) && classes[text[w.at]] != blank {
				w.at++
			}
		}
		w.word = Word{base + uint32(from), uint32(w.at - from)}
		w.depth++
		return true
	}
}
