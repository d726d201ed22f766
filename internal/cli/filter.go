package cli

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/ace"
)

type filterKey struct {
	name string
	six  bool
}

type groupKey struct {
	name string
	kind facts.GroupKind
}

// A numbering is what a list has beside its rules: their sequence numbers, and the remark that waits for the next.
type numbering struct {
	seqs   []int
	last   int
	remark string
}

// A timedRule waits for its time range.
type timedRule struct {
	filter, rule int
	name         string
}

// List gives the filter of a name, made when there is none. Its default is deny once it has a rule.
func (s *Stmt) List(name, kind string, fam facts.Family, empty facts.Action) int {
	key := filterKey{name, fam == facts.IPv6}
	if at, ok := s.R.filters[key]; ok {
		return at
	}
	d := s.R.D
	d.Filters = append(d.Filters, facts.Filter{
		Name: s.R.Keep(name), Kind: kind, Family: fam, Default: facts.Deny, WhenEmpty: empty, Span: s.Span(),
	})
	s.R.order = append(s.R.order, numbering{})
	s.R.filters[key] = len(d.Filters) - 1
	return len(d.Filters) - 1
}

// Lines reads the lines below a list's header: an optional sequence number, then a remark or an entry. Statements that are
// neither are left to other, which may be nil.
func (s *Stmt) Lines(at int, standard bool, other func(c *Stmt) bool) bool {
	s.OK()
	s.Each(func(c *Stmt) {
		if (other == nil || !other(c)) && !c.Entry(at, 0, standard) {
			c.Skip()
		}
	})
	return true
}

// Entry reads "[seq] [N] permit|deny ..." or a remark, from word i on, as a line of a list.
func (s *Stmt) Entry(at, i int, standard bool) bool {
	r := s.R
	f, num := &r.D.Filters[at], &r.order[at]
	seq, name := 0, ""
	if s.Is(i, "seq") || s.Is(i, "sequence") {
		i++
	}
	if n, err := strconv.Atoi(s.Word(i)); err == nil && n >= 0 {
		seq, name = n, s.Word(i)
		i++
	}
	switch s.Word(i) {
	case "permit", "deny":
	case "remark", "comment":
		if text := r.Said(s.Rest(i + 1)); num.remark == "" {
			num.remark = strings.Clone(text[:min(len(text), 512)])
		}
		return s.OK()
	default:
		return false
	}
	if s.No {
		return s.OK()
	}
	f.Rules = append(f.Rules, facts.Rule{Name: r.Keep(name), Span: s.Span(), Remark: num.remark})
	rule := &f.Rules[len(f.Rules)-1]
	num.remark = ""
	if seq == 0 {
		seq = num.last + 10
	}
	num.last = max(num.last, seq)
	num.seqs = append(num.seqs, seq)
	words := make([]string, 0, len(s.W)-i)
	for k := i; k < len(s.W); k++ {
		words = append(words, r.Keep(s.W[k]))
	}
	e, ok := r.Dialect.ACL.Read(words, f.Family, standard, rule)
	switch {
	case !ok:
		ace.Fail(rule)
		r.unreadLine(s, f.Name, facts.Unrecognised, "access list entry not understood: what it decides is unknown")
	case len(rule.Match.Unread) > 0:
		r.unreadLine(s, f.Name, facts.Unsupported, "condition not modelled: "+strings.Join(rule.Match.Unread, ", "))
	default:
		s.OK()
	}
	if ok && e.TimeRange != "" {
		r.timed = append(r.timed, timedRule{at, len(f.Rules) - 1, e.TimeRange})
	}
	return true
}

func (r *Reader) unreadLine(s *Stmt, filter string, state facts.LineState, why string) {
	r.T.Mark(s.N, state)
	r.reasons[s.N] = why
	r.inFilter[s.N] = filter
}

