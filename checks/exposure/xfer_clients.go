package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// This file holds the checks about single clients of a device: each looks at the clients of one use.

// perClient is the Device hook of a check that looks at clients one by one.
func perClient(wanted func(*facts.Client) bool, finding func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding) func(*audit.Pass, *facts.Device) {
	return func(p *audit.Pass, d *facts.Device) {
		for i := range d.Clients {
			if c := &d.Clients[i]; runs(c) && wanted(c) {
				p.Report(finding(p, d, c))
			}
		}
	}
}

// provisions are names of statements that let a device take its configuration from whoever answers.
var provisions = [...]string{"service config", "boot poap", "autoinstall", "pnp", "cns ", "auto-image-upgrade", "ztp", "zerotouch", "dhcp config-file-update", "dhcp image-file-update", "auto-install"}

func provision(c *facts.Client) bool {
	return slices.ContainsFunc(provisions[:], func(w string) bool { return strings.Contains(c.Name, w) })
}

// BootImage is QM1101.
func BootImage() *audit.Check {
	return &audit.Check{
		ID: "QM1101", Slug: "boot-network-image", Title: "Boot image or boot config fetched from the network", Severity: audit.High,
		Doc: `A device fetches its image or its first configuration from a server when it starts.

## Why it matters

Who answers for that server decides what the device runs (T1542.005, T1601): a patched image survives every clean-up, and the
fetch is TFTP or FTP that everybody expects.

## How it is decided

Statements that name a URL to boot from: IOS "boot system tftp:", "boot network", "boot host", software upgrades at boot, ASA
contexts with a "config-url", AOS-S "auto-tftp", and their likes. "boot network" without "service config" does nothing on IOS
and counts only as the platform makes it. Images on the device's own storage are not meant. High to outside and to servers
that are not named by an address; less to approved servers.

## How it can be wrong

Diskless designs: approve the server, and pin the image's hash elsewhere.

## Tunables

"servers", "workflows" and "zones" of the policy.
`,
		Variants: destinationVariants(audit.High, audit.High, audit.Low), Attack: []string{"T1542.005", "T1601", "T1542.004"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-RT-000090", "M1046", "M1047", "NSA 3.2", "SI-7", "CM-5", "PCI 11.5.2"}, False: "a diskless design, with the server approved",
		Fixes: map[string]string{facts.CiscoIOS: "no boot system tftp <file> <server>\nboot system flash bootflash:packages.conf", "": "boot from the device's own storage"},
		Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: perClient(
			func(c *facts.Client) bool {
				return (c.Use == "boot-system" || c.Use == "boot-config") && !provision(c) && remote(c)
			},
			func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
				what := "an image"
				if c.Use == "boot-config" {
					what = "a configuration"
				}
				return clientFinding(p, d, c, .85, fmt.Sprintf("boots %s%s from", what, by(c)))
			}),
	}
}

// ServiceConfig is QM1102.
func ServiceConfig() *audit.Check {
	return &audit.Check{
		ID: "QM1102", Slug: "boot-service-config", Title: "Device auto-loads a config by broadcast TFTP", Severity: audit.High,
		Doc: `At every start the device asks the whole segment for a configuration by TFTP and takes what comes first.

## Why it matters

Any neighbour can answer (T1542.005, T1557): one packet race, and the device runs lines of somebody else.

## How it is decided

"service config" in the configuration. Old images print it; on IOS-XE it is off unless stated.

## How it can be wrong

It cannot: nothing needs it after the first day.

## Tunables

None.
`,
		Attack: []string{"T1542.005", "T1557", "T1105"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-ND-000470", "CISC-RT-000090", "CM-7", "A.8.9"}, False: "none after deployment",
		Fixes: map[string]string{"": "no service config"}, Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: perClient(
			func(c *facts.Client) bool { return c.Name == "service config" },
			func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
				f := clientFinding(p, d, c, .80, "")
				f.Variant, f.Severity, f.Confidence = 0, audit.Score(.80, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial), audit.ConfidenceHigh
				f.Message = d.ID + " takes its configuration by TFTP from whoever answers, at every start"
				return f
			}),
	}
}

