// Package copycmd reads the transfer out of a command typed on a network device, and finds the secrets in it.
//
// [Parse] knows the commands of IOS, IOS XR, NX-OS, EOS, ASA, Junos, FortiOS, PAN-OS and VRP that move a file or output
// to or from another host. A protocol is told by the scheme of a URL, never by a substring: "tftp:" is not "ftp:", and a
// path such as /var/sysmgr/ftp/ names none. Statements of a configuration that merely hold a URL are no transfer.
// Nothing is resolved: a host is what was typed, and empty when the device would have asked for it.
package copycmd

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// maxWords bounds how much of a command is looked at; the rest of a longer one is not read.
const maxWords = 40

// A word is line[start:end]; quotes around it are not part of it.
type word struct{ start, end int }

type command struct {
	line  []byte
	words []word
}

func (c *command) word(i int) []byte {
	if i < 0 || i >= len(c.words) {
		return nil
	}
	return c.line[c.words[i].start:c.words[i].end]
}

// is reports whether word i is an abbreviation of name of at least n characters, in any case.
func (c *command) is(i int, name string, n int) bool {
	w := c.word(i)
	return len(w) >= n && len(w) <= len(name) && field.HasFold(w, name[:len(w)])
}

// Parse reads one command line and reports whether it asks for a transfer. Strings in the result may share line's bytes.
func Parse(line []byte) (facts.CommandCopy, bool) {
	if !worthReading(line) {
		return facts.CommandCopy{}, false
	}
	for len(line) > 0 {
		one, rest, _ := field.Cut(line, " ; ") // NX-OS accounting joins the mode and the command
		if cp, ok := parseOne(one); ok {
			return cp, true
		}
		line = rest
	}
	return facts.CommandCopy{}, false
}

// worthReading is a cheap look at a command: a transfer has a scheme or host with a colon, or is one of the few commands that
// have none.
func worthReading(line []byte) bool {
	if bytes.IndexByte(line, ':') >= 0 {
		return true
	}
	for i, c := range line {
		switch c {
		case 'n', 'N': // write net
			if i > 0 && blank(line[i-1]) {
				return true
			}
		case 'f', 'F', 'b', 'B', 'r', 'R', 'p', 'P', 'g', 'G', 'e', 'E', 'i', 'I':
			for _, w := range [...]string{"ftp", "backup", "restore", "put ", "get ", "export", "import"} {
				if field.HasFold(line[i:], w) {
					return true
				}
			}
		}
	}
	return false
}

func parseOne(line []byte) (facts.CommandCopy, bool) {
	var store [maxWords]word
	c := &command{line: line, words: split(store[:0], line)}
	for c.is(0, "!exec:", 6) || c.is(0, "do", 2) || c.is(0, "admin", 5) || // IOS exec mark; configuration mode; XR
		c.is(0, "run", 3) && (c.is(1, "file", 4) || c.is(1, "show", 2) || c.is(1, "request", 3)) { // Junos
		c.words = c.words[1:]
	}
	if n := len(c.words); n > 0 && string(c.word(n-1)) == "<cr>" {
		c.words = c.words[:n-1]
	}
	if len(c.words) < 2 {
		return facts.CommandCopy{}, false
	}
	if cp, ok := piped(c); ok {
		return cp, true
	}
	switch {
	case c.is(0, "copy", 3):
		return copyTwo(c, 1, false)
	case c.is(0, "file", 4):
		return junosFile(c)
	case c.is(0, "write", 2) && c.is(1, "network", 1):
		return network(c, true)
	case c.is(0, "configure", 4):
		return configure(c)
	case c.is(0, "archive", 2):
		return archive(c)
	case c.is(0, "execute", 4):
		return fortios(c)
	case c.is(0, "monitor", 3), c.is(0, "backup", 6), c.is(0, "save", 4), c.is(0, "tac-pac", 7):
		return outward(c)
	case c.is(0, "crypto", 2):
		return crypto(c)
	case c.is(0, "tftp", 4), c.is(0, "ftp", 3), c.is(0, "scp", 3), c.is(0, "sftp", 4):
		return client(c)
	case c.is(0, "show", 2):
		return showFile(c)
	case c.is(0, "license", 3):
		if c.is(1, "save", 2) {
			return outward(c)
		}
		return inward(c)
	case c.is(0, "more", 3), c.is(0, "verify", 3), c.is(0, "tclsh", 3), c.is(0, "install", 4), c.is(0, "software", 4),
		c.is(0, "request", 3), c.is(0, "upgrade", 3), c.is(0, "restore", 4), c.is(0, "load", 4), c.is(0, "python", 6),
		c.is(0, "source", 6):
		return inward(c)
	}
	return facts.CommandCopy{}, false
}

