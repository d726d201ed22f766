package activity

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// ftpFloor is the least volume of FTP that is told: a login without a transfer is smaller (catalogue: 4 KiB with data
// channels; one byte is enough for TFTP, SMB and Smart Install).
const ftpFloor = 4 << 10

// Variants of QM3102.
const (
	externalHost = iota
	externalDevice
	externalRead
	externalListed
)

// External is QM3102.
func External() *audit.Check {
	return &audit.Check{
		ID: "QM3102", Slug: "act-external-dest", Title: "Transfer to an untrusted destination", Severity: audit.Medium,
		Doc: `A host or device inside had a transfer session with a server outside that nobody approved.

## Why it matters

This is T1071.002 and T1048.003 as the network sees them. A network device or a hypervisor that does it needs an answer
today.

## How it is decided

The server is in no internal or partner zone, a session was let through, and something was carried: one byte for TFTP, SMB
and Smart Install, 4 KiB for FTP and FTPS with their data channels. Of every day the vantage that saw most counts; sums of
different vantages are never added. Sources that carry no volumes count as carrying something, with medium confidence, and
so do pairs of which nobody knows who opened the session, and transfers a device logged as its own. Left out are sessions that workflows cover, approved servers and
the policy's allow list.

Severity follows the client: a network device, hypervisor or management address, a server, a user. Reads alone, as the
server's or firewall's log names them, by a host that is no device are low: a vendor's mirror looks like that. A server
on the policy's deny list is high.

## How it can be wrong

Anonymous reads of a mirror; servers of your own outside of the zones the policy names. With the built-in policy every
address that is not private is outside.

## Tunables

"zones", "workflows", "servers", "destinations: allow, deny" of the policy.
`,
		Variants: []audit.Variant{
			externalHost: {Name: "from a host", Severity: audit.Medium}, externalDevice: {Name: "from a network device or hypervisor", Severity: audit.High},
			externalRead: {Name: "reads only", Severity: audit.Low}, externalListed: {Name: "server on the policy's deny list", Severity: audit.High},
		},
		Attack: []string{"T1071.002", "T1048.003"}, Analytics: []string{"AN1173", "AN1172"}, Controls: []string{"M1037", "SC-7"},
		False: "an approved external destination; an anonymous read of a vendor's mirror",
		Fixes: map[string]string{"": "find who started it; deny the protocol outward; approve the workflow with an owner and an expiry if it is needed"},
		Needs: audit.Needs{Evidence: facts.HasTransfers},
		Pair:  externalPair,
		Trail: externalTrail,
	}
}

// broadcast is the limited broadcast address: who asks it asks the own network (RFC 919).
func broadcast() netip.Addr { return netip.AddrFrom4([4]byte{255, 255, 255, 255}) }

func externalPair(p *audit.Pass, k tally.Key, now, _ *tally.Pair) {
	if now.Sessions == 0 || now.Approved >= now.Sessions || k.Protocol == facts.ProtocolUnknown || !external(p, k.ServerAddr()) || p.Zone(k.ClientAddr()).Trust == policy.External {
		return
	}
	listed, allowed := known(p, k.ServerAddr())
	if allowed {
		return
	}
	confidence := audit.ConfidenceHigh
	carried := max(now.Out+now.In, now.Total)
	switch {
	case now.OutKnown+now.InKnown+now.TotalKnown == 0:
		confidence = audit.ConfidenceMedium
	case carried < 1 || (k.Protocol == facts.FTP || k.Protocol == facts.FTPS) && carried < ftpFloor:
		return
	}
	if now.OpenerUnknown >= now.Sessions {
		confidence = audit.ConfidenceMedium
	}
	device := at(p, k)
	v, base, share := uint8(externalHost), .60, privilege(p, k, device)
	if device != "" || share == audit.PrivilegeDevice {
		v = externalDevice
	}
	severity := audit.Score(base, audit.ExposureUntrusted, share, audit.TelemetryPartial)
	switch {
	case listed:
		v, severity = externalListed, audit.Score(.80, audit.ExposureUntrusted, max(share, audit.PrivilegeServer), audit.TelemetryPartial)
	case v == externalHost && readsOnly(now):
		v, severity = externalRead, min(severity, audit.Low)
	}
	e := seen(now)
	if n := days(now); n > 1 {
		e["days"] = fmt.Sprint(n)
	}
	p.Report(audit.Finding{
		Variant: v, Subject: pairSubject(k), Severity: severity, Confidence: confidence,
		Message: fmt.Sprintf("%s had %s of %s with %s outside, carrying %s", judge.Address(p, k.ClientAddr()), judge.Count(now.Sessions-now.Approved, "session"),
			judge.Upper(k.Protocol), k.ServerAddr(), volume(now)),
		When: interval(now), Entities: entities(k, device), Spans: judge.Mark(nil, "first seen", now.FirstSpan), Evidence: e,
		Signal: audit.Signal{Weight: .45, Class: "NET"},
	})
}

