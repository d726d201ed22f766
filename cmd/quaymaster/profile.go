package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/tally"
	"github.com/spf13/cobra"
)

// profileExt is the suffix of profile files in a profile folder.
const profileExt = ".qmprofile"

func (p *program) profileCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "profile", Short: "What was normal in earlier weeks", GroupID: "keep", Args: cobra.NoArgs,
		Long: `A profile is the tally of earlier weeks: which client spoke to which server by which protocol, when, and how much.
Checks that ask "is this new here?" need one (--profile-dir) and are not evaluated without.`,
		Example: "  quaymaster profile build logs/last-month/ -o profiles/2026-10.qmprofile\n  quaymaster audit logs/today/ --profile-dir profiles/",
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	var out, since, until string
	build := &cobra.Command{
		Use: "build PATH...", Short: "Make a profile of the transfers in logs", Args: cobra.MinimumNArgs(1),
		Long:    "Make a profile of the transfers in PATH.... The same evidence gives the same bytes, in any order and cut.\n\nExit codes: 0 written, 2 usage, 3 written but something could not be read, 4 no transfers.",
		Example: "  quaymaster profile build logs/ --since 2026-10-01 --until 2026-11-01 -o profiles/2026-10.qmprofile",
		RunE: func(c *cobra.Command, paths []string) error {
			if out == "" {
				return usage(errors.New("name the profile with -o FILE" + profileExt))
			}
			return p.buildProfile(c.Context(), out, since, until, paths)
		},
	}
	build.Flags().StringVarP(&out, "out", "o", "", "the profile file")
	build.Flags().StringVar(&since, "since", "", "only events from this time")
	build.Flags().StringVar(&until, "until", "", "only events before this time")
	c.AddCommand(build, &cobra.Command{
		Use: "show FILE|DIR", Short: "Say what a profile covers", Args: cobra.ExactArgs(1), Example: "  quaymaster profile show profiles/",
		RunE: func(_ *cobra.Command, args []string) error {
			pr, err := readProfiles(args[0])
			if err != nil {
				return usage(err)
			}
			return p.showProfile(pr)
		},
	})
	return c
}

func (p *program) buildProfile(ctx context.Context, out, since, until string, paths []string) error {
	o := engine.Options{Now: p.now().UTC()}
	var err error
	if o.Since, err = parseWhen("--since", since, o.Now); err != nil {
		return usage(err)
	}
	if o.Until, err = parseWhen("--until", until, o.Now); err != nil {
		return usage(err)
	}
	set, err := evidence.Open(ctx, evidence.Options{Stdin: p.stdin}, paths...)
	if err != nil {
		return usage(err)
	}
	defer set.Close()
	tmp, err := os.MkdirTemp("", "quaymaster-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	o.Set, o.TempDir = set, tmp
	result, problems, err := engine.Tally(ctx, o)
	if err != nil {
		return err
	}
	defer result.Close()
	if err := os.MkdirAll(filepath.Dir(out), 0o700); err != nil {
		return err
	}
	if err := evidence.AtomicWrite(out, 0o600, func(w io.Writer) error { return tally.WriteProfile(ctx, w, result) }); err != nil {
		return fmt.Errorf("write profile: %w", err)
	}
	pr, err := readProfiles(out)
	if err != nil {
		return err
	}
	if err := p.showProfile(pr); err != nil {
		return err
	}
	for _, r := range problems {
		p.complain(fmt.Errorf("%s: %s", r.Path, r.Message))
	}
	switch {
	case len(problems) > 0:
		return &exitError{audit.ExitIncomplete, errors.New("the profile lacks what could not be read")}
	case pr.Summary().Pairs == 0:
		return &exitError{audit.ExitNothing, errors.New("no transfers in this evidence: the profile is empty")}
	}
	return nil
}

// readProfiles reads a profile, or all of a folder merged.
func readProfiles(path string) (*tally.Profile, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("profile %s does not exist: make one with profile build", path)
	}
	if err != nil {
		return nil, err
	}
	names := []string{path}
	if info.IsDir() {
		if names, err = filepath.Glob(filepath.Join(path, "*"+profileExt)); err != nil {
			return nil, err
		}
		if len(names) == 0 {
			return nil, fmt.Errorf("folder %s holds no *%s: make one with profile build", path, profileExt)
		}
	}
	var all []*tally.Profile
	for _, n := range names {
		f, err := os.Open(n)
		if err != nil {
			return nil, err
		}
		pr, err := tally.ReadProfile(f)
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("read profile %s: %w", n, err)
		}
		all = append(all, pr)
	}
	return tally.MergeProfiles(all...)
}

func (p *program) showProfile(pr *tally.Profile) error {
	s := pr.Summary()
	_, err := fmt.Fprintf(p.stdout, "%d pairs on %d days, %s to %s\nsources: %s\n", s.Pairs, s.Days,
		s.First.UTC().Format(time.DateOnly), s.Last.UTC().Format(time.DateOnly), printable(strings.Join(s.Sources, ", ")))
	return err
}
