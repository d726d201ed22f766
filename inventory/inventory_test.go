package inventory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
	src := strings.Join([]string{
		`version: 2`, // 1
		`defaults: {credentail: net}`,
		`credentials:`,
		`  net: {user: auditor, password: Literal-Secret-1, enable: prompt}`, // 4
		`  two: {user: a, pasword: "Literal-Secret-2", key: prompt}`,
		`  three: {community: [Literal-Secret-3], auth_protocol: SHA256}`,
		`devices:`,
		`  - {name: sw1, platform: cisco_iso, credential: nett, collector: telnet}`, // 8
		`  - {name: sw1, address: 192.0.2.1:22, platform: cisco_ios}`,
		`  - {address: 192.0.2.1}`, // 10
		`  - {name: a b, platform: frr}`,
		`  - {name: x, platform: frr, port: 70000, collector: [ssh, ssh], credential: Literal-Secret-4}`, // 12
		`  - {name: y, platform: frr, options: {host_keys: x, idle_timeout: soon}, password: Literal-Secret-5}`,
		`  - {name: z, platform: frr, credential: {ssl: net}}`, // 14
	}, "\n")
	_, err := Parse("inv.yaml", []byte(src))
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		if strings.Contains(line, "Literal-Secret") {
			t.Errorf("a secret is shown: %s", line)
		}
		if strings.HasPrefix(line, "inv.yaml:") {
			got = append(got, line)
		}
	}
	const literal = `a secret must be a reference: env:NAME, file:PATH, systemd:NAME or prompt; ` +
		`if this is the secret itself, everyone who can read the file knows it: change it, and write where it is kept`
	want := []string{
		`inv.yaml:1:10: version "2" is not known: this program reads version 1`,
		`inv.yaml:2:12: unknown key "credentail" in "defaults": did you mean "credential"?`,
		`inv.yaml:4:34: "password" of credential "net": ` + literal,
		`inv.yaml:5:18: unknown key "pasword" in "two": did you mean "password"?`,
		`inv.yaml:5:52: "key" of credential "two": a key cannot be asked for: file:PATH names its file`,
		`inv.yaml:6:22: "community" must be one value`,
		`inv.yaml:6:22: "community" of credential "three": ` + literal,
		`inv.yaml:6:57: "auth_protocol" must be one of MD5, SHA, SHA-1, SHA-224, SHA-256, SHA-384, SHA-512: did you mean "SHA-256"?`,
		`inv.yaml:8:27: "platform" must be one of cisco_ios, cisco_asa, juniper_junos, vmware_esxi, frr, linux, other: did you mean "cisco_ios"?`,
		`inv.yaml:8:50: no credential of this name is defined under credentials: did you mean "net"?`,
		`inv.yaml:8:67: collector "telnet" is not ssh, vsphere or snmp`,
		`inv.yaml:9:12: device "sw1" is here twice, first in line 8`,
		`inv.yaml:9:26: address "192.0.2.1:22" has a port: state "192.0.2.1" and port: 22`,
		`inv.yaml:10:5: a device lacks "name"`,
		`inv.yaml:10:5: device "" is read over ssh: its platform must be one of cisco_ios, cisco_asa, juniper_junos, frr, linux`,
		`inv.yaml:11:12: "a b" is neither an address nor a host name`,
		`inv.yaml:12:36: "port" must be a whole number from 1 to 65535`,
		`inv.yaml:12:60: collector "ssh" is here twice`,
		`inv.yaml:12:78: no credential of this name is defined under credentials`,
		`inv.yaml:13:40: unknown key "host_keys" in "options": did you mean "host_key"?`,
		`inv.yaml:13:68: "idle_timeout" must be a time span, such as 90s, 24h or 7d`,
		`inv.yaml:13:75: unknown key "password" in a device`,
		`inv.yaml:14:43: collector "ssl" is not ssh, vsphere or snmp`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("mistakes (-want +got):\n%s", diff)
	}
}

