package headerspace

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
)

// This file judges one packet by reading the rules, without diagrams: it tells which rule decides, and the tests hold
// both ways of judging against each other.

// A tri says whether a condition holds.
type tri uint8

const (
	triNo tri = iota
	triMaybe
	triYes
)

func triOf(b bool) tri {
	if b {
		return triYes
	}
	return triNo
}

// packet is one packet with concrete values.
type packet struct {
	family       facts.Family
	src, dst     netip.Addr
	sport, dport uint16
	protocol     uint8
	state        uint8
	later        bool // a fragment with an offset
	icmp         [2]uint8
	app, when    uint16
	in, out      uint16 // classes of the ways in and out
}

// read takes a packet out of the bits of a diagram's header.
func (m *Model) read(h *header, fam facts.Family) packet {
	l := m.layout(false)
	p := packet{
		family: fam, src: addrAt(h, l.src, fam), dst: addrAt(h, l.dst, fam),
		sport: uint16(numberAt(h, atSrcPort, 16)), dport: uint16(numberAt(h, atDstPort, 16)),
		protocol: uint8(numberAt(h, atProtocol, 8)), state: uint8(numberAt(h, atState, 2)), later: h[atFragment] != 0,
		icmp: [2]uint8{uint8(numberAt(h, atICMP, 8)), uint8(numberAt(h, atICMP+8, 8))},
		app:  uint16(numberAt(h, atApp, 16)), when: uint16(numberAt(h, atWhen, 16)),
		in: uint16(numberAt(h, atIn, 16)), out: uint16(numberAt(h, atOut, 16)),
	}
	return p
}

// write is the reverse of read.
func (m *Model) write(p *packet) *header {
	var h header
	l := m.layout(false)
	h.setAddr(l.src, p.src)
	h.setAddr(l.dst, p.dst)
	h.setNumber(atSrcPort, 16, uint64(p.sport))
	h.setNumber(atDstPort, 16, uint64(p.dport))
	h.setNumber(atProtocol, 8, uint64(p.protocol))
	h.setNumber(atState, 2, uint64(p.state))
	h.setNumber(atICMP, 16, uint64(p.icmp[0])<<8|uint64(p.icmp[1]))
	h.setNumber(atApp, 16, uint64(p.app))
	h.setNumber(atWhen, 16, uint64(p.when))
	h.setNumber(atIn, 16, uint64(p.in))
	h.setNumber(atOut, 16, uint64(p.out))
	if p.later {
		h[atFragment] = 1
	}
	return &h
}

func numberAt(h *header, base, n int) uint64 {
	var v uint64
	for _, b := range h[base : base+n] {
		v = v<<1 | uint64(b)
	}
	return v
}

func addrAt(h *header, base int, fam facts.Family) netip.Addr {
	var v [16]byte
	for i := range bitsOf(fam) {
		v[i>>3] |= h[base+i] << (7 - i&7)
	}
	if fam == facts.IPv4 {
		return netip.AddrFrom4([4]byte(v[:4]))
	}
	return netip.AddrFrom16(v)
}

// A judge reads the rules of one filter for one packet.
type judge struct {
	m      *Model
	p      *packet
	filter *facts.Filter
	books  [2]string
	action facts.Action
	busy   []int32 // filters being asked, groups being looked into
	// via are the rules of other filters, outermost first, that the deciding rule of the last verdict asked; unsure those
	// that its doubtful rule asked.
	via, unsure []hop
}

// A hop is a rule of a filter.
type hop struct {
	filter int32
	rule   int
}

// verdict is what filter i decides of p before its Default: the outcome, the rule that decides (-1: none), and the first
// rule that may decide otherwise (-1: none).
func (j *judge) verdict(i int32) (out ref, by, doubt int) {
	f := &j.m.d.Filters[i]
	by, doubt = -1, -1
	switch {
	case f.Unread != "":
		return undecided, -1, -1
	case len(f.Rules) == 0 && f.WhenEmpty != facts.ActionUnknown:
		return outcomeOf(f.WhenEmpty), -1, -1
	}
	was := *j
	j.filter, j.books = f, j.m.ix.booksOf(f)
	defer func() { j.filter, j.books, j.action = was.filter, was.books, was.action }()
	var via, unsure []hop
	defer func() { j.via, j.unsure = via, unsure }()
	for k := range f.Rules {
		r := &f.Rules[k]
		t := j.rule(r)
		if t == triNo {
			continue
		}
		hit, path, vague := outcomeOf(r.Action), []hop(nil), []hop(nil)
		if r.Action == facts.Jump || r.Action == facts.Goto {
			hit, path, vague = j.asked(r)
		}
		if hit == mayNext { // the filter it asks leaves it to the next rule
			continue
		}
		if (t == triMaybe || hit&(hit-1) != 0) && doubt < 0 {
			doubt, unsure = k, nil
			if t == triYes { // the doubt is in the filter it asks
				if unsure = vague; len(unsure) == 0 {
					unsure = path
				}
			}
		}
		out |= hit &^ mayNext
		if t == triYes && hit&mayNext == 0 {
			via = path
			return settled(out), k, doubt
		}
	}
	return settled(out | mayNext), -1, doubt
}

