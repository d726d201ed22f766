package wordtree

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/parsetest"
	"github.com/quaymaster/quaymaster/internal/tree"
)

func TestTransfers(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a page", "curl https://192.0.2.1/x", "https 192.0.2.1  "},
		{"a URL with credentials", "/usr/bin/curl -T /cf/conf/config.xml ftp://bob:s3cretW@198.51.100.7/up/", "ftp 198.51.100.7 bob password"},
		{"a name like a scheme", "echo sftp", ""},
		{"tftp with options", "busybox tftp -g -r boot.bin 192.0.2.9", "tftp 192.0.2.9  "},
		{"scp", "scp /etc/passwd joe@192.0.2.3:/tmp/", "scp 192.0.2.3 joe "},
		{"scp between files", "scp /etc/passwd /tmp/", ""},
		{"sftp", "sftp joe@198.51.100.4", "sftp 198.51.100.4 joe "},
		{"smbclient", "smbclient //192.0.2.8/share -U joe%pw", "smb 192.0.2.8  "},
		{"two commands", "true; tftp 192.0.2.1 && ftp -n 192.0.2.2", "tftp 192.0.2.1  |ftp 192.0.2.2  "},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for i, m := range Transfers([]byte(c.text)) {
				if i > 0 {
					got += "|"
				}
				word := ""
				if m.Password {
					word = "password"
				}
				got += fmt.Sprintf("%s %s %s %s", m.Protocol, m.Host, m.User, word)
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestTextSecrets(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"curl -u bob:hunter2 ftp://192.0.2.1/", "curl -u bob:*** ftp://192.0.2.1/"},
		{"sshpass -phunter2 scp a b@192.0.2.1:", "sshpass -p*** scp a b@192.0.2.1:"},
		{"ncftpput -u bob -p hunter2 192.0.2.1 / f", "ncftpput -u bob -p *** 192.0.2.1 / f"},
		{"wget --ftp-password=hunter2 x", "wget --ftp-password=*** x"},
		{"smbclient //192.0.2.1/s -U bob%hunter2", "smbclient //192.0.2.1/s -U bob%***"},
		{"x ftp://bob:hunter2@192.0.2.1/", "x ftp://bob:***@192.0.2.1/"},
		{"ls -p x", "ls -p x"},
	} {
		if got := copycmd.Mask([]byte(c.text), TextSecrets([]byte(c.text), true)); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestLeftOver: what the table names is irrelevant, and what bears on transfers in it is told all the same.
func TestLeftOver(t *testing.T) {
	const src = `router {
    bgp 1 {
        peer a {
            upload tftp://192.0.2.5/x
            ftp {
                server 192.0.2.6
            }
            filter in
            description "see ftp://192.0.2.7/x"
        }
    }
    other x
}
`
	r := New(parsetest.File("x", []byte(src)), facts.NewSink(), []byte(src), "x", "x")
	r.Free = func(w []byte) bool { return string(w) == "description" }
	r.Telltale = func(n int32) string {
		if r.Is(n, "filter") {
			return "a filter"
		}
		return ""
	}
	r.Report(r.T.Braces([]byte(src), tree.Syntax{Lines: true}))
	r.LeftOver(NewTable([]Entry{{"router bgp *", "routes"}}), Root)
	r.Account()
	var got []string
	for _, c := range r.D.Clients {
		got = append(got, c.Protocol.String()+" "+c.Host)
	}
	if diff := cmp.Diff([]string{"tftp 192.0.2.5", "ftp 192.0.2.6"}, got); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	if want := (facts.Lines{Understood: 3, Irrelevant: 7, Unsupported: 1}); r.D.Lines.Unsupported != want.Unsupported || r.D.Lines.Unrecognised != 1 {
		t.Errorf("lines %+v, want one unsupported (filter) and one unrecognised (other)", r.D.Lines)
	}
}
