// Package strictyaml reads configuration files in YAML so that every mistake is found at once, each with its line, its
// column and what was probably meant.
//
// A file is walked, not decoded into structs: the caller asks a [Map] for the keys it knows, and [Map.Done] reports those
// nobody asked for. Aliases, anchors, merge keys, tags, second documents and duplicate keys are refused: two readers must
// see one meaning. Values are text until they are asked for as something else, so a date or a "no" is never turned into
// something by the library. Lines and columns are from 1; columns count characters. A Doc is not safe for concurrent use.
package strictyaml

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"
)

// MaxSize bounds a file unless Options say otherwise.
const MaxSize = 1 << 20

// A Pos is a place in a file, from 1. The zero Pos is the file as a whole.
type Pos struct{ Line, Column int }

// before orders places.
func (p Pos) before(q Pos) bool { return p.Line < q.Line || p.Line == q.Line && p.Column < q.Column }

// An Error is one mistake.
type Error struct {
	Path string
	Pos
	Msg   string
	line  string // the source line as it may be shown
	caret int    // columns before the caret in line
}

// Error is path:line:column: message, the source line, and a caret.
func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.Path, e.Msg)
	}
	head := fmt.Sprintf("%s:%d:%d: %s", e.Path, e.Line, e.Column, e.Msg)
	if e.line == "" {
		return head
	}
	var pad strings.Builder
	for i, r := range []rune(e.line) {
		if i == e.caret {
			break
		}
		if r != '\t' { // a tab stays one, so that the caret stands where the terminal puts the character
			r = ' '
		}
		pad.WriteRune(r)
	}
	return fmt.Sprintf("%s\n%5d | %s\n      | %s^", head, e.Line, e.line, pad.String())
}

// Options change how a file is read. The zero value reads up to MaxSize and shows source lines whole.
type Options struct {
	MaxSize int
	// Guarded files may hold secrets where none belong. Values that were refused for where they stand (unknown keys,
	// second values of a key) are masked in every message, as are those the caller hides, and a line that is no YAML is
	// shown to its first colon.
	Guarded bool
}

// A Doc is a file being read. It collects mistakes; Err gives them all.
type Doc struct {
	Path   string
	o      Options
	root   *yaml.Node
	src    [][]byte
	errs   []*Error
	hidden []region
	order  []Pos // where the nodes of a guarded file begin, in order
	broken bool  // the text is no YAML: nothing is known of its parts
}

// A region is a part of the file from one place up to another.
type region struct{ from, to Pos }

// Parse reads a file's text. A mistake of syntax is in Err, and Root is empty.
func Parse(path string, src []byte) *Doc { return ParseWith(path, src, Options{}) }

// ParseWith is Parse with options.
func ParseWith(path string, src []byte, o Options) *Doc {
	d := &Doc{Path: path, o: o}
	limit := cmp.Or(o.MaxSize, MaxSize)
	if len(src) > limit {
		d.fail(Pos{}, fmt.Sprintf("the file is larger than %d KiB", limit>>10))
		return d
	}
	if !utf8.Valid(src) {
		d.fail(Pos{}, "the file is not UTF-8 text")
		return d
	}
	d.src = lines(src)
	if len(bytes.TrimSpace(src)) == 0 {
		return d
	}
	var root yaml.Node
	if err := yaml.Load(src, &root); err != nil { // one document, or an error
		d.syntax(src, err)
		return d
	}
	if root.Kind == yaml.DocumentNode && len(root.Content) == 1 {
		d.root = root.Content[0]
		if o.Guarded {
			d.places(d.root)
			slices.SortFunc(d.order, comparePos)
		}
		d.refuse(d.root)
	}
	return d
}

// lines are a text's lines as YAML counts them (YAML 1.1, 5.4: CR, LF, CR LF, NEL, LS, PS end one), without their ends.
func lines(src []byte) [][]byte {
	var out [][]byte
	from := 0
	for i := 0; i < len(src); {
		r, n := rune(src[i]), 1
		if r >= utf8.RuneSelf {
			r, n = utf8.DecodeRune(src[i:])
		}
		if r == '\r' && i+1 < len(src) && src[i+1] == '\n' {
			n = 2
		}
		switch r {
		case '\n', '\r', '\u0085', '\u2028', '\u2029':
			out = append(out, src[from:i])
			from = i + n
		}
		i += n
	}
	return append(out, src[from:])
}

func comparePos(a, b Pos) int {
	return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
}

// syntax turns the library's error into one of ours.
func (d *Doc) syntax(src []byte, err error) {
	d.broken = true
	var e *yaml.LoadError
	var all *yaml.LoadErrors
	switch {
	case errors.As(err, &e):
	case errors.As(err, &all) && len(all.Errors) > 0:
		e = all.Errors[0]
	default:
		d.fail(Pos{}, "this is not YAML: "+err.Error())
		return
	}
	at, msg := Pos{e.Mark.Line, max(e.Mark.Column, 1)}, e.Message
	switch {
	case strings.Contains(msg, "unknown anchor"):
		d.fail(at, "aliases are not allowed: write the value out")
		return
	case strings.Contains(msg, "no documents"): // comments alone
		d.broken = false
		return
	case strings.Contains(msg, "expected single document"):
		d.fail(Pos{d.secondDocument(), 1}, "a second document begins here: one file is one document")
		return
	}
	if e.Mark.Line == 0 && e.Mark.Index > 0 && e.Mark.Index <= len(src) { // the reader's errors have an offset alone
		before := lines(src[:e.Mark.Index])
		at = Pos{len(before), utf8.RuneCount(before[len(before)-1]) + 1}
	}
	d.fail(at, "this is not YAML: "+msg)
}

