package cisconxos

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// A feature is a service that a line switches on.
type feature struct {
	word, name string
	protocol   facts.Protocol
	role       facts.ServiceRole
	port       uint16
	on         bool // by default
}

// features are those that serve files or give a shell (Cisco Nexus 9000 security and programmability configuration guides).
var features = []feature{
	{word: "scp-server", name: "feature scp-server", protocol: facts.SCP, role: facts.RoleServer, port: 22},
	{word: "sftp-server", name: "feature sftp-server", protocol: facts.SFTP, role: facts.RoleServer, port: 22},
	{word: "telnet", name: "feature telnet", protocol: facts.Telnet, role: facts.RoleShell, port: 23},
	{word: "ssh", name: "feature ssh", protocol: facts.SSH, role: facts.RoleShell, port: 22, on: true},
	{word: "nxapi", name: "feature nxapi", protocol: facts.HTTPS, role: facts.RoleShell, port: 443},
	{word: "bash-shell", name: "feature bash-shell", role: facts.RoleShell},
	{word: "http-server", name: "feature http-server", protocol: facts.HTTP, role: facts.RoleShell, port: 80},
	{word: "netconf", name: "feature netconf", protocol: facts.SSH, role: facts.RoleShell, port: 830},
	{word: "restconf", name: "feature restconf", protocol: facts.HTTPS, role: facts.RoleShell, port: 443},
	{word: "grpc", name: "feature grpc", role: facts.RoleShell, port: 50051},
}

// top reads a statement outside every block.
func top(s *cli.Stmt) bool {
	switch s.Word(0) {
	case "hostname", "switchname":
		return s.Hostname(1)
	case "version":
		return s.Version(1)
	case "feature":
		return readFeature(s)
	case "interface":
		return s.Interface(strings.Join(s.W[1:], ""), facts.V[bool]{}, interfaceLine)
	case "ip":
		return ip(s, "")
	case "ipv6":
		return ipv6(s, "")
	case "object-group":
		return objectGroup(s)
	case "vrf":
		if s.Is(1, "context") {
			scope := s.Keep(2)
			return s.Block(func(c *cli.Stmt) bool {
				switch c.Word(0) {
				case "ip":
					return ip(c, scope)
				case "ipv6":
					return ipv6(c, scope)
				}
				return false
			})
		}
	case "line":
		return line(s)
	case "username":
		return username(s)
	case "snmp-server":
		return snmp(s)
	case "logging":
		return logging(s)
	case "ntp":
		if s.Is(1, "server") || s.Is(1, "peer") {
			return s.Time(2)
		}
		if s.Is(1, "authenticate") {
			s.R.D.Logging.NTPAuth = s.On()
			return s.OK()
		}
		if s.Is(1, "access-group") {
			s.Refer(s.Word(len(s.W)-1), "ntp access-group")
			return s.OK()
		}
	case "aaa":
		return aaa(s)
	case "tacacs-server", "radius-server", "ldap-server":
		if s.Is(1, "host") {
			return s.Trusts(strings.TrimSuffix(s.Word(0), "-server"), s.Word(2))
		}
	case "boot":
		return boot(s)
	case "scheduler":
		return scheduler(s)
	case "event":
		return event(s)
	case "cli":
		return alias(s)
	case "flow":
		return flow(s)
	case "sflow":
		return sflow(s)
	case "nxapi":
		return nxapi(s)
	case "guestshell":
		s.Serve(facts.Service{Name: "guestshell", Role: facts.RoleShell})
		return s.All()
	case "vlan":
		if s.Is(1, "access-map") || s.Is(1, "filter") {
			return vlanMap(s)
		}
	case "control-plane":
		return s.Block(func(c *cli.Stmt) bool { return c.Is(0, "service-policy") && c.OK() })
	case "route-map", "class-map", "router":
		references(s, s.Word(0))
		return s.Skip()
	case "hardware":
		if s.Is(1, "access-list") {
			return s.All()
		}
	case "time-range":
		return timeRange(s)
	}
	return false
}

