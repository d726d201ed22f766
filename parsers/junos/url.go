package junos

import (
	"bytes"
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A url is what a transfer URL names. Text has no credentials in it.
type url struct {
	protocol facts.Protocol
	text     string
	host     string
	addr     netip.Addr
	path     string
	user     string
	// The password, from the URL's first byte; passLen 0 is none.
	passAt, passLen int
}

func addr(b []byte) (netip.Addr, bool) { return field.Addr(b) }

// schemes are the transfers Junos knows by URL ("Format for Specifying Filenames and URLs", Junos CLI User Guide).
// pasvftp is FTP in passive mode.
func scheme(b []byte) (p facts.Protocol, known bool) {
	switch strings.ToLower(string(b)) {
	case "ftp", "pasvftp":
		return facts.FTP, true
	case "ftps":
		return facts.FTPS, true
	case "tftp":
		return facts.TFTP, true
	case "scp":
		return facts.SCP, true
	case "sftp":
		return facts.SFTP, true
	case "http":
		return facts.HTTP, true
	case "https":
		return facts.HTTPS, true
	case "smb", "cifs":
		return facts.SMB, true
	}
	return facts.ProtocolUnknown, false
}

// parseURL reads scheme://[user[:password]@]host[:port][/path], and [user@]host:path, which Junos copies to by SCP. False
// for local files (file://, /var/tmp, re0:/var/tmp).
func parseURL(b []byte) (url, bool) {
	i := bytes.Index(b, []byte("://"))
	if i <= 0 || i > 10 {
		return parseSCP(b)
	}
	p, ok := scheme(b[:i])
	if !ok {
		return url{}, false
	}
	u := url{protocol: p}
	start := i + 3
	end := credentials(b, start)
	if end > start {
		u.credentials(b, start, end-1)
		start = end
	}
	rest := b[start:]
	host, path := rest, []byte(nil)
	if j := bytes.IndexByte(rest, '/'); j >= 0 {
		host, path = rest[:j], rest[j:]
	}
	portText := u.setHost(host)
	u.path = strings.TrimLeft(string(path), "/")
	u.text = string(b[:i+3]) + string(host) + string(path)
	if len(host) == 0 && portText == "" {
		u.text = string(b[:i+3]) + string(path)
	}
	return u, true
}

// credentials is where the credentials of b end, behind their "@"; start when there are none. A password may hold "/" and
// "@": Junos does not insist on percent-encoding. So of several "@" the last counts that an address or a name with a dot
// follows, else the last one: secrecy goes before a file name with "@" in it.
func credentials(b []byte, start int) int {
	slash := bytes.IndexByte(b[start:], '/')
	if slash < 0 {
		slash = len(b) - start
	}
	first := bytes.IndexByte(b[start:], '@')
	last := bytes.LastIndexByte(b[start:], '@')
	if first < 0 {
		return start
	}
	colon := bytes.IndexByte(b[start:start+slash], ':')
	if colon < 0 || colon > first { // no password: only the "@" before the path belongs to a user
		if first < slash {
			return start + first + 1
		}
		return start
	}
	if _, isPort := field.Port(b[start+colon+1 : start+slash]); isPort && first > slash {
		return start // host:port/path@
	}
	for at := last; at >= first; at = bytes.LastIndexByte(b[start:start+at], '@') {
		host := b[start+at+1:]
		if end := bytes.IndexByte(host, '/'); end >= 0 {
			host = host[:end]
		}
		if bytes.IndexByte(host, '.') > 0 || bytes.HasPrefix(host, []byte("[")) {
			return start + at + 1
		}
	}
	return start + last + 1
}

// credentials takes user[:password] of b[from:to].
func (u *url) credentials(b []byte, from, to int) {
	user := b[from:to]
	if j := bytes.IndexByte(user, ':'); j >= 0 {
		u.passAt, u.passLen = from+j+1, len(user)-j-1
		user = user[:j]
	}
	u.user = string(user)
}

// setHost takes host, host:port, [v6] or [v6]:port and gives back the port's text.
func (u *url) setHost(b []byte) string {
	port := ""
	if len(b) > 0 && b[0] == '[' {
		if j := bytes.IndexByte(b, ']'); j > 0 {
			port = strings.TrimPrefix(string(b[j+1:]), ":")
			b = b[1:j]
		}
	} else if j := bytes.IndexByte(b, ':'); j >= 0 && bytes.IndexByte(b[j+1:], ':') < 0 {
		port = string(b[j+1:])
		b = b[:j]
	}
	u.addr, _ = addr(b)
	u.host = string(b)
	return port
}

// parseSCP reads [user@]host:path. Without a user the host must have a dot: re0:, fpc0: and node1: are parts of the box.
func parseSCP(b []byte) (url, bool) {
	host, path, found := bytes.Cut(b, []byte(":"))
	if !found || len(host) == 0 || bytes.IndexByte(host, '/') >= 0 || len(host) > 255 {
		return url{}, false
	}
	u := url{protocol: facts.SCP, path: string(path)}
	at := bytes.LastIndexByte(host, '@')
	if at >= 0 {
		u.user, host = string(host[:at]), host[at+1:]
	} else if bytes.IndexByte(host, '.') < 0 {
		return url{}, false
	}
	for _, c := range host {
		if c-'0' > 9 && c|0x20-'a' > 25 && c != '-' && c != '_' && c != '.' {
			return url{}, false
		}
	}
	u.setHost(host)
	u.text = string(host) + ":" + string(path)
	return u, true
}

// masked reports whether b is what a tool or an operator left of a secret: "<secret removed>", "<removed>", asterisks.
func masked(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	if b[0] == '<' && b[len(b)-1] == '>' {
		return true
	}
	return len(bytes.Trim(b, "*xX")) == 0 && len(b) >= 3 && (b[0] == '*' || b[0]|0x20 == 'x')
}