// ZeroTouch is QM1103.
func ZeroTouch() *audit.Check {
	return &audit.Check{
		ID: "QM1103", Slug: "boot-ztp", Title: "Zero-touch/auto-install left on in operation", Severity: audit.Medium,
		Doc: `Provisioning at the first start, or by a controller that is asked for, is still on.

## Why it matters

Auto-install fetches configuration and images by TFTP from whoever DHCP names (T1542.005, T1601). In operation nobody needs it.

## How it is decided

NX-OS "boot poap enable", Junos "auto-image-upgrade" and autoinstallation, FortiOS auto-install, AOS-S "dhcp config-file-update",
Cisco PnP and CNS agents, and their likes, where they are on. "service config" is a check of its own.

## How it can be wrong

During a roll-out: record an exception with its ticket.

## Tunables

None.
`,
		Attack: []string{"T1542.005", "T1601"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000090", "CM-7", "A.8.9"}, False: "a roll-out window with its ticket",
		Fixes: map[string]string{
			facts.CiscoNXOS: "no boot poap enable", facts.AristaEOS: "zerotouch disable", facts.Junos: "delete chassis auto-image-upgrade", facts.FortiOS: "config system auto-install\n set auto-install-config disable", "": "turn provisioning off",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: perClient(
			func(c *facts.Client) bool { return provision(c) && c.Name != "service config" && facts.On(c.Enabled) },
			func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
				f := clientFinding(p, d, c, .60, "")
				f.Variant, f.Severity, f.Confidence = 0, audit.Score(.60, audit.ExposureInternal, audit.PrivilegeDevice, audit.TelemetryPartial), audit.ConfidenceMedium
				f.Message = fmt.Sprintf("%s still provisions itself from the network (%q)", d.ID, c.Name)
				return f
			}),
	}
}

// BootOption is QM1104.
func BootOption() *audit.Check {
	return &audit.Check{
		ID: "QM1104", Slug: "boot-dhcp-tftp-option", Title: "DHCP hands out an unapproved TFTP/boot server", Severity: audit.High,
		Doc: `A DHCP server on a device names a TFTP or boot server that nobody approved.

## Why it matters

Phones, access points and machines that boot from the network fetch and run what that server has (T1557, T1542.005).

## How it is decided

Pools with next-server, bootfile, option 66, 67, 150 or 43 with an address. One outside is high. One inside is medium where the
policy lists the servers or workflows that are approved, and no finding where it lists none. A name counts as not known.

## How it can be wrong

A new boot server: approve it.

## Tunables

"servers", "workflows" and "zones" of the policy.
`,
		Variants: destinationVariants(audit.High, audit.Medium, audit.Info), Attack: []string{"T1557", "T1542.005", "T1195"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-6", "AC-4", "A.8.9", "M1037"}, False: "a new boot server",
		Fixes: map[string]string{"": "correct the option, and let switches drop DHCP answers of others"}, Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Clients {
				c := &d.Clients[i]
				if c.Use != "dhcp-option" || !runs(c) || c.Host == "" {
					continue
				}
				if t := destinationOf(p, c); t == toOutside || (t == toInside || t == toUsers) && listed(p) {
					f := clientFinding(p, d, c, .80, "hands out as boot server")
					f.Severity = audit.Score(.80, t.factor(), audit.PrivilegeServer, audit.TelemetryPartial)
					p.Report(f)
				}
			}
		},
	}
}

// UnapprovedDestination is QM1106.
func UnapprovedDestination() *audit.Check {
	return &audit.Check{
		ID: "QM1106", Slug: "xfer-dest-unapproved", Title: "Configured transfer destination is not an approved server", Severity: audit.Critical,
		Doc: `A statement of a device names a server for transfers that is outside, a user's, or not among the approved ones.

## Why it matters

An archive, a job or an applet that copies to an address nobody knows is how configurations leave a network every night
(T1048.003, T1020; AA25-239A looks for unexpected external addresses first).

## How it is decided

Every URL and host of a client in the configuration: archives, applets, jobs, aliases, lease databases, dumps, log uploads,
probes, certificates. Outside addresses are critical. Inside ones are high where the policy lists servers or workflows and
this is none of them; where it lists none, only addresses of users are reported. Names that nobody resolved are medium
confidence, and reported where a list exists. DHCP options are boot-dhcp-tftp-option.

## How it can be wrong

A server that is new: approve it. HTTPS to the vendor's update service is not meant.

## Tunables

"servers", "workflows", "destinations" and "zones" of the policy.
`,
		Variants: destinationVariants(audit.Critical, audit.High, audit.Info), Attack: []string{"T1048.003", "T1020", "T1602.002"}, Analytics: []string{"AN1173"}, Controls: []string{"AA25-239A", "AC-4", "CM-3", "PCI 1.3.2", "A.5.14"}, False: "a server that is not in the policy yet",
		Fixes: map[string]string{"": "replace the destination, and rotate every secret of what was sent there"}, Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Clients {
				c := &d.Clients[i]
				if c.Use == "dhcp-option" || !runs(c) || c.Host == "" || c.Protocol == facts.HTTPS {
					continue
				}
				base := 0.0
				switch t := destinationOf(p, c); t {
				case toOutside, toUsers:
					base = .90
				case toInside, toUnnamed:
					if listed(p) {
						base = .90
					}
				case toApproved:
				}
				if base > 0 {
					f := clientFinding(p, d, c, base, "is set to exchange files"+by(c)+" with")
					f.Signal.Weight = .50
					p.Report(f)
				}
			}
		},
	}
}

