// Package ciscoios reads configurations of Cisco IOS and IOS-XE: routers, Catalyst switches, wireless controllers.
//
// A file is one device: what it serves, which transfers it makes by itself, its secrets, interfaces, filters, zones and
// logging, with the line that states each. Masks of access lists are wildcards, those of addresses and object groups are
// netmasks. A filter that is empty or not there permits everything; a line of a filter that was not understood is a rule
// of unknown action, never left out. What backup tools delete or mask is told: see facts.Removal and facts.Masked.
//
// Every line is accounted for: understood, irrelevant by an entry of a table here with its reason, unsupported, or
// unrecognised. A statement that names a transfer protocol is irrelevant only by the table of look-alikes. Memory is the
// file, its statement tree and the facts; files over tree.MaxSource are cut and noted.
package ciscoios

import (
	"context"
	"fmt"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// formatName is the name of the format.
const formatName = "cisco-ios-config"

// Format reads IOS and IOS-XE configurations.
func Format() facts.Format {
	return facts.Format{Name: formatName, Platform: facts.CiscoIOS, Detect: Detect, Parse: parse}
}

// parse reads one configuration file and gives one device.
func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	if piece.From > 0 {
		return nil // a configuration is never split
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	t := tree.New()
	defer t.Free()
	faults := t.Indent(src, tree.Indentation{Comments: "!", Body: tree.CiscoText})
	p := newParser(t, piece.File, sink)
	p.cut = more
	p.faults(faults)
	if err := p.run(ctx); err != nil {
		return err
	}
	sink.Device(p.d)
	return nil
}

func newParser(t *tree.Tree, f *evidence.File, sink facts.Sink) *parser {
	p := &parser{
		t: t, f: f, sink: sink, strs: map[string]string{}, reasons: map[int32]string{},
		filters: [2]map[string]int{{}, {}}, times: map[string]*facts.TimeRange{}, groups: map[string]int{},
		d: &facts.Device{
			Path: f.Path, Format: formatName, Platform: facts.CiscoIOS, Taken: f.Mod, Has: facts.HasConfig,
		},
	}
	p.numbers = new([256]uint8)
	for i := range p.numbers {
		p.numbers[i] = uint8(i)
	}
	return p
}

// faults tells what the reader of the text could not take as written.
func (p *parser) faults(list []tree.Fault) {
	for _, f := range list {
		if f.Kind.Lost() && (f.Kind != tree.TooLong || p.cutStatement()) {
			p.cut = true
		}
		p.sink.Note(facts.Note{
			Kind: facts.NoteUnread, Path: p.f.Path, Count: f.Count, Span: p.f.Span(p.t.Base+int64(f.Off), 1),
			Message: fmt.Sprintf("the configuration is not as it should be: %s", f.Kind),
		})
	}
}

// cutStatement reports whether a line that was too long was a statement: of a comment nothing is lost.
func (p *parser) cutStatement() bool {
	return slices.ContainsFunc(p.t.Nodes, func(n tree.Node) bool { return n.Flags&tree.Cut != 0 && n.Flags&tree.Comment == 0 })
}

// run reads all statements.
func (p *parser) run(ctx context.Context) error {
	p.wrapper()
	p.makeRoom()
	count := 0
	for n := p.t.First; n != tree.None; n = p.t.Nodes[n].Next {
		if count++; count%65536 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		p.statement(n)
	}
	p.finish()
	return ctx.Err()
}

// makeRoom makes room for the interfaces and groups there may be.
func (p *parser) makeRoom() {
	interfaces, groups, routes := 0, 0, 0
	for n := p.t.First; n != tree.None; n = p.t.Nodes[n].Next {
		switch text := p.t.Text(n); text[0] {
		case 'i':
			if field.Has(text, "interface ") {
				interfaces++
			} else if field.Has(text, "ip route ") {
				routes++
			}
		case 'o':
			if field.Has(text, "object-group ") {
				groups++
			}
		}
	}
	p.d.Interfaces = make([]facts.Interface, 0, interfaces)
	p.d.Groups = make([]facts.Group, 0, groups)
	p.d.Routes = make([]facts.Route, 0, routes)
}

// finish states what needed the whole file.
func (p *parser) finish() {
	p.finishFilters()
	p.finishZones()
	p.finishQoS()
	p.finishClients()
	p.finishServices()
	p.finishSNMP()
	p.finishLogging()
	p.finishNAT()
	p.identify()
	if p.version && !p.ended && !p.partial {
		p.note(facts.NoteIncomplete, evidence.Span{}, `the configuration has a version and lacks the "end" that closes it; it may be cut short`,
			"collect it again with the terminal pager off")
	}
	p.allSecrets()
	p.otherURLs()
	p.d.Markers = facts.Markers(p.f, p.t.Source, p.t.Base)
	p.removals()
	p.account()
}
