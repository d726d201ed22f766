package panos

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A translation is one NAT rule.
type translation struct {
	from, to []string
	src, dst int32 // statements
	svc      []facts.ServiceItem
	unread   string
	off      bool
	bidir    bool
}

// natRule reads one NAT rule. Its zones are those before translation ("NAT Policy Overview", PAN-OS Networking Admin
// Guide), so where a packet goes whose destination changes is not said by "to". Security rules are asked about the
// addresses before translation: facts.NAT tells what becomes of a packet, and no verdict depends on it.
func (p *parser) natRule(n int32, v *vsys) {
	p.ok(n)
	t := translation{src: none, dst: none}
	source, target := none, none
	x := matcher{p: p, c: &chain{v: v}, m: &facts.Match{}}
	p.each(n, func(k int32) bool {
		w := p.value(k)
		switch string(p.t.Text(k)) {
		case "from":
			t.from = x.zones(k)
		case "to":
			t.to = x.zones(k)
		case "source":
			p.values(k)
			t.src = k
		case "destination":
			p.values(k)
			t.dst = k
		case "service":
			p.values(k)
			if w != none && !p.is(w, "any") {
				t.svc = append(t.svc, p.serviceOf(w, v.space))
			}
		case "source-translation":
			p.okAll(k)
			source = k
			return false
		case "destination-translation", "dynamic-destination-translation":
			p.okAll(k)
			target = k
			return false
		case "disabled":
			t.off = x.yes(k)
		case "nat-type":
			p.values(k)
			if w != none && !p.is(w, "ipv4") {
				t.unread = "nat-type " + p.text(w)
			}
		case "to-interface", "active-active-device-binding":
			p.values(k)
			if w != none && !p.is(w, "any") {
				t.unread = p.text(k) + " " + p.text(w)
			}
		case "description", "tag", "group-tag", "uuid", "target", "disable-override":
			p.okAll(k)
			return false
		default:
			t.unread = "a condition that is not understood: " + p.text(k)
			p.unsupported(k, "a condition that is not modelled")
			return false
		}
		return true
	})
	if t.off {
		return
	}
	if target != none {
		p.destinationNAT(n, &t, target, v.space)
	}
	if source != none {
		p.sourceNAT(n, &t, source, v.space)
	}
}

// ends are zones, one empty name for any.
func ends(zones []string) []string {
	if len(zones) == 0 {
		return []string{""}
	}
	return zones
}

// original are the networks of statement k; one that is not valid for any address, none when one is not known.
func (p *parser) original(k int32, s *space) (list []netip.Prefix, ok bool) {
	if k == none {
		return []netip.Prefix{{}}, true
	}
	for v := p.first(k); v != none; v = p.next(v) {
		if p.is(v, "any") {
			return []netip.Prefix{{}}, true
		}
		pfx, _, read := p.netmask(p.bytes(v), s)
		if !read {
			return nil, false
		}
		list = append(list, pfx)
	}
	return list, len(list) > 0
}

// maxNAT bounds the facts that one rule is written out to.
const maxNAT = 256

func (p *parser) destinationNAT(n int32, t *translation, target int32, s *space) {
	base := facts.NAT{Kind: "destination", Unread: t.unread, Span: p.span(n)}
	if any, ok := p.original(t.src, s); base.Unread == "" && (!ok || any[0].IsValid()) {
		base.Unread = "it depends on the source"
	}
	if len(t.svc) > 0 && base.Unread == "" {
		base.Unread = "it depends on the service"
	}
	to := p.value(p.kid(target, "translated-address"))
	if to != none {
		base.Span = p.span(to)
		pfx, _, ok := p.netmask(p.bytes(to), s)
		if !ok && base.Unread == "" {
			base.Unread = "translated to an address that is not understood"
		}
		base.Mapped = pfx
	} else if base.Unread == "" {
		base.Unread = "translated to an address that is not stated"
	}
	if p.kid(target, "translated-port") != none && base.Unread == "" {
		base.Unread = "the port changes too"
	}
	if p.is(target, "dynamic-destination-translation") && base.Unread == "" {
		base.Unread = "translated to one of several addresses"
	}
	list, ok := p.original(t.dst, s)
	if !ok {
		base.Unread, list = "original addresses that are not stated as networks", []netip.Prefix{{}}
	}
	for _, from := range ends(t.from) {
		for _, o := range list {
			if len(p.d.NAT) > 0 && len(list)*len(t.from) > maxNAT {
				return
			}
			one := base
			one.In, one.Original = from, o
			one.Static = one.Unread == "" && o.IsValid() && one.Mapped.IsValid() && o.Bits() == one.Mapped.Bits()
			p.d.NAT = append(p.d.NAT, one)
		}
	}
}

func (p *parser) sourceNAT(n int32, t *translation, source int32, s *space) {
	base := facts.NAT{Kind: "source", Unread: t.unread, Span: p.span(n)}
	kind := p.first(source)
	if kind == none {
		return
	}
	var pool []netip.Prefix
	list := p.kid(kind, "translated-address")
	for v := p.first(list); v != none; v = p.next(v) {
		if pfx, _, ok := p.netmask(p.bytes(v), s); ok {
			pool = append(pool, pfx)
		}
	}
	if len(pool) == 1 {
		base.Mapped = pool[0]
	}
	static := p.is(kind, "static-ip")
	if v := p.value(p.kid(kind, "bi-directional")); v != none && p.is(v, "yes") {
		t.bidir = true
	}
	originals, ok := p.original(t.src, s)
	if !ok {
		base.Unread, originals = "original addresses that are not stated as networks", []netip.Prefix{{}}
	}
	for _, from := range ends(t.from) {
		for _, to := range ends(t.to) {
			for _, o := range slices.Clone(originals) {
				if len(originals)*len(t.from)*len(t.to) > maxNAT {
					return
				}
				one := base
				one.In, one.Out, one.Original = from, to, o
				one.Static = static && one.Unread == "" && o.IsValid() && one.Mapped.IsValid() && o.Bits() == one.Mapped.Bits()
				if t.bidir && one.Static {
					one.Kind = "static"
				}
				p.d.NAT = append(p.d.NAT, one)
			}
		}
	}
}
