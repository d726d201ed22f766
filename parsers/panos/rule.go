package panos

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A matcher gathers the conditions of one rule.
type matcher struct {
	p        *parser
	c        *chain
	m        *facts.Match
	from, to []string // nil: any zone
	stated   [2]bool
	apps     *appSet
	svc      serviceKind
	items    []facts.ServiceItem
	negate   [2]bool
	kind     string // rule-type
}

type serviceKind uint8

const (
	anyService serviceKind = iota
	defaultService
	listedServices
)

// securityRule adds one security rule, built where it stays.
func (p *parser) securityRule(n int32, c *chain) {
	p.ok(n)
	c.rules = append(c.rules, facts.Rule{Name: p.text(n), Span: p.span(n), Log: facts.Assume(true)})
	r := &c.rules[len(c.rules)-1]
	x := matcher{p: p, c: c, m: &r.Match}
	p.each(n, func(k int32) bool {
		if x.condition(k) {
			return true
		}
		return x.property(k, r)
	})
	x.finish()
}

// condition reads a condition of a rule of any kind; it reports whether k is a statement with plain values.
func (x *matcher) condition(k int32) bool {
	p, m := x.p, x.m
	switch string(p.t.Text(k)) {
	case "from":
		x.from, x.stated[0] = x.zones(k), true
	case "to":
		x.to, x.stated[1] = x.zones(k), true
	case "source":
		x.addresses(k, &m.Src)
	case "destination":
		x.addresses(k, &m.Dst)
	case "negate-source":
		x.negate[0] = x.yes(k)
	case "negate-destination":
		x.negate[1] = x.yes(k)
	case "application":
		p.values(k)
		x.apps = p.appsOf(k, x.c.v.space)
	case "service":
		x.services(k)
	case "source-user", "category", "hip-profiles", "source-hip", "destination-hip", "source-imsi", "source-imei",
		"source-nw-slice", "source-device", "destination-device", "source-identity", "saas-user-list", "saas-tenant-list":
		x.anyOnly(k)
	default:
		return false
	}
	return true
}

// property reads what is no condition.
func (x *matcher) property(k int32, r *facts.Rule) bool {
	p := x.p
	v := p.value(k)
	switch string(p.t.Text(k)) {
	case "action":
		p.values(k)
		if v == none {
			return true
		}
		if r.Action = actionOf(p.bytes(v)); r.Action == facts.ActionUnknown {
			p.unsupported(v, "an action that is not understood")
		}
	case "disabled":
		p.values(k)
		if v != none && p.is(v, "yes") {
			r.Inactive = facts.Say(true, p.span(v))
		}
	case "schedule":
		p.values(k)
		if v != none && !p.is(v, "None") {
			r.Times = p.scheduleOf(v, x.c.v.space)
		}
	case "log-start", "log-end":
		p.values(k)
		switch {
		case v == none:
		case p.is(v, "yes"):
			r.Log = facts.Say(true, p.span(v))
		case p.is(k, "log-end") && r.Log.Origin != facts.Explicit:
			r.Log = facts.Say(false, p.span(v))
		}
	case "rule-type":
		p.values(k)
		if v != none {
			x.kind = p.text(v)
		}
	case "description":
		p.values(k)
		if v != none {
			r.Remark = clean(p.bytes(v))
		}
	case "target":
		p.okAll(k)
		if x.c.v.group && p.first(p.kid(k, "devices")) != none {
			x.m.Unread = append(x.m.Unread, "target: it is for some of the group's firewalls")
		}
		return false
	case "option", "profile-setting", "qos", "icmp-unreachable", "disable-override", "disable-inspect", "uuid", "loc":
		p.okAll(k)
		return false
	case "log-setting", "tag", "group-tag":
		p.values(k)
	default:
		x.m.Unread = append(x.m.Unread, "a condition that is not understood: "+p.text(k))
		p.unsupported(k, "a condition that is not modelled")
		return false
	}
	return true
}

func (x *matcher) yes(k int32) bool {
	x.p.values(k)
	v := x.p.value(k)
	return v != none && x.p.is(v, "yes")
}

// zones are the names below k; nil is any.
func (x *matcher) zones(k int32) []string {
	p := x.p
	p.values(k)
	out := make([]string, 0, p.count(k))
	for v := p.first(k); v != none; v = p.next(v) {
		if p.is(v, "any") {
			return nil
		}
		out = append(out, p.text(v))
	}
	return out
}

// addresses reads names, addresses, networks and ranges; "any" alone is no condition.
func (x *matcher) addresses(k int32, a *facts.Addrs) {
	p := x.p
	p.values(k)
	for v := p.first(k); v != none; v = p.next(v) {
		item := p.addressOf(v, x.c.v.space)
		if item.Any && p.next(v) == none && len(a.Items) == 0 {
			*a = facts.Addrs{}
			return
		}
		if a.Items == nil {
			a.Items = make([]facts.AddrItem, 0, p.count(k))
		}
		a.Present = true
		a.Items = append(a.Items, item)
	}
}

// anyOnly reads a condition about users, devices or what is asked for: only the device can tell whether it holds.
func (x *matcher) anyOnly(k int32) {
	p := x.p
	p.values(k)
	for v := p.first(k); v != none; v = p.next(v) {
		if !p.is(v, "any") && !p.is(v, "None") {
			x.m.Unread = append(x.m.Unread, p.text(k)+" "+clean(p.bytes(v)))
			return
		}
	}
}

