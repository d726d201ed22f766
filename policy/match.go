package policy

import (
	"net/netip"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
)

// contains reports whether a is on this side: in a prefix, or in a zone by longest prefix.
func (e *Ends) contains(p *Policy, a netip.Addr) bool {
	a = a.Unmap()
	if len(e.Zones) > 0 && slices.Contains(e.Zones, p.Zone(a).Name) {
		return true
	}
	return slices.ContainsFunc(e.Prefixes, func(c netip.Prefix) bool { return c.Contains(a) })
}

// Holds reports whether t is inside the window.
func (w *Window) Holds(t time.Time) bool {
	if w.Days == 0 && w.From == 0 && w.To == 0 {
		return true
	}
	zone := w.Zone
	if zone == nil {
		zone = time.UTC
	}
	t = t.In(zone)
	minute, today := t.Hour()*60+t.Minute(), uint8(1)<<t.Weekday()
	days := w.Days
	if days == 0 {
		days = 0x7f
	}
	switch {
	case w.From == w.To:
		return days&today != 0
	case w.From < w.To:
		return days&today != 0 && minute >= w.From && minute < w.To
	case minute >= w.From:
		return days&today != 0
	}
	yesterday := uint8(1) << ((t.Weekday() + 6) % 7)
	return minute < w.To && days&yesterday != 0
}

// Match is the workflow that covers x, or the near miss: the workflow of the same two ends that fails in the fewest
// respects. Both are nil when no workflow concerns x.
func (p *Policy) Match(x *facts.Transfer) (*Workflow, *NearMiss) {
	var near *NearMiss
	for i := range p.Workflows {
		w := &p.Workflows[i]
		differs, concerns := w.differs(p, x)
		if len(differs) == 0 {
			return w, nil
		}
		if concerns && (near == nil || len(differs) < len(near.Differs)) {
			near = &NearMiss{Workflow: w.ID, Owner: w.Owner, Differs: differs, Line: w.Line}
		}
	}
	return nil, near
}

// Approved reports whether a workflow covers x.
func (p *Policy) Approved(x *facts.Transfer) bool {
	w, _ := p.Match(x)
	return w != nil
}

// differs names the respects in which x is not what w approves. concerns says that at least one end and the protocol, or
// both ends, are w's.
func (w *Workflow) differs(p *Policy, x *facts.Transfer) (out []string, concerns bool) {
	if !x.Client.IsValid() || !x.Server.IsValid() {
		return []string{"source", "destination"}, false
	}
	from, to := w.From.contains(p, x.Client), w.To.contains(p, x.Server)
	proto := slices.Contains(w.Protocols, x.Protocol)
	if !from {
		out = append(out, "source")
	}
	if !to {
		out = append(out, "destination")
	}
	if !proto {
		out = append(out, "protocol")
	}
	if x.Time.Quality > facts.UptimeOnly {
		at := x.Time.Time()
		if !w.Window.Holds(at) {
			out = append(out, "window")
		}
		if !w.InForce(at) {
			out = append(out, "dates")
		}
	}
	switch {
	case w.Direction == "upload" && (x.Op == facts.OpGet || x.Op == facts.OpDelete), w.Direction == "download" && (x.Op == facts.OpPut || x.Op == facts.OpDelete):
		out = append(out, "direction")
	}
	if w.MaxBytes > 0 && (x.Out > w.MaxBytes || x.In > w.MaxBytes || x.Total > w.MaxBytes) {
		out = append(out, "size")
	}
	if w.File != "" && x.File != "" {
		base := path.Base(strings.ReplaceAll(x.File, `\`, "/"))
		if ok, err := path.Match(w.File, base); err != nil || !ok {
			out = append(out, "file")
		}
	}
	return out, from && to || to && proto
}

// RoleOf is the policy's role of a device or address; empty when none names it.
func (p *Policy) RoleOf(device string, a netip.Addr) string {
	for _, r := range p.Roles {
		if device != "" && slices.ContainsFunc(r.Devices, func(g string) bool { return glob(g, device) }) {
			return r.Name
		}
		if a.IsValid() && slices.ContainsFunc(r.CIDRs, func(c netip.Prefix) bool { return c.Contains(a.Unmap()) }) {
			return r.Name
		}
	}
	return ""
}
