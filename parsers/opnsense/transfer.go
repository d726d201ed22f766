package opnsense

import (
	"strings"
	"time"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/wordtree"
)

// transfers reads the transfers the device makes, or tells others to make.
func (p *parser) transfers() {
	p.backups()
	for _, word := range [...]string{"dhcpd", "dhcpdv6"} {
		at := p.Kid(p.root, word)
		p.OK(at)
		for c := p.First(at); c != none; c = p.Next(c) {
			if k := p.First(c); k != none && (p.First(k) != none || p.Next(k) != none) {
				p.dhcp(c, word+" "+p.Text(c))
			}
		}
	}
	p.kea()
}

// day is how often backups are made: every night (OPNsense: system remote backup runs daily from cron).
const day = 24 * time.Hour

// backups are where OPNsense sends its configuration: SFTP, Nextcloud, git, Google Drive (//system/backup of its plugins'
// models, system/remotebackup), and pfSense's AutoConfigBackup.
func (p *parser) backups() {
	at := p.Kid(p.system, "backup")
	p.OK(at)
	for c := p.First(at); c != none; c = p.Next(c) {
		p.OK(c)
		on, stated := p.isOn(c, "enabled")
		if !stated {
			on = facts.Assume(false)
		}
		url := p.Kid(c, "url")
		v := p.Value(url)
		if v == none {
			continue
		}
		p.OKAll(url)
		x := facts.Client{
			Use: "archive", Name: "system backup " + p.Text(c), User: p.String(c, "user"), Enabled: on, Automatic: true, Period: day, Path: p.String(c, "backupdir"),
		}
		if p.String(c, "password") != "" || p.String(c, "privkey") != "" {
			x.Password = facts.Say(true, p.Span(c))
		}
		path := x.Path
		if y, ok := p.Client(x, v); ok {
			if y.Path == "" {
				y.Path = path
			}
			p.D.Clients = append(p.D.Clients, y)
			continue
		}
		x.Host, x.Span = wordtree.Clean(p.Bytes(v)), p.Span(v)
		p.D.Clients = append(p.D.Clients, x)
	}
	if n := p.Kid(p.system, "remotebackup"); n != none {
		p.OK(n)
		on, _ := p.isOn(n, "GDriveEnabled")
		p.D.Clients = append(p.D.Clients, facts.Client{
			Use: "archive", Name: "system remotebackup", Protocol: facts.HTTPS, Host: "www.googleapis.com", User: p.String(n, "GDriveEmail"), Enabled: on,
			Password: facts.Say(p.String(n, "GDriveP12key") != "", p.Span(n)), Automatic: true, Period: day, Span: p.Span(n),
		})
	}
	if n := p.Kid(p.system, "acb"); n != none {
		p.OK(n)
		on, _ := p.isOn(n, "enable")
		p.D.Clients = append(p.D.Clients, facts.Client{
			Use: "archive", Name: "system acb", Protocol: facts.HTTPS, Host: "acb.netgate.com", Enabled: on, Automatic: true, Span: p.Span(n),
		})
	}
}

// dhcp reads what a DHCP server tells clients to boot from: below an interface, its pools and its static mappings
// (services.inc: tftp, nextserver, filename and its variants, rootpath, numberoptions).
func (p *parser) dhcp(n int32, name string) {
	defer p.Rest(n)
	on := facts.Say(true, p.Span(n))
	if strings.Count(name, " ") == 1 {
		on, _ = p.isOn(n, "enable")
		if !on.Known() {
			on = facts.Say(false, p.Span(n))
		}
	}
	x := facts.Client{Use: "dhcp-option", Name: name, Protocol: facts.TFTP, Enabled: on, Automatic: true}
	for c := p.First(n); c != none; c = p.Next(c) {
		word := string(p.T.Text(c))
		switch word {
		case "staticmap", "pool":
			p.dhcp(c, name+" "+word)
			continue
		case "tftp", "nextserver", "next-server", "filename", "filename32", "filename64", "filename32arm", "filename64arm", "bootfilename", "bootfile_url", "netboot_url":
		case "numberoptions":
			p.Each(c, "item", func(i int32) { p.numbered(i, x) })
			p.OKAll(c)
			continue
		default:
			continue
		}
		s, v := p.ValueOf(c)
		if s == "" {
			continue
		}
		y := x
		y.Name, y.Span = name+" "+word, p.Span(v)
		switch {
		case strings.Contains(s, "://"):
			y, _ = p.Client(y, v)
		case strings.HasPrefix(word, "filename"), strings.HasPrefix(word, "boot"):
			y.Path = s
			y.Host = p.String(n, "nextserver")
		default:
			y.Host = s
		}
		y.Addr, _ = parseAddr(y.Host)
		p.D.Clients = append(p.D.Clients, y)
	}
}

// numbered reads an option by number: 66 and 150 name a TFTP server, 67 a file (RFC 2132 9.4, 9.5, RFC 5859).
func (p *parser) numbered(i int32, x facts.Client) {
	number, v := p.Leaf(i, "number")
	value := strings.Trim(p.String(i, "value"), `"`)
	switch number {
	case "66", "150":
		x.Host = value
		x.Addr, _ = parseAddr(value)
	case "67":
		x.Path = value
	default:
		return
	}
	x.Name, x.Span = x.Name+" option "+number, p.Span(v)
	p.D.Clients = append(p.D.Clients, x)
}

