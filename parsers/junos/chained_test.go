package junos

import (
	"bytes"
	"io"
	"testing"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// TestChainedConditions: the command line takes several conditions in one line, and people paste what they typed. Reading
// only the first would make "any to any, FTP" everything.
func TestChainedConditions(t *testing.T) {
	src := []byte(`set system host-name fw2
set interfaces ge-0/0/0 unit 0 family inet address 203.0.113.2/24
set interfaces ge-0/0/1 unit 0 family inet address 10.1.1.1/24
set interfaces ge-0/0/1 unit 0 family inet filter input F
set security zones security-zone trust interfaces ge-0/0/1.0
set security zones security-zone untrust interfaces ge-0/0/0.0
set security policies from-zone trust to-zone untrust policy p match source-address any destination-address any application junos-ftp
set security policies from-zone trust to-zone untrust policy p then permit
set firewall family inet filter F term t from protocol tcp destination-port 21
set firewall family inet filter F term t then accept
`)
	f := &evidence.File{Path: "x", Rank: 1, Size: int64(len(src)), Open: func(off int64) (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(src[off:])), nil
	}}
	var d *facts.Device
	s := facts.NewSink()
	s.Device = func(x *facts.Device) { d = x }
	if err := Set().Parse(t.Context(), evidence.Piece{File: f, To: f.Size}, s); err != nil {
		t.Fatal(err)
	}
	m := headerspace.New(d)
	for _, c := range []struct {
		name string
		q    headerspace.Query
		want headerspace.Verdict
	}{
		{"policy, its application", headerspace.Query{FromZone: "trust", ToZone: "untrust", Protocols: []uint8{6}, DstPorts: []facts.PortRange{{First: 21, Last: 21}}}, headerspace.Permit},
		{"policy, another", headerspace.Query{FromZone: "trust", ToZone: "untrust", Protocols: []uint8{6}, DstPorts: []facts.PortRange{{First: 445, Last: 445}}}, headerspace.Deny},
		{"term, its port", headerspace.Query{Filter: "F", Protocols: []uint8{6}, DstPorts: []facts.PortRange{{First: 21, Last: 21}}}, headerspace.Permit},
		{"term, another", headerspace.Query{Filter: "F", Protocols: []uint8{6}, DstPorts: []facts.PortRange{{First: 22, Last: 22}}}, headerspace.Deny},
		{"term, another protocol", headerspace.Query{Filter: "F", Protocols: []uint8{17}, DstPorts: []facts.PortRange{{First: 21, Last: 21}}}, headerspace.Deny},
	} {
		a, err := m.Test(c.q)
		if err != nil || a.Verdict != c.want {
			t.Errorf("%s: %s, %v, want %s", c.name, a.Verdict, err, c.want)
		}
	}
	if d.Lines.Unrecognised+d.Lines.Unsupported > 0 {
		t.Errorf("lines %+v", d.Lines)
	}
}
