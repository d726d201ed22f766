package eos

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// top reads a statement outside every block.
func top(s *cli.Stmt) bool {
	switch s.Word(0) {
	case "hostname":
		return s.Hostname(1)
	case "end":
		s.R.Ended = true
		return s.OK()
	case "interface":
		return s.Interface(strings.Join(s.W[1:], ""), facts.Assume(false), interfaceLine)
	case "ip":
		return ip(s)
	case "ipv6":
		return ipv6(s)
	case "vrf":
		if s.Is(1, "instance") || s.Is(1, "definition") {
			return s.All()
		}
	case "management":
		return management(s)
	case "username":
		return username(s)
	case "snmp-server":
		return snmp(s)
	case "logging":
		return logging(s)
	case "ntp":
		return ntp(s)
	case "aaa":
		return aaa(s)
	case "tacacs-server", "radius-server", "ldap":
		if s.Is(1, "host") {
			return s.Trusts(strings.TrimSuffix(s.Word(0), "-server"), s.Word(2))
		}
	case "control-plane":
		return s.Block(func(c *cli.Stmt) bool { return controlPlane(c, 0) })
	case "system":
		if s.Is(1, "control-plane") {
			return s.Block(func(c *cli.Stmt) bool { return controlPlane(c, 0) })
		}
	case "daemon":
		return daemon(s)
	case "event-handler":
		return handler(s)
	case "alias":
		return alias(s)
	case "schedule":
		return schedule(s)
	case "dhcp":
		if s.Is(1, "server") {
			return dhcpServer(s, "dhcp server")
		}
	case "sflow":
		return sflow(s)
	case "flow":
		if s.Is(1, "tracking") {
			return tracking(s)
		}
	case "class-map", "route-map":
		references(s, s.Word(0))
		return s.Skip()
	case "traffic-policies":
		s.Unsupported("traffic policies are not modelled")
		s.Each(func(c *cli.Stmt) { c.Skip() })
		return true
	case "boot":
		if l, ok := s.FindLink(1); ok && !s.No {
			s.R.Client("boot-system", "boot "+s.Keep(1), l, s.Span()).Automatic = true
			return s.OK()
		}
	case "enable":
		return s.OK() // its secret is found with all others
	}
	return false
}

func ip(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "access-list":
		return accessList(s, facts.IPv4)
	case "route":
		i, scope := 2, ""
		if s.Is(2, "vrf") {
			i, scope = 4, s.Word(3)
		}
		p, ok := s.Prefix(i)
		if !ok {
			return false
		}
		if !strings.Contains(s.Word(i), "/") {
			i++
		}
		return s.Route(p, scope, i+1)
	case "ftp", "tftp":
		if s.Is(2, "client") && !s.No {
			proto, _ := facts.ParseProtocol(s.Word(1))
			c := s.Setting(proto, "ip "+s.Word(1)+" client")
			c.Source, c.Scope = s.R.Keep(s.After(3, "source-interface")), s.R.Keep(s.After(3, "vrf"))
			return true
		}
	case "http", "ssh":
		if s.Is(2, "client") {
			return s.OK()
		}
	case "nat":
		return s.Skip()
	}
	return false
}

func ipv6(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "access-list":
		return accessList(s, facts.IPv6)
	case "route":
		i, scope := 2, ""
		if s.Is(2, "vrf") {
			i, scope = 4, s.Word(3)
		}
		p, err := netip.ParsePrefix(s.Word(i))
		if err != nil {
			return false
		}
		return s.Route(p, scope, i+1)
	}
	return s.Skip()
}

func accessList(s *cli.Stmt, fam facts.Family) bool {
	kind, i, standard := s.Word(0)+" access-list", 2, false
	if s.Is(2, "standard") {
		kind, i, standard = kind+" standard", 3, true
	}
	if s.No || s.Word(i) == "" {
		return s.OK()
	}
	at := s.List(s.Word(i), kind, fam, facts.ActionUnknown)
	return s.Lines(at, standard, func(c *cli.Stmt) bool {
		switch {
		case c.Is(0, "counters"), c.Is(0, "statistics"), c.Is(0, "hardware"):
			return c.OK()
		case c.Is(0, "fragment-rules"):
			return c.Unsupported("rules of fragments are not modelled")
		}
		return false
	})
}

