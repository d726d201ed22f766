package exposure

import (
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants of QM2001.
const (
	egressOne = iota
	egressAll
	egressNoFilter
	egressAlone
	egressRequest
)

// Egress is QM2001.
func Egress() *audit.Check {
	return &audit.Check{
		ID: "QM2001", Slug: "acl-egress-ft-untrusted", Title: "Egress of a file-transfer protocol to untrusted is permitted", Severity: audit.High,
		Doc: `The filters of a device let a file transfer protocol go from an internal zone to addresses outside.

## Why it matters

A transfer to the outside is what T1071.002 needs, and M1037 is what stops it. TFTP and SMB have no business on the
Internet at all; FTP seldom has.

## How it is decided

By the filters themselves, exactly: first match wins over all addresses and ports, with object groups, negations, inactive
and time-bound lines, both versions of IP. For every interface with an internal zone behind it and every interface that
leads outside (an outside address, an address the network gives, or the default route), all that decides on the way is
asked together: is there a packet of the protocol from the zone to an outside address? Destinations of the policy's allow
list, approved servers and zone pairs of the matrix are taken out first; an approved workflow takes out exactly its own
sources and destinations. The finding shows one packet and the lines that let it through.

One finding for each filter application and protocol, and one for all of them when everything passes. The application named
is the one nearest to outside: the outbound filter, the policy between the device's zones, else the inbound filter.
Severity follows the zone with most to lose (management, server, user), and is higher for TFTP and SMB. Where the request
passes and its answers do not, the finding says so and weighs less. FTP without a data channel is FTP all the same: the
control channel carries commands.

A device whose way out has no filter at all is reported once, with medium confidence, when its far end is not ours. An
inner router or switch without filters is not: what the next device does is asked there. A filter on an interface of which
no side is known, or on a device without a known way out, is asked by itself: "would let", with medium confidence.

## How it can be wrong

No path across devices is claimed: another device may stop the packet. What is behind an interface is told by addresses and
static routes; routing protocols are not followed, so that what only other addresses of the same zone may send, none of them
known to be behind another interface, has medium confidence. Where a line that was not understood decides, the protocol is
listed as not evaluated. A backup tool that re-sorted a list changes which line is shown, not the verdict.

## Tunables

"zones", "workflows", "matrix", "servers" and "destinations: allow" of the policy.
`,
		Variants: []audit.Variant{
			egressOne: {Name: "one protocol", Severity: audit.High}, egressAll: {Name: "every transfer protocol", Severity: audit.High},
			egressNoFilter: {Name: "no filter", Severity: audit.High}, egressAlone: {Name: "the filter by itself would let it out", Severity: audit.High},
			egressRequest: {Name: "only the request passes", Severity: audit.Medium},
		},
		Attack: []string{"T1048.003", "T1071.002", "T1105", "T1187"}, Analytics: []string{"AN1173"},
		Controls: []string{"M1037", "CISC-RT-000240", "CISC-RT-000340", "NSA 2.4", "CISA-HG24", "AC-4", "SC-7(5)", "PCI 1.3.2", "A.8.20"},
		False:    "an approved workflow with exact source, destination and protocol removes only its part of the set",
		Fixes: map[string]string{
			facts.CiscoIOS: "ip access-list extended <name>\n deny udp any any eq tftp log\n deny tcp any any range ftp-data ftp log\n deny tcp any any range 989 990 log\n deny tcp any any eq 445 log\n deny tcp any any eq 139 log",
			facts.CiscoASA: "access-list <name> line 1 extended deny udp any any eq tftp log\naccess-list <name> line 1 extended deny tcp any any range ftp-data ftp log\naccess-list <name> line 1 extended deny tcp any any eq 445 log",
			facts.Junos: "set security policies from-zone <inside> to-zone <outside> policy no-transfers match source-address any destination-address any application [ junos-ftp junos-tftp junos-smb ]\n" +
				"set security policies from-zone <inside> to-zone <outside> policy no-transfers then deny\n" +
				"set security policies from-zone <inside> to-zone <outside> policy no-transfers then log session-init\n" +
				"insert security policies from-zone <inside> to-zone <outside> policy no-transfers before policy <first>",
			"": "deny the protocol towards outside before the line that permits it, and log it",
		},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			e := newEgress(p, d)
			e.paths()
			e.filtersAlone()
			e.report()
		},
	}
}
