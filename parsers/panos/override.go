package panos

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// An override says that packets are of an application, whatever they hold ("Policy > Application Override").
type override struct {
	match facts.Match
	app   string // lower case
}

// onlyOverridden reports whether nothing but an override tells application name: one of the user's own without a signature
// ("Create a Custom Application", PAN-OS Admin Guide).
func (x *matcher) onlyOverridden(a *appSet, name string) bool {
	o, custom := a.custom[name]
	return custom && x.p.kid(o.node, "signature") == none &&
		slices.ContainsFunc(x.c.overrides, func(k override) bool { return k.app == name })
}

// maxOverrides bounds how many of them are written into every rule that names applications; of more, none is.
const maxOverrides = 24

// overrideRules reads "application-override".
func (p *parser) overrideRules(k int32, c *chain) {
	p.ok(k)
	rules := p.kid(k, "rules")
	p.ok(rules)
	for r := p.first(rules); r != none; r = p.next(r) {
		p.ok(r)
		var o override
		x := matcher{p: p, c: c, m: &o.match}
		off := false
		item := facts.ServiceItem{Span: p.span(r)}
		p.each(r, func(k int32) bool {
			v := p.value(k)
			switch string(p.t.Text(k)) {
			case "application":
				p.values(k)
				if v != none {
					o.app = strings.ToLower(p.text(v))
				}
				return true
			case "protocol":
				p.values(k)
				switch {
				case v == none:
				case p.is(v, "tcp"):
					item.Protocols = []uint8{facts.TCP}
				case p.is(v, "udp"):
					item.Protocols = []uint8{facts.UDP}
				default:
					item.Unread = "protocol " + p.text(v)
				}
				return true
			case "port":
				p.ports(k, &item.Dst, &item)
				return true
			case "disabled":
				off = x.yes(k)
				return true
			case "description", "tag", "group-tag", "target", "uuid":
				p.okAll(k)
				return false
			}
			if x.condition(k) {
				return true
			}
			o.match.Unread = append(o.match.Unread, "a condition that is not understood: "+p.text(k))
			p.unsupported(k, "a condition that is not modelled")
			return false
		})
		x.apps = nil
		x.finish()
		o.match.Services, o.match.HasServices = []facts.ServiceItem{item}, true
		if !off && o.app != "" {
			c.overrides = append(c.overrides, o)
		}
	}
}

// overridden are the ways in which a packet can be one of a's applications where overrides say what some packets are. Of
// several that fit the first counts. An application of the user's own that states no default port has none to keep to.
func (x *matcher) overridden(a *appSet, plain []facts.Match) []facts.Match {
	if len(x.c.overrides) > maxOverrides {
		return []facts.Match{{Unread: []string{"application overrides, more than are followed"}}}
	}
	var every []facts.Match
	for i := range x.c.overrides {
		every = append(every, x.c.overrides[i].match)
	}
	plain = slices.DeleteFunc(slices.Clone(plain), func(m facts.Match) bool { return len(m.Apps) == 1 && x.onlyOverridden(a, m.Apps[0]) })
	free := facts.Match{AnyOf: every, HasAnyOf: true, Not: true}
	out := []facts.Match{{AnyOf: plain, HasAnyOf: true, AllOf: []facts.Match{free}}}
	for i := range x.c.overrides {
		o := &x.c.overrides[i]
		if !slices.Contains(a.names, o.app) {
			continue
		}
		one := facts.Match{AllOf: []facts.Match{o.match}}
		var earlier []facts.Match
		for j := range i {
			if x.c.overrides[j].app != o.app {
				earlier = append(earlier, x.c.overrides[j].match)
			}
		}
		if len(earlier) > 0 {
			one.AllOf = append(one.AllOf, facts.Match{AnyOf: earlier, HasAnyOf: true, Not: true})
		}
		if x.svc == defaultService {
			items, ok := x.p.defaultsOf(a, o.app)
			_, custom := a.custom[o.app]
			switch {
			case ok:
				one.Services, one.HasServices = items, true
			case !custom:
				one.Unread = []string{"default ports of application " + o.app}
			}
		}
		out = append(out, one)
	}
	return out
}
