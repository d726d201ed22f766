package nftables

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// match reads a comparison, or a statement that sets what an expression reads.
func (x *reader) match(t token) {
	k, ok := x.key(t)
	if !ok {
		x.unknown(t.text)
		return
	}
	keys := []key{k}
	for x.accept(".") {
		t, _ := x.next()
		k, ok := x.key(t)
		if !ok {
			x.unknown(t.text)
			return
		}
		keys = append(keys, k)
	}
	if x.accept("set") {
		x.change()
		return
	}
	negative := slices.Contains([]string{"!=", "ne", "!", "vmap"}, x.peek()) // a map may have an element for all else
	for _, k := range keys {
		x.implied(k, negative)
	}
	if len(keys) == 1 && (k.kind == keyFlags || slices.Contains(bitwise, x.peek())) {
		x.bits(k)
		return
	}
	if x.accept("vmap") {
		x.vmap(keys)
		return
	}
	if x.accept("map") {
		x.untold("a map that is compared")
		x.skipBraces()
		return
	}
	not := x.accept("!=", "ne", "!")
	x.accept("==", "eq")
	for _, op := range [...]string{"<", "lt", "<=", "le", ">", "gt", ">=", "ge"} {
		if x.accept(op) {
			x.compare(k, op)
			return
		}
	}
	list, named := x.values(len(keys))
	if len(list) == 0 && named == nil {
		x.unknown(k.name + " without a value")
		return
	}
	if len(keys) == 1 {
		x.conj(x.single(k, list, named, not))
		return
	}
	x.conj(x.concat(keys, list, named, not))
}

// implied restricts the rule to the packets that have what k reads. An address that must be one of some is of their version.
func (x *reader) implied(k key, negative bool) {
	if k.fam != 0 && x.f.Family == 0 && (negative || k.kind != keySrc && k.kind != keyDst) {
		x.conj(ofFamily(k.fam))
	}
	if k.proto != 0 && !(len(x.r.Match.Protocols) == 1 && !x.r.Match.NotProtocols && x.r.Match.Protocols[0] == k.proto) {
		x.conj(facts.Match{Protocols: []uint8{k.proto}})
	}
}

func ofFamily(f facts.Family) facts.Match {
	return facts.Match{AnyOf: []facts.Match{{Src: facts.Addrs{Present: true, Items: []facts.AddrItem{{Any: true, Family: f}}}}}, HasAnyOf: true}
}

// conj adds a condition to the rule; one that cannot be told is said of the rule.
func (x *reader) conj(c facts.Match) {
	if !c.Not && len(c.Unread) > 0 && conditions(&c) == 1 {
		for _, w := range c.Unread {
			x.untold(w)
		}
		return
	}
	join(&x.r.Match, c)
}

// join restricts m by c: in the field it is about while that is free.
func join(m *facts.Match, c facts.Match) {
	switch {
	case c.Not || conditions(&c) > 1:
	case c.HasAnyOf:
		if !m.HasAnyOf {
			m.AnyOf, m.HasAnyOf = c.AnyOf, true
			return
		}
	case c.Src.Present && !m.Src.Present:
		m.Src = c.Src
		return
	case c.Dst.Present && !m.Dst.Present:
		m.Dst = c.Dst
		return
	case c.SrcPorts.Present && !m.SrcPorts.Present:
		m.SrcPorts = c.SrcPorts
		return
	case c.DstPorts.Present && !m.DstPorts.Present:
		m.DstPorts = c.DstPorts
		return
	case len(c.Protocols) > 0 && len(m.Protocols) == 0:
		m.Protocols, m.NotProtocols = c.Protocols, c.NotProtocols
		return
	case c.In.Present && !m.In.Present:
		m.In = c.In
		return
	case c.Out.Present && !m.Out.Present:
		m.Out = c.Out
		return
	case c.Conn != 0 && m.Conn == 0:
		m.Conn = c.Conn
		return
	case len(c.ICMP) > 0 && len(m.ICMP) == 0:
		m.ICMP = c.ICMP
		return
	}
	m.AllOf = append(m.AllOf, c)
}

// conditions is how many conditions a match has.
func conditions(m *facts.Match) int {
	n := 0
	for _, has := range [...]bool{
		m.Src.Present, m.Dst.Present, m.SrcPorts.Present, m.DstPorts.Present, len(m.Protocols) > 0, m.In.Present, m.Out.Present, m.Conn != 0,
		len(m.ICMP) > 0, m.HasAnyOf, len(m.AllOf) > 0, len(m.Unread) > 0,
	} {
		if has {
			n++
		}
	}
	return n
}

