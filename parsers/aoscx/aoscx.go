// Package aoscx reads configurations of HPE Aruba AOS-CX.
//
// A file is one device: servers by VRF, jobs, scripts of the analytics engine and aliases, accounts, SNMP, logging, sFlow,
// interfaces with their filters. There is no server of FTP or TFTP in its command line (Oxidized's outputs and the vendor's
// Ansible collection show none); files move by SSH, and by copies that the device makes. A list whose rules do not match
// denies (ACLs and classifier policies guide); what a list that is not defined does is unknown.
package aoscx

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "aruba-aoscx-config", Platform: facts.ArubaAOSCX, Layout: tree.Indentation{Comments: "!", Body: tree.CiscoText},
	ACL: ace.Dialect{
		Netmask: true, Bare: true, PortGroups: []string{"group"}, Takes: map[string]int{"count": 0, "ack-count": 0},
		Conditions: map[string]int{"ecn": 1, "ip-precedence": 1, "vlan": 1, "ttl": 1, "cwr": 0, "ece": 0},
	},
	Top: top, Irrelevant: irrelevant, LookAlikes: lookAlikes, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads AOS-CX configurations.
func Format() facts.Format { return dialect.Format(detect) }

var marks = []cli.Mark{
	{Prefix: "!Version ArubaOS-CX", Weight: 9}, {Prefix: "!export-password: default", Weight: 5}, {Prefix: "vsf member ", Weight: 5}, {Prefix: "https-server vrf ", Weight: 4}, {Prefix: "ssh server vrf ", Weight: 2},
	{Prefix: "user admin group administrators password ciphertext", Weight: 5}, {Prefix: "interface 1/1/", Weight: 2}, {Prefix: "interface lag ", Weight: 3}, {Prefix: " vlan access ", Weight: 3}, {Prefix: " vlan trunk ", Weight: 3},
	{Prefix: "access-list ip ", Weight: 4}, {Prefix: "apply access-list ip ", Weight: 4}, {Prefix: "vsx", Weight: 2}, {Prefix: "! ArubaOS-CX", Weight: 5}, {Prefix: " vrf attach ", Weight: 3}, {Prefix: "!RANCID-CONTENT-TYPE: arubacx", Weight: 9}, {Prefix: "no routing", Weight: 1}, {Prefix: " no routing", Weight: 2},
	{Prefix: "feature ", Weight: -5}, {Prefix: "transceiver qsfp", Weight: -9}, {Prefix: "!! IOS XR", Weight: -9}, {Prefix: "service timestamps", Weight: -5},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

func comment(r *cli.Reader, n int32, text string) {
	switch {
	case strings.HasPrefix(text, "Version ArubaOS-CX "):
		r.D.Version = facts.Say(strings.Clone(strings.TrimPrefix(text, "Version ArubaOS-CX ")), r.Span(n))
	case strings.HasPrefix(r.Text(n), "! ") && strings.HasPrefix(text, "Product Name"), strings.HasPrefix(text, "ArubaOS-CX"):
		r.Tool(facts.Oxidized)
		if _, v, ok := strings.Cut(text, ": "); ok && r.D.Model.Origin == facts.Unknown {
			r.D.Model = facts.Say(strings.Clone(strings.TrimSpace(v)), r.Span(n))
		}
	case strings.HasPrefix(text, "RANCID-CONTENT-TYPE:"):
		r.Tool(facts.RANCID)
	}
}

func outside(r *cli.Reader, n int32, text string) bool {
	return r.Banner(n, text, "Current configuration:", "Startup configuration", "show ", "sh ")
}

// finish gives what depends on the whole file.
func finish(r *cli.Reader) { r.Defaults() }

// top reads a statement outside every block.
func top(s *cli.Stmt) bool {
	switch s.Word(0) {
	case "hostname":
		return s.Hostname(1)
	case "interface":
		return readInterface(s)
	case "vlan":
		return vlan(s)
	case "access-list":
		return accessList(s)
	case "apply":
		if s.Is(1, "access-list") && s.Is(4, "control-plane") {
			scope := s.After(5, "vrf")
			if scope == "default" {
				scope = ""
			}
			return s.BindAt(facts.WhereControlPlane, s.Word(3), family(s.Word(2)), facts.In, facts.ActionUnknown, scope)
		}
		if s.Is(1, "access-list", "mac") {
			return s.Unsupported("filters of frames are not modelled")
		}
	case "object-group":
		return objectGroup(s)
	case "ip", "ipv6":
		if s.Is(1, "route") {
			p, err := netip.ParsePrefix(s.Word(2))
			return err == nil && s.Route(p, s.After(3, "vrf"), 3)
		}
	case "ssh", "https-server", "telnet":
		return server(s)
	case "user":
		return user(s)
	case "snmp-server":
		return snmp(s)
	case "logging":
		return logging(s)
	case "ntp":
		if s.Is(1, "server") {
			return s.Time(2)
		}
		if s.Is(1, "authentication") {
			s.R.D.Logging.NTPAuth = s.On()
			return s.OK()
		}
	case "aaa":
		if s.Is(1, "accounting", "all-mgmt") {
			remote := !s.No && s.Find(2, "group") > 0 && s.After(2, "group") != "local"
			s.R.D.Logging.CommandAccounting = facts.Say(remote, s.Span())
			return s.OK()
		}
	case "tacacs-server", "radius-server":
		if s.Is(1, "host") {
			return s.Trusts(strings.TrimSuffix(s.Word(0), "-server"), s.Word(2))
		}
	case "sflow":
		return sflow(s)
	case "job":
		return job(s)
	case "schedule":
		return schedule(s)
	case "nae-script":
		if !s.No && s.Word(1) != "" {
			h := s.R.Hook(facts.HookScript, "nae-script "+s.Keep(1), s.Span())
			h.Unread = "the script is encoded in the configuration, and not read"
		}
		return s.All()
	case "alias":
		if !s.No && s.Word(2) != "" {
			h := s.R.Hook(facts.HookAlias, "alias "+s.Keep(1), s.Span())
			s.R.Does(h, "script", s.Rest(2), s.Span())
		}
		return s.OK()
	}
	return false
}

func family(w string) facts.Family {
	if w == "ipv6" {
		return facts.IPv6
	}
	return facts.IPv4
}

// readInterface reads "interface 1/1/1", "interface vlan 10", "interface lag 1", "interface mgmt". The management port is in
// a VRF of its own.
func readInterface(s *cli.Stmt) bool {
	name := s.Word(1)
	if n := s.Word(2); n != "" && (name == "vlan" || name == "lag" || name == "loopback" || name == "tunnel") {
		name += n
	}
	return s.Interface(name, facts.V[bool]{}, func(f *facts.Interface, c *cli.Stmt) bool {
		if f.Name == "mgmt" {
			f.Scope = "mgmt"
			switch {
			case c.Is(0, "ip", "static"):
				return c.Address(f, 2)
			case c.Is(0, "default-gateway"):
				p := netip.MustParsePrefix("0.0.0.0/0")
				if strings.Contains(c.Word(1), ":") {
					p = netip.MustParsePrefix("::/0")
				}
				return c.Route(p, "mgmt", 1)
			}
		}
		return interfaceLine(f, c)
	})
}

func interfaceLine(f *facts.Interface, c *cli.Stmt) bool {
	switch {
	case c.Is(0, "shutdown"):
		f.Shutdown = c.On()
		return c.OK()
	case c.Is(0, "vrf", "attach"):
		f.Scope = c.Keep(2)
		return c.OK()
	case c.Is(0, "ip", "address"), c.Is(0, "ipv6", "address"):
		return c.Address(f, 2)
	case c.Is(0, "ip", "dhcp"):
		f.DHCP = !c.No
		return c.OK()
	case c.Is(0, "apply", "access-list"):
		if c.Is(2, "mac") {
			return c.Unsupported("filters of frames are not modelled")
		}
		dir, ok := cli.Direction(strings.TrimPrefix(c.Word(4), "routed-"))
		if !ok {
			return false
		}
		return c.Bind(f, c.Word(3), family(c.Word(2)), dir, facts.ActionUnknown)
	case c.Is(0, "ip", "unnumbered"):
		f.Unnumbered = c.R.Keep(c.Word(len(c.W) - 1))
		return c.OK()
	}
	return false
}

// vlan reads a VLAN: a list applied there decides about what enters or leaves it.
func vlan(s *cli.Stmt) bool {
	return s.Block(func(c *cli.Stmt) bool {
		if !c.Is(0, "apply", "access-list") {
			return false
		}
		dir, ok := cli.Direction(c.Word(4))
		if c.Is(2, "mac") || !ok || strings.ContainsAny(s.Word(1), ",-") {
			return c.Unsupported("filters of frames, and of several VLANs at once, are not modelled")
		}
		return c.BindAt(c.R.Keep("vlan"+s.Word(1)), c.Word(3), family(c.Word(2)), dir, facts.ActionUnknown, "")
	})
}

func accessList(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "ip", "ipv6":
		if s.No || s.Word(2) == "" {
			return s.OK()
		}
		at := s.List(s.Word(2), "access-list "+s.Keep(1), family(s.Word(1)), facts.ActionUnknown)
		return s.Lines(at, false, nil)
	case "mac":
		s.Unsupported("filters of frames are not modelled")
		s.Each(func(c *cli.Stmt) { c.Skip() })
		return true
	}
	return s.Skip() // log timers, secure updates
}

