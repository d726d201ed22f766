package snmp_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors/snmp"
	"github.com/quaymaster/quaymaster/inventory"
)

// snmpd starts net-snmp's agent on a free loopback port with a v2c community and a v3 user, and gives the port.
func snmpd(t *testing.T) uint16 {
	t.Helper()
	bin, err := exec.LookPath("snmpd")
	if err != nil {
		bin = "/usr/sbin/snmpd"
		if _, err := os.Stat(bin); err != nil {
			if os.Getenv("QUAYMASTER_REAL") != "" {
				t.Fatal("snmpd is not installed (Debian package snmpd)")
			}
			t.Skip("needs snmpd (Debian package snmpd)")
		}
	}
	free, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(free.LocalAddr().String())
	free.Close()
	dir := t.TempDir()
	conf := filepath.Join(dir, "snmpd.conf")
	text := "agentaddress udp:127.0.0.1:" + port + "\nrocommunity labpublic 127.0.0.0/8\n" +
		"createUser auditor SHA-256 \"auth-lab-pass\" AES \"priv-lab-pass\"\nrouser auditor priv\nsysName lab-agent\n"
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "-f", "-Lf", filepath.Join(dir, "log"), "-C", "-c", conf, "-p", filepath.Join(dir, "pid"), "-I", "-smux")
	cmd.Env = append(os.Environ(), "SNMP_PERSISTENT_DIR="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		t.Fatal(err)
	}
	return uint16(n)
}

func TestRealAgent(t *testing.T) {
	port := snmpd(t)
	secrets := func(ref string) ([]byte, error) {
		v, ok := map[string]string{"test:community": "labpublic", "test:auth": "auth-lab-pass", "test:priv": "priv-lab-pass"}[ref]
		if !ok {
			return nil, fmt.Errorf("no secret %q", ref)
		}
		return []byte(v), nil
	}
	for _, c := range []struct {
		name string
		cred inventory.Credential
	}{
		{"v2c", inventory.Credential{Community: "test:community"}},
		{"v3 SHA-256 AES", inventory.Credential{User: "auditor", AuthProtocol: "SHA-256", AuthPass: "test:auth", PrivProtocol: "AES", PrivPass: "test:priv"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := inventory.Target{Name: "lab-agent", Address: "127.0.0.1", Port: port, Credential: c.cred, Secrets: secrets, Options: map[string]string{"timeout": "1s"}}
			var m *memory
			var err error
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); { // the daemon needs a moment
				m = &memory{}
				if err = snmp.Collector().Collect(t.Context(), x, m.writer()); err == nil {
					break
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{`"lab-agent"`, `.1.3.6.1.2.1.31.1.1.1.10.`, `"table":"udpEndpointTable"`, `"complete":true`} {
				if !strings.Contains(m.doc.String(), want) {
					t.Errorf("the document lacks %s", want)
				}
			}
		})
	}
}
