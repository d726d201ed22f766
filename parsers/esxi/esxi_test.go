package esxi

import (
	"bytes"
	"io"
	"net/netip"
	"strings"
	"testing"

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

const document = `{"format": "esxi-objects-v1",
"taken": "2026-11-24T06:00:00Z",
"objects": [
{"_typeName": "ObjectContent", "obj": {"type": "HostSystem", "value": "host-21"}, "propSet": [
 {"name": "name", "val": {"_typeName": "string", "_value": "esx1.example.net"}},
 {"name": "runtime.connectionState", "val": {"_typeName": "HostSystemConnectionState", "_value": "connected"}},
 {"name": "config.product", "val": {"_typeName": "AboutInfo", "version": "8.0.2", "build": "22380479"}},
 {"name": "config.firewall.defaultPolicy", "val": {"incomingBlocked": true, "outgoingBlocked": false}},
 {"name": "config.service.service", "val": {"_typeName": "ArrayOfHostService", "_value": [
  {"key": "TSM-SSH", "running": true, "policy": "on"},
  {"key": "ntpd", "running": false, "policy": "off"}]}},
 {"name": "config.firewall.ruleset", "val": {"_typeName": "ArrayOfHostFirewallRuleset", "_value": [
  {"key": "nfsClient", "enabled": true, "rule": [{"port": 0, "endPort": 65535, "direction": "outbound", "portType": "dst", "protocol": "tcp"}],
   "allowedHosts": {"allIp": false, "ipAddress": ["10.0.0.5"], "ipNetwork": [{"network": "10.1.0.0", "prefixLength": 16}]}},
  {"key": "ftpClient", "enabled": false, "rule": [{"port": 20, "direction": "inbound", "portType": "src", "protocol": "tcp"}], "allowedHosts": {"allIp": true}}]}},
 {"name": "config.option", "val": {"_typeName": "ArrayOfOptionValue", "_value": [
  {"key": "Syslog.global.logHost", "value": {"_typeName": "string", "_value": "ssl://10.0.0.30:1514,udp://[2001:db8::1]?formatter=RFC_5424"}}]}},
 {"name": "config.network.vnic", "val": {"_typeName": "ArrayOfHostVirtualNic", "_value": [
  {"device": "vmk0", "spec": {"ip": {"dhcp": false, "ipAddress": "10.10.0.21", "subnetMask": "255.255.255.0"}}}]}}
]}],
"missing": [{"path": "config.lockdownMode", "fault": "NoPermission"}]}
`

func TestDocument(t *testing.T) {
	d, notes := read(t, []byte(document))
	if d.Hostname.Val != "esx1.example.net" || d.Version.Val != "8.0.2 build-22380479" || d.Has != facts.HasESXi {
		t.Errorf("device %q %q %v", d.Hostname.Val, d.Version.Val, d.Has.Names())
	}
	e := d.ESXi
	if !facts.On(e.IncomingBlock) || !facts.Off(e.OutgoingBlock) {
		t.Errorf("default policy %+v %+v", e.IncomingBlock, e.OutgoingBlock)
	}
	off := e.OutgoingBlock.Span.Pos.Off()
	if got := document[off : off+int64(e.OutgoingBlock.Span.Len)]; got != `"outgoingBlocked": false` {
		t.Errorf("span covers %q", got)
	}
	if len(d.Services) != 2 || d.Services[0].Name != "TSM-SSH" || !facts.On(d.Services[0].Enabled) || d.Services[0].Policy.Val != "on" || !facts.Off(d.Services[1].Enabled) {
		t.Errorf("services = %+v", d.Services)
	}
	nfs := e.Rulesets[0]
	if nfs.Rules[0].Ports != (facts.PortRange{First: 0, Last: 65535}) || nfs.Rules[0].Direction != facts.Out || !facts.Off(nfs.AllIP) ||
		len(nfs.Allowed) != 2 || nfs.Allowed[1] != netip.MustParsePrefix("10.1.0.0/16") {
		t.Errorf("nfsClient = %+v", nfs)
	}
	if ftp := e.Rulesets[1]; !ftp.Rules[0].Source || ftp.Rules[0].Ports.Last != 20 || !facts.On(ftp.AllIP) {
		t.Errorf("ftpClient = %+v", ftp)
	}
	if h := d.Logging.Hosts; len(h) != 2 || h[0].Transport != "tls" || h[0].Port != 1514 || h[1].Host != "2001:db8::1" || h[1].Port != 514 {
		t.Errorf("log hosts = %+v", h)
	}
	if d.Interfaces[0].Addrs[0] != netip.MustParsePrefix("10.10.0.21/24") {
		t.Errorf("vmk0 = %+v", d.Interfaces[0])
	}
	if len(e.Missing) != 1 || len(notes) != 1 || notes[0].Kind != facts.NoteIncomplete || !strings.Contains(notes[0].Message, "NoPermission") {
		t.Errorf("missing %v, notes %+v", e.Missing, notes)
	}
}

func TestRemoteLogging(t *testing.T) {
	for _, c := range []struct {
		name, change, to string
		want             facts.V[bool]
	}{
		{"options without a log host", `Syslog.global.logHost`, `Syslog.global.logDir`, facts.Assume(false)},
		{"empty log host", `ssl://10.0.0.30:1514,udp://[2001:db8::1]?formatter=RFC_5424`, ``, facts.V[bool]{Origin: facts.Explicit}},
		{"options not given", `"config.option"`, `"config.other"`, facts.V[bool]{}},
		{"options refused", `config.lockdownMode`, `config.option`, facts.V[bool]{Val: true, Origin: facts.Explicit}},
	} {
		d, _ := read(t, []byte(strings.Replace(document, c.change, c.to, 1)))
		if got := d.Logging.Remote; got.Origin != c.want.Origin || got.Val != c.want.Val {
			t.Errorf("%s: %v %v, want %v %v", c.name, got.Val, got.Origin, c.want.Val, c.want.Origin)
		}
	}
}

func TestBroken(t *testing.T) {
	if d, notes := read(t, []byte(document[:len(document)/2])); d != nil || len(notes) != 1 || notes[0].Kind != facts.NoteIncomplete {
		t.Errorf("a cut document gave %v, notes %+v", d, notes)
	}
	d, notes := read(t, []byte(strings.Replace(document, `"_value": "connected"`, `"_value": "notResponding"`, 1)))
	if d == nil || len(notes) != 2 {
		t.Errorf("a host that does not answer gave notes %+v", notes)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(document))
	f.Fuzz(func(t *testing.T, src []byte) {
		Format().Detect("", src)
		d, _ := read(t, src)
		if d == nil {
			return
		}
		for _, r := range d.ESXi.Rulesets {
			if end := r.Span.Pos.Off() + int64(r.Span.Len); end > int64(len(src)) {
				t.Errorf("span ends at %d of %d bytes", end, len(src))
			}
		}
	})
}
