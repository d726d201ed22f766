package exposure

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// TFTPNoACL is QM1003.
func TFTPNoACL() *audit.Check {
	return &audit.Check{
		ID: "QM1003", Slug: "svc-tftp-no-acl", Title: "TFTP server without a client ACL", Severity: audit.High,
		Doc: `A published file of a TFTP server has no client list, or one that is undefined, empty or permits any.

## Why it matters

TFTP has no login: the client list is all that stands between a published file and everyone who can send a packet. Without
one the device is what T1602.002 needs, and a drop T1071.002 can poll.

## How it is decided

Each published file by itself, since each names its own list. On IOS a list that is referenced and not defined, or has no
line, permits everyone; whether a list permits any is asked of the list itself. The finding is high wherever the device
stands: the severity of the server itself, which counts the filters in front, is svc-tftp-server's.

## How it can be wrong

Filters in front of the device, or on its interfaces, may keep clients away all the same. A list whose content a backup
tool removed is listed as not evaluated.

## Tunables

None.
`,
		Variants: []audit.Variant{
			{Name: "no client list", Severity: audit.High}, {Name: "the client list permits any", Severity: audit.High},
			{Name: "the client list is undefined", Severity: audit.High}, {Name: "the client list is empty", Severity: audit.High},
		},
		Attack: []string{"T1602.002"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000130", "NSA 7.4", "AC-4", "PCI 1.2.6"},
		False: "none",
		Fixes: map[string]string{facts.CiscoIOS: "access-list <n> permit host <client>\ntftp-server <file> <n>"},
		Needs: tftpPlatforms(),
		Device: func(p *audit.Pass, d *facts.Device) {
			files, all := tftpFiles(d)
			for _, s := range files {
				tftpClients(p, d, s)
			}
			tftpGap(p, d, &all)
		},
	}
}

func tftpClients(p *audit.Pass, d *facts.Device, s *facts.Service) {
	v, what := uint8(0), ""
	switch list, why := judge.Clients(p, d, s.ACL, s.Scope); list {
	case judge.ListLimits:
		return
	case judge.ListUnknown:
		p.NotEvaluated(fmt.Sprintf("%s: %s", serviceSubject(s).Name, why))
		return
	case judge.NoList:
		what = "without a client list"
	case judge.ListOpen:
		v, what = 1, fmt.Sprintf("under client list %q, which permits any", s.ACL.Val)
	case judge.ListUndefined:
		v, what = 2, fmt.Sprintf("under client list %q, which is not defined and so permits any", s.ACL.Val)
	case judge.ListEmpty:
		v, what = 3, fmt.Sprintf("under client list %q, which has no line and so permits any", s.ACL.Val)
	}
	// Alone it is high, with or without a way from outside (catalogue): the base is chosen so that both are.
	e := max(judge.Facing(p, d).Factor, audit.ExposureInternal)
	p.Report(audit.Finding{
		Variant: v, Subject: serviceSubject(s), Severity: audit.Score(.75, e, audit.PrivilegeDevice, audit.TelemetryPartial),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s %s %s", d.ID, serves(s), what),
		Spans: serviceMarks(d, s, nil), Fix: limitedTo(s), Signal: audit.Signal{Weight: .15, Class: "CFG"},
	})
}
