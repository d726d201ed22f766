package ciscoios

import "github.com/quaymaster/quaymaster/facts"

// Names that IOS prints for numbers (Security command reference, access-list extended), and a few that are not its own
// and mean one thing only (IANA service names): files are written by people and programs too.

type protoKind uint8

const (
	protoNone protoKind = iota // not a protocol
	protoAny
	protoOne
	protoTCPUDP
)

// protocolOf is the IANA number of a protocol by name or number. "icmp" is ICMPv6 in an IPv6 list.
func protocolOf(w []byte, fam facts.Family) (uint8, protoKind) {
	switch string(w) {
	case "ip", "ipv4":
		if fam == facts.IPv6 {
			return 0, protoNone
		}
		return 0, protoAny
	case "ipv6":
		if fam == facts.IPv6 {
			return 0, protoAny
		}
		return 41, protoOne // IPv6 in IPv4
	case "tcp":
		return facts.TCP, protoOne
	case "udp":
		return facts.UDP, protoOne
	case "tcp-udp":
		return 0, protoTCPUDP
	case "icmp":
		if fam == facts.IPv6 {
			return icmp6, protoOne
		}
		return icmp4, protoOne
	case "icmp6", "icmpv6":
		return icmp6, protoOne
	case "igmp":
		return 2, protoOne
	case "ipinip":
		return 4, protoOne
	case "igrp":
		return 9, protoOne
	case "gre":
		return 47, protoOne
	case "esp":
		return 50, protoOne
	case "ahp", "ah":
		return 51, protoOne
	case "eigrp":
		return 88, protoOne
	case "ospf":
		return 89, protoOne
	case "nos":
		return 94, protoOne
	case "pim":
		return 103, protoOne
	case "pcp":
		return 108, protoOne
	case "vrrp":
		return 112, protoOne
	case "l2tp":
		return 115, protoOne
	case "sctp":
		return sctp, protoOne
	}
	if n, ok := number(w); ok && n <= 255 {
		if n == 0 && fam != facts.IPv6 {
			return 0, protoAny // "0" is ip
		}
		return uint8(n), protoOne
	}
	return 0, protoNone
}

// tcpPorts and udpPorts are never written to.
var tcpPorts = map[string]uint16{
	"bgp": 179, "chargen": 19, "cmd": 514, "connectedapps-plain": 15001, "connectedapps-tls": 15002, "daytime": 13, "discard": 9,
	"domain": 53, "drip": 3949, "echo": 7, "exec": 512, "finger": 79, "ftp": 21, "ftp-data": 20, "ftps": 990, "ftps-data": 989,
	"gopher": 70, "hostname": 101, "http": 80, "https": 443, "ident": 113, "imap": 143, "irc": 194, "klogin": 543, "kshell": 544,
	"ldap": 389, "login": 513, "lpd": 515, "microsoft-ds": 445, "msrpc": 135, "netbios-ssn": 139, "nntp": 119,
	"onep-plain": 15001, "onep-tls": 15002, "pim-auto-rp": 496, "pop2": 109, "pop3": 110, "smtp": 25, "ssh": 22, "sunrpc": 111,
	"syslog": 514, "tacacs": 49, "tacacs-ds": 49, "talk": 517, "telnet": 23, "time": 37, "uucp": 540, "whois": 43, "www": 80,
}

var udpPorts = map[string]uint16{
	"biff": 512, "bootpc": 68, "bootps": 67, "discard": 9, "dnsix": 195, "domain": 53, "echo": 7, "isakmp": 500,
	"microsoft-ds": 445, "mobile-ip": 434, "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ss": 139,
	"non500-isakmp": 4500, "ntp": 123, "pim-auto-rp": 496, "rip": 520, "ripv6": 521, "snmp": 161, "snmptrap": 162, "sunrpc": 111,
	"syslog": 514, "tacacs": 49, "talk": 517, "tftp": 69, "time": 37, "who": 513, "xdmcp": 177,
}