// values reads what an expression is compared with: a set in braces, a set by its name, or values with commas between.
func (x *reader) values(parts int) ([]element, *set) {
	switch w := x.peek(); {
	case w == "{":
		return elements(x.skipBraces()), nil
	case strings.HasPrefix(w, "@"):
		t, _ := x.next()
		if s := x.t.find(t.text[1:]); s != nil {
			return s.elements, s
		}
		return nil, &set{name: t.text[1:]}
	}
	var list []element
	for {
		var e element
		for n := 0; ; {
			t, ok := x.next()
			if !ok {
				break
			}
			e.key = append(e.key, t)
			switch {
			case x.accept("-"):
				e.key = append(e.key, token{text: "-", from: t.from, to: t.to})
				continue
			case n+1 < parts && x.peek() == ".":
				dot, _ := x.next()
				e.key = append(e.key, dot)
				n++
				continue
			}
			break
		}
		if len(e.key) > 0 {
			list = append(list, e)
		}
		if !x.accept(",", "|") {
			return list, nil
		}
	}
}

// single is the condition that one expression has one of the values.
func (x *reader) single(k key, list []element, named *set, not bool) facts.Match {
	var m facts.Match
	if named != nil {
		if m, ok := x.byName(k, named, not); ok {
			return m
		}
	}
	for _, e := range list {
		x.value(&m, k, plain(e.key))
	}
	if len(m.Unread) > 0 { // one value of many is not known: no value restricts the rule
		return facts.Match{Unread: m.Unread[:1]}
	}
	if not {
		return negated(k, m)
	}
	if isEmpty(&m) {
		return facts.Match{HasAnyOf: true} // a set without values
	}
	return m
}

// isEmpty reports whether no value was added to m.
func isEmpty(m *facts.Match) bool { return conditions(m) == 0 }

// byName is the condition on a set that has a name: by a group where there is a kind of group for it.
func (x *reader) byName(k key, s *set, not bool) (facts.Match, bool) {
	if x.t.find(s.name) == nil {
		why := "the set " + s.name + ", which is not in this file"
		x.unknown(why)
		return facts.Match{Unread: []string{why}}, true
	}
	if k.kind == keySrc || k.kind == keyDst {
		a := facts.Addrs{Present: true, Not: not, Items: x.p.items.One(facts.AddrItem{Group: x.p.group(x.t, s, facts.NetworkGroup), Span: x.r.Span})}
		if k.kind == keySrc {
			return facts.Match{Src: a}, true
		}
		return facts.Match{Dst: a}, true
	}
	if k.kind == keySport || k.kind == keyDport {
		p := facts.Ports{Present: true, Not: not, Groups: []string{x.p.group(x.t, s, facts.PortGroup)}}
		if k.kind == keySport {
			return facts.Match{SrcPorts: p}, true
		}
		return facts.Match{DstPorts: p}, true
	}
	if why := s.unknown(); why != "" {
		return facts.Match{Unread: []string{why + ": " + s.name}}, true
	}
	return facts.Match{}, false
}

// value adds one value of k to m, as one more that may be.
func (x *reader) value(m *facts.Match, k key, words []token) {
	word := text(words)
	bad := func() {
		x.unknown(k.name + " " + word)
		m.Unread = append(m.Unread, k.name+" "+strings.Clone(word[:min(len(word), 100)]))
	}
	if k.kind != keySrc && k.kind != keyDst && slices.ContainsFunc(words, variable) {
		bad()
		return
	}
	switch k.kind {
	case keySrc, keyDst:
		to := &m.Src
		if k.kind == keyDst {
			to = &m.Dst
		}
		it, ok := addrItem(words)
		if !ok {
			it = facts.AddrItem{Unread: "address " + strings.Clone(word)}
			x.unknown(it.Unread)
		}
		it.Span = x.r.Span
		to.Present, to.Items = true, append(to.Items, it)
	case keySport, keyDport:
		to := &m.SrcPorts
		if k.kind == keyDport {
			to = &m.DstPorts
		}
		r, ok := portRange(words)
		if !ok {
			bad()
			return
		}
		to.Present, to.Ranges = true, append(to.Ranges, r)
	case keyProto:
		first, last, ok := protocolRange(word)
		if !ok {
			bad()
			return
		}
		for n := int(first); n <= int(last); n++ {
			m.Protocols = append(m.Protocols, uint8(n))
		}
	case keyIn, keyOut:
		to := &m.In
		if k.kind == keyOut {
			to = &m.Out
		}
		to.Present, to.Names = true, append(to.Names, strings.Clone(word))
	case keyState:
		s, ok := states[word]
		if !ok {
			bad()
			return
		}
		m.Conn |= s
	case keyICMP, keyICMP6:
		first, last, ok := icmpRange(k.kind, word)
		if !ok {
			bad()
			return
		}
		for n := int(first); n <= int(last); n++ {
			m.ICMP = append(m.ICMP, facts.ICMPType{Type: uint8(n), Code: -1})
		}
	case keyFamily:
		x.familyValue(m, k, word)
	case keyOther, keyFlags, keyFrag:
		if len(m.Unread) == 0 {
			m.Unread = append(m.Unread, strings.Clone(k.name+" "+word))
		}
	}
}

// variable reports whether t is a variable that nothing in the file defines.
func variable(t token) bool { return !t.quoted && strings.HasPrefix(t.text, "$") }

