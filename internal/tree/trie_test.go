package tree

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
)

// dump writes the tree one path per leaf, with marks: "!" switched off, "+" a word that stands for a line and has children.
func dump(t *Tree) string {
	var b strings.Builder
	var walk func(i int32, path string)
	walk = func(i int32, path string) {
		for ; i != None; i = t.Nodes[i].Next {
			n := &t.Nodes[i]
			p := path + string(t.Text(i))
			if n.Flags&Inactive != 0 {
				p += "!"
			}
			if n.First == None {
				fmt.Fprintln(&b, p)
			} else {
				walk(n.First, p+" ")
			}
		}
	}
	walk(t.First, "")
	return b.String()
}

func faultNames(list []Fault) string {
	var out []string
	for _, f := range list {
		out = append(out, fmt.Sprintf("%d:%d %s", f.Line, f.Count, f.Kind))
	}
	return strings.Join(out, "; ")
}

func TestBraces(t *testing.T) {
	junos := Syntax{Tags: true, Aside: func(l []byte) bool { return strings.HasPrefix(string(l), "{master") }}
	tests := []struct {
		name   string
		syntax Syntax
		in     string
		want   string
		faults string
	}{
		{
			name: "blocks and leaves share words", syntax: junos,
			in:   "interfaces {\n    ge-0/0/0 {\n        unit 0 {\n            family inet;\n        }\n        unit 1 {\n            mtu 9;\n        }\n    }\n}\n",
			want: "interfaces ge-0/0/0 unit 0 family inet\ninterfaces ge-0/0/0 unit 1 mtu 9\n",
		},
		{name: "one line", syntax: junos, in: "term t { from { port 21; } then accept; }", want: "term t from port 21\nterm t then accept\n"},
		{
			name: "lists, also over lines and with a tail", syntax: junos,
			in:   "a [ b c ];\nd [ e\n  f ];\ng [h i];\nj [ k ] l m;\nn [ ];",
			want: "a b\na c\nd e\nd f\ng h\ng i\nj k\nj l m\nn\n",
		},
		{
			name: "brackets inside words are words", syntax: junos,
			in: `members ge-0/0/[0-3]; re "[a b]"; x [0-9] y; z [ [0-9] ];`, want: "members ge-0/0/[0-3]\nre [a b]\nx 0-9\nx y\nz [0-9]\n",
		},
		{
			name: "quotes, escapes and comments", syntax: junos,
			in:   "/* a { b; } */\nx \"c ; { \\\" d\"; ## SECRET-DATA\n# y;\nz 1; /* w */ v #3;\n",
			want: "x c ; { \\\" d\nz 1\nv #3\n",
		},
		{name: "a quote over lines", syntax: junos, in: "x \"a\nb\";\ny;", want: "x a\nb\ny\n"},
		{
			name: "switched off", syntax: junos,
			in:   "system { services { inactive: ftp; inactive: ssh { x; } } inactive: host-name foo; protect: inactive: a [ b c ]; }",
			want: "system services ftp!\nsystem services ssh! x\nsystem host-name foo!\nsystem a b!\nsystem a c!\n",
		},
		{name: "placeholders", syntax: junos, in: "password <secret removed>; <ge-*> { a; }", want: "password <secret removed>\n<ge-*> a\n"},
		{name: "state banners", syntax: junos, in: "{master:0}\na { b; }\n\n{master}\n", want: "a b\n"},
		{
			name: "a block that is never closed ends in the first column", syntax: junos,
			in: "a {\n    b {\n        c;\nd {\n    e;\n}\n", want: "a b c\nd e\n", faults: "1:2 a block is not closed",
		},
		{
			name: "text without indentation is taken as it stands", syntax: junos,
			in: "a {\nb {\nc;\n}\nd;\n}\n", want: "a b c\na d\n",
		},
		{name: "cut inside", syntax: junos, in: "a {\n  b {\n    c d", want: "a b c d\n", faults: "1:2 a block is not closed"},
		{name: "cut inside a quote", syntax: junos, in: "a \"b\nc;", want: "a b c\n", faults: "1:1 a quote is not closed"},
		{name: "more closed than opened", syntax: junos, in: "  c;\n }\n}\nd;", want: "c\nd\n", faults: "2:2 a closing brace has no block"},
		{name: "comment that never ends", syntax: junos, in: "a;/* b;", want: "a\n", faults: "1:1 a comment is not closed"},
		{
			name: "line ends end statements", syntax: Syntax{Lines: true, Single: true},
			in:   "interfaces {\n    ethernet eth0 {\n        address 10.0.0.1/24\n        description 'a b'\n    }\n}\n",
			want: "interfaces ethernet eth0 address 10.0.0.1/24\ninterfaces ethernet eth0 description a b\n",
		},
		{name: "node variables", syntax: junos, in: "apply-groups ${node};\nx ${a}{ b; }", want: "apply-groups ${node}\nx ${a} b\n"},
		{name: "said twice", syntax: junos, in: "a { b; b; } a { c; }", want: "a b\na c\n"},
		{name: "CRLF and a byte order mark", syntax: junos, in: "\xef\xbb\xbfa {\r\n  b;\r\n}\r\n", want: "a b\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tree Tree
			faults := tree.Braces([]byte(test.in), test.syntax)
			if diff := cmp.Diff(test.want, dump(&tree)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.faults, faultNames(faults)); diff != "" {
				t.Errorf("faults (-want +got)\n%s", diff)
			}
		})
	}
}

