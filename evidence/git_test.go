package evidence

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/google/go-cmp/cmp"
)

// A repo is a git repository under construction: each commit is a day after the one before.
type repo struct {
	t    *testing.T
	dir  string
	git  *git.Repository
	day  int
	tree *git.Worktree
}

func newRepo(t *testing.T) *repo {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "configs")
	r, err := git.PlainInit(dir, false)
	if err != nil {
		t.Fatal(err)
	}
	w, err := r.Worktree()
	if err != nil {
		t.Fatal(err)
	}
	return &repo{t: t, dir: dir, git: r, tree: w}
}

// commit writes files (nil removes one) and commits them.
func (r *repo) commit(files map[string][]byte) string {
	r.t.Helper()
	for name, data := range files {
		at := filepath.Join(r.dir, filepath.FromSlash(name))
		if data == nil {
			if _, err := r.tree.Remove(name); err != nil {
				r.t.Fatal(err)
			}
			continue
		}
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			r.t.Fatal(err)
		}
		if err := os.WriteFile(at, data, 0o600); err != nil {
			r.t.Fatal(err)
		}
		if _, err := r.tree.Add(name); err != nil {
			r.t.Fatal(err)
		}
	}
	r.day++
	who := &object.Signature{Name: "backup", Email: "backup@example.org", When: time.Date(2026, 3, r.day, 2, 0, 0, 0, time.UTC)}
	h, err := r.tree.Commit("backup", &git.CommitOptions{Author: who, Committer: who})
	if err != nil {
		r.t.Fatal(err)
	}
	return h.String()
}

