package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// This file asks what QM2001 asks: which transfer protocols a device lets out, by which filter application.

// An application is where something decides about traffic through the device: a subject of findings.
type application struct {
	kind   string   // filter, zone policy, security levels, interface
	name   string   // of the subject
	say    string   // for messages, see text
	places []string // interfaces it is applied to; none where say tells
	filter string   // the filter to mend; empty when there is none
	scope  string
	from   string // device zones, of a zone policy
	to     string
	marks  []audit.Mark
	plain  uint8 // the variant of a finding about one protocol
}

// text says which application it is, with where it is applied.
func (a *application) text() string {
	switch n := len(a.places); n {
	case 0:
		return a.say
	case 1:
		return fmt.Sprintf("%s on %q", a.say, a.places[0])
	case 2:
		return fmt.Sprintf("%s on %q and %q", a.say, a.places[0], a.places[1])
	default:
		return fmt.Sprintf("%s on %q and %d more interfaces", a.say, a.places[0], n-1)
	}
}

// join adds where another application of the same filter is.
func (a *application) join(b *application) {
	for _, x := range b.places {
		if !slices.Contains(a.places, x) {
			a.places = append(a.places, x)
		}
	}
	for _, m := range b.marks {
		a.marks = judge.Mark(a.marks, m.Role, m.Span)
	}
}

// A leak is what an application lets out of one protocol, from one zone or several.
type leak struct {
	protocol  facts.Protocol
	listeners []facts.Listener
	zones     []string
	zone      policy.Zone       // the one with most to lose
	query     headerspace.Query // what answer answers
	answer    headerspace.ProtocolAnswer
	session   headerspace.Verdict
	far       bool            // the answer is about addresses that are not known to be behind the interface
	more      []evidence.Span // lines that let other ports of the protocol out
}

// An outlet is an application with its leaks, by zone and protocol.
type outlet struct {
	application
	leaks map[string]map[facts.Protocol]*leak
}

type egress struct {
	p       *audit.Pass
	d       *facts.Device
	space   *headerspace.Model
	sides   []judge.Side
	out     map[string]bool // scopes with a known way out
	outlets map[string]*outlet
	open    map[string]map[string]bool // why something is unknown: of which protocols
}

func newEgress(p *audit.Pass, d *facts.Device) *egress {
	e := &egress{p: p, d: d, space: p.Space(d), sides: judge.Sides(p, d), out: map[string]bool{}, outlets: map[string]*outlet{}, open: map[string]map[string]bool{}}
	for i := range e.sides {
		if e.sides[i].Outside && !e.sides[i].HostOnly {
			e.out[e.sides[i].Interface.Scope] = true
		}
	}
	return e
}

// paths asks from every side with an internal zone to every side that leads outside.
func (e *egress) paths() {
	ins := e.bundles(facts.In)
	for j := range e.sides {
		out := &e.sides[j]
		if !out.Outside || out.HostOnly {
			continue
		}
		for i := range ins {
			members := ins[i].without(out)
			if len(members) == 0 || members[0].Interface.Scope != out.Interface.Scope {
				continue
			}
			in := members[0].Interface
			for _, fam := range families(in, out.Interface) {
				a, ok := e.decidesFor(members, []*judge.Side{out}, fam)
				if !ok {
					continue
				}
				if out.Route != nil {
					a.marks = judge.Mark(a.marks, "default route", out.Route.Span)
				}
				q := headerspace.Query{In: in.Name, Out: out.Interface.Name, Scope: in.Scope, Family: fam, At: e.p.Now()}
				e.ask(q, a, members, out.Beyond)
			}
		}
	}
}

// families are the versions of IP that can pass from one interface to another.
func families(in, out *facts.Interface) []facts.Family {
	a4, a6 := speaks(in)
	b4, b6 := speaks(out)
	var fams []facts.Family
	if a4 && b4 {
		fams = append(fams, facts.IPv4)
	}
	if a6 && b6 {
		fams = append(fams, facts.IPv6)
	}
	return fams
}

// speaks reports which versions of IP an interface has; without addresses it has version 4.
func speaks(x *facts.Interface) (v4, v6 bool) {
	for _, a := range x.Addrs {
		v4 = v4 || a.Addr().Is4()
		v6 = v6 || a.Addr().Is6() && !a.Addr().IsLinkLocalUnicast()
	}
	return v4 || !v6, v6
}

