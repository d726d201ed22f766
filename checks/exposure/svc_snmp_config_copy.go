package exposure

import (
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Variants of QM1012.
const (
	copyV2 = iota
	copyV2Inside
	copyV3
)

// SNMPCopy is QM1012.
func SNMPCopy() *audit.Check {
	return &audit.Check{
		ID: "QM1012", Slug: "svc-snmp-config-copy", Title: "SNMP write access can trigger a config copy", Severity: audit.Critical,
		Doc: `An SNMP community or group may write, its view covers the copy tables, and nothing limits the server the device would
copy to by TFTP.

## Why it matters

One SET on CISCO-CONFIG-COPY-MIB (1.3.6.1.4.1.9.9.96) or OLD-CISCO-SYS-MIB (1.3.6.1.4.1.9.2.1.53, .55) makes the device
send its running configuration to any address, without a login and often without a log line (T1602.002, AA26-194A). The
transfer itself is plain TFTP or FTP (T1071.002).

## How it is decided

Write access, the write view against those tables, and "snmp-server file-transfer access-group" or "snmp-server
tftp-server-list" for TFTP. A limit whose list is undefined, empty or permits any limits nothing. A v1 or v2c community
is critical when outside can reach it: its list, the filters of the interfaces and the control plane are asked. Everything
else is high: a client list does not make a community safe, since the source of a SET can be forged and nobody needs the
answer.

## How it can be wrong

A management system may really use the tables: limit the community to it and the copy to the backup host, and record an
exception. The limit is judged for TFTP alone; copies by FTP, RCP, SCP and SFTP need limits of their own. Oxidized with
remove_secret deletes RO and RW from the line, and a view that is not in the evidence says nothing of what it covers: both
are listed as not evaluated.

## Tunables

"zones" of the policy.
`,
		Variants: []audit.Variant{
			copyV2:       {Name: "v1 or v2c community, reachable from outside", Severity: audit.Critical},
			copyV2Inside: {Name: "v1 or v2c community, reachable from inside", Severity: audit.High},
			copyV3:       {Name: "v3 group", Severity: audit.High},
		},
		Attack: []string{"T1602.002", "T1602.001", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.5.4", "CIS-IOS 1.5.5", "CIS-IOS 1.5.9", "CIS-JUN 5.5", "CISC-ND-001130", "CISC-ND-001140", "NSA 7.8", "AA26-194A", "CM-7", "AC-3"},
		False:    "a management system that uses CONFIG-COPY, with the community limited to it and the copy to the backup host",
		Fixes: map[string]string{
			facts.CiscoIOS: "no snmp-server community <community> RW\nsnmp-server view NOCPY iso included\nsnmp-server view NOCPY 1.3.6.1.4.1.9.9.96 excluded\n" +
				"snmp-server view NOCPY 1.3.6.1.4.1.9.2.1 excluded\nsnmp-server file-transfer access-group <n> protocol tftp",
		},
		Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			limit := tftpLimit(p, d)
			for i := range d.SNMP {
				snmpAccess(p, d, &d.SNMP[i], limit)
			}
			if why := judge.Removed(d, "snmp-community-access"); why != "" {
				p.NotEvaluated(why)
			}
		},
	}
}

// A copyLimit is what the statements that limit the servers of an SNMP copy do for TFTP.
type copyLimit struct {
	limits  bool
	unknown string          // why that cannot be told
	idle    []evidence.Span // statements that limit nothing
}

func tftpLimit(p *audit.Pass, d *facts.Device) copyLimit {
	var out copyLimit
	for i := range d.SNMPLimits {
		l := &d.SNMPLimits[i]
		if len(l.Protocols) > 0 && !slices.Contains(l.Protocols, facts.TFTP) {
			continue
		}
		switch list, why := judge.Clients(p, d, facts.Say(l.ACL, l.Span), ""); list {
		case judge.ListLimits:
			out.limits = true
		case judge.ListUnknown:
			out.unknown = why
		case judge.NoList, judge.ListUndefined, judge.ListEmpty, judge.ListOpen:
			out.idle = append(out.idle, l.Span)
		}
	}
	return out
}

func snmpAccess(p *audit.Pass, d *facts.Device, s *facts.SNMPAccess, limit copyLimit) {
	name := accessName(s)
	switch {
	case s.Write.Origin == facts.Masked:
		p.NotEvaluated("the access of an SNMP community was masked by a backup tool")
		return
	case !s.Write.Known():
		p.NotEvaluated(fmt.Sprintf("whether an SNMP %s may write is unknown", name))
		return
	case !s.Write.Val || facts.Off(s.CoversCopy) || limit.limits:
		return
	case limit.unknown != "":
		p.NotEvaluated("whether SNMP copies are limited is unknown: " + limit.unknown)
		return
	case !s.CoversCopy.Known():
		p.NotEvaluated(fmt.Sprintf("view %q that SNMP writes are limited to is not in this evidence: whether it covers the copy tables is unknown", s.WriteView))
		return
	}
	r := judge.Service(p, d, judge.Listener{Transport: facts.UDP, Port: 161, Scope: s.Scope, ACL: s.ACL})
	v, e := uint8(copyV2Inside), audit.ExposureInternal
	switch {
	case s.Version == 3:
		v = copyV3
	case r.Factor >= audit.ExposureUntrusted:
		v, e = copyV2, audit.ExposureUntrusted
	}
	marks := judge.Mark(nil, "", s.Span)
	marks = judge.Mark(marks, "write access", s.Write.Span)
	if s.ACL.Known() && s.ACL.Val != "" {
		marks = judge.Defined(marks, d, s.ACL.Val, s.Scope)
	}
	f := audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "snmp", Name: name}, Severity: audit.Score(.90, e, audit.PrivilegeDevice, judge.Telemetry(d)),
		Confidence: audit.ConfidenceHigh, Spans: judge.Mark(marks, "limits nothing", limit.idle...), Signal: audit.Signal{Weight: .30, Class: "CFG"},
		Message: fmt.Sprintf("%s can be told to send its configuration to any server by an SNMP %s, open to %s", d.ID, name, r.Who),
	}
	if v != copyV2 {
		// Only a way from outside makes it critical (catalogue); telemetry does not.
		f.Severity = min(f.Severity, audit.High)
	}
	if r.Unknown != "" {
		f.Evidence = map[string]string{"clients": "counted as outside: " + r.Unknown}
	}
	p.Report(f)
}

// accessName names an access by all that is no secret: two communities of one kind are one subject.
func accessName(s *facts.SNMPAccess) string {
	var b strings.Builder
	if s.Version == 3 {
		fmt.Fprintf(&b, "v3 group %q", s.Name)
	} else {
		b.WriteString("community")
	}
	b.WriteString(" with write access")
	if s.WriteView != "" {
		fmt.Fprintf(&b, ", view %q", s.WriteView)
	}
	if s.ACL.Known() && s.ACL.Val != "" {
		fmt.Fprintf(&b, ", list %q", s.ACL.Val)
	}
	if s.Scope != "" {
		fmt.Fprintf(&b, ", vrf %q", s.Scope)
	}
	return b.String()
}