func text(t *testing.T, f *File) string {
	t.Helper()
	r, err := f.Open(0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func history(t *testing.T) (r *repo, commits []string) {
	r = newRepo(t)
	c := func(files map[string][]byte) { commits = append(commits, r.commit(files)) }
	c(map[string][]byte{"site/edge.cfg": []byte("one\n"), "site/core.cfg": []byte("core\n"), "README.md": []byte("not evidence\n"), "logo.png": []byte("x")})
	c(map[string][]byte{"site/edge.cfg": []byte("one\ntftp-server flash:x\n")})
	c(map[string][]byte{"site/edge.cfg": []byte("one\n"), ".hidden/x": []byte("x\n")})
	c(map[string][]byte{"site/core.cfg": nil, "site/new.cfg": []byte("new\n")})
	return r, commits
}

func TestGitRevision(t *testing.T) {
	r, commits := history(t)
	for _, c := range []struct {
		name, rev string
		want      []string
	}{
		{"the newest", "", []string{"site/edge.cfg", "site/new.cfg"}},
		{"an older one", "@" + commits[1], []string{"site/core.cfg", "site/edge.cfg"}},
		{"relative", "@HEAD~3", []string{"site/core.cfg", "site/edge.cfg"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := Open(context.Background(), Options{}, "git:"+r.dir+c.rev)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			var got []string
			for _, f := range set.Files {
				got = append(got, strings.TrimPrefix(f.Path, filepath.ToSlash(r.dir)+"/"))
			}
			if d := cmp.Diff(c.want, got); d != "" || len(set.Problems) > 0 {
				t.Errorf("files (-want +got):\n%s%v", d, set.Problems)
			}
		})
	}
}

func TestGitRange(t *testing.T) {
	r, commits := history(t)
	set, err := Open(context.Background(), Options{TempDir: t.TempDir()}, "git:"+r.dir+"/site@"+commits[0]+"..")
	if err != nil {
		t.Fatal(err)
	}
	type change struct{ Commit, Author, Before, After string }
	var got []change
	for _, c := range set.Changes {
		x := change{Commit: c.Commit, Author: c.Author}
		if c.Before != nil {
			x.Before = text(t, c.Before)
		}
		if c.After != nil {
			x.After = text(t, c.After)
		}
		got = append(got, x)
	}
	want := []change{
		{commits[1], "backup", "one\n", "one\ntftp-server flash:x\n"},
		{commits[2], "backup", "one\ntftp-server flash:x\n", "one\n"},
		{commits[3], "backup", "core\n", ""},
		{commits[3], "backup", "", "new\n"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("changes (-want +got):\n%s", d)
	}
	var now []string
	for _, f := range set.Files {
		if _, err := set.Hash(f); err != nil {
			t.Error(err)
		}
		if f.Past == Now {
			now = append(now, filepath.Base(f.Path))
		}
	}
	if d := cmp.Diff([]string{"edge.cfg", "new.cfg"}, now); d != "" {
		t.Errorf("present files (-want +got):\n%s", d)
	}
	dir := set.spools[0]
	if err := set.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left behind", dir)
	}
}

// A merge is compared with its first parent, and the commits it brought with theirs: nothing they did is lost.
func TestGitMergeLosesNothing(t *testing.T) {
	r := newRepo(t)
	base := r.commit(map[string][]byte{"a.cfg": []byte("a\n")})
	side := r.commit(map[string][]byte{"b.cfg": []byte("b\n")})
	if err := r.tree.Reset(&git.ResetOptions{Commit: plumbing.NewHash(base), Mode: git.HardReset}); err != nil {
		t.Fatal(err)
	}
	main := r.commit(map[string][]byte{"c.cfg": []byte("c\n")})
	if err := os.WriteFile(filepath.Join(r.dir, "b.cfg"), []byte("b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := r.tree.Add("b.cfg"); err != nil {
		t.Fatal(err)
	}
	who := &object.Signature{Name: "m", When: time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)}
	if _, err := r.tree.Commit("merge", &git.CommitOptions{Author: who, Committer: who, Parents: []plumbing.Hash{plumbing.NewHash(main), plumbing.NewHash(side)}}); err != nil {
		t.Fatal(err)
	}
	set, err := Open(context.Background(), Options{}, "git:"+r.dir+"@"+base+"..HEAD")
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	var got []string
	for _, c := range set.Changes {
		got = append(got, c.Commit[:4]+" "+filepath.Base(c.After.Path)[:5])
	}
	if len(got) != 3 || !slices.ContainsFunc(got, func(s string) bool { return s == side[:4]+" b.cfg" }) {
		t.Errorf("changes %v", got)
	}
}

func TestGitUsage(t *testing.T) {
	r, commits := history(t)
	for _, c := range []struct{ name, spec, want string }{
		{"no repository", "git:" + t.TempDir(), "is no git repository"},
		{"no folder", "git:/nonexistent/x@HEAD", "does not exist"},
		{"no such revision", "git:" + r.dir + "@v9", `revision "v9" is not in the repository`},
		{"three dots", "git:" + r.dir + "@a...b", "FROM..TO"},
		{"no start", "git:" + r.dir + "@..HEAD", "FROM..TO"},
		{"no revision", "git:" + r.dir + "@", "FROM..TO"},
		{"a folder that revision has not", "git:" + r.dir + "/.hidden@" + commits[0], "no folder .hidden"},
	} {
		t.Run(c.name, func(t *testing.T) {
			set, err := Open(context.Background(), Options{}, c.spec)
			if set != nil {
				set.Close()
			}
			var u *UsageError
			if !errors.As(err, &u) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestAgainst(t *testing.T) {
	r, commits := history(t)
	set, err := Open(context.Background(), Options{Against: []string{"git:" + r.dir + "@" + commits[1]}}, r.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	var got []string
	for _, f := range set.Files {
		got = append(got, strings.Repeat("old ", int(f.Past))+strings.TrimPrefix(f.Path, filepath.ToSlash(r.dir)+"/"))
	}
	short := "@" + commits[1][:shortHash]
	want := []string{"site/edge.cfg", "old site/core.cfg" + short, "old site/edge.cfg" + short, "site/new.cfg"}
	slices.Sort(want)
	slices.Sort(got)
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("files (-want +got):\n%s", d)
	}
	same, err := Open(context.Background(), Options{Against: []string{r.dir}}, r.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer same.Close()
	if slices.ContainsFunc(same.Files, func(f *File) bool { return f.Past != Now }) {
		t.Error("a folder compared with itself lost its present state")
	}
}
