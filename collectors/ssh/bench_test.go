//go:build unix

package ssh_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/collectors/ssh"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/internal/lab"
	"github.com/quaymaster/quaymaster/inventory"
	client "golang.org/x/crypto/ssh"
)

// labVariable makes the test program a simulated device, so that benchmarks measure the client's CPU alone.
const labVariable = "QUAYMASTER_BENCH_LAB"

func TestMain(m *testing.M) {
	if os.Getenv(labVariable) == "" {
		os.Exit(m.Run())
	}
	s, err := lab.StartSSH(lab.SSHDevice{
		Name: "core-sw-01", Platform: "cisco_ios", User: "auditor", Password: "Lab-Quay-1", Config: config("cisco_ios", 2000),
		Version: "Cisco IOS Software, Version 15.2(7)E8\n", Logging: "Log Buffer:\n",
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(s.KnownHostsLine())
	fmt.Println(s.Port)
	_, _ = io.Copy(io.Discard, os.Stdin)
	s.Close()
}

// remoteLab starts a device in a process of its own.
func remoteLab(b *testing.B) inventory.Target {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), labVariable+"=1")
	cmd.Stderr = os.Stderr
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err1 != nil || err2 != nil || cmd.Start() != nil {
		b.Fatal("the lab does not start")
	}
	b.Cleanup(func() {
		in.Close()
		_ = cmd.Wait()
	})
	r := bufio.NewReader(out)
	line, err := r.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	var port uint16
	if _, err := fmt.Fscan(r, &port); err != nil {
		b.Fatal(err)
	}
	known := filepath.Join(b.TempDir(), "known_hosts")
	if err := os.WriteFile(known, []byte(line), 0o600); err != nil {
		b.Fatal(err)
	}
	return inventory.Target{
		Name: "core-sw-01", Address: "127.0.0.1", Port: port, Platform: "cisco_ios", Collector: "ssh",
		Credential: inventory.Credential{Name: "net", User: "auditor", Password: password},
		Options:    map[string]string{"known_hosts": known}, Secrets: secrets,
	}
}

// cpu is the time this process has computed.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type discard struct{ io.Writer }

func (discard) Close() error { return nil }

// BenchmarkCollect reads an IOS device with a configuration of 150 KB: login, settings, three commands.
func BenchmarkCollect(b *testing.B) {
	x := remoteLab(b)
	w := evidence.NewWriter(
		func(string, evidence.Meta) (io.WriteCloser, error) { return discard{io.Discard}, nil },
		func(what, why, _ string) { b.Errorf("%s: %s", what, why) })
	c := ssh.Collector()
	measure(b, func() error { return c.Collect(b.Context(), x, w) })
}

// BenchmarkBareClient sends the same lines blindly and reads to the end: what the SSH library alone costs.
func BenchmarkBareClient(b *testing.B) {
	x := remoteLab(b)
	measure(b, func() error {
		conf := &client.ClientConfig{User: "auditor", Auth: []client.AuthMethod{client.Password("Lab-Quay-1")}, HostKeyCallback: client.InsecureIgnoreHostKey()}
		c, err := client.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", x.Port), conf)
		if err != nil {
			return err
		}
		defer c.Close()
		s, err := c.NewSession()
		if err != nil {
			return err
		}
		if err := s.RequestPty("vt100", 1000, 511, nil); err != nil {
			return err
		}
		s.Stdin = strings.NewReader("terminal length 0\rshow version\rshow logging\rshow running-config\rexit\r")
		out, err := s.StdoutPipe()
		if err != nil {
			return err
		}
		if err := s.Shell(); err != nil {
			return err
		}
		if n, err := io.Copy(io.Discard, out); err != nil || n < 100_000 {
			return fmt.Errorf("%d bytes: %w", n, err)
		}
		return nil
	})
}

// measure runs 32 sessions side by side, as devices think and a fleet waits, and reports what one costs.
func measure(b *testing.B, session func() error) {
	b.ReportAllocs()
	b.SetParallelism(16)
	b.ResetTimer()
	before := cpu(b)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if err := session(); err != nil {
				b.Error(err)
				return
			}
		}
	})
	spent := cpu(b) - before
	b.ReportMetric(float64(b.N)/spent.Seconds(), "sessions/cpu-s")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-us/session")
}
