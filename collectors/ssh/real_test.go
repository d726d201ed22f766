package ssh_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/inventory"
)

// needs skips a test when a program is not installed; with QUAYMASTER_REAL=1 that is a failure.
func needs(t *testing.T, what string, ok bool) {
	t.Helper()
	switch {
	case ok:
	case os.Getenv("QUAYMASTER_REAL") != "":
		t.Fatalf("needs %s", what)
	default:
		t.Skipf("needs %s", what)
	}
}

// program is the path of an installed program, also of those that only root has in its path.
func program(name string) string {
	if p, err := exec.LookPath(name); err == nil {
		return p
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/lib/frr"} {
		if p := filepath.Join(dir, name); isFile(p) {
			return p
		}
	}
	return ""
}

func isFile(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.Mode().IsRegular()
}

// An sshd is OpenSSH's server before a script that answers, and what a target needs to read it.
type sshd struct {
	address string
	port    uint16
	user    string
	private []byte
	known   string // file
}

// startSSHD starts OpenSSH at address with a command that every login runs; prefix runs it elsewhere.
func startSSHD(t *testing.T, address string, port uint16, command string, prefix ...string) sshd {
	t.Helper()
	bin, keygen := program("sshd"), program("ssh-keygen")
	needs(t, "sshd (Debian package openssh-server)", bin != "" && keygen != "")
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	if me.Uid == "0" { // OpenSSH's own folder for separated privileges, which Debian makes when its service starts
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return p
	}
	public, private := keyPair(t, nil)
	run(t, keygen, "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, "host"))
	run(t, keygen, "-q", "-t", "rsa", "-b", "2048", "-N", "", "-f", filepath.Join(dir, "host-rsa"))
	conf := file("sshd.conf", strings.Join([]string{
		fmt.Sprintf("ListenAddress %s:%d", address, port), "HostKey " + dir + "/host-rsa", "HostKey " + dir + "/host",
		"PidFile none", "AuthorizedKeysFile " + file("authorized", public, 0o644), "StrictModes no", "UsePAM no",
		"PasswordAuthentication no", "KbdInteractiveAuthentication no", "PermitRootLogin yes", "PrintMotd no",
		"ForceCommand " + file("answer", command, 0o755), "",
	}, "\n"), 0o600)
	args := append(slices.Clone(prefix), bin, "-D", "-e", "-f", conf)
	cmd := exec.Command(args[0], args[1:]...)
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	started, over := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(over)
		said, all := bufio.NewReader(log), ""
		for !strings.Contains(all, "Server listening on") {
			line, err := said.ReadString('\n')
			if all += line; err != nil {
				break
			}
		}
		started <- all
		_, _ = io.Copy(io.Discard, said) // ends with the process
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-over
		_ = cmd.Wait()
	})
	if said := <-started; !strings.Contains(said, "Server listening on") {
		t.Fatalf("sshd does not start: %s", said)
	}
	host, err := os.ReadFile(filepath.Join(dir, "host.pub"))
	if err != nil {
		t.Fatal(err)
	}
	name := address
	if port != 22 {
		name = fmt.Sprintf("[%s]:%d", address, port)
	}
	return sshd{address, port, me.Username, private, file("known_hosts", name+" "+string(host), 0o600)}
}

func (s sshd) target(platform string) inventory.Target {
	return inventory.Target{
		Name: "lab", Address: s.address, Port: s.port, Platform: platform, Collector: "ssh",
		Credential: inventory.Credential{Name: "key", User: s.user, Key: "test:key"},
		Options:    map[string]string{"known_hosts": s.known},
		Secrets: func(ref string) ([]byte, error) {
			if ref != "test:key" {
				return nil, fmt.Errorf("no secret %q", ref)
			}
			return s.private, nil
		},
	}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
}

func freePort(t *testing.T) uint16 {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return uint16(l.Addr().(*net.TCPAddr).Port)
}

