package fortios

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// system reads what concerns the device as a whole.
func (p *parser) system(root *node) {
	for _, n := range root.configs("system global") {
		if k := n.set("hostname"); k != nil && len(k.words) > 0 {
			p.whole = true
			p.d.Hostname = facts.Say(n.value("hostname"), p.wordSpan(&k.words[0]))
		}
		if scp := p.on(n, "admin-scp"); scp.Known() {
			p.d.Services = append(p.d.Services, facts.Service{
				Protocol: facts.SCP, Name: "admin-scp", Role: facts.RoleServer, Enabled: scp, Writable: facts.Assume(true), Scope: p.scope, Span: p.span(n.set("admin-scp")),
			})
		}
		for _, key := range []string{"admin-ssh-port", "admin-telnet-port", "admin-port", "admin-sport", "admin-telnet", "cli-audit-log"} {
			n.value(key)
		}
	}
	for _, n := range root.edits("system session-helper") {
		proto, ok := facts.ParseProtocol(n.value("name"))
		port, _ := strconv.ParseUint(n.value("port"), 10, 16)
		n.value("protocol")
		if ok && movesFiles(proto) {
			p.d.Services = append(p.d.Services, facts.Service{
				Protocol: proto, Name: "session-helper", Role: facts.RoleALG, Enabled: facts.Say(true, p.span(n)), Port: uint16(port), Scope: p.scope, Span: p.span(n),
			})
		}
	}
	for _, n := range root.configs("ftp-proxy explicit") {
		port := span(n.value("incoming-port")).First
		n.value("sec-default-action")
		n.value("ssl")
		if on := p.on(n, "status"); on.Known() {
			p.d.Services = append(p.d.Services, facts.Service{
				Protocol: facts.FTP, Name: "ftp-proxy explicit", Role: facts.RoleProxy, Enabled: on, Port: port, Scope: p.scope, Span: p.span(n),
			})
		}
	}
}

func movesFiles(x facts.Protocol) bool {
	return x == facts.FTP || x == facts.TFTP || x == facts.SMB
}

// access are the words of allowaccess that are services of the device.
var access = map[string]struct {
	protocol facts.Protocol
	port     uint16
}{
	"ssh": {facts.SSH, 22}, "telnet": {facts.Telnet, 23}, "http": {facts.HTTP, 80}, "https": {facts.HTTPS, 443},
}

