package ciscoios

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// tunnelLine reads "tunnel source|destination|mode|protection|vrf ..." of an interface.
func (p *parser) tunnelLine(f *facts.Interface, c int32) bool {
	switch string(p.word(1)) {
	case "source", "destination", "mode", "protection", "vrf":
	default:
		return false
	}
	p.ok(c)
	if p.negated {
		return true
	}
	t := p.tunnel(f, c)
	switch string(p.word(1)) {
	case "source":
		t.Source = p.str(p.word(2))
	case "destination":
		if !p.is(2, "dynamic") && !p.is(2, "list") { // any peer, or many
			t.Destination = p.str(p.word(2))
			t.Addr, _ = field.Addr(p.word(2))
		}
	case "mode":
		t.Mode = string(p.rest(c, 2))
	case "protection":
		t.Protected = facts.Say(true, p.span(c))
	case "vrf":
		t.DestinationScope = p.str(p.word(2))
	}
	return true
}

// tunnel is the tunnel of the interface being read.
func (p *parser) tunnel(f *facts.Interface, c int32) *facts.Tunnel {
	if f.Tunnel == nil {
		// "tunnel mode gre ip" is the default (Interface and hardware component command reference, tunnel mode).
		f.Tunnel = &facts.Tunnel{Mode: "gre ip", Span: p.span(c)}
	}
	return f.Tunnel
}

// finishTunnel says what is known of a tunnel when its interface was read: without protection it is in the clear.
func (p *parser) finishTunnel(f *facts.Interface) {
	if t := f.Tunnel; t != nil && t.Protected.Origin == facts.Unknown && !strings.HasPrefix(t.Mode, "ipsec") {
		t.Protected = facts.Assume(false)
	}
}

// overlay reads the lines of an NVE interface: where VXLAN frames are sent from and to.
func (p *parser) overlay(f *facts.Interface, c int32) bool {
	switch string(p.word(0)) {
	case "source-interface":
		t := p.tunnel(f, c)
		t.Mode, t.Source = "vxlan", p.str(p.word(1))
	case "member":
		if !p.is(1, "vni") {
			return false
		}
		p.ok(c)
		t := p.tunnel(f, c)
		t.Mode = "vxlan"
		peer := func(n int32) { // member vni N [...] ingress-replication A, or in a line below it
			if i := p.has(0, "ingress-replication"); i >= 0 {
				p.ok(n)
				if a, ok := field.Addr(p.word(i + 1)); ok {
					t.Destination, t.Addr = a.String(), a
				}
			}
		}
		peer(c)
		p.children(c, peer)
		p.skipBelow(c)
		return true
	default:
		return false
	}
	p.ok(c)
	return true
}

// crossConnect reads "xconnect PEER ID encapsulation mpls|l2tpv3 ...": frames carried to another router.
func (p *parser) crossConnect(f *facts.Interface, c int32) bool {
	a, ok := field.Addr(p.word(1))
	if !ok || p.negated {
		return false
	}
	p.ok(c)
	t := p.tunnel(f, c)
	t.Mode, t.Destination, t.Addr = "xconnect", a.String(), a
	if i := p.has(3, "encapsulation"); i > 0 {
		t.Mode = "xconnect " + p.str(p.word(i+1))
	}
	p.skipBelow(c)
	return true
}
