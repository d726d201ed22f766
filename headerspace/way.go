package headerspace

import (
	"fmt"
	"strconv"

	"github.com/quaymaster/quaymaster/facts"
)

// A placeKey names the compiled decision of a route.
type placeKey struct {
	place string
	mode  mode
}

// An outcome is the compiled decision of a route.
type outcome struct {
	ref    ref
	leaves uint16 // what there is among its outcomes, a bit each; 0 not looked
}

// may reports whether some packet has an outcome that is wanted.
func (o outcome) may(wanted func(ref) bool) bool {
	for r := range outcomes {
		if o.leaves>>r&1 != 0 && wanted(r) {
			return true
		}
	}
	return false
}

func fragsOf(q *Query) fragMode {
	if q.Fragments {
		return laterOnly
	}
	return wholeOnly
}

// A way is one route in one version of IP, and what becomes of the asked packets on it.
type way struct {
	q       *Query
	route   *route
	family  facts.Family
	nat     []translation
	key     placeKey // where its decision is kept
	tooBig  bool
	permit  *packet
	deny    *packet
	unknown *packet
}

// explore finds an asked packet for every fate there is on the way; for an undecided one only when it matters.
func (m *Model) explore(w *way) {
	d, ok := m.places[w.key]
	if !ok && !m.hopeless[w.key] { // dropped with a full table that others filled
		m.decision(w, w.key.mode)
		d, ok = m.places[w.key]
	}
	if ok && !m.g.full {
		if d.leaves == 0 {
			d.leaves = m.g.leaves(d.ref)
			m.places[w.key] = d
		}
		set := m.question(w.q, w.family)
		near := m.witness(w.q, w.family)
		try := func(wanted func(ref) bool) *packet {
			h := near
			if !d.may(wanted) || !m.g.find(d.ref, set, &h, wanted) {
				return nil
			}
			p := m.read(&h, w.family)
			p.later = w.q.Fragments
			near = h // the next one differs as little as it can
			return &p
		}
		w.permit = try(func(o ref) bool { return o == mayPermit })
		w.deny = try(func(o ref) bool { return o == mayDeny })
		if w.permit == nil || w.deny == nil {
			w.unknown = try(func(o ref) bool { return o != mayPermit && o != mayDeny })
		}
	}
	if !ok || m.g.full {
		w.permit, w.deny, w.unknown = nil, nil, nil
		m.sample(w)
	}
}

// maxSamples bounds the packets judged one by one where diagrams are too large.
const maxSamples = 64

// sample judges some asked packets by reading the rules: one for each of some rules of every stage, which it matches.
// The way is too complex to be decided whole, but a packet that is permitted and one that is denied make an answer.
func (m *Model) sample(w *way) {
	w.tooBig = true
	if m.g.full {
		m.begin()
	}
	set := m.question(w.q, w.family)
	for i := range w.route.stages {
		for _, name := range w.route.stages[i].names {
			n, ok := m.findFilter(name, w.route.stages[i].scope, w.family)
			if !ok {
				continue
			}
			f := &m.d.Filters[n]
			c := compiler{m: m, g: m.g, at: m.layout(false), mode: w.plain(), filter: f, books: m.ix.booksOf(f)}
			for k := 0; k < len(f.Rules); k += 1 + len(f.Rules)/maxSamples {
				h := m.witness(w.q, w.family)
				if !m.g.find(m.g.matched(c.rule(&f.Rules[k])), set, &h, func(o ref) bool { return o == yes }) || m.g.full {
					continue
				}
				p := m.read(&h, w.family)
				p.later = w.q.Fragments
				switch out := m.fateOf(w, p); {
				case out == mayPermit && w.permit == nil:
					w.permit = &p
				case out == mayDeny && w.deny == nil:
					w.deny = &p
				}
				if w.permit != nil && w.deny != nil {
					w.tooBig = false // whatever becomes of the rest
					return
				}
			}
		}
	}
}

// plain is the mode of what is asked, for all services.
func (w *way) plain() mode {
	return mode{family: w.family, frags: fragsOf(w.q), in: w.key.mode.in, out: w.key.mode.out}
}

// fateOf is what all stages of a way make of a packet.
func (m *Model) fateOf(w *way, p packet) ref {
	out := mayPermit
	for i := range w.route.stages {
		f := m.fate(w, &w.route.stages[i], p)
		out = m.g.meet(out, f.outcome)
	}
	return out
}

// unreached is no decision: the table was full before there was one.
const unreached ref = 0

// decision is the outcome of all stages of a way; unreached when the table filled up before there was one.
func (m *Model) decision(w *way, md mode) ref {
	md.in, md.out = m.ends(w.route)
	w.key = placeKey{place: w.place(), mode: md}
	if o, ok := m.places[w.key]; ok {
		return o.ref
	}
	if m.hopeless[w.key] || m.g.full {
		return unreached
	}
	m.gaveUp = false
	base := len(m.pins)
	for i := range w.route.stages {
		m.pin(m.stage(&w.route.stages[i], md))
	}
	if w.q.Established {
		m.admitAnswers(w, md, base)
	}
	d := mayPermit
	for i := range w.route.stages {
		s := m.pins[base+i]
		if len(w.nat) > 0 {
			s = m.translate(s, &w.route.stages[i], w.nat, w.family)
		}
		d = m.g.meet(d, s)
	}
	m.pins = m.pins[:base]
	if m.g.full || m.gaveUp {
		m.hopeless[w.key] = true
		return unreached
	}
	m.places[w.key] = outcome{ref: d}
	return d
}