// interfaces reads interfaces, zones, tunnels and static routes.
func (p *parser) interfaces(root *node) {
	for _, n := range root.edits("system interface") {
		x := facts.Interface{Name: n.key, Span: p.span(n), Scope: p.scope}
		if vdom := n.value("vdom"); p.vdoms && vdom != "" {
			x.Scope = vdom
		}
		if a, ok := prefix(n.values("ip")); ok && !a.Addr().IsUnspecified() {
			x.Addrs = append(x.Addrs, a)
		}
		for _, s := range n.edits("secondaryip") {
			if a, ok := prefix(s.values("ip")); ok && !a.Addr().IsUnspecified() {
				x.Addrs = append(x.Addrs, a)
			}
			s.values("allowaccess")
		}
		for _, six := range n.configs("ipv6") {
			if a, ok := prefix(six.values("ip6-address")); ok && !a.Addr().IsUnspecified() {
				x.Addrs = append(x.Addrs, a)
			}
			six.values("ip6-allowaccess")
		}
		x.DHCP = n.value("mode") == "dhcp"
		switch n.value("status") {
		case "down":
			x.Shutdown = facts.Say(true, p.span(n.set("status")))
		case "up":
			x.Shutdown = facts.Say(false, p.span(n.set("status")))
		default:
			x.Shutdown = facts.Assume(false)
		}
		if f := n.value("netflow-sampler"); f != "" && f != "disable" {
			x.Flow = facts.Say(true, p.span(n.set("netflow-sampler")))
		}
		if on := p.on(n, "explicit-ftp-proxy"); on.Known() {
			p.d.Services = append(p.d.Services, facts.Service{
				Protocol: facts.FTP, Name: "explicit-ftp-proxy", Role: facts.RoleProxy, Enabled: on, Bind: n.key, Scope: x.Scope, Span: p.span(n.set("explicit-ftp-proxy")),
			})
		}
		p.allowed(n, &x)
		p.d.Interfaces = append(p.d.Interfaces, x)
	}
	for _, z := range root.edits("system zone") {
		for _, name := range z.values("interface") {
			p.zones[p.scope+"\x00"+name] = z.key
		}
		p.quiet(z)
	}
	for _, sd := range append(root.configs("system sdwan"), root.configs("system virtual-wan-link")...) {
		for _, m := range sd.edits("members") {
			zone := m.value("zone")
			if zone == "" {
				zone = "virtual-wan-link"
			}
			if name := m.value("interface"); name != "" {
				p.zones[p.scope+"\x00"+name] = zone
			}
		}
	}
	for _, n := range root.edits("vpn ipsec phase1-interface") {
		t := &facts.Tunnel{Mode: "ipsec", Source: n.value("interface"), Destination: n.value("remote-gw"), Protected: facts.Say(true, p.span(n)), Span: p.span(n)}
		if n.value("type") == "dynamic" {
			t.Destination = ""
		}
		t.Addr = addr(t.Destination)
		i := slices.IndexFunc(p.d.Interfaces, func(x facts.Interface) bool { return x.Name == n.key })
		if i < 0 {
			p.d.Interfaces = append(p.d.Interfaces, facts.Interface{Name: n.key, Scope: p.scope, Shutdown: facts.Assume(false), Span: p.span(n)})
			i = len(p.d.Interfaces) - 1
		}
		p.d.Interfaces[i].Tunnel = t
	}
	for _, n := range root.edits("system gre-tunnel") {
		t := &facts.Tunnel{Mode: "gre", Source: n.value("interface"), Destination: n.value("remote-gw"), Protected: facts.Say(false, p.span(n)), Span: p.span(n)}
		n.value("local-gw")
		t.Addr = addr(t.Destination)
		if i := slices.IndexFunc(p.d.Interfaces, func(x facts.Interface) bool { return x.Name == n.key }); i >= 0 {
			p.d.Interfaces[i].Tunnel = t
		}
	}
	for _, path := range []string{"router static", "router static6"} {
		for _, n := range root.edits(path) {
			r := facts.Route{Interface: n.value("device"), NextHop: addr(n.value("gateway")), Scope: p.scope, Span: p.span(n)}
			var ok bool
			if r.Prefix, ok = prefix(n.values("dst")); !ok {
				if n.set("dst") != nil || n.set("dstaddr") != nil || n.set("internet-service") != nil {
					continue
				}
				r.Prefix = netip.MustParsePrefix("0.0.0.0/0")
				if path == "router static6" {
					r.Prefix = netip.MustParsePrefix("::/0")
				}
			}
			r.Prefix = r.Prefix.Masked()
			if n.value("status") != "disable" && n.value("blackhole") != "enable" {
				p.d.Routes = append(p.d.Routes, r)
			}
		}
	}
}

// allowed reads which services an interface answers.
func (p *parser) allowed(n *node, x *facts.Interface) {
	k := n.set("allowaccess")
	words := n.values("allowaccess")
	var in []string
	for _, w := range words {
		a, ok := access[w]
		if !ok {
			continue
		}
		in = append(in, w)
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: a.protocol, Name: "allowaccess " + w, Role: facts.RoleServer, Enabled: facts.Say(true, p.span(k)), Port: a.port, Bind: n.key, Scope: x.Scope, Span: p.span(k),
		})
	}
	if len(in) > 0 {
		p.d.Access = append(p.d.Access, facts.Access{
			Name: "allowaccess", In: facts.Say(in, p.span(k)), Enabled: facts.Say(true, p.span(k)), Where: n.key, Scope: x.Scope, Span: p.span(k),
		})
	}
}

