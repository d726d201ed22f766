package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
)

// headSize is how much of an answer is looked at before it becomes a file: a refusal is shorter.
const headSize = 2 << 10

// tailSize is how much of an answer's end is kept to find its last line in.
const tailSize = 512

// errEndless is an answer that is larger than any may be.
var errEndless = errors.New("the answer is too large")

// An output is the answer to one command on its way into the bundle. It becomes a file when it is longer than a refusal
// could be, and part of the bundle when it is known to be whole.
type output struct {
	w       *evidence.Writer
	meta    evidence.Meta
	command Command
	rejects []string
	max     int64

	size int64
	head []byte // until there is a file
	file io.WriteCloser
	tail []byte
}

func (o *output) Write(p []byte) (int, error) {
	o.size += int64(len(p))
	if o.size > o.max {
		return 0, &inventory.Failure{
			Cause:  fmt.Sprintf("the answer to %q is larger than %d MiB", o.command.Text, o.max>>20),
			Remedy: "look at the device: no configuration is that large", Err: errEndless,
		}
	}
	if len(p) >= tailSize {
		o.tail = append(o.tail[:0], p[len(p)-tailSize:]...)
	} else {
		if n := len(o.tail) + len(p) - tailSize; n > 0 {
			o.tail = append(o.tail[:0], o.tail[n:]...)
		}
		o.tail = append(o.tail, p...)
	}
	if o.file == nil && len(o.head)+len(p) <= headSize {
		o.head = append(o.head, p...)
		return len(p), nil
	}
	if err := o.create(); err != nil {
		return 0, err
	}
	return o.file.Write(p)
}

func (o *output) create() error {
	if o.file != nil {
		return nil
	}
	f, err := o.w.Create(o.command.File, o.meta)
	if err != nil {
		return err
	}
	o.file = f
	_, err = f.Write(o.head)
	return err
}

// A rejection is a command the device did not take.
type rejection struct{ *inventory.Failure }

// finish makes the answer part of the bundle, when it is one and is whole.
func (o *output) finish() error {
	if line := o.rejected(); line != "" {
		return o.reject(line)
	}
	if len(bytes.TrimSpace(o.tail)) == 0 && o.size <= tailSize {
		return &inventory.Failure{
			Cause:  fmt.Sprintf("the device answered nothing to %q", o.command.Text),
			Remedy: "look at its memory: a device that is short of it leaves configurations out; or at what this user may see",
		}
	}
	if end := o.command.End; end != "" {
		if last := lastLine(o.tail); last != end {
			return &inventory.Failure{
				Cause:  fmt.Sprintf("the answer to %q is not whole: its last line is %q, not %q", o.command.Text, clip(last), end),
				Remedy: "collect again; when it stays so, look at the device's memory and at what this user may see",
			}
		}
	}
	if err := o.create(); err != nil {
		return err
	}
	return o.file.Close()
}

// reject is the rejection with what the device said.
func (o *output) reject(said string) error {
	return rejectionOf(o.command.Text, said)
}

func rejectionOf(command, said string) error {
	return &rejection{&inventory.Failure{
		Cause:  fmt.Sprintf("the device did not take %q: %s", command, clip(said)),
		Remedy: "check that the inventory states the right platform, that the user may run the command, and that the credential has an enable password where one is needed",
	}}
}

func (r *rejection) Unwrap() error { return r.Failure }

// rejected is the line by which a device says that it did not take the command; empty when it did.
func (o *output) rejected() string {
	if o.file != nil {
		return ""
	}
	for line := range strings.Lines(string(o.head)) {
		line = strings.TrimSpace(line)
		for _, r := range o.rejects {
			if strings.HasPrefix(line, r) {
				return line
			}
		}
	}
	return ""
}

// lastLine is the last line that is not blank.
func lastLine(text []byte) string {
	text = bytes.TrimRight(text, " \t\r\n\x00")
	return string(bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:]))
}
