package evidence

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

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
	if err != nil || len(s.Files) != 1 || len(s.Problems) != 2 || !strings.Contains(s.Problems[0].Err, "did not finish") || len(s.Devices[0].Gaps) != 1 {
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

// TestBundleNames: names of devices and files are text of others and lead nowhere.
func TestBundleNames(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	b, err := NewBundle(dir, fixed)
	if err != nil {
		t.Fatal(err)
	}
	pairs := [][2]string{
		{"..", ".."}, {"../../x", "/etc/passwd"}, {"", ""}, {"sw1", "config"}, {"SW1", "Config"}, {"sw1", "config"}, {"a:b", "CON?*"}, {"a_b", "CON__"},
		{strings.Repeat("ä", 150), strings.Repeat("😀", 80)}, {"x\x00y", "a\nb"}, {".git", "README.md"}, {"dot.", "manifest.json"}, {"\xff", " x "},
	}
	for i, p := range pairs {
		f, err := b.Device(p[0], "").Create(p[1], Meta{})
		if err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		fmt.Fprintf(f, "%d", i)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Close(true); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, f := range s.Files {
		seen[content(t, f, 0)] = true
		if parts := strings.Split(strings.TrimPrefix(f.Path, filepath.ToSlash(dir)+"/"), "/"); len(parts) != 3 || parts[0] != "evidence" || !filepath.IsLocal(strings.Join(parts, "/")) {
			t.Errorf("%q lies at %v", f.Host, parts)
		}
	}
	if len(seen) != len(pairs) || len(s.Problems) != 0 {
		t.Errorf("%d files of %d, problems %v", len(seen), len(pairs), problems(s))
	}
}

// TestBundleConcurrent: many devices at once, some of them broken off.
func TestBundleConcurrent(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "b")
	b, err := NewBundle(dir, fixed)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			name := fmt.Sprintf("sw%02d", i)
			w := b.Device(name, "cisco_ios")
			for k := range 3 {
				f, err := w.Create(fmt.Sprintf("show %d", k), Meta{})
				if err != nil {
					t.Error(err)
					return
				}
				fmt.Fprintf(f, "answer %d", k)
				if i%10 == 0 && k == 2 {
					continue // the connection broke: the stream is never closed
				}
				if err := f.Close(); err != nil {
					t.Error(err)
				}
				if err := f.Close(); !errors.Is(err, os.ErrClosed) {
					t.Errorf("closed twice: %v", err)
				}
			}
			w.Gap("show logging", "refused", "")
			if i == 39 {
				return // interrupted: nobody says how it ended
			}
			if err := b.Done(DeviceState{Name: name, State: StateComplete}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if err := b.Close(true); err != nil {
		t.Fatal(err)
	}
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Files) != 120-4 || len(s.Devices) != 40 {
		t.Errorf("%d files, %d devices", len(s.Files), len(s.Devices))
	}
	broken := 0
	for _, d := range s.Devices {
		if d.State == StatePartial {
			broken++
		}
		if want := map[bool]int{true: 2, false: 1}[d.State == StatePartial && d.Name != "sw39"]; len(d.Gaps) != want {
			t.Errorf("%s: %d gaps, want %d", d.Name, len(d.Gaps), want)
		}
	}
	if broken != 5 || len(s.Problems) != 6 {
		t.Errorf("%d broken devices, problems %v", broken, problems(s))
	}
	left, err := filepath.Glob(filepath.Join(dir, "evidence", "*", ".*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBundleDamaged: what the manifest says and what is there differ.
func TestBundleDamaged(t *testing.T) {
	entry := func(path, sha string, size int) string {
		return fmt.Sprintf(`{"path":%q,"host":"sw1","sha256":%q,"size":%d,"taken":"2026-11-24T06:00:00Z"}`, path, sha, size)
	}
	const a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb" // of "a"
	for _, c := range []struct {
		name, manifest string
		files, bad     []string
	}{
		{"whole", entry("evidence/sw1/a", a, 1), []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{}},
		{"missing", entry("evidence/sw1/b", a, 1), []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{"b: the manifest lists this file and it is not there"}},
		{"another size", entry("evidence/sw1/a", a, 7), []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{"a: the file has 1 bytes, the manifest says 7"}},
		{"outside", entry("evidence/../../x", a, 1), []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{`b: the manifest names "evidence/../../x", which is not evidence of the bundle`}},
		{"not evidence", entry("reports/r.txt", a, 1), []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{`b: the manifest names "reports/r.txt", which is not evidence of the bundle`}},
		{"cut", `{"path":"evid`, []string{"evidence/sw1/a", "evidence/sw1/later.cfg"}, []string{"b: the manifest cannot be read: unexpected end of JSON input"}},
	} {
		text := `{"format":"quaymaster-bundle-v1","complete":true,"devices":[],"files":[` + c.manifest
		if c.name != "cut" {
			text += "]}"
		}
		dir := filepath.Join(tree(t, map[string]string{"b/manifest.json": text, "b/evidence/sw1/a": "a", "b/evidence/sw1/later.cfg": "x", "b/evidence/sw1/.z.partial": "half", "b/reports/r.txt": "r"}), "b")
		for _, root := range []string{dir, filepath.Dir(dir)} { // given, and found below a folder
			s, err := Open(t.Context(), Options{}, root)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.files, names(dir, s)); diff != "" {
				t.Errorf("%s: files (-want +got):\n%s", c.name, diff)
			}
			if diff := cmp.Diff(c.bad, problems(s)); diff != "" {
				t.Errorf("%s: problems (-want +got):\n%s", c.name, diff)
			}
		}
	}
	dir := tree(t, map[string]string{"manifest.json": `{"format":"quaymaster-bundle-v1","complete":true,"files":[` + entry("evidence/a", a, 1) + `]}`, "evidence/a": "b"})
	s, err := Open(t.Context(), Options{}, dir)
	if err != nil {
		t.Fatal(err)
	}
	if h, err := s.Hash(s.Files[0]); h == "" || err == nil {
		t.Errorf("other bytes of the same size: hash %q, error %v", h, err)
	}
	dir = tree(t, map[string]string{"manifest.json": `{"name":"a web application"}`, "a.cfg": "a"})
	if s, _ = Open(t.Context(), Options{}, dir); len(s.Files) != 2 {
		t.Errorf("a manifest of something else is a file: %v", names(dir, s))
	}
}

// TestKilled kills a process that collects, at many moments: what Open lists is always whole, and a bundle is only
// called complete when its manifest was written.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("QUAYMASTER_TEST_COLLECT"); dir != "" {
		collectForever(dir)
		return
	}
	steps := []int{1, 2, 3, 5, 8, 11, 12, 13, 14, 20, 26, 27, 39, 52, 65}
	for _, n := range steps {
		dir := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
		cmd.Env = append(os.Environ(), "QUAYMASTER_TEST_COLLECT="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// It dies after a number of bytes said, each a step; where in the next steps is up to the system.
		if _, err := io.ReadFull(out, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		bundles, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, dir := range bundles {
			s, err := Open(t.Context(), Options{}, dir)
			if err != nil {
				t.Fatal(err)
			}
			complete := len(s.Problems) == 0 && len(s.Files) > 0
			if complete && (len(s.Files) != 4 || !isFile(dir, manifestName)) {
				t.Errorf("step %d: a killed collection with %d files is called complete", n, len(s.Files))
			}
			for _, f := range s.Files {
				if got := content(t, f, 0); len(got) != 3000 {
					t.Errorf("step %d: %s has %d bytes of 3000", n, f.Path, len(got))
				}
				if _, err := s.Hash(f); err != nil {
					t.Errorf("step %d: %s: %v", n, f.Path, err)
				}
			}
		}
	}
}

// collectForever writes bundles of four devices, one after the other, and says a byte at each step.
func collectForever(dir string) {
	must := func(err error) {
		if err != nil {
			panic(err)
		}
		fmt.Print(".")
	}
	for i := 0; ; i++ {
		b, err := NewBundle(filepath.Join(dir, fmt.Sprintf("b%03d", i)), fixed)
		must(err)
		for k := range 4 {
			name := fmt.Sprintf("sw%d", k)
			f, err := b.Device(name, "").Create("config", Meta{})
			must(err)
			for range 3 {
				fmt.Fprint(f, strings.Repeat("x", 1000))
			}
			must(f.Close())
			must(b.Done(DeviceState{Name: name, State: StateComplete}))
		}
		must(b.Close(true))
	}
}
