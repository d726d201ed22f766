package shellcmd

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// A wrapper starts the command among its arguments.
type wrapper struct {
	takes string // short options with a value
	skips int    // arguments of its own before the command
}

// wrappers are programs that only start another (their manual pages; util-linux, coreutils, sudo, moreutils).
var wrappers = map[string]wrapper{
	"sudo": {"ugCcDhprRtT", 0}, "doas": {"uC", 0}, "nohup": {}, "env": {"uCS", 0}, "nice": {"n", 0}, "ionice": {"cnpPu", 0}, "time": {"fo", 0}, "timeout": {"ks", 1},
	"setsid": {}, "exec": {"a", 0}, "command": {}, "builtin": {}, "chronic": {}, "stdbuf": {"ioe", 0}, "unbuffer": {}, "xargs": {"adEIiLlnPs", 0},
	"proxychains": {"f", 0}, "proxychains4": {"f", 0}, "torsocks": {}, "torify": {}, "busybox": {}, "toybox": {}, "chroot": {"ugG", 1}, "watch": {"nq", 0},
	"flock": {"wEc", 1}, "cronic": {}, "caffeinate": {"tw", 0}, "arch": {}, "systemd-run": {"uptMHEp", 0}, "systemd-cat": {"tp", 0}, "setpriv": {}, "eatmydata": {},
	"ltrace": {"eo", 0}, "strace": {"eopu", 0}, "numactl": {}, "taskset": {"cp", 1}, "chrt": {"", 1}, "firejail": {}, "dbus-run-session": {}, "ssh-agent": {"ta", 0},
	"sshpass": {"pfdeP", 0}, "eval": {}, "runuser": {"ugGscw", 0}, "su": {"cgGsw", 0}, "script": {"cIOBTt", 0},
	"trickle": {"udtlns", 0}, "coproc": {}, "launchctl": {},
}

// shells run the text of their option -c.
var shells = map[string]bool{"sh": true, "bash": true, "dash": true, "ash": true, "ksh": true, "zsh": true, "csh": true, "tcsh": true, "fish": true, "mksh": true}

// unwrap takes a wrapper off; false when the first word is none. Text that is run is read as commands of its own.
func (c *command) unwrap() bool {
	name := c.name()
	switch {
	case shells[name]:
		c.text("c")
		c.words = nil // a script file is not in the evidence
		return false
	case name == "find":
		return c.finds()
	case name == "su" || name == "runuser" || name == "script" || name == "flock":
		if c.text("c") {
			c.words = nil
			return false
		}
		if name != "flock" && name != "runuser" {
			return false
		}
	case name == "eval":
		for _, w := range c.words[1:] {
			c.r.commands(w.text, w.at, cover{w.start, w.end}, c.depth+1)
		}
		c.words = nil
		return false
	}
	w, ok := wrappers[name]
	if !ok {
		return false
	}
	rest := c.words[1:]
	for len(rest) > 0 && len(rest[0].text) > 1 && rest[0].text[0] == '-' {
		o := rest[0].text
		if string(o) == "--" {
			rest = rest[1:]
			break
		}
		if name == "sshpass" && o[1] == 'p' {
			c.sshpass(rest)
		}
		takes := o[1] != '-' && strings.IndexByte(w.takes, o[len(o)-1]) >= 0 && (len(o) == 2 || !strings.ContainsRune(w.takes, rune(o[1])))
		rest = rest[1:]
		if takes && len(rest) > 0 {
			rest = rest[1:]
		}
	}
	c.words = rest[min(w.skips, len(rest)):]
	return true
}

// sshpass holds the password of the command it starts (sshpass(1), -p).
func (c *command) sshpass(rest []word) {
	if o := rest[0]; len(o.text) > 2 {
		c.secret(o, 2, len(o.text), facts.SecretUser, "sshpass -p")
	} else if len(rest) > 1 {
		c.secret(rest[1], 0, len(rest[1].text), facts.SecretUser, "sshpass -p")
	}
}

// text reads the argument of an option as commands; false when the option is not there.
func (c *command) text(option string) bool {
	for i, w := range c.words {
		if i == 0 || len(w.text) < 2 || w.text[0] != '-' || w.text[1] == '-' && string(w.text) != "--command" {
			continue
		}
		if string(w.text) == "--command" || bytes.HasSuffix(w.text, []byte(option)) {
			if i+1 < len(c.words) {
				inner := c.words[i+1]
				c.r.commands(inner.text, inner.at, cover{inner.start, inner.end}, c.depth+1)
			}
			return true
		}
	}
	return false
}

// finds reads "find ... -exec COMMAND ;".
func (c *command) finds() bool {
	for i, w := range c.words {
		if w.is("-exec", "-execdir", "-ok", "-okdir") {
			c.words = c.words[i+1:]
			for j, end := range c.words {
				if end.is(";", "+") {
					c.words = c.words[:j]
					break
				}
			}
			return true
		}
	}
	c.words = nil
	return false
}
