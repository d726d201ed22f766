package strictyaml

import (
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
	var got []string
	for _, e := range d.Errors() {
		head, _, _ := strings.Cut(e.Error(), "\n")
		got = append(got, head)
	}
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
		`p.yaml:14:7: "name" must be one value`,
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
		{"tab", "a:\n\tb: 1\n", "p.yaml:2:1: this is not YAML"},
		{"unclosed", "a: [1, 2\n", "this is not YAML"},
		{"large", strings.Repeat("#", MaxSize+1), "larger than"},
		{"list", "- a\n", "the file must be a mapping"},
	} {
		d, _ := read(c.src)
		if err := d.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", c.name, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("name: x\nitems: [{id: 1}]\n")
	f.Add("a: &x [*x]\n")
	f.Fuzz(func(_ *testing.T, src string) {
		d, _ := read(src)
		_ = d.Err()
	})
}
