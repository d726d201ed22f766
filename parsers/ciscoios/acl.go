package ciscoios

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// Access lists. Names and numbers share one space per version of IP: "ip access-list extended 101" is the list of
// "access-list 101". Order is by sequence number; a line without one goes behind the last by ten (Security configuration
// guide, IP access list entry sequence numbering).

// A building is what a list being read has beside its rules.
type building struct {
	seqs     []int32 // of the rules
	last     int32
	unsorted bool
	remark   string
	standard bool
}

// lastFilter is the list that was read last: numbered lists are one line per rule.
type lastFilter struct {
	name string
	fam  facts.Family
	at   int
}

// A timedRule waits for its time range.
type timedRule struct {
	filter, rule int
	name         string
}

func familyIndex(f facts.Family) int {
	if f == facts.IPv6 {
		return 1
	}
	return 0
}

// filter is the index of a list, made when there is none.
func (p *parser) filter(name []byte, fam facts.Family, kind string, n int32) int {
	if p.last.fam == fam && p.last.name == string(name) {
		return p.last.at
	}
	known := p.filters[familyIndex(fam)]
	at, ok := known[string(name)]
	if !ok {
		at = len(p.d.Filters)
		s := p.str(name)
		known[s] = at
		// An empty list "permits all", as one that does not exist does (Catalyst 2960 software configuration guide,
		// Configuring IPv4 access control lists); with the first rule the rest is denied.
		p.d.Filters = append(p.d.Filters, facts.Filter{
			Name: s, Kind: kind, Family: fam, Default: facts.Deny, WhenEmpty: facts.Permit, Span: p.span(n),
		})
		p.building = append(p.building, building{standard: strings.HasSuffix(kind, "standard")})
	}
	p.last = lastFilter{p.d.Filters[at].Name, fam, at}
	return at
}

// reserve makes room for more rules of a list.
func (p *parser) reserve(at, more int) {
	f, b := &p.d.Filters[at], &p.building[at]
	f.Rules, b.seqs = slices.Grow(f.Rules, more), slices.Grow(b.seqs, more)
}

// listKind says what a numbered list is (IOS security command reference, access-list); empty: it does not filter IP.
func listKind(number int) string {
	switch {
	case number >= 1 && number <= 99, number >= 1300 && number <= 1999:
		return "access-list standard"
	case number >= 100 && number <= 199, number >= 2000 && number <= 2699:
		return "access-list extended"
	}
	return ""
}

// accessList reads "access-list N ..." and the same with a name and its kind.
func (p *parser) accessList(n int32) {
	name := p.word(1)
	i, kind := 2, ""
	if num, ok := number(name); ok {
		kind = listKind(num)
		if kind == "" {
			p.skip(n) // filters frames and other protocols than IP
			return
		}
	} else {
		switch string(p.word(2)) {
		case "extended":
			kind, i = "access-list extended", 3
		case "standard":
			kind, i = "access-list standard", 3
		case "permit", "deny", "remark":
			kind = "access-list extended"
		default:
			p.skip(n) // access-list compiled, dynamic-extended, rate-limit
			return
		}
	}
	if p.negated {
		p.ok(n)
		return
	}
	fresh := len(p.d.Filters)
	at := p.filter(name, facts.IPv4, kind, n)
	if at == fresh {
		p.reserve(at, p.sameList(n, name))
	}
	p.line(n, at, i)
}

// sameList counts the statements from n on that are lines of the same list.
func (p *parser) sameList(n int32, name []byte) int {
	count := 0
	for ; n != tree.None; n = p.t.Nodes[n].Next {
		text := p.t.Text(n)
		rest, ok := bytes.CutPrefix(text, []byte("access-list "))
		if !ok || len(rest) <= len(name) || rest[len(name)] != ' ' || !bytes.HasPrefix(rest, name) {
			break
		}
		count++
	}
	return count
}

// namedList reads "ip access-list extended NAME" and its lines.
func (p *parser) namedList(n int32) {
	kind, name := "ip access-list extended", p.word(len(p.w)-1)
	switch string(p.word(2)) {
	case "standard":
		kind = "ip access-list standard"
	case "extended":
	case "resequence", "logging", "log-update", "helper", "persistent", "match-local-traffic":
		p.skip(n)
		return
	case "role-based", "fqdn":
		p.unsupportedBlock(n, "lists by security group or domain name are not modelled")
		return
	}
	if p.negated || len(p.w) < 3 || len(p.w) > 4 {
		p.ok(n)
		return
	}
	p.list(n, name, facts.IPv4, kind)
}

// list reads the lines below a list's header.
func (p *parser) list(n int32, name []byte, fam facts.Family, kind string) {
	p.ok(n)
	at := p.filter(name, fam, kind, n)
	count := 0
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		count++
	}
	if fam == facts.IPv6 {
		count++
	}
	p.reserve(at, count)
	p.children(n, func(c int32) { p.line(c, at, 0) })
}

