package exposure

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// Variants of QM2008.
const (
	denyOtherPort = iota
	denyTransport
	denyAnswers
	denyIPv6
	denyNobody
	denyRemark
)

// IneffectiveDeny is QM2008.
func IneffectiveDeny() *audit.Check {
	return &audit.Check{
		ID: "QM2008", Slug: "acl-ineffective-deny", Title: "Deny does not cover the protocol it is meant for", Severity: audit.Medium,
		Doc: `A line denies a file transfer protocol, and the protocol passes all the same, by another of its ports, another transport,
or the other version of IP.

## Why it matters

The author meant to stop the protocol and believes it is stopped. SMB needs 139 as little as 445, FTPS is FTP on 990, and TFTP
is UDP: half a deny is none (T1048, T1571).

## How it is decided

For each line of an applied filter that denies a transfer port, exactly: is there a packet, between the same addresses, to
another port of the protocol (of FTP: its two ports and those of FTPS) that a later line permits without naming the protocol,
or the end of the filter? A port that a line permits by name is somebody's decision and is not reported. The variants:

- another port of the protocol is open (445 denied, 139 open; 21 denied, 990 open)
- the deny is about the wrong transport (TFTP denied in TCP)
- the deny takes only answers of open sessions ("established")
- the IPv6 filter of the same interface and direction permits what the IPv4 one denies
- no host that is known to be behind the interface has an address the line is about
- the remark above the line names a protocol that the line does not deny

TFTP's data goes to ports of their own: denying UDP 69 is enough, and other ports are not asked.

## How it can be wrong

Whether routes that were learned bring the addresses to an interface is not known: that variant has medium confidence, and so
has a remark.

## Tunables

None.
`,
		Variants: []audit.Variant{
			denyOtherPort: {Name: "another port of the protocol is open", Severity: audit.Medium}, denyTransport: {Name: "another transport is denied", Severity: audit.Medium},
			denyAnswers: {Name: "only answers are denied", Severity: audit.Medium}, denyIPv6: {Name: "IPv6 permits it", Severity: audit.Medium},
			denyNobody: {Name: "no known host has such an address", Severity: audit.Medium}, denyRemark: {Name: "the remark names what the line does not deny", Severity: audit.Medium},
		},
		Attack: []string{"T1048", "T1571"}, Analytics: []string{"AN1173"}, Controls: []string{"SC-7(5)", "PCI 1.2.6"},
		False: "none known",
		Fixes: map[string]string{"": "deny the whole protocol: FTP tcp 20, 21, 989, 990; TFTP udp 69; SMB tcp 139, 445 and udp 137, 138; in IPv6 too"},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for _, a := range appliedFilters(d) {
				x := ineffective{p: p, d: d, applied: a, f: a.filter}
				x.all()
			}
			sixToo(p, d)
			astray(p, d, func(x *stray) {
				if !x.elsewhere {
					p.Report(x.finding(d, denyNobody, "no known host has such an address"))
				}
			})
		},
	}
}

// ineffective looks at the denies of one filter.
type ineffective struct {
	p       *audit.Pass
	d       *facts.Device
	f       *facts.Filter
	applied appliedFilter
}

func (x *ineffective) all() {
	for i := range x.f.Rules {
		r := &x.f.Rules[i]
		if r.Action != facts.Deny || facts.On(r.Inactive) || r.Times != nil {
			continue
		}
		anyTransport := r.Match
		if len(r.Match.Services) == 0 { // a service ties its ports to its transport on purpose
			anyTransport.Protocols, anyTransport.NotProtocols = nil, false
		}
		meant := judge.NamesTransfers(x.d, x.f, &anyTransport)
		for _, proto := range meant {
			x.rule(i, proto)
		}
		x.remark(i, meant)
	}
}

