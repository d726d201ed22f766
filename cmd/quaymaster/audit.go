package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/report"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// auditFlags are the flags of audit, demo and coverage.
type auditFlags struct {
	formats       []string
	out           string
	policy        string
	inventory     string
	baseline      string
	profileDir    string
	failOn        string
	minSeverity   string
	minConfidence string
	check, skip   []string
	device        []string
	since, until  string
	changedSince  string
	against       []string
	now           string
	jobs          int
	color         string
	ascii         bool
	noExceptions  bool
	quiet         bool
	verbose       bool
	fingerprint   string
}

func (a *auditFlags) bind(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&a.formats, "format", "f", nil, "FORMAT[=FILE], repeatable: "+strings.Join(formatNames(), ", ")+" (default text)")
	f.StringVarP(&a.out, "out", "o", "", "write the run folder DIR: evidence/ result.json reports/ MANIFEST.sha256")
	f.StringVar(&a.policy, "policy", "", "policy file")
	f.StringVar(&a.inventory, "inventory", "", "inventory file: names, roles and zones of devices")
	f.StringVar(&a.baseline, "baseline", "", "baseline file: findings known on day one do not fail the run")
	f.StringVar(&a.profileDir, "profile-dir", "", "folder of profiles made by profile build")
	f.StringVar(&a.failOn, "fail-on", "high", "none, low, medium, high or critical")
	f.StringVar(&a.minSeverity, "min-severity", "info", "leave out findings below it")
	f.StringVar(&a.minConfidence, "min-confidence", "low", "leave out findings below it: low, medium, high")
	f.StringSliceVar(&a.check, "check", nil, "only these checks: IDs, slugs or a prefix such as QM10 or svc-")
	f.StringSliceVar(&a.skip, "skip-check", nil, "not these checks")
	f.StringSliceVar(&a.device, "device", nil, "only these devices (glob)")
	f.StringVar(&a.since, "since", "", "only events from this time: RFC 3339, a date, or a duration before now (24h, 7d)")
	f.StringVar(&a.until, "until", "", "only events before this time")
	f.StringArrayVar(&a.against, "against", nil, "an earlier state to compare with: a folder, run, bundle or git:REPO@REV (repeats)")
	f.StringVar(&a.changedSince, "changed-since", "", "only devices whose files differ from this git revision")
	f.StringVar(&a.now, "now", "", "the time of judgement, RFC 3339 (default: the clock)")
	f.IntVar(&a.jobs, "jobs", 0, "workers (default: one per processor)")
	f.StringVar(&a.color, "color", "auto", "auto, always or never")
	f.BoolVar(&a.ascii, "ascii", false, "no characters beyond ASCII")
	f.BoolVar(&a.noExceptions, "no-exceptions", false, "judge as if the policy held no exception")
	f.BoolVarP(&a.quiet, "quiet", "q", false, "findings only, a line each")
	f.BoolVarP(&a.verbose, "verbose", "v", false, "accepted findings, every gap and every note too")
	f.StringVar(&a.fingerprint, "sarif-fingerprint", "codeql", "primaryLocationLineHash as codeql (line hash) or semantic")
}

const auditLong = `Judge configurations, logs, bundles and run folders. Never touches the network.

PATH is a file, a folder, a bundle made by collect, a run folder, git:REPO@REVISION (bare repositories too),
git:REPO@FROM..TO (the state at TO, and what every commit between did), or - for standard input.
No policy is needed: the built-in one says RFC 1918, ULA, link-local and loopback addresses are inside
and nothing is approved.`

func (p *program) auditCommand() *cobra.Command {
	var a auditFlags
	c := &cobra.Command{
		Use: "audit PATH...", Short: "Judge configs, logs, bundles and run folders", GroupID: "audit",
		Long:    auditLong + "\n\nExit codes: 0 clean, 1 findings at or above --fail-on, 2 usage or policy error, 3 incomplete, 4 nothing to audit.",
		Example: "  quaymaster audit configs/\n  quaymaster audit configs/ -f sarif=out.sarif --policy policy.yaml --fail-on high",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, paths []string) error {
			return p.audit(c.Context(), &a, paths)
		},
	}
	a.bind(c)
	return c
}

// A plan is an audit ready to run: flags turned into objects.
type plan struct {
	engine.Options
	outputs []output
	against []string // paths of an earlier state
}

