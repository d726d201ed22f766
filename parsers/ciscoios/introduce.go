package ciscoios

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// lineSecrets records the secrets of one line.
func (p *parser) lineSecrets(n int32) {
	p.w = p.t.Fields(p.buf, n)
	p.buf = p.w
	for len(p.w) > 0 && (p.is(0, "!") || p.is(0, "no")) {
		p.w = p.w[1:]
	}
	p.covered = 0
	user := p.is(0, "snmp-server") && p.is(1, "user")
	encrypted := user && p.has(2, "encrypted") > 0
	spi := p.has(0, "spi")
	if len(p.w) > 1 && len(p.word(0)) > 1 && p.word(0)[0] == '!' { // "!enable secret ..."
		skip := uint32(len(p.word(0)) - len(bytes.TrimLeft(p.word(0), "!")))
		p.w[0] = tree.Word{Off: p.w[0].Off + skip, Len: p.w[0].Len - skip}
	}
	for i := range p.w {
		if p.w[i].Off < p.covered {
			continue // part of a secret: it introduces none, and each word is looked at once
		}
		if maskedText(p.word(i)) && p.word(i)[0] == '<' {
			p.hidden(i)
		}
		switch string(p.word(i)) {
		case "password", "secret", "passwd", "passphrase", "shared-secret", "server-key", "key-string", "psk", "set-key", "passcode",
			"password:", "token", "wpa-psk", "private-key", "api-key":
			p.introduced(i)
		case "key":
			p.key(n, i)
		case "pre-shared-key":
			p.preShared(i)
		case "authentication-key", "message-digest-key":
			p.numbered(i)
		case "authentication":
			p.authentication(i)
		case "md5", "sha1", "sha", "sha256", "esp", "ah":
			if spi >= 0 && spi < i {
				p.digest(i)
			}
		case "auth", "priv":
			if user {
				p.userSNMP(i, encrypted)
			}
		case "cipher", "authenticator":
			if p.is(0, "set") && p.is(1, "session-key") {
				p.secret(i+1, facts.SecretKey, "session-key", "")
			}
		case "community", "host":
			if p.is(0, "snmp-server") && i == 1 {
				p.communityWord(i)
			}
		}
		if p.is(0, "set") && p.is(1, "session-key") && isHexKey(p.word(i)) {
			p.record(p.w[i], facts.SecretKey, facts.StorageClear, "session-key", "")
		}
		if i > 2 && p.is(0, "event") && p.is(1, "manager") && p.is(2, "environment") && i == 3 && secretName(p.word(3)) {
			p.secret(4, facts.SecretOther, "event manager environment "+p.str(p.word(3)), "")
		}
	}
}

// secretName reports whether a variable is called like a secret.
func secretName(w []byte) bool {
	low := bytes.ToLower(w)
	for _, s := range [...]string{"pass", "pw", "secret", "key", "token", "cred"} {
		if field.Index(low, s) >= 0 {
			return true
		}
	}
	return false
}

// hidden records a value that a tool replaced: "<removed>", "<secret hidden>".
func (p *parser) hidden(i int) {
	w := p.w[i]
	for j := i; j < len(p.w) && j < i+3; j++ {
		if last := p.word(j); last[len(last)-1] == '>' {
			w.Len = p.w[j].Off + p.w[j].Len - w.Off
			break
		}
	}
	p.covered = w.Off + w.Len
	name := p.str(p.word(0))
	if i > 1 {
		name += " " + p.str(p.word(i-1))
	}
	kind := facts.SecretOther
	switch {
	case p.is(0, "snmp-server"):
		kind = facts.SecretCommunity
	case p.is(0, "ip") && (p.is(1, "ftp") || p.is(1, "scp") || p.is(1, "sftp")):
		kind, name = facts.SecretFTP, "ip "+p.str(p.word(1))+" password"
	case p.is(0, "enable"):
		kind = facts.SecretEnable
	case p.is(0, "username"):
		kind = facts.SecretUser
	}
	p.d.Secrets = append(p.d.Secrets, facts.Secret{Kind: kind, Storage: facts.StorageMasked, Name: name, Span: p.at(w)})
}

// introduced records the value behind a word that means a secret anywhere.
func (p *parser) introduced(i int) {
	name := p.str(p.word(i))
	kind, user := facts.SecretKey, ""
	switch p.str(p.word(0)) {
	case "enable":
		kind, name = facts.SecretEnable, "enable "+name
		if p.is(i+1, "level") {
			i += 2
		}
	case "username", "user-name":
		kind, name, user = facts.SecretUser, "username "+name, p.str(p.word(1))
	case "ip":
		switch string(p.word(1)) {
		case "ftp", "sftp", "scp", "http":
			kind, name = facts.SecretFTP, "ip "+p.str(p.word(1))+" "+name
		}
	case "password", "secret", "passwd":
		if name == "password" && p.is(i+1, "encryption") || p.is(i+1, "strength-check") {
			return
		}
		kind = facts.SecretUser // of a line
	case "crypto", "vtp", "cts", "ppp", "key":
		name = p.str(p.word(0)) + " " + name
	case "login-authentication":
		return
	default:
		if i > 0 {
			name = p.str(p.word(0)) + " " + name
		}
	}
	if name == "crypto token" || p.is(0, "crypto") && p.is(i, "token") {
		return
	}
	switch string(p.word(i + 1)) {
	case "required", "policy", "none", "prompt":
		if len(p.w) == i+2 {
			return
		}
	case "set-key": // introduces the value itself
		return
	}
	p.secret(i+1, kind, name, user)
}

