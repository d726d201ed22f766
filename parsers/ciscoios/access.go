package ciscoios

import (
	"net/netip"
	"slices"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
)

// accessState is who may log in and how, of which more than one statement says.
type accessState struct {
	accounts map[string]int // by name: index in Device.Accounts
	hosts    []netip.Prefix // ip rcmd remote-host
	anyHost  bool           // one of them is a list or a name
	managed  [managedCount]managedBy
}

// managedBy is a programmatic way to manage the device.
type managedBy struct {
	enabled facts.V[bool]
	acl     facts.V[string]
}

// The programmatic ways.
const (
	byNetconfYang = iota
	byRestconf
	byGNXI
	byNetconf
	managedCount
)

var managedNames = [managedCount]struct {
	name, in string
	protocol facts.Protocol
	port     uint16
}{
	{"netconf-yang", "netconf", facts.SSH, 830},   // RFC 6242
	{"restconf", "restconf", facts.HTTPS, 443},    // RFC 8040
	{"gnxi", "gnmi", facts.ProtocolUnknown, 9339}, // IOS-XE programmability guide: 9339 secure
	{"netconf ssh", "netconf", facts.SSH, 0},      // the SSH server's own port
}

// login reads what a terminal line says beside its filters, in block n, and states it with the services it makes.
func (p *parser) login(n int32, v *vtyLine) {
	vty := p.is(1, "vty")
	name := p.str(p.t.Text(n))
	a := facts.Access{Name: name, In: v.in, Out: v.out, ACL: v.acl, Enabled: v.exec, Span: p.span(n)}
	if a.Enabled.Origin == facts.Unknown {
		a.Enabled = facts.Assume(true)
	}
	if vty && a.In.Origin == facts.Unknown && p.oldRelease() {
		// "For incoming connections, all the supported network protocols are accepted (the default protocol is all)"
		// (Dial solutions configuration guide 12.0 and 12.1, terminal operating characteristics). Later guides do not say.
		a.In = facts.Assume([]string{"all"})
	}
	if vty && a.Out.Origin == facts.Unknown {
		a.Out = facts.Assume([]string{"telnet"}) // "the default protocol for outgoing connections is Telnet" (the same)
	}
	p.d.Access = append(p.d.Access, a)
	if !vty {
		return
	}
	for _, s := range [...]struct {
		word     string
		protocol facts.Protocol
	}{{"telnet", facts.Telnet}, {"ssh", facts.SSH}} {
		if !a.In.Known() || !slices.Contains(a.In.Val, s.word) && !slices.Contains(a.In.Val, "all") {
			continue
		}
		if s.protocol == facts.SSH && a.In.Origin == facts.Default {
			continue // it needs a host key, and a release that has it
		}
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: s.protocol, Name: name, Role: facts.RoleShell, Enabled: facts.V[bool]{Val: true, Origin: a.In.Origin, Span: a.In.Span},
			ACL: v.acl, Span: p.span(n),
		})
	}
}

// oldRelease reports whether the software is known to be of release 12 or before.
func (p *parser) oldRelease() bool {
	major, _ := field.LeadingUint([]byte(p.d.Version.Val))
	return p.d.Version.Known() && major > 0 && major <= 12
}

// transport reads "transport input|output PROTOCOL..."; none is no protocol.
func (p *parser) transport(c int32, v *vtyLine) {
	var list []string
	for i := 2; i < len(p.w); i++ {
		if !p.is(i, "none") {
			list = append(list, p.str(p.word(i)))
		}
	}
	switch string(p.word(1)) {
	case "input":
		if p.negated { // back to the default
			return
		}
		v.ssh = p.has(2, "ssh") > 0 || p.has(2, "all") > 0
		v.in = facts.Say(list, p.span(c))
	case "output":
		if !p.negated {
			v.out = facts.Say(list, p.span(c))
		}
	}
}

// userStatement reads "username U ..." and what stands below it.
func (p *parser) userStatement(n int32) {
	p.okBlock(n)
	p.skipBelow(n)
	if p.negated || len(p.w) < 2 {
		return
	}
	a := p.accountOf(p.str(p.word(1)), n)
	for i := 2; i < len(p.w); i++ {
		switch string(p.word(i)) {
		case "privilege":
			if level, ok := number(p.word(i + 1)); ok {
				a.Role = "privilege " + p.str(p.word(i+1))
				a.Admin = facts.Say(level == 15, p.span(n))
			}
			i++
		case "view":
			a.Role, a.Admin = "view "+p.str(p.word(i+1)), facts.V[bool]{} // what a view may do is in its commands
			i++
		case "access-class":
			p.refer(p.word(i+1), "username "+a.Name+" access-class", n)
			i++
		case "autocommand":
			p.autocommand("username "+a.Name, p.rest(n, i+1), p.span(n))
			return
		case "password", "secret": // the rest may be one
			return
		}
	}
}

// accountOf is the account of that name. Without "privilege" it has level 1 (Security command reference, username).
func (p *parser) accountOf(name string, n int32) *facts.Account {
	if at, ok := p.access.accounts[name]; ok {
		return &p.d.Accounts[at]
	}
	if p.access.accounts == nil {
		p.access.accounts = map[string]int{}
	}
	p.access.accounts[name] = len(p.d.Accounts)
	p.d.Accounts = append(p.d.Accounts, facts.Account{Name: name, Role: "privilege 1", Admin: facts.Assume(false), Span: p.span(n)})
	return &p.d.Accounts[len(p.d.Accounts)-1]
}