// prepare turns flags into objects; every mistake in them is exit code 2.
func (p *program) prepare(a *auditFlags) (*plan, error) {
	pl := &plan{}
	var err error
	if pl.outputs, err = parseOutputs(a.formats); err != nil {
		return nil, usage(err)
	}
	pl.Now = p.now().UTC()
	if a.now != "" {
		if pl.Now, err = time.Parse(time.RFC3339, a.now); err != nil {
			return nil, usage(fmt.Errorf("--now: %q is not RFC 3339, such as 2026-11-25T08:00:00Z", a.now))
		}
		pl.Now = pl.Now.UTC()
	}
	if pl.Since, err = parseWhen("--since", a.since, pl.Now); err != nil {
		return nil, usage(err)
	}
	if pl.Until, err = parseWhen("--until", a.until, pl.Now); err != nil {
		return nil, usage(err)
	}
	if a.failOn == "none" {
		pl.FailNone = true
	} else if pl.FailOn, err = severityFlag("--fail-on", a.failOn, audit.Low); err != nil {
		return nil, usage(err)
	}
	if pl.MinSeverity, err = severityFlag("--min-severity", a.minSeverity, audit.Info); err != nil {
		return nil, usage(err)
	}
	conf := slices.Index([]string{"low", "medium", "high"}, a.minConfidence)
	if conf < 0 {
		return nil, usage(fmt.Errorf("--min-confidence: %q is not low, medium or high", a.minConfidence))
	}
	pl.MinConfidence = audit.Confidence(conf)
	if !slices.Contains([]string{"auto", "always", "never"}, a.color) {
		return nil, usage(fmt.Errorf("--color: %q is not auto, always or never", a.color))
	}
	if !slices.Contains([]string{"codeql", "semantic"}, a.fingerprint) {
		return nil, usage(fmt.Errorf("--sarif-fingerprint: %q is not codeql or semantic", a.fingerprint))
	}
	if pl.Checks, err = selectChecks(a.check, a.skip); err != nil {
		return nil, usage(err)
	}
	pl.Devices, pl.Jobs, pl.NoExceptions, pl.against = a.device, a.jobs, a.noExceptions, a.against
	return pl, p.load(a, pl)
}

// load reads the files that flags name.
func (p *program) load(a *auditFlags, pl *plan) error {
	var err error
	if a.inventory != "" {
		if pl.Inventory, err = inventory.Load(a.inventory); err != nil {
			return usage(err)
		}
	}
	pl.Policy = policy.Builtin()
	if a.policy != "" {
		if pl.Policy, err = loadPolicy(a.policy, pl.Inventory); err != nil {
			return usage(err)
		}
	}
	if a.baseline != "" {
		if pl.Baseline, err = readBaseline(a.baseline); err != nil {
			return usage(err)
		}
	}
	if a.profileDir != "" {
		if pl.Profile, err = readProfiles(a.profileDir); err != nil {
			return usage(err)
		}
	}
	return nil
}

func (p *program) audit(ctx context.Context, a *auditFlags, paths []string) error {
	pl, err := p.prepare(a)
	if err != nil {
		return err
	}
	set, err := p.open(ctx, pl, paths)
	if err != nil {
		return err
	}
	defer set.Close()
	if a.changedSince != "" {
		if pl.Changed, err = changedSince(ctx, set, a.changedSince); err != nil {
			return usage(err)
		}
	}
	return p.judge(ctx, a, pl, set)
}

// document audits paths and gives json-v1 without writing anything.
func (p *program) document(ctx context.Context, pl *plan, paths []string) (*report.Doc, error) {
	set, err := p.open(ctx, pl, paths)
	if err != nil {
		return nil, err
	}
	defer set.Close()
	res, err := p.run(ctx, pl, set)
	if err != nil {
		return nil, err
	}
	if res.Exit == audit.ExitNothing {
		return nil, nothing()
	}
	return report.Build(ctx, res, version())
}

func nothing() error {
	return &exitError{audit.ExitNothing, errors.New("nothing to audit: no file of evidence under the given paths")}
}

// run runs the engine with a folder for what it spills.
func (p *program) run(ctx context.Context, pl *plan, set *evidence.Set) (*audit.Result, error) {
	tmp, err := os.MkdirTemp("", "quaymaster-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for spilled tallies: %w", err)
	}
	defer os.RemoveAll(tmp)
	pl.Set, pl.TempDir = set, tmp
	return engine.Run(ctx, pl.Options)
}

