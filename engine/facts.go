package engine

import (
	"context"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/parsers"
)

// Facts reads o.Set file by file, in the order of paths, and hands every fact, note and device part to the sink that
// each makes for the file: what was understood, before any judgement. done is called after each file with what became of
// it.
func Facts(ctx context.Context, o Options, each func(*evidence.File) facts.Sink, done func(audit.Input) error) error {
	o.defaults()
	r, err := newReader(&o)
	if err != nil {
		return err
	}
	for _, f := range o.Set.Files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.Past != evidence.Now {
			continue
		}
		src := detect(f)
		k := each(f)
		k.Tag = r.tag
		device := k.Device
		k.Device = func(d *facts.Device) {
			d.Path, d.Format = f.Path, src.format.Name
			src.input.Lines.Add(d.Lines)
			device(d)
		}
		for _, p := range src.pieces {
			if err := parsers.Read(ctx, p, src.format, k); err != nil {
				if ctx.Err() != nil {
					return ctx.Err()
				}
				src.input.Problem = err.Error()
			}
		}
		if err := done(src.input); err != nil {
			return err
		}
	}
	return nil
}

// Devices reads o.Set and assembles its devices, sorted by ID, all in memory: for questions about a few of them.
func Devices(ctx context.Context, o Options) ([]*facts.Device, error) {
	o.defaults()
	o.KeepBytes = 1 << 62
	r, err := newReader(&o)
	if err != nil {
		return nil, err
	}
	defer r.close()
	if err := r.read(ctx); err != nil {
		return nil, err
	}
	f := assemble(&o, r)
	var out []*facts.Device
	for _, g := range f.groups {
		var parts []*facts.Device
		for _, p := range g.parts {
			d, err := r.load(ctx, p)
			if err != nil {
				return nil, err
			}
			parts = append(parts, d)
		}
		if len(parts) == 0 {
			continue
		}
		d, _ := facts.Merge(g.id, parts)
		out = append(out, d)
	}
	slices.SortFunc(out, func(a, b *facts.Device) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return out, nil
}
