package headerspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A view is which addresses a stage sees when the device translates some.
type view uint8

const (
	seesWire view = iota // as the packet came in
	seesReal             // destination translated, source as it came in
	seesBoth             // destination and source translated
)

// A stage is one decision on the way through a device: a chain of filters, a set of services, or a constant.
type stage struct {
	what      string   // in messages: `inbound filter of "Gi1"`
	itself    bool     // a filter asked about by its name
	names     []string // filters, asked as one list
	scope     string
	undefined facts.Action // what a filter that does not exist does
	end       ref          // after the last filter's Next
	fixed     ref          // the decision when there is no filter to ask; 0: ask
	why       string       // why it is fixed
	inbound   []string     // host-inbound services, asked when isInbound
	isInbound bool
	group     int32 // question about a group itself, when isGroup
	isGroup   bool
	groupSrc  bool          // membership of the source
	span      evidence.Span // the binding: "applied here"
	stateful  bool          // keeps the state of sessions it lets through
	answers   bool          // lets answers of sessions through that the other direction let out
	sees      view
}

// A route is what a packet passes at a place: every stage must permit it.
type route struct {
	stages  []stage
	in, out *facts.Interface // nil: not stated
	// alternative says which of several ways out this is; empty when there is one.
	alternative string
	nat         bool   // translation may happen on it
	self        bool   // sent by the device (no in) or to it
	from, to    string // device zones, when they are all that is stated
	scope       string // of the zones
}

// routes are the ways a packet of q may take; the caller asks about each.
func (m *Model) routes(q *Query, fam facts.Family) ([]route, error) {
	switch {
	case q.Filter != "":
		st, err := m.filterStage(q, fam)
		return []route{{stages: []stage{st}}}, err
	case q.Service != "" || q.Group != "":
		st, err := m.groupStage(q)
		return []route{{stages: []stage{st}}}, err
	case q.FromZone != "" || q.ToZone != "":
		return m.zoneRoutes(q, fam)
	}
	var in, out *facts.Interface
	var err error
	if q.In != "" {
		if in, err = m.iface(q.In, q.Scope); err != nil {
			return nil, err
		}
	}
	if q.Out != "" {
		if out, err = m.iface(q.Out, q.Scope); err != nil {
			return nil, err
		}
	}
	switch {
	case q.Self && in != nil && out != nil:
		return nil, fmt.Errorf("a packet is sent by the device or to it: name one of in and out beside self")
	case q.Self && in != nil:
		return []route{m.toSelf(in, fam)}, nil
	case q.Self:
		return []route{m.fromSelf(out, fam)}, nil
	case in != nil && out != nil:
		return []route{m.transit(in, out, fam)}, nil
	case in != nil:
		return m.entering(in, fam), nil
	case out != nil:
		stages := append(m.passing(out.Scope, fam), m.bound(out, facts.Out, facts.TransitPlane, fam)...)
		return []route{{stages: stages, out: out}}, nil
	}
	return nil, fmt.Errorf("no place is asked about: name a filter, a group, zones or an interface")
}

func (m *Model) filterStage(q *Query, fam facts.Family) (stage, error) {
	st := stage{what: fmt.Sprintf("filter %q", q.Filter), itself: true, names: []string{q.Filter}, scope: q.Scope, end: mayDeny}
	if _, ok := m.ix.filter(q.Filter, q.Scope, fam); ok {
		st.stateful = m.stateful(&st, fam)
		return st, nil
	}
	scopes := map[string]bool{}
	for i := range m.ix.filters.each(q.Filter) {
		if f := &m.d.Filters[i]; f.Family == fam || f.Family == facts.AnyFamily || fam == facts.AnyFamily {
			scopes[f.Scope] = true
		}
	}
	if q.Scope == "" && len(scopes) == 1 {
		for s := range scopes {
			st.scope = s
		}
		st.stateful = m.stateful(&st, fam)
		return st, nil
	}
	switch {
	case len(scopes) > 0:
		return st, fmt.Errorf("filter %q is in the scopes %s: name one", q.Filter, quoted(scopes))
	case m.ix.filters.has(q.Filter):
		return st, fmt.Errorf("filter %q does not filter %s", q.Filter, familyName(fam))
	}
	return st, fmt.Errorf("no filter is named %q", q.Filter)
}

