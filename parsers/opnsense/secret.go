package opnsense

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// keyword reports whether word n is a secret by the element it is the text of.
func (p *parser) keyword(n int32) (facts.SecretKind, bool) {
	up := p.Up(n)
	if up == none || p.First(n) != none {
		return 0, false
	}
	w := string(p.T.Text(up))
	switch w {
	case "password", "passwd", "bcrypt-hash", "sha512-hash", "md5-hash", "nt-hash":
		if p.Above(n, "user") != none {
			return facts.SecretUser, true
		}
		if p.Above(n, "backup") != none {
			return facts.SecretFTP, true
		}
		return facts.SecretOther, true
	case "rocommunity", "rwcommunity", "community", "trapstring", "communitystring":
		return facts.SecretCommunity, true
	case "snmp_password":
		return facts.SecretCommunity, true
	case "enckey":
		return facts.SecretSNMPv3, true
	case "prv", "privkey", "private-key", "privatekey", "private_key", "dh_prime", "GDriveP12key", "tls_key":
		return facts.SecretPrivate, true
	case "pre-shared-key", "psk", "presharedkey", "shared_key", "radius_secret", "authkey", "tls", "keydata", "sharedkey", "radius_secret2", "ldap_bindpw",
		"wpapassphrase", "passphrase", "key_wpa":
		return facts.SecretKey, true
	case "secret", "apikey", "api_key", "apisecret", "api_secret", "otp_seed", "token", "accesskey", "secretkey", "authtoken", "auth_pass", "device_key":
		return facts.SecretOther, true
	case "key":
		return facts.SecretOther, p.Above(n, "apikeys") != none || p.Above(n, "preSharedKey") != none
	case "Key":
		return facts.SecretKey, p.Above(n, "preSharedKeys") != none
	}
	low := strings.ToLower(w)
	for _, s := range [...]string{"password", "passwd", "_pass", "passphrase", "psk", "secret"} {
		if strings.HasSuffix(low, s) {
			text := string(p.T.Text(n))
			return facts.SecretOther, text != "0" && text != "1" // a switch of that name
		}
	}
	return 0, false
}

// secretOf is the account a secret belongs to.
func (p *parser) secretOf(n int32) string {
	for _, w := range [...]string{"user", "item"} {
		if u := p.Above(n, w); u != none {
			if k := p.Value(p.Kid(u, "name")); k != none {
				return p.Text(k)
			}
		}
	}
	return ""
}
