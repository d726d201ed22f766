package engine

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"net/netip"
	"path"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/parsers"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
	"golang.org/x/sync/errgroup"
)

// A source is one file with its detected format.
type source struct {
	file   *evidence.File
	format facts.Format
	input  audit.Input
	pieces []evidence.Piece
}

// A part is one device part as read. Facts are nil when the budget was spent: the file is read again in its turn.
type part struct {
	src   *source
	nth   int // of the devices in the file
	facts *facts.Device
	// What assembly needs even without the facts.
	hostname string
	has      facts.Kind
	platform string
	addrs    []netip.Addr
	// early is the verdict on the device it is, if it is all there is of it; nil when it was not judged yet.
	early *verdict
}

// A worker's share of a run.
type share struct {
	tally   *tally.Tally
	notes   []facts.Note
	parts   []part
	secrets []evidence.Span
	senders map[string]*sender
	text    []byte // the file that is being read
}

// A sender is a device that is known by its log lines.
type sender struct {
	name     string
	platform string
	has      facts.Kind
}

type reader struct {
	o       *Options
	key     [32]byte
	sources []*source
	shares  []*share
	fleet   *fleet // once assembled
	// pastSecrets are the secrets of earlier states, guarded by the judge's lock.
	pastSecrets []evidence.Span
	kept        atomic.Int64
	judging     bool   // devices will be judged
	early       *early // nil: no device is judged before all is read
}

func newReader(o *Options) (*reader, error) {
	r := &reader{o: o}
	if _, err := rand.Read(r.key[:]); err != nil {
		return nil, fmt.Errorf("make the run's key: %w", err)
	}
	return r, nil
}

func (r *reader) close() {
	for _, s := range r.shares {
		s.tally.Close()
	}
}

// tag is facts.Sink.Tag under the run's key.
func (r *reader) tag(secret []byte) facts.Tag {
	m := hmac.New(sha256.New, r.key[:])
	m.Write(secret)
	return facts.Tag(m.Sum(nil)[:8])
}

