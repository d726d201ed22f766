package ciscoios

import (
	"cmp"
	"slices"
	"sort"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// maxURLs bounds the transfer URLs that are looked at beside those of statements that were read.
const maxURLs = 10_000

// urlAt remembers the transfer URL whose "://" is at that offset of the source.
func (p *parser) urlAt(colon int) {
	src := p.t.Source
	from := colon
	for from > 0 && src[from-1]|0x20-'a' <= 25 && colon-from < 8 {
		from--
	}
	if proto, ok := schemeOf(src[from:colon]); ok && transfers(proto) && len(p.urls) < maxURLs {
		p.urls = append(p.urls, uint32(from))
	}
}

// schemeOf is the protocol of a URL's scheme.
func schemeOf(b []byte) (facts.Protocol, bool) {
	if field.EqualFold(b, "cifs") {
		return facts.SMB, true
	}
	for _, name := range [...]string{"ftp", "tftp", "ftps", "scp", "sftp", "rcp", "smb"} {
		if field.EqualFold(b, name) {
			return facts.ParseProtocol(name)
		}
	}
	return 0, false
}

// otherURLs states the transfer URLs that no client was made of, wherever they stand: banners, descriptions and remarks,
// statements that were read for something else. Whether anything uses one that stands in free text is not known.
func (p *parser) otherURLs() {
	if len(p.urls) == 0 {
		return
	}
	spans := make([]evidence.Span, 0, len(p.d.Clients))
	for i := range p.d.Clients {
		spans = append(spans, p.d.Clients[i].Span)
	}
	slices.SortFunc(spans, func(a, b evidence.Span) int { return cmp.Compare(a.Pos, b.Pos) })
	for _, off := range p.urls {
		n := int32(sort.Search(len(p.t.Nodes), func(i int) bool { return p.t.Nodes[i].Off > off })) - 1
		if n < 0 {
			continue
		}
		node := &p.t.Nodes[n]
		if off >= node.Off+node.Len || node.Flags&tree.Comment != 0 {
			continue
		}
		at := p.f.Span(p.t.Base+int64(off), 1)
		i := sort.Search(len(spans), func(i int) bool { return spans[i].Pos > at.Pos }) - 1
		if i >= 0 && at.Pos < spans[i].Pos+evidence.Pos(spans[i].Len) {
			continue
		}
		p.otherURL(n, off)
	}
}

// otherURL states the URL at offset off of node n.
func (p *parser) otherURL(n int32, off uint32) {
	node := &p.t.Nodes[n]
	text := p.t.Text(n)
	if field.Has(text, "no ") {
		return
	}
	end := off
	for end < node.Off+node.Len && p.t.Source[end] > ' ' && p.t.Source[end] != '"' {
		end++
	}
	l, ok := p.linkOf(p.t.Source[off:end], p.f.Span(p.t.Base+int64(off), int(end-off)))
	if !ok {
		return
	}
	free := node.Flags&tree.Raw != 0 || freeText(text) || field.Has(text, "banner ")
	remark := field.Index(text, "remark ")
	if remark >= 0 {
		text, free = text[remark:], true
	}
	if node.Flags&tree.Raw != 0 && node.Parent != tree.None {
		text = p.t.Text(node.Parent)
	}
	first, rest := field.Word(text)
	name := p.str(first)
	if second, _ := field.Word(rest); len(second) > 0 && second[0]|0x20-'a' <= 25 && !freeText(text) {
		name += " " + p.said(second)
	}
	at := p.client("other", name, l, p.span(n))
	if free {
		p.d.Clients[at].Enabled = facts.V[bool]{}
	}
}
