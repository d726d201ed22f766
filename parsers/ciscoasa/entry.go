package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// entry reads one access-list line from word i, the one after the list's name.
func (p *parser) entry(a *acl, n int32, i int) {
	if p.negated {
		return // "no access-list" is no part of a configuration: unrecognised
	}
	if p.setting(a, i) {
		p.irrelevant(n)
		return
	}
	name := ""
	if p.is(i, "line") && len(p.w) > i+2 {
		name = p.str(p.word(i + 1))
		i += 2
	}
	kind := a.kind
	switch string(p.word(i)) {
	case "remark":
		p.understood(n)
		a.addRemark(p.maskText(p.text(n, i+1)))
		return
	case "extended":
		kind = "access-list extended"
		i++
	case "advanced": // the access control policy of Firepower Threat Defense, as the firewall sees it
		kind = "access-list advanced"
		i++
	case "standard":
		p.standard(p.rule(a, n, name, "access-list standard"), n, i+1)
		return
	case "webtype":
		p.webtype(p.rule(a, n, name, "access-list webtype"), n, i+1)
		return
	case "ethertype":
		a.ether = true
		if p.is(i+1, "deny") && (p.is(i+2, "any") || p.is(i+2, "all")) {
			// "If you explicitly deny all traffic with an EtherType ACE, then IP and ARP traffic is denied" (ASA CLI
			// configuration guide, Information About Access Lists).
			p.unsupported(n, "an EtherType entry that denies every frame")
			return
		}
		p.irrelevant(n) // frames that are not IP; file transfers are
		return
	default: // PIX 6 and "ipv6 access-list" say no type
		if kind == "" {
			kind = "access-list"
			if a.v6 {
				kind = "ipv6 access-list"
			}
		}
	}
	if p.elements(n, i) {
		return
	}
	p.six = a.v6
	p.extended(p.rule(a, n, name, kind), n, i, kind == "access-list advanced")
}

// setting reports whether the line sets something about all lists: "access-list deny-flow-max 4096".
func (p *parser) setting(a *acl, i int) bool {
	switch a.name {
	case "alert-interval", "deny-flow-max":
		_, isNum := number(p.word(i))
		return isNum && p.ends(i+1)
	case "mode", "commit", "cached":
		return p.ends(i+1) && !p.is(i, "permit") && !p.is(i, "deny")
	}
	return false
}

// elements accounts for the heading of a list in "show access-list": "access-list X; 3 elements; name hash: ...".
func (p *parser) elements(n int32, i int) bool {
	if !p.is(i+1, "elements;") && !p.is(i, "elements;") {
		return false
	}
	p.irrelevant(n)
	return true
}

// action reads permit or deny at word i. Firepower's "trust" passes without further inspection; its "permit" hands the
// packet to Snort, whose policy is not in this evidence.
func (p *parser) action(r *facts.Rule, i int, advanced bool) bool {
	switch string(p.word(i)) {
	case "permit":
		r.Action = facts.Permit
		if advanced {
			r.Action = facts.ActionUnknown
		}
		r.Log = facts.Assume(false) // ASA command reference, access-list extended: without log, permits are not logged
	case "trust":
		r.Action, r.Log = facts.Permit, facts.Assume(false)
	case "deny":
		// The same: a deny without the log keyword sends message 106023.
		r.Action, r.Log = facts.Deny, facts.Assume(true)
	default:
		return false
	}
	return true
}

// extended reads an entry from its action at word i. A line whose action or protocol is not understood decides nothing
// known about anything; any other part that is not understood is a condition that makes the line's own decision unknown.
func (p *parser) extended(r *facts.Rule, n int32, i int, advanced bool) {
	if !p.action(r, i, advanced) {
		return
	}
	next, ok := p.protocol(&r.Match, i+1)
	if !ok {
		r.Action, r.Match, r.Log = facts.ActionUnknown, facts.Match{}, facts.V[bool]{}
		return
	}
	i = p.identity(r, next)
	if i, ok = p.addrs(&r.Match.Src, i); !ok {
		p.unread(r, n, i)
		return
	}
	if ports, next, ok := p.entryPorts(i); ok {
		r.Match.SrcPorts, i = ports, next
	}
	i = p.identity(r, i)
	if i, ok = p.addrs(&r.Match.Dst, i); !ok {
		p.unread(r, n, i)
		return
	}
	if p.options(r, n, i) {
		p.understood(n)
	}
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		p.t.MarkAll(c, facts.Irrelevant) // "show access-list" prints what a line expands to below it
	}
}

