package ciscoios

import (
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// maxCommand bounds the text of a command in a fact, in bytes.
const maxCommand = 512

// unreadScript is why nothing is known of what a script does.
const unreadScript = "the script is not in the evidence"

// hook states a hook and gives its place in Device.Hooks.
func (p *parser) hook(kind facts.HookKind, name string, span evidence.Span) int {
	p.d.Hooks = append(p.d.Hooks, facts.Hook{Kind: kind, Name: name, Enabled: facts.Say(true, span), Span: span})
	return len(p.d.Hooks) - 1
}

// hookOf is the place of the hook of that kind and name; one that is said in several statements is stated once.
func (p *parser) hookOf(kind facts.HookKind, name string, span evidence.Span) int {
	if at, ok := p.hooks.by[name]; ok {
		return at
	}
	if p.hooks.by == nil {
		p.hooks.by = map[string]int{}
	}
	at := p.hook(kind, name, span)
	p.hooks.by[name] = at
	return at
}

// hookState is what hooks are made of that more than one statement says.
type hookState struct {
	by      map[string]int // by name: index in Device.Hooks
	policy  []int          // hooks of kron policy lists
	applets []int
	cliUser string // event manager session cli username
}

// does adds a command to hook h and states the transfer it makes, if any, as a client of that use.
func (p *parser) does(h int, use string, text []byte, span evidence.Span) (client int, ok bool) {
	c := facts.HookCommand{Text: p.said(text), Span: span}
	client, ok = p.command(use, p.d.Hooks[h].Name, text, span)
	if ok {
		k := &p.d.Clients[client]
		c.Protocol, c.URL, c.Host = k.Protocol, k.URL, k.Host
	}
	p.d.Hooks[h].Commands = append(p.d.Hooks[h].Commands, c)
	return client, ok
}

// say adds a line that is no command of the command line to hook h.
func (p *parser) say(h int, text []byte, span evidence.Span) {
	c := facts.HookCommand{Text: p.said(text), Span: span}
	if l, ok := p.findLink(1); ok {
		c.Protocol, c.URL, c.Host = l.Protocol, l.Text, l.Host
	}
	p.d.Hooks[h].Commands = append(p.d.Hooks[h].Commands, c)
}

// said is text for a fact, bounded, its secrets removed.
func (p *parser) said(text []byte) string {
	s := p.masked(text)
	if len(s) > maxCommand {
		s = s[:maxCommand]
	}
	return strings.ToValidUTF8(s, "?")
}

// loads states that hook h loads a script from where l leads.
func (p *parser) loads(h int, l link, path []byte) {
	k := &p.d.Hooks[h]
	k.Source, k.Protocol, k.Unread = l.Text, l.Protocol, unreadScript
	if k.Source == "" {
		k.Source = p.said(path)
	}
}

// script states a script of the device's own: a hook that loads it, and where from when that is another host.
func (p *parser) script(name string, i int, span evidence.Span) {
	l, _ := p.link(i)
	p.loads(p.hook(facts.HookScript, name, span), l, p.word(i))
}

// view reads "parser view NAME": the commands a user may give who is not allowed all.
func (p *parser) view(n int32) {
	if !p.is(1, "view") || p.negated {
		p.skip(n)
		return
	}
	p.ok(n)
	name := p.str(p.word(2))
	h := p.hook(facts.HookPrivilege, "parser view "+name, p.span(n))
	p.d.Hooks[h].User = "view " + name
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "commands": // commands exec include [all] copy
			p.ok(c)
			if !p.negated {
				p.d.Hooks[h].Commands = append(p.d.Hooks[h].Commands, facts.HookCommand{Text: p.said(p.rest(c, 1)), Span: p.span(c)})
			}
		case "secret", "view":
			p.ok(c)
		default:
			p.skip(c)
		}
	})
	if len(p.d.Hooks[h].Commands) == 0 {
		p.d.Hooks = p.d.Hooks[:h]
	}
}

// autocommand states the command that runs when someone logs in: of a user or a terminal line.
func (p *parser) autocommand(who string, text []byte, span evidence.Span) {
	h := p.hook(facts.HookMenu, who+" autocommand", span)
	p.d.Hooks[h].Trigger = "login"
	p.does(h, "script", text, span)
}

// finishHooks says when kron's policy lists run and as whom applets give their commands.
func (p *parser) finishHooks() {
	for _, h := range p.hooks.applets {
		p.d.Hooks[h].User = p.hooks.cliUser
	}
}

// local is a link that leads to a file of the device's own.
func local(path string) link { return link{URL: copycmd.URL{Path: path}} }