func readFeature(s *cli.Stmt) bool {
	for _, f := range features {
		if s.Is(1, f.word) {
			s.Serve(facts.Service{Protocol: f.protocol, Name: f.name, Role: f.role, Port: f.port})
			return true
		}
	}
	return s.OK() // what others do is stated where it is configured
}

// ip reads "ip ..." at the top and in a VRF.
func ip(s *cli.Stmt, scope string) bool {
	switch s.Word(1) {
	case "access-list":
		return accessList(s, facts.IPv4)
	case "route":
		p, ok := s.Prefix(2)
		if !ok {
			return false
		}
		return s.Route(p, scope, 3)
	case "ftp", "tftp", "scp", "sftp":
		if s.Is(2, "source-interface") && !s.No {
			proto, _ := facts.ParseProtocol(s.Word(1))
			s.Setting(proto, "ip "+s.Word(1)).Source = s.Keep(3)
			return true
		}
	case "dhcp", "domain-lookup", "domain-name", "domain-list", "name-server", "host", "prefix-list", "multicast", "pim", "igmp", "arp", "source",
		"tcp", "icmp-errors", "load-sharing", "community-list", "as-path", "extcommunity-list", "policy", "ssh", "http", "telnet", "adjacency", "verify", "sla", "forward-protocol", "flow", "radius", "tacacs", "internal", "eigrp", "mroute", "routing", "dns":
		if s.Is(1, "http", "source-interface") || s.Is(1, "ssh", "source-interface") {
			return s.OK()
		}
		return s.Skip()
	case "nat":
		return translation(s)
	}
	return false
}

func ipv6(s *cli.Stmt, scope string) bool {
	switch s.Word(1) {
	case "access-list":
		return accessList(s, facts.IPv6)
	case "route":
		p, err := netip.ParsePrefix(s.Word(2))
		if err != nil {
			return false
		}
		return s.Route(p, scope, 3)
	}
	return s.Skip()
}

func accessList(s *cli.Stmt, fam facts.Family) bool {
	if s.No || s.Word(2) == "" {
		return s.OK()
	}
	kind := "ip access-list"
	if fam == facts.IPv6 {
		kind = "ipv6 access-list"
	}
	at := s.List(s.Word(2), kind, fam, facts.ActionUnknown)
	return s.Lines(at, false, func(c *cli.Stmt) bool {
		switch {
		case c.Is(0, "statistics"), c.Is(0, "ignore"):
			return c.OK()
		case c.Is(0, "fragments"): // fragments permit-all | deny-all: of later fragments that no line names
			return c.Unsupported("what becomes of fragments that no line names is not modelled")
		}
		return false
	})
}

func objectGroup(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	switch name := s.Word(3); {
	case (s.Is(1, "ip", "address") || s.Is(1, "ipv6", "address")) && name != "":
		g := s.Group(name, facts.NetworkGroup)
		return members(s, g, func(c *cli.Stmt) bool { return c.GroupAddress(g, false) })
	case s.Is(1, "ip", "port") && name != "":
		g := s.Group(name, facts.PortGroup)
		return members(s, g, func(c *cli.Stmt) bool { return c.GroupPort(g) })
	}
	return false
}

// members reads the lines of a group; one that is not understood makes its content unknown.
func members(s *cli.Stmt, g *facts.Group, read func(c *cli.Stmt) bool) bool {
	s.OK()
	s.Each(func(c *cli.Stmt) {
		if c.Is(0, "description") || c.Is(0, "remark") {
			c.OK()
		} else if !read(c) {
			g.Unread = "a member was not understood"
			c.Unknown()
		}
	})
	return true
}

// interfaceLine reads one statement of an interface.
func interfaceLine(f *facts.Interface, c *cli.Stmt) bool {
	switch c.Word(0) {
	case "shutdown":
		f.Shutdown = c.On()
		return c.OK()
	case "vrf":
		if c.Is(1, "member") && !c.No {
			f.Scope = c.Keep(2)
			return c.OK()
		}
	case "ip", "ipv6":
		return interfaceIP(f, c)
	case "mac":
		if c.Is(1, "port", "access-group") {
			return c.Unsupported("filters of frames are not modelled")
		}
	case "tunnel":
		return tunnel(f, c)
	}
	return false
}

