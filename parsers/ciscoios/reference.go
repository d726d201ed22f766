package ciscoios

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// maxReferences bounds the references of one file; a list that is used that often is used.
const maxReferences = 20_000

// refer states that statement n names list by other means than a binding.
func (p *parser) refer(list []byte, by string, n int32) {
	if len(list) == 0 || len(p.d.References) >= maxReferences {
		return
	}
	p.d.References = append(p.d.References, facts.Reference{Filter: p.str(list), By: by, Span: p.span(n)})
}

// references looks at all lines below n for lists they name: class maps, route maps, routing protocols, crypto maps.
func (p *parser) references(n int32, by string) {
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].Flags&tree.Raw == 0 {
			p.referLine(c, by)
		}
		p.references(c, by)
	}
}

// referLine looks at one line for lists it names.
func (p *parser) referLine(n int32, by string) {
	text := p.t.Text(n)
	switch text[0] {
	case 'm': // match access-group [name] X; match ip|ipv6 address X...; match address X
		if !field.Has(text, "match ") {
			return
		}
		p.w = p.t.Fields(p.buf, n)
		p.buf = p.w
		switch {
		case p.is(1, "access-group"):
			i := 2
			if p.is(2, "name") {
				i++
			}
			p.refer(p.word(i), by, n)
		case p.is(1, "address"):
			p.refer(p.word(2), by, n)
		case (p.is(1, "ip") || p.is(1, "ipv6")) && (p.is(2, "address") || p.is(2, "next-hop") || p.is(2, "route-source")):
			if p.is(3, "prefix-list") {
				return
			}
			for i := 3; i < len(p.w); i++ {
				p.refer(p.word(i), by, n)
			}
		}
	case 'n', 'd', 'o': // neighbor A distribute-list X in; distribute-list X out; offset-list X; distance 90 A W X
		i := field.Index(text, "distribute-list ")
		if i < 0 {
			return
		}
		w, _ := field.Word(text[i+len("distribute-list "):])
		if string(w) == "prefix" || string(w) == "route-map" || string(w) == "gateway" {
			return
		}
		p.refer(w, by, n)
	}
}

// named states the list behind the first of words in statement n, which has been read.
func (p *parser) named(n int32, by string, words ...string) {
	if p.negated {
		return
	}
	for _, w := range words {
		i := p.has(1, w)
		if i < 0 {
			continue
		}
		if p.is(i+1, "name") || p.is(i+1, "ipv4") || p.is(i+1, "ipv6") {
			i++
		}
		p.refer(p.word(i+1), by, n)
		return
	}
}
