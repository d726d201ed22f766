package headerspace

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// tables are spare tables. One that is in use belongs to one Model.
var tables tablePool

type tablePool struct{ pool sync.Pool }

func (p *tablePool) get() *table {
	if g, ok := p.pool.Get().(*table); ok {
		return g
	}
	return newTable()
}

func (p *tablePool) put(g *table) {
	if cap(g.nodes) <= keepNodes {
		g.reset()
		p.pool.Put(g)
	}
}

// begin makes what a first question needs, and drops the remains of earlier ones when they are many.
func (m *Model) begin() {
	if m.g != nil && m.g.full {
		m.forget()
	}
	if m.g == nil {
		m.g = tables.get()
		m.opens, m.sets, m.places = map[openKey]ref{}, map[groupKey]bounds{}, map[placeKey]ref{}
		m.busy = map[int32]bool{}
		if m.hopeless == nil {
			m.hopeless = map[any]bool{}
		}
		m.swapped = wildAbove(m.d)
	}
	if m.ix == nil {
		m.ix = newIndex(m.d)
	}
	m.depth, m.folds, m.pins = 0, m.folds[:0], m.pins[:0]
	m.tidy()
}

// forget drops a full table. What filled it stays noted as hopeless.
func (m *Model) forget() {
	m.g, m.opens, m.sets, m.places, m.wants = nil, nil, nil, nil, [wants]*services{}
}

// A placeKey names the compiled decision of a route.
type placeKey struct {
	place string
	mode  mode
	extra string // established, translations
}

// test answers q from the part of all services that want names.
func (m *Model) test(q *Query, want uint8) (Answer, error) {
	fams, err := m.familiesOf(q)
	if err != nil {
		return Answer{}, err
	}
	var all []way
	for _, fam := range fams {
		rs, err := m.routes(q, fam)
		if err != nil {
			return Answer{}, err
		}
		for i := range rs {
			if m.g.full {
				m.begin() // what filled the table is noted; the rest is not to blame
				m.renew(q, want)
			}
			w := way{route: &rs[i], family: fam, q: q}
			w.nat = m.translations(w.route, q, fam)
			m.explore(&w, mode{family: fam, want: want, frags: fragsOf(q)})
			all = append(all, w)
		}
	}
	return m.conclude(all), nil
}

// renew makes the part of all services again that q is answered from.
func (m *Model) renew(q *Query, want uint8) {
	switch want {
	case wantTransfers:
		m.want(want, facts.TransferPorts())
	case wantThese:
		m.want(want, listOf(q))
	case wantTCP:
		m.want(want, []facts.Listener{{Transport: facts.TCP, Ports: allPorts}})
	case wantUDP:
		m.want(want, []facts.Listener{{Transport: facts.UDP, Ports: allPorts}})
	}
}

func listOf(q *Query) []facts.Listener {
	list := make([]facts.Listener, 0, len(q.Protocols)*len(q.DstPorts))
	for _, p := range q.Protocols {
		for _, r := range q.DstPorts {
			list = append(list, facts.Listener{Transport: p, Ports: r})
		}
	}
	return list
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
	tooBig  bool
	asked   bool // some asked packet takes it
	permit  *packet
	deny    *packet
	unknown *packet
}

// explore finds a packet for every fate that asked packets have on the way; for an undecided one only when it matters.
func (m *Model) explore(w *way, md mode) {
	d := m.decision(w, md)
	if d == unreached {
		w.tooBig, w.asked = true, true
		return
	}
	g := m.g
	set := m.question(w.q, w.family)
	if set == no {
		return
	}
	w.asked = true
	try := func(outcome func(ref) bool) *packet {
		h := m.witness(w.q, w.family)
		if !g.find(d, set, h, outcome) {
			return nil
		}
		p := m.read(h, w.family)
		p.later = w.q.Fragments
		return &p
	}
	w.permit = try(func(o ref) bool { return o == mayPermit })
	w.deny = try(func(o ref) bool { return o == mayDeny })
	if w.permit == nil || w.deny == nil {
		w.unknown = try(func(o ref) bool { return o != mayPermit && o != mayDeny })
	}
	if g.full {
		w.tooBig, w.permit, w.deny, w.unknown = true, nil, nil, nil
	}
}

