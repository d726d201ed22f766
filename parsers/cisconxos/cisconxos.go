// Package cisconxos reads configurations of Cisco NX-OS: Nexus and MDS switches.
//
// A file is one device (or one VDC): features that are services, clients, jobs and applets, accounts, SNMP, logging,
// interfaces with their filters and VRFs. Masks of access lists are wildcards. Statements are printed only where they
// differ from the default; features are off unless printed, but for SSH (Cisco Nexus 9000 NX-OS fundamentals and security
// configuration guides). What an undefined or empty list does is not documented alike for all releases and counts as
// unknown.
package cisconxos

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "cisco-nxos-config", Platform: facts.CiscoNXOS, Layout: tree.Indentation{Comments: "!", Body: tree.CiscoText},
	ACL: ace.Dialect{
		Groups: []string{"addrgroup"}, PortGroups: []string{"portgroup"},
		Takes:      map[string]int{"capture": 2, "set-erspan-dscp": 1, "set-erspan-gre-proto": 1, "set-log-limit": 1},
		Conditions: map[string]int{"http-method": 1, "tcp-option-length": 1, "tcp-flags-mask": 1, "udf": 3, "vlan": 1, "load-share": 0, "igmp": 1, "redirect": 1},
	},
	// "permit icmp any any nd-na, nd-ns, router-advertisement, router-solicitation" end every IPv6 list (Cisco Nexus 9000
	// security configuration guide, implicit rules for IPv6 ACLs).
	Implied6: []facts.ICMPType{{Type: 136, Code: -1}, {Type: 135, Code: -1}, {Type: 134, Code: -1}, {Type: 133, Code: -1}},
	Top:      top, Irrelevant: irrelevant, LookAlikes: lookAlikes, NoSecrets: []string{"no password strength-check", "password strength-check", "password secure-mode"}, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads NX-OS configurations.
func Format() facts.Format { return dialect.Format(detect) }

// marks are lines that NX-OS writes.
var marks = []cli.Mark{
	{Prefix: "!Command: show running-config", Weight: 5}, {Prefix: "!Command: show startup-config", Weight: 5}, {Prefix: "!Command: Checkpoint cmd vdc", Weight: 5},
	{Prefix: "!Running configuration last done at:", Weight: 3}, {Prefix: "feature ", Weight: 3}, {Prefix: "vdc ", Weight: 4}, {Prefix: "vrf context ", Weight: 3},
	{Prefix: "boot nxos ", Weight: 5}, {Prefix: "boot kickstart ", Weight: 5}, {Prefix: "interface mgmt0", Weight: 2}, {Prefix: "copp profile ", Weight: 4},
	{Prefix: " vrf member ", Weight: 2}, {Prefix: "no password strength-check", Weight: 3}, {Prefix: "role name ", Weight: 2}, {Prefix: "scheduler job ", Weight: 3},
	{Prefix: " limit-resource ", Weight: 3}, {Prefix: "nv overlay evpn", Weight: 3}, {Prefix: "install feature-set", Weight: 4}, {Prefix: "system default switchport", Weight: 3},
	{Prefix: "! Cisco NX-OS", Weight: 5}, {Prefix: "Cisco Nexus Operating System", Weight: 5}, {Prefix: "!RANCID-CONTENT-TYPE: cisco-nx", Weight: 9},
	{Prefix: "service timestamps", Weight: -5}, {Prefix: "aaa new-model", Weight: -5}, {Prefix: ": Saved", Weight: -9}, {Prefix: "ASA Version", Weight: -9}, {Prefix: "!! IOS XR", Weight: -9},
	{Prefix: "transceiver qsfp", Weight: -9}, {Prefix: "!Version ArubaOS-CX", Weight: -9}, {Prefix: "set ", Weight: -5},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

// comment reads what the device and backup tools say in comments.
func comment(r *cli.Reader, n int32, text string) {
	switch {
	case strings.HasPrefix(text, "Command: "):
		r.Typed(strings.TrimPrefix(text, "Command: "))
		r.Stated = true
	case strings.HasPrefix(text, "RANCID-CONTENT-TYPE:"):
		r.Tool(facts.RANCID)
	case strings.HasPrefix(r.Text(n), "! ") && (strings.HasPrefix(text, "PID:") || strings.HasPrefix(text, "NAME:") || strings.HasPrefix(text, "Cisco Nexus")):
		r.Tool(facts.Oxidized)
		if strings.HasPrefix(text, "PID:") && r.D.Model.Origin == facts.Unknown {
			if w := strings.Fields(text); len(w) > 1 {
				r.D.Model = facts.Say(strings.Clone(strings.Trim(w[1], ",")), r.Span(n))
			}
		}
	case strings.Contains(text, "system: ") && strings.Contains(text, "version "), strings.HasPrefix(text, "NXOS: version "):
		if _, v, ok := strings.Cut(text, "version "); ok {
			if w := strings.Fields(v); len(w) > 0 {
				r.D.Version = facts.Say(strings.Clone(w[0]), r.Span(n))
			}
		}
	}
}

func outside(r *cli.Reader, n int32, text string) bool {
	return r.Banner(n, text, "Building configuration", "show ", "sh ", "terminal ")
}

// finish states the defaults of a whole configuration.
func finish(r *cli.Reader) {
	lines(r)
	r.Defaults()
	if !r.Whole() {
		return
	}
	for _, f := range features {
		known := false
		for i := range r.D.Services {
			known = known || r.D.Services[i].Name == f.name
		}
		if known {
			continue
		}
		r.D.Services = append(r.D.Services, facts.Service{
			Protocol: f.protocol, Name: f.name, Role: f.role, Port: f.port, Enabled: facts.Assume(f.on), Span: r.D.Hostname.Span,
		})
	}
}
