package hostsvc

import (
	"bytes"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/hostfile"
)

// TFTPDefaults reads the files that boot scripts of TFTP servers take their options from: /etc/default/tftpd-hpa,
// /etc/default/atftpd and their like of other distributions. They are assignments of the shell.
func TFTPDefaults() facts.Format {
	return format("tftpd-defaults", hostfile.Syntax{Comments: "#"}, detectTFTP, readTFTP)
}

func detectTFTP(name string, head []byte) facts.Confidence {
	named := hostfile.Named(name, "tftpd-hpa", "atftpd", "in.tftpd")
	return hostfile.Scan(head, "#", func(line []byte) (bool, bool) {
		key, _, found := bytes.Cut(line, []byte("="))
		if _, known := tftpVariables[string(key)]; !known || !found {
			return false, false
		}
		return true, bytes.HasPrefix(key, []byte("TFTP")) || bytes.HasPrefix(key, []byte("INTFTPD"))
	}).Confidence(named)
}

// tftpVariables are the variables of Debian's tftpd-hpa (init script and README.Debian) and atftpd (init script), Gentoo's
// and Arch's.
var tftpVariables = map[string]bool{
	"TFTP_USERNAME": true, "TFTP_DIRECTORY": true, "TFTP_ADDRESS": true, "TFTP_OPTIONS": true, "RUN_DAEMON": true, "OPTIONS": true, "USE_INETD": true,
	"INTFTPD_PATH": true, "INTFTPD_OPTS": true, "INTFTPD_USER": true, "TFTPD_ARGS": true, "ATFTPD_OPTIONS": true, "ATFTPD_DIRECTORY": true,
}

func readTFTP(f *hostfile.File, name string) {
	set := map[string]hostfile.Part{}
	s := facts.Service{Name: "in.tftpd", Protocol: facts.TFTP}
	for i := range f.Lines {
		l := &f.Lines[i]
		if l.Comment {
			continue
		}
		key, value, found := l.Cut("=")
		if found && tftpVariables[key.String()] {
			set[key.String()] = value.Unquote()
			l.OK()
			if s.Span.IsZero() {
				s.Span = f.Span(l.Part)
			}
		}
	}
	if _, inetd := set["USE_INETD"]; inetd || hostfile.Named(name, "atftpd") || len(set["ATFTPD_OPTIONS"].Text) > 0 {
		s.Name = "atftpd"
	}
	if s.Span.IsZero() {
		s.Span = firstLine(f)
	}
	s.Enabled = tftpEnabled(f, set)
	args := append(set["TFTP_OPTIONS"].Quoted(), set["OPTIONS"].Quoted()...)
	args = append(append(args, set["INTFTPD_OPTS"].Quoted()...), set["TFTPD_ARGS"].Quoted()...)
	args = append(args, set["ATFTPD_OPTIONS"].Quoted()...)
	if s.Name == "atftpd" {
		f.ATFTPD(&s, args)
	} else {
		f.TFTPD(&s, args)
	}
	if a, ok := set["TFTP_ADDRESS"]; ok {
		f.Address(&s, a)
	}
	for _, key := range []string{"TFTP_DIRECTORY", "INTFTPD_PATH", "ATFTPD_DIRECTORY"} {
		if d, ok := set[key]; ok && len(d.Text) > 0 {
			s.Path = d.String()
		}
	}
	if s.Span.IsZero() {
		return // an empty file
	}
	f.Device.Services = append(f.Device.Services, s)
}

// tftpEnabled: the boot script starts it, unless the file says that a super-server does, or nobody.
func tftpEnabled(f *hostfile.File, set map[string]hostfile.Part) facts.V[bool] {
	if run, ok := set["RUN_DAEMON"]; ok {
		return facts.Say(run.Fold("yes"), f.Span(run))
	}
	if inetd, ok := set["USE_INETD"]; ok && inetd.Fold("true") {
		return facts.V[bool]{}
	}
	return facts.Assume(true)
}
