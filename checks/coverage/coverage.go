// Package coverage holds the checks that ask whether we would know: telemetry that is missing, and evidence that was not
// understood.
package coverage

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// NoRemoteSyslog is QM4001.
func NoRemoteSyslog() *audit.Check {
	return &audit.Check{
		ID: "QM4001", Slug: "tel-no-remote-syslog", Title: "No remote syslog destination", Severity: audit.High,
		Doc: `A device or host sends its log nowhere, its logging is switched off, or it logs to a host that is no approved collector.

## Why it matters

Whatever happened on it is known to itself alone, until somebody clears the buffer or the reboot does.

## How it is decided

IOS "logging host" and the master switch; ASA "logging host" with "logging enable"; Junos "system syslog host" and the
security log's stream; ESXi Syslog.global.logHost. Absence counts only in a whole configuration. With "collectors" in the
policy, any other destination is a finding of its own.

## How it can be wrong

A configuration that was cut is not judged. Logs may be taken from the device by other means: say so in an exception's
monitored_by; the finding itself cannot be accepted away.
`,
		Variants: []audit.Variant{{Name: "no destination", Severity: audit.High}, {Name: "logging is off", Severity: audit.High}, {Name: "destination is no approved collector", Severity: audit.High}},
		Attack:   []string{"T1562.006", "T1070"}, Analytics: []string{"AN1173", "AN1172"},
		Controls: []string{"CIS-IOS 2.2.4", "CIS-ASA 1.10.1", "CIS-JUN 1.7", "CISC-ND-001450", "CISC-ND-001310", "ESXI-80-000114", "ESXI-80-000233", "NSA 6.2", "AU-4(1)", "AU-12", "PCI 10.3.3", "A.8.15", "PR.PS-04"},
		Fixes: map[string]string{
			facts.CiscoIOS: "logging host <collector>\nlogging trap informational", facts.CiscoASA: "logging enable\nlogging host <nameif> <collector>\nlogging trap informational",
			facts.Junos: "set system syslog host <collector> any notice\nset system syslog host <collector> interactive-commands any", facts.VMwareESX: "esxcli system syslog config set --loghost=ssl://<collector>:1514\nesxcli system syslog reload",
		},
		Needs: audit.Needs{Platforms: append(judge.Devices(), facts.VMwareESX)},
		Device: func(p *audit.Pass, d *facts.Device) {
			if d.Has&(facts.HasConfig|facts.HasESXi) == 0 {
				p.NotEvaluated("no config or esxi-state of this device was given")
				return
			}
			remote(p, d)
		},
	}
}

func remote(p *audit.Pass, d *facts.Device) {
	l := &d.Logging
	e := max(judge.Facing(p, d).Factor, audit.ExposureInternal)
	say := func(v uint8, subject, message string, marks []audit.Mark, telemetry float64) {
		p.Report(audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "logging", Name: subject}, Severity: audit.Score(.70, e, audit.PrivilegeDevice, telemetry), Confidence: audit.ConfidenceHigh,
			Message: message, Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
	}
	switch {
	case facts.Off(l.Enabled) && l.Enabled.Origin == facts.Explicit:
		say(1, "logging off", d.ID+": logging is switched off", []audit.Mark{{Span: l.Enabled.Span}}, audit.TelemetryBlind)
		return
	case facts.Off(l.Enabled):
		say(1, "logging off", d.ID+": logging is off, as it is by default", first(d), audit.TelemetryBlind)
		return
	case facts.Off(l.Remote):
		marks := first(d)
		if !l.Remote.Span.IsZero() {
			marks = []audit.Mark{{Span: l.Remote.Span}}
		}
		say(0, "remote syslog", d.ID+" sends its log to no remote host", marks, audit.TelemetryBlind)
		return
	case !l.Remote.Known():
		p.NotEvaluated("whether a remote syslog host is set is unknown: the configuration is not whole, or its options were not given")
		return
	}
	if len(p.Policy.Collectors) == 0 {
		return
	}
	for _, h := range l.Hosts {
		if !h.Addr.IsValid() {
			continue
		}
		ok := false
		for _, c := range p.Policy.Collectors {
			ok = ok || c.Contains(h.Addr)
		}
		if !ok {
			say(2, "destination "+h.Host, fmt.Sprintf("%s sends its log to %s, which is no approved collector", d.ID, h.Host), []audit.Mark{{Span: h.Span}}, audit.TelemetryPartial)
		}
	}
}

