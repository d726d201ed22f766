package headerspace

import (
	"slices"
	"sync"

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
		m.opens, m.sets, m.places = map[openKey]ref{}, map[groupKey]bounds{}, map[placeKey]outcome{}
		m.busy = map[int32]bool{}
		if m.hopeless == nil {
			m.hopeless = map[any]bool{}
		}
		m.swapped = wildAbove(m.d)
		for _, w := range m.wants {
			if w != nil {
				w.set = m.listeners(w)
			}
		}
	}
	if m.ix == nil {
		m.ix = newIndex(m.d)
	}
	m.depth, m.folds, m.pins = 0, m.folds[:0], m.pins[:0]
	m.tidy()
}

// forget drops a full table. What filled it stays noted as hopeless.
func (m *Model) forget() {
	m.g, m.opens, m.sets, m.places, m.asked = nil, nil, nil, nil, nil
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

// large reports whether the rules and the members of groups are so many that each question should be answered from few
// of them.
func (m *Model) large() bool {
	if m.size == 0 {
		for i := range m.d.Groups {
			m.size += len(m.d.Groups[i].Addrs)
		}
		most := 0
		for i := range m.d.Filters {
			most = max(most, len(m.d.Filters[i].Rules))
		}
		m.size = max(m.size/groupShare, most, 1)
	}
	return m.size > smallFilter
}

// want makes a part of all services, of any client port.
func (m *Model) want(n uint8, list []facts.Listener) { m.wanting(n, list, false) }

// wantFrom makes a part of all services, of clients with ephemeral ports.
func (m *Model) wantFrom(n uint8, list []facts.Listener) { m.wanting(n, list, true) }

func (m *Model) wanting(n uint8, list []facts.Listener, high bool) {
	if m.wants[n] == nil {
		w := &services{list: list, high: high}
		w.set = m.listeners(w)
		m.wants[n] = w
	}
}

// listeners is the set of a part of all services.
func (m *Model) listeners(w *services) ref {
	set := no
	for _, l := range w.list {
		ports := m.g.ports(atDstPort, []facts.PortRange{l.Ports}, yes)
		set = m.g.compose(set, m.g.value(atProtocol, 8, uint64(l.Transport), ports, no))
	}
	if w.high {
		set = m.g.and(set, m.g.ports(atSrcPort, []facts.PortRange{ephemeral}, yes))
	}
	return set
}