// secondDocument is the line of the marker that begins a second document, 1 when there is none to see.
func (d *Doc) secondDocument() int {
	content := false
	for i, line := range d.src {
		line = bytes.TrimRight(line, " ")
		switch {
		case content && (bytes.HasPrefix(line, []byte("---")) || bytes.Equal(line, []byte("..."))):
			return i + 1
		case len(line) > 0 && line[0] != '#' && line[0] != '%':
			content = true
		}
	}
	return 1
}

// places notes where every node begins.
func (d *Doc) places(n *yaml.Node) {
	d.order = append(d.order, place(n))
	for _, c := range n.Content {
		d.places(c)
	}
}

func place(n *yaml.Node) Pos { return Pos{n.Line, n.Column} }

// refuse finds what strict files may not use.
func (d *Doc) refuse(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		d.fail(place(n), "aliases are not allowed: write the value out")
		return
	case n.Anchor != "":
		d.fail(place(n), "anchors are not allowed: write the value out")
	case n.Style&yaml.TaggedStyle != 0:
		d.fail(place(n), "tags are not allowed")
	}
	if n.Kind == yaml.MappingNode {
		d.refuseKeys(n)
	}
	for _, c := range n.Content {
		d.refuse(c)
	}
}

func (d *Doc) refuseKeys(n *yaml.Node) {
	seen := make(map[string]int, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k := n.Content[i]
		first, twice := seen[k.Value]
		switch {
		case k.Kind != yaml.ScalarNode:
			if k.Kind != yaml.AliasNode {
				d.fail(place(k), "a key must be one word")
			}
			continue
		case k.Value == "<<":
			d.fail(place(k), "merge keys are not allowed: write the values out")
		case twice:
			d.fail(place(k), fmt.Sprintf("key %q is here twice, first in line %d", k.Value, first))
			d.guard(n.Content[i+1])
		default:
			seen[k.Value] = k.Line
		}
	}
}

// guard hides a value of a guarded file that stands where none belongs.
func (d *Doc) guard(n *yaml.Node) {
	if d.o.Guarded {
		d.hide(n)
	}
}

// hide masks a node, from where it begins to where the next one does, in every message.
func (d *Doc) hide(n *yaml.Node) {
	last := n
	for len(last.Content) > 0 {
		last = last.Content[len(last.Content)-1]
	}
	r := region{from: place(n), to: Pos{len(d.src) + 1, 1}}
	i, _ := slices.BinarySearchFunc(d.order, place(last), comparePos)
	for ; i < len(d.order); i++ {
		if place(last).before(d.order[i]) {
			r.to = d.order[i]
			break
		}
	}
	d.hidden = append(d.hidden, r)
}

func (d *Doc) fail(at Pos, msg string) {
	if n := len(d.src); at.Line > n && n > 0 { // behind a last line that has no end
		at = Pos{n, utf8.RuneCount(d.src[n-1]) + 1}
	}
	d.errs = append(d.errs, &Error{Path: d.Path, Pos: at, Msg: msg})
}

// Fail adds a mistake the caller found.
func (d *Doc) Fail(at Pos, format string, args ...any) { d.fail(at, fmt.Sprintf(format, args...)) }

// Errors are all mistakes, in order of place.
func (d *Doc) Errors() []*Error {
	out := make([]*Error, len(d.errs))
	for i, e := range d.errs {
		c := *e
		c.line, c.caret = d.show(c.Pos)
		out[i] = &c
	}
	slices.SortStableFunc(out, func(a, b *Error) int { return comparePos(a.Pos, b.Pos) })
	return slices.CompactFunc(out, func(a, b *Error) bool { return *a == *b })
}

// Err is all mistakes as one error, nil when there is none.
func (d *Doc) Err() error {
	all := d.Errors()
	if len(all) == 0 {
		return nil
	}
	errs := make([]error, len(all), len(all)+1)
	for i, e := range all {
		errs[i] = e
	}
	if len(all) > 1 {
		errs = append(errs, fmt.Errorf("%d errors in %s", len(all), d.Path))
	}
	return errors.Join(errs...)
}

// Bounds of a shown source line, in characters: a file may be one line of a megabyte.
const (
	showBefore = 120
	showAfter  = 80
)

// mask stands for hidden text of any length.
const mask = "********"

// show is a source line as it may be shown, and how many characters stand before the caret.
func (d *Doc) show(at Pos) (string, int) {
	if at.Line < 1 || at.Line > len(d.src) {
		return "", 0
	}
	var out []rune
	caret, masked := -1, false
	line := []rune(string(d.src[at.Line-1]))
	for i, r := range line {
		if i+1 == at.Column {
			caret = len(out)
		}
		if !d.isHidden(Pos{at.Line, i + 1}) {
			masked = false
			out = append(out, r)
		} else if !masked {
			masked = true
			out = append(out, []rune(mask)...)
		}
		if r == ':' && d.broken && d.o.Guarded {
			out = append(out, []rune(" "+mask)...)
			break
		}
	}
	if caret < 0 {
		caret = min(max(at.Column-1, 0), len(out))
	}
	from, to := max(0, caret-showBefore), min(len(out), caret+showAfter)
	return string(out[from:to]), caret - from
}

func (d *Doc) isHidden(p Pos) bool {
	for _, r := range d.hidden {
		if !p.before(r.from) && p.before(r.to) {
			return true
		}
	}
	return false
}
