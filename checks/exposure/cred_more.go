package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// URLCredential is QM1202.
func URLCredential() *audit.Check {
	return &audit.Check{
		ID: "QM1202", Slug: "cred-url-embedded", Title: "Credentials inside a transfer URL", Severity: audit.High,
		Doc: `A statement holds a URL with the password of the account in it.

## Why it matters

URLs are copied, logged, mailed and shown on screens (T1552.001): whoever sees the statement has the account of the server where
the configurations are.

## How it is decided

"scheme://user:password@host" of FTP, FTPS, SFTP, SCP, SMB and HTTP in any statement. The password itself is in no output.
FTP URLs whose password is also how the client is set up are cred-ftp-cleartext as well.

## How it can be wrong

A password that a backup tool removed is not reported.

## Tunables

None.
`,
		Attack: []string{"T1552.001"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-ND-001410", "IA-5(7)", "PCI 8.6.2"}, False: "none",
		Fixes: map[string]string{"": "use a key, or let the device ask; change the password of the account"}, Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Secrets {
				s := &d.Secrets[i]
				if s.Kind != facts.SecretURL || s.Storage != facts.StorageClear {
					continue
				}
				name, host := s.Name, ""
				user := s.User
				if c := clientOf(d, s); c != nil {
					name, host = c.Name, c.Host
					if user == "" {
						user = c.User
					}
				}
				to := ""
				if host != "" {
					to = " of " + host
				}
				p.Report(audit.Finding{
					Subject: audit.Subject{Kind: "credential", Name: strings.TrimSpace(fmt.Sprintf("url %s %s %s", name, host, user))}, Severity: audit.Score(.75, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial),
					Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s holds the password of account %q%s in a URL (%q)", d.ID, user, to, name), Spans: judge.Mark(nil, "", s.Span), Signal: audit.Signal{Weight: .10, Class: "CFG"},
				})
			}
		},
	}
}

// ExportableSecrets is QM1203.
func ExportableSecrets() *audit.Check {
	return &audit.Check{
		ID: "QM1203", Slug: "cred-weak-hash-exportable", Title: "Config holds reversible secrets while a clear-text export path exists", Severity: audit.High,
		Doc: `The configuration holds secrets that are readable or can be undone, and there is a way by which it leaves the device in clear
text.

## Why it matters

Then theft of the configuration is theft of the credentials (T1602.002, T1078): nobody has to crack anything.

## How it is decided

Secrets in clear text or of reversible kind (IOS types 0 and 7, Junos $9$, SNMP communities), together with one of: a TFTP server
that is on, Smart Install, an SNMP community or group that may write and is not kept from the copy tables, an archive or job by
a clear-text protocol, a transfer to an outside address. The ways are counted as they are configured; who reaches them is the
matter of their own checks.

## How it can be wrong

A way that is limited to one host is a way still.

## Tunables

"zones" and "servers" of the policy.
`,
		Attack: []string{"T1602.002", "T1110.002", "T1078"}, Analytics: []string{"AN1173"}, Controls: []string{"NSA 5.5", "AA26-194A", "AA25-239A", "IA-5"}, False: "none",
		Fixes: map[string]string{facts.CiscoIOS: "enable algorithm-type scrypt secret <password>\nkey config-key password-encrypt <key>\npassword encryption aes", facts.FortiOS: "config system global\n set private-data-encryption enable", "": "store secrets hashed or encrypted, and close the way out"},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig}, Device: exportable,
	}
}

