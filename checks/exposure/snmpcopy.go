package exposure

import (
	"cmp"
	"fmt"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/facts"
)

// SNMPCopy is QM1012.
func SNMPCopy() *audit.Check {
	return &audit.Check{
		ID: "QM1012", Slug: "svc-snmp-config-copy", Title: "SNMP write access can trigger a config copy", Severity: audit.Critical,
		Doc: `An SNMP community or group may write, its view covers the copy tables, and nothing limits which server the device
would copy to.

## Why it matters

One SET on CISCO-CONFIG-COPY-MIB (1.3.6.1.4.1.9.9.96) or OLD-CISCO-SYS-MIB makes the device send its running
configuration by TFTP to any address, without a login and often without a log line (T1602.002).

## How it is decided

Write access, the write view against 1.3.6.1.4.1.9.9.96, 1.3.6.1.4.1.9.2.1.53 and .55, the client list, and
"snmp-server file-transfer access-group" or "snmp-server tftp-server-list". A view that is not in the evidence counts as
covering. v1 and v2c communities are critical when clients outside are let in: their sources can be forged.

## How it can be wrong

A management system may really use the tables: limit the community to it and the copy to the backup host, and record an
exception. Oxidized with remove_secret deletes RO and RW from the line: such evidence is not evaluated.
`,
		Variants: []audit.Variant{
			{Name: "v1 or v2c", Severity: audit.Critical}, {Name: "v3", Severity: audit.High},
		},
		Attack: []string{"T1602.002", "T1602.001", "T1048.003"}, Analytics: []string{"AN1173"},
		Controls: []string{"CIS-IOS 1.5.4", "CIS-IOS 1.5.5", "CIS-IOS 1.5.9", "CISC-ND-001130", "CISC-ND-001140", "NSA 7.8", "AA26-194A", "CM-7", "AC-3"},
		False:    "a management system that uses CONFIG-COPY, with the community limited to it and the copy to the backup host",
		Fixes: map[string]string{
			facts.CiscoIOS: "no snmp-server community <community>\nsnmp-server view NOCPY iso included\nsnmp-server view NOCPY 1.3.6.1.4.1.9.9.96 excluded\n" +
				"snmp-server file-transfer access-group 98 protocol tftp",
		},
		Needs: audit.Needs{Platforms: []string{facts.CiscoIOS}, Evidence: facts.HasConfig},
		Device: func(p *audit.Pass, d *facts.Device) {
			for i := range d.SNMP {
				snmpAccess(p, d, &d.SNMP[i])
			}
			if why := judge.Removed(d, "snmp-community-access"); why != "" {
				p.NotEvaluated(why)
			}
		},
	}
}

func snmpAccess(p *audit.Pass, d *facts.Device, s *facts.SNMPAccess) {
	switch {
	case s.Write.Origin == facts.Masked:
		p.NotEvaluated("the access of an SNMP community was masked by a backup tool")
		return
	case !facts.On(s.Write) || facts.Off(s.CoversCopy) || limited(d, facts.TFTP):
		return
	}
	r := judge.Facing(p, d)
	marks := []audit.Mark{{Span: s.Span}}
	acl := "no client list"
	if s.ACL.Known() && s.ACL.Val != "" {
		r, _ = judge.ByFilter(p, d, s.ACL.Val, s.Scope)
		acl = fmt.Sprintf("client list %q", s.ACL.Val)
		marks = append(marks, judge.FilterMark(d, s.ACL.Val, s.Scope)...)
	}
	v, what, b := uint8(0), "v2c community", .90
	if s.Version == 3 {
		v, what, b = 1, fmt.Sprintf("v3 group %q", s.Name), .80
	}
	view := cmp.Or(s.WriteView, "everything")
	p.Report(audit.Finding{
		Variant: v, Subject: audit.Subject{Kind: "snmp", Name: fmt.Sprintf("%s with write access, view %s, %s", what, view, acl)},
		Severity: audit.Score(b, r.Factor, audit.PrivilegeDevice, judge.Telemetry(d)), Confidence: audit.ConfidenceHigh,
		Message: fmt.Sprintf("%s lets an SNMP %s write %s, from %s, so that it can be told to send its configuration to any server", d.ID, what, view, r.Who),
		Spans:   marks, Signal: audit.Signal{Weight: .30, Class: "CFG"},
	})
}

// limited reports whether the servers of an SNMP-triggered copy by a protocol are limited.
func limited(d *facts.Device, proto facts.Protocol) bool {
	for _, l := range d.SNMPLimits {
		if f := judge.Find(d, l.ACL, ""); f == nil || len(f.Rules) == 0 {
			continue // an undefined list limits nothing
		}
		if len(l.Protocols) == 0 {
			return true
		}
		for _, p := range l.Protocols {
			if p == proto {
				return true
			}
		}
	}
	return false
}
