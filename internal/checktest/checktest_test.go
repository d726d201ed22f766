package checktest

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/report"
	"github.com/quaymaster/quaymaster/tally"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite expectations and generated pages")

// now is the time of judgement of every example.
var now = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

const fixtureDir = "../../fixtures/checks"

// An example is a folder of a fixture: bad/NAME, good/NAME or open/NAME (not evaluated).
type example struct {
	kind, name string
	files      map[string][]byte
}

func examples(a *txtar.Archive) []example {
	var out []example
	for _, f := range a.Files {
		parts := strings.SplitN(f.Name, "/", 3)
		if len(parts) < 3 {
			continue
		}
		i := slices.IndexFunc(out, func(e example) bool { return e.kind == parts[0] && e.name == parts[1] })
		if i < 0 {
			out = append(out, example{parts[0], parts[1], map[string][]byte{}})
			i = len(out) - 1
		}
		out[i].files[parts[2]] = f.Data
	}
	return out
}

// run audits an example with one check. policy.yaml governs it; files under earlier/ are the weeks before, those under
// before/ an earlier state to compare with.
func run(t *testing.T, c *audit.Check, e example) *report.Doc {
	t.Helper()
	dir := t.TempDir()
	var before, against []string
	for name, data := range e.files {
		if name == "policy.yaml" {
			continue
		}
		at := filepath.Join(dir, filepath.FromSlash(path.Join("now", name)))
		if rest, ok := strings.CutPrefix(name, "earlier/"); ok {
			at = filepath.Join(dir, "earlier", filepath.FromSlash(rest))
			before = append(before, at)
		}
		if rest, ok := strings.CutPrefix(name, "before/"); ok {
			at = filepath.Join(dir, "before", filepath.FromSlash(rest))
			against = []string{filepath.Join(dir, "before")}
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(at, now, now); err != nil {
			t.Fatal(err)
		}
	}
	o := engine.Options{Checks: []*audit.Check{c}, Now: now, Jobs: 2, TempDir: dir}
	if src, ok := e.files["policy.yaml"]; ok {
		p, err := policy.Parse("policy.yaml", src, nil)
		if err != nil {
			t.Fatal(err)
		}
		o.Policy = p
	}
	if len(before) > 0 {
		o.Profile = profile(t, filepath.Join(dir, "earlier"), dir)
	}
	set := open(t, filepath.Join(dir, "now"), against...)
	o.Set = set
	res, err := engine.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := report.Build(t.Context(), res, "test")
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func open(t *testing.T, dir string, against ...string) *evidence.Set {
	t.Helper()
	set, err := evidence.Open(context.Background(), evidence.Options{Against: against}, dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	for _, f := range set.Files {
		f.Path = strings.TrimPrefix(strings.TrimPrefix(f.Path, filepath.ToSlash(dir)+"/"), filepath.ToSlash(filepath.Dir(dir))+"/")
	}
	return set
}

func profile(t *testing.T, dir, tmp string) *tally.Profile {
	t.Helper()
	r, problems, err := engine.Tally(t.Context(), engine.Options{Set: open(t, dir), Now: now, TempDir: tmp})
	if err != nil || len(problems) > 0 {
		t.Fatal(err, problems)
	}
	defer r.Close()
	p, err := tally.NewProfile(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGeneratedWant runs every example of every check. Each check has at least one bad and one good example.
func TestGeneratedWant(t *testing.T) {
	for _, c := range checks.All() {
		t.Run(c.ID, func(t *testing.T) {
			name := filepath.Join(fixtureDir, c.ID+".txtar")
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if len(strings.TrimSpace(string(a.Comment))) < 40 {
				t.Errorf("%s lacks a comment saying what it shows and why that is right", name)
			}
			kinds := map[string]int{}
			var got []string
			for _, e := range examples(a) {
				kinds[e.kind]++
				doc := run(t, c, e)
				got = append(got, judge(t, c, e, doc)...)
				keepsSecrets(t, e, doc)
				keepsNames(t, c, e, doc)
			}
			if kinds["bad"] == 0 || kinds["good"] == 0 {
				t.Errorf("%s has %d bad and %d good examples", name, kinds["bad"], kinds["good"])
			}
			compare(t, a, name, strings.Join(got, "\n")+"\n")
		})
	}
}

// judge gives the lines an example is expected to give.
func judge(t *testing.T, c *audit.Check, e example, doc *report.Doc) []string {
	t.Helper()
	at := e.kind + "/" + e.name
	var out []string
	for _, f := range doc.Findings {
		place := "no line"
		if len(f.Spans) > 0 {
			place = fmt.Sprintf("%s:%d", f.Spans[0].Path, f.Spans[0].Line)
		}
		out = append(out, fmt.Sprintf("%s: %s: %s-%d %s %s: %s", at, place, f.Check, f.Variant, f.Severity, f.Confidence, f.Message))
		if f.Variant > 0 && f.Variant >= len(c.Variants) {
			t.Errorf("%s: variant %d is not declared", at, f.Variant)
		}
		if place == "no line" {
			t.Errorf("%s: %q points at no line", at, f.Message)
		}
		if strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "\n") {
			t.Errorf("%s: message %q is not one sentence without a full stop", at, f.Message)
		}
	}
	for _, g := range doc.NotEvaluated {
		out = append(out, fmt.Sprintf("%s: not evaluated: %s", at, g.Missing))
	}
	slices.Sort(out)
	out = slices.Compact(out)
	found, open := len(doc.Findings), len(doc.NotEvaluated)
	switch {
	case e.kind == "bad" && found == 0:
		t.Errorf("%s: nothing was found", at)
	case e.kind == "good" && (found > 0 || open > 0):
		t.Errorf("%s: a good example gives %q", at, out)
	case e.kind == "open" && (found > 0 || open == 0):
		t.Errorf("%s: want it not evaluated, got %q", at, out)
	case !slices.Contains([]string{"bad", "good", "open"}, e.kind):
		t.Errorf("%s: an example is bad, good or open", at)
	}
	for _, in := range doc.Inputs {
		if in.Format == "unknown" {
			t.Errorf("%s: %s is of no known format", at, in.Path)
		}
	}
	if e.kind == "good" {
		return nil
	}
	return out
}

// planted are the secrets that examples hold.
var planted = []string{"Harbour-7-Lamp", "Crane-9-Rope", "Pass-1-word", "082F4D5D0B1C0A", "Wharf", "$9$abc", "Plain-Text-7"}

// keepsSecrets looks for the examples' secrets in all that a result shows.
func keepsSecrets(t *testing.T, e example, doc *report.Doc) {
	t.Helper()
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range planted {
		if bytes.Contains(b, []byte(s)) {
			t.Errorf("%s/%s: the result shows the secret %q", e.kind, e.name, s)
		}
	}
}

// keepsNames moves every line of an example's configurations and documents: findings must keep their fingerprints.
func keepsNames(t *testing.T, c *audit.Check, e example, doc *report.Doc) {
	t.Helper()
	moved := example{kind: e.kind, name: e.name, files: map[string][]byte{}}
	for name, data := range e.files {
		switch {
		case path.Ext(name) == ".json":
			data = append([]byte("\n\n"), data...)
		case path.Ext(name) == ".conf":
			data = append([]byte("# a note\n# another\n"), data...)
		case path.Ext(name) == ".cfg":
			data = append([]byte("! a note\n! another\n"), data...)
		}
		moved.files[name] = data
	}
	names := func(d *report.Doc) []string {
		var out []string
		for _, f := range d.Findings {
			out = append(out, f.Fingerprint+" "+f.Severity+" "+f.Message)
		}
		slices.Sort(out)
		return out
	}
	if diff := gocmp.Diff(names(doc), names(run(t, c, moved))); diff != "" {
		t.Errorf("%s/%s: with lines inserted its findings are others (-before +after):\n%s", e.kind, e.name, diff)
	}
}

// compare holds the archive's want file against got, or rewrites it.
func compare(t *testing.T, a *txtar.Archive, name, got string) {
	t.Helper()
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
	if *update {
		if i < 0 {
			a.Files = append(a.Files, txtar.File{Name: "want"})
			i = len(a.Files) - 1
		}
		a.Files[i].Data = []byte(got)
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want := ""
	if i >= 0 {
		want = string(a.Files[i].Data)
	}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// TestGeneratedPages holds docs/checks: a page for each check and the index, as the code writes them.
func TestGeneratedPages(t *testing.T) {
	dir := "../../docs/checks"
	pages := map[string]string{"README.md": checks.Index(checks.All())}
	for _, c := range checks.All() {
		pages[c.ID+".md"] = checks.Page(c)
	}
	if *update {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range pages {
		at := filepath.Join(dir, name)
		if *update {
			if err := os.WriteFile(at, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(at)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not what the code writes: make gen (-want +got):\n%s", at, diff)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if _, ok := pages[f.Name()]; !ok {
			t.Errorf("%s/%s belongs to no check", dir, f.Name())
		}
	}
}

// TestChecks holds what every check must have.
func TestChecks(t *testing.T) {
	slugs := map[string]bool{}
	last := ""
	for _, c := range checks.All() {
		if c.ID <= last {
			t.Errorf("%s is not after %s", c.ID, last)
		}
		last = c.ID
		if slugs[c.Slug] || c.Slug == "" || c.Title == "" || len(c.Controls) == 0 || len(c.Fixes) == 0 {
			t.Errorf("%s: slug %q, title %q, %d controls, %d fixes", c.ID, c.Slug, c.Title, len(c.Controls), len(c.Fixes))
		}
		slugs[c.Slug] = true
		for _, part := range []string{"## Why it matters", "## How it is decided", "## How it can be wrong"} {
			if !strings.Contains(c.Doc, part) {
				t.Errorf("%s: its Doc lacks %q", c.ID, part)
			}
		}
		if c.Device == nil && c.Pair == nil && c.Trail == nil && c.Series == nil && c.Change == nil && c.Fleet == nil {
			t.Errorf("%s judges nothing", c.ID)
		}
		if checks.ByID(strings.ToLower(c.ID)) == nil || checks.ByID(c.Slug).ID != c.ID {
			t.Errorf("%s is not found by ID and slug", c.ID)
		}
	}
	if len(slugs) < 19 {
		t.Errorf("%d checks", len(slugs))
	}
}
