package ciscoios

import (
	"bytes"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// serviceState is what services are made of that more than one statement says.
type serviceState struct {
	ftp struct {
		enabled, write facts.V[bool]
		topdir         string
		span           evidence.Span
	}
	scp      facts.V[bool]
	http     [2]facts.V[bool] // HTTP and HTTPS
	httpPort [2]uint16
	httpACL  facts.V[string]
	install  bool // a vstack statement was met
	lines    []vtyLine
	planes   []plane
	hints    []string // what names the model
}

// A vtyLine is who may log in on a range of terminal lines.
type vtyLine struct {
	acl     facts.V[string]
	ssh     bool
	in, out facts.V[[]string]
	exec    facts.V[bool]
}

// A plane is a "management-interface" of the control plane's host: management traffic of these protocols is taken there
// and, once one is stated, nowhere else (Management plane protection).
type plane struct {
	iface     string
	protocols []string
	span      evidence.Span
}

// tftpServer reads "tftp-server FS:FILE [alias NAME] [LIST]" and "tftp-server FS FILE ...", one published file per line.
func (p *parser) tftpServer(n int32) {
	p.ok(n)
	s := facts.Service{
		Protocol: facts.TFTP, Name: "tftp-server", Enabled: facts.Say(!p.negated, p.span(n)), Span: p.span(n),
		Writable: facts.Assume(false), // it answers read requests only (Configuration fundamentals, tftp-server)
	}
	i := 2
	path := string(p.word(1))
	next := p.word(2)
	loose := len(next) > 0 && string(next) != "alias"
	switch {
	case !strings.Contains(path, ":") && path != "" && path != "rom" && loose: // flash FILE
		path, i = join(path+":", next), 3
	case !strings.Contains(path, ":") && path != "":
		path += ":"
	case strings.HasSuffix(path, ":") && loose && !isList(len(p.w), next): // flash: FILE
		path, i = join(path, next), 3
	}
	s.Path = p.str([]byte(path))
	if p.is(i, "alias") {
		s.Alias = p.str(p.word(i + 1))
		i += 2
	}
	if w := p.word(i); len(w) > 0 {
		s.ACL = facts.Say(p.str(w), p.span(n))
		if !p.negated {
			p.bind(s.ACL.Val, facts.WhereTFTPServer, p.span(n))
		}
	}
	if path == "" {
		s.Enabled = facts.Say(false, p.span(n)) // "no tftp-server"
	}
	p.d.Services = append(p.d.Services, s)
}

// isList reports whether a last word is the number of a list rather than a file.
func isList(words int, w []byte) bool {
	_, numeric := number(w)
	return numeric && words == 3
}

// join puts a file behind its file system, unless it names one itself.
func join(fs string, file []byte) string {
	if bytes.IndexByte(file, ':') > 0 {
		return string(file)
	}
	return fs + string(file)
}

// ftpServer reads "ftp-server enable", "ftp-server topdir DIR" and "ftp-server write-enable". Old software prints
// "no ftp-server write-enable" by default, which is no server.
func (p *parser) ftpServer(n int32) {
	p.ok(n)
	s := &p.services.ftp
	switch string(p.word(1)) {
	case "enable":
		s.enabled, s.span = facts.Say(!p.negated, p.span(n)), p.span(n)
	case "write-enable":
		s.write = facts.Say(!p.negated, p.span(n))
	case "topdir":
		if !p.negated {
			s.topdir = p.str(p.word(2))
		}
	default:
		p.t.Mark(n, facts.Unrecognised)
	}
}

// rcmd reads "ip rcmd ...".
func (p *parser) rcmd(n int32) {
	p.ok(n)
	s := facts.Service{Protocol: facts.RCP, Enabled: facts.Say(!p.negated, p.span(n)), Span: p.span(n)}
	switch string(p.word(2)) {
	case "rcp-enable":
		s.Name, s.Port = "ip rcmd rcp-enable", 514
	case "rsh-enable":
		s.Name, s.Port, s.Role = "ip rcmd rsh-enable", 514, facts.RoleShell
	case "source-interface", "remote-username":
		p.setting(n, facts.RCP, "ip rcmd", 2)
		return
	case "remote-host":
		p.remoteHost(n)
		return
	default: // domain-lookup
		return
	}
	p.d.Services = append(p.d.Services, s)
}

// vstack reads the Smart Install statements.
func (p *parser) vstack(n int32) {
	p.ok(n)
	span := p.span(n)
	for i := 1; i < len(p.w); i++ { // vstack config|image|script|backup ... URL: what clients are given
		if l, ok := p.link(i); ok && !p.negated {
			p.client("boot-config", "vstack "+p.str(p.word(1)), l, span)
		}
	}
	switch w := string(p.word(1)); {
	case len(p.w) == 1, w == "director", w == "basic":
		p.services.install = true
		if w == "director" && !p.negated && p.word(2) != nil { // it gives the others their image and configuration
			p.trust("controller", "vstack director", p.word(2), span)
		}
		name := "vstack"
		if w == "director" || w == "basic" && !p.negated {
			name += " " + w
		}
		if p.negated && w != "" {
			return // not a director: it may be a client
		}
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: facts.SmartInstall, Name: name, Enabled: facts.Say(!p.negated, span), Span: span, Port: 4786,
		})
	}
}

