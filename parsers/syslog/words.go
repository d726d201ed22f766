package syslog

import (
	"bytes"

	"github.com/quaymaster/quaymaster/internal/field"
)

// readTokens reads everything but RFC 5424: sequence numbers, origin ids, up to two times, zones, hosts and a tag, in the
// orders that devices and relays write them. It returns where the body begins.
func (h *header) readTokens(b []byte, i int, m *memo) int {
	timed := 0 // where the time ended that began the record
	if n := h.stamps[0].readTime(b[i:]); n > 0 {
		timed = i + n
		if body := m.hit(h, b, timed); body > 0 {
			h.times = 1
			return body
		}
	}
	body := h.readWords(b, i, timed)
	if timed > 0 {
		m.keep(h, b, timed, body)
	}
	return body
}

// readWords is readTokens without memory; timed is where the record's first time ended when it was at i, else 0.
func (h *header) readWords(b []byte, i, timed int) int {
	anchor := findAnchor(b, i)
	hostAt := -1 // the number of times that had been read when the host was
	stray, first := 0, i
	var t token
	if timed > 0 {
		i = timed + h.readZone(b, timed, anchor)
		h.times = 1
	}
	for i < min(len(b), first+maxHeader) {
		c := b[i]
		if c == ' ' || c == ':' || c == '\t' {
			i++
			continue
		}
		if i == anchor {
			return i
		}
		if h.times < 2 && (c-'0' <= 9 || c-'A' <= 'Z'-'A' || c == '*' || c == '.') {
			if n := h.stamps[h.times].readTime(b[i:]); n > 0 {
				i += n
				i += h.readZone(b, i, anchor)
				h.times++
				continue
			}
		}
		if c == '<' && h.pri < 0 && h.times > 0 {
			if n := h.readPRI(b[i:]); n > 0 { // a relay that kept the sender's PRI
				i += n
				continue
			}
		}
		h.token(&t, b, i, anchor)
		if n := t.to - t.from; (n == 3 || n > 4 && b[i+2] == '(') && h.ignorable(b, &t) {
			i = t.next
			continue
		}
		next, done := h.place(b, &t, anchor, &hostAt)
		switch {
		case done:
			return next
		case next == i: // nobody's word
			if stray++; anchor < 0 || stray > maxStray {
				return i
			}
			i = t.next
		default:
			i = next
		}
	}
	if anchor >= 0 && anchor <= i {
		return anchor
	}
	return i
}

// A token is a word of a header: b[from:to], a colon after it or not, and where reading goes on.
type token struct {
	from, to, next int
	colon          bool
	numeric        bool
	bracket        int // of the "[" in tag[pid]; 0 when none
}

// Classes of bytes within a word of a header.
const (
	inWord = iota
	isDigit
	isColon
	isBracket
	isBlank
)

// classOf is a byte's class; a table, because every byte of every header goes through it.
var classOf = [256]uint8{
	'0': isDigit, '1': isDigit, '2': isDigit, '3': isDigit, '4': isDigit,
	'5': isDigit, '6': isDigit, '7': isDigit, '8': isDigit, '9': isDigit,
	':': isColon, '[': isBracket, ' ': isBlank, '\t': isBlank,
}

// token reads the word at i into t; none reaches into the Cisco message.
func (h *header) token(t *token, b []byte, i, anchor int) {
	*t = token{from: i, numeric: true}
	if anchor >= 0 {
		b = b[:anchor]
	}
	j := i
	for ; j < len(b); j++ {
		switch classOf[b[j]] {
		case isDigit:
			continue
		case inWord:
			t.numeric = false
			continue
		case isColon:
			// A colon ends the word when a blank, the message or a time follows it: "CPU0:Oct  4", "EDT:%SYS".
			if j+1 >= len(b) || classOf[b[j+1]] == isBlank || h.times < 2 && month(b[j+1:]) > 0 {
				t.to, t.next, t.colon = j, j+1, true
				return
			}
		case isBracket:
			if t.bracket == 0 && j > i {
				t.bracket = j
			}
		case isBlank:
			t.to, t.next = j, j
			return
		}
		t.numeric = false
	}
	t.to, t.next = j, j
}

