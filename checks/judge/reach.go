package judge

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// A Reach is from where something can be reached.
type Reach struct {
	Factor float64 // an exposure factor of audit
	Who    string  // for messages: "anyone inside", "host 10.0.0.20 only"
	// Limited: a filter keeps clients away that could otherwise reach it.
	Limited bool
	// Unknown is why the reach could not be computed; it then counts as reachable from outside.
	Unknown string
}

// Facing is how far out a device's own addresses reach when nothing limits the clients: 1.00 with an outside address, or
// one that the network gives, or none that is known; 0.40 when all are in management zones; else 0.80.
func Facing(p *audit.Pass, d *facts.Device) Reach {
	known, management := 0, 0
	for _, s := range Sides(p, d) {
		if s.Border {
			return Reach{Factor: audit.ExposureUntrusted, Who: "anyone, from outside too"}
		}
	}
	for i := range d.Interfaces {
		if facts.On(d.Interfaces[i].Shutdown) {
			continue
		}
		for _, a := range d.Interfaces[i].Addrs {
			if a.Addr().IsLoopback() || a.Addr().IsLinkLocalUnicast() {
				continue
			}
			z := p.Zone(a.Addr())
			if z.Trust == policy.External {
				return Reach{Factor: audit.ExposureUntrusted, Who: "anyone, from outside too"}
			}
			known++
			if z.Kind == "management" {
				management++
			}
		}
	}
	switch known {
	case 0:
		return Reach{Factor: audit.ExposureUntrusted, Who: "anyone", Unknown: "no address of the device is known"}
	case management:
		return Reach{Factor: audit.ExposureManagement, Who: "the management network"}
	}
	return Reach{Factor: audit.ExposureInternal, Who: "anyone inside"}
}

// A List is what a client list does.
type List uint8

const (
	NoList        List = iota // none is stated: anyone may connect
	ListUndefined             // stated, and not defined: the platform permits anyone
	ListEmpty                 // defined without a line: the platform permits anyone
	ListOpen                  // permits any
	ListLimits                // keeps some away
	ListUnknown               // cannot be told
)

// Clients says what the client list acl of a service does, and for ListUnknown why that cannot be told.
func Clients(p *audit.Pass, d *facts.Device, acl facts.V[string], scope string) (List, string) {
	if acl.Origin == facts.Masked {
		return ListUnknown, "the client list was masked by a backup tool"
	}
	if !acl.Known() || acl.Val == "" {
		return NoList, ""
	}
	f := Find(d, acl.Val, scope)
	switch {
	case f == nil && facts.PlatformFamily(d.Platform) == facts.CiscoIOS:
		// "If an access list is referenced by a name, but does not exist, all packets pass" (Catalyst 2960 guide).
		return ListUndefined, ""
	case f == nil:
		return ListUnknown, fmt.Sprintf("client list %q is not in this evidence", acl.Val)
	case f.Unread != "":
		return ListUnknown, fmt.Sprintf("what client list %q holds is unknown: %s", acl.Val, f.Unread)
	case len(f.Rules) == 0 && (f.WhenEmpty == facts.Permit || f.WhenEmpty == facts.ActionUnknown && f.Default == facts.Permit):
		return ListEmpty, ""
	}
	a, err := p.Space(d).Test(headerspace.Query{Scope: f.Scope, Filter: f.Name, At: p.Now()})
	switch {
	case err != nil:
		return ListUnknown, err.Error()
	case a.Verdict == headerspace.Unknown:
		return ListUnknown, fmt.Sprintf("whom client list %q permits is unknown: %s", acl.Val, a.Reason)
	case a.Verdict == headerspace.Permit:
		return ListOpen, ""
	}
	return ListLimits, ""
}

// A Listener is where a service of the device answers.
type Listener struct {
	Transport uint8
	Port      uint16
	Bind      string // addresses or interfaces, by comma or blank; empty is every one
	Scope     string // VRF; empty is every one
	ACL       facts.V[string]
}

// ListenerOf is where a transfer service answers: its own port, else its protocol's (IANA).
func ListenerOf(s *facts.Service) Listener {
	l := Listener{Transport: facts.TCP, Port: s.Port, Bind: s.Bind, Scope: s.Scope, ACL: s.ACL}
	for _, x := range facts.TransferPorts() {
		if x.Protocol == s.Protocol {
			l.Transport = x.Transport
			if l.Port == 0 {
				l.Port = x.Ports.Last // FTP: 21, the control channel
			}
			break
		}
	}
	return l
}

// Service is from where a listener of the device can be reached: through which interfaces a zone's or outside's packets
// arrive, what the filters there, host-inbound services and the control plane let in, and what its client list permits.
// Outside packets arrive by a border alone: that another device in front passes them is not claimed. When no filter
// limits the clients, the factor is at least that of any internal zone (catalogue, svc-tftp-no-acl).
func Service(p *audit.Pass, d *facts.Device, l Listener) Reach {
	r := reaching{p: p, d: d, l: l}
	list, why := Clients(p, d, l.ACL, l.Scope)
	if list == ListUnknown {
		return Reach{Factor: audit.ExposureUntrusted, Who: "clients that cannot be told", Unknown: why}
	}
	if list == ListLimits {
		r.filter = Find(d, l.ACL.Val, l.Scope)
	}
	facing := Facing(p, d)
	if facing.Unknown != "" && r.filter == nil {
		return facing
	}
	for _, s := range Sides(p, d) {
		if r.serves(&s) {
			r.sides = append(r.sides, s)
		}
	}
	for _, set := range Outside(p) {
		if r.from(set, true, "") {
			who := "anyone, from outside too"
			if r.limited {
				who = "some clients, from outside too"
			}
			if r.unknown != "" {
				who = "clients that cannot be told"
			}
			return Reach{Factor: audit.ExposureUntrusted, Who: who, Limited: r.limited, Unknown: r.unknown}
		}
	}
	var zones []policy.Zone
	for _, z := range p.Policy.Zones {
		if z.Trust != policy.External && r.from(Addresses(p, z), false, z.Kind) {
			zones = append(zones, z)
		}
	}
	slices.SortFunc(zones, byName)
	out := Reach{Limited: r.limited, Unknown: r.unknown}
	out.Factor, out.Who = r.sum(zones)
	if !r.limited {
		out.Factor = max(out.Factor, audit.ExposureInternal)
	}
	return out
}

