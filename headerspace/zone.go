package headerspace

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// self is the device zone that is the device.
const self = "self"

// between is what the device's zones or levels say of a packet from one interface to another.
func (m *Model) between(in, out *facts.Interface, fam facts.Family) []stage {
	switch m.d.Zoning.Model {
	case facts.Levels:
		return []stage{m.levels(in, out, fam)}
	case facts.Zones:
		return m.zones(in.Zone, out.Zone, fam)
	case facts.NoZoning:
	}
	return nil
}

// levels is the rule of ASA security levels. An inbound filter on the way in, or a global one, stands in its place; that
// interfaces of one level, or one and the same, may communicate at all is a switch of its own (ASA CLI configuration
// guide, Allowing Same Security Level Communication).
func (m *Model) levels(in, out *facts.Interface, fam facts.Family) stage {
	st := stage{what: fmt.Sprintf("security levels of %q and %q", nameOf(in), nameOf(out)), stateful: true, answers: true, sees: seesReal}
	z := &m.d.Zoning
	same := func(v facts.V[bool], what string) {
		switch {
		case facts.On(v):
			st.fixed, st.why, st.span = mayPermit, "same-security-traffic permit "+what, v.Span
		case facts.Off(v):
			st.fixed, st.why, st.span = mayDeny, "same-security-traffic permit "+what+" is off", v.Span
		default:
			st.fixed, st.why = undecided, "whether same-security-traffic permit "+what+" is on is not known"
		}
	}
	filtered := len(m.bound(in, facts.In, facts.TransitPlane, fam)) > 0
	switch a, b := in.Level, out.Level; {
	case in == out:
		same(z.SamePermitIntra, "intra-interface")
	case !a.Known() || !b.Known():
		st.fixed, st.why = undecided, "a security level is not known"
		if filtered {
			st.fixed, st.why = mayPermit, "an inbound filter stands in the place of the levels"
		}
	case a.Val == b.Val:
		same(z.SamePermitInter, "inter-interface")
	case filtered:
		st.fixed, st.why = mayPermit, "an inbound filter stands in the place of the levels"
	case a.Val > b.Val:
		st.fixed, st.why, st.span = mayPermit, fmt.Sprintf("security level %d to %d", a.Val, b.Val), a.Span
	default:
		st.fixed, st.why, st.span = mayDeny, fmt.Sprintf("security level %d to %d", a.Val, b.Val), a.Span
	}
	return st
}

// zones is the policy from one device zone to another; empty is no zone. Pairs that name the two come first, then the
// global policies, then what the platform does without any.
func (m *Model) zones(from, to string, fam facts.Family) []stage {
	z := &m.d.Zoning
	st := stage{what: fmt.Sprintf("policy from zone %q to zone %q", from, to), scope: zoneScope(from, to), sees: seesReal}
	if m.d.Zoning.Model != facts.Zones || from == "" && to == "" {
		return nil // neither is in a zone: no policy applies
	}
	var pair *facts.ZonePair
	for i := range z.Pairs {
		if p := &z.Pairs[i]; p.From == from && p.To == to {
			if pair == nil {
				pair, st.span = p, p.Span
			}
			st.names = append(st.names, p.Filters...)
		}
	}
	var end facts.Action
	var why string
	switch {
	case from == self && pair == nil:
		end, why = z.SelfOut, "no policy is about what the device sends"
	case to == self && pair == nil:
		end, why = z.SelfIn, "no policy is about what is sent to the device"
	case from == self || to == self:
		end = facts.Deny
	case from == "" || to == "":
		end, why = z.Mixed, "one of the interfaces is in no zone"
	case from == to:
		end, why = z.IntraZone, "both are in one zone"
	default:
		end, why = z.InterZone, "no policy is between the zones"
	}
	if from != self && to != self && from != "" && to != "" {
		st.names = append(slices.Clip(st.names), z.Global...)
	}
	st.end = ending(end, facts.Deny)
	if len(st.names) == 0 {
		st.fixed, st.why = st.end, why
	}
	st.stateful = m.stateful(&st, fam)
	back := stage{scope: st.scope, names: z.Global}
	for i := range z.Pairs {
		if p := &z.Pairs[i]; p.From == to && p.To == from {
			back.names = append(slices.Clip(back.names), p.Filters...)
		}
	}
	st.answers = st.stateful || m.stateful(&back, fam)
	return []stage{st}
}

