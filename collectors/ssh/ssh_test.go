package ssh_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
)

// memory is a bundle in memory: whole files, names of those that were begun, and gaps.
type memory struct {
	mu    sync.Mutex
	files map[string]string
	begun []string
	gaps  []string
}

type memoryFile struct {
	bytes.Buffer
	m    *memory
	name string
}

func (f *memoryFile) Close() error {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	f.m.files[f.name] = f.String()
	return nil
}

func newMemory() *memory { return &memory{files: map[string]string{}} }

func (m *memory) writer() *evidence.Writer {
	return evidence.NewWriter(
		func(name string, _ evidence.Meta) (io.WriteCloser, error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.begun = append(m.begun, name)
			return &memoryFile{m: m, name: name}, nil
		},
		func(what, why, _ string) { m.gaps = append(m.gaps, what+": "+why) })
}

func start(t testing.TB, d lab.SSHDevice) *lab.SSHServer {
	t.Helper()
	if d.Name == "" {
		d.Name = "core-sw-01"
	}
	if d.User == "" {
		d.User, d.Password = "auditor", "Lab-Quay-1"
	}
	if d.Config == "" {
		d.Config = config(d.Platform, 40)
	}
	if d.Version == "" {
		d.Version = "Some Software, Version 1.2(3)\n"
	}
	s, err := lab.StartSSH(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// config is a configuration of some length with lines that try a reader: deep indentation, empty lines, prompts, pagers.
func config(platform string, interfaces int) string {
	var b strings.Builder
	switch platform {
	case "juniper_junos":
		b.WriteString("## Last commit: 2026-11-20 09:12:44 UTC by netops\nversion 22.4R3;\ninterfaces {\n")
		for i := range interfaces {
			fmt.Fprintf(&b, "    ge-0/0/%d {\n        description \"link to site %d #production>\";\n    }\n", i, i)
		}
		b.WriteString("}\n")
		return b.String()
	case "cisco_asa":
		b.WriteString(": Saved\n\n: \nASA Version 9.16(4) \n!\nhostname edge-fw-01\n")
	default:
		b.WriteString("Building configuration...\n\nCurrent configuration : 4211 bytes\n!\nversion 17.9\nhostname core-sw-01\n!\n")
	}
	for i := range interfaces {
		fmt.Fprintf(&b, "interface GigabitEthernet0/%d\n description link to site %d #production>\n  no shutdown\n!\n", i, i)
	}
	if platform == "cisco_asa" {
		b.WriteString("Cryptochecksum:0123\n: end\n")
	} else {
		b.WriteString("banner motd ^C\ncore-sw-01#\n --More-- \n user@host>\n^C\nend\n")
	}
	return b.String()
}

const password, enable = "env:PASSWORD", "env:ENABLE"

func secrets(ref string) ([]byte, error) {
	v, ok := map[string]string{password: "Lab-Quay-1", enable: "Lab-Enable-1", "env:WRONG": "wrong"}[ref]
	if !ok {
		return nil, fmt.Errorf("%s is not set", ref)
	}
	return []byte(v), nil
}

// target is a device in the inventory that trusts the lab's key.
func target(t testing.TB, s *lab.SSHServer, platform string) inventory.Target {
	t.Helper()
	known := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(s.KnownHostsLine()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return inventory.Target{
		Name: "core-sw-01", Address: s.Host, Port: s.Port, Platform: platform, Collector: "ssh",
		Credential: inventory.Credential{Name: "net", User: "auditor", Password: password},
		Options:    map[string]string{"known_hosts": known, "connect_timeout": "5s", "idle_timeout": "10s"},
		Secrets:    secrets,
	}
}

func collect(t testing.TB, x inventory.Target) (*memory, error) {
	t.Helper()
	m := newMemory()
	err := ssh.Collector().Collect(t.Context(), x, m.writer())
	return m, err
}

func TestCollect(t *testing.T) {
	crlf := func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }
	logs := "Log Buffer (4096 bytes):\n\nNov 23 2026 07:55:14.220 UTC: %LINK-3-UPDOWN: Interface Gi0/1, changed state to up\n"
	for _, c := range []struct {
		name     string
		device   lab.SSHDevice
		enable   bool
		files    []string // config file first
		commands []string
		exec     bool
	}{
		{
			name: "ios", device: lab.SSHDevice{Platform: "cisco_ios", Enable: "Lab-Enable-1", Logging: logs}, enable: true,
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"enable", "terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, privileged at login", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs}, enable: true,
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, paging", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs, Faults: lab.SSHFaults{NoSettings: true}},
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, paging, bytes one by one", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs, Faults: lab.SSHFaults{NoSettings: true, Chunk: 1}},
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, no echo", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs, Faults: lab.SSHFaults{NoEcho: true}},
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, loses what is typed while it prints", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs, Faults: lab.SSHFaults{DropTyped: true, Chunk: 11}},
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, a banner that ends like a prompt", device: lab.SSHDevice{Platform: "cisco_ios", Enable: "Lab-Enable-1", Logging: logs, Banner: "** No access without ticket\nNOC>", Faults: lab.SSHFaults{Chunk: 7}}, enable: true,
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"enable", "terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "ios, no terminal", device: lab.SSHDevice{Platform: "cisco_ios", Logging: logs, Faults: lab.SSHFaults{NoTerminal: true}}, exec: true,
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"terminal length 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "asa, paging", device: lab.SSHDevice{Name: "edge-fw-01", Platform: "cisco_asa", Enable: "Lab-Enable-1", Logging: logs, Faults: lab.SSHFaults{NoSettings: true, Chunk: 100}}, enable: true,
			files:    []string{"running-config.cfg", "logging.log", "version.txt"},
			commands: []string{"enable", "terminal pager 0", "show version", "show logging", "show running-config"},
		},
		{
			name: "junos", device: lab.SSHDevice{Name: "srx", Platform: "juniper_junos", Logging: logs}, exec: true,
			files:    []string{"configuration.conf", "messages.log", "version.txt"},
			commands: []string{"show version", "show log messages", "show configuration | display omit"},
		},
		{
			name: "junos, a shell alone, paging", device: lab.SSHDevice{Name: "srx", Platform: "juniper_junos", Logging: logs, Faults: lab.SSHFaults{NoExec: true, NoSettings: true, Chunk: 3}},
			files:    []string{"configuration.conf", "messages.log", "version.txt"},
			commands: []string{"set cli screen-length 0", "show version", "show log messages", "show configuration | display omit"},
		},
		{
			name: "frr", device: lab.SSHDevice{Name: "r1", Platform: "frr"}, exec: true,
			files: []string{"running-config.cfg", "version.txt"}, commands: []string{"show version", "show running-config"},
		},
		{
			name: "frr, no exit status", device: lab.SSHDevice{Name: "r1", Platform: "frr", Version: "FRRouting 8.4\nend\n", Faults: lab.SSHFaults{NoExec: true, NoSettings: true}},
			files: []string{"running-config.cfg", "version.txt"}, commands: []string{"terminal length 0", "show version", "show running-config"},
		},
		{
			name: "password by questions", device: lab.SSHDevice{Name: "r1", Platform: "frr", Faults: lab.SSHFaults{Interactive: true}}, exec: true,
			files: []string{"running-config.cfg", "version.txt"}, commands: []string{"show version", "show running-config"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := start(t, c.device)
			x := target(t, s, c.device.Platform)
			if c.enable {
				x.Credential.Enable = enable
			}
			accepted := 0
			x.Accepted = func() { accepted++ }
			m, err := collect(t, x)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.commands, s.Commands()); diff != "" {
				t.Errorf("commands (-want +got):\n%s", diff)
			}
			want := config(c.device.Platform, 40)
			if !c.exec {
				want = crlf(want)
			}
			if diff := cmp.Diff(want, m.files[c.files[0]]); diff != "" {
				t.Errorf("configuration (-want +got):\n%s", diff)
			}
			var got []string
			for name := range m.files {
				got = append(got, name)
			}
			slices.Sort(got)
			slices.Sort(c.files)
			if diff := cmp.Diff(c.files, got); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if len(m.gaps) > 0 || accepted != 1 || s.Guesses() != 1 {
				t.Errorf("gaps %q, accepted %d times, %d guesses", m.gaps, accepted, s.Guesses())
			}
			for name, text := range m.files {
				if strings.Contains(text, "core-sw-01#show") || strings.Contains(text, "\b") {
					t.Errorf("%s holds what is not content: %q", name, text)
				}
			}
		})
	}
}
