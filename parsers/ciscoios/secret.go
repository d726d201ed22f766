package ciscoios

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Secrets are looked for in every line of the file by the words that introduce them, whatever the statement: hiding a
// word too many costs a look at the device, hiding one too few costs a password. Statements with readers of their own
// record theirs first and with more detail; of one place the first record stays.

// storageOf is what the number before a secret says (Security configuration guide, password types: 0 clear, 5 MD5, 7
// Vigenere, 8 PBKDF2, 9 scrypt, 4 unsalted SHA-256, 6 AES under a primary key that is not in the configuration).
func storageOf(w []byte) (facts.Storage, bool) {
	if len(w) == 1 {
		switch w[0] {
		case '0':
			return facts.StorageClear, true
		case '7':
			return facts.StorageReversible, true
		case '6':
			return facts.StorageEncrypted, true
		case '4', '5', '8', '9':
			return facts.StorageHashed, true
		}
	}
	return facts.StorageUnknown, false
}

// secret records the secret whose type or value word i is. It may hold blanks: it goes on to the end of the statement or
// to a word that is known to follow secrets.
func (p *parser) secret(i int, kind facts.SecretKind, name, user string) facts.Secret {
	storage := facts.StorageClear
	for i+1 < len(p.w) {
		if s, ok := storageOf(p.word(i)); ok {
			storage = s
		} else if w := string(p.word(i)); w != "encrypted" && w != "hex" && w != "ascii" && w != "clear" && w != "text" {
			break
		}
		i++
	}
	if i >= len(p.w) {
		return facts.Secret{}
	}
	w := p.w[i]
	for j := i + 1; j < len(p.w) && !follows(p.word(j)); j++ {
		w.Len = p.w[j].Off + p.w[j].Len - w.Off
	}
	return p.record(w, kind, storage, name, user)
}

// follows reports whether a word is one that may stand behind a secret in a statement.
func follows(w []byte) bool {
	switch string(w) {
	case "address", "hostname", "secret", "password", "timeout", "realm", "access", "priv", "auth-port", "acct-port", "transmit-key",
		"privilege", "role", "encrypted", "no-xauth", "hidden", "level", "description", "port", "vrf", "7", "restrict", "callout",
		"callin", "optional", "refuse", "wait", "accept-lifetime", "send-lifetime", "attribute", "non-standard", "single-connection",
		"nat", "alias", "retransmit", "directed-request", "mask", "ro", "rw", "RO", "RW", "!", "pac", "mode", "address-family",
		"user-maxlinks", "autocommand", "authenticator", "cipher", "map-notify", "proxy-reply", "hash-function":
		return true
	}
	return false
}

// record takes down the secret that lies at w.
func (p *parser) record(w tree.Word, kind facts.SecretKind, storage facts.Storage, name, user string) facts.Secret {
	value := p.t.At(w)
	for len(value) > 1 && value[len(value)-1] == '"' { // the end of an applet's command
		value, w.Len = value[:len(value)-1], w.Len-1
	}
	p.covered = w.Off + w.Len
	s := facts.Secret{Kind: kind, Storage: storage, User: user, Name: name, Span: p.at(w)}
	if maskedText(value) {
		s.Storage = facts.StorageMasked
	} else {
		s.Tag, s.Guessable = p.sink.Tag(value), facts.Guessable(value)
	}
	p.d.Secrets = append(p.d.Secrets, s)
	return s
}

// allSecrets looks through the whole file and puts what was found in order.
func (p *parser) allSecrets() {
	for n := range p.t.Nodes {
		node := &p.t.Nodes[n]
		if node.Len < 5 {
			continue
		}
		text := p.t.Source[node.Off : node.Off+node.Len]
		switch {
		case node.Flags&tree.Raw != 0 && !p.rawCommands(node):
			continue // banners and certificates: only their URLs
		case node.Flags&tree.Comment == 0 && (entryText(text) || freeText(text)), !suspect(text):
			continue
		}
		from := len(p.d.Secrets)
		p.lineSecrets(int32(n))
		if node.Flags&tree.Comment != 0 && node.State == facts.Unrecognised {
			for i := from; i < len(p.d.Secrets); i++ {
				if s := &p.d.Secrets[i]; s.Storage != facts.StorageMasked {
					s.Storage = facts.StorageUnknown // what a comment says is no statement
				}
			}
		}
	}
	p.urlSecrets()
	p.privateKeys()
	slices.SortStableFunc(p.d.Secrets, func(a, b facts.Secret) int { return cmp.Compare(a.Span.Pos, b.Span.Pos) })
	var end evidence.Pos
	p.d.Secrets = slices.DeleteFunc(p.d.Secrets, func(s facts.Secret) bool {
		last := s.Span.Pos + evidence.Pos(s.Span.Len)
		if last <= end {
			return true
		}
		end = last
		return false
	})
}

