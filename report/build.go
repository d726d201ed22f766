package report

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Build makes json-v1 of a result: it reads the files that findings, notes and reasons point into once more, for their
// lines, and hides every secret in what it shows.
func Build(ctx context.Context, r *audit.Result, version string) (*Doc, error) {
	b := &builder{r: r, spans: map[evidence.Span]int{}}
	b.want()
	if err := b.resolve(ctx); err != nil {
		return nil, err
	}
	d := &Doc{
		Version: Version, Tool: Tool{"quaymaster", version}, Complete: r.Complete(), Exit: r.Exit, Now: stamp(r.Now),
		Incomplete: []Reason{}, Inputs: []Input{}, Devices: []Device{}, Checks: []Check{}, Findings: []Finding{},
		NotEvaluated: []NotEvaluated{}, Cases: []struct{}{}, Notes: []Note{}, History: []struct{}{},
	}
	for _, x := range r.Incomplete {
		line := x.Line
		if p, ok := b.place(x.Span); ok && line == 0 {
			line = p.Line
		}
		d.Incomplete = append(d.Incomplete, Reason{Path: x.Path, Line: line, Device: x.Device, Message: x.Message, Hint: x.Hint})
	}
	for _, in := range r.Inputs {
		d.Inputs = append(d.Inputs, Input{
			Path: in.File.Path, SHA256: in.SHA256, Format: cmp.Or(in.Format, "unknown"), Confidence: int(in.Confidence), Lines: lines(in.Lines), Problem: in.Problem,
		})
	}
	platform := map[string]string{}
	for _, x := range r.Devices {
		platform[x.ID] = x.Platform
		d.Devices = append(d.Devices, device(x))
	}
	if err := b.findings(ctx, d, platform); err != nil {
		return nil, err
	}
	for _, g := range r.Gaps {
		d.NotEvaluated = append(d.NotEvaluated, NotEvaluated(g))
	}
	for _, n := range r.Notes {
		x := Note{Kind: [...]string{"info", "limit", "unread", "incomplete"}[min(int(n.Kind), 3)], Path: n.Path, Message: n.Message, Hint: n.Hint, Count: n.Count}
		if p, ok := b.place(n.Span); ok {
			x.Line = p.Line
		}
		d.Notes = append(d.Notes, x)
	}
	d.Summary = summary(r, d)
	return d, nil
}

func lines(l facts.Lines) Lines {
	return Lines{l.Understood, l.Irrelevant, l.Unsupported, l.Unrecognised}
}

func device(x *audit.DeviceInfo) Device {
	d := Device{
		ID: x.ID, Hostname: x.Hostname, Platform: x.Platform, Model: x.Model, Version: x.Version, Role: x.Role, Site: x.Site,
		Tool: x.Tool.String(), Evidence: []string{}, Paths: []string{}, Lines: lines(x.Lines), Services: []Service{},
	}
	d.Evidence = append(d.Evidence, x.Has.Names()...)
	for _, p := range x.Parts {
		d.Paths = append(d.Paths, p.Path)
	}
	slices.Sort(d.Paths)
	d.Paths = slices.Compact(d.Paths)
	for _, s := range x.Services {
		enabled := s.Enabled.Origin.String()
		if s.Enabled.Known() {
			enabled = fmt.Sprint(s.Enabled.Val)
		}
		d.Services = append(d.Services, Service{Protocol: s.Protocol.String(), Name: s.Name, Enabled: enabled, Origin: s.Enabled.Origin.String(), Scope: s.Scope})
	}
	return d
}

