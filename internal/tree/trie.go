package tree

import (
	"bytes"
	"hash/maphash"

	"github.com/quaymaster/quaymaster/facts"
)

// Brace and set text say the same thing in two shapes, so both readers build one shape: a node per word. The statement
// "unit 0 { family inet { mtu 1500; } }" and "set unit 0 family inet mtu 1500" both give unit > 0 > family > inet > mtu >
// 1500, and a list "[ a b ]" gives siblings. A word met again under the same parent is the same node. The last word of a
// statement stands for its line; the words before it are Implied unless another statement ends there.
//
// Comments, prompts, switched-off markers and lines no reader knows are nodes too, so that they are accounted for, but no
// node's children: a walk over First and Next meets statements only.

// A Syntax is how a dialect spells braces or set commands.
type Syntax struct {
	// Lines: the end of a line ends a statement (VyOS, SR OS MD-CLI, F5); otherwise only a semicolon does.
	Lines bool
	// Single: 'single quotes' hold a word together, as double quotes always do (VyOS).
	Single bool
	// Tags: "inactive:", "protect:" and "replace:" may stand before a statement (Junos).
	Tags bool
	// Runs: a quote may run on over the ends of lines in set commands, as it always may in braces, and one that a blank
	// does not follow closes nothing (PAN-OS, which escapes none).
	Runs bool
	// Also are further words that begin a set command and say what "set" says (Gaia: add).
	Also []string
	// Last are words that mean nothing at the end of a line that is nested by indentation (SR OS: create).
	Last []string
	// Pager is what a pager leaves before a line's text, up to the "---" that ends it: "---(more". Empty: none.
	Pager string
	// Aside tells lines that are no configuration (prompts, state banners). It is asked about lines that begin outside
	// every block and, within blocks, about those that begin with a bracket, a brace or a dash. May be nil.
	Aside func(line []byte) bool
}

// MaxDepth is how many words deep a statement may lie; what is deeper stays in the last word as text.
const MaxDepth = 128

// MaxNodes bounds a brace or set tree; what follows is not read and reported.
const MaxNodes = 16 << 20

// A FaultKind is what kept a reader from taking the text as written.
type FaultKind uint8

const (
	Unclosed  FaultKind = iota // a block that nothing closes: the text was cut
	Extra                      // a closing brace without a block
	OpenQuote                  // a quote that nothing closes
	OpenNote                   // a comment that nothing closes
	TooLong                    // a line over MaxLine
	TooDeep                    // words or blocks deeper than MaxDepth
	TooMany                    // more than MaxNodes words
	NoTarget                   // deactivate, activate or delete of what was not set before
	OpenText                   // a banner or other text whose end is missing
	faultKinds
)

// String describes the fault in a few words.
func (k FaultKind) String() string {
	return [...]string{
		"a block is not closed", "a closing brace has no block", "a quote is not closed", "a comment is not closed",
		"a line is longer than 1 MiB", "statements nest too deeply", "too many statements",
		"a statement is switched that was not set before", "a banner or other text has no end",
	}[min(k, faultKinds-1)]
}

// Lost reports whether text was lost or may have been read in the wrong place.
func (k FaultKind) Lost() bool { return k != NoTarget && k != Extra }

// A Fault is the first of its kind in a file, with how many there are.
type Fault struct {
	Kind  FaultKind
	Off   uint32 // of Source
	Line  uint32
	Count int
}

func fault(list []Fault, k FaultKind, off, line uint32) []Fault {
	for i := range list {
		if list[i].Kind == k {
			list[i].Count++
			return list
		}
	}
	return append(list, Fault{k, off, line, 1})
}

// fewChildren is how many siblings are looked through one by one; parents with more are in the index.
const fewChildren = 8

// names is the index of the children of parents that have many: open addressing over the nodes, 32 bits of hash beside
// each. The seed is the process's own, so that no text can choose its collisions.
type names struct {
	seed  maphash.Seed
	slots []uint64 // hash<<32 | node+1; 0 is free
	used  int
	on    bool
	top   bool   // the top-level nodes are in it
	read  uint32 // where reading stopped: Source's length, unless there was too much
}

