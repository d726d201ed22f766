package junos

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// systemStatements reads "system".
func (p *parser) systemStatements(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		if p.off(c) {
			if p.is(c, "services") {
				p.systemServices(c, c)
			}
			continue
		}
		switch string(p.bytes(c)) {
		case "host-name", "root-authentication", "authentication-order":
			p.okAll(c)
		case "services":
			p.systemServices(c, none)
		case "syslog":
			p.syslog(c)
		case "archival":
			p.archival(c)
		case "accounting":
			p.commandAccounting(c)
		case "ntp":
			p.ntp(c)
		case "login":
			p.login(c)
		case "radius-server", "tacplus-server", "radius-options", "tacplus-options":
			p.okAll(c) // their secrets are read with all others
		case "scripts":
			p.scripts(c)
		case "autoinstallation":
			p.autoinstallation(c)
		case "license":
			p.urls(p.kid(c, "autoupdate"), "settings", "system license autoupdate", true)
			p.othersOf("system license", c)
		case "phone-home":
			p.urls(c, "boot-config", "system phone-home", true)
			p.othersOf("system phone-home", c)
		case "extensions":
			p.okAll(c)
		default:
			p.other("system", c)
		}
	}
}

// login reads "system login": users, and classes that take file transfer away from them.
func (p *parser) login(n int32) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "user", "class", "password", "retry-options":
			p.okAll(c)
		default:
			p.other("system login", c)
		}
	}
}

// A served is a transfer service with the statement that starts it.
type served struct {
	word     string
	protocol facts.Protocol
	role     facts.ServiceRole
}

// servedList are the plain statements of "system services" that start a service by being there.
var servedList = [...]served{
	{"ftp", facts.FTP, facts.RoleServer},
	{"tftp-server", facts.TFTP, facts.RoleServer},
	{"telnet", facts.ProtocolUnknown, facts.RoleShell},
	{"rlogin", facts.ProtocolUnknown, facts.RoleShell},
	{"rsh", facts.RCP, facts.RoleShell},
	{"finger", facts.ProtocolUnknown, facts.RoleServer},
	{"xnm-clear-text", facts.ProtocolUnknown, facts.RoleShell},
	{"xnm-ssl", facts.ProtocolUnknown, facts.RoleShell},
	{"extension-service", facts.ProtocolUnknown, facts.RoleShell},
	{"rest", facts.ProtocolUnknown, facts.RoleShell},
}

// systemServices reads "system services"; off is the switched-off statement above, none when it is in force.
func (p *parser) systemServices(n, off int32) {
	p.ok(n)
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		switched := off
		if off == none && p.off(c) {
			switched = c
		}
		if p.service(c, switched) {
			p.okAll(c)
			continue
		}
		if switched != none {
			continue
		}
		switch string(p.bytes(c)) {
		case "dhcp", "dhcp-local-server", "dhcp-relay":
			p.dhcp(c)
		case "outbound-ssh", "outbound-https", "subscriber-management", "dtcp-only", "reverse", "netproxy", "service-deployment":
			p.okAll(c)
		default:
			p.other("system services", c)
		}
	}
}

// service states the services node c starts.
func (p *parser) service(c, switched int32) bool {
	on := p.switchedAt(c, switched)
	word := string(p.bytes(c))
	switch word {
	case "ssh":
		p.ssh(c, on)
		return true
	case "netconf":
		for k := p.first(c); k != none; k = p.next(k) {
			p.addService(facts.Service{
				Name: "system services netconf " + p.text(k), Role: facts.RoleShell, Enabled: p.switchedAt(k, switched),
				Port: port(p.leaf(k, "port")), Span: p.span(k),
			})
		}
		return true
	case "web-management":
		p.webManagement(c, switched)
		return true
	}
	for _, s := range servedList {
		if s.word == word {
			p.addService(facts.Service{
				Protocol: s.protocol, Name: "system services " + word, Role: s.role, Enabled: on, Span: p.span(c),
			})
			return true
		}
	}
	return false
}

// switchedAt is whether the service of statement n runs: on by being there, off when something above is switched off.
func (p *parser) switchedAt(n, switched int32) facts.V[bool] {
	if switched != none {
		return facts.Say(false, p.offSpan(switched))
	}
	return facts.Say(true, p.span(n))
}

func (p *parser) addService(s facts.Service) {
	s.Scope = p.scope
	p.d.Services = append(p.d.Services, s)
}

