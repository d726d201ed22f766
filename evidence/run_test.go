package evidence

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

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
	for name, text := range map[string]string{"extra.txt": "x", "evidence/nested.cfg": "y"} {
		if err := os.WriteFile(filepath.Join(run, filepath.FromSlash(name)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(run, "manifest.json")); err != nil {
		t.Fatal(err)
	}
	bad, err := Verify(run)
	want := []Mismatch{
		{"evidence/nested.cfg", "is not in the manifest"}, {"extra.txt", "is not in the manifest"},
		{"manifest.json", "is missing"}, {"result.json", "was changed"},
	}
	if diff := cmp.Diff(want, bad); diff != "" || err != nil {
		t.Errorf("a run that was tampered with: %v (-want +got):\n%s", err, diff)
	}
	if _, err := Verify(dir); !errors.As(err, &usage) {
		t.Errorf("verify a folder that is no run: %v", err)
	}
	left, _ := os.ReadDir(filepath.Dir(run))
	if len(left) != 1 {
		t.Errorf("%d entries beside the run", len(left))
	}
}

// TestRunOfProblems: a run knows what its evidence lacked, and says it again when it is audited.
func TestRunOfProblems(t *testing.T) {
	dir := tree(t, map[string]string{
		"a/x.cfg": "1", "b/x.cfg": "2", "README.cfg": "3", "x.zip": "PK\x03\x04",
		"bundle/manifest.json": `{"format":"quaymaster-bundle-v1","complete":false,"devices":[{"name":"sw9","state":"failed","error":"timeout"}],"files":[]}`,
	})
	t.Chdir(filepath.Join(dir, "a"))
	set, err := Open(t.Context(), Options{}, "x.cfg", "../a", "../b/x.cfg", "../README.cfg", "../x.zip", "../bundle")
	if err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(dir, "out")
	if err := WriteRun(run, set, func(w *RunWriter) error {
		return w.Write("result.json", func(w io.Writer) error { _, err := io.WriteString(w, "{}"); return err })
	}); err != nil {
		t.Fatal(err)
	}
	again, err := Open(t.Context(), Options{}, run)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(set.Problems, again.Problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(set.Devices, again.Devices); diff != "" {
		t.Errorf("devices (-want +got):\n%s", diff)
	}
	var texts []string
	for _, f := range again.Files {
		texts = append(texts, content(t, f, 0))
	}
	slices.Sort(texts)
	if diff := cmp.Diff([]string{"1", "2", "3"}, texts); diff != "" {
		t.Errorf("contents (-want +got):\n%s", diff)
	}
	// A run within what is audited is named and not read: it would double every log.
	t.Chdir(dir)
	set, err = Open(t.Context(), Options{}, ".")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"out"}, set.Runs); diff != "" || set.Find("out/manifest.json") != nil || len(set.Files) != 2 {
		t.Errorf("runs (-want +got):\n%s files %v", diff, names(".", set))
	}
	for _, bad := range []string{"../x", "/x", "MANIFEST.sha256", "a\nb", ""} {
		if err := (&RunWriter{dir: dir}).Write(bad, func(io.Writer) error { return nil }); err == nil {
			t.Errorf("%q was written", bad)
		}
	}
}

func TestRunOfChangedEvidence(t *testing.T) {
	dir := tree(t, map[string]string{"a.cfg": "1"})
	set, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := set.Hash(set.Files[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "a.cfg"), []byte("2"), 0o600); err != nil {
		t.Fatal(err)
	}
	run := filepath.Join(t.TempDir(), "run")
	if err := WriteRun(run, set, func(*RunWriter) error { return nil }); err == nil {
		t.Error("a run holds other bytes than were audited")
	}
	if _, err := os.Stat(run); err == nil {
		t.Error("half a run was left")
	}
}

func TestAtomicWrite(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "f"), filepath.Join(dir, "l")
	say := func(text string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, text); return err }
	}
	read := func() string { b, _ := os.ReadFile(file); return string(b) }
	if err := AtomicWrite(file, 0o640, say("one")); err != nil || read() != "one" {
		t.Errorf("%q, %v", read(), err)
	}
	if i, err := os.Stat(file); err != nil || i.Mode().Perm() != 0o640 {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	broken := errors.New("full")
	if err := AtomicWrite(file, 0o600, func(w io.Writer) error { io.WriteString(w, "half"); return broken }); !errors.Is(err, broken) || read() != "one" {
		t.Errorf("after an error: %q, %v", read(), err)
	}
	if err := os.Symlink("f", link); err != nil {
		t.Skip("needs symbolic links: ", err)
	}
	if err := AtomicWrite(link, 0o600, say("two")); err != nil || read() != "two" {
		t.Errorf("through a link: %q, %v", read(), err)
	}
	if i, err := os.Lstat(link); err != nil || i.Mode().IsRegular() {
		t.Errorf("the link was replaced: %v", err)
	}
	if err := AtomicWrite(dir, 0o600, say("x")); err == nil {
		t.Error("a folder was written")
	}
	if left, _ := os.ReadDir(dir); len(left) != 2 {
		t.Errorf("left behind: %v", left)
	}
}
