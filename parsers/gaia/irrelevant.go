package gaia

import (
	"sync"

	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	routes   = "decides routes, not packets"
	tuning   = "tunes the system"
	clish    = "the command line's own settings"
	watching = "watches; permits nothing"
	link     = "an interface's own settings"
)

// irrelevant is the table of statements that cannot bear on transfers.
var irrelevant = sync.OnceValue(func() *wordtree.Table {
	var out []wordtree.Entry
	for _, g := range [...]struct {
		why   string
		words []string
	}{
		{"where updates come from and how they are tested", []string{"installer", "edition"}},
		{routes, []string{
			"ospf", "ospf3", "bgp", "rip", "ripng", "isis", "pim", "igmp", "inbound-route-filter", "route-redistribution", "routemap", "aggregate", "as", "router-id", "router-options",
			"max-path-splits", "kernel-routes", "protocol-rank", "trace", "tracefile", "prefix-list", "prefix-tree", "static-mroute", "ip-reachability-detection", "pbr",
			"pbrroute", "rdisc6", "host", "bootp", "iphelper", "dhcp6relay", "mfc", "router-discovery", "ipv6", "ip-conflicts-monitor", "ping",
		}},
		{clish, []string{"clienv", "format", "inactivity-timeout", "message", "config-lock", "password-controls", "selfpasswd", "lcd", "virtual-system", "role"}},
		{tuning, []string{
			"arp", "neighbor-entry", "neighbor", "core-dump", "ipv6-state", "timezone", "date", "time", "management", "dns", "domainname", "proxy", "hw-monitoring", "volume", "kernel",
			"mcvr", "vsx", "cluster", "vrrp", "mcvrrp", "cloud", "lom", "hostname", "multi-queue", "multi-version-cluster", "fcd", "ssh", "dynamic-balancing",
			"net-access",
		}},
		{watching, []string{"lldp", "routedsyslog", "mail-notification", "mailserver", "ngm", "sic", "snmp", "cron mailto", "netflow fwrule", "asset"}},
		{link, []string{"bonding", "bridging", "interface *", "pppoe", "gre", "vxlan", "wlan", "magg"}},
		{"addresses of clients", []string{"dhcp"}},
		{"who may do what on the box", []string{"rba", "aaa", "user *"}},
	} {
		for _, w := range g.words {
			out = append(out, wordtree.Entry{Path: w, Why: g.why})
		}
	}
	return wordtree.NewTable(out)
})
