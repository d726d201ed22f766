package routeros

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

func sortInterfaces(all []facts.Interface) {
	slices.SortStableFunc(all, func(a, b facts.Interface) int { return strings.Compare(a.Name, b.Name) })
}

// chainName is what the filter of a chain is called: raw's are apart.
func chainName(path, chain string) string {
	if strings.HasSuffix(path, " raw") {
		return "raw/" + chain
	}
	return chain
}

func (p *parser) filter(c *command, chain string) int {
	fam, name := facts.IPv4, chainName(c.path, chain)
	key := "4" + name
	if strings.HasPrefix(c.path, "ipv6") {
		fam, key = facts.IPv6, "6"+name
	}
	if i, ok := p.filters[key]; ok {
		return i
	}
	f := facts.Filter{Name: name, Kind: "/" + c.path, Family: fam, Default: facts.Next, Span: p.span()}
	switch chain {
	case "input", "forward", "output", "prerouting":
		f.Default = facts.Permit
	}
	p.d.Filters = append(p.d.Filters, f)
	p.filters[key] = len(p.d.Filters) - 1
	return len(p.d.Filters) - 1
}

// bind applies the chains that packets meet by themselves.
func (p *parser) bind() {
	add := func(key, where string, dir facts.Direction) {
		i, ok := p.filters[key]
		if !ok {
			return
		}
		f := &p.d.Filters[i]
		p.d.Bindings = append(p.d.Bindings, facts.Binding{Filters: []string{f.Name}, Family: f.Family, Where: where, Direction: dir, Span: f.Span, Undefined: facts.Permit})
	}
	for _, v := range []string{"4", "6"} {
		add(v+"raw/prerouting", facts.WhereTransit, facts.In)
		add(v+"raw/prerouting", facts.WhereControlPlane, facts.In)
		add(v+"input", facts.WhereControlPlane, facts.In)
		add(v+"forward", facts.WhereTransit, facts.In)
		add(v+"raw/output", facts.WhereControlPlane, facts.Out)
		add(v+"output", facts.WhereControlPlane, facts.Out)
	}
}

var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipencap": 4, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "gre": 47, "ipsec-esp": 50, "ipsec-ah": 51, "icmpv6": 58,
	"ospf": 89, "pim": 103, "vrrp": 112, "l2tp": 115, "sctp": 132, "udp-lite": 136, "ipv6-encap": 41, "ddp": 37, "rsvp": 46,
}

var states = map[string]facts.ConnState{
	"new": facts.ConnNew, "established": facts.ConnEstablished, "related": facts.ConnRelated, "invalid": facts.ConnInvalid, "untracked": facts.ConnUntracked,
}

// rule reads one entry of a filter or raw table.
func (p *parser) rule(c *command) {
	if c.verb != "add" {
		if c.verb == "set" || c.verb == "print" {
			p.state, p.why = facts.Unsupported, "a change of a rule that is printed elsewhere"
		}
		return
	}
	chain := c.text("chain")
	i := p.filter(c, chain)
	r := facts.Rule{Remark: clip(c.text("comment")), Span: p.span()}
	if c.off() {
		r.Inactive = facts.Say(true, p.span())
	}
	if v, ok := c.get("log"); ok {
		r.Log = facts.Say(v.text == "yes", p.valueSpan(v))
	}
	switch a := c.text("action"); a {
	case "", "accept":
		r.Action = facts.Permit // without an action a rule accepts
	case "drop", "reject", "tarpit":
		r.Action = facts.Deny
	case "return":
		r.Action = facts.Return
	case "jump":
		r.Action, r.To = facts.Jump, chainName(c.path, c.text("jump-target"))
	case "passthrough", "log", "fasttrack-connection", "add-src-to-address-list", "add-dst-to-address-list", "notrack":
		r.Action = facts.Next
		if a == "log" {
			r.Log = facts.Say(true, p.span())
		}
		if list := c.text("address-list"); list != "" {
			p.filled[list] = true
		}
	default:
		r.Action = facts.ActionUnknown
		p.state, p.why = facts.Unsupported, "action "+a
	}
	p.match(c, &r.Match)
	p.d.Filters[i].Rules = append(p.d.Filters[i].Rules, r)
}

func clip(s string) string { return s[:min(len(s), 512)] }

