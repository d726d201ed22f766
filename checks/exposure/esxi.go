package exposure

import (
	"fmt"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/tally"
)

func esxiNeeds() audit.Needs {
	return audit.Needs{Platforms: []string{facts.VMwareESX}, Evidence: facts.HasESXi}
}

// missing names the reason why an ESXi fact is unknown.
func missing(d *facts.Device, path string) string {
	for _, m := range d.ESXi.Missing {
		if m == path || strings.HasPrefix(path, m+".") {
			return "the host did not give " + m
		}
	}
	return "the document holds no " + path
}

// hostReach is the exposure of a hypervisor: a management network is no less than any internal zone, since everything that
// runs on the host is behind it.
func hostReach(p *audit.Pass, d *facts.Device) float64 {
	if r := judge.Facing(p, d); len(d.Interfaces) > 0 && r.Factor == audit.ExposureUntrusted {
		return r.Factor
	}
	return audit.ExposureInternal
}

// FirewallOpen is QM1401.
func FirewallOpen() *audit.Check {
	return &audit.Check{
		ID: "QM1401", Slug: "esx-fw-open", Title: "ESXi firewall disabled or default-allow", Severity: audit.High,
		Doc: `The firewall of an ESXi host is unloaded, or lets through by default what no ruleset names, inward or outward.

## Why it matters

No stock ruleset of ESXi opens UDP 69 in either direction. On a clean host a TFTP transfer from its shell works only with
the firewall off, its default open, or a ruleset nobody shipped. With the default open, FTP, SMB and TFTP leave too.

## How it is decided

config.firewall.defaultPolicy of the host, and, where the evidence has it, whether the firewall is loaded. The vSphere API
does not say whether the firewall is enabled: a host whose default blocks can still have it disabled by hand, and this
check does not see that.

## How it can be wrong

vCenter's copy can be older than the host's state.
`,
		Variants: []audit.Variant{{Name: "default allows", Severity: audit.High}, {Name: "unloaded", Severity: audit.High}},
		Attack:   []string{"T1562.004"}, Analytics: []string{"AN1172"}, Controls: []string{"ESXI-80-000214", "SCG firewall-incoming-default", "PCI 1.4.1", "SC-7"},
		Fixes: map[string]string{facts.VMwareESX: "esxcli network firewall set --enabled true --default-action false"},
		Needs: esxiNeeds(),
		Device: func(p *audit.Pass, d *facts.Device) {
			e := d.ESXi
			if facts.Off(e.FirewallLoaded) {
				p.Report(audit.Finding{
					Variant: 1, Subject: audit.Subject{Kind: "firewall", Name: "unloaded"}, Severity: audit.Score(.85, hostReach(p, d), audit.PrivilegeDevice, 1), Confidence: audit.ConfidenceHigh,
					Message: fmt.Sprintf("%s: the firewall is not loaded", d.ID), Spans: []audit.Mark{{Span: e.FirewallLoaded.Span}}, Signal: audit.Signal{Weight: .30, Class: "STATE"},
				})
			}
			for _, x := range []struct {
				v    facts.V[bool]
				name string
			}{{e.IncomingBlock, "incoming"}, {e.OutgoingBlock, "outgoing"}} {
				switch {
				case !x.v.Known():
					p.NotEvaluated(missing(d, "config.firewall.defaultPolicy"))
				case !x.v.Val:
					p.Report(audit.Finding{
						Subject: audit.Subject{Kind: "firewall", Name: "default for " + x.name + " traffic"}, Severity: audit.Score(.85, hostReach(p, d), audit.PrivilegeDevice, 1), Confidence: audit.ConfidenceHigh,
						Message: fmt.Sprintf("%s lets %s traffic through that no firewall ruleset names", d.ID, x.name), Spans: []audit.Mark{{Span: x.v.Span}},
						Signal: audit.Signal{Weight: .30, Class: "STATE"},
					})
				}
			}
		},
	}
}

// managementPorts are the inbound ports a host is managed by (VMware Ports and Protocols, ESXi 8): SSH, HTTP(S), NFC, CIM,
// SLP, SNMP.
var managementPorts = [...]struct {
	transport uint8
	port      uint16
}{{facts.TCP, 22}, {facts.TCP, 80}, {facts.TCP, 443}, {facts.TCP, 902}, {facts.TCP, 5988}, {facts.TCP, 5989}, {facts.TCP, 427}, {facts.UDP, 427}, {facts.UDP, 161}}

