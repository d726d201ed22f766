package panos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

const (
	protoICMP   = 1
	protoGRE    = 47
	protoESP    = 50
	protoAH     = 51
	protoICMPv6 = 58
	protoOSPF   = 89
	protoPIM    = 103
	protoSCTP   = 132
)

// svcGroup is a definition of services as a group.
func (p *parser) svcGroup(o object, s *space) facts.Group {
	n := o.node
	g := facts.Group{Name: p.text(n), Scope: s.scope, Kind: facts.ServiceGroup, Span: p.span(n)}
	p.ok(n)
	if o.kind == serviceGroup {
		p.serviceMembers(n, s, &g)
		return g
	}
	p.each(n, func(c int32) bool {
		switch string(p.t.Text(c)) {
		case "protocol":
			p.ok(c)
			for k := p.first(c); k != none; k = p.next(k) {
				g.Services = append(g.Services, p.serviceItem(k))
			}
		case "description", "tag", "disable-override":
			p.okAll(c)
		default:
			g.Unread = "a statement of the service is not understood: " + p.text(c)
		}
		return false
	})
	if len(g.Services) == 0 && g.Unread == "" {
		g.Unread = "a service without a protocol"
	}
	return g
}

// serviceItem reads one protocol of a service: "tcp { port 80,8080; source-port 1024-65535; }".
func (p *parser) serviceItem(k int32) facts.ServiceItem {
	p.ok(k)
	item := facts.ServiceItem{Span: p.span(k)}
	switch string(p.t.Text(k)) {
	case "tcp":
		item.Protocols = []uint8{facts.TCP}
	case "udp":
		item.Protocols = []uint8{facts.UDP}
	case "sctp":
		item.Protocols = []uint8{protoSCTP}
	default:
		item.Unread = "protocol " + p.text(k)
		p.unsupported(k, "a protocol that is not understood")
		return item
	}
	p.each(k, func(c int32) bool {
		switch string(p.t.Text(c)) {
		case "port":
			p.ports(c, &item.Dst, &item)
			return true
		case "source-port":
			p.ports(c, &item.Src, &item)
			return true
		case "override":
			p.okAll(c) // timeouts
		default:
			item.Unread = p.text(c)
		}
		return false
	})
	return item
}

// ports reads the ports of statement c: "80,8080,1000-2000".
func (p *parser) ports(c int32, to *facts.Ports, item *facts.ServiceItem) {
	p.values(c)
	to.Present = true
	for v := p.first(c); v != none; v = p.next(v) {
		ranges, ok := portList(to.Ranges, p.bytes(v))
		if !ok {
			item.Unread = "port " + p.text(v)
			p.unsupported(v, "a port that is not understood")
			return
		}
		to.Ranges = ranges
	}
}

// portList appends the ports of "80,8080,1000-2000".
func portList(dst []facts.PortRange, b []byte) ([]facts.PortRange, bool) {
	for len(b) > 0 {
		var one []byte
		one, b, _ = bytes.Cut(b, []byte(","))
		one = bytes.TrimSpace(one)
		first, last, is := bytes.Cut(one, []byte("-"))
		if !is {
			last = first
		}
		lo, ok1 := small(first)
		hi, ok2 := small(last)
		if !ok1 || !ok2 || lo > hi || hi > 65535 {
			return dst, false
		}
		dst = append(dst, facts.PortRange{First: uint16(lo), Last: uint16(hi)})
	}
	return dst, true
}

// serviceMembers reads a service group; before release 6.1 the members stood right below the name.
func (p *parser) serviceMembers(n int32, s *space, g *facts.Group) {
	add := func(v int32) {
		item := p.serviceOf(v, s)
		if item.Group != "" {
			g.Members = append(g.Members, item.Group)
			return
		}
		g.Services = append(g.Services, item)
	}
	p.each(n, func(c int32) bool {
		switch string(p.t.Text(c)) {
		case "members":
			p.values(c)
			for v := p.first(c); v != none; v = p.next(v) {
				add(v)
			}
			return true
		case "tag", "disable-override", "description":
			p.okAll(c)
		default:
			if p.first(c) != none {
				g.Unread = "a statement of the group is not understood: " + p.text(c)
				return false
			}
			p.ok(c)
			add(c)
		}
		return false
	})
}

// serviceOf is what word v names as a service.
func (p *parser) serviceOf(v int32, s *space) facts.ServiceItem {
	name := p.text(v)
	item := facts.ServiceItem{Group: name, Span: p.span(v)}
	if _, ok := s.svcs[name]; ok {
		return item
	}
	for up := s.parent; up != nil; up = up.parent {
		o, ok := up.svcs[name]
		if !ok {
			continue
		}
		if up.scope != "" && up.scope != s.scope {
			s.svcs[name] = o
			g := p.svcGroup(o, s)
			p.d.Groups = append(p.d.Groups, g)
		}
		return item
	}
	if ports := predefinedService(name); ports != nil {
		p.builtin(name, ports)
		return item
	}
	item.Group, item.Unread = "", "service "+name+" is not in this evidence"
	return item
}

// predefinedService are the destination ports of the two services every system has ("Objects > Services", PAN-OS Web
// Interface Reference). An object of the user's may have such a name and counts then.
func predefinedService(name string) []facts.PortRange {
	switch name {
	case "service-http":
		return []facts.PortRange{{First: 80, Last: 80}, {First: 8080, Last: 8080}}
	case "service-https":
		return []facts.PortRange{{First: 443, Last: 443}}
	}
	return nil
}

// builtin states a predefined service, once.
func (p *parser) builtin(name string, ports []facts.PortRange) {
	if _, have := p.lay.top.svcs[name]; have {
		return
	}
	p.lay.top.svcs[name] = object{serviceObject, none}
	p.d.Groups = append(p.d.Groups, facts.Group{
		Name: name, Kind: facts.ServiceGroup, Builtin: true,
		Services: []facts.ServiceItem{{Protocols: []uint8{facts.TCP}, Dst: facts.Ports{Present: true, Ranges: ports}}},
	})
}
