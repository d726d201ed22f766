package opnsense

import (
	"bytes"
	"encoding/base64"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// sshOn reports whether SSH is served: pfSense says enable, older ones enablesshd, OPNsense enabled.
func (p *parser) sshOn(ssh int32) bool {
	return p.has(ssh, "enable") || p.has(ssh, "enabled") || p.has(p.system, "enablesshd")
}

// management reads the ways to log in: SSH, with SCP and SFTP, and the web interface; and SNMP.
func (p *parser) management() {
	p.OK(p.system)
	ssh := p.Kid(p.system, "ssh")
	span := p.Span(ssh)
	on := facts.V[bool]{}
	switch {
	case p.sshOn(ssh):
		on = facts.Say(true, span)
	case p.whole: // off unless switched on (pfSense: Advanced, Secure Shell; OPNsense: Settings, Administration)
		on = facts.Assume(false)
	}
	port := wordtree.Port(p.String(ssh, "port"))
	name := "system ssh"
	bind := p.String(ssh, "interfaces")
	p.Rest(ssh)
	for _, s := range [...]facts.Service{
		{Name: name, Role: facts.RoleShell},
		{Protocol: facts.SCP, Name: name}, {Protocol: facts.SFTP, Name: name + " sftp-server"}, // sshd_config of both: Subsystem sftp
	} {
		s.Enabled, s.Port, s.Bind, s.Span = on, port, bind, span
		p.D.Services = append(p.D.Services, s)
	}
	if on.Val {
		p.D.Access = append(p.D.Access, facts.Access{Name: name, In: facts.Say([]string{"ssh"}, span), Enabled: on, Where: bind, Span: span})
	}
	gui := p.Kid(p.system, "webgui")
	if protocol := p.String(gui, "protocol"); protocol != "" {
		p.D.Access = append(p.D.Access, facts.Access{
			Name: "system webgui", In: facts.Say([]string{protocol}, p.Span(gui)), Enabled: facts.Say(true, p.Span(gui)), Where: p.String(gui, "interfaces"), Span: p.Span(gui),
		})
	}
	p.Rest(gui)
	p.snmp()
}

// snmp reads the agent: bsnmpd of pfSense, net-snmp of OPNsense. Both give communities read access only.
func (p *parser) snmp() {
	n := p.Kid(p.root, "snmpd")
	p.OK(n)
	if k := p.Kid(n, "rocommunity"); k != none && p.on(n, "enable") {
		p.OKAll(k)
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Span: p.Span(k)})
	}
	general := p.Under(p.own, "netsnmp", "general")
	if p.on(general, "enabled") && p.String(general, "community") != "" {
		p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{
			Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Span: p.Span(p.Kid(general, "community")),
		})
	}
	p.Each(p.Under(p.own, "netsnmp", "user", "users"), "user", func(u int32) {
		defer p.Rest(u)
		if p.on(u, "enabled") {
			p.D.SNMP = append(p.D.SNMP, facts.SNMPAccess{
				Version: 3, Name: p.String(u, "username"), Write: facts.Say(p.on(u, "readwrite"), p.Span(u)), CoversCopy: facts.Assume(false), Span: p.Span(u),
			})
		}
	})
}

// accounts reads local users, their keys and groups, and the servers that logins are checked with.
func (p *parser) accounts() {
	admins := map[string]bool{}
	p.Each(p.system, "group", func(g int32) {
		defer p.Rest(g)
		name := p.String(g, "name")
		p.Each(g, "priv", func(v int32) {
			s, _ := p.ValueOf(v)
			admins[name] = admins[name] || s == "page-all" || s == "user-shell-access"
		})
	})
	p.Each(p.system, "user", func(u int32) {
		defer p.Rest(u)
		x := facts.Account{Name: p.String(u, "name"), Role: p.String(u, "groupname"), Shell: p.String(u, "shell"), Span: p.Span(u)}
		admin := x.Name == "root" || x.Name == "admin" && p.pf || admins[x.Role]
		p.Each(u, "priv", func(v int32) {
			s, _ := p.ValueOf(v)
			admin = admin || s == "page-all" || s == "user-shell-access"
		})
		x.Admin = facts.Say(admin, p.Span(u))
		if keys, v := p.Leaf(u, "authorizedkeys"); keys != "" {
			x.Keys = countKeys(keys)
			for range x.Keys {
				p.D.Trusts = append(p.D.Trusts, facts.Trust{Kind: "ssh-key", Name: x.Name, Span: p.Span(v)})
			}
		}
		if !p.on(u, "disabled") {
			p.D.Accounts = append(p.D.Accounts, x)
		}
	})
	p.Each(p.system, "authserver", func(s int32) {
		defer p.Rest(s)
		host, v := p.Leaf(s, "host")
		if v == none {
			return
		}
		x := facts.Trust{Kind: p.String(s, "type"), Name: p.String(s, "name"), Host: host, Span: p.Span(v)}
		x.Addr, _ = parseAddr(host)
		p.D.Trusts = append(p.D.Trusts, x)
	})
	if sync := p.Kid(p.root, "hasync"); sync != none {
		if host, v := p.Leaf(sync, "synchronizetoip"); host != "" {
			x := facts.Trust{Kind: "controller", Name: "hasync synchronizetoip", Host: host, Span: p.Span(v)}
			x.Addr, _ = parseAddr(host)
			p.D.Trusts = append(p.D.Trusts, x)
		}
	}
}

