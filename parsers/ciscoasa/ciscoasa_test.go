package ciscoasa

import (
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// fixtures are the configurations of the golden files, by name.
func fixtures(t testing.TB) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("../../fixtures/ciscoasa/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	out := map[string][]byte{}
	for _, path := range files {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(filepath.Base(path), ".txtar")] = ar.Files[0].Data
	}
	return out
}

var update = parsetest.Update()

func TestGolden(t *testing.T) { parsetest.Golden(t, Format(), "../../fixtures/ciscoasa", *update) }

// planted are the secrets of fixtures, by the fixture's name.
var planted = map[string][]string{
	"contexts": {"ctxsecret"},
	"filters":  {"letmein"},
	"pix":      {"pixsecret", "pixcommunity", "Ab12Cd34Ef"},
	"transfers": {
		"$sha512$5000$Zm9vYmFy$ZXhhbXBsZQ==", "2KFQnbNIdI.2KYOU", "ospfsecret", "eigrpsecret", "logsecret", "tacsecret", "ldapsecret", "readme",
		"trapme", "AbCdEf==", "aa:bb:cc", "dd:ee:ff", "updsecret", "challenge1", "oldpsk", "ntpsecret", "casecret", "proxysecret", "extsecret",
		"Ab12Cd34Ef", "bobclear", "psk-one", "psk-two", "00112233445566778899aabbccddeeff", "foversecret", "dslsecret", "chainsecret", "bksecret",
	},
}

func TestKit(t *testing.T) {
	k := parsetest.Kit{Format: Format(), Filler: "! ", Pager: "<--- More --->\r              \r"}
	all := fixtures(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		k.Samples = append(k.Samples, parsetest.Sample{Path: name + ".cfg", Text: string(all[name]), Secrets: planted[name]})
	}
	k.Run(t)
}

// readAll parses src and gives the device and the notes.
func readAll(t testing.TB, name string, src []byte) (*facts.Device, []facts.Note) {
	t.Helper()
	st := parsetest.Parse(t, Format(), name, src)
	if len(st.Devices) != 1 {
		t.Fatalf("%d devices", len(st.Devices))
	}
	return st.Devices[0], st.Notes
}

func TestCutShort(t *testing.T) {
	src := fixtures(t)["filters"]
	if _, notes := readAll(t, "whole", src); len(notes) != 1 {
		t.Errorf("whole: notes %v", notes)
	}
	_, notes := readAll(t, "cut", src[:len(src)/2])
	if len(notes) == 0 || notes[len(notes)-1].Kind != facts.NoteIncomplete {
		t.Errorf("cut: notes %v", notes)
	}
}

func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	deep := strings.Builder{}
	for i := range 2000 {
		deep.WriteString(strings.Repeat(" ", i) + "interface x\n")
	}
	for _, test := range []struct{ name, src string }{
		{"empty", ""},
		{"blank", "\n\n  \n\t\n"},
		{"long line", "hostname " + long + "\naccess-list a extended permit ip any any " + long + "\n"},
		{"deep", deep.String()},
		{"NUL", "ASA Version 9.1\x00(1)\nhost\x00name x\n"},
		{"words missing", "access-list\naccess-list a\naccess-list a extended\naccess-list a extended permit\naccess-list a extended permit tcp\n" +
			"object\nobject network\nobject-group\nobject-group service\ninterface\nroute\nroute x\nlogging\nlogging host\nssh\nhttp\nsnmp-server\n" +
			"snmp-server host\nnat\nnat (\nnat (a\nnat (a,b) source\nusername\nenable password\npasswd\nno\nno no\ntime-range\nevent\nboot\nmount\n" +
			"crypto\ncrypto ca\nkey\ncontext\nauto-update\ndhcpd\nntp\naaa\npolicy-map\nservice-policy\nflow-export\nname\nASA\nPIX Version\n"},
		{"pager only", "<--- More --->"},
		{"cycle", "object-group network a\n group-object b\nobject-group network b\n group-object a\nobject-group protocol p\n group-object p\n" +
			"access-list x extended permit object-group p object-group a any\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			readAll(t, test.name, []byte(test.src))
		})
	}
}

