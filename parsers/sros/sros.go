// Package sros reads Nokia SR OS configurations in three shapes: the braces of the model-driven command line (MD-CLI, admin show
// configuration), the same as one line a statement ("/configure system name x", info flat), and the classic command line, nested
// by indentation and closed by exit (admin display-config). All become one tree of words; the two command lines name some things
// differently, and both names are read.
//
// A filter's entries are asked by number and drop what none decides; an entry without an action is not in force ("Filter Policies",
// Router Configuration Guide). What comes to the CPM asks the CPM filter and the management access filter, which accept unless
// told otherwise. Filters are called by their name, classic ones by their number.
//
// A file is a whole configuration when it has system with a name and router or service, and was not cut; only then does a
// statement that is not there mean its default. Defaults are those of the YANG models (nokia-conf-system-security.yang: ftp-server,
// telnet-server false; the SSH server is on). The BOF is another file; where its statements stand in the same, they are read.
package sros

import (
	"bytes"
	"context"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	none = wordtree.None
	root = wordtree.Root
)

// A shape is how a configuration is written.
type shape uint8

const (
	braces shape = iota
	flat
	classic
)

// Brace is the format of MD-CLI in braces.
func Brace() facts.Format { return format("sros-config", braces, detectBrace) }

// Flat is the format of MD-CLI, a statement a line.
func Flat() facts.Format { return format("sros-flat", flat, detectFlat) }

// Classic is the format of the classic command line.
func Classic() facts.Format { return format("sros-classic", classic, detectClassic) }

func format(name string, s shape, detect func([]byte) facts.Confidence) facts.Format {
	return facts.Format{
		Name: name, Platform: facts.NokiaSROS,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := &parser{Reader: wordtree.New(piece.File, sink, src, name, facts.NokiaSROS), shape: s, names: map[string]string{}}
			p.Cut = more
			p.read()
			if err := ctx.Err(); err != nil {
				return err
			}
			sink.Device(p.D)
			return nil
		},
	}
}

// banner reports whether the text has the head that SR OS prints: "# TiMOS-B-26.3.R1 both/x86_64 Nokia 7750 SR-1 Copyright ...".
func banner(head []byte) bool { return bytes.Contains(head, []byte("# TiMOS-")) }

func detectBrace(head []byte) facts.Confidence {
	i := bytes.Index(head, []byte("configure {"))
	if i < 0 || i > 0 && head[i-1] != '\n' {
		return facts.No
	}
	rest := head[i:]
	semicolons, lines, owned := bytes.Count(rest, []byte(";\n")), bytes.Count(rest, []byte("\n")), 0
	for _, w := range [...]string{"\n    card ", "\n    router \"", "\n    service {", "\n    system {", "\n    port ", "\n    log {", "\n    filter {", "admin-state ", "\n    sfm "} {
		if bytes.Contains(rest, []byte(w)) {
			owned++
		}
	}
	switch {
	case semicolons > lines/20:
		return facts.No
	case banner(head):
		return facts.Certain
	case owned >= 2:
		return facts.Certain - 5
	case owned == 1:
		return facts.Likely
	}
	return facts.Possible
}

func detectFlat(head []byte) facts.Confidence {
	n := bytes.Count(head, []byte("\n/configure "))
	if bytes.HasPrefix(head, []byte("/configure ")) {
		n++
	}
	switch {
	case n > 0 && banner(head):
		return facts.Certain
	case n >= 3:
		return facts.Strong
	case n > 0:
		return facts.Likely
	}
	return facts.No
}

func detectClassic(head []byte) facts.Confidence {
	conf := bytes.HasPrefix(head, []byte("configure\n")) || bytes.Contains(head, []byte("\nconfigure\n")) || bytes.Contains(head, []byte("\nconfigure\r\n"))
	if !conf {
		return facts.No
	}
	marks := 0
	for _, w := range [...]string{"\necho \"", "exit all", "\n    system\n", "\n    exit\n", "no shutdown", "\n#-----------"} {
		if bytes.Contains(head, []byte(w)) {
			marks++
		}
	}
	switch {
	case banner(head):
		return facts.Certain
	case marks >= 4:
		return facts.Certain - 5
	case marks >= 3:
		return facts.Strong
	case marks == 2:
		return facts.Likely
	}
	return facts.No
}

