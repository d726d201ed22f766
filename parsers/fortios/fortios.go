// Package fortios reads configurations of Fortinet FortiOS as "show", "show full-configuration" and backups print them.
//
// A firewall decides by one list of policies between interfaces and zones: the filter "policy" of each VDOM, whose rules name
// their ways in and out, with the implicit deny at its end (FortiOS Administration Guide, Firewall policy). Policies come in
// the order of the file, not of their numbers. "local-in-policy" decides about packets for the device itself. Interfaces and
// names are of their VDOM when the configuration has VDOMs.
package fortios

import (
	"bytes"
	"context"
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

const formatName = "fortios-config"

// Format reads FortiOS configurations.
func Format() facts.Format {
	return facts.Format{Name: formatName, Platform: facts.FortiOS, Detect: detect, Parse: parse}
}

// heads are blocks no other platform has.
var heads = []string{
	"config system global", "config system interface", "config firewall policy", "config firewall address", "config system admin",
	"config vdom", "config firewall service custom", "config vpn ipsec phase1-interface", "config system accprofile", "config router static",
	"config firewall addrgrp", "config system dns", "config log syslogd setting", "config firewall vip",
}

func detect(_ string, head []byte) facts.Confidence {
	if bytes.Contains(head[:min(len(head), 2048)], []byte("#config-version=F")) {
		return facts.Certain
	}
	blocks, entries, ends := 0, false, false
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = field.Trim(line)
		switch {
		case field.Has(line, "config "):
			for _, h := range heads {
				if string(line) == h {
					blocks++
				}
			}
		case field.Has(line, "edit "), field.Has(line, "set "):
			entries = true
		case string(line) == "end":
			ends = true
		}
	}
	switch {
	case blocks > 1 && entries && ends:
		return facts.Certain
	case blocks > 0 && entries && ends:
		return facts.Strong
	case blocks > 0 && entries:
		return facts.Likely
	}
	return facts.No
}

type parser struct {
	f     *evidence.File
	sink  facts.Sink
	d     *facts.Device
	src   []byte
	vdoms bool // the configuration has VDOMs
	scope string
	whole bool // a device's configuration, not a part of one
	index map[string]int
	zones map[string]string // scope and interface to zone
}

