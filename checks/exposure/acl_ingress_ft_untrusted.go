package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// Variants of QM2002.
const (
	ingressFiltered = iota
	ingressNoFilter
	ingressTranslated
)

// Ingress is QM2002.
func Ingress() *audit.Check {
	return &audit.Check{
		ID: "QM2002", Slug: "acl-ingress-ft-untrusted", Title: "Untrusted ingress to a file-transfer service is permitted", Severity: audit.Critical,
		Doc: `The filters of a device let a file transfer protocol come from addresses outside to addresses of an internal zone.

## Why it matters

A server that anyone may reach is a place to put and fetch things: commands, tools, what was collected (T1071.002, T1190).
TFTP, SMB and Smart Install ask for no name at all.

## How it is decided

By the filters themselves, exactly, as for the way out (acl-egress-ft-untrusted): from every interface whose far end is not
ours to every interface with an internal zone behind it, is there a packet of the protocol from an outside address to one
of the addresses known to be there? Addresses that static translation publishes are asked about as they are seen from
outside. What an approved workflow allows is taken out, exactly. One finding for each filter application and protocol, with
one packet and the lines that let it in.

TFTP, SMB and Smart Install are critical, FTP is high, FTPS medium, less for less precious zones. Where no filter decides
the finding has medium confidence. The device's own servers are other checks' matter (svc-tftp-server and its like count the
filters in front of them).

## How it can be wrong

That an address is let in does not say that something answers there. No path across devices is claimed: another one may
stop the packet.

## Tunables

"zones" and "workflows" of the policy.
`,
		Variants: []audit.Variant{
			ingressFiltered: {Name: "a filter lets it in", Severity: audit.Critical}, ingressNoFilter: {Name: "nothing filters", Severity: audit.High},
			ingressTranslated: {Name: "to an address that translation publishes", Severity: audit.Critical},
		},
		Attack: []string{"T1190", "T1133", "T1602.002"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-RT-000250", "CISC-RT-000260", "CISC-RT-000330", "SC-7", "PCI 1.3.1", "PCI 1.4.2"},
		False:    "a published FTPS server for partners: approve it as a workflow with its address and theirs",
		Fixes:    map[string]string{"": "deny the protocol from outside, restrict its sources, or move the server behind a proxy"},
		Needs:    audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			g := &ingress{egress: newEgress(p, d), found: map[string]*entry{}}
			g.paths()
			g.report()
		},
	}
}

// ingress asks from outside to inside.
type ingress struct {
	*egress
	found map[string]*entry
}

// An entry is a protocol that an application lets in.
type entry struct {
	application
	protocol facts.Protocol
	zones    []policy.Zone
	answer   headerspace.ProtocolAnswer
	query    headerspace.Query
	variant  uint8
}

func (g *ingress) paths() {
	outs := g.bundles(facts.Out)
	for i := range g.sides {
		in := &g.sides[i]
		if !in.Border || in.HostOnly {
			continue
		}
		for j := range outs {
			members := outs[j].without(in)
			if len(members) == 0 || in.Interface.Scope != members[0].Interface.Scope {
				continue
			}
			for _, fam := range families(in.Interface, members[0].Interface) {
				a := g.admits(in, members, fam)
				q := headerspace.Query{In: in.Interface.Name, Out: members[0].Interface.Name, Scope: in.Interface.Scope, Family: fam, At: g.p.Now()}
				for _, z := range zonesOf(members) {
					if near, who := behind(g.p, members, z); len(who) > 0 {
						q.Dst, q.Out = near, who[0].Interface.Name
						g.ask(q, a, z, a.plain)
					}
					if seen := g.published(z); len(seen) > 0 {
						q.Dst = headerspace.Set{Prefixes: seen}
						g.ask(q, a, z, ingressTranslated)
					}
				}
			}
		}
	}
}

// admits names what is nearest to outside of all that decides on the way in.
func (g *ingress) admits(in *judge.Side, out []*judge.Side, fam facts.Family) application {
	if a, ok := g.applied(in.Interface, facts.In, fam); ok {
		return a
	}
	a, _ := g.decidesFor([]*judge.Side{in}, out, fam)
	if a.plain == egressNoFilter {
		a.plain, a.name = ingressNoFilter, "no filter from outside"
		if fam == facts.IPv6 {
			a.name += ", IPv6"
		}
		a.say = fmt.Sprintf("%q, where nothing filters", cmp.Or(in.Interface.Alias, in.Interface.Name))
		a.marks = judge.Mark(nil, "faces outside", in.Interface.Span)
	}
	return a
}

