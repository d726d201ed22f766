package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// This file holds the checks about hooks: what runs without anyone typing it, and what hides what somebody types.

func hookVariants() []audit.Variant {
	return []audit.Variant{
		{Name: "to outside, to a user, or to whoever answers", Severity: audit.High}, {Name: "to an inside address that nobody approved", Severity: audit.High}, {Name: "to an approved server", Severity: audit.Info},
	}
}

// aHook is a check about hooks that transfer files, or load what they run.
type aHook struct {
	id, slug, title, doc, no string
	severity                 audit.Severity
	wanted                   func(d *facts.Device, h *facts.Hook) bool
	says                     string
	base                     float64
	attack, controls         []string
	fixes                    map[string]string
	platforms                []string
}

func (x *aHook) check() *audit.Check {
	return &audit.Check{
		ID: x.id, Slug: x.slug, Title: x.title, Severity: x.severity, Doc: x.doc, Variants: hookVariants(), Attack: x.attack, Analytics: []string{"AN1173"}, Controls: x.controls, False: x.no, Fixes: x.fixes,
		Needs: audit.Needs{Evidence: facts.HasConfig, Platforms: x.platforms},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Hooks {
				if h := &d.Hooks[i]; !facts.Off(h.Enabled) && x.wanted(d, h) {
					x.report(p, d, h)
				}
			}
		},
	}
}

// report reports a hook that transfers files; one that only loads a script from elsewhere counts by where that is.
func (x *aHook) report(p *audit.Pass, d *facts.Device, h *facts.Hook) {
	worst, how := toApproved, ""
	marks := judge.Mark(nil, "", h.Span)
	found := false
	note := func(c *facts.Client, text string) {
		t := destinationOf(p, c)
		if !found || t > worst {
			worst, how = t, fmt.Sprintf("%s%s, with %s", text, by(c), t.text(c))
		}
		found = true
	}
	for i := range h.Commands {
		k := &h.Commands[i]
		if k.Protocol == facts.ProtocolUnknown {
			continue
		}
		c := clientAt(d, k)
		note(&c, "exchanges files")
		marks = judge.Mark(marks, "transfer", k.Span)
	}
	if h.Protocol != facts.ProtocolUnknown && h.Source != "" {
		c := facts.Client{Protocol: h.Protocol, URL: h.Source, Host: hostOf(h.Source)}
		c.Addr, _ = netip.ParseAddr(c.Host)
		note(&c, "loads what it runs")
	}
	if !found {
		return
	}
	base := x.base
	if worst == toApproved {
		base = .20
	}
	when := ""
	if h.Trigger != "" {
		when = fmt.Sprintf(" (started by %q)", h.Trigger)
	}
	weight := .50
	if worst == toApproved {
		weight = .10
	}
	f := audit.Finding{
		Variant: worst.variant(), Subject: audit.Subject{Kind: "hook", Name: h.Name}, Severity: audit.Score(base, max(worst.factor(), audit.ExposureInternal), audit.PrivilegeDevice, audit.TelemetryPartial),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: %s %q %s%s", d.ID, x.says, h.Name, how, when), Spans: marks, Signal: audit.Signal{Weight: weight, Class: "CFG"},
	}
	if !h.Enabled.Known() || worst == toUnnamed {
		f.Confidence = audit.ConfidenceMedium
	}
	p.Report(f)
}

// clientAt is the transfer of a hook's command: the client that the reader stated for it, or what the command says.
func clientAt(d *facts.Device, k *facts.HookCommand) facts.Client {
	i := slices.IndexFunc(d.Clients, func(c facts.Client) bool { return c.Span == k.Span && c.Protocol == k.Protocol })
	if i >= 0 {
		return d.Clients[i]
	}
	c := facts.Client{Protocol: k.Protocol, URL: k.URL, Host: k.Host}
	c.Addr, _ = netip.ParseAddr(k.Host)
	return c
}

// hostOf is the host of a URL; empty without one.
func hostOf(url string) string {
	_, rest, ok := strings.Cut(url, "://")
	if !ok {
		return ""
	}
	host, _, _ := strings.Cut(rest, "/")
	if _, after, ok := strings.Cut(host, "@"); ok {
		host = after
	}
	return host
}

