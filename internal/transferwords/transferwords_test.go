package transferwords

import (
	"fmt"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

func TestFind(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"nothing", "ip route 0.0.0.0 0.0.0.0 192.0.2.1", ""},
		{"tftp is not ftp", "copy running-config tftp:", "tftp"},
		{"a scheme", "path ftp://backup@192.0.2.1/cfg", "ftp://"},
		{"tftp scheme", "redirect tftp://192.0.2.1/x", "tftp://"},
		{"sftp is neither", "path sftp://192.0.2.1/cfg", ""},
		{"any case", "object-group service FTP", "ftp"},
		{"joined by a dash", "permit tcp any any eq ftp-data", "ftp"},
		{"part of a token", "hostname myftpbox", ""},
		{"underscores join", "route-map MY_FTP permit 10", ""},
		{"host name", "server ftp.example.net", "ftp"},
		{"windows names", "application microsoft-ds", "microsoft-ds"},
		{"netbios", "deny udp any any eq netbios-ns", "netbios"},
		{"smart install", "vstack director 192.0.2.1", "vstack"},
		{"a vlan is no port", "switchport access vlan 20", ""},
		{"a mask is no port", "network 10.0.0.0/21 area 20", ""},
		{"an octet is no port", "ip address 10.20.21.69 255.255.255.0", ""},
		{"port behind eq", "permit tcp any any eq 445", "445"},
		{"second of several", "permit tcp any any eq 80 21", "21"},
		{"other port", "permit tcp any any eq 443", ""},
		{"range holds one", "permit tcp any any range 22 100", "69"},
		{"range without one", "permit tcp any any range 8000 9000", ""},
		{"dashed range", "destination-port 100-200", "137"},
		{"dashed range of one", "dst-port=20-21,8080", "20"},
		{"list", "dports 80,445", "445"},
		{"below", "permit tcp any any lt 1024", "20"},
		{"above", "permit tcp any any gt 1023", "4786"},
		{"above all", "permit tcp any any gt 5000", ""},
		{"all but", "permit tcp any any neq 80", "20"},
		{"joined to the transport", "set application tcp/445", "445"},
		{"host and port", "server 192.0.2.1:21", "21"},
		{"time of day", "at 03:21", ""},
		{"hardware address", "static 00:21:69:45", ""},
		{"host name and port", "server files:21", "21"},
		{"IPv6", "server 2001:db8::21", ""},
		{"behind an address of a transport", "ip nat inside source static tcp 10.0.0.5 21 192.0.2.5 21", "21"},
		{"behind an address without", "ntp server 192.0.2.1 version 20", ""},
		{"behind an address alone", "standby 20 ip 192.0.2.1 20", ""},
		{"too large a number", "permit tcp any any eq 65556", ""},
		{"hexadecimal", "certificate 3020A445", ""},
		{"empty", "", ""},
	} {
		if got := Find([]byte(c.in)); got != c.want {
			t.Errorf("%s: Find(%q) = %q, want %q", c.name, c.in, got, c.want)
		}
	}
}

func TestPortsAreTheSharedOnes(t *testing.T) {
	have := map[int]bool{}
	for _, p := range ports {
		have[p.n] = true
		if p.text != fmt.Sprint(p.n) {
			t.Errorf("port %d is spelled %q", p.n, p.text)
		}
	}
	n := 0
	for _, l := range facts.TransferPorts() {
		for p := int(l.Ports.First); p <= int(l.Ports.Last); p++ {
			if n++; !have[p] || !Port(uint16(p)) {
				t.Errorf("port %d of %v is missing", p, l.Protocol)
			}
		}
	}
	if n != len(ports) {
		t.Errorf("%d ports, want %d", len(ports), n)
	}
}

func TestFindAllocatesNothing(t *testing.T) {
	line := []byte(" permit tcp 10.0.0.0 0.0.0.255 any eq 8080 log")
	if n := testing.AllocsPerRun(100, func() { Find(line) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzFind(f *testing.F) {
	f.Add([]byte("permit tcp any any range 20 ftp-data"))
	f.Add([]byte(":21.:/.0"))
	f.Fuzz(func(t *testing.T, line []byte) {
		w := Find(line)
		if w == "" {
			return
		}
		// a word found in a line is found in the line with a comment mark before it
		if got := Find(append([]byte("! "), line...)); got != w {
			t.Errorf("Find = %q, behind a mark %q", w, got)
		}
	})
}

func BenchmarkFind(b *testing.B) {
	line := []byte(" permit tcp 10.0.0.0 0.0.0.255 host 192.0.2.1 eq 8080 log")
	b.SetBytes(int64(len(line)))
	b.ReportAllocs()
	for b.Loop() {
		Find(line)
	}
}
