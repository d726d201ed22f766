package ciscoios

import (
	"bytes"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// An occasion is a "kron occurrence" and the policy lists it runs.
type occasion struct {
	policies []string
	period   time.Duration // 0: once
	trigger  string        // the statement
	user     string
	span     evidence.Span
}

// kron reads "kron policy-list NAME" with "cli COMMAND" lines, and "kron occurrence NAME in|at ... [oneshot|recurring]"
// with "policy-list NAME" lines.
func (p *parser) kron(n int32) {
	p.ok(n)
	switch string(p.word(1)) {
	case "policy-list":
		name := p.str(p.word(2))
		if p.clients.policies == nil {
			p.clients.policies = map[string][]int{}
		}
		h := p.hook(facts.HookScheduler, "kron policy-list "+name, p.span(n))
		p.hooks.policy = append(p.hooks.policy, h)
		p.children(n, func(c int32) {
			p.ok(c)
			if p.is(0, "cli") {
				if at, ok := p.does(h, "scheduler", p.rest(c, 1), p.span(c)); ok {
					p.clients.policies[name] = append(p.clients.policies[name], at)
				}
			}
		})
	case "occurrence":
		o := occasion{span: p.span(n), period: p.occurrence(), trigger: p.said(p.t.Text(n))}
		if p.is(3, "user") {
			o.user = p.str(p.word(4))
		}
		p.children(n, func(c int32) {
			p.ok(c)
			if p.is(0, "policy-list") {
				o.policies = append(o.policies, p.str(p.word(1)))
			}
		})
		p.clients.occasions = append(p.clients.occasions, o)
	}
}

// occurrence is how often "in [DAYS:]HOURS:MINUTES recurring" or "at TIME [[MONTH] DAY|WEEKDAY] recurring" happens.
func (p *parser) occurrence() time.Duration {
	if p.has(3, "recurring") < 0 {
		return 0
	}
	if i := p.has(3, "in"); i > 0 {
		minutes := 0
		parts := bytes.Split(p.word(i+1), []byte(":"))
		for j, part := range parts {
			n, _ := number(part)
			switch len(parts) - j {
			case 1:
				minutes += n
			case 2:
				minutes += 60 * n
			case 3:
				minutes += 24 * 60 * n
			}
		}
		return time.Duration(min(minutes, 1<<24)) * time.Minute
	}
	if i := p.has(3, "at"); i > 0 {
		if _, ok := dayOf(p.word(i + 2)); ok {
			return 7 * 24 * time.Hour
		}
		if monthOf(p.word(i+2)) != 0 {
			return 365 * 24 * time.Hour
		}
		if _, ok := number(p.word(i + 2)); ok {
			return 30 * 24 * time.Hour // on a day of the month
		}
	}
	return 24 * time.Hour
}

// finishKron says which policy lists are run: one that no occurrence names is not. Of several the most frequent counts.
func (p *parser) finishKron() {
	runs := map[string]occasion{}
	for _, o := range p.clients.occasions {
		for _, name := range o.policies {
			if have, ok := runs[name]; !ok || o.period > 0 && (have.period == 0 || o.period < have.period) {
				runs[name] = o
			}
		}
	}
	for name, clients := range p.clients.policies {
		for _, at := range clients {
			k := &p.d.Clients[at]
			k.Enabled = facts.Assume(false)
			if o, ok := runs[name]; ok {
				k.Enabled, k.Automatic, k.Period = facts.Say(true, o.span), true, o.period
			}
		}
	}
	for _, at := range p.hooks.policy {
		h := &p.d.Hooks[at]
		h.Enabled = facts.Assume(false)
		if o, ok := runs[strings.TrimPrefix(h.Name, "kron policy-list ")]; ok {
			h.Enabled, h.Trigger, h.Period, h.User = facts.Say(true, o.span), o.trigger, o.period, o.user
		}
	}
}

// eventManager reads applets, policies and where they are kept.
func (p *parser) eventManager(n int32) {
	p.ok(n)
	if p.negated {
		return
	}
	switch string(p.word(2)) {
	case "applet":
		p.applet(n)
	case "policy": // a script that was registered
		at := p.client("script", "event manager policy", local(p.str(p.word(3))), p.span(n))
		p.d.Clients[at].Automatic = true
		p.script("event manager policy "+p.said(p.word(3)), 3, p.span(n))
		if l, ok := p.link(3); ok {
			p.d.Hooks[len(p.d.Hooks)-1].Name = "event manager policy " + l.Text
		}
		if l, ok := p.link(3); ok {
			p.d.Clients[at].Protocol, p.d.Clients[at].Host, p.d.Clients[at].Addr = l.Protocol, l.Host, l.Addr
			p.d.Clients[at].URL, p.d.Clients[at].Path = l.Text, l.Path
		}
	case "directory": // event manager directory user policy|library|repository URL
		l, ok := p.link(len(p.w) - 1)
		if !ok {
			l.Path = p.str(p.word(len(p.w) - 1))
		}
		p.client("script", "event manager directory", l, p.span(n))
		p.script("event manager directory "+p.str(p.word(3))+" "+p.str(p.word(4)), len(p.w)-1, p.span(n))
	case "environment", "session", "history", "scheduler", "detector", "run":
		if p.is(2, "session") && p.is(3, "cli") && p.is(4, "username") { // as whom applets give commands
			p.hooks.cliUser = p.str(unquote(p.word(5)))
		}
		if l, ok := p.findLink(3); ok && transfers(l.Protocol) {
			p.client("event", "event manager "+p.str(p.word(2))+" "+p.str(p.word(3)), l, p.span(n))
		}
	}
}

// applet reads an applet's event and its actions. A command that waits for the server's address is answered by the next
// one.
func (p *parser) applet(n int32) {
	name := "event manager applet " + p.str(p.word(3))
	manual, known := false, false
	var period time.Duration
	first := len(p.d.Clients)
	asks, asked := -1, -1 // the client and the command that wait for an answer
	h := p.hook(facts.HookApplet, name, p.span(n))
	p.hooks.applets = append(p.hooks.applets, h)
	p.children(n, func(c int32) {
		p.ok(c)
		switch string(p.word(0)) {
		case "event":
			known = true
			if trigger := p.said(p.t.Text(c)); p.d.Hooks[h].Trigger == "" {
				p.d.Hooks[h].Trigger = trigger
			} else if len(p.d.Hooks[h].Trigger) < maxCommand {
				p.d.Hooks[h].Trigger += "; " + trigger
			}
			i := 1
			if p.is(1, "tag") {
				i = 3
			}
			manual = manual || p.is(i, "none")
			if p.is(i, "timer") {
				period = p.timer(c, i+1)
			}
		case "action":
			if p.has(2, "cli") < 0 || p.has(3, "command") < 0 {
				if l, ok := p.findLink(2); ok && transfers(l.Protocol) {
					p.client("event", name, l, p.span(c))
				}
				p.say(h, p.rest(c, 2), p.span(c))
				return
			}
			text := p.quoted(c)
			if text == nil {
				text = p.rest(c, p.has(3, "command")+1)
			}
			if a, ok := field.Addr(field.Trim(text)); ok && asks >= 0 {
				p.d.Clients[asks].Host, p.d.Clients[asks].Addr = a.String(), a
				p.d.Hooks[h].Commands[asked].Host = a.String()
				asks = -1
				p.say(h, text, p.span(c))
				return
			}
			if at, ok := p.does(h, "event", text, p.span(c)); ok {
				asks, asked = -1, len(p.d.Hooks[h].Commands)-1
				if p.d.Clients[at].Host == "" {
					asks = at
				}
			}
		case "description", "trigger", "set", "exit", "correlate", "attribute", "syslog", "no":
		default:
			p.t.Mark(c, facts.Unrecognised)
		}
		if p.t.Nodes[c].First != tree.None {
			p.okBlock(c)
		}
	})
	for i := first; i < len(p.d.Clients); i++ {
		p.d.Clients[i].Automatic, p.d.Clients[i].Period = known && !manual, period
	}
	if k := &p.d.Hooks[h]; manual {
		k.Trigger = "" // event none: someone calls it
	} else {
		k.Period = period
	}
}

// timer is how often "timer watchdog time SECONDS" or "timer cron cron-entry ENTRY" fires; 0 when it is not told.
func (p *parser) timer(c int32, i int) time.Duration {
	if j := p.has(i, "time"); j > 0 && p.is(i, "watchdog") {
		whole, _ := field.LeadingUint(p.word(j + 1))
		return time.Duration(min(whole, 1<<31)) * time.Second
	}
	if !p.is(i, "cron") {
		return 0
	}
	entry := p.quoted(c)
	switch string(entry) {
	case "@hourly":
		return time.Hour
	case "@daily", "@midnight":
		return 24 * time.Hour
	case "@weekly":
		return 7 * 24 * time.Hour
	}
	f := bytes.Fields(entry)
	if len(f) != 5 {
		return 0
	}
	_, minute := number(f[0])
	_, hour := number(f[1])
	if every, ok := bytes.CutPrefix(f[0], []byte("*/")); ok {
		n, _ := number(every)
		return time.Duration(n) * time.Minute
	}
	switch days := string(f[2]) + string(f[3]); {
	case !minute || days != "**":
		return 0
	case string(f[4]) != "*":
		return 7 * 24 * time.Hour
	case hour:
		return 24 * time.Hour
	case string(f[1]) == "*":
		return time.Hour
	}
	return 0
}

// alias reads "alias MODE NAME COMMAND".
func (p *parser) alias(n int32) {
	p.ok(n)
	if !p.negated && len(p.w) > 3 {
		p.does(p.hook(facts.HookAlias, "alias "+p.str(p.word(1))+" "+p.str(p.word(2)), p.span(n)), "script", p.rest(n, 3), p.span(n))
	}
}

// menu reads "menu NAME command N COMMAND".
func (p *parser) menu(n int32) {
	p.okBlock(n)
	if p.is(2, "command") && !p.negated {
		p.does(p.hookOf(facts.HookMenu, "menu "+p.str(p.word(1)), p.span(n)), "script", p.rest(n, 4), p.span(n))
	}
}

// macro reads the lines of "macro name NAME", which are kept as text.
func (p *parser) macro(n int32) {
	if !p.is(1, "name") {
		p.skip(n) // macro global description, macro auto
		return
	}
	h := p.hook(facts.HookAlias, "macro "+p.str(p.word(2)), p.span(n))
	p.okBlock(n)
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		text := p.t.Text(c)
		if text[0] != '#' && text[0] != '@' && !field.Has(text, "description ") {
			p.does(h, "script", text, p.span(c))
		}
	}
}

