package exposure

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
)

// This file says where the transfers go that a device makes by itself, and whether somebody approved that.

// configured are the platforms whose evidence has a configuration: network devices, and hosts with the files of services.
func configured() []string { return append(judge.Devices(), facts.Linux, facts.MacOS) }

// A destination is where a client sends to or fetches from.
type destination uint8

const (
	toApproved destination = iota // an approved server, or a workflow's
	toInside
	toUsers
	toUnnamed // a name, or nothing: whoever answers
	toOutside
)

// destinationOf says where a client goes.
func destinationOf(p *audit.Pass, c *facts.Client) destination {
	switch {
	case !c.Addr.IsValid():
		return toUnnamed
	case approvedAddress(p, c.Addr, c.Protocol):
		return toApproved
	}
	switch z := p.Zone(c.Addr); {
	case z.Trust == policy.External:
		return toOutside
	case z.Kind == "user":
		return toUsers
	}
	return toInside
}

// approvedAddress reports whether the policy approves transfers of a protocol with an address.
func approvedAddress(p *audit.Pass, a netip.Addr, proto facts.Protocol) bool {
	if judge.ApprovedServer(p, a) {
		return true
	}
	now := p.Now()
	return slices.ContainsFunc(p.Policy.Workflows, func(w policy.Workflow) bool {
		return w.InForce(now) && slices.Contains(w.Protocols, proto) && (judge.Contains(judge.Networks(p, &w.To), a) || judge.Contains(judge.Networks(p, &w.From), a))
	})
}

// listed reports whether the policy says which servers are approved, so that others are not.
func listed(p *audit.Pass) bool { return len(p.Policy.Servers)+len(p.Policy.Workflows) > 0 }

// factor is the exposure of a destination.
func (t destination) factor() float64 {
	switch t {
	case toApproved:
		return audit.ExposureHost
	case toInside, toUsers:
		return audit.ExposureInternal
	case toUnnamed, toOutside:
	}
	return audit.ExposureUntrusted
}

// text says where, for messages.
func (t destination) text(c *facts.Client) string {
	host := cmp.Or(c.Host, "a server that is not named")
	switch t {
	case toApproved:
		return "the approved server " + host
	case toOutside:
		return host + ", an address outside"
	case toUsers:
		return host + ", a user's address"
	case toInside, toUnnamed:
	}
	return host
}

// variants are those of checks about one client: by where it goes.
func destinationVariants(outside, inside, approved audit.Severity) []audit.Variant {
	return []audit.Variant{
		{Name: "to outside, or to whoever answers", Severity: outside}, {Name: "to an inside address that nobody approved", Severity: inside}, {Name: "to an approved server", Severity: approved},
	}
}

func (t destination) variant() uint8 {
	switch t {
	case toApproved:
		return 2
	case toInside, toUsers:
		return 1
	case toUnnamed, toOutside:
	}
	return 0
}

// runs reports whether a client is configured to work, or may be.
func runs(c *facts.Client) bool { return !facts.Off(c.Enabled) && c.Use != "settings" }

// clientFinding is what checks about one client have in common: what it does, in words that follow the device's name.
func clientFinding(p *audit.Pass, d *facts.Device, c *facts.Client, base float64, does string) audit.Finding {
	t := destinationOf(p, c)
	f := audit.Finding{
		Variant: t.variant(), Subject: clientSubject(c), Severity: audit.Score(base, t.factor(), audit.PrivilegeDevice, audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s %s %s (%q)", d.ID, does, t.text(c), c.Name), Spans: judge.Mark(nil, "", c.Span), Signal: audit.Signal{Weight: .15, Class: "CFG"},
	}
	if c.Enabled.Span != c.Span {
		f.Spans = judge.Mark(f.Spans, "started here", c.Enabled.Span)
	}
	if !c.Addr.IsValid() || !c.Enabled.Known() {
		f.Confidence = audit.ConfidenceMedium
	}
	return f
}

func clientSubject(c *facts.Client) audit.Subject {
	name := c.Name
	if c.Protocol != facts.ProtocolUnknown {
		name += " " + c.Protocol.String()
	}
	return audit.Subject{Kind: c.Use, Name: strings.TrimSpace(name + " " + c.Host)}
}

// by is a client's protocol in a sentence.
func by(c *facts.Client) string {
	if c.Protocol == facts.ProtocolUnknown {
		return ""
	}
	return " by " + judge.Upper(c.Protocol)
}

// remote reports whether a client reaches another host at all.
func remote(c *facts.Client) bool {
	return c.Host != "" || c.Protocol != facts.ProtocolUnknown && !strings.HasPrefix(c.Path, "flash") && c.URL != "" || c.Protocol.Cleartext()
}