// decides names what is nearest to outside of all that decides from one side to another. ok is false where nothing does
// and the far end is ours: what the next device does is asked there.
func (e *egress) decides(in, out *judge.Side, fam facts.Family) (application, bool) {
	x, y := in.Interface, out.Interface
	if a, ok := e.applied(y, facts.Out, fam); ok {
		return a, true
	}
	if e.d.Zoning.Model == facts.Zones && (x.Zone != "" || y.Zone != "") {
		a := application{kind: "zone policy", name: fmt.Sprintf("from zone %s to zone %s", cmp.Or(x.Zone, "none"), cmp.Or(y.Zone, "none"))}
		a.say = fmt.Sprintf("the policy from zone %q to zone %q", x.Zone, y.Zone)
		a.from, a.to = x.Zone, y.Zone
		for i := range e.d.Zoning.Pairs {
			if z := &e.d.Zoning.Pairs[i]; z.From == x.Zone && z.To == y.Zone {
				a.marks = judge.Mark(a.marks, "applied here", z.Span)
				if len(z.Filters) > 0 {
					a.filter, a.scope = z.Filters[0], judge.PairScope(z)
				}
			}
		}
		return a, true
	}
	if a, ok := e.through(x, y, fam); ok {
		return a, true
	}
	if a, ok := e.applied(x, facts.In, fam); ok {
		return a, true
	}
	if e.d.Zoning.Model == facts.Levels {
		from, to := cmp.Or(x.Alias, x.Name), cmp.Or(y.Alias, y.Name)
		return application{
			kind: "security levels", name: from + " to " + to, say: fmt.Sprintf("the security levels of %q and %q", from, to),
			marks: judge.Mark(nil, "security level", x.Level.Span, y.Level.Span),
		}, true
	}
	a := application{kind: "interface", name: "no filter towards outside", say: fmt.Sprintf("%q, where nothing filters", cmp.Or(y.Alias, y.Name)), plain: egressNoFilter}
	if x.Scope != "" {
		a.name += " vrf " + x.Scope
	}
	if fam == facts.IPv6 {
		a.name += ", IPv6"
		a.say = fmt.Sprintf("%q, where nothing filters IPv6", cmp.Or(y.Alias, y.Name))
	}
	a.marks = judge.Mark(nil, "leads outside", y.Span)
	return a, out.Border
}

// through is the one list that decides what passes through the device, between the places of two interfaces.
func (e *egress) through(x, y *facts.Interface, fam facts.Family) (application, bool) {
	a := application{kind: "filter"}
	var names []string
	for i := range e.d.Bindings {
		b := &e.d.Bindings[i]
		if b.Where != facts.WhereTransit || b.Scope != "" && x.Scope != "" && b.Scope != x.Scope || b.Family != facts.AnyFamily && b.Family != fam {
			continue
		}
		names = append(names, b.Filters...)
		a.scope = b.Scope
		a.marks = judge.Mark(a.marks, "applied here", b.Span)
	}
	if len(names) == 0 {
		return a, false
	}
	from, to := cmp.Or(x.Zone, x.Alias, x.Name), cmp.Or(y.Zone, y.Alias, y.Name)
	a.filter, a.from, a.to = names[len(names)-1], x.Zone, y.Zone
	a.name = fmt.Sprintf("%s from %s to %s", strings.Join(names, " "), from, to)
	if a.scope != "" {
		a.name += " in " + a.scope
	}
	a.say = fmt.Sprintf("filter %s from %q to %q", quoteAll(names), from, to)
	return a, true
}

// applied is the application of filters to an interface in a direction, as one.
func (e *egress) applied(x *facts.Interface, dir facts.Direction, fam facts.Family) (application, bool) {
	a := application{kind: "filter", scope: x.Scope}
	var names []string
	add := func(b *facts.Binding) {
		if b.Direction != dir || b.Family != facts.AnyFamily && b.Family != fam || len(b.Filters) == 0 {
			return
		}
		names = append(names, b.Filters...)
		a.marks = judge.Mark(a.marks, "applied here", b.Span)
	}
	for i := range x.Bindings {
		add(&x.Bindings[i])
	}
	for i := range e.d.Bindings {
		if b := &e.d.Bindings[i]; b.Where == x.Name || x.Alias != "" && b.Where == x.Alias || b.Where == facts.WhereGlobal {
			add(b)
		}
	}
	if len(names) == 0 {
		return a, false
	}
	way := [...]string{"in", "out"}[min(int(dir), 1)]
	a.places = []string{cmp.Or(x.Alias, x.Name)}
	a.filter, a.name = names[len(names)-1], fmt.Sprintf("%s %s", strings.Join(names, " "), way)
	if f := judge.Find(e.d, a.filter, a.scope); f != nil && f.Scope != "" {
		a.name += " of " + f.Scope
	}
	a.say = fmt.Sprintf("filter %s %s", quoteAll(names), way)
	return a, true
}

func quoteAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = fmt.Sprintf("%q", n)
	}
	return judge.Join(out)
}

// ask asks q about the zones behind sides that are treated alike towards outside, and notes what leaks by a. beyond
// restricts outside to some of it; empty is all.
func (e *egress) ask(q headerspace.Query, a application, in []*judge.Side, beyond []netip.Prefix) {
	zones := zonesOf(in)
	for _, dst := range e.outside(beyond) {
		q.Dst = dst
		if len(zones) > 1 && !e.any(q, zones) {
			continue
		}
		for _, z := range zones {
			e.askZone(q, a, in, z, beyond)
		}
	}
}