func familyName(fam facts.Family) string {
	if fam == facts.IPv6 {
		return "IPv6"
	}
	return "IPv4"
}

func quoted(set map[string]bool) string {
	var all []string
	for s := range set {
		all = append(all, fmt.Sprintf("%q", s))
	}
	slices.Sort(all)
	return strings.Join(all, ", ")
}

func (m *Model) groupStage(q *Query) (stage, error) {
	name, kinds := q.Group, slices.Concat(serviceKinds, addrKinds)
	if q.Service != "" {
		name, kinds = q.Service, serviceKinds
	}
	i, ok := m.ix.group(name, kinds, []string{q.Scope, ""})
	if !ok {
		return stage{}, fmt.Errorf("no group is named %q", name)
	}
	st := stage{what: fmt.Sprintf("group %q", name), isGroup: true, group: i, span: m.d.Groups[i].Span}
	if m.d.Groups[i].Kind == facts.NetworkGroup {
		st.groupSrc = !q.Src.any()
		if st.groupSrc && !q.Dst.any() {
			return st, fmt.Errorf("group %q holds addresses: ask about a source or a destination, not both", name)
		}
	}
	return st, nil
}

// iface finds an interface by name or alias: as written, else in any case, else by the only one that an abbreviation
// fits ("Gi0/1").
func (m *Model) iface(name, scope string) (*facts.Interface, error) {
	all := m.d.Interfaces
	if i, ok := m.ix.ifaces.first[name]; ok && m.ix.ifaces.next[i] < 0 && (scope == "" || all[i].Scope == scope) {
		return &all[i], nil // the common case: written out, and the only one
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold, abbreviates} {
		var found *facts.Interface
		n := 0
		for i := range all {
			f := &all[i]
			if scope != "" && f.Scope != scope || !same(name, f.Name) && (f.Alias == "" || !same(name, f.Alias)) {
				continue
			}
			if n++; found == nil {
				found = f
			}
		}
		switch {
		case n == 1:
			return found, nil
		case n > 1 && scope == "":
			return nil, fmt.Errorf("interface %q is not one but %d: name the scope, or the whole interface", name, n)
		case n > 1:
			return found, nil
		}
	}
	if p := m.ix.places; p.has(name) || len(all) == 0 && p != nil {
		return &facts.Interface{Name: name, Scope: scope}, nil // the evidence does not list interfaces, or not this one
	}
	return nil, fmt.Errorf("no interface is named %q", name)
}

// abbreviates reports whether short is the beginning of name's word followed by name's number.
func abbreviates(short, name string) bool {
	i, j := strings.IndexAny(short, "0123456789"), strings.IndexAny(name, "0123456789")
	return i > 0 && j >= i && short[i:] == name[j:] && strings.EqualFold(short[:i], name[:i])
}

// bound are the stages of the filters applied to an interface in a direction.
func (m *Model) bound(f *facts.Interface, dir facts.Direction, plane facts.Plane, fam facts.Family) []stage {
	var out []stage
	for i := range f.Bindings {
		if b := &f.Bindings[i]; b.Plane == facts.EveryPlane || b.Plane == plane {
			out = m.addBinding(out, b, f, dir, fam)
		}
	}
	for i := range m.d.Bindings {
		b := &m.d.Bindings[i]
		if b.Plane != facts.EveryPlane && b.Plane != plane {
			continue
		}
		if b.Where == f.Name || f.Alias != "" && b.Where == f.Alias || b.Where == facts.WhereGlobal {
			out = m.addBinding(out, b, f, dir, fam)
		}
	}
	return out
}

// passing are the stages asked once about what passes through the device.
func (m *Model) passing(scope string, fam facts.Family) []stage {
	var out []stage
	for i := range m.d.Bindings {
		if b := &m.d.Bindings[i]; b.Where == facts.WhereTransit && inScope(b, scope) {
			out = m.addBinding(out, b, nil, b.Direction, fam)
		}
	}
	return out
}

// inScope reports whether a binding of the whole device is about a scope; an interface or question of none is about all.
func inScope(b *facts.Binding, scope string) bool {
	return b.Scope == "" || scope == "" || b.Scope == scope
}

// entered are the stages of a packet that comes in at an interface, wherever it leaves.
func (m *Model) entered(in *facts.Interface, fam facts.Family) []stage {
	return append(m.bound(in, facts.In, facts.TransitPlane, fam), m.passing(in.Scope, fam)...)
}

