package ace

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/quaymaster/quaymaster/facts"
)

func prefix(s string) facts.Addrs {
	return facts.Addrs{Present: true, Items: []facts.AddrItem{{Prefix: netip.MustParsePrefix(s)}}}
}

func group(s string) facts.Addrs {
	return facts.Addrs{Present: true, Items: []facts.AddrItem{{Group: s}}}
}

func ports(list ...uint16) facts.Ports {
	p := facts.Ports{Present: true}
	for i := 0; i+1 < len(list); i += 2 {
		p.Ranges = append(p.Ranges, facts.PortRange{First: list[i], Last: list[i+1]})
	}
	return p
}

func TestRead(t *testing.T) {
	tcp, udp := []uint8{facts.TCP}, []uint8{facts.UDP}
	d := Dialect{
		Groups: []string{"addrgroup", "net-group"}, PortGroups: []string{"portgroup"}, Takes: map[string]int{"capture": 2, "count": 0},
		Conditions: map[string]int{"tracked": 0, "vlan": 1}, Port: func(n string) (uint16, bool) { return 2121, n == "odd" },
	}
	for _, c := range []struct {
		text string
		fam  facts.Family
		want facts.Match
	}{
		{"permit ip any any", facts.IPv4, facts.Match{}},
		{"permit tcp 10.1.0.0/16 host 198.51.100.9 eq ftp log", facts.IPv4, facts.Match{Protocols: tcp, Src: prefix("10.1.0.0/16"), Dst: prefix("198.51.100.9/32"), DstPorts: ports(21, 21)}},
		{"deny udp 10.0.0.0 0.255.255.255 any range 60 tftp", facts.IPv4, facts.Match{Protocols: udp, Src: prefix("10.0.0.0/8"), DstPorts: ports(60, 69)}},
		{"deny tcp any gt 1023 any lt 1024 established", facts.IPv4, facts.Match{Protocols: tcp, SrcPorts: ports(1024, 65535), DstPorts: ports(0, 1023), Flags: facts.Established}},
		{"permit tcp addrgroup A portgroup P net-group B eq 445 odd count", facts.IPv4, facts.Match{
			Protocols: tcp, Src: group("A"), SrcPorts: facts.Ports{Present: true, Groups: []string{"P"}}, Dst: group("B"), DstPorts: ports(445, 445, 2121, 2121),
		}},
		{"permit tcp any neq 139 any", facts.IPv4, facts.Match{Protocols: tcp, SrcPorts: facts.Ports{Present: true, Not: true, Ranges: []facts.PortRange{{First: 139, Last: 139}}}}},
		{"permit ip 10.1.0.1 0.0.255.0 any", facts.IPv4, facts.Match{Src: facts.Addrs{Present: true, Items: []facts.AddrItem{{Wild: &facts.Wildcard{Addr: [4]byte{10, 1, 0, 1}, Care: [4]byte{255, 255, 0, 255}}}}}}},
		{"permit 10.0.0.0/255.0.0.0 any", facts.IPv4, facts.Match{}},
		{"permit ip 10.0.0.0/255.0.0.0 any", facts.IPv4, facts.Match{Src: prefix("10.0.0.0/8")}},
		{"permit icmp any any echo-reply", facts.IPv4, facts.Match{Protocols: []uint8{1}, ICMP: []facts.ICMPType{{Type: 0, Code: -1}}}},
		{"permit icmp any any 3 4", facts.IPv4, facts.Match{Protocols: []uint8{1}, ICMP: []facts.ICMPType{{Type: 3, Code: 4}}}},
		{"permit icmpv6 any any nd-na", facts.IPv6, facts.Match{Protocols: []uint8{58}, ICMP: []facts.ICMPType{{Type: 136, Code: -1}}}},
		{"deny tcp 2001:db8::/32 any eq 445", facts.IPv6, facts.Match{Protocols: tcp, Src: prefix("2001:db8::/32"), DstPorts: ports(445, 445)}},
		{"permit tcp any any syn", facts.IPv4, facts.Match{Protocols: tcp, Flags: facts.Initial}},
		{"permit tcp any any match-all +ack +psh", facts.IPv4, facts.Match{Protocols: tcp, Flags: facts.Established, Unread: []string{"tcp flags match-all +ack +psh"}}},
		{"permit ip any any dscp ef", facts.IPv4, facts.Match{Unread: []string{"dscp ef"}}},
		{"permit ip any any ttl eq 1 tracked", facts.IPv4, facts.Match{Unread: []string{"ttl eq 1", "tracked"}}},
		{"permit ip any any capture session 2", facts.IPv4, facts.Match{}},
		{"permit ip any any fragments", facts.IPv4, facts.Match{Fragments: facts.NonInitial}},
		{"permit 47 any any", facts.IPv4, facts.Match{Protocols: []uint8{47}}},
		{"permit ipv6 any any", facts.IPv4, facts.Match{Protocols: []uint8{41}}},
		{"permit ipv6 any any", facts.IPv6, facts.Match{}},
	} {
		var r facts.Rule
		_, ok := d.Read(strings.Fields(c.text), c.fam, false, &r)
		if strings.HasPrefix(c.text, "permit 10.") { // no protocol
			if ok {
				t.Errorf("%q is read", c.text)
			}
			continue
		}
		if diff := cmp.Diff(c.want, r.Match, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{}), cmpopts.EquateEmpty()); !ok || diff != "" {
			t.Errorf("%q: %v\n%s", c.text, ok, diff)
		}
	}
}

