package ciscoios

import (
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// timeRange reads "time-range NAME" with "absolute [start TIME DATE] [end TIME DATE]" and "periodic DAYS TIME to [DAY]
// TIME" below it (Network management configuration guide, configuring time ranges).
func (p *parser) timeRange(n int32) {
	name := p.str(p.word(1))
	p.ok(n)
	if p.negated || name == "" {
		return
	}
	tr := p.times[name]
	if tr == nil {
		tr = &facts.TimeRange{Name: name, Span: p.span(n)}
		p.times[name] = tr
	}
	p.children(n, func(c int32) {
		ok := true
		switch string(p.word(0)) {
		case "absolute":
			ok = p.absolute(tr)
		case "periodic":
			ok = p.periodic(tr)
		case "description", "exit":
		default:
			ok = false
		}
		if !ok {
			tr.Unread = "line not understood: " + string(p.t.Text(c)[:min(60, len(p.t.Text(c)))])
			p.reasons[c] = "time range not understood"
			return
		}
		p.ok(c)
	})
}

func (p *parser) absolute(tr *facts.TimeRange) bool {
	i := 1
	for i < len(p.w) {
		at, ok := p.date(i + 1)
		if !ok {
			return false
		}
		switch string(p.word(i)) {
		case "start":
			tr.From = at
		case "end":
			tr.To = at
		default:
			return false
		}
		i += 5
	}
	return i > 1
}

// date reads "TIME DAY MONTH YEAR" from word i on.
func (p *parser) date(i int) (time.Time, bool) {
	minutes, ok1 := clock(p.word(i))
	day, ok2 := number(p.word(i + 1))
	month := monthOf(p.word(i + 2))
	year, ok3 := number(p.word(i + 3))
	if !ok1 || !ok2 || !ok3 || month == 0 || day < 1 || day > 31 || year < 1993 || year > 2099 {
		return time.Time{}, false
	}
	return time.Date(year, month, day, 0, minutes, 0, 0, time.UTC), true
}

// clock reads "8:05" as minutes of the day, up to 24:00.
func clock(w []byte) (int, bool) {
	hour, rest, ok := field.Cut(w, ":")
	h, ok1 := number(hour)
	m, ok2 := number(rest)
	n := 60*h + m
	return n, ok && ok1 && ok2 && m < 60 && n <= 24*60
}

var months = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

func monthOf(w []byte) time.Month {
	for i, m := range months {
		if field.HasFold(w, m) {
			return time.Month(i + 1)
		}
	}
	return 0
}

// Bits of facts.Window.Days.
const (
	weekdays = 0b0111110
	weekend  = 0b1000001
	daily    = 0b1111111
)

var days = [...]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

func dayOf(w []byte) (day int, ok bool) {
	for i, d := range days {
		if field.HasFold(w, d) {
			return i, true
		}
	}
	return 0, false
}

// periodic reads "periodic DAYS TIME to [DAY] TIME". With a day behind "to" it is one stretch, else one on each day.
func (p *parser) periodic(tr *facts.TimeRange) bool {
	i := 1
	var set uint8
	first := 0
	switch string(p.word(1)) {
	case "daily":
		set, i = daily, 2
	case "weekdays":
		set, i = weekdays, 2
	case "weekend":
		set, i = weekend, 2
	default:
		for ; ; i++ {
			d, ok := dayOf(p.word(i))
			if !ok {
				break
			}
			if set == 0 {
				first = d
			}
			set |= 1 << d
		}
	}
	from, ok := clock(p.word(i))
	if !ok || set == 0 || !p.is(i+1, "to") {
		return false
	}
	i += 2
	last, stretch := dayOf(p.word(i))
	if stretch {
		i++
	}
	to, ok := clock(p.word(i))
	if !ok || i != len(p.w)-1 {
		return false
	}
	if !stretch || last == first && to >= from {
		tr.Periodic = append(tr.Periodic, facts.Window{Days: set, From: uint16(from), To: uint16(through(to))})
		return true
	}
	// From a day's time to the end of that day, whole days, and the last one up to its time.
	tr.Periodic = append(tr.Periodic, facts.Window{Days: 1 << first, From: uint16(from), To: 24 * 60})
	for d := (first + 1) % 7; d != last; d = (d + 1) % 7 {
		tr.Periodic = append(tr.Periodic, facts.Window{Days: 1 << d, From: 0, To: 24 * 60})
	}
	tr.Periodic = append(tr.Periodic, facts.Window{Days: 1 << last, From: 0, To: uint16(through(to))})
	return true
}

// through is the end of a window in minutes: the minute named is part of it ("23:59" is to the end of the day).
func through(to int) int {
	if to == 24*60-1 {
		return 24 * 60
	}
	return to
}
