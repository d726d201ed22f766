package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flag.Bool("update", false, "rewrite golden files")

// hostile is what a device may write anywhere.
const hostile = "x\x1b[31m\r::error::pwned\u202e<script>alert(1)</script>=cmd()"

// sample is a document with every kind of thing in it.
func sample() *Doc {
	return &Doc{
		Version: Version, Tool: Tool{"quaymaster", "1.2.3"}, Complete: false, Exit: 1, Now: "2026-11-24T08:00:00Z",
		Summary:    Summary{FailOn: "high", Failing: 2, BySeverity: map[string]int{"critical": 1, "low": 1}, ByState: map[string]int{"new": 2, "accepted": 1}, Devices: 2, Files: 2, Lines: Lines{90, 8, 1, 1}, ChecksAsked: 19, NotEvaluated: 1},
		Incomplete: []Reason{{Path: "configs/b.cfg", Line: 4, Message: "the file is cut: " + hostile, Hint: "collect again"}},
		Inputs: []Input{
			{Path: "configs/a b#1.cfg", SHA256: strings.Repeat("ab", 32), Format: "cisco-ios-config", Confidence: 100, Lines: Lines{90, 8, 1, 1}},
			{Path: "configs/b.cfg", SHA256: strings.Repeat("cd", 32), Format: "unknown", Problem: "cut"},
		},
		Devices: []Device{{ID: "sw1", Platform: "cisco_ios", Evidence: []string{"config"}, Paths: []string{"configs/a b#1.cfg"}, Services: []Service{{"tftp", "tftp-server", "true", "explicit", ""}}}},
		Checks: []Check{{
			ID: "QM1001", Slug: "svc-tftp-server", Title: "TFTP server enabled on a device", Doc: "# What\n\nA device serves files by TFTP.\n", Severity: "high",
			Attack: []string{"T1105", "T1602.002"}, Analytics: []string{"AN1173"}, Controls: []string{"CM-7"}, Fixes: map[string]string{"cisco_ios": "no tftp-server <file>"},
		}},
		Findings: []Finding{
			{
				ID: "F-0123456789", Fingerprint: "0123456789abcdef0123456789abcdef", Check: "QM1001", Variant: 1, Slug: "svc-tftp-server", Severity: "critical", Confidence: "high", State: "new",
				Device: "sw1", Platform: "cisco_ios", Subject: Subject{"service", "tftp-server nvram:startup-config"}, Message: "sw1 serves 'nvram:startup-config' by TFTP to anyone",
				Spans: []Span{
					{"configs/a b#1.cfg", 12, 1, 12, 35, "tftp-server nvram:startup-config", ""},
					{"configs/a b#1.cfg", 40, 2, 41, 5, " ip address 10.0.0.1 255.0.0.0\n ip access-group X in", "applied here"},
				},
				Evidence: map[string]string{"client": "anyone"}, Attack: []string{"T1105"}, Controls: []string{"CM-7"}, Fix: "no tftp-server nvram:startup-config\ncopy running-config startup-config", LineHash: "39fa2ee980eb94b0:1",
			},
			{
				ID: "F-fedcba9876", Fingerprint: "fedcba9876543210fedcba9876543210", Check: "QM1001", Slug: "svc-tftp-server", Severity: "low", Confidence: "medium", State: "new",
				Device: "sw1", Subject: Subject{"service", hostile}, Message: "sw1 says " + hostile, Time: &Time{"2026-11-24T02:11:31Z", "2026-11-24T02:13:00Z"},
				Spans:    []Span{{"configs/a b#1.cfg", 13, 1, 13, 20, "description " + hostile, ""}, {"configs/a b#1.cfg", 14, 1, 14, 30, " ip ftp password [redacted]", "password here"}},
				Evidence: map[string]string{}, Attack: []string{}, Controls: []string{},
			},
			{
				ID: "F-aaaaaaaaaa", Fingerprint: strings.Repeat("a", 32), Check: "QM1001", Slug: "svc-tftp-server", Severity: "high", Confidence: "high", State: "accepted",
				Device: "", Subject: Subject{"pair", "10.0.0.1 > 203.0.113.1"}, Message: "nothing in a file", Spans: []Span{}, Evidence: map[string]string{}, Attack: []string{}, Controls: []string{},
				Accepted: &Accepted{ID: "EX-1", By: "ciso", Owner: "netops", Ticket: "CHG-1", Reason: "because", Expires: "2027-01-31", Path: "policy.yaml", Line: 8},
			},
		},
		NotEvaluated: []NotEvaluated{{"QM3101", "", "AN1173", "no profile of earlier weeks was given"}},
		Cases:        []struct{}{}, History: []struct{}{},
		Notes: []Note{{Kind: "unread", Path: "configs/b.cfg", Line: 3, Message: "lines without a header", Count: 4}},
	}
}

