package asalog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// state writes down what one message states.
func state(t testing.TB, body string) (stated []string, class string, understood bool) {
	t.Helper()
	return parsetest.Message(t, Dialect(), facts.Certain, body)
}

const notAddressed = "note transfers between ends that the firewall writes as names were left out"

func TestMessages(t *testing.T) {
	tests := []struct {
		name  string
		body  string
		class string
		want  []string
	}{
		// Connections.
		{"inbound: the first end opened it", "%ASA-6-302013: Built inbound TCP connection 27 for outside:192.0.2.9/49926 (192.0.2.9/49926) to dmz:10.1.1.5/21 (198.51.100.5/21)", "ASA-302013",
			[]string{"192.0.2.9:49926>10.1.1.5:21/6 ftp/ftp by port session allowed half=1 conn=27"}},
		{"outbound: the second end opened it", "%ASA-6-302013: Built outbound TCP connection 9 for outside:192.0.2.1/21 (192.0.2.1/21) to inside:10.1.1.2/53496 (198.51.100.1/1024)", "ASA-302013",
			[]string{"10.1.1.2:53496>192.0.2.1:21/6 ftp/ftp by port session allowed half=1 conn=9"}},
		{"identity user", `%ASA-6-302013: Built inbound TCP connection 2 for internet:10.2.3.4/49926 (192.0.2.4/49926)(LOCAL\bob) to vlan-42:192.0.2.144/445 (192.0.2.144/445) (bob)`, "ASA-302013",
			[]string{`10.2.3.4:49926>192.0.2.144:445/6 smb/smb by port session allowed half=1 conn=2 user=LOCAL\bob`}},
		{"ipv6", "%ASA-6-302015: Built outbound UDP connection 7 for outside:2001:db8::9/69 (2001:db8::9/69) to inside:2001:db8:1::2/5000 (2001:db8:1::2/5000)", "ASA-302015",
			[]string{"2001:db8:1::2:5000>2001:db8::9:69/17 tftp/tftp by port session allowed half=1 conn=7"}},
		{"to the firewall itself", "%ASA-6-302013: Built inbound TCP connection 3 for inside:10.0.0.9/2000 (10.0.0.9/2000) to identity:10.0.0.1/4786 (10.0.0.1/4786)", "ASA-302013",
			[]string{"10.0.0.9:2000>10.0.0.1:4786/6 smi/smi by port session allowed half=1 conn=3"}},
		{"to the firewall itself, older", "%ASA-6-302016: Teardown UDP connection 9828 for inside:10.0.0.1/1067 to NP Identity Ifc:10.0.0.254/69 duration 0:58:46 bytes 58512", "ASA-302016",
			[]string{"10.0.0.1:1067>10.0.0.254:69/17 tftp/tftp by port session allowed half=2 conn=9828 bytes -/-/58512 for 58m46s"}},
		{"active ftp data", "%ASA-6-302013: Built inbound TCP connection 4 for outside:192.0.2.1/20 (192.0.2.1/20) to inside:10.1.1.2/50000 (10.1.1.2/50000)", "ASA-302013",
			[]string{"192.0.2.1:20>10.1.1.2:50000/6 ftp/unknown by port session allowed half=1 conn=4"}},
		{"state bypass", "%ASA-6-302303: Built TCP state-bypass connection 5 from inside:10.1.1.2/50000 (10.1.1.2/50000) to outside:192.0.2.1/21 (192.0.2.1/21)", "ASA-302303",
			[]string{"10.1.1.2:50000>192.0.2.1:21/6 ftp/ftp by port session allowed half=1 conn=5"}},
		{"everyday connections are beats", "%ASA-6-302013: Built outbound TCP connection 9 for outside:192.0.2.1/443 (192.0.2.1/443) to inside:10.1.1.2/53496 (10.1.1.2/53496)", "ASA-302013", nil},
		{"named end", "%ASA-6-302013: Built outbound TCP connection 9 for outside:192.0.2.1/21 (192.0.2.1/21) to dmz:backup_srv/5678 (backup_srv/5678)", "ASA-302013", []string{notAddressed}},
		{"named end of no transfer", "%ASA-6-302013: Built outbound TCP connection 9 for outside:192.0.2.1/80 (192.0.2.1/80) to dmz:OCSP_Server/5678 (OCSP_Server/5678)", "ASA-302013", nil},
		{"teardown", "%ASA-6-302014: Teardown TCP connection 9 for outside:192.0.2.1/21 to inside:10.1.1.2/53496 duration 0:01:07 bytes 38110 TCP FINs", "ASA-302014",
			[]string{"10.1.1.2:53496>192.0.2.1:21/6 ftp/ftp by port session allowed half=2 conn=9 bytes -/-/38110 for 1m7s"}},
		{"teardown, server second", `%FTD-6-302014: Teardown TCP connection 9 for outside:192.0.2.9/49926 to dmz:10.1.1.5/21 duration 92:24:20 bytes 4671944 TCP Reset-O from dmz (bob)`, "FTD-302014",
			[]string{"192.0.2.9:49926>10.1.1.5:21/6 ftp/ftp by port session allowed half=2 conn=9 bytes -/-/4671944 for 92h24m20s"}},
		{"nobody answered", "%ASA-6-302014: Teardown TCP connection 9 for outside:192.0.2.1/21 to inside:10.1.1.2/53496 duration 0:00:30 bytes 0 SYN Timeout", "ASA-302014",
			[]string{"10.1.1.2:53496>192.0.2.1:21/6 ftp/ftp by port session failed half=2 conn=9 bytes -/-/0 for 30s"}},
		{"teardown of udp, old users", "%FTD-6-302016: Teardown UDP connection 666 for outside:192.0.2.222/69 user1 to inside:10.123.1.35/52925 user2 duration 10:00:00 bytes 9999999", "FTD-302016",
			[]string{"10.123.1.35:52925>192.0.2.222:69/17 tftp/tftp by port session allowed half=2 conn=666 bytes -/-/9999999 for 10h0m0s user=user1"}},
		{"icmp", "%ASA-6-302021: Teardown ICMP connection for faddr 192.0.2.1/0 gaddr 10.0.0.1/17233 laddr 10.0.0.1/17233", "ASA-302021", nil},
		{"session word", "%FTD-session-6-302013: Built inbound TCP connection 1 for a:192.0.2.10/59864 (192.0.2.10/59864) to b:10.0.0.1/990 (10.0.0.1/990)", "FTD-302013",
			[]string{"192.0.2.10:59864>10.0.0.1:990/6 ftps/ftps by port session allowed half=1 conn=1"}},
		// FTP inspection.
		{"stored", "%FTD-6-303002: FTP connection from net:10.0.0.2/63656 to fw:192.0.2.4/21, user test user Stored file /a/my file.log", "FTD-303002",
			[]string{"10.0.0.2:63656>192.0.2.4:21/6 ftp/ftp by dpi put allowed user=test user file=/a/my file.log"}},
		{"retrieved, on another port", "%ASA-6-303002: FTP connection from net:10.0.0.2/63656(LOCAL\\bob) to fw:192.0.2.4/2121, user bob Retrieved file x Stored file y", "ASA-303002",
			[]string{"10.0.0.2:63656>192.0.2.4:2121/6 ftp/unknown by dpi get allowed user=bob file=x Stored file y"}},
		{"refused", "%ASA-5-303004: FTP SITE command unsupported - failed strict inspection, terminating connection from inside:10.0.0.2/1024 to outside:192.0.2.4/21", "ASA-303004",
			[]string{"10.0.0.2:1024>192.0.2.4:21/6 ftp/ftp by dpi session denied"}},
		// Denied and permitted packets.
		{"106001", "%ASA-2-106001: Inbound TCP connection denied from 192.0.2.11/45321 to 10.0.0.12/445 flags URG+SYN+RST on interface eth0", "ASA-106001",
			[]string{"192.0.2.11:45321>10.0.0.12:445/6 smb/smb by port  denied"}},
		{"106006", "%FTD-2-106006: Deny inbound UDP from 192.0.2.66/137 to 10.1.2.42/137 on interface inside", "FTD-106006",
			[]string{"192.0.2.66:137>10.1.2.42:137/17 smb/smb by port  denied"}},
		{"106007", "%FTD-2-106007: Deny inbound UDP from 192.0.2.66/12981 to 10.1.2.60/53 due to DNS Query", "FTD-106007", nil},
		{"106015, the rest of a session", "%FTD-6-106015: Deny TCP (no connection) from 192.0.2.2/21 to 10.1.1.34/5679 flags RST  on interface outside", "FTD-106015",
			[]string{"10.1.1.34:5679>192.0.2.2:21/6 ftp/ftp by port  failed"}},
		{"106014", `%ASA-3-106014: Deny inbound icmp src outside:192.0.2.1 dst inside:10.0.0.1 (type 8, code 0)`, "ASA-106014", nil},
		{"106023", `%ASA-4-106023: Deny udp src inside:10.0.0.1/6316(LOCAL\bob) dst outside:192.0.2.5/69 by access-group "acl_in" [0xe3afb522, 0x0]`, "ASA-106023",
			[]string{`10.0.0.1:6316>192.0.2.5:69/17 tftp/tftp by port  denied user=LOCAL\bob`}},
		{"106023 icmp", `%ASA-4-106023: Deny icmp src outside:192.0.2.1 dst inside:10.0.0.1 (type 8, code 0) by access-group "x"`, "ASA-106023", nil},
		{"106023 protocol number", `%ASA-4-106023: Deny protocol 47 src outside:192.0.2.1 dst inside:10.0.0.1 by access-group "x"`, "ASA-106023", nil},
		{"106023 name", `%ASA-4-106023: Deny tcp src MG:exp_srv/10050 dst outside:192.0.2.5/21 by access-group "x"`, "ASA-106023", []string{notAddressed}},
		{"106100 permitted", `%ASA-6-106100: access-list incoming permitted udp dmz2/10.2.3.4(56575)(LOCAL\u) -> inside/10.3.4.5(69) hit-cnt 1 first hit [0x93d0e533, 0x578ef52f]`, "ASA-106100",
			[]string{`10.2.3.4:56575>10.3.4.5:69/17 tftp/tftp by port  allowed user=LOCAL\u`}},
		{"106100 denied v6", `%ASA-4-106100: access-list in denied tcp inside/2001:db8::1(1024) -> outside/2001:db8:9::2(21) hit-cnt 144 300-second interval [0xe982c7a4, 0x0]`, "ASA-106100",
			[]string{"2001:db8::1:1024>2001:db8:9::2:21/6 ftp/ftp by port  denied"}},
		{"106100 name", `%ASA-5-106100: access-list A denied tcp LB/WHAT-A-NAME-192.168.2.244(27218) -> OUTSIDE/192.0.2.144(21) hit-cnt 1 first hit [0x1, 0x0]`, "ASA-106100", []string{notAddressed}},
		{"106102", `%ASA-6-106102: access-list acl denied tcp for user bob inside/10.0.0.1(1024) -> outside/192.0.2.2(21) hit-cnt 1 first hit [0x1, 0x0]`, "ASA-106102",
			[]string{"10.0.0.1:1024>192.0.2.2:21/6 ftp/ftp by port  denied user=bob"}},
		{"710003", "%ASA-3-710003: TCP access denied by ACL from 192.0.2.160/8949 to outside:198.51.100.38/23", "ASA-710003", nil},
		{"710005", "%ASA-7-710005: UDP request discarded from 10.0.0.5/1024 to inside:10.0.0.1/tftp", "ASA-710005",
			[]string{"10.0.0.5:1024>10.0.0.1:69/17 tftp/tftp by port  denied"}},
		// Commands.
		{"111008", "%ASA-5-111008: User 'admin' executed the 'copy running-config ftp://bob:s3cr3t@192.0.2.4/fw.cfg' command.", "ASA-111008",
			[]string{`secret "s3cr3t"`, `command user="admin" from=invalid IP "copy running-config ftp://bob:***@192.0.2.4/fw.cfg" allowed`, `copy ftp "192.0.2.4" out=true what="running-config" config=true "ftp://192.0.2.4/fw.cfg"`}},
		{"111008 quotes", "%ASA-5-111008: User 'a' executed the 'username b password x' command' command.", "ASA-111008",
			[]string{`secret "x'"`, `command user="a" from=invalid IP "username b password *** command" allowed`}},
		{"111009", "%ASA-7-111009: User 'enable_15' executed cmd: show running-config", "ASA-111009", []string{`command user="enable_15" from=invalid IP "show running-config" allowed`}},
		{"111010", "%ASA-5-111010: User 'enable_15', running 'CLI' from IP 10.10.0.87, executed 'copy /noconfirm run tftp://10.0.0.9/x'", "ASA-111010",
			[]string{`command user="enable_15" from=10.10.0.87 "copy /noconfirm run tftp://10.0.0.9/x" allowed`, `copy tftp "10.0.0.9" out=true what="running-config" config=true "tftp://10.0.0.9/x"`}},
		{"111010 without colon, console", "%ASA-5-111010 User 'john', running 'N/A' from IP 0.0.0.0, executed 'write net'", "ASA-111010",
			[]string{`command user="john" from=invalid IP "write net" allowed`, `copy tftp "" out=true what="running-config" config=true "tftp:"`}},
		// Changes.
		{"111007", "%ASA-5-111007: Begin configuration: 10.1.1.1 reading from http [POST]", "ASA-111007", []string{`change config "reading from http [POST]" user="" from=10.1.1.1`}},
		{"111007 network", "%ASA-5-111007: Begin configuration: console reading from tftp://192.0.2.3/fw.cfg", "ASA-111007",
			[]string{`change config-from-network "tftp://192.0.2.3/fw.cfg" user="" from=invalid IP`, "invalid IP:0>192.0.2.3:0/0 tftp/unknown by log get allowed file=fw.cfg"}},
		{"111001", "%ASA-5-111001: Begin configuration: 10.1.1.1 writing to memory", "ASA-111001", []string{`change config "writing to memory" user="" from=10.1.1.1`}},
		{"111005", "%ASA-5-111005: 10.1.1.1 end configuration: OK", "ASA-111005", []string{`change config "end" user="" from=10.1.1.1`}},
		{"199002", "%ASA-6-199002: Startup completed. Beginning operation.", "ASA-199002", []string{`change restart "" user="" from=invalid IP`}},
		// Logins.
		{"605004", `%ASA-6-605004: Login denied from 10.0.0.9/1024 to inside:10.0.0.1/ssh for user "eve"`, "ASA-605004", []string{`auth unknown user="eve" from=10.0.0.9 failed`}},
		{"605005", `%ASA-6-605005: Login permitted from 10.0.0.9/1024 to inside:10.0.0.1/https for user "bob"`, "ASA-605005", []string{`auth unknown user="bob" from=10.0.0.9 allowed`}},
		{"611101", "%ASA-6-611101: User authentication succeeded: IP address: 10.0.0.9, Uname: bob", "ASA-611101", []string{`auth unknown user="bob" from=10.0.0.9 allowed`}},
		{"611102", "%ASA-6-611102: User authentication failed: Uname: bob", "ASA-611102", []string{`auth unknown user="bob" from=invalid IP failed`}},
		{"113004 accounting", "%FDT-6-113004: AAA user accounting Successful : server =  192.168.0.8 : user = sample-user", "FTD-113004", nil},
		{"113005", "%ASA-6-113005: AAA user authentication Rejected : reason = AAA failure : server = 10.0.0.8 : user = eve : user IP = 192.0.2.7", "ASA-113005", []string{`auth unknown user="eve" from=192.0.2.7 failed`}},
		{"113012", "%ASA-6-113012: AAA user authentication Successful : local database : user = sample.user", "ASA-113012", []string{`auth unknown user="sample.user" from=invalid IP allowed`}},
		{"113006", "%ASA-6-113006: User eve locked out on exceeding 3 successive failed authentication attempts", "ASA-113006", []string{`auth unknown user="eve" from=invalid IP failed`}},
		{"109006 through the firewall", "%ASA-6-109006: Authentication failed for user 'eve' from 10.0.0.9/1024 to 192.0.2.1/21 on interface inside", "ASA-109006", []string{`auth ftp user="eve" from=10.0.0.9 failed`}},
		// FTD.
		{"430003", "%FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 2121, Protocol: tcp, ACPolicy: default, User: DOM\\bob, UserAgent: x, y, Client: FTP client, ApplicationProtocol: FTP, ConnectionDuration: 12, InitiatorBytes: 503, ResponderBytes: 690, NAPPolicy: Balanced Security and Connectivity", "FTD-430003",
			[]string{`10.0.1.20:46000>192.0.2.144:2121/6 ftp/unknown by app-id session allowed bytes 503/690/1193 for 12s user=DOM\bob`}},
		{"430003 by port", "%NGIPS-1-430003: ConnectionID: 77, AccessControlRuleAction: Trust, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 69, Protocol: udp, User: Not Found, ConnectionDuration: 0, InitiatorBytes: 5, ResponderBytes: 6", "NGIPS-430003",
			[]string{"10.0.1.20:46000>192.0.2.144:69/17 tftp/tftp by port session allowed conn=77 bytes 5/6/11 for 0s"}},
		{"another application on a transfer port", "%FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 21, Protocol: tcp, ApplicationProtocol: HTTP, InitiatorBytes: 5, ResponderBytes: 6", "FTD-430003",
			[]string{"10.0.1.20:46000>192.0.2.144:21/6 http/ftp by app-id session allowed bytes 5/6/11"}},
		{"web", "%FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 80, Protocol: tcp, ApplicationProtocol: HTTP, InitiatorBytes: 5, ResponderBytes: 6", "FTD-430003", nil},
		{"430002 is counted at its end", "%FTD-1-430002: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 21, Protocol: tcp, InitiatorBytes: 5, ResponderBytes: 6", "FTD-430002", nil},
		{"430002 blocked", "%FTD-1-430002: AccessControlRuleAction: Block with reset, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 21, Protocol: tcp", "FTD-430002",
			[]string{"10.0.1.20:46000>192.0.2.144:21/6 ftp/ftp by port session denied"}},
		{"text cannot hide a volume", "%FTD-1-430003: AccessControlRuleAction: Allow, SrcIP: 10.0.1.20, DstIP: 192.0.2.144, SrcPort: 46000, DstPort: 21, Protocol: tcp, UserAgent: z, InitiatorBytes: 0, SrcIP: 10.9.9.9, InitiatorBytes: 99999, ResponderBytes: 6", "FTD-430003",
			[]string{"10.0.1.20:46000>192.0.2.144:21/6 ftp/ftp by port session allowed bytes 99999/6/100005"}},
		{"430005", "%FTD-1-430005: SrcIP: 10.0.1.20, DstIP: 192.0.2.30, SrcPort: 41544, DstPort: 445, Protocol: tcp, FileDirection: Upload, FileAction: Malware Block, FileName: a, b.zip, FileType: ZIP, FileSize: 184, ApplicationProtocol: NetBIOS-ssn (SMB)", "FTD-430005",
			[]string{"10.0.1.20:41544>192.0.2.30:445/6 smb/smb by app-id put denied file=a, b.zip"}},
		// Others.
		{"unknown message", "%ASA-7-999999: This message is not filtered.", "ASA-999999", nil},
		{"no number", "%ASA-x: y", "ASA-000000", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, class, ok := state(t, tt.body)
			if !ok || class != tt.class {
				t.Errorf("understood %v, class %q, want %q", ok, class, tt.class)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.body, diff)
			}
		})
	}
}

