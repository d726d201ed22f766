package junos

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

var update = parsetest.Update()

// TestGolden reads every fixture: a configuration, and the facts it states. A second configuration is the same one in the
// other shape and must state the same facts, positions apart.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../../fixtures/junos/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			n := len(ar.Files)
			if n < 2 || n > 3 || ar.Files[n-1].Name != "facts" {
				t.Fatal("want one or two configurations and facts")
			}
			src := string(ar.Files[0].Data)
			format, conf := formatOf(src)
			if conf < facts.Likely {
				t.Errorf("detected with %d", conf)
			}
			d, notes := readDevice(t, format, src)
			got := parsetest.Dump(d, []byte(src))
			for _, n := range notes {
				got += "note " + n.Message + "\n"
			}
			if n == 3 {
				other, conf := formatOf(string(ar.Files[1].Data))
				if conf < facts.Likely || other.Name == format.Name {
					t.Errorf("the second configuration was detected as %s with %d", other.Name, conf)
				}
				e, _ := readDevice(t, other, string(ar.Files[1].Data))
				if diff := cmp.Diff(meaning(d), meaning(e)); diff != "" {
					t.Errorf("the two shapes differ (-first +second):\n%s", diff)
				}
			}
			if *update {
				ar.Files[n-1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(string(ar.Files[n-1].Data), got); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSecretsStay holds that no secret of a fixture is in any text its facts state.
func TestSecretsStay(t *testing.T) {
	for _, c := range samples(t) {
		t.Run(c.name, func(t *testing.T) {
			format, _ := formatOf(c.text)
			d, notes := readDevice(t, format, c.text)
			text := meaning(d)
			for _, n := range notes {
				text += n.Message
			}
			for _, s := range d.Secrets {
				secret := c.text[s.Span.Pos.Off() : s.Span.Pos.Off()+int64(s.Span.Len)]
				if s.Storage != facts.StorageMasked && len(secret) > 4 && strings.Contains(text, secret) {
					t.Errorf("%q is in a fact", secret)
				}
			}
		})
	}
}

// TestSecretSpans holds that a secret's span is exactly its characters, wherever it stands.
func TestSecretSpans(t *testing.T) {
	tests := []struct {
		name, text string
		set        bool
		want       []string
	}{
		{"in quotes", `system { radius-server { 192.0.2.1 secret "s3cret word"; } }`, false, []string{"s3cret word"}},
		{"in a URL", `system { archival { configuration { archive-sites { "ftp://u:p@w/1@192.0.2.1/x"; } } } }`, false, []string{"p@w/1"}},
		{"in a URL of another scheme", `a { b "ldap://u:hunter2@h/x"; }`, false, []string{"hunter2"}},
		{"in a command", `event-options { policy p { then { execute-commands { commands { "file copy /x ftp://u:hunter2@h/y"; } } } } }`, false, []string{"hunter2"}},
		{"in a comment", "/* key \"$9$abcdef\" */ a { b; }", false, []string{"$9$abcdef"}},
		{"in a remark", "firewall { filter f { /* ftp://u:hunter2@h/ */ term t { then accept; } } }", false, []string{"hunter2"}},
		{"in what is switched off", `inactive: snmp { community hunter2; }`, false, []string{"hunter2"}},
		{"in a group nobody applies", `groups { g { snmp { community hunter2; } } }`, false, []string{"hunter2"}},
		{"of a statement nobody knows", "a {\n    b \"hunter2\"; ## SECRET-DATA\n}\n", false, []string{"hunter2"}},
		{"hashes", `system { login { user u { authentication { encrypted-password "$6$a$b"; } } } }`, false, []string{"$6$a$b"}},
		{"IPsec", `security { ike { policy p { pre-shared-key ascii-text "$9$abc"; } } }`, false, []string{"$9$abc"}},
		{"v3", `snmp { v3 { usm { local-engine { user u { authentication-sha { authentication-key "$9$abc"; } privacy-aes128 { privacy-key "$9$def"; } } } } } }`, false, []string{"$9$abc", "$9$def"}},
		{"BGP", `protocols { bgp { group g { authentication-key "$9$abc"; } } }`, false, []string{"$9$abc"}},
		{"private key", "security { certificates { local { x { \"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END\"; } } } }", false, []string{"-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END"}},
		{"settings of passwords are none", `system { login { password { minimum-length 10; format sha512; } } authentication-order [ radius password ]; }`, false, nil},
		{"routing communities are none", `policy-options { community c members 65000:1; }`, false, nil},
		{"set", `set system tacplus-server 192.0.2.1 secret "$9$abc"`, true, []string{"$9$abc"}},
		{"set, said twice", "set snmp community hunter2\nset system\nset snmp community hunter2\n", true, []string{"hunter2", "hunter2"}},
		{"set, a line nobody knows", `annotate system "x"` + "\n" + `load password hunter2 x`, true, []string{"hunter2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			format := Brace()
			if test.set {
				format = Set()
			}
			d, _ := readDevice(t, format, test.text)
			var got []string
			for _, s := range d.Secrets {
				got = append(got, test.text[s.Span.Pos.Off():s.Span.Pos.Off()+int64(s.Span.Len)])
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			for _, s := range got {
				if strings.Contains(meaning(d), s) {
					t.Errorf("%q is in a fact", s)
				}
			}
		})
	}
}
