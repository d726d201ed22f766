package parsetest

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// A Shape writes statements, each a list of words, below a path of words.
type Shape func(path []string, statements [][]string) string

// InBraces writes statements in braces, one a line.
func InBraces(path []string, statements [][]string) string {
	var b strings.Builder
	indent := ""
	for _, w := range path {
		b.WriteString(indent + w + " {\n")
		indent += "    "
	}
	for _, s := range statements {
		b.WriteString(indent + strings.Join(s, " ") + "\n")
	}
	for range path {
		indent = indent[4:]
		b.WriteString(indent + "}\n")
	}
	return b.String()
}

// AsSet writes statements as commands that begin with verb.
func AsSet(verb string) Shape {
	return func(path []string, statements [][]string) string {
		var b strings.Builder
		for _, s := range statements {
			b.WriteString(verb + " " + strings.Join(append(slices.Clone(path), s...), " ") + "\n")
		}
		return b.String()
	}
}

// InXML writes statements as elements below a root; a statement's last word is a text, unless it ends in "/".
func InXML(root string) Shape {
	return func(path []string, statements [][]string) string {
		path = append([]string{root}, path...)
		var b strings.Builder
		for _, w := range path {
			b.WriteString("<" + w + ">\n")
		}
		for _, s := range statements {
			for _, w := range s[:len(s)-1] {
				b.WriteString("<" + w + ">")
			}
			b.WriteString(s[len(s)-1])
			for _, w := range slices.Backward(s[:len(s)-1]) {
				b.WriteString("</" + w + ">")
			}
			b.WriteString("\n")
		}
		for _, w := range slices.Backward(path) {
			b.WriteString("</" + w + ">\n")
		}
		return b.String()
	}
}

// Plant puts a transfer URL, a server below a protocol's word, a credential and what applies a filter into every statement
// of a platform's table of irrelevant ones: each surfaces. Each path is words, "*" for any one; filter is statements that
// would apply a filter or decide about packets there.
func Plant(t *testing.T, f facts.Format, write Shape, paths []string, filter [][]string) {
	t.Helper()
	const secret = "plantedHunter2"
	if len(paths) < 10 {
		t.Fatalf("only %d paths", len(paths))
	}
	for _, path := range paths {
		words := strings.Fields(strings.ReplaceAll(path, "*", "any"))
		text := write(words, append([][]string{
			{"planted", "ftp://u:" + secret + "URL@198.51.100.77/x"},
			{"scp", "hostname", "198.51.100.78"},
			{"password", secret},
		}, filter...))
		st := Parse(t, f, "x", []byte(text))
		d := st.Devices[0]
		for _, want := range []string{"198.51.100.77", "198.51.100.78"} {
			if !slices.ContainsFunc(d.Clients, func(c facts.Client) bool { return c.Addr == netip.MustParseAddr(want) }) {
				t.Errorf("%s: %s is no client", path, want)
			}
		}
		for _, want := range []string{secret, secret + "URL"} {
			if !slices.ContainsFunc(d.Secrets, func(s facts.Secret) bool { return string(st.at(s.Span)) == want }) {
				t.Errorf("%s: %s is no secret", path, want)
			}
		}
		if len(filter) > 0 && d.Lines.Unsupported == 0 {
			t.Errorf("%s: what applies a filter is not told: %+v\n%s", path, d.Lines, text)
		}
		st.hides(t, secret)
	}
}
