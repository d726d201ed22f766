package evidence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// BundleFormat names the manifest's format.
const BundleFormat = "quaymaster-bundle-v1"

const (
	manifestName = "manifest.json"
	journalName  = "journal.jsonl"
)

// States of a device in a manifest.
const (
	StateComplete = "complete" // everything that was asked for is in the bundle
	StatePartial  = "partial"  // some of it is
	StateFailed   = "failed"   // nothing is
	StateSkipped  = "skipped"  // it was not asked
)

// A manifest lists what a bundle holds. It is written last, as a whole: a bundle without one was not finished.
type manifest struct {
	Format   string        `json:"format"`
	Taken    string        `json:"taken,omitempty"` // RFC 3339, UTC
	Complete bool          `json:"complete"`
	Devices  []DeviceState `json:"devices"`
	Files    []fileEntry   `json:"files"`
	// Problems are what a run could not read of the evidence it was given; its copy lacks it as well.
	Problems []problemEntry `json:"problems,omitempty"`
}

// A DeviceState is how collecting one device ended.
type DeviceState struct {
	Name      string `json:"name"`
	Address   string `json:"address,omitempty"`
	Platform  string `json:"platform,omitempty"`
	Collector string `json:"collector,omitempty"`
	State     string `json:"state"` // StateComplete, StatePartial, StateFailed or StateSkipped
	Error     string `json:"error,omitempty"`
	Hint      string `json:"hint,omitempty"`
	Gaps      []Gap  `json:"gaps,omitempty"`
}

func compareDevices(a, b DeviceState) int {
	return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.Collector, b.Collector), cmp.Compare(a.Address, b.Address),
		cmp.Compare(a.State, b.State), cmp.Compare(a.Error, b.Error))
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
	Taken    string `json:"taken,omitempty"` // RFC 3339, UTC
}

type problemEntry struct {
	Path string `json:"path"`
	Line int    `json:"line,omitempty"`
	Err  string `json:"error"`
	Hint string `json:"hint,omitempty"`
}

// A journalLine is one step of a collection, appended as it happens.
type journalLine struct {
	Bundle *manifest    `json:"bundle,omitempty"` // the first line: format and time
	File   *fileEntry   `json:"file,omitempty"`
	Device *DeviceState `json:"device,omitempty"`
	Gap    *deviceGap   `json:"gap,omitempty"`
}

type deviceGap struct {
	Device string `json:"device"`
	Gap
}

func (m *manifest) write(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(m)
}

// maxManifest bounds what is read of a manifest or journal: 100,000 devices of ten files take 300 MB.
const maxManifest = 1 << 30

// readManifest reads a bundle's manifest, or what its journal says when it was not finished. found is false when dir is
// no bundle; with found, an error is a bundle whose manifest cannot be read.
func readManifest(dir string) (m *manifest, found bool, err error) {
	name := filepath.Join(dir, manifestName)
	data, err := readLimited(name)
	if errors.Is(err, fs.ErrNotExist) {
		return readJournal(dir)
	}
	if err != nil {
		return nil, isFile(dir, journalName), err
	}
	m = new(manifest)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, bytes.Contains(data, []byte(BundleFormat)), err
	}
	if m.Format == BundleFormat {
		return m, true, nil
	}
	if strings.HasPrefix(m.Format, "quaymaster-bundle-") {
		return nil, true, fmt.Errorf("format %q is of another version of quaymaster", m.Format)
	}
	return nil, false, nil
}

func readLimited(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err == nil && len(data) > maxManifest {
		err = fmt.Errorf("larger than %d bytes", maxManifest)
	}
	return data, err
}

