package panos

import (
	"bytes"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

const none = tree.None

// A parser reads one configuration.
type parser struct {
	t     *tree.Tree
	d     *facts.Device
	f     *evidence.File
	sink  facts.Sink
	shape shape

	cut   bool // part of the configuration is missing
	whole bool // a statement that is not there is at its default
	moved bool // commands move rules

	lay     layout
	box     *box   // being read
	scope   string // of facts that are no vsys's: a template's
	reasons map[int32]string
	words   map[string]string // words of facts, shared among them
	buf     []byte

	ifaces   map[ifaceKey]int // place in d.Interfaces
	profiles map[string]profile
	netflow  map[string][]facts.FlowHost
	syslog   logUse
}

func newParser(f *evidence.File, sink facts.Sink, src []byte, s shape) *parser {
	p := &parser{
		t: &tree.Tree{Nodes: make([]tree.Node, 0, len(src)/24+64)}, f: f, sink: sink, shape: s,
		d:       &facts.Device{Path: f.Path, Has: facts.HasConfig, Taken: f.Mod},
		reasons: map[int32]string{}, words: map[string]string{}, ifaces: map[ifaceKey]int{},
		netflow: map[string][]facts.FlowHost{},
	}
	p.t.Source = src
	return p
}

// read fills the device.
func (p *parser) read() {
	var faults []tree.Fault
	switch p.shape {
	case setShape:
		_, faults = p.t.Sets(p.t.Source, tree.Syntax{Single: true, Runs: true, Aside: aside})
	case braceShape:
		faults = p.t.Braces(p.t.Source, tree.Syntax{Single: true, Aside: aside})
	case xmlShape:
		faults = p.t.XML(p.t.Source, tree.Markup{Entry: "entry", Name: "name", Member: "member", Merge: true, Aside: aside})
	}
	p.report(faults)
	p.remarks()
	p.loose()
	p.layout()
	p.whole = !p.cut && len(p.lay.box.system) > 0 && (len(p.lay.box.network) > 0 || p.lay.panorama)
	p.objects()
	for _, b := range p.lay.boxes {
		p.box, p.scope = b, b.scope
		p.mgtConfig()
		p.network()
		p.deviceconfig()
		p.sharedStatements()
		p.vsysStatements()
	}
	p.box, p.scope = p.lay.box, ""
	p.groupStatements()
	p.policies()
	p.logs()
	p.defaults()
	p.leftOver()
	p.secrets()
	p.d.Markers = facts.Markers(p.f, p.t.Source, p.t.Base)
	p.account()
}

// aside tells lines that are no configuration: prompts, with the command typed, and what the terminal says.
func aside(line []byte) bool {
	switch {
	case len(line) == 0:
		return true
	case line[0] == '!': // what backup tools put before the configuration
		return true
	case line[0] == '[':
		return bytes.HasPrefix(line, []byte("[edit"))
	case bytes.HasPrefix(line, []byte("show ")) && line[len(line)-1] != '{', bytes.HasPrefix(line, []byte("set cli ")):
		return true
	case bytes.HasPrefix(line, []byte("Entering configuration mode")), bytes.HasPrefix(line, []byte("Exiting configuration mode")):
		return true
	}
	user, rest, ok := bytes.Cut(line, []byte("@")) // admin@fw(active)> show, admin@fw# show
	if !ok || len(user) == 0 || bytes.ContainsAny(user, " \t{;<") {
		return false
	}
	host, _, _ := bytes.Cut(rest, []byte(" "))
	return bytes.IndexByte(host, '>') > 0 || bytes.HasSuffix(host, []byte("#"))
}

// report turns what the reader stumbled over into notes.
func (p *parser) report(faults []tree.Fault) {
	for _, k := range faults {
		if k.Kind == tree.NoTarget { // deleting what is not there changes nothing
			continue
		}
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

// remarks reads what backup tools put before a configuration: RANCID its mark, Oxidized what "show system info" prints
// (lib/oxidized/model/panos.rb). Neither takes anything away from the configuration.
func (p *parser) remarks() {
	const most = 400 // such lines come first
	for i := range p.t.Nodes[:min(len(p.t.Nodes), most)] {
		n := &p.t.Nodes[i]
		if n.Flags&tree.Comment == 0 {
			continue
		}
		k := int32(i)
		text := bytes.TrimLeft(p.t.Text(k), "!# ")
		if bytes.HasPrefix(text, []byte("RANCID-CONTENT-TYPE:")) {
			p.d.Tool = facts.RANCID
			continue
		}
		name, value, ok := bytes.Cut(text, []byte(": "))
		if value = bytes.TrimSpace(value); !ok || len(value) == 0 || len(value) > 64 {
			continue
		}
		switch string(name) {
		case "sw-version":
			p.d.Version = facts.Say(p.intern(value), p.span(k))
		case "model":
			p.d.Model = facts.Say(p.intern(value), p.span(k))
		case "hostname":
			p.d.Hostname = facts.Say(p.intern(value), p.span(k))
		default:
			continue
		}
		if p.d.Tool == facts.NoTool && p.t.Text(k)[0] == '!' {
			p.d.Tool = facts.Oxidized
		}
	}
}

// loose looks at the lines that are no statement: commands that move rules change what the set commands mean.
func (p *parser) loose() {
	if p.shape != setShape {
		return
	}
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Parent != none || n.Flags&(tree.Comment|tree.Implied) != 0 || n.First != none {
			continue
		}
		switch verb, rest := word(p.t.Text(int32(i))); string(verb) {
		case "move":
			if bytes.Contains(rest, []byte("rules")) {
				p.moved = true
				p.unsupported(int32(i), "a command that moves rules")
			}
		case "rename", "copy":
			if len(rest) > 0 {
				p.unsupported(int32(i), "a command that renames or copies statements")
			}
		case "configure", "commit", "exit", "quit":
			p.t.Mark(int32(i), facts.Irrelevant)
		}
	}
}

// kid is n's child of that word; none when there is none, or n is none.
func (p *parser) kid(n int32, word string) int32 {
	if n == none {
		return none
	}
	return p.t.Child(n, word)
}

// under follows words down from n.
func (p *parser) under(n int32, words ...string) int32 {
	for _, w := range words {
		n = p.kid(n, w)
	}
	return n
}

// first is n's first child; none when n is none.
func (p *parser) first(n int32) int32 {
	if n == none {
		return none
	}
	return p.t.Nodes[n].First
}

func (p *parser) next(n int32) int32 { return p.t.Nodes[n].Next }

// value is the child that counts where a statement has one value: the last that was set.
func (p *parser) value(n int32) int32 {
	if n == none {
		return none
	}
	return p.t.Nodes[n].Last
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

// bytes is n's word as it stands in the file, but for the references of XML.
func (p *parser) bytes(n int32) []byte {
	if p.shape == xmlShape {
		return tree.Unescape(p.t.Text(n))
	}
	return p.t.Text(n)
}

// text is n's word as a string of its own.
func (p *parser) text(n int32) string { return p.intern(p.bytes(n)) }

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
// was read is left as it is. What bears on transfers in an irrelevant statement is told all the same.
func (p *parser) other(section string, n int32) {
	if p.t.Nodes[n].State != facts.Unrecognised {
		return
	}
	word := p.t.Text(n)
	if len(word) >= 64 {
		return
	}
	p.buf = append(p.buf[:0], section...)
	p.buf = append(p.buf, ' ')
	p.buf = append(p.buf, word...)
	if reasonOf(p.buf) == "" {
		return
	}
	p.irrelevant(n, section)
}

// irrelevant accounts for n, a statement of a section, and everything below it as that.
func (p *parser) irrelevant(n int32, section string) {
	p.surface(n, section+" "+p.text(n))
	p.t.MarkAll(n, facts.Irrelevant)
}

// othersOf accounts for what is below n by the table, where n itself is understood.
func (p *parser) othersOf(section string, n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		p.other(section, c)
	}
}

// prefix reads an address with or without a length, or with a netmask; host is what it says before its network is taken.
func prefix(b []byte) (pfx netip.Prefix, host netip.Addr, ok bool) {
	if len(b) > 64 {
		return netip.Prefix{}, netip.Addr{}, false
	}
	i := bytes.IndexByte(b, '/')
	if i < 0 {
		a, ok := field.Addr(b)
		if !ok {
			return netip.Prefix{}, netip.Addr{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), a, true
	}
	a, ok := field.Addr(b[:i])
	if !ok {
		return netip.Prefix{}, netip.Addr{}, false
	}
	n, num := small(b[i+1:])
	if !num {
		if mask, is := field.Addr(b[i+1:]); is && mask.Is4() && a.Is4() {
			n, num = maskBits(mask)
		}
	}
	if !num || n > a.BitLen() {
		return netip.Prefix{}, netip.Addr{}, false
	}
	return netip.PrefixFrom(a, n).Masked(), a, true
}

// maskBits is the length of a netmask without holes.
func maskBits(mask netip.Addr) (int, bool) {
	m := mask.As4()
	v := uint32(m[0])<<24 | uint32(m[1])<<16 | uint32(m[2])<<8 | uint32(m[3])
	n := 0
	for ; v&(1<<31) != 0; v <<= 1 {
		n++
	}
	return n, v == 0
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

func port(s string) uint16 {
	n, ok := small([]byte(s))
	if !ok || n > 65535 {
		return 0
	}
	return uint16(n)
}
