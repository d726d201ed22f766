package panos

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// secrets finds every secret of the file in one pass over its words, wherever they stand: the elements the schema says are
// kept encrypted, whatever is encrypted as they are, hashes, and passwords in URLs; in comments and in lines nobody
// understood too. Outputs mask by what it finds.
func (p *parser) secrets() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		k := int32(i)
		if n.Flags&tree.Comment != 0 || n.Parent == none && n.First == none && n.Flags&(tree.Implied|tree.Attribute) == 0 && p.shape == setShape {
			p.looseSecrets(k)
			continue
		}
		word, said := p.t.Text(k), k
		if len(word) == 0 {
			continue
		}
		if n.Flags&tree.Again != 0 { // the same secret on a further line
			said = n.Parent
		}
		if n.First == none || said != k {
			if kind, is := p.keyword(said, word); is {
				p.secret(kind, k, 0, len(word))
				continue
			}
		}
		switch {
		case encrypted(word):
			p.secret(facts.SecretOther, k, 0, len(word))
		case word[0] == '$' && hashed(word):
			p.secret(facts.SecretUser, k, 0, len(word))
		case word[0] == '-' && bytes.HasPrefix(word, []byte("-----BEGIN")) && bytes.Contains(word, []byte("PRIVATE KEY")):
			p.secret(facts.SecretPrivate, k, 0, len(word))
		case n.First == none && n.Parent == none && n.Flags&tree.Attribute == 0 && p.shape == xmlShape: // outside every element
			p.looseSecrets(k)
		case len(word) > 7 && bytes.IndexByte(word, ':') >= 0 && bytes.Contains(word, []byte("://")):
			for _, s := range copycmd.URLSecrets(nil, word) {
				p.secret(facts.SecretURL, k, s.Start, s.End-s.Start)
			}
		}
	}
}

// keyword reports whether the word before word n introduces a secret, and of what kind.
func (p *parser) keyword(n int32, word []byte) (facts.SecretKind, bool) {
	parent := p.t.Nodes[n].Parent
	if parent < 0 {
		return 0, false
	}
	before := p.t.Text(parent)
	if len(before) < 3 || len(before) > 32 {
		return 0, false
	}
	switch string(before) {
	case "phash":
		return facts.SecretUser, true
	case "password":
		switch {
		case p.above(n, "users") != none, p.above(n, "user") != none:
			return facts.SecretUser, true
		case p.above(n, "ftp") != none, p.above(n, "tftp") != none, p.above(n, "scp") != none:
			return facts.SecretFTP, true
		}
		return facts.SecretOther, true
	case "authpwd", "privpwd":
		return facts.SecretSNMPv3, true
	case "snmp-community-string":
		return facts.SecretCommunity, true
	case "community":
		return facts.SecretCommunity, p.above(n, "snmptrap") != none || p.above(n, "snmp-setting") != none
	case "secret", "authentication-key", "agent-user-override-key":
		return facts.SecretKey, true
	case "key":
		return facts.SecretKey, p.keyed(parent)
	case "private-key", "kerberos-keytab", "keytab", "service-account-cred":
		return facts.SecretPrivate, true
	case "passcode", "passphrase", "secret-access-key", "vm-auth-key", "auth-key", "api-key", "client-secret", "authorization-code", "token":
		return facts.SecretOther, true
	}
	return facts.SecretOther, bytes.HasSuffix(before, []byte("-password")) || bytes.HasSuffix(before, []byte("-passwd"))
}

// keyed reports whether "key" is one of cryptography: of an IKE gateway, of a manual one, of a routing protocol.
func (p *parser) keyed(parent int32) bool {
	for k := p.t.Nodes[parent].Parent; k >= 0; k = p.t.Nodes[k].Parent {
		switch string(p.t.Text(k)) {
		case "pre-shared-key", "manual-key", "auth-profile", "authentication", "encryption", "md5":
			return true
		}
	}
	return false
}

// above is the nearest node above n with that word.
func (p *parser) above(n int32, word string) int32 {
	for n = p.t.Nodes[n].Parent; n >= 0; n = p.t.Nodes[n].Parent {
		if p.is(n, word) {
			return n
		}
	}
	return none
}

// encrypted reports whether b is a value under the master key: "-AQ==", a digest and the ciphertext in base64. The key is
// not in the evidence; unless somebody changed it, it is the same on every firewall ("Master Key and Diagnostics").
func encrypted(b []byte) bool {
	return len(b) > 20 && bytes.HasPrefix(b, []byte("-A")) && bytes.Contains(b[:8], []byte("=="))
}

// hashed reports whether b is a crypt(3) hash with a prefix.
func hashed(b []byte) bool {
	return len(b) > 12 && b[0] == '$' && b[2] == '$' && (b[1] == '1' || b[1] == '5' || b[1] == '6')
}

// masked reports whether b is what a tool or an operator left of a secret.
func masked(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '<' && b[len(b)-1] == '>' || bytes.HasPrefix(b, []byte("&lt;")) && bytes.HasSuffix(b, []byte("&gt;")) {
		return true
	}
	return len(b) >= 3 && len(bytes.Trim(b, "*")) == 0
}

