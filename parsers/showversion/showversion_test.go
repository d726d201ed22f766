package showversion

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func read(t *testing.T, name string, src []byte) *facts.Device {
	t.Helper()
	f := &evidence.File{Path: name, Rank: 1, Size: int64(len(src)), Open: func(off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(src[off:])), nil
	}}
	var d *facts.Device
	s := facts.NewSink()
	s.Device = func(x *facts.Device) { d = x }
	if err := Format().Parse(t.Context(), evidence.Piece{File: f, To: f.Size}, s); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDemoDevices(t *testing.T) {
	for _, c := range []struct{ name, platform, host, model, version string }{
		{"core-sw-01", facts.CiscoIOS, "core-sw-01", "C9300-48T", "17.09.05"},
		{"edge-rtr-01", facts.CiscoIOS, "edge-rtr-01", "ISR4331/K9", "17.06.06a"},
		{"access-sw-02", facts.CiscoIOS, "access-sw-02", "WS-C2960X-24TS-L", "15.2(7)E8"},
		{"edge-fw-01", facts.CiscoASA, "edge-fw-01", "FPR-2110", "9.16(4)"},
		{"branch-srx-01", facts.Junos, "branch-srx-01", "srx345", "22.4R3-S2.11"},
	} {
		src, err := os.ReadFile(filepath.Join("../../fixtures/demo/devices", c.name+".version"))
		if err != nil {
			t.Fatal(err)
		}
		if got := Format().Detect(c.name, src); got != facts.Strong {
			t.Errorf("%s: detected with %d, want %d", c.name, got, facts.Strong)
		}
		d := read(t, c.name, src)
		if d.Platform != c.platform || d.Hostname.Val != c.host || d.Model.Val != c.model || d.Version.Val != c.version {
			t.Errorf("%s: %s %q %q %q", c.name, d.Platform, d.Hostname.Val, d.Model.Val, d.Version.Val)
		}
		off := d.Version.Span.Pos.Off()
		if got := string(src[off : off+int64(d.Version.Span.Len)]); got != c.version {
			t.Errorf("%s: the version's span covers %q", c.name, got)
		}
		cfg, err := os.ReadFile(filepath.Join("../../fixtures/demo/devices", c.name+".cfg"))
		if err != nil {
			t.Fatal(err)
		}
		if got := Format().Detect(c.name, cfg); got != facts.No {
			t.Errorf("%s: its configuration is taken for show version with %d", c.name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("Cisco IOS Software, Version 15.2(7)E8, x\nsw uptime is 1 day\r\ncisco X (Y) processor"))
	f.Add([]byte("Junos: 22.4\nHostname: "))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("", src)
		d := read(t, "x", src)
		for _, v := range []facts.V[string]{d.Hostname, d.Model, d.Version} {
			if v.Known() && string(src[v.Span.Pos.Off():v.Span.Pos.Off()+int64(v.Span.Len)]) != v.Val {
				t.Errorf("%q is not at its span", v.Val)
			}
		}
	})
}
