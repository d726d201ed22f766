package bigip

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// listeners is the filter of what passes through.
const listeners = "virtual servers"

// profileNames notes the profiles that know a transfer protocol: the factory's and those made from them.
func (p *parser) profileNames() {
	p.profiles["ftp"], p.profiles["tftp"], p.profiles["smbtest"] = facts.FTP, facts.TFTP, facts.SMB
	for _, k := range [...]struct {
		word string
		kind facts.Protocol
	}{{"ftp", facts.FTP}, {"tftp", facts.TFTP}} {
		p.Each(p.Under(root, "ltm", "profile", k.word), "", func(n int32) {
			p.profiles[base(p.Text(n))] = k.kind
			p.Rest(n)
		})
	}
}

// virtuals reads what listens: virtual servers, SNATs and NATs.
func (p *parser) virtuals() {
	f := facts.Filter{Name: listeners, Kind: "ltm virtual", Default: facts.Deny, Stateful: true, Synthetic: true}
	p.Each(p.Under(root, "ltm", "virtual"), "", func(n int32) {
		p.OK(n)
		f.Rules = append(f.Rules, p.virtual(n)...)
	})
	p.Each(p.Under(root, "ltm", "snat"), "", func(n int32) {
		r := facts.Rule{Name: base(p.Text(n)), Action: facts.Permit, Span: p.Span(n)}
		r.Match.Src.Present = true
		p.Each(p.Kid(n, "origins"), "", func(o int32) {
			if a, bits, _, ok := address(p.Text(o)); ok {
				r.Match.Src.Items = append(r.Match.Src.Items, facts.AddrItem{Prefix: netip.PrefixFrom(a, bits).Masked()})
			}
		})
		p.vlans(n, &r)
		f.Rules = append(f.Rules, r)
		p.Rest(n)
	})
	p.Each(p.Under(root, "ltm", "nat"), "", func(n int32) {
		from, bits, _, ok1 := address(p.String(n, "originating-address"))
		to, _, _, ok2 := address(p.String(n, "translation-address"))
		if ok1 && ok2 {
			x := facts.NAT{Kind: "static", Static: true, Original: netip.PrefixFrom(from, bits), Mapped: netip.PrefixFrom(to, to.BitLen()), Span: p.Span(n)}
			p.D.NAT = append(p.D.NAT, x)
			for _, side := range [...]facts.Match{
				{Src: facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: x.Original}}}}, {Dst: facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: x.Original}}}},
			} {
				f.Rules = append(f.Rules, facts.Rule{Name: base(p.Text(n)), Action: facts.Permit, Match: side, Span: p.Span(n)})
			}
		}
		p.Rest(n)
	})
	if len(f.Rules) == 0 && !p.whole {
		return // a part without listeners says nothing about what listens
	}
	p.D.Filters = append(p.D.Filters, f)
	p.global()
	p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: []string{listeners}, Where: facts.WhereTransit})
}

// global is the policy of the firewall module that everything asks first; what it does not decide goes on.
func (p *parser) global() {
	pol, v := p.Leaf(p.Under(root, "security", "firewall", "global-rules"), "enforced-policy")
	if v == none {
		return
	}
	p.D.Filters = append(p.D.Filters, facts.Filter{Name: "behind the global policy", Kind: "security firewall", Default: facts.Permit, Synthetic: true})
	p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: []string{base(pol), "behind the global policy"}, Where: facts.WhereTransit, Span: p.Span(v)})
}

// vlans restricts a rule to where the traffic comes from.
func (p *parser) vlans(n int32, r *facts.Rule) {
	list := p.Kid(n, "vlans")
	if list == none {
		return
	}
	places := facts.Places{Present: true, Not: p.Kid(n, "vlans-enabled") == none}
	p.Each(list, "", func(c int32) { places.Names = append(places.Names, base(p.Text(c))) })
	p.OKAll(list)
	p.OKAll(p.Kid(n, "vlans-enabled"))
	p.OKAll(p.Kid(n, "vlans-disabled"))
	r.Match.In = places
}

