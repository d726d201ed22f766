package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// ShadowedDeny is QM2007.
func ShadowedDeny() *audit.Check {
	return &audit.Check{
		ID: "QM2007", Slug: "acl-shadowed-deny", Title: "Deny for a transfer protocol is shadowed by an earlier permit", Severity: audit.Medium,
		Doc: `A line that denies a file transfer protocol is never reached: earlier lines decide all its packets, and one of them permits.

## Why it matters

Someone meant to stop the protocol and believes it is stopped. It is not: T1071.002 passes by the earlier line, and every
review reads the deny and nods.

## How it is decided

For every filter that is applied: the packets of each line that denies ports of FTP, FTPS, TFTP, SMB or Smart Install, less
those that earlier lines take for certain. Nothing must be left, and an earlier line that takes some of it must permit. A
deny of everything at the end, lines that are switched off, and denies behind denies are not meant. The comparison is exact:
addresses, ports, both versions of IP, sessions, ways in and out.

## How it can be wrong

A line kept on purpose as a reminder. Earlier lines that permit only answers of open sessions do not shadow.

## Tunables

None.
`,
		Attack: []string{"T1562.004"}, Analytics: []string{"AN1173"}, Controls: []string{"CA-7", "CM-3", "PCI 1.2.7"},
		False: "a duplicate that is kept on purpose",
		Fixes: map[string]string{"": "move the line before the one that permits, or narrow that one"},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for _, a := range appliedFilters(d) {
				shadowed(p, d, a)
			}
		},
	}
}

// An applied filter, with the lines that apply it.
type appliedFilter struct {
	filter *facts.Filter
	at     []evidence.Span
}

// appliedFilters are the filters that decide about traffic or the device's own services, each once, in their order.
func appliedFilters(d *facts.Device) []appliedFilter {
	by := map[*facts.Filter][]evidence.Span{}
	use := func(names []string, scope string, span evidence.Span) {
		for _, name := range names {
			if f := judge.Find(d, name, scope); f != nil {
				by[f] = append(by[f], span)
			}
		}
	}
	for i := range d.Interfaces {
		for _, b := range d.Interfaces[i].Bindings {
			use(b.Filters, d.Interfaces[i].Scope, b.Span)
		}
	}
	for _, b := range d.Bindings {
		use(b.Filters, b.Scope, b.Span)
	}
	for i := range d.Zoning.Pairs {
		z := &d.Zoning.Pairs[i]
		use(z.Filters, judge.PairScope(z), z.Span)
	}
	use(d.Zoning.Global, "", evidence.Span{})
	var out []appliedFilter
	for i := range d.Filters {
		if at, ok := by[&d.Filters[i]]; ok && d.Filters[i].Unread == "" {
			out = append(out, appliedFilter{&d.Filters[i], at})
		}
	}
	return out
}

func shadowed(p *audit.Pass, d *facts.Device, a appliedFilter) {
	f := a.filter
	meant, permitted := map[int][]facts.Protocol{}, false
	for i := range f.Rules {
		r := &f.Rules[i]
		switch {
		case facts.On(r.Inactive):
		case r.Action == facts.Deny && permitted:
			if protocols := judge.NamesTransfers(d, f, &r.Match); len(protocols) > 0 {
				meant[i] = protocols
			}
		case r.Action == facts.Permit || r.Action == facts.Jump || r.Action == facts.Goto:
			permitted = true
		}
	}
	if len(meant) == 0 {
		return
	}
	dead, err := p.Space(d).Unreachable(f.Scope, f.Name)
	if err != nil {
		p.NotEvaluated(fmt.Sprintf("filter %q: %v", f.Name, err))
		return
	}
	for i := range dead {
		x := &dead[i]
		by := slices.IndexFunc(x.CoveredBy, func(c headerspace.RuleRef) bool { return f.Rules[c.Index].Action == facts.Permit })
		protocols := meant[x.Index]
		if len(protocols) == 0 || by < 0 {
			continue
		}
		names := make([]string, len(protocols))
		for k, x := range protocols {
			names[k] = judge.Upper(x)
		}
		marks := judge.Mark(judge.Mark(nil, "", x.Span), "permits before it", x.CoveredBy[by].Span)
		for k, c := range x.CoveredBy {
			if k != by {
				marks = judge.Mark(marks, "takes some of it", c.Span)
			}
		}
		marks = judge.Mark(marks, "applied here", a.at...)
		p.Report(audit.Finding{
			Subject:  audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s: deny of %s", filterName(f), judge.Join(names))},
			Severity: audit.Score(.65, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
			Message: fmt.Sprintf("%s never reaches its deny of %s in filter %q: an earlier line permits it", d.ID, judge.Join(names), f.Name),
			Spans:   marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
	}
}
