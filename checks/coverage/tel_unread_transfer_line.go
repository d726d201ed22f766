package coverage

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants of QM4018.
const (
	lineOutside = iota
	lineInFilter
)

// UnreadTransfer is QM4018.
func UnreadTransfer() *audit.Check {
	return &audit.Check{
		ID: "QM4018", Slug: "tel-unread-transfer-line", Title: "Line naming a transfer protocol was not understood", Severity: audit.Low,
		Doc: `A line of a configuration names a transfer protocol, one of its ports or a transfer URL, and was not understood.

## Why it matters

What was not understood was not judged. Everything else this audit says of the device leaves the line out, and a line of
this kind is what T1071.002 would use.

## How it is decided

Lines that are unsupported or unrecognised and name ftp, tftp, smb or cifs, a port of 20, 21, 69, 137 to 139, 445, 989,
990 or 4786, or a transfer URL. Inside a filter that is applied it is medium, and the run may be incomplete. Lines of one
device with the same word, in the same filter, are one finding.

## How it can be wrong

A line may name a port in a place where it means something else. Read it by hand, and report the statement so that the
dialect learns it.

## Tunables

None.
`,
		Variants:  []audit.Variant{lineOutside: {Name: "outside of filters, or in one that is not applied", Severity: audit.Low}, lineInFilter: {Name: "in an applied filter", Severity: audit.Medium}},
		Analytics: []string{"AN1173"}, Controls: []string{"CM-6", "CA-7"},
		False:  "none: read it by hand",
		Fixes:  map[string]string{"": "read the line by hand; add the statement to the parser"},
		Needs:  audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: unread,
	}
}

// A line is what unread lines have in common.
type line struct {
	word, filter string
	state        facts.LineState
}

func unread(p *audit.Pass, d *facts.Device) {
	type group struct {
		marks  []audit.Mark
		n      int64
		reason string
	}
	groups := map[line]*group{}
	var order []line
	for i := range d.Unread {
		u := &d.Unread[i]
		if u.Transfer == "" || u.State != facts.Unsupported && u.State != facts.Unrecognised {
			continue
		}
		k := line{u.Transfer, u.Filter, u.State}
		g := groups[k]
		if g == nil {
			g = &group{reason: u.Reason}
			groups[k] = g
			order = append(order, k)
		}
		g.n++
		g.marks = judge.Mark(g.marks, "", u.Span)
	}
	slices.SortFunc(order, func(a, b line) int {
		return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.filter, b.filter), cmp.Compare(a.state, b.state))
	})
	for _, k := range order {
		g := groups[k]
		v, base, where := uint8(lineOutside), .30, ""
		if k.filter != "" {
			where = fmt.Sprintf(" in filter %q", k.filter)
			if applied(d, k.filter) {
				// Medium: what the filter decides may be something else than this audit says.
				v, base, where = lineInFilter, .50, where+", which is applied"
			}
		}
		subject := fmt.Sprintf("%s %q", k.state, k.word)
		if k.filter != "" {
			subject += " in filter " + k.filter
		}
		f := audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "line", Name: subject}, Severity: audit.Score(base, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial),
			Confidence: audit.ConfidenceHigh, Spans: g.marks,
			Message: fmt.Sprintf("%s has %s that %s %q and %s not understood%s", d.ID, judge.Count(g.n, "line"), verb(g.n, "names", "name"), k.word, verb(g.n, "was", "were"), where),
		}
		if g.reason != "" {
			f.Evidence = map[string]string{"why": g.reason}
		}
		p.Report(f)
	}
	if all := d.Lines.Unsupported + d.Lines.Unrecognised; all > len(d.Unread) && len(d.Unread) >= facts.MaxUnread {
		p.NotEvaluated(fmt.Sprintf("%d lines were not understood and only %d were kept", all, len(d.Unread)))
	}
}

func verb(n int64, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// applied reports whether a filter decides anything: of traffic, logins or the control plane.
func applied(d *facts.Device, name string) bool {
	named := func(b facts.Binding) bool { return slices.Contains(b.Filters, name) }
	return slices.ContainsFunc(d.Interfaces, func(x facts.Interface) bool { return slices.ContainsFunc(x.Bindings, named) }) ||
		slices.ContainsFunc(d.Bindings, named) ||
		slices.ContainsFunc(d.Zoning.Pairs, func(z facts.ZonePair) bool { return slices.Contains(z.Filters, name) }) ||
		slices.Contains(d.Zoning.Global, name)
}
