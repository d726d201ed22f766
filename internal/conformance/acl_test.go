package conformance

import (
	"bytes"
	"context"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/parsers"
)

// platforms are those asked about, by the corpus' words.
var platforms = map[string]string{
	"ios": facts.CiscoIOS, "asa": facts.CiscoASA, "panos": facts.PANOS, "junos": facts.Junos, "iptables": facts.Linux, "fortios": facts.FortiOS, "xr": facts.CiscoIOSXR,
}

// platforms of the corpus that cannot be asked about.
var unread = map[string]string{
	"nxos": "the list it is compared with is not in the corpus", "platform": "about no configuration",
}

// differs are the questions whose oracle is not what is right, with what is and why.
var differs = map[string]struct{ want, why string }{
	"G057": {"deny", "the oracle is the outgoing filter of a packet that is already in; asked is the whole way, and " +
		"name4's own inbound list admits TCP port 123 only, so OSPF does not get in (ASA firewall CLI guide, Access Rules: " +
		"an access list ends in an implicit deny)"},
}

// TestFilterQuestions asks the filter questions of the corpus, from configuration text to verdict.
func TestFilterQuestions(t *testing.T) {
	root := os.Getenv("QUAYMASTER_CORPUS")
	if root == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public filter questions are not asked")
	}
	root = filepath.Join(root, "acl")
	table, err := os.ReadFile(filepath.Join(root, "cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	read := map[string]*facts.Device{}
	asked, agreed := map[string]int{}, map[string]int{}
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) < 11 {
			t.Fatalf("line %q", line)
		}
		for len(f) < 12 {
			f = append(f, "")
		}
		c := question{id: f[0], config: f[1], platform: f[2], subject: f[4], ingress: f[5], proto: f[6], src: f[7], sport: f[8], dst: f[9], dport: f[10], want: f[11]}
		if why, ok := unread[c.platform]; ok {
			t.Logf("%s is not asked: %s", c.id, why)
			continue
		}
		t.Run(c.id, func(t *testing.T) {
			if read[c.config] == nil {
				read[c.config] = device(t, filepath.Join(root, c.config), platforms[c.platform])
			}
			asked[c.platform]++
			if c.proto == "order" {
				c.order(t, read[c.config], filepath.Join(root, c.config))
				agreed[c.platform]++
				return
			}
			if c.proto == "lint" {
				if c.unreachable(t, read[c.config], filepath.Join(root, c.config)) {
					agreed[c.platform]++
				}
				return
			}
			q := c.query(t)
			want, search := headerspace.Verdict(c.want), false
			if c.want == "deny-all" { // a search for permitted packets that finds none
				want, search = headerspace.Deny, true
			}
			if d, ok := differs[c.id]; ok {
				want = headerspace.Verdict(d.want)
			}
			m := headerspace.New(read[c.config])
			a, err := m.Test(q)
			if search {
				a, err = m.Search(q, headerspace.Permit)
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.want == "no-match" { // no rule decides, the end of the list does
				want = headerspace.Deny
				if a.Rule != "" {
					t.Errorf("%+v: rule %s matches", c, a.Rule)
				}
			}
			if a.Verdict != want {
				t.Errorf("%+v\n%s, want %s: %s\nstages %v", c, a.Verdict, want, a.Reason, a.Stages)
				return
			}
			agreed[c.platform]++
		})
	}
	for _, p := range []string{"ios", "asa", "junos", "panos", "iptables", "fortios", "xr"} {
		t.Logf("%s: %d questions asked, %d agree", p, asked[p], agreed[p])
		if asked[p] == 0 {
			t.Errorf("no question about %s was asked", p)
		}
	}
}

// question is a row of the table.
type question struct {
	id, config, platform, subject, ingress, proto, src, sport, dst, dport, want string
}

