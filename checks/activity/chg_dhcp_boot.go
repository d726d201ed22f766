package activity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// DHCPBoot is QM3006.
func DHCPBoot() *audit.Check {
	return &audit.Check{
		ID: "QM3006", Slug: "chg-dhcp-boot", Title: "DHCP boot server / option changed", Severity: audit.High,
		Doc: `A change made a device tell DHCP clients of another boot server, boot file or provisioning address: options 43, 66, 67, 150,
or the next server.

## Why it matters

Whoever names the boot server owns every phone, access point and switch that boots from it (T1542.005): they fetch their
image and configuration by TFTP, and T1071.002 is inside the building.

## How it is decided
` + comparing + `
A value counts when the later state tells of a server or file that the earlier one did not, for the same scope. A server that
the policy approves is low. A value that was only taken away is no finding: clients then boot from what they have.

## How it can be wrong

A new provisioning server, with a ticket.

## Tunables

"servers" and "change_windows" of the policy.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1557", "T1542.005"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-3"},
		False: "a provisioning server that moved, with a ticket",
		Fixes: map[string]string{"": "restore the option, and see which clients booted since"},
		Needs: changeNeeds(), Change: dhcpBoot,
	}
}

func dhcpBoot(p *audit.Pass, before, after *facts.Device) {
	for i := range after.Clients {
		c := &after.Clients[i]
		if c.Use != "dhcp-option" || facts.Off(c.Enabled) || slices.ContainsFunc(before.Clients, func(o facts.Client) bool {
			return o.Use == c.Use && o.Name == c.Name && o.Host == c.Host && o.Path == c.Path && o.URL == c.URL && o.Scope == c.Scope
		}) {
			continue
		}
		exposure := audit.ExposureUntrusted
		if judge.ApprovedServer(p, c.Addr) {
			exposure = audit.ExposureHost
		}
		what := cmp.Or(c.Host, c.Path, c.URL, "another value")
		changed(p, audit.Finding{
			Subject:  audit.Subject{Kind: "dhcp", Name: strings.TrimSpace(c.Name + " " + what + " " + c.Scope)},
			Severity: audit.Score(.80, exposure, audit.PrivilegeServer, judge.Telemetry(after)),
			Message:  fmt.Sprintf("%s tells DHCP clients of %q since a change (%s)", after.ID, what, c.Name),
			Spans:    judge.Mark(nil, "", c.Span), Signal: audit.Signal{Weight: .40, Class: "CFG"},
		})
	}
}
