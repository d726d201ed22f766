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

// Variants of QM2001.
const (
	egressOne = iota
	egressAll
	egressNoFilter
	egressFilterAlone
)

// Egress is QM2001.
func Egress() *audit.Check {
	return &audit.Check{
		ID: "QM2001", Slug: "acl-egress-ft-untrusted", Title: "Egress of a file-transfer protocol to untrusted is permitted", Severity: audit.High,
		Doc: `The filters of a device let a file transfer protocol go from an internal segment to addresses outside.

## Why it matters

A transfer to the outside is what T1071.002 needs. TFTP and SMB have no business on the Internet at all; FTP seldom has.

## How it is decided

Exactly, by the filters themselves: first match wins over all addresses and ports, object groups, negations, inactive
and time-bound lines. For every interface with internal addresses behind it and every interface that leads outside (an
outside address, or the default route), the question is whether some packet of the protocol from an internal address to an
outside one is permitted. Destinations of approved workflows are taken out first. The finding shows one packet and the
lines that let it through.

One finding per filter application and protocol; when every transfer protocol passes, one for all of them. Where a
request passes a stateless filter and its answer does not, the finding says so.

## How it can be wrong

No path across devices is claimed: another device may stop the packet. A device that leads outside and has no filter at
all is reported only when it has an outside address itself. A filter whose interface has no known address is asked by
itself and the confidence is medium. Addresses translated before the filter are unknown, not permitted.
`,
		Variants: []audit.Variant{
			egressOne: {Name: "one protocol", Severity: audit.High}, egressAll: {Name: "every transfer protocol", Severity: audit.High},
			egressNoFilter: {Name: "no filter", Severity: audit.High}, egressFilterAlone: {Name: "this filter would pass it", Severity: audit.Medium},
		},
		Attack: []string{"T1048.003", "T1071.002", "T1105", "T1187"}, Analytics: []string{"AN1173"},
		Controls: []string{"M1037", "CISC-RT-000240", "CISC-RT-000340", "NSA 2.4", "CISA-HG24", "AC-4", "SC-7(5)", "PCI 1.3.2", "A.8.20"},
		False:    "an approved workflow with exact destination and port removes only its part of the set",
		Fixes: map[string]string{
			facts.CiscoIOS: "ip access-list extended <name>\n deny udp any any eq tftp log\n deny tcp any any range ftp-data ftp log\n deny tcp any any range 989 990 log\n deny tcp any any eq 445 log\n deny tcp any any eq 139 log",
			facts.CiscoASA: "access-list <name> line 1 extended deny udp any any eq tftp log\naccess-list <name> line 2 extended deny tcp any any range ftp-data ftp log\naccess-list <name> line 3 extended deny tcp any any eq 445 log",
			facts.Junos:    "set security policies from-zone <inside> to-zone <outside> policy no-transfers match source-address any destination-address any application [ junos-ftp junos-tftp junos-smb ]\nset security policies from-zone <inside> to-zone <outside> policy no-transfers then deny\ninsert security policies from-zone <inside> to-zone <outside> policy no-transfers before policy <first>",
			"":             "deny the protocol towards outside before the permitting line, with logging",
		},
		Needs:  audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: egress,
	}
}

// A side is an interface with what is behind it.
type side struct {
	x        *facts.Interface
	segments []segment // internal zones behind it
	outward  bool
	outside  bool // has an outside address itself
	known    bool
}

// isolated: nothing passes through a loopback interface, or between Junos' management port and the others, whatever
// address they have.
func isolated(name string) bool {
	n := strings.ToLower(name)
	for _, management := range []string{"fxp0", "em0", "em1", "me0", "vme"} {
		if n == management || strings.HasPrefix(n, management+".") {
			return true
		}
	}
	return strings.HasPrefix(n, "loopback") || n == "lo" || len(n) > 2 && n[:2] == "lo" && n[2] >= '0' && n[2] <= '9'
}

// A segment is the part of a zone behind an interface.
type segment struct {
	zone     policy.Zone
	prefixes []netip.Prefix
}

