// Package judge holds what checks share: how far a device can be reached, how well it is watched, and who is where.
//
// Unknown is never cheaper than known: a reach that cannot be computed counts as reachable from outside.
package judge

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// A Reach is from where something can be reached.
type Reach struct {
	Factor float64 // an exposure factor of audit
	Who    string  // "anyone", "inside", "one host" ...: for messages
}

// Telemetry is the telemetry factor of a device: blind without remote log, full with remote log, command accounting and
// flow export.
func Telemetry(d *facts.Device) float64 {
	l := &d.Logging
	switch {
	case facts.Off(l.Remote) || facts.Off(l.Enabled):
		return audit.TelemetryBlind
	case facts.On(l.Remote) && facts.On(l.CommandAccounting) && facts.On(l.FlowExport):
		return audit.TelemetryFull
	}
	return audit.TelemetryPartial
}

// Facing is how far out a device's own addresses reach when nothing limits the clients.
func Facing(p *audit.Pass, d *facts.Device) Reach {
	known, management := 0, 0
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		if facts.On(x.Shutdown) {
			continue
		}
		for _, a := range x.Addrs {
			if a.Addr().IsLoopback() || a.Addr().IsLinkLocalUnicast() {
				continue
			}
			z := p.Zone(a.Addr())
			if z.Trust == policy.External {
				return Reach{audit.ExposureUntrusted, "anyone, from outside too"}
			}
			known++
			if z.Kind == "management" {
				management++
			}
		}
	}
	switch known {
	case 0:
		return Reach{audit.ExposureUntrusted, "anyone: no address of the device is known"}
	case management:
		return Reach{audit.ExposureManagement, "the management network"}
	}
	return Reach{audit.ExposureInternal, "anyone inside"}
}

// ByFilter is how far out clients are let by the filter named acl: it is asked about the device's own clients, by their
// source addresses. open reports that the filter does not limit them: it is undefined, empty, or permits any.
func ByFilter(p *audit.Pass, d *facts.Device, acl, scope string) (r Reach, open bool) {
	f := Find(d, acl, scope)
	if f == nil || len(f.Rules) == 0 && f.Unread == "" {
		r = Facing(p, d)
		return r, true
	}
	outside, err := p.Space(d).Test(headerspace.Query{Scope: f.Scope, Filter: acl, Src: Outside(p)})
	if err != nil || outside.Verdict == headerspace.Unknown {
		return Reach{audit.ExposureUntrusted, "clients that could not be computed"}, false
	}
	if outside.Verdict != headerspace.Deny {
		everyone, err := p.Space(d).Test(headerspace.Query{Scope: f.Scope, Filter: acl})
		return Reach{audit.ExposureUntrusted, "clients outside"}, err == nil && everyone.Verdict == headerspace.Permit
	}
	if host := soleHost(f); host.IsValid() {
		return Reach{audit.ExposureHost, "one host"}, false
	}
	if onlyZone(p, f, "management") {
		return Reach{audit.ExposureManagement, "the management network"}, false
	}
	return Reach{audit.ExposureInternal, "clients inside"}, false
}

// Find is the filter of a name in a scope, or in the global one.
func Find(d *facts.Device, name, scope string) *facts.Filter {
	var global *facts.Filter
	for i := range d.Filters {
		f := &d.Filters[i]
		if f.Name != name {
			continue
		}
		if f.Scope == scope {
			return f
		}
		if f.Scope == "" {
			global = f
		}
	}
	return global
}

// soleHost is the one address a filter permits; invalid when it permits more, or less plainly.
func soleHost(f *facts.Filter) netip.Addr {
	var host netip.Addr
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action != facts.Permit || facts.On(r.Inactive) {
			continue
		}
		if len(r.Match.Src.Items) != 1 || host.IsValid() {
			return netip.Addr{}
		}
		x := r.Match.Src.Items[0].Prefix
		if !x.IsValid() || !x.IsSingleIP() {
			return netip.Addr{}
		}
		host = x.Addr()
	}
	return host
}

// onlyZone reports whether every source a filter permits lies in zones of a kind.
func onlyZone(p *audit.Pass, f *facts.Filter, kind string) bool {
	any := false
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action != facts.Permit || facts.On(r.Inactive) {
			continue
		}
		if len(r.Match.Src.Items) == 0 {
			return false
		}
		for _, x := range r.Match.Src.Items {
			if !x.Prefix.IsValid() || p.Zone(x.Prefix.Addr()).Kind != kind {
				return false
			}
			any = true
		}
	}
	return any
}

// Outside is every address that no internal or partner zone holds.
func Outside(p *audit.Pass) headerspace.Set {
	s := headerspace.Set{Not: true}
	for _, z := range p.Policy.Zones {
		if z.Trust != policy.External {
			s.Prefixes = append(s.Prefixes, z.CIDRs...)
		}
	}
	return s
}

// Privilege is what lies behind an address of a zone: control of devices, servers' data, users'.
func Privilege(z policy.Zone) float64 {
	switch z.Kind {
	case "management", "hypervisor":
		return audit.PrivilegeDevice
	case "user":
		return audit.PrivilegeUser
	}
	return audit.PrivilegeServer
}

// Removed is the reason why a fact cannot be denied on this evidence; empty when it can.
func Removed(d *facts.Device, fact string) string {
	i := slices.IndexFunc(d.Removed, func(r facts.Removal) bool { return r.Fact == fact })
	if i < 0 {
		return ""
	}
	return d.Removed[i].Reason
}

// Marks are spans with one role.
func Marks(role string, spans ...facts.V[string]) []audit.Mark {
	var out []audit.Mark
	for _, s := range spans {
		if !s.Span.IsZero() {
			out = append(out, audit.Mark{Span: s.Span, Role: role})
		}
	}
	return out
}

// FilterMark is where a filter is defined.
func FilterMark(d *facts.Device, name, scope string) []audit.Mark {
	if f := Find(d, name, scope); f != nil && !f.Span.IsZero() {
		return []audit.Mark{{Span: f.Span, Role: "client list defined here"}}
	}
	return nil
}

// IsSensitive reports whether a file a device publishes holds its configuration, keys or captures.
func IsSensitive(path string) bool {
	p := strings.ToLower(path)
	if strings.HasPrefix(p, "nvram:") || strings.HasPrefix(p, "system:") {
		return true
	}
	for _, part := range []string{"startup-config", "running-config", "private-config", "config.text", "vlan.dat", "-confg", ".rsa", "id_rsa"} {
		if strings.Contains(p, part) {
			return true
		}
	}
	for _, ext := range []string{".pcap", ".key", ".pem", ".p12", ".pfx", ".cfg", ".conf"} {
		if strings.HasSuffix(p, ext) {
			return true
		}
	}
	return false
}

// Devices are the platforms that are network devices.
func Devices() []string { return []string{facts.CiscoIOS, facts.CiscoASA, facts.Junos} }

// Address is an address as a message names it: with its owner when a device has it.
func Address(p *audit.Pass, a netip.Addr) string {
	if id, ok := p.Owner(a); ok {
		return a.String() + " (" + id + ")"
	}
	return a.String()
}
