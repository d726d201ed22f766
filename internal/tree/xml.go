package tree

import "bytes"

// A Markup is how a dialect of XML becomes a tree. The zero Markup makes every element a node of its own.
//
// An element is a node whose word is its name, its text is a node below it, and so are the elements in it. A node's text
// is as it stands in the source: see [Unescape]. Attributes are no node's children: see [Tree.Attr].
type Markup struct {
	// Entry is the name of elements whose word is the value of their attribute Name (PAN-OS: <entry name="x">).
	Entry, Name string
	// Member is the name of elements that are nothing but the word of their text (PAN-OS: <member>x</member>).
	Member string
	// Merge makes elements of one word below one parent the same node, as words of braces are. Otherwise a second one is
	// another (OPNsense: every <rule>).
	Merge bool
	// Aside tells lines outside every element that are no configuration (prompts). May be nil.
	Aside func(line []byte) bool
}

// An element is an open one.
type element struct {
	name, word Word
	node       int32 // None when nothing stands for it; a member's is its parent's
	begin      uint32
	line       uint32
	stated     bool // stands for its line
	full       bool // has text or elements
	member     bool
}

// markup is an XML call under way.
type markup struct {
	t      *Tree
	src    []byte
	m      Markup
	i      int
	line   uint32
	faults []Fault
	open   []element
	over   int // elements open beyond MaxDepth
	attrs  []Node
}

// XML reads a document into t, which it empties first. Any bytes give a tree: an end tag closes the nearest element of
// its name, one without closes nothing, and what is still open at the end was cut; faults say so. Comments, processing
// instructions and lines outside every element are nodes, but no node's children. Nothing is fetched and no entity is
// defined: a document type is skipped.
func (t *Tree) XML(src []byte, m Markup) []Fault {
	t.Reset(src)
	t.names.reset(len(src))
	x := &markup{t: t, src: src, m: m, line: 1, open: make([]element, 0, 32)}
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		x.i = 3
	}
	for x.i < len(src) && len(t.Nodes) < MaxNodes {
		x.step()
	}
	if x.i < len(src) {
		x.fault(TooMany, x.i)
		t.names.read = uint32(x.i)
	}
	for k := len(x.open) - 1; k >= 0; k-- {
		e := &x.open[k]
		x.faults = fault(x.faults, Unclosed, e.begin, e.line)
		x.end(e)
	}
	return x.faults
}

func (x *markup) fault(k FaultKind, off int) { x.faults = fault(x.faults, k, uint32(off), x.line) }

// to moves to byte i and counts the lines on the way.
func (x *markup) to(i int) {
	const short = 64 // below it a loop is faster
	switch {
	case i-x.i > short:
		x.line += uint32(bytes.Count(x.src[x.i:i], []byte("\n")))
	case i > x.i:
		for _, c := range x.src[x.i:i] {
			if c == '\n' {
				x.line++
			}
		}
	}
	x.i = i
}

func (x *markup) step() {
	for space(x.src[x.i]) {
		if x.src[x.i] == '\n' {
			x.line++
		}
		if x.i++; x.i == len(x.src) {
			return
		}
	}
	rest := x.src[x.i:]
	if end := plainText(rest); end > 0 {
		x.text(x.i, x.i+end)
		return
	}
	second := byte(' ')
	if len(rest) > 1 {
		second = rest[1]
	}
	switch {
	case second == '/':
		x.endTag()
	case second == '?':
		x.aside("?>")
	case second != '!':
		x.startTag()
	case bytes.HasPrefix(rest, []byte("<!--")):
		x.aside("-->")
	case bytes.HasPrefix(rest, []byte("<![CDATA[")):
		x.data()
	default:
		x.docType()
	}
}

// plainText is how much of b comes before the next markup. A "<" that begins none is text.
func plainText(b []byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], '<')
		if n < 0 {
			return len(b)
		}
		if i += n; i+1 == len(b) || opens(b[i+1]) {
			return i
		}
	}
}

