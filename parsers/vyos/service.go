package vyos

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// services reads what the device serves.
func (p *parser) services() {
	p.tftp()
	p.ssh()
	p.web()
	p.containers()
	p.helpers()
	p.snmp()
	p.accounts()
}

// tftp reads "service tftp-server" (interface-definitions/service_tftp-server.xml.in: allow-upload, directory, port 69,
// listen-address with a VRF), and EdgeOS's dnsmasq with its TFTP option.
func (p *parser) tftp() {
	n := p.Kid(p.service, "tftp-server")
	if n == none {
		x := facts.Service{Protocol: facts.TFTP, Name: "service tftp-server"}
		if p.whole {
			x.Enabled = facts.Assume(false)
		}
		p.D.Services = append(p.D.Services, x)
	} else {
		x := facts.Service{
			Protocol: facts.TFTP, Name: "service tftp-server", Enabled: facts.Say(true, p.Span(n)), Path: p.String(n, "directory"), Port: wordtree.Port(p.String(n, "port")),
			Writable: facts.Assume(false), Anonymous: facts.Assume(true), Span: p.Span(n),
		}
		if k := p.Kid(n, "allow-upload"); k != none {
			p.OKAll(k)
			x.Writable = facts.Say(true, p.Span(k))
		}
		list := p.Kid(n, "listen-address")
		if list == none {
			p.D.Services = append(p.D.Services, x)
		}
		p.Each(list, "", func(a int32) {
			y := x
			y.Bind, y.Scope = p.Text(a), p.String(a, "vrf")
			y.Span = p.Span(a)
			p.D.Services = append(p.D.Services, y)
		})
		p.OKAll(n)
	}
	dns := p.Under(p.service, "dns", "forwarding")
	p.Each(dns, "options", func(o int32) {
		path := ""
		at := none
		p.Each(o, "", func(v int32) {
			s := p.Text(v)
			if s == "enable-tftp" || strings.HasPrefix(s, "enable-tftp=") {
				at = v
			}
			if root, ok := strings.CutPrefix(s, "tftp-root="); ok {
				path = root
			}
		})
		if at != none {
			p.D.Services = append(p.D.Services, facts.Service{
				Protocol: facts.TFTP, Name: "service dns forwarding options enable-tftp", Enabled: facts.Say(true, p.Span(at)), Path: path,
				Writable: facts.Assume(false), Anonymous: facts.Assume(true), Span: p.Span(at), // dnsmasq(8): read-only
			})
			p.OKAll(o)
		}
		p.Each(o, "", func(v int32) {
			if boot, ok := strings.CutPrefix(p.Text(v), "dhcp-boot="); ok {
				parts := strings.Split(boot, ",")
				x := facts.Client{Use: "dhcp-option", Name: "service dns forwarding options dhcp-boot", Protocol: facts.TFTP, Path: parts[0], Enabled: facts.Say(true, p.Span(v)), Automatic: true, Span: p.Span(v)}
				x.Host = parts[len(parts)-1]
				x.Addr = addrOf(x.Host)
				p.D.Clients = append(p.D.Clients, x)
				p.OK(v)
			}
		})
	})
}

// ssh reads "service ssh": a shell with SCP and SFTP (sshd_config of VyOS has Subsystem sftp).
func (p *parser) ssh() {
	n := p.Kid(p.service, "ssh")
	on := facts.V[bool]{}
	switch {
	case n != none:
		on = facts.Say(true, p.Span(n))
	case p.whole:
		on = facts.Assume(false)
	}
	var binds []string
	for _, v := range p.values(n, "listen-address") {
		binds = append(binds, p.Text(v))
	}
	port := wordtree.Port(p.String(n, "port"))
	for _, s := range [...]facts.Service{
		{Name: "service ssh", Role: facts.RoleShell}, {Protocol: facts.SCP, Name: "service ssh"}, {Protocol: facts.SFTP, Name: "service ssh sftp-server"},
	} {
		s.Enabled, s.Port, s.Bind, s.Scope, s.Span = on, port, strings.Join(binds, " "), p.String(n, "vrf"), p.Span(n)
		p.D.Services = append(p.D.Services, s)
	}
	if n != none {
		p.D.Access = append(p.D.Access, facts.Access{Name: "service ssh", In: facts.Say([]string{"ssh"}, p.Span(n)), Enabled: on, Where: strings.Join(binds, " "), Span: p.Span(n)})
	}
	if t := p.Kid(p.service, "telnet"); t != none { // VyOS 1.2, EdgeOS
		p.OKAll(t)
		p.D.Services = append(p.D.Services, facts.Service{
			Protocol: facts.Telnet, Name: "service telnet", Role: facts.RoleShell, Enabled: facts.Say(true, p.Span(t)), Port: wordtree.Port(p.String(t, "port")), Bind: p.String(t, "listen-address"), Span: p.Span(t),
		})
		p.D.Access = append(p.D.Access, facts.Access{Name: "service telnet", In: facts.Say([]string{"telnet"}, p.Span(t)), Enabled: facts.Say(true, p.Span(t)), Span: p.Span(t)})
	}
	p.Rest(n)
}

