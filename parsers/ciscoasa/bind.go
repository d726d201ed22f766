package ciscoasa

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// An accessGroup is one access-group statement.
type accessGroup struct {
	list   string
	where  string // interface alias; empty is global
	out    bool
	plane  bool // control-plane
	span   evidence.Span
	filter *acl // nil when the list is not in the evidence
	v6     bool
	ether  bool // the list is about frames that are not IP
}

// accessGroup reads "access-group LIST in|out interface IF [per-user-override|control-plane]" and "access-group LIST
// global".
func (p *parser) accessGroup(n int32) {
	g := accessGroup{list: p.str(p.word(1)), span: p.span(n)}
	if g.list == "" || p.negated {
		return // unrecognised
	}
	if p.is(2, "global") {
		p.understood(n)
		p.applied = append(p.applied, g)
		return
	}
	i := 2
	switch string(p.word(i)) {
	case "in":
	case "out":
		g.out = true
	case "interface": // access-group LIST interface IF: no direction is an old spelling of in
		i--
	default:
		return
	}
	if !p.is(i+1, "interface") || i+2 >= len(p.w) {
		return
	}
	g.where = p.str(p.word(i + 2))
	switch string(p.word(i + 3)) {
	case "control-plane":
		g.plane = true
	case "per-user-override":
		p.note(facts.NoteUnread, g.span, "access lists downloaded for a user override the one of the interface",
			"judge the lists of the RADIUS server beside this configuration")
	case "":
	default:
		return
	}
	p.understood(n)
	p.applied = append(p.applied, g)
}

// bind applies the access groups once all lists and interfaces are known.
//
// Rules of the interface come before global rules, and the implicit deny comes after the global ones (ASA firewall CLI
// configuration guide, Access Rules, Implicit Deny: "1. Interface access rule. 2. Global access rule. 3. Implicit deny").
// A chain says so: [interface list, global list], where the first leaves undecided what it does not match. A list's Default
// therefore becomes Next as soon as a global list follows it anywhere. Where the same list stands last (bound outward, or
// as the global one), Next means Deny by the rule of facts.Binding, so one Default serves every place it is used in and no
// copy is needed.
func (p *parser) bind() {
	var global *accessGroup
	for i := range p.applied {
		g := &p.applied[i]
		g.filter = p.aclBy[g.list]
		if g.filter == nil {
			g.filter = p.aclBy["ipv6 "+g.list]
		}
		g.v6 = g.filter != nil && g.filter.v6
		g.ether = g.filter != nil && g.filter.ether
		if g.where == "" {
			global = g
		}
	}
	bound := map[string]bool{} // interfaces with an inbound list
	for i := range p.applied {
		g := &p.applied[i]
		switch {
		case g.where == "", g.ether:
		case g.plane:
			p.bindPlane(g)
		default:
			if !g.out && !g.v6 {
				bound[g.where] = true
			}
			p.bindInterface(g, global)
		}
	}
	if global != nil {
		p.bindGlobal(global, bound)
	}
	for _, a := range p.acls {
		if a.next && a.filter >= 0 {
			p.d.Filters[a.filter].Default = facts.Next
		}
	}
}

func (p *parser) bindInterface(g, global *accessGroup) {
	b := facts.Binding{Filters: []string{g.list}, Where: g.where, Span: g.span}
	if g.v6 {
		b.Family = facts.IPv6
	}
	if g.out {
		b.Direction = facts.Out
	} else if global != nil && !g.v6 {
		b.Filters = append(b.Filters, global.list)
		if g.filter != nil {
			g.filter.next = true
		}
	}
	i, ok := p.nameif[g.where]
	if !ok { // the interface is not in the evidence
		p.d.Bindings = append(p.d.Bindings, b)
		return
	}
	ifc := &p.d.Interfaces[i]
	b.Where = ifc.Name
	ifc.Bindings = append(ifc.Bindings, b)
}

// bindGlobal applies the global list to every interface without a list of its own. Only when the evidence states no
// interface is it kept beside them.
func (p *parser) bindGlobal(global *accessGroup, bound map[string]bool) {
	b := facts.Binding{Filters: []string{global.list}, Where: facts.WhereGlobal, Span: global.span}
	if len(p.nameif) == 0 {
		p.d.Bindings = append(p.d.Bindings, b)
		return
	}
	for i := p.firstIface; i < len(p.d.Interfaces); i++ {
		ifc := &p.d.Interfaces[i]
		if ifc.Alias != "" && !bound[ifc.Alias] {
			b.Where = ifc.Name
			ifc.Bindings = append(ifc.Bindings, b)
		}
	}
}

// A managedOnly is an interface with "management-only".
type managedOnly struct {
	iface int // index in Device.Interfaces
	span  evidence.Span
}

// onlyManagement is the filter of such interfaces: "accept management traffic only" (ASA command reference,
// management-only). Traffic for the device itself is not asked about interface filters.
const onlyManagement = "management-only"

func (p *parser) bindManaged() {
	for i, m := range p.managed {
		if i == 0 {
			p.d.Filters = append(p.d.Filters, facts.Filter{
				Name: onlyManagement, Scope: p.scope, Kind: onlyManagement, Default: facts.Deny, Synthetic: true, Stateful: true, Span: m.span,
			})
		}
		ifc := &p.d.Interfaces[m.iface]
		for _, dir := range [...]facts.Direction{facts.In, facts.Out} {
			ifc.Bindings = append(ifc.Bindings, facts.Binding{Filters: []string{onlyManagement}, Where: ifc.Name, Direction: dir, Span: m.span})
		}
	}
}

// afterPlane is what follows a control-plane list.
const afterPlane = "after control-plane rules"

// bindPlane applies a list to traffic for the device itself. "There is no implicit deny at the end of a set of management
// rules for an interface. Instead, any connection that does not match a management access rule is then evaluated by regular
// access control rules" (ASA firewall CLI configuration guide, Access Rules): what the list leaves open is not known here.
func (p *parser) bindPlane(g *accessGroup) {
	if g.filter != nil {
		g.filter.next = true
	}
	if !p.planed {
		p.planed = true
		p.d.Filters = append(p.d.Filters, facts.Filter{
			Name: afterPlane, Scope: p.scope, Kind: "control-plane", Synthetic: true, Stateful: true,
			Unread: "regular access rules decide what a control-plane list leaves open",
		})
	}
	p.d.Bindings = append(p.d.Bindings, facts.Binding{
		Filters: []string{g.list, afterPlane}, Where: facts.WhereControlPlane, Span: g.span,
	})
}

// vpnFilter reads "vpn-filter value LIST" and "filter value LIST" below a policy of remote users and binds the list there.
func (p *parser) vpnFilter(c int32, where string) bool {
	if !p.is(0, "vpn-filter") && !p.is(0, "filter") || !p.is(1, "value") || len(p.w) < 3 || p.negated {
		return false
	}
	p.d.Bindings = append(p.d.Bindings, facts.Binding{
		Filters: []string{p.str(p.word(2))}, Where: where, Span: p.span(c),
	})
	p.understood(c)
	return true
}
