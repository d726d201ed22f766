package report

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"github.com/quaymaster/quaymaster/report/internal/sarif"
)

// SARIFOptions say for whom the file is.
type SARIFOptions struct {
	// GitHub keeps to what code scanning reads and its limits: at most 5,000 results, gravest first, no suppressed ones,
	// and one result a line and rule.
	GitHub bool
	// Semantic puts our fingerprint in primaryLocationLineHash instead of the CodeQL line hash, so that alerts survive
	// edits of the lines below; uploads through codeql-action then log a warning for each result.
	Semantic bool
}

// home is where the project is described.
const home = "https://github.com/quaymaster/quaymaster"

// githubResults is how many results of a run code scanning keeps (github/docs sarif-limits).
const githubResults = 5000

// SARIF writes d as SARIF 2.1.0 (OASIS). A finding without a file is anchored on the first input, since readers drop
// results that have no physical location.
func SARIF(w io.Writer, d *Doc, o SARIFOptions) error {
	return writeJSON(w, sarifLog(d, o), false)
}

func sarifLog(d *Doc, o SARIFOptions) *sarif.Log {
	b := &sarifBuilder{d: d, o: o, rule: map[string]int{}, artifact: map[string]int{}, logical: map[string]int{}}
	run := &sarif.Run{
		Tool:       sarif.Tool{Driver: b.driver()},
		ColumnKind: "unicodeCodePoints",
		AutomationDetails: &sarif.AutomationDetails{
			ID: "quaymaster/audit/" + d.Now,
		},
		OriginalURIBaseIDs: map[string]sarif.ArtifactLocation{"SRCROOT": {Description: &sarif.Message{Text: "The folder the audit was started in."}}},
		RedactionTokens:    []string{Redacted},
		Taxonomies:         []sarif.ToolComponent{b.attack()},
	}
	if o.GitHub {
		run.Results = sarif.Some(b.githubResults())
	} else {
		run.Results = b // made while it is written
		for i := range d.Findings {
			b.result(&d.Findings[i]) // numbers the artifacts and logical locations, which come first
		}
	}
	run.Artifacts = b.artifacts
	run.LogicalLocations = b.logicals
	run.Invocations = []sarif.Invocation{b.invocation()}
	return &sarif.Log{Schema: "https://json.schemastore.org/sarif-2.1.0.json", Version: "2.1.0", Runs: []*sarif.Run{run}}
}

type sarifBuilder struct {
	d         *Doc
	o         SARIFOptions
	rule      map[string]int
	artifact  map[string]int
	artifacts []sarif.Artifact
	logical   map[string]int
	logicals  []sarif.LogicalLocation
	cut       int // results left out at GitHub's limit
}

// level and score of a severity: cut points as GitHub documents them, away from the borders.
func sarifLevel(severity string) string {
	switch severity {
	case "critical", "high":
		return "error"
	case "medium":
		return "warning"
	}
	return "note"
}

func securitySeverity(severity string) string {
	switch severity {
	case "critical":
		return "9.5"
	case "high":
		return "8.0"
	case "medium":
		return "5.5"
	case "low":
		return "2.0"
	}
	return "0.5"
}

// pascal makes a SARIF rule name of a slug: svc-tftp-server is SvcTftpServer (SARIF2012).
func pascal(slug string) string {
	var b strings.Builder
	up := true
	for _, r := range slug {
		if r == '-' || r == '_' {
			up = true
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		up = false
		b.WriteRune(r)
	}
	return b.String()
}

func sentence(s string) string {
	s = strings.TrimSpace(s)
	if s != "" && !strings.HasSuffix(s, ".") {
		s += "."
	}
	return s
}

// clipRunes keeps a text within GitHub's 1,024 characters.
func clipRunes(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-3]) + "..."
}

