package strictyaml

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read asks for what the test file may hold.
func read(src string) (*Doc, map[string]any) {
	d := Parse("p.yaml", []byte(src))
	m := d.Root()
	out := map[string]any{
		"name": m.String("name"), "on": m.Bool("on"), "n": m.Int("n", 1, 10), "kind": m.Enum("kind", "", "alpha", "beta"),
		"size": m.Bytes("size"), "wait": m.Duration("wait"), "day": m.Date("day"), "list": m.Strings("list"), "nets": m.Prefixes("nets"),
	}
	for _, x := range m.Maps("items", "an item") {
		x.Need("id")
		x.Done()
	}
	m.Map("inner").Done()
	m.Done()
	return d, out
}

func TestValues(t *testing.T) {
	d, got := read("name: x\non: true\nn: 3\nkind: beta\nsize: 10MB\nwait: 7d\nday: 2027-01-31\nlist: [a, b]\nnets: [10.0.0.0/8, 192.0.2.1]\nitems:\n  - id: 1\n")
	if err := d.Err(); err != nil {
		t.Fatal(err)
	}
	if got["name"] != "x" || got["on"] != true || got["n"] != int64(3) || got["kind"] != "beta" || got["size"] != int64(10_000_000) || got["wait"] != 7*24*time.Hour {
		t.Errorf("got %v", got)
	}
	if s, _ := got["list"].([]string); len(s) != 2 {
		t.Errorf("list %v", got["list"])
	}
}

func TestEveryMistakeAtOnce(t *testing.T) {
	src := strings.Join([]string{
		`nam: x`,                // 1 unknown
		`on: yes`,               // 2
		`n: 11`,                 // 3
		`kind: betta`,           // 4
		`size: 10 stones`,       // 5
		`wait: soon`,            // 6
		`day: 31/01/2027`,       // 7
		`nets: [10.0.0.1/8, x]`, // 8 two
		`items:`,
		`  - {ident: 1}`, // 10 lacks id, unknown
		`inner: 3`,       // 11
		`on: false`,      // 12 twice
		`list: &a [b]`,   // 13 anchor
		`name: *a`,       // 14 alias
	}, "\n")
	d, _ := read(src)
	got := heads(d)
	want := []string{
		`p.yaml:1:1: unknown key "nam" in the file: did you mean "name"?`,
		`p.yaml:2:5: "on" must be true or false`,
		`p.yaml:3:4: "n" must be a whole number from 1 to 10`,
		`p.yaml:4:7: "kind" must be one of alpha, beta: did you mean "beta"?`,
		`p.yaml:5:7: "size" must be a number of bytes, such as 10MB or 64KiB`,
		`p.yaml:6:7: "wait" must be a time span, such as 90s, 24h or 7d`,
		`p.yaml:7:6: "day": "31/01/2027" is no date, such as 2027-01-31`,
		`p.yaml:8:8: "nets": "10.0.0.1/8" has host bits set: did you mean "10.0.0.0/8"?`,
		`p.yaml:8:20: "nets": "x" is no network, such as 10.0.0.0/8`,
		`p.yaml:10:5: an item lacks "id"`,
		`p.yaml:10:6: unknown key "ident" in an item`,
		`p.yaml:11:8: "inner" must be a mapping of keys to values`,
		`p.yaml:12:1: key "on" is here twice, first in line 2`,
		`p.yaml:13:7: anchors are not allowed: write the value out`,
		`p.yaml:14:7: aliases are not allowed: write the value out`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestCaret(t *testing.T) {
	d, _ := read("kind: gamma\n")
	want := "p.yaml:1:7: \"kind\" must be one of alpha, beta\n    1 | kind: gamma\n      |       ^"
	if got := d.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSyntax(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"tab", "a:\n\tb: 1\n", "p.yaml:2:1: this is not YAML: found character that cannot start any token"},
		{"unclosed", "a: [1, 2\n", "p.yaml:2:1: this is not YAML: did not find expected ',' or ']'"},
		{"colon in a value", "name: é b: c\n", "p.yaml:1:10: this is not YAML: mapping values are not allowed"},
		{"control character", "name: x\nkind: \x01\n", "p.yaml:2:7: this is not YAML: control characters"},
		{"Latin-1", "name: \xe9\n", "p.yaml: the file is not UTF-8 text"},
		{"carriage returns alone", "name: x\rkind: y\r", `p.yaml:2:7: "kind" must be one of alpha, beta`},
		{"large", strings.Repeat("#", MaxSize+1), "p.yaml: the file is larger than 1024 KiB"},
		{"list", "- a\n", "p.yaml:1:1: the file must be a mapping"},
		{"second document", "---\nname: x\n---\nname: y\n", "p.yaml:3:1: a second document begins here"},
		{"key that is a list", "? [a, b]\n: c\n", "p.yaml:1:3: a key must be one word"},
		{"merge key", "<<: {name: x}\n", "p.yaml:1:1: merge keys are not allowed"},
		{"tag", "name: !!str x\n", "p.yaml:1:7: tags are not allowed"},
		{"alias of nothing", "name: *x\n", "p.yaml:1:7: aliases are not allowed"},
		{"list of lists", "list: [a, [b]]\n", `p.yaml:1:11: "list" must be a text or a list of texts`},
		{"not a number", "n: .nan\n", `p.yaml:1:4: "n" must be a whole number`},
		{"carriage return", "name: x\r\nkind: y\r\n", `p.yaml:2:7: "kind" must be one of alpha, beta`},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, _ := read(c.src)
			if err := d.Err(); err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("%v, want it to begin with %q", err, c.want)
			}
		})
	}
}

