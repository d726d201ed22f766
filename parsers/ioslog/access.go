package ioslog

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// commandMessage reads messages that hold a command. done says that it was one.
func (p *parser) commandMessage(c *class) (done, ok bool) {
	switch string(c.mnemonic) {
	case "CFGLOG_LOGGEDCMD": // User:bob  logged command:no logging host 10.0.0.1
		_, rest, found := field.Cut(c.text, "User:")
		user, line, logged := field.Cut(rest, "logged command:")
		if found && logged {
			p.ran(field.Trim(user), netip.Addr{}, line, facts.Allowed)
		}
		return true, found && logged
	case "ACCTLOCAL": // Username: Admin Privilege level: 15 Command: verify /md5 x <cr>
		_, rest, found := field.Cut(c.text, "Username: ")
		user, rest, level := field.Cut(rest, " Privilege level:")
		_, line, command := field.Cut(rest, "Command: ")
		if found && level && command {
			p.ran(user, netip.Addr{}, line, facts.Allowed)
		}
		return true, found && level && command
	case "AAA_ACCOUNTING_MESSAGE":
		return true, p.nxosAccounting(c.text)
	case "VSHD_SYSLOG_CMD_EXEC": // User:bob executed the command:copy ...
		_, rest, found := field.Cut(c.text, "User:")
		user, line, executed := field.Cut(rest, " executed the command:")
		if found && executed {
			p.ran(user, netip.Addr{}, line, facts.Allowed)
		}
		return true, found && executed
	case "CMD":
		if string(c.facility) == "ACCOUNTING" {
			return true, p.eosAccounting(c.text)
		}
	case "LOG":
		if string(c.facility) == "HA_EM" {
			p.applet(c.text)
			return true, true
		}
	case "MODEL_RPC_I": // RPC 'http://.../xcopy-rpc:xcopy' invoked from 10.0.0.1:1093 via NETCONF user bob session 49
		return true, p.modelRPC(c.text)
	}
	return false, false
}

// nxosAccounting reads "update:10.0.0.1@ssh.26046:bob:copy running-config tftp: (SUCCESS)". An IPv6 source has colons of its
// own: the kind ends at the first, and the terminal's name ("@pts/0", "console0") ends the source.
func (p *parser) nxosAccounting(text []byte) bool {
	kind, rest, ok := bytes.Cut(text, []byte{':'})
	if !ok {
		return false
	}
	from := rest
	if at := bytes.IndexByte(rest, '@'); at >= 0 && bytes.IndexByte(rest[:at], ' ') < 0 {
		from, rest = rest[:at], rest[at:]
	}
	terminal, rest, ok := bytes.Cut(rest, []byte{':'})
	user, line, found := bytes.Cut(rest, []byte{':'})
	if !ok || !found {
		return false
	}
	if len(from) > len(terminal) && bytes.HasPrefix(from, terminal) { // no "@": the source is the terminal
		from = terminal
	}
	if string(kind) != "update" {
		return true // sessions
	}
	outcome := facts.OutcomeUnknown
	line = field.Trim(line)
	if cut, ok := bytes.CutSuffix(line, []byte("(SUCCESS)")); ok {
		line, outcome = cut, facts.Allowed
	} else if cut, ok := bytes.CutSuffix(line, []byte("(FAILURE)")); ok {
		line, outcome = cut, facts.Failed
	} else if cut, ok := bytes.CutSuffix(line, []byte("(REDIRECT)")); ok {
		line, outcome = cut, facts.Allowed
	}
	source, _ := field.Addr(from)
	p.ran(user, source, line, outcome)
	return true
}

// eosAccounting reads "bob vty3 10.0.0.1 stop ... priv-lvl=15 cmd=show running-config <cr>"; a start has the command too and
// would count it twice.
func (p *parser) eosAccounting(text []byte) bool {
	user, rest := field.Word(text)
	_, rest = field.Word(rest)
	from, rest := field.Word(rest)
	kind, rest := field.Word(rest)
	_, line, ok := field.Cut(rest, "cmd=")
	if !ok || string(kind) == "start" {
		return true
	}
	source, _ := field.Addr(from)
	p.ran(user, source, line, facts.Allowed)
	return true
}

// applet reads what an event manager applet logs: "%HA_EM-6-LOG: NAME: text". The text is free. It is a command when it
// copies something, or when the applet's name says that it logs commands.
func (p *parser) applet(text []byte) {
	name, line, ok := field.Cut(text, ": ")
	if !ok {
		return
	}
	name = bytes.TrimRight(name, "->: ")
	line = field.Trim(line)
	if len(line) == 0 || bytes.IndexByte(line, '\n') >= 0 {
		return
	}
	if _, copies := copycmd.Parse(line); copies || logsCommands(name) {
		p.ran(nil, netip.Addr{}, line, facts.Allowed)
	}
}

