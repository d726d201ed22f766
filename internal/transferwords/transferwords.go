// Package transferwords tells whether a line of text names a file transfer protocol of T1071.002, so that a line nobody
// understood can be weighed.
//
// A word counts as a token, never as part of one: "ftp" in "tftp" is tftp, and "sftp" is neither. Letters, digits and
// underscores make a token; "ftp-data" and "ftp.example.net" hold the token ftp. A number counts where a port may stand:
// behind a word that introduces ports, behind a transport protocol, behind an address in a line that named one, or joined
// to a protocol or host ("tcp/445", "192.0.2.1:21"). Free text is not told apart: who asks knows which statements hold it.
package transferwords

import "github.com/quaymaster/quaymaster/facts"

// Find is the first transfer word in line: a word in lower case ("tftp"), a scheme with its slashes ("ftp://"), or a port
// number ("445"); empty when there is none. It allocates nothing.
func Find(line []byte) string {
	s := scanner{line: line}
	for s.next() {
		if w := s.judge(); w != "" {
			return w
		}
	}
	return ""
}

// A scanner walks over tokens.
type scanner struct {
	line       []byte
	start, end int // the token

	transport bool // a transport protocol was named
	expect    bool // a port may be the next token
	covers    kind // the operator the port belongs to
	low       int  // the first number of a range; -1 none
}

// kind says which ports an operator and its number cover.
type kind uint8

const (
	exact  kind = iota
	spread      // "range 20 25"
	below
	above
	other // "neq": all but it
)

// next finds the next token.
func (s *scanner) next() bool {
	i := s.end
	for i < len(s.line) && class[s.line[i]] == 0 {
		i++
	}
	s.start = i
	for i < len(s.line) && class[s.line[i]] != 0 {
		i++
	}
	s.end = i
	return s.start < i
}

func (s *scanner) judge() string {
	tok := s.line[s.start:s.end]
	if class[tok[0]] == digit {
		return s.number(tok)
	}
	s.expect = false
	if len(tok) > longest || lengths[tok[0]|0x20]>>len(tok)&1 == 0 {
		return ""
	}
	var low [longest]byte
	for i, c := range tok {
		if c-'A' <= 'Z'-'A' {
			c |= 0x20
		}
		low[i] = c
	}
	switch string(low[:len(tok)]) {
	case "ftp":
		return s.word("ftp", "ftp://")
	case "tftp":
		return s.word("tftp", "tftp://")
	case "ftps":
		return s.word("ftps", "ftps://")
	case "smb":
		return s.word("smb", "smb://")
	case "cifs":
		return s.word("cifs", "cifs://")
	case "samba":
		return "samba"
	case "netbios":
		return "netbios"
	case "vstack":
		return "vstack"
	case "microsoft":
		if string(s.line[s.end:min(s.end+3, len(s.line))]) == "-ds" {
			return "microsoft-ds"
		}
	case "tcp", "udp":
		s.transport = true
		s.introduce(exact)
	case "eq", "port", "ports", "dport", "dports", "sport", "sports", "dstport", "srcport":
		s.introduce(exact)
	case "neq":
		s.introduce(other)
	case "range":
		s.introduce(spread)
	case "lt":
		s.introduce(below)
	case "gt":
		s.introduce(above)
	}
	return ""
}

// introduce says that what follows may be a port.
func (s *scanner) introduce(k kind) { s.expect, s.covers, s.low = true, k, -1 }

// word tells a word from the scheme of a URL.
func (s *scanner) word(w, scheme string) string {
	if string(s.line[s.end:min(s.end+3, len(s.line))]) == "://" {
		return scheme
	}
	return w
}

// number judges a token that begins with a digit.
func (s *scanner) number(tok []byte) string {
	if s.address() {
		return ""
	}
	n, ok := small(tok)
	before := byte(' ')
	if s.start > 0 {
		before = s.line[s.start-1]
	}
	joined := before == ':' && s.host(s.start-1)
	if !ok || !s.expect && !joined {
		s.expect = false
		return ""
	}
	if joined && !s.expect {
		s.covers = exact
	}
	if before == '-' && s.low >= 0 { // 20-21
		return first(s.low, n)
	}
	switch s.covers {
	case spread:
		if s.low < 0 {
			s.low = n
			return ""
		}
		return first(s.low, n)
	case below:
		return first(0, n-1)
	case above:
		return first(n+1, 65535)
	case other:
		return first(0, 65535)
	case exact:
	}
	s.low = n
	return first(n, n)
}

// host reports whether what ends at i is a host before its port, not part of a time or of an address with colons.
func (s *scanner) host(i int) bool {
	end, name := i, false
	for i > 0 && class[s.line[i-1]] != 0 {
		i--
		name = name || class[s.line[i]] == letter
	}
	if i == end || i > 0 && s.line[i-1] == ':' {
		return false
	}
	return name || i > 0 && s.line[i-1] == '.'
}

// address steps over a dotted quad with what belongs to it; a port may follow it where a transport was named.
func (s *scanner) address() bool {
	dot := func(i int) bool { return i >= 0 && i < len(s.line) && s.line[i] == '.' }
	if !dot(s.end) && !dot(s.start-1) && (s.start == 0 || s.line[s.start-1] != '/' || s.start < 2 || class[s.line[s.start-2]] != digit) {
		return false
	}
	if dot(s.end) {
		return true // more of it follows
	}
	s.expect, s.covers, s.low = s.transport, exact, -1
	return true
}

// first is the lowest transfer port from low to high.
func first(low, high int) string {
	for _, p := range ports {
		if p.n >= low && p.n <= high {
			return p.text
		}
	}
	return ""
}

// ports are those of facts.TransferPorts, in order; a test holds the two together.
var ports = [...]struct {
	n    int
	text string
}{
	{20, "20"}, {21, "21"}, {69, "69"}, {137, "137"}, {138, "138"}, {139, "139"}, {445, "445"}, {989, "989"}, {990, "990"},
	{4786, "4786"},
}

// Port reports whether n is a port of a transfer protocol, whatever the transport.
func Port(n uint16) bool {
	return facts.ByPort(facts.TCP, n) != facts.ProtocolUnknown || facts.ByPort(facts.UDP, n) != facts.ProtocolUnknown
}

// small reads a number of up to five digits that is all of b.
func small(b []byte) (int, bool) {
	n := 0
	for _, c := range b {
		if c-'0' > 9 || len(b) > 5 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n <= 65535
}

// lengths are, by first letter, the lengths of the words known, as bits.
var lengths = func() (l [256]uint16) {
	for _, w := range [...]string{
		"ftp", "tftp", "ftps", "smb", "cifs", "samba", "netbios", "vstack", "microsoft", "tcp", "udp", "eq", "port", "ports", "dport",
		"dports", "sport", "sports", "dstport", "srcport", "neq", "range", "lt", "gt",
	} {
		l[w[0]] |= 1 << len(w)
	}
	return l
}()

// longest is the length of the longest word known.
const longest = len("microsoft")

const (
	letter = 1
	digit  = 2
)

// class is which bytes make tokens.
var class = func() (c [256]uint8) {
	for i := range 256 {
		switch b := byte(i); {
		case b|0x20 >= 'a' && b|0x20 <= 'z', b == '_':
			c[i] = letter
		case b-'0' <= 9:
			c[i] = digit
		}
	}
	return c
}()
