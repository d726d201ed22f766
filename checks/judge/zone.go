package judge

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// nowhere are addresses no session leads to: "this network" (RFC 1122 3.2.1.3), loopback, multicast and reserved
// (RFC 1112), and their likes in IPv6 (RFC 4291 2.4).
func nowhere() []netip.Prefix {
	return []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("224.0.0.0/3"),
		netip.MustParsePrefix("::/127"), netip.MustParsePrefix("ff00::/8"),
	}
}

// Outside are the outside addresses, as sets whose union they are: every address that no internal or partner zone holds,
// and external zones inside one. Those of except are left out, and addresses that no session leads to.
func Outside(p *audit.Pass, except ...netip.Prefix) []headerspace.Set {
	var ours []netip.Prefix
	for _, z := range p.Policy.Zones {
		if z.Trust != policy.External {
			ours = append(ours, z.CIDRs...)
		}
	}
	sets := []headerspace.Set{{Not: true, Prefixes: ours, Except: slices.Concat(nowhere(), except)}}
	for _, z := range p.Policy.Zones {
		for _, c := range z.CIDRs {
			if z.Trust == policy.External && slices.ContainsFunc(ours, func(o netip.Prefix) bool { return o.Bits() < c.Bits() && o.Contains(c.Addr()) }) {
				sets = append(sets, headerspace.Set{Prefixes: []netip.Prefix{c}, Except: slices.Concat(Within(ours, c), except)})
			}
		}
	}
	return sets
}

// Addresses are those of a zone: its networks without what longer prefixes of other zones take from them.
func Addresses(p *audit.Pass, z policy.Zone) headerspace.Set {
	s := headerspace.Set{Prefixes: z.CIDRs}
	for _, o := range p.Policy.Zones {
		if o.Name == z.Name {
			continue
		}
		for _, c := range z.CIDRs {
			s.Except = append(s.Except, Within(o.CIDRs, c)...)
		}
	}
	return s
}

// Within are the prefixes of all that lie in c and are longer.
func Within(all []netip.Prefix, c netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	for _, o := range all {
		if o.Bits() > c.Bits() && c.Contains(o.Addr()) {
			out = append(out, o)
		}
	}
	return out
}

// Contains reports whether one of the networks holds an address; none holds the zero address.
func Contains(nets []netip.Prefix, a netip.Addr) bool {
	a = a.Unmap()
	return slices.ContainsFunc(nets, func(n netip.Prefix) bool { return n.Contains(a) })
}

// ApprovedServer reports whether an address is one of the policy's servers, or allowed to everyone.
func ApprovedServer(p *audit.Pass, a netip.Addr) bool {
	return Contains(p.Policy.Servers, a) || Contains(p.Policy.Allow, a)
}

// Networks are the addresses of one end of a workflow, with those of the zones it names.
func Networks(p *audit.Pass, x *policy.Ends) []netip.Prefix {
	out := slices.Clone(x.Prefixes)
	for _, z := range p.Policy.Zones {
		if slices.Contains(x.Zones, z.Name) {
			out = append(out, z.CIDRs...)
		}
	}
	return out
}

// Internal are the internal zones, by name.
func Internal(p *audit.Pass) []policy.Zone {
	var out []policy.Zone
	for _, z := range p.Policy.Zones {
		if z.Trust == policy.Internal {
			out = append(out, z)
		}
	}
	slices.SortFunc(out, byName)
	return out
}

func byName(a, b policy.Zone) int { return cmp.Compare(a.Name, b.Name) }

