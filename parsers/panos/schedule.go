package panos

import (
	"bytes"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// weekdays in the order of facts.Window.Days.
var weekdays = [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}

// schedule reads one: times of every day, times of days of the week, or dates ("schedule-type recurring daily
// 08:00-17:00", "recurring weekly monday [ ... ]", "non-recurring 2026/01/01@08:00-2026/01/02@17:00").
func (p *parser) schedule(n int32) *facts.TimeRange {
	p.okAll(n)
	t := &facts.TimeRange{Name: p.text(n), Span: p.span(n)}
	kind := p.kid(n, "schedule-type")
	if kind == none {
		kind = n
	}
	stated := false
	for c := p.first(kind); c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "recurring":
			for k := p.first(c); k != none; k = p.next(k) {
				stated = true
				p.recurring(k, t)
			}
		case "non-recurring":
			for v := p.first(c); v != none; v = p.next(v) {
				if stated {
					t.Unread = "several spans of dates"
				}
				stated = true
				p.dates(v, t)
			}
		case "description", "disable-override":
		default:
			t.Unread = "a schedule that is not understood: " + p.text(c)
		}
	}
	if !stated && t.Unread == "" {
		t.Unread = "a schedule without times"
	}
	return t
}

func (p *parser) recurring(k int32, t *facts.TimeRange) {
	switch string(p.t.Text(k)) {
	case "daily":
		p.windows(k, 1<<7-1, t)
		return
	case "weekly":
		for d := p.first(k); d != none; d = p.next(d) {
			day := -1
			for i, w := range weekdays {
				if p.is(d, w) {
					day = i
				}
			}
			if day < 0 {
				t.Unread = "a day that is not understood: " + p.text(d)
				continue
			}
			p.windows(d, 1<<day, t)
		}
		return
	}
	t.Unread = "a schedule that is not understood: " + p.text(k)
}

// windows adds the times below c on the days.
func (p *parser) windows(c int32, days uint8, t *facts.TimeRange) {
	for v := p.first(c); v != none; v = p.next(v) {
		from, to, ok := bytes.Cut(p.bytes(v), []byte("-"))
		a, ok1 := minutes(from)
		b, ok2 := minutes(to)
		if !ok || !ok1 || !ok2 {
			t.Unread = "a time that is not understood: " + p.text(v)
			continue
		}
		t.Periodic = append(t.Periodic, facts.Window{Days: days, From: a, To: b})
	}
	if p.first(c) == none {
		t.Unread = "a day without times"
	}
}

// minutes reads hh:mm.
func minutes(b []byte) (uint16, bool) {
	h, m, ok := bytes.Cut(b, []byte(":"))
	hours, ok1 := small(h)
	mins, ok2 := small(m)
	if !ok || !ok1 || !ok2 || mins > 59 || hours*60+mins > 1440 {
		return 0, false
	}
	return uint16(hours*60 + mins), true
}

// dates reads "2026/01/01@08:00-2026/01/02@17:00".
func (p *parser) dates(v int32, t *facts.TimeRange) {
	from, to, ok := bytes.Cut(p.bytes(v), []byte("-"))
	const layout = "2006/01/02@15:04"
	a, err1 := time.Parse(layout, string(from))
	b, err2 := time.Parse(layout, string(to))
	if !ok || err1 != nil || err2 != nil {
		t.Unread = "a date that is not understood: " + p.text(v)
		return
	}
	t.From, t.To = a, b
}

// scheduleOf is the schedule that word v names.
func (p *parser) scheduleOf(v int32, s *space) *facts.TimeRange {
	name := p.text(v)
	for at := s; at != nil; at = at.parent {
		if t := at.times[name]; t != nil {
			return t
		}
	}
	t := &facts.TimeRange{Name: name, Unread: "the schedule is not in this evidence", Span: p.span(v)}
	s.times[name] = t
	return t
}
