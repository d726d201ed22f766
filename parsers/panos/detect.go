package panos

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
)

// lineLimit bounds how much of a line is looked at.
const lineLimit = 512

// eachLine calls f with each line that is not blank, without its indentation, which is column bytes long. Of a text cut in
// a line the last one is left out when others are there.
func eachLine(text []byte, f func(line []byte, column int)) {
	for len(text) > 0 {
		line, rest := text, []byte(nil)
		if i := bytes.IndexByte(text, '\n'); i >= 0 {
			line, rest = text[:i], text[i+1:]
		}
		text = rest
		column := 0
		for column < len(line) && (line[column] == ' ' || line[column] == '\t') {
			column++
		}
		line = line[column:min(len(line), column+lineLimit)]
		if line = bytes.TrimRight(line, " \t\r"); len(line) > 0 {
			f(line, column)
		}
	}
}

// quotes follows texts of many lines in quotes: certificates, banners.
type quotes struct {
	open  bool
	lines int
}

// inside reports whether line goes on with such a text. One that does not end within a few hundred lines is none.
func (q *quotes) inside(line []byte) bool {
	const most = 300
	was := q.open && q.lines < most && !bytes.HasPrefix(line, []byte("set "))
	q.lines++
	if odd := bytes.Count(line, []byte{'"'})&1 != 0; odd || !was {
		q.open, q.lines = odd && !was, 0
	}
	return was
}

// word is b's first word, and what follows it.
func word(b []byte) (first, rest []byte) {
	i := 0
	for i < len(b) && b[i] != ' ' && b[i] != '\t' {
		i++
	}
	return b[:i], bytes.TrimLeft(b[i:], " \t")
}

// A hint is how far a statement tells PAN-OS.
type hint uint8

const (
	other  hint = iota
	shared      // others have such a word too
	own
)

// hintOf judges a statement's first word and the one behind it.
func hintOf(first, second []byte) hint {
	switch string(first) {
	case "deviceconfig", "mgt-config", "rulebase", "vsys", "device-group", "template-stack", "log-collector-group",
		"log-collector", "application-group", "address-group", "service-group", "application-filter", "external-list",
		"profile-group", "default-security-rules", "log-settings", "application-override":
		return own
	case "network":
		switch string(second) {
		case "interface", "profiles", "virtual-router", "logical-router", "ike", "virtual-wire", "qos", "tunnel", "vlan", "dhcp", "shared-gateway", "lldp", "dns-proxy", "virtual-wires", "":
			return own
		}
	case "shared":
		switch string(second) {
		case "address", "address-group", "service", "service-group", "application", "application-group", "botnet", "profiles",
			"log-settings", "pre-rulebase", "post-rulebase", "certificate", "server-profile", "admin-role", "reports", "tag",
			"profile-group", "local-user-database", "authentication-profile", "override", "alg-override", "external-list":
			return own
		}
	case "policy":
		if string(second) == "panorama" {
			return own
		}
	case "config":
		switch string(second) {
		case "devices", "shared", "mgt-config", "panorama", "readonly":
			return own
		}
	case "panorama", "readonly", "template", "address", "service", "application", "zone", "schedule", "tag", "import", "profiles",
		"setting", "display-name", "region", "global-protect", "user-id-collector", "captive-portal", "authentication-profile",
		"certificate", "server-profile", "local-user-database", "reports", "ssl-tls-service-profile", "certificate-profile", "threats":
		return shared
	}
	return other
}

// detectSet weighs set lines: words only PAN-OS has against others.
func detectSet(head []byte) facts.Confidence {
	if !bytes.Contains(head, []byte("set ")) {
		return facts.No
	}
	var owned, known, foreign, odd int
	var text quotes
	eachLine(head, func(line []byte, column int) {
		if text.inside(line) || line[0] == '#' || line[0] == '!' {
			return
		}
		verb, rest := word(line)
		switch string(verb) {
		case "set":
		case "delete", "move", "rename", "edit", "exit", "configure", "commit", "top", "up":
			return
		default:
			odd++
			return
		}
		if column > 0 {
			foreign++
			return
		}
		first, more := word(rest)
		second, _ := word(more)
		switch hintOf(first, second) {
		case own:
			owned++
		case shared:
			known++
		case other:
			foreign++
		}
	})
	switch {
	case owned == 0, foreign > (owned+known)/8, odd > (owned+known)*2+4:
		return facts.No // texts of many lines in quotes count as odd
	case owned > 0 && rancid(head):
		return facts.Certain
	case owned >= 3, owned == 2 && foreign == 0:
		return facts.Strong
	case owned > 0 && foreign == 0:
		return facts.Likely
	}
	return facts.Possible
}

