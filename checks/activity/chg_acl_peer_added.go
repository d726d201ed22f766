package activity

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/policy"
)

// PeerAdded is QM3002.
func PeerAdded() *audit.Check {
	return &audit.Check{
		ID: "QM3002", Slug: "chg-acl-peer-added", Title: "ACL/policy change admits a new external or user-zone peer", Severity: audit.High,
		Doc: `A change let a few addresses through a filter that were not let through: outside ones, or those of users.

## Why it matters

The first thing an intruder on a router adds is a line for an own address: to a list of logins or SNMP, or on the way of
transfers (AA25-239A names lists 10, 20 and 50). From there T1071.002 needs nothing else.

## How it is decided
` + comparing + `
New hosts and networks of at most eight addresses in lines that permit, or in the groups those name, that no such line of the
earlier state held. Both states of the filter are then asked, exactly: the peer counts when the later one lets something of
it through that the earlier one did not. For filters of logins, SNMP, HTTP, the TFTP server and the control plane any packet
counts; for filters of traffic those of the transfer protocols.

## How it can be wrong

A partner that was let in with a ticket: name its addresses in a partner zone. A filter that did not exist before is not
compared.

## Tunables

"zones" (with kind user) and "change_windows" of the policy.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1562.004", "T1599"}, Analytics: []string{"AN1173"},
		Controls: []string{"AA25-239A", "CM-3", "PCI 1.2.2"},
		False:    "a partner with a ticket",
		Fixes:    map[string]string{"": "restore the filter as it was, and review who was let in since"},
		Needs:    changeNeeds(), Change: peerAdded,
	}
}

// A guarded filter is one that decides about the device's own services, or about traffic.
type guarded struct {
	name, scope string
	own         bool
	where       string
}

// guards are the filters of d that are applied, each once, those of its own services first.
func guards(d *facts.Device) []guarded {
	var out []guarded
	add := func(name, scope, where string, own bool) {
		if name != "" && !slices.ContainsFunc(out, func(g guarded) bool { return g.name == name && g.scope == scope }) {
			out = append(out, guarded{name, scope, own, where})
		}
	}
	traffic := func(b *facts.Binding) bool { return b.Where == facts.WhereTransit || b.Where == facts.WhereGlobal }
	for i := range d.Bindings {
		if b := &d.Bindings[i]; !traffic(b) {
			for _, n := range b.Filters {
				add(n, b.Scope, b.Where, true)
			}
		}
	}
	for i := range d.Access {
		add(d.Access[i].ACL.Val, d.Access[i].Scope, d.Access[i].Name, true)
	}
	for i := range d.Services {
		add(d.Services[i].ACL.Val, d.Services[i].Scope, d.Services[i].Name, true)
	}
	for i := range d.SNMP {
		add(d.SNMP[i].ACL.Val, d.SNMP[i].Scope, "SNMP", true)
	}
	for i := range d.Interfaces {
		x := &d.Interfaces[i]
		for _, b := range x.Bindings {
			for _, n := range b.Filters {
				add(n, x.Scope, x.Name, false)
			}
		}
	}
	for i := range d.Bindings {
		if b := &d.Bindings[i]; traffic(b) {
			for _, n := range b.Filters {
				add(n, b.Scope, "what passes through", false)
			}
		}
	}
	return out
}

func peerAdded(p *audit.Pass, before, after *facts.Device) {
	for _, g := range guards(after) {
		old, young := judge.Find(before, g.name, g.scope), judge.Find(after, g.name, g.scope)
		if old == nil || young == nil || old.Unread != "" || young.Unread != "" {
			continue
		}
		had := peers(before, old)
		for _, x := range peers(after, young) {
			if !slices.ContainsFunc(had, func(h peer) bool { return h.net == x.net && h.src == x.src }) && interesting(p, x.net) && admitted(p, before, after, &g, young, x) {
				changed(p, peerFinding(p, after, &g, x))
			}
		}
	}
}

// A peer is a small network that a line permits.
type peer struct {
	net  netip.Prefix
	src  bool
	span evidence.Span // the rule
	item evidence.Span // the member of a group, when it is one
}

// peers are the small networks that the lines of a filter permit, each once for either side.
func peers(d *facts.Device, f *facts.Filter) []peer {
	var out []peer
	for i := range f.Rules {
		r := &f.Rules[i]
		if r.Action != facts.Permit && r.Action != facts.Jump || facts.On(r.Inactive) || r.Return {
			continue
		}
		for side, a := range [2]*facts.Addrs{&r.Match.Src, &r.Match.Dst} {
			if a.Not {
				continue
			}
			members(d, f.Scope, a.Items, 0, func(n netip.Prefix, item evidence.Span) {
				x := peer{net: n, src: side == 0, span: r.Span, item: item}
				if small(n) && !slices.ContainsFunc(out, func(o peer) bool { return o.net == x.net && o.src == x.src }) {
					out = append(out, x)
				}
			})
		}
	}
	return out
}

// members visits the networks of a set and of the groups in it, to a depth no design needs.
func members(d *facts.Device, scope string, items []facts.AddrItem, depth int, visit func(netip.Prefix, evidence.Span)) {
	for i := range items {
		it := &items[i]
		switch {
		case it.Except || depth > 8:
		case it.Prefix.IsValid():
			visit(it.Prefix.Masked(), it.Span)
		case it.From.IsValid() && it.From == it.To:
			visit(netip.PrefixFrom(it.From, it.From.BitLen()), it.Span)
		case it.Group != "":
			for k := range d.Groups {
				g := &d.Groups[k]
				if g.Kind != facts.NetworkGroup || g.Name != it.Group || g.Scope != scope && g.Scope != "" {
					continue
				}
				members(d, g.Scope, g.Addrs, depth+1, visit)
				for _, m := range g.Members {
					members(d, g.Scope, []facts.AddrItem{{Group: m}}, depth+1, visit)
				}
			}
		}
	}
}

// small reports whether a network has at most eight addresses.
func small(n netip.Prefix) bool { return n.Addr().BitLen()-n.Bits() <= 3 }

// interesting reports whether a peer is outside, or a user.
func interesting(p *audit.Pass, n netip.Prefix) bool {
	return outside(p, n.Addr()) || p.Zone(n.Addr()).Trust != policy.External && p.Zone(n.Addr()).Kind == "user"
}

// admitted asks both states whether the later one lets something of the peer through that the earlier one did not.
func admitted(p *audit.Pass, before, after *facts.Device, g *guarded, f *facts.Filter, x peer) bool {
	q := headerspace.Query{Filter: g.name, Scope: f.Scope, At: p.Now()}
	set := headerspace.Set{Prefixes: []netip.Prefix{x.net}}
	if x.src {
		q.Src = set
	} else {
		q.Dst = set
	}
	if g.own {
		was, err1 := p.Space(before).Test(q)
		is, err2 := p.Space(after).Test(q)
		return err1 == nil && err2 == nil && was.Verdict == headerspace.Deny && is.Permitted != nil
	}
	was, err1 := p.Space(before).Transfers(q)
	is, err2 := p.Space(after).Transfers(q)
	if err1 != nil || err2 != nil || len(was) != len(is) {
		return false
	}
	for i := range is {
		if was[i].Verdict == headerspace.Deny && is[i].Permitted != nil {
			return true
		}
	}
	return false
}

func peerFinding(p *audit.Pass, d *facts.Device, g *guarded, x peer) audit.Finding {
	who := "the outside address"
	if !outside(p, x.net.Addr()) {
		who = "the user address"
	}
	name := x.net.String()
	if x.net.IsSingleIP() {
		name = x.net.Addr().String()
	}
	to := "from"
	if !x.src {
		to = "to"
	}
	marks := judge.Mark(nil, "", x.span)
	if x.item != x.span {
		marks = judge.Mark(marks, "group member", x.item)
	}
	return audit.Finding{
		Subject: audit.Subject{Kind: "filter", Name: fmt.Sprintf("%s %s %s", g.name, to, name)}, Severity: audit.Score(.80, audit.ExposureInternal, audit.PrivilegeDevice, judge.Telemetry(d)),
		Message: fmt.Sprintf("%s lets traffic %s %s %s through filter %q (%s) since a change", d.ID, to, who, name, g.name, g.where),
		Spans:   marks, Signal: audit.Signal{Weight: .40, Class: "CFG"},
	}
}
