package fortios

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// The text is blocks: "config PATH ... end" holds "edit NAME ... next" entries and "set KEY VALUE...", which nest in each
// other. A quoted value may run over lines; what is between the quotes is text.

// A kind of node.
type kind uint8

const (
	isConfig kind = iota
	isEdit
	isSet
	isOther // unset, append, and what is no statement
)

// A word is part of a statement, unquoted; at is where it lies in the source, its quotes left out.
type word struct {
	text   string
	at     int
	length int
	quoted bool
}

// A node is one statement with what is inside it.
type node struct {
	kind       kind
	key        string // config: the path; edit: the name; set: the key
	words      []word // behind config, edit or the key of a set
	at, length int
	lines      int // non-blank lines it takes, its "end" or "next" not counted
	kids       []*node
	parent     *node
	state      facts.LineState
	reason     string
}

// set is the value of a key inside n; nil when it is not set. The last one counts.
func (n *node) set(key string) *node {
	for i := len(n.kids) - 1; i >= 0; i-- {
		if k := n.kids[i]; k.kind == isSet && k.key == key {
			return k
		}
	}
	return nil
}

// value is the first word of a key inside n, and marks the statement.
func (n *node) value(key string) string {
	k := n.set(key)
	if k == nil {
		return ""
	}
	k.state = facts.Understood
	if len(k.words) == 0 {
		return ""
	}
	return k.words[0].text
}

// values are all words of a key inside n.
func (n *node) values(key string) []string {
	k := n.set(key)
	if k == nil {
		return nil
	}
	k.state = facts.Understood
	out := make([]string, len(k.words))
	for i := range k.words {
		out[i] = k.words[i].text
	}
	return out
}

// configs are the blocks of a path inside n.
func (n *node) configs(path string) []*node {
	var out []*node
	for _, k := range n.kids {
		if k.kind == isConfig && k.key == path {
			k.state = facts.Understood
			out = append(out, k)
		}
	}
	return out
}

// edits are the entries of the blocks of a path inside n, in order.
func (n *node) edits(path string) []*node {
	var out []*node
	for _, c := range n.configs(path) {
		for _, e := range c.kids {
			if e.kind == isEdit {
				e.state = facts.Understood
				out = append(out, e)
			}
		}
	}
	return out
}

// maxDepth bounds how deep blocks nest; the platform's own go to six.
const maxDepth = 64

// A reader makes nodes of text.
type reader struct {
	src   []byte
	text  string // the same; words are cut out of it
	nodes []node // room for the next ones
	list  []word // of the statement being read
	slab  tree.Slab[word]
	root  *node
	ends  int // lines that end blocks
	cut   bool
}

func read(src []byte) *reader {
	r := &reader{src: src, text: string(src), root: &node{kind: isConfig}}
	at := r.root
	depth := 0
	first := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		first = 3 // a byte order mark
	}
	for i := first; i < len(src); {
		start, end := i, lineEnd(src, i)
		line := field.TrimRight(src[start:end])
		lead := len(line) - len(field.TrimLeft(line))
		line = line[lead:]
		start += lead
		i = end + 1
		if len(line) == 0 {
			continue
		}
		verb, _ := field.Word(line)
		switch string(verb) {
		case "end":
			r.ends++
			for at.kind == isEdit && at.parent != nil { // "end" inside an entry closes it too
				at, depth = at.parent, depth-1
			}
			if at.parent != nil {
				at, depth = at.parent, depth-1
			}
			continue
		case "next":
			r.ends++
			if at.kind == isEdit && at.parent != nil {
				at, depth = at.parent, depth-1
			}
			continue
		}
		if len(r.nodes) == 0 {
			r.nodes = make([]node, min(max(len(src)/64, 16), 1024))
		}
		n := &r.nodes[0]
		r.nodes = r.nodes[1:]
		*n = node{kind: isOther, at: start, length: len(line), lines: 1, parent: at}
		switch string(verb) {
		case "config", "edit", "set", "unset", "append", "select":
			var next int
			n.words, next, n.lines = r.words(start+len(verb), end)
			if next > i {
				i = next
			}
			n.length = len(field.TrimRight(src[start:min(max(end, next-1), len(src))]))
		default:
			if line[0] == '#' {
				n.state, n.reason = facts.Irrelevant, "comment"
			}
		}
		at.kids = append(at.kids, n)
		switch string(verb) {
		case "config":
			n.kind, n.key = isConfig, join(n.words)
		case "edit":
			n.kind = isEdit
			if len(n.words) > 0 {
				n.key = n.words[0].text
			}
		case "set":
			n.kind = isSet
			if len(n.words) > 0 {
				n.key, n.words = n.words[0].text, n.words[1:]
			}
			continue
		default:
			continue
		}
		if depth == maxDepth {
			r.cut = true
			continue
		}
		at, depth = n, depth+1
	}
	return r
}

func lineEnd(src []byte, from int) int {
	if i := bytes.IndexByte(src[from:], '\n'); i >= 0 {
		return from + i
	}
	return len(src)
}

func join(words []word) string {
	texts := make([]string, len(words))
	for i := range words {
		texts[i] = words[i].text
	}
	return strings.Join(texts, " ")
}

// maxValue bounds a quoted value that runs over lines: an image or a certificate takes less.
const maxValue = 1 << 20

// unescape takes the backslashes out of a quoted value.
func unescape(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// words splits a statement from at to the end of its line, or of the line on which its last quote ends. next is where the
// text goes on; lines is how many lines that are not blank it took.
func (r *reader) words(at, end int) (out []word, next, lines int) {
	src := r.src
	next, lines = end+1, 1
	r.list = r.list[:0]
	defer func() { out = r.slab.Copy(r.list) }()
	for at < end {
		c := src[at]
		if c == ' ' || c == '\t' || c == '\r' {
			at++
			continue
		}
		if c != '"' && c != '\'' {
			start := at
			for at < end && src[at] != ' ' && src[at] != '\t' && src[at] != '\r' {
				at++
			}
			r.list = append(r.list, word{text: r.text[start:at], at: start, length: at - start})
			continue
		}
		start, escaped := at+1, false
		for at = start; at < len(src) && src[at] != c && at-start < maxValue; at++ {
			if src[at] == '\\' && c == '"' && at+1 < len(src) {
				at++
				escaped = true
			}
		}
		if at >= len(src) || at-start >= maxValue { // no end: the quote is of this line alone
			at = end
			text := field.TrimRight(src[start:end])
			r.list = append(r.list, word{text: r.text[start : start+len(text)], at: start, length: len(text), quoted: true})
			r.cut = true
			continue
		}
		text := r.text[start:at]
		if escaped {
			text = unescape(text)
		}
		r.list = append(r.list, word{text: text, at: start, length: at - start, quoted: true})
		if at > end { // the value ran over lines
			for k := end; k < at; k = lineEnd(src, k+1) {
				if len(bytes.TrimSpace(src[k+1:min(lineEnd(src, k+1), len(src))])) > 0 {
					lines++
				}
				if lineEnd(src, k+1) >= at {
					break
				}
			}
			end = lineEnd(src, at)
			next = end + 1
		}
		at++
	}
	return out, next, lines
}
