package ioslog

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// state writes down what one message states.
func state(t testing.TB, body string) (stated []string, class string, understood bool) {
	t.Helper()
	return parsetest.Message(t, Dialect(), facts.No+1, body)
}

func TestMessages(t *testing.T) {
	tests := []struct {
		name  string
		body  string
		class string
		want  []string
	}{
		// Filters.
		{"denied", "%SEC-6-IPACCESSLOGP: list 177 denied udp 10.0.0.195(55250) -> 192.0.2.255(69), 1 packet", "SEC-6-IPACCESSLOGP",
			[]string{"10.0.0.195:55250>192.0.2.255:69/17 tftp/tftp by port  denied"}},
		{"permitted, log-input", "%SEC-6-IPACCESSLOGP: list mgmt permitted tcp 10.0.0.1(1024) (FastEthernet0/0 0004.dd46.7777) -> 192.0.2.1(21), 295 packets  [0x1]", "SEC-6-IPACCESSLOGP",
			[]string{"10.0.0.1:1024>192.0.2.1:21/6 ftp/ftp by port  allowed"}},
		{"an answer", "%SEC-6-IPACCESSLOGP: list in permitted tcp 192.0.2.1(445) -> 10.0.0.1(50000), 1 packet", "SEC-6-IPACCESSLOGP",
			[]string{"10.0.0.1:50000>192.0.2.1:445/6 smb/smb by port  allowed"}},
		{"active ftp data", "%SEC-6-IPACCESSLOGP: list in permitted tcp 192.0.2.1(20) -> 10.0.0.1(50000), 1 packet", "SEC-6-IPACCESSLOGP",
			[]string{"192.0.2.1:20>10.0.0.1:50000/6 ftp/unknown by port  allowed"}},
		{"no transfer port", "%SEC-6-IPACCESSLOGP: list 150 denied tcp 10.0.0.12(59832) -> 192.0.2.144(80), 1 packet", "SEC-6-IPACCESSLOGP", nil},
		{"stack member", "%SEC-SW2-6-IPACCESSLOGP: list 150 denied tcp 10.0.0.12(59832) -> 192.0.2.144(4786), 1 packet", "SEC-SW2-6-IPACCESSLOGP",
			[]string{"10.0.0.12:59832>192.0.2.144:4786/6 smi/smi by port  denied"}},
		{"ipv6", "%IPV6-6-ACCESSLOGP: list ACL-IPv6-E0/0-IN/10 permitted tcp 2001:db8:4:4002:91f2:a9b2:e09a:6fc6(1027) -> 2001:db8::22(21), 9 packets", "IPV6-6-ACCESSLOGP",
			[]string{"2001:db8:4:4002:91f2:a9b2:e09a:6fc6:1027>2001:db8::22:21/6 ftp/ftp by port  allowed"}},
		{"ios xe", "%FMANFP-6-IPACCESSLOGP: F0: fman_fp_image:  list 101 denied udp 10.0.0.1(5000) -> 192.0.2.9(69), 1 packet", "FMANFP-6-IPACCESSLOGP",
			[]string{"10.0.0.1:5000>192.0.2.9:69/17 tftp/tftp by port  denied"}},
		{"ios xr", "%ACL-IPV4_ACL-6-IPACCESSLOGP : access-list edge (10) deny tcp 10.0.0.1(5000) -> 192.0.2.9(21), 1 packet", "ACL-IPV4_ACL-6-IPACCESSLOGP",
			[]string{"10.0.0.1:5000>192.0.2.9:21/6 ftp/ftp by port  denied"}},
		{"eos", "%ACL-6-IPACCESS: list acl-internet Ethernet1 denied tcp 10.0.0.1(5000) -> 192.0.2.9(21)", "ACL-6-IPACCESS",
			[]string{"10.0.0.1:5000>192.0.2.9:21/6 ftp/ftp by port  denied"}},
		{"icmp", "%SEC-6-IPACCESSLOGDP: list 151 denied icmp 10.0.0.1 -> 10.0.0.2 (3/4), 1 packet", "SEC-6-IPACCESSLOGDP", nil},
		{"standard list", "%SEC-6-IPACCESSLOGS: list ip-ssh denied 192.0.2.4 5 packets", "SEC-6-IPACCESSLOGS", nil},
		{"no ports", "%SEC-6-IPACCESSLOGNP: list 171 denied 0 10.0.0.1 -> 255.255.255.255, 1 packet", "SEC-6-IPACCESSLOGNP", nil},
		{"rate limited", "%SEC-6-IPACCESSLOGRL: access-list logging rate-limited or missed 18 packets", "SEC-6-IPACCESSLOGRL",
			[]string{"note access lists whose logging was rate-limited: packets are missing from the log"}},
		{"nx-os flow", `%ACLLOG-5-ACLLOG_FLOW_INTERVAL: Src IP: 10.1.1.1, Dst IP: 192.0.2.13, Src Port: 1024, Dst Port: 69, Src Intf: Ethernet4/1, Protocol: "UDP"(17), ACL Name: x, ACE Action: Deny, ACL Action: Deny, Hit-count = 2589`, "ACLLOG-5-ACLLOG_FLOW_INTERVAL",
			[]string{"10.1.1.1:1024>192.0.2.13:69/17 tftp/tftp by port  denied"}},
		{"firewall session", "%FW-6-SESS_AUDIT_TRAIL: (target:class)-(zp:cm):Stop ftp session: initiator (10.1.1.1:32782) sent 22 bytes -- responder (192.0.2.2:21) sent 200 bytes", "FW-6-SESS_AUDIT_TRAIL",
			[]string{"10.1.1.1:32782>192.0.2.2:21/6 ftp/ftp by dpi session allowed bytes 22/200/222"}},
		{"firewall session by port", "%FW-6-SESS_AUDIT_TRAIL: Stop udp session: initiator (10.1.1.1:32782) sent 22 bytes -- responder (192.0.2.2:69) sent 200 bytes", "FW-6-SESS_AUDIT_TRAIL",
			[]string{"10.1.1.1:32782>192.0.2.2:69/17 tftp/tftp by port session allowed bytes 22/200/222"}},
		{"firewall session of no transfer", "%FW-6-SESS_AUDIT_TRAIL: Stop http session: initiator (10.1.1.1:32782) sent 22 bytes -- responder (192.0.2.2:80) sent 200 bytes", "FW-6-SESS_AUDIT_TRAIL", nil},
		{"firewall start", "%FW-6-SESS_AUDIT_TRAIL_START: Start ftp session: initiator (10.1.1.1:32782) -- responder (192.0.2.2:21)", "FW-6-SESS_AUDIT_TRAIL_START", nil},
		{"firewall drop", "%FW-6-DROP_PKT: Dropping tcp session 10.0.0.1:1024 192.0.2.1:445 on zone-pair zp class class-default due to  DROP action found in policy-map with ip ident 0", "FW-6-DROP_PKT",
			[]string{"10.0.0.1:1024>192.0.2.1:445/6 smb/smb by port  denied"}},
		{"firewall drop, arrow", "%FW-6-DROP_PKT: Dropping udp pkt 10.0.0.1:1024 => 192.0.2.1:69 due to x", "FW-6-DROP_PKT",
			[]string{"10.0.0.1:1024>192.0.2.1:69/17 tftp/tftp by port  denied"}},
		{"firewall drop of others", "%FW-6-DROP_PKT: Dropping Other session 10.0.0.1:0 192.0.2.1:0 on zone-pair zp", "FW-6-DROP_PKT", nil},
		// Configuration.
		{"from the console", "%SYS-5-CONFIG_I: Configured from console by bob on vty0 (10.0.0.9)", "SYS-5-CONFIG_I", []string{`change config "console" user="bob" from=10.0.0.9`}},
		{"by a line", "%SYS-5-CONFIG_I: Configured from console by vty2 (10.0.0.9)", "SYS-5-CONFIG_I", []string{`change config "console" user="" from=10.0.0.9`}},
		{"console by console", "%SYS-5-CONFIG_I: Configured from console by console", "SYS-5-CONFIG_I", []string{`change config "console" user="" from=invalid IP`}},
		{"by snmp", "%SYS-5-CONFIG_I: Configured from 10.0.0.7 by snmp", "SYS-5-CONFIG_I", []string{`change config "snmp" user="" from=10.0.0.7`}},
		{"netconf", "%DMI-5-CONFIG_I: R0/0: dmiauthd: Configured from NETCONF/RESTCONF by admin, transaction-id 74", "DMI-5-CONFIG_I", []string{`change config "NETCONF/RESTCONF" user="admin" from=invalid IP`}},
		{"programmatically", "%SYS-5-CONFIG_P: Configured programmatically by process SSH Process from console as johndoe on vty0 (192.0.2.4)", "SYS-5-CONFIG_P", []string{`change config "process" user="johndoe" from=192.0.2.4`}},
		{"nx-os", "%VSHD-5-VSHD_SYSLOG_CONFIG_I: Configured from vty by jdoe on 192.0.2.4@pts/0", "VSHD-5-VSHD_SYSLOG_CONFIG_I", []string{`change config "vty" user="jdoe" from=192.0.2.4`}},
		{"xr", "%MGBL-SYS-5-CONFIG_I : Configured from console by bob", "MGBL-SYS-5-CONFIG_I", []string{`change config "console" user="bob" from=invalid IP`}},
		{"xr commit", "%MGBL-CONFIG-6-DB_COMMIT : Configuration committed by user 'bob'. Use 'show configuration commit changes 1000000001' to view the changes.", "MGBL-CONFIG-6-DB_COMMIT", []string{`change config "commit" user="bob" from=invalid IP`}},
		{"eos", "%SYS-5-CONFIG_STARTUP: Startup config saved from system:/running-config by admin on vty3 (127.0.0.1).", "SYS-5-CONFIG_STARTUP", []string{`change config "startup-config" user="admin" from=127.0.0.1`}},
		{"from tftp", "%SYS-5-CONFIG_I: Configured from tftp://192.0.2.9//r1-confg by console", "SYS-5-CONFIG_I",
			[]string{`change config-from-network "tftp://192.0.2.9//r1-confg" user="" from=invalid IP`, "invalid IP:0>192.0.2.9:0/0 tftp/unknown by log get allowed file=r1-confg"}},
		{"nvram from ftp with a password", "%SYS-5-CONFIG_NV_I: Nonvolatile storage configured from ftp://u:p4ss@192.0.2.9/x by bob on vty0 (10.0.0.9)", "SYS-5-CONFIG_NV_I",
			[]string{`change config-from-network "ftp://192.0.2.9/x" user="bob" from=10.0.0.9`, "invalid IP:0>192.0.2.9:0/0 ftp/unknown by log get allowed file=x"}},
		{"old form, a name", "%SYS-5-CONFIG:Configured from tftp://host.example/addc5505-rsm.nyiix", "SYS-5-CONFIG", []string{`change config-from-network "tftp://host.example/addc5505-rsm.nyiix" user="" from=invalid IP`}},
		{"parse failed", "%SYS-4-CONFIG_RESOLVE_FAILURE: System config parse from (tftp://255.255.255.255/network-confg) failed", "SYS-4-CONFIG_RESOLVE_FAILURE",
			[]string{"invalid IP:0>255.255.255.255:0/0 tftp/unknown by log get failed file=network-confg"}},
		{"open failed", "%Error opening tftp://255.255.255.255/network-confg (Timed out)", "", []string{"invalid IP:0>255.255.255.255:0/0 tftp/unknown by log get failed file=network-confg"}},
		{"open failed locally", "%Error opening nvram:/x (No such file)", "", nil},
		{"restart", "%SYS-5-RESTART: System restarted --\n  Cisco IOS Software", "SYS-5-RESTART", []string{`change restart "" user="" from=invalid IP`}},
		{"reload", "%SYS-5-RELOAD: Reload requested by bob on vty0 (10.0.0.9). Reload Reason: Reload Command.", "SYS-5-RELOAD", []string{`change restart "" user="bob" from=10.0.0.9`}},
		{"logging stopped", "%SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.239 stopped - CLI initiated", "SYS-6-LOGGINGHOST_STARTSTOP", []string{`change service-stop "logging host 192.0.2.239" user="" from=invalid IP`}},
		{"logging started", "%SYS-6-LOGGINGHOST_STARTSTOP: Logging to host 192.0.2.239 port 514 started - CLI initiated", "SYS-6-LOGGINGHOST_STARTSTOP", []string{`change service-start "logging host 192.0.2.239" user="" from=invalid IP`}},
		{"logging fails", "%SYS-3-LOGGINGHOST_FAIL: Logging to host 192.0.2.4 port 514 failed", "SYS-3-LOGGINGHOST_FAIL", []string{`change service-stop "logging host 192.0.2.4" user="" from=invalid IP`}},
		{"nx-os service", "%DAEMON-3-SYSTEM_MSG: ftp disabled, removing - xinetd[4930]", "DAEMON-3-SYSTEM_MSG", []string{`change service-stop "ftp" user="" from=invalid IP`}},
		{"smart install", "%SMI-6-UPGRD_STARTED: Device (IP address: 10.0.0.44) image upgrade has started", "SMI-6-UPGRD_STARTED", []string{`change smart-install "SMI-6-UPGRD_STARTED" user="" from=10.0.0.44`}},
		{"smart install exploited", "%SM-4-BADEVENT: Event 'x' is invalid for the current state 'present': smi_ibc_serv", "SM-4-BADEVENT", []string{`change smart-install "SM-4-BADEVENT" user="" from=invalid IP`}},
		// Commands.
		{"configuration logging", "%PARSER-5-CFGLOG_LOGGEDCMD: User:jdoe  logged command:no logging host 10.0.0.1", "PARSER-5-CFGLOG_LOGGEDCMD", []string{`command user="jdoe" from=invalid IP "no logging host 10.0.0.1" allowed`}},
		{"its secrets", "%PARSER-5-CFGLOG_LOGGEDCMD: User:console  logged command:ip ftp password 0 hunter2", "PARSER-5-CFGLOG_LOGGEDCMD", []string{`secret "hunter2"`, `command user="console" from=invalid IP "ip ftp password 0 ***" allowed`}},
		{"hidekeys", "%PARSER-5-CFGLOG_LOGGEDCMD: User:console  logged command:snmp-server community * ro", "PARSER-5-CFGLOG_LOGGEDCMD", []string{`command user="console" from=invalid IP "snmp-server community * ro" allowed`}},
		{"exec", "%PARSER-5-CFGLOG_LOGGEDCMD: User:bob  logged command:!exec: enable", "PARSER-5-CFGLOG_LOGGEDCMD", []string{`command user="bob" from=invalid IP "!exec: enable" allowed`}},
		{"local accounting", "%AAAA-6-ACCTLOCAL: Username: Admin Privilege level: 15 Command: copy running-config tftp://192.0.2.9/x <cr>", "AAAA-6-ACCTLOCAL",
			[]string{`command user="Admin" from=invalid IP "copy running-config tftp://192.0.2.9/x" allowed`, `copy tftp "192.0.2.9" out=true what="running-config" config=true "tftp://192.0.2.9/x"`}},
		{"nx-os accounting", "%AAA-6-AAA_ACCOUNTING_MESSAGE: update:192.0.2.105@ssh.26046:bob:copy running-config ftp://u:pw@192.0.2.9/x vrf management (SUCCESS)", "AAA-6-AAA_ACCOUNTING_MESSAGE",
			[]string{`secret "pw"`, `command user="bob" from=192.0.2.105 "copy running-config ftp://u:***@192.0.2.9/x vrf management" allowed`, `copy ftp "192.0.2.9" out=true what="running-config" config=true "ftp://192.0.2.9/x"`}},
		{"nx-os accounting, failed, v6", "%AAA-6-AAA_ACCOUNTING_MESSAGE: update:2001:db8::5@pts/0:bob:show ip route vrf all (FAILURE)", "AAA-6-AAA_ACCOUNTING_MESSAGE", []string{`command user="bob" from=2001:db8::5 "show ip route vrf all" failed`}},
		{"nx-os accounting, console", "%AAA-6-AAA_ACCOUNTING_MESSAGE: update:console0:admin:configure terminal ; interface Ethernet1/1 (SUCCESS)", "AAA-6-AAA_ACCOUNTING_MESSAGE", []string{`command user="admin" from=invalid IP "configure terminal ; interface Ethernet1/1" allowed`}},
		{"nx-os session", "%AAA-6-AAA_ACCOUNTING_MESSAGE: start:192.0.2.105@pts/0:bob:", "AAA-6-AAA_ACCOUNTING_MESSAGE", nil},
		{"nx-os executed", "%VSHD-5-VSHD_SYSLOG_CMD_EXEC: User:jdoe executed the command:copy tftp://192.0.2.9/i.bin bootflash:", "VSHD-5-VSHD_SYSLOG_CMD_EXEC",
			[]string{`command user="jdoe" from=invalid IP "copy tftp://192.0.2.9/i.bin bootflash:" allowed`, `copy tftp "192.0.2.9" out=false what="i.bin" config=false "tftp://192.0.2.9/i.bin"`}},
		{"a path that says ftp", "%AUTHPRIV-5-SYSTEM_MSG: admin : TTY=pts/0 ; PWD=/var/sysmgr/vsh ; USER=root ; COMMAND=/isanboot/bin/imghdr Debug /var/sysmgr/ftp/img-sync/x.img - sudo", "AUTHPRIV-5-SYSTEM_MSG", nil},
		{"eos accounting", "%ACCOUNTING-6-CMD: admin vty3 192.0.2.7 stop task_id=1 service=shell priv-lvl=15 cmd=copy running-config scp://u@192.0.2.9/x <cr>", "ACCOUNTING-6-CMD",
			[]string{`command user="admin" from=192.0.2.7 "copy running-config scp://u@192.0.2.9/x" allowed`, `copy scp "192.0.2.9" out=true what="running-config" config=true "scp://192.0.2.9/x"`}},
		{"applet that logs commands", "%HA_EM-6-LOG: CLI_COMMANDS-->: show version", "HA_EM-6-LOG", []string{`command user="" from=invalid IP "show version" allowed`}},
		{"applet, a copy", "%HA_EM-6-LOG: catchall: copy run tftp:", "HA_EM-6-LOG", []string{`command user="" from=invalid IP "copy run tftp:" allowed`, `copy tftp "" out=true what="running-config" config=true "tftp:"`}},
		{"applet, text", "%HA_EM-6-LOG: sw_stack: \n     ## configuration received via TFTP", "HA_EM-6-LOG", nil},
		{"netconf copy", "%NDBMAN-5-MODEL_RPC_I: Switch 1 R0/0: ndbmand: RPC 'http://cisco.com/ns/yang/Cisco-IOS-XE-xcopy-rpc:xcopy' invoked from 192.0.2.1:1093 via NETCONF user catalyst session 49", "NDBMAN-5-MODEL_RPC_I",
			[]string{`command user="catalyst" from=192.0.2.1 "http://cisco.com/ns/yang/Cisco-IOS-XE-xcopy-rpc:xcopy" allowed`}},
		// Logins.
		{"login", "%SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: bob] [Source: 10.2.55.3] [localport: 22] at 12:06:03 MST Wed Mar 24 2021", "SEC_LOGIN-5-LOGIN_SUCCESS", []string{`auth unknown user="bob" from=10.2.55.3 allowed`}},
		{"failed login with brackets in the name", "%SEC_LOGIN-4-LOGIN_FAILED: Login failed [user: x] [Source: 10.0.0.1] [Source: 192.0.2.66] [localport: 22] [Reason: Login Authentication Failed] at 12:06:03 UTC Wed Mar 24 2021", "SEC_LOGIN-4-LOGIN_FAILED", []string{`auth unknown user="x] [Source: 10.0.0.1" from=192.0.2.66 failed`}},
		{"ssh", "%SSH-5-SSH2_USERAUTH: User 'bob' authentication for SSH2 Session from 192.0.2.7 (tty = 0) using crypto cipher 'aes256-ctr', hmac 'hmac-sha2-256' Failed", "SSH-5-SSH2_USERAUTH", []string{`auth unknown user="bob" from=192.0.2.7 failed`}},
		{"xr login", "%SECURITY-LOGIN-4-AUTHEN_FAILED : Failed authentication attempt by user 'eve' from '192.0.2.7' on 'vty0'", "SECURITY-LOGIN-4-AUTHEN_FAILED", []string{`auth unknown user="eve" from=192.0.2.7 failed`}},
		{"xr ssh", "%SECURITY-SSHD_SYSLOG_PRX-6-INFO_GENERAL : sshd[39770]: Failed authentication/pam for <unknown> from 192.0.2.100 port 48906 ssh2", "SECURITY-SSHD_SYSLOG_PRX-6-INFO_GENERAL", []string{`auth unknown user="<unknown>" from=192.0.2.100 failed`}},
		{"eos login", "%AAA-4-LOGIN_FAILED: user eve failed to login [from: 192.0.2.7] [service: sshd] [reason: Authentication failed]", "AAA-4-LOGIN_FAILED", []string{`auth unknown user="eve" from=192.0.2.7 failed`}},
		{"snmp", "%SNMP-3-AUTHFAIL: Authentication failure for SNMP req from host 192.0.2.7", "SNMP-3-AUTHFAIL", []string{`auth unknown user="" from=192.0.2.7 failed`}},
		// Others.
		{"a beat", "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0/7, changed state to up", "LINEPROTO-5-UPDOWN", nil},
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
		"%SEC-6-IPACCESSLOGP: list 1 denied udp 10.0.0.1 -> 192.0.2.1(69), 1 packet",
		"%SEC-6-IPACCESSLOGP: list 1 refused udp 10.0.0.1(1) -> 192.0.2.1(69), 1 packet",
		"%SYS-5-CONFIG_I: nothing",
		"%PARSER-5-CFGLOG_LOGGEDCMD: nothing",
		"%AAA-6-AAA_ACCOUNTING_MESSAGE: nothing",
		"%SEC_LOGIN-5-LOGIN_SUCCESS: nothing",
		"%FW-6-SESS_AUDIT_TRAIL: Stop ftp session: x",
	} {
		if got, _, ok := state(t, body); ok || got != nil {
			t.Errorf("%q: understood, %q", body, got)
		}
	}
	for _, body := range []string{"", "%ADJCHANGE: x", "SYS-5-CONFIG_I: x", "%x y-1-Z"} {
		if c := match(&facts.Message{Body: []byte(body)}); c != facts.No {
			t.Errorf("match(%q) = %d", body, c)
		}
	}
}

