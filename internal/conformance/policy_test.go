package conformance

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// TestOnePolicy asks the same policy, written for several vendors, the same questions: the answers are those of the policy.
func TestOnePolicy(t *testing.T) {
	a, err := txtar.ParseFile("../../fixtures/conformance/one_policy.txtar")
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range a.Files {
		files[f.Name] = f.Data
	}
	for _, x := range []struct{ file, platform, in, out string }{
		{"ios.cfg", facts.CiscoIOS, "GigabitEthernet0/1", "GigabitEthernet0/0"},
		{"asa.cfg", facts.CiscoASA, "inside", "outside"},
		{"nxos.cfg", facts.CiscoNXOS, "Ethernet1/2", "Ethernet1/1"},
		{"cx.cfg", facts.ArubaAOSCX, "1/1/2", "1/1/1"},
		{"aoss.cfg", facts.ArubaAOSS, "vlan10", "vlan1"},
		{"eos.cfg", facts.AristaEOS, "Ethernet2", "Ethernet1"},
		{"xr.cfg", facts.CiscoIOSXR, "GigabitEthernet0/0/0/1", "GigabitEthernet0/0/0/0"},
		{"junos.conf", facts.Junos, "ge-0/0/0.0", "ge-0/0/1.0"},
		{"panos.set", facts.PANOS, "ethernet1/2", "ethernet1/1"},
		{"fortios.conf", facts.FortiOS, "port2", "port1"},
		{"iptables.rules", facts.Linux, "eth1", "eth0"},
		{"nftables.nft", facts.Linux, "eth1", "eth0"},
		{"routeros.rsc", facts.RouterOS, "ether2", "ether1"},
		{"pfsense.xml", facts.PfSense, "lan", "wan"},
		{"opnsense.xml", facts.OPNsense, "lan", "wan"},
		{"vyos.boot", facts.VyOS, "eth1", "eth0"},
		{"vyos.set", facts.VyOS, "eth1", "eth0"},
		{"sros.cfg", facts.NokiaSROS, "inside", "outside"},
		{"sros_classic.cfg", facts.NokiaSROS, "inside", "outside"},
	} {
		t.Run(x.file, func(t *testing.T) {
			src, ok := files[x.file]
			if !ok {
				t.Fatalf("no %s", x.file)
			}
			delete(files, x.file)
			path := filepath.Join(t.TempDir(), x.file)
			if err := os.WriteFile(path, src, 0o600); err != nil {
				t.Fatal(err)
			}
			d := device(t, path, x.platform)
			if n := d.Lines.Unrecognised + d.Lines.Unsupported; n > 0 {
				t.Errorf("%d lines are not understood: %+v", n, d.Unread)
			}
			samePolicy(t, headerspace.New(d), x.in, x.out)
		})
	}
	for name := range files {
		t.Errorf("nobody asks %s", name)
	}
}

// samePolicy asks about one packet of every kind that the policy tells apart, and its neighbours.
func samePolicy(t *testing.T, m *headerspace.Model, in, out string) {
	t.Helper()
	asked := 0
	for _, src := range []string{"10.1.1.1", "10.1.1.63", "10.1.1.64", "10.1.1.255"} {
		for _, dst := range []string{
			"198.51.100.0", "198.51.100.8", "198.51.100.9", "198.51.100.10", "198.51.100.15", "198.51.100.16", "198.51.100.31", "198.51.100.32",
			"198.51.100.255", "198.51.101.0", "203.0.113.127", "203.0.113.128", "203.0.113.255", "192.0.2.1",
		} {
			for _, proto := range []uint8{facts.TCP, facts.UDP} {
				for _, port := range []uint16{20, 21, 22, 68, 69, 70, 136, 137, 138, 139, 140, 442, 443, 444, 445, 446, 990, 1999, 2000, 2100, 2101, 4786, 65535} {
					q := headerspace.Query{
						In: in, Out: out, Family: facts.IPv4, Src: single(src), Dst: single(dst), Protocols: []uint8{proto},
						SrcPorts: []facts.PortRange{{First: 49152, Last: 49152}}, DstPorts: []facts.PortRange{{First: port, Last: port}},
					}
					got, err := m.Test(q)
					if err != nil {
						t.Fatal(err)
					}
					want := headerspace.Deny
					if meant(netip.MustParseAddr(src), netip.MustParseAddr(dst), proto, port) {
						want = headerspace.Permit
					}
					if asked++; got.Verdict != want {
						t.Errorf("%s to %s, protocol %d, port %d: %s (%s), want %s", src, dst, proto, port, got.Verdict, got.Reason, want)
					}
				}
			}
		}
	}
	if asked < 2000 {
		t.Errorf("%d questions", asked)
	}
}

// meant is the policy in plain words.
func meant(src, dst netip.Addr, proto uint8, port uint16) bool {
	in := func(a netip.Addr, nets ...string) bool {
		for _, n := range nets {
			if netip.MustParsePrefix(n).Contains(a) {
				return true
			}
		}
		return false
	}
	switch {
	case proto != facts.TCP:
		return false
	case port == 21:
		return in(src, "10.1.1.0/26") && in(dst, "198.51.100.9/32", "198.51.100.16/28")
	case port >= 2000 && port <= 2100:
		return in(dst, "198.51.100.0/24")
	case port == 443:
		return !in(dst, "203.0.113.128/25")
	}
	return false
}

func single(a string) headerspace.Set {
	return headerspace.Set{Prefixes: []netip.Prefix{netip.MustParsePrefix(fmt.Sprintf("%s/32", a))}}
}
