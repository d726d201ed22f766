package junos

import (
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// weekdays in the order of facts.Window.Days.
var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// scheduleList reads "schedulers": when policies are in force.
func (p *parser) scheduleList(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "scheduler") {
			p.other("schedulers", c)
			continue
		}
		p.ok(c)
		for s := p.first(c); s != none; s = p.next(s) {
			p.scheduler(s)
		}
	}
}

// schedule is the scheduler that word v names.
func (p *parser) schedule(v int32) *facts.TimeRange {
	name := p.text(v)
	if t := p.schedules[name]; t != nil {
		return t
	}
	t := &facts.TimeRange{Name: name, Unread: "the scheduler is not in this evidence", Span: p.span(v)}
	p.schedules[name] = t
	return t
}

// scheduler reads one: dates from which to which it holds, and times of the day. What is said of one weekday replaces what
// is said of all ("scheduler (Security Policies)", Junos CLI reference).
func (p *parser) scheduler(n int32) {
	p.okAll(n)
	t := &facts.TimeRange{Name: p.text(n), Span: p.span(n)}
	p.schedules[t.Name] = t
	var daily []facts.Window
	var days [7][]facts.Window
	var stated [7]bool
	periodic := false
	for c := p.first(n); c != none; c = p.next(c) {
		switch word := string(p.bytes(c)); word {
		case "start-date":
			p.dates(c, t)
		case "daily":
			daily, periodic = p.windows(c, t), true
		case "description":
		default:
			day := -1
			for i, d := range weekdays {
				if d == word {
					day = i
				}
			}
			if day < 0 {
				if !p.applies(c) {
					t.Unread = word
				}
				continue
			}
			days[day], stated[day], periodic = p.windows(c, t), true, true
		}
	}
	if !periodic {
		return
	}
	for i := range days {
		list := daily
		if stated[i] {
			list = days[i]
		}
		for _, w := range list {
			w.Days = 1 << i
			t.Periodic = append(t.Periodic, w)
		}
	}
	if len(t.Periodic) == 0 && t.Unread == "" {
		t.Unread = "a scheduler that excludes every day"
	}
}

// windows reads the times of a day: "all-day", "exclude", "start-time T stop-time T".
func (p *parser) windows(c int32, t *facts.TimeRange) []facts.Window {
	if p.kid(c, "exclude") != none {
		return nil
	}
	if p.kid(c, "all-day") != none || p.first(c) == none {
		return []facts.Window{{From: 0, To: 1440}}
	}
	var out []facts.Window
	starts := p.kid(c, "start-time")
	for s := p.first(starts); s != none; s = p.next(s) {
		stop := p.value(p.kid(s, "stop-time"))
		from, ok1 := minutes(p.bytes(s))
		to, ok2 := 0, false
		if stop != none {
			to, ok2 = minutes(p.bytes(stop))
		}
		if !ok1 || !ok2 {
			t.Unread = "a time that is not understood"
			continue
		}
		out = append(out, facts.Window{From: uint16(from), To: uint16(to)})
	}
	if len(out) == 0 && t.Unread == "" {
		t.Unread = "a time that is not understood"
	}
	return out
}

// minutes reads hh:mm or hh:mm:ss as minutes of the day.
func minutes(b []byte) (int, bool) {
	if len(b) < 5 || b[2] != ':' {
		return 0, false
	}
	h, ok1 := small(b[:2])
	m, ok2 := small(b[3:5])
	return h*60 + m, ok1 && ok2 && h <= 24 && m < 60 && h*60+m <= 1440
}

// dates reads "start-date D stop-date D". Several ranges, and dates without a year, are not modelled.
func (p *parser) dates(c int32, t *facts.TimeRange) {
	v := p.first(c)
	if v == none || p.next(v) != none {
		t.Unread = "several ranges of dates"
		return
	}
	var ok1, ok2 bool
	t.From, ok1 = date(p.bytes(v))
	stop := p.value(p.kid(v, "stop-date"))
	ok2 = stop == none
	if stop != none {
		t.To, ok2 = date(p.bytes(stop))
	}
	if !ok1 || !ok2 {
		t.Unread = "a date without a year, or one that is not understood"
	}
}

// date reads YYYY-MM-DD.hh:mm[:ss]. It is the device's own time, without a zone.
func date(b []byte) (time.Time, bool) {
	for _, layout := range [...]string{"2006-01-02.15:04", "2006-01-02.15:04:05"} {
		if t, err := time.Parse(layout, string(b)); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
