package junos

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

// corpus is the folder of public configurations and questions with known answers.
func corpus(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS is not set: the public corpus is not read")
	}
	return dir
}

// TestCases answers the filter questions of the public corpus about Junos from this package's facts.
func TestCases(t *testing.T) {
	root := filepath.Join(corpus(t), "acl")
	table, err := os.ReadFile(filepath.Join(root, "cases.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, line := range strings.Split(strings.TrimSpace(string(table)), "\n")[1:] {
		f := strings.Split(line, "\t")
		if len(f) < 12 || f[2] != "junos" {
			continue
		}
		asked++
		t.Run(f[0], func(t *testing.T) {
			src, err := os.ReadFile(filepath.Join(root, f[1]))
			if err != nil {
				t.Fatal(err)
			}
			format, conf := formatOf(string(src))
			if format.Name != "junos-set" || conf < facts.Likely {
				t.Errorf("detected %s with %d", format.Name, conf)
			}
			d, _ := readDevice(t, format, string(src))
			q := question(t, f[4], f[6], f[7:11])
			got, err := headerspace.New(d).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if string(got.Verdict) != f[11] {
				t.Errorf("%s %s %v: %s (%s), want %s", f[4], f[5], f[6:11], got.Verdict, got.Reason, f[11])
			}
		})
	}
	if asked == 0 {
		t.Fatal("no cases for junos")
	}
}

// question reads a case: subject, protocol, and src, sport, dst, dport.
func question(t *testing.T, subject, proto string, ends []string) headerspace.Query {
	t.Helper()
	q := headerspace.Query{Family: facts.IPv4}
	if zones, ok := strings.CutPrefix(subject, "zone "); ok {
		q.FromZone, q.ToZone, _ = strings.Cut(zones, ">")
	} else {
		kind, name, _ := strings.Cut(subject, ":")
		switch kind {
		case "if_out":
			q.Out = name
		case "if_in":
			q.In = name
		case "filter":
			q.Filter = name
		default:
			t.Fatalf("subject %q", subject)
		}
	}
	if proto != "ip" {
		n, ok := protocolNumber([]byte(proto))
		if !ok {
			t.Fatalf("protocol %q", proto)
		}
		q.Protocols = []uint8{n}
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
