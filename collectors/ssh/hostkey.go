package ssh

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/crypto/ssh"
)

// trust holds the known_hosts files of a run, each read once and indexed: a scan of ten thousand lines for every device
// would cost more than its handshake.
type trust struct {
	mu    sync.Mutex
	files map[string]*knownHosts
}

func newTrust() *trust { return &trust{files: map[string]*knownHosts{}} }

// A hostKey is a line's key as it stands there.
type hostKey struct{ kind, base64 string }

// knownHosts is one file in the format of sshd(8), SSH_KNOWN_HOSTS FILE FORMAT. Certificate authorities are passed over:
// a host they vouch for is unknown.
type knownHosts struct {
	err      error
	exact    map[string][]hostKey
	patterns []hostPattern
	hashed   []hashedHost
	revoked  map[string]bool // by the key's base64
}

type hostPattern struct {
	globs []string
	key   hostKey
}

type hashedHost struct {
	salt, sum []byte
	key       hostKey
}

func (t *trust) open(file string) *knownHosts {
	t.mu.Lock()
	defer t.mu.Unlock()
	k, ok := t.files[file]
	if !ok {
		text, err := os.ReadFile(file)
		k = parseKnownHosts(text)
		k.err = err
		t.files[file] = k
	}
	return k
}

func parseKnownHosts(text []byte) *knownHosts {
	k := &knownHosts{exact: map[string][]hostKey{}, revoked: map[string]bool{}}
	for line := range bytes.Lines(text) {
		f := strings.Fields(string(line))
		if len(f) == 0 || f[0][0] == '#' {
			continue
		}
		marker := ""
		if f[0][0] == '@' {
			marker, f = f[0], f[1:]
		}
		if len(f) < 3 {
			continue
		}
		key := hostKey{f[1], f[2]}
		switch {
		case marker == "@revoked":
			k.revoked[key.base64] = true
		case marker != "":
		case strings.HasPrefix(f[0], "|1|"):
			if h, ok := parseHashed(f[0]); ok {
				h.key = key
				k.hashed = append(k.hashed, h)
			}
		case strings.ContainsAny(f[0], "*?!"):
			k.patterns = append(k.patterns, hostPattern{strings.Split(strings.ToLower(f[0]), ","), key})
		default:
			for name := range strings.SplitSeq(strings.ToLower(f[0]), ",") {
				k.exact[name] = append(k.exact[name], key)
			}
		}
	}
	return k
}

// parseHashed reads |1|salt|HMAC-SHA1(salt, host).
func parseHashed(s string) (h hashedHost, ok bool) {
	salt, sum, _ := strings.Cut(strings.TrimPrefix(s, "|1|"), "|")
	var err1, err2 error
	h.salt, err1 = base64.StdEncoding.DecodeString(salt)
	h.sum, err2 = base64.StdEncoding.DecodeString(sum)
	return h, err1 == nil && err2 == nil && len(h.salt) <= sha1.BlockSize
}

// keys are those of a host, under the name known_hosts has for it. Hashed names are looked through only for a host that
// stands nowhere in clear: each costs two hashes, and a file may have thousands.
func (k *knownHosts) keys(name string) []hostKey {
	name = strings.ToLower(name)
	keys := slices.Clone(k.exact[name])
	for _, p := range k.patterns {
		if p.matches(name) {
			keys = append(keys, p.key)
		}
	}
	if len(keys) > 0 {
		return keys
	}
	text := make([]byte, 0, sha1.BlockSize+max(len(name), sha1.Size))
	for _, h := range k.hashed {
		if sum := hostHash(text, h.salt, name); bytes.Equal(sum[:], h.sum) {
			keys = append(keys, h.key)
		}
	}
	return keys
}

// hostHash is HMAC-SHA1 (RFC 2104) of a name under a salt no longer than a block, without hmac's allocations. buf is
// room for a block and the name or a sum.
func hostHash(buf, salt []byte, name string) [sha1.Size]byte {
	pad := func(b byte) []byte {
		buf = append(buf[:0], salt...)
		for len(buf) < sha1.BlockSize {
			buf = append(buf, 0)
		}
		for i := range buf {
			buf[i] ^= b
		}
		return buf
	}
	inner := sha1.Sum(append(pad(0x36), name...))
	return sha1.Sum(append(pad(0x5c), inner[:]...))
}

func (p hostPattern) matches(name string) bool {
	found := false
	for _, g := range p.globs {
		glob, not := strings.CutPrefix(g, "!")
		glob = strings.NewReplacer("[", `\[`, "]", `\]`).Replace(glob) // brackets stand for themselves here
		if ok, err := path.Match(glob, name); err == nil && ok {
			if not {
				return false
			}
			found = true
		}
	}
	return found
}

// hostName is how known_hosts names an address: with its port unless that is 22.
func hostName(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || port == "22" {
		return host
	}
	return "[" + host + "]:" + port
}

