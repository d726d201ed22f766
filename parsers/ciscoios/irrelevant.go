package ciscoios

import "github.com/quaymaster/quaymaster/internal/field"

// The tables of statements that cannot bear on file transfers or on who sees them, each with its reason. Words are those
// of the IOS 12.4, 15.x and IOS-XE 16 and 17 command references. A statement of a block is accounted for with its block.
// One that names a transfer protocol all the same is unsupported unless lookAlike knows why it does.

// topIrrelevant is why a top-level statement that begins with w is irrelevant; empty when it is not known to be.
func topIrrelevant(w []byte) string {
	switch string(w) {
	case "router", "route-map", "route-tag", "as-path", "key-chain", "bfd", "bfd-template", "mpls", "lisp", "segment-routing", "rsvp",
		"fhrp", "track", "isis", "l2", "l2vpn", "pseudowire-class", "pseudowire", "xconnect", "bridge-domain", "evpn", "nsr",
		"multicast", "vrf", "address-family", "exit-address-family", "exit-vrf", "clns", "global-address-family", "affinity-map",
		"performance-measurement", "bgp", "ospfv3", "topology", "prefix-list", "flowspec", "igmp", "mvr", "template", "snmpc",
		"standby", "vrrp", "glbp", "hsrp":
		return "routing, redundancy and labels: paths, not permissions"
	case "spanning-tree", "vtp", "lldp", "cdp", "udld", "errdisable", "port-channel", "lacp", "mac-address-table", "mls", "cef", "sdm",
		"storm-control", "cluster", "switchport", "power", "stack-power", "energywise", "fabric", "ethernet", "mvrp", "bridge", "vfi", "avb", "ptp",
		"l2protocol-tunnel", "rep", "macsec", "mka", "nmsp", "epm", "arp", "dot1q", "vmps", "device-tracking", "device-sensor",
		"device-classifier", "port-security", "authentication", "dot1x", "mab", "cisp", "access-session", "autonomic", "auto",
		"transceiver", "mdix", "led", "profinet", "cip", "swap", "switch", "stackwise-virtual", "vlan-internal", "hw-switch",
		"link", "alarm", "alarm-contact", "facility-alarm", "temperature", "pae", "cts", "nd":
		return "layer 2, ports and hardware"
	case "mode", "redundancy", "issu", "card", "module", "hw-module", "controller", "platform", "diagnostic", "memory", "memory-size",
		"buffers", "scheduler", "process", "cpu", "monitor", "microcode", "upgrade", "warm-reboot", "reload", "config-register", "nvram",
		"partition", "hardware", "license", "system", "environment", "resource", "rf", "fm", "sampler", "ipc", "slot", "subslot", "shutdown",
		"virtual-service", "rommon", "secure", "srst", "config", "configuration", "format", "file", "sysmon", "harddisk", "usb", "tdm",
		"network-clock", "network-clock-participate", "network-clock-select", "clock-source", "coredump", "core", "debug", "test", "udi", "exception-slave", "xdr", "power-mgr",
		"downward-compatible-config", "default-value", "mmi", "global", "trunk":
		return "hardware, memory and redundancy of the device itself"
	case "qos", "random-detect", "queue-list", "priority-list", "queue-monitor", "spd", "table-map", "wrr-queue", "srr-queue", "mapping",
		"map-class", "policy", "service-list", "sgbp", "metadata", "nbar", "performance", "performer":
		return "quality of service: how fast, not whether"
	case "aaa", "tacacs", "radius", "ldap", "kerberos", "login", "password", "security", "parser", "identity", "eap", "access-group",
		"service-template", "user-name", "username", "role", "enable", "authorization", "radius-proxy", "domain":
		return "who may log in and type what"
	case "crypto", "isakmp", "key", "keyring", "pki", "sasl", "gdoi", "ssl", "webvpn", "vpdn", "vpdn-group", "l2tp", "l2tp-class",
		"pptp", "ppp", "multilink", "virtual-template", "virtual-profile", "dialer", "dialer-list", "isdn", "modem", "modemcap", "chat-script",
		"async-bootp", "bba-group", "pppoe", "interface-range", "vty-async", "x25", "x29", "x28", "frame-relay", "atm", "map-list",
		"vc-class", "cellular", "gsm", "lte", "subscriber", "policy-list", "zbfw", "ipsec", "group-policy", "sa", "utd", "umbrella",
		"parameter-map", "tunnel", "sslvpn", "pvc", "dss", "tcp":
		return "tunnels, dial-up and access sessions"
	case "voice", "voice-card", "voice-port", "voice-class", "dial-peer", "dialplan", "gateway", "gatekeeper", "mgcp", "sip-ua", "sip",
		"h323-gateway", "telephony-service", "ephone", "ephone-dn", "ephone-template", "ephone-dn-template", "ephone-hunt", "call-manager-fallback",
		"call", "call-router", "call-policy", "call-history-mib", "num-exp", "translation-rule", "translate", "sccp", "dspfarm", "dsp",
		"mta", "fax", "mmoip", "settlement", "ivr", "media", "media-proxy", "application", "uc", "stcapp", "cas-custom", "trunk-group", "vxml",
		"mrcp", "rtsp", "ss7", "codec", "presence", "busyout", "phone-proxy", "mwi", "blacklist", "night-service", "voicecard":
		return "telephony"
	case "wlan", "ap", "ap-group", "wireless", "dot11", "rf-profile", "radio", "flex", "fra", "mobility", "aironet", "wlccp", "bridge-group",
		"ssid", "airgroup", "wps", "wism", "client", "iw", "ap-tag-source-priority", "ble", "rfid", "rrm", "trapflags", "remote-lan",
		"guest-lan", "hotspot", "mesh", "iot":
		return "wireless"
	case "cable", "depi-class", "depi-tunnel", "docsis", "packetcable", "cable-modem", "interface-group", "rphy", "ccap":
		return "cable modems: their own file servers are elsewhere"
	case "ipx", "appletalk", "decnet", "dlsw", "netbios", "source-bridge", "sna", "lane", "rif", "xot", "apollo", "vines", "xns", "stun", "bstun",
		"mop", "lat", "lnm", "locaddr-priority-list", "dspu", "tn3270", "cls", "bsc", "alps", "clid", "smrp":
		return "other protocols than IP"
	case "banner", "prompt", "terminal", "default", "help", "history", "no", "exit", "quit", "clock", "calendar", "setup", "busy-message",
		"privilege-exec", "shell", "regexp", "regex", "refuse-message", "vacant-message", "name", "location", "line-config", "do", "abort",
		"configure", "conf", "copy", "write", "wr", "disable", "logout":
		return "how the command line looks, names and times"
	case "call-home", "smart", "netconf", "netconf-yang", "restconf", "gnxi", "grpc", "telemetry", "yang", "onep", "wsma", "cwmp", "beep",
		"transport", "transport-map", "snmp", "rmon", "object", "netflow", "netflow-top", "cfm", "et-analytics", "ngoam", "iox-app", "gnmi",
		"ztp", "sd-routing", "sdwan", "odl", "mdns-sd", "service-routing", "service-family", "management", "mib":
		return "management, telemetry and counting"
	case "waas", "wccp", "wae", "service-insertion", "service-context", "service-node-group", "appnav-controller-group", "cef-load", "ipe",
		"class", "otv", "vnet", "connect", "vpn", "l4f", "sbc", "vservice", "service-group", "service-chain", "ip-nbar", "nat64", "nat66",
		"stateful-nat", "evc", "l3vpn", "mediatrace", "avc", "application-visibility", "domain-sd":
		return "what is done to traffic that passes: it permits none by itself"
	case "coap", "boot-start-marker", "boot-end-marker", "warning", "Warning", "Total", "tag", "hostname-ip", "password-recovery":
		return "marks and leftovers"
	}
	return ""
}