func sides(p *audit.Pass, d *facts.Device) []side {
	out := make([]side, 0, len(d.Interfaces))
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		if facts.On(x.Shutdown) || isolated(x.Name) {
			continue
		}
		s := side{x: x}
		for _, a := range x.Addrs {
			if a.Addr().IsLoopback() || a.Addr().IsLinkLocalUnicast() {
				continue
			}
			s.behind(p, a.Masked(), true)
		}
		for j := range d.Routes {
			r := &d.Routes[j]
			if r.Scope != x.Scope || !via(r, x) {
				continue
			}
			if r.Prefix.Bits() == 0 {
				s.outward, s.known = true, true
				continue
			}
			s.behind(p, r.Prefix, false)
		}
		if s.outside {
			s.outward = true
		}
		out = append(out, s)
	}
	return out
}

// behind adds the internal zones that meet a network, with the part of the network in each.
func (s *side) behind(p *audit.Pass, net netip.Prefix, own bool) {
	s.known = true
	met := false
	for _, z := range p.Policy.Zones {
		for _, c := range z.CIDRs {
			if z.Trust != policy.Internal || !c.Overlaps(net) {
				continue
			}
			met = true
			part := net
			if c.Bits() > net.Bits() {
				part = c
			}
			if p.Zone(part.Addr()).Name != z.Name {
				continue // a longer prefix of another zone owns it
			}
			s.add(z, part)
		}
	}
	if !met && own && p.Zone(net.Addr()).Trust == policy.External {
		s.outside = true
	}
}

func (s *side) add(z policy.Zone, part netip.Prefix) {
	i := slices.IndexFunc(s.segments, func(g segment) bool { return g.zone.Name == z.Name })
	if i < 0 {
		s.segments = append(s.segments, segment{zone: z})
		i = len(s.segments) - 1
	}
	if !slices.Contains(s.segments[i].prefixes, part) {
		s.segments[i].prefixes = append(s.segments[i].prefixes, part)
	}
}

// via reports whether a static route leaves by an interface.
func via(r *facts.Route, x *facts.Interface) bool {
	if r.Interface != "" {
		return r.Interface == x.Name || r.Interface == x.Alias
	}
	return slices.ContainsFunc(x.Addrs, func(a netip.Prefix) bool { return a.Masked().Contains(r.NextHop) })
}

// A leak is a protocol that some filter application lets out.
type leak struct {
	filters string
	at      string
	answer  headerspace.ProtocolAnswer
	zone    policy.Zone
	variant uint8
}

func egress(p *audit.Pass, d *facts.Device) {
	all := sides(p, d)
	e := &egressing{p: p, d: d, asked: map[string]bool{}, unknown: map[string]bool{}}
	for i := range all {
		if all[i].outside {
			continue
		}
		for j := range all {
			if i == j || !all[j].outward {
				continue
			}
			for _, g := range all[i].segments {
				e.ask(all[i].x, &all[j], g)
			}
		}
	}
	e.leaks = append(e.leaks, alone(p, d, all, e.asked, e.unknown)...)
	report(p, d, e.leaks)
	for _, why := range sorted(e.unknown) {
		p.NotEvaluated(why)
	}
}

// egressing is one device being asked.
type egressing struct {
	p       *audit.Pass
	d       *facts.Device
	leaks   []leak
	asked   map[string]bool // filters
	unknown map[string]bool // what stays open, as sentences
}

// ask asks for one segment, entering by in and leaving by out.
func (e *egressing) ask(in *facts.Interface, out *side, g segment) {
	space := e.p.Space(e.d)
	q := headerspace.Query{In: in.Name, Out: out.x.Name, Scope: in.Scope, Src: headerspace.Set{Prefixes: g.prefixes}, Dst: outsideBut(e.p, g.zone, facts.ProtocolUnknown), At: e.p.Now()}
	answers, err := space.Transfers(q)
	if err != nil {
		return
	}
	for _, a := range answers {
		for _, f := range a.Filters {
			e.asked[f] = true
		}
		approved := e.p.Policy.ApprovedDestinations(g.zone.Name, a.Protocol, e.p.Now())
		if len(approved) > 0 && (a.Verdict == headerspace.Permit || a.Verdict == headerspace.Partial) {
			less := q
			less.Dst, less.Protocols, less.DstPorts = outsideBut(e.p, g.zone, a.Protocol), []uint8{a.Transport}, []facts.PortRange{a.Ports}
			if again, err := space.Test(less); err == nil {
				a.Answer = again
			}
		}
		e.leaks = collect(e.leaks, e.unknown, e.d, in, out, a, g.zone)
	}
}

