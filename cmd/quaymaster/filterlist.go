package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/spf13/cobra"
)

// A filterRule is a rule as filters unreachable and compare print it. Rule is empty for the end of a filter.
type filterRule struct {
	Filter string `json:"filter"`
	Scope  string `json:"scope,omitempty"`
	Rule   string `json:"rule"`
	filterLine
}

// A deadRule is one line of filters unreachable.
type deadRule struct {
	Device string `json:"device"`
	filterRule
	CoveredBy []filterRule `json:"covered_by"`
	More      bool         `json:"more,omitempty"`
	Disagrees bool         `json:"disagrees"`
}

func (p *program) filtersUnreachable() *cobra.Command {
	var device, scope, filter string
	var asJSON bool
	c := &cobra.Command{
		Use: "unreachable PATH...", Args: cobra.MinimumNArgs(1),
		Short: "List the rules that no packet reaches, and what covers them",
		Long: "List the rules that no packet reaches: earlier rules take all they match, or they match nothing. Every kind of packet\n" +
			"counts: both versions of IP, fragments, sessions, applications, times, ways in and out.\n\n" +
			"Exit codes: 0 answered, 2 usage, 3 unknown (a filter is too complex to be decided).",
		Example: "  quaymaster filters unreachable edge.cfg --filter EGRESS",
		RunE: func(c *cobra.Command, paths []string) error {
			set, err := evidence.Open(c.Context(), evidence.Options{Stdin: p.stdin}, paths...)
			if err != nil {
				return usage(err)
			}
			defer set.Close()
			devices, err := p.devices(c.Context(), set, device)
			if err != nil {
				return err
			}
			return p.unreachable(set, devices, scope, filter, asJSON)
		},
	}
	c.Flags().StringVar(&device, "device", "", "one device; all when not given")
	c.Flags().StringVar(&scope, "scope", "", "VRF, VDOM, VSYS or context")
	c.Flags().StringVar(&filter, "filter", "", "one filter; all when not given")
	c.Flags().BoolVar(&asJSON, "json", false, "JSON Lines")
	return c
}

// devices are all devices of set, or the one that is named.
func (p *program) devices(ctx context.Context, set *evidence.Set, name string) ([]*facts.Device, error) {
	if name != "" {
		d, err := p.oneDevice(ctx, set, name)
		return []*facts.Device{d}, err
	}
	all, err := engine.Devices(ctx, engine.Options{Set: set, Now: p.now()})
	if err == nil && len(all) == 0 {
		_, err = p.oneDevice(ctx, set, "")
	}
	return all, err
}

func (p *program) unreachable(set *evidence.Set, devices []*facts.Device, scope, filter string, asJSON bool) error {
	found, complex := false, 0
	for _, d := range devices {
		m := headerspace.New(d)
		for _, f := range namedFilters(d, scope, filter) {
			found = true
			dead, err := m.Unreachable(f.Scope, f.Name)
			if err != nil {
				complex++
				p.complain(fmt.Errorf("%s: filter %q: %w", d.ID, f.Name, err))
				continue
			}
			for i := range dead {
				if err := p.printDead(set, d, &dead[i], asJSON); err != nil {
					return err
				}
			}
		}
		m.Close()
	}
	switch {
	case !found && filter != "":
		return usage(fmt.Errorf("no filter is named %q", filter))
	case complex > 0:
		return &exitError{code: audit.ExitIncomplete}
	}
	return nil
}

// namedFilters are the filters of a device that a user wrote, each name once, in the order of the evidence; those of a
// scope and of a name, when they are given.
func namedFilters(d *facts.Device, scope, name string) []*facts.Filter {
	var out []*facts.Filter
	for i := range d.Filters {
		f := &d.Filters[i]
		if f.Synthetic || name != "" && f.Name != name || scope != "" && f.Scope != scope ||
			slices.ContainsFunc(out, func(o *facts.Filter) bool { return o.Name == f.Name && o.Scope == f.Scope }) {
			continue
		}
		out = append(out, f)
	}
	return out
}

