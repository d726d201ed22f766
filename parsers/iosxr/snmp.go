package iosxr

import (
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// snmp reads "snmp-server community C [view V] RO|RW [SystemOwner|SDROwner] [IPv4 A] [IPv6 A] [A]" and groups.
func snmp(s *cli.Stmt) bool {
	switch s.Word(1) {
	case "community":
		if s.No {
			return s.OK()
		}
		a := facts.SNMPAccess{Write: facts.Say(false, s.Span()), CoversCopy: facts.Assume(false)}
		fam := facts.IPv4
		for i := 3; i < len(s.W); i++ {
			switch s.W[i] {
			case "RW", "rw":
				a.Write = facts.Say(true, s.Span())
			case "RO", "ro", "SystemOwner", "SDROwner", "LROwner", "mapped-context":
			case "view":
				i++
				a.ReadView = s.Keep(i)
			case "IPv4", "ipv4":
				fam = facts.IPv4
			case "IPv6", "ipv6":
				fam = facts.IPv6
			default:
				if fam == facts.IPv4 { // a list of IPv6 alone leaves the community open by IPv4
					a.ACL = facts.Say(s.Keep(i), s.Span())
				}
				s.BindAt(facts.WhereSNMP, s.W[i], fam, facts.In, facts.ActionUnknown, "")
			}
		}
		return s.Community(2, a)
	case "group":
		if !s.No {
			s.R.D.SNMP = append(s.R.D.SNMP, facts.SNMPAccess{
				Version: 3, Name: s.Keep(2), Write: facts.Say(s.Find(4, "write") > 0, s.Span()), ReadView: s.R.Keep(s.After(4, "read")), WriteView: s.R.Keep(s.After(4, "write")), Span: s.Span(),
			})
		}
		return s.OK()
	case "user":
		if !s.No {
			s.R.D.Trusts = append(s.R.D.Trusts, facts.Trust{Kind: "snmp-user", Name: s.Keep(2), Span: s.Span()})
		}
		return s.OK()
	}
	return s.Skip()
}