// virtual reads a virtual server: rules that let its traffic in, and the service it publishes.
func (p *parser) virtual(n int32) []facts.Rule {
	defer p.Rest(n)
	name := base(p.Text(n))
	r := facts.Rule{Name: name, Action: facts.Permit, Span: p.Span(n)}
	host, port := p.destination(n, &r)
	if src := p.String(n, "source"); src != "" {
		if a, bits, _, ok := address(src); ok && bits > 0 {
			r.Match.Src = facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: netip.PrefixFrom(a, bits).Masked()}}}
		}
	}
	if s := p.String(n, "ip-protocol"); s != "" && s != "any" {
		if proto, ok := protocols[s]; ok {
			r.Match.Protocols = []uint8{proto}
		} else {
			r.Match.Unread = append(r.Match.Unread, "ip-protocol "+s)
		}
	}
	p.vlans(n, &r)
	if off := p.Kid(n, "disabled"); off != none {
		p.OKAll(off)
		r.Inactive = facts.Say(true, p.Span(off))
	}
	if k := p.Kid(n, "reject"); k != none {
		p.OKAll(k)
		r.Action = facts.Deny
	}
	p.publishes(n, name, host, port, &r)
	if pol, v := p.Leaf(n, "fw-enforced-policy"); v != none { // decides first about what comes here
		ask := r
		ask.Action, ask.To, ask.Span = facts.Jump, base(pol), p.Span(v)
		return []facts.Rule{ask, r}
	}
	return []facts.Rule{r}
}

// destination reads "destination /Common/10.0.0.1:21" with its mask; the port may be a name, "any" or 0.
func (p *parser) destination(n int32, r *facts.Rule) (host string, port uint16) {
	s := base(p.String(n, "destination"))
	mask := p.String(n, "mask")
	sep := strings.LastIndexByte(s, ':')
	if strings.Count(s, ":") > 1 { // IPv6: 2001:db8::1.21
		sep = strings.LastIndexByte(s, '.')
	}
	text, service := s, ""
	if sep > 0 {
		text, service = s[:sep], s[sep+1:]
	}
	a, bits, _, ok := address(text)
	switch {
	case s == "":
	case text == "any" || text == "any6":
	case !ok:
		r.Match.Unread = append(r.Match.Unread, "destination "+s)
	default:
		if m, is := field.Addr([]byte(mask)); is {
			bits = ones(m)
		} else if mask == "any" || mask == "any6" {
			bits = 0
		}
		host = a.String()
		r.Match.Dst = facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: netip.PrefixFrom(a, bits).Masked()}}}
	}
	if q, ok := portOf(service); ok {
		r.Match.DstPorts = facts.Ports{Present: true, Ranges: []facts.PortRange{q}}
		return host, q.First
	}
	if service != "" && service != "any" && service != "0" {
		r.Match.Unread = append(r.Match.Unread, "port "+service)
	}
	return host, 0
}

// ones is the length of a netmask.
func ones(m netip.Addr) int {
	n := 0
	for _, b := range m.AsSlice() {
		for ; b&0x80 != 0; b <<= 1 {
			n++
		}
	}
	return n
}

// publishes states the service of a virtual server whose profile or port is one of files.
func (p *parser) publishes(n int32, name, host string, port uint16, r *facts.Rule) {
	kind := facts.ProtocolUnknown
	at := n
	p.Each(p.Kid(n, "profiles"), "", func(c int32) {
		p.OKAll(c)
		if k, ok := p.profiles[base(p.Text(c))]; ok {
			kind, at = k, c
		}
	})
	if kind == facts.ProtocolUnknown {
		transport := facts.TCP
		if len(r.Match.Protocols) == 1 {
			transport = r.Match.Protocols[0]
		}
		kind = facts.ByPort(transport, port)
	}
	pool := base(p.String(n, "pool"))
	if kind == facts.ProtocolUnknown || r.Action != facts.Permit {
		return
	}
	x := facts.Service{
		Protocol: kind, Name: "ltm virtual " + name, Role: facts.RoleProxy, Enabled: facts.Say(!facts.On(r.Inactive), p.Span(at)), Port: port, Bind: host, Span: p.Span(at),
	}
	if pool != "" {
		x.Path = "to pool " + pool
	}
	p.D.Services = append(p.D.Services, x)
}

// objects reads the firewall module's lists, rule lists and policies.
func (p *parser) objects() {
	at := p.Under(root, "security", "firewall")
	p.Each(p.Kid(at, "address-list"), "", func(n int32) {
		p.OK(n)
		g := facts.Group{Name: base(p.Text(n)), Span: p.Span(n)}
		p.Each(p.Kid(n, "addresses"), "", func(c int32) { g.Addrs = append(g.Addrs, p.member(c)) })
		p.Each(p.Kid(n, "address-lists"), "", func(c int32) { g.Members = append(g.Members, base(p.Text(c))) })
		for _, w := range [...]string{"fqdns", "geo"} {
			if p.Kid(n, w) != none {
				g.Addrs = append(g.Addrs, facts.AddrItem{Unread: w + " of " + g.Name})
			}
		}
		p.OKAll(n)
		p.D.Groups = append(p.D.Groups, g)
	})
	p.Each(p.Kid(at, "port-list"), "", func(n int32) {
		g := facts.Group{Name: base(p.Text(n)), Kind: facts.PortGroup, Span: p.Span(n)}
		p.Each(p.Kid(n, "ports"), "", func(c int32) {
			if q, ok := portOf(p.Text(c)); ok {
				g.Ports = append(g.Ports, q)
			} else {
				g.Unread = "the port " + p.Text(c)
			}
		})
		p.Each(p.Kid(n, "port-lists"), "", func(c int32) { g.Members = append(g.Members, base(p.Text(c))) })
		p.OKAll(n)
		p.D.Groups = append(p.D.Groups, g)
	})
	for _, w := range [...]string{"rule-list", "policy"} {
		p.Each(p.Kid(at, w), "", func(n int32) { p.policy(n, base(p.Text(n))) })
	}
}

