package hostsvc

import (
	"bytes"
	"path"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// PureFTPd reads pure-ftpd.conf: lines "Directive value" (pure-ftpd.conf of 1.0.50).
func PureFTPd() facts.Format {
	return format("pure-ftpd-config", hostfile.Syntax{Comments: "#"}, detectPure, func(f *hostfile.File, _ string) { readPure(f) })
}

func detectPure(name string, head []byte) facts.Confidence {
	if pureFile(name) != "" {
		return facts.No
	}
	return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
		key, value := word(line)
		why, known := pureDirectives[string(key)]
		return known && len(value) > 0, known && why != pureShared
	}).Confidence(hostfile.Named(name, "pure-ftpd.conf"))
}

// word splits a line at its first blank.
func word(line []byte) (key, rest []byte) {
	i := bytes.IndexAny(line, " \t")
	if i < 0 {
		return line, nil
	}
	return line[:i], bytes.TrimSpace(line[i:])
}

// What a directive is to the facts.
const (
	pureUsed   = ""
	pureShared = "a word that other programs use as well"
)

// pureDirectives are those of Pure-FTPd 1.0.50, with the reason why one does not bear on who transfers what.
var pureDirectives = map[string]string{
	"ChrootEveryone": pureUsed, "TrustedGID": pureUsed, "AnonymousOnly": pureUsed, "NoAnonymous": pureUsed, "AnonymousCantUpload": pureUsed,
	"SyslogFacility": pureShared, "AltLog": pureUsed, "Bind": pureShared, "TLS": pureUsed, "Include": pureShared, "AllowUserFXP": pureUsed, "AllowAnonymousFXP": pureUsed,
	"AnonymousCanCreateDirs": pureUsed, "CallUploadScript": pureUsed,

	"BrokenClientsCompatibility": "oddities of clients", "MaxClientsNumber": "limits", "Daemonize": pureShared, "MaxClientsPerIP": "limits",
	"VerboseLog": "commands in the log", "DisplayDotFiles": "listings", "FortunesFile": "texts shown to users", "DontResolve": "names in the log",
	"MaxIdleTime": "limits", "LDAPConfigFile": "where accounts are", "MySQLConfigFile": "where accounts are", "PGSQLConfigFile": "where accounts are",
	"PureDB": "where accounts are", "ExtAuth": "where accounts are", "PAMAuthentication": "where accounts are", "UnixAuthentication": "where accounts are",
	"LimitRecursion": "listings", "MaxLoad": "limits", "PassivePortRange": "how data connections are opened", "ForcePassiveIP": "how data connections are opened",
	"NATmode": "how data connections are opened", "AnonymousRatio": "limits", "UserRatio": "limits", "AntiWarez": "files of anonymous users",
	"AnonymousBandwidth": "limits", "UserBandwidth": "limits", "Umask": pureShared, "MinUID": "which accounts", "ProhibitDotFilesWrite": "files with a dot",
	"ProhibitDotFilesRead": "files with a dot", "AllowDotFiles": "files with a dot", "AutoRename": "names of files", "LogPID": "the shape of the log", "NoChmod": "modes of files",
	"KeepAllFiles": "whether files may be deleted", "CreateHomeDir": "home directories", "Quota": "limits", "PIDFile": pureShared, "MaxDiskUsage": "limits",
	"NoRename": "names of files", "CustomerProof": "modes of files", "PerUserLimits": "limits", "NoTruncate": "how files are replaced",
	"TLSCipherSuite": "ciphers of TLS", "CertFile": "keys of TLS", "CertFileAndKey": "keys of TLS", "ExtCert": "keys of TLS", "IPV4Only": "the family of addresses",
	"IPV6Only": "the family of addresses", "TrustedIP": "where accounts may log in", "FSCharset": "names of files", "ClientCharset": "names of files",
	"FileSystemCharset": "names of files", "FortunesCookieFile": "texts shown to users",
}

func readPure(f *hostfile.File) {
	p := hostfile.Pure{File: f}
	s := facts.Service{Name: "pure-ftpd", Protocol: facts.FTP, Enabled: facts.Assume(true)}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		if s.Span.IsZero() {
			s.Span = f.Span(l.Part)
		}
		key, value := l.Word()
		why, known := pureDirectives[key.String()]
		switch {
		case !known || len(value.Text) == 0:
		case key.Is("Include"):
			s.Fragment = true
			l.Unsupported("the file it includes is read by itself")
		case key.Is("AllowAnonymousFXP") || key.Is("AllowUserFXP"):
			fxp(l, value)
		case why == pureUsed || why == pureShared:
			p.Set(key.String(), l.Part, value.Unquote())
			l.OK()
		default:
			l.Skip()
		}
	}
	p.Apply(&s, !s.Fragment)
	if s.Span.IsZero() {
		s.Span = firstLine(f)
	}
	f.Device.Services = append(f.Device.Services, s)
}

// fxp marks a directive that lets clients send data to a third host.
func fxp(l *hostfile.Line, value hostfile.Part) {
	if value.Fold("yes") || value.Fold("on") || value.Is("1") {
		l.Unsupported("data connections with a third host")
		return
	}
	l.OK()
}

// PureFTPdValue reads one file of /etc/pure-ftpd/conf, which holds the value of the directive that it is named after
// (pure-ftpd-wrapper(8) of Debian).
func PureFTPdValue() facts.Format {
	return format("pure-ftpd-value", hostfile.Syntax{Comments: "#"}, func(name string, head []byte) facts.Confidence {
		if pureFile(name) == "" || len(bytes.TrimSpace(head)) == 0 || bytes.Count(bytes.TrimSpace(head), []byte("\n")) > 20 || bytes.IndexByte(head, 0) >= 0 {
			return facts.No
		}
		return facts.Strong
	}, readPureValue)
}

// pureFile is the directive a file is named after; empty when it lies elsewhere.
func pureFile(name string) string {
	if !hostfile.Below(name, "pure-ftpd/conf") {
		return ""
	}
	if _, known := pureDirectives[path.Base(name)]; !known {
		return ""
	}
	return path.Base(name)
}

func readPureValue(f *hostfile.File, name string) {
	p := hostfile.Pure{File: f}
	key := pureFile(name)
	s := facts.Service{Name: "pure-ftpd", Protocol: facts.FTP, Enabled: facts.Assume(true), Fragment: true}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		s.Span = f.Span(l.Part)
		switch why := pureDirectives[key]; {
		case key == "AllowAnonymousFXP" || key == "AllowUserFXP":
			fxp(l, l.Part)
		case key != "" && (why == pureUsed || why == pureShared):
			p.Set(key, l.Part, l.Part)
			l.OK()
		case key != "":
			l.Skip()
		}
	}
	if s.Span.IsZero() {
		return
	}
	p.Apply(&s, false)
	f.Device.Services = append(f.Device.Services, s)
}

// firstLine is where a file begins that sets nothing.
func firstLine(f *hostfile.File) (s evidence.Span) {
	if len(f.Lines) > 0 {
		s = f.Span(f.Lines[0].Part)
	}
	return s
}
