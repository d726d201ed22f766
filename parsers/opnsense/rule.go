package opnsense

import (
	"slices"
	"sort"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// A rule is one of the configuration's.
type rule struct {
	facts.Rule
	floating bool
	quick    bool
	in, out  bool     // directions
	ifaces   []string // empty is every one
	notIface bool
	sequence int
}

// readRules reads the filter's rules and binds them to interfaces.
func (p *parser) readRules() {
	p.OK(p.filter)
	p.Each(p.filter, "rule", func(n int32) { p.rule(n, false) })
	own := p.Under(p.own, "Firewall", "Filter", "rules") // OPNsense: rules made by its API, floating unless of one interface
	p.OK(own)
	first := len(p.rules)
	p.Each(own, "rule", func(n int32) { p.rule(n, true) })
	sort.SliceStable(p.rules[first:], func(i, j int) bool { return p.rules[first+i].sequence < p.rules[first+j].sequence })
	p.bothWays(first)
	if p.filter == none && own == none {
		return
	}
	for _, r := range p.rules {
		for _, name := range r.ifaces {
			if !p.groups[name] {
				p.ensure(name, none)
			}
		}
	}
	p.chains()
}

// bothWays says of the rules from first on, which the API made, that they may be asked before the others or behind them: no
// source was found for the order. Each is there twice, and of the two the one that would decide first may not.
func (p *parser) bothWays(first int) {
	older, newer := p.rules[:first], p.rules[first:]
	if len(older) == 0 || len(newer) == 0 {
		return
	}
	const why = "whether rules made by the API are asked before the others"
	var before, behind []*rule
	for _, r := range newer {
		doubt := *r
		doubt.Match.Unread = append(slices.Clone(r.Match.Unread), why)
		if r.quick {
			before, behind = append(before, &doubt), append(behind, r)
		} else {
			before, behind = append(before, r), append(behind, &doubt)
		}
	}
	p.rules = slices.Concat(before, older, behind)
}

// rule reads one. newer are OPNsense's rules of today: other words for some conditions, and a switch that says on.
func (p *parser) rule(n int32, newer bool) {
	p.OK(n)
	r := &rule{quick: true, in: true}
	r.Span = p.Span(n)
	r.Name = p.String(n, "descr") + p.String(n, "description")
	r.Remark, r.Name = wordtree.Clean([]byte(r.Name)), ""
	if id := p.String(n, "tracker"); id != "" {
		r.Name = id
	}
	r.ifaces = fields(p.String(n, "interface"))
	r.notIface = p.on(n, "interfacenot")
	if newer {
		r.floating = len(r.ifaces) != 1
		r.sequence = int(wordtree.Port(p.String(n, "sequence")))
	}
	family := facts.IPv4
	for c := p.First(n); c != none; c = p.Next(c) {
		p.condition(n, c, r, &family)
	}
	if newer {
		r.ports(p, n)
	}
	if q, ok := p.isOn(n, "quick"); ok {
		r.quick = q.Val
	} else {
		r.quick = !r.floating
	}
	if p.pf && !r.floating {
		r.quick = true // pfSense: rules of an interface are quick always
	}
	if slices.ContainsFunc(r.ifaces, func(s string) bool { return p.groups[s] }) && r.notIface {
		r.Match.Unread = append(r.Match.Unread, "not on an interface group")
	}
	r.of(family)
	p.rules = append(p.rules, r)
}

// ports reads where OPNsense's rules of today say addresses and ports beside one another.
func (r *rule) ports(p *parser, n int32) {
	for _, side := range [...]struct {
		word  string
		addrs *facts.Addrs
		ports *facts.Ports
	}{{"source", &r.Match.Src, &r.Match.SrcPorts}, {"destination", &r.Match.Dst, &r.Match.DstPorts}} {
		if net := p.String(n, side.word+"_net"); net != "" && net != "any" {
			side.addrs.Present = true
			for _, w := range fields(net) {
				side.addrs.Items = append(side.addrs.Items, p.item(w)...)
			}
			side.addrs.Not = p.on(n, side.word+"_not")
		}
		if port := p.String(n, side.word+"_port"); port != "" {
			*side.ports = p.portsOf(port)
		}
	}
}

// of restricts a rule to a version of IP.
func (r *rule) of(family facts.Family) {
	m := &r.Match
	one := facts.Addrs{Present: true, Items: []facts.AddrItem{{Any: true, Family: family}}}
	switch {
	case family == facts.AnyFamily:
	case !m.Src.Present:
		m.Src = one
	case !m.Dst.Present:
		m.Dst = one
	default:
		m.AllOf = append(m.AllOf, facts.Match{Src: one})
	}
}

// condition reads one statement of a rule.
func (p *parser) condition(n, c int32, r *rule, family *facts.Family) {
	m := &r.Match
	word := string(p.T.Text(c))
	switch word {
	case "source":
		if a, ports := p.set(c, m); p.First(c) != none {
			m.Src, m.SrcPorts = a, ports
		}
		return
	case "destination":
		if a, ports := p.set(c, m); p.First(c) != none {
			m.Dst, m.DstPorts = a, ports
		}
		return
	}
	s, v := p.ValueOf(c)
	if v == none {
		p.OK(c)
	}
	switch word {
	case "type", "action":
		r.Action = actions[s]
		if _, ok := actions[s]; !ok {
			p.Unsupported(c, "what a rule does is not understood")
			r.Action = facts.ActionUnknown
		}
	case "ipprotocol":
		*family = map[string]facts.Family{"inet6": facts.IPv6, "inet46": facts.AnyFamily}[s]
		if s == "inet" || s == "" {
			*family = facts.IPv4
		}
	case "protocol":
		r.protocol(s)
	case "icmptype", "icmp6-type":
		if s != "" && s != "any" {
			m.Unread = append(m.Unread, "ICMP types "+s)
		}
	case "floating":
		r.floating = v == none || s != "no" && s != "0"
	case "direction":
		r.in, r.out = s != "out", s == "out" || s == "any"
	case "disabled":
		if p.on(n, "disabled") {
			r.Inactive = facts.Say(true, p.Span(c))
		}
	case "enabled":
		if on, _ := p.isOn(n, "enabled"); !on.Val {
			r.Inactive = facts.Say(true, p.Span(c))
		}
	case "log":
		r.Log, _ = p.isOn(n, "log")
	case "sched":
		if s != "" {
			r.Times = p.schedule(s, v)
		}
	case "os", "tagged", "prio", "vlanprio", "dscp", "max-src-nodes", "max-src-conn", "max-src-states", "max-src-conn-rate",
		"max-src-conn-rates", "max", "tos", "source-hash", "divert-to", "overload":
		if s != "" && s != "0" && s != "none" {
			p.limit(c, word, s, m)
		}
	case "tcpflags1", "tcpflags2", "tcpflags_any":
		if s != "" && !(word == "tcpflags1" && s == "syn") && !(word == "tcpflags2" && (s == "syn,ack" || s == "syn ack")) {
			m.Unread = append(m.Unread, "TCP flags "+s)
		}
	case "statetype":
		if s == "none" {
			m.Unread = append(m.Unread, "a rule that keeps no state")
		}
	default: // the rest says what else is done with the packet: gateway, queues, tags, timers, who changed it
		p.OKAll(c)
		if !known[word] && !isText([]byte(word)) {
			p.Unsupported(c, "a statement of a rule that is not modelled")
			m.Unread = append(m.Unread, word)
		}
	}
}

// limit reads conditions that depend on more than the packet. A limit on what passes lets the first packets through.
func (p *parser) limit(c int32, word, s string, m *facts.Match) {
	if strings.HasPrefix(word, "max") {
		return
	}
	m.Unread = append(m.Unread, word+" "+s)
	p.OKAll(c)
}

// known are the statements of a rule that change nothing about what it decides.
var known = map[string]bool{
	"interface": true, "quick": true, "gateway": true, "statetimeout": true, "allowopts": true, "nopfsync": true, "nosync": true, "tag": true,
	"associated-rule-id": true, "id": true, "category": true, "categories": true, "reply-to": true, "disablereplyto": true, "ackqueue": true,
	"defaultqueue": true, "dnpipe": true, "pdnpipe": true, "set-prio": true, "set-prio-low": true, "vlanprioset": true, "label": true,
	"interfacenot": true, "sequence": true, "source_net": true, "source_not": true, "source_port": true, "destination_net": true,
	"destination_not": true, "destination_port": true, "statetype": true, "state-policy": true, "sort_order": true, "prio_group": true,
	"udp-first": true, "udp-single": true, "udp-multiple": true, "adaptivestart": true, "adaptiveend": true, "replyto": true, "shaper1": true,
	"shaper2": true, "icmp6-type": true, "gatewaydown": true, "pflow": true, "ridentifier": true,
}

// actions of rules. A match rule only queues and tags.
var actions = map[string]facts.Action{"pass": facts.Permit, "block": facts.Deny, "reject": facts.Deny, "match": facts.Next}

// protocols by name (IANA registry of protocol numbers).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipencap": 4, "tcp": 6, "egp": 8, "igp": 9, "udp": 17, "rdp": 46, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44, "rsvp": 46, "gre": 47,
	"esp": 50, "ah": 51, "ipv6-icmp": 58, "icmpv6": 58, "icmp6": 58, "eigrp": 88, "ospf": 89, "etherip": 97, "pim": 103, "vrrp": 112, "carp": 112, "l2tp": 115,
	"sctp": 132, "pfsync": 240,
}

func (r *rule) protocol(s string) {
	s = strings.ToLower(s)
	switch n, ok := protocols[s]; {
	case s == "" || s == "any":
	case s == "tcp/udp":
		r.Match.Protocols = []uint8{facts.TCP, facts.UDP}
	case ok:
		r.Match.Protocols = []uint8{n}
	default:
		r.Match.Unread = append(r.Match.Unread, "protocol "+s)
	}
}