// split cuts line into words at blanks. Double quotes hold a word together; one that is not closed runs to the end.
func split(dst []word, line []byte) []word {
	for i := 0; i < len(line) && len(dst) < cap(dst); {
		switch c := line[i]; {
		case blank(c):
			i++
		case c == '"':
			end := bytes.IndexByte(line[i+1:], '"')
			if end < 0 {
				end = len(line) - i - 1
			}
			dst = append(dst, word{i + 1, i + 1 + end})
			i += end + 2
		default:
			start := i
			for i < len(line) && !blank(line[i]) {
				i++
			}
			dst = append(dst, word{start, i})
		}
	}
	return dst
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == 0 }

// piped reads output sent elsewhere: "| redirect URL", "| append", "| tee", Junos "| save URL", NX-OS and EOS "> URL".
func piped(c *command) (facts.CommandCopy, bool) {
	for i := 1; i < len(c.words); i++ {
		w := c.word(i)
		if len(w) == 0 || w[0] != '|' && w[0] != '>' {
			continue
		}
		at := i + 1
		if bare := bytes.TrimLeft(w, "|>"); len(bare) > 0 { // "|redirect", ">tftp:"
			c.words[i].start += len(w) - len(bare)
			at = i
		}
		if w[0] == '|' {
			if !c.is(at, "redirect", 3) && !c.is(at, "append", 2) && !c.is(at, "tee", 3) && !c.is(at, "save", 2) {
				continue
			}
			at++
		}
		for bytes.HasPrefix(c.word(at), []byte("/")) {
			at++
		}
		if e, ok := readEnd(c.word(at)); ok {
			left := command{c.line, c.words[:i]}
			what, config := shown(&left)
			return e.copy(true, what, config), true
		}
	}
	return facts.CommandCopy{}, false
}

// shown names the output of a show command and says whether it holds configuration or logs.
func shown(c *command) (string, bool) {
	if c.is(0, "more", 2) || c.is(0, "type", 4) || c.is(0, "cat", 3) {
		return local(c.word(len(c.words) - 1))
	}
	for i := 1; i < len(c.words); i++ {
		switch {
		case c.is(i, "running-config", 2):
			return "running-config", true
		case c.is(i, "startup-config", 3):
			return "startup-config", true
		case c.is(i, "configuration", 4):
			return "configuration", true
		case c.is(i, "tech-support", 2), c.is(i, "support", 7):
			return "tech-support", true
		case c.is(i, "logging", 3), c.is(i, "log", 3):
			return "log", true
		}
	}
	return "output", false
}

// copyTwo reads "copy [/option] SOURCE DESTINATION ..." from word i on; scp says a bare host:path means SCP (Junos).
func copyTwo(c *command, i int, scp bool) (facts.CommandCopy, bool) {
	for !scp && bytes.HasPrefix(c.word(i), []byte("/")) && c.isOption(i) {
		i++
	}
	from, to := c.word(i), c.word(i+1)
	read := readEnd
	if scp {
		read = readJunosEnd
	}
	if e, ok := read(to); ok {
		if src, also := read(from); also {
			return e.copy(true, src.name(), configName([]byte(src.path))), true
		}
		what, config := local(from)
		return e.copy(true, what, config), true
	}
	if e, ok := read(from); ok {
		what, config := local(to)
		if !config && e.path != "" {
			what, config = e.name(), configName([]byte(e.path))
		}
		return e.copy(false, what, config), true
	}
	return facts.CommandCopy{}, false
}

// isOption tells "/noconfirm" from a path: an option holds no second slash or dot.
func (c *command) isOption(i int) bool {
	return !bytes.ContainsAny(c.word(i)[1:], "/.")
}

func junosFile(c *command) (facts.CommandCopy, bool) {
	switch {
	case c.is(1, "copy", 2):
		return copyTwo(c, 2, true)
	case c.is(1, "archive", 2):
		for i := 2; i+1 < len(c.words); i++ {
			if c.is(i, "destination", 3) {
				if e, ok := readJunosEnd(c.word(i + 1)); ok {
					return e.copy(true, "archive", true), true
				}
			}
		}
	}
	return facts.CommandCopy{}, false
}

// network reads "write network [WHERE]" and "configure network [WHERE]". They speak TFTP unless a URL says otherwise;
// WHERE may be a URL or ASA's [server]:[path].
func network(c *command, out bool) (facts.CommandCopy, bool) {
	w := c.word(2)
	e, ok := readEnd(w)
	if !ok {
		e = end{proto: facts.TFTP}
		if host, path, found := cutHostPath(w); found {
			e.setHost(host)
			e.path = string(path)
		}
	}
	return e.copy(out, "running-config", true), true
}

func configure(c *command) (facts.CommandCopy, bool) {
	if c.is(1, "network", 3) || c.is(1, "overwrite-network", 9) {
		return network(c, false)
	}
	for i := 1; i < min(len(c.words), 5); i++ { // configure replace URL, configure https://...
		if e, ok := readEnd(c.word(i)); ok {
			return e.copy(false, "running-config", true), true
		}
	}
	return facts.CommandCopy{}, false
}

