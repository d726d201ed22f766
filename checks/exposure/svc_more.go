package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// This file holds the checks about what services of a device or host allow, beside that they are there.

// perService is the Device hook of a check that looks at running services one by one. finding returns false for none.
func perService(finding func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool)) func(*audit.Pass, *facts.Device) {
	return func(p *audit.Pass, d *facts.Device) {
		for i := range d.Services {
			if s := &d.Services[i]; facts.On(s.Enabled) && !isSocket(s) {
				if f, ok := finding(p, d, s); ok {
					p.Report(f)
				}
			}
		}
	}
}

// about is a finding about a service: base harm, weighed by who reaches it.
func about(p *audit.Pass, d *facts.Device, s *facts.Service, base, privilege float64, message string) audit.Finding {
	f, r := serverFinding(p, d, s, nil, base)
	f.Variant, f.Severity, f.Message = 0, audit.Score(base, max(r.Factor, audit.ExposureZone), privilege, audit.TelemetryPartial), message
	return f
}

// storage are roots that hold what a device boots from and is configured by.
var storage = [...]string{"flash:", "nvram:", "bootflash:", "disk0:", "disk1:", "slot0:", "usbflash0:", "system:", "harddisk:", "cf1:", "cf2:", "cf3:"}

// RootWritable is QM1005.
func RootWritable() *audit.Check {
	return &audit.Check{
		ID: "QM1005", Slug: "svc-ftp-root-writable", Title: "FTP/TFTP root is a boot or root file system, or upload is allowed", Severity: audit.High,
		Doc: `A server of files lets clients write where the device or host boots from, or lets anybody upload.

## Why it matters

Who can put a file there replaces the image or the configuration (T1601, T1542.004), or leaves tools for others (T1105).

## How it is decided

Servers of FTP and TFTP that are on and take files: from clients without an account (TFTP "--create", anonymous upload), or below
the root file system or the device's boot storage, or outside of the clients' own directories (vsftpd without chroot). A
directory of its own, with accounts, is fine.

## How it can be wrong

Crash dumps that machines upload by TFTP: approve the directory by an exception.

## Tunables

"zones" of the policy.
`,
		Attack: []string{"T1601", "T1542.004", "T1105"}, Analytics: []string{"AN1173", "AN1170"}, Controls: []string{"CISC-ND-000380", "AC-6", "SI-7", "PCI 2.2.6"}, False: "uploads of dumps into a directory of their own",
		Fixes: map[string]string{facts.Linux: "tftpd-hpa: TFTP_OPTIONS=\"--secure\" without --create\nvsftpd: chroot_local_user=YES, anon_upload_enable=NO", facts.CiscoIOS: "ftp-server topdir flash:<directory>", "": "serve one directory, read-only"},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			if s.Role != facts.RoleServer || s.Protocol != facts.FTP && s.Protocol != facts.FTPS && s.Protocol != facts.TFTP {
				return audit.Finding{}, false
			}
			root := s.Path == "/" || slices.Contains(storage[:], s.Path)
			why := ""
			switch {
			case facts.On(s.AnonymousWrite), s.Protocol == facts.TFTP && facts.On(s.Writable):
				why = "takes files from clients without an account"
			case facts.On(s.Writable) && root:
				why = fmt.Sprintf("takes files below %q", s.Path)
			case facts.On(s.Writable) && facts.Off(s.Confined):
				why = "takes files outside of the clients' own directories"
			default:
				return audit.Finding{}, false
			}
			f := about(p, d, s, .80, audit.PrivilegeDevice, fmt.Sprintf("%s: the %s server %q %s", d.ID, judge.Upper(s.Protocol), s.Name, why))
			for _, v := range [...]facts.V[bool]{s.AnonymousWrite, s.Writable, s.Confined} {
				f.Spans = judge.Mark(f.Spans, "said here", v.Span)
			}
			return f, true
		}),
	}
}