// RulesetAllIP is QM1403.
func RulesetAllIP() *audit.Check {
	return &audit.Check{
		ID: "QM1403", Slug: "esx-ruleset-allip", Title: "Management ruleset open to all addresses", Severity: audit.Medium,
		Doc: `An enabled firewall ruleset of an ESXi host lets every address reach a management port, or a transfer port.

## Why it matters

SSH, the host's web server and NFC move files; with all addresses allowed, any foothold in the network reaches them.

## How it is decided

By ports, not by names: inbound rules over SSH 22, HTTP 80, HTTPS 443, NFC 902, CIM 5988 and 5989, SLP 427, SNMP 161,
or a transfer protocol's port, and inbound rules that trust a source port, as ftpClient does with 20. allowedHosts.allIp
decides who is let in.

## How it can be wrong

A filter in front of the management network may keep others away: the severity does not count on it. Hosts before 8.0.2
do not say which rulesets a user may restrict.
`,
		Attack: []string{"T1133"}, Analytics: []string{"AN1172"}, Controls: []string{"ESXI-80-000239", "SCG firewall-restrict-access"},
		Variants: []audit.Variant{{Name: "management port", Severity: audit.Medium}, {Name: "transfer port or trusted source port", Severity: audit.Medium}},
		Fixes: map[string]string{facts.VMwareESX: "esxcli network firewall ruleset set -r <ruleset> --allowed-all false\n" +
			"esxcli network firewall ruleset allowedip add -r <ruleset> -i <management network>"},
		Needs: esxiNeeds(),
		Device: func(p *audit.Pass, d *facts.Device) {
			if len(d.ESXi.Rulesets) == 0 {
				p.NotEvaluated(missing(d, "config.firewall.ruleset"))
				return
			}
			for i := range d.ESXi.Rulesets {
				r := &d.ESXi.Rulesets[i]
				ports, v := inward(r)
				if !facts.On(r.Enabled) || !facts.On(r.AllIP) || ports == "" {
					continue
				}
				p.Report(audit.Finding{
					Variant: v, Subject: audit.Subject{Kind: "ruleset", Name: r.Key}, Severity: audit.Score(.55, 1, 1, 1), Confidence: audit.ConfidenceHigh,
					Message: fmt.Sprintf("%s: ruleset %q lets every address in on %s", d.ID, r.Key, ports), Spans: []audit.Mark{{Span: r.Span}, {Span: r.AllIP.Span, Role: "all addresses"}},
					Fix:    fmt.Sprintf("esxcli network firewall ruleset set -r %s --allowed-all false\nesxcli network firewall ruleset allowedip add -r %s -i <management network>", r.Key, r.Key),
					Signal: audit.Signal{Weight: .10, Class: "STATE"},
				})
			}
		},
	}
}

// inward names the management or transfer ports a ruleset opens inward; empty when it opens none.
func inward(r *facts.Ruleset) (ports string, variant uint8) {
	var out []string
	for _, x := range r.Rules {
		if x.Direction != facts.In {
			continue
		}
		proto := map[uint8]string{facts.TCP: "tcp", facts.UDP: "udp"}[x.Transport]
		if x.Source {
			out = append(out, fmt.Sprintf("any %s port from source port %s", proto, span(x.Ports)))
			variant = 1
			continue
		}
		for _, m := range managementPorts {
			if m.transport == x.Transport && x.Ports.First <= m.port && m.port <= x.Ports.Last {
				out = append(out, fmt.Sprintf("%s %d", proto, m.port))
			}
		}
		for _, l := range facts.TransferPorts() {
			if l.Transport == x.Transport && x.Ports.First <= l.Ports.Last && l.Ports.First <= x.Ports.Last {
				out = append(out, fmt.Sprintf("%s %s (%s)", proto, span(l.Ports), l.Protocol))
				variant = 1
			}
		}
	}
	return strings.Join(out, ", "), variant
}

