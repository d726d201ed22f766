package ciscoasa

import (
	"bytes"
	"fmt"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// An acl is an access list while its entries are gathered.
type acl struct {
	name   string
	v6     bool // "ipv6 access-list", a name space of its own before 9.0
	kind   string
	count  int
	first  int32
	filter int // index in Device.Filters, set when the entries are read
	remark string
	next   bool // a list is asked after it somewhere
	ether  bool // about frames that are not IP
	over   bool // has lines beyond maxEntries
}

// countEntry notes an access-list line for the second pass. It runs once per line of the largest part of a
// configuration, so it looks at the first words only.
func (p *parser) countEntry(n int32, text []byte, v6 bool) {
	rest := bytes.TrimLeft(text, " \t\r") // as Tree.Fields splits
	end := bytes.IndexAny(rest, " \t\r")
	if end < 0 {
		return // unrecognised
	}
	name := rest[:end]
	a := p.lastACL
	if a == nil || a.v6 != v6 || a.name != string(name) {
		key := string(name)
		if v6 {
			key = "ipv6 " + key
		}
		a = p.aclBy[key]
		if a == nil {
			a = &acl{name: p.str(name), v6: v6, first: n, filter: -1}
			p.acls = append(p.acls, a)
			p.aclBy[key] = a
		}
		p.lastACL = a
	}
	if len(p.entries) == maxEntries {
		a.over = true
		p.unsupported(n, "more access-list lines than are read")
		return
	}
	a.count++
	p.entries = append(p.entries, n)
}

// maxEntries bounds the access-list lines read of one space; the content of a list with more is told to be unknown.
const maxEntries = 1 << 20

// readEntries reads the access-list lines of the space. Lists become filters in the order of their first lines.
func (p *parser) readEntries() {
	p.share()
	var last *acl
	for _, n := range p.entries {
		if last != nil && p.remarkLine(last, n) {
			continue
		}
		p.read(n)
		i, v6 := 1, false
		if p.is(0, "ipv6") {
			i, v6 = 2, true
		}
		name := p.word(i)
		if last == nil || last.v6 != v6 || last.name != string(name) {
			if v6 {
				last = p.aclBy["ipv6 "+string(name)]
			} else {
				last = p.aclBy[string(name)]
			}
		}
		if last != nil {
			p.entry(last, n, i+1)
		}
	}
	for _, a := range p.acls {
		if a.filter < 0 && (a.remark != "" || a.over) && !a.ether { // remarks only
			p.filter(a, "access-list")
		}
		if a.over && a.filter >= 0 {
			p.d.Filters[a.filter].Unread = fmt.Sprintf("more than %d access-list lines", maxEntries)
			p.note(facts.NoteLimit, p.span(a.first), "an access list has more lines than are read; what it decides is unknown", "")
		}
	}
}

// remarkLine reads "access-list NAME remark TEXT" when it is of list a, without splitting the text into words.
func (p *parser) remarkLine(a *acl, n int32) bool {
	const verb, remark = "access-list ", " remark "
	text := p.t.Text(n)
	at := len(verb) + len(a.name)
	if a.v6 || len(text) < at+len(remark) || string(text[len(verb):at]) != a.name || string(text[at:at+len(remark)]) != remark {
		return false
	}
	p.understood(n)
	a.addRemark(p.maskText(field.Trim(text[at+len(remark):])))
	return true
}

// maxRemark bounds, in bytes, what is kept of the remarks before one entry.
const maxRemark = 1 << 10

func (a *acl) addRemark(text string) {
	switch room := maxRemark - len(a.remark); {
	case room <= 0:
	case a.remark == "":
		a.remark = text[:min(len(text), room)]
	default:
		a.remark += " " + text[:min(len(text), room)]
	}
}

// filter makes the filter of list a.
func (p *parser) filter(a *acl, kind string) {
	f := facts.Filter{
		Name: a.name, Scope: p.scope, Kind: kind, Default: facts.Deny, Stateful: true, Span: p.span(a.first),
		Rules: make([]facts.Rule, 0, a.count),
	}
	switch {
	case a.v6:
		f.Family = facts.IPv6
	case p.before(9, 0):
		f.Family = facts.IPv4
	}
	a.kind, a.filter = kind, len(p.d.Filters)
	p.d.Filters = append(p.d.Filters, f)
}

// rule appends an empty rule to a's filter.
func (p *parser) rule(a *acl, n int32, name, kind string) *facts.Rule {
	if a.filter < 0 {
		p.filter(a, kind)
	}
	f := &p.d.Filters[a.filter]
	f.Rules = append(f.Rules, facts.Rule{}) // there is room for every line of the list
	r := &f.Rules[len(f.Rules)-1]
	r.Name, r.Remark, r.Span = name, a.remark, p.span(n)
	a.remark = ""
	return r
}
