package sros

import (
	"sync"

	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	hardware = "hardware"
	routes   = "decides routes and paths, not packets"
	services = "a service's own settings"
	tuning   = "tunes the system"
	link     = "an interface's own settings"
	watching = "watches; permits nothing"
	logins   = "who may do what on the box"
)

// irrelevant is the table of statements that cannot bear on transfers, below configure.
var irrelevant = sync.OnceValue(func() *wordtree.Table {
	var out []wordtree.Entry
	for _, g := range [...]struct {
		why   string
		words []string
	}{
		{hardware, []string{
			"card", "chassis", "sfm", "lag", "port", "port-policy", "port-xc", "xiom", "esa", "satellite", "fwd-path-ext", "multicast-management", "aps", "bundle-ipsec", "connection-profile",
			"vrtr-if-id", "vrtr-id", "mpls-path-index", "mpls-lsp-index", "chassis-mac", "pw-port",
		}},
		{routes, []string{
			"router *", "policy-options", "bfd", "eth-cfm", "eth-ring", "isis", "mcast-management", "qos", "redundancy", "routing-options", "saa", "oam-pm", "test-oam", "groups", "apply-groups",
			"vrrp", "ipsec", "isa", "macsec", "anysec", "openflow", "pim", "mirror", "no",
		}},
		{services, []string{"service *", "subscriber-mgmt", "aaa", "application-assurance", "call-trace", "li", "sfm-offload", "dhcp", "python"}},
		{link, []string{"filter mac-filter", "filter dhcp-filter", "filter log", "filter redirect-policy", "filter system-filter", "filter md-auto-id", "filter match-list"}},
		{watching, []string{"log", "cflowd", "system telemetry", "system lldp", "system thresholds", "system alarms", "system alarm-contact-in-power", "system oam-watch", "system management-interface", "debug"}},
		{logins, []string{
			"system login-control", "system security aaa", "system security profile", "system security password", "system security user-params", "system security user-template", "system security users",
			"system security management", "system security management-access", "system security source-address", "system security vprn-network-exceptions", "system security authentication-order",
			"system security management-interface", "system security tls", "system security pki", "system security keychain", "system security hash-control", "system security admin-password",
		}},
		{"limits of traffic to the CPM, not decisions about it", []string{
			"system security cpu-protection", "system security dist-cpu-protection", "system security per-peer-queuing", "system security cpm-queue", "system security cpm-filter", "system security no",
			"system security ttl-security", "system security protocol-protection", "system security copm", "system security dot1x", "system security encryption",
		}},
		{tuning, []string{
			"system alias", "system atm", "system bluetooth", "system boot", "system chassis-mode", "system clli-code", "system config-backup", "system congestion-management", "system contact", "system coordinates",
			"system cron", "system dns", "system efm-oam", "system enable-icmp-vse", "system ethernet", "system file-trans", "system fp", "system grpc", "system grpc-tunnel", "system icmp-vse", "system ip", "system issu",
			"system l2tp", "system l4-load-balancing", "system lacp", "system lacp-system-priority", "system load-balancing", "system location", "system lsr-load-balancing", "system mc-ecmp-rib-hash", "system name", "system netconf",
			"system network-element-discovery", "system no", "system persistence", "system pnp", "system power-management", "system ptp", "system ranges", "system resource-profile", "system rollback", "system satellite", "system script-control",
			"system selective-fib", "system service-ingress-multicast", "system software-repository", "system sync-if-timing", "system switch-fabric", "system system-ip-load-balancing", "system time", "system transmission-profile",
			"system usb", "system central-frequency-clock", "system vsd", "system xmpp", "system yang-modules", "system license", "system bof", "system bundle-management", "system extended-resource",
		}},
	} {
		for _, w := range g.words {
			out = append(out, wordtree.Entry{Path: w, Why: g.why})
		}
	}
	return wordtree.NewTable(out)
})

// outside is the table of what stands beside configure: the BOF.
var outside = sync.OnceValue(func() *wordtree.Table {
	var out []wordtree.Entry
	for _, w := range [...]string{
		"bof", "autonegotiate", "duplex", "speed", "address", "persist", "wait", "console-speed", "primary-dns", "secondary-dns", "tertiary-dns", "dns-domain", "uplinkA-address", "eth-mgmt-autoneg", "eth-mgmt-address",
		"eth-mgmt-route", "static-route", "license-file", "system-profile", "li-local-save", "li-separate", "fips-140-2", "primary-image", "secondary-image", "tertiary-image", "primary-config", "secondary-config", "tertiary-config",
		"encrypt", "encryption-key", "persistent-indices", "vrtr-if-id", "vrtr-id", "mpls-path-index", "mpls-lsp-index", "chassis-mac", "no", "description",
	} {
		out = append(out, wordtree.Entry{Path: w, Why: "how the system boots; its URLs are read"})
	}
	return wordtree.NewTable(out)
})
