package panos

import "github.com/quaymaster/quaymaster/facts"

// Applications every system knows, with the ports on which "application-default" lets them pass. Those marked B are in
// Batfish (representation/palo_alto/ApplicationBuiltIn.java, before 3dca4a8910 took the vendor's whole catalogue); the
// others are named after a protocol and have the ports it is registered with (IANA Service Name and Transport Protocol
// Port Number Registry). An application that is not here is unknown, never empty.

func tcp(ports ...uint16) (uint8, []facts.PortRange) { return facts.TCP, single(ports) }
func udp(ports ...uint16) (uint8, []facts.PortRange) { return facts.UDP, single(ports) }

func single(ports []uint16) []facts.PortRange {
	out := make([]facts.PortRange, len(ports))
	for i, n := range ports {
		out[i] = facts.PortRange{First: n, Last: n}
	}
	return out
}

// A container is an application that stands for others: a rule that names it matches each of them. Theirs is the list of
// functions of ms-ds-smb in the vendor's catalogue.
type container struct {
	name  string
	holds []string
}

var containers = [...]container{
	{"ms-ds-smb", []string{"ms-ds-smb-base", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3"}},
	{"dns", []string{"dns-base"}},
	{"ntp", []string{"ntp-base", "ntp-non-rfc"}},
	{"msrpc", []string{"msrpc-base"}},
}

// transferApps are those of the applications below that move files, and those most often met beside them: what "any
// application on its default port" is written out to.
var transferApps = [...]string{"ftp", "tftp", "ms-ds-smb", "netbios-ss", "netbios-ns", "netbios-dg", "ssh", "web-browsing", "ssl"}

// predefinedApp are the default ports of an application; ok is false when they are not known here.
func predefinedApp(name string) (items []facts.ServiceItem, ok bool) {
	add := func(protocol uint8, ports []facts.PortRange) {
		item := facts.ServiceItem{Protocols: []uint8{protocol}}
		if len(ports) > 0 {
			item.Dst = facts.Ports{Present: true, Ranges: ports}
		}
		items = append(items, item)
	}
	switch name {
	case "ftp": // B
		add(tcp(21))
	case "tftp":
		add(udp(69))
	case "ms-ds-smb", "ms-ds-smb-base", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3": // B, of the container
		add(tcp(139, 445))
		add(udp(445))
	case "netbios-ss": // B
		add(tcp(139))
	case "netbios-ns":
		add(udp(137))
		add(tcp(137))
	case "netbios-dg":
		add(udp(138))
		add(tcp(138))
	case "ssh": // B
		add(tcp(22))
	case "telnet":
		add(tcp(23))
	case "web-browsing": // B
		add(tcp(80))
	case "ssl": // B
		add(tcp(443))
	case "dns", "dns-base": // B; knowledge base kA10g000000ClVwCAK says the same
		add(tcp(53))
		add(udp(53, 5353))
	case "ntp", "ntp-base", "ntp-non-rfc": // B
		add(tcp(123))
		add(udp(123))
	case "syslog": // B
		add(tcp(1468, 1514, 6514))
		add(udp(514, 1514))
	case "snmp": // B
		add(tcp(161))
		add(udp(161))
	case "snmp-trap": // B
		add(tcp(162))
		add(udp(162))
	case "dhcp": // B
		add(tcp(67, 68))
		add(udp(67, 68))
	case "tacacs", "tacacs-plus": // B
		add(tcp(49))
	case "amazon-cloud-drive-base", "amazon-cloud-drive-uploading", "boxnet", "soap", "office365-enterprise-access": // B
		add(tcp(80, 443))
	case "rsync":
		add(tcp(873))
	case "ldap": // B
		add(tcp(389, 3268, 3269, 636))
		add(udp(389, 3268))
	case "smtp": // B
		add(tcp(25, 587))
	case "pop3": // B
		add(tcp(110))
	case "bgp": // B
		add(tcp(179))
		add(udp(179))
	case "ms-rdp":
		add(tcp(3389))
		add(udp(3389))
	case "mssql-db": // B
		add(tcp(1433))
		add(udp(1433))
	case "ping": // B, without the type; RFC 792 and RFC 4443 echo request
		items = append(items, facts.ServiceItem{Protocols: []uint8{protoICMP}, ICMP: []facts.ICMPType{{Type: 8, Code: -1}}})
	case "ping6":
		items = append(items, facts.ServiceItem{Protocols: []uint8{protoICMPv6}, ICMP: []facts.ICMPType{{Type: 128, Code: -1}}})
	case "icmp": // B
		add(protoICMP, nil)
	case "ipv6-icmp":
		add(protoICMPv6, nil)
	case "gre": // B
		add(protoGRE, nil)
	case "ipsec-esp":
		add(protoESP, nil)
	case "ipsec-ah":
		add(protoAH, nil)
	case "ike":
		add(udp(500))
	case "ospf": // B
		add(protoOSPF, nil)
	case "pim": // B
		add(protoPIM, nil)
	default:
		return nil, false
	}
	return items, true
}
