package cli

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// A Mark is how a line of a platform begins, and how much that says: 3 no other platform writes so, 1 some do. Negative
// ones are another platform's.
type Mark struct {
	Prefix string
	Weight int
}

// Weigh adds up the marks of a text, each once, and gives the confidence that makes: 9 is certain, 5 strong, 3 likely. A
// prefix that begins with a blank is of indented lines.
func Weigh(head []byte, marks []Mark) facts.Confidence {
	met := make([]bool, len(marks))
	sum := 0
	for len(head) > 0 {
		line, rest, _ := bytes.Cut(head, []byte("\n"))
		head = rest
		inner := len(line) > 0 && (line[0] == ' ' || line[0] == '\t')
		text := field.TrimLeft(line)
		if len(text) == 0 {
			continue
		}
		for i := range marks {
			p := marks[i].Prefix
			within := p[0] == ' '
			if met[i] || within != inner {
				continue
			}
			if p = strings.TrimLeft(p, " "); p[0] == text[0] && field.Has(text, p) {
				met[i] = true
				sum += marks[i].Weight
			}
		}
	}
	switch {
	case sum >= 9:
		return facts.Certain
	case sum >= 5:
		return facts.Strong
	case sum >= 3:
		return facts.Likely
	}
	return facts.No
}

// Prompt reads "HOST#command", "HOST>command" and "HOST(config)#command".
func Prompt(text string) (host, command string, ok bool) {
	i := strings.IndexAny(text, "#>")
	if i <= 0 || i > 80 {
		return "", "", false
	}
	host = text[:i]
	if k := strings.IndexByte(host, '('); k > 0 && strings.HasSuffix(host, ")") {
		host = host[:k]
	}
	if _, after, ok := strings.Cut(host, ":"); ok && strings.HasPrefix(host, "RP/") { // RP/0/RP0/CPU0:router#
		host = after
	}
	for _, c := range host {
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '_' && c != '.' {
			return "", "", false
		}
	}
	return host, strings.TrimSpace(text[i+1:]), host != ""
}

// Typed looks at a command that was given before the configuration: whether it asked for a part of it.
func (r *Reader) Typed(command string) {
	w := strings.Fields(command)
	if len(w) == 0 || !strings.HasPrefix(w[0], "sh") && w[0] != "more" {
		return
	}
	if strings.Contains(command, "|") {
		r.Partial = true
		return
	}
	if len(w) > 2 && (strings.HasPrefix(w[1], "run") || strings.HasPrefix(w[1], "start") || strings.HasPrefix(w[1], "conf")) {
		switch w[2] {
		case "all", "full", "sanitized", "no-more", "|":
		default:
			r.Partial = true // show running-config interface X
		}
	}
}

// Banner reads a line outside the configuration: a prompt with what was typed, or words of the device itself.
func (r *Reader) Banner(n int32, text string, own ...string) bool {
	for _, p := range own {
		if strings.HasPrefix(text, p) {
			r.Typed(text)
			return true
		}
	}
	host, command, ok := Prompt(text)
	if !ok {
		return false
	}
	if r.D.Hostname.Origin == facts.Unknown && command != "" {
		r.D.Hostname = facts.Say(strings.Clone(host), r.File.Span(r.T.Base+int64(r.T.Nodes[n].Off), len(host)))
	}
	r.Typed(command)
	return true
}

// Tool says that a backup tool's mark was met.
func (r *Reader) Tool(tool facts.Tool) {
	if r.D.Tool == facts.NoTool {
		r.D.Tool = tool
	}
}
