package routeros

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/transferwords"
)

// script reads a stored script or a job of the scheduler, and the transfers in it: "/tool fetch url=ftp://..." or with
// mode, address, user and password.
func (p *parser) script(c *command) {
	key, use := "source", "script"
	h := facts.Hook{Kind: facts.HookScript, Name: c.text("name"), User: c.text("owner"), Enabled: facts.Say(!c.off(), p.span()), Span: p.span()}
	if c.path == "system scheduler" {
		key, use = "on-event", "scheduler"
		h.Kind, h.Trigger = facts.HookScheduler, strings.TrimSpace("interval "+c.text("interval")+" start "+c.text("start-time"))
	}
	v, ok := c.get(key)
	if !ok {
		return
	}
	for line := range strings.FieldsFuncSeq(v.text, func(r rune) bool { return r == '\n' || r == '\r' || r == ';' }) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		cmd := facts.HookCommand{Text: clip(copycmd.Mask([]byte(line), hide(line))), Span: p.valueSpan(v)}
		if f, ok := fetch(line); ok {
			cmd.Protocol, cmd.URL, cmd.Host = f.protocol, f.url, f.host
			x := facts.Client{
				Use: use, Name: h.Name, Protocol: f.protocol, URL: f.url, Host: f.host, Addr: addr(f.host), User: f.user, Path: f.path, Enabled: h.Enabled,
				Automatic: use == "scheduler", Span: p.valueSpan(v),
			}
			x.Password = facts.Say(f.password, p.valueSpan(v))
			p.d.Clients = append(p.d.Clients, x)
		}
		h.Commands = append(h.Commands, cmd)
	}
	p.d.Hooks = append(p.d.Hooks, h)
}

type fetched struct {
	protocol              facts.Protocol
	url, host, user, path string
	password              bool
}

// fetch reads a "/tool fetch" command.
func fetch(line string) (fetched, bool) {
	i := strings.Index(line, "fetch ")
	if i < 0 || !strings.Contains(line, "tool") && i > 1 {
		return fetched{}, false
	}
	var f fetched
	c := read([]byte(line[i+len("fetch "):]))
	if len(c) == 0 {
		return f, false
	}
	mode := c[0].text("mode")
	f.host, f.user, f.path = c[0].text("address"), c[0].text("user"), c[0].text("src-path")
	_, f.password = c[0].get("password")
	if u := c[0].text("url"); u != "" {
		if x, ok := copycmd.ParseURL([]byte(u)); ok {
			f.protocol, f.host, f.path = x.Protocol, strings.Clone(x.Host), strings.Clone(x.Path)
			f.url = strings.Clone(x.Text)
			return f, true
		}
	}
	x, ok := facts.ParseProtocol(mode)
	if !ok {
		return f, false
	}
	f.protocol = x
	if f.host != "" {
		f.url = mode + "://" + f.host + "/" + strings.TrimPrefix(f.path, "/")
	}
	return f, true
}

// hide finds passwords in a line of a script.
func hide(line string) []copycmd.Secret {
	out := copycmd.URLSecrets(nil, []byte(line))
	for at := 0; ; {
		i := strings.Index(line[at:], "password=")
		if i < 0 {
			return out
		}
		start := at + i + len("password=")
		end := start
		if end < len(line) && line[end] == '"' {
			start++
			end++
			for end < len(line) && line[end] != '"' {
				end++
			}
		} else {
			for end < len(line) && line[end] != ' ' && line[end] != ';' {
				end++
			}
		}
		if end > start {
			out = append(out, copycmd.Secret{Start: start, End: end, Kind: facts.SecretFTP, Storage: facts.StorageClear})
		}
		at = end
	}
}

// secretKeys are arguments that are secrets.
var secretKeys = map[string]facts.SecretKind{
	"password": facts.SecretOther, "secret": facts.SecretKey, "ipsec-secret": facts.SecretKey, "wpa-pre-shared-key": facts.SecretKey, "wpa2-pre-shared-key": facts.SecretKey,
	"passphrase": facts.SecretKey, "private-key": facts.SecretPrivate, "pre-shared-key": facts.SecretKey, "preshared-key": facts.SecretKey, "authentication-key": facts.SecretKey,
	"tcp-md5-key": facts.SecretKey, "authentication-password": facts.SecretSNMPv3, "encryption-password": facts.SecretSNMPv3, "shared-secret": facts.SecretKey,
	"static-key-0": facts.SecretKey, "mppe-key": facts.SecretKey, "auth-key": facts.SecretKey, "supplicant-password": facts.SecretKey,
}

// secrets records the secrets of a command, those in scripts too.
func (p *parser) secrets(c *command) {
	for i, k := range c.keys {
		v := c.vals[i]
		kind, ok := secretKeys[k]
		if k == "name" && c.path == "snmp community" || k == "trap-community" {
			kind, ok = facts.SecretCommunity, true
		}
		if k == "password" && c.path == "user" {
			kind = facts.SecretUser
		}
		if ok && strings.TrimSpace(v.text) != "" {
			storage := facts.StorageClear
			if strings.Trim(v.text, "*") == "" || strings.HasPrefix(v.text, "<") {
				storage = facts.StorageMasked
			}
			p.secret(v.at, v.length, kind, storage, k)
		}
		if k == "source" || k == "on-event" || k == "script" {
			raw := string(p.src[v.at:min(v.at+v.length, len(p.src))])
			for _, s := range hideRaw(raw) {
				p.secret(v.at+s.Start, s.End-s.Start, s.Kind, s.Storage, k)
			}
		}
	}
	for _, s := range copycmd.URLSecrets(nil, p.src[c.at:c.at+c.length]) {
		p.secret(c.at+s.Start, s.End-s.Start, s.Kind, s.Storage, "url")
	}
}

