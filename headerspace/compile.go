package headerspace

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A mode is what a compilation is for. Diagrams of one mode may be combined.
type mode struct {
	family   facts.Family // IPv4 or IPv6
	reversed bool         // about the answer to the packet that the levels describe
	frags    fragMode
	want     uint8  // which services: wantAll ...
	in, out  uint16 // classes of the ways in and out; 0: the header tells
}

// Parts of all services that questions are answered from.
const (
	wantAll       = iota
	wantTransfers // facts.TransferPorts
	wantReplies   // the same, of clients with ephemeral ports
	wantHighUDP   // between ephemeral ports
	wantHighTCP
	wantThese // the question's own; one set at a time
	wants
)

type openKey struct {
	filter int32
	mode   mode
}

// A lostKey names a filter that is too complex: for questions about everything, or even for some services, which is not
// tried again for others.
type lostKey struct {
	filter int32
	family facts.Family
	all    bool
}

type groupKey struct {
	group  int32
	base   uint16
	family facts.Family
}

// smallFilter is the number of rules up to which compiling everything is cheaper than compiling for each question;
// groupShare is how many members of groups count as a rule.
const (
	smallFilter = 128
	groupShare  = 8
)

// layout is where the fields are. The field in which more non-contiguous wildcards stand goes below the other one:
// above, each of its combinations repeats what is below (docs/adr/0010).
func (m *Model) layout(reversed bool) layout {
	l := layout{atNear, atFar, atSrcPort, atDstPort, atIn, atOut}
	if m.swapped {
		l.src, l.dst = atFar, atNear
	}
	if reversed {
		return l.reversed()
	}
	return l
}

// wildAbove counts the non-contiguous wildcards in sources and destinations.
func wildAbove(d *facts.Device) bool {
	src, dst := 0, 0
	for i := range d.Filters {
		for j := range d.Filters[i].Rules {
			m := &d.Filters[i].Rules[j].Match
			src += wilds(&m.Src)
			dst += wilds(&m.Dst)
		}
	}
	return src > dst
}

func wilds(a *facts.Addrs) int {
	n := 0
	for i := range a.Items {
		if a.Items[i].Wild != nil {
			n++
		}
	}
	return n
}

// open is what filter i decides, and mayNext where no rule matches: before its Default.
func (m *Model) open(i int32, md mode) ref {
	key := openKey{i, md}
	give := lostKey{i, md.family, md.want == wantAll}
	if r, ok := m.opens[key]; ok {
		return r
	}
	f := &m.d.Filters[i]
	var r ref
	switch {
	case m.hopeless[give] || m.hopeless[lostKey{i, md.family, false}] || m.g.full:
		m.gaveUp = true
		return undecided
	case f.Unread != "":
		r = undecided
	case len(f.Rules) == 0 && f.WhenEmpty != facts.ActionUnknown:
		r = outcomeOf(f.WhenEmpty)
	default:
		m.busy[i] = true
		r = m.fold(f, md)
		delete(m.busy, i)
	}
	if returns(f) {
		r = m.g.back(r)
	}
	if m.g.full {
		m.hopeless[give], m.gaveUp = true, true
		return undecided
	}
	m.opens[key] = r
	return r
}

// returns reports whether a rule of f may end it without a decision.
func returns(f *facts.Filter) bool {
	return slices.ContainsFunc(f.Rules, func(r facts.Rule) bool { return r.Action == facts.Return || r.Action == facts.Goto })
}

func (m *Model) fold(f *facts.Filter, md mode) ref {
	c := compiler{m: m, g: m.g, at: m.layout(md.reversed), mode: md, want: m.wants[md.want], filter: f, books: m.ix.booksOf(f)}
	m.depth++
	list := &fold{g: m.g}
	m.folds = append(m.folds, list)
	for i := range f.Rules {
		r := c.rule(&f.Rules[i])
		if r == no {
			continue
		}
		if list.push(r); list.closed() || m.g.full {
			break
		}
		if m.depth == 1 {
			m.tidy()
		}
	}
	r := list.result()
	m.folds = m.folds[:len(m.folds)-1]
	m.depth--
	return r
}

// nested is what filter i decides for a rule that refers to it; false when it refers to itself.
func (m *Model) nested(i int32, md mode) (ref, bool) {
	if m.busy[i] {
		return no, false
	}
	return m.closed(i, md), true
}

// closed is what filter i decides, its Default included.
func (m *Model) closed(i int32, md mode) ref {
	return m.g.compose(m.open(i, md), ending(m.d.Filters[i].Default, facts.Deny))
}

// ending is the outcome of a filter's end; Next means what after says.
func ending(a, after facts.Action) ref {
	if a == facts.Next {
		a = after
	}
	return outcomeOf(a)
}

func outcomeOf(a facts.Action) ref {
	switch a {
	case facts.Permit:
		return mayPermit
	case facts.Deny:
		return mayDeny
	case facts.Next:
		return mayNext
	case facts.Return:
		return mayBack
	case facts.ActionUnknown, facts.Jump, facts.Goto:
	}
	return undecided
}

// Collection starts when this many nodes are in use and twice as many as survived the last one: a small table stays in
// the processor's cache.
const tidyNodes = 1 << 16

func (m *Model) tidy() {
	if n := len(m.g.nodes); n > tidyNodes && n > 2*m.g.live {
		m.g.collect(m.roots)
	}
}

// pin keeps r through collections until m.pins is cut back.
func (m *Model) pin(r ref) { m.pins = append(m.pins, r) }

// roots visits everything that must survive a collection.
func (m *Model) roots(visit func(*ref)) {
	for k, r := range m.opens {
		visit(&r)
		m.opens[k] = r
	}
	for k, b := range m.sets {
		visit(&b.must)
		visit(&b.may)
		m.sets[k] = b
	}
	for k, o := range m.places {
		visit(&o.ref)
		m.places[k] = o
	}
	for i := range m.asked {
		visit(&m.asked[i].ref)
	}
	for _, w := range m.wants {
		if w != nil {
			visit(&w.set)
		}
	}
	for _, f := range m.folds {
		for i := range f.parts {
			visit(&f.parts[i].r)
		}
	}
	for i := range m.pins {
		visit(&m.pins[i])
	}
}
