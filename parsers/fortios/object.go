package fortios

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// Names of IPv6 addresses are apart from those of IPv4; the groups here keep them apart by a word no name can begin with.
const v6 = "ipv6 "

// objects reads addresses, services and their groups.
func (p *parser) objects(root *node) {
	for _, n := range root.edits("firewall address") {
		p.group(facts.Group{Name: n.key, Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{p.address(n)}, Span: p.span(n)})
	}
	for _, n := range root.edits("firewall address6") {
		p.group(facts.Group{Name: v6 + n.key, Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{p.address6(n)}, Span: p.span(n)})
	}
	for _, path := range []struct{ path, before string }{{"firewall addrgrp", ""}, {"firewall addrgrp6", v6}, {"firewall vipgrp", ""}} {
		for _, n := range root.edits(path.path) {
			g := facts.Group{Name: path.before + n.key, Kind: facts.NetworkGroup, Span: p.span(n)}
			for _, m := range n.values("member") {
				g.Addrs = append(g.Addrs, facts.AddrItem{Group: path.before + m, Span: p.span(n.set("member"))})
			}
			if n.value("exclude") == "enable" {
				for _, m := range n.values("exclude-member") {
					g.Addrs = append(g.Addrs, facts.AddrItem{Group: path.before + m, Except: true, Span: p.span(n.set("exclude-member"))})
				}
			}
			p.quiet(n)
			p.group(g)
		}
	}
	for _, n := range root.edits("firewall vip") {
		p.vip(n)
	}
	own := map[string]bool{}
	for _, n := range root.edits("firewall service custom") {
		own[n.key] = true
		p.group(facts.Group{Name: n.key, Kind: facts.ServiceGroup, Services: p.service(n), Span: p.span(n)})
	}
	for _, n := range root.edits("firewall service group") {
		own[n.key] = true
		g := facts.Group{Name: n.key, Kind: facts.ServiceGroup, Span: p.span(n)}
		for _, m := range n.values("member") {
			g.Services = append(g.Services, facts.ServiceItem{Group: m, Span: p.span(n.set("member"))})
		}
		p.quiet(n)
		p.group(g)
	}
	if len(root.configs("firewall policy"))+len(root.configs("firewall service group"))+len(root.configs("firewall local-in-policy")) > 0 {
		p.builtin(own)
	}
}

func (p *parser) group(g facts.Group) {
	g.Scope = p.scope
	p.d.Groups = append(p.d.Groups, g)
}

// quiet marks what an object has beside what decides: names, colours, comments.
func (p *parser) quiet(n *node) {
	for _, k := range n.kids {
		if k.kind != isSet || k.state != facts.Unrecognised {
			continue
		}
		switch k.key {
		case "uuid", "color", "comment", "comments", "category", "visibility", "allow-routing", "fabric-object", "associated-interface", "global-label", "uuid-idx":
			k.state, k.reason = facts.Irrelevant, "a label"
		}
	}
}

// address reads one IPv4 address object. Without a subnet it is every address (FortiOS CLI reference, firewall address).
func (p *parser) address(n *node) facts.AddrItem {
	defer p.quiet(n)
	it := facts.AddrItem{Span: p.span(n)}
	switch kind := n.value("type"); kind {
	case "", "ipmask", "subnet":
		k := n.set("subnet")
		if k == nil {
			it.Any, it.Family = true, facts.IPv4
			return it
		}
		it.Span = p.span(k)
		net, ok := prefix(n.values("subnet"))
		if !ok {
			it.Unread = "a subnet that is none"
			k.state, k.reason = facts.Unsupported, it.Unread
			return it
		}
		it.Prefix = net.Masked()
	case "iprange":
		it.From, it.To = addr(n.value("start-ip")), addr(n.value("end-ip"))
		if !it.From.IsValid() || !it.To.IsValid() {
			it.From, it.To, it.Unread = netip.Addr{}, netip.Addr{}, "a range without ends"
		}
	case "wildcard":
		w := n.values("wildcard")
		if len(w) == 2 {
			if a, m := addr(w[0]), addr(w[1]); a.Is4() && m.Is4() {
				it.Wild = &facts.Wildcard{Addr: a.As4(), Care: m.As4()}
				return it
			}
		}
		it.Unread = "a wildcard that is none"
	default: // fqdn, geography, dynamic, interface-subnet, mac, wildcard-fqdn: who is in it is not in the text
		it.Unread = "address of type " + kind
		for _, key := range []string{"fqdn", "country", "sdn", "sub-type", "interface", "macaddr", "wildcard-fqdn", "cache-ttl", "filter", "obj-tag", "tag-type", "clearpass-spt"} {
			n.value(key)
		}
		n.values("subnet")
	}
	return it
}

