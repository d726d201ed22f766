package hostfile

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/shellcmd"
)

// maxCommand bounds the text of a command in a fact, in bytes.
const maxCommand = 512

// Command adds a command line to a hook, with the transfers it makes as clients of that use, and states its secrets. The
// hook's trigger, period and user must be set already.
func (f *File) Command(h *facts.Hook, p Part, use string) {
	transfers, secrets := shellcmd.Read(p.Text)
	for _, s := range secrets {
		f.Secret(p.Slice(s.Start, s.End), facts.Secret{Kind: s.Kind, Storage: s.Storage, Name: s.Name})
	}
	c := facts.HookCommand{Text: Said(p, secrets), Span: f.Span(p)}
	for _, t := range transfers {
		if c.Protocol == facts.ProtocolUnknown || web(c.Protocol) && !web(t.Protocol) {
			c.Protocol, c.URL, c.Host = t.Protocol, t.URL, t.Host
		}
		if web(t.Protocol) && !t.Sends {
			continue // what is fetched from a web server is no transfer of the kind that is asked about
		}
		part := p.Slice(t.Start, t.End)
		x := facts.Client{
			Use: use, Name: h.Name, Protocol: t.Protocol, URL: t.URL, Host: t.Host, Addr: t.Addr, Path: t.Path, User: t.User,
			Enabled: h.Enabled, Automatic: automatic(h.Kind), Period: h.Period, Scope: h.Scope, Span: f.Span(part),
		}
		if t.User != "" || t.Password {
			x.Password = facts.Say(t.Password, f.Span(part))
		}
		f.Device.Clients = append(f.Device.Clients, x)
	}
	h.Commands = append(h.Commands, c)
}

func web(p facts.Protocol) bool { return p == facts.HTTP || p == facts.HTTPS }

// automatic reports whether hooks of a kind run without anyone typing.
func automatic(k facts.HookKind) bool {
	switch k {
	case facts.HookAlias, facts.HookMenu, facts.HookPrivilege:
		return false
	default:
		return true
	}
}

// Said is the text of a command for a fact: bounded, with its secrets replaced.
func Said(p Part, secrets []copycmd.Secret) string {
	s := strings.ReplaceAll(copycmd.Mask(p.Text, secrets), "\r\n", "\n")
	s = s[:min(len(s), 8*maxCommand)]
	for i := strings.Index(s, "\\\n"); i >= 0; i = strings.Index(s, "\\\n") { // lines that are joined
		s = strings.TrimRight(s[:i], " \t") + " " + strings.TrimLeft(s[i+2:], " \t")
	}
	if len(s) > maxCommand {
		s = s[:maxCommand]
	}
	return Part{Text: []byte(s)}.String()
}
