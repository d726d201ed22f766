// Package aoss reads configurations of HPE Aruba AOS-S switches (ProCurve, ProVision).
//
// A file is one device. Much is on without a line: the TFTP server and client, Telnet, SSH and the web pages, and a community
// "public" that may write (HPE ArubaOS-Switch management and configuration guides 15.18 and 16.x); only a line with "no" says
// otherwise. "ip ssh filetransfer" opens SFTP and SCP and closes TFTP. A list without a line permits everything; with the
// first line the rest is denied (access security guide, IPv4 ACLs). Masks of lists are wildcards, those of interfaces netmasks.
package aoss

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
	"github.com/quaymaster/quaymaster/internal/cli"
	"github.com/quaymaster/quaymaster/internal/tree"
)

var dialect = &cli.Dialect{
	Name: "aruba-aoss-config", Platform: facts.ArubaAOSS, Layout: tree.Indentation{Comments: ";!"},
	ACL: ace.Dialect{Conditions: map[string]int{"precedence": 1, "tos": 1}, Takes: map[string]int{}},
	Top: top, Irrelevant: irrelevant, LookAlikes: lookAlikes, Comment: comment, Outside: outside, Finish: finish,
}

// Format reads AOS-S configurations.
func Format() facts.Format { return dialect.Format(detect) }

var marks = []cli.Mark{
	{Prefix: "; hpStack", Weight: 5}, {Prefix: "; J", Weight: 3}, {Prefix: "; Ver #", Weight: 5}, {Prefix: "hostname \"", Weight: 2}, {Prefix: "Running configuration:", Weight: 2}, {Prefix: "oobm", Weight: 3},
	{Prefix: " untagged ", Weight: 2}, {Prefix: " tagged ", Weight: 1}, {Prefix: "snmp-server community \"", Weight: 2}, {Prefix: "password manager", Weight: 3}, {Prefix: "password operator", Weight: 3}, {Prefix: "web-management", Weight: 2}, {Prefix: "no tftp server", Weight: 3},
	{Prefix: "ip ssh filetransfer", Weight: 4}, {Prefix: "ip authorized-managers", Weight: 4}, {Prefix: "no telnet-server", Weight: 4}, {Prefix: "stacking", Weight: 1}, {Prefix: "module ", Weight: 1}, {Prefix: "ip default-gateway ", Weight: 1}, {Prefix: "!RANCID-CONTENT-TYPE: hp", Weight: 5}, {Prefix: ";", Weight: 1},
	{Prefix: "version ", Weight: -5}, {Prefix: "feature ", Weight: -5}, {Prefix: "set ", Weight: -5}, {Prefix: "#", Weight: -3},
}

func detect(_ string, head []byte) facts.Confidence { return cli.Weigh(head, marks) }

// comment reads "; J9773A Configuration Editor; Created on release #YA.16.04.0008".
func comment(r *cli.Reader, n int32, text string) {
	if strings.HasPrefix(text, "RANCID-CONTENT-TYPE:") {
		r.Tool(facts.RANCID)
	}
	model, rest, ok := strings.Cut(text, " Configuration Editor; Created on release #")
	if !ok {
		return
	}
	r.D.Model = facts.Say(strings.Clone(strings.TrimSpace(model)), r.Span(n))
	r.D.Version = facts.Say(strings.Clone(strings.TrimSpace(rest)), r.Span(n))
	r.Stated = true
}

func outside(r *cli.Reader, n int32, text string) bool {
	return r.Banner(n, text, "Running configuration:", "Startup configuration:", "show ", "sh ")
}

// usual are what the switch serves without a line.
var usual = [...]struct {
	name     string
	protocol facts.Protocol
	role     facts.ServiceRole
	port     uint16
	on       bool
	word     string
}{
	{"tftp server", facts.TFTP, facts.RoleServer, 0, true, ""}, {"telnet-server", facts.Telnet, facts.RoleShell, 23, true, "telnet"}, {"ip ssh", facts.SSH, facts.RoleShell, 22, true, "ssh"},
	{"web-management plaintext", facts.HTTP, facts.RoleShell, 80, true, "http"}, {"ip ssh filetransfer", facts.SFTP, facts.RoleServer, 22, false, ""},
}

func has(r *cli.Reader, name string) int {
	return slices.IndexFunc(r.D.Services, func(s facts.Service) bool { return s.Name == name })
}

