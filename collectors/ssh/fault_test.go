package ssh_test

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
	client "golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// Every way a device can fail has a cause, a remedy and an end: the limits here are 300 ms, and no test waits longer than
// a few of them.
func TestFaults(t *testing.T) {
	const short = "300ms"
	for _, c := range []struct {
		name     string
		platform string // cisco_ios unless stated
		faults   lab.SSHFaults
		device   func(*lab.SSHDevice)
		target   func(*inventory.Target)
		cause    string // with ADDR for the address
		remedy   string
		refused  bool
		guesses  int64
		partial  string // file that must have been begun and not become whole
		whole    string // file that must be whole in spite of all
	}{
		{name: "says nothing", faults: lab.SSHFaults{StallAccept: true}, cause: "ADDR accepted the connection and said nothing for 300ms", remedy: "VTY lines"},
		{name: "stops in the handshake", faults: lab.SSHFaults{StallHandshake: true}, cause: "ADDR (SSH-2.0-Cisco-1.25) stopped answering during the handshake, for 300ms", remedy: "options.connect_timeout"},
		{name: "is silent after the password", faults: lab.SSHFaults{StallAuth: true}, cause: `the device did not answer within 300ms to the login of user "auditor"`, remedy: "AAA server", refused: true, guesses: 1},
		{name: "is silent after the login", faults: lab.SSHFaults{StallLogin: true}, cause: "the device let the user in and said nothing for 300ms", remedy: "log in by hand", guesses: 1},
		{name: "all lines in use", faults: lab.SSHFaults{CloseAtOnce: true}, cause: "ADDR closed the connection before it said anything", remedy: "VTY lines"},
		{name: "another service", faults: lab.SSHFaults{Greeting: "220 ftp.example.net FTP server ready\r\n"}, cause: `what answers at ADDR is not SSH: it began with "220 ftp.example.net FTP server ready"`, remedy: "state the port"},
		{name: "garbage", faults: lab.SSHFaults{Greeting: strings.Repeat("\x00\x01\x1b[2J", 300)}, cause: `what answers at ADDR is not SSH: it began with "\x00\x01\x1b[2J`, remedy: "state the port"},
		{name: "old algorithms", faults: lab.SSHFaults{Legacy: true}, cause: "no common algorithm for key exchange; offered here: mlkem768x25519-sha256 ", remedy: "update the device"},
		{name: "wrong password", faults: lab.SSHFaults{RefusePassword: true}, cause: `the device refused the password of user "auditor" (one attempt was made)`, remedy: `check credential "net"`, refused: true, guesses: 1},
		{name: "wrong password by questions", faults: lab.SSHFaults{RefusePassword: true, Interactive: true}, cause: `the device refused the password of user "auditor" (one attempt was made)`, remedy: `check credential "net"`, refused: true, guesses: 1},
		{name: "wrong password, two methods", faults: lab.SSHFaults{RefusePassword: true, BothMethods: true}, cause: `the device refused the password of user "auditor" (one attempt was made)`, remedy: `check credential "net"`, refused: true, guesses: 1},
		{name: "closes in place of refusing", faults: lab.SSHFaults{DropAfterGuess: true}, cause: `the device refused the password of user "auditor" (one attempt was made)`, remedy: "account is locked", refused: true, guesses: 1},
		{name: "asks for a code", faults: lab.SSHFaults{TwoQuestions: true}, cause: `the device asks 2 questions for a login, the first is "Password: "`, remedy: "use a key"},
		{name: "no such secret", target: func(x *inventory.Target) { x.Credential.Password = "env:NONE" }, cause: "env:NONE is not set", remedy: "mend credentials.net.password"},
		{name: "offers no password", device: func(d *lab.SSHDevice) { d.Password, d.AuthorizedKey = "", authorized(t) }, cause: "the device offers login by publickey, the credential has a password", remedy: `add what it offers to credential "net"`},
		{name: "no user", target: func(x *inventory.Target) { x.Credential.User = "" }, cause: "the credential has no user", remedy: "credentials.net.user"},
		{name: "no secret at all", target: func(x *inventory.Target) { x.Credential.Password = "" }, cause: "the credential has neither a password nor a key", remedy: "credentials.net.password"},
		{name: "unknown platform", target: func(x *inventory.Target) { x.Platform = "other" }, cause: `there are no commands for platform "other"`, remedy: "cisco_asa, cisco_ios"},
		{name: "no prompt", faults: lab.SSHFaults{Prompt: "login menu, choose 1-4: "}, cause: `no prompt was recognised: the last line is "login menu, choose 1-4:", a prompt of cisco_ios ends in one of # >`, remedy: "right platform", guesses: 1},
		{name: "a prompt and nothing more", faults: lab.SSHFaults{StallPrompt: true}, cause: `the device showed the prompt "core-sw-01#" and did not answer to an empty line for 300ms`, remedy: "its load", guesses: 1},
		{name: "no shell", faults: lab.SSHFaults{NoShell: true}, cause: "the device refused a shell", remedy: "command line", guesses: 1},
		{name: "stops in the configuration", faults: lab.SSHFaults{StallAfter: 3000}, cause: `the device was silent for 300ms during "show running-config": its answer stopped`, remedy: "options.idle_timeout", guesses: 1, partial: "running-config.cfg", whole: "version.txt"},
		{name: "drops in the configuration", faults: lab.SSHFaults{DropAfter: 3000}, cause: `read the answer to "show running-config": the device ended the connection`, remedy: "collect again", guesses: 1, partial: "running-config.cfg", whole: "version.txt"},
		{name: "drops in the configuration, exec", platform: "juniper_junos", faults: lab.SSHFaults{DropAfter: 1200}, cause: `the answer to "show configuration | display omit" ended without an exit status: it may be cut off`, remedy: "collect again", guesses: 1, whole: "version.txt"},
		{name: "no exit status", platform: "juniper_junos", faults: lab.SSHFaults{NoExitStatus: true}, cause: `the answer to "show version" ended without an exit status: it may be cut off; the answer to "show configuration | display omit" ended without`, remedy: "collect again", guesses: 1},
		{name: "a configuration without its end", device: func(d *lab.SSHDevice) { d.Config = strings.TrimSuffix(config("cisco_ios", 40), "end\n") }, cause: `the answer to "show running-config" is not whole: its last line is "^C", not "end"`, remedy: "memory", guesses: 1, partial: "running-config.cfg", whole: "version.txt"},
		{name: "an empty configuration", device: func(d *lab.SSHDevice) { d.Config = "\n" }, cause: `the device answered nothing to "show running-config"`, remedy: "memory", guesses: 1, whole: "version.txt"},
		{name: "not privileged", device: func(d *lab.SSHDevice) { d.Enable = "Lab-Enable-1" }, cause: `the device did not take "show running-config": % Invalid input detected at '^' marker.`, remedy: "enable password", guesses: 1, whole: "version.txt"},
		{name: "wrong enable password", device: func(d *lab.SSHDevice) { d.Enable = "another" }, target: func(x *inventory.Target) { x.Credential.Enable = enable }, cause: `the device refused to enable user "auditor" (one attempt was made)`, remedy: "credentials.net.enable", refused: true, guesses: 1},
		{name: "needed and optional commands unknown", platform: "frr", device: func(d *lab.SSHDevice) { d.Platform = "linux" }, cause: `the device did not take "vtysh -c 'show version'": sh: 1: vtysh: not found; the device did not take "vtysh -c 'show running-config'": sh: 1: vtysh: not found`, remedy: "right platform", guesses: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := lab.SSHDevice{Platform: c.platform, Faults: c.faults, Logging: "Log Buffer:\n"}
			if d.Platform == "" {
				d.Platform = "cisco_ios"
			}
			x := inventory.Target{Platform: d.Platform}
			d.User, d.Password = "auditor", "Lab-Quay-1"
			if c.device != nil {
				c.device(&d)
			}
			s := start(t, d)
			x = target(t, s, x.Platform)
			x.Options["connect_timeout"], x.Options["idle_timeout"] = short, short
			if c.target != nil {
				c.target(&x)
			}
			begin := time.Now()
			m, err := collect(t, x)
			if took := time.Since(begin); took > 10*time.Second {
				t.Errorf("it took %s", took)
			}
			f := failure(t, err)
			cause := strings.ReplaceAll(f.Cause, s.Addr(), "ADDR")
			if !strings.HasPrefix(cause, c.cause) || !strings.Contains(f.Remedy, c.remedy) || f.Refused != c.refused {
				t.Errorf("cause   %s\nwant    %s\nremedy  %s\nwant    %s\nrefused %v", cause, c.cause, f.Remedy, c.remedy, f.Refused)
			}
			if strings.Contains(f.Cause+f.Remedy+fmt.Sprint(m.gaps), "Lab-Quay-1") || strings.ContainsAny(f.Cause, "\x00\x1b") {
				t.Errorf("the failure holds what it may not: %q", f.Cause)
			}
			if s.Guesses() != c.guesses {
				t.Errorf("%d guesses, want %d", s.Guesses(), c.guesses)
			}
			if _, whole := m.files[c.partial]; c.partial != "" && (whole || !strings.Contains(strings.Join(m.begun, " "), c.partial)) {
				t.Errorf("%s: whole %v, begun %q", c.partial, whole, m.begun)
			}
			if _, whole := m.files[c.whole]; c.whole != "" && !whole {
				t.Errorf("%s is not whole", c.whole)
			}
			for _, sent := range s.Commands() {
				if !slices.ContainsFunc(ssh.Commands(x.Platform), func(c ssh.Command) bool { return c.Text == sent }) {
					t.Errorf("%q was sent and is not in the table", sent)
				}
			}
			if s.Enables() > 1 {
				t.Errorf("%d passwords at enable", s.Enables())
			}
		})
	}
}