func collect(leaks []leak, unknown map[string]bool, d *facts.Device, in *facts.Interface, out *side, a headerspace.ProtocolAnswer, zone policy.Zone) []leak {
	switch a.Verdict {
	case headerspace.Unknown:
		unknown[fmt.Sprintf("whether %s may leave by %s is unknown: %s", a.Protocol, out.x.Name, cmp.Or(a.Reason, "a line was not understood"))] = true
		return leaks
	case headerspace.Deny:
		return leaks
	case headerspace.Permit, headerspace.Partial:
	}
	l := leak{filters: strings.Join(a.Filters, ", "), at: fmt.Sprintf("%s to %s", in.Name, out.x.Name), answer: a, zone: zone}
	if len(a.Filters) == 0 && d.Zoning.Model == facts.NoZoning {
		if !out.outside {
			return leaks // a router inside that filters nothing is no border
		}
		l.variant, l.at = egressNoFilter, out.x.Name
	}
	return append(leaks, l)
}

// outsideBut is every outside address but the destinations approved for a zone and protocol.
func outsideBut(p *audit.Pass, zone policy.Zone, proto facts.Protocol) headerspace.Set {
	s := judge.Outside(p)
	if proto != facts.ProtocolUnknown {
		s.Except = p.Policy.ApprovedDestinations(zone.Name, proto, p.Now())
	}
	return s
}

// alone asks the filters of interfaces whose addresses are unknown by themselves.
func alone(p *audit.Pass, d *facts.Device, all []side, asked, unknown map[string]bool) []leak {
	var out []leak
	for i := range all {
		s := &all[i]
		if s.known {
			continue
		}
		for _, b := range s.x.Bindings {
			for _, name := range b.Filters {
				f := judge.Find(d, name, s.x.Scope)
				if f == nil || f.Synthetic || asked[name] {
					continue
				}
				asked[name] = true
				answers, err := p.Space(d).Transfers(headerspace.Query{Filter: name, Scope: f.Scope, Src: inside(p), Dst: judge.Outside(p), At: p.Now()})
				if err != nil {
					continue
				}
				for _, a := range answers {
					if a.Verdict == headerspace.Unknown {
						unknown[fmt.Sprintf("whether filter %q permits %s is unknown: %s", name, a.Protocol, cmp.Or(a.Reason, "a line was not understood"))] = true
					}
					if a.Verdict == headerspace.Permit || a.Verdict == headerspace.Partial {
						out = append(out, leak{filters: name, at: s.x.Name, answer: a, variant: egressFilterAlone})
					}
				}
			}
		}
	}
	return out
}

// inside is every address of the internal zones.
func inside(p *audit.Pass) headerspace.Set {
	var s headerspace.Set
	for _, z := range p.Policy.Zones {
		if z.Trust == policy.Internal {
			s.Prefixes = append(s.Prefixes, z.CIDRs...)
		}
	}
	return s
}

func sorted(m map[string]bool) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// report makes one finding per filter application and protocol, or one for all protocols. Of several zones behind an
// interface the one that weighs most speaks.
func report(p *audit.Pass, d *facts.Device, leaks []leak) {
	groups := map[string][]leak{}
	for _, l := range leaks {
		k := l.filters + "\x00" + l.at
		groups[k] = append(groups[k], l)
	}
	for _, k := range slices.Sorted(keysOf(groups)) {
		g := groups[k]
		slices.SortStableFunc(g, func(a, b leak) int {
			return cmp.Or(-cmp.Compare(judge.Privilege(a.zone), judge.Privilege(b.zone)), cmp.Compare(a.zone.Name, b.zone.Name))
		})
		if first, all := everyProtocol(g); all {
			if first.variant == egressOne {
				first.variant = egressAll
			}
			p.Report(finding(p, d, first, "every transfer protocol"))
			continue
		}
		done := map[facts.Protocol]bool{}
		for _, l := range g {
			if !done[l.answer.Protocol] {
				done[l.answer.Protocol] = true
				p.Report(finding(p, d, l, strings.ToUpper(l.answer.Protocol.String())))
			}
		}
	}
}

