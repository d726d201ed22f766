package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/transferwords"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// separator reads the line Oxidized puts between the contexts of a device in multiple mode:
// "----------========== [ CONTEXT name FILE url ] ==========----------" (oxidized lib/oxidized/model/asa.rb).
func (p *parser) separator(n int32) (context string, ok bool) {
	text := p.t.Text(n)
	if !field.Has(text, "-----") {
		return "", false
	}
	_, rest, found := bytes.Cut(text, []byte("[ CONTEXT "))
	if !found {
		return "", false
	}
	name, _, _ := bytes.Cut(rest, []byte(" "))
	return string(name), len(name) > 0
}

// headers reads the comments backup tools put before a configuration: the output of "show version", and their own marks.
func (p *parser) headers() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.Flags&tree.Comment == 0 {
			continue
		}
		text := bytes.TrimLeft(p.t.Text(int32(i)), "! ")
		off := n.Off + n.Len - uint32(len(text))
		switch {
		case field.Has(text, "RANCID-CONTENT-TYPE:"):
			p.d.Tool = facts.RANCID
			p.marked = p.span(int32(i))
		case field.Has(text, "Chassis type: "): // RANCID: "!Chassis type: ASA5510 - a PIX"
			if w, _ := field.Word(text[len("Chassis type: "):]); len(w) > 0 {
				p.model(off+uint32(len("Chassis type: ")), w)
			}
		case field.Has(text, "Hardware:"):
			if w, _ := field.Word(text[len("Hardware:"):]); len(w) > 0 {
				p.model(off+uint32(len(text)-len(field.TrimLeft(text[len("Hardware:"):]))), w)
			}
		case field.Has(text, "Model "):
			if _, v, ok := bytes.Cut(text, []byte(": ")); ok { // Firepower: "Model : Cisco Firepower 1010 Threat Defense (78) Version 7.4.2"
				v = field.Trim(v)
				if i := bytes.IndexByte(v, '('); i > 0 {
					v = field.TrimRight(v[:i])
				}
				p.model(n.Off+n.Len-uint32(len(text)-bytes.Index(text, v)), v)
			}
		case field.Has(text, "Cisco Adaptive Security Appliance Software Version "):
			p.shownVersion = true
		}
	}
	if p.d.Tool == facts.NoTool && p.shownVersion {
		p.d.Tool = facts.Oxidized // it puts "show version" before the configuration, each line a comment
	}
}

// removals states what the backup tool took away. Oxidized's remove_secret hides keys, passwords and the communities of
// hosts and leaves the words around them (oxidized lib/oxidized/model/asa.rb). RANCID turns lines with secrets into
// comments, which removed reads; its ACL sorting was made for IOS and re-orders, on the ASA, lists named by one or two
// digits (by their third word, so denies before permits) and PIX lists named by three (rancid lib/ios.pm.in, "order
// access-lists"). Neither takes away a service, a client or an access list of this platform.
func (p *parser) removals() {
	if p.d.Tool != facts.RANCID {
		return
	}
	lost := false
	for i := range p.d.Filters {
		f := &p.d.Filters[i]
		_, digits := number([]byte(f.Name))
		f.OrderLost = !f.Synthetic && digits && (len(f.Name) <= 2 || len(f.Name) == 3 && f.Kind == "access-list")
		lost = lost || f.OrderLost
	}
	if lost {
		p.d.Removed = append(p.d.Removed, facts.Removal{
			Fact: "filter-order", Reason: "RANCID sorts the lines of access lists named by numbers", Span: p.marked,
		})
	}
}

// removed reads the statements RANCID turned into comments because of their secrets: "!username fw password <removed>".
func (p *parser) removed() {
	for i := range p.t.Nodes {
		node := &p.t.Nodes[i]
		if node.Flags&tree.Comment == 0 {
			continue
		}
		text := p.t.Text(int32(i))
		if field.Index(text, "<removed>") < 0 {
			continue
		}
		skip := uint32(len(text) - len(bytes.TrimLeft(text, "! ")))
		node.Off, node.Len = node.Off+skip, node.Len-skip
		n := int32(i)
		p.read(n)
		switch string(p.word(0)) {
		case "snmp-server":
			p.snmpServer(n)
		case "username":
			p.username(n)
		case "enable":
			p.enable(n)
		case "passwd", "password":
			p.passwd(n)
		default:
			for j := 1; j < len(p.w); j++ {
				if p.is(j, "<removed>") {
					p.secret(j, facts.SecretKey, p.str(p.word(j-1)), "")
				}
			}
			p.understood(n)
		}
	}
}

// finishZoning states the level rules. Contexts each have their own; where they differ, none is stated.
func (p *parser) finishZoning() {
	z := &p.d.Zoning
	if len(p.d.Interfaces) > 0 {
		z.Model = facts.Levels
	}
	if len(p.nameif) == 0 {
		return
	}
	// "Traffic between interfaces of the same security level is not allowed by default" (ASA command reference,
	// same-security-traffic).
	if p.firepower {
		// "All interfaces have the same security level (0)", and the access control policy alone decides (Firepower
		// Management Center device configuration guide, Interface Overview).
		p.inter, p.intra = orDefault(p.inter, true), orDefault(p.intra, true)
	} else if p.whole {
		p.inter, p.intra = orDefault(p.inter, false), orDefault(p.intra, false)
	}
	if p.zoned && (z.SamePermitInter.Val != p.inter.Val || z.SamePermitIntra.Val != p.intra.Val) {
		z.SamePermitInter, z.SamePermitIntra = facts.V[bool]{}, facts.V[bool]{}
		return
	}
	p.zoned = true
	z.SamePermitInter, z.SamePermitIntra = p.inter, p.intra
}

// leftover lists the lines nobody understood.
func (p *parser) leftover() {
	for i := range p.t.Nodes {
		n := &p.t.Nodes[i]
		if n.State != facts.Unrecognised && n.State != facts.Unsupported || n.Flags&(tree.Implied) != 0 {
			continue
		}
		if n.State == facts.Unrecognised && n.Flags&(tree.Comment|tree.Raw) != 0 {
			continue
		}
		if len(p.d.Unread) == facts.MaxUnread {
			return
		}
		u := facts.Unread{State: n.State, Span: p.span(int32(i)), Reason: p.reasons[int32(i)]}
		if u.Reason == "" {
			u.Reason = "statement not known"
		}
		text := p.t.Text(int32(i))
		if !freeText(text) {
			u.Transfer = transferwords.Find(text)
		}
		if rest, ok := bytes.CutPrefix(text, []byte("access-list ")); ok {
			w, _ := field.Word(rest)
			u.Filter = string(w)
			if n.State == facts.Unrecognised {
				u.Reason = "access-list entry not understood"
			}
		}
		p.d.Unread = append(p.d.Unread, u)
	}
}
