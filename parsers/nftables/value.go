package nftables

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// options follow a key in a set's element (nft(8), SETS).
var options = []string{"timeout", "expires", "counter", "limit", "quota", "comment", "last"}

// plain is an element's key without what follows it.
func plain(words []token) []token {
	for i, w := range words {
		if i > 0 && !w.quoted && slices.Contains(options, w.text) {
			return words[:i]
		}
	}
	return words
}

// text joins words as they are told; a range is one word.
func text(words []token) string {
	if len(words) == 1 {
		return words[0].text
	}
	var b strings.Builder
	for i, w := range words {
		if b.Len() > 256 {
			break
		}
		if i > 0 && !w.is("-") && !words[i-1].is("-") {
			b.WriteByte(' ')
		}
		if !w.is("\n") {
			b.WriteString(w.text)
		}
	}
	return b.String()
}

// addrItem reads an address, a prefix or a range.
func addrItem(words []token) (facts.AddrItem, bool) {
	s := text(plain(words))
	if a, b, ranged := strings.Cut(s, "-"); ranged {
		from, err1 := netip.ParseAddr(a)
		to, err2 := netip.ParseAddr(b)
		ok := err1 == nil && err2 == nil && from.Is4() == to.Is4() && from.Zone() == "" && to.Zone() == "" && !to.Less(from)
		return facts.AddrItem{From: from, To: to}, ok
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		return facts.AddrItem{Prefix: p.Masked()}, true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return facts.AddrItem{}, false
	}
	return facts.AddrItem{Prefix: netip.PrefixFrom(a, a.BitLen())}, true
}

// number reads a number in decimal or hexadecimal.
func number(s string, bits int) (uint64, bool) {
	n, err := strconv.ParseUint(s, 0, bits)
	if err != nil {
		n, err = strconv.ParseUint(s, 10, bits) // 010 is ten
	}
	return n, err == nil
}

func portRange(words []token) (facts.PortRange, bool) { return portText(text(plain(words))) }

// portText reads a port's number or name, or a range of them.
func portText(s string) (facts.PortRange, bool) {
	if n, ok := port(s); ok {
		return facts.PortRange{First: n, Last: n}, true
	}
	for at := range len(s) { // names have dashes too
		if s[at] != '-' {
			continue
		}
		first, ok1 := port(s[:at])
		last, ok2 := port(s[at+1:])
		if ok1 && ok2 && first <= last {
			return facts.PortRange{First: first, Last: last}, true
		}
	}
	return facts.PortRange{}, false
}

func port(s string) (uint16, bool) {
	if n, ok := number(s, 16); ok {
		return uint16(n), true
	}
	n, ok := services[s]
	return n, ok
}

func protocolRange(s string) (first, last uint8, ok bool) {
	if n, ok := protocol(s); ok {
		return n, n, true
	}
	a, b, ranged := strings.Cut(s, "-")
	first, ok1 := protocol(a)
	last, ok2 := protocol(b)
	return first, last, ranged && ok1 && ok2 && first <= last
}

func protocol(s string) (uint8, bool) {
	if n, ok := number(s, 8); ok {
		return uint8(n), true
	}
	n, ok := protocols[s]
	return n, ok
}

func icmpRange(k keyKind, s string) (first, last uint8, ok bool) {
	names := icmpTypes
	if k == keyICMP6 {
		names = icmp6Types
	}
	if n, ok := names[s]; ok {
		return n, n, true
	}
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	n, ok1 := number(a, 8)
	m, ok2 := number(b, 8)
	return uint8(n), uint8(m), ok1 && ok2 && n <= m
}

// compare reads the value that ports are below or above; of other expressions the order is not told.
func (x *reader) compare(k key, op string) {
	t, _ := x.next()
	n, ok := port(t.text)
	if k.kind != keySport && k.kind != keyDport || !ok {
		x.untold(strings.Clone(k.name + " " + op + " " + t.text))
		return
	}
	p := facts.Ports{Present: true}
	switch v := int(n); op {
	case "<", "lt":
		if v > 0 {
			p.Ranges = []facts.PortRange{{First: 0, Last: n - 1}}
		}
	case "<=", "le":
		p.Ranges = []facts.PortRange{{First: 0, Last: n}}
	case ">", "gt":
		if v < 65535 {
			p.Ranges = []facts.PortRange{{First: n + 1, Last: 65535}}
		}
	default:
		p.Ranges = []facts.PortRange{{First: n, Last: 65535}}
	}
	if k.kind == keySport {
		x.conj(facts.Match{SrcPorts: p})
		return
	}
	x.conj(facts.Match{DstPorts: p})
}
