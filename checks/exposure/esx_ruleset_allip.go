package exposure

import (
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// A managementPort is a port that a host is managed by.
type managementPort struct {
	transport uint8
	port      uint16
	name      string
}

// managementPorts are the inbound ports of an ESXi 8 host's management (VMware Ports and Protocols): what the rulesets
// sshServer, webAccess, vSphereClient, NFC, CIMHttpServer, CIMHttpsServer, CIMSLP and snmp open.
func managementPorts() []managementPort {
	return []managementPort{
		{facts.TCP, 22, "SSH"}, {facts.TCP, 80, "HTTP"}, {facts.TCP, 443, "HTTPS"}, {facts.TCP, 902, "NFC"}, {facts.TCP, 5988, "CIM"},
		{facts.TCP, 5989, "CIM"}, {facts.TCP, 427, "SLP"}, {facts.UDP, 427, "SLP"}, {facts.UDP, 161, "SNMP"},
	}
}

// Variants of QM1403.
const (
	rulesetManagement = iota
	rulesetTransfer
)

// RulesetAllIP is QM1403.
func RulesetAllIP() *audit.Check {
	return &audit.Check{
		ID: "QM1403", Slug: "esx-ruleset-allip", Title: "Management ruleset open to all addresses", Severity: audit.Medium,
		Doc: `An enabled firewall ruleset of an ESXi host lets every address reach a management port or a transfer port.

## Why it matters

SSH, the host's web server and NFC move files; with all addresses allowed, any foothold in the network reaches them and
the transfers of AN1172 (T1071.002) begin there.

## How it is decided

By ports, not by names: inbound rules over SSH 22, HTTP 80, HTTPS 443, NFC 902, CIM 5988 and 5989, SLP 427, SNMP 161 or a
transfer protocol's port, and inbound rules that trust a source port, as ftpClient does with 20. Wide ranges count for
every such port in them. allowedHosts.allIp decides who is let in.

## How it can be wrong

A filter in front of the management network may keep others away: the severity does not count on it. From 8.0.2 on some
rulesets cannot be restricted by a user (ipListUserConfigurable): they are reported all the same.

## Tunables

"zones" of the policy: a host with an outside address is worse off.
`,
		Variants: []audit.Variant{
			rulesetManagement: {Name: "management port", Severity: audit.Medium}, rulesetTransfer: {Name: "transfer port, or trusted source port", Severity: audit.Medium},
		},
		Attack: []string{"T1133"}, Analytics: []string{"AN1172"}, Controls: []string{"ESXI-80-000239", "SCG firewall-restrict-access"},
		False: "a ruleset that the host does not let a user restrict",
		Fixes: map[string]string{facts.VMwareESX: "esxcli network firewall ruleset set -r <ruleset> --allowed-all false\n" +
			"esxcli network firewall ruleset allowedip add -r <ruleset> -i <management network>"},
		Needs: esxiNeeds(),
		Device: func(p *audit.Pass, d *facts.Device) {
			if len(d.ESXi.Rulesets) == 0 {
				p.NotEvaluated(notGiven(d, "config.firewall.ruleset"))
				return
			}
			severity := audit.Score(.55, esxiExposure(p, d), audit.PrivilegeDevice, judge.Telemetry(d))
			for i := range d.ESXi.Rulesets {
				ruleset(p, d, &d.ESXi.Rulesets[i], severity)
			}
		},
	}
}

func ruleset(p *audit.Pass, d *facts.Device, r *facts.Ruleset, severity audit.Severity) {
	ports, v := inward(r)
	switch {
	case ports == "" || facts.Off(r.Enabled) || facts.Off(r.AllIP):
		return
	case !r.Enabled.Known() || !r.AllIP.Known():
		p.NotEvaluated(fmt.Sprintf("the host did not say whether ruleset %q is enabled and lets all addresses in", r.Key))
		return
	}
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "ruleset", Name: r.Key}, Severity: severity, Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s lets every address in on %s by firewall ruleset %q", d.ID, ports, r.Key),
		Spans:   judge.Mark(judge.Mark(judge.Mark(nil, "", r.Span), "all addresses", r.AllIP.Span), "enabled", r.Enabled.Span),
		Fix: fmt.Sprintf("esxcli network firewall ruleset set -r %s --allowed-all false\nesxcli network firewall ruleset allowedip add -r %s -i <management network>",
			r.Key, r.Key),
		Signal: audit.Signal{Weight: .10, Class: "STATE"},
	})
}

// inward names the management and transfer ports a ruleset opens inward; empty when it opens none.
func inward(r *facts.Ruleset) (ports string, variant uint8) {
	var out []string
	for _, x := range r.Rules {
		if x.Direction != facts.In {
			continue
		}
		proto := judge.Transport(x.Transport)
		if x.Source {
			out = append(out, fmt.Sprintf("every %s port from source port %s", proto, judge.Ports(x.Ports)))
			variant = rulesetTransfer
			continue
		}
		for _, m := range managementPorts() {
			if m.transport == x.Transport && x.Ports.First <= m.port && m.port <= x.Ports.Last {
				out = append(out, fmt.Sprintf("%s %d (%s)", proto, m.port, m.name))
			}
		}
		for _, l := range facts.TransferPorts() {
			if l.Transport == x.Transport && x.Ports.First <= l.Ports.Last && l.Ports.First <= x.Ports.Last {
				out = append(out, fmt.Sprintf("%s %s (%s)", proto, judge.Ports(l.Ports), judge.Upper(l.Protocol)))
				variant = rulesetTransfer
			}
		}
	}
	return words(out), variant
}