// unreachable compares the lines nobody reaches with the expected one: "unreachable: LINE" of one filter, or
// "unreachable-set={}" of all.
func (c *question) unreachable(t *testing.T, d *facts.Device, path string) bool {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want, got []string
	if line, ok := strings.CutPrefix(c.want, "unreachable: "); ok {
		want = append(want, line)
	}
	m := headerspace.New(d)
	_, only, _ := strings.Cut(c.subject, ":")
	for i := range d.Filters {
		f := &d.Filters[i]
		if only != "" && f.Name != only || f.Synthetic {
			continue
		}
		dead, err := m.Unreachable(f.Scope, f.Name)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range dead {
			got = append(got, strings.Join(strings.Fields(string(src[r.Span.Pos.Off():r.Span.Pos.Off()+int64(r.Span.Len)])), " "))
			if !r.Disagrees {
				t.Errorf("%s: rule %s is covered by rules that agree", f.Name, r.Rule)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", c.subject, diff)
		return false
	}
	return true
}

// order compares the order of a filter's rules with the expected one: `N lines; indexK = "TEXT"; ...`.
func (c *question) order(t *testing.T, d *facts.Device, path string) {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, name, _ := strings.Cut(c.subject, ":")
	i := slices.IndexFunc(d.Filters, func(f facts.Filter) bool { return f.Name == name })
	if i < 0 {
		t.Fatalf("no filter %q", name)
	}
	rules := d.Filters[i].Rules
	for n, part := range strings.Split(strings.Trim(strings.ReplaceAll(c.want, `""`, `"`), `"`), "; ") {
		if n == 0 {
			if want := strings.TrimSuffix(part, " lines"); want != strconv.Itoa(len(rules)) {
				t.Errorf("%d rules, want %s", len(rules), want)
			}
			continue
		}
		at, want, _ := strings.Cut(strings.TrimPrefix(part, "index"), " = ")
		k, err := strconv.Atoi(at)
		if err != nil || k >= len(rules) {
			t.Fatalf("%q of %d rules", part, len(rules))
		}
		s := rules[k].Span
		if got := strings.Join(strings.Fields(string(src[s.Pos.Off():s.Pos.Off()+int64(s.Len)])), " "); !strings.HasSuffix(got, strings.Trim(want, `"`)) {
			t.Errorf("rule %d is %q, want %q", k, got, want)
		}
	}
}

// device reads one configuration with the platform's reader that is surest of it.
func device(t *testing.T, path, platform string) *facts.Device {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f := &evidence.File{Path: filepath.Base(path), Rank: 1, Size: int64(len(b)), Seekable: true, Open: func(off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(b[min(off, int64(len(b))):])), nil
	}}
	var format facts.Format
	best := facts.No
	for _, x := range parsers.Formats() {
		if facts.PlatformFamily(x.Platform) != platform {
			continue
		}
		if c := x.Detect(f.Path, b); format.Parse == nil || c > best {
			format, best = x, c
		}
	}
	if format.Parse == nil {
		t.Fatalf("no reader of %s", platform)
	}
	var d *facts.Device
	sink := facts.NewSink()
	sink.Device = func(got *facts.Device) { d = got }
	piece := evidence.Piece{File: f, To: f.Size}
	if format.Prologue != nil {
		piece.Prologue = format.Prologue(f, b, nil)
	}
	if err := format.Parse(context.Background(), piece, sink); err != nil {
		t.Fatal(err)
	}
	if d == nil {
		t.Fatalf("%s states no device in %s", format.Name, path)
	}
	return d
}

// query is the question in the words of headerspace.
func (c *question) query(t *testing.T) headerspace.Query {
	t.Helper()
	q := headerspace.Query{Dst: set(t, c.dst)}
	if c.src != "h1" {
		q.Src = set(t, c.src)
	}
	kind, name, _ := strings.Cut(c.subject, ":")
	words := strings.Fields(c.subject)
	switch {
	case kind == "acl" || kind == "filter":
		q.Filter = strings.TrimPrefix(name, ":") // iptables: "filter::INPUT" is the table's chain
	case kind == "group":
		q.Group = name
	case kind == "service":
		q.Service = name
	case kind == "if_in":
		q.In = name
	case kind == "if_out":
		q.Out = name
		switch c.ingress {
		case "-":
		case "SELF":
			q.Self = true
		default:
			q.In = c.ingress
		}
	case c.subject == "h1 end-to-end": // of the labs of PAN-OS: h1 is 10.11.11.2 behind ethernet1/1
		q.In, q.Out = "ethernet1/1", labWay(c.config)
		q.Src = set(t, "10.11.11.2")
	case words[0] == "policy": // "policy 1" of the only list there is
		q.Filter = "policy"
	case words[0] == "transit": // "transit Gi1->Gi2"
		in, out, _ := strings.Cut(words[1], "->")
		q.In, q.Out = in, out
	case words[0] == "zone" && words[1] == "out": // "zone out EGRESS", and the ingress
		q.In, q.Out = c.ingress, words[2]
	case words[0] == "zone": // "zone FROM>TO"
		q.FromZone, q.ToZone, _ = strings.Cut(words[1], ">")
	default:
		t.Fatalf("subject %q", c.subject)
	}
	switch c.proto {
	case "ip":
	case "tcp":
		q.Protocols = []uint8{6}
	case "udp":
		q.Protocols = []uint8{17}
	case "icmp":
		q.Protocols = []uint8{1}
	case "icmp-echo":
		q.Protocols, q.ICMP = []uint8{1}, []facts.ICMPType{{Type: 8, Code: -1}}
	case "icmp-echo-reply":
		q.Protocols, q.ICMP = []uint8{1}, []facts.ICMPType{{Type: 0, Code: -1}}
	case "ospf":
		q.Protocols = []uint8{89}
	case "ahp":
		q.Protocols = []uint8{51}
	default:
		t.Fatalf("protocol %q", c.proto)
	}
	if c.sport != "*" && len(q.Protocols) > 0 {
		q.SrcPorts = port(t, c.sport)
	}
	dport, not := strings.CutPrefix(c.dport, "!")
	if dport != "*" && len(q.Protocols) > 0 {
		q.DstPorts, q.NotDstPorts = port(t, dport), not
	}
	return q
}

// labWay is where the labs of PAN-OS NAT send h1's packets to 10.13.13.2: behind ethernet1/3, unless their rule makes it
// 10.15.15.2, which is behind ethernet1/5. Security rules are asked with the zone after translation and the addresses before.
func labWay(config string) string {
	switch filepath.Base(config) {
	case "palo_alto_nat_5.cfg", "palo_alto_nat_6.cfg", "palo_alto_nat_7.cfg", "palo_alto_nat_8.cfg":
		return "ethernet1/5"
	}
	return "ethernet1/3"
}

func set(t *testing.T, s string) headerspace.Set {
	t.Helper()
	if s == "*" {
		return headerspace.Set{}
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		var a netip.Addr
		if a, err = netip.ParseAddr(s); err == nil {
			p = netip.PrefixFrom(a, a.BitLen())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return headerspace.Set{Prefixes: []netip.Prefix{p}}
}

func port(t *testing.T, s string) []facts.PortRange {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return []facts.PortRange{{First: uint16(n), Last: uint16(n)}}
}
