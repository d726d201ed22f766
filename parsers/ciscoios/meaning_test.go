package ciscoios

import (
	"net/netip"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// guarded is a router whose filters are asked below.
const guarded = `version 15.2
hostname r
time-range NIGHT
 periodic daily 22:00 to 23:59
object-group network SERVERS
 host 192.0.2.10
 192.0.2.128 255.255.255.128
object-group service FILES
 tcp eq ftp
 udp eq tftp
ip access-list extended IN
 20 deny   tcp any any eq 445
 10 permit object-group FILES any object-group SERVERS
 30 permit tcp any host 192.0.2.20 eq 139 445
 40 permit udp any any eq netbios-ss
 50 permit tcp any host 192.0.2.30 eq 21 time-range NIGHT
 60 permit tcp any host 192.0.2.31 eq 21 time-range UNDEFINED
 70 permit tcp any any established
 80 permit tcp any host 192.0.2.40 eq 21 dscp ef
 90 permit tcp host 192.0.2.50 any ack
 100 evaluate BACK
ip access-list extended BROKEN
 permit tcp any any eq 80
 permit tcp any any eq no-such-port
 permit tcp any any eq 21
ip access-list extended EMPTY
access-list 5 permit 10.0.0.0 0.0.0.254
ipv6 access-list SIX
 permit tcp any any eq 21
interface GigabitEthernet0/0
 ip address 10.0.0.1 255.255.255.0
 ip access-group IN in
 ipv6 address 2001:db8::1/64
 ipv6 traffic-filter SIX in
interface GigabitEthernet0/1
 ip address 192.0.2.1 255.255.255.0
 ip access-group NOBODY-MADE-IT in
 ip access-group EMPTY out
interface GigabitEthernet0/2
 ip address 198.51.100.1 255.255.255.0
 ip access-group LOCKED in
 ip inspect FW out
interface GigabitEthernet0/3
 ip address 10.3.0.1 255.255.255.0
ip inspect name FW tcp
ip access-list extended LOCKED
 deny ip any any
end
`

func TestMeaning(t *testing.T) {
	st := parsetest.Parse(t, Format(), "r.cfg", []byte(guarded))
	m := headerspace.New(st.Devices[0])
	defer m.Close()
	host := func(s string) headerspace.Set {
		a := netip.MustParseAddr(s)
		return headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}}
	}
	port := func(n uint16) []facts.PortRange { return []facts.PortRange{{First: n, Last: n}} }
	tcp, udp := []uint8{facts.TCP}, []uint8{facts.UDP}
	night := time.Date(2026, 3, 2, 22, 30, 0, 0, time.UTC)
	noon := time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)
	in, other := "GigabitEthernet0/0", "GigabitEthernet0/1"
	for _, c := range []struct {
		name string
		q    headerspace.Query
		want headerspace.Verdict
	}{
		{"groups, and numbers before file order", headerspace.Query{Filter: "IN", Dst: host("192.0.2.10"), Protocols: tcp, DstPorts: port(21)}, headerspace.Permit},
		{"netmask of a group", headerspace.Query{Filter: "IN", Dst: host("192.0.2.200"), Protocols: udp, DstPorts: port(69)}, headerspace.Permit},
		{"outside the group", headerspace.Query{Filter: "IN", Dst: host("192.0.2.100"), Protocols: udp, DstPorts: port(69)}, headerspace.Deny},
		{"the deny comes first", headerspace.Query{Filter: "IN", Dst: host("192.0.2.20"), Protocols: tcp, DstPorts: port(445)}, headerspace.Deny},
		{"second port of eq", headerspace.Query{Filter: "IN", Dst: host("192.0.2.20"), Protocols: tcp, DstPorts: port(139)}, headerspace.Permit},
		{"netbios-ss is UDP 139", headerspace.Query{Filter: "IN", Protocols: udp, DstPorts: port(139)}, headerspace.Permit},
		{"in the time range", headerspace.Query{Filter: "IN", Dst: host("192.0.2.30"), Protocols: tcp, DstPorts: port(21), At: night}, headerspace.Permit},
		{"outside the time range", headerspace.Query{Filter: "IN", Dst: host("192.0.2.30"), Protocols: tcp, DstPorts: port(21), At: noon}, headerspace.Deny},
		{"at any time", headerspace.Query{Filter: "IN", Dst: host("192.0.2.30"), Protocols: tcp, DstPorts: port(21)}, headerspace.Partial},
		{"an undefined time range is always", headerspace.Query{Filter: "IN", Dst: host("192.0.2.31"), Protocols: tcp, DstPorts: port(21)}, headerspace.Permit},
		{"established opens nothing", headerspace.Query{Filter: "IN", Dst: host("192.0.2.99"), Protocols: tcp, DstPorts: port(80)}, headerspace.Deny},
		{"established lets answers in", headerspace.Query{Filter: "IN", Dst: host("192.0.2.99"), Protocols: tcp, DstPorts: port(80), Established: true}, headerspace.Permit},
		{"a condition that is not modelled", headerspace.Query{Filter: "IN", Dst: host("192.0.2.40"), Protocols: tcp, DstPorts: port(21)}, headerspace.Unknown},
		{"a line that was not understood", headerspace.Query{Filter: "BROKEN", Protocols: tcp, DstPorts: port(21)}, headerspace.Unknown},
		{"before that line", headerspace.Query{Filter: "BROKEN", Protocols: tcp, DstPorts: port(80)}, headerspace.Permit},
		{"every other host", headerspace.Query{Filter: "5", Src: host("10.0.0.4")}, headerspace.Permit},
		{"not the odd ones", headerspace.Query{Filter: "5", Src: host("10.0.0.5")}, headerspace.Deny},
		{"IPv6 FTP", headerspace.Query{In: in, Family: facts.IPv6, Protocols: tcp, DstPorts: port(21)}, headerspace.Permit},
		{"IPv6 SMB", headerspace.Query{In: in, Family: facts.IPv6, Protocols: tcp, DstPorts: port(445)}, headerspace.Deny},
		{"IPv6 neighbour discovery", headerspace.Query{In: in, Family: facts.IPv6, Protocols: []uint8{58}, ICMP: []facts.ICMPType{{Type: 135, Code: -1}}}, headerspace.Permit},
		{"a list that is not there permits", headerspace.Query{In: other, Family: facts.IPv4, Protocols: tcp, DstPorts: port(445)}, headerspace.Permit},
		{"an empty list permits", headerspace.Query{In: "GigabitEthernet0/3", Out: other, Protocols: tcp, DstPorts: port(445)}, headerspace.Permit},
		{"inspection opens nothing from outside", headerspace.Query{In: "GigabitEthernet0/2", Out: "GigabitEthernet0/3", Protocols: tcp, DstPorts: port(21)}, headerspace.Deny},
		{"the device's own packets pass outbound lists", headerspace.Query{Self: true, Out: "GigabitEthernet0/2", Protocols: tcp, DstPorts: port(21)}, headerspace.Permit},
	} {
		a, err := m.Test(c.q)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if a.Verdict != c.want {
			t.Errorf("%s: %s, want %s (%s)", c.name, a.Verdict, c.want, a.Reason)
		}
	}
}