// TestBroken: a message that should carry facts and does not read says so.
func TestBroken(t *testing.T) {
	for _, body := range []string{
		"%ASA-6-302013: Built inbound TCP connection x for a:192.0.2.1/1 to b:10.0.0.1/21",
		"%ASA-6-302014: Teardown TCP connection 9 for outside:192.0.2.1/21 to inside:10.1.1.2/53496 duration 0:01:07",
		"%ASA-6-303002: FTP connection from a to b",
		"%ASA-4-106023: Deny tcp src",
		"%ASA-5-111008: User executed",
		"%ASA-6-106100: access-list x",
		"%FTD-1-430003: nothing",
	} {
		if got, _, ok := state(t, body); ok || got != nil {
			t.Errorf("%q: understood, %q", body, got)
		}
	}
	for _, body := range []string{"", "%SYS-5-CONFIG_I: x", "ASA-6-302013: x", "%ASA"} {
		if c := match(&facts.Message{Body: []byte(body)}); c != facts.No {
			t.Errorf("match(%q) = %d", body, c)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, id := range []string{"302013: Built inbound TCP connection 27 for o:192.0.2.9/4 (192.0.2.9/4)(u) to d:10.1.1.5/21 (1.2.3.4/21)", "302014: Teardown TCP connection 9 for o:192.0.2.1/21 to i:10.1.1.2/5 duration 0:01:07 bytes 38110 TCP FINs",
		"303002: FTP connection from n:10.0.0.2/6 to f:192.0.2.4/21, user u Stored file x", "106100: access-list x denied tcp i/10.0.0.1(1)(u) -> o/192.0.2.1(21) hit-cnt 1", "430003: SrcIP: 10.0.1.20, DstIP: 192.0.2.144, DstPort: 21, Protocol: tcp",
		"111008: User 'a' executed the 'copy run ftp://a:b@c/d' command.", "710005: UDP request discarded from 10.0.0.5/1 to i:10.0.0.1/tftp"} {
		f.Add("%ASA-6-" + id)
	}
	f.Fuzz(func(t *testing.T, body string) { state(t, body) })
}

func BenchmarkMessage(b *testing.B) {
	for name, body := range map[string]string{
		"built-web":    "%ASA-6-302013: Built outbound TCP connection 27215708 for outside:192.0.2.144/443 (192.0.2.144/443) to inside:10.10.20.30/53496 (198.51.100.1/10240)",
		"teardown-ftp": "%ASA-6-302014: Teardown TCP connection 27215708 for outside:192.0.2.144/21 to inside:10.10.20.30/53496 duration 0:01:07 bytes 38110 TCP FINs",
		"deny":         `%ASA-4-106023: Deny tcp src outside:192.0.2.254/45321 dst inside:10.31.98.44/8277 by access-group "inbound" [0x0, 0x0]`,
		"beat":         "%ASA-6-305011: Built dynamic TCP translation from inside:10.31.98.44/1772 to outside:192.0.2.44/8256",
	} {
		b.Run(name, func(b *testing.B) {
			m := &facts.Message{Body: []byte(body)}
			p, s := Dialect().New(), facts.NewSink()
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p.Message(m, s)
			}
		})
	}
}
