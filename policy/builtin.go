package policy

import "net/netip"

// Builtin is the policy in force when the user gives none.
func Builtin() *Policy {
	inside := Zone{Name: "inside", Trust: Internal}
	for _, s := range []string{
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", // RFC 1918
		"fc00::/7",                    // RFC 4193
		"169.254.0.0/16", "fe80::/10", // RFC 3927, RFC 4291 2.5.6
		"127.0.0.0/8", "::1/128", // RFC 1122 3.2.1.3, RFC 4291 2.5.3
	} {
		inside.CIDRs = append(inside.CIDRs, netip.MustParsePrefix(s))
	}
	return (&Policy{Zones: []Zone{inside}}).index()
}
