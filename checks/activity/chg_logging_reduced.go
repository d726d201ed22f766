package activity

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// LoggingReduced is QM3005.
func LoggingReduced() *audit.Check {
	return &audit.Check{
		ID: "QM3005", Slug: "chg-logging-reduced", Title: "Logging, AAA accounting or flow export weakened", Severity: audit.High,
		Doc: `A change made a device tell less: a log destination or flow collector less, a higher threshold, accounting or the
configuration log off, single messages switched off.

## Why it matters

Before a transfer that nobody should see, the log is turned down (T1562, T1562.003). What T1071.002 did afterwards is then in
no record, and the silence looks like peace.

## How it is decided
` + comparing + `
Counted are: the master switch; remote destinations (when others were added in the same change it is a collector that
moved, and medium); the threshold; command accounting; the configuration log; login messages; time stamps; flow export and
its collectors; and messages that are switched off by number.

## How it can be wrong

A collector that moves in two steps more than one backup apart. What another device logs about this one is not seen here.

## Tunables

"change_windows" of the policy. An exception cannot accept this check's findings.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1562", "T1562.003", "T1070.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000210", "CISC-ND-000330", "CISC-ND-001000", "CISC-ND-001450", "AU-5", "AU-12", "PCI 10.3", "PCI 10.7.2", "A.8.15"},
		False:    "a collector migration: the old and the new one are both there for a day",
		Fixes:    map[string]string{"": "restore what was logged, and treat this device's own evidence since as untrusted"},
		Needs:    audit.Needs{Earlier: true}, Change: loggingReduced,
	}
}

func loggingReduced(p *audit.Pass, before, after *facts.Device) {
	a, b := &before.Logging, &after.Logging
	tell := func(name, what string, exposure float64, spans ...evidence.Span) {
		marks := judge.Mark(nil, "", spans...)
		if len(marks) == 0 {
			marks = judge.Absent(after)
		}
		changed(p, audit.Finding{
			Subject: audit.Subject{Kind: "logging", Name: name}, Severity: audit.Score(.85, exposure, audit.PrivilegeDevice, audit.TelemetryPartial),
			Message: fmt.Sprintf("%s %s since a change", after.ID, what), Spans: marks, Signal: audit.Signal{Weight: .50, Class: "TEL"},
		})
	}
	off := func(name, what string, was, is facts.V[bool]) {
		if facts.On(was) && facts.Off(is) {
			tell(name, what, audit.ExposureInternal, is.Span, was.Span)
		}
	}
	off("master switch", "logs nothing", a.Enabled, b.Enabled)
	off("command accounting", "does not account for commands", a.CommandAccounting, b.CommandAccounting)
	off("configuration log", "does not log configuration changes", a.ConfigChanges, b.ConfigChanges)
	off("logins", "does not log logins", a.Logins, b.Logins)
	off("time stamps", "logs without time stamps", a.Timestamps, b.Timestamps)
	hostsReduced(before, after, tell)
	if len(a.FlowHosts) == 0 {
		off("flow export", "exports no flows", a.FlowExport, b.FlowExport)
	}
	if was, is := level(a.Severity), level(b.Severity); was >= 0 && is >= 0 && is < was {
		tell("threshold", fmt.Sprintf("logs %s and above alone, where it logged %s", b.Severity.Val, a.Severity.Val), audit.ExposureInternal, b.Severity.Span, a.Severity.Span)
	}
	for _, id := range b.Suppressed {
		if !slices.Contains(a.Suppressed, id) {
			tell("message "+id, "does not log message "+id, audit.ExposureInternal)
		}
	}
}

// hostsReduced tells of log destinations and flow collectors that are gone.
func hostsReduced(before, after *facts.Device, tell func(name, what string, exposure float64, spans ...evidence.Span)) {
	a, b := &before.Logging, &after.Logging
	if facts.On(b.Remote) || facts.Off(b.Remote) || len(b.Hosts) > 0 {
		moved := slices.ContainsFunc(b.Hosts, func(h facts.LogHost) bool {
			return !slices.ContainsFunc(a.Hosts, func(o facts.LogHost) bool { return o.Host == h.Host })
		})
		for _, h := range a.Hosts {
			if slices.ContainsFunc(b.Hosts, func(o facts.LogHost) bool { return o.Host == h.Host && o.Scope == h.Scope }) {
				continue
			}
			exposure := audit.ExposureInternal
			if moved {
				exposure = audit.ExposureZone
			}
			tell("host "+h.Host, fmt.Sprintf("sends its log to %s no more", h.Host), exposure, h.Span)
		}
	}
	moved := slices.ContainsFunc(b.FlowHosts, func(h facts.FlowHost) bool {
		return !slices.ContainsFunc(a.FlowHosts, func(o facts.FlowHost) bool { return o.Host == h.Host })
	})
	for _, h := range a.FlowHosts {
		if slices.ContainsFunc(b.FlowHosts, func(o facts.FlowHost) bool { return o.Host == h.Host }) {
			continue
		}
		exposure := audit.ExposureInternal
		if moved {
			exposure = audit.ExposureZone
		}
		tell("flow collector "+h.Host, fmt.Sprintf("exports flows to %s no more", h.Host), exposure, h.Span)
	}
}

// levels are the syslog severities, gravest first (RFC 5424 6.2.1), with the names platforms give them.
var levels = [...][]string{
	{"emergencies", "emergency", "emerg"}, {"alerts", "alert"}, {"critical", "crit"}, {"errors", "error", "err"}, {"warnings", "warning", "warn"},
	{"notifications", "notification", "notice"}, {"informational", "information", "info"}, {"debugging", "debug", "any"},
}

// level is a threshold as a number; -1 when it is not known.
func level(v facts.V[string]) int {
	if !v.Known() {
		return -1
	}
	name := strings.ToLower(v.Val)
	if n, err := strconv.Atoi(name); err == nil && n >= 0 && n < len(levels) {
		return n
	}
	return slices.IndexFunc(levels[:], func(names []string) bool { return slices.Contains(names, name) })
}
