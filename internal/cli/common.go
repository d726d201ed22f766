package cli

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
)

// Hostname states the device's name.
func (s *Stmt) Hostname(i int) bool {
	if !s.No && s.Word(i) != "" {
		s.R.D.Hostname = facts.Say(strings.Clone(strings.Trim(s.Word(i), `"`)), s.At(i))
		s.R.Stated = true
	}
	return s.OK()
}

// Version states the software's release; what is known already says more.
func (s *Stmt) Version(i int) bool {
	s.R.Stated = true
	if s.R.D.Version.Origin == facts.Unknown && s.Word(i) != "" {
		s.R.D.Version = facts.Say(strings.Clone(s.Word(i)), s.At(i))
	}
	return s.OK()
}

// Serve states a service.
func (s *Stmt) Serve(x facts.Service) *facts.Service {
	x.Span = s.Span()
	if x.Enabled.Origin == facts.Unknown {
		x.Enabled = s.On()
	}
	s.R.D.Services = append(s.R.D.Services, x)
	s.OK()
	return &s.R.D.Services[len(s.R.D.Services)-1]
}

// Account gives the account of a name, made when there is none.
func (s *Stmt) Account(name string) *facts.Account {
	name = strings.Trim(name, `"`)
	if at, ok := s.R.accounts[name]; ok {
		return &s.R.D.Accounts[at]
	}
	s.R.accounts[s.R.Keep(name)] = len(s.R.D.Accounts)
	s.R.D.Accounts = append(s.R.D.Accounts, facts.Account{Name: s.R.Keep(name), Span: s.Span()})
	return &s.R.D.Accounts[len(s.R.D.Accounts)-1]
}

// LogTo states a remote log destination.
func (s *Stmt) LogTo(h facts.LogHost) bool {
	if s.No {
		return s.OK()
	}
	h.Span = s.Span()
	h.Host, h.Addr = s.R.Host(h.Host)
	h.Scope, h.Severity = s.R.Keep(h.Scope), severity(h.Severity)
	l := &s.R.D.Logging
	l.Hosts = append(l.Hosts, h)
	l.Remote = facts.Say(true, h.Span)
	return s.OK()
}

// severity is the name of a level given by number (RFC 5424, 6.2.1).
func severity(w string) string {
	names := [...]string{"emergencies", "alerts", "critical", "errors", "warnings", "notifications", "informational", "debugging"}
	if n, err := strconv.Atoi(w); err == nil && n >= 0 && n < len(names) {
		return names[n]
	}
	return strings.Clone(w)
}

// Time states a time source.
func (s *Stmt) Time(i int) bool {
	if w := s.Word(i); !s.No && w != "" && !slices.Contains(s.R.D.Logging.NTP, w) {
		s.R.D.Logging.NTP = append(s.R.D.Logging.NTP, s.R.Keep(w))
	}
	return s.OK()
}

// Trusts states a party whose word the device takes.
func (s *Stmt) Trusts(kind, host string) bool {
	if s.No || host == "" {
		return s.OK()
	}
	t := facts.Trust{Kind: kind, Name: s.R.Keep(s.Word(0)), Span: s.Span()}
	t.Host, t.Addr = s.R.Host(host)
	s.R.D.Trusts = append(s.R.D.Trusts, t)
	return s.OK()
}

// Community states an SNMP community. Its name is a secret.
func (s *Stmt) Community(i int, a facts.SNMPAccess) bool {
	if s.No {
		return s.OK()
	}
	a.Version, a.Span = 1, s.Span()
	s.R.D.SNMP = append(s.R.D.SNMP, a)
	s.R.communities[s.Word(i)] = len(s.R.D.SNMP) - 1
	s.Secret(i, facts.SecretCommunity, facts.StorageClear, "snmp-server community", "")
	return s.OK()
}

// Limit gives a community that was stated before its list of clients, where that is a statement of its own.
func (s *Stmt) Limit(i int, acl string) {
	if at, ok := s.R.communities[s.Word(i)]; ok && !s.R.D.SNMP[at].ACL.Known() {
		s.R.D.SNMP[at].ACL = facts.Say(s.R.Keep(acl), s.Span())
	}
}

// Interface reads the block of an interface: line reports whether it read a statement, what it does not is irrelevant.
func (s *Stmt) Interface(name string, down facts.V[bool], line func(f *facts.Interface, c *Stmt) bool) bool {
	s.OK()
	if s.No || name == "" {
		return s.All()
	}
	f := facts.Interface{Name: strings.Clone(name), Span: s.Span(), Shutdown: down}
	s.R.flow.here = false
	s.Each(func(c *Stmt) {
		switch {
		case line(&f, c):
		case c.Is(0, "description"):
			c.R.T.Mark(c.N, facts.Irrelevant)
		default:
			c.Skip()
		}
	})
	if s.R.flow.here {
		f.Flow = facts.Say(true, f.Span)
	}
	s.R.D.Interfaces = append(s.R.D.Interfaces, f)
	return true
}

// Address adds the address at word i to an interface.
func (s *Stmt) Address(f *facts.Interface, i int) bool {
	switch {
	case s.No:
	case s.Is(i, "dhcp"):
		f.DHCP = true
	default:
		p, ok := s.Prefix(i)
		if !ok {
			if a, err := netip.ParseAddr(s.Word(i)); err == nil && a.IsLinkLocalUnicast() {
				f.Addrs = append(f.Addrs, netip.PrefixFrom(a, 64)) // "fe80::1 link-local"
				return s.OK()
			}
			return false
		}
		f.Addrs = append(f.Addrs, p)
	}
	return s.OK()
}

// flowState is what flow export is made of: collectors, and interfaces that measure.
type flowState struct {
	here, used bool
	span       evidence.Span
}

// Measures says that the interface being read makes flow records.
func (s *Stmt) Measures() bool {
	if !s.No {
		s.R.flow.here, s.R.flow.used = true, true
		if s.R.flow.span.IsZero() {
			s.R.flow.span = s.Span()
		}
	}
	return s.OK()
}

// ExportTo states a collector of flow records.
func (s *Stmt) ExportTo(host, port, scope string) bool {
	if s.No || host == "" {
		return s.OK()
	}
	h := facts.FlowHost{Scope: s.R.Keep(scope), Span: s.Span()}
	h.Host, h.Addr = s.R.Host(host)
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		h.Port = uint16(n)
	}
	s.R.D.Logging.FlowHosts = append(s.R.D.Logging.FlowHosts, h)
	return s.OK()
}

// finishFlow states whether flow records leave the device: they need a collector, and something that measures.
func (r *Reader) finishFlow() {
	l := &r.D.Logging
	switch {
	case l.FlowExport.Known():
	case len(l.FlowHosts) > 0 && r.flow.used:
		l.FlowExport = facts.Say(true, r.flow.span)
	case len(l.FlowHosts) > 0:
		l.FlowExport = facts.Say(false, l.FlowHosts[0].Span)
	}
}

// Defaults states what a whole configuration says by not saying it: no remote log, no command accounting, no flow export.
func (r *Reader) Defaults() {
	if !r.Whole() {
		return
	}
	l := &r.D.Logging
	for _, v := range [...]*facts.V[bool]{&l.Remote, &l.CommandAccounting, &l.FlowExport} {
		if !v.Known() {
			*v = facts.Assume(false)
		}
	}
}
