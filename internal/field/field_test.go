package field

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAddrAgreesWithNetip(t *testing.T) {
	for _, s := range []string{
		"0.0.0.0", "192.0.2.1", "255.255.255.255", "256.0.0.1", "1.2.3", "1.2.3.4.5", "01.2.3.4", "1..2.3", "1.2.3.", ".1.2.3",
		"2001:db8::1", "::", "::1", "1::", "2001:db8:0:0:0:0:0:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9",
		"1::2::3", "::ffff:192.0.2.1", "::192.0.2.1", "1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:7:192.0.2.1", "fe80::1%eth0",
		"1:2:3:4:5:6:7::", "::2:3:4:5:6:7:8", "1:2:3:4::5:6:7:8", "12345::", ":1", "1:", ":::", "g::1", "ABCD::ef01", "", ":", "ns10",
		"1::2:3:4:5:6:7:8", "::1:", "1:2:3:4:5:6:7:8:", "::ffff:1.2.3.400",
	} {
		want, err := netip.ParseAddr(s)
		want = want.WithZone("").Unmap()
		got, ok := Addr([]byte(s))
		if ok != (err == nil) || got != want {
			t.Errorf("Addr(%q) = %v, %v; netip says %v, %v", s, got, ok, want, err)
		}
	}
}

func FuzzAddr(f *testing.F) {
	for _, s := range []string{"192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "fe80::1%eth0", "1:2:3:4:5:6:7:8"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, ok := Addr(b)
		if len(b) > 64 {
			return
		}
		want, err := netip.ParseAddr(string(b))
		if err == nil && want.Zone() == "" && (!ok || got != want.Unmap()) {
			t.Errorf("Addr(%q) = %v, %v; netip says %v", b, got, ok, want)
		}
		if ok && err != nil && !strings.Contains(string(b), "%") {
			t.Errorf("Addr(%q) = %v; netip says %v", b, got, err)
		}
	})
}

func TestNumbers(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want uint64
		ok   bool
	}{
		{"zero", "0", 0, true},
		{"largest", "18446744073709551615", 1<<64 - 1, true},
		{"one too many", "18446744073709551616", 0, false},
		{"empty", "", 0, false},
		{"tail", "12a", 12, false},
		{"sign", "-1", 0, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, ok := Uint([]byte(tt.in)); ok != tt.ok || ok && got != tt.want {
				t.Errorf("Uint(%q) = %d, %v; want %d, %v", tt.in, got, ok, tt.want, tt.ok)
			}
		})
	}
	for in, want := range map[string]bool{"0": true, "65535": true, "65536": false, "99999": false, "000001": false, "": false, "ftp": false} {
		if _, ok := Port([]byte(in)); ok != want {
			t.Errorf("Port(%q) ok = %v, want %v", in, ok, want)
		}
	}
}

func TestWordsAndCuts(t *testing.T) {
	w, rest := Word([]byte("  copy\t run "))
	if string(w) != "copy" || string(rest) != "\t run " {
		t.Errorf("Word = %q, %q", w, rest)
	}
	if a, b, ok := CutLast([]byte("a] [b] [c"), "] ["); string(a) != "a] [b" || string(b) != "c" || !ok {
		t.Errorf("CutLast = %q, %q, %v", a, b, ok)
	}
	if got := string(Trim([]byte(" \tx y\r\n\x00"))); got != "x y" {
		t.Errorf("Trim = %q", got)
	}
	for _, tt := range []struct {
		name string
		b, s string
		has  bool
	}{
		{"same", "TFTP", "tftp", true},
		{"longer", "tftp://x", "tftp", true},
		{"shorter", "tft", "tftp", false},
		{"not a letter", "[FTP", "{ftp", false},
	} {
		if got := HasFold([]byte(tt.b), tt.s); got != tt.has {
			t.Errorf("%s: HasFold(%q, %q) = %v", tt.name, tt.b, tt.s, got)
		}
	}
}

func BenchmarkAddr(b *testing.B) {
	for _, s := range []string{"192.168.205.104", "2001:db8:4:4002:91f2:a9b2:e09a:6fc6"} {
		in := []byte(s)
		b.Run(s, func(b *testing.B) {
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				Addr(in)
			}
		})
	}
}
