package snmp_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors/snmp"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
)

type memory struct {
	doc  bytes.Buffer
	gaps []string
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func (m *memory) writer() *evidence.Writer {
	return evidence.NewWriter(func(string, evidence.Meta) (io.WriteCloser, error) { return nopCloser{&m.doc}, nil },
		func(what, why, _ string) { m.gaps = append(m.gaps, what+": "+why) })
}

func variables(interfaces int) []lab.SNMPVariable {
	v := []lab.SNMPVariable{
		{OID: ".1.3.6.1.2.1.1.1.0", Value: "Cisco IOS Software, C2960 Software, Version 15.2(7)E, RELEASE"},
		{OID: ".1.3.6.1.2.1.1.2.0", Value: ".1.3.6.1.4.1.9.1.1208"},
		{OID: ".1.3.6.1.2.1.1.3.0", Value: uint32(86_400_00)},
		{OID: ".1.3.6.1.2.1.1.5.0", Value: "core-sw-01"},
		{OID: ".1.3.6.1.2.1.6.20.1.4.1.4.0.0.0.0.21", Value: uint(411)},
		{OID: ".1.3.6.1.2.1.7.7.1.8.1.4.0.0.0.0.69.0.0.0.1", Value: uint(412)},
	}
	for i := 1; i <= interfaces; i++ {
		v = append(v,
			lab.SNMPVariable{OID: fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.1.%d", i), Value: fmt.Sprintf("Gi1/0/%d", i)},
			lab.SNMPVariable{OID: fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.6.%d", i), Value: uint64(i) << 40},
			lab.SNMPVariable{OID: fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.10.%d", i), Value: uint64(i) << 41},
			lab.SNMPVariable{OID: fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.19.%d", i), Value: uint32(7)},
		)
	}
	return v
}

func target(a *lab.SNMPAgent, community string) inventory.Target {
	return inventory.Target{
		Name: "core-sw-01", Address: a.Host, Port: a.Port, Options: map[string]string{"timeout": "100ms"},
		Credential: inventory.Credential{Community: "test:community"},
		Secrets:    func(string) ([]byte, error) { return []byte(community), nil },
	}
}

func TestCollect(t *testing.T) {
	a, err := lab.StartSNMP("readme", variables(60), lab.SNMPFaults{})
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	m := &memory{}
	if err := snmp.Collector().Collect(t.Context(), target(a, "readme"), m.writer()); err != nil {
		t.Fatal(err)
	}
	doc := m.doc.String()
	for _, want := range []string{
		`{"format":"snmp-walk-v1","device":"core-sw-01"`,
		`{"oid":".1.3.6.1.2.1.31.1.1.1.10.60","type":"Counter64","value":131941395333120}`,
		`{"table":"ifXTable","rows":240,"complete":true}`,
	} {
		if !strings.Contains(doc, want) {
			t.Errorf("the document lacks %s", want)
		}
	}
	if n := strings.Count(doc, ".31.1.1.1.1."); n != 60 {
		t.Errorf("%d names, want 60", n)
	}
	if len(m.gaps) > 0 {
		t.Errorf("gaps = %q", m.gaps)
	}
	if a.Writes() != 0 {
		t.Errorf("%d requests were not reads", a.Writes())
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name      string
		community string
		faults    lab.SNMPFaults
		want      string
		kept      bool // what came before the fault is in the document
	}{
		{"wrong community", "other", lab.SNMPFaults{}, "no answer by SNMP", false},
		{"silent", "readme", lab.SNMPFaults{Silent: true}, "no answer by SNMP", false},
		{"genErr in the walk", "readme", lab.SNMPFaults{GenErrAfter: 3}, "truncated: ifXTable: the agent answered GenErr", true},
		{"backwards", "readme", lab.SNMPFaults{Backwards: true}, "went backwards", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := lab.StartSNMP("readme", variables(60), c.faults)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			m := &memory{}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			err = snmp.Collector().Collect(ctx, target(a, c.community), m.writer())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("error = %v, want %q in it", err, c.want)
			}
			if got := strings.Contains(m.doc.String(), `"complete":false`); got != c.kept {
				t.Errorf("the document says truncated: %v, want %v", got, c.kept)
			}
			if c.kept && len(m.gaps) == 0 {
				t.Error("no gap was recorded")
			}
			if strings.Contains(err.Error(), "readme") || strings.Contains(m.doc.String(), "readme") {
				t.Error("the community is in an output")
			}
		})
	}
}
