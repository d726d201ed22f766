package headerspace

import (
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
		j.m.ix.walk(items[i].Group, addrKinds, []string{book, j.filter.Scope, ""}, func(g *facts.Group) {
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
