package evidence

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// RunManifest is the name of a run folder's list of hashes, in the form sha256sum -c reads.
const RunManifest = "MANIFEST.sha256"

// A RunWriter writes the files of one run. It is for one goroutine.
type RunWriter struct {
	dir  string
	sums map[string]string // SHA-256 by path below the run
}

// Write writes one file of the run; name is slash-separated below the run folder and is written once.
func (w *RunWriter) Write(name string, write func(io.Writer) error) error {
	_, err := w.write(name, write)
	return err
}

func (w *RunWriter) write(name string, write func(io.Writer) error) (sum string, err error) {
	if !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\\\n\r") || name == RunManifest {
		return "", fmt.Errorf("write %q: not a name for a file of a run", name)
	}
	path := filepath.Join(w.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", err
	}
	h := sha256.New()
	err = flushed(f, func(out io.Writer) error { return write(&hashed{out, h}) })
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	sum = hex.EncodeToString(h.Sum(nil))
	w.sums[name] = sum
	return sum, nil
}

// hashed writes to both; what was written is hashed.
type hashed struct {
	w io.Writer
	h hash.Hash
}

func (h *hashed) Write(p []byte) (int, error) {
	n, err := h.w.Write(p)
	h.h.Write(p[:n])
	return n, err
}

// WriteRun writes a run folder: a copy of the evidence, what fill writes, and the manifest of hashes last. All of it is
// made in a hidden folder beside dir that takes dir's place when it is whole; an old run stays until then. dir may be an
// old run, an empty folder or absent; any other folder is refused.
func WriteRun(dir string, set *Set, fill func(*RunWriter) error) error {
	dir = filepath.Clean(dir)
	if target, err := filepath.EvalSymlinks(dir); err == nil {
		dir = target // a link to the run folder keeps its place
	}
	if err := replaceable(dir); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return err
	}
	tmp, err := os.MkdirTemp(parent, "."+safeName(filepath.Base(dir))+".new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	w := &RunWriter{tmp, map[string]string{}}
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
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 || isFile(dir, RunManifest) {
		return nil
	}
	if info, serr := os.Stat(dir); serr == nil && !info.IsDir() {
		return &UsageError{fmt.Sprintf("%s is a file: a run is written to a folder", dir)}
	}
	if err != nil {
		return err
	}
	return &UsageError{fmt.Sprintf("%s is a folder that holds something else than a run: name another", dir)}
}

// swap puts tmp in dir's place. Between the two renames dir is absent, never half: an old run lies hidden beside it then.
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

// evidence copies every file of the set as it is stored, under its path made safe, and lists it as a bundle does.
func (w *RunWriter) evidence(set *Set) error {
	m := manifest{Format: BundleFormat, Complete: len(set.Problems) == 0, Devices: []DeviceState{}, Files: []fileEntry{}}
	taken := map[string]bool{}
	for _, f := range set.Files {
		at := set.stored[f]
		name := unused(taken, runName(f.Path))
		sum, err := w.write(name, at.copy)
		if err != nil {
			return fmt.Errorf("copy %s: %w", f.Path, err)
		}
		if known := set.known(f); known != "" && known != sum {
			return fmt.Errorf("copy %s: it changed while it was audited; audit again", f.Path)
		}
		e := fileEntry{Path: name, Host: f.Host, Platform: f.Platform, Command: f.Command, SHA256: sum, Size: at.size}
		if !f.Mod.IsZero() {
			e.Taken = f.Mod.UTC().Format(time.RFC3339Nano)
		}
		m.Files = append(m.Files, e)
	}
	for _, p := range set.Problems {
		m.Problems = append(m.Problems, problemEntry(p))
	}
	m.Devices = append(m.Devices, set.Devices...)
	if err := os.MkdirAll(filepath.Join(w.dir, evidenceDir), 0o700); err != nil {
		return err
	}
	return w.Write(manifestName, m.write)
}

// known is the hash of f when it was asked for before.
func (s *Set) known(f *File) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.hashes[f]
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
	if len(parts) > 1 && parts[0] == evidenceDir {
		parts = parts[1:]
	}
	return evidenceDir + "/" + strings.Join(parts, "/")
}

// manifest lists every file but itself.
func (w *RunWriter) manifest() error {
	names := make([]string, 0, len(w.sums))
	for n := range w.sums {
		names = append(names, n)
	}
	slices.Sort(names)
	return AtomicWrite(filepath.Join(w.dir, RunManifest), 0o600, func(out io.Writer) error {
		for _, n := range names {
			if _, err := fmt.Fprintf(out, "%s  %s\n", w.sums[n], n); err != nil {
				return err
			}
		}
		return nil
	})
}

// A Mismatch is a file of a run that is not what was written.
type Mismatch struct{ Path, What string }

// Verify compares a run folder with its manifest: changed, missing, unreadable and extra files, by path.
func Verify(dir string) ([]Mismatch, error) {
	want, err := readSums(filepath.Join(dir, RunManifest))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &UsageError{fmt.Sprintf("%s holds no %s: it is no run folder, or a run that was not finished", dir, RunManifest)}
	}
	if err != nil {
		return nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, err
	}
	var bad []Mismatch
	err = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		rel, rerr := filepath.Rel(dir, name)
		if rerr != nil {
			return rerr
		}
		rel = filepath.ToSlash(rel)
		switch {
		case err != nil:
			bad = append(bad, Mismatch{rel, "cannot be read: " + err.Error()})
			return nil
		case d.IsDir() || rel == RunManifest:
			return nil
		}
		sum, listed := want[rel]
		delete(want, rel)
		switch got, err := hashFile(name, d); {
		case !listed:
			bad = append(bad, Mismatch{rel, "is not in the manifest"})
		case err != nil:
			bad = append(bad, Mismatch{rel, "cannot be read: " + err.Error()})
		case got != sum:
			bad = append(bad, Mismatch{rel, "was changed"})
		}
		return nil
	})
	for name := range want {
		bad = append(bad, Mismatch{name, "is missing"})
	}
	slices.SortFunc(bad, func(a, b Mismatch) int { return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.What, b.What)) })
	return bad, err
}

// readSums reads the lines of sha256sum.
func readSums(name string) (map[string]string, error) {
	data, err := readLimited(name)
	if err != nil {
		return nil, err
	}
	want := map[string]string{}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		sum, path, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "  ")
		if !ok || len(sum) != 2*sha256.Size || path == "" {
			return nil, fmt.Errorf("%s:%d: not a line of sha256sum", name, n)
		}
		want[path] = strings.ToLower(sum)
	}
	return want, nil
}

func hashFile(name string, d fs.DirEntry) (string, error) {
	if !d.Type().IsRegular() {
		return "", errors.New("it is no file")
	}
	f, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
