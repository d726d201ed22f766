package ciscoasa

import (
	"bytes"
	"cmp"
	"slices"
	"sort"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// How the ASA keeps secrets (Cisco ASA command reference: enable password, username, password encryption aes):
// "encrypted" and "pbkdf2" after a password are a salted MD5 and a PBKDF2-SHA-512 hash, "nt-encrypted" and "mschap" an
// MD4 hash. "0" before a key is clear text and "8" AES under the primary key, which is not in the configuration. "*****"
// stands for a key in "show running-config"; "more system:running-config" prints the key itself.

// secret records the secret that word i is, kept as the words around it say. It returns what was recorded.
func (p *parser) secret(i int, kind facts.SecretKind, name, user string) facts.Secret {
	i, storage := p.operand(i)
	if i >= len(p.w) {
		return facts.Secret{}
	}
	w := p.w[i]
	value := p.t.At(w)
	s := facts.Secret{Kind: kind, Storage: storage, User: user, Name: name, Scope: p.scope}
	if len(value) > 0 && value[0] == '<' { // "<secret hidden>" of Oxidized, "<removed>" of RANCID
		for j := i; j < len(p.w); j++ {
			if last := p.t.At(p.w[j]); last[len(last)-1] == '>' {
				w.Len = p.w[j].Off + p.w[j].Len - w.Off
				storage = facts.StorageMasked
				break
			}
		}
	}
	if len(bytes.Trim(value, "*")) == 0 {
		storage = facts.StorageMasked
	}
	if storage == facts.StorageUnknown {
		storage = p.trailingStorage(i + 1)
	}
	s.Storage, s.Span = storage, p.at(w)
	if storage != facts.StorageMasked {
		s.Tag = p.sink.Tag(value)
	}
	p.d.Secrets = append(p.d.Secrets, s)
	return s
}

// operand steps over the words that say how the value at word i is written. The last word is always the value.
func (p *parser) operand(i int) (int, facts.Storage) {
	storage := facts.StorageUnknown
	for i+1 < len(p.w) {
		switch string(p.word(i)) {
		case "0":
			storage = facts.StorageClear
		case "7":
			storage = facts.StorageReversible
		case "8", "6":
			storage = facts.StorageEncrypted
		case "encrypted":
			storage = facts.StorageHashed
		case "hex":
		default:
			return i, storage
		}
		i++
	}
	return i, storage
}

// trailingStorage reads the word after a password.
func (p *parser) trailingStorage(i int) facts.Storage {
	switch string(p.word(i)) {
	case "encrypted", "pbkdf2", "nt-encrypted", "mschap":
		return facts.StorageHashed
	}
	return facts.StorageClear
}

// anySecrets looks for secrets in a statement no reader of its own took, by the words that introduce them anywhere.
// Hiding a word too many costs a look at the device, hiding one too few costs a password.
func (p *parser) anySecrets(n int32) {
	text := p.t.Text(n)
	if freeText(text) {
		return // only its URLs are looked at
	}
	var store [8]copycmd.Secret
	for _, s := range copycmd.Secrets(store[:0], text) {
		if s.Kind == facts.SecretURL {
			continue // found by urls in the whole file
		}
		name := s.Name
		if first, _ := field.Word(text); !field.Has([]byte(name), string(first)) {
			name = string(first) + " " + name
		}
		p.rawSecret(int64(p.t.Nodes[n].Off)+int64(s.Start), text[s.Start:s.End], s.Kind, s.Storage, name)
	}
	p.otherSecrets(n)
}

// freeText reports whether a statement holds words of its owner.
func freeText(text []byte) bool {
	for _, s := range [...]string{"banner ", "description ", "snmp-server location ", "snmp-server contact "} {
		if field.Has(text, s) {
			return true
		}
	}
	return false
}

// otherSecrets are the ASA's own statements whose secrets no common word introduces.
func (p *parser) otherSecrets(n int32) {
	p.w2 = p.split(p.w2, n)
	hexKeys := false
	for i, w := range p.w2 {
		at := -1
		switch string(p.t.At(w)) {
		case "session-key", "spi": // crypto map ... set session-key; (ipv6) ospf ... ipsec spi N md5 KEY
			hexKeys = true
		case "secret", "passphrase", "radius-common-pw", "domain-password", "area-password":
			at = i + 1
		case "license", "token": // scansafe, umbrella-global
			if i == 0 {
				at = i + 1
			}
		}
		if hexKeys && isHexKey(p.t.At(w)) || i > 0 && isMasked(p.t.At(w)) {
			at = i
		}
		for at > 0 && at+1 < len(p.w2) && p.w2[at].Len == 1 { // "0" or "8" before the value
			at++
		}
		if at >= 0 && at < len(p.w2) {
			w := p.w2[at]
			p.rawSecret(int64(w.Off), p.t.At(w), facts.SecretKey, facts.StorageUnknown, p.str(p.t.At(p.w2[0])))
		}
	}
}

// isMasked reports whether w stands for a secret that the device or a tool hid.
func isMasked(w []byte) bool {
	return len(w) >= 3 && len(bytes.Trim(w, "*")) == 0 || string(w) == "<removed>" || string(w) == "<secret"
}

// isHexKey reports whether w is a key written in hexadecimal digits: 64 bits and more.
func isHexKey(w []byte) bool {
	if len(w) < 16 {
		return false
	}
	for _, c := range w {
		if c-'0' > 9 && c|0x20-'a' > 5 {
			return false
		}
	}
	return true
}

// rawSecret records the secret value at source offset off, wherever a tree's words do not reach.
func (p *parser) rawSecret(off int64, value []byte, kind facts.SecretKind, storage facts.Storage, name string) {
	s := facts.Secret{Kind: kind, Storage: storage, Name: name, Scope: p.scope, Span: p.f.Span(p.t.Base+off, len(value))}
	if len(bytes.Trim(value, "*")) == 0 || value[0] == '<' {
		s.Storage = facts.StorageMasked
	} else {
		s.Tag = p.sink.Tag(value)
	}
	p.d.Secrets = append(p.d.Secrets, s)
}

// urls finds the passwords of all URLs of the file, whatever statement they are in: banners and remarks are quoted too.
func (p *parser) urls() {
	src := p.t.Source
	for at := 0; ; {
		i := field.Index(src[at:], "://")
		if i < 0 {
			return
		}
		at += i + 3
		if start, end, ok := userinfoPassword(src, at); ok {
			p.enter(start)
			p.rawSecret(int64(start), src[start:end], facts.SecretURL, facts.StorageClear, "url")
			at = end
		}
	}
}

// userinfoPassword is where the password of "user:password@host" lies that begins at byte from. A password may hold "/"
// and "@": the last "@" of the word ends it, unless the first colon starts a port.
func userinfoPassword(src []byte, from int) (start, end int, ok bool) {
	rest := src[from:]
	if i := bytes.IndexAny(rest, " \t\r\n\""); i >= 0 {
		rest = rest[:i]
	}
	colon := bytes.IndexByte(rest, ':')
	at := bytes.LastIndexByte(rest, '@')
	if colon < 0 || at <= colon+1 {
		return 0, 0, false
	}
	if slash := bytes.IndexByte(rest, '/'); slash >= 0 && slash < colon {
		return 0, 0, false // the colon is part of a path
	}
	if host, _, found := bytes.Cut(rest[colon+1:], []byte("/")); found {
		if _, port := field.Port(host); port && bytes.IndexByte(rest[:colon], '@') < 0 && bytes.IndexByte(host, '@') < 0 {
			return 0, 0, false // host:port/path@x
		}
	}
	if i := bytes.IndexByte(rest[:colon], '@'); i >= 0 {
		return 0, 0, false // user@host:port
	}
	return from + colon + 1, from + at, true
}

// enter makes the space that source offset off is in the one facts are stated in.
func (p *parser) enter(off int) {
	i := sort.Search(len(p.spaces), func(i int) bool { return int(p.spaces[i].from) > off })
	p.space = p.spaces[max(i-1, 0)]
}

// privateKeys hides the lines of private keys in PEM form.
func (p *parser) privateKeys() {
	const mark, last = "PRIVATE KEY-----", "-----END"
	src := p.t.Source
	for at := 0; ; {
		i := field.Index(src[at:], mark)
		if i < 0 {
			return
		}
		at += i + len(mark)
		end := len(src)
		if i := field.Index(src[at:], last); i >= 0 {
			end = at + i
		}
		p.enter(at)
		for at < end {
			line := src[at:end]
			if i := bytes.IndexByte(line, '\n'); i >= 0 {
				line = line[:i+1]
			}
			if text := field.Trim(line); len(text) > 0 {
				off := at + len(line) - len(field.TrimLeft(line))
				p.rawSecret(int64(off), text, facts.SecretPrivate, facts.StorageClear, "private key")
			}
			at += len(line)
		}
		if i := bytes.IndexByte(src[end:], '\n'); i >= 0 { // over the line of the end, which holds the words too
			at = end + i
		} else {
			return
		}
	}
}

// maskText is text for a fact, its secrets replaced.
func (p *parser) maskText(text []byte) string {
	if start, end, ok := urlIn(text); ok {
		return string(text[:start]) + "***" + string(text[end:])
	}
	return string(text)
}

// urlIn finds the password of the first URL in text that has one.
func urlIn(text []byte) (start, end int, ok bool) {
	for at := 0; ; {
		i := field.Index(text[at:], "://")
		if i < 0 {
			return 0, 0, false
		}
		at += i + 3
		if start, end, ok = userinfoPassword(text, at); ok {
			return start, end, true
		}
	}
}

// sortSecrets puts the secrets in the order of the evidence, one per span.
func (p *parser) sortSecrets() {
	slices.SortStableFunc(p.d.Secrets, func(a, b facts.Secret) int {
		return cmp.Or(cmp.Compare(a.Span.Pos, b.Span.Pos), cmp.Compare(b.Span.Len, a.Span.Len))
	})
	var end evidence.Pos
	p.d.Secrets = slices.DeleteFunc(p.d.Secrets, func(s facts.Secret) bool {
		last := s.Span.Pos + evidence.Pos(s.Span.Len)
		if last <= end { // within the one before
			return true
		}
		end = last
		return false
	})
}

// enable reads "enable password X [encrypted|pbkdf2] [level N]"; Oxidized and the ASA print the level last.
func (p *parser) enable(n int32) {
	if !p.is(1, "password") || p.negated {
		p.irrelevant(n)
		return
	}
	i := 2
	if p.is(i, "level") { // PIX: enable password level 5 X
		i += 2
	}
	p.secret(i, facts.SecretEnable, "enable password", "")
	p.understood(n)
}

// passwd reads "passwd X encrypted" and its older spelling "password X".
func (p *parser) passwd(n int32) {
	if p.is(1, "encryption") { // password encryption aes: how keys are kept
		p.t.Mark(n, facts.Irrelevant)
		return
	}
	p.secret(1, facts.SecretUser, "passwd", "")
	p.understood(n)
}

// username reads "username U password X [encrypted|...] [privilege N]", "username U nopassword", "username U attributes".
func (p *parser) username(n int32) {
	user := p.str(p.word(1))
	p.understood(n)
	if p.is(2, "password") {
		p.secret(3, facts.SecretUser, "username password", user)
	}
	p.children(n, func(c int32) {
		if p.is(0, "webvpn") {
			p.understood(c)
			p.children(c, func(s int32) { p.portal(s, "username "+user) })
			return
		}
		if p.vpnFilter(c, "username "+user) {
			return
		}
		p.irrelevant(c) // attributes of a remote access session
	})
}

// aaaServer reads "aaa-server GROUP (IF) host ADDRESS [KEY]" and what is below it.
func (p *parser) aaaServer(n int32) {
	p.understood(n)
	for i := 1; i < len(p.w); i++ {
		if p.is(i, "host") && i+2 < len(p.w) && !p.is(i+2, "timeout") { // PIX 6: host ADDRESS KEY [timeout N]
			p.secret(i+2, facts.SecretKey, "aaa-server", "")
		}
	}
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "key":
			p.secret(1, facts.SecretKey, "aaa-server key", "")
			p.understood(c)
		case "ldap-login-password", "radius-common-pw":
			p.secret(1, facts.SecretOther, p.str(p.word(0)), "")
			p.understood(c)
		default:
			p.irrelevant(c) // how users are authenticated
		}
	})
}

