package ciscoios

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// natState is what address translation is made of: rules, and which interfaces are inside and outside.
type natState struct {
	current         string // the side of the interface being read
	inside, outside []string
	sideless        bool // "ip nat enable"
	rules           []natRule
}

type natRule struct {
	facts.NAT
	outsideSource bool
}

// natStatement reads "ip nat inside|outside source|destination ...".
func (p *parser) natStatement(n int32) {
	side, what := string(p.word(2)), string(p.word(3))
	if side != "inside" && side != "outside" && side != "source" {
		p.skip(n) // pools, timeouts, "ip nat service": the data channels of sessions
		return
	}
	p.ok(n)
	if p.negated {
		return
	}
	i := 4
	if side == "source" {
		what, i = side, 3
		p.nat.sideless = true
	}
	r := natRule{NAT: facts.NAT{Kind: "source", Span: p.span(n)}, outsideSource: side == "outside"}
	switch {
	case what == "destination":
		r.Kind, r.Unread = "destination", "destinations of a list are spread over a pool"
	case p.is(i, "static"):
		p.static(&r, i+1)
	default: // list L|route-map M pool P|interface I [overload]
		p.named(n, "ip nat", "list")
		if j := p.has(i, "interface"); j > 0 && p.word(j+1) != nil {
			r.Out = p.str(p.word(j + 1))
		}
	}
	p.nat.rules = append(p.nat.rules, r)
}

// static reads "[network|tcp|udp] LOCAL [PORT] GLOBAL [PORT] [/n|MASK] ..." from word i on.
func (p *parser) static(r *natRule, i int) {
	r.Kind = "static"
	bits := 32
	network := p.is(i, "network")
	ported := p.is(i, "tcp") || p.is(i, "udp")
	if network || ported || p.is(i, "esp") {
		i++
	}
	local, ok1 := field.Addr(p.word(i))
	i++
	if ported {
		i++
	}
	if !ok1 {
		r.Unread = "static translation not understood"
		return
	}
	global, ok2 := field.Addr(p.word(i))
	if p.is(i, "interface") {
		r.Out = p.str(p.word(i + 1))
		r.Unread = "to the address of an interface"
	} else if !ok2 || global.Is4() != local.Is4() {
		r.Unread = "static translation not understood"
		return
	}
	if network {
		w := p.word(i + 1)
		if len(w) > 1 && w[0] == '/' {
			if n, ok := number(w[1:]); ok && n <= 32 {
				bits = n
			}
		} else if m, ok := field.Addr(w); ok && m.Is4() {
			bits, _ = netmaskBits(m)
		}
	}
	if ported {
		r.Unread = "of one port only"
	}
	if p.has(i, "route-map") > 0 {
		r.Unread = "only for what a route map matches"
	}
	r.Static = r.Unread == ""
	r.Original = netip.PrefixFrom(local, bits).Masked()
	if ok2 {
		r.Mapped = netip.PrefixFrom(global, bits).Masked()
	}
}

// finishNAT states the rules when the device translates at all: rules do nothing before interfaces have sides. What is on
// the way from inside to outside is told where only one interface is each.
func (p *parser) finishNAT() {
	s := &p.nat
	if len(s.inside) == 0 && len(s.outside) == 0 && !s.sideless {
		return
	}
	only := func(names []string) string {
		if len(names) == 1 {
			return names[0]
		}
		return ""
	}
	for _, r := range s.rules {
		in, out := only(s.inside), only(s.outside)
		if r.outsideSource {
			in, out = out, in
		}
		r.In = in
		if r.Out == "" {
			r.Out = out
		}
		p.d.NAT = append(p.d.NAT, r.NAT)
	}
}
