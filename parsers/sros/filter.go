package sros

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// filters reads prefix and port lists and the filters of packets.
func (p *parser) filters() {
	at := p.Kid(p.conf, "filter")
	p.OK(at)
	lists := p.Kid(at, "match-list")
	p.OK(lists)
	for _, w := range [...]string{"ip-prefix-list", "ipv6-prefix-list"} {
		p.each(lists, w, func(n int32) {
			g := facts.Group{Name: p.Text(n), Span: p.Span(n)}
			for c := p.First(n); c != none; c = p.Next(c) {
				switch p.Text(c) {
				case "prefix":
					for v := p.First(c); v != none; v = p.Next(v) {
						item, ok := wordtree.Item(p.Bytes(v))
						if !ok {
							item = facts.AddrItem{Unread: "the prefix " + p.Text(v)}
						}
						g.Addrs = append(g.Addrs, item)
					}
				case "description":
				default: // apply-path and the like
					g.Unread = p.Text(c)
				}
			}
			p.OKAll(n)
			p.D.Groups = append(p.D.Groups, g)
		})
	}
	p.each(lists, "port-list", func(n int32) {
		g := facts.Group{Name: p.Text(n), Kind: facts.PortGroup, Span: p.Span(n)}
		p.Each(n, "port", func(c int32) {
			for v := p.First(c); v != none; v = p.Next(v) {
				q, ok := p.portAt(v)
				if !ok {
					g.Unread = "a port"
					continue
				}
				g.Ports = append(g.Ports, q)
			}
		})
		p.OKAll(n)
		p.D.Groups = append(p.D.Groups, g)
	})
	for _, k := range [...]struct {
		word   string
		family facts.Family
	}{{"ip-filter", facts.IPv4}, {"ipv6-filter", facts.IPv6}} {
		p.each(at, k.word, func(n int32) {
			name := p.Text(n)
			p.names[k.word+" "+name] = name
			if id, v := p.leaf(n, "filter-id"); v != none {
				p.names[k.word+" "+id] = name
			}
			p.filter(n, name, "filter "+k.word, k.family, facts.Deny)
		})
	}
}

// ends are what a default action says.
func ends(s string, fallback facts.Action) facts.Action {
	switch s {
	case "accept", "forward", "permit":
		return facts.Permit
	case "drop", "deny", "deny-host-unreachable", "ignore-match-drop":
		return facts.Deny
	case "":
		return fallback
	}
	return facts.ActionUnknown
}

// filter reads a filter: entries by number.
func (p *parser) filter(n int32, name, kind string, family facts.Family, end facts.Action) {
	p.OK(n)
	p.InFilter(n, name)
	f := facts.Filter{Name: name, Kind: kind, Family: family, Default: end, Span: p.Span(n)}
	if s, v := p.first(n, "default-action"); v != none {
		p.OKAll(p.in(n, "default-action"))
		f.Default, f.End = ends(s, end), p.Span(v)
	}
	type numbered struct {
		number uint64
		node   int32
	}
	var entries []numbered
	p.each(n, "entry", func(c int32) {
		number, _ := field.Uint(p.Bytes(c))
		entries = append(entries, numbered{number, c})
	})
	slices.SortStableFunc(entries, func(a, b numbered) int {
		switch {
		case a.number < b.number:
			return -1
		case a.number > b.number:
			return 1
		}
		return 0
	})
	for _, e := range entries {
		f.Rules = append(f.Rules, p.entry(e.node))
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		switch p.Text(c) {
		case "entry", "default-action", "filter-id", "description", "scope", "filter-name", "name", "admin-state", "shutdown", "type", "no":
			p.OKAll(c)
		default: // embedded filters, chains to a system filter
			p.Unsupported(c, "a statement of a filter that is not modelled")
			f.Unread = "a statement that is not modelled: " + p.Text(c)
		}
	}
	p.D.Filters = append(p.D.Filters, f)
}