// opens reports whether c may follow the "<" of markup.
func opens(c byte) bool {
	return c|0x20-'a' < 26 || c == '/' || c == '!' || c == '?' || c == '_' || c == ':' || c >= 0x80
}

// aside takes a comment or a processing instruction, up to what ends it.
func (x *markup) aside(ends string) {
	n := bytes.Index(x.src[x.i:], []byte(ends))
	end := x.i + n + len(ends)
	if n < 0 {
		x.fault(OpenNote, x.i)
		end = len(x.src)
	}
	x.loose(x.i, end, Comment)
	x.to(end)
}

// docType skips a document type with what it defines in brackets.
func (x *markup) docType() {
	depth, quote := 0, byte(0)
	for i := x.i; i < len(x.src); i++ {
		switch c := x.src[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '[':
			depth++
		case c == ']':
			depth--
		case c == '>' && depth <= 0:
			x.loose(x.i, i+1, Comment)
			x.to(i + 1)
			return
		}
	}
	x.fault(Unclosed, x.i)
	x.loose(x.i, len(x.src), Comment)
	x.to(len(x.src))
}

// loose makes src[from:to] a node outside the tree.
func (x *markup) loose(from, to int, f Flag) {
	parent := None
	if n := len(x.open); n > 0 {
		parent = x.open[n-1].node
	}
	x.t.Nodes = append(x.t.Nodes, Node{
		Off: uint32(from), Len: uint32(min(to-from, MaxLine)), Begin: uint32(from), Line: x.line, Flags: f,
		Parent: parent, First: None, Last: None, Next: None,
	})
}

// data takes a CDATA section, whose text is as it stands.
func (x *markup) data() {
	from := x.i + len("<![CDATA[")
	n := bytes.Index(x.src[from:], []byte("]]>"))
	if n < 0 {
		x.fault(Unclosed, x.i)
		x.to(from)
		x.text(from, len(x.src))
		return
	}
	x.to(from)
	x.text(from, from+n)
	x.to(from + n + 3)
}

// text takes src[from:to], which holds no markup.
func (x *markup) text(from, to int) {
	for from < to && space(x.src[from]) {
		from++
	}
	x.to(from)
	end := to
	for end > from && space(x.src[end-1]) {
		end--
	}
	switch {
	case from == end:
	case len(x.open) == 0 || x.over > 0:
		x.outside(from, end)
	default:
		w := Word{uint32(from), uint32(end - from)}
		if w.Len > MaxLine {
			x.fault(TooLong, from)
			w.Len = MaxLine
		}
		e := &x.open[len(x.open)-1]
		begin := e.begin
		if e.line != x.line {
			if !e.member {
				x.states(e)
			}
			begin = w.Off
		}
		e.full = true
		if n := x.word(e.node, w, begin); n != None {
			x.stands(n, w, begin, x.line)
			if int(w.Len) < end-from {
				x.t.Nodes[n].Flags |= Cut
			}
		}
	}
	x.to(to)
}

// outside takes lines outside every element, or in one that lies too deep.
func (x *markup) outside(from, to int) {
	for from < to && len(x.t.Nodes) < MaxNodes {
		end := to
		if n := bytes.IndexByte(x.src[from:to], '\n'); n >= 0 {
			end = from + n
		}
		a, b := from, min(end, from+MaxLine)
		for a < b && space(x.src[a]) {
			a++
		}
		for b > a && space(x.src[b-1]) {
			b--
		}
		if a < b {
			f := Flag(0)
			if x.m.Aside != nil && x.m.Aside(x.src[a:b]) {
				f = Comment
			}
			x.loose(a, b, f)
		}
		if end-from > MaxLine {
			x.fault(TooLong, from)
		}
		from = min(end+1, to)
		x.to(from)
	}
}

// space reports whether c is a blank, a line end or another control, which XML does not allow.
func space(c byte) bool { return c <= ' ' || c == 127 }

// word is the node of w below parent.
func (x *markup) word(parent int32, w Word, begin uint32) int32 {
	if x.m.Merge {
		return x.t.word(parent, w, begin, x.line)
	}
	return x.t.hang(parent, w, begin, x.line)
}