// first is where the device names itself: the line to show when what is wrong is that a line is missing.
func first(d *facts.Device) []audit.Mark {
	if d.Hostname.Span.IsZero() {
		return nil
	}
	return []audit.Mark{{Span: d.Hostname.Span, Role: "no such statement in this device's evidence"}}
}

// UnreadTransfer is QM4018.
func UnreadTransfer() *audit.Check {
	return &audit.Check{
		ID: "QM4018", Slug: "tel-unread-transfer-line", Title: "Line naming a transfer protocol was not understood", Severity: audit.Low,
		Doc: `A line of a configuration names a transfer protocol, one of its ports or a transfer URL, and was not understood.

## Why it matters

What was not understood was not judged. Everything else this audit says of the device leaves the line out.

## How it is decided

Lines that are unsupported or unrecognised and name ftp, tftp, smb or cifs, a port of 20, 21, 69, 137 to 139, 445, 989,
990 or 4786, or a transfer URL. Inside a filter that is applied it is medium, and the run is incomplete.

## How it can be wrong

It cannot: read the line by hand, and report the statement so that the dialect learns it.
`,
		Variants:  []audit.Variant{{Name: "outside of filters", Severity: audit.Low}, {Name: "in an applied filter", Severity: audit.Medium}},
		Analytics: []string{"AN1173"}, Controls: []string{"CM-6", "CA-7"},
		Fixes:  map[string]string{"": "read the line by hand; add the statement to the parser"},
		Needs:  audit.Needs{Evidence: facts.HasConfig, Platforms: judge.Devices()},
		Device: unread,
	}
}

func unread(p *audit.Pass, d *facts.Device) {
	type key struct{ word, filter string }
	groups := map[key][]audit.Mark{}
	var order []key
	for _, u := range d.Unread {
		if u.Transfer == "" || u.State != facts.Unsupported && u.State != facts.Unrecognised {
			continue
		}
		k := key{u.Transfer, u.Filter}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], audit.Mark{Span: u.Span})
	}
	slices.SortFunc(order, func(a, b key) int { return cmp.Or(cmp.Compare(a.word, b.word), cmp.Compare(a.filter, b.filter)) })
	for _, k := range order {
		v, b, where := uint8(0), .30, "outside of filters"
		if k.filter != "" {
			where = fmt.Sprintf("in filter %q", k.filter)
			if bound(d, k.filter) {
				v, b, where = 1, .50, fmt.Sprintf("in filter %q, which is applied", k.filter)
			}
		}
		n := len(groups[k])
		lines := "1 line that names"
		if n > 1 {
			lines = fmt.Sprintf("%d lines that name", n)
		}
		p.Report(audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "line", Name: fmt.Sprintf("%q %s", k.word, where)}, Severity: audit.Score(b, 1, 1, 1), Confidence: audit.ConfidenceHigh,
			Message: fmt.Sprintf("%s has %s %q and was not understood, %s", d.ID, lines, k.word, where), Spans: groups[k], Signal: audit.Signal{Weight: .05, Class: "CFG"},
		})
	}
}

// bound reports whether a filter is applied anywhere.
func bound(d *facts.Device, name string) bool {
	for i := range d.Interfaces {
		for _, b := range d.Interfaces[i].Bindings {
			if slices.Contains(b.Filters, name) {
				return true
			}
		}
	}
	return slices.ContainsFunc(d.Bindings, func(b facts.Binding) bool { return slices.Contains(b.Filters, name) }) ||
		slices.ContainsFunc(d.Zoning.Pairs, func(z facts.ZonePair) bool { return slices.Contains(z.Filters, name) })
}
