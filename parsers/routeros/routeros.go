// Package routeros reads configurations of MikroTik RouterOS as "/export" prints them (compact, terse, verbose; versions 6
// and 7).
//
// An export prints what differs from the defaults, so what it does not say is at its default: the FTP server is on (RouterOS
// documentation, Services). That holds for a whole export, which the line "by RouterOS" begins. Chains of the firewall ask
// each other; input, forward and output accept what no rule decides (RouterOS documentation, Filter).
package routeros

import (
	"bytes"
	"context"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

const formatName = "routeros-export"

// Format reads RouterOS exports.
func Format() facts.Format {
	return facts.Format{Name: formatName, Platform: facts.RouterOS, Detect: detect, Parse: parse}
}

// menus no other platform has.
var menus = []string{
	"/interface ", "/ip address", "/ip firewall", "/ip service", "/ip route", "/ip dns", "/ip dhcp", "/ip pool", "/ip neighbor", "/system identity", "/system clock",
	"/system logging", "/system scheduler", "/system script", "/system note", "/ipv6 ", "/routing ", "/snmp", "/tool ", "/user ", "/queue ", "/port", "/ppp ", "/certificate",
}

func detect(_ string, head []byte) facts.Confidence {
	if bytes.Contains(head[:min(len(head), 2048)], []byte(" by RouterOS ")) || bytes.Contains(head[:min(len(head), 4096)], []byte("platform: MikroTik")) {
		return facts.Certain
	}
	found := 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		if line = bytes.TrimSpace(line); len(line) > 0 && line[0] == '/' && isMenu(line) {
			found++
		}
	}
	if found == 0 { // nearly every other file
		return facts.No
	}
	commands := false
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimSpace(line)
		commands = commands || bytes.Contains(line, []byte("add ")) || bytes.Contains(line, []byte("set "))
	}
	switch {
	case found > 2 && commands:
		return facts.Certain
	case commands:
		return facts.Strong
	}
	return facts.No
}

func isMenu(line []byte) bool {
	return slices.ContainsFunc(menus, func(m string) bool { return bytes.HasPrefix(line, []byte(m)) || string(line) == strings.TrimSpace(m) })
}

type parser struct {
	f     *evidence.File
	sink  facts.Sink
	d     *facts.Device
	src   []byte
	whole bool
	head  evidence.Span // the line that says it is
	cmd   *command
	state facts.LineState
	why   string

	services map[string]*facts.Service
	lists    map[string][]string // interface to lists
	filters  map[string]int      // family and chain to index
	groups   map[string]int
	filled   map[string]bool // address lists that rules fill
	remote   map[string]facts.LogHost
	logged   []string // actions that messages are sent to
}

func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	if piece.From > 0 {
		return nil // a configuration is never split
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	p := &parser{
		f: piece.File, sink: sink, src: src, services: map[string]*facts.Service{}, lists: map[string][]string{}, filters: map[string]int{},
		groups: map[string]int{}, filled: map[string]bool{}, remote: map[string]facts.LogHost{},
		d: &facts.Device{Path: piece.Path, Format: formatName, Platform: facts.RouterOS, Taken: piece.Mod, Has: facts.HasConfig},
	}
	all := read(src)
	for i := range all {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		p.command(&all[i])
	}
	p.finish(more)
	sink.Device(p.d)
	return ctx.Err()
}

func (p *parser) span() evidence.Span { return p.f.Span(int64(p.cmd.at), p.cmd.length) }

func (p *parser) valueSpan(v value) evidence.Span { return p.f.Span(int64(v.at), v.length) }

