package copycmd

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/quaymaster/quaymaster/facts"
)

var addrs = cmpopts.EquateComparable(netip.Addr{})

func TestParse(t *testing.T) {
	a := netip.MustParseAddr
	tests := []struct {
		name string
		line string
		want facts.CommandCopy // zero: no transfer
	}{
		// IOS, IOS XE, NX-OS, EOS.
		{"ios config to tftp", "copy running-config tftp://192.0.2.9/r1-confg <cr>", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.9", Addr: a("192.0.2.9"), Out: true, What: "running-config", Config: true, URL: "tftp://192.0.2.9/r1-confg"}},
		{"tftp is not ftp", "copy run tftp:", facts.CommandCopy{Protocol: facts.TFTP, Out: true, What: "running-config", Config: true, URL: "tftp:"}},
		{"abbreviated", "cop start ftp:", facts.CommandCopy{Protocol: facts.FTP, Out: true, What: "startup-config", Config: true, URL: "ftp:"}},
		{"credentials leave the url", "copy startup-config ftp://bob:s3cr3t@198.51.100.4:2121/x.cfg", facts.CommandCopy{Protocol: facts.FTP, Host: "198.51.100.4", Addr: a("198.51.100.4"), Out: true, What: "startup-config", Config: true, URL: "ftp://198.51.100.4:2121/x.cfg"}},
		{"password with slash and at", "copy run ftp://bob:a/b@c@host.example/x", facts.CommandCopy{Protocol: facts.FTP, Host: "host.example", Out: true, What: "running-config", Config: true, URL: "ftp://host.example/x"}},
		{"a tftp file may hold an at", "copy tftp://10.0.0.1/a:b@c flash:", facts.CommandCopy{Protocol: facts.TFTP, Host: "10.0.0.1", Addr: a("10.0.0.1"), What: "a:b@c", URL: "tftp://10.0.0.1/a:b@c"}},
		{"image in", "copy /noconfirm /erase tftp://10.0.0.1/c2960.bin flash:/c2960.bin", facts.CommandCopy{Protocol: facts.TFTP, Host: "10.0.0.1", Addr: a("10.0.0.1"), What: "c2960.bin", URL: "tftp://10.0.0.1/c2960.bin"}},
		{"config in", "copy scp://ops@[2001:db8::5]/r1.cfg startup-config", facts.CommandCopy{Protocol: facts.SCP, Host: "2001:db8::5", Addr: a("2001:db8::5"), What: "startup-config", Config: true, URL: "scp://[2001:db8::5]/r1.cfg"}},
		{"flash config out", "copy flash:config.text tftp:", facts.CommandCopy{Protocol: facts.TFTP, Out: true, What: "flash:config.text", Config: true, URL: "tftp:"}},
		{"nvram out", "copy nvram:private-config ftp:", facts.CommandCopy{Protocol: facts.FTP, Out: true, What: "nvram:private-config", Config: true, URL: "ftp:"}},
		{"crash file out", "copy crashinfo:x tftp:", facts.CommandCopy{Protocol: facts.TFTP, Out: true, What: "crashinfo:x", URL: "tftp:"}},
		{"nxos vrf", "copy running-config tftp://10.1.1.1/n7k vrf management", facts.CommandCopy{Protocol: facts.TFTP, Host: "10.1.1.1", Addr: a("10.1.1.1"), Out: true, What: "running-config", Config: true, URL: "tftp://10.1.1.1/n7k"}},
		{"from configuration mode", "do copy run sftp://u@192.0.2.1/x", facts.CommandCopy{Protocol: facts.SFTP, Host: "192.0.2.1", Addr: a("192.0.2.1"), Out: true, What: "running-config", Config: true, URL: "sftp://192.0.2.1/x"}},
		{"joined accounting", "configure terminal ; copy run tftp://192.0.2.1/x", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.1", Addr: a("192.0.2.1"), Out: true, What: "running-config", Config: true, URL: "tftp://192.0.2.1/x"}},
		{"write net", "wr net", facts.CommandCopy{Protocol: facts.TFTP, Out: true, What: "running-config", Config: true, URL: "tftp:"}},
		{"write net url", "write network tftp://192.0.2.7/a", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "running-config", Config: true, URL: "tftp://192.0.2.7/a"}},
		{"redirect", "show running-config | redirect ftp://192.0.2.7/a", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "running-config", Config: true, URL: "ftp://192.0.2.7/a"}},
		{"redirect without blanks", "show ip route |redirect tftp:", facts.CommandCopy{Protocol: facts.TFTP, Out: true, What: "output", URL: "tftp:"}},
		{"tee", "sh tech | tee /append tftp://192.0.2.7/t", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "tech-support", Config: true, URL: "tftp://192.0.2.7/t"}},
		{"nxos greater", "show run > tftp://192.0.2.7/t", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "running-config", Config: true, URL: "tftp://192.0.2.7/t"}},
		{"archive tar create", "archive tar /create ftp://192.0.2.7/a.tar flash:", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "flash:", URL: "ftp://192.0.2.7/a.tar"}},
		{"archive tar extract", "archive tar /xtract tftp://192.0.2.7/a.tar flash:", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), What: "a.tar", URL: "tftp://192.0.2.7/a.tar"}},
		{"archive download", "archive download-sw /overwrite tftp://192.0.2.7/i.tar", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), What: "i.tar", URL: "tftp://192.0.2.7/i.tar"}},
		{"configure replace", "configure replace tftp://192.0.2.7/c force", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), What: "running-config", Config: true, URL: "tftp://192.0.2.7/c"}},
		{"tclsh", "tclsh tftp://192.0.2.7/x.tcl", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), What: "x.tcl", URL: "tftp://192.0.2.7/x.tcl"}},
		{"capture export", "monitor capture CAP export tftp://192.0.2.7/x.pcap", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "capture", URL: "tftp://192.0.2.7/x.pcap"}},
		{"keys out", "crypto pki export CA pem url tftp://192.0.2.7/ca 3des pw", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.7", Addr: a("192.0.2.7"), Out: true, What: "key", Config: true, URL: "tftp://192.0.2.7/ca"}},
		// ASA.
		{"asa copy capture", "copy /pcap capture:in tftp://10.0.0.1/in.pcap", facts.CommandCopy{Protocol: facts.TFTP, Host: "10.0.0.1", Addr: a("10.0.0.1"), Out: true, What: "capture:in", URL: "tftp://10.0.0.1/in.pcap"}},
		{"asa write net", "write net 10.0.0.1:/fw", facts.CommandCopy{Protocol: facts.TFTP, Host: "10.0.0.1", Addr: a("10.0.0.1"), Out: true, What: "running-config", Config: true, URL: "tftp://10.0.0.1/fw"}},
		{"asa smb", "copy disk0:/x smb://srv/share/x", facts.CommandCopy{Protocol: facts.SMB, Host: "srv", Out: true, What: "disk0:/x", URL: "smb://srv/share/x"}},
		{"asa backup", "backup location ftp://u:p@10.0.0.1/b", facts.CommandCopy{Protocol: facts.FTP, Host: "10.0.0.1", Addr: a("10.0.0.1"), Out: true, What: "backup", Config: true, URL: "ftp://10.0.0.1/b"}},
		// Junos.
		{"junos copy", "file copy /config/juniper.conf.gz ftp://u:p@192.0.2.3/j.gz", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.3", Addr: a("192.0.2.3"), Out: true, What: "/config/juniper.conf.gz", Config: true, URL: "ftp://192.0.2.3/j.gz"}},
		{"junos scp form", "file copy /var/tmp/x ops@192.0.2.3:/tmp/x", facts.CommandCopy{Protocol: facts.SCP, Host: "192.0.2.3", Addr: a("192.0.2.3"), Out: true, What: "/var/tmp/x", URL: "scp://192.0.2.3//tmp/x"}},
		{"junos between routing engines", "file copy /var/tmp/x re1:/var/tmp/x", facts.CommandCopy{}},
		{"junos save", "show configuration | display set | save ftp://192.0.2.3/c", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.3", Addr: a("192.0.2.3"), Out: true, What: "configuration", Config: true, URL: "ftp://192.0.2.3/c"}},
		{"junos save mode", "save ftp://192.0.2.3/c", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.3", Addr: a("192.0.2.3"), Out: true, What: "configuration", Config: true, URL: "ftp://192.0.2.3/c"}},
		{"junos load", "load override ftp://192.0.2.3/c", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.3", Addr: a("192.0.2.3"), What: "c", Config: true, URL: "ftp://192.0.2.3/c"}},
		{"junos image", "request system software add ftp://192.0.2.3/junos.tgz no-copy", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.3", Addr: a("192.0.2.3"), What: "junos.tgz", URL: "ftp://192.0.2.3/junos.tgz"}},
		// FortiOS, PAN-OS, VRP.
		{"fortios ftp", "execute backup config ftp fw.conf 192.0.2.8 bob pw", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), Out: true, What: "config", Config: true, URL: "ftp://192.0.2.8/fw.conf"}},
		{"fortios full tftp", "exec backup full-config tftp fw.conf 192.0.2.8", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), Out: true, What: "full-config", Config: true, URL: "tftp://192.0.2.8/fw.conf"}},
		{"fortios logs", "execute backup disk alllogs ftp 192.0.2.8 bob pw", facts.CommandCopy{Protocol: facts.FTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), Out: true, What: "log", Config: true, URL: "ftp://192.0.2.8/"}},
		{"fortios restore", "execute restore image tftp i.out 192.0.2.8", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), What: "image", URL: "tftp://192.0.2.8/i.out"}},
		{"fortios usb", "execute backup config usb fw.conf", facts.CommandCopy{}},
		{"panos", "tftp export configuration from running-config.xml to 192.0.2.8", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), Out: true, What: "configuration", Config: true, URL: "tftp://192.0.2.8/"}},
		{"vrp", "tftp 192.0.2.8 put vrpcfg.cfg", facts.CommandCopy{Protocol: facts.TFTP, Host: "192.0.2.8", Addr: a("192.0.2.8"), Out: true, What: "vrpcfg.cfg", Config: true, URL: "tftp://192.0.2.8/"}},
		// No transfers.
		{"save locally", "copy running-config startup-config", facts.CommandCopy{}},
		{"write memory", "write memory", facts.CommandCopy{}},
		{"a path that says ftp", "/isanboot/bin/imghdr Debug /var/sysmgr/ftp/img-sync/curr-isan.img", facts.CommandCopy{}},
		{"a statement", "boot system tftp://192.0.2.1/x", facts.CommandCopy{}},
		{"archive path statement", "path ftp://192.0.2.1/x", facts.CommandCopy{}},
		{"show only", "show running-config | include tftp://192.0.2.1", facts.CommandCopy{}},
		{"configure terminal", "configure terminal", facts.CommandCopy{}},
		{"empty", "", facts.CommandCopy{}},
		{"one word", "copy", facts.CommandCopy{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := Parse([]byte(tt.line))
			if ok != (tt.want != facts.CommandCopy{}) {
				t.Errorf("Parse(%q) ok = %v", tt.line, ok)
			}
			if diff := cmp.Diff(tt.want, got, addrs); diff != "" {
				t.Errorf("Parse(%q) (-want +got):\n%s", tt.line, diff)
			}
		})
	}
}

