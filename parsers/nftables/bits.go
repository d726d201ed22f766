package nftables

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// bitwise are the operators that change what an expression reads before it is compared.
var bitwise = []string{"&", "|", "^", "<<", ">>", "and", "or", "xor", "lshift", "rshift"}

// bits reads "KEY & MASK == VALUE", and the flags of TCP in all the ways they are written.
func (x *reader) bits(k key) {
	mask, masked := "", false
	op := x.peek()
	if slices.Contains(bitwise, op) {
		x.next()
		mask, masked = x.bitList(), true
	}
	not := x.accept("!=")
	x.accept("==")
	value := x.bitList()
	if x.accept("/") {
		mask, masked, op = x.bitList(), true, "&"
	}
	whole := strings.Clone(strings.TrimSpace(k.name + " " + value + " of " + mask))
	if masked && op != "&" && op != "and" || x.peek() == "." || slices.Contains(bitwise, x.peek()) {
		x.unknown(whole)
		return
	}
	switch {
	case k.kind == keyFlags && masked && value == "syn" && slices.Contains([]string{"ack,fin,rst,syn", "ack,rst,syn", "ack,syn"}, mask):
		x.conjFlags(facts.Initial, not)
	case k.kind == keyFrag && masked && (mask == "0x1fff" || mask == "8191") && value == "0":
		x.r.Match.Fragments = facts.Unfragmented
		if not {
			x.r.Match.Fragments = facts.NonInitial
		}
	case (k.kind == keySrc || k.kind == keyDst) && masked && x.wild(k, mask, value, not):
	default:
		x.untold(whole)
	}
}

// conjFlags restricts the flags of TCP.
func (x *reader) conjFlags(s facts.TCPState, not bool) {
	if not || x.r.Match.Flags != facts.AnyTCP {
		x.r.Match.AllOf = append(x.r.Match.AllOf, facts.Match{Not: not, Flags: s})
		return
	}
	x.r.Match.Flags = s
}

// wild is an address whose bits under a mask are compared.
func (x *reader) wild(k key, mask, value string, not bool) bool {
	m, err1 := netip.ParseAddr(mask)
	v, err2 := netip.ParseAddr(value)
	if err1 != nil || err2 != nil || !m.Is4() || !v.Is4() {
		return false
	}
	a := facts.Addrs{Present: true, Not: not, Items: x.p.items.One(facts.AddrItem{Wild: &facts.Wildcard{Addr: v.As4(), Care: m.As4()}, Span: x.r.Span})}
	if k.kind == keySrc {
		x.conj(facts.Match{Src: a})
	} else {
		x.conj(facts.Match{Dst: a})
	}
	return true
}

// bitList reads "(a | b)", "a,b", "{ a, b }" or one word, and gives the words in order with commas between. A set in braces
// is one of its values and is told apart by its brackets.
func (x *reader) bitList() string {
	if x.peek() == "{" {
		return "{" + text(x.skipBraces()) + "}"
	}
	var list []string
	paren := x.accept("(")
	for {
		t, ok := x.next()
		if !ok {
			break
		}
		list = append(list, t.text)
		if !x.accept("|", ",", "or") {
			break
		}
	}
	if paren {
		x.accept(")")
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}
