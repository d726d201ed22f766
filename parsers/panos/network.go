package panos

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// An ifaceKey is an interface of a box.
type ifaceKey struct {
	box  *box
	name string
}

// A gateway is an IKE gateway: the peer of a tunnel.
type gateway struct {
	peer   string
	addr   netip.Addr
	source string
}

// network reads "network": profiles first, then interfaces that use them, then tunnels that make interfaces.
func (p *parser) network() {
	for _, n := range p.box.network {
		p.ok(n)
		if k := p.kid(n, "profiles"); k != none {
			p.managementProfiles(k)
		}
	}
	gateways := map[string]gateway{}
	for _, n := range p.box.network {
		for k := p.first(n); k != none; k = p.next(k) {
			switch string(p.t.Text(k)) {
			case "interface":
				p.interfaces(k)
			case "ike":
				p.gateways(k, gateways)
			case "dhcp":
				p.dhcp(k)
			case "profiles", "virtual-router", "logical-router", "tunnel":
			case "shared-gateway":
				p.ok(k)
			default:
				p.other("network", k)
			}
		}
	}
	for _, n := range p.box.network {
		p.tunnels(p.kid(n, "tunnel"), gateways)
	}
}

// iface is the place of an interface in the device, made when it is new.
func (p *parser) iface(name string, span evidence.Span) int {
	key := ifaceKey{p.box, name}
	if i, ok := p.ifaces[key]; ok {
		return i
	}
	i := len(p.d.Interfaces)
	p.ifaces[key] = i
	p.d.Interfaces = append(p.d.Interfaces, facts.Interface{Name: name, Scope: p.box.scope, Span: span})
	return i
}

func (p *parser) interfaces(n int32) {
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		switch string(p.t.Text(k)) {
		case "ethernet", "aggregate-ethernet":
			p.ok(k)
			for e := p.first(k); e != none; e = p.next(e) {
				p.ethernet(e)
			}
		case "loopback", "tunnel", "vlan", "sdwan", "cellular":
			p.ok(k)
			p.logical(k)
		default:
			p.other("network interface", k)
		}
	}
}

// ethernet reads one port, or one bundle of ports.
func (p *parser) ethernet(e int32) {
	p.ok(e)
	i := p.iface(p.text(e), p.span(e))
	for c := p.first(e); c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "layer3":
			p.layer3(c, i)
		case "layer2", "virtual-wire", "tap":
			p.ok(c)
			p.units(p.kid(c, "units"))
			p.netflowOf(c, i)
			p.othersOf("network interface", c)
		case "link-state":
			p.values(c)
			if v := p.value(c); v != none && p.is(v, "down") {
				p.d.Interfaces[i].Shutdown = facts.Say(true, p.span(v))
			}
		case "comment", "ha", "aggregate-group", "log-card", "decrypt-mirror", "none":
			p.okAll(c)
		default:
			p.other("network interface", c)
		}
	}
}

// logical reads loopbacks, tunnels and the like: one without a number, and numbered ones in units.
func (p *parser) logical(k int32) {
	own := false
	for c := p.first(k); c != none; c = p.next(c) {
		own = own || p.is(c, "ip") || p.is(c, "ipv6") || p.is(c, "interface-management-profile")
	}
	if own {
		p.layer3(k, p.iface(p.text(k), p.span(k)))
		return
	}
	p.units(p.kid(k, "units"))
	p.okAll(p.kid(k, "comment"))
	p.othersOf("network interface", k)
}

func (p *parser) units(n int32) {
	p.ok(n)
	for u := p.first(n); u != none; u = p.next(u) {
		p.layer3(u, p.iface(p.text(u), p.span(u)))
	}
}

