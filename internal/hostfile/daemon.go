package hostfile

import (
	"bytes"
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// This file reads the command lines by which the daemons of transfer services are started: from units, super-servers,
// launchd, boot scripts and the files of defaults beside them.

// Daemon is the service that a command line starts; false when it starts none that transfers files. Whether the line is
// ever run the caller knows. The service is a fragment: its configuration file says the rest.
func (f *File) Daemon(args []Part) (facts.Service, bool) {
	for len(args) > 0 && (program(args[0]) == "tcpd" || program(args[0]) == "start-stop-daemon") {
		args = args[1:] // tcpd(8): the program is its argument
	}
	if len(args) == 0 {
		return facts.Service{}, false
	}
	s := facts.Service{Fragment: true, Span: f.Span(args[0])}
	switch name := program(args[0]); name {
	case "vsftpd":
		s.Name, s.Protocol = "vsftpd", facts.FTP
	case "proftpd", "in.proftpd":
		s.Name, s.Protocol = "proftpd", facts.FTP
	case "pure-ftpd", "pure-ftpd-wrapper", "pure-ftpd-ldap", "pure-ftpd-mysql", "pure-ftpd-postgresql":
		s.Name, s.Protocol = "pure-ftpd", facts.FTP
		f.pure(&s, args[1:])
	case "in.tftpd", "tftpd":
		s.Name, s.Protocol = "in.tftpd", facts.TFTP
		f.TFTPD(&s, args[1:])
	case "atftpd", "in.atftpd":
		s.Name, s.Protocol = "atftpd", facts.TFTP
		f.ATFTPD(&s, args[1:])
	case "in.ftpd", "ftpd", "wu.ftpd", "bftpd", "ftpd-ssl", "in.ftpd-ssl", "muddleftpd", "twoftpd", "uftpd", "pyftpdlib":
		s.Name, s.Protocol = strings.TrimPrefix(name, "in."), facts.FTP
		f.ftpd(&s, args[1:])
	case "smbd", "samba":
		s.Name, s.Protocol = "smbd", facts.SMB
	case "in.rshd", "rshd", "in.rcpd":
		s.Name, s.Protocol = "rshd", facts.RCP
	case "dnsmasq":
		return f.dnsmasq(args)
	default:
		return facts.Service{}, false
	}
	return s, true
}

// program is the name of the program a word starts: its last element, without the marks that systemd puts before it.
func program(p Part) string {
	name := bytes.TrimLeft(p.Text, "-@:+!|")
	if i := bytes.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	return string(name)
}

// TFTPD reads the options of tftp-hpa's in.tftpd (tftpd(8), tftp-hpa 5.2) and of the BSDs' and macOS' tftpd, whose -c, -s
// and -l mean near enough the same. Without --create files that exist and that anyone may write can still be replaced:
// whether there are any is not in the options, so Writable is unknown.
func (f *File) TFTPD(s *facts.Service, args []Part) {
	options, dirs := Options(args, Takes{"auUPtTmrBR", []string{
		"address", "user", "umask", "pidfile", "timeout", "retransmit", "map-file", "verbosity", "refuse", "blocksize", "port-range",
	}})
	s.Anonymous = facts.Assume(true) // RFC 1350 knows no login
	s.Logged = facts.Assume(false)   // tftpd(8): requests are logged with --verbose
	for _, o := range options {
		switch o.Name {
		case "c", "create":
			// "Allow new files to be created": any client's.
			s.Writable, s.AnonymousWrite = facts.Say(true, f.Span(o.At)), facts.Say(true, f.Span(o.At))
		case "s", "secure":
			s.Confined = facts.Say(true, f.Span(o.At))
		case "v", "verbose":
			s.Logged = facts.Say(true, f.Span(o.At))
		case "verbosity":
			s.Logged = facts.Say(!o.Value.Is("0"), f.Span(o.At))
		case "a", "address":
			f.Address(s, o.Value)
		}
	}
	if len(dirs) > 0 {
		var names []string
		for _, d := range dirs {
			names = append(names, d.String())
		}
		s.Path = strings.Join(names, " ")
	}
}

// Address takes what --address of in.tftpd takes: "address", "address:port", "[address]:port" or ":port".
func (f *File) Address(s *facts.Service, p Part) {
	host := p
	if i := bytes.LastIndexByte(p.Text, ':'); i >= 0 && (bytes.IndexByte(p.Text, ':') == i || bytes.HasPrefix(p.Text, []byte("["))) {
		if n, ok := portOf(p.From(i + 1).Text); ok {
			host = p.Slice(0, i)
			if n != 69 {
				s.Port = n
			}
		}
	}
	s.Bind = Bind(host.String())
}

func portOf(b []byte) (uint16, bool) {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || n > 65535 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return uint16(n), len(b) > 0 && n <= 65535
}

// Bind is an address for Service.Bind: that of every address is none.
func Bind(host string) string {
	switch host = strings.Trim(host, "[]"); host {
	case "*", "0.0.0.0", "::", "any", "localhost.any":
		return ""
	}
	return host
}

// ATFTPD reads the options of atftpd(8), 0.7. It writes where the permissions of files and folders allow it.
func (f *File) ATFTPD(s *facts.Service, args []Part) {
	options, dirs := Options(args, Takes{"trmUGp", []string{
		"tftpd-timeout", "retry-timeout", "maxthread", "user", "group", "port", "bind-address", "mcast-port", "mcast-addr", "mcast-ttl", "logfile", "pidfile", "pcre",
	}})
	s.Anonymous = facts.Assume(true)
	s.Logged = facts.Assume(true) // each request at level 5, which is the default (atftpd(8), --verbose)
	s.Path = "/srv/tftp"          // of Debian's build; upstream's is /tftpboot
	for _, o := range options {
		switch o.Name {
		case "verbose", "v":
			level := o.Value
			s.Logged = facts.Say(!o.Has || len(level.Text) == 1 && level.Text[0] >= '5', f.Span(o.At))
		case "port":
			if n, ok := portOf(o.Value.Text); ok && n != 69 {
				s.Port = n
			}
		case "bind-address":
			s.Bind = Bind(o.Value.String())
		}
	}
	if len(dirs) > 0 {
		s.Path = dirs[len(dirs)-1].String()
	}
	s.Confined = facts.Assume(true) // "all requested files must reside in this directory"
}

// ftpd reads the options of the ftpd that the BSDs, macOS and netkit have (ftpd(8)).
func (f *File) ftpd(s *facts.Service, args []Part) {
	options, _ := Options(args, Takes{"acChLmPqtTuUVX", nil})
	for _, o := range options {
		switch o.Name {
		case "A":
			s.Anonymous = facts.Say(true, f.Span(o.At))
		case "l":
			s.Logged = facts.Say(true, f.Span(o.At))
		case "r":
			s.Writable, s.AnonymousWrite = facts.Say(false, f.Span(o.At)), facts.Say(false, f.Span(o.At))
		case "o": // write only
			s.Writable = facts.Say(true, f.Span(o.At))
		}
	}
}

// pure reads the options of pure-ftpd(8) 1.0.50 into what its configuration file calls them.
func (f *File) pure(s *facts.Service, args []Part) {
	p := Pure{File: f}
	options, rest := Options(args, Takes{"23acCfFgIJkLlmnOpPqQStTuUvVyY89", []string{
		"certfile", "extcert", "trustedgid", "maxclientsnumber", "maxclientsperip", "syslogfacility", "fortunesfile", "pidfile", "maxidletime", "tlsciphersuite",
		"maxdiskusagepct", "limitrecursion", "login", "maxload", "quota", "altlog", "passiveportrange", "forcepassiveip", "anonymousratio", "userratio", "bind",
		"anonymousbandwidth", "userbandwidth", "minuid", "umask", "bonjour", "trustedip", "peruserlimits", "tls",
	}})
	for _, o := range options {
		if key, ok := pureLetters[o.Name]; ok {
			p.Set(key, o.At, o.Value)
		}
	}
	if len(rest) > 0 {
		return // the name of a configuration file, whose options are unknown here
	}
	p.Apply(s, true)
}

// pureLetters are the short and long options of pure-ftpd(8) that are read, by the name of their directive.
var pureLetters = map[string]string{
	"e": "AnonymousOnly", "E": "NoAnonymous", "i": "AnonymousCantUpload", "A": "ChrootEveryone", "a": "TrustedGID", "f": "SyslogFacility", "O": "AltLog", "S": "Bind",
	"Y": "TLS", "M": "AnonymousCanCreateDirs",
	"anonymousonly": "AnonymousOnly", "noanonymous": "NoAnonymous", "anonymouscantupload": "AnonymousCantUpload", "chrooteveryone": "ChrootEveryone",
	"trustedgid": "TrustedGID", "syslogfacility": "SyslogFacility", "altlog": "AltLog", "bind": "Bind", "tls": "TLS", "anonymouscancreatedirs": "AnonymousCanCreateDirs",
}

// dnsmasq serves TFTP when it is told so on its command line as in its file.
func (f *File) dnsmasq(args []Part) (facts.Service, bool) {
	s := facts.Service{Name: "dnsmasq", Protocol: facts.TFTP, Fragment: true}
	found := false
	for _, a := range args[1:] {
		key, value, _ := a.Cut("=")
		switch string(key.Text) {
		case "--enable-tftp":
			s.Enabled, s.Span, found = facts.Say(true, f.Span(a)), f.Span(a), true
			s.Bind = value.String()
			s.Anonymous, s.Writable = facts.Assume(true), facts.Assume(false)
		case "--tftp-root":
			s.Path = value.String()
		}
	}
	return s, found
}
