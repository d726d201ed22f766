package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// AppPort is QM2017.
func AppPort() *audit.Check {
	return &audit.Check{
		ID: "QM2017", Slug: "acl-app-port-decoupled", Title: "NGFW rule decouples application from port", Severity: audit.Medium,
		Doc: `A policy permits a file transfer application on every port.

## Why it matters

An application firewall lets the first packets of every session through before it knows the application. With any service
the transfer may use whatever port looks harmless (T1571), and what identifies itself as FTP is let through on all of them.

## How it is decided

Policies in force that permit FTP, TFTP or SMB as an application and state no service: no port, no "application-default".
Policies that state neither are the matter of acl-any-any.

## How it can be wrong

A server on an odd port: name the port in a service of its own.

## Tunables

None.
`,
		Attack: []string{"T1571", "T1071.002"}, Analytics: []string{"AN1173"}, Controls: []string{"CIS-PAN 7.2", "PCI 1.2.5"},
		False: "an application that uses ports of its own, stated in the ticket",
		Fixes: map[string]string{facts.PANOS: "set rulebase security rules <rule> service application-default", "": "state the service beside the application"},
		Needs: audit.Needs{Platforms: []string{facts.PANOS, facts.FortiOS}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for _, a := range appliedFilters(d) {
				for i := range a.filter.Rules {
					decoupled(p, d, a, i)
				}
			}
		},
	}
}

func decoupled(p *audit.Pass, d *facts.Device, a appliedFilter, i int) {
	r := &a.filter.Rules[i]
	m := &r.Match
	restricted := m.HasServices || len(m.Services) > 0 || m.DstPorts.Present || m.EitherPorts.Present || len(m.AnyOf) > 0
	if r.Action != facts.Permit || facts.On(r.Inactive) || len(m.Apps) == 0 || restricted {
		return
	}
	protocols := judge.NamesTransfers(d, a.filter, &facts.Match{Apps: m.Apps})
	if len(protocols) == 0 {
		return
	}
	var names []string
	for _, x := range protocols {
		names = append(names, judge.Upper(x))
	}
	slices.Sort(names)
	name := r.Name
	if name == "" {
		name = fmt.Sprintf("#%d", i+1)
	}
	p.Report(audit.Finding{
		Subject:  audit.Subject{Kind: "filter", Name: filterName(a.filter) + " " + name},
		Severity: audit.Score(.60, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s permits %s on every port by rule %q of filter %q", d.ID, judge.Join(names), name, a.filter.Name),
		Spans:   judge.Mark(judge.Mark(nil, "", r.Span), "applied here", a.at...), Signal: audit.Signal{Weight: .10, Class: "CFG"},
	})
}