// http reads "ip http server", "ip http secure-server", their ports and clients, and the client's own settings.
func (p *parser) http(n int32) {
	span := p.span(n)
	switch string(p.word(2)) {
	case "server":
		p.services.http[0] = facts.Say(!p.negated, span)
	case "secure-server":
		p.services.http[1] = facts.Say(!p.negated, span)
	case "port":
		if port, ok := number(p.word(3)); ok && port <= 65535 && !p.negated {
			p.services.httpPort[0] = uint16(port)
		}
	case "secure-port":
		if port, ok := number(p.word(3)); ok && port <= 65535 && !p.negated {
			p.services.httpPort[1] = uint16(port)
		}
	case "access-class":
		name := p.str(p.word(len(p.w) - 1))
		if p.negated || name == "" {
			break
		}
		if !p.is(3, "ipv6") {
			p.services.httpACL = facts.Say(name, span)
		}
		p.bind(name, facts.WhereHTTP, span)
	case "client":
		p.setting(n, facts.HTTP, "ip http client", 3)
		return
	default:
		p.skip(n) // how sessions are authenticated and how long they last
		return
	}
	p.ok(n)
}

// terminal reads "line con|aux|vty N [M]" and its block.
func (p *parser) terminal(n int32) {
	vty := p.is(1, "vty")
	p.ok(n)
	v := vtyLine{ssh: true} // what is not restricted takes every protocol
	p.children(n, func(c int32) {
		switch string(p.word(0)) {
		case "access-class":
			p.accessClass(c, facts.IPv4, 1, vty, &v)
		case "ipv6":
			if p.is(1, "access-class") {
				p.accessClass(c, facts.IPv6, 2, vty, &v)
				return
			}
			p.skip(c)
		case "transport":
			p.ok(c)
			p.transport(c, &v)
		case "exec":
			p.ok(c)
			if len(p.w) == 1 {
				v.exec = facts.Say(!p.negated, p.span(c))
			}
		case "autocommand":
			p.ok(c)
			if !p.negated {
				p.autocommand(p.str(p.t.Text(n)), p.rest(c, 1), p.span(c))
			}
		case "password", "secret":
			p.ok(c)
		default:
			p.skip(c)
		}
	})
	p.read(n)
	if p.negated {
		return
	}
	p.login(n, &v)
	if vty {
		p.services.lines = append(p.services.lines, v)
	}
}

func (p *parser) accessClass(c int32, fam facts.Family, i int, vty bool, v *vtyLine) {
	p.ok(c)
	if p.negated {
		return
	}
	b, ok := p.binding(c, fam, i, facts.WhereVTY)
	if !ok {
		p.t.Mark(c, facts.Unrecognised)
		p.reasons[c] = "how a list is applied was not understood"
		return
	}
	if !vty {
		return
	}
	if b.Direction == facts.In && fam == facts.IPv4 {
		v.acl = facts.Say(b.Filters[0], b.Span)
	}
	p.d.Bindings = append(p.d.Bindings, b)
}

// controlPlane reads "control-plane [host|transit|cef-exception]".
func (p *parser) controlPlane(n int32) {
	p.ok(n)
	host := p.is(1, "host")
	p.children(n, func(c int32) {
		switch {
		case p.is(0, "management-interface") && host && !p.negated:
			p.ok(c)
			pl := plane{iface: p.str(p.word(1)), span: p.span(c)}
			for i := 3; i < len(p.w); i++ {
				pl.protocols = append(pl.protocols, p.str(p.word(i)))
			}
			p.services.planes = append(p.services.planes, pl)
		case p.is(0, "service-policy"):
			p.qosPolicy(c)
		default:
			p.skip(c)
		}
	})
}

// finishServices states the services that more than one statement makes, and who may reach them.
func (p *parser) finishServices() {
	s := &p.services
	if s.ftp.enabled.Origin != facts.Unknown {
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: facts.FTP, Name: "ftp-server", Enabled: s.ftp.enabled, Path: s.ftp.topdir, Writable: s.ftp.write, Span: s.ftp.span,
		})
		if last := &p.d.Services[len(p.d.Services)-1]; last.Writable.Origin == facts.Unknown {
			last.Writable = facts.Assume(false) // writes are off until "ftp-server write-enable"
		}
	}
	if s.scp.Origin != facts.Unknown {
		p.d.Services = append(p.d.Services, facts.Service{
			Protocol: facts.SCP, Name: "ip scp server", Enabled: s.scp, ACL: p.vtyFilter(), Writable: facts.Assume(true),
			Anonymous: facts.Assume(false), Span: s.scp.Span,
		})
	}
	for i, proto := range [...]facts.Protocol{facts.HTTP, facts.HTTPS} {
		if v := s.http[i]; v.Origin != facts.Unknown {
			p.d.Services = append(p.d.Services, facts.Service{
				Protocol: proto, Name: [...]string{"ip http server", "ip http secure-server"}[i], Enabled: v, Port: s.httpPort[i],
				ACL: s.httpACL, Span: v.Span,
			})
		}
	}
	p.smartInstall()
	p.finishAccess()
	p.protectPlane()
}

