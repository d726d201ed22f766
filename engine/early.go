package engine

import (
	"cmp"
	"context"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// This file judges one device, and does so early where it may: as soon as its file was read, so that its facts need not
// be kept, or read again, until every other file was. That is a guess that the file is all there is of the device. Where
// the guess was wrong the verdict is thrown away and the device is judged in its turn, so the result is the same.

// A verdict is what judging one device gave.
type verdict struct {
	id    string // that it was judged under
	info  audit.DeviceInfo
	out   audit.Outcome
	notes []facts.Note
	// incomplete are its filters whose verdicts are unknown.
	incomplete []audit.Reason
	asked      bool // a check asked about other devices
}

// judgeDevice calls the device hooks of all checks.
func judgeDevice(checks []*audit.Check, world audit.World, d *facts.Device) *verdict {
	v := &verdict{id: d.ID}
	summarise(&v.info, d)
	model := headerspace.New(d)
	defer model.Close()
	world.Space = func(*facts.Device) *headerspace.Model { return model }
	world.Memo = map[string]any{}
	world.Asked = &v.asked
	for _, c := range checks {
		if c.Device == nil || !applies(c, d) || !hasPolicy(c, world.Policy) {
			continue
		}
		p := audit.NewPass(c, &world, &v.out)
		p.At(d.ID)
		if missing := lacking(c, d); missing != "" {
			p.NotEvaluated(missing)
			continue
		}
		guard(&v.out, c, d.ID, func() { c.Device(p, d) })
	}
	v.incomplete = undecided(d, model)
	return v
}

func summarise(i *audit.DeviceInfo, d *facts.Device) {
	i.Has, i.Platform, i.Tool, i.Parts, i.Lines = d.Has, d.Platform, d.Tool, d.Parts, d.Lines
	i.Hostname = d.Hostname.Val
	i.Model, i.Version = d.Model.Val, d.Version.Val
	i.Services = append(i.Services, d.Services...)
}

// settle takes the verdict on x.
func (j *judge) settle(x *group, v *verdict) {
	i, from := x.info, &v.info
	i.Has, i.Platform, i.Tool, i.Parts, i.Lines = from.Has, from.Platform, from.Tool, from.Parts, from.Lines
	i.Hostname = cmp.Or(from.Hostname, i.Hostname)
	i.Model, i.Version, i.Services = from.Model, from.Version, from.Services
	j.mu.Lock()
	defer j.mu.Unlock()
	j.take(&v.out)
	j.notes = append(j.notes, v.notes...)
	j.incomplete = append(j.incomplete, v.incomplete...)
}

// An early judge guesses which files are all there is of a device. It is read-only.
type early struct {
	world audit.World
	known *names
	files map[string]int // of each host the manifest names
	o     *Options
}

// newEarly is nil when guesses would be wrong: logs say more of the devices they name.
func newEarly(o *Options, sources []*source) *early {
	e := &early{o: o, known: inventoryNames(o), files: map[string]int{}, world: newWorld(o)}
	for _, s := range sources {
		if s.file.Past != evidence.Now {
			continue
		}
		if s.format.Splits {
			return nil
		}
		e.files[s.file.Host]++
	}
	return e
}

// judge is the verdict on the device that p would be alone; nil when that is not likely, or not enough.
func (e *early) judge(ctx context.Context, p *part, d *facts.Device) *verdict {
	const whole = facts.HasConfig | facts.HasESXi
	f := p.src.file
	if e == nil || ctx.Err() != nil || d.Has&whole == 0 || d.Platform == "" || f.Host != "" && e.files[f.Host] > 1 {
		return nil
	}
	id := e.known.id(p)
	if !wanted(e.o.Devices, id) || e.o.Changed != nil && !e.o.Changed[f.Path] {
		return nil
	}
	merged, notes := facts.Merge(id, []*facts.Device{d})
	v := judgeDevice(e.o.Checks, e.world, merged)
	if v.asked {
		return nil
	}
	v.notes = notes
	return v
}

// early is the verdict that was made of x before all was read, when it holds.
func (x *group) early() *verdict {
	if len(x.parts) != 1 || x.sender != nil {
		return nil
	}
	if v := x.parts[0].early; v != nil && v.id == x.id {
		return v
	}
	return nil
}
