package exposure

import (
	"fmt"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants of QM1201.
const (
	storedClear = iota
	storedReversible
)

// FTPCredential is QM1201.
func FTPCredential() *audit.Check {
	return &audit.Check{
		ID: "QM1201", Slug: "cred-ftp-cleartext", Title: "FTP client password stored clear or reversible", Severity: audit.Medium,
		Doc: `A device keeps the password of an FTP account readable, or hidden in a way anyone can undo (IOS type 7, Junos $9$).

## Why it matters

The account is usually the backup server's, and the same on every device: whoever reads one configuration writes to the
place where all configurations are kept, by the protocol T1071.002 uses.

## How it is decided

By how the password is kept: of FTP client settings ("ip ftp password", "archive-sites ... password", "logging
ftp-server"), and of FTP URLs. Type 6 under a master key and passwords of other protocols are not meant. Severity follows
where the device's own addresses are, and whether anyone would see them used.

## How it can be wrong

A password that a backup tool removed is listed as not evaluated. One in a comment is no statement and is not judged.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{
			storedClear: {Name: "clear text", Severity: audit.Medium}, storedReversible: {Name: "reversible", Severity: audit.Medium},
		},
		Attack: []string{"T1552.001", "T1110.002"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.4.2", "NSA 5.5", "AA26-194A", "IA-5(1)(c)", "PCI 8.3.2", "CISC-ND-000620"},
		False:    "type 6 with a master key passes",
		Fixes: map[string]string{
			facts.CiscoIOS: "no ip ftp password\nkey config-key password-encrypt <master key>\npassword encryption aes\nip ftp password <password>   (stored as type 6; better: SCP with keys)",
			facts.Junos:    "delete system archival configuration archive-sites \"<url>\"\nset system archival configuration archive-sites \"scp://<user>@<server>/<path>\"",
			facts.CiscoASA: "key config-key password-encryption <master key>\npassword encryption aes", "": "use SCP or SFTP with keys",
		},
		Needs:  audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: ftpCredentials,
	}
}

func ftpCredentials(p *audit.Pass, d *facts.Device) {
	masked := false
	for i := range d.Secrets {
		s := &d.Secrets[i]
		if !ofFTP(d, s) {
			continue
		}
		switch s.Storage {
		case facts.StorageClear:
			p.Report(credential(p, d, s, storedClear, "in clear text"))
		case facts.StorageReversible:
			p.Report(credential(p, d, s, storedReversible, "in a form anyone can undo"))
		case facts.StorageMasked:
			masked = true
		case facts.StorageUnknown, facts.StorageEncrypted, facts.StorageHashed:
		}
	}
	for i := range d.Clients {
		if c := &d.Clients[i]; c.Protocol == facts.FTP && c.Password.Origin == facts.Masked {
			masked = true
		}
	}
	if why := judge.Removed(d, "ftp-password"); why != "" {
		p.NotEvaluated(why)
	} else if masked {
		p.NotEvaluated("an FTP password was masked by a backup tool: how it is stored cannot be told")
	}
}

// ofFTP reports whether a secret is an FTP client's: by its kind, and by the protocol of the statement it is in.
func ofFTP(d *facts.Device, s *facts.Secret) bool {
	c := clientOf(d, s)
	if s.Kind == facts.SecretFTP { // also TFTP's and, below archive-sites, other URLs' passwords
		return c == nil || c.Protocol == facts.FTP || c.Protocol == facts.ProtocolUnknown
	}
	return s.Kind == facts.SecretURL && c != nil && c.Protocol == facts.FTP
}

// clientOf is the client a secret belongs to: the one that says so, or the one in whose statement it stands; nil when there
// is none.
func clientOf(d *facts.Device, s *facts.Secret) *facts.Client {
	for i := range d.Clients {
		c := &d.Clients[i]
		if c.Password.Span == s.Span || c.Span.Pos <= s.Span.Pos && s.Span.Pos+evidence.Pos(s.Span.Len) <= c.Span.Pos+evidence.Pos(c.Span.Len) {
			return c
		}
	}
	return nil
}

func credential(p *audit.Pass, d *facts.Device, s *facts.Secret, v uint8, how string) audit.Finding {
	name, user := s.Name, s.User
	if c := clientOf(d, s); c != nil {
		if s.Kind == facts.SecretURL {
			name = strings.TrimSpace(c.Name + " " + c.Host)
		}
		if user == "" {
			user = c.User
		}
	}
	of := ""
	if user != "" {
		of = fmt.Sprintf(" of account %q", user)
	}
	marks := judge.Mark(nil, "", s.Span)
	return audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "credential", Name: strings.TrimSpace(name + " " + user)},
		Severity:   audit.Score(.70, judge.Facing(p, d).Factor, audit.PrivilegeServer, judge.Telemetry(d)),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s keeps the FTP password%s %s (%q)", d.ID, of, how, name),
		Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	}
}