// command reads one statement and accounts for its lines.
func (p *parser) command(c *command) {
	p.cmd, p.state, p.why = c, facts.Unrecognised, ""
	switch {
	case c.comment:
		p.header(c)
	case c.verb == "" && len(c.keys) == 0:
		p.state = facts.Understood // a menu by itself
		if !strings.HasPrefix(string(p.src[c.at:min(c.at+1, len(p.src))]), "/") {
			p.state = facts.Unrecognised
		}
	default:
		p.secrets(c)
		p.menu(c)
		told := c.path == "system script" || c.path == "system scheduler"
		if p.state == facts.Unrecognised || p.state == facts.Understood && !told && strings.HasSuffix(transferwords.Find(p.src[c.at:c.at+c.length]), "://") {
			p.irrelevant(c) // a transfer URL where none belongs is told
		}
	}
	switch p.state {
	case facts.Understood:
		p.d.Lines.Understood += c.lines
		return
	case facts.Irrelevant:
		p.d.Lines.Irrelevant += c.lines
		return
	case facts.Unsupported:
		p.d.Lines.Unsupported += c.lines
	case facts.Unrecognised:
		p.d.Lines.Unrecognised += c.lines
	}
	if len(p.d.Unread) < facts.MaxUnread {
		filter := ""
		if strings.HasPrefix(c.path, "ip firewall filter") {
			filter = c.text("chain")
		}
		p.d.Unread = append(p.d.Unread, facts.Unread{
			State: p.state, Transfer: transferwords.Find(p.src[c.at : c.at+c.length]), Filter: filter, Reason: p.why, Span: p.span(),
		})
	}
}

// header reads the comments an export, or Oxidized, begins with.
func (p *parser) header(c *command) {
	p.state = facts.Irrelevant
	line := string(p.src[c.at : c.at+c.length])
	set := func(to *facts.V[string], after string) {
		if i := strings.Index(line, after); i >= 0 && !to.Known() {
			text := line[i+len(after):]
			skip := len(text) - len(strings.TrimLeft(text, " "))
			word := strings.Fields(text)
			if len(word) > 0 {
				at := c.at + i + len(after) + skip
				*to = facts.Say(strings.Clone(word[0]), p.f.Span(int64(at), len(word[0])))
				p.state = facts.Understood
			}
		}
	}
	switch {
	case strings.Contains(line, "by RouterOS "):
		set(&p.d.Version, "by RouterOS ")
		p.whole, p.head = true, p.span()
	case strings.HasPrefix(line, "# model ="):
		set(&p.d.Model, "# model =")
	case strings.Contains(line, " version: "):
		set(&p.d.Version, " version: ")
		p.d.Tool = facts.Oxidized
	case strings.Contains(line, "board-name: "):
		set(&p.d.Model, "board-name: ")
	}
}

