package routeros

import (
	"bytes"
	"strings"
)

// The text is commands: "/path" on a line of its own or before a command, "add", "set" and the like with positional words
// and key=value pairs. A backslash at a line's end goes on with the next one, whose leading blanks do not count. Values in
// double quotes hold escapes (RouterOS documentation, Scripting).

// A value is an argument. At and length are where it lies in the source, its quotes left out; a value that runs over lines
// holds the line ends there.
type value struct {
	text       string
	at, length int
}

// A command is one statement of an export.
type command struct {
	path, verb string
	words      []value // positional
	keys       []string
	vals       []value
	at, length int
	lines      int // that are not blank
	comment    bool
}

func (c *command) get(key string) (value, bool) {
	for i, k := range c.keys {
		if k == key {
			return c.vals[i], true
		}
	}
	return value{}, false
}

func (c *command) text(key string) string {
	v, _ := c.get(key)
	return v.text
}

func (c *command) off() bool {
	t := c.text("disabled")
	return t == "yes" || t == "true"
}

// verbs end the path of a line that holds both.
var verbs = []string{"add", "set", "remove", "print", "export", "enable", "disable", "unset", "move", "reset", "edit", "import", "run"}

func isVerb(s string) bool {
	for _, v := range verbs {
		if s == v {
			return true
		}
	}
	return false
}

// read cuts text into commands and comments.
func read(src []byte) []command {
	var out []command
	path := ""
	at := 0
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	text := string(src)
	for at < len(src) {
		start := at
		for start < len(src) && (src[start] == ' ' || src[start] == '\t' || src[start] == '\r') {
			start++
		}
		c := command{at: start}
		if start < len(src) && src[start] == '#' {
			end := lineEnd(src, start)
			c.comment, c.length, c.lines = true, len(bytes.TrimRight(src[start:end], " \t\r\x00")), 1
			out = append(out, c)
			at = end + 1
			continue
		}
		tokens, end, lines := split(src, text, start)
		at = end + 1
		if lines == 0 {
			continue
		}
		c.lines, c.length = lines, len(bytes.TrimRight(src[start:min(end, len(src))], " \t\r\n\x00"))
		if len(tokens) > 0 && strings.HasPrefix(tokens[0].word.text, "/") {
			n := 0
			var parts []string
			for n < len(tokens) && !tokens[n].pair && !isVerb(tokens[n].word.text) {
				parts = append(parts, strings.TrimPrefix(tokens[n].word.text, "/"))
				n++
			}
			path = strings.Join(parts, " ")
			tokens = tokens[n:]
		}
		c.path = path
		if len(tokens) > 0 && !tokens[0].pair {
			c.verb = tokens[0].word.text
			tokens = tokens[1:]
		}
		for _, t := range tokens {
			if t.pair {
				c.keys, c.vals = append(c.keys, t.key), append(c.vals, t.word)
			} else {
				c.words = append(c.words, t.word)
			}
		}
		out = append(out, c)
	}
	return out
}

func lineEnd(src []byte, from int) int {
	if i := bytes.IndexByte(src[from:], '\n'); i >= 0 {
		return from + i
	}
	return len(src)
}

type token struct {
	pair bool
	key  string
	word value
}

// maxCommand bounds a command with its continuations, in bytes.
const maxCommand = 1 << 20

// split parts one command into its words. end is the line end it stops at; lines is how many lines that are not blank it
// took.
func split(src []byte, text string, at int) (out []token, end, lines int) {
	fresh := true // nothing of this line was seen
	limit := at + maxCommand
	for at < len(src) {
		switch c := src[at]; {
		case c == '\n' || at >= limit:
			if at >= limit {
				at = lineEnd(src, at)
			}
			return out, at, lines
		case c == ' ' || c == '\t' || c == '\r' || c == 0:
			at++
		case c == '\\' && continues(src, at):
			if fresh {
				lines++
			}
			at = lineEnd(src, at) + 1
			fresh = true
			if at > len(src) {
				at = len(src)
			}
		default:
			if fresh {
				lines++
				fresh = false
			}
			var t token
			before := at
			t, at = word(src, text, at)
			out = append(out, t)
			for k := before; ; lines++ { // a value may have gone on over lines
				if k = lineEnd(src, k) + 1; k > at || k > len(src) {
					break
				}
				if len(bytes.TrimRight(bytes.TrimLeft(src[k:lineEnd(src, k)], " \t"), " \t\r\x00")) == 0 {
					lines--
				}
			}
		}
	}
	return out, at, lines
}

// continues reports whether nothing but a line's end is behind the backslash.
func continues(src []byte, at int) bool {
	rest := src[at+1 : lineEnd(src, at)]
	return len(bytes.TrimRight(rest, "\r ")) == 0
}

// word reads a word, "key=value", "[ find ... ]" or a quoted value from at.
func word(src []byte, text string, at int) (token, int) {
	start := at
	depth := 0
	for at < len(src) {
		c := src[at]
		switch {
		case c == '[' || c == '{':
			depth++
		case (c == ']' || c == '}') && depth > 0:
			depth--
		case c == '\n', depth == 0 && (c == ' ' || c == '\t' || c == '\r' || c == 0):
			return token{word: value{text[start:at], start, at - start}}, at
		case c == '=' && depth == 0 && at > start:
			v, end := quoted(src, text, at+1)
			return token{pair: true, key: text[start:at], word: v}, end
		case c == '"' && at == start:
			v, end := quoted(src, text, at)
			return token{word: v}, end
		case c == '"' && depth > 0:
			_, end := quoted(src, text, at)
			at = end
			continue
		}
		at++
	}
	return token{word: value{text[start:at], start, at - start}}, at
}

// quoted reads a value, which may be in quotes and go on over lines with a backslash before their ends.
func quoted(src []byte, text string, at int) (value, int) {
	if at >= len(src) || src[at] != '"' {
		start := at
		for at < len(src) && src[at] != ' ' && src[at] != '\t' && src[at] != '\r' && src[at] != '\n' && src[at] != 0 {
			if src[at] == '\\' && continues(src, at) { // "value\" and the rest of it on the next line
				head := text[start:at]
				next := lineEnd(src, at) + 1
				for next < len(src) && (src[next] == ' ' || src[next] == '\t') {
					next++
				}
				if len(head) == 0 || next >= len(src) {
					break
				}
				v, end := quoted(src, text, next)
				return value{head + v.text, start, max(v.at+v.length-start, 0)}, end
			}
			at++
		}
		return value{text[start:at], start, at - start}, at
	}
	start := at + 1
	var b strings.Builder
	for at = start; at < len(src) && src[at] != '"'; at++ {
		if src[at] == '\n' {
			return value{text[start:at], start, at - start}, at // it does not end on its line
		}
		if src[at] != '\\' || at+1 >= len(src) {
			b.WriteByte(src[at])
			continue
		}
		if continues(src, at) && lineEnd(src, at) < len(src) {
			at = lineEnd(src, at)
			for at+1 < len(src) && (src[at+1] == ' ' || src[at+1] == '\t') {
				at++
			}
			continue
		}
		at++
		switch src[at] {
		case 'r':
			b.WriteByte('\r')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case '\n':
			return value{text[start:at], start, at - start}, at
		default:
			b.WriteByte(src[at])
		}
	}
	v := value{b.String(), start, at - start}
	if at < len(src) {
		at++
	}
	return v, at
}