// vtyFilter is the filter in front of SSH, which SCP comes in by: the access class of every terminal line that takes SSH.
// Lines with different ones get a synthetic filter that permits what any of them does.
func (p *parser) vtyFilter() facts.V[string] {
	var lists []facts.V[string]
	seen := map[string]bool{}
	for _, v := range p.services.lines {
		switch {
		case !v.ssh:
		case !v.acl.Known():
			return facts.V[string]{} // anyone may connect
		case !seen[v.acl.Val]:
			seen[v.acl.Val] = true
			lists = append(lists, v.acl)
		}
	}
	switch len(lists) {
	case 0:
		return facts.V[string]{}
	case 1:
		return lists[0]
	}
	f := facts.Filter{Name: "line vty access-class", Kind: "line vty", Default: facts.Deny, Synthetic: true, Span: lists[0].Span}
	for _, l := range lists {
		f.Rules = append(f.Rules, facts.Rule{Name: l.Val, Action: facts.Permit, Match: facts.Match{PermittedBy: l.Val}, Span: l.Span})
	}
	p.d.Filters = append(p.d.Filters, f)
	return facts.Say(f.Name, lists[0].Span)
}

// smartInstall states the Smart Install client of a model that has one: it is on unless "no vstack" says otherwise, from
// 12.2(52)SE until the trains without it (Smart Install configuration guide, supported devices). Which of both is not in
// a configuration, so the value is unknown.
func (p *parser) smartInstall() {
	if p.services.install || !p.whole() {
		return
	}
	major := 0
	if p.d.Version.Origin == facts.Explicit {
		for _, c := range []byte(p.d.Version.Val) {
			if c-'0' > 9 {
				break
			}
			major = major*10 + int(c-'0')
		}
	}
	if major > 0 && major < 12 || major > 16 {
		return
	}
	hints := p.services.hints
	if p.d.Model.Origin == facts.Explicit {
		hints = append(hints, p.d.Model.Val)
	}
	for _, h := range hints {
		if installs(h) {
			p.d.Services = append(p.d.Services, facts.Service{Protocol: facts.SmartInstall, Name: "vstack", Port: 4786})
			return
		}
	}
}

// installs reports whether a model or image name is of a switch that has the Smart Install client.
func installs(name string) bool {
	name = strings.ToLower(name)
	for _, m := range [...]string{
		"c2960", "c2975", "c3560", "c3650", "c3750", "c3850", "cat3k", "2960", "3560", "3750", "3650", "3850", "ie-2000", "ie-3000",
		"ie-3010", "ie-4000", "ie-4010", "ie-5000", "ie2000", "ie3000", "ie4000", "c4500e", "cat4500e",
	} {
		if strings.Contains(name, m) {
			return true
		}
	}
	return false
}

// hint remembers a word that names the model: of a boot image, a provisioned switch.
func (p *parser) hint(w []byte) {
	if len(p.services.hints) < 16 {
		p.services.hints = append(p.services.hints, p.str(w))
	}
}

// maxPlanes bounds the interfaces a service's Bind names.
const maxPlanes = 64

// planeName is the synthetic filter of services that management plane protection refuses everywhere.
const planeName = "control-plane host"

// protectPlane applies management plane protection: a service is reached on the interfaces that let its protocol in.
func (p *parser) protectPlane() {
	if len(p.services.planes) == 0 {
		return
	}
	made := false
	where := map[string]string{} // by protocol: the interfaces
	for _, word := range [...]string{"tftp", "ftp", "ssh", "http", "https", "telnet"} {
		var names []string
		for _, pl := range p.services.planes {
			if slices.Contains(pl.protocols, word) && len(names) < maxPlanes {
				names = append(names, pl.iface)
			}
		}
		where[word] = strings.Join(names, ",")
	}
	for i := range p.d.Services {
		s := &p.d.Services[i]
		word := ""
		switch s.Protocol {
		case facts.TFTP:
			word = "tftp"
		case facts.FTP:
			word = "ftp"
		case facts.SCP:
			word = "ssh"
		case facts.HTTP:
			word = "http"
		case facts.HTTPS:
			word = "https"
		case facts.SSH:
			word = "ssh"
		case facts.Telnet:
			word = "telnet"
		case facts.ProtocolUnknown, facts.FTPS, facts.SMB, facts.SFTP, facts.RCP, facts.SmartInstall, facts.NFS:
		}
		if word == "" || s.Role == facts.RoleProxy || s.Role == facts.RoleALG {
			continue
		}
		if names := where[word]; names != "" {
			s.Bind = names
			continue
		}
		first := p.services.planes[0].span
		if !made {
			made = true
			p.d.Filters = append(p.d.Filters, facts.Filter{
				Name: planeName, Kind: planeName, Default: facts.Deny, Synthetic: true, Span: first,
				Rules: []facts.Rule{{Name: "not allowed on any management-interface", Action: facts.Deny, Span: first}},
			})
		}
		s.ACL = facts.Say(planeName, first)
	}
}
