package ssh

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/crypto/ssh"
)

// errNoExec is a device that runs no command on a channel of its own.
var errNoExec = errors.New("the device runs no commands without a shell")

// errCut is an answer that was cut off with the connection.
var errCut = errors.New("the connection ended")

// readSize is how much is read at once: what one packet of most devices holds (RFC 4253, 6.1).
const readSize = 32 << 10

// execs runs each command on a channel of its own: no prompt, no echo, no pager, and an exit status in the end.
type execs struct {
	d   *device
	l   *link
	buf []byte
}

func (e *execs) close() {}

func (e *execs) run(c Command, out *output) error {
	l := e.l
	l.watch.within(e.d.idle, e.d.silent(c.Text, "it opened no channel"))
	defer l.watch.rest()
	s, err := l.client.NewSession()
	if err != nil {
		return l.why(cut("open a channel for", c, err))
	}
	defer s.Close()
	stdout, err := s.StdoutPipe()
	if err != nil {
		return err
	}
	said := &firstLine{}
	s.Stderr = said
	if err := s.Start(c.Text); err != nil {
		if strings.HasSuffix(err.Error(), " failed") { // the library has no type for a request that was denied
			return errNoExec
		}
		return l.why(cut("start", c, err))
	}
	if e.buf == nil {
		e.buf = make([]byte, readSize)
	}
	f := e.d.silent(c.Text, "its answer stopped")
	for {
		l.watch.within(e.d.idle, f)
		n, err := stdout.Read(e.buf)
		if n > 0 {
			if _, werr := out.Write(e.buf[:n]); werr != nil {
				return werr
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return l.why(cut("read the answer to", c, err))
		}
	}
	return e.status(s.Wait(), c, out, said)
}

// status judges an answer that ended by the exit status of its command.
func (e *execs) status(err error, c Command, out *output, said *firstLine) error {
	var code *ssh.ExitError
	var missing *ssh.ExitMissingError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &code):
		text := said.String()
		if text == "" {
			text = out.rejected()
		}
		if text == "" {
			text = fmt.Sprintf("exit status %d", code.ExitStatus())
		}
		return rejectionOf(c.Text, text)
	case errors.As(err, &missing) && c.End != "" && lastLine(out.tail) == c.End:
		return nil // the text itself proves that it is whole
	case errors.As(err, &missing):
		return &inventory.Failure{
			Cause:  fmt.Sprintf("the answer to %q ended without an exit status: it may be cut off", c.Text),
			Remedy: "collect again; look at the device's log when it stays so", Err: err,
		}
	}
	return cut("read the answer to", c, err)
}

// cut is an answer that ended with the connection.
func cut(doing string, c Command, err error) error {
	return &inventory.Failure{
		Cause:  fmt.Sprintf("%s %q: the device ended the connection", doing, c.Text),
		Remedy: "collect again; look at the device's log when it stays so", Err: errors.Join(errCut, err),
	}
}

// silent is what it means when nothing comes for the idle time.
func (d *device) silent(command, what string) *inventory.Failure {
	return &inventory.Failure{
		Cause:  fmt.Sprintf("the device was silent for %s during %q: %s", d.idle, command, what),
		Remedy: "look at its load; options.idle_timeout gives a slow device more time",
	}
}

// A firstLine keeps the beginning of what a command says of its failure.
type firstLine struct {
	mu   sync.Mutex
	text []byte
}

func (f *firstLine) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.text = append(f.text, p[:min(len(p), 1024-len(f.text))]...)
	return len(p), nil
}

func (f *firstLine) String() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(f.text)), "\n")
	return strings.TrimSpace(line)
}
