package junos

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A prefixList is what is known of a list when filters refer to it.
type prefixList struct{ empty bool }

// prefixLists reads "policy-options prefix-list"; the rest of policy-options decides routes, not packets.
func (p *parser) prefixLists(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "prefix-list") {
			p.other("policy-options", c)
			continue
		}
		p.ok(c)
		for l := p.first(c); l != none; l = p.next(l) {
			p.prefixList(l)
		}
	}
}

func (p *parser) prefixList(l int32) {
	p.ok(l)
	g := facts.Group{Name: p.text(l), Scope: p.scope, Kind: facts.NetworkGroup, Span: p.span(l)}
	for c := p.first(l); c != none; c = p.next(c) {
		switch {
		case p.is(c, "apply-path"):
			p.okAll(c)
			if v := p.value(c); v != none {
				p.applyPath(v, &g)
			}
		case p.applies(c):
		default:
			pfx, _, ok := prefix(p.bytes(c))
			if !ok {
				p.unsupported(c, "an entry that is no prefix")
				g.Unread = "an entry is no prefix: " + string(p.bytes(c))
				continue
			}
			p.okAll(c)
			g.Addrs = append(g.Addrs, facts.AddrItem{Prefix: pfx, Span: p.span(c)})
		}
	}
	p.lists[g.Name] = &prefixList{empty: len(g.Addrs) == 0 && g.Unread == ""}
	p.d.Groups = append(p.d.Groups, g)
}

// applyPath adds what the path finds in the configuration: "interfaces <*> unit <*> family inet address <*>" gives the
// networks of all addresses ("apply-path", Junos CLI reference). In part of a configuration a path that finds nothing may
// have lost what it leads to.
func (p *parser) applyPath(v int32, g *facts.Group) {
	words := bytes.Fields(p.bytes(v))
	at := []int32{none}
	for i, w := range words {
		var next []int32
		for _, n := range at {
			for c := p.firstAt(n); c != none; c = p.next(c) {
				if (wildcard(w) && matches(w, p.bytes(c)) || bytes.Equal(w, p.bytes(c))) && c != p.groups {
					next = append(next, c)
				}
			}
		}
		at = next
		if len(at) == 0 && i > 0 {
			break
		}
	}
	found := map[netip.Prefix]bool{}
	for _, n := range at {
		if n == none {
			continue
		}
		pfx, _, ok := prefix(p.bytes(n))
		if !ok || found[pfx] {
			continue
		}
		found[pfx] = true
		g.Addrs = append(g.Addrs, facts.AddrItem{Prefix: pfx, Span: p.span(n)})
	}
	if len(found) == 0 && !p.whole {
		g.Unread = "apply-path finds nothing in this part of a configuration: " + string(bytes.Join(words, []byte(" ")))
	}
}

// A book is an SRX address book.
type book struct {
	zones   []string // it is attached to
	entries map[string]bool
}

// addressBooks reads "security address-book": named books attached to zones, and the global one.
func (p *parser) addressBooks(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for b := p.first(n); b != none; b = p.next(b) {
		p.ok(b)
		at := &book{entries: map[string]bool{}}
		if p.is(b, "global") {
			p.global = at
		} else {
			zones := p.under(b, "attach", "zone")
			for z := p.first(zones); z != none; z = p.next(z) {
				at.zones = append(at.zones, p.text(z))
				p.books[p.text(z)] = at
			}
			p.okAll(p.kid(b, "attach"))
		}
		p.bookEntries(b, at)
	}
}

// bookEntries adds the addresses and sets below n: once for the global book, once for every zone of another.
func (p *parser) bookEntries(n int32, at *book) {
	scopes := []string{p.scope}
	if len(at.zones) > 0 {
		scopes = scopes[:0]
		for _, z := range at.zones {
			scopes = append(scopes, p.zoneScope(z))
		}
	} else if at != p.global {
		scopes = nil // attached nowhere: no policy sees it
	}
	for k := p.first(n); k != none; k = p.next(k) {
		var read func(int32) facts.Group
		switch string(p.bytes(k)) {
		case "address":
			read = p.bookAddress
		case "address-set":
			read = func(c int32) facts.Group { return p.addressSet(c, at) }
		case "attach", "description":
			p.okAll(k)
			continue
		default:
			p.other("security address-book *", k)
			continue
		}
		p.ok(k)
		for c := p.first(k); c != none; c = p.next(c) {
			p.ok(c)
			at.entries[p.text(c)] = true
			g := read(c)
			for _, s := range scopes {
				g.Scope = s
				p.d.Groups = append(p.d.Groups, g)
			}
		}
	}
}