// known reports what the policy's lists say of a server: the deny list counts first.
func known(p *audit.Pass, server netip.Addr) (listed, allowed bool) {
	listed = judge.Contains(p.Policy.Deny, server)
	return listed, !listed && (judge.ApprovedServer(p, server))
}

// externalTrail tells of transfers that a device logged as its own: their records name the server and no client (IOS,
// "configured from tftp://...").
func externalTrail(p *audit.Pass, e tally.Entity, events []tally.Event) {
	if e.Kind != tally.KindDevice {
		return
	}
	found := map[string]*audit.Finding{}
	for i := range events {
		x := events[i].Transfer
		if x == nil || x.Client.IsValid() || !x.Server.IsValid() || x.Outcome != facts.Allowed || x.Protocol == facts.ProtocolUnknown || !external(p, x.Server) {
			continue
		}
		listed, allowed := known(p, x.Server)
		one := *x
		if near, approved := approvedFrom(p, e.Name, &one); !allowed && !approved {
			ownTransfer(found, e, x, near, listed)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(found)) {
		p.Report(*found[name])
	}
}

// ownTransfer adds one such transfer to what was found.
func ownTransfer(found map[string]*audit.Finding, e tally.Entity, x *facts.Transfer, near *policy.NearMiss, listed bool) {
	name := fmt.Sprintf("%s to %s %s", e.Name, x.Server, x.Protocol)
	f := found[name]
	if f == nil {
		f = &audit.Finding{
			Variant: externalDevice, Subject: audit.Subject{Kind: "pair", Name: name}, Confidence: audit.ConfidenceMedium, Near: near,
			Severity: audit.Score(.60, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial),
			Message:  fmt.Sprintf("%s had a transfer of its own by %s with %s outside, of an unknown volume", e.Name, judge.Upper(x.Protocol), x.Server),
			Entities: []tally.Entity{e, {Kind: tally.KindAddress, Name: x.Server.String()}}, Evidence: map[string]string{"seen by": x.Vantage},
			Signal: audit.Signal{Weight: .45, Class: "NET"},
		}
		if listed {
			f.Variant, f.Severity = externalListed, audit.Score(.80, audit.ExposureUntrusted, audit.PrivilegeDevice, audit.TelemetryPartial)
		}
		if x.File != "" {
			f.Evidence["file"] = x.File
		}
		found[name] = f
	}
	f.Spans = judge.Mark(f.Spans, "", x.Span)
	if t := x.Time.Time(); !t.IsZero() {
		if f.When.First.IsZero() {
			f.When.First = t
		}
		f.When.Last = t
	}
}

// readsOnly reports whether a log that names operations saw gets and listings and nothing else, in all sessions.
func readsOnly(x *tally.Pair) bool {
	const reads = 1<<facts.OpGet | 1<<facts.OpList
	const named = 1<<facts.ByLog | 1<<facts.ByDPI
	return x.Ops != 0 && x.Ops&^reads == 0 && x.By != 0 && x.By&^named == 0
}
