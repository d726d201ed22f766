package bigip

import (
	"sync"

	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	balance  = "how connections are spread and looked at; what listens decides what passes"
	tuning   = "tunes the system"
	routes   = "decides routes and links, not packets"
	cluster  = "keeps units alike"
	certs    = "certificates, keys and files that were loaded"
	inspects = "inspects or logs what passes; permits nothing"
	names    = "resolves names"
)

// irrelevant is the table of statements that cannot bear on transfers.
var irrelevant = sync.OnceValue(func() *wordtree.Table {
	var out []wordtree.Entry
	for _, g := range [...]struct {
		why   string
		words []string
	}{
		{balance, []string{
			"ltm pool", "ltm node", "ltm virtual-address", "ltm profile", "ltm persistence", "ltm monitor", "ltm data-group", "ltm policy", "ltm policy-strategy", "ltm snatpool", "ltm snat-translation",
			"ltm default-node-monitor", "ltm global-settings", "ltm eviction-policy", "ltm ifile", "ltm traffic-class", "ltm lsn-pool", "ltm cipher", "ltm classification", "ltm html-rule",
			"ltm message-routing", "ltm tacdb", "ltm urlcat-query", "ltm rule", "ltm auth", "ltm clientssl", "ltm alg-log-profile", "ltm nat", "ltm dns", "gtm", "ilx", "pem", "wam", "wom",
		}},
		{routes, []string{
			"net vlan", "net vlan-group", "net interface", "net trunk", "net stp", "net stp-globals", "net route-domain", "net fdb", "net arp", "net ndp", "net tunnels", "net port-list", "net address-list",
			"net port-mirror", "net dns-resolver", "net ipsec", "net ike-daemon", "net ike-evt-ipsec", "net cos", "net lldp-globals", "net multicast-globals", "net packet-filter-trusted", "net rate-shaping",
			"net router-advertisement", "net routing", "net self-allow", "net timer-policy", "net service-policy", "net wccp", "net bwc", "net packet-tester", "net dag-globals", "net rst-cause", "net mroute",
		}},
		{cluster, []string{"cm", "sys ha-group", "sys cluster", "sys failover", "sys state-mirroring"}},
		{certs, []string{"sys crypto", "sys file", "sys application", "sys folder", "sys datastor", "sys dynad"}},
		{inspects, []string{"asm", "apm", "avr", "analytics", "security", "sys log-config", "sys log-rotate", "sys sflow", "sys alert", "api-protection", "vcmp", "saas", "sslo"}},
		{names, []string{"sys dns"}},
		{tuning, []string{
			"sys db", "sys provision", "sys disk", "sys feature-module", "sys management-dhcp", "sys management-ovsdb", "sys management-route", "sys outbound-smtp", "sys scriptd", "sys software", "sys turboflex", "sys console",
			"sys daemon-ha", "sys daemon-log-settings", "sys fpga", "sys url-db", "sys compatibility-level", "sys aom", "sys pfman", "sys diags", "sys ecm", "sys smtp-server", "sys ipfix", "sys license", "sys icontrol-soap",
			"sys hypervisor-info", "sys core", "sys traffic", "sys raid", "sys geoip", "sys ucs", "sys global-settings", "cli global-settings", "cli preference", "cli admin-partitions", "cli transaction", "cli version",
			"auth partition", "auth password-policy", "auth password", "auth remote-role", "auth remote-user", "auth source", "auth apm-auth", "auth cert-ldap", "auth login-failures", "auth radius", "auth user",
		}},
	} {
		for _, w := range g.words {
			out = append(out, wordtree.Entry{Path: w, Why: g.why})
		}
	}
	return wordtree.NewTable(out)
})
