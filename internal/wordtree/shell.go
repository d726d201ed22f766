package wordtree

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// A Transfer is a file transfer in the text of a command.
type Transfer struct {
	Protocol facts.Protocol
	URL      string // without credentials; empty when the command has none
	Host     string
	Addr     netip.Addr
	Path     string
	User     string
	Password bool // a password is in the text
}

func (m *Transfer) client(span evidence.Span) facts.Client {
	return facts.Client{
		Protocol: m.Protocol, URL: m.URL, Host: m.Host, Addr: m.Addr, Path: m.Path, User: m.User, Password: facts.Say(m.Password, span), Span: span,
	}
}

// transferURL reads a URL that is all of b.
func transferURL(b []byte) (Transfer, bool) {
	u, ok := copycmd.ParseURL(b)
	if !ok || !bytes.Contains(b, []byte("://")) {
		return Transfer{}, false
	}
	m := Transfer{Protocol: u.Protocol, URL: strings.Clone(u.Text), Host: strings.Clone(u.Host), Addr: u.Addr, Path: strings.Clone(u.Path)}
	m.Password = len(copycmd.URLSecrets(nil, b)) > 0
	_, rest, _ := bytes.Cut(b, []byte("://"))
	if at := bytes.LastIndexByte(rest, '@'); at > 0 && m.Protocol != facts.TFTP {
		user, _, _ := bytes.Cut(rest[:at], []byte(":"))
		if bytes.IndexByte(user, '/') < 0 {
			m.User = string(user)
		}
	}
	return m, true
}

// Transfers are the transfers that a text makes which a shell would run: each URL of a transfer protocol, and the programs
// that speak one (curl(1), tftp(1), ftp(1), scp(1), sftp(1), smbclient(1), lftp(1), ncftpput(1)).
func Transfers(text []byte) []Transfer {
	var out []Transfer
	const most = 64
	for len(text) > 0 && len(out) < most {
		end := bytes.IndexAny(text, ";|&\n")
		command := text
		if end >= 0 {
			command, text = text[:end], text[end+1:]
		} else {
			text = nil
		}
		out = append(out, command1(command)...)
	}
	return out
}

func split(text []byte) [][]byte {
	return bytes.FieldsFunc(text, func(c rune) bool { return strings.ContainsRune(" \t\r\"'`(){}<>,", c) })
}

func command1(text []byte) []Transfer {
	if len(text) > 1<<16 {
		text = text[:1<<16]
	}
	words := split(text)
	var out []Transfer
	for _, w := range words {
		if i := bytes.Index(w, []byte("://")); i > 0 {
			from := i
			for from > 0 && w[from-1]|0x20-'a' <= 'z'-'a' {
				from--
			}
			if m, ok := transferURL(w[from:]); ok {
				out = append(out, m)
			}
		}
	}
	if len(out) > 0 {
		return out
	}
	for i, w := range words {
		name := w[bytes.LastIndexByte(w, '/')+1:]
		if m, ok := program(string(name), words[i+1:]); ok {
			return []Transfer{m}
		}
	}
	return nil
}

// program reads the arguments of a program that transfers files.
func program(name string, args [][]byte) (Transfer, bool) {
	switch name {
	case "tftp", "atftp":
		return hostArgument(facts.TFTP, args)
	case "ftp", "lftp", "ncftp", "ncftpput", "ncftpget":
		return hostArgument(facts.FTP, args)
	case "sftp":
		return remote(facts.SFTP, args, false)
	case "scp", "pscp":
		return remote(facts.SCP, args, true)
	case "smbclient":
		for _, a := range args {
			if share, ok := bytes.CutPrefix(a, []byte("//")); ok {
				host, path, _ := bytes.Cut(share, []byte("/"))
				m := Transfer{Protocol: facts.SMB, Host: string(host), Path: string(path)}
				_, m.Addr, _ = Prefix(host)
				return m, true
			}
		}
	}
	return Transfer{}, false
}

// hostArgument is the first argument that may be a host: options and their values are not.
func hostArgument(p facts.Protocol, args [][]byte) (Transfer, bool) {
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a[0] == '-' {
			if len(a) == 2 && bytes.IndexByte([]byte("rlcmuPpbo"), a[1]) >= 0 {
				i++
			}
			continue
		}
		if bytes.IndexByte(a, '.') < 0 && bytes.IndexByte(a, ':') < 0 && i+1 < len(args) {
			continue
		}
		m := Transfer{Protocol: p, Host: string(a)}
		_, m.Addr, _ = Prefix(a)
		return m, true
	}
	return Transfer{}, false
}

