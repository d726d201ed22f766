package ciscoasa

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// The ways to manage an ASA. Each may be used only from the sources its statements name, per interface: "ssh 10.0.0.0
// 255.0.0.0 inside". No statement, no access (ASA general operations CLI configuration guide, Management Access: "To
// access the ASA interface for SSH access, you do not also need an access rule allowing the host IP address").
const (
	manageSSH = iota
	manageTelnet
	manageHTTP
	manageCount
)

// management is what one way of management admits.
type management struct {
	sources []source
	enabled facts.V[bool] // ssh scopy enable; http server enable
	port    uint16
}

// A source is one statement: who may connect on which interface.
type source struct {
	from  facts.AddrItem
	where string // interface alias
	span  evidence.Span
}

// manageLine reads a source statement of way from word 1 and reports whether it is one.
func (p *parser) manageLine(n int32, way int) bool {
	var item facts.AddrItem
	next, ok := p.netItem(&item, 1)
	if !ok || p.negated {
		return false
	}
	item.Span = p.span(n)
	p.manage[way].sources = append(p.manage[way].sources, source{item, p.str(p.word(next)), p.span(n)})
	p.understood(n)
	return true
}

// ssh reads the ssh statements.
func (p *parser) ssh(n int32) {
	switch {
	case p.is(1, "scopy"):
		p.manage[manageSSH].enabled = facts.Say(!p.negated, p.span(n))
		p.understood(n)
	case p.manageLine(n, manageSSH):
	case len(p.w) > 1:
		switch string(p.word(1)) {
		case "timeout", "version", "key-exchange", "stricthostkeycheck", "cipher", "pubkey-chain", "stack", "disconnect", "authentication":
			p.irrelevant(n) // how sessions are set up, not from where
		default:
			p.unknownBelow(n)
		}
	}
}

// telnet reads the telnet statements.
func (p *parser) telnet(n int32) {
	if p.is(1, "timeout") {
		p.irrelevant(n)
		return
	}
	p.manageLine(n, manageTelnet)
}

// http reads the http statements: ASDM and its server.
func (p *parser) http(n int32) {
	m := &p.manage[manageHTTP]
	switch {
	case p.is(1, "server") && p.is(2, "enable"):
		m.enabled = facts.Say(!p.negated, p.span(n))
		if port, ok := number(p.word(3)); ok && port <= 65535 {
			m.port = uint16(port)
		}
		p.understood(n)
	case p.is(1, "server"), p.is(1, "redirect"), p.is(1, "authentication-certificate"), p.is(1, "username-from-certificate"):
		p.irrelevant(n)
	default:
		p.manageLine(n, manageHTTP)
	}
}

// management states the services and bindings of the device's own plane. Each interface's sources become one synthetic
// filter, "ssh inside"; the binding of a way chains those of all interfaces, each leaving undecided what it does not
// admit, so that the chain admits what any of them does.
func (p *parser) management() {
	ssh, telnet, http := &p.manage[manageSSH], &p.manage[manageTelnet], &p.manage[manageHTTP]
	// "The secure copy server is disabled by default"; "The HTTP server is disabled" (ASA command reference, ssh scopy
	// enable, http server enable).
	if p.whole {
		if ssh.enabled.Origin == facts.Unknown {
			ssh.enabled = facts.Assume(false)
		}
		if http.enabled.Origin == facts.Unknown {
			http.enabled = facts.Assume(false)
		}
	}
	sshBy := p.sources("ssh", facts.WhereSSH, ssh)
	p.sources("telnet", facts.WhereVTY, telnet)
	httpBy := p.sources("http", facts.WhereHTTP, http)
	p.served(facts.Service{Protocol: facts.SCP, Name: "ssh scopy", Enabled: ssh.enabled}, "ssh", sshBy)
	p.served(facts.Service{Protocol: facts.HTTPS, Name: "http server", Enabled: http.enabled, Port: http.port}, "http", httpBy)
}

// An admission is the filter of one way of management on one interface.
type admission struct {
	filter, where string
	span          evidence.Span
}

// sources makes the filters of one way and their binding.
func (p *parser) sources(way, where string, m *management) []admission {
	var made []admission
	var names []string
	at := map[string]int{} // index in Device.Filters by interface
	for _, s := range m.sources {
		i, ok := at[s.where]
		if !ok {
			i = len(p.d.Filters)
			at[s.where] = i
			name := way + " " + s.where
			p.d.Filters = append(p.d.Filters, facts.Filter{
				Name: name, Scope: p.scope, Kind: way, Default: facts.Next, Synthetic: true, Stateful: true, Span: s.span,
			})
			made, names = append(made, admission{name, s.where, s.span}), append(names, name)
		}
		f := &p.d.Filters[i]
		f.Rules = append(f.Rules, facts.Rule{
			Action: facts.Permit,
			Match:  facts.Match{Src: facts.Addrs{Items: p.items.One(s.from), Present: true}},
			Span:   s.span,
		})
	}
	if len(names) > 0 {
		p.d.Bindings = append(p.d.Bindings, facts.Binding{Filters: names, Where: where, Span: m.sources[0].span})
	}
	return made
}

// served states a service, once for each interface it may be reached on.
func (p *parser) served(s facts.Service, way string, by []admission) {
	if s.Enabled.Origin == facts.Unknown {
		return
	}
	s.Scope, s.Span = p.scope, s.Enabled.Span
	if s.Protocol == facts.SCP {
		s.Writable = facts.Assume(true) // files go both ways (ASA command reference, ssh scopy enable)
		s.Anonymous = facts.Assume(false)
	}
	if !facts.On(s.Enabled) {
		p.d.Services = append(p.d.Services, s)
		return
	}
	if len(by) == 0 { // nobody may connect
		name := way + " from nowhere"
		p.d.Filters = append(p.d.Filters, facts.Filter{
			Name: name, Scope: p.scope, Kind: way, Default: facts.Deny, Synthetic: true, Stateful: true, Span: s.Span,
		})
		s.ACL = facts.Assume(name)
		p.d.Services = append(p.d.Services, s)
	}
	for _, b := range by {
		s.ACL, s.Bind = facts.Say(b.filter, b.span), b.where
		p.d.Services = append(p.d.Services, s)
	}
}
