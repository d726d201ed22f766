package ciscoios

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// iface reads "interface NAME" and its block.
func (p *parser) iface(n int32) {
	name := string(p.word(1)) // names of interfaces are said once
	if len(p.w) > 2 {         // "interface GigabitEthernet 0/1", "interface Serial0/0 point-to-point"
		if c := p.word(2)[0]; c >= '0' && c <= '9' {
			name += string(p.word(2))
		}
	}
	p.ok(n)
	if name == "" || p.negated {
		p.skipBelow(n)
		return
	}
	// A running configuration prints "shutdown" and never "no shutdown": an interface without the line is up.
	f := facts.Interface{Name: name, Span: p.span(n), Shutdown: facts.Assume(false)}
	p.nat.current = ""
	p.children(n, func(c int32) {
		if !p.ifaceLine(&f, c) {
			p.skip(c)
		}
	})
	p.log.flowOn = p.log.flowOn || p.log.flowHere
	p.log.flowHere = false
	p.finishTunnel(&f)
	switch p.nat.current {
	case "inside":
		p.nat.inside = append(p.nat.inside, name)
	case "outside":
		p.nat.outside = append(p.nat.outside, name)
	}
	p.d.Interfaces = append(p.d.Interfaces, f)
}

// ifaceLine reads one statement of an interface and reports whether it did.
func (p *parser) ifaceLine(f *facts.Interface, c int32) bool {
	switch string(p.word(0)) {
	case "ip":
		return p.ifaceIP(f, c)
	case "ipv6":
		return p.ifaceIPv6(f, c)
	case "vrf":
		if p.is(1, "forwarding") || p.is(1, "member") {
			f.Scope = p.str(p.word(2))
			p.ok(c)
			return true
		}
	case "shutdown":
		f.Shutdown = facts.Say(!p.negated, p.span(c))
		p.ok(c)
		return true
	case "zone-member":
		if p.is(1, "security") && !p.negated {
			f.Zone = p.str(p.word(2))
			p.ok(c)
			return true
		}
	case "service-policy":
		return p.qosPolicy(c)
	case "tunnel":
		return p.tunnelLine(f, c)
	case "xconnect":
		return p.crossConnect(f, c)
	case "source-interface", "member":
		return p.overlay(f, c)
	case "rate-limit":
		p.named(c, "rate-limit", "access-group")
	case "mac":
		if p.is(1, "access-group") {
			p.unsupported(c, "filters of frames are not modelled")
			return true
		}
	}
	return false
}

func (p *parser) ifaceIP(f *facts.Interface, c int32) bool {
	switch string(p.word(1)) {
	case "address":
		p.ok(c)
		if p.negated {
			return true
		}
		switch {
		case p.is(2, "dhcp"), p.is(2, "negotiated"), p.is(2, "pool"):
			f.DHCP = true
			return true
		}
		addr, ok1 := field.Addr(p.word(2))
		mask, ok2 := field.Addr(p.word(3))
		if !ok1 || !ok2 || !addr.Is4() || !mask.Is4() {
			if x, ok := prefixOf(p.word(2)); ok {
				f.Addrs = append(f.Addrs, x)
				return true
			}
			p.reasons[c] = "address not understood"
			p.t.Mark(c, facts.Unrecognised)
			return true
		}
		if bits, ok := netmaskBits(mask); ok {
			f.Addrs = append(f.Addrs, netip.PrefixFrom(addr, bits))
		}
		return true
	case "unnumbered":
		f.Unnumbered = p.str(p.word(2))
		p.ok(c)
		return true
	case "vrf":
		if p.is(2, "forwarding") {
			f.Scope = p.str(p.word(3))
			p.ok(c)
			return true
		}
	case "access-group":
		return p.applied(f, c, facts.IPv4, 2)
	case "inspect":
		if !p.negated && p.word(2) != nil {
			f.Inspect = append(f.Inspect, p.str(p.word(2)))
		}
		p.ok(c)
		return true
	case "nat":
		switch w := string(p.word(2)); w {
		case "inside", "outside":
			if !p.negated && len(p.w) == 3 {
				p.nat.current = w
			}
			p.ok(c)
			return true
		case "enable":
			p.unsupported(c, "NAT without sides is not modelled")
			p.nat.sideless = true
			return true
		}
	case "flow":
		return p.ifaceFlow(f, c)
	case "route-cache":
		if p.is(2, "flow") && !p.negated {
			p.log.flowHere = true
			f.Flow = facts.Say(true, p.span(c))
			if p.is(3, "sampled") {
				p.sampledBy("", p.span(c))
			}
			p.ok(c)
			return true
		}
	case "multicast", "igmp", "pim", "verify", "wccp":
		p.named(c, "ip "+p.str(p.word(1)), "boundary", "access-group", "neighbor-filter", "rx", "any")
	case "helper-address", "forward-protocol":
		p.ok(c) // broadcasts relayed to a server: seen in the relay's own filters
		return true
	}
	return false
}

