package snmpwalk

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

func read(t testing.TB, src []byte) (*facts.Device, []facts.Note) {
	t.Helper()
	f := &evidence.File{Path: "x", Rank: 1, Size: int64(len(src)), Open: func(off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(src[off:])), nil
	}}
	var d *facts.Device
	var notes []facts.Note
	s := facts.NewSink()
	s.Device = func(x *facts.Device) { d = x }
	s.Note = func(n facts.Note) { notes = append(notes, n) }
	if err := Format().Parse(t.Context(), evidence.Piece{File: f, To: f.Size}, s); err != nil {
		t.Fatal(err)
	}
	return d, notes
}

const document = `{"format":"snmp-walk-v1","device":"core-sw-01","taken":"2026-11-24T06:00:00Z"}
{"oid":".1.3.6.1.2.1.1.1.0","type":"STRING","value":"Cisco IOS Software, C2960X Software, Version 15.2(7)E8, RELEASE"}
{"oid":".1.3.6.1.2.1.1.3.0","type":"Timeticks","value":8640000}
{"oid":".1.3.6.1.2.1.1.5.0","type":"STRING","value":"core-sw-01"}
{"oid":".1.3.6.1.2.1.31.1.1.1.1.10101","type":"STRING","value":"Gi1/0/1"}
{"oid":".1.3.6.1.2.1.31.1.1.1.6.10101","type":"Counter64","value":18446744073709551615}
{"oid":".1.3.6.1.2.1.31.1.1.1.10.10101","type":"Counter64","value":77}
{"oid":".1.3.6.1.2.1.31.1.1.1.19.10101","type":"Timeticks","value":5}
{"oid":".1.3.6.1.2.1.2.2.1.16.10102","type":"Counter32","value":9}
{"oid":".1.3.6.1.2.1.2.2.1.2.10102","type":"STRING","value":"old port"}
{"oid":".1.3.6.1.2.1.4.20.1.2.10.10.0.11","type":"INTEGER","value":10101}
{"oid":".1.3.6.1.2.1.4.20.1.3.10.10.0.11","type":"IpAddress","value":"255.255.255.0"}
{"oid":".1.3.6.1.2.1.7.7.1.8.1.4.0.0.0.0.69.1.4.0.0.0.0.0.1","type":"Gauge32","value":3}
{"oid":".1.3.6.1.2.1.7.5.1.2.0.0.0.0.69","type":"INTEGER","value":69}
{"oid":".1.3.6.1.2.1.7.7.1.8.1.4.10.10.0.11.137.1.4.192.0.2.1.4000.2","type":"Gauge32","value":3}
{"oid":".1.3.6.1.2.1.6.13.1.1.0.0.0.0.21.0.0.0.0.0","type":"INTEGER","value":2}
{"oid":".1.3.6.1.2.1.6.13.1.1.10.10.0.11.445.192.0.2.1.4000","type":"INTEGER","value":5}
{"table":"ifXTable","rows":4,"complete":true}
`

func TestDocument(t *testing.T) {
	d, notes := read(t, []byte(document))
	if len(notes) > 0 {
		t.Errorf("notes = %+v", notes)
	}
	if d.Hostname.Val != "core-sw-01" || d.Platform != facts.CiscoIOS || d.Version.Val != "15.2(7)E8" || d.Has != facts.HasSNMP {
		t.Errorf("device %q %q %q %v", d.Hostname.Val, d.Platform, d.Version.Val, d.Has.Names())
	}
	var services []string
	for _, s := range d.Services {
		services = append(services, s.Name)
	}
	// the endpoint with a remote port is a client's socket, the established connection no listener
	if diff := cmp.Diff([]string{"listener udp/69", "listener tcp/21"}, services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	if len(d.Counters) != 2 {
		t.Fatalf("%d counters, want 2", len(d.Counters))
	}
	c := d.Counters[0]
	if c.Interface != "Gi1/0/1" || !c.HC || c.InOctets.Val != 1<<64-1 || c.OutOctets.Val != 77 || c.Discontinuity.Val != 5 || c.UpTime.Val != 8640000 {
		t.Errorf("counter = %+v", c)
	}
	line := document[c.OutOctets.Span.Pos.Off():]
	if !strings.HasPrefix(line, `{"oid":".1.3.6.1.2.1.31.1.1.1.10.10101"`) {
		t.Errorf("the counter's span is at %q", line[:40])
	}
	if old := d.Counters[1]; old.HC || old.Interface != "old port" || old.OutOctets.Val != 9 || old.InOctets.Known() {
		t.Errorf("old counter = %+v", old)
	}
	want := netip.MustParsePrefix("10.10.0.11/24")
	if len(d.Interfaces) != 1 || d.Interfaces[0].Name != "Gi1/0/1" || d.Interfaces[0].Addrs[0] != want {
		t.Errorf("interfaces = %+v", d.Interfaces)
	}
}

func TestNetSNMPOutput(t *testing.T) {
	src := ".1.3.6.1.2.1.1.3.0 = Timeticks: (8640000) 1 day, 0:00:00.00\n" +
		".1.3.6.1.2.1.1.5.0 = STRING: \"lab-agent\"\n" +
		".1.3.6.1.2.1.31.1.1.1.1.2 = STRING: \"eth0\"\n" +
		".1.3.6.1.2.1.31.1.1.1.10.2 = Counter64: 123456\n" +
		".1.3.6.1.2.1.6.13.1.1.0.0.0.0.445.0.0.0.0.0 = INTEGER: listen(2)\n"
	if got := Format().Detect("walk.txt", []byte(src)); got != facts.Strong {
		t.Errorf("detected with %d", got)
	}
	d, _ := read(t, []byte(src))
	if d.Hostname.Val != "lab-agent" || len(d.Counters) != 1 || d.Counters[0].OutOctets.Val != 123456 || d.Counters[0].UpTime.Val != 8640000 {
		t.Errorf("device = %+v", d)
	}
	if len(d.Services) != 1 || d.Services[0].Protocol != facts.SMB {
		t.Errorf("services = %+v", d.Services)
	}
}

func TestTruncatedTableIsIncomplete(t *testing.T) {
	src := document + `{"table":"udpTable","rows":1,"complete":false,"reason":"the agent answered GenErr after 1 variables"}` + "\n{\"oid\":"
	_, notes := read(t, []byte(src))
	if len(notes) != 2 || notes[0].Kind != facts.NoteIncomplete || notes[1].Kind != facts.NoteUnread {
		t.Errorf("notes = %+v, want the truncation and the unread line", notes)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(document))
	f.Add([]byte(".1.3.6.1.2.1.6.20.1.4.1.4.0.0.0.0.21 = Gauge32: 4\n.1.3.6.1.2.1.1.5.0 = STRING: \"a\""))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("", src)
		d, _ := read(t, src)
		for _, s := range d.Services {
			if end := s.Span.Pos.Off() + int64(s.Span.Len); end > int64(len(src)) {
				t.Errorf("span ends at %d of %d bytes", end, len(src))
			}
		}
	})
}
