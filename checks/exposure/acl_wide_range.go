package exposure

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// WideRange is QM2006.
func WideRange() *audit.Check {
	return &audit.Check{
		ID: "QM2006", Slug: "acl-wide-range", Title: "Port range/group silently includes transfer ports", Severity: audit.Medium,
		Doc: `A line permits a range of a hundred ports or more, and ports of transfer protocols are among them without being named.

## Why it matters

Who reads "range 1 1024" thinks of web and mail. FTP, TFTP and SMB pass by the same line (T1048, T1571), and a search for
their names finds nothing.

## How it is decided

Lines in force of filters that decide about traffic, with a range, "gt", "lt", "neq" or a group of at least 100 ports. Of the
transfer protocols whose ports lie in it, those count whose opening packets reach the line: what earlier lines deny or permit
is not the line's doing, and of FTP port 21 counts. A protocol that the same line names by its own port is named, and a destination that a workflow
approves for the protocol is approved. Lines for every port are acl-any-any and acl-egress-ft-untrusted.

## How it can be wrong

Return traffic of a filter without state needs the ephemeral ports: ranges from 1023 or above to 65535 are not reported there.

## Tunables

"zones" and "workflows" of the policy.
`,
		Attack: []string{"T1571", "T1048"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-7", "PCI 1.2.5"},
		False: "ephemeral ports for answers, through a filter without state",
		Fixes: map[string]string{"": "split the range so that it leaves out 20, 21, 69, 137 to 139, 445, 989, 990 and 4786"},
		Needs: audit.Needs{Platforms: judge.Filtering(), Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			sides := judge.Sides(p, d)
			var done []*facts.Filter
			all := usesOf(p, d)
			for i := range all {
				if f := all[i].filter; f.Unread == "" && !slices.Contains(done, f) {
					done = append(done, f)
					wideRanges(p, d, f, all, sides)
				}
			}
		},
	}
}

// manyPorts is from when on a range is one about ports in general.
const manyPorts = 100

func wideRanges(p *audit.Pass, d *facts.Device, f *facts.Filter, all []use, sides []judge.Side) {
	wide := map[int][]facts.PortRange{}
	var rules []int
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action != facts.Permit || facts.On(r.Inactive) || r.Return || r.Match.Flags == facts.Established {
			continue
		}
		if ranges := wideOf(d, f, &r.Match); len(ranges) > 0 {
			wide[i] = ranges
			rules = append(rules, i)
		}
	}
	if len(rules) == 0 {
		return
	}
	takings, err := p.Space(d).Takings(f.Scope, f.Name, rules)
	if err != nil {
		p.NotEvaluated(fmt.Sprintf("filter %q: %v", f.Name, err))
		return
	}
	for len(takings) > 0 {
		n := 1
		for n < len(takings) && takings[n].Index == takings[0].Index {
			n++
		}
		reportWide(p, d, f, takings[:n], wide[takings[0].Index], all, sides)
		takings = takings[n:]
	}
}

// reportWide reports what one rule takes by its wide ranges.
func reportWide(p *audit.Pass, d *facts.Device, f *facts.Filter, takings []headerspace.Taking, wide []facts.PortRange, all []use, sides []judge.Side) {
	k := takings[0].Index
	r := &f.Rules[k]
	named := judge.NamesTransfers(d, f, &r.Match)
	var names, ports []string
	var shown *headerspace.Packet
	var in facts.PortRange
	for i := range takings {
		x := &takings[i]
		at := slices.IndexFunc(wide, func(w facts.PortRange) bool { return w.First <= x.Ports.Last && x.Ports.First <= w.Last })
		if at < 0 || x.Packet.DstPort == 20 || slices.Contains(named, x.Protocol) || approvedTo(p, d, f, r, x.Protocol) {
			continue
		}
		if shown == nil {
			shown, in = x.Packet, wide[at]
		}
		if name := judge.Upper(x.Protocol); !slices.Contains(names, name) {
			names = append(names, name)
		}
		ports = append(ports, judge.Transport(x.Transport)+" "+judge.Ports(x.Ports))
	}
	if shown == nil {
		return
	}
	exposure, privilege, where := 0.0, 0.0, ""
	marks := judge.Mark(nil, "", r.Span)
	for i := range all {
		if all[i].filter != f {
			continue
		}
		u := all[i].narrow(r, sides)
		_, e, pr, ok := u.weigh()
		if !ok {
			continue
		}
		if e*pr > exposure*privilege {
			exposure, privilege, where = e, pr, u.where
		}
		marks = judge.Mark(marks, "applied here", u.span)
	}
	if where == "" {
		return // both sides are one zone
	}
	p.Report(audit.Finding{
		Subject:  audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s: ports %s", filterName(f), judge.Ports(in))},
		Severity: audit.Score(.60, exposure, max(privilege, audit.PrivilegeServer), audit.TelemetryPartial), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s permits %s among the ports %s by rule %q of filter %q %s", d.ID, judge.Join(names), judge.Ports(in), takings[0].Rule, f.Name, where),
		Spans:   marks, Signal: audit.Signal{Weight: .05, Class: "CFG"},
		Evidence: map[string]string{
			"ports":  judge.Join(ports),
			"packet": fmt.Sprintf("%s %s to %s", judge.Transport(shown.Protocol), end(shown.Src, shown.SrcPort), end(shown.Dst, shown.DstPort)),
		},
	})
}