// unread records that the line was not understood from word i on.
func (p *parser) unread(r *facts.Rule, n int32, i int) {
	text := p.text(n, i)
	r.Match.Unread = append(r.Match.Unread, p.str(text[:min(len(text), 80)]))
}

// protocol reads the protocol operand at word i: a name, a number, a service object, a protocol or service group.
func (p *parser) protocol(m *facts.Match, i int) (next int, ok bool) {
	w := p.word(i)
	switch string(w) {
	case "object":
		name := p.word(i + 1)
		if len(name) == 0 {
			return i, false
		}
		m.HasServices = true
		if item, builtin := p.builtinService(name); builtin && !p.defined(name) {
			m.Services = p.svcs.One(item)
			return i + 2, true
		}
		m.Services = p.svcs.One(facts.ServiceItem{Group: p.ref(name)})
		return i + 2, true
	case "object-group":
		name := p.word(i + 1)
		if len(name) == 0 {
			return i, false
		}
		p.protocolGroup(m, name)
		return i + 2, true
	}
	num, anyIP, ok := protocolNumber(w)
	if ok && !anyIP {
		m.Protocols = p.proto(num)
	}
	return i + 1, ok
}

// protocolGroup restricts m to an object group in the protocol's place. An undefined group matches nothing.
func (p *parser) protocolGroup(m *facts.Match, word []byte) {
	kind, _ := p.kind(word)
	name := p.ref(word)
	switch kind {
	case facts.ProtocolGroup:
		if g := &p.d.Groups[p.groups[name]]; g.Unread != "" {
			m.Unread = append(m.Unread, "object-group "+name)
		}
		set := p.protocolsOf(name)
		if !set.every {
			m.Protocols = set.list
		}
		m.HasServices = len(set.list) == 0
	case facts.PortGroup:
		m.HasServices = true
		m.Services = p.svcs.One(facts.ServiceItem{
			Protocols: p.transports[p.groups[name]], Dst: facts.Ports{Groups: p.texts.One(name), Present: true},
		})
	case facts.NetworkGroup, facts.ServiceGroup, facts.ICMPGroup:
		m.HasServices = true
		m.Services = p.svcs.One(facts.ServiceItem{Group: name})
	}
}

// identity reads over conditions on users, security groups and interfaces before an address: who a packet belongs to is
// known to the device only.
func (p *parser) identity(r *facts.Rule, i int) int {
	for i < len(p.w) {
		width := 2
		switch string(p.word(i)) {
		case "user", "user-group", "object-group-user", "object-group-security", "ifc":
		case "security-group":
			width = 3
		default:
			return i
		}
		end := min(i+width, len(p.w))
		cond := p.t.Source[p.w[i].Off : p.w[end-1].Off+p.w[end-1].Len]
		r.Match.Unread = append(r.Match.Unread, p.str(cond))
		i = end
	}
	return i
}

// entryPorts reads a port operand at word i: an operator, or a port group. "object-group X" of another kind is the next
// address.
func (p *parser) entryPorts(i int) (out facts.Ports, next int, ok bool) {
	if p.is(i, "object-group") {
		name := p.word(i + 1)
		if kind, known := p.kind(name); !known || kind != facts.PortGroup {
			return out, i, false
		}
		return facts.Ports{Groups: p.texts.One(p.ref(name)), Present: true}, i + 2, true
	}
	return p.ports(i)
}

