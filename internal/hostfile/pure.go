package hostfile

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
)

// A Pure is what a Pure-FTPd server is told: by options, by pure-ftpd.conf, or by a folder of files with one value each.
type Pure struct {
	File *File
	set  map[string]pureValue
}

type pureValue struct{ at, value Part }

// Set takes a directive; at is where it stands. The last of one name counts.
func (p *Pure) Set(key string, at, value Part) {
	if p.set == nil {
		p.set = map[string]pureValue{}
	}
	p.set[key] = pureValue{at, value}
}

// on is a yes or no; an option without a value is yes. What nobody set is the default when the evidence is whole.
func (p *Pure) on(key string, whole bool) facts.V[bool] {
	v, ok := p.set[key]
	if !ok {
		if whole {
			return facts.Assume(false) // each is an option that is off unless it is given (pure-ftpd(8))
		}
		return facts.V[bool]{}
	}
	switch strings.ToLower(string(v.value.Text)) {
	case "", "yes", "on", "1", "true":
		return facts.Say(true, p.File.Span(v.at))
	case "no", "off", "0", "false":
		return facts.Say(false, p.File.Span(v.at))
	}
	return facts.V[bool]{}
}

func not(v facts.V[bool]) facts.V[bool] {
	if v.Known() {
		v.Val = !v.Val
	}
	return v
}

// Apply states what was set. whole: what was not is at its default.
func (p *Pure) Apply(s *facts.Service, whole bool) {
	s.Anonymous = not(p.on("NoAnonymous", whole))
	if whole {
		s.Writable = facts.Assume(true) // authenticated users may store files in their homes
	}
	s.AnonymousWrite = not(p.on("AnonymousCantUpload", whole)) // where folders allow it
	if facts.Off(s.Anonymous) {
		s.AnonymousWrite = s.Anonymous
	}
	s.Confined = p.on("ChrootEveryone", whole)
	if v, ok := p.set["TrustedGID"]; ok && !facts.On(s.Confined) {
		s.Confined = facts.Say(true, p.File.Span(v.at)) // "regular users will be chrooted unless they belong to the gid"
	}
	p.logged(s, whole)
	p.encryption(s, whole)
	if v, ok := p.set["Bind"]; ok {
		host, port, _ := v.value.Cut(",")
		s.Bind = Bind(host.String())
		if n, ok := portOf(port.Text); ok && n != 21 {
			s.Port = n
		}
	}
}

// logged: every transfer goes to syslog unless the facility is "none"; AltLog adds a file.
func (p *Pure) logged(s *facts.Service, whole bool) {
	alt, written := p.set["AltLog"]
	facility, said := p.set["SyslogFacility"]
	switch {
	case written:
		s.Logged = facts.Say(true, p.File.Span(alt.at))
	case said:
		s.Logged = facts.Say(!facility.value.Fold("none"), p.File.Span(facility.at))
	case whole:
		s.Logged = facts.Assume(true)
	}
}

// encryption: 0 is none and the default, 1 as the client asks, 2 refuses logins without TLS, 3 data too (pure-ftpd(8), -Y).
func (p *Pure) encryption(s *facts.Service, whole bool) {
	v, ok := p.set["TLS"]
	if !ok {
		if whole {
			s.Encryption = facts.Assume(facts.Cleartext)
		}
		return
	}
	e, known := map[string]facts.Encryption{
		"0": facts.Cleartext, "1": facts.Negotiated, "2": facts.EncryptedLogin, "3": facts.EncryptedSessions,
	}[string(v.value.Text)]
	if known {
		s.Encryption = facts.Say(e, p.File.Span(v.at))
	}
}