// zoneRoutes asks about a pair of device zones. On ASA a zone is an interface's name.
func (m *Model) zoneRoutes(q *Query, fam facts.Family) ([]route, error) {
	if q.FromZone == "" || q.ToZone == "" {
		return nil, fmt.Errorf("name both zones: from and to")
	}
	if m.d.Zoning.Model == facts.Levels {
		in, err := m.iface(q.FromZone, q.Scope)
		if err != nil {
			return nil, err
		}
		out, err := m.iface(q.ToZone, q.Scope)
		if err != nil {
			return nil, err
		}
		return []route{m.transit(in, out, fam)}, nil
	}
	for _, z := range []string{q.FromZone, q.ToZone} {
		if !m.hasZone(z) {
			return nil, fmt.Errorf("no device zone is named %q", z)
		}
	}
	scope, err := m.zonesScope(q)
	if err != nil {
		return nil, err
	}
	stages := m.throughZones(q.FromZone, q.ToZone, scope, fam)
	return []route{{stages: stages, nat: true, from: q.FromZone, to: q.ToZone, scope: scope}}, nil
}

// zonesScope is the scope of the zones asked about: the one that is named, else the only one whose rules or interfaces
// know both.
func (m *Model) zonesScope(q *Query) (string, error) {
	scopes := map[string]bool{}
	for i := range m.d.Bindings {
		if b := &m.d.Bindings[i]; b.Where == facts.WhereTransit && b.Scope != "" {
			scopes[b.Scope] = true
		}
	}
	if q.Scope != "" || len(scopes) == 0 {
		return q.Scope, nil
	}
	for s := range scopes {
		if !m.knowsZone(s, q.FromZone) || !m.knowsZone(s, q.ToZone) {
			delete(scopes, s)
		}
	}
	if len(scopes) != 1 {
		return "", fmt.Errorf("zones %q and %q are in %d scopes: name one", q.FromZone, q.ToZone, len(scopes))
	}
	for s := range scopes {
		return s, nil
	}
	return "", nil
}

func (m *Model) knowsZone(scope, zone string) bool {
	if zone == self {
		return true
	}
	_, named := m.ix.places.find(scope, zone)
	return named || slices.ContainsFunc(m.d.Interfaces, func(f facts.Interface) bool { return f.Zone == zone && f.Scope == scope })
}

// throughZones are the stages from one device zone to another.
func (m *Model) throughZones(from, to, scope string, fam facts.Family) []stage {
	var out []stage
	switch {
	case to == self:
		out = m.plane(nil, scope, facts.In, fam)
	case from == self:
		out = m.plane(nil, scope, facts.Out, fam)
	default:
		out = m.passing(scope, fam)
	}
	return append(out, m.zones(from, to, fam)...)
}

func (m *Model) hasZone(name string) bool {
	return name == self || m.ix.places.has(name) ||
		slices.ContainsFunc(m.d.Interfaces, func(f facts.Interface) bool { return f.Zone == name }) ||
		slices.ContainsFunc(m.d.Zoning.Pairs, func(p facts.ZonePair) bool { return p.From == name || p.To == name })
}

// fromSelf is the way of a packet the device sends, out of an interface when one is stated. IOS does not ask outbound
// interface filters about its own packets, nor does ASA; Junos asks lo0's and the interface's.
func (m *Model) fromSelf(out *facts.Interface, fam facts.Family) route {
	r := route{stages: m.plane(out, scopeOf(out), facts.Out, fam), out: out, self: true}
	zone := ""
	if out != nil {
		zone = out.Zone
	}
	if zone != "" && m.d.Zoning.Model == facts.Zones {
		r.stages = append(r.stages, m.zones(self, zone, fam)...)
	}
	if out != nil && !m.skipsOwn() {
		r.stages = append(r.stages, m.bound(out, facts.Out, facts.LocalPlane, fam)...)
	}
	return r
}

func (m *Model) skipsOwn() bool {
	return m.platform == facts.CiscoIOS || m.platform == facts.CiscoASA
}