// finishFilters puts rules in order and looks up time ranges.
func (r *Reader) finishFilters() {
	for _, t := range r.timed {
		tr := r.times[t.name]
		if tr == nil {
			tr = &facts.TimeRange{Name: t.name, Unread: "time range is not in this evidence"}
			r.times[t.name] = tr
		}
		r.D.Filters[t.filter].Rules[t.rule].Times = tr
	}
	for _, key := range r.common {
		if at, ok := r.filters[key]; ok {
			r.D.Filters[at].Default = facts.Next
		}
	}
	for at := range r.order {
		f, num := &r.D.Filters[at], &r.order[at]
		if !slices.IsSortedFunc(num.seqs, func(a, b int) int { // equal ones are not in order either
			if a == b {
				return -1
			}
			return cmp.Compare(a, b)
		}) {
			inOrder(f, num)
		}
		if implied := r.Dialect.Implied6; f.Family == facts.IPv6 && len(f.Rules) > 0 && len(implied) > 0 {
			f.Rules = append(f.Rules, facts.Rule{Name: "implied", Action: facts.Permit, Match: facts.Match{Protocols: []uint8{58}, ICMP: implied}})
		}
	}
}

// inOrder sorts the rules of a list by their numbers; of two with one number the later stands.
func inOrder(f *facts.Filter, num *numbering) {
	idx := make([]int, len(f.Rules))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(a, b int) int { return cmp.Compare(num.seqs[a], num.seqs[b]) })
	rules := make([]facts.Rule, 0, len(idx))
	for k, i := range idx {
		if k+1 < len(idx) && num.seqs[idx[k+1]] == num.seqs[i] {
			continue
		}
		rules = append(rules, f.Rules[i])
	}
	f.Rules = rules
}

// Group gives the group of a name and kind, made when there is none.
func (s *Stmt) Group(name string, kind facts.GroupKind) *facts.Group {
	key := groupKey{name, kind}
	if at, ok := s.R.groups[key]; ok {
		return &s.R.D.Groups[at]
	}
	s.R.D.Groups = append(s.R.D.Groups, facts.Group{Name: s.R.Keep(name), Kind: kind, Span: s.Span()})
	s.R.groups[key] = len(s.R.D.Groups) - 1
	return &s.R.D.Groups[len(s.R.D.Groups)-1]
}

// GroupAddress reads a member of a group of addresses: "[N] host A", "[N] A/n", "[N] A W", "[N] A B" with between as "-" or
// "range". false when it is none.
func (s *Stmt) GroupAddress(g *facts.Group, netmask bool) bool {
	i := 0
	if _, err := strconv.Atoi(s.Word(0)); err == nil {
		i++
	}
	if s.No {
		return s.OK()
	}
	it := facts.AddrItem{Span: s.Span()}
	switch w := s.Word(i); w {
	case "host":
		a, err := netip.ParseAddr(s.Word(i + 1))
		if err != nil {
			return false
		}
		it.Prefix = netip.PrefixFrom(a, a.BitLen())
	case "range":
		a, err1 := netip.ParseAddr(s.Word(i + 1))
		b, err2 := netip.ParseAddr(s.Word(i + 2))
		if err1 != nil || err2 != nil {
			return false
		}
		it.From, it.To = a, b
	default:
		rule := facts.Rule{}
		fam := facts.IPv4
		if strings.Contains(w, ":") {
			fam = facts.IPv6
		}
		words := append([]string{"permit"}, s.W[i:]...)
		d := ace.Dialect{Netmask: netmask}
		if _, ok := d.Read(words, fam, true, &rule); !ok {
			return false
		}
		if len(rule.Match.Src.Items) == 0 {
			it.Any = true
		} else {
			it = rule.Match.Src.Items[0]
			it.Span = s.Span()
		}
	}
	g.Addrs = append(g.Addrs, it)
	return s.OK()
}

// GroupPort reads a member of a group of ports: "[N] eq P", "gt", "lt", "range". false when it is none.
func (s *Stmt) GroupPort(g *facts.Group) bool {
	i := 0
	if _, err := strconv.Atoi(s.Word(0)); err == nil {
		i++
	}
	if s.No {
		return s.OK()
	}
	words := append([]string{"permit", "tcp", "any", "any"}, s.W[i:]...)
	rule := facts.Rule{}
	if _, ok := s.R.Dialect.ACL.Read(words, facts.IPv4, false, &rule); !ok || !rule.Match.DstPorts.Present || rule.Match.DstPorts.Not {
		return false
	}
	g.Ports = append(g.Ports, rule.Match.DstPorts.Ranges...)
	return s.OK()
}

