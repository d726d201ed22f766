package headerspace

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Helpers that write facts as tersely as a configuration.

func pfx(s string) netip.Prefix {
	if !strings.Contains(s, "/") {
		a := netip.MustParseAddr(s)
		return netip.PrefixFrom(a, a.BitLen())
	}
	return netip.MustParsePrefix(s)
}

func nets(list ...string) facts.Addrs {
	a := facts.Addrs{Present: true}
	for _, s := range list {
		a.Items = append(a.Items, facts.AddrItem{Prefix: pfx(s)})
	}
	return a
}

func groups(list ...string) facts.Addrs {
	a := facts.Addrs{Present: true}
	for _, s := range list {
		a.Items = append(a.Items, facts.AddrItem{Group: s})
	}
	return a
}

func eq(list ...uint16) facts.Ports {
	p := facts.Ports{Present: true}
	for _, n := range list {
		p.Ranges = append(p.Ranges, facts.PortRange{First: n, Last: n})
	}
	return p
}

func from(first, last uint16) facts.Ports {
	return facts.Ports{Present: true, Ranges: []facts.PortRange{{First: first, Last: last}}}
}

// permit and deny are rules; the parts set what the match restricts.
func permit(parts ...func(*facts.Match)) facts.Rule { return rule(facts.Permit, parts) }
func deny(parts ...func(*facts.Match)) facts.Rule   { return rule(facts.Deny, parts) }

func rule(a facts.Action, parts []func(*facts.Match)) facts.Rule {
	r := facts.Rule{Action: a}
	for _, p := range parts {
		p(&r.Match)
	}
	return r
}

func src(list ...string) func(*facts.Match)  { return func(m *facts.Match) { m.Src = nets(list...) } }
func dst(list ...string) func(*facts.Match)  { return func(m *facts.Match) { m.Dst = nets(list...) } }
func dport(p facts.Ports) func(*facts.Match) { return func(m *facts.Match) { m.DstPorts = p } }
func sport(p facts.Ports) func(*facts.Match) { return func(m *facts.Match) { m.SrcPorts = p } }
func proto(list ...uint8) func(*facts.Match) { return func(m *facts.Match) { m.Protocols = list } }
func unread(s string) func(*facts.Match)     { return func(m *facts.Match) { m.Unread = []string{s} } }
func established() func(*facts.Match)        { return func(m *facts.Match) { m.Flags = facts.Established } }
func at(line int64) evidence.Span            { return evidence.Span{Pos: evidence.MakePos(1, line), Len: 1} }
func list(name string, rules ...facts.Rule) facts.Filter {
	f := facts.Filter{Name: name, Family: facts.IPv4, Default: facts.Deny, WhenEmpty: facts.Permit, Rules: rules, Span: at(int64(len(name)))}
	for i := range f.Rules {
		f.Rules[i].Span = at(int64(1000*(i+1) + len(name)))
	}
	return f
}

func bind(dir facts.Direction, names ...string) facts.Binding {
	return facts.Binding{Filters: names, Family: facts.IPv4, Direction: dir, Undefined: facts.Permit, Span: at(77)}
}

func tcpTo(s, d string, port uint16) Query {
	return Query{Src: one(s), Dst: one(d), Protocols: []uint8{facts.TCP}, DstPorts: ports(port)}
}

func udpTo(s, d string, port uint16) Query {
	return Query{Src: one(s), Dst: one(d), Protocols: []uint8{facts.UDP}, DstPorts: ports(port)}
}

func ports(p ...uint16) (out []facts.PortRange) {
	for _, n := range p {
		out = append(out, facts.PortRange{First: n, Last: n})
	}
	return out
}

func one(s string) Set {
	if s == "" {
		return Set{}
	}
	return Set{Prefixes: []netip.Prefix{pfx(s)}}
}

func (q Query) on(set func(*Query)) Query {
	set(&q)
	return q
}

func in(name string) func(*Query)  { return func(q *Query) { q.In = name } }
func out(name string) func(*Query) { return func(q *Query) { q.Out = name } }
func through(a, b string) func(*Query) {
	return func(q *Query) { q.In, q.Out = a, b }
}
func zones(a, b string) func(*Query) {
	return func(q *Query) { q.FromZone, q.ToZone = a, b }
}
func byFilter(name string) func(*Query) { return func(q *Query) { q.Filter = name } }