// ssh reads "ssh". The server runs a shell and SCP; SFTP needs "sftp-server" since 19.1R1 ("Configure SSH Service for
// Remote Access", Junos User Access Guide: incoming SFTP connections are disabled by default from that release on).
func (p *parser) ssh(c int32, on facts.V[bool]) {
	portNo := port(p.leaf(c, "port"))
	p.addService(facts.Service{Name: "system services ssh", Role: facts.RoleShell, Enabled: on, Port: portNo, Span: p.span(c)})
	p.addService(facts.Service{
		Protocol: facts.SCP, Name: "system services ssh", Enabled: on, Port: portNo, Span: p.span(c),
	})
	sftp := facts.Service{Protocol: facts.SFTP, Name: "system services ssh sftp-server", Port: portNo, Span: p.span(c)}
	switch k := p.t.Child(c, "sftp-server"); {
	case !on.Val:
		sftp.Enabled = on
	case k != none && p.off(k):
		sftp.Enabled, sftp.Span = facts.Say(false, p.offSpan(k)), p.span(k)
	case k != none:
		sftp.Enabled, sftp.Span = facts.Say(true, p.span(k)), p.span(k)
	case p.release.before(19, 1):
		sftp.Enabled = facts.Assume(true)
	case p.release != release{}:
		sftp.Enabled = facts.Assume(false)
	}
	p.addService(sftp)
}

// webManagement reads "web-management": J-Web uploads and downloads software and configurations.
func (p *parser) webManagement(c, switched int32) {
	for k := p.t.Nodes[c].First; k != none; k = p.t.Nodes[k].Next {
		s := facts.Service{Name: "system services web-management " + p.text(k), Span: p.span(k)}
		switch string(p.bytes(k)) {
		case "http":
			s.Protocol = facts.HTTP
		case "https":
			s.Protocol = facts.HTTPS
		default:
			continue
		}
		off := switched
		if off == none && p.off(k) {
			off = k
		}
		s.Enabled = p.switchedAt(k, off)
		s.Port = port(p.leaf(k, "port"))
		if i := p.kid(k, "interface"); i != none {
			for u := p.first(i); u != none; u = p.next(u) {
				if s.Bind != "" {
					s.Bind += " "
				}
				s.Bind += p.text(u)
			}
		}
		p.addService(s)
	}
}

// defaults states services that run, or do not run, because nothing says otherwise. In part of a configuration the
// statement may be elsewhere: nothing is known.
func (p *parser) defaults() {
	if p.at(none, "system") == none && p.at(none, "security") == none {
		return
	}
	for _, s := range servedList[:2] {
		p.absent(s.protocol, "system services "+s.word)
	}
	p.absent(facts.SFTP, "system services ssh sftp-server")
	p.loggingDefaults()
}

// absent states that a transfer service does not run unless one was stated. Off by absence: "ftp", Junos CLI reference
// (the statement enables the server); tftp-server likewise. Without ssh there is no SFTP either.
func (p *parser) absent(protocol facts.Protocol, name string) {
	for i := range p.d.Services {
		if s := &p.d.Services[i]; s.Name == name && s.Scope == "" {
			return
		}
	}
	s := facts.Service{Protocol: protocol, Name: name}
	if p.whole {
		s.Enabled = facts.Assume(false)
	}
	p.d.Services = append(p.d.Services, s)
}

func port(s string) uint16 {
	n, ok := small([]byte(s))
	if !ok || n > 65535 {
		return 0
	}
	return uint16(n)
}

// alg reads "security alg": gateways that open the data channels of sessions passing through. They serve nothing.
func (p *parser) alg(n int32) {
	if n != none {
		p.okAll(n)
	}
	for _, a := range [...]served{{word: "ftp", protocol: facts.FTP}, {word: "tftp", protocol: facts.TFTP}} {
		s := facts.Service{Protocol: a.protocol, Name: "security alg " + a.word, Role: facts.RoleALG}
		k := p.kid(n, a.word)
		switch off := p.kid(k, "disable"); {
		case off != none:
			s.Enabled, s.Span = facts.Say(false, p.span(off)), p.span(off)
		case p.whole:
			// On by default on SRX: "alg", Junos CLI reference, ftp and tftp are enabled unless disable is configured.
			s.Enabled = facts.Assume(true)
		}
		if k != none && s.Span == (evidence.Span{}) {
			s.Span = p.span(k)
		}
		p.addService(s)
	}
}
