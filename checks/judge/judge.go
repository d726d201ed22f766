// Package judge holds what checks share: what is behind an interface, how far a service can be reached, how well a device
// is watched, and how findings name and quote things.
//
// Unknown is never cheaper than known: a reach that cannot be computed counts as reachable from outside. Everything here
// is a pure function of a device's facts and the policy, and bounded by them.
package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// devices are the platforms that are network devices.
var devices = [...]string{
	facts.AristaEOS, facts.ArubaAOSCX, facts.ArubaAOSS, facts.CheckPointGaia, facts.CiscoASA, facts.CiscoIOS, facts.CiscoIOSXR,
	facts.CiscoNXOS, facts.DellOS10, facts.DellOS9, facts.F5BIGIP, facts.FortiOS, facts.FRR, facts.HPEComware, facts.HuaweiVRP,
	facts.Junos, facts.NokiaSROS, facts.OPNsense, facts.PANOS, facts.PfSense, facts.RouterOS, facts.SONiC, facts.VyOS,
}

// Devices are the platforms that are network devices.
func Devices() []string { return slices.Clone(devices[:]) }

// Filtering are the platforms whose evidence tells what they filter: network devices and Linux hosts. Lists of FRR choose
// routes: the host under it filters, and its rules are evidence of their own.
func Filtering() []string {
	return append(slices.DeleteFunc(Devices(), func(p string) bool { return p == facts.FRR }), facts.Linux)
}

// IsDevice reports whether a platform, in any of its shapes, is a network device's.
func IsDevice(platform string) bool {
	return slices.Contains(devices[:], facts.PlatformFamily(platform))
}

// Telemetry is the telemetry factor of a device: blind without a remote log and without flow export that would show its
// transfers, full with remote log, command accounting and flow export, else partial. It says how long a misuse stays
// unseen, not how bad it is.
func Telemetry(d *facts.Device) float64 {
	l := &d.Logging
	switch {
	case (facts.Off(l.Remote) || facts.Off(l.Enabled)) && !facts.On(l.FlowExport):
		return audit.TelemetryBlind
	case facts.On(l.Remote) && !facts.Off(l.Enabled) && facts.On(l.CommandAccounting) && facts.On(l.FlowExport):
		return audit.TelemetryFull
	}
	return audit.TelemetryPartial
}

// Privilege is what lies behind an address of a zone: control of devices, servers' data, users'. A zone of no kind counts
// as servers.
func Privilege(z policy.Zone) float64 {
	switch z.Kind {
	case "management", "hypervisor":
		return audit.PrivilegeDevice
	case "user":
		return audit.PrivilegeUser
	}
	return audit.PrivilegeServer
}

// Own is what a service of the device itself gives away: control of a network device or hypervisor, else a server's data.
func Own(d *facts.Device) float64 {
	if IsDevice(d.Platform) || d.Platform == facts.VMwareESX {
		return audit.PrivilegeDevice
	}
	return audit.PrivilegeServer
}

// Find is the filter of a name in a scope, or in the global one; nil when there is none.
func Find(d *facts.Device, name, scope string) *facts.Filter {
	var global *facts.Filter
	for i := range d.Filters {
		f := &d.Filters[i]
		switch {
		case f.Name != name:
		case f.Scope == scope:
			return f
		case f.Scope == "":
			global = f
		}
	}
	return global
}

// Removed is the reason why a fact cannot be denied on this evidence, with the mark by which the backup tool was
// recognised; empty when it can.
func Removed(d *facts.Device, fact string) string {
	i := slices.IndexFunc(d.Removed, func(r facts.Removal) bool { return r.Fact == fact })
	if i < 0 {
		return ""
	}
	return d.Removed[i].Reason
}

// Address is an address as a message names it: with the device that has it, when one does.
func Address(p *audit.Pass, a netip.Addr) string {
	if id, ok := p.Owner(a); ok {
		return fmt.Sprintf("%s (%s)", id, a)
	}
	return a.String()
}

// Upper is a protocol as messages name it.
func Upper(p facts.Protocol) string {
	if p == facts.SmartInstall {
		return "Smart Install"
	}
	return strings.ToUpper(p.String())
}

// Transport is the name of an IANA protocol number as messages spell it.
func Transport(n uint8) string {
	switch n {
	case facts.TCP:
		return "tcp"
	case facts.UDP:
		return "udp"
	}
	return fmt.Sprintf("protocol %d", n)
}

// Ports is a range as messages spell it.
func Ports(r facts.PortRange) string {
	if r.First == r.Last {
		return fmt.Sprint(r.First)
	}
	return fmt.Sprintf("%d-%d", r.First, r.Last)
}

// Join joins words as a sentence does: "a", "a and b", "a, b and c".
func Join(words []string) string {
	switch n := len(words); n {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:n-1], ", ") + " and " + words[n-1]
	}
}

// Count is a number with its noun.
func Count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// MaxMarks bounds the spans of one finding: who has so many lines to show shows the first.
const MaxMarks = 20

// Mark adds a span with its role, unless it is no position, is there already, or the finding has enough.
func Mark(marks []audit.Mark, role string, spans ...evidence.Span) []audit.Mark {
	for _, s := range spans {
		if s.IsZero() || len(marks) >= MaxMarks || slices.ContainsFunc(marks, func(m audit.Mark) bool { return m.Span == s }) {
			continue
		}
		marks = append(marks, audit.Mark{Span: s, Role: role})
	}
	return marks
}

// Absent is the mark of a finding about a statement that is not there: where the evidence names the device.
func Absent(d *facts.Device) []audit.Mark {
	const role = "no such statement in this device's evidence"
	for _, s := range []evidence.Span{d.Hostname.Span, d.Version.Span, d.Model.Span} {
		if !s.IsZero() {
			return Mark(nil, role, s)
		}
	}
	for i := range d.Interfaces {
		if s := d.Interfaces[i].Span; !s.IsZero() {
			return Mark(nil, role, s)
		}
	}
	return nil
}

// Defined is where a filter is defined.
func Defined(marks []audit.Mark, d *facts.Device, name, scope string) []audit.Mark {
	f := Find(d, name, scope)
	if f == nil {
		return marks
	}
	marks = Mark(marks, "client list defined here", f.Span)
	for i := range f.Rules {
		if i == 3 {
			break // the list is named; its first lines are enough to recognise it
		}
		marks = Mark(marks, "client list", f.Rules[i].Span)
	}
	return marks
}

// Whole reports whether the evidence is a whole configuration, so that a statement that is not there is at its default.
// Parsers state the defaults of logging only of a whole one; where all of that is stated, nothing but the end can be
// missing, and a parser notes a configuration that was cut.
func Whole(d *facts.Device) bool {
	l := &d.Logging
	stated := 0
	for _, o := range [...]facts.Origin{l.Remote.Origin, l.CommandAccounting.Origin, l.FlowExport.Origin, l.Sequence.Origin} {
		switch o {
		case facts.Default:
			return true
		case facts.Explicit:
			stated++
		case facts.Unknown, facts.Masked:
		}
	}
	return stated == 4 && l.Enabled.Origin == facts.Default
}

// Names reports whether a condition on a way in or out is about an interface.
func Names(p *facts.Places, x *facts.Interface) bool {
	one := slices.ContainsFunc(p.Names, func(n string) bool {
		if prefix, ok := strings.CutSuffix(n, "*"); ok {
			return strings.HasPrefix(x.Name, prefix)
		}
		return n == x.Name || n == x.Zone || n == x.Alias && n != "" || slices.Contains(x.Lists, n)
	})
	return one != p.Not
}
