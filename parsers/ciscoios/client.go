package ciscoios

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// clientState is what clients are made of that more than one statement says.
type clientState struct {
	settings      [16]settings // by protocol
	serviceConfig facts.V[bool]
	boots         []int // "boot network" and "boot host" in Device.Clients
	core          coreDump
	probes        []probe
	scheduled     map[string]bool // probes
	allProbes     bool
	policies      map[string][]int // clients of kron policy lists
	occasions     []occasion
}

// settings are the client settings of one protocol: "ip ftp username" and its like.
type settings struct {
	span     evidence.Span
	name     string
	user     string
	source   string
	password facts.V[bool]
}

type coreDump struct {
	host, file string
	proto      facts.Protocol
	span       evidence.Span
}

// setting reads "ip ftp|tftp|sftp|scp|rcmd ..." and "ip http client ...": word i is the setting.
func (p *parser) setting(n int32, proto facts.Protocol, name string, i int) {
	p.ok(n)
	if p.negated {
		return // a default printed, or something switched off
	}
	s := &p.clients.settings[proto]
	switch string(p.word(i)) {
	case "username", "remote-username":
		s.user = p.str(p.word(i + 1))
	case "password":
		sec := p.secret(i+1, facts.SecretFTP, name+" password", "")
		s.password = facts.Say(true, p.span(n))
		if sec.Storage == facts.StorageMasked {
			s.password = facts.Hidden[bool](p.span(n))
		}
	case "source-interface", "boot-interface":
		s.source = p.str(p.word(i + 1))
	case "passive":
		return // the default
	}
	if s.span.IsZero() {
		s.span, s.name = p.span(n), name
	}
}

// archive reads "archive" with its path, when it writes there, and how commands are logged.
func (p *parser) archive(n int32) {
	p.ok(n)
	at := -1
	var auto bool
	var period time.Duration
	p.children(n, func(c int32) {
		p.ok(c)
		switch string(p.word(0)) {
		case "path":
			if l, ok := p.link(1); ok && !p.negated {
				at = p.client("archive", "archive path", l, p.span(c))
			}
		case "write-memory":
			auto = auto || !p.negated
		case "time-period":
			if m, ok := number(p.word(1)); ok {
				auto, period = true, time.Duration(m)*time.Minute
			}
		case "log":
			p.changeLog(c)
		case "maximum", "rollback", "default", "exit":
		default:
			p.t.Mark(c, facts.Unrecognised)
		}
	})
	if at >= 0 {
		p.d.Clients[at].Automatic, p.d.Clients[at].Period = auto, period
	}
}

// boot reads "boot system ...", "boot network ...", "boot host ..." and what else says where to start from.
func (p *parser) boot(n int32) {
	switch string(p.word(1)) {
	case "system":
		p.ok(n)
		if !p.negated {
			p.bootSystem(n)
		}
	case "network", "host", "config", "config-file", "bootstrap":
		p.ok(n)
		if p.negated {
			return
		}
		use := "boot-config"
		if p.is(1, "bootstrap") {
			use = "boot-system"
		}
		name := "boot " + p.str(p.word(1))
		i := 2
		if p.is(2, "remote-all") { // boot network remote-all
			i++
		}
		if p.is(1, "host") && p.is(2, "dhcp") {
			// DHCP says where the configuration is (Catalyst 2960 software configuration guide, DHCP-based
			// autoconfiguration: "boot host dhcp").
			at := p.client("boot-config", name+" dhcp", link{URL: copycmd.URL{Protocol: facts.TFTP}}, p.span(n))
			p.d.Clients[at].Automatic = true
			return
		}
		at, ok := p.image(use, name, i, p.span(n))
		if !ok {
			return
		}
		p.d.Clients[at].Automatic = true
		if p.is(1, "network") || p.is(1, "host") {
			p.clients.boots = append(p.clients.boots, at)
		}
	default: // boot-start-marker, boot buffersize, boot private-config-file, boot enable-break ...
		p.skip(n)
	}
}