// line reads one line of a list: an optional sequence number, then a remark or an entry.
func (p *parser) line(n int32, at, i int) {
	b := &p.building[at]
	seq := int32(0)
	named := ""
	if p.is(i, "sequence") {
		i++
	}
	if num, ok := number(p.word(i)); ok && i+1 < len(p.w) {
		seq, named = int32(min(num, 1<<30)), p.str(p.word(i))
		i++
	}
	if s := len(p.w) - 2; s > i && p.is(s, "sequence") { // IPv6 prints it behind on old software
		if num, ok := number(p.word(s + 1)); ok {
			seq, named = int32(min(num, 1<<30)), p.str(p.word(s+1))
			p.w = p.w[:s]
		}
	}
	switch string(p.word(i)) {
	case "permit", "deny":
		if p.negated {
			p.ok(n)
			return
		}
	case "remark":
		p.ok(n)
		p.remark(b, p.rest(n, i+1))
		return
	case "description", "exit":
		p.ok(n)
		return
	case "evaluate":
		if p.negated || p.word(i+1) == nil {
			p.ok(n)
			return
		}
	default:
		if p.negated {
			p.ok(n)
			return
		}
	}
	f := &p.d.Filters[at]
	r := addRule(f)
	r.Name, r.Remark, r.Span = named, b.remark, p.span(n)
	b.remark = ""
	if seq == 0 {
		seq = b.last + 10
	}
	if len(b.seqs) > 0 && seq < b.last {
		b.unsorted = true
	}
	b.last = max(b.last, seq)
	b.seqs = append(b.seqs, seq)
	e := entry{p: p, r: r, fam: f.Family, i: i, filter: at, rule: len(f.Rules) - 1}
	var ok bool
	if b.standard {
		ok = e.standard()
	} else {
		ok = e.extended()
	}
	switch {
	case !ok:
		r.Action, r.Match, r.Return, r.Times = facts.ActionUnknown, facts.Match{}, false, nil
		p.unreadLine(n, at, facts.Unrecognised, "access list entry not understood: what it decides is unknown")
	case len(r.Match.Unread) > 0:
		p.unreadLine(n, at, facts.Unsupported, "condition not modelled: "+strings.Join(r.Match.Unread, ", "))
	default:
		p.ok(n)
	}
}

// addRule appends a zero rule to f. A rule is large: it is made where it stays.
func addRule(f *facts.Filter) *facts.Rule {
	n := len(f.Rules)
	f.Rules = slices.Grow(f.Rules, 1)[:n+1]
	return &f.Rules[n]
}

// unreadLine accounts for a line of a list that was not understood whole.
func (p *parser) unreadLine(n int32, at int, s facts.LineState, why string) {
	p.t.Mark(n, s)
	p.reasons[n] = why
	if p.inFilter == nil {
		p.inFilter = map[int32]string{}
	}
	p.inFilter[n] = p.d.Filters[at].Name
}

// maxRemark bounds the owner's words kept beside a rule, in bytes.
const maxRemark = 512

func (p *parser) remark(b *building, text []byte) {
	s := p.masked(text[:min(len(text), maxRemark)])
	switch {
	case b.remark == "":
		b.remark = s
	case len(b.remark) < maxRemark:
		b.remark += " " + s
	}
}

// finishFilters puts rules in order, gives IPv6 lists their implied rules, and looks up time ranges.
func (p *parser) finishFilters() {
	for _, t := range p.timed {
		tr := p.times[t.name]
		if tr == nil {
			// "If the time range is not configured, the entry is always active" holds on IOS; facts.TimeRange says so.
			tr = &facts.TimeRange{Name: t.name, Undefined: true}
			p.times[t.name] = tr
		}
		p.d.Filters[t.filter].Rules[t.rule].Times = tr
	}
	for at := range p.building {
		f, b := &p.d.Filters[at], &p.building[at]
		if b.unsorted {
			p.order(f, b)
		}
		if f.Family == facts.IPv6 && len(f.Rules) > 0 {
			// "permit icmp any any nd-na, permit icmp any any nd-ns, deny ipv6 any any" end every list (IPv6 command
			// reference, ipv6 access-list).
			f.Rules = append(f.Rules, facts.Rule{
				Name: "implied", Action: facts.Permit,
				Match: facts.Match{Protocols: p.proto(icmp6), ICMP: []facts.ICMPType{{Type: 135, Code: -1}, {Type: 136, Code: -1}}},
			})
		}
		if why, ok := p.removedLists[f.Name]; ok {
			f.Unread = why
		}
		f.OrderLost = p.d.Tool == facts.RANCID
	}
}

// order sorts a list's rules by sequence number; of two with one number the later stands.
func (p *parser) order(f *facts.Filter, b *building) {
	idx := make([]int, len(f.Rules))
	for i := range idx {
		idx[i] = i
	}
	slices.SortStableFunc(idx, func(x, y int) int { return cmp.Compare(b.seqs[x], b.seqs[y]) })
	rules := make([]facts.Rule, 0, len(f.Rules)+1)
	for k, i := range idx {
		if k+1 < len(idx) && b.seqs[idx[k+1]] == b.seqs[i] {
			continue
		}
		rules = append(rules, f.Rules[i])
	}
	f.Rules = rules
}
