package headerspace

import (
	"cmp"
	"slices"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// A calendar numbers the combinations of time ranges that are ever in force together, so that time is a field of the
// header like any other. Combination 0 exists always.
type calendar struct {
	ranges []*facts.TimeRange       // distinct, in the order of the rules
	number map[*facts.TimeRange]int // every mention's place in ranges
	combos map[string]uint16        // in force or not, one byte per range
	force  [][]uint64               // by range: the combinations in which it is in force
	lost   bool                     // too many combinations: a range's being in force is unknown
}

// Bounds on a calendar; a device has a handful of time ranges.
const (
	maxCombos   = 1 << 12
	maxInstants = 1 << 17
)

// newCalendar is nil when no rule has a time range.
func newCalendar(d *facts.Device) *calendar {
	var c *calendar
	for i := range d.Filters {
		for j := range d.Filters[i].Rules {
			t := d.Filters[i].Rules[j].Times
			if t == nil || t.Undefined || t.Unread != "" {
				continue
			}
			if c == nil {
				c = &calendar{number: map[*facts.TimeRange]int{}, combos: map[string]uint16{}}
			}
			if _, ok := c.number[t]; ok {
				continue
			}
			k := slices.IndexFunc(c.ranges, func(o *facts.TimeRange) bool { return sameTimes(o, t) })
			if k < 0 {
				k = len(c.ranges)
				c.ranges = append(c.ranges, t)
			}
			c.number[t] = k
		}
	}
	if c != nil {
		c.combine()
	}
	return c
}

func sameTimes(a, b *facts.TimeRange) bool {
	return a.Name == b.Name && a.From.Equal(b.From) && a.To.Equal(b.To) && slices.Equal(a.Periodic, b.Periodic)
}

// combine tries every instant at which something may change: the absolute bounds, and the ends of weekly windows in
// each span between two bounds.
func (c *calendar) combine() {
	var bounds []time.Time
	week := []int{0}
	for _, t := range c.ranges {
		for _, b := range []time.Time{t.From, t.To} {
			if !b.IsZero() {
				bounds = append(bounds, wall(b))
			}
		}
		for _, w := range t.Periodic {
			for day := range 7 {
				week = append(week, day*1440+int(w.From), (day*1440+int(w.To))%(7*1440))
			}
		}
	}
	slices.SortFunc(bounds, time.Time.Compare)
	bounds = slices.CompactFunc(bounds, time.Time.Equal)
	slices.Sort(week)
	week = slices.Compact(week)
	if (len(bounds)+1)*len(week) > maxInstants {
		c.lost = true
		return
	}
	first := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC) // a Sunday, before everything when there are no bounds
	if len(bounds) > 0 {
		first = bounds[0].AddDate(0, 0, -14)
	}
	c.weekOf(first, time.Time{}, week)
	for i, b := range bounds {
		next := time.Time{}
		if i+1 < len(bounds) {
			next = bounds[i+1]
		}
		c.weekOf(b, next, week)
	}
	c.force = make([][]uint64, len(c.ranges))
	for combo, n := range c.combos {
		for i := range c.ranges {
			if combo[i] != 0 {
				c.force[i] = append(c.force[i], uint64(n))
			}
		}
	}
	for i := range c.force {
		slices.Sort(c.force[i])
	}
}

// weekOf notes what is in force at from and at every change in the week after it, before end (zero is never).
func (c *calendar) weekOf(from, end time.Time, week []int) {
	c.note(from)
	sunday := from.Truncate(24*time.Hour).AddDate(0, 0, -int(from.Weekday()))
	for _, start := range []time.Time{sunday, sunday.AddDate(0, 0, 7)} {
		for _, m := range week {
			at := start.Add(time.Duration(m) * time.Minute)
			if !at.Before(from) && (end.IsZero() || at.Before(end)) {
				c.note(at)
			}
		}
	}
}

func (c *calendar) note(at time.Time) {
	key := c.key(at)
	if _, ok := c.combos[key]; ok {
		return
	}
	if len(c.combos) >= maxCombos {
		c.lost = true
		return
	}
	c.combos[key] = uint16(len(c.combos))
}

func (c *calendar) key(at time.Time) string {
	k := make([]byte, len(c.ranges))
	for i, t := range c.ranges {
		if inForce(t, at) {
			k[i] = 1
		}
	}
	return string(k)
}

// inForce reports whether t is in force at a device's local time.
func inForce(t *facts.TimeRange, at time.Time) bool {
	at = wall(at)
	if !t.From.IsZero() && at.Before(wall(t.From)) || !t.To.IsZero() && !at.Before(wall(t.To)) {
		return false
	}
	if len(t.Periodic) == 0 {
		return true
	}
	day, minute := int(at.Weekday()), uint16(at.Hour()*60+at.Minute())
	return slices.ContainsFunc(t.Periodic, func(w facts.Window) bool {
		today, yesterday := w.Days>>day&1 != 0, w.Days>>((day+6)%7)&1 != 0
		if w.From <= w.To {
			return today && w.From <= minute && minute < w.To
		}
		return today && minute >= w.From || yesterday && minute < w.To
	})
}

// wall is the time on the clock, whatever its zone.
func wall(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// appNumbers numbers the applications that rules name, from 1, in the order of their names.
func appNumbers(d *facts.Device) map[string]uint16 {
	var names []string
	for i := range d.Filters {
		for j := range d.Filters[i].Rules {
			names = collectApps(names, &d.Filters[i].Rules[j].Match)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.SortFunc(names, cmp.Compare[string])
	names = slices.Compact(names)
	m := make(map[string]uint16, len(names))
	for i, n := range names[:min(len(names), 1<<16-1)] {
		m[n] = uint16(i + 1)
	}
	return m
}

func collectApps(names []string, m *facts.Match) []string {
	for _, a := range m.Apps {
		names = append(names, appName(a))
	}
	for i := range m.AnyOf {
		names = collectApps(names, &m.AnyOf[i])
	}
	for i := range m.AllOf {
		names = collectApps(names, &m.AllOf[i])
	}
	return names
}