// rawCommands reports whether raw text holds commands: a macro's.
func (p *parser) rawCommands(node *tree.Node) bool {
	return node.Parent != tree.None && field.Has(p.t.Text(node.Parent), "macro name ")
}

// freeText reports whether a statement holds words of its owner.
func freeText(text []byte) bool {
	switch text[0] {
	case 'd':
		return field.Has(text, "description ")
	case 'r':
		return field.Has(text, "remark ")
	case 's':
		return field.Has(text, "snmp-server location ") || field.Has(text, "snmp-server contact ")
	}
	return false
}

// entryText reports whether a statement is an entry of an access list, which has no place for a secret.
func entryText(text []byte) bool {
	switch text[0] {
	case 'p':
		return field.Has(text, "permit ")
	case 'd':
		return field.Has(text, "deny ")
	case 'a':
		return field.Has(text, "access-list ")
	}
	return false
}

// suspect is a cheap look for a word, or a part of one between dashes, that may introduce a secret.
func suspect(text []byte) bool {
	start := true
	for i, c := range text {
		if start && opens[c] && suspectAt(text, i) {
			return true
		}
		start = breaks[c]
	}
	return false
}

// opens are the first letters of what suspectAt looks for, breaks the bytes before them.
var (
	opens  = [256]bool{'p': true, 'P': true, 'k': true, 'K': true, 's': true, 'S': true, 'a': true, 'A': true, 't': true, 'T': true, '<': true, 'e': true}
	breaks = [256]bool{' ': true, '-': true, '!': true, '_': true, '"': true, '\t': true}
)

func suspectAt(text []byte, i int) bool {
	switch text[i] | 0x20 {
	case 'p':
		return hasFoldAt(text, i, "passw") || hasFoldAt(text, i, "passp") || hasFoldAt(text, i, "psk") || hasFoldAt(text, i, "pre-shared")
	case 'k':
		return hasFoldAt(text, i, "key")
	case 's':
		return hasFoldAt(text, i, "secret") || i == 0 && (hasFoldAt(text, i, "snmp") || hasFoldAt(text, i, "standby")) || hasFoldAt(text, i, "spi ")
	case 'a':
		return hasFoldAt(text, i, "authentication ") || hasFoldAt(text, i, "auth ") || hasFoldAt(text, i, "ascii ")
	case 't':
		return hasFoldAt(text, i, "token ")
	case 'e':
		return i == 0 && field.Has(text, "event manager environment ")
	}
	return text[i] == '<'
}

func hasFoldAt(text []byte, i int, s string) bool { return field.HasFold(text[i:], s) }

// urlSecrets finds the passwords of all URLs of the file, whatever line they are in: banners and remarks are quoted too.
func (p *parser) urlSecrets() {
	src := p.t.Source
	for at := 0; ; {
		i := field.Index(src[at:], "://")
		if i < 0 {
			return
		}
		p.urlAt(at + i)
		at += i + 3
		if start, end, ok := userinfoPassword(src, at); ok {
			user := src[at : start-1]
			p.record(tree.Word{Off: uint32(start), Len: uint32(end - start)}, facts.SecretURL, facts.StorageClear, "url", p.str(user))
			at = end
		}
	}
}

// privateKeys hides the bodies of private keys in PEM form.
func (p *parser) privateKeys() {
	const begin = "PRIVATE KEY-----"
	src := p.t.Source
	closed := true // an end may still follow
	for at := 0; ; {
		i := field.Index(src[at:], begin)
		if i < 0 {
			return
		}
		start := at + i + len(begin)
		end := -1
		if closed {
			end = field.Index(src[start:], "-----END")
		}
		if closed = end >= 0; !closed {
			end = keyText(src[start:]) // the file was cut
		}
		for line := range bytes.SplitSeq(src[start:start+end], []byte("\n")) {
			if text := field.Trim(line); len(text) > 0 {
				off := start + cap(src[start:]) - cap(line)
				off += len(line) - len(field.TrimLeft(line))
				p.record(tree.Word{Off: uint32(off), Len: uint32(len(text))}, facts.SecretPrivate, facts.StorageClear, "private key", "")
			}
		}
		at = start + end
		if j := bytes.IndexByte(src[at:], '\n'); j >= 0 { // behind the closing line, which holds the mark too
			at += j
		} else {
			return
		}
	}
}

// keyText is how long the lines are that may be part of a key in base64.
func keyText(src []byte) int {
	n := 0
	for line := range bytes.SplitAfterSeq(src, []byte("\n")) {
		for _, c := range field.Trim(line) {
			if c-'0' > 9 && c|0x20-'a' > 25 && c != '+' && c != '/' && c != '=' {
				return n
			}
		}
		n += len(line)
	}
	return n
}