// key tells a key from a key's number, a chain's name and a key pair.
func (p *parser) key(n int32, i int) {
	next := p.word(i + 1)
	_, numeric := number(next)
	switch string(next) {
	case "", "chain", "generate", "pubkey-chain", "mypubkey", "import", "export", "storage", "zeroize", "decrypt", "encrypt", "replay",
		"server", "trustpoint", "rsa", "ring":
		return
	case "config-key": // key config-key password-encrypt X
		if len(p.w) > i+3 {
			p.secret(i+3, facts.SecretKey, "key config-key", "")
		}
		return
	}
	switch p.str(p.word(0)) {
	case "key":
		if i == 0 && numeric && len(p.w) == 2 && p.inKeyChain(n) {
			return
		}
	case "ntp", "sntp", "tunnel", "match", "collect", "mka":
		return
	case "username":
		if i == 1 {
			return // an account of that name
		}
	case "encryption":
		if numeric { // encryption key 1 size 128bit 7 X transmit-key
			if p.is(i+2, "size") {
				p.secret(i+4, facts.SecretKey, "encryption key", "")
				return
			}
		}
	}
	name := "key"
	if i > 0 {
		name = p.str(p.word(0)) + " key"
	}
	p.secret(i+1, facts.SecretKey, name, "")
}

// inKeyChain reports whether statement n is a key of a key chain, whose number is no secret.
func (p *parser) inKeyChain(n int32) bool {
	up := p.t.Nodes[n].Parent
	return up != tree.None && field.Has(p.t.Text(up), "key chain ")
}

// preShared reads "pre-shared-key [address A [MASK]|hostname H] [key] [TYPE] X", "pre-shared-key local|remote X".
func (p *parser) preShared(i int) {
	i++
	switch string(p.word(i)) {
	case "address", "hostname":
		return // "key" behind it introduces the secret
	case "local", "remote":
		i++
	}
	p.secret(i, facts.SecretKey, "pre-shared-key", "")
}

// numbered reads "authentication-key [N md5|hmac...] [TYPE] X [TYPE]" and "message-digest-key N md5 [TYPE] X".
func (p *parser) numbered(i int) {
	name := p.str(p.word(i))
	if p.is(0, "ntp") {
		name = "ntp authentication-key"
	}
	i++
	if _, ok := number(p.word(i)); ok {
		switch w := string(p.word(i + 1)); {
		case w == "md5", w == "sha1", w == "sha2", w == "cmac-aes-128", len(w) > 4 && w[:4] == "hmac":
			i += 2
		}
	}
	from := len(p.d.Secrets)
	p.secret(i, facts.SecretKey, name, "")
	if last := len(p.w) - 1; p.is(0, "ntp") && len(p.d.Secrets) > from && last > i { // the type stands behind
		if s, ok := storageOf(p.word(last)); ok && p.d.Secrets[from].Storage != facts.StorageMasked {
			p.d.Secrets[from].Storage = s
		}
	}
}

// authentication reads the plain keys of first-hop redundancy and NHRP: "standby 1 authentication [text] X".
func (p *parser) authentication(i int) {
	switch p.str(p.word(0)) {
	case "standby", "vrrp", "glbp":
	case "ip":
		if !p.is(1, "nhrp") {
			return
		}
	default:
		return
	}
	switch string(p.word(i + 1)) {
	case "md5", "key-chain", "":
		return
	case "text":
		i++
	}
	name := p.str(p.word(0)) + " authentication"
	if p.is(0, "ip") {
		name = "ip nhrp authentication"
	}
	p.secret(i+1, facts.SecretKey, name, "")
}

// digest reads keys behind an algorithm: "ipsec spi N md5 [TYPE] X", "... esp aes-cbc 128 [TYPE] X sha1 [TYPE] X".
func (p *parser) digest(i int) {
	last := min(i+4, len(p.w)-1)
	for i++; i <= last && !isHexKey(p.word(i)); i++ {
	}
	if i <= last {
		storage := facts.StorageClear
		if s, ok := storageOf(p.word(i - 1)); ok {
			storage = s
		}
		p.record(p.w[i], facts.SecretKey, storage, "ipsec spi", "")
	}
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

// userSNMP reads "snmp-server user U G v3 [encrypted] auth ALGORITHM X priv ALGORITHM [BITS] X".
func (p *parser) userSNMP(i int, encrypted bool) {
	at := i + 2
	if p.is(i, "priv") && (p.is(i+1, "aes") || p.is(i+1, "des")) {
		if _, bits := number(p.word(at)); bits && at+1 < len(p.w) {
			at++
		}
	}
	if at >= len(p.w) {
		return
	}
	storage := facts.StorageClear
	if encrypted {
		storage = facts.StorageHashed // the localised key
	}
	p.record(p.w[at], facts.SecretSNMPv3, storage, "snmp-server user "+p.str(p.word(i)), p.str(p.word(2)))
}
