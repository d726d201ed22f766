package nftables

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// reader reads the statements of one rule (nft(8), STATEMENTS).
type reader struct {
	p           *parser
	t           *table
	f           *facts.Filter
	r           facts.Rule
	words       []token
	limited     bool // a limit that the first packets keep
	decided     bool // a verdict was read
	unsupported string
	verdicts    []verdictCase // of a verdict map
	hit         *facts.Hit
	depth       int // of chains without a name
}

// A verdictCase is one element of a verdict map.
type verdictCase struct {
	match  facts.Match
	action facts.Action
	to     string
	span   evidence.Span
}

// rule reads one rule of a chain, which becomes one rule of the filter, or one for each element of a verdict map.
func (p *parser) rule(f *facts.Filter, c *chain, words []token) {
	from, to := ends(words)
	x := reader{p: p, t: c.t, f: f, words: words, depth: strings.Count(c.name, "{")}
	x.r = facts.Rule{Action: facts.Next, Span: p.span(from, to)}
	x.read()
	if x.hit != nil {
		x.hit.Rule = fmt.Sprintf("#%d", len(f.Rules)+1)
		p.d.Hits = append(p.d.Hits, *x.hit)
	}
	if len(x.verdicts) == 0 {
		f.Rules = append(f.Rules, x.r)
	}
	for _, v := range x.verdicts {
		y := reader{p: p, r: x.r}
		y.r.Action, y.r.To = v.action, v.to
		y.r.Match.AllOf, y.r.Match.Unread = slices.Clip(y.r.Match.AllOf), slices.Clip(y.r.Match.Unread)
		y.conj(v.match)
		if v.span.Len > 0 {
			y.r.Span = v.span
		}
		f.Rules = append(f.Rules, y.r)
	}
	if words[0].is("include") {
		return // it was marked
	}
	if x.unsupported != "" {
		p.mark(from, to, unsupported, f.Name, x.unsupported)
		return
	}
	p.mark(from, to, understood, "", "")
}

func (x *reader) next() (token, bool) {
	for len(x.words) > 0 {
		t := x.words[0]
		x.words = x.words[1:]
		if !t.is("\n") {
			return t, true
		}
	}
	return token{}, false
}

// peek is the next word; empty when it is quoted or there is none.
func (x *reader) peek() string {
	for _, t := range x.words {
		switch {
		case t.quoted:
			return ""
		case !t.is("\n"):
			return t.text
		}
	}
	return ""
}

// accept takes the next word when it is one of these.
func (x *reader) accept(words ...string) bool {
	if p := x.peek(); p != "" && slices.Contains(words, p) {
		x.next()
		return true
	}
	return false
}

// unknown makes the rule one whose match is not known, and its line one that is not understood.
func (x *reader) unknown(why string) {
	why = strings.Clone(why[:min(len(why), 200)])
	x.untold(why)
	if x.unsupported == "" {
		x.unsupported = why
	}
}

// mostUnread bounds what is kept of one rule's conditions that cannot be told.
const mostUnread = 64

// untold is a condition that is known and that a packet's header cannot answer.
func (x *reader) untold(why string) {
	if len(x.r.Match.Unread) < mostUnread {
		x.r.Match.Unread = append(x.r.Match.Unread, strings.Clone(why[:min(len(why), 200)]))
	}
}

func (x *reader) read() {
	for {
		t, ok := x.next()
		if !ok {
			break
		}
		x.statement(t)
	}
	terminal := x.r.Action != facts.Permit && x.r.Action != facts.Next || len(x.verdicts) > 0
	if x.limited && terminal {
		x.untold("a limit")
	}
	if x.unsupported != "" && !x.decided {
		x.r.Action = facts.ActionUnknown // what was not understood may decide
	}
}

// verdict sets what the rule does; of two the first counts, since nothing is read behind it.
func (x *reader) verdict(a facts.Action) {
	if x.decided {
		x.unknown("two verdicts")
		x.r.Action = facts.ActionUnknown
		return
	}
	x.decided, x.r.Action = true, a
}

