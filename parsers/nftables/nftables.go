// Package nftables reads the rule sets of nftables: what "nft list ruleset" prints and the files that nft -f loads (nft(8)).
//
// A chain becomes a filter by the name "family table/chain". A base chain's end is its policy, accept where it states none
// (nft(8), CHAINS); what leaves another chain without a verdict goes on behind the rule that asked for it. Base chains of one
// hook are bound one after another by priority, each by a binding of its own: a drop in one is final and an accept ends that
// chain alone. Chains of prerouting, postrouting, ingress, egress and of type nat are bound where they may drop. Those of the
// families bridge and arp are stated and decide nothing about routed packets.
//
// A verdict map becomes one rule for each element: its keys exclude each other. A set that packets or timeouts fill, and a set
// without elements (what "nft -t" prints of any), has members that are not known. So has whatever an include adds: each chain
// of a file with one ends in a rule whose verdict is not known. A condition that a packet's header cannot answer (a mark, an
// owner, the route back) makes what its rule decides unknown; a limit on a rule that accepts is taken to be kept.
package nftables

import (
	"bytes"
	"context"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// formatName is the name of the format.
const formatName = "nftables"

// Format reads "nft list ruleset" and files of nft -f.
func Format() facts.Format {
	return facts.Format{Name: formatName, Platform: facts.LinuxNFTables, Detect: detect, Parse: parse}
}

// detect looks for a table of a family that nft knows, with a chain or a set of it.
func detect(_ string, head []byte) facts.Confidence {
	table, object, hook := false, false, false
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = field.Trim(line)
		switch {
		case len(line) == 0:
		case field.Has(line, "#!") && bytes.Contains(line, []byte("/nft")):
			table, hook = true, true
		case line[0] == '#':
		case string(line) == "flush ruleset":
			table = true
		default:
			f := bytes.Fields(line)
			for len(f) > 0 && (string(f[0]) == "add" || string(f[0]) == "create" || string(f[0]) == "nft") {
				f = f[1:]
			}
			table = table || tableHead(f)
			object = object || table && objectHead(f)
			hook = hook || table && bytes.Contains(line, []byte(" hook ")) && bytes.Contains(line, []byte("type "))
		}
		if table && hook {
			return facts.Certain
		}
	}
	switch {
	case table && object:
		return facts.Strong
	case table:
		return facts.Possible
	}
	return facts.No
}

// tableHead reports whether words begin "table FAMILY NAME".
func tableHead(f [][]byte) bool {
	return len(f) >= 3 && string(f[0]) == "table" && families[string(f[1])] != 0
}

// objectHead reports whether words begin a chain, a set or a map in a block, or a rule of a family's table.
func objectHead(f [][]byte) bool {
	if len(f) < 3 {
		return false
	}
	switch string(f[0]) {
	case "chain", "set", "map":
		return string(f[2]) == "{" || families[string(f[1])] != 0
	case "rule":
		return families[string(f[1])] != 0
	}
	return false
}

// states of a line, the worst of its statements counting.
const (
	unmarked = iota
	irrelevant
	understood
	unsupported
	unrecognised
)

type parser struct {
	f      *evidence.File
	sink   facts.Sink
	d      *facts.Device
	lex    lexer
	tables []*table
	defs   map[string][]token
	// expanded is how many words variables have been replaced by.
	expanded int
	opaque   []evidence.Span // includes and commands whose effect on rules is not known
	items    tree.Slab[facts.AddrItem]
	lines    []int  // where each line begins
	marks    []byte // of each line, a state
	at       int    // the line last marked
}

func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	if piece.From > 0 {
		return nil // a configuration is never split
	}
	src, _, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	p := &parser{f: piece.File, sink: sink, defs: map[string][]token{}, d: &facts.Device{
		Path: piece.Path, Format: formatName, Platform: facts.LinuxNFTables, Taken: piece.Mod, Has: facts.HasConfig,
		Aspect: formatName,
	}}
	p.lex.src = string(src)
	p.index()
	if err := p.top(ctx); err != nil {
		return err
	}
	p.state()
	p.account()
	sink.Device(p.d)
	return ctx.Err()
}

// index finds the lines, and notes those that are too long to be read.
func (p *parser) index() {
	for from := 0; from < len(p.lex.src); {
		p.lines = append(p.lines, from)
		n := strings.IndexByte(p.lex.src[from:], '\n')
		if n < 0 {
			n = len(p.lex.src) - from
		}
		if n > tree.MaxLine {
			p.lex.long = append(p.lex.long, [2]int{from, from + n})
			p.sink.Note(facts.Note{Kind: facts.NoteUnread, Path: p.f.Path, Span: p.f.Span(int64(from), 1), Message: "a line is longer than 1 MiB and was not read"})
		}
		from += n + 1
	}
	p.marks = make([]byte, len(p.lines))
}

// span is the part of src[from:to] that lies on its first line.
func (p *parser) span(from, to int) evidence.Span {
	to = min(to, from+tree.MaxLine)
	text := p.lex.src[from:to]
	if n := strings.IndexByte(text, '\n'); n >= 0 {
		text = text[:n]
	}
	return p.f.Span(int64(from), len(strings.TrimRight(text, " \t\r")))
}

// line is the number of the line that holds an offset; offsets mostly grow.
func (p *parser) line(off int) int {
	for p.at > 0 && p.lines[p.at] > off {
		p.at--
	}
	for p.at+1 < len(p.lines) && p.lines[p.at+1] <= off {
		p.at++
	}
	return p.at
}

// mark gives the lines of src[from:to] a state, and says why one is not understood.
func (p *parser) mark(from, to int, state byte, filter, reason string) {
	if to <= from {
		return
	}
	for n := p.line(from); n < len(p.lines) && p.lines[n] < to; n++ {
		p.marks[n] = max(p.marks[n], state)
	}
	if state >= unsupported {
		s := facts.Unsupported
		if state == unrecognised {
			s = facts.Unrecognised
		}
		p.unread(from, to, s, filter, reason)
	}
}

func (p *parser) unread(from, to int, s facts.LineState, filter, reason string) {
	if len(p.d.Unread) < facts.MaxUnread {
		text := p.lex.src[from:min(to, from+tree.MaxLine)]
		p.d.Unread = append(p.d.Unread, facts.Unread{
			State: s, Transfer: transferwords.Find([]byte(text)), Filter: filter, Reason: strings.Clone(reason), Span: p.span(from, to),
		})
	}
}

// blanks are what a line without content is made of.
const blanks = " \t\r\v\f\b\x00"

// account counts the lines.
func (p *parser) account() {
	for n, from := range p.lines {
		to := len(p.lex.src)
		if n+1 < len(p.lines) {
			to = p.lines[n+1] - 1
		}
		text := strings.Trim(strings.TrimSuffix(p.lex.src[from:to], "\n"), blanks)
		long := to-from > tree.MaxLine
		switch {
		case text == "":
		case p.marks[n] == understood && !long:
			p.d.Lines.Understood++
		case p.marks[n] == irrelevant && !long, p.marks[n] == unmarked && text[0] == '#' && !long:
			p.d.Lines.Irrelevant++
		case p.marks[n] == unsupported:
			p.d.Lines.Unsupported++
		default:
			p.d.Lines.Unrecognised++
			if p.marks[n] == unmarked {
				p.unread(from, to, facts.Unrecognised, "", "")
			}
		}
	}
}
