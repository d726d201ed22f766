package evidence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A walker lists what is under the paths of the command line.
type walker struct {
	ctx   context.Context
	o     Options
	set   *Set
	found map[string]*candidate // by real path
	dirs  map[string]bool       // real paths of bundles and folders given, so that none is read twice
	past  Past                  // what is being listed
	given []string              // the paths of the command line, cleaned
}

// A candidate is a file with what one way to it says.
type candidate struct {
	file *File
	at   stored
	meta bool // a manifest lists it
	link bool // the way is a symbolic link
}

// better orders ways to one file: the manifest's, then no link, then the smaller path.
func (c *candidate) better(o *candidate) bool {
	if c.meta != o.meta {
		return c.meta
	}
	if c.link != o.link {
		return o.link
	}
	return c.file.Path < o.file.Path
}

func newWalker(ctx context.Context, o Options) *walker {
	return &walker{
		ctx: ctx, o: o, set: &Set{stored: map[*File]stored{}, hashes: map[*File]string{}},
		found: map[string]*candidate{}, dirs: map[string]bool{},
	}
}

// finish ranks what was found.
func (w *walker) finish() error {
	s := w.set
	if len(w.found) > MaxRank {
		return &UsageError{fmt.Sprintf("more than %d files", MaxRank)}
	}
	for _, c := range w.found {
		s.Files = append(s.Files, c.file)
		s.stored[c.file] = c.at
	}
	slices.SortFunc(s.Files, func(a, b *File) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(s.stored[a].name, s.stored[b].name))
	})
	for i, f := range s.Files {
		f.Rank = uint32(i + 1)
	}
	slices.SortFunc(s.Problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Err, b.Err), cmp.Compare(a.Hint, b.Hint))
	})
	s.Problems = slices.Compact(s.Problems)
	slices.SortFunc(s.Changes, func(a, b Change) int {
		return cmp.Or(a.Time.Compare(b.Time), cmp.Compare(a.Commit, b.Commit), cmp.Compare(a.Path, b.Path))
	})
	slices.SortFunc(s.Devices, compareDevices)
	slices.Sort(s.Runs)
	s.Runs = slices.Compact(s.Runs)
	return nil
}

func (w *walker) problem(p string, err error, hint string) {
	var pe *fs.PathError
	msg := err.Error()
	if errors.As(err, &pe) {
		msg = "cannot " + pe.Op + ": " + pe.Err.Error()
	}
	w.set.Problems = append(w.set.Problems, Problem{Path: filepath.ToSlash(p), Err: msg, Hint: hint})
}

// roots adds the paths of the command line, in an order of their own, so that the user's does not matter.
func (w *walker) roots(paths []string) error {
	clean := make([]string, len(paths))
	for i, p := range paths {
		switch {
		case p == "":
			return &UsageError{"an empty path was given"}
		case strings.HasPrefix(p, "git:"):
			clean[i] = p
			continue
		}
		clean[i] = filepath.Clean(p)
	}
	slices.Sort(clean)
	w.given = clean
	for _, p := range slices.Compact(clean) {
		if err := w.root(p); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) root(p string) error {
	if strings.HasPrefix(p, "git:") {
		return w.git(p, w.past)
	}
	if p == "-" {
		if w.o.Stdin == nil {
			return &UsageError{"there is no standard input to read"}
		}
		return w.spool("stdin", w.o.Stdin)
	}
	info, err := os.Stat(p)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return &UsageError{fmt.Sprintf("%s does not exist", p)}
	}
	if err != nil {
		w.problem(p, err, "check the permissions of the path")
		return nil
	}
	switch {
	case info.IsDir():
		return w.folder(p)
	case info.Mode()&fs.ModeNamedPipe != 0:
		r, err := os.Open(p)
		if err != nil {
			w.problem(p, err, "check the permissions of the path")
			return nil
		}
		defer r.Close()
		return w.spool(filepath.ToSlash(p), r)
	}
	w.add(p, info, nil, false)
	return nil
}

// folder adds a bundle, a run folder, or everything below a folder the user named.
func (w *walker) folder(p string) error {
	real, err := realPath(p)
	if err != nil {
		w.problem(p, err, "")
		return nil
	}
	if w.dirs[real] {
		return nil
	}
	if done, err := w.bundle(p, real); done || err != nil {
		return err
	}
	w.dirs[real] = true
	if isRun(p) {
		w.problem(p, errors.New("the run folder has no manifest.json: where its evidence is from is lost"), "the run was damaged; audit the original evidence")
		return w.below(p, p+string(filepath.Separator)+evidenceDir, real)
	}
	return w.below(p, p, real)
}

// evidenceDir is the folder of a bundle or run that holds the evidence.
const evidenceDir = "evidence"

// realPath is p without symbolic links, from the root of the file system.
func realPath(p string) (string, error) {
	p, err := filepath.EvalSymlinks(p)
	if err != nil {
		return "", err
	}
	return filepath.Abs(p)
}

// isRun reports whether p holds a result and hashes: what WriteRun makes.
func isRun(p string) bool { return isFile(p, RunManifest) && isFile(p, "result.json") }

func isFile(dir, name string) bool {
	info, err := os.Lstat(filepath.Join(dir, name))
	return err == nil && info.Mode().IsRegular()
}

