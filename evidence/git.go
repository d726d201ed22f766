package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// A Past says that a file is no part of the present state.
type Past uint8

const (
	Now     Past = iota
	Against      // of the state that is compared with: Options.Against
	History      // as it was at some commit: before or after a Change
)

// A Change is what one commit did to one file.
type Change struct {
	Commit string // the full hash
	Author string // the author's name, as the commit says: hostile
	Time   time.Time
	Path   string // of the file as the present state shows it, or would
	// Before and After are the file's two states; nil where it did not exist.
	Before, After *File
}

// shortHash is how much of a commit's hash names a past state of a file.
const shortHash = 10

// A gitSource reads one repository without a work tree: commits and blobs alone (docs/adr/0012).
type gitSource struct {
	w       *walker
	spec    string // as it was given
	root    string // REPO as it was given, for the paths of files; empty for the current folder
	under   string // the folder of the repository that was given, slash-separated; empty is all
	repo    *git.Repository
	dir     string // where blobs are kept until Set.Close
	blobs   map[plumbing.Hash]string
	files   map[string]*File // those of past states, by path
	shallow map[plumbing.Hash]bool
}

// git adds git:REPO@REV or git:REPO@A..B. past is what the files are part of.
func (w *walker) git(spec string, past Past) error {
	g, revs, err := w.openGit(spec)
	if err != nil {
		return err
	}
	from, to, ranged := strings.Cut(revs, "..")
	if !ranged {
		from, to = "", revs
	}
	last, err := g.commit(to)
	if err != nil {
		return err
	}
	if past == Against && ranged {
		return &UsageError{fmt.Sprintf("%s: what is compared with is one revision, not a range", spec)}
	}
	if err := g.state(last, past); err != nil || !ranged {
		return err
	}
	first, err := g.commit(from)
	if err != nil {
		return err
	}
	return g.changes(first, last)
}

func (w *walker) openGit(spec string) (*gitSource, string, error) {
	bad := func(format string, a ...any) (*gitSource, string, error) {
		return nil, "", &UsageError{spec + ": " + fmt.Sprintf(format, a...)}
	}
	repo, revs := strings.TrimPrefix(spec, "git:"), "HEAD"
	if i := strings.LastIndexByte(repo, '@'); i >= 0 {
		repo, revs = repo[:i], repo[i+1:]
	}
	if repo == "" {
		repo = "."
	}
	if revs == "" || strings.Contains(revs, "...") || strings.HasPrefix(revs, "..") {
		return bad("give git:REPO@REVISION or git:REPO@FROM..TO")
	}
	if strings.HasSuffix(revs, "..") {
		revs += "HEAD"
	}
	repo = filepath.Clean(repo)
	if _, err := os.Stat(repo); err != nil {
		return bad("%s does not exist", repo)
	}
	r, err := git.PlainOpenWithOptions(repo, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return bad("%s is no git repository (%v)", repo, err)
	}
	g := &gitSource{w: w, spec: spec, repo: r, blobs: map[plumbing.Hash]string{}, files: map[string]*File{}, shallow: map[plumbing.Hash]bool{}}
	if repo != "." {
		g.root = filepath.ToSlash(repo)
	}
	if tree, err := r.Worktree(); err == nil {
		top, err1 := realPath(tree.Filesystem.Root())
		here, err2 := realPath(repo)
		if rel, err := filepath.Rel(top, here); errors.Join(err1, err2, err) == nil && rel != "." && !strings.HasPrefix(rel, "..") {
			g.under = filepath.ToSlash(rel)
		}
	}
	cut, err := r.Storer.Shallow()
	if err != nil {
		return bad("%v", err)
	}
	for _, h := range cut {
		g.shallow[h] = true
	}
	if g.dir, err = os.MkdirTemp(w.o.TempDir, "quaymaster-git-"); err != nil {
		return nil, "", fmt.Errorf("keep the files of %s: %w", spec, err)
	}
	w.set.spools = append(w.set.spools, g.dir)
	return g, revs, nil
}

func (g *gitSource) commit(rev string) (*object.Commit, error) {
	h, err := g.repo.ResolveRevision(plumbing.Revision(rev))
	if err == nil {
		var c *object.Commit
		if c, err = g.repo.CommitObject(*h); err == nil {
			return c, nil
		}
	}
	hint := ""
	if len(g.shallow) > 0 {
		hint = "; the clone is shallow: fetch its history"
	}
	return nil, &UsageError{fmt.Sprintf("%s: revision %q is not in the repository (%v)%s", g.spec, rev, err, hint)}
}

