package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

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
		if others := b.without(s); len(others) > 0 {
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
			if len(in) == 0 || len(out) == 0 || !slices.ContainsFunc(facts.TransferPorts(), func(l facts.Listener) bool { return n.wanted(&zs, &zd, l.Protocol) }) {
				continue
			}
			x, y := in[0].Interface, out[0].Interface
			for _, fam := range families(x, y) {
				q := headerspace.Query{In: x.Name, Out: y.Name, Scope: x.Scope, Family: fam, Src: src, Dst: dst, At: n.p.Now()}
				n.askPair(q, n.decidesInside(in, out, fam), zs, zd)
			}
		}
	}
}

func (n *inside) askPair(q headerspace.Query, a application, from, to policy.Zone) {
	answers, err := n.space.Transfers(q)
	if err != nil {
		return // no address of the zones is of the version asked about
	}
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
			why := fmt.Sprintf("whether %s lets transfers from zone %s to zone %s is unknown: %s", a.text(), from.Name, to.Name, cmp.Or(got.Reason, "a line was not understood"))
			if n.open[why] == nil {
				n.open[why] = map[string]bool{}
			}
			n.open[why][judge.Upper(got.Protocol)] = true
		}
	}
}

// decidesInside names what decides between sides that are ours.
func (n *inside) decidesInside(from, to []*judge.Side, fam facts.Family) application {
	a, _ := n.decidesFor(from, to, fam)
	if a.plain == egressNoFilter {
		in, out := from[0].Interface, to[0].Interface
		a.say = fmt.Sprintf("%q and %q, where nothing filters", cmp.Or(in.Alias, in.Name), cmp.Or(out.Alias, out.Name))
		a.marks = judge.Mark(judge.Mark(nil, "from here", in.Span), "to here", out.Span)
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
	c.join(&a)
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