func exportable(p *audit.Pass, d *facts.Device) {
	var ways []string
	var marks []audit.Mark
	way := func(text string, spans ...evidence.Span) {
		if !slices.Contains(ways, text) {
			ways = append(ways, text)
		}
		marks = judge.Mark(marks, text, spans...)
	}
	for i := range d.Services {
		s := &d.Services[i]
		if !facts.On(s.Enabled) || s.Role != facts.RoleServer {
			continue
		}
		switch s.Protocol { //nolint:exhaustive // the other servers are no way out by themselves
		case facts.TFTP:
			way("a TFTP server", s.Span)
		case facts.SmartInstall:
			way("Smart Install", s.Span)
		}
	}
	for i := range d.SNMP {
		if a := &d.SNMP[i]; facts.On(a.Write) && !facts.Off(a.CoversCopy) && len(d.SNMPLimits) == 0 {
			way("SNMP that may write", a.Span)
		}
	}
	for i := range d.Clients {
		c := &d.Clients[i]
		switch {
		case !runs(c) || !c.Protocol.Cleartext():
		case carriesConfig(c):
			way("a copy in clear text", c.Span)
		case destinationOf(p, c) == toOutside && c.Use != "dhcp-option":
			way("a transfer to outside", c.Span)
		}
	}
	if len(ways) == 0 {
		return
	}
	count := 0
	var shown []audit.Mark
	for i := range d.Secrets {
		s := &d.Secrets[i]
		if s.Storage == facts.StorageClear || s.Storage == facts.StorageReversible {
			count++
			if len(shown) < 5 {
				shown = judge.Mark(shown, "readable secret", s.Span)
			}
		}
	}
	if count == 0 {
		return
	}
	for _, m := range shown {
		marks = judge.Mark(marks, m.Role, m.Span)
	}
	p.Report(audit.Finding{
		Subject: audit.Subject{Kind: "credential", Name: "readable secrets"}, Severity: audit.Score(.80, audit.ExposureInternal, audit.PrivilegeDevice, judge.Telemetry(d)), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s holds %s that can be read, and its configuration can leave by %s", d.ID, judge.Count(int64(count), "secret"), judge.Join(ways)), Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}

// commonAccounts are names that everybody tries.
var commonAccounts = []string{"anonymous", "cisco", "admin", "ftp", "test", "guest", "root", "user"}

// DefaultAccount is QM1204.
func DefaultAccount() *audit.Check {
	return &audit.Check{
		ID: "QM1204", Slug: "cred-default-or-anonymous", Title: "FTP client uses anonymous/default or vendor default account", Severity: audit.Low,
		Doc: `A device logs in to FTP servers with no account of its own, or with one that everybody tries.

## Why it matters

The server cannot tell who wrote there (T1078.001), and the account is the same for all.

## How it is decided

FTP clients that run, without a user in the URL or the client's settings, or with one of a short list of usual names.

## How it can be wrong

A public mirror of the vendor.

## Tunables

None.
`,
		Attack: []string{"T1078.001"}, Analytics: []string{"AN1173"}, Controls: []string{"IA-5", "PCI 2.2.2"}, False: "a public vendor mirror", Fixes: map[string]string{"": "give the device an account of its own that may write one directory"},
		Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig}, Device: defaultAccount,
	}
}

func defaultAccount(p *audit.Pass, d *facts.Device) {
	set := ""
	for i := range d.Clients {
		if c := &d.Clients[i]; c.Use == "settings" && c.Protocol == facts.FTP && c.User != "" {
			set = c.User
		}
	}
	var marks []audit.Mark
	var users []string
	for i := range d.Clients {
		c := &d.Clients[i]
		if c.Protocol != facts.FTP || !runs(c) || c.Use == "dhcp-option" {
			continue
		}
		user := c.User
		if user == "" {
			user = set
		}
		if user != "" && !slices.Contains(commonAccounts, strings.ToLower(user)) {
			continue
		}
		if user == "" {
			user = "anonymous"
		}
		if !slices.Contains(users, user) {
			users = append(users, user)
		}
		marks = judge.Mark(marks, "", c.Span)
	}
	if len(marks) > 0 {
		p.Report(audit.Finding{
			Subject: audit.Subject{Kind: "credential", Name: "ftp account"}, Severity: audit.Score(.40, audit.ExposureUntrusted, audit.PrivilegeUser, audit.TelemetryPartial), Confidence: audit.ConfidenceMedium,
			Message: fmt.Sprintf("%s logs in to FTP servers as %s", d.ID, quoteAll(users)), Spans: marks, Signal: audit.Signal{Weight: .02, Class: "CFG"},
		})
	}
}

// SNMPDefault is QM1206.
func SNMPDefault() *audit.Check {
	return &audit.Check{
		ID: "QM1206", Slug: "cred-snmp-default", Title: "Default/guessable or unrestricted SNMP community", Severity: audit.High,
		Doc: `An SNMP community is one that everybody tries, or any client may use it.

## Why it matters

A community is a password that crosses the network readable. With one that may write the configuration is copied away
(T1602.001); with one that may not, tables tell the network (T1110.001).

## How it is decided

Communities of a short list of usual words, and communities without a list of clients, by who reaches UDP 161. A community that may
write counts more. The community itself is in no output.

## How it can be wrong

A filter of the control plane or an interface that limits SNMP is counted; one on another device is not.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{{Name: "everybody tries it", Severity: audit.High}, {Name: "any client may use it", Severity: audit.Medium}}, Attack: []string{"T1602.001", "T1110.001"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.5.2", "CIS-IOS 1.5.5", "CIS-JUN 5.3", "CISC-ND-001130", "NSA 7.8"}, False: "a laboratory", Fixes: map[string]string{facts.CiscoIOS: "no snmp-server community <community>\nsnmp-server group <group> v3 priv read <view> access <list>", "": "remove it; SNMP v3 with privacy and a view"},
		Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig}, Device: snmpDefault,
	}
}

func snmpDefault(p *audit.Pass, d *facts.Device) {
	for i := range d.SNMP {
		a := &d.SNMP[i]
		if a.Version != 1 || a.Span.IsZero() {
			continue
		}
		guess := slices.ContainsFunc(d.Secrets, func(s facts.Secret) bool {
			return s.Kind == facts.SecretCommunity && s.Guessable && a.Span.Pos <= s.Span.Pos && s.Span.Pos < a.Span.Pos+evidence.Pos(a.Span.Len)
		})
		r := judge.Service(p, d, judge.Listener{Transport: facts.UDP, Port: 161, Scope: a.Scope, ACL: a.ACL})
		open := !a.ACL.Known() && len(a.Clients) == 0 && !r.Limited && a.ACL.Origin != facts.Masked
		if !guess && !open {
			continue
		}
		base, privilege, may := .80, audit.PrivilegeServer, "may read"
		if facts.On(a.Write) {
			privilege, may = audit.PrivilegeDevice, "may write"
		}
		v, what := uint8(0), "is one that everybody tries"
		if !guess {
			v, what, base = 1, "any client may use", .65
		}
		p.Report(audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "snmp", Name: fmt.Sprintf("community %d, %s", i+1, may)}, Severity: audit.Score(base, max(r.Factor, audit.ExposureManagement), privilege, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
			Message: fmt.Sprintf("%s has an SNMP community that %s and %s, open to %s", d.ID, may, what, r.Who), Spans: judge.Mark(judge.Mark(nil, "", a.Span), "client list", a.ACL.Span), Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
	}
}