func archive(c *command) (facts.CommandCopy, bool) {
	out := c.is(1, "upload-sw", 2)
	for i := 1; i < len(c.words); i++ {
		if string(c.word(i)) == "/create" {
			out = true
		}
		e, ok := readEnd(c.word(i))
		if !ok {
			continue
		}
		what, config := e.name(), configName([]byte(e.path))
		if out && i+1 < len(c.words) {
			what, config = local(c.word(i + 1))
		}
		return e.copy(out, what, config), true
	}
	return facts.CommandCopy{}, false
}

// fortios reads "execute backup|restore WHAT [log] ftp|tftp|sftp ..." (FortiOS CLI reference, execute backup).
func fortios(c *command) (facts.CommandCopy, bool) {
	out := c.is(1, "backup", 6)
	if !out && !c.is(1, "restore", 7) {
		return facts.CommandCopy{}, false
	}
	for i := 3; i < min(len(c.words), 6); i++ {
		proto, ok := facts.ParseProtocol(string(bytes.ToLower(c.word(i))))
		if !ok || proto != facts.FTP && proto != facts.TFTP && proto != facts.SFTP {
			continue
		}
		what := string(c.word(2))
		e := end{proto: proto}
		at := i + 2 // after the file's name
		if c.is(i-1, "alllogs", 7) || c.is(i-1, "log", 3) {
			what, at = "log", i+1
		} else {
			e.path = string(c.word(i + 1))
		}
		e.setHost(c.word(at))
		config := strings.Contains(what, "config") || what == "log" || what == "memory" || what == "disk"
		return e.copy(out, what, config), true
	}
	return facts.CommandCopy{}, false
}

// crypto reads the export and import of keys and certificates; both are keys.
func crypto(c *command) (facts.CommandCopy, bool) {
	out := false
	for i := 1; i < len(c.words); i++ {
		if c.is(i, "export", 6) {
			out = true
		}
		if e, ok := readEnd(c.word(i)); ok {
			return e.copy(out, "key", true), true
		}
	}
	return facts.CommandCopy{}, false
}

// client reads commands named after a protocol: PAN-OS "tftp export configuration from FILE to HOST" and VRP
// "tftp HOST put FILE".
func client(c *command) (facts.CommandCopy, bool) {
	proto, ok := facts.ParseProtocol(string(bytes.ToLower(c.word(0))))
	if !ok {
		return facts.CommandCopy{}, false
	}
	e := end{proto: proto}
	out := c.is(1, "export", 6)
	switch {
	case out, c.is(1, "import", 6):
		what, config := string(c.word(2)), c.is(2, "configuration", 6) || c.is(2, "tech-support", 4) || c.is(2, "log", 3)
		for i := 3; i+1 < len(c.words); i++ {
			if out && c.is(i, "to", 2) || !out && c.is(i, "from", 4) {
				where := c.word(i + 1)
				if at := bytes.LastIndexByte(where, '@'); at >= 0 {
					where = where[at+1:]
				}
				host, path, _ := bytes.Cut(where, []byte(":"))
				e.setHost(host)
				e.path = string(path)
				return e.copy(out, what, config), true
			}
		}
	case c.is(2, "put", 3), c.is(2, "get", 3):
		e.setHost(c.word(1))
		what, config := local(c.word(3))
		return e.copy(c.is(2, "put", 3), what, config), true
	}
	return facts.CommandCopy{}, false
}

// showFile reads ASA's "show ... file URL".
func showFile(c *command) (facts.CommandCopy, bool) {
	for i := 2; i+1 < len(c.words); i++ {
		if c.is(i, "file", 4) {
			if e, ok := readEnd(c.word(i + 1)); ok {
				what, config := shown(c)
				return e.copy(true, what, config), true
			}
		}
	}
	return facts.CommandCopy{}, false
}

// outward reads commands whose URL is where something goes.
func outward(c *command) (facts.CommandCopy, bool) {
	what, config := "file", false
	switch {
	case c.is(0, "monitor", 3):
		if !c.has("export", 6) {
			return facts.CommandCopy{}, false
		}
		what = "capture"
	case c.is(0, "backup", 6):
		what, config = "backup", true
	case c.is(0, "save", 4):
		what, config = "configuration", true
	case c.is(0, "tac-pac", 7):
		what, config = "tech-support", true
	case c.is(0, "license", 3):
		what = "license"
	}
	return c.anyURL(true, what, config)
}

// inward reads commands whose URL is where something comes from.
func inward(c *command) (facts.CommandCopy, bool) {
	return c.anyURL(false, "", c.is(0, "load", 4))
}

func (c *command) has(name string, n int) bool {
	for i := range c.words {
		if c.is(i, name, n) {
			return true
		}
	}
	return false
}

func (c *command) anyURL(out bool, what string, config bool) (facts.CommandCopy, bool) {
	for i := 1; i < len(c.words); i++ {
		e, ok := readEnd(c.word(i))
		if !ok {
			continue
		}
		if what == "" {
			what, config = e.name(), config || configName([]byte(e.path))
		}
		return e.copy(out, what, config), true
	}
	return facts.CommandCopy{}, false
}