func TestDetect(t *testing.T) {
	for _, c := range []struct {
		name, text string
		low, high  facts.Confidence
	}{
		{"a router", guarded, facts.Strong, facts.Certain},
		{"a few statements", "service timestamps log datetime msec\nhostname sw\ninterface Vlan1\n ip address 10.0.0.1 255.255.255.0\n", facts.Likely, facts.Certain},
		{"a list alone", "ip access-list extended A\n permit tcp any any eq 21\n", facts.Possible, facts.Certain},
		{"a wildcard in a named flat list", "hostname x\naccess-list acl extended permit ip 10.0.0.0 0.0.0.255 any\n", facts.Likely, facts.Certain},
		{"ASA", "ASA Version 9.16(4)\nhostname fw\ninterface GigabitEthernet0/0\n nameif outside\n security-level 0\n ip address 192.0.2.1 255.255.255.0\n", facts.No, facts.No},
		{"NX-OS", "version 9.3(5) Bios:version\nfeature interface-vlan\nvdc n9k id 1\nhostname n9k\ninterface mgmt0\n vrf member management\n ip address 192.0.2.1/24\n", facts.No, facts.Possible},
		{"EOS", "! device: leaf1 (vEOS, EOS-4.27.0F)\n!\ntransceiver qsfp default-mode 4x10G\nservice routing protocols model multi-agent\nhostname leaf1\ninterface Ethernet1\n   ip address 192.0.2.1/31\n", facts.No, facts.No},
		{"XR", "!! IOS XR Configuration 7.3.1\nhostname xr\ninterface GigabitEthernet0/0/0/0\n ipv4 address 192.0.2.1 255.255.255.0\nroute-policy P\n  pass\nend-policy\n", facts.No, facts.No},
		{"FRR", "frr version 8.4\nfrr defaults traditional\nhostname r\nservice integrated-vtysh-config\nrouter bgp 65000\nline vty\n", facts.No, facts.No},
		{"a log", "Mar  1 00:00:01 r1 12: Mar  1 00:00:00.123: %SYS-5-CONFIG_I: Configured from console by vty0\nMar  1 00:00:02 r1 13: %LINK-3-UPDOWN: Interface GigabitEthernet0/1\n", facts.No, facts.No},
		{"show version", "Cisco IOS Software, C2960 Software, Version 15.0(2)SE\nROM: Bootstrap program\nsw1 uptime is 1 week\n", facts.No, facts.No},
		{"Junos", "system {\n    host-name r;\n}\ninterfaces {\n    lo0 {\n    }\n}\n", facts.No, facts.No},
		{"prose", "The router should be configured\nwith an access list.\n", facts.No, facts.No},
		{"binary", "version 15.2\nhostname \x00\x01", facts.No, facts.No},
	} {
		if got := Detect("x", []byte(c.text)); got < c.low || got > c.high {
			t.Errorf("%s: Detect = %d, want %d to %d", c.name, got, c.low, c.high)
		}
	}
}

func TestEveryIrrelevantHasAReason(t *testing.T) {
	for _, w := range []string{"router", "spanning-tree", "qos", "voice", "wlan", "crypto"} {
		if topIrrelevant([]byte(w)) == "" {
			t.Errorf("%s is not in the table", w)
		}
	}
	if r := topIrrelevant([]byte("tftp-server")); r != "" {
		t.Errorf("tftp-server is irrelevant: %s", r)
	}
}