// hideRaw finds passwords in a script as the export escapes it.
func hideRaw(raw string) []copycmd.Secret {
	var out []copycmd.Secret
	for at := 0; ; {
		i := strings.Index(raw[at:], "password=")
		if i < 0 {
			return out
		}
		start := at + i + len("password=")
		end := start
		if strings.HasPrefix(raw[start:], `\"`) {
			start += 2
			if end = strings.Index(raw[start:], `\"`); end < 0 {
				end = len(raw) - start
			}
			end += start
		} else {
			for end < len(raw) && raw[end] != ' ' && raw[end] != ';' && raw[end] != '\\' && raw[end] != '\r' && raw[end] != '\n' && raw[end] != '"' {
				end++
			}
		}
		if end > start {
			out = append(out, copycmd.Secret{Start: start, End: end, Kind: facts.SecretFTP, Storage: facts.StorageClear})
		}
		at = end
	}
}

func (p *parser) secret(at, length int, kind facts.SecretKind, storage facts.Storage, name string) {
	if length <= 0 || at+length > len(p.src) {
		return
	}
	if i := bytes.IndexByte(p.src[at:at+length], '\n'); i >= 0 { // it goes on over lines: told line by line
		p.secret(at, i, kind, storage, name)
		p.secret(at+i+1, length-i-1, kind, storage, name)
		return
	}
	value := p.src[at : at+length]
	at += len(value) - len(bytes.TrimLeft(value, " \t\r"))
	if length = len(bytes.TrimSpace(value)); length == 0 || string(p.src[at:at+length]) == "\\" {
		return
	}
	s := facts.Secret{Kind: kind, Storage: storage, Name: name, Span: p.f.Span(int64(at), length)}
	if storage != facts.StorageMasked {
		s.Tag = p.sink.Tag(p.src[at : at+length])
	}
	for i := range p.d.Secrets {
		if p.d.Secrets[i].Span == s.Span {
			return
		}
	}
	p.d.Secrets = append(p.d.Secrets, s)
}

// blocks are menus that cannot bear on transfers, with the reason. What names a transfer URL inside is told all the same.
var blocks = []struct{ path, why string }{
	{"interface", "links"}, {"ip arp", "ARP"}, {"ip cloud", "dynamic names"}, {"ip dhcp", "address assignment"}, {"ip dns", "name resolution"}, {"ip hotspot", "portals"},
	{"ip ipsec", "VPN"}, {"ip neighbor", "discovery"}, {"ip pool", "address pools"}, {"ip proxy", "the web proxy"}, {"ip settings", "timers"}, {"ip socks", "the SOCKS proxy"},
	{"ip ssh", "settings of SSH"}, {"ip upnp", "port forwards on request"}, {"ip vrf", "VRFs"}, {"ip firewall mangle", "marks and priorities"}, {"ip firewall layer7", "patterns"},
	{"ip firewall connection", "timers"}, {"ip firewall calea", "copies of traffic"}, {"ip kid-control", "times"}, {"ip accounting", "counters"}, {"ip nat-pmp", "port forwards on request"},
	{"ip packing", "compression"}, {"ip reverse-proxy", "the web proxy"}, {"ip media", "media"}, {"ip traffic-flow", "flow export"}, {"ip route", "routing"}, {"ip smb", "the SMB server's settings"},
	{"ipv6", "IPv6 addresses and routing"}, {"routing", "routing"}, {"mpls", "routing"}, {"queue", "priorities"}, {"ppp", "access lines"}, {"port", "serial ports"}, {"caps-man", "radio"},
	{"certificate", "certificates"}, {"container", "containers"}, {"lcd", "the display"}, {"iot", "sensors"}, {"dude", "monitoring"}, {"file", "files"}, {"disk", "disks"}, {"lora", "sensors"},
	{"partitions", "disks"}, {"radius", "authentication"}, {"snmp", "monitoring"}, {"special-login", "serial ports"}, {"system", "settings of the device as a whole"}, {"tool", "tools"},
	{"tr069-client", "the provider's management"}, {"user", "users and groups"}, {"user-manager", "users"}, {"wifi", "radio"}, {"openflow", "forwarding"}, {"metarouter", "virtual machines"},
	{"gps", "position"}, {"zerotier", "VPN"}, {"app", "applications"},
}

func (p *parser) irrelevant(c *command) {
	text := p.src[c.at : c.at+c.length]
	if strings.HasSuffix(transferwords.Find(text), "://") || c.path == "tool fetch" {
		p.state, p.why = facts.Unsupported, "it names a transfer and is not modelled"
		return
	}
	for i := range blocks {
		b := &blocks[i]
		if c.path == b.path || strings.HasPrefix(c.path, b.path+" ") || strings.HasPrefix(c.path, b.path+"-") {
			p.state, p.why = facts.Irrelevant, b.why
			return
		}
	}
}
