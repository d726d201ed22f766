package sros

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// understoodShare is the share of lines that must be understood or irrelevant for a reason.
const understoodShare = 0.97

func formats() []facts.Format { return []facts.Format{Brace(), Flat(), Classic()} }

func TestCorpus(t *testing.T) {
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public configurations are not read")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "configs", "*", "*"))
	own := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f facts.Format
		var conf facts.Confidence
		for _, x := range formats() {
			if c := x.Detect(path, src[:min(len(src), 64<<10)]); c > conf {
				f, conf = x, c
			}
		}
		if filepath.Base(filepath.Dir(path)) != facts.NokiaSROS {
			if conf > facts.No {
				t.Errorf("%s: %s detects %d", path, f.Name, conf)
			}
			continue
		}
		own++
		if conf < facts.Strong {
			t.Errorf("%s: detected with %d", path, conf)
		}
		st := parsetest.Parse(t, f, path, src)
		for _, n := range st.Notes {
			t.Logf("%s: note %s", filepath.Base(path), n.Message)
		}
		d := st.Devices[0]
		l := d.Lines
		share := float64(l.Understood+l.Irrelevant) / float64(l.Total())
		t.Logf("%s: %s %.2f%% %+v", filepath.Base(path), f.Name, 100*share, l)
		for _, u := range d.Unread {
			t.Logf("%s: %q %s", u.State, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)], u.Reason)
		}
		if share < understoodShare {
			t.Errorf("%.4f, want %.2f", share, understoodShare)
		}
	}
	if own == 0 {
		t.Error("no configurations")
	}
}
