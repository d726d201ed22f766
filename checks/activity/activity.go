// Package activity holds the checks that ask whether a transfer happened: new pairs, external destinations, commands that
// send configuration away.
package activity

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// pairName names a pair without counts or times.
func pairName(k tally.Key) string {
	return fmt.Sprintf("%s to %s %s", k.ClientAddr(), k.ServerAddr(), k.Protocol)
}

func pairSubject(k tally.Key) audit.Subject { return audit.Subject{Kind: "pair", Name: pairName(k)} }

func interval(p *tally.Pair) audit.Interval {
	if p.First == 0 {
		return audit.Interval{}
	}
	return audit.Interval{First: time.Unix(p.First, 0).UTC(), Last: time.Unix(p.Last, 0).UTC()}
}

func entities(k tally.Key) []tally.Entity {
	return []tally.Entity{{Kind: "address", Name: k.ClientAddr().String()}, {Kind: "address", Name: k.ServerAddr().String()}}
}

// volume is what is known of the bytes, for a message.
func volume(p *tally.Pair) string {
	switch {
	case p.OutKnown > 0:
		return fmt.Sprintf("%d bytes out", p.Out)
	case p.TotalKnown > 0:
		return fmt.Sprintf("%d bytes in both directions", p.Total)
	}
	return "an unknown number of bytes"
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// seenFrom names the vantage and its witnesses.
func seenFrom(p *tally.Pair) map[string]string {
	e := map[string]string{"seen by": p.Vantage}
	if len(p.Witness) > 0 {
		e["also seen by"] = strings.Join(p.Witness, ", ")
	}
	return e
}

// Minimum days of records (flows.md 2.4, 2.3): a profile of fewer days knows nobody, an address of fewer days is learning.
const (
	profileDays = 7
	historyDays = 7
	manyClients = 50
)

// NewPair is QM3101.
func NewPair() *audit.Check {
	return &audit.Check{
		ID: "QM3101", Slug: "act-new-pair", Title: "First-seen client/server/protocol", Severity: audit.Low,
		Doc: `A client and a server spoke a transfer protocol that the profile of earlier weeks never saw between them.

## Why it matters

A new pair is the earliest sign of a new channel, and by itself the weakest: networks change.

## How it is decided

The pair is absent from the profile and one of its ends has at least seven days of records there, so that new equipment
does not count. A server with more than fifty clients weighs a quarter. A destination outside is told at once, whatever
the history of its ends. Without a profile of at least seven days the check is not evaluated.

## How it can be wrong

New equipment, a renumbered server, a profile of a quiet season.
`,
		Variants: []audit.Variant{{Name: "inside", Severity: audit.Low}, {Name: "outside", Severity: audit.Low}},
		Attack:   []string{"T1071.002", "T1570"}, Analytics: []string{"AN1173"}, Controls: []string{"DE.CM-01", "DE.AE-02", "SI-4", "CA-7"},
		False: "approval; a new device of the inventory", Fixes: map[string]string{"": "ask the owner of the client and of the server"},
		Needs: audit.Needs{Evidence: facts.HasTransfers, Profile: true},
		Pair:  newPair,
	}
}

func newPair(p *audit.Pass, k tally.Key, now, before *tally.Pair) {
	if before != nil || now.Sessions == 0 || now.Approved >= now.Sessions {
		return
	}
	profile := p.Profile()
	if profile.Days() < profileDays {
		p.NotEvaluated(fmt.Sprintf("the profile covers %d days; at least %d are needed", profile.Days(), profileDays))
		return
	}
	outside := p.Zone(k.ServerAddr()).Trust == policy.External
	known := profile.History(k.Client) >= historyDays || profile.History(k.Server) >= historyDays
	if !outside && !known {
		return
	}
	v, weight := uint8(0), .20
	if outside {
		v = 1
	}
	if profile.Clients(k.Server) > manyClients {
		weight /= 4
	}
	p.Report(audit.Finding{
		Variant: v, Subject: pairSubject(k), Severity: audit.Score(.30, 1, 1, 1), Confidence: audit.ConfidenceMedium,
		Message: fmt.Sprintf("%s spoke %s to %s for the first time in %d days of records, %s", judge.Address(p, k.ClientAddr()), strings.ToUpper(k.Protocol.String()),
			judge.Address(p, k.ServerAddr()), profile.Days(), plural(now.Sessions, "session")),
		When: interval(now), Entities: entities(k), Spans: []audit.Mark{{Span: now.FirstSpan, Role: "first seen"}}, Evidence: seenFrom(now),
		Signal: audit.Signal{Weight: weight, Class: "NET"},
	})
}

// ftpFloor is the least volume of an FTP session that is told: a control connection alone is smaller.
const ftpFloor = 4096

// External is QM3102.
func External() *audit.Check {
	return &audit.Check{
		ID: "QM3102", Slug: "act-external-dest", Title: "Transfer to an untrusted destination", Severity: audit.Medium,
		Doc: `A host or device inside had a transfer session with a server outside that no workflow approves.

## Why it matters

This is T1071.002 and T1048.003 as the network sees them. A network device or a hypervisor that does it needs an answer
today.

## How it is decided

The server is in no internal or partner zone, the session was let through, and something was carried: one byte for TFTP,
SMB and Smart Install, 4 KiB for FTP and FTPS. Sources that do not carry volumes count as carrying something, with medium
confidence. Sessions that a workflow covers wholly are left out. Severity follows the client: a device or hypervisor,
a server, a user.

## How it can be wrong

Anonymous reads of a vendor's mirror; servers of your own outside of the zones the policy names. With the built-in policy
every address that is not private is outside.
`,
		Variants: []audit.Variant{{Name: "from a host", Severity: audit.Medium}, {Name: "from a network device or hypervisor", Severity: audit.High}},
		Attack:   []string{"T1071.002", "T1048.003"}, Analytics: []string{"AN1173", "AN1172"}, Controls: []string{"M1037", "SC-7"},
		False: "an approved external destination; an anonymous read of a vendor's mirror",
		Fixes: map[string]string{"": "find who started it; deny the protocol outward; approve the workflow with an owner and an expiry if it is needed"},
		Needs: audit.Needs{Evidence: facts.HasTransfers},
		Pair:  external,
	}
}

func external(p *audit.Pass, k tally.Key, now, _ *tally.Pair) {
	if now.Sessions == 0 || now.Approved >= now.Sessions {
		return
	}
	server := k.ServerAddr()
	client := p.Zone(k.ClientAddr())
	if p.Zone(server).Trust != policy.External || client.Trust == policy.External || server.IsMulticast() || server.IsUnspecified() {
		return
	}
	if allowed(p, server) {
		return
	}
	confidence := audit.ConfidenceHigh
	carried := max(now.Out+now.In, now.Total)
	switch {
	case now.OutKnown+now.InKnown+now.TotalKnown == 0:
		confidence = audit.ConfidenceMedium
	case carried == 0, (k.Protocol == facts.FTP || k.Protocol == facts.FTPS) && carried < ftpFloor:
		return
	}
	v, privilege, who := uint8(0), judge.Privilege(client), k.ClientAddr().String()
	if id, ok := p.Owner(k.ClientAddr()); ok {
		v, privilege, who = 1, audit.PrivilegeDevice, fmt.Sprintf("%s (%s)", id, k.ClientAddr())
	}
	f := audit.Finding{
		Variant: v, Subject: pairSubject(k), Severity: audit.Score(.60, 1, privilege, 1), Confidence: confidence,
		Message: fmt.Sprintf("%s had %s of %s with %s outside, carrying %s", who, plural(now.Sessions-now.Approved, "session"), strings.ToUpper(k.Protocol.String()), server, volume(now)),
		When:    interval(now), Entities: entities(k), Spans: []audit.Mark{{Span: now.FirstSpan, Role: "first seen"}}, Evidence: seenFrom(now),
		Signal: audit.Signal{Weight: .45, Class: "NET"},
	}
	if id, ok := p.Owner(k.ClientAddr()); ok {
		f.Device = id
	}
	p.Report(f)
}

// allowed reports whether the policy's own list names the address.
func allowed(p *audit.Pass, a netip.Addr) bool {
	for _, c := range p.Policy.Allow {
		if c.Contains(a) {
			return true
		}
	}
	return false
}

// ConfigDump is QM3119.
func ConfigDump() *audit.Check {
	return &audit.Check{
		ID: "QM3119", Slug: "act-config-dump-cli", Title: "Config copied or displayed to a remote URL by command", Severity: audit.High,
		Doc: `Somebody typed a command that sends configuration, keys or logs of a device to a server.

## Why it matters

The configuration of a device is the map and the keys of the network around it. The command is the same as an
administrator's backup; the destination, the hour and the user tell them apart.

## How it is decided

Commands in accounting records, event manager logs, ASA 111008 and 111010 and the like: copy, show with a redirect,
write net, archive tar, file copy, execute backup. The scheme of the URL is parsed: "ftp:" is not inside "tftp:". A
workflow that matches in every respect makes it no finding; one that misses only by its window makes it low.

## How it can be wrong

IOS does not log an exec command by itself: without command accounting or an event manager applet there is nothing to
see, and nothing seen is no pass.
`,
		Variants: []audit.Variant{{Name: "unapproved destination", Severity: audit.High}, {Name: "approved destination outside its window", Severity: audit.Low}},
		Attack:   []string{"T1602.002", "T1059.008", "T1048.003"}, Analytics: []string{"AN1173"}, Controls: []string{"CIS-IOS 1.1.7", "AU-12", "AN0427", "AN0647", "AN0399"},
		False: "an approved destination, user and window", Fixes: map[string]string{"": "ask the user; change what the configuration holds if nobody knows"},
		Needs: audit.Needs{Evidence: facts.HasSyslog},
		Trail: configDump,
	}
}

func configDump(p *audit.Pass, e tally.Entity, events []tally.Event) {
	if e.Kind != "device" {
		return
	}
	for i := range events {
		c := events[i].Command
		if c == nil || c.Copy == nil || !c.Copy.Out || !c.Copy.Config || c.Copy.Protocol == facts.ProtocolUnknown || c.Outcome == facts.Failed || c.Outcome == facts.Denied {
			continue
		}
		dump(p, e, c)
	}
}

func dump(p *audit.Pass, e tally.Entity, c *facts.Command) {
	to := c.Copy.Addr
	v, b, weight := uint8(0), .70, .45
	exposure := audit.ExposureUntrusted
	if to.IsValid() && p.Zone(to).Trust != policy.External {
		exposure = audit.ExposureInternal
	}
	var near *policy.NearMiss
	if to.IsValid() {
		var approved *policy.Workflow
		approved, near = p.Policy.Match(&facts.Transfer{
			Time: c.Time, Client: deviceAddr(p, e.Name), Server: to, Protocol: c.Copy.Protocol, Op: facts.OpPut, Out: facts.Absent, In: facts.Absent, Total: facts.Absent,
		})
		if approved != nil {
			return
		}
		if near != nil && len(near.Differs) == 1 && near.Differs[0] == "window" {
			v, b, weight = 1, .25, .15
		}
	}
	what := cmp.Or(c.Copy.What, "its configuration")
	f := audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "command", Name: fmt.Sprintf("%s to %s %s", what, c.Copy.Protocol, c.Copy.Host)},
		Severity: audit.Score(b, exposure, 1, 1), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s: %s sent %s by %s to %s", e.Name, cmp.Or(c.User, "somebody"), what, strings.ToUpper(c.Copy.Protocol.String()), cmp.Or(c.Copy.Host, "a server that is not named")),
		Spans:   []audit.Mark{{Span: c.Span}}, Entities: []tally.Entity{e}, Near: near, Evidence: map[string]string{"command": c.Line},
		Signal: audit.Signal{Weight: weight, Class: "CLI"},
	}
	if t := c.Time.Time(); !t.IsZero() {
		f.When = audit.Interval{First: t, Last: t}
	}
	p.Report(f)
}

// deviceAddr is an address of a device, for matching a workflow's source.
func deviceAddr(p *audit.Pass, id string) netip.Addr {
	if d := p.DeviceByID(id); d != nil && len(d.Addrs) > 0 {
		return d.Addrs[0]
	}
	if a, err := netip.ParseAddr(id); err == nil {
		return a
	}
	return netip.Addr{}
}
