// Package jsontree reads JSON (RFC 8259) into nodes that know where they stand in the source, so that a fact read from a
// document has a line as one read from a configuration has.
//
// Reading is total: any bytes give a tree or an error with an offset; nesting is bounded by MaxDepth and the number of
// values by MaxNodes. Duplicate names are kept; Get finds the first.
package jsontree

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// MaxDepth and MaxNodes bound what is read.
const (
	MaxDepth = 200
	MaxNodes = 20_000_000
)

// A Kind of value.
type Kind uint8

const (
	Null Kind = iota
	False
	True
	Number
	String
	Array
	Object
)

// A Node is a value. Off and End are its bytes in the source, quotes and brackets included.
type Node struct {
	Kind        Kind
	Off, End    int
	Key         string // the member's name, in an object
	KeyOff      int
	first, next int32 // indexes into Tree.nodes; 0 is none
}

// A Tree is a whole document.
type Tree struct {
	src   []byte
	nodes []Node
}

// An Error is where reading stopped.
type Error struct {
	Off int
	Msg string
}

func (e *Error) Error() string { return fmt.Sprintf("byte %d: %s", e.Off, e.Msg) }

// A Value is a node of a tree; the zero Value is absent and answers as such.
type Value struct {
	t *Tree
	i int32
}

// Parse reads src, which must be one value with blanks around.
func Parse(src []byte) (Value, error) {
	p := &parser{t: &Tree{src: src, nodes: make([]Node, 1, len(src)/24+8)}}
	p.blank()
	root, err := p.value(0)
	if err != nil {
		return Value{}, err
	}
	p.blank()
	if p.at < len(src) {
		return Value{}, &Error{p.at, "something follows the document"}
	}
	return Value{p.t, root}, nil
}

type parser struct {
	t  *Tree
	at int
}

