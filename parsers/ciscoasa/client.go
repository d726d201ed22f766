package ciscoasa

import (
	"bytes"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// clientState holds transfers whose parts are stated in several lines.
type clientState struct {
	logFTP     int // index in Device.Clients plus one
	bufferWrap facts.V[bool]
	autoUpdate []int
	pollPeriod time.Duration
}

// defaultPoll is how often an Auto Update server is asked ("the default is 720 minutes (12 hours)", ASA command
// reference, auto-update poll-period).
const defaultPoll = 720 * time.Minute

// tftpServer reads "tftp-server IF ADDRESS PATH": where "copy ... tftp:" and "write net" go when they name no server.
// It is no server on the device (ASA command reference, tftp-server).
func (p *parser) tftpServer(n int32) {
	if p.negated {
		p.understood(n)
		return
	}
	if len(p.w) < 3 {
		return // unrecognised
	}
	c := facts.Client{
		Use: "write-net", Name: "tftp-server", Protocol: facts.TFTP, Scope: p.scope, Span: p.span(n),
		Source: p.str(p.word(1)), Host: p.str(p.word(2)),
		Path:     string(bytes.TrimLeft(p.word(3), "/")),
		Enabled:  facts.Say(true, p.span(n)),
		Password: facts.V[bool]{Origin: facts.Explicit, Span: p.span(n)},
	}
	c.Addr, _ = p.address(p.word(2))
	c.URL = "tftp://" + c.Host + "/" + c.Path
	if c.Addr.Is6() {
		c.URL = "tftp://[" + c.Host + "]/" + c.Path
	}
	p.d.Clients = append(p.d.Clients, c)
	p.understood(n)
}

// logFTP reads "logging ftp-server HOST PATH USER [0|8] PASSWORD".
func (p *parser) logFTP(n int32) {
	if p.negated || len(p.w) < 5 {
		return
	}
	c := facts.Client{
		Use: "log-upload", Name: "logging ftp-server", Protocol: facts.FTP, Scope: p.scope, Span: p.span(n), Automatic: true,
		Host: p.str(p.word(2)), Path: string(bytes.TrimLeft(p.word(3), "/")), User: p.str(p.word(4)),
		Password: facts.V[bool]{Origin: facts.Explicit, Span: p.span(n)},
	}
	c.Addr, _ = p.address(p.word(2))
	c.URL = "ftp://" + c.Host + "/" + c.Path
	if len(p.w) > 5 {
		c.Password = hasPassword(p.secret(5, facts.SecretFTP, "logging ftp-server", c.User))
	}
	p.d.Clients = append(p.d.Clients, c)
	p.clients.logFTP = len(p.d.Clients)
	p.understood(n)
}

// boot reads "boot system URL" and "boot config URL".
func (p *parser) boot(n int32) {
	if p.negated || len(p.w) < 3 {
		p.irrelevant(n)
		return
	}
	c := facts.Client{Name: "boot " + p.str(p.word(1)), Scope: p.scope, Span: p.span(n), Automatic: true, Enabled: facts.Say(true, p.span(n))}
	switch string(p.word(1)) {
	case "system":
		c.Use = "boot-system"
	case "config":
		c.Use = "boot-config"
	default:
		return
	}
	if p.url(&c, 2) { // a file on flash is no transfer
		p.d.Clients = append(p.d.Clients, c)
	}
	p.understood(n)
}

// context reads a context of the system execution space.
func (p *parser) context(n int32) {
	p.understood(n)
	name := p.str(p.word(1))
	p.children(n, func(s int32) {
		switch string(p.word(0)) {
		case "config-url":
			c := facts.Client{
				Use: "boot-config", Name: "context " + name + " config-url", Scope: p.scope, Span: p.span(s), Automatic: true,
				Enabled: facts.Say(true, p.span(s)),
			}
			if p.url(&c, 1) {
				p.d.Clients = append(p.d.Clients, c)
			}
			p.understood(s)
		default:
			p.irrelevant(s) // interfaces, resources and failover groups of the context
		}
	})
}

// autoUpdate reads the auto-update statements: the device fetches images and its configuration from a server.
func (p *parser) autoUpdate(n int32) {
	switch {
	case p.is(1, "server") && !p.negated:
		c := facts.Client{
			Use: "archive", Name: "auto-update server", Scope: p.scope, Span: p.span(n), Automatic: true, Period: defaultPoll,
			Enabled: facts.Say(true, p.span(n)),
		}
		if !p.url(&c, 2) {
			return // unrecognised
		}
		for i := 3; i+1 < len(p.w); i++ {
			if p.is(i, "source") {
				c.Source = p.str(p.word(i + 1))
			}
		}
		p.d.Clients = append(p.d.Clients, c)
		p.clients.autoUpdate = append(p.clients.autoUpdate, len(p.d.Clients)-1)
	case p.is(1, "poll-period"):
		if m, ok := number(p.word(2)); ok {
			p.clients.pollPeriod = time.Duration(m) * time.Minute
		}
	case p.is(1, "poll-at"):
		p.clients.pollPeriod = 24 * time.Hour // on stated days at a stated time; a day is the shortest
	default:
		p.irrelevant(n) // device-id, timeout
		return
	}
	p.understood(n)
}

// finishClients completes the transfers stated in several lines.
func (p *parser) finishClients() {
	s := &p.clients
	if s.logFTP > 0 {
		// "By default, the FTP server is not sent the buffer when it wraps" (ASA command reference, logging
		// ftp-bufferwrap).
		v := s.bufferWrap
		if v.Origin == facts.Unknown {
			v = facts.Assume(false)
		}
		p.d.Clients[s.logFTP-1].Enabled = v
		p.d.Clients[s.logFTP-1].Automatic = facts.On(v)
	}
	for _, i := range s.autoUpdate {
		if s.pollPeriod > 0 {
			p.d.Clients[i].Period = s.pollPeriod
		}
	}
}

// event reads "event manager applet NAME": the ASA runs commands on a timer, a message or a crash.
func (p *parser) event(n int32) {
	if !p.is(1, "manager") || p.negated {
		p.unknownBelow(n)
		return
	}
	p.understood(n)
	name := "event manager applet " + p.str(p.word(3))
	first := len(p.d.Clients)
	var automatic bool
	var period time.Duration
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "event":
			automatic = automatic || !p.is(1, "none")
			if every := p.eventPeriod(); every > 0 {
				period = every
			}
			p.understood(c)
		case "action":
			p.appletAction(n, c, name)
		case "output": // where the output of the commands is kept: a file on flash, or the console
			p.understood(c)
		default:
			p.irrelevant(c)
		}
	})
	for i := first; i < len(p.d.Clients); i++ {
		p.d.Clients[i].Automatic, p.d.Clients[i].Period = automatic, period
	}
}

