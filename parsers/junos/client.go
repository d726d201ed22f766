package junos

import (
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// A site is one place files are sent to, as a client without its use.
type site = facts.Client

// client reads the URL that node n holds; false when it names no other host. Its password, in it or in the statement
// "password" below n, is a fact of the secrets' pass; here it only says that there is one.
func (p *parser) client(n int32, use, name string) (facts.Client, bool) {
	u, ok := parseURL(p.bytes(n))
	if !ok {
		return facts.Client{}, false
	}
	c := facts.Client{
		Use: use, Name: name, Protocol: u.protocol, URL: u.text, Host: u.host, Addr: u.addr, Path: u.path, User: u.user,
		Enabled: facts.Say(true, p.span(n)), Scope: p.scope, Span: p.span(n),
	}
	pass := p.value(p.kid(n, "password"))
	switch {
	case u.passLen > 0 && masked(p.bytes(n)[u.passAt:u.passAt+u.passLen]):
		c.Password = facts.Hidden[bool](p.wordSpan(n, u.passAt, u.passLen))
	case u.passLen > 0:
		c.Password = facts.Say(true, p.wordSpan(n, u.passAt, u.passLen))
	case pass != none && masked(p.bytes(pass)):
		c.Password = facts.Hidden[bool](p.wordSpan(pass, 0, len(p.bytes(pass))))
	case pass != none && len(p.bytes(pass)) > 0:
		c.Password = facts.Say(true, p.wordSpan(pass, 0, len(p.bytes(pass))))
	default:
		c.Password = facts.Say(false, p.span(n))
	}
	return c, true
}

// sites reads "archive-sites" n: URLs with their passwords, inactive ones too.
func (p *parser) sites(n int32, use, name string) []site {
	if n == none {
		return nil
	}
	off := p.off(n)
	p.okAll(n)
	scope := p.leaf(n, "routing-instance")
	var out []site
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		s, ok := p.client(c, use, name)
		if !ok {
			continue
		}
		if ri := p.leaf(c, "routing-instance"); ri != "" {
			s.Scope = ri
		} else if scope != "" {
			s.Scope = scope
		}
		if off || p.off(c) {
			at := c
			if off {
				at = n
			}
			s.Enabled = facts.Say(false, p.offSpan(at))
		}
		out = append(out, s)
	}
	return out
}

// archival reads "system archival": copies of the configuration after every commit, or in intervals of minutes.
func (p *parser) archival(n int32) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "configuration") {
			p.other("system archival", c)
			continue
		}
		p.ok(c)
		commit := p.kid(c, "transfer-on-commit")
		p.okAll(commit)
		minutes, _ := small([]byte(p.leaf(c, "transfer-interval")))
		scope := p.leaf(c, "routing-instance")
		for k := p.t.Nodes[c].First; k != none; k = p.t.Nodes[k].Next {
			if !p.is(k, "archive-sites") {
				p.other("system archival configuration", k)
				continue
			}
			for _, s := range p.sites(k, "archive", "system archival configuration archive-sites") {
				s.Automatic = commit != none || minutes > 0
				s.Period = time.Duration(minutes) * time.Minute
				if s.Scope == p.scope && scope != "" {
					s.Scope = scope
				}
				p.d.Clients = append(p.d.Clients, s)
			}
		}
	}
}

// upload adds the sites of node n's archive-sites, to which files of that name's kind are sent whenever they fill up or
// their interval (minutes) is over.
func (p *parser) upload(n int32, name string) {
	if n == none {
		return
	}
	minutes := 0
	if v := p.value(p.find(n, "transfer-interval")); v != none {
		minutes, _ = small(p.bytes(v))
	}
	for _, s := range p.sites(p.find(n, "archive-sites"), "log-upload", name) {
		s.Automatic = true
		s.Period = time.Duration(minutes) * time.Minute
		p.d.Clients = append(p.d.Clients, s)
	}
}

// find is the first node with that word below n: on one line, settings follow one another ("archive size 1m files 3").
func (p *parser) find(n int32, word string) int32 {
	if k := p.t.Child(n, word); k != none {
		return k
	}
	for c := p.first(n); c != none; c = p.next(c) {
		if k := p.find(c, word); k != none {
			return k
		}
	}
	return none
}

// urls adds every URL below n as a client.
func (p *parser) urls(n int32, use, name string, automatic bool) {
	if n == none {
		return
	}
	p.okAll(n)
	p.eachBelow(n, func(k int32) {
		if c, ok := p.client(k, use, name); ok {
			c.Automatic = automatic
			p.d.Clients = append(p.d.Clients, c)
		}
	})
}

// eachBelow calls f for every active node below n, in order.
func (p *parser) eachBelow(n int32, f func(int32)) {
	for c := p.first(n); c != none; c = p.next(c) {
		f(c)
		p.eachBelow(c, f)
	}
}

// scripts reads "system scripts" and "event-options event-script": where a script is fetched from ("source" by hand,
// "refresh-from" and "checksum" likewise; "refresh" at commit).
func (p *parser) scripts(n int32) {
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		p.scriptKind(c, "system scripts "+p.text(c))
	}
}

func (p *parser) scriptKind(c int32, name string) {
	switch string(p.bytes(c)) {
	case "commit", "op", "snmp", "event-script", "action":
	default:
		p.other("system scripts", c)
		return
	}
	p.okAll(c)
	p.fetches(c, name)
	if files := p.kid(c, "file"); files != none {
		for f := p.first(files); f != none; f = p.next(f) {
			p.fetches(f, name+" file "+p.text(f))
		}
	}
}

