package junos

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// secrets finds every secret of the file in one pass over its words, wherever they stand: in groups nobody applies, in
// statements switched off, in comments and in lines nobody understood too. Outputs mask by what it finds.
func (p *parser) secrets() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Flags&tree.Inherited != 0 {
			continue
		}
		k := int32(i)
		if n.Flags&tree.Comment != 0 || n.Parent == none && n.First == none && n.Flags&tree.Implied == 0 {
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
		if kind, is := p.keyword(said, word); is {
			p.secret(kind, k, word)
			continue
		}
		switch {
		case word[0] == '$' && crypted(word) != facts.StorageUnknown:
			p.secret(facts.SecretOther, k, word)
		case n.Flags&tree.Secret != 0 && n.First == none:
			p.secret(facts.SecretOther, k, word)
		case len(word) > 7 && bytes.IndexByte(word, ':') >= 0 && bytes.Contains(word, []byte("://")):
			p.urlSecrets(k, word)
		case len(word) > 30 && bytes.HasPrefix(word, []byte("-----BEGIN")) && bytes.Contains(word, []byte("PRIVATE KEY")):
			p.secret(facts.SecretPrivate, k, word)
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
	if len(before) < 3 || len(before) > 28 {
		return 0, false
	}
	switch string(before) {
	case "encrypted-password", "plain-text-password-value", "local-password":
		return facts.SecretUser, true
	case "password":
		return p.password(n, parent, word)
	case "secret", "backup-secret":
		return facts.SecretKey, p.t.Nodes[n].First == none
	case "authentication-key", "hello-authentication-key", "simple-password", "ascii-text", "hexadecimal",
		"preshared-key", "private-key-passphrase", "chap-secret", "default-chap-secret", "pap-password",
		"default-password", "shared-secret", "passphrase", "wep-key", "cak", "snmp-community":
		if p.above(n, "snmp") != none {
			return facts.SecretSNMPv3, true
		}
		return facts.SecretKey, true
	case "authentication-password", "privacy-password", "privacy-key":
		return facts.SecretSNMPv3, true
	case "key":
		return facts.SecretKey, crypted(word) != facts.StorageUnknown
	case "community", "trap-group":
		up := p.t.Nodes[parent].Parent
		return facts.SecretCommunity, up >= 0 && p.is(up, "snmp")
	case "community-name":
		return facts.SecretCommunity, true
	}
	return 0, false
}

// password tells a password from the settings that share its statement ("system login password minimum-length").
func (p *parser) password(n, parent int32, word []byte) (facts.SecretKind, bool) {
	up := p.t.Nodes[parent].Parent
	if up < 0 || p.is(up, "login") || p.is(up, "authentication-order") || p.t.Nodes[n].First != none {
		return 0, false
	}
	if bytes.Contains(p.t.Text(up), []byte("://")) || p.above(n, "archive-sites") != none {
		return facts.SecretFTP, true
	}
	return facts.SecretOther, true
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

// crypted is the storage a crypt prefix tells: $9$ is an obfuscation anyone can undo, $8$ is AES under the master password
// ("Harden Shared Secrets in Junos OS"), the others are one-way hashes.
func crypted(b []byte) facts.Storage {
	switch {
	case bytes.HasPrefix(b, []byte("$9$")):
		return facts.StorageReversible
	case bytes.HasPrefix(b, []byte("$8$")):
		return facts.StorageEncrypted
	case bytes.HasPrefix(b, []byte("$sha1$")), len(b) > 3 && b[0] == '$' && b[2] == '$' && (b[1] == '1' || b[1] == '5' || b[1] == '6'),
		bytes.HasPrefix(b, []byte("$2")) && len(b) > 20:
		return facts.StorageHashed
	}
	return facts.StorageUnknown
}

// secret adds word n.
func (p *parser) secret(kind facts.SecretKind, n int32, word []byte) {
	p.addSecret(kind, n, 0, len(word))
}

func (p *parser) addSecret(kind facts.SecretKind, n int32, from, length int) {
	word := p.t.Text(n)[from : from+length]
	if i := bytes.IndexByte(word, '\n'); i >= 0 && kind != facts.SecretPrivate { // a quote that was not closed
		word, length = word[:i], i
	}
	if length == 0 {
		return
	}
	span := p.wordSpan(n, from, length)
	if p.t.Nodes[n].Flags&tree.Again != 0 {
		n = p.t.Nodes[n].Parent
	}
	s := facts.Secret{Kind: kind, Scope: p.scopeOf(n), Span: span, Name: p.statementName(n)}
	switch s.Storage = crypted(word); {
	case masked(word):
		s.Storage = facts.StorageMasked
	case s.Storage != facts.StorageUnknown:
	case kind == facts.SecretUser:
		// A hash in a form of its own, or what stands for one.
	default:
		s.Storage = facts.StorageClear
	}
	if s.Storage != facts.StorageMasked {
		s.Tag = p.sink.Tag(word)
	}
	switch user := p.above(n, "user"); {
	case p.above(n, "root-authentication") != none:
		s.User = "root"
	case user != none:
		for k := n; k >= 0; k = p.t.Nodes[k].Parent {
			if p.t.Nodes[k].Parent == user {
				s.User = p.text(k)
			}
		}
	case kind == facts.SecretURL:
		u, _ := parseURL(p.t.Text(n))
		s.User = u.user
	case kind == facts.SecretFTP:
		u, _ := parseURL(p.t.Text(p.t.Nodes[p.t.Nodes[n].Parent].Parent))
		s.User = u.user
	}
	p.d.Secrets = append(p.d.Secrets, s)
}

// scopeOf is the logical system or tenant n lies in.
func (p *parser) scopeOf(n int32) string {
	top, name := n, none
	for p.t.Nodes[top].Parent >= 0 {
		name, top = top, p.t.Nodes[top].Parent
	}
	if name != none && (p.is(top, "logical-systems") || p.is(top, "tenants")) {
		return p.text(name)
	}
	return ""
}

// statementName is the words above n, without those that hold a URL: "system archival configuration archive-sites password".
func (p *parser) statementName(n int32) string {
	const longest = 120
	size := 0
	var words [][]byte
	for k := p.t.Nodes[n].Parent; k >= 0; k = p.t.Nodes[k].Parent {
		if w := p.t.Text(k); !bytes.Contains(w, []byte("://")) && size+len(w) < longest {
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

// urlSecrets adds the passwords in the URLs a word holds: one that is a URL, or a command with one in it.
func (p *parser) urlSecrets(n int32, word []byte) {
	for _, s := range urlPasswords(nil, word) {
		p.addSecret(s.Kind, n, s.Start, s.End-s.Start)
	}
}

// urlPasswords appends the passwords of the URLs in text, whatever their scheme, in order.
func urlPasswords(dst []copycmd.Secret, text []byte) []copycmd.Secret {
	for at := 0; at < len(text); {
		i := bytes.Index(text[at:], []byte("://"))
		if i < 0 {
			break
		}
		start := at + i + 3
		end := start
		for end < len(text) && (bytes.IndexByte([]byte(" \t\n\"'"), text[end]) < 0 || inPlaceholder(text[start:end])) {
			end++
		}
		url := text[:end]
		if host := credentials(url, start); host > start {
			if colon := bytes.IndexByte(url[start:host], ':'); colon >= 0 && start+colon+1 < host-1 {
				dst = append(dst, copycmd.Secret{Start: start + colon + 1, End: host - 1, Kind: facts.SecretURL})
			}
		}
		at = end
	}
	return dst
}

// inPlaceholder reports whether b ends inside "<secret removed>".
func inPlaceholder(b []byte) bool {
	i := bytes.LastIndexByte(b, '<')
	return i > bytes.LastIndexByte(b, '>') && bytes.HasPrefix(b[i:], []byte("<secret"))
}

// suspect reports whether text may hold a secret.
func suspect(text []byte) bool {
	return bytes.IndexByte(text, '$') >= 0 || bytes.Contains(text, []byte("://")) || bytes.Contains(text, []byte("password")) ||
		bytes.Contains(text, []byte("secret")) || bytes.Contains(text, []byte("key"))
}

// textSecrets are the secrets of free text or of a command, in order and without overlap: passwords in URLs, words in a
// crypt form, and, in a line that is not a comment, what follows a word that introduces a secret.
func textSecrets(text []byte, comment bool) []copycmd.Secret {
	if !suspect(text) {
		return nil
	}
	out := urlPasswords(nil, text)
	for at := 0; at < len(text); {
		for at < len(text) && bytes.IndexByte([]byte(" \t\n\"';"), text[at]) >= 0 {
			at++
		}
		end := at
		for end < len(text) && bytes.IndexByte([]byte(" \t\n\"';"), text[end]) < 0 {
			end++
		}
		if crypted(text[at:end]) != facts.StorageUnknown {
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
	return strings.Clone(copycmd.Mask(text, textSecrets(text, true)))
}

// looseSecrets adds the secrets of a comment or of a line that is no statement.
func (p *parser) looseSecrets(n int32) {
	for _, s := range textSecrets(p.t.Text(n), p.t.Nodes[n].Flags&tree.Comment != 0) {
		p.addSecret(s.Kind, n, s.Start, s.End-s.Start)
	}
}