// finish states the defaults of a whole configuration, and who may log in.
func finish(r *cli.Reader) {
	r.Defaults()
	transfer := has(r, "ip ssh filetransfer")
	if i := has(r, "tftp server"); i < 0 && transfer >= 0 && facts.On(r.D.Services[transfer].Enabled) {
		span := r.D.Services[transfer].Span
		r.D.Services = append(r.D.Services, facts.Service{Protocol: facts.TFTP, Name: "tftp server", Role: facts.RoleServer, Enabled: facts.Say(false, span), Span: span})
	}
	clients := managers(r)
	for _, u := range usual {
		i := has(r, u.name)
		if i < 0 && r.Whole() {
			r.D.Services = append(r.D.Services, facts.Service{Protocol: u.protocol, Name: u.name, Role: u.role, Port: u.port, Enabled: facts.Assume(u.on), Span: r.D.Hostname.Span})
			i = len(r.D.Services) - 1
		}
		if i >= 0 && u.word != "" {
			s := &r.D.Services[i]
			r.D.Access = append(r.D.Access, facts.Access{
				Name: u.name, In: facts.V[[]string]{Val: []string{u.word}, Origin: s.Enabled.Origin, Span: s.Enabled.Span}, Clients: clients[u.word], Enabled: s.Enabled, Span: s.Span,
			})
		}
	}
	if r.Whole() && len(r.D.SNMP) == 0 {
		r.D.SNMP = append(r.D.SNMP, facts.SNMPAccess{Version: 1, Write: facts.Assume(true), CoversCopy: facts.Assume(true), Span: r.D.Hostname.Span})
	}
}

// managed is the kind of the trusts that hold "ip authorized-managers" until the file is read.
const managed = "ip authorized-managers"

// managers are the networks of "ip authorized-managers" for each way to log in: all others are refused. A line with
// "access-method M" counts for M alone. No source at hand settles whether it closes the other ways as well, so these count
// as open to all.
func managers(r *cli.Reader) map[string][]netip.Prefix {
	out := map[string][]netip.Prefix{}
	for i := range r.D.Trusts {
		t := &r.D.Trusts[i]
		p, err := netip.ParsePrefix(t.Host)
		if t.Kind != managed || err != nil {
			continue
		}
		for _, u := range usual {
			method := u.word
			if method == "http" {
				method = "web"
			}
			if u.word != "" && (t.Name == "all" || t.Name == method) {
				out[u.word] = append(out[u.word], p)
			}
		}
	}
	r.D.Trusts = slices.DeleteFunc(r.D.Trusts, func(t facts.Trust) bool { return t.Kind == managed })
	return out
}

// top reads a statement outside every block.
func top(s *cli.Stmt) bool {
	switch s.Word(0) {
	case "hostname":
		return s.Hostname(1)
	case "tftp":
		switch s.Word(1) {
		case "server":
			s.Serve(facts.Service{Protocol: facts.TFTP, Name: "tftp server", Role: facts.RoleServer})
			return true
		case "client":
			c := s.Setting(facts.TFTP, "tftp client")
			c.Enabled = s.On()
			return true
		}
	case "tftp6":
		return s.OK()
	case "auto-tftp":
		if _, err := netip.ParseAddr(s.Word(1)); err == nil && !s.No {
			c := s.R.Client("boot-system", "auto-tftp", cli.Link{}, s.Span())
			c.Protocol, c.Path, c.Automatic = facts.TFTP, s.Keep(2), true
			c.Host, c.Addr = s.R.Host(s.Word(1))
		}
		return s.OK()
	case "telnet-server", "telnet6-server":
		s.Serve(facts.Service{Protocol: facts.Telnet, Name: s.R.Keep(s.Word(0)), Role: facts.RoleShell, Port: 23})
		return true
	case "web-management":
		return web(s)
	case "ip", "ipv6":
		return ip(s)
	case "access-list":
		return s.Skip()
	case "vlan":
		return vlan(s)
	case "interface":
		return s.Interface(s.Word(1), facts.V[bool]{}, func(f *facts.Interface, c *cli.Stmt) bool {
			if c.Is(0, "disable") {
				f.Shutdown = facts.Say(true, c.Span())
				return c.OK()
			}
			return address(f, c)
		})
	case "oobm":
		return s.Interface("oobm", facts.V[bool]{}, func(f *facts.Interface, c *cli.Stmt) bool {
			f.Scope = "oobm"
			if c.Is(0, "ip", "default-gateway") {
				return c.Route(netip.MustParsePrefix("0.0.0.0/0"), "oobm", 2)
			}
			return address(f, c)
		})
	case "snmp-server":
		return snmp(s)
	case "logging":
		return logging(s)
	case "sntp", "timesync":
		if i := s.Find(1, "server"); i > 0 {
			if s.Is(i+1, "priority") {
				i += 2
			}
			return s.Time(i + 1)
		}
		return s.OK()
	case "aaa":
		if s.Is(1, "accounting", "commands") {
			s.R.D.Logging.CommandAccounting = facts.Say(!s.No && (s.Find(3, "radius") > 0 || s.Find(3, "tacacs") > 0 || s.Find(3, "syslog") > 0), s.Span())
			return s.OK()
		}
	case "tacacs-server", "radius-server":
		if s.Is(1, "host") {
			return s.Trusts(strings.TrimSuffix(s.Word(0), "-server"), s.Word(2))
		}
	case "password":
		return password(s)
	case "sflow":
		return sflow(s)
	case "job":
		return job(s)
	case "alias":
		if !s.No && s.Word(2) != "" {
			h := s.R.Hook(facts.HookAlias, "alias "+s.Keep(1), s.Span())
			s.R.Does(h, "script", s.Rest(2), s.Span())
		}
		return s.OK()
	case "dhcp":
		if s.Is(1, "config-file-update") || s.Is(1, "image-file-update") {
			c := s.R.Client("boot-config", "dhcp "+s.Keep(1), cli.Link{}, s.Span())
			c.Protocol, c.Automatic, c.Enabled = facts.TFTP, true, s.On()
			return s.OK()
		}
	case "class":
		s.Each(func(c *cli.Stmt) { c.Skip() })
		return s.OK()
	}
	return false
}

