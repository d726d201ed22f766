package ciscoasa

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// Transports that have ports.
const (
	tcp  = facts.TCP
	udp  = facts.UDP
	sctp = 132
)

// object reads "object network NAME" and "object service NAME". A network object comes twice in a running
// configuration: its address before the access lists, its translation after them.
func (p *parser) object(n int32) {
	name := p.word(2)
	if len(name) == 0 || p.negated {
		p.unknownBelow(n)
		return
	}
	switch string(p.word(1)) {
	case "network":
		p.understood(n)
		g := p.group(name, facts.NetworkGroup, n)
		p.children(n, func(c int32) { p.networkObject(g, c) })
	case "service":
		p.understood(n)
		g := p.group(name, facts.ServiceGroup, n)
		p.children(n, func(c int32) {
			if p.is(0, "description") {
				p.irrelevant(c)
				return
			}
			item, ok := facts.ServiceItem{}, false
			if p.is(0, "service") {
				item, ok = p.service(1)
			}
			if !ok {
				p.d.Groups[g].Unread = "service not understood"
				return
			}
			item.Span = p.span(c)
			p.d.Groups[g].Services = p.svcs.One(item) // a later one replaces
			p.understood(c)
		})
	default: // object network-service (domains and applications): unrecognised below
		if p.is(1, "network-service") {
			p.unsupported(n, "network-service objects are resolved on the device")
			p.children(n, func(c int32) { p.unsupported(c, "network-service objects are resolved on the device") })
			return
		}
		p.unknownBelow(n)
	}
}

// group is the index of the group of that name in Device.Groups, made when new.
func (p *parser) group(name []byte, kind facts.GroupKind, n int32) int {
	if i, ok := p.groups[string(name)]; ok && p.d.Groups[i].Kind == kind {
		return i
	}
	i := len(p.d.Groups)
	p.d.Groups = slices.Grow(p.d.Groups, 1)[:i+1]
	g := &p.d.Groups[i]
	g.Name, g.Scope, g.Kind, g.Span = string(name), p.scope, kind, p.span(n)
	p.groups[g.Name] = i
	return i
}

func (p *parser) networkObject(g int, c int32) {
	group := &p.d.Groups[g]
	set := func(item facts.AddrItem, ok bool) {
		if !ok {
			group.Unread = "address not understood"
			return
		}
		item.Span = p.span(c)
		group.Addrs = p.items.One(item) // a later address replaces
		p.understood(c)
	}
	switch string(p.word(0)) {
	case "host":
		var item facts.AddrItem
		_, ok := p.netItem(&item, 0)
		set(item, ok)
	case "subnet":
		var item facts.AddrItem
		_, ok := p.netItem(&item, 1)
		set(item, ok)
	case "range":
		from, ok1 := p.address(p.word(1))
		to, ok2 := p.address(p.word(2))
		set(facts.AddrItem{From: from, To: to}, ok1 && ok2 && from.Is4() == to.Is4() && from.Compare(to) <= 0)
	case "fqdn":
		set(facts.AddrItem{Unread: "fqdn " + p.str(p.word(len(p.w)-1))}, len(p.w) > 1)
	case "nat":
		p.objectNAT(c, group.Name)
	case "description":
		p.irrelevant(c)
	default:
		group.Unread = "statement not understood"
	}
}

// service reads "PROTOCOL [icmp type [code]] [source PORTS] [destination PORTS]" from word i. Older software prints the
// destination ports without "destination" (Batfish testAsaServiceObject: "udp source eq 3 eq 1236").
func (p *parser) service(i int) (facts.ServiceItem, bool) {
	var item facts.ServiceItem
	w := p.word(i)
	i++
	if string(w) == "tcp-udp" {
		item.Protocols = []uint8{tcp, udp}
	} else {
		num, anyIP, ok := protocolNumber(w)
		if !ok {
			return item, false
		}
		if !anyIP {
			item.Protocols = p.proto(num)
		}
		if num == 1 || num == 58 {
			return p.icmpService(item, i, num == 58)
		}
	}
	for i < len(p.w) && p.word(i)[0] != '!' {
		dst := &item.Dst
		switch {
		case p.is(i, "source"):
			dst = &item.Src
			i++
		case p.is(i, "destination"):
			i++
		}
		ports, next, ok := p.ports(i)
		if !ok || dst.Present {
			return item, false
		}
		*dst, i = ports, next
	}
	return item, true
}

