package tree

import (
	"bytes"
	"encoding/binary"
)

// maxBlocks bounds the blocks a brace reader keeps open; deeper ones are counted and their contents join the last.
const maxBlocks = 512

// A block is an open brace.
type block struct {
	node  int32 // None outside every block
	depth int   // words above its contents
	begin uint32
	line  uint32
}

// braces is a Braces call under way.
type braces struct {
	t      *Tree
	src    []byte
	syntax Syntax
	i      int
	line   uint32
	start  int // of the line
	head   int // of the line's text, behind its indentation
	faults []Fault

	blocks []block
	over   int // blocks open beyond maxBlocks

	// The statement being read.
	begin    int    // where it begins; -1 between statements
	node     int32  // its last word
	last     Word   // where that lies in it
	at       uint32 // and on which line
	words    int
	first    int  // nodes there were before it
	fresh    bool // its first word was new
	list     int32
	inList   bool
	listed   bool  // it has a list, whose members stand for it
	after    bool  // words follow the list
	off      bool  // inactive:
	lastNode int32 // of the statement before, for a trailing comment
	lastLine uint32

	style layout
}

// layout is whether blocks are indented, which lets a reader recover from a block that was never closed.
type layout uint8

const (
	unseen layout = iota
	indented
	flat
)

// Braces reads text in braces ("system { services { ftp; } }") into t, which it empties first. Faults name what was not
// as it should be; the rest is read all the same: a block that is never closed ends where a statement begins in the
// first column, when the text is indented elsewhere.
func (t *Tree) Braces(src []byte, s Syntax) []Fault {
	t.Reset(src)
	t.names.reset(len(src))
	b := &braces{t: t, src: src, syntax: s, line: 1, begin: -1, lastNode: None}
	b.blocks = append(make([]block, 0, 32), block{node: None})
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		b.i = 3
	}
	b.start = b.i
	b.indent()
	for b.i < len(src) && len(t.Nodes) < MaxNodes {
		b.step()
	}
	if b.i < len(src) {
		b.fault(TooMany, b.i)
		t.names.read = uint32(b.i)
	}
	b.end(false)
	for _, k := range b.blocks[1:] {
		b.faults = fault(b.faults, Unclosed, k.begin, k.line)
	}
	return b.faults
}

func (b *braces) fault(k FaultKind, off int) {
	b.faults = fault(b.faults, k, uint32(off), b.line)
}

func (b *braces) step() {
	c := b.src[b.i]
	switch classes[c] {
	case eol:
		b.newline()
		return
	case blank:
		for b.i++; b.i < len(b.src) && classes[b.src[b.i]] == blank; b.i++ {
		}
		return
	case stop:
		switch c {
		case ';':
			b.end(false)
		case '{':
			if b.begin < 0 && b.i == b.head && b.aside() {
				return
			}
			b.open()
		case '}':
			b.end(false)
			b.close()
		}
		b.i++
		return
	}
	if b.i-b.start > MaxLine {
		b.skipLine(TooLong)
		return
	}
	if b.begin < 0 && b.i == b.head && b.atStart(c) {
		return
	}
	switch c {
	case '#', '/':
		if b.commentAt(c) {
			b.comment(c)
			return
		}
	case '[':
		if b.words > 0 && !b.inList && b.opensList() {
			b.list, b.inList, b.listed, b.after = b.node, true, true, false
			b.i++
			return
		}
	case ']':
		if b.inList {
			b.inList = false
			b.i++
			return
		}
	}
	b.word(c)
}

// commentAt reports whether a comment begins at i. Inside a statement a hash belongs to its word unless it stands alone.
func (b *braces) commentAt(c byte) bool {
	next := byte(' ')
	if b.i+1 < len(b.src) {
		next = b.src[b.i+1]
	}
	return c == '/' && next == '*' || c == '#' && (b.begin < 0 || next == '#' || classes[next] != plain)
}

// opensList reports whether the bracket at i stands alone or before a list, not inside a word such as "[0-9]".
func (b *braces) opensList() bool {
	if b.i+1 >= len(b.src) || classes[b.src[b.i+1]] != plain {
		return true
	}
	rest := b.src[b.i+1:]
	for j, c := range rest {
		switch {
		case c == ']':
			return j+1 >= len(rest) || classes[rest[j+1]] != plain
		case classes[c] == blank:
			return true
		case classes[c] != plain:
			return false
		}
	}
	return false
}

func (b *braces) newline() {
	if b.syntax.Lines && !b.inList {
		b.end(false)
	}
	b.i++
	b.line++
	b.start = b.i
	b.indent()
}