func (b *sarifBuilder) driver() sarif.ToolComponent {
	t := sarif.ToolComponent{Name: b.d.Tool.Name, FullName: b.d.Tool.Name + " " + b.d.Tool.Version, Version: b.d.Tool.Version, InformationURI: home, Rules: []sarif.Rule{}}
	for i, c := range b.d.Checks {
		b.rule[c.ID] = i
		r := sarif.Rule{
			ID: c.ID, Name: pascal(c.Slug),
			ShortDescription:     &sarif.Message{Text: clipRunes(sentence(c.Title), 1024)},
			FullDescription:      &sarif.Message{Text: clipRunes(sentence(firstParagraph(c.Doc, c.Title)), 1024)},
			MessageStrings:       map[string]sarif.Message{"default": {Text: "{0}."}},
			HelpURI:              home + "/blob/main/docs/checks/" + c.ID + ".md",
			DefaultConfiguration: &sarif.Configuration{Level: sarifLevel(c.Severity)},
			Help:                 &sarif.Message{Text: plain(c), Markdown: c.Doc + fixesMarkdown(c)},
			Properties: map[string]any{
				"tags":              b.tags(c),
				"precision":         "high",
				"security-severity": securitySeverity(c.Severity),
			},
		}
		for _, a := range c.Attack {
			r.Relationships = append(r.Relationships, sarif.Relationship{
				Target: sarif.Reference{ID: a, ToolComponent: &sarif.ComponentReference{Name: "MITRE ATT&CK", Index: 0}},
				Kinds:  []string{"relevant"},
			})
		}
		t.Rules = append(t.Rules, r)
	}
	return t
}

// tags: GitHub keeps ten of at most twenty.
func (b *sarifBuilder) tags(c Check) []string {
	tags := []string{"security", "network"}
	for _, a := range c.Attack {
		tags = append(tags, "external/mitre-attack/"+a)
	}
	tags = append(tags, c.Analytics...)
	return tags[:min(len(tags), 10)]
}

func firstParagraph(doc, title string) string {
	for p := range strings.SplitSeq(doc, "\n\n") {
		p = strings.TrimSpace(p)
		if p != "" && !strings.HasPrefix(p, "#") {
			return strings.Join(strings.Fields(p), " ")
		}
	}
	return title
}

func plain(c Check) string {
	return sentence(firstParagraph(c.Doc, c.Title)) + " quaymaster explain " + c.ID + " says more."
}

func fixesMarkdown(c Check) string {
	if len(c.Fixes) == 0 {
		return ""
	}
	var b strings.Builder
	b.WriteString("\n\n## Fix\n")
	for _, p := range sortedKeys(c.Fixes) {
		fmt.Fprintf(&b, "\n%s\n\n```\n%s\n```\n", cmp.Or(p, "any platform"), c.Fixes[p])
	}
	return b.String()
}

func (b *sarifBuilder) attack() sarif.ToolComponent {
	t := sarif.ToolComponent{
		Name: "MITRE ATT&CK", Version: "18.1", Organization: "MITRE", InformationURI: "https://attack.mitre.org/",
		ShortDescription: &sarif.Message{Text: "MITRE ATT&CK Enterprise."},
	}
	var ids []string
	for _, c := range b.d.Checks {
		ids = append(ids, c.Attack...)
	}
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		t.Taxa = append(t.Taxa, sarif.Taxon{ID: id, HelpURI: "https://attack.mitre.org/techniques/" + strings.ReplaceAll(id, ".", "/") + "/"})
	}
	return t
}

// Each makes every result, one at a time.
func (b *sarifBuilder) Each(yield func(any) error) error {
	for i := range b.d.Findings {
		r := b.result(&b.d.Findings[i])
		if err := yield(&r); err != nil {
			return err
		}
	}
	return nil
}

// githubResults are those code scanning keeps: one for each rule and line.
func (b *sarifBuilder) githubResults() []sarif.Result {
	out := []sarif.Result{}
	lines := map[string]int{} // rule and line to result
	for i := range b.d.Findings {
		f := &b.d.Findings[i]
		if f.State == "accepted" {
			continue
		}
		r := b.result(f)
		at := r.Locations[0].PhysicalLocation
		key := fmt.Sprintf("%s %s:%d", f.Check, at.ArtifactLocation.URI, at.Region.StartLine)
		if have, ok := lines[key]; ok {
			out[have].Message.Text += " " + r.Message.Text
			out[have].Message.Arguments = []string{strings.TrimSuffix(out[have].Message.Text, ".")}
			continue
		}
		if len(out) == githubResults {
			b.cut++
			continue
		}
		lines[key] = len(out)
		out = append(out, r)
	}
	return out
}