// options reads what follows the destination address and reports whether all of it was understood.
func (p *parser) options(r *facts.Rule, n int32, i int) bool {
	icmp := len(r.Match.Protocols) == 1 && (r.Match.Protocols[0] == 1 || r.Match.Protocols[0] == 58)
	understood := true
	for i < len(p.w) && understood {
		w := p.word(i)
		switch string(w) {
		case "log":
			i = p.logOption(r, i)
		case "inactive":
			r.Inactive = facts.Say(true, p.at(p.w[i]))
			i++
		case "time-range":
			if i+1 >= len(p.w) {
				understood = false
				break
			}
			r.Times = p.timeRangeNamed(p.word(i + 1))
			i += 2
		case "rule-id", "event-log": // Firepower's own bookkeeping
			i += 2
		case "object-group":
			understood = p.optionGroup(r, p.word(i+1))
			i += 2
		default:
			if w[0] == '!' || w[0] == '(' || bytes.HasPrefix(w, []byte("0x")) {
				return true // a comment; hit count and hash of "show access-list"
			}
			if ports, next, ok := p.ports(i); ok && !r.Match.DstPorts.Present {
				r.Match.DstPorts, i = ports, next
				break
			}
			if typ, next, ok := p.icmp(i, icmp && r.Match.Protocols[0] == 58); ok && icmp && len(r.Match.ICMP) == 0 {
				r.Match.ICMP, i = p.icmps.One(typ), next
				break
			}
			understood = false
		}
	}
	if !understood {
		p.unread(r, n, i)
	}
	return understood
}

// optionGroup reads "object-group X" after the destination: ports or ICMP types.
func (p *parser) optionGroup(r *facts.Rule, name []byte) bool {
	kind, known := p.kind(name)
	switch {
	case len(name) == 0:
		return false
	case !known && !r.Match.DstPorts.Present: // an undefined group matches nothing
		r.Match.DstPorts = facts.Ports{Groups: p.texts.One(p.ref(name)), Present: true}
	case kind == facts.PortGroup && !r.Match.DstPorts.Present:
		r.Match.DstPorts = facts.Ports{Groups: p.texts.One(p.ref(name)), Present: true}
	case kind == facts.ICMPGroup && len(r.Match.ICMP) == 0 && p.d.Groups[p.groups[string(name)]].Unread == "":
		r.Match.ICMP = p.icmpOf(p.ref(name))
		if len(r.Match.ICMP) == 0 {
			r.Match.HasServices = true // an empty group matches nothing
		}
	default:
		return false
	}
	return true
}

// logOption reads "log [[level] [interval seconds] | disable | default]" at word i.
func (p *parser) logOption(r *facts.Rule, i int) int {
	span := p.at(p.w[i])
	i++
	switch {
	case p.is(i, "disable"):
		r.Log = facts.Say(false, span)
		return i + 1
	case p.is(i, "default"):
		return i + 1
	}
	r.Log = facts.Say(true, span)
	if _, _, ok := severityLevel(p.word(i)); ok {
		i++
	}
	if p.is(i, "interval") {
		i += 2
	}
	return i
}

// standard reads a standard entry. On the ASA its address is a destination: "Standard ACLs identify the destination IP
// addresses (not source addresses)" (ASA CLI configuration guide, Adding a Standard Access Control List).
func (p *parser) standard(r *facts.Rule, n int32, i int) {
	if !p.action(r, i, false) {
		return
	}
	next, ok := p.addrs(&r.Match.Dst, i+1)
	if a, single := p.address(p.word(i + 1)); !ok && single && p.ends(i+2) {
		r.Match.Dst = facts.Addrs{Items: p.items.One(facts.AddrItem{Prefix: host(a)}), Present: true}
		next, ok = i+2, true
	}
	if !ok || !p.ends(next) {
		p.unread(r, n, i+1)
		return
	}
	p.understood(n)
}

// webtype reads an entry of a list that filters clientless VPN users by URL or server. It sees requests, not packets, so
// whether it matches a packet is unknown; the scheme it names is kept.
func (p *parser) webtype(r *facts.Rule, n int32, i int) {
	if !p.action(r, i, false) {
		return
	}
	switch {
	case p.is(i+1, "url"):
		scheme, _, _ := bytes.Cut(p.word(i+2), []byte(":"))
		r.Match.Unread = append(r.Match.Unread, "url "+p.str(scheme))
	case p.is(i+1, "tcp"):
		r.Match.Protocols = p.proto(tcp)
		if next, ok := p.addrs(&r.Match.Dst, i+2); ok {
			if ports, _, ok := p.ports(next); ok {
				r.Match.DstPorts = ports
			}
		}
		r.Match.Unread = append(r.Match.Unread, "requests of clientless VPN users")
	default:
		return
	}
	p.understood(n)
}
