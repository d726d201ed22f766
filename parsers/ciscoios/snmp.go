package ciscoios

import (
	"bytes"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// snmpState is what needs the views, which may be defined behind their use.
type snmpState struct {
	views map[string][]viewLine
	off   bool // "no snmp-server"
}

// A viewLine includes a subtree in a view, or excludes it.
type viewLine struct {
	oid      []uint32 // anyArc stands for any number
	excluded bool
	unknown  bool // the name is not known here
}

const anyArc = ^uint32(0)

// snmpServer reads the "snmp-server" statements that say who may write and where copies may go.
func (p *parser) snmpServer(n int32) {
	switch string(p.word(1)) {
	case "community":
		p.ok(n)
		if !p.negated {
			p.community(n)
		}
	case "group":
		p.ok(n)
		if !p.negated {
			p.snmpGroup(n)
		}
	case "view":
		p.ok(n)
		if !p.negated && len(p.w) >= 5 {
			name := p.str(p.word(2))
			oid, ok := parseOID(p.word(3))
			if p.snmp.views == nil {
				p.snmp.views = map[string][]viewLine{}
			}
			p.snmp.views[name] = append(p.snmp.views[name], viewLine{oid, p.is(4, "excluded"), !ok})
		}
	case "tftp-server-list":
		p.ok(n)
		if !p.negated {
			p.d.SNMPLimits = append(p.d.SNMPLimits, facts.SNMPLimit{ACL: p.str(p.word(2)), Protocols: []facts.Protocol{facts.TFTP}, Span: p.span(n)})
		}
	case "file-transfer": // snmp-server file-transfer access-group LIST [protocol P]
		p.ok(n)
		if p.negated || !p.is(2, "access-group") {
			return
		}
		l := facts.SNMPLimit{ACL: p.str(p.word(3)), Span: p.span(n)}
		for i := 4; i < len(p.w); i++ {
			if proto, ok := facts.ParseProtocol(string(p.word(i))); ok {
				l.Protocols = append(l.Protocols, proto)
			}
		}
		p.d.SNMPLimits = append(p.d.SNMPLimits, l)
	case "user":
		p.snmpUser(n)
	case "host":
		p.ok(n) // its secret is found with all others; hosts are told, not asked
	case "":
		p.ok(n)
		p.snmp.off = p.negated
	default:
		p.skip(n)
	}
}

// community reads "snmp-server community C [view V] [RO|RW] [ipv6 LIST] [LIST]". Without RO or RW it is RO. A tool that
// removed more than the community left nothing behind it to read.
func (p *parser) community(n int32) {
	span := p.span(n)
	a := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), Span: span}
	i := 3
	if w := p.word(2); len(w) > 0 && w[0] == '<' && w[len(w)-1] != '>' { // "<configuration removed>" and the like
		for i < len(p.w) && !bytes.HasSuffix(p.word(i), []byte(">")) {
			i++
		}
		i++
		if i >= len(p.w) {
			a.Write, a.ACL = facts.Hidden[bool](span), facts.Hidden[string](span)
			p.secretsRemoved = mark{span}
			p.d.SNMP = append(p.d.SNMP, a)
			return
		}
	}
	view := ""
	for ; i < len(p.w); i++ {
		switch w := string(p.word(i)); w {
		case "view":
			view = p.str(p.word(i + 1))
			i++
		case "RO", "ro":
			a.Write = facts.Say(false, span)
		case "RW", "rw":
			a.Write = facts.Say(true, span)
		case "ipv6":
			p.bind(p.str(p.word(i+1)), facts.WhereSNMP, span)
			i++
		default:
			a.ACL = facts.Say(p.str(p.word(i)), span)
			p.bind(a.ACL.Val, facts.WhereSNMP, span)
		}
	}
	if a.ReadView = view; a.Write.Val {
		a.WriteView = view
	}
	p.d.SNMP = append(p.d.SNMP, a)
}