// layer3 reads what an interface, or a unit of one, has of IP.
func (p *parser) layer3(n int32, i int) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "ip":
			p.okAll(c)
			for v := p.first(c); v != none; v = p.next(v) {
				p.address4(v, i)
			}
		case "ipv6":
			p.addresses6(c, i)
		case "dhcp-client":
			p.okAll(c)
			if v := p.value(p.kid(c, "enable")); v == none || p.is(v, "yes") {
				p.d.Interfaces[i].DHCP = true
			}
		case "pppoe":
			p.okAll(c)
			p.d.Interfaces[i].DHCP = true // the address comes from the other end
		case "interface-management-profile":
			p.values(c)
			if v := p.value(c); v != none {
				p.managed(i, p.text(v))
			}
		case "netflow-profile":
			p.netflowOf(n, i)
		case "units":
			p.units(c)
		case "comment", "tag":
			p.okAll(c)
		case "link-state":
			p.values(c)
			if v := p.value(c); v != none && p.is(v, "down") {
				p.d.Interfaces[i].Shutdown = facts.Say(true, p.span(v))
			}
		default:
			p.other("network interface", c)
		}
	}
}

// address4 reads an address with a length, or the name of an object that is one. One that a template fills in is not known.
func (p *parser) address4(v int32, i int) {
	pfx, host, ok := p.netmask(p.bytes(v), p.spaceOf())
	if !ok {
		return
	}
	f := &p.d.Interfaces[i]
	f.Addrs = append(f.Addrs, netip.PrefixFrom(host, pfx.Bits()))
}

// spaceOf is where the names of a box's interfaces are looked up.
func (p *parser) spaceOf() *space {
	if len(p.box.vsyses) > 0 {
		return p.box.vsyses[0].space
	}
	return p.lay.top
}

func (p *parser) addresses6(c int32, i int) {
	p.ok(c)
	for k := p.first(c); k != none; k = p.next(k) {
		if !p.is(k, "address") {
			p.other("network interface ipv6", k)
			continue
		}
		p.okAll(k)
		for v := p.first(k); v != none; v = p.next(v) {
			p.address4(v, i)
		}
	}
}

// netflowOf says whether flow records are made of an interface's traffic.
func (p *parser) netflowOf(n int32, i int) {
	c := p.kid(n, "netflow-profile")
	if c == none {
		return
	}
	p.okAll(c)
	if v := p.value(c); v != none && !p.is(v, "None") {
		p.d.Interfaces[i].Flow = facts.Say(true, p.span(v))
		p.d.Logging.FlowExport = facts.Say(true, p.span(v))
	}
}

// vsysStatements reads the virtual systems of a box: what is theirs beside objects and rules. Then it is known whose every
// interface is.
func (p *parser) vsysStatements() {
	for _, v := range p.box.vsyses {
		for _, r := range v.roots {
			p.vsysRoot(r, v)
		}
	}
	for _, n := range p.box.network {
		gateways := p.kid(n, "shared-gateway")
		for g := p.first(gateways); g != none; g = p.next(g) {
			p.ok(g)
			sg := &vsys{name: p.text(g), scope: strings.TrimSpace(p.box.scope + " " + p.text(g)), known: map[string]bool{}}
			p.importing(p.kid(g, "import"), sg)
			p.zones(p.kid(g, "zone"), sg)
			for c := p.first(g); c != none; c = p.next(c) {
				if !p.is(c, "import") && !p.is(c, "zone") {
					p.other("shared-gateway", c)
				}
			}
		}
	}
	if len(p.box.vsyses) == 1 { // what nobody imported is the only one's
		for key, i := range p.ifaces {
			if key.box == p.box && p.d.Interfaces[i].Zone == "" && p.d.Interfaces[i].Scope == p.box.scope {
				p.d.Interfaces[i].Scope = p.box.vsyses[0].scope
			}
		}
	}
	for _, n := range p.box.network {
		for _, w := range [...]string{"virtual-router", "logical-router"} {
			p.routers(p.kid(n, w))
		}
	}
}

