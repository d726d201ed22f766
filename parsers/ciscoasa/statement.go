package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// statement reads one top-level statement. Access-list lines are only counted here: what they name may come after them.
func (p *parser) statement(n int32) {
	text := p.t.Text(n)
	if rest, ok := bytes.CutPrefix(text, []byte("access-list ")); ok {
		p.countEntry(n, rest, false)
		return
	}
	if rest, ok := bytes.CutPrefix(text, []byte("ipv6 access-list ")); ok {
		p.countEntry(n, rest, true)
		return
	}
	p.read(n)
	if len(p.w) == 0 || p.wrapper(n) || p.filters(n) || p.transfers(n) || p.settings(n) {
		return
	}
	if topIrrelevant(p.word(0)) != "" {
		p.irrelevant(n)
		return
	}
	p.unknownBelow(n)
}

// filters reads the statements that decide packets.
func (p *parser) filters(n int32) bool {
	switch string(p.word(0)) {
	case "object":
		p.object(n)
	case "object-group":
		p.objectGroup(n)
	case "interface":
		p.iface(n)
	case "nameif":
		p.pixNameif(n)
	case "access-group":
		p.accessGroup(n)
	case "route":
		p.route(n)
	case "ip":
		p.ip(n)
	case "ipv6":
		if p.is(1, "route") {
			p.route6(n)
			return true
		}
		p.irrelevant(n)
	case "name":
		if a, ok := field.Addr(p.word(1)); ok && len(p.w) > 2 && !p.negated {
			p.names[p.str(p.word(2))] = a
			p.understood(n)
		}
	case "time-range":
		p.timeRange(n)
	case "same-security-traffic":
		p.sameSecurity(n)
	case "nat", "static", "global", "alias":
		p.natNodes = append(p.natNodes, natNode{node: n})
	case "conduit", "outbound", "apply", "established", "filter":
		p.unsupported(n, "decides traffic beside access lists")
	case "ftp-map":
		p.unsupported(n, "refuses FTP requests inside inspected sessions")
		for c := range p.below(n) {
			p.unsupported(c, "refuses FTP requests inside inspected sessions")
		}
	case "sysopt":
		// "sysopt connection permit-vpn" (on by default): traffic of VPN sessions bypasses access lists.
		if p.is(1, "connection") && (p.is(2, "permit-vpn") || p.is(2, "permit-ipsec")) {
			p.unsupported(n, "whether traffic of VPN sessions bypasses access lists")
			return true
		}
		p.irrelevant(n)
	default:
		return false
	}
	return true
}

// transfers reads the statements about services, clients and secrets.
func (p *parser) transfers(n int32) bool {
	switch string(p.word(0)) {
	case "ssh":
		p.ssh(n)
	case "telnet":
		p.telnet(n)
	case "http":
		p.http(n)
	case "webvpn":
		p.webvpn(n)
	case "group-policy":
		p.groupPolicy(n)
	case "dynamic-access-policy-record":
		p.accessPolicy(n)
	case "url-list":
		p.urlList(n)
	case "mount":
		p.mount(n)
	case "tftp-server":
		p.tftpServer(n)
	case "boot":
		p.boot(n)
	case "context":
		p.context(n)
	case "auto-update":
		p.autoUpdate(n)
	case "event":
		p.event(n)
	case "dhcpd":
		p.dhcpd(n)
	case "crypto":
		p.crypto(n)
	case "enable":
		p.enable(n)
	case "passwd", "password":
		p.passwd(n)
	case "username":
		p.username(n)
	case "aaa-server":
		p.aaaServer(n)
	case "tunnel-group":
		p.tunnelGroup(n)
	case "key":
		p.keyChain(n)
	default:
		return false
	}
	return true
}

// settings reads the statements about the device itself.
func (p *parser) settings(n int32) bool {
	switch string(p.word(0)) {
	case "hostname":
		if name := p.word(1); len(name) > 0 && p.scope == "" {
			p.d.Hostname = facts.Say(string(name), p.at(p.w[1]))
		}
		p.understood(n)
	case "snmp-server":
		p.snmpServer(n)
	case "logging":
		p.logging(n)
	case "flow-export":
		p.flowExport(n)
	case "policy-map":
		p.policyMap(n)
	case "fixup":
		p.fixup(n)
	case "service-policy":
		p.servicePolicy(n)
	case "ntp":
		p.ntp(n)
	case "aaa":
		p.aaa(n)
	case "ASA", "PIX", "NGFW", "FWSM":
		return p.versionLine(n)
	default:
		return false
	}
	return true
}

// versionLine reads "ASA Version 9.8(2) <context>".
func (p *parser) versionLine(n int32) bool {
	if !p.is(1, "Version") || len(p.w) < 3 {
		return false
	}
	v := p.word(2)
	p.whole, p.firepower = true, p.is(0, "NGFW")
	p.d.Version = facts.Say(string(v), p.at(p.w[2]))
	major, rest, _ := bytes.Cut(v, []byte("."))
	minor := rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789"))]
	switch a, ok := number(major); {
	case p.is(0, "NGFW"): // Firepower counts its own releases, all of them younger than 9.0
	case p.is(0, "FWSM"): // the Firewall Services Module stayed at what ASA 7.2 was
		p.major, p.minor = 7, 2
	case ok:
		b, _ := number(minor)
		p.major, p.minor = int(a), int(b)
	}
	p.understood(n)
	return true
}

// wrapper reads what stands around a configuration: lines of "show running-config" and of the session it was taken in.
func (p *parser) wrapper(n int32) bool {
	w := p.word(0)
	switch {
	case w[0] == ':':
		p.savedLine(n)
	case w[0] == '!':
		p.t.Mark(n, facts.Irrelevant)
	case bytes.HasPrefix(w, []byte("Cryptochecksum:")):
		p.ended = true
		p.t.Mark(n, facts.Irrelevant)
	case string(w) == "more" || string(w) == "show" || string(w) == "Result" || string(w) == "ERROR:" || string(w) == "WARNING:" || string(w) == "INFO:":
		p.t.Mark(n, facts.Irrelevant)
	case string(w) == "exit", string(w) == "end", string(w) == "quit":
		p.understood(n)
	case isPrompt(w):
		p.t.Mark(n, facts.Irrelevant)
	default:
		return false
	}
	return true
}

// savedLine reads the lines that begin with a colon: ": Saved", ": Serial Number: ...", ": Hardware: ASA5506, ...",
// ": end".
func (p *parser) savedLine(n int32) {
	p.t.Mark(n, facts.Irrelevant)
	if p.is(0, ":end") || p.is(1, "end") {
		p.ended = true
	}
	if p.is(1, "Saved") {
		p.saved = true
	}
	if p.is(1, "ASA") && p.is(2, "Version") { // contexts print it so: ": ASA Version 9.1(5) <context>"
		p.w = p.w[1:]
		p.versionLine(n)
		return
	}
	if p.is(1, "Hardware:") && len(p.w) > 2 {
		p.model(p.w[2].Off, p.word(2))
	}
}

// model states the hardware, without the comma that ends its name.
func (p *parser) model(off uint32, w []byte) {
	w = bytes.TrimRight(w, ",")
	if len(w) > 0 && p.d.Model.Origin == facts.Unknown {
		p.d.Model = facts.Say(string(w), p.f.Span(p.t.Base+int64(off), len(w)))
	}
}

// isPrompt reports whether w is a prompt: "fw/pri/act#", "fw(config)#", "fw>".
func isPrompt(w []byte) bool {
	last := w[len(w)-1]
	return len(w) > 1 && (last == '#' || last == '>') && w[0] != '<' && w[0] != '-'
}