func addr(s string) netip.Addr {
	a, _ := netip.ParseAddr(s)
	return a
}

func (p *parser) address6(n *node) facts.AddrItem {
	defer p.quiet(n)
	it := facts.AddrItem{Span: p.span(n)}
	switch kind := n.value("type"); kind {
	case "", "ipprefix":
		v := n.values("ip6")
		if len(v) == 0 {
			it.Any, it.Family = true, facts.IPv6
			return it
		}
		net, ok := prefix(v)
		if !ok {
			it.Unread = "a prefix that is none"
			return it
		}
		it.Prefix = net.Masked()
	case "iprange":
		it.From, it.To = addr(n.value("start-ip")), addr(n.value("end-ip"))
		if !it.From.IsValid() || !it.To.IsValid() {
			it.From, it.To, it.Unread = netip.Addr{}, netip.Addr{}, "a range without ends"
		}
	default:
		it.Unread = "address of type " + kind
	}
	return it
}

// vip reads a virtual IP: destination translation, and an address that policies name. Policies see the mapped address.
func (p *parser) vip(n *node) {
	nat := facts.NAT{Kind: "destination", Span: p.span(n)}
	from, _, ranged := strings.Cut(n.value("extip"), "-")
	mapped := n.value("mappedip")
	for _, k := range n.edits("mappedip") {
		mapped = k.key
	}
	to, _, many := strings.Cut(mapped, "-")
	a, b := addr(from), addr(to)
	it := facts.AddrItem{Span: p.span(n)}
	if a.IsValid() && !ranged {
		nat.Original = netip.PrefixFrom(a, a.BitLen())
	}
	switch last := addr(mapped[min(len(mapped), len(to)+1):]); {
	case b.IsValid() && many && last.IsValid():
		it.From, it.To = b, last
	case b.IsValid():
		nat.Mapped = netip.PrefixFrom(b, b.BitLen())
		it.Prefix = nat.Mapped
	default:
		it.Unread = "virtual IP " + n.key
	}
	if in := n.value("extintf"); in != "" && in != "any" {
		nat.In = in
	}
	switch kind := n.value("type"); {
	case kind != "" && kind != "static-nat":
		nat.Unread = "virtual IP of type " + kind
		it = facts.AddrItem{Unread: nat.Unread, Span: it.Span}
	case n.value("portforward") == "enable":
		nat.Unread = "a port is forwarded"
		nat.Transport = facts.TCP
		switch n.value("protocol") {
		case "udp":
			nat.Transport = facts.UDP
		case "sctp":
			nat.Transport = 132
		case "icmp":
			nat.Transport = 1
		}
		nat.OriginalPorts, nat.MappedPorts = span(n.value("extport")), span(n.value("mappedport"))
	case len(n.values("src-filter")) > 0:
		nat.Unread = "it is for some sources"
	default:
		nat.Static = nat.Original.IsValid() && nat.Mapped.IsValid()
	}
	if !nat.Static && nat.Unread == "" {
		nat.Unread = "it maps ranges"
	}
	p.quiet(n)
	p.d.NAT = append(p.d.NAT, nat)
	p.group(facts.Group{Name: n.key, Kind: facts.NetworkGroup, Addrs: []facts.AddrItem{it}, Span: p.span(n)})
}

