package syslog

// A stamp is a time as the text states it, not yet resolved.
type stamp struct {
	kind   stampKind
	marked bool // "*": the clock was never set; ".": it lost its source (Cisco: service timestamps)
	zone   zone
	month  uint8
	day    uint8
	year   int16 // 0 when not stated
	secs   int32 // of the day
	nanos  int32
	offset int32 // seconds east of UTC, when zone is not noZone
	epoch  int64 // unix seconds, or seconds since boot for uptime
}

type stampKind uint8

const (
	noStamp  stampKind = iota
	calendar           // month, day, time of day
	instant            // seconds since 1970
	uptime             // seconds since boot
)

type zone uint8

const (
	noZone     zone = iota
	namedZone       // an abbreviation; offset is its usual meaning, or 0
	statedZone      // UTC, GMT, Z or a numeric offset
)

// readTime reads the time that b begins with and returns its length; 0 when there is none.
func (s *stamp) readTime(b []byte) int {
	if len(b) < 8 {
		return 0
	}
	i := 0
	if c := b[0]; c == '*' || c == '.' {
		i = 1
	}
	n := 0
	switch c := b[i]; {
	case c-'A' <= 'Z'-'A':
		if m := month(b[i:]); m > 0 {
			*s = stamp{month: m}
			n = s.readMonthFirst(b[i:])
		}
	case c-'0' > 9:
	case b[i+4] == ' ':
		*s = stamp{}
		n = s.readYearFirst(b[i:])
	case b[i+4] == '-':
		*s = stamp{}
		n = s.readISO(b[i:])
	case b[i+2] == ':' || b[i+1] > '9' || b[i+2] > '9' || b[i+3] > '9': // units are letters
		*s = stamp{}
		n = s.readUptime(b[i:])
	}
	if n == 0 {
		return 0
	}
	s.marked = i > 0
	return i + n
}

// month reads "Jan" to "Dec"; 0 when b begins with none.
func month(b []byte) uint8 {
	if len(b) < 3 {
		return 0
	}
	switch string(b[:3]) {
	case "Jan":
		return 1
	case "Feb":
		return 2
	case "Mar":
		return 3
	case "Apr":
		return 4
	case "May":
		return 5
	case "Jun":
		return 6
	case "Jul":
		return 7
	case "Aug":
		return 8
	case "Sep":
		return 9
	case "Oct":
		return 10
	case "Nov":
		return 11
	case "Dec":
		return 12
	}
	return 0
}

// readMonthFirst reads the rest of "Jan  6 22:11:43.398", the month being known, with the year between day and time or after the time (RFC 3164 4.1.2 and the
// devices that add to it).
func (s *stamp) readMonthFirst(b []byte) int {
	if len(b) < 14 || b[3] != ' ' {
		return 0
	}
	i := 4
	if b[i] == ' ' {
		i++
	}
	if s.day = b[i] - '0'; s.day > 9 {
		return 0
	}
	if i++; b[i]-'0' <= 9 {
		s.day = s.day*10 + b[i] - '0'
		i++
	}
	if b[i] != ' ' {
		return 0
	}
	i++
	n := 0
	if b[i+1] != ':' && b[i+2] != ':' { // not the time of day
		if y := four(b[i:]); y > 0 && i+4 < len(b) && b[i+4] == ' ' && plausible(y) {
			s.year = int16(y)
			i += 5
		} else if b[i] == ' ' {
			i++
		}
	}
	n = s.readClock(b[i:])
	if n == 0 {
		return 0
	}
	i += n
	if s.year == 0 && i+4 < len(b) && b[i] == ' ' {
		if y, n := digits(b[i+1:], 4); n == 4 && plausible(y) && ends(b, i+5) {
			s.year = int16(y)
			i += 5
		}
	}
	return s.valid(i)
}

// ends reports whether a word ends at i: "2001:db8::1" is no year.
func ends(b []byte, i int) bool {
	if i < len(b) && b[i] == ':' {
		i++
	}
	return i >= len(b) || b[i] == ' ' || b[i] == '%'
}

// readYearFirst reads "2023 May  2 12:55:19.206" (NX-OS).
func (s *stamp) readYearFirst(b []byte) int {
	y, n := digits(b, 4)
	if n != 4 || !plausible(y) {
		return 0
	}
	if s.month = month(b[5:]); s.month == 0 {
		return 0
	}
	n = s.readMonthFirst(b[5:])
	if n == 0 || s.year != 0 {
		return 0
	}
	s.year = int16(y)
	return s.valid(n + 5)
}

