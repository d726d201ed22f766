// Package gaia reads what "show configuration" of Check Point's Gaia prints: set and add commands of clish, the operating
// system of gateways and of management servers.
//
// The firewall's policy is not in it: that is kept by the management server. So every interface has a filter of which nothing
// is known, and what passes is unknown. What is here is the box itself: who may log in, what it sends where, what it runs.
//
// Gaia serves no FTP, TFTP or SMB; SSH is always on (Gaia Administration Guide). A file is a whole configuration when it has the
// head that the command prints and was not cut; only then does a statement that is not there mean its default.
package gaia

import (
	"bytes"
	"context"
	"net/netip"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

const (
	none       = wordtree.None
	root       = wordtree.Root
	formatName = "gaia-config"
	// policy is the filter that stands for the firewall's policy.
	policy = "firewall policy"
)

// Format reads Gaia's show configuration.
func Format() facts.Format {
	return facts.Format{
		Name: formatName, Platform: facts.CheckPointGaia,
		Detect: func(_ string, head []byte) facts.Confidence { return detect(head) },
		Parse: func(ctx context.Context, piece evidence.Piece, sink facts.Sink) error {
			if piece.From > 0 {
				return nil // a configuration is never split
			}
			src, more, err := tree.ReadSource(ctx, piece.File, sink)
			if err != nil {
				return err
			}
			p := &parser{Reader: wordtree.New(piece.File, sink, src, formatName, facts.CheckPointGaia)}
			p.Cut = more
			p.read()
			if err := ctx.Err(); err != nil {
				return err
			}
			sink.Device(p.D)
			return nil
		},
	}
}

// detect looks for the head of the command and for statements that only clish has.
func detect(head []byte) facts.Confidence {
	marks, owned, foreign := 0, 0, 0
	for line := range bytes.SplitSeq(head, []byte("\n")) {
		line = bytes.TrimRight(line, "\r ")
		switch {
		case bytes.HasPrefix(line, []byte("# Language version: ")), bytes.HasPrefix(line, []byte("# Exported by ")):
			marks++
		case bytes.HasPrefix(line, []byte("set ")), bytes.HasPrefix(line, []byte("add ")):
			w := bytes.Fields(line[4:min(len(line), 200)])
			if len(w) == 0 {
				continue
			}
			switch string(w[0]) {
			case "installer", "clienv", "expert-password-hash", "expert-password", "allowed-client", "password-controls", "backup-scheduled", "rba", "net-access", "inactivity-timeout",
				"max-path-splits", "tracefile", "inbound-route-filter", "config-lock", "grub2-password-hash", "router-options", "core-dump", "routedsyslog", "ipv6-state":
				owned++
			case "arp", "bonding", "hostname", "interface", "user", "snmp", "syslog", "static-route", "ntp", "web", "message", "format", "aaa", "timezone", "command", "cron",
				"dns", "management", "netflow", "host", "ospf", "bgp", "rip", "lldp", "ssh", "dhcp", "edition", "domainname", "kernel-routes", "pim", "igmp", "vrrp", "hw-monitoring":
			default:
				foreign++
			}
		}
	}
	switch {
	case marks == 2 && owned > 0:
		return facts.Certain
	case owned >= 3 && foreign <= owned:
		return facts.Strong
	case owned > 0 && foreign == 0:
		return facts.Likely
	}
	return facts.No
}

// A parser reads one configuration.
type parser struct {
	*wordtree.Reader
	whole bool
}

func (p *parser) read() {
	_, faults := p.T.Sets(p.T.Source, tree.Syntax{Also: []string{"add"}, Runs: true, Aside: aside})
	p.Report(faults)
	p.Free = func(w []byte) bool {
		switch string(w) {
		case "comments", "comment", "description", "msgvalue", "location", "contact":
			return true
		}
		return false
	}
	p.Telltale = func(n int32) string {
		switch string(p.T.Text(n)) {
		case "access-list", "filter", "command":
			return "a filter or a command in a place where none is known"
		}
		return ""
	}
	p.head()
	if v := p.Value(p.Kid(root, "hostname")); v != none {
		p.OK(v)
		p.D.Hostname = facts.Say(p.Text(v), p.Span(v))
	}
	for _, w := range [...]string{"expert-password-hash", "grub2-password-hash"} {
		p.OKAll(p.Kid(root, w))
	}
	p.interfaces()
	p.routes()
	p.access()
	p.accounts()
	p.snmp()
	p.logging()
	p.backups()
	p.jobs()
	p.rulebase()
	if p.whole {
		p.Absent("no server of", facts.FTP, facts.TFTP, facts.SMB) // clish has none (Gaia Administration Guide)
	}
	p.descriptions(p.First(root), 0)
	p.LeftOver(irrelevant(), root)
	p.Secrets(p.keyword, p.userOf)
	p.hashes()
	p.D.Markers = facts.Markers(p.F, p.T.Source, p.T.Base)
	p.Account()
}

// aside tells lines that are no command: prompts with what was typed ("gw> show configuration").
func aside(line []byte) bool {
	if i := bytes.IndexByte(line, '>'); i > 0 && bytes.IndexByte(line[:i], ' ') < 0 {
		return true
	}
	return bytes.HasSuffix(line, []byte("show configuration")) || bytes.HasPrefix(line, []byte("!"))
}

// head reads the head that the command prints. Oxidized takes hashes out when it is told to (lib/oxidized/model/gaiaos.rb).
func (p *parser) head() {
	seen := 0
	for i := range p.T.Nodes {
		n := &p.T.Nodes[i]
		if n.Flags&tree.Comment == 0 {
			continue
		}
		text := p.T.Text(int32(i))
		switch {
		case bytes.HasPrefix(text, []byte("# Language version:")), bytes.HasPrefix(text, []byte("# Exported by")):
			seen++
		}
	}
	p.whole = seen == 2 && !p.Cut
}

// descriptions accounts for what people wrote.
func (p *parser) descriptions(first int32, depth int) {
	for c := first; c != none && depth < 64; c = p.Next(c) {
		if p.Free(p.T.Text(c)) {
			p.T.MarkAll(c, facts.Irrelevant)
			continue
		}
		p.descriptions(p.First(c), depth+1)
	}
}

// arg is the word behind another one, somewhere below n: commands say names and values in turn. It is marked.
func (p *parser) arg(n int32, word string) (string, int32) {
	k := p.find(n, word, 0)
	if k == none {
		return "", none
	}
	v := p.First(k)
	if v == none {
		return "", none
	}
	return p.Text(v), v
}

func (p *parser) find(n int32, word string, depth int) int32 {
	if n == none || depth > 32 {
		return none
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		if p.Is(c, word) {
			return c
		}
		if k := p.find(c, word, depth+1); k != none {
			return k
		}
	}
	return none
}

// on is the value of a switch: the word behind another one.
func (p *parser) on(path ...string) (facts.V[bool], bool) {
	k := p.Under(root, path...)
	s, v := p.ValueOf(k)
	if v == none {
		return facts.V[bool]{}, false
	}
	return facts.Say(s == "on" || s == "enable" || s == "permanent" || s == "temporary", p.Span(v)), true
}

// rulebase states that a policy decides which is not in the evidence.
func (p *parser) rulebase() {
	p.D.Filters = append(p.D.Filters, facts.Filter{
		Name: policy, Kind: "Check Point policy", Default: facts.ActionUnknown, Synthetic: true, Stateful: true,
		Unread: "the policy is on the management server, not in Gaia's configuration",
	})
	for _, w := range [...]string{facts.WhereTransit, facts.WhereControlPlane} {
		p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: []string{policy}, Where: w})
		if w == facts.WhereControlPlane {
			p.D.Bindings = append(p.D.Bindings, facts.Binding{Filters: []string{policy}, Where: w, Direction: facts.Out})
		}
	}
}

