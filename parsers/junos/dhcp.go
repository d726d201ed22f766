package junos

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

func clone(s string) string { return strings.Clone(s) }

// fields splits b at blanks.
func fields(b []byte) [][]byte {
	var out [][]byte
	for start := -1; ; {
		i := 0
		if start >= 0 {
			i = start
		}
		for i < len(b) && (b[i] == ' ' || b[i] == '\t' || b[i] == '"') {
			i++
		}
		if i >= len(b) {
			return out
		}
		end := i
		for end < len(b) && b[end] != ' ' && b[end] != '\t' && b[end] != '"' {
			end++
		}
		out = append(out, b[i:end])
		start = end
	}
}

// dhcp reads "system services dhcp" (the older server, with pools in it) and its like.
func (p *parser) dhcp(n int32) {
	p.okAll(n)
	p.bootOptions(n, "system services "+p.text(n))
}

// access reads "access": address pools with the DHCP attributes handed out.
func (p *parser) access(n int32) {
	if n == none {
		return
	}
	p.ok(n)
	for c := p.first(n); c != none; c = p.next(c) {
		if !p.is(c, "address-assignment") {
			p.other("access", c)
			continue
		}
		p.okAll(c)
		p.bootOptions(c, "access address-assignment")
	}
}

// bootOptions adds the servers that DHCP tells clients to load files from: boot-server and next-server, tftp-server, options
// 66 (TFTP server name, RFC 2132 9.4) and 150 (TFTP server addresses, RFC 5859).
func (p *parser) bootOptions(n int32, name string) {
	p.eachBelow(n, func(k int32) {
		switch string(p.bytes(k)) {
		case "boot-server", "next-server", "tftp-server", "server-identifier-boot":
			for v := p.first(k); v != none; v = p.next(v) {
				p.bootServer(v, k, name+" "+p.text(k))
			}
		case "option":
			for _, code := range [...]string{"66", "150"} {
				o := p.kid(k, code)
				if o == none {
					continue
				}
				p.eachBelow(o, func(v int32) {
					switch string(p.bytes(v)) {
					case "string", "ip-address", "array", "hex-string":
					default:
						p.bootServer(v, v, name+" option "+code)
					}
				})
			}
		}
	})
}

func (p *parser) bootServer(v, at int32, name string) {
	c := facts.Client{
		Use: "dhcp-option", Name: name, Protocol: facts.TFTP, Host: clean(p.bytes(v)), Enabled: facts.Say(true, p.span(v)),
		Automatic: true, Scope: p.scope, Span: p.span(v),
	}
	if a, ok := addr(p.bytes(v)); ok {
		c.Addr = a
	}
	if u, ok := parseURL(p.bytes(v)); ok {
		c.Protocol, c.URL, c.Host, c.Addr, c.Path, c.User = u.protocol, u.text, u.host, u.addr, u.path, u.user
	}
	if pool := p.t.Nodes[at].Parent; pool >= 0 {
		if file := p.kid(pool, "boot-file"); file != none && c.Path == "" {
			if f := p.value(file); f != none {
				c.Path = p.text(f)
			}
		}
	}
	p.d.Clients = append(p.d.Clients, c)
}
