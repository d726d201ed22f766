package hostsvc

import (
	"bytes"
	"net/netip"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Xinetd reads xinetd.conf and the files of xinetd.d: blocks "service NAME { attribute = value }" and "defaults { }"
// (xinetd.conf(5)).
func Xinetd() facts.Format {
	return format("xinetd-config", hostfile.Syntax{Comments: "#"}, detectXinetd, func(f *hostfile.File, _ string) { readXinetd(f) })
}

func detectXinetd(name string, head []byte) facts.Confidence {
	named := hostfile.Named(name, "xinetd.conf") || hostfile.Below(name, "xinetd.d")
	block := false
	l := hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
		key, rest := word(line)
		switch {
		case string(key) == "service" && len(rest) > 0 && !bytes.ContainsAny(rest, " \t{;"), string(line) == "defaults":
			block = true
			return true, false
		case string(line) == "{", string(line) == "}":
			return block, false
		case string(key) == "includedir":
			return true, named
		}
		attribute, _, assigns := bytes.Cut(line, []byte("="))
		attribute = bytes.TrimSpace(bytes.TrimRight(attribute, "+- \t"))
		_, known := xinetdAttributes[string(attribute)]
		return block && assigns && known, true
	})
	if !block && l.Known == 0 {
		return facts.No
	}
	return l.Confidence(named)
}

// xinetdAttributes are those of xinetd 2.3.15, with the reason why one does not bear on who may connect to what.
var xinetdAttributes = map[string]string{
	"id": "", "type": "", "flags": "", "disable": "", "socket_type": "", "protocol": "", "port": "", "server": "", "server_args": "", "user": "",
	"only_from": "", "no_access": "", "bind": "", "interface": "", "redirect": "", "log_on_success": "", "log_type": "", "disabled": "", "enabled": "",
	"access_times": "",

	"wait": "processes", "group": "processes", "instances": "limits", "nice": "processes", "per_source": "limits", "cps": "limits", "max_load": "limits",
	"log_on_failure": "refusals in the log", "rpc_version": "calls of RPC", "rpc_number": "calls of RPC", "env": "environment", "passenv": "environment",
	"banner": "texts", "banner_success": "texts", "banner_fail": "texts", "groups": "processes", "mdns": "announcements", "umask": "modes of files",
	"rlimit_as": "limits", "rlimit_files": "limits", "rlimit_cpu": "limits", "rlimit_data": "limits", "rlimit_rss": "limits", "rlimit_stack": "limits",
	"deny_time": "limits", "libwrap": "", "v6only": "the family of addresses",
}

// An xinetdBlock is a service or the defaults.
type xinetdBlock struct {
	name  hostfile.Part
	line  *hostfile.Line
	set   map[string][]hostfile.Part // values, joined by their operators
	where map[string]hostfile.Part
}

func readXinetd(f *hostfile.File) {
	var blocks []*xinetdBlock
	var defaults, open *xinetdBlock
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		key, rest := l.Word()
		switch {
		case open == nil && key.Is("service"), open == nil && key.Is("defaults"):
			open = &xinetdBlock{name: rest, line: l, set: map[string][]hostfile.Part{}, where: map[string]hostfile.Part{}}
			if key.Is("defaults") {
				defaults = open
			} else {
				open.name, _, _ = rest.Cut("{")
				blocks = append(blocks, open)
			}
			l.OK()
		case l.Is("{"):
			l.OK()
		case l.Is("}"):
			open = nil
			l.OK()
		case open == nil && (key.Is("includedir") || key.Is("include")):
			l.Skip() // the files it includes are read by themselves
		case open != nil:
			open.attribute(l)
		}
	}
	for _, b := range blocks {
		b.state(f, defaults)
	}
}