// stands makes node i stand for a line.
func (x *markup) stands(i int32, w Word, begin, line uint32) {
	n := &x.t.Nodes[i]
	if n.Flags&Implied == 0 {
		x.t.repeat(i, w, begin, line)
		return
	}
	n.Flags &^= Implied
	n.Off, n.Len, n.Begin, n.Line = w.Off, w.Len, begin, line
}

// states makes an element stand for the line it begins on.
func (x *markup) states(e *element) {
	if e.stated || e.node == None {
		return
	}
	e.stated = true
	x.stands(e.node, e.word, e.begin, e.line)
}

// end closes an element. One with nothing but text on its line is told by its text.
func (x *markup) end(e *element) {
	if !e.full && !e.member {
		x.states(e)
	}
}

func (x *markup) endTag() {
	from := x.i + 2
	end := from
	for end < len(x.src) && x.src[end] != '>' && x.src[end] != '<' {
		end++
	}
	next := end + 1
	if end == len(x.src) || x.src[end] == '<' { // cut, or the end is missing
		x.fault(Unclosed, x.i)
		next = end
	}
	for end > from && space(x.src[end-1]) {
		end--
	}
	x.close(x.src[from:end])
	x.to(next)
}

func (x *markup) close(name []byte) {
	if x.over > 0 {
		x.over--
		return
	}
	for k := len(x.open) - 1; k >= 0; k-- {
		if !bytes.Equal(x.t.At(x.open[k].name), name) {
			continue
		}
		for n := len(x.open) - 1; n >= k; n-- {
			if e := &x.open[n]; n > k {
				x.faults = fault(x.faults, Unclosed, e.begin, e.line)
			}
			x.end(&x.open[n])
		}
		x.open = x.open[:k]
		return
	}
	x.fault(Extra, x.i)
}

// startTag reads a start tag, with its attributes, or an empty element.
func (x *markup) startTag() {
	begin, line := x.i, x.line
	i := begin + 1
	for i < len(x.src) && tagged(x.src[i]) {
		i++
	}
	e := element{name: Word{uint32(begin + 1), uint32(i - begin - 1)}, node: None, begin: uint32(begin), line: line}
	e.word = e.name
	x.attrs = x.attrs[:0]
	named := x.m.Entry != "" && string(x.t.At(e.name)) == x.m.Entry
	empty := false
	for {
		for i < len(x.src) && space(x.src[i]) {
			i++
		}
		if i == len(x.src) || x.src[i] == '<' { // cut
			x.fault(Unclosed, begin)
			break
		}
		if x.src[i] == '>' {
			i++
			break
		}
		if x.src[i] == '/' {
			empty = i+1 < len(x.src) && x.src[i+1] == '>'
			i++
			continue
		}
		var at, value Word
		at, value, i = x.attribute(i)
		if named && string(x.t.At(at)) == x.m.Name {
			e.word, named = value, false
			continue
		}
		x.attrs = append(x.attrs, Node{
			Off: value.Off, Len: value.Len, Begin: at.Off, Line: line, Flags: Attribute | Implied,
			Parent: None, First: None, Last: None, Next: None,
		})
	}
	x.enter(&e)
	x.to(i)
	switch {
	case x.over > 0 && empty:
		x.over--
	case x.over > 0:
	case empty:
		x.end(&x.open[len(x.open)-1])
		x.open = x.open[:len(x.open)-1]
	}
}

func tagged(c byte) bool { return !space(c) && c != '/' && c != '>' && c != '<' }

