package exposure

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// TFTPServer is QM1001.
func TFTPServer() *audit.Check {
	return &audit.Check{
		ID: "QM1001", Slug: "svc-tftp-server", Title: "TFTP server enabled on a device", Severity: audit.High,
		Doc: `A network device serves files by TFTP: unauthenticated, unencrypted, over UDP port 69.

## Why it matters

TFTP on a device is a place to fetch configuration and images from, and a place to leave tools at. The intrusions behind
T1071.002 on network devices enable it for minutes and pull startup-config. Nothing on the wire tells it from a forgotten
boot service.

## How it is decided

Any statement that publishes a file or turns the server on, or a socket bound to udp/69 seen by SNMP. Severity falls with
who can reach it: anyone outside, inside, the management network, one host. A client list that is undefined, empty or
permits any limits nobody.

## How it can be wrong

A boot or spare-image server has a reason: record it as an exception that names the device, the file and the client list.
RANCID deletes "tftp-server flash" lines, so that their absence in its files is not a pass and is reported as not
evaluated.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1542.005", "T1602.002"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "NSA 7.9", "CISA-HG24", "CM-7", "SC-7", "PCI 2.2.4", "PCI 2.2.5", "A.8.9", "A.8.21"},
		False:    "boot or spare-image servers; accept only with an exception that names device, file and client list",
		Fixes: map[string]string{
			facts.CiscoIOS: "no tftp-server <file>", facts.Junos: "delete system services tftp-server",
			"": "stop the TFTP server, or name its clients and record an exception with an owner and an expiry",
		},
		Needs: audit.Needs{Platforms: judge.Devices()},
		Device: func(p *audit.Pass, d *facts.Device) {
			found, live := servers(d, facts.TFTP)
			for _, s := range found {
				r, _ := reachOf(p, d, s)
				fix := ""
				if d.Platform == facts.CiscoIOS && s.Name == "tftp-server" && s.Path != "" {
					fix = "no tftp-server " + s.Path
				}
				p.Report(audit.Finding{
					Variant: reachVariant(r), Subject: serviceSubject(s), Severity: audit.Score(.70, r.Factor, audit.PrivilegeDevice, judge.Telemetry(d)),
					Confidence: audit.ConfidenceHigh, Message: serverMessage(d, s, "TFTP", r), Spans: serviceMarks(d, s, live), Fix: fix,
					Signal: audit.Signal{Weight: .25, Class: "CFG"},
				})
			}
			if len(found) == 0 {
				absent(p, d, "tftp-server")
			}
		},
	}
}

// absent records why the absence of a statement is no pass here.
func absent(p *audit.Pass, d *facts.Device, fact string) {
	switch why := judge.Removed(d, fact); {
	case why != "":
		p.NotEvaluated(why)
	case d.Has&(facts.HasConfig|facts.HasSNMP) == 0:
		p.NotEvaluated("no config or snmp of this device was given")
	}
}

// TFTPSensitive is QM1002.
func TFTPSensitive() *audit.Check {
	return &audit.Check{
		ID: "QM1002", Slug: "svc-tftp-sensitive-file", Title: "TFTP server publishes config, key or VLAN file", Severity: audit.Critical,
		Doc: `The TFTP server of a device publishes its configuration, keys, VLAN database or a packet capture.

## Why it matters

This is the pull step of the intrusions that read configurations off edge devices: one unauthenticated request returns
password hashes, SNMP communities and the network's layout (T1602.002).

## How it is decided

The published path is in nvram: or system:, or names startup-config, running-config, private-config, config.text,
vlan.dat, *-confg, a key, a certificate or a capture. Only a client list of one host makes it less than high.

## How it can be wrong

No legitimate use was found except home-grown backup scripts. Replace them by a backup over SSH. An exception accepts this
finding only when the client list names one host.
`,
		Variants: []audit.Variant{{Name: "reachable", Severity: audit.Critical}, {Name: "limited to one host", Severity: audit.Low}},
		Attack:   []string{"T1602.002", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "CISC-ND-001410", "NSA 7.9", "AC-3", "SC-28"},
		False:    "none legitimate found except backup scripts that pull startup-config from one host",
		Fixes:    map[string]string{facts.CiscoIOS: "no tftp-server <file>", "": "pull backups over SSH or SCP instead"},
		Needs:    audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			found, live := servers(d, facts.TFTP)
			for _, s := range found {
				if !judge.IsSensitive(s.Path) {
					continue
				}
				r, _ := reachOf(p, d, s)
				v := uint8(0)
				if r.Factor == audit.ExposureHost {
					v = 1
				}
				p.Report(audit.Finding{
					Variant: v, Subject: serviceSubject(s), Severity: audit.Score(1, r.Factor, audit.PrivilegeDevice, judge.Telemetry(d)),
					Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s publishes %q by TFTP to %s", d.ID, s.Path, r.Who),
					Spans: serviceMarks(d, s, live), Fix: "no tftp-server " + s.Path, Signal: audit.Signal{Weight: .35, Class: "CFG"},
				})
			}
			if len(found) == 0 {
				absent(p, d, "tftp-server")
			}
		},
	}
}

// TFTPNoACL is QM1003.
func TFTPNoACL() *audit.Check {
	return &audit.Check{
		ID: "QM1003", Slug: "svc-tftp-no-acl", Title: "TFTP server without a client ACL", Severity: audit.High,
		Doc: `A TFTP server of a device names no client list, or one that is undefined, empty or permits any.

## Why it matters

TFTP has no login: the client list is the only thing between a published file and everyone who can send a packet.

## How it is decided

Each published file by itself. A list that is referenced and not defined permits everyone on IOS.

## How it can be wrong

Filters elsewhere may keep clients away; the finding says so by its severity only where the device itself has no address
outside. Management plane protection that leaves TFTP out is not yet counted in favour.
`,
		Variants: []audit.Variant{
			{Name: "no client list", Severity: audit.High}, {Name: "the client list permits any", Severity: audit.High}, {Name: "the client list is undefined or empty", Severity: audit.High},
		},
		Attack: []string{"T1602.002"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000130", "NSA 7.4", "AC-4", "PCI 1.2.6"},
		Fixes: map[string]string{facts.CiscoIOS: "access-list 55 permit host <client>\ntftp-server <file> 55"},
		Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			found, _ := servers(d, facts.TFTP)
			for _, s := range found {
				if isListener(s) {
					continue
				}
				r, open := reachOf(p, d, s)
				if !open {
					continue
				}
				if s.ACL.Origin == facts.Masked {
					p.NotEvaluated("the client list of " + s.Name + " was masked by a backup tool")
					continue
				}
				v, what := uint8(0), "names no client list"
				if s.ACL.Known() && s.ACL.Val != "" {
					v, what = 1, fmt.Sprintf("names client list %q, which permits any", s.ACL.Val)
					if f := judge.Find(d, s.ACL.Val, s.Scope); f == nil || len(f.Rules) == 0 {
						v, what = 2, fmt.Sprintf("names client list %q, which is undefined or empty and permits any", s.ACL.Val)
					}
				}
				p.Report(audit.Finding{
					Variant: v, Subject: serviceSubject(s), Severity: audit.Score(.80, r.Factor, audit.PrivilegeDevice, audit.TelemetryPartial),
					Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: TFTP server for %q %s", d.ID, s.Path, what),
					Spans: serviceMarks(d, s, nil), Fix: fmt.Sprintf("access-list 55 permit host <client>\ntftp-server %s 55", s.Path),
					Signal: audit.Signal{Weight: .15, Class: "CFG"},
				})
			}
			if len(found) == 0 {
				absent(p, d, "tftp-server")
			}
		},
	}
}

// FTPServer is QM1004.
func FTPServer() *audit.Check {
	return &audit.Check{
		ID: "QM1004", Slug: "svc-ftp-server", Title: "FTP server enabled", Severity: audit.High,
		Doc: `A network device serves files by FTP.

## Why it matters

FTP sends the administrator's password readable and gives whoever has it the device's files, in both directions. As a
channel it looks like maintenance.

## How it is decided

The statement that turns the server on, or a socket bound to tcp/21 seen by SNMP. On SRX the server answers only where
host-inbound-traffic lets it; lines that limit it count.

## How it can be wrong

"no ftp-server write-enable" is a default that old IOS prints, "ftp mode passive" and "ip ftp" are client settings, and
"inspect ftp" is an inspector: none is a server.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1048.003", "T1040"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "NSA 7.1", "CIS-JUN 6.10", "CM-7", "SC-8", "PCI 2.2.5", "PCI 2.2.7", "A.8.21"},
		False:    "an approved drop server",
		Fixes: map[string]string{
			facts.CiscoIOS: "no ftp-server enable", facts.Junos: "delete system services ftp", "": "stop the FTP server",
		},
		Needs: audit.Needs{Platforms: judge.Devices()},
		Device: func(p *audit.Pass, d *facts.Device) {
			found, live := servers(d, facts.FTP)
			for _, s := range found {
				r, _ := reachOf(p, d, s)
				p.Report(audit.Finding{
					Variant: reachVariant(r), Subject: serviceSubject(s), Severity: audit.Score(.70, r.Factor, audit.PrivilegeDevice, judge.Telemetry(d)),
					Confidence: audit.ConfidenceHigh, Message: serverMessage(d, s, "FTP", r), Spans: serviceMarks(d, s, live), Signal: audit.Signal{Weight: .25, Class: "CFG"},
				})
			}
			if len(found) == 0 {
				absent(p, d, "ftp-server")
			}
		},
	}
}