// CleartextFTP is QM1006.
func CleartextFTP() *audit.Check {
	return &audit.Check{
		ID: "QM1006", Slug: "svc-ftp-cleartext-auth", Title: "FTP(S) server accepts clear-text logins", Severity: audit.Medium,
		Doc: `An FTP server that knows TLS, or could, takes logins or files without it.

## Why it matters

The password and the files cross the network readable (T1040), and who sits in between changes them (T1557).

## How it is decided

What the server's configuration says of TLS (vsftpd ssl_enable and force_local_*, ProFTPD TLSRequired, Pure-FTPd TLS): sessions
that are not encrypted must be refused, logins and data alike. A server that says nothing has the default of its program.
Servers of network devices have no TLS and are svc-ftp-server.

## How it can be wrong

A partner that cannot do TLS: an exception with an end, and a list of its addresses.

## Tunables

"zones" of the policy.
`,
		Attack: []string{"T1040", "T1557"}, Analytics: []string{"AN1170", "AN1171"}, Controls: []string{"SC-8", "SC-13", "PCI 2.2.5", "PCI 4.2.1", "A.8.24", "NSA 7.2"}, False: "a partner that cannot do TLS, with an expiry and a source list",
		Fixes: map[string]string{"": "vsftpd: ssl_enable=YES, force_local_logins_ssl=YES, force_local_data_ssl=YES\nProFTPD: TLSRequired on\nbetter: SFTP"},
		Needs: audit.Needs{Platforms: []string{facts.Linux, facts.MacOS}},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			if s.Role != facts.RoleServer || s.Protocol != facts.FTP && s.Protocol != facts.FTPS || !s.Encryption.Known() || s.Encryption.Val >= facts.EncryptedSessions {
				return audit.Finding{}, false
			}
			how := map[facts.Encryption]string{facts.Cleartext: "never encrypts sessions", facts.Negotiated: "encrypts sessions only when the client asks for it", facts.EncryptedLogin: "encrypts logins alone"}[s.Encryption.Val]
			f := about(p, d, s, .60, audit.PrivilegeServer, fmt.Sprintf("%s: the FTP server %q %s", d.ID, s.Name, how))
			f.Spans = judge.Mark(f.Spans, "said here", s.Encryption.Span)
			return f, true
		}),
	}
}

