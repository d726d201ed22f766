package evidence

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree makes files below a new folder; names ending in a slash are folders.
func tree(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func names(dir string, s *Set) []string {
	out := []string{}
	for _, f := range s.Files {
		out = append(out, strings.TrimPrefix(f.Path, filepath.ToSlash(dir)+"/"))
	}
	return out
}

func content(t *testing.T, f *File, off int64) string {
	t.Helper()
	r, err := f.Open(off)
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

func TestOpenFolder(t *testing.T) {
	dir := tree(t, map[string]string{
		"b.cfg": "bb", "a/x.cfg": "x", ".git/config": "no", "README.md": "no", "a/plan.PNG": "no", "LICENSE": "no", "skip/y.cfg": "no", "z.log": "zz",
	})
	s, err := Open(t.Context(), Options{Ignore: []string{"skip/"}}, dir, filepath.Join(dir, "b.cfg"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a/x.cfg", "b.cfg", "z.log"}, names(dir, s)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for i, f := range s.Files {
		if f.Rank != uint32(i+1) || s.File(f.Rank) != f || s.Find(f.Path) != f {
			t.Errorf("%s: rank %d at %d", f.Path, f.Rank, i)
		}
	}
	if got := content(t, s.Files[2], 1); got != "z" {
		t.Errorf("from byte 1: %q", got)
	}
	if h, err := s.Hash(s.Files[1]); err != nil || h != "3b64db95cb55c763391c707108489ae18b4112d783300de38e033b4c98c3deaf" {
		t.Errorf("hash %s, %v", h, err)
	}
}

// problems are the paths' last elements with what happened.
func problems(s *Set) []string {
	out := []string{}
	for _, p := range s.Problems {
		out = append(out, filepath.Base(p.Path)+": "+p.Err)
	}
	return out
}

func TestOpenProblems(t *testing.T) {
	dir := tree(t, map[string]string{
		"in/a.cfg": "a", "out/b.cfg": "b", "in/sub/c.cfg": "c", "in/x.zst": "\x28\xb5\x2f\xfd....", "in/x.tar": strings.Repeat("\x00", 257) + "ustar\x0000",
		"in/y.gz": "\x1f\x8b\x08", "in/z.tgz": gz(t, strings.Repeat("\x00", 257)+"ustar\x0000"), "in/manual.pdf": "%PDF",
	})
	in := filepath.Join(dir, "in")
	for link, to := range map[string]string{
		"inside.cfg": "a.cfg", "alias.cfg": filepath.Join(in, "sub", "c.cfg"), "loop": ".", "sub/up": "..", "self": "self",
		"outside.cfg": "../out/b.cfg", "dead.cfg": "nowhere", "outdir": "../out",
	} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Skip("needs symbolic links: ", err)
		}
	}
	want := []string{
		"dead.cfg: the link leads nowhere",
		"outdir: the link leads outside of the given folder and is not followed",
		"outside.cfg: the link leads outside of the given folder and is not followed",
		"self: the link leads nowhere",
		"x.tar: a tar archive is not read",
		"x.zst: zstd is not read",
		"y.gz: unexpected EOF",
		"z.tgz: a tar archive is not read",
	}
	t.Chdir(in)
	if err := os.Symlink(in, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path, prefix string }{
		{"absolute", in, filepath.ToSlash(in) + "/"},
		{"this folder", ".", ""},
		{"relative", "../in", "../in/"},
		{"a link to the folder", "../link", "../link/"},
	} {
		s, err := Open(t.Context(), Options{}, c.path)
		if err != nil {
			t.Fatal(err)
		}
		var files []string
		for _, f := range s.Files {
			files = append(files, strings.TrimPrefix(f.Path, c.prefix))
		}
		if diff := cmp.Diff([]string{"a.cfg", "manual.pdf", "sub/c.cfg"}, files); diff != "" {
			t.Errorf("%s: files (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(want, problems(s)); diff != "" {
			t.Errorf("%s: problems (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestOpenUsage(t *testing.T) {
	dir := tree(t, map[string]string{"a.cfg": "a"})
	for _, c := range []struct{ name, path string }{
		{"nothing there", filepath.Join(dir, "nothing")},
		{"below a file", filepath.Join(dir, "a.cfg", "x")},
		{"a revision", "git:repo@main"},
		{"no standard input", "-"},
		{"empty", ""},
	} {
		var usage *UsageError
		if _, err := Open(t.Context(), Options{}, c.path); !errors.As(err, &usage) {
			t.Errorf("%s: error %v, want a usage error", c.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Open(ctx, Options{}, dir); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// TestOpenOrder: the paths' order and spelling change nothing but the spelling shown.
func TestOpenOrder(t *testing.T) {
	dir := tree(t, map[string]string{"c/a.cfg": "a", "c/b/x.cfg": "x", "c/b/y.cfg": "y", "d.log": "d"})
	t.Chdir(dir)
	paths := []string{"c", filepath.Join(dir, "c"), "c/b", "./c/../d.log", "d.log", "c/b/y.cfg"}
	var want []string
	r := rand.New(rand.NewPCG(1, 1))
	for round := range 20 {
		r.Shuffle(len(paths), func(i, j int) { paths[i], paths[j] = paths[j], paths[i] })
		s, err := Open(t.Context(), Options{}, paths...)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range s.Files {
			got = append(got, f.Path)
		}
		if round == 0 {
			want = got
			if len(got) != 4 {
				t.Errorf("%d files of 4: %v", len(got), got)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", paths, diff)
		}
	}
}

func TestGrowingLog(t *testing.T) {
	dir := tree(t, map[string]string{"a.log": "one\n"})
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, "a.log")
	if err := os.WriteFile(name, []byte("one\ntwo\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f := s.Files[0]
	if got := content(t, f, 0) + content(t, f, 2) + content(t, f, 99); got != "one\ne\n" {
		t.Errorf("a log that grew: %q", got)
	}
	if h, err := s.Hash(f); err != nil || h != "2c8b08da5ce60398e1f19af0e5dccc744df274b826abe585eaba68c525434806" {
		t.Errorf("hash %s, %v", h, err)
	}
	s, _ = Open(t.Context(), Options{}, dir)
	if err := os.Truncate(name, 3); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Hash(s.Files[0]); err == nil {
		t.Error("a log that shrank has a hash")
	}
}

func TestMatchIgnore(t *testing.T) {
	for _, c := range []struct {
		name, glob, path string
		dir, want        bool
	}{
		{"name anywhere", "*.bak", "a/b/x.bak", false, true},
		{"name of a folder", "old", "a/old", true, true},
		{"folders only", "old/", "a/old", false, false},
		{"path", "a/*.cfg", "a/x.cfg", false, true},
		{"path is whole", "a/*.cfg", "b/a/x.cfg", false, false},
		{"leading slash", "/a/*.cfg", "a/x.cfg", false, true},
		{"star stays in an element", "a/*", "a/b/c", false, false},
		{"any depth", "**/x.cfg", "a/b/x.cfg", false, true},
		{"any depth is also none", "**/x.cfg", "x.cfg", false, true},
		{"between", "a/**/x.cfg", "a/b/c/x.cfg", false, true},
		{"twice", "**/b/**/x", "a/b/c/b/x", false, true},
		{"at the end", "a/**", "a/b/c", false, true},
		{"bad pattern", "[", "[", false, false},
		{"nothing", "/", "a", true, false},
	} {
		if got := MatchIgnore(c.glob, c.path, c.dir); got != c.want {
			t.Errorf("%s: MatchIgnore(%q, %q) = %v", c.name, c.glob, c.path, got)
		}
	}
	for _, bad := range []string{"", "/", "a/["} {
		if CheckIgnore(bad) == nil {
			t.Errorf("glob %q is not refused", bad)
		}
	}
	if err := CheckIgnore("a/**/*.cfg"); err != nil {
		t.Error(err)
	}
}

func gz(t testing.TB, text string) string {
	t.Helper()
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return z.String()
}

func TestGzipAndStdin(t *testing.T) {
	whole := gz(t, "hello\n") + gz(t, "world\n") // members follow each other
	dir := tree(t, map[string]string{"log.1.gz": whole})
	s, err := Open(t.Context(), Options{Stdin: strings.NewReader("from stdin\n"), TempDir: t.TempDir()}, dir, "-", "-")
	if err != nil {
		t.Fatal(err)
	}
	f := s.Files[0]
	if f.Size != -1 || f.Seekable || content(t, f, 6) != "world\n" {
		t.Errorf("gzip: size %d, seekable %v, %q", f.Size, f.Seekable, content(t, f, 6))
	}
	if got := s.Find("stdin"); got == nil || content(t, got, 0) != "from stdin\n" {
		t.Errorf("stdin = %v", got)
	}
	if i, err := os.Stat(s.spools[0]); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("spool %v, %v", i, err)
	}
	if h, err := s.Hash(f); err != nil || h != fmt.Sprintf("%x", sha256.Sum256([]byte(whole))) {
		t.Errorf("hash of the stored bytes %s, %v", h, err)
	}
	if got := content(t, f, 99); got != "" {
		t.Errorf("beyond the end: %q", got)
	}
	places, err := s.Resolve(t.Context(), []Span{f.Span(6, 5)})
	if err != nil || places[0].Line != 2 || places[0].Text != "world" {
		t.Errorf("places %+v, %v", places, err)
	}
	spool := s.spools[0]
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(spool); err == nil {
		t.Error("the spooled input is left behind")
	}
}