// attribute takes "name = value", "name += value" and "name -= value".
func (b *xinetdBlock) attribute(l *hostfile.Line) {
	eq := bytes.IndexByte(l.Text, '=')
	if eq < 0 {
		return
	}
	left, value := l.Slice(0, eq), l.From(eq+1).Trim()
	op := byte('=')
	if n := len(left.Text); n > 0 && (left.Text[n-1] == '+' || left.Text[n-1] == '-') {
		op, left = left.Text[n-1], left.Slice(0, n-1)
	}
	key := left.Trim().String()
	why, known := xinetdAttributes[key]
	switch {
	case !known:
		return
	case why != "":
		l.Skip()
		return
	case key == "access_times":
		l.Unsupported("times of the day at which clients may connect")
		return
	}
	l.OK()
	b.where[key] = l.Part
	words := value.Quoted()
	switch op {
	case '=':
		b.set[key] = words
	case '+':
		b.set[key] = append(b.set[key], words...)
	case '-':
		kept := b.set[key][:0:0]
		for _, w := range b.set[key] {
			if !contains(words, w.String()) {
				kept = append(kept, w)
			}
		}
		b.set[key] = kept
	}
	if _, ok := b.set[key]; !ok {
		b.set[key] = nil
	}
}

func contains(parts []hostfile.Part, s string) bool {
	for _, p := range parts {
		if p.Is(s) {
			return true
		}
	}
	return false
}

// of is the values of an attribute, of the block's own or the defaults'; those of the latter that xinetd adds to a block's
// (xinetd.conf(5), "defaults") are added.
func (b *xinetdBlock) of(defaults *xinetdBlock, key string) ([]hostfile.Part, bool) {
	own, ok := b.set[key]
	if !ok && defaults != nil {
		own, ok = defaults.set[key]
	}
	return own, ok
}

func (b *xinetdBlock) first(key string) hostfile.Part {
	if v := b.set[key]; len(v) > 0 {
		return v[0]
	}
	return hostfile.Part{}
}

// state makes the service. One whose program transfers no files is stated too when it forwards connections, since where to
// is all that it does.
func (b *xinetdBlock) state(f *hostfile.File, defaults *xinetdBlock) {
	s, ok := facts.Service{}, false
	args := append(append([]hostfile.Part(nil), b.set["server"]...), b.set["server_args"]...)
	if contains(b.set["flags"], "NAMEINARGS") {
		args = append(append([]hostfile.Part(nil), b.set["server"]...), b.set["server_args"][min(1, len(b.set["server_args"])):]...)
	}
	if len(args) > 0 {
		s, ok = f.Daemon(args)
	}
	n := b.port()
	if !ok {
		s.Protocol, ok = byName(b.name.String(), b.transport(), n)
	}
	if to := b.set["redirect"]; len(to) > 0 {
		s.Role, ok = facts.RoleProxy, true
		s.Path = join(to)
		if len(to) > 1 && s.Protocol == facts.ProtocolUnknown {
			s.Protocol = facts.ByPort(b.transport(), port(to[1]))
		}
	}
	if !ok {
		return
	}
	s.Name, s.Fragment = "xinetd "+b.name.String(), false
	s.Span = f.Span(b.line.Part)
	if n != 0 && facts.ByPort(b.transport(), n) != s.Protocol {
		s.Port = n
	}
	s.Enabled = b.enabled(f, defaults)
	bound, _ := b.of(defaults, "bind")
	if v := b.set["interface"]; len(v) > 0 {
		bound = v
	}
	if len(bound) > 0 {
		s.Bind = bind(bound[0].String())
	}
	s.ACL = b.clients(f, defaults)
	f.Device.Services = append(f.Device.Services, s)
}

func join(parts []hostfile.Part) string {
	var words []string
	for _, p := range parts {
		words = append(words, p.String())
	}
	return strings.Join(words, " ")
}

func (b *xinetdBlock) transport() uint8 {
	if b.first("protocol").Is("udp") || b.first("socket_type").Is("dgram") {
		return facts.UDP
	}
	return facts.TCP
}

func (b *xinetdBlock) port() uint16 { return port(b.first("port")) }

// byName is the protocol of a service that services(5) knows, or of its port.
func byName(name string, transport uint8, n uint16) (facts.Protocol, bool) {
	switch name {
	case "ftp", "ftp-data":
		return facts.FTP, true
	case "ftps":
		return facts.FTPS, true
	case "tftp":
		return facts.TFTP, true
	case "microsoft-ds", "netbios-ssn", "netbios-ns", "netbios-dgm":
		return facts.SMB, true
	case "shell", "rsh":
		return facts.RCP, true
	}
	p := facts.ByPort(transport, n)
	return p, p != facts.ProtocolUnknown
}

