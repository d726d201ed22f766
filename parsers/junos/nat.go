package junos

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
)

// nat reads "security nat": source, destination and static translation.
func (p *parser) nat(n int32) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch kind := string(p.bytes(c)); kind {
		case "source", "destination", "static":
			p.okAll(c)
			pools := p.kid(c, "pool")
			sets := p.kid(c, "rule-set")
			for s := p.first(sets); s != none; s = p.next(s) {
				p.natSet(s, kind, pools)
			}
		default:
			p.other("security nat", c)
		}
	}
}

// natSet reads one rule set: rules for traffic from, and for source translation to, zones or interfaces.
func (p *parser) natSet(s int32, kind string, pools int32) {
	from, to := p.ends(p.kid(s, "from")), p.ends(p.kid(s, "to"))
	rules := p.kid(s, "rule")
	for r := p.first(rules); r != none; r = p.next(r) {
		for _, f := range from {
			for _, t := range to {
				p.natRule(r, kind, pools, f, t)
			}
		}
	}
}

// ends are the zones or interfaces below n; one empty name when none are stated, or routing instances are.
func (p *parser) ends(n int32) []string {
	var out []string
	for _, word := range [...]string{"zone", "interface"} {
		k := p.kid(n, word)
		for v := p.first(k); v != none; v = p.next(v) {
			if word == "zone" {
				out = append(out, p.side(v))
			} else {
				out = append(out, p.text(v))
			}
		}
	}
	if out == nil {
		return []string{""}
	}
	return out
}

func (p *parser) natRule(r int32, kind string, pools int32, from, to string) {
	base := facts.NAT{Kind: kind, In: from, Out: to, Span: p.span(r)}
	match, then := p.kid(r, "match"), p.kid(r, "then")
	original := "destination-address"
	if kind == "source" {
		original = "source-address"
	}
	for c := p.first(match); c != none; c = p.next(c) {
		switch word := string(p.bytes(c)); word {
		case "source-address", "destination-address":
			if word != original && !p.everything(c) {
				base.Unread = word
			}
		case "source-address-name", "destination-address-name", "source-port", "destination-port", "protocol", "application":
			base.Unread = p.statementText(c)
		}
	}
	if !p.natThen(then, kind, pools, &base) {
		return
	}
	list := p.kid(match, original)
	if p.first(list) == none {
		if kind != "source" || base.Unread != "" {
			base.Unread = "original addresses that are not stated as prefixes"
		}
		p.d.NAT = append(p.d.NAT, base)
		return
	}
	for v := p.first(list); v != none; v = p.next(v) {
		one := base
		one.Span = p.span(v)
		pfx, _, ok := prefix(p.bytes(v))
		if !ok {
			one.Unread = "an address that is not understood"
		}
		one.Original = pfx
		if kind == "static" { // facts.NAT tells it from the inside: what is matched here is the outside address
			one.Original, one.Mapped = one.Mapped, pfx
			one.In, one.Out = to, from
		}
		one.Static = kind != "source" && one.Unread == "" && one.Original.IsValid() && one.Mapped.IsValid() &&
			one.Original.Bits() == one.Mapped.Bits()
		p.d.NAT = append(p.d.NAT, one)
	}
}

// everything reports whether the prefixes below c hold every address.
func (p *parser) everything(c int32) bool {
	for v := p.first(c); v != none; v = p.next(v) {
		if pfx, _, ok := prefix(p.bytes(v)); !ok || pfx.Bits() != 0 {
			return false
		}
	}
	return true
}

// natThen reads what the rule does; false when it translates nothing.
func (p *parser) natThen(then int32, kind string, pools int32, r *facts.NAT) bool {
	act := p.kid(then, kind+"-nat")
	if act == none {
		r.Unread = "an action that is not understood"
		return true
	}
	if p.kid(act, "off") != none {
		// What is exempt is not translated: the rules that follow are not asked, which is not modelled.
		r.Unread = "exempt from translation"
		return true
	}
	if v := p.value(p.kid(act, "prefix")); v != none {
		pfx, _, ok := prefix(p.bytes(v))
		if !ok || p.kid(v, "mapped-port") != none || p.kid(p.kid(act, "prefix"), "mapped-port") != none {
			r.Unread = "translated to a prefix with ports, or one that is not understood"
		}
		r.Mapped = pfx
		return true
	}
	if v := p.value(p.kid(act, "pool")); v != none {
		p.natPool(p.kid(pools, p.text(v)), r)
		return true
	}
	if p.kid(act, "interface") != none {
		return true // the address of the interface the packet leaves by
	}
	r.Unread = "translated to addresses that are not stated as prefixes"
	return true
}

func (p *parser) natPool(pool int32, r *facts.NAT) {
	if pool == none {
		r.Unread = "the pool is not in this evidence"
		return
	}
	list := p.kid(pool, "address")
	n := 0
	for v := p.first(list); v != none; v = p.next(v) {
		switch {
		case p.is(v, "port"):
			r.Unread = "the port changes too"
			continue
		case p.kid(v, "port") != none:
			r.Unread = "the port changes too"
		case p.kid(v, "to") != none:
			n++
		}
		n++
		r.Mapped, _, _ = prefix(p.bytes(v))
	}
	switch {
	case n == 0:
		r.Unread = "a pool without addresses"
	case n > 1:
		r.Mapped = netip.Prefix{}
	}
}
