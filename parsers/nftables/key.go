package nftables

import (
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// A keyKind is what part of a packet an expression reads.
type keyKind uint8

const (
	keyOther keyKind = iota // known, and no packet's header tells it
	keySrc
	keyDst
	keySport
	keyDport
	keyProto
	keyFamily
	keyIn
	keyOut
	keyState
	keyICMP
	keyICMP6
	keyFlags
	keyFrag
)

// A key is an expression that a value is compared with (nft(8), PRIMARY and PAYLOAD EXPRESSIONS).
type key struct {
	kind  keyKind
	proto uint8        // the protocol it implies; 0 none
	fam   facts.Family // the version of IP it implies
	name  string
}

// roots are the words an expression begins with, and how many words of an expression that is not told follow.
var roots = map[string]int{
	"ip": 1, "ip6": 1, "tcp": 1, "udp": 1, "udplite": 1, "sctp": 1, "dccp": 1, "th": 1, "icmp": 1, "icmpv6": 1, "meta": 1, "ct": 1, "iif": 0,
	"oif": 0, "iifname": 0, "oifname": 0, "iiftype": 0, "oiftype": 0, "iifgroup": 0, "oifgroup": 0, "mark": 0, "pkttype": 0, "skuid": 0,
	"skgid": 0, "rtclassid": 0, "cgroup": 0, "ibrname": 0, "obrname": 0, "l4proto": 0, "nfproto": 0, "protocol": 0, "length": 0, "priority": 0,
	"fib": 0, "rt": 1, "socket": 1, "ether": 1, "vlan": 1, "arp": 1, "exthdr": 1, "frag": 1, "hbh": 1, "dst": 1, "mh": 1, "srh": 1, "ah": 1,
	"esp": 1, "comp": 1, "igmp": 1, "gre": 1, "osf": 1, "ipsec": 2, "cpu": 0, "day": 0, "hour": 0, "time": 0, "random": 0,
}

// metas are what follows "meta" (nft(8), META EXPRESSIONS).
var metas = []string{
	"iif", "oif", "iifname", "oifname", "iiftype", "oiftype", "iifgroup", "oifgroup", "iifkind", "oifkind", "mark", "pkttype", "skuid", "skgid",
	"rtclassid", "cgroup", "cpu", "length", "priority", "protocol", "nfproto", "l4proto", "nftrace", "random", "ipsec", "secpath", "ibrname",
	"obrname", "ibrpvid", "ibrvproto", "sdif", "sdifname", "time", "day", "hour", "broute", "secmark",
}

// key reads an expression from its first word.
func (x *reader) key(t token) (key, bool) {
	extra, known := roots[t.text]
	if !known || t.quoted {
		return key{}, false
	}
	root := t.text
	if root == "meta" {
		if t, _ = x.next(); !slices.Contains(metas, t.text) {
			return key{}, false
		}
		root, extra = t.text, 0
	}
	switch root {
	case "iif", "iifname":
		return key{kind: keyIn, name: root}, true
	case "oif", "oifname":
		return key{kind: keyOut, name: root}, true
	case "l4proto":
		return key{kind: keyProto, name: root}, true
	case "nfproto", "protocol":
		return key{kind: keyFamily, name: root}, true
	case "fib":
		return x.fib(), true
	case "ct":
		return x.ct(), true
	}
	name := root
	field := ""
	for i := range extra {
		w, _ := x.next()
		if i == 0 {
			field = w.text
		}
		name += " " + w.text
	}
	if field == "option" || root == "socket" && field == "cgroupv2" { // tcp option maxseg size, ip option lsrr, socket cgroupv2 level N
		w, _ := x.next()
		name += " " + w.text
		if x.accept("size", "kind", "length", "left", "right", "tsval", "tsecr", "count", "type", "value", "ptr", "addr") || field == "cgroupv2" && x.peek() != "" {
			name += " …"
		}
		if field == "cgroupv2" {
			x.next()
		}
	}
	return payload(root, field, name), true
}

// payload is the key of a header's field.
func payload(root, field, name string) key {
	k := key{name: strings.Clone(name)}
	switch root {
	case "ip":
		k.fam = facts.IPv4
	case "ip6":
		k.fam = facts.IPv6
	case "tcp", "udp", "udplite", "sctp", "dccp", "ah", "esp", "comp", "igmp", "gre":
		k.proto = protocols[root]
	case "icmp":
		k.proto = 1
	case "icmpv6":
		k.proto = 58
	}
	switch field {
	case "saddr":
		if k.fam != 0 {
			k.kind = keySrc
		}
	case "daddr":
		if k.fam != 0 {
			k.kind = keyDst
		}
	case "sport":
		k.kind = keySport
	case "dport":
		k.kind = keyDport
	case "protocol", "nexthdr":
		if k.fam != 0 {
			k.kind = keyProto
		}
	case "frag-off":
		if root == "ip" {
			k.kind = keyFrag
		}
	case "flags":
		if root == "tcp" {
			k.kind = keyFlags
		}
	case "type":
		switch root {
		case "icmp":
			k.kind = keyICMP
		case "icmpv6":
			k.kind = keyICMP6
		case "ether":
			k.kind = keyFamily
		}
	}
	return k
}

// fib reads "fib saddr . iif oif": where the packet would be routed.
func (x *reader) fib() key {
	x.next()
	for x.accept(".") {
		x.next()
	}
	w, _ := x.next()
	return key{name: "fib " + w.text}
}

// ct reads "ct state", "ct original ip saddr", "ct count over N".
func (x *reader) ct() key {
	w, _ := x.next()
	switch w.text {
	case "state":
		return key{kind: keyState, name: "ct state"}
	case "original", "reply":
		f, _ := x.next()
		if f.is("ip") || f.is("ip6") {
			x.next()
		}
	case "count":
		x.accept("over")
	}
	return key{name: "ct " + strings.Clone(w.text)}
}
