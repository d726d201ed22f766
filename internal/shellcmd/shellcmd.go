// Package shellcmd reads the file transfers out of command lines for the shells of Unix hosts, and finds the secrets in
// them.
//
// [Read] cuts a line into its commands, looks through what only starts another command (sudo, timeout, sh -c) and knows
// the clients that move files: ftp, lftp, ncftp, curl, wget, tftp, atftp, scp, sftp, rcp, smbclient, mounts of SMB shares
// and others; of any other command a transfer URL counts. Nothing is expanded or resolved: a host in a variable is the
// variable's name, and what a script that is called does is not known. Places are offsets in the line.
package shellcmd

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// A Transfer is one that a command makes.
type Transfer struct {
	Tool     string // the client
	Protocol facts.Protocol
	Host     string // empty when the command does not name one
	Addr     netip.Addr
	Port     uint16 // 0 is the protocol's own
	Path     string
	User     string
	URL      string // without credentials; empty when no host is known
	// Sends and Fetches say what is known of the direction; both may be false.
	Sends, Fetches bool
	Password       bool // the command holds one
	Start, End     int  // the command
}

// maxDepth bounds commands inside commands, maxLine the text that is looked at.
const (
	maxDepth = 8
	maxLine  = 64 << 10
)

// Read reads a line of any number of commands.
func Read(line []byte) ([]Transfer, []copycmd.Secret) {
	r := reader{}
	line = line[:min(len(line), maxLine)]
	r.commands(line, 0, cover{0, len(line)}, 0)
	return r.transfers, r.sorted()
}

type reader struct {
	transfers []Transfer
	secrets   []copycmd.Secret
}

// sorted is the secrets in order, without overlap.
func (r *reader) sorted() []copycmd.Secret {
	slices.SortFunc(r.secrets, func(a, b copycmd.Secret) int { return a.Start - b.Start })
	var out []copycmd.Secret
	for _, s := range r.secrets {
		if n := len(out); n > 0 && s.Start < out[n-1].End {
			out[n-1].End = max(out[n-1].End, s.End)
			continue
		}
		out = append(out, s)
	}
	return out
}

// A word is one word of a command: what it says, and where it stands with its quotes.
type word struct {
	text       []byte
	start, end int
	at         int // where text itself lies in the line; -1 when escapes were taken out of it
}

func (w word) is(names ...string) bool { return slices.Contains(names, string(w.text)) }

// A command is a simple command.
type command struct {
	r     *reader
	words []word
	depth int
}

// A cover is the part of the line that holds a text.
type cover struct{ from, to int }

// commands reads text, which lies at base of the line. base -1: it does not lie there byte for byte, only somewhere in in.
func (r *reader) commands(text []byte, base int, in cover, depth int) {
	if depth > maxDepth {
		return
	}
	l := lexer{text: text, base: base, in: in}
	for {
		words, nested, more := l.next()
		for _, n := range nested {
			r.commands(n.text, n.at, in, depth+1)
		}
		if len(words) > 0 {
			c := command{r, words, depth}
			c.read()
		}
		if !more {
			return
		}
	}
}

// name is the program's name without its folder.
func (c *command) name() string {
	if len(c.words) == 0 {
		return ""
	}
	t := c.words[0].text
	if i := bytes.LastIndexByte(t, '/'); i >= 0 {
		t = t[i+1:]
	}
	return string(t)
}

// read reads one simple command.
func (c *command) read() {
	c.assignments()
	for len(c.words) > 0 {
		if !c.unwrap() {
			break
		}
		c.assignments()
	}
	if len(c.words) == 0 {
		return
	}
	if client := clientOf(c.name()); client != nil {
		client(c)
		return
	}
	c.other()
}

// assignments takes "NAME=value" before a command; values of names that say so are secrets.
func (c *command) assignments() {
	for len(c.words) > 0 {
		name, value, found := bytes.Cut(c.words[0].text, []byte("="))
		if !found || !identifier(name) {
			return
		}
		upper := strings.ToUpper(string(name))
		for _, s := range []string{"PASS", "SECRET", "TOKEN", "PWD_", "APIKEY", "API_KEY"} {
			if strings.Contains(upper, s) && len(value) > 0 && value[0] != '$' {
				c.secret(c.words[0], len(name)+1, len(c.words[0].text), facts.SecretOther, string(name))
				break
			}
		}
		c.urls(c.words[0])
		c.words = c.words[1:]
	}
}

