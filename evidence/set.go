package evidence

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

// Options say how paths are read.
type Options struct {
	Stdin io.Reader
	// Ignore are globs (path.Match) on a path, its base name, or any folder above it.
	Ignore []string
}

// A Set is the evidence of one audit: files sorted by path, with ranks. It is safe for concurrent use.
type Set struct {
	Files    []*File
	Problems []Problem
	// Devices are the manifests' entries, of all bundles under the paths.
	Devices []DeviceState

	stored map[*File]string // the path on disk
	spool  string
	mu     sync.Mutex
	hashes map[*File]string
}

// A UsageError is a path that cannot be audited at all: the caller's mistake, not a lack of the evidence.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return e.msg }

// Open lists the evidence under paths: folders, files, bundles, run folders and - for standard input. What cannot be read
// is a Problem of the set; an error is a path that does not exist or is of a kind that is not read.
func Open(ctx context.Context, o Options, paths ...string) (*Set, error) {
	w := &walker{ctx: ctx, o: o, set: &Set{stored: map[*File]string{}, hashes: map[*File]string{}}, seen: map[string]bool{}}
	for _, p := range paths {
		if err := w.root(p); err != nil {
			w.set.Close()
			return nil, err
		}
	}
	w.set.rank()
	return w.set, ctx.Err()
}

// Close removes what was spooled.
func (s *Set) Close() error {
	if s.spool == "" {
		return nil
	}
	return os.Remove(s.spool)
}

func (s *Set) rank() {
	slices.SortFunc(s.Files, func(a, b *File) int { return cmp.Compare(a.Path, b.Path) })
	for i, f := range s.Files {
		f.Rank = uint32(i + 1)
	}
	slices.SortFunc(s.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Err, b.Err))
	})
	slices.SortFunc(s.Devices, func(a, b DeviceState) int { return cmp.Compare(a.Name, b.Name) })
}

// File is the file of a rank; nil when there is none.
func (s *Set) File(rank uint32) *File {
	if rank == 0 || int(rank) > len(s.Files) {
		return nil
	}
	return s.Files[rank-1]
}

// Find is the file of a path; nil when there is none.
func (s *Set) Find(path string) *File {
	i, ok := slices.BinarySearchFunc(s.Files, path, func(f *File, p string) int { return cmp.Compare(f.Path, p) })
	if !ok {
		return nil
	}
	return s.Files[i]
}

// Hash is the SHA-256 of f's bytes as stored, in hexadecimal.
func (s *Set) Hash(f *File) (string, error) {
	s.mu.Lock()
	h, ok := s.hashes[f]
	s.mu.Unlock()
	if ok {
		return h, nil
	}
	r, err := os.Open(s.stored[f])
	if err != nil {
		return "", err
	}
	defer r.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, r); err != nil {
		return "", fmt.Errorf("read %s: %w", f.Path, err)
	}
	h = hex.EncodeToString(sum.Sum(nil))
	s.mu.Lock()
	s.hashes[f] = h
	s.mu.Unlock()
	return h, nil
}

type walker struct {
	ctx  context.Context
	o    Options
	set  *Set
	seen map[string]bool // real paths of files and folders
}

func (w *walker) problem(p string, err error, hint string) {
	var pe *fs.PathError
	msg := err.Error()
	if errors.As(err, &pe) {
		msg = "cannot " + pe.Op + ": " + pe.Err.Error()
	}
	w.set.Problems = append(w.set.Problems, Problem{Path: filepath.ToSlash(p), Err: msg, Hint: hint})
}

// root adds one path of the command line.
func (w *walker) root(p string) error {
	if p == "-" {
		return w.stdin()
	}
	if strings.HasPrefix(p, "git:") {
		return &UsageError{fmt.Sprintf("%s: bare repositories and revisions are not read; check the revision out and give the folder", p)}
	}
	info, err := os.Stat(p)
	if errors.Is(err, fs.ErrNotExist) {
		return &UsageError{fmt.Sprintf("%s does not exist", p)}
	}
	if err != nil {
		w.problem(p, err, "check the permissions of the path")
		return nil
	}
	p = filepath.Clean(p)
	if !info.IsDir() {
		return w.file(p, info, nil)
	}
	return w.folder(p)
}

// folder adds a bundle, a run folder, or everything below a folder.
func (w *walker) folder(p string) error {
	if m, found, err := readManifest(p); found {
		if err != nil {
			w.problem(filepath.Join(p, "manifest.json"), err, "the bundle was damaged; collect again")
			return w.tree(filepath.Join(p, "evidence"), nil)
		}
		return w.bundle(p, m)
	}
	if isRun(p) {
		return w.tree(filepath.Join(p, "evidence"), nil)
	}
	return w.tree(p, nil)
}

// isRun reports whether p is a run folder without a bundle's manifest: evidence/ beside a result.
func isRun(p string) bool {
	_, err1 := os.Stat(filepath.Join(p, "result.json"))
	info, err2 := os.Stat(filepath.Join(p, "evidence"))
	return err1 == nil && err2 == nil && info.IsDir()
}

