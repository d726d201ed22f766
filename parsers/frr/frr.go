// Package frr reads configurations of FRRouting, as "show running-config" of vtysh prints them.
//
// FRR routes; the Linux host under it filters and serves. Its access lists and prefix lists choose routes and, by
// "access-class", who may log in to its daemons: they are no filters of traffic (FRR user manual, filtering). Stated are
// logins, logging, SNMP by AgentX, interfaces, static routes and accounts; what the host lets through is unknown here.
package frr

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "frr-config", Platform: facts.FRR, Layout: tree.Indentation{Comments: "!#"}, ACL: ace.Dialect{Takes: map[string]int{"exact-match": 0}},
	Top: top, Irrelevant: irrelevant, LookAlikes: map[string]string{"rd ": "a route distinguisher"}, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads FRR configurations.
func Format() facts.Format { return dialect.Format(detect) }

var marks = []cli.Mark{
	{Prefix: "frr version ", Weight: 9}, {Prefix: "frr defaults ", Weight: 9}, {Prefix: "service integrated-vtysh-config", Weight: 5}, {Prefix: "exit-vrf", Weight: 4}, {Prefix: "agentx", Weight: 3},
	{Prefix: "Current configuration:", Weight: 1}, {Prefix: "log file /", Weight: 3}, {Prefix: "log syslog ", Weight: 3}, {Prefix: "no ipv6 forwarding", Weight: 2}, {Prefix: "!RANCID-CONTENT-TYPE: frr", Weight: 9}, {Prefix: "!RANCID-CONTENT-TYPE: zebra", Weight: 9}, {Prefix: "log commands", Weight: 3},
	{Prefix: "feature ", Weight: -5}, {Prefix: "service timestamps", Weight: -9}, {Prefix: "aaa new-model", Weight: -9}, {Prefix: "boot-start-marker", Weight: -9},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

func comment(r *cli.Reader, _ int32, text string) {
	if strings.HasPrefix(text, "RANCID-CONTENT-TYPE:") {
		r.Tool(facts.RANCID)
	}
}

func outside(r *cli.Reader, n int32, text string) bool {
	return r.Banner(n, text, "Building configuration", "Current configuration", "show ", "sh ")
}

// finish states what a whole configuration says by not saying it.
func finish(r *cli.Reader) {
	r.Defaults()
	if l := &r.D.Logging; r.Whole() && l.Remote.Origin == facts.Default {
		l.Remote = facts.V[bool]{} // the host's own syslog forwards, or does not
	}
}

func top(s *cli.Stmt) bool {
	switch s.Word(0) {
	case "frr":
		if s.Is(1, "version") {
			return s.Version(2)
		}
		s.R.Stated = true
		return s.OK()
	case "hostname":
		return s.Hostname(1)
	case "end":
		s.R.Ended = true
		return s.OK()
	case "log":
		return log(s)
	case "interface":
		return s.Interface(s.Word(1), facts.Assume(false), func(f *facts.Interface, c *cli.Stmt) bool {
			if v := s.After(2, "vrf"); v != "" {
				f.Scope = s.R.Keep(v)
			}
			switch {
			case c.Is(0, "ip", "address"), c.Is(0, "ipv6", "address"):
				return c.Address(f, 2)
			case c.Is(0, "shutdown"):
				f.Shutdown = c.On()
				return c.OK()
			}
			return false
		})
	case "ip", "ipv6":
		return ip(s, "")
	case "vrf":
		scope := s.Keep(1)
		return s.Block(func(c *cli.Stmt) bool { return (c.Is(0, "ip") || c.Is(0, "ipv6")) && ip(c, scope) })
	case "access-list":
		return accessList(s, 1, facts.IPv4)
	case "line":
		return line(s)
	case "username", "password", "enable":
		return login(s)
	case "agentx":
		s.Serve(facts.Service{Name: "agentx", Role: facts.RoleProxy})
		return true
	case "pbr-map":
		return s.Skip()
	}
	return false
}

func ip(s *cli.Stmt, scope string) bool {
	switch s.Word(1) {
	case "route":
		p, err := netip.ParsePrefix(s.Word(2))
		if err != nil {
			return false
		}
		if v := s.After(3, "vrf"); v != "" {
			scope = v
		}
		return s.Route(p, scope, 3)
	case "access-list":
		return accessList(s, 2, facts.IPv6)
	}
	return s.Skip()
}

// accessList reads "access-list N [seq S] permit|deny A/n|any [exact-match]": it chooses routes and logins.
func accessList(s *cli.Stmt, i int, fam facts.Family) bool {
	if s.No || s.Word(i) == "" {
		return s.OK()
	}
	at := s.List(s.Word(i), "access-list", fam, facts.ActionUnknown)
	k := i + 1
	if s.Is(k, "seq") {
		k += 2
	}
	standard := true
	switch s.Word(k + 1) {
	case "ip", "tcp", "udp", "icmp":
		standard = false
	}
	return s.Entry(at, i+1, standard)
}

// log reads "log syslog [LEVEL]", "log file F", "log commands".
func log(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "commands":
		s.R.D.Logging.CommandAccounting = s.On() // to where the log goes: the host decides
		return s.OK()
	case "syslog":
		if s.Word(2) != "" {
			s.R.D.Logging.Severity = facts.Say(s.Keep(2), s.Span())
		}
		return s.OK()
	}
	return s.OK()
}

// line reads "line vty" with its list.
func line(s *cli.Stmt) bool {
	a := facts.Access{Name: "line vty", In: facts.Assume([]string{"telnet"}), Enabled: facts.Assume(true), Span: s.Span()}
	s.Block(func(c *cli.Stmt) bool {
		i := 0
		fam := facts.IPv4
		if c.Is(0, "ipv6") {
			i, fam = 1, facts.IPv6
		}
		if !c.Is(i, "access-class") {
			return false
		}
		if fam == facts.IPv4 && !c.No {
			a.ACL = facts.Say(c.Keep(i+1), c.Span())
		}
		return c.BindAt(facts.WhereVTY, c.Word(i+1), fam, facts.In, facts.ActionUnknown, "")
	})
	s.R.D.Access = append(s.R.D.Access, a)
	return true
}

// login reads "username U nopassword", "password X", "enable password X".
func login(s *cli.Stmt) bool {
	if s.Is(0, "username") && !s.No {
		s.Account(s.Word(1))
	}
	return s.OK() // passwords are found with all other secrets
}

// irrelevant are statements that cannot bear on transfers, with all below them, and why.
var irrelevant = map[string]string{
	"router": "routing: paths, not permissions", "route-map": "routing", "bgp": "routing", "exit": "the end of a block", "exit-vrf": "the end of a block", "exit-address-family": "the end of a block", "service": "settings of the shell", "no": "settings", "debug": "debugging", "key": "keys, which are found as secrets", "bfd": "health", "segment-routing": "labels", "mpls": "labels", "rpki": "routing", "banner": "texts", "nexthop-group": "routing", "pseudowire": "circuits", "l2vpn": "circuits", "vni": "overlays", "ip": "routing", "ipv6": "routing", "zebra": "routing", "allow-external-route-update": "routing", "pim": "multicast", "mac": "switching", "vrrp": "redundancy", "affinity-map": "labels", "fpm": "forwarding", "pbr-map": "routing by source and port", "domainname": "names", "evpn": "overlays", "table-map": "routing", "access-list": "routes",
}
