package junos

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A zone is a security zone.
type zone struct {
	name    string
	inbound []string            // host-inbound system services
	own     map[string][]string // of an interface that states its own, which replace the zone's
}

// selfZone is facts' name of the device as a zone; Junos calls it junos-host.
const selfZone = "self"

// security reads what "security" says of zones, addresses, translation and logs. Policies come later, when addresses,
// applications and schedulers are known.
func (p *parser) security(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	zones, policies := p.kid(n, "zones"), p.kid(n, "policies")
	p.addressBooks(p.kid(n, "address-book"))
	p.zoneList(zones)
	firewall := zones != none || policies != none
	if firewall && !p.packetMode(n) {
		z := &p.d.Zoning
		z.Model = facts.Zones
		// Nothing passes between or inside zones without a policy; what the device sends passes, what is sent to it is
		// up to host-inbound-traffic ("Understanding Security Policies for Self Traffic", "Security Policies Overview").
		z.IntraZone, z.InterZone, z.Mixed = facts.Deny, facts.Deny, facts.Deny
		z.SelfIn, z.SelfOut = facts.Permit, facts.Permit
	}
	if firewall || p.kid(n, "alg") != none {
		if !p.dry {
			p.alg(p.kid(n, "alg"))
		} else {
			p.okAll(p.kid(n, "alg"))
		}
	}
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "zones", "policies", "address-book", "alg":
			p.ok(c)
		case "nat":
			p.nat(c)
		case "log":
			p.securityLog(c)
		case "forwarding-options":
			p.okAll(c)
		case "pki":
			p.okAll(c)
			p.eachBelow(c, func(k int32) {
				if u, ok := p.client(k, "pki", "security pki"); ok {
					u.Automatic = p.above(k, "crl") != none
					p.d.Clients = append(p.d.Clients, u)
				}
			})
		case "idp":
			p.urls(p.kid(c, "security-package"), "settings", "security idp security-package", true)
			p.other("security", c)
		case "ike", "ipsec", "authentication-key-chains", "key-chain", "ssh-known-hosts", "certificates":
			p.okAll(c) // their secrets are read with all others
		default:
			p.other("security", c)
		}
	}
}

// packetMode reports whether IPv4 is forwarded packet by packet, without zones ("Understanding Packet-Based Forwarding":
// family mpls mode packet-based takes inet with it).
func (p *parser) packetMode(security int32) bool {
	return p.under(security, "forwarding-options", "family", "mpls", "mode", "packet-based") != none
}

// zoneName makes the names of a logical system's zones its own.
func (p *parser) zoneName(s string) string {
	if p.scope != "" {
		return p.scope + "/" + s
	}
	return s
}

func (p *parser) zoneList(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "security-zone", "functional-zone":
			p.ok(c)
			for z := p.first(c); z != none; z = p.next(z) {
				p.readZone(z)
			}
		default:
			p.other("security zones", c)
		}
	}
}

func (p *parser) readZone(n int32) {
	p.ok(n)
	z := &zone{name: p.zoneName(p.text(n)), own: map[string][]string{}}
	p.zones[z.name] = z
	p.zoneOrder = append(p.zoneOrder, z)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "host-inbound-traffic":
			z.inbound, _ = p.hostInbound(c)
		case "interfaces":
			p.ok(c)
			for i := p.first(c); i != none; i = p.next(i) {
				p.okAll(i)
				name := p.text(i)
				if !slices.Contains([]byte(name), '.') && name != "all" {
					name += ".0"
				}
				p.zoneOf[name] = z
				if k := p.kid(i, "host-inbound-traffic"); k != none {
					if own, stated := p.hostInbound(k); stated {
						z.own[name] = own
					}
				}
			}
		case "address-book":
			p.ok(c)
			at := &book{zones: []string{z.name}, entries: map[string]bool{}}
			p.books[z.name] = at
			p.bookEntries(c, at)
		case "description", "tcp-rst", "screen", "application-tracking", "source-identity-log", "enable-reverse-reroute",
			"advance-policy-based-routing-profile", "unidirectional-session-refreshing", "advanced-connection-tracking":
			p.okAll(c)
		default:
			p.other("security zones *", c)
		}
	}
}

// hostInbound reads "host-inbound-traffic": the system services that may reach the device. "all" with exceptions is
// written out.
func (p *parser) hostInbound(n int32) (services []string, stated bool) {
	p.okAll(n)
	list := p.kid(n, "system-services")
	if list == none {
		return nil, p.kid(n, "protocols") != none
	}
	var except []string
	all := false
	for c := p.first(list); c != none; c = p.next(c) {
		name := p.text(c)
		switch {
		case p.kid(c, "except") != none:
			except = append(except, name)
		case name == "all" || name == "any-service":
			all = true
			services = append(services, name)
		default:
			services = append(services, name)
		}
	}
	if !all || len(except) == 0 {
		return services, true
	}
	services = services[:0]
	for _, s := range systemServices {
		if !slices.Contains(except, s) {
			services = append(services, s)
		}
	}
	return services, true
}

// systemServices are what "all" stands for ("system-services (Security Zones Host Inbound Traffic)", Junos CLI reference).
var systemServices = [...]string{
	"bootp", "dhcp", "dhcpv6", "dns", "finger", "ftp", "http", "https", "ident-reset", "ike", "netconf", "ntp", "ping",
	"rlogin", "rsh", "snmp", "snmp-trap", "ssh", "telnet", "tftp", "traceroute", "xnm-clear-text", "xnm-ssl",
}

// placeInZone gives interface i its zone.
func (p *parser) placeInZone(i *facts.Interface, z *zone) {
	i.Zone = z.name
	i.HostInbound = z.inbound
	if own, ok := z.own[i.Name]; ok {
		i.HostInbound = own
	}
}

// securityLog reads "security log": dataplane logs sent to collectors.
func (p *parser) securityLog(n int32) {
	p.okAll(n)
	streams := p.kid(n, "stream")
	for s := p.first(streams); s != none; s = p.next(s) {
		list := p.kid(s, "host")
		h := facts.LogHost{Scope: p.scope}
		for k := p.first(list); k != none; k = p.next(k) {
			switch string(p.bytes(k)) {
			case "port":
				if v := p.value(k); v != none {
					h.Port = port(p.text(v))
				}
			case "routing-instance":
				if v := p.value(k); v != none {
					h.Scope = p.text(v)
				}
			default:
				h.Host, h.Span = p.text(k), p.span(k)
				h.Addr, _ = addr(p.bytes(k))
				if v := p.value(p.kid(k, "port")); v != none {
					h.Port = port(p.text(v))
				}
			}
		}
		if h.Host == "" {
			continue
		}
		if v := p.value(p.kid(s, "severity")); v != none {
			h.Severity = p.text(v)
		}
		if v := p.value(p.under(n, "transport", "protocol")); v != none {
			h.Transport = p.text(v)
		}
		p.d.Logging.Hosts = append(p.d.Logging.Hosts, h)
		p.d.Logging.Remote = facts.Say(true, h.Span)
	}
}
