package headerspace

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// Names of addresses and names of services are apart: Junos keeps them in an address book and under applications.
var (
	addrKinds    = []facts.GroupKind{facts.NetworkGroup}
	serviceKinds = []facts.GroupKind{facts.ServiceGroup, facts.PortGroup, facts.ProtocolGroup, facts.ICMPGroup}
)

// addrGroup is the set of a named group's addresses, at the levels from base on. scopes are tried in their order. A name
// nobody defined, a group without members and a reference of a group to itself add nothing (Batfish, ASA and SRX).
func (c *compiler) addrGroup(name string, scopes []string, base int) bounds {
	i, ok := c.m.ix.group(name, addrKinds, scopes)
	if !ok {
		return exactly(no)
	}
	key := groupKey{group: i, base: uint16(base), family: c.mode.family}
	if b, ok := c.m.sets[key]; ok {
		return b
	}
	if slices.Contains(c.open, i) || len(c.open) > maxNesting {
		c.cuts++
		return exactly(no)
	}
	cuts := c.cuts
	c.open = append(c.open, i)
	g := &c.m.d.Groups[i]
	filter := c.filter
	c.filter = &facts.Filter{Scope: g.Scope} // nested names are looked up beside the group
	items := g.Addrs
	if len(g.Members) > 0 {
		items = slices.Clone(items)
		for _, m := range g.Members {
			items = append(items, facts.AddrItem{Group: m})
		}
	}
	s := c.items(items, base, g.Scope)
	c.filter = filter
	c.open = c.open[:len(c.open)-1]
	if g.Unread != "" {
		s.may = yes
	}
	// Cut short inside a ring, only the outermost group has all it holds.
	if c.cuts == cuts || len(c.open) == 0 {
		c.m.sets[key] = s
	}
	return s
}

// maxNesting bounds how deep groups are followed. Devices refuse far less.
const maxNesting = 1000

// serviceGroup is the set of a named group of services, ports (to which a packet goes), protocols or ICMP types.
func (c *compiler) serviceGroup(name string, scopes []string) bounds {
	i, ok := c.m.ix.group(name, serviceKinds, scopes)
	if !ok {
		return exactly(no)
	}
	// What a group says of fragments depends on the rule that names it, so that is never kept.
	keep := c.mode.frags == wholeOnly
	key := groupKey{group: i, base: uint16(c.at.dstPort), family: c.mode.family}
	if b, ok := c.m.sets[key]; ok && keep {
		return b
	}
	if slices.Contains(c.open, i) || len(c.open) > maxNesting {
		c.cuts++
		return exactly(no)
	}
	cuts := c.cuts
	c.open = append(c.open, i)
	g := &c.m.d.Groups[i]
	filter := c.filter
	c.filter = &facts.Filter{Scope: g.Scope, Stateful: filter.Stateful}
	s := c.union(g.Services)
	for _, p := range groupParts(g) {
		s = c.g.bothOr(s, c.transport(&p))
	}
	for _, m := range g.Members {
		s = c.g.bothOr(s, c.serviceGroup(m, []string{g.Scope, ""}))
	}
	c.filter = filter
	c.open = c.open[:len(c.open)-1]
	if g.Unread != "" {
		s.may = yes
	}
	if keep && (c.cuts == cuts || len(c.open) == 0) {
		c.m.sets[key] = s
	}
	return s
}

// groupParts are the conditions, any of which a member of g that is no service item states.
func groupParts(g *facts.Group) []portParts {
	var out []portParts
	var none facts.Ports
	if len(g.Ports) > 0 {
		out = append(out, portParts{src: &none, dst: &facts.Ports{Ranges: g.Ports}})
	}
	if len(g.Protocols) > 0 {
		out = append(out, portParts{src: &none, dst: &none, protocols: g.Protocols})
	}
	if len(g.ICMP) > 0 {
		out = append(out, portParts{src: &none, dst: &none, icmp: g.ICMP})
	}
	return out
}
