package facts

import (
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/quaymaster/quaymaster/evidence"
)

func span(rank uint32, off int64) evidence.Span {
	return evidence.Span{Pos: evidence.MakePos(rank, off), Len: 4}
}

func TestMergeIsOrderFree(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	parts := []*Device{
		{
			Path: "sw1.cfg", Format: "cisco-ios-config", Platform: CiscoIOS, Has: HasConfig, Taken: day,
			Hostname: Say("sw1", span(1, 0)), Version: Say("15.2", span(1, 9)),
			Interfaces: []Interface{{Name: "Vlan1", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24")}}},
			Lines:      Lines{Understood: 3},
		},
		{
			Path: "sw1.snmp", Format: "snmp-walk-v1", Has: HasSNMP, Taken: day.Add(time.Hour),
			Hostname: Say("sw1", span(2, 0)), Version: Say("15.2(7)E", span(2, 9)),
			Interfaces: []Interface{{Name: "Vlan1", Addrs: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/24"), netip.MustParsePrefix("10.0.1.1/24")}}},
		},
		{Path: "sw1.version", Format: "cisco-ios-version", Platform: CiscoIOS, Model: Say("WS-C2960", span(3, 1)), Taken: day},
		{Path: "old.cfg", Format: "cisco-ios-config", Platform: CiscoIOS, Has: HasConfig, Taken: day.Add(-time.Hour), Hostname: Say("sw1", span(4, 0))},
	}
	want, notes := Merge("sw1", parts)
	if len(notes) != 1 || notes[0].Path != "old.cfg" {
		t.Errorf("notes = %+v, want one about old.cfg", notes)
	}
	if want.Version.Val != "15.2(7)E" {
		t.Errorf("version = %q, want the younger part's", want.Version.Val)
	}
	if want.Platform != CiscoIOS || want.Has != HasConfig|HasSNMP || len(want.Parts) != 4 {
		t.Errorf("platform %q, has %v, %d parts", want.Platform, want.Has.Names(), len(want.Parts))
	}
	if got := len(want.Interfaces[0].Addrs); got != 2 {
		t.Errorf("addresses = %d, want the union of 2", got)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		got, _ := Merge("sw1", parts)
		if diff := cmp.Diff(want, got, cmpopts.EquateComparable(netip.Prefix{}, netip.Addr{})); diff != "" {
			t.Fatalf("another order gives another device (-want +got):\n%s", diff)
		}
	}
}

func TestBetter(t *testing.T) {
	for _, c := range []struct {
		name   string
		a, b   V[int]
		bOlder bool
		want   int
	}{
		{"explicit beats default", Say(1, span(1, 0)), Assume(2), false, 1},
		{"masked beats default", Assume(1), Hidden[int](span(1, 0)), false, 0},
		{"explicit beats masked", Hidden[int](span(1, 0)), Say(2, span(1, 0)), true, 2},
		{"younger explicit", Say(1, span(1, 0)), Say(2, span(2, 0)), false, 2},
		{"older explicit", Say(1, span(1, 0)), Say(2, span(2, 0)), true, 1},
		{"default beats unknown", V[int]{}, Assume(3), true, 3},
	} {
		if got := better(c.a, c.b, c.bOlder); got.Val != c.want {
			t.Errorf("%s: %d, want %d", c.name, got.Val, c.want)
		}
	}
}

// The files of a host stand beside each other: only a file of the same place repeats another, a service that several say
// something of is one, and a network device's configuration tells the platform.
func TestMergeHostFiles(t *testing.T) {
	day := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	part := func(path, aspect, platform string, taken time.Time, services ...Service) *Device {
		return &Device{Path: path, Format: "f", Platform: platform, Has: HasConfig, Aspect: aspect, Taken: taken, Services: services}
	}
	ftp := Service{Name: "pure-ftpd", Protocol: FTP, Fragment: true}
	anonymous, tls := ftp, ftp
	anonymous.Anonymous, anonymous.Span = Say(true, span(1, 0)), span(1, 0)
	tls.Encryption, tls.Span = Say(EncryptedSessions, span(2, 0)), span(2, 0)
	parts := []*Device{
		part("h/etc/pure-ftpd/conf/NoAnonymous", "etc/pure-ftpd/conf/NoAnonymous", Linux, day, anonymous),
		part("h/etc/pure-ftpd/conf/TLS", "etc/pure-ftpd/conf/TLS", Linux, day, tls),
		part("h/rules.v4", "iptables-save", LinuxIPTables, day),
		part("h/etc/vsftpd.conf", "etc/vsftpd.conf", Linux, day, Service{Name: "vsftpd", Protocol: FTP}),
		part("old/etc/vsftpd.conf", "etc/vsftpd.conf", Linux, day.Add(-time.Hour), Service{Name: "vsftpd", Protocol: FTP}),
	}
	want, notes := Merge("h", parts)
	if len(notes) != 1 || notes[0].Path != "old/etc/vsftpd.conf" {
		t.Errorf("notes = %+v, want one about the older file", notes)
	}
	if want.Platform != Linux || len(want.Services) != 2 {
		t.Errorf("platform %q, %d services", want.Platform, len(want.Services))
	}
	if s := want.Services[0]; !On(s.Anonymous) || s.Encryption.Val != EncryptedSessions {
		t.Errorf("joined to %+v", s)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		r.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
		got, _ := Merge("h", parts)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("another order gives another device (-want +got):\n%s", diff)
		}
	}
	for _, path := range []string{"a.conf", "z.conf"} {
		got, _ := Merge("h", append(parts, part(path, "", FRR, day)))
		if got.Platform != FRR {
			t.Errorf("with %s: platform %q, want %q", path, got.Platform, FRR)
		}
	}
}
