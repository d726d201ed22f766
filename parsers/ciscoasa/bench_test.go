package ciscoasa

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// large is a configuration in the shape of a data centre's firewall: n access-list lines over a few lists, a fifth as
// many objects and groups, and everything else in proportion.
func large(n int) []byte {
	var b bytes.Buffer
	b.WriteString(": Saved\n:\nASA Version 9.16(4)\n!\nhostname dc-fw\nenable password $sha512$5000$abcdefgh$ijklmnop pbkdf2\nnames\n")
	for i := range 8 {
		fmt.Fprintf(&b, "!\ninterface GigabitEthernet0/%d\n nameif zone%d\n security-level %d\n ip address 10.%d.0.1 255.255.255.0 standby 10.%d.0.2\n", i, i, i*10, i, i)
	}
	for i := range n / 10 {
		fmt.Fprintf(&b, "object network host-%d-%d\n host 10.%d.%d.%d\n description server of application %d\n", i, i*7%97, i%8, i/256%256, i%256, i)
	}
	for i := range n / 50 {
		fmt.Fprintf(&b, "object-group network group-%d\n", i)
		for j := range 5 {
			fmt.Fprintf(&b, " network-object object host-%d-%d\n network-object 192.168.%d.0 255.255.255.0\n", i*5+j, (i*5+j)*7%97, (i+j)%256)
		}
		fmt.Fprintf(&b, "object-group service ports-%d tcp\n port-object eq %d\n port-object range %d %d\n", i, 1024+i%1000, 8000+i%100, 8100+i%100)
	}
	for i := range n {
		list := i * 8 / n
		switch i % 5 {
		case 0:
			fmt.Fprintf(&b, "access-list zone%d_in remark rule %d of the migration of application %d\n", list, i, i/3)
		case 1:
			fmt.Fprintf(&b, "access-list zone%d_in extended permit tcp object-group group-%d object host-%d-%d eq https log notifications\n", list, i/50, i/10, i/10*7%97)
		case 2:
			fmt.Fprintf(&b, "access-list zone%d_in extended permit tcp 10.%d.%d.0 255.255.255.0 host 192.0.2.%d object-group ports-%d\n", list, i%8, i/8%256, i%256, i/50)
		case 3:
			fmt.Fprintf(&b, "access-list zone%d_in extended deny udp any4 10.%d.0.0 255.255.0.0 range 137 netbios-dgm log disable\n", list, i%8)
		case 4:
			fmt.Fprintf(&b, "access-list zone%d_in extended permit udp host 198.51.100.%d object-group group-%d eq tftp inactive\n", list, i%256, i/50)
		}
	}
	for i := range n / 50 {
		fmt.Fprintf(&b, "object network host-%d-%d\n nat (zone%d,zone0) static 203.0.113.%d\n", i, i*7%97, i%7+1, i%256)
	}
	for i := range 8 {
		fmt.Fprintf(&b, "access-group zone%d_in in interface zone%d\nroute zone%d 10.%d.16.0 255.255.240.0 10.%d.0.254 1\n", i, i, i, i, i)
	}
	b.WriteString("logging enable\nlogging trap informational\nlogging host zone1 192.0.2.10\nssh 10.0.0.0 255.0.0.0 zone1\n: end\n")
	return b.Bytes()
}

func fileOf(name string, b []byte) *evidence.File {
	return &evidence.File{
		Path: name, Rank: 1, Size: int64(len(b)), Seekable: true,
		Open: func(off int64) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b[off:])), nil },
	}
}

func BenchmarkParse(b *testing.B) {
	src := large(20_000)
	f := fileOf("dc-fw.cfg", src)
	sink := facts.NewSink()
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		if err := Format().Parse(context.Background(), evidence.Piece{File: f, To: f.Size}, sink); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDetect(b *testing.B) {
	src := large(2000)
	src = bytes.Replace(src[:64<<10], []byte("ASA Version 9.16(4)\n"), nil, 1)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		Detect("x", src)
	}
}