func (p *parser) fetches(n int32, name string) {
	for _, word := range [...]string{"source", "refresh-from"} {
		if k := p.kid(n, word); k != none {
			if v := p.value(k); v != none {
				if c, ok := p.client(v, "script", name+" "+word); ok {
					p.d.Clients = append(p.d.Clients, c)
				}
			}
		}
	}
}

// autoinstallation reads "system autoinstallation": a box without a configuration asks these servers for one.
func (p *parser) autoinstallation(n int32) {
	p.okAll(n)
	p.d.Clients = append(p.d.Clients, facts.Client{
		Use: "boot-config", Name: "system autoinstallation", Enabled: facts.Say(true, p.span(n)), Automatic: true,
		Scope: p.scope, Span: p.span(n),
	})
	servers := p.kid(n, "configuration-servers")
	for c := p.first(servers); c != none; c = p.next(c) {
		if k, ok := p.client(c, "boot-config", "system autoinstallation configuration-servers"); ok {
			k.Automatic = true
			p.d.Clients = append(p.d.Clients, k)
		}
	}
}

// chassis reads what of "chassis" moves files: "auto-image-upgrade" fetches an image and a configuration from where DHCP
// says (options 43, 66 and 150; TFTP unless DHCP says FTP or HTTP).
func (p *parser) chassis(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		if !p.is(c, "auto-image-upgrade") {
			if !p.off(c) {
				p.other("chassis", c)
			}
			continue
		}
		p.okAll(c)
		on := facts.Say(true, p.span(c))
		if p.off(c) {
			on = facts.Say(false, p.offSpan(c))
		}
		p.d.Clients = append(p.d.Clients, facts.Client{
			Use: "boot-system", Name: "chassis auto-image-upgrade", Enabled: on, Automatic: true, Scope: p.scope, Span: p.span(c),
		})
	}
}

// eventOptions reads "event-options": policies that send files or run commands when something happens.
func (p *parser) eventOptions(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	if d := p.kid(n, "destinations"); d != none {
		p.ok(d)
		for c := p.first(d); c != none; c = p.next(c) {
			p.ok(c)
			p.dests[p.text(c)] = p.sites(p.kid(c, "archive-sites"), "event", "event-options destinations")
			for k := p.first(c); k != none; k = p.next(k) {
				p.okAll(k)
			}
		}
	}
	used := map[string]bool{}
	for c := p.t.Nodes[n].First; c != none; c = p.t.Nodes[c].Next {
		switch {
		case p.is(c, "policy"):
			p.ok(c)
			for e := p.t.Nodes[c].First; e != none; e = p.t.Nodes[e].Next {
				p.eventPolicy(e, p.off(c) || p.off(e), used)
			}
		case p.off(c):
		case p.is(c, "generate-event"), p.is(c, "destinations"):
			p.okAll(c)
		case p.is(c, "event-script"):
			p.scriptKind(c, "event-options event-script")
		default:
			p.other("event-options", c)
		}
	}
	for name := range p.dests {
		if used[name] {
			delete(p.dests, name)
		}
	}
	// Destinations no policy uses are settings: nothing is sent there by itself.
	if d := p.kid(n, "destinations"); d != none {
		for c := p.first(d); c != none; c = p.next(c) {
			for _, s := range p.dests[p.text(c)] {
				s.Use = "settings"
				p.d.Clients = append(p.d.Clients, s)
			}
		}
	}
}

// eventPolicy reads one event policy.
func (p *parser) eventPolicy(e int32, off bool, used map[string]bool) {
	p.okAll(e)
	name := "event-options policy " + p.text(e)
	then := p.t.Child(e, "then")
	if then == none {
		return
	}
	state := facts.Say(true, p.span(then))
	if off || p.off(then) {
		state = facts.Say(false, p.offSpan(e))
	}
	p.eachBelow(then, func(k int32) {
		switch string(p.bytes(k)) {
		case "destination":
			d := p.value(k)
			if d == none {
				return
			}
			used[p.text(d)] = true
			for _, s := range p.dests[p.text(d)] {
				s.Name, s.Automatic = name, true
				if facts.On(s.Enabled) {
					s.Enabled = state
				}
				s.Span = p.span(d)
				p.d.Clients = append(p.d.Clients, s)
			}
		case "commands":
			for v := p.first(k); v != none; v = p.next(v) {
				p.eventCommand(v, name, state)
			}
		}
	})
}

// eventCommand reads a command an event policy runs.
func (p *parser) eventCommand(v int32, name string, state facts.V[bool]) {
	cp, ok := copycmd.Parse(p.bytes(v))
	if !ok {
		return
	}
	c := facts.Client{
		Use: "event", Name: name, Protocol: cp.Protocol, URL: clone(cp.URL), Host: clone(cp.Host), Addr: cp.Addr, Path: clone(cp.What),
		Enabled: state, Automatic: true, Scope: p.scope, Span: p.span(v),
	}
	for _, w := range fields(p.bytes(v)) {
		if u, ok := parseURL(w); ok {
			c.Path, c.User = u.path, u.user
			if u.protocol != facts.SCP || c.Protocol == facts.SCP {
				c.Protocol, c.URL, c.Host, c.Addr = u.protocol, u.text, u.host, u.addr
			}
			if u.passLen > 0 {
				c.Password = facts.Say(true, p.span(v))
			}
		}
	}
	p.d.Clients = append(p.d.Clients, c)
}

// accountingOptions reads "accounting-options": files of counters sent to archive sites.
func (p *parser) accountingOptions(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "file") {
			p.other("accounting-options", c)
			continue
		}
		p.okAll(c)
		for f := p.first(c); f != none; f = p.next(f) {
			p.upload(f, "accounting-options file "+p.text(f)+" archive-sites")
		}
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
