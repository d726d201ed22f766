package tree

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/facts"
)

var cisco = Indentation{Comments: "!", Body: CiscoText}

// outline writes the tree one node per line, two blanks for each level; "'" before raw text, "#" before comments, behind
// their line number and how many lines more say the same.
func outline(t *Tree) string {
	var b strings.Builder
	depth := make([]int, len(t.Nodes))
	for i := range t.Nodes {
		n := &t.Nodes[i]
		if n.Parent != None {
			depth[i] = depth[n.Parent] + 1
		}
		fmt.Fprintf(&b, "%d ", n.Line)
		if n.Repeat > 0 {
			fmt.Fprintf(&b, "+%d ", n.Repeat)
		}
		b.WriteString(strings.Repeat("  ", depth[i]))
		switch {
		case n.Flags&Raw != 0:
			b.WriteString("'")
		case n.Flags&Comment != 0:
			b.WriteString("#")
		}
		fmt.Fprintf(&b, "%s\n", t.Text(int32(i)))
	}
	return b.String()
}

func TestIndent(t *testing.T) {
	pages := strings.NewReplacer("MORE", " --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b", "BARE", " --More--          ", "ASA", "<--- More --->\r              \r")
	for _, c := range []struct {
		name   string
		o      Indentation
		in     string
		want   string
		faults string
	}{
		{"blocks", cisco, "a\n b\n  c\n d\ne\n", "1 a\n2   b\n3     c\n4   d\n5 e\n", ""},
		{"carriage returns, blanks at the end, no final newline", cisco, "a \r\n b\t\r\n\r\n c", "1 a\n2   b\n4   c\n", ""},
		{"three blanks", cisco, "a\n   b\n      c\n   d\n", "1 a\n2   b\n3     c\n4   d\n", ""},
		{"all indented", cisco, "  a\n   b\n  c\n", "1 a\n2   b\n3 c\n", ""},
		{"back to a column between two", cisco, "a\n    b\n  c\n", "1 a\n2   b\n3   c\n", ""},
		{"tabs", cisco, "a\n\tb\n\t c\n        d\n", "1 a\n2   b\n3     c\n4   d\n", ""},
		{"comments are no parents", cisco, "a\n b\n!\n! x\n !\n c\n!\n!\n!\nd\n", "1 a\n2   b\n3 #!\n4 #! x\n5   #!\n6   c\n7 +2 #!\n10 d\n", ""},
		{"separators", Indentation{Comments: "!", Separators: true}, "a\n b\n!\n c\n", "1 a\n2   b\n3 #!\n4 c\n", ""},
		{"byte order mark", cisco, "\xef\xbb\xbfa\n b\n", "1 a\n2   b\n", ""},
		{"pager", cisco, pages.Replace("a\nMORE b\nMORE  c\nMOREd\nBARE e\nASA f\n --More--\ng\n"), "1 a\n2   b\n3     c\n4 d\n5   e\n6   f\n7   #--More--\n8 g\n", ""},
		{"caret C", cisco, "banner motd ^C\n!\n  hello\nline vty 0\n^C\na\n", "1 banner motd ^C\n2   '!\n3   'hello\n4   'line vty 0\n5   '^C\n6 a\n", ""},
		{"several marks, text behind the end", cisco, "banner login ^CCCC\nhi ^C bye\na\n", "1 banner login ^CCCC\n2   'hi ^C bye\n3 a\n", ""},
		{"one line", cisco, "banner exec ^C hi ^C\na\n", "1 banner exec ^C hi ^C\n2 a\n", ""},
		{"control byte", cisco, "banner motd \x03\nb\n\x03\na\n", "1 banner motd \x03\n2   'b\n3   '\x03\n4 a\n", ""},
		{"other marks", cisco, "banner motd #\nb\n#\nbanner login @ x\n@\na\n", "1 banner motd #\n2   'b\n3   '#\n4 banner login @ x\n5   '@\n6 a\n", ""},
		{"caret alone before a C", cisco, "banner motd ^Caution\nb\n^\na\n", "1 banner motd ^Caution\n2   'b\n3   '^\n4 a\n", ""},
		{"banner in a block", cisco, "p\n banner text ^C\nx\n^C\n b\n banner ^C y\n^C\n c\n", "1 p\n2   banner text ^C\n3     'x\n4     '^C\n5   b\n6   banner ^C y\n7     '^C\n8   c\n", ""},
		{"no mark", cisco, "g\n banner value hello\n b\nbanner asdm x\n", "1 g\n2   banner value hello\n3   b\n4 banner asdm x\n", ""},
		{"banner without its end", cisco, "banner motd ^C\nhi\na\n b\n", "1 banner motd ^C\n2 hi\n3 a\n4   b\n", "1:1 a banner or other text has no end"},
		{"other text between marks", cisco, "aaa authentication banner ^C\nb\n^C\nc x ^C\na\n", "1 aaa authentication banner ^C\n2   'b\n3   '^C\n4 c x ^C\n5 a\n", "4:1 a banner or other text has no end"},
		{"menu", cisco, "menu M title ^C\nb\n^C\nmenu M text 1 x\na\n", "1 menu M title ^C\n2   'b\n3   '^C\n4 menu M text 1 x\n5 a\n", ""},
		{"certificate", cisco, "crypto pki certificate chain X\n certificate 01\n  3082010A 02\n  A0B1\n  \tquit\na\n", "1 crypto pki certificate chain X\n2   certificate 01\n3     '3082010A 02\n4     'A0B1\n5     'quit\n6 a\n", ""},
		{"certificate elsewhere", cisco, "crypto pki certificate chain X\n certificate 01 nvram:x.cer\ncafe\n", "1 crypto pki certificate chain X\n2   certificate 01 nvram:x.cer\n3 cafe\n", ""},
		{"certificate without its end", cisco, "c\n certificate 01\n  30\na\n", "1 c\n2   certificate 01\n3     '30\n4 a\n", ""},
		{"macro", cisco, "macro name m\nswitchport\n! x\n@\na\n", "1 macro name m\n2   'switchport\n3   '! x\n4   '@\n5 a\n", ""},
		{"macro without its end", cisco, "macro name m\nb\nmacro name n\nc\n", "1 macro name m\n2 b\n3 macro name n\n4 c\n", "1:2 a banner or other text has no end"},
		{"Arista banner", Indentation{Comments: "!", Body: EOSText}, "banner motd\nhi\n! x\nEOF\na\n", "1 banner motd\n2   'hi\n3   '! x\n4   'EOF\n5 a\n", ""},
		{"empty", cisco, "", "", ""},
		{"blanks", cisco, " \n\r\n\t\n\x00", "", ""},
	} {
		var tr Tree
		faults := tr.Indent([]byte(c.in), c.o)
		if diff := cmp.Diff(c.want, outline(&tr)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if got := faultNames(faults); got != c.faults {
			t.Errorf("%s: faults %q, want %q", c.name, got, c.faults)
		}
	}
}

func TestIndentLimits(t *testing.T) {
	var tr Tree
	long := "a\n " + strings.Repeat("x", MaxLine+10) + "\n b\n"
	if got := faultNames(tr.Indent([]byte(long), cisco)); got != "2:1 a line is longer than 1 MiB" {
		t.Errorf("faults %q", got)
	}
	if n := tr.Nodes[1]; n.Len != MaxLine-1 || n.Flags&Cut == 0 || len(tr.Nodes) != 3 || tr.Nodes[2].Parent != 0 {
		t.Errorf("nodes %+v", tr.Nodes)
	}
	var deep strings.Builder
	for i := range MaxDepth + 2 {
		deep.WriteString(strings.Repeat(" ", i) + "a\n")
	}
	if got := faultNames(tr.Indent([]byte(deep.String()), cisco)); got != "129:2 statements nest too deeply" {
		t.Errorf("faults %q", got)
	}
	// marks that are missing must not be looked for from every banner again
	many := strings.Repeat("banner login \x01x\nbanner exec ^C x\nmacro name y\n", 200_000)
	tr.Indent([]byte(many), cisco)
}

func TestIndentAllocatesPerFileOnly(t *testing.T) {
	src := sampleIndent(200)
	var tr Tree
	tr.Indent(src, cisco)
	if n := testing.AllocsPerRun(10, func() { tr.Indent(src, cisco) }); n > 1 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzIndent(f *testing.F) {
	f.Add(sampleIndent(2))
	f.Add([]byte("banner motd ^C\n--More--\b x\n^C\r\n\t!\n certificate 1\n  aa\n quit\nmacro name x\n@"))
	f.Fuzz(func(t *testing.T, src []byte) {
		for _, o := range []Indentation{cisco, {Comments: "!#", Separators: true, Body: EOSText}, {}} {
			var tr Tree
			tr.Indent(src, o)
			checkIndent(t, &tr, src)
		}
	})
}

// checkIndent holds what every tree must keep: nodes lie in the source, in its order, one per line that has text, and
// parents come before and begin further left.
func checkIndent(t *testing.T, tr *Tree, src []byte) {
	t.Helper()
	lines := map[uint32]bool{}
	last := uint32(0)
	for i := range tr.Nodes {
		n := &tr.Nodes[i]
		if int(n.Off)+int(n.Len) > len(src) || n.Len == 0 || n.Off < last {
			t.Fatalf("node %d: %+v of %d bytes", i, n, len(src))
		}
		last = n.Off + n.Len
		if n.Parent != None && n.Parent >= int32(i) {
			t.Fatalf("node %d is below %d", i, n.Parent)
		}
		if lines[n.Line] {
			t.Fatalf("line %d has two nodes", n.Line)
		}
		lines[n.Line] = true
	}
	want := 0
	for line := range bytes.SplitSeq(bytes.TrimPrefix(src, []byte("\xef\xbb\xbf")), []byte("\n")) {
		if len(line) > MaxLine {
			return
		}
		if len(bytes.Trim(line, " \t\r\v\f\b\x00")) > 0 {
			want++
		}
	}
	if got := tr.Count().Total(); got != want {
		t.Fatalf("%d lines accounted for of %d", got, want)
	}
	seen := 0
	var walk func(i int32)
	walk = func(i int32) {
		for ; i != None; i = tr.Nodes[i].Next {
			seen++
			if tr.Nodes[i].Flags&Comment != 0 {
				t.Fatalf("comment %d is a child", i)
			}
			walk(tr.Nodes[i].First)
		}
	}
	walk(tr.First)
	for i := range tr.Nodes {
		if tr.Nodes[i].Flags&Comment != 0 {
			seen++
		}
	}
	if seen != len(tr.Nodes) {
		t.Fatalf("%d of %d nodes are reached", seen, len(tr.Nodes))
	}
}

// sampleIndent is n interfaces and lists in the shape of a router's configuration.
func sampleIndent(n int) []byte {
	var b bytes.Buffer
	b.WriteString("version 15.2\nbanner motd ^C\n   keep out\n^C\n!\n!\n")
	for i := range n {
		fmt.Fprintf(&b, "interface GigabitEthernet0/%d\n description link to the distribution switch %d\n ip address 10.%d.%d.1 255.255.255.0\n ip access-group in-%d in\n!\n", i, i, i/256%256, i%256, i)
		fmt.Fprintf(&b, "ip access-list extended in-%d\n permit tcp any host 192.0.2.%d eq 443\n deny   ip any any log\n!\n", i, i%256)
	}
	return b.Bytes()
}

func BenchmarkIndent(b *testing.B) {
	src := sampleIndent(20_000)
	var tr Tree
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		tr.Indent(src, cisco)
	}
	tr.MarkAll(tr.First, facts.Understood)
}
