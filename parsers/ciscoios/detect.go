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
	var mine, other, weak int
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
		case score == 1: // what many platforms say counts a little
			if weak++; weak <= 3 {
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
	case mine >= 5:
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
	if w, ok := weights[string(first)]; ok {
		return weighTop(w, first, rest)
	}
	return 0
}

// A weight is how much a statement speaks for IOS when its words go on with second; empty fits any.
type weight struct {
	second string
	score  int
}

// weights are, by first word, the first entry that fits. Words that only other platforms have count against.
var weights = map[string][]weight{
	"Building":                     {{"configuration", 1}},
	"Current":                      {{"configuration", 1}},
	"boot-start-marker":            {{"", 8}},
	"boot-end-marker":              {{"", 8}},
	"hostname":                     {{"", 1}},
	"vlan":                         {{"", 1}},
	"router":                       {{"bgp ", 1}, {"ospf ", 1}, {"eigrp ", 2}, {"rip", 1}},
	"no":                           {{"service ", 3}, {"aaa ", 3}, {"vstack", 6}, {"tftp-server", 6}, {"ftp-server", 6}, {"feature", -4}, {"vpc", -4}},
	"line":                         {{"vty ", 2}, {"con ", 1}, {"aux ", 3}, {"default", -4}, {"template", -4}, {"console", -4}},
	"aaa":                          {{"new-model", 6}, {"session-id", 6}},
	"zone":                         {{"security ", 6}},
	"zone-pair":                    {{"security ", 6}},
	"class-map":                    {{"type inspect ", 3}},
	"policy-map":                   {{"type inspect ", 3}},
	"event":                        {{"manager ", 3}},
	"kron":                         {{"", 4}},
	"multilink":                    {{"", 4}},
	"subscriber":                   {{"", 4}},
	"vtp":                          {{"", 4}},
	"vstack":                       {{"", 4}},
	"crypto":                       {{"pki ", 3}},
	"license":                      {{"udi ", 6}},
	"object-group":                 {{"", 1}},
	"logging":                      {{"enable", -4}, {"asdm", -4}}, // ASA
	"enable":                       {{"secret ", 2}},
	"control-plane":                {{"", 2}},
	"redundancy":                   {{"", 2}},
	"archive":                      {{"", 2}},
	"scheduler":                    {{"", 2}},
	"ftp-server":                   {{"", 2}},
	"exception":                    {{"", 1}},
	"tacacs-server":                {{"", 1}},
	"radius-server":                {{"", 1}},
	"vrf":                          {{"definition ", 3}, {"context ", -4}},
	"boot":                         {{"nxos", -8}, {"kickstart", -8}, {"system ", 2}},
	"frr":                          {{"version", -20}, {"defaults", -20}},
	"ASA":                          {{"Version ", -40}},
	"PIX":                          {{"Version ", -40}},
	"FWSM":                         {{"Version ", -40}},
	"NGFW":                         {{"Version ", -40}},
	"nameif":                       {{"", -6}},
	"security-level":               {{"", -6}},
	"access-group":                 {{"", -6}},
	"same-security-traffic":        {{"", -6}},
	"names":                        {{"", -6}},
	"fixup":                        {{"", -6}},
	"asdm":                         {{"", -6}},
	"failover":                     {{"", -6}},
	"threat-detection":             {{"", -6}},
	"sysopt":                       {{"", -6}},
	"dynamic-access-policy-record": {{"", -6}},
	"group-policy":                 {{"", -6}},
	"tunnel-group":                 {{"", -6}},
	"xlate":                        {{"", -6}},
	"feature":                      {{"", -6}}, // NX-OS
	"vdc":                          {{"", -6}},
	"vpc":                          {{"", -6}},
	"switchname":                   {{"", -6}},
	"feature-set":                  {{"", -6}},
	"cfs":                          {{"", -6}},
	"role":                         {{"", -6}},
	"fabric":                       {{"", -6}},
	"transceiver":                  {{"", -3}}, // EOS
	"daemon":                       {{"", -3}},
	"management":                   {{"", -3}},
	"mlag":                         {{"", -3}},
	"queue-monitor":                {{"", -3}},
	"prompt":                       {{"", -3}},
	"telnet-server":                {{"", -4}}, // others that look like it
	"ssh-server":                   {{"", -4}},
	"web-server":                   {{"", -4}},
	"telnet":                       {{"", -6}}, // XR
	"route-policy":                 {{"", -6}},
	"prefix-set":                   {{"", -6}},
	"community-set":                {{"", -6}},
	"as-path-set":                  {{"", -6}},
	"end-policy":                   {{"", -6}},
	"end-set":                      {{"", -6}},
	"l2vpn":                        {{"", -6}},
	"lpts":                         {{"", -6}},
	":":                            {{"", -6}},
	";":                            {{"", -10}},
	"version":                      nil,
	"service":                      nil,
	"ip":                           nil,
	"ipv6":                         nil,
	"interface":                    nil,
	"access-list":                  nil,
	"tftp-server":                  nil,
	"snmp-server":                  nil,
	"switch":                       nil,
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

// weighTop weighs a top-level statement.
func weighTop(list []weight, first, rest []byte) int {
	for _, w := range list {
		if field.Has(rest, w.second) {
			return w.score
		}
	}
	second, more := field.Word(rest)
	switch string(first) {
	case "version":
		return weighVersion(rest)
	case "service":
		return weighService(rest)
	case "no":
		if string(second) == "ip" {
			return weighIP(field.TrimLeft(more)) / 2
		}
	case "ip", "ipv6":
		return weighIP(rest)
	case "interface":
		return weighInterface(second)
	case "access-list":
		return weighList(second, more)
	case "tftp-server":
		if bytes.IndexByte(second, ':') > 0 || string(second) == "flash" {
			return 6
		}
		return -2 // ASA: tftp-server inside 192.0.2.1
	case "snmp-server":
		if string(second) == "community" && (bytes.HasSuffix(rest, []byte(" RO")) || bytes.HasSuffix(rest, []byte(" RW"))) {
			return 3 // in capitals only here and on XR
		}
	case "switch":
		if field.Index(rest, " provision ") >= 0 {
			return 6
		}
	}
	return 0
}

func weighService(rest []byte) int {
	second, _ := field.Word(rest)
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
	case field.Has(name, "Ethernet"), field.Has(name, "Loopback"), field.Has(name, "Serial"), field.Has(name, "Vlan"), field.Has(name, "Tunnel"):
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
