package bigip

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// address reads an address that may name a route domain: 10.0.0.1%2/24. The domain is the scope; 0 is none.
func address(s string) (host netip.Addr, bits int, scope string, ok bool) {
	s = base0(s)
	text, length, _ := strings.Cut(s, "/")
	text, domain, _ := strings.Cut(text, "%")
	a, ok := field.Addr([]byte(text))
	if !ok {
		return netip.Addr{}, 0, "", false
	}
	bits = a.BitLen()
	if n, is := field.Uint([]byte(length)); is && n <= uint64(bits) {
		bits = int(n)
	}
	if domain != "" && domain != "0" {
		scope = "route-domain " + domain
	}
	return a, bits, scope, true
}

// base0 takes a folder from the front of an address, which may hold a slash of its own.
func base0(s string) string {
	if strings.HasPrefix(s, "/") {
		parts := strings.SplitN(s[1:], "/", 2)
		return parts[len(parts)-1]
	}
	return s
}

// network reads self addresses, the management address and routes.
func (p *parser) network() {
	p.Each(p.Under(root, "net", "self"), "", p.self)
	p.Each(p.Under(root, "sys", "management-ip"), "", func(n int32) {
		p.OK(n)
		a, bits, _, ok := address(p.Text(n))
		if !ok {
			return
		}
		x := facts.Interface{Name: "mgmt", Addrs: []netip.Prefix{netip.PrefixFrom(a, bits)}, Scope: "management", Span: p.Span(n)}
		if rules := p.Under(root, "security", "firewall", "management-ip-rules"); rules != none {
			p.policy(rules, "management-ip-rules")
			x.Bindings = append(x.Bindings, facts.Binding{Filters: []string{"management-ip-rules"}, Where: "mgmt", Plane: facts.LocalPlane, Span: p.Span(rules)})
		}
		p.D.Interfaces = append(p.D.Interfaces, x)
		p.Rest(n)
	})
	p.Each(p.Under(root, "net", "route"), "", func(n int32) { p.route(n, "") })
	p.Each(p.Under(root, "sys", "management-route"), "", func(n int32) { p.route(n, "management") })
}

func (p *parser) route(n int32, scope string) {
	p.OK(n)
	defer p.Rest(n)
	gw := p.String(n, "gw") + p.String(n, "gateway")
	a, _, domain, _ := address(gw)
	if domain != "" {
		scope = domain
	}
	to := p.String(n, "network")
	pfx := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	switch host, bits, _, ok := address(to); {
	case ok:
		pfx = netip.PrefixFrom(host, bits).Masked()
	case to == "default-inet6" || a.Is6():
		pfx = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
	}
	p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, NextHop: a, Scope: scope, Span: p.Span(n)})
}

// lockdown is what "allow-service default" takes (K17333: overview of port lockdown behaviour).
var lockdown = []facts.ServiceItem{
	{Protocols: []uint8{facts.TCP}, Dst: ports(4353, 443, 161, 22, 53)},
	{Protocols: []uint8{facts.UDP}, Dst: ports(4353, 520, 161, 53, 1026)},
	{Protocols: []uint8{89}}, {Protocols: []uint8{2}}, {Protocols: []uint8{103}}, // ospf, igmp, pim
}

func ports(list ...uint16) facts.Ports {
	out := facts.Ports{Present: true}
	for _, n := range list {
		out.Ranges = append(out.Ranges, facts.PortRange{First: n, Last: n})
	}
	return out
}

// self reads a self address and the filter in front of it: its port lockdown, and a policy of the firewall module before it.
func (p *parser) self(n int32) {
	p.OK(n)
	defer p.Rest(n)
	name := base(p.Text(n))
	x := facts.Interface{Name: name, Zone: base(p.String(n, "vlan")), Span: p.Span(n)}
	if a, bits, scope, ok := address(p.String(n, "address")); ok {
		x.Addrs, x.Scope = []netip.Prefix{netip.PrefixFrom(a, bits)}, scope
	}
	allow := p.Kid(n, "allow-service")
	f := facts.Filter{Name: name + " port lockdown", Scope: x.Scope, Kind: "net self allow-service", Default: facts.Deny, Synthetic: true, Span: p.Span(n)} // none unless stated
	p.words(allow, func(c int32) {
		f.Span = p.Span(allow)
		f.Rules = append(f.Rules, p.lock(p.Text(c), c))
	})
	p.OKAll(allow)
	p.D.Filters = append(p.D.Filters, f)
	if pol := p.String(n, "fw-enforced-policy"); pol != "" {
		x.Bindings = append(x.Bindings, facts.Binding{Filters: []string{base(pol)}, Where: name, Plane: facts.LocalPlane, Span: p.Span(n)})
	}
	x.Bindings = append(x.Bindings, facts.Binding{Filters: []string{f.Name}, Where: name, Plane: facts.LocalPlane, Span: f.Span})
	p.D.Interfaces = append(p.D.Interfaces, x)
}

// lock reads one service of a port lockdown: "all", "default", "tcp:21", "udp:any".
func (p *parser) lock(s string, n int32) facts.Rule {
	r := facts.Rule{Name: s, Action: facts.Permit, Span: p.Span(n)}
	proto, port, _ := strings.Cut(s, ":")
	number, known := protocols[proto]
	switch {
	case s == "all":
	case s == "none":
		r.Action = facts.Deny
	case s == "default":
		r.Match.Services, r.Match.HasServices = lockdown, true
	case known:
		r.Match.Protocols = []uint8{number}
		if q, ok := portOf(port); ok {
			r.Match.DstPorts = facts.Ports{Present: true, Ranges: []facts.PortRange{q}}
		} else if port != "" && port != "any" && port != "0" {
			r.Match.Unread = append(r.Match.Unread, "port "+port)
		}
	default:
		r.Match.Unread = append(r.Match.Unread, s)
	}
	return r
}

// protocols by name (IANA registry).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "tcp": 6, "egp": 8, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "ospf": 89, "ipencap": 4, "pim": 103, "vrrp": 112, "sctp": 132, "udplite": 136,
}

// services are the names tmsh writes for ports.
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "tftp": 69, "http": 80, "kerberos": 88, "pop3": 110, "ntp": 123, "netbios-ns": 137, "netbios-dgm": 138,
	"netbios-ssn": 139, "imap": 143, "snmp": 161, "snmptrap": 162, "ldap": 389, "https": 443, "microsoft-ds": 445, "smtps": 465, "isakmp": 500, "syslog": 514, "ldaps": 636, "ftps-data": 989,
	"ftps": 990, "imaps": 993, "pop3s": 995, "radius": 1812, "ms-sql-s": 1433, "mysql": 3306, "sip": 5060, "webcache": 8080, "f5-iquery": 4353, "efs": 520, "cap": 1026, "rsync": 873, "nfs": 2049,
}

func portOf(s string) (facts.PortRange, bool) {
	if r, ok := wordtree.Range(s); ok && r.First > 0 {
		return r, true
	}
	n, ok := services[s]
	return facts.PortRange{First: n, Last: n}, ok
}
