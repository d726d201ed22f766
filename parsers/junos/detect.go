package junos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

// detectBrace looks for top-level blocks only Junos has, statements that end in semicolons, and the marks Junos prints.
// VyOS has the same block names and no semicolons; PAN-OS wraps everything in "config {", SR OS in "configure {".
func detectBrace(head []byte) facts.Confidence {
	if bytes.IndexByte(head, '{') < 0 { // nearly every other configuration: nothing below would count
		return facts.No
	}
	var ends, opens, closes, odd, top, inner int
	var foreign bool
	mark := hasAny(head, "## SECRET-DATA", "## Last commit: ", "## Last changed: ")
	eachLine(head, func(line []byte, column int) bool {
		line = withoutComment(line)
		if len(line) == 0 {
			return true
		}
		word := firstWord(line)
		block := bytes.HasSuffix(line, []byte("{")) || bytes.Contains(line, []byte(" { "))
		switch {
		case column == 0 && block && topLevel(word) != notJunos:
			top++
		case column == 0 && string(word) == "version" && bytes.HasSuffix(line, []byte(";")):
			mark = mark || releaseLike(line[len("version"):])
		case column == 0 && block && len(word) > 0 && word[len(word)-1] != ':' && !innerBlock(line):
			foreign = true
		}
		if block && innerBlock(line) {
			inner++
		}
		if bytes.Contains(line, []byte("; ")) {
			ends++
		}
		switch line[len(line)-1] {
		case ';':
			ends++
		case '{':
			opens++
		case '}', ']':
			closes++
		default:
			if aside(line) {
				break
			}
			odd++
		}
		return true
	})
	switch {
	case foreign, ends == 0 && !mark, odd > (ends+opens+closes)/8+2, top+inner == 0:
		return facts.No
	case mark && top > 0:
		return facts.Certain
	case top >= 2 || top > 0 && inner > 0:
		return facts.Strong
	case top > 0 || inner >= 3:
		return facts.Likely
	}
	return facts.Possible
}

// hasVerb reports whether a line begins with what a list of set commands is made of.
func hasVerb(head []byte) bool {
	found := false
	eachLine(head, func(line []byte, _ int) bool {
		switch line[0] {
		case 's', 'e', 'd':
			switch string(firstWord(line)) {
			case "set", "edit", "deactivate":
				found = true
			}
		}
		return !found
	})
	return found
}

// detectSet weighs set and deactivate lines: words only Junos has against those of VyOS, PAN-OS and Gaia.
func detectSet(head []byte) facts.Confidence {
	if !hasVerb(head) { // nearly every other file
		return facts.No
	}
	var own, shared, foreign, odd int
	var mark, inside bool // inside: an edit line says where the lines that follow stand
	eachLine(head, func(line []byte, column int) bool {
		if line[0] == '#' {
			return true
		}
		verb := firstWord(line)
		rest := bytes.TrimLeft(line[len(verb):], " \t")
		switch string(verb) {
		case "set":
			if inside && column == 0 {
				return true
			}
		case "edit":
			if topLevel(firstWord(rest)) != notJunos {
				own++
				inside = true
			}
			return true
		case "top", "up", "exit", "insert":
			inside = inside && string(verb) != "top"
			return true
		case "deactivate":
			own++
			return true
		case "delete", "activate", "protect":
			return true
		default:
			if !asideSet(line) {
				odd++
			}
			return true
		}
		if column > 0 { // FortiOS
			odd++
			return true
		}
		word := firstWord(rest)
		more := bytes.TrimLeft(rest[len(word):], " \t")
		switch k := topLevel(word); {
		case string(word) == "version":
			mark = mark || releaseLike(more)
		case k == notJunos, vyos(word, more):
			foreign++
		case k == ownJunos:
			own++
		case bytes.IndexByte(more, '\'') >= 0 && bytes.HasSuffix(line, []byte("'")):
			foreign++ // VyOS quotes every value
		case junosOnly(word, more):
			own++
		default:
			shared++
		}
		return true
	})
	total := own + shared
	switch {
	case total == 0 && !mark, foreign > total/8, odd > total/4+2:
		return facts.No
	case mark:
		return facts.Certain
	case own >= 3:
		return facts.Strong
	case own > 0:
		return facts.Likely
	}
	return facts.Possible
}

// A level is how far a top-level word tells Junos.
type level uint8

const (
	notJunos level = iota
	sharedJunos
	ownJunos
)

func topLevel(word []byte) level {
	switch string(word) {
	case "system", "interfaces", "firewall", "protocols", "services", "access", "security", "policy":
		return sharedJunos
	case "version", "groups", "apply-groups", "chassis", "snmp", "policy-options", "routing-options", "routing-instances",
		"forwarding-options", "class-of-service", "vlans", "applications", "event-options", "virtual-chassis",
		"switch-options", "accounting-options", "bridge-domains", "logical-systems", "multi-chassis", "schedulers",
		"ethernet-switching-options", "poe", "tenants", "dynamic-profiles", "jsrc", "smtp", "wlan", "fabric", "diameter",
		"redundant-power-system", "unified-edge", "session-limit-group", "multicast-snooping-options", "vmhost",
		"bridge", "extensions", "openconfig-interfaces":
		return ownJunos
	}
	return notJunos
}

