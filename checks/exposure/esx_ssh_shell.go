package exposure

import (
	"fmt"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/tally"
)

// Variants of QM1405.
const (
	shellRuns = iota
	shellStarts
	shellEvent
)

// ShellOpen is QM1405.
func ShellOpen() *audit.Check {
	return &audit.Check{
		ID: "QM1405", Slug: "esx-ssh-shell", Title: "SSH or ESXi shell running or auto-start", Severity: audit.Medium,
		Doc: `SSH or the ESXi shell of a host runs, starts with the host, or was started.

## Why it matters

scp and sftp come with SSH, and wget, ftpget and python are in the shell: every transfer that AN1172 describes (T1071.002)
begins here. Both are stopped by default.

## How it is decided

By config.service of the host: TSM-SSH and TSM, whether they run, and whether their policy is "on". A log or audit record
that one was started is a finding of its own, outside of the policy's change windows.

## How it can be wrong

A support session or a break-glass login has an owner and an end: record an exception that expires. vCenter's copy of the
services can be older than the host's state.

## Tunables

"change_windows" for the records; "zones".
`,
		Variants: []audit.Variant{
			shellRuns: {Name: "runs", Severity: audit.Medium}, shellStarts: {Name: "stopped, and starts with the host", Severity: audit.Medium},
			shellEvent: {Name: "started, in a log", Severity: audit.Medium},
		},
		Attack: []string{"T1021.004", "T1059.012"}, Analytics: []string{"AN1172"},
		Controls: []string{"ESXI-80-000193", "ESXI-80-000194", "ESXI-80-000195", "SCG ssh", "SCG deactivate-shell", "PCI 2.2.4"},
		False:    "a change window, or break-glass access",
		Fixes: map[string]string{facts.VMwareESX: "govc host.service stop TSM-SSH\ngovc host.service disable TSM-SSH\n" +
			"govc host.service stop TSM\ngovc host.service disable TSM"},
		Needs: esxiNeeds(),
		Device: func(p *audit.Pass, d *facts.Device) {
			seen := false
			for i := range d.Services {
				if s := &d.Services[i]; shellName(s.Name) != "" {
					seen = true
					shell(p, d, s)
				}
			}
			if !seen {
				p.NotEvaluated(notGiven(d, "config.service.service"))
			}
		},
		Trail: shellTrail,
	}
}

// shellName is what a service is called in messages; empty when it opens no shell. Records name the service by its key or
// by its label ("SSH", "ESXi Shell").
func shellName(service string) string {
	switch strings.ToLower(service) {
	case "tsm-ssh", "ssh":
		return "SSH"
	case "tsm", "esxi shell", "esxishell":
		return "the ESXi shell"
	}
	return ""
}

func shell(p *audit.Pass, d *facts.Device, s *facts.Service) {
	auto := s.Policy.Known() && s.Policy.Val == "on"
	v, state := uint8(shellRuns), "runs"
	switch {
	case facts.On(s.Enabled) && auto:
		state = "runs, and starts with the host"
	case facts.On(s.Enabled):
	case auto:
		v, state = shellStarts, "is stopped, and starts with the host"
	case !s.Enabled.Known():
		p.NotEvaluated(fmt.Sprintf("whether %q runs is unknown", s.Name))
		return
	case !s.Policy.Known():
		p.NotEvaluated(fmt.Sprintf("whether %q starts with the host is unknown", s.Name))
		return
	default:
		return
	}
	marks := judge.Mark(nil, "", s.Span)
	if facts.On(s.Enabled) {
		marks = judge.Mark(marks, "running", s.Enabled.Span)
	}
	if auto {
		marks = judge.Mark(marks, "starts with the host", s.Policy.Span)
	}
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "service", Name: s.Name},
		Severity:   audit.Score(.55, esxiExposure(p, d), audit.PrivilegeDevice, judge.Telemetry(d)),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: %s (%s) %s", d.ID, shellName(s.Name), s.Name, state), Spans: marks,
		Fix:    fmt.Sprintf("govc host.service stop %s\ngovc host.service disable %s", s.Name, s.Name),
		Signal: audit.Signal{Weight: .20, Class: "STATE"},
	})
}

func shellTrail(p *audit.Pass, e tally.Entity, events []tally.Event) {
	for _, name := range []string{"SSH", "the ESXi shell"} {
		f := happened(p, e, events, func(c *facts.Change) bool { return c.What == "service-start" && shellName(c.Subject) == name })
		if f == nil {
			continue
		}
		f.Variant, f.Subject = shellEvent, audit.Subject{Kind: "service", Name: name + " started"}
		f.Severity = audit.Score(.55, audit.ExposureInternal, audit.PrivilegeDevice, audit.TelemetryPartial)
		f.Message = fmt.Sprintf("%s: a log says that %s was started%s", e.Name, name, offWindow(p))
		f.Signal = audit.Signal{Weight: .20, Class: "STATE"}
		p.Report(*f)
	}
}
