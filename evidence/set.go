package evidence

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
)

// Options say how paths are read. The zero value reads no standard input and ignores nothing beyond what Open names.
type Options struct {
	Stdin io.Reader
	// Ignore are the policy's globs: see [MatchIgnore].
	Ignore []string
	// Against are the paths of an earlier state to compare with; their files are Past.
	Against []string
	// TempDir is where pipes, standard input and files out of git are kept until Close; empty is the system's.
	TempDir string
}

// A Set is the evidence of one audit: files sorted by path, with ranks. It is safe for concurrent use.
type Set struct {
	Files    []*File
	Problems []Problem
	// Devices are the entries of the manifests of all bundles under the paths, by name.
	Devices []DeviceState
	// Changes are what the commits of a git range did, in time order.
	Changes []Change
	// Runs are the run folders found below a folder. They hold copies of evidence and are not read unless named.
	Runs []string

	stored map[*File]stored
	spools []string
	mu     sync.Mutex
	hashes map[*File]string
}

// stored is a file as it lies on the disk.
type stored struct {
	name string
	size int64  // when it was listed: a log that still grows is read up to here
	want string // SHA-256 the manifest states; empty when none does
}

// A UsageError is a path that cannot be audited at all: the caller's mistake, not a lack of the evidence.
type UsageError struct{ msg string }

func (e *UsageError) Error() string { return e.msg }

// Open lists the evidence under paths: folders, files, pipes, bundles, run folders, git:REPO@REVISION, git:REPO@FROM..TO
// (the state at TO, and what every commit between did) and - for standard input. What cannot
// be read is a Problem of the set; an error is a path that does not exist or is of a kind that is not read. The set does
// not depend on the order of paths, and a file named twice is in it once.
//
// Passed over without a word are names beginning with a dot, README*, LICENSE*, images, and what Options.Ignore names.
func Open(ctx context.Context, o Options, paths ...string) (*Set, error) {
	w := newWalker(ctx, o)
	err := w.roots(paths)
	if err == nil && len(o.Against) > 0 {
		now := w.set.Devices // what an earlier manifest says failed is no gap of today
		w.past, w.given, w.dirs = Against, nil, map[string]bool{}
		err = w.roots(o.Against)
		w.set.Devices = now
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		err = w.finish()
	}
	if err != nil {
		w.set.Close()
		return nil, err
	}
	return w.set, nil
}

// Close removes what was spooled.
func (s *Set) Close() error {
	var errs []error
	for _, name := range s.spools {
		errs = append(errs, os.RemoveAll(name))
	}
	s.spools = nil
	return errors.Join(errs...)
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

// Hash is the SHA-256, in hexadecimal, of f's bytes as stored (compressed when they are), up to the size they had when
// the set was opened. Beside a hash, an error says that the bytes are not those the manifest lists.
func (s *Set) Hash(f *File) (string, error) {
	at, ok := s.stored[f]
	if !ok {
		return "", fmt.Errorf("hash %s: not a file of this set", f.Path)
	}
	s.mu.Lock()
	h, ok := s.hashes[f]
	s.mu.Unlock()
	if !ok {
		sum := sha256.New()
		if err := at.copy(sum); err != nil {
			return "", fmt.Errorf("hash %s: %w", f.Path, err)
		}
		h = hex.EncodeToString(sum.Sum(nil))
		s.mu.Lock()
		s.hashes[f] = h
		s.mu.Unlock()
	}
	if at.want != "" && at.want != h {
		return h, errors.New("the bytes are not those that were collected: their SHA-256 is not the manifest's")
	}
	return h, nil
}

// errShrunk is a file that lost bytes between listing and reading.
var errShrunk = errors.New("it became shorter while it was read")

// copy writes the stored bytes to w.
func (at stored) copy(w io.Writer) error {
	r, err := os.Open(at.name)
	if err != nil {
		return err
	}
	defer r.Close()
	n, err := io.Copy(w, io.LimitReader(r, at.size))
	if err == nil && n < at.size {
		err = errShrunk
	}
	return err
}