// rule asks about one protocol that rule i denies.
func (x *ineffective) rule(i int, proto facts.Protocol) {
	r := &x.f.Rules[i]
	src, ok1 := setOf(x.d, x.f, &r.Match.Src)
	dst, ok2 := setOf(x.d, x.f, &r.Match.Dst)
	if !ok1 || !ok2 || len(r.Match.Either.Items) > 0 || len(r.Match.AnyOf)+len(r.Match.AllOf) > 0 || proto == facts.SmartInstall {
		return
	}
	named := x.named(i)
	covered := slices.ContainsFunc(facts.TransferPorts(), func(l facts.Listener) bool { return l.Protocol == proto && named(l) })
	var open []string
	var shown headerspace.Answer
	variant := uint8(denyOtherPort)
	for _, l := range facts.TransferPorts() {
		related := l.Protocol == proto || proto == facts.FTP && l.Protocol == facts.FTPS
		names := l.Protocol == facts.SMB && l.Transport == facts.UDP // NetBIOS names and datagrams carry no files
		if !related || names || named(l) && r.Match.Flags != facts.Established {
			continue
		}
		if !covered && l.Protocol != proto {
			continue // the wrong transport says nothing of FTPS
		}
		a, passes := x.passes(i, l, src, dst)
		if !passes {
			continue
		}
		if len(open) == 0 {
			shown = a
		}
		open = append(open, judge.Transport(l.Transport)+" "+judge.Ports(l.Ports))
	}
	switch {
	case len(open) == 0:
		return
	case r.Match.Flags == facts.Established:
		variant = denyAnswers
	case !covered:
		variant = denyTransport
	}
	what := fmt.Sprintf("and %s passes", judge.Join(open))
	if len(open) > 1 {
		what = fmt.Sprintf("and %s pass", judge.Join(open))
	}
	switch variant {
	case denyTransport:
		what = fmt.Sprintf("in %s, and %s passes", transports(&r.Match), judge.Join(open))
	case denyAnswers:
		what = fmt.Sprintf("in open sessions only, and new ones to %s pass", judge.Join(open))
	}
	f := x.finding(i, proto, variant, what)
	w := shown.Permitted
	f.Evidence = map[string]string{"packet": fmt.Sprintf("%s %s to %s", judge.Transport(w.Protocol), end(w.Src, w.SrcPort), end(w.Dst, w.DstPort))}
	if len(shown.Culprits) > 0 {
		f.Spans = judge.Mark(f.Spans, "lets it through", shown.Culprits[0])
	} else if !x.f.End.IsZero() {
		f.Spans = judge.Mark(f.Spans, "lets it through", x.f.End)
	}
	f.Spans = judge.Mark(f.Spans, "applied here", x.applied.at...)
	x.p.Report(f)
}

// named reports whether rules that deny, rule i among them, name a listener's port with its transport.
func (x *ineffective) named(i int) func(facts.Listener) bool {
	return func(l facts.Listener) bool {
		m := x.f.Rules[i].Match
		if len(m.Protocols) > 0 && !m.NotProtocols && !slices.Contains(m.Protocols, l.Transport) {
			return false
		}
		m.Protocols = []uint8{l.Transport}
		return judge.Covers(x.d, x.f, &m, l)
	}
}

// passes reports whether a later rule that does not name the protocol permits a packet between the addresses of rule i.
func (x *ineffective) passes(i int, l facts.Listener, src, dst headerspace.Set) (headerspace.Answer, bool) {
	q := headerspace.Query{
		Filter: x.f.Name, Scope: x.f.Scope, Family: x.f.Family, Src: src, Dst: dst, Protocols: []uint8{l.Transport}, DstPorts: []facts.PortRange{l.Ports}, At: x.p.Now(),
	}
	a, err := x.p.Space(x.d).Search(q, headerspace.Permit)
	if err != nil || a.Verdict != headerspace.Permit || a.Permitted == nil {
		return a, false
	}
	by := slices.IndexFunc(x.f.Rules, func(r facts.Rule) bool { return !r.Span.IsZero() && r.Span == a.Span })
	switch {
	case by < 0: // the end of the filter, or a filter it asks
		return a, x.f.Default == facts.Permit
	case by < i:
		return a, false
	}
	return a, !slices.Contains(judge.NamesTransfers(x.d, x.f, &x.f.Rules[by].Match), l.Protocol)
}

func transports(m *facts.Match) string {
	var out []string
	for _, n := range m.Protocols {
		out = append(out, strings.ToUpper(judge.Transport(n)))
	}
	return judge.Join(out)
}