// A gitEntry is a file of a tree.
type gitEntry struct {
	name string // below the folder given
	blob plumbing.Hash
	mode filemode.FileMode
}

// tree is the folder of a commit that was given; the zero hash when the commit has none.
func (g *gitSource) tree(c *object.Commit) (plumbing.Hash, error) {
	if g.under == "" {
		return c.TreeHash, nil
	}
	t, err := c.Tree()
	if err != nil {
		return plumbing.ZeroHash, err
	}
	e, err := t.FindEntry(g.under)
	switch {
	case errors.Is(err, object.ErrDirectoryNotFound), errors.Is(err, object.ErrEntryNotFound):
		return plumbing.ZeroHash, nil
	case err != nil:
		return plumbing.ZeroHash, err
	case e.Mode != filemode.Dir:
		return plumbing.ZeroHash, nil
	}
	return e.Hash, nil
}

// walk visits the files that differ between two trees, either of which may be the zero hash: none. A file that does not
// exist in one of them has the zero entry there. Names that are passed over in folders are passed over here.
func (g *gitSource) walk(dir string, a, b plumbing.Hash, visit func(before, after gitEntry) error) error {
	if a == b {
		return nil
	}
	if err := g.w.ctx.Err(); err != nil {
		return err
	}
	old, err := g.entries(a)
	if err != nil {
		return err
	}
	young, err := g.entries(b)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(old))
	for n := range young {
		if _, ok := old[n]; !ok {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		x, y := old[n], young[n]
		if x.Hash == y.Hash && x.Mode == y.Mode {
			continue
		}
		name := path.Join(dir, n)
		file := func(e object.TreeEntry) gitEntry {
			if e.Mode == filemode.Dir || e.Hash == plumbing.ZeroHash || beside(n, false) || g.ignored(name, false) {
				return gitEntry{}
			}
			return gitEntry{name: name, blob: e.Hash, mode: e.Mode}
		}
		if before, after := file(x), file(y); before.name != "" || after.name != "" {
			if err := visit(before, after); err != nil {
				return err
			}
		}
		folder := func(e object.TreeEntry) plumbing.Hash {
			if e.Mode != filemode.Dir || beside(n, true) || g.ignored(name, true) {
				return plumbing.ZeroHash
			}
			return e.Hash
		}
		if err := g.walk(name, folder(x), folder(y), visit); err != nil {
			return err
		}
	}
	return nil
}

func (g *gitSource) entries(h plumbing.Hash) (map[string]object.TreeEntry, error) {
	out := map[string]object.TreeEntry{}
	if h == plumbing.ZeroHash {
		return out, nil
	}
	t, err := g.repo.TreeObject(h)
	if err != nil {
		return nil, fmt.Errorf("%s: tree %s: %w", g.spec, h, err)
	}
	for _, e := range t.Entries {
		out[e.Name] = e
	}
	return out, nil
}

// ignored applies the policy's globs to a name below the folder given, as below does.
func (g *gitSource) ignored(name string, dir bool) bool {
	shown := path.Join(g.root, name)
	return slices.ContainsFunc(g.w.o.Ignore, func(glob string) bool {
		return MatchIgnore(glob, shown, dir) || MatchIgnore(glob, name, dir)
	})
}

// state adds every file of a commit.
func (g *gitSource) state(c *object.Commit, past Past) error {
	t, err := g.tree(c)
	if err != nil {
		return fmt.Errorf("%s: %w", g.spec, err)
	}
	if t == plumbing.ZeroHash && g.under != "" {
		return &UsageError{fmt.Sprintf("%s: there is no folder %s in that revision", g.spec, g.under)}
	}
	return g.walk("", plumbing.ZeroHash, t, func(_, e gitEntry) error {
		shown := path.Join(g.root, e.name)
		if past != Now {
			shown = pastName(shown, c)
		}
		_, err := g.add(shown, e, c, past)
		return err
	})
}

// pastName is the path of a past state of a file.
func pastName(shown string, c *object.Commit) string {
	return shown + "@" + c.Hash.String()[:shortHash]
}

