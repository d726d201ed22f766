package ciscoasa

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A natNode is a translation statement, read once every object is known: what it maps to may be defined after it.
type natNode struct {
	node   int32
	object string // the network object it stands under; empty at the top
}

// Kinds of facts.NAT, told from a packet on its way from In to Out: the source Original leaves as Mapped; the destination
// Original becomes Mapped; static is the source in this direction and its reverse for the other, so what comes in at Out
// for Mapped goes on to Original. Access lists of 8.3 and later see the real address, which is Original of a static rule
// and Mapped of a destination rule (ASA CLI configuration guide, "IP Addresses Used for Access Lists When You Use NAT").
const (
	natStatic      = "static"
	natSource      = "source"
	natDestination = "destination"
)

// old says why a translation is not followed: "static", "nat" and "global" of software before 8.3, whose access lists see
// the mapped address.
const oldNAT = "access lists before 8.3 see mapped addresses"

// objectNAT notes the nat statement below an object.
func (p *parser) objectNAT(c int32, object string) {
	p.natNodes = append(p.natNodes, natNode{c, object})
}

// Sections are asked in order, the first rule that fits translates. Within the second, static rules come before dynamic
// ones, and of these the smaller and then the lower real addresses first (ASA firewall CLI configuration guide, NAT Rule
// Order).
const (
	sectionManual = iota
	sectionStatic
	sectionDynamic
	sectionAfter
)

// A placedNAT is a translation and where it stands among the others.
type placedNAT struct {
	section int
	rule    facts.NAT
}

// readNAT reads the translations and states them in the order the device asks them.
func (p *parser) readNAT() {
	p.placed = p.placed[:0]
	for _, nn := range p.natNodes {
		p.read(nn.node)
		switch {
		case nn.object != "":
			p.autoNAT(nn.node, nn.object)
		case p.is(0, "nat"):
			p.natLine(nn.node)
		case p.is(0, "static"):
			p.oldStatic(nn.node)
		default: // global pools and the alias command, before 8.3
			p.addNAT(nn.node, sectionManual, facts.NAT{Kind: natSource, Unread: oldNAT})
		}
	}
	slices.SortStableFunc(p.placed, placedNAT.compare)
	for _, n := range p.placed {
		p.d.NAT = append(p.d.NAT, n.rule)
	}
}

func (a placedNAT) compare(b placedNAT) int {
	if a.section != b.section || a.section != sectionStatic && a.section != sectionDynamic {
		return cmp.Compare(a.section, b.section)
	}
	x, y := a.rule.Original, b.rule.Original
	return cmp.Or(cmp.Compare(y.Bits(), x.Bits()), x.Addr().Compare(y.Addr()))
}

func (p *parser) addNAT(n int32, section int, rule facts.NAT) {
	rule.Span = p.span(n)
	p.placed = append(p.placed, placedNAT{section, rule})
	p.understood(n)
}

// interfaces reads "(real,mapped)" at word i, in one word or two; "any" is every interface.
func (p *parser) interfaces(i int) (in, out string, next int, ok bool) {
	w := p.word(i)
	if len(w) == 0 || w[0] != '(' {
		return "", "", i, true
	}
	next = i + 1
	if w[len(w)-1] != ')' && next < len(p.w) { // "(inside, outside)"
		w = p.t.Source[p.w[i].Off : p.w[next].Off+p.w[next].Len]
		next++
	}
	a, b, found := bytes.Cut(bytes.Trim(w, "()"), []byte(","))
	b = bytes.TrimLeft(b, " \t")
	if !found {
		return string(a), "", next, true
	}
	in, out = p.str(a), p.str(b)
	if in == "any" {
		in = ""
	}
	if out == "any" {
		out = ""
	}
	return in, out, next, true
}

// prefixOf is the one prefix a network object stands for; why says what it is when it is none.
func (p *parser) prefixOf(name []byte) (pre netip.Prefix, why string) {
	if string(name) == "any" {
		return netip.Prefix{}, ""
	}
	if a, ok := p.address(name); ok {
		return netip.PrefixFrom(a, a.BitLen()), ""
	}
	i, ok := p.groups[string(name)]
	if !ok {
		return netip.Prefix{}, "undefined object " + p.str(name)
	}
	g := &p.d.Groups[i]
	if len(g.Members) > 0 || len(g.Addrs) != 1 || !g.Addrs[0].Prefix.IsValid() || g.Unread != "" {
		return netip.Prefix{}, "object " + p.str(name) + " is no single prefix"
	}
	return g.Addrs[0].Prefix, ""
}

// autoNAT reads "nat [(REAL,MAPPED)] static|dynamic MAPPED ..." below object network NAME.
func (p *parser) autoNAT(n int32, object string) {
	in, out, i, ok := p.interfaces(1)
	if !ok || p.negated || i+1 >= len(p.w) {
		return
	}
	real, why := p.prefixOf([]byte(object))
	r, section := facts.NAT{Kind: natStatic, In: in, Out: out, Original: real, Unread: why}, sectionStatic
	kind := string(p.word(i))
	switch kind {
	case "static":
	case "dynamic":
		r.Kind, section = natSource, sectionDynamic
	default:
		return
	}
	r.Mapped, why = p.mappedOf(i+1, out, real)
	for j := i + 2; j < len(p.w); j++ {
		switch string(p.word(j)) {
		case "service": // one port is translated to another
			why = "service " + p.str(p.text(n, j+1))
			j = len(p.w)
		case "dns", "no-proxy-arp", "route-lookup", "net-to-net", "interface", "ipv6", "pat-pool", "flat", "include-reserve", "extended",
			"round-robin", "block-allocation":
		default:
			if kind == "static" && why == "" {
				why = "option " + p.str(p.word(j))
			}
		}
	}
	p.settle(&r, why)
	p.addNAT(n, section, r)
}

