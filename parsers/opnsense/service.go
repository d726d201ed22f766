package opnsense

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// services reads what serves files or opens ways for them.
func (p *parser) services() {
	// pfSense's TFTP proxy: on these interfaces UDP port 69 is redirected to the proxy and passes by that, whatever the rules
	// say (filter.inc, "rdr pass on").
	if s, v := p.Leaf(p.system, "tftpinterface"); v != none {
		for _, name := range fields(s) {
			p.D.Services = append(p.D.Services, facts.Service{
				Protocol: facts.TFTP, Name: "system tftpinterface", Role: facts.RoleProxy, Enabled: facts.Say(true, p.Span(v)), Port: 69, Bind: name, Span: p.Span(v),
			})
		}
	}
	p.tftpServer()
	p.ftpProxies()
	p.squid()
	p.packaged()
}

// tftpServer is OPNsense's plugin os-tftp (ftp/tftp of its plugins, General.xml: off, and listening on 127.0.0.1, unless
// stated). It serves /usr/local/tftp and takes no files (its rc.d script gives neither -c nor -w).
func (p *parser) tftpServer() {
	n := p.Under(p.own, "tftp", "general")
	if n == none {
		return
	}
	on, stated := p.isOn(n, "enabled")
	if !stated {
		on = facts.Assume(false)
	}
	listen := p.String(n, "listen")
	if listen == "" {
		listen = "127.0.0.1"
	}
	p.Rest(n)
	p.D.Services = append(p.D.Services, facts.Service{
		Protocol: facts.TFTP, Name: "OPNsense tftp", Enabled: on, Bind: listen, Path: "/usr/local/tftp", Writable: facts.V[bool]{}, Anonymous: facts.Assume(true), Span: p.Span(n),
	})
}

// ftpProxies is OPNsense's plugin os-ftp-proxy: with a reverse address it publishes a server inside.
func (p *parser) ftpProxies() {
	list := p.Kid(p.own, "ftpproxies")
	p.OK(list)
	p.Each(list, "ftpproxy", func(n int32) {
		defer p.Rest(n)
		on, stated := p.isOn(n, "enabled")
		if !stated {
			on = facts.V[bool]{}
		}
		x := facts.Service{
			Protocol: facts.FTP, Name: "OPNsense ftpproxies ftpproxy", Role: facts.RoleProxy, Enabled: on, Bind: p.String(n, "listenaddress"),
			Port: wordtree.Port(p.String(n, "listenport")), Span: p.Span(n),
		}
		if to := p.String(n, "reverseaddress"); to != "" {
			x.Path = "to " + to
		}
		p.D.Services = append(p.D.Services, x)
	})
}

// squid is the web proxy's FTP side: it serves FTP clients on ftpPort of these interfaces.
func (p *parser) squid() {
	n := p.Kid(p.own, "proxy")
	forward := p.Kid(n, "forward")
	if s, v := p.Leaf(forward, "ftpInterfaces"); s != "" {
		on, stated := p.isOn(p.Kid(n, "general"), "enabled")
		if !stated {
			on = facts.Assume(false)
		}
		p.D.Services = append(p.D.Services, facts.Service{
			Protocol: facts.FTP, Name: "OPNsense proxy forward ftpInterfaces", Role: facts.RoleProxy, Enabled: on, Bind: strings.Join(fields(s), " "),
			Port: wordtree.Port(p.String(forward, "ftpPort")), Span: p.Span(v),
		})
	}
	if s, v := p.Leaf(forward, "port"); v != none && p.on(p.Kid(n, "general"), "enabled") {
		p.D.Services = append(p.D.Services, facts.Service{
			Protocol: facts.HTTP, Name: "OPNsense proxy forward", Role: facts.RoleProxy, Enabled: facts.Say(true, p.Span(v)), Port: wordtree.Port(s), Bind: p.String(forward, "interfaces"), Span: p.Span(v),
		})
	}
}

// packaged reads pfSense's packages that serve files: tftpd serves /tftpboot on the interfaces it is told; the FTP client
// proxy opens data channels for clients inside.
func (p *parser) packaged() {
	at := p.Kid(p.root, "installedpackages")
	for _, k := range [...]struct {
		word, path string
		protocol   facts.Protocol
		role       facts.ServiceRole
		switched   string
	}{
		{"tftpd", "/tftpboot", facts.TFTP, facts.RoleServer, "tftpd_enable"}, {"ftpclientproxy", "", facts.FTP, facts.RoleProxy, "enable"},
	} {
		n := p.Under(at, k.word, "config")
		if n == none {
			continue
		}
		x := facts.Service{Protocol: k.protocol, Name: "installedpackages " + k.word, Role: k.role, Path: k.path, Span: p.Span(n)}
		x.Enabled, _ = p.isOn(n, k.switched)
		if s := p.String(n, "tftpd_interface") + p.String(n, "interfaces") + p.String(n, "localintf"); s != "" {
			x.Bind = s
		}
		p.Rest(n)
		p.D.Services = append(p.D.Services, x)
	}
}

// packages lists what is installed beside the system.
func (p *parser) packages() {
	at := p.Kid(p.root, "installedpackages")
	p.OK(at)
	p.Each(at, "package", func(n int32) {
		defer p.Rest(n)
		if name := p.String(n, "name"); name != "" {
			p.D.Packages = append(p.D.Packages, facts.Package{Name: name, Version: p.String(n, "version"), Span: p.Span(n)})
		}
	})
	if s, v := p.Leaf(p.Kid(p.system, "firmware"), "plugins"); v != none {
		for _, name := range fields(s) {
			p.D.Packages = append(p.D.Packages, facts.Package{Name: name, Span: p.Span(v)})
		}
	}
	p.Rest(p.Kid(p.system, "firmware"))
}
