// Package activity holds the checks that ask whether a transfer happened: new pairs, outside destinations, commands that
// send configuration away. One file is one check, named by its slug.
package activity

import (
	"cmp"
	"fmt"
	"math/bits"
	"net/netip"
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/tally"
)

// pairSubject names a pair without counts or times. The port is named when it is not the protocol's own.
func pairSubject(k tally.Key) audit.Subject {
	name := fmt.Sprintf("%s to %s %s", k.ClientAddr(), k.ServerAddr(), k.Protocol)
	if !ownPort(k) {
		name += fmt.Sprintf(" port %d", k.Port)
	}
	return audit.Subject{Kind: "pair", Name: name}
}

// ownPort reports whether a pair's port is one its protocol is registered for, or not known.
func ownPort(k tally.Key) bool {
	if k.Port == 0 {
		return true
	}
	for _, l := range facts.TransferPorts() {
		if l.Protocol == k.Protocol && l.Ports.First <= k.Port && k.Port <= l.Ports.Last {
			return true
		}
	}
	return false
}

// at makes p speak of the client's device, or of none: who saw a pair may change from day to day, and must not change the
// finding's name. It returns the client's device.
func at(p *audit.Pass, k tally.Key) string {
	id, ok := p.Owner(k.ClientAddr())
	if !ok {
		id = ""
	}
	p.At(id)
	return id
}

// privilege is what a client has to give away: a device's or hypervisor's configuration, else what its zone holds.
func privilege(p *audit.Pass, k tally.Key, device string) float64 {
	if device != "" {
		return audit.PrivilegeDevice
	}
	return judge.Privilege(p.Zone(k.ClientAddr()))
}

func interval(x *tally.Pair) audit.Interval {
	if x.First == 0 {
		return audit.Interval{}
	}
	return audit.Interval{First: time.Unix(x.First, 0).UTC(), Last: time.Unix(x.Last, 0).UTC()}
}

func entities(k tally.Key, device string) []tally.Entity {
	out := []tally.Entity{{Kind: tally.KindAddress, Name: k.ClientAddr().String()}, {Kind: tally.KindAddress, Name: k.ServerAddr().String()}}
	if device != "" {
		out = append(out, tally.Entity{Kind: tally.KindDevice, Name: device})
	}
	return out
}

// seen shows the figures of a pair and who saw it.
func seen(x *tally.Pair) map[string]string {
	e := map[string]string{"seen by": cmp.Or(x.Vantage, "an unnamed source")}
	if len(x.Witness) > 0 {
		e["also seen by"] = strings.Join(x.Witness[:min(len(x.Witness), 8)], ", ")
	}
	if x.OpenerUnknown > 0 && x.OpenerUnknown >= x.Sessions {
		e["direction"] = "who opened the sessions is not known: client and server may be the other way round"
	}
	if x.Denied+x.Failed > 0 {
		e["attempts"] = fmt.Sprintf("%d denied, %d failed", x.Denied, x.Failed)
	}
	return e
}

// days is how many days a pair was seen on.
func days(x *tally.Pair) int64 {
	var n int
	for _, w := range x.Days {
		n += bits.OnesCount64(w)
	}
	return int64(n)
}

// volume is what is known of the bytes, for a message.
func volume(x *tally.Pair) string {
	switch {
	case x.OutKnown+x.InKnown > 0:
		return fmt.Sprintf("%s out and %s in", size(x.Out), size(x.In))
	case x.TotalKnown > 0:
		return size(x.Total) + " in all"
	}
	return "an unknown volume"
}

// size writes bytes in powers of 1024.
func size(n int64) string {
	switch {
	case n < 1<<10:
		return judge.Count(n, "byte")
	case n < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(n)/(1<<10))
	case n < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// external reports whether an address is a server outside: no internal or partner zone holds it.
func external(p *audit.Pass, a netip.Addr) bool {
	return p.Zone(a).Trust == policy.External && !a.IsMulticast() && !a.IsUnspecified() && !a.IsLoopback() && a != broadcast()
}

// addresses are those of a device; none is known of one that only logs name, unless its name is an address.
func addresses(p *audit.Pass, id string) []netip.Addr {
	if d := p.DeviceByID(id); d != nil && len(d.Addrs) > 0 {
		return d.Addrs
	}
	if a, err := netip.ParseAddr(id); err == nil {
		return []netip.Addr{a}
	}
	return nil
}

// approvedFrom reports whether a workflow covers a transfer of a device whose own address its record does not name: any of
// the device's is accepted. Else near is the workflow it misses by least, nil when none is about it.
func approvedFrom(p *audit.Pass, device string, x *facts.Transfer) (near *policy.NearMiss, approved bool) {
	for _, a := range addresses(p, device) {
		x.Client = a
		w, miss := p.Policy.Match(x)
		if w != nil {
			return nil, true
		}
		if miss != nil && (near == nil || len(miss.Differs) < len(near.Differs)) {
			near = miss
		}
	}
	return near, false
}