func interfaceLine(f *facts.Interface, c *cli.Stmt) bool {
	switch c.Word(0) {
	case "shutdown":
		f.Shutdown = c.On()
		return c.OK()
	case "vrf":
		if !c.No {
			f.Scope = c.R.Keep(c.Word(len(c.W) - 1)) // vrf X, vrf forwarding X
		}
		return c.OK()
	case "ip", "ipv6":
		return interfaceIP(f, c)
	case "sflow":
		if c.Is(1, "enable") {
			return c.Measures()
		}
	case "flow":
		if c.Is(1, "tracker") {
			return c.Measures()
		}
	case "mac":
		if c.Is(1, "access-group") {
			return c.Unsupported("filters of frames are not modelled")
		}
	case "traffic-policy":
		return c.Unsupported("traffic policies are not modelled")
	case "tunnel":
		return tunnel(f, c)
	case "service-policy":
		return c.OK()
	}
	return false
}

func interfaceIP(f *facts.Interface, c *cli.Stmt) bool {
	fam := facts.IPv4
	if c.Is(0, "ipv6") {
		fam = facts.IPv6
	}
	switch c.Word(1) {
	case "address":
		if c.Is(2, "virtual") || c.Is(2, "unnumbered") {
			if c.Is(2, "unnumbered") {
				f.Unnumbered = c.Keep(3)
				return c.OK()
			}
			return c.Address(f, 3)
		}
		return c.Address(f, 2)
	case "virtual-router":
		return c.OK()
	case "access-group":
		dir, ok := cli.Direction(c.Word(3))
		if !ok {
			return false
		}
		return c.Bind(f, c.Word(2), fam, dir, facts.ActionUnknown)
	case "nat":
		return nat(f, c)
	case "helper-address", "dhcp":
		return c.OK()
	}
	return false
}

// nat reads "ip nat source|destination static|dynamic ..." of an interface.
func nat(f *facts.Interface, c *cli.Stmt) bool {
	if c.No || c.Is(2, "translation") {
		return c.OK()
	}
	n := facts.NAT{Kind: c.Word(2), Out: f.Name, Span: c.Span()}
	if n.Kind != "source" && n.Kind != "destination" {
		return false
	}
	if n.Kind = strings.Clone(n.Kind); n.Kind == "destination" {
		n.In, n.Out = f.Name, ""
	}
	a, err1 := netip.ParseAddr(c.Word(4))
	b, err2 := netip.ParseAddr(c.Word(len(c.W) - 1))
	if c.Is(3, "static") && err1 == nil && err2 == nil && len(c.W) == 6 {
		n.Static, n.Original, n.Mapped = true, netip.PrefixFrom(a, a.BitLen()), netip.PrefixFrom(b, b.BitLen())
	} else {
		n.Unread = "dynamic, or by port or list"
	}
	c.Refer(c.After(3, "access-list"), "ip nat")
	c.R.D.NAT = append(c.R.D.NAT, n)
	return c.OK()
}

func tunnel(f *facts.Interface, c *cli.Stmt) bool {
	if f.Tunnel == nil {
		f.Tunnel = &facts.Tunnel{Span: f.Span}
	}
	switch c.Word(1) {
	case "source":
		f.Tunnel.Source = c.R.Keep(c.Word(len(c.W) - 1))
	case "destination":
		f.Tunnel.Destination, f.Tunnel.Addr = c.R.Host(c.Word(2))
	case "mode":
		f.Tunnel.Mode = c.R.Keep(c.Rest(2))
	case "ipsec":
		f.Tunnel.Protected = facts.Say(true, c.Span())
	}
	return c.OK()
}

// controlPlane reads "ip access-group A [vrf V] in": what reaches the switch itself.
func controlPlane(c *cli.Stmt, i int) bool {
	fam := facts.IPv4
	switch c.Word(i) {
	case "ip":
	case "ipv6":
		fam = facts.IPv6
	default:
		return false
	}
	if !c.Is(i+1, "access-group") {
		return false
	}
	scope := c.After(i+3, "vrf")
	return c.BindAt(facts.WhereControlPlane, c.Word(i+2), fam, facts.In, facts.ActionUnknown, scope)
}

