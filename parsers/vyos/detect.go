package vyos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

// kinds of interfaces, the word behind "interfaces", which no other platform has there.
func isKind(w []byte) bool {
	switch string(w) {
	case "ethernet", "loopback", "bonding", "bridge", "dummy", "pppoe", "tunnel", "vti", "vxlan", "wireguard", "openvpn", "switch",
		"geneve", "wireless", "pseudo-ethernet", "l2tpv3", "macsec", "wwan", "sstpc", "virtual-ethernet", "input":
		return true
	}
	return false
}

// detectSet weighs set commands.
func detectSet(head []byte) facts.Confidence {
	owned, other, lines := 0, 0, 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		rest, ok := bytes.CutPrefix(line, []byte("set "))
		if !ok {
			continue
		}
		lines++
		w := bytes.Fields(rest[:min(len(rest), 200)])
		if len(w) < 2 {
			continue
		}
		switch string(w[0]) {
		case "interfaces":
			if isKind(w[1]) {
				owned++
			} else {
				other++
			}
		case "system":
			switch string(w[1]) {
			case "config-management", "conntrack", "console", "option", "task-scheduler", "flow-accounting", "sflow", "update-check", "offload",
				"traffic-analysis", "analytics-handler", "crash-handler", "package":
				owned++
			}
		case "service":
			switch string(w[1]) {
			case "tftp-server", "ssh", "gui", "lldp", "ubnt-discover", "dhcp-server", "nat", "https", "ntp":
				owned++
			}
		case "firewall":
			switch string(w[1]) {
			case "name", "ipv4", "ipv6", "global-options", "group", "zone", "all-ping", "state-policy", "ipv6-name", "flowtable":
				owned++
			}
		case "zone-policy", "container", "traffic-policy", "high-availability", "nat", "qos", "load-balancing":
			owned++
		case "version", "groups", "security", "chassis", "deviceconfig", "rulebase", "mgt-config", "installer", "network", "policy-options", "routing-instances", "clienv":
			other++
		}
	}
	switch {
	case owned == 0, other > owned/4:
		return facts.No
	case owned >= 3 && other == 0:
		return facts.Certain - 5
	case owned >= 2:
		return facts.Strong
	case lines == owned:
		return facts.Likely
	}
	return facts.Possible
}

// detectBrace looks for "interfaces {" with a kind below it, or the mark of the version.
func detectBrace(head []byte) facts.Confidence {
	if bytes.Contains(head, []byte("vyatta-config-version:")) || bytes.Contains(head, []byte("vyos-config-version:")) {
		return facts.Certain
	}
	owned, semicolons, lines, top := 0, 0, 0, ""
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimRight(line, " \t\r")
		if len(line) == 0 {
			continue
		}
		lines++
		if line[len(line)-1] == ';' {
			semicolons++
		}
		word := bytes.Fields(line[:min(len(line), 200)])
		if line[len(line)-1] != '{' || len(word) == 0 {
			continue
		}
		if line[0] != ' ' && line[0] != '\t' {
			top = string(word[0])
			continue
		}
		switch {
		case top == "interfaces" && len(word) == 3 && isKind(word[0]), top == "firewall" && len(word) == 3 && (string(word[0]) == "name" || string(word[0]) == "ipv6-name"),
			top == "service" && (string(word[0]) == "ssh" || string(word[0]) == "tftp-server" || string(word[0]) == "gui"),
			top == "system" && (string(word[0]) == "config-management" || string(word[0]) == "task-scheduler" || string(word[0]) == "console"),
			top == "zone-policy" && string(word[0]) == "zone":
			owned++
		}
	}
	switch {
	case owned == 0 || semicolons > lines/20:
		return facts.No
	case owned >= 2:
		return facts.Strong
	}
	return facts.Likely
}
