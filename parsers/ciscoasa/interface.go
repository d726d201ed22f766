package ciscoasa

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// insideLevel is the security level an interface gets with the name "inside"; any other name gives 0 (ASA command
// reference, security-level: "If you name an interface inside and you do not set the security level explicitly, then the
// adaptive security appliance sets the security level to 100"; Batfish testAsaSecurityLevel).
const insideLevel = 100

// iface reads an interface block.
func (p *parser) iface(n int32) {
	if p.negated || len(p.w) < 2 {
		p.unknownBelow(n)
		return
	}
	p.understood(n)
	name := p.word(1)
	if len(p.w) > 2 && !bytes.ContainsAny(name, "0123456789") { // "interface GigabitEthernet 0/0"
		name = append(append([]byte(nil), name...), p.word(2)...)
	}
	ifc := facts.Interface{Name: p.str(name), Scope: p.scope, Span: p.span(n)}
	// The configuration prints "shutdown" for every interface that is down, those that are so by default included.
	ifc.Shutdown = facts.Assume(false)
	if p.t.Nodes[n].First == tree.None && len(p.w) > 2 {
		ifc.Shutdown = p.pixShutdown(ifc.Shutdown)
	}
	p.children(n, func(c int32) { p.ifaceStatement(&ifc, c) })
	ifc.Zone = ifc.Alias
	p.level(&ifc)
	p.hardware[ifc.Name] = len(p.d.Interfaces)
	p.d.Interfaces = append(p.d.Interfaces, ifc)
	if ifc.Alias != "" {
		p.nameif[ifc.Alias] = len(p.d.Interfaces) - 1
	}
}

// pixShutdown reads "interface ethernet0 auto shutdown" (PIX 6).
func (p *parser) pixShutdown(v facts.V[bool]) facts.V[bool] {
	if p.is(len(p.w)-1, "shutdown") {
		return facts.Say(true, p.at(p.w[len(p.w)-1]))
	}
	return v
}

// level gives a named interface its default level.
func (p *parser) level(ifc *facts.Interface) {
	if ifc.Alias == "" || ifc.Level.Origin != facts.Unknown {
		return
	}
	if ifc.Alias == "inside" {
		ifc.Level = facts.Assume(insideLevel)
		return
	}
	ifc.Level = facts.Assume(0)
}

func (p *parser) ifaceStatement(ifc *facts.Interface, c int32) {
	switch string(p.word(0)) {
	case "nameif":
		if !p.negated {
			ifc.Alias = p.str(p.word(1))
		}
		p.understood(c)
	case "security-level":
		v, ok := number(p.word(1))
		switch {
		case p.negated:
		case ok && v <= 100:
			ifc.Level = facts.Say(int(v), p.span(c))
		default:
			return // unrecognised
		}
		p.understood(c)
	case "ip":
		p.ifaceAddress(ifc, c)
	case "ipv6":
		p.ifaceAddress6(ifc, c)
	case "shutdown":
		ifc.Shutdown = facts.Say(!p.negated, p.span(c))
		p.understood(c)
	case "management-only":
		if !p.negated {
			p.managed = append(p.managed, managedOnly{len(p.d.Interfaces), p.span(c)})
		}
		p.understood(c)
	case "vlan", "bridge-group", "member-interface", "channel-group", "encapsulation":
		p.understood(c) // which frames belong to it
	case "authentication": // authentication key eigrp 100 KEY key-id 1
		if p.is(1, "key") && p.is(2, "eigrp") {
			p.secret(4, facts.SecretKey, "authentication key eigrp", "")
			p.understood(c)
			return
		}
		p.irrelevant(c)
	case "ospf", "rip", "isis", "eigrp":
		p.irrelevant(c) // routing protocols; their keys are found by the words before them
	default:
		if ifaceIrrelevant(p.word(0)) {
			p.irrelevant(c)
			return
		}
		p.unknownBelow(c)
	}
}

// ifaceAddress reads "ip address A MASK [standby B]", "ip address dhcp|pppoe [setroute]".
func (p *parser) ifaceAddress(ifc *facts.Interface, c int32) {
	if !p.is(1, "address") || p.negated {
		p.irrelevant(c) // ip verify, no ip address
		return
	}
	switch string(p.word(2)) {
	case "dhcp", "pppoe":
		ifc.DHCP = true
		p.understood(c)
		return
	}
	a, ok := p.address(p.word(2))
	bits, ok2 := 32, true
	if mask, has := p.address(p.word(3)); has {
		bits, ok2 = maskBits(mask)
	}
	if !ok || !ok2 || !a.Is4() {
		return // unrecognised: a template's variable
	}
	ifc.Addrs = append(ifc.Addrs, netip.PrefixFrom(a, bits))
	p.understood(c)
}