// reaching is one question about a listener.
type reaching struct {
	p       *audit.Pass
	d       *facts.Device
	l       Listener
	filter  *facts.Filter // the client list, when it limits
	sides   []Side
	limited bool
	unknown string
}

// serves reports whether the listener answers on a side.
func (r *reaching) serves(s *Side) bool {
	x := s.Interface
	if r.l.Scope != "" && x.Scope != r.l.Scope || len(x.Addrs) == 0 && !x.DHCP && x.Unnumbered == "" {
		return false
	}
	if r.l.Bind == "" {
		return true
	}
	for _, word := range strings.FieldsFunc(r.l.Bind, func(c rune) bool { return c == ',' || c == ' ' }) {
		a, err := netip.ParseAddr(word)
		if word == x.Name || word == x.Alias || err == nil && slices.ContainsFunc(x.Addrs, func(p netip.Prefix) bool { return p.Addr() == a }) {
			return true
		}
	}
	r.limited = true // clients of this side are kept away
	return false
}

// from reports whether some packet of a set of sources reaches the listener. kind is the zone's.
func (r *reaching) from(src headerspace.Set, outside bool, kind string) bool {
	arrives := len(r.sides) == 0 && !outside // addresses are unknown: the client list alone decides
	for i := range r.sides {
		s := &r.sides[i]
		if outside && !s.Border && s.Known || !outside && onlyManagement(s) && kind != "management" {
			continue
		}
		q := headerspace.Query{
			Self: true, In: s.Interface.Name, Scope: s.Interface.Scope, Src: src, Protocols: []uint8{r.l.Transport},
			DstPorts: []facts.PortRange{{First: r.l.Port, Last: r.l.Port}}, At: r.p.Now(),
		}
		for _, a := range s.Interface.Addrs {
			q.Dst.Prefixes = append(q.Dst.Prefixes, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
		}
		if r.ask(q) {
			arrives = true
			if outside && !s.Known {
				r.unknown = fmt.Sprintf("what is behind interface %q is unknown", s.Interface.Name)
			}
		}
	}
	if len(r.sides) == 0 && outside {
		arrives = true
	}
	if !arrives || r.filter == nil {
		return arrives
	}
	return r.ask(headerspace.Query{Filter: r.filter.Name, Scope: r.filter.Scope, Src: src, At: r.p.Now()})
}

// ask reports whether some packet of q passes, or may.
func (r *reaching) ask(q headerspace.Query) bool {
	a, err := r.p.Space(r.d).Test(q)
	switch {
	case err != nil: // of another version of IP than the interface: no packet of q arrives
		return false
	case a.Permitted != nil:
		r.limited = r.limited || a.Verdict != headerspace.Permit
		return true
	case a.Verdict == headerspace.Unknown:
		r.unknown = a.Reason
		return true
	}
	r.limited = true
	return false
}

func onlyManagement(s *Side) bool {
	return len(s.Zones) > 0 && !s.Outside && !slices.ContainsFunc(s.Zones, func(z policy.Zone) bool { return z.Kind != "management" })
}

// sum is the factor of the zones that reach the listener, and their name.
func (r *reaching) sum(zones []policy.Zone) (float64, string) {
	if len(zones) == 0 {
		return audit.ExposureNone, "nobody"
	}
	if r.filter != nil {
		if host := SoleHost(r.filter); host.IsValid() {
			return audit.ExposureHost, fmt.Sprintf("host %s only", host)
		}
	}
	if !slices.ContainsFunc(zones, func(z policy.Zone) bool { return z.Kind != "management" }) {
		return audit.ExposureManagement, "the management network"
	}
	if len(zones) == 1 && (zones[0].Kind == "user" || zones[0].Kind == "server" || zones[0].Kind == "dmz") {
		return audit.ExposureZone, "zone " + zones[0].Name
	}
	if !r.limited {
		return audit.ExposureInternal, "anyone inside"
	}
	if len(zones) > 4 {
		return audit.ExposureInternal, "some clients inside"
	}
	names := make([]string, len(zones))
	for i, z := range zones {
		names[i] = z.Name
	}
	noun := "clients of zone "
	if len(names) > 1 {
		noun = "clients of zones "
	}
	return audit.ExposureInternal, noun + Join(names)
}

// SoleHost is the one source address a filter permits; invalid when it permits more, or less plainly.
func SoleHost(f *facts.Filter) netip.Addr {
	var host netip.Addr
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action == facts.Deny || facts.On(r.Inactive) {
			continue
		}
		if r.Action != facts.Permit || len(r.Match.Src.Items) != 1 || r.Match.Src.Not || r.Match.Not {
			return netip.Addr{}
		}
		x := r.Match.Src.Items[0]
		if !x.Prefix.IsValid() || !x.Prefix.IsSingleIP() || x.Except || host.IsValid() && host != x.Prefix.Addr() {
			return netip.Addr{}
		}
		host = x.Prefix.Addr()
	}
	if f.Default == facts.Permit {
		return netip.Addr{}
	}
	return host
}
