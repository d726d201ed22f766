package opnsense

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// An rdr is a port forward that passes what it translates.
type rdr struct{ rule facts.Rule }

// nat reads port forwards, one-to-one and outbound translations.
func (p *parser) nat() {
	n := p.Kid(p.root, "nat")
	p.OK(n)
	p.Each(n, "rule", p.forward)
	p.Each(n, "onetoone", p.oneToOne)
	out := p.Kid(n, "outbound")
	p.OK(out)
	p.String(out, "mode")
	p.Each(out, "rule", func(r int32) {
		defer p.Rest(r)
		if !p.on(r, "disabled") && p.Kid(r, "nonat") == none {
			p.D.NAT = append(p.D.NAT, facts.NAT{Kind: "source", Out: p.String(r, "interface"), Span: p.Span(r)})
		}
	})
	if p.Kid(n, "npt") != none {
		p.Each(n, "npt", func(k int32) {
			p.Unsupported(k, "a translation of prefixes")
			p.D.NAT = append(p.D.NAT, facts.NAT{Kind: "static", Unread: "a translation of IPv6 prefixes", Span: p.Span(k)})
		})
	}
}

// forward reads a port forward: pf's rdr.
func (p *parser) forward(n int32) {
	defer p.Rest(n)
	if p.on(n, "disabled") {
		return
	}
	var m facts.Match
	src, srcPorts := p.set(p.Kid(n, "source"), &m)
	dst, ports := p.set(p.Kid(n, "destination"), &m)
	if ext := p.String(n, "external-address"); ext != "" { // of old files
		dst = facts.Addrs{Present: true, Items: p.item(ext)}
	}
	base := facts.NAT{Kind: "destination", In: p.String(n, "interface"), Span: p.Span(n)}
	target := p.String(n, "target")
	local := p.portsOf(p.String(n, "local-port"))
	mapped, ok := p.single(p.item(target))
	original, known := p.single(dst.Items)
	switch {
	case p.on(n, "nordr"):
		base.Unread = "an exception from port forwards"
	case len(m.Unread) > 0:
		base.Unread = "it depends on " + m.Unread[0]
	case src.Present || srcPorts.Present:
		base.Unread = "it depends on the source"
	case !ok:
		base.Unread = "the target " + target
	case dst.Not || !known:
		base.Unread = "which addresses it translates"
	case len(ports.Groups) > 0 || len(local.Groups) > 0 || len(ports.Ranges) > 1:
		base.Unread = "the ports are an alias"
	}
	base.Original, base.Mapped = original, mapped
	if len(ports.Ranges) == 1 {
		base.OriginalPorts = ports.Ranges[0]
		base.MappedPorts = base.OriginalPorts
		if len(local.Ranges) == 1 {
			first := local.Ranges[0].First
			base.MappedPorts = facts.PortRange{First: first, Last: first + (base.OriginalPorts.Last - base.OriginalPorts.First)}
		}
	}
	if base.MappedPorts != base.OriginalPorts && base.Unread == "" {
		base.Unread = "it changes the port"
	}
	base.Static = base.Unread == ""
	var r rule
	r.protocol(p.String(n, "protocol"))
	for _, proto := range r.Match.Protocols {
		x := base
		x.Transport = proto
		p.D.NAT = append(p.D.NAT, x)
	}
	if len(r.Match.Protocols) == 0 {
		p.D.NAT = append(p.D.NAT, base)
	}
	if p.String(n, "associated-rule-id") == "pass" {
		p.pass(n, &r, src, srcPorts, base, target)
	}
}

// pass keeps what a port forward lets through by itself, as the rules would see it: translated.
func (p *parser) pass(n int32, r *rule, src facts.Addrs, srcPorts facts.Ports, x facts.NAT, target string) {
	r.Name, r.Action, r.Span = "rdr pass", facts.Permit, p.Span(n)
	r.Match.Src, r.Match.SrcPorts = src, srcPorts
	r.Match.Dst = facts.Addrs{Present: true, Items: p.item(target)}
	if x.MappedPorts != (facts.PortRange{}) {
		r.Match.DstPorts = facts.Ports{Present: true, Ranges: []facts.PortRange{x.MappedPorts}}
	}
	if x.In != "" {
		r.Match.In = facts.Places{Names: fields(x.In), Present: true}
	}
	p.passed = append(p.passed, rdr{r.Rule})
}

// single is the one address of items.
func (p *parser) single(items []facts.AddrItem) (netip.Prefix, bool) {
	if len(items) == 1 && items[0].Group != "" {
		g := p.D.Groups[p.aliases[items[0].Group]]
		if g.Unread != "" || len(g.Members) > 0 {
			return netip.Prefix{}, false
		}
		items = g.Addrs
	}
	if len(items) != 1 || !items[0].Prefix.IsValid() || items[0].Except {
		return netip.Prefix{}, false
	}
	return items[0].Prefix, true
}

// oneToOne reads a translation of one address or network into another.
func (p *parser) oneToOne(n int32) {
	defer p.Rest(n)
	if p.on(n, "disabled") {
		return
	}
	var m facts.Match
	src, _ := p.set(p.Kid(n, "source"), &m)
	dst, _ := p.set(p.Kid(n, "destination"), &m)
	x := facts.NAT{Kind: "static", In: p.String(n, "interface"), Span: p.Span(n)}
	real, ok := p.single(src.Items)
	external, _, valid := wordtree.Prefix([]byte(strings.TrimSpace(p.String(n, "external"))))
	if valid && ok && !strings.Contains(p.String(n, "external"), "/") {
		external = netip.PrefixFrom(external.Addr(), real.Bits())
	}
	x.Original, x.Mapped, x.Static = external, real, ok && valid && !dst.Present && !src.Not
	if !x.Static {
		x.Unread = "a one-to-one translation that depends on more than one address"
	}
	p.D.NAT = append(p.D.NAT, x)
}
