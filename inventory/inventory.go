// Package inventory names the devices to read, how to reach them and where their credentials are kept, and the type of a
// collector. It never holds a credential's value: a reference says where the value is, and a [Resolver] fetches it at the
// moment of use.
//
// An inventory is a file of strict YAML, [Load]; what it says of a device's role, zone and address is used by an audit as
// well, without touching any device. Loaded inventories are not changed and safe for concurrent use.
package inventory

import (
	"context"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
)

// A Target is one device to collect from by one collector, all defaults resolved.
type Target struct {
	Name       string // the device's ID everywhere
	Address    string // host name or address
	Port       uint16 // 0 is the collector's default
	Platform   string // folder name of the platform
	Collector  string // ssh, vsphere, snmp
	Role       string
	Zone       string
	Site       string
	Tags       []string
	Credential Credential
	Timeout    time.Duration     // for the whole device; 0 is the runner's default
	Options    map[string]string // collector-specific, checked by the inventory's schema
	// Secrets resolves the credential's references. A collector calls it when it is about to send the value and not
	// before: asking counts as an attempt to log in.
	Secrets Secrets
	// Accepted is called by a collector when the device has let the credential in; nil when nobody wants to know.
	Accepted func()
	Line     int // where the inventory states it
}

// A Credential is where the parts of a login are kept. Empty references are not used.
type Credential struct {
	Name string
	User string
	// Password, Enable, Key, Passphrase, Community, AuthPass, PrivPass are references: "env:NAME", "file:PATH",
	// "systemd:NAME", "prompt" or "prompt:PART" with the key they stand for.
	Password, Enable, Key, Passphrase string
	Community                         string
	AuthProtocol, PrivProtocol        string // SHA-256, AES ... (SNMPv3, RFC 3414, RFC 7860)
	AuthPass, PrivPass                string
}

// A Secrets function gives the value behind a reference. It never logs and its error never holds the value.
type Secrets func(ref string) ([]byte, error)

// A Collector reads one kind of source. Collect writes bytes as they came; it understands nothing. An error means the
// device's evidence is not complete; what was written stays.
type Collector struct {
	Name    string
	Collect func(context.Context, Target, *evidence.Writer) error
}

// A Failure is why a device's evidence is not complete, with what would mend it. Collectors return it; other errors are
// causes without a remedy.
type Failure struct {
	Cause  string // one sentence, lower case, never a secret
	Remedy string // what to do; may be empty
	// Refused says that the device refused the credential: it must not be tried on this device again.
	Refused bool
	Err     error // what lies below; may be nil
}

// Error is the cause.
func (f *Failure) Error() string { return f.Cause }

// Unwrap is what lies below.
func (f *Failure) Unwrap() error { return f.Err }