func TestDefaults(t *testing.T) {
	inv, err := Parse("/etc/q/inv.yaml", []byte(`version: 1
credentials:
  net: {user: a, key: "file:keys/audit", passphrase: prompt}
  own: {user: b, password: prompt}
defaults: {platform: frr, collector: [ssh, snmp], credential: net, tags: [all], timeout: 1m, options: {known_hosts: hosts, idle_timeout: 5s}}
devices:
  - {name: r1}
  - {name: r2, address: "2001:db8::2", platform: vmware_esxi, collector: vsphere, credential: own, options: {idle_timeout: 1m, tls_fingerprint: ab}}
  - {name: nas, platform: other, collector: none, role: file-server}
`))
	if err != nil {
		t.Fatal(err)
	}
	got := inv.Targets()
	net := Credential{Name: "net", User: "a", Key: "file:/etc/q/keys/audit", Passphrase: "prompt:passphrase"}
	r1 := Target{
		Name: "r1", Address: "r1", Port: 22, Platform: "frr", Collector: "ssh", Tags: []string{"all"}, Timeout: time.Minute, Line: 7,
		Credential: net, Options: map[string]string{"known_hosts": "/etc/q/hosts", "idle_timeout": "5s"},
	}
	polled := r1
	polled.Collector, polled.Port = "snmp", 161
	r2 := r1
	r2.Name, r2.Address, r2.Platform, r2.Collector, r2.Port, r2.Line = "r2", "2001:db8::2", "vmware_esxi", "vsphere", 443, 8
	r2.Credential = Credential{Name: "own", User: "b", Password: "prompt:password"}
	r2.Options = map[string]string{"known_hosts": "/etc/q/hosts", "idle_timeout": "1m0s", "tls_fingerprint": "ab"}
	if diff := cmp.Diff([]Target{r1, polled, r2}, got); diff != "" {
		t.Errorf("targets (-want +got):\n%s", diff)
	}
	if len(inv.Devices) != 3 || inv.Devices[0].Name != "nas" || inv.Devices[0].Role != "file-server" {
		t.Errorf("devices %+v", inv.Devices)
	}
	if a, ok := inv.Devices[2].Addr(); !ok || a.String() != "2001:db8::2" {
		t.Errorf("address %v %v", a, ok)
	}
}

