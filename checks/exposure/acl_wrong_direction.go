package exposure

import (
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// WrongDirection is QM2011.
func WrongDirection() *audit.Check {
	return &audit.Check{
		ID: "QM2011", Slug: "acl-wrong-direction", Title: "ACL applied where it cannot match", Severity: audit.Medium,
		Doc: `A filter denies a transfer protocol to sources that are behind another side of the interface than the one it looks at.

## Why it matters

The list reads right and is applied, and no packet ever matches the line: what it was written against (T1048) passes.

## How it is decided

For each line that denies a transfer protocol to stated sources, at every place its filter is applied to: inbound, are the
sources behind the interface; outbound, behind any other? Connected networks and static routes tell. The line is reported when
the answer is no everywhere and some other side has the sources.

## How it can be wrong

Learned routes and asymmetric paths bring sources in where no static route leads: the finding has medium confidence.

## Tunables

None.
`,
		Analytics: []string{"AN1173"}, Attack: []string{"T1048"}, Controls: []string{"CISC-RT-000330", "CISC-RT-000340"},
		False: "asymmetric designs",
		Fixes: map[string]string{"": "apply the list on the interface the sources come in by, or in the other direction"},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			astray(p, d, func(x *stray) {
				if x.elsewhere {
					f := x.finding(d, 0, "they are behind another interface, or the other direction")
					f.Severity = audit.Score(.50, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial)
					p.Report(f)
				}
			})
		},
	}
}