func (x *matcher) services(k int32) {
	p := x.p
	p.values(k)
	for v := p.first(k); v != none; v = p.next(v) {
		switch string(p.t.Text(v)) {
		case "any":
			x.svc = anyService
			return
		case "application-default":
			x.svc = defaultService
		default:
			if x.svc != defaultService {
				x.svc = listedServices
			}
			x.items = append(x.items, p.serviceOf(v, x.c.v.space))
		}
	}
}

// finish puts the conditions together.
func (x *matcher) finish() {
	m := x.m
	for i, a := range [...]*facts.Addrs{&m.Src, &m.Dst} {
		if !x.negate[i] {
			continue
		}
		if !a.Present {
			a.Present, a.Items = true, []facts.AddrItem{{Any: true}}
		}
		a.Not = true
	}
	x.zoning()
	x.traffic()
}

// zoning states from and to. An intrazone rule is about each of its zones by itself, whatever "to" says; an interzone one
// about every two of them that differ ("Security Policy Rule", PAN-OS Admin Guide: rule type).
func (x *matcher) zoning() {
	m := x.m
	if x.kind == "" || x.kind == "universal" {
		m.In, m.Out = places(x.from, x.stated[0]), places(x.to, x.stated[1])
		return
	}
	all := x.c.v.zones
	from, to := x.from, x.to
	if from == nil {
		from = all
	}
	var pairs []facts.Match
	switch x.kind {
	case "intrazone":
		for _, z := range from {
			if x.to == nil || slices.Contains(x.to, z) {
				pairs = append(pairs, facts.Match{In: place(z), Out: place(z)})
			}
		}
	case "interzone":
		for _, z := range from {
			out := facts.Places{Names: []string{z}, Present: true, Not: true}
			if to != nil {
				rest := slices.DeleteFunc(slices.Clone(to), func(k string) bool { return k == z })
				out = facts.Places{Names: rest, Present: true}
			}
			pairs = append(pairs, facts.Match{In: place(z), Out: out})
		}
	default:
		m.Unread = append(m.Unread, "rule type "+x.kind)
		return
	}
	if len(all) == 0 && x.from == nil { // the zones are not in this evidence
		m.Unread = append(m.Unread, "an "+x.kind+" rule of any zone")
		return
	}
	m.AllOf = append(m.AllOf, facts.Match{AnyOf: pairs, HasAnyOf: true})
}

func place(zone string) facts.Places { return facts.Places{Names: []string{zone}, Present: true} }

func places(zones []string, stated bool) facts.Places {
	if zones == nil || !stated {
		return facts.Places{}
	}
	return facts.Places{Names: zones, Present: true}
}

// traffic states applications and services together: on application-default each application has ports of its own.
func (x *matcher) traffic() {
	m, a := x.m, x.apps
	if x.svc == listedServices {
		m.Services, m.HasServices = x.items, true
	}
	if a == nil || a.any {
		if x.svc == defaultService {
			a = &appSet{names: transferApps[:], unread: []string{"default ports of other applications"}}
			x.anyOf(x.byApp(a))
		}
		return
	}
	plain := x.byApp(a)
	if len(x.c.overrides) == 0 {
		if len(plain) == 1 && len(plain[0].Unread) == 0 && !plain[0].HasServices {
			m.Apps = plain[0].Apps
			return
		}
		x.anyOf(plain)
		return
	}
	x.anyOf(x.overridden(a, plain))
}

func (x *matcher) anyOf(list []facts.Match) {
	if x.m.HasAnyOf {
		x.m.AllOf = append(x.m.AllOf, facts.Match{AnyOf: list, HasAnyOf: true})
		return
	}
	x.m.AnyOf, x.m.HasAnyOf = list, true
}

// byApp are the ways in which a packet can be one of a's applications. Rules that name the same ones share the list.
func (x *matcher) byApp(a *appSet) []facts.Match {
	c := x.c
	c.key = append(c.key[:0], byte(x.svc))
	for _, list := range [...][]string{a.names, a.unread} {
		for _, s := range list {
			c.key = append(append(c.key, s...), 0)
		}
		c.key = append(c.key, 1)
	}
	if out, ok := c.lists[string(c.key)]; ok {
		return out
	}
	out := x.byEachApp(a)
	if c.lists == nil {
		c.lists = map[string][]facts.Match{}
	}
	c.lists[string(c.key)] = out
	return out
}

func (x *matcher) byEachApp(a *appSet) []facts.Match {
	var out []facts.Match
	switch {
	case x.svc != defaultService && len(x.c.overrides) == 0:
		if len(a.names) > 0 {
			out = append(out, facts.Match{Apps: a.names})
		}
	default:
		out = make([]facts.Match, 0, len(a.names)+len(a.unread))
		for _, name := range a.names {
			one := facts.Match{Apps: []string{name}}
			if x.svc == defaultService {
				if items, ok := x.p.defaultsOf(a, name); ok {
					one.Services, one.HasServices = items, true
				} else {
					one.Unread = []string{"default ports of application " + name}
				}
			}
			out = append(out, one)
		}
	}
	for _, u := range a.unread {
		out = append(out, facts.Match{Unread: []string{u}})
	}
	return out
}