func FuzzMessage(f *testing.F) {
	for _, text := range []string{
		"SEC-6-IPACCESSLOGP: list 177 denied udp 10.0.0.195(55250) -> 192.0.2.255(69), 1 packet", "SYS-5-CONFIG_I: Configured from tftp://192.0.2.9//x by bob on vty0 (10.0.0.9)",
		"AAA-6-AAA_ACCOUNTING_MESSAGE: update:192.0.2.105@ssh.26046:bob:copy run ftp://u:p@h/x (SUCCESS)", "HA_EM-6-LOG: CLI: copy run tftp:",
		"FW-6-SESS_AUDIT_TRAIL: Stop ftp session: initiator (10.1.1.1:3) sent 22 bytes -- responder (192.0.2.2:21) sent 200 bytes", "FW-6-DROP_PKT: Dropping tcp session 10.0.0.1:1 192.0.2.1:445 on",
		"ACLLOG-5-ACLLOG_FLOW_INTERVAL: Src IP: 10.1.1.1, Dst IP: 192.0.2.13, Src Port: 1, Dst Port: 69, Protocol: \"UDP\"(17)", "SEC_LOGIN-5-LOGIN_SUCCESS: Login Success [user: bob] [Source: 10.2.55.3] [localport: 22]",
	} {
		f.Add("%" + text)
	}
	f.Fuzz(func(t *testing.T, body string) { state(t, body) })
}

func BenchmarkMessage(b *testing.B) {
	for name, body := range map[string]string{
		"acl":    "%SEC-6-IPACCESSLOGP: list 177 denied udp 10.0.0.195(55250) -> 192.0.2.255(15600), 1 packet",
		"config": "%SYS-5-CONFIG_I: Configured from console by bob on vty0 (10.0.0.9)",
		"beat":   "%LINEPROTO-5-UPDOWN: Line protocol on Interface GigabitEthernet0/0/7, changed state to up",
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