func summary(r *audit.Result, d *Doc) Summary {
	s := Summary{
		FailOn: r.FailOn.String(), Failing: r.Failing(), BySeverity: map[string]int{}, ByState: map[string]int{},
		Devices: len(d.Devices), Files: len(d.Inputs), ChecksAsked: len(r.Checks),
	}
	if r.FailNone {
		s.FailOn = "none"
	}
	for _, f := range d.Findings {
		s.ByState[f.State]++
		if f.State == "new" || f.State == "reopened" {
			s.BySeverity[f.Severity]++
		}
	}
	var l facts.Lines
	for _, in := range r.Inputs {
		l.Add(in.Lines)
	}
	s.Lines = lines(l)
	open := map[string]bool{}
	for _, g := range r.Gaps {
		open[g.Check] = true
	}
	s.NotEvaluated = len(open)
	return s
}

// A builder resolves the spans a result mentions.
type builder struct {
	r      *audit.Result
	spans  map[evidence.Span]int
	list   []evidence.Span
	places []evidence.Place
}

func (b *builder) add(s evidence.Span) {
	if s.IsZero() {
		return
	}
	if _, ok := b.spans[s]; !ok {
		b.spans[s] = len(b.list)
		b.list = append(b.list, s)
	}
}

func (b *builder) want() {
	for _, f := range b.r.Findings {
		for _, m := range f.Spans {
			b.add(m.Span)
		}
	}
	for _, n := range b.r.Notes {
		b.add(n.Span)
	}
	for _, x := range b.r.Incomplete {
		b.add(x.Span)
	}
}

func (b *builder) resolve(ctx context.Context) error {
	var err error
	b.places, err = b.r.Set.Resolve(ctx, b.list)
	return err
}

func (b *builder) place(s evidence.Span) (evidence.Place, bool) {
	i, ok := b.spans[s]
	if !ok || b.places[i].Line == 0 {
		return evidence.Place{}, false
	}
	return b.places[i], true
}

func (b *builder) findings(ctx context.Context, d *Doc, platform map[string]string) error {
	hashes, err := b.lineHashes(ctx)
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, f := range b.r.Findings {
		x := Finding{
			ID: "F-" + f.Fingerprint[:10], Fingerprint: f.Fingerprint, Check: f.Check.ID, Variant: int(f.Variant), Slug: f.Check.Slug,
			Severity: f.Severity.String(), Confidence: f.Confidence.String(), State: f.State.String(),
			Device: f.Device, Platform: platform[f.Device], Subject: Subject(f.Subject), Message: f.Message,
			Spans: []Span{}, Evidence: map[string]string{}, Attack: orEmpty(f.Check.Attack), Controls: orEmpty(f.Check.Controls), Fix: fixOf(f, platform[f.Device]),
		}
		if !f.When.First.IsZero() {
			x.Time = &Time{stamp(f.When.First), stamp(f.When.Last)}
		}
		for k, v := range f.Evidence {
			x.Evidence[k] = v
		}
		if a := f.Anchor; a != nil && a.Line > 0 {
			x.Spans = append(x.Spans, Span{a.Path, a.Line, max(a.Column, 1), a.Line, max(a.Column, 1) + 1, "", "policy entry"})
		}
		for i, m := range f.Spans {
			p, ok := b.place(m.Span)
			if !ok {
				continue
			}
			if i == 0 {
				x.LineHash = hashes[where{p.Path, p.Line}]
			}
			x.Spans = append(x.Spans, Span{p.Path, p.Line, p.Column, p.EndLine, p.EndColumn, b.mask(&p), m.Role})
		}
		if f.Near != nil {
			x.Evidence["near miss"] = fmt.Sprintf("workflow %s (owner %s) differs in %s", f.Near.Workflow, f.Near.Owner, strings.Join(f.Near.Differs, ", "))
		}
		if a := f.Accepted; a != nil {
			x.Accepted = &Accepted{ID: a.ID, By: a.By, Owner: a.Owner, Ticket: a.Ticket, Reason: a.Reason, Expires: a.Expires.Add(-time.Nanosecond).Format(time.DateOnly), Path: a.Line.Path, Line: a.Line.Line}
		}
		d.Findings = append(d.Findings, x)
		if !seen[f.Check.ID] {
			seen[f.Check.ID] = true
			d.Checks = append(d.Checks, check(f.Check))
		}
	}
	slices.SortFunc(d.Checks, func(a, b Check) int { return cmp.Compare(a.ID, b.ID) })
	return nil
}

