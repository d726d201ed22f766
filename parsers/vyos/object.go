package vyos

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// objects reads the groups of the firewall.
func (p *parser) objects() {
	p.OK(p.firewall)
	all := p.Kid(p.firewall, "group")
	for kind := p.First(all); kind != none; kind = p.Next(kind) {
		for g := p.First(kind); g != none; g = p.Next(g) {
			p.group(g, p.Text(kind))
		}
	}
	p.lists = map[string][]string{}
	p.Each(p.Kid(all, "interface-group"), "", func(g int32) {
		p.Each(p.Kid(g, "interface"), "", func(v int32) { p.lists[p.Text(v)] = append(p.lists[p.Text(v)], p.Text(g)) })
	})
}

func (p *parser) group(n int32, kind string) {
	p.OK(n)
	g := facts.Group{Name: p.Text(n), Span: p.Span(n)}
	for other := range p.groups { // names are of their kind only
		if strings.HasSuffix(other, "\x00"+g.Name) {
			g.Name = kind + " " + g.Name
			break
		}
	}
	p.groups[kind+"\x00"+p.Text(n)] = g.Name
	switch kind {
	case "address-group", "ipv6-address-group", "network-group", "ipv6-network-group":
		for c := p.First(n); c != none; c = p.Next(c) {
			switch p.Text(c) {
			case "address", "network", "range", "ipv6-address", "ipv6-network":
				p.OKAll(c)
				p.Each(c, "", func(v int32) {
					item, ok := wordtree.Item(p.Bytes(v))
					if !ok {
						item = facts.AddrItem{Unread: "the address " + p.Text(v)}
					}
					item.Span = p.Span(v)
					g.Addrs = append(g.Addrs, item)
				})
			case "include":
				p.included(c, kind, &g)
			default:
				p.member(c, &g)
			}
		}
	case "port-group":
		g.Kind = facts.PortGroup
		p.Each(n, "port", func(c int32) {
			p.OKAll(c)
			p.Each(c, "", func(v int32) {
				r, ok := portRange(p.Text(v))
				if !ok {
					g.Unread = "the port " + p.Text(v)
					return
				}
				g.Ports = append(g.Ports, r)
			})
		})
		p.Each(n, "include", func(c int32) { p.included(c, kind, &g) })
	case "interface-group":
		p.OKAll(n)
		return
	default: // domain-group, mac-group, dynamic-group, remote-group: known to the running system only
		p.OKAll(n)
		g.Unread = "the members of a " + kind
	}
	p.D.Groups = append(p.D.Groups, g)
}

// member accounts for a statement of a group that says nothing of its members.
func (p *parser) member(c int32, g *facts.Group) {
	if p.Is(c, "description") {
		return
	}
	p.Unsupported(c, "a statement of a group that is not modelled")
	g.Unread = p.Text(c)
}

func (p *parser) included(c int32, kind string, g *facts.Group) {
	p.OKAll(c)
	p.Each(c, "", func(v int32) {
		name := p.Text(v)
		if known, ok := p.groups[kind+"\x00"+name]; ok {
			name = known
		}
		g.Members = append(g.Members, name)
	})
}

// portRange reads a number, a range or a name of a service.
func portRange(s string) (facts.PortRange, bool) {
	if r, ok := wordtree.Range(s); ok {
		return r, true
	}
	n, ok := services[strings.ToLower(s)]
	return facts.PortRange{First: n, Last: n}, ok
}

// services are names that rules give for ports (/etc/services of Debian, whose names VyOS takes).
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "time": 37, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "finger": 79,
	"http": 80, "www": 80, "kerberos": 88, "pop3": 110, "sunrpc": 111, "auth": 113, "nntp": 119, "ntp": 123, "epmap": 135, "netbios-ns": 137,
	"netbios-dgm": 138, "netbios-ssn": 139, "imap2": 143, "imap": 143, "snmp": 161, "snmp-trap": 162, "snmptrap": 162, "bgp": 179, "irc": 194,
	"ldap": 389, "https": 443, "microsoft-ds": 445, "submissions": 465, "isakmp": 500, "exec": 512, "login": 513, "shell": 514, "syslog": 514,
	"printer": 515, "submission": 587, "ldaps": 636, "ftps-data": 989, "ftps": 990, "imaps": 993, "pop3s": 995, "openvpn": 1194, "ms-sql-s": 1433,
	"l2f": 1701, "l2tp": 1701, "radius": 1812, "radius-acct": 1813, "nfs": 2049, "mysql": 3306, "ms-wbt-server": 3389, "ipsec-nat-t": 4500,
	"sip": 5060, "sip-tls": 5061, "postgresql": 5432, "http-alt": 8080, "rsync": 873,
}
