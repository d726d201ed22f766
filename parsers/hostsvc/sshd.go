package hostsvc

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// SSHD reads sshd_config, the files of sshd_config.d and what "sshd -T" prints (sshd_config(5) of OpenSSH 9.7): a keyword
// and its arguments a line. Of a keyword the first value counts; a Match block is about the sessions that its conditions
// name, to the next one or the end.
func SSHD() facts.Format {
	return format("sshd-config", hostfile.Syntax{Comments: "#"}, func(name string, head []byte) facts.Confidence {
		named := hostfile.Named(name, "sshd_config") || hostfile.Below(name, "sshd_config.d")
		return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
			key, rest := sshdWord(line)
			why, known := sshdKeywords[strings.ToLower(string(key))]
			return known && len(rest) > 0, known && why != sshdShared
		}).Confidence(named)
	}, func(f *hostfile.File, _ string) { readSSHD(f) })
}

// sshdWord splits a keyword from its arguments: by blanks, or by one "=" among them.
func sshdWord(line []byte) (key, rest []byte) {
	i := bytes.IndexAny(line, " \t=")
	if i < 0 {
		return line, nil
	}
	rest = bytes.TrimLeft(line[i:], " \t")
	rest = bytes.TrimLeft(bytes.TrimPrefix(rest, []byte("=")), " \t")
	return line[:i], rest
}

const (
	sshdUsed   = ""
	sshdShared = "a word that ssh_config and others use as well"
)

// sshdKeywords are those of OpenSSH up to 9.7, Debian's and Red Hat's, in lower case, with the reason why one does not bear
// on transfers.
var sshdKeywords = table(map[string]string{
	sshdUsed: `subsystem,forcecommand,chrootdirectory,allowtcpforwarding,allowstreamlocalforwarding,disableforwarding,gatewayports,permittunnel,permitopen,
		permitlisten,listenaddress,permitrootlogin,permitemptypasswords,allowusers,allowgroups,denyusers,denygroups,authorizedkeyscommand,
		authorizedprincipalscommand,trustedusercakeys,permituserrc,permituserenvironment`,
	sshdShared: `port,include,match,loglevel,passwordauthentication,pubkeyauthentication,ciphers,macs,kexalgorithms,hostkeyalgorithms,addressfamily,compression,
		gssapiauthentication,tcpkeepalive,ipqos,rekeylimit,hostbasedauthentication,kbdinteractiveauthentication,challengeresponseauthentication,protocol,
		casignaturealgorithms,pubkeyacceptedalgorithms,fingerprinthash,setenv,xauthlocation,logverbose,requiredrsasize,streamlocalbindmask,streamlocalbindunlink`,
	"how users are told apart": `authorizedkeysfile,authorizedkeyscommanduser,authorizedprincipalsfile,authorizedprincipalscommanduser,authenticationmethods,pubkeyauthoptions,
		pubkeyacceptedkeytypes,gssapicleanupcredentials,gssapistrictacceptorcheck,gssapikeyexchange,gssapistorecredentialsonrekey,gssapikexalgorithms,kerberosauthentication,
		kerberosorlocalpasswd,kerberosticketcleanup,kerberosgetafstoken,kerberosusekuserok,gssapienablek5users,hostbasedacceptedalgorithms,hostbasedacceptedkeytypes,
		hostbasedusesnamefrompacketonly,ignorerhosts,ignoreuserknownhosts,rhostsrsaauthentication,rsaauthentication,usepam,strictmodes,exposeauthinfo,revokedkeys,
		securitykeyprovider,skeyauthentication`,
	"keys and ciphers": "hostkey,hostcertificate,hostkeyagent,modulifile,serverkeybits,keyregenerationinterval",
	"limits":           "logingracetime,maxauthtries,maxsessions,maxstartups,persourcemaxstartups,persourcenetblocksize,persourcepenalties,persourcepenaltyexemptlist,clientaliveinterval,clientalivecountmax,unusedconnectiontimeout,channeltimeout",
	"the process, texts and displays": `banner,printmotd,printlastlog,pidfile,syslogfacility,usedns,useprivilegeseparation,versionaddendum,debianbanner,acceptenv,permittty,
		x11forwarding,x11displayoffset,x11uselocalhost,allowagentforwarding,uselogin,sshdsessionpath,refuseconnection`,
})

// An sshdBlock is what is set for all sessions, or for those of a Match.
type sshdBlock struct {
	match hostfile.Part
	set   map[string]hostfile.Part // the first arguments of each keyword
	lines map[string]hostfile.Part
}

func newBlock(match hostfile.Part) *sshdBlock {
	return &sshdBlock{match: match, set: map[string]hostfile.Part{}, lines: map[string]hostfile.Part{}}
}

type sshd struct {
	f        *hostfile.File
	global   *sshdBlock
	blocks   []*sshdBlock
	ports    []hostfile.Part
	listen   []hostfile.Part
	sftp     hostfile.Part // arguments of "Subsystem sftp"
	sftpLine hostfile.Part
	included bool
}