func interfaceIP(f *facts.Interface, c *cli.Stmt) bool {
	fam := facts.IPv4
	if c.Is(0, "ipv6") {
		fam = facts.IPv6
	}
	i := 1
	if c.Is(i, "port") { // a filter of a switch port: of what comes in
		i++
	}
	switch c.Word(i) {
	case "address":
		return c.Address(f, i+1)
	case "access-group", "traffic-filter":
		dir, ok := cli.Direction(c.Word(i + 2))
		if !ok {
			return false
		}
		return c.Bind(f, c.Word(i+1), fam, dir, facts.ActionUnknown)
	case "flow":
		if c.Is(i+1, "monitor") {
			return c.Measures()
		}
	case "policy":
		references(c, "ip policy")
		return c.OK()
	case "unnumbered":
		f.Unnumbered = c.R.Keep(c.Word(len(c.W) - 1))
		return c.OK()
	case "dhcp":
		if c.Is(i+1, "relay") {
			return c.OK()
		}
	}
	return false
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
	case "use-vrf":
		f.Tunnel.DestinationScope = c.Keep(2)
	}
	return c.OK()
}

// line reads terminal lines. Their lists decide about logins by SSH and Telnet.
func line(s *cli.Stmt) bool {
	vty := s.Is(1, "vty")
	a := facts.Access{Name: "line " + s.Keep(1), Enabled: facts.Assume(true), Span: s.Span()}
	s.Block(func(c *cli.Stmt) bool {
		switch {
		case c.Is(0, "access-class"):
			dir, ok := cli.Direction(c.Word(2))
			if !ok {
				return false
			}
			if dir == facts.In && !c.No {
				a.ACL = facts.Say(c.Keep(1), c.Span())
			}
			return c.BindAt(facts.WhereVTY, c.Word(1), facts.IPv4, dir, facts.ActionUnknown, "")
		case c.Is(0, "ipv6", "access-class"):
			dir, ok := cli.Direction(c.Word(3))
			return ok && c.BindAt(facts.WhereVTY, c.Word(2), facts.IPv6, dir, facts.ActionUnknown, "")
		}
		return false
	})
	if vty {
		s.R.D.Access = append(s.R.D.Access, a)
	}
	return true
}

// lines gives the terminal lines their protocols: those of the features.
func lines(r *cli.Reader) {
	var in []string
	known := r.Whole()
	ssh, telnet := facts.Assume(true), facts.Assume(false)
	for i := range r.D.Services {
		switch s := &r.D.Services[i]; s.Name {
		case "feature ssh":
			ssh, known = s.Enabled, true
		case "feature telnet":
			telnet, known = s.Enabled, true
		}
	}
	if facts.On(ssh) {
		in = append(in, "ssh")
	}
	if facts.On(telnet) {
		in = append(in, "telnet")
	}
	vty := slices.IndexFunc(r.D.Access, func(a facts.Access) bool { return a.Name == "line vty" })
	if vty < 0 && r.Whole() {
		r.D.Access = append(r.D.Access, facts.Access{Name: "line vty", Enabled: facts.Assume(true), Span: r.D.Hostname.Span})
		vty = len(r.D.Access) - 1
	}
	if vty < 0 || !known {
		return
	}
	a := &r.D.Access[vty]
	a.In = facts.V[[]string]{Val: in, Origin: facts.Default, Span: a.Span}
	for i := range r.D.Services {
		if s := &r.D.Services[i]; s.Protocol == facts.SSH || s.Protocol == facts.Telnet || s.Protocol == facts.SCP || s.Protocol == facts.SFTP {
			if !s.ACL.Known() {
				s.ACL = a.ACL
			}
		}
	}
}