// A hostCheck decides about one device's host key.
type hostCheck struct {
	d       *device
	source  string // where known is from, for messages
	known   []hostKey
	pins    []string // SHA256:... fingerprints
	revoked map[string]bool
	failure atomic.Pointer[inventory.Failure] // set by the handshake's own goroutine
}

// forHost gathers what is known of a device's key. options.host_key, one or more of "SHA256:FINGERPRINT" and
// "TYPE BASE64" with commas between, replaces known_hosts.
func (t *trust) forHost(d *device) (*hostCheck, error) {
	c := &hostCheck{d: d}
	if pin := d.Options["host_key"]; pin != "" {
		c.source = "options.host_key of the inventory"
		for p := range strings.SplitSeq(pin, ",") {
			f := strings.Fields(p)
			switch {
			case len(f) == 1 && strings.HasPrefix(f[0], "SHA256:"):
				c.pins = append(c.pins, strings.TrimRight(f[0], "="))
			case len(f) >= 2 && (strings.HasPrefix(f[0], "ssh-") || strings.HasPrefix(f[0], "ecdsa-")):
				c.known = append(c.known, hostKey{f[0], f[1]})
			default:
				return nil, &inventory.Failure{Cause: fmt.Sprintf("options.host_key %q is no host key", p), Remedy: `state "SHA256:FINGERPRINT" or "TYPE BASE64" as ssh-keyscan prints it`}
			}
		}
		return c, nil
	}
	file := d.Options["known_hosts"]
	if file == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil, &inventory.Failure{Cause: "no known_hosts file: " + err.Error(), Remedy: "state options.known_hosts in the inventory", Err: err}
		}
		file = filepath.Join(home, ".ssh", "known_hosts")
	}
	c.source = file
	k := t.open(file)
	if k.err != nil && !errors.Is(k.err, fs.ErrNotExist) {
		return nil, &inventory.Failure{Cause: k.err.Error(), Remedy: "make the known_hosts file readable", Err: k.err}
	}
	c.known, c.revoked = k.keys(hostName(d.addr)), k.revoked
	return c, nil
}

// algorithms are the host key algorithms to offer: those of the keys that are known, so that a device with several keys
// shows the one that can be checked; else all, those with short lines first.
func (c *hostCheck) algorithms() []string {
	var out []string
	for _, k := range c.known {
		algs := []string{k.kind}
		if k.kind == ssh.KeyAlgoRSA { // one kind of key, three of signature (RFC 8332)
			algs = []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA}
		}
		for _, a := range algs {
			if !slices.Contains(out, a) {
				out = append(out, a)
			}
		}
	}
	if len(c.known) > 0 && len(c.pins) == 0 {
		return out
	}
	return []string{
		ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoECDSA384, ssh.KeyAlgoECDSA521,
		ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256, ssh.KeyAlgoRSA,
	}
}

// verify accepts a key that is known. What it refuses ends the handshake before any credential is asked for.
func (c *hostCheck) verify(_ string, _ net.Addr, key ssh.PublicKey) error {
	if f := c.judge(key); f != nil {
		c.failure.Store(f)
		return f
	}
	return nil
}

func (c *hostCheck) judge(key ssh.PublicKey) *inventory.Failure {
	got := hostKey{key.Type(), base64.StdEncoding.EncodeToString(key.Marshal())}
	fingerprint := ssh.FingerprintSHA256(key)
	line := hostName(c.d.addr) + " " + got.kind + " " + got.base64
	switch {
	case c.revoked[got.base64]:
		return &inventory.Failure{
			Cause:  fmt.Sprintf("the device shows the %s key %s, which %s revokes; no credential was sent", got.kind, fingerprint, c.source),
			Remedy: "find out what answers at " + c.d.addr + " before anything is sent to it",
		}
	case slices.Contains(c.known, got), slices.Contains(c.pins, fingerprint):
		return nil
	case len(c.pins) > 0:
		return &inventory.Failure{
			Cause:  fmt.Sprintf("the device's %s key is %s, pinned is %s; no credential was sent", got.kind, fingerprint, strings.Join(c.pins, ", ")),
			Remedy: "compare with the key at the device's console; if it is the device's, state it in options.host_key",
		}
	case len(c.known) > 0:
		return &inventory.Failure{
			Cause:  fmt.Sprintf("the device's %s key has changed to %s; no credential was sent", got.kind, fingerprint),
			Remedy: fmt.Sprintf("if the device was replaced or given a new key, make sure of it at its console and replace its line in %s by: %s", c.source, line),
		}
	}
	return &inventory.Failure{
		Cause:  fmt.Sprintf("the device's host key is not known: %s %s; no credential was sent", got.kind, fingerprint),
		Remedy: fmt.Sprintf("compare the fingerprint with the device's console, then add to %s: %s", c.source, line),
	}
}
