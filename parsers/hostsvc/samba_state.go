package hostsvc

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// state states the server and its shares. A file without [global] that names shares is one that another includes.
func (s *samba) state() {
	whole := len(s.global.line.Text) > 0
	server := facts.Service{Name: "smbd", Protocol: facts.SMB, Fragment: s.included || !whole, Span: s.f.Span(s.global.line)}
	if len(s.global.line.Text) == 0 {
		server.Span = firstLine(s.f)
	}
	if whole {
		server.Enabled = facts.Assume(true)
	}
	s.server(&server)
	if s.global.name.Text != nil || len(s.global.set) > 0 {
		s.f.Device.Services = append(s.f.Device.Services, server)
	}
	for _, at := range s.shares {
		s.share(at, &server)
	}
	s.usershares(&server)
}

// server reads the parameters of the server as a whole.
func (s *samba) server(out *facts.Service) {
	if p, ok := s.global.set["smbports"]; ok { // "445 139" unless it says otherwise
		if ports := p.Fields(); len(ports) > 0 && port(ports[0]) != 445 && port(ports[0]) != 139 {
			out.Port = port(ports[0])
		}
	}
	if facts.On(s.yes(s.global, "bindinterfacesonly", false)) {
		if p, ok := s.global.set["interfaces"]; ok {
			out.Bind = s.interfaces(p)
		}
	}
	// The lowest dialect is SMB2_02 by default since 4.11 and was NT1 or less before: the version is not in the file.
	out.Dialect = s.text("serverminprotocol")
	out.Signing = s.text("serversigning")
	out.Encryption = s.encryption(s.global)
	out.Logged = s.logged(s.global)
	out.ACL = s.clients(s.global, "smb.conf [global] clients")
	// Without an account only with "map to guest": then a share may say "guest ok" (smb.conf(5)).
	switch v, ok := s.global.set["maptoguest"]; {
	case ok:
		out.Anonymous = facts.Say(!v.Fold("never"), s.f.Span(v))
	case !s.included:
		out.Anonymous = facts.Assume(false)
	}
}

// interfaces is what the server listens on: names, and addresses without the length of their network.
func (s *samba) interfaces(p hostfile.Part) string {
	var out []string
	for _, w := range p.Split(", \t") {
		text := w.Unquote().String()
		text, _, _ = strings.Cut(text, ";")
		if host, _, ok := strings.Cut(text, "/"); ok {
			text = host
		}
		if text == "lo" || text == "127.0.0.1" || text == "::1" || text == "127.0.0.0" {
			continue // always among them
		}
		out = append(out, text)
	}
	if len(out) == 0 {
		return "127.0.0.1"
	}
	return strings.Join(out, " ")
}

// encryption: "default" lets clients ask for it (smb.conf(5), "server smb encrypt").
func (s *samba) encryption(at *sambaSection) facts.V[facts.Encryption] {
	v, ok := at.set["serversmbencrypt"]
	if !ok && at != s.global {
		v, ok = s.global.set["serversmbencrypt"]
	}
	if !ok {
		if s.included {
			return facts.V[facts.Encryption]{}
		}
		return facts.Assume(facts.Negotiated)
	}
	switch strings.ToLower(v.String()) {
	case "required", "mandatory", "force", "forced", "enforced":
		return facts.Say(facts.EncryptedSessions, s.f.Span(v))
	case "off", "disabled", "no", "false", "0":
		return facts.Say(facts.Cleartext, s.f.Span(v))
	case "desired", "if_required", "auto", "default", "yes", "true", "1":
		return facts.Say(facts.Negotiated, s.f.Span(v))
	}
	return facts.V[facts.Encryption]{}
}