func identifier(b []byte) bool {
	for i, x := range b {
		if x != '_' && (x|0x20 < 'a' || x|0x20 > 'z') && (i == 0 || x < '0' || x > '9') {
			return false
		}
	}
	return len(b) > 0
}

// secret says that w.text[from:to] is one. Where the text does not lie in the line as it is, the whole word is.
func (c *command) secret(w word, from, to int, kind facts.SecretKind, name string) {
	s := copycmd.Secret{Start: w.start, End: w.end, Kind: kind, Storage: facts.StorageClear, Name: name}
	if w.at >= 0 {
		s.Start, s.End = w.at+from, w.at+to
	}
	if from < to && s.Start >= 0 && s.Start < s.End && !bytes.HasPrefix(w.text[from:to], []byte("$")) {
		c.r.secrets = append(c.r.secrets, s)
	}
}

// urls finds the passwords in a word's URLs.
func (c *command) urls(w word) {
	for _, s := range copycmd.URLSecrets(nil, w.text) {
		c.secret(w, s.Start, s.End, s.Kind, s.Name)
	}
}

// give states a transfer.
func (c *command) give(t Transfer) {
	t.Start, t.End = c.words[0].start, c.words[len(c.words)-1].end
	if t.Tool == "" {
		t.Tool = c.name()
	}
	if !t.Addr.IsValid() {
		if a, err := netip.ParseAddr(strings.Trim(t.Host, "[]")); err == nil && a.Zone() == "" {
			t.Addr = a.Unmap()
		}
	}
	if t.URL == "" && t.Host != "" {
		host := t.Host
		if t.Addr.Is6() {
			host = "[" + strings.Trim(host, "[]") + "]"
		}
		if t.Port != 0 {
			host += ":" + itoa(t.Port)
		}
		t.URL = t.Protocol.String() + "://" + host + "/" + strings.TrimLeft(t.Path, "/")
	}
	c.r.transfers = append(c.r.transfers, t)
}

func itoa(n uint16) string {
	var b [5]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return string(b[i:])
		}
	}
}

// other states the transfer URLs in any command: "open smb://...", "osascript -e '... smb://...'". A URL of HTTP is none.
func (c *command) other() {
	for _, w := range c.words[1:] {
		c.urls(w)
		for at := 0; ; {
			i := bytes.Index(w.text[at:], []byte("://"))
			if i < 0 {
				break
			}
			start, end := at+i, at+i+3
			for start > at && w.text[start-1]|0x20 >= 'a' && w.text[start-1]|0x20 <= 'z' {
				start--
			}
			for end < len(w.text) && bytes.IndexByte([]byte(" \t\n\"'<>|;"), w.text[end]) < 0 {
				end++
			}
			if t, ok := c.url(w.text[start:end]); ok && t.Protocol != facts.HTTP && t.Protocol != facts.HTTPS {
				c.give(t)
			}
			at = end
		}
	}
	for _, w := range c.words[1:] {
		if bytes.Contains(w.text, []byte("ftplib")) { // python -c
			c.give(Transfer{Protocol: facts.FTP})
			return
		}
	}
}

// url reads a transfer URL.
func (c *command) url(text []byte) (Transfer, bool) {
	u, ok := copycmd.ParseURL(text)
	if !ok || !bytes.Contains(text, []byte("://")) {
		return Transfer{}, false
	}
	t := Transfer{Protocol: u.Protocol, Host: strings.Clone(u.Host), Addr: u.Addr, Path: strings.Clone(u.Path), URL: strings.Clone(u.Text)}
	rest := text[bytes.Index(text, []byte("://"))+3:]
	if at := bytes.IndexByte(rest, '@'); at >= 0 && u.Text != string(text) {
		user := rest[:at]
		if colon := bytes.IndexByte(user, ':'); colon >= 0 {
			t.Password = colon+1 < len(user)
			user = user[:colon]
		}
		t.User = string(user)
	}
	if i := strings.Index(t.URL, "://"+t.Host+":"); i >= 0 {
		digits := t.URL[i+len("://"+t.Host+":"):]
		if j := strings.IndexByte(digits, '/'); j >= 0 {
			digits = digits[:j]
		}
		t.Port = number(digits)
	}
	return t, true
}

func number(s string) uint16 {
	n := 0
	for _, c := range s {
		if c < '0' || c > '9' || n > 65535 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if n > 65535 {
		return 0
	}
	return uint16(n)
}
