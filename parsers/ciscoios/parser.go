package ciscoios

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// A parser turns the statements of one file into a device.
type parser struct {
	t    *tree.Tree
	f    *evidence.File
	sink facts.Sink
	d    *facts.Device

	w, buf  []tree.Word // words of the statement being read, without a leading "no"
	negated bool        // the statement began with "no"

	strs    map[string]string
	reasons map[int32]string // why a statement is unsupported

	// What the text around the configuration says.
	hostname, version bool // a statement stated it
	ended             bool // "end" was met
	partial           bool // the device was asked for a part of it, or of it only a part is here
	cut               bool // text was lost
	tool              mark
	secretsRemoved    mark // Oxidized's remove_secret left a trace
	prompt            facts.V[string]
	covered           uint32 // end of the last secret of the line that is looked through

	filters      [2]map[string]int // by name: index in Device.Filters of IPv4 and IPv6 lists
	last         lastFilter
	building     []building // beside Device.Filters
	timed        []timedRule
	times        map[string]*facts.TimeRange
	inFilter     map[int32]string  // lines of lists that were not understood
	removedLists map[string]string // lists whose content a backup tool took away, and why they are unknown
	groups       map[string]int    // object group: index in Device.Groups

	dropping map[string]bool // policy maps that drop a class
	qosUses  []qosUse
	zones    zoneState
	services serviceState
	clients  clientState
	hooks    hookState
	access   accessState
	urls     []uint32 // where transfer URLs begin
	snmp     snmpState
	log      logState
	nat      natState

	items  tree.Slab[facts.AddrItem]
	ranges tree.Slab[facts.PortRange]
	icmps  tree.Slab[facts.ICMPType]
	svcs   tree.Slab[facts.ServiceItem]
	texts  tree.Slab[string]
	binds  tree.Slab[facts.Binding]
	// numbers[n] is n: one-protocol lists are cut out of it. It is apart, so that facts do not keep the parser.
	numbers *[256]uint8
}

// A mark is where something was met; zero when it was not.
type mark struct{ evidence.Span }

// proto is the list of protocol n alone.
func (p *parser) proto(n uint8) []uint8 { return p.numbers[n : int(n)+1 : int(n)+1] }

// read splits statement n into words. The device gives quotes no meaning outside the commands of applets.
func (p *parser) read(n int32) {
	p.buf = p.t.Fields(p.buf, n)
	p.w = p.buf
	p.negated = len(p.w) > 1 && p.t.Is(p.w[0], "no")
	if p.negated {
		p.w = p.w[1:]
	}
}

// word is word i of the statement; nil beyond its end.
func (p *parser) word(i int) []byte {
	if i < 0 || i >= len(p.w) {
		return nil
	}
	return p.t.At(p.w[i])
}

func (p *parser) is(i int, s string) bool { return string(p.word(i)) == s }

// has is the place of the first word s from word i on; -1 when there is none.
func (p *parser) has(i int, s string) int {
	for ; i < len(p.w); i++ {
		if p.t.Is(p.w[i], s) {
			return i
		}
	}
	return -1
}

// rest is the statement from word i to its end, as it is written.
func (p *parser) rest(n int32, i int) []byte {
	if i < 0 || i >= len(p.w) {
		return nil
	}
	node := &p.t.Nodes[n]
	return p.t.Source[p.w[i].Off : node.Off+node.Len]
}

// str is b as a string; equal ones share their bytes.
func (p *parser) str(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	if s, ok := p.strs[string(b)]; ok {
		return s
	}
	s := string(b)
	if len(s) <= 64 {
		p.strs[s] = s
	}
	return s
}

// span is where statement n is.
func (p *parser) span(n int32) evidence.Span {
	node := &p.t.Nodes[n]
	return p.f.Span(p.t.Base+int64(node.Off), int(node.Len))
}

// at is where word w is.
func (p *parser) at(w tree.Word) evidence.Span { return p.f.Span(p.t.Base+int64(w.Off), int(w.Len)) }

// ok accounts for a statement that was understood.
func (p *parser) ok(n int32) { p.t.Mark(n, facts.Understood) }

// unsupported accounts for a statement that bears on transfers and has no place in the model.
func (p *parser) unsupported(n int32, why string) {
	p.t.Mark(n, facts.Unsupported)
	p.reasons[n] = why
}

// children calls f for each statement directly below n, its words read.
func (p *parser) children(n int32, f func(c int32)) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].Flags&tree.Raw != 0 {
			continue
		}
		p.read(c)
		f(c)
	}
}

// note tells something about the evidence.
func (p *parser) note(kind facts.NoteKind, span evidence.Span, message, hint string) {
	p.sink.Note(facts.Note{Kind: kind, Path: p.f.Path, Span: span, Message: message, Hint: hint})
}

// whole reports whether the file is a whole configuration, so that a statement that is not there is at its default: it
// has a host name or version, ends as the device ends it, and nothing says that part of it is missing.
func (p *parser) whole() bool {
	return p.ended && !p.partial && !p.cut && (p.hostname || p.version)
}

// number reads a decimal number that is all of b.
func number(b []byte) (int, bool) {
	n, ok := field.Uint(b)
	return int(min(n, 1<<31)), ok && n <= 1<<31
}

// unquote is b without double quotes around it.
func unquote(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' && b[len(b)-1] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}

// maskedText reports whether w is what a tool or an operator put in the place of a value.
func maskedText(w []byte) bool {
	switch {
	case len(w) == 0:
		return false
	case w[0] == '<':
		return bytes.HasPrefix(w, []byte("<removed")) || bytes.HasPrefix(w, []byte("<secret")) ||
			bytes.HasPrefix(w, []byte("<configuration")) || bytes.HasPrefix(w, []byte("<hidden")) || bytes.HasPrefix(w, []byte("<REMOVED"))
	}
	return len(w) >= 3 && len(bytes.Trim(w, "*")) == 0
}
