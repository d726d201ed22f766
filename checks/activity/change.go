package activity

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// Variants of the checks that compare two states of a device.
const (
	changeOpen = iota
	changeWindowed
)

func changeVariants(usual audit.Severity) []audit.Variant {
	return []audit.Variant{
		changeOpen: {Name: "outside of the change windows, or at an unknown time", Severity: usual}, changeWindowed: {Name: "inside a change window", Severity: audit.Low},
	}
}

// changeNeeds is what a comparison cannot do without.
func changeNeeds() audit.Needs { return audit.Needs{Evidence: facts.HasConfig, Earlier: true} }

// comparing is the part of the Doc that all these checks share.
const comparing = `
Two states are compared: --against OLD, or each commit of git:REPO@FROM..TO with its parent, so that what was added and
removed between two backups is found, with the commit and its author. Statements are compared by what they mean: a line that
moved, or a name that changed its spelling, is no change. What one of the two states cannot tell (removed by a backup tool,
not understood) is no change either.

A change is low when it was made inside one of the policy's change windows. The time is that of the commit, which is when
the backup tool saw it: with two states alone it is not known, and nothing is taken for approved.
`

// changed is a finding about a change: low when it was made in a window.
func changed(p *audit.Pass, f audit.Finding) {
	f.Confidence = audit.ConfidenceHigh
	if at := p.Made(); !at.IsZero() && slices.ContainsFunc(p.Policy.ChangeWindows, func(w policy.Window) bool { return w.Holds(at) }) {
		f.Variant, f.Severity = changeWindowed, min(f.Severity, audit.Low)
	}
	p.Report(f)
}

// outside reports whether an address belongs to nobody's internal or partner zone.
func outside(p *audit.Pass, a netip.Addr) bool {
	return a.IsValid() && !a.IsLoopback() && !a.IsMulticast() && !a.IsUnspecified() && p.Zone(a).Trust == policy.External
}