// clientUse is a check about the clear-text clients of one use.
func clientUse(id, slug, title, doc string, base float64, usual audit.Severity, wanted func(*facts.Client) bool, does string, attack, controls []string, no, fix string) *audit.Check {
	return &audit.Check{
		ID: id, Slug: slug, Title: title, Severity: usual, Doc: doc, Variants: destinationVariants(usual, usual, audit.Low), Attack: attack, Analytics: []string{"AN1173"}, Controls: controls, False: no,
		Fixes: map[string]string{"": fix}, Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: perClient(wanted, func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
			return clientFinding(p, d, c, base, fmt.Sprintf(does, judge.Upper(c.Protocol)))
		}),
	}
}

// CoreDump is QM1107.
func CoreDump() *audit.Check {
	return clientUse("QM1107", "xfer-exception-dump", "Core/crash dump sent by FTP/TFTP", `A device sends its memory to a server in clear text when it crashes.

## Why it matters

A dump holds keys, passwords and what passed last (T1005), and crosses the network readable (T1040). Who can crash the device
can have it.

## How it is decided

"exception dump", "exception core-file" with FTP, TFTP or RCP, XR "exception filepath", and their likes, when they are on.

## How it can be wrong

A support case with a ticket and an end: record it as an exception.

## Tunables

"servers" and "zones" of the policy.
`, .50, audit.Medium, func(c *facts.Client) bool { return c.Use == "core-dump" && c.Protocol.Cleartext() }, "sends core dumps by %s to", []string{"T1005", "T1040"}, []string{"CISC-ND-000470", "SC-28", "A.8.12"},
		"a support case with its ticket", "no exception dump\nwrite dumps to the device's own storage")
}

// LogExport is QM1108.
func LogExport() *audit.Check {
	return clientUse("QM1108", "xfer-log-pcap-export", "Logs or captures exported by FTP/TFTP", `A device uploads logs or packet captures in clear text.

## Why it matters

Logs and captures hold what an intruder wants to know, and to change (T1040); and an upload that happens by itself is cover for
another one (T1048.003).

## How it is decided

ASA "logging ftp-server", FortiOS log uploads, PAN-OS log exports, capture exports, "logging persistent url" and their likes, by
FTP, TFTP or HTTP, when they are on.

## How it can be wrong

A collector that was approved: name it in "servers".

## Tunables

"servers" and "zones" of the policy.
`, .60, audit.Medium, func(c *facts.Client) bool { return c.Use == "log-upload" && c.Protocol.Cleartext() }, "uploads logs or captures by %s to", []string{"T1040", "T1048.003"}, []string{"AU-9", "PCI 10.3.3", "ESXI-80-000224"},
		"an approved collector", "send logs by syslog over TLS, captures by SCP")
}

// LeaseDatabase is QM1109.
func LeaseDatabase() *audit.Check {
	return clientUse("QM1109", "xfer-dhcp-db-remote", "Binding database written to TFTP/FTP (periodic writer)", `A device writes its DHCP bindings to a server in clear text, again and again.

## Why it matters

It looks exactly like a beacon (T1029), and whoever looks for one must know this one first.

## How it is decided

"ip dhcp database URL" and "ip dhcp snooping database URL" with TFTP, FTP, RCP or HTTP.

## How it can be wrong

It cannot: it is what it says. Approve it as a workflow, so that the checks of activity know it.

## Tunables

"servers", "workflows" and "zones" of the policy.
`, .40, audit.Medium, func(c *facts.Client) bool {
		return strings.Contains(c.Name, "dhcp") && strings.Contains(c.Name, "database") && c.Protocol.Cleartext()
	}, "writes its DHCP bindings by %s to", []string{"T1029"}, []string{"SC-8", "A.8.20"}, "a workflow that approves it", "keep the database on the device's own storage")
}