func (p *parser) member(c int32) facts.AddrItem {
	if a, bits, _, ok := address(p.Text(c)); ok {
		return facts.AddrItem{Prefix: netip.PrefixFrom(a, bits).Masked(), Span: p.Span(c)}
	}
	if item, ok := wordtree.Item(p.Bytes(c)); ok {
		return item
	}
	return facts.AddrItem{Unread: "the address " + p.Text(c), Span: p.Span(c)}
}

// policy reads rules in the order they stand in (AFM: a policy's rules, a rule list's). What none decides goes on.
func (p *parser) policy(n int32, name string) {
	p.OK(n)
	p.InFilter(n, name)
	f := facts.Filter{Name: name, Kind: "security firewall " + p.Text(p.Up(n)), Default: facts.Next, Stateful: true, Span: p.Span(n)}
	rules := p.Kid(n, "rules")
	p.OK(rules)
	for c := p.First(rules); c != none; c = p.Next(c) {
		f.Rules = append(f.Rules, p.rule(c))
	}
	p.D.Filters = append(p.D.Filters, f)
	p.Rest(n)
}

func (p *parser) rule(n int32) facts.Rule {
	p.OK(n)
	r := facts.Rule{Name: p.Text(n), Span: p.Span(n)}
	m := &r.Match
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := "", p.Value(c)
		if v != none {
			s = p.Text(v)
		}
		switch word := p.Text(c); word {
		case "action":
			p.OKAll(c)
			switch s {
			case "accept", "accept-decisively":
				r.Action = facts.Permit
			case "drop", "reject":
				r.Action = facts.Deny
			}
		case "ip-protocol":
			p.OKAll(c)
			if proto, ok := protocols[s]; ok {
				m.Protocols = []uint8{proto}
			} else if s != "any" {
				m.Unread = append(m.Unread, "ip-protocol "+s)
			}
		case "rule-list":
			p.OKAll(c)
			r.Action, r.To = facts.Jump, base(s)
		case "source":
			p.side(c, &m.Src, &m.SrcPorts, m)
		case "destination":
			p.side(c, &m.Dst, &m.DstPorts, m)
		case "status":
			p.OKAll(c)
			if s == "disabled" {
				r.Inactive = facts.Say(true, p.Span(c))
			}
		case "log":
			p.OKAll(c)
			r.Log = facts.Say(s != "no", p.Span(c))
		case "description", "uuid", "rule-number", "place-after", "place-before", "service-policy":
			p.OKAll(c)
		default: // schedule, irule, icmp, user and geography conditions
			p.OKAll(c)
			m.Unread = append(m.Unread, word)
		}
	}
	return r
}

func (p *parser) side(n int32, a *facts.Addrs, q *facts.Ports, m *facts.Match) {
	p.OKAll(n)
	for c := p.First(n); c != none; c = p.Next(c) {
		switch word := p.Text(c); word {
		case "addresses", "address-lists":
			a.Present = true
			p.Each(c, "", func(k int32) {
				if word == "addresses" {
					a.Items = append(a.Items, p.member(k))
				} else {
					a.Items = append(a.Items, facts.AddrItem{Group: base(p.Text(k)), Span: p.Span(k)})
				}
			})
		case "ports", "port-lists":
			q.Present = true
			p.Each(c, "", func(k int32) {
				if word == "port-lists" {
					q.Groups = append(q.Groups, base(p.Text(k)))
				} else if x, ok := portOf(p.Text(k)); ok {
					q.Ranges = append(q.Ranges, x)
				} else {
					m.Unread = append(m.Unread, "port "+p.Text(k))
				}
			})
		case "vlans":
			m.In.Present = true
			p.Each(c, "", func(k int32) { m.In.Names = append(m.In.Names, base(p.Text(k))) })
		default:
			m.Unread = append(m.Unread, p.Text(n)+" "+word)
		}
	}
}
