package engine

import (
	"cmp"
	"context"
	"fmt"
	"net/netip"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/tally"
	"golang.org/x/sync/errgroup"
)

// A judge runs the phases over what was read.
type judge struct {
	o       *Options
	r       *reader
	fleet   *fleet
	tallied *tally.Result
	world   audit.World

	mu         sync.Mutex // guards what follows while devices are judged side by side
	out        audit.Outcome
	notes      []facts.Note
	incomplete []audit.Reason
}

func newJudge(o *Options, r *reader, f *fleet, t *tally.Result) *judge {
	j := &judge{o: o, r: r, fleet: f, tallied: t, notes: f.notes}
	j.world = newWorld(o)
	j.world.Owners, j.world.ByID = f.owners, map[string]*audit.DeviceInfo{}
	for _, g := range f.groups {
		describe(o, g)
		j.world.Devices = append(j.world.Devices, g.info)
		j.world.ByID[g.id] = g.info
	}
	return j
}

// newWorld is what checks see of a run before any device is known.
func newWorld(o *Options) audit.World {
	return audit.World{Now: o.Now, Policy: o.Policy, Profile: o.Profile, Space: headerspace.New}
}

// describe fills what is known of a device before its facts are loaded.
func describe(o *Options, g *group) {
	i := g.info
	for _, p := range g.parts {
		i.Has |= p.has
		i.Platform = cmp.Or(i.Platform, p.platform)
		i.Hostname = cmp.Or(i.Hostname, p.hostname)
		i.Addrs = append(i.Addrs, p.addrs...)
	}
	if g.sender != nil {
		i.Has |= g.sender.has
		i.Platform = cmp.Or(i.Platform, g.sender.platform)
	}
	slices.SortFunc(i.Addrs, netip.Addr.Compare)
	i.Addrs = slices.Compact(i.Addrs)
	if o.Inventory == nil {
		return
	}
	for _, d := range o.Inventory.Devices {
		if d.Name == g.id {
			i.Role, i.Site, i.Zone = d.Role, d.Site, d.Zone
			i.Platform = cmp.Or(i.Platform, d.Platform)
		}
	}
}

// devices judges every device, side by side.
func (j *judge) devices(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(j.o.Jobs)
	for _, x := range j.fleet.groups {
		g.Go(func() error {
			j.device(ctx, x)
			return ctx.Err()
		})
	}
	return g.Wait()
}

func (j *judge) device(ctx context.Context, x *group) {
	if v := x.early(); v != nil {
		j.settle(x, v)
		return
	}
	var parts []*facts.Device
	for _, p := range x.parts {
		d, err := j.r.load(ctx, p)
		if err != nil {
			if ctx.Err() == nil {
				j.reason(audit.Reason{Path: p.src.file.Path, Device: x.id, Message: err.Error()})
			}
			continue
		}
		parts = append(parts, d)
		p.facts = nil
	}
	d := &facts.Device{ID: x.id, Platform: x.info.Platform}
	var notes []facts.Note
	if len(parts) > 0 {
		d, notes = facts.Merge(x.id, parts)
	}
	if x.sender != nil {
		d.Has |= x.sender.has
	}
	d.Platform = cmp.Or(d.Platform, x.info.Platform)
	v := judgeDevice(j.o.Checks, j.world, d)
	v.notes = append(v.notes, notes...)
	j.settle(x, v)
}

func (j *judge) take(out *audit.Outcome) {
	j.out.Findings = append(j.out.Findings, out.Findings...)
	j.out.Gaps = append(j.out.Gaps, out.Gaps...)
	j.out.Panics = append(j.out.Panics, out.Panics...)
}

func (j *judge) reason(r audit.Reason) {
	j.mu.Lock()
	j.incomplete = append(j.incomplete, r)
	j.mu.Unlock()
}

// guard turns a check's panic into an entry of its outcome.
func guard(out *audit.Outcome, c *audit.Check, where string, f func()) {
	defer func() {
		if v := recover(); v != nil {
			out.Panics = append(out.Panics, fmt.Sprintf("%s panicked on %s: %v at %s", c.ID, where, v, site(debug.Stack())))
		}
	}()
	f()
}

// site is the source line a panic came from, without addresses or the machine's paths.
func site(stack []byte) string {
	lines := strings.Split(string(stack), "\n")
	for i, l := range lines {
		if strings.HasPrefix(l, "panic(") && i+3 < len(lines) {
			at := strings.TrimSpace(lines[i+3])
			at, _, _ = strings.Cut(at, " +0x")
			if k := strings.LastIndex(at, "/"); k >= 0 {
				at = at[k+1:]
			}
			return at
		}
	}
	return "an unknown place"
}

func applies(c *audit.Check, d *facts.Device) bool {
	if len(c.Needs.Platforms) == 0 {
		return true
	}
	return slices.Contains(c.Needs.Platforms, d.Platform) || slices.Contains(c.Needs.Platforms, facts.PlatformFamily(d.Platform))
}

// lacking names the evidence c needs and d has not; empty when there is all.
func lacking(c *audit.Check, d *facts.Device) string {
	if miss := c.Needs.Evidence &^ d.Has; miss != 0 {
		return "no " + strings.Join(miss.Names(), " or ") + " of this device was given"
	}
	return ""
}

// undecided are the filters applied to an interface whose verdict on a transfer protocol is unknown because of a line
// that was not understood: they make the run incomplete.
func undecided(d *facts.Device, m *headerspace.Model) []audit.Reason {
	unread := map[string]*facts.Filter{}
	for i := range d.Filters {
		f := &d.Filters[i]
		if f.Unread != "" || slices.ContainsFunc(f.Rules, func(r facts.Rule) bool {
			return r.Action == facts.ActionUnknown || len(r.Match.Unread) > 0
		}) {
			unread[f.Name] = f
		}
	}
	if len(unread) == 0 {
		return nil
	}
	var out []audit.Reason
	seen := map[string]bool{}
	for i := range d.Interfaces {
		for _, b := range d.Interfaces[i].Bindings {
			for _, name := range b.Filters {
				f := unread[name]
				if f == nil || seen[name] {
					continue
				}
				seen[name] = true
				if r, ok := undecidedFilter(d, m, f); ok {
					out = append(out, r)
				}
			}
		}
	}
	return out
}

func undecidedFilter(d *facts.Device, m *headerspace.Model, f *facts.Filter) (audit.Reason, bool) {
	for _, l := range facts.TransferPorts() {
		a, err := m.Test(headerspace.Query{Scope: f.Scope, Filter: f.Name, Protocols: []uint8{l.Transport}, DstPorts: []facts.PortRange{l.Ports}})
		if err == nil && a.Verdict == headerspace.Unknown {
			at := a.Span
			if at.IsZero() {
				at = f.Span
			}
			return audit.Reason{
				Path: d.Path, Device: d.ID, Span: at,
				Message: fmt.Sprintf("filter %q is applied to an interface and its verdict on %s is unknown: %s", f.Name, l.Protocol, cmp.Or(a.Reason, "a line was not understood")),
				Hint:    "read the line by hand; filters test shows what it could change",
			}, true
		}
	}
	return audit.Reason{}, false
}