func readSSHD(f *hostfile.File) {
	s := sshd{f: f, global: newBlock(hostfile.Part{})}
	at := s.global
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		key, rest := sshdWord(l.Text)
		name := strings.ToLower(string(key))
		why, known := sshdKeywords[name]
		args := l.From(len(l.Text) - len(rest))
		switch {
		case !known || len(rest) == 0:
		case why != sshdUsed && why != sshdShared:
			l.Skip()
		case name == "match":
			at = newBlock(args)
			s.blocks = append(s.blocks, at)
			l.OK()
		default:
			l.OK()
			s.keyword(at, l, name, args)
		}
	}
	s.state()
}

func (s *sshd) keyword(at *sshdBlock, l *hostfile.Line, name string, args hostfile.Part) {
	switch name {
	case "port":
		s.ports = append(s.ports, args.Unquote())
	case "listenaddress":
		s.listen = append(s.listen, args.Unquote())
	case "include":
		s.included = true
		l.Skip() // the files it includes are read by themselves
	case "subsystem":
		sub, program := args.Word()
		if sub.Fold("sftp") && len(s.sftpLine.Text) == 0 {
			s.sftp, s.sftpLine = program, l.Part
		}
	default:
		if _, again := at.set[name]; !again {
			at.set[name], at.lines[name] = args, l.Part
		}
	}
}

// fragment reports whether another file holds the rest: this one includes some, or sets nothing that only the main one does.
func (s *sshd) fragment() bool {
	return s.included || len(s.sftpLine.Text) == 0 && len(s.ports)+len(s.listen) == 0 && len(s.global.set) < 3
}

func (s *sshd) state() {
	d := s.f.Device
	where := firstLine(s.f)
	if len(s.sftpLine.Text) > 0 {
		where = s.f.Span(s.sftpLine)
	}
	bound, n := s.addresses()
	access := facts.Access{Name: "sshd", In: facts.Say([]string{"ssh"}, where), Enabled: facts.Assume(true), Where: bound, Span: where, Out: s.forwards(s.global)}
	d.Access = append(d.Access, access)
	s.logins()
	s.hooks()
	sftp := facts.Service{
		Name: "sshd sftp", Protocol: facts.SFTP, Port: n, Bind: bound, Encryption: facts.Assume(facts.EncryptedSessions), Anonymous: facts.Assume(false),
		AnonymousWrite: facts.Assume(false), Fragment: s.fragment(), Span: where,
	}
	switch {
	case len(s.sftpLine.Text) > 0:
		sftp.Enabled = facts.Say(true, where)
		s.server(&sftp, s.sftp)
	case !s.fragment():
		sftp.Enabled = facts.Assume(false) // "by default no subsystems are defined"
	}
	s.session(&sftp, s.global)
	d.Services = append(d.Services, sftp)
	for _, b := range s.blocks {
		s.match(b, sftp)
	}
}

// addresses is what the server listens on; ports are those of Port unless an address has its own.
func (s *sshd) addresses() (bound string, n uint16) {
	for _, p := range s.ports {
		if v := port(p); v != 0 && v != 22 {
			n = v
		}
	}
	var out []string
	for _, p := range s.listen {
		w, _ := p.Word()
		host := w.String()
		if i := strings.LastIndexByte(host, ':'); i >= 0 && (strings.Count(host, ":") == 1 || strings.Contains(host, "]:")) {
			if v := port(w.From(i + 1)); v != 0 {
				host = host[:i]
				if v != 22 {
					n = v
				}
			}
		}
		if b := bind(host); b != "" {
			out = append(out, b)
		} else {
			return "", n // one listens everywhere
		}
	}
	return strings.Join(out, " "), n
}

// forwards are the ways out of a session that sshd lets its users open beside a shell; all are open by default but tunnels
// (sshd_config(5), AllowTcpForwarding, DisableForwarding, PermitTunnel).
func (s *sshd) forwards(b *sshdBlock) facts.V[[]string] {
	if v, ok := b.set["disableforwarding"]; ok && v.Fold("yes") {
		return facts.Say([]string{}, s.f.Span(v))
	}
	out := []string{"forward-local", "forward-remote"}
	v := facts.Assume(out)
	if t, ok := b.set["allowtcpforwarding"]; ok {
		switch strings.ToLower(t.Unquote().String()) {
		case "no":
			out = nil
		case "local":
			out = out[:1]
		case "remote":
			out = out[1:]
		}
		v = facts.Say(out, s.f.Span(t))
	} else if s.included {
		return facts.V[[]string]{}
	}
	if t, ok := b.set["permittunnel"]; ok && !t.Fold("no") {
		v = facts.Say(append(append([]string(nil), out...), "tunnel"), s.f.Span(t))
	}
	return v
}

