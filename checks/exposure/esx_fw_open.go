package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/tally"
)

func esxiNeeds() audit.Needs {
	return audit.Needs{Platforms: []string{facts.VMwareESX}, Evidence: facts.HasESXi}
}

// notGiven says why a property of a host is unknown.
func notGiven(d *facts.Device, path string) string {
	if d.ESXi != nil {
		for _, m := range d.ESXi.Missing {
			if m == path || strings.HasPrefix(path, m+".") || strings.HasPrefix(m, path+".") {
				return "the host did not give " + m
			}
		}
	}
	return "the evidence holds no " + path
}

// esxiExposure is that of any internal zone, since what these checks are about is that the host's own filter is not there,
// and that of outside only when an address of the host is known to be: the catalogue's severities are a host's inside.
func esxiExposure(p *audit.Pass, d *facts.Device) float64 {
	if r := judge.Facing(p, d); r.Unknown == "" {
		return max(r.Factor, audit.ExposureInternal)
	}
	return audit.ExposureInternal
}

// Variants of QM1401.
const (
	firewallDefault = iota
	firewallUnloaded
	firewallEvent
)

// FirewallOpen is QM1401.
func FirewallOpen() *audit.Check {
	return &audit.Check{
		ID: "QM1401", Slug: "esx-fw-open", Title: "ESXi firewall disabled or default-allow", Severity: audit.High,
		Doc: `The firewall of an ESXi host is unloaded or disabled, or lets through by default what no ruleset names, inward or
outward.

## Why it matters

No stock ruleset of ESXi opens UDP 69 in either direction. On a clean host a TFTP transfer from its shell (T1071.002,
AN1172) works only with the firewall off, its default open, or a ruleset nobody shipped. With the default open, FTP, SMB
and TFTP leave too.

## How it is decided

By defaultPolicy of config.firewall and, where the evidence has it, whether the firewall is loaded. A log or audit record
that the firewall was disabled or its default changed is a finding of its own.

## How it can be wrong

The vSphere API does not say whether the firewall is enabled: a host whose default blocks can still have it disabled by
hand, which only its audit records tell. vCenter's copy can be older than the host's state.

## Tunables

"zones" of the policy: a host with an outside address is worse off. "change_windows" for the records.
`,
		Variants: []audit.Variant{
			firewallDefault: {Name: "the default lets traffic through", Severity: audit.High}, firewallUnloaded: {Name: "not loaded", Severity: audit.High},
			firewallEvent: {Name: "opened, in a log", Severity: audit.High},
		},
		Attack: []string{"T1562.004"}, Analytics: []string{"AN1172"}, Controls: []string{"ESXI-80-000214", "SCG firewall-incoming-default", "PCI 1.4.1", "SC-7"},
		False:  "none",
		Fixes:  map[string]string{facts.VMwareESX: "esxcli network firewall set --enabled true --default-action false"},
		Needs:  esxiNeeds(),
		Device: firewall,
		Trail:  firewallTrail,
	}
}

func firewall(p *audit.Pass, d *facts.Device) {
	e := d.ESXi
	severity := audit.Score(.85, esxiExposure(p, d), audit.PrivilegeDevice, audit.TelemetryPartial)
	say := func(v uint8, subject, message string, at evidence.Span) {
		p.Report(audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "firewall", Name: subject}, Severity: severity, Confidence: audit.ConfidenceHigh,
			Message: d.ID + " " + message, Spans: judge.Mark(nil, "", at), Signal: audit.Signal{Weight: .30, Class: "STATE"},
		})
	}
	if facts.Off(e.FirewallLoaded) {
		say(firewallUnloaded, "unloaded", "has its firewall unloaded", e.FirewallLoaded.Span)
	}
	unknown := false
	for _, x := range []struct {
		blocks facts.V[bool]
		name   string
	}{{e.IncomingBlock, "incoming"}, {e.OutgoingBlock, "outgoing"}} {
		switch {
		case !x.blocks.Known():
			unknown = true
		case !x.blocks.Val:
			say(firewallDefault, "default for "+x.name+" traffic", fmt.Sprintf("lets %s traffic through that no firewall ruleset names", x.name), x.blocks.Span)
		}
	}
	if unknown {
		p.NotEvaluated(notGiven(d, "config.firewall.defaultPolicy"))
	}
}

// opens are the changes of a firewall that open it, as records name them (ESXi audit records and VOBs).
func opens(subject string) bool {
	s := strings.ToLower(subject)
	return strings.Contains(s, "disable") && !strings.Contains(s, "rule") || strings.Contains(s, "defaultpolicy")
}

func firewallTrail(p *audit.Pass, e tally.Entity, events []tally.Event) {
	f := happened(p, e, events, func(c *facts.Change) bool { return c.What == "firewall" && opens(c.Subject) })
	if f == nil {
		return
	}
	f.Variant, f.Subject = firewallEvent, audit.Subject{Kind: "firewall", Name: "opened"}
	f.Severity = audit.Score(.85, audit.ExposureInternal, audit.PrivilegeDevice, audit.TelemetryPartial)
	f.Message = fmt.Sprintf("%s: a log says that the ESXi firewall was opened%s", e.Name, offWindow(p))
	f.Signal = audit.Signal{Weight: .30, Class: "STATE"}
	p.Report(*f)
}

// happened gathers the changes of an ESXi host that fit, outside of the policy's change windows, into one finding without
// words; nil when there is none.
func happened(p *audit.Pass, e tally.Entity, events []tally.Event, fits func(*facts.Change) bool) *audit.Finding {
	var f *audit.Finding
	for i := range events {
		c := events[i].Change
		if c == nil || e.Kind != tally.KindDevice || !ofESXi(p, e, c) || !fits(c) || inWindow(p, c.Time) {
			continue
		}
		if f == nil {
			f = &audit.Finding{Confidence: audit.ConfidenceHigh, Entities: []tally.Entity{e}}
		}
		f.Spans = judge.Mark(f.Spans, "", c.Span)
		if t := c.Time.Time(); !t.IsZero() {
			if f.When.First.IsZero() {
				f.When.First = t
			}
			f.When.Last = t
		}
		if c.User != "" && f.Evidence == nil {
			f.Evidence = map[string]string{"by": c.User}
		}
	}
	return f
}

// ofESXi reports whether a change is an ESXi host's: by its dialect, or by what is known of the device.
func ofESXi(p *audit.Pass, e tally.Entity, c *facts.Change) bool {
	if c.Platform == facts.VMwareESX {
		return true
	}
	d := p.DeviceByID(e.Name)
	return c.Platform == "" && d != nil && d.Platform == facts.VMwareESX
}

// inWindow reports whether something happened inside a change window of the policy. Without windows nothing does; a time
// that is not known is in none.
func inWindow(p *audit.Pass, at facts.Stamp) bool {
	if at.Quality <= facts.UptimeOnly {
		return false
	}
	for i := range p.Policy.ChangeWindows {
		if p.Policy.ChangeWindows[i].Holds(at.Time()) {
			return true
		}
	}
	return false
}

// offWindow says that something was outside of the change windows, when the policy has any.
func offWindow(p *audit.Pass) string {
	if len(p.Policy.ChangeWindows) == 0 {
		return ""
	}
	return ", outside of the change windows"
}

// words joins and sorts names for a message.
func words(all []string) string {
	slices.Sort(all)
	return judge.Join(slices.Compact(all))
}
