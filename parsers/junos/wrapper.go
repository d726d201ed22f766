package junos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// pager is what begins the prompt of the Junos pager: "---(more)---", "---(more 45%)---".
const pager = "---(more"

// aside tells lines that stand around a configuration: the state of a routing engine or cluster node, edit banners,
// prompts with the command that was typed, pager residue.
func aside(line []byte) bool {
	switch {
	case len(line) == 0:
		return false
	case line[0] == '{':
		return stateBanner(line)
	case line[0] == '!': // RANCID's own lines, in files it was told to write as for IOS
		return true
	case line[0] == '[':
		return bytes.HasPrefix(line, []byte("[edit"))
	case bytes.HasPrefix(line, []byte("---(")), bytes.HasPrefix(line, []byte("show configuration")):
		return true
	}
	switch string(line) {
	case "exit", "quit", "logout":
		return true
	}
	_, ok := prompt(line)
	return ok
}

// asideSet is aside for set commands, where a statement typed at a prompt is not passed over.
func asideSet(line []byte) bool {
	if cmd, ok := prompt(line); ok {
		verb := firstWord(cmd)
		return !hasWord(verb, "set", "delete", "deactivate", "activate", "edit", "load", "rollback")
	}
	return aside(line)
}

// stateBanner is "{master:0}", "{primary:node1}", "{backup}", "{linecard:2}".
func stateBanner(line []byte) bool {
	if len(line) < 3 || len(line) > 40 || line[len(line)-1] != '}' {
		return false
	}
	for _, c := range line[1 : len(line)-1] {
		if c-'0' > 9 && c|0x20-'a' > 25 && c != ':' && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// prompt is "user@host> command" or "user@host# command"; the command may be empty.
func prompt(line []byte) (command []byte, ok bool) {
	word := firstWord(line)
	n := len(word)
	if n < 4 || n > 128 || word[n-1] != '>' && word[n-1] != '#' && word[n-1] != '%' {
		return nil, false
	}
	at := bytes.IndexByte(word, '@')
	if at <= 0 || at >= n-2 {
		return nil, false
	}
	for i, c := range word[:n-1] {
		if i != at && c-'0' > 9 && c|0x20-'a' > 25 && c != '-' && c != '_' && c != '.' && c != ':' {
			return nil, false
		}
	}
	return bytes.TrimLeft(line[n:], " \t"), true
}

// hostOf is the host name in a prompt.
func hostOf(line []byte) []byte {
	word := firstWord(line)
	at := bytes.IndexByte(word, '@')
	return word[at+1 : len(word)-1]
}

// wrapper reads what the backup tool or the terminal put around the configuration: the tool's marks, the model and
// release Oxidized writes as comments, the host name in a prompt.
func (p *parser) wrapper() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Flags&tree.Comment == 0 || n.Parent != none {
			continue
		}
		line := p.t.Text(int32(i))
		span := p.f.Span(p.t.Base+int64(n.Off), int(n.Len))
		if _, ok := prompt(line); ok && p.d.Hostname.Origin == facts.Unknown {
			p.d.Hostname = facts.Say(string(hostOf(line)), span)
			p.ok(int32(i))
			continue
		}
		if line[0] != '#' && line[0] != '!' {
			continue
		}
		text := bytes.TrimLeft(line, "#! \t")
		switch {
		case bytes.HasPrefix(text, []byte("RANCID-CONTENT-TYPE")):
			p.d.Tool = facts.RANCID
		case bytes.HasPrefix(text, []byte("Model: ")) && line[1] == ' ':
			p.d.Model = facts.Say(string(bytes.TrimSpace(text[len("Model: "):])), span)
			p.d.Tool = facts.Oxidized
		case bytes.HasPrefix(text, []byte("Junos: ")):
			p.d.Version = facts.Say(string(bytes.TrimSpace(text[len("Junos: "):])), span)
			p.d.Tool = facts.Oxidized
		case bytes.HasPrefix(text, []byte("JUNOS Software Release [")), bytes.HasPrefix(text, []byte("Hardware inventory:")),
			bytes.HasPrefix(text, []byte("Monitor Failure codes:")):
			if p.d.Tool == facts.NoTool && line[1] == ' ' {
				p.d.Tool = facts.Oxidized // "show version", "show chassis hardware" and "show chassis cluster status" as comments
			}
		case bytes.HasPrefix(text, []byte("Last commit: ")), bytes.HasPrefix(text, []byte("Last changed: ")):
		default:
			continue
		}
		p.ok(int32(i))
	}
}

// A release is a Junos release as two numbers, 22.4; zero when unknown.
type release struct{ year, minor int }

// parseRelease reads "22.4R3-S2.11" or "15.1X49-D15.4".
func parseRelease(b []byte) (release, bool) {
	b = bytes.Trim(b, " \t;\"")
	dot := bytes.IndexByte(b, '.')
	if dot < 1 || dot > 2 {
		return release{}, false
	}
	end := dot + 1
	for end < len(b) && b[end]-'0' <= 9 {
		end++
	}
	year, ok1 := small(b[:dot])
	minor, ok2 := small(b[dot+1 : end])
	if !ok1 || !ok2 || end < len(b) && !bytes.ContainsRune([]byte("RXFBIDS-."), rune(b[end])) {
		return release{}, false
	}
	return release{year, minor}, true
}

// before reports whether r is known and older than year.minor.
func (r release) before(year, minor int) bool {
	return r != release{} && (r.year < year || r.year == year && r.minor < minor)
}

// identity reads the host name and the release.
func (p *parser) identity(root int32) {
	if p.scope != "" {
		return
	}
	if v := p.value(p.at(root, "version")); v != none {
		p.d.Version = facts.Say(p.text(v), p.span(v))
		p.okAll(p.at(root, "version"))
	}
	if !p.dry && p.d.Version.Origin == facts.Explicit {
		p.release, _ = parseRelease([]byte(p.d.Version.Val))
	}
	if k := p.kid(p.at(root, "system"), "host-name"); k != none {
		p.okAll(k)
		if v := p.value(k); v != none {
			p.d.Hostname = facts.Say(p.text(v), p.span(v))
		}
	}
}