func TestLint(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "open"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	inv, err := Parse(filepath.Join(dir, "inv.yaml"), []byte(`version: 1
credentials:
  net: {user: a, password: "file:open"}
  gone: {user: a, key: "file:gone"}
  bare: {password: prompt}
devices:
  - {name: r1, address: 192.0.2.1, platform: frr, credential: net, options: {known_hosts: hosts}}
  - {name: r2, address: 192.0.2.1, platform: frr, credential: bare}
  - {name: r3, platform: frr, collector: [ssh, snmp]}
  - {name: r4, platform: other, collector: snmp, credential: bare}
  - {name: r5, collector: none}
`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range inv.Lint() {
		got = append(got, fmt.Sprintf("%d: %s", r.Line, strings.ReplaceAll(r.Text, dir, "DIR")))
	}
	want := []string{
		`3: password of credential "net": DIR/open can be used by others (mode 0644): run chmod 600 DIR/open, and change the secret if others are on this machine`,
		`4: credential "gone" is used by no device`,
		`4: key of credential "gone": DIR/gone does not exist on this machine`,
		`7: known_hosts of device "r1": stat DIR/hosts: no such file or directory`,
		`8: device "r2" cannot be read by ssh: credential "bare" has no user`,
		`8: devices "r1" and "r2" are one: both are ssh 192.0.2.1 port 22`,
		`9: device "r3" cannot be read by snmp: it has no credential`,
		`9: device "r3" cannot be read by ssh: it has no credential`,
		`10: device "r4" cannot be read by snmp: credential "bare" has neither a community (v2c) nor a user (v3)`,
		`11: device "r5" is read by no collector and has neither a role nor a zone: it says nothing`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("remarks (-want +got):\n%s", diff)
	}
}

func TestResolver(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	open, closed := write("open", "from-file\n", 0o644), write("closed", "from-file\r\n", 0o600)
	none, large := write("none", "\n", 0o600), write("large", strings.Repeat("x", maxSecret+1), 0o600)
	var asked []string
	r := &Resolver{
		Env: func(k string) (string, bool) {
			v, ok := map[string]string{"A": "from-env", "EMPTY": "", "CREDENTIALS_DIRECTORY": dir}[k]
			return v, ok
		},
		Prompt: func(q string) ([]byte, error) { asked = append(asked, q); return []byte("typed"), nil },
	}
	get := r.For(Credential{Name: "net"})
	for _, c := range []struct{ ref, want, err string }{
		{"env:A", "from-env", ""},
		{"env:B", "", "is not set"},
		{"env:EMPTY", "", "is empty"},
		{"file:" + closed, "from-file", ""},
		{"file:" + open, "", "chmod 600"},
		{"file:" + none, "", "is empty"},
		{"file:" + large, "", "larger than 64 KiB"},
		{"file:" + dir, "", "is no file"},
		{"systemd:closed", "from-file", ""},
		{"systemd:../x", "", "is no name"},
		{"prompt", "typed", ""},
		{"prompt:password", "typed", ""},
		{"prompt:password", "typed", ""},
		{"prompt:enable", "typed", ""},
		{"hunter2", "", "must be a reference"},
		{"", "", "states no such secret"},
	} {
		v, err := get(c.ref)
		if string(v) != c.want || (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %q, %v", c.ref, v, err)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the secret is in the error", c.ref)
		}
	}
	want := []string{"secret of credential net: ", "password of credential net: ", "enable of credential net: "}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("questions (-want +got):\n%s", diff)
	}
	if _, err := (&Resolver{}).For(Credential{Name: "net"})("prompt"); err == nil || !strings.Contains(err.Error(), "there is none") {
		t.Errorf("without a terminal: %v", err)
	}
}

func TestForeignOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give a file away")
	}
	file := filepath.Join(t.TempDir(), "secret")
	if err := errors.Join(os.WriteFile(file, []byte("x"), 0o600), os.Chown(file, 4242, 0)); err != nil {
		t.Fatal(err)
	}
	if _, err := private(file); err == nil || !strings.Contains(err.Error(), "belongs to user 4242") {
		t.Errorf("%v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	var src strings.Builder
	src.WriteString("version: 1\ncredentials:\n  net: {user: auditor, password: \"env:X\"}\ndefaults: {credential: net}\ndevices:\n")
	for i := range 10_000 {
		fmt.Fprintf(&src, "  - {name: device-%05d, address: 192.0.2.%d, platform: cisco_ios, role: switch, site: dock}\n", i, i%250)
	}
	b.SetBytes(int64(src.Len()))
	b.ReportAllocs()
	for b.Loop() {
		inv, err := Parse("inv.yaml", []byte(src.String()))
		if err != nil || len(inv.Targets()) != 10_000 {
			b.Fatal(err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(good)
	f.Add("version: 1\ndevices: [{name: x, platform: frr, port: {ssh: 1}}]\n")
	f.Fuzz(func(t *testing.T, src string) {
		inv, err := Parse("inv.yaml", []byte(src))
		if err != nil {
			return
		}
		for _, x := range inv.Targets() {
			for _, p := range x.Credential.parts() {
				if kind, rest, _ := strings.Cut(*p.ref, ":"); *p.ref != "" && (rest == "" || kind == "") {
					t.Fatalf("%q: %s is %q", src, p.key, *p.ref)
				}
			}
			if x.Name == "" || x.Address == "" || x.Port == 0 {
				t.Fatalf("%q: target %+v", src, x)
			}
		}
	})
}
