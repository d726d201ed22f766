package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/quaymaster/quaymaster/audit"
	"github.com/quaymaster/quaymaster/evidence"
	"github.com/quaymaster/quaymaster/report"
	"github.com/spf13/cobra"
)

// baselineVersion names the file format.
const baselineVersion = "baseline-v1"

// A baselineFile is the findings known on day one, sorted as in the result they came from.
type baselineFile struct {
	Version  string          `json:"version"`
	Created  string          `json:"created"`
	Findings []baselineEntry `json:"findings"`
}

type baselineEntry struct {
	Fingerprint string         `json:"fingerprint"`
	Check       string         `json:"check"`
	Device      string         `json:"device"`
	Subject     report.Subject `json:"subject"`
	Severity    string         `json:"severity"`
}

func readBaselineFile(path string) (*baselineFile, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var b baselineFile
	if err := json.Unmarshal(data, &b); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			line := 1
			for _, c := range data[:min(int(syntax.Offset), len(data))] {
				if c == '\n' {
					line++
				}
			}
			return nil, fmt.Errorf("%s:%d: %w: make a new one with baseline create", path, line, err)
		}
		return nil, fmt.Errorf("%s: %w: make a new one with baseline create", path, err)
	}
	if b.Version != baselineVersion {
		return nil, fmt.Errorf("%s is %q, not %s: make a new one with baseline create", path, b.Version, baselineVersion)
	}
	return &b, nil
}

func readBaseline(path string) (map[string]bool, error) {
	b, err := readBaselineFile(path)
	if err != nil {
		return nil, err
	}
	known := make(map[string]bool, len(b.Findings))
	for _, f := range b.Findings {
		known[f.Fingerprint] = true
	}
	return known, nil
}

func (p *program) baselineCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "baseline", Short: "Findings known on day one", GroupID: "keep",
		Long:    "A baseline lists the findings of one day. Later audits with --baseline call them known: shown with -v, never failing the run.",
		Example: "  quaymaster baseline create configs/ -o baseline.json\n  quaymaster audit configs/ --baseline baseline.json",
		Args:    cobra.NoArgs,
		RunE:    func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(p.baselineMake("create"), p.baselineMake("update"), &cobra.Command{
		Use: "show FILE", Short: "List what a baseline holds", Example: "  quaymaster baseline show baseline.json", Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			b, err := readBaselineFile(args[0])
			if err != nil {
				return usage(err)
			}
			for _, f := range b.Findings {
				if _, err := fmt.Fprintf(p.stdout, "%s  %-8s %-7s %s  %s\n", f.Fingerprint, f.Severity, f.Check, printable(f.Device), printable(f.Subject.Name)); err != nil {
					return err
				}
			}
			return nil
		},
	})
	return c
}

// baselineMake is create and update: update keeps only what is still found, so that a mended finding that comes back is new.
func (p *program) baselineMake(verb string) *cobra.Command {
	var out, policyFile, inventoryFile, now string
	short := "Write the open findings of PATH... as a baseline"
	if verb == "update" {
		short = "Drop from a baseline what is no longer found; add nothing"
	}
	c := &cobra.Command{
		Use: verb + " PATH...", Short: short, Args: cobra.MinimumNArgs(1),
		Example: "  quaymaster baseline " + verb + " configs/ -o baseline.json",
		RunE: func(c *cobra.Command, paths []string) error {
			if out == "" {
				return usage(errors.New("name the baseline file with -o"))
			}
			doc, err := p.collectFindings(c.Context(), policyFile, inventoryFile, now, paths)
			if err != nil {
				return err
			}
			if !doc.Complete {
				return &exitError{audit.ExitIncomplete, errors.New("the audit is incomplete: a baseline of it would hide what was not seen; run audit to see why")}
			}
			return p.writeBaseline(verb, out, doc)
		},
	}
	c.Flags().StringVarP(&out, "out", "o", "", "the baseline file")
	c.Flags().StringVar(&policyFile, "policy", "", "policy file")
	c.Flags().StringVar(&inventoryFile, "inventory", "", "inventory file")
	c.Flags().StringVar(&now, "now", "", "the time of judgement, RFC 3339")
	return c
}

func (p *program) writeBaseline(verb, out string, doc *report.Doc) error {
	b := baselineFile{Version: baselineVersion, Created: doc.Now, Findings: []baselineEntry{}}
	var old map[string]bool
	if verb == "update" {
		f, err := readBaselineFile(out)
		if err != nil {
			return usage(err)
		}
		b.Created = f.Created
		old = map[string]bool{}
		for _, e := range f.Findings {
			old[e.Fingerprint] = true
		}
	}
	for _, f := range doc.Findings {
		if f.State == "accepted" || old != nil && !old[f.Fingerprint] {
			continue
		}
		b.Findings = append(b.Findings, baselineEntry{f.Fingerprint, f.Check, f.Device, f.Subject, f.Severity})
	}
	err := evidence.AtomicWrite(out, 0o600, func(w io.Writer) error {
		e := json.NewEncoder(w)
		e.SetIndent("", " ")
		return e.Encode(b)
	})
	if err != nil {
		return fmt.Errorf("write baseline: %w", err)
	}
	fmt.Fprintf(p.stderr, "%s holds %d findings\n", out, len(b.Findings))
	return nil
}

// collectFindings audits paths with default settings and gives the document.
func (p *program) collectFindings(ctx context.Context, policyFile, inventoryFile, now string, paths []string) (*report.Doc, error) {
	a := auditFlags{policy: policyFile, inventory: inventoryFile, now: now, failOn: "none", minSeverity: "info", minConfidence: "low", color: "never", fingerprint: "codeql"}
	pl, err := p.prepare(&a)
	if err != nil {
		return nil, err
	}
	return p.document(ctx, pl, paths)
}
