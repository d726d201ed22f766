package iosxr

import (
	"strings"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/cli"
)

// server reads the management services: "ssh server v2", "ssh server vrf V [ipv4 access-list A]", "telnet vrf V ipv4 server
// max-servers N [access-list A]", "netconf-yang agent ssh", "grpc", "xml agent ...".
func server(s *cli.Stmt) bool {
	scope := s.After(1, "vrf")
	if scope == "default" {
		scope = ""
	}
	add := func(proto facts.Protocol, word string, port uint16, where string) bool {
		x := facts.Service{Protocol: proto, Name: s.R.Keep(strings.Join(s.W[:min(len(s.W), 2)], " ")), Role: facts.RoleShell, Port: port, Scope: s.R.Keep(scope)}
		for _, l := range serverLists(s) {
			// A list of IPv6 alone leaves SSH open by IPv4; a line of Telnet is one version's server.
			if l.family == facts.IPv4 || proto != facts.SSH {
				x.ACL = facts.Say(s.R.Keep(l.name), s.Span())
			}
			if where != "" {
				s.BindAt(where, l.name, l.family, facts.In, facts.ActionUnknown, scope)
			}
		}
		s.Serve(x)
		s.R.D.Access = append(s.R.D.Access, facts.Access{
			Name: x.Name, In: facts.Say([]string{word}, s.Span()), ACL: x.ACL, Enabled: s.On(), Scope: x.Scope, Span: s.Span(),
		})
		return s.All()
	}
	switch {
	case s.Is(0, "ssh", "server"):
		switch s.Word(2) {
		case "v2", "vrf":
			return add(facts.SSH, "ssh", 22, facts.WhereSSH)
		case "netconf":
			return add(facts.SSH, "netconf", 830, "")
		}
		return s.OK()
	case s.Is(0, "ssh"):
		return s.OK()
	case s.Is(0, "telnet") && s.Find(1, "server") > 0:
		return add(facts.Telnet, "telnet", 23, facts.WhereVTY)
	case s.Is(0, "http", "server"):
		return add(facts.HTTP, "http", 80, facts.WhereHTTP)
	case s.Is(0, "netconf-yang", "agent"), s.Is(0, "netconf", "agent"):
		return add(facts.SSH, "netconf", 830, "")
	case s.Is(0, "grpc"):
		return add(facts.ProtocolUnknown, "gnmi", 57400, "")
	}
	return s.Skip()
}

// A namedList is a list as a statement names it.
type namedList struct {
	name   string
	family facts.Family
}

// serverLists are the lists of a server's statement, one for each version of IP: "[vrf V] [ipv4] [server] access-list A [ipv6
// access-list B]".
func serverLists(s *cli.Stmt) []namedList {
	var lists []namedList
	fam := facts.IPv4
	for i := 1; i < len(s.W); i++ {
		switch s.W[i] {
		case "vrf":
			i++ // its name may be any word
		case "ipv4":
			fam = facts.IPv4
		case "ipv6":
			fam = facts.IPv6
		case "access-list":
			if i++; i < len(s.W) {
				lists = append(lists, namedList{s.W[i], fam})
			}
		}
	}
	return lists
}
