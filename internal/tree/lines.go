package tree

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

// Lines accounts for every line of a tree of Braces, Sets or XML that holds more than blanks, once. A line has the state of
// what stands on it: of several statements the one least understood. A line without a statement of its own continues the
// one before, as the lines of a comment or a list do; closing braces are structure, as irrelevant as what they close. Of
// every line that is not understood, unread is told of each statement on it.
func (t *Tree) Lines(unread func(node int32, s facts.LineState)) facts.Lines {
	states := t.lineStates(unread)
	var l facts.Lines
	last := lineUnderstood
	src := t.Source
	if bytes.HasPrefix(src, []byte("\xef\xbb\xbf")) {
		src = src[3:]
	}
	at := uint32(len(t.Source) - len(src))
	for number := 1; len(src) > 0; number++ {
		line, rest := src, []byte(nil)
		if i := bytes.IndexByte(src, '\n'); i >= 0 {
			line, rest = src[:i], src[i+1:]
		}
		state := lineNothing
		if number < len(states) {
			state = states[number]
		}
		if state == lineNothing {
			text := bytes.Trim(line, " \t\r\v\f\b\x00")
			switch {
			case len(text) == 0:
			case at >= t.names.read:
				state = lineUnrecognised
			case last != lineIrrelevant && structure(text):
				state = lineUnderstood
			default:
				state = last
			}
		}
		switch state {
		case lineIrrelevant:
			l.Irrelevant++
		case lineUnderstood:
			l.Understood++
		case lineUnsupported:
			l.Unsupported++
		case lineUnrecognised:
			l.Unrecognised++
		}
		if state != lineNothing {
			last = state
		}
		at += uint32(len(src) - len(rest))
		src = rest
	}
	return l
}

// Line states, in the order in which one hides another on its line.
const (
	lineNothing uint8 = iota
	lineIrrelevant
	lineUnderstood
	lineUnsupported
	lineUnrecognised
)

// lineStates is the state of each line that has a statement, by number.
func (t *Tree) lineStates(unread func(int32, facts.LineState)) []uint8 {
	most := uint32(0)
	for i := range t.Nodes {
		most = max(most, t.Nodes[i].Line)
	}
	states := make([]uint8, most+1)
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Flags&(Implied|Inherited) != 0 {
			continue
		}
		state, told := lineUnrecognised, n.State
		if n.Flags&Again != 0 {
			told = t.Nodes[n.Parent].State
		}
		switch told {
		case facts.Understood:
			state = lineUnderstood
		case facts.Irrelevant:
			state = lineIrrelevant
		case facts.Unsupported:
			state = lineUnsupported
		case facts.Unrecognised:
			if n.Flags&Comment != 0 {
				state = lineIrrelevant
			}
		}
		if state >= lineUnsupported {
			unread(int32(i), told)
		}
		states[n.Line] = max(states[n.Line], state)
	}
	return states
}

// structure reports whether a line holds nothing but what closes blocks, lists and elements.
func structure(text []byte) bool {
	if len(text) > 3 && text[0] == '<' && text[1] == '/' {
		return bytes.IndexByte(text[1:], '<') < 0 && text[len(text)-1] == '>'
	}
	for _, c := range text {
		switch c {
		case '}', '{', ']', '[', ';', ' ', '\t', '\r':
		default:
			return false
		}
	}
	return true
}
