package iptables

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

const dir = "../../fixtures/iptables"

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), dir, *update) }

func TestKit(t *testing.T) {
	a, err := txtar.ParseFile(filepath.Join(dir, "router.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	parsetest.Kit{Format: Format(), Filler: "# ", Samples: []parsetest.Sample{{Path: "host.rules", Text: string(a.Files[0].Data)}}}.Run(t)
}

func read(t testing.TB, name, src string) *facts.Device {
	t.Helper()
	st := parsetest.Parse(t, Format(), name, []byte(src))
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0]
}

// one is the rule that a line of chain INPUT becomes.
func one(t *testing.T, line string) (facts.Rule, facts.Lines) {
	t.Helper()
	d := read(t, "x", "*filter\n:INPUT DROP [0:0]\n"+line+"\nCOMMIT\n")
	if len(d.Filters) != 1 || len(d.Filters[0].Rules) != 1 {
		t.Fatalf("%q: filters %+v", line, d.Filters)
	}
	return d.Filters[0].Rules[0], d.Lines
}

func TestRules(t *testing.T) {
	for _, c := range []struct {
		name, line string
		action     facts.Action
		to, unread string
		odd        bool // not understood whole
	}{
		{name: "accept", line: "-A INPUT -j ACCEPT", action: facts.Permit},
		{name: "counting only", line: "-A INPUT -p tcp", action: facts.Next},
		{name: "log", line: `-A INPUT -j LOG --log-prefix "a -j ACCEPT "`, action: facts.Next},
		{name: "reject", line: "-A INPUT -j REJECT --reject-with tcp-reset", action: facts.Deny},
		{name: "a program decides", line: "-A INPUT -j NFQUEUE --queue-num 1", action: facts.ActionUnknown},
		{name: "jump", line: "-A INPUT -j MINE", action: facts.Jump, to: "MINE"},
		{name: "goto", line: "-A INPUT -g MINE", action: facts.Goto, to: "MINE"},
		{name: "a limit that accepts", line: "-A INPUT -m limit --limit 3/sec -j ACCEPT", action: facts.Permit},
		{name: "a limit that drops", line: "-A INPUT -m limit --limit 3/sec -j DROP", action: facts.Deny, unread: "a limit"},
		{name: "above a limit", line: "-A INPUT -m hashlimit --hashlimit-above 3/sec --hashlimit-name x -j DROP", action: facts.Deny, unread: "hashlimit: hashlimit-above 3/sec"},
		{name: "a mark", line: "-A INPUT -m mark --mark 0x1 -j ACCEPT", action: facts.Permit, unread: "mark: mark 0x1"},
		{name: "an owner", line: "-A INPUT -m owner ! --uid-owner 0 -j ACCEPT", action: facts.Permit, unread: "owner: uid-owner 0"},
		{name: "a string", line: `-A INPUT -m string --string "RETR passwd" --algo bm -j DROP`, action: facts.Deny, unread: "string: string RETR passwd"},
		{name: "recent", line: "-A INPUT -m recent --update --seconds 60 --name x --rsource -j DROP", action: facts.Deny, unread: "recent: update"},
		{name: "an unknown module", line: "-A INPUT -m frob --x 1 -j ACCEPT", action: facts.Permit, unread: "x 1", odd: true},
		{name: "an unknown address", line: "-A INPUT -s host.example.net -j ACCEPT", action: facts.Permit, unread: "address host.example.net", odd: true},
		{name: "words behind", line: "-A INPUT stray -j ACCEPT", action: facts.Permit, unread: "stray", odd: true},
		{name: "an open quote", line: `-A INPUT -m comment --comment "x -j ACCEPT`, action: facts.Next, unread: "a quote that does not end", odd: true},
		{name: "no target", line: "-A INPUT -j", action: facts.Next, unread: "a target", odd: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, lines := one(t, c.line)
			unread := ""
			if len(r.Match.Unread) > 0 {
				unread = r.Match.Unread[0]
			}
			if r.Action != c.action || r.To != c.to || unread != c.unread {
				t.Errorf("%s to %q, unread %q; want %s to %q, %q", r.Action, r.To, r.Match.Unread, c.action, c.to, c.unread)
			}
			if odd := lines.Unsupported > 0; odd != c.odd || lines.Total() != 4 {
				t.Errorf("lines %+v", lines)
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
		{"-p 6", func(m *facts.Match) { m.Protocols = []uint8{6} }},
		{"! -p udp", func(m *facts.Match) { m.Protocols, m.NotProtocols = []uint8{17}, true }},
		{"-p all", func(*facts.Match) {}},
		{"-p tcp --dport 21", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{6}, port(21, 21) }},
		{"-p tcp --dport :1023", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{6}, port(0, 1023) }},
		{"-p tcp --sport 1024:", func(m *facts.Match) { m.Protocols, m.SrcPorts = []uint8{6}, port(1024, 65535) }},
		{"-p tcp ! --dport ftp", func(m *facts.Match) { m.Protocols, m.DstPorts = []uint8{6}, port(21, 21); m.DstPorts.Not = true }},
		{"-p udp -m multiport --ports 69,137:138", func(m *facts.Match) { m.Protocols, m.EitherPorts = []uint8{17}, port(69, 69, 137, 138) }},
		{"-i eth+ ! -o wan", func(m *facts.Match) {
			m.In = facts.Places{Names: []string{"eth*"}, Present: true}
			m.Out = facts.Places{Names: []string{"wan"}, Present: true, Not: true}
		}},
		{"-i +", func(*facts.Match) {}},
		{"-p tcp --syn", func(m *facts.Match) { m.Protocols, m.Flags = []uint8{6}, facts.Initial }},
		{"-f", func(m *facts.Match) { m.Fragments = facts.NonInitial }},
		{"! -f", func(m *facts.Match) { m.Fragments = facts.Unfragmented }},
		{"-m state --state NEW,RELATED", func(m *facts.Match) { m.Conn = facts.ConnNew | facts.ConnRelated }},
		{"-m conntrack ! --ctstate NEW", func(m *facts.Match) {
			m.Conn = facts.ConnEstablished | facts.ConnRelated | facts.ConnInvalid | facts.ConnUntracked
		}},
		{"-p icmp --icmp-type echo-request", func(m *facts.Match) { m.Protocols, m.ICMP = []uint8{1}, []facts.ICMPType{{Type: 8, Code: -1}} }},
		{"-p icmp --icmp-type 3/4", func(m *facts.Match) { m.Protocols, m.ICMP = []uint8{1}, []facts.ICMPType{{Type: 3, Code: 4}} }},
	} {
		t.Run(c.line, func(t *testing.T) {
			r, _ := one(t, "-A INPUT "+c.line+" -j ACCEPT")
			var want facts.Match
			c.want(&want)
			if d := cmp.Diff(want, r.Match); d != "" {
				t.Errorf("match (-want +got):\n%s", d)
			}
		})
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"10.0.0.1", "10.0.0.1/32"}, {"10.0.0.1/8", "10.0.0.0/8"}, {"10.1.2.3/255.255.0.0", "10.1.0.0/16"}, {"0/0", "0.0.0.0/0"}, {"::/0", "::/0"}, {"host", "unread"},
		{"10.0.3.0/255.0.255.0", "wild 255.0.255.0"}, {"2001:db8::/32", "2001:db8::/32"}, {"2001:db8::1/ffff::", "2001::/16"},
	} {
		it, ok := (&parser{}).address(c.text)
		got := "unread"
		switch {
		case ok && it.Wild != nil:
			got = fmt.Sprintf("wild %d.%d.%d.%d", it.Wild.Care[0], it.Wild.Care[1], it.Wild.Care[2], it.Wild.Care[3])
		case ok:
			got = it.Prefix.String()
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.text, got, c.want)
		}
	}
}