func isCisco(d *facts.Device) bool {
	return slices.Contains([]string{facts.CiscoIOS, facts.CiscoIOSXR, facts.CiscoNXOS, facts.CiscoASA}, facts.PlatformFamily(d.Platform))
}

const hookDecided = `
A transfer to an approved server is information; to an inside address that nobody approved, to a user, to outside or to a server
that is not named it is high. What the hook runs is read as a command is: a copy, a redirect, a URL.

## How it can be wrong

A backup that somebody wanted: approve its server or its workflow. What a script holds that is not in the configuration is not
seen.

## Tunables

"servers", "workflows" and "zones" of the policy.
`

// EventApplet is QM1301.
func EventApplet() *audit.Check {
	return (&aHook{
		id: "QM1301", slug: "hook-eem", title: "EEM applet/policy transfers files", severity: audit.High, base: .85, says: "applet",
		doc: `An event manager applet of a device copies files when something happens.

## Why it matters

It is how a device sends its configuration by itself after every save, or every night (T1546, T1029), without a login.

## How it is decided

"event manager applet" of IOS, NX-OS and ASA whose actions copy, archive or redirect to another host.
` + hookDecided,
		wanted: func(d *facts.Device, h *facts.Hook) bool { return h.Kind == facts.HookApplet && isCisco(d) },
		attack: []string{"T1546", "T1053", "T1029", "T1020"}, controls: []string{"CISC-ND-001410", "SI-4", "CM-7"}, no: "a backup to an approved server", platforms: []string{facts.CiscoASA, facts.CiscoIOS, facts.CiscoIOSXR, facts.CiscoNXOS},
		fixes: map[string]string{"": "no event manager applet <name>"},
	}).check()
}

// Scheduler is QM1302.
func Scheduler() *audit.Check {
	return (&aHook{
		id: "QM1302", slug: "hook-kron", title: "Scheduler job transfers files", severity: audit.High, base: .85, says: "job",
		doc: `A job of a device's scheduler copies files.

## Why it matters

A transfer that happens every night by itself is a beacon (T1053, T1029), and nobody wonders about it.

## How it is decided

Kron of IOS, schedulers of NX-OS, EOS, AOS-CX, AOS-S and RouterOS, auto-scripts of FortiOS, task schedulers, that run commands which
copy to or from another host.
` + hookDecided,
		wanted: func(_ *facts.Device, h *facts.Hook) bool { return h.Kind == facts.HookScheduler },
		attack: []string{"T1053", "T1029"}, controls: []string{"SI-4", "CM-7"}, no: "a job that a workflow approves", platforms: judge.Devices(),
		fixes: map[string]string{facts.CiscoIOS: "no kron occurrence <name>\nno kron policy-list <name>", "": "remove the job, or approve its workflow"},
	}).check()
}

// NetworkScript is QM1303.
func NetworkScript() *audit.Check {
	return (&aHook{
		id: "QM1303", slug: "hook-tcl", title: "Tcl/Python/script loaded from the network or user directory", severity: audit.High, base: .90, says: "script",
		doc: `A device runs a script that it loads from a server, or one that moves files.

## Why it matters

Who answers for the server runs code on the device (T1059.006, T1059.008).

## How it is decided

"scripting tcl init", event manager policies and directories, commit, op and event scripts with a URL, daemons, whose source is
another host or whose commands move files.
` + hookDecided,
		wanted: func(_ *facts.Device, h *facts.Hook) bool { return h.Kind == facts.HookScript },
		attack: []string{"T1059.008", "T1059.006", "T1105"}, controls: []string{"CM-7(5)", "CM-14"}, no: "signed scripts", platforms: judge.Devices(),
		fixes: map[string]string{facts.CiscoIOS: "no scripting tcl init <url>\nscripting tcl secure-mode", "": "load scripts from the device's own storage, signed"},
	}).check()
}

