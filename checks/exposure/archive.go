package exposure

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// ArchiveCleartext is QM1105.
func ArchiveCleartext() *audit.Check {
	return &audit.Check{
		ID: "QM1105", Slug: "xfer-archive-cleartext", Title: "Scheduled config archive/backup over a clear-text protocol", Severity: audit.High,
		Doc: `A device sends its configuration somewhere by itself, by TFTP, FTP, RCP or HTTP: on a timer, at every save, or from a
scheduler or event script.

## Why it matters

The configuration with its hashes and communities crosses the network readable, and a transfer that happens every night is
the best place to hide another one.

## How it is decided

IOS archive path, kron and EEM jobs; Junos archival and other archive-sites; ASA auto-update, event manager jobs and log
uploads. Inside the management network it is medium, elsewhere high.

## How it can be wrong

A legacy switch may know nothing but TFTP: record an exception that pins the server. An EEM or kron job that never runs
is reported too: it can.
`,
		Variants: []audit.Variant{{Name: "beyond the management network", Severity: audit.High}, {Name: "inside the management network", Severity: audit.Medium}},
		Attack:   []string{"T1040", "T1602.002", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-JUN 6.2.3", "CIS-JUN 1.5", "CISC-ND-001410", "NSA 7.3", "NSA 3.1", "PCI 1.2.8", "SC-8"},
		False:    "a TFTP-only legacy switch, with the server pinned, inside the management network, with a review date",
		Fixes: map[string]string{
			facts.CiscoIOS: "archive\n path scp://<user>@<server>/$h-$t", facts.Junos: "set system archival configuration archive-sites \"scp://<user>@<server>/<path>\"",
			facts.CiscoASA: "replace the job by a backup over SCP", "": "send backups by SCP or SFTP with keys",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Clients {
				c := &d.Clients[i]
				if !c.Automatic || facts.Off(c.Enabled) || !c.Protocol.Cleartext() || !carriesConfig(c.Use) {
					continue
				}
				archive(p, d, c)
			}
		},
	}
}

// carriesConfig reports whether a use sends files from the device: a boot path only reads.
func carriesConfig(use string) bool {
	switch use {
	case "archive", "scheduler", "event", "log-upload", "script", "write-net":
		return true
	}
	return false
}

func archive(p *audit.Pass, d *facts.Device, c *facts.Client) {
	e, v, where := audit.ExposureUntrusted, uint8(0), "beyond the management network"
	if insideManagement(p, c) {
		e, v, where = audit.ExposureInternal, 1, "inside the management network"
	}
	to := cmp.Or(c.Host, "a server that is not named")
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: c.Use, Name: strings.TrimSpace(c.Name + " " + c.Protocol.String() + " " + c.Host)},
		Severity: audit.Score(.70, e, audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s sends its files by %s to %s by itself (%s), %s", d.ID, strings.ToUpper(c.Protocol.String()), to, c.Name, where),
		Spans:   []audit.Mark{{Span: c.Span}}, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}

// insideManagement: the server is in a management zone, or the transfer leaves by a VRF that is called one.
func insideManagement(p *audit.Pass, c *facts.Client) bool {
	if c.Addr.IsValid() {
		z := p.Zone(c.Addr)
		return z.Kind == "management" && z.Trust == policy.Internal
	}
	return strings.Contains(strings.ToLower(c.Scope), "mgmt") || strings.Contains(strings.ToLower(c.Scope), "management")
}

// FTPCredential is QM1201.
func FTPCredential() *audit.Check {
	return &audit.Check{
		ID: "QM1201", Slug: "cred-ftp-cleartext", Title: "FTP client password stored clear or reversible", Severity: audit.Medium,
		Doc: `A device keeps the password of an FTP account readable, or hidden in a way anyone can undo (IOS type 7, Junos $9$).

## Why it matters

The account is usually the backup server's, and the same on every device: whoever reads one configuration writes to the
place where all configurations are kept.

## How it is decided

Passwords of FTP client settings and inside transfer URLs, by how they are stored. Type 6 under a master key passes.

## How it can be wrong

A password that a backup tool removed from the evidence is not judged: it is listed as not evaluated.
`,
		Variants: []audit.Variant{{Name: "clear text", Severity: audit.Medium}, {Name: "reversible", Severity: audit.Medium}},
		Attack:   []string{"T1552.001", "T1110.002"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.4.2", "NSA 5.5", "AA26-194A", "IA-5(1)(c)", "PCI 8.3.2", "CISC-ND-000620"},
		False:    "type 6 with a master key passes",
		Fixes: map[string]string{
			facts.CiscoIOS: "no ip ftp password\nkey config-key password-encrypt <master key>\npassword encryption aes\nuse SCP with keys instead",
			facts.Junos:    "delete the archive-sites password and use scp:// with keys", "": "use SCP or SFTP with keys",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			masked := false
			for i := range d.Secrets {
				s := &d.Secrets[i]
				if s.Kind != facts.SecretFTP && s.Kind != facts.SecretURL {
					continue
				}
				switch s.Storage {
				case facts.StorageClear, facts.StorageReversible:
					credential(p, d, s)
				case facts.StorageMasked:
					masked = true
				case facts.StorageUnknown, facts.StorageEncrypted, facts.StorageHashed:
				}
			}
			if why := judge.Removed(d, "ftp-password"); why != "" {
				p.NotEvaluated(why)
			} else if masked {
				p.NotEvaluated("an FTP password was masked by a backup tool: how it is stored cannot be told")
			}
		},
	}
}

func credential(p *audit.Pass, d *facts.Device, s *facts.Secret) {
	v := uint8(0)
	if s.Storage == facts.StorageReversible {
		v = 1
	}
	user := ""
	if s.User != "" {
		user = fmt.Sprintf(" of account %q", s.User)
	}
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "credential", Name: strings.TrimSpace(s.Name + " " + s.User)},
		Severity: audit.Score(.70, judge.Facing(p, d).Factor, audit.PrivilegeServer, judge.Telemetry(d)), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s keeps the password%s in %q %s", d.ID, user, s.Name, storedAs(s.Storage)),
		Spans:   []audit.Mark{{Span: s.Span}}, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}

func storedAs(s facts.Storage) string {
	if s == facts.StorageReversible {
		return "hidden in a way anyone can undo"
	}
	return "in clear text"
}