func objectGroup(s *cli.Stmt) bool {
	var g *facts.Group
	var read func(c *cli.Stmt) bool
	switch {
	case s.No:
		return s.OK()
	case (s.Is(1, "ip", "address") || s.Is(1, "ipv6", "address")) && s.Word(3) != "":
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
		if !read(c) {
			g.Unread = "a member was not understood"
			c.Unknown()
		}
	})
	return true
}

// server reads "[no] ssh server vrf V", "https-server vrf V", "telnet server vrf V".
func server(s *cli.Stmt) bool {
	scope := s.After(1, "vrf")
	if scope == "" || s.Is(0, "ssh") && !s.Is(1, "server") || s.Is(0, "telnet") && !s.Is(1, "server") {
		return s.Skip()
	}
	x := facts.Service{Name: s.R.Keep(strings.Join(s.W, " ")), Role: facts.RoleShell, Scope: s.R.Keep(scope)}
	if scope == "default" {
		x.Scope = ""
	}
	word := "ssh"
	switch s.Word(0) {
	case "ssh":
		x.Protocol, x.Port = facts.SSH, 22
	case "telnet":
		x.Protocol, x.Port, word = facts.Telnet, 23, "telnet"
	default:
		x.Protocol, x.Port, word = facts.HTTPS, 443, "https"
	}
	s.Serve(x)
	s.R.D.Access = append(s.R.D.Access, facts.Access{Name: x.Name, In: facts.Say([]string{word}, s.Span()), Enabled: s.On(), Scope: x.Scope, Span: s.Span()})
	return true
}