func TestNothing(t *testing.T) {
	for _, src := range []string{"", "\n", "# a comment\n", "---\n", "name:\nlist:\nitems:\ninner:\n"} {
		d, got := read(src)
		if err := d.Err(); err != nil {
			t.Errorf("%q: %v", src, err)
		}
		if got["name"] != "" || len(got["list"].([]string)) != 0 {
			t.Errorf("%q: %v", src, got)
		}
	}
}

func TestDatesStayText(t *testing.T) {
	m := Parse("p.yaml", []byte("a: 2027-01-31\nb: no\nc: 1e3\nd: 0x10\ne: 2027-01-31T10:00:00+02:00\nf: 0.5\ng: .nan\n")).Root()
	var got []string
	for _, k := range m.Keys() {
		got = append(got, m.String(k))
	}
	want := []string{"2027-01-31", "no", "1e3", "0x10", "2027-01-31T10:00:00+02:00", "0.5", ".nan"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if at := m.Time("e"); !at.Equal(time.Date(2027, 1, 31, 8, 0, 0, 0, time.UTC)) || at.Location() != time.UTC {
		t.Errorf("time %v", at)
	}
	if f := m.Float("f", 0, 1); f != 0.5 {
		t.Errorf("float %v", f)
	}
	m.Float("g", 0, 1)
	m.Time("a")
	want = []string{
		`p.yaml:1:4: "a": "2027-01-31" is no time, such as 2027-01-31T08:00:00Z`,
		`p.yaml:7:4: "g" must be a number from 0 to 1`,
	}
	if diff := cmp.Diff(want, heads(m.d)); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func heads(d *Doc) []string {
	var out []string
	for _, e := range d.Errors() {
		head, _, _ := strings.Cut(e.Error(), "\n")
		out = append(out, head)
	}
	return out
}

// A file that may hold secrets: whatever is wrong with it, the value is in no message.
func TestGuarded(t *testing.T) {
	const secret = "Hunter2"
	for _, c := range []struct{ name, src, want string }{
		{"unknown key", "passwrd: Hunter2\n", `unknown key "passwrd"`},
		{"beside another mistake", "{kind: gamma, passwrd: Hunter2, n: 99}\n", `"n" must be a whole number`},
		{"twice", "name: x\nname: Hunter2\n", "is here twice"},
		{"over lines", "passwrd: 'Hunter2\n  Hunter2'\nn: 99\n", "whole number"},
		{"over lines in braces", "{passwrd: 'ab\n  Hunter2', n: 99}\n", "whole number"},
		{"escaped", `{passwrd: "Hunter2\x22", n: 99}`, "whole number"},
		{"nested", "extra: {a: {b: Hunter2}, c: [Hunter2]}\n", `unknown key "extra"`},
		{"mapping where none belongs", "inner: Hunter2\n", "must be a mapping"},
		{"hidden by the caller", "{kind: Hunter2, n: 99}\n", "whole number"},
		{"no YAML", "kind: Hunter2: x\n", "this is not YAML"},
		{"no YAML, list", "items: [{kind: Hunter2, : }, Hunter2\n", "this is not YAML"},
		{"anchored", "passwrd: &a Hunter2\n", "anchors"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := ParseWith("p.yaml", []byte(c.src), Options{Guarded: true})
			m := d.Root()
			m.Hide("kind")
			m.Enum("kind", "", "alpha")
			m.String("name")
			m.Int("n", 0, 10)
			m.Map("inner").Done()
			m.Done()
			err := d.Err()
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), secret) {
				t.Errorf("%v, want %q in it and not the secret", err, c.want)
			}
		})
	}
	d := ParseWith("p.yaml", []byte("{passwrd: Hunter2, n: 99}\n"), Options{Guarded: true})
	m := d.Root()
	m.Int("n", 0, 10)
	m.Done()
	want := "p.yaml:1:23: \"n\" must be a whole number from 0 to 10\n    1 | {passwrd: ********n: 99}\n      |                      ^"
	if got := d.Errors()[1].Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A source line of a megabyte is shown around its mistake.