// place names what a way's decision depends on, beside the mode.
func (w *way) place() string {
	b := make([]byte, 0, 64)
	for i := range w.route.stages {
		s := &w.route.stages[i]
		for _, n := range s.names {
			b = append(strconv.AppendInt(b, int64(len(n)), 10), ':')
			b = append(b, n...)
		}
		b = append(b, '|', byte('0'+s.undefined), byte('0'+s.end), byte('0'+s.fixed), byte('0'+s.sees))
		b = append(b, s.scope...)
		switch {
		case s.isInbound:
			b = fmt.Appendf(b, "|in%q", s.inbound)
		case s.isGroup:
			b = fmt.Appendf(b, "|group%d%v", s.group, s.groupSrc)
		}
		b = append(b, ';')
	}
	if w.q.Established {
		b = fmt.Appendf(b, "open%q", w.route.names())
	}
	if len(w.nat) > 0 {
		b = fmt.Appendf(b, "nat%v", w.nat)
	}
	return string(b)
}

func (r *route) names() []string {
	out := []string{"", "", r.from, r.to}
	if r.in != nil {
		out[0] = r.in.Name
	}
	if r.out != nil {
		out[1] = r.out.Name
	}
	return out
}

// stage is what one stage decides.
func (m *Model) stage(s *stage, md mode) ref {
	switch {
	case s.isGroup, s.isInbound:
		return m.membership(s, md)
	case s.fixed != 0:
		return s.fixed
	}
	return m.chain(s, md)
}

// membership permits what a group or a list of services holds.
func (m *Model) membership(s *stage, md mode) ref {
	f := facts.Filter{Stateful: true}
	c := compiler{m: m, g: m.g, at: m.layout(md.reversed), mode: md, want: m.wants[md.want], filter: &f, action: facts.Permit}
	var b bounds
	switch {
	case s.isInbound:
		b = c.union(inboundItems(s.inbound))
	case m.d.Groups[s.group].Kind == facts.NetworkGroup:
		base := c.at.dst
		if s.groupSrc {
			base = c.at.src
		}
		g := &m.d.Groups[s.group]
		b = c.addrGroup(g.Name, []string{g.Scope}, base)
	default:
		g := &m.d.Groups[s.group]
		b = c.serviceGroup(g.Name, []string{g.Scope})
	}
	return m.g.compose(m.g.compose(b.must, m.g.relax(b.may)), mayDeny)
}

// chain is what a list of filters decides.
func (m *Model) chain(s *stage, md mode) ref {
	for _, name := range s.names { // first all of them: compiling may move nodes
		if i, ok := m.findFilter(name, s.scope, md.family); ok {
			m.open(i, md)
		}
	}
	d := no
	for k, name := range s.names {
		i, ok := m.findFilter(name, s.scope, md.family)
		switch {
		case ok:
			d = m.g.compose(d, m.open(i, md))
			if f := &m.d.Filters[i]; f.Default != facts.Next {
				d = m.g.compose(d, outcomeOf(f.Default))
			}
		case m.ix.filters.has(name): // about the other version of IP
		case k == len(s.names)-1 || s.undefined != facts.Next:
			d = m.g.compose(d, outcomeOf(s.undefined))
		}
	}
	return m.g.compose(d, s.end)
}

func (m *Model) findFilter(name, scope string, fam facts.Family) (int32, bool) {
	return m.ix.filter(name, scope, fam)
}

// admitAnswers lets packets of open sessions pass where a device keeps state: when this direction or the other one may
// open the session.
func (m *Model) admitAnswers(w *way, md mode, base int) {
	keeps := false
	for i := range w.route.stages {
		keeps = keeps || w.route.stages[i].answers
	}
	inspects := w.route.inspects()
	if !keeps && !inspects {
		return
	}
	opening := [1]byte{stateOpening << 6}
	back := md
	back.reversed = !md.reversed
	other := mayDeny
	if r, ok := m.reverse(w.route, w.family); ok {
		back.in, back.out = m.ends(&r)
		other = mayPermit
		first := len(m.pins)
		for i := range r.stages {
			m.pin(m.stage(&r.stages[i], back))
		}
		for i := range r.stages {
			other = m.g.meet(other, m.g.restrict(m.pins[first+i], atState, 2, opening[:]))
		}
		m.pins = m.pins[:first]
	}
	for i := range w.route.stages {
		s := &w.route.stages[i]
		d := m.pins[base+i]
		if s.stateful {
			d = m.g.restrict(d, atState, 2, opening[:])
		}
		if s.answers || inspects {
			m.pins[base+i] = m.g.join(d, other)
		}
	}
}

// inspects reports whether a stateful inspection at one of the ends opens the way for answers (IOS ip inspect).
func (r *route) inspects() bool {
	return r.in != nil && len(r.in.Inspect) > 0 || r.out != nil && len(r.out.Inspect) > 0
}

// reverse is the route of answers to a route's packets.
func (m *Model) reverse(r *route, fam facts.Family) (route, bool) {
	switch {
	case r.from != "":
		back := route{stages: m.throughZones(r.to, r.from, r.scope, fam), from: r.to, to: r.from, scope: r.scope}
		return back, true
	case r.in != nil && r.out != nil:
		return m.transit(r.out, r.in, fam), true
	case r.in != nil && r.alternative == "" && !r.self:
		return route{stages: m.bound(r.in, facts.Out, facts.TransitPlane, fam), out: r.in}, true
	case r.in != nil && r.self:
		return m.fromSelf(r.in, fam), true
	case r.out != nil && r.self:
		return m.toSelf(r.out, fam), true
	case r.out != nil:
		return route{stages: m.entered(r.out, fam), in: r.out}, true
	}
	return route{}, false
}