func orEmpty(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}

func check(c *audit.Check) Check {
	x := Check{
		ID: c.ID, Slug: c.Slug, Title: c.Title, Doc: c.Doc, Severity: c.Severity.String(), False: c.False,
		Attack: orEmpty(c.Attack), Analytics: orEmpty(c.Analytics), Controls: orEmpty(c.Controls), Fixes: map[string]string{},
	}
	for k, v := range c.Fixes {
		x.Fixes[k] = v
	}
	return x
}

// fixOf is the finding's own fix, else the check's for its platform or platform family.
func fixOf(f *audit.Finding, platform string) string {
	return cmp.Or(f.Fix, f.Check.Fixes[platform], f.Check.Fixes[facts.PlatformFamily(platform)], f.Check.Fixes[""])
}

func (b *builder) mask(p *evidence.Place) string { return Mask(p, b.r.Secrets) }

// Mask gives the lines of a place with every secret in them replaced. secrets are sorted by position.
func Mask(p *evidence.Place, secrets []evidence.Span) string {
	text, start := p.Text, p.TextStart
	end := evidence.Pos(uint64(start) + uint64(len(text)))
	i, _ := slices.BinarySearchFunc(secrets, start, func(s evidence.Span, at evidence.Pos) int { return cmp.Compare(s.Pos, at) })
	for i > 0 && secrets[i-1].Pos.Rank() == start.Rank() && secretEnd(secrets[i-1]) > start {
		i--
	}
	var out strings.Builder
	at := start
	for ; i < len(secrets) && secrets[i].Pos < end; i++ {
		s := secrets[i]
		from, to := max(s.Pos, at), min(secretEnd(s), end)
		if to <= from {
			continue
		}
		out.WriteString(text[at-start : from-start])
		out.WriteString(Redacted)
		at = to
	}
	out.WriteString(text[at-start:])
	return validUTF8(out.String())
}

func secretEnd(s evidence.Span) evidence.Pos { return s.Pos + evidence.Pos(s.Len) }

// validUTF8 writes bytes that are no UTF-8 as \xNN, so that JSON keeps what they were.
func validUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	return b.String()
}

type where struct {
	path string
	line int
}

// maxHashed is the largest file whose lines are hashed for GitHub.
const maxHashed = 64 << 20

// lineHashes are those of the primary lines of findings.
func (b *builder) lineHashes(ctx context.Context) (map[where]string, error) {
	wanted := map[uint32]map[int]bool{}
	for _, f := range b.r.Findings {
		if len(f.Spans) == 0 {
			continue
		}
		if p, ok := b.place(f.Spans[0].Span); ok {
			rank := f.Spans[0].Span.Pos.Rank()
			if wanted[rank] == nil {
				wanted[rank] = map[int]bool{}
			}
			wanted[rank][p.Line] = true
		}
	}
	out := map[where]string{}
	var mu sync.Mutex
	var failed error
	var wg sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for rank, set := range wanted {
		f := b.r.Set.File(rank)
		if f == nil || f.Size > maxHashed {
			continue
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			hashes, err := hashFile(ctx, f, set)
			mu.Lock()
			defer mu.Unlock()
			failed = cmp.Or(failed, err)
			maps.Copy(out, hashes)
		})
	}
	wg.Wait()
	if failed != nil {
		return nil, failed
	}
	return out, nil
}

// hashFile are the hashes of the wanted lines of a file.
func hashFile(ctx context.Context, f *evidence.File, wanted map[int]bool) (map[where]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r, err := f.Open(0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", f.Path, err)
	}
	defer r.Close()
	out := map[where]string{}
	err = hashLines(io.LimitReader(r, maxHashed), func(line int) bool { return wanted[line] }, func(line int, hash string) { out[where{f.Path, line}] = hash })
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", f.Path, err)
	}
	return out, nil
}