// Anonymous is QM1007.
func Anonymous() *audit.Check {
	return &audit.Check{
		ID: "QM1007", Slug: "svc-anonymous", Title: "Anonymous FTP or guest SMB", Severity: audit.Medium,
		Doc: `A server of FTP or SMB lets clients in that have no account.

## Why it matters

It is a drop for anybody: tools and commands come in, files go out (T1105), and no name is in the log (T1078.001).

## How it is decided

Servers that are on and take anonymous logins or guests (vsftpd anonymous_enable, ProFTPD <Anonymous>, Pure-FTPd without
NoAnonymous, Samba "guest ok" with "map to guest"). Where they may also write it is high.

## How it can be wrong

A public mirror, read-only, in a DMZ: approve it by its host.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{{Name: "read-only", Severity: audit.Medium}, {Name: "may write", Severity: audit.High}}, Attack: []string{"T1078.001", "T1105"}, Analytics: []string{"AN1170", "AN1171"}, Controls: []string{"AC-14", "IA-2", "PCI 2.2.2", "PCI 8.2.1"},
		False: "a public mirror", Fixes: map[string]string{"": "vsftpd: anonymous_enable=NO\nSamba: map to guest = Never"},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			ftp := s.Protocol == facts.FTP || s.Protocol == facts.FTPS
			if s.Role != facts.RoleServer || !ftp && s.Protocol != facts.SMB || !facts.On(s.Anonymous) {
				return audit.Finding{}, false
			}
			writes := facts.On(s.AnonymousWrite) || s.Protocol == facts.SMB && facts.On(s.Writable)
			base, privilege, does := .70, audit.PrivilegeUser, "lets in clients without an account"
			if writes {
				base, privilege, does = .85, audit.PrivilegeServer, "lets clients without an account in, and write"
			}
			f := about(p, d, s, base, privilege, fmt.Sprintf("%s: the %s server %q %s", d.ID, judge.Upper(s.Protocol), s.Name, does))
			if writes {
				f.Variant = 1
			}
			f.Spans = judge.Mark(judge.Mark(f.Spans, "said here", s.Anonymous.Span), "and here", s.AnonymousWrite.Span)
			return f, true
		}),
	}
}

// InfraSMB is QM1008.
func InfraSMB() *audit.Check {
	return &audit.Check{
		ID: "QM1008", Slug: "svc-smb-on-infra", Title: "SMB/CIFS service on a network, hypervisor or OT role", Severity: audit.High,
		Doc: `A network device or hypervisor serves SMB, or carries its users to shares.

## Why it matters

Nothing on such a device needs SMB; whoever moves sideways does (T1021.002, T1570), and nobody looks for it there.

## How it is decided

Servers and proxies of SMB that are on, or sockets on TCP 445 or 139, on network devices and ESXi hosts (ASA WebVPN with file
browsing, vendors' CIFS services).

## How it can be wrong

NAS heads and print servers are hosts, not network devices: they are not meant.

## Tunables

"zones" of the policy.
`,
		Variants: reachVariants(), Attack: []string{"T1021.002", "T1570", "T1071.002"}, Analytics: []string{"AN1172", "AN1173"}, Controls: []string{"CM-7", "SC-7", "PCI 2.2.4", "A.8.22", "M1035"}, False: "none",
		Fixes: map[string]string{facts.CiscoASA: "group-policy <name> attributes\n webvpn\n  file-browsing disable\n  file-entry disable", "": "stop the SMB service"},
		Device: func(p *audit.Pass, d *facts.Device) {
			if !concerns(d, facts.SMB) && d.Platform != facts.VMwareESX {
				return
			}
			for i := range d.Services {
				s := &d.Services[i]
				if s.Protocol != facts.SMB || !facts.On(s.Enabled) || s.Role != facts.RoleServer && s.Role != facts.RoleProxy {
					continue
				}
				f, _ := serverFinding(p, d, s, nil, .70)
				if s.Role == facts.RoleProxy {
					f.Message = fmt.Sprintf("%s carries its users to SMB shares (%q)", d.ID, s.Name)
				}
				p.Report(f)
			}
		},
	}
}

// weakDialects are Samba's names of SMB before 2.1, oldest first (smb.conf(5), server min protocol).
var weakDialects = []string{"CORE", "COREPLUS", "LANMAN1", "LANMAN2", "NT1", "SMB2_02"}

// WeakSMB is QM1009.
func WeakSMB() *audit.Check {
	return &audit.Check{
		ID: "QM1009", Slug: "svc-smb-weak", Title: "SMBv1, unsigned or null-session SMB", Severity: audit.Medium,
		Doc: `An SMB server speaks old versions of the protocol, or does not ask for signed packets.

## Why it matters

What is not signed can be relayed (T1557.001), and SMB 1 is what worms speak (T1021.002).

## How it is decided

Samba's "server min protocol" below SMB2_10, stated or by default, and "server signing" that is not mandatory. SMB 1 is the
worse of the two and named first.

## How it can be wrong

A scanner that knows nothing else: an exception for the pair, with an end.

## Tunables

None.
`,
		Variants: []audit.Variant{{Name: "SMB 1", Severity: audit.Medium}, {Name: "before SMB 2.1, or unsigned", Severity: audit.Low}}, Attack: []string{"T1557.001", "T1021.002"}, Analytics: []string{"AN1170", "AN1171"}, Controls: []string{"SC-8", "SC-23", "PCI 2.2.5", "A.8.20"},
		False: "a legacy scanner, by pair and with an expiry", Fixes: map[string]string{"": "Samba: server min protocol = SMB3, server signing = mandatory"},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			if s.Role != facts.RoleServer || s.Protocol != facts.SMB || !s.Dialect.Known() && !s.Signing.Known() {
				return audit.Finding{}, false
			}
			first := slices.IndexFunc(d.Services, func(o facts.Service) bool {
				return o.Role == s.Role && o.Dialect == s.Dialect && o.Signing == s.Signing
			})
			if &d.Services[first] != s { // a share has what its server has
				return audit.Finding{}, false
			}
			age := slices.Index(weakDialects, strings.ToUpper(s.Dialect.Val))
			signed := strings.EqualFold(s.Signing.Val, "mandatory") || strings.EqualFold(s.Signing.Val, "required") || strings.EqualFold(s.Signing.Val, "force")
			var why []string
			if s.Dialect.Known() && age >= 0 {
				why = append(why, "speaks "+s.Dialect.Val)
			}
			if s.Signing.Known() && !signed {
				why = append(why, "takes unsigned packets")
			}
			if len(why) == 0 {
				return audit.Finding{}, false
			}
			old := s.Dialect.Known() && age >= 0 && age < 5
			base := .40
			if old {
				base = .65
			}
			f := about(p, d, s, base, audit.PrivilegeServer, fmt.Sprintf("%s: the SMB server %q %s", d.ID, s.Name, judge.Join(why)))
			if !old {
				f.Variant = 1
			}
			f.Spans = judge.Mark(judge.Mark(f.Spans, "said here", s.Dialect.Span), "said here", s.Signing.Span)
			return f, true
		}),
	}
}

// RemoteShell is QM1010.
func RemoteShell() *audit.Check {
	return &audit.Check{
		ID: "QM1010", Slug: "svc-rcp-rsh", Title: "rcp/rsh copy service enabled", Severity: audit.High,
		Doc: `A device takes copies and commands by rcp or rsh: by the address of who asks, without a password.

## Why it matters

An address is no proof: who has it, or sends from it, reads and writes the device's files (T1105, T1021).

## How it is decided

"ip rcmd rcp-enable", "ip rcmd rsh-enable" on IOS, "system services rsh" and "rlogin" on Junos.

## How it can be wrong

It cannot.

## Tunables

"zones" of the policy.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1021"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-ND-000470", "CM-7"}, False: "none",
		Fixes: map[string]string{facts.CiscoIOS: "no ip rcmd rcp-enable\nno ip rcmd rsh-enable", facts.Junos: "delete system services rsh\ndelete system services rlogin", "": "turn rcp and rsh off"},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			name := strings.ToLower(s.Name)
			if s.Protocol != facts.RCP && !strings.Contains(name, "rsh") && !strings.HasSuffix(name, "rlogin") {
				return audit.Finding{}, false
			}
			f, r := serverFinding(p, d, s, nil, .70)
			f.Message = fmt.Sprintf("%s takes copies or commands without a password (%q) from %s", d.ID, s.Name, r.Who)
			return f, true
		}),
	}
}