// zoneScope is the scope of the groups of a zone's own address book.
func (p *parser) zoneScope(zone string) string {
	if p.scope != "" {
		return p.scope + " zone:" + zone
	}
	return "zone:" + zone
}

// bookAddress reads one address: a prefix, a range, a wildcard mask or a name that is resolved when traffic flows.
func (p *parser) bookAddress(c int32) facts.Group {
	g := facts.Group{Name: p.text(c), Kind: facts.NetworkGroup, Span: p.span(c)}
	for k := p.first(c); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "ip-prefix":
			p.ok(k)
			for v := p.first(k); v != none; v = p.next(v) {
				p.bookPrefix(v, &g)
			}
		case "range-address":
			p.okAll(k)
			v := p.value(k)
			to := p.value(p.kid(v, "to"))
			if v == none || to == none {
				g.Unread = "an address range without an end"
				p.unsupported(k, g.Unread)
				continue
			}
			from, ok1 := addr(p.bytes(v))
			last, ok2 := addr(p.bytes(to))
			if !ok1 || !ok2 || last.Less(from) || from.Is4() != last.Is4() {
				g.Unread = "an address range that is not understood"
				p.unsupported(k, g.Unread)
				continue
			}
			g.Addrs = append(g.Addrs, facts.AddrItem{From: from, To: last, Span: p.span(to)})
		case "wildcard-address":
			p.okAll(k)
			v := p.value(k)
			if v == none {
				continue
			}
			item, ok := address(p.bytes(v))
			if !ok {
				g.Unread = "a wildcard address that is not understood"
				p.unsupported(k, g.Unread)
				continue
			}
			item.Span = p.span(v)
			g.Addrs = append(g.Addrs, item)
		case "dns-name":
			p.okAll(k)
			if v := p.value(k); v != none {
				g.Addrs = append(g.Addrs, facts.AddrItem{Unread: "name " + p.text(v) + " is resolved by the device", Span: p.span(v)})
			}
		case "description":
			p.okAll(k)
		default:
			if !p.applies(k) {
				p.bookPrefix(k, &g)
			}
		}
	}
	return g
}

func (p *parser) bookPrefix(v int32, g *facts.Group) {
	item, ok := address(p.bytes(v))
	if !ok {
		if p.t.Nodes[v].First != none || bytes.IndexByte(p.bytes(v), '.') < 0 && bytes.IndexByte(p.bytes(v), ':') < 0 {
			g.Unread = "an address that is not understood: " + p.text(v)
			p.unsupported(v, "an address that is not understood")
		} else {
			g.Addrs = append(g.Addrs, facts.AddrItem{Unread: "name " + p.text(v) + " is resolved by the device", Span: p.span(v)})
			p.okAll(v)
		}
		return
	}
	p.okAll(v)
	item.Span = p.span(v)
	g.Addrs = append(g.Addrs, item)
}

// addressSet reads one set: addresses and sets of the same book.
func (p *parser) addressSet(c int32, at *book) facts.Group {
	g := facts.Group{Name: p.text(c), Kind: facts.NetworkGroup, Span: p.span(c)}
	for k := p.first(c); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "address", "address-set":
			p.okAll(k)
			for v := p.first(k); v != none; v = p.next(v) {
				g.Members = append(g.Members, p.text(v))
			}
		case "description":
			p.okAll(k)
		default:
			if !p.applies(k) {
				g.Unread = "a statement of the set is not understood: " + p.text(k)
			}
		}
	}
	slices.Sort(g.Members)
	g.Members = slices.Compact(g.Members)
	return g
}
