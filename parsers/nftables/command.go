package nftables

import (
	"slices"
	"strings"
)

// command reads one statement outside of tables.
func (p *parser) command(words []token, open bool) {
	from, to := ends(words)
	rest := verbless(words)
	if len(rest) == 0 {
		p.mark(from, to, unrecognised, "", "")
		return
	}
	ok := false
	switch rest[0].text {
	case "table", "chain", "set", "map", "flowtable", "rule", "element", "counter", "quota", "limit", "ct", "secmark", "synproxy":
		ok = p.object(words, rest, open)
		open = open && !ok
	case "define", "redefine", "undefine":
		ok = p.define(rest)
	case "include":
		p.include(nil, nil, words)
		return
	case "flush", "delete", "destroy":
		ok = p.remove(rest)
		if !ok {
			p.opaque = append(p.opaque, p.span(from, to))
			p.mark(from, to, unsupported, "", "what is removed is not followed")
			return
		}
	}
	if open {
		p.skip()
	}
	state := byte(understood)
	if !ok {
		state = unrecognised
	}
	p.mark(from, to, state, "", "")
}

// include is a file that is not here: what it adds to a chain, to one of a table, or to any, is not known.
func (p *parser) include(t *table, c *chain, words []token) {
	from, to := ends(words)
	filter := ""
	switch {
	case c != nil:
		filter = c.name
		c.rules = append(c.rules, words)
	case t != nil:
		t.opaque = append(t.opaque, p.span(from, to))
	default:
		p.opaque = append(p.opaque, p.span(from, to))
	}
	p.mark(from, to, unsupported, filter, "the included file is not part of this one")
}

// define reads "define NAME = VALUE".
func (p *parser) define(words []token) bool {
	if words[0].is("undefine") && len(words) == 2 {
		delete(p.defs, words[1].text)
		return true
	}
	if len(words) < 4 || !words[2].is("=") {
		return false
	}
	p.defs[words[1].text] = slices.Clone(words[3:])
	return true
}

// locate reads "[FAMILY] TABLE" and gives what is behind; the family is ip where none is stated (nft(8), ADDRESS FAMILIES).
func (p *parser) locate(words []token) (*table, []token) {
	fam := famIP
	if len(words) > 0 && families[words[0].text] != 0 {
		fam, words = families[words[0].text], words[1:]
	}
	if len(words) == 0 || words[0].is("\n") {
		return nil, words
	}
	name := words[0].text
	for _, t := range p.tables {
		if t.fam == fam && t.name == name {
			return t, words[1:]
		}
	}
	t := &table{fam: fam, name: strings.Clone(name), byName: map[string]*chain{}, setBy: map[string]*set{}}
	p.tables = append(p.tables, t)
	return t, words[1:]
}

// object reads "KIND [FAMILY] TABLE ..." outside of a table's block.
func (p *parser) object(words, rest []token, open bool) bool {
	t, tail := p.locate(rest[1:])
	if t == nil {
		return false
	}
	switch rest[0].text {
	case "table":
		if open {
			p.tableBlock(t)
		}
		return len(tail) == 0
	case "rule":
		return p.ruleCommand(t, words, tail)
	case "element":
		if len(tail) < 2 {
			return false
		}
		s := t.set(tail[0].text)
		s.elements = append(s.elements, elements(inBraces(tail[1:]))...)
		return true
	}
	if len(tail) == 0 {
		return false
	}
	if tail[len(tail)-1].is("}") && !open { // "chain ip t c { ... }" within braces of a variable
		return false
	}
	p.member(t, append([]token{rest[0]}, tail...), open)
	return true
}

// ruleCommand reads "add rule TABLE CHAIN ..." and "insert rule".
func (p *parser) ruleCommand(t *table, words, tail []token) bool {
	if len(tail) < 2 {
		return false
	}
	c := t.chain(tail[0].text)
	rule := tail[1:]
	if slices.Contains([]string{"handle", "position", "index"}, rule[0].text) && len(rule) > 2 {
		rule = rule[2:]
		p.opaque = append(p.opaque, p.span(ends(words))) // where it stands is not followed
	}
	if words[0].is("insert") {
		c.rules = slices.Insert(c.rules, 0, rule)
	} else {
		c.rules = append(c.rules, rule)
	}
	return true
}

// remove reads "flush" and "delete" of what it follows: the whole set of rules, a table, the rules of a chain.
func (p *parser) remove(words []token) bool {
	if len(words) < 2 {
		return false
	}
	if words[0].is("flush") && words[1].is("ruleset") {
		p.tables = nil
		return true
	}
	t, tail := p.locate(words[2:])
	switch {
	case t == nil:
		return false
	case words[1].is("table") && words[0].is("flush"):
		for _, c := range t.chains {
			c.rules = nil
		}
		return true
	case words[1].is("table"):
		p.tables = slices.DeleteFunc(p.tables, func(o *table) bool { return o == t })
		return true
	case words[0].is("flush") && words[1].is("chain") && len(tail) == 1:
		t.chain(tail[0].text).rules = nil
		return true
	case words[0].is("flush") && len(tail) == 1:
		t.set(tail[0].text).elements = nil
		return true
	}
	return false
}
