package tree

import (
	"bytes"
	"slices"

	"github.com/quaymaster/quaymaster/internal/field"
)

// Cisco's configurations and those that look like them say by indentation what belongs to what. The indent reader makes a
// node per line: its parent is the nearest line above that begins further left. Comments are nodes but no node's
// children, so that a walk over First and Next meets statements and raw text only; Parent says in which block a comment
// stands. The lines of banners, certificates and macros are Raw children of the statement that opens them.

// Indentation is how a dialect writes.
type Indentation struct {
	// Comments are the bytes that begin a comment as the first of a line's text ("!", "!#").
	Comments string
	// Separators: a comment mark alone in the first column ends every block, whatever the next line's indentation says.
	Separators bool
	// Body tells which statements open text that is no statement, see [CiscoText]. May be nil.
	Body func(line []byte) Body
}

// A BodyKind is what ends text that is no statement.
type BodyKind uint8

const (
	NoBody    BodyKind = iota
	Delimited          // End, in the opening line behind From or in any line below, with whatever follows it on its line
	Closed             // a line that reads End
	Digits             // the first line below that is not hexadecimal digits, or one that reads "quit"
)

// A Body is what a statement opens.
type Body struct {
	Kind BodyKind
	End  string
	From int // where in the line the text begins
}

// CiscoText is the Body of IOS, NX-OS, IOS XR and ASA statements:
//
//   - banners and menus between two marks, the first byte behind "banner motd" and its like: "show running-config" prints
//     "^C" (two bytes) for the control character, files that were copied hold the byte 0x03, and others hold any byte
//     (IOS configuration fundamentals command reference, banner);
//   - the same between marks at a line's end behind other statements (aaa authentication banner, web page texts);
//   - certificates and public keys: lines of hexadecimal digits up to "quit";
//   - macros: up to a line "@" (IOS command reference, macro name).
func CiscoText(line []byte) Body {
	switch line[0] {
	case 'b':
		if field.Has(line, "banner ") {
			return banner(line)
		}
	case 'c':
		if field.Has(line, "certificate ") {
			return Body{Kind: Digits}
		}
	case 'k':
		if string(line) == "key-string" {
			return Body{Kind: Digits}
		}
	case 'm':
		if field.Has(line, "macro name ") {
			return Body{Kind: Closed, End: "@"}
		}
		if field.Has(line, "menu ") {
			return menu(line)
		}
	}
	switch line[len(line)-1] {
	case 'C':
		if i := len(line) - 2; i > 0 && line[i] == '^' && isBlank(line[i-1]) && field.Index(line[:i], "^C") < 0 {
			return Body{Kind: Delimited, End: "^C", From: len(line)}
		}
	case etx:
		if bytes.IndexByte(line, etx) == len(line)-1 {
			return Body{Kind: Delimited, End: "\x03", From: len(line)}
		}
	}
	return Body{}
}

// EOSText is the Body of Arista EOS statements: banners and pasted files up to a line "EOF".
func EOSText(line []byte) Body {
	if field.Has(line, "banner ") {
		return Body{Kind: Closed, End: "EOF", From: len(line)}
	}
	return Body{}
}

const etx = 3

// banner reads "banner TYPE MARK text" and, in blocks, "banner MARK text". "banner value text" and one-line banners of
// the ASA have no marks.
func banner(line []byte) Body {
	word, rest := field.Word(line[len("banner "):])
	switch string(word) {
	case "motd", "login", "exec", "incoming", "prompt-timeout", "slip-ppp", "config-save", "lcd", "text", "title":
	default:
		rest = line[len("banner "):]
		if t := field.TrimLeft(rest); len(t) == 0 || t[0] != etx && !field.Has(t, "^C") {
			return Body{}
		}
	}
	return marked(line, field.TrimLeft(rest))
}

// menu reads "menu NAME title MARK" and "menu NAME prompt MARK".
func menu(line []byte) Body {
	_, rest := field.Word(line[len("menu "):])
	word, rest := field.Word(rest)
	if string(word) != "title" && string(word) != "prompt" {
		return Body{}
	}
	return marked(line, field.TrimLeft(rest))
}

// marked is text between marks, the first of which text begins with.
func marked(line, text []byte) Body {
	if len(text) == 0 {
		return Body{}
	}
	from := len(line) - len(text)
	if field.Has(text, "^C") {
		return Body{Kind: Delimited, End: "^C", From: from + 2}
	}
	return Body{Kind: Delimited, End: string(text[:1]), From: from + 1}
}

