package exposure

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// IPv6Gap is QM2019.
func IPv6Gap() *audit.Check {
	return &audit.Check{
		ID: "QM2019", Slug: "acl-ipv6-gap", Title: "IPv6 path open where IPv4 is filtered", Severity: audit.Medium,
		Doc: `An interface filters transfer protocols in IPv4, speaks IPv6 as well, and has no filter for IPv6 in that direction.

## Why it matters

Hosts with both versions prefer IPv6. What a list of IPv4 denies, T1071.002 does over the other one, and the counters of the
list stay at zero.

## How it is decided

Interfaces with a global IPv6 address and a filter for IPv4 in a direction, and none for IPv6 there: the filter is asked about
every transfer protocol in IPv4, and what it denies, whole or in part, is open in IPv6. A filter that decides about both
versions, a policy between zones and a filter of what passes through count for both.

## How it can be wrong

IPv6 may be stopped elsewhere on the way; no path across devices is claimed. An interface with a link-local address alone is
not meant.

## Tunables

"zones" of the policy.
`,
		Attack: []string{"T1048"}, Analytics: []string{"AN1173"}, Controls: []string{"SC-7", "NSA 2.4"},
		False: "IPv6 is stopped before or behind the device",
		Fixes: map[string]string{
			facts.CiscoIOS: "ipv6 access-list <name>\n deny udp any any eq tftp log\n deny tcp any any range ftp-data ftp log\n deny tcp any any eq 445 log\ninterface <interface>\n ipv6 traffic-filter <name> in",
			facts.Junos:    "set firewall family inet6 filter <name> ...\nset interfaces <interface> unit <n> family inet6 filter input <name>",
			"":             "filter IPv6 on the interface as IPv4 is filtered",
		},
		Needs:  audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: ipv6Gap,
	}
}

func ipv6Gap(p *audit.Pass, d *facts.Device) {
	if d.Zoning.Model != facts.NoZoning || slices.ContainsFunc(d.Bindings, func(b facts.Binding) bool {
		return b.Where == facts.WhereTransit || b.Where == facts.WhereGlobal
	}) {
		return // zones, levels and lists of what passes decide about both versions
	}
	for _, s := range judge.Sides(p, d) {
		x := s.Interface
		if !slices.ContainsFunc(x.Addrs, globalIPv6) {
			continue
		}
		for _, dir := range []facts.Direction{facts.In, facts.Out} {
			gapOn(p, d, &s, dir)
		}
	}
}

func gapOn(p *audit.Pass, d *facts.Device, s *judge.Side, dir facts.Direction) {
	x := s.Interface
	var four []int
	for i := range x.Bindings {
		b := &x.Bindings[i]
		if b.Direction != dir || len(b.Filters) == 0 {
			continue
		}
		f := judge.Find(d, b.Filters[0], x.Scope)
		switch {
		case b.Family == facts.IPv6 || f != nil && f.Family == facts.IPv6:
			return
		case b.Family == facts.AnyFamily && (f == nil || f.Family == facts.AnyFamily):
			return // both versions
		}
		four = append(four, i)
	}
	if len(four) == 0 {
		return
	}
	b := &x.Bindings[four[0]]
	q := headerspace.Query{Scope: x.Scope, Family: facts.IPv4, At: p.Now()}
	way := "in"
	if q.In = x.Name; dir == facts.Out {
		q.In, q.Out, way = "", x.Name, "out"
	}
	answers, err := p.Space(d).Transfers(q)
	if err != nil {
		p.NotEvaluated(fmt.Sprintf("interface %q: %v", x.Name, err))
		return
	}
	var names []string
	for i := range answers {
		if name := judge.Upper(answers[i].Protocol); answers[i].Denied != nil && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return
	}
	exposure := audit.ExposureInternal
	if s.Outside || !s.Known {
		exposure = audit.ExposureUntrusted
	}
	i := slices.IndexFunc(x.Addrs, globalIPv6)
	p.Report(audit.Finding{
		Subject:  audit.Subject{Kind: "interface", Name: x.Name + " " + way},
		Severity: audit.Score(.60, exposure, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s filters %s in IPv4 by %q %s on %q, and nothing filters IPv6 there (%s)", d.ID, judge.Join(names), b.Filters[0], way, x.Name, x.Addrs[i]),
		Spans:   judge.Mark(judge.Mark(nil, "", b.Span), "interface", x.Span), Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}

func globalIPv6(a netip.Prefix) bool {
	return a.Addr().Is6() && !a.Addr().Is4In6() && a.Addr().IsGlobalUnicast()
}
