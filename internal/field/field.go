// Package field reads values out of the bytes of a log line: numbers, addresses, words.
//
// Nothing here allocates, panics or keeps its argument; every function is total over any bytes. [View] is the one place
// where text is handed on without copying it: facts are valid only until the sink's call returns, and so is a view.
package field

import (
	"bytes"
	"math"
	"net/netip"
	"unsafe"
)

// View is b as a string without copying. It lives as long as b is not written to: a reader that reuses its buffer may put
// views only into facts that it hands out before it reads on.
func View(b []byte) string {
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Uint reads a decimal number that is all of b. Overflow and empty text are not numbers.
func Uint(b []byte) (uint64, bool) {
	n, w := LeadingUint(b)
	return n, w > 0 && w == len(b)
}

// LeadingUint reads the decimal number b begins with and how many bytes it took; 0 bytes when there is none or it does
// not fit 64 bits.
func LeadingUint(b []byte) (n uint64, width int) {
	i := 0
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		d := uint64(b[i] - '0')
		if n > (math.MaxUint64-d)/10 {
			return 0, 0
		}
		n = n*10 + d
	}
	return n, i
}

// Port reads a port number that is all of b.
func Port(b []byte) (uint16, bool) {
	if len(b) == 0 || len(b) > 5 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), n <= math.MaxUint16
}

// Count is n as a signed count; Absent-like negative values never come out of text. A number beyond int64 is cut to the
// largest one: a forged volume must not wrap.
func Count(n uint64) int64 { return int64(min(n, math.MaxInt64)) }

// Addr reads an IPv4 or IPv6 address that is all of b; an IPv6 zone ("%eth0") is read over. Leading zeros in IPv4 are
// refused, as netip does: 010 is 8 to some programs.
func Addr(b []byte) (netip.Addr, bool) {
	if len(b) < 2 || len(b) > 64 {
		return netip.Addr{}, false
	}
	if a, ok := addr4(b); ok {
		return a, true
	}
	if bytes.IndexByte(b, ':') < 0 {
		return netip.Addr{}, false
	}
	if z := bytes.IndexByte(b, '%'); z >= 0 {
		b = b[:z]
	}
	return addr6(b)
}

func addr4(b []byte) (netip.Addr, bool) {
	var out [4]byte
	i := 0
	for part := range out {
		if i >= len(b) || b[i]-'0' > 9 {
			return netip.Addr{}, false
		}
		n := uint(b[i] - '0')
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			if n == 0 || n > 25 {
				return netip.Addr{}, false // a leading zero, or more than 255
			}
			n = n*10 + uint(b[i]-'0')
		}
		if n > 255 {
			return netip.Addr{}, false
		}
		out[part] = byte(n)
		if part < 3 {
			if i >= len(b) || b[i] != '.' {
				return netip.Addr{}, false
			}
			i++
		}
	}
	return netip.AddrFrom4(out), i == len(b)
}

// addr6 reads the forms of RFC 4291 2.2: eight groups, one run of zero groups as "::", an IPv4 tail.
func addr6(b []byte) (netip.Addr, bool) {
	var out [16]byte
	n, gap := 0, -1 // bytes filled, where "::" was
	if len(b) >= 2 && b[0] == ':' && b[1] == ':' {
		gap, b = 0, b[2:]
	}
	for len(b) > 0 && n < 16 {
		v, w := hex16(b)
		if w == 0 {
			return netip.Addr{}, false
		}
		if w < len(b) && b[w] == '.' {
			tail, ok := addr4(b)
			if !ok || n > 12 {
				return netip.Addr{}, false
			}
			four := tail.As4()
			n += copy(out[n:], four[:])
			b = nil
			break
		}
		out[n], out[n+1] = byte(v>>8), byte(v)
		n += 2
		b = b[w:]
		if len(b) == 0 {
			break
		}
		if b[0] != ':' || len(b) == 1 {
			return netip.Addr{}, false
		}
		b = b[1:]
		if b[0] == ':' {
			if gap >= 0 {
				return netip.Addr{}, false
			}
			gap, b = n, b[1:]
		}
	}
	switch {
	case len(b) > 0, n < 16 && gap < 0, n == 16 && gap >= 0:
		return netip.Addr{}, false
	case n < 16:
		moved := n - gap
		copy(out[16-moved:], out[gap:n])
		clear(out[gap : 16-moved])
	}
	return netip.AddrFrom16(out).Unmap(), true
}

func hex16(b []byte) (v uint16, width int) {
	for width < len(b) && width < 5 {
		c := b[width]
		switch {
		case c-'0' <= 9:
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return v, width
		}
		if width == 4 {
			return 0, 0
		}
		v = v<<4 | uint16(c)
		width++
	}
	return v, width
}

// Word splits b at the first blank (space or tab), after leading blanks.
func Word(b []byte) (word, rest []byte) {
	b = TrimLeft(b)
	for i, c := range b {
		if c == ' ' || c == '\t' {
			return b[:i], b[i:]
		}
	}
	return b, nil
}

// TrimLeft is b without leading spaces and tabs.
func TrimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

// TrimRight is b without trailing spaces, tabs, line ends and NULs.
func TrimRight(b []byte) []byte {
	for len(b) > 0 {
		switch b[len(b)-1] {
		case ' ', '\t', '\r', '\n', 0:
			b = b[:len(b)-1]
		default:
			return b
		}
	}
	return b
}

// Trim is b without blanks at either end.
func Trim(b []byte) []byte { return TrimRight(TrimLeft(b)) }

// Cut is [bytes.Cut] for a literal separator.
func Cut(b []byte, sep string) (before, after []byte, found bool) {
	if i := Index(b, sep); i >= 0 {
		return b[:i], b[i+len(sep):], true
	}
	return b, nil, false
}

// CutLast splits b at the last occurrence of sep.
func CutLast(b []byte, sep string) (before, after []byte, found bool) {
	if i := bytes.LastIndex(b, bytesOf(sep)); i >= 0 {
		return b[:i], b[i+len(sep):], true
	}
	return b, nil, false
}

// Index is where s first occurs in b; -1 when it does not.
func Index(b []byte, s string) int { return bytes.Index(b, bytesOf(s)) }

// Has reports whether b begins with s.
func Has(b []byte, s string) bool { return len(b) >= len(s) && string(b[:len(s)]) == s }

// HasFold reports whether b begins with s, which is in lower case, in any case.
func HasFold(b []byte, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := range len(s) {
		c := b[i]
		if c-'A' <= 'Z'-'A' {
			c |= 0x20
		}
		if c != s[i] {
			return false
		}
	}
	return true
}

// EqualFold reports whether b is s, which is in lower case, in any case.
func EqualFold(b []byte, s string) bool { return len(b) == len(s) && HasFold(b, s) }

// bytesOf is s as bytes without copying; they are only read.
func bytesOf(s string) []byte { return unsafe.Slice(unsafe.StringData(s), len(s)) }
