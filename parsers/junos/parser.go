package junos

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

const none = tree.None

// A parser reads one configuration.
type parser struct {
	t    *tree.Tree
	d    *facts.Device
	f    *evidence.File
	sink facts.Sink
	set  bool

	switches []tree.Switch
	cut      bool // part of the configuration is missing
	whole    bool // a statement that is not there is at its default
	dry      bool // a configuration group is read for its accounting only; its facts are dropped
	scope    string

	reasons map[int32]string // why a node is unsupported
	groups  int32            // the groups statement
	release release

	// Of the system being read: the device, or one logical system or tenant.
	instances map[string]string // interface unit to its routing instance
	lists     map[string]*prefixList
	zones     map[string]*zone
	zoneOrder []*zone
	zoneOf    map[string]*zone // interface unit to its zone
	books     map[string]*book // zone to its attached book
	global    *book
	schedules map[string]*facts.TimeRange
	apps      map[string]bool // applications and sets defined here
	dests     map[string][]site

	buf   []byte
	words map[string]string // words of facts, shared among them
}

func newParser(f *evidence.File, sink facts.Sink, src []byte, set bool) *parser {
	p := &parser{
		t: tree.New(), f: f, sink: sink, set: set, groups: none,
		d:       &facts.Device{Path: f.Path, Has: facts.HasConfig, Taken: f.Mod, Platform: facts.JunosBrace, Format: "junos-config"},
		reasons: map[int32]string{}, words: map[string]string{},
	}
	p.t.Source, p.t.Nodes = src, slices.Grow(p.t.Nodes, len(src)/20+64)
	if set {
		p.d.Platform, p.d.Format = facts.JunosSet, "junos-set"
	}
	return p
}

// read fills the device.
func (p *parser) read() {
	var faults []tree.Fault
	syntax := tree.Syntax{Tags: true, Pager: pager, Aside: aside}
	if p.set {
		syntax.Aside = asideSet
		p.switches, faults = p.t.Sets(p.t.Source, syntax)
	} else {
		faults = p.t.Braces(p.t.Source, syntax)
	}
	p.report(faults)
	p.wrapper()
	p.groups = p.t.Child(none, "groups")
	p.expand()
	p.whole = !p.cut && p.at(none, "system") != none && p.at(none, "interfaces") != none
	p.system("", none)
	p.defaults()
	p.others()
	p.groupAccounts()
	p.secrets()
	p.account()
}

// report turns what the reader stumbled over into notes.
func (p *parser) report(faults []tree.Fault) {
	for _, k := range faults {
		n := facts.Note{
			Kind: facts.NoteUnread, Path: p.f.Path, Span: p.f.Span(int64(k.Off), 1), Message: k.Kind.String(), Count: k.Count,
		}
		switch {
		case k.Kind == tree.TooLong || k.Kind == tree.TooMany || k.Kind == tree.TooDeep:
			n.Kind = facts.NoteLimit
		case k.Kind.Lost():
			n.Kind = facts.NoteIncomplete
			n.Hint = "collect the configuration again: this file was cut"
		}
		p.cut = p.cut || k.Kind.Lost()
		p.sink.Note(n)
	}
}