// SmartInstall is QM1011.
func SmartInstall() *audit.Check {
	return &audit.Check{
		ID: "QM1011", Slug: "svc-smart-install", Title: "Cisco Smart Install client active", Severity: audit.Critical,
		Doc: `A switch listens for a director on TCP 4786 and does what it says: send its configuration, take another, load an image.

## Why it matters

No login is asked for (T1602.002, T1601): one packet takes the configuration away by TFTP. It has been the first thing that
intruders try on switches for ten years.

## How it is decided

"vstack" and its director on, a socket on TCP 4786, or a switch whose release has the client on unless "no vstack" says
otherwise. Where that cannot be told the check is not evaluated. The severity follows who reaches the port.

## How it can be wrong

A site that is installed this way: an exception of at most thirty days.

## Tunables

"zones" of the policy.
`,
		Variants: reachVariants(), Attack: []string{"T1190", "T1602.002", "T1601"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000090", "AA25-239A", "CISA-HG24", "TA18-106A", "CM-7", "NSA 7.9", "M1054"}, False: "a zero-touch site, for at most 30 days",
		Fixes: map[string]string{"": "no vstack\nor, where the command is missing: deny tcp any any eq 4786 on every way to the switch"}, Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}},
		Device: func(p *audit.Pass, d *facts.Device) {
			s := serversOf(d, facts.SmartInstall)
			if len(s.on) > 0 { // the client and its director are one service
				x := s.on[0]
				f, _ := serverFinding(p, d, x, s.live, .95)
				for _, other := range s.on[1:] {
					f.Spans = judge.Mark(f.Spans, "said here", other.Span)
				}
				if f.Message = fmt.Sprintf("%s does what a Smart Install director tells it", d.ID); x.Enabled.Origin == facts.Default {
					f.Message += ", as its release does unless told otherwise"
					f.Confidence = audit.ConfidenceMedium
				}
				p.Report(f)
			}
			if len(s.on) == 0 && s.unknown != "" {
				p.NotEvaluated("whether Smart Install is on is unknown: the model and release that decide it are not in this evidence (show vstack config tells)")
			}
		},
	}
}