// kea reads OPNsense's newer DHCP server (KeaDhcpv4.xml: option_data of a subnet, next_server and boot_file_name beside).
func (p *parser) kea() {
	for _, version := range [...]string{"dhcp4", "dhcp6"} {
		at := p.Under(p.own, "Kea", version)
		if at == none {
			continue
		}
		on, _ := p.isOn(p.Kid(at, "general"), "enabled")
		for _, list := range [...]string{"subnets", "reservations"} {
			p.Each(p.Kid(at, list), "", func(s int32) {
				p.OK(s)
				for _, box := range [...]int32{s, p.Kid(s, "option_data")} {
					for _, word := range [...]string{"tftp_server_name", "next_server", "boot_file_name"} {
						text, v := p.Leaf(box, word)
						if text == "" {
							continue
						}
						x := facts.Client{Use: "dhcp-option", Name: "Kea " + version + " " + p.Text(s) + " " + word, Protocol: facts.TFTP, Enabled: on, Automatic: true, Span: p.Span(v)}
						if word == "boot_file_name" {
							x.Path = text
						} else {
							x.Host = text
							x.Addr, _ = parseAddr(text)
						}
						p.D.Clients = append(p.D.Clients, x)
					}
				}
			})
		}
	}
}

// hooks reads what runs commands: cron, commands at boot, monit.
func (p *parser) hooks() {
	at := p.Kid(p.root, "cron")
	p.OK(at)
	p.Each(at, "item", func(n int32) { p.cron(n, p.String(n, "who")) })
	jobs := p.Under(p.own, "cron", "jobs")
	p.OK(jobs)
	p.Each(jobs, "job", func(n int32) { p.cron(n, p.String(n, "who")) })
	for _, w := range [...]string{"shellcmd", "earlyshellcmd", "afterfilterchangeshellcmd"} {
		p.Each(p.system, w, func(n int32) {
			if v := p.Value(n); v != none {
				h := facts.Hook{Kind: facts.HookBoot, Name: "system " + w, Trigger: "boot", User: "root", Enabled: facts.Say(true, p.Span(v)), Span: p.Span(v)}
				if w == "afterfilterchangeshellcmd" {
					h.Kind, h.Trigger = facts.HookApplet, "the filter is loaded"
				}
				p.Does(&h, "event", v)
				p.D.Hooks = append(p.D.Hooks, h)
			}
			p.OK(n)
		})
	}
	p.Each(p.Under(p.root, "installedpackages", "shellcmdsettings"), "config", func(n int32) {
		p.OK(n)
		if v := p.Value(p.Kid(n, "cmd")); v != none {
			h := facts.Hook{Kind: facts.HookBoot, Name: "shellcmd", Trigger: "boot", User: "root", Enabled: facts.Say(true, p.Span(v)), Span: p.Span(v)}
			p.Does(&h, "event", v)
			p.D.Hooks = append(p.D.Hooks, h)
		}
	})
	p.Each(p.Kid(p.own, "monit"), "service", func(n int32) {
		for _, w := range [...]string{"start", "stop", "path"} {
			v := p.Value(p.Kid(n, w))
			if v == none || w == "path" && p.String(n, "type") != "custom" {
				continue
			}
			on, _ := p.isOn(n, "enabled")
			h := facts.Hook{Kind: facts.HookApplet, Name: "monit " + p.String(n, "name"), Trigger: w, User: "root", Enabled: on, Span: p.Span(v)}
			p.Does(&h, "event", v)
			p.D.Hooks = append(p.D.Hooks, h)
		}
	})
}

// cron reads a job: a line of crontab(5) in pieces. OPNsense's jobs name an action of configd; which command that is stands
// in files beside the configuration.
func (p *parser) cron(n int32, who string) {
	defer p.Rest(n)
	var when []string
	for _, w := range [...][]string{{"minute", "minutes"}, {"hour", "hours"}, {"mday", "days"}, {"month", "months"}, {"wday", "weekdays"}} {
		s := p.String(n, w[0]) + p.String(n, w[1])
		if s == "" {
			s = "*"
		}
		when = append(when, s)
	}
	k := p.Kid(n, "command")
	v := p.Value(k)
	if v == none {
		return
	}
	h := facts.Hook{Kind: facts.HookCron, Trigger: strings.Join(when, " "), User: who, Enabled: facts.Say(true, p.Span(n)), Span: p.Span(v)}
	p.OKAll(k)
	command, _, _ := strings.Cut(wordtree.Clean(p.Bytes(v)), " ")
	h.Name = "cron " + command
	if on, ok := p.isOn(n, "enabled"); ok {
		h.Enabled = on
	}
	if !p.pf && p.Up(n) != none && p.Is(p.Up(n), "jobs") {
		h.Unread = "the command of a configd action is not in the evidence"
	}
	p.Does(&h, "scheduler", v)
	p.D.Hooks = append(p.D.Hooks, h)
}