func (p *parser) icmpService(item facts.ServiceItem, i int, v6 bool) (facts.ServiceItem, bool) {
	if i >= len(p.w) || p.word(i)[0] == '!' {
		return item, true
	}
	typ, next, ok := p.icmp(i, v6)
	if !ok || next < len(p.w) && p.word(next)[0] != '!' {
		return item, false
	}
	item.ICMP = p.icmps.One(typ)
	return item, true
}

// icmp reads "TYPE [CODE]" from word i.
func (p *parser) icmp(i int, v6 bool) (typ facts.ICMPType, next int, ok bool) {
	t, ok := icmpType(p.word(i), v6)
	if !ok {
		return typ, i, false
	}
	typ = facts.ICMPType{Type: t, Code: -1}
	if code, isNum := number(p.word(i + 1)); isNum && code <= 255 {
		typ.Code = int16(code)
		return typ, i + 2, true
	}
	return typ, i + 1, true
}

// ports reads "eq|neq|lt|gt PORT" or "range PORT PORT" from word i. lt 10 is 0-9 and gt 5 is 6-65535 (Batfish
// testIpAccessListConversion).
func (p *parser) ports(i int) (out facts.Ports, next int, ok bool) {
	op := p.word(i)
	switch string(op) {
	case "eq", "neq", "lt", "gt", "range":
	default:
		return out, i, false
	}
	a, ok := portNumber(p.word(i + 1))
	if !ok {
		return out, i, false
	}
	out.Present = true
	r := facts.PortRange{First: a, Last: a}
	next = i + 2
	switch op[0] {
	case 'n':
		out.Not = true
	case 'l':
		if a == 0 {
			return out, next, true
		}
		r = facts.PortRange{First: 0, Last: a - 1}
	case 'g':
		if a == 65535 {
			return out, next, true
		}
		r = facts.PortRange{First: a + 1, Last: 65535}
	case 'r':
		b, ok := portNumber(p.word(i + 2))
		if !ok || b < a {
			return out, i, false
		}
		r.Last, next = b, i+3
	}
	out.Ranges = p.ranges.One(r)
	return out, next, true
}

// objectGroup reads "object-group TYPE NAME [tcp|udp|tcp-udp]".
func (p *parser) objectGroup(n int32) {
	i := 1
	if p.is(1, "group") { // "object-group group network NAME" (Batfish asa-nested-network-object-group)
		i = 2
	}
	name := p.word(i + 1)
	if len(name) == 0 || p.negated {
		p.unknownBelow(n)
		return
	}
	switch string(p.word(i)) {
	case "network":
		g := p.group(name, facts.NetworkGroup, n)
		p.members(n, g, p.networkMember)
	case "service":
		if t := p.word(i + 2); len(t) > 0 && t[0] != '!' {
			p.portGroup(n, name, t)
			return
		}
		g := p.group(name, facts.ServiceGroup, n)
		p.members(n, g, p.serviceMember)
	case "protocol":
		g := p.group(name, facts.ProtocolGroup, n)
		p.members(n, g, p.protocolMember)
	case "icmp-type":
		g := p.group(name, facts.ICMPGroup, n)
		p.members(n, g, p.icmpMember)
	case "user", "security", "network-service":
		why := "members of " + p.str(p.word(i)) + " groups are known to the device only"
		p.unsupported(n, why)
		p.children(n, func(c int32) { p.unsupported(c, why) })
	default:
		p.unknownBelow(n)
	}
}

