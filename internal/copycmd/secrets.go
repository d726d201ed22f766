package copycmd

import (
	"bytes"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A Secret is the bytes [Start,End) of a command line.
type Secret struct {
	Start, End int
	Kind       facts.SecretKind
	Storage    facts.Storage
	Name       string // the statement, in the platform's words
}

// mask is what stands for a secret in a command's text.
const mask = "***"

// Mask is line with every secret replaced. Without secrets it shares line's bytes.
func Mask(line []byte, secrets []Secret) string {
	if len(secrets) == 0 {
		return field.View(line)
	}
	out := make([]byte, 0, len(line))
	at := 0
	for _, s := range secrets {
		out = append(append(out, line[at:s.Start]...), mask...)
		at = s.End
	}
	return string(append(out, line[at:]...))
}

// Secrets appends the secrets of one command line to dst, in order and without overlap: passwords in URLs, and what
// follows the words that introduce one (IOS, NX-OS, ASA and FortiOS command references). A value of asterisks only was
// hidden by the device and is none. When in doubt a word is a secret: hiding too much costs an operator a look at the
// device, hiding too little costs a password.
func Secrets(dst []Secret, line []byte) []Secret {
	if !suspect(line) {
		return dst
	}
	var store [maxWords]word
	c := &command{line, split(store[:0], line)}
	from := len(dst)
	for i := range c.words {
		if s, ok := urlSecret(c.word(i), c.words[i].start); ok {
			dst = append(dst, s)
		}
	}
	last := -1 // the word that is the last secret: it introduces nothing
	for i := range c.words {
		r, ok := introduces(c, i)
		if !ok || i == last {
			continue
		}
		at, storage := value(c, i+1+r.skip)
		w := c.word(at)
		if len(w) == 0 || len(bytes.Trim(w, "*")) == 0 || string(w) == "<cr>" || string(w) == "<removed>" {
			continue
		}
		last = at
		dst = append(dst, Secret{c.words[at].start, c.words[at].end, r.kind, storage, r.name})
	}
	if s, ok := positional(c); ok {
		dst = append(dst, s)
	}
	found := dst[from:]
	slices.SortFunc(found, func(a, b Secret) int { return a.Start - b.Start })
	n := from
	for _, s := range found {
		if n == from || s.Start >= dst[n-1].End {
			dst[n] = s
			n++
		}
	}
	return dst[:n]
}

// suspect is a cheap look for anything that could introduce a secret.
func suspect(line []byte) bool {
	for i, c := range line {
		switch c {
		case '@':
			return true
		case 'p', 'P', 's', 'S', 'k', 'K', 'c', 'C', 'm', 'M', 'a', 'A', 'e', 'E', 'l', 'L':
			if i > 0 && !blank(line[i-1]) && line[i-1] != '-' && line[i-1] != '"' {
				continue
			}
			for _, w := range [...]string{
				"passw", "secret", "key", "communit", "snmp", "md5", "sha", "priv", "pre-shared", "passphrase", "ascii", "auth",
				"encrypted", "ldap", "exec", "shared", "plain", "string",
			} {
				if field.HasFold(line[i:], w) {
					return true
				}
			}
		}
	}
	return false
}

// URLSecrets appends the passwords of the URLs in any text, not only a command's, to dst.
func URLSecrets(dst []Secret, text []byte) []Secret {
	for at := 0; ; {
		i := field.Index(text[at:], "://")
		if i < 0 {
			return dst
		}
		start, end := at+i, at+i+len("://")
		for start > at && isLetter(text[start-1]) {
			start--
		}
		for end < len(text) && !blank(text[end]) && text[end] != '"' && text[end] != '\'' {
			end++
		}
		if s, ok := urlSecret(text[start:end], start); ok {
			dst = append(dst, s)
		}
		at = end
	}
}

// urlSecret is the password inside the URL in word w, which begins at start of the text.
func urlSecret(w []byte, start int) (Secret, bool) {
	at := field.Index(w, "://")
	if at < 0 {
		at = bytes.IndexByte(w, ':')
	}
	if at < 0 {
		return Secret{}, false
	}
	for at > 0 && isLetter(w[at-1]) {
		at--
	}
	p, n := scheme(w[at:]) // ">ftp://..." and "(ftp://...": the scheme need not begin the word
	if n == 0 {
		return Secret{}, false
	}
	n += at
	n += len(w[n:]) - len(bytes.TrimLeft(w[n:], "/"))
	end := userinfo(p, w, n)
	colon := -1
	if end > n {
		colon = bytes.IndexByte(w[n:end-1], ':')
	}
	if colon < 0 || n+colon+1 >= end-1 {
		return Secret{}, false
	}
	return Secret{start + n + colon + 1, start + end - 1, facts.SecretURL, facts.StorageClear, "url"}, true
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

type rule struct {
	kind facts.SecretKind
	name string
	skip int // words between the introducing word and the value's type
}

// introduces reports whether word i introduces a secret.
func introduces(c *command, i int) (rule, bool) {
	w := c.word(i)
	if len(w) < 3 || len(w) > 24 {
		return rule{}, false
	}
	var low [24]byte
	for j, b := range w {
		if b-'A' <= 'Z'-'A' {
			b |= 0x20
		}
		low[j] = b
	}
	verb := 0
	if c.is(0, "no", 2) || c.is(0, "set", 3) || c.is(0, "default", 7) {
		verb = 1
	}
	snmp := c.is(verb, "snmp-server", 5) || c.is(verb, "snmp", 4)
	switch string(low[:len(w)]) {
	case "password", "secret":
		name := string(low[:len(w)])
		switch {
		case c.is(verb, "enable", 2):
			return rule{facts.SecretEnable, "enable " + name, 0}, true
		case c.is(verb, "ip", 2) && c.is(verb+1, "ftp", 3), c.is(verb, "ftp-server", 5):
			return rule{facts.SecretFTP, "ip ftp " + name, 0}, true
		case c.is(verb, "username", 5), c.is(verb, "user", 4):
			return rule{facts.SecretUser, "username " + name, 0}, true
		}
		return rule{facts.SecretOther, name, 0}, true
	case "passwd":
		return rule{facts.SecretUser, "passwd", 0}, true
	case "community":
		if snmp || c.has("snmp", 4) {
			return rule{facts.SecretCommunity, "snmp-server community", 0}, true
		}
	case "host":
		if snmp {
			return trapHost(c, i)
		}
	case "key":
		return keyRule(c, i, verb)
	case "key-string", "pre-shared-key", "shared-secret", "authentication-key", "passphrase", "ascii", "psksecret":
		if numbered(c, i+1) { // ntp authentication-key 1 md5 X: md5 introduces it
			return rule{}, false
		}
		return rule{facts.SecretKey, string(low[:len(w)]), 0}, true
	case "md5", "sha", "sha256", "sha-256", "sha512", "hmac-sha2-256", "hmac-sha1":
		if snmp && c.is(i-1, "auth", 4) {
			return rule{facts.SecretSNMPv3, "snmp-server user auth", 0}, true
		}
		if _, n := field.LeadingUint(c.word(i - 1)); n > 0 && n == len(c.word(i-1)) {
			return rule{facts.SecretKey, "authentication-key", 0}, true
		}
	case "priv":
		return privacy(c, i, snmp && c.is(verb+1, "user", 4))
	case "ldap-login-password", "login-password", "encrypted-password", "plain-text-password-value", "authentication-password", "privacy-password":
		return rule{facts.SecretOther, string(low[:len(w)]), 0}, true
	}
	return rule{}, false
}

// numbered reports whether word i is a number that another word than the secret follows: a key's number.
func numbered(c *command, i int) bool {
	w := c.word(i)
	_, n := field.LeadingUint(w)
	if n == 0 || n != len(w) || len(w) == 1 && w[0] != '1' && w[0] != '2' && w[0] != '3' {
		return false
	}
	next := c.word(i + 1)
	return field.HasFold(next, "md5") || field.HasFold(next, "sha") || field.HasFold(next, "hmac") || field.HasFold(next, "cmac") || field.HasFold(next, "type")
}

// trapHost finds the community of "snmp-server host ADDRESS [options] COMMUNITY": the first word that is no option.
func trapHost(c *command, i int) (rule, bool) {
	for j := i + 2; j < len(c.words); j++ {
		switch {
		case c.is(j, "vrf", 3), c.is(j, "use-vrf", 7), c.is(j, "udp-port", 8):
			j++
		case c.is(j, "version", 3):
			j++
			if string(c.word(j)) == "3" {
				return rule{}, false // a user's name follows
			}
		case c.is(j, "traps", 4), c.is(j, "informs", 6), c.is(j, "poll", 4):
		case c.is(j, "community", 9): // ASA says so, and the word introduces it itself
			return rule{}, false
		default:
			if _, ok := field.Addr(c.word(j)); ok { // ASA: host INTERFACE ADDRESS
				continue
			}
			return rule{facts.SecretCommunity, "snmp-server host", j - i - 1}, true
		}
	}
	return rule{}, false
}

// keyRule tells a key from a key's number and from key chains and key pairs.
func keyRule(c *command, i, verb int) (rule, bool) {
	next := c.word(i + 1)
	for _, w := range [...]string{"chain", "generate", "zeroize", "import", "export", "mypubkey", "pubkey-chain", "encrypt", "decrypt", "lock", "unlock", "storage", "move"} {
		if field.EqualFold(next, w) {
			return rule{}, false
		}
	}
	_, n := field.LeadingUint(next)
	if n > 0 && n == len(next) && (c.is(verb, "ntp", 3) || i == verb && len(c.words) == i+2) {
		return rule{}, false // ntp server X key 1; key 1 in a key chain
	}
	return rule{facts.SecretKey, "key", 0}, true
}

// privacy reads "priv [aes [128|192|256]|des|3des] SECRET".
func privacy(c *command, i int, user bool) (rule, bool) {
	if !user {
		return rule{}, false
	}
	skip := 0
	if c.is(i+1, "aes", 3) || c.is(i+1, "des", 3) || c.is(i+1, "3des", 4) || c.is(i+1, "aes-128", 7) {
		skip = 1
		if w := string(c.word(i + 2)); w == "128" || w == "192" || w == "256" {
			skip = 2
		}
	}
	return rule{facts.SecretSNMPv3, "snmp-server user priv", skip}, true
}

// value is the word that holds the secret from word i on, after a type ("7", "0", "encrypted", "level 15") that another
// word follows, and how it is kept.
func value(c *command, i int) (int, facts.Storage) {
	storage := facts.StorageUnknown
	for i+1 < len(c.words) {
		switch w := c.word(i); {
		case c.is(i, "level", 5) && i+2 < len(c.words), field.EqualFold(w, "address") && i+2 < len(c.words):
			i += 2
		case len(w) <= 2 && allDigits(w):
			storage = typeStorage(w)
			i++
		case field.EqualFold(w, "encrypted"), field.EqualFold(w, "local"), field.EqualFold(w, "remote"), field.EqualFold(w, "hex"), field.EqualFold(w, "ascii-text"), field.EqualFold(w, "clear"),
			field.EqualFold(w, "="), field.EqualFold(w, "encryption"):
			i++
		case field.EqualFold(w, "ciphertext"), field.EqualFold(w, "plaintext"), field.EqualFold(w, "sha512"), field.EqualFold(w, "sha1"), field.EqualFold(w, "sha-256"): // AOS-CX, EOS, AOS-S
			storage = facts.StorageHashed
			if w[0]|0x20 == 'p' {
				storage = facts.StorageClear
			}
			i++
		default:
			if storage == facts.StorageUnknown {
				storage = trailing(c, i)
			}
			return i, storage
		}
	}
	if storage == facts.StorageUnknown {
		storage = facts.StorageClear
	}
	return i, storage
}

func allDigits(b []byte) bool {
	_, n := field.LeadingUint(b)
	return n == len(b)
}

// typeStorage is what the number before a Cisco secret says (Cisco: 0 clear, 5, 8, 9 and 10 hashes, 6 AES under the
// primary key, 7 Vigenere).
func typeStorage(w []byte) facts.Storage {
	switch string(w) {
	case "0":
		return facts.StorageClear
	case "7":
		return facts.StorageReversible
	case "6":
		return facts.StorageEncrypted
	case "4", "5", "8", "9", "10":
		return facts.StorageHashed
	}
	return facts.StorageUnknown
}

// trailing reads ASA's words after the secret: "encrypted" and "pbkdf2" are hashes of passwords.
func trailing(c *command, i int) facts.Storage {
	if c.is(i+1, "encrypted", 9) || c.is(i+1, "pbkdf2", 6) {
		return facts.StorageHashed
	}
	return facts.StorageClear
}

// positional is FortiOS' password, which no word introduces: "execute backup config ftp FILE SERVER USER PASSWORD" and
// "... tftp FILE SERVER PASSWORD".
func positional(c *command) (Secret, bool) {
	if !c.is(0, "execute", 4) || !c.is(1, "backup", 6) && !c.is(1, "restore", 7) {
		return Secret{}, false
	}
	for i := 3; i < min(len(c.words), 6); i++ {
		at := 0
		switch {
		case c.is(i, "ftp", 3), c.is(i, "sftp", 4):
			at = i + 4
		case c.is(i, "tftp", 4):
			at = i + 3
		default:
			continue
		}
		if c.is(i-1, "alllogs", 7) || c.is(i-1, "log", 3) {
			at--
		}
		if at < len(c.words) {
			w := c.words[at]
			return Secret{w.start, w.end, facts.SecretFTP, facts.StorageClear, "execute backup"}, true
		}
	}
	return Secret{}, false
}