// communityWord records the community of "snmp-server community C" and "snmp-server host H [options] C".
func (p *parser) communityWord(i int) {
	at := 2
	if p.is(1, "host") {
		for at = 3; at < len(p.w); at++ {
			switch string(p.word(at)) {
			case "vrf":
				at++
				continue
			case "version":
				at++
				if p.is(at, "3") {
					return // a user's name follows
				}
				continue
			case "traps", "informs":
				continue
			}
			break
		}
	}
	if at >= len(p.w) {
		return
	}
	w := p.w[at]
	if v := p.word(at); len(v) > 0 && v[0] == '<' {
		return // "hidden" records it
	}
	p.record(w, facts.SecretCommunity, facts.StorageClear, "snmp-server "+p.str(p.word(i)), "")
}

// snmpGroup reads "snmp-server group G v3 auth|noauth|priv [context C] [read V] [write V] [notify V] [access LIST]".
func (p *parser) snmpGroup(n int32) {
	span := p.span(n)
	// Without "write" a group may write nothing (SNMP command reference, snmp-server group).
	a := facts.SNMPAccess{Version: 3, Name: p.str(p.word(2)), Write: facts.Assume(false), Span: span}
	if w := string(p.word(3)); w == "v1" || w == "v2c" {
		a.Version = 1
	}
	for i := 4; i < len(p.w); i++ {
		switch string(p.word(i)) {
		case "read":
			a.ReadView = p.str(p.word(i + 1))
			i++
		case "write":
			a.WriteView = p.str(p.word(i + 1))
			a.Write = facts.Say(true, span)
			i++
		case "notify", "context":
			i++
		case "access":
			j := i + 1
			if p.is(j, "ipv6") {
				j++
			}
			a.ACL = facts.Say(p.str(p.word(j)), span)
			p.bind(a.ACL.Val, facts.WhereSNMP, span)
			i = j
		}
	}
	p.d.SNMP = append(p.d.SNMP, a)
}

// oidNames are the names that views are written with.
var oidNames = map[string][]uint32{
	"iso": {1}, "org": {1, 3}, "dod": {1, 3, 6}, "internet": {1, 3, 6, 1}, "directory": {1, 3, 6, 1, 1}, "mgmt": {1, 3, 6, 1, 2},
	"mib-2": {1, 3, 6, 1, 2, 1}, "mib2": {1, 3, 6, 1, 2, 1}, "system": {1, 3, 6, 1, 2, 1, 1}, "interfaces": {1, 3, 6, 1, 2, 1, 2},
	"at": {1, 3, 6, 1, 2, 1, 3}, "ip": {1, 3, 6, 1, 2, 1, 4}, "icmp": {1, 3, 6, 1, 2, 1, 5}, "tcp": {1, 3, 6, 1, 2, 1, 6}, "udp": {1, 3, 6, 1, 2, 1, 7},
	"snmp": {1, 3, 6, 1, 2, 1, 11}, "ifMIB": {1, 3, 6, 1, 2, 1, 31}, "ifEntry": {1, 3, 6, 1, 2, 1, 2, 2, 1},
	"experimental": {1, 3, 6, 1, 3}, "private": {1, 3, 6, 1, 4}, "enterprises": {1, 3, 6, 1, 4, 1}, "security": {1, 3, 6, 1, 5},
	"snmpV2": {1, 3, 6, 1, 6}, "snmpModules": {1, 3, 6, 1, 6, 3}, "snmpFrameworkMIB": {1, 3, 6, 1, 6, 3, 10},
	"snmpUsmMIB": {1, 3, 6, 1, 6, 3, 15}, "snmpVacmMIB": {1, 3, 6, 1, 6, 3, 16}, "snmpCommunityMIB": {1, 3, 6, 1, 6, 3, 18},
	"internet.6.3.15": {1, 3, 6, 1, 6, 3, 15}, "internet.6.3.16": {1, 3, 6, 1, 6, 3, 16}, "internet.6.3.18": {1, 3, 6, 1, 6, 3, 18},
	"cisco": {1, 3, 6, 1, 4, 1, 9}, "ciscoProducts": {1, 3, 6, 1, 4, 1, 9, 1}, "local": {1, 3, 6, 1, 4, 1, 9, 2}, "lsystem": {1, 3, 6, 1, 4, 1, 9, 2, 1},
	"lcpu": {1, 3, 6, 1, 4, 1, 9, 2, 1}, "linterfaces": {1, 3, 6, 1, 4, 1, 9, 2, 2}, "temporary": {1, 3, 6, 1, 4, 1, 9, 3}, "ciscoMgmt": {1, 3, 6, 1, 4, 1, 9, 9},
	"ciscoConfigCopyMIB": {1, 3, 6, 1, 4, 1, 9, 9, 96}, "ccCopyTable": {1, 3, 6, 1, 4, 1, 9, 9, 96, 1, 1, 1},
	"ccCopyEntry": {1, 3, 6, 1, 4, 1, 9, 9, 96, 1, 1, 1, 1}, "ciscoFlashMIB": {1, 3, 6, 1, 4, 1, 9, 9, 10}, "ciscoExperiment": {1, 3, 6, 1, 4, 1, 9, 10},
	"bridge": {1, 3, 6, 1, 2, 1, 17}, "dot1dBridge": {1, 3, 6, 1, 2, 1, 17}, "ospf": {1, 3, 6, 1, 2, 1, 14}, "bgp": {1, 3, 6, 1, 2, 1, 15},
	"entityMIB": {1, 3, 6, 1, 2, 1, 47}, "transmission": {1, 3, 6, 1, 2, 1, 10}, "rmon": {1, 3, 6, 1, 2, 1, 16}, "cdp": {1, 3, 6, 1, 4, 1, 9, 9, 23},
}