// portOf is a port by number or name. A name means what it means to the first of the protocols.
func portOf(w []byte, protocols []uint8) (uint16, bool) {
	if len(w) == 0 {
		return 0, false
	}
	if w[0]-'0' <= 9 {
		n, ok := number(w)
		return uint16(n), ok && n <= 65535
	}
	if len(protocols) == 0 {
		return 0, false
	}
	if protocols[0] == facts.UDP {
		n, ok := udpPorts[string(w)]
		return n, ok
	}
	n, ok := tcpPorts[string(w)]
	return n, ok
}

type namedICMP struct {
	name       string
	kind, code int16
}

// icmpNames are the messages of RFC 792 and its successors under the names of IOS; code -1 is any.
var icmpNames = [...]namedICMP{
	{"administratively-prohibited", 3, 13}, {"alternate-address", 6, -1}, {"conversion-error", 31, -1},
	{"dod-host-prohibited", 3, 10}, {"dod-net-prohibited", 3, 9}, {"echo", 8, -1}, {"echo-reply", 0, -1},
	{"general-parameter-problem", 12, 0}, {"host-isolated", 3, 8}, {"host-precedence-unreachable", 3, 14},
	{"host-redirect", 5, 1}, {"host-tos-redirect", 5, 3}, {"host-tos-unreachable", 3, 12}, {"host-unknown", 3, 7},
	{"host-unreachable", 3, 1}, {"information-reply", 16, -1}, {"information-request", 15, -1}, {"mask-reply", 18, -1},
	{"mask-request", 17, -1}, {"mobile-redirect", 32, -1}, {"net-redirect", 5, 0}, {"net-tos-redirect", 5, 2},
	{"net-tos-unreachable", 3, 11}, {"net-unreachable", 3, 0}, {"network-unknown", 3, 6}, {"no-room-for-option", 12, 2},
	{"option-missing", 12, 1}, {"packet-too-big", 3, 4}, {"parameter-problem", 12, -1}, {"port-unreachable", 3, 3},
	{"precedence-unreachable", 3, 15}, {"protocol-unreachable", 3, 2}, {"reassembly-timeout", 11, 1}, {"redirect", 5, -1},
	{"router-advertisement", 9, -1}, {"router-solicitation", 10, -1}, {"source-quench", 4, -1}, {"source-route-failed", 3, 5},
	{"time-exceeded", 11, -1}, {"timestamp-reply", 14, -1}, {"timestamp-request", 13, -1}, {"traceroute", 30, -1},
	{"ttl-exceeded", 11, 0}, {"unreachable", 3, -1},
}

// icmp6Names are those of RFC 4443, RFC 4861, RFC 2710 and RFC 2894.
var icmp6Names = [...]namedICMP{
	{"beyond-scope", 1, 2}, {"destination-unreachable", 1, 3}, {"dhaad-reply", 145, -1}, {"dhaad-request", 144, -1},
	{"echo-reply", 129, -1}, {"echo-request", 128, -1}, {"header", 4, 0}, {"hop-limit", 3, 0}, {"mld-query", 130, -1},
	{"mld-reduction", 132, -1}, {"mld-report", 131, -1}, {"mldv2-report", 143, -1}, {"mpd-advertisement", 147, -1},
	{"mpd-solicitation", 146, -1}, {"nd-na", 136, -1}, {"nd-ns", 135, -1}, {"next-header", 4, 1}, {"no-admin", 1, 1},
	{"no-route", 1, 0}, {"packet-too-big", 2, -1}, {"parameter-option", 4, 2}, {"parameter-problem", 4, -1},
	{"port-unreachable", 1, 4}, {"reassembly-timeout", 3, 1}, {"redirect", 137, -1}, {"renum-command", 138, 0},
	{"renum-result", 138, 1}, {"renum-seq-number", 138, 255}, {"router-advertisement", 134, -1}, {"router-renumbering", 138, -1},
	{"router-solicitation", 133, -1}, {"time-exceeded", 3, -1}, {"unreachable", 1, -1},
}

// icmpOf is an ICMP type by number or a message by name.
func icmpOf(w []byte, fam facts.Family) (facts.ICMPType, bool) {
	if n, ok := number(w); ok {
		return facts.ICMPType{Type: uint8(n), Code: -1}, n <= 255
	}
	list := icmpNames[:]
	if fam == facts.IPv6 {
		list = icmp6Names[:]
	}
	for i := range list {
		if list[i].name == string(w) {
			return facts.ICMPType{Type: uint8(list[i].kind), Code: list[i].code}, true
		}
	}
	return facts.ICMPType{}, false
}

