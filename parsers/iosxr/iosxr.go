// Package iosxr reads configurations of Cisco IOS XR.
//
// A file is one device: the TFTP server of a VRF, SSH, Telnet and other management services with their lists, clients with
// stored passwords, accounts, SNMP, logging, NetFlow, interfaces with their filters, static routes and management plane
// protection. Masks of access lists are wildcards. Telnet and SSH servers are off until they are configured (DISA STIG
// V-216529, V-216741 and the system management command reference); there is no FTP server (Cisco-IOS-XR-um-ftp-tftp-cfg
// has a client only). A common list and the list behind it are one, with one end.
package iosxr

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "cisco-iosxr-config", Platform: facts.CiscoIOSXR, Layout: tree.Indentation{Comments: "!", Body: tree.CiscoText},
	ACL: ace.Dialect{
		Groups: []string{"net-group"}, PortGroups: []string{"port-group"},
		Takes: map[string]int{"capture": 0, "counter": 1, "icmp-off": 0, "set": 2, "police": 2, "copy": 1},
		Conditions: map[string]int{
			"nexthop1": 2, "nexthop2": 2, "nexthop3": 2, "default": 3, "fragment-type": 1, "fragment-offset": 2, "authen": 0, "destopts": 0, "hop-by-hop": 0, "routing": 0, "header": 1, "udf": 3,
			"qos-group": 1, "vlan": 1, "traffic-class": 1,
		},
	},
	// "permit icmp any any nd-na, nd-ns" are implicit in IPv6 lists as on IOS (IP addresses and services command reference,
	// ipv6 access-list).
	Implied6: []facts.ICMPType{{Type: 135, Code: -1}, {Type: 136, Code: -1}},
	Top:      top, Irrelevant: irrelevant, LookAlikes: lookAlikes, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads IOS XR configurations.
func Format() facts.Format { return dialect.Format(detect) }

var marks = []cli.Mark{
	{Prefix: "!! IOS XR", Weight: 9}, {Prefix: "!! Last configuration change", Weight: 3}, {Prefix: "interface MgmtEth", Weight: 5}, {Prefix: " ipv4 address ", Weight: 3}, {Prefix: "RP/0/", Weight: 3},
	{Prefix: "route-policy ", Weight: 3}, {Prefix: "end-policy", Weight: 3}, {Prefix: "end-set", Weight: 3}, {Prefix: "prefix-set ", Weight: 3}, {Prefix: "ipv4 access-list ", Weight: 4},
	{Prefix: "router static", Weight: 3}, {Prefix: " group root-lr", Weight: 3}, {Prefix: "ssh server v2", Weight: 3}, {Prefix: "line default", Weight: 2}, {Prefix: "vty-pool ", Weight: 4},
	{Prefix: "ssh server vrf ", Weight: 2}, {Prefix: "tftp vrf ", Weight: 4}, {Prefix: "control-plane", Weight: 1}, {Prefix: "!RANCID-CONTENT-TYPE: cisco-xr", Weight: 9}, {Prefix: "object-group network ipv4 ", Weight: 4},
	{Prefix: "l2vpn", Weight: 2}, {Prefix: "multicast-routing", Weight: 1}, {Prefix: "ipv6 access-list ", Weight: 1}, {Prefix: "username ", Weight: 1}, {Prefix: "! Cisco IOS XR", Weight: 9},
	{Prefix: "service timestamps debug", Weight: -1}, {Prefix: "ip access-list ", Weight: -9}, {Prefix: "feature ", Weight: -5}, {Prefix: "transceiver ", Weight: -5}, {Prefix: "!Version ArubaOS-CX", Weight: -9},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

// comment reads "!! IOS XR Configuration RELEASE" and the marks of backup tools.
func comment(r *cli.Reader, n int32, text string) {
	switch {
	case strings.HasPrefix(text, "IOS XR Configuration"):
		r.Stated = true
		if w := strings.Fields(text); len(w) > 3 {
			v := w[3]
			if v == "version" && len(w) > 4 {
				v = w[4]
			}
			r.D.Version = facts.Say(strings.Clone(v), r.Span(n))
		}
	case strings.HasPrefix(text, "RANCID-CONTENT-TYPE:"):
		r.Tool(facts.RANCID)
	case strings.HasPrefix(text, "Cisco IOS XR"):
		r.Tool(facts.Oxidized)
	}
}

func outside(r *cli.Reader, n int32, text string) bool {
	if w := strings.Fields(text); len(w) >= 5 && slices.Contains([]string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}, w[0]) && strings.Count(w[3], ":") == 2 {
		return true // the clock before a command's output
	}
	return r.Banner(n, text, "Building configuration", "show ", "sh ", "terminal ")
}

// finish states the defaults of a whole configuration and gives logins their protocols.
func finish(r *cli.Reader) {
	r.Defaults()
	protection(r)
	has := func(p facts.Protocol, role facts.ServiceRole) bool {
		return slices.ContainsFunc(r.D.Services, func(s facts.Service) bool { return s.Protocol == p && s.Role == role })
	}
	for _, x := range [...]facts.Service{
		{Protocol: facts.TFTP, Name: "tftp server", Role: facts.RoleServer}, {Protocol: facts.Telnet, Name: "telnet server", Role: facts.RoleShell, Port: 23}, {Protocol: facts.SSH, Name: "ssh server", Role: facts.RoleShell, Port: 22},
	} {
		if r.Whole() && !has(x.Protocol, x.Role) {
			x.Enabled, x.Span = facts.Assume(false), r.D.Hostname.Span
			r.D.Services = append(r.D.Services, x)
		}
	}
}
