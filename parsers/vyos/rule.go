package vyos

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// statePolicy is the filter of the state policy of the whole device.
const statePolicy = "state-policy"

// ruleSets reads every rule set and binds the base chains of VyOS 1.4.
func (p *parser) ruleSets() {
	p.statePolicy()
	for _, f := range [...]struct {
		at     int32
		word   string
		family facts.Family
	}{
		{p.firewall, "name", facts.IPv4}, {p.firewall, "ipv6-name", facts.IPv6},
		{p.Kid(p.firewall, "ipv4"), "name", facts.IPv4}, {p.Kid(p.firewall, "ipv6"), "name", facts.IPv6},
	} {
		p.OK(f.at)
		p.Each(p.Kid(f.at, f.word), "", func(n int32) {
			// A named rule set drops what it does not decide ("default-action", VyOS documentation), in every release.
			p.ruleSet(n, p.Text(n), "firewall name", f.family, facts.Deny)
		})
	}
	p.baseChains()
	for _, w := range [...]string{"bridge", "flowtable"} {
		if k := p.Kid(p.firewall, w); k != none {
			p.Unsupported(k, "filters of bridges and flow tables are not modelled")
		}
	}
}

// statePolicy is what the device does with packets of known sessions before any rule set is asked.
func (p *parser) statePolicy() {
	f := facts.Filter{Name: statePolicy, Kind: "firewall state-policy", Default: facts.Next}
	for _, at := range [...]int32{p.Kid(p.firewall, "state-policy"), p.Under(p.firewall, "global-options", "state-policy")} {
		for c := p.First(at); c != none; c = p.Next(c) {
			p.OKAll(c)
			r := facts.Rule{Name: p.Text(c), Action: actions[p.String(c, "action")], Span: p.Span(c)}
			r.Match.Conn = connStates[p.Text(c)]
			_, r.Log = p.logged(c)
			if r.Match.Conn == 0 || p.Kid(c, "action") == none {
				continue
			}
			f.Rules = append(f.Rules, r)
			f.Span = p.Span(at)
		}
	}
	if p.states = len(f.Rules) > 0; p.states {
		p.D.Filters = append(p.D.Filters, f)
	}
}

func (p *parser) logged(n int32) (bool, facts.V[bool]) {
	k := p.Kid(n, "log")
	if n == none || k == none {
		return false, facts.V[bool]{}
	}
	s, _ := p.ValueOf(k)
	p.OKAll(k)
	return true, facts.Say(s != "disable", p.Span(k))
}

// baseChains are the hooks of VyOS 1.4 and later. Without default-action they accept.
func (p *parser) baseChains() {
	for _, fam := range [...]struct {
		word   string
		family facts.Family
	}{{"ipv4", facts.IPv4}, {"ipv6", facts.IPv6}} {
		at := p.Kid(p.firewall, fam.word)
		for _, h := range [...]struct {
			hook, part, where string
			dir               facts.Direction
		}{
			{"prerouting", "raw", facts.WhereTransit, facts.In}, {"prerouting", "raw", facts.WhereControlPlane, facts.In},
			{"forward", "filter", facts.WhereTransit, facts.In}, {"input", "filter", facts.WhereControlPlane, facts.In},
			{"output", "raw", facts.WhereControlPlane, facts.Out}, {"output", "filter", facts.WhereControlPlane, facts.Out},
		} {
			n := p.Under(at, h.hook, h.part)
			if n == none {
				continue
			}
			name := fam.word + " " + h.hook + " " + h.part
			if !slices.ContainsFunc(p.D.Filters, func(f facts.Filter) bool { return f.Name == name }) {
				p.ruleSet(n, name, "firewall "+name, fam.family, facts.Permit)
			}
			filters := []string{name}
			if p.states && h.part == "filter" {
				filters = []string{statePolicy, name}
			}
			p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: filters, Family: fam.family, Where: h.where, Direction: h.dir, Span: p.Span(n)})
		}
		for c := p.First(at); c != none; c = p.Next(c) {
			switch p.Text(c) {
			case "name", "forward", "input", "output", "prerouting":
				p.OK(c)
			default:
				p.Unsupported(c, "a base chain that is not known")
			}
		}
	}
}

