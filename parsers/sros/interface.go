package sros

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// interfaces reads those of routers and of services, and the access points of services of layer 2.
func (p *parser) interfaces() {
	p.Each(p.Kid(p.conf, "router"), "", func(r int32) {
		scope := p.Text(r)
		if scope == "Base" {
			scope = ""
		}
		if p.Is(r, "interface") { // classic, without a name
			p.Each(r, "", func(n int32) { p.iface(n, "") })
			return
		}
		p.OK(r)
		p.each(r, "interface", func(n int32) { p.iface(n, scope) })
		p.routes(r, scope)
	})
	p.routes(p.Kid(p.conf, "router"), "")
	p.OK(p.Kid(p.conf, "router"))
	service := p.Kid(p.conf, "service")
	for _, kind := range [...]string{"ies", "vprn"} {
		p.Each(p.Kid(service, kind), "", func(n int32) {
			scope := ""
			if kind == "vprn" {
				scope = p.Text(n)
			}
			p.OK(n)
			p.each(n, "interface", func(c int32) { p.iface(c, scope) })
			p.each(n, "subscriber-interface", func(c int32) {
				p.iface(c, scope)
				p.each(c, "group-interface", func(g int32) { p.iface(g, scope) })
			})
			p.routes(n, scope)
		})
	}
	for _, kind := range [...]string{"epipe", "vpls"} {
		p.Each(p.Kid(service, kind), "", func(n int32) {
			p.OK(n)
			p.each(n, "sap", func(c int32) {
				x := facts.Interface{Name: "sap " + p.Text(c), Scope: kind + " " + p.Text(n), Span: p.Span(c)}
				p.OK(c)
				p.applied(c, &x)
				p.D.Interfaces = append(p.D.Interfaces, x)
			})
		})
	}
}

func (p *parser) iface(n int32, scope string) {
	p.OK(n)
	x := facts.Interface{Name: p.Text(n), Scope: scope, Span: p.Span(n)}
	if off, ok := p.shut(n); ok {
		x.Shutdown = off
	}
	p.addresses(n, &x)
	p.applied(n, &x)
	p.each(n, "sap", func(c int32) {
		p.OK(c)
		x.Lists = append(x.Lists, p.Text(c))
		p.applied(c, &x)
	})
	p.each(n, "spoke-sdp", func(c int32) {
		p.OK(c)
		p.applied(c, &x)
	})
	if k := p.in(n, "cflowd-parameters"); k != none {
		p.OKAll(k)
		x.Flow = facts.Say(true, p.Span(k))
	}
	if s, v := p.leaf(n, "port"); v != none {
		x.Lists = append(x.Lists, s)
	}
	p.D.Interfaces = append(p.D.Interfaces, x)
}

// addresses reads "address 10.0.0.1/24" of the classic command line, and the model's primary, secondary and IPv6 ones.
func (p *parser) addresses(n int32, x *facts.Interface) {
	add := func(s, bits string) {
		pfx, a, ok := wordtree.Prefix([]byte(s))
		if !ok {
			return
		}
		length := pfx.Bits()
		if b, is := field.Uint([]byte(bits)); is && b <= uint64(a.BitLen()) {
			length = int(b)
		}
		x.Addrs = append(x.Addrs, netip.PrefixFrom(a, length))
	}
	four := p.in(n, "ipv4")
	p.OK(four)
	if k := p.Kid(four, "primary"); k != none {
		p.OKAll(k)
		bits, _ := p.leaf(k, "prefix-length")
		s, _ := p.leaf(k, "address")
		add(s, bits)
	}
	p.Each(p.Kid(four, "secondary"), "", func(c int32) {
		p.OKAll(c)
		bits, _ := p.leaf(c, "prefix-length")
		add(p.Text(c), bits)
	})
	six := p.in(n, "ipv6")
	p.OK(six)
	p.Each(p.Kid(six, "address"), "", func(c int32) {
		p.OKAll(c)
		bits, _ := p.leaf(c, "prefix-length")
		add(p.Text(c), bits)
	})
	for _, w := range [...]string{"address", "secondary"} {
		k := p.in(n, w)
		for c := p.First(k); c != none; c = p.Next(c) {
			if p.Is(c, "dhcp") {
				x.DHCP = true
			}
			add(p.Text(c), "")
		}
		p.OKAll(k)
	}
}

// applied reads "ingress filter ip X" and "egress filter ipv6 X".
func (p *parser) applied(n int32, x *facts.Interface) {
	for _, d := range [...]struct {
		word string
		dir  facts.Direction
	}{{"ingress", facts.In}, {"egress", facts.Out}} {
		at := p.Kid(p.in(n, d.word), "filter")
		p.OK(p.in(n, d.word))
		for c := p.First(at); c != none; c = p.Next(c) {
			family, kind := facts.IPv4, "ip-filter"
			switch p.Text(c) {
			case "ip":
			case "ipv6":
				family, kind = facts.IPv6, "ipv6-filter"
			case "mac":
				p.OKAll(c) // frames, not packets
				continue
			default:
				p.Unsupported(c, "a filter applied in a way that is not known")
				continue
			}
			v := p.First(c)
			if v == none {
				continue
			}
			p.OKAll(c)
			name := p.Text(v)
			if known, ok := p.names[kind+" "+name]; ok {
				name = known
			}
			x.Bindings = append(x.Bindings, facts.Binding{Filters: []string{name}, Family: family, Where: x.Name, Direction: d.dir, Span: p.Span(v)})
		}
		p.OK(at)
	}
}

// routes reads static routes of both command lines.
func (p *parser) routes(n int32, scope string) {
	add := func(c int32) {
		pfx, _, ok := wordtree.Prefix(p.Bytes(c))
		if !ok {
			return
		}
		p.OKAll(c)
		var walk func(k int32, depth int)
		walk = func(k int32, depth int) {
			for ; k != none && depth < 12; k = p.Next(k) {
				if p.Is(k, "next-hop") || p.Is(k, "indirect") {
					for v := p.First(k); v != none; v = p.Next(v) {
						if _, a, ok := wordtree.Prefix([]byte(strings.Trim(p.Text(v), `"`))); ok {
							p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, NextHop: a, Scope: scope, Span: p.Span(v)})
						}
					}
					continue
				}
				walk(p.First(k), depth+1)
			}
		}
		walk(p.First(c), 0)
	}
	if n == none {
		return
	}
	p.each(p.Kid(n, "static-routes"), "route", add)
	p.OK(p.Kid(n, "static-routes"))
	p.each(n, "static-route-entry", add)
}
