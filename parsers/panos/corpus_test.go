package panos

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

// understoodShare is the share of lines that must be understood or irrelevant for a reason, over a folder.
const understoodShare = 0.97

func TestCorpus(t *testing.T) {
	root := filepath.Join(corpus(t), "configs")
	for _, folder := range []string{facts.PANOSSet, facts.PANOSBrace, facts.PANOSXML} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no configurations in %s: %v", folder, err)
		}
		var all facts.Lines
		for _, path := range files {
			src, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			format, conf := formatOf(string(src))
			if format.Platform != folder || conf < facts.Strong {
				t.Errorf("%s: detected %s with %d", path, format.Name, conf)
			}
			d, notes := readDevice(t, format, string(src))
			for _, n := range notes {
				t.Errorf("%s: note %s", path, n.Message)
			}
			inside(t, d, len(src))
			all.Add(d.Lines)
			if d.Platform != folder {
				t.Errorf("%s: platform %s", path, d.Platform)
			}
			for _, u := range d.Unread {
				t.Logf("%s: %s: %q %s", filepath.Base(path), u.State, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)], u.Reason)
			}
		}
		share := float64(all.Understood+all.Irrelevant) / float64(all.Total())
		t.Logf("%s: %d lines in %d files, %.2f%% understood or irrelevant: %+v", folder, all.Total(), len(files), 100*share, all)
		if share < understoodShare {
			t.Errorf("%s: %.4f, want %.2f", folder, share, understoodShare)
		}
	}
}