// ruleSet reads a rule set; its rules are asked by number.
func (p *parser) ruleSet(n int32, name, kind string, family facts.Family, end facts.Action) {
	p.OK(n)
	p.InFilter(n, name)
	f := facts.Filter{Name: name, Kind: kind, Family: family, Default: end, Span: p.Span(n)}
	type numbered struct {
		number uint64
		node   int32
	}
	var rules []numbered
	for c := p.First(n); c != none; c = p.Next(c) {
		switch p.Text(c) {
		case "rule":
			p.Each(c, "", func(r int32) {
				number, _ := field.Uint(p.Bytes(r))
				rules = append(rules, numbered{number, r})
			})
		case "default-action":
			s, v := p.ValueOf(c)
			f.End = p.Span(v)
			switch a, ok := actions[s]; {
			case s == "jump":
				f.Default = facts.Next
			case s == "return" || s == "continue":
				f.Default = facts.Next
			case ok:
				f.Default = a
			default:
				f.Default = facts.ActionUnknown
				p.Unsupported(c, "a default action that is not understood")
			}
		case "default-jump-target", "description", "enable-default-log", "default-log":
			p.OKAll(c)
		default:
			p.Unsupported(c, "a statement of a rule set that is not modelled")
			f.Unread = "a statement that is not modelled: " + p.Text(c)
		}
	}
	slices.SortStableFunc(rules, func(a, b numbered) int {
		switch {
		case a.number < b.number:
			return -1
		case a.number > b.number:
			return 1
		}
		return 0
	})
	for _, r := range rules {
		f.Rules = append(f.Rules, p.rule(r.node, family))
	}
	if target := p.String(n, "default-jump-target"); target != "" && p.String(n, "default-action") == "jump" {
		f.Rules = append(f.Rules, facts.Rule{Name: "default-action", Action: facts.Jump, To: target, Span: f.End})
	}
	returns := slices.ContainsFunc(f.Rules, func(r facts.Rule) bool { return r.Action == facts.Return })
	p.leaves[leaf(name, family)] = f.Default == facts.Next || returns
	if returns && f.Default != facts.Next { // what returns meets no default-action
		f.Rules = append(f.Rules, facts.Rule{Name: "default-action", Action: f.Default, Span: f.End})
		f.Default = facts.Next
	}
	p.D.Filters = append(p.D.Filters, f)
}

// actions of rules. A packet that is offloaded, queued or sent to a proxy is not decided by what is read here; EdgeOS's inspect
// goes on.
var actions = map[string]facts.Action{
	"accept": facts.Permit, "drop": facts.Deny, "reject": facts.Deny, "return": facts.Return, "continue": facts.Next, "jump": facts.Jump,
	"offload": facts.Next, "inspect": facts.Next, "notrack": facts.Next,
}

var connStates = map[string]facts.ConnState{
	"new": facts.ConnNew, "established": facts.ConnEstablished, "related": facts.ConnRelated, "invalid": facts.ConnInvalid, "untracked": facts.ConnUntracked,
}