// ipIrrelevant is why a statement "ip W ..." is irrelevant.
func ipIrrelevant(w []byte) string {
	switch string(w) {
	case "cef", "routing", "classless", "subnet-zero", "prefix-list", "as-path", "community-list", "extcommunity-list", "large-community-list",
		"bgp-community", "multicast-routing", "multicast", "pim", "igmp", "mroute", "msdp", "mfib", "mrm", "dvmrp", "pgm", "rsvp", "local", "policy",
		"policy-list", "default-network", "explicit-path", "gdp", "irdp", "mobile", "ospf", "rip", "rtcp", "sdr", "sap", "spd", "fast-convergence",
		"host-routing", "bfd", "load-sharing", "lisp", "nhrp", "vrf", "topology-accounting", "unnumbered", "static-route", "tag", "eigrp", "isis",
		"interface", "route-cache", "cgmp", "ssm", "mld", "next-hop":
		return "routing: paths, not permissions"
	case "arp", "gratuitous-arps", "source-route", "source", "icmp", "options", "tcp", "udp", "finger", "bootp", "identd", "redirects", "unreachables",
		"proxy-arp", "hp-host", "ipx", "drp", "cache-invalidate-delay", "dhcp-server", "dhcp-client", "address-pool", "ddns", "sticky-arp", "telnet",
		"device", "device-tracking", "verify", "ntp", "small-servers", "tacacs", "radius", "kerberos", "rlogin", "mtu", "fragment", "virtual-reassembly",
		"resource", "alias", "accounting", "accounting-list", "accounting-threshold", "accounting-transits", "snmp", "security", "broadcast-address",
		"directed-broadcast", "network-broadcast", "subscriber", "telepresence", "pppoe", "local-proxy-arp":
		return "settings of the device's own IP stack"
	case "admission", "auth-proxy", "ips", "ids", "urlfilter", "trigger-authentication", "reflexive-list", "audit", "access-group", "trustsec",
		"trm", "wlan":
		return "inspection and logins: they refuse traffic or look into it"
	case "nbar", "flow-aggregation", "flow-cache", "flow-capture", "flow-top-talkers", "flow-egress", "flow", "traffic-export", "rtp", "wccp", "slb",
		"casa", "dfp", "director", "sdm", "cef-table", "sla-monitor", "probe", "tap", "lawful-intercept":
		return "counting and balancing of traffic"
	case "dns", "domain", "domain-name", "domain-lookup", "domain-list", "host", "name-server", "host-list", "mdns":
		return "names"
	}
	return ""
}