// everyProtocol reports whether every transfer protocol leaves some zone, and by which leak of it to show that.
func everyProtocol(g []leak) (leak, bool) {
	count := map[string]map[facts.Listener]bool{}
	for _, l := range g {
		if count[l.zone.Name] == nil {
			count[l.zone.Name] = map[facts.Listener]bool{}
		}
		count[l.zone.Name][l.answer.Listener] = true
	}
	for _, l := range g {
		if len(count[l.zone.Name]) == len(facts.TransferPorts()) {
			return gravest(slices.DeleteFunc(slices.Clone(g), func(x leak) bool { return x.zone.Name != l.zone.Name })), true
		}
	}
	return leak{}, false
}

func keysOf(m map[string][]leak) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// gravest is the leak of TFTP or SMB, when there is one.
func gravest(g []leak) leak {
	for _, l := range g {
		if l.answer.Protocol == facts.SMB || l.answer.Protocol == facts.TFTP {
			return l
		}
	}
	return g[0]
}

func finding(p *audit.Pass, d *facts.Device, l leak, what string) audit.Finding {
	b := .70
	if l.answer.Protocol == facts.TFTP || l.answer.Protocol == facts.SMB {
		b = .85
	}
	subject := fmt.Sprintf("%s, %s, %s", cmp.Or(l.filters, "no filter"), l.at, strings.ToLower(what))
	f := audit.Finding{
		Variant: l.variant, Subject: audit.Subject{Kind: "filter", Name: subject},
		Severity: audit.Score(b, audit.ExposureUntrusted, judge.Privilege(l.zone), judge.Telemetry(d)), Confidence: audit.ConfidenceHigh,
		Evidence: map[string]string{}, Signal: audit.Signal{Weight: .15, Class: "CFG"},
	}
	through := fmt.Sprintf("filter %q", l.filters)
	switch l.variant {
	case egressNoFilter:
		through = "no filter at all"
	case egressFilterAlone:
		f.Confidence = audit.ConfidenceMedium
	}
	if l.filters == "" && l.variant != egressNoFilter {
		through = "its zone rules"
	}
	f.Message = fmt.Sprintf("%s lets %s go from %s to outside through %s (%s)", d.ID, what, cmp.Or(l.zone.Name, "inside"), through, l.at)
	if w := l.answer.Permitted; w != nil {
		f.Evidence["for example"] = fmt.Sprintf("%s %s:%d to %s:%d", map[uint8]string{facts.TCP: "tcp", facts.UDP: "udp"}[w.Protocol], w.Src, w.SrcPort, w.Dst, w.DstPort)
	}
	if l.answer.SessionReason != "" {
		f.Evidence["session"] = l.answer.SessionReason
	}
	if l.answer.Uncertain {
		f.Evidence["rule"] = "the backup tool re-sorted the list: the verdict stands, which line matched is not certain"
	}
	for i, s := range l.answer.Culprits {
		role := "contributes"
		switch {
		case i == 0:
			role = ""
		case isBinding(d, s):
			role = "applied here"
		}
		f.Spans = append(f.Spans, audit.Mark{Span: s, Role: role})
	}
	if len(f.Spans) == 0 && !l.answer.Span.IsZero() {
		f.Spans = []audit.Mark{{Span: l.answer.Span}}
	}
	return f
}

// isBinding reports whether a span is where a filter is applied.
func isBinding(d *facts.Device, s evidence.Span) bool {
	for i := range d.Interfaces {
		if slices.ContainsFunc(d.Interfaces[i].Bindings, func(b facts.Binding) bool { return b.Span == s }) {
			return true
		}
	}
	return slices.ContainsFunc(d.Zoning.Pairs, func(z facts.ZonePair) bool { return z.Span == s })
}

