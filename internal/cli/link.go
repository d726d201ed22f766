package cli

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// A Link is a transfer URL with who logs in there. Its text has no credentials.
type Link struct {
	copycmd.URL
	User     string
	Password facts.V[bool]
}

// Link reads the transfer URL that word i is; false when it is none.
func (s *Stmt) Link(i int) (Link, bool) {
	if i < 0 || i >= len(s.W) {
		return Link{}, false
	}
	return s.R.link(s.W[i], s.At(i))
}

// FindLink reads the first transfer URL from word i on.
func (s *Stmt) FindLink(i int) (Link, bool) {
	for ; i < len(s.W); i++ {
		if l, ok := s.Link(i); ok {
			return l, true
		}
	}
	return Link{}, false
}

func (r *Reader) link(raw string, span evidence.Span) (Link, bool) {
	raw = strings.Trim(raw, `"'`)
	u, ok := copycmd.ParseURL([]byte(raw))
	if !ok {
		return Link{}, false
	}
	u.Host, u.Path, u.Text = r.Keep(u.Host), r.Keep(u.Path), r.Keep(u.Text)
	l := Link{URL: u}
	_, rest, ok := strings.Cut(raw, "//")
	at := strings.IndexByte(rest, '@')
	if slash := strings.IndexByte(rest, '/'); !ok || at < 0 || slash >= 0 && slash < at {
		return l, true
	}
	user, password, stated := strings.Cut(rest[:at], ":")
	l.User = r.Keep(user)
	l.Password = facts.Say(stated && password != "", span)
	if stated && masked(password) {
		l.Password = facts.Hidden[bool](span)
	}
	return l, true
}

// masked reports whether text is what a tool or an operator put in the place of a value.
func masked(s string) bool {
	return strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") || len(s) >= 3 && strings.Trim(s, "*") == ""
}

// moves reports whether a protocol carries files.
func moves(p facts.Protocol) bool {
	return slices.Contains([]facts.Protocol{facts.FTP, facts.FTPS, facts.TFTP, facts.SMB, facts.SCP, facts.SFTP, facts.HTTP, facts.HTTPS, facts.RCP}, p)
}

// Client states a transfer and gives it.
func (r *Reader) Client(use, name string, l Link, span evidence.Span) *facts.Client {
	r.D.Clients = append(r.D.Clients, facts.Client{
		Use: use, Name: name, Protocol: l.Protocol, URL: l.Text, Host: l.Host, Addr: l.Addr, Path: l.Path, User: l.User,
		Password: l.Password, Enabled: facts.Say(true, span), Span: span,
	})
	return &r.D.Clients[len(r.D.Clients)-1]
}

// Setting states that a client of a protocol is set up: a source interface, a user, a password.
func (s *Stmt) Setting(proto facts.Protocol, name string) *facts.Client {
	s.OK()
	return s.R.Client("settings", name, Link{URL: copycmd.URL{Protocol: proto}}, s.Span())
}

// Said is a statement, or part of one, without its secrets.
func (r *Reader) Said(text string) string {
	b := []byte(text)
	return copycmd.Mask(b, copycmd.Secrets(nil, b))
}

// Hook states a stored command, script or job and gives it.
func (r *Reader) Hook(kind facts.HookKind, name string, span evidence.Span) *facts.Hook {
	r.D.Hooks = append(r.D.Hooks, facts.Hook{Kind: kind, Name: name, Enabled: facts.Say(true, span), Span: span})
	return &r.D.Hooks[len(r.D.Hooks)-1]
}

// Does adds a command to a hook, and states the transfer it asks for, if any.
func (r *Reader) Does(h *facts.Hook, use, text string, span evidence.Span) {
	if inner, ok := strings.CutPrefix(text, `"`); ok && strings.HasSuffix(inner, `"`) {
		text = strings.TrimSuffix(inner, `"`)
	}
	c := facts.HookCommand{Text: r.Said(text), Span: span}
	if client := r.Command(use, h.Name, text, span); client != nil {
		c.Protocol, c.URL, c.Host = client.Protocol, client.URL, client.Host
		client.Automatic, client.Period = h.Trigger != "" || h.Period > 0, h.Period
	}
	h.Commands = append(h.Commands, c)
}

// Command states the transfer that a stored command asks for; nil when it asks for none.
func (r *Reader) Command(use, name, text string, span evidence.Span) *facts.Client {
	c, copies := copycmd.Parse([]byte(text))
	for _, w := range strings.Fields(text) {
		if l, ok := r.link(w, span); ok && (copies && l.Text == c.URL || !copies && moves(l.Protocol)) {
			return r.Client(use, name, l, span)
		}
	}
	if copies {
		l := Link{URL: copycmd.URL{Protocol: c.Protocol, Host: r.Keep(c.Host), Addr: c.Addr, Text: r.Keep(c.URL)}}
		if l.Host == "" {
			l.Host, l.Addr = r.behind(text) // "copy running-config tftp 10.0.0.70 FILE" (AOS-S)
		}
		return r.Client(use, name, l, span)
	}
	if strings.HasPrefix(text, "sh") || strings.HasPrefix(text, "debug") {
		return nil // "show running-config | include tftp"
	}
	proto, ok := facts.ParseProtocol(transferwords.Find([]byte(text)))
	if !ok {
		return nil
	}
	return r.Client(use, name, Link{URL: copycmd.URL{Protocol: proto}}, span)
}

// behind is the address behind the name of a protocol in a command.
func (r *Reader) behind(text string) (string, netip.Addr) {
	w := strings.Fields(text)
	for i := 0; i+1 < len(w); i++ {
		if _, ok := facts.ParseProtocol(w[i]); ok {
			if _, err := netip.ParseAddr(w[i+1]); err == nil {
				return r.Host(w[i+1])
			}
		}
	}
	return "", netip.Addr{}
}

// Host is an address or name for facts.
func (r *Reader) Host(w string) (string, netip.Addr) {
	a, _ := netip.ParseAddr(w)
	return r.Keep(w), a
}

// Minutes is a count of minutes, for periods.
func Minutes(n int) time.Duration { return time.Duration(n) * time.Minute }
