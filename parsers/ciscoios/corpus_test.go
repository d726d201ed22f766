package ciscoios

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// corpus is the folder of public configurations; the test is skipped without it.
func corpus(t *testing.T) string {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS does not name the folder of public configurations")
	}
	return dir
}

// enough is how many lines in a hundred of public configurations must be understood or known to be irrelevant.
const enough = 97

func TestCorpus(t *testing.T) {
	dir := corpus(t)
	var files []string
	for _, glob := range []string{"configs/cisco_ios/*", "acl/ios/*", "acl/lab-real/*ios*", "acl/notebook/firewall*.cfg", "acl/example/*.cfg"} {
		more, err := filepath.Glob(filepath.Join(dir, glob))
		if err != nil || len(more) == 0 {
			t.Fatalf("%s: no files, %v", glob, err)
		}
		files = append(files, more...)
	}
	var sum facts.Lines
	var left []string
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		want := facts.Likely
		if strings.HasSuffix(path, "batfish__cisco_acl") {
			want = facts.Possible // half of it is of an ASA
		}
		if got := Detect(path, src[:min(len(src), 64<<10)]); got < want {
			t.Errorf("%s: Detect = %d", filepath.Base(path), got)
		}
		st := parsetest.Parse(t, Format(), path, src)
		for _, d := range st.Devices {
			sum.Add(d.Lines)
			for _, u := range d.Unread {
				text := src[u.Span.Pos.Off() : u.Span.Pos.Off()+int64(u.Span.Len)]
				left = append(left, fmt.Sprintf("%s: %v %s %q %s", filepath.Base(path), u.State, u.Transfer, text, u.Reason))
			}
		}
	}
	known := 100 * float64(sum.Understood+sum.Irrelevant) / float64(sum.Total())
	t.Logf("%d files, %+v, %.2f %% accounted for", len(files), sum, known)
	if known < enough || testing.Verbose() {
		t.Logf("not understood:\n%s", strings.Join(left, "\n"))
	}
	if known < enough {
		t.Errorf("%.2f %% of the lines are understood or irrelevant, want %d", known, enough)
	}
}

// TestCorpusNothingLost: no line that names a transfer protocol may be irrelevant but by the table of look-alikes.
func TestCorpusNothingLost(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(corpus(t), "configs/cisco_ios/*"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tr := markTree(t, path, src)
		for i := range tr.Nodes {
			n := &tr.Nodes[i]
			if n.State != facts.Irrelevant || n.Flags != 0 && n.Flags&rawOrComment != 0 {
				continue
			}
			if text := tr.Text(int32(i)); transferwords.Find(text) != "" && lookAlike(text) == "" {
				t.Errorf("%s:%d: irrelevant and no look-alike: %s", filepath.Base(path), n.Line, text)
			}
		}
	}
}

// TestCorpusOthers: configurations of other platforms are theirs.
func TestCorpusOthers(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(corpus(t), "configs/*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no folders: %v", err)
	}
	for _, d := range dirs {
		if strings.HasSuffix(d, "cisco_ios") || strings.HasSuffix(d, "SOURCES.tsv") {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(d, "*"))
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				continue
			}
			if got := Detect(path, src[:min(len(src), 64<<10)]); got >= facts.Likely {
				t.Errorf("%s/%s: Detect = %d", filepath.Base(d), filepath.Base(path), got)
			}
		}
	}
}
