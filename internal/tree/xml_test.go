package tree

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
)

func TestXML(t *testing.T) {
	panos := Markup{Entry: "entry", Name: "name", Member: "member", Merge: true}
	tests := []struct {
		name   string
		markup Markup
		in     string
		want   string
		faults string
	}{
		{
			name: "entries and members are words", markup: panos,
			in:   "<?xml version=\"1.0\"?>\n<zone>\n  <entry name=\"in side\">\n    <network>\n      <layer3>\n        <member>e1</member>\n        <member>e2</member>\n      </layer3>\n    </network>\n  </entry>\n</zone>\n",
			want: "zone in side network layer3 e1\nzone in side network layer3 e2\n",
		},
		{
			name: "equal words are one node", markup: panos,
			in: `<a><entry name="x"><b>1</b></entry></a><a><entry name='x' uuid="7"><c/></entry></a>`, want: "a x b 1\na x c\n",
		},
		{
			name: "equal elements are several", markup: Markup{},
			in: "<filter><rule><type>pass</type></rule><rule><type>block</type></rule></filter>", want: "filter rule type pass\nfilter rule type block\n",
		},
		{name: "empty elements", markup: panos, in: "<a><b/><c ></c ><entry name=\"\"/><entry/><member/></a>", want: "a b\na c\na \na entry\n"},
		{name: "text of several lines", markup: panos, in: "<a>\n one\n  two\n</a>", want: "a one\n  two\n"},
		{name: "sections as they stand, and a less-than", markup: panos, in: "<a><![CDATA[x < y]]></a><b>1 < 2</b>", want: "a x < y\nb 1 < 2\n"},
		{name: "comments and types", markup: panos, in: "<!DOCTYPE a [ <!ENTITY b \">\"> ]><a><!-- <b> --><c>1</c></a>", want: "a c 1\n"},
		{name: "no entity is defined", markup: panos, in: "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>", want: "a &b;\n"},
		{name: "an end tag is missing", markup: panos, in: "<a>\n<b>1\n</a>\n<c>2</c>", want: "a b 1\nc 2\n", faults: "2:1 a block is not closed"},
		{name: "an end tag too many", markup: panos, in: "<a>1</a></b>\n<c>2</c>", want: "a 1\nc 2\n", faults: "1:1 a closing brace has no block"},
		{name: "cut in an element", markup: panos, in: "<a><b>12", want: "a b 12\n", faults: "1:2 a block is not closed"},
		{name: "cut in a tag", markup: panos, in: "<a><b>12</b", want: "a b 12\n", faults: "1:2 a block is not closed"},
		{name: "cut in an attribute", markup: panos, in: "<a><entry name=\"x", want: "a x\n", faults: "1:1 a quote is not closed; 1:3 a block is not closed"},
		{name: "lines outside", markup: panos, in: "admin@fw> show\n<a>1</a>\nadmin@fw>\n", want: "a 1\n"},
		{
			name: "too deep", markup: Markup{}, in: strings.Repeat("<a>", MaxDepth+2) + "x" + strings.Repeat("</a>", MaxDepth+2) + "<b/>",
			want: strings.TrimSpace(strings.Repeat("a ", MaxDepth)) + "\nb\n", faults: "1:2 statements nest too deeply",
		},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			var tree Tree
			faults := tree.XML([]byte(c.in), c.markup)
			if diff := cmp.Diff(c.want, dump(&tree)); diff != "" {
				t.Errorf("tree (-want +got):\n%s", diff)
			}
			if got := faultNames(faults); got != c.faults {
				t.Errorf("faults = %q, want %q", got, c.faults)
			}
			sane(t, &tree)
		})
	}
}

func TestXMLStatements(t *testing.T) {
	src := "<config version=\"10.1.0\" urldb=\"x\">\n  <entry name=\"r1\" uuid='7'>\n    <to><member>z&amp;1</member></to>\n  </entry>\n</config>\n"
	var tree Tree
	if faults := tree.XML([]byte(src), Markup{Entry: "entry", Name: "name", Member: "member", Merge: true}); len(faults) > 0 {
		t.Fatal(faultNames(faults))
	}
	root := tree.Child(None, "config")
	if v, ok := tree.Attr(root, "version"); !ok || string(v) != "10.1.0" {
		t.Errorf("version = %q, %v", v, ok)
	}
	if v, ok := tree.Attr(root, "urldb"); !ok || string(v) != "x" {
		t.Errorf("urldb = %q, %v", v, ok)
	}
	if v, ok := tree.Attr(root, "vers"); ok {
		t.Errorf("an attribute that is not there is %q", v)
	}
	r1 := tree.Child(root, "r1")
	if v, ok := tree.Attr(r1, "uuid"); !ok || string(v) != "7" {
		t.Errorf("uuid = %q, %v", v, ok)
	}
	zone := tree.Nodes[tree.Child(r1, "to")].First
	if got := string(Unescape(tree.Text(zone))); got != "z&1" {
		t.Errorf("zone = %q", got)
	}
	for _, c := range []struct {
		node int32
		want string
	}{{root, "<config"}, {r1, `<entry name="r1"`}, {zone, "<member>z&amp;1"}} {
		off, n := tree.Statement(c.node)
		if got := src[off : off+n]; got != c.want {
			t.Errorf("statement = %q, want %q", got, c.want)
		}
	}
	// Two of the five lines are closing tags; nobody marked anything.
	tree.MarkAll(root, facts.Understood)
	if got, want := tree.Lines(func(int32, facts.LineState) {}), (facts.Lines{Understood: 5}); got != want {
		t.Errorf("lines = %+v, want %+v", got, want)
	}
}

