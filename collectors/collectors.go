// Package collectors lists the collectors and runs them over a fleet.
//
// A failing device fails alone, with its cause and what would mend it. Devices are read side by side up to a limit, each
// within its own time; an interruption keeps what was read. Evidence goes straight to the bundle, so memory grows with the
// devices read at once, not with the fleet.
//
// Accounts are not locked out. A device gets one attempt with a credential, whichever collectors read it. Until some
// device has let a credential in, few devices try it at once; after [DefaultRefusals] refusals in a row it is tried
// nowhere else in the run, and the devices left are skipped.
package collectors

import (
	"cmp"
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

// DefaultTimeout is how long one collector may take for one device.
const DefaultTimeout = 2 * time.Minute

// DefaultJobs is how many devices are read side by side: no AAA server notices it, and a thousand devices take minutes.
const DefaultJobs = 16

// DefaultRefusals is how many refusals in a row suspend a credential: a wrong password must not reach the number at which
// directories lock an account, which is five in common practice and three at the strictest (FortiOS, ESXi before 6.0).
const DefaultRefusals = 3

// Options of a run over a fleet.
type Options struct {
	Jobs     int           // devices side by side; 0 is DefaultJobs
	Timeout  time.Duration // for one collector at one device, unless the target has its own; 0 is DefaultTimeout
	Refusals int           // of a credential in a row before it is suspended; 0 is DefaultRefusals, negative is never
	// Logins bounds how many logins a second are begun with one credential, for the sake of AAA servers; 0 is no bound.
	Logins float64
	// Progress is called as collectors end, one at a time.
	Progress func(Event)
	// Collectors are used in place of List; tests set it.
	Collectors []inventory.Collector
}

// An Event is a collector that ended with a device.
type Event struct {
	Device, Collector string
	Err               error  // nil: collected whole
	Remedy            string // of Err; may be empty
	Skipped           bool   // nothing was asked of the device
	Took              time.Duration
	Done, Total       int
}

// Run collects every target into b. Failed devices are in the bundle and in the events, counted by failed; the error is an
// interruption, or a bundle that cannot be written.
func Run(ctx context.Context, targets []inventory.Target, b *evidence.Bundle, o Options) (failed int, err error) {
	o.Jobs = cmp.Or(max(o.Jobs, 0), DefaultJobs)
	o.Timeout = cmp.Or(max(o.Timeout, 0), DefaultTimeout)
	o.Refusals = cmp.Or(o.Refusals, DefaultRefusals)
	if o.Collectors == nil {
		o.Collectors = List()
	}
	r := &fleet{o: o, b: b, total: len(targets), gates: map[string]*gate{}, refused: map[string][]inventory.Target{}}
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
	o     Options
	b     *evidence.Bundle
	total int

	mu      sync.Mutex // guards what follows
	done    int
	failed  int
	gates   map[string]*gate              // by credential
	refused map[string][]inventory.Target // by credential
}

// device reads one device with each of its collectors and records how it ended.
func (r *fleet) device(ctx context.Context, targets []inventory.Target) error {
	state := evidence.DeviceState{Name: targets[0].Name, Platform: targets[0].Platform}
	var used, errs, hints []string
	whole, skipped, wrote := 0, 0, false
	for _, t := range targets {
		used = append(used, t.Collector)
		start := time.Now()
		files, err := r.collect(ctx, t)
		e := Event{Device: t.Name, Collector: t.Collector, Err: err, Took: time.Since(start), Skipped: errors.Is(err, errSkipped)}
		wrote = wrote || files > 0
		switch {
		case err == nil:
			whole++
		case e.Skipped:
			skipped++
			fallthrough
		default:
			e.Remedy = remedy(err)
			errs = append(errs, err.Error())
			if e.Remedy != "" && !slices.Contains(hints, e.Remedy) {
				hints = append(hints, e.Remedy)
			}
		}
		r.tell(e)
	}
	state.Collector, state.Error, state.Hint = strings.Join(used, ","), strings.Join(slices.Compact(errs), "; "), strings.Join(hints, "; ")
	switch {
	case whole == len(targets):
		state.State = evidence.StateComplete
	case wrote:
		state.State = evidence.StatePartial
	case skipped == len(targets):
		state.State = evidence.StateSkipped
	default:
		state.State = evidence.StateFailed
	}
	return r.b.Done(state)
}

func remedy(err error) string {
	var f *inventory.Failure
	if errors.As(err, &f) {
		return f.Remedy
	}
	return ""
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

// errSkipped is a device that was not asked.
var errSkipped = errors.New("skipped")

func skipped(cause, remedy string, err error) error {
	return &inventory.Failure{Cause: cause, Remedy: remedy, Err: errors.Join(errSkipped, err)}
}

// collect runs one collector at one device. files counts the evidence it finished.
func (r *fleet) collect(ctx context.Context, t inventory.Target) (files int, err error) {
	if err := ctx.Err(); err != nil {
		return 0, skipped("the collection was interrupted before the device's turn", "", err)
	}
	i := slices.IndexFunc(r.o.Collectors, func(c inventory.Collector) bool { return c.Name == t.Collector })
	if i < 0 {
		return 0, fmt.Errorf("no collector is named %q", t.Collector)
	}
	if t.Secrets == nil {
		return 0, errors.New("there is no way to look secrets up")
	}
	if r.wasRefused(t) {
		return 0, skipped(fmt.Sprintf("the device refused credential %q already", t.Credential.Name), "", nil)
	}
	timeout := cmp.Or(max(t.Timeout, 0), r.o.Timeout)
	own, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a := &attempt{gate: r.gate(t)}
	t = a.watch(own, t)
	count := &counter{}
	err = r.o.Collectors[i].Collect(own, t, count.wrap(r.b.Device(t.Name, t.Platform)))
	var f *inventory.Failure
	known := errors.As(err, &f)
	refused := known && f.Refused
	a.end(err == nil, refused)
	if refused {
		r.refuse(t)
	}
	if err != nil && !known && own.Err() != nil {
		err = stopped(ctx, timeout, err)
	}
	return int(count.files.Load()), err
}

// stopped is the failure of a collector that the context ended.
func stopped(ctx context.Context, timeout time.Duration, err error) error {
	if ctx.Err() != nil {
		return &inventory.Failure{Cause: "interrupted", Err: err}
	}
	return &inventory.Failure{
		Cause: fmt.Sprintf("not finished within %s: %v", timeout, err), Remedy: "raise the device's timeout when it is only slow", Err: err,
	}
}

// wasRefused reports whether the device refused the credential in this run, under this name or another. Behind one address
// there may be several devices at ports of their own; another collector's port is the same device's.
func (r *fleet) wasRefused(t inventory.Target) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.refused[t.Credential.Name] {
		if x.Name == t.Name || strings.EqualFold(x.Address, t.Address) && (x.Port == t.Port || x.Collector != t.Collector) {
			return true
		}
	}
	return false
}

func (r *fleet) refuse(t inventory.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.refused[t.Credential.Name] = append(r.refused[t.Credential.Name], t)
}

// gate is that of a target's credential. SNMP has no logins that could be locked out: its targets never wait.
func (r *fleet) gate(t inventory.Target) *gate {
	r.mu.Lock()
	defer r.mu.Unlock()
	limit, logins, name := r.o.Refusals, r.o.Logins, t.Credential.Name
	if t.Collector == "snmp" {
		limit, logins, name = -1, 0, "snmp\x00"+name
	}
	g, ok := r.gates[name]
	if !ok {
		g = newGate(t.Credential.Name, limit, logins)
		r.gates[name] = g
	}
	return g
}
