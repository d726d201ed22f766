package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/quaymaster/quaymaster/fixtures"
)

// A Demo is the fleet behind quaymaster demo: five SSH devices, a vCenter with three hosts and an SNMP agent.
type Demo struct {
	// Inventory is the inventory of the running fleet; its references name Secrets.
	Inventory string
	// KnownHosts are the SSH devices' host keys, a line each.
	KnownHosts string
	// Secrets are the values behind the inventory's env: references.
	Secrets map[string]string
	closers []func()
}

// Credentials of the simulated fleet. They open nothing else.
const (
	demoUser      = "auditor"
	demoPassword  = "demo-Quay-1"
	demoEnable    = "demo-Enable-1"
	demoCommunity = "demo-Read-1"
)

// StartDemo starts the fleet on loopback. Close stops it.
func StartDemo() (*Demo, error) {
	d := &Demo{Secrets: map[string]string{
		"QUAYMASTER_DEMO_PASSWORD": demoPassword, "QUAYMASTER_DEMO_ENABLE": demoEnable, "QUAYMASTER_DEMO_COMMUNITY": demoCommunity,
	}}
	var b strings.Builder
	b.WriteString("version: 1\ncredentials:\n  device: {user: " + demoUser + ", password: \"env:QUAYMASTER_DEMO_PASSWORD\", enable: \"env:QUAYMASTER_DEMO_ENABLE\"}\n" +
		"  poll: {community: \"env:QUAYMASTER_DEMO_COMMUNITY\"}\ndevices:\n")
	agent, err := d.agent()
	if err != nil {
		return nil, err
	}
	err = errors.Join(d.devices(&b, agent), d.vcenter(&b))
	if err != nil {
		d.Close()
		return nil, err
	}
	d.Inventory = b.String()
	return d, nil
}

// Close stops every part and waits for it.
func (d *Demo) Close() {
	for _, c := range d.closers {
		c()
	}
	d.closers = nil
}

func demoFile(name string) string {
	b, err := fs.ReadFile(fixtures.Demo, path.Join("demo/devices", name))
	if err != nil {
		return ""
	}
	return string(b)
}

func (d *Demo) devices(b *strings.Builder, agent *SNMPAgent) error {
	for _, x := range []struct{ name, platform, role string }{
		{"access-sw-02", "cisco_ios", "access-switch"},
		{"branch-srx-01", "juniper_junos", "firewall"},
		{"core-sw-01", "cisco_ios", "core-switch"},
		{"edge-fw-01", "cisco_asa", "firewall"},
		{"edge-rtr-01", "cisco_ios", "edge-router"},
	} {
		s, err := StartSSH(SSHDevice{
			Name: x.name, Platform: x.platform, Config: demoFile(x.name + ".cfg"), Version: demoFile(x.name + ".version"), Logging: demoFile(x.name + ".log"),
			User: demoUser, Password: demoPassword, Enable: demoEnable,
		})
		if err != nil {
			return fmt.Errorf("start %s: %w", x.name, err)
		}
		d.closers = append(d.closers, s.Close)
		d.KnownHosts += s.KnownHostsLine() + "\n"
		more := fmt.Sprintf("port: %d, collector: ssh, credential: device", s.Port)
		if x.name == "core-sw-01" {
			more = fmt.Sprintf("port: {ssh: %d, snmp: %d}, collector: [ssh, snmp], credential: {ssh: device, snmp: poll}", s.Port, agent.Port)
		}
		fmt.Fprintf(b, "  - {name: %s, address: %s, platform: %s, role: %s, %s, options: {known_hosts: KNOWN_HOSTS}}\n", x.name, s.Host, x.platform, x.role, more)
	}
	return nil
}

