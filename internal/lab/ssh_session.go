package lab

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/crypto/ssh"
)

// A dialect is how devices of one platform talk to a person.
type dialect struct {
	version string // of SSH, in its first line
	// prompt of a user; enabled is false before "enable".
	prompt func(d *SSHDevice, enabled bool) string
	more   string // what asks for a key after a page
	erase  string // what wipes it out
	quiet  string // the setting that ends paging
	// Commands whose answers are the device's texts.
	config, showVersion, logging []string
	unknown                      func(command string) string
	privileged                   bool // the configuration is shown to the enabled alone
	exec, execOnce, noShell      bool
	errorStatus                  byte // of a command that is not known
}

// caret points at the word that was not understood.
const caret = "                   ^\n"

func dialectOf(platform string) (dialect, error) {
	mark := func(ends [2]string) func(*SSHDevice, bool) string {
		return func(d *SSHDevice, enabled bool) string {
			if enabled {
				return d.Name + ends[1]
			}
			return d.Name + ends[0]
		}
	}
	switch platform {
	case "cisco_ios":
		return dialect{
			version: "SSH-2.0-Cisco-1.25", prompt: mark([2]string{">", "#"}), privileged: true, exec: true, execOnce: true,
			more: " --More-- ", erase: strings.Repeat("\b", 9) + strings.Repeat(" ", 8) + strings.Repeat("\b", 9), quiet: "terminal length 0",
			config: []string{"show running-config"}, showVersion: []string{"show version"}, logging: []string{"show logging"},
			unknown: func(string) string { return caret + "% Invalid input detected at '^' marker.\n\n" },
		}, nil
	case "cisco_asa":
		return dialect{
			version: "SSH-2.0-Cisco-1.25", prompt: mark([2]string{"/pri/act> ", "/pri/act# "}), privileged: true,
			more: "<--- More --->", erase: "\r" + strings.Repeat(" ", 14) + "\r", quiet: "terminal pager 0",
			config: []string{"show running-config"}, showVersion: []string{"show version"}, logging: []string{"show logging"},
			unknown: func(string) string { return caret + "ERROR: % Invalid input detected at '^' marker.\n" },
		}, nil
	case "juniper_junos":
		return dialect{
			version: "SSH-2.0-OpenSSH_7.5", exec: true,
			prompt: func(d *SSHDevice, _ bool) string { return d.User + "@" + d.Name + "> " },
			more:   "---(more)---", erase: "\r" + strings.Repeat(" ", 40) + "\r", quiet: "set cli screen-length 0",
			config: []string{"show configuration", "show configuration | display omit"}, showVersion: []string{"show version"}, logging: []string{"show log messages"},
			unknown: func(string) string { return caret + "unknown command.\n" },
		}, nil
	case "frr":
		return dialect{
			exec: true, prompt: func(d *SSHDevice, _ bool) string { return d.Name + "# " },
			more: "--More--", erase: "\r\x1b[K", quiet: "terminal length 0", errorStatus: 1,
			config: []string{"show running-config"}, showVersion: []string{"show version"},
			unknown: func(c string) string { return "% Unknown command: " + c + "\n" },
		}, nil
	case "linux":
		return dialect{
			exec: true, noShell: true, errorStatus: 127, prompt: func(d *SSHDevice, _ bool) string { return d.User + "@" + d.Name + ":~$ " },
			unknown: func(c string) string { return "sh: 1: " + strings.SplitN(c, " ", 2)[0] + ": not found\n" },
		}, nil
	}
	return dialect{}, fmt.Errorf("no device of platform %q can be simulated", platform)
}

// A terminal is one session of a user.
type terminal struct {
	s       *SSHServer
	ch      ssh.Channel
	in      *bufio.Reader
	tty     bool
	page    int // lines on a page; 0: no pages
	shown   int // lines since the last page
	enabled bool
	mu      sync.Mutex // one packet at a time
}

// pageLines is what a terminal shows at once, whatever size the client claims.
const pageLines = 23

// session serves one channel.
func (s *SSHServer) session(ch ssh.Channel, reqs <-chan *ssh.Request, ran *atomic.Bool) {
	defer ch.Close()
	t := &terminal{s: s, ch: ch, in: bufio.NewReader(ch), enabled: s.d.Enable == ""}
	f := s.d.Faults
	var shell sync.WaitGroup
	defer shell.Wait()
	defer ch.Close()
	for r := range reqs {
		ok, over := false, false
		switch r.Type {
		case "pty-req":
			ok = !f.NoTerminal
			t.tty = ok
		case "env", "window-change":
			ok = true
		case "shell":
			if ok = !f.NoShell && !s.kind.noShell; ok {
				shell.Go(func() {
					defer ch.Close()
					t.shell()
				})
			}
		case "exec":
			var p struct{ Command string }
			if ok = s.kind.exec && !f.NoExec && ssh.Unmarshal(r.Payload, &p) == nil; ok {
				_ = r.Reply(true, nil)
				ran.Store(true)
				t.exec(p.Command)
				over = true
			}
		}
		if over {
			return
		}
		if r.WantReply {
			_ = r.Reply(ok, nil)
		}
	}
}

// exec runs one command and ends the channel.
func (t *terminal) exec(command string) {
	t.s.record(command)
	text, known := t.answer(command)
	status := byte(0)
	if !known {
		status = t.s.kind.errorStatus
	}
	if status != 0 {
		_, _ = io.WriteString(t.ch.Stderr(), text)
	} else if !t.print(text, t.isConfig(command)) {
		return
	}
	if !t.s.d.Faults.NoExitStatus {
		_, _ = t.ch.SendRequest("exit-status", false, []byte{0, 0, 0, status})
	}
}

