package cisconxos

import "github.com/quaymaster/quaymaster/internal/cli"

// translation reads "ip nat ...": a rule that rewrites addresses changes what filters see and is stated as not read; pools and
// timeouts do nothing without one (Cisco Nexus 9000 interfaces configuration guide, NAT).
func translation(s *cli.Stmt) bool {
	if !s.No && (s.Is(1, "nat", "inside") || s.Is(1, "nat", "outside")) {
		return s.Unsupported("translation of addresses is not modelled")
	}
	return s.Skip()
}
