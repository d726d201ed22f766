package nftables

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// A table holds chains and sets.
type table struct {
	fam     family
	name    string
	dormant bool // its chains are not in force
	chains  []*chain
	byName  map[string]*chain
	setBy   map[string]*set
	opaque  []evidence.Span // includes in its block
}

// label is "family table".
func (t *table) label() string { return familyName(t.fam) + " " + t.name }

func familyName(f family) string {
	for name, v := range families {
		if v == f {
			return name
		}
	}
	return ""
}

// A chain is a list of rules; one with a hook is a base chain.
type chain struct {
	t        *table
	name     string // of its filter
	typ      string
	hook     string
	priority int
	devices  []string
	policy   facts.Action
	rules    [][]token
	from, to int // its head
	end      token
}

// A set is a named set or map.
type set struct {
	name     string
	filled   bool // packets, timeouts or programs change it
	constant bool
	elements []element
	from, to int
	used     bool // stated as a group
}

// An element of a set: a key, and what a map gives for it.
type element struct{ key, value []token }

// scope is where a statement stands.
type scope uint8

const (
	topScope scope = iota
	tableScope
	leafScope
)

// statement reads tokens up to a separator at brace depth 0, "{" that opens a block (open), or "}" that closes the block the
// statement is in (closed). Ends of lines inside braces are kept.
func (p *parser) statement(s scope) (words []token, open, closed, more bool) {
	depth := 0
	for {
		t, ok := p.lex.next()
		switch {
		case !ok:
			return words, false, false, false
		case depth == 0 && (t.is("\n") || t.is(";")):
			if len(words) > 0 && words[len(words)-1].is(",") && t.is("\n") {
				continue
			}
			p.mark(t.from, t.to, unmarked, "", "")
			return words, false, false, true
		case t.is("{") && depth == 0 && blockHead(s, words):
			p.mark(t.from, t.to, understood, "", "")
			return words, true, false, true
		case t.is("{"):
			depth++
		case t.is("}") && depth == 0:
			if s != topScope {
				p.mark(t.from, t.to, understood, "", "")
			}
			return words, false, true, true
		case t.is("}"):
			depth--
		}
		words = p.substitute(words, t)
	}
}

// blockHead reports whether "{" behind words opens a block and not a set of values.
func blockHead(s scope, words []token) bool {
	switch s {
	case tableScope:
		return true
	case leafScope:
		return false
	case topScope:
	}
	words = verbless(words)
	if len(words) == 0 {
		return false
	}
	switch words[0].text {
	case "rule", "element", "define", "redefine":
		return false
	}
	return true
}

// verbless is a command without its verb.
func verbless(words []token) []token {
	if len(words) > 0 && slices.Contains([]string{"add", "create", "insert", "nft"}, words[0].text) {
		return verbless(words[1:])
	}
	return words
}

// mostExpanded bounds what the variables of a file may grow to, in words; one beyond it stays a name, which nothing knows.
const mostExpanded = 1 << 21

// substitute appends t, or what the variable it names stands for.
func (p *parser) substitute(words []token, t token) []token {
	name, isVar := strings.CutPrefix(t.text, "$")
	def, known := p.defs[name]
	if t.quoted || !isVar || !known || p.expanded+len(def) > mostExpanded {
		return append(words, t)
	}
	p.expanded += len(def)
	for _, d := range def {
		d.from, d.to = t.from, t.to
		words = append(words, d)
	}
	return words
}

// top reads the commands of a file.
func (p *parser) top(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		words, open, closed, more := p.statement(topScope)
		switch {
		case len(words) == 0 && (open || closed):
			p.mark(p.lex.at-1, p.lex.at, unrecognised, "", "a brace of nothing")
			if open {
				p.skip()
			}
		case len(words) > 0:
			p.command(words, open)
		}
		if !more {
			return nil
		}
	}
}

