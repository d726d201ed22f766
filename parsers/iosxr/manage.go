package iosxr

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// line reads line templates: what logins take, and their lists.
func line(s *cli.Stmt) bool {
	a := facts.Access{Name: s.R.Keep("line " + strings.Join(s.W[1:], " ")), Enabled: facts.Assume(true), Span: s.Span()}
	s.Block(func(c *cli.Stmt) bool {
		switch {
		case c.Is(0, "transport", "input"), c.Is(0, "transport", "output"):
			words := []string{}
			for i := 2; i < len(c.W); i++ {
				if c.W[i] != "none" {
					words = append(words, c.Keep(i))
				}
			}
			if c.Is(1, "input") {
				a.In = facts.Say(words, c.Span())
			} else {
				a.Out = facts.Say(words, c.Span())
			}
			return c.OK()
		case c.Is(0, "access-class"):
			dir, ok := cli.Direction(c.Word(1))
			if !ok {
				return false
			}
			if dir == facts.In && !c.No {
				a.ACL = facts.Say(c.Keep(2), c.Span())
			}
			return c.BindAt(facts.WhereVTY, c.Word(2), facts.IPv4, dir, facts.ActionUnknown, "")
		}
		return false
	})
	if !s.Is(1, "console") {
		s.R.D.Access = append(s.R.D.Access, a)
	}
	return true
}

// planeName is the filter that management plane protection makes.
const planeName = "control-plane management-plane"

// guarded are the protocols that management plane protection names, with their ports (system security configuration guide,
// implementing management plane protection).
var guarded = []struct {
	word      string
	transport uint8
	port      uint16
}{
	{"SSH", facts.TCP, 22}, {"Telnet", facts.TCP, 23}, {"TFTP", facts.UDP, 69}, {"SNMP", facts.UDP, 161}, {"HTTP", facts.TCP, 80}, {"XML", facts.TCP, 38751}, {"NETCONF", facts.TCP, 830},
}

// controlPlane reads "management-plane" with what each interface lets in: with a line of it, the protocols it names are let
// in by these interfaces alone.
func controlPlane(s *cli.Stmt) bool {
	return s.Block(func(c *cli.Stmt) bool {
		if !c.Is(0, "management-plane") {
			return false
		}
		r := c.R
		r.D.Filters = append(r.D.Filters, facts.Filter{Name: planeName, Kind: planeName, Default: facts.Permit, Synthetic: true, Span: c.Span()})
		at := r.Own()
		// Ports for management alone stay open unless they are named (system security configuration guide, implementing
		// management plane protection); that they are closed is never claimed.
		r.D.Filters[at].Rules = append(r.D.Filters[at].Rules, facts.Rule{
			Name: "management ports", Action: facts.Permit, Span: c.Span(), Match: facts.Match{In: facts.Places{Names: []string{"MgmtEth*"}, Present: true}},
		})
		return c.Block(func(band *cli.Stmt) bool {
			if !band.Is(0, "inband") && !band.Is(0, "out-of-band") {
				return false
			}
			return band.Block(func(i *cli.Stmt) bool { return i.Is(0, "interface") && lets(i, &r.D.Filters[at]) })
		})
	})
}

// lets reads what an interface lets in: "allow all|PROTOCOL" with peers below.
func lets(s *cli.Stmt, f *facts.Filter) bool {
	in := facts.Places{}
	if !s.Is(1, "all") {
		in = facts.Places{Names: []string{s.Keep(1)}, Present: true}
	}
	return s.Block(func(c *cli.Stmt) bool {
		if !c.Is(0, "allow") {
			return false
		}
		src := facts.Addrs{}
		c.OK()
		peers(c, &src)
		for _, g := range guarded {
			if !c.Is(1, "all") && !strings.EqualFold(c.Word(1), g.word) {
				continue
			}
			f.Rules = append(f.Rules, facts.Rule{
				Name: c.R.Keep("allow " + c.Word(1)), Action: facts.Permit, Span: c.Span(),
				Match: facts.Match{In: in, Src: src, Protocols: []uint8{g.transport}, DstPorts: facts.Ports{Present: true, Ranges: []facts.PortRange{{First: g.port, Last: g.port}}}},
			})
		}
		return true
	})
}

// peers reads "peer" with "address ipv4 A[/n]" below.
func peers(s *cli.Stmt, src *facts.Addrs) {
	s.Each(func(c *cli.Stmt) {
		switch {
		case c.Is(0, "peer"):
			c.OK()
			peers(c, src)
		case c.Is(0, "address"):
			w := c.Word(2)
			p, err := netip.ParsePrefix(w)
			if a, err2 := netip.ParseAddr(w); err2 == nil {
				p, err = netip.PrefixFrom(a, a.BitLen()), nil
			}
			if src.Present = true; err != nil {
				src.Items = append(src.Items, facts.AddrItem{Unread: c.R.Keep(c.Rest(0)), Span: c.Span()})
				c.Unsupported("a peer that was not understood")
				return
			}
			src.Items = append(src.Items, facts.AddrItem{Prefix: p.Masked(), Span: c.Span()})
			c.OK()
		default:
			c.Skip()
		}
	})
}

// protection closes the filter of management plane protection, when there is one, and applies it.
func protection(r *cli.Reader) {
	for i := range r.D.Filters {
		f := &r.D.Filters[i]
		if f.Name != planeName || len(f.Rules) < 2 {
			continue
		}
		for _, g := range guarded {
			f.Rules = append(f.Rules, facts.Rule{
				Name: "not allowed", Action: facts.Deny, Span: f.Span,
				Match: facts.Match{Protocols: []uint8{g.transport}, DstPorts: facts.Ports{Present: true, Ranges: []facts.PortRange{{First: g.port, Last: g.port}}}},
			})
		}
		r.D.Bindings = append(r.D.Bindings, facts.Binding{Filters: []string{planeName}, Where: facts.WhereControlPlane, Direction: facts.In, Span: f.Span})
		return
	}
}

// event reads "event manager policy P username U".
func event(s *cli.Stmt) bool {
	if !s.Is(1, "manager", "policy") || s.No {
		return s.Skip()
	}
	h := s.R.Hook(facts.HookScript, "event manager policy", s.Span())
	h.Source, h.User, h.Unread = s.Keep(3), s.R.Keep(s.After(4, "username")), "the script is not in the configuration"
	return s.OK()
}

// flow reads exporter maps and monitor maps.
func flow(s *cli.Stmt) bool {
	if s.Is(1, "exporter-map") && !s.No {
		host, port, scope := "", "", ""
		var at *cli.Stmt
		s.Block(func(c *cli.Stmt) bool {
			switch {
			case c.Is(0, "destination"):
				host, scope, at = c.Word(1), c.After(2, "vrf"), c
				return c.OK()
			case c.Is(0, "transport", "udp"):
				port = c.Word(2)
				return c.OK()
			}
			return c.All()
		})
		if at != nil {
			at.ExportTo(host, port, scope)
		}
		return true
	}
	return s.All()
}

func sampler(s *cli.Stmt) bool {
	return s.Block(func(c *cli.Stmt) bool {
		if n, err := strconv.Atoi(c.After(1, "out-of")); err == nil && c.Is(0, "random") {
			if k, err := strconv.Atoi(c.Word(1)); err == nil && k > 0 {
				c.R.D.Logging.FlowSampling = facts.Say(n/k, c.Span())
			}
			return c.OK()
		}
		return false
	})
}
