package audit

import (
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// Exit codes, the same in every format.
const (
	ExitClean      = 0  // complete, nothing at or above the failing severity
	ExitFindings   = 1  // findings at or above it
	ExitUsage      = 2  // usage, configuration or policy error: nothing evaluated
	ExitIncomplete = 3  // incomplete and no failing finding
	ExitNothing    = 4  // nothing to audit
	ExitInternal   = 70 // internal error
)

// An Input is one file of evidence and what became of it.
type Input struct {
	File       *evidence.File
	SHA256     string // of the bytes as stored; empty when they could not be read
	Format     string // empty: no format fits
	Confidence facts.Confidence
	Lines      facts.Lines
	Problem    string
}

// A Reason makes a result incomplete.
type Reason struct {
	Path, Device string
	Line         int
	Message      string
	Hint         string
	Span         evidence.Span
}

// A Result is one audit, whole: what json-v1 is written from. Everything is sorted; nothing depends on the order of input.
type Result struct {
	Now        time.Time
	Set        *evidence.Set
	Policy     *policy.Policy
	Inputs     []Input
	Devices    []*DeviceInfo
	Findings   []*Finding
	Gaps       []Gap
	Notes      []facts.Note
	Incomplete []Reason
	// Secrets are all spans that every excerpt must hide.
	Secrets []evidence.Span
	Checks  []*Check // that were asked
	FailOn  Severity
	// FailNone: no finding fails the run.
	FailNone bool
	Exit     int
}

// Complete reports whether everything that was named could be read and decided.
func (r *Result) Complete() bool { return len(r.Incomplete) == 0 }

// Failing is the findings that make the run fail: new or reopened, at or above FailOn.
func (r *Result) Failing() int {
	if r.FailNone {
		return 0
	}
	n := 0
	for _, f := range r.Findings {
		if (f.State == New || f.State == Reopened) && f.Severity >= r.FailOn {
			n++
		}
	}
	return n
}

// Judge sets Exit from what the result holds.
func (r *Result) Judge() {
	switch {
	case len(r.Inputs) == 0 && r.Complete():
		r.Exit = ExitNothing
	case r.Failing() > 0:
		r.Exit = ExitFindings
	case !r.Complete():
		r.Exit = ExitIncomplete
	default:
		r.Exit = ExitClean
	}
}
