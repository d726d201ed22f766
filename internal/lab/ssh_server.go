package lab

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// An SSHDevice is what a simulated network device says. Texts have "\n" at line ends.
type SSHDevice struct {
	Name     string // host name, in the prompt
	Platform string // cisco_ios, cisco_asa, juniper_junos, frr, linux
	// Config, Version and Logging are the answers to the commands that ask for them.
	Config, Version, Logging string
	// Answers are those to further commands, whole.
	Answers  map[string]string
	User     string
	Password string
	// Enable makes the user begin unprivileged; empty: it is let in privileged.
	Enable string
	// AuthorizedKey is a public key that lets the user in, as a line of authorized_keys.
	AuthorizedKey string
	// Banner is said after the login, before the first prompt.
	Banner string
	Faults SSHFaults
}

// SSHFaults are what a device does wrong. The zero value does nothing wrong.
type SSHFaults struct {
	StallAccept    bool   // takes connections and says nothing
	StallHandshake bool   // stops after the first line of SSH
	StallAuth      bool   // takes the password and says nothing
	StallLogin     bool   // lets the user in and says nothing
	StallPrompt    bool   // says its prompt and nothing more
	CloseAtOnce    bool   // as when all VTY lines are in use
	Greeting       string // is said in place of the SSH banner
	Legacy         bool   // has no algorithms but those of 2006

	RefusePassword  bool // every password is wrong
	Interactive     bool // asks for the password by keyboard-interactive alone
	BothMethods     bool // takes it by either
	TwoQuestions    bool // asks for a code as well
	DropAfterGuess  bool // closes the connection in place of refusing
	NoSettings      bool // lets nobody set the terminal
	NoTerminal      bool // denies a terminal
	NoExec, NoShell bool
	NoExitStatus    bool
	NoEcho          bool
	DropTyped       bool   // what is typed while it prints is lost
	Prompt          string // in place of its own
	Chunk           int    // bytes in a packet; 0: as they come

	StallAfter, DropAfter int  // bytes of the configuration, then silence or the end
	Flood                 bool // the configuration has no end
}

// An SSHServer is a simulated device on loopback.
type SSHServer struct {
	Host string
	Port uint16

	d      SSHDevice
	kind   dialect
	config *ssh.ServerConfig
	key    ssh.PublicKey
	listen net.Listener
	done   sync.WaitGroup
	once   sync.Once
	gone   chan struct{}

	mu       sync.Mutex
	conns    map[net.Conn]bool // nil when closed
	commands []string
	guesses  atomic.Int64
	logins   atomic.Int64
	enables  atomic.Int64
}

// StartSSH starts a device with a new host key.
func StartSSH(d SSHDevice) (*SSHServer, error) {
	kind, err := dialectOf(d.Platform)
	if err != nil {
		return nil, err
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		return nil, err
	}
	s := &SSHServer{d: d, kind: kind, key: signer.PublicKey(), conns: map[net.Conn]bool{}, gone: make(chan struct{})}
	if s.config, err = s.serverConfig(signer); err != nil {
		return nil, err
	}
	if s.listen, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("start %s: %w", d.Name, err)
	}
	addr, ok := s.listen.Addr().(*net.TCPAddr)
	if !ok {
		return nil, errors.Join(errors.New("no TCP address"), s.listen.Close())
	}
	s.Host, s.Port = "127.0.0.1", uint16(addr.Port)
	s.done.Go(s.accept)
	return s, nil
}

// Close stops the device, ends its connections and waits for them.
func (s *SSHServer) Close() {
	s.once.Do(func() {
		close(s.gone)
		s.listen.Close()
		s.mu.Lock()
		for c := range s.conns {
			c.Close()
		}
		s.conns = nil
		s.mu.Unlock()
	})
	s.done.Wait()
}

// Addr is host:port.
func (s *SSHServer) Addr() string { return net.JoinHostPort(s.Host, fmt.Sprint(s.Port)) }

// KnownHostsLine is the device's line of known_hosts.
func (s *SSHServer) KnownHostsLine() string {
	return fmt.Sprintf("[%s]:%d %s %s", s.Host, s.Port, s.key.Type(), base64.StdEncoding.EncodeToString(s.key.Marshal()))
}

// Fingerprint is that of the host key, as ssh-keygen -l prints it.
func (s *SSHServer) Fingerprint() string { return ssh.FingerprintSHA256(s.key) }

// Commands are all lines that were typed and commands that were run, in order, without passwords and empty lines.
func (s *SSHServer) Commands() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.commands)
}

// Guesses counts the passwords that were tried for a login, Enables those for privilege, Logins who got in.
func (s *SSHServer) Guesses() int64 { return s.guesses.Load() }

// Enables counts passwords typed at "enable".
func (s *SSHServer) Enables() int64 { return s.enables.Load() }

