package fortios

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

const dir = "../../fixtures/fortios"

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), dir, *update) }

func fixture(t testing.TB) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(dir, "branch.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Format(), Filler: "# ", Samples: []parsetest.Sample{{
		Path: "branch.conf", Text: fixture(t), Secrets: []string{"SH2Wharf7Lamp=", "Harbour-7-Lamp", "Crane-9-Rope", "QWharf==", "VWharf==", "MIIWharfWharf"},
	}}}.Run(t)
}

func device(t testing.TB, src string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, Format(), "fw.conf", []byte(src))
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0]
}

// With VDOMs every name is of its own, and the same name twice is two things.
func TestVDOMs(t *testing.T) {
	d := device(t, `config vdom
edit root
next
edit dmz
next
end
config global
config system global
set hostname fw
end
config system interface
edit port1
set vdom root
set ip 10.0.0.1/24
next
edit port2
set vdom dmz
next
end
end
config vdom
edit root
config firewall address
edit h
set subnet 10.0.0.1/32
next
end
config firewall policy
edit 1
set action accept
set srcaddr h
next
end
next
edit dmz
config firewall policy
edit 1
set srcaddr all
next
end
end
`)
	var got []string
	for _, x := range d.Interfaces {
		got = append(got, x.Name+" of "+x.Scope)
	}
	for _, f := range d.Filters {
		got = append(got, fmt.Sprintf("%s of %s: %s", f.Name, f.Scope, f.Rules[0].Action))
	}
	for _, b := range d.Bindings {
		got = append(got, b.Where+" of "+b.Scope)
	}
	want := []string{"port1 of root", "port2 of dmz", "policy of root: permit", "policy of dmz: deny", "transit of root", "transit of dmz"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if d.Hostname.Val != "fw" || d.Lines.Unrecognised > 0 {
		t.Errorf("hostname %q, lines %+v, %v", d.Hostname.Val, d.Lines, d.Unread)
	}
}

// Where there are policies for IPv6 of their own, the others are about IPv4.
func TestPolicy6(t *testing.T) {
	d := device(t, "config system global\nset hostname x\nend\nconfig firewall policy\nedit 1\nset action accept\nset srcaddr all\nnext\nend\nconfig firewall policy6\nedit 1\nset action accept\nset srcaddr all\nnext\nend\n")
	if len(d.Filters) != 2 || d.Filters[0].Family != facts.IPv4 || d.Filters[1].Family != facts.IPv6 || d.Filters[1].Rules[0].Match.Src.Items[0].Group != "ipv6 all" {
		t.Errorf("filters %+v", d.Filters)
	}
}

func TestQuotes(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string // words behind the key
		lines     int
	}{
		{"plain", "set a b c\n", []string{"b", "c"}, 1},
		{"quoted", `set a "b c" 'd "e'` + "\n", []string{"b c", `d "e`}, 1},
		{"escaped", `set a "b \"c\" \\"` + "\n", []string{`b "c" \`}, 1},
		{"over lines", "set a \"b\n\nc\" d\nnext\n", []string{"b\n\nc", "d"}, 2},
		{"without an end", "set a \"b c\nset d e\n", []string{"b c"}, 1},
		{"empty", "set a \"\"\n", []string{""}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			n := read([]byte(c.src)).root.kids[0]
			var got []string
			for _, w := range n.words {
				got = append(got, w.text)
			}
			if d := cmp.Diff(c.want, got); d != "" || n.lines != c.lines || n.key != "a" {
				t.Errorf("key %q, %d lines, words (-want +got):\n%s", n.key, n.lines, d)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       facts.Confidence
	}{
		{"backup", "#config-version=FGVM64-7.0.1-FW-build0157-210714:opmode=0:vdom=0:user=admin\n", facts.Certain},
		{"two blocks", "config system global\n    set hostname x\nend\nconfig system interface\n    edit a\n", facts.Certain},
		{"a part", "config firewall policy\n    edit 1\n    next\nend\n", facts.Strong},
		{"another's", "config t\ninterface Gi0/1\nend\n", facts.No},
		{"RouterOS", "/ip firewall filter\nadd chain=input\n", facts.No},
	} {
		if got := Format().Detect("x", []byte(c.text)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Of the public configurations nearly every line is accounted for, and each is told by its content.
func TestCorpus(t *testing.T) {
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	files, err := filepath.Glob(filepath.Join(root, "configs", "fortinet_fortios", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	var total facts.Lines
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if c := Format().Detect(f, src[:min(len(src), 64<<10)]); c < facts.Strong {
			t.Errorf("%s: detected with %d", filepath.Base(f), c)
		}
		total.Add(device(t, string(src)).Lines)
	}
	if known := total.Understood + total.Irrelevant; known*1000 < total.Total()*995 {
		t.Errorf("%d of %d lines", known, total.Total())
	}
}

// A transfer URL and a credential surface wherever they are put, in every irrelevant block of every public configuration.
func TestPlantedSurfaces(t *testing.T) {
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	files, _ := filepath.Glob(filepath.Join(root, "configs", "fortinet_fortios", "*"))
	planted := 0
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		base := device(t, string(src))
		lines := strings.SplitAfter(string(src), "\n")
		step := max(1, len(lines)/60)
		for i := 0; i < len(lines); i += step {
			if !strings.HasPrefix(strings.TrimSpace(lines[i]), "set ") || strings.Count(lines[i], `"`)%2 == 1 {
				continue
			}
			text := strings.Join(lines[:i], "") + "set planted \"tftp://198.51.100.7/x\"\nset psksecret \"Wharf-9-Plank\"\n" + strings.Join(lines[i:], "")
			d := device(t, text)
			planted++
			if len(d.Secrets) <= len(base.Secrets) {
				t.Errorf("%s:%d: the credential does not surface", filepath.Base(f), i+1)
			}
			if len(d.Unread) <= len(base.Unread) {
				t.Errorf("%s:%d: the URL does not surface", filepath.Base(f), i+1)
			}
		}
	}
	if planted < 200 {
		t.Errorf("only %d places", planted)
	}
}

