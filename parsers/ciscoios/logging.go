package ciscoios

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// logState is what logging is made of that needs the whole file.
type logState struct {
	on         facts.V[bool]
	notify     facts.V[bool] // archive log config: notify syslog
	archiveLog facts.V[bool] // archive log config: logging enable
	accounting facts.V[bool]
	sequence   facts.V[bool]

	stamps    facts.V[bool] // service timestamps log
	hideKeys  facts.V[bool]
	loginFail facts.V[bool] // login on-failure log
	loginDone facts.V[bool] // login on-success log
	ntpAuth   facts.V[bool]
	ntpPlain  mark // a time source without a key
	drops     map[string]string
	dropsUsed []string

	samplers    map[string]sampling
	samplersFor []samplerUse

	// Flexible NetFlow needs an exporter with a destination, a monitor that names it, and an interface that uses the
	// monitor; the older one a destination and an interface.
	exporters map[string]*facts.FlowHost
	monitors  map[string][]string
	used      map[string]evidence.Span
	legacy    mark
	flowHere  bool // the interface being read measures flows
	flowOn    bool
}

// logging reads the "logging" statements.
func (p *parser) logging(n int32) {
	span := p.span(n)
	switch w := string(p.word(1)); w {
	case "host":
		p.ok(n)
		if !p.negated {
			p.logHost(2, span)
		}
	case "server-group", "server": // other spellings of forks
		p.skip(n)
	case "discriminator":
		p.ok(n)
		p.discriminator(n)
	case "on":
		p.log.on = facts.Say(!p.negated, span)
		p.ok(n)
	case "trap":
		p.ok(n)
		switch {
		case p.negated:
			p.d.Logging.Severity = facts.Say("none", span)
		case p.word(2) != nil:
			p.d.Logging.Severity = facts.Say(severityName(p.word(2)), span)
		default:
			p.d.Logging.Severity = facts.Say("informational", span)
		}
	case "persistent", "filter":
		if w == "filter" && !p.negated && p.word(2) != nil { // a Tcl script that each message passes
			p.script("logging filter", 2, span)
			p.ok(n)
		}
		if l, ok := p.findLink(2); ok && !p.negated {
			p.ok(n)
			use := "log-upload"
			if w == "filter" {
				use = "script"
			}
			p.d.Clients[p.client(use, "logging "+w, l, span)].Automatic = true
			return
		}
		p.skip(n)
	case "buffered", "source-interface", "origin-id", "rate-limit", "userinfo", "facility":
		p.ok(n)
	default:
		if _, ok := field.Addr(p.word(1)); ok {
			p.ok(n)
			if !p.negated {
				p.logHost(1, span)
			}
			return
		}
		p.skip(n)
	}
}

// severityName is the name of a level given by number (RFC 5424, 6.2.1).
func severityName(w []byte) string {
	names := [...]string{"emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational", "debugging"}
	if n, ok := number(w); ok && n < len(names) {
		return names[n]
	}
	return string(w)
}

// logHost reads "[ipv6] HOST [vrf V] [transport udp|tcp|tls [profile P] [port N]] ..." from word i on.
func (p *parser) logHost(i int, span evidence.Span) {
	if p.is(i, "ipv6") {
		i++
	}
	h := facts.LogHost{Host: p.str(p.word(i)), Span: span}
	if h.Host == "" {
		return
	}
	h.Addr, _ = field.Addr(p.word(i))
	for i++; i < len(p.w); i++ {
		switch string(p.word(i)) {
		case "vrf":
			i++
			h.Scope = p.str(p.word(i))
		case "transport":
			i++
			h.Transport = p.str(p.word(i))
		case "port":
			i++
			if port, ok := field.Port(p.word(i)); ok {
				h.Port = port
			}
		case "audit": // audit records only
			h.Severity = "audit"
		case "discriminator":
			i++
			p.log.dropsUsed = append(p.log.dropsUsed, p.str(p.word(i)))
		}
	}
	p.d.Logging.Hosts = append(p.d.Logging.Hosts, h)
}

// changeLog reads "log config" below "archive": "logging enable" keeps each changed line, "notify syslog" sends it.
func (p *parser) changeLog(n int32) {
	p.children(n, func(c int32) {
		p.ok(c)
		switch string(p.word(0)) {
		case "logging":
			if p.is(1, "enable") {
				p.log.archiveLog = facts.Say(!p.negated, p.span(c))
			}
		case "notify":
			if p.is(1, "syslog") {
				p.log.notify = facts.Say(!p.negated, p.span(c))
			}
		case "hidekeys":
			p.log.hideKeys = facts.Say(!p.negated, p.span(c))
		case "record", "exit":
		default:
			p.t.Mark(c, facts.Unrecognised)
		}
	})
}

// accounting reads "aaa accounting commands LEVEL LIST start-stop|stop-only ... group G" and its form as a block.
func (p *parser) accounting(n int32) {
	p.okBlock(n)
	if !p.is(2, "commands") || p.negated {
		return
	}
	sends := p.has(4, "group") > 0 || p.has(4, "tacacs+") > 0
	none := p.has(5, "none") > 0
	span := p.span(n)
	p.children(n, func(c int32) {
		p.ok(c)
		sends = sends || p.is(0, "group")
		none = none || p.is(1, "none")
	})
	if sends && !none {
		p.log.accounting = facts.Say(true, span)
	}
}

// ntp reads "ntp server|peer [vrf V] HOST ...".
func (p *parser) ntp(n int32) {
	switch string(p.word(1)) {
	case "server", "peer":
		p.ok(n)
		i := 2
		if p.is(i, "vrf") {
			i += 2
		}
		if p.is(i, "ip") || p.is(i, "ipv6") {
			i++
		}
		if !p.negated && p.word(i) != nil {
			p.d.Logging.NTP = append(p.d.Logging.NTP, p.str(p.word(i)))
			if p.has(i+1, "key") < 0 {
				p.log.ntpPlain = mark{p.span(n)}
			}
		}
	case "authenticate":
		p.ok(n)
		p.log.ntpAuth = facts.Say(!p.negated, p.span(n))
	case "access-group":
		p.ok(n)
		if !p.negated { // ntp access-group [ipv4|ipv6] peer|query-only|serve|serve-only LIST [kod]
			i := 3
			if p.is(2, "ipv4") || p.is(2, "ipv6") {
				i++
			}
			p.refer(p.word(i), "ntp access-group", n)
		}
	default:
		p.skip(n)
	}
}

// finishLogging states what leaves the device.
func (p *parser) finishLogging() {
	l := &p.d.Logging
	whole := p.whole()
	// "logging on" is the default and not printed (Network management command reference, logging on).
	l.Enabled = p.log.on
	if l.Enabled.Origin == facts.Unknown && (whole || len(l.Hosts) > 0) {
		l.Enabled = facts.Assume(true)
	}
	switch {
	case len(l.Hosts) > 0 && !facts.Off(l.Enabled):
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	case facts.Off(l.Enabled):
		l.Remote = facts.Say(false, l.Enabled.Span) // no destination but the console gets anything
	case whole:
		l.Remote = facts.Assume(false)
	}
	if l.Severity.Origin == facts.Unknown && len(l.Hosts) > 0 {
		l.Severity = facts.Assume("informational") // the default of "logging trap"
	}
	l.CommandAccounting = p.log.accounting
	if whole && l.CommandAccounting.Origin == facts.Unknown {
		l.CommandAccounting = facts.Assume(false)
	}
	l.ConfigChanges = p.log.notify
	switch {
	case facts.On(p.log.notify) && facts.Off(p.log.archiveLog):
		l.ConfigChanges = p.log.archiveLog
	case facts.On(p.log.notify) && p.log.archiveLog.Origin == facts.Unknown:
		l.ConfigChanges = facts.Assume(false) // nothing is logged before "logging enable"
	case l.ConfigChanges.Origin == facts.Unknown && whole:
		l.ConfigChanges = facts.Assume(false)
	}
	l.Sequence = p.log.sequence
	if l.Sequence.Origin == facts.Unknown && whole {
		l.Sequence = facts.Assume(false)
	}
	p.finishFlow(whole)
	p.finishMessages(whole)
}

// vlanFlow reads "vlan configuration N" and other blocks that a flow monitor may be applied in.
func (p *parser) vlanFlow(n int32) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		p.read(c)
		if (p.is(0, "ip") || p.is(0, "ipv6") || p.is(0, "datalink")) && p.is(1, "flow") && p.is(2, "monitor") && !p.negated {
			p.ok(c)
			p.useMonitor(p.str(p.word(3)), p.span(c))
		}
	}
	p.t.Mark(n, facts.Irrelevant)
	p.skipBelow(n)
}