// Indent reads text in which blocks are indented into t, which it empties first. Traces of a pager ("--More--" and what
// erased it) before a line's text are read over. Faults name what was not as it should be; the rest is read all the same:
// a banner whose end is missing is its first line only, so that no statement below it is lost.
func (t *Tree) Indent(src []byte, o Indentation) []Fault {
	t.Reset(src)
	r := indents{t: t, src: src, o: o}
	if lines := min(bytes.Count(src, newline), len(src)/24) + 1; cap(t.Nodes) < lines {
		t.Nodes = slices.Grow(t.Nodes, lines)
	}
	if field.Has(src, "\xef\xbb\xbf") {
		r.next = 3
	}
	for r.line() && len(t.Nodes) < MaxNodes {
		r.read()
	}
	if r.next < len(src) {
		r.fault(TooMany, r.next)
	}
	return r.faults
}

var newline = []byte{'\n'}

// An opened block is one that lines may still belong to.
type opened struct {
	column uint32
	node   int32
}

// indents is an Indent call under way.
type indents struct {
	t      *Tree
	src    []byte
	o      Indentation
	faults []Fault

	place

	stack [MaxDepth]opened
	depth int

	absent  [256]bool // marks that do not occur any more
	missing []string  // ends of bodies that do not occur any more
}

// A place is the line that was read last.
type place struct {
	number     uint32
	column     uint32 // of start; 0 is the first
	next       int    // where the next line begins
	start, end int    // its text, without indentation, blanks at its end and traces of a pager
	stop       int    // where it ends
	cut        bool   // it is longer than MaxLine
}

func (r *indents) fault(k FaultKind, off int) { r.faults = fault(r.faults, k, uint32(off), r.number) }

// isBlank reports whether c separates words.
func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// gap are the bytes that are no text at the ends of a line.
var gap = [256]bool{' ': true, '\t': true, '\r': true, '\v': true, '\f': true, 0: true, '\b': true}

// line moves to the next line that has text.
func (r *indents) line() bool {
	for r.next < len(r.src) {
		r.number++
		from := r.next
		if i := bytes.IndexByte(r.src[from:], '\n'); i >= 0 {
			r.stop, r.next = from+i, from+i+1
		} else {
			r.stop, r.next = len(r.src), len(r.src)
		}
		r.cut = r.stop-from > MaxLine
		end := r.stop
		if r.cut {
			r.fault(TooLong, from)
			end = from + MaxLine
		}
		for end > from && gap[r.src[end-1]] {
			end--
		}
		if end == from {
			continue
		}
		r.end = end
		r.indent(from)
		if c := r.src[r.start]; (c == '-' || c == '<') && r.start+8 < r.end {
			r.unpage()
		}
		return true
	}
	return false
}

// indent finds where the text begins and in which column. The line has text.
func (r *indents) indent(from int) {
	column, i := uint32(0), from
	for ; gap[r.src[i]]; i++ {
		switch r.src[i] {
		case ' ':
			column++
		case '\t':
			column = column&^7 + 8
		case '\r', '\b': // whatever was before it was written over
			column = 0
		}
	}
	r.start, r.column = i, column
}

// unpage steps over what a pager left before the text: its prompt, and the blanks it wrote over it. A tool that dropped
// the backspaces leaves the blanks: as many as the prompt and the blanks around it. Nothing but a trace is a line of its
// own.
func (r *indents) unpage() {
	line := r.src[r.start:r.end]
	n, wide := 0, 0 // the prompt, and the blanks behind it until the text
	switch {
	case field.Has(line, "--More--"): // IOS and its like write a blank behind it; NX-OS "--More--(12%)"
		n = len("--More--")
		wide = n + 1
		if n < len(line) && line[n] == '(' {
			if i := bytes.IndexByte(line, ')'); i > 0 && i < 20 {
				n = i + 1
			}
		}
	case field.Has(line, "<--- More --->"): // ASA
		n = len("<--- More --->")
		wide = n
	default:
		return
	}
	run := n
	for run < len(line) && (line[run] == ' ' || line[run] == '\r' || line[run] == '\b') {
		run++
	}
	if run == len(line) {
		return
	}
	if k := bytes.LastIndexAny(line[n:run], "\r\b"); k >= 0 {
		n += k + 1
	} else {
		n += min(run-n, wide)
	}
	at := r.start + n
	r.indent(at)
}

