// Package governance holds the checks that ask who said a transfer may be: exceptions and approvals, their owners and dates.
package governance

import (
	"fmt"
	"time"

	"github.com/quaymaster/quaymaster/audit"
)

// Expired is QM5002.
func Expired() *audit.Check {
	return &audit.Check{
		ID: "QM5002", Slug: "gov-exception-expired", Title: "Exception past its expiry", Severity: audit.Medium,
		Doc: `An exception of the policy is past its date.

## Why it matters

What it accepted is open again, at full severity. An exception that nobody renews is one that nobody owns.

## How it is decided

The date in the policy against the time of judgement; a date without a time includes its day. The finding is as grave as
the gravest finding it covered, and at least medium.

## How it can be wrong

It cannot: renew the exception with a review, or remove it.
`,
		Controls: []string{"ID.RA-07", "PCI 12.3.1", "PCI 12.3.2", "CM-3", "CA-5", "A.5.36"}, Analytics: nil,
		Fixes: map[string]string{"": "renew the exception after a review, with a new ticket and date, or remove it"},
		Needs: audit.Needs{Policy: true},
		Fleet: func(p *audit.Pass, r *audit.Rollup) {
			for i := range r.Expired {
				expired(p, &r.Expired[i])
			}
		},
	}
}

func expired(p *audit.Pass, e *audit.ExpiredException) {
	x := &e.Exception
	severity := audit.Medium
	for _, f := range e.Covered {
		severity = max(severity, f.Severity)
	}
	again := "it covers no finding of this run"
	switch n := len(e.Covered); {
	case n == 1:
		again = "1 finding is open again"
	case n > 1:
		again = fmt.Sprintf("%d findings are open again", n)
	}
	p.Report(audit.Finding{
		Subject: audit.Subject{Kind: "exception", Name: x.ID}, Severity: min(severity, audit.High), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("Exception %s for %s, owned by %s, expired on %s; %s", x.ID, x.Check, x.Owner, lastDay(x.Expires), again),
		Anchor:  &x.Line, Evidence: map[string]string{"ticket": x.Ticket, "reason": x.Reason},
	})
}

// lastDay is the last day an exception was in force.
func lastDay(expires time.Time) string { return expires.Add(-time.Nanosecond).Format(time.DateOnly) }
