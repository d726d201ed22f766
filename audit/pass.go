package audit

import (
	"net/netip"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// A Pass is what one check sees of a run. The engine makes one per check and worker; it must not be kept.
type Pass struct {
	Check  *Check
	Policy *policy.Policy
	now    time.Time
	world  *World
	out    *Outcome
	device string
	made   time.Time
}

// A World is what all checks share: read-only while checks run.
type World struct {
	Now     time.Time
	Policy  *policy.Policy
	Devices []*DeviceInfo // sorted by ID
	ByID    map[string]*DeviceInfo
	// Profile is what was normal in earlier weeks; nil without one.
	Profile *tally.Profile
	// Owners maps interface and management addresses to device IDs.
	Owners map[netip.Addr]string
	// Space gives the filter model of a device, made once.
	Space func(*facts.Device) *headerspace.Model
	// Memo keeps what checks derive from the device being judged; nil keeps nothing.
	Memo map[string]any
	// Asked is set when a check asks about other devices than the one being judged; nil when nobody needs to know.
	Asked *bool
}

// asked notes a question about other devices.
func (w *World) asked() {
	if w.Asked != nil {
		*w.Asked = true
	}
}

// An Outcome is what a check produced.
type Outcome struct {
	Findings []*Finding
	Gaps     []Gap
	Panics   []string
}

// NewPass makes the pass of one check.
func NewPass(c *Check, w *World, out *Outcome) *Pass {
	return &Pass{Check: c, Policy: w.Policy, now: w.Now, world: w, out: out}
}

// At makes p speak of device id by default.
func (p *Pass) At(id string) { p.device = id }

// MadeAt makes p speak of a change that was made, or first kept, at a time.
func (p *Pass) MadeAt(t time.Time) { p.made = t }

// Made is when the change that is judged was made, or first kept; zero when nobody knows, as of two states alone.
func (p *Pass) Made() time.Time { return p.made }

// Now is the time of judgement.
func (p *Pass) Now() time.Time { return p.now }

// Zone is the policy zone of an address: longest prefix, else the built-in external zone.
func (p *Pass) Zone(a netip.Addr) policy.Zone { return p.Policy.Zone(a) }

// Owner is the device that has address a on an interface, or as its management address.
func (p *Pass) Owner(a netip.Addr) (id string, ok bool) {
	p.world.asked()
	id, ok = p.world.Owners[a.Unmap()]
	return id, ok
}

// DeviceByID is what is known of a device; nil when there is none.
func (p *Pass) DeviceByID(id string) *DeviceInfo {
	p.world.asked()
	return p.world.ByID[id]
}

// Devices are all devices of the run, sorted by ID.
func (p *Pass) Devices() []*DeviceInfo {
	p.world.asked()
	return p.world.Devices
}

// Profile is what was normal in earlier weeks; nil without one.
func (p *Pass) Profile() *tally.Profile { return p.world.Profile }

// Space is d's filter model.
func (p *Pass) Space(d *facts.Device) *headerspace.Model { return p.world.Space(d) }

// Derived is what make derives from the device being judged, made once for all checks of it. It must depend on nothing but
// the device, the policy and the world, and is not changed by whoever asks.
func Derived[T any](p *Pass, key string, make func() T) T {
	if p.world.Memo == nil {
		return make()
	}
	if v, ok := p.world.Memo[key].(T); ok {
		return v
	}
	v := make()
	p.world.Memo[key] = v
	return v
}

// Report adds a finding. Check, Device and an empty Fix are filled in; a low confidence caps the severity at medium.
func (p *Pass) Report(f Finding) {
	f.Check = p.Check
	if f.Device == "" {
		f.Device = p.device
	}
	if f.Confidence == ConfidenceLow && f.Severity > Medium {
		f.Severity = Medium
	}
	p.out.Findings = append(p.out.Findings, &f)
}

// NotEvaluated records that the check had to leave something open here, and what evidence is missing.
func (p *Pass) NotEvaluated(missing string) {
	g := Gap{Check: p.Check.ID, Device: p.device, Missing: missing}
	if len(p.Check.Analytics) > 0 {
		for _, a := range p.Check.Analytics {
			g.Analytic = a
			p.out.Gaps = append(p.out.Gaps, g)
		}
		return
	}
	p.out.Gaps = append(p.out.Gaps, g)
}