// unreached is no decision: the table was full before there was one.
const unreached ref = 0

// decision is the outcome of all stages of a way.
func (m *Model) decision(w *way, md mode) ref {
	key := placeKey{place: w.place(), mode: md, extra: fmt.Sprint(w.q.Established, len(w.nat))}
	for _, t := range w.nat {
		key.extra += fmt.Sprint(",", t)
	}
	if r, ok := m.places[key]; ok {
		return r
	}
	if m.hopeless[key] {
		return unreached
	}
	base := len(m.pins)
	for i := range w.route.stages {
		m.pins = append(m.pins, m.stage(&w.route.stages[i], md))
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
	if m.g.full {
		m.hopeless[key] = true
		return unreached
	}
	m.places[key] = d
	return d
}

// place names what a way's decision depends on, beside the mode.
func (w *way) place() string {
	var b strings.Builder
	for i := range w.route.stages {
		s := &w.route.stages[i]
		fmt.Fprintf(&b, "%q %q %d %d %d %q %d %v %d|", s.scope, s.names, s.undefined, s.end, s.fixed, s.inbound, s.group, s.groupSrc, s.sees)
	}
	if w.q.Established {
		fmt.Fprintf(&b, "%q", w.route.names())
	}
	return b.String()
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
		case len(m.ix.filters[name]) > 0: // about the other version of IP
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
		keeps = keeps || w.route.stages[i].stateful
	}
	inspects := w.route.inspects()
	if !keeps && !inspects {
		return
	}
	opening := [1]byte{stateOpening << 6}
	back := md
	back.reversed = true
	other := mayDeny
	if r, ok := m.reverse(w.route, w.family); ok {
		other = mayPermit
		first := len(m.pins)
		for i := range r.stages {
			m.pins = append(m.pins, m.stage(&r.stages[i], back))
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
		if s.stateful || inspects {
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
		return route{stages: m.zones(r.to, r.from, fam), from: r.to, to: r.from}, true
	case r.in != nil && r.out != nil:
		return m.transit(r.out, r.in, fam), true
	case r.in != nil && r.alternative == "" && !r.self:
		return route{stages: m.bound(r.in, facts.Out, fam), out: r.in}, true
	case r.in != nil && r.self:
		return m.fromSelf(r.in, fam), true
	case r.out != nil && r.self:
		return m.toSelf(r.out, fam), true
	case r.out != nil:
		return route{stages: m.bound(r.out, facts.In, fam), in: r.out}, true
	}
	return route{}, false
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
		for _, i := range m.ix.filters[q.Filter] {
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

// wantOf is which part of all services to answer q from: everything when the filters are small.
func (m *Model) wantOf(q *Query) uint8 {
	if len(q.Protocols) == 0 || len(q.DstPorts) == 0 || q.NotDstPorts || !m.large() {
		return wantAll
	}
	list := listOf(q)
	if transfers := facts.TransferPorts(); !slices.ContainsFunc(list, func(l facts.Listener) bool { return !within(l, transfers) }) {
		m.want(wantTransfers, transfers)
		return wantTransfers
	}
	if w := m.wants[wantThese]; w == nil || !slices.Equal(w.list, list) {
		m.wants[wantThese] = nil
		for k := range m.opens {
			if k.mode.want == wantThese {
				delete(m.opens, k)
			}
		}
		for k := range m.places {
			if k.mode.want == wantThese {
				delete(m.places, k)
			}
		}
		m.want(wantThese, list)
	}
	return wantThese
}

func within(l facts.Listener, all []facts.Listener) bool {
	return slices.ContainsFunc(all, func(o facts.Listener) bool {
		return o.Transport == l.Transport && o.Ports.First <= l.Ports.First && l.Ports.Last <= o.Ports.Last
	})
}

// large reports whether some filter has so many rules that each question should be answered from few of them.
func (m *Model) large() bool {
	return slices.ContainsFunc(m.d.Filters, func(f facts.Filter) bool { return len(f.Rules) > smallFilter })
}

// want makes a part of all services.
func (m *Model) want(n uint8, list []facts.Listener) {
	if m.wants[n] != nil {
		return
	}
	g := m.g
	set := no
	for _, l := range list {
		one := yes
		if l.Ports != allPorts {
			one = g.ports(atDstPort, []facts.PortRange{l.Ports}, yes)
		}
		set = g.compose(set, g.value(atProtocol, 8, uint64(l.Transport), one, no))
	}
	m.wants[n] = &services{list: list, set: set}
}

var allPorts = facts.PortRange{First: 0, Last: 65535}

// conclude makes one answer of what was found on every way.
func (m *Model) conclude(all []way) Answer {
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
		a.Permitted = permit.permit.public()
	}
	if deny != nil {
		a.Denied = deny.deny.public()
	}
	switch {
	case permit != nil && deny != nil:
		a.Verdict = Partial
		m.tell(&a, permit, permit.permit)
		p := a.Reason
		d := Answer{}
		m.tell(&d, deny, deny.deny)
		a.Culprits = appendNew(a.Culprits, d.Culprits...)
		a.Reason = "some is permitted (" + p + "), some denied (" + d.Reason + ")"
	case unknown != nil:
		a.Verdict = Unknown
		if unknown.tooBig {
			a.Reason = "the filters are too complex to be decided"
			break
		}
		a.Undecided = unknown.unknown.public()
		m.tell(&a, unknown, unknown.unknown)
	case permit != nil:
		a.Verdict = Permit
		m.tell(&a, permit, permit.permit)
	case deny != nil:
		a.Verdict = Deny
		m.tell(&a, deny, deny.deny)
	default:
		a.Verdict, a.Reason = Deny, "no packet is asked about"
	}
	return a
}

func appendNew(to []evidence.Span, spans ...evidence.Span) []evidence.Span {
	for _, s := range spans {
		if !s.IsZero() && !slices.Contains(to, s) {
			to = append(to, s)
		}
	}
	return to
}

// tell fills in who decides p on way w, and why.
func (m *Model) tell(a *Answer, w *way, p *packet) {
	var chosen *fate
	fates := make([]fate, len(w.route.stages))
	for i := range w.route.stages {
		f := &fates[i]
		*f = m.fate(w, &w.route.stages[i], *p)
		a.Stages = append(a.Stages, Stage{What: f.stage.what, Verdict: f.verdict()})
		switch {
		case chosen == nil, chosen.outcome == mayPermit && f.outcome != mayPermit, // whoever does not permit decides
			chosen.outcome != mayDeny && f.outcome == mayDeny,
			chosen.outcome == mayPermit && chosen.rule == nil && f.rule != nil:
			chosen = f
		}
	}
	if chosen == nil {
		a.Reason = w.nothing()
		return
	}
	a.Reason = chosen.reason
	if w.route.alternative != "" {
		a.Reason = w.route.alternative + ": " + a.Reason
	}
	a.Uncertain = chosen.uncertain
	if chosen.rule != nil {
		a.Rule, a.Span = cmp.Or(chosen.rule.Name, fmt.Sprintf("#%d", chosen.index+1)), chosen.rule.Span
	} else {
		a.Span = cmp.Or(chosen.at, chosen.stage.span)
	}
	a.Culprits = appendNew(a.Culprits, a.Span)
	a.Culprits = appendNew(a.Culprits, chosen.lines...)
	a.Culprits = appendNew(a.Culprits, chosen.stage.span)
	for i := range fates {
		if chosen.outcome == mayPermit { // every stage had its part
			a.Culprits = appendNew(a.Culprits, fates[i].lines...)
			a.Culprits = appendNew(a.Culprits, fates[i].stage.span)
		}
	}
}

// nothing is why a way without stages permits.
func (w *way) nothing() string {
	r := w.route
	switch {
	case r.self && r.in == nil:
		return "nothing filters what the device sends"
	case r.self:
		return "nothing filters what is sent to the device"
	case r.in != nil && r.out != nil:
		return fmt.Sprintf("no filter is applied from %q to %q", r.in.Name, r.out.Name)
	case r.in != nil:
		return fmt.Sprintf("no %s filter is applied inbound on %q", familyName(w.family), r.in.Name)
	case r.out != nil:
		return fmt.Sprintf("no %s filter is applied outbound on %q", familyName(w.family), r.out.Name)
	}
	return "no policy applies"
}

// A fate is what becomes of one packet at one stage.
type fate struct {
	stage     *stage
	outcome   ref
	rule      *facts.Rule
	index     int
	reason    string
	at        evidence.Span // when no rule decides
	lines     []evidence.Span
	uncertain bool
}

func (f *fate) verdict() Verdict {
	switch f.outcome {
	case mayPermit:
		return Permit
	case mayDeny:
		return Deny
	}
	return Unknown
}

// fate judges a packet at a stage, by its rules.
func (m *Model) fate(w *way, s *stage, p packet) fate {
	f := fate{stage: s, outcome: s.fixed}
	var nat int32
	if p, nat = m.moveOne(p, s, w.nat); nat >= 0 {
		f.outcome, f.reason, f.at = undecided, m.natReason(nat), m.d.NAT[nat].Span
	}
	if w.q.Established && s.stateful && (nat < 0) {
		p.state = stateOpening
	}
	switch {
	case nat >= 0:
	case s.isGroup, s.isInbound:
		m.memberFate(&f, s, &p)
	case s.fixed != 0:
		f.reason = cmp.Or(s.why, s.what)
	default:
		m.chainFate(&f, s, &p)
	}
	if nat < 0 && w.q.Established && f.outcome != mayPermit && (s.stateful || w.route.inspects()) {
		m.answerFate(w, &f, &p)
	}
	return f
}

// answerFate lets a packet pass that answers a session of the other direction, when that one may be opened.
func (m *Model) answerFate(w *way, f *fate, p *packet) {
	r, ok := m.reverse(w.route, w.family)
	if !ok {
		return
	}
	q := *p
	q.src, q.dst, q.sport, q.dport, q.state = p.dst, p.src, p.dport, p.sport, stateOpening
	opening := *w.q
	opening.Established = false
	back := way{q: &opening, route: &r, family: w.family}
	by := fate{reason: back.nothing()}
	for i := range r.stages {
		o := m.fate(&back, &r.stages[i], q)
		if o.outcome != mayPermit {
			return
		}
		if by.rule == nil {
			by = o
		}
	}
	f.outcome, f.rule, f.index, f.lines, f.at = mayPermit, by.rule, by.index, by.lines, by.at
	f.reason = "it answers a session of the other direction: " + by.reason
}

func (m *Model) memberFate(f *fate, s *stage, p *packet) {
	empty := facts.Filter{Stateful: true}
	j := judge{m: m, p: p, filter: &empty, action: facts.Permit}
	var t tri
	switch {
	case s.isInbound:
		t = j.union(inboundItems(s.inbound))
	default:
		g := &m.d.Groups[s.group]
		empty.Scope = g.Scope
		x, items := p.dst, []facts.AddrItem{{Group: g.Name}}
		if s.groupSrc {
			x = p.src
		}
		if g.Kind == facts.NetworkGroup {
			t = j.items(items, x, g.Scope)
			f.lines = j.memberLines(nil, items, x, g.Scope)
		} else {
			t = j.serviceGroup(g.Name, []string{g.Scope})
			f.lines = j.serviceLines(nil, []facts.ServiceItem{{Group: g.Name}})
		}
	}
	switch t {
	case triYes:
		f.outcome, f.reason = mayPermit, s.what+" holds it"
	case triNo:
		f.outcome, f.reason = mayDeny, s.what+" does not hold it"
	case triMaybe:
		f.outcome, f.reason = undecided, s.what+" may hold it: a member is not known"
	}
}

// chainFate asks the filters of a chain in turn.
func (m *Model) chainFate(f *fate, s *stage, p *packet) {
	var out ref
	for k, name := range s.names {
		i, ok := m.ix.filter(name, s.scope, p.family)
		if !ok {
			if len(m.ix.filters[name]) > 0 || s.undefined == facts.Next && k < len(s.names)-1 {
				continue
			}
			f.outcome = out | ending(s.undefined, facts.Deny)
			f.reason = fmt.Sprintf("filter %q is not defined (%s)", name, s.what)
			return
		}
		fl := &m.d.Filters[i]
		j := judge{m: m, p: p, busy: []int32{i}}
		o, by, doubt := j.verdict(i)
		out |= o &^ mayNext
		if doubt >= 0 && f.rule == nil {
			f.rule, f.index = &fl.Rules[doubt], doubt
			f.lines = j.lines(i, doubt)
			f.reason = fmt.Sprintf("rule %s of filter %q was not understood and may decide it%s (%s)", ruleName(fl, doubt), name, unreadOf(f.rule), s.what)
		}
		f.uncertain = f.uncertain || fl.OrderLost && len(fl.Rules) > 1
		if o&mayNext == 0 {
			m.decided(f, s, fl, i, by, out, &j)
			return
		}
		if fl.Default != facts.Next {
			f.outcome = out | outcomeOf(fl.Default)
			m.ended(f, s, fl)
			return
		}
	}
	f.outcome = out | s.end
	if f.single() {
		f.rule, f.reason = nil, cmp.Or(s.why, fmt.Sprintf("no rule matches (%s)", s.what))
	}
}

func (f *fate) single() bool { return f.outcome == mayPermit || f.outcome == mayDeny }

// decided is the fate of a packet that a rule, or the filter as a whole, decides.
func (m *Model) decided(f *fate, s *stage, fl *facts.Filter, i int32, by int, out ref, j *judge) {
	f.outcome = out
	switch {
	case f.single() && by >= 0:
		f.rule, f.index = &fl.Rules[by], by
		f.lines = j.lines(i, by)
		f.reason = fmt.Sprintf("rule %s of filter %q %ss it (%s)", ruleName(fl, by), fl.Name, f.rule.Action, s.what)
	case f.rule != nil: // a doubt was told
	case fl.Unread != "":
		f.reason, f.at = fmt.Sprintf("the content of filter %q is not known: %q (%s)", fl.Name, fl.Unread, s.what), fl.Span
	case len(fl.Rules) == 0:
		f.reason, f.at = fmt.Sprintf("filter %q is empty (%s)", fl.Name, s.what), fl.Span
	case by >= 0:
		f.rule, f.index = &fl.Rules[by], by
		f.reason = fmt.Sprintf("the action of rule %s of filter %q was not understood (%s)", ruleName(fl, by), fl.Name, s.what)
	}
}

// ended is the fate of a packet that reaches the end of a filter.
func (m *Model) ended(f *fate, s *stage, fl *facts.Filter) {
	if !f.single() && f.rule != nil {
		return
	}
	f.rule, f.lines, f.at = nil, nil, fl.Span
	switch f.outcome {
	case mayPermit:
		f.reason = fmt.Sprintf("no rule of filter %q matches it and its end permits (%s)", fl.Name, s.what)
	case mayDeny:
		f.reason = fmt.Sprintf("no rule of filter %q matches it and its end denies (%s)", fl.Name, s.what)
	default:
		f.reason = fmt.Sprintf("no rule of filter %q matches it and what its end does is not known (%s)", fl.Name, s.what)
	}
}

func ruleName(f *facts.Filter, i int) string {
	if f.Rules[i].Name == "" {
		return fmt.Sprintf("#%d", i+1)
	}
	return fmt.Sprintf("%q", f.Rules[i].Name)
}

// unreadOf is what was not understood about a rule, as device text in quotes.
func unreadOf(r *facts.Rule) string {
	switch {
	case len(r.Match.Unread) > 0:
		return fmt.Sprintf(": %q", r.Match.Unread[0])
	case r.Times != nil && r.Times.Unread != "":
		return fmt.Sprintf(": time range %q", r.Times.Name)
	}
	return ""
}