// add adds one file of a commit; nil when it is none that can be read.
func (g *gitSource) add(shown string, e gitEntry, c *object.Commit, past Past) (*File, error) {
	if f := g.files[shown]; f != nil {
		return f, nil
	}
	switch e.mode {
	case filemode.Regular, filemode.Executable, filemode.Deprecated:
	case filemode.Symlink:
		return nil, nil // what it leads to in the repository is read under its own name
	default:
		g.w.problem(shown, errors.New("a submodule is not read"), "give its repository as a path of its own, or name it in the policy's ignore")
		return nil, nil
	}
	name, size, err := g.keep(e.blob)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", g.spec, e.name, err)
	}
	f := &File{Path: shown, Size: size, Mod: c.Committer.When.UTC(), Seekable: true, Past: past, Rel: e.name}
	if err := f.decoder(name); err != nil {
		var p *packedError
		if !errors.As(err, &p) {
			return nil, fmt.Errorf("%s: %s: %w", g.spec, e.name, err)
		}
		if past != History {
			g.w.problem(shown, err, p.mends)
		}
		return nil, nil
	}
	g.files[shown] = f
	g.w.found["git\x00"+g.spec+"\x00"+shown] = &candidate{file: f, at: stored{name: name, size: size}}
	return f, nil
}

// keep writes a blob to the disk, once.
func (g *gitSource) keep(h plumbing.Hash) (name string, size int64, err error) {
	b, err := g.repo.BlobObject(h)
	if err != nil {
		return "", 0, err
	}
	if name, ok := g.blobs[h]; ok {
		return name, b.Size, nil
	}
	r, err := b.Reader()
	if err != nil {
		return "", 0, err
	}
	defer r.Close()
	name = filepath.Join(g.dir, h.String())
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return "", 0, err
	}
	_, err = io.Copy(out, r)
	if err := errors.Join(err, out.Close()); err != nil {
		return "", 0, err
	}
	g.blobs[h] = name
	return name, b.Size, nil
}

// changes adds what every commit did that the last one has and the first one has not, each compared with its first
// parent. A line that one commit adds and the next removes is in two of them.
func (g *gitSource) changes(first, last *object.Commit) error {
	had := map[plumbing.Hash]bool{}
	if err := g.history(first, nil, func(c *object.Commit) error {
		had[c.Hash] = true
		return nil
	}); err != nil {
		return err
	}
	return g.history(last, had, func(c *object.Commit) error {
		if g.shallow[c.Hash] {
			g.w.problem(g.spec, fmt.Errorf("what came before commit %s is not in the clone", c.Hash.String()[:shortHash]), "fetch the whole history (git fetch --unshallow)")
			return nil
		}
		var parent *object.Commit
		if c.NumParents() > 0 {
			var err error
			if parent, err = c.Parent(0); err != nil {
				return fmt.Errorf("%s: parent of %s: %w", g.spec, c.Hash, err)
			}
		}
		return g.did(parent, c)
	})
}

// history visits a commit and all before it that are not in had, each once.
func (g *gitSource) history(c *object.Commit, had map[plumbing.Hash]bool, visit func(*object.Commit) error) error {
	seen := map[plumbing.Hash]bool{}
	next := []*object.Commit{c}
	for len(next) > 0 {
		c := next[len(next)-1]
		next = next[:len(next)-1]
		if seen[c.Hash] || had[c.Hash] {
			continue
		}
		seen[c.Hash] = true
		if err := g.w.ctx.Err(); err != nil {
			return err
		}
		if err := visit(c); err != nil {
			return err
		}
		if g.shallow[c.Hash] {
			continue
		}
		for _, h := range c.ParentHashes {
			p, err := g.repo.CommitObject(h)
			if err != nil {
				return fmt.Errorf("%s: commit %s: %w", g.spec, h, err)
			}
			next = append(next, p)
		}
	}
	return nil
}

// did adds what a commit did to each file.
func (g *gitSource) did(parent, c *object.Commit) error {
	var a plumbing.Hash
	if parent != nil {
		var err error
		if a, err = g.tree(parent); err != nil {
			return fmt.Errorf("%s: %w", g.spec, err)
		}
	}
	b, err := g.tree(c)
	if err != nil {
		return fmt.Errorf("%s: %w", g.spec, err)
	}
	return g.walk("", a, b, func(x, y gitEntry) error {
		change := Change{Commit: c.Hash.String(), Author: c.Author.Name, Time: c.Committer.When.UTC(), Path: path.Join(g.root, cmp.Or(y.name, x.name))}
		var err error
		if x.name != "" {
			if change.Before, err = g.add(pastName(path.Join(g.root, x.name), parent), x, parent, History); err != nil {
				return err
			}
		}
		if y.name != "" {
			if change.After, err = g.add(pastName(path.Join(g.root, y.name), c), y, c, History); err != nil {
				return err
			}
		}
		if change.Before != nil || change.After != nil {
			g.w.set.Changes = append(g.w.set.Changes, change)
		}
		return nil
	})
}