// enabled: a block is in force unless it says "disable = yes", or the defaults name it among the disabled, or name others
// as the only enabled ones.
func (b *xinetdBlock) enabled(f *hostfile.File, defaults *xinetdBlock) facts.V[bool] {
	name := b.name.String()
	if id := b.first("id"); len(id.Text) > 0 {
		name = id.String()
	}
	if defaults != nil {
		if v, ok := defaults.set["enabled"]; ok && !contains(v, name) {
			return facts.Say(false, f.Span(defaults.where["enabled"]))
		}
		if contains(defaults.set["disabled"], name) {
			return facts.Say(false, f.Span(defaults.where["disabled"]))
		}
	}
	if v := b.first("disable"); len(v.Text) > 0 {
		return facts.Say(!v.Fold("yes"), f.Span(b.where["disable"]))
	}
	if contains(b.set["flags"], "DISABLE") {
		return facts.Say(false, f.Span(b.where["flags"]))
	}
	return facts.Assume(true)
}

// clients makes a filter of only_from and no_access. Where both match, the more specific one decides.
func (b *xinetdBlock) clients(f *hostfile.File, defaults *xinetdBlock) facts.V[string] {
	only, limited := b.of(defaults, "only_from")
	not, refused := b.of(defaults, "no_access")
	if !limited && !refused {
		return facts.V[string]{}
	}
	at := b.where["only_from"]
	if !limited {
		at = b.where["no_access"]
	}
	if at.Text == nil && defaults != nil {
		if at = defaults.where["only_from"]; at.Text == nil {
			at = defaults.where["no_access"]
		}
	}
	list := newList(f, "xinetd "+b.name.String()+" clients", "xinetd only_from", facts.Permit)
	src := facts.Addrs{LongestPrefix: limited && refused}
	for _, p := range only {
		src.Items = append(src.Items, xinetdClient(f, p)...)
	}
	denied := facts.Addrs{}
	for _, p := range not {
		for _, item := range xinetdClient(f, p) {
			denied.Items = append(denied.Items, item)
			item.Except = true
			if limited {
				src.Items = append(src.Items, item)
			}
		}
	}
	if limited {
		list.out.Default = facts.Deny
		list.rule(facts.Permit, src, at)
	} else {
		list.rule(facts.Deny, denied, at)
	}
	return list.state()
}

// xinetdClient reads one client: zeros at the end of an address stand for anything, "a.b.{1,2}" for two.
func xinetdClient(f *hostfile.File, p hostfile.Part) []facts.AddrItem {
	text := p.String()
	open, end := strings.IndexByte(text, '{'), strings.IndexByte(text, '}')
	if open > 0 && end > open {
		var out []facts.AddrItem
		for part := range strings.SplitSeq(text[open+1:end], ",") {
			item := facts.AddrItem{Span: f.Span(p)}
			prefix, ok := zeros(text[:open] + strings.TrimSpace(part))
			if item.Prefix = prefix; !ok {
				item.Unread = "the clients " + text
			}
			out = append(out, item)
		}
		return out
	}
	if prefix, ok := zeros(text); ok {
		if prefix.Bits() == 0 {
			return []facts.AddrItem{{Any: true, Family: facts.IPv4, Span: f.Span(p)}}
		}
		return []facts.AddrItem{{Prefix: prefix, Span: f.Span(p)}}
	}
	return []facts.AddrItem{client(f, p)}
}

// zeros reads an address of one to four numbers, the zeros at whose end match anything.
func zeros(text string) (netip.Prefix, bool) {
	parts := strings.Split(text, ".")
	if len(parts) > 4 || text == "" {
		return netip.Prefix{}, false
	}
	var a [4]byte
	n := 0
	for i, s := range parts {
		v, err := strconv.ParseUint(s, 10, 8)
		if err != nil {
			return netip.Prefix{}, false
		}
		a[i] = byte(v)
		if v != 0 {
			n = i + 1
		}
	}
	return netip.PrefixFrom(netip.AddrFrom4(a), 8*n), true
}