// settle marks r as one to one when both ends are known and alike.
func (p *parser) settle(r *facts.NAT, why string) {
	if r.Unread == "" {
		r.Unread = why
	}
	same := r.Original.IsValid() && r.Mapped.IsValid() && r.Original.Bits() == r.Mapped.Bits() && r.Original.Addr().Is4() == r.Mapped.Addr().Is4()
	if r.Kind != natSource && r.Unread == "" {
		r.Static = same
		if !same {
			r.Unread = "the two ends differ in size"
		}
	}
}

// mappedOf is what word i of a nat statement maps real to: an object, an address (of real's size), or the address of the
// interface out.
func (p *parser) mappedOf(i int, out string, real netip.Prefix) (netip.Prefix, string) {
	if p.is(i, "interface") {
		if j, ok := p.nameif[out]; ok && len(p.d.Interfaces[j].Addrs) > 0 {
			a := p.d.Interfaces[j].Addrs[0].Addr()
			return netip.PrefixFrom(a, a.BitLen()), ""
		}
		return netip.Prefix{}, "address of interface " + out
	}
	if p.is(i, "pat-pool") {
		return netip.Prefix{}, "pat-pool"
	}
	if a, ok := p.address(p.word(i)); ok && real.IsValid() && a.Is4() == real.Addr().Is4() {
		return netip.PrefixFrom(a, real.Bits()).Masked(), "" // "nat static 192.0.2.0" maps a net to a net of its size
	}
	return p.prefixOf(p.word(i))
}

// natLine reads the top-level nat statements: twice NAT, and "nat (inside) 1 ..." of software before 8.3.
func (p *parser) natLine(n int32) {
	in, out, i, ok := p.interfaces(1)
	if !ok || p.negated {
		return
	}
	if _, old := number(p.word(i)); old && out == "" {
		p.addNAT(n, sectionManual, facts.NAT{Kind: natSource, In: in, Unread: oldNAT})
		return
	}
	section := sectionManual
	if p.is(i, "after-auto") {
		section = sectionAfter
		i++
	}
	if _, isNum := number(p.word(i)); isNum { // line number
		i++
	}
	if !p.is(i, "source") || i+3 >= len(p.w) {
		return
	}
	src := facts.NAT{Kind: natStatic, In: in, Out: out}
	if p.is(i+1, "dynamic") {
		src.Kind = natSource
	} else if !p.is(i+1, "static") {
		return
	}
	var why string
	src.Original, src.Unread = p.prefixOf(p.word(i + 2))
	src.Mapped, why = p.mappedOf(i+3, out, src.Original)
	identity := src.Kind == natStatic && string(p.word(i+2)) == string(p.word(i+3))
	dst := facts.NAT{Kind: natDestination, In: in, Out: out}
	hasDst, service := false, ""
	forSome := "" // the destination a rule is limited to
	for i += 4; i < len(p.w); i++ {
		switch string(p.word(i)) {
		case "destination": // destination static MAPPED REAL
			if i+3 >= len(p.w) {
				return
			}
			hasDst = string(p.word(i+2)) != string(p.word(i+3))
			if !p.is(i+2, "any") {
				forSome = "only for destination " + p.str(p.word(i+2))
			}
			var a, b string
			dst.Original, a = p.prefixOf(p.word(i + 2))
			dst.Mapped, b = p.prefixOf(p.word(i + 3))
			if p.is(i+2, "interface") {
				dst.Original, a = p.mappedOf(i+2, in, netip.Prefix{})
			}
			if dst.Unread = a; a == "" {
				dst.Unread = b
			}
			i += 3
		case "service":
			service = "service " + p.str(p.word(i+1)) + " " + p.str(p.word(i+2))
			i += 2
		case "inactive":
			p.understood(n)
			return
		case "unidirectional":
			if src.Kind == natStatic {
				src.Kind = natSource
			}
		case "description":
			i = len(p.w)
		}
	}
	p.understood(n)
	if !identity || service != "" {
		p.settle(&src, cmp.Or(why, service, forSome))
		p.addNAT(n, section, src)
	}
	if hasDst {
		if src.Original.IsValid() {
			service = cmp.Or(service, "only for source "+src.Original.String())
		}
		p.settle(&dst, service)
		p.addNAT(n, section, dst)
	}
}

// oldStatic reads "static (REAL,MAPPED) MAPPED REAL netmask M" and its port form (before 8.3).
func (p *parser) oldStatic(n int32) {
	in, out, i, ok := p.interfaces(1)
	if !ok || p.negated {
		return
	}
	r := facts.NAT{Kind: natStatic, In: in, Out: out, Unread: oldNAT}
	mapped, ok1 := p.address(p.word(i))
	real, ok2 := p.address(p.word(i + 1))
	bits := 32
	if p.is(i+2, "netmask") {
		if m, ok := p.address(p.word(i + 3)); ok {
			bits, _ = maskBits(m)
		}
	}
	if ok1 && ok2 && mapped.Is4() && real.Is4() {
		r.Original, r.Mapped = netip.PrefixFrom(real, bits).Masked(), netip.PrefixFrom(mapped, bits).Masked()
	}
	p.addNAT(n, sectionManual, r)
}
