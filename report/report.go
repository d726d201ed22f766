// Package report renders results. Every renderer is a pure function of json-v1, the [Doc] that [Build] makes out of an
// audit's result: lines, columns and masked excerpts are resolved there, once, so that no renderer opens evidence.
//
// Device text is hostile. In a Doc it is kept as it is (JSON escapes it), apart from secrets, which are replaced by
// [Redacted]; each renderer escapes for its own medium.
package report

import (
	"encoding/json"
	"io"
	"time"
)

// Version is the name of the format; its meaning never changes.
const Version = "json-v1"

// Redacted stands where a secret was.
const Redacted = "[redacted]"

// A Doc is one audit, whole.
type Doc struct {
	Version      string         `json:"version"`
	Tool         Tool           `json:"tool"`
	Complete     bool           `json:"complete"`
	Exit         int            `json:"exit"`
	Now          string         `json:"now"` // RFC 3339, UTC
	Summary      Summary        `json:"summary"`
	Incomplete   []Reason       `json:"incomplete"`
	Inputs       []Input        `json:"inputs"`
	Devices      []Device       `json:"devices"`
	Checks       []Check        `json:"checks"` // those with findings
	Findings     []Finding      `json:"findings"`
	NotEvaluated []NotEvaluated `json:"not_evaluated"`
	Cases        []struct{}     `json:"cases"`
	Notes        []Note         `json:"notes"`
	History      []struct{}     `json:"history"`
}

// A Tool is the program that made the document.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// A Summary counts what the rest lists.
type Summary struct {
	FailOn       string         `json:"fail_on"`
	Failing      int            `json:"failing"`
	BySeverity   map[string]int `json:"by_severity"` // new and reopened findings
	ByState      map[string]int `json:"by_state"`
	Devices      int            `json:"devices"`
	Files        int            `json:"files"`
	Lines        Lines          `json:"lines"`
	ChecksAsked  int            `json:"checks_asked"`
	NotEvaluated int            `json:"not_evaluated"`
}

// A Reason makes the document incomplete.
type Reason struct {
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Device  string `json:"device,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// An Input is one file of evidence.
type Input struct {
	Path       string `json:"path"`
	SHA256     string `json:"sha256,omitempty"`
	Format     string `json:"format"` // "unknown" when none fits
	Confidence int    `json:"confidence"`
	Lines      Lines  `json:"lines"`
	Problem    string `json:"problem,omitempty"`
}

// Lines counts configuration lines by how they are accounted for.
type Lines struct {
	Understood   int `json:"understood"`
	Irrelevant   int `json:"irrelevant"`
	Unsupported  int `json:"unsupported"`
	Unrecognised int `json:"unrecognised"`
}

// A Device is one box.
type Device struct {
	ID       string    `json:"id"`
	Hostname string    `json:"hostname,omitempty"`
	Platform string    `json:"platform,omitempty"`
	Model    string    `json:"model,omitempty"`
	Version  string    `json:"version,omitempty"`
	Role     string    `json:"role,omitempty"`
	Site     string    `json:"site,omitempty"`
	Tool     string    `json:"backup_tool,omitempty"`
	Evidence []string  `json:"evidence"`
	Paths    []string  `json:"paths"`
	Lines    Lines     `json:"lines"`
	Services []Service `json:"services"`
}

// A Service is something a device serves.
type Service struct {
	Protocol string `json:"protocol"`
	Name     string `json:"name"`
	Enabled  string `json:"enabled"` // true, false, masked or unknown
	Origin   string `json:"origin"`
	Scope    string `json:"scope,omitempty"`
}

// A Check is what a reader must know of a check that has findings.
type Check struct {
	ID        string            `json:"id"`
	Slug      string            `json:"slug"`
	Title     string            `json:"title"`
	Doc       string            `json:"doc"`
	Severity  string            `json:"severity"`
	False     string            `json:"false_positives,omitempty"`
	Attack    []string          `json:"attack"`
	Analytics []string          `json:"analytics"`
	Controls  []string          `json:"controls"`
	Fixes     map[string]string `json:"fixes"`
}

// A Finding is one problem of one subject.
type Finding struct {
	ID          string            `json:"id"`
	Fingerprint string            `json:"fingerprint"`
	Check       string            `json:"check"`
	Variant     int               `json:"variant"`
	Slug        string            `json:"slug"`
	Severity    string            `json:"severity"`
	Confidence  string            `json:"confidence"`
	State       string            `json:"state"`
	Device      string            `json:"device"`
	Platform    string            `json:"platform,omitempty"`
	Subject     Subject           `json:"subject"`
	Message     string            `json:"message"`
	Time        *Time             `json:"time,omitempty"`
	Spans       []Span            `json:"spans"`
	Evidence    map[string]string `json:"evidence"`
	Attack      []string          `json:"attack"`
	Controls    []string          `json:"controls"`
	Fix         string            `json:"fix,omitempty"`
	Accepted    *Accepted         `json:"accepted,omitempty"`
	// LineHash is the rolling hash of the primary line as GitHub's codeql-action computes it; empty for files over 64 MiB.
	LineHash string `json:"line_hash,omitempty"`
}

// A Subject is what a finding is about.
type Subject struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// A Time is when a finding's events happened, RFC 3339, UTC.
type Time struct {
	First string `json:"first"`
	Last  string `json:"last"`
}

// A Span is a place in evidence. Lines and columns count from 1; columns are Unicode code points of the decoded line,
// end_column is one past the last. Text is the whole line or lines, secrets redacted.
type Span struct {
	Path      string `json:"path"`
	Line      int    `json:"line"`
	Column    int    `json:"column"`
	EndLine   int    `json:"end_line"`
	EndColumn int    `json:"end_column"`
	Text      string `json:"text"`
	Role      string `json:"role,omitempty"`
}

// Accepted is the exception in force that covers a finding.
type Accepted struct {
	ID      string `json:"id,omitempty"`
	By      string `json:"by"`
	Owner   string `json:"owner"`
	Ticket  string `json:"ticket"`
	Reason  string `json:"reason,omitempty"`
	Expires string `json:"expires"`
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
}

// NotEvaluated is a check that was left open somewhere. Device is empty when it was nowhere evaluated.
type NotEvaluated struct {
	Check    string `json:"check"`
	Device   string `json:"device"`
	Analytic string `json:"analytic"`
	Missing  string `json:"missing"`
}

// A Note is something to say about the evidence.
type Note struct {
	Kind    string `json:"kind"` // info, limit, unread, incomplete
	Path    string `json:"path,omitempty"`
	Line    int    `json:"line,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
	Count   int    `json:"count,omitempty"`
}

// JSON writes d as indented json-v1 with a final newline.
func JSON(w io.Writer, d *Doc) error {
	return writeJSON(w, d, true)
}

// Read reads a document as JSON wrote it.
func Read(r io.Reader) (*Doc, error) {
	d := new(Doc)
	if err := json.NewDecoder(r).Decode(d); err != nil {
		return nil, err
	}
	return d, nil
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
