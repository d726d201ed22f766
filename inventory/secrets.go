package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// maxSecret bounds what a reference leads to: a private key has a few kilobytes.
const maxSecret = 64 << 10

// A Resolver gives the values behind references. What was prompted for is kept for the run, so that one question serves
// every device. It is safe for concurrent use.
type Resolver struct {
	// Env looks up an environment variable.
	Env func(string) (string, bool)
	// Prompt asks a person; nil when there is none.
	Prompt func(question string) ([]byte, error)

	mu    sync.Mutex
	asked map[string]answer
}

type answer struct {
	value []byte
	err   error
}

// For is the Secrets of one credential: "prompt" asks by the credential's name.
func (r *Resolver) For(c Credential) Secrets {
	return func(ref string) ([]byte, error) { return r.resolve(ref, c.Name) }
}

// checkReference refuses a literal secret. The text itself is in no message: it may be one.
func checkReference(ref string) error {
	kind, rest, ok := strings.Cut(ref, ":")
	if ok && rest != "" && slices.Contains([]string{"env", "file", "systemd"}, kind) || ref == "prompt" {
		return nil
	}
	return errors.New("a secret must be a reference: env:NAME, file:PATH, systemd:NAME or prompt; " +
		"if this is the secret itself, everyone who can read the file knows it: change it, and write where it is kept")
}

func (r *Resolver) resolve(ref, name string) ([]byte, error) {
	if ref == "" {
		return nil, fmt.Errorf("credential %s states no such secret", name)
	}
	kind, rest, _ := strings.Cut(ref, ":")
	switch kind {
	case "prompt":
		if rest == "" {
			rest = "secret"
		}
		return r.prompt(rest, name)
	case "env":
		v, ok := r.Env(rest)
		if !ok {
			return nil, fmt.Errorf("environment variable %s is not set", rest)
		}
		return usable([]byte(v), "environment variable "+rest)
	case "file":
		v, err := private(rest)
		if err != nil {
			return nil, err
		}
		return usable(v, rest)
	case "systemd":
		dir, ok := r.Env("CREDENTIALS_DIRECTORY")
		if !ok {
			return nil, fmt.Errorf("credential %s: CREDENTIALS_DIRECTORY is not set: run as a systemd service with LoadCredential=%s:PATH", rest, rest)
		}
		if !filepath.IsLocal(rest) {
			return nil, fmt.Errorf("credential %q is no name", rest)
		}
		v, err := read(filepath.Join(dir, rest)) // systemd keeps it from others (systemd.exec(5), Credentials)
		if err != nil {
			return nil, err
		}
		return usable(v, "systemd credential "+rest)
	}
	return nil, checkReference(ref)
}

// usable refuses an empty secret: it is a mistake, and trying it would be an attempt to log in.
func usable(v []byte, from string) ([]byte, error) {
	if len(v) == 0 {
		return nil, fmt.Errorf("%s is empty", from)
	}
	return v, nil
}

// prompt asks once for each part of a credential; a question that got no answer is not asked again.
func (r *Resolver) prompt(part, name string) ([]byte, error) {
	r.mu.Lock() // held while asking: who else needs the answer waits for it
	defer r.mu.Unlock()
	key := name + "\x00" + part
	if a, ok := r.asked[key]; ok {
		return a.value, a.err
	}
	var a answer
	if r.Prompt == nil {
		a.err = fmt.Errorf("credential %s is asked for at a terminal and there is none: keep it in a file or as a systemd credential", name)
	} else if v, err := r.Prompt(fmt.Sprintf("%s of credential %s: ", part, name)); err != nil {
		a.err = fmt.Errorf("ask for the %s of credential %s: %w", part, name, err)
	} else {
		a.value, a.err = usable(v, part+" of credential "+name)
	}
	if r.asked == nil {
		r.asked = map[string]answer{}
	}
	r.asked[key] = a
	return a.value, a.err
}

// private reads a file that only its owner may read, and whose owner is who runs this or root.
func private(path string) ([]byte, error) {
	if err := checkPrivate(path); err != nil {
		return nil, err
	}
	return read(path)
}

// checkPrivate refuses a file that others may read, or that is another user's.
func checkPrivate(path string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 && permissionsMeanSomething {
		return fmt.Errorf("%s can be used by others (mode %04o): run chmod 600 %s, and change the secret if others are on this machine", path, mode, path)
	}
	if owner, ok := foreignOwner(info); ok {
		return fmt.Errorf("%s belongs to user %d, who can change it: run chown on it", path, owner)
	}
	return nil
}

// read is a file's content without one final line end.
func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxSecret+1))
	if err != nil {
		return nil, err
	}
	if len(b) > maxSecret {
		return nil, fmt.Errorf("%s is larger than %d KiB: it is no secret", path, maxSecret>>10)
	}
	return bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r")), nil
}
