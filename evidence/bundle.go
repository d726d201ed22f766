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
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// A Bundle is a folder being collected into. It is safe for concurrent use by the devices' collectors.
//
// Every file is written under a hidden name, flushed and renamed; then a line of journal.jsonl says that it is whole. The
// manifest is written last. So a process that dies at any moment leaves a whole manifest, or a journal that lists what is
// whole.
type Bundle struct {
	dir string
	now func() time.Time
	j   journal

	mu    sync.Mutex // guards what follows
	m     manifest
	gaps  map[string][]Gap
	names map[string]bool // lower case, for file systems that do not tell case
	open  map[*stream]bool
}

// NewBundle starts a bundle in dir, which must not hold one. now gives the time files are stamped with.
func NewBundle(dir string, now func() time.Time) (*Bundle, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	for _, name := range []string{manifestName, journalName, evidenceDir} {
		if _, err := os.Lstat(filepath.Join(dir, name)); err == nil {
			return nil, &UsageError{fmt.Sprintf("%s already holds a bundle: name another folder, or remove it", dir)}
		}
	}
	f, err := os.OpenFile(filepath.Join(dir, journalName), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	b := &Bundle{dir: dir, now: now, j: journal{f: f}, gaps: map[string][]Gap{}, names: map[string]bool{}, open: map[*stream]bool{}}
	b.m = manifest{Format: BundleFormat, Taken: b.stamp(), Devices: []DeviceState{}, Files: []fileEntry{}}
	err = b.j.log(journalLine{Bundle: &b.m})
	if err == nil {
		err = os.Mkdir(filepath.Join(dir, evidenceDir), 0o700)
	}
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return b, nil
}

func (b *Bundle) stamp() string { return b.now().UTC().Format(time.RFC3339Nano) }

// A journal is a file of JSON lines. What log returned for is on the disk; lines logged at one time share a flush.
type journal struct {
	mu      sync.Mutex // guards f's end and written
	f       *os.File
	written uint64
	flush   sync.Mutex // held while flushing; guards flushed
	flushed uint64
}

func (j *journal) log(l journalLine) error {
	data, err := json.Marshal(l)
	if err != nil {
		return err
	}
	j.mu.Lock()
	_, err = j.f.Write(append(data, '\n'))
	j.written++
	mine := j.written
	j.mu.Unlock()
	if err != nil {
		return err
	}
	j.flush.Lock()
	defer j.flush.Unlock()
	if j.flushed >= mine {
		return nil
	}
	j.mu.Lock()
	all := j.written
	j.mu.Unlock()
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.flushed = all
	return nil
}

// Device is the writer of one device's collector.
func (b *Bundle) Device(name, platform string) *Writer {
	return NewWriter(
		func(file string, m Meta) (io.WriteCloser, error) { return b.create(name, platform, file, m) },
		func(what, why, hint string) { b.gap(name, Gap{what, why, hint}) })
}

func (b *Bundle) gap(device string, g Gap) {
	b.mu.Lock()
	b.gaps[device] = append(b.gaps[device], g)
	b.mu.Unlock()
	// A journal that cannot be written is told by the next file or by Done; the manifest has the gap anyway.
	_ = b.j.log(journalLine{Gap: &deviceGap{device, g}})
}

// Done records how a device ended, with the gaps its collectors told. Streams of it that were not closed are dropped and
// become gaps.
func (b *Bundle) Done(s DeviceState) error {
	b.drop(s.Name, &s)
	b.mu.Lock()
	s.Gaps = append(slices.Clone(s.Gaps), b.gaps[s.Name]...)
	delete(b.gaps, s.Name)
	b.m.Devices = append(b.m.Devices, s)
	b.mu.Unlock()
	if dir := filepath.Join(b.dir, evidenceDir, safeName(s.Name)); isDir(dir) {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	return b.j.log(journalLine{Device: &s})
}

// drop removes the open streams of a device.
func (b *Bundle) drop(device string, s *DeviceState) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for f := range b.open {
		if f.device == device {
			names = append(names, f.name)
			f.discard()
			delete(b.open, f)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		b.gaps[device] = append(b.gaps[device], Gap{What: n, Why: "it was not read to its end"})
		if s.State == StateComplete {
			s.State, s.Error = StatePartial, cmp.Or(s.Error, "a file was not read to its end")
		}
	}
}

// Close writes the manifest. complete is false when devices were left out, such as after an interruption. Devices that
// wrote or told something and for which Done was not called are listed as partial.
func (b *Bundle) Close(complete bool) error {
	for _, name := range b.unfinished() {
		if err := b.Done(DeviceState{Name: name, State: StatePartial, Error: "the collection was interrupted"}); err != nil {
			return err
		}
		complete = false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.m.Complete = complete
	slices.SortFunc(b.m.Devices, compareDevices)
	slices.SortFunc(b.m.Files, func(x, y fileEntry) int { return cmp.Compare(x.Path, y.Path) })
	if err := syncDir(filepath.Join(b.dir, evidenceDir)); err != nil {
		return err
	}
	err := AtomicWrite(filepath.Join(b.dir, manifestName), 0o600, b.m.write)
	if err := errors.Join(err, b.j.f.Close()); err != nil {
		return err
	}
	return os.Remove(b.j.f.Name())
}

// unfinished are the devices with streams or gaps nobody called Done for.
func (b *Bundle) unfinished() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for f := range b.open {
		names = append(names, f.device)
	}
	for n := range b.gaps {
		names = append(names, n)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// maxName bounds a file or folder name: ext4, XFS, APFS and NTFS allow 255, and suffixes are added.
const maxName = 200

// safeName makes a file name of any text, on any system: no separators, no leading or trailing dot or space, at most
// maxName bytes.
func safeName(s string) string {
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(s, "_"))
	if len(s) > maxName {
		n := maxName
		for !utf8.RuneStart(s[n]) {
			n--
		}
		s = s[:n]
	}
	if s == "" || s[0] == '.' || s[0] == ' ' {
		s = "_" + s
	}
	if last := s[len(s)-1]; last == '.' || last == ' ' {
		s += "_"
	}
	return s
}

// unused is the first of name, name.2, name.3 ... that is not taken yet, and takes it.
func unused(taken map[string]bool, name string) string {
	free := name
	for n := 2; taken[strings.ToLower(free)]; n++ {
		free = fmt.Sprintf("%s.%d", name, n)
	}
	taken[strings.ToLower(free)] = true
	return free
}

// A stream is one file of evidence being written: unseen under its name until it is whole.
type stream struct {
	b            *Bundle
	device, name string
	f            *os.File
	w            *bufio.Writer
	sum          hash.Hash
	entry        fileEntry
	final        string
}

func (b *Bundle) create(device, platform, name string, m Meta) (io.WriteCloser, error) {
	host := cmp.Or(m.Host, device)
	dir := filepath.Join(b.dir, evidenceDir, safeName(device))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	b.mu.Lock()
	rel := unused(b.names, path.Join(evidenceDir, safeName(device), safeName(name)))
	b.mu.Unlock()
	final := filepath.Join(b.dir, filepath.FromSlash(rel))
	f, err := os.OpenFile(filepath.Join(dir, "."+filepath.Base(final)+".partial"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	s := &stream{
		b: b, device: device, name: name, f: f, w: bufio.NewWriterSize(f, 32<<10), sum: sha256.New(), final: final,
		entry: fileEntry{Path: rel, Host: host, Platform: cmp.Or(m.Platform, platform), Format: m.Format, Command: m.Command},
	}
	b.mu.Lock()
	b.open[s] = true
	b.mu.Unlock()
	return s, nil
}

func (s *stream) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	s.sum.Write(p[:n])
	s.entry.Size += int64(n)
	return n, err
}

// Close makes the file part of the bundle. After an error, and after Done of its device, it is none.
func (s *stream) Close() error {
	b := s.b
	b.mu.Lock()
	mine := b.open[s]
	delete(b.open, s)
	b.mu.Unlock()
	if !mine {
		return fmt.Errorf("close %s: %w", s.name, os.ErrClosed)
	}
	if err := errors.Join(s.w.Flush(), s.f.Sync()); err != nil {
		s.discard()
		return err
	}
	err := s.f.Close()
	if err == nil {
		err = os.Rename(s.f.Name(), s.final)
	}
	if err != nil {
		os.Remove(s.f.Name())
		return err
	}
	s.entry.SHA256 = hex.EncodeToString(s.sum.Sum(nil))
	s.entry.Taken = b.stamp()
	b.mu.Lock()
	b.m.Files = append(b.m.Files, s.entry)
	b.mu.Unlock()
	return b.j.log(journalLine{File: &s.entry})
}

// discard removes what was written.
func (s *stream) discard() {
	s.f.Close()
	os.Remove(s.f.Name())
}
