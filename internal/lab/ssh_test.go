package lab

import (
	"bytes"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

func startTest(t *testing.T, d SSHDevice) *SSHServer {
	t.Helper()
	d.User, d.Password = "auditor", "Lab-Quay-1"
	s, err := StartSSH(d)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func dialTest(t *testing.T, s *SSHServer) *ssh.Client {
	t.Helper()
	c, err := ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{
		User: "auditor", Auth: []ssh.AuthMethod{ssh.Password("Lab-Quay-1")}, HostKeyCallback: ssh.FixedHostKey(s.key),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func execTest(t *testing.T, c *ssh.Client, command string) (string, error) {
	t.Helper()
	s, err := c.NewSession()
	if err != nil {
		return "", err
	}
	defer s.Close()
	out, err := s.Output(command)
	return string(out), err
}

// Each platform runs commands without a shell as its devices do.
func TestExec(t *testing.T) {
	for _, c := range []struct {
		platform      string
		first, second bool // whether the first and second command get an answer
	}{
		{"cisco_ios", true, false},
		{"cisco_asa", false, false},
		{"juniper_junos", true, true},
		{"frr", true, true},
	} {
		t.Run(c.platform, func(t *testing.T) {
			s := startTest(t, SSHDevice{Name: "sw", Platform: c.platform, Version: "Version 1\n"})
			client := dialTest(t, s)
			for i, want := range []bool{c.first, c.second} {
				out, err := execTest(t, client, "show version")
				if (err == nil) != want || want && out != "Version 1\n" {
					t.Errorf("command %d: %q, %v", i+1, out, err)
				}
			}
		})
	}
}

// The whole dialogue of a person at a pager, as the wire shows it.
func TestDialogue(t *testing.T) {
	s := startTest(t, SSHDevice{Name: "sw", Platform: "cisco_ios", Enable: "Lab-Enable-1", Banner: "Hello\n", Config: strings.Repeat("!\n", 30) + "end\n"})
	session, err := dialTest(t, s).NewSession()
	if err != nil {
		t.Fatal(err)
	}
	if err := session.RequestPty("vt100", 24, 80, nil); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	session.Stdout = &out
	session.Stdin = strings.NewReader("show running-config\renable\rwrong\rLab-Enable-1\rshow running-config\r\rexit\r")
	if err := session.Shell(); err != nil {
		t.Fatal(err)
	}
	_ = session.Wait() // the device sends no exit status, as devices do not
	page := strings.Repeat("!\r\n", 23)
	want := "\r\nHello\r\n\r\nsw>show running-config\r\n" + strings.ReplaceAll(caret, "\n", "\r\n") + "% Invalid input detected at '^' marker.\r\n\r\n" +
		"sw>enable\r\nPassword: \r\nPassword: \r\nsw#show running-config\r\n" + page + " --More-- " + s.kind.erase + "!\r\n --More-- "
	if got := out.String(); !strings.HasPrefix(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if want := []string{"show running-config", "enable", "show running-config"}; !slices.Equal(s.Commands(), want) || s.Enables() != 2 || s.Guesses() != 1 {
		t.Errorf("commands %q, %d passwords at enable, %d guesses", s.Commands(), s.Enables(), s.Guesses())
	}
}

// OpenSSH's client takes the device for one.
func TestOpenSSHClient(t *testing.T) {
	bin, err := exec.LookPath("ssh-keyscan")
	if err != nil {
		t.Skip("needs ssh-keyscan (Debian package openssh-client)")
	}
	s := startTest(t, SSHDevice{Name: "sw", Platform: "juniper_junos"})
	cmd := exec.Command(bin, "-T", "5", "-p", strings.TrimPrefix(s.Addr(), s.Host+":"), s.Host)
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), s.KnownHostsLine()+"\n") {
		t.Errorf("%v, %q lacks %q", err, out, s.KnownHostsLine())
	}
}

// Close ends what hangs, and waits.
func TestClose(t *testing.T) {
	for _, f := range []SSHFaults{{StallAccept: true}, {StallHandshake: true}, {StallAuth: true}} {
		s := startTest(t, SSHDevice{Name: "sw", Platform: "frr", Faults: f})
		done := make(chan error)
		go func() {
			_, err := ssh.Dial("tcp", s.Addr(), &ssh.ClientConfig{
				User: "auditor", Auth: []ssh.AuthMethod{ssh.Password("Lab-Quay-1")}, HostKeyCallback: ssh.FixedHostKey(s.key),
			})
			done <- err
		}()
		s.Close()
		select {
		case err := <-done:
			if err == nil {
				t.Errorf("%+v: it let somebody in", f)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%+v: the client still waits", f)
		}
	}
}
