package ciscoios

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// wrapper reads what stands around a configuration: comments of backup tools, which hold the model and the release, and
// statements that RANCID turned into comments because of their secrets.
func (p *parser) wrapper() {
	var masked []int32
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Flags&tree.Comment == 0 || n.Len < 8 {
			continue
		}
		text := p.t.Text(int32(i))
		body := bytes.TrimLeft(text, "! ")
		if len(body) == 0 {
			continue
		}
		off := n.Off + n.Len - uint32(len(body))
		switch body[0] {
		case 'R':
			if field.Has(body, "RANCID-CONTENT-TYPE:") {
				p.d.Tool, p.tool = facts.RANCID, mark{p.span(int32(i))}
			}
		case 'C':
			p.comment(body, off, int32(i))
		case 'I':
			if field.Has(body, "Image: Software: ") { // "Image: Software: C2960-LANBASEK9-M, 15.0(2)SE, RELEASE ..."
				p.toolMark(int32(i), text)
				if _, v, ok := field.Cut(body, ", "); ok {
					p.release(v, off+uint32(len(body)-len(v)))
				}
			}
		case '<':
			if name, _, ok := field.Cut(body[1:], " contents removed by ACLFILTERREGEX>"); ok {
				if p.removedLists == nil {
					p.removedLists = map[string]string{}
				}
				p.removedLists[string(name)] = "contents removed by ACLFILTERREGEX"
				p.ok(int32(i))
			}
		}
		if c := body[0]; c >= 'a' && c <= 'z' && field.Index(body, "<removed>") >= 0 {
			n.Off, n.Len = off, uint32(len(body))
			masked = append(masked, int32(i))
		}
	}
	for _, n := range masked {
		p.statement(n)
		p.ok(n)
	}
}

// toolMark tells Oxidized's comments, which have a blank behind the mark, from RANCID's.
func (p *parser) toolMark(i int32, text []byte) {
	if p.d.Tool == facts.NoTool && field.Has(text, "! ") {
		p.d.Tool, p.tool = facts.Oxidized, mark{p.span(i)}
	}
}

// comment reads "Chassis type: MODEL" and "Cisco IOS ... Software ..., Version RELEASE".
func (p *parser) comment(body []byte, off uint32, i int32) {
	switch {
	case field.Has(body, "Chassis type: "):
		v := body[len("Chassis type: "):]
		w, _ := field.Word(v)
		p.toolMark(i, p.t.Text(i))
		if len(w) > 0 {
			p.d.Model = facts.Say(string(w), p.f.Span(p.t.Base+int64(off)+int64(len("Chassis type: ")), len(w)))
		}
	case field.Has(body, "Cisco IOS"), field.Has(body, "Cisco Internetwork"):
		if before, v, ok := field.Cut(body, "Version "); ok {
			p.toolMark(i, p.t.Text(i))
			p.release(v, off+uint32(len(before)+len("Version ")))
		}
	}
}

// release takes a software release from a comment: it says more than the statement "version 15.2".
func (p *parser) release(v []byte, off uint32) {
	end := 0
	for end < len(v) && v[end] != ' ' && v[end] != ',' {
		end++
	}
	if end > 0 && v[0]-'0' <= 9 {
		p.d.Version = facts.Say(string(v[:end]), p.f.Span(p.t.Base+int64(off), end))
	}
}

// around reads a top-level line that is no statement: a prompt with the command typed, the device's own words before a
// configuration.
func (p *parser) around(n int32) bool {
	text := p.t.Text(n)
	switch {
	case field.Has(text, "Building configuration"), field.Has(text, "Load for "), field.Has(text, "Time source is "):
	case field.Has(text, "Current configuration"), field.Has(text, "Using "), field.Has(text, "Startup configuration"), field.Has(text, "Last configuration change"):
	case field.Has(text, "Configuration of Partition"):
		p.partial = true
	case field.Has(text, "show ") || field.Has(text, "sh ") || field.Has(text, "more ") || field.Has(text, "terminal length"), field.Has(text, "term len"):
		p.typed(text)
	default:
		command, host, ok := prompt(text)
		if !ok {
			return false
		}
		if p.prompt.Origin == facts.Unknown {
			p.prompt = facts.Say(string(host), p.f.Span(p.t.Base+int64(p.t.Nodes[n].Off), len(host)))
		}
		p.typed(command)
	}
	p.t.Mark(n, facts.Irrelevant)
	return true
}

// typed looks at a command that was given: whether it asked for a part of the configuration.
func (p *parser) typed(command []byte) {
	w, rest := field.Word(command)
	if !field.Has(w, "sh") && !field.Has(w, "more") {
		return
	}
	second, rest := field.Word(rest)
	if field.Has(second, "run") || field.Has(second, "start") {
		switch third, _ := field.Word(rest); string(third) {
		case "", "all", "full", "view", "brief":
		default:
			p.partial = true // show running-config interface X, show running-config | section Y
		}
	}
	if bytes.IndexByte(command, '|') >= 0 {
		p.partial = true
	}
}

