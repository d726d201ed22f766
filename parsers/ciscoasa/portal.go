package ciscoasa

import (
	"bytes"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/copycmd"
	"github.com/quaymaster/quaymaster/internal/field"
)

// vpnState gathers what clientless VPN lets users reach: the ASA then speaks SMB (and FTP) to file servers for them.
type vpnState struct {
	enabled []evidence.Span // "webvpn / enable IF"
	where   []string
	files   []filesStatement
}

// A filesStatement switches access to file servers on or off for the users of a policy.
type filesStatement struct {
	name string // "file-browsing of group-policy staff"
	path string
	on   bool
	span evidence.Span
}

// webvpn reads the top-level webvpn block.
func (p *parser) webvpn(n int32) {
	p.understood(n)
	p.children(n, func(c int32) {
		if p.is(0, "enable") && !p.negated && len(p.w) > 1 {
			p.vpn.enabled = append(p.vpn.enabled, p.span(c))
			p.vpn.where = append(p.vpn.where, p.str(p.word(1)))
			p.understood(c)
			return
		}
		if p.is(0, "http-proxy") || p.is(0, "https-proxy") {
			for i := 1; i+1 < len(p.w); i++ {
				if p.is(i, "password") {
					p.secret(i+1, facts.SecretOther, p.str(p.word(0))+" password", "")
				}
			}
			p.understood(c)
			return
		}
		p.irrelevant(c) // the portal's looks, sessions and client images
	})
}

// groupPolicy reads "group-policy NAME internal|external|attributes".
func (p *parser) groupPolicy(n int32) {
	p.understood(n)
	name := p.str(p.word(1))
	for i := 2; i+1 < len(p.w); i++ {
		if p.is(i, "password") { // external server-group RADIUS password X
			p.secret(i+1, facts.SecretKey, "group-policy password", "")
		}
	}
	p.children(n, func(c int32) {
		switch {
		case p.is(0, "webvpn"):
			p.understood(c)
			p.children(c, func(s int32) { p.portal(s, "group-policy "+name) })
		case p.vpnFilter(c, "group-policy "+name):
		default:
			p.irrelevant(c) // attributes of a remote access session
		}
	})
}

// accessPolicy reads a dynamic-access-policy-record.
func (p *parser) accessPolicy(n int32) {
	p.understood(n)
	name := "dynamic-access-policy-record " + p.str(p.word(1))
	p.children(n, func(c int32) {
		if p.is(0, "webvpn") {
			p.understood(c)
			p.children(c, func(s int32) { p.portal(s, name) })
			return
		}
		p.irrelevant(c)
	})
}

// portal reads what the policy lets clientless users do, below its webvpn line.
func (p *parser) portal(c int32, policy string) {
	on := filesStatement{span: p.span(c)}
	switch string(p.word(0)) {
	case "file-browsing", "file-entry":
		on.name, on.on = p.str(p.word(0))+" of "+policy, p.is(1, "enable") && !p.negated
		p.vpn.files = append(p.vpn.files, on)
		p.understood(c)
	case "functions": // 7.x: functions url-entry file-access file-entry file-browsing
		for i := 1; i < len(p.w); i++ {
			switch string(p.word(i)) {
			case "file-browsing", "file-entry", "file-access":
				on.name, on.on = p.str(p.word(i))+" of "+policy, !p.negated
				p.vpn.files = append(p.vpn.files, on)
			}
		}
		p.understood(c)
	default:
		if p.vpnFilter(c, policy) {
			return
		}
		p.irrelevant(c)
	}
}

// urlList reads "url-list NAME TITLE URL": a bookmark of the portal (7.x; later ones are files).
func (p *parser) urlList(n int32) {
	p.understood(n)
	for i := 2; i < len(p.w); i++ {
		w := bytes.Trim(p.word(i), `"`)
		if path, ok := bytes.CutPrefix(w, []byte("cifs://")); ok {
			p.vpn.files = append(p.vpn.files, filesStatement{"url-list " + p.str(p.word(1)), "cifs://" + p.maskText(path), true, p.span(n)})
		}
	}
}

