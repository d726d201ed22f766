package exposure

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// UserSMB is QM2005.
func UserSMB() *audit.Check {
	return &audit.Check{
		ID: "QM2005", Slug: "acl-user-smb-lateral", Title: "Workstation-to-workstation SMB permitted", Severity: audit.Medium,
		Doc: `A device passes SMB from one network of users to another.

## Why it matters

Workstations have no business with each other's shares, and intruders have: the administrative shares are how tools are
carried from host to host and run there (T1021.002, T1570).

## How it is decided

By the filters themselves, exactly: from every interface with a zone of kind user behind it to every other one, is there a
packet to TCP 445 or 139, or to UDP 137 or 138, between addresses that are known to be there? What the matrix or a workflow
approves is taken out. One finding for each pair of zones and device.

Within one network nothing passes a router or firewall: port isolation of switches is not looked at.

## How it can be wrong

Printers and scanners that live in a user network: give them a zone, or a workflow.

## Tunables

"zones" with kind user, "matrix" and "workflows" of the policy. Without a zone of kind user nothing is reported.
`,
		Attack: []string{"T1021.002", "T1570"}, Analytics: []string{"AN1173"}, Controls: []string{"M1037", "M1035", "AC-4"},
		False: "print and scan hosts in a user network",
		Fixes: map[string]string{"": "deny tcp 139 and 445 and udp 137 and 138 between networks of users"},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig, Policy: true},
		Device: func(p *audit.Pass, d *facts.Device) {
			n := newInside(p, d, func(from, to *policy.Zone, proto facts.Protocol) bool {
				return proto == facts.SMB && from.Kind == "user" && to.Kind == "user"
			})
			n.paths()
			n.each(func(c *crossing) {
				where := fmt.Sprintf("from zone %s to zone %s", c.from.Name, c.to.Name)
				if c.from.Name == c.to.Name {
					where = "between networks of zone " + c.from.Name
				}
				f := audit.Finding{
					Subject:  audit.Subject{Kind: "zone pair", Name: c.from.Name + " to " + c.to.Name},
					Severity: audit.Score(.55, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial),
					Message:  fmt.Sprintf("%s lets SMB pass %s by %s", d.ID, where, c.text()),
				}
				n.show(&f, c)
				p.Report(f)
			})
		},
	}
}