func (p *program) open(ctx context.Context, pl *plan, paths []string) (*evidence.Set, error) {
	var ignore []string
	if pl.Policy != nil {
		ignore = pl.Policy.Ignore
	}
	set, err := evidence.Open(ctx, evidence.Options{Stdin: p.stdin, Ignore: ignore, Against: pl.against}, paths...)
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return nil, err
		}
		return nil, usage(err)
	}
	return set, nil
}

// judge runs the engine and writes what was asked for.
func (p *program) judge(ctx context.Context, a *auditFlags, pl *plan, set *evidence.Set) error {
	res, err := p.run(ctx, pl, set)
	if err != nil {
		return err
	}
	doc, err := report.Build(ctx, res, version())
	if err != nil {
		return fmt.Errorf("resolve positions: %w", err)
	}
	if a.out != "" {
		if err := p.writeRun(a, set, doc); err != nil {
			return err
		}
	}
	if err := p.write(a, pl.outputs, doc); err != nil {
		return err
	}
	if res.Exit == audit.ExitNothing {
		return nothing()
	}
	if res.Exit != audit.ExitClean {
		return &exitError{code: res.Exit}
	}
	return nil
}

func severityFlag(flag, value string, least audit.Severity) (audit.Severity, error) {
	s, ok := audit.ParseSeverity(value)
	if !ok || s < least {
		return 0, fmt.Errorf("%s: %q is not one of none, low, medium, high, critical", flag, value)
	}
	return s, nil
}

// parseWhen reads a time, a date, or a duration before now such as 24h or 7d.
func parseWhen(flag, s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	d := s
	scale := time.Duration(1)
	if n, ok := strings.CutSuffix(s, "d"); ok {
		d, scale = n+"h", 24
	}
	if v, err := time.ParseDuration(d); err == nil && v > 0 {
		return now.Add(-v * scale), nil
	}
	return time.Time{}, fmt.Errorf("%s: %q is no RFC 3339 time, date (2026-11-25) or duration before now (24h, 7d)", flag, s)
}

// selectChecks picks checks by ID, slug or prefix of either.
func selectChecks(only, skip []string) ([]*audit.Check, error) {
	all := checks.All()
	match := func(pattern string, c *audit.Check) bool {
		return strings.HasPrefix(c.ID, strings.ToUpper(pattern)) || strings.HasPrefix(c.Slug, pattern)
	}
	for _, pattern := range append(slices.Clone(only), skip...) {
		if pattern == "" || !slices.ContainsFunc(all, func(c *audit.Check) bool { return match(pattern, c) }) {
			return nil, fmt.Errorf("no check is named %q or begins so: quaymaster checks list shows them", pattern)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(c *audit.Check) bool {
		in := len(only) == 0 || slices.ContainsFunc(only, func(s string) bool { return match(s, c) })
		out := slices.ContainsFunc(skip, func(s string) bool { return match(s, c) })
		return !in || out
	}), nil
}

// colored decides whether to colour what goes to w: --color, then NO_COLOR and FORCE_COLOR, then whether it is a terminal.
func (p *program) colored(mode string, w io.Writer) bool {
	switch mode {
	case "always":
		return true
	case "never":
		return false
	}
	if v, ok := p.env("NO_COLOR"); ok && v != "" {
		return false
	}
	if v, ok := p.env("FORCE_COLOR"); ok && v != "" {
		return true
	}
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (p *program) width(w io.Writer) int {
	if f, ok := w.(*os.File); ok {
		if n, _, err := term.GetSize(int(f.Fd())); err == nil {
			return n
		}
	}
	return 0
}

// reportName is the file a format gets in a run folder.
func reportName(format string) string {
	switch format {
	case "text":
		return "report.txt"
	case "json":
		return "result.json"
	case "sarif":
		return "report.sarif"
	}
	return "report." + strings.ReplaceAll(format, "-", ".")
}

// writeRun writes the run folder: a whole new one takes the place of an old one, or nothing changes.
func (p *program) writeRun(a *auditFlags, set *evidence.Set, doc *report.Doc) error {
	err := evidence.WriteRun(a.out, set, func(w *evidence.RunWriter) error {
		if err := w.Write("result.json", func(w io.Writer) error { return report.JSON(w, doc) }); err != nil {
			return err
		}
		for _, format := range formatNames() {
			if format == "json" {
				continue
			}
			name := filepath.ToSlash(filepath.Join("reports", reportName(format)))
			if err := w.Write(name, func(w io.Writer) error { return p.render(w, format, a, doc, false) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write run folder %s: %w", a.out, err)
	}
	return nil
}