// system reads the statements below root: the device, a logical system or a tenant, whose name is the scope.
func (p *parser) system(scope string, root int32) {
	p.scope = scope
	p.instances, p.lists, p.zones = map[string]string{}, map[string]*prefixList{}, map[string]*zone{}
	p.zoneOrder = nil
	p.zoneOf, p.books, p.global = map[string]*zone{}, map[string]*book{}, &book{}
	p.schedules, p.apps, p.dests = map[string]*facts.TimeRange{}, map[string]bool{}, map[string][]site{}

	p.identity(root)
	p.systemStatements(p.at(root, "system"))
	p.snmp(p.at(root, "snmp"))
	p.accountingOptions(p.at(root, "accounting-options"))
	p.eventOptions(p.at(root, "event-options"))
	p.chassis(p.at(root, "chassis"))
	p.access(p.at(root, "access"))
	p.serviceSets(p.at(root, "services"))
	p.forwardingOptions(p.at(root, "forwarding-options"))
	p.sflow(p.under(p.at(root, "protocols"), "sflow"))
	p.routing(root)
	p.prefixLists(p.at(root, "policy-options"))
	p.scheduleList(p.at(root, "schedulers"))
	p.security(p.at(root, "security"))
	p.interfaces(p.at(root, "interfaces"))
	p.firewall(p.at(root, "firewall"))
	p.applications(p.at(root, "applications"))
	p.policies(p.under(p.at(root, "security"), "policies"))
	for c := p.firstAt(root); c != none; c = p.next(c) {
		switch {
		case p.is(c, "apply-groups"), p.is(c, "apply-groups-except"):
			p.okAll(c)
		case p.is(c, "groups"), p.is(c, "logical-systems"), p.is(c, "tenants"), p.is(c, "version"):
			p.ok(c)
		default:
			p.other("", c)
		}
	}
}

// others reads logical systems and tenants: routers and firewalls of their own inside the device.
func (p *parser) others() {
	for _, name := range [...]string{"logical-systems", "tenants"} {
		n := p.at(none, name)
		if n == none {
			continue
		}
		for c := p.first(n); c != none; c = p.next(c) {
			if !p.applies(c) {
				p.ok(c)
				p.system(p.text(c), c)
			}
		}
	}
}

// groupAccounts accounts for the statements inside configuration groups: what they mean was read where they apply.
func (p *parser) groupAccounts() {
	if p.groups == none {
		return
	}
	real := p.d
	p.dry = true
	for g := p.t.Nodes[p.groups].First; g != none; g = p.t.Nodes[g].Next {
		p.ok(g)
		p.d = &facts.Device{}
		p.system("", g)
		for _, name := range [...]string{"logical-systems", "tenants"} {
			if n := p.kid(g, name); n != none {
				for c := p.first(n); c != none; c = p.next(c) {
					p.system(p.text(c), c)
				}
			}
		}
	}
	p.d, p.dry = real, false
}

// at is the active statement of that word right below root: the top, a logical system or a group.
func (p *parser) at(root int32, word string) int32 {
	c := p.t.Child(root, word)
	if c == none || p.off(c) {
		return none
	}
	return c
}

// kid is n's active child of that word; none when there is none, or n is none.
func (p *parser) kid(n int32, word string) int32 {
	if n == none {
		return none
	}
	return p.at(n, word)
}

// under follows words down from n.
func (p *parser) under(n int32, words ...string) int32 {
	for _, w := range words {
		n = p.kid(n, w)
	}
	return n
}

// firstAt is the first active statement right below root, the top when root is none.
func (p *parser) firstAt(root int32) int32 {
	if root == none {
		return p.active(p.t.First)
	}
	return p.active(p.t.Nodes[root].First)
}

// first is n's first active child; none when n is none.
func (p *parser) first(n int32) int32 {
	if n == none {
		return none
	}
	return p.active(p.t.Nodes[n].First)
}

// next is n's next active sibling.
func (p *parser) next(n int32) int32 { return p.active(p.t.Nodes[n].Next) }

func (p *parser) active(n int32) int32 {
	for n != none && p.t.Nodes[n].Flags&tree.Inactive != 0 {
		n = p.t.Nodes[n].Next
	}
	return n
}

// off reports whether n itself is switched off.
func (p *parser) off(n int32) bool { return p.t.Nodes[n].Flags&tree.Inactive != 0 }

// value is the child that counts where a statement has one value: what is set itself wins over what is inherited, of
// several the last that was set and the first group's ("Configuration Groups Overview", Junos CLI User Guide: values of a
// group listed first take precedence). none when there is none.
func (p *parser) value(n int32) int32 {
	if n == none {
		return none
	}
	best := none
	for c := p.first(n); c != none; c = p.next(c) {
		switch inherited := p.t.Nodes[c].Flags&tree.Inherited != 0; {
		case !inherited:
			best = c
		case best == none:
			best = c
		}
	}
	return best
}