// secret adds length bytes of word n.
func (p *parser) secret(kind facts.SecretKind, n int32, from, length int) {
	word := p.t.Text(n)[from : from+length]
	if length == 0 {
		return
	}
	span := p.wordSpan(n, from, length)
	if p.t.Nodes[n].Flags&tree.Again != 0 {
		n = p.t.Nodes[n].Parent
	}
	s := facts.Secret{Kind: kind, Scope: p.scopeAt(n), Span: span, Name: p.statementName(n)}
	switch {
	case masked(word):
		s.Storage = facts.StorageMasked
	case encrypted(word), kind == facts.SecretPrivate && bytes.Contains(word[:min(len(word), 40)], []byte("BEGIN ENCRYPTED")):
		s.Storage = facts.StorageEncrypted
	case hashed(word), kind == facts.SecretUser && p.t.Nodes[n].Parent >= 0 && p.is(p.t.Nodes[n].Parent, "phash"):
		s.Storage = facts.StorageHashed
	default:
		s.Storage = facts.StorageClear
		s.Guessable = facts.Guessable(word)
	}
	if s.Storage != facts.StorageMasked {
		plain := word
		if p.shape == xmlShape {
			plain = tree.Unescape(word)
		}
		s.Tag = p.sink.Tag(plain)
	}
	if kind == facts.SecretUser {
		for _, w := range [...]string{"users", "user"} {
			if up := p.above(n, w); up != none {
				s.User = p.childTowards(up, n)
				break
			}
		}
	}
	if kind == facts.SecretFTP || kind == facts.SecretOther {
		if up := p.t.Nodes[n].Parent; up >= 0 && p.t.Nodes[up].Parent >= 0 {
			if v := p.value(p.kid(p.t.Nodes[up].Parent, "username")); v != none {
				s.User = p.text(v)
			}
		}
	}
	p.d.Secrets = append(p.d.Secrets, s)
}

// childTowards is the word below a on the way to n.
func (p *parser) childTowards(a, n int32) string {
	for k := n; k >= 0; k = p.t.Nodes[k].Parent {
		if p.t.Nodes[k].Parent == a {
			return p.text(k)
		}
	}
	return ""
}

// scopeAt is the virtual system, device group or template n lies in.
func (p *parser) scopeAt(n int32) string {
	for k := n; k >= 0; k = p.t.Nodes[k].Parent {
		up := p.t.Nodes[k].Parent
		if up < 0 {
			return ""
		}
		switch string(p.t.Text(up)) {
		case "template", "template-stack":
			return p.text(up) + " " + p.text(k)
		case "device-group":
			return p.text(k)
		case "vsys":
			for _, b := range p.lay.boxes {
				for _, v := range b.vsyses {
					if slices.Contains(v.roots, k) {
						return v.scope
					}
				}
			}
		}
	}
	return ""
}

// wrapper reports whether a word only says where a configuration stands.
func wrapper(w []byte) bool {
	switch string(w) {
	case "config", "devices", "localhost.localdomain", "response", "result":
		return true
	}
	return false
}

// statementName is the words above n, without the place they stand in and without what may hold a secret.
func (p *parser) statementName(n int32) string {
	const longest = 120
	size := 0
	var words [][]byte
	for k := p.t.Nodes[n].Parent; k >= 0; k = p.t.Nodes[k].Parent {
		if w := p.t.Text(k); !wrapper(w) && !bytes.Contains(w, []byte("://")) && !encrypted(w) && !hashed(w) && size+len(w) < longest {
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
	return p.intern(out)
}

// textSecrets are the secrets of free text, in order and without overlap: passwords in URLs, words in a crypt form, and, in
// a line that is not a comment, what follows a word that introduces a secret.
func textSecrets(text []byte, comment bool) []copycmd.Secret {
	out := copycmd.URLSecrets(nil, text)
	for at := 0; at < len(text); {
		for at < len(text) && bytes.IndexByte([]byte(" \t\n\"';<>"), text[at]) >= 0 {
			at++
		}
		end := at
		for end < len(text) && bytes.IndexByte([]byte(" \t\n\"';<>"), text[end]) < 0 {
			end++
		}
		if w := text[at:end]; len(w) > 12 && (hashed(w) || encrypted(w)) {
			out = append(out, copycmd.Secret{Start: at, End: end})
		}
		at = end
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

// clean is text for a fact, without secrets.
func clean(text []byte) string {
	if len(text) < 8 {
		return string(text)
	}
	return strings.Clone(copycmd.Mask(text, textSecrets(text, true)))
}

// looseSecrets adds the secrets of a comment or of a line that is no statement.
func (p *parser) looseSecrets(n int32) {
	for _, s := range textSecrets(p.t.Text(n), p.t.Nodes[n].Flags&tree.Comment != 0) {
		p.secret(s.Kind, n, s.Start, s.End-s.Start)
	}
}