func parse(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
	if piece.From > 0 {
		return nil // a configuration is never split
	}
	src, more, err := tree.ReadSource(ctx, piece.File, sink)
	if err != nil {
		return err
	}
	r := read(src)
	p := &parser{
		f: piece.File, sink: sink, src: src, index: map[string]int{}, zones: map[string]string{},
		d: &facts.Device{Path: piece.Path, Format: formatName, Platform: facts.FortiOS, Taken: piece.Mod, Has: facts.HasConfig},
	}
	if r.cut {
		sink.Note(facts.Note{Kind: facts.NoteUnread, Path: piece.Path, Message: "a quoted value does not end, or blocks nest deeper than is read"})
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	p.head(r.root)
	p.tree(r.root)
	p.secrets(r.root)
	p.finish(more)
	p.account(r)
	sink.Device(p.d)
	return ctx.Err()
}

func (p *parser) span(n *node) evidence.Span { return p.f.Span(int64(n.at), n.length) }

func (p *parser) wordSpan(w *word) evidence.Span { return p.f.Span(int64(w.at), w.length) }

// on reads an enable or disable; unknown when it is not set.
func (p *parser) on(n *node, key string) facts.V[bool] {
	k := n.set(key)
	switch v := n.value(key); v {
	case "enable":
		return facts.Say(true, p.span(k))
	case "disable":
		return facts.Say(false, p.span(k))
	}
	return facts.V[bool]{}
}

// head reads what is printed before the configuration: the model and version, by the device and by Oxidized.
func (p *parser) head(root *node) {
	for _, n := range root.kids {
		line := p.src[n.at : n.at+n.length]
		if n.kind != isOther || len(line) == 0 || line[0] != '#' {
			return
		}
		switch {
		case field.Has(line, "#config-version="): // FGT60F-7.4.1-FW-build2463-230830:opmode=0:vdom=0:user=admin
			text := line[len("#config-version="):]
			text, _, _ = bytes.Cut(text, []byte(":"))
			parts := bytes.Split(text, []byte("-"))
			at := n.at + len("#config-version=")
			p.d.Model = facts.Say(string(parts[0]), p.f.Span(int64(at), len(parts[0])))
			if len(parts) > 1 {
				p.d.Version = facts.Say(string(parts[1]), p.f.Span(int64(at+len(parts[0])+1), len(parts[1])))
			}
			p.whole, n.state = true, facts.Understood
		case field.Has(line, "# Version: Forti"): // # Version: FortiGate-91G v7.4.7,build2731,250120 (GA.M)
			text := line[len("# Version: "):]
			model, rest, _ := bytes.Cut(text, []byte(" v"))
			version, _, _ := bytes.Cut(rest, []byte(","))
			at := n.at + len("# Version: ")
			p.d.Model = facts.Say(string(model), p.f.Span(int64(at), len(model)))
			p.d.Version = facts.Say(string(version), p.f.Span(int64(at+len(model)+2), len(version)))
			p.d.Tool, n.state = facts.Oxidized, facts.Understood
		}
	}
}

// tree reads a configuration, or that of one VDOM.
func (p *parser) tree(root *node) {
	p.vdoms = p.vdoms || len(root.configs("vdom")) > 0
	for _, g := range root.configs("global") {
		p.tree(g)
	}
	was := p.scope
	if p.vdoms && p.scope == "" && was == "" {
		for _, v := range root.edits("vdom") {
			p.scope = v.key
			p.tree(v)
			p.scope = was
		}
	}
	p.system(root)
	p.interfaces(root)
	p.objects(root)
	p.policies(root)
	p.management(root)
	p.logging(root)
	p.transfers(root)
}

// finish states what needs the whole configuration.
func (p *parser) finish(more bool) {
	for i := range p.d.Interfaces {
		x := &p.d.Interfaces[i]
		if z, ok := p.zones[x.Scope+"\x00"+x.Name]; ok {
			x.Zone = z
		}
	}
	if p.whole && !more {
		if !p.d.Logging.Remote.Known() {
			p.d.Logging.Remote = facts.Assume(false) // FortiOS CLI reference, config log syslogd setting: status disable
		}
	}
}

// account counts every line: a statement's with its own state, what closes blocks with understood.
func (p *parser) account(r *reader) {
	p.d.Lines.Understood += r.ends
	var walk func(n *node, path []string)
	walk = func(n *node, path []string) {
		for _, k := range n.kids {
			p.accountNode(k, path)
			below := path
			if k.kind == isConfig {
				below = append(path[:len(path):len(path)], k.key)
			}
			walk(k, below)
		}
	}
	walk(r.root, nil)
}

func (p *parser) accountNode(n *node, path []string) {
	state, reason := n.state, n.reason
	if state == facts.Unrecognised {
		state, reason = p.irrelevant(n, path)
	}
	switch state {
	case facts.Understood:
		p.d.Lines.Understood += n.lines
		return
	case facts.Irrelevant:
		p.d.Lines.Irrelevant += n.lines
		return
	case facts.Unsupported:
		p.d.Lines.Unsupported += n.lines
	case facts.Unrecognised:
		p.d.Lines.Unrecognised += n.lines
	}
	if len(p.d.Unread) < facts.MaxUnread {
		p.d.Unread = append(p.d.Unread, facts.Unread{State: state, Transfer: transferwords.Find(p.src[n.at : n.at+n.length]), Reason: reason, Span: p.span(n)})
	}
}

// prefix reads "A.B.C.D M.M.M.M", "A.B.C.D/N" or an IPv6 prefix.
func prefix(words []string) (netip.Prefix, bool) {
	if len(words) == 0 {
		return netip.Prefix{}, false
	}
	if strings.Contains(words[0], "/") {
		x, err := netip.ParsePrefix(words[0])
		return x, err == nil
	}
	a, err := netip.ParseAddr(words[0])
	if err != nil {
		return netip.Prefix{}, false
	}
	if len(words) == 1 {
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	m, err := netip.ParseAddr(words[1])
	if err != nil || !m.Is4() || !a.Is4() {
		return netip.Prefix{}, false
	}
	bits, zero := 0, false
	for _, b := range m.AsSlice() {
		for k := 7; k >= 0; k-- {
			one := b>>k&1 == 1
			if one && zero {
				return netip.Prefix{}, false
			}
			if one {
				bits++
			}
			zero = zero || !one
		}
	}
	return netip.PrefixFrom(a, bits), true
}
