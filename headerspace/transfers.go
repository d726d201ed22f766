package headerspace

import (
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// A ProtocolAnswer is the answer for one transfer protocol's ports.
type ProtocolAnswer struct {
	facts.Listener
	Answer
	// Session says whether a transfer can take place where its first packet is permitted: its answers, and FTP's data
	// channel, pass the same place. A client's port is taken to be ephemeral. Deny: only the request passes (TFTP through
	// a stateless filter: the server answers from a port of its own). Empty when no request passes, and where there is
	// no way back to ask about (a filter or group by itself).
	Session Verdict
	// SessionReason is one phrase when Session is not Permit.
	SessionReason string
}

// Transfers asks q about the ports of every transfer protocol in turn, as facts.TransferPorts lists them; q's own
// protocols and destination ports are ignored. It costs little more than one question. What denies a protocol of which
// nothing passes is not told; Test does.
func (m *Model) Transfers(q Query) ([]ProtocolAnswer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begin()
	listeners := facts.TransferPorts()
	want := uint8(wantAll)
	if m.large() {
		want = wantTransfers
		m.want(want, listeners)
	}
	q.Protocols, q.DstPorts, q.NotDstPorts, q.ICMP = nil, nil, false, nil
	all, err := m.ways(&q, want)
	if err != nil {
		return nil, err
	}
	out := make([]ProtocolAnswer, len(listeners))
	one, ws := q, make([]way, len(all))
	for i, l := range listeners {
		one.Protocols, one.DstPorts = []uint8{l.Transport}, []facts.PortRange{l.Ports}
		copy(ws, all)
		for k := range ws {
			ws[k].q = &one
			m.explore(&ws[k])
		}
		out[i] = ProtocolAnswer{Listener: l, Answer: m.conclude(ws, false)}
		if !q.Established {
			m.session(&out[i], ws)
		}
	}
	return out, nil
}

// ephemeral are ports that both the IANA (RFC 6335: 49152 and above) and Linux's default (up to 60999) give to clients.
var ephemeral = facts.PortRange{First: 49152, Last: 60999}

// session fills in whether a permitted request can become a transfer, on any of the ways.
func (m *Model) session(a *ProtocolAnswer, ws []way) {
	if a.Transport == facts.UDP && a.Protocol != facts.TFTP {
		return // NetBIOS names and datagrams: one packet is all
	}
	for i := range ws {
		if ws[i].permit == nil {
			continue
		}
		v, why := m.sessionOn(&ws[i], a)
		if v == "" {
			continue
		}
		if a.Session == "" || v == Permit || v == Unknown && a.Session == Deny {
			a.Session, a.SessionReason = v, why
		}
		if v == Permit {
			return
		}
	}
}

func (m *Model) sessionOn(w *way, a *ProtocolAnswer) (Verdict, string) {
	r, ok := m.reverse(w.route, w.family)
	switch {
	case !ok:
		return "", ""
	case len(w.route.stages) > 0 && !slices.ContainsFunc(w.route.stages, func(s stage) bool { return !s.stateful }):
		return Permit, "" // every stage keeps state; FTP and TFTP are inspected by default (ASA global_policy, SRX ALG)
	case len(w.nat) > 0:
		return Unknown, "answers to translated packets were not followed"
	}
	set := m.question(w.q, w.family)
	set = m.g.and(m.g.ports(atSrcPort, []facts.PortRange{ephemeral}, yes), set)
	first := *w
	back := way{q: w.q, route: &r, family: w.family}
	base := len(m.pins)
	defer func() { m.pins = m.pins[:base] }()
	m.pin(set)
	why := "the server's answers are denied on their way back"
	switch a.Protocol {
	case facts.TFTP:
		m.pin(m.anyServerPort(&back))
		why = "the server answers from a port of its own, and that is denied on its way back"
	case facts.FTP:
		m.pin(m.answers(&back))
		m.pin(m.dataChannel(&first, &back))
	default:
		m.pin(m.answers(&back))
	}
	d, ok := m.places[first.key]
	if m.g.full || !ok {
		return Unknown, "the filters are too complex to be decided"
	}
	surely, maybe := m.pins[base], m.pins[base]
	if a.Protocol == facts.FTP { // control channel only
		surely = m.g.and(m.g.value(atDstPort, 16, ftpControl, yes, no), surely)
		maybe = surely
	}
	for _, r := range m.pins[base+1:] {
		surely, maybe = m.g.and(m.g.surely(r), surely), m.g.and(m.g.maybe(r), maybe)
	}
	h := m.witness(w.q, w.family)
	switch {
	case m.g.find(d.ref, surely, &h, func(o ref) bool { return o == mayPermit }):
		return Permit, ""
	case m.g.find(d.ref, maybe, &h, func(o ref) bool { return o&mayPermit != 0 }):
		return Unknown, "a line that was not understood decides about the answers"
	case a.Protocol == facts.FTP && m.g.find(d.ref, m.g.and(m.g.maybe(m.pins[base+1]), m.pins[base]), &h, func(o ref) bool { return o&mayPermit != 0 }):
		return Deny, "the control channel works, but neither a passive nor an active data channel does"
	}
	return Deny, why
}

// toward is the decision of a way about packets whose ports are those of one part of all services, in one state, with
// the state no longer asked.
func (m *Model) toward(w *way, md mode, established bool) ref {
	q := *w.q
	q.Established = established
	v := way{q: &q, route: w.route, family: w.family}
	state := [1]byte{stateOpening << 6}
	if established {
		state[0] = stateOpen << 6
	}
	d := m.decision(&v, md)
	if d == unreached {
		return undecided
	}
	return m.g.restrict(d, atState, 2, state[:])
}

func (m *Model) backMode(w *way, want uint8) mode {
	if !m.large() {
		want = wantAll
	}
	return mode{family: w.family, reversed: true, want: want}
}

// answers is what becomes of the answers to the requests that the levels describe.
func (m *Model) answers(back *way) ref {
	if m.large() {
		m.wantFrom(wantReplies, facts.TransferPorts())
	}
	return m.toward(back, m.backMode(back, wantReplies), true)
}

// anyServerPort is what becomes of answers that come from an ephemeral port of the server's choice.
func (m *Model) anyServerPort(back *way) ref {
	if m.large() {
		m.wantFrom(wantHighUDP, []facts.Listener{{Transport: facts.UDP, Ports: ephemeral}})
	}
	return m.free(atDstPort, hideDstPort, m.toward(back, m.backMode(back, wantHighUDP), false))
}

// free lets the port at base be the ephemeral one that passes best.
func (m *Model) free(base, number int, d ref) ref {
	g := m.g
	in := g.ports(base, []facts.PortRange{ephemeral}, yes)
	return g.hide(number, base, base+16, g.compose(g.and(in, d), mayDeny))
}

// dataChannel is whether FTP's data connection can be opened, by the addresses alone: by the client to any port of the
// server (passive, RFC 1123 4.1.2.6), or by the server from port 20 (active, RFC 959). Its answers must pass too.
func (m *Model) dataChannel(first, back *way) ref {
	high := mode{family: first.family, want: wantAll}
	if m.large() {
		high.want = wantHighTCP
		m.wantFrom(wantHighTCP, []facts.Listener{{Transport: facts.TCP, Ports: ephemeral}})
		m.wantFrom(wantReplies, facts.TransferPorts())
	}
	base := len(m.pins)
	defer func() { m.pins = m.pins[:base] }()
	one := func(d ref, passive bool) {
		in := m.g.and(m.g.value(atProtocol, 8, uint64(facts.TCP), yes, no), d)
		if passive {
			in = m.free(atDstPort, hideDstPort, in)
		} else {
			in = m.g.restrict(in, atDstPort, 16, []byte{0, 20})
		}
		in = m.free(atSrcPort, hideSrcPort, in)
		// What is left of the protocol is no question any more.
		m.pin(m.g.restrict(in, atProtocol, 8, []byte{facts.TCP}))
	}
	one(m.toward(first, high, false), true)
	one(m.toward(back, m.backMode(back, wantHighTCP), true), true)
	one(m.toward(back, m.backMode(back, wantReplies), false), false)
	replies := high
	if m.large() {
		replies.want = wantReplies
	}
	one(m.toward(first, replies, true), false)
	p := m.pins[base:]
	return m.g.join(m.g.meet(p[0], p[1]), m.g.meet(p[2], p[3]))
}
