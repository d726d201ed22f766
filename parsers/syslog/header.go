package syslog

import (
	"bytes"

	"github.com/quaymaster/quaymaster/internal/field"
)

// A header is what precedes a message's text, as offsets into the record.
type header struct {
	pri    int16 // -1 when absent
	times  uint8 // how many were read: the relay's, then the device's
	anchor bool  // the body begins with a Cisco %FACILITY-severity-MNEMONIC
	repeat uint32
	// wasRepeated: the record is only "last message repeated N times"; N is in repeat.
	wasRepeated bool
	seq         uint64
	host        part
	tag         part
	pid         part
	id          part
	data        part
	body        part
	end         int32    // of the record, without line end and blanks
	stamps      [2]stamp // relay and device when times is 2, else the only one first
}

// A part is record[from:to].
type part struct{ from, to int32 }

func (p part) of(rec []byte) []byte { return rec[p.from:p.to] }
func (p part) empty() bool          { return p.from == p.to }
func at(from, to int) part          { return part{int32(from), int32(to)} }

// Bounds of a header. Real ones are under 120 bytes; text beyond is never read as one.
const (
	maxHeader = 400
	maxTag    = 64
	maxHost   = 255 // RFC 5424 6
	maxAnchor = 80
	// maxStray is how many words nobody understands may stand between a readable header and a Cisco message.
	maxStray = 2
)

// A memo spares reading what a sender writes alike around every time: after "<166>Mar 03 2023 08:50:32" the words
// " fw1 : " before a Cisco message. It changes nothing but speed: the same words give the same host and tag.
type memo struct {
	words          [64]byte
	n              int  // 0 when nothing is remembered
	asa            bool // what a zone's name means depends on it
	host, tag, pid part // relative to the words
}

// hit reads what follows the only time of a record, at i, when it is as remembered; it returns the body's place, else 0.
func (m *memo) hit(h *header, b []byte, i int) int {
	end := i + m.n
	if m.n == 0 || end >= len(b) || string(b[i:end]) != string(m.words[:m.n]) {
		return 0
	}
	if s := &h.stamps[0]; s.zone != noZone || s.kind != calendar || !isAnchor(b[end:]) || asaAnchor(b[end:]) != m.asa {
		return 0
	}
	h.host, h.tag, h.pid, h.anchor = m.host.moved(i), m.tag.moved(i), m.pid.moved(i), true
	return end
}

// keep remembers the words between i, where a record's only time ended, and the body.
func (m *memo) keep(h *header, b []byte, i, body int) {
	s := &h.stamps[0]
	if h.times != 1 || s.zone != noZone || s.kind != calendar || body-i > len(m.words) || body <= i || h.seq != 0 ||
		!h.host.empty() && int(h.host.from) < i || !isAnchor(b[body:]) {
		return
	}
	m.n, m.asa = copy(m.words[:], b[i:body]), asaAnchor(b[body:])
	m.host, m.tag, m.pid = h.host.moved(-i), h.tag.moved(-i), h.pid.moved(-i)
}

// moved is p further on; the empty part stays.
func (p part) moved(by int) part {
	if p.empty() {
		return part{}
	}
	return part{p.from + int32(by), p.to + int32(by)}
}

// read reads the header of one record. It always leaves a body: what no header was read from is text.
func (h *header) read(rec []byte, m *memo) {
	h.pri, h.times, h.anchor, h.repeat, h.wasRepeated, h.seq = -1, 0, false, 0, false, 0
	h.host, h.tag, h.pid, h.id, h.data, h.body = part{}, part{}, part{}, part{}, part{}, part{}
	end := len(rec)
	for end > 0 && (rec[end-1] == '\r' || rec[end-1] == '\n' || rec[end-1] == 0 || rec[end-1] == ' ') {
		end--
	}
	b := rec[:end]
	h.end = int32(end)
	i := 0
	for i < len(b) && (b[i] == ' ' || b[i] == '\t') {
		i++
	}
	i += countPrefix(b[i:])
	i += h.readPRI(b[i:])
	if h.pri >= 0 && i+2 < len(b) && b[i] == '1' && b[i+1] == ' ' {
		if n := h.read5424(b, i+2); n > 0 {
			h.finish(b, n)
			return
		}
	}
	h.finish(b, h.readTokens(b, i, m))
}