func failure(t *testing.T, err error) *inventory.Failure {
	t.Helper()
	var f *inventory.Failure
	if !errors.As(err, &f) {
		t.Fatalf("%T %v is no failure", err, err)
	}
	return f
}

// authorized is a new public key, as a line of authorized_keys.
func authorized(t *testing.T) string {
	t.Helper()
	public, _ := keyPair(t, nil)
	return public
}

// keyPair is a new key: its line of authorized_keys, and its file.
func keyPair(t *testing.T, passphrase []byte) (public string, private []byte) {
	t.Helper()
	pub, priv, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var block *pem.Block
	if passphrase == nil {
		block, err = client.MarshalPrivateKey(priv, "")
	} else {
		block, err = client.MarshalPrivateKeyWithPassphrase(priv, "", passphrase)
	}
	if err != nil {
		t.Fatal(err)
	}
	key, err := client.NewPublicKey(pub)
	if err != nil {
		t.Fatal(err)
	}
	return string(client.MarshalAuthorizedKey(key)), pem.EncodeToMemory(block)
}

func TestKeys(t *testing.T) {
	public, private := keyPair(t, nil)
	public2, locked := keyPair(t, []byte("Open-Sesame"))
	for _, c := range []struct {
		name       string
		authorized string
		key        string // value of the reference
		passphrase string
		password   string // of the device
		cause      string
		guesses    int64
	}{
		{name: "key", authorized: public, key: string(private)},
		{name: "without its last newline", authorized: public, key: strings.TrimSpace(string(private))},
		{name: "passphrase", authorized: public2, key: string(locked), passphrase: "Open-Sesame"},
		{name: "no passphrase", authorized: public2, key: string(locked), cause: "the key has a passphrase and the credential states none"},
		{name: "wrong passphrase", authorized: public2, key: string(locked), passphrase: "Shut-Sesame", cause: "the key cannot be used: "},
		{name: "no key", authorized: public, key: "something else", cause: "the key cannot be used: no key found"},
		{name: "refused", authorized: public2, key: string(private), cause: `the device refused the key of user "auditor"`},
		{name: "refused, then the password", authorized: public2, key: string(private), password: "Lab-Quay-1", guesses: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, lab.SSHDevice{Platform: "frr", User: "auditor", Password: c.password, AuthorizedKey: c.authorized})
			x := target(t, s, "frr")
			x.Credential.Key, x.Credential.Password = "test:key", ""
			if c.passphrase != "" {
				x.Credential.Passphrase = "test:passphrase"
			}
			if c.password != "" {
				x.Credential.Password = password
			}
			x.Secrets = func(ref string) ([]byte, error) {
				switch ref {
				case "test:key":
					return []byte(c.key), nil
				case "test:passphrase":
					return []byte(c.passphrase), nil
				}
				return secrets(ref)
			}
			_, err := collect(t, x)
			switch {
			case c.cause == "" && err != nil:
				t.Error(err)
			case c.cause != "" && (err == nil || !strings.HasPrefix(failure(t, err).Cause, c.cause)):
				t.Errorf("%v, want %s", err, c.cause)
			}
			if s.Guesses() != c.guesses {
				t.Errorf("%d guesses, want %d", s.Guesses(), c.guesses)
			}
		})
	}
}