// web reads "[no] web-management [plaintext|ssl]".
func web(s *cli.Stmt) bool {
	if s.Is(1, "ssl") {
		s.Serve(facts.Service{Protocol: facts.HTTPS, Name: "web-management ssl", Role: facts.RoleShell, Port: 443})
		return true
	}
	if s.Word(1) == "" || s.Is(1, "plaintext") {
		s.Serve(facts.Service{Protocol: facts.HTTP, Name: "web-management plaintext", Role: facts.RoleShell, Port: 80})
		return true
	}
	return s.OK()
}

func ip(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "ssh":
		switch s.Word(2) {
		case "filetransfer":
			s.Serve(facts.Service{Protocol: facts.SFTP, Name: "ip ssh filetransfer", Role: facts.RoleServer, Port: 22})
			return true
		case "":
			s.Serve(facts.Service{Protocol: facts.SSH, Name: "ip ssh", Role: facts.RoleShell, Port: 22})
			return true
		}
		return s.OK()
	case "access-list":
		return accessList(s)
	case "authorized-managers": // A [M] [access manager|operator] [access-method ...]
		if p, ok := s.Prefix(2); ok && !s.No {
			method := s.R.Keep(s.After(3, "access-method"))
			if method == "" {
				method = "all"
			}
			s.R.D.Trusts = append(s.R.D.Trusts, facts.Trust{Kind: managed, Name: method, Host: p.Masked().String(), Span: s.Span()})
		}
		return s.OK()
	case "default-gateway":
		return s.Route(netip.MustParsePrefix("0.0.0.0/0"), "", 2)
	case "route":
		p, ok := s.Prefix(2)
		if !ok {
			return false
		}
		i := 3
		if !strings.Contains(s.Word(2), "/") {
			i = 4
		}
		return s.Route(p, "", i)
	}
	return false
}

func accessList(s *cli.Stmt) bool {
	fam, i, standard, kind := facts.IPv4, 2, false, "ip access-list"
	if s.Is(0, "ipv6") {
		fam, kind = facts.IPv6, "ipv6 access-list"
	}
	switch s.Word(2) {
	case "standard":
		i, standard, kind = 3, true, kind+" standard"
	case "extended":
		i, kind = 3, kind+" extended"
	case "resequence", "connection-rate-filter":
		return s.Skip()
	}
	name := strings.Trim(s.Word(i), `"`)
	if s.No || name == "" {
		return s.OK()
	}
	return s.Lines(s.List(name, kind, fam, facts.Permit), standard, exit)
}

func exit(c *cli.Stmt) bool { return c.Is(0, "exit") && c.OK() }