// vyos reports whether "set word more" is VyOS: its interface types and firewall tree stand where Junos has names.
func vyos(word, more []byte) bool {
	next := string(firstWord(more))
	switch string(word) {
	case "interfaces":
		switch next {
		case "ethernet", "loopback", "bonding", "bridge", "vti", "tunnel", "dummy", "wireguard", "openvpn", "pppoe", "vxlan",
			"wireless", "geneve", "l2tpv3", "macsec", "pseudo-ethernet", "input", "sstpc", "virtual-ethernet", "wwan", "switch":
			return true
		}
	case "firewall":
		switch next {
		case "name", "ipv4", "ipv6", "group", "all-ping", "global-options", "zone", "state-policy", "ipv6-name",
			"broadcast-ping", "receive-redirects", "send-redirects", "source-validation", "syn-cookies", "flowtable":
			return true
		}
	case "system":
		switch next {
		case "config-management", "console", "conntrack", "sysctl", "offload", "package", "option", "task-scheduler":
			return true
		}
	}
	return false
}

// junosOnly reports whether "set word more" is a statement VyOS does not have.
func junosOnly(word, more []byte) bool {
	next := firstWord(more)
	switch string(word) {
	case "interfaces":
		return bytes.Contains(more, []byte(" unit ")) || bytes.IndexByte(next, '-') > 0 || bytes.HasPrefix(next, []byte("<"))
	case "system":
		switch string(next) {
		case "host-name":
			return false
		case "root-authentication", "services", "syslog", "archival", "license", "processes", "ports", "accounting",
			"radius-server", "tacplus-server", "commit", "extensions", "autoinstallation":
			return true
		case "login":
			return bytes.Contains(more, []byte(" class ")) || bytes.Contains(more, []byte("encrypted-password \""))
		}
	case "firewall":
		return hasWord(next, "family", "filter", "policer", "interface-set", "three-color-policer")
	case "security":
		return hasWord(next, "zones", "policies", "nat", "screen", "ike", "ipsec", "address-book", "alg", "flow", "log",
			"forwarding-options", "idp", "utm", "pki", "certificates")
	case "protocols":
		return hasWord(next, "lldp", "rstp", "mpls", "ldp", "rsvp", "igmp-snooping", "l2-learning", "router-advertisement") ||
			bytes.Contains(more, []byte(" group "))
	}
	return false
}

func hasWord(w []byte, list ...string) bool {
	for _, s := range list {
		if string(w) == s {
			return true
		}
	}
	return false
}

// innerBlock reports whether the line opens a block that Junos has below its top level.
func innerBlock(line []byte) bool {
	for _, s := range [...]string{
		"unit ", "family inet", "term ", "from-zone ", "policy-statement ", "security-zone ", "filter ", "host-inbound-traffic {",
		"inactive: ", "security {", "then {", "from {", "policy ", "prefix-list ", "rule-set ", "address-book ",
	} {
		if bytes.HasPrefix(line, []byte(s)) && bytes.IndexByte(line, '{') > 0 {
			return true
		}
	}
	return false
}

// releaseLike reports whether b begins with a Junos release: 15.1X49-D15.4, 22.4R3-S2.11.
func releaseLike(b []byte) bool {
	_, ok := parseRelease(b)
	return ok
}

func firstWord(b []byte) []byte {
	for i, c := range b {
		if c == ' ' || c == '\t' || c == ';' {
			return b[:i]
		}
	}
	return b
}

// withoutComment is the line without a comment at its end, or nothing when it is one.
func withoutComment(line []byte) []byte {
	if line[0] == '#' || line[0] == '*' || bytes.HasPrefix(line, []byte("/*")) || bytes.HasSuffix(line, []byte("*/")) {
		return nil
	}
	if i := bytes.Index(line, []byte("; #")); i >= 0 {
		line = line[:i+1]
	}
	return bytes.TrimRight(line, " \t\r")
}

func hasAny(line []byte, list ...string) bool {
	for _, s := range list {
		if bytes.Contains(line, []byte(s)) {
			return true
		}
	}
	return false
}

// eachLine calls f with every line that is not blank, without its indentation, and the column it began in. The last
// line is left out when nothing ends it and there are others: the head may have cut it.
func eachLine(head []byte, f func(line []byte, column int) bool) {
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for first := true; len(head) > 0; first = false {
		line, rest, ended := bytes.Cut(head, []byte("\n"))
		if !ended && !first && len(line) > 0 && len(head) > 1000 {
			return
		}
		head = rest
		column, end := 0, len(line)
		for column < end && blank(line[column]) {
			column++
		}
		for end > column && blank(line[end-1]) {
			end--
		}
		if column < end && !f(line[column:end], column) {
			return
		}
	}
}

func blank(c byte) bool { return c == ' ' || c == '\t' || c == '\r' }