// published are the outside addresses that static translation gives to addresses of a zone.
func (g *ingress) published(z policy.Zone) []netip.Prefix {
	var out []netip.Prefix
	for i := range g.d.NAT {
		n := &g.d.NAT[i]
		real, seen := n.Original, n.Mapped
		if n.Kind == "destination" {
			real, seen = n.Mapped, n.Original
		}
		if !n.Static || !real.IsValid() || !seen.IsValid() || real == seen || g.p.Zone(real.Addr()).Name != z.Name {
			continue
		}
		out = append(out, seen)
	}
	return out
}

func (g *ingress) ask(q headerspace.Query, a application, z policy.Zone, variant uint8) {
	for _, src := range judge.Outside(g.p, g.p.Policy.Allow...) {
		q.Src = src
		answers, err := g.space.Transfers(q)
		if err != nil {
			continue // of another version of IP
		}
		for i := range answers {
			got := &answers[i]
			if got.Permitted != nil && g.unapproved(q, z, got) {
				g.keep(a, q, z, got, variant)
			} else if got.Permitted == nil && got.Verdict == headerspace.Unknown {
				why := fmt.Sprintf("whether %s lets transfers from outside to zone %s in is unknown: %s", a.text(), z.Name, cmp.Or(got.Reason, "a line was not understood"))
				if g.open[why] == nil {
					g.open[why] = map[string]bool{}
				}
				g.open[why][judge.Upper(got.Protocol)] = true
			}
		}
	}
}

// unapproved asks again without what workflows from outside approve, and keeps the answer about the rest.
func (g *ingress) unapproved(q headerspace.Query, z policy.Zone, got *headerspace.ProtocolAnswer) bool {
	var approved []approval
	now := g.p.Now()
	for i := range g.p.Policy.Workflows {
		w := &g.p.Policy.Workflows[i]
		if slices.Contains(w.Protocols, got.Protocol) && w.InForce(now) {
			if a := (approval{from: judge.Networks(g.p, &w.From), to: judge.Networks(g.p, &w.To)}); len(a.from) > 0 && len(a.to) > 0 {
				approved = append(approved, a)
			}
		}
	}
	if len(approved) == 0 {
		return true
	}
	return g.beyond(q, approved, got)
}

func (g *ingress) keep(a application, q headerspace.Query, z policy.Zone, got *headerspace.ProtocolAnswer, variant uint8) {
	key := a.kind + "\x00" + a.name + "\x00" + got.Protocol.String()
	if variant == ingressNoFilter { // one finding: everything comes in
		key = a.kind + "\x00" + a.name
	}
	e := g.found[key]
	if e == nil {
		g.found[key] = &entry{application: a, protocol: got.Protocol, zones: []policy.Zone{z}, answer: *got, query: q, variant: variant}
		return
	}
	if !slices.ContainsFunc(e.zones, func(o policy.Zone) bool { return o.Name == z.Name }) {
		e.zones = append(e.zones, z)
	}
	e.join(&a)
}

func (g *ingress) report() {
	for _, key := range slices.Sorted(maps.Keys(g.found)) {
		g.p.Report(g.findingOf(g.found[key]))
	}
	for _, why := range slices.Sorted(maps.Keys(g.open)) {
		g.p.NotEvaluated(fmt.Sprintf("%s (%s)", why, judge.Join(slices.Sorted(maps.Keys(g.open[why])))))
	}
}

func (g *ingress) findingOf(e *entry) audit.Finding {
	base, other := map[facts.Protocol]float64{facts.FTP: .75, facts.FTPS: .55}[e.protocol]
	if !other {
		base = .90
	}
	privilege := audit.PrivilegeNone
	var names []string
	for _, z := range e.zones {
		privilege = max(privilege, judge.Privilege(z))
		names = append(names, z.Name)
	}
	slices.Sort(names)
	zones := "zone " + judge.Join(names)
	switch {
	case len(names) > 4:
		zones = fmt.Sprintf("%d zones", len(names))
	case len(names) > 1:
		zones = "zones " + judge.Join(names)
	}
	what, suffix := judge.Upper(e.protocol), e.protocol.String()
	if e.variant == ingressNoFilter {
		what, suffix, base = "every transfer protocol", "every transfer protocol", .90
	}
	l := &leak{answer: e.answer, query: e.query}
	g.follow(l)
	f := audit.Finding{
		Variant: e.variant, Subject: audit.Subject{Kind: e.kind, Name: e.name + ": in " + suffix},
		Severity: audit.Score(base, audit.ExposureUntrusted, privilege, judge.Telemetry(g.d)), Confidence: audit.ConfidenceHigh,
		Message:  fmt.Sprintf("%s lets %s in from addresses outside to %s by %s", g.d.ID, what, zones, e.text()),
		Evidence: map[string]string{}, Signal: audit.Signal{Weight: .20, Class: "CFG"},
	}
	if e.variant == ingressNoFilter {
		f.Confidence = audit.ConfidenceMedium
	}
	g.evidence(&f, l)
	delete(f.Evidence, "session")
	f.Spans = g.spans(&outlet{application: e.application}, l)
	return f
}