// pamServices are the protocols of "match protocol" in class maps of the zone firewall, by the ports that port-to-
// application mapping gives them (Security configuration guide, zone-based policy firewalls; IANA service names).
var pamServices = map[string][]facts.Listener{
	"bgp":          {{Transport: facts.TCP, Ports: facts.PortRange{First: 179, Last: 179}}},
	"bootpc":       {{Transport: facts.UDP, Ports: facts.PortRange{First: 68, Last: 68}}},
	"bootps":       {{Transport: facts.UDP, Ports: facts.PortRange{First: 67, Last: 67}}},
	"dns":          {{Transport: facts.TCP, Ports: facts.PortRange{First: 53, Last: 53}}, {Transport: facts.UDP, Ports: facts.PortRange{First: 53, Last: 53}}},
	"ftp":          {{Transport: facts.TCP, Ports: facts.PortRange{First: 21, Last: 21}}},
	"ftps":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 990, Last: 990}}},
	"http":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 80, Last: 80}}},
	"https":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 443, Last: 443}}},
	"imap":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 143, Last: 143}}},
	"imaps":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 993, Last: 993}}},
	"isakmp":       {{Transport: facts.UDP, Ports: facts.PortRange{First: 500, Last: 500}}},
	"kerberos":     {{Transport: facts.TCP, Ports: facts.PortRange{First: 88, Last: 88}}, {Transport: facts.UDP, Ports: facts.PortRange{First: 88, Last: 88}}},
	"ldap":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 389, Last: 389}}},
	"ldaps":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 636, Last: 636}}},
	"login":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 513, Last: 513}}},
	"microsoft-ds": {{Transport: facts.TCP, Ports: facts.PortRange{First: 445, Last: 445}}, {Transport: facts.UDP, Ports: facts.PortRange{First: 445, Last: 445}}},
	"netbios-dgm":  {{Transport: facts.UDP, Ports: facts.PortRange{First: 138, Last: 138}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 138, Last: 138}}},
	"netbios-ns":   {{Transport: facts.UDP, Ports: facts.PortRange{First: 137, Last: 137}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 137, Last: 137}}},
	"netbios-ssn":  {{Transport: facts.TCP, Ports: facts.PortRange{First: 139, Last: 139}}, {Transport: facts.UDP, Ports: facts.PortRange{First: 139, Last: 139}}},
	"ntp":          {{Transport: facts.UDP, Ports: facts.PortRange{First: 123, Last: 123}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 123, Last: 123}}},
	"pop3":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 110, Last: 110}}},
	"pop3s":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 995, Last: 995}}},
	"pptp":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 1723, Last: 1723}}},
	"radius":       {{Transport: facts.UDP, Ports: facts.PortRange{First: 1812, Last: 1813}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 1812, Last: 1813}}},
	"shell":        {{Transport: facts.TCP, Ports: facts.PortRange{First: 514, Last: 514}}},
	"smtp":         {{Transport: facts.TCP, Ports: facts.PortRange{First: 25, Last: 25}}},
	"snmp":         {{Transport: facts.UDP, Ports: facts.PortRange{First: 161, Last: 161}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 161, Last: 161}}},
	"snmptrap":     {{Transport: facts.UDP, Ports: facts.PortRange{First: 162, Last: 162}}, {Transport: facts.TCP, Ports: facts.PortRange{First: 162, Last: 162}}},
	"ssh":          {{Transport: facts.TCP, Ports: facts.PortRange{First: 22, Last: 22}}},
	"syslog":       {{Transport: facts.UDP, Ports: facts.PortRange{First: 514, Last: 514}}},
	"tacacs":       {{Transport: facts.TCP, Ports: facts.PortRange{First: 49, Last: 49}}, {Transport: facts.UDP, Ports: facts.PortRange{First: 49, Last: 49}}},
	"telnet":       {{Transport: facts.TCP, Ports: facts.PortRange{First: 23, Last: 23}}},
	"tftp":         {{Transport: facts.UDP, Ports: facts.PortRange{First: 69, Last: 69}}},
}
