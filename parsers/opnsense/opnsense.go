// Package opnsense reads the config.xml of OPNsense and of pfSense: one file that states everything.
//
// Rules are pf's: of a packet the first quick rule that matches decides, else the last that matches without quick. Said in
// order of evaluation that is: all quick rules, then the others backwards. So what enters an interface asks a chain of
// filters: what port forwards pass by themselves, what the interface refuses (private and bogon networks), the anti-lockout
// rule, the floating rules, those of interface groups, the interface's own, and last the rules without quick; what none
// decides is blocked. What leaves asks the floating rules and passes otherwise ("Rule Processing Order", pfSense
// documentation; "Rules", OPNsense documentation; src/etc/inc/filter.inc and filter.lib.inc of the two projects).
//
// Interfaces are called as rules call them (wan, lan, opt1); the description is the alias, the device and the groups are
// among the lists. Rules see addresses behind port forwards: pf translates first.
//
// A file is a whole configuration when it has system, interfaces and filter and was not cut; only then does a statement that
// is not there mean its default.
package opnsense

import (
	"bytes"
	"context"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	none = wordtree.None
	root = wordtree.Root
)

// OPNsense is the format of OPNsense's config.xml.
func OPNsense() facts.Format { return format("opnsense-config", facts.OPNsense, "<opnsense>") }

// PfSense is the format of pfSense's config.xml.
func PfSense() facts.Format { return format("pfsense-config", facts.PfSense, "<pfsense>") }