// meeting are the zones of which a network holds an address: the one that holds all of it, and those inside it. none
// says that no zone does, so that the network is outside.
func meeting(p *audit.Pass, net netip.Prefix) (zones []policy.Zone, none bool) {
	owner, longest := -1, -1
	for i, z := range p.Policy.Zones {
		inside := false
		for _, c := range z.CIDRs {
			switch {
			case c.Bits() <= net.Bits() && c.Contains(net.Addr()):
				if c.Bits() > longest {
					owner, longest = i, c.Bits()
				}
			case net.Bits() < c.Bits() && net.Contains(c.Addr()):
				inside = true
			}
		}
		if inside {
			zones = append(zones, z)
		}
	}
	if owner >= 0 {
		zones = append(zones, p.Policy.Zones[owner])
	}
	return zones, len(zones) == 0
}

// A Side is an interface that packets pass, with what is behind it: the zones that meet its connected networks and static
// routes. The side of the default route leads to every external zone.
type Side struct {
	Interface *facts.Interface
	Zones     []policy.Zone // internal ones, by name
	// Networks are those connected and those a static route leads to, but for the default one.
	Networks []netip.Prefix
	// Outside says that it leads to outside addresses: everywhere, or to Beyond alone when that is not empty.
	Outside bool
	Beyond  []netip.Prefix
	// Border says that the far end is not ours: the interface has an outside address, or one the network gave it on the
	// way out.
	Border bool
	// Known says that there is an address or a route to tell the side by.
	Known bool
	// HostOnly says that nothing passes through: a management port of a Junos device or a PAN-OS firewall.
	HostOnly bool
	// Route is the static default route that leaves here; nil without one.
	Route *facts.Route
}

// Sides are the sides of a device, in the order of its interfaces; interfaces that are shut down and loopbacks have none.
func Sides(p *audit.Pass, d *facts.Device) []Side {
	return audit.Derived(p, "sides", func() []Side { return sidesOf(p, d) })
}

func sidesOf(p *audit.Pass, d *facts.Device) []Side {
	out := make([]Side, 0, len(d.Interfaces))
	at := make([]int, len(d.Interfaces)) // interface to side plus one
	hasDefault := map[string]bool{}
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		if facts.On(x.Shutdown) || isLoopback(x.Name) {
			continue
		}
		s := Side{Interface: x, HostOnly: hostOnly(d, x.Name)}
		for _, a := range x.Addrs {
			if !a.Addr().IsLoopback() && !a.Addr().IsLinkLocalUnicast() {
				s.add(p, a.Masked(), true)
			}
		}
		out = append(out, s)
		at[i] = len(out)
	}
	for j := range d.Routes {
		r := &d.Routes[j]
		i := leaves(d, r, 0)
		if i < 0 || at[i] == 0 {
			continue
		}
		s := &out[at[i]-1]
		if r.Prefix.Bits() == 0 {
			s.Outside, s.Known, s.Beyond = true, true, nil
			hasDefault[r.Scope] = true
			if s.Route == nil {
				s.Route = r
			}
			continue
		}
		s.add(p, r.Prefix, false)
	}
	for i := range out {
		s := &out[i]
		if x := s.Interface; x.DHCP && len(x.Addrs) == 0 && !hasDefault[x.Scope] {
			// An address from the network comes with a default route from it (RFC 2132 3.5), unless another is stated.
			s.Outside, s.Border, s.Known = true, true, true
		}
		if s.Route != nil || s.Border && !hasDefault[s.Interface.Scope] {
			s.Beyond = nil // a border without a stated default route has learned one
		}
		slices.SortFunc(s.Zones, byName)
	}
	return out
}

// Behind are the addresses of a zone that are known to be behind the side; no prefixes when none are.
func (s *Side) Behind(p *audit.Pass, z policy.Zone) headerspace.Set {
	all := Addresses(p, z)
	out := headerspace.Set{Except: all.Except}
	for _, n := range s.Networks {
		for _, c := range all.Prefixes {
			switch {
			case n.Bits() >= c.Bits() && c.Contains(n.Addr()):
				out.Prefixes = append(out.Prefixes, n)
			case c.Bits() > n.Bits() && n.Contains(c.Addr()):
				out.Prefixes = append(out.Prefixes, c)
			}
		}
	}
	return out
}

