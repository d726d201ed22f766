// Package wordtree is what readers of configurations share that are trees of words: in braces, as set commands, in XML.
//
// A [Reader] walks the tree, marks what it understood and keeps the device that is being stated. Whatever a platform's code
// did not read is accounted for by its [Table] of statements that cannot bear on transfers, each with its reason; transfer
// URLs, servers below a protocol's name and the platform's telltale words surface from such statements all the same. Secrets
// are found over the whole tree, wherever they stand.
//
// Nodes are indices of the tree; [None] is no node, and every method takes it. Texts that are stated are copies: no fact keeps
// the file's bytes.
package wordtree

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// None is no node: nothing is below it. Root is what everything at the top is below.
const (
	None = tree.None
	Root = int32(-2)
)

// A Reader reads one configuration. The fields are set by [New]; Free and Telltale may be set before anything is read.
type Reader struct {
	T    *tree.Tree
	D    *facts.Device
	F    *evidence.File
	Sink facts.Sink
	// XML says that words hold references (&lt;).
	XML bool
	// Cut says that a part of the configuration is missing: what is not there may be in it.
	Cut bool
	// Free reports whether what is below a word is free text: it states nothing, whatever it says. May be nil.
	Free func(word []byte) bool
	// Telltale is why node n may not stand in a statement that is irrelevant: it applies a filter, runs a script. Empty when
	// it may. May be nil.
	Telltale func(n int32) string
	// Scope is the scope of what is stated.
	Scope string

	reasons map[int32]string
	filters map[int32]string
	words   map[string]string
	secrets map[uint32]bool // where secrets begin that are stated
}

// New is a reader of a file's content for a device of that format and platform.
func New(f *evidence.File, sink facts.Sink, src []byte, format, platform string) *Reader {
	t := &tree.Tree{Nodes: make([]tree.Node, 0, len(src)/24+64)}
	t.Source = src
	return &Reader{
		T: t, F: f, Sink: sink,
		D:       &facts.Device{Path: f.Path, Format: format, Platform: platform, Has: facts.HasConfig, Taken: f.Mod},
		reasons: map[int32]string{}, filters: map[int32]string{}, words: map[string]string{}, secrets: map[uint32]bool{},
	}
}

// Absent states that the device serves none of these protocols, as its platform does unless told otherwise, where no service of
// them was stated.
func (r *Reader) Absent(name string, protocols ...facts.Protocol) {
	for _, k := range protocols {
		if !slices.ContainsFunc(r.D.Services, func(s facts.Service) bool { return s.Protocol == k && s.Role == facts.RoleServer }) {
			r.D.Services = append(r.D.Services, facts.Service{Protocol: k, Name: name + " " + k.String(), Enabled: facts.Assume(false)})
		}
	}
}

// Report turns what the reader of the text stumbled over into notes.
func (r *Reader) Report(faults []tree.Fault) {
	for _, k := range faults {
		if k.Kind == tree.NoTarget { // deleting what is not there changes nothing
			continue
		}
		n := facts.Note{
			Kind: facts.NoteUnread, Path: r.F.Path, Span: r.F.Span(int64(k.Off), 1), Message: k.Kind.String(), Count: k.Count,
		}
		switch {
		case k.Kind == tree.TooLong || k.Kind == tree.TooMany || k.Kind == tree.TooDeep:
			n.Kind = facts.NoteLimit
		case k.Kind.Lost():
			n.Kind = facts.NoteIncomplete
			n.Hint = "collect the configuration again: this file was cut"
		}
		r.Cut = r.Cut || k.Kind.Lost()
		r.Sink.Note(n)
	}
}

// Kid is n's first child of that word; None when there is none.
func (r *Reader) Kid(n int32, word string) int32 {
	switch n {
	case None:
		return None
	case Root:
		return r.T.Child(tree.None, word)
	}
	return r.T.Child(n, word)
}

// Under follows words down from n; None when one is missing.
func (r *Reader) Under(n int32, words ...string) int32 {
	for _, w := range words {
		n = r.Kid(n, w)
	}
	return n
}

// First is n's first child; None when n is None.
func (r *Reader) First(n int32) int32 {
	switch n {
	case None:
		return None
	case Root:
		return r.T.First
	}
	return r.T.Nodes[n].First
}

// Next is n's next sibling.
func (r *Reader) Next(n int32) int32 { return r.T.Nodes[n].Next }

// Each calls f with every child of n that has that word; with "" with every child.
func (r *Reader) Each(n int32, word string, f func(c int32)) {
	for c := r.First(n); c != None; c = r.Next(c) {
		if word == "" || r.Is(c, word) {
			f(c)
		}
	}
}

// Value is the child that counts where a statement has one value: the last that was set.
func (r *Reader) Value(n int32) int32 {
	if n == None {
		return None
	}
	return r.T.Nodes[n].Last
}

// Leaf is the value of n's statement word, and its node, marked as understood; "" and None when there is none.
func (r *Reader) Leaf(n int32, word string) (string, int32) {
	return r.ValueOf(r.Kid(n, word))
}

// ValueOf is the value of statement k, and its node, marked as understood.
func (r *Reader) ValueOf(k int32) (string, int32) {
	if k == None {
		return "", None
	}
	r.OKAll(k)
	v := r.Value(k)
	if v == None {
		return "", None
	}
	return r.Text(v), v
}

// String is the value of n's statement word, marked as understood.
func (r *Reader) String(n int32, word string) string {
	s, _ := r.Leaf(n, word)
	return s
}

