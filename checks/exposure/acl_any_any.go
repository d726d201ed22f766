package exposure

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// Variants of QM2003.
const (
	anyOutside = iota
	anyInside
	anyUnknown
)

// AnyAny is QM2003.
func AnyAny() *audit.Check {
	return &audit.Check{
		ID: "QM2003", Slug: "acl-any-any", Title: "Any-to-any permit on an inter-zone path", Severity: audit.High,
		Doc: `A line of a filter between zones permits every source, destination and service.

## Why it matters

Whatever the lines before it deny, everything else passes: transfer protocols on ports nobody thought of, and all of
T1071.002 where the denies name only some of it.

## How it is decided

Lines that permit any address (or a half of all) to any, all of TCP and UDP at least, that are in force at all times and
that some packet of a transfer protocol reaches: a line behind others that decide all of that is not reported. The filter
counts where it is applied to an interface, between device zones or to all interfaces, and the zones of the policy on its
two sides differ. Filters of logins, SNMP and the control plane are not meant.

Severity follows the zones: outside on one side and the most precious zone on the other, or the zone that is let into.
Where no other side is known the finding has medium confidence. There is one finding for each filter, with every place it
is applied at.

## How it can be wrong

A default permit after a list of denies is the design of some routers: it is what the finding says. During a migration
record an exception of at most fourteen days. Another filter on the same path may deny what this one permits.

## Tunables

"zones" of the policy, with trust and kind.
`,
		Variants: []audit.Variant{
			anyOutside: {Name: "towards or from outside", Severity: audit.High}, anyInside: {Name: "between internal zones", Severity: audit.Medium},
			anyUnknown: {Name: "the zones of one side are not known", Severity: audit.Medium},
		},
		Attack: []string{"T1048", "T1090", "T1599"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-PAN 7.2", "CIS-FG 3.2", "CISC-RT-000010", "CISC-RT-000240", "PCI 1.2.5", "PCI 1.3", "AC-4"},
		False:    "a migration, with an expiry of at most 14 days and logging",
		Fixes:    map[string]string{"": "replace the line by the services that are needed, from and to the networks that need them"},
		Needs:    audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device:   anyAny,
	}
}

// A use is a filter where it decides about traffic through the device.
type use struct {
	filter   *facts.Filter
	where    string
	span     evidence.Span
	from, to ends
	intra    bool // from a device zone to itself
	transit  bool // the one list of what passes through: its rules name their ways
}

// ends are what may be on one side of a filter.
type ends struct {
	zones   []policy.Zone
	outside bool
}

func (e *ends) add(s *judge.Side) {
	e.outside = e.outside || s.Outside
	for _, z := range s.Zones {
		if !slices.ContainsFunc(e.zones, func(h policy.Zone) bool { return h.Name == z.Name }) {
			e.zones = append(e.zones, z)
		}
	}
}

func (e *ends) known() bool { return e.outside || len(e.zones) > 0 }

// privilege is that of the most precious zone of one side.
func (e *ends) privilege() float64 {
	p := audit.PrivilegeNone
	for _, z := range e.zones {
		p = max(p, judge.Privilege(z))
	}
	return p
}

// usesOf are the filters of interfaces, of pairs of device zones and of all interfaces, each with what is on its two sides.
func usesOf(p *audit.Pass, d *facts.Device) []use {
	return audit.Derived(p, "uses", func() []use { return uses(d, judge.Sides(p, d)) })
}

// A crowd is the sides of a scope, by how many have a zone behind them or outside.
type crowd struct {
	zones   []policy.Zone
	with    []int
	outside int
}

func (c *crowd) add(s *judge.Side) {
	if s.Outside {
		c.outside++
	}
	for _, z := range s.Zones {
		i := slices.IndexFunc(c.zones, func(h policy.Zone) bool { return h.Name == z.Name })
		if i < 0 {
			i = len(c.zones)
			c.zones, c.with = append(c.zones, z), append(c.with, 0)
		}
		c.with[i]++
	}
}

// but is what is behind the sides of a crowd but one of them.
func (c *crowd) but(s *judge.Side) ends {
	out := ends{outside: c.outside > 1 || c.outside == 1 && !s.Outside}
	for i, z := range c.zones {
		if c.with[i] > 1 || !slices.ContainsFunc(s.Zones, func(h policy.Zone) bool { return h.Name == z.Name }) {
			out.zones = append(out.zones, z)
		}
	}
	return out
}

func uses(d *facts.Device, sides []judge.Side) []use {
	var out []use
	crowds := map[string]*crowd{}
	for i := range sides {
		if s := &sides[i]; !s.HostOnly {
			if crowds[s.Interface.Scope] == nil {
				crowds[s.Interface.Scope] = &crowd{}
			}
			crowds[s.Interface.Scope].add(s)
		}
	}
	add := func(names []string, scope, where string, span evidence.Span, from, to ends) {
		for _, name := range names {
			if f := judge.Find(d, name, scope); f != nil {
				out = append(out, use{filter: f, where: where, span: span, from: from, to: to})
			}
		}
	}
	for i := range sides {
		x := sides[i].Interface
		if sides[i].HostOnly {
			continue
		}
		bindings := slices.Clone(x.Bindings)
		for _, b := range d.Bindings {
			if b.Where == x.Name || x.Alias != "" && b.Where == x.Alias || b.Where == facts.WhereGlobal {
				bindings = append(bindings, b)
			}
		}
		if len(bindings) == 0 {
			continue
		}
		var here ends
		here.add(&sides[i])
		others := crowds[x.Scope].but(&sides[i])
		for _, b := range bindings {
			where := cmp.Or(x.Alias, x.Name)
			if b.Direction == facts.In {
				add(b.Filters, x.Scope, fmt.Sprintf("in on %q", where), b.Span, here, others)
			} else {
				add(b.Filters, x.Scope, fmt.Sprintf("out on %q", where), b.Span, others, here)
			}
		}
	}
	for _, z := range d.Zoning.Pairs {
		var from, to ends
		for i := range sides {
			switch sides[i].Interface.Zone {
			case z.From:
				from.add(&sides[i])
			case z.To:
				to.add(&sides[i])
			}
		}
		if z.From == z.To {
			to = from
		}
		if z.From != "self" && z.To != "self" {
			n := len(out)
			add(z.Filters, judge.PairScope(&z), fmt.Sprintf("from zone %q to zone %q", z.From, z.To), z.Span, from, to)
			for ; n < len(out); n++ {
				out[n].intra = z.From == z.To
			}
		}
	}
	var every ends
	for i := range sides {
		every.add(&sides[i])
	}
	for _, b := range d.Bindings {
		if b.Where == facts.WhereTransit {
			n := len(out)
			add(b.Filters, b.Scope, "on what passes through", b.Span, every, every)
			for ; n < len(out); n++ {
				out[n].transit = true
			}
		}
	}
	add(d.Zoning.Global, "", "between every pair of zones", evidence.Span{}, every, every)
	return out
}

// narrow is u for one rule, whose ways in and out may be fewer.
func (u use) narrow(r *facts.Rule, sides []judge.Side) use {
	if !u.transit {
		return u
	}
	some := func(p *facts.Places, all ends) ends {
		if !p.Present && len(p.Names) == 0 && !p.Not {
			return all
		}
		var out ends
		for i := range sides {
			x := sides[i].Interface
			if (u.filter.Scope == "" || x.Scope == "" || x.Scope == u.filter.Scope) && judge.Names(p, x) {
				out.add(&sides[i])
			}
		}
		return out
	}
	in, out := &r.Match.In, &r.Match.Out
	u.from, u.to = some(in, u.from), some(out, u.to)
	if one, same := len(in.Names) == 1 && len(out.Names) == 1, slices.Equal(in.Names, out.Names); one && same && !in.Not && !out.Not {
		u.intra = true
	}
	if len(in.Names) > 0 && len(out.Names) > 0 {
		u.where = fmt.Sprintf("from %s to %s", quoteAll(in.Names), quoteAll(out.Names))
	}
	return u
}

// weigh is what an any-any line at u means: the variant, exposure and privilege; ok is false when both sides are one zone.
func (u *use) weigh() (v uint8, exposure, privilege float64, ok bool) {
	switch {
	case u.intra && (!u.from.known() || u.from.outside && len(u.from.zones) == 0):
		return 0, 0, 0, false
	case !u.from.known() || !u.to.known():
		return anyUnknown, audit.ExposureInternal, max(u.from.privilege(), u.to.privilege(), audit.PrivilegeServer), true
	case u.to.outside && len(u.from.zones) > 0:
		return anyOutside, audit.ExposureUntrusted, u.from.privilege(), true
	case u.from.outside && len(u.to.zones) > 0:
		return anyOutside, audit.ExposureUntrusted, u.to.privilege(), true
	case u.from.outside || u.to.outside:
		return anyOutside, audit.ExposureUntrusted, audit.PrivilegeServer, true
	case len(u.from.zones) == 1 && len(u.to.zones) == 1 && u.from.zones[0].Name == u.to.zones[0].Name:
		return 0, 0, 0, false
	}
	return anyInside, audit.ExposureInternal, u.to.privilege(), true
}

// wideOpen is a filter with lines that permit everything, and where it is applied between different zones.
type wideOpen struct {
	use
	rules               []headerspace.RuleRef
	variant             uint8
	exposure, privilege float64
	where               []string
	lines               []evidence.Span
	marks               []audit.Mark
}

// add notes what one of the lines means at a use.
func (f *wideOpen) add(u use, line evidence.Span) {
	v, exposure, privilege, ok := u.weigh()
	if !ok {
		return
	}
	if len(f.where) == 0 || exposure*privilege > f.exposure*f.privilege {
		f.use, f.variant, f.exposure, f.privilege = u, v, exposure, privilege
	}
	if !slices.Contains(f.where, u.where) {
		f.where = append(f.where, u.where)
	}
	if !slices.Contains(f.lines, line) {
		f.lines = append(f.lines, line)
	}
	f.marks = judge.Mark(f.marks, "applied here", u.span)
}

// anyAnyRules are the lines of a filter that permit everything and are reached.
func anyAnyRules(p *audit.Pass, d *facts.Device, f *facts.Filter) []headerspace.RuleRef {
	if f.Unread != "" {
		p.NotEvaluated(fmt.Sprintf("what filter %q holds is unknown: %s", f.Name, f.Unread))
		return nil
	}
	rules, err := p.Space(d).AnyAny(f.Scope, f.Name)
	if err != nil {
		p.NotEvaluated(fmt.Sprintf("filter %q: %v", f.Name, err))
		return nil
	}
	return rules
}

func anyAny(p *audit.Pass, d *facts.Device) {
	var order []*wideOpen
	by := map[*facts.Filter]*wideOpen{}
	sides := judge.Sides(p, d)
	for _, u := range usesOf(p, d) {
		f := by[u.filter]
		if f == nil {
			f = &wideOpen{use: u}
			f.rules = anyAnyRules(p, d, u.filter)
			by[u.filter] = f
			order = append(order, f)
		}
		for _, r := range f.rules {
			f.add(u.narrow(&u.filter.Rules[r.Index], sides), r.Span)
		}
	}
	for _, f := range order {
		if len(f.where) == 0 {
			continue
		}
		var marks []audit.Mark
		for _, s := range f.lines {
			marks = judge.Mark(marks, "", s)
		}
		for _, m := range f.marks {
			marks = judge.Mark(marks, m.Role, m.Span)
		}
		confidence := audit.ConfidenceHigh
		if f.variant == anyUnknown {
			confidence = audit.ConfidenceMedium
		}
		where := f.where[0]
		if n := len(f.where) - 1; n > 0 {
			where += fmt.Sprintf(" and %s more", judge.Count(int64(n), "place"))
		}
		p.Report(audit.Finding{
			Variant: f.variant, Subject: audit.Subject{Kind: "filter", Name: filterName(f.filter)},
			Severity: audit.Score(.80, f.exposure, f.privilege, judge.Telemetry(d)), Confidence: confidence,
			Message: fmt.Sprintf("%s permits everything from anywhere to anywhere by filter %q %s", d.ID, f.filter.Name, where),
			Spans:   marks, Evidence: map[string]string{"applied": judge.Join(f.where[:min(len(f.where), 8)])}, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
	}
}

// filterName is a filter's name and scope, as a subject.
func filterName(f *facts.Filter) string {
	if f.Scope == "" {
		return f.Name
	}
	return f.Name + " in " + f.Scope
}