// below adds everything in dir. root is the folder given, real its real path: links within it are followed to files.
func (w *walker) below(root, dir, real string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.problem(dir, err, "run as a user who may read it, or name it in the policy's ignore")
	}
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if beside(e.Name(), e.IsDir()) || w.ignored(root, name, e.IsDir()) {
			continue
		}
		switch {
		case e.IsDir():
			err = w.inner(root, name, real)
		case e.Type()&fs.ModeSymlink != 0:
			w.link(name, real)
			err = nil
		default:
			info, ierr := e.Info()
			if ierr != nil {
				w.problem(name, ierr, "it changed while it was read")
				continue
			}
			w.add(name, info, nil, false)
			err = nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// inner adds a folder found below another. A bundle is read as one. A run is named and left out: it holds copies of
// evidence, and the result of auditing a folder into itself must not change what the next audit reads.
func (w *walker) inner(root, dir, real string) error {
	if isFile(dir, manifestName) || isFile(dir, journalName) || isFile(dir, RunManifest) {
		at, err := realPath(dir)
		if err != nil {
			w.problem(dir, err, "")
			return nil
		}
		if isRun(dir) {
			w.set.Runs = append(w.set.Runs, filepath.ToSlash(dir))
			return nil
		}
		if done, err := w.bundle(dir, at); done || err != nil {
			return err
		}
	}
	return w.below(root, dir, real)
}

// ignored applies the policy's globs to a name, as it is shown and as it lies below the root.
func (w *walker) ignored(root, name string, dir bool) bool {
	shown := filepath.ToSlash(name)
	rel := shown
	if root != "." {
		rel = strings.TrimPrefix(strings.TrimPrefix(shown, filepath.ToSlash(root)), "/")
	}
	for _, g := range w.o.Ignore {
		if MatchIgnore(g, shown, dir) || MatchIgnore(g, rel, dir) {
			return true
		}
	}
	return false
}

// link adds what a symbolic link leads to, when that is a file within the folder given. A link to a folder within it is
// no loss: the folder is read under its own name.
func (w *walker) link(name, root string) {
	target, err := realPath(name)
	if err != nil {
		w.problem(name, errors.New("the link leads nowhere"), "remove it, or name it in the policy's ignore")
		return
	}
	inside := target == root || strings.HasPrefix(target, strings.TrimSuffix(root, string(filepath.Separator))+string(filepath.Separator))
	info, err := os.Stat(target)
	switch {
	case err != nil:
		w.problem(name, err, "check the permissions of the file")
	case !inside:
		w.problem(name, errors.New("the link leads outside of the given folder and is not followed"), "give what it leads to as a path of its own, or name it in the policy's ignore")
	case info.IsDir():
	default:
		w.add(name, info, nil, true)
	}
}

// add adds one file.
func (w *walker) add(name string, info fs.FileInfo, meta *fileEntry, link bool) {
	if !info.Mode().IsRegular() {
		w.problem(name, errors.New("neither a file nor a folder"), "")
		return
	}
	real, err := realPath(name)
	if err != nil {
		w.problem(name, err, "")
		return
	}
	c := &candidate{
		file: &File{Path: filepath.ToSlash(name), Size: info.Size(), Mod: info.ModTime().UTC(), Past: w.past, Seekable: true},
		at:   stored{name: name, size: info.Size()}, meta: meta != nil, link: link,
	}
	if meta != nil {
		c.file.Host, c.file.Platform, c.file.Command = meta.Host, meta.Platform, meta.Command
		c.at.want = meta.SHA256
		if t, err := time.Parse(time.RFC3339Nano, meta.Taken); err == nil {
			c.file.Mod = t.UTC()
		}
	}
	if old := w.found[real]; old != nil && (old.file.Past < w.past || !c.better(old)) {
		return
	}
	if err := c.file.decoder(name); err != nil {
		hint := "check the permissions of the file"
		var p *packedError
		if errors.As(err, &p) {
			hint = p.mends
		}
		w.problem(name, err, hint)
		return
	}
	c.file.Rel = w.rel(c.file.Path)
	w.found[real] = c
}

// rel is a path below the longest path of the command line that it lies in.
func (w *walker) rel(shown string) string {
	rel := shown
	for _, g := range w.given {
		g = filepath.ToSlash(g)
		switch below, ok := strings.CutPrefix(shown, strings.TrimSuffix(g, "/")+"/"); {
		case g == shown:
			return path.Base(shown)
		case ok && len(below) < len(rel):
			rel = below
		}
	}
	return strings.TrimPrefix(rel, evidenceDir+"/")
}

// spool keeps a stream on the disk, so that its lines can be shown later. An empty one is no file.
func (w *walker) spool(path string, r io.Reader) error {
	tmp, err := os.CreateTemp(w.o.TempDir, "quaymaster-input-")
	if err != nil {
		return fmt.Errorf("spool %s: %w", path, err)
	}
	w.set.spools = append(w.set.spools, tmp.Name())
	n, err := io.Copy(tmp, r)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("spool %s: %w", path, err)
	}
	if n == 0 {
		return nil
	}
	f := &File{Path: path, Size: n, Past: w.past, Seekable: true}
	if err := f.decoder(tmp.Name()); err != nil {
		var p *packedError
		if !errors.As(err, &p) {
			return fmt.Errorf("spool %s: %w", path, err)
		}
		w.problem(path, err, p.mends)
		return nil
	}
	w.found[tmp.Name()] = &candidate{file: f, at: stored{name: tmp.Name(), size: n}}
	return nil
}