// span is a port or a range of ports; zero when it is none.
func span(s string) facts.PortRange {
	a, b, ranged := strings.Cut(s, "-")
	if !ranged {
		b = a
	}
	first, err1 := strconv.ParseUint(a, 10, 16)
	last, err2 := strconv.ParseUint(b, 10, 16)
	if err1 != nil || err2 != nil || last < first {
		return facts.PortRange{}
	}
	return facts.PortRange{First: uint16(first), Last: uint16(last)}
}

// service reads a custom service: "21 8000-8010:1024-65535" is destinations with the sources behind a colon, several with
// blanks.
func (p *parser) service(n *node) []facts.ServiceItem {
	defer p.quiet(n)
	var out []facts.ServiceItem
	for _, t := range []struct {
		key string
		n   uint8
	}{{"tcp-portrange", facts.TCP}, {"udp-portrange", facts.UDP}, {"sctp-portrange", 132}} {
		for _, v := range n.values(t.key) {
			it := facts.ServiceItem{Protocols: []uint8{t.n}, Span: p.span(n.set(t.key))}
			dst, src, sourced := strings.Cut(v, ":")
			var ok bool
			if it.Dst, ok = ports(dst); !ok {
				it.Unread = "ports " + v
			}
			if sourced {
				if it.Src, ok = ports(src); !ok {
					it.Unread = "ports " + v
				}
			}
			out = append(out, it)
		}
	}
	switch proto := n.value("protocol"); proto {
	case "ICMP", "ICMP6":
		it := facts.ServiceItem{Protocols: []uint8{1}, Span: p.span(n)}
		if proto == "ICMP6" {
			it.Protocols[0] = 58
		}
		if t, err := strconv.ParseUint(n.value("icmptype"), 10, 8); err == nil {
			icmp := facts.ICMPType{Type: uint8(t), Code: -1}
			if c, err := strconv.ParseUint(n.value("icmpcode"), 10, 8); err == nil {
				icmp.Code = int16(c)
			}
			it.ICMP = []facts.ICMPType{icmp}
		}
		out = append(out, it)
	case "IP":
		it := facts.ServiceItem{Span: p.span(n)}
		if v, err := strconv.ParseUint(n.value("protocol-number"), 10, 8); err == nil && v > 0 {
			it.Protocols = []uint8{uint8(v)}
		}
		out = append(out, it)
	}
	if n.set("fqdn") != nil || n.set("iprange") != nil && n.value("iprange") != "0.0.0.0" {
		n.value("fqdn")
		for i := range out {
			out[i].Unread = "it is for some servers"
		}
	}
	for _, key := range []string{"proxy", "helper", "session-ttl", "udp-idle-timer", "tcp-halfclose-timer", "tcp-halfopen-timer", "tcp-timewait-timer", "tcp-rst-timer", "check-reset-range"} {
		n.value(key)
	}
	return out
}

func ports(s string) (facts.Ports, bool) {
	r := span(s)
	if r == (facts.PortRange{}) && s != "0" {
		return facts.Ports{Present: true}, false
	}
	return facts.Ports{Present: true, Ranges: []facts.PortRange{r}}, true
}