// wideOf are the ranges of many ports that a match is about, with those of groups; none when ports are not restricted.
func wideOf(d *facts.Device, f *facts.Filter, m *facts.Match) []facts.PortRange {
	if m.Not {
		return nil
	}
	var out []facts.PortRange
	add := func(ports *facts.Ports) {
		ranges := ports.Ranges
		if ports.Not && len(ranges) > 0 {
			ranges = othersThan(ranges)
		}
		for _, r := range ranges {
			everything := r.First <= 1 && r.Last == 65535 && !ports.Not
			answers := !f.Stateful && r.First >= 1023 && r.Last == 65535
			if r.Last-r.First >= manyPorts-1 && !everything && !answers {
				out = append(out, r)
			}
		}
	}
	add(&m.DstPorts)
	add(&m.EitherPorts)
	var service func(items []facts.ServiceItem, scope string, depth int)
	service = func(items []facts.ServiceItem, scope string, depth int) {
		for i := range items {
			it := &items[i]
			switch {
			case it.Except || depth > 8:
			case it.Group == "":
				add(&it.Dst)
			default:
				for k := range d.Groups {
					g := &d.Groups[k]
					if g.Name != it.Group || g.Kind == facts.NetworkGroup || g.Scope != scope && g.Scope != "" {
						continue
					}
					service(g.Services, g.Scope, depth+1)
					add(&facts.Ports{Ranges: g.Ports})
					for _, x := range g.Members {
						service([]facts.ServiceItem{{Group: x}}, g.Scope, depth+1)
					}
				}
			}
		}
	}
	for _, name := range slices.Concat(m.DstPorts.Groups, m.EitherPorts.Groups) {
		service([]facts.ServiceItem{{Group: name}}, f.Scope, 0)
	}
	service(m.Services, f.Scope, 0)
	for _, nested := range [2][]facts.Match{m.AnyOf, m.AllOf} {
		for i := range nested {
			out = append(out, wideOf(d, f, &nested[i])...)
		}
	}
	return out
}

// othersThan are the ports that no range holds.
func othersThan(ranges []facts.PortRange) []facts.PortRange {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b facts.PortRange) int { return int(a.First) - int(b.First) })
	var out []facts.PortRange
	next := 0
	for _, r := range sorted {
		if int(r.First) > next {
			out = append(out, facts.PortRange{First: uint16(next), Last: r.First - 1})
		}
		next = max(next, int(r.Last)+1)
	}
	if next <= 65535 {
		out = append(out, facts.PortRange{First: uint16(next), Last: 65535})
	}
	return out
}

// approvedTo reports whether workflows in force approve every destination of a rule for a protocol.
func approvedTo(p *audit.Pass, d *facts.Device, f *facts.Filter, r *facts.Rule, proto facts.Protocol) bool {
	to, ok := networksOf(d, f, &r.Match.Dst)
	if !ok || len(to) == 0 {
		return false
	}
	var approved []netip.Prefix
	now := p.Now()
	for i := range p.Policy.Workflows {
		w := &p.Policy.Workflows[i]
		if slices.Contains(w.Protocols, proto) && w.InForce(now) {
			approved = append(approved, judge.Networks(p, &w.To)...)
		}
	}
	return !slices.ContainsFunc(to, func(n netip.Prefix) bool {
		return !slices.ContainsFunc(approved, func(a netip.Prefix) bool { return a.Bits() <= n.Bits() && a.Contains(n.Addr()) })
	})
}

// networksOf are the networks a set of addresses holds, with those of groups; ok is false when it is any, or is not plainly
// networks.
func networksOf(d *facts.Device, f *facts.Filter, a *facts.Addrs) (out []netip.Prefix, ok bool) {
	if a.Not || len(a.Items) == 0 {
		return nil, false
	}
	out, ok = plainNetworks(d, f.Scope, a.Items, 0)
	return out, ok && len(out) > 0
}

func plainNetworks(d *facts.Device, scope string, items []facts.AddrItem, depth int) (out []netip.Prefix, ok bool) {
	for i := range items {
		it := &items[i]
		switch {
		case it.Except || it.Any || it.Unread != "" || it.Wild != nil || depth > 8:
			return nil, false
		case it.Prefix.IsValid():
			out = append(out, it.Prefix.Masked())
		case it.From.IsValid() && it.From == it.To:
			out = append(out, netip.PrefixFrom(it.From, it.From.BitLen()))
		case it.Group != "":
			found := false
			for k := range d.Groups {
				g := &d.Groups[k]
				if g.Kind != facts.NetworkGroup || g.Name != it.Group || g.Scope != scope && g.Scope != "" {
					continue
				}
				if g.Unread != "" {
					return nil, false
				}
				found = true
				inner := slices.Clone(g.Addrs)
				for _, m := range g.Members {
					inner = append(inner, facts.AddrItem{Group: m})
				}
				more, plain := plainNetworks(d, g.Scope, inner, depth+1)
				if !plain {
					return nil, false
				}
				out = append(out, more...)
			}
			if !found {
				return nil, false
			}
		default:
			return nil, false
		}
	}
	return out, true
}
