package ciscoasa

// topIrrelevant says why a top-level statement cannot bear on file transfers or on who sees them; empty when it can, or
// when the statement is not known. Its block is accounted for with it. Statement names are those of the ASA command
// references 7.0 to 9.22, of the PIX 6.3 reference, and what Firepower Threat Defense prints beside them.
func topIrrelevant(w []byte) string {
	switch string(w) {
	case "terminal", "pager", "prompt", "console", "command-alias", "privilege", "names", "banner", "domain-name", "clock",
		"checkheaps", "config-register", "setup", "session", "configure", "write", "capture", "test", "hpm", "username-prompt":
		return "how the command line looks and who may type what"
	case "mtu", "arp", "arp-inspection", "mac-address-table", "mac-list", "mac-address", "mac-learn", "monitor-interface",
		"jumbo-frame", "priority-queue", "port-channel", "lacp", "lldp", "cdp", "power-supply", "hw-module", "module",
		"service-module", "nve", "vxlan", "vlan", "switchport", "spanning-tree", "flow-offload", "asr-group", "zone", "power":
		return "layer 2 and hardware"
	case "router", "route-map", "prefix-list", "as-path", "community-list", "policy-list", "multicast-routing", "pim", "igmp",
		"mroute", "sla", "track", "bfd", "bfd-template", "vrf", "rip":
		return "routing protocols: paths, not permissions"
	case "timeout", "xlate", "xlate-bypass", "fragment", "nat-control", "tcp-map", "threat-detection", "shun", "dynamic-filter",
		"scansafe", "snort", "sfr", "cxsc", "csc", "ips", "ngips", "app-agent", "regex", "class-map", "http-map", "snmp-map",
		"mgcp-map", "sip-map", "h225-map", "gtp-map", "sunrpc-server", "tls-proxy", "ctl-file", "ctl-provider", "phone-proxy",
		"media-termination", "uc-ime", "url-server", "url-block", "url-cache", "floodguard", "virtual", "wccp", "umbrella-global",
		"dp-tcp-proxy", "asp", "object-group-search", "quota":
		return "inspection, limits and detection: they refuse traffic or look into it, and permit none"
	case "icmp":
		return "ICMP to the device itself"
	case "asdm", "csd", "hostscan", "anyconnect", "anyconnect-custom-data", "svc", "rest-api", "ssl", "fips", "license",
		"license-server", "call-home", "service", "smart-tunnel", "saml", "compression", "tunnel-group-map",
		"tunnel-group-preference", "vpn-sessiondb", "vpn-addr-assign", "vpn", "vpn-mode", "vpnclient", "vpdn", "vpnsetup", "l2tp",
		"nac-policy", "eou", "isakmp", "ipsec", "ca", "client-update", "remote-access", "mus", "mobike", "imap4s", "pop3s", "smtps",
		"smtp-server", "zonelabs-integrity", "group-delimiter", "nat-assigned-to-public-ip", "software", "http-proxy":
		return "remote access sessions, certificates and management software"
	case "dns", "dns-guard", "dns-group", "dns-group-map", "ddns", "dhcprelay", "dhcp-client", "ip-client":
		return "names and leases"
	case "auth-prompt", "password-policy", "user-identity", "user-alert", "ldap", "cts", "security-group":
		return "who a user is"
	case "firewall", "mode", "failover", "cluster", "resource", "class", "admin-context", "management-access", "memory", "coredump",
		"crashinfo", "traffic-forward", "snmp", "cpu", "process", "migrate":
		return "operating mode, redundancy and resources of the device itself"
	case "ftp":
		return "how the device's own FTP client opens data connections"
	}
	return ""
}

// ifaceIrrelevant reports whether a statement of an interface cannot bear on which packets it passes.
func ifaceIrrelevant(w []byte) bool {
	switch string(w) {
	case "description", "speed", "duplex", "flowcontrol", "mac-address", "delay", "bandwidth", "hello-interval", "hold-time",
		"split-horizon", "summary-address", "igmp", "pim", "lacp", "port-channel", "standby", "dhcp", "dhcprelay", "dhcpd", "pppoe",
		"switchport", "zone-member", "policy-route", "nve-only", "segment-id", "vtep-nve", "mcast-group", "default-mcast-group",
		"cts", "propagate", "policy", "vrf", "backup", "forward", "allow-ssc-mgmt", "poll-time", "lldp", "fec", "negotiate-auto",
		"power", "ddns", "mtu", "asr-group", "bfd", "redundant", "tunnel", "media-type", "hardware", "join-failover-group",
		"path-monitoring", "ospfv3", "proxy-bridge":
		return true
	}
	return false
}