func (p *parser) blank() {
	for p.at < len(p.t.src) {
		switch p.t.src[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *parser) fail(msg string) error {
	if p.at >= len(p.t.src) {
		msg = "the document ends here: " + msg
	}
	return &Error{p.at, msg}
}

func (p *parser) value(depth int) (int32, error) {
	if depth > MaxDepth {
		return 0, p.fail("nested too deep")
	}
	if len(p.t.nodes) >= MaxNodes {
		return 0, p.fail("too many values")
	}
	if p.at >= len(p.t.src) {
		return 0, p.fail("a value is missing")
	}
	i := int32(len(p.t.nodes))
	p.t.nodes = append(p.t.nodes, Node{Off: p.at})
	kind, err := p.body(i, depth)
	if err != nil {
		return 0, err
	}
	p.t.nodes[i].Kind, p.t.nodes[i].End = kind, p.at
	return i, nil
}

func (p *parser) body(i int32, depth int) (Kind, error) {
	switch c := p.t.src[p.at]; {
	case c == '{':
		return Object, p.members(i, depth, '}')
	case c == '[':
		return Array, p.members(i, depth, ']')
	case c == '"':
		return String, p.text()
	case c == 't':
		return True, p.word("true")
	case c == 'f':
		return False, p.word("false")
	case c == 'n':
		return Null, p.word("null")
	case c == '-' || c >= '0' && c <= '9':
		start := p.at
		for p.at < len(p.t.src) && isNumber(p.t.src[p.at]) {
			p.at++
		}
		if _, err := strconv.ParseFloat(string(p.t.src[start:p.at]), 64); err != nil && p.at == start+1 {
			return Number, p.fail("not a number")
		}
		return Number, nil
	}
	return Null, p.fail("not a value")
}

func isNumber(c byte) bool {
	return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E'
}

func (p *parser) word(w string) error {
	if len(p.t.src)-p.at < len(w) || string(p.t.src[p.at:p.at+len(w)]) != w {
		return p.fail("not a value")
	}
	p.at += len(w)
	return nil
}

// text passes a string.
func (p *parser) text() error {
	p.at++
	for p.at < len(p.t.src) {
		switch p.t.src[p.at] {
		case '"':
			p.at++
			return nil
		case '\\':
			p.at++
		}
		p.at++
	}
	p.at = len(p.t.src)
	return p.fail("a string is not closed")
}

func (p *parser) members(i int32, depth int, end byte) error {
	p.at++
	last := int32(0)
	for first := true; ; first = false {
		p.blank()
		if p.at >= len(p.t.src) {
			return p.fail("a bracket is not closed")
		}
		if p.t.src[p.at] == end {
			p.at++
			return nil
		}
		if !first {
			if p.t.src[p.at] != ',' {
				return p.fail("a comma is missing")
			}
			p.at++
			p.blank()
		}
		key, keyOff := "", 0
		if end == '}' {
			keyOff = p.at
			if p.at >= len(p.t.src) || p.t.src[p.at] != '"' {
				return p.fail("a name is missing")
			}
			if err := p.text(); err != nil {
				return err
			}
			key = unquote(p.t.src[keyOff:p.at])
			p.blank()
			if p.at >= len(p.t.src) || p.t.src[p.at] != ':' {
				return p.fail("a colon is missing")
			}
			p.at++
			p.blank()
		}
		m, err := p.value(depth + 1)
		if err != nil {
			return err
		}
		p.t.nodes[m].Key, p.t.nodes[m].KeyOff = key, keyOff
		if last == 0 {
			p.t.nodes[i].first = m
		} else {
			p.t.nodes[last].next = m
		}
		last = m
	}
}

// unquote decodes a string with its quotes; what is not a valid escape stays as it is.
func unquote(b []byte) string {
	inner := b[1:max(1, len(b)-1)]
	plain := true
	for _, c := range inner {
		if c == '\\' || c < 0x20 || c >= utf8.RuneSelf {
			plain = false
			break
		}
	}
	if plain {
		return string(inner)
	}
	out := make([]byte, 0, len(inner))
	for i := 0; i < len(inner); i++ {
		if inner[i] != '\\' || i+1 >= len(inner) {
			out = append(out, inner[i])
			continue
		}
		i++
		switch inner[i] {
		case 'n':
			out = append(out, '\n')
		case 't':
			out = append(out, '\t')
		case 'r':
			out = append(out, '\r')
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'u':
			r, n := unicodeEscape(inner[i-1:])
			out = utf8.AppendRune(out, r)
			i += n - 2
		default:
			out = append(out, inner[i])
		}
	}
	return string(out)
}

// unicodeEscape decodes \uXXXX, or a surrogate pair, and says how many bytes it took.
func unicodeEscape(b []byte) (rune, int) {
	hex := func(b []byte) (rune, bool) {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0, false
		}
		n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		return rune(n), err == nil
	}
	r, ok := hex(b)
	if !ok {
		return utf8.RuneError, 2
	}
	if r >= 0xd800 && r < 0xdc00 {
		if low, ok := hex(b[6:]); ok && low >= 0xdc00 && low < 0xe000 {
			return (r-0xd800)<<10 + (low - 0xdc00) + 0x10000, 12
		}
		return utf8.RuneError, 6
	}
	return r, 6
}

// OK reports whether the value is there.
func (v Value) OK() bool { return v.t != nil }

// Kind is the value's kind; Null when it is absent.
func (v Value) Kind() Kind {
	if v.t == nil {
		return Null
	}
	return v.t.nodes[v.i].Kind
}

// Key is the member's name.
func (v Value) Key() string {
	if v.t == nil {
		return ""
	}
	return v.t.nodes[v.i].Key
}

// Range is the value's bytes in the source.
func (v Value) Range() (off, end int) {
	if v.t == nil {
		return 0, 0
	}
	return v.t.nodes[v.i].Off, v.t.nodes[v.i].End
}

// MemberRange is the value's bytes with its name before it.
func (v Value) MemberRange() (off, end int) {
	if v.t == nil {
		return 0, 0
	}
	n := &v.t.nodes[v.i]
	if n.KeyOff > 0 {
		return n.KeyOff, n.End
	}
	return n.Off, n.End
}

// Get is the first member called key of an object.
func (v Value) Get(key string) Value {
	if v.Kind() != Object {
		return Value{}
	}
	for m := v.t.nodes[v.i].first; m != 0; m = v.t.nodes[m].next {
		if v.t.nodes[m].Key == key {
			return Value{v.t, m}
		}
	}
	return Value{}
}

// All yields the elements of an array or the members of an object.
func (v Value) All(yield func(Value) bool) {
	if v.t == nil {
		return
	}
	for m := v.t.nodes[v.i].first; m != 0; m = v.t.nodes[m].next {
		if !yield(Value{v.t, m}) {
			return
		}
	}
}

// Text is a string's content; empty when the value is none.
func (v Value) Text() string {
	if v.Kind() != String {
		return ""
	}
	n := &v.t.nodes[v.i]
	return unquote(v.t.src[n.Off:n.End])
}

// Bool is a boolean and whether the value is one.
func (v Value) Bool() (val, ok bool) {
	k := v.Kind()
	return k == True, k == True || k == False
}

// Int is a whole number and whether the value is one.
func (v Value) Int() (int64, bool) {
	if v.Kind() != Number {
		return 0, false
	}
	n := &v.t.nodes[v.i]
	x, err := strconv.ParseInt(string(v.t.src[n.Off:n.End]), 10, 64)
	return x, err == nil
}

// Digits is a number as it is written; empty when the value is none.
func (v Value) Digits() string {
	if v.Kind() != Number {
		return ""
	}
	n := &v.t.nodes[v.i]
	return string(v.t.src[n.Off:n.End])
}