// Whatever the bytes, reading ends with one device whose spans lie inside them and whose lines are all accounted for.
func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f)))
	f.Add([]byte("config a\nedit \"x\n\nend\nset b \"c\n\n\" d\nnext\nnext\nend\nconfig system auto-script\nedit 1\nset script \"\n execute backup config tftp x y\n\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		d := device(t, string(src))
		lines := 0
		for line := range bytes.SplitSeq(src, []byte("\n")) {
			if len(bytes.TrimRight(bytes.TrimLeft(line, " \t"), " \t\r\n\x00")) > 0 {
				lines++
			}
		}
		if d.Lines.Total() != lines {
			t.Errorf("%d lines accounted for of %d", d.Lines.Total(), lines)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var src strings.Builder
	src.WriteString("config system global\n    set hostname \"x\"\nend\nconfig firewall address\n")
	for i := range 3000 {
		fmt.Fprintf(&src, "    edit \"host-%d\"\n        set subnet 10.%d.%d.0 255.255.255.0\n    next\n", i, i/256, i%256)
	}
	src.WriteString("end\nconfig firewall policy\n")
	for i := range 3000 {
		fmt.Fprintf(&src, "    edit %d\n        set srcintf \"port1\"\n        set dstintf \"port2\"\n        set action accept\n        set srcaddr \"host-%d\"\n        set dstaddr \"all\"\n        set schedule \"always\"\n        set service \"HTTPS\" \"FTP\"\n        set logtraffic all\n    next\n", i, i)
	}
	src.WriteString("end\n")
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	f := parsetest.File("x", []byte(src.String()))
	for b.Loop() {
		if err := Format().Parse(b.Context(), evidence.Piece{File: f, To: f.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