// OpenSSH has two host keys, of which known_hosts has the one it likes less.
func TestOpenSSH(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", freePort(t), `#!/bin/sh
case "$SSH_ORIGINAL_COMMAND" in
"show version") echo "FRRouting 8.4.4 (lab-r1)" ;;
"show running-config") printf 'hostname lab-r1\n!\n'; i=0; while [ $i -lt 3000 ]; do echo "access-list A seq $i permit 192.0.2.0/24"; i=$((i+1)); done; echo end ;;
*) echo "$SSH_ORIGINAL_COMMAND: not found" >&2; exit 127 ;;
esac
`)
	m, err := collect(t, s.target("frr"))
	if err != nil {
		t.Fatal(err)
	}
	config := m.files["running-config.cfg"]
	if !strings.HasPrefix(config, "hostname lab-r1\n") || !strings.HasSuffix(config, "permit 192.0.2.0/24\nend\n") || strings.Count(config, "\n") != 3003 {
		t.Errorf("%d bytes of configuration", len(config))
	}
	x := s.target("linux")
	_, err = collect(t, x)
	if f := failure(t, err); !strings.HasPrefix(f.Cause, `the device did not take "uname -a": uname -a: not found`) {
		t.Error(f)
	}
	x.Credential.User = "nobody"
	_, err = collect(t, x)
	if f := failure(t, err); !f.Refused || f.Cause != `the device refused the key of user "nobody"` {
		t.Error(f)
	}
}

// A Linux host as it is.
func TestLinux(t *testing.T) {
	s := startSSHD(t, "127.0.0.1", freePort(t), "#!/bin/sh\nexec sh -c \"$SSH_ORIGINAL_COMMAND\"\n")
	m, err := collect(t, s.target("linux"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(m.files["uname.txt"], "Linux") {
		t.Errorf("files %v, gaps %q", m.files, m.gaps)
	}
}

// FRRouting behind OpenSSH in a network namespace, as a router is: by commands, and typed at vtysh.
func TestFRR(t *testing.T) {
	needs(t, "root, for a network namespace", os.Geteuid() == 0)
	needs(t, "ip (Debian package iproute2)", program("ip") != "")
	needs(t, "FRRouting (Debian package frr)", program("zebra") != "" && program("staticd") != "" && program("vtysh") != "")
	const name, here, there = "quaylab", "10.231.7.1", "10.231.7.2"
	ip := func(args ...string) { t.Helper(); run(t, program("ip"), args...) }
	if out, err := exec.Command(program("ip"), "netns", "add", name).CombinedOutput(); err != nil {
		needs(t, "network namespaces: "+strings.TrimSpace(string(out)), false)
	}
	t.Cleanup(func() { _ = exec.Command(program("ip"), "netns", "del", name).Run() })
	ip("link", "add", "quayl0", "type", "veth", "peer", "name", "quayl1", "netns", name)
	t.Cleanup(func() { _ = exec.Command(program("ip"), "link", "del", "quayl0").Run() })
	ip("addr", "add", here+"/24", "dev", "quayl0")
	ip("link", "set", "quayl0", "up")
	inside := []string{program("ip"), "netns", "exec", name}
	within := func(args ...string) { t.Helper(); run(t, inside[0], append(inside[1:], args...)...) }
	within(program("ip"), "addr", "add", there+"/24", "dev", "quayl1")
	within(program("ip"), "link", "set", "quayl1", "up")
	within(program("ip"), "link", "set", "lo", "up")
	var text strings.Builder
	text.WriteString("frr defaults traditional\nhostname lab-r1\nip route 198.51.100.0/24 " + here + "\n")
	for i := range 200 {
		fmt.Fprintf(&text, "access-list MGMT seq %d permit 192.0.2.%d/32\n", 5*(i+1), i)
	}
	startFRR(t, name, text.String(), within)
	script := "#!/bin/sh\nif [ -n \"$SSH_ORIGINAL_COMMAND\" ]; then exec " + program("vtysh") + " -N " + name + " -c \"$SSH_ORIGINAL_COMMAND\"; fi\nexec " + program("vtysh") + " -N " + name + "\n"
	s := startSSHD(t, there, 22, script, inside...)
	byCommand, err := collect(t, s.target("frr"))
	if err != nil {
		t.Fatal(err)
	}
	typed := newMemory()
	if err := ssh.CollectByShell(t.Context(), s.target("frr"), typed.writer()); err != nil {
		t.Fatal(err)
	}
	for how, m := range map[string]*memory{"by command": byCommand, "typed": typed} {
		config := strings.ReplaceAll(m.files["running-config.cfg"], "\r\n", "\n")
		for _, want := range []string{"\nip route 198.51.100.0/24 10.231.7.1\n", "\naccess-list MGMT seq 1000 permit 192.0.2.199/32\n"} {
			if !strings.Contains(config, want) {
				t.Errorf("%s: the configuration lacks %q:\n%q", how, want, config[:min(len(config), 500)])
			}
		}
		if !strings.HasSuffix(config, "\nend\n") || strings.ContainsAny(config, "\x1b\b\r") || !strings.Contains(m.files["version.txt"], "FRRouting") {
			t.Errorf("%s: configuration %q ... %q, version %q", how, config[:60], config[max(0, len(config)-60):], m.files["version.txt"])
		}
	}
	if a, b := byCommand.files["running-config.cfg"], strings.ReplaceAll(typed.files["running-config.cfg"], "\r\n", "\n"); a != b {
		t.Errorf("a command's %d bytes and a shell's %d differ", len(a), len(b))
	}
}

// startFRR starts the daemons of one instance and loads its configuration.
func startFRR(t *testing.T, name, config string, within func(...string)) {
	t.Helper()
	etc, state := filepath.Join("/etc/frr", name), filepath.Join("/run/frr", name)
	t.Cleanup(func() {
		pids, _ := filepath.Glob(filepath.Join(state, "*.pid"))
		for _, p := range pids {
			if b, err := os.ReadFile(p); err == nil {
				_ = exec.Command("kill", strings.TrimSpace(string(b))).Run()
			}
		}
		os.RemoveAll(etc)
		os.RemoveAll(state)
	})
	for _, dir := range []string{etc, state} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range map[string]string{"frr.conf": config, "vtysh.conf": ""} {
		if err := os.WriteFile(filepath.Join(etc, file), []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "chown", "-R", "frr:frr", etc, state)
	for _, daemon := range []string{"zebra", "staticd"} {
		within(program(daemon), "-d", "-N", name)
	}
	within(program("vtysh"), "-N", name, "-b")
}
