package junos

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/internal/tree"
)

// asSet writes a configuration in braces as set commands, statement by statement; false when a word does not fit a line, or
// the braces are not whole.
func asSet(src string) (string, bool) {
	var t tree.Tree
	if faults := t.Braces([]byte(src), tree.Syntax{Tags: true, Aside: aside}); len(faults) > 0 {
		return "", false
	}
	var out strings.Builder
	ok := true
	var path []string
	var walk func(int32)
	walk = func(i int32) {
		for ; i != tree.None; i = t.Nodes[i].Next {
			n, w := &t.Nodes[i], t.Text(i)
			if bytes.ContainsAny(w, "\"\n\\") || bytes.HasSuffix(w, []byte("\r")) {
				ok = false
				return
			}
			path = append(path, `"`+string(w)+`"`)
			if n.First == tree.None || n.Flags&tree.Implied == 0 {
				fmt.Fprintf(&out, "set %s\n", strings.Join(path, " "))
			}
			walk(n.First)
			if n.Flags&tree.Inactive != 0 {
				fmt.Fprintf(&out, "deactivate %s\n", strings.Join(path, " "))
			}
			path = path[:len(path)-1]
		}
	}
	walk(t.First)
	return out.String(), ok
}

// sameFacts fails when a configuration in braces and the same as set commands state different facts.
func sameFacts(t *testing.T, src string) {
	t.Helper()
	set, ok := asSet(src)
	if !ok {
		return
	}
	d, _ := readDevice(t, Brace(), src)
	e, _ := readDevice(t, Set(), set)
	// Comments are no statements: what they tell is not in the set commands.
	e.Tool, e.Model, e.Version = d.Tool, d.Model, d.Version
	for i := range d.Filters {
		for j := range d.Filters[i].Rules {
			if i < len(e.Filters) && j < len(e.Filters[i].Rules) && e.Filters[i].Rules[j].Remark == "" {
				e.Filters[i].Rules[j].Remark = d.Filters[i].Rules[j].Remark
			}
		}
	}
	if diff := cmp.Diff(meaning(d), meaning(e)); diff != "" {
		t.Errorf("braces and set commands state different facts (-braces +set):\n%s", diff)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, c := range braceSamples(t) {
		if strings.HasPrefix(c.name, "oxidized/") {
			continue // its comments tell what set commands cannot: the release, the host, what is a secret
		}
		t.Run(c.name, func(t *testing.T) { sameFacts(t, c.text) })
	}
}

func TestRoundTripCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "configs", "juniper_junos_brace", "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no configurations: %v", err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(filepath.Base(f), func(t *testing.T) { sameFacts(t, string(src)) })
	}
}
