package parsetest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// Public reads the public configurations below root, those of all platforms, with the formats of one. Files in the folder of
// that platform are told by their content, and the given share of their lines is understood or irrelevant for a reason; no
// other file is taken for one.
func Public(t *testing.T, root, platform string, share float64, formats []facts.Format) {
	t.Helper()
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public configurations are not read")
	}
	files, _ := filepath.Glob(filepath.Join(root, "configs", "*", "*"))
	own := 0
	for _, path := range files {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		var f facts.Format
		var conf facts.Confidence
		for _, x := range formats {
			if c := x.Detect(path, src[:min(len(src), 64<<10)]); c > conf {
				f, conf = x, c
			}
		}
		if filepath.Base(filepath.Dir(path)) != platform {
			if conf > facts.No {
				t.Errorf("%s: %s detects %d", path, f.Name, conf)
			}
			continue
		}
		own++
		if conf < facts.Strong {
			t.Errorf("%s: detected with %d", path, conf)
		}
		if conf == facts.No {
			continue
		}
		st := Parse(t, f, path, src)
		for _, n := range st.Notes {
			t.Logf("%s: note %s", filepath.Base(path), n.Message)
		}
		d := st.Devices[0]
		got := float64(d.Lines.Understood+d.Lines.Irrelevant) / float64(d.Lines.Total())
		t.Logf("%s: %s %.2f%% %+v", filepath.Base(path), f.Name, 100*got, d.Lines)
		for _, u := range d.Unread {
			t.Logf("%s: %q %s", u.State, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)], u.Reason)
		}
		if got < share {
			t.Errorf("%s: %.4f, want %.2f", filepath.Base(path), got, share)
		}
	}
	if own == 0 {
		t.Error("no configurations")
	}
}