// negated parts "!value".
func negated(s string) (string, bool) {
	rest, not := strings.CutPrefix(s, "!")
	return strings.TrimSpace(rest), not
}

func (p *parser) match(c *command, m *facts.Match) {
	for k, key := range c.keys {
		text, not := negated(c.vals[k].text)
		switch key {
		case "chain", "action", "comment", "disabled", "log", "log-prefix", "jump-target", "address-list", "address-list-timeout", "reject-with", "hw-offload",
			"to-addresses", "to-ports", "place-before", "copy-from", "dst-limit", "limit":
			if (key == "limit" || key == "dst-limit") && c.text("action") != "accept" && c.text("action") != "" && c.text("action") != "log" {
				m.Unread = append(m.Unread, key)
			}
		case "src-address":
			m.Src = p.addrs(text, not)
		case "dst-address":
			m.Dst = p.addrs(text, not)
		case "src-address-list":
			p.inList(&m.Src, m, text, not)
		case "dst-address-list":
			p.inListDst(m, text, not)
		case "protocol":
			n, ok := protocols[text]
			if v, err := strconv.ParseUint(text, 10, 8); err == nil {
				n, ok = uint8(v), true
			}
			if !ok {
				m.Unread = append(m.Unread, "protocol "+text)
				continue
			}
			m.Protocols, m.NotProtocols = []uint8{n}, not
		case "src-port":
			m.SrcPorts = portList(m, text, not)
		case "dst-port":
			m.DstPorts = portList(m, text, not)
		case "port":
			m.EitherPorts = portList(m, text, not)
		case "in-interface", "in-interface-list":
			m.In = place(m.In, text, not)
		case "out-interface", "out-interface-list":
			m.Out = place(m.Out, text, not)
		case "connection-state":
			var set facts.ConnState
			for s := range strings.SplitSeq(text, ",") {
				set |= states[s]
			}
			if not {
				set = ^set & (facts.ConnNew | facts.ConnEstablished | facts.ConnRelated | facts.ConnInvalid | facts.ConnUntracked)
			}
			if m.Conn = set; set == 0 {
				m.HasAnyOf = true
			}
		case "tcp-flags":
			switch {
			case !not && (text == "syn,!ack" || text == "syn,!ack,!rst" || text == "syn,!fin,!rst,!ack"):
				m.Flags = facts.Initial
			default:
				m.Unread = append(m.Unread, "tcp-flags "+text)
			}
		case "fragment":
			if m.Fragments = facts.NonInitial; text == "no" {
				m.Fragments = facts.Unfragmented
			}
		case "icmp-options":
			typ, code, _ := strings.Cut(text, ":")
			t, err := strconv.ParseUint(typ, 10, 8)
			if err != nil || not {
				m.Unread = append(m.Unread, "icmp-options "+text)
				continue
			}
			x := facts.ICMPType{Type: uint8(t), Code: -1}
			if v, err := strconv.ParseUint(code, 10, 8); err == nil {
				x.Code = int16(v)
			}
			m.ICMP = []facts.ICMPType{x}
		default:
			m.Unread = append(m.Unread, clip(key+" "+c.vals[k].text))
		}
	}
}

// place reads an interface or a list of interfaces. "all" is every one, "none" none.
func place(was facts.Places, text string, not bool) facts.Places {
	switch {
	case was.Present: // an interface and a list: both must hold, which the list's members tell; keep the narrower name
		return was
	case text == "all" && !not:
		return facts.Places{}
	case text == "none" || text == "all":
		return facts.Places{Present: true, Not: text == "none" && not}
	}
	return facts.Places{Names: []string{text}, Present: true, Not: not}
}

func (p *parser) addrs(text string, not bool) facts.Addrs {
	it, ok := item(text)
	if !ok {
		it = facts.AddrItem{Unread: "address " + text}
	}
	it.Span = p.span()
	return facts.Addrs{Present: true, Not: not, Items: []facts.AddrItem{it}}
}