func format(name, platform, root string) facts.Format {
	return facts.Format{
		Name: name, Platform: platform,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head, root) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := newParser(piece.File, sink, src, name, platform)
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

// detect looks for the root element, before any other.
func detect(head []byte, root string) facts.Confidence {
	i := bytes.Index(head, []byte(root))
	if i < 0 {
		return facts.No
	}
	for j := 0; j < i; j++ {
		if head[j] == '<' && j+1 < len(head) && head[j+1] != '?' && head[j+1] != '!' {
			return facts.No
		}
	}
	rest := head[i:]
	for _, s := range [...]string{"<system>", "<interfaces>", "<filter>", "<version>", "<theme>", "<hostname>"} {
		if bytes.Contains(rest, []byte(s)) {
			return facts.Certain
		}
	}
	return facts.Likely
}

// A parser reads one configuration.
type parser struct {
	*wordtree.Reader
	root  int32
	pf    bool // pfSense
	whole bool

	system, interfaces, filter, own int32 // own is the section OPNsense, where its newer parts are

	nets    map[string]network // by the name rules call it
	order   []string           // interfaces, in order
	groups  map[string]bool    // interface groups
	aliases map[string]int     // place in D.Groups
	times   map[string]*facts.TimeRange
	rules   []*rule
	passed  []rdr
}

// A network is what is known of an interface's addresses.
type network struct {
	addrs   []netip.Addr
	nets    []netip.Prefix
	unknown string // why not all are known
}

func newParser(f *evidence.File, sink facts.Sink, src []byte, format, platform string) *parser {
	p := &parser{
		Reader: wordtree.New(f, sink, src, format, platform), pf: platform == facts.PfSense,
		nets: map[string]network{}, groups: map[string]bool{}, aliases: map[string]int{}, times: map[string]*facts.TimeRange{},
	}
	p.XML = true
	p.Free = func(w []byte) bool { return isText(w) }
	p.Telltale = p.telltale
	return p
}

func (p *parser) read() {
	p.Report(p.T.XML(p.T.Source, tree.Markup{}))
	name := "opnsense"
	if p.pf {
		name = "pfsense"
	}
	p.root = p.Kid(root, name)
	p.remarks()
	if p.root != none {
		p.system, p.interfaces, p.filter = p.Kid(p.root, "system"), p.Kid(p.root, "interfaces"), p.Kid(p.root, "filter")
		p.own = p.Kid(p.root, "OPNsense")
		p.whole = !p.Cut && p.system != none && p.interfaces != none && p.filter != none
		p.general()
		p.network()
		p.readAliases()
		p.nat()
		p.readRules()
		p.management()
		p.logging()
		p.services()
		p.transfers()
		p.hooks()
		p.accounts()
		p.packages()
		p.defaults()
		p.descriptions(p.root, 0)
		p.LeftOver(irrelevant(), p.root)
	}
	p.Secrets(p.keyword, p.secretOf)
	p.D.Markers = facts.Markers(p.F, p.T.Source, p.T.Base)
	p.Account()
}

// remarks reads the comment that Oxidized appends: "<!-- PFsense 2.7.2-RELEASE -->", "<!-- OPNsense 23.7 -->"
// (lib/oxidized/model/pfsense.rb, opnsense.rb). Neither model masks anything unless it is told to remove secrets.
func (p *parser) remarks() {
	for i := range p.T.Nodes {
		n := &p.T.Nodes[i]
		if n.Flags&tree.Comment == 0 {
			continue
		}
		text := bytes.TrimSpace(bytes.Trim(p.T.Text(int32(i)), "<!->"))
		for _, name := range [...]string{"PFsense ", "pfSense ", "OPNsense "} {
			if v, ok := bytes.CutPrefix(text, []byte(name)); ok && len(v) < 64 {
				p.D.Tool, p.D.Version = facts.Oxidized, facts.Say(p.Intern(v), p.Span(int32(i)))
			}
		}
	}
}

// isOn reports what a statement of a switch says: an element that is there is on, unless it says 0 or no. pfSense says on with
// an empty element, "enabled", "yes" or "on"; OPNsense with 1.
func (p *parser) isOn(n int32, word string) (facts.V[bool], bool) {
	k := p.Kid(n, word)
	if n == none || k == none {
		return facts.V[bool]{}, false
	}
	s, v := p.ValueOf(k)
	switch {
	case v == none:
		// <enable></enable> is pfSense's yes; OPNsense's models write an empty value for no.
		return facts.Say(p.pf || p.Up(n) == p.root || word == "disabled" || word == "not" || word == "any" || word == "enable" || word == "log", p.Span(k)), true
	case s == "0", s == "no", s == "disabled", s == "off":
		return facts.Say(false, p.Span(v)), true
	}
	return facts.Say(true, p.Span(v)), true
}

// on is isOn where only the answer counts.
func (p *parser) on(n int32, word string) bool {
	v, ok := p.isOn(n, word)
	return ok && v.Val
}

// has reports whether a statement is there whose presence says yes, and does not say 0.
func (p *parser) has(n int32, word string) bool {
	k := p.Kid(n, word)
	if n == none || k == none {
		return false
	}
	p.OKAll(k)
	v := p.Value(k)
	return v == none || !p.Is(v, "0")
}

// general reads the names.
func (p *parser) general() {
	p.OK(p.root)
	p.D.Hostname = p.Say(p.system, "hostname")
	if domain := p.String(p.system, "domain"); domain != "" && p.D.Hostname.Known() {
		p.D.Hostname.Val += "." + domain
	}
	if v := p.Say(p.root, "version"); !p.D.Version.Known() {
		p.D.Version = v // the version of the file's layout, where nothing tells the system's
	}
}

// descriptions accounts for text that people wrote beside statements that were read.
func (p *parser) descriptions(n int32, depth int) {
	for c := p.First(n); c != none && depth < 64; c = p.Next(c) {
		if v := p.First(c); isText(p.T.Text(c)) && (v == none || p.First(v) == none) {
			p.T.MarkAll(c, facts.Irrelevant)
			continue
		}
		p.descriptions(c, depth+1)
	}
}

// isText reports whether an element holds what people wrote.
func isText(w []byte) bool {
	switch string(w) {
	case "descr", "description", "detail", "tracker", "created", "updated", "notes", "note":
		return true
	}
	return false
}

// telltale is what may not stand where nothing is read: rules of a filter, and what runs commands.
func (p *parser) telltale(n int32) string {
	switch string(p.T.Text(n)) {
	case "rule":
		if p.Kid(n, "interface") != none && (p.Kid(n, "type") != none || p.Kid(n, "action") != none) {
			return "a rule in a place where none is known"
		}
	case "command", "shellcmd", "earlyshellcmd", "afterfilterchangeshellcmd":
		if p.First(n) != none {
			return "a command in a place where none is known"
		}
	}
	return ""
}
