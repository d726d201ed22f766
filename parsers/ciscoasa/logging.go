package ciscoasa

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// logState gathers what decides which messages leave the device.
type logState struct {
	enabled    facts.V[bool]
	hosts      []facts.LogHost
	trap       facts.V[string]
	level      int            // of trap when it is a severity, else -1
	lists      map[string]int // logging list: the highest severity sent whatever the class
	suppressed []string
	raised     []raisedMessage
	typed      evidence.Span // the last statement about message 111008
	accounting facts.V[bool]
	exportTo   evidence.Span // flow-export destination
	ntp        []string
	applied    []appliedPolicy
}

// A raisedMessage is "logging message ID level L".
type raisedMessage struct {
	id    string
	level int
}

// A policyMap is what a policy-map does to the traffic of its classes, as far as it matters here.
type policyMap struct {
	inspects []string
	export   evidence.Span // flow-export event-type ... destination; zero when none
}

// maxInspects bounds the inspections of a policy; the ASA knows some forty.
const maxInspects = 64

func (m *policyMap) inspect(name string) {
	if name != "" && len(m.inspects) < maxInspects && !slices.Contains(m.inspects, name) {
		m.inspects = append(m.inspects, name)
	}
}

// An appliedPolicy is one service-policy statement.
type appliedPolicy struct {
	name  string
	where string // interface alias; empty is global
}

// logging reads the logging statements.
func (p *parser) logging(n int32) {
	l := &p.log
	switch string(p.word(1)) {
	case "enable", "on": // "logging on" is PIX
		l.enabled = facts.Say(!p.negated, p.span(n))
	case "host":
		if p.negated || !p.logHost(n) {
			return
		}
	case "trap":
		if p.negated {
			l.trap = facts.Say(trapOff, p.span(n))
			break
		}
		p.logTrap(n)
	case "message":
		p.logMessage(n)
	case "ftp-server":
		p.logFTP(n)
		return
	case "ftp-bufferwrap":
		p.clients.bufferWrap = facts.Say(!p.negated, p.span(n))
	case "list": // logging list NAME level SEVERITY [class CLASS]; logging list NAME message ID[-ID]
		if level, _, ok := severityLevel(p.word(4)); ok && p.is(3, "level") && p.ends(5) && !p.negated {
			if have, known := l.lists[string(p.word(2))]; !known || level > have {
				l.lists[p.str(p.word(2))] = level
			}
		}
	case "class": // logging class CLASS DESTINATION SEVERITY: another severity for some messages
	case "timestamp", "standby", "buffer-size", "buffered", "asdm", "asdm-buffer-size", "facility", "queue", "device-id", "console",
		"monitor", "mail", "from-address", "recipient-address", "history", "permit-hostdown", "flash-bufferwrap",
		"flash-maximum-allocation", "flash-minimum-free", "emblem", "debug-trace", "rate-limit", "hide", "flow-export-syslogs",
		"savelog", "test-message":
		p.irrelevant(n) // local copies, mail and the form of messages
		return
	default:
		p.unknownBelow(n)
		return
	}
	p.understood(n)
}

// trapOff is Logging.Severity when nothing is sent to the hosts: "By default, no syslog messages are sent" (ASA command
// reference, logging trap: "No default syslog message trap is defined").
const trapOff = "disabled"

// logTrap reads "logging trap SEVERITY" and "logging trap LIST".
func (p *parser) logTrap(n int32) {
	if level, name, ok := severityLevel(p.word(2)); ok {
		p.log.trap, p.log.level = facts.Say(name, p.span(n)), level
		return
	}
	if len(p.w) > 2 {
		p.log.trap, p.log.level = facts.Say(trapList+p.str(p.word(2)), p.span(n)), -1
	}
}

// trapList begins Logging.Severity when a list of messages is sent that no severity describes.
const trapList = "list "

// resolveTrap replaces a list by its severity when it has one for all classes.
func (p *parser) resolveTrap() {
	l := &p.log
	name, ok := strings.CutPrefix(l.trap.Val, trapList)
	if level, known := l.lists[name]; ok && known {
		_, l.trap.Val, _ = severityLevel([]byte{byte('0' + level)})
		l.level = level
	}
}

