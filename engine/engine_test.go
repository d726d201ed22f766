package engine_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/checks"
	"github.com/quaymaster/quaymaster/engine"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/facts"
	"github.com/quaymaster/quaymaster/inventory"
	"github.com/quaymaster/quaymaster/policy"
	"github.com/quaymaster/quaymaster/report"
)

var judged = time.Date(2026, 11, 24, 8, 0, 0, 0, time.UTC)

// folder writes files and gives the folder.
func folder(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		at := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(at, judged, judged); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func run(t testing.TB, o engine.Options, paths ...string) (*audit.Result, *report.Doc) {
	t.Helper()
	set, err := evidence.Open(t.Context(), evidence.Options{}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { set.Close() })
	o.Set, o.TempDir = set, t.TempDir()
	if o.Now.IsZero() {
		o.Now = judged
	}
	if o.Checks == nil {
		o.Checks = checks.All()
	}
	res, err := engine.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := report.Build(t.Context(), res, "test")
	if err != nil {
		t.Fatal(err)
	}
	return res, doc
}

func ios(host, body string) string {
	return "version 15.2\n!\nhostname " + host + "\n!\ninterface GigabitEthernet0/1\n ip address 10.1.1.1 255.255.255.0\n!\n" + body + "logging host 10.0.0.30\nend\n"
}

// asaLog is n sessions, half of their records in another order than they happened.
func asaLog(r *rand.Rand, n int) []string {
	var lines []string
	for i := range n {
		at := judged.Add(-time.Duration(r.IntN(86400)) * time.Second)
		stamp, later := at.Format("Jan 02 2006 15:04:05"), at.Add(5*time.Second).Format("Jan 02 2006 15:04:05")
		ends := fmt.Sprintf("outside:203.0.113.%d/21", 1+r.IntN(3))
		in := fmt.Sprintf("inside:10.3.0.%d/%d", 1+r.IntN(4), 40000+i)
		lines = append(lines,
			fmt.Sprintf("%s fw1 : %%ASA-6-302013: Built outbound TCP connection %d for %s (203.0.113.9/21) to %s (198.51.100.6/1)", stamp, i, ends, in),
			fmt.Sprintf("%s fw1 : %%ASA-6-302014: Teardown TCP connection %d for %s to %s duration 0:00:05 bytes %d TCP FINs", later, i, ends, in, 5000+r.IntN(9000)))
	}
	return lines
}

// TestSameBytes: order of paths, number of workers, whether facts are kept or read again, and how a log is cut into files
// change nothing in the findings.
func TestSameBytes(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	lines := asaLog(r, 200)
	files := map[string]string{"log/all.log": strings.Join(lines, "\n") + "\n"}
	for i := range 20 {
		files[fmt.Sprintf("cfg/sw%02d.cfg", i)] = ios(fmt.Sprintf("sw%02d", i), fmt.Sprintf("tftp-server flash:image%d.bin\nsnmp-server community c%d RW\n", i, i))
	}
	dir := folder(t, files)
	paths := []string{filepath.Join(dir, "cfg"), filepath.Join(dir, "log")}
	text := func(o engine.Options, paths ...string) string {
		_, doc := run(t, o, paths...)
		var b bytes.Buffer
		if err := report.JSON(&b, doc); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	want := text(engine.Options{Jobs: 1}, paths...)
	if n := strings.Count(want, `"check": "QM3102"`); n < 5 {
		t.Fatalf("%d pairs outside", n)
	}
	for name, got := range map[string]string{
		"paths in another order": text(engine.Options{Jobs: 4}, paths[1], paths[0]),
		"facts read again":       text(engine.Options{Jobs: 3, KeepBytes: 1}, paths...),
		"tallies spilled":        text(engine.Options{Jobs: 2, TallyBytes: 4096}, paths...),
	} {
		if got != want {
			t.Errorf("%s: other bytes", name)
		}
	}
	// the same records in three files and any order: the same findings, apart from where they were read
	r.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	cut := folder(t, map[string]string{
		"a.log": strings.Join(lines[:100], "\n") + "\n", "b.log": strings.Join(lines[100:250], "\n") + "\n", "c.log": strings.Join(lines[250:], "\n") + "\n",
	})
	said := func(dir string) (out []string) {
		_, doc := run(t, engine.Options{}, dir)
		for _, f := range doc.Findings {
			out = append(out, f.Fingerprint+" "+f.Message+fmt.Sprint(f.Time))
		}
		return out
	}
	if a, b := said(filepath.Join(dir, "log")), said(cut); !slices.Equal(a, b) {
		t.Errorf("cut and shuffled, other findings:\n%s\n%s", strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
}

// TestOneHostname: two whole configurations that share a hostname stay two devices; an inventory may say they are one.
func TestOneHostname(t *testing.T) {
	dir := folder(t, map[string]string{"a/switch.cfg": ios("Switch", "tftp-server flash:a.bin\n"), "b/switch.cfg": ios("Switch", "tftp-server flash:b.bin\n")})
	_, doc := run(t, engine.Options{}, dir)
	if len(doc.Devices) != 2 || doc.Devices[0].ID == doc.Devices[1].ID {
		t.Errorf("devices %+v", doc.Devices)
	}
	for _, file := range []string{"a.bin", "b.bin"} {
		if !slices.ContainsFunc(doc.Findings, func(f report.Finding) bool { return f.Check == "QM1001" && strings.Contains(f.Message, file) }) {
			t.Errorf("the TFTP server of %s is not found", file)
		}
	}
	inv, err := inventory.Parse("inv.yaml", []byte("version: 1\ndevices: [{name: Switch, address: 10.1.1.1, collector: none}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, doc = run(t, engine.Options{Inventory: inv}, dir); len(doc.Devices) != 1 || doc.Devices[0].ID != "Switch" {
		t.Errorf("with an inventory: %+v", doc.Devices)
	}
	if !slices.ContainsFunc(doc.Notes, func(n report.Note) bool { return strings.Contains(n.Message, "was not judged") }) {
		t.Errorf("the set-aside configuration is not told: %+v", doc.Notes)
	}
}

// TestPanic: a check that panics makes the run incomplete and stops nothing else.
func TestPanic(t *testing.T) {
	broken := &audit.Check{ID: "QM9999", Slug: "broken", Title: "Broken", Device: func(_ *audit.Pass, d *facts.Device) {
		var none *facts.Filter
		_ = none.Rules[len(d.ID)]
	}}
	dir := folder(t, map[string]string{"sw.cfg": ios("sw", "tftp-server flash:a.bin\n")})
	res, doc := run(t, engine.Options{Checks: append(checks.All(), broken), FailNone: true}, dir)
	if res.Exit != audit.ExitIncomplete || len(doc.Findings) == 0 {
		t.Errorf("exit %d, %d findings", res.Exit, len(doc.Findings))
	}
	if len(doc.Incomplete) != 1 || !strings.Contains(doc.Incomplete[0].Message, "QM9999 panicked on sw") || strings.Contains(doc.Incomplete[0].Message, "0x") {
		t.Errorf("incomplete %+v", doc.Incomplete)
	}
}

// TestIncomplete is what makes a run incomplete, one by one.
func TestIncomplete(t *testing.T) {
	acl := func(line string) string {
		return "interface Vlan7\n ip address 10.7.0.1 255.255.255.0\n ip access-group X in\n!\nip access-list extended X\n " + line + "\n deny ip any any\n!\n"
	}
	old := judged.Add(-40 * 24 * time.Hour)
	for _, c := range []struct {
		name, policy string
		files        map[string]string
		want         string // in the reason; empty: complete
	}{
		{"clean", "", map[string]string{"a.cfg": ios("a", "")}, ""},
		{"unknown text", "", map[string]string{"a.cfg": ios("a", ""), "b.txt": "some prose\nthat is no evidence\n"}, "no known format"},
		{"unknown text, ignored", "ignore: ['*.txt']\n", map[string]string{"a.cfg": ios("a", ""), "b.txt": "some prose\nthat is no evidence\n"}, ""},
		{"cut configuration", "", map[string]string{"a.cfg": strings.TrimSuffix(ios("a", ""), "end\n")}, "may be cut short"},
		{"unread line in an applied filter", "", map[string]string{"a.cfg": ios("a", acl("permit tcp any any eq 445 frobnicate"))}, "verdict on"},
		{"unread line that decides nothing", "", map[string]string{"a.cfg": ios("a", acl("deny tcp any any eq 445 dscp ef"))}, ""},
		{"required and absent", "required: [{evidence: esxi-state}]\n", map[string]string{"a.cfg": ios("a", "")}, `required evidence "esxi-state" is absent`},
		{"required and stale", "required: [{evidence: config, max_age: 30d}]\n", map[string]string{"a.cfg": ios("a", "")}, "older than 30 days"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, c.files)
			o := engine.Options{FailNone: true}
			if c.policy != "" {
				p, err := policy.Parse("p.yaml", []byte(c.policy), nil)
				if err != nil {
					t.Fatal(err)
				}
				o.Policy = p
			}
			if strings.Contains(c.name, "stale") {
				if err := os.Chtimes(filepath.Join(dir, "a.cfg"), old, old); err != nil {
					t.Fatal(err)
				}
			}
			set, err := evidence.Open(t.Context(), evidence.Options{Ignore: ignored(o.Policy)}, dir)
			if err != nil {
				t.Fatal(err)
			}
			defer set.Close()
			o.Set, o.Now, o.Checks, o.TempDir = set, judged, checks.All(), t.TempDir()
			res, err := engine.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			wantExit := audit.ExitClean
			if c.want != "" {
				wantExit = audit.ExitIncomplete
			}
			if res.Exit != wantExit || c.want != "" && !slices.ContainsFunc(res.Incomplete, func(r audit.Reason) bool { return strings.Contains(r.Message, c.want) }) {
				t.Errorf("exit %d, want %d; incomplete %+v", res.Exit, wantExit, res.Incomplete)
			}
		})
	}
}

func ignored(p *policy.Policy) []string {
	if p == nil {
		return nil
	}
	return p.Ignore
}

// TestWindow: --since and --until leave out what happened elsewhere in time.
func TestWindow(t *testing.T) {
	dir := folder(t, map[string]string{"fw.log": strings.Join(asaLog(rand.New(rand.NewPCG(1, 1)), 20), "\n") + "\n"})
	count := func(o engine.Options) int {
		_, doc := run(t, o, dir)
		return len(doc.Findings)
	}
	if all, none := count(engine.Options{}), count(engine.Options{Since: judged.Add(time.Hour)}); all == 0 || none != 0 {
		t.Errorf("%d findings, %d of a time when nothing happened", all, none)
	}
	if n := count(engine.Options{Until: judged.Add(-48 * time.Hour)}); n != 0 {
		t.Errorf("%d findings before anything happened", n)
	}
}
