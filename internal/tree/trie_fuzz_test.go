package tree

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// sane fails unless every node lies in the source, comes after its parent and is listed where it says it is.
func sane(t *testing.T, tree *Tree) {
	t.Helper()
	size := uint64(len(tree.Source))
	for i := range tree.Nodes {
		n := &tree.Nodes[i]
		off, length := tree.Statement(int32(i))
		if uint64(n.Off)+uint64(n.Len) > size || uint64(off)+uint64(length) > size || n.Begin > n.Off {
			t.Fatalf("node %d lies outside: %+v of %d", i, n, size)
		}
		if n.Parent >= int32(i) {
			t.Fatalf("node %d comes before its parent %d", i, n.Parent)
		}
	}
	seen := 0
	var walk func(i, parent int32, depth int)
	walk = func(i, parent int32, depth int) {
		if depth > MaxDepth+2 {
			t.Fatalf("deeper than %d", MaxDepth)
		}
		for ; i != None; i = tree.Nodes[i].Next {
			if tree.Nodes[i].Parent != parent {
				t.Fatalf("node %d is listed under %d and says %d", i, parent, tree.Nodes[i].Parent)
			}
			if seen++; seen > len(tree.Nodes) {
				t.Fatal("siblings form a ring")
			}
			walk(tree.Nodes[i].First, i, depth+1)
		}
	}
	walk(tree.First, None, 0)
	want := 0
	for line := range bytes.SplitSeq(bytes.TrimPrefix(tree.Source, []byte("\xef\xbb\xbf")), []byte("\n")) {
		if len(bytes.Trim(line, " \t\r\v\f\b\x00")) > 0 {
			want++
		}
	}
	if got := tree.Lines(func(int32, facts.LineState) {}).Total(); got != want {
		t.Fatalf("%d lines are accounted for of %d", got, want)
	}
}

// asSet writes the statements of tree as set commands; false when a word cannot be written on one line.
func asSet(tree *Tree) ([]byte, bool) {
	var out bytes.Buffer
	ok := true
	var path []string
	var walk func(i int32)
	walk = func(i int32) {
		for ; i != None; i = tree.Nodes[i].Next {
			w := tree.Text(i)
			if bytes.ContainsAny(w, "\"\n\\") || bytes.HasSuffix(w, []byte("\r")) {
				ok = false
				return
			}
			path = append(path, `"`+string(w)+`"`)
			if n := &tree.Nodes[i]; n.First == None || n.Flags&Implied == 0 {
				fmt.Fprintf(&out, "set %s\n", strings.Join(path, " "))
			}
			walk(tree.Nodes[i].First)
			if tree.Nodes[i].Flags&Inactive != 0 {
				fmt.Fprintf(&out, "deactivate %s\n", strings.Join(path, " "))
			}
			path = path[:len(path)-1]
		}
	}
	walk(tree.First)
	return out.Bytes(), ok
}

func FuzzBraces(f *testing.F) {
	for _, s := range []string{
		"system { services { ftp; inactive: ssh { x y; } } }\n", "a [ b c ] d;\n/* c */ e \"f\"; ## SECRET-DATA\n",
		"a {\n  b;\nc {\n", "a { { { } } }", "\"", "x <secret removed>;", "a [", "inactive: inactive: ;", "}}}", "a\n{\nb\n}\n",
		strings.Repeat("a ", 300) + ";" + strings.Repeat("b{", 300),
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, src []byte, lines bool) {
		var tree, again Tree
		faults := tree.Braces(src, Syntax{Tags: true, Lines: lines, Single: lines})
		sane(t, &tree)
		for _, k := range faults {
			if k.Kind == TooDeep {
				return
			}
		}
		text, ok := asSet(&tree)
		if !ok {
			return
		}
		again.Sets(text, Syntax{})
		sane(t, &again)
		if want, got := dump(&tree), dump(&again); want != got {
			t.Fatalf("braces give\n%s\nthe same as set commands gives\n%s\nset commands:\n%s", want, got, text)
		}
	})
}

func FuzzSets(f *testing.F) {
	for _, s := range []string{
		"set a b c\nset a b d\ndeactivate a b\n", "set a [ b c ] d\ndelete a\nset a\n", "edit a\nset b\ntop\nup\nexit\n",
		"set \"a b\" 'c d'\nset \"a b\" 'c d' e\n", "set\nset \ndelete\n", "top edit a\ntop set b\n", "set a \"\nset a \" b\n",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, src []byte, single bool) {
		var tree, again Tree
		switched, _ := tree.Sets(src, Syntax{Single: single})
		sane(t, &tree)
		for _, s := range switched {
			if int(s.Node) >= len(tree.Nodes) || int(s.Off+s.Len) > len(src) {
				t.Fatalf("switch outside: %+v", s)
			}
		}
		want := dump(&tree)
		// A reused tree reads the same.
		again.Braces([]byte("x { y z; }"), Syntax{})
		again.Sets(src, Syntax{Single: single})
		if got := dump(&again); got != want {
			t.Fatalf("a reused tree gives\n%s\na new one\n%s", got, want)
		}
	})
}