// Logins counts users let in.
func (s *SSHServer) Logins() int64 { return s.logins.Load() }

func (s *SSHServer) record(command string) {
	if command = strings.TrimSpace(command); command == "" {
		return
	}
	s.mu.Lock()
	s.commands = append(s.commands, command)
	s.mu.Unlock()
}

// serverConfig is how users log in.
func (s *SSHServer) serverConfig(host ssh.Signer) (*ssh.ServerConfig, error) {
	f := s.d.Faults
	c := &ssh.ServerConfig{MaxAuthTries: 6, ServerVersion: s.kind.version}
	c.AddHostKey(host)
	if f.Legacy {
		c.KeyExchanges = []string{ssh.InsecureKeyExchangeDH1SHA1}
		c.Ciphers = []string{ssh.InsecureCipherAES128CBC}
	}
	if s.d.Password != "" && !f.Interactive {
		c.PasswordCallback = func(m ssh.ConnMetadata, p []byte) (*ssh.Permissions, error) { return s.guess(m.User(), string(p)) }
	}
	if s.d.Password != "" && (f.Interactive || f.BothMethods || f.TwoQuestions) {
		c.KeyboardInteractiveCallback = func(m ssh.ConnMetadata, ask ssh.KeyboardInteractiveChallenge) (*ssh.Permissions, error) {
			questions, echo := []string{"Password: "}, []bool{false}
			if f.TwoQuestions {
				questions, echo = append(questions, "Code: "), append(echo, true)
			}
			a, err := ask("", "", questions, echo)
			if err != nil || len(a) == 0 {
				return nil, errors.New("no answer")
			}
			return s.guess(m.User(), a[0])
		}
	}
	if f.TwoQuestions {
		c.PasswordCallback = nil
	}
	if s.d.AuthorizedKey != "" {
		want, _, _, _, err := ssh.ParseAuthorizedKey([]byte(s.d.AuthorizedKey))
		if err != nil {
			return nil, fmt.Errorf("authorized key of %s: %w", s.d.Name, err)
		}
		c.PublicKeyCallback = func(m ssh.ConnMetadata, k ssh.PublicKey) (*ssh.Permissions, error) {
			if m.User() == s.d.User && bytes.Equal(k.Marshal(), want.Marshal()) {
				return nil, nil
			}
			return nil, errors.New("unknown key")
		}
	}
	return c, nil
}

// errHangUp ends a connection in place of an answer.
var errHangUp = errors.New("hang up")

func (s *SSHServer) guess(user, password string) (*ssh.Permissions, error) {
	s.guesses.Add(1)
	switch {
	case s.d.Faults.StallAuth:
		<-s.gone
		return nil, errHangUp
	case s.d.Faults.DropAfterGuess:
		s.hangUp()
		return nil, errHangUp
	case user == s.d.User && password == s.d.Password && !s.d.Faults.RefusePassword:
		return nil, nil
	}
	return nil, errors.New("wrong password")
}

// hangUp ends all connections.
func (s *SSHServer) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.Close()
	}
}

func (s *SSHServer) accept() {
	for {
		c, err := s.listen.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		open := s.conns != nil
		if open {
			s.conns[c] = true
		}
		s.mu.Unlock()
		if !open {
			c.Close()
			return
		}
		s.done.Go(func() {
			defer s.forget(c)
			s.serve(c)
		})
	}
}

func (s *SSHServer) forget(c net.Conn) {
	c.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// serve speaks SSH on one connection, or does what the faults say.
func (s *SSHServer) serve(c net.Conn) {
	f := s.d.Faults
	switch {
	case f.CloseAtOnce:
		return
	case f.Greeting != "":
		_, _ = io.WriteString(c, f.Greeting)
		_, _ = io.Copy(io.Discard, c)
		return
	case f.StallHandshake:
		_, _ = io.WriteString(c, cmp.Or(s.kind.version, "SSH-2.0-Go")+"\r\n")
		_, _ = io.Copy(io.Discard, c)
		return
	case f.StallAccept:
		_, _ = io.Copy(io.Discard, c)
		return
	}
	conn, channels, requests, err := ssh.NewServerConn(c, s.config)
	if err != nil {
		return
	}
	s.logins.Add(1)
	var sessions sync.WaitGroup
	defer sessions.Wait()
	defer conn.Close()
	sessions.Go(func() { ssh.DiscardRequests(requests) })
	ran := new(atomic.Bool)
	for n := range channels {
		if n.ChannelType() != "session" || s.kind.execOnce && ran.Load() {
			_ = n.Reject(ssh.Prohibited, "not available")
			continue
		}
		ch, reqs, err := n.Accept()
		if err != nil {
			return
		}
		sessions.Go(func() {
			s.session(ch, reqs, ran)
			if s.kind.execOnce && ran.Load() {
				conn.Close()
			}
		})
	}
}