// vlan reads a VLAN: its addresses, and the lists of what is routed or enters.
func vlan(s *cli.Stmt) bool {
	if _, err := strconv.Atoi(s.Word(1)); err != nil || len(s.W) > 2 {
		return s.Skip()
	}
	return s.Interface("vlan"+s.Word(1), facts.V[bool]{}, address)
}

func address(f *facts.Interface, c *cli.Stmt) bool {
	switch {
	case c.Is(0, "exit"):
		return c.OK()
	case c.Is(0, "ip", "address"), c.Is(0, "ipv6", "address"):
		if c.Is(2, "dhcp-bootp") || c.Is(2, "dhcp") {
			f.DHCP = true
			return c.OK()
		}
		return c.Address(f, 2)
	case c.Is(0, "ip", "access-group"), c.Is(0, "ipv6", "access-group"):
		fam := facts.IPv4
		if c.Is(0, "ipv6") {
			fam = facts.IPv6
		}
		dir, ok := cli.Direction(strings.TrimPrefix(strings.TrimPrefix(c.Word(3), "vlan-"), "connection-rate-"))
		if !ok {
			return false
		}
		return c.Bind(f, strings.Trim(c.Word(2), `"`), fam, dir, facts.ActionUnknown)
	}
	return false
}

// snmp reads `snmp-server community "C" [operator|manager] [restricted|unrestricted]`: unrestricted may write.
func snmp(s *cli.Stmt) bool {
	if !s.Is(1, "community") {
		return s.Skip()
	}
	write := s.Find(3, "unrestricted") > 0 && s.Find(3, "operator") < 0
	return s.Community(2, facts.SNMPAccess{Write: facts.Say(write, s.Span()), CoversCopy: facts.Assume(true)})
}

func logging(s *cli.Stmt) bool {
	if _, err := netip.ParseAddr(s.Word(1)); err != nil {
		return s.Skip()
	}
	h := facts.LogHost{Host: s.Word(1), Transport: "udp"}
	for _, t := range [...]string{"udp", "tcp", "tls"} {
		if i := s.Find(2, t); i > 0 {
			h.Transport = t
			if n, err := strconv.ParseUint(s.Word(i+1), 10, 16); err == nil {
				h.Port = uint16(n)
			}
		}
	}
	return s.LogTo(h)
}

// password reads `password manager|operator [user-name "U"] sha1|sha256|plaintext "X"`.
func password(s *cli.Stmt) bool {
	if s.No || !s.Is(1, "manager") && !s.Is(1, "operator") {
		return s.OK()
	}
	name := s.R.Keep(strings.Trim(s.After(2, "user-name"), `"`))
	if name == "" {
		name = s.Keep(1)
	}
	a := s.Account(name)
	a.Role, a.Admin = s.Keep(1), facts.Say(s.Is(1, "manager"), s.Span())
	for i := 2; i+1 < len(s.W); i++ {
		switch s.W[i] {
		case "sha1", "sha256", "sha-256":
			s.Secret(i+1, facts.SecretUser, facts.StorageHashed, "password "+s.Word(1), name)
		case "plaintext":
			s.Secret(i+1, facts.SecretUser, facts.StorageClear, "password "+s.Word(1), name)
		}
	}
	return s.OK()
}

// sflow reads "sflow N destination A [PORT]" and "sflow N sampling PORTS RATE".
func sflow(s *cli.Stmt) bool {
	switch {
	case s.Is(2, "destination"):
		return s.ExportTo(s.Word(3), s.Word(4), "")
	case s.Is(2, "sampling"):
		if n, err := strconv.Atoi(s.Word(len(s.W) - 1)); err == nil {
			s.R.D.Logging.FlowSampling = facts.Say(n, s.Span())
		}
		return s.Measures()
	}
	return s.OK()
}

// job reads `job N at T [on D] "COMMAND"` and `job N delay T "COMMAND"`.
func job(s *cli.Stmt) bool {
	_, command, ok := strings.Cut(s.Rest(2), `"`)
	if s.No || !ok {
		return s.OK()
	}
	h := s.R.Hook(facts.HookScheduler, "job "+s.Keep(1), s.Span())
	trigger, _, _ := strings.Cut(s.Rest(2), `"`)
	h.Trigger = s.R.Keep(strings.TrimSpace(trigger))
	command, _, _ = strings.Cut(command, `"`)
	s.R.Does(h, "scheduler", command, s.Span())
	return s.OK()
}
