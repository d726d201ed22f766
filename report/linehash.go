package report

import (
	"errors"
	"io"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// hashWindow is how many characters a line's hash covers.
const hashWindow = 100

// hashLines gives the rolling hash that github/codeql-action computes for primaryLocationLineHash (src/fingerprints.ts):
// over the first hundred UTF-16 units that are neither blank nor tab from the start of each line, base 37 modulo 2^64,
// then how often the hash occurred so far. CR LF counts as LF and a unit of 65535 marks the end of the file. Of the lines
// that are wanted, each is told the hash.
func hashLines(r io.Reader, wanted func(line int) bool, each func(line int, hash string)) error {
	h := &lineHasher{seen: map[uint64]int32{}, wanted: wanted, each: each, atStart: true, line: 1}
	buf := make([]byte, 64<<10)
	n, cr := 0, false
	for {
		m, err := r.Read(buf[n:])
		n += m
		end := errors.Is(err, io.EOF)
		if err != nil && !end {
			return err
		}
		i := 0
		for i < n {
			c := rune(buf[i])
			size := 1
			if c >= utf8.RuneSelf {
				if !end && !utf8.FullRune(buf[i:n]) {
					break
				}
				c, size = utf8.DecodeRune(buf[i:n])
			}
			i += size
			if c == ' ' || c == '\t' || cr && c == '\n' {
				cr = false
				continue
			}
			if cr = c == '\r'; cr {
				c = '\n'
			}
			if c > 0xffff {
				high, low := utf16.EncodeRune(c)
				h.put(uint16(high))
				h.put(uint16(low))
				continue
			}
			h.put(uint16(c))
		}
		n = copy(buf, buf[i:n])
		if end {
			break
		}
	}
	h.put(65535)
	h.flush()
	return nil
}

// hashPower is 37 to the power of hashWindow, modulo 2^64.
var hashPower = func() uint64 {
	p := uint64(1)
	for range hashWindow {
		p *= 37
	}
	return p
}()

// A lineHasher keeps the lines whose windows are still open: at most hashWindow of them, one for each unit. It hashes the
// text once: what a window holds is the hash up to its end without the part up to its start.
type lineHasher struct {
	hash    uint64 // of all units so far
	units   int
	open    []openLine
	seen    map[uint64]int32
	wanted  func(int) bool
	each    func(int, string)
	atStart bool
	line    int
}

// An openLine is where a line began: the units before it and their hash.
type openLine struct {
	line, units int
	hash        uint64
}

func (h *lineHasher) put(c uint16) {
	if h.atStart {
		h.open = append(h.open, openLine{line: h.line, units: h.units, hash: h.hash})
		h.atStart = false
	}
	h.add(c)
	if c == '\n' {
		h.atStart = true
		h.line++
	}
}

// add takes one unit in and says the line whose window it fills.
func (h *lineHasher) add(c uint16) {
	h.hash = h.hash*37 + uint64(c)
	h.units++
	if len(h.open) > 0 && h.units-h.open[0].units == hashWindow {
		h.say(h.open[0].line, h.hash-h.open[0].hash*hashPower)
		h.open = h.open[1:]
	}
}

func (h *lineHasher) say(line int, hash uint64) {
	n := h.seen[hash] + 1
	h.seen[hash] = n
	if h.wanted(line) {
		h.each(line, strconv.FormatUint(hash, 16)+":"+strconv.Itoa(int(n)))
	}
}

// flush ends the lines at the end of the file: their windows are filled with zeros.
func (h *lineHasher) flush() {
	for len(h.open) > 0 {
		h.add(0)
	}
}