// A parser reads one configuration.
type parser struct {
	*wordtree.Reader
	shape shape
	whole bool

	conf, system, security int32
	names                  map[string]string // number or name of a filter and its kind to the fact's name
}

func (p *parser) read() {
	var faults []tree.Fault
	switch p.shape {
	case braces, flat: // files hold both: lines that begin at the root among blocks
		src := p.T.Source
		faults = p.T.Braces(unrooted(src), tree.Syntax{Lines: true, Aside: aside})
		p.T.Source = src
	case classic:
		faults = p.T.Nested(p.T.Source, tree.Syntax{Last: []string{"create"}, Aside: aside})
	}
	p.Report(faults)
	p.Free = func(w []byte) bool {
		switch string(w) {
		case "description", "location", "contact", "message", "text", "long-description":
			return true
		}
		return false
	}
	p.Telltale = func(n int32) string {
		switch string(p.T.Text(n)) {
		case "filter":
			if p.Kid(n, "ip") != none || p.Kid(n, "ipv6") != none {
				return "a filter applied in a place where none is known"
			}
		}
		return ""
	}
	p.conf = root
	if k := p.Kid(root, "configure"); k != none {
		p.OK(k)
		p.conf = k
	}
	p.system = p.Kid(p.conf, "system")
	p.security = p.Kid(p.system, "security")
	p.whole = !p.Cut && p.Kid(p.system, "name") != none && (p.Kid(p.conf, "router") != none || p.Kid(p.conf, "service") != none)
	p.remarks()
	p.general()
	p.filters()
	p.interfaces()
	p.planes()
	p.services()
	p.accounts()
	p.snmp()
	p.logging()
	p.hooks()
	p.urls()
	if p.whole {
		p.Absent("no server of", facts.TFTP, facts.SMB) // nokia-conf-system-security.yang: ftp-server is the only one
	}
	p.descriptions(p.First(root), 0)
	p.LeftOver(irrelevant(), p.conf)
	p.LeftOver(outside(), root)
	p.Secrets(p.keyword, p.userOf)
	p.stored()
	p.D.Markers = facts.Markers(p.F, p.T.Source, p.T.Base)
	p.Account()
}

// unrooted is src with a blank for the slash of lines that begin with "/configure" or "/bof". Positions stay.
func unrooted(src []byte) []byte {
	out := src
	for at := 0; at < len(src); {
		for at < len(src) && src[at] <= ' ' {
			at++
		}
		if rest := src[at:]; bytes.HasPrefix(rest, []byte("/configure ")) || bytes.HasPrefix(rest, []byte("/bof ")) {
			if &out[0] == &src[0] {
				out = bytes.Clone(src)
			}
			out[at] = ' '
		}
		i := bytes.IndexByte(src[min(at, len(src)):], '\n')
		if i < 0 {
			break
		}
		at += i + 1
	}
	return out
}

// aside tells lines that are no configuration: what separates sections, what is printed around them, prompts.
func aside(line []byte) bool {
	for _, w := range [...]string{"echo ", "---", "===", "*A:", "A:", "[", "Generated ", "All rights ", "Built on ", "TiMOS-"} {
		if bytes.HasPrefix(line, []byte(w)) {
			return true
		}
	}
	return len(line) == 0
}

