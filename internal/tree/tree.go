// Package tree reads configuration text into statements with positions, and accounts for every line.
//
// A [Tree] holds the source bytes and an arena of [Node]s in reading order: no pointers, no strings, nothing allocated per
// statement beyond the arena. One file holds each reader of a shape (indentation, braces, set commands); dialects walk
// the nodes, take [Tree.Words], and [Tree.Mark] what they understood. Whatever nobody marked is unrecognised, so line
// accounting costs nothing. Readers are total: any bytes give a tree; a line over MaxLine is cut and reported.
package tree

import (
	"sync"

	"github.com/quaymaster/quaymaster/facts"
)

// MaxLine is the longest line kept, in bytes; the rest of a longer one is dropped and noted.
const MaxLine = 1 << 20

// MaxSource is the largest configuration read into a tree, in bytes; the rest of a larger file is not read and noted.
const MaxSource = 64 << 20

// None is no node.
const None = int32(-1)

// A Node is one statement. Off and Len are its text in Source without indentation, terminator and line end; for a block
// statement, the header only.
type Node struct {
	Off, Len          uint32
	Parent            int32 // None at the top
	First, Last, Next int32 // first and last child, next sibling; None when there is none
	Line              uint32
	// Begin is where the statement that made the node begins; brace and set readers set it, where a node is one word.
	Begin uint32
	State facts.LineState
	// Repeat is how many further lines the node stands for (indentation), 255 at most.
	Repeat uint8
	Flags  Flag
}

// A Flag tells what kind of node it is.
type Flag uint16

const (
	Comment   Flag = 1 << iota // comment text; accounted as irrelevant unless marked
	Raw                        // body of a banner, certificate or script: text, never statements
	Inactive                   // switched off in the evidence (Junos inactive:)
	Block                      // has, or may have, children
	Cut                        // longer than MaxLine
	Implied                    // made by the reader out of another statement (set paths); counts no line
	Secret                     // the evidence itself says that the statement holds a secret (Junos SECRET-DATA)
	Inherited                  // copied from elsewhere in the evidence by Graft; counts no line
	Again                      // says on another line what its Parent said before, and is no child of it
	indexed                    // its children are in the index of names
	Attribute                  // of an element (XML), no child of it; counts no line
)

// A Tree is the statements of one file.
type Tree struct {
	Source []byte
	Nodes  []Node
	// Base is the offset of Source[0] in the decoded file.
	Base  int64
	First int32 // first top-level node
	last  int32
	names names // of the brace and set readers
}

// spare are trees to be used again: an arena is a tenth of what reading a configuration allocates.
var spare sync.Pool

// New is an empty tree. It may be given back with Free.
func New() *Tree {
	if t, ok := spare.Get().(*Tree); ok {
		return t
	}
	return &Tree{}
}

// keepNodes is the largest arena worth keeping, 40 bytes a node.
const keepNodes = 1 << 20

// Free gives t's memory to the next tree. Nothing of t may be used any more.
func (t *Tree) Free() {
	if cap(t.Nodes) <= keepNodes {
		t.Reset(nil)
		spare.Put(t)
	}
}

// Reset empties t for reuse and gives it src.
func (t *Tree) Reset(src []byte) {
	t.Source, t.Nodes, t.Base, t.First, t.last = src, t.Nodes[:0], 0, None, None
}

// Add appends a node under parent (None for the top) and returns its index.
func (t *Tree) Add(parent int32, n Node) int32 {
	i := int32(len(t.Nodes))
	n.Parent, n.First, n.Last, n.Next = parent, None, None, None
	t.Nodes = append(t.Nodes, n)
	switch {
	case parent == None && t.last == None:
		t.First, t.last = i, i
	case parent == None:
		t.Nodes[t.last].Next, t.last = i, i
	case t.Nodes[parent].First == None:
		t.Nodes[parent].First, t.Nodes[parent].Last = i, i
	default:
		t.Nodes[t.Nodes[parent].Last].Next = i
		t.Nodes[parent].Last = i
	}
	return i
}

// Text is the node's text.
func (t *Tree) Text(i int32) []byte {
	n := &t.Nodes[i]
	return t.Source[n.Off : n.Off+n.Len]
}

// Mark accounts for node i.
func (t *Tree) Mark(i int32, s facts.LineState) { t.Nodes[i].State = s }

// MarkAll accounts for node i and everything below it that nobody marked.
func (t *Tree) MarkAll(i int32, s facts.LineState) {
	if t.Nodes[i].State == facts.Unrecognised {
		t.Nodes[i].State = s
	}
	for c := t.Nodes[i].First; c != None; c = t.Nodes[c].Next {
		t.MarkAll(c, s)
	}
}

// A Word is a part of a statement: Source[Off:Off+Len], quotes stripped.
type Word struct{ Off, Len uint32 }

// Words splits node i's text at blanks into dst. A word in double quotes is one word, without its quotes; an unclosed
// quote runs to the end of the text.
func (t *Tree) Words(dst []Word, i int32) []Word {
	dst = dst[:0]
	n := t.Nodes[i]
	p, end := n.Off, n.Off+n.Len
	for p < end {
		c := t.Source[p]
		if c == ' ' || c == '\t' {
			p++
			continue
		}
		start := p
		if c == '"' {
			p++
			for p < end && t.Source[p] != '"' {
				if t.Source[p] == '\\' && p+1 < end {
					p++
				}
				p++
			}
			dst = append(dst, Word{start + 1, min(p, end) - start - 1})
			p++
			continue
		}
		for p < end && t.Source[p] != ' ' && t.Source[p] != '\t' {
			p++
		}
		dst = append(dst, Word{start, p - start})
	}
	return dst
}

// Fields splits node i's text at blanks into dst. Quotes mean nothing: a password may begin with one.
func (t *Tree) Fields(dst []Word, i int32) []Word {
	dst = dst[:0]
	n := &t.Nodes[i]
	text := t.Source[n.Off : n.Off+n.Len]
	start := -1
	for j, c := range text {
		switch {
		case c != ' ' && c != '\t' && c != '\r':
			if start < 0 {
				start = j
			}
		case start >= 0:
			dst = append(dst, Word{n.Off + uint32(start), uint32(j - start)})
			start = -1
		}
	}
	if start >= 0 {
		dst = append(dst, Word{n.Off + uint32(start), uint32(len(text) - start)})
	}
	return dst
}

// At is the bytes of w.
func (t *Tree) At(w Word) []byte { return t.Source[w.Off : w.Off+w.Len] }

// Is reports whether w reads s.
func (t *Tree) Is(w Word, s string) bool { return string(t.Source[w.Off:w.Off+w.Len]) == s }

// Count is the lines by state, where every line is a node (indentation; otherwise see [Tree.Lines]). Comments nobody marked
// are irrelevant; raw bodies have their header's state.
func (t *Tree) Count() facts.Lines {
	var l facts.Lines
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Flags&(Implied|Inherited) != 0 {
			continue
		}
		lines := 1 + int(n.Repeat)
		s := n.State
		if s == facts.Unrecognised && n.Flags&(Comment|Raw) != 0 {
			s = facts.Irrelevant
		}
		switch s {
		case facts.Understood:
			l.Understood += lines
		case facts.Irrelevant:
			l.Irrelevant += lines
		case facts.Unsupported:
			l.Unsupported += lines
		case facts.Unrecognised:
			l.Unrecognised += lines
		}
	}
	return l
}