func TestSets(t *testing.T) {
	tests := []struct {
		name   string
		syntax Syntax
		in     string
		want   string
		faults string
	}{
		{
			name: "paths are shared", in: "set a b c\nset a b d\nset a bb\nset a b\nset \"a\" b e\n",
			want: "a b c\na b d\na b e\na bb\n",
		},
		{name: "order of first appearance", in: "set t x 1\nset t y 1\nset t x 2\n", want: "t x 1\nt x 2\nt y 1\n"},
		{
			name: "other verbs", syntax: Syntax{Also: []string{"add", "/configure"}},
			in: "set a b c\nadd a b d\n/configure a e\n/configure\nset a f\nput a g\n", want: "a b c\na b d\na e\na f\n",
		},
		{name: "lists", in: "set a [ b c ]\nset a [ b c ] d e\n", want: "a b\na c\na d e\n"},
		{
			name: "switched off and on", in: "set a b\nset c d e\ndeactivate a\ndeactivate c d\nactivate c d\ndeactivate x\n",
			want: "a! b\nc d e\n", faults: "6:1 a statement is switched that was not set before",
		},
		{name: "deleted", in: "set a b c\nset a d\nset a e\ndelete a b\ndelete a e\nset a f\n", want: "a d\na f\n"},
		{name: "deleted and set again", in: "set a b c\ndelete a b\nset a b d\n", want: "a b d\n"},
		{name: "deleted last child", in: "set a b\ndelete a b\n", want: "a\n"},
		{name: "said twice and deleted", in: "set a\nset b\nset a\ndelete a\n", want: "b\n"},
		{name: "deleted at the top", in: "set a b\nset c\ndelete a\n", want: "c\n"},
		{name: "edit", in: "edit a b\nset c 1\nup\nset d\ntop\nset e\ntop edit f\nset g\nexit\nset h\n", want: "a b c 1\na d\ne\nf g\nh\n"},
		{name: "an empty list below edit", in: "edit a\nset [\nset b\n", want: "a b\n"},
		{name: "single quotes", syntax: Syntax{Single: true}, in: "set a 'b c'\n", want: "a b c\n"},
		{name: "quotes hold blanks", in: "set a \"b \\\" c\" d\nset a \"b \\\" c\" e\nset a \"b \\\" cc\"\n", want: "a b \\\" c d\na b \\\" c e\na b \\\" cc\n"},
		{name: "placeholders", in: "set a <secret removed> b\n", want: "a <secret removed> b\n"},
		{name: "an open quote ends with its line", in: "set a \"b c\nset d\n", want: "a b c\nd\n", faults: "1:1 a quote is not closed"},
		{name: "CRLF, blanks and a byte order mark", in: "\xef\xbb\xbfset  a\tb \r\n\r\n  set a c\r\n", want: "a b\na c\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tree Tree
			_, faults := tree.Sets([]byte(test.in), test.syntax)
			if diff := cmp.Diff(test.want, dump(&tree)); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if diff := cmp.Diff(test.faults, faultNames(faults)); diff != "" {
				t.Errorf("faults (-want +got)\n%s", diff)
			}
		})
	}
}

func TestPositions(t *testing.T) {
	tests := []struct {
		name      string
		set       bool
		in        string
		path      []string
		statement string
		line      uint32
	}{
		{name: "brace leaf", in: "a {\n    b c \"d\";\n}", path: []string{"a", "b", "c", "d"}, statement: `b c "d"`, line: 2},
		{name: "brace head", in: "x;\nunit 0 {\n b;\n}", path: []string{"unit", "0"}, statement: "unit 0", line: 2},
		{name: "brace path word", in: "unit 0 {\n b;\n}", path: []string{"unit"}, statement: "unit", line: 1},
		{name: "set leaf", set: true, in: "set a b\n set a c \"d\"\n", path: []string{"a", "c", "d"}, statement: `set a c "d"`, line: 2},
		{name: "set path", set: true, in: "set a b\nset a c d\n", path: []string{"a", "c"}, statement: "set a c", line: 2},
		{name: "set leaf said after its children", set: true, in: "set a b c\nset a b\n", path: []string{"a", "b"}, statement: "set a b", line: 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tree Tree
			if test.set {
				tree.Sets([]byte(test.in), Syntax{})
			} else {
				tree.Braces([]byte(test.in), Syntax{})
			}
			i := None
			for _, w := range test.path {
				if i = tree.Child(i, w); i == None {
					t.Fatalf("no node %q", w)
				}
			}
			off, n := tree.Statement(i)
			if got := test.in[off : off+n]; got != test.statement || tree.Nodes[i].Line != test.line {
				t.Errorf("got %q on line %d, want %q on line %d", got, tree.Nodes[i].Line, test.statement, test.line)
			}
		})
	}
}

