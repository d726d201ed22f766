package ciscoios

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/internal/parsetest"
)

// TestHostile: text made to cost more than it is long is read in linear time. The limit is for a slow machine under load;
// quadratic work on these would take minutes.
func TestHostile(t *testing.T) {
	repeat := func(s string) string { return strings.Repeat(s, 600_000/len(s)+1) + "\n" }
	many := func(format string) string {
		var b strings.Builder
		for i := range 30_000 {
			fmt.Fprintf(&b, format, i, i)
		}
		return b.String()
	}
	for _, c := range []struct{ name, text string }{
		{"one line of introducers", repeat("key ")},
		{"one line of passwords", repeat("password 7 ")},
		{"one line of digests", "x spi " + repeat("md5 ")},
		{"one line of authentications", "snmp-server user u g v3 " + repeat("auth ")},
		{"one line of keys", repeat("encryption key 1 ")},
		{"one line of masked words", repeat("<removed ")},
		{"one line of URLs", repeat("ftp://u:p@h ")},
		{"one line of at signs", "path ftp://u:" + repeat("@")},
		{"one entry of ports", "access-list 101 permit tcp any any eq " + repeat("21 ")},
		{"one entry of flags", "access-list 101 permit tcp any any " + repeat("+ack ") + repeat("syn ")},
		{"lists whose names begin alike", many("access-list 1%d permit any\naccess-list %d permit any\n")},
		{"lists and time ranges", many("ip access-list extended A%d\n permit tcp any any time-range T%d\n")},
		{"classes of classes", nested(12, 20)},
		{"zone pairs", many("zone-pair security a%d source x destination y\n service-policy type inspect P%d\n")},
		{"port maps", many("ip port-map user-a port tcp %d\nclass-map type inspect C%d\n match protocol user-a\n")},
		{"terminal lines", many("line vty %d\n access-class L%d in\n")},
		{"planes", "control-plane host\n" + many(" management-interface Gi%d allow x%d\n") + many("tftp-server flash:%d alias %d\n")},
		{"policies and occurrences", many("kron policy-list P%d\n cli copy run tftp:\nkron occurrence O%d in 1 recurring\n policy-list P\n")},
		{"remarks", "ip access-list extended A\n" + strings.Repeat(" remark "+strings.Repeat("x", 300)+"\n", 3000)},
		{"views", many("snmp-server view V%d iso included\nsnmp-server group G%d v3 priv write V1\n")},
		{"applets", "event manager applet A\n event none\n" + many(" action %d cli command \"copy run tftp:\" %d\n")},
		{"banners without an end", many("banner motd ^C%d\nmacro name %d\n")},
		{"comments", many("!<removed> %d\n!key %d <removed>\n")},
		{"private keys without an end", many("-----BEGIN PRIVATE KEY-----%d %d\n")},
	} {
		t.Run(c.name, func(t *testing.T) {
			begin := time.Now()
			parsetest.Parse(t, Format(), "x.cfg", []byte(c.text))
			if d := time.Since(begin); d > 20*time.Second {
				t.Errorf("%d bytes took %v", len(c.text), d)
			}
		})
	}
}

// nested are class maps in class maps, each naming the next several times, and a policy of the first.
func nested(depth, times int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "class-map type inspect match-any C%d\n", i)
		for range times {
			fmt.Fprintf(&b, " match class-map C%d\n", i+1)
		}
	}
	b.WriteString("policy-map type inspect P\n class type inspect C0\n  inspect\nzone security z\n")
	return b.String()
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("../../fixtures/ciscoios/*.txtar")
	for _, path := range files {
		if data, err := os.ReadFile(path); err == nil {
			f.Add(parsetest.Unescape(txtar.Parse(data).Files[0].Data))
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		Detect("x", src)
		st := parsetest.Parse(t, Format(), "x", src) // spans lie inside the input
		again := parsetest.Parse(t, Format(), "x", src)
		if st.Text() != again.Text() {
			t.Error("read twice, the facts differ")
		}
		for _, d := range st.Devices {
			if n := d.Lines.Unrecognised + d.Lines.Unsupported; len(d.Unread) > n {
				t.Errorf("%d lines were not understood, %d are listed", n, len(d.Unread))
			}
			for i := range d.Filters {
				for j := range d.Filters[i].Rules {
					r := &d.Filters[i].Rules[j]
					if r.Action == facts.ActionUnknown && r.Span.IsZero() {
						t.Error("an unknown rule without a line")
					}
				}
			}
		}
		// a line end at the end changes nothing
		if len(src) > 0 && !bytes.HasSuffix(src, []byte("\n")) && !bytes.HasSuffix(src, []byte("\b")) {
			if more := parsetest.Parse(t, Format(), "x", append(bytes.Clone(src), '\n')); more.Text() != st.Text() {
				t.Error("with a line end the facts differ")
			}
		}
	})
}
