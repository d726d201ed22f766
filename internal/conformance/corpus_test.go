package conformance

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/report"
)

// corpus is the folder of public test input; a test without it skips and says so.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("needs the public corpus: set QUAYMASTER_CORPUS to its folder")
	}
	return dir
}

// audit runs every check over dir and gives json-v1.
func audit(t *testing.T, dir string, jobs int) (*report.Doc, []byte) {
	t.Helper()
	set, err := evidence.Open(t.Context(), evidence.Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	res, err := engine.Run(t.Context(), engine.Options{
		Set: set, Checks: checks.All(), Now: time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC), Jobs: jobs, TempDir: t.TempDir(),
		KeepBytes: int64(jobs) << 20, // one run keeps facts, the other reads files again
	})
	if err != nil {
		t.Fatal(err)
	}
	doc, err := report.Build(t.Context(), res, "test")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := report.JSON(&b, doc); err != nil {
		t.Fatal(err)
	}
	return doc, b.Bytes()
}

// TestCorpusGoesThrough: every public config, log and capture is audited without a crash, and twice alike.
func TestCorpusGoesThrough(t *testing.T) {
	for _, part := range []string{"configs", "acl", "logs", "flows"} {
		t.Run(part, func(t *testing.T) {
			dir := filepath.Join(corpus(t), part)
			doc, first := audit(t, dir, 1)
			_, second := audit(t, dir, 4)
			if !bytes.Equal(first, second) {
				t.Errorf("one worker and four give different bytes: %d and %d", len(first), len(second))
			}
			for _, r := range doc.Incomplete {
				if strings.Contains(r.Message, "panicked") {
					t.Errorf("%s: %s", r.Path, r.Message)
				}
			}
			known := 0
			for _, in := range doc.Inputs {
				if in.Format != "unknown" {
					known++
				}
			}
			t.Logf("%d of %d files known, %d devices, %d findings, %d reasons incomplete", known, len(doc.Inputs), len(doc.Devices), len(doc.Findings), len(doc.Incomplete))
			if len(doc.Inputs) == 0 {
				t.Error("no file")
			}
		})
	}
}
