package headerspace

import (
	"cmp"
	"fmt"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

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
	if f.outcome == mayPermit {
		return Permit
	}
	if f.outcome == mayDeny {
		return Deny
	}
	return Unknown
}

// fate judges a packet at a stage, by its rules.
func (m *Model) fate(w *way, s *stage, p packet) fate {
	f := fate{stage: s, outcome: s.fixed}
	if in, out := m.ends(w.route); in != 0 || out != 0 {
		if in != 0 {
			p.in = in
		}
		if out != 0 {
			p.out = out
		}
	}
	asked := p
	var nat int32
	if p, nat = m.moveOne(p, s, w.nat); nat >= 0 {
		d := m.translate(m.stage(s, w.key.mode), s, w.nat, w.family)
		f.outcome, f.reason, f.at = m.g.at(d, m.write(&asked)), m.natReason(nat), m.d.NAT[nat].Span
		if f.single() {
			f.reason, f.at = "whatever NAT makes of it, "+s.what+" "+verb(f.outcome)+" it", s.span
		}
	}
	if w.q.Established && s.stateful && nat < 0 {
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
	if nat < 0 && w.q.Established && f.outcome != mayPermit && (s.answers || w.route.inspects()) {
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
	q.in, q.out = p.out, p.in
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
			if m.ix.filters.has(name) || s.undefined == facts.Next && k < len(s.names)-1 {
				continue
			}
			if f.outcome = out | outcomeOf(s.undefined); s.undefined == facts.Next {
				f.outcome = out | s.end
			}
			f.reason = fmt.Sprintf("filter %q is not defined%s", name, s.place(name))
			return
		}
		fl := &m.d.Filters[i]
		j := judge{m: m, p: p, busy: []int32{i}}
		o, by, doubt := j.verdict(i)
		out |= o &^ mayNext
		if doubt >= 0 && f.rule == nil {
			m.doubted(f, s, hop{i, doubt}, &j)
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

// verb is what a stage does with a packet whose outcome is certain.
func verb(outcome ref) string {
	if outcome == mayPermit {
		return "permits"
	}
	return "denies"
}

// place tells where a filter was asked, in brackets, unless it was asked for itself.
func (s *stage) place(filter string) string {
	if s.itself {
		return ""
	}
	return " (" + s.what + ")"
}

func (f *fate) single() bool { return f.outcome == mayPermit || f.outcome == mayDeny }

// decided is the fate of a packet that a rule, or the filter as a whole, decides.
func (m *Model) decided(f *fate, s *stage, fl *facts.Filter, i int32, by int, out ref, j *judge) {
	f.outcome = out
	switch {
	case f.single() && by >= 0:
		asked := ""
		f.lines, fl, by, asked = m.follow(hop{i, by}, j.via, j)
		f.rule, f.index = &fl.Rules[by], by
		f.reason = fmt.Sprintf("rule %s of filter %q %s it%s%s", ruleName(fl, by), fl.Name, verb(f.outcome), asked, s.place(fl.Name))
	case f.rule != nil: // a doubt was told
	case fl.Unread != "":
		f.reason, f.at = fmt.Sprintf("the content of filter %q is not known: %q%s", fl.Name, fl.Unread, s.place(fl.Name)), fl.Span
	case len(fl.Rules) == 0:
		f.reason, f.at = fmt.Sprintf("filter %q is empty%s", fl.Name, s.place(fl.Name)), fl.Span
	case by >= 0:
		f.rule, f.index = &fl.Rules[by], by
		f.reason = fmt.Sprintf("the action of rule %s of filter %q was not understood%s", ruleName(fl, by), fl.Name, s.place(fl.Name))
	}
}

// doubted is the fate of a packet that a rule which was not understood may decide.
func (m *Model) doubted(f *fate, s *stage, at hop, j *judge) {
	name := m.d.Filters[at.filter].Name
	lines, fl, k, asked := m.follow(at, j.unsure, j)
	f.rule, f.index, f.lines = &fl.Rules[k], k, lines
	f.reason = fmt.Sprintf("rule %s of filter %q may decide it, and was not understood: %s%s%s", ruleName(fl, k), fl.Name, j.cause(f.rule), asked, s.place(name))
}

// follow goes from a rule along the rules of the filters it asks: their lines, and the last of them.
func (m *Model) follow(at hop, via []hop, j *judge) (lines []evidence.Span, fl *facts.Filter, rule int, asked string) {
	fl = &m.d.Filters[at.filter]
	lines = j.lines(at.filter, at.rule)
	rule = at.rule
	for _, s := range via {
		asked += fmt.Sprintf(", asked by rule %s of %q", ruleName(fl, rule), fl.Name)
		fl, rule = &m.d.Filters[s.filter], s.rule
		lines = append(j.lines(s.filter, s.rule), lines...)
	}
	return lines, fl, rule, asked
}

// ended is the fate of a packet that reaches the end of a filter.
func (m *Model) ended(f *fate, s *stage, fl *facts.Filter) {
	if !f.single() && f.rule != nil {
		return
	}
	f.rule, f.lines, f.at = nil, nil, cmp.Or(fl.End, fl.Span)
	does := "is not understood"
	if f.single() {
		does = verb(f.outcome) + " it"
	}
	f.reason = fmt.Sprintf("no rule of filter %q matches it and its end %s%s", fl.Name, does, s.place(fl.Name))
}

func ruleName(f *facts.Filter, i int) string {
	if f.Rules[i].Name == "" {
		return fmt.Sprintf("#%d", i+1)
	}
	return fmt.Sprintf("%q", f.Rules[i].Name)
}