// countKeys is how many public keys a field holds: lines in base64.
func countKeys(s string) int {
	text, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		text = []byte(s)
	}
	n := 0
	for line := range bytes.SplitSeq(text, []byte("\n")) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

// logging reads remote syslog, flow export and time.
func (p *parser) logging() {
	l := &p.D.Logging
	n := p.Kid(p.root, "syslog")
	defer p.Rest(n)
	if p.on(n, "enable") {
		for _, w := range [...]string{"remoteserver", "remoteserver2", "remoteserver3"} {
			if s, v := p.Leaf(n, w); s != "" {
				p.logHost(s, "", 0, v)
			}
		}
	}
	general := p.Under(p.own, "Syslog", "general")
	off, stated := p.isOn(general, "enabled")
	p.Each(p.Under(p.own, "Syslog", "destinations"), "destination", func(d int32) {
		host, v := p.Leaf(d, "hostname")
		if host == "" || !p.on(d, "enabled") || stated && !off.Val {
			return
		}
		p.logHost(host, p.String(d, "transport"), wordtree.Port(p.String(d, "port")), v)
	})
	if len(l.Hosts) > 0 {
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	}
	p.flows()
	if s, v := p.Leaf(p.system, "timeservers"); v != none {
		l.NTP = fields(s)
		l.NTPAuth = facts.Assume(false)
	}
}

func (p *parser) logHost(s, transport string, port uint16, v int32) {
	host := s
	if h, n, ok := strings.Cut(s, ":"); ok && !strings.Contains(n, ":") {
		host, port = h, wordtree.Port(n)
	}
	x := facts.LogHost{Host: host, Port: port, Transport: strings.TrimSuffix(strings.TrimSuffix(transport, "4"), "6"), Span: p.Span(v)}
	x.Addr, _ = parseAddr(host)
	p.D.Logging.Hosts = append(p.D.Logging.Hosts, x)
}

// flows reads the export of flow records: OPNsense's own, pfSense's softflowd package.
func (p *parser) flows() {
	l := &p.D.Logging
	capture := p.Under(p.own, "Netflow", "capture")
	ifaces := fields(p.String(capture, "interfaces"))
	if s, v := p.Leaf(capture, "targets"); s != "" && len(ifaces) > 0 {
		for _, t := range fields(s) {
			p.flowHost(t, v)
		}
		p.flowing(ifaces, v)
	}
	soft := p.Under(p.root, "installedpackages", "softflowd", "config")
	defer p.Rest(soft)
	if host, v := p.Leaf(soft, "host"); host != "" && (p.Kid(soft, "enabled") == none || p.on(soft, "enabled")) {
		p.flowHost(host+":"+p.String(soft, "port"), v)
		p.flowing(fields(p.String(soft, "interface")), v)
	}
	switch {
	case len(l.FlowHosts) > 0:
		l.FlowExport = facts.Say(true, l.FlowHosts[0].Span)
		l.FlowSampling = facts.Assume(1)
	case p.whole:
		l.FlowExport = facts.Assume(false)
	}
}

func (p *parser) flowHost(s string, v int32) {
	x := facts.FlowHost{Host: s, Span: p.Span(v)}
	if h, n, ok := strings.Cut(s, ":"); ok && strings.Count(s, ":") == 1 {
		x.Host, x.Port = h, wordtree.Port(n)
	}
	x.Addr, _ = field.Addr([]byte(x.Host))
	p.D.Logging.FlowHosts = append(p.D.Logging.FlowHosts, x)
}

func (p *parser) flowing(names []string, v int32) {
	for _, name := range names {
		for i := range p.D.Interfaces {
			if p.D.Interfaces[i].Name == name {
				p.D.Interfaces[i].Flow = facts.Say(true, p.Span(v))
			}
		}
	}
}

// defaults says what a whole configuration leaves at its default.
func (p *parser) defaults() {
	l := &p.D.Logging
	if !p.whole {
		return
	}
	if !l.Remote.Known() {
		l.Remote = facts.Assume(false) // nothing is sent unless a server is stated (pfSense: Remote Logging; OPNsense: Logging, Remote)
	}
	p.Absent("no server of", facts.TFTP, facts.FTP, facts.SMB) // none but in plugins and packages
	l.CommandAccounting = facts.Assume(false)                  // neither logs what is typed in a shell
}