func (b *sarifBuilder) result(f *Finding) sarif.Result {
	text := sentence(f.Message)
	r := sarif.Result{
		RuleID: f.Check, RuleIndex: b.rule[f.Check], Level: sarifLevel(f.Severity), Kind: "fail",
		Message:             sarif.Message{ID: "default", Arguments: []string{strings.TrimSuffix(text, ".")}, Text: text},
		PartialFingerprints: map[string]string{"quaymasterFinding/v1": f.Fingerprint},
		Properties:          b.properties(f),
	}
	if f.State == "known" {
		r.BaselineState = "unchanged"
	} else {
		r.BaselineState = "new"
	}
	hash := f.LineHash
	if b.o.Semantic || hash == "" {
		hash = f.Fingerprint[:min(16, len(f.Fingerprint))] + ":1"
	}
	r.PartialFingerprints["primaryLocationLineHash"] = hash
	logical := b.logicalOf(f)
	for i, s := range f.Spans {
		p := b.physical(s)
		if i == 0 {
			r.Locations = append(r.Locations, sarif.Location{PhysicalLocation: p, LogicalLocations: logical})
			continue
		}
		r.RelatedLocations = append(r.RelatedLocations, sarif.Location{ID: i, PhysicalLocation: p, Message: &sarif.Message{Text: sentence(cmp.Or(s.Role, "see also"))}})
	}
	if len(r.Locations) == 0 {
		r.Locations = []sarif.Location{{PhysicalLocation: b.anchor(), LogicalLocations: logical}}
	}
	if f.Accepted != nil {
		r.Suppressions = []sarif.Suppression{b.suppression(f.Accepted)}
	}
	return r
}

func (b *sarifBuilder) suppression(a *Accepted) sarif.Suppression {
	s := sarif.Suppression{
		Kind: "external", Status: "accepted",
		Justification: fmt.Sprintf("%s Accepted by %s, owner %s, ticket %s, until %s.", sentence(a.Reason), a.By, a.Owner, a.Ticket, a.Expires),
		Properties:    map[string]any{"owner": a.Owner, "ticket": a.Ticket, "expires": a.Expires},
	}
	if a.Path != "" && a.Line > 0 {
		s.Location = &sarif.Location{PhysicalLocation: &sarif.PhysicalLocation{
			ArtifactLocation: sarif.ArtifactLocation{URI: uri(a.Path)},
			Region:           &sarif.Region{StartLine: a.Line, StartColumn: 1, EndLine: a.Line, EndColumn: 2},
		}}
	}
	return s
}

func (b *sarifBuilder) properties(f *Finding) map[string]any {
	p := map[string]any{
		"device": f.Device, "severity": f.Severity, "confidence": f.Confidence, "state": f.State,
		"security-severity": securitySeverity(f.Severity), "subject": f.Subject.Kind + " " + f.Subject.Name,
	}
	if f.Platform != "" {
		p["platform"] = f.Platform
	}
	if f.Fix != "" {
		p["remediation"] = f.Fix
	}
	for k, v := range f.Evidence {
		p["evidence/"+k] = v
	}
	return p
}

// uri is a path as a relative reference (RFC 3986): device and file names may hold anything.
func uri(path string) string {
	path = strings.TrimPrefix(path, "./")
	u := url.URL{Path: path}
	return strings.TrimPrefix(u.EscapedPath(), "/")
}

