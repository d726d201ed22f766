package hostsvc

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// Dnsmasq reads dnsmasq.conf and the files of dnsmasq.d: the long options of dnsmasq(8) without hyphens, one a line.
func Dnsmasq() facts.Format {
	return format("dnsmasq-config", hostfile.Syntax{Comments: "#"}, func(name string, head []byte) facts.Confidence {
		named := hostfile.Named(name, "dnsmasq.conf") || hostfile.Below(name, "dnsmasq.d")
		return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
			key, _, _ := bytes.Cut(line, []byte("="))
			why, known := dnsmasqOptions[string(bytes.TrimSpace(key))]
			return known, known && why != dnsmasqPlain && bytes.IndexByte(key, '-') > 0
		}).Confidence(named)
	}, func(f *hostfile.File, _ string) { readDnsmasq(f) })
}

const (
	dnsmasqUsed  = ""
	dnsmasqPlain = "names and addresses"
)

// dnsmasqOptions are those of dnsmasq 2.90, with the reason why one does not bear on transfers.
var dnsmasqOptions = table(map[string]string{
	dnsmasqUsed: `enable-tftp,tftp-root,tftp-secure,tftp-unique-root,quiet-tftp,dhcp-boot,dhcp-option,dhcp-option-force,pxe-service,dhcp-script,
		dhcp-luascript,conf-script,listen-address,interface,except-interface,bind-interfaces,bind-dynamic,conf-file,conf-dir,dhcp-range,
		dhcp-optsfile,dhcp-optsdir,tftp-port-range,tftp-single-port,dhcp-scriptuser,servers-file,local-service`,
	dnsmasqPlain: `address,bogus-priv,bogus-nxdomain,cache-size,domain-needed,selfmx,expand-hosts,filterwin2k,filter-A,filter-AAAA,filter-rr,no-hosts,
		addn-hosts,hostsdir,localmx,mx-host,no-negcache,use-stale-cache,strict-order,port,edns-packet-max,query-port,no-resolv,resolv-file,server,rev-server,
		local,domain,mx-target,local-ttl,neg-ttl,max-ttl,max-cache-ttl,min-cache-ttl,fast-dns-retry,alias,srv-host,localise-queries,txt-record,ptr-record,
		interface-name,dns-forward-max,clear-on-reload,stop-dns-rebind,rebind-localhost-ok,rebind-domain-ok,all-servers,min-port,max-port,naptr-record,
		cname,add-mac,strip-mac,add-subnet,strip-subnet,add-cpe-id,proxy-dnssec,host-record,dynamic-host,caa-record,dns-rr,auth-server,auth-zone,auth-ttl,
		auth-soa,auth-sec-servers,auth-peer,synth-domain,dnssec,trust-anchor,dnssec-debug,dnssec-check-unsigned,dnssec-no-timecheck,dnssec-timestamp,
		dnssec-limits,dns-loop-detect,ignore-address,umbrella,no-round-robin,no-ident,cache-rr,max-tcp-connections,port-limit,no-poll,domain-suffix`,
	"leases of addresses": `dhcp-host,dhcp-hostsfile,dhcp-hostsdir,tag-if,dhcp-userclass,dhcp-vendorclass,dhcp-circuitid,dhcp-remoteid,dhcp-subscrid,
		dhcp-pxe-vendor,dhcp-ignore,dhcp-broadcast,dhcp-authoritative,dhcp-leasefile,dhcp-lease-max,read-ethers,no-dhcp-interface,no-dhcpv6-interface,
		no-dhcpv4-interface,bootp-dynamic,dhcp-mac,bridge-interface,shared-network,no-ping,script-arp,script-on-renewal,leasefile-ro,dhcp-ignore-names,dhcp-no-override,
		dhcp-match,dhcp-name-match,dhcp-alternate-port,dhcp-fqdn,dhcp-generate-names,dhcp-proxy,dhcp-relay,dhcp-sequential-ip,dhcp-ignore-clid,dhcp-client-update,
		enable-ra,dhcp-duid,ra-param,dhcp-ttl,dhcp-reply-delay,dhcp-rapid-commit,pxe-prompt`,
	"the process and its log": `no-daemon,group,keep-in-foreground,user,pid-file,enable-dbus,enable-ubus,log-facility,log-async,log-queries,log-dhcp,log-debug,
		quiet-dhcp,quiet-dhcp6,quiet-ra,dumpfile,dumpmask,conntrack,ipset,nftset,connmark-allowlist-enable,connmark-allowlist,version,help,test`,
	"how blocks are sent": "tftp-no-fail,tftp-max,tftp-mtu,tftp-no-blocksize,tftp-lowercase",
})

