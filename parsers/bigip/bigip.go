// Package bigip reads F5 BIG-IP's configuration as tmsh writes it: bigip.conf, bigip_base.conf, the output of "list", in braces.
//
// A BIG-IP passes what a virtual server, a forwarding one, a SNAT or a NAT listens for, and nothing else: these are one filter of
// what passes through ("default deny", BIG-IP Local Traffic Manager: Concepts). What a virtual server publishes is a service of
// the device towards a pool. Self addresses take what their port lockdown names (K17333).
//
// Rules (iRules), iCall scripts and scripts of the command line are Tcl, text between a header and a brace in the first column;
// iCall's are read as hooks. What follows a line "!" is of the routing daemon (imish). A file is a whole configuration when it has
// global settings and was not cut; only then does a statement that is not there mean its default.
package bigip

import (
	"bytes"
	"context"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	none       = wordtree.None
	root       = wordtree.Root
	formatName = "bigip-config"
)

// Format reads BIG-IP's configuration.
func Format() facts.Format {
	return facts.Format{
		Name: formatName, Platform: facts.F5BIGIP,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := &parser{
				Reader: wordtree.New(piece.File, sink, src, formatName, facts.F5BIGIP), lists: map[string]bool{}, profiles: map[string]facts.Protocol{},
				scripts: map[string]int32{},
			}
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

// detect looks for tmsh's mark and for blocks in the first column that only tmsh has.
func detect(head []byte) facts.Confidence {
	owned := 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		if bytes.HasPrefix(line, []byte("#TMSH-VERSION:")) {
			return facts.Certain
		}
		line = bytes.TrimRight(line, " \r")
		if len(line) == 0 || line[len(line)-1] != '{' && line[len(line)-1] != '}' {
			continue
		}
		w := bytes.Fields(line[:min(len(line), 200)])
		if len(w) < 3 {
			continue
		}
		switch string(w[0]) + " " + string(w[1]) {
		case "ltm virtual", "ltm pool", "ltm node", "ltm monitor", "ltm profile", "ltm rule", "ltm virtual-address", "net self", "net vlan", "net route-domain", "sys global-settings",
			"sys db", "sys httpd", "sys sshd", "sys management-ip", "sys icall", "auth user", "auth partition", "sys provision", "net trunk", "sys snmp", "cm device", "cm traffic-group",
			"apm profile", "asm policy", "security firewall", "net self-allow", "sys file", "sys dns", "sys ntp", "sys syslog", "sys folder", "gtm server", "gtm wideip", "ltm default-node-monitor":
			owned++
		}
	}
	switch {
	case owned >= 3:
		return facts.Certain
	case owned == 2:
		return facts.Strong
	case owned == 1:
		return facts.Likely
	}
	return facts.No
}

// A parser reads one configuration.
type parser struct {
	*wordtree.Reader
	whole    bool
	lists    map[string]bool
	profiles map[string]facts.Protocol // profiles of transfer protocols, by name
	scripts  map[string]int32          // iCall scripts
	used     map[string]bool
}

func (p *parser) read() {
	src := p.T.Source
	plain, cut := withoutTcl(src)
	p.Report(p.T.Braces(plain, tree.Syntax{Lines: true}))
	p.T.Source = src
	p.Cut = p.Cut || cut
	p.Free = func(w []byte) bool {
		switch string(w) {
		case "description", "gui-security-banner-text", "banner-text", "checksum":
			return true
		}
		return false
	}
	p.Telltale = func(n int32) string {
		switch string(p.T.Text(n)) {
		case "fw-enforced-policy", "allow-service":
			return "a filter applied in a place where none is known"
		case "script", "command":
			return "a script in a place where none is known"
		}
		return ""
	}
	p.whole = !p.Cut && p.Under(root, "sys", "global-settings") != none
	p.general()
	p.objects()
	p.network()
	p.profileNames()
	p.virtuals()
	p.management()
	p.logging()
	p.monitors()
	p.hooks()
	if p.whole {
		p.Absent("no server of", facts.FTP, facts.TFTP, facts.SMB) // tmsh reference: sys has none but sshd and httpd
	}
	p.descriptions(p.First(root), 0)
	p.LeftOver(irrelevant(), root)
	p.Secrets(p.keyword, p.userOf)
	p.D.Markers = facts.Markers(p.F, p.T.Source, p.T.Base)
	p.Account()
}

// tclBlocks are the statements whose block is Tcl or other text, by how their header begins.
var tclBlocks = [...]string{"ltm rule ", "gtm rule ", "sys icall script ", "cli script ", "sys application template ", "pem irule "}

// modules are the first words of statements in the first column.
var modules = [...]string{"ltm ", "net ", "sys ", "auth ", "cm ", "security ", "apm ", "asm ", "gtm ", "cli ", "pem ", "ilx ", "analytics ", "wom ", "wam ", "vcmp "}

// begins reports whether line begins a statement in the first column.
func begins(line []byte) bool {
	line = bytes.TrimRight(line, " \t\r")
	if len(line) == 0 || line[len(line)-1] != '{' && line[len(line)-1] != '}' {
		return false
	}
	for _, m := range modules {
		if bytes.HasPrefix(line, []byte(m)) {
			return true
		}
	}
	return false
}

// depthOf is how many braces line opens and does not close; Tcl counts them in comments and strings too, and not those behind a
// backslash.
func depthOf(line []byte) int {
	n := 0
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '{':
			n++
		case '}':
			n--
		}
	}
	return n
}

