package junos

import "testing"

func TestParseURL(t *testing.T) {
	tests := []struct {
		name, in                         string
		ok                               bool
		protocol, text, host, path, user string
		pass                             string
	}{
		{"plain", "ftp://192.0.2.1/a/b", true, "ftp", "ftp://192.0.2.1/a/b", "192.0.2.1", "a/b", "", ""},
		{"user and password", "pasvftp://u:pw@h.example.net/x", true, "ftp", "pasvftp://h.example.net/x", "h.example.net", "x", "u", "pw"},
		{"port", "scp://u@h:2222/x", true, "scp", "scp://h:2222/x", "h", "x", "u", ""},
		{"IPv6", "tftp://[2001:db8::1]:69/x", true, "tftp", "tftp://[2001:db8::1]:69/x", "2001:db8::1", "x", "", ""},
		{"password with @ and /", "ftp://u:p@s/s@192.0.2.1/x", true, "ftp", "ftp://192.0.2.1/x", "192.0.2.1", "x", "u", "p@s/s"},
		{"password with @ before a short name", "ftp://u:p@s@host/x", true, "ftp", "ftp://host/x", "host", "x", "u", "p@s"},
		{"file with @", "ftp://u:pw@h.example.net/x@2", true, "ftp", "ftp://h.example.net/x@2", "h.example.net", "x@2", "u", "pw"},
		{"file with @ without a user", "http://h:80/x@2", true, "http", "http://h:80/x@2", "h", "x@2", "", ""},
		{"masked", "ftp://u:<secret removed>@h.example.net/", true, "ftp", "ftp://h.example.net/", "h.example.net", "", "u", "<secret removed>"},
		{"SCP as user@host:path", "u@h:/x/y", true, "scp", "h:/x/y", "h", "/x/y", "u", ""},
		{"SCP as host:path", "h.example.net:x", true, "scp", "h.example.net:x", "h.example.net", "x", "", ""},
		{"empty password", "ftp://u:@h.example.net/x", true, "ftp", "ftp://h.example.net/x", "h.example.net", "x", "u", ""},
		{"nothing but a scheme", "ftp://", true, "ftp", "ftp://", "", "", "", ""},
		{name: "local file", in: "file:///var/tmp/x"},
		{name: "path", in: "/var/tmp/x"},
		{name: "part of the box", in: "re0:/var/tmp/x"},
		{name: "word", in: "accept"},
		{name: "IPv6 address", in: "2001:db8::1"},
		{name: "other scheme", in: "ldap://h/x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			u, ok := parseURL([]byte(test.in))
			if ok != test.ok {
				t.Fatalf("ok = %v", ok)
			}
			if !ok {
				return
			}
			pass := test.in[u.passAt : u.passAt+u.passLen]
			if u.protocol.String() != test.protocol || u.text != test.text || u.host != test.host || u.path != test.path ||
				u.user != test.user || pass != test.pass {
				t.Errorf("got %+v, password %q", u, pass)
			}
		})
	}
}

func TestMatches(t *testing.T) {
	tests := []struct {
		pattern, name string
		want          bool
	}{
		{"<*>", "ge-0/0/0", true},
		{"<ge-*>", "ge-0/0/0", true},
		{"<ge-*>", "xe-0/0/0", false},
		{"<[gx]e-*>", "xe-0/0/0", true},
		{"<[!g]e-*>", "ge-0/0/0", false},
		{"<ge-0/0/[0-3]>", "ge-0/0/2", true},
		{"<ge-0/0/[0-3]>", "ge-0/0/4", false},
		{"<*-0/?/0>", "ge-0/1/0", true},
		{"<a*b*c>", "axxbyyc", true},
		{"<a*b*c>", "axxbyy", false},
		{"<*>", "apply-groups", false},
		{"<[>", "[", true},
	}
	for _, test := range tests {
		if got := matches([]byte(test.pattern), []byte(test.name)); got != test.want {
			t.Errorf("%s on %s: %v", test.pattern, test.name, got)
		}
	}
}

func TestPortRange(t *testing.T) {
	tests := []struct {
		in          string
		first, last uint16
		ok          bool
	}{
		{"21", 21, 21, true},
		{"ftp", 21, 21, true},
		{"ftp-data", 20, 20, true},
		{"ftp-data-ftp", 20, 21, true},
		{"20-21", 20, 21, true},
		{"netbios-ns-netbios-ssn", 137, 139, true},
		{"0-65535", 0, 65535, true},
		{"65536", 0, 0, false},
		{"21-20", 0, 0, false},
		{"tftpd", 0, 0, false},
		{"-", 0, 0, false},
	}
	for _, test := range tests {
		got, ok := portRange([]byte(test.in))
		if ok != test.ok || got.First != test.first || got.Last != test.last {
			t.Errorf("%s: %v %v", test.in, got, ok)
		}
	}
}

// TestIrrelevantTables holds that the tables can be searched and that every entry has its reason.
func TestIrrelevantTables(t *testing.T) {
	for _, table := range [][]entry{irrelevant[:], irrelevantOfInterfaces[:]} {
		for i, e := range table {
			if e.why == "" {
				t.Errorf("%s has no reason", e.path)
			}
			if i > 0 && table[i-1].path >= e.path {
				t.Errorf("%s is out of order, or there twice", e.path)
			}
			if reasonOf([]byte(e.path)) != e.why {
				t.Errorf("%s is not found", e.path)
			}
		}
	}
}
