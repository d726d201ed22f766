package exposure

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// Variants of QM2004.
const (
	pairPlain = iota
	pairControl
)

// ZonePairs is QM2004.
func ZonePairs() *audit.Check {
	return &audit.Check{
		ID: "QM2004", Slug: "acl-zone-pair-matrix", Title: "Permitted zone pair not in the segmentation matrix", Severity: audit.Medium,
		Doc: `A device passes a file transfer protocol from one internal zone to another, and the policy's matrix does not allow it.

## Why it matters

From the first host inside, tools and what was collected travel by shares and transfer servers (T1021.002, T1570). The matrix
says which zones have to exchange files; all else is a path that nobody asked for.

## How it is decided

By the filters themselves, exactly: from every interface with an internal zone behind it to every other one, is there a packet
of the protocol from an address known to be there to one known to be there? What a cell of the matrix allows, and what an
approved workflow allows, is taken out. One finding for each pair of zones and device, with one packet and the lines that let
it through. A pair that nothing filters counts too.

A policy without a matrix has not said what may pass: then only ways into zones of the kinds management and hypervisor from
zones of the kinds user and dmz are reported. SMB between users is acl-user-smb-lateral.

## How it can be wrong

Another device on the path may deny it: no path across devices is claimed. Networks whose routes were learned are not known
to be behind an interface and are not asked about.

## Tunables

"zones" with kind, "matrix" and "workflows" of the policy.
`,
		Variants: []audit.Variant{
			pairPlain: {Name: "between zones", Severity: audit.Medium}, pairControl: {Name: "into management or hypervisors", Severity: audit.High},
		},
		Attack: []string{"T1021.002", "T1570", "T1599"}, Analytics: []string{"AN1173"},
		Controls: []string{"NSA 2.2", "M1030", "AC-4", "PCI 1.4", "A.8.22", "CSF PR.IR-01", "ID.AM-03"},
		False:    "none: allow the cell in the matrix, or approve a workflow with its owner and expiry",
		Fixes:    map[string]string{"": "deny the protocol between the zones, or narrow the line that permits it to the hosts that need it"},
		Needs:    audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig, Policy: true},
		Device:   zonePairs,
	}
}

func zonePairs(p *audit.Pass, d *facts.Device) {
	n := newInside(p, d, func(from, to *policy.Zone, proto facts.Protocol) bool {
		switch {
		case from.Name == to.Name || proto == facts.SMB && from.Kind == "user" && to.Kind == "user":
			return false
		case len(p.Policy.Matrix) > 0:
			return true
		}
		return controls(to) && (from.Kind == "user" || from.Kind == "dmz")
	})
	n.paths()
	n.each(func(c *crossing) {
		f := audit.Finding{
			Subject:  audit.Subject{Kind: "zone pair", Name: c.from.Name + " to " + c.to.Name},
			Severity: audit.Score(.60, audit.ExposureUntrusted, judge.Privilege(c.to), judge.Telemetry(d)),
			Message:  fmt.Sprintf("%s lets %s pass from zone %s to zone %s by %s", d.ID, judge.Join(c.names()), c.from.Name, c.to.Name, c.text()),
		}
		if controls(&c.to) {
			f.Variant = pairControl
		}
		n.show(&f, c)
		p.Report(f)
	})
}

// controls reports whether what a zone holds controls others.
func controls(z *policy.Zone) bool { return z.Kind == "management" || z.Kind == "hypervisor" }