// remote is the first argument "[user@]host:path"; without colon, where the protocol does not need one, "[user@]host".
func remote(p facts.Protocol, args [][]byte, colon bool) (Transfer, bool) {
	for _, a := range args {
		host, path, found := bytes.Cut(a, []byte(":"))
		if a[0] == '-' || bytes.IndexByte(host, '/') >= 0 || !found && (colon || bytes.IndexByte(host, '@') < 0) {
			continue
		}
		m := Transfer{Protocol: p, Path: string(path)}
		if at := bytes.LastIndexByte(host, '@'); at >= 0 {
			m.User, host = string(host[:at]), host[at+1:]
		}
		m.Host = string(host)
		_, m.Addr, _ = Prefix(host)
		return m, true
	}
	return Transfer{}, false
}

// Does adds a command to hook h, and a client for the transfer it makes.
func (r *Reader) Does(h *facts.Hook, use string, n int32) {
	text := r.Bytes(n)
	c := facts.HookCommand{Text: Clean(text), Span: r.Span(n)}
	for i, m := range Transfers(text) {
		if i == 0 {
			c.Protocol, c.URL, c.Host = m.Protocol, m.URL, m.Host
		}
		if !Moves(m.Protocol) {
			continue
		}
		x := m.client(r.Span(n))
		x.Use, x.Name, x.Enabled, x.Automatic, x.Period, x.Scope = use, h.Name, h.Enabled, use != "script", h.Period, r.Scope
		r.D.Clients = append(r.D.Clients, x)
	}
	h.Commands = append(h.Commands, c)
	r.OKAll(n)
}

// shellSecrets are the passwords that programs are given as arguments: "-u user:password" (curl), "-p password" (sshpass,
// ncftpput), "-U user%password" (smbclient).
func shellSecrets(dst []copycmd.Secret, text []byte) []copycmd.Secret {
	words := argWords(text)
	tool := ""
	for i, w := range words {
		s := string(text[w[0]:w[1]])
		switch name := s[strings.LastIndexByte(s, '/')+1:]; name {
		case "curl", "wget", "lftp", "ncftpput", "ncftpget", "sshpass", "smbclient", "ncftp":
			tool = name
		}
		add := func(from, to int) {
			if from < to {
				dst = append(dst, copycmd.Secret{Start: from, End: to, Kind: facts.SecretFTP, Storage: facts.StorageClear})
			}
		}
		switch {
		case tool == "":
		case tool == "sshpass" && len(s) > 2 && strings.HasPrefix(s, "-p"):
			add(w[0]+2, w[1])
		case strings.HasPrefix(s, "--password="), strings.HasPrefix(s, "--ftp-password="), strings.HasPrefix(s, "--http-password="):
			add(w[0]+strings.IndexByte(s, '=')+1, w[1])
		case i+1 == len(words):
		case (s == "-u" || s == "--user" || s == "-U") && tool != "ncftpput" && tool != "ncftpget":
			v := words[i+1]
			if at := bytes.IndexAny(text[v[0]:v[1]], ":%,"); at >= 0 {
				add(v[0]+at+1, v[1])
			}
		case (s == "-p" || s == "--password") && tool != "curl" && tool != "wget":
			add(words[i+1][0], words[i+1][1])
		}
	}
	return dst
}

// argWords are where the words of a command lie, without their quotes.
func argWords(text []byte) [][2]int {
	var out [][2]int
	for i := 0; i < len(text) && len(out) < 512; {
		for i < len(text) && strings.IndexByte(" \t\r\n;|&\"'", text[i]) >= 0 {
			i++
		}
		from := i
		for i < len(text) && strings.IndexByte(" \t\r\n;|&\"'", text[i]) < 0 {
			i++
		}
		if from < i {
			out = append(out, [2]int{from, i})
		}
	}
	return out
}

// TextSecrets are the secrets of free text, in order and without overlap: passwords in URLs and commands, words in a crypt
// form, and, in a line that is not a comment, what follows a word that introduces a secret.
func TextSecrets(text []byte, comment bool) []copycmd.Secret {
	out := shellSecrets(copycmd.URLSecrets(nil, text), text)
	for _, w := range argWords(text) {
		if Hashed(text[w[0]:w[1]]) {
			out = append(out, copycmd.Secret{Start: w[0], End: w[1], Kind: facts.SecretUser})
		}
	}
	if !comment {
		out = copycmd.Secrets(out, text)
	}
	slices.SortFunc(out, func(a, b copycmd.Secret) int { return a.Start - b.Start })
	kept := out[:0]
	for _, s := range out {
		if n := len(kept); n > 0 && s.Start < kept[n-1].End {
			kept[n-1].End = max(kept[n-1].End, s.End)
			continue
		}
		kept = append(kept, s)
	}
	return kept
}