// menu reads a command by its path.
func (p *parser) menu(c *command) {
	understood := true
	switch c.path {
	case "system identity":
		if v, ok := c.get("name"); ok {
			p.d.Hostname = facts.Say(v.text, p.valueSpan(v))
		}
	case "ip service":
		p.service(c)
	case "ip tftp":
		if c.verb == "add" {
			s := facts.Service{Protocol: facts.TFTP, Name: "ip tftp", Role: facts.RoleServer, Enabled: facts.Say(!c.off(), p.span()), Path: c.text("real-filename"), Alias: c.text("req-filename"), Span: p.span()}
			s.Writable = facts.Assume(false)
			if v, ok := c.get("read-only"); ok {
				s.Writable = facts.Say(v.text == "no", p.valueSpan(v))
			}
			if v, ok := c.get("ip-addresses"); ok {
				s.ACL = p.clients("ip tftp", v)
			}
			p.d.Services = append(p.d.Services, s)
		}
	case "ip smb":
		if v, ok := c.get("enabled"); ok {
			p.d.Services = append(p.d.Services, facts.Service{Protocol: facts.SMB, Name: "ip smb", Role: facts.RoleServer, Enabled: facts.Say(v.text == "yes" || v.text == "auto", p.valueSpan(v)), Bind: plainInterface(c.text("interfaces")), Span: p.span()})
		}
	case "ip smb shares", "ip smb users", "ip smb share", "ip smb user":
		p.state, p.why = facts.Irrelevant, "shares of the SMB server"
		return
	case "disk settings":
		if c.text("auto-smb-sharing") == "yes" {
			v, _ := c.get("auto-smb-sharing")
			p.d.Services = append(p.d.Services, facts.Service{Protocol: facts.SMB, Name: "disk auto-smb-sharing", Role: facts.RoleServer, Enabled: facts.Say(true, p.valueSpan(v)), Span: p.span()})
		}
	case "ip firewall service-port":
		for _, w := range c.words {
			if x, ok := facts.ParseProtocol(w.text); ok {
				p.d.Services = append(p.d.Services, facts.Service{Protocol: x, Name: "service-port " + w.text, Role: facts.RoleALG, Enabled: facts.Say(!c.off(), p.span()), Span: p.span()})
			}
		}
	case "ip address", "ipv6 address":
		p.address(c)
	case "ip dhcp-client", "ipv6 dhcp-client":
		if name := c.text("interface"); name != "" && !c.off() {
			p.iface(name).DHCP = true
		}
	case "ip route", "ipv6 route":
		p.route(c)
	case "interface list member":
		p.lists[c.text("interface")] = append(p.lists[c.text("interface")], c.text("list"))
	case "interface list":
	case "interface gre", "interface ipip", "interface eoip", "interface gre6", "interface ipipv6", "interface eoipv6", "interface vxlan":
		p.tunnel(c)
	case "ip firewall filter", "ip firewall raw", "ipv6 firewall filter", "ipv6 firewall raw":
		p.rule(c)
	case "ip firewall address-list", "ipv6 firewall address-list":
		p.listed(c)
	case "ip firewall nat", "ipv6 firewall nat":
		p.nat(c)
	case "ip dhcp-server network", "ip dhcp-server option":
		p.dhcp(c)
	case "system scheduler", "system script":
		p.script(c)
	case "system logging action":
		p.logAction(c)
	case "system logging":
		if c.verb == "add" && !c.off() {
			p.logged = append(p.logged, c.text("action"))
		}
	case "ip traffic-flow":
		if v, ok := c.get("enabled"); ok {
			p.d.Logging.FlowExport = facts.Say(v.text == "yes", p.valueSpan(v))
		}
	case "ip traffic-flow target":
		host := c.text("dst-address")
		p.d.Logging.FlowHosts = append(p.d.Logging.FlowHosts, facts.FlowHost{Host: host, Addr: addr(host), Port: ports(c.text("port")).First, Span: p.span()})
	case "system ntp client", "system ntp client servers":
		for _, key := range []string{"primary-ntp", "secondary-ntp", "servers", "address", "server-dns-names"} {
			for s := range strings.SplitSeq(c.text(key), ",") {
				if s != "" && s != "0.0.0.0" {
					p.d.Logging.NTP = append(p.d.Logging.NTP, s)
				}
			}
		}
	case "user":
		if name := c.text("name"); name != "" && !c.off() {
			a := facts.Account{Name: name, Role: c.text("group"), Span: p.span()}
			a.Admin = facts.Say(a.Role == "full" || a.Role == "write", p.span())
			p.d.Accounts = append(p.d.Accounts, a)
		}
	case "user ssh-keys", "user ssh-keys import":
		p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "ssh-key", Name: c.text("user"), Span: p.span()})
	case "radius":
		host := c.text("address")
		p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "radius", Name: c.text("service"), Host: host, Addr: addr(host), Span: p.span()})
	case "snmp community":
		p.community(c)
	case "snmp":
	default:
		understood = false
	}
	if understood && p.state == facts.Unrecognised {
		p.state = facts.Understood
	}
}

func plainInterface(s string) string {
	if s == "all" {
		return ""
	}
	return s
}

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

func (p *parser) iface(name string) *facts.Interface {
	for i := range p.d.Interfaces {
		if p.d.Interfaces[i].Name == name {
			return &p.d.Interfaces[i]
		}
	}
	p.d.Interfaces = append(p.d.Interfaces, facts.Interface{Name: name, Shutdown: facts.Assume(false), Span: p.span()})
	return &p.d.Interfaces[len(p.d.Interfaces)-1]
}