// logHost reads "logging host IF ADDRESS [tcp|udp|6|17[/PORT]] [format emblem] [secure]".
func (p *parser) logHost(n int32) bool {
	h := facts.LogHost{Host: p.str(p.word(3)), Scope: p.scope, Transport: "udp", Port: 514, Span: p.span(n)}
	if h.Host == "" {
		return false
	}
	h.Addr, _ = p.address(p.word(3))
	for i := 4; i < len(p.w); i++ {
		proto, port, found := bytes.Cut(p.word(i), []byte("/"))
		switch string(proto) {
		case "tcp", "6":
			h.Transport, h.Port = "tcp", 1470 // the ASA's default for TCP (ASA command reference, logging host)
		case "udp", "17":
		case "secure":
			h.Transport = "tls"
		case "format", "emblem", "reference-identity":
		default:
			continue
		}
		if v, ok := number(port); found && ok && v <= 65535 {
			h.Port = uint16(v)
		}
	}
	p.log.hosts = append(p.log.hosts, h)
	return true
}

// logMessage reads "no logging message ID" and "logging message ID level L".
func (p *parser) logMessage(n int32) {
	id := p.str(p.word(2))
	if id == typedMessage {
		p.log.typed = p.span(n)
	}
	switch {
	case id == "":
	case p.negated:
		p.log.suppressed = append(p.log.suppressed, id)
	case p.is(3, "level"):
		if level, _, ok := severityLevel(p.word(4)); ok {
			p.log.raised = append(p.log.raised, raisedMessage{id, level})
		}
	}
}

// flowExport reads "flow-export destination IF ADDRESS PORT".
func (p *parser) flowExport(n int32) {
	if p.is(1, "destination") && !p.negated {
		p.log.exportTo = p.span(n)
		p.understood(n)
		return
	}
	p.irrelevant(n) // delays and templates
}

// policyMap reads a policy-map.
func (p *parser) policyMap(n int32) {
	if p.negated {
		p.unknownBelow(n)
		return
	}
	if p.is(1, "type") {
		if p.is(3, "ftp") || p.is(3, "netbios") {
			why := "inspection of " + p.str(p.word(3)) + " that may refuse requests"
			p.unsupported(n, why)
			for c := range p.below(n) {
				p.unsupported(c, why)
			}
			return
		}
		p.irrelevant(n) // inspections of other protocols
		return
	}
	m := p.policies[string(p.word(1))]
	if m == nil {
		m = &policyMap{}
		p.policies[p.str(p.word(1))] = m
	}
	p.understood(n)
	p.children(n, func(c int32) {
		if !p.is(0, "class") {
			p.irrelevant(c)
			return
		}
		p.understood(c)
		p.children(c, func(s int32) {
			switch {
			case p.is(0, "inspect") && !p.negated:
				m.inspect(p.str(p.word(1)))
				p.understood(s)
			case p.is(0, "flow-export") && !p.negated:
				for i := range p.w {
					if p.is(i, "destination") {
						m.export = p.span(s)
					}
				}
				p.understood(s)
			default:
				p.irrelevant(s) // limits, policing, modules
			}
		})
	})
}

// fixup reads "fixup protocol NAME ..." (PIX 6): an inspection on every interface.
func (p *parser) fixup(n int32) {
	p.understood(n)
	if p.negated || !p.is(1, "protocol") || len(p.w) < 3 {
		return
	}
	const name = "fixup protocol"
	m := p.policies[name]
	if m == nil {
		m = &policyMap{}
		p.policies[name] = m
		p.log.applied = append(p.log.applied, appliedPolicy{name: name})
	}
	m.inspect(p.str(p.word(2)))
}

// below yields the statements under n, at any depth, comments left out.
func (p *parser) below(n int32) func(yield func(int32) bool) {
	return func(yield func(int32) bool) {
		// Nodes are in reading order: the descendants of n follow it, up to the first node whose parent precedes n.
		for c := n + 1; int(c) < len(p.t.Nodes); c++ {
			switch node := &p.t.Nodes[c]; {
			case node.Flags&tree.Comment != 0:
			case node.Parent < n || !yield(c):
				return
			}
		}
	}
}

// servicePolicy reads "service-policy NAME global|interface IF".
func (p *parser) servicePolicy(n int32) {
	if p.negated || len(p.w) < 3 {
		return
	}
	a := appliedPolicy{name: p.str(p.word(1))}
	if p.is(2, "interface") {
		a.where = p.str(p.word(3))
	}
	p.log.applied = append(p.log.applied, a)
	p.understood(n)
}

// ntp reads the ntp statements.
func (p *parser) ntp(n int32) {
	switch {
	case p.is(1, "server") && !p.negated && len(p.w) > 2:
		p.log.ntp = append(p.log.ntp, p.str(p.word(2)))
		p.understood(n)
	case p.is(1, "authentication-key") && len(p.w) > 4: // ntp authentication-key N md5|cmac|sha1 [0|8] KEY
		p.secret(4, facts.SecretKey, "ntp authentication-key", "")
		p.understood(n)
	default:
		p.irrelevant(n)
	}
}

