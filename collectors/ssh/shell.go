package ssh

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/crypto/ssh"
)

// The terminal asked for. Devices that take its size page less and do not wrap.
const (
	terminalRows    = 1000
	terminalColumns = 511
)

// nudgeAfter is how long the answer to an empty line is awaited before it is typed again.
const nudgeAfter = 2 * time.Second

// settle is how long nothing more may come after a confirmed prompt: it tells the end of an answer from a place in it that
// reads like one, where more is on its way. Devices far away get twice the time they take to answer, within reason.
const (
	settle    = 20 * time.Millisecond
	maxSettle = time.Second
)

// maxAside bounds the answers nobody keeps: to settings and to "enable".
const maxAside = 64 << 10

// A shell is an interactive session whose prompt is known.
type shell struct {
	d       *device
	l       *link
	session *ssh.Session
	in      io.Writer
	full    chan []byte // what the device said; closed at its end
	free    chan []byte // buffers to read into
	spent   []byte      // the buffer in use
	quiet   bool        // nothing came when next was called last
	prompt  []byte
	between string
	trip    time.Duration // how long the device took to answer an empty line
}

// shell starts an interactive session, becomes privileged where that is needed, and sets the session up.
func (d *device) shell(l *link) (runner, error) {
	s := &shell{d: d, l: l, full: make(chan []byte), free: make(chan []byte, 2)}
	l.watch.within(d.idle, d.silent("login", "it started no shell"))
	defer l.watch.rest()
	if err := s.start(); err != nil {
		return nil, l.why(err)
	}
	err := s.learn(nil)
	if err == nil && d.needsEnable() && bytes.HasSuffix(s.prompt, []byte(">")) {
		err = s.enable()
	}
	for _, c := range d.platform.commands {
		if err == nil && c.File == "" {
			err = s.set(c)
		}
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *shell) close() { s.session.Close() }

func (s *shell) start() error {
	session, err := s.l.client.NewSession()
	if err != nil {
		return cut("open a channel for", Command{Text: "a shell"}, err)
	}
	s.session = session
	// A device that denies a terminal has a shell all the same.
	_ = session.RequestPty(s.d.platform.term, terminalRows, terminalColumns, ssh.TerminalModes{ssh.ECHO: 1})
	if s.in, err = session.StdinPipe(); err != nil {
		return err
	}
	out, err := session.StdoutPipe()
	if err != nil {
		return err
	}
	if err := session.Shell(); err != nil {
		session.Close()
		if strings.HasSuffix(err.Error(), "could not start shell") { // the library has no type for a request that was denied
			return &inventory.Failure{Cause: "the device refused a shell", Remedy: "check that the user may use the command line", Err: err}
		}
		return cut("start", Command{Text: "a shell"}, err)
	}
	for range cap(s.free) {
		s.free <- make([]byte, readSize)
	}
	s.l.readers.Go(func() { s.listen(out) })
	return nil
}

// listen hands on what the device says until it ends, or the link does.
func (s *shell) listen(out io.Reader) {
	defer close(s.full)
	for {
		var buf []byte
		select {
		case buf = <-s.free:
		case <-s.l.over:
			return
		}
		n, err := out.Read(buf)
		if n > 0 {
			select {
			case s.full <- buf[:n]:
			case <-s.l.over:
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// next is what the device says next, valid until it is called again; nothing when it said nothing for the time to wait, if
// there is one. Silence for the idle time is an error.
func (s *shell) next(wait time.Duration) ([]byte, error) {
	if s.spent != nil {
		s.free <- s.spent[:readSize]
		s.spent = nil
	}
	if !s.quiet { // else the idle time is running
		s.l.watch.again(s.d.idle)
	}
	var late <-chan time.Time
	if wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		late = t.C
	}
	s.quiet = false
	select {
	case data, ok := <-s.full:
		if !ok {
			return nil, errCut
		}
		s.spent = data
		return data, nil
	case <-late:
		s.quiet = true
		return nil, nil
	}
}

func (s *shell) say(text string) error {
	if text == "" {
		return nil
	}
	if _, err := io.WriteString(s.in, text); err != nil {
		return errors.Join(errCut, err)
	}
	return nil
}

// ended says how waiting for something ended.
func (s *shell) ended(err error, command string) error {
	if f := s.l.watch.fired(); f != nil {
		return f
	}
	if errors.Is(err, errCut) {
		return cut("read the answer to", Command{Text: command}, err)
	}
	return err
}

// learn finds the prompt out. said is what came already.
func (s *shell) learn(said []byte) error {
	s.l.watch.within(s.d.idle, &inventory.Failure{}) // told apart below
	p := &learner{ends: s.d.platform.ends, pagers: s.d.platform.pagers}
	chunk, asked := said, time.Now()
	for {
		typed, done := p.feed(chunk)
		if done {
			s.prompt, s.between, s.trip = p.prompt, p.between, time.Since(asked)
			return nil
		}
		if len(p.buf) > maxBanner {
			return &inventory.Failure{Cause: fmt.Sprintf("the device said %d KiB and no prompt after the login", maxBanner>>10), Remedy: "log in by hand and look at what it says"}
		}
		if typed != "" {
			asked = time.Now()
		}
		if err := s.say(typed); err != nil {
			return s.ended(err, "login")
		}
		var wait time.Duration
		if p.guess != nil {
			wait = min(nudgeAfter, s.d.idle/4)
		}
		var err error
		if chunk, err = s.next(wait); err != nil {
			return s.noPrompt(err, p)
		}
		if chunk == nil {
			if err := s.say(p.again()); err != nil {
				return s.ended(err, "login")
			}
		}
	}
}

// noPrompt says what the device said last in place of a prompt.
func (s *shell) noPrompt(err error, p *learner) error {
	if s.l.watch.fired() == nil {
		return s.ended(err, "login")
	}
	last := lastLine(p.buf)
	if last == "" {
		return &inventory.Failure{
			Cause: fmt.Sprintf("the device let the user in and said nothing for %s", s.d.idle), Err: err,
			Remedy: "log in by hand and look at what it says; options.idle_timeout gives a slow device more time",
		}
	}
	if p.guess != nil && bytes.Equal(bare(lastOf(p.buf)), p.guess) {
		return &inventory.Failure{
			Cause: fmt.Sprintf("the device showed the prompt %q and did not answer to an empty line for %s", clip(last), s.d.idle), Err: err,
			Remedy: "look at its load and its log; options.idle_timeout gives a slow device more time",
		}
	}
	return &inventory.Failure{
		Cause: fmt.Sprintf("no prompt was recognised: the last line is %q, a prompt of %s ends in one of %s", clip(last), s.d.platform.name, strings.Join(strings.Split(s.d.platform.ends, ""), " ")), Err: err,
		Remedy: "check that the inventory states the right platform; log in by hand and look at whether the device asks something",
	}
}

// enable becomes privileged by one password. It is called at an unprivileged prompt.
func (s *shell) enable() error {
	if err := s.say("enable" + lineBreak); err != nil {
		return s.ended(err, "enable")
	}
	s.l.watch.within(s.d.idle, s.d.silent("enable", "it asked for no password"))
	said, tried, err := s.untilAsked("enable") // a prompt that comes before the echo is a late one
	if err != nil {
		return s.ended(err, "enable")
	}
	if tried {
		password, err := s.secret()
		if err != nil {
			return err
		}
		if err := s.say(string(password) + lineBreak); err != nil {
			return s.ended(err, "enable")
		}
		s.l.watch.within(s.d.idle, s.d.silent("enable", "it did not answer to the password"))
		again := false
		if said, again, err = s.untilAsked("\n"); err != nil {
			return s.ended(err, "enable")
		}
		if again { // a second question is the refusal; it gets no second answer
			return s.notEnabled(true)
		}
	}
	if err := s.learn(said); err != nil {
		return err
	}
	if bytes.HasSuffix(s.prompt, []byte(">")) {
		return s.notEnabled(tried)
	}
	return nil
}

func (s *shell) secret() ([]byte, error) {
	s.l.watch.rest()
	defer s.l.watch.again(s.d.idle)
	c := s.d.Credential
	password, err := s.d.Secrets(c.Enable)
	if err != nil {
		return nil, unusable(err, c.Name, "enable")
	}
	return password, nil
}

func (s *shell) notEnabled(tried bool) error {
	c := s.d.Credential
	return &inventory.Failure{
		Cause:   fmt.Sprintf("the device refused to enable user %q (one attempt was made)", c.User),
		Remedy:  fmt.Sprintf("check credentials.%s.enable; it is not tried again in this run", c.Name),
		Refused: tried,
	}
}

// untilAsked reads to a question for a password, or to what looks like a prompt and comes after a text.
func (s *shell) untilAsked(after string) (said []byte, asked bool, err error) {
	for len(said) < maxAside {
		chunk, err := s.next(0)
		if err != nil {
			return nil, false, err
		}
		said = append(said, chunk...)
		line := lastOf(said)
		if bytes.HasSuffix(bytes.ToLower(bare(line)), []byte("password:")) {
			return said, true, nil
		}
		if promptLike(line, s.d.platform.ends) && bytes.Contains(said, []byte(after)) {
			return said, false, nil
		}
	}
	return nil, false, &inventory.Failure{Cause: fmt.Sprintf("the device said %d KiB to \"enable\" and no prompt", maxAside>>10)}
}

// set types a setting of the session. A device that does not take it is read all the same.
func (s *shell) set(c Command) error {
	n := 0
	return s.command(c, 0, func(p []byte) error {
		if n += len(p); n > maxAside {
			return &inventory.Failure{Cause: fmt.Sprintf("the answer to %q does not end", c.Text), Remedy: "log in by hand and look at what it says"}
		}
		return nil
	})
}

func (s *shell) run(c Command, out *output) error {
	return s.command(c, min(max(settle, 2*s.trip), maxSettle), func(p []byte) error {
		_, err := out.Write(p)
		return err
	})
}

// command types a command and listens until its answer is over and, unless it is 0, silence followed for the settling time.
func (s *shell) command(c Command, settling time.Duration, emit func([]byte) error) error {
	s.l.watch.within(s.d.idle, s.d.silent(c.Text, "its answer stopped"))
	defer s.l.watch.rest()
	if err := s.say(c.Text + lineBreak); err != nil {
		return s.ended(err, c.Text)
	}
	l := &listener{command: c.Text, prompt: s.prompt, between: s.between, pagers: s.d.platform.pagers, emit: emit}
	for {
		var wait time.Duration
		switch {
		case l.ripe && settling == 0:
			return l.finish()
		case l.ripe:
			wait = settling
		case l.waits():
			wait = min(nudgeAfter, s.d.idle/4)
		}
		chunk, err := s.next(wait)
		if err != nil {
			return s.ended(err, c.Text)
		}
		if chunk == nil && l.ripe {
			return l.finish()
		}
		var typed string
		if chunk == nil {
			typed = l.nudge()
		} else if typed, err = l.feed(chunk); err != nil {
			return err
		}
		if err := s.say(typed); err != nil {
			return s.ended(err, c.Text)
		}
	}
}
