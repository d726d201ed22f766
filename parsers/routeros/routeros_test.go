package routeros

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

const dir = "../../fixtures/routeros"

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), dir, *update) }

func fixture(t testing.TB) string {
	t.Helper()
	a, err := txtar.ParseFile(filepath.Join(dir, "edge.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return string(a.Files[0].Data)
}

func TestKit(t *testing.T) {
	parsetest.Kit{Format: Format(), Filler: "# ", Samples: []parsetest.Sample{{
		Path: "edge.rsc", Text: fixture(t), Secrets: []string{"Harbour-7-Lamp", "Crane-9-Rope", "Wharf-9-Plank"},
	}}}.Run(t)
}

func device(t testing.TB, src string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, Format(), "edge.rsc", []byte(src))
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0]
}

// What a whole export does not say is at its default; a part of one says nothing about the rest.
func TestDefaults(t *testing.T) {
	services := func(src string) (out []string) {
		for _, s := range device(t, src).Services {
			out = append(out, fmt.Sprintf("%s %v %s", s.Name, s.Enabled.Val, s.Enabled.Origin))
		}
		return out
	}
	whole := services("# 2026-03-03 by RouterOS 7.16\n/ip service\nset ftp disabled=yes\n")
	want := []string{
		"ip service telnet true default", "ip service ftp false explicit", "ip service www true default", "ip service ssh true default", "ip service www-ssl false default",
	}
	if d := cmp.Diff(want, whole); d != "" {
		t.Errorf("whole (-want +got):\n%s", d)
	}
	if part := services("/ip service\nset ftp disabled=no\n"); len(part) != 1 || part[0] != "ip service ftp true explicit" {
		t.Errorf("a part: %v", part)
	}
}

func TestCommands(t *testing.T) {
	for _, c := range []struct{ name, src, path, verb, key, want string }{
		{"menu, then command", "/ip firewall filter\nadd chain=input\n", "ip firewall filter", "add", "chain", "input"},
		{"one line", "/ip firewall filter add chain=input\n", "ip firewall filter", "add", "chain", "input"},
		{"quoted", "/system note\nset note=\"a \\\"b\\\" \\$c\"\n", "system note", "set", "note", `a "b" $c`},
		{"goes on", "/a\nadd x=1 \\\n    y=2\n", "a", "add", "y", "2"},
		{"goes on inside a word", "/a\nadd x=on\\\n    e y=2\n", "a", "add", "x", "one"},
		{"goes on inside quotes", "/a\nadd x=\"one \\\n    two\"\n", "a", "add", "x", "one two"},
		{"brackets", "/a\nset [ find name=\"x y\" ] z=1\n", "a", "set", "z", "1"},
		{"an open quote", "/a\nadd x=\"one\nadd x=two\n", "a", "add", "x", "two"},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := read([]byte(c.src))
			last := all[len(all)-1]
			if last.path != c.path || last.verb != c.verb || last.text(c.key) != c.want {
				t.Errorf("path %q, verb %q, %s=%q of %+v", last.path, last.verb, c.key, last.text(c.key), last)
			}
		})
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       facts.Confidence
	}{
		{"export", "# 2026-03-03 02:00:01 by RouterOS 7.16.2\n", facts.Certain},
		{"pasted", "/ip address\nadd address=10.0.0.1/24 interface=ether1\n/ip firewall filter\nadd chain=input\n/system identity\nset name=x\n", facts.Certain},
		{"a part", "/ip firewall filter\nadd chain=input\n", facts.Strong},
		{"paths", "/usr/bin/x\n/etc/passwd\n", facts.No},
		{"another's", "hostname x\ninterface Gi0/1\n ip address 10.0.0.1 255.0.0.0\n", facts.No},
	} {
		if got := Format().Detect("x", []byte(c.text)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

func corpus(t *testing.T) []string {
	t.Helper()
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	files, err := filepath.Glob(filepath.Join(root, "configs", "mikrotik_routeros", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

// Of the public configurations nearly every line is accounted for, and each is told by its content.
func TestCorpus(t *testing.T) {
	var total facts.Lines
	for _, f := range corpus(t) {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if c := Format().Detect(f, src[:min(len(src), 8<<10)]); c < facts.Strong {
			t.Errorf("%s: detected with %d", filepath.Base(f), c)
		}
		d := device(t, string(src))
		total.Add(d.Lines)
		for _, u := range d.Unread {
			t.Logf("%s: %s %s", filepath.Base(f), u.State, u.Reason)
		}
	}
	if known := total.Understood + total.Irrelevant; known*100 < total.Total()*97 {
		t.Errorf("%d of %d lines", known, total.Total())
	}
}

// A transfer URL and a credential surface wherever they are put.
func TestPlantedSurfaces(t *testing.T) {
	for _, f := range corpus(t) {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		base := device(t, string(src))
		lines := strings.SplitAfter(string(src), "\n")
		for i := 1; i < len(lines); i++ {
			if strings.HasSuffix(strings.TrimSpace(lines[i-1]), `\`) || !strings.Contains(lines[i], "add ") {
				continue
			}
			path := ""
			if strings.HasPrefix(lines[i], "/") {
				path, _, _ = strings.Cut(lines[i], " add ")
				path += "\n"
			}
			text := strings.Join(lines[:i], "") + path + "set planted=\"tftp://198.51.100.7/x\" password=\"Wharf-9-Plank\"\n" + strings.Join(lines[i:], "")
			d := device(t, text)
			if len(d.Secrets) <= len(base.Secrets) {
				t.Errorf("%s:%d: the credential does not surface", filepath.Base(f), i+1)
			}
			if len(d.Unread) <= len(base.Unread) {
				t.Errorf("%s:%d: the URL does not surface: %s", filepath.Base(f), i+1, strings.TrimSpace(path))
			}
		}
	}
}

// Whatever the bytes, reading ends with one device whose spans lie inside them and whose lines are all accounted for.
func FuzzParse(f *testing.F) {
	f.Add([]byte(fixture(f)))
	f.Add([]byte("/a\nadd x=\"\\\n  \\\n\\\"y\" [ find \"z ] \\\n\n#\nset \\\n=\n/system script add source=\"password=\\\"x\\\"\""))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		d := device(t, string(src))
		lines := 0
		for line := range bytes.SplitSeq(src, []byte("\n")) {
			if len(bytes.TrimRight(bytes.TrimLeft(line, " \t\r\x00"), " \t\r\n\x00")) > 0 {
				lines++
			}
		}
		if n := d.Lines.Total(); n < lines-1 || n > lines {
			t.Errorf("%d lines accounted for of %d", n, lines)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var src strings.Builder
	src.WriteString("# 2026-03-03 by RouterOS 7.16\n/ip firewall filter\n")
	for i := range 8000 {
		fmt.Fprintf(&src, "add action=accept chain=forward comment=\"rule %d\" dst-address=192.0.2.%d dst-port=%d in-interface=ether%d protocol=tcp src-address=10.%d.%d.0/24\n", i, i%250, 20+i%5000, i%5, i/256, i%256)
	}
	f := parsetest.File("x", []byte(src.String()))
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := Format().Parse(b.Context(), evidence.Piece{File: f, To: f.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