// containers are names of shells and containers on devices, from which files move past command accounting.
var containers = [...]string{"guestshell", "iox", "app-hosting", "feature bash-shell", "extension-service", "virtual-service", "bash-shell"}

// GuestContainer is QM1014.
func GuestContainer() *audit.Check {
	return &audit.Check{
		ID: "QM1014", Slug: "svc-guest-container", Title: "Guest shell / IOx container can transfer files outside AAA", Severity: audit.Medium,
		Doc: `A Linux shell or container runs on a network device.

## Why it matters

What is done in it is in no command accounting (T1059.008, T1610): curl and tftp are there, and the device's addresses with them.

## How it is decided

IOx, application hosting and guest shell of IOS-XE, guest shell and bash of NX-OS, extension services of Junos, that are on. High
where no flow records would show the transfers.

## How it can be wrong

Automation that needs it: approve it by device and container, and filter what leaves it.

## Tunables

None.
`,
		Attack: []string{"T1610", "T1059.008", "T1105", "T1562.003"}, Analytics: []string{"AN1173"}, Controls: []string{"CISA-HG24", "AA25-239A", "CM-7(5)", "SI-4", "NSA 7.9"}, False: "automation, approved by device and container",
		Fixes: map[string]string{facts.CiscoIOS: "guestshell destroy\nno iox", facts.CiscoNXOS: "guestshell destroy\nno feature bash-shell", "": "turn the shell off"}, Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			if s.Role != facts.RoleShell || !slices.ContainsFunc(containers[:], func(w string) bool { return strings.HasPrefix(s.Name, w) || strings.HasSuffix(s.Name, w) }) {
				return audit.Finding{}, false
			}
			base := .50
			if !facts.On(d.Logging.FlowExport) {
				base = .60
			}
			return audit.Finding{
				Subject: serviceSubject(s), Severity: audit.Score(base, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
				Message: fmt.Sprintf("%s runs a shell or container from which files move past command accounting (%q)", d.ID, s.Name), Spans: judge.Mark(nil, "", s.Span), Signal: audit.Signal{Weight: .10, Class: "CFG"},
			}, true
		}),
	}
}

