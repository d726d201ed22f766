package panos

import (
	"strings"
	"testing"

	"github.com/quaymaster/quaymaster/facts"
)

func TestDetect(t *testing.T) {
	const no, likely, strong, certain = facts.No, facts.Likely, facts.Strong, facts.Certain
	tests := []struct {
		name, text      string
		set, brace, xml facts.Confidence
	}{
		{"nothing", "", no, no, no},
		{"set", "set deviceconfig system hostname x\nset network interface ethernet ethernet1/1\nset rulebase security rules a from any\n", strong, no, no},
		{"one line of set", "set deviceconfig system hostname x\n", likely, no, no},
		{"set, objects only", "set address a ip-netmask 192.0.2.1\nset address-group g static a\n", likely, no, no},
		{"set, shared words only", "set address a ip-netmask 192.0.2.1\n", no, no, no},
		{"set, echoed", "admin@fw> set cli config-output-format set\nadmin@fw# show\nset deviceconfig system hostname x\n[edit]\nadmin@fw#\n", likely, no, no},
		{"set of Panorama", "set device-group a devices 1\nset template t config deviceconfig system hostname x\nset shared pre-rulebase security rules a from any\n", strong, no, no},
		{"set, with a banner of many lines", "set deviceconfig system login-banner \"a\nb\nc\nd\"\nset mgt-config users a phash x\nset zone a network layer3 b\n", strong, no, no},
		{"set, with a certificate first", "set shared certificate c private-key \"-----BEGIN X\n" + strings.Repeat("base64\n", 100) + "-----END X\"\nset deviceconfig system hostname x\n", strong, no, no},
		{"braces, with a certificate first", "config {\n  shared {\n    certificate {\n      c {\n        private-key \"-----BEGIN X\n" + strings.Repeat("base64\n", 100) + "-----END X\";\n      }\n    }\n  }\n  mgt-config {\n    users {\n    }\n  }\n}\n", no, certain, no},
		{"braces", "config {\n  mgt-config {\n    users {\n      admin {\n        phash x;\n      }\n    }\n  }\n}\n", no, certain, no},
		{"braces of show", "deviceconfig {\n  system {\n    hostname x;\n  }\n}\nnetwork {\n  interface {\n  }\n}\n", no, strong, no},
		{"braces, pushed first", "policy {\n  panorama {\n    pre-rulebase {\n      security;\n    }\n  }\n}\nconfig {\n  devices {\n    localhost.localdomain {\n      vsys {\n      }\n    }\n  }\n}\n", no, certain, no},
		{"XML", "<?xml version=\"1.0\"?>\n<config version=\"10.1.0\" urldb=\"paloaltonetworks\">\n  <mgt-config>\n    <users>\n      <entry name=\"admin\"/>\n", no, no, certain},
		{"XML of an API", "<response status=\"success\"><result><rulebase><security><rules><entry name=\"a\"/></rules></security></rulebase></result></response>", no, no, strong},
		{"pushed XML", "<policy><panorama><pre-rulebase><security><rules><entry name=\"a\"/></rules></security></pre-rulebase></panorama></policy>", no, no, strong},
		{"XML, echoed", "admin@fw> show config running\n<config version=\"10.1.0\" urldb=\"x\"><shared/><entry name=\"a\"/></config>", no, no, certain},

		{"Junos set", "set version 21.4R1\nset system host-name x\nset security zones security-zone a\nset interfaces ge-0/0/0 unit 0\n", no, no, no},
		{"Junos braces", "system {\n    host-name x;\n}\ninterfaces {\n    ge-0/0/0 {\n        unit 0 {\n            family inet;\n        }\n    }\n}\n", no, no, no},
		{"VyOS set", "set interfaces ethernet eth0 address '10.0.0.1/24'\nset system host-name 'x'\nset service ssh port '22'\nset zone-policy zone a default-action drop\n", no, no, no},
		{"VyOS braces", "interfaces {\n    ethernet eth0 {\n        address 10.0.0.1/24\n    }\n}\nservice {\n    ssh {\n        port 22\n    }\n}\n", no, no, no},
		{"Gaia", "set installer policy check-for-updates-period 3\nset arp table cache-size 4096\nset snmp agent off\n", no, no, no},
		{"FortiOS", "config system global\n    set hostname \"x\"\nend\nconfig firewall address\n    edit \"a\"\n        set subnet 10.0.0.0 255.0.0.0\n", no, no, no},
		{"SR OS", "configure {\n    system {\n        name \"x\"\n    }\n    service {\n    }\n}\n", no, no, no},
		{"F5", "ltm virtual /Common/x {\n    destination /Common/10.0.0.1:21\n}\nsys global-settings {\n    hostname x\n}\n", no, no, no},
		{"OPNsense", "<?xml version=\"1.0\"?>\n<opnsense>\n  <system>\n    <hostname>x</hostname>\n  </system>\n  <filter>\n    <rule>\n      <type>pass</type>\n", no, no, no},
		{"NETCONF of Junos", "<rpc-reply><configuration><system><host-name>x</host-name></system></configuration></rpc-reply>", no, no, no},
		{"IOS", "hostname x\n!\nroute-map a permit 10\n set metric 5\n", no, no, no},
		{"shell", "set -e\nset -o pipefail\nconfig { }\n", no, no, no},
		{"nginx", "events {\n}\nhttp {\n    server {\n        listen 80;\n    }\n}\n", no, no, no},
		{"HTML", "<!doctype html>\n<html><head><title>x</title></head><body></body></html>\n", no, no, no},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			for _, text := range []string{test.text, strings.ReplaceAll(test.text, "\n", "\r\n")} {
				head := []byte(text)
				if s, b, x := detectSet(head), detectBrace(head), detectXML(head); s != test.set || b != test.brace || x != test.xml {
					t.Errorf("set %d, braces %d, XML %d; want %d, %d, %d", s, b, x, test.set, test.brace, test.xml)
				}
			}
		})
	}
}
