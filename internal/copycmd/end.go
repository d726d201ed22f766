package copycmd

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// An end is the remote end of a transfer.
type end struct {
	proto facts.Protocol
	host  string
	addr  netip.Addr
	port  string
	path  string // after the host, without its leading slash
	typed string // as typed, when it held no credentials
}

// URL is what a transfer URL names, credentials removed.
type URL struct {
	Protocol facts.Protocol
	Host     string
	Addr     netip.Addr // when Host is an address
	Path     string     // without its leading slash
	Text     string     // the URL without credentials
}

// ParseURL reads a transfer URL such as "ftp://user:password@host/file" or "tftp:"; false when b is none.
func ParseURL(b []byte) (URL, bool) {
	e, ok := readEnd(b)
	if !ok {
		return URL{}, false
	}
	return URL{e.proto, e.host, e.addr, e.path, e.url()}, true
}

// scheme reads "tftp:" and its like: the protocol, and how long the scheme is with its colon. Local file systems (flash:,
// disk0:, system:) are no protocol.
func scheme(b []byte) (facts.Protocol, int) {
	i := bytes.IndexByte(b, ':')
	if i < 3 || i > 5 {
		return facts.ProtocolUnknown, 0
	}
	var low [5]byte
	for j, c := range b[:i] {
		low[j] = c | 0x20
	}
	p, ok := facts.ParseProtocol(string(low[:i]))
	if !ok || p == facts.SmartInstall || p == facts.ProtocolUnknown {
		return facts.ProtocolUnknown, 0
	}
	return p, i + 1
}

// userinfo is where the credentials of URL b end: after their "@", 0 when it has none. from is where the authority begins.
// A password may hold "/" and "@" (devices do not insist on percent-encoding): secrecy goes before a file name with "@".
func userinfo(p facts.Protocol, b []byte, from int) int {
	if p == facts.TFTP {
		return 0 // RFC 1350 has no user; "@" belongs to the file
	}
	slash := bytes.IndexByte(b[from:], '/')
	if slash < 0 {
		slash = len(b) - from
	}
	if at := bytes.LastIndexByte(b[from:from+slash], '@'); at >= 0 && at+1 < slash {
		return from + at + 1
	}
	last := bytes.LastIndexByte(b[from:], '@')
	colon := bytes.IndexByte(b[from:from+slash], ':')
	if last < 0 || colon < 0 {
		return 0
	}
	if _, port := field.Port(b[from+colon+1 : from+slash]); port {
		return 0
	}
	return from + last + 1
}

// readEnd reads a URL of a transfer protocol. Without "//" only the protocol is known: the device asks for the rest.
func readEnd(b []byte) (end, bool) {
	p, n := scheme(b)
	if n == 0 {
		return end{}, false
	}
	e := end{proto: p}
	rest := b[n:]
	if !bytes.HasPrefix(rest, []byte("//")) {
		if at := bytes.LastIndexByte(rest, '@'); at >= 0 && p != facts.TFTP {
			rest = rest[at+1:]
		} else {
			e.typed = string(b)
		}
		rest = bytes.TrimLeft(rest, "/")
		host, path, found := bytes.Cut(rest, []byte("/"))
		if _, ok := field.Addr(host); ok && found {
			e.setHost(host)
			e.path = string(path)
		} else {
			e.path = string(rest)
		}
		return e, true
	}
	n += 2
	if u := userinfo(p, b, n); u > 0 {
		n = u
	} else {
		e.typed = string(b)
	}
	host := b[n:]
	if i := bytes.IndexByte(host, '/'); i >= 0 {
		host, e.path = host[:i], strings.TrimLeft(string(host[i:]), "/")
	}
	e.setHost(host)
	return e, true
}