// Say is the value of n's statement word as a fact; unknown when there is none.
func (r *Reader) Say(n int32, word string) facts.V[string] {
	s, v := r.Leaf(n, word)
	if v == None {
		return facts.V[string]{}
	}
	return facts.Say(s, r.Span(v))
}

// Bytes is n's word, its references resolved.
func (r *Reader) Bytes(n int32) []byte {
	if r.XML {
		return tree.Unescape(r.T.Text(n))
	}
	return r.T.Text(n)
}

// Text is n's word as a string of its own.
func (r *Reader) Text(n int32) string { return r.Intern(r.Bytes(n)) }

// Intern gives equal words one string; long ones are not kept.
func (r *Reader) Intern(b []byte) string {
	if len(b) > 64 {
		return string(b)
	}
	if s, ok := r.words[string(b)]; ok {
		return s
	}
	s := string(b)
	r.words[s] = s
	return s
}

// Is reports whether n's word is that.
func (r *Reader) Is(n int32, word string) bool { return string(r.T.Text(n)) == word }

// Up is the node n lies below; None at the top.
func (r *Reader) Up(n int32) int32 {
	if n < 0 || r.T.Nodes[n].Parent < 0 {
		return None
	}
	return r.T.Nodes[n].Parent
}

// Above is the nearest node above n with that word; None when there is none.
func (r *Reader) Above(n int32, word string) int32 {
	for n = r.Up(n); n != None; n = r.Up(n) {
		if r.Is(n, word) {
			return n
		}
	}
	return None
}

// Span is the text of the statement that made n, up to n's word.
func (r *Reader) Span(n int32) evidence.Span {
	if n == None {
		return evidence.Span{}
	}
	return r.T.Span(r.F, n)
}

// WordSpan is length bytes of n's word, from byte i of it.
func (r *Reader) WordSpan(n int32, i, length int) evidence.Span {
	return r.F.Span(r.T.Base+int64(r.T.Nodes[n].Off)+int64(i), length)
}

// OK accounts for n as understood.
func (r *Reader) OK(n int32) {
	if n != None {
		r.T.Mark(n, facts.Understood)
	}
}

// OKAll accounts for n and what is below it and not yet accounted for as understood.
func (r *Reader) OKAll(n int32) {
	if n != None {
		r.T.MarkAll(n, facts.Understood)
	}
}

// Unsupported accounts for n and everything below it as known, bearing on transfers or filters, and not modelled.
func (r *Reader) Unsupported(n int32, reason string) {
	r.T.Force(n, facts.Unsupported)
	r.reasons[n] = reason
}

// InFilter says that what is below n belongs to that filter: lines nobody understood are told with it.
func (r *Reader) InFilter(n int32, filter string) { r.filters[n] = filter }

// Account counts the lines by state and keeps those nobody understood. What holds a statement that is accounted for
// is structure around it.
func (r *Reader) Account() {
	for i := len(r.T.Nodes) - 1; i >= 0; i-- {
		if n := &r.T.Nodes[i]; n.State == facts.Unrecognised && n.First != None && r.accounted(int32(i)) {
			n.State = facts.Understood
		}
	}
	r.T.Account(r.F, r.D, func(n int32) string { return r.T.Nearest(r.filters, n) }, func(n int32) string { return r.T.Nearest(r.reasons, n) })
}

// accounted reports whether a child of n is.
func (r *Reader) accounted(n int32) bool {
	for c := r.T.Nodes[n].First; c != None; c = r.T.Nodes[c].Next {
		if r.T.Nodes[c].State != facts.Unrecognised {
			return true
		}
	}
	return false
}

// Prefix reads an address with or without a length; host is what it says before its network is taken.
func Prefix(b []byte) (pfx netip.Prefix, host netip.Addr, ok bool) {
	i := bytes.IndexByte(b, '/')
	if i < 0 {
		a, ok := field.Addr(b)
		if !ok {
			return netip.Prefix{}, netip.Addr{}, false
		}
		return netip.PrefixFrom(a, a.BitLen()), a, true
	}
	a, ok := field.Addr(b[:i])
	n, num := field.Uint(b[i+1:])
	if !ok || !num || n > uint64(a.BitLen()) {
		return netip.Prefix{}, netip.Addr{}, false
	}
	return netip.PrefixFrom(a, int(n)).Masked(), a, true
}

// Item reads an address, a prefix or a range "first-last" as a member of a set.
func Item(b []byte) (facts.AddrItem, bool) {
	if from, to, ok := bytes.Cut(b, []byte("-")); ok {
		a, ok1 := field.Addr(from)
		z, ok2 := field.Addr(to)
		if ok1 && ok2 && a.Is4() == z.Is4() && !z.Less(a) {
			return facts.AddrItem{From: a, To: z}, true
		}
		return facts.AddrItem{}, false
	}
	p, _, ok := Prefix(b)
	return facts.AddrItem{Prefix: p}, ok
}

// Port reads a port number; 0 when it is none.
func Port(s string) uint16 {
	n, _ := field.Port([]byte(s))
	return n
}

// Range reads "21", "20-21" or "20:21".
func Range(s string) (facts.PortRange, bool) {
	b := []byte(s)
	i := bytes.IndexAny(b, "-:")
	if i < 0 {
		n, ok := field.Port(b)
		return facts.PortRange{First: n, Last: n}, ok
	}
	from, ok1 := field.Port(b[:i])
	to, ok2 := field.Port(b[i+1:])
	return facts.PortRange{First: from, Last: to}, ok1 && ok2 && from <= to
}
