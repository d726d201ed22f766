package panos

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A space is where names of objects are looked up: a virtual system's own, then those above it, then the shared ones.
type space struct {
	scope  string // of its groups
	roots  []int32
	parent *space // nil above the shared one
	addrs  map[string]object
	svcs   map[string]object
	apps   map[string]object
	times  map[string]*facts.TimeRange
}

// An object is a definition.
type object struct {
	kind objectKind
	node int32
}

type objectKind uint8

const (
	addressObject objectKind = iota
	addressGroup
	externalList
	region
	serviceObject
	serviceGroup
	customApp
	appGroup
	appFilter
)

// objects finds the definitions of every space, then states those of addresses and services as groups. Those of the only
// virtual system come before the shared ones, whose scope they have: a name defined twice has its first meaning.
func (p *parser) objects() {
	top := p.newSpace("", append(append([]int32(nil), p.lay.box.shared...), p.lay.pushed...), nil)
	var all []*space
	for _, b := range p.lay.boxes {
		up := top
		if b != p.lay.box {
			up = p.newSpace(b.scope, b.shared, nil)
			all = append(all, up)
		}
		for _, v := range b.vsyses {
			v.space = p.newSpace(v.scope, v.roots, up)
			all = append(all, v.space)
		}
	}
	for _, g := range p.lay.groups {
		g.space = p.newSpace(g.scope, g.roots, top)
		all = append(all, g.space)
	}
	for _, g := range p.lay.groups {
		if g.parent != nil {
			g.space.parent = g.parent.space
		}
	}
	p.lay.top = top
	for _, s := range append(all, top) {
		p.define(s)
	}
}

func (p *parser) newSpace(scope string, roots []int32, parent *space) *space {
	s := &space{
		scope: scope, roots: roots, parent: parent, addrs: map[string]object{}, svcs: map[string]object{}, apps: map[string]object{},
		times: map[string]*facts.TimeRange{},
	}
	for _, x := range [...]struct {
		word string
		kind objectKind
		to   map[string]object
	}{
		{"address", addressObject, s.addrs}, {"address-group", addressGroup, s.addrs}, {"external-list", externalList, s.addrs},
		{"region", region, s.addrs}, {"service", serviceObject, s.svcs}, {"service-group", serviceGroup, s.svcs},
		{"application", customApp, s.apps}, {"application-group", appGroup, s.apps}, {"application-filter", appFilter, s.apps},
	} {
		for _, r := range roots {
			n := p.at(r, x.word)
			p.ok(n)
			for c := p.first(n); c != none; c = p.next(c) {
				name := p.text(c)
				if _, have := x.to[name]; !have {
					x.to[name] = object{x.kind, c}
				}
			}
		}
	}
	return s
}

// at is the statement of that word right below root, the top when root is none.
func (p *parser) at(root int32, word string) int32 { return p.t.Child(root, word) }

// define states the groups of a space.
func (p *parser) define(s *space) {
	for _, r := range s.roots {
		for _, w := range [...]string{"address", "address-group", "region", "external-list"} {
			n := p.at(r, w)
			for c := p.first(n); c != none; c = p.next(c) {
				if o := s.addrs[p.text(c)]; o.node == c {
					p.d.Groups = append(p.d.Groups, p.addrGroup(o, s))
				} else {
					p.okAll(c) // a name that has a meaning already
				}
			}
		}
		for _, w := range [...]string{"service", "service-group"} {
			n := p.at(r, w)
			for c := p.first(n); c != none; c = p.next(c) {
				if o := s.svcs[p.text(c)]; o.node == c {
					p.d.Groups = append(p.d.Groups, p.svcGroup(o, s))
				} else {
					p.okAll(c)
				}
			}
		}
		n := p.at(r, "schedule")
		p.ok(n)
		for c := p.first(n); c != none; c = p.next(c) {
			t := p.schedule(c)
			s.times[t.Name] = t
		}
		p.appObjects(r, s)
	}
}

// each calls f for the statements below n. One with plain values may be followed by others on its line, as the command
// line takes them ("port 5 source-port 9"): f says whether it is such a one, and what follows its values is read too.
func (p *parser) each(n int32, f func(k int32) bool) {
	for c := p.first(n); c != none; c = p.next(c) {
		p.eachBehind(c, f)
	}
}

