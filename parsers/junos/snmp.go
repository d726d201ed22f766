package junos

import (
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
)

// snmp reads "snmp": communities and v3 groups. Junos has no table that copies its configuration to another host when
// written (CISCO-CONFIG-COPY-MIB and its like are not among the "Enterprise-Specific SNMP MIBs Supported by Junos OS"), so
// CoversCopy is false by the platform.
func (p *parser) snmp(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "community":
			p.okAll(c)
			for k := p.first(c); k != none; k = p.next(k) {
				p.community(n, k)
			}
		case "v3":
			p.okAll(c)
			p.snmpGroups(c)
		case "client-list", "view", "trap-group", "trap-options":
			p.okAll(c)
		default:
			p.other("snmp", c)
		}
	}
}

func (p *parser) community(snmp, k int32) {
	a := facts.SNMPAccess{Version: 1, Scope: p.scope, Span: p.span(k), CoversCopy: facts.Assume(false)}
	// read-only unless stated ("authorization", Junos CLI reference).
	a.Write = facts.Assume(false)
	if v := p.value(p.kid(k, "authorization")); v != none {
		a.Write = facts.Say(p.is(v, "read-write"), p.span(v))
	}
	if v := p.value(p.kid(k, "view")); v != none {
		a.ReadView = p.text(v)
		a.WriteView = a.ReadView
	}
	a.Clients = p.clients(p.kid(k, "clients"))
	if v := p.value(p.kid(k, "client-list-name")); v != none {
		a.ACL = facts.Say(p.text(v), p.span(v))
		a.Clients = append(a.Clients, p.clients(p.under(snmp, "client-list", p.text(v)))...)
	}
	p.d.SNMP = append(p.d.SNMP, a)
	for ri := p.first(p.kid(k, "routing-instance")); ri != none; ri = p.next(ri) {
		in := a
		in.Scope, in.Span = p.text(ri), p.span(ri)
		in.Clients = p.clients(p.kid(ri, "clients"))
		p.d.SNMP = append(p.d.SNMP, in)
	}
}

// clients are the prefixes below n that may ask; those marked restrict may not.
func (p *parser) clients(n int32) []netip.Prefix {
	var out []netip.Prefix
	for c := p.first(n); c != none; c = p.next(c) {
		if pfx, _, ok := prefix(p.bytes(c)); ok && p.kid(c, "restrict") == none {
			out = append(out, pfx)
		}
	}
	return out
}

// snmpGroups reads "v3 vacm access group": what members of a group may read and write.
func (p *parser) snmpGroups(v3 int32) {
	groups := p.under(v3, "vacm", "access", "group")
	for g := p.first(groups); g != none; g = p.next(g) {
		a := facts.SNMPAccess{
			Version: 3, Name: p.text(g), Scope: p.scope, Span: p.span(g), Write: facts.Assume(false), CoversCopy: facts.Assume(false),
		}
		p.eachBelow(g, func(k int32) {
			v := p.value(k)
			if v == none {
				return
			}
			switch string(p.bytes(k)) {
			case "read-view":
				a.ReadView = p.text(v)
			case "write-view":
				a.WriteView = p.text(v)
				a.Write = facts.Say(true, p.span(v))
			}
		})
		p.d.SNMP = append(p.d.SNMP, a)
	}
}