// AnyAny is QM2003.
func AnyAny() *audit.Check {
	return &audit.Check{
		ID: "QM2003", Slug: "acl-any-any", Title: "Any-to-any permit on an inter-zone path", Severity: audit.High,
		Doc: `A line of a filter that is applied to an interface or between device zones permits every source, destination and
service.

## Why it matters

Whatever the lines before it deny, everything else passes: transfer protocols on ports nobody thought of, and all of
them where the denies name only some.

## How it is decided

Lines that permit any address (or a prefix of at most one bit) to any, by any protocol, that are in force and that some
packet reaches. A line behind another that decides everything is not reported. Filters used elsewhere, for login or
management, are not meant here.

## How it can be wrong

A default permit after a list of denies is the design of some routers: it is what the finding says. During a migration
record an exception of at most fourteen days.
`,
		Attack: []string{"T1048", "T1090", "T1599"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-PAN 7.2", "CIS-FG 3.2", "CISC-RT-000010", "CISC-RT-000240", "PCI 1.2.5", "PCI 1.3", "AC-4"},
		False:    "a migration, with an expiry of at most 14 days and logging",
		Fixes:    map[string]string{"": "replace the line by the services that are needed, from and to the networks that need them"},
		Needs:    audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for _, a := range applied(d) {
				anyAny(p, d, a)
			}
		},
	}
}

// An application is a filter where it decides traffic through the device.
type application struct {
	filter *facts.Filter
	where  string
	mark   audit.Mark
}

// applied are the filters of interfaces and zone pairs, one application each.
func applied(d *facts.Device) []application {
	var out []application
	seen := map[*facts.Filter]bool{}
	add := func(name, scope, where string, m audit.Mark) {
		if f := judge.Find(d, name, scope); f != nil && !seen[f] {
			seen[f] = true
			out = append(out, application{f, where, m})
		}
	}
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		for _, b := range x.Bindings {
			for _, name := range b.Filters {
				add(name, x.Scope, fmt.Sprintf("%s on %s", [...]string{"in", "out"}[min(int(b.Direction), 1)], x.Name), audit.Mark{Span: b.Span, Role: "applied here"})
			}
		}
	}
	for _, z := range d.Zoning.Pairs {
		for _, name := range z.Filters {
			add(name, "", fmt.Sprintf("from %s to %s", z.From, z.To), audit.Mark{Span: z.Span, Role: "applied here"})
		}
	}
	return out
}

