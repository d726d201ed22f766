package opnsense

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// readAliases reads the named lists of addresses and ports: pfSense's and OPNsense's older ones below aliases, OPNsense's of
// today below OPNsense, Firewall, Alias.
func (p *parser) readAliases() {
	for _, at := range [...]int32{p.Kid(p.root, "aliases"), p.Under(p.own, "Firewall", "Alias", "aliases")} {
		p.OK(at)
		p.Each(at, "alias", p.alias)
	}
}

func (p *parser) alias(n int32) {
	p.OK(n)
	name := p.String(n, "name")
	if name == "" {
		return
	}
	g := facts.Group{Name: name, Span: p.Span(n)}
	kind := p.String(n, "type")
	text := p.String(n, "address")
	if content := p.String(n, "content"); content != "" {
		text = content
	}
	switch {
	case strings.HasPrefix(kind, "port"):
		g.Kind = facts.PortGroup
		p.ports(&g, text)
	case kind == "host", kind == "network", kind == "networkgroup", kind == "":
		p.members(&g, text)
	case kind == "url_ports", kind == "urltable_ports":
		g.Kind = facts.PortGroup
		g.Unread = "the ports are fetched from a URL"
		p.fetched(n, name)
	case strings.HasPrefix(kind, "url"):
		g.Unread = "the addresses are fetched from a URL"
		p.fetched(n, name)
	default: // geoip, mac, asn, dynipv6host, internal, external, authgroup: known to the running system only
		g.Unread = "an alias of type " + kind
	}
	if on, ok := p.isOn(n, "enabled"); ok && !on.Val {
		g.Unread = "the alias is switched off"
	}
	p.Rest(n)
	p.aliases[name] = len(p.D.Groups)
	p.D.Groups = append(p.D.Groups, g)
}

// fetched states where a list comes from.
func (p *parser) fetched(n int32, name string) {
	p.Each(n, "", func(k int32) {
		switch string(p.T.Text(k)) {
		case "url", "aliasurl", "address", "content":
		default:
			return
		}
		for v := p.First(k); v != none; v = p.Next(v) {
			x := facts.Client{Use: "settings", Name: "alias " + name, Enabled: facts.Say(true, p.Span(v)), Automatic: true}
			if c, ok := p.Client(x, v); ok && wordtree.Moves(c.Protocol) {
				p.D.Clients = append(p.D.Clients, c)
				p.OKAll(k)
			}
		}
	})
}

// members reads the addresses of a list: addresses, networks, ranges, names of DNS and of other aliases; "!" excludes.
func (p *parser) members(g *facts.Group, text string) {
	for _, w := range fields(text) {
		plain, except := strings.CutPrefix(w, "!")
		item, ok := wordtree.Item([]byte(plain))
		switch {
		case ok:
			item.Except = except
			g.Addrs = append(g.Addrs, item)
		case except:
			g.Addrs = append(g.Addrs, facts.AddrItem{Group: plain, Except: true})
		case strings.ContainsAny(plain, ".:"):
			g.Addrs = append(g.Addrs, facts.AddrItem{Unread: "the name " + plain})
		default:
			g.Members = append(g.Members, plain)
		}
	}
}

func (p *parser) ports(g *facts.Group, text string) {
	for _, w := range fields(text) {
		if r, ok := wordtree.Range(w); ok {
			g.Ports = append(g.Ports, r)
		} else {
			g.Members = append(g.Members, w)
		}
	}
}

// set reads source or destination of a rule into addresses and ports.
func (p *parser) set(n int32, m *facts.Match) (a facts.Addrs, ports facts.Ports) {
	p.OK(n)
	for c := p.First(n); c != none; c = p.Next(c) {
		text, v := p.ValueOf(c)
		p.OK(c)
		switch string(p.T.Text(c)) {
		case "any":
		case "not":
			a.Not = p.on(n, "not")
		case "network", "address":
			if v == none {
				continue
			}
			for _, w := range fields(text) {
				a.Items = append(a.Items, p.item(w)...)
				a.Present = true
			}
		case "port":
			ports = p.portsOf(text)
		default:
			p.Unsupported(c, "a condition of a rule that is not modelled")
			m.Unread = append(m.Unread, p.Text(c))
		}
	}
	if len(a.Items) == 1 && a.Items[0].Any && a.Items[0].Family == facts.AnyFamily && !a.Not {
		a = facts.Addrs{}
	}
	return a, ports
}

