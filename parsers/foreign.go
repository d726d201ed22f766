package parsers

import "bytes"

// foreign names the platform whose own marks a text carries when it is about to be read as another: the syntax of the two is
// near enough, and a filter read by the wrong rules gives wrong verdicts. hint says why it is not read as that platform. Both are
// empty when there is no such mark.
func foreign(text []byte) (name, hint string) {
	const (
		part    = "too little of that platform's text to be read as such, and its marks forbid to read it as another's"
		unknown = "its platform is not read by this version"
	)
	for _, m := range [...]struct {
		name, hint string
		marks      []string
	}{
		{"Cisco IOS XR", part, []string{"!! IOS XR", "\n ipv4 address ", "\ninterface MgmtEth", "\nRP/0/", "\nroute-policy ", "\nend-policy"}},
		{"Cisco NX-OS", part, []string{"!Command: show running-config", "\nfeature ", "\nvdc ", "\nboot nxos "}},
		{"Arista EOS", part, []string{"EOS-4", "\ntransceiver qsfp ", "\nmanagement api ", "\ndaemon TerminAttr", "\nip access-list standard cvx"}},
		{"Aruba AOS-CX", part, []string{"!Version ArubaOS-CX", "\nvsf member "}},
		{"Dell OS10", unknown, []string{"! Version 10.", "\nos10 "}},
		{"Huawei VRP or HPE Comware", unknown, []string{"\nsysname ", "\nuser-interface "}},
	} {
		for _, mark := range m.marks {
			if bytes.Contains(text, []byte(mark)) || mark[0] == '\n' && bytes.HasPrefix(text, []byte(mark[1:])) {
				return m.name, m.hint
			}
		}
	}
	return "", ""
}
