package syslog

import (
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

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
