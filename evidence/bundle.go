package evidence

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// BundleFormat names the manifest's format.
const BundleFormat = "quaymaster-bundle-v1"

// A manifest lists what a bundle holds. It is written last, as a whole: a bundle without one was not finished.
type manifest struct {
	Format   string        `json:"format"`
	Taken    string        `json:"taken"` // RFC 3339, UTC
	Complete bool          `json:"complete"`
	Devices  []DeviceState `json:"devices"`
	Files    []fileEntry   `json:"files"`
}

// A DeviceState is how collecting one device ended.
type DeviceState struct {
	Name      string `json:"name"`
	Platform  string `json:"platform,omitempty"`
	Collector string `json:"collector,omitempty"`
	State     string `json:"state"` // complete, partial, failed, skipped
	Error     string `json:"error,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Gaps      []Gap  `json:"gaps,omitempty"`
}

// A Gap is evidence of a device that could not be had.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why,omitempty"`
	Hint string `json:"hint,omitempty"`
}

type fileEntry struct {
	Path     string `json:"path"` // below the bundle, slashes
	Host     string `json:"host,omitempty"`
	Platform string `json:"platform,omitempty"`
	Format   string `json:"format,omitempty"`
	Command  string `json:"command,omitempty"`
	SHA256   string `json:"sha256"`
	Size     int64  `json:"size"`
	Taken    string `json:"taken"`
}

// A journalLine is one step of a collection, appended as it happens.
type journalLine struct {
	File   *fileEntry   `json:"file,omitempty"`
	Device *DeviceState `json:"device,omitempty"`
}

// A Bundle is a folder being collected into. It is safe for concurrent use by the devices' collectors.
type Bundle struct {
	dir     string
	now     func() time.Time
	mu      sync.Mutex
	journal *os.File
	m       manifest
	gaps    map[string][]Gap
	names   map[string]bool
}

// NewBundle starts a bundle in dir, which must not hold one.
func NewBundle(dir string, now func() time.Time) (*Bundle, error) {
	if err := os.MkdirAll(filepath.Join(dir, "evidence"), 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{"manifest.json", "journal.jsonl"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return nil, fmt.Errorf("%s already holds a bundle: name another folder, or remove it", dir)
		}
	}
	j, err := os.OpenFile(filepath.Join(dir, "journal.jsonl"), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	b := &Bundle{dir: dir, now: now, journal: j, gaps: map[string][]Gap{}, names: map[string]bool{}}
	b.m = manifest{Format: BundleFormat, Taken: b.stamp(), Devices: []DeviceState{}, Files: []fileEntry{}}
	return b, nil
}

func (b *Bundle) stamp() string { return b.now().UTC().Format(time.RFC3339Nano) }

// log appends one step and flushes it: what the journal says happened, happened.
func (b *Bundle) log(l journalLine) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := b.journal.Write(append(data, '\n')); err != nil {
		return err
	}
	return b.journal.Sync()
}

// Device is the writer of one device's collector.
func (b *Bundle) Device(name, platform string) *Writer {
	return NewWriter(
		func(file string, m Meta) (io.WriteCloser, error) { return b.create(name, platform, file, m) },
		func(what, why, hint string) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.gaps[name] = append(b.gaps[name], Gap{what, why, hint})
		})
}

// Done records how a device ended.
func (b *Bundle) Done(s DeviceState) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Gaps = append(s.Gaps, b.gaps[s.Name]...)
	b.m.Devices = append(b.m.Devices, s)
	return b.log(journalLine{Device: &s})
}

// Close writes the manifest. complete is false when devices were left out, such as after an interruption.
func (b *Bundle) Close(complete bool) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m.Complete = complete
	slices.SortFunc(b.m.Devices, func(x, y DeviceState) int { return cmp.Compare(x.Name, y.Name) })
	slices.SortFunc(b.m.Files, func(x, y fileEntry) int { return cmp.Compare(x.Path, y.Path) })
	err := AtomicWrite(filepath.Join(b.dir, "manifest.json"), 0o600, func(w io.Writer) error {
		return encode(w, b.m)
	})
	if err := errors.Join(err, b.journal.Close()); err != nil {
		return err
	}
	return os.Remove(b.journal.Name())
}

func encode(w io.Writer, m manifest) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(m)
}

// safeName makes a file name of any text: no separators, no leading dot, at most 200 bytes.
func safeName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if s == "" || s[0] == '.' {
		s = "_" + s
	}
	return s[:min(len(s), 200)]
}

// A stream is one file of evidence being written: unseen under its name until it is whole.
type stream struct {
	b     *Bundle
	f     *os.File
	w     *bufio.Writer
	sum   hash.Hash
	entry fileEntry
	final string
}

