package junos

import "github.com/quaymaster/quaymaster/facts"

// Applications every SRX knows ("Predefined Policy Applications", Security Policies User Guide; "show groups
// junos-defaults"). Applications that are told by an RPC program or UUID are listed with the port mapper's port, which is
// what a policy matches; the sessions agreed upon there are opened by the gateway. One that is missing here is unknown,
// never empty.

const (
	icmp4  = 1
	gre    = 47
	icmp6  = 58
	ospf   = 89
	sctp   = 132
	anyone = 0 // no port condition
)

// A predef is one term of a predefined application.
type predef struct {
	name        string
	protocol    uint8
	first, last uint16 // destination ports; both 0: any
}

var predefs = [...]predef{
	{"junos-aol", facts.TCP, 5190, 5193}, {"junos-bgp", facts.TCP, 179, 179}, {"junos-biff", facts.UDP, 512, 512},
	{"junos-bootpc", facts.UDP, 68, 68}, {"junos-bootps", facts.UDP, 67, 67}, {"junos-chargen", facts.UDP, 19, 19},
	{"junos-cvspserver", facts.TCP, 2401, 2401}, {"junos-dhcp-client", facts.UDP, 68, 68},
	{"junos-dhcp-relay", facts.UDP, 67, 67}, {"junos-dhcp-server", facts.UDP, 67, 67}, {"junos-discard", facts.UDP, 9, 9},
	{"junos-dns-tcp", facts.TCP, 53, 53}, {"junos-dns-udp", facts.UDP, 53, 53}, {"junos-echo", facts.UDP, 7, 7},
	{"junos-finger", facts.TCP, 79, 79}, {"junos-ftp", facts.TCP, 21, 21}, {"junos-ftp-data", facts.TCP, 20, 20},
	{"junos-gnutella", facts.UDP, 6346, 6347}, {"junos-gopher", facts.TCP, 70, 70}, {"junos-gprs-gtp-c", facts.UDP, 2123, 2123},
	{"junos-gprs-gtp-u", facts.UDP, 2152, 2152}, {"junos-gprs-gtp-v0", facts.UDP, 3386, 3386},
	{"junos-gprs-sctp", sctp, anyone, anyone}, {"junos-gre", gre, anyone, anyone}, {"junos-gtp", facts.UDP, 2123, 2123},
	{"junos-h323", facts.TCP, 1720, 1720}, {"junos-h323", facts.UDP, 1719, 1719}, {"junos-h323", facts.TCP, 1503, 1503},
	{"junos-h323", facts.TCP, 389, 389}, {"junos-h323", facts.TCP, 522, 522}, {"junos-h323", facts.TCP, 1731, 1731},
	{"junos-http", facts.TCP, 80, 80}, {"junos-http-ext", facts.TCP, 7001, 7001}, {"junos-https", facts.TCP, 443, 443},
	{"junos-icmp-all", icmp4, anyone, anyone}, {"junos-icmp6-all", icmp6, anyone, anyone}, {"junos-ident", facts.TCP, 113, 113},
	{"junos-ike", facts.UDP, 500, 500}, {"junos-ike-nat", facts.UDP, 4500, 4500}, {"junos-imap", facts.TCP, 143, 143},
	{"junos-imaps", facts.TCP, 993, 993}, {"junos-internet-locator-service", facts.TCP, 389, 389},
	{"junos-irc", facts.TCP, 6660, 6669}, {"junos-l2tp", facts.UDP, 1701, 1701}, {"junos-ldap", facts.TCP, 389, 389},
	{"junos-ldp-tcp", facts.TCP, 646, 646}, {"junos-ldp-udp", facts.UDP, 646, 646}, {"junos-lpr", facts.TCP, 515, 515},
	{"junos-mail", facts.TCP, 25, 25}, {"junos-mgcp-ca", facts.UDP, 2727, 2727}, {"junos-mgcp-ua", facts.UDP, 2427, 2427},
	{"junos-ms-rpc-epm", facts.TCP, 135, 135}, {"junos-ms-rpc-tcp", facts.TCP, 135, 135}, {"junos-ms-rpc-udp", facts.UDP, 135, 135},
	{"junos-ms-rpc-iis-com-1", facts.TCP, 135, 135}, {"junos-ms-rpc-iis-com-adminbase", facts.TCP, 135, 135},
	{"junos-ms-rpc-msexchange-directory-nsp", facts.TCP, 135, 135}, {"junos-ms-rpc-msexchange-directory-rfr", facts.TCP, 135, 135},
	{"junos-ms-rpc-msexchange-info-store", facts.TCP, 135, 135}, {"junos-ms-rpc-uuid-any-tcp", facts.TCP, 135, 135},
	{"junos-ms-rpc-uuid-any-udp", facts.UDP, 135, 135}, {"junos-ms-rpc-wmic-admin", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-admin2", facts.TCP, 135, 135}, {"junos-ms-rpc-wmic-mgmt", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-callresult", facts.TCP, 135, 135}, {"junos-ms-rpc-wmic-webm-classobject", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-level1login", facts.TCP, 135, 135}, {"junos-ms-rpc-wmic-webm-login-clientid", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-login-helper", facts.TCP, 135, 135}, {"junos-ms-rpc-wmic-webm-objectsink", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-refreshing-services", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-remote-refresher", facts.TCP, 135, 135}, {"junos-ms-rpc-wmic-webm-services", facts.TCP, 135, 135},
	{"junos-ms-rpc-wmic-webm-shutdown", facts.TCP, 135, 135}, {"junos-ms-sql", facts.TCP, 1433, 1433},
	{"junos-msn", facts.TCP, 1863, 1863}, {"junos-nbds", facts.UDP, 138, 138}, {"junos-nbname", facts.UDP, 137, 137},
	{"junos-netbios-session", facts.TCP, 139, 139}, {"junos-nfs", facts.UDP, 111, 111}, {"junos-nfsd-tcp", facts.TCP, 2049, 2049},
	{"junos-nfsd-udp", facts.UDP, 2049, 2049}, {"junos-nntp", facts.TCP, 119, 119}, {"junos-ns-global", facts.TCP, 15397, 15397},
	{"junos-ns-global-pro", facts.TCP, 15397, 15397}, {"junos-ntalk", facts.UDP, 518, 518}, {"junos-ntp", facts.UDP, 123, 123},
	{"junos-ospf", ospf, anyone, anyone}, {"junos-pc-anywhere", facts.UDP, 5632, 5632}, {"junos-ping", icmp4, anyone, anyone},
	{"junos-pop3", facts.TCP, 110, 110}, {"junos-pptp", facts.TCP, 1723, 1723}, {"junos-printer", facts.TCP, 515, 515},
	{"junos-r2cp", facts.UDP, 28672, 28672}, {"junos-radacct", facts.UDP, 1813, 1813}, {"junos-radius", facts.UDP, 1812, 1812},
	{"junos-rdp", facts.TCP, 3389, 3389}, {"junos-rip", facts.UDP, 520, 520}, {"junos-rsh", facts.TCP, 514, 514},
	{"junos-rtsp", facts.TCP, 554, 554}, {"junos-sccp", facts.TCP, 2000, 2000}, {"junos-sctp-any", sctp, anyone, anyone},
	{"junos-sip", facts.UDP, 5060, 5060}, {"junos-sip", facts.TCP, 5060, 5060}, {"junos-smb", facts.TCP, 139, 139},
	{"junos-smb", facts.TCP, 445, 445}, {"junos-smb-session", facts.TCP, 445, 445}, {"junos-smtp", facts.TCP, 25, 25},
	{"junos-smtps", facts.TCP, 465, 465}, {"junos-smtps", facts.TCP, 587, 587}, {"junos-snmp-agentx", facts.TCP, 705, 705},
	{"junos-snpp", facts.TCP, 444, 444}, {"junos-sql-monitor", facts.UDP, 1434, 1434}, {"junos-sqlnet-v1", facts.TCP, 1525, 1525},
	{"junos-sqlnet-v2", facts.TCP, 1521, 1521}, {"junos-ssh", facts.TCP, 22, 22}, {"junos-stun-tcp", facts.TCP, 3478, 3479},
	{"junos-stun-udp", facts.UDP, 3478, 3479}, {"junos-syslog", facts.UDP, 514, 514}, {"junos-tacacs", facts.TCP, 49, 49},
	{"junos-tacacs-ds", facts.TCP, 65, 65}, {"junos-talk", facts.UDP, 517, 517}, {"junos-tcp-any", facts.TCP, anyone, anyone},
	{"junos-telnet", facts.TCP, 23, 23}, {"junos-tftp", facts.UDP, 69, 69}, {"junos-udp-any", facts.UDP, anyone, anyone},
	{"junos-uucp", facts.TCP, 540, 540}, {"junos-wais", facts.TCP, 210, 210}, {"junos-who", facts.UDP, 513, 513},
	{"junos-whois", facts.TCP, 43, 43}, {"junos-winframe", facts.TCP, 1494, 1494}, {"junos-wxcontrol", facts.TCP, 3578, 3578},
	{"junos-x-windows", facts.TCP, 6000, 6063}, {"junos-xnm-clear-text", facts.TCP, 3221, 3221},
	{"junos-xnm-ssl", facts.TCP, 3220, 3220}, {"junos-ymsg", facts.TCP, 5050, 5050},
}