// A secret of a statement nobody reads is hidden too.
func TestUnreadSecrets(t *testing.T) {
	for _, test := range []struct{ line, secret string }{
		{"quux peer 192.0.2.1 password s3cret", "s3cret"},
		{"crypto map outside 1 set session-key inbound esp 300 cipher 0123456789abcdef0123 authenticator fedcba98765432100123", "0123456789abcdef0123"},
		{"crypto map outside 1 set session-key inbound esp 300 cipher 0123456789abcdef0123 authenticator fedcba98765432100123", "fedcba98765432100123"},
		{"license-server shared secret sh4red port 50554", "sh4red"},
		{"cts sxp default password 0 sxpsecret", "sxpsecret"},
		{"! username old password gone encrypted", "gone"},
		{"description see ftp://joe:p%40ss@192.0.2.1/", "p%40ss"},
		{"ddns update method x\n web update-url https://u:weburl@192.0.2.1/nic", "weburl"},
		{"router bgp 65000\n neighbor 192.0.2.1 password bgpsecret", "bgpsecret"},
		{"username odd password \"quo\"ted encrypted", "\"quo\"ted"},
		{"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "MIIE"},
		{"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIF\n-----END ENCRYPTED PRIVATE KEY-----\nhostname x", "MIIF"},
	} {
		t.Run(test.secret, func(t *testing.T) {
			src := []byte("ASA Version 9.8(1)\n" + test.line + "\n")
			d, _ := readAll(t, "fw.cfg", src)
			for _, s := range d.Secrets {
				if string(src[s.Span.Pos.Off():s.Span.Pos.Off()+int64(s.Span.Len)]) == test.secret {
					return
				}
			}
			t.Errorf("not found; secrets %+v", d.Secrets)
		})
	}
}

func TestDetect(t *testing.T) {
	for _, test := range []struct {
		name, src string
		want      facts.Confidence
	}{
		{"ASA", ": Saved\n:\nASA Version 9.8(2)\n", facts.Certain},
		{"PIX", ": Saved\n:\nPIX Version 6.3(5)\n", facts.Certain},
		{"Firepower", ":\nNGFW Version 7.2.5 \n", facts.Certain},
		{"list alone", "access-list outside_in extended permit tcp any host 192.0.2.1 eq ftp\n", facts.Likely},
		{"no version", "hostname fw\ninterface GigabitEthernet0/0\n nameif outside\n security-level 0\naccess-group a in interface outside\n", facts.Strong},
		{"IOS", "version 15.2\nservice timestamps log datetime\nhostname r1\ninterface GigabitEthernet0/1\n ip address 192.0.2.1 255.255.255.0\n" +
			"ip access-list extended in\n permit tcp any any eq ftp\naccess-list 101 permit ip any any\nline vty 0 4\n", facts.No},
		{"IOS excerpt", "access-list 101 permit tcp any any eq ftp\naccess-list 101 deny ip any any\n", facts.No},
		{"IOS objects", "version 16.9\nobject-group network a\n host 192.0.2.1\nip access-list extended b\nobject-group service s\nline con 0\n", facts.No},
		{"NX-OS", "version 9.3(3)\nfeature ospf\nhostname n9k\nvdc n9k id 1\n", facts.No},
		{"Junos", "set system host-name r1\nset firewall family inet filter f term t then accept\n", facts.No},
		{"syslog", "<166>Jan 01 2026 00:00:00 fw : %ASA-6-302013: Built inbound TCP connection\n", facts.No},
		{"prose", "The ASA Version 9 firewall has a nameif statement.\n", facts.No},
		{"binary", "\x00\x01\x02ASA Version 9.1\n", facts.No},
		{"empty", "", facts.No},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := Detect("x", []byte(test.src)); got != test.want {
				t.Errorf("Detect = %d, want %d", got, test.want)
			}
		})
	}
}

// corpus is the folder of public configurations; the test skips without it.
func corpus(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("QUAYMASTER_CORPUS")
	if dir == "" {
		t.Skip("QUAYMASTER_CORPUS names no folder of public configurations")
	}
	return dir
}

// Of every public ASA configuration at least 97 of 100 lines are accounted for; and no other platform's is taken for one.
func TestCorpus(t *testing.T) {
	root := corpus(t)
	var total facts.Lines
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		parts := strings.Split(filepath.ToSlash(rel), "/")
		if len(parts) != 3 || parts[0] != "configs" && parts[0] != "acl" {
			return nil
		}
		src, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		got := Detect(rel, src[:min(len(src), 64<<10)])
		if parts[1] != "cisco_asa" && parts[1] != "asa" {
			// batfish__cisco_misc is a medley of statements of all Cisco platforms, of the ASA among them.
			if got > facts.Possible && !strings.HasSuffix(rel, "batfish__cisco_misc") {
				t.Errorf("%s: Detect = %d", rel, got)
			}
			return nil
		}
		if got < facts.Strong {
			t.Errorf("%s: Detect = %d", rel, got)
		}
		d, _ := readAll(t, rel, src)
		total.Add(d.Lines)
		for _, u := range d.Unread {
			t.Logf("%s: %s: %s", rel, u.Reason, src[u.Span.Pos.Off():u.Span.Pos.Off()+int64(u.Span.Len)])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if known := total.Understood + total.Irrelevant; total.Total() == 0 || known*100 < total.Total()*97 {
		t.Errorf("accounted for %d of %d lines", known, total.Total())
	}
}

// Whatever the bytes, reading ends with one device whose spans lie inside them and whose lines are all accounted for.
func FuzzParse(f *testing.F) {
	for _, src := range fixtures(f) {
		f.Add(src)
	}
	f.Add([]byte("access-list a extended permit tcp any any eq ftp\n<--- More --->\r  \r access-group a in interface b"))
	f.Fuzz(func(t *testing.T, src []byte) {
		readAll(t, "fuzz", src)
		Detect("fuzz", src)
	})
}
