package opnsense

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// schedule is the schedule of that name: weekdays (position 1 to 7, Monday first) with hours, or dates without a year, which
// are not read.
func (p *parser) schedule(name string, at int32) *facts.TimeRange {
	if t := p.times[name]; t != nil {
		return t
	}
	t := &facts.TimeRange{Name: name, Unread: "the schedule is not in this evidence", Span: p.Span(at)}
	p.times[name] = t
	p.Each(p.Kid(p.root, "schedules"), "schedule", func(s int32) {
		if p.String(s, "name") != name {
			return
		}
		t.Span, t.Unread = p.Span(s), ""
		p.Each(s, "timerange", func(r int32) { p.timeRange(r, t) })
	})
	return t
}

func (p *parser) timeRange(r int32, t *facts.TimeRange) {
	p.OKAll(r)
	if p.String(r, "month") != "" || p.String(r, "day") != "" {
		t.Unread = "days of a month"
		return
	}
	w := facts.Window{To: 1440}
	for _, d := range fields(p.String(r, "position")) {
		if n, ok := field.Uint([]byte(d)); ok && n >= 1 && n <= 7 {
			w.Days |= 1 << (n % 7) // 7 is Sunday
		}
	}
	if hours := p.String(r, "hour"); hours != "" {
		from, to, ok := strings.Cut(hours, "-")
		a, ok1 := minutes(from)
		b, ok2 := minutes(to)
		if !ok || !ok1 || !ok2 {
			t.Unread = "hours that are not understood"
			return
		}
		w.From, w.To = a, b
		if b == 1439 { // "23:59" is the end of the day
			w.To = 1440
		}
	}
	if w.Days == 0 {
		t.Unread = "a schedule without days"
		return
	}
	t.Periodic = append(t.Periodic, w)
}

func minutes(s string) (uint16, bool) {
	h, m, ok := strings.Cut(s, ":")
	a, ok1 := field.Uint([]byte(h))
	b, ok2 := field.Uint([]byte(m))
	if !ok || !ok1 || !ok2 || a > 24 || b > 59 {
		return 0, false
	}
	return uint16(a*60 + b), true
}