// portalServices states the SMB proxies. A statement counts only while clientless VPN is enabled on an interface. When it
// is and no policy states file access, whether users have it is not known: the default policy's own setting is printed by
// "show running-config all" only.
func (p *parser) portalServices() {
	v := &p.vpn
	s := facts.Service{Protocol: facts.SMB, Role: facts.RoleProxy, Scope: p.scope}
	for _, f := range v.files {
		s.Name, s.Path, s.Span = "webvpn "+f.name, f.path, f.span
		s.Enabled = facts.Say(f.on, f.span)
		if f.on && len(v.enabled) == 0 {
			s.Enabled = facts.V[bool]{Origin: facts.Default, Span: f.span} // "webvpn / enable" is off by default
		}
		if len(v.where) == 1 {
			s.Bind = v.where[0]
		}
		p.d.Services = append(p.d.Services, s)
	}
	if len(v.files) == 0 && len(v.enabled) > 0 && !p.atLeast(9, 17) { // 9.17(1) removed clientless VPN (its release notes)
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: facts.SMB, Role: facts.RoleProxy, Scope: p.scope, Name: "webvpn file-browsing", Bind: v.where[0], Span: v.enabled[0],
		})
	}
}

// mount reads "mount NAME type cifs|ftp" and what is below it: a share the ASA itself mounts for its certificate
// authority (ASA command reference, mount type cifs, mount type ftp).
func (p *parser) mount(n int32) {
	c := facts.Client{Use: "mount", Name: "mount " + p.str(p.word(1)), Scope: p.scope, Span: p.span(n), Automatic: true}
	switch {
	case p.negated:
		p.understood(n)
		return
	case p.is(2, "type") && p.is(3, "cifs"):
		c.Protocol = facts.SMB
	case p.is(2, "type") && p.is(3, "ftp"):
		c.Protocol = facts.FTP
	default:
		p.unknownBelow(n)
		return
	}
	p.understood(n)
	c.Enabled = facts.Assume(false) // "status enable" mounts it
	c.Password = facts.V[bool]{Origin: facts.Explicit, Span: c.Span}
	p.children(n, func(s int32) {
		switch string(p.word(0)) {
		case "server":
			c.Host = p.str(p.word(1))
			c.Addr, _ = p.address(p.word(1))
		case "share", "path":
			c.Path = string(bytes.TrimLeft(p.word(1), "/"))
		case "username":
			c.User = p.str(p.word(1))
		case "password":
			c.Password = hasPassword(p.secret(1, facts.SecretFTP, "mount password", c.User))
		case "status":
			c.Enabled = facts.Say(p.is(1, "enable") && !p.negated, p.span(s))
		case "domain", "mode":
		default:
			p.anySecrets(s)
			return
		}
		p.understood(s)
	})
	p.d.Clients = append(p.d.Clients, c)
}

// hasPassword is Client.Password for a secret found.
func hasPassword(s facts.Secret) facts.V[bool] {
	if s.Storage == facts.StorageMasked {
		return facts.Hidden[bool](s.Span)
	}
	return facts.Say(true, s.Span)
}

// atLeast reports whether the software is known to be major.minor or younger.
func (p *parser) atLeast(major, minor int) bool {
	return p.major != 0 && !p.before(major, minor)
}

// url reads a transfer URL at word i into c and reports whether it is one. The password in it was recorded with the
// file's other URLs.
func (p *parser) url(c *facts.Client, i int) bool {
	w := bytes.Trim(p.word(i), `"`)
	u, ok := copycmd.ParseURL(w)
	if !ok {
		return false
	}
	c.Protocol, c.URL, c.Host, c.Addr, c.Path = u.Protocol, u.Text, u.Host, u.Addr, u.Path
	c.Password = facts.V[bool]{Origin: facts.Explicit}
	if j := field.Index(w, "://"); j >= 0 {
		if start, end, has := userinfoPassword(w, j+3); has {
			c.User = string(w[j+3 : start-1])
			c.Password = facts.Say(true, p.at(p.w[i]))
			if len(bytes.Trim(w[start:end], "*")) == 0 {
				c.Password = facts.Hidden[bool](p.at(p.w[i]))
			}
		} else if at := bytes.IndexByte(w[j+3:], '@'); at > 0 && c.Protocol != facts.TFTP {
			c.User = string(w[j+3 : j+3+at])
		}
	}
	c.Password.Span = p.at(p.w[i])
	return true
}
