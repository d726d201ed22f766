package headerspace

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// services is a part of what protocols and destination ports can be: a question about few of them is answered from the
// rules that can match one.
type services struct {
	list []facts.Listener // the protocol that is served does not matter
	high bool             // only clients with ephemeral ports
	set  ref              // at the levels of the request
}

// overlaps reports whether m can match what is asked. It looks only at what is plain.
func (c *compiler) overlaps(m *facts.Match) bool {
	if c.want == nil || m.Not {
		return true
	}
	ports, client := &m.DstPorts, &m.SrcPorts
	if c.mode.reversed {
		ports, client = client, ports
	}
	if c.want.high && plainPorts(client) && c.mode.frags == wholeOnly && !meets(client.Ranges, ephemeral) {
		return false
	}
	plain := plainPorts(ports)
	for i := range c.want.list {
		l := &c.want.list[i]
		if len(m.Protocols) > 0 && slices.Contains(m.Protocols, l.Transport) == m.NotProtocols {
			continue
		}
		if plain && c.mode.frags == wholeOnly && !meets(ports.Ranges, l.Ports) {
			continue
		}
		return true
	}
	return false
}

func plainPorts(p *facts.Ports) bool { return len(p.Ranges) > 0 && len(p.Groups) == 0 && !p.Not }

func meets(ranges []facts.PortRange, p facts.PortRange) bool {
	for _, r := range ranges {
		if r.First <= p.Last && p.First <= r.Last {
			return true
		}
	}
	return false
}

// service is the set of protocols, ports, TCP states, fragments and ICMP types that m matches.
func (c *compiler) service(m *facts.Match) bounds {
	g := c.g
	s := exactly(yes)
	if m.HasServices || len(m.Services) > 0 {
		s = c.union(m.Services)
	}
	switch m.Fragments {
	case facts.NonInitial:
		s = g.bothAnd(exactly(c.fragment(true)), s)
	case facts.Unfragmented:
		s = g.bothAnd(exactly(c.fragment(false)), s)
	case facts.AnyFragment:
	}
	if s.may == no {
		return s
	}
	p := portParts{src: &m.SrcPorts, dst: &m.DstPorts, either: &m.EitherPorts, icmp: m.ICMP, flags: m.Flags, protocols: m.Protocols, not: m.NotProtocols}
	return g.bothAnd(c.transport(&p), s)
}

// fragment is the set of fragments with an offset, or of all other packets.
func (c *compiler) fragment(later bool) ref {
	switch {
	case c.mode.frags == bothKinds && later:
		return c.g.value(atFragment, 1, 1, yes, no)
	case c.mode.frags == bothKinds:
		return c.g.value(atFragment, 1, 0, yes, no)
	case later == (c.mode.frags == laterOnly):
		return yes
	}
	return no
}

// portParts are the conditions on a packet's protocol and on what follows the IP header.
type portParts struct {
	src, dst, either *facts.Ports
	icmp             []facts.ICMPType
	flags            facts.TCPState
	protocols        []uint8
	not              bool
}

func (c *compiler) transport(p *portParts) bounds {
	g := c.g
	l4, implied := exactly(yes), yes
	ports := portsStated(p.src) || portsStated(p.dst) || p.either != nil && portsStated(p.either)
	if portsStated(p.src) {
		l4 = g.bothAnd(c.portSet(p.src, c.at.srcPort), l4)
	}
	if portsStated(p.dst) {
		l4 = g.bothAnd(c.portSet(p.dst, c.at.dstPort), l4)
	}
	if p.either != nil && portsStated(p.either) {
		l4 = g.bothAnd(g.bothOr(c.portSet(p.either, c.at.srcPort), c.portSet(p.either, c.at.dstPort)), l4)
	}
	if ports && (p.not || len(p.protocols) == 0 || slices.ContainsFunc(p.protocols, func(n uint8) bool { return !hasPorts(n) })) {
		implied = g.and(implied, c.protocolSet(portProtocols[:]))
	}
	switch p.flags {
	case facts.Established:
		l4 = g.bothAnd(exactly(g.value(atState, 2, stateOpen, yes, no)), l4)
		implied = g.and(implied, g.value(atProtocol, 8, uint64(facts.TCP), yes, no))
	case facts.Initial:
		l4 = g.bothAnd(exactly(g.value(atState, 2, stateOpening, yes, no)), l4)
		implied = g.and(implied, g.value(atProtocol, 8, uint64(facts.TCP), yes, no))
	case facts.AnyTCP:
	}
	if len(p.icmp) > 0 {
		l4 = g.bothAnd(exactly(c.icmpSet(p.icmp)), l4)
		implied = g.and(implied, g.value(atProtocol, 8, icmpOf(c.mode.family), yes, no))
	}
	if ports || p.flags != facts.AnyTCP || len(p.icmp) > 0 {
		l4 = c.onLater(l4)
	}
	if len(p.protocols) > 0 {
		set := c.protocolSet(p.protocols)
		if p.not {
			set = g.not(set)
		}
		implied = g.and(implied, set)
	}
	return g.bothAnd(exactly(implied), l4)
}