// read detects every file, then reads all pieces. Broken evidence becomes inputs with problems, never an error; the
// error is cancellation.
func (r *reader) read(ctx context.Context) error {
	r.sources = make([]*source, len(r.o.Set.Files))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Jobs)
	for i, f := range r.o.Set.Files {
		g.Go(func() error {
			r.sources[i] = detect(f)
			return gctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	if r.judging {
		r.early = newEarly(r.o, r.sources)
	}
	type task struct {
		src   *source
		piece evidence.Piece
	}
	tasks := make(chan task)
	g, gctx = errgroup.WithContext(ctx)
	for range r.o.Jobs {
		s := &share{tally: tally.New(tally.Options{
			MemoryLimit: r.o.TallyBytes, Dir: r.o.TempDir, Keep: r.outward, Approved: r.o.Policy.Approved, Policy: r.o.Policy.Digest,
			Entity: r.notable, Resolve: r.resolve,
		}), senders: map[string]*sender{}}
		r.shares = append(r.shares, s)
		g.Go(func() error {
			for t := range tasks {
				r.readPiece(gctx, s, t.src, t.piece)
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(tasks)
		for _, src := range r.sources {
			if src.file.Past != evidence.Now {
				continue // read when changes are judged
			}
			for _, p := range src.pieces {
				select {
				case tasks <- task{src, p}:
				case <-gctx.Done():
					return gctx.Err()
				}
			}
		}
		return nil
	})
	if err := g.Wait(); err != nil {
		return err
	}
	return r.hash(ctx)
}

// outward says which whole transfers the trail keeps: those with an end outside.
func (r *reader) outward(x *facts.Transfer) bool {
	return r.o.Policy.Zone(x.Server).Trust == policy.External || r.o.Policy.Zone(x.Client).Trust == policy.External
}

// notable says which addresses have a trail of their own: those outside, and those of devices.
func (r *reader) notable(a netip.Addr) bool {
	if r.o.Policy.Zone(a).Trust == policy.External {
		return true
	}
	if r.fleet == nil {
		return false
	}
	_, owned := r.fleet.owners[a.Unmap()]
	return owned
}

// resolve is the device a source's name stands for, once devices are assembled.
func (r *reader) resolve(name string) string {
	if r.fleet == nil {
		return name
	}
	return r.fleet.resolve(name)
}

// hash fills the inputs' SHA-256, of most files known since they were read.
func (r *reader) hash(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(r.o.Jobs)
	for _, s := range r.sources {
		g.Go(func() error {
			h, err := r.o.Set.Hash(s.file)
			if err != nil && s.input.Problem == "" {
				s.input.Problem = err.Error()
			}
			s.input.SHA256 = h
			return ctx.Err()
		})
	}
	return g.Wait()
}

func detect(f *evidence.File) *source {
	s := &source{file: f, input: audit.Input{File: f}}
	format, conf, err := parsers.Detect(f)
	if err != nil {
		s.input.Problem = err.Error()
		return s
	}
	s.format, s.input.Format, s.input.Confidence = format, format.Name, conf
	pieces, err := parsers.Pieces(f, format)
	if err != nil {
		s.input.Problem = err.Error()
		return s
	}
	s.pieces = pieces
	return s
}

func (r *reader) readPiece(ctx context.Context, s *share, src *source, p evidence.Piece) {
	sink := r.sink(ctx, s, src)
	if len(src.pieces) == 1 {
		p.File = r.o.Set.Hold(src.file, &s.text)
	}
	if err := parsers.Read(ctx, p, src.format, sink); err != nil && ctx.Err() == nil {
		s.notes = append(s.notes, facts.Note{Kind: facts.NoteIncomplete, Path: src.file.Path, Message: err.Error()})
	}
}

// sink keeps what one worker reads of one file.
func (r *reader) sink(ctx context.Context, s *share, src *source) facts.Sink {
	k := facts.NewSink()
	nth := 0
	k.Device = func(d *facts.Device) {
		r.place(src, d)
		p := newPart(src, nth, d)
		nth++
		for i := range d.Secrets {
			s.secrets = append(s.secrets, d.Secrets[i].Span)
		}
		p.early = r.early.judge(ctx, &p, d)
		if p.early == nil && (src.file.Size < 0 || r.kept.Add(src.file.Size) <= r.o.KeepBytes) {
			p.facts = d
		}
		s.parts = append(s.parts, p)
	}
	name := func(device *string) {
		if *device == "" {
			*device = src.speaker()
		}
	}
	k.Transfer = func(t *facts.Transfer) {
		if name(&t.Device); r.inWindow(t.Time) {
			s.seen(t.Device, t.Platform, facts.HasSyslog|facts.HasTransfers)
			s.tally.Add(t)
		}
	}
	k.Command = func(c *facts.Command) {
		if name(&c.Device); r.inWindow(c.Time) {
			s.seen(c.Device, c.Platform, facts.HasSyslog|facts.HasCommands)
			s.tally.AddCommand(c)
		}
	}
	k.Auth = func(a *facts.Auth) {
		if name(&a.Device); r.inWindow(a.Time) {
			s.seen(a.Device, a.Platform, facts.HasSyslog)
			s.tally.AddAuth(a)
		}
	}
	k.Change = func(c *facts.Change) {
		if name(&c.Device); r.inWindow(c.Time) {
			s.seen(c.Device, c.Platform, facts.HasSyslog)
			s.tally.AddChange(c)
		}
	}
	k.Beat = func(b *facts.Beat) {
		if name(&b.Device); r.inWindow(b.Time) {
			s.seen(b.Device, b.Platform, facts.HasSyslog)
			s.tally.AddBeat(b)
		}
	}
	k.Note = func(n facts.Note) {
		n.Path = cmp.Or(n.Path, src.file.Path)
		s.notes = append(s.notes, n)
	}
	k.Secret = func(x facts.Secret) { s.secrets = append(s.secrets, x.Span) }
	k.Tag = r.tag
	return k
}

// speaker is who wrote a log whose lines do not say: the manifest's host, else the file's name without its endings. A log
// buffer saved as core-sw-01.log is core-sw-01's.
func (s *source) speaker() string {
	if s.file.Host != "" {
		return s.file.Host
	}
	base := path.Base(s.file.Path)
	if name, _, ok := strings.Cut(base, "."); ok && name != "" && net4(base) {
		return name
	}
	return base
}

// place says where a device part was read and when it was taken, if the evidence does not say.
func (r *reader) place(src *source, d *facts.Device) {
	d.Path, d.Format = src.file.Path, src.format.Name
	if d.Taken.IsZero() {
		d.Taken = src.file.Mod
	}
}

// inWindow applies --since and --until. Events without a time cannot be excluded.
func (r *reader) inWindow(t facts.Stamp) bool {
	if t.Quality == facts.NoTime || t.Quality == facts.UptimeOnly {
		return true
	}
	if !r.o.Since.IsZero() && t.Unix < r.o.Since.Unix() {
		return false
	}
	return r.o.Until.IsZero() || t.Unix < r.o.Until.Unix()
}

func (s *share) seen(name, platform string, has facts.Kind) {
	if x, ok := s.senders[name]; ok {
		x.has |= has
		if x.platform == "" || platform != "" && platform < x.platform {
			x.platform = platform
		}
		return
	}
	if name == "" {
		return
	}
	name = string([]byte(name)) // events are valid only until the call returns
	s.senders[name] = &sender{name, platform, has}
}

func newPart(src *source, nth int, d *facts.Device) part {
	p := part{src: src, nth: nth, has: d.Has, platform: d.Platform}
	if d.Hostname.Origin == facts.Explicit {
		p.hostname = d.Hostname.Val
	}
	for _, i := range d.Interfaces {
		for _, a := range i.Addrs {
			p.addrs = append(p.addrs, a.Addr())
		}
	}
	src.input.Lines.Add(d.Lines)
	return p
}

// load gives a part's facts, reading the file again when they were not kept.
func (r *reader) load(ctx context.Context, p *part) (*facts.Device, error) {
	if p.facts != nil {
		return p.facts, nil
	}
	var found *facts.Device
	nth := 0
	k := facts.NewSink()
	k.Tag = r.tag
	k.Device = func(d *facts.Device) {
		if nth == p.nth {
			r.place(p.src, d)
			found = d
		}
		nth++
	}
	for _, piece := range p.src.pieces {
		if err := parsers.Read(ctx, piece, p.src.format, k); err != nil {
			return nil, err
		}
	}
	if found == nil {
		return nil, fmt.Errorf("read %s again: it no longer holds the device it held", p.src.file.Path)
	}
	return found, nil
}

func (r *reader) merge(ctx context.Context) (*tally.Result, error) {
	tallies := make([]*tally.Tally, len(r.shares))
	for i, s := range r.shares {
		tallies[i] = s.tally
	}
	return tally.Merge(ctx, tallies)
}

func (r *reader) inputs() []audit.Input {
	out := make([]audit.Input, len(r.sources))
	for i, s := range r.sources {
		out[i] = s.input
	}
	return out
}

func (r *reader) parts() []part {
	var out []part
	for _, s := range r.shares {
		out = append(out, s.parts...)
	}
	slices.SortFunc(out, func(a, b part) int {
		return cmp.Or(cmp.Compare(a.src.file.Rank, b.src.file.Rank), cmp.Compare(a.nth, b.nth))
	})
	return out
}

func (r *reader) allNotes() []facts.Note {
	var out []facts.Note
	for _, s := range r.shares {
		out = append(out, s.notes...)
	}
	for _, s := range r.sources {
		if s.input.Problem != "" && s.file.Past != evidence.History {
			out = append(out, facts.Note{Kind: facts.NoteIncomplete, Path: s.file.Path, Message: s.input.Problem})
		}
	}
	out = parsers.MergeNotes(out)
	slices.SortFunc(out, compareNotes)
	return slices.Compact(out)
}

func compareNotes(a, b facts.Note) int {
	return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Span.Pos, b.Span.Pos), cmp.Compare(a.Kind, b.Kind),
		cmp.Compare(a.Message, b.Message), cmp.Compare(a.Hint, b.Hint), cmp.Compare(a.Count, b.Count))
}

func (r *reader) secrets() []evidence.Span {
	var out []evidence.Span
	for _, s := range r.shares {
		out = append(out, s.secrets...)
	}
	slices.SortFunc(out, compareSpans)
	return slices.Compact(out)
}

func compareSpans(a, b evidence.Span) int {
	return cmp.Or(cmp.Compare(a.Pos, b.Pos), cmp.Compare(a.Len, b.Len))
}