// golden compares with a file below testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

func TestGoldenText(t *testing.T) {
	for name, o := range map[string]TextOptions{
		"text.txt": {}, "ascii.txt": {ASCII: true, Verbose: true}, "color.txt": {Color: true}, "quiet.txt": {Quiet: true}, "narrow.txt": {Width: 60},
	} {
		var b bytes.Buffer
		if err := Text(&b, sample(), o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
		harmless(t, name, b.String(), o.Color)
		if o.ASCII && strings.IndexFunc(b.String(), func(r rune) bool { return r > 0x7e }) >= 0 {
			t.Errorf("%s is not ASCII", name)
		}
	}
}

// harmless fails when device text could steer a terminal.
func harmless(t *testing.T, name, s string, color bool) {
	t.Helper()
	if color {
		for _, code := range []string{"0", "1", "2", "31", "32", "36", "1;31", "1;33", "1;35", "1;36"} {
			s = strings.ReplaceAll(s, "\x1b["+code+"m", "")
		}
	}
	for i, r := range s {
		if r < 0x20 && r != '\n' || r == 0x7f || r >= 0x80 && r < 0xa0 || r == 0x202e {
			t.Errorf("%s: control character %U at byte %d", name, r, i)
		}
	}
	if strings.Contains(s, "\n::error::") {
		t.Errorf("%s: a workflow command begins a line", name)
	}
}

func TestGoldenSARIF(t *testing.T) {
	for name, o := range map[string]SARIFOptions{"out.sarif": {}, "github.sarif": {GitHub: true}} {
		var b bytes.Buffer
		if err := SARIF(&b, sample(), o); err != nil {
			t.Fatal(err)
		}
		golden(t, name, b.Bytes())
		checkSARIF(t, b.Bytes())
	}
}

// checkSARIF holds what GitHub documents and its tools do not check (github/docs sarif-support).
func checkSARIF(t *testing.T, data []byte) {
	t.Helper()
	var log struct {
		Runs []struct {
			Tool struct {
				Driver struct {
					Rules []struct {
						ID         string
						Properties struct {
							Tags     []string
							Severity json.RawMessage `json:"security-severity"`
						}
						Help struct{ Text string }
					}
				}
			}
			Results []struct {
				RuleID    string
				RuleIndex int
				Level     string
				Message   struct{ Text string }
				Locations []struct {
					PhysicalLocation *struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn, EndLine, EndColumn int }
					}
				}
				PartialFingerprints map[string]string
			}
		}
	}
	if err := json.Unmarshal(data, &log); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(data) || len(log.Runs) != 1 {
		t.Fatalf("%d runs", len(log.Runs))
	}
	run := log.Runs[0]
	for _, r := range run.Tool.Driver.Rules {
		if len(r.Properties.Tags) > 10 || len(r.Properties.Severity) == 0 || r.Properties.Severity[0] != '"' || r.Help.Text == "" {
			t.Errorf("rule %s: %+v", r.ID, r)
		}
	}
	seen := map[string]bool{}
	for i, r := range run.Results {
		if r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID || r.Message.Text == "" {
			t.Errorf("result %d: rule %s at %d", i, r.RuleID, r.RuleIndex)
		}
		if len(r.Locations) != 1 || r.Locations[0].PhysicalLocation == nil {
			t.Errorf("result %d has no place in a file", i)
			continue
		}
		p := r.Locations[0].PhysicalLocation
		if p.Region.StartLine < 1 || p.Region.StartColumn < 1 || p.Region.EndLine < p.Region.StartLine || p.Region.EndColumn < 1 {
			t.Errorf("result %d: region %+v", i, p.Region)
		}
		if strings.Contains(p.ArtifactLocation.URI, "://") || strings.ContainsAny(p.ArtifactLocation.URI, " #") || strings.HasPrefix(p.ArtifactLocation.URI, "/") {
			t.Errorf("result %d: uri %q", i, p.ArtifactLocation.URI)
		}
		hash := r.PartialFingerprints["primaryLocationLineHash"]
		own := r.PartialFingerprints["quaymasterFinding/v1"]
		if hash == "" || own == "" || seen[own] {
			t.Errorf("result %d: fingerprints %v", i, r.PartialFingerprints)
		}
		seen[own] = true
	}
}