// leaf is the value of n's statement word, as text; empty when there is none. It is marked.
func (p *parser) leaf(n int32, word string) string {
	k := p.kid(n, word)
	if k == none {
		return ""
	}
	p.okAll(k)
	v := p.value(k)
	if v == none {
		return ""
	}
	return p.text(v)
}

func (p *parser) bytes(n int32) []byte { return p.t.Text(n) }

// text is n's word as a string of its own.
func (p *parser) text(n int32) string { return p.intern(p.t.Text(n)) }

// intern gives equal words one string; long ones are not kept.
func (p *parser) intern(b []byte) string {
	if len(b) > 64 {
		return string(b)
	}
	if s, ok := p.words[string(b)]; ok {
		return s
	}
	s := string(b)
	p.words[s] = s
	return s
}

func (p *parser) is(n int32, word string) bool { return string(p.t.Text(n)) == word }

// span is the text of the statement that made n, up to n's word.
func (p *parser) span(n int32) evidence.Span { return p.t.Span(p.f, n) }

// wordSpan is n's word alone, from byte i of it.
func (p *parser) wordSpan(n int32, i, length int) evidence.Span {
	return p.f.Span(p.t.Base+int64(p.t.Nodes[n].Off)+int64(i), length)
}

// offSpan is the line that switched n off: in set commands a line of its own.
func (p *parser) offSpan(n int32) evidence.Span {
	for _, s := range p.switches {
		if s.Node == n {
			return p.f.Span(p.t.Base+int64(s.Off), int(s.Len))
		}
	}
	return p.span(n)
}

func (p *parser) ok(n int32) {
	if n != none {
		p.t.Mark(n, facts.Understood)
	}
}

func (p *parser) okAll(n int32) {
	if n != none {
		p.t.MarkAll(n, facts.Understood)
	}
}

// unsupported accounts for n and everything below it as known, bearing on transfers or filters, and not modelled.
func (p *parser) unsupported(n int32, reason string) {
	p.t.Force(n, facts.Unsupported)
	p.reasons[n] = reason
}

// other accounts for a statement of a section that no code reads: irrelevant by the table, else unrecognised. One that
// was read is left as it is.
func (p *parser) other(section string, n int32) {
	if p.t.Nodes[n].State != facts.Unrecognised {
		return
	}
	word := p.t.Text(n)
	if p.applies(n) || len(word) >= 64 {
		return
	}
	p.buf = append(p.buf[:0], section...)
	if section != "" {
		p.buf = append(p.buf, ' ')
	}
	p.buf = append(p.buf, word...)
	if reasonOf(p.buf) != "" {
		p.t.MarkAll(n, facts.Irrelevant)
	}
}

// others below n by the table, where n itself is understood.
func (p *parser) othersOf(section string, n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		p.other(section, c)
	}
}

// note reports something once per place.
func (p *parser) note(k facts.NoteKind, n int32, format string, args ...any) {
	if p.dry {
		return
	}
	p.sink.Note(facts.Note{Kind: k, Path: p.f.Path, Span: p.span(n), Message: fmt.Sprintf(format, args...)})
}

// prefix reads an address with or without a length; host is what it says before its network is taken.
func prefix(b []byte) (pfx netip.Prefix, host netip.Addr, ok bool) {
	if len(b) > 64 {
		return netip.Prefix{}, netip.Addr{}, false
	}
	i := bytes.IndexByte(b, '/')
	if i < 0 {
		a, ok := addr(b)
		if !ok {
			return netip.Prefix{}, netip.Addr{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), a, true
	}
	a, ok := addr(b[:i])
	n, num := small(b[i+1:])
	if !ok || !num || n > a.BitLen() {
		return netip.Prefix{}, netip.Addr{}, false
	}
	return netip.PrefixFrom(a, n).Masked(), a, true
}

// small reads a decimal number below 1,000,000.
func small(b []byte) (n int, ok bool) {
	if len(b) == 0 || len(b) > 6 {
		return 0, false
	}
	for _, c := range b {
		if c-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}
