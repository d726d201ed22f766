package hostfile

import "bytes"

// A Part is a piece of a file's text and where it begins.
type Part struct {
	At   int
	Text []byte
}

// String is a copy of the text, with what is no UTF-8 replaced.
func (p Part) String() string { return string(bytes.ToValidUTF8(p.Text, []byte("?"))) }

// Is reports whether the text is s.
func (p Part) Is(s string) bool { return string(p.Text) == s }

// Fold reports whether the text is s in any case.
func (p Part) Fold(s string) bool { return len(p.Text) == len(s) && bytes.EqualFold(p.Text, []byte(s)) }

// Slice is the part from i to j.
func (p Part) Slice(i, j int) Part { return Part{p.At + i, p.Text[i:j]} }

// From is the part from i on.
func (p Part) From(i int) Part { return Part{p.At + i, p.Text[i:]} }

// Trim is the part without blanks at its ends.
func (p Part) Trim() Part {
	text := bytes.TrimRight(p.Text, blanks+"\n")
	n := len(text) - len(bytes.TrimLeft(text, blanks+"\n"))
	return Part{p.At + n, text[n:]}
}

// Cut splits at the first sep; the ends lose their blanks.
func (p Part) Cut(sep string) (before, after Part, found bool) {
	i := bytes.Index(p.Text, []byte(sep))
	if i < 0 {
		return p.Trim(), Part{At: p.At + len(p.Text)}, false
	}
	return p.Slice(0, i).Trim(), p.From(i + len(sep)).Trim(), true
}

// Word splits off the first word.
func (p Part) Word() (word, rest Part) {
	p = p.Trim()
	for i, c := range p.Text {
		if c == ' ' || c == '\t' || c == '\n' {
			return p.Slice(0, i), p.From(i).Trim()
		}
	}
	return p, Part{At: p.At + len(p.Text)}
}

// Split is the parts between any of the bytes in seps, without blanks at their ends; empty ones are left out.
func (p Part) Split(seps string) []Part {
	var out []Part
	start := 0
	for i := 0; i <= len(p.Text); i++ {
		if i < len(p.Text) && bytes.IndexByte([]byte(seps), p.Text[i]) < 0 {
			continue
		}
		if w := p.Slice(start, i).Trim(); len(w.Text) > 0 {
			out = append(out, w)
		}
		start = i + 1
	}
	return out
}

// Fields is the words of the part. The backslashes that join lines are no words.
func (p Part) Fields() []Part {
	words := p.Split(" \t\r\n\v\f\x00\b")
	n := 0
	for _, w := range words {
		if !w.Is("\\") {
			words[n] = w
			n++
		}
	}
	return words[:n]
}

// Quoted is the words of the part, those in single or double quotes whole and without them. In double quotes a backslash
// takes the next byte along. A quote that does not close runs to the end.
func (p Part) Quoted() []Part {
	var out []Part
	for i := 0; i < len(p.Text); {
		switch c := p.Text[i]; c {
		case ' ', '\t', '\r', '\n', '\v', '\f', 0, '\b':
			i++
		case '"', '\'':
			j := i + 1
			for j < len(p.Text) && p.Text[j] != c {
				if c == '"' && p.Text[j] == '\\' {
					j++
				}
				j++
			}
			j = min(j, len(p.Text))
			out = append(out, p.Slice(i+1, j))
			i = j + 1
		default:
			j := i
			for j < len(p.Text) && bytes.IndexByte([]byte(" \t\r\n\v\f\x00\b"), p.Text[j]) < 0 {
				j++
			}
			if w := p.Slice(i, j); !w.Is("\\") {
				out = append(out, w)
			}
			i = j
		}
	}
	return out
}

// Unquote is the part without the quotes around it.
func (p Part) Unquote() Part {
	p = p.Trim()
	if n := len(p.Text); n >= 2 && (p.Text[0] == '"' || p.Text[0] == '\'') && p.Text[n-1] == p.Text[0] {
		return p.Slice(1, n-1)
	}
	return p
}