// ignorable takes the words that are neither host nor tag: a weekday before the time, and after it ESXi's "In(14)", a
// severity with the PRI (VMware: ESXi 8 log format).
func (h *header) ignorable(b []byte, t *token) bool {
	w := b[t.from:t.to]
	if h.times == 0 {
		switch string(w) {
		case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
			return !t.colon
		}
		return false
	}
	if len(w) < 5 || w[2] != '(' || h.pri >= 0 || w[0]-'A' > 'Z'-'A' {
		return false
	}
	v, n := digits(w[3:], 3)
	if n == 0 || v > 191 || 3+n >= len(w) || w[3+n] != ')' {
		return false
	}
	h.pri = int16(v)
	return true
}

// hostLike reports whether a word may name a host: punctuation begins no name, and no byte of it is a control character.
func hostLike(w []byte) bool {
	c := w[0]
	if c|0x20-'a' > 'z'-'a' && c-'0' > 9 && c != ':' && c < 0x80 && c != '_' || len(w) > maxHost {
		return false
	}
	for _, c := range w {
		if c < ' ' || c == 0x7f {
			return false
		}
	}
	return true
}

// place decides what a word is. It returns where reading goes on (the word's own place when it is nobody's) and whether
// the body begins there.
func (h *header) place(b []byte, t *token, anchor int, hostAt *int) (next int, done bool) {
	if t.numeric {
		switch {
		case t.colon:
			if h.seq == 0 {
				h.seq, _ = field.LeadingUint(b[t.from:t.to])
			}
			return t.next, false
		case anchor < 0:
			return t.from, true
		}
		return t.from, false
	}
	if t.bracket > 0 && h.times > 0 || t.bracket > 0 && t.colon {
		if next, ok := h.setTag(b, t); ok {
			return next, true
		}
	}
	if h.times == 0 {
		return h.placeEarly(b, t, anchor)
	}
	after := skipBlank(b, t.next)
	if t.colon {
		switch {
		case *hostAt == -1 && h.host.empty() && anchor >= 0 && after == anchor && hostLike(b[t.from:t.to]):
			h.host = at(t.from, t.to) // "Dec 11 2018 08:01:24 fw1: %ASA-...": the colon makes no tag of it
			*hostAt = int(h.times)
			return after, false
		case anchor >= 0 && after == anchor:
			if h.lateZone(b[t.from:t.to]) {
				return after, false
			}
			h.setTag(b, t)
			return after, true
		case h.times < 2 && h.timeFollows(b, after):
			if hostLike(b[t.from:t.to]) {
				h.host = at(t.from, t.to) // an origin id between relay and device header
			}
			*hostAt = int(h.times)
			return after, false
		}
		if next, ok := h.setTag(b, t); ok {
			return next, true
		}
		return t.from, true
	}
	if *hostAt != int(h.times) {
		if *hostAt >= 0 && anchor < 0 && !h.tagFollows(b, after) {
			return t.from, true // the second header names no host
		}
		if !hostLike(b[t.from:t.to]) {
			return t.from, anchor < 0
		}
		h.host = at(t.from, t.to)
		*hostAt = int(h.times)
		return t.next, false
	}
	if anchor >= 0 && after == anchor && h.tag.empty() {
		h.tag = at(t.from, t.to)
		return after, true
	}
	return t.from, anchor < 0
}

// placeEarly decides what a word before any time is: a host when a time or a Cisco message follows, else the text has no
// header, but perhaps a tag.
func (h *header) placeEarly(b []byte, t *token, anchor int) (next int, done bool) {
	after := skipBlank(b, t.next)
	follows := anchor >= 0 || h.timeFollows(b, after) || t.colon && h.pri >= 0 && h.timeFollows(b, skipBlank(b, wordEnd(b, after)))
	switch {
	case follows && (h.host.empty() || t.colon):
		if h.host.empty() && hostLike(b[t.from:t.to]) {
			h.host = at(t.from, t.to)
		}
		return t.next, false
	case follows:
		return t.from, false
	case t.colon && h.pri >= 0:
		if next, ok := h.setTag(b, t); ok {
			return next, true
		}
	}
	return t.from, true
}