// user reads "user U group G password ciphertext|plaintext X" and "user U authorized-key K".
func user(s *cli.Stmt) bool {
	if s.No || s.Is(1, "group") {
		return s.OK()
	}
	a := s.Account(s.Word(1))
	if s.Is(2, "authorized-key") {
		a.Keys++
		return s.OK()
	}
	if g := s.After(2, "group"); g != "" {
		a.Role, a.Admin = s.R.Keep(g), facts.Say(g == "administrators", s.Span())
	}
	if i := s.Find(2, "password"); i >= 0 {
		storage := facts.StorageClear
		if s.Is(i+1, "ciphertext") {
			storage = facts.StorageHashed
		}
		s.Secret(i+2, facts.SecretUser, storage, "user password", a.Name)
	}
	return s.OK()
}

// snmp reads "snmp-server community C" with "access-level ro|rw" below, and users of version 3.
func snmp(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "community":
		a := facts.SNMPAccess{Write: facts.Assume(false), CoversCopy: facts.Assume(true)} // ARUBAWIRED-CONFIG-MIB copies configurations
		s.Each(func(c *cli.Stmt) {
			switch {
			case c.Is(0, "access-level"):
				a.Write = facts.Say(c.Is(1, "rw"), c.Span())
				c.OK()
			case c.Is(0, "view"):
				a.ReadView = c.Keep(1)
				c.OK()
			default:
				c.Skip()
			}
		})
		return s.Community(2, a)
	case "user":
		return s.OK()
	}
	return s.Skip()
}

