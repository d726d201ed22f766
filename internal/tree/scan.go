package tree

import "bytes"

// class tells the bytes apart that end a word.
const (
	plain = iota
	blank // space, tab, carriage return, backspace, other controls
	eol
	stop // ; { }
)

var classes = func() (c [256]uint8) {
	for i := range 32 {
		c[i] = blank
	}
	c[' '], c[127] = blank, blank
	c['\n'] = eol
	c[';'], c['{'], c['}'] = stop, stop, stop
	return c
}()

// masked is the end of a placeholder that holds blanks, "<secret removed>", which is one word; 0 when src[i:] is none.
func masked(src []byte, i int) int {
	if i+2 >= len(src) || src[i+1]|0x20 < 'a' || src[i+1]|0x20 > 'z' {
		return 0
	}
	const longest = 40
	spaces := 0
	for j := i + 1; j < len(src) && j < i+longest; j++ {
		switch src[j] {
		case '>':
			if spaces == 0 {
				return 0
			}
			return j + 1
		case ' ':
			spaces++
		case '<', '\n', ';', '{', '}', '"':
			return 0
		}
	}
	return 0
}

// quoted is where the quote that opens at src[i] closes, and whether it does. In one line when line is set.
func quoted(src []byte, i int, line bool) (end int, ok bool) {
	q := src[i]
	for j := i + 1; j < len(src); j++ {
		switch src[j] {
		case q:
			return j, true
		case '\\':
			if q == '"' {
				j++
			}
		case '\n':
			if line {
				return j, false
			}
		}
	}
	return len(src), false
}

// paged is how long the residue of a pager is that text begins with, with the blanks behind it; 0 when there is none.
func paged(text []byte, prefix string) int {
	if prefix == "" || len(text) < len(prefix) || string(text[:len(prefix)]) != prefix {
		return 0
	}
	const longest = 40
	head := text[len(prefix):min(len(text), len(prefix)+longest)]
	i := bytes.Index(head, []byte("---"))
	if i < 0 {
		return 0
	}
	n := len(prefix) + i + 3
	for n < len(text) && classes[text[n]] == blank {
		n++
	}
	return n
}
