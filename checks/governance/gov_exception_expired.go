package governance

import (
	"fmt"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
)

// Expired is QM5002.
func Expired() *audit.Check {
	return &audit.Check{
		ID: "QM5002", Slug: "gov-exception-expired", Title: "Exception past its expiry", Severity: audit.Medium,
		Doc: `An exception of the policy is past its date.

## Why it matters

What it accepted is open again, at full severity. An exception that nobody renews is one that nobody owns, and a transfer
nobody owns is where T1071.002 hides.

## How it is decided

The date in the policy against the time of judgement; a date without a time includes its day. The finding is as grave as
the gravest finding it covered, and at least medium, at most high. It cannot be accepted by another exception.

## How it can be wrong

An exception that covers nothing in this run may be about a device that was not given. It is reported all the same: its
date is past.

## Tunables

"exceptions" of the policy, with their dates.
`,
		Controls: []string{"ID.RA-07", "PCI 12.3.1", "PCI 12.3.2", "CM-3", "CA-5", "A.5.36"},
		False:    "none",
		Fixes:    map[string]string{"": "renew the exception after a review, with a new ticket and date, or remove it"},
		Needs:    audit.Needs{Policy: true},
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
	var marks []audit.Mark
	for _, f := range e.Covered {
		severity = max(severity, f.Severity)
		if len(f.Spans) > 0 {
			marks = judge.Mark(marks, "open again", f.Spans[0].Span)
		}
	}
	again := "and covers no finding of this run"
	switch n := len(e.Covered); {
	case n == 1:
		again = "and 1 finding is open again"
	case n > 1:
		again = fmt.Sprintf("and %d findings are open again", n)
	}
	p.Report(audit.Finding{
		Subject: audit.Subject{Kind: "exception", Name: x.ID}, Severity: min(severity, audit.High), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("exception %q of %s ended %s %s", x.ID, x.Check, ended(x.Expires), again),
		Anchor:  &x.Line, Spans: marks, Evidence: map[string]string{"owner": x.Owner, "ticket": x.Ticket, "reason": x.Reason},
	})
}

// ended says when an exception ended: with its last day when it ended with a day.
func ended(expires time.Time) string {
	if expires.Equal(expires.Truncate(24 * time.Hour)) {
		return "with " + expires.Add(-time.Nanosecond).UTC().Format(time.DateOnly)
	}
	return "at " + expires.UTC().Format(time.RFC3339)
}
