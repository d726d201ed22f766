// Package ciscoasa reads configurations of Cisco ASA firewalls, of PIX firewalls before them, and what Firepower Threat
// Defense shows in the same form.
//
// A file is one device: its services, clients, secrets, interfaces, filters and their bindings, with the line that states
// each. Masks are netmasks. An access list may hold IPv4 and IPv6 since 9.0. Filters see real addresses since 8.3. Level
// rules (facts.Levels) decide what no filter does. A chain [interface list, global list] stands for how the ASA asks one
// after the other; see bind. Configurations of contexts that were put into one file keep apart by scope. Memory is the
// file, its statement tree, and the facts; files over tree.MaxSource are cut and noted.
package ciscoasa

import (
	"context"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// formatName is the name of the format.
const formatName = "cisco-asa-config"

// Format reads ASA configurations.
func Format() facts.Format {
	return facts.Format{Name: formatName, Platform: facts.CiscoASA, Detect: Detect, Parse: parse}
}

// parse reads one configuration file and gives one device.
func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	src, _, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	t := tree.New()
	defer t.Free()
	faults := t.Indent(src, tree.Indentation{Comments: "!", Body: certificate})
	if err := ctx.Err(); err != nil {
		return err
	}
	p := newParser(t, piece.File, sink)
	for _, f := range faults {
		p.fault(f)
	}
	if err := p.run(ctx); err != nil {
		return err
	}
	sink.Device(p.d)
	return nil
}

// certificate tells the lines of certificates. The ASA's banners are one statement a line and open nothing.
func certificate(line []byte) tree.Body {
	if field.Has(line, "certificate ") {
		return tree.Body{Kind: tree.Digits}
	}
	return tree.Body{}
}

// fault tells what of the text could not be read as it stands.
func (p *parser) fault(f tree.Fault) {
	kind := facts.NoteLimit
	if f.Kind == tree.TooMany {
		kind = facts.NoteIncomplete
	}
	p.sink.Note(facts.Note{
		Kind: kind, Path: p.f.Path, Span: p.f.Span(p.t.Base+int64(f.Off), 1), Message: f.Kind.String(), Count: f.Count,
	})
}

func newParser(t *tree.Tree, f *evidence.File, sink facts.Sink) *parser {
	p := &parser{
		t: t, f: f, sink: sink, strs: map[string]string{}, reasons: map[int32]string{}, space: newSpace(""),
		d: &facts.Device{
			Path: f.Path, Format: formatName, Platform: facts.CiscoASA, Taken: f.Mod, Has: facts.HasConfig,
		},
	}
	p.spaces = []*space{p.space}
	p.numbers = new([256]uint8)
	for i := range p.numbers {
		p.numbers[i] = uint8(i)
	}
	return p
}

// maxSpaces bounds the contexts of one file: the largest ASA runs 250 (ASA 9.x release notes, supported contexts).
const maxSpaces = 1000

// run reads all statements, space by space.
func (p *parser) run(ctx context.Context) error {
	p.headers()
	p.removed()
	p.reserve()
	count := 0
	for n := p.t.First; n != tree.None; n = p.t.Nodes[n].Next {
		if count++; count%65536 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if p.t.Nodes[n].Flags&(tree.Comment|tree.Raw) != 0 {
			continue
		}
		if name, ok := p.separator(n); ok && len(p.spaces) < maxSpaces {
			p.understood(n)
			p.finishSpace()
			p.space = newSpace(name)
			p.from, p.first, p.firstIface = p.t.Nodes[n].Off, len(p.d.Groups), len(p.d.Interfaces)
			p.spaces = append(p.spaces, p.space)
			continue
		}
		p.statement(n)
	}
	p.finishSpace()
	p.finish()
	return ctx.Err()
}

// reserve makes room for as many groups as there are statements that may make one.
func (p *parser) reserve() {
	n := 0
	for i := p.t.First; i != tree.None; i = p.t.Nodes[i].Next {
		if field.Has(p.t.Text(i), "object") {
			n++
		}
	}
	p.d.Groups = make([]facts.Group, 0, n)
}

// finishSpace states what needed the whole of a space to be known.
func (p *parser) finishSpace() {
	p.mixed()
	p.readEntries()
	p.readNAT()
	p.bind()
	p.bindManaged()
	p.management()
	p.finishSNMP()
	p.portalServices()
	p.finishClients()
	p.finishLogging()
	p.finishZoning()
}

// finish states what needed the whole file.
func (p *parser) finish() {
	p.urls()
	p.privateKeys()
	p.commentSecrets()
	p.sortSecrets()
	p.removals()
	if p.saved && !p.ended {
		p.note(facts.NoteIncomplete, evidence.Span{}, `the configuration begins with ": Saved" and lacks the ": end" that closes it; it may be cut short`,
			"collect it again with the terminal pager off")
	}
	p.d.Lines = p.t.Count()
	p.leftover()
}