func logsCommands(name []byte) bool {
	for i := range name {
		if field.HasFold(name[i:], "cli") || field.HasFold(name[i:], "command") || field.HasFold(name[i:], "cmd") {
			return true
		}
	}
	return false
}

func (p *parser) modelRPC(text []byte) bool {
	_, rest, ok := field.Cut(text, "RPC '")
	if !ok {
		return false
	}
	rpc, rest, ok := field.Cut(rest, "'")
	if !ok {
		return false
	}
	_, from, _ := field.Cut(rest, "invoked from ")
	from, _ = field.Word(from)
	source, _ := coloned(from)
	_, user, _ := field.Cut(rest, " user ")
	user, _ = field.Word(user)
	p.ran(user, source.addr(), rpc, facts.Allowed)
	return true
}

// accessMessage reads messages about logins; every other message is only a beat.
func (p *parser) accessMessage(c *class) bool {
	switch string(c.mnemonic) {
	case "LOGIN_SUCCESS", "LOGIN_FAILED":
		if string(c.facility) == "AAA" { // EOS: user bob failed to login [from: 10.0.0.1] [service: sshd] [reason: ...]
			return p.eosLogin(c.text, false)
		}
		return p.secLogin(c.text, string(c.mnemonic) == "LOGIN_SUCCESS")
	case "LOGIN":
		if string(c.facility) == "AAA" {
			return p.eosLogin(c.text, true)
		}
	case "SSH2_USERAUTH", "SSH_USERAUTH":
		return p.sshAuth(c.text)
	case "AUTHEN_SUCCESS", "AUTHEN_FAILED": // XR: ... user 'bob' from '10.0.0.1' on 'vty0'
		_, rest, ok := field.Cut(c.text, "user '")
		user, rest, okUser := field.Cut(rest, "' from '")
		from, _, okFrom := field.Cut(rest, "'")
		if ok && okUser && okFrom {
			source, _ := field.Addr(from)
			p.authenticated(user, source, string(c.mnemonic) == "AUTHEN_SUCCESS")
		}
		return ok && okUser && okFrom
	case "INFO_GENERAL": // XR: sshd[39770]: Failed password for bob from 10.0.1.100 port 48906 ssh2
		return p.opensshAuth(c.text)
	case "AUTHFAIL":
		if string(c.facility) == "SNMP" { // Authentication failure for SNMP req from host 10.0.0.1
			p.authenticated(nil, anyAddr(c.text), false)
		}
	}
	return true
}

// secLogin reads "Login Success [user: bob] [Source: 10.0.0.1] [localport: 22] at ...". A user may type brackets: the source
// is the last one.
func (p *parser) secLogin(text []byte, ok bool) bool {
	_, rest, found := field.Cut(text, "[user: ")
	user, rest, foundSource := field.CutLast(rest, "] [Source: ")
	from, _, closed := field.Cut(rest, "]")
	if !found || !foundSource || !closed {
		return false
	}
	source, _ := field.Addr(from)
	p.authenticated(user, source, ok)
	return true
}

func (p *parser) eosLogin(text []byte, ok bool) bool {
	_, rest, found := field.Cut(text, "ser ")
	user, rest, foundSource := field.CutLast(rest, " [from: ")
	from, _, _ := field.Cut(rest, "]")
	if !found || !foundSource {
		return false
	}
	user, _, _ = field.CutLast(user, " failed to login")
	user, _, _ = field.CutLast(user, " logged in")
	source, _ := field.Addr(from)
	p.authenticated(user, source, ok)
	return true
}

// sshAuth reads "User 'bob' authentication for SSH2 Session from 10.0.0.1 (tty = 0) using crypto cipher 'x' Succeeded".
func (p *parser) sshAuth(text []byte) bool {
	_, rest, found := field.Cut(text, "User '")
	user, rest, foundFrom := field.CutLast(rest, "' authentication for ")
	_, from, _ := field.Cut(rest, " from ")
	from, _ = field.Word(from)
	if !found || !foundFrom {
		return false
	}
	source, _ := field.Addr(from)
	p.authenticated(user, source, bytes.HasSuffix(field.Trim(text), []byte("Succeeded")))
	return true
}

func (p *parser) opensshAuth(text []byte) bool {
	accepted := field.Index(text, ": Accepted ") >= 0
	if !accepted && field.Index(text, ": Failed ") < 0 {
		return true
	}
	_, rest, found := field.Cut(text, " for ")
	user, rest, foundFrom := field.CutLast(rest, " from ")
	from, _ := field.Word(rest)
	if !found || !foundFrom {
		return true
	}
	source, _ := field.Addr(from)
	p.authenticated(user, source, accepted)
	return true
}
