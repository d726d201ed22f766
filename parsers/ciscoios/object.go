package ciscoios

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// objectGroup reads "object-group network|service NAME" and its members. Masks are netmasks here, unlike in lists
// (Security configuration guide, object groups for ACLs). A group that is defined again grows.
func (p *parser) objectGroup(n int32) {
	p.ok(n)
	if p.negated || len(p.w) < 3 {
		return
	}
	kind, fam := facts.NetworkGroup, facts.IPv4
	switch string(p.word(1)) {
	case "network":
	case "v6-network":
		fam = facts.IPv6
	case "service":
		kind = facts.ServiceGroup
	case "v6-service":
		kind, fam = facts.ServiceGroup, facts.IPv6
	case "protocol":
		kind = facts.ProtocolGroup
	case "ip":
		if p.is(2, "port") && len(p.w) == 4 { // object-group ip port NAME, applied as "portgroup NAME"
			p.w = append(p.w[:1:1], p.w[2:]...)
			kind = facts.PortGroup
			break
		}
		p.unknownGroup(n)
		return
	default: // security, fqdn, smtp: their members are not addresses
		p.unknownGroup(n)
		return
	}
	at := p.groupIndex(n, kind)
	p.children(n, func(c int32) {
		g := &p.d.Groups[at]
		ok := true
		switch string(p.word(0)) {
		case "description", "exit":
		case "group-object":
			g.Members = append(g.Members, p.str(p.word(1)))
			ok = len(p.w) == 2
		default:
			if p.negated {
				break
			}
			switch kind {
			case facts.NetworkGroup:
				ok = p.networkMember(g, fam, c)
			case facts.ServiceGroup:
				ok = p.serviceMember(g, fam, c)
			case facts.PortGroup:
				ok = p.portMember(g)
			case facts.ProtocolGroup, facts.ICMPGroup:
				ok = p.protocolMember(g)
			}
		}
		if !ok {
			g.Unread = "a member was not understood"
			p.reasons[c] = "member of an object group not understood"
			return
		}
		p.ok(c)
	})
}

func (p *parser) groupIndex(n int32, kind facts.GroupKind) int {
	name := p.str(p.word(2))
	at, known := p.groups[name]
	if !known || p.d.Groups[at].Kind != kind {
		at = len(p.d.Groups)
		p.groups[name] = at
		p.d.Groups = append(p.d.Groups, facts.Group{Name: name, Kind: kind, Span: p.span(n)})
	}
	return at
}

// unknownGroup states a group whose members are not modelled.
func (p *parser) unknownGroup(n int32) {
	p.unsupportedBlock(n, "object groups of this kind are not modelled")
	p.d.Groups[p.groupIndex(n, facts.NetworkGroup)].Unread = "object groups of this kind are not modelled"
}

// portMember reads "eq PORT..." and its like. Names are those of TCP, which UDP shares where both have them.
func (p *parser) portMember(g *facts.Group) bool {
	var ports facts.Ports
	r := facts.Rule{Match: facts.Match{Protocols: p.proto(facts.TCP)}}
	e := entry{p: p, r: &r, fam: facts.IPv4}
	if !e.ports(&ports) || e.i != len(p.w) || !ports.Present || ports.Not {
		return false
	}
	g.Ports = append(g.Ports, ports.Ranges...)
	return true
}

// protocolMember reads "protocol-object PROTOCOL".
func (p *parser) protocolMember(g *facts.Group) bool {
	if !p.is(0, "protocol-object") || len(p.w) != 2 {
		return false
	}
	n, kind := protocolOf(p.word(1), facts.IPv4)
	switch kind {
	case protoOne:
		g.Protocols = append(g.Protocols, n)
	case protoTCPUDP:
		g.Protocols = append(g.Protocols, tcpUDP()...)
	case protoAny, protoNone:
		return false
	}
	return true
}

// networkMember reads "host A", "A MASK", "A/n", "A /n", "range A B", "any", "fqdn NAME".
func (p *parser) networkMember(g *facts.Group, fam facts.Family, c int32) bool {
	it := facts.AddrItem{Span: p.span(c)}
	w := p.word(0)
	addr, isAddr := field.Addr(w)
	switch {
	case string(w) == "host":
		if p.is(1, "fqdn") {
			it.Unread = "domain name " + p.str(p.word(2))
			break
		}
		a, ok := field.Addr(p.word(1))
		if !ok {
			return false
		}
		it.Prefix = netip.PrefixFrom(a, a.BitLen())
	case string(w) == "fqdn":
		it.Unread = "domain name " + p.str(p.word(1))
	case string(w) == "any":
		it.Any, it.Family = true, fam
	case string(w) == "range":
		from, ok1 := field.Addr(p.word(1))
		to, ok2 := field.Addr(p.word(2))
		if !ok1 || !ok2 || from.Is4() != to.Is4() {
			return false
		}
		if to.Less(from) {
			from, to = to, from
		}
		it.From, it.To = from, to
	case isAddr && len(p.w) == 1:
		it.Prefix = netip.PrefixFrom(addr, addr.BitLen())
	case isAddr && p.word(1)[0] == '/':
		bits, ok := number(p.word(1)[1:])
		if !ok || bits > addr.BitLen() {
			return false
		}
		it.Prefix = netip.PrefixFrom(addr, bits).Masked()
	case isAddr:
		mask, ok := field.Addr(p.word(1))
		if !ok || !addr.Is4() || !mask.Is4() {
			return false
		}
		m := mask.As4()
		inverse := netip.AddrFrom4([4]byte{^m[0], ^m[1], ^m[2], ^m[3]})
		item, any := wildcard(addr, inverse)
		item.Span, item.Any = it.Span, any
		if any {
			item.Family = facts.IPv4
		}
		it = item
	default:
		x, ok := prefixOf(w)
		if !ok {
			return false
		}
		it.Prefix = x.Masked()
	}
	g.Addrs = append(g.Addrs, it)
	return true
}

// serviceMember reads "PROTOCOL", "tcp|udp|tcp-udp [source OP PORT] [OP PORT]", "icmp [TYPE]".
func (p *parser) serviceMember(g *facts.Group, fam facts.Family, c int32) bool {
	it := facts.ServiceItem{Span: p.span(c)}
	n, kind := protocolOf(p.word(0), fam)
	switch kind {
	case protoNone:
		return false
	case protoAny:
	case protoOne:
		it.Protocols = p.proto(n)
	case protoTCPUDP:
		it.Protocols = tcpUDP()
	}
	r := facts.Rule{Match: facts.Match{Protocols: it.Protocols}}
	e := entry{p: p, r: &r, fam: fam, i: 1}
	if portable(it.Protocols) {
		if p.is(1, "source") {
			e.i++
			before := e.i
			if !e.ports(&it.Src) || e.i == before {
				return false
			}
		}
		if w := p.word(e.i); len(w) > 0 {
			if port, ok := portOf(w, it.Protocols); ok {
				it.Dst = facts.Ports{Present: true, Ranges: []facts.PortRange{{First: port, Last: port}}}
				e.i++
			} else if !e.ports(&it.Dst) {
				return false
			}
		}
	} else if kind == protoOne && (n == icmp4 || n == icmp6) && len(p.w) > 1 {
		if !e.icmp(p.word(1)) {
			return false
		}
		it.ICMP = r.Match.ICMP
	}
	if e.i != len(p.w) {
		return false
	}
	g.Services = append(g.Services, it)
	return true
}