func (p *parser) address(c *command) {
	name := c.text("interface")
	if name == "" || c.off() {
		return
	}
	x := p.iface(name)
	if a, err := netip.ParsePrefix(c.text("address")); err == nil {
		x.Addrs = append(x.Addrs, a)
	}
}

func (p *parser) route(c *command) {
	if c.verb != "add" || c.off() || c.text("type") == "blackhole" {
		return
	}
	r := facts.Route{Scope: c.text("routing-table"), Span: p.span()}
	dst := c.text("dst-address")
	switch net, err := netip.ParsePrefix(dst); {
	case err == nil:
		r.Prefix = net.Masked()
	case dst == "" && strings.HasPrefix(c.path, "ipv6"):
		r.Prefix = netip.MustParsePrefix("::/0")
	case dst == "":
		r.Prefix = netip.MustParsePrefix("0.0.0.0/0")
	default:
		return
	}
	via, _, _ := strings.Cut(c.text("gateway"), ",")
	via, on, _ := strings.Cut(via, "%")
	if r.NextHop = addr(via); !r.NextHop.IsValid() {
		r.Interface = via
	} else {
		r.Interface = on
	}
	p.d.Routes = append(p.d.Routes, r)
}

func (p *parser) tunnel(c *command) {
	if c.verb != "add" || c.text("name") == "" {
		return
	}
	x := p.iface(c.text("name"))
	kind := strings.TrimPrefix(c.path, "interface ")
	x.Tunnel = &facts.Tunnel{Mode: kind, Source: c.text("local-address"), Destination: c.text("remote-address"), Addr: addr(c.text("remote-address")), Protected: facts.Say(c.text("ipsec-secret") != "", p.span()), Span: p.span()}
	if c.off() {
		x.Shutdown = facts.Say(true, p.span())
	}
}

// defaults are the services that are on without a line, with their ports (RouterOS documentation, Services).
var defaults = []struct {
	name     string
	protocol facts.Protocol
	port     uint16
	on       bool
}{
	{"telnet", facts.Telnet, 23, true}, {"ftp", facts.FTP, 21, true}, {"www", facts.HTTP, 80, true}, {"ssh", facts.SSH, 22, true}, {"www-ssl", facts.HTTPS, 443, false},
}

// service reads "set ftp disabled=yes address=10.0.0.0/8 port=2121".
func (p *parser) service(c *command) {
	names := c.words
	if v, ok := c.get("name"); ok {
		names = append(names, v)
	}
	for _, w := range names {
		for _, def := range defaults {
			if def.name != w.text {
				continue
			}
			s := p.services[def.name]
			if s == nil {
				s = &facts.Service{Protocol: def.protocol, Name: "ip service " + def.name, Role: facts.RoleServer, Port: def.port, Enabled: facts.Assume(def.on), Span: p.span()}
				p.services[def.name] = s
			}
			if v, ok := c.get("disabled"); ok {
				s.Enabled = facts.Say(!c.off(), p.valueSpan(v))
			} else if c.verb == "enable" || c.verb == "disable" {
				s.Enabled = facts.Say(c.verb == "enable", p.span())
			}
			if n := ports(c.text("port")).First; n > 0 {
				s.Port = n
			}
			s.Scope = c.text("vrf")
			if v, ok := c.get("address"); ok && v.text != "" {
				s.ACL = p.clients(s.Name, v)
			}
			s.Span = p.span()
		}
	}
}

// clients makes a filter of the addresses that may use a service.
func (p *parser) clients(name string, v value) facts.V[string] {
	f := facts.Filter{Name: name + " address", Kind: "service address", Default: facts.Deny, Synthetic: true, Span: p.valueSpan(v)}
	for part := range strings.SplitSeq(v.text, ",") {
		it, ok := item(strings.TrimSpace(part))
		if !ok {
			it = facts.AddrItem{Unread: "address " + part}
		}
		it.Span = p.valueSpan(v)
		f.Rules = append(f.Rules, facts.Rule{Action: facts.Permit, Match: facts.Match{Src: facts.Addrs{Present: true, Items: []facts.AddrItem{it}}}, Span: p.valueSpan(v)})
	}
	p.d.Filters = append(p.d.Filters, f)
	return facts.Say(f.Name, p.valueSpan(v))
}

