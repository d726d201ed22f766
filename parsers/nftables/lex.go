package nftables

import (
	"net/netip"
	"strings"
)

// A token is a word, a quoted text, a sign or the end of a line ("\n").
type token struct {
	text     string
	quoted   bool
	from, to int
}

// is reports whether t is a plain word or sign.
func (t token) is(text string) bool { return !t.quoted && t.text == text }

// lexer parts text into tokens (nft(8), LEXICAL CONVENTIONS).
type lexer struct {
	src  string
	at   int
	long [][2]int // lines that are passed over
}

const (
	signs     = "{};,=()[]&|^<>!"
	wordRunes = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-*@$+~%?'`"
)

// next is the next token; false at the end.
func (l *lexer) next() (token, bool) {
	for l.at < len(l.src) {
		if len(l.long) > 0 && l.at >= l.long[0][0] {
			l.at, l.long = max(l.at, l.long[0][1]), l.long[1:]
			continue
		}
		switch c := l.src[l.at]; {
		case c == '\n':
			l.at++
			return token{text: "\n", from: l.at - 1, to: l.at}, true
		case c == '#':
			l.at = l.lineEnd()
		case c == '\\' && strings.HasPrefix(strings.TrimLeft(l.src[l.at+1:min(len(l.src), l.at+3)], "\r"), "\n"):
			l.at += strings.IndexByte(l.src[l.at:], '\n') + 1
		case strings.IndexByte(blanks, c) >= 0:
			l.at++
		case c == '"':
			return l.quote(), true
		default:
			return l.word(), true
		}
	}
	return token{}, false
}

func (l *lexer) lineEnd() int {
	if n := strings.IndexByte(l.src[l.at:], '\n'); n >= 0 {
		return l.at + n
	}
	return len(l.src)
}

// quote is a text in double quotes; nft knows no escapes in it, and it ends with its line.
func (l *lexer) quote() token {
	from, end := l.at, l.lineEnd()
	if n := strings.IndexByte(l.src[from+1:end], '"'); n >= 0 {
		l.at = from + n + 2
		return token{text: l.src[from+1 : from+1+n], quoted: true, from: from, to: l.at}
	}
	l.at = end
	return token{text: "\"", from: from, to: end} // a quote that does not end
}

// word is a word or a sign. A colon is part of a word only where it makes an address.
func (l *lexer) word() token {
	from := l.at
	plain := from
	for plain < len(l.src) && strings.IndexByte(wordRunes, l.src[plain]) >= 0 {
		plain++
	}
	colons := plain
	for colons < len(l.src) && (l.src[colons] == ':' || strings.IndexByte(wordRunes, l.src[colons]) >= 0) {
		colons++
	}
	to := plain
	switch {
	case colons > plain && colons-from <= 128 && address(l.src[from:colons]):
		to = colons
	case plain == from:
		to = from + 1
		if two := l.src[from:min(len(l.src), from+2)]; two == "!=" || two == "==" || two == "<=" || two == ">=" || two == "<<" || two == ">>" {
			to = from + 2
		}
	}
	l.at = to
	return token{text: l.src[from:to], from: from, to: to}
}

// address reports whether text is an IPv6 address, a prefix, a range of them, or a hardware address.
func address(text string) bool {
	for part := range strings.SplitSeq(text, "-") {
		host, _, _ := strings.Cut(part, "/")
		if _, err := netip.ParseAddr(host); err != nil && !hardware(host) {
			return false
		}
	}
	return true
}

// hardware reports whether text is six bytes in hexadecimal.
func hardware(text string) bool {
	parts := strings.Split(text, ":")
	if len(parts) != 6 {
		return false
	}
	for _, p := range parts {
		if len(p) != 2 || strings.Trim(p, "0123456789abcdefABCDEF") != "" {
			return false
		}
	}
	return true
}
