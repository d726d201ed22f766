package headerspace

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// test answers q from the part of all services that want names.
func (m *Model) test(q *Query, want uint8) (Answer, error) {
	all, err := m.ways(q, want)
	if err != nil {
		return Answer{}, err
	}
	for i := range all {
		m.explore(&all[i])
	}
	return m.conclude(all, true), nil
}

// ways are the routes that packets of q may take, with their decisions made.
func (m *Model) ways(q *Query, want uint8) ([]way, error) {
	fams, err := m.familiesOf(q)
	if err != nil {
		return nil, err
	}
	var all []way
	for _, fam := range fams {
		rs, err := m.routes(q, fam)
		if err != nil {
			return nil, err
		}
		for i := range rs {
			if m.g.full {
				m.begin() // what filled the table is noted; the rest is not to blame
			}
			w := way{route: &rs[i], family: fam, q: q}
			w.nat = m.translations(w.route, q, fam)
			m.decision(&w, mode{family: fam, want: want, frags: fragsOf(q)})
			all = append(all, w)
		}
	}
	return all, nil
}

// familiesOf are the versions of IP that q is about: those it names, else those its addresses have, else those the place
// filters.
func (m *Model) familiesOf(q *Query) ([]facts.Family, error) {
	if q.Family != facts.AnyFamily {
		return []facts.Family{q.Family}, nil
	}
	s4, s6 := q.Src.families()
	d4, d6 := q.Dst.families()
	v4, v6 := s4 && d4, s6 && d6
	if !v4 && !v6 {
		return nil, fmt.Errorf("source and destination are of different versions of IP")
	}
	if v4 && v6 {
		v4, v6 = m.filtered(q)
	}
	var out []facts.Family
	if v4 {
		out = append(out, facts.IPv4)
	}
	if v6 {
		out = append(out, facts.IPv6)
	}
	return out, nil
}

// filtered reports which versions of IP there are to be filtered at q's place.
func (m *Model) filtered(q *Query) (v4, v6 bool) {
	if q.Filter != "" {
		any := false
		for i := range m.ix.filters.each(q.Filter) {
			f := &m.d.Filters[i]
			if q.Scope != "" && f.Scope != q.Scope {
				continue
			}
			v4 = v4 || f.Family == facts.IPv4
			v6 = v6 || f.Family == facts.IPv6
			any = any || f.Family == facts.AnyFamily
		}
		if any {
			v4, v6 = true, v6 || m.hasIPv6(nil)
		}
		return v4 || !v6, v6
	}
	var ifs []*facts.Interface
	for _, name := range []string{q.In, q.Out} {
		if name == "" {
			continue
		}
		if f, err := m.iface(name, q.Scope); err == nil {
			ifs = append(ifs, f)
		}
	}
	if len(ifs) > 0 {
		return true, m.hasIPv6(ifs)
	}
	return true, q.Group == "" && q.Service == "" && m.hasIPv6(nil)
}

// hasIPv6 reports whether the interfaces, or any of the device, have an IPv6 address or filter.
func (m *Model) hasIPv6(ifs []*facts.Interface) bool {
	if ifs == nil {
		for i := range m.d.Interfaces {
			ifs = append(ifs, &m.d.Interfaces[i])
		}
	}
	for _, f := range ifs {
		if slices.ContainsFunc(f.Bindings, func(b facts.Binding) bool { return b.Family == facts.IPv6 }) {
			return true
		}
		for _, a := range f.Addrs {
			if a.Addr().Is6() && !a.Addr().Is4In6() && !a.Addr().IsLinkLocalUnicast() {
				return true
			}
		}
	}
	return false
}

// conclude makes one answer of what was found on every way. Why nothing passes is told on demand: most questions are asked
// for what does.
func (m *Model) conclude(all []way, denials bool) Answer {
	var a Answer
	var permit, deny, unknown *way
	for i := range all {
		w := &all[i]
		for _, s := range w.route.stages {
			for _, n := range s.names {
				if !slices.Contains(a.Filters, n) {
					a.Filters = append(a.Filters, n)
				}
			}
		}
		if permit == nil && w.permit != nil {
			permit = w
		}
		if deny == nil && w.deny != nil {
			deny = w
		}
		if unknown == nil && (w.unknown != nil || w.tooBig) {
			unknown = w
		}
	}
	if permit != nil {
		a.Permitted = m.shown(permit, permit.permit)
	}
	if deny != nil {
		a.Denied = m.shown(deny, deny.deny)
	}
	switch {
	case permit != nil && deny != nil:
		a.Verdict = Partial
		m.tell(&a, permit, permit.permit)
		p := a.Reason
		d := Answer{}
		m.tell(&d, deny, deny.deny)
		a.Culprits = appendNew(a.Culprits, d.Culprits...)
		a.Reason = contrast(permit, deny) + ": permitted (" + p + "), denied (" + d.Reason + ")"
	case unknown != nil:
		a.Verdict = Unknown
		if unknown.tooBig {
			a.Reason = "the filters are too complex to be decided"
			break
		}
		a.Undecided = m.shown(unknown, unknown.unknown)
		m.tell(&a, unknown, unknown.unknown)
	case permit != nil:
		a.Verdict = Permit
		m.tell(&a, permit, permit.permit)
	case deny != nil:
		a.Verdict = Deny
		if denials {
			m.tell(&a, deny, deny.deny)
		}
	default:
		a.Verdict, a.Reason = Deny, "no packet is asked about"
	}
	return a
}

// contrast is what tells a permitted packet from a denied one, in a few words.
func contrast(permit, deny *way) string {
	p, d := *permit.permit, *deny.deny
	switch {
	case p.family != d.family:
		return familyName(p.family) + " is permitted and " + familyName(d.family) + " is not"
	case permit.route.alternative != deny.route.alternative:
		return "it depends on the way out"
	}
	when, app := p.when != d.when, p.app != d.app
	p.when, d.when = 0, 0
	if p == d && !app {
		return "permitted at times"
	}
	p.app, d.app = 0, 0
	if p == d && !when {
		return "it depends on the application"
	}
	in, out := p.in != d.in, p.out != d.out
	p.in, p.out, d.in, d.out = 0, 0, 0, 0
	switch {
	case p != d || when || app:
	case in && !out:
		return "it depends on the way in"
	case out && !in:
		return "it depends on the way out"
	case in:
		return "it depends on the ways in and out"
	}
	return "some is permitted and some is not"
}

func appendNew(to []evidence.Span, spans ...evidence.Span) []evidence.Span {
	for _, s := range spans {
		if !s.IsZero() && !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}
