package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// TransportOutput is QM2014.
func TransportOutput() *audit.Check {
	return &audit.Check{
		ID: "QM2014", Slug: "acl-vty-transport-output", Title: "VTY allows outbound client sessions", Severity: audit.Medium,
		Doc: `A login line lets its user start sessions to other hosts.

## Why it matters

Who has a shell on a router has the reach of the router: the next device, the server behind the management list (T1021, T1090),
and from there what is to be carried. AA25-239A names "transport output none" for it.

## How it is decided

Lines that take logins and do not say "transport output none": what they say, or the default of the platform, which is telnet
on IOS. A list in "access-class OUT" does not change that there are such sessions. One finding for each device.

## How it can be wrong

A router that is the way to console ports or to other devices on purpose.

## Tunables

None.
`,
		Attack: []string{"T1021", "T1105", "T1090"}, Analytics: []string{"AN1173"}, Controls: []string{"AA25-239A", "NSA 7.7"},
		False:  "a router that serves as jump host",
		Fixes:  map[string]string{facts.CiscoIOS: "line vty 0 15\n transport output none", "": "let no sessions out of login lines"},
		Needs:  audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: transportOutput,
	}
}

func transportOutput(p *audit.Pass, d *facts.Device) {
	var lines, how []string
	var marks []audit.Mark
	for i := range d.Access {
		a := &d.Access[i]
		if !strings.HasPrefix(a.Name, "line vty") || !a.Out.Known() || len(a.Out.Val) == 0 || facts.Off(a.Enabled) || a.In.Known() && len(a.In.Val) == 0 {
			continue
		}
		lines = append(lines, fmt.Sprintf("%q", a.Name))
		for _, word := range a.Out.Val {
			if a.Out.Origin == facts.Default {
				word += " by default"
			}
			if !slices.Contains(how, word) {
				how = append(how, word)
			}
		}
		marks = judge.Mark(judge.Mark(marks, "", a.Out.Span), "login line", a.Span)
	}
	if len(lines) == 0 {
		return
	}
	p.Report(audit.Finding{
		Subject: audit.Subject{Kind: "access", Name: "sessions from login lines"}, Severity: audit.Score(.40, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s lets who is logged in on %s start sessions to other hosts (%s)", d.ID, judge.Join(lines), judge.Join(how)),
		Spans: marks, Signal: audit.Signal{Weight: .05, Class: "CFG"},
	})
}