// withoutTcl is src with the first byte of every line of Tcl, and of the routing daemon's configuration, made a hash: comments to
// the reader of braces. Positions stay. Tcl ends with the brace that closes its header's, or, where the braces do not tell, with
// one in the first column before a statement. Cut says that it does not end.
func withoutTcl(src []byte) (out []byte, cut bool) {
	out = src
	depth, imish := 0, false
	for at := 0; at < len(src); {
		end := len(src)
		if i := bytes.IndexByte(src[at:], '\n'); i >= 0 {
			end = at + i
		}
		line := src[at:end]
		first := 0
		for first < len(line) && line[first] <= ' ' {
			first++
		}
		hash := imish
		switch {
		case first == len(line):
			hash = false
		case depth > 0:
			depth += depthOf(line)
			next, _, _ := bytes.Cut(src[min(end+1, len(src)):], []byte("\n"))
			if line[0] == '}' && (depth == 0 || begins(next)) {
				depth = 0
			} else {
				depth, hash = max(depth, 1), true
			}
		case imish:
		case line[0] == '!':
			imish, hash = true, true
		default:
			for _, b := range tclBlocks {
				if bytes.HasPrefix(line, []byte(b)) {
					depth = max(0, depthOf(line))
				}
			}
		}
		if hash {
			if &out[0] == &src[0] {
				out = bytes.Clone(src)
			}
			out[at+first] = '#'
		}
		at = end + 1
	}
	return out, depth > 0
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

// general reads names and the version that wrote the file ("#TMSH-VERSION: 15.1.2"). RANCID and Oxidized put comments before it.
func (p *parser) general() {
	for i := range p.T.Nodes {
		n := &p.T.Nodes[i]
		if n.Flags&tree.Comment == 0 || n.Parent >= 0 {
			continue
		}
		text := p.T.Text(int32(i))
		switch {
		case bytes.HasPrefix(text, []byte("#TMSH-VERSION:")):
			p.D.Version = facts.Say(p.Intern(bytes.TrimSpace(text[len("#TMSH-VERSION:"):])), p.Span(int32(i)))
		case bytes.HasPrefix(text, []byte("#RANCID-CONTENT-TYPE:")):
			p.D.Tool = facts.RANCID
		}
	}
	global := p.Under(root, "sys", "global-settings")
	p.D.Hostname = p.Say(global, "hostname")
	p.Rest(global)
}

// words calls f with every word below n: a list on one line is words below one another.
func (p *parser) words(n int32, f func(c int32)) {
	for c := p.First(n); c != none; c = p.Next(c) {
		f(c)
		p.words(c, f)
	}
}

// base is a name without the folder it is in: /Common/ftp is ftp.
func base(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }
