package junos

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// interfaces reads "interfaces": one facts.Interface per unit, named as Junos names it ("ge-0/0/0.0").
func (p *parser) interfaces(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	count := 0
	for c := p.first(n); c != none; c = p.next(c) {
		for u := p.first(p.kid(c, "unit")); u != none; u = p.next(u) {
			count++
		}
	}
	p.d.Interfaces = slices.Grow(p.d.Interfaces, count)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "interface-range":
			p.ok(c)
			for r := p.first(c); r != none; r = p.next(r) {
				p.interfaceRange(r)
			}
		case "interface-set", "traceoptions", "irb-options", "apply-groups", "apply-groups-except", "stacked-interface-set":
			p.t.MarkAll(c, facts.Irrelevant)
		default:
			p.physical(c)
		}
	}
}

// interfaceRange accounts for what a range gives to its members, which was copied to them before.
func (p *parser) interfaceRange(r int32) {
	p.ok(r)
	for c := p.first(r); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "member", "description":
			p.okAll(c)
		case "member-range":
			if p.kid(r, "unit") != none {
				p.unsupported(c, "the members of a numeric range are not listed")
			} else {
				p.okAll(c)
			}
		case "unit":
			p.ok(c)
			for u := p.first(c); u != none; u = p.next(u) {
				var drop facts.Interface
				p.unit(u, &drop)
			}
		default:
			p.other("interfaces *", c)
		}
	}
}

func (p *parser) physical(c int32) {
	p.ok(c)
	name := p.text(c)
	shut := facts.Assume(false)
	units := none
	for k := p.first(c); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "unit":
			p.ok(k)
			units = k
		case "disable":
			p.ok(k)
			shut = facts.Say(true, p.span(k))
		case "description":
			p.okAll(k)
		default:
			p.other("interfaces *", k)
		}
	}
	for u := p.first(units); u != none; u = p.next(u) {
		i := facts.Interface{Name: name + "." + p.text(u), Scope: p.scope, Shutdown: shut, Span: p.span(u)}
		if ri, ok := p.instances[i.Name]; ok {
			i.Scope = ri
		}
		p.unit(u, &i)
		if z := p.zoneOf[i.Name]; z != nil {
			p.placeInZone(&i, z)
		}
		p.d.Interfaces = append(p.d.Interfaces, i)
	}
}

// unit reads one logical interface.
func (p *parser) unit(u int32, i *facts.Interface) {
	p.ok(u)
	for k := p.first(u); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "family":
			p.ok(k)
			for f := p.first(k); f != none; f = p.next(f) {
				p.family(f, i)
			}
		case "disable":
			p.ok(k)
			i.Shutdown = facts.Say(true, p.span(k))
		case "description":
			p.okAll(k)
		case "filter": // family any: every packet of the unit
			p.bind(k, i, facts.AnyFamily)
		default:
			p.other("interfaces * unit *", k)
		}
	}
}

// family reads one address family of a unit.
func (p *parser) family(f int32, i *facts.Interface) {
	p.ok(f)
	family := facts.AnyFamily
	switch string(p.bytes(f)) {
	case "inet":
		family = facts.IPv4
	case "inet6":
		family = facts.IPv6
	case "iso", "mpls", "ccc", "tcc", "pppoe", "mlppp", "fibre-channel":
		if p.kid(f, "filter") == none {
			p.t.MarkAll(f, facts.Irrelevant)
			return
		}
	}
	for k := p.first(f); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "address":
			for a := p.first(k); a != none; a = p.next(a) {
				p.okAll(a)
				if pfx, host, ok := prefix(p.bytes(a)); ok {
					i.Addrs = append(i.Addrs, netip.PrefixFrom(host, pfx.Bits()))
				}
			}
			p.ok(k)
		case "filter":
			p.bind(k, i, family)
		case "dhcp", "dhcp-client", "dhcpv6-client":
			p.okAll(k)
			i.DHCP = true
		case "unnumbered-address":
			p.okAll(k)
			if v := p.value(k); v != none {
				i.Unnumbered = p.text(v)
			}
		case "sampling", "description":
			p.okAll(k)
		default:
			p.other("interfaces * unit * family *", k)
		}
	}
}

// bind reads a family's "filter". One on a unit of lo0 decides what reaches the routing engine of that instance ("Applying
// Firewall Filters to Interfaces", Routing Policies User Guide); it is a binding of that interface like any other.
func (p *parser) bind(n int32, i *facts.Interface, family facts.Family) {
	p.ok(n)
	for _, d := range [...]struct {
		single, list string
		direction    facts.Direction
	}{{"input", "input-list", facts.In}, {"output", "output-list", facts.Out}} {
		b := facts.Binding{Family: family, Where: i.Name, Direction: d.direction}
		stated := false // by the unit itself; what a group gives counts only without that
		for k := p.first(n); k != none; k = p.next(k) {
			if !p.is(k, d.single) && !p.is(k, d.list) {
				continue
			}
			p.okAll(k)
			own, inherited := p.split(k)
			if own == nil && (stated || b.Filters != nil) {
				continue
			}
			if own == nil {
				own = inherited
			} else {
				stated = true
			}
			if p.is(k, d.single) { // of several that were set the last counts
				own = own[max(0, len(own)-1):]
			}
			b.Filters = b.Filters[:0:0] // input and input-list replace each other
			for _, v := range own {
				b.Filters = append(b.Filters, p.text(v))
				b.Span = p.span(v)
			}
		}
		if len(b.Filters) == 0 {
			continue
		}
		i.Bindings = append(i.Bindings, b)
	}
	for k := p.first(n); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "input", "output", "input-list", "output-list":
		case "group":
			p.okAll(k) // a number that conditions on interface-group refer to
		default:
			p.unsupported(k, "a filter is applied in a way that is not modelled")
		}
	}
}

// split tells the values set under k itself from those a group gave.
func (p *parser) split(k int32) (own, inherited []int32) {
	for v := p.first(k); v != none; v = p.next(v) {
		if p.inherited(v) {
			inherited = append(inherited, v)
		} else {
			own = append(own, v)
		}
	}
	return own, inherited
}

// forwardingFilters reads "forwarding-options family inet filter": a filter every forwarded packet passes.
func (p *parser) forwardingFilters(n int32, instance string) {
	p.ok(n)
	for f := p.first(n); f != none; f = p.next(f) {
		k := p.kid(f, "filter")
		if k == none {
			p.other("forwarding-options family", f)
			continue
		}
		p.ok(f)
		if instance != "" {
			p.unsupported(k, "a forwarding-table filter of a routing instance is not modelled")
			continue
		}
		family := facts.IPv4
		if p.is(f, "inet6") {
			family = facts.IPv6
		}
		i := facts.Interface{Name: facts.WhereGlobal, Scope: p.scope}
		p.bind(k, &i, family)
		p.d.Bindings = append(p.d.Bindings, i.Bindings...)
		p.othersOf("forwarding-options family *", f)
	}
}