// prompt reads "HOST#command", "HOST>command" and "HOST(config)#command".
func prompt(text []byte) (command, host []byte, ok bool) {
	i := 0
	for i < len(text) && (text[i]-'0' <= 9 || text[i]|0x20-'a' <= 25 || text[i] == '-' || text[i] == '_' || text[i] == '.' || text[i] == '/') {
		i++
	}
	host = text[:i]
	if i > 0 && i < len(text) && text[i] == '(' {
		j := bytes.IndexByte(text[i:], ')')
		if j < 0 {
			return nil, nil, false
		}
		i += j + 1
	}
	if len(host) == 0 || len(host) > 63 || i >= len(text) || text[i] != '#' && text[i] != '>' {
		return nil, nil, false
	}
	return field.TrimLeft(text[i+1:]), host, true
}

// identify states the name of the device when only its prompt did.
func (p *parser) identify() {
	if p.d.Hostname.Origin == facts.Unknown {
		p.d.Hostname = p.prompt
	}
}

// versionStatement reads "version 15.2"; a comment says more.
func (p *parser) versionStatement(n int32) {
	p.ok(n)
	p.version = true
	if p.d.Version.Origin == facts.Unknown && p.word(1) != nil {
		p.d.Version = facts.Say(p.str(p.word(1)), p.at(p.w[1]))
	}
}

// model takes a model that a statement names.
func (p *parser) model(w tree.Word) {
	p.hint(p.t.At(w))
	if p.d.Model.Origin == facts.Unknown {
		p.d.Model = facts.Say(p.str(p.t.At(w)), p.at(w))
	}
}

// removals states what the backup tool takes away, so that it is not taken for absent.
func (p *parser) removals() {
	if p.d.Tool == facts.RANCID {
		// rancid lib/ios.pm.in: "/^tftp-server flash / && next", and ACLs sorted and without sequence numbers by default
		// (etc/rancid.conf.sample.in, ACLSORT, ACLFILTERSEQ).
		p.d.Removed = append(p.d.Removed,
			facts.Removal{Fact: "tftp-server", Reason: "RANCID deletes 'tftp-server flash' lines", Span: p.tool.Span},
			facts.Removal{Fact: "filter-order", Reason: "RANCID sorts the lines of access lists and strips their numbers", Span: p.tool.Span})
	}
	if !p.secretsRemoved.IsZero() {
		// oxidized lib/oxidized/model/ios.rb, remove_secret: the whole rest of a community's line goes.
		p.d.Removed = append(p.d.Removed, facts.Removal{
			Fact: "snmp-community-access", Reason: "Oxidized's remove_secret deletes the access and the list of SNMP communities", Span: p.secretsRemoved.Span,
		})
		if p.d.Tool == facts.NoTool {
			p.d.Tool = facts.Oxidized
		}
	}
}

// skip accounts for a statement and all below it as unable to bear on transfers; what names a transfer protocol all the
// same is unsupported, unless the table of look-alikes knows it.
func (p *parser) skip(n int32) {
	if p.t.Nodes[n].State == facts.Unrecognised {
		p.skipOne(n)
	}
	p.skipBelow(n)
}

func (p *parser) skipBelow(n int32) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].State == facts.Unrecognised {
			if p.t.Nodes[c].Flags&tree.Raw != 0 {
				p.t.Mark(c, facts.Irrelevant)
				continue
			}
			p.skipOne(c)
		}
		p.skipBelow(c)
	}
}

func (p *parser) skipOne(n int32) {
	p.t.Mark(n, facts.Irrelevant)
	text := p.t.Text(n)
	if transferwords.Find(text) == "" || lookAlike(text) != "" {
		return
	}
	p.unsupported(n, "names a transfer protocol in a statement that is not modelled")
	w := p.w
	p.w = p.t.Fields(nil, n)
	if l, ok := p.findLink(1); ok && transfers(l.Protocol) && !field.Has(text, "no ") {
		p.client("other", strings.Join([]string{p.str(p.word(0)), p.str(p.word(1))}, " "), l, p.span(n))
		p.reasons[n] = "holds a transfer URL in a statement that is not modelled"
	}
	p.w = w
}

// account counts the lines by state and lists those nobody understood.
func (p *parser) account() {
	p.d.Lines = p.t.Count()
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.State != facts.Unrecognised && n.State != facts.Unsupported || n.State == facts.Unrecognised && n.Flags&(tree.Comment|tree.Raw) != 0 {
			continue
		}
		if len(p.d.Unread) == facts.MaxUnread {
			return
		}
		u := facts.Unread{State: n.State, Span: p.span(int32(i)), Reason: p.reasons[int32(i)], Filter: p.inFilter[int32(i)]}
		if u.Reason == "" {
			u.Reason = "statement not known"
		}
		text := p.t.Text(int32(i))
		if !freeText(text) {
			u.Transfer = transferwords.Find(text)
		}
		p.d.Unread = append(p.d.Unread, u)
	}
}