// predefTypes are the predefined applications of ICMP types.
var predefTypes = [...]struct {
	name     string
	protocol uint8
	icmp     facts.ICMPType
}{
	{"junos-icmp-ping", icmp4, facts.ICMPType{Type: 8, Code: -1}},
	{"junos-pingv6", icmp6, facts.ICMPType{Type: 128, Code: -1}},
	{"junos-icmp6-dst-unreach-route", icmp6, facts.ICMPType{Type: 1, Code: 0}},
	{"junos-icmp6-dst-unreach-admin", icmp6, facts.ICMPType{Type: 1, Code: 1}},
	{"junos-icmp6-dst-unreach-beyond", icmp6, facts.ICMPType{Type: 1, Code: 2}},
	{"junos-icmp6-dst-unreach-addr", icmp6, facts.ICMPType{Type: 1, Code: 3}},
	{"junos-icmp6-dst-unreach-port", icmp6, facts.ICMPType{Type: 1, Code: 4}},
	{"junos-icmp6-packet-too-big", icmp6, facts.ICMPType{Type: 2, Code: -1}},
	{"junos-icmp6-time-exceed-transit", icmp6, facts.ICMPType{Type: 3, Code: 0}},
	{"junos-icmp6-time-exceed-reassembly", icmp6, facts.ICMPType{Type: 3, Code: 1}},
	{"junos-icmp6-param-prob-header", icmp6, facts.ICMPType{Type: 4, Code: 0}},
	{"junos-icmp6-param-prob-nexthdr", icmp6, facts.ICMPType{Type: 4, Code: 1}},
	{"junos-icmp6-param-prob-option", icmp6, facts.ICMPType{Type: 4, Code: 2}},
	{"junos-icmp6-echo-request", icmp6, facts.ICMPType{Type: 128, Code: -1}},
	{"junos-icmp6-echo-reply", icmp6, facts.ICMPType{Type: 129, Code: -1}},
}

