package asalog

import (
	"bytes"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// An event is what a security event of FTD states: "Key: value, Key: value". Slices are empty when a key is missing.
type event struct {
	action, application, user, file, direction, fileAction []byte
	src, dst                                               peer
	transport                                              uint8
	out, in                                                int64
	duration                                               time.Duration
	conn                                                   uint64
}

// readEvent reads an event. Text from the network stands among the keys (UserAgent, URL, FileName) and may imitate them:
// the first of an end counts, and the larger of two volumes, so that neither can be hidden.
func readEvent(b []byte) event {
	e := event{out: facts.Absent, in: facts.Absent, duration: -1}
	for len(b) > 0 {
		var key, value []byte
		key, value, b = nextPair(b)
		switch string(key) {
		case "AccessControlRuleAction":
			setOnce(&e.action, value)
		case "ApplicationProtocol":
			setOnce(&e.application, value)
		case "User":
			setOnce(&e.user, value)
		case "FileName":
			setOnce(&e.file, value)
		case "FileDirection":
			setOnce(&e.direction, value)
		case "FileAction":
			setOnce(&e.fileAction, value)
		case "SrcIP":
			setOnce(&e.src.where, value)
		case "DstIP":
			setOnce(&e.dst.where, value)
		case "SrcPort":
			if !e.src.has {
				e.src.port, e.src.has = field.Port(value)
			}
		case "DstPort":
			if !e.dst.has {
				e.dst.port, e.dst.has = field.Port(value)
			}
		case "Protocol":
			if e.transport == 0 {
				e.transport = transport(value)
			}
		case "InitiatorBytes":
			setVolume(&e.out, value)
		case "ResponderBytes":
			setVolume(&e.in, value)
		case "ConnectionDuration":
			if n, ok := field.Uint(value); ok && e.duration < 0 && n < 1<<32 {
				e.duration = time.Duration(n) * time.Second
			}
		case "ConnectionID":
			if e.conn == 0 {
				e.conn, _ = field.Uint(value)
			}
		}
	}
	return e
}

func setOnce(dst *[]byte, value []byte) {
	if *dst == nil {
		*dst = value
	}
}

func setVolume(dst *int64, value []byte) {
	if n, ok := field.Uint(value); ok {
		*dst = max(*dst, field.Count(n))
	}
}

// nextPair cuts "Key: value" off b. A value ends at a comma that another key follows: an upper-case word, or words, with a
// colon before the next comma.
func nextPair(b []byte) (key, value, rest []byte) {
	i := bytes.IndexByte(b, ':')
	if i < 0 {
		return nil, nil, nil
	}
	key, b = b[:i], field.TrimLeft(b[i+1:])
	for at := 0; ; {
		n := bytes.IndexByte(b[at:], ',')
		if n < 0 {
			return key, field.TrimRight(b), nil
		}
		at += n + 1
		next := field.TrimLeft(b[at:])
		if len(next) > 0 && next[0]-'A' <= 'Z'-'A' && keyLike(next) {
			return key, b[:at-1], next
		}
	}
}

// keyLike reports whether b begins with letters and blanks up to a colon and a blank.
func keyLike(b []byte) bool {
	for i, c := range b[:min(len(b), 48)] {
		switch {
		case c == ':':
			return i+1 < len(b) && b[i+1] == ' '
		case c|0x20-'a' > 'z'-'a' && c != ' ' && c != '_' && c-'0' > 9:
			return false
		}
	}
	return false
}

// applications are the names FTD gives to transfer protocols, and to web protocols on their ports (Cisco: application
// detectors). ok is false for every other name.
func application(b []byte) (facts.Protocol, bool) {
	switch string(b) {
	case "FTP", "FTP Data", "FTP Active", "FTP Passive":
		return facts.FTP, true
	case "FTPS":
		return facts.FTPS, true
	case "TFTP":
		return facts.TFTP, true
	case "SMB", "NetBIOS-ssn (SMB)", "NetBIOS-ssn", "NetBIOS-ns", "NetBIOS-dgm":
		return facts.SMB, true
	case "SCP":
		return facts.SCP, true
	case "SFTP":
		return facts.SFTP, true
	case "HTTP":
		return facts.HTTP, true
	case "HTTPS":
		return facts.HTTPS, true
	}
	return facts.ProtocolUnknown, false
}

// toTransfer fills the transfer from an event; false when it is no transfer protocol's.
func (p *parser) toTransfer(e *event) bool {
	byPort := protocolOf(e.transport, e.src, e.dst) != facts.ProtocolUnknown
	named := len(e.application) > 0 && string(e.application) != "Unknown"
	app, transfer := application(e.application)
	if !byPort && !(named && transfer && app != facts.HTTP && app != facts.HTTPS) {
		return false
	}
	t := p.session(e.transport, e.src, e.dst)
	if named {
		t.Protocol, t.By = app, facts.ByAppID // another application on a transfer port: the port's protocol is kept beside
	}
	if u := e.user; len(u) > 0 && string(u) != "No Authentication Required" && string(u) != "Not Found" && string(u) != "Unknown" {
		t.User = field.View(u)
	}
	t.Conn = e.conn
	return true
}

// connectionEvent reads 430002 and 430003, the start and the end of a connection. Bytes at the start are those of the
// first packets; an allowed connection is counted once, at its end. A blocked one often has only a start.
func (p *parser) connectionEvent(id uint32, text []byte) bool {
	e := readEvent(text)
	if e.src.where == nil && e.dst.where == nil {
		return false
	}
	blocked := field.Has(e.action, "Block") || field.Has(e.action, "Interactive Block")
	if id == 430002 && !blocked || !p.toTransfer(&e) {
		return true
	}
	t := &p.transfer
	t.Op, t.Outcome = facts.OpSession, facts.Allowed
	switch {
	case blocked:
		t.Outcome = facts.Denied
	case len(e.action) == 0:
		t.Outcome = facts.OutcomeUnknown
	}
	if id == 430003 {
		t.Out, t.In, t.Duration = e.out, e.in, e.duration
		if e.out >= 0 && e.in >= 0 {
			t.Total = e.out + e.in
			if t.Total < 0 {
				t.Total = 1<<63 - 1
			}
		}
	}
	return p.give()
}

// fileEvent reads 430004 and 430005: a file seen in a connection. Its size is the file's, already in the bytes of the
// connection's 430003, and so not given again.
func (p *parser) fileEvent(text []byte) bool {
	e := readEvent(text)
	if e.src.where == nil && e.dst.where == nil {
		return false
	}
	if !p.toTransfer(&e) {
		return true
	}
	t := &p.transfer
	t.File, t.Outcome = field.View(e.file), facts.Allowed
	switch string(e.direction) {
	case "Upload":
		t.Op = facts.OpPut
	case "Download":
		t.Op = facts.OpGet
	}
	if field.Index(e.fileAction, "Block") >= 0 {
		t.Outcome = facts.Denied
	}
	return p.give()
}
