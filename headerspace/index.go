package headerspace

import (
	"iter"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// An index finds a device's named things. It is made when first needed and never changes.
type index struct {
	d       *facts.Device
	filters names
	groups  names
	ifaces  names             // by name
	apps    map[string]uint16 // lower case
	when    *calendar
	places  *places
	// books are, for filters between two device zones, the scopes of the zones' own address books.
	books map[filterKey][2]string
}

type filterKey struct{ scope, name string }

func newIndex(d *facts.Device) *index {
	x := &index{
		d: d, filters: newNames(len(d.Filters)), groups: newNames(len(d.Groups)), ifaces: newNames(len(d.Interfaces)),
		apps: appNumbers(d), when: newCalendar(d),
		places: newPlaces(d, false),
	}
	for i := len(d.Filters) - 1; i >= 0; i-- {
		x.filters.add(d.Filters[i].Name, i)
	}
	for i := len(d.Groups) - 1; i >= 0; i-- {
		x.groups.add(d.Groups[i].Name, i)
	}
	for i := len(d.Interfaces) - 1; i >= 0; i-- {
		x.ifaces.add(d.Interfaces[i].Name, i)
	}
	if len(d.Zoning.Pairs) > 0 {
		x.books = make(map[filterKey][2]string, len(d.Zoning.Pairs))
		for i := range d.Zoning.Pairs {
			p := &d.Zoning.Pairs[i]
			for _, name := range p.Filters {
				b, key := [2]string{bookOf(p.From), bookOf(p.To)}, filterKey{zoneScope(p.From, p.To), name}
				if have, ok := x.books[key]; ok { // of a filter that stands twice, only what both places agree on
					for side := range b {
						if have[side] != b[side] {
							b[side] = ""
						}
					}
				}
				x.books[key] = b
			}
		}
	}
	return x
}

// names finds everything of one name, in the order it was defined.
type names struct {
	first map[string]int32
	next  []int32 // -1 is the end
}

func newNames(n int) names { return names{make(map[string]int32, n), make([]int32, n)} }

// add takes them from the last to the first.
func (n *names) add(name string, i int) {
	next, ok := n.first[name]
	if !ok {
		next = -1
	}
	n.next[i], n.first[name] = next, int32(i)
}

func (n *names) has(name string) bool {
	_, ok := n.first[name]
	return ok
}

// each yields the places of a name.
func (n *names) each(name string) iter.Seq[int32] {
	return func(yield func(int32) bool) {
		i, ok := n.first[name]
		for ; ok && i >= 0; i = n.next[i] {
			if !yield(i) {
				return
			}
		}
	}
}

// bookOf is the scope of a zone's address book, as facts.Group spells it.
func bookOf(zone string) string {
	if s := zoneScope(zone, zone); s != "" {
		return s + " zone:" + zone
	}
	return "zone:" + zone
}

// zoneScope is the scope of the policies between zones: names of a logical system's zones begin with its own.
func zoneScope(zones ...string) string {
	for _, z := range zones {
		if i := strings.IndexByte(z, '/'); i > 0 {
			return z[:i]
		}
	}
	return ""
}

// booksOf are the scopes of the address books of the zones that filter f stands between.
func (x *index) booksOf(f *facts.Filter) [2]string { return x.books[filterKey{f.Scope, f.Name}] }

// lookups are the scopes in which a rule's name of addresses is looked up: the zone's own book where there is one, the
// filter's scope, the global one.
func lookups(book, scope string) []string {
	if book == "" {
		return []string{scope, ""}
	}
	return []string{book, scope, ""}
}

// filter finds a filter by name: in the scope, else in the global one, of the family or of any.
func (x *index) filter(name, scope string, fam facts.Family) (int32, bool) {
	for _, s := range [2]string{scope, ""} {
		for i := range x.filters.each(name) {
			f := &x.d.Filters[i]
			if f.Scope == s && (f.Family == fam || f.Family == facts.AnyFamily || fam == facts.AnyFamily) {
				return i, true
			}
		}
	}
	return 0, false
}

// group finds a group of one of the kinds, in the first scope that has one. A name defined twice keeps its first meaning.
func (x *index) group(name string, kinds []facts.GroupKind, scopes []string) (int32, bool) {
	if !x.groups.has(name) {
		return 0, false
	}
	for _, s := range scopes {
		for i := range x.groups.each(name) {
			if g := &x.d.Groups[i]; g.Scope == s && slices.Contains(kinds, g.Kind) {
				return i, true
			}
		}
	}
	return 0, false
}

// walk visits a group and all below it once each, and reports whether any of them is not known whole.
func (x *index) walk(name string, kinds []facts.GroupKind, scopes []string, visit func(*facts.Group)) (open bool) {
	seen := map[int32]bool{}
	var walk func(string, []string)
	walk = func(name string, scopes []string) {
		i, ok := x.group(name, kinds, scopes)
		if !ok || seen[i] {
			return
		}
		seen[i] = true
		g := &x.d.Groups[i]
		open = open || g.Unread != ""
		visit(g)
		below := []string{g.Scope, ""}
		for _, m := range g.Members {
			walk(m, below)
		}
		for j := range g.Addrs {
			if g.Addrs[j].Group != "" {
				walk(g.Addrs[j].Group, below)
			}
		}
		for j := range g.Services {
			if g.Services[j].Group != "" {
				walk(g.Services[j].Group, below)
			}
		}
	}
	walk(name, scopes)
	return open
}

// prefixes are the items of a group and of all below it, without references. open: there may be more.
func (x *index) prefixes(name string, scopes []string) (items []facts.AddrItem, open bool) {
	open = x.walk(name, addrKinds, scopes, func(g *facts.Group) {
		for i := range g.Addrs {
			switch it := &g.Addrs[i]; {
			case it.Group != "":
			case it.Except:
				open = true
			default:
				items = append(items, *it)
			}
		}
	}) || open
	return items, open
}

// portGroup is the ports of a port group, or of the destinations of a service group used as one.
func (x *index) portGroup(name string, scopes []string) (ranges []facts.PortRange, open bool) {
	open = x.walk(name, serviceKinds, scopes, func(g *facts.Group) {
		ranges = append(ranges, g.Ports...)
		for i := range g.Services {
			it := &g.Services[i]
			ranges = append(ranges, it.Dst.Ranges...)
			open = open || it.Unread != "" || it.Dst.Not || it.Except
		}
	}) || open
	return ranges, open
}
