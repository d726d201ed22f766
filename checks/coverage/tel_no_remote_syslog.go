package coverage

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants of QM4001.
const (
	noDestination = iota
	loggingOff
	nothingSent
	unapproved
)

// NoRemoteSyslog is QM4001.
func NoRemoteSyslog() *audit.Check {
	return &audit.Check{
		ID: "QM4001", Slug: "tel-no-remote-syslog", Title: "No remote syslog destination", Severity: audit.High,
		Doc: `A device or host sends its log nowhere, its logging is switched off, nothing of it is sent, or it goes to a host that is
no approved collector.

## Why it matters

Whatever happened on it, a transfer of T1071.002 among it, is known to itself alone, until somebody clears the buffer or a
restart does.

## How it is decided

IOS "logging host" and "logging on"; ASA "logging enable", "logging host" and "logging trap"; Junos "system syslog host" and
the security log's streams; ESXi Syslog.global.logHost. Absence counts only in evidence that would state the destination: a
whole configuration, a host whose options were given. With "collectors" in the policy, every other destination is a finding
of its own.

The severity counts where the device stands, at least as inside, and that its misuse stays unseen; flow export makes up for
a part of that.

## How it can be wrong

Logs may be taken from the device by other means: say so in its documentation; the finding itself cannot be accepted away.
A destination by name cannot be compared with the policy's collectors and is listed as not evaluated. Whether what is sent
arrives is not seen: filters on the way, and an ESXi host's own "syslog" ruleset, may keep it in.

## Tunables

"collectors" and "zones" of the policy.
`,
		Variants: []audit.Variant{
			noDestination: {Name: "no destination", Severity: audit.High}, loggingOff: {Name: "logging is off", Severity: audit.High},
			nothingSent: {Name: "a destination, and nothing is sent to it", Severity: audit.High}, unapproved: {Name: "destination is no approved collector", Severity: audit.High},
		},
		Attack: []string{"T1562.006", "T1070"}, Analytics: []string{"AN1173", "AN1172"},
		Controls: []string{
			"CIS-IOS 2.2.4", "CIS-ASA 1.10.1", "CIS-JUN 1.7", "CISC-ND-001450", "CISC-ND-001310", "ESXI-80-000114", "ESXI-80-000233", "NSA 6.2",
			"AU-4(1)", "AU-12", "PCI 10.3.3", "A.8.15", "PR.PS-04",
		},
		False: "none",
		Fixes: map[string]string{
			facts.CiscoIOS: "logging on\nlogging host <collector>\nlogging trap informational", facts.CiscoASA: "logging enable\nlogging host <interface> <collector>\nlogging trap informational",
			facts.Junos:     "set system syslog host <collector> any info\nset system syslog host <collector> interactive-commands any\nset system syslog host <collector> change-log any",
			facts.VMwareESX: "esxcli system syslog config set --loghost=ssl://<collector>:1514\nesxcli system syslog reload\nesxcli network firewall ruleset set -r syslog -e true",
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

// trapOff is Logging.Severity of an ASA that sends nothing to its hosts.
const trapOff = "disabled"

func remote(p *audit.Pass, d *facts.Device) {
	l := &d.Logging
	t := judge.Telemetry(d)
	switch {
	case facts.Off(l.Enabled):
		marks := judge.Mark(nil, "", l.Enabled.Span)
		what := "has its logging switched off"
		if len(marks) == 0 {
			marks, what = judge.Absent(d), "has its logging off, as it is by default"
		}
		report(p, d, loggingOff, "remote syslog", what, marks, t)
	case facts.Off(l.Remote):
		marks := judge.Mark(nil, "", l.Remote.Span)
		if len(marks) == 0 {
			marks = judge.Absent(d)
		}
		report(p, d, noDestination, "remote syslog", "sends its log to no remote host", marks, t)
	case !l.Remote.Known():
		p.NotEvaluated(unknown(d))
	case l.Severity.Known() && l.Severity.Val == trapOff:
		marks := judge.Mark(nil, "", l.Severity.Span)
		for i := range l.Hosts {
			marks = judge.Mark(marks, "destination", l.Hosts[i].Span)
		}
		report(p, d, nothingSent, "remote syslog", fmt.Sprintf("sends nothing to its syslog host%s: no severity is set", plural(len(l.Hosts))), marks, audit.TelemetryBlind)
	}
	collectors(p, d)
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// unknown says why it is not known where the log goes.
func unknown(d *facts.Device) string {
	if d.Platform == facts.VMwareESX {
		if d.ESXi != nil && slices.Contains(d.ESXi.Missing, "config.option") {
			return "the host did not give config.option"
		}
		return "the evidence holds no Syslog.global.logHost"
	}
	return "the configuration is not whole, so that a syslog host may be stated elsewhere"
}

func report(p *audit.Pass, d *facts.Device, v uint8, subject, what string, marks []audit.Mark, telemetry float64) {
	// What nobody sees is no smaller on a device that few can reach: at least inside.
	e := max(judge.Facing(p, d).Factor, audit.ExposureInternal)
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "logging", Name: subject}, Severity: audit.Score(.70, e, audit.PrivilegeDevice, telemetry),
		Confidence: audit.ConfidenceHigh, Message: d.ID + " " + what, Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}

// collectors tells of destinations that the policy does not approve.
func collectors(p *audit.Pass, d *facts.Device) {
	if len(p.Policy.Collectors) == 0 {
		return
	}
	for i := range d.Logging.Hosts {
		h := &d.Logging.Hosts[i]
		if !h.Addr.IsValid() {
			p.NotEvaluated(fmt.Sprintf("whether syslog host %q is an approved collector is unknown: it is a name", h.Host))
			continue
		}
		if slices.ContainsFunc(p.Policy.Collectors, func(c netip.Prefix) bool { return c.Contains(h.Addr) }) {
			continue
		}
		report(p, d, unapproved, "destination "+h.Host, fmt.Sprintf("sends its log to %s, which is no approved collector", h.Host), judge.Mark(nil, "", h.Span),
			audit.TelemetryBlind) // whom the policy does not name, nobody is known to read
	}
}
