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

// A portName is ASA's name of a port.
type portName struct {
	name string
	port uint16
}

// portNames are sorted by name. cifs is not 445: Batfish CiscoAsaGrammarTest testAsaServiceObject asserts
// NamedPort.CIFS(3020). cmd and rsh are TCP 514, syslog UDP 514; login is TCP 513, who UDP 513.
var portNames = [...]portName{
	{"aol", 5190}, {"bgp", 179}, {"biff", 512}, {"bootpc", 68}, {"bootps", 67}, {"chargen", 19}, {"cifs", 3020},
	{"citrix-ica", 1494}, {"cmd", 514}, {"ctiqbe", 2748}, {"daytime", 13}, {"discard", 9}, {"dnsix", 195},
	{"domain", 53}, {"echo", 7}, {"exec", 512}, {"finger", 79}, {"ftp", 21}, {"ftp-data", 20}, {"gopher", 70},
	{"h323", 1720}, {"hostname", 101}, {"http", 80}, {"https", 443}, {"ident", 113}, {"imap4", 143}, {"irc", 194},
	{"isakmp", 500}, {"kerberos", 750}, {"klogin", 543}, {"kshell", 544}, {"ldap", 389}, {"ldaps", 636}, {"login", 513},
	{"lotusnotes", 1352}, {"lpd", 515}, {"mobile-ip", 434}, {"nameserver", 42}, {"netbios-dgm", 138},
	{"netbios-ns", 137}, {"netbios-ssn", 139}, {"nfs", 2049}, {"nntp", 119}, {"ntp", 123}, {"pcanywhere-data", 5631},
	{"pcanywhere-status", 5632}, {"pim-auto-rp", 496}, {"pop2", 109}, {"pop3", 110}, {"pptp", 1723}, {"radius", 1645},
	{"radius-acct", 1646}, {"rip", 520}, {"rpc", 111}, {"rsh", 514}, {"rtsp", 554}, {"secureid-udp", 5510},
	{"sip", 5060}, {"smtp", 25}, {"snmp", 161}, {"snmptrap", 162}, {"sqlnet", 1521}, {"ssh", 22}, {"sunrpc", 111},
	{"syslog", 514}, {"tacacs", 49}, {"talk", 517}, {"telnet", 23}, {"tftp", 69}, {"time", 37}, {"uucp", 540},
	{"vxlan", 4789}, {"who", 513}, {"whois", 43}, {"www", 80}, {"xdmcp", 177},
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
	i, j := 0, len(portNames)
	for i < j {
		h := int(uint(i+j) >> 1)
		if portNames[h].name < string(w) {
			i = h + 1
		} else {
			j = h
		}
	}
	if i == len(portNames) || portNames[i].name != string(w) {
		return 0, false
	}
	return portNames[i].port, true
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
