package nftables

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

const head = "table inet t {\n\tset dyn { type ipv4_addr; flags dynamic; }\n\tset untold { type inet_service; }\n\tchain c {\n\t\ttype filter hook input priority 0; policy drop;\n"

// rules are what a line of a chain becomes.
func rules(t *testing.T, line string) ([]facts.Rule, *facts.Device) {
	t.Helper()
	d := read(t, head+"\t\t"+line+"\n\t}\n}\n")
	if len(d.Filters) == 0 || len(d.Filters[0].Rules) == 0 {
		t.Fatalf("%q: filters %+v", line, d.Filters)
	}
	return d.Filters[0].Rules, d
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		line   string
		action facts.Action
		to     string
		unread string
		odd    bool // not understood whole
	}{
		{line: "accept", action: facts.Permit},
		{line: "counter", action: facts.Next},
		{line: `log prefix "accept " group 2 drop`, action: facts.Deny},
		{line: "log flags tcp sequence,options drop", action: facts.Deny},
		{line: "reject with tcp reset", action: facts.Deny},
		{line: "reject with icmpx type admin-prohibited", action: facts.Deny},
		{line: "continue", action: facts.Next},
		{line: "return", action: facts.Return},
		{line: "jump x", action: facts.Jump, to: "inet t/x"},
		{line: "goto x", action: facts.Goto, to: "inet t/x"},
		{line: "queue flags bypass to 3", action: facts.ActionUnknown},
		{line: "limit rate 3/second burst 5 packets accept", action: facts.Permit},
		{line: "limit rate 3/second drop", action: facts.Deny, unread: "a limit"},
		{line: "limit rate over 10 mbytes/second drop", action: facts.Deny, unread: "more than a limit"},
		{line: "limit name x accept", action: facts.Permit, unread: "limit x"},
		{line: "quota over 5 mbytes drop", action: facts.Deny, unread: "more than a quota"},
		{line: "ct count over 20 drop", action: facts.Deny, unread: "ct count 20"},
		{line: "meta mark & 0xff == 0x1 accept", action: facts.Permit, unread: "meta mark 0x1 of 0xff"},
		{line: "meta skuid 0 accept", action: facts.Permit, unread: "skuid 0"},
		{line: "fib daddr . iif type local accept", action: facts.Permit, unread: "fib type local"},
		{line: "ct status dnat accept", action: facts.Permit, unread: "ct status dnat"},
		{line: "ct original ip saddr 10.0.0.1 accept", action: facts.Permit, unread: "ct original 10.0.0.1"},
		{line: "ip ttl 1 drop", action: facts.Deny, unread: "ip ttl 1"},
		{line: "meta mark set ct mark accept", action: facts.Permit},
		{line: "meta mark set 0x1 accept", action: facts.Permit},
		{line: "meta mark set 0x1 tcp dport 21 accept", action: facts.Permit, unread: "what follows a change of the packet: tcp"},
		{line: `ct helper set "ftp" accept`, action: facts.Permit},
		{line: "tcp option maxseg size set rt mtu", action: facts.Next, unread: ""},
		{line: "add @dyn { ip saddr limit rate over 3/second } drop", action: facts.Deny, unread: "a limit of each element of @dyn"},
		{line: "add @dyn { ip saddr } drop", action: facts.Deny},
		{line: "tcp dport @untold accept", action: facts.Permit},
		{line: "ip saddr @none accept", action: facts.Permit, unread: "the set none, which is not in this file", odd: true},
		{line: "ip saddr host.example.net accept", action: facts.Permit, unread: "address host.example.net", odd: true},
		{line: "ip saddr $lan accept", action: facts.Permit, unread: "address $lan", odd: true},
		{line: "tcp dport frob accept", action: facts.Permit, unread: "tcp dport frob", odd: true},
		{line: "iifname $wan accept", action: facts.Permit, unread: "iifname $wan", odd: true},
		{line: "iifname != { lo, $wan } accept", action: facts.Permit, unread: "iifname $wan", odd: true},
		{line: "tcp dport { 21, frob } accept", action: facts.Permit, unread: "tcp dport frob", odd: true},
		{line: "jump $x", action: facts.ActionUnknown, unread: "the chain $x", odd: true},
		{line: "tcp dport", action: facts.ActionUnknown, unread: "tcp dport without a value", odd: true},
		{line: "frob 3 accept", action: facts.Permit, unread: "frob", odd: true},
		{line: "frob 3", action: facts.ActionUnknown, unread: "frob", odd: true},
		{line: `xt target "REJECT"`, action: facts.ActionUnknown, unread: "xt"},
		{line: "accept drop", action: facts.ActionUnknown, unread: "two verdicts", odd: true},
		{line: "tcp dport vmap @none", action: facts.ActionUnknown, unread: "the map none, which is not in this file", odd: true},
		{line: `comment "unfinished`, action: facts.ActionUnknown, unread: "a quote that does not end", odd: true},
		{line: `include "/etc/nftables.d/*.nft"`, action: facts.ActionUnknown, unread: "include", odd: true},
	} {
		t.Run(c.line, func(t *testing.T) {
			list, d := rules(t, c.line)
			r := list[0]
			unread := ""
			if len(r.Match.Unread) > 0 {
				unread = strings.TrimPrefix(r.Match.Unread[0], "meta ")
			}
			if want := strings.TrimPrefix(c.unread, "meta "); r.Action != c.action || r.To != c.to || c.action != facts.Next && unread != want {
				t.Errorf("%s to %q, unread %q; want %s to %q, %q", r.Action, r.To, r.Match.Unread, c.action, c.to, want)
			}
			if m := r.Match; c.odd && (m.In.Present || m.Out.Present || m.DstPorts.Present) {
				t.Errorf("what is not known whole restricts the rule: %+v", m)
			}
			if odd := d.Lines.Unsupported > 0; odd != c.odd || d.Lines.Unrecognised > 0 {
				t.Errorf("lines %+v", d.Lines)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	port := func(list ...uint16) (p facts.Ports) {
		p.Present = true
		for i := 0; i+1 < len(list); i += 2 {
			p.Ranges = append(p.Ranges, facts.PortRange{First: list[i], Last: list[i+1]})
		}
		return p
	}
	for _, c := range []struct {
		line string
		want func(*facts.Match)
	}{
		{"meta l4proto != { tcp, udp }", func(m *facts.Match) { m.Protocols, m.NotProtocols = []uint8{6, 17}, true }},
		{"tcp dport ftp-data-ftp", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{6}, port(20, 21) }},
		{"tcp dport ne 21", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{6}, port(21, 21); m.DstPorts.Not = true }},
		{"udp sport < 1024", func(m *facts.Match) { m.Protocols, m.SrcPorts = []uint8{17}, port(0, 1023) }},
		{"udp dport > 65535", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{17}, port() }},
		{"th dport 20 - 21", func(m *facts.Match) { m.DstPorts = port(20, 21) }},
		{`iifname { "eth*", lo } oif != "wan"`, func(m *facts.Match) {
			m.In = facts.Places{Names: []string{"eth*", "lo"}, Present: true}
			m.Out = facts.Places{Names: []string{"wan"}, Present: true, Not: true}
		}},
		{"ct state new,related", func(m *facts.Match) { m.Conn = facts.ConnNew | facts.ConnRelated }},
		{"ct state != new", func(m *facts.Match) { m.Conn = everyState &^ facts.ConnNew }},
		{"tcp flags syn / fin,syn,rst,ack", func(m *facts.Match) { m.Protocols, m.Flags = []uint8{6}, facts.Initial }},
		{"tcp flags & (fin|syn|rst|ack) != syn", func(m *facts.Match) {
			m.Protocols, m.AllOf = []uint8{6}, []facts.Match{{Not: true, Flags: facts.Initial}}
		}},
		{"icmpv6 type { nd-redirect, 128 }", func(m *facts.Match) {
			m.Protocols, m.ICMP = []uint8{58}, []facts.ICMPType{{Type: 137, Code: -1}, {Type: 128, Code: -1}}
		}},
		{"tcp dport 21 udp dport 69", func(m *facts.Match) { // matches nothing
			m.Protocols, m.DstPorts = []uint8{6}, port(21, 21)
			m.AllOf = []facts.Match{{Protocols: []uint8{17}}, {DstPorts: port(69, 69)}}
		}},
	} {
		t.Run(c.line, func(t *testing.T) {
			list, _ := rules(t, c.line+" accept")
			var want facts.Match
			c.want(&want)
			if d := cmp.Diff(want, list[0].Match); d != "" {
				t.Errorf("match (-want +got):\n%s", d)
			}
		})
	}
}

