package evidence

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func TestOpenProblems(t *testing.T) {
	dir := tree(t, map[string]string{"in/a.cfg": "a", "out/b.cfg": "b"})
	in := filepath.Join(dir, "in")
	for link, to := range map[string]string{"inside.cfg": "a.cfg", "loop": ".", "outside.cfg": "../out/b.cfg", "dead.cfg": "nowhere"} {
		if err := os.Symlink(to, filepath.Join(in, link)); err != nil {
			t.Skip("needs symbolic links: ", err)
		}
	}
	s, err := Open(t.Context(), Options{}, in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a.cfg"}, names(in, s)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var got []string
	for _, p := range s.Problems {
		got = append(got, filepath.Base(p.Path))
		if p.Err == "" {
			t.Errorf("%s: no error", p.Path)
		}
	}
	if diff := cmp.Diff([]string{"dead.cfg", "loop", "outside.cfg"}, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	for _, bad := range []string{filepath.Join(dir, "nothing"), "git:repo@main"} {
		var usage *UsageError
		if _, err := Open(t.Context(), Options{}, bad); !errors.As(err, &usage) {
			t.Errorf("%s: error %v, want a usage error", bad, err)
		}
	}
}

func TestGzipAndStdin(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	fmt.Fprint(w, "hello\nworld\n")
	w.Close()
	dir := tree(t, map[string]string{"log.1.gz": z.String()})
	s, err := Open(t.Context(), Options{Stdin: strings.NewReader("from stdin\n")}, dir, "-")
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
	places, err := s.Resolve(t.Context(), []Span{f.Span(6, 5)})
	if err != nil || places[0].Line != 2 || places[0].Text != "world" {
		t.Errorf("places %+v, %v", places, err)
	}
	spool := s.spool
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(spool); err == nil {
		t.Error("the spooled input is left behind")
	}
}

func TestResolve(t *testing.T) {
	long := strings.Repeat("x", 5000)
	text := "one\r\ntwo größe\n" + long + "\nlast"
	dir := tree(t, map[string]string{"a.cfg": text, "b.cfg": ""})
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	f := s.Files[0]
	at := func(sub string) int64 { return int64(strings.Index(text, sub)) }
	for _, c := range []struct {
		name string
		span Span
		want Place
	}{
		{"first line", f.Span(0, 3), Place{Line: 1, Column: 1, EndLine: 1, EndColumn: 4, Text: "one"}},
		{"columns are characters", f.Span(at("ße"), 3), Place{Line: 2, Column: 8, EndLine: 2, EndColumn: 10, Text: "two größe"}},
		{"two lines", f.Span(at("ne\r"), 7), Place{Line: 1, Column: 2, EndLine: 2, EndColumn: 4, Text: "one\r\ntwo größe"}},
		{"long line", f.Span(at("xxx")+4990, 5), Place{Line: 3, Column: 4991, EndLine: 3, EndColumn: 4996, Text: long[:maxPlaceLine]}},
		{"no final newline", f.Span(at("last"), 4), Place{Line: 4, Column: 1, EndLine: 4, EndColumn: 5, Text: "last"}},
		{"beyond the end", f.Span(99999, 4), Place{}},
		{"no position", Span{}, Place{}},
	} {
		got, err := s.Resolve(t.Context(), []Span{c.span})
		if err != nil {
			t.Fatal(err)
		}
		g := got[0]
		g.Path, g.TextStart = "", 0
		if diff := cmp.Diff(c.want, g); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func FuzzResolve(f *testing.F) {
	f.Add([]byte("a\r\nb\n\xff\n"), 1, 3)
	f.Fuzz(func(t *testing.T, src []byte, off, n int) {
		if off < 0 || n < 0 || off > len(src) || n > len(src)-off {
			return
		}
		file := &File{Path: "x", Rank: 1, Open: func(int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(src)), nil }}
		s := &Set{Files: []*File{file}}
		got, err := s.Resolve(context.Background(), []Span{file.Span(int64(off), n)})
		if err != nil {
			t.Fatal(err)
		}
		p := got[0]
		if off == len(src) {
			return
		}
		if want := 1 + bytes.Count(src[:off], []byte("\n")); p.Line != want {
			t.Errorf("line %d, want %d", p.Line, want)
		}
		if p.Column < 1 || p.EndLine < p.Line || p.EndColumn < 1 {
			t.Errorf("place %+v", p)
		}
	})
}

func fixed() time.Time { return time.Date(2026, 11, 24, 6, 0, 0, 0, time.UTC) }

func TestBundle(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	b, err := NewBundle(dir, fixed)
	if err != nil {
		t.Fatal(err)
	}
	w := b.Device("sw/../1", "cisco_ios")
	f, err := w.Create("../show running-config", Meta{Command: "show running-config"})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(f, "hostname sw1\n")
	if s, _ := Open(t.Context(), Options{}, dir); len(s.Files) != 0 {
		t.Errorf("a file that is not whole is listed: %v", names(dir, s))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	w.Gap("show logging", "refused", "")
	if err := b.Done(DeviceState{Name: "sw/../1", State: "partial", Error: "one command was refused"}); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil || len(s.Files) != 1 || len(s.Problems) != 2 || !strings.Contains(s.Problems[0].Err, "did not finish") {
		t.Errorf("unfinished: files %v problems %+v, %v", names(dir, s), s.Problems, err)
	}
	if err := b.Close(true); err != nil {
		t.Fatal(err)
	}
	s, err = Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 1 || s.Files[0].Host != "sw/../1" || s.Files[0].Platform != "cisco_ios" || !s.Files[0].Mod.Equal(fixed()) {
		t.Errorf("files %+v", s.Files)
	}
	if len(s.Problems) != 1 || s.Problems[0].Path != "sw/../1" || len(s.Devices) != 1 || len(s.Devices[0].Gaps) != 1 {
		t.Errorf("problems %+v devices %+v", s.Problems, s.Devices)
	}
	if i, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil || i.Mode().Perm() != 0o600 {
		t.Errorf("manifest %v %v", i, err)
	}
	if _, err := NewBundle(dir, fixed); err == nil {
		t.Error("a bundle was started over another")
	}
	if err := os.Remove(filepath.Join(filepath.FromSlash(s.Files[0].Path))); err != nil {
		t.Fatal(err)
	}
	if s, _ = Open(t.Context(), Options{}, dir); len(s.Problems) != 2 {
		t.Errorf("a lost file is no problem: %+v", s.Problems)
	}
}

// TestKilled kills a process that collects, at many moments: what Open lists is always whole.
func TestKilled(t *testing.T) {
	if os.Getenv("QUAYMASTER_TEST_COLLECT") != "" {
		collectForever(os.Getenv("QUAYMASTER_TEST_COLLECT"))
		return
	}
	for i := range 12 {
		dir := filepath.Join(t.TempDir(), "b")
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "QUAYMASTER_TEST_COLLECT="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// die after a number of bytes said, each a step of the writer
		if _, err := io.ReadFull(out, make([]byte, 1+i*3)); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		s, err := Open(t.Context(), Options{}, dir)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Problems) == 0 {
			t.Errorf("step %d: a killed collection is called complete", i)
		}
		for _, f := range s.Files {
			if got := content(t, f, 0); len(got) != 3000 {
				t.Errorf("step %d: %s has %d bytes of 3000", i, f.Path, len(got))
			}
		}
	}
}

func collectForever(dir string) {
	b, err := NewBundle(dir, fixed)
	if err != nil {
		panic(err)
	}
	for i := 0; ; i++ {
		name := fmt.Sprintf("sw%03d", i)
		w := b.Device(name, "")
		f, err := w.Create("config", Meta{})
		if err != nil {
			panic(err)
		}
		for range 3 {
			fmt.Fprint(f, strings.Repeat("x", 1000))
			fmt.Print(".")
		}
		if err := errors.Join(f.Close(), b.Done(DeviceState{Name: name, State: "complete"})); err != nil {
			panic(err)
		}
	}
}

func TestRun(t *testing.T) {
	dir := tree(t, map[string]string{"a.cfg": "hostname a\n", "d/b.cfg": "hostname b\n"})
	set, err := Open(t.Context(), Options{}, filepath.Join(dir, "a.cfg"), filepath.Join(dir, "d"))
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "runs", "today")
	fill := func(text string) func(*RunWriter) error {
		return func(w *RunWriter) error {
			return w.Write("result.json", func(w io.Writer) error { _, err := io.WriteString(w, text); return err })
		}
	}
	if err := WriteRun(run, set, fill("{}")); err != nil {
		t.Fatal(err)
	}
	if bad, err := Verify(run); err != nil || len(bad) > 0 {
		t.Errorf("a fresh run: %v, %v", bad, err)
	}
	if sha, err := exec.LookPath("sha256sum"); err == nil {
		cmd := exec.Command(sha, "-c", "--quiet", RunManifest)
		cmd.Dir = run
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("sha256sum -c: %v\n%s", err, out)
		}
	}
	// a run that fails to be written leaves the old one
	broken := errors.New("disk full")
	if err := WriteRun(run, set, func(*RunWriter) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
	if bad, err := Verify(run); err != nil || len(bad) > 0 {
		t.Errorf("after a failed run: %v, %v", bad, err)
	}
	again, err := Open(t.Context(), Options{}, run)
	if err != nil || len(again.Files) != 2 || len(again.Problems) != 0 {
		t.Errorf("a run as evidence: %v %+v %v", names(run, again), again.Problems, err)
	}
	if err := WriteRun(run, again, fill("{1}")); err != nil {
		t.Errorf("a run written over itself: %v", err)
	}
	if err := os.WriteFile(filepath.Join(run, "result.json"), []byte("[]"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bad, _ := Verify(run); len(bad) != 1 || bad[0].What != "was changed" {
		t.Errorf("a changed result: %v", bad)
	}
	var usage *UsageError
	if err := WriteRun(dir, set, fill("{}")); !errors.As(err, &usage) {
		t.Errorf("a folder of configurations was replaced: %v", err)
	}
	left, _ := os.ReadDir(filepath.Dir(run))
	if len(left) != 1 {
		t.Errorf("%d entries beside the run", len(left))
	}
}
