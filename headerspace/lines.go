package headerspace

import (
	"cmp"
	"fmt"

	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// lines are the lines that make rule k of filter i match p: its own, its time range's, and those of the members of
// groups that hold the packet's ends.
func (j *judge) lines(i int32, k int) []evidence.Span {
	f := &j.m.d.Filters[i]
	r := &f.Rules[k]
	out := []evidence.Span{r.Span}
	if r.Times != nil && !r.Times.Span.IsZero() {
		out = append(out, r.Times.Span)
	}
	j.filter, j.books = f, j.m.ix.booksOf(f)
	out = j.memberLines(out, r.Match.Src.Items, j.p.src, j.books[0])
	out = j.memberLines(out, r.Match.Dst.Items, j.p.dst, j.books[1])
	out = j.serviceLines(out, r.Match.Services)
	if name := r.Match.PermittedBy; name != "" {
		if n, ok := j.m.ix.filter(name, f.Scope, j.p.family); ok && n != i {
			if _, by, _ := j.verdict(n); by >= 0 {
				out = append(out, j.m.d.Filters[n].Rules[by].Span)
			}
		}
	}
	return out
}

// maxLines bounds the lines shown for one rule.
const maxLines = 8

func (j *judge) memberLines(out []evidence.Span, items []facts.AddrItem, x netip.Addr, book string) []evidence.Span {
	for i := range items {
		if items[i].Group == "" || len(out) >= maxLines {
			continue
		}
		j.m.ix.walk(items[i].Group, addrKinds, lookups(book, j.filter.Scope), func(g *facts.Group) {
			for k := range g.Addrs {
				if it := &g.Addrs[k]; it.Group == "" && len(out) < maxLines && !it.Span.IsZero() && j.item(it, x, book) != triNo {
					out = append(out, it.Span)
					return
				}
			}
		})
	}
	return out
}

func (j *judge) serviceLines(out []evidence.Span, items []facts.ServiceItem) []evidence.Span {
	for i := range items {
		if items[i].Group == "" || len(out) >= maxLines {
			continue
		}
		j.m.ix.walk(items[i].Group, serviceKinds, []string{j.filter.Scope, ""}, func(g *facts.Group) {
			for k := range g.Services {
				if it := &g.Services[k]; it.Group == "" && len(out) < maxLines && !it.Span.IsZero() && j.union(g.Services[k:k+1]) != triNo {
					out = append(out, it.Span)
					return
				}
			}
		})
	}
	return out
}

// cause is what was not understood about a rule, with device text in quotes.
func (j *judge) cause(r *facts.Rule) string {
	switch {
	case r.Action == facts.ActionUnknown:
		return "its action"
	case r.Times != nil && r.Times.Unread != "":
		return fmt.Sprintf("time range %q", r.Times.Name)
	case r.Times != nil && j.m.ix.when != nil && j.m.ix.when.lost:
		return "too many time ranges"
	case r.Inactive.Origin == facts.Masked:
		return "whether it is active"
	}
	if c := j.causeIn(&r.Match, 0); c != "" {
		return c
	}
	return "a condition"
}

// causeIn is empty when nothing in m is unknown. Filters that refer to each other are followed a little way.
func (j *judge) causeIn(m *facts.Match, depth int) string {
	if len(m.Unread) > 0 {
		return fmt.Sprintf("%q", m.Unread[0])
	}
	for _, a := range [3]*facts.Addrs{&m.Src, &m.Dst, &m.Either} {
		if c := j.causeOf(a.Items); c != "" {
			return c
		}
	}
	for i := range m.Services {
		it := &m.Services[i]
		if it.Unread != "" {
			return fmt.Sprintf("%q", it.Unread)
		}
		if it.Group != "" && j.m.ix.walk(it.Group, serviceKinds, []string{j.scope(), ""}, func(*facts.Group) {}) {
			return fmt.Sprintf("a member of group %q", it.Group)
		}
	}
	for _, nested := range [2][]facts.Match{m.AllOf, m.AnyOf} {
		for i := range nested {
			if c := j.causeIn(&nested[i], depth); c != "" {
				return c
			}
		}
	}
	if m.PermittedBy == "" || depth > 3 {
		return ""
	}
	i, ok := j.m.ix.filter(m.PermittedBy, j.scope(), j.p.family)
	if !ok {
		return fmt.Sprintf("filter %q is not defined", m.PermittedBy)
	}
	f := &j.m.d.Filters[i]
	for k := range f.Rules {
		if c := j.causeIn(&f.Rules[k].Match, depth+1); c != "" || f.Rules[k].Action == facts.ActionUnknown {
			return fmt.Sprintf("rule %s of filter %q", ruleName(f, k), f.Name)
		}
	}
	return fmt.Sprintf("filter %q", m.PermittedBy)
}

// scope is that of the filter being read; empty between filters.
func (j *judge) scope() string {
	if j.filter == nil {
		return ""
	}
	return j.filter.Scope
}

// causeOf is the first address that cannot be known from the evidence.
func (j *judge) causeOf(items []facts.AddrItem) string {
	for i := range items {
		if it := &items[i]; it.Unread != "" {
			return fmt.Sprintf("%q", it.Unread)
		} else if it.Group != "" {
			c := ""
			open := j.m.ix.walk(it.Group, addrKinds, []string{j.books[0], j.books[1], j.scope(), ""}, func(g *facts.Group) {
				for k := range g.Addrs {
					if g.Addrs[k].Unread != "" {
						c = fmt.Sprintf("%q in group %q", g.Addrs[k].Unread, g.Name)
					}
				}
			})
			if c != "" || open {
				return cmp.Or(c, fmt.Sprintf("a member of group %q", it.Group))
			}
		}
	}
	return ""
}