func TestLongLine(t *testing.T) {
	d, _ := read("list: [" + strings.Repeat("abcdefghi, ", 50_000) + "[x]]\n")
	err := d.Err()
	if err == nil || len(err.Error()) > 1000 || !strings.Contains(err.Error(), "[x]") {
		t.Errorf("%d bytes of error", len(err.Error()))
	}
}

// Ten thousand names under one key are read in linear time: about 40 ms here.
func BenchmarkNames(b *testing.B) {
	var src strings.Builder
	src.WriteString("names:\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "  device-%05d: {address: 192.0.2.1, role: switch}\n", i)
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		d := Parse("p.yaml", []byte(src.String()))
		all := d.Root().Map("names")
		for _, k := range all.Keys() {
			m := all.Map(k)
			m.String("address")
			m.String("role")
			m.Done()
		}
		all.Done()
		if err := d.Err(); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: x\nitems: [{id: 1}]\n")
	f.Add("a: &x [*x]\n")
	f.Add("---\na: 1\n---\n")
	f.Add("? [a]\n: {<<: x, y: !!int 3}\n\x00")
	f.Fuzz(func(t *testing.T, src string) {
		for _, o := range []Options{{}, {Guarded: true}} {
			d := ParseWith("p.yaml", []byte(src), o)
			walk(d.Root(), 0)
			last := Pos{}
			for _, e := range d.Errors() {
				if e.Line < 0 || e.Line > len(lines([]byte(src))) || e.Line > 0 && e.Column < 1 || e.Pos.before(last) {
					t.Fatalf("%q: a mistake at %v after %v", src, e.Pos, last)
				}
				last = e.Pos
				if s := e.Error(); !strings.HasPrefix(s, "p.yaml:") {
					t.Fatalf("%q: %q", src, s)
				}
			}
		}
	})
}

// walk asks a mapping for everything in every way.
func walk(m *Map, depth int) {
	if depth > 50 {
		return
	}
	m.Hide("name")
	_, _, _, _, _ = m.String("name"), m.Bool("on"), m.Int("n", 1, 10), m.Bytes("size"), m.Date("day")
	m.Prefixes("nets")
	for _, x := range m.Maps("items", "an item") {
		walk(x, depth+1)
	}
	m.Done()
	for _, k := range m.Keys() {
		if m.IsMap(k) {
			walk(m.Map(k), depth+1)
		}
	}
}
