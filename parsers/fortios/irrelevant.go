package fortios

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// blocks that cannot bear on transfers, by how their path begins, with the reason. A statement inside that names a transfer
// protocol or holds a URL is told all the same.
var blocks = []struct{ path, why string }{
	{"system replacemsg", "texts shown to people"}, {"system accprofile", "what an administrator's profile may see"}, {"system dns", "name resolution"},
	{"system ha", "clustering"}, {"system console", "the console's looks"}, {"system fortiguard", "update service"}, {"system autoupdate", "update service"},
	{"system central-management", "the manager's address"}, {"system custom-language", "languages"}, {"system physical-switch", "switching"},
	{"system virtual-switch", "switching"}, {"system switch-interface", "switching"}, {"system storage", "disks"}, {"system np6", "hardware offload"},
	{"system npu", "hardware offload"}, {"system email-server", "alert mail"}, {"system session-ttl", "timers"}, {"system settings", "operation mode"},
	{"system ips", "intrusion prevention"}, {"system ike", "VPN limits"}, {"system vdom-exception", "clustering"}, {"system federated-upgrade", "upgrades"},
	{"system lldp", "discovery"}, {"system object-tagging", "labels"}, {"system csf", "fabric"}, {"system sso", "sign-on"}, {"system saml", "sign-on"},
	{"system probe-response", "probes"}, {"system link-monitor", "link health"}, {"system sdwan", "path choice"}, {"system virtual-wan-link", "path choice"},
	{"system proxy-arp", "ARP"}, {"system arp-table", "ARP"}, {"system ddns", "dynamic names"}, {"system geoip", "labels"}, {"system resource-limits", "limits"},
	{"system password-policy", "password rules"}, {"system fm", "the manager"}, {"system interface", "an interface's own settings"}, {"system zone", "labels"},
	{"system global", "settings of the device as a whole"}, {"system ntp", "time"}, {"system snmp", "monitoring"}, {"system admin", "an administrator's settings"},
	{"system dhcp server", "address assignment"}, {"system dhcp6", "address assignment"}, {"system netflow", "flow export"}, {"system sflow", "flow export"},
	{"system bypass", "hardware"}, {"system gre-tunnel", "tunnels"}, {"system automation", "automation triggers"}, {"system fips", "modes"},
	{"system api-user", "an API user's settings"}, {"system wccp", "web cache"}, {"system mobile-tunnel", "tunnels"}, {"system pppoe", "access lines"},
	{"system vxlan", "tunnels"}, {"system tos-based", "priorities"}, {"system ftm-push", "tokens"}, {"system nd-proxy", "neighbours"}, {"system session-helper", "helpers"},
	{"system session-sync", "clustering"}, {"system cluster-sync", "clustering"}, {"system auto-install", "USB installation"}, {"system external-resource", "lists fetched by the manager"},
	{"firewall address", "labels of addresses"}, {"firewall addrgrp", "labels of groups"}, {"firewall service", "labels of services"}, {"firewall schedule", "labels of times"},
	{"firewall policy", "what a policy looks at inside"}, {"firewall ssl-ssh-profile", "inspection of TLS"}, {"firewall ssl", "inspection of TLS"},
	{"firewall profile-protocol-options", "inspection of content"}, {"firewall shaper", "priorities"}, {"firewall shaping", "priorities"}, {"firewall multicast", "multicast"},
	{"firewall internet-service", "lists of services"}, {"firewall wildcard-fqdn", "names"}, {"firewall identity-based-route", "routing"}, {"firewall vip", "a virtual IP's settings"},
	{"firewall ippool", "source translation"}, {"firewall central-snat", "source translation"}, {"firewall DoS", "rate limits"}, {"firewall ttl", "TTL"},
	{"firewall auth-portal", "portals"}, {"firewall ldb", "load balancing"}, {"firewall carrier", "messages"}, {"firewall proxy", "the web proxy"}, {"firewall access-proxy", "the web proxy"},
	{"firewall iprope", "lists of services"}, {"firewall region", "labels"}, {"firewall country", "labels"}, {"firewall city", "labels"}, {"firewall vendor-mac", "labels"},
	{"firewall sniffer", "a copy of traffic"}, {"firewall decrypted", "a copy of traffic"}, {"firewall dnstranslation", "names"}, {"firewall ipmacbinding", "addresses"},
	{"firewall interface-policy", "inspection of content"}, {"firewall traffic-class", "priorities"}, {"firewall gtp", "mobile networks"}, {"firewall on-demand-sniffer", "a copy of traffic"},
	{"antivirus", "inspection of content"}, {"application", "inspection of content"}, {"casb", "inspection of content"}, {"dlp", "inspection of content"},
	{"dnsfilter", "inspection of content"}, {"emailfilter", "inspection of content"}, {"spamfilter", "inspection of content"}, {"file-filter", "inspection of content"},
	{"icap", "inspection of content"}, {"ips", "intrusion prevention"}, {"videofilter", "inspection of content"}, {"virtual-patch", "inspection of content"},
	{"voip", "inspection of content"}, {"waf", "inspection of content"}, {"webfilter", "inspection of content"}, {"web-proxy", "the web proxy"}, {"wanopt", "acceleration"},
	{"endpoint-control", "endpoints"}, {"extender-controller", "access lines"}, {"extension-controller", "access lines"}, {"switch-controller", "switching"},
	{"wireless-controller", "radio"}, {"router", "routing"}, {"report", "reports"}, {"user", "users and their servers"}, {"vpn", "VPN"}, {"log", "what is logged and where"},
	{"gui", "the user interface"}, {"netscan", "scans"}, {"nsx", "sensors"}, {"automation", "automation"}, {"certificate", "certificates"}, {"credential-store", "credentials"},
	{"dpdk", "hardware"}, {"monitoring", "monitoring"}, {"rule", "inspection of content"}, {"sctp-filter", "inspection of content"}, {"ssh-filter", "inspection of content"},
	{"telemetry-controller", "telemetry"}, {"videofilter", "inspection of content"}, {"ztna", "access proxy"}, {"alertemail", "alert mail"}, {"client-reputation", "scores"},
	{"diameter-filter", "inspection of content"}, {"ethernet-oam", "links"}, {"ftp-proxy", "the FTP proxy's settings"}, {"nat64", "translation"},
	{"firewall deep-inspection-options", "inspection of TLS"}, {"system lte-modem", "access lines"}, {"system certificate", "certificates"},
	{"firewall ssh", "inspection of SSH"}, {"system modem", "access lines"}, {"system ptp", "time"}, {"system alias", "names"}, {"system evpn", "tunnels"},
}