// tree adds what is below p. Symbolic links to files are followed when they stay below p; links to folders are not.
func (w *walker) tree(p string, meta map[string]*fileEntry) error {
	real, err := filepath.EvalSymlinks(p)
	if err != nil {
		w.problem(p, err, "")
		return nil
	}
	return filepath.WalkDir(p, func(name string, d fs.DirEntry, err error) error {
		if cerr := w.ctx.Err(); cerr != nil {
			return cerr
		}
		if err != nil {
			w.problem(name, err, "run as a user who may read it, or name it in the policy's ignore")
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if name != p && ignored(name, d.IsDir(), w.o.Ignore) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		info, err := w.stat(name, d, real)
		if info == nil || err != nil {
			return err
		}
		return w.file(name, info, meta)
	})
}

// stat is the information of a regular file, or of what a link within the root leads to; nil when it is left out.
func (w *walker) stat(name string, d fs.DirEntry, root string) (fs.FileInfo, error) {
	if d.Type()&fs.ModeSymlink == 0 {
		info, err := d.Info()
		if err != nil {
			w.problem(name, err, "")
			return nil, nil
		}
		return info, nil
	}
	target, err := filepath.EvalSymlinks(name)
	if err != nil {
		w.problem(name, err, "the link leads nowhere")
		return nil, nil
	}
	info, err := os.Stat(target)
	switch {
	case err != nil:
		w.problem(name, err, "")
		return nil, nil
	case info.IsDir():
		w.problem(name, errors.New("a link to a folder is not followed"), "give the folder as a path of its own")
		return nil, nil
	case target != root && !strings.HasPrefix(target, root+string(filepath.Separator)):
		w.problem(name, errors.New("the link leads outside of the given folder"), "give the file as a path of its own")
		return nil, nil
	}
	return info, nil
}

// images and other files that are beside configurations and never evidence.
var skippedExt = []string{".png", ".jpg", ".jpeg", ".gif", ".svg", ".ico", ".webp", ".bmp", ".pdf"}

// ignored says what is passed over without a word.
func ignored(name string, dir bool, globs []string) bool {
	base := filepath.Base(name)
	if strings.HasPrefix(base, ".") {
		return true
	}
	slash := filepath.ToSlash(name)
	for _, g := range globs {
		g = strings.TrimSuffix(g, "/")
		if ok, err := path.Match(g, slash); ok && err == nil {
			return true
		}
		if ok, err := path.Match(g, base); ok && err == nil {
			return true
		}
	}
	if dir {
		return false
	}
	if strings.HasPrefix(base, "README") || strings.HasPrefix(base, "LICENSE") || strings.HasPrefix(base, "LICENCE") {
		return true
	}
	switch base {
	case "manifest.json", "journal.jsonl", "MANIFEST.sha256":
		return true
	}
	return slices.Contains(skippedExt, strings.ToLower(filepath.Ext(base)))
}

// file adds one file once.
func (w *walker) file(name string, info fs.FileInfo, meta map[string]*fileEntry) error {
	if !info.Mode().IsRegular() {
		w.problem(name, errors.New("neither a file nor a folder"), "")
		return nil
	}
	real, err := filepath.EvalSymlinks(name)
	if err == nil {
		real, err = filepath.Abs(real)
	}
	if err != nil {
		w.problem(name, err, "")
		return nil
	}
	if w.seen[real] {
		return nil
	}
	w.seen[real] = true
	if len(w.set.Files) == MaxRank {
		return &UsageError{fmt.Sprintf("more than %d files", MaxRank)}
	}
	f := &File{Path: filepath.ToSlash(name), Size: info.Size(), Mod: info.ModTime().UTC(), Seekable: true}
	if m := meta[filepath.ToSlash(name)]; m != nil {
		f.Host, f.Platform, f.Command = m.Host, m.Platform, m.Command
		if t, err := time.Parse(time.RFC3339Nano, m.Taken); err == nil {
			f.Mod = t.UTC()
		}
	}
	if err := w.open(f, name); err != nil {
		w.problem(name, err, "check the permissions of the file")
		return nil
	}
	w.set.stored[f] = name
	w.set.Files = append(w.set.Files, f)
	return nil
}

// gzipMagic begins a gzip member (RFC 1952). Others are recognised to say that they are not read.
var gzipMagic = []byte{0x1f, 0x8b, 8}

// open gives f its stream, decoded when it is compressed.
func (w *walker) open(f *File, name string) error {
	r, err := os.Open(name)
	if err != nil {
		return err
	}
	defer r.Close()
	var head [512]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if bytes.HasPrefix(head[:n], gzipMagic) {
		f.Size, f.Seekable = -1, false
		f.Open = func(off int64) (io.ReadCloser, error) { return openGzip(name, off) }
		return nil
	}
	f.Open = func(off int64) (io.ReadCloser, error) {
		r, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		if off > 0 {
			if _, err := r.Seek(off, io.SeekStart); err != nil {
				r.Close()
				return nil, err
			}
		}
		return r, nil
	}
	return nil
}

type gzipFile struct {
	*gzip.Reader
	file *os.File
}

func (g *gzipFile) Close() error { return errors.Join(g.Reader.Close(), g.file.Close()) }

// openGzip decodes name and passes over the first off bytes of what it decodes to.
func openGzip(name string, off int64) (io.ReadCloser, error) {
	r, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		r.Close()
		return nil, err
	}
	if _, err := io.CopyN(io.Discard, z, off); err != nil {
		r.Close()
		return nil, err
	}
	return &gzipFile{z, r}, nil
}

// stdin spools standard input, so that its lines can be shown later.
func (w *walker) stdin() error {
	if w.o.Stdin == nil || w.set.spool != "" {
		return &UsageError{"standard input can be read once"}
	}
	tmp, err := os.CreateTemp("", "quaymaster-stdin-")
	if err != nil {
		return fmt.Errorf("spool standard input: %w", err)
	}
	w.set.spool = tmp.Name()
	n, err := io.Copy(tmp, w.o.Stdin)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("spool standard input: %w", err)
	}
	if n == 0 {
		return nil
	}
	f := &File{Path: "stdin", Size: n, Seekable: true}
	if err := w.open(f, tmp.Name()); err != nil {
		return fmt.Errorf("spool standard input: %w", err)
	}
	w.set.stored[f] = tmp.Name()
	w.set.Files = append(w.set.Files, f)
	return nil
}