// rule reads one rule.
func (p *parser) rule(n int32, family facts.Family) facts.Rule {
	p.OK(n)
	r := facts.Rule{Name: p.Text(n), Span: p.Span(n)}
	m := &r.Match
	limited := ""
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := "", none
		if k := p.Value(c); k != none && p.First(k) == none {
			s, v = p.Text(k), k
		}
		switch word := p.Text(c); word {
		case "action":
			p.OKAll(c)
			var ok bool
			if r.Action, ok = actions[s]; !ok {
				p.Unsupported(c, "an action that is not modelled")
			}
		case "jump-target":
			p.OKAll(c)
			r.To = s
		case "disable":
			p.OKAll(c)
			r.Inactive = facts.Say(true, p.Span(c))
		case "log":
			_, r.Log = p.logged(n)
		case "description":
			r.Remark = wordtree.Clean([]byte(s))
		case "protocol":
			p.OKAll(c)
			p.protocol(s, m)
		case "source":
			p.side(c, family, &m.Src, &m.SrcPorts, m)
		case "destination":
			p.side(c, family, &m.Dst, &m.DstPorts, m)
		case "state", "connection-status":
			p.state(c, m)
		case "inbound-interface":
			m.In = p.places(c)
		case "outbound-interface":
			m.Out = p.places(c)
		case "time":
			r.Times = p.times(c)
		case "limit", "recent":
			p.OKAll(c)
			limited = word
		case "tcp":
			p.flags(c, m)
		case "fragment":
			p.OKAll(c)
			p.fragment(c, m)
		case "icmp", "icmpv6":
			p.icmp(c, m)
		case "add-address-to-group", "set", "queue", "queue-options", "offload-target", "synproxy", "mark-set":
			p.OKAll(c) // done beside the decision
		default:
			p.OKAll(c)
			m.Unread = append(m.Unread, strings.TrimSpace(word+" "+s))
			_ = v
		}
	}
	switch {
	case limited == "":
	case limited == "recent", r.Action != facts.Permit && r.Action != facts.Return:
		m.Unread = append(m.Unread, limited) // it matches from some packet on, or some of many
	}
	if r.Action == facts.Jump && r.To == "" {
		r.Action = facts.ActionUnknown
	}
	return r
}

// protocols by name (IANA registry; /etc/protocols).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "udp": 17, "ipv6": 41, "gre": 47, "esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "eigrp": 88,
	"ospf": 89, "pim": 103, "ipcomp": 108, "vrrp": 112, "l2tp": 115, "sctp": 132, "udplite": 136,
}

func (p *parser) protocol(s string, m *facts.Match) {
	plain, not := strings.CutPrefix(strings.ToLower(s), "!")
	n, known := protocols[plain]
	number, isNumber := field.Uint([]byte(plain))
	switch {
	case plain == "all" || plain == "any" || plain == "":
		if not {
			m.Unread = append(m.Unread, "protocol "+s)
		}
		return
	case plain == "tcp_udp":
		m.Protocols = []uint8{facts.TCP, facts.UDP}
	case known:
		m.Protocols = []uint8{n}
	case isNumber && number < 256:
		m.Protocols = []uint8{uint8(number)}
	default:
		m.Unread = append(m.Unread, "protocol "+s)
		return
	}
	m.NotProtocols = not
}

// side reads source or destination.
func (p *parser) side(n int32, family facts.Family, a *facts.Addrs, ports *facts.Ports, m *facts.Match) {
	p.OK(n)
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := p.ValueOf(c)
		switch p.Text(c) {
		case "address":
			plain, not := strings.CutPrefix(s, "!")
			item, ok := wordtree.Item([]byte(plain))
			if !ok {
				item = facts.AddrItem{Unread: "the address " + s}
			}
			item.Span = p.Span(v)
			p.add(a, facts.Addrs{Present: true, Items: []facts.AddrItem{item}, Not: not}, m, n)
		case "port":
			q, ok := portSet(s)
			if !ok {
				m.Unread = append(m.Unread, "port "+s)
			}
			*ports = q
		case "group":
			p.sideGroups(c, family, a, ports, m, n)
		default: // mac-address, fqdn, geoip, address-mask
			p.OKAll(c)
			m.Unread = append(m.Unread, p.Text(n)+" "+p.Text(c))
		}
	}
}

// add puts a set of addresses into a match; where one is there, both must hold.
func (p *parser) add(a *facts.Addrs, more facts.Addrs, m *facts.Match, side int32) {
	if !a.Present {
		*a = more
		return
	}
	if p.Is(side, "source") {
		m.AllOf = append(m.AllOf, facts.Match{Src: more})
	} else {
		m.AllOf = append(m.AllOf, facts.Match{Dst: more})
	}
}

