package ssh

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/crypto/ssh"
)

// auth chooses how to log in. Devices lock accounts after a few wrong passwords, and count one for each of the methods
// "password" and "keyboard-interactive" (RFC 4252, RFC 4256): it sends one password, whatever is offered.
type auth struct {
	d       *device
	watch   *watch
	wire    *wire
	key     bool // the key was offered
	sent    bool // a password left this machine
	failure *inventory.Failure
}

// next is the method to try after what failed so far. It is called after the host key was found good.
func (a *auth) next(c *ssh.ClientAuthContext) (ssh.AuthMethod, error) {
	cred := a.d.Credential
	offers := func(method string) bool { return slices.Contains(c.AllowedMethods, method) }
	switch {
	case a.failure != nil:
	case cred.Key != "" && !a.key && offers("publickey"):
		a.key = true
		signer, err := a.signer()
		if err == nil {
			return ssh.PublicKeys(signer), nil
		}
		a.failure = unusable(err, cred.Name, "key")
	case cred.Password != "" && !a.sent && (offers("password") || offers("keyboard-interactive")):
		password, err := a.secret(cred.Password)
		if err != nil {
			a.failure = unusable(err, cred.Name, "password")
			break
		}
		if offers("password") {
			a.sent = true
			return ssh.Password(string(password)), nil
		}
		return ssh.KeyboardInteractive(func(_, _ string, questions []string, shown []bool) ([]string, error) {
			return a.answer(questions, shown, string(password))
		}), nil
	default:
		a.failure = a.refused(c.AllowedMethods)
	}
	return nil, a.failure
}

// unusable is a secret that cannot be had, or may not be tried.
func unusable(err error, credential, part string) *inventory.Failure {
	var f *inventory.Failure
	if errors.As(err, &f) {
		return f
	}
	return &inventory.Failure{Cause: err.Error(), Remedy: "mend credentials." + credential + "." + part, Err: err}
}

// answer gives the password to one question that hides what is typed, once.
func (a *auth) answer(questions []string, shown []bool, password string) ([]string, error) {
	switch {
	case len(questions) == 0:
		return nil, nil // text to be read; the next round asks
	case a.sent:
		a.failure = a.refused(nil)
	case len(questions) == 1 && !shown[0]:
		a.sent = true
		return []string{password}, nil
	default:
		a.failure = &inventory.Failure{
			Cause:  fmt.Sprintf("the device asks %d questions for a login, the first is %q", len(questions), clip(questions[0])),
			Remedy: "use a key, or an account that logs in by a password alone",
		}
	}
	return nil, a.failure
}

// secret fetches a value; a person who has to type it is not hurried by the handshake's limit.
func (a *auth) secret(ref string) ([]byte, error) {
	a.watch.rest()
	defer a.watch.again(a.d.handshake)
	if a.d.Secrets == nil {
		return nil, errors.New("there is no way to look secrets up")
	}
	value, err := a.d.Secrets(ref)
	if err == nil && a.wire.ended() { // what is sent now would look refused
		return nil, &inventory.Failure{
			Cause:  "the device ended the connection while the login waited for its secret",
			Remedy: "collect again",
		}
	}
	return value, err
}

func (a *auth) signer() (ssh.Signer, error) {
	pem, err := a.secret(a.d.Credential.Key)
	if err != nil {
		return nil, err
	}
	signer, err := ssh.ParsePrivateKey(append(pem, '\n'))
	var locked *ssh.PassphraseMissingError
	if errors.As(err, &locked) {
		if a.d.Credential.Passphrase == "" {
			return nil, errors.New("the key has a passphrase and the credential states none")
		}
		passphrase, perr := a.secret(a.d.Credential.Passphrase)
		if perr != nil {
			return nil, perr
		}
		signer, err = ssh.ParsePrivateKeyWithPassphrase(append(pem, '\n'), passphrase)
	}
	if err != nil {
		return nil, fmt.Errorf("the key cannot be used: %s", strings.TrimPrefix(err.Error(), "ssh: "))
	}
	return signer, nil
}

// refused is the failure of a login; offered are the methods the device has left, nil when that is not known.
func (a *auth) refused(offered []string) *inventory.Failure {
	cred := a.d.Credential
	switch {
	case a.sent:
		return &inventory.Failure{
			Refused: true,
			Cause:   fmt.Sprintf("the device refused the password of user %q (one attempt was made)", cred.User),
			Remedy:  fmt.Sprintf("check credential %q, and on the device whether the account is locked or must change its password; it is not tried again in this run", cred.Name),
		}
	case a.key:
		return &inventory.Failure{
			Refused: true,
			Cause:   fmt.Sprintf("the device refused the key of user %q", cred.User),
			Remedy:  fmt.Sprintf("install the public half of the key of credential %q for this user on the device", cred.Name),
		}
	}
	have := []string{}
	if cred.Key != "" {
		have = append(have, "a key")
	}
	if cred.Password != "" {
		have = append(have, "a password")
	}
	return &inventory.Failure{
		Cause:  fmt.Sprintf("the device offers login by %s, the credential has %s", strings.Join(offered, ", "), strings.Join(have, " and ")),
		Remedy: fmt.Sprintf("add what it offers to credential %q, or enable password login for this user", cred.Name),
	}
}

// clip keeps a device's text short enough for a message.
func clip(s string) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > 120 {
		return string(r[:120]) + "..."
	}
	return s
}