// rancid reports whether RANCID says that it is PAN-OS.
func rancid(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Contains(line, []byte("RANCID-CONTENT-TYPE: paloalto"))
}

// detectBrace looks for "config {" with what PAN-OS has below it, or for such blocks in the first column.
func detectBrace(head []byte) facts.Confidence {
	if bytes.IndexByte(head, '{') < 0 {
		return facts.No
	}
	var owned, foreign, blocks, odd, lines int
	wrapped, begun, inside := false, false, false
	first := -1
	var text quotes
	eachLine(head, func(line []byte, column int) {
		if text.inside(line) || line[0] == '#' || line[0] == '!' {
			return
		}
		lines++
		block := line[len(line)-1] == '{'
		if !block {
			switch line[len(line)-1] {
			case ';', '}', ']':
			default:
				odd++
			}
			return
		}
		begun = true
		blocks++
		name := bytes.TrimRight(line[:len(line)-1], " \t")
		if bytes.IndexByte(name, ' ') >= 0 && name[0] != '"' {
			foreign++ // a block of PAN-OS has one word for its name
			return
		}
		switch string(name) {
		case "config", "policy":
			if column == 0 {
				wrapped = true
				return
			}
		case "localhost.localdomain", "mgt-config", "deviceconfig", "vsys1", "rulebase", "vsys", "virtual-router", "phash",
			"application-group", "service-group", "address-group", "log-settings", "device-group", "interface-management-profile":
			inside = true
		}
		if first < 0 || column < first {
			first = column
		}
		if column == 0 {
			if hintOf(name, nil) == own {
				owned++
			} else if hintOf(name, nil) == other {
				foreign++
			}
		}
	})
	switch {
	case begun && rancid(head):
		return facts.Certain
	case !begun, foreign > blocks/8, odd > lines/4+2:
		return facts.No
	case wrapped && inside:
		return facts.Certain
	case owned >= 2, owned > 0 && inside:
		return facts.Strong
	case owned > 0:
		return facts.Likely
	}
	return facts.No
}

// detectXML looks for the root element with PAN-OS's attributes or with entries below sections only PAN-OS has.
func detectXML(head []byte) facts.Confidence {
	i := bytes.IndexByte(head, '<')
	if i < 0 || len(bytes.TrimSpace(head[:i])) > 0 && !bytes.Contains(head[:i], []byte("> ")) && head[0] != '!' && head[0] != '#' {
		return facts.No // but for the echo of a command, and for what backup tools put before it
	}
	has := func(s string) bool { return bytes.Contains(head, []byte(s)) }
	entries := has("<entry name=\"") || has("<entry name='")
	sections := 0
	for _, s := range [...]string{
		"<mgt-config>", "<deviceconfig>", "<vsys>", "<rulebase>", "<pre-rulebase>", "<post-rulebase>", "<device-group>", "<shared>", "<template>",
		"<log-settings>", "<entry name=\"localhost.localdomain\"", "<network>", "<readonly>", "<phash>", "<permissions>",
	} {
		if has(s) {
			sections++
		}
	}
	config := has("<config>") || has("<config ")
	switch {
	case has("<config version=\"") && (has("urldb=\"") || has("detail-version=\"")) && (entries || sections > 0):
		return facts.Certain
	case config && entries && sections >= 2:
		return facts.Certain
	case has("<response status=\"success\"") && entries && sections >= 1, has("<policy>") && has("<panorama>") && entries:
		return facts.Strong
	case entries && sections >= 2:
		return facts.Strong
	case entries && sections == 1:
		return facts.Likely
	}
	return facts.No
}