// What the device's key decides, it decides before any credential is fetched.
func TestHostKeys(t *testing.T) {
	s, other := start(t, lab.SSHDevice{Platform: "frr"}), start(t, lab.SSHDevice{Platform: "frr"})
	name, key, _ := strings.Cut(s.KnownHostsLine(), " ")
	_, wrong, _ := strings.Cut(other.KnownHostsLine(), " ")
	const rsa = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC7"
	for _, c := range []struct {
		name, known, pin string
		cause, remedy    string
	}{
		{name: "known", known: name + " " + key},
		{name: "known among others", known: "# fleet\n\nswitch1,192.0.2.1 " + wrong + "\n" + name + " " + wrong + "\n" + name + " " + key + " comment\n"},
		{name: "known beside another kind", known: name + " " + rsa + "\n" + name + " " + key},
		{name: "hashed", known: hashed(t, name) + " " + key},
		{name: "pattern", known: "[127.0.0.*]:*,!*:1 " + key},
		{name: "pattern with an exception", known: "[127.0.0.*]:*,!" + name + " " + key, cause: "the device's host key is not known: "},
		{name: "unknown", known: "", cause: "the device's host key is not known: ssh-ed25519 " + s.Fingerprint(), remedy: name + " " + key},
		{name: "changed", known: name + " " + wrong, cause: "the device's ssh-ed25519 key has changed to " + s.Fingerprint(), remedy: name + " " + key},
		{name: "hashed and changed", known: hashed(t, name) + " " + wrong, cause: "the device's ssh-ed25519 key has changed to "},
		{name: "another kind", known: name + " " + rsa, cause: "the device no longer offers a host key of the kind that ", remedy: "ssh-keyscan -p " + fmt.Sprint(s.Port)},
		{name: "revoked", known: name + " " + key + "\n@revoked * " + key, cause: "the device shows the ssh-ed25519 key " + s.Fingerprint() + ", which ", remedy: "find out what answers"},
		{name: "authority", known: "@cert-authority * " + key, cause: "the device's host key is not known: "},
		{name: "pin", pin: s.Fingerprint()},
		{name: "pin by key", pin: "ssh-rsa AAAA, " + key},
		{name: "pin of another", pin: other.Fingerprint(), cause: "the device's ssh-ed25519 key is " + s.Fingerprint() + ", pinned is " + other.Fingerprint(), remedy: "options.host_key"},
		{name: "pin by another key", pin: wrong, cause: "the device's ssh-ed25519 key has changed"},
		{name: "no pin", pin: "yes", cause: `options.host_key "yes" is no host key`, remedy: "SHA256:FINGERPRINT"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := target(t, s, "frr")
			if err := os.WriteFile(x.Options["known_hosts"], []byte(c.known), 0o600); err != nil {
				t.Fatal(err)
			}
			if c.pin != "" {
				x.Options["host_key"] = c.pin
			}
			fetched := 0
			x.Secrets = func(ref string) ([]byte, error) { fetched++; return secrets(ref) }
			before := s.Guesses()
			_, err := collect(t, x)
			if c.cause == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f := failure(t, err)
			if !strings.HasPrefix(f.Cause, c.cause) || !strings.Contains(f.Remedy, c.remedy) || f.Refused {
				t.Errorf("cause  %s\nwant   %s\nremedy %s\nwant   %s", f.Cause, c.cause, f.Remedy, c.remedy)
			}
			if fetched != 0 || s.Guesses() != before {
				t.Errorf("%d secrets were fetched, %d passwords sent", fetched, s.Guesses()-before)
			}
		})
	}
}