// logged: files that are opened are written down by the modules full_audit and extd_audit alone; a high "log level" fills
// the debug log, which is no record of transfers. full_audit logs the calls it is told to, and all by default.
func (s *samba) logged(at *sambaSection) facts.V[bool] {
	v, ok := at.set["vfsobjects"]
	if !ok && at != s.global {
		v, ok = s.global.set["vfsobjects"]
	}
	if !ok {
		if s.included {
			return facts.V[bool]{}
		}
		return facts.Assume(false)
	}
	for _, w := range v.Split(", \t") {
		if w.Is("full_audit") || w.Is("extd_audit") || w.Is("audit") {
			for _, from := range []*sambaSection{at, s.global} {
				if calls, ok := from.set["full_audit:success"]; ok && calls.Fold("none") {
					return facts.Say(false, s.f.Span(calls))
				}
			}
			return facts.Say(true, s.f.Span(v))
		}
	}
	return facts.Say(false, s.f.Span(v))
}

// clients makes a filter of "hosts allow" and "hosts deny": an address that is allowed is taken, else one that is denied is
// not; one in neither list is taken when there is a list of denied ones, or none of allowed ones (smb.conf(5), "hosts allow").
func (s *samba) clients(at *sambaSection, name string) facts.V[string] {
	allow, limited := at.set["hostsallow"]
	deny, refused := at.set["hostsdeny"]
	limited, refused = limited && len(allow.Text) > 0, refused && len(deny.Text) > 0
	if !limited && !refused {
		return facts.V[string]{}
	}
	end := facts.Permit
	if limited && !refused {
		end = facts.Deny
	}
	list := newList(s.f, name, "smb.conf hosts allow", end)
	if limited {
		list.rule(facts.Permit, s.hosts(allow), allow)
	}
	if refused {
		list.rule(facts.Deny, s.hosts(deny), deny)
	}
	return list.state()
}

// hosts reads a list of clients with exceptions: "10. EXCEPT 10.0.0.1".
func (s *samba) hosts(p hostfile.Part) facts.Addrs {
	var out facts.Addrs
	except := false
	for _, w := range p.Split(", \t") {
		if w.Fold("except") {
			if except {
				out.Items = append(out.Items, facts.AddrItem{Unread: "exceptions from exceptions", Span: s.f.Span(w)})
			}
			except = true
			continue
		}
		item := client(s.f, w)
		item.Except = except
		out.Items = append(out.Items, item)
	}
	return out
}

// share states one share.
func (s *samba) share(at *sambaSection, server *facts.Service) {
	x := facts.Service{
		Name: "smb.conf " + sambaTitle(at), Protocol: facts.SMB, Alias: at.name.String(), Enabled: s.yes(at, "available", true), Port: server.Port, Bind: server.Bind,
		Dialect: server.Dialect, Signing: server.Signing, Encryption: s.encryption(at), Logged: s.logged(at), Span: s.f.Span(at.line),
	}
	if p, ok := at.set["path"]; ok {
		x.Path = p.Unquote().String()
	}
	x.Writable = s.writableByAll(at)
	if list, ok := at.set["writelist"]; ok && facts.Off(x.Writable) && len(list.Text) > 0 {
		x.Writable = facts.Say(true, s.f.Span(list)) // for those it names
	}
	if facts.On(s.yes(at, "printable", false)) {
		x.Writable = s.yes(at, "printable", false) // jobs are files that clients store
	}
	x.Anonymous = s.guests(at)
	x.AnonymousWrite = both(x.Anonymous, s.writableByAll(at))
	x.Confined = s.confined(at)
	if x.ACL = s.clients(at, "smb.conf "+sambaTitle(at)+" clients"); !x.ACL.Known() {
		x.ACL = server.ACL
	}
	s.f.Device.Services = append(s.f.Device.Services, x)
}

// guests: "guest only" means nothing without "guest ok" (smb.conf(5)).
func (s *samba) guests(at *sambaSection) facts.V[bool] { return s.yes(at, "guestok", false) }