// indent skips the blanks a line begins with.
func (b *braces) indent() {
	i, src := b.i, b.src
	for i+8 <= len(src) && binary.LittleEndian.Uint64(src[i:]) == 0x2020202020202020 {
		i += 8
	}
	for i < len(src) && classes[src[i]] == blank {
		i++
	}
	if i < len(src) && src[i] == '-' {
		i += paged(src[i:], b.syntax.Pager)
	}
	b.i, b.head = i, i
}

// atStart is asked where a statement begins with its line. It reports whether it took the text there for something else.
func (b *braces) atStart(c byte) bool {
	if (len(b.blocks) == 1 || c == '[' || c == '-') && b.aside() {
		return true
	}
	if c == '#' || c == '/' {
		return false
	}
	if len(b.blocks) > 1 {
		switch column := b.i - b.start; {
		case b.style == unseen && column > 0:
			b.style = indented
		case b.style == unseen:
			b.style = flat
		case b.style == indented && column == 0:
			for _, k := range b.blocks[1:] {
				b.faults = fault(b.faults, Unclosed, k.begin, k.line)
			}
			b.blocks, b.over = b.blocks[:1], 0
		}
	}
	return false
}

// aside takes a line that is no configuration.
func (b *braces) aside() bool {
	if b.syntax.Aside == nil {
		return false
	}
	line, _, _ := bytes.Cut(b.src[b.i:min(len(b.src), b.i+MaxLine)], []byte("\n"))
	line = bytes.TrimRight(line, " \t\r")
	if !b.syntax.Aside(line) {
		return false
	}
	b.t.Nodes = append(b.t.Nodes, Node{
		Off: uint32(b.i), Len: uint32(len(line)), Begin: uint32(b.i), Line: b.line, Flags: Comment,
		Parent: None, First: None, Last: None, Next: None,
	})
	b.i += len(line)
	return true
}

// comment reads "# to the end of the line" and "/* to here */". One that follows a statement on its line belongs to it.
func (b *braces) comment(c byte) {
	from, line, ok := b.i, b.line, true
	if c == '#' {
		if n := bytes.IndexByte(b.src[b.i:], '\n'); n >= 0 {
			b.i += n
		} else {
			b.i = len(b.src)
		}
	} else {
		if n := bytes.Index(b.src[b.i+2:], []byte("*/")); n >= 0 {
			b.i += n + 4
		} else {
			b.i, ok = len(b.src), false
			b.fault(OpenNote, from)
		}
		text := b.src[from:b.i]
		if n := bytes.Count(text, []byte("\n")); n > 0 {
			b.line += uint32(n)
			b.start = from + bytes.LastIndexByte(text, '\n') + 1
		}
	}
	text := bytes.TrimRight(b.src[from:b.i], " \t\r")
	trailing := b.begin < 0 && b.lastNode != None && b.lastLine == line
	if trailing && bytes.Contains(text, []byte("SECRET-DATA")) {
		b.t.Nodes[b.lastNode].Flags |= Secret
	}
	if trailing && ok || b.begin >= 0 {
		return
	}
	b.t.Nodes = append(b.t.Nodes, Node{
		Off: uint32(from), Len: uint32(len(text)), Begin: uint32(from), Line: line, Flags: Comment,
		Parent: b.blocks[len(b.blocks)-1].node, First: None, Last: None, Next: None,
	})
}

// word reads one word and hangs it below the one before.
func (b *braces) word(c byte) {
	from, line := b.i, b.line
	var w Word
	switch {
	case c == '"' || c == '\'' && b.syntax.Single:
		w = b.quote(from)
	case c == '<' && masked(b.src, b.i) > 0:
		b.i = masked(b.src, b.i)
		w = Word{uint32(from), uint32(b.i - from)}
	default:
		b.bare(from)
		w = Word{uint32(from), uint32(b.i - from)}
		if b.words == 0 && b.syntax.Tags && b.src[b.i-1] == ':' && b.tag(b.src[from:b.i]) {
			return
		}
	}
	if b.begin < 0 {
		b.begin, b.words, b.node, b.first = from, 0, b.blocks[len(b.blocks)-1].node, len(b.t.Nodes)
		b.list, b.listed, b.after = None, false, false
	}
	b.hang(w, from, line)
}

// bare moves behind a word without quotes. "${node}" is part of a word.
func (b *braces) bare(from int) {
	i, src := b.i+1, b.src
	for {
		for i < len(src) && classes[src[i]] == plain {
			i++
		}
		if i < len(src) && (src[i] == '{' && src[i-1] == '$' || src[i] == '}' && bytes.HasPrefix(src[from:], []byte("${"))) {
			i++
			continue
		}
		break
	}
	if b.inList && src[i-1] == ']' && bytes.IndexByte(src[from:i], '[') < 0 {
		i-- // "b]": the bracket is read next
	}
	b.i = i
}

