// Package exposure holds the checks that ask whether a transfer could happen: services, client settings, archive paths,
// credentials, filters, and the state of ESXi hosts. One file is one check, or a family of small ones, named by its slug.
package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants that services share: who can reach them.
const (
	fromOutside = iota
	fromInside
	fromFew
	fromNobody
)

func reachVariants() []audit.Variant {
	return []audit.Variant{
		fromOutside: {Name: "reachable from outside, or from where cannot be told", Severity: audit.High},
		fromInside:  {Name: "reachable from inside", Severity: audit.Medium},
		fromFew:     {Name: "limited to the management network or one host", Severity: audit.Low},
		fromNobody:  {Name: "kept from every client by a filter", Severity: audit.Info},
	}
}

func reachVariant(r judge.Reach) uint8 {
	switch {
	case r.Factor >= audit.ExposureUntrusted:
		return fromOutside
	case r.Factor >= audit.ExposureZone:
		return fromInside
	case r.Factor > audit.ExposureNone:
		return fromFew
	}
	return fromNobody
}

// servers are a device's servers of one protocol, as the evidence states them.
type servers struct {
	on      []*facts.Service
	live    []audit.Mark // sockets seen by SNMP, beside a server that the configuration states
	off     bool         // some statement, or the platform's default, says that there is none
	unknown string       // the name of a server whose state is not known
}

// serversOf sorts the facts. A socket is a server of its own only when no statement is: else it is that server's witness.
func serversOf(d *facts.Device, proto facts.Protocol) servers {
	var out servers
	var sockets []*facts.Service
	for i := range d.Services {
		s := &d.Services[i]
		switch {
		case s.Protocol != proto || s.Role != facts.RoleServer:
		case isSocket(s):
			if facts.On(s.Enabled) {
				sockets = append(sockets, s)
			}
		case facts.On(s.Enabled):
			out.on = append(out.on, s)
		case facts.Off(s.Enabled):
			out.off = true
		default:
			out.unknown = s.Name
		}
	}
	if len(out.on) > 0 {
		for _, s := range sockets {
			out.live = judge.Mark(out.live, "listening", s.Span)
		}
		return out
	}
	out.on = sockets
	return out
}

// isSocket tells a socket that an SNMP agent listed from a statement of the configuration.
func isSocket(s *facts.Service) bool { return strings.HasPrefix(s.Name, "listener ") }

// concerns reports whether a device is one that service checks are about, and can say anything of its servers.
func concerns(d *facts.Device, proto facts.Protocol) bool {
	if family := facts.PlatformFamily(d.Platform); family == facts.Linux || family == facts.MacOS {
		// A file of a host speaks of one service: that it says nothing of another is no evidence.
		return slices.ContainsFunc(d.Services, func(s facts.Service) bool { return s.Protocol == proto && s.Role == facts.RoleServer })
	}
	return judge.IsDevice(d.Platform) || d.Platform == "" && d.Has&facts.HasSNMP != 0
}

// leaveOpen records why the servers that were found may not be all there are, and why their absence is no pass. fact is
// what a backup tool may have removed, has says that the platform knows such a server.
func leaveOpen(p *audit.Pass, d *facts.Device, s *servers, fact, what string, has bool) {
	if why := judge.Removed(d, fact); why != "" {
		p.NotEvaluated(why)
		return
	}
	if len(s.on) > 0 {
		return
	}
	switch {
	case s.unknown != "":
		p.NotEvaluated(fmt.Sprintf("whether %q is configured is unknown: the evidence is a part of a configuration", s.unknown))
	case d.Has&(facts.HasConfig|facts.HasSNMP) == 0:
		p.NotEvaluated("no config or snmp of this device was given")
	case d.Has&facts.HasConfig == 0:
		p.NotEvaluated(fmt.Sprintf("no config of this device was given, and its SNMP tables show no %s server: they may not show all sockets", what))
	case has && !s.off && !judge.Whole(d):
		p.NotEvaluated(fmt.Sprintf("the configuration is not whole, so that the %s server may be stated elsewhere", what))
	}
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

// serviceMarks are the lines that make a service what it is.
func serviceMarks(d *facts.Device, s *facts.Service, live []audit.Mark) []audit.Mark {
	marks := judge.Mark(nil, "", s.Span)
	if s.ACL.Known() && s.ACL.Val != "" {
		marks = judge.Defined(marks, d, s.ACL.Val, s.Scope)
	}
	for _, m := range live {
		marks = judge.Mark(marks, m.Role, m.Span)
	}
	return marks
}

// serves is what a device does with a server, as a message says it.
func serves(s *facts.Service) string {
	what := judge.Upper(s.Protocol)
	switch {
	case isSocket(s):
		l := judge.ListenerOf(s)
		return fmt.Sprintf("listens on %s %d (%s)", judge.Transport(l.Transport), l.Port, what)
	case s.Path != "":
		return fmt.Sprintf("serves %q by %s", s.Path, what)
	}
	return fmt.Sprintf("serves files by %s (%q)", what, s.Name)
}

func preposition(s *facts.Service) string {
	if isSocket(s) {
		return "for"
	}
	return "to"
}

// serverFinding is what the checks about a server have in common.
func serverFinding(p *audit.Pass, d *facts.Device, s *facts.Service, live []audit.Mark, base float64) (audit.Finding, judge.Reach) {
	r := judge.Service(p, d, judge.ListenerOf(s))
	f := audit.Finding{
		Variant: reachVariant(r), Subject: serviceSubject(s), Severity: audit.Score(base, r.Factor, judge.Own(d), judge.Telemetry(d)),
		Confidence: audit.ConfidenceHigh, Message: fmt.Sprintf("%s %s %s %s", d.ID, serves(s), preposition(s), r.Who),
		Spans: serviceMarks(d, s, live), Signal: audit.Signal{Weight: .25, Class: "CFG"},
	}
	if r.Unknown != "" {
		f.Evidence = map[string]string{"clients": "counted as outside: " + r.Unknown}
	}
	return f, r
}