// tunnelGroup reads the pre-shared keys below "tunnel-group NAME ipsec-attributes".
func (p *parser) tunnelGroup(n int32) {
	p.t.Mark(n, facts.Irrelevant)
	p.children(n, func(c int32) {
		for i := range p.w {
			if p.is(i, "pre-shared-key") && i+1 < len(p.w) {
				p.secret(i+1, facts.SecretKey, "pre-shared-key", "")
				p.understood(c)
				return
			}
		}
		p.irrelevant(c)
	})
}

// keyChain reads "key chain NAME", its "key N" and their "key-string [0|8] X".
func (p *parser) keyChain(n int32) {
	if !p.is(1, "chain") {
		p.irrelevant(n) // "key config-key password-encryption": a secret the running configuration never holds
		return
	}
	p.understood(n)
	p.children(n, func(c int32) {
		p.understood(c)
		p.children(c, func(k int32) {
			if p.is(0, "key-string") {
				p.secret(1, facts.SecretKey, "key-string", "")
				p.understood(k)
				return
			}
			p.irrelevant(k)
		})
	})
}

// commentSecrets looks for secrets in comments: a line may have been commented out with its password. What a comment says
// is no statement, so how the secret is kept is left open.
func (p *parser) commentSecrets() {
	from := len(p.d.Secrets)
	for n := range p.t.Nodes {
		node := &p.t.Nodes[n]
		if node.Flags&tree.Comment != 0 && node.State == facts.Unrecognised && node.Len > 8 {
			p.enter(int(node.Off))
			p.anySecrets(int32(n))
		}
	}
	for i := from; i < len(p.d.Secrets); i++ {
		if s := &p.d.Secrets[i]; s.Storage != facts.StorageMasked {
			s.Storage = facts.StorageUnknown
		}
	}
}
