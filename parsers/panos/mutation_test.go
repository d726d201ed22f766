package panos

import (
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// TestPlanted plants a transfer URL, a server below the name of a protocol, a credential and rules into every block that is
// irrelevant, of the fixtures and of the public configurations: each surfaces.
func TestPlanted(t *testing.T) {
	texts := samples(t)
	if dir := os.Getenv("QUAYMASTER_CORPUS"); dir != "" {
		files, _ := filepath.Glob(filepath.Join(dir, "configs", "paloalto_panos_*", "*"))
		for _, f := range files {
			src, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, sample{text: string(src)})
		}
	}
	seen := map[string]bool{}
	for _, s := range texts {
		for _, path := range irrelevantPaths(t, s.text) {
			if seen[path] {
				continue
			}
			seen[path] = true
			plant(t, path)
			if t.Failed() {
				t.FailNow()
			}
		}
	}
	if len(seen) < 10 {
		t.Fatalf("only %d blocks", len(seen))
	}
	t.Logf("%d blocks", len(seen))
}

// irrelevantPaths are the words of the blocks of text that are irrelevant, outermost ones and what is in them.
func irrelevantPaths(t *testing.T, text string) []string {
	t.Helper()
	f, _ := formatOf(text)
	var shape shape
	switch f.Platform {
	case facts.PANOSBrace:
		shape = braceShape
	case facts.PANOSXML:
		shape = xmlShape
	}
	p := newParser(fileOf(text), facts.NewSink(), []byte(text), shape)
	p.read()
	var out []string
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.State != facts.Irrelevant || n.First == none || n.Flags&(tree.Comment|tree.Again) != 0 {
			continue
		}
		var words []string
		for k := int32(i); k >= 0; k = p.t.Nodes[k].Parent {
			words = append(words, `"`+p.text(k)+`"`)
		}
		slices.Reverse(words)
		path := strings.Join(words, " ")
		if strings.ContainsAny(path, "\n\\") || strings.Count(path, `"`) != 2*len(words) {
			continue
		}
		out = append(out, path)
	}
	return out
}

func plant(t *testing.T, path string) {
	t.Helper()
	const secret = "plantedHunter2"
	text := "set " + path + " planted ftp://u:" + secret + "URL@198.51.100.77/x\n" +
		"set " + path + " other scp hostname 198.51.100.78\n" +
		"set " + path + " other password " + secret + "\n" +
		"set " + path + " rulebase security rules r action allow\n"
	d, _ := readDevice(t, Set(), text)
	for _, want := range []string{"198.51.100.77", "198.51.100.78"} {
		if !slices.ContainsFunc(d.Clients, func(c facts.Client) bool { return c.Addr == netip.MustParseAddr(want) }) {
			t.Errorf("%s: %s is no client", path, want)
		}
	}
	for _, want := range []string{secret, secret + "URL"} {
		if !slices.ContainsFunc(d.Secrets, func(s facts.Secret) bool {
			return text[s.Span.Pos.Off():s.Span.Pos.Off()+int64(s.Span.Len)] == want
		}) {
			t.Errorf("%s: %s is no secret", path, want)
		}
	}
	if d.Lines.Unsupported == 0 {
		t.Errorf("%s: rules are not told: %+v", path, d.Lines)
	}
	if strings.Contains(meaning(d), secret) {
		t.Errorf("%s: the secret is in a fact", path)
	}
}
