package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// required are the kinds of evidence the policy requires that are absent, or older than it allows.
func (j *judge) required() []audit.Reason {
	var out []audit.Reason
	for _, q := range j.o.Policy.Required {
		name := q.Kind.Names()[0]
		at := audit.Reason{Path: q.Line.Path, Line: q.Line.Line, Hint: "give the evidence, or change the policy's required list"}
		var newest time.Time
		any := false
		for _, d := range j.world.Devices {
			if d.Has&q.Kind == 0 {
				continue
			}
			any = true
			t := j.newest(d, q.Kind)
			if t.After(newest) {
				newest = t
			}
			if q.MaxAge > 0 && q.Kind&(facts.HasConfig|facts.HasESXi|facts.HasSNMP) != 0 && !t.IsZero() && j.o.Now.Sub(t) > q.MaxAge {
				stale := at
				stale.Device = d.ID
				stale.Message = fmt.Sprintf("required evidence %q of %s is from %s, older than %s", name, d.ID, t.Format(time.DateOnly), age(q))
				out = append(out, stale)
			}
		}
		switch {
		case !any:
			at.Message = fmt.Sprintf("required evidence %q is absent", name)
			out = append(out, at)
		case q.MaxAge > 0 && q.Kind&(facts.HasSyslog|facts.HasTransfers|facts.HasCommands) != 0 && j.o.Now.Sub(j.lastRecord()) > q.MaxAge:
			at.Message = fmt.Sprintf("required evidence %q ends at %s, older than %s", name, j.lastRecord().Format(time.RFC3339), age(q))
			out = append(out, at)
		}
	}
	return out
}

func age(q policy.Requirement) string {
	if q.MaxAge%(24*time.Hour) == 0 {
		return fmt.Sprintf("%d days", q.MaxAge/(24*time.Hour))
	}
	return q.MaxAge.String()
}

// newest is when the youngest part of a device was taken.
func (j *judge) newest(d *audit.DeviceInfo, _ facts.Kind) time.Time {
	var t time.Time
	for _, p := range d.Parts {
		if p.Taken.After(t) {
			t = p.Taken
		}
	}
	return t
}

// lastRecord is the time of the youngest log record.
func (j *judge) lastRecord() time.Time {
	var last int64
	err := j.tallied.Series(context.Background(), func(_ tally.SeriesKey, s *tally.Series) { last = max(last, s.Last) })
	if err != nil || last == 0 {
		return time.Time{}
	}
	return time.Unix(last, 0).UTC()
}