// readJournal reads the steps of a collection that did not finish. The last line may be half written; what it says did
// not happen.
func readJournal(dir string) (*manifest, bool, error) {
	data, err := readLimited(filepath.Join(dir, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, true, err
	}
	m := &manifest{}
	gaps := map[string][]Gap{}
	for line := range bytes.Lines(data) {
		var l journalLine
		if !bytes.HasSuffix(line, []byte("\n")) || json.Unmarshal(line, &l) != nil {
			break
		}
		switch {
		case l.Bundle != nil:
			m.Format, m.Taken = l.Bundle.Format, l.Bundle.Taken
		case l.File != nil:
			m.Files = append(m.Files, *l.File)
		case l.Gap != nil:
			gaps[l.Gap.Device] = append(gaps[l.Gap.Device], l.Gap.Gap)
		case l.Device != nil:
			m.Devices = append(m.Devices, *l.Device)
			delete(gaps, l.Device.Name) // its own list holds them
		}
	}
	if m.Format != BundleFormat {
		// A collection that died before its first line was flushed has an empty journal.
		return m, len(bytes.TrimSpace(data)) == 0, nil
	}
	for name, g := range gaps {
		m.Devices = append(m.Devices, DeviceState{Name: name, State: StatePartial, Error: "the collection did not finish", Gaps: g})
	}
	slices.SortFunc(m.Devices, compareDevices)
	return m, true, nil
}

// bundle adds what a bundle's manifest lists, and says what is not there. done is false when dir is no bundle.
func (w *walker) bundle(dir, real string) (done bool, err error) {
	m, found, err := readManifest(dir)
	if !found {
		return false, nil
	}
	if w.dirs[real] {
		return true, nil
	}
	w.dirs[real] = true
	inside := filepath.Join(dir, evidenceDir)
	if err != nil {
		w.problem(dir, fmt.Errorf("the manifest cannot be read: %w", err), "the bundle was damaged: what lies in it is read without knowing its device; collect again")
		return true, w.below(dir, inside, real)
	}
	unfinished := !isFile(dir, manifestName)
	switch {
	case unfinished:
		w.problem(dir, errors.New("the collection did not finish"), "collect again; the files that were whole are used")
	case !m.Complete && len(m.Problems) == 0:
		w.problem(dir, errors.New("the collection was interrupted"), "collect again; the files that were whole are used")
	}
	for _, p := range m.Problems {
		w.set.Problems = append(w.set.Problems, Problem(p))
	}
	for _, d := range m.Devices {
		w.set.Devices = append(w.set.Devices, d)
		if d.State != StateComplete {
			w.set.Problems = append(w.set.Problems, Problem{
				Path: d.Name, Err: fmt.Sprintf("the device was not collected whole (%s): %s", d.State, cmp.Or(d.Error, "no reason was recorded")), Hint: d.Hint,
			})
		}
	}
	for i := range m.Files {
		w.entry(dir, &m.Files[i])
	}
	if unfinished || !isDir(inside) {
		return true, w.ctx.Err()
	}
	return true, w.below(dir, inside, real) // what was put beside the collected files later
}

func isDir(name string) bool {
	info, err := os.Lstat(name)
	return err == nil && info.IsDir()
}

// entry adds a file a manifest lists.
func (w *walker) entry(dir string, e *fileEntry) {
	rel := path.Clean(e.Path)
	name := filepath.Join(dir, filepath.FromSlash(rel))
	const damaged = "the bundle was damaged; collect again"
	if !strings.HasPrefix(rel, evidenceDir+"/") || !filepath.IsLocal(filepath.FromSlash(rel)) {
		w.problem(dir, fmt.Errorf("the manifest names %q, which is not evidence of the bundle", e.Path), damaged)
		return
	}
	for at, isDir := rel, false; at != "."; at, isDir = path.Dir(at), true {
		if w.ignored(dir, filepath.Join(dir, filepath.FromSlash(at)), isDir) {
			return
		}
	}
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		w.problem(name, errors.New("the manifest lists this file and it is not there"), damaged)
	case err != nil:
		w.problem(name, err, "check the permissions of the file")
	default:
		if info.Mode().IsRegular() && info.Size() != e.Size {
			w.problem(name, fmt.Errorf("the file has %d bytes, the manifest says %d", info.Size(), e.Size), damaged)
		}
		w.add(name, info, e, false)
	}
}
