package ciscoasa

// The names below are those of the "Addresses, Protocols, and Ports" chapter of the Cisco ASA CLI configuration guides
// (tables "Protocol Literal Values", "TCP and UDP Ports", "ICMP Types"). A name stands for one number whatever the
// transport: where the table lists one transport only, the device refuses the other, so evidence does not hold it.

// protocolNumber is the IANA number of a protocol literal; any says that it is "ip", which is every protocol.
func protocolNumber(w []byte) (n uint8, anyIP, ok bool) {
	switch string(w) {
	case "ip":
		return 0, true, true
	case "tcp":
		return 6, false, true
	case "udp":
		return 17, false, true
	case "icmp":
		return 1, false, true
	case "icmp6":
		return 58, false, true
	case "ah", "ahp":
		return 51, false, true
	case "esp", "ipsec": // "ipsec" is the older spelling of esp
		return 50, false, true
	case "gre", "pptp":
		return 47, false, true
	case "eigrp":
		return 88, false, true
	case "igmp":
		return 2, false, true
	case "igrp":
		return 9, false, true
	case "ipinip":
		return 4, false, true
	case "nos":
		return 94, false, true
	case "ospf":
		return 89, false, true
	case "pcp":
		return 108, false, true
	case "pim":
		return 103, false, true
	case "sctp":
		return 132, false, true
	case "snp":
		return 109, false, true
	}
	v, isNum := number(w)
	if !isNum || v > 255 {
		return 0, false, false
	}
	return uint8(v), v == 0, true // 0 is how "ip" reads when entered as a number
}

// portNumber is a port given as a number or by ASA's name for it.
func portNumber(w []byte) (uint16, bool) {
	if len(w) == 0 {
		return 0, false
	}
	if w[0]-'0' <= 9 {
		v, ok := number(w)
		return uint16(v), ok && v <= 65535
	}
	switch string(w) {
	case "aol":
		return 5190, true
	case "bgp":
		return 179, true
	case "biff":
		return 512, true
	case "bootpc":
		return 68, true
	case "bootps":
		return 67, true
	case "chargen":
		return 19, true
	case "cifs": // not 445: Batfish CiscoAsaGrammarTest testAsaServiceObject asserts NamedPort.CIFS(3020)
		return 3020, true
	case "citrix-ica":
		return 1494, true
	case "cmd", "rsh", "syslog": // cmd and rsh are TCP, syslog is UDP
		return 514, true
	case "ctiqbe":
		return 2748, true
	case "daytime":
		return 13, true
	case "discard":
		return 9, true
	case "dnsix":
		return 195, true
	case "domain":
		return 53, true
	case "echo":
		return 7, true
	case "exec":
		return 512, true
	case "finger":
		return 79, true
	case "ftp":
		return 21, true
	case "ftp-data":
		return 20, true
	case "gopher":
		return 70, true
	case "h323":
		return 1720, true
	case "hostname":
		return 101, true
	case "http", "www":
		return 80, true
	case "https":
		return 443, true
	case "ident":
		return 113, true
	case "imap4":
		return 143, true
	case "irc":
		return 194, true
	case "isakmp":
		return 500, true
	case "kerberos":
		return 750, true
	case "klogin":
		return 543, true
	case "kshell":
		return 544, true
	case "ldap":
		return 389, true
	case "ldaps":
		return 636, true
	case "login", "who": // login is TCP, who is UDP
		return 513, true
	case "lotusnotes":
		return 1352, true
	case "lpd":
		return 515, true
	case "mobile-ip":
		return 434, true
	case "nameserver":
		return 42, true
	case "netbios-dgm":
		return 138, true
	case "netbios-ns":
		return 137, true
	case "netbios-ssn":
		return 139, true
	case "nfs":
		return 2049, true
	case "nntp":
		return 119, true
	case "ntp":
		return 123, true
	case "pcanywhere-data":
		return 5631, true
	case "pcanywhere-status":
		return 5632, true
	case "pim-auto-rp":
		return 496, true
	case "pop2":
		return 109, true
	case "pop3":
		return 110, true
	case "pptp":
		return 1723, true
	case "radius":
		return 1645, true
	case "radius-acct":
		return 1646, true
	case "rip":
		return 520, true
	case "rtsp":
		return 554, true
	case "secureid-udp":
		return 5510, true
	case "sip":
		return 5060, true
	case "smtp":
		return 25, true
	case "snmp":
		return 161, true
	case "snmptrap":
		return 162, true
	case "sqlnet":
		return 1521, true
	case "ssh":
		return 22, true
	case "sunrpc", "rpc":
		return 111, true
	case "tacacs":
		return 49, true
	case "talk":
		return 517, true
	case "telnet":
		return 23, true
	case "tftp":
		return 69, true
	case "time":
		return 37, true
	case "uucp":
		return 540, true
	case "vxlan":
		return 4789, true
	case "whois":
		return 43, true
	case "xdmcp":
		return 177, true
	}
	return 0, false
}

// icmpType is an ICMP type given as a number or by ASA's name for it; v6 asks for ICMPv6.
func icmpType(w []byte, v6 bool) (uint8, bool) {
	if v, ok := number(w); ok {
		return uint8(v), v <= 255
	}
	if v6 {
		return icmp6Type(w)
	}
	switch string(w) {
	case "echo-reply":
		return 0, true
	case "unreachable":
		return 3, true
	case "source-quench":
		return 4, true
	case "redirect":
		return 5, true
	case "alternate-address":
		return 6, true
	case "echo":
		return 8, true
	case "router-advertisement":
		return 9, true
	case "router-solicitation":
		return 10, true
	case "time-exceeded":
		return 11, true
	case "parameter-problem":
		return 12, true
	case "timestamp-request":
		return 13, true
	case "timestamp-reply":
		return 14, true
	case "information-request":
		return 15, true
	case "information-reply":
		return 16, true
	case "mask-request":
		return 17, true
	case "mask-reply":
		return 18, true
	case "traceroute":
		return 30, true
	case "conversion-error":
		return 31, true
	case "mobile-redirect":
		return 32, true
	}
	return 0, false
}

func icmp6Type(w []byte) (uint8, bool) {
	switch string(w) {
	case "unreachable":
		return 1, true
	case "packet-too-big":
		return 2, true
	case "time-exceeded":
		return 3, true
	case "parameter-problem":
		return 4, true
	case "echo":
		return 128, true
	case "echo-reply":
		return 129, true
	case "membership-query":
		return 130, true
	case "membership-report":
		return 131, true
	case "membership-reduction":
		return 132, true
	case "router-solicitation":
		return 133, true
	case "router-advertisement":
		return 134, true
	case "neighbor-solicitation":
		return 135, true
	case "neighbor-advertisement":
		return 136, true
	case "neighbor-redirect":
		return 137, true
	case "router-renumbering":
		return 138, true
	}
	return 0, false
}

// severityLevel is a syslog severity by name or digit, as "logging trap" takes it (ASA command reference, logging trap).
func severityLevel(w []byte) (int, string, bool) {
	for i, name := range [...]string{"emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational", "debugging"} {
		if string(w) == name || len(w) == 1 && w[0] == byte('0'+i) {
			return i, name, true
		}
	}
	return 0, "", false
}

// number reads a decimal number that is all of w.
func number(w []byte) (uint32, bool) {
	if len(w) == 0 || len(w) > 10 {
		return 0, false
	}
	var n uint64
	for _, c := range w {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	return uint32(n), n <= 1<<32-1
}