// add notes a network behind the side; own says that it is connected.
func (s *Side) add(p *audit.Pass, net netip.Prefix, own bool) {
	s.Known = true
	s.Networks = append(s.Networks, net)
	zones, none := meeting(p, net)
	if none {
		s.Outside = true
		s.Border = s.Border || own
		s.Beyond = append(s.Beyond, net)
	}
	for _, z := range zones {
		switch {
		case z.Trust == policy.External:
			s.Outside = true
			s.Border = s.Border || own && len(zones) == 1
			s.Beyond = append(s.Beyond, net)
		case z.Trust == policy.Internal && !slices.ContainsFunc(s.Zones, func(h policy.Zone) bool { return h.Name == z.Name }):
			s.Zones = append(s.Zones, z)
		}
	}
}

// leaves is the index of the interface a static route leaves by: the one it names, the one its next hop is connected to,
// or that of the route that leads to its next hop; -1 when none is known.
func leaves(d *facts.Device, r *facts.Route, depth int) int {
	if r.Interface != "" {
		return slices.IndexFunc(d.Interfaces, func(x facts.Interface) bool {
			return x.Scope == r.Scope && (x.Name == r.Interface || x.Alias != "" && x.Alias == r.Interface)
		})
	}
	if !r.NextHop.IsValid() {
		return -1
	}
	best, longest := -1, -1
	for i := range d.Interfaces {
		if x := &d.Interfaces[i]; x.Scope == r.Scope {
			for _, a := range x.Addrs {
				if a.Bits() > longest && a.Contains(r.NextHop) {
					best, longest = i, a.Bits()
				}
			}
		}
	}
	if best >= 0 || depth == 4 { // deeper recursion is no design but a mistake
		return best
	}
	var by *facts.Route
	for j := range d.Routes {
		o := &d.Routes[j]
		if o != r && o.Scope == r.Scope && o.Prefix.Contains(r.NextHop) && o.Prefix.Bits() > 0 && (by == nil || o.Prefix.Bits() > by.Prefix.Bits()) {
			by = o
		}
	}
	if by == nil {
		return -1
	}
	return leaves(d, by, depth+1)
}

// hostOnly reports whether an interface is the device's own, with a way out that nothing else takes. That of PAN-OS has no
// name there; its parser gives it this one.
func hostOnly(d *facts.Device, name string) bool {
	switch facts.PlatformFamily(d.Platform) {
	case facts.Junos:
		return isManagementPort(name)
	case facts.PANOS:
		return name == "management"
	}
	return false
}

// isManagementPort reports whether a Junos interface leads to the routing engine alone: "Transit traffic is not routed out of
// or received by the management interface" (Junos interfaces fundamentals, management Ethernet interfaces).
func isManagementPort(name string) bool {
	if strings.Contains(name, ":mgmt-") { // re0:mgmt-0
		return true
	}
	for _, prefix := range [...]string{"fxp", "em", "me", "vme"} {
		if rest, ok := strings.CutPrefix(name, prefix); ok && (rest == "" || rest[0] == '.' || rest[0] >= '0' && rest[0] <= '9') {
			return true
		}
	}
	return false
}

// isLoopback: nothing is behind one, whatever address it has.
func isLoopback(name string) bool {
	if len(name) < 2 || !strings.EqualFold(name[:2], "lo") {
		return false
	}
	return len(name) == 2 || name[2] >= '0' && name[2] <= '9' || len(name) >= len("loopback") && strings.EqualFold(name[:len("loopback")], "loopback")
}

// PairScope is the scope of the filters of a pair of device zones: names of a logical system's zones begin with its own.
func PairScope(z *facts.ZonePair) string {
	for _, name := range [...]string{z.From, z.To} {
		if scope, _, ok := strings.Cut(name, "/"); ok && scope != "" {
			return scope
		}
	}
	return ""
}
