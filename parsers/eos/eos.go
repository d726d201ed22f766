// Package eos reads configurations of Arista EOS.
//
// A file is one device: management services and their lists, event handlers, schedules, daemons and aliases, accounts,
// SNMP, logging, sFlow and flow tracking, interfaces with their filters and VRFs. EOS has no server of FTP, TFTP or SMB in
// its command line (Arista EOS user manual; AVD's command templates have none): what a daemon or a shell command serves is
// stated as a hook. What an undefined or empty list does is not documented and counts as unknown.
package eos

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "arista-eos-config", Platform: facts.AristaEOS, Layout: tree.Indentation{Comments: "!", Body: tree.EOSText},
	ACL: ace.Dialect{
		Either: true, Port: port, Takes: map[string]int{"rule": 0, "copy": 1},
		Conditions: map[string]int{"tracked": 0, "vlan": 2, "nexthop-group": 1, "ip-length": 2, "cos": 1, "inner": 1, "payload": 3, "mirror": 2},
	},
	Top: top, Irrelevant: irrelevant, LookAlikes: lookAlikes, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads EOS configurations.
func Format() facts.Format { return dialect.Format(detect) }

// port are names of ports that EOS has beside those all platforms share (EOS user manual, ACL configuration commands).
func port(name string) (uint16, bool) {
	switch name {
	case "bftp":
		return 152, true
	case "sftp":
		return 115, true
	case "netconf":
		return 830, true
	case "gnmi":
		return 6030, true
	case "mlag", "mlag-arp-sync":
		return 4432, true
	}
	return 0, false
}

var marks = []cli.Mark{
	{Prefix: "! device: ", Weight: 5}, {Prefix: "! boot system flash:", Weight: 3}, {Prefix: "transceiver qsfp default-mode", Weight: 5}, {Prefix: "management api http-commands", Weight: 5},
	{Prefix: "daemon TerminAttr", Weight: 4}, {Prefix: "service routing protocols model", Weight: 5}, {Prefix: "vrf instance ", Weight: 3}, {Prefix: "mlag configuration", Weight: 3},
	{Prefix: "no aaa root", Weight: 4}, {Prefix: "aaa root ", Weight: 3}, {Prefix: "spanning-tree mode mstp", Weight: 1}, {Prefix: "interface Management1", Weight: 2}, {Prefix: "interface Management0", Weight: 2},
	{Prefix: "ip virtual-router mac-address", Weight: 3}, {Prefix: "router multicast", Weight: 1}, {Prefix: "management ssh", Weight: 3}, {Prefix: "management telnet", Weight: 3}, {Prefix: "management console", Weight: 3},
	{Prefix: "event-handler ", Weight: 3}, {Prefix: "switchport default mode routed", Weight: 3}, {Prefix: "platform trident", Weight: 3}, {Prefix: "agent ", Weight: 1}, {Prefix: "hardware tcam", Weight: 2},
	{Prefix: "! Command: show running-config", Weight: 4}, {Prefix: "!RANCID-CONTENT-TYPE: arista", Weight: 9}, {Prefix: " vxlan vlan ", Weight: 2}, {Prefix: "ip routing vrf ", Weight: 2}, {Prefix: "schedule ", Weight: 1},
	{Prefix: "! Arista ", Weight: 5}, {Prefix: "! Software image version: ", Weight: 5}, {Prefix: "snmp-server vrf ", Weight: 2}, {Prefix: "sflow run", Weight: 3}, {Prefix: "terminattr", Weight: 1}, {Prefix: "control-plane", Weight: 1},
	{Prefix: "feature ", Weight: -5}, {Prefix: "service timestamps", Weight: -5}, {Prefix: "ASA Version", Weight: -9}, {Prefix: ": Saved", Weight: -9}, {Prefix: "!Version ArubaOS-CX", Weight: -9}, {Prefix: "!! IOS XR", Weight: -9},
	{Prefix: "object-group ", Weight: -5}, {Prefix: "cgnv6", Weight: -9}, {Prefix: "frr version", Weight: -9}, {Prefix: "set ", Weight: -5},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

// comment reads "device: NAME (MODEL, EOS-RELEASE)", "Command: ..." and the marks of backup tools.
func comment(r *cli.Reader, n int32, text string) {
	switch {
	case strings.HasPrefix(text, "Command: "):
		r.Typed(strings.TrimPrefix(text, "Command: "))
	case strings.HasPrefix(text, "device: "):
		_, rest, ok := strings.Cut(text, "(")
		model, release, ok2 := strings.Cut(strings.TrimSuffix(rest, ")"), ", ")
		if ok && ok2 {
			r.D.Model = facts.Say(strings.Clone(model), r.Span(n))
			r.D.Version = facts.Say(strings.Clone(strings.TrimPrefix(release, "EOS-")), r.Span(n))
			r.Stated = true
		}
	case strings.HasPrefix(text, "RANCID-CONTENT-TYPE:"):
		r.Tool(facts.RANCID)
	case strings.HasPrefix(text, "Arista "), strings.HasPrefix(text, "Software image version: "):
		r.Tool(facts.Oxidized)
		if v, ok := strings.CutPrefix(text, "Software image version: "); ok {
			r.D.Version = facts.Say(strings.Clone(v), r.Span(n))
		} else if w := strings.Fields(text); len(w) > 1 {
			r.D.Model = facts.Say(strings.Clone(w[1]), r.Span(n))
		}
	}
}

func outside(r *cli.Reader, n int32, text string) bool {
	return r.Banner(n, text, "Building configuration", "show ", "sh ", "terminal ", "end! Command:")
}

// finish states the defaults: SSH is on, Telnet and the command API are off (EOS user manual, management).
func finish(r *cli.Reader) {
	r.Defaults()
	if !r.Whole() {
		return
	}
	for _, m := range [...]struct {
		name string
		on   bool
	}{{"management ssh", true}, {"management telnet", false}, {"management api http-commands", false}} {
		known := false
		for i := range r.D.Access {
			known = known || r.D.Access[i].Name == m.name
		}
		if known {
			continue
		}
		w := ways[m.name]
		r.D.Services = append(r.D.Services, facts.Service{
			Protocol: w.protocol, Name: m.name, Role: facts.RoleShell, Port: w.port, Enabled: facts.Assume(m.on), Span: r.D.Hostname.Span,
		})
		if m.on {
			r.D.Access = append(r.D.Access, facts.Access{
				Name: m.name, In: facts.V[[]string]{Val: []string{w.word}, Origin: facts.Default}, Enabled: facts.Assume(true), Span: r.D.Hostname.Span,
			})
		}
	}
}