// settled lets what a filter ended without a decision be what it leaves undecided.
func settled(out ref) ref {
	if out&mayBack != 0 {
		out = out&^mayBack | mayNext
	}
	return out
}

// asked is what the filter decides that a Jump or Goto asks, the rules that decide there, and those that leave it in doubt.
func (j *judge) asked(r *facts.Rule) (out ref, path, vague []hop) {
	i, ok := j.m.findFilter(r.To, j.filter.Scope, j.p.family)
	if !ok || slices.Contains(j.busy, i) {
		return undecided, nil, nil
	}
	j.busy = append(j.busy, i)
	out, by, doubt := j.verdict(i)
	j.busy = j.busy[:len(j.busy)-1]
	if out&mayNext == 0 && by >= 0 {
		path = append([]hop{{i, by}}, j.via...)
	}
	if doubt >= 0 {
		vague = append([]hop{{i, doubt}}, j.unsure...)
	}
	if f := &j.m.d.Filters[i]; out&mayNext != 0 && f.Default != facts.Next {
		out = out&^mayNext | outcomeOf(f.Default)
	}
	if r.Action == facts.Goto && out&mayNext != 0 {
		out = out&^mayNext | mayBack
	}
	return out, path, vague
}

func (j *judge) rule(r *facts.Rule) tri {
	if j.misses(&r.Match) || facts.On(r.Inactive) || r.Action == facts.Next || r.Return && j.p.state != stateOpen {
		return triNo
	}
	j.action = r.Action
	t := j.match(&r.Match)
	if t == triNo {
		return triNo
	}
	if tr := r.Times; tr != nil && !tr.Undefined {
		cal := j.m.ix.when
		switch {
		case tr.Unread != "" || cal.lost:
			t = triMaybe
		case !slices.Contains(cal.force[cal.number[tr]], uint64(j.p.when)):
			return triNo
		}
	}
	if r.Inactive.Origin == facts.Masked {
		t = triMaybe
	}
	return t
}

// misses is the first look, which is all that most rules of a long list get.
func (j *judge) misses(m *facts.Match) bool {
	if m.Not {
		return false
	}
	if len(m.Protocols) == 1 && (m.Protocols[0] == j.p.protocol) == m.NotProtocols {
		return true
	}
	if p := &m.DstPorts; len(p.Ranges) == 1 && len(p.Groups) == 0 && !p.Not && !j.p.later {
		return j.p.dport < p.Ranges[0].First || j.p.dport > p.Ranges[0].Last
	}
	return false
}

func (j *judge) match(m *facts.Match) tri {
	t := j.parts(m)
	if m.Not {
		return triYes - t
	}
	return t
}

func (j *judge) parts(m *facts.Match) tri {
	t := j.transport(&portParts{src: &m.SrcPorts, dst: &m.DstPorts, either: &m.EitherPorts, icmp: m.ICMP, flags: m.Flags, protocols: m.Protocols, not: m.NotProtocols})
	if t == triNo {
		return triNo
	}
	if m.Conn != 0 && !inConn(m.Conn, j.p.state) ||
		placesStated(&m.In) && !j.m.ix.places.holdsIn(&m.In, j.filter.Scope, j.p.in) ||
		placesStated(&m.Out) && !j.m.ix.places.holdsIn(&m.Out, j.filter.Scope, j.p.out) {
		return triNo
	}
	if m.Fragments == facts.NonInitial && !j.p.later || m.Fragments == facts.Unfragmented && j.p.later {
		return triNo
	}
	if stated(&m.Src) {
		t = min(t, j.addrs(&m.Src, j.p.src, j.books[0]))
	}
	if stated(&m.Dst) && t != triNo {
		t = min(t, j.addrs(&m.Dst, j.p.dst, j.books[1]))
	}
	if t == triNo {
		return triNo
	}
	if stated(&m.Either) {
		t = min(t, max(j.addrs(&m.Either, j.p.src, j.books[0]), j.addrs(&m.Either, j.p.dst, j.books[1])))
	}
	if m.HasServices || len(m.Services) > 0 {
		t = min(t, j.union(m.Services))
	}
	for i := range m.AllOf {
		t = min(t, j.match(&m.AllOf[i]))
	}
	if len(m.AnyOf) > 0 || m.HasAnyOf {
		one := triNo
		for i := range m.AnyOf {
			one = max(one, j.match(&m.AnyOf[i]))
		}
		t = min(t, one)
	}
	if len(m.Apps) > 0 {
		t = min(t, triOf(slices.ContainsFunc(m.Apps, func(a string) bool { return j.m.ix.apps[appName(a)] == j.p.app })))
	}
	if m.PermittedBy != "" {
		t = min(t, j.listed(m.PermittedBy))
	}
	if len(m.Unread) > 0 {
		t = min(t, triMaybe)
	}
	return t
}