// pubkeyChain reads the keys below "ip ssh pubkey-chain": "username U" with "key-string" or "key-hash TYPE HASH".
func (p *parser) pubkeyChain(n int32) {
	p.ok(n)
	p.children(n, func(u int32) {
		server := p.is(0, "server") // whose host key is known: no one who may come
		if !server && !p.is(0, "username") {
			p.skip(u)
			return
		}
		name := p.str(p.word(1))
		p.okBlock(u)
		if server {
			return
		}
		p.children(u, func(k int32) {
			if !p.is(0, "key-hash") && !p.is(0, "key-string") || p.negated {
				return
			}
			p.accountOf(name, u).Keys++
			p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "ssh-key", Name: name, Span: p.span(k)})
		})
	})
}

// remoteHost reads "ip rcmd remote-host LOCAL HOST|LIST REMOTE [enable [LEVEL]]": who may come by rcp and rsh.
func (p *parser) remoteHost(n int32) {
	if p.negated || len(p.w) < 5 {
		return
	}
	t := facts.Trust{Kind: "rcmd-host", Name: p.str(p.word(5)) + " as " + p.str(p.word(3)), Host: p.str(p.word(4)), Span: p.span(n)}
	a, ok := field.Addr(p.word(4))
	if ok {
		t.Addr = a
		p.access.hosts = append(p.access.hosts, netip.PrefixFrom(a, a.BitLen()))
	} else {
		p.access.anyHost = true
		if _, list := number(p.word(4)); list {
			p.refer(p.word(4), "ip rcmd remote-host", n)
		}
	}
	p.d.Trusts = append(p.d.Trusts, t)
}

// managedStatement reads "netconf-yang ...", "restconf ...", "gnxi|gnmi-yang ..." and "netconf ssh [acl LIST]".
func (p *parser) managedStatement(n int32) {
	way := byNetconfYang
	switch string(p.word(0)) {
	case "restconf":
		way = byRestconf
	case "gnxi", "gnmi-yang":
		way = byGNXI
	case "netconf":
		way = byNetconf
	}
	m := &p.access.managed[way]
	on := len(p.w) == 1 || way == byNetconf && p.is(1, "ssh") || way == byGNXI && (len(p.w) == 2 && p.is(1, "server") || p.is(1, "secure-server"))
	list := p.has(1, "access-list")
	if way == byNetconf {
		list = p.has(1, "acl")
	}
	switch {
	case list > 0: // netconf-yang ssh ipv4 access-list name X
		p.ok(n)
		if p.is(list+1, "name") {
			list++
		}
		if name := p.word(list + 1); len(name) > 0 && !p.negated {
			if p.has(1, "ipv6") < 0 {
				m.acl = facts.Say(p.str(name), p.span(n))
			}
			p.refer(name, managedNames[way].name, n)
		}
	case !on:
		p.skip(n)
		return
	}
	if on {
		p.okBlock(n)
		m.enabled = facts.Say(!p.negated, p.span(n))
	}
}

// finishAccess states the ways of management that are no terminal line.
func (p *parser) finishAccess() {
	s := &p.services
	for i, name := range [...]string{"ip http server", "ip http secure-server"} {
		if v := s.http[i]; v.Origin != facts.Unknown {
			p.d.Access = append(p.d.Access, facts.Access{
				Name: name, In: facts.Say([]string{[...]string{"http", "https"}[i]}, v.Span), ACL: s.httpACL, Enabled: v, Span: v.Span,
			})
		}
	}
	for i := range p.access.managed {
		m, k := &p.access.managed[i], &managedNames[i]
		if m.enabled.Origin == facts.Unknown {
			continue
		}
		p.d.Access = append(p.d.Access, facts.Access{
			Name: k.name, In: facts.Say([]string{k.in}, m.enabled.Span), ACL: m.acl, Enabled: m.enabled, Span: m.enabled.Span,
		})
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: k.protocol, Name: k.name, Role: facts.RoleShell, Enabled: m.enabled, Port: k.port, ACL: m.acl, Span: m.enabled.Span,
		})
	}
	for i := range p.d.Services {
		v := &p.d.Services[i]
		word := ""
		switch v.Name {
		case "ip rcmd rcp-enable":
			word = "rcp"
		case "ip rcmd rsh-enable":
			word = "rsh"
		default:
			continue
		}
		a := facts.Access{Name: v.Name, In: facts.Say([]string{word}, v.Span), Enabled: v.Enabled, Span: v.Span}
		if !p.access.anyHost {
			a.Clients = p.access.hosts
		}
		p.d.Access = append(p.d.Access, a)
	}
}

// ssh reads "ip ssh ...": the keys users log in with, and where the client, and SCP with it, sends from.
func (p *parser) ssh(n int32) {
	switch {
	case p.is(2, "pubkey-chain") && !p.negated:
		p.pubkeyChain(n)
	case p.is(2, "source-interface") && !p.negated:
		p.ok(n)
		if s := &p.clients.settings[facts.SCP]; s.source == "" {
			s.source = p.str(p.word(3))
		}
	default:
		p.skip(n)
		p.ok(n)
	}
}
