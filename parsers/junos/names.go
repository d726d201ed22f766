package junos

import "github.com/quaymaster/quaymaster/facts"

// portNumber reads a port or one of the names filters and applications know ("Firewall Filter Match Conditions for IPv4
// Traffic", destination-port, Routing Policies User Guide; "destination-port", applications, Junos CLI reference).
func portNumber(b []byte) (uint16, bool) {
	if n, ok := small(b); ok {
		return uint16(n), n <= 65535
	}
	for _, k := range portNames {
		if k.name == string(b) {
			return k.port, true
		}
	}
	return 0, false
}

var portNames = [...]struct {
	name string
	port uint16
}{
	{"afs", 1483}, {"bgp", 179}, {"biff", 512}, {"bootpc", 68}, {"bootps", 67}, {"cmd", 514}, {"cvspserver", 2401},
	{"dhcp", 67}, {"domain", 53}, {"eklogin", 2105}, {"ekshell", 2106}, {"exec", 512}, {"finger", 79}, {"ftp", 21},
	{"ftp-data", 20}, {"http", 80}, {"https", 443}, {"ident", 113}, {"imap", 143}, {"kerberos-sec", 88}, {"klogin", 543},
	{"kpasswd", 761}, {"krb-prop", 754}, {"krbupdate", 760}, {"kshell", 544}, {"ldap", 389}, {"ldp", 646}, {"login", 513},
	{"mobileip-agent", 434}, {"mobilip-mn", 435}, {"msdp", 639}, {"netbios-dgm", 138}, {"netbios-ns", 137},
	{"netbios-ssn", 139}, {"nfsd", 2049}, {"nntp", 119}, {"ntalk", 518}, {"ntp", 123}, {"pop3", 110}, {"pptp", 1723},
	{"printer", 515}, {"radacct", 1813}, {"radius", 1812}, {"rip", 520}, {"rkinit", 2108}, {"smtp", 25}, {"snmp", 161},
	{"snmptrap", 162}, {"snmp-trap", 162}, {"snpp", 444}, {"socks", 1080}, {"ssh", 22}, {"sunrpc", 111}, {"syslog", 514},
	{"tacacs", 49}, {"tacacs-ds", 65}, {"talk", 517}, {"telnet", 23}, {"tftp", 69}, {"timed", 525}, {"who", 513},
	{"xdmcp", 177}, {"zephyr-clt", 2103}, {"zephyr-hm", 2104}, {"zephyr-srv", 2102}, {"rlogin", 513}, {"rsh", 514},
	{"ekerberos", 88}, {"isakmp", 500}, {"sip", 5060}, {"lpd", 515},
}

// portRange reads a port, a name or first-last.
func portRange(b []byte) (facts.PortRange, bool) {
	if n, ok := portNumber(b); ok {
		return facts.PortRange{First: n, Last: n}, true
	}
	for i, c := range b { // names have dashes too: ftp-data
		if c != '-' || i == 0 {
			continue
		}
		first, ok1 := portNumber(b[:i])
		last, ok2 := portNumber(b[i+1:])
		if ok1 && ok2 && first <= last {
			return facts.PortRange{First: first, Last: last}, true
		}
	}
	return facts.PortRange{}, false
}

// protocolNumber reads an IP protocol number or name ("Firewall Filter Match Conditions for IPv4 Traffic", protocol).
func protocolNumber(b []byte) (uint8, bool) {
	if n, ok := small(b); ok {
		return uint8(n), n <= 255
	}
	switch string(b) {
	case "hop-by-hop":
		return 0, true
	case "icmp":
		return 1, true
	case "igmp":
		return 2, true
	case "ipip":
		return 4, true
	case "tcp":
		return 6, true
	case "egp":
		return 8, true
	case "udp":
		return 17, true
	case "dccp":
		return 33, true
	case "ipv6":
		return 41, true
	case "routing":
		return 43, true
	case "fragment":
		return 44, true
	case "rsvp":
		return 46, true
	case "gre":
		return 47, true
	case "esp":
		return 50, true
	case "ah":
		return 51, true
	case "icmp6", "icmpv6":
		return 58, true
	case "no-next-header":
		return 59, true
	case "dstopts":
		return 60, true
	case "ospf":
		return 89, true
	case "pim":
		return 103, true
	case "vrrp":
		return 112, true
	case "l2tp":
		return 115, true
	case "sctp":
		return 132, true
	}
	return 0, false
}

