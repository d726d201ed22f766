package ciscoios

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// maxDetectLines bounds what Detect looks at.
const maxDetectLines = 4000

// Detect tells an IOS or IOS-XE configuration from those of ASA, NX-OS, IOS XR, EOS, FRR and others that look like it, and
// from logs, by what its lines say. A line that only another platform has counts against it.
func Detect(_ string, head []byte) facts.Confidence {
	var mine, other, inner int
	head = bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	for line := 0; len(head) > 0 && line < maxDetectLines && mine < 60; line++ {
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
		if len(text) == 0 {
			continue
		}
		score := weigh(text)
		switch {
		case score < 0:
			other -= score
		case text[0] == ' ' && score == 1: // what many platforms say below an interface counts a little
			if inner++; inner <= 3 {
				mine++
			}
		default:
			mine += score
		}
	}
	switch {
	case mine == 0 || other > mine:
		return facts.No
	case other*2 > mine:
		return facts.Possible // a mixture
	case mine >= 20 && other == 0:
		return facts.Certain - 5
	case mine >= 10 && other*4 <= mine:
		return facts.Strong
	case mine >= 4:
		return facts.Likely
	}
	return facts.Possible
}

// weigh is how much a line speaks for IOS; negative speaks against it.
func weigh(text []byte) int {
	first, rest := field.Word(text)
	if len(first) == 0 {
		return 0
	}
	rest = field.TrimLeft(rest)
	if text[0] == ' ' || text[0] == '\t' {
		return weighInner(first, rest)
	}
	switch {
	case first[0] == '!':
		return weighComment(bytes.TrimLeft(text, "! "))
	case first[0] == '#', text[len(text)-1] == '{', text[0] == '}': // blocks in braces
		return -3
	}
	switch string(first) {
	case "Building", "Current":
		if field.Has(rest, "configuration") {
			return 1
		}
	case "version":
		return weighVersion(rest)
	case "boot-start-marker", "boot-end-marker", "service", "no", "ip", "ipv6", "line", "interface", "aaa", "control-plane", "vtp", "redundancy",
		"multilink", "subscriber", "access-list", "zone", "zone-pair", "class-map", "policy-map", "spanning-tree", "platform", "vrf", "ntp",
		"crypto", "archive", "kron", "event", "snmp-server", "logging", "tftp-server", "vstack", "enable", "username", "switch", "license",
		"object-group", "hostname", "arp", "tacacs-server", "radius-server", "exception", "alias", "scheduler", "boot", "ftp-server":
		return weighTop(first, rest)
	case "frr", "log", "agentx", "password", "zebra": // FRR and its like
		if string(first) == "frr" {
			return -20
		}
	case "ASA", "PIX", "FWSM", "NGFW":
		if field.Has(rest, "Version ") {
			return -40
		}
	case "nameif", "security-level", "access-group", "same-security-traffic", "names", "fixup", "asdm", "failover", "threat-detection", "sysopt",
		"dynamic-access-policy-record", "group-policy", "tunnel-group", "xlate":
		return -6
	case "feature", "vdc", "vpc", "switchname", "feature-set", "cfs", "role", "fabric": // NX-OS
		return -6
	case "transceiver", "daemon", "management", "mlag", "queue-monitor", "prompt": // EOS
		return -3
	case "telnet", "route-policy", "prefix-set", "community-set", "as-path-set", "RP/0/RSP0/CPU0:", "end-policy", "end-set", "l2vpn", "lpts": // XR
		return -6
	case ":":
		return -6
	case ";":
		return -10
	}
	return 0
}

