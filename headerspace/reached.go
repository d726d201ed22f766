package headerspace

import (
	"github.com/quaymaster/quaymaster/facts"
)

// A Taking is a rule that opening packets of a transfer protocol reach.
type Taking struct {
	RuleRef
	facts.Listener
	Packet *Packet // one of them; of FTP to port 21 when some is
}

// Takings lists which of the rules, by their places in a filter, decide or may decide opening packets of which transfer
// protocols: packets that match the rule and that no earlier rule takes for certain. They come in the order of the rules,
// and of [facts.TransferPorts] for one rule. Rules that are switched off take nothing. The error says that there is no such
// filter, or that it is too complex.
func (m *Model) Takings(scope, filter string, rules []int) ([]Taking, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	q := Query{Scope: scope, Filter: filter}
	fams, err := m.familiesOf(&q)
	if err != nil {
		return nil, err
	}
	wanted := map[int]bool{}
	last := -1
	for _, k := range rules {
		wanted[k], last = true, max(last, k)
	}
	m.want(wantTransfers, facts.TransferPorts())
	found := map[int][]Taking{}
	for _, fam := range fams {
		st, err := m.filterStage(&q, fam)
		if err != nil {
			return nil, err
		}
		i, _ := m.ix.filter(filter, st.scope, fam)
		if m.takings(i, fam, wanted, last, found); m.g.full {
			return nil, errTooComplex
		}
	}
	var out []Taking
	for k := 0; k <= last; k++ {
		out = append(out, found[k]...)
	}
	return out, nil
}

// takings adds what the wanted rules of filter i take of a family, up to the last one.
func (m *Model) takings(i int32, fam facts.Family, wanted map[int]bool, last int, found map[int][]Taking) {
	f := &m.d.Filters[i]
	if f.Unread != "" {
		return
	}
	c := compiler{m: m, g: m.g, at: m.layout(false), mode: mode{family: fam, want: wantTransfers}, want: m.wants[wantTransfers], filter: f, books: m.ix.booksOf(f)}
	m.busy[i] = true
	defer delete(m.busy, i)
	m.depth++
	defer func() { m.depth-- }()
	base := len(m.pins)
	defer func() { m.pins = m.pins[:base] }()
	opening := m.g.and(m.anyWay(), m.g.value(atState, 2, stateOpening, yes, no))
	m.pin(m.g.and(opening, c.want.set))
	above := &fold{g: m.g}
	m.folds = append(m.folds, above)
	defer func() { m.folds = m.folds[:len(m.folds)-1] }()
	for k := 0; k <= last && k < len(f.Rules); k++ {
		r := &f.Rules[k]
		if facts.On(r.Inactive) || r.Action == facts.Next {
			continue
		}
		d := c.rule(r)
		if wanted[k] {
			m.take(f, k, fam, above, m.g.and(m.g.matched(d), m.pins[base]), found)
		}
		if m.g.full {
			return
		}
		above.push(d)
		m.tidy()
	}
}

// take notes of which protocols packets of the set get past a list, to rule k.
func (m *Model) take(f *facts.Filter, k int, fam facts.Family, above *fold, set ref, found map[int][]Taking) {
	if set == no {
		return
	}
	for _, l := range facts.TransferPorts() {
		if hasTaking(found[k], l) {
			continue // in the other version of IP
		}
		q := Query{Protocols: []uint8{l.Transport}, DstPorts: []facts.PortRange{l.Ports}}
		h := m.witness(&q, fam)
		h.setNumber(atDstPort, 16, uint64(l.Ports.Last)) // the control channel of FTP and FTPS rather than the data
		one := m.g.and(m.g.and(m.g.value(atProtocol, 8, uint64(l.Transport), yes, no), m.g.ports(atDstPort, q.DstPorts, yes)), set)
		if !m.passes(above, one, &h) {
			continue
		}
		p := m.read(&h, fam)
		found[k] = append(found[k], Taking{
			RuleRef:  RuleRef{Filter: f.Name, Scope: f.Scope, Index: k, Rule: nameOfRule(f, k), Span: f.Rules[k].Span},
			Listener: l, Packet: m.onWay(&p),
		})
	}
}

func hasTaking(all []Taking, l facts.Listener) bool {
	for i := range all {
		if all[i].Listener == l {
			return true
		}
	}
	return false
}
