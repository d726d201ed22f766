package facts

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
)

// An Origin says how a value is known. Silence is never safety: Unknown is the zero value.
type Origin uint8

const (
	Unknown  Origin = iota // no evidence says
	Default                // the platform's documented default; no line says so
	Masked                 // a backup tool or an operator removed the value; that it existed is known
	Explicit               // a line says so
)

// String is the origin as json-v1 and the facts output spell it.
func (o Origin) String() string {
	switch o {
	case Default:
		return "default"
	case Masked:
		return "masked"
	case Explicit:
		return "explicit"
	case Unknown:
	}
	return "unknown"
}

// V is a value with its origin. Val means something only when Origin is Explicit or Default. Span is the line that
// says so; zero for defaults.
type V[T any] struct {
	Val    T
	Origin Origin
	Span   evidence.Span
}

// Say is a value stated by the bytes at span.
func Say[T any](val T, span evidence.Span) V[T] { return V[T]{val, Explicit, span} }

// Assume is a platform default.
func Assume[T any](val T) V[T] { return V[T]{Val: val, Origin: Default} }

// Hidden is a value whose existence is known and whose content was removed.
func Hidden[T any](span evidence.Span) V[T] { return V[T]{Origin: Masked, Span: span} }

// Known reports whether Val means something.
func (v V[T]) Known() bool { return v.Origin == Explicit || v.Origin == Default }

// On reports whether v is known and true. It is not the opposite of [Off].
func On(v V[bool]) bool { return v.Known() && v.Val }

// Off reports whether v is known and false.
func Off(v V[bool]) bool { return v.Known() && !v.Val }

// A Tag compares secrets without holding them: a truncated HMAC-SHA-256 under a key made new for each run. Equal tags
// mean equal secrets within a run and nothing else. The zero Tag is no secret (masked).
type Tag [8]byte

// A SecretKind says what a secret opens.
type SecretKind uint8

const (
	SecretOther     SecretKind = iota
	SecretFTP                  // FTP or TFTP client password
	SecretURL                  // password inside a transfer URL
	SecretCommunity            // SNMP community
	SecretUser                 // local account
	SecretEnable               // privileged mode
	SecretKey                  // shared keys: TACACS+, RADIUS, NTP, routing, IPsec
	SecretPrivate              // private keys
	SecretSNMPv3               // SNMPv3 authentication or privacy
)

// A Storage says how a secret is kept in the evidence.
type Storage uint8

const (
	StorageUnknown    Storage = iota
	StorageClear              // readable
	StorageReversible         // an obfuscation anyone can undo: IOS type 7, Junos $9$
	StorageEncrypted          // under a key that is not in the evidence: IOS type 6
	StorageHashed             // one-way
	StorageMasked             // removed by a tool or an operator
)

// String is the storage as reports spell it.
func (s Storage) String() string {
	switch s {
	case StorageClear:
		return "clear text"
	case StorageReversible:
		return "reversible"
	case StorageEncrypted:
		return "encrypted"
	case StorageHashed:
		return "hashed"
	case StorageMasked:
		return "masked"
	case StorageUnknown:
	}
	return "unknown"
}

// A Secret is where a secret lies and how it is kept, never the secret. Its bytes are masked in every output by Span,
// so Span covers exactly the secret's own characters.
type Secret struct {
	Kind    SecretKind
	Storage Storage
	User    string // account it belongs to; empty when none
	Name    string // the statement it is in, in the platform's words: "ip ftp password"
	Scope   string // VRF, VDOM, context; empty is the global one
	// Guessable secrets are among those tried first ([Guessable]); false says nothing.
	Guessable bool
	Span      evidence.Span
	Tag       Tag
}

// Guessable reports whether a community or password is one that everyone tries: factory settings, words of examples.
func Guessable(secret []byte) bool {
	if len(secret) > len("anonymous") {
		return false
	}
	switch string(bytes.ToLower(secret)) {
	case "public", "private", "cisco", "anonymous", "snmp", "admin", "router", "switch", "monitor", "default":
		return true
	}
	return false
}
