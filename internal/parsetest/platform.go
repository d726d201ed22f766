package parsetest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A Platform is a reader of configurations written in lines and blocks, and what it is tested with: fixtures whose facts are
// written beside them, the conformance kit over them, and the public configurations of its platform.
type Platform struct {
	Format facts.Format
	// Dir holds the fixtures; secrets planted in them begin with S3cr3t.
	Dir string
	// Root is where the public input is, empty when it is not there; Corpus the folder of its configurations.
	Root, Corpus string
	// Except are files of the folder that are of another platform, or of none.
	Except []string
	// Known is the least part of the corpus' lines that is understood or irrelevant, in percent.
	Known int
	Kit   Kit
	// URL, Filter and Secret are statements that must surface wherever they are planted: a transfer URL, the application of
	// a filter, a credential with S3cr3tPlanted in it. An empty one is not planted.
	URL, Filter, Secret string
	// Skip tells the lines before which nothing is planted: inside texts and certificates. May be nil.
	Skip func(line string) bool
}

var plantedSecret = regexp.MustCompile(`S3cr3t[A-Za-z0-9]*`)

// Run tests a platform.
func (p Platform) Run(t *testing.T, update bool) {
	t.Run("golden", func(t *testing.T) { Golden(t, p.Format, p.Dir, update) })
	t.Run("kit", p.kit)
	t.Run("corpus", p.corpus)
	t.Run("planted", p.planted)
}

// Samples are the inputs of the fixtures.
func (p Platform) Samples(t testing.TB) []Sample {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(p.Dir, "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures in %s: %v", p.Dir, err)
	}
	var out []Sample
	for _, path := range files {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text := string(Unescape(ar.Files[0].Data))
		secrets := plantedSecret.FindAllString(text, -1)
		slices.Sort(secrets)
		out = append(out, Sample{Path: ar.Files[0].Name, Text: text, Secrets: slices.Compact(secrets)})
	}
	return out
}

func (p Platform) kit(t *testing.T) {
	k := p.Kit
	k.Format, k.Samples = p.Format, p.Samples(t)
	k.Run(t)
}

func (p Platform) public(t *testing.T) map[string][]byte {
	t.Helper()
	root := p.Root
	if p.Corpus == "" {
		t.Skip("there is no public configuration of this platform")
	}
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	out := map[string][]byte{}
	files, err := filepath.Glob(filepath.Join(root, "configs", p.Corpus, "*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no configurations of %s: %v", p.Corpus, err)
	}
	for _, f := range files {
		if slices.Contains(p.Except, filepath.Base(f)) {
			continue
		}
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.Base(f)] = src
	}
	return out
}

// corpus reads the public configurations: each is told by its content, and nearly every line is accounted for.
func (p Platform) corpus(t *testing.T) {
	var total facts.Lines
	unread := map[string]int{}
	for name, src := range p.public(t) {
		if c := p.Format.Detect(name, src[:min(len(src), 64<<10)]); c < facts.Strong {
			t.Errorf("%s is detected with %d", name, c)
		}
		st := Parse(t, p.Format, name, src)
		for _, d := range st.Devices {
			total.Add(d.Lines)
			for _, u := range d.Unread {
				at := u.Span.Pos.Off()
				unread[u.State.String()+": "+strings.TrimSpace(string(src[at:at+int64(u.Span.Len)]))]++
			}
		}
	}
	if known := total.Understood + total.Irrelevant; known*100 < total.Total()*p.Known {
		t.Errorf("%d of %d lines are understood or irrelevant", known, total.Total())
	}
	t.Logf("%d understood, %d irrelevant, %d unsupported, %d unrecognised", total.Understood, total.Irrelevant, total.Unsupported, total.Unrecognised)
	if testing.Verbose() {
		for text, n := range unread {
			t.Logf("%4d %.140s", n, text)
		}
	}
}

// planted puts statements into every block of every public configuration; each must surface as a fact or an unread line.
func (p Platform) planted(t *testing.T) {
	places := 0
	for name, src := range p.public(t) {
		lines := bytes.SplitAfter(src, []byte("\n"))
		base := Parse(t, p.Format, name, src)
		if len(base.Devices) != 1 {
			continue
		}
		step := max(1, len(lines)/50)
		for i := 1; i < len(lines); i += step {
			if text := string(lines[i]); strings.TrimSpace(text) == "" || p.Skip != nil && p.Skip(text) {
				continue
			}
			indent := lines[i][:len(lines[i])-len(bytes.TrimLeft(lines[i], " \t"))]
			for what, statement := range map[string]string{"URL": p.URL, "filter": p.Filter, "secret": p.Secret} {
				if statement == "" {
					continue
				}
				var text []byte
				text = append(text, bytes.Join(lines[:i], nil)...)
				text = append(append(append(text, indent...), statement...), '\n')
				text = append(text, bytes.Join(lines[i:], nil)...)
				places++
				if st := Parse(t, p.Format, name, text); !surfaces(base, st, what) {
					t.Errorf("%s:%d: the planted %s does not surface before %q", name, i+1, what, strings.TrimSpace(string(lines[i])))
				}
			}
		}
	}
	if places < 50 {
		t.Errorf("only %d places", places)
	}
}

// surfaces reports whether a file with a planted statement states more than without.
func surfaces(base, st *Stated, what string) bool {
	if len(st.Devices) != 1 {
		return false
	}
	a, b := base.Devices[0], st.Devices[0]
	if what == "secret" {
		return len(b.Secrets) > len(a.Secrets)
	}
	bindings := func(d *facts.Device) int {
		n := len(d.Bindings) + len(d.References)
		for i := range d.Interfaces {
			n += len(d.Interfaces[i].Bindings)
		}
		return n
	}
	return len(b.Unread) > len(a.Unread) || len(b.Clients) > len(a.Clients) || bindings(b) > bindings(a)
}

// Fuzz parses any bytes: reading ends, spans lie inside, and every line that holds more than blanks is accounted for once.
func (p Platform) Fuzz(f *testing.F) {
	for _, s := range p.Samples(f) {
		f.Add([]byte(s.Text))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		p.Format.Detect("x", src[:min(len(src), 64<<10)])
		Parse(t, p.Format, "x", src)
	})
}

// Bench parses the fixtures, repeated to a mebibyte.
func (p Platform) Bench(b *testing.B) {
	var src bytes.Buffer
	for src.Len() < 1<<20 {
		for _, s := range p.Samples(b) {
			src.WriteString(s.Text)
		}
	}
	file := File("x", src.Bytes())
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		if err := p.Format.Parse(b.Context(), evidence.Piece{File: file, To: file.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}
