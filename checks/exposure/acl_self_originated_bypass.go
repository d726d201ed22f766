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

// SelfOriginated is QM2012.
func SelfOriginated() *audit.Check {
	return &audit.Check{
		ID: "QM2012", Slug: "acl-self-originated-bypass", Title: "Interface ACL does not filter device-originated transfers", Severity: audit.Medium,
		Doc: `An outbound filter towards outside denies a transfer protocol to everybody behind the device, and the device itself is not
filtered.

## Why it matters

The device is the attacker: who is logged in to it copies its configuration out, and tools in, with its own client
(T1048.003, T1602.002). On IOS the packets that a router makes itself are not checked by outbound lists of its interfaces.

## How it is decided

For every interface that leads outside with an outbound filter that denies all of a transfer protocol from inside: does the
platform, by the same filters, let the device's own packets of the protocol leave there? One finding for each interface. It
is not reported where every login line says "transport output none", or a local policy route decides about the device's own
packets, or the way out has nothing to deny.

## How it can be wrong

A firewall further out may deny it: no path across devices is claimed.

## Tunables

"zones" of the policy.
`,
		Attack: []string{"T1048.003", "T1602.002"}, Analytics: []string{"AN1173", "AN1172"}, Controls: []string{"AA25-239A", "SC-7", "NSA 7.7"},
		False: "a firewall behind the device that denies transfers of infrastructure addresses",
		Fixes: map[string]string{
			facts.CiscoIOS: "line vty 0 15\n transport output none\nip local policy route-map <drops transfers>",
			facts.Junos:    "set interfaces lo0 unit 0 family inet filter output <denies transfers>",
			"":             "deny transfers from the addresses of the infrastructure on the next device",
		},
		Needs: audit.Needs{Platforms: judge.Devices(), Evidence: facts.HasConfig}, Device: selfOriginated,
	}
}

func selfOriginated(p *audit.Pass, d *facts.Device) {
	if noClientsFrom(d) || slices.ContainsFunc(d.References, func(r facts.Reference) bool { return r.By == "ip local policy" }) {
		return
	}
	sides := judge.Sides(p, d)
	for i := range sides {
		s := &sides[i]
		if s.Outside && !s.HostOnly {
			selfBy(p, d, s)
		}
	}
}

// noClientsFrom reports whether nobody who is logged in can start a session to another host.
func noClientsFrom(d *facts.Device) bool {
	lines := 0
	for i := range d.Access {
		a := &d.Access[i]
		if !a.Out.Known() || facts.Off(a.Enabled) {
			continue
		}
		lines++
		if len(a.Out.Val) > 0 {
			return false
		}
	}
	return lines > 0
}

// selfBy compares what a side's outbound filter does to others with what it does to the device itself.
func selfBy(p *audit.Pass, d *facts.Device, s *judge.Side) {
	x := s.Interface
	b := slices.IndexFunc(x.Bindings, func(b facts.Binding) bool { return b.Direction == facts.Out && len(b.Filters) > 0 })
	if b < 0 || len(x.Addrs) == 0 {
		return
	}
	if f := judge.Find(d, x.Bindings[b].Filters[0], x.Scope); f == nil || f.Synthetic {
		return
	}
	own := x.Addrs[0].Addr()
	q := headerspace.Query{Out: x.Name, Scope: x.Scope, Family: facts.IPv4, At: p.Now()}
	if own.Is6() {
		q.Family = facts.IPv6
	}
	var names []string
	var shown *headerspace.Packet
	for _, dst := range judge.Outside(p, slices.Concat(p.Policy.Allow, p.Policy.Servers)...) {
		q.Dst = dst
		self := q
		self.Self, self.Src = true, headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(own, own.BitLen())}}
		others, err1 := p.Space(d).Transfers(q)
		mine, err2 := p.Space(d).Transfers(self)
		if err1 != nil || err2 != nil {
			continue
		}
		for i := range mine {
			if others[i].Verdict != headerspace.Deny || mine[i].Permitted == nil || mine[i].Transport == facts.UDP && mine[i].Protocol != facts.TFTP {
				continue
			}
			if shown == nil {
				shown = mine[i].Permitted
			}
			if name := judge.Upper(mine[i].Protocol); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if shown == nil {
		return
	}
	marks := judge.Mark(judge.Mark(nil, "", x.Bindings[b].Span), "interface", x.Span)
	if f := judge.Find(d, x.Bindings[b].Filters[0], x.Scope); f != nil {
		marks = judge.Mark(marks, "filter defined here", f.Span)
	}
	for i := range d.Access {
		if a := &d.Access[i]; a.Out.Known() && len(a.Out.Val) > 0 {
			marks = judge.Mark(marks, "sessions may leave from here", a.Out.Span, a.Span)
		}
	}
	p.Report(audit.Finding{
		Subject:  audit.Subject{Kind: "interface", Name: x.Name},
		Severity: audit.Score(.60, audit.ExposureUntrusted, audit.PrivilegeDevice, judge.Telemetry(d)), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s denies %s out on %q by %q, which does not look at what the device sends itself", d.ID, judge.Join(names), x.Name, x.Bindings[b].Filters[0]),
		Spans:   marks, Signal: audit.Signal{Weight: .10, Class: "CFG"},
		Evidence: map[string]string{"packet": fmt.Sprintf("%s %s to %s, from the device", judge.Transport(shown.Protocol), end(shown.Src, shown.SrcPort), end(shown.Dst, shown.DstPort))},
	})
}