// aaa reads the aaa statements; only the accounting of commands says whether they leave the device.
func (p *parser) aaa(n int32) {
	if p.is(1, "accounting") && p.is(2, "command") {
		p.log.accounting = facts.Say(!p.negated, p.span(n))
		p.understood(n)
		return
	}
	p.irrelevant(n) // who may log in; user authentication of traffic only ever refuses
}

// finishLogging states the device's logging. Every space adds; what spaces state differently is left to the last.
func (p *parser) finishLogging() {
	p.resolveTrap()
	l, out := &p.log, &p.d.Logging
	if p.whole {
		// ASA command reference: logging enable "Logging is disabled by default"; aaa accounting command and flow-export
		// have no default server or collector.
		l.enabled = orDefault(l.enabled, false)
		l.accounting = orDefault(l.accounting, false)
		if l.trap.Origin == facts.Unknown {
			l.trap = facts.Assume(trapOff)
		}
	}
	out.Enabled = pick(out.Enabled, l.enabled)
	out.CommandAccounting = pick(out.CommandAccounting, l.accounting)
	out.Severity = pick(out.Severity, l.trap)
	for i := range l.hosts {
		l.hosts[i].Severity = l.trap.Val
	}
	out.Hosts = append(out.Hosts, l.hosts...)
	out.NTP = append(out.NTP, l.ntp...)
	remote := facts.V[bool]{}
	switch {
	case len(l.hosts) > 0:
		remote = facts.Say(true, l.hosts[0].Span)
	case p.whole:
		remote = facts.Assume(false)
	}
	out.Remote = pick(out.Remote, remote)
	p.finishExport()
	p.finishSuppressed()
}

// typedMessage names every command typed and is sent at level 5 (ASA syslog messages guide, 111008): it tells of changes of
// the configuration.
const (
	typedMessage = "111008"
	typedLevel   = 5
)

// finishSuppressed states the messages that are switched off, or moved to a severity the trap leaves out, and whether
// changes of the configuration are told.
func (p *parser) finishSuppressed() {
	l, out := &p.log, &p.d.Logging
	numeric := l.trap.Known() && l.level >= 0 && l.trap.Val != trapOff
	level := typedLevel
	for _, r := range l.raised {
		if r.id == typedMessage {
			level = r.level
		}
		if numeric && r.level > l.level {
			l.suppressed = append(l.suppressed, r.id)
		}
	}
	out.Suppressed = append(out.Suppressed, l.suppressed...)
	switch {
	case slices.Contains(l.suppressed, typedMessage):
		out.ConfigChanges = pick(out.ConfigChanges, facts.Say(false, l.typed))
	case l.trap.Val == trapOff:
		out.ConfigChanges = pick(out.ConfigChanges, facts.V[bool]{Origin: l.trap.Origin, Span: l.trap.Span})
	case numeric:
		out.ConfigChanges = pick(out.ConfigChanges, facts.V[bool]{Val: level <= l.level, Origin: facts.Default, Span: l.trap.Span})
	}
}

// finishExport states flow export: a destination, and a policy in force that sends events to it.
func (p *parser) finishExport() {
	l, out := &p.log, &p.d.Logging
	var export evidence.Span
	at := map[string]*policyMap{} // what is applied, by interface; "" everywhere
	for _, a := range l.applied {
		m := p.policies[a.name]
		if m == nil {
			continue
		}
		if !m.export.IsZero() {
			export = m.export
		}
		if at[a.where] == nil {
			at[a.where] = &policyMap{}
		}
		for _, name := range m.inspects {
			at[a.where].inspect(name)
		}
	}
	for i := p.firstIface; i < len(p.d.Interfaces); i++ {
		ifc := &p.d.Interfaces[i]
		for _, where := range [...]string{"", ifc.Alias} {
			if m := at[where]; m != nil && ifc.Alias != "" {
				ifc.Inspect = append(ifc.Inspect, m.inspects...)
			}
		}
	}
	v := facts.V[bool]{}
	switch {
	case !l.exportTo.IsZero() && !export.IsZero():
		v = facts.Say(true, l.exportTo)
	case !l.exportTo.IsZero() && p.whole: // a collector, and no class that sends to it
		v = facts.Say(false, l.exportTo)
	case p.whole:
		v = facts.Assume(false)
	}
	out.FlowExport = pick(out.FlowExport, v)
}

func orDefault[T any](v facts.V[T], val T) facts.V[T] {
	if v.Origin == facts.Unknown {
		return facts.Assume(val)
	}
	return v
}

// pick is b unless a is known better.
func pick[T any](a, b facts.V[T]) facts.V[T] {
	if a.Origin > b.Origin {
		return a
	}
	return b
}