// skip passes over a block that is not understood.
func (p *parser) skip() {
	depth := 1
	for depth > 0 {
		t, ok := p.lex.next()
		switch {
		case !ok:
			return
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		}
	}
}

// ends are where a statement begins and ends.
func ends(words []token) (from, to int) { return words[0].from, words[len(words)-1].to }

func (t *table) chain(name string) *chain {
	full := t.label() + "/" + name
	if c := t.byName[full]; c != nil {
		return c
	}
	c := &chain{t: t, name: full, policy: facts.Next}
	t.chains = append(t.chains, c)
	t.byName[full] = c
	return c
}

func (t *table) set(name string) *set {
	if s := t.find(name); s != nil {
		return s
	}
	s := &set{name: strings.Clone(name)}
	t.setBy[s.name] = s
	return s
}

func (t *table) find(name string) *set { return t.setBy[name] }

// tableBlock reads what is between a table's braces.
func (p *parser) tableBlock(t *table) {
	for {
		words, open, closed, more := p.statement(tableScope)
		switch {
		case len(words) == 0 && open:
			p.mark(p.lex.at-1, p.lex.at, unrecognised, "", "a brace of nothing")
			p.skip()
		case len(words) > 0:
			p.member(t, words, open)
		}
		if closed || !more {
			return
		}
	}
}

// member reads one statement of a table.
func (p *parser) member(t *table, words []token, open bool) {
	from, to := ends(words)
	state := byte(understood)
	named := len(words) >= 2
	switch w := words[0].text; {
	case w == "chain" && named:
		c := t.chain(words[1].text)
		c.from, c.to = from, to
		if open {
			p.leaf(func(l []token) { p.chainLine(c, l) })
		}
	case (w == "set" || w == "map") && named:
		s := t.set(words[1].text)
		s.from, s.to = from, to
		if open {
			p.leaf(func(l []token) { p.setLine(s, l) })
		}
	case w == "flags":
		t.dormant = slices.ContainsFunc(words, func(t token) bool { return t.is("dormant") })
	case w == "include":
		p.include(t, nil, words)
		state = unsupported
	case w == "define" || w == "redefine" || w == "undefine":
		if !p.define(words) {
			p.mark(from, to, unrecognised, "", "")
		}
	case w == "comment" || w == "type" || w == "elements":
	case slices.Contains([]string{"flowtable", "counter", "quota", "limit", "ct", "secmark", "synproxy"}, w):
		if open {
			p.leaf(func(l []token) { p.mark(l[0].from, l[len(l)-1].to, understood, "", "") })
		}
	default:
		if open {
			p.skip()
		}
		p.mark(from, to, unrecognised, "", "")
		return
	}
	p.mark(from, to, min(state, understood), "", "")
}

// leaf reads the lines of a block that holds no blocks.
func (p *parser) leaf(line func([]token)) {
	for {
		words, _, closed, more := p.statement(leafScope)
		if len(words) > 0 {
			line(words)
		}
		if closed || !more {
			return
		}
	}
}

// chainLine reads one line of a chain: its hook, its policy, or a rule.
func (p *parser) chainLine(c *chain, words []token) {
	from, to := ends(words)
	switch w := words[0].text; {
	case w == "type" && len(words) >= 4 && slices.ContainsFunc(words, func(t token) bool { return t.is("hook") }):
		c.base(words)
	case w == "policy" && len(words) == 2:
		c.end = token{from: from, to: to}
		switch words[1].text {
		case "accept":
			c.policy = facts.Permit
		case "drop":
			c.policy = facts.Deny
		default:
			c.policy = facts.ActionUnknown
			p.mark(from, to, unsupported, c.name, "a policy that nft does not know")
		}
	case w == "comment" && len(words) == 2 && !words[1].is("\""), w == "devices", w == "device", w == "flags":
		c.device(words)
	case w == "include":
		p.include(c.t, c, words)
	case w == "define" || w == "redefine" || w == "undefine":
		p.define(words)
	default:
		c.rules = append(c.rules, slices.Clip(words))
		return // marked when it is read
	}
	p.mark(from, to, understood, "", "")
}