// readJunosEnd also takes [user@]host:path, which "file copy" reaches by SCP (Junos CLI reference, file copy).
func readJunosEnd(b []byte) (end, bool) {
	if e, ok := readEnd(b); ok {
		return e, true
	}
	host, path, found := bytes.Cut(b, []byte(":"))
	if !found || len(host) == 0 || bytes.IndexByte(host, '/') >= 0 {
		return end{}, false
	}
	at := bytes.LastIndexByte(host, '@')
	host = host[at+1:]
	// re0:, fpc0:, node1: and the like are routing engines and cluster nodes of the same box, not hosts.
	if at < 0 && !bytes.ContainsAny(host, ".") {
		return end{}, false
	}
	e := end{proto: facts.SCP, path: string(path)}
	e.setHost(host)
	return e, true
}

// cutHostPath reads ASA's [server]:[path].
func cutHostPath(b []byte) (host, path []byte, ok bool) {
	i := bytes.IndexByte(b, ':')
	if a, v6 := field.Addr(b); v6 && a.Is6() {
		return b, nil, true
	}
	if i < 0 {
		return b, nil, len(b) > 0
	}
	return b[:i], bytes.TrimLeft(b[i+1:], "/"), true
}

// setHost takes host[:port], [v6]:port or a bare IPv6 address.
func (e *end) setHost(b []byte) {
	if bytes.HasPrefix(b, []byte("[")) {
		if i := bytes.IndexByte(b, ']'); i > 0 {
			e.port = strings.TrimPrefix(string(b[i+1:]), ":")
			b = b[1:i]
		}
	} else if i := bytes.IndexByte(b, ':'); i >= 0 && bytes.IndexByte(b[i+1:], ':') < 0 {
		e.port = string(b[i+1:])
		b = b[:i]
	}
	e.addr, _ = field.Addr(b)
	e.host = string(b)
}

// name is the last part of the path; "file" when there is none.
func (e *end) name() string {
	p := strings.TrimRight(e.path, "/")
	if i := strings.LastIndexByte(p, '/'); i >= 0 {
		p = p[i+1:]
	}
	if p == "" {
		return "file"
	}
	return p
}

// url is the end as a URL without credentials.
func (e *end) url() string {
	if e.typed != "" {
		return e.typed
	}
	s := e.proto.String() + ":"
	if e.host == "" {
		return s + e.path
	}
	host := e.host
	if e.addr.Is6() {
		host = "[" + host + "]"
	}
	if e.port != "" {
		host += ":" + e.port
	}
	return s + "//" + host + "/" + e.path
}

func (e *end) copy(out bool, what string, config bool) facts.CommandCopy {
	return facts.CommandCopy{Protocol: e.proto, Host: e.host, Addr: e.addr, Out: out, What: what, Config: config, URL: e.url()}
}

// local names a local file and says whether it is configuration, keys or logs.
func local(b []byte) (string, bool) {
	c := command{b, []word{{0, len(b)}}}
	switch {
	case c.is(0, "running-config", 3):
		return "running-config", true
	case c.is(0, "startup-config", 4):
		return "startup-config", true
	case len(b) == 0:
		return "file", false
	}
	return string(b), configName(b)
}

// configName reports whether a file name is one that devices give to configuration, keys, logs or VLAN databases.
func configName(b []byte) bool {
	s := strings.ToLower(string(b))
	for _, p := range [...]string{"nvram:", "system:", "running-config", "startup-config", "private-config", "logging:", "archive:"} {
		if strings.HasPrefix(s, p) || strings.Contains(s, "/"+p) || strings.Contains(s, ":"+p) {
			return true
		}
	}
	for _, suffix := range [...]string{
		"-confg", ".cfg", ".conf", ".conf.gz", ".config", "config.text", "vlan.dat", ".pem", ".key", ".p12", ".log", "config.bkp",
		"private-config", "running-config", "startup-config", "/config", ":config",
	} {
		if strings.HasSuffix(s, suffix) {
			return true
		}
	}
	return strings.HasPrefix(s, "/config/") || strings.HasPrefix(s, "/var/log/") || strings.Contains(s, "tech-support")
}