// management reads administrators and SNMP.
func (p *parser) management(root *node) {
	var clients []netip.Prefix
	open := false
	admins := root.edits("system admin")
	for _, n := range admins {
		role := n.value("accprofile")
		a := facts.Account{Name: n.key, Role: role, Scope: p.scope, Span: p.span(n)}
		switch role {
		case "super_admin", "prof_admin":
			a.Admin = facts.Say(true, p.span(n.set("accprofile")))
		}
		trusted := false
		for _, k := range n.kids {
			switch {
			case k.kind == isSet && (strings.HasPrefix(k.key, "trusthost") || strings.HasPrefix(k.key, "ip6-trusthost")):
				k.state = facts.Understood
				words := make([]string, len(k.words))
				for i := range k.words {
					words[i] = k.words[i].text
				}
				if net, ok := prefix(words); ok {
					trusted = true
					clients = append(clients, net.Masked())
				}
			case k.kind == isSet && strings.HasPrefix(k.key, "ssh-public-key"):
				a.Keys++
				k.state = facts.Understood
			}
		}
		open = open || !trusted
		p.d.Accounts = append(p.d.Accounts, a)
	}
	if len(admins) > 0 && !open {
		slices.SortFunc(clients, netip.Prefix.Compare)
		clients = slices.Compact(clients)
		for i := range p.d.Access {
			p.d.Access[i].Clients = clients
		}
	}
	for _, n := range root.edits("system snmp community") {
		s := facts.SNMPAccess{Version: 1, Write: facts.Say(false, p.span(n)), Scope: p.scope, Span: p.span(n)}
		for _, h := range append(n.edits("hosts"), n.edits("hosts6")...) {
			if net, ok := prefix(h.values("ip")); ok {
				s.Clients = append(s.Clients, net.Masked())
			}
		}
		if n.value("status") != "disable" {
			p.d.SNMP = append(p.d.SNMP, s)
		}
	}
	for _, n := range root.edits("system snmp user") {
		p.d.SNMP = append(p.d.SNMP, facts.SNMPAccess{Version: 3, Name: n.key, Write: facts.Say(false, p.span(n)), Scope: p.scope, Span: p.span(n)})
	}
	for _, path := range []struct{ path, kind string }{{"user radius", "radius"}, {"user tacacs+", "tacacs"}, {"user ldap", "ldap"}} {
		for _, n := range root.edits(path.path) {
			host := n.value("server")
			p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: path.kind, Name: n.key, Host: host, Addr: addr(host), Span: p.span(n)})
		}
	}
}

// logging reads syslog, FortiAnalyzer, flow export and time.
func (p *parser) logging(root *node) {
	l := &p.d.Logging
	for _, name := range []string{"syslogd", "syslogd2", "syslogd3", "syslogd4", "fortianalyzer", "fortianalyzer2", "fortianalyzer3", "fortianalyzer-cloud"} {
		for _, n := range root.configs("log " + name + " setting") {
			k := n.set("server")
			host := n.value("server")
			h := facts.LogHost{Host: host, Addr: addr(host), Transport: "udp", Scope: p.scope, Span: p.span(n)}
			if k != nil {
				h.Span = p.span(k)
			}
			h.Port = span(n.value("port")).First
			if strings.HasPrefix(name, "forti") {
				h.Transport = "tcp"
			}
			switch n.value("mode") {
			case "reliable", "legacy-reliable":
				h.Transport = "tcp"
			}
			if e := n.value("enc-algorithm"); e != "" && e != "disable" && h.Transport == "tcp" {
				h.Transport = "tls"
			}
			n.value("facility")
			if n.value("status") == "enable" && host != "" {
				l.Hosts = append(l.Hosts, h)
				l.Remote = facts.Say(true, h.Span)
			}
		}
		for _, n := range root.configs("log " + name + " filter") {
			if k := n.set("severity"); k != nil {
				l.Severity = facts.Say(n.value("severity"), p.span(k))
			}
		}
	}
	for _, n := range root.configs("system netflow") {
		hosts := []string{n.value("collector-ip")}
		for _, c := range n.edits("collectors") {
			hosts = append(hosts, c.value("collector-ip"))
		}
		for _, host := range hosts {
			if a := addr(host); a.IsValid() && !a.IsUnspecified() {
				l.FlowHosts = append(l.FlowHosts, facts.FlowHost{Host: host, Addr: a, Port: span(n.value("collector-port")).First, Scope: p.scope, Span: p.span(n)})
				l.FlowExport = facts.Say(true, p.span(n))
			}
		}
	}
	for _, n := range root.configs("system sflow") {
		if host := n.value("collector-ip"); addr(host).IsValid() && !addr(host).IsUnspecified() {
			l.FlowHosts = append(l.FlowHosts, facts.FlowHost{Host: host, Addr: addr(host), Scope: p.scope, Span: p.span(n)})
			l.FlowExport = facts.Say(true, p.span(n))
		}
	}
	for _, n := range root.configs("system ntp") {
		n.value("ntpsync")
		for _, s := range n.edits("ntpserver") {
			if host := s.value("server"); host != "" {
				l.NTP = append(l.NTP, host)
			}
			if on := p.on(s, "authentication"); on.Known() {
				l.NTPAuth = on
			}
		}
	}
}

