package iosxr

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
		i := 1
		if s.Is(1, "preconfigure") {
			i++
		}
		return s.Interface(s.Word(i), facts.Assume(false), interfaceLine)
	case "ipv4", "ipv6":
		if s.Is(1, "access-list") {
			return accessList(s)
		}
	case "object-group":
		return objectGroup(s)
	case "router":
		if s.Is(1, "static") {
			return static(s, "", false)
		}
		return s.Skip()
	case "tftp":
		return tftp(s)
	case "ftp":
		return ftp(s)
	case "ssh", "telnet", "http", "netconf-yang", "netconf", "grpc", "xml":
		return server(s)
	case "username":
		return username(s)
	case "snmp-server":
		return snmp(s)
	case "logging":
		return logging(s)
	case "ntp":
		return ntp(s, 1)
	case "aaa":
		return aaa(s)
	case "tacacs-server", "radius-server":
		if s.Is(1, "host") {
			s.Trusts(strings.TrimSuffix(s.Word(0), "-server"), s.Word(2))
			return s.All()
		}
	case "flow":
		return flow(s)
	case "sampler-map":
		return sampler(s)
	case "line":
		return line(s)
	case "control-plane":
		return controlPlane(s)
	case "event":
		return event(s)
	case "exception":
		if l, ok := s.FindLink(1); ok && !s.No {
			s.R.Client("core-dump", "exception", l, s.Span()).Automatic = true
			return s.OK()
		}
	case "configuration":
		if l, ok := s.FindLink(1); ok && !s.No {
			s.R.Client("archive", "configuration commit auto-save", l, s.Span()).Automatic = true
			return s.OK()
		}
	case "alias":
		if !s.No && s.Word(2) != "" {
			h := s.R.Hook(facts.HookAlias, "alias "+s.Keep(1), s.Span())
			i := 2
			if s.Is(1, "exec") {
				i = 3
			}
			s.R.Does(h, "script", s.Rest(i), s.Span())
			return s.OK()
		}
	case "class-map", "policy-map":
		references(s, s.Word(0))
		return s.Skip()
	}
	return false
}

// accessList reads a list as a block, and the lines of a list that stand alone: "ipv4 access-list L [N] permit ...".
func accessList(s *cli.Stmt) bool {
	fam := facts.IPv4
	if s.Is(0, "ipv6") {
		fam = facts.IPv6
	}
	name := s.Word(2)
	if name == "" || name == "log-update" || name == "maximum" {
		return s.Skip()
	}
	if s.No {
		return s.OK()
	}
	at := s.List(name, s.Word(0)+" access-list", fam, facts.ActionUnknown)
	if len(s.W) > 3 {
		return s.Entry(at, 3, false)
	}
	return s.Lines(at, false, nil)
}

func objectGroup(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	var g *facts.Group
	var read func(c *cli.Stmt) bool
	switch {
	case s.Is(1, "network") && s.Word(3) != "":
		g = s.Group(s.Word(3), facts.NetworkGroup)
		read = func(c *cli.Stmt) bool { return c.GroupAddress(g, true) }
	case s.Is(1, "port") && s.Word(2) != "":
		g = s.Group(s.Word(2), facts.PortGroup)
		read = func(c *cli.Stmt) bool { return c.GroupPort(g) }
	default:
		return false
	}
	s.OK()
	s.Each(func(c *cli.Stmt) {
		switch {
		case c.Is(0, "description"):
			c.OK()
		case c.Is(0, "object-group") && c.Word(1) != "":
			g.Members = append(g.Members, c.R.Keep(c.Word(len(c.W)-1)))
			c.OK()
		case !read(c):
			g.Unread = "a member was not understood"
			c.Unknown()
		}
	})
	return true
}

// static reads "router static" with its VRFs and versions of IP.
func static(s *cli.Stmt, scope string, inFamily bool) bool {
	s.OK()
	s.Each(func(c *cli.Stmt) {
		switch {
		case c.Is(0, "vrf"):
			static(c, c.Word(1), false)
		case c.Is(0, "address-family"):
			static(c, scope, true)
		default:
			p, err := netip.ParsePrefix(c.Word(0))
			if !inFamily || err != nil {
				c.Skip()
				return
			}
			i := 1
			if c.Is(1, "vrf") {
				i = 3
			}
			c.Route(p, scope, i)
		}
	})
	return true
}