// TestLines holds that every line that is not blank is accounted for once, by what stands on it.
func TestLines(t *testing.T) {
	tests := []struct {
		name string
		set  bool
		in   string
		mark map[string]facts.LineState
		want facts.Lines
	}{
		{
			name: "heads, leaves, comments and braces", in: "# c\na {\n    b;\n\n    c d; ## SECRET-DATA\n    /* x\n y */\n    e [ f\n g ];\n}\n",
			mark: map[string]facts.LineState{"a": facts.Understood, "b": facts.Irrelevant, "d": facts.Unsupported},
			want: facts.Lines{Irrelevant: 4, Understood: 2, Unsupported: 1, Unrecognised: 2},
		},
		{
			name: "the worst of a line", in: "a { b; c; }\na { b; }\n",
			mark: map[string]facts.LineState{"a": facts.Understood, "b": facts.Understood},
			want: facts.Lines{Understood: 1, Unrecognised: 1},
		},
		{
			name: "a brace is as irrelevant as what it closes", in: "a {\n  b;\n}\nc {\n  d;\n}\n",
			mark: map[string]facts.LineState{"a": facts.Irrelevant, "b": facts.Irrelevant, "c": facts.Understood},
			want: facts.Lines{Irrelevant: 3, Understood: 2, Unrecognised: 1},
		},
		{
			name: "set lines", set: true, in: "# c\nset a b\nset a b\nset a\ndeactivate a\ndelete z\nnonsense\n\nset e [ f g ]\n",
			mark: map[string]facts.LineState{"b": facts.Irrelevant, "a": facts.Understood},
			want: facts.Lines{Irrelevant: 3, Understood: 3, Unrecognised: 2},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var tree Tree
			if test.set {
				tree.Sets([]byte(test.in), Syntax{})
			} else {
				tree.Braces([]byte(test.in), Syntax{})
			}
			for i := range tree.Nodes {
				if s, ok := test.mark[string(tree.Text(int32(i)))]; ok {
					tree.Mark(int32(i), s)
				}
			}
			if diff := cmp.Diff(test.want, tree.Lines(func(int32, facts.LineState) {})); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestSecretMark(t *testing.T) {
	var tree Tree
	tree.Braces([]byte("a {\n  b c \"d\"; ## SECRET-DATA\n  e f;\n}\n"), Syntax{})
	for i := range tree.Nodes {
		if got, want := tree.Nodes[i].Flags&Secret != 0, string(tree.Text(int32(i))) == "d"; got != want {
			t.Errorf("%q: secret %v, want %v", tree.Text(int32(i)), got, want)
		}
	}
}

func TestGraft(t *testing.T) {
	var tree Tree
	tree.Braces([]byte("g { x; y; }\nh { x; }\n"), Syntax{})
	g, h := tree.Child(None, "g"), tree.Child(None, "h")
	if _, made := tree.Graft(h, tree.Child(g, "x")); made {
		t.Error("a word that is there was copied")
	}
	y, made := tree.Graft(h, tree.Child(g, "y"))
	if !made || tree.Nodes[y].Parent != h || tree.Nodes[y].Flags&Inherited == 0 {
		t.Errorf("made %v, node %+v", made, tree.Nodes[y])
	}
	if want := (facts.Lines{Unrecognised: 5}); tree.Count() != want {
		t.Errorf("counted %+v, want %+v", tree.Count(), want)
	}
	if tree.Child(h, "y") != y {
		t.Error("the copy is not found")
	}
}

func TestNested(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"blocks", "configure\n    a\n        b 1 create\n            c \"x y\"\n        exit\n        no d\n    exit\n    e\nexit all\n", "configure a b 1 c x y\nconfigure a no d\nconfigure e\n"},
		{"the same block twice", "a\n    b 1\n        c\n    exit\nexit\na\n    b 1\n        d\n", "a b 1 c\na b 1 d\n"},
		{"comments", "# x\na\n#---\n    b\n", "a b\n"},
		{"out of every block", "a\n    b\nexit all\n    c\n", "a b\nc\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := New()
			if faults := tree.Nested([]byte(c.in), Syntax{Last: []string{"create"}}); len(faults) > 0 {
				t.Error(faults)
			}
			if got := dump(tree); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			sane(t, tree)
		})
	}
}

func FuzzNested(f *testing.F) {
	f.Add([]byte("configure\n    a\n        b 1 create\n    exit\nexit all\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		tree := New()
		tree.Nested(src, Syntax{Last: []string{"create"}})
		sane(t, tree)
	})
}
