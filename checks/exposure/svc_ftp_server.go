package exposure

import (
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
)

// FTPServer is QM1004.
func FTPServer() *audit.Check {
	return &audit.Check{
		ID: "QM1004", Slug: "svc-ftp-server", Title: "FTP server enabled", Severity: audit.High,
		Doc: `A network device serves files by FTP.

## Why it matters

FTP sends the administrator's password readable and gives whoever has it the device's files, in both directions. As a
channel (T1071.002) it looks like maintenance.

## How it is decided

By the statement that turns the server on (IOS "ftp-server enable", Junos "system services ftp", the configuration of
vsftpd, ProFTPD or Pure-FTPd on a host), or by a socket on tcp 21
that an SNMP agent lists. The severity follows who can reach it, as in svc-tftp-server: filters of interfaces, control
plane filters and, on SRX, host-inbound services count.

## How it can be wrong

Look-alikes are no servers and are not taken for one: "no ftp-server write-enable" is a default that old IOS prints, "ip
ftp" and "ftp mode passive" are client settings, "inspect ftp" and "alg ftp" open data channels of others. A drop server
that is meant to be one needs an exception with an owner.

## Tunables

"zones" of the policy.
`,
		Variants: reachVariants(), Attack: []string{"T1105", "T1048.003", "T1040"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000470", "NSA 7.1", "CIS-JUN 6.10", "CM-7", "SC-8", "PCI 2.2.5", "PCI 2.2.7", "A.8.21"},
		False:    "an approved drop server",
		Fixes: map[string]string{
			facts.CiscoIOS: "no ftp-server enable", facts.Junos: "delete system services ftp", "": "stop the FTP server; use SCP or SFTP",
		},
		Device: func(p *audit.Pass, d *facts.Device) {
			if !concerns(d, facts.FTP) {
				return
			}
			s := serversOf(d, facts.FTP)
			for _, x := range s.on {
				f, _ := serverFinding(p, d, x, s.live, .70)
				p.Report(f)
			}
			leaveOpen(p, d, &s, "ftp-server", "FTP", facts.PlatformFamily(d.Platform) != facts.CiscoASA)
		},
	}
}