// item is an address, a prefix, or a range "a-b".
func item(text string) (facts.AddrItem, bool) {
	if a, b, ok := strings.Cut(text, "-"); ok {
		from, to := addr(a), addr(b)
		return facts.AddrItem{From: from, To: to}, from.IsValid() && to.IsValid() && from.Is4() == to.Is4()
	}
	if n, err := netip.ParsePrefix(text); err == nil {
		return facts.AddrItem{Prefix: n.Masked()}, true
	}
	if a := addr(text); a.IsValid() {
		return facts.AddrItem{Prefix: netip.PrefixFrom(a, a.BitLen())}, true
	}
	return facts.AddrItem{}, false
}

// inList is a condition on an address list, beside one on the address itself when there is one.
func (p *parser) inList(to *facts.Addrs, m *facts.Match, name string, not bool) {
	set := facts.Addrs{Present: true, Not: not, Items: []facts.AddrItem{{Group: name, Span: p.span()}}}
	if to.Present {
		m.AllOf = append(m.AllOf, facts.Match{Src: set})
		return
	}
	*to = set
}

func (p *parser) inListDst(m *facts.Match, name string, not bool) {
	set := facts.Addrs{Present: true, Not: not, Items: []facts.AddrItem{{Group: name, Span: p.span()}}}
	if m.Dst.Present {
		m.AllOf = append(m.AllOf, facts.Match{Dst: set})
		return
	}
	m.Dst = set
}

// ports is a port or a range; zero when it is none.
func ports(s string) facts.PortRange {
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	first, err1 := strconv.ParseUint(a, 10, 16)
	last, err2 := strconv.ParseUint(b, 10, 16)
	if err1 != nil || err2 != nil || last < first {
		return facts.PortRange{}
	}
	return facts.PortRange{First: uint16(first), Last: uint16(last)}
}

func portList(m *facts.Match, text string, not bool) facts.Ports {
	out := facts.Ports{Present: true, Not: not}
	for part := range strings.SplitSeq(text, ",") {
		r := ports(part)
		if r == (facts.PortRange{}) && part != "0" {
			m.Unread = append(m.Unread, "port "+part)
			continue
		}
		out.Ranges = append(out.Ranges, r)
	}
	return out
}

// listed adds a member to an address list.
func (p *parser) listed(c *command) {
	name := c.text("list")
	if c.verb != "add" || name == "" || c.off() {
		return
	}
	i, ok := p.groups[name]
	if !ok {
		p.d.Groups = append(p.d.Groups, facts.Group{Name: name, Kind: facts.NetworkGroup, Span: p.span()})
		i = len(p.d.Groups) - 1
		p.groups[name] = i
	}
	v, _ := c.get("address")
	it, known := item(v.text)
	if !known {
		it = facts.AddrItem{Unread: "name " + v.text} // a DNS name
	}
	it.Span = p.span()
	p.d.Groups[i].Addrs = append(p.d.Groups[i].Addrs, it)
}

func (p *parser) nat(c *command) {
	if c.verb != "add" || c.off() {
		return
	}
	n := facts.NAT{Span: p.span(), In: one(c.text("in-interface")), Out: one(c.text("out-interface"))}
	var key string
	switch c.text("action") {
	case "dst-nat", "netmap", "redirect":
		n.Kind, key = "destination", "dst-address"
		if c.text("chain") == "srcnat" {
			n.Kind, key = "source", "src-address"
		}
	case "src-nat", "masquerade", "same":
		n.Kind, key = "source", "src-address"
	default:
		return
	}
	if it, ok := item(c.text(key)); ok && it.Prefix.IsValid() {
		n.Original = it.Prefix
	}
	if it, ok := item(c.text("to-addresses")); ok && it.Prefix.IsValid() {
		n.Mapped = it.Prefix
	}
	n.Transport = protocols[c.text("protocol")]
	n.OriginalPorts, n.MappedPorts = ports(c.text("dst-port")), ports(c.text("to-ports"))
	plain := true
	for _, k := range c.keys {
		switch k {
		case "chain", "action", "comment", "dst-address", "to-addresses", "in-interface", "out-interface", "log", "log-prefix", "disabled":
		default:
			plain = false
		}
	}
	n.Static = n.Kind == "destination" && plain && n.Original.IsValid() && n.Mapped.IsValid()
	if !n.Static {
		n.Unread = c.text("action")
	}
	p.d.NAT = append(p.d.NAT, n)
}

func one(name string) string {
	if strings.HasPrefix(name, "!") || name == "all" {
		return ""
	}
	return name
}
