package opnsense

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// network reads interfaces, their groups and static routes.
func (p *parser) network() {
	p.OK(p.interfaces)
	members := p.ifGroups()
	for c := p.First(p.interfaces); c != none; c = p.Next(c) {
		p.iface(c, members)
	}
	p.routes()
}

// ifGroups reads the interface groups: the names of those that an interface is in.
func (p *parser) ifGroups() map[string][]string {
	members := map[string][]string{}
	groups := p.Kid(p.root, "ifgroups")
	p.OK(groups)
	p.Each(groups, "ifgroupentry", func(g int32) {
		p.OK(g)
		name := p.String(g, "ifname")
		if name == "" {
			return
		}
		p.groups[name] = true
		for _, m := range fields(p.String(g, "members")) {
			members[m] = append(members[m], name)
		}
		p.Rest(g)
	})
	return members
}

func fields(s string) []string {
	return strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' || c == '\n' || c == '\t' || c == '\r' })
}

// iface reads one interface: below the name rules call it by.
func (p *parser) iface(c int32, members map[string][]string) {
	p.OK(c)
	name := p.Text(c)
	x := facts.Interface{Name: name, Alias: p.String(c, "descr"), Span: p.Span(c)}
	if dev := p.String(c, "if"); dev != "" {
		x.Lists = append(x.Lists, dev)
	}
	x.Lists = append(x.Lists, members[name]...)
	on, stated := p.isOn(c, "enable")
	switch {
	case !stated:
		x.Shutdown = facts.Say(true, p.Span(c)) // an interface without enable is off
	default:
		x.Shutdown = facts.V[bool]{Val: !on.Val, Origin: on.Origin, Span: on.Span}
	}
	var n network
	for _, f := range [...]struct{ addr, length string }{{"ipaddr", "subnet"}, {"ipaddrv6", "subnetv6"}} {
		text, bits := p.String(c, f.addr), p.String(c, f.length)
		switch a, ok := parseAddr(text); {
		case text == "":
		case ok:
			p.address(&x, &n, a, bits)
		default:
			x.DHCP = x.DHCP || strings.HasPrefix(text, "dhcp")
			n.unknown = "the address of " + name + " is given by " + text
		}
	}
	p.nets[name] = n
	p.order = append(p.order, name)
	p.D.Interfaces = append(p.D.Interfaces, x)
}

func (p *parser) address(x *facts.Interface, n *network, a netip.Addr, bits string) {
	length := a.BitLen()
	if v := int(wordtree.Port(bits)); bits != "" && v <= length {
		length = v
	}
	x.Addrs = append(x.Addrs, netip.PrefixFrom(a, length))
	n.addrs, n.nets = append(n.addrs, a), append(n.nets, netip.PrefixFrom(a, length).Masked())
}

func parseAddr(s string) (netip.Addr, bool) {
	_, a, ok := wordtree.Prefix([]byte(s))
	return a, ok && !strings.Contains(s, "/")
}

// ensure makes an interface that rules name and the configuration does not list: of OpenVPN, IPsec, WireGuard.
func (p *parser) ensure(name string, n int32) {
	for i := range p.D.Interfaces {
		if p.D.Interfaces[i].Name == name {
			return
		}
	}
	p.nets[name] = network{unknown: "the addresses of " + name + " are not stated"}
	p.order = append(p.order, name)
	p.D.Interfaces = append(p.D.Interfaces, facts.Interface{Name: name, Span: p.Span(n)})
}

// routes reads static routes; the gateway names its address and interface.
func (p *parser) routes() {
	type gateway struct {
		addr  netip.Addr
		iface string
	}
	known := map[string]gateway{}
	list := p.Kid(p.root, "gateways")
	p.OK(list)
	fallback := p.String(list, "defaultgw4")
	for _, at := range [...]int32{list, p.Under(p.own, "Gateways")} {
		p.OK(at)
		p.Each(at, "gateway_item", func(g int32) {
			p.OK(g)
			name := p.String(g, "name")
			a, _ := parseAddr(p.String(g, "gateway"))
			known[name] = gateway{a, p.String(g, "interface")}
			if p.on(g, "defaultgw") || name != "" && name == fallback {
				all := netip.PrefixFrom(netip.IPv4Unspecified(), 0)
				if a.Is6() {
					all = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
				}
				p.D.Routes = append(p.D.Routes, facts.Route{Prefix: all, NextHop: a, Interface: known[name].iface, Span: p.Span(g)})
			}
			p.Rest(g)
		})
	}
	routes := p.Kid(p.root, "staticroutes")
	p.OK(routes)
	p.Each(routes, "route", func(r int32) {
		p.OK(r)
		pfx, _, ok := wordtree.Prefix([]byte(p.String(r, "network")))
		g := known[p.String(r, "gateway")]
		if ok && !p.on(r, "disabled") {
			p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, NextHop: g.addr, Interface: g.iface, Span: p.Span(r)})
		}
	})
}
