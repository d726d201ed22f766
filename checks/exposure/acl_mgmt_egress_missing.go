package exposure

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// ManagementEgress is QM2013.
func ManagementEgress() *audit.Check {
	return &audit.Check{
		ID: "QM2013", Slug: "acl-mgmt-egress-missing", Title: "No egress restriction for the management plane", Severity: audit.High,
		Doc: `The management plane of a device has a default route, and nothing there denies transfer protocols towards outside.

## Why it matters

The management network is where configurations, images and credentials are. Intruders on devices send them out by its own way
(T1048.003, AA25-239A), past every filter of the traffic plane.

## How it is decided

The management plane is a VRF that is named for it ("mgmt", "management" and the names platforms give it), a VRF all of whose
known networks are in zones of kind management, or a port that traffic does not pass. With a static default route there, the
device's own packets of each transfer protocol, from its address to addresses outside, are asked of the filters of the
interface. What "servers" and "destinations" of the policy allow is left out.

A device that is managed in the traffic plane has no such plane: acl-egress-ft-untrusted looks at its zones.

## How it can be wrong

The next device may deny it, which is not claimed: the finding has medium confidence. Devices that a cloud manages need 443
alone.

## Tunables

"zones" with kind management, "servers" of the policy.
`,
		Attack: []string{"T1048.003", "T1090"}, Analytics: []string{"AN1173", "AN1172"},
		Controls: []string{"AA25-239A", "CISA-HG24", "AC-4(21)", "SC-7(15)", "CISC-RT-000390"},
		False:    "a firewall behind the management network that lets out syslog, AAA, NTP and backup alone",
		Fixes: map[string]string{
			facts.CiscoIOS: "no ip route vrf <mgmt> 0.0.0.0 0.0.0.0 <next hop>\nip route vrf <mgmt> <network of the servers> <mask> <next hop>",
			"":             "route the networks of the management servers alone, and deny transfers from management addresses on the next device",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig}, Device: managementEgress,
	}
}

// A plane is a management plane: a VRF, or a port of its own.
type plane struct {
	say   string
	sides []*judge.Side
	route evidence.Span // its default route
}

func managementEgress(p *audit.Pass, d *facts.Device) {
	planes := map[string]*plane{}
	at := func(key, say string) *plane {
		if planes[key] == nil {
			planes[key] = &plane{say: say}
		}
		return planes[key]
	}
	sides := judge.Sides(p, d)
	for i := range sides {
		s := &sides[i]
		scope := s.Interface.Scope
		switch {
		case s.HostOnly:
			x := at("port "+s.Interface.Name, fmt.Sprintf("its management port %q", s.Interface.Name))
			x.sides = append(x.sides, s)
			if s.Route != nil {
				x.route = s.Route.Span
			}
		case scope != "" && (isManagementName(scope) || managementScope(p, sides, scope)):
			x := at("vrf "+scope, fmt.Sprintf("its management VRF %q", scope))
			x.sides = append(x.sides, s)
		}
	}
	for i := range d.Routes {
		if r := &d.Routes[i]; r.Prefix.IsValid() && r.Prefix.Bits() == 0 && r.Scope != "" {
			if x := planes["vrf "+r.Scope]; x != nil && x.route.IsZero() {
				x.route = r.Span
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(planes)) {
		if x := planes[key]; !x.route.IsZero() {
			leavesPlane(p, d, key, x)
		}
	}
}

// isManagementName reports whether a VRF is named for management: Mgmt-vrf and Mgmt-intf of IOS-XE, management of NX-OS and
// EOS, mgmt_junos, MGMT and their likes.
func isManagementName(name string) bool {
	name = strings.ToLower(name)
	for _, word := range strings.FieldsFunc(name, func(c rune) bool { return c < 'a' || c > 'z' }) {
		if word == "mgmt" || word == "management" || word == "oob" || word == "oobm" || word == "mgt" {
			return true
		}
	}
	return false
}

// managementScope reports whether all that is known to be behind the sides of a VRF is in management zones.
func managementScope(p *audit.Pass, sides []judge.Side, scope string) bool {
	known := 0
	for i := range sides {
		s := &sides[i]
		if s.Interface.Scope != scope {
			continue
		}
		for _, a := range s.Interface.Addrs {
			if p.Zone(a.Addr()).Kind != "management" {
				return false
			}
			known++
		}
	}
	return known > 0
}

// leavesPlane asks what the device may send out by a plane.
func leavesPlane(p *audit.Pass, d *facts.Device, key string, x *plane) {
	var names []string
	var shown *headerspace.Packet
	for _, s := range x.sides {
		for _, a := range s.Interface.Addrs {
			one := headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a.Addr(), a.Addr().BitLen())}}
			q := headerspace.Query{Self: true, Out: s.Interface.Name, Scope: s.Interface.Scope, Src: one, At: p.Now()}
			for _, q.Dst = range judge.Outside(p, slices.Concat(p.Policy.Allow, p.Policy.Servers)...) {
				answers, err := p.Space(d).Transfers(q)
				if err != nil {
					continue // of another version of IP
				}
				for i := range answers {
					if answers[i].Permitted == nil {
						continue
					}
					if shown == nil {
						shown = answers[i].Permitted
					}
					if name := judge.Upper(answers[i].Protocol); !slices.Contains(names, name) {
						names = append(names, name)
					}
				}
			}
		}
	}
	if shown == nil {
		return
	}
	what := judge.Join(names)
	if len(names) >= 5 {
		what = "every transfer protocol"
	}
	marks := judge.Mark(nil, "", x.route)
	for _, s := range x.sides {
		marks = judge.Mark(marks, "interface", s.Interface.Span)
	}
	p.Report(audit.Finding{
		Subject:  audit.Subject{Kind: "management plane", Name: cmp.Or(strings.TrimPrefix(key, "vrf "), key)},
		Severity: audit.Score(.70, audit.ExposureUntrusted, audit.PrivilegeDevice, judge.Telemetry(d)), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s may send %s to addresses outside by %s: it has a default route, and nothing there denies it", d.ID, what, x.say),
		Spans:   marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		Evidence: map[string]string{"packet": fmt.Sprintf("%s %s to %s, from the device", judge.Transport(shown.Protocol), end(shown.Src, shown.SrcPort), end(shown.Dst, shown.DstPort))},
	})
}
