package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

const router = "version 15.2\n!\nhostname %s\n!\n%slogging host 10.0.0.30\nline vty 0 4\n transport input ssh\n!\nend\n"

// newServices reports every service that the later state has and the earlier one has not.
func newServices() *audit.Check {
	return &audit.Check{ID: "QM3001", Slug: "t", Title: "t", Needs: audit.Needs{Earlier: true}, Change: func(p *audit.Pass, before, after *facts.Device) {
		for i := range after.Services {
			s := &after.Services[i]
			if s.Protocol == facts.TFTP && !slices.ContainsFunc(before.Services, func(o facts.Service) bool { return o.Path == s.Path && o.Protocol == s.Protocol }) {
				p.Report(audit.Finding{
					Subject: audit.Subject{Kind: "service", Name: s.Path}, Severity: audit.High, Confidence: audit.ConfidenceHigh,
					Message: "new", Spans: []audit.Mark{{Span: s.Span}},
				})
			}
		}
	}}
}

func audited(t *testing.T, o Options, against []string, paths ...string) *audit.Result {
	t.Helper()
	set, err := evidence.Open(t.Context(), evidence.Options{Against: against, TempDir: t.TempDir()}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	o.Set, o.Jobs, o.TempDir = set, 2, t.TempDir()
	o.Now = time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)
	o.Checks = []*audit.Check{newServices()}
	res, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// told are the findings in words: device, subject, file and time.
func told(res *audit.Result) []string {
	var out []string
	for _, f := range res.Findings {
		at := res.Set.File(f.Spans[0].Span.Pos.Rank())
		s := fmt.Sprintf("%s %s in %s", f.Device, f.Subject.Name, strings.SplitN(filepath.Base(at.Path), "@", 2)[0])
		if !f.When.First.IsZero() {
			s += fmt.Sprintf(" on %s by %s", f.When.First.Format(time.DateOnly), f.Evidence["author"])
		}
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		at := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAgainst(t *testing.T) {
	old, young := t.TempDir(), t.TempDir()
	tftp := "tftp-server flash:image.bin\n"
	write(t, old, map[string]string{
		"a.cfg": fmt.Sprintf(router, "a", ""), "b.cfg": fmt.Sprintf(router, "b", tftp), "gone.cfg": fmt.Sprintf(router, "gone", ""),
		"x/twin.cfg": fmt.Sprintf(router, "Router", tftp), "y/twin.cfg": fmt.Sprintf(router, "Router", ""),
	})
	write(t, young, map[string]string{
		"renamed.cfg": fmt.Sprintf(router, "a", tftp), "b.cfg": fmt.Sprintf(router, "b", tftp), "new.cfg": fmt.Sprintf(router, "new", tftp),
		"x/twin.cfg": fmt.Sprintf(router, "Router", tftp), "y/twin.cfg": fmt.Sprintf(router, "Router", tftp),
	})
	res := audited(t, Options{}, []string{old}, young)
	want := []string{"Router (" + young + "/y/twin.cfg) flash:image.bin in twin.cfg", "a flash:image.bin in renamed.cfg"}
	if d := cmp.Diff(want, told(res)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if len(res.Devices) != 5 || len(res.Incomplete) > 0 || len(res.Gaps) > 0 {
		t.Errorf("%d devices, incomplete %v, gaps %v", len(res.Devices), res.Incomplete, res.Gaps)
	}
	if res := audited(t, Options{}, nil, young); len(res.Findings) > 0 || len(res.Gaps) != 1 {
		t.Errorf("without an earlier state: findings %v, gaps %v", told(res), res.Gaps)
	}
}

// What one commit adds and the next removes is found; the present state is judged as ever.
func TestCommitRange(t *testing.T) {
	dir := t.TempDir()
	r, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := r.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	for day, lines := range []string{"", "tftp-server flash:secret.cfg\n", "", "tftp-server flash:image.bin\n"} {
		write(t, dir, map[string]string{"edge.cfg": fmt.Sprintf(router, "edge", lines)})
		if _, err := tree.Add("edge.cfg"); err != nil {
			t.Fatal(err)
		}
		who := &object.Signature{Name: "oxidized", When: time.Date(2026, 3, day+1, 2, 0, 0, 0, time.UTC)}
		if _, err := tree.Commit("x", &git.CommitOptions{Author: who, Committer: who}); err != nil {
			t.Fatal(err)
		}
	}
	res := audited(t, Options{}, nil, "git:"+dir+"@HEAD~3..HEAD")
	want := []string{"edge flash:image.bin in edge.cfg on 2026-03-04 by oxidized", "edge flash:secret.cfg in edge.cfg on 2026-03-02 by oxidized"}
	if d := cmp.Diff(want, told(res)); d != "" {
		t.Errorf("findings (-want +got):\n%s", d)
	}
	if len(res.Devices) != 1 || res.Devices[0].ID != "edge" {
		t.Errorf("devices %v", res.Devices)
	}
}
