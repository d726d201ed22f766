package ciscoasa

import (
	"net/netip"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// firewall is three interfaces and what decides between them.
const firewall = `ASA Version 9.12(4)
interface GigabitEthernet0/0
 nameif outside
 security-level 0
 ip address 203.0.113.2 255.255.255.0
interface GigabitEthernet0/1
 nameif inside
 security-level 100
 ip address 10.0.0.1 255.255.255.0
interface GigabitEthernet0/2
 nameif dmz
 security-level 50
 ip address 10.1.0.1 255.255.255.0
interface Management0/0
 management-only
 nameif mgmt
 security-level 100
 ip address 10.2.0.1 255.255.255.0
object network server
 host 10.0.0.21
object-group network empty
object-group service files tcp
 port-object eq ftp
object-group service any-files
 service-object udp destination eq tftp
 group-object files
access-list outside_in extended permit tcp any object server object-group files
access-list outside_in extended deny tcp any any eq ssh
access-list outside_in extended permit tcp any object-group empty eq telnet
access-list outside_in extended permit tcp any host 10.0.0.30 eq 445 inactive
access-list outside_in extended permit tcp user EXAMPLE\carol any host 10.0.0.31 eq 445
access-list everywhere extended permit object-group any-files any any
access-list everywhere extended permit tcp any any eq ssh
access-list dmz_out extended deny udp any any eq tftp
access-list dmz_out extended permit ip any any
access-group outside_in in interface outside
access-group everywhere global
access-group dmz_out out interface dmz
ssh 10.2.0.0 255.255.255.0 mgmt
ssh 10.0.0.5 255.255.255.255 inside
ssh scopy enable
object network server
 nat (inside,outside) static 203.0.113.21
`

// What the facts mean to the algebra that answers questions about them.
func TestMeaning(t *testing.T) {
	d, _ := readAll(t, "fw.cfg", []byte(firewall))
	m := headerspace.New(d)
	tests := []struct {
		name    string
		in, out string
		filter  string
		proto   uint8
		src     string
		dst     string
		port    uint16
		want    headerspace.Verdict
	}{
		{name: "interface list permits", in: "outside", out: "inside", proto: 6, dst: "10.0.0.21", port: 21, want: headerspace.Permit},
		{name: "undecided goes on to the global list", in: "outside", out: "inside", proto: 17, dst: "10.0.0.9", port: 69, want: headerspace.Permit},
		{name: "decided does not", in: "outside", out: "inside", proto: 6, dst: "10.0.0.9", port: 22, want: headerspace.Deny},
		{name: "implicit deny after both", in: "outside", out: "inside", proto: 6, dst: "10.0.0.9", port: 445, want: headerspace.Deny},
		{name: "empty group matches nothing", in: "outside", out: "inside", proto: 6, dst: "10.0.0.9", port: 23, want: headerspace.Deny},
		{name: "inactive line", in: "outside", out: "inside", proto: 6, dst: "10.0.0.30", port: 445, want: headerspace.Deny},
		{name: "line about a user", in: "outside", out: "inside", proto: 6, dst: "10.0.0.31", port: 445, want: headerspace.Unknown},
		{name: "global list stands in the place of the levels", in: "inside", out: "outside", proto: 6, dst: "198.51.100.1", port: 445, want: headerspace.Deny},
		{name: "outbound list", in: "inside", out: "dmz", proto: 17, dst: "10.1.0.9", port: 69, want: headerspace.Deny},
		{name: "management-only passes nothing in", in: "mgmt", out: "outside", proto: 6, dst: "198.51.100.1", port: 22, want: headerspace.Deny},
		{name: "management-only passes nothing out", in: "inside", out: "mgmt", proto: 6, dst: "10.2.0.9", port: 22, want: headerspace.Deny},
		{name: "mapped address is seen as the real one", in: "outside", out: "inside", proto: 6, dst: "203.0.113.21", port: 21, want: headerspace.Permit},
		{name: "list alone", filter: "outside_in", proto: 17, dst: "10.0.0.9", port: 69, want: headerspace.Deny},
		{name: "source of ssh", filter: "ssh mgmt", proto: 6, src: "10.2.0.9", port: 22, want: headerspace.Permit},
		{name: "no source of ssh", filter: "ssh mgmt", proto: 6, src: "10.0.0.5", port: 22, want: headerspace.Deny},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			q := headerspace.Query{
				In: test.in, Out: test.out, Filter: test.filter, Family: facts.IPv4, Protocols: []uint8{test.proto},
				Src: one(test.src), Dst: one(test.dst), DstPorts: []facts.PortRange{{First: test.port, Last: test.port}},
			}
			got, err := m.Test(q)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != test.want {
				t.Errorf("%s (%s), want %s", got.Verdict, got.Reason, test.want)
			}
		})
	}
}

// one is the set of one address; any when addr is empty.
func one(addr string) headerspace.Set {
	if addr == "" {
		return headerspace.Set{}
	}
	a := netip.MustParseAddr(addr)
	return headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}}
}
