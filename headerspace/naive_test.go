package headerspace

import (
	"net/netip"
	"slices"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// naive judges by the facts alone.
type naive struct {
	d    *facts.Device
	w    world
	rule facts.Action
	seen []string
	n    int // nesting of filters
}

func (n *naive) group(name, scope string, address bool) *facts.Group {
	for _, s := range []string{scope, ""} {
		for i := range n.d.Groups {
			g := &n.d.Groups[i]
			if g.Name == name && g.Scope == s && (g.Kind == facts.NetworkGroup) == address {
				return g
			}
		}
	}
	return nil
}

func (n *naive) item(it *facts.AddrItem, a netip.Addr, scope string) tri {
	switch {
	case it.Unread != "":
		return triMaybe
	case it.Prefix.IsValid():
		return triOf(it.Prefix.Contains(a))
	case it.From.IsValid():
		return triOf(a.Compare(it.From) >= 0 && a.Compare(it.To) <= 0)
	case it.Wild != nil:
		v := a.As4()
		for i := range v {
			if v[i]&it.Wild.Care[i] != it.Wild.Addr[i]&it.Wild.Care[i] {
				return triNo
			}
		}
		return triYes
	case it.Any:
		return triOf(it.Family != facts.IPv6)
	}
	g := n.group(it.Group, scope, true)
	if g == nil || slices.Contains(n.seen, g.Name) {
		return triNo
	}
	n.seen = append(n.seen, g.Name)
	t := n.items(g.Addrs, a, g.Scope, g.Members)
	n.seen = n.seen[:len(n.seen)-1]
	if g.Unread != "" {
		t = max(t, triMaybe)
	}
	return t
}

func (n *naive) items(items []facts.AddrItem, a netip.Addr, scope string, members []string) tri {
	var in, out tri
	for i := range items {
		if t := n.item(&items[i], a, scope); items[i].Except {
			out = max(out, t)
		} else {
			in = max(in, t)
		}
	}
	for _, m := range members {
		in = max(in, n.item(&facts.AddrItem{Group: m}, a, scope))
	}
	return min(in, triYes-out)
}

func (n *naive) addrs(s *facts.Addrs, a netip.Addr) tri {
	var t tri
	if s.LongestPrefix {
		best, except, all := -1, false, len(s.Items) > 0
		for _, it := range s.Items {
			all = all && it.Except && it.Group != ""
			list := []facts.AddrItem{it}
			if it.Group != "" {
				list = n.flat(it.Group, map[string]bool{})
			}
			for _, p := range list {
				if b := p.Prefix.Bits(); p.Prefix.Contains(a) && (b > best || b == best && it.Except) {
					best, except = b, it.Except
				}
			}
		}
		t = triOf(best >= 0 && !except || best < 0 && all)
	} else {
		t = n.items(s.Items, a, "", nil)
	}
	if s.Not {
		return triYes - t
	}
	return t
}

func (n *naive) flat(name string, seen map[string]bool) (out []facts.AddrItem) {
	g := n.group(name, "", true)
	if g == nil || seen[name] {
		return nil
	}
	seen[name] = true
	out = append(out, g.Addrs...)
	for _, m := range g.Members {
		out = append(out, n.flat(m, seen)...)
	}
	return out
}

func (n *naive) ports(p *facts.Ports, port uint16) tri {
	t := triNo
	has := func(rs []facts.PortRange) {
		for _, r := range rs {
			if r.First <= port && port <= r.Last {
				t = triYes
			}
		}
	}
	has(p.Ranges)
	for _, name := range p.Groups {
		if g := n.group(name, "", false); g != nil {
			has(g.Ports)
			if g.Unread != "" {
				t = max(t, triMaybe)
			}
		}
	}
	if p.Not {
		return triYes - t
	}
	return t
}

// l4 is a condition on what later fragments do not carry.
func (n *naive) l4(t tri) tri {
	switch {
	case !n.w.later:
		return t
	case n.d.Platform != facts.CiscoIOS:
		return triMaybe
	case n.rule == facts.Permit:
		return triYes
	case n.rule == facts.Deny:
		return triNo
	}
	return triMaybe
}

func (n *naive) stated(p *facts.Ports) bool { return p.Present }

func (n *naive) services(items []facts.ServiceItem) tri {
	var in, out tri
	for i := range items {
		it := &items[i]
		t := triYes
		if it.Group != "" {
			t = n.serviceGroup(it.Group)
		} else {
			if len(it.Protocols) > 0 && !slices.Contains(it.Protocols, n.w.proto) {
				t = triNo
			}
			if it.Dst.Present || it.Src.Present {
				if n.w.proto == 1 {
					t = triNo
				} else {
					u := triYes
					if it.Dst.Present {
						u = min(u, n.ports(&it.Dst, n.w.dport))
					}
					if it.Src.Present {
						u = min(u, n.ports(&it.Src, n.w.sport))
					}
					t = min(t, n.l4(u))
				}
			}
			if it.Unread != "" {
				t = min(t, triMaybe)
			}
		}
		if it.Except {
			out = max(out, t)
		} else {
			in = max(in, t)
		}
	}
	return min(in, triYes-out)
}

func (n *naive) serviceGroup(name string) tri {
	g := n.group(name, "", false)
	if g == nil || slices.Contains(n.seen, "s"+name) {
		return triNo
	}
	n.seen = append(n.seen, "s"+name)
	t := n.services(g.Services)
	if len(g.Ports) > 0 && n.w.proto != 1 {
		t = max(t, n.l4(n.ports(&facts.Ports{Ranges: g.Ports}, n.w.dport)))
	}
	if slices.Contains(g.Protocols, n.w.proto) {
		t = triYes
	}
	for _, m := range g.Members {
		t = max(t, n.serviceGroup(m))
	}
	n.seen = n.seen[:len(n.seen)-1]
	if g.Unread != "" {
		t = max(t, triMaybe)
	}
	return t
}

// way reports whether a condition on a way is about an interface of the universe.
func (n *naive) way(p *facts.Places, iface string) bool {
	one := false
	for _, f := range n.d.Interfaces {
		for _, name := range p.Names {
			one = one || f.Name == iface && (name == f.Name || name == f.Zone || name == "i*" && f.Name[0] == 'i' || len(f.Lists) > 0 && name == f.Lists[0])
		}
	}
	return one != p.Not
}

func (n *naive) match(m *facts.Match) tri {
	t := triYes
	and := func(u tri) { t = min(t, u) }
	if m.In.Present {
		and(triOf(n.way(&m.In, n.w.in)))
	}
	if m.Out.Present {
		and(triOf(n.way(&m.Out, n.w.out)))
	}
	if m.Conn != 0 {
		and(triOf(n.w.open && m.Conn&facts.ConnEstablished != 0 || !n.w.open && m.Conn&facts.ConnNew != 0))
	}
	if m.Src.Present {
		and(n.addrs(&m.Src, n.w.src))
	}
	if m.Dst.Present {
		and(n.addrs(&m.Dst, n.w.dst))
	}
	if m.Either.Present {
		and(max(n.addrs(&m.Either, n.w.src), n.addrs(&m.Either, n.w.dst)))
	}
	if len(m.Protocols) > 0 {
		and(triOf(slices.Contains(m.Protocols, n.w.proto) != m.NotProtocols))
	}
	if n.stated(&m.SrcPorts) || n.stated(&m.DstPorts) || n.stated(&m.EitherPorts) {
		and(triOf(n.w.proto == 6 || n.w.proto == 17))
		u := triYes
		if n.stated(&m.SrcPorts) {
			u = min(u, n.ports(&m.SrcPorts, n.w.sport))
		}
		if n.stated(&m.DstPorts) {
			u = min(u, n.ports(&m.DstPorts, n.w.dport))
		}
		if n.stated(&m.EitherPorts) {
			u = min(u, max(n.ports(&m.EitherPorts, n.w.sport), n.ports(&m.EitherPorts, n.w.dport)))
		}
		and(n.l4(u))
	}
	if m.HasServices {
		and(n.services(m.Services))
	}
	if m.Flags != facts.AnyTCP {
		and(triOf(n.w.proto == 6))
		and(n.l4(triOf((m.Flags == facts.Established) == n.w.open)))
	}
	switch m.Fragments {
	case facts.NonInitial:
		and(triOf(n.w.later))
	case facts.Unfragmented:
		and(triOf(!n.w.later))
	}
	if len(m.ICMP) > 0 {
		and(triOf(n.w.proto == 1))
		u := triNo
		for _, i := range m.ICMP {
			if i.Type == n.w.icmp {
				u = triYes
			}
		}
		and(n.l4(u))
	}
	if m.HasAnyOf {
		u := triNo
		for i := range m.AnyOf {
			u = max(u, n.match(&m.AnyOf[i]))
		}
		and(u)
	}
	for i := range m.AllOf {
		and(n.match(&m.AllOf[i]))
	}
	if m.PermittedBy != "" {
		and(n.permitted(m.PermittedBy))
	}
	if len(m.Apps) > 0 {
		and(triOf(slices.Contains(m.Apps, n.w.app)))
	}
	if len(m.Unread) > 0 {
		and(triMaybe)
	}
	if m.Not {
		return triYes - t
	}
	return t
}

func (n *naive) permitted(name string) tri {
	f := n.filter(name)
	if f == nil || n.n > 0 && f.Name == "F" {
		return triMaybe
	}
	was := n.rule
	n.n++
	out := n.decide(f)
	n.n--
	n.rule = was
	switch {
	case !out[facts.Permit] && !out[facts.ActionUnknown]:
		return triNo
	case len(out) == 1 && out[facts.Permit]:
		return triYes
	}
	return triMaybe
}

func (n *naive) filter(name string) *facts.Filter {
	for i := range n.d.Filters {
		if n.d.Filters[i].Name == name {
			return &n.d.Filters[i]
		}
	}
	return nil
}

// decide is every action a filter may take, in all readings of what was not understood; each rule by itself.
func (n *naive) decide(f *facts.Filter) map[facts.Action]bool {
	out := n.open(f, nil)
	if out[facts.Next] {
		delete(out, facts.Next)
		out[facts.Deny] = true // nothing follows
	}
	return out
}

// open is decide for a filter that another one may have asked: Next leaves it to that one.
func (n *naive) open(f *facts.Filter, askers []string) map[facts.Action]bool {
	out := map[facts.Action]bool{}
	add := func(a facts.Action) {
		if a == facts.ActionUnknown {
			out[facts.Permit], out[facts.Deny] = true, true
			return
		}
		out[a] = true
	}
	askers = append(askers, f.Name)
	if f.Unread != "" {
		add(facts.ActionUnknown)
		return out
	}
	if len(f.Rules) == 0 && f.WhenEmpty != facts.ActionUnknown {
		add(f.WhenEmpty)
		return out
	}
	for i := range f.Rules {
		r := &f.Rules[i]
		if facts.On(r.Inactive) || r.Return && !n.w.open || r.Action == facts.Next {
			continue
		}
		n.rule = r.Action
		t := n.match(&r.Match)
		if r.Times != nil && !r.Times.Undefined {
			if r.Times.Unread != "" {
				t = min(t, triMaybe)
			} else {
				t = min(t, triOf(inForceNaive(r.Times, n.w.at)))
			}
		}
		if t == triNo {
			continue
		}
		on := t == triMaybe // the next rule is looked at
		switch r.Action {
		case facts.Jump, facts.Goto:
			to := n.filter(r.To)
			if to == nil || slices.Contains(askers, r.To) {
				add(facts.ActionUnknown)
				break
			}
			for a := range n.open(to, askers) {
				switch {
				case a != facts.Next:
					add(a)
				case r.Action == facts.Goto:
					add(f.Default)
				default:
					on = true
				}
			}
		case facts.Return:
			add(f.Default)
		default:
			add(r.Action)
		}
		if !on {
			return out
		}
	}
	add(f.Default)
	return out
}

func inForceNaive(t *facts.TimeRange, at time.Time) bool {
	if !t.From.IsZero() && at.Before(t.From) || !t.To.IsZero() && !at.Before(t.To) {
		return false
	}
	for _, w := range t.Periodic {
		for back := range 2 {
			d := at.AddDate(0, 0, -back)
			if w.Days>>uint(d.Weekday())&1 == 0 {
				continue
			}
			start := time.Date(d.Year(), d.Month(), d.Day(), 0, int(w.From), 0, 0, time.UTC)
			end := time.Date(d.Year(), d.Month(), d.Day(), 0, int(w.To), 0, 0, time.UTC)
			if w.To < w.From {
				end = end.AddDate(0, 0, 1)
			}
			if !at.Before(start) && at.Before(end) {
				return true
			}
		}
	}
	return len(t.Periodic) == 0
}
