package activity

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks/judge"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// PrivilegeAdded is QM3004.
func PrivilegeAdded() *audit.Check {
	return &audit.Check{
		ID: "QM3004", Slug: "chg-privilege", Title: "New privileged account, key or SNMP/AAA trust", Severity: audit.High,
		Doc: `A change gave somebody power over a device: an account that may change the configuration, an SSH key, SNMP write access,
or an authentication server.

## Why it matters

Whoever comes back needs a way in (T1136.001, T1098.004), and an authentication server of one's own is the best (T1556).
With it every transfer of T1071.002 is an administrator's.

## How it is decided
` + comparing + `
Accounts count that may change the configuration and did not exist, or could not; keys by how many an account has; SNMP by
write access under another list or view; authentication servers by address. An authentication server outside of the
internal zones is critical.

## How it can be wrong

A colleague who joined, with a ticket. A platform that renames its roles at an upgrade.

## Tunables

"zones" and "change_windows" of the policy.
`,
		Variants: changeVariants(audit.High), Attack: []string{"T1136.001", "T1098.004", "T1556"}, Analytics: []string{"AN1173"},
		Controls: []string{"CISC-ND-000490", "AC-2(4)", "PCI 10.2.1.5", "ESXI-80-000201", "AA25-239A"},
		False:    "a joiner with a ticket",
		Fixes:    map[string]string{"": "remove what was added, and change the credentials the device holds"},
		Needs:    audit.Needs{Earlier: true}, Change: privilegeAdded,
	}
}

func privilegeAdded(p *audit.Pass, before, after *facts.Device) {
	tell := func(kind, name, what string, exposure float64, span evidence.Span) {
		changed(p, audit.Finding{
			Subject: audit.Subject{Kind: kind, Name: name}, Severity: audit.Score(.85, exposure, audit.PrivilegeDevice, audit.TelemetryPartial),
			Message: fmt.Sprintf("%s has %s since a change", after.ID, what), Spans: judge.Mark(nil, "", span), Signal: audit.Signal{Weight: .35, Class: "CFG"},
		})
	}
	for i := range after.Accounts {
		a := &after.Accounts[i]
		j := slices.IndexFunc(before.Accounts, func(o facts.Account) bool { return o.Name == a.Name && o.Scope == a.Scope })
		switch {
		case facts.On(a.Admin) && (j < 0 || facts.Off(before.Accounts[j].Admin)):
			tell("account", a.Name, fmt.Sprintf("the privileged account %q (%s)", a.Name, cmp.Or(a.Role, "administrator")), audit.ExposureInternal, a.Span)
		case j >= 0 && a.Keys > before.Accounts[j].Keys:
			tell("ssh-key", a.Name, fmt.Sprintf("another SSH key for account %q", a.Name), audit.ExposureInternal, a.Span)
		}
	}
	for i := range after.SNMP {
		s := &after.SNMP[i]
		if !facts.On(s.Write) || slices.ContainsFunc(before.SNMP, func(o facts.SNMPAccess) bool {
			return facts.On(o.Write) && o.Version == s.Version && o.Name == s.Name && o.ACL.Val == s.ACL.Val && o.WriteView == s.WriteView && o.Scope == s.Scope
		}) {
			continue
		}
		name := fmt.Sprintf("v%d write %s", s.Version, strings.TrimSpace(s.Name+" "+s.ACL.Val))
		tell("snmp", strings.TrimSpace(name), "SNMP write access that it had not, or under another list,", audit.ExposureInternal, s.Span)
	}
	for i := range after.Trusts {
		t := &after.Trusts[i]
		if slices.ContainsFunc(before.Trusts, func(o facts.Trust) bool { return o.Kind == t.Kind && o.Name == t.Name && o.Host == t.Host }) {
			continue
		}
		exposure := audit.ExposureInternal
		if outside(p, t.Addr) {
			exposure = audit.ExposureUntrusted
		}
		name := strings.TrimSpace(t.Name + " " + t.Host)
		tell(t.Kind, name, fmt.Sprintf("the %s %q", trustWords(t.Kind), name), exposure, t.Span)
	}
}

func trustWords(kind string) string {
	switch kind {
	case "ssh-key":
		return "SSH key"
	case "snmp-user":
		return "SNMP user"
	case "certificate", "controller":
		return kind
	}
	return strings.ToUpper(kind) + " server"
}