func anyAny(p *audit.Pass, d *facts.Device, a application) {
	for i := range a.filter.Rules {
		r := &a.filter.Rules[i]
		if r.Action != facts.Permit || facts.On(r.Inactive) || r.Return || !everything(&r.Match) {
			continue
		}
		// reached: some ordinary packet is decided by this very line
		got, err := p.Space(d).Search(headerspace.Query{
			Filter: a.filter.Name, Scope: a.filter.Scope, Protocols: []uint8{facts.TCP}, DstPorts: []facts.PortRange{{First: 49152, Last: 65535}}, At: p.Now(),
		}, headerspace.Permit)
		if err != nil || got.Span != r.Span {
			continue
		}
		name := cmp.Or(r.Name, "the line")
		marks := []audit.Mark{{Span: r.Span}}
		if !a.mark.Span.IsZero() {
			marks = append(marks, a.mark)
		}
		p.Report(audit.Finding{
			Subject: audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s %s", a.filter.Name, a.where)}, Severity: audit.Score(.80, audit.ExposureUntrusted, audit.PrivilegeServer, judge.Telemetry(d)),
			Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: %s of filter %q permits everything from anywhere to anywhere (%s)", d.ID, name, a.filter.Name, a.where),
			Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
		return
	}
}

// everything reports whether a match leaves nothing out: any address to any, any protocol.
func everything(m *facts.Match) bool {
	return wide(&m.Src) && wide(&m.Dst) && wide(&m.Either) && len(m.Protocols) == 0 && !m.NotProtocols && !m.SrcPorts.Present && !m.DstPorts.Present &&
		!m.EitherPorts.Present && (!m.HasServices || anyService(m.Services)) && m.Flags == facts.AnyTCP && m.Fragments == facts.AnyFragment && len(m.ICMP) == 0 &&
		!m.HasAnyOf && len(m.AllOf) == 0 && m.PermittedBy == "" && !m.Not && len(m.Apps) == 0 && len(m.Unread) == 0
}

// wide: any address, or all but half of them.
func wide(a *facts.Addrs) bool {
	if !a.Present && len(a.Items) == 0 {
		return true
	}
	return !a.Not && slices.ContainsFunc(a.Items, func(x facts.AddrItem) bool {
		return !x.Except && (x.Any || x.Prefix.IsValid() && x.Prefix.Bits() <= 1)
	})
}

func anyService(s []facts.ServiceItem) bool {
	return slices.ContainsFunc(s, func(x facts.ServiceItem) bool {
		return x.Group == "" && x.Unread == "" && !x.Except && len(x.Protocols) == 0 && !x.Src.Present && !x.Dst.Present && len(x.ICMP) == 0
	})
}

// Undefined is QM2009.
func Undefined() *audit.Check {
	return &audit.Check{
		ID: "QM2009", Slug: "acl-undefined", Title: "Referenced ACL undefined or empty (permits all)", Severity: audit.High,
		Doc: `A filter is referenced and not defined, or defined without a line, on a platform where that permits everything.

## Why it matters

The configuration reads as if traffic, logins or SNMP were limited, and nothing is. The first line added to such a list
turns it into a deny of everything else, which is why nobody dares to.

## How it is decided

On IOS and IOS-XE a missing or empty list permits all, for interfaces, logins, SNMP and the TFTP server alike (Cisco,
Catalyst 2960 configuration guide). ASA and Junos refuse such references, so they are not reported there.

## How it can be wrong

A configuration that was cut before its lists looks the same. RANCID can remove the content of lists on request
(ACLFILTERREGEX): those are unknown, not empty.
`,
		Variants: []audit.Variant{{Name: "undefined", Severity: audit.High}, {Name: "empty", Severity: audit.High}},
		Attack:   []string{"T1562.004"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000010", "CM-6", "CIS-IOS 3.2.2"},
		Fixes: map[string]string{facts.CiscoIOS: "define the list, or remove the reference"},
		Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.Interfaces {
				x := &d.Interfaces[i]
				for _, b := range x.Bindings {
					dangling(p, d, b, x.Scope, fmt.Sprintf("%s on %s", [...]string{"in", "out"}[min(int(b.Direction), 1)], x.Name))
				}
			}
			for _, b := range d.Bindings {
				dangling(p, d, b, "", b.Where)
			}
			for i := range d.SNMP {
				if s := &d.SNMP[i]; s.ACL.Known() && s.ACL.Val != "" {
					dangling(p, d, facts.Binding{Filters: []string{s.ACL.Val}, Span: s.ACL.Span, Undefined: facts.Permit}, "", "snmp")
				}
			}
			for i := range d.Services {
				if s := &d.Services[i]; s.ACL.Known() && s.ACL.Val != "" {
					dangling(p, d, facts.Binding{Filters: []string{s.ACL.Val}, Span: s.ACL.Span, Undefined: facts.Permit}, s.Scope, s.Name)
				}
			}
		},
	}
}

func dangling(p *audit.Pass, d *facts.Device, b facts.Binding, scope, where string) {
	if b.Undefined != facts.Permit {
		return
	}
	for _, name := range b.Filters {
		f := judge.Find(d, name, scope)
		v, what := uint8(0), "is not defined"
		if f != nil {
			if len(f.Rules) > 0 || f.Unread != "" || f.WhenEmpty != facts.Permit {
				continue
			}
			v, what = 1, "has no line"
		}
		marks := []audit.Mark{{Span: b.Span}}
		if f != nil && !f.Span.IsZero() {
			marks = append(marks, audit.Mark{Span: f.Span, Role: "defined here, empty"})
		}
		p.Report(audit.Finding{
			Variant: v, Subject: audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s %s", name, where)}, Severity: audit.Score(.75, judge.Facing(p, d).Factor, audit.PrivilegeDevice, judge.Telemetry(d)),
			Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: filter %q is referenced (%s) and %s, so that it permits everything", d.ID, name, where, what),
			Spans: marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		})
	}
}