func TestFamilies(t *testing.T) {
	for _, c := range []struct {
		name, path, text string
		want             facts.Family
	}{
		{"by the tool", "x", "# Generated by ip6tables-save v1.8\n*filter\n:INPUT DROP [0:0]\nCOMMIT\n", facts.IPv6},
		{"by an address", "x", "*filter\n:INPUT DROP [0:0]\n-A INPUT -s 2001:db8::/32 -j ACCEPT\nCOMMIT\n", facts.IPv6},
		{"by an address of the other", "rules.v6", "*filter\n:INPUT DROP [0:0]\n-A INPUT ! -s 10.0.0.0/8 -j ACCEPT\nCOMMIT\n", facts.IPv4},
		{"by the name", "etc/iptables/rules.v6", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", facts.IPv6},
		{"else", "rules", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", facts.IPv4},
	} {
		if d := read(t, c.path, c.text); d.Filters[0].Family != c.want || d.Bindings[0].Family != c.want {
			t.Errorf("%s: family %d", c.name, d.Filters[0].Family)
		}
	}
}

// Chains of other tables are applied when they can drop, by themselves or by a chain they ask.
func TestBindings(t *testing.T) {
	src := "*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:POSTROUTING DROP [0:0]\n:X - [0:0]\n-A PREROUTING -j MARK --set-mark 1\n-A FORWARD -j X\n-A X -j DROP\nCOMMIT\n" +
		"*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n"
	var got []string
	for _, b := range read(t, "x", src).Bindings {
		got = append(got, fmt.Sprint(b.Where, b.Direction, b.Filters))
	}
	want := []string{
		"control-plane0 [INPUT]", "transit0 [mangle/FORWARD]", "transit0 [FORWARD]", "control-plane1 [OUTPUT]",
		"transit0 [mangle/POSTROUTING]", "control-plane1 [mangle/POSTROUTING]",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("bindings (-want +got):\n%s", d)
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       facts.Confidence
	}{
		{"tool", "# Generated by iptables-save v1.4.21 on x\n", facts.Certain},
		{"by hand", "*filter\n:INPUT DROP [0:0]\n-A INPUT -j ACCEPT\nCOMMIT\n", facts.Certain},
		{"no rule", "*filter\n:INPUT DROP [0:0]\nCOMMIT\n", facts.Strong},
		{"a list with stars", "*one\n*two\n", facts.No},
		{"a configuration", "hostname x\ninterface Gi0/1\n", facts.No},
	} {
		if got := Format().Detect("x", []byte(c.text)); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// Of the public rule sets nearly every line is understood.
func TestCorpus(t *testing.T) {
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS names no corpus")
	}
	files, err := filepath.Glob(filepath.Join(root, "configs", "linux_iptables", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		d := read(t, f, string(src))
		if known := d.Lines.Understood + d.Lines.Irrelevant; known*100 < d.Lines.Total()*99 {
			t.Errorf("%s: %+v; first %v", filepath.Base(f), d.Lines, d.Unread[0])
		}
		want := bytes.Count(src, []byte("\n-A "))
		rules := 0
		for i := range d.Filters {
			rules += len(d.Filters[i].Rules)
		}
		if rules != want {
			t.Errorf("%s: %d rules of %d lines", filepath.Base(f), rules, want)
		}
	}
}

// Whatever the bytes, reading ends with one device whose spans lie inside them and whose lines are all accounted for.
func FuzzParse(f *testing.F) {
	a, err := txtar.ParseFile(filepath.Join(dir, "router.txtar"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(a.Files[0].Data)
	f.Add([]byte("*filter\n:A - \n-A A -s ! 1/2 -m x --y \"\n[1:2] -A B -g A -j\nCOMMIT"))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("x", src)
		d := read(t, "fuzz", string(src))
		lines := 0
		for line := range bytes.SplitSeq(src, []byte("\n")) {
			if len(bytes.TrimRight(bytes.TrimLeft(line, " \t"), " \t\r\n\x00")) > 0 {
				lines++
			}
		}
		if d.Lines.Total() != lines {
			t.Errorf("%d lines accounted for of %d", d.Lines.Total(), lines)
		}
	})
}

func BenchmarkParse(b *testing.B) {
	var src strings.Builder
	src.WriteString("*filter\n:INPUT DROP [0:0]\n:FORWARD DROP [0:0]\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "-A FORWARD -s 10.%d.%d.0/24 -d 192.0.2.%d/32 -i eth%d -p tcp -m tcp --dport %d -m conntrack --ctstate NEW -j ACCEPT\n", i/256, i%256, i%250, i%4, 20+i%5000)
	}
	src.WriteString("COMMIT\n")
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	f := parsetest.File("x", []byte(src.String()))
	for b.Loop() {
		if err := Format().Parse(b.Context(), evidence.Piece{File: f, To: f.Size}, facts.NewSink()); err != nil {
			b.Fatal(err)
		}
	}
}

// Reading changes no byte of the evidence.
func TestSourceIsKept(t *testing.T) {
	const src = "*filter\n-P INPUT DROP\n-N MINE\n-A INPUT -j MINE\n"
	d := read(t, "x", src)
	if d.Lines.Understood != 4 || len(d.Filters) != 2 || d.Filters[0].Default != facts.Deny || d.Filters[1].Default != facts.Next {
		t.Errorf("lines %+v, filters %+v", d.Lines, d.Filters)
	}
}
