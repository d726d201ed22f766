package gaia

import (
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// backups reads scheduled backups and snapshots: "add backup-scheduled name N ftp ip I path P username U password W", "... tftp
// ip I", "... local", "set backup-scheduled name N recurrence daily time 2:00" (Gaia Administration Guide, System Backup).
func (p *parser) backups() {
	at := p.Kid(root, "backup-scheduled")
	p.OK(at)
	p.Each(p.Kid(at, "name"), "", func(n int32) { p.sent(n, "backup-scheduled name "+p.Text(n), n) })
	snap := p.Kid(root, "snapshot-scheduled")
	p.OK(snap)
	p.sent(p.Kid(snap, "target"), "snapshot-scheduled target", snap)
}

// sent states the places that a schedule sends files to; when says where its recurrence stands.
func (p *parser) sent(n int32, name string, when int32) {
	if n == none {
		return
	}
	_, period := p.recurrence(when)
	for c := p.First(n); c != none; c = p.Next(c) {
		kind, ok := facts.ParseProtocol(p.Text(c))
		if !ok || !wordtree.Moves(kind) {
			continue
		}
		x := facts.Client{Use: "archive", Name: name, Protocol: kind, Enabled: facts.Say(true, p.Span(c)), Automatic: true, Period: period, Span: p.Span(c)}
		for _, w := range [...]string{"ip", "host"} {
			if s, v := p.arg(c, w); v != none {
				x.Host, x.Span = s, p.Span(v)
			}
		}
		_, x.Addr, _ = wordtree.Prefix([]byte(x.Host))
		for _, w := range [...]string{"path", "upload-path"} {
			if s, v := p.arg(c, w); v != none {
				x.Path = s
			}
		}
		x.User, _ = p.arg(c, "username")
		_, v := p.arg(c, "password")
		switch {
		case v != none && wordtree.Masked(p.T.Text(v)):
			x.Password = facts.Hidden[bool](p.Span(v))
		case v != none:
			x.Password = facts.Say(true, p.Span(v))
		case kind == facts.TFTP:
			x.Password = facts.Say(false, p.Span(c))
		} // of others it is not printed, though one is kept: unknown
		p.D.Clients = append(p.D.Clients, x)
	}
	p.OKAll(n)
}

// recurrence is the text of a schedule, and its period where it has one.
func (p *parser) recurrence(n int32) (string, time.Duration) {
	k := p.find(n, "recurrence", 0)
	if k == none {
		return "", 0
	}
	p.OKAll(k)
	var words []string
	for c := p.First(k); c != none; c = p.First(c) {
		words = append(words, p.Text(c))
	}
	const day = 24 * time.Hour
	switch {
	case len(words) == 0:
		return "", 0
	case words[0] == "daily":
		return strings.Join(words, " "), day
	case words[0] == "weekly":
		return strings.Join(words, " "), 7 * day
	case words[0] == "hourly":
		return strings.Join(words, " "), time.Hour
	}
	return strings.Join(words, " "), 0
}

// jobs reads scheduled commands, and commands that extend clish: both run programs of the box.
func (p *parser) jobs() {
	cron := p.Kid(root, "cron")
	p.OK(cron)
	p.Each(p.Kid(cron, "job"), "", func(n int32) {
		h := facts.Hook{Kind: facts.HookScheduler, Name: "cron job " + p.Text(n), Enabled: facts.Say(true, p.Span(n)), User: "admin", Span: p.Span(n)}
		h.Trigger, h.Period = p.recurrence(n)
		if _, v := p.arg(n, "command"); v != none {
			h.Span = p.Span(v)
			p.Does(&h, "scheduler", v)
		}
		p.D.Hooks = append(p.D.Hooks, h)
		p.OKAll(n)
	})
	list := p.Kid(root, "command")
	p.OK(list)
	for c := p.First(list); c != none; c = p.Next(c) {
		h := facts.Hook{Kind: facts.HookAlias, Name: "command " + p.Text(c), Enabled: facts.Say(true, p.Span(c)), Unread: "the program is not in the evidence", Span: p.Span(c)}
		if s, v := p.arg(c, "path"); v != none {
			h.Source = wordtree.Clean([]byte(s))
			h.Span = p.Span(v)
		}
		p.D.Hooks = append(p.D.Hooks, h)
		p.OKAll(c)
	}
}

// keyword reports whether word n is a secret by the word before it.
func (p *parser) keyword(n int32) (facts.SecretKind, bool) {
	up := p.Up(n)
	if up == none {
		return 0, false
	}
	switch string(p.T.Text(up)) {
	case "expert-password-hash", "grub2-password-hash", "expert-password", "grub2-password":
		return facts.SecretEnable, true
	case "password-hash", "newpass":
		return facts.SecretUser, !p.Is(n, "*") && !p.Is(n, "!") // no password at all
	case "password":
		if p.Above(n, "backup-scheduled") != none || p.Above(n, "snapshot-scheduled") != none {
			return facts.SecretFTP, true
		}
		return facts.SecretOther, true
	case "community":
		return facts.SecretCommunity, true
	case "auth-pass-phrase", "auth-pass-phrase-hashed", "privacy-pass-phrase", "privacy-pass-phrase-hashed":
		return facts.SecretSNMPv3, true
	case "key", "secret", "authkey", "md5", "shared-secret":
		return facts.SecretKey, p.Above(n, "aaa") != none || p.Above(n, "ospf") != none || p.Above(n, "bgp") != none || p.Above(n, "rip") != none || p.Above(n, "ntp") != none
	case "passphrase", "pre-shared-key":
		return facts.SecretKey, true
	}
	return 0, false
}

// userOf is the account a secret belongs to.
func (p *parser) userOf(n int32) string {
	for k := n; k != none; k = p.Up(k) {
		up := p.Up(k)
		if up != none && p.Is(up, "user") {
			return p.Text(k)
		}
		if up != none && p.Is(up, "password") {
			for a := p.Up(up); a != none; a = p.Up(a) {
				if b := p.Up(a); b != none && p.Is(b, "username") {
					return p.Text(a)
				}
			}
		}
	}
	return ""
}

// hashes says of passphrases that the statement calls hashed that they are.
func (p *parser) hashes() {
	for i := range p.T.Nodes {
		if k := int32(i); strings.HasSuffix(string(p.T.Text(k)), "-hashed") {
			if v := p.First(k); v != none {
				p.Stored(v, facts.StorageHashed)
			}
		}
	}
}