func TestReadNot(t *testing.T) {
	d := Dialect{}
	for _, text := range []string{
		"", "permit", "permit ip", "permit ip any", "allow ip any any", "permit foo any any", "permit tcp any any eq", "permit tcp any any eq nonesuch", "permit ip any any capture session 2",
		"permit ip 2001:db8::/32 any", "permit ip host any", "permit ip 10.0.0.1 any", "permit tcp any range 1 any", "permit ip any any time-range", "permit ip any any eq 21",
		"permit ip addrgroup A any",
	} {
		var r facts.Rule
		if _, ok := d.Read(strings.Fields(text), facts.IPv4, false, &r); ok {
			t.Errorf("%q is read as %+v", text, r)
		}
	}
}

func TestStandard(t *testing.T) {
	d := Dialect{}
	for text, want := range map[string]facts.Addrs{
		"permit 10.0.0.1": prefix("10.0.0.1/32"), "permit host 10.0.0.1 log": prefix("10.0.0.1/32"), "deny 10.0.0.0 0.0.0.255": prefix("10.0.0.0/24"),
		"permit any": {}, "permit 10.0.0.0/8": prefix("10.0.0.0/8"),
	} {
		var r facts.Rule
		if _, ok := d.Read(strings.Fields(text), facts.IPv4, true, &r); !ok || !cmp.Equal(want, r.Match.Src, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})) {
			t.Errorf("%q: %v, %+v", text, ok, r.Match.Src)
		}
	}
}

func TestEither(t *testing.T) {
	d := Dialect{Either: true}
	for text, want := range map[string]string{
		"permit ip 10.1.0.0 0.0.255.255 any": "10.1.0.0/16", "permit ip 10.1.0.0 255.255.0.0 any": "10.1.0.0/16", "permit ip 10.1.2.0 255.255.255.252 any": "10.1.2.0/30",
		"permit ip 10.1.0.0 255.255.255.255 any": "", "permit ip 10.1.0.0 0.0.0.0 any": "", "permit ip 10.1.0.0 0.255.0.255 any": "",
	} {
		var r facts.Rule
		got := ""
		if _, ok := d.Read(strings.Fields(text), facts.IPv4, false, &r); ok {
			got = r.Match.Src.Items[0].Prefix.String()
		}
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("permit tcp any range 1 2 10.0.0.0 0.0.0.255 eq ftp log", false)
	f.Add("deny icmp6 2001:db8::1/64 any nd-na", true)
	d := Dialect{Groups: []string{"addrgroup"}, PortGroups: []string{"portgroup"}, Bare: true, Takes: map[string]int{"capture": 2}, Conditions: map[string]int{"vlan": 1}}
	f.Fuzz(func(t *testing.T, text string, six bool) {
		fam := facts.IPv4
		if six {
			fam = facts.IPv6
		}
		var r facts.Rule
		_, ok := d.Read(strings.Fields(text), fam, false, &r)
		if ok && r.Action == facts.ActionUnknown {
			t.Errorf("%q is read and does nothing", text)
		}
	})
}