func (p *parser) eachBehind(c int32, f func(k int32) bool) {
	if !f(c) {
		return
	}
	for v := p.first(c); v != none; v = p.next(v) {
		for k := p.first(v); k != none; k = p.next(k) {
			p.eachBehind(k, f)
		}
	}
}

// values marks statement c with its values.
func (p *parser) values(c int32) {
	p.ok(c)
	for v := p.first(c); v != none; v = p.next(v) {
		p.ok(v)
	}
}

// addrGroup is a definition of addresses as a group.
func (p *parser) addrGroup(o object, s *space) facts.Group {
	n := o.node
	g := facts.Group{Name: p.text(n), Scope: s.scope, Kind: facts.NetworkGroup, Span: p.span(n)}
	p.ok(n)
	switch o.kind {
	case addressGroup:
		p.staticGroup(n, s, &g)
	case externalList:
		p.okAll(n)
		g.Unread = "an external list, fetched by the device"
	case region:
		p.region(n, &g)
	default:
		p.address(n, &g)
	}
	return g
}

// address reads one address object.
func (p *parser) address(n int32, g *facts.Group) {
	found := false
	p.each(n, func(c int32) bool {
		word := string(p.t.Text(c))
		switch word {
		case "ip-netmask", "ip-range", "ip-wildcard", "fqdn":
			p.values(c)
			for v := p.first(c); v != none; v = p.next(v) {
				found = true
				item := p.addressValue(word, v)
				if item.Unread != "" && word != "fqdn" && !variable(p.bytes(v)) {
					p.unsupported(v, "an address that is not understood")
				}
				g.Addrs = append(g.Addrs, item)
			}
			return true
		case "description", "tag", "disable-override":
			p.okAll(c)
		default:
			g.Unread = "a statement of the object is not understood: " + p.text(c)
		}
		return false
	})
	if !found && g.Unread == "" {
		g.Unread = "an address without a value"
	}
}

// variable reports whether b stands for what a template or device fills in ($name).
func variable(b []byte) bool { return len(b) > 1 && b[0] == '$' }

// addressValue reads the value of an address object.
func (p *parser) addressValue(word string, v int32) facts.AddrItem {
	b := p.bytes(v)
	at := p.span(v)
	switch word {
	case "fqdn":
		return facts.AddrItem{Unread: "name " + p.text(v) + " is resolved by the device", Span: at}
	case "ip-wildcard":
		if w, ok := wildcard(b); ok {
			return facts.AddrItem{Wild: &w, Span: at}
		}
	default:
		if item, ok := literal(b); ok {
			item.Span = at
			return item
		}
	}
	if variable(b) {
		return facts.AddrItem{Unread: "variable " + p.text(v), Span: at}
	}
	return facts.AddrItem{Unread: "an address that is not understood: " + p.text(v), Span: at}
}

// literal reads an address, a network or a range first-last.
func literal(b []byte) (facts.AddrItem, bool) {
	if pfx, _, ok := prefix(b); ok {
		return facts.AddrItem{Prefix: pfx}, true
	}
	i := bytes.IndexByte(b, '-')
	if i <= 0 || len(b) > 96 {
		return facts.AddrItem{}, false
	}
	from, ok1 := field.Addr(b[:i])
	to, ok2 := field.Addr(b[i+1:])
	if !ok1 || !ok2 || from.Is4() != to.Is4() || to.Less(from) {
		return facts.AddrItem{}, false
	}
	return facts.AddrItem{From: from, To: to}, true
}

// wildcard reads address/mask, where a zero bit of the mask must match and a one may be anything ("Create an Address
// Object", PAN-OS Admin Guide: "a zero bit indicates that the bit being compared must match the bit in the IP address").
func wildcard(b []byte) (facts.Wildcard, bool) {
	i := bytes.IndexByte(b, '/')
	if i < 0 {
		return facts.Wildcard{}, false
	}
	a, ok1 := field.Addr(b[:i])
	m, ok2 := field.Addr(b[i+1:])
	if !ok1 || !ok2 || !a.Is4() || !m.Is4() {
		return facts.Wildcard{}, false
	}
	w := facts.Wildcard{Addr: a.As4(), Care: m.As4()}
	for k := range w.Care {
		w.Care[k] = ^w.Care[k]
		w.Addr[k] &= w.Care[k]
	}
	return w, true
}

