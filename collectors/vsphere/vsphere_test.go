package vsphere_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors/vsphere"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
)

// A memory keeps what a collector writes.
type memory struct {
	files map[string]*bytes.Buffer
	hosts map[string]string
	gaps  []string
}

func newMemory() *memory {
	return &memory{files: map[string]*bytes.Buffer{}, hosts: map[string]string{}}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func (m *memory) writer() *evidence.Writer {
	return evidence.NewWriter(func(name string, meta evidence.Meta) (io.WriteCloser, error) {
		b := new(bytes.Buffer)
		m.files[name], m.hosts[name] = b, meta.Host
		return nopCloser{b}, nil
	}, func(what, why, _ string) { m.gaps = append(m.gaps, what+": "+why) })
}

func start(t *testing.T) *lab.VSphere {
	t.Helper()
	v, err := lab.StartVSphere([]lab.ESXiHost{
		{Name: "esx1.example.net", Running: map[string]bool{"TSM-SSH": true}, Policy: map[string]string{"TSM-SSH": "on"}, OpenOut: true,
			Options: map[string]string{"Syslog.global.logHost": "ssl://10.0.0.30:1514"}, Address: "10.10.0.21", Mask: "255.255.255.0"},
		{Name: "esx2.example.net", Missing: []string{"config.firewall.ruleset"}},
	}, "auditor", "right-one")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(v.Close)
	return v
}

func target(v *lab.VSphere, password string) inventory.Target {
	return inventory.Target{
		Name: "vcenter", Address: v.Host, Port: v.Port, Collector: "vsphere",
		Options:    map[string]string{"tls_fingerprint": v.Fingerprint},
		Credential: inventory.Credential{User: "auditor", Password: "test:password"},
		Secrets:    func(string) ([]byte, error) { return []byte(password), nil },
	}
}

func TestCollect(t *testing.T) {
	v := start(t)
	m := newMemory()
	if err := vsphere.Collector().Collect(t.Context(), target(v, "right-one"), m.writer()); err != nil {
		t.Fatal(err)
	}
	one := m.files["esx1.example.net.esxi.json"]
	if one == nil || len(m.files) != 2 {
		t.Fatalf("files = %v", m.hosts)
	}
	if m.hosts["esx1.example.net.esxi.json"] != "esx1.example.net" {
		t.Errorf("host = %q", m.hosts["esx1.example.net.esxi.json"])
	}
	for _, want := range []string{`"format": "esxi-objects-v1"`, `"outgoingBlocked": false`, `ssl://10.0.0.30:1514`, `"10.10.0.21"`} {
		if !strings.Contains(one.String(), want) {
			t.Errorf("the document lacks %s", want)
		}
	}
	if !strings.Contains(strings.Join(m.gaps, "\n"), "esx2.example.net config.firewall.ruleset") {
		t.Errorf("gaps = %q, want the missing ruleset of esx2", m.gaps)
	}
	if strings.Contains(m.files["esx2.example.net.esxi.json"].String(), "outgoingBlocked") {
		t.Error("esx2 has a firewall it did not give")
	}
}

func TestRefusals(t *testing.T) {
	v := start(t)
	for _, c := range []struct {
		name   string
		change func(*inventory.Target)
		want   string
	}{
		{"wrong password", func(x *inventory.Target) {
			x.Secrets = func(string) ([]byte, error) { return []byte("wrong"), nil }
		}, "refused the login"},
		{"wrong pin", func(x *inventory.Target) { x.Options["tls_fingerprint"] = strings.Repeat("ab", 32) }, "no credential was sent"},
		{"pin is no hash", func(x *inventory.Target) { x.Options["tls_fingerprint"] = "xyz" }, "no SHA-256"},
		{"untrusted", func(x *inventory.Target) { delete(x.Options, "tls_fingerprint") }, "not trusted"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := target(v, "right-one")
			c.change(&x)
			err := vsphere.Collector().Collect(t.Context(), x, newMemory().writer())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error = %v, want %q in it", err, c.want)
			}
		})
	}
}

// TestSilentPeer is a vCenter that accepts the connection and says nothing: the deadline of the caller ends it.
func TestSilentPeer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var held []net.Conn // open and silent until the test ends
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
		}
	}()
	defer func() {
		l.Close()
		<-done
		for _, c := range held {
			c.Close()
		}
	}()
	addr, _ := l.Addr().(*net.TCPAddr)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	x := inventory.Target{Name: "silent", Address: "127.0.0.1", Port: uint16(addr.Port), Options: map[string]string{"tls_fingerprint": strings.Repeat("00", 32)},
		Secrets: func(string) ([]byte, error) { return []byte("x"), nil }}
	err = vsphere.Collector().Collect(ctx, x, newMemory().writer())
	if err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("error = %v, want no answer", err)
	}
}