// readISO reads RFC 3339 and its relatives: a blank for "T", a comma before the fraction, no zone, unpadded numbers, and
// Huawei's second fraction.
func (s *stamp) readISO(b []byte) int {
	y := four(b)
	if !plausible(y) {
		return 0
	}
	i := 5
	mo, n := digits(b[i:], 2)
	if i += n; n == 0 || i >= len(b) || b[i] != '-' {
		return 0
	}
	i++
	d, n := digits(b[i:], 2)
	if i += n; n == 0 || i >= len(b) || b[i] != 'T' && b[i] != ' ' && b[i] != 't' {
		return 0
	}
	i++
	s.year, s.month, s.day = int16(y), uint8(mo), uint8(d)
	n = s.readClock(b[i:])
	if n == 0 {
		return 0
	}
	i += n
	if i+1 < len(b) && b[i] == '.' && b[i+1]-'0' <= 9 {
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
		}
	}
	return s.valid(i + s.readOffset(b[i:]))
}

// readOffset reads "Z", "+02:00" or "-0500".
func (s *stamp) readOffset(b []byte) int {
	if len(b) > 0 && (b[0] == 'Z' || b[0] == 'z') {
		s.zone = statedZone
		return 1
	}
	if len(b) < 5 || b[0] != '+' && b[0] != '-' {
		return 0
	}
	h, n := digits(b[1:], 2)
	if n != 2 || h > 14 {
		return 0
	}
	i := 3
	if b[i] == ':' {
		i++
	}
	m, n := digits(b[i:], 2)
	if n != 2 || m > 59 {
		return 0
	}
	s.zone, s.offset = statedZone, int32(h*3600+m*60)
	if b[0] == '-' {
		s.offset = -s.offset
	}
	return i + 2
}

// readClock reads "22:11:43" with an optional fraction.
func (s *stamp) readClock(b []byte) int {
	if len(b) < 8 || b[2] != ':' || b[5] != ':' {
		return 0
	}
	h, m, sec := two(b), two(b[3:]), two(b[6:])
	if h > 23 || m > 59 || sec > 60 {
		return 0
	}
	s.secs = int32(h*3600 + m*60 + sec)
	i := 8
	if i+1 < len(b) && (b[i] == '.' || b[i] == ',') && b[i+1]-'0' <= 9 {
		scale := int32(100_000_000)
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			s.nanos += int32(b[i]-'0') * scale
			scale /= 10
		}
	}
	return i
}

// two is a number of two digits; 255 when it is none.
func two(b []byte) int {
	hi, lo := b[0]-'0', b[1]-'0'
	if hi > 9 || lo > 9 {
		return 255
	}
	return int(hi)*10 + int(lo)
}

// readUptime reads "00:18:04:" and "2y10w:" (Cisco: service timestamps log uptime). The colon is asked for and not taken.
func (s *stamp) readUptime(b []byte) int {
	if n := s.readClock(b); n == 8 && s.nanos == 0 {
		if len(b) > 8 && b[8] == ':' {
			s.kind, s.epoch = uptime, int64(s.secs)
			return 8
		}
		return 0
	}
	i, parts := 0, 0
	for i < len(b) && parts < 4 {
		v, n := digits(b[i:], 3)
		if n == 0 || i+n >= len(b) {
			return 0
		}
		unit := int64(0)
		switch b[i+n] {
		case 'y':
			unit = 365 * 86400
		case 'w':
			unit = 7 * 86400
		case 'd':
			unit = 86400
		case 'h':
			unit = 3600
		default:
			return 0
		}
		s.epoch += int64(v) * unit
		i += n + 1
		parts++
		if i < len(b) && b[i] == ':' {
			s.kind = uptime
			return i
		}
	}
	return 0
}

// readEpoch reads "1647479278.997155282" (Meraki, where RFC 5424 wants a time).
func (s *stamp) readEpoch(b []byte) int {
	*s = stamp{}
	i := 0
	for ; i < len(b) && i < 11 && b[i]-'0' <= 9; i++ {
		s.epoch = s.epoch*10 + int64(b[i]-'0')
	}
	if i < 9 || i > 10 || i >= len(b) {
		return 0
	}
	if b[i] == '.' {
		scale := int32(100_000_000)
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			s.nanos += int32(b[i]-'0') * scale
			scale /= 10
		}
	}
	s.kind, s.zone = instant, statedZone
	return i
}

// valid accepts a calendar time of width n when its day exists; Feb 29 without a year may be right.
func (s *stamp) valid(n int) int {
	year := int(s.year)
	if year == 0 {
		year = 2000
	}
	if s.month < 1 || s.month > 12 || s.day < 1 || int(s.day) > daysIn(year, s.month) {
		return 0
	}
	s.kind = calendar
	return n
}

// digits reads up to most digits.
func digits(b []byte, most int) (v, n int) {
	for n < len(b) && n < most && b[n]-'0' <= 9 {
		v = v*10 + int(b[n]-'0')
		n++
	}
	return v, n
}

// four is a number of four digits; -1 when it is none.
func four(b []byte) int {
	if len(b) < 4 {
		return -1
	}
	hi, lo := two(b), two(b[2:])
	if hi > 99 || lo > 99 {
		return -1
	}
	return hi*100 + lo
}

// plausible is a year that a log can be of; four digits of something else are not taken for one.
func plausible(year int) bool { return year >= 1970 && year <= 2099 }