func interfaceLine(f *facts.Interface, c *cli.Stmt) bool {
	switch c.Word(0) {
	case "shutdown":
		f.Shutdown = c.On()
		return c.OK()
	case "vrf":
		f.Scope = c.Keep(1)
		return c.OK()
	case "ipv4", "ipv6":
		return interfaceIP(f, c)
	case "flow":
		if c.Find(2, "monitor") > 0 {
			return c.Measures()
		}
	case "l2transport":
		return c.Block(func(k *cli.Stmt) bool { return false })
	case "ethernet-services":
		if c.Is(1, "access-group") {
			return c.Unsupported("filters of frames are not modelled")
		}
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
		return c.Address(f, 2)
	case "unnumbered":
		f.Unnumbered = c.R.Keep(c.Word(len(c.W) - 1))
		return c.OK()
	case "access-group":
		return applied(f, c, fam)
	}
	return false
}

// applied reads "access-group A ingress|egress", "access-group common C [A] ingress" and "access-group A common C ingress".
// The common list is asked first; its end is the other's (Batfish, testInterfaceAclCommonConversion, from a device).
func applied(f *facts.Interface, c *cli.Stmt, fam facts.Family) bool {
	var names, common []string
	dir, known := facts.In, false
	for i := 2; i < len(c.W) && !known; i++ {
		if c.W[i] == "common" {
			if i++; i < len(c.W) {
				common = append(common, c.Keep(i))
			}
			continue
		}
		if dir, known = cli.Direction(c.W[i]); !known {
			names = append(names, c.Keep(i))
		}
	}
	if !known || len(names)+len(common) == 0 || len(names) > 1 {
		return false
	}
	if !c.No {
		f.Bindings = append(f.Bindings, facts.Binding{Filters: append(common, names...), Family: fam, Direction: dir, Undefined: facts.ActionUnknown, Span: c.Span()})
		if len(common) > 0 && len(names) > 0 {
			c.R.Common(common[0], fam)
		}
	}
	return c.OK()
}

func tunnel(f *facts.Interface, c *cli.Stmt) bool {
	if f.Tunnel == nil {
		f.Tunnel = &facts.Tunnel{Span: f.Span}
	}
	switch c.Word(1) {
	case "source":
		f.Tunnel.Source = c.Keep(2)
	case "destination":
		f.Tunnel.Destination, f.Tunnel.Addr = c.R.Host(c.Word(2))
	case "mode":
		f.Tunnel.Mode = c.R.Keep(c.Rest(2))
	}
	return c.OK()
}

// tftp reads "tftp [vrf V] ipv4|ipv6 server homedir D [max-servers N|no-limit] [access-list A]" and the client's settings.
func tftp(s *cli.Stmt) bool {
	i, scope := 1, ""
	if s.Is(1, "vrf") {
		i, scope = 3, s.Word(2)
	}
	switch {
	case (s.Is(i, "ipv4") || s.Is(i, "ipv6")) && s.Is(i+1, "server"):
		if scope == "default" {
			scope = ""
		}
		x := facts.Service{
			Protocol: facts.TFTP, Name: "tftp " + s.Word(i) + " server", Role: facts.RoleServer, Scope: s.R.Keep(scope), Path: s.R.Keep(s.After(i+2, "homedir")), Writable: facts.Assume(false), Anonymous: facts.Assume(true),
		}
		x.Name = s.R.Keep(x.Name)
		if a := s.After(i+2, "access-list"); a != "" {
			x.ACL = facts.Say(s.R.Keep(a), s.Span())
			fam := facts.IPv4
			if s.Is(i, "ipv6") {
				fam = facts.IPv6
			}
			s.BindAt(facts.WhereTFTPServer, a, fam, facts.In, facts.ActionUnknown, scope)
		}
		s.Serve(x)
		return true
	case s.Is(1, "client"):
		return client(s, facts.TFTP, "tftp client")
	}
	return false
}

func ftp(s *cli.Stmt) bool { return s.Is(1, "client") && client(s, facts.FTP, "ftp client") }

