package junos

import "github.com/quaymaster/quaymaster/facts"

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