// A way is a management service, by the words of its block.
type way struct {
	word     string
	protocol facts.Protocol
	port     uint16
	where    string
}

var ways = map[string]way{
	"management ssh": {"ssh", facts.SSH, 22, facts.WhereSSH}, "management telnet": {"telnet", facts.Telnet, 23, facts.WhereVTY},
	"management api http-commands": {"https", facts.HTTPS, 443, facts.WhereHTTP}, "management api netconf": {"netconf", facts.SSH, 830, ""},
	"management api gnmi": {"gnmi", facts.ProtocolUnknown, 6030, ""}, "management api restconf": {"restconf", facts.HTTPS, 6020, ""},
}

// management reads "management ssh|telnet|api X|console|...".
func management(s *cli.Stmt) bool {
	w, ok := ways[strings.Join(s.W[:min(len(s.W), 3)], " ")]
	if !ok {
		w, ok = ways[strings.Join(s.W[:min(len(s.W), 2)], " ")]
	}
	if !ok {
		return s.Skip() // console, security, defaults, cvx, accounts
	}
	name := s.R.Keep(strings.Join(s.W, " "))
	on := facts.Assume(w.word == "ssh")
	a := facts.Access{Name: name, In: facts.Say([]string{w.word}, s.Span()), Span: s.Span()}
	inside := func(c *cli.Stmt) bool {
		fam := facts.IPv4
		switch {
		case c.Is(0, "shutdown"):
			on = facts.Say(c.No, c.Span())
			return c.OK()
		case c.Is(0, "protocol", "http") && !c.No:
			a.In = facts.Say([]string{"http", "https"}, c.Span())
			return c.OK()
		case c.Is(0, "ipv6", "access-group"):
			fam = facts.IPv6
		case c.Is(0, "ip", "access-group"):
			if !c.No {
				a.ACL = facts.Say(c.Keep(2), c.Span())
			}
		default:
			return false
		}
		if w.where == "" {
			c.Refer(c.Word(2), name)
			return c.OK()
		}
		return c.BindAt(w.where, c.Word(2), fam, facts.In, facts.ActionUnknown, c.After(3, "vrf"))
	}
	s.Block(func(c *cli.Stmt) bool {
		if c.Is(0, "vrf") || c.Is(0, "transport") { // a block of its own, whose "no shutdown" serves that VRF
			if c.Is(0, "vrf") {
				a.Scope = c.Keep(1)
			}
			return c.Block(inside)
		}
		return inside(c)
	})
	a.Enabled = on
	s.R.D.Access = append(s.R.D.Access, a)
	s.R.D.Services = append(s.R.D.Services, facts.Service{
		Protocol: w.protocol, Name: name, Role: facts.RoleShell, Enabled: on, Port: w.port, ACL: a.ACL, Scope: a.Scope, Span: s.Span(),
	})
	return true
}

// username reads "username U [privilege N] [role R] [secret ...|nopassword]" and "username U ssh-key ...".
func username(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	a := s.Account(s.Word(1))
	level := s.After(2, "privilege")
	role := s.After(2, "role")
	switch {
	case s.Is(2, "ssh-key") || s.Is(2, "sshkey"):
		a.Keys++
		return s.OK()
	case level != "" || role != "":
		a.Role = s.R.Keep(strings.TrimSpace(strings.TrimSpace("privilege "+level) + " " + role))
		if level == "" {
			a.Role = s.R.Keep(role)
		}
		a.Admin = facts.Say(level == "15" || role == "network-admin", s.Span())
	}
	if i := s.Find(2, "secret"); i >= 0 {
		storage, k := facts.StorageClear, i+1
		switch s.Word(k) {
		case "0":
			k++
		case "5", "sha512", "*":
			storage, k = facts.StorageHashed, k+1
		}
		s.Secret(k, facts.SecretUser, storage, "username secret", a.Name)
	}
	return s.OK()
}

