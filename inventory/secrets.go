package inventory

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// A Resolver gives the values behind references. What was prompted for is kept for the run, so that one question serves
// every device.
type Resolver struct {
	// Env looks up an environment variable.
	Env func(string) (string, bool)
	// Prompt asks a person; nil when there is none.
	Prompt func(question string) ([]byte, error)
	mu     sync.Mutex
	asked  map[string][]byte
}

// For is the Secrets of one credential: "prompt" asks by the credential's name.
func (r *Resolver) For(c Credential) Secrets {
	return func(ref string) ([]byte, error) { return r.resolve(ref, c.Name) }
}

func (r *Resolver) resolve(ref, name string) ([]byte, error) {
	if ref == "" {
		return nil, errors.New("no reference to this secret is given")
	}
	if ref == "prompt" {
		return r.prompt(name)
	}
	kind, rest, _ := strings.Cut(ref, ":")
	switch kind {
	case "env":
		v, ok := r.Env(rest)
		if !ok {
			return nil, fmt.Errorf("environment variable %s is not set", rest)
		}
		return []byte(v), nil
	case "file":
		return private(rest)
	case "systemd":
		dir, ok := r.Env("CREDENTIALS_DIRECTORY")
		if !ok {
			return nil, fmt.Errorf("credential %s: CREDENTIALS_DIRECTORY is not set: run under systemd with LoadCredential=%s", rest, rest)
		}
		if !filepath.IsLocal(rest) {
			return nil, fmt.Errorf("credential %q is no name", rest)
		}
		return read(filepath.Join(dir, rest))
	}
	return nil, errors.New("a secret must be a reference: env:NAME, file:PATH, systemd:NAME or prompt")
}

func (r *Resolver) prompt(name string) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok := r.asked[name]; ok {
		return v, nil
	}
	if r.Prompt == nil {
		return nil, fmt.Errorf("credential %s asks to prompt and there is no terminal", name)
	}
	v, err := r.Prompt(fmt.Sprintf("secret of credential %s: ", name))
	if err != nil {
		return nil, err
	}
	if r.asked == nil {
		r.asked = map[string][]byte{}
	}
	r.asked[name] = v
	return v, nil
}

// private reads a file that only its owner may read.
func private(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it", path, mode)
	}
	return read(path)
}

// read is a file's content without one final line end.
func read(path string) ([]byte, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(bytes.TrimSuffix(b, []byte("\n")), []byte("\r"))
	return b, nil
}
