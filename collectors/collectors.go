// Package collectors lists the collectors and runs them over a fleet.
//
// A failing device fails alone, with its cause and what would mend it. Devices are read side by side up to a limit, each
// within its own time; an interruption keeps what was read and marks the bundle incomplete. A credential that a device
// refused is not tried on it again by another collector of the run.
package collectors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/quaymaster/quaymaster/collectors/snmp"
	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/collectors/vsphere"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/inventory"
	"golang.org/x/sync/errgroup"
)

// List is every collector.
func List() []inventory.Collector {
	return []inventory.Collector{ssh.Collector(), vsphere.Collector(), snmp.Collector()}
}

// DefaultTimeout is how long one device may take.
const DefaultTimeout = 2 * time.Minute

// Options of a run over a fleet.
type Options struct {
	Jobs    int // devices side by side; 0 is 16
	Timeout time.Duration
	// Progress is called as devices end, one at a time.
	Progress func(Event)
}

// An Event is a device that ended.
type Event struct {
	Device, Collector string
	Err               error // nil: collected whole
	Took              time.Duration
	Done, Total       int
}

// Run collects every target into b. The error is the interruption; failed devices are in the bundle and in the events.
func Run(ctx context.Context, targets []inventory.Target, b *evidence.Bundle, o Options) (failed int, err error) {
	if o.Jobs <= 0 {
		o.Jobs = 16
	}
	if o.Timeout <= 0 {
		o.Timeout = DefaultTimeout
	}
	r := &fleet{o: o, b: b, total: len(targets)}
	g := new(errgroup.Group)
	g.SetLimit(o.Jobs)
	for _, device := range byDevice(targets) {
		g.Go(func() error { return r.device(ctx, device) })
	}
	err = g.Wait()
	if ctx.Err() != nil {
		err = errors.Join(ctx.Err(), err)
	}
	return r.failed, err
}

// byDevice groups targets of one name, which are read one after the other.
func byDevice(targets []inventory.Target) [][]inventory.Target {
	var out [][]inventory.Target
	at := map[string]int{}
	for _, t := range targets {
		if i, ok := at[t.Name]; ok {
			out[i] = append(out[i], t)
			continue
		}
		at[t.Name] = len(out)
		out = append(out, []inventory.Target{t})
	}
	return out
}

type fleet struct {
	o      Options
	b      *evidence.Bundle
	total  int
	mu     sync.Mutex
	done   int
	failed int
}

// device reads one device with each of its collectors and records how it ended.
func (r *fleet) device(ctx context.Context, targets []inventory.Target) error {
	state := evidence.DeviceState{Name: targets[0].Name, Platform: targets[0].Platform, State: "complete"}
	var used, errs []string
	ok := 0
	for _, t := range targets {
		used = append(used, t.Collector)
		start := time.Now()
		err := r.collect(ctx, t)
		if err != nil {
			errs = append(errs, err.Error())
		} else {
			ok++
		}
		r.tell(Event{Device: t.Name, Collector: t.Collector, Err: err, Took: time.Since(start)})
	}
	state.Collector = strings.Join(used, ",")
	switch {
	case len(errs) == 0:
	case ctx.Err() != nil && ok == 0:
		state.State, state.Error = "skipped", "the collection was interrupted"
	case ok > 0:
		state.State, state.Error = "partial", strings.Join(errs, "; ")
	default:
		state.State, state.Error = "failed", strings.Join(errs, "; ")
	}
	return r.b.Done(state)
}

func (r *fleet) tell(e Event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	if e.Err != nil {
		r.failed++
	}
	e.Done, e.Total = r.done, r.total
	if r.o.Progress != nil {
		r.o.Progress(e)
	}
}

func (r *fleet) collect(ctx context.Context, t inventory.Target) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	list := List()
	i := slices.IndexFunc(list, func(c inventory.Collector) bool { return c.Name == t.Collector })
	if i < 0 {
		return fmt.Errorf("no collector is named %q", t.Collector)
	}
	timeout := r.o.Timeout
	if t.Timeout > 0 {
		timeout = t.Timeout
	}
	device, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err := list[i].Collect(device, t, r.b.Device(t.Name, t.Platform))
	if err != nil && device.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("not finished within %s: %w; raise the device's timeout if it is only slow", timeout, err)
	}
	return err
}
