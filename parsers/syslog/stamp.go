package syslog

import (
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

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

func leap(year int) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

func daysIn(year int, month uint8) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if leap(year) {
			return 29
		}
		return 28
	}
	return 31
}

// unixDay is the number of days from 1970-01-01 to a date of the proleptic Gregorian calendar.
func unixDay(year int, month, day uint8) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 { // count years from March: the leap day is the last
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(day) - 719469
}

// seconds is the stamp as local seconds since 1970 in the given year.
func (s *stamp) seconds(year int) int64 {
	return unixDay(year, s.month, s.day)*86400 + int64(s.secs)
}

// A calendarLimit decides years: the latest in which a time is not past it.
type calendarLimit struct {
	known bool
	year  int
	key   int32 // position in the year, comparable
}

func limitAt(unix int64) calendarLimit {
	t := time.Unix(unix, 0).UTC()
	secs := int32(t.Hour()*3600 + t.Minute()*60 + t.Second())
	return calendarLimit{true, t.Year(), yearKey(uint8(t.Month()), uint8(t.Day()), secs)}
}

func yearKey(month, day uint8, secs int32) int32 { return (int32(month)*32+int32(day))*86401 + secs }

// yearOf is the latest year in which s is not past the limit; 29 February only in leap years.
func (l calendarLimit) yearOf(s *stamp) int {
	year := l.year
	if yearKey(s.month, s.day, s.secs) > l.key {
		year--
	}
	for s.month == 2 && s.day == 29 && !leap(year) {
		year--
	}
	return year
}

// resolve is s in UTC. Without a year and a limit to find it by, the time is only good for differences: it is then set
// in 2000, a leap year.
func (s *stamp) resolve(l calendarLimit) facts.Stamp {
	switch s.kind {
	case noStamp:
		return facts.Stamp{}
	case uptime:
		return facts.Stamp{Unix: s.epoch, Quality: facts.UptimeOnly}
	case instant:
		return facts.Stamp{Unix: s.epoch, Nanos: s.nanos, Quality: facts.Exact}
	case calendar:
	}
	out := facts.Stamp{Nanos: s.nanos, Quality: facts.Exact}
	year := int(s.year)
	switch {
	case year != 0:
	case l.known:
		year, out.Quality = l.yearOf(s), facts.YearInferred
	default:
		year, out.Quality = 2000, facts.UptimeOnly
	}
	if s.zone != statedZone {
		out.Quality = min(out.Quality, facts.ZoneAssumed)
	}
	if s.marked {
		out.Quality = min(out.Quality, facts.Unsynced)
	}
	out.Unix = s.seconds(year) - int64(s.offset)
	return out
}

// Relayed times: a device's clock is believed when it differs from the relay's by a zone, that is by a multiple of a
// quarter of an hour (the finest in use), give or take what a message needs to arrive.
const (
	zoneStep  = 15 * 60
	zoneSlack = 5 * 60
	zoneMost  = 14 * 3600
)

// resolveRelayed is the time of a message that carries both the device's and the relay's time. It is the device's, finer
// and free of the way, put on the relay's time line; the relay's when the device has no clock worth the name.
func resolveRelayed(device, relay *stamp, l calendarLimit) (at, relayed facts.Stamp) {
	relayed = relay.resolve(l)
	if device.kind == instant || device.kind == calendar && device.zone == statedZone && device.year != 0 && !device.marked {
		return device.resolve(l), relayed
	}
	if device.kind != calendar || relayed.Quality <= facts.Unsynced {
		if device.kind == calendar {
			return device.resolve(l), relayed
		}
		return relayed, relayed
	}
	year := int(device.year)
	if year == 0 {
		year = nearestYear(device, relay, l)
	}
	local := device.seconds(year)
	if device.zone == statedZone {
		local -= int64(device.offset)
		if device.marked {
			return relayed, relayed
		}
		return facts.Stamp{Unix: local, Nanos: device.nanos, Quality: max(relayed.Quality, facts.YearInferred)}, relayed
	}
	diff := local - relayed.Unix
	offset := (diff + zoneStep/2) / zoneStep
	if diff+zoneStep/2 < 0 && (diff+zoneStep/2)%zoneStep != 0 {
		offset--
	}
	offset *= zoneStep
	rest := diff - offset
	if device.marked || rest > zoneSlack || rest < -zoneSlack || offset > zoneMost || offset < -zoneMost {
		if device.marked {
			return relayed, relayed // the device says that its clock is wrong
		}
		return facts.Stamp{Unix: local - int64(device.offset), Nanos: device.nanos, Quality: facts.ZoneAssumed}, relayed
	}
	return facts.Stamp{Unix: local - offset, Nanos: device.nanos, Quality: relayed.Quality}, relayed
}

// nearestYear is the year that puts the device's time closest to the relay's, which is at most a zone away.
func nearestYear(device, relay *stamp, l calendarLimit) int {
	year, month := int(relay.year), relay.month
	switch {
	case relay.kind == instant:
		t := time.Unix(relay.epoch, 0).UTC()
		year, month = t.Year(), uint8(t.Month())
	case year == 0:
		year = l.yearOf(relay)
	}
	switch {
	case month == 12 && device.month == 1:
		return year + 1
	case month == 1 && device.month == 12:
		return year - 1
	}
	for device.month == 2 && device.day == 29 && !leap(year) {
		year--
	}
	return year
}