// reset empties x for a source of that many bytes.
func (x *names) reset(size int) {
	if !x.on {
		x.seed, x.on = maphash.MakeSeed(), true
	}
	n := 1 << 10
	for n < size/256 {
		n *= 2
	}
	if cap(x.slots) < n {
		x.slots = make([]uint64, n)
	} else {
		x.slots = x.slots[:n]
		clear(x.slots)
	}
	x.used, x.top, x.read = 0, false, uint32(size)
}

func (x *names) hash(parent int32, word []byte) uint32 {
	return x.fold(maphash.Bytes(x.seed, word), parent)
}

// fold mixes a parent into a word's hash.
func (x *names) fold(h uint64, parent int32) uint32 {
	return uint32((h ^ uint64(uint32(parent))*0x9e3779b97f4a7c15) * 0xff51afd7ed558ccd >> 32)
}

func (x *names) grow() {
	old := x.slots
	n := 2 * len(old)
	x.slots = make([]uint64, n)
	mask := uint32(n - 1)
	for _, s := range old {
		if s == 0 {
			continue
		}
		at := uint32(s>>32) & mask
		for x.slots[at] != 0 {
			at = (at + 1) & mask
		}
		x.slots[at] = s
	}
}

// find is the slot of parent's child with that word: a taken one, or the free one where it belongs.
func (t *Tree) find(parent int32, word []byte, h uint32) (slot uint32, node int32) {
	mask := uint32(len(t.names.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := t.names.slots[at]
		if s == 0 {
			return at, None
		}
		if uint32(s>>32) != h {
			continue
		}
		i := int32(uint32(s)) - 1
		if n := &t.Nodes[i]; n.Parent == parent && bytes.Equal(t.Source[n.Off:n.Off+n.Len], word) {
			return at, i
		}
	}
}

// siblings is parent's first child and whether parent's children are in the index.
func (t *Tree) siblings(parent int32) (first int32, many bool) {
	if parent == None {
		return t.First, t.names.top
	}
	n := &t.Nodes[parent]
	return n.First, n.Flags&indexed != 0
}

// Child is parent's child with that word, None when there is none. It works on trees that Braces or Sets read.
func (t *Tree) Child(parent int32, word string) int32 {
	i, many := t.siblings(parent)
	if !many {
		for ; i != None; i = t.Nodes[i].Next {
			if n := &t.Nodes[i]; string(t.Source[n.Off:n.Off+n.Len]) == word {
				return i
			}
		}
		return None
	}
	h := t.names.fold(maphash.String(t.names.seed, word), parent)
	mask := uint32(len(t.names.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		s := t.names.slots[at]
		if s == 0 {
			return None
		}
		if uint32(s>>32) != h {
			continue
		}
		i := int32(uint32(s)) - 1
		if n := &t.Nodes[i]; n.Parent == parent && string(t.Source[n.Off:n.Off+n.Len]) == word {
			return i
		}
	}
}

// look is parent's child with that word.
func (t *Tree) look(parent int32, word []byte) int32 {
	i, many := t.siblings(parent)
	if many {
		_, i = t.find(parent, word, t.names.hash(parent, word))
		return i
	}
	for ; i != None; i = t.Nodes[i].Next {
		if n := &t.Nodes[i]; n.Parent == parent && bytes.Equal(t.Source[n.Off:n.Off+n.Len], word) {
			return i
		}
	}
	return None
}

// word is parent's child that reads w, made as Implied when there is none.
func (t *Tree) word(parent int32, w Word, begin, line uint32) int32 {
	text := t.Source[w.Off : w.Off+w.Len]
	first, many := t.siblings(parent)
	if many {
		last := t.last
		if parent != None {
			last = t.Nodes[parent].Last
		}
		if l := &t.Nodes[last]; l.Parent == parent && bytes.Equal(t.Source[l.Off:l.Off+l.Len], text) {
			return last
		}
		h := t.names.hash(parent, text)
		slot, i := t.find(parent, text, h)
		if i == None {
			i = t.hang(parent, w, begin, line)
			t.names.put(slot, h, i)
		}
		return i
	}
	count := 0
	for i := first; i != None; {
		k := &t.Nodes[i]
		if k.Len == w.Len && k.Parent == parent && string(t.Source[k.Off:k.Off+k.Len]) == string(text) {
			return i
		}
		count++
		i = k.Next
	}
	i := t.hang(parent, w, begin, line)
	if count >= fewChildren {
		t.index(parent)
	}
	return i
}

// hang is Add for a word, built where it stays: it is called for every word of a file.
func (t *Tree) hang(parent int32, w Word, begin, line uint32) int32 {
	i := int32(len(t.Nodes))
	if len(t.Nodes) < cap(t.Nodes) {
		t.Nodes = t.Nodes[:i+1]
	} else {
		t.Nodes = append(t.Nodes, Node{})
	}
	n := &t.Nodes[i]
	n.Off, n.Len, n.Begin, n.Line = w.Off, w.Len, begin, line
	n.Parent, n.First, n.Last, n.Next = parent, None, None, None
	n.State, n.Flags = facts.Unrecognised, Implied
	switch {
	case parent != None:
		p := &t.Nodes[parent]
		if p.Last == None {
			p.First = i
		} else {
			t.Nodes[p.Last].Next = i
		}
		p.Last = i
	case t.last == None:
		t.First, t.last = i, i
	default:
		t.Nodes[t.last].Next, t.last = i, i
	}
	return i
}

// repeat notes that the line says again what node i said on an earlier one.
func (t *Tree) repeat(i int32, w Word, begin, line uint32) {
	if last := &t.Nodes[len(t.Nodes)-1]; last.Line == line || t.Nodes[i].Line == line {
		return // the line is accounted for
	}
	t.Nodes = append(t.Nodes, Node{
		Off: w.Off, Len: w.Len, Begin: begin, Line: line, Flags: Again, Parent: i, First: None, Last: None, Next: None,
	})
}

// index puts parent's children into the index.
func (t *Tree) index(parent int32) {
	first, _ := t.siblings(parent)
	if parent == None {
		t.names.top = true
	} else {
		t.Nodes[parent].Flags |= indexed
	}
	for i := first; i != None; i = t.Nodes[i].Next {
		n := &t.Nodes[i]
		text := t.Source[n.Off : n.Off+n.Len]
		h := t.names.hash(parent, text)
		slot, _ := t.find(detached, text, h) // the first free slot: detached nodes are never in the index
		t.names.put(slot, h, i)
	}
}

func (x *names) put(slot, hash uint32, node int32) {
	x.slots[slot] = uint64(hash)<<32 | uint64(uint32(node+1))
	if x.used++; x.used*3 > len(x.slots)*2 {
		x.grow()
	}
}

// Graft gives parent a copy of node from, without its children, unless it has a child of that word already. The copy is
// Inherited and Implied and keeps from's position, so that facts point at the text they come from.
func (t *Tree) Graft(parent, from int32) (child int32, made bool) {
	n := t.Nodes[from]
	before := len(t.Nodes)
	child = t.word(parent, Word{n.Off, n.Len}, n.Begin, n.Line)
	if made = len(t.Nodes) > before; made {
		t.Nodes[child].Flags = n.Flags&(Block|Secret|Cut) | Inherited | Implied
	}
	return child, made
}

// Statement is the text of the statement that made node i, up to the end of its word: the whole line for the last word.
func (t *Tree) Statement(i int32) (off, length uint32) {
	n := &t.Nodes[i]
	end := n.Off + n.Len
	if n.Off > n.Begin && int(end) < len(t.Source) {
		if q := t.Source[n.Off-1]; (q == '"' || q == '\'') && t.Source[end] == q {
			end++
		}
	}
	return n.Begin, end - n.Begin
}

// detached is the parent of a deleted node and of everything below it: no search finds them.
const detached = int32(-2)

// relink takes detached nodes out of their parents' lists and accounts for what lies below them.
func (t *Tree) relink() {
	t.First, t.last = t.attached(t.First)
	for i := range t.Nodes {
		n := &t.Nodes[i]
		n.First, n.Last = t.attached(n.First)
		if n.Flags&Again == 0 && n.Parent >= 0 && t.Nodes[n.Parent].Parent == detached { // parents come before their children
			n.Parent = detached
		}
		if n.Parent == detached {
			n.State = facts.Understood
		}
	}
}

// attached links the siblings from i on that are not detached.
func (t *Tree) attached(i int32) (first, last int32) {
	first, last = None, None
	for ; i != None; i = t.Nodes[i].Next {
		switch {
		case t.Nodes[i].Parent == detached:
			continue
		case last == None:
			first = i
		default:
			t.Nodes[last].Next = i
		}
		last = i
	}
	if last != None {
		t.Nodes[last].Next = None
	}
	return first, last
}
