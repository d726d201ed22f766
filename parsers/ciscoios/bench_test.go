package ciscoios

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// router is a configuration in the shape of a distribution switch's: n interfaces, routes and routing neighbours, and
// lists of about as many lines.
func router(n int) []byte {
	var b bytes.Buffer
	b.WriteString("version 15.2\nservice timestamps log datetime msec show-timezone\nno service pad\nservice password-encryption\n!\nhostname dist1\n!\n")
	b.WriteString("boot-start-marker\nboot-end-marker\n!\nenable secret 5 $1$abcd$efghijklmnopqrstuvwxyz\naaa new-model\naaa authentication login default group tacacs+ local\n!\n")
	for i := range n {
		fmt.Fprintf(&b, "interface GigabitEthernet%d/0/%d\n description access port of room %d, patch panel %d\n switchport access vlan %d\n switchport mode access\n", i/48, i%48, i, i/24, 100+i%40)
		b.WriteString(" ip access-group USERS in\n spanning-tree portfast\n no cdp enable\n storm-control broadcast level 1.00\n!\n")
	}
	for i := range n / 10 {
		fmt.Fprintf(&b, "interface Vlan%d\n description users of floor %d\n ip address 10.%d.%d.1 255.255.255.0\n ip helper-address 10.0.0.53\n no ip redirects\n ip ospf message-digest-key 1 md5 7 0822455D0A16\n!\n", 100+i, i, i/256, i%256)
	}
	b.WriteString("router bgp 65000\n bgp log-neighbor-changes\n")
	for i := range n / 10 {
		fmt.Fprintf(&b, " neighbor 10.0.%d.2 remote-as 65001\n neighbor 10.0.%d.2 password 7 094F471A1A0A\n neighbor 10.0.%d.2 send-community\n", i%256, i%256, i%256)
	}
	for i := range n / 4 {
		fmt.Fprintf(&b, "ip route 10.%d.%d.0 255.255.255.0 10.0.0.%d name floor-%d\n", 100+i/256, i%256, 1+i%250, i)
	}
	for l := range 4 {
		fmt.Fprintf(&b, "ip access-list extended USERS%d\n", l)
		for i := range n / 4 {
			switch i % 5 {
			case 0:
				fmt.Fprintf(&b, " remark rule %d of the migration\n", i)
			case 1:
				fmt.Fprintf(&b, " permit tcp 10.%d.%d.0 0.0.0.255 host 192.0.2.%d eq 443\n", i/256, i%256, i%250)
			case 2:
				fmt.Fprintf(&b, " permit udp any host 192.0.2.%d eq domain\n", i%250)
			case 3:
				fmt.Fprintf(&b, " deny   tcp any any range 137 139 log\n")
			case 4:
				fmt.Fprintf(&b, " permit tcp any 10.%d.0.0 0.0.255.255 established\n", i%256)
			}
		}
	}
	b.WriteString("!\nsnmp-server community community RO 10\nlogging host 192.0.2.10\nline vty 0 4\n access-class 10 in\n transport input ssh\nend\n")
	return b.Bytes()
}

// lists is a border router's: access lists and little else.
func lists(n int) []byte {
	var b bytes.Buffer
	b.WriteString("version 12.4\nhostname border\n")
	for i := range n {
		switch i % 4 {
		case 0:
			fmt.Fprintf(&b, "access-list %d deny   tcp any any eq 445\n", 101+i*8/n)
		case 1:
			fmt.Fprintf(&b, "access-list %d permit tcp 10.%d.%d.0 0.0.0.255 host 192.0.2.%d eq ftp\n", 101+i*8/n, i/256%256, i%256, i%250)
		case 2:
			fmt.Fprintf(&b, "access-list %d permit udp host 198.51.100.%d any eq tftp\n", 101+i*8/n, i%250)
		case 3:
			fmt.Fprintf(&b, "access-list %d permit tcp any any established\n", 101+i*8/n)
		}
	}
	b.WriteString("end\n")
	return b.Bytes()
}

func benchmark(b *testing.B, src []byte) {
	f := parsetest.File("dist1.cfg", src)
	f.Open = whole(src)
	sink := facts.NewSink()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, sink); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRouter(b *testing.B) { benchmark(b, router(2000)) }
func BenchmarkLists(b *testing.B)  { benchmark(b, lists(20_000)) }

func BenchmarkDetect(b *testing.B) {
	src := bytes.ReplaceAll(router(2000)[:64<<10], []byte("service"), []byte("serving"))
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		Detect("x", src)
	}
}

func BenchmarkTree(b *testing.B) {
	src := router(2000)
	var t tree.Tree
	b.SetBytes(int64(len(src)))
	for b.Loop() {
		t.Indent(src, tree.Indentation{Comments: "!", Body: tree.CiscoText})
	}
}
