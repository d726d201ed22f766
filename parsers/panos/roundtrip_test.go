package panos

import (
	"bytes"
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// treeOf reads a configuration as its format does; false when something was lost on the way.
func treeOf(format facts.Format, src string) (*tree.Tree, bool) {
	var t tree.Tree
	var faults []tree.Fault
	switch format.Platform {
	case facts.PANOSSet:
		_, faults = t.Sets([]byte(src), tree.Syntax{Single: true, Runs: true, Aside: aside})
	case facts.PANOSBrace:
		faults = t.Braces([]byte(src), tree.Syntax{Single: true, Aside: aside})
	default:
		faults = t.XML([]byte(src), tree.Markup{Entry: "entry", Name: "name", Member: "member", Merge: true, Aside: aside})
	}
	return &t, len(faults) == 0
}

// shapesOf writes a tree in all three shapes; false when a word does not fit one of them.
func shapesOf(t *tree.Tree, escaped bool) (set, brace, markup string, ok bool) {
	var s, b, m strings.Builder
	ok = true
	var path []string
	var walk func(int32, string)
	walk = func(i int32, indent string) {
		for ; i != tree.None; i = t.Nodes[i].Next {
			w := t.Text(i)
			if escaped {
				w = tree.Unescape(w)
			}
			if len(w) == 0 || bytes.ContainsAny(w, "\"\\") || bytes.IndexFunc(w, func(r rune) bool { return r < ' ' && r != '\n' || r == 127 }) >= 0 ||
				len(bytes.TrimSpace(w)) != len(w) || len(path) > 100 || bytes.Contains(w, []byte("\nset ")) {
				ok = false
				return
			}
			path = append(path, `"`+string(w)+`"`)
			e := strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(string(w))
			if n := &t.Nodes[i]; n.First == tree.None {
				fmt.Fprintf(&s, "set %s\n", strings.Join(path, " "))
				fmt.Fprintf(&b, "%s\"%s\";\n", indent, w)
				fmt.Fprintf(&m, "%s<entry name=\"%s\"/>\n", indent, e)
			} else {
				fmt.Fprintf(&b, "%s\"%s\" {\n", indent, w)
				fmt.Fprintf(&m, "%s<entry name=\"%s\">\n", indent, e)
				walk(n.First, indent+"  ")
				fmt.Fprintf(&b, "%s}\n", indent)
				fmt.Fprintf(&m, "%s</entry>\n", indent)
			}
			path = path[:len(path)-1]
		}
	}
	walk(t.First, "")
	return s.String(), b.String(), m.String(), ok
}

// said is what a device states, whatever order its secrets were met in and however often.
func said(d *facts.Device) string {
	slices.SortFunc(d.Secrets, func(a, b facts.Secret) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.User, b.User), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Storage, b.Storage), bytes.Compare(a.Tag[:], b.Tag[:]))
	})
	d.Secrets = slices.CompactFunc(d.Secrets, func(a, b facts.Secret) bool { return a.Name == b.Name && a.User == b.User && a.Tag == b.Tag })
	return meaning(d)
}

// sameFacts fails when a configuration states other facts in another shape.
func sameFacts(t *testing.T, format facts.Format, src string) {
	t.Helper()
	tr, whole := treeOf(format, src)
	if !whole {
		return
	}
	set, brace, markup, ok := shapesOf(tr, format.Platform == facts.PANOSXML)
	if !ok {
		return
	}
	d, _ := readDevice(t, Set(), set)
	want := said(d)
	e, _ := readDevice(t, Brace(), brace)
	if diff := gocmp.Diff(want, said(e)); diff != "" {
		t.Errorf("set commands and braces state different facts (-set +braces):\n%s", diff)
	}
	x, _ := readDevice(t, XML(), markup)
	if diff := gocmp.Diff(want, said(x)); diff != "" {
		t.Errorf("set commands and XML state different facts (-set +XML):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range samples(t) {
		if c.fixture == "oxidized" {
			continue // its comments tell what no statement does
		}
		t.Run(c.name, func(t *testing.T) {
			f, _ := formatOf(c.text)
			sameFacts(t, f, c.text)
		})
	}
}

func TestRoundTripCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "configs", "paloalto_panos_*", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(f), func(t *testing.T) {
			format, _ := formatOf(string(src))
			sameFacts(t, format, string(src))
		})
	}
}

// FuzzRoundTrip holds that the three shapes of what set commands say state the same facts.
func FuzzRoundTrip(f *testing.F) {
	for _, s := range samples(f) {
		if format, _ := formatOf(s.text); format.Platform == facts.PANOSSet {
			f.Add(s.text)
		}
	}
	f.Fuzz(func(t *testing.T, src string) {
		for line := range strings.SplitSeq(src, "\n") {
			if !strings.HasPrefix(line, "set ") {
				return // comments, prompts and other commands are told in one shape only
			}
		}
		sameFacts(t, Set(), src)
	})
}