func (m *Model) addBinding(out []stage, b *facts.Binding, f *facts.Interface, dir facts.Direction, fam facts.Family) []stage {
	if b.Direction != dir || b.Family != facts.AnyFamily && b.Family != fam || len(b.Filters) == 0 {
		return out
	}
	st := stage{names: b.Filters, scope: b.Scope, undefined: b.Undefined, end: mayDeny, span: b.Span}
	if f != nil {
		st.scope = f.Scope
		st.what = fmt.Sprintf("%s filter of %q", directionName(dir), f.Name)
	} else if b.Where == facts.WhereTransit {
		st.what = "filter of what passes through"
	} else {
		st.what = fmt.Sprintf("%s filter of the control plane", directionName(dir))
	}
	if !m.speaks(&st, fam) {
		return out
	}
	st.stateful = m.stateful(&st, fam)
	st.answers = st.stateful
	switch {
	case m.platform == facts.CiscoASA:
		st.sees = seesReal
	case dir == facts.In && (m.platform == facts.OPNsense || m.platform == facts.PfSense || m.platform == facts.VyOS):
		st.sees = seesReal // pf translates before it filters (pf.conf(5), TRANSLATION), netfilter in prerouting before FORWARD and INPUT
	case b.Where == facts.WhereTransit && m.platform == facts.PANOS:
		// Addresses before NAT, zones after it ("NAT Policy Overview", PAN-OS Networking Admin Guide).
	case b.Where == facts.WhereTransit:
		st.sees = seesReal
	case dir == facts.Out:
		st.sees = seesBoth
	}
	return append(out, st)
}

// speaks reports whether a binding is about a family: one whose filters exist and are all of the other family is not.
func (m *Model) speaks(st *stage, fam facts.Family) bool {
	for _, name := range st.names {
		if _, ok := m.ix.filter(name, st.scope, fam); ok || !m.ix.filters.has(name) {
			return true
		}
	}
	return false
}

func (m *Model) stateful(st *stage, fam facts.Family) bool {
	return slices.ContainsFunc(st.names, func(name string) bool {
		i, ok := m.ix.filter(name, st.scope, fam)
		return ok && m.d.Filters[i].Stateful
	})
}

func directionName(d facts.Direction) string {
	if d == facts.Out {
		return "outbound"
	}
	return "inbound"
}

func (m *Model) transit(in, out *facts.Interface, fam facts.Family) route {
	r := route{stages: m.entered(in, fam), in: in, out: out, nat: true}
	r.stages = append(r.stages, m.between(in, out, fam)...)
	r.stages = append(r.stages, m.bound(out, facts.Out, facts.TransitPlane, fam)...)
	return r
}

// entering are the ways from an interface when the way out is not stated: the device decides between its zones or
// levels, so each way that is decided differently is one.
func (m *Model) entering(in *facts.Interface, fam facts.Family) []route {
	stages := m.entered(in, fam)
	plain := []route{{stages: stages, in: in, nat: true}}
	model := m.d.Zoning.Model
	if model == facts.NoZoning || model == facts.Levels && len(stages) > 0 {
		return plain // on ASA an inbound list stands in the place of the levels
	}
	var out []route
	seen := map[string]bool{}
	for i := range m.d.Interfaces {
		f := &m.d.Interfaces[i]
		if f == in || f.Scope != in.Scope || facts.On(f.Shutdown) || model == facts.Levels && f.Alias == "" || isLoopback(f.Name) {
			continue
		}
		way := m.between(in, f, fam)
		key := fmt.Sprintf("zone %q", f.Zone)
		if model == facts.Levels {
			key = fmt.Sprint(way)
		}
		if seen[key] {
			continue
		}
		seen[key] = true
		out = append(out, route{
			stages: append(slices.Clone(stages), way...), in: in, nat: true, alternative: fmt.Sprintf("to %q", nameOf(f)),
		})
	}
	if len(out) == 0 {
		return plain
	}
	return out
}

func nameOf(f *facts.Interface) string {
	if f.Alias != "" {
		return f.Alias
	}
	return f.Name
}

// isLoopback: no packet is sent through one, so it is no way out.
func isLoopback(name string) bool {
	return strings.HasPrefix(name, "lo0") || strings.HasPrefix(name, "Loopback")
}
