package junos

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
)

// routing reads "routing-instances" and "routing-options": which unit belongs to which instance, and static routes.
func (p *parser) routing(root int32) {
	if n := p.at(root, "routing-options"); n != none {
		p.routingOptions(n, p.scope)
	}
	if n := p.under(p.at(root, "system"), "management-instance"); n != none {
		p.ok(n)
		// The management port moves into this instance ("Management Interface in a Non-Default Instance", Junos).
		for _, name := range [...]string{"fxp0.0", "em0.0", "re0:mgmt-0.0", "re0:mgmt-1.0", "me0.0", "vme.0"} {
			p.instances[name] = "mgmt_junos"
		}
	}
	n := p.at(root, "routing-instances")
	if n == none {
		return
	}
	p.ok(n)
	for ri := p.first(n); ri != none; ri = p.next(ri) {
		if p.applies(ri) {
			continue
		}
		p.ok(ri)
		name := p.text(ri)
		for c := p.first(ri); c != none; c = p.next(c) {
			switch string(p.bytes(c)) {
			case "interface":
				p.okAll(c)
				for i := p.first(c); i != none; i = p.next(i) {
					p.instances[p.text(i)] = name
				}
			case "instance-type", "description":
				p.okAll(c)
			case "routing-options":
				p.routingOptions(c, name)
			case "forwarding-options":
				p.ok(c)
				for f := p.first(c); f != none; f = p.next(f) {
					if p.is(f, "family") {
						p.forwardingFilters(f, name)
					} else {
						p.other("forwarding-options", f)
					}
				}
			case "system":
				p.okAll(c)
				p.eachBelow(c, func(k int32) {
					if p.is(k, "dhcp-local-server") {
						p.bootOptions(k, "routing-instances system services dhcp-local-server")
					}
				})
			case "access":
				p.access(c)
			default:
				p.other("routing-instances *", c)
			}
		}
	}
}

func (p *parser) routingOptions(n int32, scope string) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "static":
			p.static(c, scope)
		case "rib":
			p.ok(c)
			for r := p.first(c); r != none; r = p.next(r) {
				p.ok(r)
				for k := p.first(r); k != none; k = p.next(k) {
					if p.is(k, "static") {
						p.static(k, scope)
					} else {
						p.other("routing-options", k)
					}
				}
			}
		default:
			p.other("routing-options", c)
		}
	}
}

func (p *parser) static(n int32, scope string) {
	p.okAll(n)
	routes := p.kid(n, "route")
	for r := p.first(routes); r != none; r = p.next(r) {
		pfx, _, ok := prefix(p.bytes(r))
		if !ok {
			continue
		}
		route := facts.Route{Prefix: pfx, Scope: scope, Span: p.span(r)}
		for _, word := range [...]string{"next-hop", "qualified-next-hop"} {
			k := p.kid(r, word)
			for h := p.first(k); h != none; h = p.next(h) {
				to := route
				to.Span = p.span(h)
				if to.NextHop, ok = addr(p.bytes(h)); !ok {
					to.NextHop = netip.Addr{}
					to.Interface = p.text(h)
				}
				p.d.Routes = append(p.d.Routes, to)
			}
		}
	}
}
