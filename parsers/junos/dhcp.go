package junos

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

func clone(s string) string { return strings.Clone(s) }

// fields splits b at blanks.
func fields(b []byte) [][]byte {
	var out [][]byte
	for start := -1; ; {
		i := 0
		if start >= 0 {
			i = start
		}
		for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '"') {
			i++
		}
		if i >= len(b) {
			return out
		}
		end := i
		for end < len(b) && b[end] != ' ' && b[end] != '\t' && b[end] != '"' {
			end++
		}
		out = append(out, b[i:end])
		start = end
	}
}

// dhcp reads "system services dhcp" (the older server, with pools in it) and its like.
func (p *parser) dhcp(n int32) {
	p.okAll(n)
	p.bootOptions(n, "system services "+p.text(n))
}

// access reads "access": address pools with the DHCP attributes handed out.
func (p *parser) access(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "address-assignment") {
			p.other("access", c)
			continue
		}
		p.okAll(c)
		p.bootOptions(c, "access address-assignment")
	}
}

// bootOptions adds the servers that DHCP tells clients to load files from: boot-server and next-server, tftp-server, options
// 66 (TFTP server name, RFC 2132 9.4) and 150 (TFTP server addresses, RFC 5859).
func (p *parser) bootOptions(n int32, name string) {
	p.eachBelow(n, func(k int32) {
		switch string(p.bytes(k)) {
		case "boot-server", "next-server", "tftp-server", "server-identifier-boot":
			for v := p.first(k); v != none; v = p.next(v) {
				p.bootServer(v, k, name+" "+p.text(k))
			}
		case "option":
			for _, code := range [...]string{"66", "150"} {
				o := p.kid(k, code)
				if o == none {
					continue
				}
				p.eachBelow(o, func(v int32) {
					switch string(p.bytes(v)) {
					case "string", "ip-address", "array", "hex-string":
					default:
						p.bootServer(v, v, name+" option "+code)
					}
				})
			}
		}
	})
}

func (p *parser) bootServer(v, at int32, name string) {
	c := facts.Client{
		Use: "dhcp-option", Name: name, Protocol: facts.TFTP, Host: p.text(v), Enabled: facts.Say(true, p.span(v)),
		Automatic: true, Scope: p.scope, Span: p.span(v),
	}
	if a, ok := addr(p.bytes(v)); ok {
		c.Addr = a
	}
	if u, ok := parseURL(p.bytes(v)); ok {
		c.Protocol, c.URL, c.Host, c.Addr, c.Path, c.User = u.protocol, u.text, u.host, u.addr, u.path, u.user
	}
	if pool := p.t.Nodes[at].Parent; pool >= 0 {
		if file := p.kid(pool, "boot-file"); file != none && c.Path == "" {
			if f := p.value(file); f != none {
				c.Path = p.text(f)
			}
		}
	}
	p.d.Clients = append(p.d.Clients, c)
}

// logging destinations

// syslog reads "system syslog".
func (p *parser) syslog(n int32) {
	p.ok(n)
	scope := p.leaf(n, "routing-instance")
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "host":
			p.okAll(c)
			for h := p.first(c); h != none; h = p.next(h) {
				p.syslogHost(h, scope)
			}
		case "archive":
			p.okAll(c)
			p.upload(c, "system syslog archive")
		case "file":
			p.okAll(c)
			for f := p.first(c); f != none; f = p.next(f) {
				p.upload(p.kid(f, "archive"), "system syslog file "+p.text(f)+" archive")
			}
		case "source-address", "time-format", "routing-instance", "user", "console", "log-rotate-frequency", "server",
			"allow-duplicates", "facility-override", "match":
			p.okAll(c)
		default:
			p.other("system syslog", c)
		}
	}
}