// eventPeriod reads "event timer watchdog time SECONDS" and "event timer absolute time hh:mm:ss", which fires once a day
// (ASA command reference, event timer).
func (p *parser) eventPeriod() time.Duration {
	if !p.is(1, "timer") {
		return 0
	}
	switch string(p.word(2)) {
	case "watchdog":
		if s, ok := number(p.word(4)); ok {
			return time.Duration(s) * time.Second
		}
	case "absolute":
		return 24 * time.Hour
	}
	return 0
}

// appletAction reads `action N cli command "COMMAND"`.
func (p *parser) appletAction(applet, n int32, name string) {
	if !p.is(2, "cli") || !p.is(3, "command") || len(p.w) < 5 {
		return
	}
	text := p.text(n, 4)
	off := int64(p.w[4].Off)
	if len(text) > 0 && text[0] == '"' {
		text, off = text[1:], off+1
		if i := bytes.LastIndexByte(text, '"'); i >= 0 {
			text = text[:i]
		}
	}
	for _, s := range copycmd.Secrets(nil, text) {
		if s.Kind != facts.SecretURL {
			p.rawSecret(off+int64(s.Start), text[s.Start:s.End], s.Kind, s.Storage, s.Name)
		}
	}
	p.understood(n)
	cp, ok := copycmd.Parse(text)
	if !ok {
		return
	}
	c := facts.Client{
		Use: "event", Name: name, Protocol: cp.Protocol, URL: strings.Clone(cp.URL), Host: strings.Clone(cp.Host), Addr: cp.Addr, Scope: p.scope,
		Span: p.span(n), Enabled: facts.Say(true, p.span(applet)),
		Password: facts.V[bool]{Origin: facts.Explicit, Span: p.span(n)},
	}
	if u, ok := copycmd.ParseURL([]byte(cp.URL)); ok {
		c.Path = u.Path
	}
	if start, end, ok := urlIn(text); ok {
		c.Password = facts.Say(true, p.span(n))
		if i := bytes.LastIndex(text[:start], []byte("//")); i >= 0 {
			c.User = string(text[i+2 : start-1])
		}
		if len(bytes.Trim(text[start:end], "*")) == 0 {
			c.Password = facts.Hidden[bool](p.span(n))
		}
	}
	p.d.Clients = append(p.d.Clients, c)
}