func (t *terminal) prompt() string {
	if p := t.s.d.Faults.Prompt; p != "" {
		return p
	}
	return t.s.kind.prompt(&t.s.d, t.enabled)
}

// shell talks to a person until they leave.
func (t *terminal) shell() {
	if t.s.d.Faults.StallLogin {
		_, _ = io.Copy(io.Discard, t.in)
		return
	}
	t.page = pageLines
	if t.s.kind.more == "" {
		t.page = 0
	}
	if t.s.d.Banner != "" && !t.print("\n"+t.s.d.Banner, false) {
		return
	}
	t.write("\r\n" + t.prompt())
	if t.s.d.Faults.StallPrompt {
		_, _ = io.Copy(io.Discard, t.in)
		return
	}
	for {
		line, err := t.readLine(!t.s.d.Faults.NoEcho)
		if err != nil {
			return
		}
		if t.s.d.Faults.NoEcho {
			t.write("\r\n")
		}
		t.shown = 0
		t.s.record(line)
		if strings.TrimSpace(line) == "exit" || !t.command(strings.TrimSpace(line)) {
			return
		}
		if t.s.d.Faults.DropTyped {
			_, _ = t.in.Discard(t.in.Buffered())
		}
		t.write(t.prompt())
	}
}

// command answers a line; false ends the session.
func (t *terminal) command(line string) bool {
	k := &t.s.kind
	switch {
	case line == "":
		return true
	case line == k.quiet && k.quiet != "":
		if t.s.d.Faults.NoSettings {
			return t.print(k.unknown(line), false)
		}
		t.page = 0
		return true
	case line == "enable" && k.privileged && !t.enabled:
		return t.enable()
	}
	text, _ := t.answer(line)
	return t.print(text, t.isConfig(line))
}

// enable asks for the password up to three times, as IOS does.
func (t *terminal) enable() bool {
	for range 3 {
		t.write("Password: ")
		password, err := t.readLine(false)
		if err != nil {
			return false
		}
		t.write("\r\n")
		t.s.enables.Add(1)
		if password == t.s.d.Enable {
			t.enabled = true
			return true
		}
	}
	t.write("% Access denied\r\n\r\n")
	return true
}

func (t *terminal) isConfig(line string) bool {
	for _, c := range t.s.kind.config {
		if c == line {
			return true
		}
	}
	return false
}

// answer is what the device says to a command, and whether it knows it.
func (t *terminal) answer(line string) (text string, known bool) {
	k, d := &t.s.kind, &t.s.d
	if text, ok := d.Answers[line]; ok {
		return text, true
	}
	for _, c := range k.showVersion {
		if c == line {
			return d.Version, true
		}
	}
	for _, c := range k.logging {
		if c == line && t.allowed() {
			return d.Logging, true
		}
	}
	if t.isConfig(line) && t.allowed() {
		return d.Config, true
	}
	return k.unknown(line), false
}

func (t *terminal) allowed() bool { return t.enabled || !t.s.kind.privileged }

// readLine reads to a CR, LF or CR LF and echoes what it reads.
func (t *terminal) readLine(echo bool) (string, error) {
	var line, back []byte
	for {
		c, err := t.in.ReadByte()
		if err != nil {
			return "", err
		}
		if c == '\r' || c == '\n' {
			if c == '\r' && t.in.Buffered() > 0 {
				if next, err := t.in.Peek(1); err == nil && next[0] == '\n' {
					_, _ = t.in.Discard(1)
				}
			}
			break
		}
		line = append(line, c)
		if back = append(back, c); echo && t.in.Buffered() == 0 {
			t.write(string(back))
			back = back[:0]
		}
	}
	if echo {
		t.write(string(back) + "\r\n")
	}
	return string(line), nil
}

// write sends text as it is, in packets as the faults want them.
func (t *terminal) write(text string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	size := t.s.d.Faults.Chunk
	if size <= 0 {
		size = len(text)
	}
	for len(text) > 0 {
		n := min(size, len(text))
		if _, err := io.WriteString(t.ch, text[:n]); err != nil {
			return false
		}
		text = text[n:]
	}
	return true
}

// print sends a text by pages; false when the session is over.
func (t *terminal) print(text string, config bool) bool {
	f := t.s.d.Faults
	if config && f.Flood {
		return t.flood()
	}
	if config && (f.StallAfter > 0 || f.DropAfter > 0) {
		text = text[:min(len(text), max(f.StallAfter, f.DropAfter))]
	}
	if t.tty {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	if !t.pages(text) {
		return false
	}
	if config && f.StallAfter > 0 {
		_, _ = io.Copy(io.Discard, t.in)
		return false
	}
	if config && f.DropAfter > 0 {
		t.s.hangUp()
		return false
	}
	return true
}

func (t *terminal) pages(text string) bool {
	var page bytes.Buffer
	for line := range strings.Lines(text) {
		if t.page > 0 && t.shown >= t.page {
			if !t.write(page.String() + t.s.kind.more) {
				return false
			}
			page.Reset()
			key, err := t.in.ReadByte()
			if err != nil {
				return false
			}
			page.WriteString(t.s.kind.erase)
			switch key {
			case ' ':
				t.shown = 0
			case 'q':
				return t.write(page.String())
			default:
				t.shown = t.page - 1
			}
		}
		page.WriteString(line)
		t.shown++
	}
	return t.write(page.String())
}

// flood prints until nobody listens.
func (t *terminal) flood() bool {
	block := strings.Repeat("interface Loopback0\r\n description of nothing\r\n", 400)
	for {
		if _, err := io.WriteString(t.ch, block); err != nil {
			return false
		}
	}
}
