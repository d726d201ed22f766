// Package engine turns evidence into a result: it reads, assembles devices, tallies, judges and accepts.
//
// Data flows one way and every phase is order-free: workers read pieces of files and fill tallies of their own, parts of a
// device are merged by a total order, checks see one device, pair, series or trail at a time. Facts of the whole fleet are
// never in memory at once: beyond a budget a device's parts are dropped after reading and read again when it is its turn.
package engine

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// Options say what to judge and how. The zero value of every field but Set is useful.
type Options struct {
	Set       *evidence.Set
	Policy    *policy.Policy // nil: policy.Builtin
	Inventory *inventory.Inventory
	// Baseline holds the fingerprints known on day one.
	Baseline map[string]bool
	// Profile is what was normal in earlier weeks; nil without one.
	Profile *tally.Profile
	Checks  []*audit.Check
	// Changed restricts judgement to devices with a part in one of these files (evidence.File.Path); nil is all.
	Changed map[string]bool
	// Devices restricts judgement to device IDs matching one of these globs (path.Match); empty is all.
	Devices []string
	// Since and Until restrict events; zero is unbounded.
	Since, Until  time.Time
	MinSeverity   audit.Severity
	MinConfidence audit.Confidence
	FailOn        audit.Severity
	FailNone      bool
	NoExceptions  bool
	Now           time.Time
	Jobs          int
	// KeepBytes is how much configuration text may be held as facts at once; 0 is 12 MiB.
	KeepBytes int64
	// TallyBytes is each worker's share before its tables are written to TempDir; 0 is the tally's default.
	TallyBytes int64
	TempDir    string
}

func (o *Options) defaults() {
	if o.Policy == nil {
		o.Policy = policy.Builtin()
	}
	if o.Jobs <= 0 {
		o.Jobs = runtime.GOMAXPROCS(0)
	}
	if o.KeepBytes == 0 {
		o.KeepBytes = 12 << 20
	}
	if o.Now.IsZero() {
		o.Now = latest(o.Set)
	}
}

// latest is the time of judgement when nobody gave one: the youngest evidence, so that the same input gives the same
// bytes. The command line gives the clock's time.
func latest(s *evidence.Set) time.Time {
	var t time.Time
	for _, f := range s.Files {
		if f.Mod.After(t) {
			t = f.Mod
		}
	}
	return t.UTC()
}

// Run audits o.Set. The error says why nothing could be judged; everything else, broken evidence and panicking checks
// included, is in the result.
func Run(ctx context.Context, o Options) (*audit.Result, error) {
	o.defaults()
	res := &audit.Result{Now: o.Now, Set: o.Set, Policy: o.Policy, Checks: o.Checks, FailOn: o.FailOn, FailNone: o.FailNone}
	for _, p := range o.Set.Problems {
		res.Incomplete = append(res.Incomplete, audit.Reason{Path: p.Path, Line: p.Line, Message: p.Err, Hint: p.Hint})
	}
	r, err := newReader(&o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	r.judging = true
	if err := r.read(ctx); err != nil {
		return nil, fmt.Errorf("read evidence: %w", err)
	}
	r.fleet = assemble(&o, r)
	tallied, err := r.merge(ctx)
	if err != nil {
		return nil, fmt.Errorf("merge tallies: %w", err)
	}
	defer tallied.Close()
	res.Inputs, res.Notes, res.Secrets = r.inputs(), r.allNotes(), r.secrets()

	j := newJudge(&o, r, r.fleet, tallied)
	if err := j.devices(ctx); err != nil {
		return nil, err
	}
	if err := j.changes(ctx); err != nil {
		return nil, fmt.Errorf("judge changes: %w", err)
	}
	if err := j.activity(ctx); err != nil {
		return nil, fmt.Errorf("judge activity: %w", err)
	}
	res.Secrets = append(res.Secrets, r.pastSecrets...)
	slices.SortFunc(res.Secrets, compareSpans)
	res.Secrets = slices.Compact(res.Secrets)
	j.finish(res)
	res.Judge()
	return res, nil
}

// Tally reads o.Set and gives what was tallied, without judging, and what could not be read. Close the result.
func Tally(ctx context.Context, o Options) (*tally.Result, []audit.Reason, error) {
	o.defaults()
	r, err := newReader(&o)
	if err != nil {
		return nil, nil, err
	}
	defer r.close()
	if err := r.read(ctx); err != nil {
		return nil, nil, err
	}
	r.fleet = assemble(&o, r)
	res, err := r.merge(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("merge tallies: %w", err)
	}
	var out []audit.Reason
	for _, p := range o.Set.Problems {
		out = append(out, audit.Reason{Path: p.Path, Line: p.Line, Message: p.Err, Hint: p.Hint})
	}
	for _, n := range r.allNotes() {
		if n.Kind == facts.NoteIncomplete {
			out = append(out, audit.Reason{Path: n.Path, Message: n.Message, Hint: n.Hint})
		}
	}
	return res, out, nil
}