// portGroup reads "object-group service NAME tcp|udp|tcp-udp": ports for use beside a protocol.
func (p *parser) portGroup(n int32, name, transport []byte) {
	var protos []uint8
	switch string(transport) {
	case "tcp":
		protos = p.proto(tcp)
	case "udp":
		protos = p.proto(udp)
	case "tcp-udp":
		protos = []uint8{tcp, udp}
	default:
		p.unknownBelow(n)
		return
	}
	g := p.group(name, facts.PortGroup, n)
	p.transports[g] = protos
	p.members(n, g, func(g int) bool {
		if !p.is(0, "port-object") {
			return false
		}
		ports, next, ok := p.ports(1)
		if !ok || ports.Not || !p.ends(next) {
			return false
		}
		p.d.Groups[g].Ports = append(p.d.Groups[g].Ports, ports.Ranges...)
		return true
	})
}

// ends reports whether the statement has no word i, or a comment there.
func (p *parser) ends(i int) bool { return i >= len(p.w) || p.word(i)[0] == '!' }

// members reads the statements of a group; add reads one and reports whether it understood it. What is not understood
// leaves the content of the group unknown.
func (p *parser) members(n int32, g int, add func(g int) bool) {
	p.understood(n)
	p.children(n, func(c int32) {
		group := &p.d.Groups[g]
		switch {
		case p.is(0, "description"):
			p.irrelevant(c)
		case p.is(0, "group-object") && len(p.w) > 1 && p.ends(2):
			group.Members = append(group.Members, p.ref(p.word(1)))
			p.understood(c)
		case add(g):
			p.understood(c)
			if k := len(group.Addrs); k > 0 && group.Addrs[k-1].Span.IsZero() {
				group.Addrs[k-1].Span = p.span(c)
			}
			if k := len(group.Services); k > 0 && group.Services[k-1].Span.IsZero() {
				group.Services[k-1].Span = p.span(c)
			}
		default:
			group.Unread = "member not understood"
			p.anySecrets(c)
		}
	})
}

func (p *parser) networkMember(g int) bool {
	if !p.is(0, "network-object") {
		return false
	}
	group := &p.d.Groups[g]
	if p.is(1, "object") && len(p.w) > 2 && p.ends(3) {
		group.Members = append(group.Members, p.ref(p.word(2)))
		return true
	}
	var item facts.AddrItem
	next, ok := p.netItem(&item, 1)
	if ok && p.ends(next) {
		group.Addrs = append(group.Addrs, item)
	}
	return ok && p.ends(next)
}

func (p *parser) serviceMember(g int) bool {
	group := &p.d.Groups[g]
	switch string(p.word(0)) {
	case "service-object":
		if p.is(1, "object") && len(p.w) > 2 && p.ends(3) {
			name := p.word(2)
			if item, ok := p.builtinService(name); ok && !p.defined(name) {
				group.Services = append(group.Services, item)
				return true
			}
			group.Members = append(group.Members, p.ref(name))
			return true
		}
		item, ok := p.service(1)
		if ok {
			group.Services = append(group.Services, item)
		}
		return ok
	case "port-object": // a group without a transport: TCP and UDP (Batfish testAsaNestedServiceObjectGroup, service4)
		ports, next, ok := p.ports(1)
		if ok && p.ends(next) {
			group.Services = append(group.Services, facts.ServiceItem{Protocols: []uint8{tcp, udp}, Dst: ports})
		}
		return ok && p.ends(next)
	}
	return false
}

func (p *parser) protocolMember(g int) bool {
	num, anyIP, ok := protocolNumber(p.word(1))
	if !p.is(0, "protocol-object") || !ok || !p.ends(2) {
		return false
	}
	group := &p.d.Groups[g]
	if anyIP { // every protocol
		group.Protocols = append([]uint8(nil), p.numbers[:]...)
		return true
	}
	group.Protocols = append(group.Protocols, num)
	return true
}

