package evidence

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// RunManifest is the name of a run folder's list of hashes, in the form sha256sum -c reads.
const RunManifest = "MANIFEST.sha256"

// A RunWriter writes the files of one run.
type RunWriter struct {
	dir string
}

// Write writes one file of the run; name is slash-separated below the run folder.
func (w *RunWriter) Write(name string, write func(io.Writer) error) error {
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return AtomicWrite(path, 0o600, write)
}

// WriteRun writes a run folder: a copy of the evidence, what fill writes, and the manifest last. All of it is made in a
// folder beside dir that takes dir's place when it is whole; an old run stays until then. dir may be an old run, an empty
// folder or absent; any other folder is refused.
func WriteRun(dir string, set *Set, fill func(*RunWriter) error) error {
	dir = filepath.Clean(dir)
	if err := replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, "."+filepath.Base(dir)+".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	w := &RunWriter{tmp}
	if err := w.evidence(set); err != nil {
		return err
	}
	if err := fill(w); err != nil {
		return err
	}
	if err := w.manifest(); err != nil {
		return err
	}
	return swap(tmp, dir)
}

// replaceable refuses to take the place of a folder that is no run.
func replaceable(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(dir, RunManifest)); err == nil || len(entries) == 0 {
		return nil
	}
	return &UsageError{fmt.Sprintf("%s is a folder that holds something else than a run: name another", dir)}
}

// swap puts tmp in dir's place. Between the two renames dir is absent, never half; an old run is found beside it.
func swap(tmp, dir string) error {
	old := tmp + ".old"
	err := os.Rename(dir, old)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if rerr := os.Rename(tmp, dir); rerr != nil {
		if err == nil {
			return errors.Join(rerr, os.Rename(old, dir))
		}
		return rerr
	}
	if err := syncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// evidence copies every file of the set as it is stored, under its path made safe.
func (w *RunWriter) evidence(set *Set) error {
	m := manifest{Format: BundleFormat, Complete: true, Devices: set.Devices, Files: []fileEntry{}}
	for _, f := range set.Files {
		name := runName(f.Path)
		err := w.Write(name, func(out io.Writer) error {
			in, err := os.Open(set.stored[f])
			if err != nil {
				return err
			}
			defer in.Close()
			_, err = io.Copy(out, in)
			return err
		})
		if err != nil {
			return fmt.Errorf("copy %s: %w", f.Path, err)
		}
		h, err := set.Hash(f)
		if err != nil {
			return err
		}
		info, err := os.Stat(filepath.Join(w.dir, filepath.FromSlash(name)))
		if err != nil {
			return err
		}
		m.Files = append(m.Files, fileEntry{
			Path: name, Host: f.Host, Platform: f.Platform, Command: f.Command, SHA256: h, Size: info.Size(), Taken: f.Mod.UTC().Format("2006-01-02T15:04:05.999999999Z07:00"),
		})
	}
	if len(set.Problems) > 0 {
		m.Complete = false
	}
	m.Devices = slices.Clone(m.Devices)
	if m.Devices == nil {
		m.Devices = []DeviceState{}
	}
	return w.Write("manifest.json", func(out io.Writer) error { return encode(out, m) })
}

// runName is where a file of evidence lies in a run: its path without what would lead out of the folder.
func runName(p string) string {
	var parts []string
	for part := range strings.SplitSeq(p, "/") {
		if part == "" || part == "." || part == ".." {
			continue
		}
		parts = append(parts, safeName(part))
	}
	if len(parts) > 0 && parts[0] == "evidence" {
		parts = parts[1:]
	}
	return "evidence/" + strings.Join(parts, "/")
}

// manifest lists every file but itself.
func (w *RunWriter) manifest() error {
	sums, err := hashTree(w.dir)
	if err != nil {
		return err
	}
	return w.Write(RunManifest, func(out io.Writer) error {
		for _, s := range sums {
			if _, err := fmt.Fprintf(out, "%s  %s\n", s.sum, s.path); err != nil {
				return err
			}
		}
		return nil
	})
}

type sum struct{ path, sum string }

// hashTree is the SHA-256 of every file below dir but its manifest, by path.
func hashTree(dir string) ([]sum, error) {
	var out []sum
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil || rel == RunManifest {
			return err
		}
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		h := sha256.New()
		if _, err := io.Copy(h, f); err != nil {
			return err
		}
		out = append(out, sum{filepath.ToSlash(rel), hex.EncodeToString(h.Sum(nil))})
		return nil
	})
	slices.SortFunc(out, func(a, b sum) int { return cmp.Compare(a.path, b.path) })
	return out, err
}

// A Mismatch is a file of a run that is not what was written.
type Mismatch struct{ Path, What string }

// Verify compares a run folder with its manifest: changed, missing and extra files.
func Verify(dir string) ([]Mismatch, error) {
	f, err := os.Open(filepath.Join(dir, RunManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no %s: it is no run folder, or a run that was not finished", dir, RunManifest)
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	want := map[string]string{}
	var order []string
	for s, n := bufio.NewScanner(f), 1; s.Scan(); n++ {
		hash, name, ok := strings.Cut(s.Text(), "  ")
		if !ok || len(hash) != 2*sha256.Size {
			return nil, fmt.Errorf("%s:%d: not a line of sha256sum", filepath.Join(dir, RunManifest), n)
		}
		want[name] = hash
		order = append(order, name)
	}
	have, err := hashTree(dir)
	if err != nil {
		return nil, err
	}
	var bad []Mismatch
	for _, s := range have {
		switch w, ok := want[s.path]; {
		case !ok:
			bad = append(bad, Mismatch{s.path, "is not in the manifest"})
		case w != s.sum:
			bad = append(bad, Mismatch{s.path, "was changed"})
		}
		delete(want, s.path)
	}
	for _, name := range order {
		if _, missing := want[name]; missing {
			bad = append(bad, Mismatch{name, "is missing"})
		}
	}
	slices.SortFunc(bad, func(a, b Mismatch) int { return cmp.Compare(a.Path, b.Path) })
	return bad, nil
}