// remarks reads the head: version and model. Oxidized's model puts no mark of its own into it (lib/oxidized/model/sros.rb).
func (p *parser) remarks() {
	for i := range p.T.Nodes[:min(len(p.T.Nodes), 400)] {
		if p.T.Nodes[i].Flags&tree.Comment == 0 {
			continue
		}
		text := bytes.TrimLeft(p.T.Text(int32(i)), "# ")
		version, rest, ok := bytes.Cut(text, []byte(" "))
		if !ok || !bytes.HasPrefix(version, []byte("TiMOS-")) || p.D.Version.Known() {
			continue
		}
		p.D.Version = facts.Say(p.Intern(version), p.Span(int32(i)))
		if _, model, ok := bytes.Cut(rest, []byte("Nokia ")); ok {
			model, _, _ = bytes.Cut(model, []byte(" Copyright"))
			p.D.Model = facts.Say(p.Intern(model), p.Span(int32(i)))
		}
	}
}

func (p *parser) general() {
	p.OK(p.system)
	p.OK(p.security)
	if v := p.Value(p.Kid(p.system, "name")); v != none {
		p.OK(v)
		p.D.Hostname = facts.Say(p.Text(v), p.Span(v))
	}
}

// descriptions accounts for what people wrote.
func (p *parser) descriptions(first int32, depth int) {
	for c := first; c != none && depth < 64; c = p.Next(c) {
		if p.Is(c, "description") {
			p.T.MarkAll(c, facts.Irrelevant)
			continue
		}
		p.descriptions(p.First(c), depth+1)
	}
}

// inline are words of the classic command line that stand with their value in a block's header: what is in the block lies below.
func inline(w []byte) bool {
	switch string(w) {
	case "customer", "name", "vpn", "owner", "b-vpls", "m-vpls", "i-vpls", "evpn", "tunnel", "level", "version", "interval", "type", "scope":
		return true
	}
	return false
}

// in is n's child of that word, where it may lie behind words of the header.
func (p *parser) in(n int32, word string) int32 { return p.within(n, word, 0) }

func (p *parser) within(n int32, word string, depth int) int32 {
	if k := p.Kid(n, word); k != none || depth > 6 {
		return k
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		if !inline(p.T.Text(c)) {
			continue
		}
		for v := p.First(c); v != none; v = p.Next(v) {
			if k := p.within(v, word, depth+1); k != none {
				p.OK(v)
				return k
			}
		}
	}
	return none
}

// path follows words down, each of which may lie behind words of a header.
func (p *parser) path(n int32, words ...string) int32 {
	for _, w := range words {
		n = p.in(n, w)
	}
	return n
}

// each calls f with every child of n's statement of that word.
func (p *parser) each(n int32, word string, f func(c int32)) {
	k := p.in(n, word)
	p.OK(k)
	p.Each(k, "", f)
}

// leaf is the value of a statement behind words of a header.
func (p *parser) leaf(n int32, word string) (string, int32) { return p.ValueOf(p.in(n, word)) }

// first is the word behind a statement's: its value where more follows.
func (p *parser) first(n int32, word string) (string, int32) {
	v := p.First(p.in(n, word))
	if v == none {
		return "", none
	}
	return p.Text(v), v
}

// on is a switch: "X true", "X false", "X", and classic "no X".
func (p *parser) on(n int32, word string) (facts.V[bool], bool) {
	if k := p.Kid(p.Kid(n, "no"), word); k != none {
		p.OKAll(k)
		return facts.Say(false, p.Span(k)), true
	}
	k := p.Kid(n, word)
	if k == none {
		return facts.V[bool]{}, false
	}
	p.OKAll(k)
	v := p.Value(k)
	return facts.Say(v == none || !p.Is(v, "false"), p.Span(k)), true
}

// shut is the administrative state of what n states: "admin-state enable", "shutdown", "no shutdown".
func (p *parser) shut(n int32) (facts.V[bool], bool) {
	if s, v := p.leaf(n, "admin-state"); v != none {
		return facts.Say(s == "disable", p.Span(v)), true
	}
	if k := p.Kid(p.in(n, "no"), "shutdown"); k != none {
		p.OKAll(k)
		return facts.Say(false, p.Span(k)), true
	}
	if k := p.in(n, "shutdown"); k != none {
		p.OKAll(k)
		return facts.Say(true, p.Span(k)), true
	}
	return facts.V[bool]{}, false
}
