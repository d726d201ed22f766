// Package audit holds what a check is, what it may see, and what it produces.
//
// A check is a value: metadata, a Doc, and hooks. The engine makes one pass over devices, changes, pairs, series and
// trails and calls every hook; a check keeps no state, does no I/O and has no clock but Pass.Now. Phases are fixed:
// devices, changes, pairs, series, trails, then fleet.
package audit

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// A Severity of a finding or of the base of a check. The order counts.
type Severity uint8

const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

var severityNames = [...]string{"info", "low", "medium", "high", "critical"}

// String is the severity as every output spells it.
func (s Severity) String() string { return severityNames[min(int(s), len(severityNames)-1)] }

// ParseSeverity reads a name as String writes it.
func ParseSeverity(s string) (Severity, bool) {
	for i, n := range severityNames {
		if n == s {
			return Severity(i), true
		}
	}
	return 0, false
}

// A Confidence in a finding. Low caps the severity at medium.
type Confidence uint8

const (
	ConfidenceLow Confidence = iota
	ConfidenceMedium
	ConfidenceHigh
)

// String is the confidence as every output spells it.
func (c Confidence) String() string { return [...]string{"low", "medium", "high"}[min(int(c), 2)] }

// Exposure, privilege and telemetry factors of a severity score.
// Score = 100·B·E·P·T, clipped; cut points 20, 40, 60, 80.
const (
	ExposureUntrusted  = 1.00 // reachable to or from untrusted, or scope could not be computed
	ExposureInternal   = 0.80
	ExposureZone       = 0.60
	ExposureManagement = 0.40
	ExposureHost       = 0.25 // one approved host
	ExposureNone       = 0.10 // not reachable

	PrivilegeDevice = 1.00 // device control, boot image, credentials, hypervisor
	PrivilegeServer = 0.80
	PrivilegeUser   = 0.60
	PrivilegeNone   = 0.40

	TelemetryBlind   = 1.10
	TelemetryPartial = 1.00
	TelemetryFull    = 0.90
)

// Score is the severity of base harm b under exposure e, privilege p and telemetry t.
func Score(b, e, p, t float64) Severity {
	switch s := 100*b*e*p*t + 1e-9; {
	case s >= 80:
		return Critical
	case s >= 60:
		return High
	case s >= 40:
		return Medium
	case s >= 20:
		return Low
	}
	return Info
}

// Needs says what a check cannot do without.
type Needs struct {
	// Evidence a device must have (all of them). For fleet-wide activity hooks: kinds that must exist anywhere.
	Evidence facts.Kind
	// Platforms the device hooks apply to; empty is every one. On others the check is not applicable, which is not a gap.
	Platforms []string
	// Profile: without a profile of earlier weeks the check is not evaluated.
	Profile bool
	// Policy: without a policy file the check is not evaluated.
	Policy bool
	// Earlier: without an earlier state to compare with the check is not evaluated.
	Earlier bool
}

// A Check is a judgement.
type Check struct {
	ID, Slug, Title string
	// Doc says what, why it matters for T1071.002, how it can be wrong, and what tunes it. Markdown.
	Doc string
	// Severity is the check's usual one; findings carry their own.
	Severity Severity
	// Variants name the contexts that change the severity; index 0 is the plain check.
	Variants  []Variant
	Attack    []string // ATT&CK technique IDs
	Analytics []string // DET0416 analytics this check serves: AN1169 ...
	Controls  []string
	False     string            // known false positives
	Fixes     map[string]string // by platform folder name; "" is the general one
	Needs     Needs

	Device func(*Pass, *facts.Device)
	Change func(p *Pass, before, after *facts.Device)
	Pair   func(p *Pass, k tally.Key, now, before *tally.Pair)
	Series func(p *Pass, k tally.SeriesKey, now, before *tally.Series)
	Trail  func(*Pass, tally.Entity, []tally.Event)
	Fleet  func(*Pass, *Rollup)
}

// A Variant is the same check in a context that changes its severity.
type Variant struct {
	Name     string
	Severity Severity
}

// A Subject is what a finding is about. Name never contains counts, times, line numbers or secrets: it is in the
// fingerprint.
type Subject struct{ Kind, Name string }

// An Interval of event times; zero for findings about state.
type Interval struct{ First, Last time.Time }

// A Signal is a finding's weight in a case, by class of evidence (NET, CLI, CFG, STATE, HOST).
type Signal struct {
	Weight float64
	Class  string
}

// A State says how a finding relates to what was known.
type State uint8

const (
	New      State = iota
	Known          // in the baseline
	Accepted       // covered by an exception
	Reopened       // its exception expired
)

// String is the state as json-v1 spells it.
func (s State) String() string {
	return [...]string{"new", "known", "accepted", "reopened"}[min(int(s), 3)]
}

// A Finding is one problem of one subject.
type Finding struct {
	Check       *Check
	Variant     uint8
	Device      string // ID; empty when the subject is no device
	Subject     Subject
	Severity    Severity
	Confidence  Confidence
	Message     string // one sentence, subject first, concrete values, no advice
	When        Interval
	Entities    []tally.Entity
	Spans       []Mark            // primary first
	Anchor      *policy.Line      // the policy line it is about, for findings about the policy
	Evidence    map[string]string // further values worth showing, by name
	Fix         string            // for this platform and this value; empty: the check's
	Signal      Signal
	Near        *policy.NearMiss
	Accepted    *policy.Acceptance
	State       State
	Fingerprint string // filled by the engine
}

// A Mark is a span with its role: "", "applied here", "defined here", "tool recognised here" ...
type Mark struct {
	Span evidence.Span
	Role string
}

// A Gap is a check that could not be evaluated somewhere.
type Gap struct {
	Check    string
	Device   string // empty: nowhere
	Analytic string
	Missing  string // one phrase: what evidence is missing, and why
}

// A DeviceInfo is what stays known of a device after its own judgement: facts of the whole fleet are never in memory at once.
type DeviceInfo struct {
	ID       string
	Hostname string
	Platform string
	Model    string
	Version  string
	Role     string // from the inventory; empty when not stated
	Site     string
	Zone     string // policy zone the inventory states; empty when not
	Has      facts.Kind
	Tool     facts.Tool
	Parts    []facts.Part
	Lines    facts.Lines
	Addrs    []netip.Addr // interface addresses, sorted
	Services []facts.Service
}

// A Rollup is what the fleet phase sees.
type Rollup struct {
	Devices  []*DeviceInfo
	Findings []*Finding // of the earlier phases, sorted
	Expired  []ExpiredException
	Tallied  *tally.Result
}

// An ExpiredException is one past its date with the findings it would have covered.
type ExpiredException struct {
	Exception policy.Exception
	Covered   []*Finding
}
