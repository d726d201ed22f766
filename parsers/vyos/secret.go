package vyos

import "github.com/quaymaster/quaymaster/facts"

// keyword reports whether word n is a secret by the word before it.
func (p *parser) keyword(n int32) (facts.SecretKind, bool) {
	up := p.Up(n)
	if up == none {
		return 0, false
	}
	switch string(p.T.Text(up)) {
	case "encrypted-password", "plaintext-password":
		switch {
		case p.Above(n, "snmp") != none:
			return facts.SecretSNMPv3, true
		case len(p.T.Text(n)) == 0 || p.Is(n, "!"):
			return 0, false // no password
		}
		return facts.SecretUser, true
	case "encrypted-key", "plaintext-key":
		return facts.SecretSNMPv3, true
	case "password":
		return facts.SecretOther, true
	case "community":
		return facts.SecretCommunity, p.Above(n, "snmp") != none && p.Above(n, "v3") == none
	case "pre-shared-secret", "secret", "key-string", "md5-key", "psk", "preshared-key", "wpa-passphrase", "passphrase", "shared-secret", "key-id-secret", "wep-key":
		return facts.SecretKey, true
	case "private-key":
		return facts.SecretPrivate, true
	case "key": // API keys, keys of TACACS+, of private keys in pki
		return facts.SecretOther, p.First(n) == none && (p.Above(n, "api") != none || p.Above(n, "server") != none || p.Above(n, "private") != none || p.Above(n, "md5") != none)
	case "token", "bearer-token", "api-key", "otp-key":
		return facts.SecretOther, true
	}
	return 0, false
}

// userOf is the account a secret belongs to.
func (p *parser) userOf(n int32) string {
	for k := n; k != none; k = p.Up(k) {
		if up := p.Up(k); up != none && (p.Is(up, "user") || p.Is(up, "username")) {
			return p.Text(k)
		}
	}
	return ""
}