// ip6Irrelevant is why a statement "ipv6 W ..." is irrelevant; those of IPv4 count too.
func ip6Irrelevant(w []byte) string {
	switch string(w) {
	case "unicast-routing", "cef", "router", "neighbor", "nd", "icmp", "hop-limit", "multicast-routing", "mld", "prefix-list", "source-route", "host",
		"general-prefix", "local", "mobile", "nat", "snooping", "destination-guard", "source-guard", "first-hop", "mfib", "pim", "ospf", "eigrp",
		"rip", "static", "address-validate", "flowset", "radius", "dns", "spd":
		return "routing and settings of the device's own IPv6 stack"
	}
	return ""
}

// lookAlike is why a statement names a transfer protocol without a transfer, a server or a filter in it; empty when it is
// not known to.
func lookAlike(text []byte) string {
	text = trimNo(text)
	first, rest := field.Word(text)
	second, _ := field.Word(rest)
	switch string(first) {
	case "description", "remark", "banner", "name", "hostname", "snmp-location", "comment", "title", "subject-name", "label", "display-name",
		"contact-email-addr", "street-address", "location":
		return "free text"
	case "class-map", "class", "policy-map", "service-policy", "route-map", "vrf", "vlan", "track", "interface", "router", "username",
		"neighbor", "template", "parameter-map", "wlan", "voice", "dial-peer", "ap", "address-family", "network", "redistribute", "set",
		"trunk", "object-group", "crypto", "rsakeypair", "profile", "group", "pool", "user", "view", "aaa", "sampler", "record", "object":
		return "a name of the owner's choosing, or an operand that is no protocol"
	case "match", "priority-list", "queue-list", "dialer-list", "service-list", "ratelimit", "rate-limit", "police", "application", "app":
		return "which traffic is queued, counted or dialled for"
	case "netbios-name-server", "netbios-node-type", "netbios", "netbios-ss", "wins":
		return "names of Windows hosts"
	case "cable":
		return "modems must fetch their file by TFTP: the cable provider's own server" // cable tftp-enforce
	case "inspect", "fixup", "audit-trail", "alert", "port-map", "service":
		return "opens the data channels of sessions that pass: serves nothing"
	case "snmp-server":
		switch string(second) {
		case "enable", "location", "contact", "chassis-id", "host", "user", "trap", "system-shutdown":
			return "which events are told"
		}
	case "snmp", "logging", "debug", "errdisable", "monitor":
		return "which events are told"
	case "ip", "ipv6":
		switch string(second) {
		case "nat", "nbar", "inspect", "port-map", "ips", "urlfilter":
			return "opens the data channels of sessions that pass: serves nothing"
		case "domain", "domain-name", "host", "name-server", "prefix-list", "as-path", "community-list", "extcommunity-list", "policy-list",
			"domain-list", "vrf", "local", "dns":
			return "names"
		case "forward-protocol", "helper-address":
			return "broadcasts relayed to a server"
		case "wccp", "slb", "flow", "rsvp", "sla":
			return "which traffic is redirected or counted"
		}
	}
	return ""
}

func trimNo(text []byte) []byte {
	if field.Has(text, "no ") {
		return field.TrimLeft(text[3:])
	}
	return text
}
