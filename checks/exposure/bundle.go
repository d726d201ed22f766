package exposure

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// A switch has hundreds of interfaces with one list on them. What decides about them alike is asked once.

// A bundle is sides that are treated alike in one direction: what is asked of one holds for all.
type bundle struct {
	sides []*judge.Side
}

// without are the sides of b but one.
func (b *bundle) without(s *judge.Side) []*judge.Side {
	if !slices.Contains(b.sides, s) {
		return b.sides
	}
	return slices.DeleteFunc(slices.Clone(b.sides), func(o *judge.Side) bool { return o == s })
}

// bundles are the sides with internal zones, by what decides about them in a direction.
func (e *egress) bundles(dir facts.Direction) []bundle {
	var order []string
	by := map[string]*bundle{}
	for i := range e.sides {
		s := &e.sides[i]
		if len(s.Zones) == 0 || s.HostOnly {
			continue
		}
		key := e.treated(s, dir)
		if by[key] == nil {
			by[key] = &bundle{}
			order = append(order, key)
		}
		by[key].sides = append(by[key].sides, s)
	}
	out := make([]bundle, len(order))
	for i, key := range order {
		out[i] = *by[key]
	}
	return out
}

// treated spells what decides about a side in a direction.
func (e *egress) treated(s *judge.Side, dir facts.Direction) string {
	x := s.Interface
	v4, v6 := speaks(x)
	key := []string{x.Scope, x.Zone, fmt.Sprint(x.Level.Val, v4, v6), strings.Join(x.Inspect, ",")}
	if e.d.Zoning.Model == facts.Levels {
		key = append(key, x.Alias)
	}
	for i := range x.Bindings {
		if b := &x.Bindings[i]; b.Direction == dir {
			key = append(key, fmt.Sprint(b.Family, b.Plane, b.Filters))
		}
	}
	for i := range e.d.Bindings {
		switch b := &e.d.Bindings[i]; {
		case b.Where == x.Name, x.Alias != "" && b.Where == x.Alias:
			key = append(key, fmt.Sprint(b.Direction, b.Family, b.Filters))
		case b.Where == facts.WhereTransit: // its rules may name any interface
			key = append(key, x.Name)
		}
	}
	for i := range e.d.NAT {
		if n := &e.d.NAT[i]; n.In == x.Name || n.Out == x.Name || x.Alias != "" && (n.In == x.Alias || n.Out == x.Alias) {
			key = append(key, x.Name)
		}
	}
	return strings.Join(key, "\x00")
}

// decidesFor names what decides from sides that are treated alike to others that are, with all places it is applied at.
func (e *egress) decidesFor(from, to []*judge.Side, fam facts.Family) (application, bool) {
	a, ok := e.decides(from[0], to[0], fam)
	for _, in := range from[1:] {
		if b, also := e.decides(in, to[0], fam); also {
			a.join(&b)
		}
	}
	for _, out := range to[1:] {
		if b, also := e.decides(from[0], out, fam); also {
			a.join(&b)
		}
	}
	return a, ok
}

// zonesOf are the internal zones of sides, by name.
func zonesOf(sides []*judge.Side) []policy.Zone {
	if len(sides) == 1 {
		return sides[0].Zones
	}
	by := map[string]policy.Zone{}
	for _, s := range sides {
		for _, z := range s.Zones {
			by[z.Name] = z
		}
	}
	out := make([]policy.Zone, 0, len(by))
	for _, name := range slices.Sorted(maps.Keys(by)) {
		out = append(out, by[name])
	}
	return out
}

// behind are the addresses of a zone that are known to be behind sides, and the sides that have some.
func behind(p *audit.Pass, sides []*judge.Side, z policy.Zone) (out headerspace.Set, who []*judge.Side) {
	for _, s := range sides {
		one := s.Behind(p, z)
		if len(one.Prefixes) > 0 {
			who = append(who, s)
		}
		out.Except = one.Except
		out.Prefixes = append(out.Prefixes, one.Prefixes...)
	}
	slices.SortFunc(out.Prefixes, netip.Prefix.Compare)
	out.Prefixes = slices.Compact(out.Prefixes)
	return out, who
}
