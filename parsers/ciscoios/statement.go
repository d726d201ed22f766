package ciscoios

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/tree"
)

// statement reads one top-level statement and what is below it.
func (p *parser) statement(n int32) {
	p.read(n)
	if len(p.w) == 0 {
		return
	}
	switch string(p.word(0)) {
	case "ip":
		p.ipStatement(n)
	case "ipv6":
		p.ipv6Statement(n)
	case "interface":
		p.iface(n)
	case "access-list":
		p.accessList(n)
	case "object-group":
		p.objectGroup(n)
	case "time-range":
		p.timeRange(n)
	case "class-map":
		p.classMapStatement(n)
	case "policy-map":
		p.policyMapStatement(n)
	case "zone":
		p.zoneStatement(n)
	case "zone-pair":
		p.zonePairStatement(n)
	case "control-plane":
		p.controlPlane(n)
	case "line":
		p.terminal(n)
	case "tftp-server":
		p.tftpServer(n)
	case "ftp-server":
		p.ftpServer(n)
	case "vstack":
		p.vstack(n)
	case "archive":
		p.archive(n)
	case "boot":
		p.boot(n)
	case "exception":
		p.exception(n)
	case "kron":
		p.kron(n)
	case "event":
		p.eventManager(n)
	case "alias":
		p.alias(n)
	case "menu":
		p.menu(n)
	case "macro":
		p.macro(n)
	case "privilege":
		p.privilege(n)
	case "scripting":
		p.scripting(n)
	case "parser":
		p.view(n)
	case "cns", "pnp":
		p.remoteConfig(n, p.str(p.word(0))+" "+p.str(p.word(1)))
	case "ccm-manager":
		p.callManager(n)
	case "rtr":
		p.oldProbe(n)
	case "snmp-server":
		p.snmpServer(n)
	case "logging":
		p.logging(n)
	case "flow":
		p.flow(n)
	case "ntp", "sntp":
		p.ntp(n)
	case "aaa":
		if p.is(1, "accounting") {
			p.accounting(n)
			return
		}
		p.serverGroup(n)
	default:
		p.plainStatement(n)
	}
}

// plainStatement reads statements of a line or so, and accounts for those that cannot bear on transfers.
func (p *parser) plainStatement(n int32) {
	switch string(p.word(0)) {
	case "hostname":
		p.ok(n)
		if p.word(1) != nil && !p.negated {
			p.hostname = true
			p.d.Hostname = facts.Say(string(unquote(p.word(1))), p.at(p.w[1]))
		}
	case "version":
		p.versionStatement(n)
	case "end":
		p.ended = len(p.w) == 1
		p.ok(n)
	case "service":
		p.service(n)
	case "username":
		p.userStatement(n)
	case "tacacs-server", "radius-server", "tacacs", "radius", "ldap":
		p.loginServer(n)
	case "kerberos":
		p.kerberos(n)
	case "login":
		p.loginLog(n)
	case "router", "route-map":
		p.references(n, p.said(p.t.Text(n)))
		p.skip(n)
	case "dialer-list":
		p.named(n, "dialer-list", "list")
		p.skip(n)
	case "sampler", "flow-sampler-map":
		p.samplerMap(n)
	case "call-home":
		p.callHome(n)
	case "monitor":
		p.capture(n)
	case "virtual-service":
		p.container(n)
	case "system":
		p.overlayController(n)
	case "enable", "key":
		p.okBlock(n) // their secrets are found with all others
		p.skipBelow(n)
	case "netconf-yang", "restconf", "gnxi", "gnmi-yang", "netconf":
		p.managedStatement(n)
	case "file": // file prompt quiet: copies ask nothing
		p.ok(n)
	case "crypto":
		p.cryptoStatement(n)
	case "vlan":
		p.vlanStatement(n)
	case "license":
		if p.is(1, "udi") && p.is(2, "pid") && p.word(3) != nil {
			p.model(p.w[3])
		}
		p.skip(n)
	case "switch":
		if p.is(2, "provision") && p.word(3) != nil {
			p.model(p.w[3])
		}
		p.skip(n)
	case "iox", "guestshell":
		p.okBlock(n)
		p.shell(n, p.str(p.word(0)))
	case "app-hosting":
		p.okBlock(n)
		p.shell(n, p.str(p.t.Text(n)))
	case "software": // software auto-upgrade source url URL
		if l, ok := p.findLink(1); ok && !p.negated {
			p.ok(n)
			p.d.Clients[p.client("boot-system", "software "+p.str(p.word(1)), l, p.span(n))].Automatic = true
			return
		}
		p.skip(n)
	case "mac":
		if p.is(1, "access-list") {
			p.t.MarkAll(n, facts.Irrelevant) // filters frames that are not IP
			return
		}
		p.skip(n)
	case "arp":
		p.skip(n)
	default:
		if p.around(n) {
			return
		}
		if topIrrelevant(p.word(0)) != "" {
			p.skip(n)
			return
		}
		p.unknown(n)
	}
}