// timeFollows reports whether a time, or a sequence number before one, begins at i.
func (h *header) timeFollows(b []byte, i int) bool {
	if i >= len(b) {
		return false
	}
	c := b[i]
	if c-'0' > 9 && c-'A' > 'Z'-'A' && c != '*' && c != '.' {
		return false
	}
	var s stamp
	if s.readTime(b[i:]) > 0 {
		return true
	}
	_, n := digits(b[i:], 12)
	return n > 0 && i+n < len(b) && b[i+n] == ':'
}

// tagFollows reports whether the word at i ends like a tag.
func (h *header) tagFollows(b []byte, i int) bool {
	var t token
	h.token(&t, b, i, -1)
	return t.colon || t.bracket > 0
}

func skipBlank(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == ':') {
		i++
	}
	return i
}

func wordEnd(b []byte, i int) int {
	for i < len(b) && b[i] != ' ' && b[i] != '\t' {
		i++
	}
	return i
}

// setTag takes the word as tag or tag[pid] and returns where the text begins.
func (h *header) setTag(b []byte, t *token) (next int, ok bool) {
	to, i := t.to, t.next
	if t.bracket > 0 {
		closing := bytes.IndexByte(b[t.bracket:min(len(b), t.bracket+24)], ']')
		if closing < 0 {
			return t.from, false
		}
		h.pid = at(t.bracket+1, t.bracket+closing)
		to, i = t.bracket, t.bracket+closing+1
	} else if !t.colon {
		return t.from, false
	}
	if to-t.from > maxTag {
		h.pid = part{}
		return t.from, false
	}
	h.tag = at(t.from, to)
	if i+2 < len(b) && b[i] == ' ' && b[i+1] == '<' { // macOS: " <Info>:"
		if n := bytes.IndexByte(b[i:min(len(b), i+16)], '>'); n > 2 && i+n+1 < len(b) && b[i+n+1] == ':' {
			i += n + 1
		}
	}
	if i < len(b) && b[i] == ':' {
		i++
	}
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	return i, true
}

// readZone reads a zone's name right after a time: one from the table, or any upper-case word that stands between the
// time and a Cisco message that is not an ASA's (there it is the host).
func (h *header) readZone(b []byte, i, anchor int) int {
	s := &h.stamps[h.times]
	if s.zone == statedZone || s.kind != calendar || i+3 >= len(b) || b[i] != ' ' {
		return 0
	}
	j := i + 1
	if n := s.readOffset(b[j:]); n == 5 && (j+n == len(b) || b[j+n] == ' ' || b[j+n] == ':') {
		return n + 1
	}
	for j < len(b) && j < i+9 && b[j]-'A' <= 'Z'-'A' {
		j++
	}
	if j < i+2 || j >= len(b) {
		return 0
	}
	name := b[i+1 : j]
	off, kind, ok := zoneOffset(name)
	switch {
	case ok && (b[j] == ':' || b[j] == ' ' && (kind == statedZone || j+1 < len(b) && b[j+1] == ':')):
	case !ok && b[j] == ':' && anchor >= 0 && skipBlank(b, j) == anchor && !(h.host.empty() && asaAnchor(b[anchor:])):
		kind = namedZone
	default:
		return 0
	}
	s.zone, s.offset = kind, off
	return j - i
}

// lateZone takes a known zone that stands where a tag would: "Jun 14 12:00:59 sw1 AEST: %SYS-...".
func (h *header) lateZone(name []byte) bool {
	off, kind, ok := zoneOffset(name)
	if !ok || h.times == 0 {
		return false
	}
	s := &h.stamps[h.times-1]
	if s.kind != calendar || s.zone != noZone {
		return false
	}
	s.zone, s.offset = kind, off
	return true
}

// asaAnchor reports whether a Cisco message is one of the firewalls that write a host after the time.
func asaAnchor(b []byte) bool {
	return field.Has(b, "%ASA-") || field.Has(b, "%FTD-") || field.Has(b, "%PIX-") || field.Has(b, "%FWSM-") || field.Has(b, "%NGIPS-")
}