func weighComment(rest []byte) int {
	switch {
	case field.Has(rest, "Cisco IOS"), field.Has(rest, "Image: Software: "), field.Has(rest, "Last configuration change at"),
		field.Has(rest, "NVRAM config last updated"):
		return 5
	case field.Has(rest, "device:"), field.Has(rest, "Command: show running-config"), field.Has(rest, "boot system flash:/EOS"): // EOS
		return -20
	}
	if len(rest) < 100 {
		for _, s := range [...]string{"ArubaOS", "IOS XR", "ACOS", "Fiberstore", "Arista", "NX-OS", "OS10", "Version 10.", "Nexus", "Extreme", "FASTPATH"} {
			if field.Index(rest, s) >= 0 {
				return -20
			}
		}
	}
	return 0
}

// weighVersion reads "version 15.2"; NX-OS says "version 9.3(5) Bios:version", others longer things.
func weighVersion(rest []byte) int {
	if len(rest) > 6 || len(rest) < 4 || rest[0]-'0' > 9 {
		return 0
	}
	for _, c := range rest {
		if c != '.' && c-'0' > 9 {
			return -3
		}
	}
	return 4
}

func weighTop(first, rest []byte) int {
	second, more := field.Word(rest)
	switch string(first) {
	case "boot-start-marker", "boot-end-marker":
		return 8
	case "service":
		switch string(second) {
		case "timestamps":
			if bytes.HasSuffix(rest, []byte(" date")) { // others that look like it
				return 0
			}
			return 5
		case "tcp-keepalives-in", "tcp-small-servers", "call-home", "pad", "config":
			return 5
		case "password-encryption":
			return 2
		case "routing", "integrated-vtysh-config", "unsupported-transceiver": // EOS, FRR
			return -8
		}
	case "no":
		switch string(second) {
		case "service":
			return 3
		case "aaa":
			return 3 // no aaa new-model; EOS says "no aaa root"
		case "ip":
			return weighIP(field.TrimLeft(more)) / 2
		case "vstack", "tftp-server", "ftp-server":
			return 6
		case "feature", "vpc":
			return -4
		}
	case "ip", "ipv6":
		return weighIP(rest)
	case "line":
		switch string(second) {
		case "vty":
			if len(field.Trim(more)) > 0 {
				return 2 // NX-OS and FRR have no numbers
			}
		case "con":
			return 1
		case "aux":
			return 3
		case "default", "template", "console": // XR, NX-OS
			return -4
		}
	case "interface":
		return weighInterface(second)
	case "aaa":
		if string(second) == "new-model" || string(second) == "session-id" {
			return 6
		}
	case "access-list":
		return weighList(second, more)
	case "zone", "zone-pair":
		if string(second) == "security" {
			return 6
		}
	case "class-map", "policy-map":
		if field.Has(rest, "type inspect") {
			return 3
		}
	case "event":
		if string(second) == "manager" {
			return 3
		}
	case "kron", "multilink", "subscriber", "vtp", "vstack":
		return 4
	case "crypto":
		if string(second) == "pki" {
			return 3
		}
	case "switch":
		if field.Index(rest, " provision ") >= 0 {
			return 6
		}
	case "license":
		if string(second) == "udi" {
			return 6
		}
	case "tftp-server":
		if bytes.IndexByte(second, ':') > 0 || string(second) == "flash" {
			return 6
		}
		return -2 // ASA: tftp-server inside 192.0.2.1
	case "object-group":
		return 1
	case "logging":
		if string(second) == "enable" || string(second) == "asdm" { // ASA
			return -4
		}
	case "enable":
		if string(second) == "secret" {
			return 2
		}
	case "snmp-server":
		if string(second) == "community" && (bytes.HasSuffix(rest, []byte(" RO")) || bytes.HasSuffix(rest, []byte(" RW"))) {
			return 3 // in capitals only here and on XR
		}
	case "control-plane", "redundancy", "archive", "scheduler", "ftp-server":
		return 2
	case "exception", "tacacs-server", "radius-server":
		return 1
	case "vrf":
		if string(second) == "definition" {
			return 3
		}
		if string(second) == "context" { // NX-OS
			return -4
		}
	case "boot":
		if string(second) == "nxos" || string(second) == "kickstart" {
			return -8
		}
		if string(second) == "system" {
			return 2
		}
	case "hostname", "username", "ntp", "spanning-tree", "platform", "arp", "alias":
		return 0
	}
	return 0
}