func snmp(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "community": // snmp-server community C [view V] [ro|rw] [[ipv6] ACL]
		if s.No {
			return s.OK()
		}
		a := facts.SNMPAccess{Write: facts.Say(s.Find(3, "rw") > 0, s.Span()), CoversCopy: facts.Assume(false)}
		i := max(s.Find(3, "rw"), s.Find(3, "ro"))
		if i > 0 && s.Word(i+1) != "" {
			name, fam := s.Word(i+1), facts.IPv4
			if name == "ipv6" {
				name, fam = s.Word(i+2), facts.IPv6
			}
			a.ACL = facts.Say(s.R.Keep(name), s.Span())
			s.BindAt(facts.WhereSNMP, name, fam, facts.In, facts.ActionUnknown, "")
		}
		return s.Community(2, a)
	case "group": // snmp-server group G v3 priv [read V] [write V]
		if !s.No {
			s.R.D.SNMP = append(s.R.D.SNMP, facts.SNMPAccess{
				Version: 3, Name: s.Keep(2), Write: facts.Say(s.Find(4, "write") > 0, s.Span()), ReadView: s.R.Keep(s.After(4, "read")), WriteView: s.R.Keep(s.After(4, "write")), Span: s.Span(),
			})
		}
		return s.OK()
	case "user", "host":
		if s.Is(1, "user") && !s.No {
			s.R.D.Trusts = append(s.R.D.Trusts, facts.Trust{Kind: "snmp-user", Name: s.Keep(2), Span: s.Span()})
		}
		return s.OK()
	case "ipv4", "ipv6": // snmp-server ipv4 access-list A [vrf V]
		if s.Is(2, "access-list") {
			fam := facts.IPv4
			if s.Is(1, "ipv6") {
				fam = facts.IPv6
			}
			return s.BindAt(facts.WhereSNMP, s.Word(3), fam, facts.In, facts.ActionUnknown, s.After(4, "vrf"))
		}
	}
	return s.Skip()
}

// logging reads "logging [vrf V] host H [PORT] [protocol P]", "logging trap S", "no logging on".
func logging(s *cli.Stmt) bool {
	i, scope := 1, ""
	if s.Is(1, "vrf") {
		i, scope = 3, s.Word(2)
	}
	switch s.Word(i) {
	case "host":
		h := facts.LogHost{Host: s.Word(i + 1), Scope: scope, Transport: "udp"}
		if v := s.After(i, "vrf"); v != "" {
			h.Scope = v
		}
		if n, err := strconv.ParseUint(s.Word(i+2), 10, 16); err == nil {
			h.Port = uint16(n)
		}
		if p := s.After(i, "protocol"); p != "" {
			h.Transport = s.R.Keep(p)
		}
		return s.LogTo(h)
	case "on":
		s.R.D.Logging.Enabled = s.On()
		return s.OK()
	case "trap":
		s.R.D.Logging.Severity = facts.Say(s.Keep(i+1), s.Span())
		return s.OK()
	}
	return s.Skip()
}

func ntp(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "server", "peer":
		i := 2
		if s.Is(2, "vrf") {
			i = 4
		}
		return s.Time(i)
	case "authenticate":
		s.R.D.Logging.NTPAuth = s.On()
		return s.OK()
	}
	return s.Skip()
}

func aaa(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "accounting", "commands"):
		remote := !s.No && (s.Find(3, "group") > 0 || s.Find(3, "logging") > 0)
		s.R.D.Logging.CommandAccounting = facts.Say(remote, s.Span())
		return s.OK()
	case s.Is(1, "group", "server"):
		kind := strings.TrimSuffix(s.Word(3), "+")
		return s.Block(func(c *cli.Stmt) bool { return c.Is(0, "server") && c.Trusts(kind, c.Word(1)) })
	}
	return s.Skip()
}

// references looks for the lists that a block names.
func references(s *cli.Stmt, by string) {
	s.Each(func(c *cli.Stmt) {
		if i := c.Find(0, "access-list"); i >= 0 && c.Is(0, "match") {
			c.Refer(c.Word(i+1), by+" match")
		}
		if i := c.Find(0, "access-group"); i >= 0 && c.Is(0, "match") {
			c.Refer(c.Word(i+1), by+" match")
		}
		references(c, by)
	})
}
