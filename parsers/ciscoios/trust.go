package ciscoios

import (
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// trust states a party whose word the device takes; host is its name or address, nil when not stated.
func (p *parser) trust(kind, name string, host []byte, span evidence.Span) int {
	t := facts.Trust{Kind: kind, Name: name, Host: p.str(host), Span: span}
	t.Addr, _ = field.Addr(host)
	p.d.Trusts = append(p.d.Trusts, t)
	return len(p.d.Trusts) - 1
}

// loginServer reads "tacacs-server host H ..." and "radius-server host H ...", and the blocks "tacacs server NAME", "radius
// server NAME" and "ldap server NAME", whose address is below them.
func (p *parser) loginServer(n int32) {
	kind := string(p.word(0))
	if i := len(kind) - len("-server"); i > 0 && kind[i:] == "-server" {
		p.okBlock(n) // their secrets are found with all others
		p.skipBelow(n)
		if p.is(1, "host") && p.word(2) != nil && !p.negated {
			p.trust(kind[:i], "", p.word(2), p.span(n))
		}
		return
	}
	if !p.is(1, "server") || p.word(2) == nil || p.negated {
		p.skip(n)
		return
	}
	name := p.str(p.word(2))
	span := p.span(n)
	var host []byte
	p.ok(n)
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "address": // address ipv4 H auth-port 1812 acct-port 1813
			p.ok(c)
			if p.is(1, "ipv4") || p.is(1, "ipv6") {
				host = p.word(2)
			}
		case "ipv4", "ipv6": // ldap
			p.ok(c)
			host = p.word(1)
		default:
			p.skip(c)
		}
	})
	p.trust(kind, name, host, span)
}

// kerberos reads "kerberos server REALM HOST [PORT]".
func (p *parser) kerberos(n int32) {
	if p.is(1, "server") && p.word(3) != nil && !p.negated {
		p.ok(n)
		p.trust("kerberos", p.str(p.word(2)), p.word(3), p.span(n))
		return
	}
	p.skip(n)
}

// serverGroup reads "aaa group server tacacs+|radius|ldap NAME" and its private servers, and "aaa server radius
// dynamic-author", whose clients may change sessions.
func (p *parser) serverGroup(n int32) {
	kind := ""
	word := "server-private"
	switch {
	case p.is(1, "group") && p.is(2, "server") && p.is(3, "tacacs+"):
		kind = "tacacs"
	case p.is(1, "group") && p.is(2, "server"):
		kind = p.str(p.word(3))
	case p.is(1, "server") && p.is(2, "radius"):
		kind, word = "radius", "client"
	}
	if kind == "" || p.negated {
		p.skip(n)
		return
	}
	name := p.str(p.word(len(p.w) - 1))
	p.ok(n)
	p.children(n, func(c int32) {
		if p.is(0, word) && p.word(1) != nil && !p.negated {
			p.ok(c)
			p.trust(kind, name, p.word(1), p.span(c))
			return
		}
		p.skip(c)
	})
}

// snmpUser reads "snmp-server user U GROUP [remote H] v1|v2c|v3 ...": one without "remote" may ask this device.
func (p *parser) snmpUser(n int32) {
	p.ok(n)
	if p.negated || p.word(2) == nil || p.has(4, "remote") > 0 {
		return
	}
	p.trust("snmp-user", p.str(p.word(2)), nil, p.span(n))
	for i := 4; i < len(p.w); i++ {
		switch string(p.word(i)) {
		case "auth", "encrypted", "priv": // a secret follows
			if i = p.has(i, "access"); i < 0 {
				return
			}
			i--
		case "access":
			if p.is(i+1, "ipv6") {
				i++
			}
			p.bind(p.str(p.word(i+1)), facts.WhereSNMP, p.span(n))
			return
		}
	}
}