// askZone asks about the addresses of a zone that are known to be behind the sides, and about its others for what those do
// not let out: routes may have been learned. What is known to be behind another side does not come in here.
func (e *egress) askZone(q headerspace.Query, a application, in []*judge.Side, z policy.Zone, beyond []netip.Prefix) {
	done := map[facts.Listener]bool{}
	try := func(src headerspace.Set, far bool) {
		q.Src = src
		answers, err := e.space.Transfers(q)
		if err != nil {
			return // no address of the zone is of the version asked about
		}
		for i := range answers {
			if got := &answers[i]; !done[got.Listener] {
				done[got.Listener] = e.judge(q, a, z, got, beyond, far)
			}
		}
	}
	if near, who := behind(e.p, in, z); len(who) > 0 {
		if q.In != "" {
			q.In = who[0].Interface.Name
		}
		if try(near, false); whole(done) {
			return
		}
	}
	rest := judge.Addresses(e.p, z)
	rest.Except = slices.Clone(rest.Except)
	for i := range e.sides {
		if e.sides[i].Interface.Scope == in[0].Interface.Scope {
			rest.Except = append(rest.Except, e.sides[i].Networks...)
		}
	}
	try(rest, in[0].Known)
}

// whole reports whether all transfer protocols are done.
func whole(done map[facts.Listener]bool) bool {
	for _, l := range facts.TransferPorts() {
		if !done[l] {
			return false
		}
	}
	return true
}

// outside are the sets of addresses outside, without what the policy allows to everyone.
func (e *egress) outside(beyond []netip.Prefix) []headerspace.Set {
	allowed := slices.Concat(e.p.Policy.Allow, e.p.Policy.Servers)
	if len(beyond) > 0 {
		return []headerspace.Set{{Prefixes: beyond, Except: allowed}}
	}
	return judge.Outside(e.p, allowed...)
}

// any reports whether some transfer protocol may leave from any of the zones.
func (e *egress) any(q headerspace.Query, zones []policy.Zone) bool {
	q.Src = headerspace.Set{}
	for _, z := range zones {
		q.Src.Prefixes = append(q.Src.Prefixes, z.CIDRs...)
	}
	answers, err := e.space.Transfers(q)
	return err != nil || slices.ContainsFunc(answers, func(a headerspace.ProtocolAnswer) bool { return a.Verdict != headerspace.Deny })
}

// judge notes one answer about one zone and reports whether it leaves nothing to ask.
func (e *egress) judge(q headerspace.Query, a application, z policy.Zone, got *headerspace.ProtocolAnswer, beyond []netip.Prefix, far bool) bool {
	if got.Permitted != nil {
		e.approve(q, z, got, beyond)
	}
	switch {
	case got.Permitted != nil:
		e.note(q, a, z, got, far)
		return true
	case got.Verdict == headerspace.Unknown:
		why := fmt.Sprintf("whether %s lets transfers from zone %s out is unknown: %s", a.text(), z.Name, cmp.Or(got.Reason, "a line was not understood"))
		if e.open[why] == nil {
			e.open[why] = map[string]bool{}
		}
		e.open[why][judge.Upper(got.Protocol)] = true
	}
	return false
}

// note adds a leak to its outlet.
func (e *egress) note(q headerspace.Query, a application, z policy.Zone, got *headerspace.ProtocolAnswer, far bool) {
	key := a.kind + "\x00" + a.name
	o := e.outlets[key]
	if o == nil {
		o = &outlet{application: a, leaks: map[string]map[facts.Protocol]*leak{}}
		e.outlets[key] = o
	}
	o.join(&a)
	session := got.Session
	if got.Protocol == facts.FTP {
		session = "" // the control channel by itself carries commands, and files' names
	}
	one := &leak{
		protocol: got.Protocol, listeners: []facts.Listener{got.Listener}, zones: []string{z.Name}, zone: z, query: q, answer: *got, session: session, far: far,
	}
	if !got.Span.IsZero() {
		one.more = []evidence.Span{got.Span}
	}
	if o.leaks[z.Name] == nil {
		o.leaks[z.Name] = map[facts.Protocol]*leak{}
	}
	if l := o.leaks[z.Name][got.Protocol]; l != nil {
		l.join(one)
		return
	}
	o.leaks[z.Name][got.Protocol] = one
}

// join adds another leak, of the same protocol unless both are to stand for all of them. The answer shown is that of the
// zone with most to lose, of addresses known to be there, and of a session that works.
func (l *leak) join(o *leak) {
	mine, theirs := judge.Privilege(l.zone), judge.Privilege(o.zone)
	better := harm(o) > harm(l) || l.session == headerspace.Deny && o.session != headerspace.Deny
	if theirs > mine || theirs == mine && (l.far && !o.far || l.far == o.far && better) {
		l.protocol, l.zone, l.query, l.answer, l.far = o.protocol, o.zone, o.query, o.answer, o.far
	}
	if l.session == headerspace.Deny {
		l.session = o.session // one way that works is enough
	}
	for _, x := range o.listeners {
		if !slices.Contains(l.listeners, x) {
			l.listeners = append(l.listeners, x)
		}
	}
	for _, z := range o.zones {
		if !slices.Contains(l.zones, z) {
			l.zones = append(l.zones, z)
		}
	}
	for _, x := range o.more {
		if !slices.Contains(l.more, x) && len(l.more) < judge.MaxMarks {
			l.more = append(l.more, x)
		}
	}
}