// privilege reads "privilege MODE level N COMMAND": a transfer command that less than level 15 may give.
func (p *parser) privilege(n int32) {
	p.ok(n)
	i := p.has(1, "level")
	if i < 0 || p.negated {
		return
	}
	level, ok := number(p.word(i + 1))
	if !ok {
		return
	}
	h := p.hook(facts.HookPrivilege, p.said(p.t.Text(n)), p.span(n))
	p.d.Hooks[h].User = "privilege " + p.str(p.word(i+1))
	p.d.Hooks[h].Commands = []facts.HookCommand{{Text: p.said(p.rest(n, i+2)), Span: p.span(n)}}
	if level >= 15 {
		return
	}
	switch string(p.word(i + 2)) {
	case "copy", "archive", "tclsh":
	case "monitor":
		if !p.is(i+3, "capture") {
			return
		}
	default:
		return
	}
	text := p.t.Text(n)
	p.client("script", p.masked(text[:min(len(text), maxRemark)]), link{}, p.span(n))
}

// scripting reads "scripting tcl init URL" and other statements of Tcl.
func (p *parser) scripting(n int32) {
	p.ok(n)
	if p.is(2, "init") && !p.negated {
		l, ok := p.link(3)
		if !ok {
			l.Path = p.str(p.word(3))
		}
		p.client("script", "scripting tcl init", l, p.span(n))
		p.script("scripting tcl init", 3, p.span(n))
	}
}

