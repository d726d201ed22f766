package ciscoasa

import (
	"bytes"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// timeRange reads a time-range block.
func (p *parser) timeRange(n int32) {
	name := p.str(p.word(1))
	if name == "" || p.negated {
		p.unknownBelow(n)
		return
	}
	p.understood(n)
	tr := &facts.TimeRange{Name: name, Span: p.span(n)}
	p.times[name] = tr
	p.children(n, func(c int32) {
		ok := false
		switch string(p.word(0)) {
		case "absolute":
			ok = p.absolute(tr)
		case "periodic":
			ok = p.periodic(tr)
		}
		if !ok {
			tr.Unread = "condition not understood"
			return // unrecognised
		}
		p.understood(c)
	})
}

// timeRangeNamed is the time-range an entry names.
func (p *parser) timeRangeNamed(name []byte) *facts.TimeRange {
	if tr, ok := p.times[string(name)]; ok {
		return tr
	}
	tr := &facts.TimeRange{Name: p.str(name), Undefined: true}
	p.times[tr.Name] = tr
	return tr
}

// absolute reads "absolute [start TIME DAY MONTH YEAR] [end TIME DAY MONTH YEAR]". The end minute belongs to the range
// (ASA command reference, absolute).
func (p *parser) absolute(tr *facts.TimeRange) bool {
	for i := 1; i < len(p.w); i += 5 {
		t, ok := p.date(i + 1)
		switch {
		case !ok:
			return false
		case p.is(i, "start"):
			tr.From = t
		case p.is(i, "end"):
			tr.To = t
		default:
			return false
		}
	}
	return len(p.w) > 1
}

// date reads "hh:mm day month year" from word i.
func (p *parser) date(i int) (time.Time, bool) {
	if i+4 > len(p.w) {
		return time.Time{}, false
	}
	minute, ok1 := clock(p.word(i))
	day, ok2 := number(p.word(i + 1))
	year, ok3 := number(p.word(i + 3))
	month := 0
	for m := time.January; m <= time.December; m++ {
		if w := p.word(i + 2); len(w) >= 3 && len(w) <= len(m.String()) && bytes.EqualFold(w, []byte(m.String()[:len(w)])) {
			month = int(m)
		}
	}
	if !ok1 || !ok2 || !ok3 || month == 0 || day > 31 || year > 9999 {
		return time.Time{}, false
	}
	return time.Date(int(year), time.Month(month), int(day), 0, int(minute), 0, 0, time.UTC), true
}

// clock is minutes of the day; 24:00 is 1440.
func clock(w []byte) (uint16, bool) {
	h, m, found := bytes.Cut(w, []byte(":"))
	if !found {
		return 0, false
	}
	m, _, _ = bytes.Cut(m, []byte(":"))
	hours, ok1 := number(h)
	minutes, ok2 := number(m)
	if !ok1 || !ok2 || hours > 24 || minutes > 59 || hours == 24 && minutes > 0 {
		return 0, false
	}
	return uint16(hours*60 + minutes), true
}

// days is the set of days a word of "periodic" names, bit 0 for Sunday.
func days(w []byte) uint8 {
	switch string(bytes.ToLower(w)) {
	case "daily":
		return 1<<7 - 1
	case "weekdays":
		return 1<<6 - 2
	case "weekend":
		return 1<<6 | 1
	case "sunday":
		return 1 << 0
	case "monday":
		return 1 << 1
	case "tuesday":
		return 1 << 2
	case "wednesday":
		return 1 << 3
	case "thursday":
		return 1 << 4
	case "friday":
		return 1 << 5
	case "saturday":
		return 1 << 6
	}
	return 0
}

// periodic reads "periodic DAYS hh:mm to [DAY] hh:mm". With a second day the window runs from the first to it.
func (p *parser) periodic(tr *facts.TimeRange) bool {
	i := 1
	var set uint8
	for ; i < len(p.w) && days(p.word(i)) != 0; i++ {
		set |= days(p.word(i))
	}
	from, ok := clock(p.word(i))
	if !ok || set == 0 || !p.is(i+1, "to") {
		return false
	}
	i += 2
	last := days(p.word(i))
	if last != 0 {
		i++
	}
	to, ok := clock(p.word(i))
	if !ok || i+1 != len(p.w) {
		return false
	}
	if last == 0 || last == set {
		tr.Periodic = append(tr.Periodic, facts.Window{Days: set, From: from, To: to})
		return true
	}
	if set&(set-1) != 0 || last&(last-1) != 0 {
		return false // a span needs one first and one last day
	}
	tr.Periodic = append(tr.Periodic, facts.Window{Days: set, From: from, To: 1440})
	for day := next(set); day != last; day = next(day) {
		tr.Periodic = append(tr.Periodic, facts.Window{Days: day, To: 1440})
	}
	if to > 0 {
		tr.Periodic = append(tr.Periodic, facts.Window{Days: last, To: to})
	}
	return true
}

// next is the day after the one day of set.
func next(set uint8) uint8 {
	if set == 1<<6 {
		return 1
	}
	return set << 1
}