// entry reads one entry. Without an action it is not in force.
func (p *parser) entry(n int32) facts.Rule {
	p.OK(n)
	r := facts.Rule{Name: p.Text(n), Span: p.Span(n)}
	stated := false
	for c := p.First(n); c != none; c = p.Next(c) {
		switch word := p.Text(c); word {
		case "action":
			p.OKAll(c)
			v := p.First(c)
			if v == none {
				continue
			}
			stated = true
			switch s := p.Text(v); s {
			case "accept", "forward", "permit", "nat", "reassemble", "tcp-mss-adjust", "http-redirect", "queue", "gtp-local-breakout", "l2-aware-nat-bypass", "fc", "remark", "extended-action", "rate-limit":
				r.Action = facts.Permit
			case "drop", "deny", "deny-host-unreachable":
				r.Action = facts.Deny
			case "default": // CPM queue
				r.Action = facts.Permit
			case "no":
				stated = false
			}
			if k := p.First(v); k != none && r.Action == facts.Deny && !p.Is(v, "deny-host-unreachable") { // packet-length, ttl, pattern
				r.Match.Unread = append(r.Match.Unread, "drop of some: "+p.Text(k))
			}
		case "match":
			for v := p.First(c); v != none; v = p.Next(v) {
				p.condition(v, &r.Match)
			}
			p.OK(c)
		case "log":
			p.OKAll(c)
			r.Log = facts.Say(true, p.Span(c))
		case "description":
			if v := p.First(c); v != none {
				r.Remark = wordtree.Clean(p.Bytes(v))
			}
		case "filter-sample", "interface-sample", "interface-disable-sample", "collect-stats", "no", "sample-profile", "pbr-down-action-override", "sticky-dest", "egress-pbr":
			p.OKAll(c)
		case "protocol", "next-header", "src-ip", "dst-ip", "src-port", "dst-port", "port", "icmp-code", "icmp-type", "router", "mgmt-port", "l4-src-port": // classic management access filter
			p.condition(c, &r.Match)
		default:
			p.OKAll(c)
			r.Match.Unread = append(r.Match.Unread, word)
		}
	}
	if !stated {
		r.Inactive = facts.Say(true, p.Span(n))
	}
	return r
}

// protocols by name (IANA registry; nokia-types-filter).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ip": 4, "ip-in-ip": 4, "tcp": 6, "egp": 8, "udp": 17, "rdp": 27, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "rsvp": 46, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58,
	"icmp6": 58, "ipv6-no-nxt": 59, "eigrp": 88, "ospf": 89, "ospf-igp": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": 132,
}

// condition reads one condition of an entry.
func (p *parser) condition(n int32, m *facts.Match) {
	p.OKAll(n)
	v := p.First(n)
	s := ""
	if v != none {
		s = p.Text(v)
	}
	switch word := p.Text(n); word {
	case "protocol", "next-header":
		number, isNumber := field.Uint([]byte(s))
		known, ok := protocols[s]
		switch {
		case s == "*" || s == "none":
		case s == "tcp-udp":
			m.Protocols = []uint8{facts.TCP, facts.UDP}
		case ok:
			m.Protocols = []uint8{known}
		case isNumber && number < 256:
			m.Protocols = []uint8{uint8(number)}
		default:
			m.Unread = append(m.Unread, word+" "+s)
		}
		for c := p.First(v); c != none; c = p.Next(c) { // classic: "match protocol tcp" opens the block
			p.condition(c, m)
		}
	case "src-ip":
		p.address(n, &m.Src, m)
	case "dst-ip":
		p.address(n, &m.Dst, m)
	case "ip", "address":
		p.address(n, &m.Either, m)
	case "src-port", "l4-src-port":
		m.SrcPorts = p.portSet(n, m)
	case "dst-port", "mgmt-port":
		m.DstPorts = p.portSet(n, m)
	case "port":
		m.EitherPorts = p.portSet(n, m)
	case "fragment":
		switch s {
		case "true":
			m.Fragments = facts.NonInitial
			m.Unread = append(m.Unread, "fragment true") // the first fragment too
		case "false":
			m.Fragments = facts.Unfragmented
			m.Unread = append(m.Unread, "fragment false")
		default:
			m.Unread = append(m.Unread, "fragment "+s)
		}
	case "tcp-established":
		m.Flags = facts.Established
	case "tcp-syn", "tcp-ack":
		p.flag(word, s, m)
	case "icmp-type", "icmp-code", "icmp":
		m.Unread = append(m.Unread, word+" "+s)
	case "description":
	default:
		m.Unread = append(m.Unread, strings.TrimSpace(word+" "+s))
	}
}

// flag reads "tcp-syn true" and "tcp-ack false", which together mean a new session.
func (p *parser) flag(word, s string, m *facts.Match) {
	other := "tcp-ack false"
	if word == "tcp-ack" {
		other = "tcp-syn true"
	}
	if i := slices.Index(m.Unread, other); i >= 0 && (word+" "+s == "tcp-ack false" || word+" "+s == "tcp-syn true") {
		m.Unread = slices.Delete(m.Unread, i, i+1)
		m.Flags = facts.Initial
		return
	}
	m.Unread = append(m.Unread, word+" "+s)
}

// address reads "src-ip 10.0.0.0/8", "src-ip 10.0.0.0 255.0.0.0", "src-ip ip-prefix-list x", and the model's "address", "mask".
func (p *parser) address(n int32, a *facts.Addrs, m *facts.Match) {
	a.Present = true
	if s, v := p.leaf(n, "address"); v != none {
		mask, _ := p.leaf(n, "mask")
		a.Items = append(a.Items, masked(s, mask))
		return
	}
	for _, w := range [...]string{"ip-prefix-list", "ipv6-prefix-list"} {
		if s, v := p.leaf(n, w); v != none {
			a.Items = append(a.Items, facts.AddrItem{Group: s, Span: p.Span(v)})
			return
		}
	}
	v := p.First(n)
	if v == none {
		m.Unread = append(m.Unread, p.Text(n))
		return
	}
	mask := ""
	if k := p.First(v); k != none {
		mask = p.Text(k)
	}
	item := masked(p.Text(v), mask)
	item.Span = p.Span(v)
	a.Items = append(a.Items, item)
}