// interfaces reads addresses, states and tunnels.
func (p *parser) interfaces() {
	at := p.Kid(root, "interface")
	p.OK(at)
	for c := p.First(at); c != none; c = p.Next(c) {
		p.OK(c)
		x := facts.Interface{Name: p.Text(c), Span: p.Span(c)}
		if s, v := p.arg(c, "comments"); v != none && s != x.Name {
			x.Alias = s
		}
		if s, v := p.arg(c, "state"); v != none {
			x.Shutdown = facts.Say(s == "off", p.Span(v))
			p.OKAll(p.Kid(c, "state"))
		}
		for _, f := range [...]string{"ipv4-address", "ipv6-address"} {
			s, v := p.arg(c, f)
			if v == none {
				continue
			}
			bits, _ := p.arg(v, "mask-length")
			if mask, m := p.arg(v, "subnet-mask"); m != none {
				bits = maskBits(mask)
			}
			if _, a, ok := wordtree.Prefix([]byte(s)); ok {
				length := int(wordtree.Port(bits))
				if bits == "" || length > a.BitLen() {
					length = a.BitLen()
				}
				x.Addrs = append(x.Addrs, netip.PrefixFrom(a, length))
			}
			p.OKAll(p.Kid(c, f))
		}
		p.OKAll(p.Kid(c, "vlan"))
		p.D.Interfaces = append(p.D.Interfaces, x)
	}
}

// maskBits is the length of a netmask, as text; empty when it has holes.
func maskBits(s string) string {
	m, err := netip.ParseAddr(s)
	if err != nil || !m.Is4() {
		return ""
	}
	for n := range 33 {
		if netip.PrefixFrom(netip.AddrFrom4([4]byte{255, 255, 255, 255}), n).Masked().Addr() == m {
			return string(rune('0'+n/10)) + string(rune('0'+n%10))
		}
	}
	return ""
}

// routes reads "static-route default nexthop gateway address A on".
func (p *parser) routes() {
	for _, w := range [...]string{"static-route", "ipv6"} {
		at := p.Kid(root, w)
		if w == "ipv6" {
			at = p.Under(root, "ipv6", "static-route")
		}
		p.OK(at)
		for c := p.First(at); c != none; c = p.Next(c) {
			pfx, _, ok := wordtree.Prefix(p.Bytes(c))
			if p.Is(c, "default") {
				pfx, ok = netip.PrefixFrom(netip.IPv4Unspecified(), 0), true
				if w == "ipv6" {
					pfx = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
				}
			}
			if !ok {
				continue
			}
			p.OKAll(c)
			gw := p.Under(c, "nexthop", "gateway")
			p.Each(p.Kid(gw, "address"), "", func(v int32) {
				_, a, _ := wordtree.Prefix(p.Bytes(v))
				p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, NextHop: a, Span: p.Span(v)})
			})
			p.Each(p.Kid(gw, "logical"), "", func(v int32) {
				p.D.Routes = append(p.D.Routes, facts.Route{Prefix: pfx, Interface: p.Text(v), Span: p.Span(v)})
			})
		}
	}
}
