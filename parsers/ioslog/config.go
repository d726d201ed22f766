package ioslog

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// configMessage reads messages about configurations, restarts, services and Smart Install. done says that it was one.
func (p *parser) configMessage(c *class) (done, ok bool) {
	switch string(c.mnemonic) {
	case "CONFIG_I", "CONFIG_NV_I", "CONFIG", "CONFIG_P", "VSHD_SYSLOG_CONFIG_I", "CONFIG_NV":
		return true, p.configured(c.text)
	case "CONFIG_RESOLVE_FAILURE": // System config parse from (tftp://...) failed
		_, rest, found := field.Cut(c.text, "from (")
		where, _, closed := field.CutLast(rest, ")")
		if u, isURL := copycmd.ParseURL(where); found && closed && isURL {
			p.fetched(u, facts.Failed)
		}
		return true, found && closed
	case "CONFIG_STARTUP": // EOS: Startup config saved from system:/running-config by admin on vty3 (127.0.0.1).
		_, rest, _ := field.Cut(c.text, " by ")
		user, source := byWhom(rest)
		p.changed("config", []byte("startup-config"), user, source)
		return true, true
	case "DB_COMMIT": // XR: Configuration committed by user 'bob'. Use '...'
		_, rest, found := field.Cut(c.text, "by user '")
		user, _, closed := field.Cut(rest, "'")
		p.changed("config", []byte("commit"), user, netip.Addr{})
		return true, found && closed
	case "ROLLBK_CNFG_CHG_CONFIRMED", "ROLLBK_CNFG_CHG":
		p.changed("config", []byte("rollback"), nil, netip.Addr{})
		return true, true
	case "RESTART":
		if string(c.facility) == "SYS" {
			p.changed("restart", nil, nil, netip.Addr{})
		}
		return true, true
	case "RELOAD": // Reload requested by bob on vty0 (10.0.0.1). Reload Reason: ...
		_, rest, _ := field.Cut(c.text, " by ")
		user, source := byWhom(rest)
		p.changed("restart", nil, user, source)
		return true, true
	case "LOGGINGHOST_STARTSTOP", "LOGGINGHOST_FAIL":
		return true, p.loggingHost(c)
	case "SYSTEM_MSG": // NX-OS: ftp disabled, removing - xinetd[4930]
		if name, _, found := field.Cut(c.text, " disabled, removing"); found {
			p.changed("service-stop", name, nil, netip.Addr{})
		}
		return true, true
	case "BADEVENT":
		if field.Index(c.text, "smi_ibc") >= 0 {
			p.changed("smart-install", c.name, nil, netip.Addr{})
		}
		return true, true
	case "CONFIG_E", "CONFIG_C":
		return true, true
	}
	if string(c.facility) == "SMI" {
		p.changed("smart-install", c.name, nil, anyAddr(c.text))
		return true, true
	}
	return false, false
}

// configured reads "Configured from SOURCE by USER on LINE (ADDRESS)", in which SOURCE is console, vty, memory, snmp's
// address, NETCONF or a URL, and most parts may be missing.
func (p *parser) configured(text []byte) bool {
	prefix := []byte("onfigured from ")
	i := bytes.Index(text, prefix)
	if i < 0 {
		if field.Has(text, "Configured programmatically") { // by process SSH Process from console as bob on vty0 (10.0.0.1)
			_, who, _ := field.Cut(text, " as ")
			user, source := byWhom(who)
			p.changed("config", []byte("process"), user, source)
			return true
		}
		return false
	}
	rest := text[i+len(prefix):]
	from, rest := field.Word(rest)
	if u, ok := copycmd.ParseURL(from); ok {
		_, who, _ := field.Cut(rest, "by ")
		user, source := byWhom(who)
		p.changed("config-from-network", []byte(u.Text), user, source)
		p.fetched(u, facts.Allowed)
		return true
	}
	_, who, found := field.Cut(rest, "by ")
	if !found {
		p.changed("config", from, nil, netip.Addr{})
		return true
	}
	user, source := byWhom(who)
	if a, ok := field.Addr(from); ok { // by snmp
		p.changed("config", user, nil, a)
		return true
	}
	p.changed("config", from, user, source)
	return true
}

// byWhom reads "bob on vty0 (10.0.0.1)", "vty2 (10.0.0.1)", "jdoe on 10.0.0.1@pts/0", "console" or "bob, transaction-id 7". A
// line is no user.
func byWhom(b []byte) (user []byte, source netip.Addr) {
	b = bytes.TrimRight(b, ". ")
	user, rest := field.Word(b)
	user, _, _ = bytes.Cut(user, []byte{','})
	if open := bytes.LastIndexByte(rest, '('); open >= 0 {
		in, _, _ := bytes.Cut(rest[open+1:], []byte{')'})
		source, _ = field.Addr(in)
	} else if _, on, ok := field.Cut(rest, "on "); ok {
		at, _, _ := bytes.Cut(on, []byte{'@'})
		source, _ = field.Addr(at)
	}
	if lineName(user) {
		user = nil
	}
	return user, source
}

// lineName reports whether a word is a line's name and not a user's: console, vty2, tty1, con0.
func lineName(b []byte) bool {
	for _, name := range [...]string{"console", "vty", "tty", "con", "aux"} {
		if !field.Has(b, name) {
			continue
		}
		_, n := field.LeadingUint(b[len(name):])
		if n == len(b)-len(name) && (n > 0 || name == "console" || name == "vty") {
			return true
		}
	}
	return false
}

// loggingHost reads "Logging to host 10.0.0.1 port 514 stopped - CLI initiated" and "... failed".
func (p *parser) loggingHost(c *class) bool {
	_, rest, ok := field.Cut(c.text, "Logging to ")
	if !ok {
		return false
	}
	subject := rest
	for _, end := range [...]string{" port ", " Port ", " started", " stopped", " failed", " -"} {
		if i := field.Index(subject, end); i >= 0 {
			subject = subject[:i]
		}
	}
	what := "service-stop"
	if field.Index(rest, " started") >= 0 {
		what = "service-start"
	}
	p.s.Change(p.logging(what, subject))
	return true
}

// logging is the change of a log destination: its subject is "logging host 10.0.0.1".
func (p *parser) logging(what string, subject []byte) *facts.Change {
	p.change = facts.Change{Time: p.m.Time, What: what, Subject: "logging " + string(subject), Span: p.m.Span}
	return &p.change
}

// anyAddr is the first address in a text.
func anyAddr(b []byte) netip.Addr {
	for len(b) > 0 {
		var w []byte
		w, b = field.Word(b)
		if a, ok := field.Addr(bytes.Trim(w, "(),.;:")); ok {
			return a
		}
	}
	return netip.Addr{}
}