func (p *parser) community(c *command) {
	name := c.text("name")
	if name == "" && c.verb == "add" {
		return
	}
	s := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), Span: p.span()}
	if v, ok := c.get("write-access"); ok {
		s.Write = facts.Say(v.text == "yes", p.valueSpan(v))
	}
	for part := range strings.SplitSeq(c.text("addresses"), ",") {
		if n, err := netip.ParsePrefix(part); err == nil {
			s.Clients = append(s.Clients, n.Masked())
		}
	}
	p.d.SNMP = append(p.d.SNMP, s)
}

func (p *parser) logAction(c *command) {
	host := c.text("remote")
	if host == "" || host == "0.0.0.0" {
		return
	}
	name := c.text("name")
	if name == "" && len(c.words) > 0 { // set 3, set [ find name=remote ], set remote
		name = "remote"
	}
	h := facts.LogHost{Host: host, Addr: addr(host), Port: ports(c.text("remote-port")).First, Transport: "udp", Span: p.span()}
	if c.text("remote-protocol") == "tcp" {
		h.Transport = "tcp"
	}
	p.remote[name] = h
}

func (p *parser) dhcp(c *command) {
	add := func(key, name string) {
		v, ok := c.get(key)
		if !ok || v.text == "" || v.text == "0.0.0.0" {
			return
		}
		x := facts.Client{Use: "dhcp-option", Name: c.path + " " + name, Protocol: facts.TFTP, Enabled: facts.Say(!c.off(), p.span()), Span: p.span()}
		text := strings.Trim(v.text, "'")
		if key == "boot-file-name" {
			x.Path = text
		} else {
			x.Host, x.Addr = text, addr(text)
		}
		p.d.Clients = append(p.d.Clients, x)
	}
	if c.path == "ip dhcp-server option" {
		switch code := c.text("code"); code {
		case "66", "67", "150", "43":
			add("value", "option "+code)
		}
		return
	}
	add("next-server", "next-server")
	add("boot-file-name", "boot-file-name")
}

// finish states what needs the whole export.
func (p *parser) finish(more bool) {
	for _, def := range defaults {
		s := p.services[def.name]
		if s == nil && p.whole && !more {
			s = &facts.Service{Protocol: def.protocol, Name: "ip service " + def.name, Role: facts.RoleServer, Port: def.port, Enabled: facts.Assume(def.on), Span: p.head}
		}
		if s != nil {
			p.d.Services = append(p.d.Services, *s)
		}
	}
	for i := range p.d.Interfaces {
		x := &p.d.Interfaces[i]
		x.Lists = append(x.Lists, p.lists[x.Name]...)
	}
	for name, lists := range p.lists { // members without an address are ways too
		if name != "" && len(lists) > 0 {
			known := false
			for i := range p.d.Interfaces {
				known = known || p.d.Interfaces[i].Name == name
			}
			if !known {
				p.d.Interfaces = append(p.d.Interfaces, facts.Interface{Name: name, Shutdown: facts.Assume(false), Lists: lists})
			}
		}
	}
	sortInterfaces(p.d.Interfaces)
	for i := range p.d.Groups {
		if g := &p.d.Groups[i]; p.filled[g.Name] {
			g.Unread = "rules add to it while the device runs"
		}
	}
	for _, a := range p.logged {
		if h, ok := p.remote[a]; ok {
			p.d.Logging.Hosts = append(p.d.Logging.Hosts, h)
			p.d.Logging.Remote = facts.Say(true, h.Span)
		}
	}
	if p.whole && !more && !p.d.Logging.Remote.Known() {
		p.d.Logging.Remote = facts.Assume(false) // messages go to memory alone (RouterOS documentation, Log)
	}
	p.bind()
}
