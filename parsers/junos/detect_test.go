package junos

import (
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

func TestDetect(t *testing.T) {
	tests := []struct {
		name, text string
		brace, set facts.Confidence
	}{
		{"nothing", "", facts.No, facts.No},
		{"a whole configuration", "version 21.4R1;\nsystem {\n    host-name x;\n}\n", facts.Certain, facts.No},
		{"Last commit", "## Last commit: 2024-01-01 00:00:00 UTC by x\nsystem {\n    host-name x;\n}\n", facts.Certain, facts.No},
		{"without a release", "system {\n    host-name x;\n}\ninterfaces {\n    ge-0/0/0 {\n        unit 0 {\n            family inet;\n        }\n    }\n}\n", facts.Strong, facts.No},
		{"part", "firewall {\n    family inet {\n        filter x {\n            term y {\n                then accept;\n            }\n        }\n    }\n}\n", facts.Strong, facts.No},
		{"a stanza's inside", "term a {\n    from {\n        port 21;\n    }\n    then {\n        accept;\n    }\n}\n", facts.Likely, facts.No},
		{"one line", "system { host-name x; services { ftp; } }\n", facts.Likely, facts.No},
		{"set", "set version 21.4R1\nset system host-name x\n", facts.No, facts.Certain},
		{"set without a release", "set system host-name x\nset policy-options prefix-list a 10.0.0.0/8\nset security zones security-zone a\nset interfaces ge-0/0/0 unit 0\n", facts.No, facts.Strong},
		{"set, echoed", "a@b> show configuration | display set\nset firewall family inet filter x term y then accept\n\n{master}\na@b>\n", facts.No, facts.Likely},
		{"set, shared words only", "set system host-name x\n", facts.No, facts.Possible},
		{"VyOS set", "set interfaces ethernet eth0 address '10.0.0.1/24'\nset system host-name 'x'\nset service ssh port '22'\n", facts.No, facts.No},
		{"VyOS set without quotes", "set interfaces ethernet eth0 address 10.0.0.1/24\nset firewall name OUT default-action accept\nset system host-name x\nset protocols static route 0.0.0.0/0 next-hop 10.0.0.2\n", facts.No, facts.No},
		{"VyOS braces", "interfaces {\n    ethernet eth0 {\n        address 10.0.0.1/24\n    }\n}\nsystem {\n    host-name x\n    login {\n        user vyos {\n        }\n    }\n}\nfirewall {\n    name x {\n        rule 1 {\n            action accept\n        }\n    }\n}\n", facts.No, facts.No},
		{"PAN-OS set", "set deviceconfig system hostname x\nset network interface ethernet ethernet1/1\nset rulebase security rules a from any\n", facts.No, facts.No},
		{"PAN-OS braces", "config {\n  mgt-config {\n    users {\n      admin {\n        phash x;\n      }\n    }\n  }\n}\n", facts.No, facts.No},
		{"SR OS", "configure {\n    system {\n        name \"x\"\n    }\n}\n", facts.No, facts.No},
		{"F5", "ltm virtual /Common/x {\n    destination /Common/10.0.0.1:21\n}\nsys global-settings {\n    hostname x\n}\n", facts.No, facts.No},
		{"IOS", "hostname x\n!\ninterface Gi0/0\n ip address 10.0.0.1 255.255.255.0\n!\nroute-map a permit 10\n set metric 5\n", facts.No, facts.No},
		{"FortiOS", "config system global\n    set hostname \"x\"\n    set admintimeout 30\nend\n", facts.No, facts.No},
		{"Gaia", "set installer policy check-for-updates-period 3\nset arp table cache-size 4096\nset snmp agent off\n", facts.No, facts.No},
		{"nginx", "events {\n}\nhttp {\n    server {\n        listen 80;\n    }\n}\n", facts.No, facts.No},
		{"BIND", "options {\n    directory \"/var\";\n};\nzone \"x\" {\n    type master;\n};\n", facts.No, facts.No},
		{"shell", "set -e\nset -o pipefail\n", facts.No, facts.No},
		{"a log", "May  1 00:00:00 r1 mgd[1]: UI_COMMIT: User 'x' requested 'commit' operation\n", facts.No, facts.No},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			brace, set := detectBrace([]byte(test.text)), detectSet([]byte(test.text))
			if brace != test.brace || set != test.set {
				t.Errorf("braces %d, set %d; want %d, %d", brace, set, test.brace, test.set)
			}
			crlf := strings.ReplaceAll(test.text, "\n", "\r\n")
			if b, s := detectBrace([]byte(crlf)), detectSet([]byte(crlf)); b != brace || s != set {
				t.Errorf("with CRLF: braces %d, set %d", b, s)
			}
		})
	}
}