type dnsmasq struct {
	f       *hostfile.File
	tftp    facts.Service
	bound   []string
	include bool
}

func readDnsmasq(f *hostfile.File) {
	d := dnsmasq{f: f, tftp: facts.Service{
		Name: "dnsmasq", Protocol: facts.TFTP, Enabled: facts.Assume(false),
		// "enable integrated read-only TFTP server" (dnsmasq(8)); RFC 1350 knows no login.
		Writable: facts.Assume(false), AnonymousWrite: facts.Assume(false), Anonymous: facts.Assume(true), Logged: facts.Assume(true),
	}}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		key, value, _ := l.Cut("=")
		why, known := dnsmasqOptions[key.String()]
		switch {
		case !known:
		case why != dnsmasqUsed:
			l.Skip()
		default:
			l.OK()
			d.option(l, key.String(), d.uncommented(value))
		}
	}
	d.finish()
}

// uncommented is a value without the comment behind it: a "#" after a blank begins one.
func (d *dnsmasq) uncommented(p hostfile.Part) hostfile.Part {
	for i := 1; i < len(p.Text); i++ {
		if p.Text[i] == '#' && (p.Text[i-1] == ' ' || p.Text[i-1] == '\t') {
			return p.Slice(0, i).Trim()
		}
	}
	return p
}

func (d *dnsmasq) option(l *hostfile.Line, key string, value hostfile.Part) {
	here := d.f.Span(l.Part)
	switch key {
	case "enable-tftp":
		d.tftp.Enabled, d.tftp.Span = facts.Say(true, here), here
		if len(value.Text) > 0 {
			d.tftp.Bind = strings.ReplaceAll(value.String(), ",", " ")
		}
	case "tftp-root":
		dir, _, _ := value.Cut(",")
		d.tftp.Path, d.tftp.Confined = dir.String(), facts.Say(true, here)
	case "quiet-tftp":
		d.tftp.Logged = facts.Say(false, here)
	case "interface", "listen-address":
		for _, p := range value.Split(",") {
			if b := bind(p.String()); b != "" && !slices.Contains(d.bound, b) {
				d.bound = append(d.bound, b)
			}
		}
	case "dhcp-boot":
		d.boot(l, value)
	case "dhcp-option", "dhcp-option-force":
		d.given(l, key, value)
	case "pxe-service":
		d.pxe(l, value)
	case "dhcp-script", "dhcp-luascript", "conf-script":
		d.f.Device.Hooks = append(d.f.Device.Hooks, facts.Hook{
			Kind: facts.HookScript, Name: "dnsmasq " + key, Trigger: map[bool]string{true: "start", false: "lease"}[key == "conf-script"],
			Enabled: facts.Say(true, here), Source: value.String(), Unread: "the script is not in the evidence", Span: here,
		})
	case "conf-file", "conf-dir", "servers-file", "dhcp-optsfile", "dhcp-optsdir":
		d.include = d.include || key == "conf-file" || key == "conf-dir"
	}
}