func (p *program) printDead(set *evidence.Set, d *facts.Device, r *headerspace.DeadRule, asJSON bool) error {
	spans := []evidence.Span{r.Span}
	for _, c := range r.CoveredBy {
		spans = append(spans, c.Span)
	}
	lines := resolveMasked(set, spans, secretsOf(d))
	out := deadRule{Device: d.ID, filterRule: rule(&r.RuleRef, lines[0]), CoveredBy: []filterRule{}, More: r.More, Disagrees: r.Disagrees}
	for i := range r.CoveredBy {
		out.CoveredBy = append(out.CoveredBy, rule(&r.CoveredBy[i], lines[i+1]))
	}
	if asJSON {
		return json.NewEncoder(p.stdout).Encode(out)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: filter %q: no packet reaches rule %s", d.ID, r.Filter, r.Rule)
	switch {
	case len(out.CoveredBy) == 0:
		b.WriteString(": it matches nothing\n")
	case r.Disagrees:
		b.WriteString(", and what covers it does otherwise\n")
	default:
		b.WriteString("\n")
	}
	fmt.Fprintf(&b, "  %s:%d: %s\n", out.Path, out.Line, out.Text)
	for _, c := range out.CoveredBy {
		fmt.Fprintf(&b, "    covered by rule %s  %s:%d: %s\n", c.Rule, c.Path, c.Line, c.Text)
	}
	if r.More {
		b.WriteString("    and by others\n")
	}
	_, err := fmt.Fprint(p.stdout, printable(b.String()))
	return err
}

func rule(r *headerspace.RuleRef, at filterLine) filterRule {
	return filterRule{Filter: r.Filter, Scope: r.Scope, Rule: r.Rule, filterLine: at}
}

func secretsOf(d *facts.Device) []evidence.Span {
	out := make([]evidence.Span, len(d.Secrets))
	for i := range d.Secrets {
		out[i] = d.Secrets[i].Span
	}
	return out
}

// A difference is one line of filters compare.
type difference struct {
	Device     string              `json:"device"`
	Old        *filterRule         `json:"old"` // null when there is no such filter
	New        *filterRule         `json:"new"`
	OldVerdict headerspace.Verdict `json:"old_verdict,omitempty"`
	NewVerdict headerspace.Verdict `json:"new_verdict,omitempty"`
	Witness    *filterPacket       `json:"witness"`
}

// compareFlags name what filters compare compares.
type compareFlags struct {
	device, with  string
	scope, filter string
	withScope     string
	withDevice    string
	asJSON        bool
}

func (p *program) filtersCompare() *cobra.Command {
	var f compareFlags
	c := &cobra.Command{
		Use: "compare OLD [NEW]", Args: cobra.RangeArgs(1, 2),
		Short: "List what two filters treat differently, with a packet each",
		Long: "List the pairs of rules by which two filters treat some packet differently, with such a packet: the filters of one name\n" +
			"in OLD and NEW (two revisions of a configuration), or with --with two filters of one configuration. Packets that both\n" +
			"treat alike are no difference, whatever the text says.\n\n" +
			"Exit codes: 0 answered (with or without differences), 2 usage, 3 unknown (a filter is too complex to be decided).",
		Example: "  quaymaster filters compare yesterday.cfg today.cfg --filter EGRESS\n" +
			"  quaymaster filters compare edge.cfg --filter EGRESS-OLD --with EGRESS",
		RunE: func(c *cobra.Command, paths []string) error { return p.compare(c.Context(), &f, paths) },
	}
	s := c.Flags()
	s.StringVar(&f.device, "device", "", "the device, when OLD holds several; in NEW the one of the same name, or the only one")
	s.StringVar(&f.scope, "scope", "", "VRF, VDOM, VSYS or context")
	s.StringVar(&f.filter, "filter", "", "one filter; every one of OLD and NEW when not given")
	s.StringVar(&f.with, "with", "", "compare with the filter of this name")
	s.StringVar(&f.withScope, "with-scope", "", "in this scope; that of --scope when not given")
	s.StringVar(&f.withDevice, "with-device", "", "the device in NEW, when its name is another one")
	s.BoolVar(&f.asJSON, "json", false, "JSON Lines")
	return c
}

func (p *program) compare(ctx context.Context, f *compareFlags, paths []string) error {
	if len(paths) == 1 && (f.filter == "" || f.with == "" && f.withDevice == "" && f.withScope == "") {
		return usage(errors.New("with one path, name two filters: --filter and --with"))
	}
	sets := make([]*evidence.Set, len(paths))
	devices := make([]*facts.Device, 2)
	for i, path := range paths {
		set, err := evidence.Open(ctx, evidence.Options{Stdin: p.stdin}, path)
		if err != nil {
			return usage(err)
		}
		defer set.Close()
		sets[i] = set
	}
	newSet := sets[len(sets)-1]
	old, err := p.oneDevice(ctx, sets[0], f.device)
	if err != nil {
		return err
	}
	if devices[0], devices[1] = old, old; len(paths) == 2 || f.withDevice != "" {
		if devices[1], err = p.counterpart(ctx, newSet, f, old); err != nil {
			return err
		}
	}
	c := comparison{p: p, f: f, old: devices[0], new: devices[1], oldSet: sets[0], newSet: newSet}
	return c.run()
}

// counterpart is the device in NEW that is compared with old.
func (p *program) counterpart(ctx context.Context, set *evidence.Set, f *compareFlags, old *facts.Device) (*facts.Device, error) {
	if f.withDevice != "" {
		return p.oneDevice(ctx, set, f.withDevice)
	}
	all, err := p.devices(ctx, set, "")
	if err != nil || len(all) == 1 {
		return append(all, nil)[0], err
	}
	return p.oneDevice(ctx, set, old.ID)
}

// A comparison is one run of filters compare.
type comparison struct {
	p              *program
	f              *compareFlags
	old, new       *facts.Device
	oldSet, newSet *evidence.Set
	complex        bool
}

func (c *comparison) run() error {
	if c.f.filter != "" {
		before := namedFilters(c.old, c.f.scope, c.f.filter)
		name := cmp.Or(c.f.with, c.f.filter)
		after := namedFilters(c.new, cmp.Or(c.f.withScope, c.f.scope), name)
		switch {
		case len(before) == 0 && len(after) == 0:
			return usage(fmt.Errorf("no filter is named %q", c.f.filter))
		case len(before) > 1 || len(after) > 1:
			return usage(fmt.Errorf("filter %q is in several scopes: name one with --scope", c.f.filter))
		}
		if err := c.pair(append(before, nil)[0], append(after, nil)[0]); err != nil {
			return err
		}
	} else {
		after := namedFilters(c.new, c.f.scope, "")
		for _, b := range namedFilters(c.old, c.f.scope, "") {
			i := slices.IndexFunc(after, func(a *facts.Filter) bool { return a.Name == b.Name && a.Scope == b.Scope })
			var a *facts.Filter
			if i >= 0 {
				a = after[i]
				after = slices.Delete(after, i, i+1)
			}
			if err := c.pair(b, a); err != nil {
				return err
			}
		}
		for _, a := range after {
			if err := c.pair(nil, a); err != nil {
				return err
			}
		}
	}
	if c.complex {
		return &exitError{code: audit.ExitIncomplete}
	}
	return nil
}

// pair compares two filters, of which one may not exist.
func (c *comparison) pair(old, new *facts.Filter) error {
	if old == nil || new == nil {
		d := difference{Device: c.old.ID}
		if old != nil {
			d.Old = &filterRule{Filter: old.Name, Scope: old.Scope, filterLine: resolve(c.oldSet, []evidence.Span{old.Span})[0]}
		} else {
			d.New = &filterRule{Filter: new.Name, Scope: new.Scope, filterLine: resolve(c.newSet, []evidence.Span{new.Span})[0]}
		}
		return c.print(&d, false)
	}
	all, more, err := headerspace.Compare(c.old, c.new, old.Scope, old.Name, new.Scope, new.Name)
	if err != nil {
		c.complex = true
		c.p.complain(fmt.Errorf("%s: filter %q: %w", c.old.ID, old.Name, err))
		return nil
	}
	for i := range all {
		x := &all[i]
		a := rule(&x.Old, resolveMasked(c.oldSet, []evidence.Span{x.Old.Span}, secretsOf(c.old))[0])
		b := rule(&x.New, resolveMasked(c.newSet, []evidence.Span{x.New.Span}, secretsOf(c.new))[0])
		w := packet(x.Packet)
		d := difference{Device: c.old.ID, Old: &a, New: &b, OldVerdict: x.OldVerdict, NewVerdict: x.NewVerdict, Witness: &w}
		if err := c.print(&d, more && i == len(all)-1); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparison) print(d *difference, more bool) error {
	if c.f.asJSON {
		return json.NewEncoder(c.p.stdout).Encode(d)
	}
	var b strings.Builder
	switch {
	case d.New == nil:
		fmt.Fprintf(&b, "%s: filter %q is in the old configuration alone\n", d.Device, d.Old.Filter)
	case d.Old == nil:
		fmt.Fprintf(&b, "%s: filter %q is in the new configuration alone\n", d.Device, d.New.Filter)
	default:
		fmt.Fprintf(&b, "%s: %s becomes %s: %s\n", d.Device, d.OldVerdict, d.NewVerdict, d.Witness)
	}
	for _, side := range []struct {
		sign string
		r    *filterRule
	}{{"-", d.Old}, {"+", d.New}} {
		if side.r != nil {
			which := "its end"
			if side.r.Rule != "" {
				which = "rule " + side.r.Rule
			}
			if d.Old == nil || d.New == nil {
				which = "defined"
			}
			fmt.Fprintf(&b, "  %s %q %s  %s:%d: %s\n", side.sign, side.r.Filter, which, side.r.Path, side.r.Line, side.r.Text)
		}
	}
	if more {
		b.WriteString("and further differences that are not listed\n")
	}
	_, err := fmt.Fprint(c.p.stdout, printable(b.String()))
	return err
}