// values are the values of a statement that has several.
func (p *parser) values(n int32, word string) []int32 {
	var out []int32
	if n == none {
		return nil
	}
	k := p.Kid(n, word)
	p.OK(k)
	p.Each(k, "", func(v int32) {
		p.OKAll(v)
		out = append(out, v)
	})
	return out
}

// web reads the HTTP API and EdgeOS's web interface.
func (p *parser) web() {
	for _, w := range [...]string{"https", "gui"} {
		n := p.Kid(p.service, w)
		if n == none {
			continue
		}
		p.D.Access = append(p.D.Access, facts.Access{Name: "service " + w, In: facts.Say([]string{"https"}, p.Span(n)), Enabled: facts.Say(true, p.Span(n)), Span: p.Span(n)})
		p.Rest(n)
	}
}

// containers may serve anything: the port they publish tells what.
func (p *parser) containers() {
	p.Each(p.Under(root, "container", "name"), "", func(c int32) {
		p.OK(c)
		image := p.String(c, "image")
		p.Each(p.Kid(c, "port"), "", func(q int32) {
			p.OKAll(q)
			number := wordtree.Port(p.String(q, "source"))
			transport := facts.TCP
			if p.String(q, "protocol") == "udp" {
				transport = facts.UDP
			}
			x := facts.Service{
				Protocol: facts.ByPort(transport, number), Name: "container " + p.Text(c) + " (" + image + ")", Enabled: p.enabled(c), Port: number, Bind: p.String(q, "listen-address"), Span: p.Span(q),
			}
			if dst := wordtree.Port(p.String(q, "destination")); x.Protocol == facts.ProtocolUnknown {
				x.Protocol = facts.ByPort(transport, dst)
			}
			p.D.Services = append(p.D.Services, x)
		})
	})
}

// helpers are conntrack's modules that open data channels ("set system conntrack modules ftp"). EdgeOS has them on and switches
// them off with disable.
func (p *parser) helpers() {
	mods := p.Under(p.system, "conntrack", "modules")
	for _, h := range [...]struct {
		word     string
		protocol facts.Protocol
	}{{"ftp", facts.FTP}, {"tftp", facts.TFTP}} {
		x := facts.Service{Protocol: h.protocol, Name: "system conntrack modules " + h.word, Role: facts.RoleALG}
		k := p.Kid(mods, h.word)
		switch {
		case mods != none && k != none:
			p.OKAll(k)
			x.Enabled, x.Span = facts.Say(p.Kid(k, "disable") == none, p.Span(k)), p.Span(k)
		case p.whole: // VyOS loads none that is not named; EdgeOS loads all: which it is, a file need not tell
			x.Enabled = facts.V[bool]{}
		}
		p.D.Services = append(p.D.Services, x)
	}
	p.OK(mods)
}

// snmp reads communities and users.
func (p *parser) snmp() {
	n := p.Kid(p.service, "snmp")
	p.OK(n)
	p.Each(p.Kid(n, "community"), "", func(c int32) {
		p.OK(c)
		x := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Span: p.Span(c)} // ro unless stated
		if s, v := p.Leaf(c, "authorization"); v != none {
			x.Write = facts.Say(s == "rw", p.Span(v))
		}
		for _, w := range [...]string{"client", "network"} {
			for _, v := range p.values(c, w) {
				if pfx, _, ok := wordtree.Prefix(p.Bytes(v)); ok {
					x.Clients = append(x.Clients, pfx)
				}
			}
		}
		p.D.SNMP = append(p.D.SNMP, x)
	})
	p.Each(p.Under(n, "v3", "user"), "", func(u int32) {
		p.OK(u)
		mode := p.String(u, "mode")
		if g := p.Kid(p.Under(n, "v3", "group"), p.String(u, "group")); mode == "" && p.String(u, "group") != "" {
			mode = p.String(g, "mode")
		}
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 3, Name: p.Text(u), Write: facts.Say(mode == "rw", p.Span(u)), CoversCopy: facts.Assume(false), Span: p.Span(u)})
		p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "snmp-user", Name: p.Text(u), Span: p.Span(u)})
	})
	p.Rest(n)
}

// accounts reads users, their keys, and who else is asked.
func (p *parser) accounts() {
	login := p.Kid(p.system, "login")
	p.OK(login)
	p.Each(p.Kid(login, "user"), "", func(u int32) {
		p.OK(u)
		level := p.String(u, "level")
		x := facts.Account{Name: p.Text(u), Role: level, Admin: facts.Say(level != "operator", p.Span(u)), Span: p.Span(u)} // admin unless stated
		auth := p.Kid(u, "authentication")
		p.Each(p.Kid(auth, "public-keys"), "", func(k int32) {
			x.Keys++
			p.OKAll(k)
			p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "ssh-key", Name: x.Name + " " + wordtree.Clean(p.Bytes(k)), Span: p.Span(k)})
		})
		p.OKAll(auth)
		if !p.off(u) {
			p.D.Accounts = append(p.D.Accounts, x)
		}
		p.Rest(u)
	})
	for _, kind := range [...]string{"radius", "tacacs"} {
		p.Each(p.Under(login, kind, "server"), "", func(s int32) {
			p.OKAll(s)
			p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: kind, Name: "system login " + kind, Host: p.Text(s), Addr: addrOf(p.Text(s)), Span: p.Span(s)})
		})
	}
	p.Rest(login)
}
