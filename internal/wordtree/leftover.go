package wordtree

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
)

// An Entry is a statement that cannot bear on file transfers: its words from the top, "*" for any one, and the reason.
// Everything below it is irrelevant with it.
type Entry struct{ Path, Why string }

// A Table is the statements of a platform that cannot bear on transfers.
type Table struct {
	root    step
	entries []Entry
}

type step struct {
	kids map[string]*step
	any  *step
	why  string
}

// NewTable makes a table of entries.
func NewTable(entries []Entry) *Table {
	t := &Table{entries: entries}
	for _, e := range entries {
		at := &t.root
		for _, w := range strings.Fields(e.Path) {
			at = at.add(w)
		}
		at.why = e.Why
	}
	return t
}

func (s *step) add(w string) *step {
	if w == "*" {
		if s.any == nil {
			s.any = &step{}
		}
		return s.any
	}
	if s.kids == nil {
		s.kids = map[string]*step{}
	}
	if s.kids[w] == nil {
		s.kids[w] = &step{}
	}
	return s.kids[w]
}

// Entries are the table's entries, in their order.
func (t *Table) Entries() []Entry { return t.entries }

// LeftOver accounts for what no code read: irrelevant by the table, else it stays unrecognised. It begins below n.
func (r *Reader) LeftOver(t *Table, n int32) { r.leftOver(n, []*step{&t.root}, 0) }

func (r *Reader) leftOver(n int32, at []*step, depth int) {
	for c := r.First(n); c != None; c = r.Next(c) {
		var next []*step
		word, why := r.T.Text(c), ""
		for _, s := range at {
			for _, k := range [...]*step{s.kids[string(word)], s.any} {
				if k != nil {
					next = append(next, k)
					why += k.why
				}
			}
		}
		switch {
		case why != "":
			r.Irrelevant(c, r.Path(c))
		case len(next) > 0 && depth < 128:
			r.leftOver(c, next, depth+1)
		}
	}
}

// Irrelevant accounts for n and what is below it and not read as that; name is the statement in messages.
func (r *Reader) Irrelevant(n int32, name string) {
	if n == None {
		return
	}
	r.surface(n, name, 0)
	r.T.MarkAll(n, facts.Irrelevant)
}

// Rest accounts for n as understood, and for what is below it and not read as irrelevant, as [Reader.Irrelevant] does.
func (r *Reader) Rest(n int32) {
	if n == None {
		return
	}
	r.OK(n)
	for c := r.First(n); c != None; c = r.Next(c) {
		r.surface(c, r.Path(c), 1)
		r.T.MarkAll(c, facts.Irrelevant)
	}
}

// surface tells what bears on transfers in a statement that is irrelevant otherwise.
func (r *Reader) surface(n int32, name string, depth int) {
	if depth > 128 || r.T.Nodes[n].State != facts.Unrecognised && r.T.Nodes[n].First == None {
		return
	}
	w := r.T.Text(n)
	if depth > 0 && r.Free != nil && r.Free(w) {
		return
	}
	if r.Telltale != nil && depth > 0 {
		if why := r.Telltale(n); why != "" && r.T.Nodes[n].State == facts.Unrecognised {
			r.Unsupported(n, why)
			return
		}
	}
	switch string(w) {
	case "ftp", "ftps", "tftp", "scp", "sftp", "smb", "cifs":
		r.serverBelow(n, name)
	default:
		if len(w) > 6 && bytes.Contains(w[:min(len(w), 4096)], []byte("://")) {
			r.URLs(n, "other", name)
		}
	}
	for c := r.First(n); c != None; c = r.Next(c) {
		r.surface(c, name, depth+1)
	}
}

// serverBelow states the server named below a protocol's word.
func (r *Reader) serverBelow(n int32, name string) {
	for _, w := range [...]string{"hostname", "server", "host", "address", "ip-address", "ip", "remote-host", "addr"} {
		v := r.Value(r.Kid(n, w))
		if v == None {
			continue
		}
		kind, _ := facts.ParseProtocol(strings.ReplaceAll(r.Text(n), "cifs", "smb"))
		x := facts.Client{Use: "other", Name: name, Protocol: kind, Host: Clean(r.Bytes(v)), Enabled: facts.Say(true, r.Span(v)), Scope: r.Scope, Span: r.Span(v)}
		_, x.Addr, _ = Prefix(r.Bytes(v))
		r.D.Clients = append(r.D.Clients, x)
		r.OKAll(n)
		return
	}
}

// Moves reports whether a protocol is one of files: a page is not told where nothing says what it is for.
func Moves(k facts.Protocol) bool {
	switch k {
	case facts.FTP, facts.FTPS, facts.TFTP, facts.SMB, facts.SCP, facts.SFTP, facts.RCP, facts.NFS:
		return true
	case facts.ProtocolUnknown, facts.SmartInstall, facts.HTTP, facts.HTTPS, facts.Telnet, facts.SSH:
	}
	return false
}

// URLs states a client for every transfer URL in n's word, and reports whether there was one.
func (r *Reader) URLs(n int32, use, name string) bool {
	found := false
	for _, m := range Transfers(r.Bytes(n)) {
		if m.URL == "" || !Moves(m.Protocol) {
			continue
		}
		x := m.client(r.Span(n))
		x.Use, x.Name, x.Scope, x.Enabled = use, name, r.Scope, facts.Say(true, r.Span(n))
		r.D.Clients = append(r.D.Clients, x)
		r.OK(n)
		found = true
	}
	return found
}

// Client fills x with what the URL that is all of n's word names; false when it is no URL of a known protocol.
func (r *Reader) Client(x facts.Client, n int32) (facts.Client, bool) {
	text := bytes.TrimSpace(r.Bytes(n))
	m, ok := transferURL(text)
	if !ok {
		return x, false
	}
	y := m.client(r.Span(n))
	x.Protocol, x.URL, x.Host, x.Addr, x.Path = y.Protocol, y.URL, y.Host, y.Addr, y.Path
	if x.User == "" {
		x.User = y.User
	}
	if !x.Password.Known() && x.Password.Origin != facts.Masked {
		x.Password = y.Password
	}
	x.Span = r.Span(n)
	return x, true
}

// Path is the words from the top to n, without what may hold a secret.
func (r *Reader) Path(n int32) string {
	const longest = 120
	size := 0
	var words [][]byte
	for k := n; k != None; k = r.Up(k) {
		if w := r.T.Text(k); !bytes.Contains(w, []byte("://")) && !Hashed(w) && !r.secrets[r.T.Nodes[k].Off] && size+len(w) < longest {
			words = append(words, w)
			size += len(w) + 1
		}
	}
	out := make([]byte, 0, size)
	for i := len(words) - 1; i >= 0; i-- {
		if len(out) > 0 {
			out = append(out, ' ')
		}
		out = append(out, words[i]...)
	}
	return r.Intern(out)
}

// Clean is text for a fact, without secrets and bounded.
func Clean(text []byte) string {
	s := strings.Clone(copycmd.Mask(text, TextSecrets(text, true)))
	const longest = 512
	if len(s) > longest {
		s = s[:longest]
	}
	return strings.ToValidUTF8(s, "?")
}