// sunRPC are the programs with an application over TCP, one over UDP, and a set of both with the port mapper's.
var sunRPC = [...]string{
	"any", "mountd", "nfs", "nlockmgr", "portmap", "rquotad", "ruserd", "sadmind", "sprayd", "status", "walld", "ypbind", "ypserv",
}

// predefSets are the predefined sets, but for those of Sun RPC.
var predefSets = [...]struct {
	name    string
	members []string
}{
	{"junos-cifs", []string{"junos-netbios-session", "junos-smb-session"}},
	{"junos-mgcp", []string{"junos-mgcp-ca", "junos-mgcp-ua"}},
	{"junos-ms-rpc", []string{"junos-ms-rpc-tcp", "junos-ms-rpc-udp"}},
	{"junos-ms-rpc-any", []string{"junos-ms-rpc-tcp", "junos-ms-rpc-udp", "junos-ms-rpc-uuid-any-tcp", "junos-ms-rpc-uuid-any-udp"}},
	{"junos-ms-rpc-iis-com", []string{"junos-ms-rpc-tcp", "junos-ms-rpc-iis-com-1", "junos-ms-rpc-iis-com-adminbase"}},
	{"junos-ms-rpc-msexchange", []string{
		"junos-ms-rpc-tcp", "junos-ms-rpc-udp", "junos-ms-rpc-epm", "junos-ms-rpc-msexchange-directory-rfr",
		"junos-ms-rpc-msexchange-info-store", "junos-ms-rpc-msexchange-directory-nsp",
	}},
	{"junos-ms-rpc-wmic", []string{
		"junos-ms-rpc-tcp", "junos-ms-rpc-wmic-admin", "junos-ms-rpc-wmic-admin2", "junos-ms-rpc-wmic-webm-level1login",
		"junos-ms-rpc-wmic-mgmt",
	}},
	{"junos-routing-inbound", []string{"junos-bgp", "junos-rip", "junos-ldp-tcp", "junos-ldp-udp"}},
	{"junos-stun", []string{"junos-stun-tcp", "junos-stun-udp"}},
	{"junos-sun-rpc", []string{"junos-sun-rpc-tcp", "junos-sun-rpc-udp"}},
	{"junos-sun-rpc-nfs-access", []string{
		"junos-sun-rpc-tcp", "junos-sun-rpc-udp", "junos-sun-rpc-portmap-tcp", "junos-sun-rpc-portmap-udp", "junos-sun-rpc-nfs-tcp",
		"junos-sun-rpc-nfs-udp", "junos-sun-rpc-mountd-tcp", "junos-sun-rpc-mountd-udp",
	}},
}

