package exposure

import (
	"cmp"
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

// This file asks what passes a device from one internal zone to another, for QM2004 and QM2005.

// A crossing is what a device passes from a zone to another, or to another network of the same zone.
type crossing struct {
	from, to  policy.Zone
	protocols []facts.Protocol
	application
	first leak // what is shown
}

// inside asks from every internal zone to every other one behind another side.
type inside struct {
	*egress
	wanted func(from, to *policy.Zone, proto facts.Protocol) bool
	found  map[[2]string]*crossing
}

func newInside(p *audit.Pass, d *facts.Device, wanted func(from, to *policy.Zone, proto facts.Protocol) bool) *inside {
	return &inside{egress: newEgress(p, d), wanted: wanted, found: map[[2]string]*crossing{}}
}

// A bundle is sides that are treated alike in one direction: what is asked of one holds for all.
type bundle struct {
	sides []*judge.Side
}

// bundles are the sides with internal zones, by what decides about them in a direction.
func (n *inside) bundles(dir facts.Direction) []bundle {
	var order []string
	by := map[string]*bundle{}
	for i := range n.sides {
		s := &n.sides[i]
		if len(s.Zones) == 0 || s.HostOnly {
			continue
		}
		key := n.treated(s, dir)
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
func (n *inside) treated(s *judge.Side, dir facts.Direction) string {
	x := s.Interface
	v4, v6 := speaks(x)
	key := []string{x.Scope, x.Zone, fmt.Sprint(x.Level.Val, v4, v6), strings.Join(x.Inspect, ",")}
	for i := range x.Bindings {
		if b := &x.Bindings[i]; b.Direction == dir {
			key = append(key, fmt.Sprint(b.Family, b.Plane, b.Filters))
		}
	}
	for i := range n.d.Bindings {
		switch b := &n.d.Bindings[i]; b.Where {
		case x.Name, x.Alias:
			key = append(key, fmt.Sprint(b.Direction, b.Family, b.Filters))
		case facts.WhereTransit: // its rules may name any interface
			key = append(key, x.Name)
		}
	}
	return strings.Join(key, "\x00")
}

// paths asks all pairs.
func (n *inside) paths() {
	ins, outs := n.bundles(facts.In), n.bundles(facts.Out)
	for i := range ins {
		for j := range outs {
			n.between(&ins[i], &outs[j])
		}
	}
}

// between asks from all sides of a bundle to all of another: at once where none is in both.
func (n *inside) between(a, b *bundle) {
	both := slices.ContainsFunc(a.sides, func(s *judge.Side) bool { return slices.Contains(b.sides, s) })
	if !both {
		n.pair(a.sides, b.sides)
		return
	}
	for _, s := range a.sides {
		others := slices.DeleteFunc(slices.Clone(b.sides), func(o *judge.Side) bool { return o == s })
		if len(others) > 0 {
			n.pair([]*judge.Side{s}, others)
		}
	}
}

func (n *inside) pair(from, to []*judge.Side) {
	if from[0].Interface.Scope != to[0].Interface.Scope {
		return
	}
	for _, zs := range zonesOf(from) {
		src, in := behind(n.p, from, zs)
		for _, zd := range zonesOf(to) {
			dst, out := behind(n.p, to, zd)
			if in == nil || out == nil || !slices.ContainsFunc(facts.TransferPorts(), func(l facts.Listener) bool { return n.wanted(&zs, &zd, l.Protocol) }) {
				continue
			}
			for _, fam := range families(in.Interface, out.Interface) {
				q := headerspace.Query{In: in.Interface.Name, Out: out.Interface.Name, Scope: in.Interface.Scope, Family: fam, Src: src, Dst: dst, At: n.p.Now()}
				n.askPair(q, in, out, zs, zd)
			}
		}
	}
}

// zonesOf are the internal zones of sides, by name.
func zonesOf(sides []*judge.Side) []policy.Zone {
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

// behind are the addresses of a zone that are known to be behind some of the sides, and the first of those; nil without any.
func behind(p *audit.Pass, sides []*judge.Side, z policy.Zone) (out headerspace.Set, first *judge.Side) {
	for _, s := range sides {
		one := s.Behind(p, z)
		if first == nil && len(one.Prefixes) > 0 {
			first = s
		}
		out.Except = one.Except
		out.Prefixes = append(out.Prefixes, one.Prefixes...)
	}
	slices.SortFunc(out.Prefixes, netip.Prefix.Compare)
	out.Prefixes = slices.Compact(out.Prefixes)
	return out, first
}

func (n *inside) askPair(q headerspace.Query, in, out *judge.Side, from, to policy.Zone) {
	answers, err := n.space.Transfers(q)
	if err != nil {
		return // no address of the zones is of the version asked about
	}
	a := n.decidesInside(in, out, q.Family)
	for i := range answers {
		got := &answers[i]
		if !n.wanted(&from, &to, got.Protocol) {
			continue
		}
		switch {
		case got.Permitted != nil:
			if n.beyond(q, n.approvals(from, got.Protocol), got) {
				n.keep(a, q, got, from, to)
			}
		case got.Verdict == headerspace.Unknown:
			why := fmt.Sprintf("whether %s lets transfers from zone %s to zone %s is unknown: %s", a.say, from.Name, to.Name, cmp.Or(got.Reason, "a line was not understood"))
			if n.open[why] == nil {
				n.open[why] = map[string]bool{}
			}
			n.open[why][judge.Upper(got.Protocol)] = true
		}
	}
}

// decidesInside names what decides between two sides that are ours.
func (n *inside) decidesInside(in, out *judge.Side, fam facts.Family) application {
	a, _ := n.decides(in, out, fam)
	if a.plain == egressNoFilter {
		a.say = fmt.Sprintf("%q and %q, where nothing filters", cmp.Or(in.Interface.Alias, in.Interface.Name), cmp.Or(out.Interface.Alias, out.Interface.Name))
		a.marks = judge.Mark(judge.Mark(nil, "from here", in.Interface.Span), "to here", out.Interface.Span)
	}
	return a
}

func (n *inside) keep(a application, q headerspace.Query, got *headerspace.ProtocolAnswer, from, to policy.Zone) {
	key := [2]string{from.Name, to.Name}
	c := n.found[key]
	if c == nil {
		c = &crossing{from: from, to: to, application: a, first: leak{protocol: got.Protocol, answer: *got, query: q}}
		n.found[key] = c
	}
	if !slices.Contains(c.protocols, got.Protocol) {
		c.protocols = append(c.protocols, got.Protocol)
	}
	for _, m := range a.marks {
		c.marks = judge.Mark(c.marks, m.Role, m.Span)
	}
}

// each visits what was found, by zones, and then records what was left open.
func (n *inside) each(report func(*crossing)) {
	byNames := func(a, b [2]string) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) }
	for _, key := range slices.SortedFunc(maps.Keys(n.found), byNames) {
		report(n.found[key])
	}
	for _, why := range slices.Sorted(maps.Keys(n.open)) {
		n.p.NotEvaluated(fmt.Sprintf("%s (%s)", why, judge.Join(slices.Sorted(maps.Keys(n.open[why])))))
	}
}

// names are protocols as messages name them, in the order of facts.TransferPorts.
func (c *crossing) names() []string {
	var out []string
	for _, l := range facts.TransferPorts() {
		if name := judge.Upper(l.Protocol); slices.Contains(c.protocols, l.Protocol) && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// show fills in the packet and the lines of a crossing.
func (n *inside) show(f *audit.Finding, c *crossing) {
	n.follow(&c.first)
	f.Evidence = map[string]string{}
	n.evidence(f, &c.first)
	delete(f.Evidence, "session")
	f.Spans = n.spans(&outlet{application: c.application}, &c.first)
	f.Confidence = audit.ConfidenceHigh
	f.Signal = audit.Signal{Weight: .10, Class: "CFG"}
}