func (s *samba) writableByAll(at *sambaSection) facts.V[bool] {
	v := s.yes(at, "readonly", true)
	if v.Known() {
		v.Val = !v.Val
	}
	return v
}

// both is a and b.
func both(a, b facts.V[bool]) facts.V[bool] {
	switch {
	case facts.Off(a):
		return a
	case facts.Off(b):
		return b
	case !a.Known():
		return a
	}
	return b
}

// confined: links lead out of a share only when they are followed and may be wide.
func (s *samba) confined(at *sambaSection) facts.V[bool] {
	wide := s.yes(at, "widelinks", false)
	if facts.On(wide) {
		if follow := s.yes(at, "followsymlinks", true); facts.Off(follow) {
			return facts.Say(true, follow.Span)
		}
	}
	if wide.Known() {
		wide.Val = !wide.Val
	}
	return wide
}

// usershares are shares that users may make by themselves, each in a file of a folder that must be set and exist.
func (s *samba) usershares(server *facts.Service) {
	most, ok := s.global.set["usersharemaxshares"]
	if n, number := number(most); !ok || !number || n == 0 {
		return
	}
	x := facts.Service{
		Name: "smb.conf usershares", Protocol: facts.SMB, Enabled: facts.Say(true, s.f.Span(most)), Anonymous: s.yes(s.global, "usershareallowguests", false),
		Port: server.Port, Bind: server.Bind, ACL: server.ACL, Dialect: server.Dialect, Signing: server.Signing, Encryption: server.Encryption, Logged: server.Logged,
		Span: s.f.Span(most),
	}
	if p, ok := s.global.set["usersharepath"]; ok {
		x.Path = p.String()
	}
	s.f.Device.Services = append(s.f.Device.Services, x)
}

// Usershare reads a file of Samba's usershare folder: "#VERSION 2" and lines "path=", "usershare_acl=", "guest_ok=".
func Usershare() facts.Format {
	return format("samba-usershare", hostfile.Syntax{}, func(_ string, head []byte) facts.Confidence {
		if bytes.HasPrefix(head, []byte("#VERSION ")) && bytes.Contains(head, []byte("\nusershare_acl=")) && bytes.Contains(head, []byte("\npath=")) {
			return facts.Certain
		}
		return facts.No
	}, func(f *hostfile.File, _ string) { readUsershare(f) })
}

func readUsershare(f *hostfile.File) {
	x := facts.Service{Protocol: facts.SMB, Name: "usershare", Anonymous: facts.Assume(false), Writable: facts.Assume(false), Span: firstLine(f)}
	for i := range f.Lines {
		l := &f.Lines[i]
		key, value, assigns := l.Cut("=")
		switch {
		case bytes.HasPrefix(l.Text, []byte("#VERSION")):
			l.OK()
		case !assigns:
		case key.Is("path"):
			x.Path = value.String()
			x.Enabled = facts.Say(true, f.Span(l.Part))
			l.OK()
		case key.Is("comment"):
			l.Skip()
		case key.Is("guest_ok"):
			x.Anonymous = facts.Say(value.Fold("y"), f.Span(l.Part))
			l.OK()
		case key.Is("sharename"):
			x.Alias, x.Name = value.String(), "usershare ["+value.String()+"]"
			l.OK()
		case key.Is("usershare_acl"):
			x.Writable = usershareWritable(f, value)
			l.OK()
		}
	}
	x.AnonymousWrite = both(x.Anonymous, x.Writable)
	f.Device.Services = append(f.Device.Services, x)
}

// usershareWritable reads "SID:F,SID:R": F is full access, R to read, D none (net(8), usershare).
func usershareWritable(f *hostfile.File, p hostfile.Part) facts.V[bool] {
	for _, w := range p.Split(",") {
		if bytes.HasSuffix(bytes.ToLower(w.Text), []byte(":f")) {
			return facts.Say(true, f.Span(w))
		}
	}
	return facts.Say(false, f.Span(p))
}
