package exposure

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/headerspace"
)

// report makes one finding for each outlet and protocol, and one for all of them where everything leaves a zone; and
// records what was left open.
func (e *egress) report() {
	for _, key := range slices.Sorted(maps.Keys(e.outlets)) {
		o := e.outlets[key]
		every, some := o.sum()
		if every != nil {
			e.p.Report(e.finding(o, every, true))
		}
		for _, proto := range slices.Sorted(maps.Keys(some)) {
			e.p.Report(e.finding(o, some[proto], false))
		}
	}
	for _, why := range slices.Sorted(maps.Keys(e.open)) {
		e.p.NotEvaluated(fmt.Sprintf("%s (%s)", why, judge.Join(slices.Sorted(maps.Keys(e.open[why])))))
	}
}

// sum joins the leaks of the zones that everything leaves into one, nil when there is no such zone, and those of the other
// zones by protocol.
func (o *outlet) sum() (every *leak, some map[facts.Protocol]*leak) {
	some = map[facts.Protocol]*leak{}
	for _, zone := range slices.Sorted(maps.Keys(o.leaks)) {
		leaks := o.leaks[zone]
		n := 0
		for _, l := range leaks {
			n += len(l.listeners)
		}
		for _, proto := range slices.Sorted(maps.Keys(leaks)) {
			l := *leaks[proto]
			switch {
			case n == len(facts.TransferPorts()) && every == nil:
				every = &l
			case n == len(facts.TransferPorts()):
				every.join(&l)
			case some[proto] == nil:
				some[proto] = &l
			default:
				some[proto].join(&l)
			}
		}
	}
	if every != nil {
		every.more = nil // the lines of the packet that is shown are enough
	}
	return every, some
}

// harm is the base of a protocol: TFTP and SMB have no business on the Internet.
func harm(l *leak) float64 {
	b := .70
	if l.protocol == facts.TFTP || l.protocol == facts.SMB {
		b = .85
	}
	if l.session == headerspace.Deny {
		b -= .20 // a request, and no session
	}
	return b
}

func (e *egress) finding(o *outlet, l *leak, all bool) audit.Finding {
	e.follow(l)
	what, suffix := protocolPorts(l), l.protocol.String()
	v := o.plain
	if all {
		what, suffix = "every transfer protocol", "every transfer protocol"
		if v == egressOne {
			v = egressAll
		}
	}
	if l.session == headerspace.Deny && (v == egressOne || v == egressAll) {
		v = egressRequest
	}
	f := audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: o.kind, Name: o.name + ": " + suffix},
		Severity: audit.Score(harm(l), audit.ExposureUntrusted, judge.Privilege(l.zone), judge.Telemetry(e.d)), Confidence: audit.ConfidenceHigh,
		Evidence: map[string]string{}, Fix: e.fix(o, l, all), Signal: audit.Signal{Weight: .15, Class: "CFG"},
	}
	lets := "lets"
	switch v {
	case egressNoFilter:
		f.Confidence = audit.ConfidenceMedium
	case egressAlone:
		f.Confidence, lets = audit.ConfidenceMedium, "would let"
	}
	if l.far {
		f.Confidence = audit.ConfidenceMedium
		f.Evidence["source"] = "an address of the zone that is not known to be behind the interface"
	}
	zones := slices.Sorted(slices.Values(l.zones))
	from := "zone " + judge.Join(zones)
	switch {
	case len(zones) > 4:
		from = fmt.Sprintf("%d zones", len(zones))
	case len(zones) > 1:
		from = "zones " + judge.Join(zones)
	}
	if v == egressRequest {
		what = "requests of " + what
	}
	f.Message = fmt.Sprintf("%s %s %s out from %s to addresses outside by %s", e.d.ID, lets, what, from, o.text())
	e.evidence(&f, l)
	f.Spans = e.spans(o, l)
	return f
}

// follow asks again about the one packet that shows a leak: of a set that is not treated alike, the answer names lines that
// deny the rest of it.
func (e *egress) follow(l *leak) {
	w := l.answer.Permitted
	if w == nil || l.answer.Verdict != headerspace.Partial {
		return
	}
	one := func(a netip.Addr) headerspace.Set {
		return headerspace.Set{Prefixes: []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}}
	}
	q := l.query
	q.Src, q.Dst, q.Protocols = one(w.Src), one(w.Dst), []uint8{w.Protocol}
	q.SrcPorts, q.DstPorts = []facts.PortRange{{First: w.SrcPort, Last: w.SrcPort}}, []facts.PortRange{{First: w.DstPort, Last: w.DstPort}}
	if a, err := e.space.Test(q); err == nil && a.Verdict == headerspace.Permit {
		l.answer.Answer = a
	}
}

// protocolPorts is a protocol with the ports of it that leave: "SMB (tcp 139, tcp 445)".
func protocolPorts(l *leak) string {
	ports := make([]string, len(l.listeners))
	for i, x := range l.listeners {
		ports[i] = judge.Transport(x.Transport) + " " + judge.Ports(x.Ports)
	}
	return fmt.Sprintf("%s (%s)", judge.Upper(l.protocol), strings.Join(ports, ", "))
}

// evidence shows one packet, what lets it through, and what becomes of its session.
func (e *egress) evidence(f *audit.Finding, l *leak) {
	if w := l.answer.Permitted; w != nil {
		f.Evidence["packet"] = fmt.Sprintf("%s %s to %s", judge.Transport(w.Protocol), end(w.Src, w.SrcPort), end(w.Dst, w.DstPort))
	}
	if l.answer.Reason != "" {
		f.Evidence["decided by"] = l.answer.Reason
	}
	if l.answer.SessionReason != "" && l.session != headerspace.Permit {
		f.Evidence["session"] = l.answer.SessionReason
	}
	if l.answer.Uncertain {
		f.Evidence["line"] = "a backup tool re-sorted the list: the verdict stands, which line matched is not certain"
	}
}

// spans are the lines that let the witness through, then those of the protocol's other ports, and where they are applied.
func (e *egress) spans(o *outlet, l *leak) []audit.Mark {
	var marks []audit.Mark
	applied := func(s evidence.Span) string {
		for _, m := range o.marks {
			if m.Span == s {
				return m.Role
			}
		}
		return e.role(s)
	}
	for _, s := range l.answer.Culprits {
		role := applied(s)
		if len(marks) == 0 && role == "matches too" {
			role = ""
		}
		marks = judge.Mark(marks, role, s)
	}
	for _, s := range l.more {
		marks = judge.Mark(marks, applied(s), s)
	}
	for _, m := range o.marks {
		marks = judge.Mark(marks, m.Role, m.Span)
	}
	return marks
}

// role says what a line that contributes is.
func (e *egress) role(s evidence.Span) string {
	for i := range e.d.Interfaces {
		x := &e.d.Interfaces[i]
		for k := range x.Bindings {
			if x.Bindings[k].Span == s {
				return "applied here"
			}
		}
		if x.Span == s {
			return "interface"
		}
	}
	for i := range e.d.Filters {
		if e.d.Filters[i].Span == s {
			return "filter defined here"
		}
	}
	for i := range e.d.Groups {
		for _, a := range e.d.Groups[i].Addrs {
			if a.Span == s {
				return "group member"
			}
		}
		for _, x := range e.d.Groups[i].Services {
			if x.Span == s {
				return "group member"
			}
		}
	}
	return "matches too"
}

func end(a fmt.Stringer, port uint16) string {
	s := a.String()
	if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	return fmt.Sprintf("%s:%d", s, port)
}