func (d *Demo) vcenter(b *strings.Builder) error {
	v, err := StartVSphere([]ESXiHost{
		{
			Name: "esx-01.example.net", Address: "10.10.0.21", Mask: "255.255.255.0", Version: "8.0.2",
			Running: map[string]bool{"TSM-SSH": true, "TSM": true}, Policy: map[string]string{"TSM-SSH": "on"}, OpenOut: true,
			Rulesets: map[string]RulesetChange{"sshServer": {Enabled: true}, "nfsClient": {Enabled: true}, "webAccess": {Enabled: true}},
		},
		{
			Name: "esx-02.example.net", Address: "10.10.0.22", Mask: "255.255.255.0", Version: "8.0.3",
			Running: map[string]bool{"TSM-SSH": true}, Policy: map[string]string{"TSM-SSH": "off"},
			Rulesets: closedRulesets(), Options: map[string]string{"Syslog.global.logHost": "ssl://10.10.0.30:1514", "Syslog.global.auditRecord.remoteEnable": "true"},
		},
		{
			Name: "esx-03.example.net", Address: "10.10.0.23", Mask: "255.255.255.0", Version: "8.0.3",
			Running: map[string]bool{"TSM-SSH": false, "TSM": false}, Policy: map[string]string{"TSM-SSH": "off", "TSM": "off"},
			Rulesets: closedRulesets(), Options: map[string]string{"Syslog.global.logHost": "ssl://10.10.0.30:1514", "Syslog.global.auditRecord.remoteEnable": "true"},
		},
	}, demoUser, demoPassword)
	if err != nil {
		return err
	}
	d.closers = append(d.closers, v.Close)
	fmt.Fprintf(b, "  - {name: vcenter-01, address: %s, port: %d, platform: vmware_esxi, role: hypervisor, collector: vsphere, credential: device, options: {tls_fingerprint: %s}}\n",
		v.Host, v.Port, v.Fingerprint)
	return nil
}

// closedRulesets limits every management ruleset of the stock host to the management network's jump host.
func closedRulesets() map[string]RulesetChange {
	m := map[string]RulesetChange{}
	for _, key := range []string{"sshServer", "vSphereClient", "webAccess", "NFC", "CIMHttpServer", "CIMHttpsServer", "CIMSLP", "snmp", "faultTolerance", "vMotion", "HBR", "DVSSync", "rdt", "updateManager", "dhcp", "dns", "ntpClient", "nfsClient", "ftpClient"} {
		m[key] = RulesetChange{Enabled: true, Allowed: []string{"10.10.0.5"}}
	}
	for _, key := range []string{"ftpClient", "nfsClient", "CIMSLP"} {
		m[key] = RulesetChange{}
	}
	return m
}

func (d *Demo) agent() (*SNMPAgent, error) {
	variables := []SNMPVariable{
		{".1.3.6.1.2.1.1.1.0", "Cisco IOS Software [Cupertino], Catalyst L3 Switch Software (CAT9K_IOSXE), Version 17.9.5, RELEASE SOFTWARE (fc5)"},
		{".1.3.6.1.2.1.1.2.0", ".1.3.6.1.4.1.9.1.2494"},
		{".1.3.6.1.2.1.1.3.0", uint32(250_034_900)},
		{".1.3.6.1.2.1.1.5.0", "core-sw-01"},
		{".1.3.6.1.2.1.7.7.1.8.1.4.0.0.0.0.69.0.0.0.1", uint(211)},
		{".1.3.6.1.2.1.7.7.1.8.1.4.0.0.0.0.161.0.0.0.2", uint(98)},
		{".1.3.6.1.2.1.6.20.1.4.1.4.0.0.0.0.22", uint(77)},
		{".1.3.6.1.2.1.4.20.1.2.10.10.0.11", 1},
	}
	for i, name := range []string{"Gi0/0", "Gi1/0/1", "Gi1/0/2", "Te1/1/1"} {
		n := i + 1
		variables = append(variables,
			SNMPVariable{fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.1.%d", n), name},
			SNMPVariable{fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.6.%d", n), uint64(n) * 8_120_334_112},
			SNMPVariable{fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.10.%d", n), uint64(n) * 9_004_117_208},
			SNMPVariable{fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.15.%d", n), uint(1000)},
			SNMPVariable{fmt.Sprintf(".1.3.6.1.2.1.31.1.1.1.19.%d", n), uint32(0)})
	}
	a, err := StartSNMP(demoCommunity, variables, SNMPFaults{})
	if err != nil {
		return nil, err
	}
	d.closers = append(d.closers, a.Close)
	return a, nil
}