func TestMask(t *testing.T) {
	tests := []struct {
		name string
		line string // a secret is between braces
	}{
		{"url", "copy run ftp://bob:{s3cr3t}@192.0.2.1/x"},
		{"url with at and slash", "copy run ftp://bob:{p@/s}@192.0.2.1/x"},
		{"url in a redirect", "show run |redirect ftp://bob:{pw}@h/x"},
		{"user only", "copy run scp://bob@192.0.2.1/x"},
		{"tftp file", "copy tftp://10.0.0.1/a:b@c flash:"},
		{"port is no password", "copy http://10.0.0.1:8080/a@b flash:"},
		{"username", "username bob privilege 15 password 0 {hunter2}"},
		{"username secret", "username bob secret 9 {$9$abc}"},
		{"hidekeys", "username bob password 7 *****"},
		{"enable", "enable secret level 15 5 {$1$x}"},
		{"ip ftp", "ip ftp password 7 {0802657D2A36}"},
		{"removal", "no ip ftp password {x}"},
		{"asa", "username bob password {AbCdEf} encrypted privilege 15"},
		{"passwd", "passwd {2KFQnbNIdI.2KYOU} encrypted"},
		{"community", "snmp-server community {public} RO 10"},
		{"bgp community", "set community 65000:100 additive"},
		{"trap host", "snmp-server host 192.0.2.1 vrf M version 2c {public} udp-port 1162 snmp"},
		{"trap host plain", "snmp-server host 192.0.2.1 {public}"},
		{"trap host asa", "snmp-server host inside 192.0.2.1 community {public} version 2c"},
		{"trap host v3", "snmp-server host 192.0.2.1 version 3 priv user1"},
		{"snmp user", "snmp-server user u g v3 auth sha {aaa} priv aes 128 {bbb}"},
		{"tacacs", "tacacs-server key 7 {070C285F}"},
		{"tacacs server mode", "key {plain}"},
		{"key number", "key 1"},
		{"key chain", "key chain K"},
		{"key-string", "key-string 7 {070C}"},
		{"ntp", "ntp authentication-key 1 md5 {secret} 7"},
		{"ntp server", "ntp server 192.0.2.1 key 1"},
		{"ospf", "ip ospf message-digest-key 1 md5 7 {070C}"},
		{"ospf plain", "ip ospf authentication-key {k}"},
		{"isakmp", "crypto isakmp key 6 {abc} address 0.0.0.0"},
		{"rsa", "crypto key generate rsa modulus 2048"},
		{"psk", "pre-shared-key local 0 {x}"},
		{"neighbor", "neighbor 192.0.2.1 password 7 {0A}"},
		{"fortios", "execute backup config ftp f 192.0.2.8 bob {pw}"},
		{"fortios tftp", "execute backup config tftp f 192.0.2.8 {pw}"},
		{"fortios logs", "execute backup disk alllogs ftp 192.0.2.8 bob {pw}"},
		{"recovery", "service password-encryption"},
		{"verify", "verify /md5 flash:x"},
		{"quoted", `set system radius-server 192.0.2.1 secret "{a b}"`},
		{"two", "copy ftp://a:{b}@192.0.2.1/x ftp://c:{d}@192.0.2.2/y"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			for rest := tt.line; ; {
				_, after, found := strings.Cut(rest, "{")
				if !found {
					break
				}
				var secret string
				secret, rest, _ = strings.Cut(after, "}")
				want = append(want, secret)
			}
			line := strings.NewReplacer("{", "", "}", "").Replace(tt.line)
			found := Secrets(nil, []byte(line))
			var got []string
			for _, s := range found {
				got = append(got, line[s.Start:s.End])
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("secrets of %q (-want +got):\n%s", line, diff)
			}
			masked := Mask([]byte(line), found)
			for _, s := range want {
				if strings.Contains(masked, " "+s) || strings.Contains(masked, ":"+s+"@") {
					t.Errorf("mask left %q in %q", s, masked)
				}
			}
			if len(want) == 0 && masked != line {
				t.Errorf("mask changed %q to %q", line, masked)
			}
		})
	}
}