// syslogHost reads one remote destination.
func (p *parser) syslogHost(h int32, scope string) {
	at := p.span(h)
	host := facts.LogHost{Host: p.text(h), Scope: p.scope, Span: at}
	host.Addr, _ = addr(p.bytes(h))
	if scope != "" {
		host.Scope = scope
	}
	for c := p.first(h); c != none; c = p.next(c) {
		v := p.value(c)
		if v == none {
			continue
		}
		level := string(p.bytes(v))
		switch word := string(p.bytes(c)); word {
		case "port":
			host.Port = port(level)
		case "transport":
			host.Transport = p.text(v)
		case "routing-instance":
			host.Scope = p.text(v)
		case "source-address", "match", "log-prefix", "facility-override", "structured-data", "exclude-hostname",
			"explicit-priority", "allow-duplicates", "tlsdetails", "match-strings", "source-interface":
		default:
			if host.Severity == "" || word == "any" {
				host.Severity = p.text(v)
			}
			// mgd logs commands as interactive-commands.info and changes as change-log.notice ("System Log Explorer",
			// UI_CMDLINE_READ_LINE, UI_CFG_AUDIT_SET).
			if (word == "interactive-commands" || word == "any") && (level == "any" || level == "info" || level == "debug") {
				p.d.Logging.CommandAccounting = facts.Say(true, p.span(v))
			}
			if (word == "change-log" || word == "any") && (level == "any" || level == "info" || level == "notice" || level == "debug") {
				p.d.Logging.ConfigChanges = facts.Say(true, p.span(v))
			}
		}
	}
	p.d.Logging.Hosts = append(p.d.Logging.Hosts, host)
	p.d.Logging.Remote = facts.Say(true, at)
}

// commandAccounting reads "system accounting": events sent to TACACS+ or RADIUS.
func (p *parser) commandAccounting(n int32) {
	p.okAll(n)
	dest := p.kid(n, "destination")
	if dest == none || p.kid(dest, "tacplus") == none && p.kid(dest, "radius") == none {
		return
	}
	events := p.kid(n, "events")
	if k := p.kid(events, "interactive-commands"); k != none {
		p.d.Logging.CommandAccounting = facts.Say(true, p.span(k))
	}
	if k := p.kid(events, "change-log"); k != none {
		p.d.Logging.ConfigChanges = facts.Say(true, p.span(k))
	}
}

func (p *parser) ntp(n int32) {
	p.okAll(n)
	for _, word := range [...]string{"server", "peer"} {
		k := p.kid(n, word)
		for c := p.first(k); c != none; c = p.next(c) {
			p.d.Logging.NTP = append(p.d.Logging.NTP, p.text(c))
		}
	}
}

// loggingDefaults states what a whole configuration leaves out.
func (p *parser) loggingDefaults() {
	l := &p.d.Logging
	if !p.whole {
		return
	}
	// Nothing leaves the device unless a host is configured ("Junos OS Default System Log Settings", Network Management
	// and Monitoring Guide: messages go to local files).
	for _, v := range [...]*facts.V[bool]{&l.Remote, &l.CommandAccounting, &l.ConfigChanges, &l.FlowExport} {
		if v.Origin == facts.Unknown {
			*v = facts.Assume(false)
		}
	}
}

// flowTo states that flow records leave the device, by statement n.
func (p *parser) flowTo(n int32) {
	if p.d.Logging.FlowExport.Origin == facts.Unknown {
		p.d.Logging.FlowExport = facts.Say(true, p.span(n))
	}
}

// forwardingOptions reads "forwarding-options": sampling with its flow servers, relays, filters.
func (p *parser) forwardingOptions(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "sampling":
			p.okAll(c)
			p.eachBelow(c, func(k int32) {
				if (p.is(k, "flow-server") || p.is(k, "cflowd")) && p.first(k) != none {
					p.flowTo(p.first(k))
				}
			})
		case "family":
			p.forwardingFilters(c, "")
		default:
			p.other("forwarding-options", c)
		}
	}
}

// sflow reads "protocols sflow".
func (p *parser) sflow(n int32) {
	if n == none {
		return
	}
	p.okAll(n)
	if c := p.first(p.kid(n, "collector")); c != none {
		p.flowTo(c)
	}
}

// serviceSets reads "services": the flow collector of monitoring cards sends files by FTP; security intelligence and the
// like fetch lists.
func (p *parser) serviceSets(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		switch string(p.bytes(c)) {
		case "flow-collector":
			p.okAll(c)
			p.urls(p.kid(c, "destinations"), "log-upload", "services flow-collector destinations", true)
		case "security-intelligence", "advanced-anti-malware":
			p.urls(c, "settings", "services "+p.text(c), true)
		default:
			p.other("services", c)
		}
	}
}

var _ netip.Addr
