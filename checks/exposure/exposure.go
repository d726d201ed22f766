// Package exposure holds the checks that ask whether a transfer could happen: services, client settings, boot and archive
// paths, credentials, filters, and the state of ESXi hosts.
package exposure

import (
	"cmp"
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants that services share.
const (
	fromOutside = iota
	fromInside
	fromFew
)

func reachVariants() []audit.Variant {
	return []audit.Variant{
		fromOutside: {Name: "reachable from outside, or from where could not be computed", Severity: audit.High},
		fromInside:  {Name: "reachable from inside", Severity: audit.Medium},
		fromFew:     {Name: "limited to the management network or one host", Severity: audit.Low},
	}
}

func reachVariant(r judge.Reach) uint8 {
	switch {
	case r.Factor >= audit.ExposureUntrusted:
		return fromOutside
	case r.Factor >= audit.ExposureZone:
		return fromInside
	}
	return fromFew
}

// reachOf is how far out a service's clients may be.
func reachOf(p *audit.Pass, d *facts.Device, s *facts.Service) (r judge.Reach, open bool) {
	if s.ACL.Known() && s.ACL.Val != "" {
		return judge.ByFilter(p, d, s.ACL.Val, s.Scope)
	}
	return judge.Facing(p, d), true
}

// servers are the enabled servers of a protocol. A listener seen live is left out when the configuration states the
// server: it is one subject, and the listener its witness.
func servers(d *facts.Device, proto facts.Protocol) (found []*facts.Service, live []audit.Mark) {
	configured := false
	for i := range d.Services {
		s := &d.Services[i]
		if s.Protocol == proto && s.Role == facts.RoleServer && facts.On(s.Enabled) && !isListener(s) {
			found = append(found, s)
			configured = true
		}
	}
	for i := range d.Services {
		s := &d.Services[i]
		if s.Protocol != proto || s.Role != facts.RoleServer || !facts.On(s.Enabled) || !isListener(s) {
			continue
		}
		if configured {
			live = append(live, audit.Mark{Span: s.Span, Role: "listening"})
			continue
		}
		found = append(found, s)
	}
	return found, live
}

func isListener(s *facts.Service) bool { return len(s.Name) > 9 && s.Name[:9] == "listener " }

// serviceMarks are the lines that make a service what it is.
func serviceMarks(d *facts.Device, s *facts.Service, live []audit.Mark) []audit.Mark {
	marks := []audit.Mark{{Span: s.Span}}
	if s.ACL.Known() {
		marks = append(marks, judge.FilterMark(d, s.ACL.Val, s.Scope)...)
	}
	return append(marks, live...)
}

// serviceSubject names a service by what it is and what it publishes.
func serviceSubject(s *facts.Service) audit.Subject {
	name := s.Name
	if s.Path != "" {
		name += " " + s.Path
	}
	if s.Scope != "" {
		name += " vrf " + s.Scope
	}
	if s.Bind != "" {
		name += " on " + s.Bind
	}
	return audit.Subject{Kind: "service", Name: name}
}

// serverMessage says who serves what to whom.
func serverMessage(d *facts.Device, s *facts.Service, what string, r judge.Reach) string {
	published := ""
	if s.Path != "" {
		published = fmt.Sprintf(" %q", s.Path)
	}
	return fmt.Sprintf("%s serves%s by %s to %s", d.ID, cmp.Or(published, " files"), what, r.Who)
}
