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

// TransferEnabled is QM3001.
func TransferEnabled() *audit.Check {
	return &audit.Check{
		ID: "QM3001", Slug: "chg-ft-enabled", Title: "Transfer service or client newly configured", Severity: audit.High,
		Doc: `A change configured a file transfer: a server that publishes files, or something that fetches or sends them.

## Why it matters

A transfer that was not there yesterday is how T1071.002 begins on a device, and often it is taken away again before anyone
looks: a tftp-server line for an hour, an archive path that points elsewhere for a night.

## How it is decided
` + comparing + `
A server counts when it is enabled now and was not: by protocol, what it publishes, and VRF. A client counts by its use,
protocol, server and path. A client whose server the policy approves is low.

## How it can be wrong

A planned change that no change window covers looks the same: compare it with the ticket. An operator who rebuilds a device
from a template enables what the template has.

## Tunables

"change_windows", "servers" and "destinations: allow" of the policy.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1059.008", "T1542.005", "T1105"}, Analytics: []string{"AN1173"},
		Controls: []string{"CM-3", "CM-5", "AU-12", "PCI 6.5.1", "PCI 1.2.2", "A.8.32", "CISA-HG24", "CIS-IOS 1.1.7"},
		False:    "a change with a ticket, a window and a person",
		Fixes:    map[string]string{"": "revert the change, and review the session of the user who made it"},
		Needs:    changeNeeds(), Change: transferEnabled,
	}
}

func transferEnabled(p *audit.Pass, before, after *facts.Device) {
	for i := range after.Services {
		s := &after.Services[i]
		if !facts.On(s.Enabled) || s.Role == facts.RoleALG || s.Role == facts.RoleShell || !movesFiles(s.Protocol) || s.Span.IsZero() {
			continue
		}
		was := slices.IndexFunc(before.Services, func(o facts.Service) bool {
			return o.Protocol == s.Protocol && o.Role == s.Role && o.Path == s.Path && o.Scope == s.Scope && (facts.On(o.Enabled) || !o.Enabled.Known() && o.Enabled.Origin == facts.Masked)
		})
		if was >= 0 || judge.Removed(before, strings.Fields(s.Name + " ")[0]) != "" && s.Protocol == facts.TFTP {
			continue
		}
		name := strings.TrimSpace(s.Name + " " + s.Path)
		if s.Scope != "" {
			name += " vrf " + s.Scope
		}
		changed(p, audit.Finding{
			Subject: audit.Subject{Kind: "service", Name: name}, Severity: audit.Score(.80, audit.ExposureInternal, audit.PrivilegeDevice, judge.Telemetry(after)),
			Message: fmt.Sprintf("%s serves files by %s since a change (%q)", after.ID, judge.Upper(s.Protocol), name),
			Spans:   judge.Mark(judge.Mark(nil, "", s.Enabled.Span, s.Span)[:1], "", s.Span), Signal: audit.Signal{Weight: .50, Class: "CFG"},
		})
	}
	for i := range after.Clients {
		c := &after.Clients[i]
		if c.Use == "settings" || facts.Off(c.Enabled) || c.Host == "" && c.URL == "" || !movesFiles(c.Protocol) && c.Protocol != facts.HTTP && c.Protocol != facts.HTTPS {
			continue
		}
		same := func(o facts.Client) bool {
			return o.Use == c.Use && o.Protocol == c.Protocol && strings.EqualFold(o.Host, c.Host) && o.Path == c.Path && o.Scope == c.Scope && !facts.Off(o.Enabled)
		}
		if slices.ContainsFunc(before.Clients, same) {
			continue
		}
		exposure := audit.ExposureInternal
		if judge.ApprovedServer(p, c.Addr) {
			exposure = audit.ExposureHost
		}
		changed(p, audit.Finding{
			Subject:  audit.Subject{Kind: c.Use, Name: strings.TrimSpace(fmt.Sprintf("%s %s %s %s", c.Name, c.Protocol, c.Host, c.Path))},
			Severity: audit.Score(.80, exposure, audit.PrivilegeDevice, judge.Telemetry(after)),
			Message:  fmt.Sprintf("%s transfers files by %s with %s since a change (%q)", after.ID, judge.Upper(c.Protocol), cmp.Or(c.Host, "a server that is not named"), c.Name),
			Spans:    judge.Mark(nil, "", c.Span), Signal: audit.Signal{Weight: .50, Class: "CFG"},
		})
	}
}

// movesFiles reports whether a protocol's purpose is to move files.
func movesFiles(p facts.Protocol) bool {
	switch p {
	case facts.FTP, facts.FTPS, facts.TFTP, facts.SMB, facts.SCP, facts.SFTP, facts.RCP, facts.SmartInstall, facts.NFS:
		return true
	case facts.ProtocolUnknown, facts.HTTP, facts.HTTPS, facts.Telnet, facts.SSH:
	}
	return false
}