func (j *judge) listed(name string) tri {
	i, ok := j.m.ix.filter(name, j.filter.Scope, j.p.family)
	if !ok || slices.Contains(j.busy, i) {
		return triMaybe
	}
	via, unsure := j.via, j.unsure
	j.busy = append(j.busy, i)
	out, _, _ := j.verdict(i)
	j.busy = j.busy[:len(j.busy)-1]
	j.via, j.unsure = via, unsure
	if out&mayNext != 0 {
		out = out&^mayNext | ending(j.m.d.Filters[i].Default, facts.Deny)
	}
	switch {
	case out == mayPermit:
		return triYes
	case out&mayPermit != 0:
		return triMaybe
	}
	return triNo
}

func (j *judge) transport(p *portParts) tri {
	q := j.p
	t := triYes
	if len(p.protocols) > 0 && slices.Contains(p.protocols, q.protocol) == p.not {
		return triNo
	}
	if portsStated(p.src) || portsStated(p.dst) || p.either != nil && portsStated(p.either) {
		if !hasPorts(q.protocol) {
			return triNo
		}
		if portsStated(p.src) {
			t = min(t, j.ports(p.src, q.sport))
		}
		if portsStated(p.dst) {
			t = min(t, j.ports(p.dst, q.dport))
		}
		if p.either != nil && portsStated(p.either) {
			t = min(t, max(j.ports(p.either, q.sport), j.ports(p.either, q.dport)))
		}
		if q.later {
			t = j.later(t)
		}
	}
	if p.flags != facts.AnyTCP {
		if q.protocol != facts.TCP {
			return triNo
		}
		if u := triOf(p.flags == facts.Established && q.state == stateOpen || p.flags == facts.Initial && q.state == stateOpening); q.later {
			t = min(t, j.later(u))
		} else {
			t = min(t, u)
		}
	}
	if len(p.icmp) > 0 {
		if uint64(q.protocol) != icmpOf(q.family) {
			return triNo
		}
		u := triOf(slices.ContainsFunc(p.icmp, func(i facts.ICMPType) bool {
			return i.Type == q.icmp[0] && (i.Code < 0 || i.Code > 255 || uint8(i.Code) == q.icmp[1])
		}))
		if q.later {
			u = j.later(u)
		}
		t = min(t, u)
	}
	return t
}

// later is onLater for one packet.
func (j *judge) later(t tri) tri {
	if j.filter.Stateful && j.m.platform != facts.CiscoIOS {
		return t
	}
	if j.m.platform == facts.CiscoIOS {
		switch j.action {
		case facts.Permit:
			return triYes
		case facts.Deny:
			return triNo
		case facts.ActionUnknown, facts.Next, facts.Jump, facts.Goto, facts.Return:
		}
	}
	return triMaybe
}

func (j *judge) ports(p *facts.Ports, port uint16) tri {
	has := func(rs []facts.PortRange) bool {
		return slices.ContainsFunc(rs, func(r facts.PortRange) bool { return r.First <= port && port <= r.Last })
	}
	t := triOf(has(p.Ranges))
	for _, name := range p.Groups {
		ranges, open := j.m.ix.portGroup(name, []string{j.filter.Scope, ""})
		switch {
		case has(ranges):
			t = triYes
		case open:
			t = max(t, triMaybe)
		}
	}
	if p.Not {
		return triYes - t
	}
	return t
}

func (j *judge) union(items []facts.ServiceItem) tri {
	in, out := triNo, triNo
	for i := range items {
		it := &items[i]
		var t tri
		if it.Group != "" {
			t = j.serviceGroup(it.Group, []string{j.filter.Scope, ""})
		} else if t = j.transport(&portParts{src: &it.Src, dst: &it.Dst, icmp: it.ICMP, protocols: it.Protocols}); it.Unread != "" {
			t = min(t, triMaybe)
		}
		if it.Except {
			out = max(out, t)
		} else {
			in = max(in, t)
		}
	}
	return min(in, triYes-out)
}

