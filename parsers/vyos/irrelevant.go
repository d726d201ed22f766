package vyos

import (
	"sync"

	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	routes   = "decides routes, not packets"
	tunnels  = "builds tunnels; what goes through is decided by rule sets"
	tuning   = "tunes the system"
	shaping  = "queues packets that pass"
	names    = "names and addresses of clients"
	keys     = "certificates and keys"
	link     = "an interface's own settings"
	watching = "watches; permits nothing"
)

// irrelevant is the table of statements that cannot bear on transfers.
var irrelevant = sync.OnceValue(func() *wordtree.Table {
	return wordtree.NewTable([]wordtree.Entry{
		{Path: "protocols", Why: routes},
		{Path: "policy", Why: routes},
		{Path: "vrf", Why: routes},
		{Path: "vpn", Why: tunnels},
		{Path: "pki", Why: keys},
		{Path: "qos", Why: shaping},
		{Path: "traffic-policy", Why: shaping},
		{Path: "traffic-control", Why: shaping},
		{Path: "high-availability", Why: "keeps two routers alike"},
		{Path: "cluster", Why: "keeps two routers alike"},
		{Path: "load-balancing", Why: "chooses among links or servers"},
		{Path: "load-balance", Why: "chooses among links"},
		{Path: "port-forward", Why: "read as translations where it is rules of NAT"},
		{Path: "vpp", Why: "hardware"},
		{Path: "container registry", Why: "where images come from"},
		{Path: "container network", Why: routes},
		{Path: "container name * *", Why: "a container's own settings"},
		{Path: "interfaces * *", Why: link},
		{Path: "firewall global-options", Why: "the kernel's settings about odd packets"},
		{Path: "firewall all-ping", Why: "the kernel's settings about odd packets"},
		{Path: "firewall broadcast-ping", Why: "the kernel's settings about odd packets"},
		{Path: "firewall config-trap", Why: watching},
		{Path: "firewall ip-src-route", Why: "the kernel's settings about odd packets"},
		{Path: "firewall ipv6-receive-redirects", Why: "the kernel's settings about odd packets"},
		{Path: "firewall ipv6-src-route", Why: "the kernel's settings about odd packets"},
		{Path: "firewall log-martians", Why: watching},
		{Path: "firewall options", Why: "the size of segments"},
		{Path: "firewall receive-redirects", Why: "the kernel's settings about odd packets"},
		{Path: "firewall send-redirects", Why: "the kernel's settings about odd packets"},
		{Path: "firewall source-validation", Why: "the kernel's settings about odd packets"},
		{Path: "firewall syn-cookies", Why: "the kernel's settings about odd packets"},
		{Path: "firewall twa-hazards-protection", Why: "the kernel's settings about odd packets"},
		{Path: "firewall modify", Why: routes},
		{Path: "firewall ipv6-modify", Why: routes},
		{Path: "service broadcast-relay", Why: "passes broadcasts on"},
		{Path: "service conntrack-sync", Why: "keeps two routers alike"},
		{Path: "service console-server", Why: "serial ports"},
		{Path: "service dhcp-relay", Why: names},
		{Path: "service dhcp-server", Why: names},
		{Path: "service dhcpv6-relay", Why: names},
		{Path: "service dhcpv6-server", Why: names},
		{Path: "service dns", Why: names},
		{Path: "service event-handler", Why: "read as hooks"},
		{Path: "service ipoe-server", Why: tunnels},
		{Path: "service lldp", Why: watching},
		{Path: "service mdns", Why: names},
		{Path: "service monitoring", Why: watching},
		{Path: "service ndp-proxy", Why: names},
		{Path: "service ntp", Why: "time"},
		{Path: "service pppoe-server", Why: tunnels},
		{Path: "service router-advert", Why: names},
		{Path: "service salt-minion", Why: "a controller's agent"},
		{Path: "service sla", Why: watching},
		{Path: "service stunnel", Why: tunnels},
		{Path: "service suricata", Why: watching},
		{Path: "service ubnt-discover", Why: watching},
		{Path: "service ubnt-discover-server", Why: watching},
		{Path: "service unms", Why: "a controller's agent"},
		{Path: "service upnp", Why: "opens ports that clients ask for"},
		{Path: "service upnp2", Why: "opens ports that clients ask for"},
		{Path: "service webproxy", Why: "the web proxy"},
		{Path: "service nat", Why: "read as translations"},
		{Path: "nat", Why: "read as translations"},
		{Path: "system acceleration", Why: tuning},
		{Path: "system analytics-handler", Why: watching},
		{Path: "system config-management", Why: "how many revisions are kept"},
		{Path: "system conntrack", Why: tuning},
		{Path: "system console", Why: tuning},
		{Path: "system crash-handler", Why: watching},
		{Path: "system domain-search", Why: names},
		{Path: "system flow-accounting", Why: "read as flow export"},
		{Path: "system frr", Why: routes},
		{Path: "system ip", Why: tuning},
		{Path: "system ipv6", Why: tuning},
		{Path: "system lcd", Why: tuning},
		{Path: "system logs", Why: watching},
		{Path: "system login banner", Why: "text shown to people"},
		{Path: "system name-server", Why: names},
		{Path: "system name-servers-dhcp", Why: names},
		{Path: "system ntp", Why: "time"},
		{Path: "system offload", Why: tuning},
		{Path: "system option", Why: tuning},
		{Path: "system options", Why: tuning},
		{Path: "system package", Why: "where packages come from"},
		{Path: "system proxy", Why: "the proxy the device itself uses"},
		{Path: "system sflow", Why: "read as flow export"},
		{Path: "system static-host-mapping", Why: names},
		{Path: "system sysctl", Why: tuning},
		{Path: "system task-scheduler", Why: "read as hooks"},
		{Path: "system time-zone", Why: "time"},
		{Path: "system traffic-analysis", Why: watching},
		{Path: "system update-check", Why: "where news of releases comes from"},
		{Path: "system watchdog", Why: tuning},
		{Path: "system wireless", Why: tuning},
		{Path: "zone-policy", Why: "read as zones"},
	})
})