// toSelf is the way of a packet for the device itself that comes in at an interface. ASA does not ask the interface's
// access list about it.
func (m *Model) toSelf(in *facts.Interface, fam facts.Family) route {
	r := route{in: in, self: true}
	if m.platform != facts.CiscoASA {
		r.stages = m.bound(in, facts.In, facts.LocalPlane, fam)
	}
	r.stages = append(r.stages, m.plane(in, in.Scope, facts.In, fam)...)
	if m.d.Zoning.Model != facts.Zones || in.Zone == "" {
		return r
	}
	if m.platform == facts.Junos {
		r.stages = append(r.stages, stage{
			what: fmt.Sprintf("host-inbound services of %q", in.Name), isInbound: true, inbound: in.HostInbound, span: in.Span, stateful: true, answers: true,
		})
	}
	if m.platform != facts.Junos || slices.ContainsFunc(m.d.Zoning.Pairs, func(p facts.ZonePair) bool { return p.To == self }) {
		r.stages = append(r.stages, m.zones(in.Zone, self, fam)...)
	}
	return r
}

// plane are the filters in front of the device's own services: its control plane's, and lo0's on Junos.
func (m *Model) plane(f *facts.Interface, scope string, dir facts.Direction, fam facts.Family) []stage {
	var out []stage
	for i := range m.d.Bindings {
		if b := &m.d.Bindings[i]; b.Where == facts.WhereControlPlane && inScope(b, scope) {
			out = m.addBinding(out, b, nil, dir, fam)
		}
	}
	if m.platform != facts.Junos {
		return out
	}
	for i := range m.d.Interfaces {
		lo := &m.d.Interfaces[i]
		if strings.HasPrefix(lo.Name, "lo0") && lo.Scope == scope && lo != f {
			out = append(out, m.bound(lo, dir, facts.LocalPlane, fam)...)
		}
	}
	return out
}

func scopeOf(f *facts.Interface) string {
	if f == nil {
		return ""
	}
	return f.Scope
}

// hostInbound are the packets of SRX system services (Junos reference, host-inbound-traffic). A service that is not
// here may be any packet.
var hostInbound = map[string][]facts.ServiceItem{
	"ftp":            {tcp(21)},
	"tftp":           {udp(69)},
	"ssh":            {tcp(22)},
	"telnet":         {tcp(23)},
	"http":           {tcp(80)},
	"https":          {tcp(443)},
	"netconf":        {tcp(830)},
	"snmp":           {udp(161)},
	"snmp-trap":      {udp(162)},
	"dns":            {tcp(53), udp(53)},
	"ntp":            {udp(123)},
	"dhcp":           {udp(67), udp(68)},
	"dhcpv6":         {udp(546), udp(547)},
	"bootp":          {udp(67), udp(68)},
	"finger":         {tcp(79)},
	"ident-reset":    {tcp(113)},
	"ike":            {udp(500), udp(4500)},
	"rlogin":         {tcp(513)},
	"rsh":            {tcp(514)},
	"sip":            {tcp(5060), udp(5060)},
	"xnm-clear-text": {tcp(3221)},
	"xnm-ssl":        {tcp(3220)},
	"ping":           {{Protocols: []uint8{protoICMP, protoICMPv6}}},
	"traceroute":     {{Protocols: []uint8{facts.UDP}, Dst: facts.Ports{Present: true, Ranges: []facts.PortRange{{First: 33434, Last: 65535}}}}},
	"all":            {{}},
	"any-service":    {{}},
}

func tcp(port uint16) facts.ServiceItem { return serviceOf(facts.TCP, port) }
func udp(port uint16) facts.ServiceItem { return serviceOf(facts.UDP, port) }

func serviceOf(p uint8, port uint16) facts.ServiceItem {
	return facts.ServiceItem{Protocols: []uint8{p}, Dst: facts.Ports{Present: true, Ranges: []facts.PortRange{{First: port, Last: port}}}}
}

// inboundItems are the services of a host-inbound list.
func inboundItems(names []string) []facts.ServiceItem {
	var items []facts.ServiceItem
	for _, n := range names {
		known, ok := hostInbound[n]
		if !ok {
			known = []facts.ServiceItem{{Unread: "host-inbound service " + n}}
		}
		items = append(items, known...)
	}
	return items
}