// fields are the words between commas, quotes off, without those that only choose the clients (dnsmasq(8), "tag:").
func fields(value hostfile.Part) []hostfile.Part {
	var out []hostfile.Part
	for _, p := range value.Split(",") {
		p = p.Unquote()
		if text := p.String(); strings.HasPrefix(text, "tag:") || strings.HasPrefix(text, "net:") || strings.HasPrefix(text, "set:") ||
			strings.HasPrefix(text, "encap:") || strings.HasPrefix(text, "vendor:") || strings.HasPrefix(text, "vi-encap:") {
			continue
		}
		out = append(out, p)
	}
	return out
}

// boot reads "dhcp-boot=[tag:...,]FILE[,SERVER NAME[,SERVER]]": what a client fetches by TFTP when it boots.
func (d *dnsmasq) boot(l *hostfile.Line, value hostfile.Part) {
	w := fields(value)
	if len(w) == 0 {
		return
	}
	host := ""
	for _, p := range w[1:min(len(w), 3)] {
		if len(p.Text) > 0 {
			host = p.String() // the address is last and counts
		}
	}
	d.handed(l, "dhcp-boot", w[0], host)
}

// handed states what clients are told to fetch; a file that is a URL names its protocol and server.
func (d *dnsmasq) handed(l *hostfile.Line, name string, file hostfile.Part, host string) {
	c := facts.Client{
		Use: "dhcp-option", Name: name, Protocol: facts.TFTP, Host: host, Addr: addr(host), Path: file.String(), Automatic: true,
		Enabled: facts.Say(true, d.f.Span(l.Part)), Span: d.f.Span(l.Part),
	}
	if u, ok := copycmd.ParseURL(file.Text); ok {
		c.Protocol, c.Host, c.Addr, c.Path, c.URL = u.Protocol, strings.Clone(u.Host), u.Addr, strings.Clone(u.Path), strings.Clone(u.Text)
		d.f.URLSecrets(file)
	}
	d.f.Device.Clients = append(d.f.Device.Clients, c)
}

// pxe reads "pxe-service=[tag:...,]CSA,TEXT[,NAME[,SERVER]]".
func (d *dnsmasq) pxe(l *hostfile.Line, value hostfile.Part) {
	w := fields(value)
	if len(w) < 3 {
		return
	}
	host := ""
	if len(w) > 3 {
		host = w[3].String()
	}
	d.handed(l, "pxe-service", w[2], host)
}

// given reads options of DHCP that name a server to fetch files from (RFC 2132 9.4 and 9.5, RFC 5859, RFC 4578 for the
// boot file of IPv6: RFC 5970).
func (d *dnsmasq) given(l *hostfile.Line, key string, value hostfile.Part) {
	w := fields(value)
	if len(w) < 2 {
		return
	}
	option := strings.TrimPrefix(strings.TrimPrefix(w[0].String(), "option:"), "option6:")
	switch option {
	case "66", "tftp-server", "tftp-server-name", "150", "tftp-server-address", "server-ip-address":
		for _, p := range w[1:] {
			if u, ok := copycmd.ParseURL(p.Text); ok && u.Host != "" {
				d.handed(l, key+" "+option, p, "")
				continue
			}
			d.handed(l, key+" "+option, hostfile.Part{}, p.String())
		}
	case "67", "bootfile-name", "59", "bootfile-url":
		d.handed(l, key+" "+option, w[1], "")
	}
}

func (d *dnsmasq) finish() {
	s := &d.tftp
	if s.Bind == "" {
		s.Bind = strings.Join(d.bound, " ")
	}
	if d.include && !facts.On(s.Enabled) {
		s.Enabled, s.Fragment = facts.V[bool]{}, true // a file it includes may turn it on
	}
	if !facts.On(s.Enabled) && s.Path == "" && !d.include {
		return // a resolver
	}
	if s.Span.IsZero() {
		s.Span = firstLine(d.f)
	}
	d.f.Device.Services = append(d.f.Device.Services, *s)
}
