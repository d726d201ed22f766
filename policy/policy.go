// Package policy is the user's file of zones, roles, thresholds, workflows and exceptions, every value with its line.
//
// A Policy is immutable after Load. Addresses match the longest prefix. Without a file, Builtin says that RFC 1918, ULA
// (RFC 4193), link-local and loopback addresses are inside, everything else is external, and nothing is approved.
package policy

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// Trust is how far a zone is trusted.
type Trust uint8

const (
	External Trust = iota // the zero value: an address nobody owns is outside
	Partner
	Internal
)

// String is the trust as the policy file spells it.
func (t Trust) String() string { return [...]string{"external", "partner", "internal"}[min(int(t), 2)] }

// A Line is a place in the policy file.
type Line struct {
	Path         string
	Line, Column int
}

// A Zone is a segment of addresses.
type Zone struct {
	Name  string
	CIDRs []netip.Prefix
	Trust Trust
	// Kind tells what lives there: management, hypervisor, server, user, dmz; empty when not stated.
	Kind string
	Line Line
}

// An Acceptance is an exception that covers a finding.
type Acceptance struct {
	ID, By, Owner, Ticket, Reason string
	Expires                       time.Time
	Line                          Line
}

// A NearMiss names the workflow a transfer almost matched, and what differed.
type NearMiss struct {
	Workflow string
	Owner    string
	Differs  []string // "window", "direction", "destination", "size", "file", "user", "expired"
	Line     Line
}

// A Workflow is an approved transfer.
type Workflow struct {
	ID, Owner, Approver, Ticket, Reason string
	Starts, Expires                     time.Time
	Protocols                           []facts.Protocol
	From, To                            []netip.Prefix // zones and devices resolved where they name addresses
	FromNames, ToNames                  []string       // device names, roles and zones as written
	Direction                           string         // upload, download, both
	Line                                Line
}

// An Exception is a finding accepted for a while.
type Exception struct {
	ID, Check, Owner, Approver, Ticket, Reason string
	Device, Subject                            string // globs; empty matches every one
	Fingerprint                                string
	Starts, Expires                            time.Time
	MonitoredBy, Evidence                      []string
	Line                                       Line
}

// A Policy is a loaded policy file.
type Policy struct {
	Path       string // empty: built in
	Zones      []Zone
	Workflows  []Workflow
	Exceptions []Exception
}

// Zone is the zone of a: longest prefix wins; an address in no zone is in the built-in external one.
func (p *Policy) Zone(a netip.Addr) Zone {
	a = a.Unmap()
	best, bits := Zone{Name: "outside", Trust: External}, -1
	for _, z := range p.Zones {
		for _, c := range z.CIDRs {
			if c.Bits() > bits && c.Contains(a) {
				best, bits = z, c.Bits()
			}
		}
	}
	return best
}

// Covers reports whether x is about the finding, whatever its dates.
func (x *Exception) Covers(id, slug, device, subject, fingerprint string) bool {
	if x.Fingerprint != "" && x.Fingerprint != fingerprint {
		return false
	}
	if x.Check != id && x.Check != slug {
		return false
	}
	return glob(x.Device, device) && glob(x.Subject, subject)
}

// glob matches * and ? anywhere; an empty pattern matches everything.
func glob(pattern, s string) bool {
	if pattern == "" {
		return true
	}
	p, i, star, mark := 0, 0, -1, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]) && pattern[p] != '*':
			p, i = p+1, i+1
		case p < len(pattern) && pattern[p] == '*':
			star, mark, p = p, i, p+1
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	for p < len(pattern) && pattern[p] == '*' {
		p++
	}
	return p == len(pattern)
}