// ProbeFTP is QM1110.
func ProbeFTP() *audit.Check {
	return clientUse("QM1110", "xfer-ipsla-ftp", "IP SLA / probe performs FTP GET with embedded credentials", `A probe fetches a file by FTP with a stored account, to measure.

## Why it matters

It is a periodic FTP session with a password in the configuration, which nobody will tell from another one (T1071.002).

## How it is decided

"ip sla N" with "ftp get".

## How it can be wrong

It cannot: approve it as a workflow, or measure by TCP.

## Tunables

"servers", "workflows" and "zones" of the policy.
`, .40, audit.Medium, func(c *facts.Client) bool { return c.Use == "ip-sla" && c.Protocol == facts.FTP }, "measures by %s with", []string{"T1071.002"}, []string{"IA-5(7)"}, "a workflow that approves it", "replace the probe by one of TCP connections or HTTP")
}

// CatchAll is QM1112.
func CatchAll() *audit.Check {
	return &audit.Check{
		ID: "QM1112", Slug: "xfer-url-catchall", Title: "Any other transfer URL or redirect in config text", Severity: audit.Medium,
		Doc: `A statement that no other check knows holds a transfer URL.

## Why it matters

What nobody models nobody reviews (T1059.008): a URL in an unknown statement may be a setting, or the way out.

## How it is decided

URLs of FTP, TFTP, RCP, SMB and HTTP in statements whose meaning Quaymaster does not model. Descriptions and
banners count too, since whoever reads them copies from them. The confidence is low.

## How it can be wrong

Text that only explains. Accept it by its name, or tell us what the statement is.

## Tunables

"servers" and "zones" of the policy.
`,
		Variants: destinationVariants(audit.Medium, audit.Medium, audit.Low), Attack: []string{"T1059.008"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-6"}, False: "a harmless statement",
		Fixes: map[string]string{"": "remove the statement, or record what it is for"}, Needs: audit.Needs{Platforms: configured(), Evidence: facts.HasConfig},
		Device: perClient(
			func(c *facts.Client) bool { return c.Use == "other" && c.Protocol != facts.HTTPS },
			func(p *audit.Pass, d *facts.Device, c *facts.Client) audit.Finding {
				f := clientFinding(p, d, c, .40, fmt.Sprintf("names a %s URL in a statement that is not modelled:", judge.Upper(c.Protocol)))
				f.Severity, f.Confidence = min(f.Severity, audit.Medium), audit.ConfidenceLow
				return f
			}),
	}
}

// SourceUnpinned is QM1111.
func SourceUnpinned() *audit.Check {
	return &audit.Check{
		ID: "QM1111", Slug: "xfer-client-source-unpinned", Title: "Transfer client source interface not pinned", Severity: audit.Low,
		Doc: `A device makes transfers by TFTP or FTP and does not say from which address.

## Why it matters

The address is then that of the way out, and changes with the routing: lists on the server must admit all of them, and nobody
can tell whose transfer it was.

## How it is decided

Devices with a client that runs and no source interface for its protocol ("ip tftp source-interface", "ip ftp client
source-interface", "tftp client source-interface"), unless the client itself names one or a VRF.

## How it can be wrong

A device with one interface has one address.

## Tunables

None.
`,
		Controls: []string{"CIS-IOS 2.4.4"}, Analytics: []string{"AN1173"}, Attack: []string{"T1048.003"}, False: "a device with one interface",
		Fixes: map[string]string{
			facts.CiscoIOS: "ip tftp source-interface Loopback0\nip ftp source-interface Loopback0", facts.AristaEOS: "ip tftp client source-interface Management1 vrf MGMT", facts.CiscoIOSXR: "tftp client source-interface Loopback0", "": "name the source interface of the client",
		},
		Needs: audit.Needs{Platforms: []string{facts.AristaEOS, facts.CiscoIOS, facts.CiscoIOSXR, facts.CiscoNXOS}, Evidence: facts.HasConfig}, Device: sourceUnpinned,
	}
}

func sourceUnpinned(p *audit.Pass, d *facts.Device) {
	for _, proto := range [...]facts.Protocol{facts.FTP, facts.TFTP} {
		var marks []audit.Mark
		pinned := len(d.Interfaces) == 1
		for i := range d.Clients {
			c := &d.Clients[i]
			switch {
			case c.Protocol != proto:
			case c.Use == "settings" && c.Source != "":
				pinned = true
			case runs(c) && c.Use != "dhcp-option" && c.Source == "" && c.Scope == "":
				marks = judge.Mark(marks, "", c.Span)
			}
		}
		if len(marks) > 0 && !pinned {
			p.Report(audit.Finding{
				Subject: audit.Subject{Kind: "client", Name: proto.String() + " source"}, Severity: audit.Score(.25, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
				Message: fmt.Sprintf("%s makes transfers by %s from whatever address the way out has", d.ID, judge.Upper(proto)), Spans: marks, Signal: audit.Signal{Weight: .02, Class: "CFG"},
			})
		}
	}
}