func (c *chain) device(words []token) {
	if words[0].is("comment") || words[0].is("flags") {
		return
	}
	for _, w := range words[1:] {
		if w.quoted || strings.Trim(w.text, "{}=,\n") != "" {
			c.devices = append(c.devices, strings.Clone(w.text))
		}
	}
}

// base reads "type T hook H [device D | devices = {...}] priority P".
func (c *chain) base(words []token) {
	for i := 0; i < len(words); i++ {
		next := func() string {
			if i+1 < len(words) {
				return words[i+1].text
			}
			return ""
		}
		switch words[i].text {
		case "type":
			c.typ = strings.Clone(next())
		case "hook":
			c.hook = strings.Clone(next())
			if c.policy == facts.Next {
				c.policy = facts.Permit // nft(8): accept is the default
			}
		case "device":
			c.devices = append(c.devices, strings.Clone(next()))
		case "devices":
			end := i + 1
			for end < len(words) && !words[end].is("}") && !words[end].is("priority") {
				end++
			}
			c.device(words[i:end])
			i = end - 1
		case "priority":
			c.priority = priority(c.t.fam, words[i+1:])
		}
	}
}

// priority reads a number, or a name with a number added to it.
func priority(fam family, words []token) int {
	var text strings.Builder
	for _, w := range words {
		text.WriteString(w.text)
	}
	s := text.String()
	names := priorities
	if fam == famBridge {
		names = bridgePriorities
	}
	sum := 0
	for name, n := range names {
		if rest, ok := strings.CutPrefix(s, name); ok {
			sum, s = n, rest
			break
		}
	}
	n, err := strconv.Atoi(s)
	if err != nil {
		return sum
	}
	return sum + n
}

// setLine reads one line of a set or map.
func (p *parser) setLine(s *set, words []token) {
	from, to := ends(words)
	state, why := byte(understood), ""
	switch words[0].text {
	case "flags":
		for _, w := range words[1:] {
			s.filled = s.filled || w.is("dynamic") || w.is("timeout")
			s.constant = s.constant || w.is("constant")
		}
	case "timeout":
		s.filled = true
	case "elements":
		if len(words) < 3 {
			state, why = unrecognised, "no elements"
			break
		}
		s.elements = append(s.elements, elements(inBraces(words[2:]))...)
	case "type", "typeof", "gc-interval", "size", "policy", "auto-merge", "comment", "counter", "quota", "limit", "last":
	case "include":
		s.filled = true
		state, why = unsupported, "the included file is not part of this one"
	default:
		state = unrecognised
	}
	p.mark(from, to, state, "", why)
}

// inBraces is what is between the braces around words.
func inBraces(words []token) []token {
	if len(words) > 0 && words[0].is("{") {
		words = words[1:]
		if n := len(words); n > 0 && words[n-1].is("}") {
			words = words[:n-1]
		}
	}
	return words
}

// elements parts "key [options] [: value], ...".
func elements(words []token) []element {
	var all []element
	var e element
	value, depth := false, 0
	flush := func() {
		if len(e.key) > 0 {
			all = append(all, e)
		}
		e, value = element{}, false
	}
	for _, w := range words {
		switch {
		case w.is("\n"):
			continue
		case w.is("{"):
			depth++
		case w.is("}"):
			depth--
		}
		switch {
		case depth < 0:
			flush()
			return all
		case w.is(",") && depth == 0:
			flush()
		case w.is(":") && depth == 0 && !value:
			value = true
		case value:
			e.value = append(e.value, w)
		case depth <= 1 && (w.is("{") || w.is("}")): // a set in a set is of its elements
			if w.is("}") {
				flush()
			}
		case w.is(",") && depth > 0:
			flush()
		default:
			e.key = append(e.key, w)
		}
	}
	flush()
	return all
}