func (p *parser) sideGroups(n int32, family facts.Family, a *facts.Addrs, ports *facts.Ports, m *facts.Match, side int32) {
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := p.ValueOf(c)
		plain, not := strings.CutPrefix(s, "!")
		kind := p.Text(c)
		known, ok := p.groups[kind+"\x00"+plain]
		if !ok && family == facts.IPv6 {
			known, ok = p.groups["ipv6-"+kind+"\x00"+plain]
		}
		switch {
		case kind == "port-group" && ok:
			*ports = facts.Ports{Present: true, Groups: []string{known}, Not: not}
		case ok:
			p.add(a, facts.Addrs{Present: true, Items: []facts.AddrItem{{Group: known, Span: p.Span(v)}}, Not: not}, m, side)
		default: // EdgeOS knows groups that it makes by itself (ADDRv4_eth0, NETv4_eth0)
			p.add(a, facts.Addrs{Present: true, Items: []facts.AddrItem{{Unread: kind + " " + s, Span: p.Span(v)}}, Not: not}, m, side)
		}
	}
}

// portSet reads "22", "ssh", "20-21", "80,443", "!22".
func portSet(s string) (facts.Ports, bool) {
	plain, not := strings.CutPrefix(s, "!")
	out := facts.Ports{Present: true, Not: not}
	for w := range strings.SplitSeq(plain, ",") {
		r, ok := portRange(strings.TrimSpace(w))
		if !ok {
			return facts.Ports{}, false
		}
		out.Ranges = append(out.Ranges, r)
	}
	return out, true
}

// state reads "state established" and "state established enable".
func (p *parser) state(n int32, m *facts.Match) {
	p.OKAll(n)
	if p.Is(n, "connection-status") {
		m.Unread = append(m.Unread, "connection-status")
		return
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		bit := connStates[p.Text(c)]
		if v := p.Value(c); v != none && p.Is(v, "disable") {
			continue
		}
		if bit == 0 {
			m.Unread = append(m.Unread, "state "+p.Text(c))
		}
		m.Conn |= bit
	}
}

// places reads the interface a packet comes in or leaves by: "name eth0", "group G", and the older "interface-name".
func (p *parser) places(n int32) facts.Places {
	p.OKAll(n)
	out := facts.Places{Present: true}
	for c := p.First(n); c != none; c = p.Next(c) {
		s, v := p.Text(c), c
		if k := p.Value(c); k != none {
			s, v = p.Text(k), k
		}
		_ = v
		plain, not := strings.CutPrefix(s, "!")
		out.Not = not
		out.Names = append(out.Names, strings.ReplaceAll(plain, "+", "*"))
	}
	return out
}

func (p *parser) flags(n int32, m *facts.Match) {
	p.OKAll(n)
	k := p.Kid(n, "flags")
	var set, clear []string
	for c := p.First(k); c != none; c = p.Next(c) {
		if p.Is(c, "not") {
			p.Each(c, "", func(v int32) { clear = append(clear, strings.ToLower(p.Text(v))) })
			continue
		}
		for w := range strings.SplitSeq(strings.ToLower(p.Text(c)), ",") {
			if plain, not := strings.CutPrefix(w, "!"); not {
				clear = append(clear, plain)
			} else {
				set = append(set, w)
			}
		}
	}
	if slices.Equal(set, []string{"syn"}) && slices.Contains(clear, "ack") {
		m.Flags = facts.Initial
		if len(clear) > 1 {
			m.Unread = append(m.Unread, "tcp flags")
		}
		return
	}
	m.Unread = append(m.Unread, "tcp flags "+strings.Join(set, " "))
}

func (p *parser) fragment(n int32, m *facts.Match) {
	switch v := p.Value(n); {
	case v == none:
	case p.Is(v, "match-frag"):
		m.Fragments = facts.NonInitial
	case p.Is(v, "match-non-frag"):
		m.Fragments = facts.Unfragmented
	}
}

// icmp reads "type 8", "code 0"; names are not resolved.
func (p *parser) icmp(n int32, m *facts.Match) {
	p.OKAll(n)
	kind, ok := field.Uint([]byte(p.String(n, "type")))
	if !ok || kind > 255 {
		m.Unread = append(m.Unread, p.Text(n)+" types")
		return
	}
	t := facts.ICMPType{Type: uint8(kind), Code: -1}
	if code, ok := field.Uint([]byte(p.String(n, "code"))); ok && code < 256 {
		t.Code = int16(code)
	}
	m.ICMP = append(m.ICMP, t)
}
