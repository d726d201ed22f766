package nftables

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// nat states what a rule does to addresses: "dnat [ip|ip6] to ADDR[:PORT]", "redirect to :PORT", "masquerade".
func (x *reader) nat(kind token) {
	words := x.rest()
	m := &x.r.Match
	n := facts.NAT{Kind: "destination", Span: x.r.Span}
	end := &m.Dst
	if kind.is("snat") || kind.is("masquerade") {
		n.Kind, end = "source", &m.Src
	}
	if len(end.Items) == 1 && !end.Not && end.Items[0].Prefix.IsValid() {
		n.Original = end.Items[0].Prefix
	}
	host, port, whole := natTarget(words)
	if a, err := netip.ParseAddr(host); err == nil {
		n.Mapped = netip.PrefixFrom(a, a.BitLen())
	} else if pre, err := netip.ParsePrefix(host); err == nil {
		n.Mapped = pre.Masked()
	}
	if r, ok := portText(port); ok {
		n.MappedPorts = r
	}
	n.In, n.Out = onePlace(&m.In), onePlace(&m.Out)
	if len(m.Protocols) == 1 && !m.NotProtocols {
		n.Transport = m.Protocols[0]
	}
	if len(m.DstPorts.Ranges) == 1 && !m.DstPorts.Not {
		n.OriginalPorts = m.DstPorts.Ranges[0]
	}
	plain := !m.Src.Present || n.Kind == "source"
	n.Static = n.Kind == "destination" && whole && plain && n.Original.IsValid() && n.Mapped.IsValid() && n.Transport == 0 && port == "" &&
		n.OriginalPorts == facts.PortRange{} && len(m.Unread) == 0 && len(m.AllOf) == 0
	if !n.Static {
		n.Unread = strings.TrimSpace(kind.text + " " + text(words))
		n.Unread = strings.Clone(n.Unread[:min(len(n.Unread), 200)])
	}
	x.p.d.NAT = append(x.p.d.NAT, n)
}

// natTarget is the address and port behind "to"; whole is false when there is more to it (a map, a range, flags).
func natTarget(words []token) (host, port string, whole bool) {
	for len(words) > 0 && (words[0].is("ip") || words[0].is("ip6") || words[0].is("prefix") || words[0].is("to")) {
		to := words[0].is("to")
		words = words[1:]
		if to {
			break
		}
	}
	switch {
	case len(words) == 1 && !words[0].is(":"):
		return words[0].text, "", true
	case len(words) == 2 && words[0].is(":"):
		return "", words[1].text, true
	case len(words) == 3 && words[1].is(":"):
		return words[0].text, words[2].text, true
	case len(words) == 3 && words[0].is("[") && words[2].is("]"):
		return words[1].text, "", true
	case len(words) == 5 && words[0].is("[") && words[3].is(":"):
		return words[1].text, words[4].text, true
	}
	return "", "", false
}

// onePlace is the one interface that a condition names.
func onePlace(p *facts.Places) string {
	if len(p.Names) == 1 && !p.Not && !strings.HasSuffix(p.Names[0], "*") {
		return p.Names[0]
	}
	return ""
}