// attribute reads name="value" at i.
func (x *markup) attribute(i int) (name, value Word, next int) {
	from := i
	for i < len(x.src) && tagged(x.src[i]) && x.src[i] != '=' {
		i++
	}
	if i == from { // a sign that begins no name
		i++
	}
	name = Word{uint32(from), uint32(i - from)}
	value = Word{uint32(i), 0}
	for i < len(x.src) && space(x.src[i]) {
		i++
	}
	if i == len(x.src) || x.src[i] != '=' {
		return name, value, i
	}
	i++
	for i < len(x.src) && space(x.src[i]) {
		i++
	}
	if i == len(x.src) {
		return name, Word{uint32(i), 0}, i
	}
	if q := x.src[i]; q == '"' || q == '\'' {
		n := bytes.IndexByte(x.src[i+1:], q)
		if n >= 0 {
			return name, Word{uint32(i + 1), uint32(min(n, MaxLine))}, i + n + 2
		}
		x.fault(OpenQuote, i)
		i++
	}
	from = i
	for i < len(x.src) && tagged(x.src[i]) {
		i++
	}
	return name, Word{uint32(from), uint32(min(i-from, MaxLine))}, i
}

// enter makes an element's node with its attributes behind it, and opens it.
func (x *markup) enter(e *element) {
	if len(x.open) >= MaxDepth || x.over > 0 {
		x.fault(TooDeep, int(e.begin))
		x.over++
		return
	}
	parent := None
	if n := len(x.open); n > 0 {
		p := &x.open[n-1]
		parent = p.node
		if x.m.Member == "" || string(x.t.At(e.name)) != x.m.Member {
			x.t.Nodes[parent].Flags |= Block
		}
		if !p.member {
			x.states(p)
		}
		p.full = true
	}
	if x.m.Member != "" && parent != None && string(x.t.At(e.name)) == x.m.Member {
		e.node, e.member = parent, true
	} else {
		e.node = x.word(parent, e.word, e.begin)
		for i := range x.attrs {
			x.attrs[i].Parent = e.node
		}
		x.t.Nodes = append(x.t.Nodes, x.attrs...)
	}
	x.open = append(x.open, *e)
}

// Attr is the value of an attribute of the element that made node i of a tree that XML read: of merged ones, of the first.
// Its text is as it stands in the source.
func (t *Tree) Attr(i int32, name string) (value []byte, ok bool) {
	for k := i + 1; int(k) < len(t.Nodes) && t.Nodes[k].Flags&Attribute != 0 && t.Nodes[k].Parent == i; k++ {
		n := &t.Nodes[k]
		end := min(int(n.Begin)+len(name), len(t.Source))
		if string(t.Source[n.Begin:end]) == name && end < len(t.Source) && !named(t.Source[end]) {
			return t.Text(k), true
		}
	}
	return nil, false
}

// named reports whether c belongs to the name of an attribute.
func named(c byte) bool { return tagged(c) && c != '=' }

// Unescape is text with the references of XML in the place of which they stand: the five that are predefined, and
// characters by number. Others stay. Text without any is given back as it is.
func Unescape(text []byte) []byte {
	at := bytes.IndexByte(text, '&')
	if at < 0 {
		return text
	}
	out := append(make([]byte, 0, len(text)), text[:at]...)
	for at < len(text) {
		if text[at] == '&' {
			const longest = len("&#x10FFFF;")
			if n := bytes.IndexByte(text[at:min(len(text), at+longest)], ';'); n > 0 {
				if r, ok := reference(text[at+1 : at+n]); ok {
					out = append(out, string(r)...)
					at += n + 1
					continue
				}
			}
		}
		out = append(out, text[at])
		at++
	}
	return out
}

// reference is the character that a reference stands for.
func reference(b []byte) (rune, bool) {
	switch string(b) {
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "amp":
		return '&', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(b) < 2 || b[0] != '#' {
		return 0, false
	}
	base, digits := rune(10), b[1:]
	if digits[0] == 'x' || digits[0] == 'X' {
		base, digits = 16, digits[1:]
	}
	var r rune
	for _, c := range digits {
		d := rune(c - '0')
		if c|0x20-'a' < 6 && base == 16 {
			d = rune(c|0x20-'a') + 10
		} else if c-'0' > 9 {
			return 0, false
		}
		r = r*base + d
	}
	return r, len(digits) > 0 && r <= 0x10FFFF
}