// What an include may add is not known at the end of any chain; what is removed is not there.
func TestCommands(t *testing.T) {
	d := read(t, head+"\t\ttcp dport 21 accept\n\t}\n}\ninclude \"/etc/nftables.d/*.nft\"\n")
	r := d.Filters[0].Rules
	if len(r) != 2 || r[1].Action != facts.ActionUnknown || len(r[1].Match.Unread) == 0 || d.Lines.Unsupported != 1 {
		t.Errorf("rules %+v, lines %+v", r, d.Lines)
	}
	for _, c := range []struct{ name, text, want string }{
		{"an include of a table", "table ip a { chain c { accept; }\ninclude \"x\"\n}\ntable ip b { chain c { drop; }\n}\n", "ip a/c permit unknown ip b/c deny"},
		{"a deleted table", "table ip a { chain c { accept; }\n}\ndelete table ip a\ntable ip a { chain c { drop; }\n}\n", "ip a/c deny"},
		{"a flushed set of rules", "table ip a { chain c { accept; }\n}\nflush ruleset\n", ""},
		{"a flushed chain", "add table a\nadd chain a c\nadd rule a c accept\nflush chain a c\nadd rule a c drop\n", "ip a/c deny"},
		{"inserted", "add rule a c accept\ninsert rule a c drop\n", "ip a/c deny permit"},
		{"removed by handle", "add rule a c accept\ndelete rule a c handle 4\n", "ip a/c permit unknown"},
		{"variables in variables", "define a = 10.0.0.1\ndefine b = { $a, 10.0.0.2 }\nadd rule a c ip saddr $b accept\n", "ip a/c permit"},
		{"a continued line", "add rule a c \\\n  accept\n", "ip a/c permit"},
	} {
		var got []string
		for _, f := range read(t, c.text).Filters {
			got = append(got, f.Name)
			for _, r := range f.Rules {
				got = append(got, r.Action.String())
			}
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q, want %q", c.name, s, c.want)
		}
	}
}