// vsysRoot reads what stands in one place of a virtual system.
func (p *parser) vsysRoot(r int32, v *vsys) {
	p.importing(p.at(r, "import"), v)
	p.zones(p.at(r, "zone"), v)
	p.objectStatements(r, "vsys")
}

// importing reads "import": which interfaces are a virtual system's.
func (p *parser) importing(n int32, v *vsys) {
	if n == none {
		return
	}
	p.okAll(n)
	list := p.under(n, "network", "interface")
	for k := p.first(list); k != none; k = p.next(k) {
		i := p.iface(p.text(k), p.span(k))
		p.d.Interfaces[i].Scope = v.scope
	}
}

// zones reads "zone": device zones with their interfaces.
func (p *parser) zones(n int32, v *vsys) {
	if n == none {
		return
	}
	p.ok(n)
	for z := p.first(n); z != none; z = p.next(z) {
		p.ok(z)
		if v.span.IsZero() {
			v.span = p.span(z)
		}
		name := p.text(z)
		if !v.known[name] {
			v.known[name] = true
			v.zones = append(v.zones, name)
		}
		for c := p.first(z); c != none; c = p.next(c) {
			if !p.is(c, "network") {
				p.other("zone", c)
				continue
			}
			p.ok(c)
			for k := p.first(c); k != none; k = p.next(k) {
				switch string(p.t.Text(k)) {
				case "layer3", "layer2", "virtual-wire", "tap":
					p.okAll(k)
					for f := p.first(k); f != none; f = p.next(f) {
						i := p.iface(p.text(f), p.span(f))
						p.d.Interfaces[i].Zone, p.d.Interfaces[i].Scope = name, v.scope
					}
				case "external":
					p.okAll(k)
					v.outside = true
				case "tunnel":
					p.okAll(k)
				default:
					p.other("zone network", k)
				}
			}
		}
	}
}

// routers reads virtual routers: which interfaces they have, and their static routes. A route is of the virtual system
// whose interfaces its router has.
func (p *parser) routers(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for r := p.first(n); r != none; r = p.next(r) {
		p.ok(r)
		p.router(r)
		vrfs := p.kid(r, "vrf")
		p.ok(vrfs)
		for f := p.first(vrfs); f != none; f = p.next(f) {
			p.ok(f)
			p.router(f)
		}
	}
}

func (p *parser) router(r int32) {
	scope := p.box.scope
	if len(p.box.vsyses) == 1 {
		scope = p.box.vsyses[0].scope
	}
	list := p.kid(r, "interface")
	p.okAll(list)
	for k := p.first(list); k != none; k = p.next(k) {
		if i, ok := p.ifaces[ifaceKey{p.box, p.text(k)}]; ok {
			scope = p.d.Interfaces[i].Scope
			break
		}
	}
	for c := p.first(r); c != none; c = p.next(c) {
		switch string(p.t.Text(c)) {
		case "interface", "vrf":
		case "routing-table":
			p.ok(c)
			for t := p.first(c); t != none; t = p.next(t) {
				p.ok(t)
				for s := p.first(t); s != none; s = p.next(s) {
					p.okAll(s)
					if p.is(s, "static-route") {
						for k := p.first(s); k != none; k = p.next(k) {
							p.staticRoute(k, scope)
						}
					}
				}
			}
		default:
			p.other("virtual-router", c)
		}
	}
}

func (p *parser) staticRoute(k int32, scope string) {
	r := facts.Route{Scope: scope, Span: p.span(k)}
	v := p.value(p.kid(k, "destination"))
	if v == none {
		return
	}
	pfx, _, ok := p.netmask(p.bytes(v), p.spaceOf())
	if !ok {
		return
	}
	r.Prefix, r.Span = pfx, p.span(v)
	hop := p.kid(k, "nexthop")
	for c := p.first(hop); c != none; c = p.next(c) {
		v := p.value(c)
		switch string(p.t.Text(c)) {
		case "ip-address", "ipv6-address":
			if v != none {
				_, r.NextHop, _ = p.netmask(p.bytes(v), p.spaceOf())
			}
		case "discard", "None", "none":
			return
		}
	}
	if v := p.value(p.kid(k, "interface")); v != none {
		r.Interface = p.text(v)
	}
	p.d.Routes = append(p.d.Routes, r)
}