func TestURLSecrets(t *testing.T) {
	text := `URL: ftp://u:{one}@192.0.2.1/x, Referer: "https://a:{two}@h/", http://h:80/a@b url:"sftp://u:{three}@h" tftp://a:b@c mail x@y ://:@`
	var want, got []string
	for rest := text; ; {
		_, after, found := strings.Cut(rest, "{")
		if !found {
			break
		}
		var secret string
		secret, rest, _ = strings.Cut(after, "}")
		want = append(want, secret)
	}
	plain := strings.NewReplacer("{", "", "}", "").Replace(text)
	for _, s := range URLSecrets(nil, []byte(plain)) {
		got = append(got, plain[s.Start:s.End])
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzCommand(f *testing.F) {
	for _, s := range []string{
		"copy run ftp://bob:s3cr3t@192.0.2.1/x", "show run | redirect tftp:", "execute backup config ftp a b c d", "snmp-server host 1.1.1.1 version 2c x",
		"file copy x a.b@c:/d", `copy "a b" ftp:`, "write net 10.0.0.1:/x", "username x password 7 y", "monitor capture x export ftp://[::1]:21/a",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		before := string(line)
		cp, ok := Parse(line)
		if ok && (cp.Protocol == facts.ProtocolUnknown || cp.URL == "") {
			t.Errorf("Parse(%q) = %+v", line, cp)
		}
		at := 0
		found := Secrets(nil, line)
		for _, s := range found {
			if s.Start < at || s.End <= s.Start || s.End > len(line) {
				t.Fatalf("secret %+v of %q", s, line)
			}
			at = s.End
		}
		Mask(line, found)
		for _, s := range URLSecrets(nil, line) {
			if s.Start < 0 || s.End <= s.Start || s.End > len(line) {
				t.Fatalf("secret %+v of the URLs in %q", s, line)
			}
		}
		if string(line) != before {
			t.Errorf("the line changed: %q to %q", before, line)
		}
	})
}
