package activity

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// Variants of QM3119.
const (
	dumpUnapproved = iota
	dumpApproved
)

// ConfigDump is QM3119.
func ConfigDump() *audit.Check {
	return &audit.Check{
		ID: "QM3119", Slug: "act-config-dump-cli", Title: "Config copied or displayed to a remote URL by command", Severity: audit.High,
		Doc: `Somebody typed a command that sends configuration, keys, logs or output of a device to a server.

## Why it matters

The configuration of a device is the map and the keys of the network around it (T1602.002). The command is the same as an
administrator's backup; the destination, the hour and the user tell them apart, and the protocol is T1071.002's.

## How it is decided

By commands in accounting records, configuration logging, event manager messages, ASA 111008 and 111010, NX-OS accounting
and the like: copy, show with a redirect, write net, archive tar, file copy, execute backup. The scheme of the URL is
parsed: "ftp:" is not inside "tftp:". A workflow that matches in every respect makes it no finding. A destination that is
an approved server or a workflow's, used in another way than approved, makes it low; the finding then names the workflow
and what differs. Everything else is high to an outside or unnamed server, medium to one inside. An attempt that the
device refused counts alike.

## How it can be wrong

IOS does not log an exec command by itself: without command accounting or an event manager applet there is nothing to see,
and nothing seen is no pass. Of a workflow's source any address of the device is accepted.

## Tunables

"workflows", "servers" and "zones" of the policy.
`,
		Variants: []audit.Variant{
			dumpUnapproved: {Name: "unapproved destination", Severity: audit.High}, dumpApproved: {Name: "approved destination, not as approved", Severity: audit.Low},
		},
		Attack: []string{"T1602.002", "T1059.008", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"AN0427", "AN0647", "AN0399", "CIS-IOS 1.1.7", "AU-12"},
		False:    "an approved destination, user and window",
		Fixes:    map[string]string{"": "ask the user; when nobody knows, rotate what the configuration holds, and close the way out"},
		Needs:    audit.Needs{Evidence: facts.HasSyslog},
		Trail:    configDump,
		Fleet: func(p *audit.Pass, r *audit.Rollup) {
			for _, d := range r.Devices {
				if judge.IsDevice(d.Platform) && d.Has&facts.HasSyslog != 0 && d.Has&facts.HasCommands == 0 {
					p.At(d.ID)
					p.NotEvaluated("the log of this device tells no command: command accounting, configuration logging or an applet would")
				}
			}
		},
	}
}

// dumps reports whether a command sends away what the check is about: configuration, keys, logs, or output.
func dumps(c *facts.Command) bool {
	if c == nil || c.Copy == nil || !c.Copy.Out {
		return false
	}
	return c.Copy.Config || c.Copy.What == "output" || slices.Contains(strings.Fields(c.Line), "/create") // archive tar /create
}

// A dump is what one device was told to send to one server.
type dump struct {
	f       audit.Finding
	sent    bool // some command was not refused
	n       int64
	command *facts.Command // the first
	second  int64          // of the latest
}

func configDump(p *audit.Pass, e tally.Entity, events []tally.Event) {
	if e.Kind != tally.KindDevice {
		return // an event is in the trails of its addresses too
	}
	found := map[string]*dump{}
	for i := range events {
		c := events[i].Command
		if !dumps(c) {
			continue
		}
		v, base, near, approved := weighDump(p, e.Name, c)
		if approved {
			continue
		}
		name := fmt.Sprintf("%s to %s %s", cmp.Or(c.Copy.What, "a file"), c.Copy.Protocol, cmp.Or(c.Copy.Host, "a server that is not named"))
		severity := audit.Score(base, exposureOf(p, c), audit.PrivilegeDevice, audit.TelemetryPartial)
		x := found[name]
		if x == nil {
			x = &dump{command: c, f: audit.Finding{Variant: v, Severity: severity, Near: near, Subject: audit.Subject{Kind: "command", Name: name}}}
			found[name] = x
		}
		if severity > x.f.Severity {
			x.f.Variant, x.f.Severity, x.f.Near = v, severity, near
		}
		if x.n == 0 || c.Time.Quality == facts.NoTime || c.Time.Unix != x.second {
			x.n++ // two messages of one second tell one command (ASA 111008 and 111010)
		}
		x.second = c.Time.Unix
		x.sent = x.sent || c.Outcome != facts.Denied && c.Outcome != facts.Failed
		x.f.Spans = judge.Mark(x.f.Spans, "", c.Span)
		if t := c.Time.Time(); !t.IsZero() {
			if x.f.When.First.IsZero() {
				x.f.When.First = t
			}
			x.f.When.Last = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		p.Report(found[name].finding(e))
	}
}

// weighDump decides what a command means under the policy.
func weighDump(p *audit.Pass, device string, c *facts.Command) (v uint8, base float64, near *policy.NearMiss, approved bool) {
	if !c.Copy.Addr.IsValid() {
		return dumpUnapproved, .70, nil, false
	}
	x := facts.Transfer{
		Time: c.Time, Server: c.Copy.Addr, Protocol: c.Copy.Protocol, Op: facts.OpPut, User: c.User,
		Out: facts.Absent, In: facts.Absent, Total: facts.Absent,
	}
	near, approved = approvedFrom(p, device, &x)
	if approved {
		return 0, 0, nil, true
	}
	if judge.Contains(p.Policy.Servers, c.Copy.Addr) || destination(p, c.Copy.Addr) {
		return dumpApproved, .25, near, false
	}
	return dumpUnapproved, .70, near, false
}

// destination reports whether some workflow, in force or not, approves a transfer to an address.
func destination(p *audit.Pass, a netip.Addr) bool {
	return slices.ContainsFunc(p.Policy.Workflows, func(w policy.Workflow) bool {
		return judge.Contains(w.To.Prefixes, a) || slices.Contains(w.To.Zones, p.Zone(a).Name)
	})
}

// exposureOf is how far away a command sends: a server that is not named by an address counts as outside.
func exposureOf(p *audit.Pass, c *facts.Command) float64 {
	if c.Copy.Addr.IsValid() && p.Zone(c.Copy.Addr).Trust != policy.External {
		return audit.ExposureInternal
	}
	return audit.ExposureUntrusted
}

func (x *dump) finding(e tally.Entity) audit.Finding {
	f, c := x.f, x.command
	verb := "was told to send"
	if !x.sent {
		verb = "refused to send"
	}
	by, times := "", ""
	if c.User != "" {
		by = fmt.Sprintf(", by user %q", c.User)
	}
	if x.n > 1 {
		times = ", " + judge.Count(x.n, "time")
	}
	f.Message = fmt.Sprintf("%s %s %q by %s to %s%s%s", e.Name, verb, cmp.Or(c.Copy.What, "a file"), judge.Upper(c.Copy.Protocol),
		cmp.Or(c.Copy.Host, "a server that is not named"), by, times)
	f.Confidence, f.Entities = audit.ConfidenceHigh, []tally.Entity{e}
	if c.Copy.Addr.IsValid() {
		f.Entities = append(f.Entities, tally.Entity{Kind: tally.KindAddress, Name: c.Copy.Addr.String()})
	}
	f.Evidence = map[string]string{"command": c.Line}
	if c.Source.IsValid() {
		f.Evidence["from"] = c.Source.String()
	}
	f.Signal = audit.Signal{Weight: .45, Class: "CLI"}
	if f.Variant == dumpApproved {
		f.Signal.Weight = .15
	}
	return f
}
