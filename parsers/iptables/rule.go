package iptables

import (
	"bytes"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// rule reads "-A CHAIN ...", with the counters of "iptables-save -c" before it.
func (p *parser) rule() {
	text := p.line
	var packets uint64
	counted := false
	if text[0] == '[' {
		count, rest, ok := bytes.Cut(text[1:], []byte("] "))
		n, _, _ := bytes.Cut(count, []byte(":"))
		v, err := strconv.ParseUint(string(n), 10, 64)
		if !ok || err != nil || !bytes.HasPrefix(rest, []byte("-A ")) {
			p.account(facts.Unrecognised, "", "")
			return
		}
		packets, counted, text = v, true, rest
	}
	words, whole := split(p.words[:0], string(text[len("-A "):]))
	p.words = words
	if len(words) == 0 {
		p.account(facts.Unrecognised, "a rule of no chain", "")
		return
	}
	i := p.filter(words[0])
	f := &p.d.Filters[i]
	f.Rules = append(f.Rules, facts.Rule{Action: facts.Next, Span: p.span(p.line, p.off)})
	r := &f.Rules[len(f.Rules)-1]
	x := options{p: p, r: r, words: words[1:], chain: f.Name}
	x.read()
	if !whole {
		x.unknown("a quote that does not end")
	}
	f = &p.d.Filters[i] // reading may have added filters
	if counted {
		p.d.Hits = append(p.d.Hits, facts.Hit{
			Filter: f.Name, Rule: "#" + strconv.Itoa(len(f.Rules)), Family: f.Family, Packets: packets, Taken: p.d.Taken, Span: r.Span,
		})
	}
	if r.Action == facts.Deny || r.Action == facts.ActionUnknown {
		p.drops[f.Name] = true
	}
	if x.unsupported != "" {
		p.account(facts.Unsupported, x.unsupported, f.Name)
		return
	}
	p.account(facts.Understood, "", "")
}

// split adds the words of a rule, as iptables-save quotes them: in double quotes, with backslashes before quotes and
// backslashes. whole is false when a quote does not end.
func split(words []string, s string) (all []string, whole bool) {
	for i := 0; i < len(s); {
		switch s[i] {
		case ' ', '\t':
			i++
		case '"':
			var b strings.Builder
			for i++; i < len(s) && s[i] != '"'; i++ {
				if s[i] == '\\' && i+1 < len(s) {
					i++
				}
				b.WriteByte(s[i])
			}
			if i == len(s) {
				return append(words, b.String()), false
			}
			i++
			words = append(words, b.String())
		default:
			end := i
			for end < len(s) && s[end] != ' ' && s[end] != '\t' {
				end++
			}
			words = append(words, s[i:end])
			i = end
		}
	}
	return words, true
}

// options are the words of a rule behind its chain.
type options struct {
	p           *parser
	r           *facts.Rule
	words       []string
	chain       string
	not         bool // "!" stood before
	limited     bool // a limit that the first packets keep
	unsupported string
	module      string // last -m
}

func (x *options) next() (string, bool) {
	if len(x.words) == 0 {
		return "", false
	}
	w := x.words[0]
	x.words = x.words[1:]
	return w, true
}

// arg is the argument of an option; a "!" before it, as iptables before 1.4 wrote it, negates.
func (x *options) arg() string {
	w, _ := x.next()
	if w == "!" {
		x.not = true
		w, _ = x.next()
	}
	return w
}

// unknown makes the rule one whose match is not known.
func (x *options) unknown(why string) {
	x.p.narrow(x.r, why)
	if x.unsupported == "" {
		x.unsupported = why
	}
}

// untold is a condition that is known and that a packet's header cannot answer.
func (x *options) untold(why string) { x.p.narrow(x.r, why) }

func (x *options) read() {
	target := false
	for {
		w, ok := x.next()
		switch {
		case !ok:
			if x.limited && x.r.Action != facts.Permit && x.r.Action != facts.Next {
				x.untold("a limit")
			}
			return
		case w == "!":
			x.not = true
			continue
		case w == "-j" || w == "--jump" || w == "-g" || w == "--goto":
			target = true
			x.target(w)
		case target:
			x.unknown(w)
		case !strings.HasPrefix(w, "-"):
			x.unknown(w)
		default:
			x.option(w)
		}
		x.not = false
	}
}

// option reads one match option.
func (x *options) option(w string) {
	m := &x.r.Match
	switch w {
	case "-s", "--source", "--src":
		x.addrs(&m.Src)
	case "-d", "--destination", "--dst":
		x.addrs(&m.Dst)
	case "-i", "--in-interface":
		x.place(&m.In)
	case "-o", "--out-interface":
		x.place(&m.Out)
	case "-p", "--protocol":
		x.protocol()
	case "-f", "--fragment":
		if m.Fragments = facts.NonInitial; x.not {
			m.Fragments = facts.Unfragmented
		}
	case "-m", "--match":
		x.module = x.arg()
	case "--sport", "--source-port":
		x.ports(&m.SrcPorts, ":")
	case "--dport", "--destination-port":
		x.ports(&m.DstPorts, ":")
	case "--sports", "--source-ports":
		x.ports(&m.SrcPorts, ":")
	case "--dports", "--destination-ports":
		x.ports(&m.DstPorts, ":")
	case "--ports":
		x.ports(&m.EitherPorts, ":")
	case "--syn":
		x.syn()
	case "--tcp-flags":
		x.flags()
	case "--icmp-type", "--icmpv6-type":
		x.icmp()
	case "--state", "--ctstate":
		x.states()
	case "--src-range":
		x.addrRange(&m.Src)
	case "--dst-range":
		x.addrRange(&m.Dst)
	case "--comment":
		x.r.Remark = clip(x.arg())
	case "--limit", "--limit-burst", "--hashlimit", "--hashlimit-upto", "--hashlimit-burst", "--hashlimit-mode", "--hashlimit-name",
		"--hashlimit-htable-size", "--hashlimit-htable-max", "--hashlimit-htable-expire", "--hashlimit-htable-gcinterval",
		"--hashlimit-srcmask", "--hashlimit-dstmask":
		x.arg()
		x.limited = x.limited || w == "--limit" || w == "--hashlimit" || w == "--hashlimit-upto"
	case "--match-set":
		x.set()
	default:
		x.other(w)
	}
}

// clip bounds a remark.
func clip(s string) string { return s[:min(len(s), 1024)] }

func (x *options) addrs(to *facts.Addrs) {
	to.Present = true
	text := x.arg()
	to.Not = x.not
	for part := range strings.SplitSeq(text, ",") {
		it, ok := x.p.address(part)
		if !ok {
			it = facts.AddrItem{Unread: "address " + part}
			x.unknown("address " + part)
		}
		it.Span = x.r.Span
		if len(to.Items) == 0 {
			to.Items = x.p.items.One(it)
		} else {
			to.Items = append(to.Items, it)
		}
	}
}

func (x *options) addrRange(to *facts.Addrs) {
	from, until, ok := strings.Cut(x.arg(), "-")
	a, err1 := netip.ParseAddr(from)
	b, err2 := netip.ParseAddr(until)
	if !ok || err1 != nil || err2 != nil || a.Is4() != b.Is4() || to.Present {
		x.unknown("a range of addresses")
		return
	}
	to.Present, to.Not = true, x.not
	to.Items = x.p.items.One(facts.AddrItem{From: a, To: b, Span: x.r.Span})
}

// place reads an interface's name; "+" at its end is any that begins so.
func (x *options) place(to *facts.Places) {
	name := x.arg()
	if name == "+" || name == "" {
		if x.not {
			to.Present = true // none is none
		}
		return
	}
	if s, ok := strings.CutSuffix(name, "+"); ok {
		name = s + "*"
	}
	to.Present, to.Not, to.Names = true, x.not, []string{name}
}

// protocols are names iptables prints for numbers (/etc/protocols).
var protocols = map[string]uint8{
	"icmp": 1, "igmp": 2, "ipencap": 4, "ipip": 4, "tcp": 6, "egp": 8, "udp": 17, "dccp": 33, "ipv6": 41, "ipv6-route": 43, "ipv6-frag": 44,
	"gre": 47, "esp": 50, "ah": 51, "icmpv6": 58, "ipv6-icmp": 58, "ipv6-nonxt": 59, "eigrp": 88, "ospf": 89, "pim": 103, "vrrp": 112,
	"l2tp": 115, "sctp": 132, "mobility-header": 135, "udplite": 136,
}

func (x *options) protocol() {
	name := strings.ToLower(x.arg())
	n, ok := protocols[name]
	if !ok {
		v, err := strconv.ParseUint(name, 10, 8)
		switch {
		case name == "all" || err == nil && v == 0:
			if x.not {
				x.r.Match.HasAnyOf = true // no packet is of no protocol
			}
			return
		case err != nil:
			x.unknown("protocol " + name)
			return
		}
		n = uint8(v)
	}
	x.r.Match.Protocols, x.r.Match.NotProtocols = []uint8{n}, x.not
}

// ports reads a port, a range ("20:21", ":1023", "1024:") or a list of them.
func (x *options) ports(to *facts.Ports, sep string) {
	text := x.arg()
	to.Present, to.Not = true, x.not
	for part := range strings.SplitSeq(text, ",") {
		a, b, ranged := strings.Cut(part, sep)
		if !ranged {
			b = a
		}
		if ranged && a == "" {
			a = "0"
		}
		if ranged && b == "" {
			b = "65535"
		}
		first, ok1 := portNumber(a)
		last, ok2 := portNumber(b)
		if !ok1 || !ok2 || last < first {
			x.unknown("port " + part)
			continue
		}
		to.Ranges = append(to.Ranges, facts.PortRange{First: first, Last: last})
	}
}

// services are names from /etc/services that people write into rules by hand; iptables-save prints numbers.
var services = map[string]uint16{
	"ftp-data": 20, "ftp": 21, "ssh": 22, "telnet": 23, "smtp": 25, "domain": 53, "bootps": 67, "bootpc": 68, "tftp": 69, "http": 80,
	"pop3": 110, "sunrpc": 111, "ntp": 123, "epmap": 135, "netbios-ns": 137, "netbios-dgm": 138, "netbios-ssn": 139, "imap2": 143,
	"snmp": 161, "snmp-trap": 162, "ldap": 389, "https": 443, "microsoft-ds": 445, "syslog": 514, "ldaps": 636, "ftps-data": 989, "ftps": 990,
	"imaps": 993, "pop3s": 995, "nfs": 2049, "mysql": 3306, "postgresql": 5432,
}

func portNumber(s string) (uint16, bool) {
	if n, err := strconv.ParseUint(s, 10, 16); err == nil {
		return uint16(n), true
	}
	n, ok := services[s]
	return n, ok
}

// syn is "--syn": SYN without ACK, RST and FIN.
func (x *options) syn() {
	if !x.not {
		x.r.Match.Flags = facts.Initial
		return
	}
	x.r.Match.AllOf = append(x.r.Match.AllOf, facts.Match{Not: true, Flags: facts.Initial})
}

// flags reads "--tcp-flags MASK COMPARE". The sets the kernel's --syn stands for are told; others may match anything.
func (x *options) flags() {
	mask, set := sorted(x.arg()), ""
	set, _ = x.next()
	set = sorted(set)
	switch {
	case set == "SYN" && slices.Contains([]string{"ACK,FIN,RST,SYN", "ACK,RST,SYN", "ACK,SYN"}, mask):
		x.syn()
	default:
		x.untold(fmt.Sprintf("tcp flags %s of %s", set, mask))
	}
}

func sorted(list string) string {
	words := strings.Split(list, ",")
	slices.Sort(words)
	return strings.Join(words, ",")
}

// icmpTypes are the names iptables knows (iptables -p icmp -h), from RFC 792 and RFC 4443.
var icmpTypes = map[bool]map[string]facts.ICMPType{
	false: {
		"echo-reply": {Type: 0, Code: -1}, "pong": {Type: 0, Code: -1}, "destination-unreachable": {Type: 3, Code: -1},
		"network-unreachable": {Type: 3, Code: 0}, "host-unreachable": {Type: 3, Code: 1}, "protocol-unreachable": {Type: 3, Code: 2},
		"port-unreachable": {Type: 3, Code: 3}, "fragmentation-needed": {Type: 3, Code: 4}, "source-quench": {Type: 4, Code: -1},
		"redirect": {Type: 5, Code: -1}, "echo-request": {Type: 8, Code: -1}, "ping": {Type: 8, Code: -1},
		"router-advertisement": {Type: 9, Code: -1}, "router-solicitation": {Type: 10, Code: -1}, "time-exceeded": {Type: 11, Code: -1},
		"parameter-problem": {Type: 12, Code: -1}, "timestamp-request": {Type: 13, Code: -1}, "timestamp-reply": {Type: 14, Code: -1},
		"address-mask-request": {Type: 17, Code: -1}, "address-mask-reply": {Type: 18, Code: -1},
	},
	true: {
		"destination-unreachable": {Type: 1, Code: -1}, "packet-too-big": {Type: 2, Code: -1}, "time-exceeded": {Type: 3, Code: -1},
		"parameter-problem": {Type: 4, Code: -1}, "echo-request": {Type: 128, Code: -1}, "echo-reply": {Type: 129, Code: -1},
		"router-solicitation": {Type: 133, Code: -1}, "router-advertisement": {Type: 134, Code: -1},
		"neighbour-solicitation": {Type: 135, Code: -1}, "neighbor-solicitation": {Type: 135, Code: -1},
		"neighbour-advertisement": {Type: 136, Code: -1}, "neighbor-advertisement": {Type: 136, Code: -1}, "redirect": {Type: 137, Code: -1},
	},
}

func (x *options) icmp() {
	name := x.arg()
	if name == "any" || name == "255" {
		return // any type
	}
	t, ok := icmpTypes[x.p.six][name]
	if !ok {
		typ, code, coded := strings.Cut(name, "/")
		n, err := strconv.ParseUint(typ, 10, 8)
		c := int64(-1)
		if coded && err == nil {
			var v uint64
			v, err = strconv.ParseUint(code, 10, 8)
			c = int64(v)
		}
		if err != nil {
			x.unknown("icmp type " + name)
			return
		}
		t = facts.ICMPType{Type: uint8(n), Code: int16(c)}
	}
	if x.not {
		x.r.Match.AllOf = append(x.r.Match.AllOf, facts.Match{Not: true, ICMP: []facts.ICMPType{t}})
		return
	}
	x.r.Match.ICMP = append(x.r.Match.ICMP, t)
}

// states of connection tracking.
var states = map[string]facts.ConnState{
	"NEW": facts.ConnNew, "ESTABLISHED": facts.ConnEstablished, "RELATED": facts.ConnRelated, "INVALID": facts.ConnInvalid, "UNTRACKED": facts.ConnUntracked,
}

func (x *options) states() {
	var set facts.ConnState
	for s := range strings.SplitSeq(x.arg(), ",") {
		v, ok := states[strings.ToUpper(s)]
		if !ok {
			x.untold("state " + s) // SNAT, DNAT: what NAT did
			continue
		}
		set |= v
	}
	if x.not {
		set = ^set & (facts.ConnNew | facts.ConnEstablished | facts.ConnRelated | facts.ConnInvalid | facts.ConnUntracked)
	}
	if set == 0 {
		x.r.Match.HasAnyOf = x.r.Match.HasAnyOf || len(x.r.Match.Unread) == 0 // every state excluded: matches nothing
		return
	}
	x.r.Match.Conn = set
}

// set is "--match-set NAME src": who is in an ipset is not in this text.
func (x *options) set() {
	name := x.arg()
	side, _ := x.next()
	to := &x.r.Match.Src
	if side == "dst" {
		to = &x.r.Match.Dst
	}
	if side != "src" && side != "dst" || to.Present {
		x.untold("ipset " + name)
		return
	}
	to.Present, to.Not = true, x.not
	to.Items = x.p.items.One(facts.AddrItem{Unread: "ipset " + name, Span: x.r.Span})
}

// untoldModules are modules whose conditions no packet's header answers; their options take at most one word each.
var untoldModules = []string{
	"addrtype", "bpf", "cgroup", "cluster", "connbytes", "connlabel", "connlimit", "connmark", "conntrack", "cpu", "devgroup", "dscp", "dst",
	"ecn", "eui64", "frag", "hashlimit", "hbh", "helper", "hl", "ipv6header", "length", "mac", "mark", "mh", "nfacct", "osf", "owner", "physdev",
	"pkttype", "policy", "quota", "realm", "recent", "rpfilter", "rt", "set", "socket", "state", "statistic", "string", "tcpmss", "time", "tos",
	"ttl", "u32", "geoip", "layer7", "tcp", "udp", "sctp", "dccp", "account", "fuzzy", "iprange", "limit",
}

// other reads an option of a module: its argument, when it has one, is no option.
func (x *options) other(w string) {
	what := w
	for len(x.words) > 0 && x.words[0] != "!" && (!strings.HasPrefix(x.words[0], "-") || isNumber(x.words[0])) {
		v, _ := x.next()
		what += " " + v
	}
	what = clip(strings.TrimLeft(what, "-"))
	if slices.Contains(untoldModules, x.module) {
		x.untold(x.module + ": " + what)
		return
	}
	x.unknown(what)
}

func isNumber(s string) bool {
	_, err := strconv.ParseInt(s, 0, 64)
	return err == nil
}

// passing targets change or record a packet and let it go on.
var passing = []string{
	"LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CONNSECMARK", "SECMARK", "TCPMSS", "TCPOPTSTRIP", "NOTRACK", "CT", "CLASSIFY", "TRACE", "SET",
	"DSCP", "TOS", "TTL", "HL", "CHECKSUM", "AUDIT", "ECN", "HMARK", "IDLETIMER", "LED", "RATEEST", "TEE", "ACCOUNT", "NFACCT", "SYSRQ", "DELUDE",
}

// target reads "-j TARGET ..." to the end of the rule: what follows is the target's own.
func (x *options) target(flag string) {
	name, ok := x.next()
	rest := x.words
	x.words = nil
	x.not = false
	switch {
	case !ok || name == "":
		x.unknown("a target")
	case flag == "-g" || flag == "--goto":
		x.r.Action, x.r.To = facts.Goto, filterName(x.p.table, name)
	case name == "ACCEPT":
		x.r.Action = facts.Permit
	case name == "DROP" || name == "REJECT" || name == "TARPIT":
		x.r.Action = facts.Deny
	case name == "RETURN":
		x.r.Action = facts.Return
	case name == "QUEUE" || name == "NFQUEUE" || name == "SYNPROXY":
		x.r.Action = facts.ActionUnknown // a program decides
	case slices.Contains(passing, name):
		if name == "LOG" || name == "NFLOG" || name == "ULOG" {
			x.r.Log = facts.Say(true, x.r.Span)
		}
	case x.p.table == "nat" && slices.Contains([]string{"DNAT", "REDIRECT", "SNAT", "MASQUERADE", "NETMAP", "BALANCE", "SAME"}, name):
		x.r.Action = facts.Permit
		x.nat(name, rest)
	case name == "TPROXY" || name == "DNAT" || name == "REDIRECT" || name == "SNAT" || name == "MASQUERADE" || name == "NETMAP":
		x.r.Action = facts.Permit
	default:
		x.r.Action, x.r.To = facts.Jump, filterName(x.p.table, name)
	}
}

// nat states what a rule of table nat does to addresses.
func (x *options) nat(target string, rest []string) {
	m := &x.r.Match
	n := facts.NAT{Kind: "destination", Span: x.r.Span}
	to := ""
	for i := 0; i+1 < len(rest); i++ {
		switch rest[i] {
		case "--to-destination", "--to-source", "--to":
			to = rest[i+1]
		case "--to-ports", "--to-port":
			n.Unread = "to port " + rest[i+1]
		}
	}
	end := &m.Dst
	switch target {
	case "SNAT", "MASQUERADE", "SAME":
		n.Kind, end = "source", &m.Src
	case "NETMAP":
		n.Kind = "destination"
		if strings.HasSuffix(x.chain, "/POSTROUTING") {
			n.Kind, end = "source", &m.Src
		}
	}
	if len(end.Items) == 1 && !end.Not && end.Items[0].Prefix.IsValid() {
		n.Original = end.Items[0].Prefix
	}
	host, port := to, ""
	if a, err := netip.ParseAddrPort(to); err == nil {
		host, port = a.Addr().String(), strconv.Itoa(int(a.Port()))
	} else if h, p, ok := strings.Cut(to, ":"); ok && strings.Count(to, ":") == 1 {
		host, port = h, p
	}
	if it, ok := x.p.address(host); ok && it.Prefix.IsValid() {
		n.Mapped = it.Prefix
	}
	if len(m.In.Names) == 1 && !m.In.Not && !strings.HasSuffix(m.In.Names[0], "*") {
		n.In = m.In.Names[0]
	}
	if len(m.Out.Names) == 1 && !m.Out.Not && !strings.HasSuffix(m.Out.Names[0], "*") {
		n.Out = m.Out.Names[0]
	}
	if len(m.Protocols) == 1 && !m.NotProtocols {
		n.Transport = m.Protocols[0]
	}
	if len(m.DstPorts.Ranges) == 1 && !m.DstPorts.Not {
		n.OriginalPorts = m.DstPorts.Ranges[0]
	}
	if p, ok := portNumber(port); ok {
		n.MappedPorts = facts.PortRange{First: p, Last: p}
	} else if port != "" {
		n.Unread = "to ports " + port
	}
	plain := !m.Src.Present || n.Kind == "source"
	n.Static = n.Kind == "destination" && plain && n.Original.IsValid() && n.Mapped.IsValid() && n.Transport == 0 && n.OriginalPorts == facts.PortRange{} && port == "" && len(m.Unread) == 0
	if !n.Static && n.Unread == "" {
		n.Unread = target
	}
	x.p.d.NAT = append(x.p.d.NAT, n)
}
