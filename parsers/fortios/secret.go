package fortios

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// secret records the secret that lies at a place of the source.
func (p *parser) secret(at, length int, kind facts.SecretKind, storage facts.Storage, name string) {
	value := p.src[at : at+max(length, 0)]
	if i := bytes.IndexByte(value, '\n'); i >= 0 { // line by line
		p.secret(at, i, kind, storage, name)
		p.secret(at+i+1, len(value)-i-1, kind, storage, name)
		return
	}
	at += len(value) - len(bytes.TrimLeft(value, " \t\r\n"))
	length = len(bytes.TrimSpace(value))
	if length == 0 {
		return
	}
	s := facts.Secret{Kind: kind, Storage: storage, Name: name, Scope: p.scope, Span: p.f.Span(int64(at), length)}
	if storage != facts.StorageMasked {
		s.Tag = p.sink.Tag(p.src[at : at+length])
	}
	p.d.Secrets = append(p.d.Secrets, s)
}

// keys whose value is a secret, whether or not "ENC" says so.
var secretKeys = []string{
	"password", "passwd", "psksecret", "secret", "secondary-secret", "tertiary-secret", "key", "auth-pwd", "priv-pwd", "uploadpass", "passphrase",
	"private-key", "ppk-secret", "group-password", "auth-password", "authpasswd", "ha-password", "sso-password", "ldap-password", "proxy-password",
	"auth-key", "md5-key", "md5-keychain", "api-key", "login-passwd", "mesh-backhaul-passwd", "ppp-password", "wan-password", "secret-key", "access-key",
	"sae-password", "captive-portal-radius-secret", "server-key", "shared-secret", "authpasswd6", "bind-password", "rsa-key",
}

// secrets finds every secret of the tree: values that "ENC" marks, and those of keys that hold one. Oxidized writes
// "<configuration removed>" in their place.
func (p *parser) secrets(n *node) {
	for _, k := range n.kids {
		if k.kind != isSet || len(k.words) == 0 {
			p.secrets(k)
			continue
		}
		first := &k.words[0]
		enc := first.text == "ENC" && !first.quoted && len(k.words) > 1
		named := slices.Contains(secretKeys, k.key) || strings.HasPrefix(k.key, "passwd") || strings.HasSuffix(k.key, "-password") || strings.HasSuffix(k.key, "-passwd")
		community := k.key == "name" && n.kind == isEdit && n.parent != nil && n.parent.key == "system snmp community"
		if !enc && !named && !community {
			continue
		}
		kind := p.kindOf(k, n)
		w, storage := first, facts.StorageClear
		if community {
			kind = facts.SecretCommunity
		}
		if enc {
			w, storage = &k.words[1], facts.StorageReversible // under a key that is the same on every device, or the device's own
			if kind == facts.SecretUser {
				storage = facts.StorageHashed
			}
		}
		length := w.length
		switch {
		case strings.HasPrefix(w.text, "<"): // <configuration removed>
			storage = facts.StorageMasked
			last := &k.words[len(k.words)-1]
			length = last.at + last.length - w.at
		case strings.Trim(w.text, "*") == "":
			storage = facts.StorageMasked
		case !enc && (w.text == "enable" || w.text == "disable"):
			continue
		}
		if k.state == facts.Unrecognised {
			k.state = facts.Understood
		}
		p.secret(w.at, length, kind, storage, k.key)
	}
}

func (p *parser) kindOf(k, in *node) facts.SecretKind {
	path := ""
	if in.parent != nil {
		path = in.parent.key
	}
	if in.kind == isConfig {
		path = in.key
	}
	switch {
	case k.key == "private-key" || k.key == "rsa-key":
		return facts.SecretPrivate
	case k.key == "uploadpass":
		return facts.SecretFTP
	case k.key == "auth-pwd" || k.key == "priv-pwd":
		return facts.SecretSNMPv3
	case path == "system admin" || path == "user local":
		return facts.SecretUser
	case strings.Contains(k.key, "secret") || strings.Contains(k.key, "key") || strings.Contains(path, "vpn"):
		return facts.SecretKey
	}
	return facts.SecretOther
}