func (b *sarifBuilder) location(path string) sarif.ArtifactLocation {
	i, ok := b.artifact[path]
	if !ok {
		i = len(b.artifacts)
		b.artifact[path] = i
		a := sarif.Artifact{Location: sarif.ArtifactLocation{URI: uri(path), URIBaseID: "SRCROOT"}, Roles: []string{"analysisTarget"}}
		if k := slices.IndexFunc(b.d.Inputs, func(in Input) bool { return in.Path == path }); k >= 0 && b.d.Inputs[k].SHA256 != "" {
			a.Hashes = map[string]string{"sha-256": b.d.Inputs[k].SHA256}
		}
		b.artifacts = append(b.artifacts, a)
	}
	return sarif.ArtifactLocation{URI: uri(path), URIBaseID: "SRCROOT", Index: &i}
}

func (b *sarifBuilder) physical(s Span) *sarif.PhysicalLocation {
	first, _, _ := strings.Cut(s.Text, "\n")
	return &sarif.PhysicalLocation{
		ArtifactLocation: b.location(s.Path),
		Region: &sarif.Region{
			StartLine: s.Line, StartColumn: s.Column, EndLine: s.EndLine, EndColumn: s.EndColumn,
			Snippet: &sarif.Message{Text: visible(strings.TrimSpace(first))},
		},
		ContextRegion: &sarif.Region{StartLine: s.Line, EndLine: s.EndLine, Snippet: &sarif.Message{Text: visible(s.Text)}},
	}
}

// visible replaces what a viewer could be steered by.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if !unicode.IsPrint(r) {
			return '\ufffd'
		}
		return r
	}, s)
}

// anchor is where a finding without a file is shown: the first input.
func (b *sarifBuilder) anchor() *sarif.PhysicalLocation {
	path := "quaymaster"
	if len(b.d.Inputs) > 0 {
		path = b.d.Inputs[0].Path
	}
	return &sarif.PhysicalLocation{
		ArtifactLocation: b.location(path),
		Region:           &sarif.Region{StartLine: 1, StartColumn: 1, EndLine: 1, EndColumn: 2},
	}
}

// logicalOf names the device and the subject as logical locations.
func (b *sarifBuilder) logicalOf(f *Finding) []sarif.LogicalRef {
	if f.Device == "" {
		return nil
	}
	device := b.logicalIndex(f.Device, f.Device, "device", -1)
	full := f.Device + "/" + f.Subject.Kind + "/" + f.Subject.Name
	if f.Subject.Name == f.Device {
		return []sarif.LogicalRef{{Index: device, FullyQualifiedName: f.Device}}
	}
	return []sarif.LogicalRef{{Index: b.logicalIndex(full, f.Subject.Name, f.Subject.Kind, device), FullyQualifiedName: full}}
}

func (b *sarifBuilder) logicalIndex(full, name, kind string, parent int) int {
	if i, ok := b.logical[full]; ok {
		return i
	}
	i := len(b.logicals)
	b.logical[full] = i
	l := sarif.LogicalLocation{Name: name, FullyQualifiedName: full, Kind: kind, Index: i}
	if parent >= 0 {
		l.ParentIndex = &parent
	}
	b.logicals = append(b.logicals, l)
	return i
}

func (b *sarifBuilder) invocation() sarif.Invocation {
	inv := sarif.Invocation{ExecutionSuccessful: b.d.Complete, ExitCode: b.d.Exit, EndTimeUTC: b.d.Now}
	note := func(level, text string) {
		inv.Notifications = append(inv.Notifications, sarif.Notification{Level: level, Message: sarif.Message{Text: sentence(visible(text))}})
	}
	for _, r := range b.d.Incomplete {
		note("error", place(r.Path, r.Line)+r.Message)
	}
	missing := map[string]bool{}
	for _, g := range b.d.NotEvaluated {
		text := fmt.Sprintf("%s was not evaluated on '%s': %s", g.Check, cmp.Or(g.Device, "any device"), g.Missing)
		if !missing[text] {
			missing[text] = true
			note("note", text)
		}
	}
	if b.cut > 0 {
		note("warning", fmt.Sprintf("%d results beyond GitHub's limit of %d were left out, the mildest first", b.cut, githubResults))
	}
	return inv
}