func (p *parser) ifaceIPv6(f *facts.Interface, c int32) bool {
	switch string(p.word(1)) {
	case "address":
		if x, ok := prefixOf(p.word(2)); ok && !p.negated {
			f.Addrs = append(f.Addrs, x)
		} else if a, ok := field.Addr(p.word(2)); ok && a.Is6() && !p.negated {
			f.Addrs = append(f.Addrs, netip.PrefixFrom(a, 64)) // "FE80::1 link-local"
		}
		p.ok(c)
		return true
	case "traffic-filter":
		return p.applied(f, c, facts.IPv6, 2)
	case "inspect":
		if !p.negated && p.word(2) != nil {
			f.Inspect = append(f.Inspect, p.str(p.word(2)))
		}
		p.ok(c)
		return true
	case "flow":
		return p.ifaceFlow(f, c)
	}
	return false
}

// applied reads the list and the direction of a filter on an interface, from word i on.
func (p *parser) applied(f *facts.Interface, c int32, fam facts.Family, i int) bool {
	if p.negated {
		p.ok(c)
		return true
	}
	b, ok := p.binding(c, fam, i, f.Name)
	if !ok {
		p.t.Mark(c, facts.Unrecognised)
		p.reasons[c] = "how a list is applied was not understood"
		return true
	}
	if f.Bindings == nil {
		f.Bindings = p.binds.Take()
		f.Bindings[0] = b
	} else {
		f.Bindings = append(f.Bindings, b)
	}
	p.ok(c)
	return true
}

// binding reads "LIST in|out" from word i on.
func (p *parser) binding(c int32, fam facts.Family, i int, where string) (facts.Binding, bool) {
	name := p.word(i)
	if len(name) == 0 {
		return facts.Binding{}, false
	}
	// "If an access list is referenced by a name, but does not exist, all packets pass" (Catalyst 2960 software
	// configuration guide).
	b := facts.Binding{Filters: p.texts.Take(), Family: fam, Where: where, Span: p.span(c), Undefined: facts.Permit}
	b.Filters[0] = p.str(name)
	switch string(p.word(i + 1)) {
	case "in":
	case "out":
		b.Direction = facts.Out
	case "": // very old software: out
		b.Direction = facts.Out
	default:
		return facts.Binding{}, false
	}
	return b, true
}

// bind applies a list to a place of the management plane.
func (p *parser) bind(list, where string, span evidence.Span) {
	p.d.Bindings = append(p.d.Bindings, facts.Binding{
		Filters: []string{list}, Where: where, Span: span, Undefined: facts.Permit,
	})
}

// netmaskBits is the length of a netmask that is one.
func netmaskBits(mask netip.Addr) (int, bool) {
	m := mask.As4()
	return leading(uint32(m[0])<<24 | uint32(m[1])<<16 | uint32(m[2])<<8 | uint32(m[3]))
}

