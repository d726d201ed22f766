// Package vyos reads the configurations of VyOS and of EdgeOS, which has the same ancestor: in braces (config.boot, show
// configuration) and as set commands (show configuration commands). Both become one tree of words.
//
// Rule sets are named. Up to VyOS 1.3 and on EdgeOS an interface asks them: in and out about what passes through, local about
// what is for the device. From VyOS 1.4 the base chains forward, input, output and prerouting have rules of their own, which
// jump to named ones. A zone asks one for each zone that packets come from. What no rule set is asked about passes ("Firewall",
// VyOS documentation). What a rule set returns passes as well: the hooks accept behind it.
//
// A file is a whole configuration when it has system and interfaces and was not cut; only then does a statement that is not
// there mean its default.
package vyos

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

// Brace is the format of configurations in braces.
func Brace() facts.Format { return format("vyos-config", false, detectBrace) }

// Set is the format of configurations as set commands.
func Set() facts.Format { return format("vyos-set", true, detectSet) }

func format(name string, set bool, detect func([]byte) facts.Confidence) facts.Format {
	return facts.Format{
		Name: name, Platform: facts.VyOS,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := &parser{Reader: wordtree.New(piece.File, sink, src, name, facts.VyOS), set: set, groups: map[string]string{}, zones: map[string]string{}, leaves: map[string]bool{}}
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

// A parser reads one configuration.
type parser struct {
	*wordtree.Reader
	set   bool
	whole bool

	system, service, ifaces, firewall int32

	groups map[string]string // kind and name of a group to the name of its fact
	zones  map[string]string // interface to device zone
	lists  map[string][]string
	states bool            // there is a global state policy
	leaves map[string]bool // rule sets that leave packets undecided, by family and name
}

func (p *parser) read() {
	syntax := tree.Syntax{Lines: true, Single: true, Aside: aside}
	var faults []tree.Fault
	if p.set {
		_, faults = p.T.Sets(p.T.Source, syntax)
	} else {
		faults = p.T.Braces(p.T.Source, syntax)
	}
	p.Report(faults)
	p.Free = func(w []byte) bool {
		switch string(w) {
		case "description", "pre-login", "post-login", "contact", "location":
			return true
		}
		return false
	}
	p.Telltale = func(n int32) string {
		switch string(p.T.Text(n)) {
		case "firewall":
			return "a filter applied in a place where none is known"
		case "script", "executable":
			return "a script in a place where none is known"
		}
		return ""
	}
	p.system, p.service, p.ifaces, p.firewall = p.Kid(root, "system"), p.Kid(root, "service"), p.Kid(root, "interfaces"), p.Kid(root, "firewall")
	p.whole = !p.Cut && p.system != none && p.ifaces != none
	p.remarks()
	p.general()
	p.objects()
	p.zoneNames()
	p.ruleSets()
	p.interfaces()
	p.zonePolicy()
	p.nat()
	p.routes()
	p.services()
	p.transfers()
	p.hooks()
	p.logging()
	p.defaults()
	p.descriptions(p.First(root), 0)
	p.LeftOver(irrelevant(), root)
	p.Secrets(p.keyword, p.userOf)
	p.D.Markers = facts.Markers(p.F, p.T.Source, p.T.Base)
	p.Account()
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

// aside tells lines that are no configuration: prompts, the version comment of VyOS 1.4.
func aside(line []byte) bool {
	if len(line) == 0 || bytes.HasPrefix(line, []byte("//")) {
		return true
	}
	user, rest, ok := bytes.Cut(line, []byte("@")) // vyos@vyos:~$ show configuration, vyos@vyos#
	if !ok || len(user) == 0 || bytes.ContainsAny(user, " \t{'") {
		return bytes.HasPrefix(line, []byte("[edit"))
	}
	host, _, _ := bytes.Cut(rest, []byte(" "))
	return bytes.HasSuffix(host, []byte("$")) || bytes.HasSuffix(host, []byte("#"))
}

// remarks reads comments: the version that wrote the configuration ("Release version: 1.3.2"), and what Oxidized puts before
// it (lib/oxidized/model/vyos.rb: the lines of show version as comments).
func (p *parser) remarks() {
	for i := range p.T.Nodes {
		n := &p.T.Nodes[i]
		if n.Flags&tree.Comment == 0 {
			continue
		}
		k := int32(i)
		text := bytes.TrimLeft(p.T.Text(k), "/*# ")
		name, value, ok := bytes.Cut(text, []byte(":"))
		value = bytes.TrimSpace(bytes.TrimRight(value, "*/ "))
		if !ok || len(value) == 0 || len(value) > 64 {
			continue
		}
		switch string(bytes.TrimSpace(name)) {
		case "Release version":
			p.D.Version = facts.Say(p.Intern(value), p.Span(k))
		case "Version":
			p.D.Tool = facts.Oxidized
			p.D.Version = facts.Say(p.Intern(value), p.Span(k))
		case "Hardware model", "HW model":
			p.D.Model = facts.Say(p.Intern(value), p.Span(k))
		}
	}
}

func (p *parser) general() {
	p.OK(p.system)
	p.OK(p.service)
	p.OK(p.ifaces)
	p.D.Hostname = p.Say(p.system, "host-name")
	if domain := p.String(p.system, "domain-name"); domain != "" && p.D.Hostname.Known() {
		p.D.Hostname.Val += "." + domain
	}
}

// off reports whether a statement is switched off.
func (p *parser) off(n int32) bool {
	k := p.Kid(n, "disable")
	p.OKAll(k)
	return n != none && k != none
}

// enabled is whether a statement counts, as a fact.
func (p *parser) enabled(n int32) facts.V[bool] { return facts.Say(!p.off(n), p.Span(n)) }