// familyValue is "meta nfproto ipv4", "meta protocol ip", "ether type ip6": one of another protocol is no packet of IP.
func (x *reader) familyValue(m *facts.Match, k key, word string) {
	f := map[string]facts.Family{"ipv4": facts.IPv4, "ip": facts.IPv4, "0x0800": facts.IPv4, "2": facts.IPv4, "ipv6": facts.IPv6, "ip6": facts.IPv6, "0x86dd": facts.IPv6, "10": facts.IPv6}[word]
	m.HasAnyOf = true
	switch {
	case f != 0:
		m.AnyOf = append(m.AnyOf, ofFamily(f).AnyOf...)
	case word == "arp" || word == "vlan" || word == "8021q" || word == "0x0806":
	default:
		x.unknown(k.name + " " + word)
		m.Unread = append(m.Unread, k.name)
	}
}

// negated is the condition that k has none of the values.
func negated(k key, m facts.Match) facts.Match {
	switch k.kind {
	case keySrc:
		m.Src.Not, m.Src.Present = true, true
	case keyDst:
		m.Dst.Not, m.Dst.Present = true, true
	case keySport:
		m.SrcPorts.Not, m.SrcPorts.Present = true, true
	case keyDport:
		m.DstPorts.Not, m.DstPorts.Present = true, true
	case keyIn:
		m.In.Not, m.In.Present = true, true
	case keyOut:
		m.Out.Not, m.Out.Present = true, true
	case keyState:
		if m.Conn == everyState {
			return facts.Match{HasAnyOf: true} // no packet is in no state
		}
		m.Conn = everyState &^ m.Conn
	case keyProto:
		if len(m.Protocols) == 0 {
			return facts.Match{}
		}
		m.NotProtocols = true
	case keyOther, keyFamily, keyICMP, keyICMP6, keyFlags, keyFrag:
		if isEmpty(&m) {
			return facts.Match{}
		}
		m.Not = true
	}
	return m
}

// concat is the condition that expressions together have one of the values.
func (x *reader) concat(keys []key, list []element, named *set, not bool) facts.Match {
	if named != nil {
		if x.t.find(named.name) == nil {
			x.unknown("the set " + named.name + ", which is not in this file")
			return facts.Match{}
		}
		if why := named.unknown(); why != "" {
			return facts.Match{Unread: []string{why + ": " + named.name}}
		}
	}
	m := facts.Match{HasAnyOf: true, Not: not}
	for _, e := range list {
		m.AnyOf = append(m.AnyOf, x.together(keys, plain(e.key)))
	}
	return m
}

// together is the condition that each expression has its part of one value.
func (x *reader) together(keys []key, words []token) facts.Match {
	var all facts.Match
	for i, part := range parts(words, len(keys)) {
		var m facts.Match
		x.value(&m, keys[i], part)
		if !isEmpty(&m) {
			join(&all, m)
		}
	}
	return all
}

// parts cuts a value at its dots into n; those that are not there are empty.
func parts(words []token, n int) [][]token {
	all := make([][]token, n)
	at := 0
	for _, w := range words {
		if w.is(".") {
			if at+1 < n {
				at++
			}
			continue
		}
		all[at] = append(all[at], w)
	}
	return all
}

// vmap reads a verdict map: each of its elements is a case.
func (x *reader) vmap(keys []key) {
	list, named := x.values(len(keys))
	if x.decided {
		x.unknown("two verdicts")
	}
	x.decided = true
	if named != nil {
		switch why := named.unknown(); {
		case x.t.find(named.name) == nil:
			x.unknown("the map " + named.name + ", which is not in this file")
			x.r.Action = facts.ActionUnknown
			return
		case why != "":
			x.untold(why + ": " + named.name)
			x.r.Action = facts.ActionUnknown
			return
		}
	}
	var others []facts.Match
	rest := -1
	for _, e := range list {
		words := plain(e.key)
		v := verdictCase{}
		if len(words) == 1 && words[0].is("*") {
			rest = len(x.verdicts)
		} else if len(keys) == 1 {
			x.value(&v.match, keys[0], words)
			others = append(others, v.match)
		} else {
			v.match = x.together(keys, words)
			others = append(others, v.match)
		}
		x.caseVerdict(&v, e.value)
		v.span = x.p.span(e.key[0].from, max(e.key[0].to, e.key[len(e.key)-1].to))
		if len(e.value) > 0 && e.value[len(e.value)-1].to > e.key[0].from {
			v.span = x.p.span(e.key[0].from, e.value[len(e.value)-1].to)
		}
		x.verdicts = append(x.verdicts, v)
	}
	if rest >= 0 {
		x.verdicts[rest].match = facts.Match{Not: true, AnyOf: others, HasAnyOf: true}
	}
}

// caseVerdict reads the verdict of one element.
func (x *reader) caseVerdict(v *verdictCase, words []token) {
	sub := reader{p: x.p, t: x.t, f: x.f, words: words, depth: x.depth, r: facts.Rule{Span: x.r.Span}}
	sub.read()
	v.action, v.to = sub.r.Action, sub.r.To
	if len(words) == 0 || !sub.decided || len(sub.r.Match.Unread) > 0 || len(sub.verdicts) > 0 {
		v.action = facts.ActionUnknown
		x.unknown("the verdict " + text(words))
	}
}