// logging reads "logging H [udp|tcp|tls [PORT]] [severity S] [vrf V]".
func logging(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "facility", "filter", "console", "persistent-storage", "":
		return s.All()
	}
	h := facts.LogHost{Host: s.Word(1), Transport: "udp", Severity: s.After(2, "severity"), Scope: s.After(2, "vrf")}
	for _, t := range [...]string{"udp", "tcp", "tls"} {
		if i := s.Find(2, t); i > 0 {
			h.Transport = t
			if n, err := strconv.ParseUint(s.Word(i+1), 10, 16); err == nil {
				h.Port = uint16(n)
			}
		}
	}
	if h.Scope == "default" {
		h.Scope = ""
	}
	return s.LogTo(h)
}

func sflow(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "":
		return s.Measures()
	case "collector":
		port := s.After(3, "port")
		return s.ExportTo(s.Word(2), port, s.After(3, "vrf"))
	case "sampling":
		if n, err := strconv.Atoi(s.Word(2)); err == nil {
			s.R.D.Logging.FlowSampling = facts.Say(n, s.Span())
		}
	}
	return s.OK()
}

// job reads "job J" with numbered commands below.
func job(s *cli.Stmt) bool {
	s.R.Hook(facts.HookScheduler, "job "+s.Keep(1), s.Span())
	at := len(s.R.D.Hooks) - 1
	s.R.D.Hooks[at].Trigger = "schedule"
	return s.Block(func(c *cli.Stmt) bool {
		i := 0
		if _, err := strconv.Atoi(c.Word(0)); err == nil {
			i++
		}
		switch c.Word(i) {
		case "enable", "disable", "desc", "description":
			if c.Is(i, "disable") {
				s.R.D.Hooks[at].Enabled = facts.Say(false, c.Span())
			}
		default:
			if c.Is(i, "cli") {
				i++
			}
			s.R.Does(&s.R.D.Hooks[at], "scheduler", c.Rest(i), c.Span())
		}
		return c.OK()
	})
}

// schedule reads when jobs run.
func schedule(s *cli.Stmt) bool {
	var jobs []string
	trigger, period := "", time.Duration(0)
	s.Block(func(c *cli.Stmt) bool {
		if i := c.Find(0, "job"); i >= 0 {
			jobs = append(jobs, "job "+c.Word(i+1))
			return c.OK()
		}
		if c.Is(0, "trigger") {
			trigger = c.R.Keep(c.Rest(1))
			n, _ := strconv.Atoi(c.Word(3))
			period = map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour}[c.Word(2)] * time.Duration(n)
			return c.OK()
		}
		return false
	})
	for _, j := range jobs {
		for i := range s.R.D.Hooks {
			if h := &s.R.D.Hooks[i]; h.Name == j {
				h.Trigger, h.Period = trigger, period
			}
		}
		for i := range s.R.D.Clients {
			if c := &s.R.D.Clients[i]; c.Name == j {
				c.Automatic, c.Period = true, period
			}
		}
	}
	return true
}