func (b *Bundle) create(device, platform, name string, m Meta) (io.WriteCloser, error) {
	host := cmp.Or(m.Host, device)
	dir := filepath.Join(b.dir, "evidence", safeName(device))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	rel := path.Join("evidence", safeName(device), safeName(name))
	b.mu.Lock()
	for n := 2; b.names[rel]; n++ {
		rel = path.Join("evidence", safeName(device), fmt.Sprintf("%s.%d", safeName(name), n))
	}
	b.names[rel] = true
	b.mu.Unlock()
	final := filepath.Join(b.dir, filepath.FromSlash(rel))
	f, err := os.OpenFile(filepath.Join(dir, "."+filepath.Base(final)+".partial"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	return &stream{
		b: b, f: f, w: bufio.NewWriterSize(f, 32<<10), sum: sha256.New(), final: final,
		entry: fileEntry{Path: rel, Host: host, Platform: cmp.Or(m.Platform, platform), Format: m.Format, Command: m.Command},
	}, nil
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.entry.Size += int64(n)
	return n, err
}

// Close makes the file part of the bundle.
func (s *stream) Close() error {
	if err := errors.Join(s.w.Flush(), s.f.Sync(), s.f.Close()); err != nil {
		return err
	}
	if err := os.Rename(s.f.Name(), s.final); err != nil {
		return err
	}
	s.entry.SHA256 = hex.EncodeToString(s.sum.Sum(nil))
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.entry.Taken = s.b.stamp()
	s.b.m.Files = append(s.b.m.Files, s.entry)
	return s.b.log(journalLine{File: &s.entry})
}

// readManifest reads a bundle's manifest, or what its journal says when it was not finished. found is false when dir is
// no bundle.
func readManifest(dir string) (m *manifest, found bool, err error) {
	data, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err == nil {
		m = new(manifest)
		if err := json.Unmarshal(data, m); err != nil {
			return nil, strings.Contains(string(data[:min(len(data), 200)]), BundleFormat), fmt.Errorf("the manifest cannot be read: %w", err)
		}
		return m, m.Format == BundleFormat, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, false, err
	}
	f, err := os.Open(filepath.Join(dir, "journal.jsonl"))
	if err != nil {
		return nil, false, nil
	}
	defer f.Close()
	m = &manifest{Format: BundleFormat}
	for d := json.NewDecoder(f); ; {
		var l journalLine
		if err := d.Decode(&l); err != nil {
			break // the last line may be half written
		}
		if l.File != nil {
			m.Files = append(m.Files, *l.File)
		}
		if l.Device != nil {
			m.Devices = append(m.Devices, *l.Device)
		}
	}
	return m, true, nil
}

// bundle adds what a manifest lists, and says what it lacks.
func (w *walker) bundle(dir string, m *manifest) error {
	if _, err := os.Stat(filepath.Join(dir, "manifest.json")); err != nil {
		w.set.Problems = append(w.set.Problems, Problem{
			Path: filepath.ToSlash(dir), Err: "the collection did not finish", Hint: "collect again; what is whole is used",
		})
	} else if !m.Complete {
		w.set.Problems = append(w.set.Problems, Problem{
			Path: filepath.ToSlash(dir), Err: "the collection was interrupted", Hint: "collect again; what is whole is used",
		})
	}
	for _, d := range m.Devices {
		w.set.Devices = append(w.set.Devices, d)
		if d.State != "complete" {
			w.set.Problems = append(w.set.Problems, Problem{
				Path: d.Name, Err: "the device was not collected whole (" + d.State + "): " + cmp.Or(d.Error, "no reason was recorded"), Hint: d.Hint,
			})
		}
	}
	meta := map[string]*fileEntry{}
	for i := range m.Files {
		e := &m.Files[i]
		name := filepath.Join(dir, filepath.FromSlash(e.Path))
		if !filepath.IsLocal(filepath.FromSlash(e.Path)) {
			w.problem(dir, fmt.Errorf("the manifest names %q, which is outside of the bundle", e.Path), "")
			continue
		}
		info, err := os.Lstat(name)
		switch {
		case err != nil:
			w.problem(name, errors.New("the manifest lists this file and it is not there"), "the bundle was damaged; collect again")
			continue
		case info.Size() != e.Size:
			w.problem(name, fmt.Errorf("the file has %d bytes, the manifest says %d", info.Size(), e.Size), "the bundle was damaged; collect again")
		}
		meta[filepath.ToSlash(name)] = e
	}
	return w.tree(filepath.Join(dir, "evidence"), meta)
}
