package nftables

import "github.com/quaymaster/quaymaster/facts"

// family of a table (nft(8), ADDRESS FAMILIES).
type family uint8

const (
	famIP family = iota + 1
	famIP6
	famInet
	famARP
	famBridge
	famNetdev
)

var families = map[string]family{"ip": famIP, "ip6": famIP6, "inet": famInet, "arp": famARP, "bridge": famBridge, "netdev": famNetdev}

// of IP is what packets a table of the family sees.
func (f family) of() facts.Family {
	switch f {
	case famIP:
		return facts.IPv4
	case famIP6:
		return facts.IPv6
	case famInet, famARP, famBridge, famNetdev:
	}
	return facts.AnyFamily
}

// priorities by name (nft(8), "Standard priority names, family and hook compatibility matrix"), and those of family bridge.
var (
	priorities       = map[string]int{"raw": -300, "mangle": -150, "dstnat": -100, "filter": 0, "security": 50, "srcnat": 100}
	bridgePriorities = map[string]int{"dstnat": -300, "filter": -200, "out": 100, "srcnat": 300}
)

// protocols by name (/etc/protocols; nft describe inet_proto).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipv4": 4, "ipip": 4, "ipencap": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6": 41, "ipv6-route": 43,
	"ipv6-frag": 44, "gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59, "ipv6-opts": 60, "eigrp": 88,
	"ospf": 89, "pim": 103, "comp": 108, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136,
}

// services are names of ports (/etc/services; nft describe inet_service).
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80,
	"pop3": 110, "sunrpc": 111, "ntp": 123, "epmap": 135, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap2": 143, "imap": 143,
	"snmp": 161, "snmp-trap": 162, "bgp": 179, "ldap": 389, "https": 443, "microsoft-ds": 445, "isakmp": 500, "syslog": 514,
	"dhcpv6-client": 546, "dhcpv6-server": 547, "submission": 587, "ldaps": 636, "rsync": 873, "ftps-data": 989, "ftps": 990, "imaps": 993,
	"pop3s": 995, "openvpn": 1194, "nfs": 2049, "mysql": 3306, "ipsec-nat-t": 4500, "mdns": 5353, "postgresql": 5432,
}

// states of connection tracking (nft describe ct_state).
var states = map[string]facts.ConnState{
	"new": facts.ConnNew, "established": facts.ConnEstablished, "related": facts.ConnRelated, "invalid": facts.ConnInvalid, "untracked": facts.ConnUntracked,
}

const everyState = facts.ConnNew | facts.ConnEstablished | facts.ConnRelated | facts.ConnInvalid | facts.ConnUntracked

// icmpTypes and icmp6Types are names of types (nft describe icmp_type, icmpv6_type; RFC 792, RFC 4443).
var (
	icmpTypes = map[string]uint8{
		"echo-reply": 0, "destination-unreachable": 3, "source-quench": 4, "redirect": 5, "echo-request": 8, "router-advertisement": 9,
		"router-solicitation": 10, "time-exceeded": 11, "parameter-problem": 12, "timestamp-request": 13, "timestamp-reply": 14,
		"info-request": 15, "info-reply": 16, "address-mask-request": 17, "address-mask-reply": 18,
	}
	icmp6Types = map[string]uint8{
		"destination-unreachable": 1, "packet-too-big": 2, "time-exceeded": 3, "parameter-problem": 4, "echo-request": 128, "echo-reply": 129,
		"mld-listener-query": 130, "mld-listener-report": 131, "mld-listener-done": 132, "mld-listener-reduction": 132, "nd-router-solicit": 133,
		"nd-router-advert": 134, "nd-neighbor-solicit": 135, "nd-neighbor-advert": 136, "nd-redirect": 137, "router-renumbering": 138,
		"ind-neighbor-solicit": 141, "ind-neighbor-advert": 142, "mld2-listener-report": 143,
	}
)
