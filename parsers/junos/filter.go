package junos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// firewall reads "firewall": filters by family. A filter directly below firewall is of family inet.
func (p *parser) firewall(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "family":
			p.ok(c)
			for f := p.first(c); f != none; f = p.next(f) {
				p.ok(f)
				p.familyFilters(f, "firewall family "+p.text(f))
			}
		case "filter":
			p.filters(c, "firewall filter", facts.IPv4)
		default:
			p.other("firewall", c)
		}
	}
}

func (p *parser) familyFilters(f int32, kind string) {
	family := facts.AnyFamily
	switch string(p.bytes(f)) {
	case "inet":
		family = facts.IPv4
	case "inet6":
		family = facts.IPv6
	case "mpls", "ccc", "evpn":
		// Labels and circuits carry IP these families' filters do not look into; they decide no addressed packet alone.
	}
	for k := p.first(f); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "filter":
			p.filters(k, kind+" filter", family)
		case "service-filter", "simple-filter", "dialer-filter", "fast-update-filter":
			p.ok(k)
			for s := p.first(k); s != none; s = p.next(s) {
				p.unsupported(s, p.text(k)+"s are not modelled")
				p.d.Filters = append(p.d.Filters, facts.Filter{
					Name: p.text(s), Scope: p.scope, Kind: kind + " " + p.text(k), Family: family, Default: facts.Next,
					Unread: p.text(k) + "s are not modelled", Span: p.span(s),
				})
			}
		default:
			p.other("firewall family *", k)
		}
	}
}

func (p *parser) filters(n int32, kind string, family facts.Family) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		p.filter(c, kind, family)
	}
}

// filter reads one filter. What no term matches is discarded at the end of the last filter of a list ("How Standard
// Firewall Filters Evaluate Packets", Routing Policies User Guide), so the filter itself leaves it to the next one.
func (p *parser) filter(c int32, kind string, family facts.Family) {
	p.ok(c)
	f := facts.Filter{Name: p.text(c), Scope: p.scope, Kind: kind, Family: family, Default: facts.Next, Span: p.span(c)}
	for k := p.first(c); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "term":
			p.ok(k)
			n := 0
			for t := p.t.Nodes[k].First; t != none; t = p.t.Nodes[t].Next {
				n++
			}
			if f.Rules == nil {
				f.Rules = make([]facts.Rule, 0, n)
			}
			for t := p.t.Nodes[k].First; t != none; t = p.t.Nodes[t].Next {
				f.Rules = append(f.Rules, p.term(t, p.off(t) || p.off(k), family))
			}
		case "interface-specific", "accounting-profile", "physical-interface-filter", "enhanced-mode", "description",
			"instance-shared", "fast-lookup-filter", "interface-shared", "no-self-discard", "promote", "enhanced-mode-override":
			p.okAll(k)
		default:
			if p.applies(k) {
				continue
			}
			f.Unread = "the filter has a statement that is not understood: " + p.text(k)
		}
	}
	p.d.Filters = append(p.d.Filters, f)
}

// term reads one term.
func (p *parser) term(t int32, off bool, family facts.Family) facts.Rule {
	p.ok(t)
	r := facts.Rule{Name: p.text(t), Action: facts.Permit, Remark: p.remark(t), Span: p.span(t)}
	if off {
		r.Inactive = facts.Say(true, p.offSpan(t))
	}
	for k := p.first(t); k != none; k = p.next(k) {
		switch string(p.bytes(k)) {
		case "from":
			p.ok(k)
			p.conditions(k, &r.Match, family)
		case "then":
			p.ok(k)
			p.then(k, &r)
		case "filter":
			// A filter inside a term decides in its place; only its own accept or discard ends the outer one.
			r.Action = facts.ActionUnknown
			r.Match.Unread = append(r.Match.Unread, "filter")
			p.unsupported(k, "a term that hands over to another filter is not modelled")
		default:
			if !p.applies(k) {
				r.Match.Unread = append(r.Match.Unread, p.text(k))
			}
		}
	}
	return r
}

// remark is the comment right before the statement of n, without its marks.
func (p *parser) remark(n int32) string {
	i := n - 1
	if i >= 0 && p.t.Nodes[n].Parent == i {
		i--
	}
	if i < 0 || p.t.Nodes[i].Flags&tree.Comment == 0 || p.t.Nodes[n].Flags&tree.Inherited != 0 {
		return ""
	}
	text := p.t.Text(i)
	if !bytes.HasPrefix(text, []byte("/*")) {
		return ""
	}
	if p.t.Nodes[i].Off+p.t.Nodes[i].Len > p.t.Nodes[n].Begin {
		return ""
	}
	p.ok(i)
	const longest = 400
	text = bytes.TrimSpace(bytes.TrimSuffix(text[2:], []byte("*/")))
	return clean(text[:min(len(text), longest)])
}

// then reads a term's actions. Without accept, discard, reject or next term the packet is accepted, whatever else is done
// with it ("Firewall Filter Terminating Actions" and "... Nonterminating Actions", Routing Policies User Guide).
func (p *parser) then(n int32, r *facts.Rule) {
	end := facts.V[facts.Action]{}
	say := func(a facts.Action, k int32) {
		if end.Origin == facts.Unknown || !p.inherited(k) {
			end = facts.Say(a, p.span(k))
		}
	}
	unknown := false
	for k := p.first(n); k != none; k = p.next(k) {
		if p.applies(k) {
			continue
		}
		switch string(p.bytes(k)) {
		case "accept":
			say(facts.Permit, k)
		case "discard", "reject":
			say(facts.Deny, k)
		case "next":
			if p.kid(k, "term") == none {
				unknown = true
				p.unsupported(k, "next of something else than a term")
				continue
			}
			say(facts.Next, k)
		case "log", "syslog":
			r.Log = facts.Say(true, p.span(k))
		case "count", "policer", "sample", "port-mirror", "port-mirror-instance", "loss-priority", "forwarding-class", "dscp",
			"traffic-class", "service-accounting", "service-accounting-deferred", "three-color-policer", "hierarchical-policer",
			"prefix-action", "packet-mode", "next-hop-group", "exclude-accounting", "ipsec-sa", "routing-instance",
			"topology", "next-interface", "next-ip", "next-ip6", "forwarding-class-set", "analyzer", "interface",
			"logical-system", "prefix-list", "load-balance", "service-filter-hit", "force-premium", "interface-group",
			"virtual-channel", "cos-next-hop-map", "decapsulate", "encapsulate", "clear-policy-map", "policy-map",
			"vlan", "trunk-member", "switch-port", "cflowd", "l2-mirror", "nop":
			// Counted, marked, metered, mirrored or sent another way, and accepted.
		default:
			unknown = true
			r.Match.Unread = append(r.Match.Unread, "then "+p.text(k))
			continue
		}
		p.okAll(k)
	}
	switch {
	case unknown && end.Val != facts.Deny:
		r.Action = facts.ActionUnknown
	case end.Origin == facts.Explicit:
		r.Action = end.Val
	}
}

func (p *parser) inherited(n int32) bool { return p.t.Nodes[n].Flags&tree.Inherited != 0 }