func (r *indents) read() {
	text := r.src[r.start:r.end]
	n := Node{Off: uint32(r.start), Len: uint32(r.end - r.start), Begin: uint32(r.start), Line: r.number}
	if r.cut {
		n.Flags = Cut
	}
	if r.isComment(text) {
		r.comment(n, text)
		return
	}
	for r.depth > 0 && r.stack[r.depth-1].column >= r.column {
		r.depth--
	}
	parent := None
	if r.depth > 0 {
		parent = r.stack[r.depth-1].node
		r.t.Nodes[parent].Flags |= Block
	}
	i := r.t.Add(parent, n)
	if r.depth < len(r.stack) {
		r.stack[r.depth] = opened{r.column, i}
		r.depth++
	} else {
		r.fault(TooDeep, r.start)
	}
	if r.o.Body != nil && !r.cut {
		if b := r.o.Body(text); b.Kind != NoBody {
			r.body(i, b)
		}
	}
}

func (r *indents) isComment(text []byte) bool {
	for i := range len(r.o.Comments) {
		if text[0] == r.o.Comments[i] {
			return true
		}
	}
	return field.Has(text, "--More--") || field.Has(text, "<--- More --->")
}

// comment takes a comment; lines of a mark alone that follow each other are one node.
func (r *indents) comment(n Node, text []byte) {
	n.Flags |= Comment
	if r.o.Separators && len(text) == 1 && r.column == 0 {
		r.depth = 0
	}
	n.Parent, n.First, n.Last, n.Next = None, None, None, None
	for d := r.depth; d > 0; d-- {
		if r.stack[d-1].column < r.column {
			n.Parent = r.stack[d-1].node
			break
		}
	}
	nodes := r.t.Nodes
	if last := len(nodes) - 1; last >= 0 && len(text) == 1 {
		l := &nodes[last]
		if l.Flags == Comment && l.Len == 1 && l.Parent == n.Parent && l.Repeat < 255 && r.src[l.Off] == text[0] {
			l.Repeat++
			return
		}
	}
	r.t.Nodes = append(nodes, n)
}

// body takes the lines of the text that node i opens.
func (r *indents) body(i int32, b Body) {
	switch b.Kind {
	case Delimited:
		from := r.start + b.From
		end := r.find(b.End, from)
		if end < 0 && b.End == "^C" {
			end = r.find("^", from-1) // "^" itself is the mark, and the text begins with a C
		}
		if end < 0 {
			r.fault(OpenText, r.start)
			return
		}
		for r.stop < end && r.line() {
			r.raw(i)
		}
	case Closed:
		r.closed(i, b.End)
	case Digits:
		r.digits(i)
	case NoBody:
	}
}

// find is where the mark next occurs at or behind from; -1 when it does not. What was not found once is not looked for
// again, so that reading takes linear time.
func (r *indents) find(mark string, from int) int {
	known := len(mark) == 1
	if known && r.absent[mark[0]] || !known && slices.Contains(r.missing, mark) {
		return -1
	}
	if i := field.Index(r.src[from:], mark); i >= 0 {
		return from + i
	}
	if known {
		r.absent[mark[0]] = true
	} else {
		r.missing = append(r.missing, mark)
	}
	return -1
}

// closed takes the lines up to one that reads end.
func (r *indents) closed(i int32, end string) {
	if slices.Contains(r.missing, "\n"+end) {
		r.fault(OpenText, r.start)
		return
	}
	here, faults, nodes := r.place, slices.Clone(r.faults), len(r.t.Nodes)
	for r.line() && len(r.t.Nodes) < MaxNodes {
		r.raw(i)
		if string(r.src[r.start:r.end]) == end {
			return
		}
	}
	// It is not there: the lines are statements after all.
	r.t.Nodes = r.t.Nodes[:nodes]
	r.t.Nodes[i].First, r.t.Nodes[i].Last = None, None
	r.place, r.faults = here, faults
	r.missing = append(r.missing, "\n"+end)
	r.fault(OpenText, r.start)
}

// digits takes lines of hexadecimal digits that are indented further than their header, and the "quit" behind them.
func (r *indents) digits(i int32) {
	column := r.column
	for {
		here := r.place
		if !r.line() {
			return
		}
		text := r.src[r.start:r.end]
		quit := string(text) == "quit"
		if !quit && (r.column <= column || !hexadecimal(text)) {
			r.place = here
			return
		}
		r.raw(i)
		if quit {
			return
		}
	}
}

func hexadecimal(text []byte) bool {
	for _, c := range text {
		if c-'0' > 9 && c|0x20-'a' > 5 && c != ' ' {
			return false
		}
	}
	return true
}

// raw adds the line to the text of node i.
func (r *indents) raw(i int32) {
	n := Node{Off: uint32(r.start), Len: uint32(r.end - r.start), Begin: uint32(r.start), Line: r.number, Flags: Raw}
	if r.cut {
		n.Flags |= Cut
	}
	r.t.Add(i, n)
}
