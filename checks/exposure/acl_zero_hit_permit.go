package exposure

import (
	"fmt"
	"slices"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// ZeroHit is QM2020.
func ZeroHit() *audit.Check {
	return &audit.Check{
		ID: "QM2020", Slug: "acl-zero-hit-permit", Title: "Transfer permit unused", Severity: audit.Low,
		Doc: `A line that permits a transfer protocol has matched nothing for three months.

## Why it matters

A path that nobody needs is there for whoever finds it, and its first use will look like any other.

## How it is decided

Two states of the device with hit counters, taken at least 90 days apart: --against, or the commits of a repository. A line
that permits a transfer port by name and whose counter is the same in both is reported when no counter of its filter has
become smaller, which would say that they were reset. Counters without a time, and states that are closer together, decide
nothing.

## How it can be wrong

Jobs that run once a quarter.

## Tunables

None.
`,
		Attack: []string{"T1048"}, Analytics: []string{"AN1173"}, Controls: []string{"CIS-FG 3.1", "PCI 1.2.7", "CM-7(1)"},
		False: "quarterly jobs",
		Fixes: map[string]string{"": "remove the line"},
		Needs: audit.Needs{Evidence: facts.HasConfig, Platforms: judge.Filtering(), Earlier: true}, Change: zeroHits,
	}
}

// unusedFor is how long a line must have matched nothing.
const unusedFor = 90 * 24 * time.Hour

// counters are the hits of a filter by the place of their rule; ok is false without any.
func counters(d *facts.Device, f *facts.Filter) (by map[int]facts.Hit, ok bool) {
	by = map[int]facts.Hit{}
	for _, h := range d.Hits {
		if h.Filter != f.Name || h.Scope != f.Scope || h.Family != f.Family {
			continue
		}
		for i := range f.Rules {
			if f.Rules[i].Span == h.Span {
				by[i] = h
			}
		}
	}
	return by, len(by) > 0
}

func zeroHits(p *audit.Pass, before, after *facts.Device) {
	if len(before.Hits) == 0 || len(after.Hits) == 0 {
		return
	}
	for i := range after.Filters {
		f := &after.Filters[i]
		k := slices.IndexFunc(before.Filters, func(o facts.Filter) bool { return o.Name == f.Name && o.Scope == f.Scope && o.Family == f.Family })
		if k < 0 || len(before.Filters[k].Rules) != len(f.Rules) {
			continue // rules are told by their places
		}
		is, ok1 := counters(after, f)
		was, ok2 := counters(before, &before.Filters[k])
		if !ok1 || !ok2 || smaller(was, is) {
			continue
		}
		if diffs, _, err := headerspace.Compare(before, after, f.Scope, f.Name, f.Scope, f.Name); err != nil || len(diffs) > 0 {
			continue
		}
		for n := range f.Rules {
			old, ok := was[n]
			if now, also := is[n]; ok && also && now.Packets == old.Packets && !old.Taken.IsZero() && now.Taken.Sub(old.Taken) >= unusedFor {
				unused(p, after, f, n, old.Taken, now.Taken)
			}
		}
	}
}

// smaller reports whether a counter has become smaller: they were reset.
func smaller(was, is map[int]facts.Hit) bool {
	for n, h := range is {
		if old, ok := was[n]; ok && h.Packets < old.Packets {
			return true
		}
	}
	return false
}

func unused(p *audit.Pass, d *facts.Device, f *facts.Filter, i int, from, to time.Time) {
	r := &f.Rules[i]
	protocols := judge.NamesTransfers(d, f, &r.Match)
	if r.Action != facts.Permit || facts.On(r.Inactive) || len(protocols) == 0 {
		return
	}
	var names []string
	for _, x := range protocols {
		names = append(names, judge.Upper(x))
	}
	name := r.Name
	if name == "" {
		name = fmt.Sprintf("#%d", i+1)
	}
	p.Report(audit.Finding{
		Subject: audit.Subject{Kind: "filter", Name: filterName(f) + " " + name}, Severity: audit.Score(.25, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial),
		Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s permits %s by rule %q of filter %q, which matched nothing from %s to %s",
			d.ID, judge.Join(names), name, f.Name, from.UTC().Format(time.DateOnly), to.UTC().Format(time.DateOnly)),
		Spans: judge.Mark(nil, "", r.Span), Signal: audit.Signal{Weight: .02, Class: "STATE"},
	})
}
