package wordtree

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A Keyword reports whether the word of node n is a secret by the statement it stands in, and of what kind.
type Keyword func(n int32) (facts.SecretKind, bool)

// Secrets finds every secret of the file in one pass over its words: what the platform's own statements say, hashes,
// private keys, passwords in URLs and commands; in comments and in lines nobody understood too.
func (r *Reader) Secrets(is Keyword, user func(n int32) string) {
	for i := range r.T.Nodes {
		n := &r.T.Nodes[i]
		k := int32(i)
		word := r.T.Text(k)
		if len(word) == 0 {
			continue
		}
		loose := n.Parent == None && n.First == None && n.Flags&(tree.Implied|tree.Attribute) == 0
		if n.Flags&tree.Comment != 0 || loose {
			for _, s := range TextSecrets(word, n.Flags&tree.Comment != 0) {
				r.secret(s.Kind, k, s.Start, s.End-s.Start, "")
			}
			continue
		}
		said := k
		if n.Flags&tree.Again != 0 { // the same secret on a further line
			said = n.Parent
		}
		if kind, ok := is(said); ok {
			r.secret(kind, k, 0, len(word), user(said))
			if n.First != None {
				r.repeated(kind, k, user(said))
			}
			continue
		}
		switch {
		case Hashed(word):
			r.secret(facts.SecretUser, k, 0, len(word), user(said))
		case bytes.HasPrefix(word, []byte("-----BEGIN")) && bytes.Contains(word, []byte("PRIVATE KEY")):
			r.secret(facts.SecretPrivate, k, 0, len(word), "")
		case bytes.Contains(word, []byte("://")), len(word) > 8 && bytes.IndexByte(word, ' ') > 0:
			for _, s := range TextSecrets(word, true) {
				r.secret(s.Kind, k, s.Start, s.End-s.Start, "")
			}
		}
	}
}

// repeated finds a secret that is a word on the way to others where further lines say it again: behind the same word.
func (r *Reader) repeated(kind facts.SecretKind, n int32, user string) {
	up := r.Up(n)
	if up == None {
		return
	}
	word, before := r.T.Text(n), r.T.Text(up)
	const most = 10_000
	for at, found := 0, 0; found < most; found++ {
		i := bytes.Index(r.T.Source[at:], word)
		if i < 0 {
			return
		}
		at += i
		head := bytes.TrimRight(r.T.Source[max(0, at-2*len(before)-8):at], " \t\"'")
		end := at + len(word)
		if bytes.HasSuffix(head, before) && (end == len(r.T.Source) || bytes.IndexByte([]byte(" \t\r\n\"'{"), r.T.Source[end]) >= 0) {
			off := uint32(at)
			if !r.secrets[off] {
				r.secrets[off] = true
				s := facts.Secret{Kind: kind, User: user, Name: r.Path(up), Span: r.F.Span(r.T.Base+int64(at), len(word)), Storage: Storage(word)}
				s.Guessable = s.Storage == facts.StorageClear && facts.Guessable(word)
				if s.Storage != facts.StorageMasked {
					s.Tag = r.Sink.Tag(word)
				}
				r.D.Secrets = append(r.D.Secrets, s)
			}
		}
		at = end
	}
}

// secret states length bytes of word n, from byte from of it.
func (r *Reader) secret(kind facts.SecretKind, n int32, from, length int, user string) {
	text := r.T.Text(n)[from : from+length]
	const short = 60
	if i := bytes.IndexByte(text, '\n'); i >= 0 && length < short { // no secret is a few short lines: each is one
		r.secret(kind, n, from, i, user)
		r.secret(kind, n, from+i+1, length-i-1, user)
		return
	}
	for length > 0 && text[0] <= ' ' {
		text, from, length = text[1:], from+1, length-1
	}
	if text = bytes.TrimRight(text, " \t\r\n"); len(text) == 0 {
		return
	}
	length = len(text)
	at := r.T.Nodes[n].Off + uint32(from)
	if r.secrets[at] {
		return
	}
	r.secrets[at] = true
	named := n
	if r.T.Nodes[n].Flags&tree.Again != 0 {
		named = r.T.Nodes[n].Parent
	}
	s := facts.Secret{Kind: kind, User: user, Name: r.Path(r.Up(named)), Span: r.WordSpan(n, from, length), Storage: Storage(text)}
	if s.Storage == facts.StorageClear {
		s.Guessable = facts.Guessable(text)
	}
	if s.Storage != facts.StorageMasked {
		plain := text
		if r.XML {
			plain = tree.Unescape(text)
		}
		s.Tag = r.Sink.Tag(plain)
	}
	r.D.Secrets = append(r.D.Secrets, s)
}

// Stored says how the secret at word n is kept, where the platform says it beside the word.
func (r *Reader) Stored(n int32, s facts.Storage) {
	span := r.WordSpan(n, 0, int(r.T.Nodes[n].Len))
	for i := range r.D.Secrets {
		if r.D.Secrets[i].Span == span && r.D.Secrets[i].Storage != facts.StorageMasked {
			r.D.Secrets[i].Storage, r.D.Secrets[i].Guessable = s, false
		}
	}
}

// Storage is how a secret's own text says it is kept.
func Storage(text []byte) facts.Storage {
	switch {
	case Masked(text):
		return facts.StorageMasked
	case Hashed(text):
		return facts.StorageHashed
	case bytes.HasPrefix(text, []byte("$M$")): // F5: under the unit's master key (K9420)
		return facts.StorageEncrypted
	case bytes.HasPrefix(text, []byte("-----BEGIN ENCRYPTED")):
		return facts.StorageEncrypted
	}
	return facts.StorageClear
}

// Hashed reports whether b is a hash in a crypt(3) form: "$1$", "$2y$", "$5$", "$6$", "$y$", "$argon2id$".
func Hashed(b []byte) bool {
	if len(b) < 20 || b[0] != '$' {
		return false
	}
	id, rest, ok := bytes.Cut(b[1:], []byte("$"))
	if !ok || len(rest) < 12 || bytes.IndexByte(b, ' ') >= 0 {
		return false
	}
	switch string(id) {
	case "1", "2", "2a", "2b", "2x", "2y", "5", "6", "7", "y", "gy", "sha1", "argon2i", "argon2id", "argon2d":
		return true
	}
	return false
}

// Masked reports whether b is what a tool or an operator left of a secret: "<secret hidden>", "****".
func Masked(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '<' && b[len(b)-1] == '>' || bytes.HasPrefix(b, []byte("&lt;")) && bytes.HasSuffix(b, []byte("&gt;")) {
		return true
	}
	return len(b) >= 3 && len(bytes.Trim(b, "*")) == 0
}
