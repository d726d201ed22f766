package activity

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// TunnelAdded is QM3003.
func TunnelAdded() *audit.Check {
	return &audit.Check{
		ID: "QM3003", Slug: "chg-tunnel-added", Title: "GRE/mGRE/IPsec tunnel or static route to a new external endpoint", Severity: audit.High,
		Doc: `A change made a tunnel to an address outside, moved the end of one, or added a route to a few outside addresses.

## Why it matters

A tunnel carries transfers past every filter and every flow record between its ends. Intruders on routers build them first
(AA25-239A, TA18-106A: GRE, IP protocol 47), and collect over them what T1071.002 would otherwise show.

## How it is decided
` + comparing + `
A tunnel counts when its far end is an address of no internal or partner zone, or any peer at all (multipoint), and no tunnel
of the earlier state had that end. So does one whose source interface got another address in the same change. A static
route counts when it leads to at most eight outside addresses and was not there.

## How it can be wrong

A new site of the company is reached over the same kind of tunnel: name its addresses in a partner zone.

## Tunables

"zones" and "change_windows" of the policy.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1572", "T1090", "T1599"}, Analytics: []string{"AN1173"},
		Controls: []string{"AA25-239A", "TA18-106A", "CIS-IOS 3.1.3", "CM-3"},
		False:    "a WAN project with a ticket, and the far end in a partner zone",
		Fixes:    map[string]string{"": "remove the tunnel or route, and look for flows of IP protocol 47 and of the new addresses"},
		Needs:    changeNeeds(), Change: tunnelAdded,
	}
}

func tunnelAdded(p *audit.Pass, before, after *facts.Device) {
	severity := audit.Score(.75, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryFull)
	for i := range after.Interfaces {
		x := &after.Interfaces[i]
		t := x.Tunnel
		if t == nil || facts.On(x.Shutdown) {
			continue
		}
		old := slices.IndexFunc(before.Interfaces, func(o facts.Interface) bool {
			return o.Tunnel != nil && (o.Tunnel.Addr == t.Addr && o.Tunnel.Destination == t.Destination || o.Name == x.Name && t.Destination == "" && o.Tunnel.Destination == "")
		})
		f := audit.Finding{
			Subject: audit.Subject{Kind: "tunnel", Name: x.Name + " to " + cmp.Or(t.Destination, "any peer")}, Severity: severity,
			Spans: judge.Mark(nil, "", t.Span, x.Span), Signal: audit.Signal{Weight: .35, Class: "CFG"},
		}
		mode := cmp.Or(t.Mode, "tunnel")
		switch {
		case old < 0 && (outside(p, t.Addr) || t.Destination == ""):
			f.Message = fmt.Sprintf("%s has a tunnel (%s) to %s since a change: %q", after.ID, mode, cmp.Or(t.Destination, "any peer"), x.Name)
		case old >= 0 && outside(p, t.Addr) && movedSource(before, after, t.Source):
			f.Message = fmt.Sprintf("%s sends its tunnel %q from another address since a change of %q", after.ID, x.Name, t.Source)
		default:
			continue
		}
		changed(p, f)
	}
	for i := range after.Routes {
		r := &after.Routes[i]
		if !r.Prefix.IsValid() || r.Prefix.Addr().BitLen()-r.Prefix.Bits() > 3 || !outside(p, r.Prefix.Addr()) {
			continue
		}
		if slices.ContainsFunc(before.Routes, func(o facts.Route) bool { return o.Prefix == r.Prefix && o.Scope == r.Scope }) {
			continue
		}
		name := r.Prefix.String()
		if r.Scope != "" {
			name += " vrf " + r.Scope
		}
		changed(p, audit.Finding{
			Subject: audit.Subject{Kind: "route", Name: name}, Severity: severity,
			Message: fmt.Sprintf("%s has a route to the outside address %s since a change", after.ID, name),
			Spans:   judge.Mark(nil, "", r.Span), Signal: audit.Signal{Weight: .35, Class: "CFG"},
		})
	}
}

// movedSource reports whether an interface that a tunnel starts from has other addresses than before.
func movedSource(before, after *facts.Device, name string) bool {
	find := func(d *facts.Device) *facts.Interface {
		i := slices.IndexFunc(d.Interfaces, func(x facts.Interface) bool { return x.Name == name })
		if i < 0 {
			return nil
		}
		return &d.Interfaces[i]
	}
	a, b := find(before), find(after)
	return a != nil && b != nil && len(a.Addrs) > 0 && !slices.Equal(a.Addrs, b.Addrs)
}
