package ace

import "github.com/quaymaster/quaymaster/facts"

// portNames are names of ports that command lines of this kind print, by what they are: one that two platforms use differently
// is not here (IANA service names and port numbers; Cisco Nexus 9000 security configuration guide, and the guides of IOS XR
// and EOS, TCP and UDP port names).
var portNames = map[string]uint16{
	"bgp": 179, "chargen": 19, "cmd": 514, "daytime": 13, "discard": 9, "domain": 53, "dns": 53, "drip": 3949, "echo": 7, "exec": 512, "finger": 79, "ftp": 21,
	"ftp-data": 20, "ftps": 990, "ftps-data": 989, "gopher": 70, "hostname": 101, "http": 80, "https": 443, "ident": 113, "irc": 194, "kerberos": 88, "klogin": 543,
	"kshell": 544, "ldap": 389, "ldaps": 636, "login": 513, "lpd": 515, "microsoft-ds": 445, "cifs": 445, "smb": 445, "msrpc": 135, "mysql": 3306, "netbios-ssn": 139, "nfs": 2049,
	"nntp": 119, "pim-auto-rp": 496, "pop2": 109, "pop3": 110, "pop3s": 995, "imap4": 143, "imaps": 993, "rtsp": 554, "radius": 1812, "rsync": 873, "smtp": 25, "ssh": 22, "sunrpc": 111, "tacacs": 49, "tacacs-ds": 65,
	"talk": 517, "telnet": 23, "telnets": 992, "time": 37, "uucp": 540, "whois": 43, "www": 80, "netconf-ssh": 830, "bootpc": 68, "bootps": 67, "dnsix": 195,
	"isakmp": 500, "mobile-ip": 434, "nameserver": 42, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ss": 139, "non500-isakmp": 4500, "ntp": 123, "rip": 520, "snmp": 161,
	"snmptrap": 162, "syslog": 514, "tftp": 69, "who": 513, "xdmcp": 177, "biff": 512, "bfd": 3784, "dhcp-client": 68, "dhcp-server": 67, "vxlan": 4789,
	"rlogin": 513, "sqlnet": 1521, "sqlserver": 1433, "pptp": 1723, "sip": 5060, "rdp": 3389,
}

// Port is a port by the name the platforms share; false for names that stand for none.
func Port(name string) (uint16, bool) {
	n, ok := portNames[name]
	return n, ok
}

// icmpNames are messages by the names IOS and its likes print: of ICMP (RFC 792, RFC 1812), and under true of ICMPv6
// (RFC 4443, RFC 4861).
var icmpNames = map[bool]map[string]facts.ICMPType{
	false: {
		"echo-reply": {Type: 0, Code: -1}, "unreachable": {Type: 3, Code: -1}, "net-unreachable": {Type: 3, Code: 0}, "host-unreachable": {Type: 3, Code: 1},
		"protocol-unreachable": {Type: 3, Code: 2}, "port-unreachable": {Type: 3, Code: 3}, "packet-too-big": {Type: 3, Code: 4}, "source-route-failed": {Type: 3, Code: 5},
		"network-unknown": {Type: 3, Code: 6}, "host-unknown": {Type: 3, Code: 7}, "host-isolated": {Type: 3, Code: 8}, "administratively-prohibited": {Type: 3, Code: 13},
		"dod-net-prohibited": {Type: 3, Code: 9}, "dod-host-prohibited": {Type: 3, Code: 10}, "net-tos-unreachable": {Type: 3, Code: 11}, "host-tos-unreachable": {Type: 3, Code: 12},
		"host-precedence-unreachable": {Type: 3, Code: 14}, "precedence-unreachable": {Type: 3, Code: 15},
		"source-quench": {Type: 4, Code: -1}, "redirect": {Type: 5, Code: -1}, "net-redirect": {Type: 5, Code: 0}, "host-redirect": {Type: 5, Code: 1}, "net-tos-redirect": {Type: 5, Code: 2},
		"host-tos-redirect": {Type: 5, Code: 3}, "alternate-address": {Type: 6, Code: -1}, "echo": {Type: 8, Code: -1}, "echo-request": {Type: 8, Code: -1}, "router-advertisement": {Type: 9, Code: -1},
		"router-solicitation": {Type: 10, Code: -1}, "time-exceeded": {Type: 11, Code: -1}, "ttl-exceeded": {Type: 11, Code: 0}, "reassembly-timeout": {Type: 11, Code: 1},
		"parameter-problem": {Type: 12, Code: -1}, "general-parameter-problem": {Type: 12, Code: 0}, "option-missing": {Type: 12, Code: 1}, "no-room-for-option": {Type: 12, Code: 2},
		"timestamp-request": {Type: 13, Code: -1}, "timestamp-reply": {Type: 14, Code: -1}, "information-request": {Type: 15, Code: -1}, "information-reply": {Type: 16, Code: -1},
		"mask-request": {Type: 17, Code: -1}, "mask-reply": {Type: 18, Code: -1}, "traceroute": {Type: 30, Code: -1}, "conversion-error": {Type: 31, Code: -1}, "mobile-redirect": {Type: 32, Code: -1},
	},
	true: {
		"destination-unreachable": {Type: 1, Code: -1}, "unreachable": {Type: 1, Code: -1}, "no-route": {Type: 1, Code: 0}, "no-admin": {Type: 1, Code: 1}, "beyond-scope": {Type: 1, Code: 2},
		"address-unreachable": {Type: 1, Code: 3}, "port-unreachable": {Type: 1, Code: 4}, "packet-too-big": {Type: 2, Code: -1}, "time-exceeded": {Type: 3, Code: -1}, "hop-limit": {Type: 3, Code: 0},
		"reassembly-timeout": {Type: 3, Code: 1}, "parameter-problem": {Type: 4, Code: -1}, "header": {Type: 4, Code: 0}, "next-header": {Type: 4, Code: 1}, "parameter-option": {Type: 4, Code: 2},
		"echo-request": {Type: 128, Code: -1}, "echo": {Type: 128, Code: -1}, "echo-reply": {Type: 129, Code: -1}, "mld-query": {Type: 130, Code: -1}, "mld-report": {Type: 131, Code: -1},
		"mld-reduction": {Type: 132, Code: -1}, "mldv2": {Type: 143, Code: -1}, "router-solicitation": {Type: 133, Code: -1}, "router-advertisement": {Type: 134, Code: -1},
		"nd-ns": {Type: 135, Code: -1}, "nd-na": {Type: 136, Code: -1}, "neighbor-solicitation": {Type: 135, Code: -1}, "neighbor-advertisement": {Type: 136, Code: -1}, "redirect": {Type: 137, Code: -1},
		"renum-command": {Type: 138, Code: 0}, "renum-result": {Type: 138, Code: 1}, "renum-seq-number": {Type: 138, Code: 255}, "router-renumbering": {Type: 138, Code: -1},
	},
}
