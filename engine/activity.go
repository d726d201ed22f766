package engine

import (
	"context"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/tally"
)

// activity runs the pair, series and trail phases, in this order, over the merged tallies.
func (j *judge) activity(ctx context.Context) error {
	var has facts.Kind
	for _, d := range j.world.Devices {
		has |= d.Has
	}
	pairs := j.hooked(has, func(c *audit.Check) bool { return c.Pair != nil })
	series := j.hooked(has, func(c *audit.Check) bool { return c.Series != nil })
	trails := j.hooked(has, func(c *audit.Check) bool { return c.Trail != nil })
	if len(pairs) > 0 {
		err := j.tallied.Pairs(ctx, func(k tally.Key, now *tally.Pair) {
			var before *tally.Pair
			if j.o.Profile != nil {
				before = j.o.Profile.Pair(k)
			}
			for _, p := range pairs {
				j.at(p, now.Device)
				guard(&j.out, p.Check, "a pair", func() { p.Check.Pair(p, k, now, before) })
			}
		})
		if err != nil {
			return err
		}
	}
	if len(series) > 0 {
		err := j.tallied.Series(ctx, func(k tally.SeriesKey, now *tally.Series) {
			var before *tally.Series
			if j.o.Profile != nil {
				before = j.o.Profile.Series(k)
			}
			for _, p := range series {
				j.at(p, k.Source)
				guard(&j.out, p.Check, k.Source, func() { p.Check.Series(p, k, now, before) })
			}
		})
		if err != nil {
			return err
		}
	}
	if len(trails) == 0 {
		return nil
	}
	return j.tallied.Trails(ctx, func(e tally.Entity, events []tally.Event) {
		for _, p := range trails {
			if e.Kind == "device" {
				e.Name = j.fleet.resolve(e.Name)
				p.At(e.Name)
			} else {
				p.At("")
			}
			guard(&j.out, p.Check, e.Name, func() { p.Check.Trail(p, e, events) })
		}
	})
}

func (j *judge) at(p *audit.Pass, sender string) {
	if sender == "" {
		p.At("")
		return
	}
	p.At(j.fleet.resolve(sender))
}

// hooked makes the passes of the checks that have a hook and their evidence. A check whose evidence nobody gave is a gap
// once, not once a device.
func (j *judge) hooked(has facts.Kind, hook func(*audit.Check) bool) []*audit.Pass {
	var out []*audit.Pass
	for _, c := range j.o.Checks {
		if !hook(c) {
			continue
		}
		p := audit.NewPass(c, &j.world, &j.out)
		switch need := c.Needs.Evidence &^ (facts.HasConfig | facts.HasESXi); {
		case has&need != need || need == 0 && has&(facts.HasSyslog|facts.HasTransfers|facts.HasCommands) == 0:
			if c.Device == nil {
				p.NotEvaluated("no logs or transfer records were given")
			}
			continue
		case c.Needs.Profile && j.o.Profile == nil:
			p.NotEvaluated("no profile of earlier weeks was given: make one with profile build and pass --profile-dir")
			continue
		}
		out = append(out, p)
	}
	return out
}
