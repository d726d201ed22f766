package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// A lonely filter is one that is asked by itself: no way out by it is known.
type lonely struct {
	name, scope string
	family      facts.Family // of its bindings
	sides       []*judge.Side
	at          []evidence.Span
}

// filtersAlone asks filters by themselves where no way out is known: those inbound on interfaces that are not known to
// face outside, and those outbound on interfaces of which nothing is known.
func (e *egress) filtersAlone() {
	var all []*lonely
	add := func(name, scope string, b *facts.Binding, s *judge.Side) {
		i := slices.IndexFunc(all, func(l *lonely) bool { return l.name == name && l.scope == scope && l.family == b.Family })
		if i < 0 {
			i = len(all)
			all = append(all, &lonely{name: name, scope: scope, family: b.Family})
		}
		all[i].sides = append(all[i].sides, s)
		all[i].at = append(all[i].at, b.Span)
	}
	for i := range e.sides {
		s := &e.sides[i]
		x := s.Interface
		if s.HostOnly {
			continue
		}
		for k := range x.Bindings {
			b := &x.Bindings[k]
			switch {
			case b.Direction == facts.In && (e.out[x.Scope] && s.Known || s.Outside && len(s.Zones) == 0):
				continue // asked as a path, or it filters what comes from outside
			case b.Direction == facts.Out && s.Known:
				continue // asked as a path, or it leads inside
			}
			from := *s
			if len(from.Zones) == 0 {
				from.Zones = judge.Internal(e.p)
			}
			for _, name := range b.Filters {
				add(name, x.Scope, b, &from)
			}
		}
	}
	for i := range e.d.Bindings {
		b := &e.d.Bindings[i]
		if b.Where != facts.WhereTransit || e.out[b.Scope] || b.Scope == "" && len(e.out) > 0 {
			continue
		}
		for _, name := range b.Filters {
			add(name, b.Scope, b, &judge.Side{Interface: &facts.Interface{Scope: b.Scope}, Zones: judge.Internal(e.p)})
		}
	}
	for _, l := range all {
		e.alone(l)
	}
}

func (e *egress) alone(l *lonely) {
	f := judge.Find(e.d, l.name, l.scope)
	if f == nil || f.Synthetic {
		return
	}
	a := application{
		kind: "filter", name: l.name, say: fmt.Sprintf("filter %q", l.name), filter: l.name, scope: f.Scope, plain: egressAlone, marks: judge.Mark(nil, "applied here", l.at...),
	}
	fam := f.Family
	if fam == facts.AnyFamily && l.family != facts.AnyFamily {
		fam = l.family
	}
	if fam == facts.AnyFamily {
		fam = facts.IPv4
	}
	e.ask(headerspace.Query{Filter: l.name, Scope: f.Scope, Family: fam, At: e.p.Now()}, a, l.sides, nil)
}