// unknown leaves a statement unrecognised. A transfer URL in it is stated all the same.
func (p *parser) unknown(n int32) {
	if p.t.Nodes[n].Flags&tree.Comment == 0 {
		if l, ok := p.findLink(1); ok && transfers(l.Protocol) && !p.negated {
			p.client("other", p.str(p.word(0)), l, p.span(n))
		}
	}
	for c := p.t.Nodes[n].First; c != tree.None; c = p.t.Nodes[c].Next {
		if p.t.Nodes[c].Flags&tree.Raw == 0 {
			p.read(c)
			p.unknown(c)
		}
	}
}

// shell states a Linux shell on the device, from which files can be moved past AAA.
func (p *parser) shell(n int32, name string) {
	p.d.Services = append(p.d.Services, facts.Service{
		Name: name, Role: facts.RoleShell, Enabled: facts.Say(!p.negated, p.span(n)), Span: p.span(n),
	})
}

// service reads "service config", "service sequence-numbers" and accounts for the others.
func (p *parser) service(n int32) {
	switch string(p.word(1)) {
	case "config":
		p.ok(n)
		p.clients.serviceConfig = facts.Say(!p.negated, p.span(n))
	case "sequence-numbers":
		p.ok(n)
		p.log.sequence = facts.Say(!p.negated, p.span(n))
	case "timestamps":
		p.ok(n)
		p.timestamps(n)
	case "password-encryption":
		p.ok(n)
	default:
		p.skip(n)
	}
}

// ipStatement reads "ip ..." at the top.
func (p *parser) ipStatement(n int32) {
	switch w := string(p.word(1)); w {
	case "access-list":
		p.namedList(n)
	case "route":
		p.route(n, 2)
	case "default-gateway":
		p.gateway(n)
	case "ftp":
		p.setting(n, facts.FTP, "ip ftp", 2)
	case "tftp":
		p.setting(n, facts.TFTP, "ip tftp", 2)
	case "sftp":
		p.setting(n, facts.SFTP, "ip sftp", 2)
	case "scp":
		if p.is(2, "server") {
			p.ok(n)
			p.services.scp = facts.Say(!p.negated, p.span(n))
			return
		}
		p.setting(n, facts.SCP, "ip scp", 2)
	case "rcmd":
		p.rcmd(n)
	case "http":
		p.http(n)
	case "ssh":
		p.ssh(n)
	case "nat":
		p.natStatement(n)
	case "port-map":
		p.portMap(n)
	case "inspect":
		p.ok(n) // which protocols a rule set inspects; where it is applied is in the interfaces
	case "flow-export":
		p.flowExport(n)
	case "dhcp":
		p.dhcp(n)
	case "sla":
		p.slaStatement(n)
	case "forward-protocol":
		p.ok(n)
	case "local":
		if p.is(2, "policy") && p.is(3, "route-map") && !p.negated { // decides about the device's own packets
			p.refer(p.word(4), "ip local policy", n)
			p.ok(n)
			return
		}
		p.skip(n)
	case "wccp":
		p.named(n, "ip wccp", "redirect-list", "group-list")
		p.skip(n)
	case "pim", "multicast", "igmp", "admission", "auth-proxy", "msdp":
		p.named(n, "ip "+p.str(p.word(1)), "list", "accept-register", "accept-rp", "rp-announce-filter", "group-list", "limit")
		p.skip(n)
	case "domain", "domain-name", "domain-lookup", "domain-list", "host", "name-server":
		p.skip(n)
	default:
		if ipIrrelevant(p.word(1)) == "" {
			p.unknown(n)
			return
		}
		p.skip(n)
	}
}

