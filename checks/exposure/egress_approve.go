package exposure

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// This file takes out of an answer what workflows and the matrix approve, exactly.

// approve asks again without what workflows and the matrix approve, when they approve anything.
func (e *egress) approve(q headerspace.Query, z policy.Zone, got *headerspace.ProtocolAnswer, beyond []netip.Prefix) {
	approved := e.approvals(z, got.Protocol)
	if len(approved) == 0 {
		return
	}
	q.Protocols, q.DstPorts = []uint8{got.Transport}, []facts.PortRange{got.Ports}
	var all []netip.Prefix
	for _, a := range approved {
		all = append(all, a.to...)
	}
	slices.SortFunc(all, netip.Prefix.Compare)
	all = slices.Compact(all)
	// What no approval's destinations hold; then each destination, without the longer ones in it, from sources that no
	// approval of it names.
	for _, dst := range e.outside(beyond) {
		rest := q
		rest.Dst = dst
		rest.Dst.Except = slices.Concat(dst.Except, all)
		if e.again(rest, got) {
			return
		}
	}
	for _, to := range all {
		part := q
		part.Src.Except = slices.Clone(q.Src.Except)
		part.Dst = headerspace.Set{Prefixes: []netip.Prefix{to}, Except: slices.Concat(judge.Within(all, to), e.p.Policy.Allow, e.p.Policy.Servers)}
		whole := false
		for i := range approved {
			if a := &approved[i]; a.reaches(to) {
				whole = whole || a.everyone
				part.Src.Except = append(part.Src.Except, a.from...)
			}
		}
		if !whole && e.again(part, got) {
			return
		}
	}
	got.Permitted, got.Verdict = nil, headerspace.Deny // all that passes is approved
}

// again asks a part and keeps its answer when something of it passes.
func (e *egress) again(q headerspace.Query, got *headerspace.ProtocolAnswer) bool {
	a, err := e.space.Test(q)
	if err != nil || a.Permitted == nil {
		return false
	}
	got.Answer = a
	return true
}

// beyond asks again without what approvals hold, keeps the answer about the rest, and reports whether something of it passes.
func (e *egress) beyond(q headerspace.Query, approved []approval, got *headerspace.ProtocolAnswer) bool {
	if len(approved) == 0 {
		return true
	}
	q.Protocols, q.DstPorts = []uint8{got.Transport}, []facts.PortRange{got.Ports}
	var all []netip.Prefix
	for _, a := range approved {
		all = append(all, a.to...)
	}
	rest := q
	rest.Dst.Except = slices.Concat(q.Dst.Except, all)
	if e.again(rest, got) {
		return true
	}
	for _, to := range all {
		part := q
		if part.Dst.Prefixes = meet(q.Dst.Prefixes, to); len(part.Dst.Prefixes) == 0 {
			continue
		}
		part.Dst.Except = slices.Concat(q.Dst.Except, judge.Within(all, to))
		part.Src.Except = slices.Clone(q.Src.Except)
		everyone := false
		for i := range approved {
			if a := &approved[i]; a.reaches(to) {
				everyone = everyone || a.everyone
				part.Src.Except = append(part.Src.Except, a.from...)
			}
		}
		if !everyone && e.again(part, got) {
			return true
		}
	}
	return false
}

// meet is what networks have in common with one.
func meet(nets []netip.Prefix, one netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, n := range nets {
		switch {
		case n.Bits() <= one.Bits() && n.Contains(one.Addr()):
			return []netip.Prefix{one}
		case n.Bits() > one.Bits() && one.Contains(n.Addr()):
			out = append(out, n)
		}
	}
	return out
}

// An approval is the sources and destinations that a workflow, or a cell of the matrix, approves.
type approval struct {
	from, to []netip.Prefix
	everyone bool // every source of the zone
}

// reaches reports whether a destination is among a's.
func (a *approval) reaches(to netip.Prefix) bool {
	return slices.ContainsFunc(a.to, func(c netip.Prefix) bool { return c.Bits() <= to.Bits() && c.Contains(to.Addr()) })
}

// approvals are those in force for a protocol and sources of a zone.
func (e *egress) approvals(z policy.Zone, proto facts.Protocol) []approval {
	var out []approval
	now := e.p.Now()
	for i := range e.p.Policy.Workflows {
		w := &e.p.Policy.Workflows[i]
		if !slices.Contains(w.Protocols, proto) || !w.InForce(now) {
			continue
		}
		a := approval{from: judge.Networks(e.p, &w.From), to: judge.Networks(e.p, &w.To), everyone: slices.Contains(w.From.Zones, z.Name)}
		if len(a.to) > 0 && (a.everyone || len(a.from) > 0) {
			out = append(out, a)
		}
	}
	for i := range e.p.Policy.Matrix {
		m := &e.p.Policy.Matrix[i]
		if m.From != z.Name || !slices.Contains(m.Protocols, proto) {
			continue
		}
		for _, o := range e.p.Policy.Zones {
			if o.Name == m.To {
				out = append(out, approval{to: o.CIDRs, everyone: true})
			}
		}
	}
	return out
}
