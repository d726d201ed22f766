// Package ssh collects configurations, logs and versions of network devices over SSH and writes them as they came.
//
// Only the commands of [Commands] are ever typed; none of them writes. Pagers are answered, never configured away: what
// a setting command changes ends with the session. A configuration counts as whole when its end was seen: the line that
// ends it, the exit status of its command, or the prompt twice, the second time in answer to an empty line.
//
// A device is sent a credential only after its host key was found in known_hosts or pinned by the inventory, and at most
// one password, by whichever of the two password methods it offers. Nothing waits for ever: connecting, the handshake and
// every silence have a limit, and the context ends the rest. Memory per device is a few hundred kilobytes whatever it
// sends; one answer is at most [MaxOutput] bytes.
package ssh

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
)

// MaxOutput is the most that one command may answer, in bytes. The largest configurations known are a tenth of it.
const MaxOutput = 64 << 20

// Limits of one device unless its options say otherwise.
const (
	connectTimeout   = 10 * time.Second // for TCP; half of what Linux takes to give up a second SYN
	handshakeTimeout = 30 * time.Second // for keys and login: an AAA server that is down costs a device some 15 s
	idleTimeout      = 60 * time.Second // of silence: large devices build a configuration that long before its first line
)

// Collector reads devices over SSH. What it learns from known_hosts files is kept for its life.
func Collector() inventory.Collector {
	c := &collector{trust: newTrust(), max: MaxOutput}
	return inventory.Collector{Name: "ssh", Collect: c.collect}
}

type collector struct {
	trust *trust
	max   int64 // bytes of one answer
	shell bool  // runs no command on a channel of its own
}

// A device is one target being read.
type device struct {
	inventory.Target
	platform  platform
	addr      string // host:port
	connect   time.Duration
	handshake time.Duration
	idle      time.Duration
	max       int64
}

func newDevice(t inventory.Target) (*device, error) {
	p, ok := platformOf(t.Platform)
	if !ok {
		return nil, &inventory.Failure{
			Cause:  fmt.Sprintf("there are no commands for platform %q", t.Platform),
			Remedy: "state one of these platforms in the inventory: " + strings.Join(Platforms(), ", "),
		}
	}
	port := t.Port
	if port == 0 {
		port = 22
	}
	d := &device{
		Target: t, platform: p, addr: net.JoinHostPort(t.Address, strconv.Itoa(int(port))),
		connect: connectTimeout, handshake: handshakeTimeout, idle: idleTimeout,
	}
	if x, err := time.ParseDuration(t.Options["connect_timeout"]); err == nil && x > 0 {
		d.connect, d.handshake = x, x
	}
	if x, err := time.ParseDuration(t.Options["idle_timeout"]); err == nil && x > 0 {
		d.idle = x
	}
	c := t.Credential
	switch {
	case c.User == "":
		return nil, &inventory.Failure{Cause: "the credential has no user", Remedy: "state credentials." + c.Name + ".user in the inventory"}
	case c.Password == "" && c.Key == "":
		return nil, &inventory.Failure{
			Cause:  "the credential has neither a password nor a key",
			Remedy: "state credentials." + c.Name + ".password or .key as a reference",
		}
	}
	return d, nil
}

func (c *collector) collect(ctx context.Context, t inventory.Target, w *evidence.Writer) error {
	d, err := newDevice(t)
	if err != nil {
		return err
	}
	d.max = c.max
	d.platform.shellOnly = d.platform.shellOnly || c.shell
	l, err := d.login(ctx, c.trust)
	if err != nil {
		return d.over(ctx, err)
	}
	defer l.close()
	return d.over(ctx, d.read(l, w))
}

// over says that the context ended it, when it did.
func (d *device) over(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	f := &inventory.Failure{Cause: "interrupted", Err: ctx.Err()}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		f = &inventory.Failure{Cause: "the time for the device was up: " + err.Error(), Remedy: "raise its timeout when it is only slow", Err: ctx.Err()}
	}
	var below *inventory.Failure
	if errors.As(err, &below) {
		f.Refused = below.Refused
	}
	return f
}

// A runner types commands at one device. An answer that is not whole is an error.
type runner interface {
	run(c Command, out *output) error
	close()
}

// read runs every command of the platform. One that fails costs no other; the first failure of a needed one is returned.
func (d *device) read(l *link, w *evidence.Writer) error {
	r, err := d.open(l)
	if err != nil {
		return err
	}
	defer func() { r.close() }()
	var failed []error
	done, typed := map[string]bool{}, false // done by file
	for i, c := range d.platform.commands {
		if c.File == "" || done[c.File] {
			continue
		}
		out := &output{w: w, meta: evidence.Meta{Command: c.Text, Platform: d.Platform, Format: c.Format}, command: c, rejects: d.platform.rejects, max: d.max}
		err := r.run(c, out)
		if errors.Is(err, errNoExec) && !typed && !d.platform.execOnly {
			if r, err = d.shell(l); err != nil {
				return err
			}
			err = r.run(c, out)
		}
		typed = true
		if err == nil {
			err = out.finish()
		}
		// What was written of an answer that is not whole stays a partial file: it is never closed.
		var no *rejection
		switch {
		case err == nil:
			done[c.File] = true
		case l.lost(err):
			return join(append(failed, l.why(err)))
		case errors.As(err, &no) && d.hasInstead(c, i):
		case c.Optional:
			w.Gap(c.Text, err.Error(), remedyOf(err))
		default:
			failed = append(failed, err)
		}
	}
	return join(failed)
}

// hasInstead reports whether the command after c is what is sent when the device does not know c.
func (d *device) hasInstead(c Command, i int) bool {
	return i+1 < len(d.platform.commands) && d.platform.commands[i+1].Instead == c.Text
}

func remedyOf(err error) string {
	var f *inventory.Failure
	if errors.As(err, &f) {
		return f.Remedy
	}
	return ""
}

// join makes one failure of several.
func join(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	f := &inventory.Failure{Err: errors.Join(errs...)}
	var causes, remedies []string
	for _, err := range errs {
		causes = append(causes, err.Error())
		if r := remedyOf(err); r != "" {
			remedies = append(remedies, r)
		}
	}
	f.Cause, f.Remedy = strings.Join(causes, "; "), strings.Join(remedies, "; ")
	return f
}

// open starts the platform's way of typing commands.
func (d *device) open(l *link) (runner, error) {
	if d.platform.shellOnly || d.needsEnable() {
		return d.shell(l)
	}
	return &execs{d: d, l: l}, nil
}

// needsEnable reports whether the user may have to become privileged before anything can be read.
func (d *device) needsEnable() bool { return d.platform.enable && d.Credential.Enable != "" }