// statement reads one statement or one match.
func (x *reader) statement(t token) {
	if t.quoted {
		x.unknown("a text in quotes")
		return
	}
	switch t.text {
	case "accept":
		x.verdict(facts.Permit)
	case "drop":
		x.verdict(facts.Deny)
	case "reject":
		x.verdict(facts.Deny)
		x.reject()
	case "continue":
		x.verdict(facts.Next)
	case "return":
		x.verdict(facts.Return)
	case "jump":
		x.verdict(facts.Jump)
		x.r.To = x.target()
	case "goto":
		x.verdict(facts.Goto)
		x.r.To = x.target()
	case "queue", "synproxy", "fwd", "xt", "include":
		x.verdict(facts.ActionUnknown) // another program decides, or it leaves by another way
		if t.text == "xt" || t.text == "include" {
			x.untold(t.text)
		}
		x.rest()
	case "counter":
		x.counter()
	case "log":
		x.log()
	case "limit", "quota":
		x.limit(t.text)
	case "comment":
		c, _ := x.next()
		if c.is("\"") {
			x.unknown("a quote that does not end")
		}
		x.r.Remark = strings.Clone(c.text[:min(len(c.text), 1024)])
	case "last":
		if x.accept("used") {
			x.next()
		}
	case "notrack":
	case "masquerade", "redirect", "snat", "dnat":
		x.verdict(facts.Permit)
		x.nat(t)
	case "tproxy", "dup":
		x.change()
	case "flow":
		x.next()
		x.next()
	case "add", "update", "delete":
		x.setStatement()
	case "meter":
		x.untold("a meter")
		x.skipBraces()
	case "set":
		x.untold("a set that is changed")
		x.change()
	default:
		x.match(t)
	}
}

// rest takes what is left of the rule but its comment.
func (x *reader) rest() (words []token) {
	for len(x.words) > 0 && x.peek() != "comment" {
		if t, ok := x.next(); ok {
			words = append(words, t)
		}
	}
	return words
}

// reject passes over "with icmpx type port-unreachable" and "with tcp reset".
func (x *reader) reject() {
	if !x.accept("with") {
		return
	}
	proto, _ := x.next()
	if proto.is("tcp") {
		x.next()
		return
	}
	x.accept("type", "code")
	x.next()
}

// mostNested bounds chains without a name within each other.
const mostNested = 8

// target is the filter of the chain that jump or goto names, or that follows in braces.
func (x *reader) target() string {
	if x.peek() != "{" {
		name, _ := x.next()
		if variable(name) || name.text == "" {
			x.unknown("the chain " + name.text)
			x.r.Action = facts.ActionUnknown
			return ""
		}
		return x.t.label() + "/" + name.text
	}
	inner := x.skipBraces()
	c := &chain{t: x.t, name: fmt.Sprintf("%s{%d}", x.f.Name, len(x.t.chains)), policy: facts.Next}
	if len(inner) > 0 {
		c.from, c.to = ends(inner)
	}
	if x.depth >= mostNested {
		x.unknown("chains nested too deep")
		x.r.Action = facts.ActionUnknown
		return ""
	}
	c.rules = split(inner)
	x.t.chains = append(x.t.chains, c)
	return c.name
}

// split parts the rules of a chain without a name.
func split(words []token) (rules [][]token) {
	depth, from := 0, 0
	flush := func(to int) {
		if to > from {
			rules = append(rules, words[from:to:to])
		}
		from = to + 1
	}
	for i, w := range words {
		switch {
		case w.is("{"):
			depth++
		case w.is("}"):
			depth--
		case depth == 0 && (w.is(";") || w.is("\n")):
			flush(i)
		}
	}
	flush(len(words))
	return rules
}

