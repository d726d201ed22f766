package exposure

import (
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
)

// TFTPServer is QM1001.
func TFTPServer() *audit.Check {
	return &audit.Check{
		ID: "QM1001", Slug: "svc-tftp-server", Title: "TFTP server enabled on a device", Severity: audit.High,
		Doc: `A network device serves files by TFTP: without a login, unencrypted, over UDP port 69.

## Why it matters

TFTP on a device is a place to fetch its configuration and image from, and on some platforms a place to leave tools at. In
the intrusions behind T1071.002 and T1602.002 it is turned on for minutes, read, and turned off again. Nothing on the wire
tells that from a boot server somebody forgot.

## How it is decided

By any statement that publishes a file or turns the server on (IOS "tftp-server", Junos "system services tftp-server"), or
by a socket on udp 69 that an SNMP agent lists. The severity follows who can reach it: the client list, the filters of the
interfaces the packets arrive by, control plane filters and SRX host-inbound services, asked exactly, for outside and for
every zone of the policy. Outside packets arrive by an interface with an outside address; that another device in front lets
them through is not claimed. A client list that is undefined, empty or permits any limits nobody. Where the reach cannot be
computed it counts as outside.

## How it can be wrong

A boot or spare-image server has a reason: record an exception that names the device, the file and the client list. RANCID
deletes "tftp-server flash" lines, so that their absence in its files is no pass; it is listed as not evaluated. The same
holds for a part of a configuration, and for a device of which only SNMP was given.

## Tunables

"zones" of the policy, with their trust and kind.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1542.005", "T1602.002"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "NSA 7.9", "CISA-HG24", "CM-7", "SC-7", "PCI 2.2.4", "PCI 2.2.5", "A.8.9", "A.8.21"},
		False:    "boot or spare-image servers: accept one only by an exception that names device, file and client list",
		Fixes: map[string]string{
			facts.CiscoIOS: "no tftp-server <file>", facts.Junos: "delete system services tftp-server",
			"": "stop the TFTP server, or name its clients and record an exception with an owner and an expiry",
		},
		Device: tftpServer,
	}
}

func tftpServer(p *audit.Pass, d *facts.Device) {
	if !concerns(d, facts.TFTP) {
		return
	}
	s := serversOf(d, facts.TFTP)
	for _, x := range s.on {
		f, _ := serverFinding(p, d, x, s.live, .70)
		f.Fix = tftpFix(d, x)
		p.Report(f)
	}
	leaveOpen(p, d, &s, "tftp-server", "TFTP", facts.PlatformFamily(d.Platform) != facts.CiscoASA)
}

// tftpFix is the command that ends one TFTP server.
func tftpFix(d *facts.Device, s *facts.Service) string {
	switch {
	case isSocket(s):
		return ""
	case facts.PlatformFamily(d.Platform) == facts.CiscoIOS && s.Path != "":
		return "no tftp-server " + s.Path
	case facts.PlatformFamily(d.Platform) == facts.Junos:
		return "delete system services tftp-server"
	}
	return ""
}

// tftpFiles are the servers that publish a named file, in configurations.
func tftpFiles(d *facts.Device) (files []*facts.Service, all servers) {
	all = serversOf(d, facts.TFTP)
	for _, s := range all.on {
		if !isSocket(s) {
			files = append(files, s)
		}
	}
	return files, all
}

// tftpPlatforms are those whose TFTP server publishes single files, each with a client list of its own.
func tftpPlatforms() audit.Needs {
	return audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig}
}

// tftpGap records what keeps a check of published files from being evaluated.
func tftpGap(p *audit.Pass, d *facts.Device, all *servers) {
	config := servers{off: all.off, unknown: all.unknown}
	for _, s := range all.on {
		if !isSocket(s) {
			config.on = append(config.on, s)
		}
	}
	leaveOpen(p, d, &config, "tftp-server", "TFTP", true)
}

// limitedTo is the fix that names the clients of one published file.
func limitedTo(s *facts.Service) string {
	return "access-list <n> permit host <client>\ntftp-server " + s.Path + " <n>"
}