// EventHandler is QM1304.
func EventHandler() *audit.Check {
	return (&aHook{
		id: "QM1304", slug: "hook-event-handler", title: "EOS event-handler/daemon, Junos event policy, FortiOS stitch, PAN-OS job runs a copy", severity: audit.High, base: .85, says: "event handler",
		doc: `An event handler or policy of a device copies files when something happens.

## Why it matters

It sends by itself what somebody would otherwise have to log in for (T1546, T1029).

## How it is decided

Event handlers of EOS, event policies of Junos, stitches of FortiOS and their likes that run commands or uploads to another host.
` + hookDecided,
		wanted: func(d *facts.Device, h *facts.Hook) bool { return h.Kind == facts.HookApplet && !isCisco(d) },
		attack: []string{"T1546", "T1029"}, controls: []string{"CM-7", "A.8.9"}, no: "an approved destination", platforms: judge.Devices(), fixes: map[string]string{"": "remove the handler, or approve its workflow"},
	}).check()
}

// HiddenCommand is QM1305.
func HiddenCommand() *audit.Check {
	return (&aHook{
		id: "QM1305", slug: "hook-alias-menu", title: "Alias, macro, menu or privilege map hides a transfer command", severity: audit.Medium, base: .45, says: "alias or menu",
		doc: `A name stands for a command that transfers files.

## Why it matters

Who reads the log of commands sees the name (T1059.008); who may only type it gets a copy he could not ask for.

## How it is decided

Aliases, menus and macros that copy to or from another host.
` + hookDecided,
		wanted: func(_ *facts.Device, h *facts.Hook) bool {
			return h.Kind == facts.HookAlias || h.Kind == facts.HookMenu || h.Kind == facts.HookPrivilege
		},
		attack: []string{"T1059.008"}, controls: []string{"AC-6"}, no: "an alias of the operators, to an approved server", platforms: judge.Devices(), fixes: map[string]string{"": "remove the alias"},
	}).check()
}

// HostTimer is QM1306.
func HostTimer() *audit.Check {
	return (&aHook{
		id: "QM1306", slug: "hook-host-timer", title: "cron/systemd/launchd/scheduled task runs a transfer client", severity: audit.High, base: .85, says: "timer or start-up entry",
		doc: `A timer, or what runs at the start of a host, calls a transfer client.

## Why it matters

It is the plainest way to keep a channel (T1053.003, T1029): ftp, tftp, smbclient or curl once an hour.

## How it is decided

Entries of cron, systemd timers and units, launchd and start-up scripts whose command is a transfer client or holds a transfer URL.
` + hookDecided,
		wanted: func(_ *facts.Device, h *facts.Hook) bool {
			return slices.Contains([]facts.HookKind{facts.HookCron, facts.HookTimer, facts.HookLaunchd, facts.HookBoot}, h.Kind)
		},
		attack: []string{"T1053.003", "T1029", "T1020"}, controls: []string{"CM-3", "A.8.9"}, no: "a job that a workflow approves", platforms: configured(), fixes: map[string]string{"": "remove the entry, or approve its workflow"},
	}).check()
}

// hookChecks are the checks of this file.
func hookChecks() []*audit.Check {
	return []*audit.Check{EventApplet(), Scheduler(), NetworkScript(), EventHandler(), HiddenCommand(), HostTimer()}
}

// More are the checks of services, boot, credentials and hooks that stand in files together, by ID.
func More() []*audit.Check {
	all := append(hookChecks(),
		RootWritable(), CleartextFTP(), Anonymous(), InfraSMB(), WeakSMB(), RemoteShell(), SmartInstall(), GuestContainer(), SecureCopyOpen(), CleartextManagement(),
		BootImage(), ServiceConfig(), ZeroTouch(), BootOption(), UnapprovedDestination(), CoreDump(), LogExport(), LeaseDatabase(), ProbeFTP(), SourceUnpinned(), CatchAll(),
		URLCredential(), ExportableSecrets(), DefaultAccount(), SNMPDefault())
	slices.SortFunc(all, func(a, b *audit.Check) int { return cmp.Compare(a.ID, b.ID) })
	return all
}