// texts are keys whose value is free text: what it says is no statement.
var texts = []string{"buffer", "comment", "comments", "description", "image-base64", "alias", "certificate", "csr", "ca", "crl", "private-key", "name", "label", "body", "message", "banner", "hostname"}

// irrelevant accounts for a statement nobody read: irrelevant by its block, unless it names a transfer.
func (p *parser) irrelevant(n *node, path []string) (facts.LineState, string) {
	full := strings.Join(path, " ")
	if n.kind == isConfig {
		if len(path) > 0 {
			full += " "
		}
		full += n.key
	}
	for i := range blocks {
		b := &blocks[i]
		if !strings.HasPrefix(full, b.path) && !inside(path, b.path) && !(n.kind == isConfig && strings.HasPrefix(n.key, b.path)) {
			continue
		}
		if n.kind == isSet || n.kind == isOther {
			text := p.src[n.at : n.at+n.length]
			for _, t := range texts {
				if n.key == t {
					return facts.Irrelevant, "text"
				}
			}
			if strings.HasSuffix(transferwords.Find(text), "://") {
				return facts.Unsupported, "it names a transfer and is not modelled"
			}
		}
		return facts.Irrelevant, b.why
	}
	return facts.Unrecognised, ""
}

// inside reports whether one of the enclosing blocks begins with a path.
func inside(path []string, prefix string) bool {
	for _, b := range path {
		if strings.HasPrefix(b, prefix) {
			return true
		}
	}
	return false
}
