package exposure

import (
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Unapplied is QM2010.
func Unapplied() *audit.Check {
	return &audit.Check{
		ID: "QM2010", Slug: "acl-unapplied", Title: "Transfer-deny ACL exists but is not applied", Severity: audit.Medium,
		Doc: `A filter denies file transfer protocols, and nothing of the configuration uses it.

## Why it matters

Somebody wrote it to stop the protocols and reviews count it; traffic never meets it (T1048 passes).

## How it is decided

Filters with a line that denies a transfer port by number or name, and no use: no interface, zone pair, login line, SNMP or
service, no class map, route map, crypto map or other statement that names it, and no filter in use that asks it. Only a whole
configuration can show that, of a platform whose other uses of lists are known to Quaymaster.

## How it can be wrong

A list that is staged for a change: accept it with its ticket. A controller that applies it from outside.

## Tunables

None.
`,
		Attack: []string{"T1048"}, Analytics: []string{"AN1173"}, Controls: []string{"PCI 1.2.7", "CM-3"},
		False:  "a staged change with its ticket",
		Fixes:  map[string]string{facts.CiscoIOS: "interface <name>\n ip access-group <list> in\nor: no ip access-list extended <list>", "": "apply the filter where it is meant to decide, or delete it"},
		Needs:  audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: unapplied,
	}
}

func unapplied(p *audit.Pass, d *facts.Device) {
	used := usedFilters(d)
	for i := range d.Filters {
		f := &d.Filters[i]
		if f.Synthetic || f.Unread != "" || used[f] {
			continue
		}
		var marks []audit.Mark
		var names []string
		for k := range f.Rules {
			r := &f.Rules[k]
			if r.Action != facts.Deny || facts.On(r.Inactive) {
				continue
			}
			for _, proto := range judge.NamesTransfers(d, f, &r.Match) {
				marks = judge.Mark(marks, "denies "+judge.Upper(proto), r.Span)
				if name := judge.Upper(proto); !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		}
		switch {
		case len(names) == 0:
		case !judge.Whole(d):
			p.NotEvaluated(fmt.Sprintf("whether filter %q is applied is unknown: the configuration is not whole", f.Name))
		default:
			if !f.Span.IsZero() {
				marks = append([]audit.Mark{{Span: f.Span}}, slices.DeleteFunc(marks, func(m audit.Mark) bool { return m.Span == f.Span })...)
			}
			p.Report(audit.Finding{
				Subject: audit.Subject{Kind: "filter", Name: filterName(f)}, Severity: audit.Score(.45, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial),
				Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s: filter %q denies %s and is applied nowhere", d.ID, f.Name, judge.Join(names)),
				Spans: marks, Signal: audit.Signal{Weight: .05, Class: "CFG"},
			})
		}
	}
}

// usedFilters are the filters that something names, and those that they ask.
func usedFilters(d *facts.Device) map[*facts.Filter]bool {
	used := map[*facts.Filter]bool{}
	named := map[string]bool{}
	for _, g := range bindingsOf(d) {
		named[g] = true
	}
	for _, r := range d.References {
		named[r.Filter] = true
	}
	for i := range d.Access {
		named[d.Access[i].ACL.Val] = true
	}
	for i := range d.Services {
		named[d.Services[i].ACL.Val] = true
	}
	for i := range d.SNMP {
		named[d.SNMP[i].ACL.Val] = true
	}
	for i := range d.SNMPLimits {
		named[d.SNMPLimits[i].ACL] = true
	}
	var use func(f *facts.Filter)
	use = func(f *facts.Filter) {
		if used[f] {
			return
		}
		used[f] = true
		for i := range f.Rules {
			r := &f.Rules[i]
			for _, name := range [2]string{r.To, r.Match.PermittedBy} {
				for k := range d.Filters {
					if o := &d.Filters[k]; name != "" && o.Name == name && (o.Scope == f.Scope || o.Scope == "") {
						use(o)
					}
				}
			}
		}
	}
	for i := range d.Filters {
		if named[d.Filters[i].Name] {
			use(&d.Filters[i])
		}
	}
	return used
}

// bindingsOf are the names of the filters that are bound anywhere.
func bindingsOf(d *facts.Device) []string {
	var out []string
	for i := range d.Interfaces {
		for _, b := range d.Interfaces[i].Bindings {
			out = append(out, b.Filters...)
		}
		out = append(out, d.Interfaces[i].Inspect...)
	}
	for _, b := range d.Bindings {
		out = append(out, b.Filters...)
	}
	for _, z := range d.Zoning.Pairs {
		out = append(out, z.Filters...)
	}
	return append(out, d.Zoning.Global...)
}
