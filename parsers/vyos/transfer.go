package vyos

import (
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/field"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// transfers reads the transfers the device makes, or tells others to make.
func (p *parser) transfers() {
	archive := p.Under(p.system, "config-management", "commit-archive")
	p.OK(p.Kid(p.system, "config-management"))
	for _, v := range p.values(archive, "location") { // after every commit (system_config-management.xml.in)
		x := facts.Client{Use: "archive", Name: "system config-management commit-archive location", Enabled: facts.Say(true, p.Span(v)), Automatic: true, Source: p.String(archive, "source-address")}
		if c, ok := p.Client(x, v); ok {
			p.D.Clients = append(p.D.Clients, c)
			continue
		}
		x.Host, x.Span = wordtree.Clean(p.Bytes(v)), p.Span(v) // git+ssh:// and the like
		p.D.Clients = append(p.D.Clients, x)
	}
	p.OKAll(archive)
	for _, w := range [...]string{"dhcp-server", "dhcpv6-server"} {
		p.Each(p.Under(p.service, w, "shared-network-name"), "", func(n int32) { p.dhcp(n, "service "+w+" "+p.Text(n), p.off(n)) })
		p.OK(p.Kid(p.service, w))
	}
	if k := p.Under(p.system, "update-check", "url"); k != none {
		p.OKAll(k)
	}
}

// dhcp reads what clients are told to boot from: below a network, a subnet, its options and static mappings.
func (p *parser) dhcp(n int32, name string, off bool) {
	p.OK(n)
	host := ""
	for _, w := range [...]string{"bootfile-server", "tftp-server-name"} {
		if host == "" {
			host = p.String(n, w)
		}
	}
	for c := p.First(n); c != none; c = p.Next(c) {
		switch word := p.Text(c); word {
		case "tftp-server-name", "bootfile-server", "bootfile-name", "wpad-url", "unifi-controller":
			s, v := p.ValueOf(c)
			if v == none || word == "unifi-controller" || word == "wpad-url" {
				p.OKAll(c)
				continue
			}
			x := facts.Client{Use: "dhcp-option", Name: name + " " + word, Protocol: facts.TFTP, Enabled: facts.Say(!off, p.Span(v)), Automatic: true, Span: p.Span(v)}
			switch {
			case strings.Contains(s, "://"):
				x, _ = p.Client(x, v)
			case word == "bootfile-name":
				x.Path, x.Host = s, host
				x.Addr = addrOf(host)
			default:
				x.Host, x.Addr = s, addrOf(s)
			}
			p.D.Clients = append(p.D.Clients, x)
		case "subnet", "static-mapping", "range", "start":
			p.OK(c)
			p.Each(c, "", func(k int32) { p.dhcp(k, name+" "+p.Text(k), off || p.off(k)) })
		case "option":
			p.dhcp(c, name+" option", off)
		}
	}
	p.Rest(n)
}

// unread is why nothing is known of what a script does.
const unread = "the script is not in the evidence"

// hooks reads what runs scripts.
func (p *parser) hooks() {
	p.Each(p.Under(p.system, "task-scheduler", "task"), "", func(t int32) {
		p.OK(t)
		exec := p.Kid(t, "executable")
		v := p.Value(p.Kid(exec, "path"))
		h := facts.Hook{Kind: facts.HookScheduler, Name: "system task-scheduler task " + p.Text(t), Enabled: p.enabled(t), User: "root", Unread: unread, Span: p.Span(t)}
		if s := p.String(t, "interval"); s != "" {
			h.Trigger, h.Period = "interval "+s, interval(s)
		} else if s := p.String(t, "crontab-spec"); s != "" {
			h.Trigger = s
		}
		if v != none {
			h.Source = wordtree.Clean(p.Bytes(v))
			p.Does(&h, "scheduler", v)
			if args := p.Value(p.Kid(exec, "arguments")); args != none {
				p.Does(&h, "scheduler", args)
			}
		}
		p.OKAll(exec)
		p.D.Hooks = append(p.D.Hooks, h)
		p.Rest(t)
	})
	p.Each(p.Under(p.service, "event-handler", "event"), "", func(e int32) {
		h := facts.Hook{Kind: facts.HookApplet, Name: "service event-handler event " + p.Text(e), Trigger: wordtree.Clean([]byte(p.String(p.Kid(e, "filter"), "pattern"))), Enabled: p.enabled(e), User: "root", Unread: unread, Span: p.Span(e)}
		script := p.Kid(e, "script")
		if v := p.Value(p.Kid(script, "path")); v != none {
			h.Source = wordtree.Clean(p.Bytes(v))
			p.Does(&h, "event", v)
		}
		if v := p.Value(p.Kid(script, "arguments")); v != none {
			p.Does(&h, "event", v)
		}
		p.OKAll(script)
		p.Rest(e)
		p.D.Hooks = append(p.D.Hooks, h)
	})
	p.scripts(p.First(root), 0)
}

// scripts finds the other places that name one: VRRP's transition scripts, health checks, DHCP's and load balancing's hooks.
func (p *parser) scripts(first int32, depth int) {
	for c := first; c != none && depth < 24; c = p.Next(c) {
		switch string(p.T.Text(c)) {
		case "transition-script", "hook", "global-parameters", "health-check":
			p.scriptsBelow(c)
		default:
			p.scripts(p.First(c), depth+1)
		}
	}
}

func (p *parser) scriptsBelow(n int32) {
	for c := p.First(n); c != none; c = p.Next(c) {
		if s := p.T.Text(c); len(s) > 1 && s[0] == '/' && p.First(c) == none {
			h := facts.Hook{Kind: facts.HookApplet, Name: p.Path(p.Up(c)), Enabled: facts.Say(true, p.Span(c)), User: "root", Source: wordtree.Clean(p.Bytes(c)), Unread: unread, Span: p.Span(c)}
			p.Does(&h, "event", c)
			p.D.Hooks = append(p.D.Hooks, h)
		}
		p.scriptsBelow(c)
	}
}

// interval reads "30m", "4h", "1d", "15": minutes without a unit.
func interval(s string) time.Duration {
	unit := time.Minute
	switch {
	case strings.HasSuffix(s, "m"):
	case strings.HasSuffix(s, "h"):
		unit = time.Hour
	case strings.HasSuffix(s, "d"):
		unit = 24 * time.Hour
	}
	n, ok := field.Uint([]byte(strings.TrimRight(s, "mhd")))
	if !ok || n > 10_000 {
		return 0
	}
	return time.Duration(n) * unit
}

// logging reads remote syslog, flow export, time, and what is logged.
func (p *parser) logging() {
	l := &p.D.Logging
	syslog := p.Kid(p.system, "syslog")
	for _, w := range [...]string{"host", "remote"} { // remote from 1.5
		p.Each(p.Kid(syslog, w), "", p.logHost)
	}
	p.Rest(syslog)
	if len(l.Hosts) > 0 {
		l.Remote = facts.Say(true, l.Hosts[0].Span)
	}
	p.flow()
	for _, at := range [...]int32{p.Under(p.system, "ntp", "server"), p.Under(p.service, "ntp", "server")} {
		p.Each(at, "", func(s int32) {
			p.OKAll(s)
			l.NTP = append(l.NTP, p.Text(s))
		})
		p.OK(p.Up(at))
	}
	if len(l.NTP) > 0 {
		l.NTPAuth = facts.Assume(false)
	}
}

func (p *parser) logHost(h int32) {
	x := facts.LogHost{Host: p.Text(h), Addr: addrOf(p.Text(h)), Port: wordtree.Port(p.String(h, "port")), Transport: p.String(h, "protocol"), Scope: p.String(h, "vrf"), Span: p.Span(h)}
	p.Each(p.Kid(h, "facility"), "", func(f int32) {
		p.OKAll(f)
		if s := p.String(f, "protocol"); s != "" {
			x.Transport = s
		}
		if p.Is(f, "all") || x.Severity == "" {
			x.Severity = p.String(f, "level")
		}
		if x.Severity != "" && !p.D.Logging.Severity.Known() {
			p.D.Logging.Severity = facts.Say(x.Severity, p.Span(f))
		}
	})
	p.OKAll(h)
	p.D.Logging.Hosts = append(p.D.Logging.Hosts, x)
}

// flow reads "system flow-accounting" and "system sflow".
func (p *parser) flow() {
	l := &p.D.Logging
	acct := p.Kid(p.system, "flow-accounting")
	for _, at := range [...]int32{p.Under(acct, "netflow", "server"), p.Under(acct, "sflow", "server"), p.Under(p.system, "sflow", "server")} {
		p.Each(at, "", func(s int32) {
			p.OKAll(s)
			l.FlowHosts = append(l.FlowHosts, facts.FlowHost{Host: p.Text(s), Addr: addrOf(p.Text(s)), Port: wordtree.Port(p.String(s, "port")), Span: p.Span(s)})
		})
	}
	for _, at := range [...]int32{acct, p.Kid(p.system, "sflow")} {
		for _, v := range p.values(at, "interface") {
			for i := range p.D.Interfaces {
				if x := &p.D.Interfaces[i]; x.Name == p.Text(v) {
					x.Flow = facts.Say(true, p.Span(v))
				}
			}
		}
		for _, k := range [...]int32{p.Kid(at, "sampling-rate"), p.Under(at, "netflow", "sampling-rate"), p.Under(at, "sflow", "sampling-rate")} {
			if at == none {
				break
			}
			if s, v := p.ValueOf(k); v != none {
				n, _ := field.Uint([]byte(s))
				l.FlowSampling = facts.Say(int(n), p.Span(v))
			}
		}
		p.Rest(at)
	}
	if len(l.FlowHosts) > 0 {
		l.FlowExport = facts.Say(true, l.FlowHosts[0].Span)
		if !l.FlowSampling.Known() {
			l.FlowSampling = facts.Assume(1)
		}
	}
}

// defaults says what a whole configuration leaves at its default.
func (p *parser) defaults() {
	l := &p.D.Logging
	if !p.whole {
		return
	}
	if !l.Remote.Known() {
		l.Remote = facts.Assume(false)
	}
	if !l.FlowExport.Known() {
		l.FlowExport = facts.Assume(false)
	}
	p.Absent("no server of", facts.FTP, facts.SMB) // interface-definitions of vyos-1x: none but in containers
	l.CommandAccounting = facts.Assume(false)      // no statement sends what is typed
}
