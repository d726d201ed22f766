package exposure

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// Variants of QM1105.
const (
	archiveOpen = iota
	archiveManaged
)

// ArchiveCleartext is QM1105.
func ArchiveCleartext() *audit.Check {
	return &audit.Check{
		ID: "QM1105", Slug: "xfer-archive-cleartext", Title: "Scheduled config archive/backup over a clear-text protocol", Severity: audit.High,
		Doc: `A device sends or fetches its configuration by TFTP, FTP, RCP or HTTP, by itself: on a timer, at every save, or from a
scheduler, an event policy or an applet.

## Why it matters

The configuration with its hashes and communities crosses the network readable (T1040, T1602.002). And a clear-text
transfer that happens every night is the best place to hide another one in (T1071.002).

## How it is decided

IOS "archive path", kron and event manager; Junos "system archival configuration archive-sites" and event policies; ASA
"auto-update server" and event manager. It is medium where the server is in a management zone, or the transfer leaves by a
management VRF, and no address outside is named; else high. Nothing else counts: what crosses the wire is the same on a
device that is watched.

## How it can be wrong

A legacy switch may know nothing but TFTP: record an exception that pins the server, with a review date. A job that an
operator switched off in a way the configuration does not show is reported too: it can run. A management VRF is told by its
name (mgmt, management) or by the zone of the server. Core dumps, log uploads and boot images are other checks' matter.

## Tunables

"zones" of the policy, with kind management.
`,
		Variants: []audit.Variant{
			archiveOpen: {Name: "beyond the management network", Severity: audit.High}, archiveManaged: {Name: "inside the management network", Severity: audit.Medium},
		},
		Attack: []string{"T1040", "T1602.002", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-JUN 6.2.3", "CIS-JUN 1.5", "CISC-ND-001410", "NSA 7.3", "NSA 3.1", "PCI 1.2.8", "SC-8"},
		False:    "a TFTP-only legacy switch, with the server pinned, inside the management network, with a review date",
		Fixes: map[string]string{
			facts.CiscoIOS: "archive\n path scp://<user>@<server>/$h-$t", facts.Junos: "delete system archival configuration archive-sites \"<url>\"\nset system archival configuration archive-sites \"scp://<user>@<server>/<path>\"",
			facts.CiscoASA: "no auto-update server <url>\nback up over SCP from the server: copy running-config scp:", "": "send backups by SCP or SFTP with keys",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Clients {
				c := &d.Clients[i]
				switch {
				case !c.Protocol.Cleartext() || !carriesConfig(c):
				case facts.On(c.Enabled):
					p.Report(archiveFinding(p, d, c))
				case !c.Enabled.Known():
					p.NotEvaluated(fmt.Sprintf("whether %q runs is unknown", c.Name))
				}
			}
		},
	}
}

// carriesConfig reports whether a client moves configuration without anyone at the device: archives, and whatever a
// scheduler or an event starts.
func carriesConfig(c *facts.Client) bool {
	switch c.Use {
	case "archive": // its path is used at every save or tick, and by whoever says "archive config"
		return true
	case "scheduler", "event":
		return c.Automatic
	}
	return false
}

func archiveFinding(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
	v, e, where := uint8(archiveOpen), audit.ExposureUntrusted, "beyond the management network"
	if managed(p, d, c) {
		// One base for both: .80 of it is medium, as the catalogue says of a management VRF.
		v, e, where = archiveManaged, audit.ExposureInternal, "inside the management network"
	}
	host := "to " + cmp.Or(c.Host, "a server that is not named")
	if !sends(c) {
		host = "with " + cmp.Or(c.Host, "a server that is not named")
	}
	f := audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: c.Use, Name: strings.TrimSpace(fmt.Sprintf("%s %s %s", c.Name, c.Protocol, c.Host))},
		Severity: audit.Score(.70, e, audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s %s by %s %s%s, %s (%q)", d.ID, moves(c), judge.Upper(c.Protocol), host, often(c), where, c.Name),
		Fix:     archiveFix(d, c), Signal: audit.Signal{Weight: .10, Class: "CFG"},
	}
	f.Spans = judge.Mark(nil, "", c.Span)
	if c.Enabled.Span != c.Span {
		f.Spans = judge.Mark(f.Spans, "started here", c.Enabled.Span)
	}
	return f
}

// sends reports whether it is known that a client sends: an archive does, unless it is the server of an ASA's updates.
func sends(c *facts.Client) bool {
	return c.Use == "archive" && !strings.HasPrefix(c.Name, "auto-update")
}

func moves(c *facts.Client) string {
	if sends(c) {
		return "sends its configuration"
	}
	return "exchanges files"
}

// often says when a client runs.
func often(c *facts.Client) string {
	switch {
	case c.Period > 0:
		return fmt.Sprintf(" every %s", period(c))
	case c.Automatic:
		return " by itself"
	}
	return " when an archive is asked for"
}

func period(c *facts.Client) string {
	m := int64(c.Period.Minutes())
	switch {
	case m >= 60 && m%60 == 0:
		return judge.Count(m/60, "hour")
	case m > 0:
		return judge.Count(m, "minute")
	}
	return c.Period.String()
}

// managed reports whether the transfer stays in the management network: no outside server, and a server in a management
// zone, or a VRF that is called one.
func managed(p *audit.Pass, d *facts.Device, c *facts.Client) bool {
	if c.Addr.IsValid() {
		z := p.Zone(c.Addr)
		if z.Trust == policy.External {
			return false
		}
		if z.Kind == "management" {
			return true
		}
	}
	scope := c.Scope
	if scope == "" {
		scope = sourceScope(d, c)
	}
	scope = strings.ToLower(scope)
	return strings.Contains(scope, "mgmt") || strings.Contains(scope, "management")
}

// sourceScope is the VRF of the interface a client sends from: its own, or the protocol's ("ip tftp source-interface").
func sourceScope(d *facts.Device, c *facts.Client) string {
	source := c.Source
	for i := range d.Clients {
		if o := &d.Clients[i]; source == "" && o.Use == "settings" && o.Protocol == c.Protocol {
			source = o.Source
		}
	}
	i := slices.IndexFunc(d.Interfaces, func(x facts.Interface) bool { return x.Name == source && source != "" })
	if i < 0 {
		return ""
	}
	return d.Interfaces[i].Scope
}

// archiveFix is the change for this statement.
func archiveFix(d *facts.Device, c *facts.Client) string {
	if c.Use != "archive" || c.Host == "" {
		return ""
	}
	user := cmp.Or(c.User, "<user>")
	switch facts.PlatformFamily(d.Platform) {
	case facts.CiscoIOS:
		return fmt.Sprintf("archive\n path scp://%s@%s/$h-$t", user, c.Host)
	case facts.Junos:
		return fmt.Sprintf("delete system archival configuration archive-sites \"%s\"\nset system archival configuration archive-sites \"scp://%s@%s/<path>\"", c.URL, user, c.Host)
	}
	return ""
}