// Bind applies a filter to an interface.
func (s *Stmt) Bind(f *facts.Interface, name string, fam facts.Family, dir facts.Direction, undefined facts.Action) bool {
	if !s.No && name != "" {
		f.Bindings = append(f.Bindings, facts.Binding{Filters: []string{s.R.Keep(name)}, Family: fam, Direction: dir, Undefined: undefined, Span: s.Span()})
	}
	return s.OK()
}

// BindAt applies a filter to something else than an interface.
func (s *Stmt) BindAt(where, name string, fam facts.Family, dir facts.Direction, undefined facts.Action, scope string) bool {
	if !s.No && name != "" {
		s.R.D.Bindings = append(s.R.D.Bindings, facts.Binding{
			Filters: []string{s.R.Keep(name)}, Family: fam, Where: where, Direction: dir, Undefined: undefined, Scope: s.R.Keep(scope), Span: s.Span(),
		})
	}
	return s.OK()
}

// Refer states that a statement names a list by other means than a binding.
func (s *Stmt) Refer(list, by string) {
	if list != "" && len(s.R.D.References) < 20_000 {
		s.R.D.References = append(s.R.D.References, facts.Reference{Filter: s.R.Keep(list), By: by, Span: s.Span()})
	}
}

// Direction reads "in", "ingress", "out", "egress".
func Direction(w string) (facts.Direction, bool) {
	switch w {
	case "in", "ingress", "input":
		return facts.In, true
	case "out", "egress", "output":
		return facts.Out, true
	}
	return facts.In, false
}

// Prefix reads "A/n" or, with the next word, "A M".
func (s *Stmt) Prefix(i int) (netip.Prefix, bool) {
	if p, err := netip.ParsePrefix(s.Word(i)); err == nil {
		return p, true
	}
	a, err1 := netip.ParseAddr(s.Word(i))
	m, err2 := netip.ParseAddr(s.Word(i + 1))
	if err1 != nil || err2 != nil || !a.Is4() || !m.Is4() {
		return netip.Prefix{}, false
	}
	bits, rest := 0, uint32(0)
	for _, b := range m.As4() {
		rest = rest<<8 | uint32(b)
	}
	for rest&(1<<31) != 0 {
		bits++
		rest <<= 1
	}
	return netip.PrefixFrom(a, bits), rest == 0
}

// Route states a static route: its prefix, then an interface and a next hop in any order from word i on.
func (s *Stmt) Route(prefix netip.Prefix, scope string, i int) bool {
	if s.No || !prefix.IsValid() {
		return s.OK()
	}
	x := facts.Route{Prefix: prefix.Masked(), Scope: s.R.Keep(scope), Span: s.Span()}
	for ; i < len(s.W) && i >= 0; i++ {
		w := s.W[i]
		if a, err := netip.ParseAddr(w); err == nil {
			x.NextHop = a
			break
		}
		if x.Interface != "" || w == "tag" || w == "name" || w == "description" || w == "track" {
			break
		}
		if _, err := strconv.Atoi(w); err == nil {
			break // a distance
		}
		x.Interface = s.R.Keep(w)
	}
	s.R.D.Routes = append(s.R.D.Routes, x)
	return s.OK()
}

// Common says that a list is asked before another one, whose end is also its own: what it does not decide goes on.
func (r *Reader) Common(name string, fam facts.Family) {
	r.common = append(r.common, filterKey{name, fam == facts.IPv6})
}

// Own takes the filter that was appended last as one that the reader makes itself, and gives its place.
func (r *Reader) Own() int {
	for len(r.order) < len(r.D.Filters) {
		r.order = append(r.order, numbering{})
	}
	return len(r.D.Filters) - 1
}