// builtinApp is a predefined application as services, or a predefined set as members; neither when there is none.
func builtinApp(name string) (members []string, services []facts.ServiceItem) {
	if name == "any" {
		return nil, []facts.ServiceItem{{}}
	}
	for i := range predefs {
		if a := &predefs[i]; a.name == name {
			services = append(services, a.item())
		}
	}
	for i := range predefTypes {
		if a := &predefTypes[i]; a.name == name {
			services = append(services, facts.ServiceItem{Protocols: []uint8{a.protocol}, ICMP: []facts.ICMPType{a.icmp}})
		}
	}
	if services != nil {
		return nil, services
	}
	for i := range predefSets {
		if predefSets[i].name == name {
			return predefSets[i].members, nil
		}
	}
	return sunRPCApp(name)
}

func (a *predef) item() facts.ServiceItem {
	s := facts.ServiceItem{Protocols: []uint8{a.protocol}}
	if a.first != anyone {
		s.Dst = facts.Ports{Present: true, Ranges: []facts.PortRange{{First: a.first, Last: a.last}}}
	}
	return s
}

// sunRPCApp is junos-sun-rpc-tcp, junos-sun-rpc-PROGRAM-tcp and their sets.
func sunRPCApp(name string) (members []string, services []facts.ServiceItem) {
	const base = "junos-sun-rpc"
	mapper := func(protocol uint8) []facts.ServiceItem {
		return []facts.ServiceItem{(&predef{protocol: protocol, first: 111, last: 111}).item()}
	}
	switch name {
	case base + "-tcp":
		return nil, mapper(facts.TCP)
	case base + "-udp":
		return nil, mapper(facts.UDP)
	}
	for _, program := range sunRPC {
		of := base + "-" + program
		switch name {
		case of + "-tcp":
			return nil, mapper(facts.TCP)
		case of + "-udp":
			return nil, mapper(facts.UDP)
		case of:
			return []string{base + "-tcp", base + "-udp", of + "-tcp", of + "-udp"}, nil
		}
	}
	return nil, nil
}
