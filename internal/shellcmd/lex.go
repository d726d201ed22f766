package shellcmd

import "bytes"

// A lexer cuts text into simple commands as the shell grammar of POSIX.1-2024, 2.10 has them, without expanding anything.
type lexer struct {
	text []byte
	base int
	in   cover
	i    int
}

// place is where text[i] lies in the line; -1 when that is not known.
func (l *lexer) place(i int) int {
	if l.base < 0 {
		return -1
	}
	return l.base + i
}

// A nested is a command inside another: $(...), `...`.
type nested struct {
	text []byte
	at   int
}

// keywords of the shell that stand before a command (2.4).
var keywords = map[string]bool{
	"if": true, "then": true, "else": true, "elif": true, "do": true, "while": true, "until": true, "!": true, "{": true, "}": true, "fi": true, "done": true, "esac": true,
}

// next is the next simple command; more is false at the end.
func (l *lexer) next() (words []word, inner []nested, more bool) {
	skip := false // the next word is the target of a redirection
	for l.i < len(l.text) {
		switch c := l.text[l.i]; {
		case c == ' ' || c == '\t' || c == '\r' || c == 0:
			l.i++
		case c == '\\' && l.joined(l.i) > 0:
			l.i += l.joined(l.i)
		case c == '\n' || c == ';' || c == '|' || c == '(' || c == ')':
			l.i++
			return words, inner, true
		case c == '&':
			if l.i+1 < len(l.text) && l.text[l.i+1] == '>' { // &>file
				l.i++
				continue
			}
			l.i++
			return words, inner, true
		case c == '<' || c == '>':
			skip = l.redirect()
		case c == '#':
			for l.i < len(l.text) && l.text[l.i] != '\n' {
				l.i++
			}
		default:
			w, in := l.word()
			inner = append(inner, in...)
			switch {
			case skip:
				skip = false
			case digits(w.text) && l.i < len(l.text) && (l.text[l.i] == '<' || l.text[l.i] == '>'): // 2>&1
			case len(words) == 0 && w.at >= 0 && keywords[string(w.text)]:
			default:
				words = append(words, w)
			}
		}
	}
	return words, inner, false
}

// joined is how long the backslash and line end at i are that join two lines; 0 when there are none.
func (l *lexer) joined(i int) int {
	rest := l.text[i+1:]
	switch {
	case len(rest) > 0 && rest[0] == '\n':
		return 2
	case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
		return 3
	}
	return 0
}

func digits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// redirect steps over an operator and reports whether a word follows it.
func (l *lexer) redirect() bool {
	for l.i < len(l.text) && (l.text[l.i] == '<' || l.text[l.i] == '>' || l.text[l.i] == '&' || l.text[l.i] == '|') {
		if l.text[l.i] == '&' && l.i+1 < len(l.text) && (l.text[l.i+1] == '-' || l.text[l.i+1] >= '0' && l.text[l.i+1] <= '9') {
			l.i += 2
			return false
		}
		l.i++
	}
	if l.i < len(l.text) && l.text[l.i] == '(' { // <(command): read as a command of its own
		return false
	}
	return true
}

// word reads one word with its quotes.
func (l *lexer) word() (word, []nested) {
	first := l.i
	var out []byte
	var inner []nested
	plain := true // the text is a part of the line as it is
	from := l.i
	for l.i < len(l.text) {
		c := l.text[l.i]
		switch {
		case bytes.IndexByte([]byte(" \t\r\n;|&<>()"), c) >= 0 || c == 0:
			goto done
		case c == '\'' || c == '"':
			if l.i != first {
				plain = false
			}
			q, in := l.quoted(c)
			inner = append(inner, in...)
			if q.at < 0 {
				plain = false
			}
			if l.i < len(l.text) && bytes.IndexByte([]byte(" \t\r\n;|&<>()"), l.text[l.i]) < 0 {
				plain = false
			}
			if plain {
				from = q.at
			}
			out = append(out, q.text...)
			continue
		case c == '\\':
			plain = false
			if n := l.joined(l.i); n > 0 {
				l.i += n
				continue
			}
			if l.i+1 < len(l.text) {
				out = append(out, l.text[l.i+1])
			}
			l.i += 2
			continue
		case c == '`':
			in := l.until(l.i+1, '`')
			inner = append(inner, in)
			out = append(out, "`...`"...)
			plain = false
			continue
		case c == '$' && l.i+1 < len(l.text) && l.text[l.i+1] == '(':
			in := l.parens()
			inner = append(inner, in)
			out = append(out, "$(...)"...)
			plain = false
			continue
		}
		out = append(out, c)
		l.i++
	}
done:
	l.i = min(l.i, len(l.text))
	if l.base < 0 {
		return word{out, l.in.from, l.in.to, -1}, inner
	}
	w := word{out, l.base + first, l.base + l.i, -1}
	if plain {
		w.at = l.base + from
	}
	return w, inner
}

// A quote is text in quotes; at is where it lies in the lexer's text, -1 when escapes were taken out.
type quote struct {
	text []byte
	at   int
}

// quoted reads from a quote to the one that closes it.
func (l *lexer) quoted(mark byte) (quote, []nested) {
	l.i++
	q := quote{at: l.i}
	var inner []nested
	for l.i < len(l.text) && l.text[l.i] != mark {
		c := l.text[l.i]
		switch {
		case mark == '"' && c == '\\' && l.joined(l.i) > 0:
			q.at = -1
			l.i += l.joined(l.i)
			continue
		case mark == '"' && c == '\\' && l.i+1 < len(l.text) && bytes.IndexByte([]byte("\"\\$`"), l.text[l.i+1]) >= 0:
			q.at = -1
			q.text = append(q.text, l.text[l.i+1])
			l.i += 2
			continue
		case mark == '"' && c == '`':
			inner = append(inner, l.until(l.i+1, '`'))
			q.at = -1
			q.text = append(q.text, "`...`"...)
			continue
		case mark == '"' && c == '$' && l.i+1 < len(l.text) && l.text[l.i+1] == '(':
			inner = append(inner, l.parens())
			q.at = -1
			q.text = append(q.text, "$(...)"...)
			continue
		}
		q.text = append(q.text, c)
		l.i++
	}
	l.i = min(l.i+1, len(l.text))
	return q, inner
}

// until is the text from i to the next mark, which it steps over.
func (l *lexer) until(i int, mark byte) nested {
	end := len(l.text)
	if n := bytes.IndexByte(l.text[min(i, end):], mark); n >= 0 {
		end = i + n
	}
	in := nested{l.text[min(i, end):end], l.place(i)}
	l.i = min(end+1, len(l.text))
	return in
}

// parens is the text in "$( ... )", which may nest.
func (l *lexer) parens() nested {
	from := l.i + 2
	depth, i := 1, from
	for ; i < len(l.text); i++ {
		switch l.text[i] {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth == 0 {
			break
		}
	}
	from = min(from, len(l.text))
	i = max(from, min(i, len(l.text)))
	in := nested{l.text[from:i], l.place(from)}
	l.i = min(i+1, len(l.text))
	return in
}
