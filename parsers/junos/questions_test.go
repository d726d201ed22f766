package junos

import (
	"net/netip"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// TestQuestions asks fixtures what passes: that facts mean what the configuration means.
func TestQuestions(t *testing.T) {
	const tcp, udp = facts.TCP, facts.UDP
	tests := []struct {
		name, fixture string
		q             headerspace.Query
		proto         uint8
		src, dst      string
		port          uint16
		want          headerspace.Verdict
	}{
		{"FTP to a network of the wildcard", "filters", headerspace.Query{Filter: "EDGE"}, tcp, "10.7.2.3", "198.51.7.0", 21, headerspace.Permit},
		{"FTP beside the wildcard meets what is unknown", "filters", headerspace.Query{Filter: "EDGE"}, tcp, "10.7.2.3", "198.51.7.1", 21, headerspace.Unknown},
		{"FTP from an excepted address", "filters", headerspace.Query{Filter: "EDGE"}, tcp, "10.9.2.3", "198.51.7.0", 21, headerspace.Unknown},
		{"FTP from an excepted prefix list", "filters", headerspace.Query{Filter: "EDGE"}, tcp, "10.1.2.3", "198.51.7.0", 21, headerspace.Unknown},
		{"TFTP to a neighbour from the path", "filters", headerspace.Query{Filter: "EDGE"}, udp, "192.0.2.9", "198.51.100.2", 69, headerspace.Deny},
		{"SMB before the unknown condition", "filters", headerspace.Query{Filter: "EDGE"}, tcp, "192.0.2.9", "192.0.2.10", 445, headerspace.Unknown},
		{"FTP out", "filters", headerspace.Query{Filter: "OUT"}, tcp, "192.0.2.9", "192.0.2.10", 21, headerspace.Deny},
		{"SSH out, unless from port 21", "filters", headerspace.Query{Filter: "OUT"}, tcp, "192.0.2.9", "192.0.2.10", 22, headerspace.Partial},
		{"SMB over IPv6", "filters", headerspace.Query{In: "ge-0/0/0.0", Family: facts.IPv6}, tcp, "2001:db8::9", "2001:db8::1", 445, headerspace.Deny},

		{"a policy by the zone's own book", "srx", headerspace.Query{FromZone: "trust", ToZone: "untrust"}, tcp, "192.0.2.80", "198.51.100.80", 22, headerspace.Deny},
		{"the other book's address of that name", "srx", headerspace.Query{FromZone: "trust", ToZone: "untrust"}, tcp, "192.0.2.80", "192.0.2.80", 22, headerspace.Deny},
		{"no policy back", "srx", headerspace.Query{FromZone: "untrust", ToZone: "trust"}, tcp, "198.51.100.80", "10.0.0.80", 21, headerspace.Deny},
		{"FTP to the device, excepted", "srx", headerspace.Query{Self: true, In: "ge-0/0/0.0"}, tcp, "10.0.0.9", "10.0.0.1", 21, headerspace.Deny},
		{"TFTP to the device by all", "srx", headerspace.Query{Self: true, In: "ge-0/0/0.0"}, udp, "10.0.0.9", "10.0.0.1", 69, headerspace.Permit},
		{"SSH to the device, where the interface replaces the zone", "srx", headerspace.Query{Self: true, In: "ge-0/0/1.0"}, tcp, "198.51.100.9", "203.0.113.2", 22, headerspace.Deny},
		{"TFTP to the device, refused by a policy to junos-host", "srx", headerspace.Query{Self: true, In: "ge-0/0/1.0"}, udp, "198.51.100.9", "203.0.113.2", 69, headerspace.Deny},
	}
	devices := map[string]*facts.Device{}
	for _, s := range samples(t) {
		format, _ := formatOf(s.text)
		devices[s.fixture], _ = readDevice(t, format, s.text)
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := test.q
			q.Protocols = []uint8{test.proto}
			q.Src.Prefixes = []netip.Prefix{netip.MustParsePrefix(test.src + bits(test.src))}
			q.Dst.Prefixes = []netip.Prefix{netip.MustParsePrefix(test.dst + bits(test.dst))}
			q.DstPorts = []facts.PortRange{{First: test.port, Last: test.port}}
			if q.Family == facts.AnyFamily {
				q.Family = facts.IPv4
			}
			got, err := headerspace.New(devices[test.fixture]).Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want {
				t.Errorf("%s by rule %q (%s), want %s", got.Verdict, got.Rule, got.Reason, test.want)
			}
		})
	}
}

func bits(addr string) string {
	if netip.MustParseAddr(addr).Is4() {
		return "/32"
	}
	return "/128"
}