// masked reads an address with a length, or with a mask whose set bits matter.
func masked(s, mask string) facts.AddrItem {
	if mask == "" {
		if item, ok := wordtree.Item([]byte(s)); ok {
			return item
		}
		return facts.AddrItem{Unread: "the address " + s}
	}
	a, ok1 := field.Addr([]byte(s))
	b, ok2 := field.Addr([]byte(mask))
	if !ok1 || !ok2 || a.Is4() != b.Is4() {
		return facts.AddrItem{Unread: "the address " + s + " " + mask}
	}
	bits, zero, holes := 0, false, false
	for _, c := range b.AsSlice() {
		for k := 7; k >= 0; k-- {
			if one := c>>k&1 == 1; one && !zero {
				bits++
			} else if one {
				holes = true
			} else {
				zero = true
			}
		}
	}
	switch {
	case !holes:
		return facts.AddrItem{Prefix: netip.PrefixFrom(a, bits).Masked()}
	case a.Is4():
		return facts.AddrItem{Wild: &facts.Wildcard{Addr: a.As4(), Care: b.As4()}}
	}
	return facts.AddrItem{Unread: "the mask " + mask}
}

// portSet reads a set of ports.
func (p *parser) portSet(n int32, m *facts.Match) facts.Ports {
	if s, v := p.leaf(n, "port-list"); v != none {
		return facts.Ports{Present: true, Groups: []string{s}}
	}
	ranges, ok := p.portsOf(n)
	if !ok {
		m.Unread = append(m.Unread, p.Text(n))
		return facts.Ports{}
	}
	return facts.Ports{Present: true, Ranges: ranges}
}

// portsOf reads the ports below n.
func (p *parser) portsOf(n int32) ([]facts.PortRange, bool) {
	v := p.First(n)
	if v == none {
		return nil, false
	}
	q, ok := p.portAt(v)
	return []facts.PortRange{q}, ok
}

// portAt reads "eq 21", "range 20 21", "range { start 20 end 21 }", "lt 1024", "gt 1023", "21", and "22 65535", a port with the mask
// of all bits.
func (p *parser) portAt(v int32) (facts.PortRange, bool) {
	number := func(c int32) (uint16, bool) {
		if c == none {
			return 0, false
		}
		return field.Port(p.Bytes(c))
	}
	one := p.First(v)
	switch word := p.Text(v); word {
	case "eq":
		q, ok := number(one)
		return facts.PortRange{First: q, Last: q}, ok && p.First(one) == none
	case "lt":
		q, ok := number(one)
		return facts.PortRange{First: 0, Last: q - 1}, ok && q > 0
	case "gt":
		q, ok := number(one)
		return facts.PortRange{First: q + 1, Last: 65535}, ok && q < 65535
	case "range":
		from, ok1 := number(one)
		to, ok2 := number(p.First(one))
		if k := p.Kid(v, "start"); k != none {
			from, ok1 = number(p.Value(k))
			to, ok2 = number(p.Value(p.Kid(v, "end")))
		}
		return facts.PortRange{First: from, Last: to}, ok1 && ok2 && from <= to
	}
	q, ok := number(v)
	mask, hasMask := number(one)
	return facts.PortRange{First: q, Last: q}, ok && (one == none || hasMask && mask == 65535)
}

// planes reads the filters in front of the CPM. They accept what no entry decides unless told otherwise, and are not asked when
// they are shut down.
func (p *parser) planes() {
	cpm, maf := p.Kid(p.security, "cpm-filter"), p.Kid(p.security, "management-access-filter")
	common, _ := p.first(cpm, "default-action")
	p.OKAll(p.in(cpm, "default-action"))
	for _, k := range [...]struct {
		at     int32
		kind   string
		word   string
		family facts.Family
	}{
		{cpm, "cpm-filter", "ip-filter", facts.IPv4}, {cpm, "cpm-filter", "ipv6-filter", facts.IPv6},
		{maf, "management-access-filter", "ip-filter", facts.IPv4}, {maf, "management-access-filter", "ipv6-filter", facts.IPv6},
	} {
		n := p.Kid(k.at, k.word)
		if n == none {
			continue
		}
		off, stated := p.shut(n)
		if !stated { // YANG: cpm-filter admin-state disable, management-access-filter admin-state enable
			off = facts.Assume(k.kind == "cpm-filter")
		}
		name := k.kind + " " + k.word
		end := facts.Permit
		if k.kind == "cpm-filter" {
			end = ends(common, facts.Permit)
		}
		p.filter(n, name, "system security "+k.kind, k.family, end)
		if !off.Val {
			p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: []string{name}, Family: k.family, Where: facts.WhereControlPlane, Span: p.Span(n)})
		}
	}
	p.OK(cpm)
	p.OK(maf)
}
