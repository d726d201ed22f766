package exposure

import (
	"fmt"
	"path"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
)

// TFTPSensitive is QM1002.
func TFTPSensitive() *audit.Check {
	return &audit.Check{
		ID: "QM1002", Slug: "svc-tftp-sensitive-file", Title: "TFTP server publishes config, key or VLAN file", Severity: audit.Critical,
		Doc: `The TFTP server of a device publishes its configuration, a key, its VLAN database or a packet capture.

## Why it matters

This is the pull step of the intrusions that read configurations off edge devices: one request without a login returns
password hashes, SNMP communities and the layout of the network (T1602.002), over the protocol T1071.002 hides in.

## How it is decided

The published path is in nvram: or system:, names startup-config, running-config or private-config, is called config.text
or vlan.dat, or ends in .pcap, .key, .pem or .p12. The severity is critical unless every client but few is kept away, as
svc-tftp-server decides it; no zone of the policy makes it harmless, one host makes it low.

## How it can be wrong

No legitimate use was found but home-grown backup scripts that pull startup-config from one host: replace them by a backup
over SSH. An exception accepts this finding only when the client list names one host. A sensitive file under an innocent
name is not seen. RANCID deletes "tftp-server flash" lines.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{
			{Name: "reachable", Severity: audit.Critical}, {Name: "limited to the management network", Severity: audit.Medium},
			{Name: "limited to one host", Severity: audit.Low}, {Name: "kept from every client by a filter", Severity: audit.Info},
		},
		Attack: []string{"T1602.002", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "CISC-ND-001410", "NSA 7.9", "CISA-HG24", "CM-7", "SC-7", "AC-3", "SC-28", "PCI 2.2.4", "PCI 2.2.5", "A.8.9", "A.8.21"},
		False:    "none found but backup scripts that pull startup-config from one host",
		Fixes:    map[string]string{facts.CiscoIOS: "no tftp-server <file>", "": "pull backups over SSH or SCP instead"},
		Needs:    tftpPlatforms(),
		Device: func(p *audit.Pass, d *facts.Device) {
			files, all := tftpFiles(d)
			for _, s := range files {
				if sensitive(s.Path) {
					p.Report(sensitiveFinding(p, d, s, all.live))
				}
			}
			tftpGap(p, d, &all)
		},
	}
}

func sensitiveFinding(p *audit.Pass, d *facts.Device, s *facts.Service, live []audit.Mark) audit.Finding {
	f, r := serverFinding(p, d, s, live, 1)
	f.Signal.Weight = .35
	f.Fix = tftpFix(d, s)
	f.Message = fmt.Sprintf("%s publishes %q by TFTP to %s", d.ID, s.Path, r.Who)
	switch {
	case r.Factor <= audit.ExposureNone:
		f.Variant = 3
	case r.Factor <= audit.ExposureHost:
		f.Variant = 2
	case r.Factor <= audit.ExposureManagement:
		f.Variant = 1
	default:
		f.Variant = 0
	}
	return f
}

// sensitive reports whether a published file holds configuration, keys, VLANs or captures.
func sensitive(file string) bool {
	f := strings.ToLower(file)
	if strings.HasPrefix(f, "nvram:") || strings.HasPrefix(f, "system:") {
		return true
	}
	for _, part := range [...]string{"startup-config", "running-config", "private-config"} {
		if strings.Contains(f, part) {
			return true
		}
	}
	base := path.Base(f)
	if i := strings.LastIndexByte(base, ':'); i >= 0 {
		base = base[i+1:]
	}
	if base == "config.text" || base == "vlan.dat" {
		return true
	}
	switch path.Ext(base) {
	case ".pcap", ".key", ".pem", ".p12":
		return true
	}
	return false
}