func (x *ineffective) finding(i int, proto facts.Protocol, variant uint8, what string) audit.Finding {
	r := &x.f.Rules[i]
	name := r.Name
	if name == "" {
		name = fmt.Sprintf("#%d", i+1)
	}
	return audit.Finding{
		Variant: variant, Subject: audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s: deny of %s", filterName(x.f), judge.Upper(proto))},
		Severity: audit.Score(.60, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s denies %s by rule %q of filter %q %s", x.d.ID, judge.Upper(proto), name, x.f.Name, what),
		Spans:   judge.Mark(nil, "", r.Span), Signal: audit.Signal{Weight: .10, Class: "CFG"},
	}
}

// remark compares what the remark above a deny says with what the line does.
func (x *ineffective) remark(i int, meant []facts.Protocol) {
	r := &x.f.Rules[i]
	ports := r.Match.DstPorts.Present || len(r.Match.Services) > 0
	if r.Remark == "" || !ports {
		return
	}
	words := strings.FieldsFunc(strings.ToLower(r.Remark), func(c rune) bool { return (c < 'a' || c > 'z') && (c < '0' || c > '9') })
	for _, w := range [...]struct {
		word  string
		proto facts.Protocol
	}{{"ftp", facts.FTP}, {"ftps", facts.FTPS}, {"tftp", facts.TFTP}, {"smb", facts.SMB}, {"cifs", facts.SMB}} {
		if !slices.Contains(words, w.word) || slices.Contains(meant, w.proto) || x.deniedNear(i, w.proto) {
			continue
		}
		src, ok1 := setOf(x.d, x.f, &r.Match.Src)
		dst, ok2 := setOf(x.d, x.f, &r.Match.Dst)
		if !ok1 || !ok2 {
			continue
		}
		for _, l := range facts.TransferPorts() {
			if l.Protocol != w.proto {
				continue
			}
			if _, passes := x.passes(i, l, src, dst); passes {
				f := x.finding(i, w.proto, denyRemark, fmt.Sprintf("by its remark alone, and %s %s passes", judge.Transport(l.Transport), judge.Ports(l.Ports)))
				f.Confidence = audit.ConfidenceMedium
				f.Spans = judge.Mark(f.Spans, "applied here", x.applied.at...)
				x.p.Report(f)
				break
			}
		}
	}
}

// deniedNear reports whether a line beside rule i, with the same remark, denies the protocol: one remark stands for several.
func (x *ineffective) deniedNear(i int, proto facts.Protocol) bool {
	for k := range x.f.Rules {
		r := &x.f.Rules[k]
		if k != i && r.Action == facts.Deny && (r.Remark == x.f.Rules[i].Remark || k > i && k <= i+3 && r.Remark == "") &&
			slices.Contains(judge.NamesTransfers(x.d, x.f, &r.Match), proto) {
			return true
		}
	}
	return false
}

// setOf is a rule's addresses as a question spells them; ok is false when they are not plainly networks.
func setOf(d *facts.Device, f *facts.Filter, a *facts.Addrs) (headerspace.Set, bool) {
	if !a.Present && len(a.Items) == 0 && !a.Not || !a.Not && slices.ContainsFunc(a.Items, func(it facts.AddrItem) bool { return it.Any && !it.Except }) {
		return headerspace.Set{}, true
	}
	nets, ok := networksOf(d, f, a)
	return headerspace.Set{Prefixes: nets}, ok
}

// sixToo compares the filters of both versions of IP on one interface and direction.
func sixToo(p *audit.Pass, d *facts.Device) {
	type pair struct{ four, six *facts.Filter }
	var done []pair
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		if facts.On(x.Shutdown) {
			continue
		}
		for _, dir := range [2]facts.Direction{facts.In, facts.Out} {
			b4, b6 := boundOf(d, x, dir, facts.IPv4), boundOf(d, x, dir, facts.IPv6)
			if b4 == nil || b6 == nil {
				continue
			}
			one := pair{judge.Find(d, b4.Filters[0], x.Scope), judge.Find(d, b6.Filters[0], x.Scope)}
			if one.four == nil || one.six == nil || one.four == one.six || one.four.Unread != "" || one.six.Unread != "" || slices.Contains(done, one) {
				continue
			}
			done = append(done, one)
			comparePair(p, d, one.four, one.six, b4, b6)
		}
	}
}

// boundOf is the binding of one filter of a version of IP to an interface.
func boundOf(d *facts.Device, x *facts.Interface, dir facts.Direction, fam facts.Family) *facts.Binding {
	for i := range x.Bindings {
		b := &x.Bindings[i]
		if b.Direction != dir || len(b.Filters) != 1 {
			continue
		}
		if f := judge.Find(d, b.Filters[0], x.Scope); b.Family == fam || b.Family == facts.AnyFamily && f != nil && f.Family == fam {
			return b
		}
	}
	return nil
}

func comparePair(p *audit.Pass, d *facts.Device, four, six *facts.Filter, b4, b6 *facts.Binding) {
	answers, err := p.Space(d).Transfers(headerspace.Query{Filter: six.Name, Scope: six.Scope, Family: facts.IPv6, At: p.Now()})
	if err != nil {
		return
	}
	for i := range four.Rules {
		r := &four.Rules[i]
		if r.Action != facts.Deny || facts.On(r.Inactive) {
			continue
		}
		for _, proto := range judge.NamesTransfers(d, four, &r.Match) {
			for k := range answers {
				a := &answers[k]
				if a.Protocol != proto || a.Permitted == nil {
					continue
				}
				by := slices.IndexFunc(six.Rules, func(r facts.Rule) bool { return !r.Span.IsZero() && r.Span == a.Span })
				if by >= 0 && slices.Contains(judge.NamesTransfers(d, six, &six.Rules[by].Match), proto) {
					continue
				}
				x := ineffective{p: p, d: d, f: four}
				f := x.finding(i, proto, denyIPv6, fmt.Sprintf("and filter %q beside it permits it in IPv6", six.Name))
				f.Spans = judge.Mark(judge.Mark(f.Spans, "lets it through", a.Span), "applied here", b4.Span, b6.Span)
				f.Evidence = map[string]string{"packet": fmt.Sprintf("%s %s to %s", judge.Transport(a.Transport), end(a.Permitted.Src, a.Permitted.SrcPort), end(a.Permitted.Dst, a.Permitted.DstPort))}
				p.Report(f)
				break
			}
		}
	}
}

