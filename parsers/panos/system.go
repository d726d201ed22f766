package panos

import (
	"net/netip"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// deviceconfig reads "deviceconfig": the system itself and its management interface.
func (p *parser) deviceconfig() {
	off := stated{}
	var clients []netip.Prefix
	var acl facts.V[string]
	for _, n := range p.box.system {
		p.ok(n)
		for k := p.first(n); k != none; k = p.next(k) {
			switch string(p.t.Text(k)) {
			case "system":
				p.ok(k)
				p.managementAddress(k)
				p.system(k, off)
				if c := p.kid(k, "permitted-ip"); c != none {
					clients, acl = p.permitted(c, "permitted-ip")
				}
			case "setting":
				p.ok(k)
				for c := p.first(k); c != none; c = p.next(c) {
					if p.is(c, "management") {
						p.setting(c)
					} else {
						p.other("deviceconfig setting", c)
					}
				}
			default:
				p.other("deviceconfig", k)
			}
		}
	}
	if len(p.box.system) > 0 {
		p.services(off, clients, acl)
	}
}

// system reads "deviceconfig system".
func (p *parser) system(n int32, off stated) {
	for k := p.first(n); k != none; k = p.next(k) {
		v := p.value(k)
		switch string(p.t.Text(k)) {
		case "hostname":
			p.values(k)
			if v != none && p.box == p.lay.box && !variable(p.bytes(v)) {
				p.d.Hostname = facts.Say(p.text(v), p.wordSpan(v, 0, len(p.t.Text(v))))
			}
		case "ip-address", "netmask", "default-gateway", "ipv6-address", "ipv6-default-gateway", "type", "permitted-ip":
			p.okAll(k)
		case "service":
			p.ok(k)
			for c := p.first(k); c != none; c = p.next(c) {
				word, disable := strings.CutPrefix(string(p.t.Text(c)), "disable-")
				if !disable {
					p.other("deviceconfig system service", c)
					continue
				}
				p.values(c)
				if w := p.value(c); w != none {
					off[word] = facts.Say(p.is(w, "yes"), p.span(w))
				}
			}
		case "log-export-schedule":
			p.exports(k, "log-upload")
		case "config-bundle-export-schedule", "config-export-schedule":
			p.exports(k, "archive")
		case "update-server", "update-schedule":
			p.updates(n, k)
		case "ntp-servers", "ntp-server-1", "ntp-server-2":
			p.ntp(k)
		case "snmp-setting":
			p.snmp(k)
		case "panorama", "panorama-server", "panorama-server-2":
			p.controllers(k)
		case "syslog-certificate", "login-banner", "motd-and-banner":
			p.okAll(k)
		default:
			p.other("deviceconfig system", k)
		}
	}
}

// managementAddress states the management interface and its default route.
func (p *parser) managementAddress(n int32) {
	f := facts.Interface{Name: management, Scope: p.scoped(management), Span: p.span(n)}
	if p.kid(p.kid(n, "type"), "dhcp-client") != none {
		f.DHCP = true
	}
	if v := p.value(p.kid(n, "ip-address")); v != none {
		if _, a, ok := prefix(p.bytes(v)); ok {
			bits := a.BitLen()
			if m := p.value(p.kid(n, "netmask")); m != none && a.Is4() {
				if _, mask, ok := prefix(p.bytes(m)); ok && mask.Is4() {
					if k, whole := maskBits(mask); whole {
						bits = k
					}
				}
			}
			f.Addrs = append(f.Addrs, netip.PrefixFrom(a, bits))
			f.Span = p.span(v)
		}
	}
	if v := p.value(p.kid(n, "ipv6-address")); v != none {
		if pfx, a, ok := prefix(p.bytes(v)); ok {
			f.Addrs = append(f.Addrs, netip.PrefixFrom(a, pfx.Bits()))
		}
	}
	if len(f.Addrs) == 0 && !f.DHCP {
		return
	}
	p.d.Interfaces = append(p.d.Interfaces, f)
	for _, word := range [...]string{"default-gateway", "ipv6-default-gateway"} {
		v := p.value(p.kid(n, word))
		if v == none {
			continue
		}
		if _, a, ok := prefix(p.bytes(v)); ok {
			all := netip.PrefixFrom(a, 0).Masked()
			p.d.Routes = append(p.d.Routes, facts.Route{Prefix: all, NextHop: a, Interface: management, Scope: f.Scope, Span: p.span(v)})
		}
	}
}

// exports reads a schedule by which logs, or configurations of the firewalls Panorama manages, are sent away every day.
func (p *parser) exports(k int32, use string) {
	p.okAll(k)
	for e := p.first(k); e != none; e = p.next(e) {
		proto := p.kid(e, "protocol")
		for c := p.first(proto); c != none; c = p.next(c) {
			kind, ok := facts.ParseProtocol(p.text(c))
			if !ok {
				continue
			}
			x := facts.Client{
				Use: use, Name: "deviceconfig system " + p.text(k) + " " + p.text(e), Protocol: kind, Automatic: true, Period: day,
				Enabled: facts.Assume(true), Password: facts.Say(false, p.span(c)), Scope: p.scoped(management), Span: p.span(c),
			}
			if v := p.value(p.kid(e, "enable")); v != none {
				x.Enabled = facts.Say(!p.is(v, "no"), p.span(v))
			}
			if v := p.value(p.kid(c, "hostname")); v != none {
				x.Host, x.Span = clean(p.bytes(v)), p.span(v)
				_, x.Addr, _ = prefix(p.bytes(v))
			}
			if v := p.value(p.kid(c, "path")); v != none {
				x.Path = clean(p.bytes(v))
			}
			if v := p.value(p.kid(c, "username")); v != none {
				x.User = p.text(v)
			}
			if v := p.value(p.kid(c, "password")); v != none {
				x.Password = facts.Say(true, p.wordSpan(v, 0, len(p.t.Text(v))))
				if masked(p.bytes(v)) {
					x.Password = facts.Hidden[bool](p.wordSpan(v, 0, len(p.t.Text(v))))
				}
			}
			if x.Host != "" {
				x.URL = kind.String() + "://" + x.Host
				if n := port(p.leaf(c, "port")); n != 0 {
					x.URL += ":" + p.leaf(c, "port")
				}
				x.URL += "/" + strings.TrimLeft(x.Path, "/")
			}
			p.d.Clients = append(p.d.Clients, x)
		}
	}
}

// updates reads from where and how often software and signatures come. They come over TLS ("Update Server", PAN-OS Admin
// Guide); the server is the vendor's unless stated.
func (p *parser) updates(n, k int32) {
	p.okAll(k)
	if !p.is(k, "update-server") {
		return
	}
	v := p.value(k)
	if v == none {
		return
	}
	c := facts.Client{
		Use: "settings", Name: "deviceconfig system update-server", Protocol: facts.HTTPS, Host: clean(p.bytes(v)),
		Enabled: facts.Say(true, p.span(v)), Password: facts.Say(false, p.span(v)), Scope: p.scoped(management), Span: p.span(v),
	}
	_, c.Addr, _ = prefix(p.bytes(v))
	list := p.kid(n, "update-schedule")
	for s := p.first(list); s != none; s = p.next(s) {
		if d := p.periodOf(p.kid(s, "recurring")); d > 0 && (c.Period == 0 || d < c.Period) {
			c.Automatic, c.Period = true, d
		}
	}
	p.d.Clients = append(p.d.Clients, c)
}

// ntp reads time sources.
func (p *parser) ntp(k int32) {
	p.okAll(k)
	if p.box != p.lay.box {
		return
	}
	l := &p.d.Logging
	if v := p.value(k); v != none && p.first(v) == none { // releases before 6.0: ntp-server-1 ADDRESS
		l.NTP = append(l.NTP, p.text(v))
		return
	}
	for s := p.first(k); s != none; s = p.next(s) {
		if v := p.value(p.kid(s, "ntp-server-address")); v != none {
			l.NTP = append(l.NTP, p.text(v))
		}
		auth := p.kid(s, "authentication-type")
		if auth == none {
			continue
		}
		keyed := p.kid(auth, "none") == none
		if l.NTPAuth.Origin != facts.Explicit || !keyed {
			l.NTPAuth = facts.Say(keyed, p.span(auth))
		}
	}
}

// snmp reads who may ask. The agent answers questions and changes nothing ("Monitor the Firewall Using SNMP", PAN-OS
// Admin Guide: the firewall supports GET only). The schema's default community is "public".
func (p *parser) snmp(k int32) {
	p.okAll(k)
	version := p.under(k, "access-setting", "version")
	if v2 := p.kid(version, "v2c"); v2 != none {
		a := facts.SNMPAccess{Version: 1, Write: facts.Assume(false), Scope: p.scoped(management), Span: p.span(v2)}
		if v := p.value(p.kid(v2, "snmp-community-string")); v != none {
			a.Span = p.span(v)
		}
		p.d.SNMP = append(p.d.SNMP, a)
	}
	users := p.under(version, "v3", "users")
	for u := p.first(users); u != none; u = p.next(u) {
		a := facts.SNMPAccess{Version: 3, Name: p.text(u), Write: facts.Assume(false), Scope: p.scoped(management), Span: p.span(u)}
		if v := p.value(p.kid(u, "view")); v != none {
			a.ReadView = p.text(v)
		}
		p.d.SNMP = append(p.d.SNMP, a)
		p.d.Trusts = append(p.d.Trusts, facts.Trust{Kind: "snmp-user", Name: a.Name, Span: a.Span})
	}
}

// controllers reads the Panorama that configures this firewall.
func (p *parser) controllers(k int32) {
	p.okAll(k)
	add := func(v int32) {
		t := facts.Trust{Kind: "controller", Name: "Panorama", Host: p.text(v), Span: p.span(v)}
		_, t.Addr, _ = prefix(p.bytes(v))
		p.d.Trusts = append(p.d.Trusts, t)
	}
	if !p.is(k, "panorama") {
		if v := p.value(k); v != none {
			add(v)
		}
		return
	}
	for c := p.first(k); c != none; c = p.next(c) { // local-panorama
		for _, at := range [...]int32{k, c} {
			for _, w := range [...]string{"panorama-server", "panorama-server-2"} {
				if s := p.kid(at, w); s != none && (at != k || c == s) {
					if v := p.value(s); v != none {
						add(v)
					}
				}
			}
		}
	}
}

// setting reads "deviceconfig setting management": what a new firewall was told by init-cfg.txt, and whether commands are
// logged ("Track Administrator Activity", PAN-OS Admin Guide, since release 10.1).
func (p *parser) setting(n int32) {
	p.ok(n)
	for k := p.first(n); k != none; k = p.next(k) {
		switch string(p.t.Text(k)) {
		case "initcfg":
			p.okAll(k)
			for _, w := range [...]string{"panorama-server", "panorama-server-2"} {
				if v := p.value(p.kid(k, w)); v != none {
					t := facts.Trust{Kind: "controller", Name: "Panorama, by init-cfg", Host: p.text(v), Span: p.span(v)}
					_, t.Addr, _ = prefix(p.bytes(v))
					p.d.Trusts = append(p.d.Trusts, t)
				}
			}
		case "audit-tracking":
			p.okAll(k)
			on := false
			for _, w := range [...]string{"op-commands", "ui-actions"} {
				v := p.value(p.kid(k, w))
				on = on || w == "op-commands" && v != none && p.is(v, "yes")
			}
			if p.box == p.lay.box && on && p.value(p.kid(k, "send-syslog")) != none {
				p.d.Logging.CommandAccounting = facts.Say(true, p.span(k))
			}
		default:
			p.other("deviceconfig setting management", k)
		}
	}
}
