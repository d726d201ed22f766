package exposure

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// fix is the line to put before the one that lets the protocol out.
func (e *egress) fix(o *outlet, l *leak, all bool) string {
	if o.filter == "" {
		return ""
	}
	f := judge.Find(e.d, o.filter, o.scope)
	if f == nil || f.Synthetic {
		return ""
	}
	listeners := l.listeners
	if all {
		listeners = facts.TransferPorts()
	}
	switch facts.PlatformFamily(e.d.Platform) {
	case facts.CiscoIOS:
		return iosDenies(f, l.answer.Rule, listeners)
	case facts.CiscoASA:
		var b []string
		for _, x := range listeners {
			b = append(b, fmt.Sprintf("access-list %s line 1 extended deny %s any any %s log", f.Name, judge.Transport(x.Transport), operator(x.Ports)))
		}
		return strings.Join(b, "\n")
	case facts.Junos:
		if o.kind == "zone policy" {
			return junosPolicy(o, l.answer.Rule, listeners)
		}
		return junosTerm(f, l.answer.Rule, listeners)
	}
	return ""
}

// junosPolicy is a policy that denies applications, before the policy called rule.
func junosPolicy(o *outlet, rule string, listeners []facts.Listener) string {
	var b, apps []string
	for _, x := range listeners {
		app := junosApplication(x)
		if app == "" {
			app = "port-" + judge.Ports(x.Ports)
			b = append(b, fmt.Sprintf("set applications application %s protocol %s destination-port %s", app, judge.Transport(x.Transport), judge.Ports(x.Ports)))
		}
		if !slices.Contains(apps, app) {
			apps = append(apps, app)
		}
	}
	at := fmt.Sprintf("security policies from-zone %s to-zone %s policy no-transfers", o.from, o.to)
	b = append(b, fmt.Sprintf("set %s match source-address any destination-address any application [ %s ]", at, strings.Join(apps, " ")),
		"set "+at+" then deny", "set "+at+" then log session-init")
	if rule != "" && !strings.HasPrefix(rule, "#") {
		b = append(b, fmt.Sprintf("insert %s before policy %s", at, rule))
	}
	return strings.Join(b, "\n")
}

// junosApplication is a predefined application (Junos security policies guide, predefined policy applications); empty when
// there is none for the ports.
func junosApplication(l facts.Listener) string {
	switch {
	case l.Protocol == facts.FTP:
		return "junos-ftp"
	case l.Protocol == facts.TFTP:
		return "junos-tftp"
	case l.Protocol == facts.SMB && l.Transport == facts.TCP:
		return "junos-smb" // tcp 139 and 445
	}
	return ""
}

// junosTerm are terms of a firewall filter that discard, before the term called rule.
func junosTerm(f *facts.Filter, rule string, listeners []facts.Listener) string {
	family := "inet"
	if f.Family == facts.IPv6 {
		family = "inet6"
	}
	var b []string
	for _, transport := range []uint8{facts.TCP, facts.UDP} {
		var ports []string
		for _, x := range listeners {
			if x.Transport == transport {
				ports = append(ports, judge.Ports(x.Ports))
			}
		}
		if len(ports) == 0 {
			continue
		}
		proto := judge.Transport(transport)
		at := fmt.Sprintf("firewall family %s filter %s term no-transfers-%s", family, f.Name, proto)
		key := "protocol"
		if family == "inet6" {
			key = "next-header"
		}
		b = append(b, fmt.Sprintf("set %s from %s %s", at, key, proto), fmt.Sprintf("set %s from destination-port [ %s ]", at, strings.Join(ports, " ")),
			"set "+at+" then syslog", "set "+at+" then discard")
		if rule != "" && !strings.HasPrefix(rule, "#") {
			b = append(b, fmt.Sprintf("insert %s before term %s", at, rule))
		}
	}
	return strings.Join(b, "\n")
}

// iosDenies are entries of an IOS list, before the entry called rule when that has a number.
func iosDenies(f *facts.Filter, rule string, listeners []facts.Listener) string {
	if strings.Contains(f.Kind, "standard") {
		return "" // a standard list knows no ports
	}
	proto := "ip"
	if f.Family == facts.IPv6 {
		proto = "ipv6"
	}
	head := fmt.Sprintf("%s access-list extended %s", proto, f.Name)
	if f.Family == facts.IPv6 {
		head = "ipv6 access-list " + f.Name
	}
	b := []string{head}
	n, err := strconv.Atoi(rule)
	for i, x := range listeners {
		number := ""
		if err == nil && n > len(listeners) {
			number = fmt.Sprintf("%d ", n-len(listeners)+i)
		}
		b = append(b, fmt.Sprintf(" %sdeny %s any any %s log", number, judge.Transport(x.Transport), operator(x.Ports)))
	}
	return strings.Join(b, "\n")
}

// operator is a range as IOS and ASA lists spell it.
func operator(r facts.PortRange) string {
	if r.First == r.Last {
		return fmt.Sprintf("eq %d", r.First)
	}
	return fmt.Sprintf("range %d %d", r.First, r.Last)
}
