package engine

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// Fingerprint names a finding across runs: check, device and subject, nothing that changes with a line inserted, a count
// or a time. The variant is left out: a context that changes the severity leaves the finding the same.
func Fingerprint(f *audit.Finding) string {
	h := sha256.New()
	for _, s := range []string{f.Check.ID, f.Device, f.Subject.Kind, f.Subject.Name} {
		h.Write([]byte(s))
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// finish accepts, runs the fleet phase and sorts everything into res.
func (j *judge) finish(res *audit.Result) {
	found := unite(j.out.Findings)
	expired := j.accept(found)
	j.fleetPhase(found, expired)
	all := unite(j.out.Findings)
	for _, f := range all {
		if f.State != audit.Accepted && f.State != audit.Reopened && j.o.Baseline[f.Fingerprint] {
			f.State = audit.Known
		}
	}
	res.Findings = slices.DeleteFunc(all, func(f *audit.Finding) bool {
		return f.Severity < j.o.MinSeverity || f.Confidence < j.o.MinConfidence ||
			f.Device != "" && (len(j.o.Devices) > 0 || j.o.Changed != nil) && j.world.ByID[f.Device] == nil
	})
	slices.SortFunc(res.Findings, compareFindings)
	res.Devices = j.world.Devices
	res.Gaps = j.out.Gaps
	slices.SortFunc(res.Gaps, compareGaps)
	res.Gaps = slices.Compact(res.Gaps)
	res.Notes = append(res.Notes, j.notes...)
	slices.SortFunc(res.Notes, compareNotes)
	res.Notes = slices.Compact(res.Notes)
	j.reasons(res)
}

func compareFindings(a, b *audit.Finding) int {
	return cmp.Or(-cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Check.ID, b.Check.ID), cmp.Compare(a.Device, b.Device),
		cmp.Compare(a.Subject.Kind, b.Subject.Kind), cmp.Compare(a.Subject.Name, b.Subject.Name), cmp.Compare(a.Fingerprint, b.Fingerprint))
}

func compareGaps(a, b audit.Gap) int {
	return cmp.Or(cmp.Compare(a.Check, b.Check), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Analytic, b.Analytic), cmp.Compare(a.Missing, b.Missing))
}

// unite joins findings of one fingerprint: the gravest speaks, all spans stay.
func unite(in []*audit.Finding) []*audit.Finding {
	for _, f := range in {
		if f.Fingerprint == "" {
			f.Fingerprint = Fingerprint(f)
		}
	}
	in = slices.Clone(in)
	slices.SortFunc(in, func(a, b *audit.Finding) int {
		return cmp.Or(cmp.Compare(a.Fingerprint, b.Fingerprint), -cmp.Compare(a.Severity, b.Severity), -cmp.Compare(a.Confidence, b.Confidence),
			compareMarks(a.Spans, b.Spans), cmp.Compare(a.Message, b.Message))
	})
	var out []*audit.Finding
	for _, f := range in {
		if n := len(out); n > 0 && out[n-1].Fingerprint == f.Fingerprint {
			if out[n-1] != f {
				join(out[n-1], f)
			}
			continue
		}
		out = append(out, f)
	}
	return out
}

func compareMarks(a, b []audit.Mark) int {
	return slices.CompareFunc(a, b, func(x, y audit.Mark) int {
		return cmp.Or(cmp.Compare(x.Span.Pos, y.Span.Pos), cmp.Compare(x.Span.Len, y.Span.Len), cmp.Compare(x.Role, y.Role))
	})
}

func join(to, from *audit.Finding) {
	for _, m := range from.Spans {
		if !slices.Contains(to.Spans, m) {
			to.Spans = append(to.Spans, m)
		}
	}
	if !from.When.First.IsZero() && (to.When.First.IsZero() || from.When.First.Before(to.When.First)) {
		to.When.First = from.When.First
	}
	if from.When.Last.After(to.When.Last) {
		to.When.Last = from.When.Last
	}
	for _, e := range from.Entities {
		if !slices.Contains(to.Entities, e) {
			to.Entities = append(to.Entities, e)
		}
	}
	slices.SortFunc(to.Entities, func(a, b tally.Entity) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
}

// accept applies the policy's exceptions: one in force accepts the findings it covers; an expired one re-opens them at
// full severity and is handed to the fleet phase.
func (j *judge) accept(found []*audit.Finding) []audit.ExpiredException {
	var expired []audit.ExpiredException
	if j.o.NoExceptions {
		return nil
	}
	for i := range j.o.Policy.Exceptions {
		x := &j.o.Policy.Exceptions[i]
		var covered []*audit.Finding
		for _, f := range found {
			if x.Covers(f.Check.ID, f.Check.Slug, f.Device, f.Subject.Name, f.Fingerprint) {
				covered = append(covered, f)
			}
		}
		switch {
		case !x.Starts.IsZero() && j.o.Now.Before(x.Starts):
		case !j.o.Now.Before(x.Expires):
			for _, f := range covered {
				if f.State == audit.New {
					f.State = audit.Reopened
				}
			}
			expired = append(expired, audit.ExpiredException{Exception: *x, Covered: covered})
		default:
			for _, f := range covered {
				if Suppressible(f) {
					f.State = audit.Accepted
					f.Accepted = &policy.Acceptance{ID: x.ID, By: x.Approver, Owner: x.Owner, Ticket: x.Ticket, Reason: x.Reason, Expires: x.Expires, Line: x.Line}
				}
			}
		}
	}
	return expired
}

// Suppressible reports whether an exception may accept f. Telemetry and governance findings, weakened logging and a TFTP
// server that publishes configuration to more than one host always stay open.
func Suppressible(f *audit.Finding) bool {
	slug := f.Check.Slug
	if strings.HasPrefix(slug, "tel-") || strings.HasPrefix(slug, "gov-") || slug == "chg-logging-reduced" {
		return false
	}
	return slug != "svc-tftp-sensitive-file" || f.Severity <= audit.Low
}

func (j *judge) fleetPhase(found []*audit.Finding, expired []audit.ExpiredException) {
	roll := &audit.Rollup{Devices: j.world.Devices, Findings: found, Expired: expired, Tallied: j.tallied}
	for _, c := range j.o.Checks {
		p := audit.NewPass(c, &j.world, &j.out)
		switch {
		case !hasPolicy(c, j.o.Policy):
			p.NotEvaluated("no policy file was given")
			continue
		case c.Fleet == nil:
			continue
		}
		guard(&j.out, c, "the fleet", func() { c.Fleet(p, roll) })
	}
}

// hasPolicy reports whether the policy a check cannot do without was given.
func hasPolicy(c *audit.Check, p *policy.Policy) bool { return !c.Needs.Policy || p.Path != "" }

// reasons collects what makes the run incomplete.
func (j *judge) reasons(res *audit.Result) {
	res.Incomplete = append(res.Incomplete, j.incomplete...)
	for _, p := range j.out.Panics {
		res.Incomplete = append(res.Incomplete, audit.Reason{Message: p, Hint: "report it with the evidence that caused it; other checks are not affected"})
	}
	for _, n := range res.Notes {
		if n.Kind == facts.NoteIncomplete {
			res.Incomplete = append(res.Incomplete, audit.Reason{Path: n.Path, Message: n.Message, Hint: n.Hint, Span: n.Span})
		}
	}
	res.Incomplete = append(res.Incomplete, j.required()...)
	slices.SortFunc(res.Incomplete, func(a, b audit.Reason) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Device, b.Device), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Message, b.Message))
	})
	res.Incomplete = slices.Compact(res.Incomplete)
}
