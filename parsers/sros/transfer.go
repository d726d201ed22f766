package sros

import (
	"bytes"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// use says what a URL is for, by the statement it is the value of.
func use(word []byte) string {
	switch string(word) {
	case "boot-good-exec", "boot-bad-exec", "primary-config", "secondary-config", "tertiary-config", "li-separate", "config":
		return "boot-config"
	case "primary-image", "secondary-image", "tertiary-image", "image":
		return "boot-system"
	case "rollback-location", "rescue-location", "remote-backup":
		return "archive"
	case "results", "location", "dest-location":
		return "script"
	case "primary-url", "secondary-url", "tertiary-url", "urls":
		return "script"
	}
	return "other"
}

// urls states every transfer URL of the configuration that is the value of a statement, whatever the statement is.
func (p *parser) urls() {
	for i := range p.T.Nodes {
		n := &p.T.Nodes[i]
		k := int32(i)
		text := p.T.Text(k)
		if n.Parent == none || len(text) < 7 || !bytes.Contains(text, []byte("://")) || p.freed(k) {
			continue
		}
		m := wordtree.Transfers(text)
		if len(m) == 0 || !wordtree.Moves(m[0].Protocol) {
			continue
		}
		what := use(p.T.Text(n.Parent))
		x := facts.Client{Use: what, Name: p.Path(n.Parent), Enabled: facts.Say(true, p.Span(k)), Automatic: what != "other"}
		if y, ok := p.Client(x, k); ok {
			p.D.Clients = append(p.D.Clients, y)
			p.OK(k)
			p.OK(n.Parent)
		}
	}
}

// freed reports whether n lies in text that people wrote.
func (p *parser) freed(n int32) bool {
	for k := p.Up(n); k != none; k = p.Up(k) {
		if p.Free(p.T.Text(k)) {
			return true
		}
	}
	return false
}

// hooks reads schedules of cron with the scripts they run, event handlers, and Python scripts.
func (p *parser) hooks() {
	control := p.Kid(p.system, "script-control")
	p.OK(control)
	source := map[string]string{} // script, and policy, to where it is loaded from
	p.each(control, "script", func(n int32) {
		s, _ := p.leaf(n, "location")
		source["script "+p.Text(n)] = s
		p.Rest(n)
	})
	p.each(control, "script-policy", func(n int32) {
		name, v := p.first(n, "script")
		if k := p.Kid(p.in(n, "script"), "name"); k != none {
			name, v = p.ValueOf(k)
		}
		if v != none {
			source["policy "+p.Text(n)] = source["script "+name]
		}
		p.Rest(n)
	})
	add := func(n int32, kind facts.HookKind, name, trigger string) {
		h := facts.Hook{Kind: kind, Name: name, Trigger: trigger, Enabled: facts.Say(true, p.Span(n)), Unread: "the script is not in the evidence", Span: p.Span(n)}
		if off, ok := p.shut(n); ok {
			h.Enabled = facts.Say(!off.Val, off.Span)
		}
		policy, v := p.first(n, "script-policy")
		if k := p.Kid(p.in(n, "script-policy"), "name"); k != none {
			policy, v = p.ValueOf(k)
		}
		if v != none {
			at := source["policy "+policy]
			h.Source = wordtree.Clean([]byte(at))
			if m := wordtree.Transfers([]byte(at)); len(m) > 0 && m[0].URL != "" {
				h.Source, h.Protocol = m[0].URL, m[0].Protocol
			}
		}
		if s, ok := field.Uint([]byte(p.stringIn(n, "interval"))); ok && s < 1<<31 {
			h.Period = time.Duration(s) * time.Second
		}
		p.D.Hooks = append(p.D.Hooks, h)
		p.Rest(n)
	}
	for _, at := range [...]int32{p.Kid(p.system, "cron"), p.Kid(p.conf, "cron")} {
		p.OK(at)
		p.each(at, "schedule", func(n int32) { add(n, facts.HookScheduler, "cron schedule "+p.Text(n), p.stringIn(n, "type")) })
	}
	p.each(p.path(p.conf, "log", "event-handling"), "handler", func(n int32) {
		entry := p.in(n, "entry")
		at := n
		if v := p.First(entry); v != none {
			at = v
		}
		add(at, facts.HookApplet, "log event-handling handler "+p.Text(n), "event")
		p.Rest(n)
	})
	p.each(p.Kid(p.conf, "python"), "python-script", func(n int32) {
		h := facts.Hook{Kind: facts.HookScript, Name: "python python-script " + p.Text(n), Enabled: facts.Say(true, p.Span(n)), Unread: "the script is not in the evidence", Span: p.Span(n)}
		p.D.Hooks = append(p.D.Hooks, h)
	})
}

func (p *parser) stringIn(n int32, word string) string {
	s, _ := p.first(n, word)
	return s
}

// keyword reports whether word n is a secret by the word before it.
func (p *parser) keyword(n int32) (facts.SecretKind, bool) {
	up := p.Up(n)
	if up == none {
		return 0, false
	}
	switch string(p.T.Text(up)) {
	case "password":
		if p.Is(n, "aging") || p.Is(n, "complexity-rules") || p.First(n) != none && !p.hash(p.First(n)) {
			return 0, false // a block about passwords
		}
		if p.Above(n, "user") != none || p.Above(n, "admin-password") != none {
			return facts.SecretUser, true
		}
		return facts.SecretOther, true
	case "admin-password":
		return facts.SecretEnable, true
	case "community":
		return facts.SecretCommunity, p.Above(n, "snmp") != none
	case "secret", "authentication-key", "md5-key", "message-digest-key", "auth-key", "pre-shared-key", "authorization-key", "hello-authentication-key", "shared-secret", "password-key":
		return facts.SecretKey, true
	case "key":
		return facts.SecretKey, p.Above(n, "ntp") != none || p.Above(n, "keychain") != none || p.Above(n, "isis") != none
	case "private-key":
		return facts.SecretPrivate, true
	case "authentication-protocol", "privacy-protocol":
		return 0, false
	}
	return 0, false
}

// hash reports whether a word says that the value before it is obfuscated.
func (p *parser) hash(n int32) bool {
	return n != none && (p.Is(n, "hash") || p.Is(n, "hash2") || p.Is(n, "custom"))
}

// stored says how secrets are kept: "hash" and "hash2" are ciphers that the system undoes, with keys known to every system or to
// this one (password and key encryption, System Management Guide).
func (p *parser) stored() {
	for i := range p.T.Nodes {
		if k := int32(i); p.hash(k) && p.T.Nodes[i].Parent >= 0 {
			p.Stored(p.T.Nodes[i].Parent, facts.StorageReversible)
		}
	}
	for i := range p.D.Secrets { // the model writes it behind the value: "..., hash2"
		s := &p.D.Secrets[i]
		end := s.Span.Pos.Off() + int64(s.Span.Len) - p.T.Base
		rest := p.T.Source[end:min(len(p.T.Source), int(end)+8)]
		if s.Storage == facts.StorageClear && (bytes.HasPrefix(rest, []byte(`" hash`)) || bytes.HasSuffix(p.T.Source[:end], []byte(" hash2"))) {
			s.Storage, s.Guessable = facts.StorageReversible, false
		}
	}
}

// userOf is the account a secret belongs to.
func (p *parser) userOf(n int32) string {
	for k := n; k != none; k = p.Up(k) {
		if up := p.Up(k); up != none && (p.Is(up, "user") || p.Is(up, "local-user")) {
			return strings.Trim(p.Text(k), `"`)
		}
	}
	return ""
}