// username reads "username U [password TYPE X] [role R]", "username U sshkey ...".
func username(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	a := s.Account(s.Word(1))
	if role := s.After(2, "role"); role != "" {
		a.Role = s.R.Keep(strings.TrimSpace(a.Role + " " + role))
		a.Admin = facts.Say(role == "network-admin" || role == "vdc-admin" || role == "priv-15" || facts.On(a.Admin), s.Span())
	}
	if s.Is(2, "sshkey") || s.Is(2, "keypair") {
		a.Keys++
	}
	if i := s.Find(2, "password"); i >= 0 {
		storage := facts.StorageUnknown
		switch s.Word(i + 1) {
		case "0":
			storage = facts.StorageClear
		case "5", "8", "9":
			storage = facts.StorageHashed
		case "7":
			storage = facts.StorageReversible
		}
		if storage != facts.StorageUnknown {
			s.Secret(i+2, facts.SecretUser, storage, "username password", a.Name)
		}
	}
	return s.OK()
}

func snmp(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "community":
		return community(s)
	case "user": // snmp-server user U [GROUP] auth ...
		if !s.No && s.Word(2) != "" {
			group := s.Word(3)
			if group == "auth" || group == "" {
				group = "network-operator" // the role of an account of that name otherwise
			}
			s.R.D.SNMP = append(s.R.D.SNMP, facts.SNMPAccess{
				Version: 3, Name: s.R.Keep(group), Write: facts.Say(group == "network-admin" || group == "vdc-admin", s.Span()), Span: s.Span(),
			})
			s.R.D.Trusts = append(s.R.D.Trusts, facts.Trust{Kind: "snmp-user", Name: s.Keep(2), Span: s.Span()})
		}
		return s.OK()
	case "host": // where traps go: the community in it is found with all secrets
		return s.OK()
	}
	return s.Skip()
}

// community reads "snmp-server community C [group G|ro|rw]" and "snmp-server community C use-acl|use-ipv4acl|use-ipv6acl A".
func community(s *cli.Stmt) bool {
	if s.No {
		return s.OK()
	}
	for _, word := range [...]string{"use-acl", "use-ipv4acl", "use-ipv6acl"} {
		name := s.After(3, word)
		if name == "" {
			continue
		}
		fam := facts.IPv4
		if word == "use-ipv6acl" {
			fam = facts.IPv6
		}
		s.Secret(2, facts.SecretCommunity, facts.StorageClear, "snmp-server community", "")
		s.Limit(2, name)
		return s.BindAt(facts.WhereSNMP, name, fam, facts.In, facts.ActionUnknown, "")
	}
	group := s.Word(3)
	if group == "group" {
		group = s.Word(4)
	}
	write := group == "rw" || group == "network-admin" || group == "vdc-admin"
	a := facts.SNMPAccess{Write: facts.Say(write, s.Span()), CoversCopy: facts.Assume(true)}
	return s.Community(2, a)
}

func logging(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "server": // logging server H [SEVERITY] [port N] [secure] [facility F] [use-vrf V]
		h := facts.LogHost{Host: s.Word(2), Scope: s.After(3, "use-vrf"), Transport: "udp"}
		if _, err := strconv.Atoi(s.Word(3)); err == nil {
			h.Severity = s.Word(3)
		}
		if n, err := strconv.ParseUint(s.After(3, "port"), 10, 16); err == nil {
			h.Port = uint16(n)
		}
		if s.Find(3, "secure") > 0 {
			h.Transport = "tls"
		}
		return s.LogTo(h)
	case "timestamp", "source-interface", "origin-id", "logfile", "monitor", "console", "module", "level", "event", "ip", "rate-limit":
		return s.All()
	}
	return s.Skip()
}

func aaa(s *cli.Stmt) bool {
	switch {
	case s.Is(1, "accounting", "default"):
		remote := s.Find(3, "group") > 0 && !s.No
		s.R.D.Logging.CommandAccounting = facts.Say(remote, s.Span())
		return s.OK()
	case s.Is(1, "group", "server"):
		kind := strings.TrimSuffix(s.Word(3), "+")
		return s.Block(func(c *cli.Stmt) bool {
			if c.Is(0, "server") {
				return c.Trusts(kind, c.Word(1))
			}
			return false
		})
	}
	return s.Skip()
}
