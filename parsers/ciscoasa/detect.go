package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// maxDetectLines bounds what Detect looks at.
const maxDetectLines = 4000

// Detect tells an ASA configuration from those of other platforms by what its lines say. Statements of IOS and NX-OS
// count against it: all three have interfaces, access lists and object groups.
func Detect(_ string, head []byte) facts.Confidence {
	var mine, other int
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for line := 0; len(head) > 0 && line < maxDetectLines; line++ {
		text := head
		if i := bytes.IndexByte(head, '\n'); i >= 0 {
			text, head = head[:i], head[i+1:]
		} else {
			head = nil
		}
		if bytes.IndexByte(text, 0) >= 0 {
			return facts.No
		}
		text = field.TrimRight(text)
		score, sure := weigh(text)
		if sure {
			return facts.Certain
		}
		if score > 0 {
			mine += score
		} else {
			other -= score
		}
	}
	switch {
	case mine == 0 || other > mine:
		return facts.No
	case mine >= 10 && other == 0:
		return facts.Strong
	case mine >= 4:
		return facts.Likely
	}
	return facts.Possible
}

// weigh is how much a line speaks for an ASA (negative: against); sure ends the question.
func weigh(text []byte) (score int, sure bool) {
	first, rest := field.Word(text)
	if len(first) == 0 {
		return 0, false
	}
	rest = field.TrimLeft(rest)
	if text[0] == ' ' || text[0] == '\t' {
		switch string(first) {
		case "nameif", "security-level":
			return 3, false
		case "network-object", "port-object", "service-object", "icmp-object", "protocol-object":
			return 2, false
		case "ip":
			// Netmask after the address: IOS has it too.
			return 0, false
		case "switchport", "transport", "login", "exec-timeout": // IOS
			return -1, false
		case "vrf", "no", "shutdown", "description":
			return 0, false
		}
		return 0, false
	}
	switch string(first) {
	case "ASA", "PIX", "NGFW", "FWSM":
		return 0, field.Has(rest, "Version ")
	case ":":
		if field.Has(rest, "Saved") || field.Has(rest, "Serial Number:") || field.Has(rest, "Hardware:") {
			return 4, false
		}
	case "access-group":
		return 5, false // IOS has it below an interface, as "ip access-group"
	case "same-security-traffic", "xlate", "object", "threat-detection", "dynamic-access-policy-record", "nameif", "security-level", "tunnel-group",
		"group-policy", "failover", "asdm", "fixup", "conduit", "service-policy", "monitor-interface", "sysopt", "flow-export":
		return 4, false
	case "passwd", "names", "mtu", "http", "ssh", "icmp", "global", "static", "pager", "timeout", "dhcpd", "domain-name":
		return 1, false
	case "object-group":
		return 1, false
	case "route":
		return 2, false // "route outside 0.0.0.0 ..."; IOS says "ip route"
	case "access-list":
		return weighList(rest), false
	case "version", "boot-start-marker", "service", "line", "spanning-tree", "vtp", "feature", "ip", "hostname", "interface", "router", "redundancy", "vrf", "vdc",
		"control-plane", "voice", "archive", "appletalk", "controller":
		return weighOther(first, rest), false
	}
	return 0, false
}

// weighList looks at an access list: only the ASA says "extended" or "standard" after the name, and names lists freely.
func weighList(rest []byte) int {
	name, rest := field.Word(rest)
	kind, _ := field.Word(rest)
	_, numbered := number(name)
	switch string(kind) {
	case "extended", "standard", "webtype", "ethertype", "advanced":
		if hasWildcard(rest) {
			return -5
		}
		return 5
	case "permit", "deny", "remark":
		if numbered {
			return 0
		}
		return 1
	}
	return 0
}

// hasWildcard reports whether an address is followed by a wildcard mask, as on IOS ("10.0.0.0 0.0.0.255"): zeros first.
func hasWildcard(rest []byte) bool {
	after := false // the word before is an address
	for len(rest) > 0 {
		var w []byte
		w, rest = field.Word(rest)
		a, ok := field.Addr(w)
		if ok && after && a.Is4() && w[0] == '0' && !a.IsUnspecified() {
			return true
		}
		after = ok && a.Is4()
	}
	return false
}

// weighOther looks at statements of IOS and NX-OS. Those that the ASA has too count nothing.
func weighOther(first, rest []byte) int {
	switch string(first) {
	case "version", "boot-start-marker", "spanning-tree", "vtp", "feature", "vdc", "redundancy", "voice", "archive", "appletalk", "controller":
		return -4
	case "line":
		if field.Has(rest, "vty") || field.Has(rest, "con") || field.Has(rest, "aux") {
			return -6
		}
	case "service":
		if field.Has(rest, "timestamps") || field.Has(rest, "password-encryption") {
			return -4
		}
	case "ip":
		for _, s := range [...]string{"access-list", "route ", "cef", "http ", "domain", "ssh", "nat ", "routing", "classless"} {
			if field.Has(rest, s) {
				return -3
			}
		}
	}
	return 0
}