// parseOID reads "1.3.6.1", "ciscoMgmt.96.1" and "ifEntry.*.1"; false when its name is not known.
func parseOID(w []byte) ([]uint32, bool) {
	w = bytes.Trim(w, ".")
	var out []uint32
	for i := 0; len(w) > 0; i++ {
		part, rest, _ := bytes.Cut(w, []byte("."))
		w = rest
		if string(part) == "*" {
			out = append(out, anyArc)
			continue
		}
		n, ok := field.Uint(part)
		if ok && n < uint64(anyArc) && len(out) < 128 {
			out = append(out, uint32(n))
			continue
		}
		known, ok := oidNames[string(part)]
		if !ok || i > 0 {
			return nil, false
		}
		out = append(out, known...)
	}
	return out, len(out) > 0
}

// copyTables are what a configuration copy is asked for with: ccCopyTable of CISCO-CONFIG-COPY-MIB, and netConfigSet,
// hostConfigSet and writeNet of OLD-CISCO-SYS-MIB.
var copyTables = [...][]uint32{
	{1, 3, 6, 1, 4, 1, 9, 9, 96, 1, 1, 1}, {1, 3, 6, 1, 4, 1, 9, 2, 1, 53}, {1, 3, 6, 1, 4, 1, 9, 2, 1, 55},
}

// coversCopy reports whether a view includes one of the copy tables: of the lines that hold a table the longest decides. A
// line below a table that includes part of it is enough.
func coversCopy(lines []viewLine) (covers, known bool) {
	known = true
	for _, table := range copyTables {
		best, included := -1, false
		for _, l := range lines {
			switch {
			case l.unknown:
				known = known && l.excluded // a part that is not known may be the table's
			case len(l.oid) <= len(table) && within(table, l.oid):
				if len(l.oid) >= best {
					best, included = len(l.oid), !l.excluded
				}
			case len(l.oid) > len(table) && !l.excluded && within(l.oid, table):
				covers = true
			}
		}
		covers = covers || included
	}
	return covers, known || covers
}

// within reports whether oid lies below prefix.
func within(oid, prefix []uint32) bool {
	return len(oid) >= len(prefix) && slices.EqualFunc(oid[:len(prefix)], prefix, func(a, b uint32) bool { return a == b || b == anyArc || a == anyArc })
}

// finishSNMP says which write views cover the copy tables.
func (p *parser) finishSNMP() {
	for i := range p.d.SNMP {
		a := &p.d.SNMP[i]
		if !facts.On(a.Write) {
			continue
		}
		switch lines := p.snmp.views[a.WriteView]; {
		case a.WriteView == "", a.WriteView == "v1default" && lines == nil:
			// Without a view everything is open; v1default is all but the tables of communities and users.
			a.CoversCopy = facts.Assume(true)
		case lines == nil:
		default:
			if covers, known := coversCopy(lines); known {
				a.CoversCopy = facts.V[bool]{Val: covers, Origin: facts.Explicit, Span: a.Span}
			}
		}
	}
}