func TestUnescape(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"none", "a b", "a b"},
		{"the five", "&lt;&gt;&amp;&quot;&apos;", `<>&"'`},
		{"numbers", "&#65;&#x42;&#x20AC;", "AB€"},
		{"no references", "a & b; &nbsp; &#xZZ; &#; &amp", "a & b; &nbsp; &#xZZ; &#; &amp"},
	} {
		if got := string(Unescape([]byte(c.in))); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestSetsRunOn(t *testing.T) {
	syntax := Syntax{Runs: true}
	var tree Tree
	_, faults := tree.Sets([]byte("set a \"one\ntwo\nthree\" b\nset c 12\"\nset d \"open\nset e f\nset g \"a \"b\"\" h\n"), syntax)
	if diff := cmp.Diff("a one\ntwo\nthree b\nc 12\"\nd open\ne f\ng a \"b\" h\n", dump(&tree)); diff != "" {
		t.Errorf("tree (-want +got):\n%s", diff)
	}
	if got, want := faultNames(faults), "5:1 a quote is not closed"; got != want {
		t.Errorf("faults = %q, want %q", got, want)
	}
	sane(t, &tree)
}

// texts are the names and texts of a document as encoding/xml reads it, in order; false when it is none.
func texts(src []byte) ([]string, bool) {
	var out []string
	d := xml.NewDecoder(bytes.NewReader(src))
	for {
		tok, err := d.RawToken()
		if errors.Is(err, io.EOF) {
			return out, true
		}
		if err != nil {
			return nil, false
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if tok.Name.Space != "" {
				return nil, false
			}
			out = append(out, "<"+tok.Name.Local)
		case xml.CharData:
			if s := strings.Trim(string(tok), " \t\r\n"); s != "" {
				out = append(out, s)
			}
		}
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{
		"<a><entry name=\"x\"><member>1</member></entry></a>", "<a b='c' d>1</a>", "<a", "</a>", "<a></b></a>", "<!-- x", "<![CDATA[ x",
		"<?xml version='1.0'?>\n<a>\n x &amp; y\n</a>\n", "<!DOCTYPE a [<!ENTITY x \">\">]><a/>", "x < y > z", "<a><member/></a><entry name=", "<member>1</member>",
		"<a>&#65; <b/>c</a>",
	} {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, src []byte, entries bool) {
		var tree Tree
		m := Markup{}
		if entries {
			m = Markup{Entry: "entry", Name: "name", Member: "member", Merge: true}
		}
		faults := tree.XML(src, m)
		sane(t, &tree)
		if entries || len(faults) > 0 || bytes.Contains(src, []byte("<!")) || bytes.Contains(src, []byte("]]>")) || bytes.IndexByte(src, 127) >= 0 {
			return // a control is a blank here
		}
		want, ok := texts(src)
		if !ok {
			return
		}
		var got []string
		var walk func(i int32)
		walk = func(i int32) {
			for ; i != None; i = tree.Nodes[i].Next {
				n := &tree.Nodes[i]
				if n.Off > 0 && tree.Source[n.Off-1] == '<' {
					got = append(got, "<"+string(tree.Text(i)))
				} else if s := strings.Trim(string(Unescape(tree.Text(i))), " \t\r\n"); s != "" {
					got = append(got, strings.ReplaceAll(s, "\r\n", "\n"))
				}
				walk(n.First)
			}
		}
		walk(tree.First)
		if tree.First == None || len(tree.Nodes) > 0 && tree.Nodes[0].Flags&Comment == 0 && tree.First != 0 {
			return // text outside every element
		}
		for i := range tree.Nodes {
			if n := &tree.Nodes[i]; n.Parent == None && n.Flags&(Comment|Attribute) == 0 && (n.Off == 0 || src[n.Off-1] != '<') {
				return // text outside every element
			}
		}
		for i := range want {
			want[i] = strings.ReplaceAll(want[i], "\r", "\n")
		}
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], "\r", "\n")
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("encoding/xml reads otherwise (-want +got):\n%s", diff)
		}
	})
}

func BenchmarkXML(b *testing.B) {
	var t Tree
	t.Braces(benchBraces(5000), Syntax{Tags: true})
	src := asXML(&t)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		t.XML(src, Markup{Entry: "entry", Name: "name", Member: "member", Merge: true})
	}
}

// asXML writes a tree the way PAN-OS writes configurations.
func asXML(t *Tree) []byte {
	var out bytes.Buffer
	var walk func(i int32, indent string)
	walk = func(i int32, indent string) {
		for ; i != None; i = t.Nodes[i].Next {
			w := bytes.ReplaceAll(t.Text(i), []byte("<"), []byte("&lt;"))
			n := &t.Nodes[i]
			if n.First == None {
				out.WriteString(indent + "<member>" + string(w) + "</member>\n")
				continue
			}
			out.WriteString(indent + "<entry name=\"" + string(w) + "\">\n")
			walk(n.First, indent+"  ")
			out.WriteString(indent + "</entry>\n")
		}
	}
	walk(t.First, "")
	return out.Bytes()
}
