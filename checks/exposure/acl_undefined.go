package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// Variants of QM2009.
const (
	listUndefined = iota
	listEmpty
	groupInDeny
	groupInPermit
)

// Undefined is QM2009.
func Undefined() *audit.Check {
	return &audit.Check{
		ID: "QM2009", Slug: "acl-undefined", Title: "Referenced ACL undefined or empty (permits all)", Severity: audit.High,
		Doc: `A filter is referenced and not defined, or defined without a line, on a platform where that permits everything; or a
line of an applied filter names a group that is not there.

## Why it matters

The configuration reads as if traffic, logins, SNMP or the TFTP server were limited, and nothing is: whatever T1071.002
needs passes. The first line added to such a list turns it into a deny of everything else, which is why nobody dares to.

## How it is decided

On IOS and IOS-XE a missing or empty list permits all, for interfaces, logins, SNMP and the TFTP server alike (Cisco,
Catalyst 2960 configuration guide). A group that is undefined or empty matches nothing: a line that denies it denies
nothing, a line that permits it permits nothing. Lists that nothing refers to are not meant.

## How it can be wrong

A configuration that was cut before its lists looks the same. RANCID can remove the content of lists on request
(ACLFILTERREGEX): those are unknown, not empty. Where the platform does not document what a missing filter does, or refuses
to commit one, the reference is listed as not evaluated: the evidence must be a part.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{
			listUndefined: {Name: "undefined", Severity: audit.High}, listEmpty: {Name: "empty", Severity: audit.High},
			groupInDeny:   {Name: "a line that denies names a group that is not there", Severity: audit.High},
			groupInPermit: {Name: "a line that permits names a group that is not there", Severity: audit.Low},
		},
		Attack: []string{"T1562.004"}, Analytics: []string{"AN1173"}, Controls: []string{"CISC-RT-000010", "CM-6", "CIS-IOS 3.2.2"},
		False: "none",
		Fixes: map[string]string{
			facts.CiscoIOS: "ip access-list extended <name>\n <the lines it was meant to have>\nor remove the reference", "": "define the list or group, or remove the reference",
		},
		Needs:  audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: undefined,
	}
}

func undefined(p *audit.Pass, d *facts.Device) {
	missing := p.Space(d).Undefined()
	missing = append(missing, referred(d, missing)...)
	sides := judge.Sides(p, d)
	own := max(judge.Facing(p, d).Factor, audit.ExposureInternal)
	for i := range missing {
		m := &missing[i]
		switch {
		case m.Kind != "filter":
			p.Report(missingGroup(d, m))
		case m.Acts == facts.Permit:
			p.Report(missingFilter(d, m, exposureAt(sides, m.Where, own)))
		case m.Acts == facts.ActionUnknown:
			p.NotEvaluated(fmt.Sprintf("filter %q (%s) is not in this evidence: what it lets through is unknown", m.Name, m.Where))
		}
	}
}

// referred are the lists that services, SNMP and its limits name, that nothing stands behind, and that no binding told of.
func referred(d *facts.Device, have []headerspace.Missing) []headerspace.Missing {
	if facts.PlatformFamily(d.Platform) != facts.CiscoIOS {
		return nil
	}
	var out []headerspace.Missing
	look := func(acl facts.V[string], scope, where string, told ...string) {
		if !acl.Known() || acl.Val == "" {
			return
		}
		f := judge.Find(d, acl.Val, scope)
		if f != nil && (len(f.Rules) > 0 || f.Unread != "" || f.WhenEmpty != facts.Permit && f.Default != facts.Permit) {
			return
		}
		m := headerspace.Missing{Kind: "filter", Name: acl.Val, Scope: scope, Empty: f != nil, Acts: facts.Permit, Where: where, Span: acl.Span}
		same := func(o headerspace.Missing) bool {
			return o.Kind == "filter" && o.Name == m.Name && (o.Where == where || slices.Contains(told, o.Where) || o.Span == m.Span)
		}
		if !slices.ContainsFunc(have, same) && !slices.ContainsFunc(out, same) {
			out = append(out, m)
		}
	}
	for i := range d.Services {
		if s := &d.Services[i]; facts.On(s.Enabled) {
			look(s.ACL, s.Scope, s.Name, facts.WhereTFTPServer, facts.WhereHTTP, facts.WhereSSH)
		}
	}
	for i := range d.SNMP {
		look(d.SNMP[i].ACL, d.SNMP[i].Scope, facts.WhereSNMP)
	}
	for i := range d.SNMPLimits {
		look(facts.Say(d.SNMPLimits[i].ACL, d.SNMPLimits[i].Span), "", "snmp file transfer")
	}
	return out
}

// exposureAt is how far out what a filter was meant for reaches: an interface's side, else the device's own services.
func exposureAt(sides []judge.Side, where string, own float64) float64 {
	for i := range sides {
		if x := sides[i].Interface; where == x.Name || x.Alias != "" && where == x.Alias {
			if sides[i].Outside || !sides[i].Known {
				return audit.ExposureUntrusted
			}
			return audit.ExposureInternal
		}
	}
	return own
}

func missingFilter(d *facts.Device, m *headerspace.Missing, exposure float64) audit.Finding {
	v, what := uint8(listUndefined), "is not defined"
	marks := judge.Mark(nil, "", m.Span)
	if m.Empty {
		v, what = listEmpty, "has no line"
		if f := judge.Find(d, m.Name, m.Scope); f != nil {
			marks = judge.Mark(marks, "defined here, empty", f.Span)
		}
	}
	return audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "filter", Name: m.Name + " " + m.Where},
		Severity: audit.Score(.75, exposure, audit.PrivilegeDevice, judge.Telemetry(d)), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s permits everything at %q: filter %q %s", d.ID, m.Where, m.Name, what),
		Spans:   marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
	}
}

func missingGroup(d *facts.Device, m *headerspace.Missing) audit.Finding {
	v, exposure, does := uint8(groupInPermit), audit.ExposureManagement, "the line permits nothing"
	if ruleAction(d, m) == facts.Deny {
		v, exposure, does = groupInDeny, audit.ExposureInternal, "the line denies nothing"
	}
	what := "is not defined"
	if m.Empty {
		what = "is empty"
	}
	return audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: m.Kind, Name: m.Name + " in filter " + m.Filter},
		Severity: audit.Score(.75, exposure, audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s: %s %q, named by rule %q of filter %q, %s: %s", d.ID, m.Kind, m.Name, m.Rule, m.Filter, what, does),
		Spans:   judge.Mark(nil, "", m.Span), Signal: audit.Signal{Weight: .05, Class: "CFG"},
	}
}

// ruleAction is what the rule that names a missing group does.
func ruleAction(d *facts.Device, m *headerspace.Missing) facts.Action {
	f := judge.Find(d, m.Filter, m.Scope)
	if f == nil {
		return facts.ActionUnknown
	}
	for i := range f.Rules {
		if r := &f.Rules[i]; r.Name != "" && r.Name == m.Rule || r.Name == "" && m.Rule == fmt.Sprintf("#%d", i+1) {
			return r.Action
		}
	}
	return facts.ActionUnknown
}