// dhcpd reads the DHCP server's options that name TFTP servers: 66 a name, 150 a list of addresses (RFC 2132, RFC 5859).
func (p *parser) dhcpd(n int32) {
	if !p.is(1, "option") || !p.is(2, "66") && !p.is(2, "150") || p.negated {
		p.irrelevant(n) // pools, leases and other options
		return
	}
	for i := 4; i < len(p.w) && !p.is(i, "interface"); i++ {
		host := bytes.Trim(p.word(i), `"`)
		c := facts.Client{
			Use: "dhcp-option", Name: "dhcpd option " + p.str(p.word(2)), Protocol: facts.TFTP, Host: string(host), Scope: p.scope,
			Span: p.span(n), Enabled: facts.Say(true, p.span(n)),
			Password: facts.V[bool]{Origin: facts.Explicit, Span: p.span(n)},
		}
		c.Addr, _ = p.address(host)
		p.d.Clients = append(p.d.Clients, c)
	}
	p.understood(n)
}

// crypto reads the crypto statements; only trustpoints fetch anything.
func (p *parser) crypto(n int32) {
	if !p.is(1, "ca") || p.negated {
		p.irrelevant(n) // VPN parameters
		return
	}
	switch string(p.word(2)) {
	case "trustpoint":
		p.understood(n)
		p.children(n, p.trustpoint)
	case "server": // the local certificate authority: "database path MOUNT DIRECTORY" names a mount
		p.understood(n)
		p.children(n, func(c int32) {
			if p.is(0, "database") {
				p.understood(c)
				return
			}
			p.irrelevant(c)
		})
	default:
		p.irrelevant(n) // certificates, their maps and pools
	}
}

func (p *parser) trustpoint(c int32) {
	switch {
	case p.is(0, "enrollment") && p.is(1, "url"):
		p.pki(c, 2, "crypto ca trustpoint enrollment url")
	case p.is(0, "crl"):
		p.understood(c)
		p.children(c, func(u int32) {
			if p.is(0, "url") {
				p.pki(u, 2, "crl url")
				return
			}
			p.irrelevant(u)
		})
	case p.is(0, "password") && len(p.w) > 1:
		p.secret(1, facts.SecretOther, "crypto ca trustpoint password", "")
		p.understood(c)
	default:
		p.irrelevant(c)
	}
}

// pki states the client of an enrolment or revocation URL at word i.
func (p *parser) pki(n int32, i int, name string) {
	p.understood(n)
	c := facts.Client{Use: "pki", Name: name, Scope: p.scope, Span: p.span(n), Automatic: true, Enabled: facts.Say(true, p.span(n))}
	if !p.negated && p.url(&c, i) { // ldap:// is no file transfer
		p.d.Clients = append(p.d.Clients, c)
	}
}
