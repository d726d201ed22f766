package ciscoasa

// topIrrelevant says why a top-level statement cannot bear on file transfers or on who sees them; empty when it can, or
// when the statement is not known. Its block is accounted for with it. Statement names are those of the ASA command
// references 7.0 to 9.22.
func topIrrelevant(w []byte) string {
	switch string(w) {
	case "terminal", "pager", "prompt", "console", "command-alias", "privilege", "names", "banner", "domain-name", "clock", "checkheaps",
		"config-register", "setup", "session", "hostname-prefix", "location":
		return "how the command line looks and who may type what"
	case "mtu", "arp", "arp-inspection", "mac-address-table", "mac-list", "mac-address", "mac-learn", "monitor-interface", "jumbo-frame",
		"priority-queue", "port-channel", "lacp", "lldp", "cdp", "power", "power-supply", "hw-module", "module", "service-module", "nve",
		"vxlan", "vlan", "switchport", "spanning-tree", "l2", "flow-mobility", "flow-offload", "asr-group", "zone", "netmod", "fabric":
		return "layer 2 and hardware"
	case "router", "route-map", "prefix-list", "as-path", "community-list", "policy-list", "multicast-routing", "pim", "igmp", "mroute",
		"msdp", "sla", "track", "bfd", "bfd-template", "vrf", "rip", "bgp", "ospf", "eigrp", "isis", "policy-route":
		return "routing protocols: paths, not permissions"
	case "timeout", "xlate", "fragment", "nat-control", "norandomseq", "tcp-map", "threat-detection", "shun", "dynamic-filter", "scansafe",
		"snort", "sfr", "cxsc", "ips", "ngips", "app-agent", "app-id", "regex", "class-map", "http-map", "snmp-map", "mgcp-map", "sip-map",
		"h225-map", "gtp-map", "im", "sctp", "sunrpc-server", "conn", "tls-proxy", "ctl-file", "ctl-provider", "phone-proxy",
		"media-termination", "uc-ime", "url-server", "url-block", "url-cache", "fixup", "floodguard", "virtual", "wccp",
		"umbrella-global", "dp-tcp-proxy", "asp", "object-group-search", "tunnel-limit", "dynamic-object", "tcp", "pdp", "quota", "rtp":
		return "inspection, limits and detection: they refuse traffic or look into it, and permit none"
	case "icmp":
		return "ICMP to the device itself"
	case "asdm", "csd", "anyconnect", "svc", "hostscan", "rest-api", "ssl", "fips", "license", "license-server", "call-home", "service",
		"smart-tunnel", "saml", "customization", "import", "compression", "tunnel-group-map", "vpn-sessiondb", "vpn-addr-assign", "vpn",
		"vpnclient", "vpdn", "vpnsetup", "nac", "nac-policy", "eou", "isakmp", "ipsec", "ca", "mobile-device", "webvpn-default",
		"imap4s", "pop3s", "smtps", "smtp-server", "uauth", "http-proxy", "no-portal", "zero-trust":
		return "remote access sessions, certificates and management software"
	case "dns", "dns-guard", "dns-group", "ddns", "dhcprelay", "dhcp-client", "dhcp", "dhcp-network-scope", "dns-hosts", "network-service":
		return "names and leases"
	case "auth-prompt", "password-policy", "user-identity", "user-alert", "ldap", "cts", "security-group", "access-policy", "mfa",
		"kerberos", "aaa-user":
		return "who a user is"
	case "firewall", "mode", "failover", "cluster", "cluster-group", "resource", "class", "admin-context", "management-access",
		"allocate-acl-partition", "limit-resource", "memory", "coredump", "crashinfo", "traffic-forward", "interface-policy", "pause",
		"blocks", "cpu", "dpp", "multi-instance", "data-interface", "nodes", "health-check", "enable-traffic":
		return "operating mode, redundancy and resources of the device itself"
	case "ftp": // ftp mode passive
		return "how the device's own FTP client opens data connections"
	case "configure", "terminal-width", "tracer", "test", "capture", "debug", "hpm", "upgrade", "disk", "file", "passwd-policy", "setting":
		return "commands of a session"
	}
	return ""
}

// ifaceIrrelevant reports whether a statement of an interface cannot bear on which packets it passes.
func ifaceIrrelevant(w []byte) bool {
	switch string(w) {
	case "description", "speed", "duplex", "flowcontrol", "mac-address", "delay", "bandwidth", "hello-interval", "hold-time",
		"split-horizon", "summary-address", "igmp", "pim", "lacp", "port-channel", "standby", "dhcp", "dhcprelay", "dhcpd", "pppoe",
		"switchport", "zone-member", "policy-route", "nve-only", "segment-id", "vtep-nve", "mcast-group", "default-mcast-group", "cts", "propagate",
		"policy", "vrf", "backup", "forward", "allow-ssc-mgmt", "poll-time", "lldp", "fec", "negotiate-auto", "power", "ddns", "mtu",
		"asr-group", "bfd", "redundant", "tunnel", "service-module", "media-type", "hardware", "rate-limit", "polltime",
		"nameif-source", "cluster", "peer", "source-interface", "carrier-delay", "keepalive", "join-failover-group", "arp",
		"path-monitoring", "ospfv3", "mroute", "load-interval", "private-vlan", "protected", "no-negotiation", "access", "mka":
		return true
	}
	return false
}