// A condition nobody knows, planted before the verdict of any rule, keeps the rule from being taken for decided.
func TestPlanted(t *testing.T) {
	lines := strings.Split(sample(t), "\n")
	planted := 0
	for i, l := range lines {
		if !strings.HasSuffix(l, " accept") || strings.Contains(l, "policy") {
			continue
		}
		planted++
		text := strings.Join(lines[:i], "\n") + "\n" + strings.TrimSuffix(l, "accept") + "frobnicate tftp accept\n" + strings.Join(lines[i+1:], "\n")
		was, d := read(t, sample(t)), read(t, text)
		if len(d.Unread) <= len(was.Unread) && !strings.Contains(l, "frobnicate") {
			t.Errorf("line %d: nothing is said of %q", i+1, l)
		}
	}
	if planted < 5 {
		t.Errorf("%d rules were tried", planted)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       facts.Confidence
	}{
		{"listed", "table ip filter {\n\tchain INPUT {\n\t\ttype filter hook input priority filter; policy accept;\n", facts.Certain},
		{"script", "#!/usr/sbin/nft -f\n", facts.Certain},
		{"no hook", "table inet x {\n\tset a {\n\t\ttype ipv4_addr\n", facts.Strong},
		{"commands", "add table ip x\nadd chain ip x y\n", facts.Strong},
		{"another's table", "table one two {\nchain x {\n", facts.No},
		{"a configuration", "hostname x\ninterface Gi0/1\n", facts.No},
	} {
		if got := Format().Detect("x", []byte(c.text)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Hostile text ends.
func TestHostile(t *testing.T) {
	var vars strings.Builder
	vars.WriteString("define a = { 1, 2 }\n")
	for range 100 {
		vars.WriteString("define a = { $a, $a }\n")
	}
	vars.WriteString(strings.Repeat("add rule t c tcp dport $a accept\n", 2000))
	for name, text := range map[string]string{
		"variables": vars.String(),
		"jumps":     head + strings.Repeat("jump { ", 5000),
		"closed":    head + strings.Repeat("jump { ", 500) + strings.Repeat("}", 500) + "\n}\n}\n",
		"braces":    strings.Repeat("table ip x {\n", 10_000),
		"dots":      head + strings.Repeat("ip saddr . ", 20_000) + "vmap { " + strings.Repeat("1 . ", 1000) + ": drop }\n",
		"vmaps":     head + "tcp dport vmap { 1 : " + strings.Repeat("tcp dport vmap { 1 : ", 2000) + "drop",
	} {
		if d := read(t, text); d.Lines.Total() == 0 {
			t.Error(name)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	var src strings.Builder
	src.WriteString(head)
	for i := range 10_000 {
		fmt.Fprintf(&src, "\t\tip saddr 10.%d.%d.0/24 ip daddr 192.0.2.%d iifname \"eth%d\" tcp dport %d ct state new counter packets 1 bytes 60 accept\n", i/256, i%256, i%250, i%4, 20+i%5000)
	}
	src.WriteString("\t}\n}\n")
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	f := parsetest.File("x", []byte(src.String()))
	for b.Loop() {
		if err := Format().Parse(b.Context(), evidence.Piece{File: f, To: f.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}

func TestQuestions(t *testing.T) {
	const text = `table netdev n {
	chain in { type filter hook ingress device "lan0" priority 0; tcp dport 445 drop; }
	chain out { type filter hook egress devices = { wan0, lan0 } priority 0; policy accept; udp dport 69 drop; }
}
table bridge b {
	chain f { type filter hook forward priority 0; policy drop; }
}
table inet off {
	flags dormant
	chain f { type filter hook forward priority 0; policy drop; }
}
table inet f {
	set late { type inet_service; flags dynamic; }
	chain f {
		type filter hook forward priority 0; policy drop;
		iifname "lan0" oifname "wan0" counter
		ip saddr vmap { 10.0.0.1 : accept, 10.0.0.2 : jump more, * : drop }
		tcp dport 21 accept
		tcp dport 22 drop
		tcp dport @late accept
	}
	chain more { tcp dport 990 accept; tcp dport 20 drop; }
}
`
	m := headerspace.New(read(t, text))
	for _, c := range []struct {
		src, proto string
		port       int
		want       headerspace.Verdict
	}{
		{"10.0.0.1", "tcp", 445, headerspace.Deny},     // where it comes in
		{"10.0.0.1", "udp", 69, headerspace.Deny},      // where it leaves
		{"10.0.0.1", "tcp", 8080, headerspace.Permit},  // neither a bridge's chain nor a dormant one is asked
		{"10.0.0.2", "tcp", 990, headerspace.Permit},   // by the chain asked
		{"10.0.0.2", "tcp", 21, headerspace.Permit},    // undecided by it, so behind the map and not by its last element
		{"10.0.0.3", "tcp", 21, headerspace.Deny},      // by the map's last element
		{"2001:db8::1", "tcp", 21, headerspace.Permit}, // which is of IPv4 alone
		{"2001:db8::1", "tcp", 22, headerspace.Deny},
		{"2001:db8::1", "tcp", 23, headerspace.Unknown}, // a set that packets fill
		{"2001:db8::1", "udp", 70, headerspace.Deny},
	} {
		dst := "192.0.2.1"
		if strings.Contains(c.src, ":") {
			dst = "2001:db8:9::1"
		}
		p := probe{c.proto, c.src, dst, c.port}
		if a, err := m.Test(p.query()); err != nil || a.Verdict != c.want {
			t.Errorf("%+v: %s (%s), want %s; %v", p, a.Verdict, a.Reason, c.want, err)
		}
	}
}

// A part of a value that no header tells is not known for the packets of its other parts, and settled for the rest.
func TestPartsUntold(t *testing.T) {
	for _, c := range []struct {
		line      string
		one, rest headerspace.Verdict
	}{
		{"ip saddr . meta mark { 10.0.0.1 . 0x1 } accept", headerspace.Unknown, headerspace.Deny},
		{"ip saddr . meta mark != { 10.0.0.1 . 0x1 } accept", headerspace.Unknown, headerspace.Permit},
		{"ip saddr . meta mark vmap { 10.0.0.1 . 0x1 : accept, * : drop }", headerspace.Unknown, headerspace.Deny},
		{"meta mark vmap { 0x1 : accept, 0x2 : drop }", headerspace.Unknown, headerspace.Unknown},
	} {
		_, d := rules(t, `iifname "lan0" oifname "wan0" counter`+"\n"+c.line)
		m := headerspace.New(d)
		for src, want := range map[string]headerspace.Verdict{"10.0.0.1": c.one, "10.0.0.2": c.rest} {
			q := probe{"tcp", src, "192.0.2.1", 21}.query()
			q.In, q.Out, q.Filter = "", "", "inet t/c"
			if a, err := m.Test(q); err != nil || a.Verdict != want {
				t.Errorf("%s: %s: %s (%s), want %s; %v", c.line, src, a.Verdict, a.Reason, want, err)
			}
		}
	}
}