// icmpType reads an ICMP (RFC 792) or, with v6, ICMPv6 (RFC 4443, RFC 4861) type by number or name.
func icmpType(b []byte, v6 bool) (uint8, bool) {
	if n, ok := small(b); ok {
		return uint8(n), n <= 255
	}
	list := icmp4Names[:]
	if v6 {
		list = icmp6Names[:]
	}
	for _, k := range list {
		if k.name == string(b) {
			return k.kind, true
		}
	}
	return 0, false
}

type icmpName struct {
	name string
	kind uint8
}

var icmp4Names = [...]icmpName{
	{"echo-reply", 0}, {"unreachable", 3}, {"source-quench", 4}, {"redirect", 5}, {"echo-request", 8},
	{"router-advertisement", 9}, {"router-solicit", 10}, {"time-exceeded", 11}, {"parameter-problem", 12},
	{"timestamp", 13}, {"timestamp-reply", 14}, {"info-request", 15}, {"info-reply", 16}, {"mask-request", 17}, {"mask-reply", 18},
}

var icmp6Names = [...]icmpName{
	{"destination-unreachable", 1}, {"packet-too-big", 2}, {"time-exceeded", 3}, {"parameter-problem", 4},
	{"echo-request", 128}, {"echo-reply", 129}, {"membership-query", 130}, {"membership-report", 131},
	{"membership-termination", 132}, {"router-solicit", 133}, {"router-advertisement", 134}, {"neighbor-solicit", 135},
	{"neighbor-advertisement", 136}, {"redirect", 137}, {"router-renumbering", 138}, {"node-information-request", 139},
	{"node-information-reply", 140}, {"inverse-neighbor-discovery-solicitation", 141},
	{"inverse-neighbor-discovery-advertisement", 142}, {"home-agent-address-discovery-request", 144},
	{"home-agent-address-discovery-reply", 145}, {"mobile-prefix-solicitation", 146}, {"mobile-prefix-advertisement-reply", 147},
	{"certificate-path-solicitation", 148}, {"certificate-path-advertisement", 149}, {"private-experimentation-100", 100},
	{"private-experimentation-101", 101}, {"private-experimentation-200", 200}, {"private-experimentation-201", 201},
}

// icmpCode reads the name of a code, whatever its type ("Firewall Filter Match Conditions for IPv4 Traffic", icmp-code).
func icmpCode(b []byte) (uint8, bool) {
	switch string(b) {
	case "network-unreachable", "redirect-for-network", "ip-header-bad", "ttl-eq-zero-during-transit",
		"no-route-to-destination":
		return 0, true
	case "host-unreachable", "redirect-for-host", "required-option-missing", "ttl-eq-zero-during-reassembly",
		"administratively-prohibited", "unrecognized-next-header":
		return 1, true
	case "protocol-unreachable", "redirect-for-tos-and-net", "unrecognized-option":
		return 2, true
	case "port-unreachable", "redirect-for-tos-and-host", "address-unreachable":
		return 3, true
	case "fragmentation-needed":
		return 4, true
	case "source-route-failed":
		return 5, true
	case "destination-network-unknown":
		return 6, true
	case "destination-host-unknown":
		return 7, true
	case "source-host-isolated":
		return 8, true
	case "destination-network-prohibited":
		return 9, true
	case "destination-host-prohibited":
		return 10, true
	case "network-unreachable-for-tos":
		return 11, true
	case "host-unreachable-for-tos":
		return 12, true
	case "communication-prohibited-by-filtering":
		return 13, true
	case "host-precedence-violation":
		return 14, true
	case "precedence-cutoff-in-effect":
		return 15, true
	}
	return 0, false
}