// client reads "ftp|tftp client [vrf V] source-interface I|username U|password encrypted P|passive".
func client(s *cli.Stmt, proto facts.Protocol, name string) bool {
	i, scope := 2, ""
	if s.Is(2, "vrf") {
		i, scope = 4, s.Word(3)
	}
	if s.No {
		return s.OK()
	}
	c := s.Setting(proto, name)
	c.Scope = s.R.Keep(scope)
	switch s.Word(i) {
	case "source-interface":
		c.Source = s.Keep(i + 1)
	case "username":
		c.User = s.Keep(i + 1)
	case "password":
		c.Password = facts.Say(true, s.Span())
		storage, k := facts.StorageClear, i+1
		if s.Is(k, "encrypted") {
			storage, k = facts.StorageReversible, k+1
		} else if s.Is(k, "clear") {
			k++
		}
		s.Secret(k, facts.SecretFTP, storage, name+" password", "")
	case "anonymous-password":
		c.Password = facts.Say(true, s.Span())
	}
	return true
}

// username reads "username U" with its groups and secret below.
func username(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	a := s.Account(s.Word(1))
	read := func(c *cli.Stmt, i int) bool {
		switch c.Word(i) {
		case "group":
			a.Role = c.R.Keep(strings.TrimSpace(a.Role + " " + c.Word(i+1)))
			admin := strings.HasPrefix(c.Word(i+1), "root-") || c.Is(i+1, "sysadmin") || c.Is(i+1, "cisco-support")
			a.Admin = facts.Say(admin || facts.On(a.Admin), c.Span())
		case "secret", "password":
			storage, k := facts.StorageClear, i+1
			switch c.Word(k) {
			case "0":
				k++
			case "5", "8", "9", "10":
				storage, k = facts.StorageHashed, k+1
			case "7":
				storage, k = facts.StorageReversible, k+1
			}
			c.Secret(k, facts.SecretUser, storage, "username "+c.Word(i), a.Name)
		default:
			return false
		}
		return c.OK()
	}
	if len(s.W) > 2 {
		return read(s, 2)
	}
	return s.Block(func(c *cli.Stmt) bool { return read(c, 0) })
}

// logging reads "logging H [vrf V] [severity S] [port P]".
func logging(s *cli.Stmt) bool {
	if _, err := netip.ParseAddr(s.Word(1)); err == nil {
		h := facts.LogHost{Host: s.Word(1), Scope: s.After(2, "vrf"), Severity: s.After(2, "severity"), Transport: "udp"}
		if n, err := strconv.ParseUint(s.After(2, "port"), 10, 16); err == nil {
			h.Port = uint16(n)
		}
		return s.LogTo(h)
	}
	switch s.Word(1) {
	case "trap":
		s.R.D.Logging.Severity = facts.Say(s.Keep(2), s.Span())
		return s.OK()
	case "tls-server":
		h := facts.LogHost{Host: s.Word(2), Transport: "tls"}
		s.Each(func(c *cli.Stmt) {
			if c.Is(0, "address", "ipv4") || c.Is(0, "tls-hostname") {
				h.Host = c.Word(len(c.W) - 1)
			}
			c.OK()
		})
		return s.LogTo(h)
	}
	return s.Skip()
}

func ntp(s *cli.Stmt, i int) bool {
	if len(s.W) > i {
		switch s.Word(i) {
		case "server", "peer":
			k := i + 1
			if s.Is(k, "vrf") {
				k += 2
			}
			if s.Is(k, "ipv4") || s.Is(k, "ipv6") {
				k++
			}
			return s.Time(k)
		case "authenticate":
			s.R.D.Logging.NTPAuth = s.On()
			return s.OK()
		case "access-group":
			s.Refer(s.Word(len(s.W)-1), "ntp access-group")
			return s.OK()
		}
		return s.Skip()
	}
	return s.Block(func(c *cli.Stmt) bool { return ntp(c, 0) })
}

func aaa(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "accounting", "commands"):
		s.R.D.Logging.CommandAccounting = facts.Say(!s.No && s.Find(3, "group") > 0, s.Span())
		return s.OK()
	case s.Is(1, "group", "server"):
		return s.Block(func(c *cli.Stmt) bool {
			return c.Is(0, "server") && c.Trusts(s.R.Keep(strings.TrimSuffix(s.Word(3), "+")), c.Word(1))
		})
	}
	return s.Skip()
}

// references looks for the lists that a block names.
func references(s *cli.Stmt, by string) {
	s.Each(func(c *cli.Stmt) {
		if i := c.Find(0, "access-group"); i >= 0 && c.Is(0, "match") {
			c.Refer(c.Word(len(c.W)-1), by+" match")
		}
		references(c, by)
	})
}