func (j *judge) serviceGroup(name string, scopes []string) tri {
	i, ok := j.m.ix.group(name, serviceKinds, scopes)
	if !ok || slices.Contains(j.busy, ^i) {
		return triNo
	}
	j.busy = append(j.busy, ^i)
	defer func() { j.busy = j.busy[:len(j.busy)-1] }()
	g := &j.m.d.Groups[i]
	filter := j.filter
	j.filter = &facts.Filter{Scope: g.Scope, Stateful: filter.Stateful}
	defer func() { j.filter = filter }()
	t := j.union(g.Services)
	for _, p := range groupParts(g) {
		t = max(t, j.transport(&p))
	}
	for _, m := range g.Members {
		t = max(t, j.serviceGroup(m, []string{g.Scope, ""}))
	}
	if g.Unread != "" {
		t = max(t, triMaybe)
	}
	return t
}

func (j *judge) addrs(a *facts.Addrs, x netip.Addr, book string) tri {
	var t tri
	if a.LongestPrefix {
		t = j.longest(a.Items, x, book)
	} else {
		t = j.items(a.Items, x, book)
	}
	if a.Not {
		return triYes - t
	}
	return t
}

func (j *judge) items(items []facts.AddrItem, x netip.Addr, book string) tri {
	in, out := triNo, triNo
	for i := range items {
		it := &items[i]
		if it.Except {
			out = max(out, j.item(it, x, book))
		} else if in != triYes {
			in = max(in, j.item(it, x, book))
		}
	}
	return min(in, triYes-out)
}

func (j *judge) item(it *facts.AddrItem, x netip.Addr, book string) tri {
	switch {
	case it.Unread != "":
		return triMaybe
	case it.Prefix.IsValid():
		p := it.Prefix
		if p.Addr().Is4In6() && p.Bits() >= 96 {
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return triOf(p.Contains(x))
	case it.From.IsValid():
		from, to := it.From.Unmap(), it.To.Unmap()
		return triOf(from.Is4() == x.Is4() && to.Is4() == x.Is4() && !x.Less(from) && !to.Less(x))
	case it.Wild != nil:
		if !x.Is4() {
			return triNo
		}
		v := x.As4()
		for i, care := range it.Wild.Care {
			if (v[i]^it.Wild.Addr[i])&care != 0 {
				return triNo
			}
		}
		return triYes
	case it.Any:
		return triOf(it.Family == facts.AnyFamily || (it.Family == facts.IPv4) == x.Is4())
	case it.Group != "":
		return j.addrGroup(it.Group, x, lookups(book, j.filter.Scope))
	}
	return triNo
}

// addrGroup asks the compiled set, which exists when the question was answered by diagrams: a group may be large.
func (j *judge) addrGroup(name string, x netip.Addr, scopes []string) tri {
	c := compiler{m: j.m, g: j.m.g, mode: mode{family: j.p.family}, filter: j.filter, at: j.m.layout(false)}
	b := c.addrGroup(name, scopes, c.at.src)
	var h header
	h.setAddr(c.at.src, x)
	switch {
	case j.m.g.at(b.must, &h) == yes:
		return triYes
	case j.m.g.at(b.may, &h) == yes:
		return triMaybe
	}
	return triNo
}

func (j *judge) longest(items []facts.AddrItem, x netip.Addr, book string) tri {
	best, except := -1, false
	onlyLists, doubt := len(items) > 0, false
	consider := func(it *facts.AddrItem, ex bool) {
		switch j.item(it, x, book) {
		case triMaybe:
			doubt = true
		case triYes:
			if n := specific(it, j.p.family); n > best || n == best && ex {
				best, except = n, ex
			}
		case triNo:
		}
	}
	for i := range items {
		it := &items[i]
		onlyLists = onlyLists && it.Except && it.Group != ""
		if it.Group == "" {
			consider(it, it.Except)
			continue
		}
		members, open := j.m.ix.prefixes(it.Group, lookups(book, j.filter.Scope))
		for k := range members {
			consider(&members[k], it.Except)
		}
		doubt = doubt || open
	}
	switch {
	case doubt:
		// Which member decides is not known: the diagrams' bounds are asked.
		c := compiler{m: j.m, g: j.m.g, mode: mode{family: j.p.family}, filter: j.filter, at: j.m.layout(false)}
		b := c.longest(items, c.at.src, book)
		var h header
		h.setAddr(c.at.src, x)
		switch {
		case j.m.g.at(b.must, &h) == yes:
			return triYes
		case j.m.g.at(b.may, &h) == yes:
			return triMaybe
		}
		return triNo
	case best < 0:
		return triOf(onlyLists)
	}
	return triOf(!except)
}
