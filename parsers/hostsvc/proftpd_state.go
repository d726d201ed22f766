package hostsvc

import (
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// get is a directive of a server: its own, else what the server around it or <Global> says.
func (p *proftpd) get(s *proServer, name string) (value hostfile.Part, at *proServer, ok bool) {
	for x := s; x != nil; x = x.up {
		if v, ok := x.set[name]; ok {
			return v, x, true
		}
	}
	if v, ok := p.global.set[name]; ok {
		return v, p.global, true
	}
	return hostfile.Part{}, nil, false
}

// initial is a default, unless an included file may say otherwise.
func initial[T any](p *proftpd, v T) facts.V[T] {
	if p.included {
		return facts.V[T]{}
	}
	return facts.Assume(v)
}

// yes is a boolean directive.
func (p *proftpd) yes(s *proServer, name string, def bool) facts.V[bool] {
	v, at, ok := p.get(s, name)
	if !ok {
		return initial(p, def)
	}
	if at.maybe[name] != "" {
		return facts.V[bool]{}
	}
	switch strings.ToLower(v.Unquote().String()) {
	case "on", "yes", "true", "1":
		return facts.Say(true, p.f.Span(at.lines[name]))
	case "off", "no", "false", "0", "none":
		return facts.Say(false, p.f.Span(at.lines[name]))
	}
	return facts.V[bool]{}
}

// state states every server. A file that names none, and sets nothing that makes one, is part of another.
func (p *proftpd) state() {
	main := p.main
	_, typed := main.set["servertype"]
	_, named := main.set["servername"]
	_, ported := main.set["port"]
	whole := typed || named || ported
	p.included = p.included || !whole // what is not said here another file may say
	if whole || len(main.set) > 0 || len(p.global.set) > 0 {
		s := facts.Service{Name: "proftpd", Protocol: facts.FTP, Span: firstSet(p, main), Fragment: p.included}
		if whole {
			s.Enabled = p.started(main)
		}
		p.describe(main, &s)
		p.f.Device.Services = append(p.f.Device.Services, s)
	}
	for _, v := range p.servers {
		if v.kind == "anonymous" {
			continue // of its server
		}
		s := facts.Service{Name: "proftpd VirtualHost " + v.args.String(), Protocol: facts.FTP, Span: p.f.Span(v.line), Enabled: p.started(v)}
		if v.when != "" {
			s.Enabled = facts.V[bool]{}
		}
		s.Bind = virtual(v.args)
		p.describe(v, &s)
		p.f.Device.Services = append(p.f.Device.Services, s)
	}
}

// virtual is the addresses of a <VirtualHost>.
func virtual(p hostfile.Part) string {
	var out []string
	for _, w := range p.Fields() {
		b := bind(w.Unquote().String())
		if b == "" {
			return ""
		}
		out = append(out, b)
	}
	return strings.Join(out, " ")
}

func firstSet(p *proftpd, s *proServer) evidence.Span {
	for _, name := range []string{"port", "servertype", "servername"} {
		if l, ok := s.lines[name]; ok {
			return p.f.Span(l)
		}
	}
	return firstLine(p.f)
}

// started: "ServerType standalone" is the default; "inetd" leaves it to a super-server. "Port 0" takes a server away.
func (p *proftpd) started(s *proServer) facts.V[bool] {
	if v, at, ok := p.get(s, "port"); ok && v.Is("0") && at == s {
		return facts.Say(false, p.f.Span(s.lines["port"]))
	}
	v, ok := p.main.set["servertype"]
	switch {
	case ok && v.Fold("inetd"):
		return facts.V[bool]{}
	case ok && v.Fold("standalone"):
		return facts.Say(true, p.f.Span(p.main.lines["servertype"]))
	}
	return initial(p, true)
}

// describe fills in what the directives of a server, and of its <Anonymous>, say.
func (p *proftpd) describe(s *proServer, out *facts.Service) {
	if v, ok := s.set["port"]; ok && port(v) != 21 {
		out.Port = port(v)
	}
	if v, ok := s.set["defaultaddress"]; ok && s == p.main {
		out.Bind = virtual(v)
	}
	if v, at, ok := p.get(s, "sftpengine"); ok && !v.Fold("off") {
		out.Protocol = facts.SFTP
		if out.Port == 22 {
			out.Port = 0
		}
		out.Encryption = facts.Say(facts.EncryptedSessions, p.f.Span(at.lines["sftpengine"]))
		if at.maybe["sftpengine"] != "" {
			out.Encryption, out.Enabled = facts.V[facts.Encryption]{}, facts.V[bool]{} // without the module it would speak FTP
		}
	} else {
		out.Encryption = p.encryption(s)
		if out.Encryption.Known() && out.Encryption.Val == facts.ImplicitTLS {
			out.Protocol = facts.FTPS
		}
	}
	out.Writable = p.writable(s)
	p.anonymous(s, out)
	out.Confined = p.confined(s)
	out.Logged = p.logged(s)
	out.ACL = p.clients(s, out.Name)
}

// encryption: TLSEngine is off and TLSRequired off by default (mod_tls).
func (p *proftpd) encryption(s *proServer) facts.V[facts.Encryption] {
	engine := p.yes(s, "tlsengine", false)
	if facts.Off(engine) {
		return facts.V[facts.Encryption]{Val: facts.Cleartext, Origin: engine.Origin, Span: engine.Span}
	}
	if !facts.On(engine) {
		return facts.V[facts.Encryption]{}
	}
	if v, at, ok := p.get(s, "tlsoptions"); ok && hasFold(v, "UseImplicitSSL") && at.maybe["tlsoptions"] == "" {
		return facts.Say(facts.ImplicitTLS, p.f.Span(at.lines["tlsoptions"]))
	}
	v, at, ok := p.get(s, "tlsrequired")
	if !ok {
		if p.included {
			return facts.V[facts.Encryption]{}
		}
		return facts.V[facts.Encryption]{Val: facts.Negotiated, Origin: engine.Origin, Span: engine.Span}
	}
	if at.maybe["tlsrequired"] != "" {
		return facts.V[facts.Encryption]{}
	}
	here := p.f.Span(at.lines["tlsrequired"])
	switch strings.ToLower(v.Unquote().String()) {
	case "on", "yes", "true", "1", "ctrl+data", "auth+data":
		return facts.Say(facts.EncryptedSessions, here)
	case "ctrl", "auth", "ctrl+!data", "auth+!data":
		return facts.Say(facts.EncryptedLogin, here)
	case "off", "no", "false", "0", "data", "!data":
		return facts.Say(facts.Negotiated, here)
	}
	return facts.V[facts.Encryption]{}
}

// writable: every command is taken unless a <Limit> refuses it.
func (p *proftpd) writable(s *proServer) facts.V[bool] {
	for x := s; x != nil; x = x.up {
		if len(x.write.Text) > 0 {
			return facts.Say(true, p.f.Span(x.write))
		}
		if len(x.noWrite.Text) > 0 {
			return facts.Say(false, p.f.Span(x.noWrite))
		}
	}
	if len(p.global.noWrite.Text) > 0 {
		return facts.Say(len(p.global.write.Text) > 0, p.f.Span(p.global.noWrite))
	}
	return initial(p, true)
}

// anonymous: a server with an <Anonymous> lets its user in; "AnonRequirePassword on" wants a password all the same.
func (p *proftpd) anonymous(s *proServer, out *facts.Service) {
	out.Anonymous, out.AnonymousWrite = initial(p, false), initial(p, false)
	for _, a := range p.servers {
		if a.kind != "anonymous" || a.up != s && !(a.up == p.global) {
			continue
		}
		if facts.On(p.yes(a, "anonrequirepassword", false)) {
			continue
		}
		if a.when != "" {
			out.Anonymous, out.AnonymousWrite = facts.V[bool]{}, facts.V[bool]{}
			continue
		}
		out.Anonymous = facts.Say(true, p.f.Span(a.line))
		out.AnonymousWrite = p.writable(a)
		out.Path = a.args.String()
	}
}

// confined: DefaultRoot without a group that it is for.
func (p *proftpd) confined(s *proServer) facts.V[bool] {
	v, at, ok := p.get(s, "defaultroot")
	if !ok {
		return initial(p, false)
	}
	w := v.Quoted()
	if at.maybe["defaultroot"] != "" || len(w) != 1 {
		return facts.V[bool]{} // for some groups
	}
	return facts.Say(!w[0].Is("/"), p.f.Span(at.lines["defaultroot"]))
}

// logged: TransferLog is on by default and off by "NONE"; an ExtendedLog of reads and writes does as well.
func (p *proftpd) logged(s *proServer) facts.V[bool] {
	if v, at, ok := p.get(s, "extendedlog"); ok && at.maybe["extendedlog"] == "" && !v.Fold("none") {
		_, classes := v.Word()
		if len(classes.Text) == 0 || hasFold(hostfile.Part{At: classes.At, Text: commasOff(classes.Text)}, "ALL", "READ", "WRITE") {
			return facts.Say(true, p.f.Span(at.lines["extendedlog"]))
		}
	}
	v, at, ok := p.get(s, "transferlog")
	if !ok {
		return initial(p, true)
	}
	if at.maybe["transferlog"] != "" {
		return facts.V[bool]{}
	}
	return facts.Say(!v.Fold("none"), p.f.Span(at.lines["transferlog"]))
}

func commasOff(b []byte) []byte { return []byte(strings.ReplaceAll(string(b), ",", " ")) }

// clients makes a filter of <Limit LOGIN>: with "Order allow,deny", the default, who is in neither list is let in; with
// "deny,allow" he is not (mod_core, Order).
func (p *proftpd) clients(s *proServer, name string) facts.V[string] {
	l := s.login
	if l == nil {
		l = p.global.login
	}
	if l == nil {
		return facts.V[string]{}
	}
	end := facts.Permit
	if l.denyFirst {
		end = facts.Deny
	}
	switch l.all {
	case 1:
		end = facts.Permit
	case -1:
		end = facts.Deny
	}
	list := newList(p.f, name+" clients", "proftpd Limit LOGIN", end)
	list.out.Span = p.f.Span(l.line)
	rules := []struct {
		action  facts.Action
		clients []hostfile.Part
	}{{facts.Permit, l.allow}, {facts.Deny, l.deny}}
	if l.denyFirst {
		rules[0], rules[1] = rules[1], rules[0]
	}
	for _, r := range rules {
		if len(r.clients) == 0 {
			continue
		}
		var src facts.Addrs
		for _, c := range r.clients {
			if c.Fold("none") {
				continue
			}
			src.Items = append(src.Items, client(p.f, c))
		}
		list.rule(r.action, src, r.clients[0])
	}
	return list.state()
}
