package panos

import "github.com/quaymaster/quaymaster/facts"

// Applications every system knows, with the ports on which "application-default" lets them pass. Those marked B are in
// Batfish (representation/palo_alto/ApplicationBuiltIn.java, before 3dca4a8910 took the vendor's whole catalogue); the
// others are named after a protocol and have the ports it is registered with (IANA Service Name and Transport Protocol
// Port Number Registry). An application that is not here is unknown, never empty.

// A predef is an application: TCP and UDP ports, or a protocol without any.
type predef struct {
	name     string
	tcp, udp []uint16
	protocol uint8
	icmp     uint8 // the type, when protocol is ICMP; 0 any
}

var predefs = [...]predef{
	{name: "ftp", tcp: []uint16{21}}, // B
	{name: "tftp", udp: []uint16{69}},
	{name: "ms-ds-smb", tcp: []uint16{139, 445}, udp: []uint16{445}},      // B
	{name: "ms-ds-smb-base", tcp: []uint16{139, 445}, udp: []uint16{445}}, // those of the container
	{name: "ms-ds-smbv1", tcp: []uint16{139, 445}, udp: []uint16{445}},
	{name: "ms-ds-smbv2", tcp: []uint16{139, 445}, udp: []uint16{445}},
	{name: "ms-ds-smbv3", tcp: []uint16{139, 445}, udp: []uint16{445}},
	{name: "netbios-ss", tcp: []uint16{139}}, // B
	{name: "netbios-ns", tcp: []uint16{137}, udp: []uint16{137}},
	{name: "netbios-dg", tcp: []uint16{138}, udp: []uint16{138}},
	{name: "rsync", tcp: []uint16{873}},
	{name: "ssh", tcp: []uint16{22}}, // B
	{name: "telnet", tcp: []uint16{23}},
	{name: "web-browsing", tcp: []uint16{80}},                                     // B
	{name: "ssl", tcp: []uint16{443}},                                             // B
	{name: "dns", tcp: []uint16{53}, udp: []uint16{53, 5353}},                     // B; the blog "Demystifying Application Default" agrees
	{name: "dns-base", tcp: []uint16{53}, udp: []uint16{53, 5353}},                // the same
	{name: "ntp", tcp: []uint16{123}, udp: []uint16{123}},                         // B
	{name: "ntp-base", tcp: []uint16{123}, udp: []uint16{123}},                    // those of the container
	{name: "ntp-non-rfc", tcp: []uint16{123}, udp: []uint16{123}},                 // those of the container
	{name: "syslog", tcp: []uint16{1468, 1514, 6514}, udp: []uint16{514, 1514}},   // B
	{name: "snmp", tcp: []uint16{161}, udp: []uint16{161}},                        // B
	{name: "snmp-trap", tcp: []uint16{162}, udp: []uint16{162}},                   // B
	{name: "dhcp", tcp: []uint16{67, 68}, udp: []uint16{67, 68}},                  // B
	{name: "tacacs", tcp: []uint16{49}},                                           // B
	{name: "tacacs-plus", tcp: []uint16{49}},                                      // B
	{name: "ldap", tcp: []uint16{389, 636, 3268, 3269}, udp: []uint16{389, 3268}}, // B
	{name: "smtp", tcp: []uint16{25, 587}},                                        // B
	{name: "pop3", tcp: []uint16{110}},                                            // B
	{name: "finger", tcp: []uint16{79}, udp: []uint16{79}},                        // B
	{name: "gopher", tcp: []uint16{70}},                                           // B
	{name: "bgp", tcp: []uint16{179}, udp: []uint16{179}},                         // B
	{name: "bfd", udp: []uint16{3784, 3785, 4784}},                                // B
	{name: "stun", tcp: []uint16{3478}, udp: []uint16{3478}},                      // B
	{name: "mssql-db", tcp: []uint16{1433}, udp: []uint16{1433}},                  // B
	{name: "mssql-mon", udp: []uint16{1434}},                                      // B
	{name: "ms-kms", tcp: []uint16{1688}},                                         // B
	{name: "ms-rdp", tcp: []uint16{3389}, udp: []uint16{3389}},
	{name: "amazon-cloud-drive-base", tcp: []uint16{80, 443}},      // B
	{name: "amazon-cloud-drive-uploading", tcp: []uint16{80, 443}}, // B
	{name: "boxnet", tcp: []uint16{80, 443}},                       // B
	{name: "soap", tcp: []uint16{80, 443}},                         // B
	{name: "websocket", tcp: []uint16{80, 443, 8080}},              // B
	{name: "office365-enterprise-access", tcp: []uint16{80, 443}},  // B
	{name: "pan-db-cloud", tcp: []uint16{443}},                     // B
	{name: "ike", udp: []uint16{500}},
	{name: "ping", protocol: protoICMP, icmp: 8}, // B, without the type; RFC 792 echo request
	{name: "ping6", protocol: protoICMPv6, icmp: 128},
	{name: "icmp", protocol: protoICMP}, // B
	{name: "ipv6-icmp", protocol: protoICMPv6},
	{name: "gre", protocol: protoGRE}, // B
	{name: "ipsec-esp", protocol: protoESP},
	{name: "ipsec-ah", protocol: protoAH},
	{name: "ospf", protocol: protoOSPF}, // B
	{name: "pim", protocol: protoPIM},   // B
}

// A container is an application that stands for others: a rule that names it matches each of them, as the vendor's
// catalogue lists its functions.
type container struct {
	name  string
	holds []string
}

var containers = [...]container{
	{"ms-ds-smb", []string{"ms-ds-smb-base", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3"}},
	{"dns", []string{"dns-base"}},
	{"ntp", []string{"ntp-base", "ntp-non-rfc"}},
}

// transferApps are those that move files, and those most often met beside them: what "any application on its default
// port" is written out to.
var transferApps = [...]string{
	"ftp", "tftp", "ms-ds-smb", "ms-ds-smb-base", "ms-ds-smbv1", "ms-ds-smbv2", "ms-ds-smbv3", "netbios-ss", "netbios-ns", "netbios-dg",
	"ssh", "web-browsing", "ssl",
}

// predefinedApp are the default ports of an application; ok is false when they are not known here.
func predefinedApp(name string) (items []facts.ServiceItem, ok bool) {
	for i := range predefs {
		d := &predefs[i]
		if d.name != name {
			continue
		}
		if d.protocol != 0 {
			item := facts.ServiceItem{Protocols: []uint8{d.protocol}}
			if d.icmp != 0 {
				item.ICMP = []facts.ICMPType{{Type: d.icmp, Code: -1}}
			}
			return []facts.ServiceItem{item}, true
		}
		for _, x := range [...]struct {
			protocol uint8
			ports    []uint16
		}{{facts.TCP, d.tcp}, {facts.UDP, d.udp}} {
			if len(x.ports) == 0 {
				continue
			}
			item := facts.ServiceItem{Protocols: []uint8{x.protocol}, Dst: facts.Ports{Present: true}}
			for _, n := range x.ports {
				item.Dst.Ranges = append(item.Dst.Ranges, facts.PortRange{First: n, Last: n})
			}
			items = append(items, item)
		}
		return items, true
	}
	return nil, false
}