// route reads "ip route [vrf V] P M NEXT-HOP..." and "ipv6 route [vrf V] P/n NEXT-HOP...".
func (p *parser) route(n int32, i int) {
	r := facts.Route{Span: p.span(n)}
	p.ok(n)
	if p.negated {
		return
	}
	if p.is(i, "vrf") {
		r.Scope = p.str(p.word(i + 1))
		i += 2
	}
	if p.is(i, "topology") {
		i += 2
	}
	if x, ok := prefixOf(p.word(i)); ok {
		r.Prefix = x.Masked()
		i++
	} else {
		addr, ok1 := field.Addr(p.word(i))
		mask, ok2 := field.Addr(p.word(i + 1))
		if !ok1 || !ok2 || !addr.Is4() || !mask.Is4() {
			switch string(p.word(i)) {
			case "profile", "static", "persistent": // settings of static routes
				p.skip(n)
			default:
				p.t.Mark(n, facts.Unrecognised)
				p.reasons[n] = "route not understood"
			}
			return
		}
		bits, ok := netmaskBits(mask)
		if !ok {
			return // not a prefix: no device takes it
		}
		r.Prefix = netip.PrefixFrom(addr, bits).Masked()
		i += 2
	}
	for range 2 {
		w := p.word(i)
		if len(w) == 0 {
			break
		}
		if a, ok := field.Addr(w); ok {
			r.NextHop = a
			break
		}
		switch string(w) {
		case "name", "tag", "track", "permanent", "dhcp", "global", "multicast", "unicast", "nexthop-vrf", "vrf":
		default:
			if c := w[0]; c >= 'A' && c <= 'Z' {
				r.Interface = p.str(w)
				i++
				continue
			}
		}
		break
	}
	p.d.Routes = append(p.d.Routes, r)
}

// gateway reads "ip default-gateway A" of a switch that does not route.
func (p *parser) gateway(n int32) {
	p.ok(n)
	if a, ok := field.Addr(p.word(2)); ok && !p.negated {
		p.d.Routes = append(p.d.Routes, facts.Route{Prefix: netip.PrefixFrom(netip.IPv4Unspecified(), 0), NextHop: a, Span: p.span(n)})
	}
}

// qosPolicy reads "service-policy input|output NAME" of an interface or the control plane: a policy that only marks, queues
// or limits rates decides nothing; one that drops classes is not modelled.
func (p *parser) qosPolicy(c int32) bool {
	if p.negated || p.is(1, "history") {
		p.skip(c)
		return true
	}
	if p.is(1, "type") && !p.is(2, "control-plane") {
		p.skip(c) // performance-monitor, tag, access-control ...
		if p.is(2, "access-control") {
			p.unsupported(c, "flexible packet matching is not modelled")
		}
		return true
	}
	name := string(p.word(len(p.w) - 1))
	if p.dropping == nil {
		p.dropping = map[string]bool{}
	}
	p.qosUses = append(p.qosUses, qosUse{c, p.str([]byte(name))})
	p.t.Mark(c, facts.Irrelevant)
	return true
}

// A qosUse waits for its policy map.
type qosUse struct {
	node   int32
	policy string
}

// qosMap reads a "policy-map" that is no firewall's and notes whether a class of it is dropped.
func (p *parser) qosMap(n int32) {
	name := p.str(p.word(len(p.w) - 1))
	p.ok(n)
	p.t.Mark(n, facts.Irrelevant)
	p.children(n, func(k int32) {
		p.children(k, func(a int32) {
			if p.is(0, "drop") || p.is(0, "police") && strings.Contains(string(p.t.Text(a)), "conform-action drop") {
				if p.dropping == nil {
					p.dropping = map[string]bool{}
				}
				p.dropping[name] = true
			}
		})
	})
	p.skipBelow(n)
}

// finishQoS says which policies decide.
func (p *parser) finishQoS() {
	for _, u := range p.qosUses {
		if p.dropping[u.policy] {
			p.unsupported(u.node, "the policy drops classes of traffic; that is not modelled")
		}
	}
}