// item reads what a rule says of an address: "any", "(self)", an interface's network or address, an alias, a literal.
func (p *parser) item(w string) []facts.AddrItem {
	if w == "any" {
		return []facts.AddrItem{{Any: true}}
	}
	if w == "(self)" {
		var out []facts.AddrItem
		for _, name := range p.order {
			out = append(out, p.addrsOf(name)...)
		}
		return out
	}
	if x, ok := wordtree.Item([]byte(w)); ok {
		return []facts.AddrItem{x}
	}
	if _, ok := p.aliases[w]; ok {
		return []facts.AddrItem{{Group: w}}
	}
	if _, ok := p.nets[w]; ok {
		return p.netsOf(w)
	}
	if name, ok := strings.CutSuffix(w, "ip"); ok {
		if _, known := p.nets[name]; known {
			return p.addrsOf(name)
		}
	}
	if name, ok := strings.CutSuffix(strings.TrimPrefix(w, "__"), "_network"); ok { // OPNsense's own aliases
		if _, known := p.nets[name]; known {
			return p.netsOf(name)
		}
	}
	return []facts.AddrItem{{Unread: "the address " + w}}
}

func (p *parser) netsOf(name string) []facts.AddrItem {
	n := p.nets[name]
	var out []facts.AddrItem
	for _, x := range n.nets {
		out = append(out, facts.AddrItem{Prefix: x})
	}
	if n.unknown != "" || len(out) == 0 {
		out = append(out, facts.AddrItem{Unread: "the network of " + name})
	}
	return out
}

func (p *parser) addrsOf(name string) []facts.AddrItem {
	n := p.nets[name]
	var out []facts.AddrItem
	for _, a := range n.addrs {
		out = append(out, facts.AddrItem{Prefix: netip.PrefixFrom(a, a.BitLen())})
	}
	if n.unknown != "" || len(out) == 0 {
		out = append(out, facts.AddrItem{Unread: "the address of " + name})
	}
	return out
}

// portsOf reads a port, a range or an alias of ports.
func (p *parser) portsOf(text string) facts.Ports {
	if text == "" || text == "any" {
		return facts.Ports{}
	}
	out := facts.Ports{Present: true}
	for _, w := range fields(text) {
		if r, ok := wordtree.Range(w); ok {
			out.Ranges = append(out.Ranges, r)
			continue
		}
		if n, ok := services[strings.ToLower(w)]; ok {
			if _, alias := p.aliases[w]; !alias {
				out.Ranges = append(out.Ranges, facts.PortRange{First: n, Last: n})
				continue
			}
		}
		out.Groups = append(out.Groups, w)
	}
	return out
}

// services are the names that OPNsense's rules may give for ports (its list in PortField; numbers of the IANA registry).
var services = map[string]uint16{
	"cvsup": 5999, "domain": 53, "ftp": 21, "hbci": 3000, "http": 80, "https": 443, "aol": 5190, "auth": 113, "imap": 143, "imaps": 993,
	"ipsec-msft": 4500, "isakmp": 500, "l2f": 1701, "ldap": 389, "ms-streaming": 1755, "afs3-fileserver": 7000, "microsoft-ds": 445,
	"ms-wbt-server": 3389, "wins": 1512, "msnp": 1863, "nntp": 119, "ntp": 123, "netbios-dgm": 138, "netbios-ns": 137, "netbios-ssn": 139,
	"openvpn": 1194, "pop3": 110, "pop3s": 995, "pptp": 1723, "radius": 1812, "radius-acct": 1813, "avt-profile-1": 5004, "sip": 5060,
	"smtp": 25, "igmpv3lite": 465, "urd": 465, "snmp": 161, "snmptrap": 162, "ssh": 22, "nat-stun-port": 3478, "submission": 587,
	"teredo": 3544, "telnet": 23, "tftp": 69, "rfb": 5900,
}