// SecureCopyOpen is QM1015.
func SecureCopyOpen() *audit.Check {
	return &audit.Check{
		ID: "QM1015", Slug: "svc-scp-sftp-open", Title: "SCP/SFTP server reachable outside the management zone", Severity: audit.Medium,
		Doc: `A network device serves its files by SCP or SFTP to clients that are not in the management network.

## Why it matters

The protocol is the right one, the exposure is not: a password that leaked takes the configuration and leaves an image (T1105).

## How it is decided

Servers that are on, and who reaches their port: interfaces, filters, the list of logins, asked exactly. Reported when clients from
outside, or from inside zones that are not of kind management, reach it. Where the policy names no management zone a list that
keeps outside away is enough.

## How it can be wrong

Another device in front may keep clients away.

## Tunables

"zones" with kind management.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1021.004"}, Analytics: []string{"AN1173"}, Controls: []string{"NSA 7.4", "CIS-IOS 1.2.4", "AC-17", "PCI 1.4.2"}, False: "a backup host in another zone",
		Fixes: map[string]string{facts.CiscoIOS: "line vty 0 15\n access-class MGMT in vrf-also", facts.CiscoNXOS: "line vty\n access-class MGMT in", "": "limit SSH to the management network"},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			zoned := slices.ContainsFunc(p.Policy.Zones, func(z policy.Zone) bool { return z.Kind == "management" })
			var one *audit.Finding // SCP and SFTP are two names for what one SSH server does
			for i := range d.Services {
				s := &d.Services[i]
				if s.Protocol != facts.SCP && s.Protocol != facts.SFTP || s.Role != facts.RoleServer || !facts.On(s.Enabled) {
					continue
				}
				f, r := serverFinding(p, d, s, nil, .50)
				switch {
				case r.Factor <= audit.ExposureManagement || !zoned && r.Limited && r.Factor < audit.ExposureUntrusted:
				case one == nil:
					one = &f
				default:
					one.Severity, one.Spans = max(one.Severity, f.Severity), judge.Mark(one.Spans, "served too", s.Span)
				}
			}
			if one != nil {
				p.Report(*one)
			}
		},
	}
}

// plainWords are names of management services without encryption.
var plainWords = [...]string{"telnet", "xnm-clear-text", "rlogin"}

// CleartextManagement is QM1016.
func CleartextManagement() *audit.Check {
	return &audit.Check{
		ID: "QM1016", Slug: "svc-cleartext-mgmt", Title: "Clear-text management next to file transfer", Severity: audit.Medium,
		Doc: `A device takes management sessions by Telnet or HTTP.

## Why it matters

The administrator's password crosses the network readable (T1040), and it is the one that copies configurations.

## How it is decided

Login lines that take telnet or everything, web pages without TLS, "feature telnet", "system services telnet" and their likes,
that are on. The severity follows who reaches the port.

## How it can be wrong

A laboratory.

## Tunables

"zones" of the policy.
`,
		Variants: reachVariants(), Attack: []string{"T1040", "T1557"}, Analytics: []string{"AN1173"}, Controls: []string{"CIS-IOS 1.2.2", "CIS-NX 1.2.7", "CISC-ND-000470", "NSA 7.1", "PCI 2.2.7"}, False: "a laboratory",
		Fixes: map[string]string{facts.CiscoIOS: "line vty 0 15\n transport input ssh\nno ip http server", facts.CiscoNXOS: "no feature telnet", facts.Junos: "delete system services telnet", facts.AristaEOS: "management telnet\n shutdown", facts.ArubaAOSS: "no telnet-server\nno web-management plaintext", "": "take SSH and HTTPS alone"},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: perService(func(p *audit.Pass, d *facts.Device, s *facts.Service) (audit.Finding, bool) {
			plain := s.Protocol == facts.Telnet || s.Protocol == facts.HTTP && judge.IsDevice(d.Platform) || slices.ContainsFunc(plainWords[:], func(w string) bool { return strings.HasSuffix(s.Name, w) })
			if !plain || s.Role == facts.RoleALG || s.Role == facts.RoleProxy {
				return audit.Finding{}, false
			}
			f, r := serverFinding(p, d, s, nil, .60)
			f.Message = fmt.Sprintf("%s takes management sessions in clear text (%q) from %s", d.ID, s.Name, r.Who)
			return f, true
		}),
	}
}
