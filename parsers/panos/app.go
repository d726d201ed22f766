package panos

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// appObjects reads the applications, groups and filters right below root r.
func (p *parser) appObjects(r int32, s *space) {
	for _, w := range [...]string{"application", "application-group", "application-filter"} {
		n := p.at(r, w)
		for c := p.first(n); c != none; c = p.next(c) {
			p.ok(c)
			if w != "application" {
				p.okAll(c)
				continue
			}
			for k := p.first(c); k != none; k = p.next(k) {
				if p.is(k, "default") {
					p.okAll(k)
				} else {
					p.irrelevant(k, w) // what it is like, how it is told, how long it may idle
				}
			}
		}
	}
}

// An appSet is the applications a rule names.
type appSet struct {
	any    bool
	names  []string            // lower case, with what belongs to a container
	custom map[string]object   // those that are defined here
	unread []string            // what else it may hold
	seen   map[string]struct{} // groups under way
}

// appsOf reads the names below statement c.
func (p *parser) appsOf(c int32, s *space) *appSet {
	a := &appSet{names: make([]string, 0, p.count(c))}
	for v := p.first(c); v != none; v = p.next(v) {
		if p.is(v, "any") {
			a.any = true
			continue
		}
		p.addApp(a, p.text(v), s)
	}
	slices.Sort(a.names)
	a.names = slices.Compact(a.names)
	return a
}

// addApp adds an application, or what a group or filter of that name holds.
func (p *parser) addApp(a *appSet, name string, s *space) {
	var o object
	found := false
	at := s
	for ; at != nil && !found; at = at.parent {
		o, found = at.apps[name]
		if found {
			break
		}
	}
	if !found {
		a.names = append(a.names, strings.ToLower(name))
		for _, k := range containers {
			if k.name == name {
				a.names = append(a.names, k.holds...)
			}
		}
		return
	}
	switch o.kind {
	case appGroup:
		if _, busy := a.seen[name]; busy {
			return
		}
		if a.seen == nil {
			a.seen = map[string]struct{}{}
		}
		a.seen[name] = struct{}{}
		members := p.kid(o.node, "members")
		if members == none {
			members = o.node
		}
		for v := p.first(members); v != none; v = p.next(v) {
			if !p.is(v, "members") && !p.is(v, "tag") && !p.is(v, "disable-override") {
				p.addApp(a, p.text(v), at)
			}
		}
	case appFilter:
		a.unread = append(a.unread, "application filter "+name)
	default:
		lower := strings.ToLower(name)
		a.names = append(a.names, lower)
		if a.custom == nil {
			a.custom = map[string]object{}
		}
		a.custom[lower] = o
	}
}

// defaults are the services of an application's default ports; ok is false when they are not known here.
func (p *parser) defaultsOf(a *appSet, name string) (items []facts.ServiceItem, ok bool) {
	if o, custom := a.custom[name]; custom {
		return p.customDefaults(p.kid(o.node, "default"))
	}
	return predefinedApp(name)
}

// customDefaults reads "default" of an application: "port [ tcp/80,443 udp/1000-2000 ]" or a protocol.
func (p *parser) customDefaults(n int32) (items []facts.ServiceItem, ok bool) {
	for c := p.first(n); c != none; c = p.next(c) {
		v := p.first(c)
		switch string(p.t.Text(c)) {
		case "port":
			for ; v != none; v = p.next(v) {
				item, read := appPort(p.bytes(v))
				if !read {
					return nil, false
				}
				item.Span = p.span(v)
				items = append(items, item)
			}
		case "ident-by-ip-protocol":
			for ; v != none; v = p.next(v) {
				n, read := small(p.bytes(v))
				if !read || n > 255 {
					return nil, false
				}
				items = append(items, facts.ServiceItem{Protocols: []uint8{uint8(n)}, Span: p.span(v)})
			}
		case "ident-by-icmp-type", "ident-by-icmp6-type":
			item, read := p.appICMP(c)
			if !read {
				return nil, false
			}
			items = append(items, item)
		default:
			return nil, false
		}
	}
	return items, len(items) > 0
}

// appPort reads "tcp/80,443", "udp/dynamic".
func appPort(b []byte) (facts.ServiceItem, bool) {
	proto, ports, ok := bytes.Cut(b, []byte("/"))
	if !ok {
		return facts.ServiceItem{}, false
	}
	var item facts.ServiceItem
	switch string(proto) {
	case "tcp":
		item.Protocols = []uint8{facts.TCP}
	case "udp":
		item.Protocols = []uint8{facts.UDP}
	case "sctp":
		item.Protocols = []uint8{protoSCTP}
	default:
		return item, false
	}
	if string(ports) == "dynamic" {
		return item, true
	}
	item.Dst.Present = true
	item.Dst.Ranges, ok = portList(nil, ports)
	return item, ok
}

// appICMP reads the type, and code when there is one, that tells an application.
func (p *parser) appICMP(c int32) (facts.ServiceItem, bool) {
	item := facts.ServiceItem{Protocols: []uint8{protoICMP}, Span: p.span(c)}
	if p.is(c, "ident-by-icmp6-type") {
		item.Protocols[0] = protoICMPv6
	}
	v := p.value(p.kid(c, "type"))
	if v == none {
		v = p.value(c)
	}
	if v == none {
		return item, false
	}
	kind, ok := small(p.bytes(v))
	if !ok || kind > 255 {
		return item, false
	}
	code := -1
	if k := p.value(p.kid(c, "code")); k != none {
		if code, ok = small(p.bytes(k)); !ok || code > 255 {
			return item, false
		}
	}
	item.ICMP = []facts.ICMPType{{Type: uint8(kind), Code: int16(code)}}
	return item, true
}