// remoteConfig reads statements that make the device fetch its configuration from a management server: CNS and PnP.
func (p *parser) remoteConfig(n int32, name string) {
	p.ok(n)
	if p.negated {
		p.okBlock(n)
		return
	}
	host := func(i int, proto facts.Protocol, span evidence.Span) {
		l := link{URL: copycmd.URL{Protocol: proto, Host: p.str(p.word(i))}}
		l.Addr, _ = field.Addr(p.word(i))
		at := p.client("boot-config", name, l, span)
		p.d.Clients[at].Automatic = true
		p.trust("controller", name, p.word(i), span)
	}
	if p.is(0, "cns") {
		if (p.is(1, "event") || p.is(1, "trusted-server")) && p.word(len(p.w)-1) != nil { // commands come over the event bus
			i := 2
			if p.is(1, "trusted-server") {
				i = 3
			}
			p.trust("controller", name, p.word(i), p.span(n))
		}
		if p.is(1, "config") && (p.is(2, "initial") || p.is(2, "partial") || p.is(2, "retrieve")) || p.is(1, "exec") || p.is(1, "image") {
			i := 3
			if p.is(1, "exec") {
				i = 2
			}
			if l, ok := p.findLink(2); ok {
				p.d.Clients[p.client("boot-config", name, l, p.span(n))].Automatic = true
			} else if p.word(i) != nil {
				host(i, facts.HTTP, p.span(n))
			}
		}
		p.okBlock(n)
		return
	}
	p.children(n, func(c int32) { // pnp profile: transport http|https ipv4|host ADDRESS port N
		p.ok(c)
		if p.is(0, "transport") {
			proto, ok := facts.ParseProtocol(string(p.word(1)))
			if ok && p.word(3) != nil {
				host(3, proto, p.span(c))
			}
		}
	})
	p.okBlock(n)
}

// callManager reads "ccm-manager config server HOST": a voice gateway fetches its configuration by TFTP (Cisco IOS voice
// command reference, ccm-manager config).
func (p *parser) callManager(n int32) {
	if !p.is(1, "config") || p.negated {
		p.skip(n)
		return
	}
	p.ok(n)
	for i := 3; p.is(2, "server") && i < len(p.w); i++ {
		l := link{URL: copycmd.URL{Protocol: facts.TFTP, Host: p.str(p.word(i))}}
		l.Addr, _ = field.Addr(p.word(i))
		p.d.Clients[p.client("boot-config", "ccm-manager config", l, p.span(n))].Automatic = true
	}
}
