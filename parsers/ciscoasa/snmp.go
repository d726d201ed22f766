package ciscoasa

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// snmpState gathers who may ask the SNMP agent: "snmp-server host" names both the receivers of traps and the only hosts
// that are answered.
type snmpState struct {
	pollers []source
	access  []facts.SNMPAccess
	off     bool
}

// snmpServer reads the snmp-server statements. The ASA answers reads only: "The ASA ... provides support for network
// monitoring using SNMP Versions 1, 2c, and 3 ... read-only access is supported" (ASA general operations CLI configuration
// guide, SNMP), so no community or group can write.
func (p *parser) snmpServer(n int32) {
	if p.negated {
		if p.is(1, "enable") && len(p.w) == 2 {
			p.snmp.off = true
		}
		p.irrelevant(n)
		return
	}
	access := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Scope: p.scope, Span: p.span(n)}
	switch string(p.word(1)) {
	case "community":
		if len(p.w) < 3 {
			return
		}
		p.secret(2, facts.SecretCommunity, "snmp-server community", "")
		p.snmp.access = append(p.snmp.access, access)
	case "group": // snmp-server group G v3 auth|noauth|priv
		access.Version, access.Name = 3, p.str(p.word(2))
		p.snmp.access = append(p.snmp.access, access)
	case "user":
		p.snmpUser()
	case "host", "host-group":
		if !p.snmpHost(n) {
			return
		}
	case "user-list", "enable", "location", "contact", "listen-port", "engineID", "view", "mib":
		p.irrelevant(n)
		return
	default:
		p.unknownBelow(n)
		return
	}
	p.understood(n)
}

// snmpHost reads "snmp-server host IF ADDRESS [trap|poll] [community [0|8] X] [version ...] [udp-port N]". Without "trap"
// the host may poll.
func (p *parser) snmpHost(n int32) bool {
	s := source{where: p.str(p.word(2)), span: p.span(n)}
	a, ok := p.address(p.word(3))
	group := p.is(1, "host-group")
	if len(p.w) < 4 || !group && !ok {
		return false
	}
	if group {
		s.from = facts.AddrItem{Group: p.str(p.word(3)), Span: s.span}
	} else {
		s.from = facts.AddrItem{Prefix: host(a)}
		s.from.Span = s.span
	}
	poll := true
	for i := 4; i < len(p.w); i++ {
		switch {
		case p.is(i, "trap"), p.is(i, "trap-only"):
			poll = false
		case p.is(i, "community") && i+1 < len(p.w):
			p.secret(i+1, facts.SecretCommunity, "snmp-server host", "")
			if j, _ := p.operand(i + 1); poll && j < len(p.w) {
				p.snmp.access = append(p.snmp.access, facts.SNMPAccess{
					Version: 1, Write: facts.Assume(false), CoversCopy: facts.Assume(false), Scope: p.scope, Span: s.span,
				})
			}
			i++
		}
	}
	if poll {
		p.snmp.pollers = append(p.snmp.pollers, s)
	}
	return true
}

// snmpUser reads "snmp-server user U G v3 [engineID E] [encrypted] [auth md5|sha|sha256 X] [priv aes|3des|des [BITS] Y]".
func (p *parser) snmpUser() {
	user := p.str(p.word(2))
	from := len(p.d.Secrets)
	hashed := false
	for i := 3; i+1 < len(p.w); i++ {
		switch string(p.word(i)) {
		case "encrypted":
			hashed = true
		case "auth":
			p.secret(i+2, facts.SecretSNMPv3, "snmp-server user auth", user)
			i += 2
		case "priv":
			i += 2
			switch string(p.word(i)) {
			case "128", "192", "256":
				i++
			}
			p.secret(i, facts.SecretSNMPv3, "snmp-server user priv", user)
		}
	}
	for i := from; hashed && i < len(p.d.Secrets); i++ {
		if p.d.Secrets[i].Storage != facts.StorageMasked {
			p.d.Secrets[i].Storage = facts.StorageHashed // localised to the engine (RFC 3414 A.2)
		}
	}
}

// snmpFilter is the synthetic filter of the hosts that may poll.
const snmpFilter = "snmp-server host"

// finishSNMP states the SNMP accesses, limited to the hosts that may poll.
func (p *parser) finishSNMP() {
	s := &p.snmp
	if s.off || len(s.access) == 0 {
		return
	}
	f := facts.Filter{Name: snmpFilter, Scope: p.scope, Kind: "snmp-server", Default: facts.Deny, Synthetic: true, Stateful: true}
	var span evidence.Span
	for _, h := range s.pollers {
		if span.IsZero() {
			span = h.span
		}
		f.Rules = append(f.Rules, facts.Rule{
			Action: facts.Permit, Span: h.span,
			Match: facts.Match{Src: facts.Addrs{Items: p.items.One(h.from), Present: true}},
		})
	}
	f.Span = span
	p.d.Filters = append(p.d.Filters, f)
	p.d.Bindings = append(p.d.Bindings, facts.Binding{Filters: []string{snmpFilter}, Where: facts.WhereSNMP, Span: span})
	for _, a := range s.access {
		a.ACL = facts.V[string]{Val: snmpFilter, Origin: facts.Default, Span: span}
		if len(s.pollers) > 0 {
			a.ACL.Origin = facts.Explicit
		}
		p.d.SNMP = append(p.d.SNMP, a)
	}
}