// bootSystem reads "boot system [switch all|N] URL", "boot system tftp|ftp|rcp FILE [HOST]" and "boot system FILE HOST",
// which means TFTP (Configuration fundamentals command reference, boot system).
func (p *parser) bootSystem(n int32) {
	i := 2
	if p.is(i, "switch") {
		i += 2
	}
	p.hint(p.word(len(p.w) - 1))
	at, ok := p.image("boot-system", "boot system", i, p.span(n))
	if ok {
		p.d.Clients[at].Automatic = true
	}
}

// image reads where an image or configuration is fetched from, from word i on; false when it is a local file.
func (p *parser) image(use, name string, i int, span evidence.Span) (at int, ok bool) {
	if l, ok := p.link(i); ok {
		if l.Host == "" && l.Protocol != facts.ProtocolUnknown { // "boot system tftp: file host" does not occur; the URL alone
			if a, ok := field.Addr(p.word(len(p.w) - 1)); ok {
				l.Host, l.Addr = a.String(), a
			}
		}
		return p.client(use, name, l, span), true
	}
	proto, named := facts.ParseProtocol(string(p.word(i)))
	named = named && (transfers(proto) || proto == facts.HTTP || proto == facts.HTTPS)
	last := len(p.w) - 1
	addr, hosted := field.Addr(p.word(last))
	if !named && (!hosted || last <= i) {
		return 0, false
	}
	l := link{URL: copycmd.URL{Protocol: facts.TFTP}}
	if named {
		l.Protocol = proto
		i++
	}
	if hosted {
		l.Host, l.Addr = addr.String(), addr
	}
	if i < len(p.w) && (!hosted || i < last) {
		l.Path = p.str(p.word(i))
	}
	l.Text = l.Protocol.String() + ":"
	if l.Host != "" {
		l.Text += "//" + l.Host + "/"
	}
	l.Text += l.Path
	return p.client(use, name, l, span), true
}

// exception reads where a crash leaves its memory.
func (p *parser) exception(n int32) {
	c := &p.clients.core
	switch string(p.word(1)) {
	case "dump":
		p.ok(n)
		if !p.negated && p.word(2) != nil {
			c.host, c.span = p.str(p.word(2)), p.span(n)
		}
	case "core-file":
		p.ok(n)
		if !p.negated {
			c.file = p.str(p.word(2))
		}
	case "protocol":
		p.ok(n)
		if proto, ok := facts.ParseProtocol(string(p.word(2))); ok && !p.negated {
			c.proto = proto
		}
	default:
		if l, ok := p.findLink(2); ok && !p.negated {
			p.ok(n)
			p.d.Clients[p.client("core-dump", "exception "+p.str(p.word(1)), l, p.span(n))].Automatic = true
			return
		}
		p.skip(n) // crashinfo in flash, memory checks
	}
}

// dhcpPool reads the servers that a DHCP pool points its clients at: "next-server", "bootfile", options 66, 67, 150 and 43
// (RFC 2132; option 150 is Cisco's list of TFTP servers, RFC 5859).
func (p *parser) dhcpPool(n int32) {
	name := p.str(p.word(len(p.w) - 1))
	p.ok(n)
	file := ""
	first := len(p.d.Clients)
	scope := ""
	p.children(n, func(c int32) {
		what := ""
		var values []byte
		switch string(p.word(0)) {
		case "vrf":
			scope = p.str(p.word(1))
			p.ok(c)
			return
		case "next-server":
			what, values = "next-server", p.rest(c, 1)
		case "bootfile-url": // IPv6 (RFC 5970)
			p.ok(c)
			if l, ok := p.link(1); ok && !p.negated {
				p.d.Clients[p.client("dhcp-option", "ipv6 dhcp pool "+name+" bootfile-url", l, p.span(c))].Automatic = true
			}
			return
		case "bootfile":
			file = p.str(p.word(1))
			p.ok(c)
			return
		case "option":
			switch string(p.word(1)) {
			case "66", "150":
				what, values = "option "+p.str(p.word(1)), p.rest(c, 3)
			case "67":
				file = p.str(unquote(p.rest(c, 3)))
				p.ok(c)
				return
			case "43":
				what, values = "option 43", p.rest(c, 3)
			default:
				p.skip(c)
				return
			}
		default:
			p.skip(c)
			return
		}
		p.ok(c)
		if p.negated {
			return
		}
		if what == "option 43" && (p.is(2, "hex") || !hasAddress(values)) {
			return // addresses of wireless controllers, which speak no transfer protocol, or a vendor's own
		}
		for w, rest := field.Word(unquote(values)); len(w) > 0; w, rest = field.Word(rest) {
			p.dhcpServer(name, what, bytes.Trim(w, `"`), p.span(c))
		}
	})
	for i := first; i < len(p.d.Clients); i++ {
		p.d.Clients[i].Scope = scope
		if file != "" {
			p.d.Clients[i].Path = file
		}
	}
	if file != "" && first == len(p.d.Clients) {
		p.d.Clients[p.client("dhcp-option", "ip dhcp pool "+name+" bootfile", link{URL: copycmd.URL{Protocol: facts.TFTP, Path: file}}, p.span(n))].Automatic = true
	}
}