func span(p facts.PortRange) string {
	if p.First == p.Last {
		return fmt.Sprint(p.First)
	}
	return fmt.Sprintf("%d-%d", p.First, p.Last)
}

// ShellOpen is QM1405.
func ShellOpen() *audit.Check {
	return &audit.Check{
		ID: "QM1405", Slug: "esx-ssh-shell", Title: "SSH or ESXi shell running or auto-start", Severity: audit.Medium,
		Doc: `SSH or the ESXi shell of a host runs, or starts with the host.

## Why it matters

scp and sftp come with SSH, and wget, ftpget and python are in the shell: every transfer that AN1172 describes begins
here. Both are stopped by default.

## How it is decided

config.service of the host: TSM-SSH and TSM, whether they run and their policy. Log records of a service being started
are findings of their own.

## How it can be wrong

A support session or a break-glass login has an owner and an end: record an exception that expires.
`,
		Variants: []audit.Variant{{Name: "running", Severity: audit.Medium}, {Name: "stopped, and starts with the host", Severity: audit.Medium}, {Name: "started, in a log", Severity: audit.Medium}},
		Attack:   []string{"T1021.004", "T1059.012"}, Analytics: []string{"AN1172"},
		Controls: []string{"ESXI-80-000193", "ESXI-80-000194", "ESXI-80-000195", "SCG ssh", "SCG deactivate-shell", "PCI 2.2.4"},
		False:    "a change window or break-glass session with an exception that expires",
		Fixes:    map[string]string{facts.VMwareESX: "vim-cmd hostsvc/disable_ssh; vim-cmd hostsvc/stop_ssh\nvim-cmd hostsvc/disable_esx_shell; vim-cmd hostsvc/stop_esx_shell"},
		Needs:    esxiNeeds(),
		Device: func(p *audit.Pass, d *facts.Device) {
			seen := false
			for i := range d.Services {
				s := &d.Services[i]
				if s.Name != "TSM" && s.Name != "TSM-SSH" {
					continue
				}
				seen = true
				shell(p, d, s)
			}
			if !seen {
				p.NotEvaluated(missing(d, "config.service.service"))
			}
		},
		Trail: func(p *audit.Pass, e tally.Entity, events []tally.Event) {
			for _, x := range events {
				c := x.Change
				if e.Kind != "device" || c == nil || c.What != "service-start" || c.Subject != "TSM" && c.Subject != "TSM-SSH" {
					continue
				}
				p.Report(audit.Finding{
					Variant: 2, Subject: audit.Subject{Kind: "service", Name: c.Subject + " started"}, Severity: audit.Score(.55, 1, 1, 1), Confidence: audit.ConfidenceHigh,
					Message: fmt.Sprintf("%s: %s was started, in a log", e.Name, label(c.Subject)), Spans: []audit.Mark{{Span: c.Span}},
					When: audit.Interval{First: c.Time.Time(), Last: c.Time.Time()}, Signal: audit.Signal{Weight: .20, Class: "STATE"},
				})
			}
		},
	}
}

func label(service string) string {
	if service == "TSM-SSH" {
		return "SSH"
	}
	return "the ESXi shell"
}

func shell(p *audit.Pass, d *facts.Device, s *facts.Service) {
	auto := s.Policy.Known() && s.Policy.Val == "on"
	v, state := uint8(0), "runs"
	switch {
	case facts.On(s.Enabled) && auto:
		state = "runs and starts with the host"
	case facts.On(s.Enabled):
	case auto:
		v, state = 1, "is stopped and starts with the host"
	case !s.Enabled.Known():
		p.NotEvaluated("whether " + s.Name + " runs is unknown")
		return
	default:
		return
	}
	marks := []audit.Mark{{Span: s.Span}}
	if facts.On(s.Enabled) {
		marks = append(marks, audit.Mark{Span: s.Enabled.Span, Role: "running"})
	}
	if auto {
		marks = append(marks, audit.Mark{Span: s.Policy.Span, Role: "starts with the host"})
	}
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "service", Name: s.Name}, Severity: audit.Score(.55, 1, 1, 1), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s: %s %s", d.ID, label(s.Name), state), Spans: marks, Signal: audit.Signal{Weight: .20, Class: "STATE"},
	})
}