// predefined are services every VDOM has unless it says otherwise (FortiOS Administration Guide, Services; the names and
// ports as "show full-configuration" prints them). The transfer protocols among them are all here.
var predefined = []struct {
	name     string
	tcp, udp []facts.PortRange
}{
	{"FTP", one(21), nil}, {"FTP_GET", one(21), nil}, {"FTP_PUT", one(21), nil}, {"TFTP", nil, one(69)}, {"SAMBA", one(139), nil}, {"SMB", one(445), nil},
	{"SSH", one(22), nil}, {"TELNET", one(23), nil}, {"SMTP", one(25), nil}, {"DNS", one(53), one(53)}, {"HTTP", one(80), nil}, {"HTTPS", one(443), nil},
	{"POP3", one(110), nil}, {"POP3S", one(995), nil}, {"IMAP", one(143), nil}, {"IMAPS", one(993), nil}, {"SMTPS", one(465), nil}, {"NTP", one(123), one(123)},
	{"SNMP", two(161, 162), two(161, 162)}, {"SYSLOG", nil, one(514)}, {"LDAP", one(389), nil}, {"LDAP_UDP", nil, one(389)}, {"KERBEROS", append(one(88), one(464)...), append(one(88), one(464)...)},
	{"NFS", append(one(111), one(2049)...), append(one(111), one(2049)...)}, {"RDP", one(3389), nil}, {"DHCP", nil, two(67, 68)}, {"DCE-RPC", one(135), one(135)},
	{"IKE", nil, append(one(500), one(4500)...)}, {"MYSQL", one(3306), nil}, {"MS-SQL", two(1433, 1434), nil}, {"RADIUS", nil, two(1812, 1813)},
	{"SIP", one(5060), one(5060)}, {"SQUID", one(3128), nil}, {"VNC", two(5900, 5999), nil}, {"X-WINDOWS", two(6000, 6063), nil}, {"WINS", one(1512), one(1512)},
	{"ALL_TCP", two(1, 65535), nil}, {"ALL_UDP", nil, two(1, 65535)},
}

func one(p uint16) []facts.PortRange           { return []facts.PortRange{{First: p, Last: p}} }
func two(first, last uint16) []facts.PortRange { return []facts.PortRange{{First: first, Last: last}} }

// builtin adds the objects that are there without a line, where the configuration does not define them.
func (p *parser) builtin(own map[string]bool) {
	add := func(g facts.Group) {
		if !own[g.Name] {
			g.Builtin = true
			p.group(g)
		}
	}
	for _, s := range predefined {
		g := facts.Group{Name: s.name, Kind: facts.ServiceGroup}
		if len(s.tcp) > 0 {
			g.Services = append(g.Services, facts.ServiceItem{Protocols: []uint8{facts.TCP}, Dst: facts.Ports{Present: true, Ranges: s.tcp}})
		}
		if len(s.udp) > 0 {
			g.Services = append(g.Services, facts.ServiceItem{Protocols: []uint8{facts.UDP}, Dst: facts.Ports{Present: true, Ranges: s.udp}})
		}
		add(g)
	}
	add(facts.Group{Name: "ALL", Kind: facts.ServiceGroup, Services: []facts.ServiceItem{{}}})
	add(facts.Group{Name: "ALL_ICMP", Kind: facts.ServiceGroup, Services: []facts.ServiceItem{{Protocols: []uint8{1}}}})
	add(facts.Group{Name: "ALL_ICMP6", Kind: facts.ServiceGroup, Services: []facts.ServiceItem{{Protocols: []uint8{58}}}})
	add(facts.Group{Name: "PING", Kind: facts.ServiceGroup, Services: []facts.ServiceItem{{Protocols: []uint8{1}, ICMP: []facts.ICMPType{{Type: 8, Code: -1}}}}})
	have := map[string]bool{}
	for i := range p.d.Groups {
		if g := &p.d.Groups[i]; g.Scope == p.scope && g.Kind == facts.NetworkGroup {
			have[g.Name] = true
		}
	}
	for _, g := range []facts.Group{
		{Name: "all", Addrs: []facts.AddrItem{{Any: true, Family: facts.IPv4}}}, {Name: v6 + "all", Addrs: []facts.AddrItem{{Any: true, Family: facts.IPv6}}},
		{Name: "none", Addrs: []facts.AddrItem{{Prefix: netip.MustParsePrefix("0.0.0.0/32")}}}, {Name: v6 + "none", Addrs: []facts.AddrItem{{Prefix: netip.MustParsePrefix("::/128")}}},
	} {
		if !have[g.Name] {
			g.Builtin = true
			p.group(g)
		}
	}
}