// onLater adjusts a condition on ports, flags or types for fragments that do not carry them.
//
// IOS: a permit whose layer 3 part matches passes such a fragment, a deny does not match it (Cisco document 8014, Access
// Control Lists and IP Fragments). ASA and SRX put datagrams together before they judge them (virtual reassembly), so a
// fragment shares the fate of the first one. Junos filters look at the bytes where ports would be, so anything may match.
func (c *compiler) onLater(l4 bounds) bounds {
	if c.mode.frags == wholeOnly || c.filter.Stateful && c.m.platform != facts.CiscoIOS {
		return l4
	}
	later := anything
	if c.m.platform == facts.CiscoIOS {
		switch c.action {
		case facts.Permit:
			later = exactly(yes)
		case facts.Deny:
			later = exactly(no)
		case facts.ActionUnknown, facts.Next, facts.Jump, facts.Goto, facts.Return:
		}
	}
	if c.mode.frags == laterOnly {
		return later
	}
	is := exactly(c.fragment(true))
	return c.g.bothOr(c.g.bothAnd(is, later), c.g.bothWithout(l4, is))
}

func icmpOf(fam facts.Family) uint64 {
	if fam == facts.IPv6 {
		return protoICMPv6
	}
	return protoICMP
}

func (c *compiler) protocolSet(ps []uint8) ref {
	x := no
	for _, p := range ps {
		x = c.g.compose(x, c.g.value(atProtocol, 8, uint64(p), yes, no))
	}
	return x
}

func (c *compiler) icmpSet(ts []facts.ICMPType) ref {
	x := no
	for _, t := range ts {
		one := yes
		if t.Code >= 0 && t.Code <= 255 {
			one = c.g.value(atICMP+8, 8, uint64(t.Code), yes, no)
		}
		x = c.g.compose(x, c.g.value(atICMP, 8, uint64(t.Type), one, no))
	}
	return x
}

func portsStated(p *facts.Ports) bool {
	return p.Present || p.Not || len(p.Ranges) > 0 || len(p.Groups) > 0
}

func (c *compiler) portSet(p *facts.Ports, base int) bounds {
	s := exactly(c.g.ports(base, p.Ranges, yes))
	for _, name := range p.Groups {
		ranges, open := c.m.ix.portGroup(name, []string{c.filter.Scope, ""})
		s = c.g.bothOr(s, exactly(c.g.ports(base, ranges, yes)))
		if open {
			s.may = yes
		}
	}
	if p.Not {
		s = c.g.bothNot(s)
	}
	return s
}

// union is the union of the items less those excepted.
func (c *compiler) union(items []facts.ServiceItem) bounds {
	in, out := exactly(no), exactly(no)
	for i := range items {
		it := &items[i]
		if it.Except {
			out = c.g.bothOr(out, c.serviceItem(it))
		} else {
			in = c.g.bothOr(in, c.serviceItem(it))
		}
	}
	if out.may == no {
		return in
	}
	return c.g.bothWithout(in, out)
}

func (c *compiler) serviceItem(it *facts.ServiceItem) bounds {
	if it.Group != "" {
		return c.serviceGroup(it.Group, []string{c.filter.Scope, ""})
	}
	s := c.transport(&portParts{src: &it.Src, dst: &it.Dst, icmp: it.ICMP, protocols: it.Protocols})
	if it.Unread != "" {
		s.must = no
	}
	return s
}
