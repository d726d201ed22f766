package policy

import (
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/quaymaster/quaymaster/facts"
)

func demo(t *testing.T) *Policy {
	t.Helper()
	src, err := os.ReadFile("../fixtures/demo/policy/policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := Parse("policy.yaml", src, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestZone(t *testing.T) {
	p := demo(t)
	for addr, want := range map[string]string{
		"10.10.0.11": "management", "10.20.255.1": "users", "198.51.100.99": "partner-drop", "198.51.100.98": "outside", "2001:db8::1": "outside",
		"::ffff:10.30.0.9": "servers",
	} {
		if got := p.Zone(netip.MustParseAddr(addr)).Name; got != want {
			t.Errorf("%s is in %q, want %q", addr, got, want)
		}
	}
	b := Builtin()
	if b.Zone(netip.MustParseAddr("192.168.1.1")).Trust != Internal || b.Zone(netip.MustParseAddr("203.0.113.1")).Trust != External {
		t.Error("the built-in zones are wrong")
	}
}

func TestMatch(t *testing.T) {
	p := demo(t)
	x := func(change func(*facts.Transfer)) *facts.Transfer {
		at := time.Date(2026, 11, 24, 3, 0, 5, 0, time.UTC)
		y := &facts.Transfer{
			Time: facts.Stamp{Unix: at.Unix(), Quality: facts.Exact}, Client: netip.MustParseAddr("10.30.0.15"), Server: netip.MustParseAddr("198.51.100.99"),
			Protocol: facts.FTP, Op: facts.OpPut, File: "out/manifest-20261123.csv", Out: 51120, In: facts.Absent, Total: facts.Absent,
		}
		change(y)
		return y
	}
	for _, c := range []struct {
		name   string
		change func(*facts.Transfer)
		want   []string // nil: approved
		none   bool
	}{
		{"everything matches", func(*facts.Transfer) {}, nil, false},
		{"too late", func(y *facts.Transfer) { y.Time.Unix += 3 * 3600 }, []string{"window"}, false},
		{"too much", func(y *facts.Transfer) { y.Out = 11_000_000 }, []string{"size"}, false},
		{"another file, downloaded", func(y *facts.Transfer) { y.File, y.Op = "x.zip", facts.OpGet }, []string{"direction", "file"}, false},
		{"from a user", func(y *facts.Transfer) { y.Client = netip.MustParseAddr("10.20.0.4") }, []string{"source"}, false},
		{"expired", func(y *facts.Transfer) { y.Time.Unix += 365 * 86400 }, []string{"dates"}, false},
		{"elsewhere by another protocol", func(y *facts.Transfer) { y.Server, y.Protocol = netip.MustParseAddr("203.0.113.1"), facts.TFTP }, nil, true},
	} {
		w, near := p.Match(x(c.change))
		switch {
		case c.none:
			if w != nil || near != nil {
				t.Errorf("%s: %v %v", c.name, w, near)
			}
		case c.want == nil:
			if w == nil {
				t.Errorf("%s: near miss %v", c.name, near)
			}
		default:
			if w != nil || near == nil {
				t.Fatalf("%s: %v %v", c.name, w, near)
			}
			if diff := cmp.Diff(c.want, near.Differs); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.name, diff)
			}
		}
	}
}

func TestWindow(t *testing.T) {
	vienna, err := time.LoadLocation("Europe/Vienna")
	if err != nil {
		t.Skip("needs the IANA time zone database: ", err)
	}
	night := Window{Days: 1 << time.Friday, From: 22 * 60, To: 4 * 60, Zone: vienna}
	for at, want := range map[string]bool{
		"2026-11-27T21:30:00Z": true,  // Friday 22:30 in Vienna
		"2026-11-28T02:59:00Z": true,  // Saturday 03:59, the night of Friday
		"2026-11-28T03:00:00Z": false, // 04:00
		"2026-11-27T02:00:00Z": false, // Friday 03:00 is the night of Thursday
	} {
		x, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := night.Holds(x); got != want {
			t.Errorf("%s: %v, want %v", at, got, want)
		}
	}
}

func TestMistakes(t *testing.T) {
	src := `zones:
  users: {cidrs: [10.20.0.1/16], trust: interal}
  dup: {cidrs: [10.30.0.0/24]}
  dup2: {cidrs: [10.30.0.0/24]}
workflows:
  - {id: W, owner: a, approver: a, ticket: T, reason: r, expires: 2026-01-01, starts: 2027-01-01, protocol: fpt, from: user, to: 198.51.100.1}
exceptions:
  - {id: X, check: QM1001, owner: a, approver: b, ticket: T, reason: r, expires: never}
required: [{evidence: netflow}]
thresholds: {AN1173: {OutboundDataRateTreshold: 100MB}, AN1: {}}
zonez: {}
`
	_, err := Parse("p.yaml", []byte(src), nil)
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`p.yaml:2:19: "cidrs": "10.20.0.1/16" has host bits set`, `"trust" must be one of internal, partner, external: did you mean "internal"?`,
		"10.30.0.0/24 is in zone \"dup\" too", "approved by its own owner", "ends before it starts", `did you mean "ftp"?`,
		`"user" is no zone, role, device of the inventory, or network: did you mean "users"?`, "accepts every finding of its check",
		`"never" is no date`, `"evidence" must be one of`, `did you mean "OutboundDataRateThreshold"?`, `unknown key "AN1"`, `did you mean "zones"?`,
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error lacks %q", want)
		}
	}
	if t.Failed() {
		t.Log(err)
	}
}

func TestCovers(t *testing.T) {
	x := Exception{Check: "QM1105", Device: "core-*", Subject: "archive*"}
	for _, c := range []struct {
		id, slug, device, subject string
		want                      bool
	}{
		{"QM1105", "s", "core-sw-01", "archive ftp://10.0.0.1/", true},
		{"QM1105", "s", "edge", "archive", false},
		{"QM1001", "QM1105", "core-1", "archive", true},
		{"QM1001", "s", "core-1", "archive", false},
	} {
		if got := x.Covers(c.id, c.slug, c.device, c.subject, "f"); got != c.want {
			t.Errorf("%v: %v", c, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("zones: {a: {cidrs: [10.0.0.0/8]}}\nworkflows: [{id: x}]\n")
	f.Fuzz(func(_ *testing.T, src string) { _, _ = Parse("p", []byte(src), nil) })
}