// TestSARIFSchema validates against the OASIS schema where one is at hand: the multitool's npm package ships it.
func TestSARIFSchema(t *testing.T) {
	path := os.Getenv("QUAYMASTER_SARIF_SCHEMA")
	if path == "" {
		t.Skip("needs the OASIS SARIF 2.1.0 schema: set QUAYMASTER_SARIF_SCHEMA to the sarif-2.1.0.json of npm package @microsoft/sarif-multitool")
	}
	schema := compile(t, path)
	for _, o := range []SARIFOptions{{}, {GitHub: true}, {Semantic: true}} {
		for _, d := range []*Doc{sample(), {Version: Version, Tool: Tool{"quaymaster", "1"}, Now: "2026-11-24T08:00:00Z", Complete: true}} {
			var b bytes.Buffer
			if err := SARIF(&b, d, o); err != nil {
				t.Fatal(err)
			}
			validate(t, schema, b.Bytes())
		}
	}
}

func compile(t *testing.T, path string) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func validate(t *testing.T, s *jsonschema.Schema, data []byte) {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%v", err)
	}
}

func TestJSONSchema(t *testing.T) {
	schema := compile(t, "../docs/formats/json-v1.schema.json")
	var b bytes.Buffer
	if err := JSON(&b, sample()); err != nil {
		t.Fatal(err)
	}
	validate(t, schema, b.Bytes())
	again, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), again); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	var v any
	if err := json.Unmarshal([]byte(strings.Replace(b.String(), `"state": "new"`, `"state": "fine"`, 1)), &v); err != nil {
		t.Fatal(err)
	}
	if schema.Validate(v) == nil {
		t.Error("the schema takes any state")
	}
}

func TestGitHubLimits(t *testing.T) {
	d := sample()
	f := d.Findings[0]
	d.Findings = nil
	for i := range githubResults + 7 {
		g := f
		g.Fingerprint = fmt.Sprintf("%032x", i)
		g.Spans = []Span{{f.Spans[0].Path, i + 1, 1, i + 1, 5, "x", ""}}
		d.Findings = append(d.Findings, g)
	}
	twice := d.Findings[0] // same rule and line: one alert, both messages
	twice.Fingerprint, twice.Message = strings.Repeat("f", 32), "and another"
	d.Findings = append([]Finding{d.Findings[0], twice}, d.Findings[1:]...)
	var b bytes.Buffer
	if err := SARIF(&b, d, SARIFOptions{GitHub: true}); err != nil {
		t.Fatal(err)
	}
	checkSARIF(t, b.Bytes())
	if n := strings.Count(b.String(), `"ruleId"`); n != githubResults {
		t.Errorf("%d results, want %d", n, githubResults)
	}
	if !strings.Contains(b.String(), "7 results beyond GitHub's limit") || !strings.Contains(b.String(), "to anyone. and another.") {
		t.Error("what was left out or joined is not said")
	}
}

// TestLineHashes compares with values of github/codeql-action's own tests (src/fingerprints.test.ts).
func TestLineHashes(t *testing.T) {
	every := func(int) bool { return true }
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"c129715d7a2bc9a3:1"}},
		{"blank lines", "\n\n\n", nil},
		{"indented", " a\nb\n  \t\tc\n d", nil},
	} {
		var got []string
		if err := hashLines(iotest.OneByteReader(strings.NewReader(c.text)), every, func(line int, h string) { got = append(got, fmt.Sprintf("%d %s", line, h)) }); err != nil {
			t.Fatal(err)
		}
		if c.want != nil && (len(got) != 1 || got[0] != "1 "+c.want[0]) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		if n := strings.Count(c.text, "\n") + 1; len(got) != n {
			t.Errorf("%s: %d lines, want %d", c.name, len(got), n)
		}
	}
	// CR LF, and blanks anywhere, change nothing; a change within a hundred characters below does
	hash := func(s string) (out []string) {
		_ = hashLines(strings.NewReader(s), every, func(_ int, h string) { out = append(out, h) })
		return out
	}
	a := hash("one two\nthree\nfour\n")
	if diff := cmp.Diff(a, hash("\tone  two\r\nthree \r\n four\r\n")); diff != "" {
		t.Errorf("CR LF or blanks change a hash:\n%s", diff)
	}
	if b := hash("one two\nthree\nfive\n"); b[0] == a[0] {
		t.Error("an edit two lines below changes nothing")
	}
	// pieces of any size, and characters of any length
	wide := strings.Repeat("interface ä 😀 \xff\n ip address 10.0.0.1\n", 5)
	var cut []string
	if err := hashLines(iotest.OneByteReader(strings.NewReader(wide)), every, func(_ int, h string) { cut = append(cut, h) }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(hash(wide), cut); diff != "" {
		t.Errorf("how the file was read changes a hash:\n%s", diff)
	}
	if c := hash("x\nx\n" + strings.Repeat("y", 200)); c[0] == c[1] {
		t.Error("different windows, one hash")
	}
}