// No known_hosts file is no known host, not an error of its own.
func TestNoKnownHosts(t *testing.T) {
	s := start(t, lab.SSHDevice{Platform: "frr"})
	x := target(t, s, "frr")
	x.Options["known_hosts"] += ".none"
	_, err := collect(t, x)
	if f := failure(t, err); !strings.HasPrefix(f.Cause, "the device's host key is not known") || !strings.Contains(f.Remedy, s.KnownHostsLine()) {
		t.Errorf("%v; %s", f, f.Remedy)
	}
}

func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	for _, c := range []struct{ name, address, cause string }{
		{"refused", "127.0.0.1", fmt.Sprintf("nothing listens at 127.0.0.1:%d", port)},
		{"no such name", "no-such-host.invalid", `no address is known for "no-such-host.invalid"`},
	} {
		x := target(t, start(t, lab.SSHDevice{Platform: "frr"}), "frr")
		x.Address, x.Port = c.address, uint16(port)
		_, err := collect(t, x)
		if f := failure(t, err); f.Cause != c.cause || f.Remedy == "" {
			t.Errorf("%s: %v; %s", c.name, f, f.Remedy)
		}
	}
}

// Cancelling ends whatever is going on, at once.
func TestCancel(t *testing.T) {
	for _, c := range []struct {
		name   string
		faults lab.SSHFaults
	}{
		{"before the banner", lab.SSHFaults{StallAccept: true}},
		{"during the handshake", lab.SSHFaults{StallHandshake: true}},
		{"during the login", lab.SSHFaults{StallAuth: true}},
		{"before the prompt", lab.SSHFaults{StallLogin: true}},
		{"in the configuration", lab.SSHFaults{StallAfter: 100}},
		{"in a flood", lab.SSHFaults{Flood: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t, lab.SSHDevice{Platform: "cisco_ios", Faults: c.faults})
			x := target(t, s, "cisco_ios")
			x.Options["connect_timeout"], x.Options["idle_timeout"] = "1m", "1m"
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
			defer cancel()
			begin := time.Now()
			err := ssh.Collector().Collect(ctx, x, newMemory().writer())
			f := failure(t, err)
			if took := time.Since(begin); took > 10*time.Second || !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(f.Cause, "the time for the device was up: ") {
				t.Errorf("after %s: %v", took, err)
			}
		})
	}
}

// A device that never ends is cut off by size, whether it speaks on a shell or not.
func TestFlood(t *testing.T) {
	for _, platform := range []string{"cisco_ios", "juniper_junos"} {
		s := start(t, lab.SSHDevice{Platform: platform, Logging: "Log\n", Faults: lab.SSHFaults{Flood: true}})
		m := newMemory()
		err := ssh.CollectAtMost(t.Context(), target(t, s, platform), m.writer(), 4<<20)
		f := failure(t, err)
		if !strings.Contains(f.Cause, "is larger than 4 MiB") || len(m.files) != 2 {
			t.Errorf("%s: %v, files %d", platform, f, len(m.files))
		}
	}
}

// hashed is a host's name as ssh-keygen -H writes it.
func hashed(t *testing.T, name string) string {
	t.Helper()
	return knownhosts.HashHostname(name)
}