func hasAddress(b []byte) bool {
	for w, rest := field.Word(b); len(w) > 0; w, rest = field.Word(rest) {
		if _, ok := field.Addr(bytes.Trim(w, `"`)); ok {
			return true
		}
	}
	return false
}

func (p *parser) dhcpServer(pool, what string, host []byte, span evidence.Span) {
	l := link{URL: copycmd.URL{Protocol: facts.TFTP, Host: p.masked(host)}}
	if u, ok := copycmd.ParseURL(host); ok {
		l.URL = u
	} else if a, ok := field.Addr(host); ok {
		l.Addr = a
	}
	p.d.Clients[p.client("dhcp-option", "ip dhcp pool "+pool+" "+what, l, span)].Automatic = true
}

// dhcpDatabase reads "ip dhcp database URL" and "ip dhcp snooping database URL": written to whenever bindings change.
func (p *parser) dhcpDatabase(n int32, name string, i int) {
	p.ok(n)
	if l, ok := p.link(i); ok && !p.negated {
		p.d.Clients[p.client("write-net", name, l, p.span(n))].Automatic = true
	}
}

// trustpoint reads where certificates are enrolled.
func (p *parser) trustpoint(n int32) {
	name := p.str(p.word(len(p.w) - 1))
	p.ok(n)
	span, authority := p.span(n), p.has(2, "trustpoint") > 0 || p.has(2, "identity") > 0
	title := "crypto pki trustpoint " + name
	if p.is(2, "trustpool") {
		title = "crypto pki trustpool"
	}
	first, auto := len(p.d.Clients), false
	var host []byte
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "enrollment", "database", "grant", "issuer-name", "crl", "ocsp", "cdp-url", "cabundle":
			if p.is(1, "selfsigned") {
				authority = false
			}
			if l, ok := p.findLink(1); ok && !p.negated {
				p.ok(c)
				if p.is(0, "enrollment") {
					host = []byte(l.Host)
				}
				p.client("pki", title, l, p.span(c))
				return
			}
		case "auto-enroll":
			auto = !p.negated
		}
		p.skip(c)
	})
	for i := first; i < len(p.d.Clients); i++ {
		p.d.Clients[i].Automatic = auto
	}
	if authority {
		p.trust("certificate", name, host, span)
	}
}

// A probe is an "ip sla" operation that fetches a file.
type probe struct {
	id     string
	client int
	every  time.Duration
}

// sla reads "ip sla N" and its older spellings: "ftp get URL", "type ftp operation get url URL", "http get URL".
func (p *parser) sla(n int32) {
	id := p.str(p.word(len(p.w) - 1))
	at := -1
	every := 60 * time.Second // the default frequency (IP SLAs configuration guide)
	p.t.Mark(n, facts.Irrelevant)
	take := func(c int32) {
		if l, ok := p.findLink(1); ok && !p.negated && (p.is(0, "ftp") || p.is(0, "http") || p.is(0, "type")) {
			p.ok(c)
			at = p.client("ip-sla", "ip sla "+id, l, p.span(c))
			for i := range p.w {
				if p.is(i, "source-ip") || p.is(i, "source-ipaddr") {
					p.d.Clients[at].Source = p.str(p.word(i + 1))
				}
			}
			return
		}
		if p.is(0, "frequency") {
			if s, ok := number(p.word(1)); ok {
				every = time.Duration(s) * time.Second
			}
		}
		p.skip(c)
	}
	p.children(n, func(c int32) {
		below := p.t.Nodes[c].First
		take(c)
		if below >= 0 { // "ftp get ..." opens a block of its own
			p.children(c, take)
		}
	})
	if at >= 0 {
		p.ok(n)
		p.clients.probes = append(p.clients.probes, probe{id, at, every})
	}
}