// skipBraces passes over words up to and with a block in braces, and gives what is in it.
func (x *reader) skipBraces() []token {
	depth := 0
	var inner []token
	for len(x.words) > 0 {
		t := x.words[0]
		x.words = x.words[1:]
		switch {
		case t.is("{"):
			if depth++; depth == 1 {
				continue
			}
		case t.is("}"):
			if depth--; depth <= 0 {
				return inner
			}
		}
		if depth > 0 {
			inner = append(inner, t)
		}
	}
	return inner
}

// counter reads "counter [packets N bytes N]" and "counter name N".
func (x *reader) counter() {
	switch {
	case x.accept("name"):
		x.next()
	case x.accept("packets"):
		t, _ := x.next()
		n, err := strconv.ParseUint(t.text, 10, 64)
		if x.accept("bytes") {
			x.next()
		}
		if err == nil && x.hit == nil {
			x.hit = &facts.Hit{Filter: x.f.Name, Family: x.f.Family, Packets: n, Taken: x.p.d.Taken, Span: x.r.Span}
		}
	}
}

// log reads a log statement's options.
func (x *reader) log() {
	x.r.Log = facts.Say(true, x.r.Span)
	for {
		switch x.peek() {
		case "prefix", "level", "group", "snaplen", "queue-threshold":
			x.next()
			x.next()
		case "flags":
			x.next()
			what, _ := x.next()
			if what.is("tcp") || what.is("ip") {
				x.next()
				for x.accept(",") {
					x.next()
				}
			}
		default:
			return
		}
	}
}

// limit reads "limit rate [over] N/unit [burst N packets]", "quota [over] N unit" and those of a name.
func (x *reader) limit(kind string) {
	if x.accept("name") {
		n, _ := x.next()
		x.untold(kind + " " + n.text)
		return
	}
	x.accept("rate")
	over := x.accept("over")
	x.accept("until")
	x.next()
	units := []string{"bytes", "kbytes", "mbytes", "gbytes", "packets"}
	for x.peek() != "" {
		w := x.peek()
		unit, _, _ := strings.Cut(w, "/")
		switch {
		case slices.Contains(units, unit), w == "/", slices.Contains([]string{"second", "minute", "hour", "day", "week"}, w):
			x.next()
			continue
		case w == "burst" || w == "used":
			x.next()
			x.next()
			continue
		}
		break
	}
	if over {
		x.untold("more than a " + kind)
		return
	}
	x.limited = true
}

// setStatement reads "add @NAME { KEY [limit ...] }": the set is then what packets make it.
func (x *reader) setStatement() {
	name, _ := x.next()
	inner := x.skipBraces()
	if slices.ContainsFunc(inner, func(t token) bool { return t.is("limit") || t.is("quota") || t.is("count") }) {
		x.untold("a limit of each element of " + name.text)
	}
}

// starters begin a statement or a match behind one that changes a packet.
var starters = []string{
	"accept", "drop", "reject", "continue", "return", "jump", "goto", "queue", "counter", "log", "limit", "quota", "comment", "notrack",
	"masquerade", "redirect", "snat", "dnat", "tproxy", "dup", "fwd", "flow",
}

// change passes over the value of a statement that changes a packet, up to a statement that follows. A match behind it
// cannot be told from the value, and then the rule's match is not known.
func (x *reader) change() {
	depth := 0
	if extra, isRoot := roots[x.peek()]; isRoot { // the value is an expression: "meta mark set ct mark"
		for range extra {
			x.next()
		}
	}
	for first := true; len(x.words) > 0; first = false {
		w := x.peek()
		if depth == 0 && !first && slices.Contains(starters, w) {
			return
		}
		_, isRoot := roots[w]
		if depth == 0 && !first && isRoot {
			x.untold("what follows a change of the packet: " + w)
		}
		t, _ := x.next()
		switch {
		case t.is("{"):
			depth++
		case t.is("}"):
			depth--
		}
	}
}