// server reads the program of "Subsystem sftp": internal-sftp or sftp-server with its options. Transfers are logged at the
// levels INFO and VERBOSE and above; the default is ERROR (sftp-server(8)).
func (s *sshd) server(x *facts.Service, program hostfile.Part) {
	w := program.Quoted()
	if len(w) == 0 {
		return
	}
	options, _ := hostfile.Options(w[1:], hostfile.Takes{Short: "dflPpuQ"})
	if x.Writable.Origin == facts.Unknown {
		x.Writable = facts.Assume(true)
	}
	x.Logged = facts.Assume(false)
	for _, o := range options {
		switch o.Name {
		case "R":
			x.Writable = facts.Say(false, s.f.Span(o.At))
		case "l":
			level := strings.ToUpper(o.Value.String())
			x.Logged = facts.Say(level == "INFO" || level == "VERBOSE" || strings.HasPrefix(level, "DEBUG"), s.f.Span(o.At))
		case "d":
			x.Path = o.Value.String()
		}
	}
}

// session reads what confines a session.
func (s *sshd) session(x *facts.Service, b *sshdBlock) {
	if root, ok := b.set["chrootdirectory"]; ok && !root.Fold("none") {
		x.Path, x.Confined = root.Unquote().String(), facts.Say(true, s.f.Span(b.lines["chrootdirectory"]))
	} else if !s.included && len(b.match.Text) == 0 {
		x.Confined = facts.Assume(false)
	}
	if force, ok := b.set["forcecommand"]; ok && isSFTP(force) {
		s.server(x, force)
		x.Enabled = facts.Say(true, s.f.Span(b.lines["forcecommand"]))
	}
}

func isSFTP(p hostfile.Part) bool {
	w, _ := p.Unquote().Word()
	return w.Is("internal-sftp") || bytes.HasSuffix(w.Text, []byte("/sftp-server"))
}

// match states what a Match block makes of SFTP for its sessions, and of the ways out.
func (s *sshd) match(b *sshdBlock, of facts.Service) {
	name := "sshd Match " + b.match.String()
	span := s.f.Span(b.match)
	_, root := b.set["chrootdirectory"]
	force, forced := b.set["forcecommand"]
	if root || forced && isSFTP(force) {
		x := of
		x.Name, x.Fragment, x.Span = name, false, span
		s.session(&x, b)
		s.f.Device.Services = append(s.f.Device.Services, x)
	}
	for _, key := range []string{"allowtcpforwarding", "disableforwarding", "permittunnel"} {
		if _, ok := b.set[key]; ok {
			s.f.Device.Access = append(s.f.Device.Access, facts.Access{
				Name: name, In: facts.Say([]string{"ssh"}, span), Enabled: facts.Assume(true), Out: s.forwards(b), Span: span,
			})
			break
		}
	}
	if forced && !isSFTP(force) {
		s.force(name, force, b)
	}
}

// force states the command that every session runs instead of what it asks for.
func (s *sshd) force(name string, p hostfile.Part, b *sshdBlock) {
	if p.Fold("none") {
		return
	}
	h := facts.Hook{Kind: facts.HookMenu, Name: name + " ForceCommand", Trigger: "login", Enabled: facts.Say(true, s.f.Span(p)), Span: s.f.Span(b.lines["forcecommand"])}
	s.f.Command(&h, p, "script")
	s.f.Device.Hooks = append(s.f.Device.Hooks, h)
}

// logins states what lets users in beyond their passwords.
func (s *sshd) logins() {
	d := s.f.Device
	if v, ok := s.global.set["trustedusercakeys"]; ok && !v.Fold("none") {
		d.Trusts = append(d.Trusts, facts.Trust{Kind: "certificate", Name: v.String(), Span: s.f.Span(v)})
	}
	if v, ok := s.global.set["permitrootlogin"]; ok && !v.Fold("no") {
		d.Accounts = append(d.Accounts, facts.Account{
			Name: "root", Role: fmt.Sprintf("PermitRootLogin %s", strings.ToLower(v.Unquote().String())), Admin: facts.Say(true, s.f.Span(v)), Span: s.f.Span(s.global.lines["permitrootlogin"]),
		})
	}
}

// hooks states programs that sshd runs by itself.
func (s *sshd) hooks() {
	for _, key := range []string{"authorizedkeyscommand", "authorizedprincipalscommand"} {
		v, ok := s.global.set[key]
		if !ok || v.Fold("none") {
			continue
		}
		h := facts.Hook{Kind: facts.HookScript, Name: "sshd " + key, Trigger: "login", Enabled: facts.Say(true, s.f.Span(v)), Span: s.f.Span(s.global.lines[key])}
		s.f.Command(&h, v, "script")
		s.f.Device.Hooks = append(s.f.Device.Hooks, h)
	}
	if v, ok := s.global.set["forcecommand"]; ok && !isSFTP(v) {
		s.force("sshd", v, s.global)
	}
}
