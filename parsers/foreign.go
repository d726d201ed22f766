package parsers

import "bytes"

// foreign names the platform whose own marks a text carries, when it is one this program does not read: its syntax is near
// enough to another's to be taken for it, and a filter read by the wrong rules gives wrong verdicts. Empty when there is no
// such mark.
func foreign(text []byte) string {
	for _, m := range [...]struct {
		name  string
		marks []string
	}{
		{"Cisco IOS XR", []string{"!! IOS XR", "\n ipv4 address ", "\ninterface MgmtEth", "\nRP/0/", "\nroute-policy ", "\nend-policy"}},
		{"Cisco NX-OS", []string{"!Command: show running-config", "\nfeature ", "\nvdc ", "\nboot nxos "}},
		{"Arista EOS", []string{"EOS-4", "\ntransceiver qsfp ", "\nmanagement api ", "\ndaemon TerminAttr", "\nip access-list standard cvx"}},
		{"Aruba AOS-CX", []string{"!Version ArubaOS-CX", "\nvsf member "}},
		{"Dell OS10", []string{"! Version 10.", "\nos10 "}},
		{"Huawei VRP or HPE Comware", []string{"\nsysname ", "\nuser-interface "}},
	} {
		for _, mark := range m.marks {
			if bytes.Contains(text, []byte(mark)) || mark[0] == '\n' && bytes.HasPrefix(text, []byte(mark[1:])) {
				return m.name
			}
		}
	}
	return ""
}
