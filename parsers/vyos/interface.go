package vyos

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// interfaces reads every interface: a kind, a name, and VLANs below it.
func (p *parser) interfaces() {
	for kind := p.First(p.ifaces); kind != none; kind = p.Next(kind) {
		for c := p.First(kind); c != none; c = p.Next(c) {
			p.iface(c, p.Text(c), p.Text(kind), 0)
		}
	}
	p.Each(p.Kid(p.firewall, "interface"), "", func(n int32) { // VyOS 1.4 before it had base chains
		for i := range p.D.Interfaces {
			if x := &p.D.Interfaces[i]; x.Name == p.Text(n) {
				p.applied(n, x)
			}
		}
	})
}

func (p *parser) iface(n int32, name, kind string, depth int) {
	x := facts.Interface{Name: name, Alias: p.String(n, "description"), Scope: p.String(n, "vrf"), Zone: p.zones[name], Lists: p.lists[name], Span: p.Span(n)}
	if x.Alias == name {
		x.Alias = ""
	}
	p.OK(n)
	x.Shutdown = facts.Assume(false)
	if k := p.Kid(n, "disable"); k != none {
		x.Shutdown = facts.Say(true, p.Span(k))
		p.OKAll(k)
	}
	p.Each(p.Kid(n, "address"), "", func(v int32) {
		p.OK(v)
		if pfx, host, ok := wordtree.Prefix(p.Bytes(v)); ok {
			x.Addrs = append(x.Addrs, netip.PrefixFrom(host, pfx.Bits()))
		} else if strings.HasPrefix(p.Text(v), "dhcp") {
			x.DHCP = true
		}
	})
	p.OK(p.Kid(n, "address"))
	p.tunnel(n, kind, &x)
	p.applied(p.Kid(n, "firewall"), &x)
	p.D.Interfaces = append(p.D.Interfaces, x)
	if depth < 3 {
		for _, vlan := range [...]string{"vif", "vif-s", "vif-c"} {
			list := p.Kid(n, vlan)
			p.Each(list, "", func(c int32) { p.iface(c, name+"."+p.Text(c), kind, depth+1) })
		}
		p.Each(p.Kid(n, "pppoe"), "", func(c int32) { p.iface(c, "pppoe"+p.Text(c), "pppoe", depth+1) }) // EdgeOS
	}
}

// tunnel reads what makes an interface one.
func (p *parser) tunnel(n int32, kind string, x *facts.Interface) {
	switch kind {
	case "tunnel", "vti", "vxlan", "wireguard", "openvpn", "geneve", "l2tpv3":
	default:
		return
	}
	t := facts.Tunnel{Mode: kind, Span: p.Span(n)}
	if e := p.String(n, "encapsulation"); e != "" {
		t.Mode = e
	}
	for _, w := range [...]string{"source-address", "local-ip", "local-host"} {
		t.Source += p.String(n, w)
	}
	for _, w := range [...]string{"remote", "remote-ip", "remote-host"} {
		t.Destination += p.String(n, w)
	}
	if peers := p.Kid(n, "peer"); peers != none {
		p.Each(peers, "", func(c int32) { t.Destination = p.String(c, "address") })
	}
	_, t.Addr, _ = wordtree.Prefix([]byte(t.Destination))
	t.Protected = facts.Assume(kind == "wireguard" || kind == "openvpn" || kind == "vti")
	x.Tunnel = &t
}

// applied reads "firewall in|out|local name X" of an interface (VyOS 1.3, EdgeOS), and "firewall interface eth0 in name X".
func (p *parser) applied(n int32, x *facts.Interface) {
	for c := p.First(n); c != none; c = p.Next(c) {
		plane, dir := facts.TransitPlane, facts.In
		switch p.Text(c) {
		case "in":
		case "out":
			dir = facts.Out
		case "local":
			plane = facts.LocalPlane
		default:
			p.Unsupported(c, "a filter applied in a way that is not known")
			continue
		}
		for k := p.First(c); k != none; k = p.Next(k) {
			family := facts.IPv4
			switch p.Text(k) {
			case "name":
			case "ipv6-name":
				family = facts.IPv6
			case "modify", "ipv6-modify": // EdgeOS: marks and routes, decides nothing
				p.OKAll(k)
				continue
			default:
				p.Unsupported(k, "a filter applied in a way that is not known")
				continue
			}
			if name, v := p.ValueOf(k); v != none {
				x.Bindings = append(x.Bindings, facts.Binding{
					Filters: p.chain(name, family), Family: family, Where: x.Name, Direction: dir, Plane: plane, Span: p.Span(v),
				})
			}
		}
		p.OK(c)
	}
	p.OK(n)
}

// chain is a rule set with what comes before it. One that leaves packets undecided is asked by a filter of the parser's own:
// the hook accepts what comes back.
func (p *parser) chain(name string, family facts.Family) []string {
	var out []string
	if p.states {
		out = append(out, statePolicy)
	}
	if !p.leaves[leaf(name, family)] {
		return append(out, name)
	}
	ask := "hook that asks " + name
	for i := range p.D.Filters {
		if f := &p.D.Filters[i]; f.Name == ask && f.Family == family {
			return append(out, ask)
		}
	}
	p.D.Filters = append(p.D.Filters, facts.Filter{
		Name: ask, Kind: "hook", Family: family, Default: facts.Permit, Synthetic: true, Rules: []facts.Rule{{Action: facts.Jump, To: name}},
	})
	return append(out, ask)
}

func leaf(name string, family facts.Family) string { return string('0'+rune(family)) + name }

// routes reads static routes.
func (p *parser) routes() {
	static := p.Under(root, "protocols", "static")
	for _, w := range [...]string{"route", "route6"} {
		p.Each(p.Kid(static, w), "", func(r int32) { p.route(r, "") })
	}
	p.Each(p.Under(root, "vrf", "name"), "", func(v int32) {
		for _, w := range [...]string{"route", "route6"} {
			p.Each(p.Under(v, "protocols", "static", w), "", func(r int32) { p.route(r, p.Text(v)) })
		}
	})
	gw := p.Kid(p.system, "gateway-address") // VyOS 1.1, EdgeOS
	if s, v := p.ValueOf(gw); v != none {
		_, a, _ := wordtree.Prefix([]byte(s))
		p.D.Routes = append(p.D.Routes, facts.Route{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), NextHop: a, Span: p.Span(v)})
	}
}

func (p *parser) route(r int32, scope string) {
	pfx, _, ok := wordtree.Prefix(p.Bytes(r))
	if !ok {
		return
	}
	p.Each(p.Kid(r, "next-hop"), "", func(h int32) {
		p.OKAll(h)
		_, a, _ := wordtree.Prefix(p.Bytes(h))
		if !p.off(h) {
			p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, NextHop: a, Interface: p.String(h, "interface"), Scope: scope, Span: p.Span(h)})
		}
	})
	p.Each(p.Kid(r, "interface"), "", func(h int32) {
		p.OKAll(h)
		p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, Interface: p.Text(h), Scope: scope, Span: p.Span(h)})
	})
}
