package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// Variants of QM2016.
const (
	algHole = iota
	algNone
)

// FTPInspection is QM2016.
func FTPInspection() *audit.Check {
	return &audit.Check{
		ID: "QM2016", Slug: "acl-ftp-alg", Title: "FTP allowed without application inspection", Severity: audit.Medium,
		Doc: `A line permits FTP's control channel, nothing follows the data channels it announces, and high ports are open for them.

## Why it matters

FTP names the port of every transfer in its control channel. A filter that cannot read it needs all ports above 1023 open, to
the server or back to the client, and anything may use those (T1571).

## How it is decided

Lines that permit TCP 21 by name and that opening packets reach, where no gateway for FTP is known to look into the sessions:
"inspect ftp" of an ASA, a rule set of "ip inspect" or a zone policy on IOS, the ALG of Junos and PAN-OS, the session helper of
FortiOS, the service port of RouterOS. A list without state has none. Then: does the same filter permit high TCP ports between
the same addresses?

A stateful firewall without the gateway and without the hole is reported as low: passive transfers fail there, and the usual
answer to the ticket is the hole.

## How it can be wrong

Explicit FTPS hides its ports from every gateway: it needs a fixed passive range on the server, permitted as such. State the
range in a workflow's ticket.

## Tunables

None.
`,
		Variants: []audit.Variant{
			algHole: {Name: "high ports are open for the data", Severity: audit.Medium}, algNone: {Name: "passive transfers fail", Severity: audit.Low},
		},
		Attack: []string{"T1571"}, Analytics: []string{"AN1173"}, Controls: []string{"SC-7", "PCI 1.2.6"},
		False: "explicit FTPS with a fixed passive range",
		Fixes: map[string]string{
			facts.CiscoASA: "policy-map global_policy\n class inspection_default\n  inspect ftp strict <map>",
			facts.Junos:    "delete security alg ftp disable", facts.RouterOS: "/ip firewall service-port set ftp disabled=no",
			"": "inspect FTP, or permit the fixed passive range of the server alone",
		},
		Needs: audit.Needs{Platforms: []string{
			facts.AristaEOS, facts.CiscoASA, facts.CiscoIOS, facts.CiscoIOSXR, facts.CiscoNXOS, facts.FortiOS, facts.Junos, facts.PANOS, facts.RouterOS,
		}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for _, a := range appliedFilters(d) {
				if gateway, why, known := ftpGateway(d, a.filter); known && !gateway {
					uninspected(p, d, a, why)
				}
			}
		},
	}
}

// ftpGateway reports whether something follows FTP's data channels where a filter decides, and the lines that say so.
func ftpGateway(d *facts.Device, f *facts.Filter) (on bool, why []evidence.Span, known bool) {
	for i := range d.Services {
		s := &d.Services[i]
		if s.Role != facts.RoleALG || s.Protocol != facts.FTP {
			continue
		}
		switch {
		case facts.On(s.Enabled):
			return true, nil, true
		case facts.Off(s.Enabled):
			why, known = append(why, s.Span), true
		}
	}
	if known && (f.Stateful || facts.PlatformFamily(d.Platform) == facts.RouterOS) {
		return false, why, true
	}
	inspects := false
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		bound := slices.ContainsFunc(x.Bindings, func(b facts.Binding) bool { return slices.Contains(b.Filters, f.Name) })
		for _, b := range d.Bindings {
			bound = bound || slices.Contains(b.Filters, f.Name) && (b.Where == x.Name || b.Where == x.Alias || b.Where == facts.WhereGlobal)
		}
		if bound && len(x.Inspect) > 0 {
			// IOS names a rule set, whose protocols are counted as all; an ASA names the protocols.
			inspects = inspects || facts.PlatformFamily(d.Platform) != facts.CiscoASA || slices.Contains(x.Inspect, "ftp")
		}
	}
	if inspects {
		return true, nil, true
	}
	if facts.PlatformFamily(d.Platform) == facts.CiscoASA {
		return false, nil, judge.Whole(d)
	}
	return false, nil, !f.Stateful
}

func uninspected(p *audit.Pass, d *facts.Device, a appliedFilter, why []evidence.Span) {
	f := a.filter
	var rules []int
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action == facts.Permit && !facts.On(r.Inactive) && !r.Return && judge.Covers(d, f, &r.Match, facts.TransferPorts()[0]) {
			rules = append(rules, i)
		}
	}
	if len(rules) == 0 || f.Synthetic {
		return
	}
	takings, err := p.Space(d).Takings(f.Scope, f.Name, rules)
	if err != nil {
		p.NotEvaluated(fmt.Sprintf("filter %q: %v", f.Name, err))
		return
	}
	for i := range takings {
		x := &takings[i]
		if x.Protocol != facts.FTP {
			continue
		}
		r := &f.Rules[x.Index]
		src, ok1 := setOf(d, f, &r.Match.Src)
		dst, ok2 := setOf(d, f, &r.Match.Dst)
		if !ok1 || !ok2 {
			continue
		}
		q := headerspace.Query{
			Filter: f.Name, Scope: f.Scope, Family: f.Family, Src: src, Dst: dst, Protocols: []uint8{facts.TCP}, DstPorts: []facts.PortRange{{First: 49152, Last: 60999}}, At: p.Now(),
		}
		hole, err := p.Space(d).Search(q, headerspace.Permit)
		open := err == nil && hole.Verdict == headerspace.Permit
		if !open && !f.Stateful {
			continue // a list without state and without the hole: the data goes elsewhere
		}
		finding := audit.Finding{
			Variant: algNone, Subject: audit.Subject{Kind: "filter", Name: filterName(f) + " " + x.Rule}, Severity: audit.Low, Confidence: audit.ConfidenceMedium,
			Message: fmt.Sprintf("%s permits FTP by rule %q of filter %q, and nothing inspects it", d.ID, x.Rule, f.Name),
			Spans:   judge.Mark(nil, "", r.Span), Signal: audit.Signal{Weight: .05, Class: "CFG"},
		}
		if open {
			finding.Variant, finding.Severity = algHole, audit.Score(.40, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial)
			finding.Message += ": the ports above 1023 are open for its data"
			if len(hole.Culprits) > 0 {
				finding.Spans = judge.Mark(finding.Spans, "opens the high ports", hole.Culprits[0])
			}
		}
		finding.Spans = judge.Mark(judge.Mark(finding.Spans, "inspection is off", why...), "applied here", a.at...)
		p.Report(finding)
	}
}