// quote reads a word in quotes. One that nothing closes ends with its line.
func (b *braces) quote(from int) Word {
	end, ok := quoted(b.src, from, false)
	if ok {
		b.i = end + 1
	} else {
		b.fault(OpenQuote, from)
		end, _ = quoted(b.src, from, true)
		b.i = end
	}
	text := b.src[from+1 : end]
	if n := bytes.Count(text, []byte("\n")); n > 0 {
		b.line += uint32(n)
		b.start = from + 1 + bytes.LastIndexByte(text, '\n') + 1
	}
	return Word{uint32(from + 1), uint32(len(text))}
}

// tag reads a mark before a statement.
func (b *braces) tag(text []byte) bool {
	switch string(text) {
	case "inactive:":
		b.off = true
	case "protect:", "replace:", "active:":
	default:
		return false
	}
	return true
}

func (b *braces) hang(w Word, from int, line uint32) {
	if w.Len > MaxLine {
		b.fault(TooLong, from)
		w.Len = MaxLine
	}
	parent := b.node
	if b.listed && !b.after {
		parent = b.list
		b.after = !b.inList
	}
	depth := b.blocks[len(b.blocks)-1].depth + b.words
	if depth >= MaxDepth {
		b.fault(TooDeep, from)
		if b.words > 0 { // keep the rest of the statement as the text of its last word
			if n := &b.t.Nodes[b.node]; int(b.node) >= b.first {
				n.Len = w.Off + w.Len - n.Off
				n.Flags |= Cut
				b.last.Len = w.Off + w.Len - b.last.Off
			}
			return
		}
		parent = None
		if n := b.blocks[len(b.blocks)-1].node; n != None {
			parent = b.t.Nodes[n].Parent
		}
	}
	before := len(b.t.Nodes)
	b.last, b.at = w, line
	b.node = b.t.word(parent, w, uint32(b.begin), line)
	if b.words == 0 {
		b.fresh = len(b.t.Nodes) > before
	}
	b.words++
	if b.inList {
		b.states(b.node, w)
	}
}

// states makes node n stand for a statement that ends with word w.
func (b *braces) states(i int32, w Word) {
	n := &b.t.Nodes[i]
	if n.Flags&Implied == 0 {
		b.t.repeat(i, w, uint32(b.begin), b.at)
		return
	}
	n.Flags &^= Implied
	n.Off, n.Len, n.Begin, n.Line = w.Off, w.Len, uint32(b.begin), b.at
}

// end closes the statement being read, as the head of a block when opens is set.
func (b *braces) end(opens bool) {
	if b.begin < 0 {
		if !opens {
			b.off = false
		}
		return
	}
	if !b.listed || b.after || b.list == b.node {
		b.states(b.node, b.last)
	}
	if b.off {
		b.deactivate(opens)
	}
	b.lastNode, b.lastLine = b.node, b.line
	b.begin, b.off, b.inList, b.listed, b.after, b.words = -1, false, false, false, false, 0
}

// deactivate marks what the statement says as switched off: a block is its last word; of a leaf, the words it made, but
// not its first, which names what others may set too.
func (b *braces) deactivate(opens bool) {
	if opens || b.words == 1 {
		b.t.Nodes[b.node].Flags |= Inactive
		return
	}
	from := b.first
	if b.fresh {
		from++
	}
	for i := from; i < len(b.t.Nodes); i++ {
		if b.t.Nodes[i].Flags&Comment == 0 {
			b.t.Nodes[i].Flags |= Inactive
		}
	}
}

func (b *braces) open() {
	at := b.blocks[len(b.blocks)-1]
	k := block{at.node, at.depth, uint32(b.i), b.line}
	if b.begin >= 0 {
		k = block{b.node, at.depth + b.words, uint32(b.begin), b.line}
		b.t.Nodes[b.node].Flags |= Block
		b.end(true)
		b.lastNode = None // a comment after the brace stands alone
	}
	if len(b.blocks) >= maxBlocks {
		b.fault(TooDeep, b.i)
		b.over++
		return
	}
	b.blocks = append(b.blocks, k)
}

func (b *braces) close() {
	b.lastNode = None
	switch {
	case b.over > 0:
		b.over--
	case len(b.blocks) > 1:
		b.blocks = b.blocks[:len(b.blocks)-1]
	default:
		b.fault(Extra, b.i)
	}
}

// skipLine leaves out the rest of the line.
func (b *braces) skipLine(k FaultKind) {
	b.fault(k, b.i)
	if len(b.t.Nodes) > 0 {
		b.t.Nodes[len(b.t.Nodes)-1].Flags |= Cut
	}
	if n := bytes.IndexByte(b.src[b.i:], '\n'); n >= 0 {
		b.i += n
	} else {
		b.i = len(b.src)
	}
	b.end(false)
}