func (p *parser) icmpMember(g int) bool {
	if !p.is(0, "icmp-object") {
		return false
	}
	typ, next, ok := p.icmp(1, false)
	if ok && p.ends(next) {
		p.d.Groups[g].ICMP = append(p.d.Groups[g].ICMP, typ)
	}
	return ok && p.ends(next)
}

func (p *parser) defined(name []byte) bool {
	_, ok := p.groups[string(name)]
	return ok
}

// builtinService is a service object the platform predefines: "icmp-" and an ICMP type, or a protocol (Batfish asa_acl,
// testAsaServiceObjectInline).
func (p *parser) builtinService(name []byte) (facts.ServiceItem, bool) {
	if len(name) > 5 && string(name[:5]) == "icmp-" {
		if t, ok := icmpType(name[5:], false); ok {
			return facts.ServiceItem{Protocols: p.proto(1), ICMP: p.icmps.One(facts.ICMPType{Type: t, Code: -1})}, true
		}
		return facts.ServiceItem{}, false
	}
	if _, isNum := number(name); isNum {
		return facts.ServiceItem{}, false
	}
	num, anyIP, ok := protocolNumber(name)
	if !ok {
		return facts.ServiceItem{}, false
	}
	if anyIP {
		return facts.ServiceItem{}, true
	}
	return facts.ServiceItem{Protocols: p.proto(num)}, true
}

// mixed puts port groups that are members of service groups into the form service groups have: members resolve among
// their own kind.
func (p *parser) mixed() {
	for i := p.first; i < len(p.d.Groups); i++ {
		g := &p.d.Groups[i]
		if g.Kind != facts.ServiceGroup || len(g.Members) == 0 {
			continue
		}
		g.Members = slices.DeleteFunc(g.Members, func(name string) bool {
			j, ok := p.groups[name]
			if !ok || p.d.Groups[j].Kind != facts.PortGroup {
				return false
			}
			g.Services = append(g.Services, facts.ServiceItem{
				Protocols: p.transports[j],
				Dst:       facts.Ports{Groups: []string{name}, Present: true},
				Span:      p.d.Groups[j].Span,
			})
			return true
		})
	}
}

// A protocolSet is what a protocol group expands to.
type protocolSet struct {
	list  []uint8 // each once, in order
	every bool    // "ip" is among them
}

// protocolsOf is the content of a protocol group with its members.
func (p *parser) protocolsOf(name string) protocolSet {
	i, ok := p.groups[name]
	if !ok {
		return protocolSet{}
	}
	if s, ok := p.protocols[i]; ok {
		return s
	}
	var has [256]bool
	p.nested(i, facts.ProtocolGroup, func(g *facts.Group) {
		for _, n := range g.Protocols {
			has[n] = true
		}
	})
	var s protocolSet
	for n, in := range has {
		if in {
			s.list = append(s.list, uint8(n))
		}
	}
	s.every = len(s.list) == len(has)
	p.protocols[i] = s
	return s
}

// icmpOf is the content of an ICMP type group with its members.
func (p *parser) icmpOf(name string) []facts.ICMPType {
	i, ok := p.groups[name]
	if !ok {
		return nil
	}
	if list, ok := p.icmpTypes[i]; ok {
		return list
	}
	var list []facts.ICMPType
	p.nested(i, facts.ICMPGroup, func(g *facts.Group) { list = append(list, g.ICMP...) })
	p.icmpTypes[i] = list
	return list
}

// nested calls f with group i and the groups of its kind below it, each once.
func (p *parser) nested(i int, kind facts.GroupKind, f func(*facts.Group)) {
	seen := map[int]bool{}
	todo := []int{i}
	for len(todo) > 0 {
		i, todo = todo[len(todo)-1], todo[:len(todo)-1]
		if seen[i] || p.d.Groups[i].Kind != kind {
			continue
		}
		seen[i] = true
		f(&p.d.Groups[i])
		for _, m := range p.d.Groups[i].Members {
			if j, ok := p.groups[m]; ok {
				todo = append(todo, j)
			}
		}
	}
}