// gateways reads "ike": the peers of tunnels.
func (p *parser) gateways(n int32, to map[string]gateway) {
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		if !p.is(k, "gateway") {
			p.other("network ike", k)
			continue
		}
		p.okAll(k)
		for g := p.first(k); g != none; g = p.next(g) {
			var w gateway
			peer := p.kid(g, "peer-address")
			for c := p.first(peer); c != none; c = p.next(c) { // ip, fqdn, dynamic
				if v := p.value(c); v != none && !p.is(c, "dynamic") {
					w.peer = p.text(v)
					_, w.addr, _ = p.netmask(p.bytes(v), p.spaceOf())
				} else if v == none && !p.is(c, "dynamic") { // an address right below
					w.peer = p.text(c)
					_, w.addr, _ = p.netmask(p.bytes(c), p.spaceOf())
				}
			}
			if v := p.value(p.under(g, "local-address", "interface")); v != none {
				w.source = p.text(v)
			}
			to[p.text(g)] = w
		}
	}
}

// tunnels reads "tunnel": what makes an interface one.
func (p *parser) tunnels(n int32, gateways map[string]gateway) {
	if n == none {
		return
	}
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		mode := p.text(k)
		if mode != "ipsec" && mode != "gre" {
			p.other("network tunnel", k)
			continue
		}
		p.okAll(k)
		for t := p.first(k); t != none; t = p.next(t) {
			v := p.value(p.kid(t, "tunnel-interface"))
			if v == none {
				continue
			}
			tun := &facts.Tunnel{Mode: mode, Protected: facts.Say(mode == "ipsec", p.span(t)), Span: p.span(t)}
			if mode == "gre" {
				if k := p.value(p.under(t, "peer-address", "ip")); k != none {
					tun.Destination = p.text(k)
					_, tun.Addr, _ = p.netmask(p.bytes(k), p.spaceOf())
				}
				if k := p.value(p.under(t, "local-address", "interface")); k != none {
					tun.Source = p.text(k)
				}
			}
			list := p.under(t, "auto-key", "ike-gateway")
			for g := p.first(list); g != none; g = p.next(g) {
				w := gateways[p.text(g)]
				tun.Destination, tun.Addr, tun.Source = w.peer, w.addr, w.source
			}
			i := p.iface(p.text(v), p.span(v))
			p.d.Interfaces[i].Tunnel = tun
		}
	}
}

// dhcp reads "dhcp": the servers that clients are told to load files from. Options 66 (TFTP server name, RFC 2132 9.4) and
// 150 (TFTP server addresses, RFC 5859) are user-defined ones.
func (p *parser) dhcp(n int32) {
	p.okAll(n)
	list := p.kid(n, "interface")
	for f := p.first(list); f != none; f = p.next(f) {
		options := p.under(f, "server", "option", "user-defined")
		for o := p.first(options); o != none; o = p.next(o) {
			code := p.value(p.kid(o, "code"))
			if code == none || !p.is(code, "66") && !p.is(code, "150") {
				continue
			}
			for _, w := range [...]string{"ip", "ascii", "hex"} {
				values := p.kid(o, w)
				for v := p.first(values); v != none; v = p.next(v) {
					c := facts.Client{
						Use: "dhcp-option", Name: "network dhcp interface " + p.text(f) + " server option " + p.text(code), Protocol: facts.TFTP,
						Host: clean(p.bytes(v)), Enabled: facts.Say(true, p.span(v)), Automatic: true, Scope: p.box.scope, Span: p.span(v),
					}
					_, c.Addr, _ = prefix(p.bytes(v))
					p.d.Clients = append(p.d.Clients, c)
				}
			}
		}
	}
}
