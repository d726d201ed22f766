package syslog

import (
	"bytes"
	"errors"
	"io"
)

// MaxRecord is the longest record kept, in bytes; the rest of a longer one is dropped and noted.
const MaxRecord = 1 << 20

// bufferSize is what is read at once of a large piece; a small one gets no larger buffer than it needs.
const (
	bufferSize = 256 << 10
	bufferMin  = 4 << 10
)

// A record is one message with its continuation lines, without the last line end, in the reader's buffer.
type record struct {
	start int // index in the buffer
	n     int
	off   int64 // in the decoded file
	cut   bool
}

// A reader cuts a stream into records. It keeps two: the one that next read, and one held by the caller until what follows
// it is known. Memory is bounded by four times MaxRecord.
type reader struct {
	src    io.Reader
	buf    []byte
	r, w   int   // buf[r:w] is unread
	base   int64 // file offset of buf[0]
	eof    bool
	err    error
	octets bool  // frames of counted octets (RFC 6587 3.4.1)
	bom    int64 // length of the byte order mark before the first record, which owns it
	cur    record
	held   record
	hold   bool // held is in use
	open   bool // cur is being read
}

// newReader reads from src, which begins at off of the file and of which about length bytes are wanted.
func newReader(src io.Reader, off, length int64, octets bool) *reader {
	size := max(min(length, bufferSize-1)+1, bufferMin)
	return &reader{src: src, buf: make([]byte, size), base: off, octets: octets}
}

func (r *reader) bytes(rec record) []byte { return r.buf[rec.start : rec.start+rec.n] }

// next reads the next record into cur. False is the end, or an error in err.
func (r *reader) next() bool {
	if !r.have(1) {
		return false
	}
	if r.octets && r.frame() {
		return true
	}
	r.cur = record{start: r.r, off: r.base + int64(r.r)}
	r.open = true
	r.line()
	for r.continues() {
		r.line()
	}
	r.open = false
	return r.err == nil
}

// skipLine drops the rest of a line.
func (r *reader) skipLine() {
	for r.have(1) {
		if i := bytes.IndexByte(r.buf[r.r:r.w], '\n'); i >= 0 {
			r.r += i + 1
			return
		}
		r.r = r.w
	}
}

// have reports whether n unread bytes are there, reading as needed.
func (r *reader) have(n int) bool {
	for r.w-r.r < n && !r.eof {
		r.fill()
	}
	return r.w-r.r >= n
}

// line adds the next line to cur.
func (r *reader) line() {
	scanned := 0 // bytes after r.r without a line end
	for {
		if i := bytes.IndexByte(r.buf[r.r+scanned:r.w], '\n'); i >= 0 {
			r.take(r.r+scanned+i, 1)
			return
		}
		scanned = r.w - r.r
		if r.eof {
			r.take(r.w, 0)
			return
		}
		if most := r.cur.start + MaxRecord; r.w > most {
			// What is beyond the limit goes: later bytes follow cur's first MaxRecord, their offsets kept right by base.
			keep := max(most, r.r)
			r.base += int64(r.w - keep)
			r.r, r.w, scanned = keep, keep, 0
			r.cur.cut = true
		}
		r.fill()
	}
}

// take ends cur at index end and goes on after the line end.
func (r *reader) take(end, lineEnd int) {
	r.cur.n = end - r.cur.start
	if r.cur.n > MaxRecord {
		r.cur.n, r.cur.cut = MaxRecord, true
	}
	r.r = end + lineEnd
}

// continues reports whether the next line belongs to cur: it begins with a blank and holds no header of its own.
func (r *reader) continues() bool {
	if !r.have(1) {
		return false
	}
	if c := r.buf[r.r]; c != ' ' && c != '\t' {
		return false
	}
	r.have(64)
	return !leadsHeader(r.buf[r.r:min(r.w, r.r+64)])
}

// leadsHeader reports whether a line that begins with blanks holds a header after them.
func leadsHeader(b []byte) bool {
	b = bytes.TrimLeft(b, " \t")
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		b = b[:i]
	}
	var h header
	if h.pri = -1; h.readPRI(b) > 0 {
		return true
	}
	var s stamp
	return s.readTime(b) > 0
}

// frame reads "LENGTH SP message" into cur; false when the stream does not go on with one.
func (r *reader) frame() bool {
	for r.have(1) && r.buf[r.r] == '\n' {
		r.r++
	}
	r.have(12)
	n, digitsN, ok := frameLength(r.buf[r.r:r.w])
	if !ok || !r.have(digitsN+1+n) {
		return false
	}
	start := r.r + digitsN + 1
	r.cur = record{start: start, n: n, off: r.base + int64(start)}
	r.r = start + n
	return true
}

// frameLength reads an octet count and how many digits it has. The frame must begin with a PRI.
func frameLength(b []byte) (n, width int, ok bool) {
	if len(b) == 0 || b[0] == '0' {
		return 0, 0, false
	}
	n, width = digits(b, 7)
	ok = width > 0 && n > 0 && n <= MaxRecord && width+2 < len(b) && b[width] == ' ' && b[width+1] == '<' && b[width+2]-'0' <= 9
	return n, width, ok
}

// fill reads more, moving what is kept to the front of the buffer or growing it first when it is full.
func (r *reader) fill() {
	if r.w == len(r.buf) {
		from := r.r
		if r.open {
			from = min(from, r.cur.start)
		}
		if r.hold {
			from = min(from, r.held.start)
		}
		if from < len(r.buf)/2 {
			grown := make([]byte, 2*len(r.buf))
			r.w = copy(grown, r.buf[from:r.w])
			r.buf = grown
		} else {
			r.w = copy(r.buf, r.buf[from:r.w])
		}
		r.base += int64(from)
		r.r -= from
		r.cur.start -= from
		r.held.start -= from
	}
	for range 100 {
		n, err := r.src.Read(r.buf[r.w:])
		r.w += n
		if err != nil {
			r.eof = true
			if !errors.Is(err, io.EOF) {
				r.err = err
			}
			return
		}
		if n > 0 {
			return
		}
	}
	r.eof, r.err = true, io.ErrNoProgress
}