// countPrefix is the length of an octet count before "<" (RFC 6587 3.4.1) that a receiver left in the text.
func countPrefix(b []byte) int {
	if len(b) == 0 || b[0]-'0' > 9 {
		return 0
	}
	_, n := digits(b, 7)
	if n+2 < len(b) && b[n] == ' ' && b[n+1] == '<' && b[n+2]-'0' <= 9 {
		return n + 1
	}
	return 0
}

// readPRI reads "<165>"; 191 is the largest (RFC 5424 6.2.1).
func (h *header) readPRI(b []byte) int {
	if len(b) < 3 || b[0] != '<' {
		return 0
	}
	v, n := digits(b[1:], 3)
	if n == 0 || n+1 >= len(b) || b[n+1] != '>' || v > 191 {
		return 0
	}
	h.pri = int16(v)
	return n + 2
}

// finish sets the body that begins at i, and reads what stands for other messages in it.
func (h *header) finish(b []byte, i int) {
	if !h.anchor && i < len(b) && b[i] == '%' {
		h.anchor = isAnchor(b[i:])
	}
	h.body = at(i, len(b))
	if i >= len(b) {
		return
	}
	switch b[i] {
	case 'l', '-', 'a', 'm', '(':
		h.readRepeat(b, i)
	}
}

// readRepeat reads "last message repeated 5 times" (syslogd), with or without dashes, and "message repeated 76 times:
// [TEXT]" (rsyslog), whose text is the message.
func (h *header) readRepeat(b []byte, i int) {
	t := bytes.TrimLeft(b[i:], "-( ")
	var inner int
	last := true
	rest, ok := cutPrefix(t, "last message repeated ")
	if !ok {
		if rest, ok = cutPrefix(t, "message repeated "); !ok {
			return
		}
		last = false
	}
	n, w := field.LeadingUint(rest)
	if w == 0 || n > 1<<31 {
		return
	}
	rest, ok = cutPrefix(rest[w:], " time")
	if !ok {
		return
	}
	if last {
		h.repeat, h.wasRepeated = uint32(n), true
		return
	}
	rest, ok = cutPrefix(rest, "s: [")
	if !ok || len(rest) == 0 || rest[len(rest)-1] != ']' {
		return
	}
	inner = len(b) - len(rest)
	h.repeat = uint32(n)
	for inner < len(b)-1 && b[inner] == ' ' {
		inner++
	}
	h.body = at(inner, len(b)-1)
	h.anchor = isAnchor(b[inner:])
}

func cutPrefix(b []byte, s string) ([]byte, bool) {
	if !field.Has(b, s) {
		return b, false
	}
	return b[len(s):], true
}

// isAnchor reports whether b begins with %FACILITY[-SUB]-severity-MNEMONIC (Cisco System Message Guide).
func isAnchor(b []byte) bool {
	if len(b) < 7 || b[0] != '%' || b[1]-'A' > 'Z'-'A' {
		return false
	}
	for j := 2; j < min(len(b), maxAnchor)-3; j++ {
		switch c := b[j]; {
		case c == '-':
			if b[j+1]-'0' <= 9 && b[j+2] == '-' && (b[j+3]-'A' <= 'Z'-'A' || b[j+3]-'0' <= 9) {
				return true
			}
		case c == '_', c|0x20-'a' <= 'z'-'a', c-'0' <= 9:
		default:
			return false
		}
	}
	return false
}

// findAnchor is where the Cisco message begins; -1 when there is none within a header's reach.
func findAnchor(b []byte, from int) int {
	end := min(len(b), from+maxHeader)
	for i := from; i < end; {
		n := bytes.IndexByte(b[i:end], '%')
		if n < 0 {
			return -1
		}
		i += n
		if isAnchor(b[i:]) {
			return i
		}
		i++
	}
	return -1
}
