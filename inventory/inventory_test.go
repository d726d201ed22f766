package inventory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const good = `version: 1
defaults: {credential: net, timeout: 90s, site: dock}
credentials:
  net: {user: auditor, password: "env:NET_PASSWORD", enable: "file:/etc/q/enable"}
  poll: {user: snmp, auth_protocol: SHA-256, auth_pass: "systemd:auth", priv_protocol: AES, priv_pass: prompt}
devices:
  - {name: sw2, address: 10.0.0.2, platform: cisco_ios, role: switch}
  - {name: esx1, address: 10.0.0.9, platform: vmware_esxi, options: {tls_fingerprint: "ab"}}
  - {name: fw1, address: 10.0.0.3, port: 2222, platform: cisco_asa, collector: [ssh, snmp], credential: {ssh: net, snmp: poll}, site: pier}
`

func TestParse(t *testing.T) {
	inv, err := Parse("inv.yaml", []byte(good))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, x := range inv.Targets() {
		got = append(got, x.Name+" "+x.Collector+" "+x.Credential.Name+" "+x.Site)
	}
	want := "esx1 vsphere net dock,fw1 ssh net pier,fw1 snmp poll pier,sw2 ssh net dock"
	if strings.Join(got, ",") != want {
		t.Errorf("targets %q, want %q", strings.Join(got, ","), want)
	}
	if x := inv.Targets("fw1"); len(x) != 2 || x[0].Port != 2222 || x[1].Port != 161 || x[0].Timeout != 90*time.Second {
		t.Errorf("fw1 = %+v", x)
	}
	if inv.Devices[2].Line != 7 {
		t.Errorf("sw2 is in line %d", inv.Devices[2].Line)
	}
}

func TestMistakes(t *testing.T) {
	src := strings.NewReplacer("env:NET_PASSWORD", "Literal-Secret-1", "platform: cisco_ios", "platform: cisco_iso", "snmp: poll", "snmp: pol",
		"collector: [ssh, snmp]", "collector: [telnet]", "{name: esx1", "{name: sw2").Replace(good)
	_, err := Parse("inv.yaml", []byte(src))
	if err == nil {
		t.Fatal("no error")
	}
	if strings.Contains(err.Error(), "Literal-Secret-1") {
		t.Errorf("the secret is in the error:\n%v", err)
	}
	for _, want := range []string{
		"inv.yaml:4:", "a secret must be a reference", `did you mean "cisco_ios"?`, `did you mean "poll"?`, "not ssh, vsphere or snmp", "is here twice",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q:\n%v", want, err)
		}
	}
}

func TestResolver(t *testing.T) {
	dir := t.TempDir()
	open, closed := filepath.Join(dir, "open"), filepath.Join(dir, "closed")
	for name, mode := range map[string]os.FileMode{open: 0o644, closed: 0o600} {
		if err := os.WriteFile(name, []byte("from-file\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	asked := 0
	r := &Resolver{
		Env: func(k string) (string, bool) {
			v, ok := map[string]string{"A": "from-env", "CREDENTIALS_DIRECTORY": dir}[k]
			return v, ok
		},
		Prompt: func(string) ([]byte, error) { asked++; return []byte("typed"), nil },
	}
	get := r.For(Credential{Name: "net"})
	for _, c := range []struct{ ref, want, err string }{
		{"env:A", "from-env", ""},
		{"env:B", "", "is not set"},
		{"file:" + closed, "from-file", ""},
		{"file:" + open, "", "chmod 600"},
		{"systemd:closed", "from-file", ""},
		{"systemd:../x", "", "is no name"},
		{"prompt", "typed", ""},
		{"prompt", "typed", ""},
		{"hunter2", "", "must be a reference"},
		{"", "", "no reference"},
	} {
		v, err := get(c.ref)
		if string(v) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v", c.ref, v, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the secret is in the error", c.ref)
		}
	}
	if asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}
