// Package policy is the user's file of zones, roles, thresholds, workflows and exceptions, every value with its line.
//
// A Policy is immutable after Load. Addresses match the longest prefix. Without a file, Builtin says that RFC 1918, ULA
// (RFC 4193), link-local and loopback addresses are inside, everything else is external, and nothing is approved.
package policy

import (
	"net/netip"
	"time"

	"github.com/gaissmai/bart"
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

// A Workflow is an approved transfer. A transfer is approved only when everything matches.
type Workflow struct {
	ID, Owner, Approver, Ticket, Reason string
	Starts, Expires                     time.Time // Expires is exclusive: approved until the day before ends
	Protocols                           []facts.Protocol
	From, To                            Ends
	Direction                           string // upload, download, both
	Window                              Window
	MaxBytes                            int64  // of one transfer; 0 unlimited
	File                                string // glob on the file's base name; empty any
	MonitoredBy, Evidence               []string
	Line                                Line
}

// InForce reports whether a workflow approves anything at t.
func (w *Workflow) InForce(t time.Time) bool {
	return (w.Starts.IsZero() || !t.Before(w.Starts)) && (w.Expires.IsZero() || t.Before(w.Expires))
}

// Ends are the addresses of one side of a workflow.
type Ends struct {
	Names    []string // as written: zones, roles, devices, networks
	Prefixes []netip.Prefix
	Zones    []string
}

// A Window is when a workflow may run. The zero Window is always.
type Window struct {
	Days     uint8 // bit 0 is Sunday; 0 is every day
	From, To int   // minutes of the day; To before From crosses midnight; both 0 is all day
	Zone     *time.Location
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

// A Role names devices or addresses that do the same work.
type Role struct {
	Name    string
	Devices []string // globs on device IDs
	CIDRs   []netip.Prefix
	Line    Line
}

// A Cell of the matrix allows protocols from one zone to another.
type Cell struct {
	From, To  string
	Protocols []facts.Protocol
	Line      Line
}

// A Requirement is a kind of evidence without which a run is incomplete.
type Requirement struct {
	Kind   facts.Kind
	MaxAge time.Duration // 0: any age
	Line   Line
}

// A Policy is a loaded policy file.
type Policy struct {
	Path          string // empty: built in
	Digest        string // SHA-256 of the file's text, hexadecimal; empty: built in
	Zones         []Zone
	Roles         []Role
	Workflows     []Workflow
	Exceptions    []Exception
	Matrix        []Cell
	Servers       []netip.Prefix // approved transfer servers
	Collectors    []netip.Prefix // approved log collectors
	Allow, Deny   []netip.Prefix // destinations: local allow and reputation lists
	ChangeWindows []Window
	Required      []Requirement
	Ignore        []string
	// Thresholds by analytic and DET0416's mutable element, as written.
	Thresholds map[string]map[string]string
	table      *bart.Table[int]
}

// Zone is the zone of a: longest prefix wins; an address in no zone is in the built-in external one.
func (p *Policy) Zone(a netip.Addr) Zone {
	if i, ok := p.table.Lookup(a.Unmap()); ok {
		return p.Zones[i]
	}
	return Zone{Name: "outside", Trust: External}
}

// index prepares Zone.
func (p *Policy) index() *Policy {
	p.table = new(bart.Table[int])
	for i, z := range p.Zones {
		for _, c := range z.CIDRs {
			p.table.Insert(c, i)
		}
	}
	return p
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

// Rename calls the policy file name from now on, for a copy whose own path says nothing.
func (p *Policy) Rename(name string) {
	p.Path = name
	for i := range p.Zones {
		p.Zones[i].Line.Path = name
	}
	for i := range p.Workflows {
		p.Workflows[i].Line.Path = name
	}
	for i := range p.Exceptions {
		p.Exceptions[i].Line.Path = name
	}
}