// transfers reads what the device fetches and sends by itself.
func (p *parser) transfers(root *node) {
	for _, n := range root.edits("system dhcp server") {
		for _, key := range []string{"tftp-server", "filename", "next-server"} {
			k := n.set(key)
			v := n.value(key)
			if v == "" || v == "0.0.0.0" {
				continue
			}
			c := facts.Client{Use: "dhcp-option", Name: "dhcp server " + n.key + " " + key, Protocol: facts.TFTP, Enabled: facts.Say(true, p.span(k)), Scope: p.scope, Span: p.span(k)}
			if key == "filename" {
				c.Path = v
			} else {
				c.Host, c.Addr = v, addr(v)
			}
			p.d.Clients = append(p.d.Clients, c)
		}
	}
	for _, n := range root.edits("system auto-script") {
		k := n.set("script")
		if k == nil || len(k.words) == 0 {
			continue
		}
		h := facts.Hook{Kind: facts.HookScheduler, Name: n.key, Trigger: "every " + n.value("interval") + " s", Scope: p.scope, Span: p.span(n), Enabled: facts.Say(n.value("start") == "auto", p.span(n))}
		n.value("repeat")
		n.value("output-size")
		n.value("timeout")
		p.script(&h, k, "scheduler")
	}
	for _, n := range root.edits("system automation-action") {
		k := n.set("script")
		if k == nil || len(k.words) == 0 {
			continue
		}
		n.value("action-type")
		h := facts.Hook{Kind: facts.HookApplet, Name: n.key, Trigger: "automation stitch", Scope: p.scope, Span: p.span(n)}
		p.script(&h, k, "event")
	}
	for _, n := range root.configs("log disk setting") {
		on := p.on(n, "upload")
		if host := n.value("uploadip"); host != "" && host != "0.0.0.0" {
			c := facts.Client{
				Use: "log-upload", Name: "log disk setting upload", Protocol: facts.FTP, Host: host, Addr: addr(host), User: n.value("uploaduser"), Enabled: on,
				Automatic: true, Scope: p.scope, Span: p.span(n.set("uploadip")), Path: n.value("uploaddir"),
			}
			if n.value("upload-ssl-conn") != "" && n.value("upload-ssl-conn") != "disable" {
				c.Protocol = facts.FTPS
			}
			if k := n.set("uploadpass"); k != nil {
				c.Password = facts.Say(true, p.span(k))
			}
			p.d.Clients = append(p.d.Clients, c)
		}
	}
}

// script reads the commands of a stored script.
func (p *parser) script(h *facts.Hook, k *node, use string) {
	k.state = facts.Understood
	w := &k.words[0]
	at := w.at
	for line := range strings.SplitSeq(string(p.src[w.at:w.at+w.length]), "\n") {
		start := at
		at += len(line) + 1
		text := strings.TrimSpace(line)
		if text == "" {
			continue
		}
		start += strings.Index(line, text)
		span := p.f.Span(int64(start), len(text))
		c := facts.HookCommand{Text: copycmd.Mask([]byte(text), copycmd.Secrets(nil, []byte(text))), Span: span}
		for _, s := range copycmd.Secrets(nil, []byte(text)) {
			p.secret(start+s.Start, s.End-s.Start, s.Kind, s.Storage, "script "+h.Name)
		}
		if cp, ok := copycmd.Parse([]byte(text)); ok && cp.Protocol != facts.ProtocolUnknown {
			c.Protocol, c.URL, c.Host = cp.Protocol, strings.Clone(cp.URL), strings.Clone(cp.Host)
			p.d.Clients = append(p.d.Clients, facts.Client{
				Use: use, Name: h.Name, Protocol: cp.Protocol, URL: c.URL, Host: c.Host, Addr: cp.Addr, Enabled: h.Enabled, Automatic: true, Scope: p.scope, Span: span,
			})
		}
		h.Commands = append(h.Commands, c)
	}
	p.d.Hooks = append(p.d.Hooks, *h)
}