// ifaceAddress6 reads "ipv6 address X/LEN [eui-64]", "ipv6 address X link-local".
func (p *parser) ifaceAddress6(ifc *facts.Interface, c int32) {
	if !p.is(1, "address") || p.negated {
		p.irrelevant(c) // neighbour discovery, ipv6 enable
		return
	}
	if pre, ok := prefix6(p.word(2)); ok {
		ifc.Addrs = append(ifc.Addrs, pre)
	} else if a, ok := field.Addr(p.word(2)); ok {
		ifc.Addrs = append(ifc.Addrs, netip.PrefixFrom(a, 64)) // link-local: fe80::/64 (RFC 4291 2.5.6)
	} else if p.is(2, "autoconfig") || p.is(2, "dhcp") {
		ifc.DHCP = true
	}
	p.understood(c)
}

// pixNameif reads "nameif ethernet0 outside security0" (PIX 6).
func (p *parser) pixNameif(n int32) {
	level, ok := bytes.CutPrefix(p.word(3), []byte("security"))
	v, isNum := number(level)
	if !ok || !isNum || v > 100 {
		return
	}
	hw, alias := p.str(p.word(1)), p.str(p.word(2))
	i, known := p.hardware[hw]
	if !known {
		i = len(p.d.Interfaces)
		p.hardware[hw] = i
		p.d.Interfaces = append(p.d.Interfaces, facts.Interface{Name: hw, Scope: p.scope, Span: p.span(n)})
	}
	ifc := &p.d.Interfaces[i]
	ifc.Alias, ifc.Zone, ifc.Level = alias, alias, facts.Say(int(v), p.at(p.w[3]))
	p.nameif[alias] = i
	p.understood(n)
}

// ip reads the top-level "ip ..." statements.
func (p *parser) ip(n int32) {
	if i, ok := p.nameif[string(p.word(2))]; ok && p.is(1, "address") { // PIX 6: ip address outside A MASK
		a, ok1 := p.address(p.word(3))
		mask, ok2 := p.address(p.word(4))
		if bits, ok3 := maskBits(mask); ok1 && ok2 && ok3 && a.Is4() {
			p.d.Interfaces[i].Addrs = append(p.d.Interfaces[i].Addrs, netip.PrefixFrom(a, bits))
		}
		p.understood(n)
		return
	}
	switch string(p.word(1)) {
	case "address", "verify", "local", "audit":
		p.irrelevant(n) // pools, anti-spoofing and signatures only ever drop
	default:
		p.unknownBelow(n)
	}
}

// route reads "route IF NET MASK GATEWAY [metric] [track N|tunneled]".
func (p *parser) route(n int32) {
	net, ok1 := p.address(p.word(2))
	mask, ok2 := p.address(p.word(3))
	bits, ok3 := 0, false
	if ok2 {
		bits, ok3 = maskBits(mask)
	}
	if p.negated || !ok1 || !ok3 || !net.Is4() {
		return // unrecognised
	}
	gw, _ := p.address(p.word(4))
	p.addRoute(n, netip.PrefixFrom(net, bits).Masked(), gw)
}

// route6 reads "ipv6 route IF X/LEN GATEWAY".
func (p *parser) route6(n int32) {
	pre, ok := prefix6(p.word(3))
	if p.negated || !ok {
		return
	}
	gw, _ := field.Addr(p.word(4))
	p.w = p.w[1:]
	p.addRoute(n, pre.Masked(), gw)
}

func (p *parser) addRoute(n int32, pre netip.Prefix, gw netip.Addr) {
	r := facts.Route{Prefix: pre, NextHop: gw, Interface: p.str(p.word(1)), Scope: p.scope, Span: p.span(n)}
	if i, ok := p.nameif[r.Interface]; ok {
		r.Interface = p.d.Interfaces[i].Name
	}
	p.d.Routes = append(p.d.Routes, r)
	p.understood(n)
}

// sameSecurity reads "same-security-traffic permit inter-interface|intra-interface".
func (p *parser) sameSecurity(n int32) {
	v := facts.Say(!p.negated, p.span(n))
	switch {
	case !p.is(1, "permit"):
		return
	case p.is(2, "inter-interface"):
		p.inter = v
	case p.is(2, "intra-interface"):
		p.intra = v
	default:
		return
	}
	p.understood(n)
}
