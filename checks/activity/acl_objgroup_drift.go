package activity

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// GroupDrift is QM2018.
func GroupDrift() *audit.Check {
	return &audit.Check{
		ID: "QM2018", Slug: "acl-objgroup-drift", Title: "Object group behind a transfer permit widened", Severity: audit.Medium,
		Doc: `A group of addresses that a line permitting transfers names has grown: by more than a quarter, or by a member that is anybody.

## Why it matters

Rules are reviewed and groups are not. One member more opens every rule that names the group (T1562.004), and no line of a
filter has changed.

## How it is decided
` + comparing + `
Of the lines in force that permit, and that opening packets of a transfer protocol reach, the groups of addresses they name,
with the groups in those. A group is reported when it has gained a member that is any address, a network of IPv4 of /16 or
wider (IPv6: /32), or a name that is looked up; or when it has at least two members more and a quarter more than before. Few
outside or user addresses are chg-acl-peer-added.

## How it can be wrong

Growth with a ticket.

## Tunables

"change_windows" of the policy.
`,
		Variants: changeVariants(audit.Medium), Attack: []string{"T1562.004"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-3", "PCI 1.2.7", "A.8.32"},
		False: "growth with a ticket",
		Fixes: map[string]string{"": "restore the group as it was, or split it so that the line names the part it needs"},
		Needs: changeNeeds(), Change: groupDrift,
	}
}

func groupDrift(p *audit.Pass, before, after *facts.Device) {
	var done []*facts.Group
	for _, g := range guards(after) {
		f := judge.Find(after, g.name, g.scope)
		if f == nil || f.Unread != "" || g.own {
			continue
		}
		var rules []int
		for i := range f.Rules {
			r := &f.Rules[i]
			if r.Action == facts.Permit && !facts.On(r.Inactive) && !r.Return && len(groupsNamed(after, f, r)) > 0 {
				rules = append(rules, i)
			}
		}
		if len(rules) == 0 {
			continue
		}
		takings, err := p.Space(after).Takings(f.Scope, f.Name, rules)
		if err != nil {
			p.NotEvaluated(fmt.Sprintf("filter %q: %v", f.Name, err))
			continue
		}
		for i := range takings {
			r := &f.Rules[takings[i].Index]
			for _, group := range groupsNamed(after, f, r) {
				if !slices.Contains(done, group) {
					done = append(done, group)
					widened(p, before, after, group, r, f.Name)
				}
			}
		}
	}
}

// groupsNamed are the groups of addresses that a rule names, with the groups in those.
func groupsNamed(d *facts.Device, f *facts.Filter, r *facts.Rule) []*facts.Group {
	var out []*facts.Group
	var add func(name, scope string)
	add = func(name, scope string) {
		for k := range d.Groups {
			g := &d.Groups[k]
			if name == "" || g.Kind != facts.NetworkGroup || g.Name != name || g.Scope != scope && g.Scope != "" || slices.Contains(out, g) {
				continue
			}
			out = append(out, g)
			for i := range g.Addrs {
				add(g.Addrs[i].Group, g.Scope)
			}
			for _, m := range g.Members {
				add(m, g.Scope)
			}
		}
	}
	for _, a := range [2]*facts.Addrs{&r.Match.Src, &r.Match.Dst} {
		if a.Not {
			continue
		}
		for i := range a.Items {
			if !a.Items[i].Except {
				add(a.Items[i].Group, f.Scope)
			}
		}
	}
	return out
}

// widened compares a group with what it was.
func widened(p *audit.Pass, before, after *facts.Device, g *facts.Group, r *facts.Rule, filter string) {
	k := slices.IndexFunc(before.Groups, func(o facts.Group) bool { return o.Kind == g.Kind && o.Name == g.Name && o.Scope == g.Scope })
	if k < 0 || before.Groups[k].Unread != "" || g.Unread != "" {
		return
	}
	had, has := spelled(&before.Groups[k]), spelled(g)
	var added []item
	for _, x := range has {
		if !slices.ContainsFunc(had, func(o item) bool { return o.text == x.text }) {
			added = append(added, x)
		}
	}
	if len(added) == 0 {
		return
	}
	why := ""
	shown := added[0]
	for _, x := range added {
		if x.wide != "" {
			why, shown = fmt.Sprintf("with %s, which is %s", x.text, x.wide), x
			break
		}
	}
	if why == "" {
		if len(has) < len(had)+2 || 4*len(has) <= 5*len(had) {
			return
		}
		why = fmt.Sprintf("from %s to %d", judge.Count(int64(len(had)), "member"), len(has))
	}
	marks := judge.Mark(nil, "", shown.span)
	for _, x := range added {
		marks = judge.Mark(marks, "added", x.span)
	}
	marks = judge.Mark(marks, "group defined here", g.Span)
	name := g.Name
	if g.Scope != "" {
		name += " in " + g.Scope
	}
	changed(p, audit.Finding{
		Subject: audit.Subject{Kind: "network group", Name: name}, Severity: audit.Score(.50, audit.ExposureUntrusted, audit.PrivilegeServer, audit.TelemetryPartial),
		Message: fmt.Sprintf("%s: group %q, which filter %q permits transfers by, has grown %s", after.ID, g.Name, filter, why),
		Spans:   judge.Mark(marks, "permits by it", r.Span), Signal: audit.Signal{Weight: .15, Class: "CFG"},
	})
}

// An item is a member of a group as text, and why it is wide.
type item struct {
	text, wide string
	span       evidence.Span
}

// spelled are the members of a group.
func spelled(g *facts.Group) []item {
	var out []item
	for i := range g.Addrs {
		it := &g.Addrs[i]
		x := item{span: it.Span}
		switch {
		case it.Except:
			continue
		case it.Any:
			x.text, x.wide = "any", "every address"
		case it.Unread != "":
			x.text, x.wide = fmt.Sprintf("%q", it.Unread), "whatever it stands for"
		case it.Prefix.IsValid():
			x.text, x.wide = it.Prefix.Masked().String(), wide(it.Prefix)
		case it.From.IsValid():
			x.text = it.From.String() + "-" + it.To.String()
		case it.Wild != nil:
			x.text = fmt.Sprintf("%v %v", it.Wild.Addr, it.Wild.Care)
		case it.Group != "":
			x.text = fmt.Sprintf("group %q", it.Group)
		default:
			continue
		}
		out = append(out, x)
	}
	for _, m := range g.Members {
		out = append(out, item{text: fmt.Sprintf("group %q", m), span: g.Span})
	}
	return out
}

// wide says what a wide network is; empty for others.
func wide(n netip.Prefix) string {
	switch {
	case n.Bits() == 0:
		return "every address"
	case n.Addr().Is4() && n.Bits() <= 16, n.Addr().Is6() && n.Bits() <= 32:
		return "a wide network"
	}
	return ""
}
