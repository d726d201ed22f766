package syslog

import (
	"bytes"

	"github.com/quaymaster/quaymaster/internal/field"
)

// read5424 reads an RFC 5424 header from the time on. It returns where the body begins; 0 when it is no such header.
// Header fields that are missing, or structured data that is none (Check Point), begin the body.
func (h *header) read5424(b []byte, i int) int {
	s := &h.stamps[0]
	switch {
	case field.Has(b[i:], "- "):
		i++
	default:
		n := s.readTime(b[i:])
		if n == 0 {
			if n = s.readEpoch(b[i:]); n == 0 {
				return 0
			}
			h.times = 1
			return h.epochRest(b, i+n)
		}
		i += n
		h.times = 1
	}
	var ok bool
	for _, p := range [...]*part{&h.host, &h.tag, &h.pid, &h.id} {
		if i, ok = field5424(p, b, i); !ok {
			return min(i, len(b))
		}
	}
	if i < len(b) && b[i] == ' ' {
		i++
	}
	i = h.structured(b, i)
	for i < len(b) && b[i] == ' ' {
		i++
	}
	if bytes.HasPrefix(b[i:], []byte("\xef\xbb\xbf")) {
		i += 3
	}
	if j := skipBlank(b, i); j > i && isAnchor(b[j:]) { // IOS: "- - - : %SYS-5-..."
		i = j
	}
	return i
}

// field5424 reads " FIELD"; "-" is none.
func field5424(p *part, b []byte, i int) (int, bool) {
	if i >= len(b) || b[i] != ' ' {
		return i, false
	}
	i++
	j := wordEnd(b, i)
	if j-i == 1 && b[i] == '-' {
		return j, true
	}
	for _, c := range b[i:j] {
		if c < ' ' || c == 0x7f {
			return j, true // no name holds a control character
		}
	}
	*p = at(i, j)
	return j, true
}

// structured reads "-" or the structured data, and the sequence number in it (RFC 5424 7.3.1).
func (h *header) structured(b []byte, i int) int {
	if i < len(b) && b[i] == '-' && (i+1 == len(b) || b[i+1] == ' ') {
		return i + 1
	}
	end := dataEnd(b, i)
	if end == i {
		return i
	}
	h.data = at(i, end)
	if _, after, found := field.Cut(b[i:end], ` sequenceId="`); found {
		h.seq, _ = field.LeadingUint(after)
	}
	return end
}

// dataEnd is the end of the structured data at i; i when there is none. Quoted values may hold escaped "]" and quotes; a
// quote that no "=" precedes makes it something else.
func dataEnd(b []byte, i int) int {
	start := i
	for i < len(b) && b[i] == '[' {
		closed := false
		for j := i + 1; j < len(b) && !closed; j++ {
			switch b[j] {
			case '"':
				if b[j-1] != '=' {
					return start
				}
				for j++; j < len(b) && b[j] != '"'; j++ {
					if b[j] == '\\' {
						j++
					}
				}
			case ']':
				i, closed = j+1, true
			}
		}
		if !closed {
			return start
		}
	}
	if i < len(b) && b[i] != ' ' {
		return start
	}
	return i
}

// epochRest reads what follows Meraki's time: host and event kind; the rest is the body.
func (h *header) epochRest(b []byte, i int) int {
	var ok bool
	if i, ok = field5424(&h.host, b, i); !ok {
		return min(i, len(b))
	}
	if i, ok = field5424(&h.tag, b, i); !ok {
		return min(i, len(b))
	}
	return skipBlank(b, i)
}