// slaSchedule reads "ip sla schedule N ... start-time ..." and "ip sla group schedule G N-M ...".
func (p *parser) slaSchedule(n int32, i int) {
	p.t.Mark(n, facts.Irrelevant)
	if p.negated {
		return
	}
	p.ok(n)
	if p.clients.scheduled == nil {
		p.clients.scheduled = map[string]bool{}
	}
	p.clients.scheduled[p.str(p.word(i))] = true
	p.clients.allProbes = p.clients.allProbes || p.is(2, "group")
}

// finishClients states what needed the whole file.
func (p *parser) finishClients() {
	c := &p.clients
	for _, i := range c.boots {
		// "boot network" and "boot host" are inert without "service config", which is off when a configuration is in
		// NVRAM (Configuration fundamentals command reference, service config).
		p.d.Clients[i].Enabled = c.serviceConfig
		if c.serviceConfig.Origin == facts.Unknown {
			p.d.Clients[i].Enabled = facts.Assume(false)
		}
	}
	if facts.On(c.serviceConfig) {
		// It broadcasts for network-confg and the like by TFTP when no server is named.
		at := p.client("boot-config", "service config", link{URL: copycmd.URL{
			Protocol: facts.TFTP, Host: "255.255.255.255", Addr: netip.AddrFrom4([4]byte{255, 255, 255, 255}), Text: "tftp://255.255.255.255/",
		}}, c.serviceConfig.Span)
		p.d.Clients[at].Automatic = true
	}
	if c.core.host != "" {
		l := link{URL: copycmd.URL{Protocol: c.core.proto, Host: c.core.host, Path: c.core.file}}
		if l.Protocol == facts.ProtocolUnknown {
			l.Protocol = facts.TFTP // the default (Configuration fundamentals command reference, exception protocol)
		}
		l.Addr, _ = field.Addr([]byte(l.Host))
		l.Text = l.Protocol.String() + "://" + l.Host + "/" + l.Path
		p.d.Clients[p.client("core-dump", "exception dump", l, c.core.span)].Automatic = true
	}
	for _, pr := range c.probes {
		k := &p.d.Clients[pr.client]
		k.Period = pr.every
		if k.Automatic = c.allProbes || c.scheduled[pr.id]; !k.Automatic {
			k.Enabled = facts.Assume(false) // an operation does nothing until it is scheduled
		}
	}
	p.finishKron()
	p.finishHooks()
	for proto := range c.settings {
		s := &c.settings[proto]
		if s.span.IsZero() {
			continue
		}
		at := p.client("settings", s.name, link{URL: copycmd.URL{Protocol: facts.Protocol(proto)}, user: s.user, password: s.password}, s.span)
		p.d.Clients[at].Source = s.source
		for i := range p.d.Secrets {
			if sec := &p.d.Secrets[i]; sec.Kind == facts.SecretFTP && sec.User == "" && sec.Name == s.name+" password" {
				sec.User = s.user
			}
		}
	}
	if len(p.d.Clients) == 0 {
		return
	}
	scopes := map[string]string{}
	for i := range p.d.Interfaces {
		scopes[p.d.Interfaces[i].Name] = p.d.Interfaces[i].Scope
	}
	for i := range p.d.Clients {
		p.source(&p.d.Clients[i], scopes)
	}
}

// source fills in where a client sends from and as whom it logs in, as the protocol's settings say. scopes are the VRFs of
// interfaces.
func (p *parser) source(k *facts.Client, scopes map[string]string) {
	s := &p.clients.settings[k.Protocol]
	if k.Use == "dhcp-option" || k.Use == "settings" {
		return
	}
	if k.Source == "" {
		k.Source = s.source
	}
	if k.User == "" && s.user != "" && k.Protocol != facts.TFTP {
		k.User = s.user
		if !k.Password.Known() {
			k.Password = s.password
		}
	}
	if k.Source != "" && k.Scope == "" {
		k.Scope = scopes[k.Source]
	}
}
