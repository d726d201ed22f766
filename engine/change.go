package engine

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/parsers"
	"golang.org/x/sync/errgroup"
)

// This file judges changes: the devices of an earlier state beside those of the present one, and what each commit of a git
// range did to a file. A commit's two states are each read from one file, so that a line added by one commit and removed
// by the next is seen in both.

// changes runs the checks that compare two states of a device.
func (j *judge) changes(ctx context.Context) error {
	var checks []*audit.Check
	for _, c := range j.o.Checks {
		if c.Change != nil {
			checks = append(checks, c)
		}
	}
	if len(checks) == 0 {
		return nil
	}
	past := slices.ContainsFunc(j.o.Set.Files, func(f *evidence.File) bool { return f.Past != evidence.Now })
	if !past && len(j.o.Set.Changes) == 0 {
		for _, c := range checks {
			audit.NewPass(c, &j.world, &j.out).NotEvaluated("no earlier state was given to compare with (--against, git:REPO@FROM..TO)")
		}
		return nil
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(j.o.Jobs)
	j.against(ctx, g, checks)
	j.commits(ctx, g, checks)
	return g.Wait()
}

// A state is one device as earlier evidence states it, before its facts are loaded.
type state struct {
	id, hostname string
	rel          string // of its first configuration
	files        []*evidence.File
}

// against compares the devices of the earlier state with those of the present one.
func (j *judge) against(ctx context.Context, g *errgroup.Group, checks []*audit.Check) {
	earlier := j.earlier(ctx)
	for _, x := range j.fleet.groups {
		old := match(earlier, x)
		if old == nil {
			continue
		}
		g.Go(func() error {
			before, after := j.stated(ctx, x.id, old.files), j.stated(ctx, x.id, filesOf(x))
			if before != nil && after != nil {
				j.compare(checks, x.id, before, after, nil)
			}
			return ctx.Err()
		})
	}
}

func filesOf(x *group) []*evidence.File {
	var out []*evidence.File
	for _, p := range x.parts {
		if p.has&(facts.HasConfig|facts.HasESXi) != 0 && !slices.Contains(out, p.src.file) {
			out = append(out, p.src.file)
		}
	}
	return out
}

// earlier are the devices of the earlier state. Files of one host by the manifest, or of one hostname, are one device,
// except where two whole configurations state the same name.
func (j *judge) earlier(ctx context.Context) []*state {
	each := make([]*state, len(j.o.Set.Files))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(j.o.Jobs)
	for i, f := range j.o.Set.Files {
		if f.Past != evidence.Against {
			continue
		}
		g.Go(func() error {
			d := j.stated(ctx, "", []*evidence.File{f})
			if d == nil {
				return ctx.Err()
			}
			each[i] = &state{id: f.Host, rel: f.Rel, files: []*evidence.File{f}}
			if d.Hostname.Origin == facts.Explicit {
				each[i].hostname = d.Hostname.Val
			}
			return nil
		})
	}
	if g.Wait() != nil {
		return nil // cancelled: whoever asked sees it
	}
	var out []*state
	for _, s := range each {
		if s == nil {
			continue
		}
		i := slices.IndexFunc(out, func(o *state) bool { return s.id != "" && o.id == s.id })
		if i >= 0 {
			out[i].files = append(out[i].files, s.files...)
			out[i].hostname = cmp.Or(out[i].hostname, s.hostname)
			continue
		}
		out = append(out, s)
	}
	return out
}

// match is the earlier state of a present device: that of its ID, else the only one of its hostname, else that of its
// file's name.
func match(earlier []*state, x *group) *state {
	only := func(is func(*state) bool) *state {
		var found *state
		for _, s := range earlier {
			if is(s) {
				if found != nil {
					return nil
				}
				found = s
			}
		}
		return found
	}
	if s := only(func(s *state) bool { return s.id != "" && s.id == x.id }); s != nil {
		return s
	}
	rel := func(s *state) bool {
		return slices.ContainsFunc(x.parts, func(p *part) bool { return p.src.file.Rel == s.rel })
	}
	if name := x.info.Hostname; name != "" {
		if s := only(func(s *state) bool { return s.hostname == name }); s != nil {
			return s
		}
		if s := only(func(s *state) bool { return s.hostname == name && rel(s) }); s != nil {
			return s
		}
	}
	return only(rel)
}

// commits compares the two states of every file that a commit changed.
func (j *judge) commits(ctx context.Context, g *errgroup.Group, checks []*audit.Check) {
	ids := map[string]string{} // path to device
	for _, x := range j.fleet.groups {
		for _, f := range filesOf(x) {
			ids[f.Path] = x.id
		}
	}
	for i := range j.o.Set.Changes {
		c := &j.o.Set.Changes[i]
		if c.Before == nil || c.After == nil || !wantedPath(j, ids, c.Path) {
			continue // a device that came or went is no change of one
		}
		g.Go(func() error {
			before, after := j.stated(ctx, "", []*evidence.File{c.Before}), j.stated(ctx, "", []*evidence.File{c.After})
			if before == nil || after == nil {
				return ctx.Err()
			}
			id := ids[c.Path]
			if id == "" {
				id = cmp.Or(after.Hostname.Val, strings.TrimSuffix(path.Base(c.Path), path.Ext(c.Path)))
			}
			before.ID, after.ID = id, id
			j.compare(checks, id, before, after, c)
			return ctx.Err()
		})
	}
}

// wantedPath applies the choice of devices to a file: one that is left of a device that is gone is judged when no choice
// was made.
func wantedPath(j *judge, ids map[string]string, p string) bool {
	return ids[p] != "" || len(j.o.Devices) == 0 && j.o.Changed == nil
}

// stated is the device that files state, nil when they state none; what is broken in them is the present state's to tell.
func (j *judge) stated(ctx context.Context, id string, files []*evidence.File) *facts.Device {
	var parts []*facts.Device
	var secrets []evidence.Span
	for _, f := range files {
		src := j.r.sources[f.Rank-1]
		k := facts.NewSink()
		k.Tag = j.r.tag
		k.Device = func(d *facts.Device) {
			if d.Has&(facts.HasConfig|facts.HasESXi) == 0 {
				return
			}
			j.r.place(src, d)
			parts = append(parts, d)
			for i := range d.Secrets {
				secrets = append(secrets, d.Secrets[i].Span)
			}
		}
		for _, p := range src.pieces {
			if err := parsers.Read(ctx, p, src.format, k); err != nil && ctx.Err() == nil && f.Past == evidence.Against {
				j.reason(audit.Reason{Path: f.Path, Message: fmt.Sprintf("the earlier state: %v", err)})
			}
		}
	}
	if len(parts) == 0 {
		return nil
	}
	j.mu.Lock()
	j.r.pastSecrets = append(j.r.pastSecrets, secrets...)
	j.mu.Unlock()
	d, _ := facts.Merge(id, parts)
	return d
}

// compare runs the checks over two states of a device. What a commit did is told with its time and author.
func (j *judge) compare(checks []*audit.Check, id string, before, after *facts.Device, c *evidence.Change) {
	world := j.world
	old, young := headerspace.New(before), headerspace.New(after)
	defer old.Close()
	defer young.Close()
	world.Space = func(d *facts.Device) *headerspace.Model {
		if d == before {
			return old
		}
		return young
	}
	out := &audit.Outcome{}
	for _, check := range checks {
		if !applies(check, after) || !applies(check, before) {
			continue
		}
		p := audit.NewPass(check, &world, out)
		p.At(id)
		if c != nil {
			p.MadeAt(c.Time)
		}
		guard(out, check, id, func() { check.Change(p, before, after) })
	}
	for _, f := range out.Findings {
		if c == nil {
			continue
		}
		if f.When.First.IsZero() {
			f.When = audit.Interval{First: c.Time, Last: c.Time}
		}
		if f.Evidence == nil {
			f.Evidence = map[string]string{}
		}
		f.Evidence["commit"], f.Evidence["author"] = c.Commit, c.Author
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.take(out)
}