// staticGroup reads an address group: members that are named, or found by their tags while the device runs. Before
// release 6.1 the members stood right below the name.
func (p *parser) staticGroup(n int32, s *space, g *facts.Group) {
	p.each(n, func(c int32) bool {
		switch string(p.t.Text(c)) {
		case "static":
			p.values(c)
			for v := p.first(c); v != none; v = p.next(v) {
				p.member(v, s, g)
			}
			return true
		case "dynamic":
			p.okAll(c)
			g.Unread = "a dynamic group: addresses join it by their tags"
		case "description", "tag", "disable-override":
			p.okAll(c)
		default:
			if p.first(c) != none {
				g.Unread = "a statement of the group is not understood: " + p.text(c)
				return false
			}
			p.ok(c)
			p.member(c, s, g)
		}
		return false
	})
}

// member adds what word v of a group names.
func (p *parser) member(v int32, s *space, g *facts.Group) {
	item := p.addressOf(v, s)
	if item.Group != "" {
		g.Members = append(g.Members, item.Group)
		return
	}
	g.Addrs = append(g.Addrs, item)
}

// region reads a region of the user's own: networks that are called by one name.
func (p *parser) region(n int32, g *facts.Group) {
	p.each(n, func(c int32) bool {
		switch string(p.t.Text(c)) {
		case "address":
			p.values(c)
			for v := p.first(c); v != none; v = p.next(v) {
				item, ok := literal(p.bytes(v))
				if !ok {
					item.Unread = "an address that is not understood: " + p.text(v)
					p.unsupported(v, "an address that is not understood")
				}
				item.Span = p.span(v)
				g.Addrs = append(g.Addrs, item)
			}
			return true
		case "geo-location", "disable-override":
			p.okAll(c)
		default:
			g.Unread = "a statement of the region is not understood: " + p.text(c)
		}
		return false
	})
}

// addressOf is what word v means as a source, a destination or a member: an object of that name, else an address, else
// something that only the device can tell.
func (p *parser) addressOf(v int32, s *space) facts.AddrItem {
	b := p.bytes(v)
	at := p.span(v)
	if string(b) == "any" {
		return facts.AddrItem{Any: true, Span: at}
	}
	if name, ok := p.find(p.intern(b), s); ok {
		return facts.AddrItem{Group: name, Span: at}
	}
	if item, ok := literal(b); ok {
		item.Span = at
		return item
	}
	return facts.AddrItem{Unread: unresolved(p.text(v)), Span: at}
}

// find looks an address up in s and above. What a device group inherits from the one above it becomes its own: names are
// looked up in a scope and among the shared ones only.
func (p *parser) find(name string, s *space) (string, bool) {
	if _, ok := s.addrs[name]; ok {
		return name, true
	}
	for up := s.parent; up != nil; up = up.parent {
		o, ok := up.addrs[name]
		if !ok {
			continue
		}
		if up.scope != "" && up.scope != s.scope {
			s.addrs[name] = o // before its members are looked up: groups may form a ring
			g := p.addrGroup(o, s)
			p.d.Groups = append(p.d.Groups, g)
		}
		return name, true
	}
	return "", false
}

// unresolved says why a name has no addresses here.
func unresolved(name string) string {
	switch {
	case len(name) == 2 && name[0] >= 'A' && name[0] <= 'Z' && name[1] >= 'A' && name[1] <= 'Z':
		return "region " + name + " is resolved by the device"
	case len(name) > 5 && name[:5] == "panw-":
		return "list " + name + " is kept by the vendor"
	case variable([]byte(name)):
		return "variable " + name
	}
	return name + " is not in this evidence"
}

// netmask is the one network an address object or a literal stands for.
func (p *parser) netmask(b []byte, s *space) (netip.Prefix, netip.Addr, bool) {
	for up := s; up != nil; up = up.parent {
		o, ok := up.addrs[string(b)]
		if !ok {
			continue
		}
		if o.kind != addressObject {
			return netip.Prefix{}, netip.Addr{}, false
		}
		v := p.value(p.kid(o.node, "ip-netmask"))
		if v == none {
			return netip.Prefix{}, netip.Addr{}, false
		}
		return prefix(p.bytes(v))
	}
	return prefix(b)
}