func weighIP(rest []byte) int {
	second, more := field.Word(rest)
	more = field.TrimLeft(more)
	switch string(second) {
	case "cef", "forward-protocol", "classless", "subnet-zero", "rcmd", "bootp", "source-route", "finger", "inspect", "sla", "flow-export":
		return 4
	case "http":
		if field.Has(more, "server") || field.Has(more, "secure-server") || field.Has(more, "authentication") {
			return 4
		}
	case "access-list":
		if field.Has(more, "extended") || field.Has(more, "standard") {
			if bytes.IndexByte(more, '"') >= 0 { // Aruba
				return -3
			}
			return 3
		}
	case "route":
		if i := bytes.IndexByte(more, '/'); i > 0 && i < 20 {
			return -2 // a prefix length: NX-OS, EOS, FRR
		}
		return 1
	case "tftp", "ftp", "scp":
		return 3
	case "ssh", "domain", "domain-name":
		return 1
	case "nat":
		if field.Has(more, "inside source") {
			return 2
		}
	case "prefix-list":
		return 1
	case "unicast-routing":
		return 2
	case "dhcp":
		if field.Has(more, "excluded-address") || field.Has(more, "pool ") {
			return 4
		}
	}
	return 0
}

func weighInterface(name []byte) int {
	switch {
	case field.Has(name, "GigabitEthernet"), field.Has(name, "FastEthernet"), field.Has(name, "TenGigabitEthernet"), field.Has(name, "TwoGigabitEthernet"):
		if bytes.Count(name, []byte("/")) >= 3 { // XR
			return -1
		}
		return 1
	case field.Has(name, "MgmtEth"), field.Has(name, "Bundle-Ether"): // XR
		return -4
	case field.Has(name, "mgmt0"), field.Has(name, "Management"), field.Has(name, "port-channel"): // NX-OS, EOS
		return -2
	}
	return 0
}

// weighList looks at a flat list: the ASA says "extended" behind the name, with netmasks; with a wildcard it is no ASA's.
func weighList(name, rest []byte) int {
	kind, rest := field.Word(rest)
	_, numbered := number(name)
	if numbered {
		switch string(kind) {
		case "permit", "deny", "remark":
			return 2
		}
	}
	switch string(name) {
	case "dynamic-extended", "compiled", "rate-limit":
		return 4
	}
	if string(kind) != "extended" {
		return -1
	}
	for w, more := field.Word(rest); len(w) > 0; w, more = field.Word(more) {
		if a, ok := field.Addr(w); ok && a.Is4() {
			if b := a.As4(); b[0] == 0 && b[3] != 0 {
				return 12 // 0.0.0.255
			}
		}
	}
	return -3
}

func weighInner(first, rest []byte) int {
	second, more := field.Word(rest)
	switch string(first) {
	case "nameif", "security-level":
		return -6
	case "zone-member":
		return 4
	case "ipv4": // XR
		if string(second) == "address" {
			return -6
		}
	case "ip":
		switch string(second) {
		case "address":
			a, mask := field.Word(more)
			if bytes.IndexByte(a, '/') > 0 {
				return -2
			}
			if m, ok := field.Addr(firstWord(mask)); ok && m.Is4() && m.As4()[0] >= 128 {
				return 1
			}
		case "access-group", "nat", "helper-address", "virtual-reassembly", "route-cache":
			return 1
		}
	case "login", "transport", "exec-timeout", "stopbits":
		return 1
	case "switchport", "duplex", "speed", "negotiation", "mop":
		return 0
	case "host", "group-object":
		return 0
	case "network-object", "port-object", "service-object": // ASA
		return -4
	}
	return 0
}

func firstWord(b []byte) []byte {
	w, _ := field.Word(b)
	return w
}
