package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
)

// changedSince are the files of set that differ from a revision of the git work tree they are in, untracked ones
// included.
func changedSince(ctx context.Context, set *evidence.Set, rev string) (map[string]bool, error) {
	out := map[string]bool{}
	trees := map[string]map[string]bool{} // top level to changed absolute paths
	for _, f := range set.Files {
		abs, err := filepath.Abs(filepath.FromSlash(f.Path))
		if err != nil {
			return nil, err
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		top, err := git(ctx, filepath.Dir(abs), "rev-parse", "--show-toplevel")
		if err != nil {
			return nil, fmt.Errorf("--changed-since: %s is in no git work tree: %w", f.Path, err)
		}
		root := strings.TrimSpace(string(top))
		if trees[root] == nil {
			if trees[root], err = changedIn(ctx, root, rev); err != nil {
				return nil, err
			}
		}
		if trees[root][abs] {
			out[f.Path] = true
		}
	}
	return out, nil
}

func changedIn(ctx context.Context, root, rev string) (map[string]bool, error) {
	if strings.HasPrefix(rev, "-") {
		return nil, fmt.Errorf("--changed-since: %q is no revision", rev)
	}
	diff, err := git(ctx, root, "diff", "--name-only", "-z", rev, "--")
	if err != nil {
		return nil, fmt.Errorf("--changed-since: %w", err)
	}
	fresh, err := git(ctx, root, "ls-files", "--others", "--exclude-standard", "-z")
	if err != nil {
		return nil, fmt.Errorf("--changed-since: %w", err)
	}
	out := map[string]bool{}
	for _, list := range [][]byte{diff, fresh} {
		for name := range bytes.SplitSeq(list, []byte{0}) {
			if len(name) > 0 {
				out[filepath.Join(root, filepath.FromSlash(string(name)))] = true
			}
		}
	}
	return out, nil
}

// git runs one reading git command.
func git(ctx context.Context, dir string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("git %s: %s", args[0], strings.TrimSpace(string(exit.Stderr)))
	}
	return out, err
}