// A stray is a deny of a transfer protocol whose addresses are nowhere its filter is applied.
type stray struct {
	filter    *facts.Filter
	rule      int
	protocols []string
	where     string
	elsewhere bool // other sides have them
	at        []audit.Mark
}

// astray visits the denies of transfer protocols that no packet can match where their filter is applied, as far as addresses
// and static routes tell.
func astray(p *audit.Pass, d *facts.Device, visit func(*stray)) {
	sides := judge.Sides(p, d)
	var done []*facts.Filter
	for i := range sides {
		for k := range sides[i].Interface.Bindings {
			for _, name := range sides[i].Interface.Bindings[k].Filters {
				f := judge.Find(d, name, sides[i].Interface.Scope)
				if f == nil || f.Unread != "" || slices.Contains(done, f) {
					continue
				}
				done = append(done, f)
				strayRules(d, f, sides, visit)
			}
		}
	}
}

func strayRules(d *facts.Device, f *facts.Filter, sides []judge.Side, visit func(*stray)) {
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action != facts.Deny || facts.On(r.Inactive) {
			continue
		}
		src, some := networksOf(d, f, &r.Match.Src)
		protocols := judge.NamesTransfers(d, f, &r.Match)
		if !some || len(protocols) == 0 || slices.ContainsFunc(src, func(n netip.Prefix) bool { return n.Bits() == 0 }) {
			continue
		}
		x := stray{filter: f, rule: i}
		for _, proto := range protocols {
			x.protocols = append(x.protocols, judge.Upper(proto))
		}
		if x.nowhere(sides, src) {
			visit(&x)
		}
	}
}

// nowhere reports whether none of the places a filter is applied at can see a source of src, and fills in x.
func (x *stray) nowhere(sides []judge.Side, src []netip.Prefix) bool {
	for i := range sides {
		s := &sides[i]
		for k := range s.Interface.Bindings {
			b := &s.Interface.Bindings[k]
			if !slices.Contains(b.Filters, x.filter.Name) {
				continue
			}
			here := holds(s, src)
			others := slices.ContainsFunc(sides, func(o judge.Side) bool {
				return o.Interface != s.Interface && o.Interface.Scope == s.Interface.Scope && holds(&o, src)
			})
			var possible bool
			way := "in"
			if b.Direction == facts.In {
				// What is stated to be behind another side does not come in here; anything else may by a default route.
				possible = here || !s.Known || s.Outside && len(s.Beyond) == 0 && !others
			} else {
				way = "out"
				unknown := slices.ContainsFunc(sides, func(o judge.Side) bool {
					return o.Interface != s.Interface && o.Interface.Scope == s.Interface.Scope && (!o.Known || o.Outside && len(o.Beyond) == 0 && !here)
				})
				possible = others || unknown
			}
			if possible {
				return false
			}
			x.elsewhere = x.elsewhere || others || here
			x.where = fmt.Sprintf("%s on %q", way, s.Interface.Name)
			x.at = judge.Mark(x.at, "applied here", b.Span)
		}
	}
	return len(x.at) > 0
}

// holds reports whether some of the networks is known to be behind a side, or meets one that is.
func holds(s *judge.Side, nets []netip.Prefix) bool {
	return slices.ContainsFunc(s.Networks, func(n netip.Prefix) bool { return slices.ContainsFunc(nets, n.Overlaps) })
}

func (x *stray) finding(d *facts.Device, variant uint8, why string) audit.Finding {
	r := &x.filter.Rules[x.rule]
	marks := judge.Mark(nil, "", r.Span)
	for _, m := range x.at {
		marks = judge.Mark(marks, m.Role, m.Span)
	}
	return audit.Finding{
		Variant: variant, Subject: audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s: deny of %s", filterName(x.filter), judge.Join(x.protocols))},
		Severity: audit.Score(.60, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s denies %s by filter %q %s to sources that are not there: %s", d.ID, judge.Join(x.protocols), x.filter.Name, x.where, why),
		Spans:   marks, Signal: audit.Signal{Weight: .05, Class: "CFG"},
	}
}
