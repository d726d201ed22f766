package ciscoios

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// A link is a transfer URL with who logs in there. Its text has no credentials.
type link struct {
	copycmd.URL
	user     string
	password facts.V[bool]
}

// link reads the transfer URL that word i is; false when it is none.
func (p *parser) link(i int) (link, bool) {
	if i < 0 || i >= len(p.w) {
		return link{}, false
	}
	return p.linkOf(p.word(i), p.at(p.w[i]))
}

// linkOf reads a transfer URL, with or without quotes; span is where it stands.
func (p *parser) linkOf(raw []byte, span evidence.Span) (link, bool) {
	raw = bytes.Trim(raw, `"'`)
	u, ok := copycmd.ParseURL(raw)
	if !ok {
		return link{}, false
	}
	l := link{URL: u}
	at := field.Index(raw, "//")
	if at < 0 || bytes.IndexByte(raw, '@') < 0 || u.Text == string(raw) {
		return l, true
	}
	user := raw[at+2:]
	user = user[:bytes.IndexAny(user, ":@")]
	l.user = p.str(user)
	l.password = facts.Say(false, span)
	if start, end, ok := userinfoPassword(raw, at+2); ok {
		l.password = facts.Say(true, span)
		if maskedText(raw[start:end]) {
			l.password = facts.Hidden[bool](span)
		}
	}
	return l, true
}

// findLink reads the first transfer URL from word i on.
func (p *parser) findLink(i int) (link, bool) {
	for ; i < len(p.w); i++ {
		if l, ok := p.link(i); ok {
			return l, true
		}
	}
	return link{}, false
}

// client states a transfer and gives its place in Device.Clients.
func (p *parser) client(use, name string, l link, span evidence.Span) int {
	p.d.Clients = append(p.d.Clients, facts.Client{
		Use: use, Name: name, Protocol: l.Protocol, URL: l.Text, Host: l.Host, Addr: l.Addr, Path: l.Path, User: l.user,
		Password: l.password, Enabled: facts.Say(true, span), Span: span,
	})
	return len(p.d.Clients) - 1
}

// command states the transfer that a stored command asks for, and reports whether it names one.
func (p *parser) command(use, name string, text []byte, span evidence.Span) (at int, ok bool) {
	c, copies := copycmd.Parse(text)
	for w, rest := field.Word(text); len(w) > 0; w, rest = field.Word(rest) {
		if l, ok := p.linkOf(w, span); ok && (copies && l.Text == c.URL || !copies && transfers(l.Protocol)) {
			return p.client(use, name, l, span), true
		}
	}
	if copies {
		return p.client(use, name, link{URL: copycmd.URL{Protocol: c.Protocol, Host: c.Host, Addr: c.Addr, Text: c.URL}}, span), true
	}
	if field.Has(text, "sh") || field.Has(text, "debug") {
		return 0, false // "show running-config | include tftp"
	}
	proto, ok := facts.ParseProtocol(transferwords.Find(text))
	if !ok {
		return 0, false
	}
	return p.client(use, name, link{URL: copycmd.URL{Protocol: proto}}, span), true
}

// transfers reports whether a protocol moves files as its purpose: HTTP does much else.
func transfers(p facts.Protocol) bool {
	switch p {
	case facts.FTP, facts.FTPS, facts.TFTP, facts.SMB, facts.SCP, facts.SFTP, facts.RCP:
		return true
	case facts.ProtocolUnknown, facts.SmartInstall, facts.HTTP, facts.HTTPS, facts.Telnet, facts.SSH, facts.NFS:
	}
	return false
}

// userinfoPassword is where the password of "user:password@host" lies that begins at byte from. A password may hold "/"
// and "@": the last "@" of the word ends it, unless the first colon starts a port.
func userinfoPassword(src []byte, from int) (start, end int, ok bool) {
	rest := src[from:]
	for i, c := range rest {
		if c <= ' ' || c == '"' {
			rest = rest[:i]
			break
		}
	}
	colon := bytes.IndexByte(rest, ':')
	at := bytes.LastIndexByte(rest, '@')
	if colon < 0 || at <= colon+1 {
		return 0, 0, false
	}
	if bytes.IndexByte(rest[:colon], '/') >= 0 || bytes.IndexByte(rest[:colon], '@') >= 0 {
		return 0, 0, false // the colon is part of a path, or before a port
	}
	if host, _, found := bytes.Cut(rest[colon+1:], []byte("/")); found && bytes.IndexByte(host, '@') < 0 {
		if _, port := field.Port(host); port {
			return 0, 0, false // host:port/path@x
		}
	}
	return from + colon + 1, from + at, true
}

// masked is text for a fact: passwords in URLs and whatever a command would hide are replaced.
func (p *parser) masked(text []byte) string {
	for at := 0; ; {
		i := field.Index(text[at:], "://")
		if i < 0 {
			break
		}
		at += i + 3
		if start, end, ok := userinfoPassword(text, at); ok {
			text = bytes.Join([][]byte{text[:start], text[end:]}, []byte("***"))
			at = start + 3
		}
	}
	if bytes.IndexByte(text, '@') < 0 && !mayHoldSecret(text) {
		return string(text)
	}
	return copycmd.Mask(bytes.Clone(text), copycmd.Secrets(nil, text))
}

// mayHoldSecret is a cheap look for words that introduce one.
func mayHoldSecret(text []byte) bool {
	for _, w := range [...]string{"pass", "secret", "key", "communit", "Pass", "PASS", "Secret"} {
		if field.Index(text, w) >= 0 {
			return true
		}
	}
	return false
}

// quoted is the text between the first double quotes of statement n; nil when there are none.
func (p *parser) quoted(n int32) []byte {
	text := p.t.Text(n)
	i := bytes.IndexByte(text, '"')
	if i < 0 {
		return nil
	}
	text = text[i+1:]
	if j := bytes.IndexByte(text, '"'); j >= 0 {
		text = text[:j]
	}
	return text
}