func (p *parser) dhcp(n int32) {
	switch string(p.word(2)) {
	case "pool":
		if p.negated {
			p.ok(n)
			return
		}
		p.dhcpPool(n)
	case "database":
		p.dhcpDatabase(n, "ip dhcp database", 3)
	case "snooping":
		if p.is(3, "database") {
			p.dhcpDatabase(n, "ip dhcp snooping database", 4)
			return
		}
		p.skip(n)
	default:
		p.skip(n)
	}
}

func (p *parser) slaStatement(n int32) {
	switch string(p.word(2)) {
	case "schedule":
		p.slaSchedule(n, 3)
	case "monitor":
		if p.is(3, "schedule") {
			p.slaSchedule(n, 4)
			return
		}
		p.slaBlock(n)
	case "group":
		p.slaSchedule(n, 4)
	default:
		p.slaBlock(n)
	}
}

func (p *parser) slaBlock(n int32) {
	if _, ok := number(p.word(len(p.w) - 1)); !ok || p.negated {
		p.skip(n) // responder, key-chain, logging
		return
	}
	p.sla(n)
}

// oldProbe reads "rtr N" and "rtr schedule N ...": IP SLA before it had its name.
func (p *parser) oldProbe(n int32) {
	if p.is(1, "schedule") {
		p.slaSchedule(n, 2)
		return
	}
	p.slaBlock(n)
}

// ipv6Statement reads "ipv6 ..." at the top.
func (p *parser) ipv6Statement(n int32) {
	switch string(p.word(1)) {
	case "access-list":
		switch {
		case p.is(2, "role-based"):
			p.unsupportedBlock(n, "lists by security group are not modelled")
		case p.is(2, "log-update"), p.word(2) == nil, len(p.w) > 3:
			p.skip(n)
		case p.negated:
			p.ok(n)
		default:
			p.list(n, p.word(2), facts.IPv6, "ipv6 access-list")
		}
	case "route":
		p.route(n, 2)
	case "dhcp":
		switch {
		case p.is(2, "pool"):
			p.dhcpPool(n)
		case p.is(2, "database"):
			p.dhcpDatabase(n, "ipv6 dhcp database", 3)
		default:
			p.skip(n)
		}
	case "inspect":
		p.ok(n)
	case "port-map":
		p.portMap(n)
	default:
		if ip6Irrelevant(p.word(1)) == "" && ipIrrelevant(p.word(1)) == "" {
			p.unknown(n)
			return
		}
		p.skip(n)
	}
}

func (p *parser) classMapStatement(n int32) {
	if p.is(1, "type") && p.is(2, "inspect") && !p.negated {
		p.classInspect(n)
		return
	}
	p.references(n, p.said(p.t.Text(n)))
	p.skip(n) // what QoS and others sort traffic by
}

func (p *parser) policyMapStatement(n int32) {
	if p.is(1, "type") {
		switch {
		case p.is(2, "inspect") && !p.negated:
			p.policyInspect(n)
		case p.is(2, "access-control"):
			p.unsupportedBlock(n, "flexible packet matching is not modelled")
		default:
			p.qosMap(n)
		}
		return
	}
	p.qosMap(n)
}

func (p *parser) cryptoStatement(n int32) {
	switch {
	case p.negated:
		p.skip(n)
	case p.is(1, "pki") && (p.is(2, "trustpoint") || p.is(2, "server") || p.is(2, "trustpool")), p.is(1, "ca") && (p.is(2, "trustpoint") || p.is(2, "identity")):
		p.trustpoint(n)
	default:
		p.references(n, "crypto map")
		p.skip(n) // tunnels and keys: their secrets are found with all others
	}
}

// vlanStatement tells maps of VLANs, which filter between hosts of one, from the VLANs themselves.
func (p *parser) vlanStatement(n int32) {
	switch string(p.word(1)) {
	case "access-map":
		p.references(n, p.said(p.t.Text(n)))
		p.unsupportedBlock(n, "filters within a VLAN (VLAN maps) are not modelled")
	case "filter":
		p.unsupported(n, "filters within a VLAN (VLAN maps) are not modelled")
	case "configuration":
		p.vlanFlow(n)
	default:
		p.skip(n)
	}
}
